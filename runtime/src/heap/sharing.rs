//! Terms with shared parts: what they take when each part counts once, and copies that share as they do.

use crate::heap::{Heap, copy, literal};
use crate::term::{Kind, Term, boxed};
use std::collections::{HashMap, HashSet};

/// Visits the parts of terms, each once. `visit` says whether to go on to what the part points to.
fn walk(terms: &[Term], mut visit: impl FnMut(Term) -> bool) {
    let mut seen = HashSet::new();
    let mut todo = terms.to_vec();
    while let Some(t) = todo.pop() {
        if t.is_immediate() || !seen.insert(t.ptr()) || !visit(t) {
            continue;
        }
        if t.is_cons() {
            todo.extend([t.head(), t.tail()]);
        } else {
            let range = boxed::term_words(t.header());
            todo.extend_from_slice(t.terms_from(range.start, range.len()));
        }
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
    walk(&[t], |t| {
        let counts = !literal::is_literal(t.ptr());
        if counts {
            sum += words(t);
            parts += 1;
        }
        counts
    });
    (sum, parts)
}

/// Is this a part of a bitstring, or what a match context has left of one?
fn is_part(t: Term) -> bool {
    t.is_kind(Kind::SubBits) || t.is_kind(Kind::MatchCtx)
}

/// Words that `copy_whole` of these terms takes.
pub fn size_of_copy(terms: &[Term]) -> usize {
    let mut sum = 0;
    walk(terms, |t| {
        let part = !t.is_cons() && is_part(t);
        sum += if part {
            copy::sub_bits_size(t)
        } else {
            words(t)
        };
        !part
    });
    sum
}

/// Replaces the terms by copies in `to` that share with each other what these do, and nothing else. A part of a
/// bitstring is copied alone.
pub fn copy_whole(terms: &mut [Term], to: &mut Heap) {
    let mut copies: HashMap<*mut u64, Term> = HashMap::new();
    // Slots that still hold terms of the source.
    let mut todo: Vec<*mut Term> = terms.iter_mut().map(std::ptr::from_mut).collect();
    while let Some(slot) = todo.pop() {
        // SAFETY: slots are elements of `terms` or words of objects just made in `to`, whose blocks do not move.
        let t = unsafe { *slot };
        if t.is_immediate() {
            continue;
        }
        let fresh = match copies.get(&t.ptr()) {
            Some(&c) => c,
            None => {
                let (c, inside) = if t.is_cons() {
                    (to.cons(t.head(), t.tail()), 0..2)
                } else {
                    let c = copy::copy_boxed(t, to);
                    let whole = c.is_kind(Kind::SubBits);
                    (
                        c,
                        if whole {
                            0..0
                        } else {
                            boxed::term_words(c.header())
                        },
                    )
                };
                copies.insert(t.ptr(), c);
                todo.extend(inside.map(|i| c.ptr().wrapping_add(i).cast::<Term>()));
                c
            }
        };
        // SAFETY: as above.
        unsafe { *slot = fresh };
    }
}
