//! Copying terms from one heap to another. Literals are shared, not copied, except by the functions for
//! whole copies, and except those whose areas are being released (see `release`).
//!
//! Both passes work without recursion, so that no term is too deep to be sent.

use super::binary::BinaryRef;
use super::magic::MagicHandle;
use super::release::{self, Ranges};
use super::{Heap, MAX_HEAP_BINARY, literal};
use crate::budget::Budget;
use crate::heap::bits;
use crate::term::{Kind, Term, boxed};
use std::task::Poll;

/// A stack whose first entries need no allocation: most terms that are sent are small.
struct CopyStack<T> {
    near: [T; 16],
    len: usize,
    far: Vec<T>,
}

impl<T: Copy> CopyStack<T> {
    #[inline(always)]
    fn new(filler: T) -> CopyStack<T> {
        CopyStack {
            near: [filler; 16],
            len: 0,
            far: Vec::new(),
        }
    }

    #[inline(always)]
    fn push(&mut self, t: T) {
        match self.near.get_mut(self.len) {
            Some(slot) => {
                *slot = t;
                self.len += 1;
            }
            None => self.far.push(t),
        }
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<T> {
        if self.len == self.near.len()
            && let Some(t) = self.far.pop()
        {
            return Some(t);
        }
        self.len = self.len.checked_sub(1)?;
        Some(self.near[self.len])
    }

    /// The entries, those without an allocation first.
    fn parts(&mut self) -> [&mut [T]; 2] {
        [&mut self.near[..self.len], &mut self.far]
    }
}

/// What a copy shares with its source: a range of addresses without those that are being released. A
/// value holds for the time slice.
#[derive(Clone, Copy)]
pub struct SharedRange<'a> {
    low: usize,
    length: usize,
    releasing: Option<&'a Ranges>,
}

impl SharedRange<'_> {
    /// Nothing.
    const NOTHING: SharedRange<'static> = SharedRange {
        low: 0,
        length: 0,
        releasing: None,
    };

    /// Literals.
    #[inline]
    pub fn literals() -> Self {
        let (low, length) = literal::range();
        SharedRange {
            low,
            length,
            releasing: release::current(),
        }
    }

    #[inline(always)]
    fn has(self, t: Term) -> bool {
        let a = t.raw() as usize;
        a.wrapping_sub(self.low) < self.length && self.releasing.is_none_or(|r| !r.hold(a))
    }
}

/// Words that `copy` of `t` takes.
pub fn size(t: Term) -> usize {
    if t.is_immediate() {
        return 0;
    }
    size_outside(t, SharedRange::literals())
}

/// Words that `copy_whole` of `t` takes.
pub fn size_whole(t: Term) -> usize {
    size_outside(t, SharedRange::NOTHING)
}

/// Measures a term, literals included, in steps.
pub struct Sizing {
    words: usize,
    todo: CopyStack<Term>,
}

impl Sizing {
    /// Begins.
    pub fn new(t: Term) -> Sizing {
        let mut todo = CopyStack::new(Term::NIL);
        todo.push(t);
        Sizing { words: 0, todo }
    }

    /// Goes on to the number of words that `copy_whole` takes, where each object that is no list cell, and each immediate, counts as
    /// `weigh` says, which is told how many words it has.
    pub fn go_on(
        &mut self,
        budget: &mut Budget,
        weigh: impl Fn(Term, usize) -> usize,
    ) -> Poll<usize> {
        while let Some(mut t) = self.todo.pop() {
            loop {
                if budget.is_spent() {
                    self.todo.push(t);
                    return Poll::Pending;
                }
                budget.spend(1);
                if t.is_immediate() {
                    self.words += weigh(t, 0);
                    break;
                }
                if t.is_cons() {
                    self.words += 2;
                    if t.head().is_immediate() {
                        self.words += weigh(t.head(), 0);
                    } else {
                        self.todo.push(t.head());
                    }
                    t = t.tail();
                    continue;
                }
                let h = t.header();
                if h.kind() == Kind::SubBits {
                    self.words += weigh(t, sub_bits_size(t));
                    break;
                }
                self.words += weigh(t, 1 + h.words());
                let range = boxed::term_words(h);
                for &k in t.terms_from(range.start, range.len()) {
                    if k.is_immediate() {
                        self.words += weigh(k, 0);
                        budget.spend(1);
                    } else {
                        self.todo.push(k);
                    }
                }
                break;
            }
        }
        Poll::Ready(self.words)
    }

    /// Shows the terms that are held.
    pub fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.todo.parts().into_iter().for_each(visit);
    }
}

/// Words that a copy of `t` takes that shares these terms.
pub fn size_outside(t: Term, shared: SharedRange<'_>) -> usize {
    if t.is_immediate() {
        return 0;
    }
    let mut words = 0;
    let mut stack = CopyStack::new(Term::NIL);
    let mut next = t;
    loop {
        if next.is_immediate() || shared.has(next) {
        } else if next.is_cons() {
            words += 2;
            let (head, tail) = (next.head(), next.tail());
            if head.is_immediate() {
                next = tail;
            } else {
                if !tail.is_immediate() {
                    stack.push(tail);
                }
                next = head;
            }
            continue;
        } else {
            let h = next.header();
            match h.kind() {
                Kind::SubBits | Kind::MatchCtx => words += sub_bits_size(next),
                _ => {
                    words += 1 + h.words();
                    let range = boxed::term_words(h);
                    let kids = next.terms_from(range.start, range.len());
                    for &k in kids.iter().filter(|k| !k.is_immediate()) {
                        stack.push(k);
                    }
                }
            }
        }
        match stack.pop() {
            Some(t) => next = t,
            None => return words,
        }
    }
}

/// A part of a bitstring is copied alone: its bytes if they are few or the whole is in a heap.
pub(crate) fn sub_bits_size(t: Term) -> usize {
    let view = bits::view(t);
    if copies_bytes(&view) {
        2 + view.bits.div_ceil(64)
    } else {
        4 + 4
    }
}

fn copies_bytes(view: &bits::View) -> bool {
    view.bits.div_ceil(8) <= MAX_HEAP_BINARY || !view.base.is_kind(Kind::BinRef)
}

/// A copy of `t` in `to`.
pub fn copy(t: Term, to: &mut Heap) -> Term {
    if t.is_immediate() {
        return t;
    }
    copy_outside(t, to, SharedRange::literals())
}

/// A copy of `t` in `to` that shares nothing, not even literals.
pub fn copy_whole(t: Term, to: &mut Heap) -> Term {
    copy_outside(t, to, SharedRange::NOTHING)
}

/// A copy of `t` in `to` that shares these terms.
pub fn copy_outside(t: Term, to: &mut Heap, shared: SharedRange<'_>) -> Term {
    if t.is_immediate() {
        return t;
    }
    let mut root = t;
    // Slots that still hold terms of the source.
    let mut todo: CopyStack<*mut Term> = CopyStack::new(std::ptr::null_mut());
    todo.push(&raw mut root);
    while let Some(mut slot) = todo.pop() {
        loop {
            // SAFETY: slots are `root` or words of objects just made in `to`, whose blocks do not move.
            let t = unsafe { *slot };
            if t.is_immediate() || shared.has(t) {
                break;
            }
            if t.is_cons() {
                let cell = to.cons(t.head(), t.tail());
                let p = cell.ptr().cast::<Term>();
                // SAFETY: as above; the cell has two words.
                unsafe {
                    *slot = cell;
                    slot = p.add(1);
                    if !(*p).is_immediate() {
                        if !(*slot).is_immediate() {
                            todo.push(slot);
                        }
                        slot = p;
                    }
                }
                continue;
            }
            let fresh = copy_boxed(t, to);
            // SAFETY: as above.
            unsafe { *slot = fresh };
            let range = boxed::term_words(fresh.header());
            if fresh.header().kind() != Kind::SubBits {
                for i in range {
                    // SAFETY: the header says that word `i` is a term of the object.
                    unsafe {
                        let p = fresh.ptr().add(i).cast::<Term>();
                        if !(*p).is_immediate() {
                            todo.push(p);
                        }
                    }
                }
            }
            break;
        }
    }
    root
}

/// Copies one object; its terms still point to the source, except a part of a bitstring, which is complete.
/// A match context that has left its function is copied as the bits that it has left.
pub(crate) fn copy_boxed(t: Term, to: &mut Heap) -> Term {
    let h = t.header();
    match h.kind() {
        Kind::BinRef => {
            // SAFETY: a live `BinRef` owns the binary in word 2.
            let b = unsafe { BinaryRef::borrow_raw(t.word(2)) };
            to.shared_bits(BinaryRef::clone(&b), t.word(3) as usize)
        }
        Kind::MagicRef => {
            // SAFETY: a live `MagicRef` owns the resource in word 3.
            let m = unsafe { MagicHandle::borrow_raw(t.word(3)) };
            to.magic_ref(t.word(2), m.clone())
        }
        Kind::SubBits | Kind::MatchCtx => {
            let view = bits::view(t);
            if copies_bytes(&view) {
                bits::copy_out(&view, to)
            } else {
                let base = copy_boxed(view.base, to);
                to.sub_bits(base, view.offset, view.bits)
            }
        }
        _ => {
            let n = 1 + h.words();
            let p = to.alloc(n);
            // SAFETY: `n` fresh words, and the object has `n` words.
            unsafe { std::ptr::copy_nonoverlapping(t.ptr(), p, n) };
            Term::boxed_at(p)
        }
    }
}
