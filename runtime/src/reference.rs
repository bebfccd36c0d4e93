//! Numbers of references: unique within this run of the VM.
//!
//! Each thread that runs processes has a place of its own, and numbers tell at which place they were made: whoever
//! keeps something by reference needs to look in one place only.
//!
//! ```text
//! [ number of a block of this place ] [ place, 11 bits ] [ number in the block, 10 bits ]
//! ```

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bits of a number in a block: how many numbers a thread takes at a time.
const BLOCK_BITS: u32 = 10;
const PLACE_BITS: u32 = 11;
/// The place of all threads that have none of their own.
const ELSEWHERE: usize = (1 << PLACE_BITS) - 1;

/// The next block of each place.
static NEXT: [AtomicU64; 1 << PLACE_BITS] = [const { AtomicU64::new(1) }; 1 << PLACE_BITS];

thread_local! {
    static OWN: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    static PLACE: Cell<usize> = const { Cell::new(ELSEWHERE) };
}

/// From now on this thread makes the numbers of this place, which are fewer than 2047.
pub fn set_place(place: usize) {
    PLACE.set(place.min(ELSEWHERE));
    OWN.set((0, 0));
}

/// A fresh number.
#[inline]
pub fn fresh() -> u64 {
    let (next, end) = OWN.get();
    if next < end {
        OWN.set((next + 1, end));
        return next;
    }
    fresh_block()
}

#[cold]
#[inline(never)]
fn fresh_block() -> u64 {
    let place = PLACE.get();
    let block = NEXT[place].fetch_add(1, Ordering::Relaxed);
    let start = (block << PLACE_BITS | place as u64) << BLOCK_BITS;
    OWN.set((start + 1, start + (1 << BLOCK_BITS)));
    start
}

/// The place at which a number was made; nothing if it was none of its own.
#[inline]
pub fn place_of(number: u64) -> Option<usize> {
    let place = (number >> BLOCK_BITS) as usize & ELSEWHERE;
    (place != ELSEWHERE).then_some(place)
}
