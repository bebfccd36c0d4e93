//! Some of the benchmark programs as one would write them in Rust: what the computer can do where there are no terms, no processes
//! and no big integers.

use crate::bench::Benchmark;
use std::hint::black_box;
use std::time::Instant;

/// A program in Rust, which gives what `run/0` of the benchmark of that name gives, as text.
pub struct PlainProgram {
    /// The benchmark's name.
    pub name: &'static str,
    run: fn() -> String,
}

/// All there are.
pub const PROGRAMS: [PlainProgram; 6] = [
    plain("collatz", collatz),
    plain("fib", || fib(black_box(36)).to_string()),
    plain("mandelbrot", || mandelbrot(black_box(200)).to_string()),
    plain("nbody", nbody),
    plain("nrev", nrev),
    plain("tak", || {
        let both = (tak(black_box(27), 18, 9), tak(black_box(24), 16, 8));
        format!("{{{},{}}}", both.0, both.1)
    }),
];

const fn plain(name: &'static str, run: fn() -> String) -> PlainProgram {
    PlainProgram { name, run }
}

impl PlainProgram {
    /// Milliseconds of the fastest of some measurements, each of which calls the program as often as the benchmark does, and
    /// the result.
    pub fn measure(&self, benchmark: &Benchmark, measurements: u32) -> (f64, String) {
        let mut best = f64::INFINITY;
        let mut result = String::new();
        for _ in 0..measurements.max(1) {
            let begin = Instant::now();
            for _ in 0..benchmark.repeat {
                result = (self.run)();
            }
            best = best.min(begin.elapsed().as_secs_f64() * 1000.0);
        }
        (best, result)
    }
}

fn fib(n: i64) -> i64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

fn tak(x: i64, y: i64, z: i64) -> i64 {
    if y < x {
        tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))
    } else {
        z
    }
}

fn collatz() -> String {
    let mut best = (0, 0);
    for n in 1..=black_box(400_000u64) {
        let (mut at, mut length) = (n, 1);
        while at != 1 {
            at = if at & 1 == 0 { at >> 1 } else { 3 * at + 1 };
            length += 1;
        }
        if length > best.1 {
            best = (n, length);
        }
    }
    format!("{{{},{}}}", best.0, best.1)
}

fn mandelbrot(n: i64) -> i64 {
    let inside = |x: i64, y: i64| {
        let (cr, ci) = (
            2.0 * x as f64 / n as f64 - 1.5,
            2.0 * y as f64 / n as f64 - 1.0,
        );
        let (mut zr, mut zi) = (0.0f64, 0.0f64);
        for left in (1..=100).rev() {
            let (r2, i2) = (zr * zr, zi * zi);
            if r2 + i2 > 4.0 {
                return left;
            }
            (zr, zi) = (r2 - i2 + cr, 2.0 * zr * zi + ci);
        }
        0
    };
    (0..n)
        .map(|y| (0..n).map(|x| inside(x, y)).sum::<i64>())
        .sum()
}

/// A list cell.
struct Cell {
    head: i64,
    tail: List,
}

type List = Option<Box<Cell>>;

fn nrev() -> String {
    let mut list = (1..=black_box(1500))
        .rev()
        .fold(None, |tail, head| cell(head, tail));
    for _ in 0..90 {
        list = reversed(list.as_deref());
    }
    list.map_or(0, |c| c.head).to_string()
}

fn cell(head: i64, tail: List) -> List {
    Some(Box::new(Cell { head, tail }))
}

/// The reversed list, by appending each head to the rest reversed, which is copied.
fn reversed(list: Option<&Cell>) -> List {
    let list = list?;
    let rest = reversed(list.tail.as_deref());
    appended(rest.as_deref(), cell(list.head, None))
}

fn appended(mut list: Option<&Cell>, end: List) -> List {
    let mut all = None;
    let mut last = &mut all;
    while let Some(c) = list {
        last = &mut last
            .insert(Box::new(Cell {
                head: c.head,
                tail: None,
            }))
            .tail;
        list = c.tail.as_deref();
    }
    *last = end;
    all
}

#[derive(Clone, Copy)]
struct Body {
    at: [f64; 3],
    velocity: [f64; 3],
    mass: f64,
}

fn nbody() -> String {
    let mut bodies = bodies();
    let momentum = [0, 1, 2].map(|k| {
        bodies
            .iter()
            .map(|b| b.velocity[k] * b.mass)
            .fold(0.0, |a, p| a + p)
    });
    let sun = bodies[0].mass;
    bodies[0].velocity = momentum.map(|p| -p / sun);
    for _ in 0..black_box(50_000) {
        advance(&mut bodies);
    }
    format!("{}", (energy(&bodies) * 1.0e12).round() as i64)
}

fn bodies() -> [Body; 5] {
    let sun = 4.0 * std::f64::consts::PI * std::f64::consts::PI;
    let day = 365.24;
    let body = |at, velocity: [f64; 3], mass| Body {
        at,
        velocity: velocity.map(|v| v * day),
        mass: mass * sun,
    };
    [
        body([0.0; 3], [0.0; 3], 1.0),
        body(
            [4.841431442464721, -1.1603200440274284, -0.10362204447112311],
            [
                0.001660076642744037,
                0.007699011184197404,
                -0.0000690460016972063,
            ],
            0.0009547919384243266,
        ),
        body(
            [8.34336671824458, 4.124798564124305, -0.4035234171143214],
            [
                -0.0027674251072641112,
                0.004998528012349172,
                0.000023041729757376393,
            ],
            0.0002858859806661308,
        ),
        body(
            [
                12.894369562139131,
                -15.111151401698631,
                -0.22330757889265573,
            ],
            [
                0.002964601375647616,
                0.0023784717395948095,
                -0.000029658956854023756,
            ],
            0.00004366244043351563,
        ),
        body(
            [15.379697114850917, -25.919314609987964, 0.17925877295037118],
            [
                0.0026806777249038932,
                0.001628241700382423,
                -0.00009515922545197159,
            ],
            0.000051513890204661145,
        ),
    ]
}

fn distance(a: &Body, b: &Body) -> [f64; 3] {
    [0, 1, 2].map(|k| a.at[k] - b.at[k])
}

fn square(d: [f64; 3]) -> f64 {
    d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
}

fn advance(bodies: &mut [Body; 5]) {
    for i in 0..5 {
        for j in i + 1..5 {
            let d = distance(&bodies[i], &bodies[j]);
            let d2 = square(d);
            let magnitude = 0.01 / (d2 * d2.sqrt());
            let (a, b) = (bodies[i].mass * magnitude, bodies[j].mass * magnitude);
            for (k, d) in d.into_iter().enumerate() {
                bodies[i].velocity[k] -= d * b;
                bodies[j].velocity[k] += d * a;
            }
        }
    }
    for body in bodies {
        for k in 0..3 {
            body.at[k] += 0.01 * body.velocity[k];
        }
    }
}

fn energy(bodies: &[Body; 5]) -> f64 {
    let mut e = 0.0;
    for (i, a) in bodies.iter().enumerate() {
        e += 0.5 * a.mass * square(a.velocity);
        for b in &bodies[i + 1..] {
            e -= a.mass * b.mass / square(distance(a, b)).sqrt();
        }
    }
    e
}
