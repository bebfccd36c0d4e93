//! Runs the jobs in parallel and prints what `cargo test` would print.

use crate::cli;
use crate::diff::{self, DriverEntry, Verdict};
use crate::expected::{self, Known};
use crate::machine::{Machine, Mode};
use crate::oracle::Otp;
use crate::suite::{Suite, SuiteKind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

/// One suite on one release in one mode.
#[derive(Clone, Debug)]
pub struct Job {
    /// The OTP whose libraries and compiler are used.
    pub otp: Otp,
    /// What is run.
    pub suite: Suite,
    /// How Enigma runs it.
    pub mode: Mode,
}

impl Job {
    /// The name that filters match against.
    pub fn name(&self) -> String {
        format!("{}/{}/{}", self.otp.release, self.suite.name, self.mode)
    }
}

/// Counts of cases, as in the closing line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Cases that printed the same on both, and known differences.
    pub passed: usize,
    /// Cases that differ, and known differences that no longer do.
    pub failed: usize,
    /// Cases left out in a mode.
    pub ignored: usize,
    /// Of `passed`, how many are known differences.
    pub known: usize,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.known += other.known;
    }
}

/// Runs all jobs on `threads` threads; prints each as it ends and a closing line.
/// True when nothing failed.
pub fn run_all(
    machine: &Machine,
    jobs: &[Job],
    known: &[Known],
    threads: usize,
    filtered: usize,
) -> bool {
    let start = Instant::now();
    let driver = DriverEntry::from_env();
    println!("\nrunning {} case groups", jobs.len());
    let next = AtomicUsize::new(0);
    let total = Mutex::new(Counts::default());
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(at) else { break };
                    let (counts, text) = run_one(machine, job, known, driver);
                    let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
                    total.add(counts);
                    println!("{text}");
                }
            });
        }
    });
    let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    if total.known > 0 {
        println!(
            "\n{} of the passed cases are known differences",
            total.known
        );
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; {} ignored; 0 measured; {filtered} filtered out; \
         finished in {:.2}s\n",
        if total.failed == 0 { "ok" } else { "FAILED" },
        total.passed,
        total.failed,
        total.ignored,
        start.elapsed().as_secs_f64()
    );
    total.failed == 0
}

/// How often a case that differs is tried again if it is on a terminal.
const REPEATS: usize = 3;

/// What a terminal shows depends on how typing and output meet in time, on BEAM too. A case that differs there is
/// tried again on both machines; a difference that stays counts.
fn tried_again(
    machine: &Machine,
    job: &Job,
    name: &str,
    mut verdict: Verdict,
) -> Result<Verdict, String> {
    if job.suite.kind != SuiteKind::CommandLines {
        return Ok(verdict);
    }
    for _ in 0..REPEATS {
        if !matches!(verdict, Verdict::Different(_)) {
            break;
        }
        let run = |machine: &Machine, mode| {
            cli::run_on_terminal(machine, mode, &job.otp, &job.suite.source, name)
        };
        let (oracle, tested) = (run(&Machine::Beam, Mode::Plain)?, run(machine, job.mode)?);
        match diff::compare(&oracle, &tested).pop() {
            Some((_, again)) => verdict = again,
            None => break,
        }
    }
    Ok(verdict)
}

fn run_one(machine: &Machine, job: &Job, known: &[Known], driver: DriverEntry) -> (Counts, String) {
    let start = Instant::now();
    let lines = diff::oracle_lines(&job.otp, &job.suite, driver).and_then(|oracle| {
        let tested = diff::run(machine, job.mode, &job.otp, &job.suite, driver)?;
        let verdicts = diff::compare(&oracle, &tested)
            .into_iter()
            .map(|(name, verdict)| {
                let verdict = tried_again(machine, job, &name, verdict)?;
                Ok((name, verdict))
            })
            .collect::<Result<Vec<_>, String>>()?;
        Ok(verdicts)
    });
    let verdicts = match lines {
        Ok(verdicts) => verdicts,
        Err(e) => {
            let counts = Counts {
                failed: 1,
                ..Counts::default()
            };
            return (counts, format!("test {} ... FAILED\n    {e}", job.name()));
        }
    };
    let mut counts = Counts::default();
    let mut details = String::new();
    let empty = verdicts.is_empty();
    for (name, verdict) in verdicts {
        let case = format!("{}/{name}", job.suite.name);
        let entry = expected::find(known, &case, job.otp.release, &job.mode.to_string());
        match (verdict, entry) {
            (Verdict::Skipped, _) => counts.ignored += 1,
            (Verdict::Same, None) => counts.passed += 1,
            (Verdict::Different(_), Some(_)) => {
                counts.passed += 1;
                counts.known += 1;
            }
            (Verdict::Same, Some(entry)) => {
                counts.failed += 1;
                details.push_str(&format!(
                    "\n    {case}: passes, but is listed as known to differ ({})",
                    entry.reason
                ));
            }
            (Verdict::Different(how), None) => {
                counts.failed += 1;
                details.push_str(&format!("\n    {case}: {how}"));
            }
        }
    }
    if empty {
        counts.failed += 1;
        details.push_str("\n    the suite has no cases");
    }
    let text = format!(
        "test {} ... {} ({} passed, {} failed, {} skipped, {:.1}s){details}",
        job.name(),
        if counts.failed == 0 { "ok" } else { "FAILED" },
        counts.passed,
        counts.failed,
        counts.ignored,
        start.elapsed().as_secs_f64()
    );
    (counts, text)
}
