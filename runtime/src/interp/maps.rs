//! Map construction and update as the instructions ask for it.

use crate::atom::Atom;
use crate::data::{compare, map};
use crate::heap::Heap;
use crate::term::Term;

/// `M#{K => V, ...}`; nothing if `m` is no map.
#[inline(never)]
pub fn put_assoc(heap: &mut Heap, m: Term, pairs: &[(Term, Term)]) -> Option<Term> {
    if !m.is_map() {
        return None;
    }
    if map::size(m) == 0 && pairs.len() > 1 {
        return Some(map::from_pairs(heap, pairs));
    }
    Some(pairs.iter().fold(m, |m, &(k, v)| map::put(heap, m, k, v)))
}

/// `M#{K := V, ...}`; the error's tag and value where `m` is no map or a key is missing.
#[inline(never)]
pub fn put_exact(heap: &mut Heap, m: Term, pairs: &[(Term, Term)]) -> Result<Term, (Atom, Term)> {
    if !m.is_map() {
        return Err((Atom::BADMAP, m));
    }
    let updated = pairs
        .iter()
        .try_fold(m, |m, &(k, v)| map::update(heap, m, k, v));
    updated.ok_or_else(|| {
        let missing = pairs
            .iter()
            .map(|p| p.0)
            .filter(|&k| map::get(m, k).is_none());
        // The keys are tried in their order.
        let first = missing.min_by(|&k, &l| compare::compare_exact(k, l));
        (Atom::BADKEY, first.unwrap_or(Term::NIL))
    })
}
