//! Maps made of many pairs at once.

use super::{
    BITS, LEVELS, MAX_FLAT, flat_find, flat_from_sorted, key_order, make_hash, make_node, place_of,
};
use crate::data::{compare, hash};
use crate::heap::Heap;
use crate::term::{Kind, Term};
use std::cmp::Ordering;

/// Keys and values of a flat map of at most `N` pairs that is being made, in the order of the keys.
pub struct FlatBuilder<const N: usize = MAX_FLAT> {
    keys: [Term; N],
    values: [Term; N],
    len: usize,
}

impl<const N: usize> Default for FlatBuilder<N> {
    fn default() -> FlatBuilder<N> {
        FlatBuilder {
            keys: [Term::NIL; N],
            values: [Term::NIL; N],
            len: 0,
        }
    }
}

impl<const N: usize> FlatBuilder<N> {
    /// With these pairs, whose keys are in their order.
    pub(super) fn of(keys: &[Term], values: &[Term]) -> FlatBuilder<N> {
        let mut flat = FlatBuilder {
            len: keys.len(),
            ..FlatBuilder::default()
        };
        flat.keys[..keys.len()].copy_from_slice(keys);
        flat.values[..keys.len()].copy_from_slice(values);
        flat
    }

    /// Sets a key's value; `false`, with nothing done, if that would be one key too many.
    #[inline]
    pub fn put(&mut self, key: Term, value: Term) -> bool {
        let n = self.len;
        // Keys mostly come in their order.
        let is_last = match self.keys[..n].last() {
            Some(&last) => key_order(last, key) == Ordering::Less,
            None => true,
        };
        if !is_last && let Some(i) = flat_find(&self.keys[..n], key) {
            self.values[i] = value;
            return true;
        }
        if n == N {
            return false;
        }
        if is_last {
            (self.keys[n], self.values[n]) = (key, value);
            self.len += 1;
        } else {
            self.insert(key, value);
        }
        true
    }

    /// Adds a pair with a key that is not there yet; there must be room for it.
    pub(super) fn insert(&mut self, key: Term, value: Term) {
        let n = self.len;
        let at = place_of(&self.keys[..n], key);
        self.keys.copy_within(at..n, at + 1);
        self.values.copy_within(at..n, at + 1);
        (self.keys[at], self.values[at]) = (key, value);
        self.len += 1;
    }

    /// The map.
    pub fn finish(&self, heap: &mut Heap) -> Term {
        let tuple = heap.tuple(&self.keys[..self.len]);
        flat_from_sorted(heap, tuple, &self.values[..self.len])
    }
}

/// A map of the pairs; of several pairs with one key the last counts.
pub fn from_pairs(heap: &mut Heap, pairs: &[(Term, Term)]) -> Term {
    if pairs.len() > MAX_FLAT {
        return from_many(heap, pairs);
    }
    let mut flat = FlatBuilder::<MAX_FLAT>::default();
    for &(k, v) in pairs {
        flat.put(k, v);
    }
    flat.finish(heap)
}

/// More than `MAX_FLAT` pairs, perhaps with equal keys among them.
pub(super) fn from_many(heap: &mut Heap, pairs: &[(Term, Term)]) -> Term {
    let mut sorted = Sorted::default();
    let hashes = pairs.iter().map(|p| spread(hash::internal(p.0)));
    sorted.take(hashes, |i| pairs[i]);
    if sorted.len() <= MAX_FLAT {
        return from_pairs(heap, &sorted.pairs);
    }
    let root = sorted.build(heap, 0);
    make_hash(heap, sorted.len(), root)
}

/// Pairs with different keys, sorted by their hashes. Its memory is used again.
#[derive(Default)]
pub(super) struct Sorted {
    pairs: Vec<(Term, Term)>,
    hashes: Vec<u64>,
    /// Hashes and the numbers of the pairs that have them.
    tagged: Vec<(u64, usize)>,
}

impl Sorted {
    /// Takes pairs, of which these are the spread hashes, instead of those that it holds; of several pairs with one key the last
    /// one.
    pub(super) fn take(
        &mut self,
        hashes: impl Iterator<Item = u64>,
        pair: impl Fn(usize) -> (Term, Term),
    ) {
        self.tagged.clear();
        self.tagged.extend(hashes.zip(0..));
        self.tagged.sort_unstable();
        self.pairs.clear();
        self.hashes.clear();
        for &(h, i) in &self.tagged {
            let (k, v) = pair(i);
            let others = self.hashes.iter().rposition(|&x| x != h);
            let same = others.map_or(0, |p| p + 1);
            let equal = |p: &(Term, Term)| compare::exact_eq(p.0, k);
            match self.pairs[same..].iter().position(equal) {
                Some(j) => self.pairs[same + j].1 = v,
                None => {
                    self.pairs.push((k, v));
                    self.hashes.push(h);
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The trie of the pairs, of which there must be some, at a level.
    pub(super) fn build(&self, heap: &mut Heap, level: u32) -> Term {
        build(heap, &self.pairs, &self.hashes, level)
    }
}

/// Reverses the order of a hash's four-bit groups, so that numeric order is the trie's order.
pub(super) fn spread(h: u64) -> u64 {
    let b = h.swap_bytes();
    ((b & 0x0f0f_0f0f_0f0f_0f0f) << 4) | ((b >> 4) & 0x0f0f_0f0f_0f0f_0f0f)
}

/// The trie of pairs sorted by spread hash.
fn build(heap: &mut Heap, pairs: &[(Term, Term)], hashes: &[u64], level: u32) -> Term {
    if let [(k, v)] = *pairs {
        return heap.cons(k, v);
    }
    if level >= LEVELS {
        let leaves: Vec<Term> = pairs.iter().map(|&(k, v)| heap.cons(k, v)).collect();
        return heap.term_object(Kind::HashCollision, &leaves);
    }
    let digit = |h: u64| (h >> (60 - level * BITS)) & 15;
    let mut children = [Term::NIL; 16];
    let (mut n, mut bitmap, mut from) = (0, 0u64, 0);
    while from < pairs.len() {
        let d = digit(hashes[from]);
        let others = hashes[from..].iter().take_while(|&&h| digit(h) == d);
        let to = from + others.count();
        children[n] = build(heap, &pairs[from..to], &hashes[from..to], level + 1);
        bitmap |= 1 << d;
        n += 1;
        from = to;
    }
    make_node(heap, bitmap, &children[..n])
}
