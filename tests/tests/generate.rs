//! A short run of the generator of modules: BEAM and each way of running Enigma give the same answers.
//!
//! `ENIGMA_GENERATE_SECONDS` makes it longer; the program `generate` has more choices and makes small what fails.

use enigma_tests::cache;
use enigma_tests::generate::batch::{Lab, PATIENCE, Trial, WAYS};
use enigma_tests::generate::module;
use enigma_tests::machine::Machine;
use enigma_tests::oracle;
use std::time::{Duration, Instant};

/// The release whose compiler and BEAM are used.
const RELEASE: u32 = 27;
/// So many modules are compiled and run together.
const MODULES: u64 = 8;
/// A batch begins as long as not so much time has passed.
const SECONDS: u64 = 10;

#[test]
fn a_seed_means_one_module() {
    for seed in 0..50 {
        assert_eq!(module(seed).text("m"), module(seed).text("m"));
    }
}

#[test]
fn both_tiers_answer_as_beam_does() {
    let otp = match oracle::locate(RELEASE) {
        Ok(otp) if otp.erlc.exists() => otp,
        Ok(otp) => return println!("skipped: there is no {}", otp.erlc.display()),
        Err(why) => return println!("skipped: {why}"),
    };
    let lab = Lab {
        otp,
        machine: Machine::under_test().expect("a machine to test"),
        dir: cache::root().join("generate-test"),
        patience: PATIENCE,
    };
    let seconds = std::env::var("ENIGMA_GENERATE_SECONDS").ok();
    let seconds = seconds.and_then(|s| s.parse().ok()).unwrap_or(SECONDS);
    let end = Instant::now() + Duration::from_secs(seconds);
    let ways: Vec<_> = WAYS.iter().collect();
    let (mut seed, mut compared) = (0, 0);
    while seed == 0 || Instant::now() < end {
        let samples: Vec<Trial> = (seed..seed + MODULES)
            .map(|s| Trial::of(&module(s)))
            .collect();
        let (differences, n) = lab
            .compare(&samples, &ways)
            .expect("the modules run on BEAM");
        let texts: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert!(differences.is_empty(), "{}", texts.join("\n"));
        compared += n;
        seed += MODULES;
    }
    println!("{compared} answers compared");
    assert!(compared > 0, "functions whose answers can be compared");
}
