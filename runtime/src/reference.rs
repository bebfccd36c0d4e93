//! Numbers of references: unique within this run of the VM.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many numbers a thread takes at a time.
const BLOCK: u64 = 1024;

static NEXT: AtomicU64 = AtomicU64::new(1 << 18);

thread_local! {
    static OWN: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// A fresh number.
#[inline]
pub fn fresh() -> u64 {
    let (next, end) = OWN.get();
    if next < end {
        OWN.set((next + 1, end));
        return next;
    }
    let start = NEXT.fetch_add(BLOCK, Ordering::Relaxed);
    OWN.set((start + 1, start + BLOCK));
    start
}
