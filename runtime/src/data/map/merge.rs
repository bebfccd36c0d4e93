//! The union of two maps, in steps.

use super::{
    MAX_FLAT, children, get, hash_at, hash_put, iter, make_hash, make_node, merge_flat, node_parts,
    put, root, size,
};
use crate::budget::Budget;
use crate::heap::Heap;
use crate::term::{Kind, Term};
use std::task::Poll;

/// See the module's text. Of pairs with one key the second map's counts.
pub struct Merge {
    a: Term,
    b: Term,
    /// Two nodes and the one that they become, from the root on.
    open: Vec<Frame>,
    /// Nodes that both maps have: the pairs in them are counted.
    shared: Vec<Term>,
    /// Pairs that both maps have.
    common: usize,
    begun: bool,
    /// The merged root.
    root: Option<Term>,
}

/// A node under way.
struct Frame {
    /// The two nodes, then the children that are done.
    terms: Vec<Term>,
    /// Digits whose children are still to be merged.
    todo: u64,
}

/// Units that a pair of nodes costs, and each of their children: they lie all over the heap.
const NODE: usize = 16;
const CHILD: usize = 4;
/// Units that putting a pair into a map costs.
const PUT: usize = 30;

/// Is it a pair, or several whose hashes collide, and no node?
fn is_leaf(t: Term) -> bool {
    t.is_cons() || t.is_kind(Kind::HashCollision)
}

impl Merge {
    /// The union of two maps.
    pub fn new(a: Term, b: Term) -> Merge {
        Merge {
            a,
            b,
            open: Vec::new(),
            shared: Vec::new(),
            common: 0,
            begun: false,
            root: None,
        }
    }

    /// Goes on.
    pub fn go_on(&mut self, heap: &mut Heap, budget: &mut Budget) -> Poll<Term> {
        let (a, b) = (self.a, self.b);
        if !self.begun {
            if a == b || size(a) == 0 {
                return Poll::Ready(b);
            }
            if size(b) == 0 {
                return Poll::Ready(a);
            }
            match (a.header().kind(), b.header().kind()) {
                (Kind::FlatMap, Kind::FlatMap) => {
                    budget.spend(MAX_FLAT * 2);
                    return Poll::Ready(merge_flat(heap, a, b));
                }
                (Kind::HashMap, Kind::HashMap) => {}
                (Kind::HashMap, _) => {
                    budget.spend(size(b) * PUT);
                    return Poll::Ready(iter(b).fold(a, |m, (k, v)| put(heap, m, k, v)));
                }
                _ => {
                    budget.spend(size(a) * PUT);
                    return Poll::Ready(iter(a).fold(b, |m, (k, v)| {
                        if get(m, k).is_some() {
                            m
                        } else {
                            put(heap, m, k, v)
                        }
                    }));
                }
            }
            self.begun = true;
            self.root = self.merge_at(heap, root(a), root(b), 0, budget);
        }
        loop {
            if budget.is_spent() {
                return Poll::Pending;
            }
            if let Some(t) = self.shared.pop() {
                budget.spend(CHILD);
                if t.is_cons() {
                    self.common += 1;
                } else {
                    self.shared.extend(children(t));
                }
                continue;
            }
            let level = self.open.len() as u32;
            if let Some(t) = self.root {
                return Poll::Ready(self.whole(heap, t));
            }
            let Some(frame) = self.open.last_mut() else {
                crate::bug::vm_bug("two maps without a root");
            };
            let (na, nb) = (frame.terms[0], frame.terms[1]);
            if frame.todo != 0 {
                budget.spend(CHILD);
                let bit = 1u64 << frame.todo.trailing_zeros();
                frame.todo &= !bit;
                let child = |(bitmap, kids): (u64, &[Term])| {
                    (bitmap & bit != 0).then(|| kids[(bitmap & (bit - 1)).count_ones() as usize])
                };
                match (child(node_parts(na)), child(node_parts(nb))) {
                    (Some(x), Some(y)) => {
                        if let Some(t) = self.merge_at(heap, x, y, level, budget) {
                            self.add(t);
                        }
                    }
                    (Some(t), None) | (None, Some(t)) => self.add(t),
                    (None, None) => {}
                }
                continue;
            }
            budget.spend(NODE);
            let t = closed(heap, na, nb, &frame.terms[2..]);
            self.open.pop();
            match self.open.last_mut() {
                Some(parent) => parent.terms.push(t),
                None => self.root = Some(t),
            }
        }
    }

    /// The map of a merged root.
    fn whole(&self, heap: &mut Heap, t: Term) -> Term {
        let (a, b) = (self.a, self.b);
        if t == root(b) {
            b
        } else if t == root(a) {
            a
        } else {
            make_hash(heap, size(a) + size(b) - self.common, t)
        }
    }

    fn add(&mut self, t: Term) {
        if let Some(frame) = self.open.last_mut() {
            frame.terms.push(t);
        }
    }

    /// The union of two children, or nothing where both are nodes, which get a frame.
    fn merge_at(
        &mut self,
        heap: &mut Heap,
        x: Term,
        y: Term,
        level: u32,
        budget: &mut Budget,
    ) -> Option<Term> {
        budget.spend(NODE);
        if x == y {
            self.shared.push(x);
            return Some(y);
        }
        if is_leaf(y) {
            return Some(self.put_leaves(heap, x, y, level, true, budget));
        }
        if is_leaf(x) {
            return Some(self.put_leaves(heap, y, x, level, false, budget));
        }
        self.open.push(Frame {
            terms: vec![x, y],
            todo: node_parts(x).0 | node_parts(y).0,
        });
        None
    }

    /// `node` with the pairs of `leaf`: instead of those with the same keys, or only where there are none.
    fn put_leaves(
        &mut self,
        heap: &mut Heap,
        node: Term,
        leaf: Term,
        level: u32,
        instead: bool,
        budget: &mut Budget,
    ) -> Term {
        let one = [leaf];
        let leaves = if leaf.is_cons() { &one } else { children(leaf) };
        budget.spend(leaves.len() * PUT);
        leaves.iter().fold(node, |node, &leaf| {
            let mut added = false;
            let new = hash_put(heap, node, leaf, hash_at(leaf, level), level, &mut added);
            self.common += usize::from(!added);
            if added || instead { new } else { node }
        })
    }

    /// Shows the terms that are held.
    pub fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.a));
        visit(std::slice::from_mut(&mut self.b));
        visit(&mut self.shared);
        visit(self.root.as_mut_slice());
        for f in &mut self.open {
            visit(&mut f.terms);
        }
    }
}

/// The node of these children, which is one of the two if it has the same.
fn closed(heap: &mut Heap, a: Term, b: Term, kids: &[Term]) -> Term {
    let ((ma, ca), (mb, cb)) = (node_parts(a), node_parts(b));
    if kids == cb {
        b
    } else if kids == ca {
        a
    } else {
        make_node(heap, ma | mb, kids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::compare;
    use crate::data::map;

    #[test]
    fn the_same_union_in_steps() {
        let mut heap = Heap::new();
        let of = |heap: &mut Heap, keys: std::ops::Range<i64>, value: i64| {
            let pairs: Vec<(Term, Term)> =
                keys.map(|k| (Term::small(k), Term::small(value))).collect();
            map::from_pairs(heap, &pairs)
        };
        let ranges = [0..0, 0..20, 10..50, 0..3000, 1000..9000, 8999..9001];
        for x in &ranges {
            for y in &ranges {
                let (a, b) = (of(&mut heap, x.clone(), 1), of(&mut heap, y.clone(), 2));
                let all: Vec<(Term, Term)> = map::iter(a).chain(map::iter(b)).collect();
                let expected = map::from_pairs(&mut heap, &all);
                let mut m = Merge::new(a, b);
                let t = loop {
                    if let Poll::Ready(t) = m.go_on(&mut heap, &mut Budget::of(1)) {
                        break t;
                    }
                };
                assert!(compare::exact_eq(t, expected), "{x:?} and {y:?}");
                assert_eq!(map::size(t), map::size(expected));
                assert!(map::iter(t).eq(map::iter(expected)));
                // Parts that are the same are shared and counted.
                let again = map::merge(&mut heap, t, b);
                assert!(compare::exact_eq(again, t) && map::size(again) == map::size(t));
            }
        }
    }
}
