//! Memory for terms.
//!
//! A `Heap` hands out words by moving a pointer; when its block is full it takes another. It **never
//! collects**: code that builds terms may hold any term it likes while it builds. Collections happen in
//! `gc`, at points where the interpreter or the scheduler knows every root; a process heap that has
//! outgrown its limit only says so (`ProcHeap::wants_gc`).
//!
//! The same type serves a process's young generation, messages, tables, timers and literal areas.

pub mod binary;
pub mod bits;
mod builder;
pub mod census;
pub mod chunk;
pub mod copy;
mod gathered;
pub mod gc;
pub mod literal;
pub mod magic;
pub mod object;
pub mod offheap;
pub mod release;
mod room;
pub mod sharing;
pub mod verify;
pub mod walk;

use crate::term::{Header, Kind, Term};
use binary::BinaryRef;
pub use builder::{BinaryBuilder, TupleBuilder};
use chunk::Chunk;
pub use gathered::Gathered;
use magic::{Magic, MagicHandle};
use std::mem::MaybeUninit;

/// Largest binary, in bytes, that lives in a heap itself.
pub const MAX_HEAP_BINARY: usize = 64;

/// Most list cells that are made in one piece.
const CELLS: usize = 512;

/// Growing memory for terms; see the module's text.
pub struct Heap {
    hp: *mut u64,
    end: *mut u64,
    /// First object of the list of off-heap objects (see `offheap`).
    pub(crate) offheap: *mut u64,
    /// Bytes of binaries made or received since the last collection.
    pub(crate) binary_bytes: usize,
    cur: Chunk,
    /// Blocks filled before `cur`, and blocks of received messages.
    more: Vec<Chunk>,
    /// Words in use in `more`.
    more_used: usize,
}

/// A place in a heap, to go back to.
pub struct Mark {
    hp: *mut u64,
    offheap: *mut u64,
    binary_bytes: usize,
    blocks: usize,
    more_used: usize,
}

// SAFETY: a heap owns its memory; the raw pointers point into it.
unsafe impl Send for Heap {}

impl Default for Heap {
    fn default() -> Heap {
        Heap::new()
    }
}

impl Heap {
    /// A heap without memory; the first object makes it take some.
    pub fn new() -> Heap {
        Heap::from_chunk(Chunk::EMPTY)
    }

    /// A heap whose first block has exactly `words` words.
    pub fn with_capacity(words: usize) -> Heap {
        Heap::from_chunk(Chunk::new(words))
    }

    fn from_chunk(cur: Chunk) -> Heap {
        Heap {
            hp: cur.start(),
            end: cur.end(),
            offheap: std::ptr::null_mut(),
            binary_bytes: 0,
            cur,
            more: Vec::new(),
            more_used: 0,
        }
    }

    /// A heap over memory that belongs to somebody else and suffices.
    pub(crate) fn borrowed(base: *mut u64, words: usize) -> Heap {
        let mut h = Heap::new();
        h.hp = base;
        h.end = base.wrapping_add(words);
        h
    }

    /// `words` fresh words; the caller writes all of them before the next allocation.
    #[inline(always)]
    pub fn alloc(&mut self, words: usize) -> *mut u64 {
        let p = self.hp;
        if (self.end as usize).wrapping_sub(p as usize) / 8 < words {
            return self.alloc_slow(words);
        }
        self.hp = p.wrapping_add(words);
        p
    }

    /// Where the heap pointer is in a heap, in bytes.
    pub const HP_AT: usize = std::mem::offset_of!(Heap, hp);
    /// Where the number of bytes of shared binaries is.
    pub const BINARY_BYTES_AT: usize = std::mem::offset_of!(Heap, binary_bytes);
    /// Where the end of the current block is.
    pub const END_AT: usize = std::mem::offset_of!(Heap, end);
    /// Where the address of the current block is.
    pub const BLOCK_AT: usize = std::mem::offset_of!(Heap, cur) + chunk::BASE_AT;

    /// Does the address lie in the part in use of the current block?
    #[inline(always)]
    fn is_in_block(&self, p: *const u64) -> bool {
        let from_start = |p: *const u64| (p as usize).wrapping_sub(self.cur.start() as usize);
        from_start(p) < from_start(self.hp)
    }

    /// Sees to it that there are so many words in the current block, of which others may be lost.
    pub fn make_room(&mut self, words: usize) {
        if self.room() < words {
            let grow = (self.cur.capacity() + self.more_used).clamp(32, 1 << 16);
            self.add_block(words.max(grow));
        }
    }

    /// Words left in the current block.
    #[inline(always)]
    pub fn room(&self) -> usize {
        (self.end as usize).wrapping_sub(self.hp as usize) / 8
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, words: usize) -> *mut u64 {
        self.make_room(words);
        self.alloc(words)
    }

    /// Makes a fresh block of `words` words the current one.
    pub(crate) fn add_block(&mut self, words: usize) {
        let fresh = Chunk::new(words);
        let mut old = std::mem::replace(&mut self.cur, fresh);
        old.used = (self.hp as usize).wrapping_sub(old.start() as usize) / 8;
        if old.capacity() > 0 {
            self.more_used += old.used;
            self.more.push(old);
        }
        self.hp = self.cur.start();
        self.end = self.cur.end();
    }

    /// Takes over a block filled elsewhere, with its off-heap objects.
    pub fn adopt(&mut self, chunk: Chunk, offheap: *mut u64) {
        if chunk.used > 0 {
            self.more_used += chunk.used;
            self.more.push(chunk);
        }
        if offheap.is_null() {
            return;
        }
        let mut last = offheap;
        // SAFETY: a well-formed list of live off-heap objects, now ours.
        unsafe {
            loop {
                if Header(*last).kind() == Kind::BinRef {
                    self.binary_bytes += BinaryRef::borrow_raw(*last.add(2)).capacity();
                }
                let next = *last.add(1) as *mut u64;
                if next.is_null() {
                    break;
                }
                last = next;
            }
            *last.add(1) = self.offheap as u64;
        }
        self.offheap = offheap;
    }

    /// Takes over all that another heap holds.
    pub fn absorb(&mut self, mut other: Heap) {
        let mut cur = std::mem::replace(&mut other.cur, Chunk::EMPTY);
        cur.used = (other.hp as usize).wrapping_sub(cur.start() as usize) / 8;
        let offheap = other.take_offheap();
        for chunk in std::mem::take(&mut other.more) {
            self.adopt(chunk, std::ptr::null_mut());
        }
        self.adopt(cur, offheap);
    }

    /// Where the heap ends now.
    pub fn mark(&self) -> Mark {
        Mark {
            hp: self.hp,
            offheap: self.offheap,
            binary_bytes: self.binary_bytes,
            blocks: self.more.len(),
            more_used: self.more_used,
        }
    }

    /// Gives back all that was made since the mark.
    ///
    /// # Safety
    /// The mark is this heap's, which has taken over nothing and not been collected since, and no term that was
    /// made since is used afterwards.
    pub unsafe fn release(&mut self, mark: &Mark) {
        let mut p = self.offheap;
        while p != mark.offheap {
            // SAFETY: what is in front of the mark's first object in the list was made since.
            unsafe { p = offheap::release_first(p) };
        }
        if self.more.len() > mark.blocks {
            self.more.truncate(mark.blocks + 1);
            self.cur = self.more.pop().unwrap_or(Chunk::EMPTY);
        }
        if mark.hp < self.cur.start() || mark.hp > self.cur.end() {
            // The first block was taken since; there was none before.
            self.cur = Chunk::EMPTY;
        }
        self.end = self.cur.end();
        self.hp = mark.hp;
        self.offheap = mark.offheap;
        self.binary_bytes = mark.binary_bytes;
        self.more_used = mark.more_used;
    }

    /// Words in use.
    pub fn used(&self) -> usize {
        self.more_used + (self.hp as usize).wrapping_sub(self.cur.start() as usize) / 8
    }

    /// Words allocated.
    pub fn capacity(&self) -> usize {
        self.cur.capacity() + self.more.iter().map(Chunk::capacity).sum::<usize>()
    }

    /// Does the address lie in the part in use?
    pub fn holds(&self, p: *const u64) -> bool {
        let a = p as usize;
        (a >= self.cur.start() as usize && a < self.hp as usize)
            || self.more.iter().any(|c| c.holds(p))
    }

    /// The blocks, with their parts in use, oldest first.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (*mut u64, usize)> + '_ {
        let cur_used = (self.hp as usize).wrapping_sub(self.cur.start() as usize) / 8;
        self.more
            .iter()
            .map(|c| (c.start(), c.used))
            .chain(std::iter::once((self.cur.start(), cur_used)))
    }

    pub(crate) fn take_offheap(&mut self) -> *mut u64 {
        std::mem::replace(&mut self.offheap, std::ptr::null_mut())
    }

    /// The heap's one block and its off-heap objects. A heap of several blocks is moved into one.
    pub fn into_parts(mut self) -> (Chunk, *mut u64) {
        if !self.more.is_empty() {
            crate::bug::vm_bug("a heap of several blocks cannot become a fragment");
        }
        let mut chunk = std::mem::replace(&mut self.cur, Chunk::EMPTY);
        chunk.used = (self.hp as usize).wrapping_sub(chunk.start() as usize) / 8;
        (chunk, self.take_offheap())
    }

    /// A heap of what `into_parts` gives.
    pub fn of_parts(chunk: Chunk, offheap: *mut u64) -> Heap {
        let used = chunk.used;
        let mut heap = Heap::from_chunk(chunk);
        heap.hp = heap.hp.wrapping_add(used);
        heap.offheap = offheap;
        heap
    }

    // ---- constructors ----

    /// `[head | tail]`.
    #[inline(always)]
    pub fn cons(&mut self, head: Term, tail: Term) -> Term {
        let p = self.alloc(2);
        // SAFETY: two fresh words.
        unsafe {
            *p = head.0;
            *p.add(1) = tail.0;
        }
        Term::cons_at(p)
    }

    #[inline(always)]
    pub(crate) fn object(&mut self, kind: Kind, words: &[u64]) -> Term {
        let p = self.alloc(1 + words.len());
        // SAFETY: that many fresh words.
        unsafe {
            *p = Header::new(kind, words.len()).0;
            std::ptr::copy_nonoverlapping(words.as_ptr(), p.add(1), words.len());
        }
        Term::boxed_at(p)
    }

    /// An object of `kind` whose words after the header are all terms.
    #[inline]
    pub(crate) fn term_object(&mut self, kind: Kind, terms: &[Term]) -> Term {
        let p = self.alloc(1 + terms.len());
        // SAFETY: that many fresh words.
        unsafe {
            *p = Header::new(kind, terms.len()).0;
            std::ptr::copy_nonoverlapping(terms.as_ptr().cast(), p.add(1), terms.len());
        }
        Term::boxed_at(p)
    }

    /// A tuple.
    #[inline]
    pub fn tuple(&mut self, elements: &[Term]) -> Term {
        self.term_object(Kind::Tuple, elements)
    }

    /// A tuple of the first `len` values of an iterator, which has as many.
    #[inline]
    pub fn tuple_from(&mut self, len: usize, elements: impl Iterator<Item = Term>) -> Term {
        let p = self.alloc(1 + len);
        let mut filled = 0;
        // SAFETY: that many fresh words. Each is written, whatever the iterator gives.
        unsafe {
            *p = Header::new(Kind::Tuple, len).0;
            for t in elements.take(len) {
                filled += 1;
                *p.add(filled) = t.0;
            }
            while filled < len {
                filled += 1;
                *p.add(filled) = Term::NIL.0;
            }
        }
        Term::boxed_at(p)
    }

    /// Tuples of two values and the tuple that follows, in the end `end`.
    pub fn chain(&mut self, pairs: &[(Term, Term)], end: Term) -> Term {
        const WORDS: usize = 4;
        let Some(before) = pairs.len().checked_sub(1) else {
            return end;
        };
        let start = self.alloc(WORDS * pairs.len());
        let mut p = start;
        // SAFETY: that many fresh words for each.
        unsafe {
            for &(a, b) in pairs {
                *p = Header::new(Kind::Tuple, WORDS - 1).0;
                *p.add(1) = a.0;
                *p.add(2) = b.0;
                p = p.add(WORDS);
                *p.sub(1) = Term::boxed_at(p).0;
            }
            *start.add(WORDS * before + 3) = end.0;
        }
        Term::boxed_at(start)
    }

    /// A copy of a tuple with one element replaced; `index` counts from 0 and must be inside.
    pub fn tuple_with(&mut self, tuple: Term, index: usize, value: Term) -> Term {
        let words = tuple.as_tuple().map_or(0, <[Term]>::len);
        assert!(index < words, "no such element");
        let p = self.alloc(1 + words);
        // SAFETY: that many fresh words; the source has as many.
        unsafe {
            std::ptr::copy_nonoverlapping(tuple.ptr(), p, 1 + words);
            *p.add(1 + index) = value.0;
        }
        Term::boxed_at(p)
    }

    /// A copy of the first `len` cells of a list, which it must have, followed by `tail`.
    pub fn list_before(&mut self, list: Term, len: usize, tail: Term) -> Term {
        if len == 0 {
            return tail;
        }
        let p = self.alloc(2 * len);
        let mut from = list;
        for i in 0..len {
            let Some((head, rest)) = from.as_cons() else {
                crate::bug::wrong_kind("list of that length")
            };
            let cell = p.wrapping_add(2 * i);
            let next = if i + 1 == len {
                tail
            } else {
                Term::cons_at(cell.wrapping_add(2))
            };
            // SAFETY: the cell lies in the fresh words.
            unsafe {
                *cell = head.0;
                *cell.add(1) = next.0;
            }
            from = rest;
        }
        Term::cons_at(p)
    }

    /// A copy of a proper list of at most `most` cells, followed by `tail`, with how many they were; nothing if the list is another one, or
    /// if there is no room for its copy in the current block.
    pub fn short_list_before(
        &mut self,
        list: Term,
        most: usize,
        tail: Term,
    ) -> Option<(Term, usize)> {
        let start = self.hp;
        let end = start.wrapping_add(2 * (self.room() / 2).min(most));
        let (mut cell, mut from) = (start, list);
        while let Some((head, rest)) = from.as_cons() {
            if cell == end {
                return None;
            }
            let next = cell.wrapping_add(2);
            // SAFETY: the cell lies in the room that there is.
            unsafe {
                *cell = head.0;
                *cell.add(1) = Term::cons_at(next).0;
            }
            (cell, from) = (next, rest);
        }
        if !from.is_nil() || cell == start {
            return None;
        }
        // SAFETY: the last cell.
        unsafe { *cell.sub(1) = tail.0 };
        self.hp = cell;
        Some((Term::cons_at(start), (cell as usize - start as usize) / 16))
    }

    /// A list of `items`.
    pub fn list(&mut self, items: &[Term]) -> Term {
        self.list_with_tail(items, Term::NIL)
    }

    /// `items` followed by `tail`.
    pub fn list_with_tail(&mut self, items: &[Term], tail: Term) -> Term {
        items.rchunks(CELLS).fold(tail, |tail, items| {
            let p = self.alloc(2 * items.len());
            let mut cell = p;
            for item in items {
                // SAFETY: there is room for one cell an item.
                unsafe {
                    *cell = item.0;
                    *cell.add(1) = Term::cons_at(cell.add(2)).0;
                    cell = cell.add(2);
                }
            }
            // SAFETY: there is a last cell, as chunks are not empty.
            unsafe { *cell.sub(1) = tail.0 };
            Term::cons_at(p)
        })
    }

    /// Puts elements of a list before `tail`, one after the other, so many or as many as there are. Gives what that makes, what is
    /// left of the list, and how many they were.
    pub fn reverse_before(&mut self, list: Term, most: usize, tail: Term) -> (Term, Term, usize) {
        let (mut made, mut rest, mut count) = (tail, list, 0);
        while count < most
            && let Some((head, tail)) = rest.as_cons()
        {
            let start = self.hp;
            let end = start.wrapping_add(2 * (self.room() / 2).min(most - count));
            if start == end {
                // It takes another block.
                (made, rest) = (self.cons(head, made), tail);
                count += 1;
                continue;
            }
            let mut cell = start;
            while cell != end
                && let Some((head, tail)) = rest.as_cons()
            {
                // SAFETY: the cell lies in the room that there is.
                unsafe {
                    *cell = head.0;
                    *cell.add(1) = made.0;
                }
                made = Term::cons_at(cell);
                cell = cell.wrapping_add(2);
                rest = tail;
            }
            self.hp = cell;
            count += (cell as usize - start as usize) / 16;
        }
        (made, rest, count)
    }

    /// A list of the values of an iterator.
    pub fn list_from<I>(&mut self, items: I) -> Term
    where
        I: IntoIterator<Item = Term>,
        I::IntoIter: DoubleEndedIterator,
    {
        items
            .into_iter()
            .rev()
            .fold(Term::NIL, |t, h| self.cons(h, t))
    }

    /// A list of the bytes.
    pub fn byte_list(&mut self, bytes: &[u8]) -> Term {
        self.byte_list_with_tail(bytes, Term::NIL)
    }

    /// A list of the bytes, followed by `tail`.
    pub fn byte_list_with_tail(&mut self, bytes: &[u8], tail: Term) -> Term {
        bytes.rchunks(CELLS).fold(tail, |tail, bytes| {
            let p = self.alloc(2 * bytes.len());
            let mut cell = p;
            for &b in bytes {
                // SAFETY: there is room for one cell a byte.
                unsafe {
                    *cell = Term::small(i64::from(b)).0;
                    *cell.add(1) = Term::cons_at(cell.add(2)).0;
                    cell = cell.add(2);
                }
            }
            // SAFETY: there is a last cell, as chunks are not empty.
            unsafe { *cell.sub(1) = tail.0 };
            Term::cons_at(p)
        })
    }

    /// A list of the code points of `s`.
    pub fn char_list(&mut self, s: &str) -> Term {
        self.char_list_with_tail(s, Term::NIL)
    }

    /// A list of the code points of `s`, followed by `tail`.
    pub fn char_list_with_tail(&mut self, s: &str, tail: Term) -> Term {
        if s.is_ascii() {
            return self.byte_list_with_tail(s.as_bytes(), tail);
        }
        s.chars().rev().fold(tail, |t, c| {
            self.cons(Term::small(i64::from(u32::from(c))), t)
        })
    }

    /// A float.
    #[inline]
    pub fn float(&mut self, f: f64) -> Term {
        match Term::try_flonum(f) {
            Some(t) => t,
            None => self.object(Kind::Float, &[f.to_bits()]),
        }
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, n: i64) -> Term {
        match Term::try_small(n) {
            Some(t) => t,
            None => self.big(n < 0, &[n.unsigned_abs()]),
        }
    }

    /// An integer.
    #[inline]
    pub fn uint(&mut self, n: u64) -> Term {
        match i64::try_from(n).ok().and_then(Term::try_small) {
            Some(t) => t,
            None => self.big(false, &[n]),
        }
    }

    /// An integer.
    #[inline]
    pub fn int128(&mut self, n: i128) -> Term {
        if let Some(small) = i64::try_from(n).ok().and_then(Term::try_small) {
            return small;
        }
        let m = n.unsigned_abs();
        let kind = if n < 0 { Kind::BigNeg } else { Kind::BigPos };
        match (m as u64, (m >> 64) as u64) {
            (low, 0) => self.object(kind, &[low]),
            (low, high) => self.object(kind, &[low, high]),
        }
    }

    /// An integer of sign and magnitude.
    #[inline]
    pub fn big3(&mut self, negative: bool, limbs: [u64; 3]) -> Term {
        match limbs {
            [_, _, 0] => self.big(negative, &limbs[..2]),
            _ if negative => self.object(Kind::BigNeg, &limbs),
            _ => self.object(Kind::BigPos, &limbs),
        }
    }

    /// An integer of sign and magnitude (limbs, least significant first; leading zeros allowed).
    pub fn big(&mut self, negative: bool, limbs: &[u64]) -> Term {
        let len = limbs.iter().rposition(|&l| l != 0).map_or(0, |i| i + 1);
        let limbs = &limbs[..len];
        if let Some(t) = small_of(negative, limbs) {
            return t;
        }
        self.object(if negative { Kind::BigNeg } else { Kind::BigPos }, limbs)
    }

    /// An integer whose magnitude `fill` writes into `room` limbs, zero before; it gives whether the integer is
    /// negative. What turns out not to be needed of the room is given back.
    pub fn big_with(&mut self, room: usize, fill: impl FnOnce(&mut [u64]) -> bool) -> Term {
        self.big_written(room, |limbs| {
            limbs.fill(MaybeUninit::new(0));
            // SAFETY: all of them have just been written.
            let limbs = unsafe { limbs.assume_init_mut() };
            let negative = fill(limbs);
            (limbs, negative)
        })
    }

    /// The same where `write` gives the limbs back, all of which it has written.
    pub fn big_written(
        &mut self,
        room: usize,
        write: impl FnOnce(&mut [MaybeUninit<u64>]) -> (&mut [u64], bool),
    ) -> Term {
        let p = self.alloc(1 + room);
        // SAFETY: that many fresh words.
        let limbs = unsafe { std::slice::from_raw_parts_mut(p.add(1).cast(), room) };
        let (limbs, negative) = write(limbs);
        let limbs = crate::limbs::trim(limbs);
        let small = small_of(negative, limbs);
        // Nothing was allocated since, so the words behind what is kept are the last ones.
        self.hp = match small {
            Some(_) => p,
            None => p.wrapping_add(1 + limbs.len()),
        };
        if let Some(t) = small {
            return t;
        }
        let kind = if negative { Kind::BigNeg } else { Kind::BigPos };
        // SAFETY: the first of the words.
        unsafe { *p = Header::new(kind, limbs.len()).0 };
        Term::boxed_at(p)
    }

    /// A binary with these bytes.
    pub fn binary(&mut self, bytes: &[u8]) -> Term {
        self.bits(bytes, bytes.len() * 8)
    }

    /// A binary of these bytes, which are not copied where they are many.
    pub fn binary_of(&mut self, bytes: Vec<u8>) -> Term {
        if bytes.len() <= MAX_HEAP_BINARY {
            self.binary(&bytes)
        } else {
            self.shared_binary(BinaryRef::from_vec(bytes))
        }
    }

    /// A bitstring of the first `bits` bits of `bytes`.
    pub fn bits(&mut self, bytes: &[u8], bits: usize) -> Term {
        let len = bits.div_ceil(8);
        if len <= MAX_HEAP_BINARY {
            let words = bits.div_ceil(64);
            let p = self.alloc(2 + words);
            // SAFETY: that many fresh words. The last one is zero but for the bytes in it; if there is none, its place is
            // that of the size, which is written later.
            unsafe {
                *p = Header::new(Kind::HeapBits, 1 + words).0;
                *p.add(1 + words) = 0;
                *p.add(1) = bits as u64;
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), p.add(2).cast(), len);
            }
            Term::boxed_at(p)
        } else {
            self.shared_bits(BinaryRef::from_bytes(&bytes[..len]), bits)
        }
    }

    /// A binary of `len` bytes that `fill` writes; the bytes are zero before.
    pub fn build_binary(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) -> Term {
        if len <= MAX_HEAP_BINARY {
            let (t, data) = self.heap_bits(len * 8);
            // SAFETY: `heap_bits` made and zeroed room for `len` bytes.
            fill(unsafe { std::slice::from_raw_parts_mut(data, len) });
            t
        } else {
            self.shared_binary(BinaryRef::build(len, fill))
        }
    }

    /// A binary of `len` bytes that somebody else writes before anybody looks, and the address of its first byte, which stays as
    /// long as the heap is not collected. The bytes of a long one are as memory is.
    pub fn open_binary(&mut self, len: usize) -> (Term, *mut u8) {
        if len <= MAX_HEAP_BINARY {
            return self.heap_bits(len * 8);
        }
        let b = BinaryRef::open(len);
        let data = b.data_mut();
        (self.shared_binary(b), data)
    }

    /// Is there one block at most?
    pub fn is_one_block(&self) -> bool {
        self.more.is_empty()
    }

    /// A bitstring of at most `MAX_HEAP_BINARY` bytes, zeroed, and the address of its bytes.
    pub(crate) fn heap_bits(&mut self, bits: usize) -> (Term, *mut u8) {
        let words = bits.div_ceil(64);
        let p = self.alloc(2 + words);
        // SAFETY: that many fresh words.
        unsafe {
            *p = Header::new(Kind::HeapBits, 1 + words).0;
            *p.add(1) = bits as u64;
            if words == 1 {
                *p.add(2) = 0;
            } else {
                std::ptr::write_bytes(p.add(2), 0, words);
            }
            (Term::boxed_at(p), p.add(2).cast())
        }
    }

    /// A handle of all of a shared binary.
    pub fn shared_binary(&mut self, b: BinaryRef) -> Term {
        let bits = b.len() * 8;
        self.shared_bits(b, bits)
    }

    /// A handle of the first `bits` bits of a shared binary.
    pub fn shared_bits(&mut self, b: BinaryRef, bits: usize) -> Term {
        self.binary_bytes += b.capacity();
        let t = self.object(
            Kind::BinRef,
            &[self.offheap as u64, b.into_raw(), bits as u64],
        );
        self.offheap = t.ptr();
        t
    }

    /// A part of `base`, which must be a `HeapBits` or `BinRef` and hold that part.
    pub(crate) fn sub_bits(&mut self, base: Term, offset: usize, bits: usize) -> Term {
        self.object(Kind::SubBits, &[base.0, offset as u64, bits as u64])
    }

    /// A match context over `base` (a `HeapBits` or `BinRef`), positions counted from its start.
    pub(crate) fn match_context(&mut self, base: Term, position: usize, end: usize) -> Term {
        self.object(Kind::MatchCtx, &[base.0, position as u64, end as u64])
    }

    /// A reference made on this node. `owner` is the packed pid whose alias it is, or 0.
    pub fn reference(&mut self, number: u64, owner: u64) -> Term {
        self.object(Kind::Ref, &[number, owner])
    }

    /// The same for a number that was read: the reference may be one that holds a resource.
    pub fn read_reference(&mut self, number: u64, owner: u64) -> Term {
        match magic::read_back(number) {
            Some(m) => self.magic_ref(number, m),
            None => self.reference(number, owner),
        }
    }

    /// A reference that holds a resource.
    pub fn magic_ref(&mut self, number: u64, m: Magic) -> Term {
        let t = self.object(
            Kind::MagicRef,
            &[self.offheap as u64, number, MagicHandle::new(m).into_raw()],
        );
        self.offheap = t.ptr();
        t
    }

    /// A pid (`Kind::ExtPid`) or port (`Kind::ExtPort`) of another node.
    pub fn external_id(&mut self, kind: Kind, node: crate::node::Node, number: u64) -> Term {
        debug_assert!(matches!(kind, Kind::ExtPid | Kind::ExtPort));
        self.object(kind, &[node.to_word(), number])
    }

    /// A reference of another node.
    pub fn external_ref(&mut self, node: crate::node::Node, ids: &[u32]) -> Term {
        let mut words = vec![node.to_word(), ids.len() as u64];
        words.extend(
            ids.chunks(2)
                .map(|c| u64::from(c[0]) | c.get(1).map_or(0, |&h| u64::from(h) << 32)),
        );
        self.object(Kind::ExtRef, &words)
    }
}

/// The small integer of sign and magnitude, if it is one. `limbs` has no leading zeros.
pub(crate) fn small_of(negative: bool, limbs: &[u64]) -> Option<Term> {
    match limbs {
        [] => Some(Term::small(0)),
        [n] if negative && *n <= 1 << 60 => Some(Term::small((*n as i64).wrapping_neg())),
        [n] if *n < 1 << 60 => Some(Term::small(*n as i64)),
        _ => None,
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: the heap owns its objects and is going away.
        unsafe { offheap::release_all(self.offheap) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_goes_back_to_a_mark() {
        for first in [0, 4, 64] {
            let mut h = Heap::with_capacity(first);
            let kept = (first > 0).then(|| h.tuple(&[Term::small(1), Term::small(2)]));
            let (used, mark) = (h.used(), h.mark());
            let shared = BinaryRef::from_bytes(&[7; 100]);
            for n in 0..200 {
                h.tuple(&[Term::small(n); 5]);
                h.shared_binary(shared.clone());
            }
            assert_eq!(shared.refs(), 201);
            // SAFETY: nothing made since the mark is used below.
            unsafe { h.release(&mark) };
            assert_eq!((h.used(), shared.refs()), (used, 1));
            h.tuple(&[Term::small(3); 30]);
            if let Some(t) = kept {
                assert_eq!(t.as_tuple(), Some(&[Term::small(1), Term::small(2)][..]));
            }
        }
    }
}
