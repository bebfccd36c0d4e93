//! A map made of pairs that come one by one, in steps.
//!
//! Few pairs are kept together. Many are distributed by the first digits of their hashes to as many buckets as there
//! are nodes at that level of the trie; each bucket becomes a part of the trie by itself.

use super::{MAX_FLAT, build, from_pairs, make_hash, make_node, sorted_unique, spread};
use crate::budget::Budget;
use crate::data::hash;
use crate::heap::Heap;
use crate::term::Term;
use std::task::Poll;

/// Digits of a hash that choose a bucket.
const DIGITS: u32 = 3;
const BUCKETS: usize = 1 << (4 * DIGITS);

/// So many pairs are kept together.
const FEW: usize = 2048;

/// Units of work that a pair of a bucket costs.
const PAIR: usize = 12;

#[derive(Clone, Default)]
struct Bucket {
    hashes: Vec<u64>,
    /// Keys and values in turn.
    terms: Vec<Term>,
}

/// See the module's text.
#[derive(Default)]
pub struct MapBuilder {
    /// Pairs as long as they are few: keys and values in turn.
    few: Vec<Term>,
    buckets: Vec<Bucket>,
    len: usize,
    /// Buckets that are done.
    done: usize,
    /// Pairs in these.
    size: usize,
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
        if !self.buckets.is_empty() {
            return self.add_to_bucket(key, value);
        }
        self.few.extend([key, value]);
        if self.few.len() > 2 * FEW {
            self.buckets = vec![Bucket::default(); BUCKETS];
            let few = std::mem::take(&mut self.few);
            for pair in few.chunks_exact(2) {
                self.add_to_bucket(pair[0], pair[1]);
            }
        }
    }

    fn add_to_bucket(&mut self, key: Term, value: Term) {
        let h = spread(hash::internal(key));
        let b = &mut self.buckets[(h >> (64 - 4 * DIGITS)) as usize];
        b.hashes.push(h);
        b.terms.extend([key, value]);
    }

    /// Goes on making the map of all pairs.
    pub fn finish(&mut self, heap: &mut Heap, budget: &mut Budget) -> Poll<Term> {
        if self.buckets.is_empty() {
            let pairs = in_pairs(&self.few);
            budget.spend(pairs.len() * PAIR);
            return Poll::Ready(from_pairs(heap, &pairs));
        }
        while self.done < BUCKETS {
            if budget.is_spent() {
                return Poll::Pending;
            }
            let bucket = std::mem::take(&mut self.buckets[self.done]);
            budget.spend(1 + bucket.hashes.len() * PAIR);
            let pairs = in_pairs(&bucket.terms);
            let (unique, hashes) = sorted_unique(&pairs, bucket.hashes.into_iter());
            self.size += unique.len();
            let part = (!unique.is_empty()).then(|| build(heap, &unique, &hashes, DIGITS));
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
        visit(&mut self.few);
        for b in self.buckets.iter_mut().skip(self.done) {
            visit(&mut b.terms);
        }
        for node in &mut self.open {
            visit(&mut node.terms);
        }
    }
}

fn in_pairs(terms: &[Term]) -> Vec<(Term, Term)> {
    terms.chunks_exact(2).map(|p| (p[0], p[1])).collect()
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
