//! Blocks of words from the system allocator.

use crate::sys;
use crate::sys::memory::{self, Purpose};
use crate::tally::Tally;
use std::alloc::Layout;
use std::ptr::NonNull;

/// Words of a block from which on it has pages of its own.
const LARGE: usize = memory::HUGE_PAGE / 4;

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

/// Where the address of the first word is in a block's description, in bytes.
pub const BASE_AT: usize = std::mem::offset_of!(Chunk, base);
/// Where the number of words is, 32 bits, of a block that has fewer than 2^32.
pub const CAPACITY_AT: usize = std::mem::offset_of!(Chunk, cap);

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
        let base = if words >= LARGE {
            memory::map(Purpose::Heap, words * 8)
        } else {
            memory::take(Purpose::Heap, layout(words))
        };
        let base = base.cast::<u64>().as_ptr();
        Tally::Heap.add(words as isize * 8);
        Chunk {
            base,
            cap: words as u32,
            large_cap: (words >> 32) as u32,
            used: 0,
        }
    }

    /// As many words as there are in whole pages, for a block that has pages of its own.
    pub fn in_pages(words: usize) -> usize {
        if words < LARGE {
            words
        } else {
            words.next_multiple_of(memory::HUGE_PAGE / 8)
        }
    }

    /// Takes over the words in use of another block, which are at its end and for which there is room, to the end of this
    /// one, which is fresh. Where both have pages of their own these are moved and nothing is copied.
    pub fn take_end(&mut self, from: Chunk) {
        self.used = from.used;
        let words = from.capacity();
        let in_pages = |n: usize| n >= LARGE && (n * 8).is_multiple_of(sys::page_size());
        if words <= self.capacity() && in_pages(words) && in_pages(self.capacity()) {
            let to = self.end().wrapping_sub(words) as usize;
            // SAFETY: both blocks are mapped by themselves, their ends are ends of pages, and they are owned.
            unsafe { sys::move_pages(from.base as usize, words * 8, to) };
            Tally::Heap.add(-(words as isize * 8));
            // Its pages are somewhere else now.
            std::mem::forget(from);
            return;
        }
        let used = self.used;
        debug_assert!(used <= self.capacity());
        // SAFETY: so many words at the ends of both blocks, which are owned.
        unsafe { std::ptr::copy_nonoverlapping(from.end().sub(used), self.end().sub(used), used) };
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
            Tally::Heap.add(-(words as isize * 8));
            // SAFETY: the block was taken in the same way and is owned; its address is not null.
            unsafe {
                let base = NonNull::new_unchecked(self.base.cast());
                if words >= LARGE {
                    memory::unmap(base, words * 8);
                } else {
                    memory::give_back(base, layout(words));
                }
            }
        }
    }
}

fn layout(words: usize) -> Layout {
    match Layout::array::<u64>(words) {
        Ok(l) => l,
        Err(_) => memory::exhausted(Purpose::Heap, words.saturating_mul(8)),
    }
}
