//! Map construction and update as the instructions ask for it.

use crate::atom::Atom;
use crate::data::map::{self, MapPair};
use crate::heap::Heap;
use crate::term::Term;

/// `M#{K => V, ...}`; nothing if `m` is no map.
#[inline(never)]
pub fn put_assoc(heap: &mut Heap, m: Term, pairs: &[MapPair]) -> Option<Term> {
    m.is_map().then(|| map::put_all(heap, m, pairs))
}

/// `M#{K := V, ...}`; nothing if `m` is no map or a key is missing.
#[inline(never)]
pub fn put_exact(heap: &mut Heap, m: Term, pairs: &[MapPair]) -> Option<Term> {
    if m.is_map() {
        map::update_all(heap, m, pairs)
    } else {
        None
    }
}

/// The tag and value of the error of `M#{K := V, ...}` where that is not possible.
#[cold]
pub fn exact_error(m: Term, pairs: &[MapPair]) -> (Atom, Term) {
    if !m.is_map() {
        return (Atom::BADMAP, m);
    }
    let missing = pairs.iter().map(|p| p[0]);
    let missing = missing.filter(|&k| map::get(m, k).is_none());
    // The keys are tried in their order.
    let first = missing.min_by(|&k, &l| map::key_order(k, l));
    (Atom::BADKEY, first.unwrap_or(Term::NIL))
}
