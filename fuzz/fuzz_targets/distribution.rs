//! Coverage-guided fuzzing: `cargo +nightly fuzz run distribution`. The logic and the seeds are in `enigma_runtime::fuzz`, which also
//! runs them for a moment in its tests.
#![no_main]

use enigma_runtime::fuzz::put_case;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use enigma_runtime::fuzz::{NODE_PACKETS, node_packets};

fuzz_target!(|data: &[u8]| {
    node_packets(data);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // Half of the cases start from a seed, so that depth is reached without a corpus.
    if seed % 2 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    put_case(NODE_PACKETS, u64::from(seed), data, max_size)
});
