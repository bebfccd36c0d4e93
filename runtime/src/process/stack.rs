//! The Erlang stack of a process: a block of words that grows downwards and is replaced by a larger one
//! when it is full. Nothing points into it.
//!
//! ```text
//! sp ->  y0, y1 ... yn     the running function's Y registers
//!        return pc         pushed by the call that entered it
//!        y0 ...            the caller's
//! ```

use crate::heap::chunk::Chunk;
use crate::term::{Term, stack_word};

/// Words of a fresh stack.
const FIRST: usize = 16;

/// A word on the stack.
#[derive(Clone, Copy, Debug)]
pub enum StackWord {
    /// Where a function returns to: a word for `code::native::return_address`.
    Return(u64),
    /// Where an exception goes on.
    Catch(*const u64),
    /// A Y register.
    Term(Term),
}

/// Lets native code add no more to the lists that it keeps on a stack: a collection is going to move their cells.
pub(super) fn close_lists(slots: &mut [Term]) {
    for word in slots {
        if stack_word::is_open_list(word.0) {
            word.0 = stack_word::closed_list(word.0);
        }
    }
}

/// See the module's text.
pub struct Stack {
    /// The words in use are at its end.
    block: Chunk,
}

/// Where the block is in a stack, in bytes.
pub const BLOCK_AT: usize = std::mem::offset_of!(Stack, block);

impl Stack {
    /// An empty stack.
    pub fn new() -> Stack {
        Stack {
            block: Chunk::new(FIRST),
        }
    }

    /// A stack without memory.
    pub const fn empty() -> Stack {
        Stack {
            block: Chunk::EMPTY,
        }
    }

    /// Address of the top word.
    #[inline(always)]
    pub fn sp(&self) -> *mut u64 {
        self.block.end().wrapping_sub(self.block.used)
    }

    /// Sets the top, to an address that running code reached from `sp` by pushes and pops.
    #[inline(always)]
    pub fn set_sp(&mut self, sp: *mut u64) {
        debug_assert!(sp >= self.block.start() && sp <= self.block.end());
        self.block.used = (self.block.end() as usize).wrapping_sub(sp as usize) / 8;
    }

    /// Words in use if `sp` is the top, which need not be it yet.
    #[inline(always)]
    pub fn depth_of(&self, sp: *const u64) -> usize {
        (self.block.end() as usize).wrapping_sub(sp as usize) / 8
    }

    /// Address of the top word of the lowest so many words.
    pub fn at_depth(&self, words: usize) -> *mut u64 {
        self.block.end().wrapping_sub(words)
    }

    /// The lowest address that may be used.
    #[inline(always)]
    pub fn limit(&self) -> *mut u64 {
        self.block.start()
    }

    /// Makes room for `words` more words.
    #[cold]
    pub fn grow(&mut self, words: usize) {
        let cap = (self.block.capacity() * 2).max((self.block.used + words).next_power_of_two());
        self.resize(cap);
    }

    fn resize(&mut self, cap: usize) {
        let old = std::mem::replace(&mut self.block, Chunk::new(Chunk::in_pages(cap)));
        self.block.take_end(old);
    }

    /// Gives memory back after a collection if most of it is unused.
    pub fn trim(&mut self) {
        if self.block.capacity() > 64 && self.block.used * 8 < self.block.capacity() {
            self.resize((self.block.used * 2).max(FIRST));
        }
    }

    /// Makes the stack as small as its contents allow.
    pub fn shrink(&mut self) {
        self.resize((self.block.used + 2).max(4));
    }

    /// Words in use.
    pub fn used(&self) -> usize {
        self.block.used
    }

    /// Words allocated.
    pub fn capacity(&self) -> usize {
        self.block.capacity()
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.block.used = 0;
    }

    /// Pushes a word, growing if need be.
    pub fn push(&mut self, word: u64) {
        if self.block.used == self.block.capacity() {
            self.grow(1);
        }
        self.block.used += 1;
        // SAFETY: `used` is within the capacity.
        unsafe { *self.sp() = word };
    }

    /// The words in use, top first.
    pub fn words(&self) -> &[u64] {
        // SAFETY: the words in use are initialised.
        unsafe { std::slice::from_raw_parts(self.sp(), self.block.used) }
    }

    /// What lies on the stack, top first.
    pub fn entries(&self) -> impl Iterator<Item = StackWord> + '_ {
        self.words().iter().map(|&w| {
            if stack_word::is_return(w) {
                StackWord::Return(w)
            } else if stack_word::is_catch(w) {
                StackWord::Catch(stack_word::pc(w))
            } else {
                StackWord::Term(Term(w))
            }
        })
    }

    /// The words in use, as slots for the collector, which passes over words that are no terms.
    pub fn slots(&mut self) -> &mut [Term] {
        // SAFETY: as above; `Term` is a transparent word.
        unsafe { std::slice::from_raw_parts_mut(self.sp().cast::<Term>(), self.block.used) }
    }
}

impl Default for Stack {
    fn default() -> Stack {
        Stack::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_keeps_its_words_as_it_grows_and_shrinks() {
        let mut s = Stack::new();
        let all = 3 << 20;
        for i in 0..all {
            s.push(i << 6 | 0xf);
        }
        let holds = |s: &Stack| {
            s.words()
                .iter()
                .rev()
                .copied()
                .eq((0..all).map(|i| i << 6 | 0xf))
        };
        assert!(holds(&s));
        s.grow(all as usize * 2);
        s.trim();
        assert!(holds(&s));
        s.shrink();
        s.grow(1);
        assert!(holds(&s));
    }
}
