//! Terms with shared parts: what they take when each part counts once, and copies that share as they do.

use crate::budget::Budget;
use crate::heap::{Heap, copy, literal};
use crate::term::{Kind, Term, boxed};
use hashbrown::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::task::Poll;

/// Hashes addresses, which differ in their middle bits.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.write_usize(usize::from(b));
        }
    }

    fn write_usize(&mut self, n: usize) {
        let m = (self.0 ^ n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = m ^ m >> 32;
    }
}

type ByAddress<T> = HashMap<usize, T, BuildHasherDefault<AddressHasher>>;

/// Words of a page of addresses.
const PAGE: usize = 1 << 12;

/// A set of addresses of words: a bit for each word of the pages that hold any.
#[derive(Default)]
struct AddressSet {
    pages: Vec<[u64; PAGE / 64]>,
    numbers: ByAddress<u32>,
    /// Pages met last, with their numbers, by the lowest bits of the page.
    near: [(usize, u32); 16],
}

impl AddressSet {
    /// Adds an address; was it not there?
    #[inline]
    fn insert(&mut self, p: *const u64) -> bool {
        let word = p as usize / 8;
        let (page, at) = (word / PAGE, word % PAGE);
        let near = &mut self.near[page % 16];
        if near.0 != page {
            let pages = &mut self.pages;
            let number = *self.numbers.entry(page).or_insert_with(|| {
                pages.push([0; PAGE / 64]);
                pages.len() as u32 - 1
            });
            *near = (page, number);
        }
        let bits = &mut self.pages[near.1 as usize][at / 64];
        let fresh = *bits >> (at % 64) & 1 == 0;
        *bits |= 1 << (at % 64);
        fresh
    }
}

/// A walk over the parts of terms, each of which is visited once.
struct Walk {
    seen: AddressSet,
    todo: Vec<Term>,
}

impl Walk {
    fn new(terms: &[Term]) -> Walk {
        Walk {
            seen: AddressSet::default(),
            todo: terms.to_vec(),
        }
    }

    /// Goes on. `visit` says of each part whether to go on to what it points to; parts that are met again are
    /// given to `again`.
    fn go_on(
        &mut self,
        budget: &mut Budget,
        mut visit: impl FnMut(Term) -> bool,
        mut again: impl FnMut(Term),
    ) -> Poll<()> {
        while let Some(mut t) = self.todo.pop() {
            // Along the tails of a list without a detour.
            while !t.is_immediate() {
                if budget.is_spent() {
                    self.todo.push(t);
                    return Poll::Pending;
                }
                budget.spend(2);
                if !self.seen.insert(t.ptr()) {
                    again(t);
                    break;
                }
                if !visit(t) {
                    break;
                }
                if t.is_cons() {
                    if !t.head().is_immediate() {
                        self.todo.push(t.head());
                    }
                    t = t.tail();
                    continue;
                }
                let range = boxed::term_words(t.header());
                let parts = t.terms_from(range.start, range.len());
                self.todo.extend(parts.iter().filter(|p| !p.is_immediate()));
                break;
            }
        }
        Poll::Ready(())
    }
}

fn words(t: Term) -> usize {
    if t.is_cons() {
        2
    } else {
        1 + t.header().words()
    }
}

/// Words of the term's parts, each counted once and literals not at all; and the number of parts.
pub fn size(t: Term) -> (usize, usize) {
    let (mut sum, mut parts) = (0, 0);
    let visit = |t: Term| {
        let counts = !literal::is_literal(t.ptr());
        if counts {
            sum += words(t);
            parts += 1;
        }
        counts
    };
    let walked = Walk::new(&[t]).go_on(&mut Budget::of(usize::MAX), visit, |_| {});
    debug_assert!(walked.is_ready());
    (sum, parts)
}

/// Is this a part of a bitstring, or what a match context has left of one?
fn is_part(t: Term) -> bool {
    t.is_kind(Kind::SubBits) || t.is_kind(Kind::MatchCtx)
}

/// Measures terms before they are copied: parts that are shared count once.
pub struct Measuring {
    walk: Walk,
    words: usize,
    /// The parts that are shared, and their copies once there are any.
    shared: ByAddress<Option<Term>>,
}

impl Measuring {
    /// Begins with these terms.
    pub fn new(terms: &[Term]) -> Measuring {
        Measuring {
            walk: Walk::new(terms),
            words: 0,
            shared: ByAddress::default(),
        }
    }

    /// Goes on to the number of words that a copy takes.
    pub fn go_on(&mut self, budget: &mut Budget) -> Poll<usize> {
        let (words_so_far, shared) = (&mut self.words, &mut self.shared);
        let visit = |t: Term| {
            let part = !t.is_cons() && is_part(t);
            *words_so_far += if part {
                copy::sub_bits_size(t)
            } else {
                words(t)
            };
            !part
        };
        let again = |t: Term| {
            shared.insert(t.ptr() as usize, None);
        };
        self.walk.go_on(budget, visit, again).map(|()| self.words)
    }

    /// Copies what was measured: replaces `terms`, which do not move meanwhile, by copies that share with each other
    /// what these do, and nothing else. A part of a bitstring is copied alone.
    pub fn copying(self, terms: &mut [Term]) -> Copying {
        Copying {
            shared: self.shared,
            todo: terms.iter_mut().map(std::ptr::from_mut).collect(),
        }
    }
}

/// See `Measuring::copying`.
pub struct Copying {
    shared: ByAddress<Option<Term>>,
    /// Slots that still hold terms of the source.
    todo: Vec<*mut Term>,
}

// SAFETY: the slots belong to whoever has this value, as `go_on` asks for.
unsafe impl Send for Copying {}

impl Copying {
    /// Goes on.
    ///
    /// # Safety
    /// Each time `to` is the same heap, the terms that `copying` was given are where they were, and neither they nor
    /// what they refer to has changed or moved.
    pub unsafe fn go_on(&mut self, to: &mut Heap, budget: &mut Budget) -> Poll<()> {
        while let Some(mut slot) = self.todo.pop() {
            loop {
                if budget.is_spent() {
                    self.todo.push(slot);
                    return Poll::Pending;
                }
                // SAFETY: slots are the terms of the beginning or words of objects made in `to`, whose blocks do
                // not move.
                let t = unsafe { *slot };
                if t.is_immediate() {
                    break;
                }
                budget.spend(2);
                if !self.shared.is_empty()
                    && let Some(&Some(c)) = self.shared.get(&(t.ptr() as usize))
                {
                    // SAFETY: as above.
                    unsafe { *slot = c };
                    break;
                }
                let c = if t.is_cons() {
                    to.cons(t.head(), t.tail())
                } else {
                    copy::copy_boxed(t, to)
                };
                // SAFETY: as above.
                unsafe { *slot = c };
                if !self.shared.is_empty()
                    && let Some(copy) = self.shared.get_mut(&(t.ptr() as usize))
                {
                    *copy = Some(c);
                }
                let word = |i: usize| c.ptr().wrapping_add(i).cast::<Term>();
                if c.is_cons() {
                    if !c.head().is_immediate() {
                        self.todo.push(word(0));
                    }
                    slot = word(1);
                    continue;
                }
                if !c.is_kind(Kind::SubBits) {
                    let inside = boxed::term_words(c.header());
                    let parts = c.terms_from(inside.start, inside.len());
                    let slots = inside.zip(parts).filter(|(_, p)| !p.is_immediate());
                    self.todo.extend(slots.map(|(i, _)| word(i)));
                }
                break;
            }
        }
        Poll::Ready(())
    }
}

/// Replaces the terms by copies in `to` that share with each other what these do, and nothing else. A part of a
/// bitstring is copied alone.
pub fn copy_whole(terms: &mut [Term], to: &mut Heap) {
    let all = &mut Budget::of(usize::MAX);
    let mut m = Measuring::new(terms);
    let measured = m.go_on(all);
    // SAFETY: the terms stay where they are during this one call.
    let copied = unsafe { m.copying(terms).go_on(to, all) };
    debug_assert!(measured.is_ready() && copied.is_ready());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::compare;

    #[test]
    fn what_is_shared_stays_shared() {
        let mut heap = Heap::new();
        let b = heap.binary(&[1; 20]);
        let inner = heap.tuple(&[b, Term::small(1), b]);
        let list = heap.list(&[inner, Term::small(2), inner, b]);
        let whole = heap.tuple(&[list, inner, list]);
        assert_eq!(size(whole), (4 + 8 + 4 + 5, 7));
        let mut terms = [whole, list];
        let mut m = Measuring::new(&terms);
        let words = loop {
            if let Poll::Ready(n) = m.go_on(&mut Budget::of(1)) {
                break n;
            }
        };
        assert_eq!(words, size(whole).0);
        let mut to = Heap::with_capacity(words);
        let mut c = m.copying(&mut terms);
        // SAFETY: nothing moves meanwhile.
        while unsafe { c.go_on(&mut to, &mut Budget::of(1)) }.is_pending() {}
        assert_eq!(to.used(), words);
        assert!(compare::exact_eq(terms[0], whole) && compare::exact_eq(terms[1], list));
        assert!(
            size(terms[0]) == size(whole) && terms[0].as_tuple().map(|t| t[0]) == Some(terms[1])
        );
    }
}
