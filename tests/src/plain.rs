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
            [
                4.84143144246472090,
                -1.16032004402742839,
                -0.103622044471123109,
            ],
            [
                0.00166007664274403694,
                0.00769901118419740425,
                -0.0000690460016972063023,
            ],
            0.000954791938424326609,
        ),
        body(
            [
                8.34336671824457987,
                4.12479856412430479,
                -0.403523417114321381,
            ],
            [
                -0.00276742510726411115,
                0.00499852801234917238,
                0.0000230417297573763929,
            ],
            0.000285885980666130812,
        ),
        body(
            [
                12.8943695621391310,
                -15.1111514016986312,
                -0.223307578892655734,
            ],
            [
                0.00296460137564761618,
                0.00237847173959480950,
                -0.0000296589568540237556,
            ],
            0.0000436624404335156298,
        ),
        body(
            [
                15.3796971148509165,
                -25.9193146099879641,
                0.179258772950371181,
            ],
            [
                0.00268067772490389322,
                0.00162824170038242295,
                -0.0000951592254519715870,
            ],
            0.0000515138902046611451,
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
            for k in 0..3 {
                bodies[i].velocity[k] -= d[k] * b;
                bodies[j].velocity[k] += d[k] * a;
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
