//! Coverage-guided fuzzing: `cargo +nightly fuzz run packet`. The logic and the seeds are in `enigma_bifs::fuzz`, which also
//! runs them for a moment in its tests.
#![no_main]

use enigma_runtime::fuzz::put_case;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use enigma_bifs::fuzz::{PACKETS, packet};

fuzz_target!(|data: &[u8]| {
    packet(data);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // Half of the cases start from a seed, so that depth is reached without a corpus.
    if seed % 2 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    put_case(PACKETS, u64::from(seed), data, max_size)
});
