//! `bench`: the table of benchmarks, Enigma against an `erl`.
//!
//! ```text
//! cargo run --release -p enigma-tests --bin bench -- [--against ERL] [--release N]
//!     [--rounds N] [--programs] [--system] [--cold] [--plain] [--small] [--contention] [--sockets] [NAME...]
//! ```
//!
//! Names (or parts of them, or of a group) choose programs. `--programs` and
//! `--system` leave out the other half; `--cold` measures programs from the machine's start to its end instead,
//! `--plain` compares some with the same programs in Rust, `--small` measures operations one by one, `--contention` what many
//! processes do at once, `--sockets` servers under load. Without `--against`, the `erl` of the release itself is the opponent. `benches/README.md` says what each number means.

use enigma_tests::bench::{self, Arena, Benchmark};
use enigma_tests::cold::ColdRun;
use enigma_tests::command::{exit_code, number};
use enigma_tests::machine::Machine;
use enigma_tests::oracle;
use enigma_tests::plain::PROGRAMS;
use std::path::PathBuf;
use std::process::ExitCode;

struct Options {
    against: Option<PathBuf>,
    release: u32,
    rounds: u32,
    programs: bool,
    system: bool,
    /// Another table in the place of these.
    instead: Option<Table>,
    names: Vec<String>,
}

/// Makes a table and says whether all went well.
type Table = fn(&Arena, &Options) -> Result<bool, String>;

fn main() -> ExitCode {
    exit_code(run())
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        against: None,
        release: 27,
        rounds: 3,
        programs: true,
        system: true,
        instead: None,
        names: vec![],
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--against" => options.against = Some(PathBuf::from(value()?)),
            "--release" => options.release = number(&value()?)?,
            "--rounds" => options.rounds = number::<u32>(&value()?)?.max(1),
            "--programs" => options.system = false,
            "--system" => options.programs = false,
            "--cold" => options.instead = Some(cold),
            "--plain" => options.instead = Some(plain),
            "--small" => options.instead = Some(small),
            "--contention" => options.instead = Some(contention),
            "--sockets" => options.instead = Some(sockets),
            a if a.starts_with("--") => return Err(format!("no option is called {a}")),
            _ => options.names.push(arg),
        }
    }
    if !options.names.is_empty() {
        options.system = false;
    }
    Ok(options)
}

fn run() -> Result<bool, String> {
    let options = options()?;
    let otp = oracle::locate(options.release)?;
    let opponent = match &options.against {
        None => Machine::Beam,
        Some(path) => Machine::Enigma(path.clone()),
    };
    let arena = Arena {
        otp,
        machines: [Machine::under_test()?, opponent],
    };
    if let Some(table) = options.instead {
        return table(&arena, &options);
    }
    println!(
        "OTP {}; times in ms; a ratio below 1 means that Enigma is faster",
        options.release
    );
    let mut good = true;
    if options.programs {
        good &= programs(&arena, &options)?;
    }
    if options.system {
        good &= system(&arena, &options);
    }
    Ok(good)
}

/// The programs that the names choose; all if there are none.
fn chosen(options: &Options) -> Result<Vec<Benchmark>, String> {
    let is_chosen = |p: &Benchmark| {
        let named = |n: &String| p.name.contains(n) || p.group.contains(n);
        options.names.is_empty() || options.names.iter().any(named)
    };
    Ok(bench::programs()?.into_iter().filter(is_chosen).collect())
}

fn programs(arena: &Arena, options: &Options) -> Result<bool, String> {
    let chosen = chosen(options)?;
    println!(
        "\n{:<20} {:<14} {:>10} {:>10} {:>10} {:>10} {:>7} {:>7}",
        "group", "program", "enigma", "erl", "(median)", "(median)", "ratio", "median"
    );
    let mut ratios = Vec::new();
    let mut medians = Vec::new();
    let mut good = true;
    for program in &chosen {
        match compete(arena, program, options.rounds) {
            Ok(times) => {
                let [min, erl_min] = [bench::minimum(&times[0]), bench::minimum(&times[1])];
                let [med, erl_med] = [bench::median(&times[0]), bench::median(&times[1])];
                ratios.push(min / erl_min);
                medians.push(med / erl_med);
                println!(
                    "{:<20} {:<14} {min:>10.1} {erl_min:>10.1} {med:>10.1} {erl_med:>10.1} \
                     {:>7.2} {:>7.2}",
                    program.group,
                    program.name,
                    min / erl_min,
                    med / erl_med
                );
            }
            Err(e) => {
                good = false;
                println!("{:<20} {:<14} FAILED: {e}", program.group, program.name);
            }
        }
    }
    if !ratios.is_empty() {
        println!(
            "{:<20} {:<14} {:>43} {:>7.2} {:>7.2}",
            "geometric mean",
            format!("of {}", ratios.len()),
            "",
            bench::geometric_mean(&ratios),
            bench::geometric_mean(&medians)
        );
    }
    Ok(good)
}

/// Both machines' times in milliseconds; the first to go changes every round.
fn compete(arena: &Arena, program: &Benchmark, rounds: u32) -> Result<[Vec<f64>; 2], String> {
    let mut times = [vec![], vec![]];
    let mut results = [String::new(), String::new()];
    for round in 0..rounds {
        for turn in 0..2 {
            let side = (turn + round as usize) % 2;
            let who = ["enigma", "erl"][side];
            let sample = arena
                .run(side, program, 2)
                .map_err(|e| format!("{who}: {e}"))?;
            times[side].extend(sample.times.iter().map(|t| *t as f64 / 1000.0));
            results[side] = sample.result;
        }
        if results[0] != results[1] {
            return Err(format!("results differ: {} and {}", results[0], results[1]));
        }
    }
    Ok(times)
}

/// The table of programs from the machine's start to its end: the round that took least.
fn cold(arena: &Arena, options: &Options) -> Result<bool, String> {
    println!(
        "OTP {}; milliseconds from the machine's start to its end, for as many calls as take the other one about two seconds; \
         compiling is part of cpu\n",
        options.release
    );
    println!(
        "| program | calls | enigma | erl | ratio | cpu | cpu of erl | ratio | compiling | functions | kB of code |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let mut ratios = [vec![], vec![]];
    let mut good = true;
    for program in &chosen(options)? {
        match cold_runs(arena, program, options.rounds) {
            Ok((calls, [a, b])) => {
                let [wall, cpu] = [a.wall / b.wall, a.cpu / b.cpu];
                ratios[0].push(wall);
                ratios[1].push(cpu);
                println!(
                    "| {} | {calls} | {:.0} | {:.0} | {wall:.2} | {:.0} | {:.0} | {cpu:.2} | {:.0} | {} | {} |",
                    program.name,
                    a.wall,
                    b.wall,
                    a.cpu,
                    b.cpu,
                    a.compiling,
                    a.compiled.functions,
                    a.compiled.bytes / 1024
                );
            }
            Err(e) => {
                good = false;
                println!("| {} | FAILED: {e} |", program.name);
            }
        }
    }
    let [wall, cpu] = ratios.map(|r| bench::geometric_mean(&r));
    println!("| geometric mean | | | | {wall:.2} | | | {cpu:.2} | | | |");
    Ok(good)
}

/// How often a program is called, and the runs that took least on both machines.
fn cold_runs(
    arena: &Arena,
    program: &Benchmark,
    rounds: u32,
) -> Result<(u32, [ColdRun; 2]), String> {
    let calls = arena.cold_calls(program)?;
    let mut best = [None::<ColdRun>; 2];
    for turn in 0..2 * rounds as usize {
        let side = (turn + turn / 2) % 2;
        let run = arena.cold(side, program, calls)?;
        if best[side].is_none_or(|b| run.wall < b.wall) {
            best[side] = Some(run);
        }
    }
    Ok((calls, best.map(Option::unwrap_or_default)))
}

/// The table of programs that there are in Rust too: the measurement that took least.
fn plain(arena: &Arena, options: &Options) -> Result<bool, String> {
    println!("OTP {}; milliseconds; ratios to Rust\n", options.release);
    println!("| program | rust | enigma | erl | enigma / rust | erl / rust |");
    println!("|---|---|---|---|---|---|");
    let mut ratios = [vec![], vec![]];
    let mut good = true;
    for program in &chosen(options)? {
        let Some(rust) = PROGRAMS.iter().find(|p| p.name == program.name) else {
            continue;
        };
        let (time, result) = rust.measure(program, 2 * options.rounds);
        let mut best = [f64::INFINITY; 2];
        for turn in 0..2 * options.rounds as usize {
            let side = (turn + turn / 2) % 2;
            let sample = arena.run(side, program, 2)?;
            if sample.result != result {
                good = false;
                println!(
                    "| {} | FAILED: {} and {result} |",
                    program.name, sample.result
                );
            }
            let times: Vec<f64> = sample.times.iter().map(|&t| t as f64 / 1000.0).collect();
            best[side] = best[side].min(bench::minimum(&times));
        }
        let [a, b] = best.map(|t| t / time);
        ratios[0].push(a);
        ratios[1].push(b);
        let [enigma, erl] = best;
        println!(
            "| {} | {time:.1} | {enigma:.1} | {erl:.1} | {a:.2} | {b:.2} |",
            program.name
        );
    }
    let [a, b] = ratios.map(|r| bench::geometric_mean(&r));
    println!("| geometric mean | | | | {a:.2} | {b:.2} |");
    Ok(good)
}

/// The table of operations, one by one: the smallest of the rounds.
fn small(arena: &Arena, options: &Options) -> Result<bool, String> {
    println!(
        "OTP {}; nanoseconds; a ratio below 1 means that Enigma is faster\n",
        options.release
    );
    println!("| operation | enigma | erl | ratio |\n|---|---|---|---|");
    let mut ratios = Vec::new();
    for module in bench::small_modules()? {
        let mut best: Vec<(String, [f64; 2])> = Vec::new();
        for turn in 0..2 * options.rounds as usize {
            let side = (turn + turn / 2) % 2;
            for (name, ns) in arena.small(side, &module, &options.names)? {
                let place = best.iter().position(|row| row.0 == name);
                let place = place.unwrap_or_else(|| {
                    best.push((name, [f64::INFINITY; 2]));
                    best.len() - 1
                });
                best[place].1[side] = best[place].1[side].min(ns);
            }
        }
        for (name, [enigma, erl]) in best {
            ratios.push(enigma / erl);
            println!("| {name} | {enigma:.1} | {erl:.1} | {:.2} |", enigma / erl);
        }
    }
    println!(
        "| geometric mean of {} | | | {:.2} |",
        ratios.len(),
        bench::geometric_mean(&ratios)
    );
    Ok(true)
}

/// The table of what many processes do at once: the best of the rounds, in thousands of operations a second.
fn contention(arena: &Arena, options: &Options) -> Result<bool, String> {
    const SCHEDULERS: [u32; 4] = [1, 2, 4, 8];
    let mut rows: Vec<(String, Vec<[f64; 2]>)> = Vec::new();
    for (column, n) in SCHEDULERS.into_iter().enumerate() {
        for turn in 0..2 * options.rounds as usize {
            let side = (turn + turn / 2) % 2;
            for (i, (name, rate)) in arena.contention(side, n)?.into_iter().enumerate() {
                if i == rows.len() {
                    rows.push((name, vec![[0.0; 2]; SCHEDULERS.len()]));
                }
                let best = &mut rows[i].1[column][side];
                *best = best.max(rate);
            }
        }
    }
    println!(
        "OTP {}; thousands of operations a second with N schedulers and as many processes: enigma / erl\n",
        options.release
    );
    println!("| operation | 1 | 2 | 4 | 8 |\n|---|---|---|---|---|");
    for (name, rates) in rows {
        let cells = rates
            .iter()
            .map(|[enigma, erl]| format!(" {:.0} / {:.0} |", enigma / 1000.0, erl / 1000.0));
        println!("| {name} |{}", cells.collect::<String>());
    }
    Ok(true)
}

/// Kinds of servers, and by how many connections they are loaded.
const SERVERS: [(&str, u32); 9] = [
    ("echo active", 64),
    ("echo passive", 64),
    ("echo passive", 1),
    ("http keep-alive", 64),
    ("http one request", 64),
    ("http 64 kB", 64),
    ("udp", 8),
    ("stream in", 1),
    ("stream out", 1),
];

/// The table of servers under load: the best of the rounds.
fn sockets(arena: &Arena, options: &Options) -> Result<bool, String> {
    println!(
        "OTP {}; requests (streams: bytes) a second, and the time in microseconds below which 99 of 100 stayed; the load is \
         made by the other machine\n",
        options.release
    );
    println!("| server | connections | enigma | erl | ratio | p99 | p99 of erl |");
    println!("|---|---|---|---|---|---|---|");
    let chosen = SERVERS.iter().filter(|(name, _)| {
        options.names.is_empty() || options.names.iter().any(|n| name.contains(n.as_str()))
    });
    for &(kind, connections) in chosen {
        let mut best = [(0.0, None), (0.0, None)];
        for turn in 0..2 * options.rounds as usize {
            let side = (turn + turn / 2) % 2;
            let got = arena.sockets(side, kind, connections)?;
            if got.0 > best[side].0 {
                best[side] = got;
            }
        }
        let [(a, a99), (b, b99)] = best;
        let time = |t: Option<f64>| t.map_or(String::new(), |t| format!("{t:.0}"));
        println!(
            "| {kind} | {connections} | {a:.0} | {b:.0} | {:.2} | {} | {} |",
            a / b,
            time(a99),
            time(b99)
        );
    }
    Ok(true)
}

/// The table of what is not a program: boot, memory, throughput.
fn system(arena: &Arena, options: &Options) -> bool {
    println!(
        "\n{:<26} {:>14} {:>14} {:>7}  unit",
        "system", "enigma", "erl", "ratio"
    );
    let mut good = true;
    let rounds = options.rounds.max(2);
    let mut row = |name: &str,
                   unit: &str,
                   pick: fn(&[f64]) -> f64,
                   rounds: u32,
                   f: &dyn Fn(usize) -> Result<f64, String>| {
        let mut values = [vec![], vec![]];
        for round in 0..rounds {
            for turn in 0..2 {
                let side = (turn + round as usize) % 2;
                match f(side) {
                    Ok(v) => values[side].push(v),
                    Err(e) => {
                        println!("{name:<26} FAILED: {}: {e}", ["enigma", "erl"][side]);
                        good = false;
                        return;
                    }
                }
            }
        }
        let [a, b] = [pick(&values[0]), pick(&values[1])];
        println!("{name:<26} {a:>14.1} {b:>14.1} {:>7.2}  {unit}", a / b);
    };
    row(
        "boot to halt (min)",
        "ms",
        bench::minimum,
        rounds * 5,
        &|s| arena.boot(s),
    );
    row(
        "boot to halt (median)",
        "ms",
        bench::median,
        rounds * 5,
        &|s| arena.boot(s),
    );
    row("resident after boot", "kB", bench::median, rounds, &|s| {
        arena.resident(s)
    });
    for (name, unit) in [
        ("idle_process_memory", "bytes each"),
        ("idle_process_rss", "bytes each"),
        ("spawn_throughput", "per second, more is better"),
        ("spawn_link_exit", "per second, more is better"),
        ("send_one_to_one", "per second, more is better"),
        ("send_many_to_one", "per second, more is better"),
        ("send_self", "per second, more is better"),
    ] {
        row(name, unit, bench::median, rounds, &|s| {
            arena.scenario(s, name)
        });
    }
    good
}
