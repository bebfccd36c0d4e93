//! `system_info(check_io)`: the poll sets.

use super::facts::{facts, num};
use enigma_runtime::atom::Atom;
use enigma_runtime::io::{self, PollSetInfo};
use enigma_runtime::{Heap, Term};

/// The kernel's interface that waits for descriptors.
#[cfg(any(target_os = "linux", target_os = "android"))]
const KERNEL_POLL: &str = "epoll";
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const KERNEL_POLL: &str = "kqueue";

/// A list of properties for each poll set. The first stands for descriptors that the kernel does not watch, as files:
/// nobody waits for them, because they are ready whenever they are asked about, as for `poll` in POSIX.
pub fn poll_sets(h: &mut Heap) -> Term {
    let files = PollSetInfo {
        memory: 0,
        descriptors: io::always_ready(),
        active: 0,
        threads: 0,
    };
    let mut sets = vec![poll_set(h, files, true)];
    for set in io::poll_sets() {
        sets.push(poll_set(h, set, false));
    }
    h.list(&sets)
}

fn poll_set(h: &mut Heap, set: PollSetInfo, fallback: bool) -> Term {
    let atom = |text| Term::atom(Atom::new(text));
    let (primary, kernel_poll) = match fallback {
        true => (atom("poll"), false.into()),
        false => (atom(KERNEL_POLL), atom(KERNEL_POLL)),
    };
    let max_fds = num(facts().max_files as usize);
    // What is wanted of a descriptor is told to the kernel at once, by any thread.
    let properties = [
        ("name", atom("erts_poll")),
        ("primary", primary),
        ("kernel_poll", kernel_poll),
        ("memory_size", num(set.memory)),
        ("total_poll_set_size", num(set.descriptors)),
        ("lazy_updates", false.into()),
        ("pending_updates", num(0)),
        ("batch_updates", false.into()),
        ("concurrent_updates", true.into()),
        ("fallback", fallback.into()),
        ("max_fds", max_fds),
        ("active_fds", num(set.active)),
        ("poll_threads", num(set.threads)),
    ];
    let properties = properties.map(|(name, value)| h.tuple(&[atom(name), value]));
    h.list(&properties)
}
