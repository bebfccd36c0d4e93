//! A map made of pairs that come one by one, in steps.
//!
//! Few pairs become a map at once. Many are distributed by the first digits of their hashes to as many buckets as there
//! are nodes at that level of the trie; each bucket becomes a part of the trie by itself.

use super::bulk::{Sorted, from_pairs, spread};
use super::{MAX_FLAT, make_hash, make_node};
use crate::budget::Budget;
use crate::data::hash;
use crate::heap::Heap;
use crate::term::Term;
use std::task::Poll;

/// Digits of a hash that choose a bucket.
const DIGITS: u32 = 3;
const BUCKETS: usize = 1 << (4 * DIGITS);

/// So many pairs are many.
const FEW: usize = 2048;

/// Units of work that a pair of a bucket costs.
const PAIR: usize = 12;
/// Units that putting one into its bucket costs.
const PLACE: usize = 2;

/// See the module's text.
#[derive(Default)]
pub struct MapBuilder {
    /// Keys and values in turn, as they have come.
    terms: Vec<Term>,
    /// Their spread hashes, if they are many.
    hashes: Vec<u64>,
    len: usize,
    /// For each bucket first the number of its pairs, then where its next pair is put.
    buckets: Vec<usize>,
    /// Pairs that have been put into their buckets.
    placed: usize,
    /// What is in the buckets, one behind the other: keys and values in turn.
    placed_terms: Vec<Term>,
    placed_hashes: Vec<u64>,
    /// Buckets that are done.
    done: usize,
    /// Pairs in these.
    size: usize,
    sorted: Sorted,
    /// Children of the nodes under way from the root to the buckets' parents, with their digits.
    open: [Children; DIGITS as usize],
}

/// The children of a node that are there.
#[derive(Default)]
struct Children {
    bitmap: u64,
    terms: Vec<Term>,
}

impl MapBuilder {
    /// Number of pairs so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Has it no pairs yet?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes a pair; it counts instead of an earlier one with the same key.
    pub fn add(&mut self, key: Term, value: Term) {
        self.len += 1;
        self.terms.extend([key, value]);
        if self.len > FEW {
            self.count_in(key);
        } else if self.len == FEW {
            self.buckets = vec![0; BUCKETS];
            for i in 0..FEW {
                self.count_in(self.terms[2 * i]);
            }
        }
    }

    fn count_in(&mut self, key: Term) {
        let h = spread(hash::internal(key));
        self.hashes.push(h);
        self.buckets[bucket_of(h)] += 1;
    }

    /// Goes on making the map of all pairs.
    pub fn finish(&mut self, heap: &mut Heap, budget: &mut Budget) -> Poll<Term> {
        if self.buckets.is_empty() {
            let pairs: Vec<(Term, Term)> =
                self.terms.chunks_exact(2).map(|p| (p[0], p[1])).collect();
            budget.spend(pairs.len() * PAIR);
            return Poll::Ready(from_pairs(heap, &pairs));
        }
        if self.placed_terms.is_empty() {
            self.placed_terms = vec![Term::NIL; self.terms.len()];
            self.placed_hashes = vec![0; self.len];
            let mut from = 0;
            for b in &mut self.buckets {
                from += std::mem::replace(b, from);
            }
        }
        while self.placed < self.len {
            if budget.is_spent() {
                return Poll::Pending;
            }
            budget.spend(PLACE);
            let (i, h) = (self.placed, self.hashes[self.placed]);
            let at = self.buckets[bucket_of(h)];
            self.buckets[bucket_of(h)] += 1;
            self.placed_hashes[at] = h;
            self.placed_terms[2 * at] = self.terms[2 * i];
            self.placed_terms[2 * at + 1] = self.terms[2 * i + 1];
            self.placed += 1;
        }
        while self.done < BUCKETS {
            if budget.is_spent() {
                return Poll::Pending;
            }
            // A bucket ends where its next pair would be put.
            let from = self.done.checked_sub(1).map_or(0, |b| self.buckets[b]);
            let to = self.buckets[self.done];
            budget.spend(1 + (to - from) * PAIR);
            let hashes = self.placed_hashes[from..to].iter().copied();
            let terms = &self.placed_terms[2 * from..2 * to];
            self.sorted
                .take(hashes, |i| (terms[2 * i], terms[2 * i + 1]));
            let n = self.sorted.len();
            self.size += n;
            let part = (n > 0).then(|| self.sorted.build(heap, DIGITS));
            self.put(heap, part);
        }
        let [root, ..] = &mut self.open;
        let root = root.terms.pop();
        let t = match root {
            Some(root) if self.size > MAX_FLAT => make_hash(heap, self.size, root),
            root => {
                let mut few = Vec::new();
                leaves(root, &mut few);
                from_pairs(heap, &few)
            }
        };
        Poll::Ready(t)
    }

    /// Puts what a bucket has become into its node, and nodes that are complete into theirs.
    fn put(&mut self, heap: &mut Heap, part: Option<Term>) {
        let mut part = part;
        let mut at = self.done;
        self.done += 1;
        for level in (0..self.open.len()).rev() {
            let (digit, last) = (at % 16, at % 16 == 15);
            at /= 16;
            let node = &mut self.open[level];
            if let Some(t) = part {
                node.bitmap |= 1 << digit;
                node.terms.push(t);
            }
            if !last {
                return;
            }
            part = match node.terms[..] {
                [] => None,
                // A pair that is alone stands for the node.
                [one] if one.is_cons() => Some(one),
                _ => Some(make_node(heap, node.bitmap, &node.terms)),
            };
            node.bitmap = 0;
            node.terms.clear();
        }
        self.open[0].terms.extend(part);
    }

    /// Shows the terms that are held.
    pub fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(&mut self.terms);
        visit(&mut self.placed_terms);
        for node in &mut self.open {
            visit(&mut node.terms);
        }
    }
}

/// The bucket of a spread hash.
fn bucket_of(h: u64) -> usize {
    (h >> (64 - 4 * DIGITS)) as usize
}

/// The pairs below a node.
fn leaves(node: Option<Term>, out: &mut Vec<(Term, Term)>) {
    let mut todo: Vec<Term> = node.into_iter().collect();
    while let Some(t) = todo.pop() {
        if t.is_cons() {
            out.push((t.head(), t.tail()));
        } else {
            todo.extend(super::children(t));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::compare;
    use crate::data::map;

    /// The same trie as from all pairs at once.
    #[test]
    fn the_same_map_in_steps() {
        for (n, keys) in [
            (0, 1),
            (10, 10),
            (5000, 5000),
            (9000, 4000),
            (5000, 20),
            (70_000, 70_000),
        ] {
            let mut heap = Heap::new();
            let pairs: Vec<(Term, Term)> = (0..n)
                .map(|i| (Term::small(i * 7919 % keys), Term::small(i)))
                .collect();
            let whole = from_pairs(&mut heap, &pairs);
            let mut b = MapBuilder::default();
            pairs.iter().for_each(|p| b.add(p.0, p.1));
            let t = loop {
                if let Poll::Ready(t) = b.finish(&mut heap, &mut Budget::of(1)) {
                    break t;
                }
            };
            assert!(compare::exact_eq(t, whole), "{n} pairs");
            assert!(map::iter(t).eq(map::iter(whole)));
            let mut parts = [Vec::new(), Vec::new()];
            map::walk(t, |level, part| parts[0].push((level, part)));
            map::walk(whole, |level, part| parts[1].push((level, part)));
            assert!(parts[0] == parts[1]);
        }
    }
}
