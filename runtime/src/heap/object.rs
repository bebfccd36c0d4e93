//! Objects of tables: each a block of memory of its own that holds a tuple and everything it refers to.
//!
//! ```text
//! [words of terms][first off-heap object][next object][mark][tuple header][elements ...][rest ...]
//! ```
//!
//! The mark belongs to the storage of sets and bags, as the next object does: hash of the key in bits 0 to 31,
//! part of the hash of the whole tuple in bits 32 to 62, and in bit 63 whether the object is dead (deleted while the
//! table was fixed).
//!
//! Nothing in a block points out of it, not even to literals. So an object is copied to a heap by
//! copying its words and moving the pointers, in one pass without a stack.

use super::binary::BinaryRef;
use super::magic::MagicHandle;
use super::{Heap, copy, offheap};
use crate::sys::memory::{self, Purpose};
use crate::term::{Header, Kind, Term, boxed};
use std::alloc::Layout;
use std::ptr::NonNull;

/// Words before the tuple.
const PREFIX: usize = 4;
/// The mark of a dead object.
const DEAD: u64 = 1 << 63;
/// Bits of a tuple's hash in a mark.
const TUPLE_HASH: u64 = 0x7fff_ffff;

/// An object. A plain pointer: tables own the blocks and say when they are freed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Obj(*mut u64);

fn layout(words: usize) -> Layout {
    match Layout::array::<u64>(words) {
        Ok(l) => l,
        Err(_) => memory::exhausted(Purpose::TableObject, words.saturating_mul(8)),
    }
}

impl Obj {
    /// No object.
    pub const NONE: Obj = Obj(std::ptr::null_mut());

    /// Is it an object?
    #[inline(always)]
    pub fn is_some(self) -> bool {
        !self.0.is_null()
    }

    /// A copy of a tuple.
    pub fn new(tuple: Term) -> Obj {
        let elements = tuple.as_tuple().unwrap_or(&[]);
        if elements.iter().all(|e| e.is_immediate()) {
            let n = 1 + elements.len();
            let p = Obj::block(n);
            // SAFETY: the block has room for `n` words after the prefix; the tuple has as many.
            unsafe { std::ptr::copy_nonoverlapping(tuple.ptr(), p.add(PREFIX), n) };
            return Obj(p);
        }
        if let Some(words) = shallow_words(elements) {
            let p = Obj::block(1 + elements.len() + words);
            // SAFETY: the block has room for the tuple and these words after the prefix.
            unsafe { copy_shallow(tuple, p.add(PREFIX)) };
            return Obj(p);
        }
        let n = copy::size_whole(tuple);
        let p = Obj::block(n);
        let mut heap = Heap::borrowed(p.wrapping_add(PREFIX), n);
        let root = copy::copy_whole(tuple, &mut heap);
        debug_assert_eq!(root.ptr(), p.wrapping_add(PREFIX));
        // SAFETY: the second word of the prefix.
        unsafe { *p.add(1) = heap.take_offheap() as u64 };
        Obj(p)
    }

    #[inline]
    fn block(words: usize) -> *mut u64 {
        let p = memory::take(Purpose::TableObject, layout(PREFIX + words))
            .cast::<u64>()
            .as_ptr();
        // SAFETY: the block has at least `PREFIX` words.
        unsafe {
            *p = words as u64;
            *p.add(1) = 0;
            *p.add(2) = 0;
            *p.add(3) = 0;
        }
        p
    }

    /// Frees the block.
    ///
    /// # Safety
    /// Nobody uses the object or terms in it afterwards.
    pub(crate) unsafe fn free(self) {
        let words = self.words();
        // SAFETY: a block made by `block`, not null, with a well-formed list of off-heap objects.
        unsafe {
            offheap::release_all(*self.0.add(1) as *mut u64);
            memory::give_back(NonNull::new_unchecked(self.0.cast()), layout(words));
        }
    }

    #[inline(always)]
    fn term_words(self) -> usize {
        // SAFETY: an object is a live block.
        unsafe { *self.0 as usize }
    }

    /// Words of memory that it takes.
    #[inline]
    pub fn words(self) -> usize {
        if self.is_some() {
            PREFIX + self.term_words()
        } else {
            0
        }
    }

    /// The tuple, in the block, if it is an object.
    #[inline]
    pub fn tuple(self) -> Option<Term> {
        self.is_some().then(|| self.root())
    }

    /// Element `pos`, counted from 1, if it is an object and has that.
    #[inline]
    pub fn get(self, pos: usize) -> Option<Term> {
        let elements = self.tuple()?.as_tuple()?;
        elements.get(pos.wrapping_sub(1)).copied()
    }

    /// The tuple, in the block.
    #[inline(always)]
    pub(crate) fn root(self) -> Term {
        Term::boxed_at(self.0.wrapping_add(PREFIX))
    }

    /// Element `pos`, counted from 1, which must be there.
    #[inline(always)]
    pub(crate) fn element(self, pos: usize) -> Term {
        Term(self.root().word(pos))
    }

    /// Number of elements.
    #[inline(always)]
    pub(crate) fn arity(self) -> usize {
        self.root().header().words()
    }

    /// The next object of the bucket.
    #[inline(always)]
    pub(crate) fn next(self) -> Obj {
        // SAFETY: the third word of a live block.
        Obj(unsafe { *self.0.add(2) } as *mut u64)
    }

    /// Sets the next object of the bucket.
    #[inline(always)]
    pub(crate) fn set_next(self, next: Obj) {
        // SAFETY: as above; the table's lock is held for writing.
        unsafe { *self.0.add(2) = next.0 as u64 };
    }

    #[inline(always)]
    fn mark(self) -> u64 {
        // SAFETY: the fourth word of a live block.
        unsafe { *self.0.add(3) }
    }

    fn set_mark(self, mark: u64) {
        // SAFETY: as above; the table's lock is held for writing.
        unsafe { *self.0.add(3) = mark };
    }

    /// The hash of its key, as it was set.
    #[inline(always)]
    pub(crate) fn key_hash(self) -> u32 {
        self.mark() as u32
    }

    /// Sets the hash of its key; it is alive then.
    pub(crate) fn set_key_hash(self, hash: u32) {
        self.set_mark(u64::from(hash));
    }

    /// Was it deleted while the table was fixed?
    #[inline(always)]
    pub(crate) fn is_dead(self) -> bool {
        self.mark() & DEAD != 0
    }

    /// Makes it dead or alive.
    pub(crate) fn set_dead(self, dead: bool) {
        let mark = self.mark() & !DEAD;
        self.set_mark(if dead { mark | DEAD } else { mark });
    }

    /// The part of the tuple's hash that was set.
    #[inline]
    pub(crate) fn tuple_hash(self) -> u32 {
        (self.mark() >> 32 & TUPLE_HASH) as u32
    }

    /// Sets a part of the tuple's hash.
    pub(crate) fn set_tuple_hash(self, hash: u32) {
        let mark = self.mark() & !(TUPLE_HASH << 32);
        self.set_mark(mark | (u64::from(hash) & TUPLE_HASH) << 32);
    }

    /// Overwrites an element by an immediate, if what it replaces is one as well.
    #[inline]
    pub(crate) fn set_immediate(self, pos: usize, value: Term) -> bool {
        if !value.is_immediate() || !self.element(pos).is_immediate() {
            return false;
        }
        // SAFETY: inside the tuple; the table's lock is held for writing.
        unsafe { *self.0.add(PREFIX + pos) = value.0 };
        true
    }

    /// Overwrites the whole tuple where the new one takes as many words, and neither has off-heap objects.
    #[inline]
    pub(crate) fn overwrite(self, tuple: Term) -> bool {
        let elements = tuple.as_tuple().unwrap_or(&[]);
        let n = 1 + elements.len();
        // SAFETY: the second word of the prefix.
        let has_offheap = unsafe { *self.0.add(1) != 0 };
        if self.term_words() < n || has_offheap {
            return false;
        }
        if shallow_words(elements) != Some(self.term_words() - n) {
            return false;
        }
        // SAFETY: the block has as many words after the prefix as the tuple takes, and what is there needs no release; the table's
        // lock is held for writing.
        unsafe { copy_shallow(tuple, self.0.add(PREFIX)) };
        true
    }

    /// A copy in a heap.
    #[inline]
    pub(crate) fn copy(self, heap: &mut Heap) -> Term {
        copy_root(self.root(), heap)
    }

    /// Address, size and number of references of each shared binary in it.
    pub fn shared_binaries(self) -> Vec<(u64, usize, usize)> {
        if !self.is_some() {
            return Vec::new();
        }
        // SAFETY: the list of a live block's off-heap objects.
        let all = unsafe { offheap::binaries(*self.0.add(1) as *mut u64) };
        all.map(|b| (b.data() as u64, b.len(), b.refs())).collect()
    }

    /// The chain of objects from this one on.
    pub(crate) fn chain(self) -> impl Iterator<Item = Obj> {
        std::iter::successors(self.is_some().then_some(self), |o| {
            Some(o.next()).filter(|n| n.is_some())
        })
    }
}

/// Is it an object that refers to nothing?
#[inline(always)]
fn is_plain(t: Term) -> bool {
    matches!(
        t.kind(),
        Some(Kind::HeapBits | Kind::Float | Kind::BigPos | Kind::BigNeg | Kind::Ref)
    )
}

/// The words that a tuple's elements take besides its own, if each is an immediate or an object that refers to nothing.
#[inline]
fn shallow_words(elements: &[Term]) -> Option<usize> {
    let mut words = 0;
    for e in elements {
        if e.is_immediate() {
        } else if is_plain(*e) {
            words += 1 + e.header().words();
        } else {
            return None;
        }
    }
    Some(words)
}

/// Copies a tuple of such elements.
///
/// # Safety
/// `shallow_words` has given how many words there must be at `to` behind those of the tuple. None of it is in these words.
#[inline]
unsafe fn copy_shallow(tuple: Term, to: *mut u64) {
    let n = tuple.header().words();
    let mut end = to.wrapping_add(1 + n);
    // SAFETY: as the caller promises.
    unsafe {
        *to = tuple.word(0);
        for i in 1..=n {
            let e = Term(tuple.word(i));
            *to.add(i) = if e.is_immediate() {
                e.0
            } else {
                let words = 1 + e.header().words();
                copy_words(e.ptr(), end, words);
                let moved = Term::boxed_at(end);
                end = end.add(words);
                moved.0
            };
        }
    }
}

/// Copies words, of which there are few.
///
/// # Safety
/// As for `copy_nonoverlapping`.
#[inline(always)]
unsafe fn copy_words(from: *const u64, to: *mut u64, words: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        if words > 16 {
            return std::ptr::copy_nonoverlapping(from, to, words);
        }
        for i in 0..words {
            // A loop that is not made a call.
            to.add(i).write(from.add(i).read_volatile());
        }
    }
}

/// A copy of an object, given by its tuple, in a heap.
#[inline]
pub(crate) fn copy_root(root: Term, heap: &mut Heap) -> Term {
    let src = root.ptr();
    // SAFETY: the root of an object stands `PREFIX` words after the start of its block.
    let words = unsafe { *src.sub(PREFIX) } as usize;
    let dst = heap.alloc(words);
    // SAFETY: `words` fresh words; the block has as many after its prefix.
    unsafe { copy_words(src, dst, words) };
    if words > 1 + root.header().words() {
        // SAFETY: the copy is complete except for its pointers.
        unsafe { relocate(src, dst, words, heap) };
    }
    Term::boxed_at(dst)
}

/// A copy of a part of an object (or of a term that refers to parts of one) in a heap.
#[inline]
pub(crate) fn copy_part(t: Term, heap: &mut Heap) -> Term {
    copy::copy(t, heap)
}

/// Makes the pointers of a copied block point into the copy, and lets the heap own its off-heap objects.
///
/// # Safety
/// `dst` holds a copy of the `words` words at `src`, a run of whole objects and cells, in `heap`.
unsafe fn relocate(src: *mut u64, dst: *mut u64, words: usize, heap: &mut Heap) {
    let delta = (dst as u64).wrapping_sub(src as u64);
    let fix = |p: *mut u64| {
        // SAFETY: a word of the copy.
        unsafe {
            if !Term(*p).is_immediate() {
                *p = (*p).wrapping_add(delta);
            }
        }
    };
    let mut i = 0;
    while i < words {
        // SAFETY: `i` stays below `words`, and headers tell the extent of their objects.
        unsafe {
            let p = dst.add(i);
            if !Header::is_header(*p) {
                fix(p);
                i += 1;
                continue;
            }
            let h = Header(*p);
            match h.kind() {
                Kind::BinRef => {
                    let b = BinaryRef::borrow_raw(*p.add(2));
                    heap.binary_bytes += b.capacity();
                    *p.add(2) = BinaryRef::clone(&b).into_raw();
                    *p.add(1) = heap.offheap as u64;
                    heap.offheap = p;
                }
                Kind::MagicRef => {
                    *p.add(3) =
                        MagicHandle::new(MagicHandle::borrow_raw(*p.add(3)).clone()).into_raw();
                    *p.add(1) = heap.offheap as u64;
                    heap.offheap = p;
                }
                _ => {
                    for k in boxed::term_words(h) {
                        fix(p.add(k));
                    }
                }
            }
            i += 1 + h.words();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{compare, map};
    use std::sync::Arc;

    #[test]
    fn objects_of_all_kinds_survive_copying() {
        let mut h = Heap::new();
        let list = h.char_list("some list");
        let big = h.uint(u64::MAX);
        let small_bin = h.binary(b"abc");
        let large_bin = h.binary(&[7; 1000]);
        let pairs: Vec<(Term, Term)> = (0..100).map(|i| (Term::small(i), list)).collect();
        let m = map::from_pairs(&mut h, &pairs);
        let flat = map::from_pairs(&mut h, &[(Term::small(1), big)]);
        let magic = h.magic_ref(77, Arc::new(5u32));
        let float = h.float(f64::MAX);
        let nested = h.tuple(&[list, large_bin]);
        let nested = h.list(&[nested, float, Term::NIL]);
        let t = h.tuple(&[list, big, small_bin, large_bin, m, flat, magic, nested]);
        let o = Obj::new(t);
        assert!(compare::exact_eq(o.root(), t));
        let mut to = Heap::new();
        let back = o.copy(&mut to);
        assert!(compare::exact_eq(back, t));
        // SAFETY: only the copy is used from here on.
        unsafe { o.free() };
        assert!(compare::exact_eq(back, t));
        let five = back.as_tuple().unwrap()[6]
            .as_magic()
            .unwrap()
            .downcast_ref::<u32>();
        assert_eq!(five, Some(&5));
        drop(h);
        assert_eq!(back.as_tuple().unwrap().len(), 8);
    }
}
