//! Totals of memory that every thread changes all the time, without a word that they fight over.
//!
//! Each thread keeps what it has added and taken away to itself until it is off by `FLUSH` bytes; only
//! then it brings the common total up to date. A total is therefore right to within `FLUSH` bytes for
//! every other thread, and a single large change shows at once.

use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering};

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tally {
    /// Blocks of process heaps, stacks and messages.
    Heap,
    /// Reference-counted binaries.
    Binary,
}

const KINDS: usize = 2;
const FLUSH: isize = 32 << 10;

static TOTALS: [AtomicIsize; KINDS] = [const { AtomicIsize::new(0) }; KINDS];

/// What a thread has not added to the totals yet; added when the thread ends.
struct TypeTally([Cell<isize>; KINDS]);

impl Drop for TypeTally {
    fn drop(&mut self) {
        for (total, here) in TOTALS.iter().zip(&self.0) {
            total.fetch_add(here.take(), Ordering::Relaxed);
        }
    }
}

thread_local! {
    static PENDING: TypeTally = const { TypeTally([const { Cell::new(0) }; KINDS]) };
}

impl Tally {
    /// Adds bytes, or takes them away.
    #[inline]
    pub fn add(self, bytes: isize) {
        let total = &TOTALS[self as usize];
        let kept = PENDING.try_with(|p| {
            let here = &p.0[self as usize];
            let n = here.get() + bytes;
            if n.abs() < FLUSH {
                here.set(n);
            } else {
                here.set(0);
                total.fetch_add(n, Ordering::Relaxed);
            }
        });
        if kept.is_err() {
            total.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// The total.
    pub fn bytes(self) -> usize {
        let total = &TOTALS[self as usize];
        let here = PENDING.try_with(|p| p.0[self as usize].take()).unwrap_or(0);
        let before = total.fetch_add(here, Ordering::Relaxed);
        (before + here).max(0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_end_leave_nothing_behind() {
        let before = Tally::Binary.bytes() as isize;
        std::thread::spawn(|| Tally::Binary.add(100)).join().ok();
        std::thread::spawn(|| Tally::Binary.add(-100)).join().ok();
        let off = Tally::Binary.bytes() as isize - before;
        assert!(off.abs() < 16 * FLUSH, "other tests count at the same time");
        assert!(PENDING.with(|p| p.0[Tally::Binary as usize].get()) == 0);
    }
}
