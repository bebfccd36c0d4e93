//! Several pairs put into a map at once: what `M#{K => V, ...}` and `M#{K := V, ...}` do.
//!
//! A flat map is copied once, however many pairs there are.

use super::{
    MAX_FLAT, flat_find, flat_from_sorted, flat_parts, from_pairs, is_flat, key_order, put, update,
};
use crate::heap::Heap;
use crate::term::Term;
use std::cmp::Ordering;

/// A key and its value.
pub type Pair = [Term; 2];

/// `t` with these pairs, of which later ones count where keys are equal; `t` must be a map. It is `t` itself where all
/// keys have these values already.
pub fn put_all(heap: &mut Heap, t: Term, pairs: &[Pair]) -> Term {
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
pub fn update_all(heap: &mut Heap, t: Term, pairs: &[Pair]) -> Option<Term> {
    if pairs.len() > 1 && is_flat(t) {
        return replace(heap, t, pairs);
    }
    pairs.iter().try_fold(t, |t, &[k, v]| update(heap, t, k, v))
}

/// A flat map with other values; nothing where it has not all of the keys.
fn replace(heap: &mut Heap, t: Term, pairs: &[Pair]) -> Option<Term> {
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
fn insert(heap: &mut Heap, t: Term, pairs: &[Pair]) -> Term {
    let (old_keys, old_values) = flat_parts(t);
    let mut n = old_keys.len();
    let (mut keys, mut values) = ([Term::NIL; MAX_FLAT], [Term::NIL; MAX_FLAT]);
    keys[..n].copy_from_slice(old_keys);
    values[..n].copy_from_slice(old_values);
    for &[k, v] in pairs {
        if let Some(i) = flat_find(&keys[..n], k) {
            values[i] = v;
            continue;
        }
        if n == MAX_FLAT {
            return large(heap, t, pairs);
        }
        // Keys mostly come in their order.
        let before = |&l: &Term| key_order(l, k) == Ordering::Less;
        let at = match n.checked_sub(1) {
            Some(last) if !before(&keys[last]) => keys[..last].partition_point(before),
            _ => n,
        };
        keys.copy_within(at..n, at + 1);
        values.copy_within(at..n, at + 1);
        (keys[at], values[at]) = (k, v);
        n += 1;
    }
    let tuple = heap.tuple(&keys[..n]);
    flat_from_sorted(heap, tuple, &values[..n])
}

/// A flat map that becomes a large one.
#[cold]
fn large(heap: &mut Heap, t: Term, pairs: &[Pair]) -> Term {
    let (keys, values) = flat_parts(t);
    let old = keys.iter().copied().zip(values.iter().copied());
    let all: Vec<(Term, Term)> = old.chain(pairs.iter().map(|&[k, v]| (k, v))).collect();
    from_pairs(heap, &all)
}
