//! Several pairs put into a map at once: what `M#{K => V, ...}` and `M#{K := V, ...}` do.
//!
//! A flat map is copied once, however many pairs there are.

use super::bulk::{FlatBuilder, from_many};
use super::{MAX_FLAT, flat_find, flat_parts, is_flat, put, update};
use crate::heap::Heap;
use crate::term::Term;

/// A key and its value.
pub type MapPair = [Term; 2];

/// `t` with these pairs, of which later ones count where keys are equal; `t` must be a map. It is `t` itself where all
/// keys have these values already.
pub fn put_all(heap: &mut Heap, t: Term, pairs: &[MapPair]) -> Term {
    if let [[k, v]] = *pairs {
        return put(heap, t, k, v);
    }
    if is_flat(t) {
        return match replace(heap, t, pairs) {
            Some(t) => t,
            None => insert(heap, t, pairs),
        };
    }
    pairs.iter().fold(t, |t, &[k, v]| put(heap, t, k, v))
}

/// The same where all keys must be there; nothing where one is not.
pub fn update_all(heap: &mut Heap, t: Term, pairs: &[MapPair]) -> Option<Term> {
    if pairs.len() > 1 && is_flat(t) {
        return replace(heap, t, pairs);
    }
    pairs.iter().try_fold(t, |t, &[k, v]| update(heap, t, k, v))
}

/// A flat map with other values; nothing where it has not all of the keys.
fn replace(heap: &mut Heap, t: Term, pairs: &[MapPair]) -> Option<Term> {
    let (keys, values) = flat_parts(t);
    let mut changed = false;
    for &[k, v] in pairs {
        changed |= values[flat_find(keys, k)?] != v;
    }
    if !changed {
        return Some(t);
    }
    let n = t.header().words();
    let p = heap.alloc(1 + n);
    // SAFETY: that many fresh words; the source has as many.
    unsafe { std::ptr::copy_nonoverlapping(t.ptr(), p, 1 + n) }
    for &[k, v] in pairs {
        let i = flat_find(keys, k)?;
        // SAFETY: the copy has as many values as there are keys.
        unsafe { *p.add(2 + i) = v.0 }
    }
    Some(Term::boxed_at(p))
}

/// A flat map with pairs of which some have new keys.
fn insert(heap: &mut Heap, t: Term, pairs: &[MapPair]) -> Term {
    let (keys, values) = flat_parts(t);
    let mut flat = FlatBuilder::<MAX_FLAT>::of(keys, values);
    if pairs.iter().all(|&[k, v]| flat.put(k, v)) {
        return flat.finish(heap);
    }
    let old = keys.iter().copied().zip(values.iter().copied());
    let all: Vec<(Term, Term)> = old.chain(pairs.iter().map(|&[k, v]| (k, v))).collect();
    from_many(heap, &all)
}
