//! The differential suites as a test program.
//!
//! Arguments that are not options filter case groups by substring, as with
//! `cargo test`; group names are `release/suite/mode`. The environment chooses:
//! `ENIGMA_BIN` the machine, `ENIGMA_TEST_RELEASES` (`25,27`), `ENIGMA_TEST_MODES`
//! (`plain,interp,tiered,native,native-stress,chaos,verify-heap,gc-stress,step-stress,sim`; unless told, all of them but `native-stress` on one
//! release, where `verify-heap`, `gc-stress` and `step-stress` take turns from suite to suite, and `plain` on the others), `ENIGMA_TEST_SEEDS` how many seeds `sim` and `chaos`
//! stand for (`sim:N` and `chaos:N` are one), `ENIGMA_TEST_THREADS` how many groups run at once, `ENIGMA_TEST_PATIENCE` by what the limits of time are
//! multiplied.

use enigma_tests::machine::{Machine, Mode};
use enigma_tests::report::{self, Job};
use enigma_tests::{expected, oracle, suite};
use std::process::ExitCode;

/// The release that runs in every mode when the environment does not say which modes.
const ALL_MODES: u32 = 27;
/// Modes that take turns from suite to suite unless the environment says which modes.
const TURNS: [&str; 3] = ["verify-heap", "gc-stress", "step-stress"];

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(101),
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::from(101)
        }
    }
}

fn env_or(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_string())
}

fn number(name: &str, default: usize) -> Result<usize, String> {
    let text = env_or(name, &default.to_string());
    text.parse()
        .map_err(|_| format!("{name}={text} is not a number"))
}

fn run() -> Result<bool, String> {
    let mut filters = Vec::new();
    let mut exact = false;
    let mut list = false;
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--exact" => exact = true,
            "--list" => list = true,
            a if a.starts_with("--") => {}
            _ => filters.push(arg),
        }
    }
    let machine = Machine::under_test()?;
    let jobs = jobs(&machine)?;
    let all = jobs.len();
    let jobs: Vec<Job> = jobs
        .into_iter()
        .filter(|job| {
            let name = job.name();
            filters.is_empty()
                || filters
                    .iter()
                    .any(|f| if exact { name == *f } else { name.contains(f) })
        })
        .collect();
    if list {
        for job in &jobs {
            println!("{}: test", job.name());
        }
        return Ok(true);
    }
    let known = match machine {
        // BEAM has no differences from itself.
        Machine::Beam => vec![],
        Machine::Enigma(_) => expected::load()?,
    };
    // Groups often wait for time to pass, so there is one more than can run at once.
    let at_once = std::thread::available_parallelism().map_or(2, usize::from) + 1;
    let threads = number("ENIGMA_TEST_THREADS", at_once)?;
    let filtered = all - jobs.len();
    Ok(report::run_all(&machine, &jobs, &known, threads, filtered))
}

/// A mode without its seed.
fn mode_name(mode: &str) -> &str {
    mode.split(':').next().unwrap_or(mode)
}

/// Every suite on every release that it is written for, in every mode asked for.
fn jobs(machine: &Machine) -> Result<Vec<Job>, String> {
    let seeds = number("ENIGMA_TEST_SEEDS", 1)?;
    let releases = env_or("ENIGMA_TEST_RELEASES", "25,27,29");
    let suites = suite::all()?;
    let mut jobs = Vec::new();
    for release in releases.split(',') {
        let release = release
            .trim()
            .parse()
            .map_err(|_| format!("no release {release}"))?;
        let otp = oracle::locate(release)?;
        let default = match machine {
            Machine::Enigma(_) if release == ALL_MODES => {
                "plain,interp,tiered,native,chaos,verify-heap,gc-stress,step-stress,sim"
            }
            _ => "plain",
        };
        let asked = std::env::var("ENIGMA_TEST_MODES").ok();
        let takes_turn = |n: usize, mode: &str| {
            asked.is_some() || !TURNS.contains(&mode) || TURNS[n % TURNS.len()] == mode
        };
        let modes = asked.as_deref().unwrap_or(default);
        for mode in modes.split(',').map(str::trim) {
            for (n, suite) in suites.iter().enumerate() {
                let wanted = suite.releases.contains(&release)
                    && (suite.modes.is_empty()
                        || suite.modes.iter().any(|m| *m == mode_name(mode)));
                if !wanted || !takes_turn(n, mode) {
                    continue;
                }
                let seeds = match mode {
                    "sim" if suite.processes => seeds,
                    "sim" => 0,
                    "chaos" => seeds,
                    _ => 1,
                };
                for seed in 1..=seeds {
                    let mode = match mode {
                        "sim" => Mode::Sim(seed as u64),
                        "chaos" => Mode::Chaos(seed as u64),
                        mode => Mode::parse(mode)?,
                    };
                    jobs.push(Job {
                        otp: otp.clone(),
                        suite: suite.clone(),
                        mode,
                    });
                }
            }
        }
    }
    Ok(jobs)
}
