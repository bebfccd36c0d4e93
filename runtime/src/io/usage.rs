//! What is told of poll sets and registrations.

use super::SourceKind;
use super::poll_set::{self, PollSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A poll set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PollSetInfo {
    /// Bytes that it takes.
    pub memory: usize,
    /// Descriptors in it.
    pub descriptors: usize,
    /// Those whose owners are at work.
    pub active: usize,
    /// Threads that wait for it.
    pub threads: usize,
}

/// All poll sets. The threads of one without any descriptor have not begun.
pub fn poll_sets() -> Vec<PollSetInfo> {
    let counts = poll_set::counts();
    let info = |(number, set): (usize, Option<&'static PollSet>)| {
        let threads = counts.threads_of(number);
        PollSetInfo {
            memory: set.map_or(0, |s| s.memory(threads)),
            descriptors: set.map_or(0, |s| s.descriptors()),
            active: set.map_or(0, |s| s.active()),
            threads,
        }
    };
    poll_set::all().enumerate().map(info).collect()
}

/// Nanoseconds that each thread that waits for a poll set has spent on events.
pub fn poller_work() -> Vec<u64> {
    let counts = poll_set::counts();
    let of = |(number, set): (usize, Option<&'static PollSet>)| match set {
        Some(set) => set.worked().collect(),
        None => vec![0; counts.threads_of(number)],
    };
    poll_set::all().enumerate().flat_map(of).collect()
}

/// Descriptors by those who watch them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Registrations {
    /// Those of ports and drivers.
    pub ports: usize,
    /// Those of native functions.
    pub natives: usize,
    /// Those that nobody waits for.
    pub lost: usize,
}

/// Counts the descriptors of all sets.
pub fn registrations() -> Registrations {
    let mut all = Registrations {
        ports: ALWAYS.load(Ordering::Relaxed),
        ..Registrations::default()
    };
    for source in poll_set::all().flatten().flat_map(|s| s.sources()) {
        match source.map(|s| s.kind()) {
            Some(SourceKind::Port) => all.ports += 1,
            Some(SourceKind::Nif) => all.natives += 1,
            None => all.lost += 1,
        }
    }
    all
}

/// Descriptors that a driver asks for and the system does not watch.
static ALWAYS: AtomicUsize = AtomicUsize::new(0);

/// A descriptor that is always ready.
pub struct AlwaysReady(());

impl AlwaysReady {
    /// Counts one more, until this is dropped.
    pub fn new() -> AlwaysReady {
        ALWAYS.fetch_add(1, Ordering::Relaxed);
        AlwaysReady(())
    }
}

impl Default for AlwaysReady {
    fn default() -> Self {
        AlwaysReady::new()
    }
}

impl Drop for AlwaysReady {
    fn drop(&mut self) {
        ALWAYS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many descriptors are always ready.
pub fn always_ready() -> usize {
    ALWAYS.load(Ordering::Relaxed)
}
