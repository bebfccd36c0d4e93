//! Programs from the start of a machine to its end: what it costs that code has to be loaded and compiled first.
//!
//! How often a program is called is so chosen that the machine to compare with takes about two seconds for all. The driver says how
//! much processor time the machine took, and how much of it those threads that only compile; the machine under test says in
//! its log what it has compiled.

use crate::bench::{Arena, Benchmark, bench_dir};
use crate::cache;
use crate::machine::Machine;
use crate::oracle;
use crate::proc;
use std::process::Command;
use std::time::Duration;

/// Limit of one run.
const LIMIT: Duration = Duration::from_secs(120);

/// Milliseconds that a program takes on the machine to compare with.
const FOR_MS: u32 = 2000;

/// What one run took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ColdRun {
    /// Milliseconds from start to end.
    pub wall: f64,
    /// Milliseconds of processor time of all threads.
    pub cpu: f64,
    /// Milliseconds of those that only compile.
    pub compiling: f64,
    /// What has been compiled, where the machine says so.
    pub compiled: Compiled,
}

/// What a machine has compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compiled {
    /// Functions, and parts of them that code begins in.
    pub functions: u32,
    /// Bytes of machine code.
    pub bytes: u64,
}

impl Compiled {
    /// From the lines of a log of compilations.
    fn of_log(text: &str) -> Compiled {
        let bytes = |line: &str| -> Option<u64> {
            let before = line.split_once(" bytes;")?.0;
            before.rsplit_once(' ')?.1.parse().ok()
        };
        let all: Vec<u64> = text.lines().filter_map(bytes).collect();
        Compiled {
            functions: all.len() as u32,
            bytes: all.iter().sum(),
        }
    }
}

impl Arena {
    fn cold_command(&self, side: usize, program: &Benchmark) -> Result<Command, String> {
        let dir = oracle::compile(&self.otp, &program.source)?;
        let driver = oracle::compile(&self.otp, &bench_dir().join("bench_driver.erl"))?;
        let mut command = self.command(side);
        command.arg("-pa").arg(&dir).arg(&driver);
        command.args(["-run", "bench_driver", "cold"]);
        command.arg(format!("b_{}", program.name));
        Ok(command)
    }

    /// How often a program is called in two seconds from the start of the machine to compare with.
    pub fn cold_calls(&self, program: &Benchmark) -> Result<u32, String> {
        let mut command = self.cold_command(1, program)?;
        command.args(["for".to_string(), FOR_MS.to_string()]);
        let out = proc::run(command, LIMIT)?;
        let calls = value(&out.stdout, "calls ").filter(|_| out.success());
        calls.map(|n| n as u32).ok_or_else(|| out.obituary())
    }

    /// Starts a machine, lets it call a program so often, and end.
    pub fn cold(&self, side: usize, program: &Benchmark, calls: u32) -> Result<ColdRun, String> {
        let mut command = self.cold_command(side, program)?;
        command.args(["calls".to_string(), calls.to_string()]);
        let log = cache::target().join(format!("cold-{}.log", std::process::id()));
        if side == 0 && matches!(self.machines[side], Machine::Enigma(_)) {
            command.arg("--jit-log").arg(&log);
        }
        let out = proc::run(command, LIMIT)?;
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        // Where there is none, nothing has been compiled.
        let _ = std::fs::remove_file(&log);
        let found = value(&out.stdout, "cpu ").zip(value(&out.stdout, "compiling "));
        let (cpu, compiling) = found
            .filter(|_| out.success())
            .ok_or_else(|| out.obituary())?;
        Ok(ColdRun {
            wall: out.elapsed.as_secs_f64() * 1000.0,
            cpu,
            compiling,
            compiled: Compiled::of_log(&text),
        })
    }
}

/// The number on the line that begins so.
fn value(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|l| l.strip_prefix(name))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read() {
        let log = "m:f/1 (called often): 3 BEAM instructions, 4 SSA instructions, 9 of Cranelift's in 2 blocks, 120 bytes; us: build 1\n\
                   m:g/1 (called often): 3 BEAM instructions, no code: it would be no faster\n\
                   m:h/1 (called often): 30 BEAM instructions, 44 SSA instructions, 90 of Cranelift's in 2 blocks, 1200 bytes; us: build 1\n";
        let expected = Compiled {
            functions: 2,
            bytes: 1320,
        };
        assert_eq!(Compiled::of_log(log), expected);
    }
}
