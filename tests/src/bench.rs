//! Benchmarks: programs run alternately on Enigma and on another `erl`.
//!
//! A program is a module of `benches/programs`; `bench_driver.erl` measures it
//! inside the machine, so that boot time is not part of it. The two machines
//! take turns, so that a change in the load of the computer hits both.

use crate::cache;
use crate::machine::{Machine, Mode};
use crate::oracle::{self, Otp};
use crate::proc;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Limit of one run of a program on one machine.
const LIMIT: Duration = Duration::from_secs(180);

/// For how long each kind of operation is repeated in the table of contention.
const CONTENTION_MS: u32 = 200;

/// For how long a server is loaded.
const SOCKETS_MS: u32 = 3000;

/// A benchmark program.
#[derive(Clone, Debug)]
pub struct Benchmark {
    /// Name without the `b_` of the module.
    pub name: String,
    /// The source file.
    pub source: PathBuf,
    /// How often `run/0` is called in one measurement (`%% repeat: N`).
    pub repeat: u32,
    /// What the first comment line says before its colon.
    pub group: String,
}

/// The folder `benches`.
pub fn bench_dir() -> PathBuf {
    cache::workspace().join("benches")
}

/// The modules of a folder of `benches` whose names begin so: the rest of the name, and the source file.
fn modules(folder: &str, prefix: &str) -> Result<Vec<(String, PathBuf)>, String> {
    let dir = bench_dir().join(folder);
    let entries = fs::read_dir(&dir).map_err(|e| format!("cannot list {}: {e}", dir.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let source = entry.map_err(|e| e.to_string())?.path();
        let stem = source.file_stem().unwrap_or_default().to_string_lossy();
        if let Some(name) = stem.strip_prefix(prefix) {
            found.push((name.to_string(), source.clone()));
        }
    }
    found.sort();
    Ok(found)
}

/// All programs, by group and then by name.
pub fn programs() -> Result<Vec<Benchmark>, String> {
    let mut programs = Vec::new();
    for (name, source) in modules("programs", "b_")? {
        let text = fs::read_to_string(&source).map_err(|e| e.to_string())?;
        let repeat = text
            .lines()
            .find_map(|l| l.strip_prefix("%% repeat:"))
            .and_then(|n| n.trim().parse().ok())
            .unwrap_or(1);
        let first = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches('%')
            .trim();
        let group = first.split(':').next().unwrap_or_default().to_string();
        programs.push(Benchmark {
            name,
            source,
            repeat,
            group,
        });
    }
    programs.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    Ok(programs)
}

/// The modules of operations that are measured one by one.
pub fn small_modules() -> Result<Vec<PathBuf>, String> {
    let found = modules("small", "s_")?;
    Ok(found.into_iter().map(|(_, source)| source).collect())
}

/// What one run of a program on one machine printed.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Measured times in microseconds.
    pub times: Vec<u64>,
    /// The result as text.
    pub result: String,
}

/// Two machines on the libraries of one release.
pub struct Arena {
    /// The release's libraries and compiler.
    pub otp: Otp,
    /// The machines: the one under test and the one to compare with.
    pub machines: [Machine; 2],
}

impl Arena {
    /// A command that starts a machine without a terminal.
    pub(crate) fn command(&self, side: usize) -> Command {
        let mut command = self.machines[side].command(&self.otp, Mode::Plain);
        command.arg("-noinput");
        command
    }

    /// Runs a program once on one machine.
    pub fn run(
        &self,
        side: usize,
        program: &Benchmark,
        measurements: u32,
    ) -> Result<Sample, String> {
        let dir = oracle::compile(&self.otp, &program.source)?;
        let driver = oracle::compile(&self.otp, &bench_dir().join("bench_driver.erl"))?;
        let mut command = self.command(side);
        command.arg("-pa").arg(&dir).arg(&driver);
        command.args(["-run", "bench_driver", "main"]);
        command.arg(format!("b_{}", program.name));
        command.args([program.repeat.to_string(), measurements.to_string()]);
        let out = proc::run(command, LIMIT)?;
        let mut sample = Sample::default();
        for line in out.stdout.lines() {
            if let Some(time) = line.strip_prefix("time ") {
                sample.times.extend(time.trim().parse::<u64>());
            } else if let Some(result) = line.strip_prefix("result ") {
                sample.result = result.to_string();
            }
        }
        if sample.times.is_empty() || !out.success() {
            return Err(out.obituary());
        }
        Ok(sample)
    }

    /// What operations of a module cost in nanoseconds, by `module:name`; all if no names are told.
    pub fn small(
        &self,
        side: usize,
        module: &Path,
        names: &[String],
    ) -> Result<Vec<(String, f64)>, String> {
        let dir = oracle::compile(&self.otp, module)?;
        let mut command = self.command(side);
        command.arg("-pa").arg(&dir);
        for driver in ["small/small.erl", "bench_driver.erl"] {
            command.arg(oracle::compile(&self.otp, &bench_dir().join(driver))?);
        }
        command.args(["-run", "small", "main"]);
        command.arg(module.file_stem().unwrap_or_default());
        command.args(names.iter().map(|n| format!("={n}")));
        let out = proc::run(command, LIMIT)?;
        if !out.success() {
            return Err(out.obituary());
        }
        let lines = out.stdout.lines();
        Ok(lines
            .filter_map(|line| {
                let mut words = line.strip_prefix("case ")?.split(' ');
                let (module, name) = (words.next()?, words.next()?);
                Some((format!("{module}:{name}"), words.next()?.parse().ok()?))
            })
            .collect())
    }

    /// Runs a scenario of the driver; its value.
    pub fn scenario(&self, side: usize, name: &str) -> Result<f64, String> {
        let driver = oracle::compile(&self.otp, &bench_dir().join("bench_driver.erl"))?;
        let mut command = self.command(side);
        command.args(["+P", "1000000"]).arg("-pa").arg(&driver);
        command.args(["-run", "bench_driver", "scenario", name]);
        let out = proc::run(command, LIMIT)?;
        let value = out.stdout.lines().find_map(|l| l.strip_prefix("value "));
        value
            .and_then(|v| v.trim().parse().ok())
            .ok_or_else(|| out.obituary())
    }

    /// Operations a second of so many processes on as many schedulers, by what they do.
    pub fn contention(&self, side: usize, schedulers: u32) -> Result<Vec<(String, f64)>, String> {
        let module = oracle::compile(&self.otp, &bench_dir().join("contention.erl"))?;
        let mut command = self.command(side);
        command.args(["+S", &schedulers.to_string()]);
        command.arg("-pa").arg(&module);
        command.args(["-run", "contention", "main"]);
        command.args([schedulers.to_string(), CONTENTION_MS.to_string()]);
        let out = proc::run(command, LIMIT)?;
        let rate = |line: &str| {
            let (name, rate) = line.strip_prefix("rate ")?.rsplit_once(' ')?;
            Some((name.to_string(), rate.trim().parse().ok()?))
        };
        let rates: Vec<(String, f64)> = out.stdout.lines().filter_map(rate).collect();
        if rates.is_empty() || !out.success() {
            return Err(out.obituary());
        }
        Ok(rates)
    }

    /// What a server on the machine of that side answers to so many connections, whose load is made by the other side's
    /// machine: requests or bytes a second, and the time in microseconds below which 99 of 100 requests stayed, if any
    /// were timed.
    pub fn sockets(
        &self,
        side: usize,
        kind: &str,
        connections: u32,
    ) -> Result<(f64, Option<f64>), String> {
        let module = oracle::compile(&self.otp, &bench_dir().join("sockets.erl"))?;
        let mut server = self.command(side);
        server.arg("-pa").arg(&module);
        server.args(["-run", "sockets", "server", kind]);
        server
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = server.spawn().map_err(|e| e.to_string())?;
        let loaded = port_of(&mut server).and_then(|port| {
            let mut load = self.command(1);
            load.arg("-pa").arg(&module);
            load.args(["-run", "sockets", "client", kind, &port]);
            load.args([connections.to_string(), SOCKETS_MS.to_string()]);
            proc::run(load, LIMIT)
        });
        // The server is of no more use, whatever became of it.
        let _ = server.kill();
        let _ = server.wait();
        let out = loaded?;
        let value = |what: &str| {
            let line = out.stdout.lines().find(|l| l.starts_with(what))?;
            line.rsplit_once(' ')?.1.trim().parse().ok()
        };
        let rate = value("rate ").ok_or_else(|| out.obituary())?;
        Ok((rate, value("p99 ")))
    }

    /// Wall-clock milliseconds from start to the end of `halt()`.
    pub fn boot(&self, side: usize) -> Result<f64, String> {
        let mut command = self.machines[side].command(&self.otp, Mode::Plain);
        command.args(["-noshell", "-eval", "halt()."]);
        let out = proc::run(command, LIMIT)?;
        if !out.success() {
            return Err(out.obituary());
        }
        Ok(out.elapsed.as_secs_f64() * 1000.0)
    }

    /// Resident kilobytes of a machine that has booted and sits idle.
    pub fn resident(&self, side: usize) -> Result<f64, String> {
        let mut command = self.machines[side].command(&self.otp, Mode::Plain);
        command.args([
            "-noinput",
            "-eval",
            "io:format(\"up~n\"), receive after infinity -> ok end.",
        ]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(|e| e.to_string())?;
        let value = settle(&mut child);
        // The child is of no more use, whatever became of it.
        let _ = child.kill();
        let _ = child.wait();
        value
    }
}

/// The port that a server prints when it listens.
fn port_of(server: &mut Child) -> Result<String, String> {
    use std::io::{BufRead, BufReader};
    let out = server.stdout.take().ok_or("no output")?;
    let mut line = String::new();
    let mut out = BufReader::new(out);
    out.read_line(&mut line).map_err(|e| e.to_string())?;
    // Nobody reads what follows, but the pipe stays open.
    server.stdout = Some(out.into_inner());
    let port = line.strip_prefix("port ").map(|p| p.trim().to_string());
    port.ok_or(format!("the server says {line:?}"))
}

/// Waits for the line `up`, a moment more, and reads the resident size.
fn settle(child: &mut Child) -> Result<f64, String> {
    use std::io::{BufRead, BufReader};
    let out = child.stdout.take().ok_or("no output")?;
    let mut line = String::new();
    BufReader::new(out)
        .read_line(&mut line)
        .map_err(|e| e.to_string())?;
    if line.trim() != "up" {
        return Err(format!("did not boot: {line}"));
    }
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(700) {
        thread::sleep(Duration::from_millis(50));
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))
        .map_err(|e| format!("no process status: {e}"))?;
    status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .and_then(|l| l.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| "no resident size".to_string())
}

/// The smallest of some numbers.
pub fn minimum(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The middle of some numbers.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// The geometric mean of some ratios.
pub fn geometric_mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(minimum(&[3.0, 1.0, 2.0]), 1.0);
        assert!((geometric_mean(&[2.0, 8.0]) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn every_program_names_its_group() {
        let programs = programs().expect("the folder of programs");
        assert!(programs.len() >= 40);
        assert!(programs.iter().all(|p| !p.group.is_empty() && p.repeat > 0));
    }
}
