//! The pairs of a map one by one, and from a place on.

use super::{BITS, children, flat_parts, is_flat, node_parts, root, size};
use crate::heap::Heap;
use crate::term::{Kind, Term};
use smallvec::SmallVec;

/// The pairs of a map, in the map's own order.
pub fn iter(t: Term) -> MapIter {
    if is_flat(t) {
        let (keys, values) = flat_parts(t);
        return MapIter {
            keys,
            values,
            ..MapIter::default()
        };
    }
    MapIter::below(root(t))
}

/// See `iter`.
#[derive(Default)]
pub struct MapIter {
    /// Keys and values of a flat map.
    keys: &'static [Term],
    values: &'static [Term],
    at: usize,
    /// The nodes on the way to the next pair.
    nodes: Vec<Term>,
    /// Which of its children is the next one of each.
    next: Vec<u32>,
}

impl MapIter {
    /// The pairs below a node, or the pair.
    fn below(node: Term) -> MapIter {
        let nodes = vec![node];
        let next = vec![0];
        MapIter {
            nodes,
            next,
            ..MapIter::default()
        }
    }

    /// Shows the terms that are held; only for large maps, whose iterators hold no more than these.
    pub fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(&mut self.nodes);
    }
}

impl Iterator for MapIter {
    type Item = (Term, Term);

    fn next(&mut self) -> Option<(Term, Term)> {
        if self.at < self.keys.len() {
            let i = self.at;
            self.at += 1;
            return Some((self.keys[i], self.values[i]));
        }
        loop {
            let (&node, next) = (self.nodes.last()?, self.next.last_mut()?);
            let child = if node.is_cons() {
                (*next == 0).then_some(node)
            } else {
                children(node).get(*next as usize).copied()
            };
            *next += 1;
            match child {
                Some(leaf) if leaf.is_cons() => return Some((leaf.head(), leaf.tail())),
                Some(node) => {
                    self.nodes.push(node);
                    self.next.push(0);
                }
                None => {
                    self.nodes.pop();
                    self.next.pop();
                }
            }
        }
    }
}

/// The pairs of a map from a place on that `PlaceIter::place` gave, or from the beginning (0); nothing
/// where the map has no such place. A flat map has no places but its beginning.
///
/// A place is the way through the trie: a leading 1, then four bits a level.
pub fn iter_from(t: Term, place: u128) -> Option<PlaceIter> {
    if is_flat(t) {
        let small = usize::try_from(place).is_ok_and(|p| p <= size(t));
        return small.then(|| PlaceIter {
            flat: iter(t),
            open: SmallVec::new(),
        });
    }
    let mut it = PlaceIter {
        flat: MapIter::default(),
        open: SmallVec::new(),
    };
    let mut node = root(t);
    let digits = match place {
        0 => 0,
        p => (127 - p.leading_zeros()) / BITS,
    };
    if place > 1 && !(127 - place.leading_zeros()).is_multiple_of(BITS) {
        return None;
    }
    for level in (0..digits).rev() {
        let digit = (place >> (level * BITS)) as u64 & 15;
        if !node.is_kind(Kind::HashNode) {
            return None;
        }
        let (bitmap, children) = node_parts(node);
        let bit = 1 << digit;
        if bitmap & bit == 0 {
            return None;
        }
        let at = (bitmap & (bit - 1)).count_ones();
        it.open.push(Open { node, next: at + 1 });
        node = children[at as usize];
    }
    it.open.push(Open { node, next: 0 });
    Some(it)
}

/// See `iter_from`.
pub struct PlaceIter {
    flat: MapIter,
    /// The nodes on the way to the next pair.
    open: SmallVec<[Open; 8]>,
}

/// A node, or pairs whose hashes collide, and the first of its children that is still to be visited.
struct Open {
    node: Term,
    next: u32,
}

impl Open {
    /// What is below it; a pair is below itself.
    #[inline]
    fn children(&self) -> &[Term] {
        if self.node.is_cons() {
            std::slice::from_ref(&self.node)
        } else {
            children(self.node)
        }
    }

    /// The digit of a child of a node.
    fn digit(&self, child: u32) -> u128 {
        let mut bits = node_parts(self.node).0;
        for _ in 0..child {
            bits &= bits - 1;
        }
        u128::from(bits.trailing_zeros())
    }
}

impl PlaceIter {
    /// Where to go on later; nothing at the end. Not to be called between pairs whose hashes collide.
    pub fn place(&self) -> Option<u128> {
        let last = self
            .open
            .iter()
            .rposition(|o| (o.next as usize) < o.children().len())?;
        // The children that are visited are those before the next one.
        let mut way = 1;
        for o in &self.open[..last] {
            way = way << BITS | o.digit(o.next - 1);
        }
        let next = &self.open[last];
        if !next.node.is_kind(Kind::HashNode) {
            return Some(way);
        }
        Some(way << BITS | next.digit(next.next))
    }

    /// The next pairs: at least `count` if there are that many. Pairs whose hashes collide stay together.
    pub fn take_pairs(&mut self, count: usize) -> Vec<(Term, Term)> {
        let mut out: Vec<(Term, Term)> = Vec::with_capacity(count.min(64));
        out.extend(self.flat.by_ref());
        while out.len() < count
            && let Some(top) = self.open.last_mut()
        {
            if !top.node.is_kind(Kind::HashNode) {
                out.extend(top.children().iter().map(|l| (l.head(), l.tail())));
                self.open.pop();
                continue;
            }
            let below = node_parts(top.node).1;
            let mut deeper = None;
            while let Some(child) = below.get(top.next as usize) {
                if out.len() >= count {
                    return out;
                }
                top.next += 1;
                if child.is_cons() {
                    out.push((child.head(), child.tail()));
                } else {
                    deeper = Some(*child);
                    break;
                }
            }
            match deeper {
                Some(node) => self.open.push(Open { node, next: 0 }),
                None => {
                    self.open.pop();
                }
            }
        }
        out
    }
}

/// Calls `f` with the pairs of a large map in their order; `t` must be one.
pub fn each_pair(t: Term, f: &mut impl FnMut(Term, Term)) {
    each_below(root(t), f);
}

/// No deeper than the hash of a key has digits.
fn each_below(node: Term, f: &mut impl FnMut(Term, Term)) {
    if node.is_cons() {
        return f(node.head(), node.tail());
    }
    for &child in children(node) {
        if child.is_cons() {
            f(child.head(), child.tail());
        } else {
            each_below(child, f);
        }
    }
}

/// The nodes of a large map as tuples of what is below them, down to the pairs; `t` must be one.
pub fn nodes_as_tuples(heap: &mut Heap, t: Term) -> Term {
    node_as_tuple(heap, root(t))
}

/// No deeper than the hash of a key has digits.
fn node_as_tuple(heap: &mut Heap, node: Term) -> Term {
    if node.is_cons() {
        return node;
    }
    let below: Vec<Term> = children(node)
        .iter()
        .map(|&child| node_as_tuple(heap, child))
        .collect();
    heap.tuple(&below)
}
