//! Coverage-guided fuzzing of the loader: `cargo +nightly fuzz run load_beam`. The logic and the
//! seeds are in the loader crate, which also runs them for a moment in its tests.
#![no_main]

use enigma_loader::fuzz;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|data: &[u8]| {
    fuzz::check(data);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // Half of the cases start from a valid file, so that depth is reached without a corpus.
    if seed % 2 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let case = fuzz::mutate(&fuzz::seeds(), u64::from(seed));
    let len = case.len().min(max_size);
    data[..len].copy_from_slice(&case[..len]);
    len
});
