//! Maps: sorted arrays up to 32 pairs, hash array mapped tries beyond.
//!
//! A `FlatMap` shares its tuple of keys with the maps it was updated from. A `HashMap` is a trie with
//! four bits of the key's hash a level (Bagwell, "Ideal Hash Trees", 2001); a leaf is a list cell
//! `[Key | Value]`, so a pair costs two words and its share of the nodes above.

mod builder;
mod bulk;
mod iteration;
mod merge;
mod update;

pub use builder::MapBuilder;
use bulk::from_many;
pub use bulk::{FlatBuilder, from_pairs};
pub use iteration::{MapIter, PlaceIter, each_pair, iter, iter_from, nodes_as_tuples};
pub use merge::Merge;
pub use update::{MapPair, put_all, update_all};

use super::{compare, hash};
use crate::budget::Budget;
use crate::heap::{Heap, literal};
use crate::release;
use crate::term::{Header, Kind, Term};
use std::cmp::Ordering;
use std::task::Poll;

/// Most pairs of a flat map.
pub const MAX_FLAT: usize = 32;
const BITS: u32 = 4;
const LEVELS: u32 = 64 / BITS;

/// Is a map a flat one? `t` must be a map.
#[inline(always)]
fn is_flat(t: Term) -> bool {
    match t.kind() {
        Some(Kind::FlatMap) => true,
        Some(Kind::HashMap) => false,
        _ => crate::bug::wrong_kind("map"),
    }
}

/// Number of pairs; `t` must be a map.
#[inline]
pub fn size(t: Term) -> usize {
    if is_flat(t) {
        t.header().words() - 1
    } else {
        Term(t.word(1)).small_value() as usize
    }
}

/// The order of keys in a flat map.
#[inline]
pub fn key_order(a: Term, b: Term) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    if a.is_small() && b.is_small() {
        return a.small_value().cmp(&b.small_value());
    }
    if release::map_atoms_by_index() && a.is_atom() && b.is_atom() {
        return a.raw().cmp(&b.raw());
    }
    compare::compare_exact(a, b)
}

/// The tuple of the keys of a small map, which other maps may share; nothing for a large one. `t` must be a map.
pub fn key_tuple(t: Term) -> Option<Term> {
    is_flat(t).then(|| Term(t.word(1)))
}

/// Keys and values of a small map; nothing for a large one. `t` must be a map.
#[inline]
pub fn small_parts<'a>(t: Term) -> Option<(&'a [Term], &'a [Term])> {
    is_flat(t).then(|| flat_parts(t))
}

/// Keys and values of a flat map; `t` must be one.
#[inline(always)]
pub(crate) fn flat_parts<'a>(t: Term) -> (&'a [Term], &'a [Term]) {
    let n = t.header().words() - 1;
    (Term(t.word(1)).terms_from(1, n), t.terms_from(2, n))
}

/// The value of `key`; `t` must be a map.
#[inline]
pub fn get(t: Term, key: Term) -> Option<Term> {
    if is_flat(t) {
        let (keys, values) = flat_parts(t);
        return flat_find(keys, key).map(|i| values[i]);
    }
    hash_get(t, key, hash::internal(key))
}

#[inline]
fn flat_find(keys: &[Term], key: Term) -> Option<usize> {
    if is_itself(key) {
        return keys.iter().position(|&k| k == key);
    }
    if key.is_tuple() {
        // Most tuples that differ do so in their sizes or last elements.
        let (header, n) = (key.header(), key.header().words());
        let last = key.word(n);
        if n > 0 && is_itself(Term(last)) {
            let may_be = |k: Term| k.is_boxed() && k.header() == header && k.word(n) == last;
            let is_key = |k: Term| k == key || may_be(k) && compare::exact_eq(k, key);
            return keys.iter().position(|&k| is_key(k));
        }
    }
    keys.iter().position(|&k| compare::exact_eq(k, key))
}

/// Is nothing but the same word equal to it?
#[inline(always)]
fn is_itself(t: Term) -> bool {
    t.is_immediate() && !t.is_flonum()
}

/// The place of a key that is not there among the sorted keys of a flat map.
#[inline]
fn place_of(keys: &[Term], key: Term) -> usize {
    let before = |&k: &Term| key_order(k, key) == Ordering::Less;
    // Keys mostly come in their order.
    match keys.split_last() {
        Some((last, others)) if !before(last) => others.partition_point(before),
        _ => keys.len(),
    }
}

fn hash_get(t: Term, key: Term, hash: u64) -> Option<Term> {
    let mut h = hash;
    let mut node = root(t);
    loop {
        if node.is_cons() {
            return if compare::exact_eq(node.head(), key) {
                Some(node.tail())
            } else {
                None
            };
        }
        if node.header().kind() == Kind::HashCollision {
            let pairs = node.terms_from(1, node.header().words());
            return pairs
                .iter()
                .find(|p| compare::exact_eq(p.head(), key))
                .map(|p| p.tail());
        }
        let (bitmap, children) = node_parts(node);
        let bit = 1u64 << (h & 15);
        if bitmap & bit == 0 {
            return None;
        }
        node = children[if children.len() == FULL {
            h as usize & 15
        } else {
            (bitmap & (bit - 1)).count_ones() as usize
        }];
        h >>= BITS;
    }
}

/// Children of a node that has one for each digit.
const FULL: usize = 1 << BITS;

#[inline(always)]
fn node_parts<'a>(node: Term) -> (u64, &'a [Term]) {
    (
        Term(node.word(1)).small_value() as u64,
        node.terms_from(2, node.header().words() - 1),
    )
}

/// The children of a large map's node, or the pairs of a collision; `t` must be one.
pub(crate) fn children<'a>(t: Term) -> &'a [Term] {
    if t.header().kind() == Kind::HashCollision {
        t.terms_from(1, t.header().words())
    } else {
        node_parts(t).1
    }
}

/// The uppermost node of a large map.
pub(crate) fn root(t: Term) -> Term {
    Term(t.word(2))
}

/// A part of a large map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapPart {
    /// A node with so many children.
    Node(usize),
    /// A node of so many pairs whose keys have the same hash.
    Collision(usize),
    /// A pair.
    Leaf,
}

/// Visits the nodes and pairs of a large map with their distance from the uppermost node. `false` for a small
/// map, which has none; `t` must be a map.
pub fn walk(t: Term, mut visit: impl FnMut(usize, MapPart)) -> bool {
    if is_flat(t) {
        return false;
    }
    let mut todo = vec![(0, root(t))];
    while let Some((level, node)) = todo.pop() {
        if node.is_cons() {
            visit(level, MapPart::Leaf);
            continue;
        }
        let kids = children(node);
        visit(
            level,
            if node.header().kind() == Kind::HashCollision {
                MapPart::Collision(kids.len())
            } else {
                MapPart::Node(kids.len())
            },
        );
        todo.extend(kids.iter().map(|&k| (level + 1, k)));
    }
    true
}

fn make_node(heap: &mut Heap, bitmap: u64, children: &[Term]) -> Term {
    let mut words = [Term::NIL; 17];
    words[0] = Term::small(bitmap as i64);
    words[1..=children.len()].copy_from_slice(children);
    heap.term_object(Kind::HashNode, &words[..=children.len()])
}

fn make_hash(heap: &mut Heap, size: usize, root: Term) -> Term {
    heap.term_object(Kind::HashMap, &[Term::small(size as i64), root])
}

/// The map of no pairs.
pub fn empty(heap: &mut Heap) -> Term {
    let keys = heap.tuple(&[]);
    heap.term_object(Kind::FlatMap, &[keys])
}

/// A flat map of a tuple of sorted keys and their values.
pub fn flat_from_sorted(heap: &mut Heap, keys: Term, values: &[Term]) -> Term {
    let p = heap.alloc(2 + values.len());
    // SAFETY: that many fresh words.
    unsafe {
        *p = Header::new(Kind::FlatMap, 1 + values.len()).0;
        *p.add(1) = keys.0;
        std::ptr::copy_nonoverlapping(values.as_ptr().cast(), p.add(2), values.len());
    }
    Term::boxed_at(p)
}

/// `t` with `key` set to `value`; `t` must be a map. It is `t` itself where `key` has that value already.
pub fn put(heap: &mut Heap, t: Term, key: Term, value: Term) -> Term {
    if !is_flat(t) {
        return put_in_hash(heap, t, key, value, true).unwrap_or(t);
    }
    let (keys, values) = flat_parts(t);
    if let Some(i) = flat_find(keys, key) {
        return if values[i] == value {
            t
        } else {
            flat_replace(heap, t, i, value)
        };
    }
    if keys.len() == MAX_FLAT {
        let mut pairs: Vec<(Term, Term)> =
            keys.iter().copied().zip(values.iter().copied()).collect();
        pairs.push((key, value));
        return from_many(heap, &pairs);
    }
    flat_insert(heap, keys, values, (key, value))
}

/// A flat map with a pair more, for which there is room and whose key is not there.
fn flat_insert(heap: &mut Heap, keys: &[Term], values: &[Term], pair: (Term, Term)) -> Term {
    let (n, at) = (keys.len(), place_of(keys, pair.0));
    let tuple = heap.alloc(2 + n);
    let map = heap.alloc(3 + n);
    // SAFETY: fresh words for a tuple of `n + 1` keys and a map of as many values; `at` is at most `n`.
    unsafe {
        *tuple = Header::new(Kind::Tuple, n + 1).0;
        copy_around(keys, at, pair.0, tuple.add(1));
        *map = Header::new(Kind::FlatMap, n + 2).0;
        *map.add(1) = Term::boxed_at(tuple).0;
        copy_around(values, at, pair.1, map.add(2));
    }
    Term::boxed_at(map)
}

/// Copies terms to `to`, with one more at a place.
///
/// # Safety
/// `to` has room for them and one more; `at` is at most their number.
unsafe fn copy_around(terms: &[Term], at: usize, one: Term, to: *mut u64) {
    let (from, n) = (terms.as_ptr().cast::<u64>(), terms.len());
    // SAFETY: as the caller promises.
    unsafe {
        std::ptr::copy_nonoverlapping(from, to, at);
        *to.add(at) = one.0;
        std::ptr::copy_nonoverlapping(from.add(at), to.add(at + 1), n - at);
    }
}

/// A flat map without the pair at a place.
fn flat_remove(heap: &mut Heap, keys: &[Term], values: &[Term], at: usize) -> Term {
    let n = keys.len();
    let tuple = heap.alloc(n);
    let map = heap.alloc(1 + n);
    // SAFETY: fresh words for a tuple of `n - 1` keys and a map of as many values; `at` is less than `n`.
    unsafe {
        *tuple = Header::new(Kind::Tuple, n - 1).0;
        copy_but(keys, at, tuple.add(1));
        *map = Header::new(Kind::FlatMap, n).0;
        *map.add(1) = Term::boxed_at(tuple).0;
        copy_but(values, at, map.add(2));
    }
    Term::boxed_at(map)
}

/// Copies terms to `to`, but for that at a place.
///
/// # Safety
/// `to` has room for all but one; `at` is less than their number.
unsafe fn copy_but(terms: &[Term], at: usize, to: *mut u64) {
    let (from, n) = (terms.as_ptr().cast::<u64>(), terms.len());
    // SAFETY: as the caller promises.
    unsafe {
        std::ptr::copy_nonoverlapping(from, to, at);
        std::ptr::copy_nonoverlapping(from.add(at + 1), to.add(at), n - 1 - at);
    }
}

fn flat_replace(heap: &mut Heap, t: Term, i: usize, value: Term) -> Term {
    let n = t.header().words();
    let p = heap.alloc(1 + n);
    // SAFETY: that many fresh words; the source has as many.
    unsafe {
        std::ptr::copy_nonoverlapping(t.ptr(), p, 1 + n);
        *p.add(2 + i) = value.0;
    }
    Term::boxed_at(p)
}

/// `t` with `key`, which must be there, set to `value`; nothing where it is not.
pub fn update(heap: &mut Heap, t: Term, key: Term, value: Term) -> Option<Term> {
    if is_flat(t) {
        let (keys, values) = flat_parts(t);
        let i = flat_find(keys, key)?;
        return Some(if values[i] == value {
            t
        } else {
            flat_replace(heap, t, i, value)
        });
    }
    put_in_hash(heap, t, key, value, false)
}

/// A large map with `key` set to `value`; nothing where it has not that key and may not get it.
fn put_in_hash(heap: &mut Heap, t: Term, key: Term, value: Term, may_add: bool) -> Option<Term> {
    let (n, old) = (size(t), root(t));
    let mut added = false;
    let leaf = heap.cons(key, value);
    let new = hash_put(heap, old, leaf, hash::internal(key), 0, &mut added);
    if new == old {
        return Some(t);
    }
    (may_add || !added).then(|| make_hash(heap, n + usize::from(added), new))
}

fn hash_put(heap: &mut Heap, node: Term, leaf: Term, h: u64, level: u32, added: &mut bool) -> Term {
    if node.is_cons() {
        if compare::exact_eq(node.head(), leaf.head()) {
            return if node.tail() == leaf.tail() {
                node
            } else {
                leaf
            };
        }
        *added = true;
        let other = if level >= LEVELS {
            0
        } else {
            hash::internal(node.head()) >> (level * BITS)
        };
        return two_leaves(heap, node, other, leaf, h, level);
    }
    if node.header().kind() == Kind::HashCollision {
        let mut pairs = node.terms_from(1, node.header().words()).to_vec();
        match pairs
            .iter()
            .position(|p| compare::exact_eq(p.head(), leaf.head()))
        {
            Some(i) if pairs[i].tail() == leaf.tail() => return node,
            Some(i) => pairs[i] = leaf,
            None => {
                *added = true;
                pairs.push(leaf);
            }
        }
        return heap.term_object(Kind::HashCollision, &pairs);
    }
    let (bitmap, children) = node_parts(node);
    let bit = 1u64 << (h & 15);
    let at = (bitmap & (bit - 1)).count_ones() as usize;
    if bitmap & bit != 0 {
        let child = hash_put(heap, children[at], leaf, h >> BITS, level + 1, added);
        if child == children[at] {
            return node;
        }
        return with_child(heap, node, at, child);
    }
    *added = true;
    let n = children.len();
    let p = heap.alloc(3 + n);
    // SAFETY: that many fresh words: header, bitmap, and one child more than the node has, of which `at` is at most the last one.
    unsafe {
        *p = Header::new(Kind::HashNode, 2 + n).0;
        *p.add(1) = Term::small((bitmap | bit) as i64).0;
        let (from, to) = (children.as_ptr().cast::<u64>(), p.add(2));
        std::ptr::copy_nonoverlapping(from, to, at);
        *to.add(at) = leaf.0;
        std::ptr::copy_nonoverlapping(from.add(at), to.add(at + 1), n - at);
    }
    Term::boxed_at(p)
}

/// A copy of a node with another child.
fn with_child(heap: &mut Heap, node: Term, at: usize, child: Term) -> Term {
    let n = node.header().words();
    let p = heap.alloc(1 + n);
    // SAFETY: that many fresh words; the source has as many.
    unsafe {
        std::ptr::copy_nonoverlapping(node.ptr(), p, 1 + n);
        *p.add(2 + at) = child.0;
    }
    Term::boxed_at(p)
}

fn two_leaves(heap: &mut Heap, a: Term, ha: u64, b: Term, hb: u64, level: u32) -> Term {
    if level >= LEVELS {
        return heap.term_object(Kind::HashCollision, &[a, b]);
    }
    let (i, j) = (ha & 15, hb & 15);
    match i.cmp(&j) {
        Ordering::Equal => {
            let child = two_leaves(heap, a, ha >> BITS, b, hb >> BITS, level + 1);
            make_node(heap, 1 << i, &[child])
        }
        Ordering::Less => make_node(heap, 1 << i | 1 << j, &[a, b]),
        Ordering::Greater => make_node(heap, 1 << i | 1 << j, &[b, a]),
    }
}

/// `t` without `key`, and the value it had; nothing where it was not there. `t` must be a map.
pub fn remove(heap: &mut Heap, t: Term, key: Term) -> Option<(Term, Term)> {
    if is_flat(t) {
        let (keys, values) = flat_parts(t);
        let i = flat_find(keys, key)?;
        return Some((flat_remove(heap, keys, values, i), values[i]));
    }
    let hash = hash::internal(key);
    let value = hash_get(t, key, hash)?;
    let n = size(t) - 1;
    if n <= MAX_FLAT {
        let pairs: Vec<(Term, Term)> = iter(t)
            .filter(|&(k, _)| !compare::exact_eq(k, key))
            .collect();
        return Some((from_pairs(heap, &pairs), value));
    }
    let root = hash_remove(heap, root(t), key, hash).unwrap_or(Term::NIL);
    Some((make_hash(heap, n, root), value))
}

/// The node without the key, which is in it; nothing if that leaves it empty.
fn hash_remove(heap: &mut Heap, node: Term, key: Term, h: u64) -> Option<Term> {
    if node.is_cons() {
        return None;
    }
    if node.header().kind() == Kind::HashCollision {
        let mut pairs = node.terms_from(1, node.header().words()).to_vec();
        pairs.retain(|p| !compare::exact_eq(p.head(), key));
        return Some(if let [one] = pairs[..] {
            one
        } else {
            heap.term_object(Kind::HashCollision, &pairs)
        });
    }
    let (bitmap, children) = node_parts(node);
    let bit = 1u64 << (h & 15);
    let at = (bitmap & (bit - 1)).count_ones() as usize;
    match hash_remove(heap, children[at], key, h >> BITS) {
        Some(child) => {
            if children.len() == 1 && (child.is_cons() || child.is_kind(Kind::HashCollision)) {
                return Some(child);
            }
            Some(with_child(heap, node, at, child))
        }
        None => match *children {
            [_] => None,
            [one, _] if at == 1 && one.is_cons() => Some(one),
            [_, one] if at == 0 && one.is_cons() => Some(one),
            _ => {
                let mut kids = [Term::NIL; 16];
                let n = children.len() - 1;
                kids[..at].copy_from_slice(&children[..at]);
                kids[at..n].copy_from_slice(&children[at + 1..]);
                Some(make_node(heap, bitmap & !bit, &kids[..n]))
            }
        },
    }
}

/// `a` with all pairs of `b`.
pub fn merge(heap: &mut Heap, a: Term, b: Term) -> Term {
    let mut all = Merge::new(a, b);
    loop {
        if let Poll::Ready(t) = all.go_on(heap, &mut Budget::of(usize::MAX)) {
            return t;
        }
    }
}

/// The union of two flat maps. Of pairs with one key the second map's counts.
pub fn merge_flat(heap: &mut Heap, a: Term, b: Term) -> Term {
    if a.word(1) == b.word(1) {
        return b;
    }
    match size(a) + size(b) {
        ..=6 => merge_within::<6>(heap, a, b),
        7..=16 => merge_within::<16>(heap, a, b),
        _ => merge_within::<{ 2 * MAX_FLAT }>(heap, a, b),
    }
}

/// The union of two flat maps that have at most `N` pairs together.
fn merge_within<const N: usize>(heap: &mut Heap, a: Term, b: Term) -> Term {
    let ((ka, va), (kb, vb)) = (flat_parts(a), flat_parts(b));
    let (mut keys, mut values) = ([Term::NIL; N], [Term::NIL; N]);
    let (mut i, mut j, mut n) = (0, 0, 0);
    while i < ka.len() && j < kb.len() {
        let order = key_order(ka[i], kb[j]);
        let from_a = order == Ordering::Less;
        (keys[n], values[n]) = if from_a {
            (ka[i], va[i])
        } else {
            (kb[j], vb[j])
        };
        i += usize::from(order != Ordering::Greater);
        j += usize::from(!from_a);
        n += 1;
    }
    for (ks, vs, from) in [(ka, va, i), (kb, vb, j)] {
        for (&k, &v) in ks[from..].iter().zip(&vs[from..]) {
            (keys[n], values[n]) = (k, v);
            n += 1;
        }
    }
    let (keys, values) = (&keys[..n], &values[..n]);
    if n > MAX_FLAT {
        let pairs: Vec<(Term, Term)> = keys.iter().copied().zip(values.iter().copied()).collect();
        return from_many(heap, &pairs);
    }
    if n == kb.len() {
        if ka.len() == kb.len() {
            adopt_keys(b, Term(a.word(1)));
        }
        return b;
    }
    let keys = match n == ka.len() {
        true => Term(a.word(1)),
        false => heap.tuple(keys),
    };
    flat_from_sorted(heap, keys, values)
}

/// Makes a map that is no literal share a literal tuple of the same keys instead of its own, which so becomes garbage.
fn adopt_keys(map: Term, keys: Term) {
    if literal::is_literal(keys.ptr()) && !literal::is_literal(map.ptr()) {
        // SAFETY: what a process works with and is no literal lies in its own heap, which nobody else reads or writes; word 1 of a
        // flat map is its keys, which stay the same, and a reference to a literal may be in objects of every age.
        unsafe { map.ptr().add(1).write(keys.0) }
    }
}

/// What is left of a leaf's hash at a level.
fn hash_at(leaf: Term, level: u32) -> u64 {
    if level >= LEVELS {
        0
    } else {
        hash::internal(leaf.head()) >> (level * BITS)
    }
}

/// The pairs in the term order of their keys.
pub fn sorted_pairs(t: Term) -> Vec<(Term, Term)> {
    let mut pairs: Vec<(Term, Term)> = iter(t).collect();
    pairs.sort_by(|a, b| compare::compare_exact(a.0, b.0));
    pairs
}
