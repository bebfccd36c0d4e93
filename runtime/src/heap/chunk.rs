//! Blocks of words from the system allocator, and the counters of what they take.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering};

/// The sum over all threads, which each thread brings up to date when it is off by `FLUSH` words: a
/// counter that every message changes on two threads would be fought over.
static HEAP_WORDS: AtomicIsize = AtomicIsize::new(0);

const FLUSH: isize = 4096;

thread_local! {
    /// What this thread has not yet added to `HEAP_WORDS`.
    static PENDING: Cell<isize> = const { Cell::new(0) };
}

#[inline]
fn count(words: isize) {
    PENDING.with(|p| {
        let n = p.get() + words;
        if n.abs() < FLUSH {
            p.set(n);
        } else {
            p.set(0);
            HEAP_WORDS.fetch_add(n, Ordering::Relaxed);
        }
    });
}

/// Words now held in chunks of process heaps, stacks, messages and tables, to within `FLUSH` words for
/// every other thread.
pub fn words_in_use() -> usize {
    let here = PENDING.replace(0);
    let others = HEAP_WORDS.fetch_add(here, Ordering::Relaxed);
    (others + here).max(0) as usize
}

/// An owned block of words. `used` counts the words from the start that hold objects; for a block that
/// is still being filled the owner keeps that number elsewhere.
#[derive(Debug)]
pub struct Chunk {
    base: *mut u64,
    cap: u32,
    large_cap: u32,
    /// Words from the start that hold objects.
    pub used: usize,
}

// SAFETY: a chunk is plain owned memory; whoever owns the chunk owns the words.
unsafe impl Send for Chunk {}

impl Chunk {
    /// A block of no words.
    pub const EMPTY: Chunk = Chunk {
        base: std::ptr::dangling_mut::<u64>(),
        cap: 0,
        large_cap: 0,
        used: 0,
    };

    /// A fresh block of exactly `words` words; their contents are undefined.
    pub fn new(words: usize) -> Chunk {
        if words == 0 {
            return Chunk::EMPTY;
        }
        let layout = layout(words);
        // SAFETY: the layout has a size above zero.
        let base = unsafe { alloc(layout) }.cast::<u64>();
        if base.is_null() {
            handle_alloc_error(layout);
        }
        count(words as isize);
        Chunk {
            base,
            cap: words as u32,
            large_cap: (words >> 32) as u32,
            used: 0,
        }
    }

    /// First word.
    #[inline(always)]
    pub fn start(&self) -> *mut u64 {
        self.base
    }

    /// The word after the last.
    #[inline(always)]
    pub fn end(&self) -> *mut u64 {
        self.base.wrapping_add(self.capacity())
    }

    /// Number of words.
    #[inline(always)]
    pub fn capacity(&self) -> usize {
        self.cap as usize | (self.large_cap as usize) << 32
    }

    /// Does the address lie in the used part?
    #[inline]
    pub fn holds(&self, p: *const u64) -> bool {
        (p as usize).wrapping_sub(self.base as usize) < self.used * 8
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let words = self.capacity();
        if words > 0 {
            count(-(words as isize));
            // SAFETY: the block was allocated with this layout and is owned.
            unsafe { dealloc(self.base.cast(), layout(words)) }
        }
    }
}

fn layout(words: usize) -> Layout {
    match Layout::array::<u64>(words) {
        Ok(l) => l,
        Err(_) => crate::bug::vm_bug("a heap block larger than the address space"),
    }
}
