//! Which nodes the identifiers in heaps and terms name.

use super::Heap;
use super::copy::Sizing;
use super::gc::ProcHeap;
use super::walk;
use crate::budget::Budget;
use crate::node::Node;
use crate::term::{Kind, Term};
use std::cell::RefCell;

/// Are objects of this kind identifiers of other nodes?
fn is_identifier(kind: Kind) -> bool {
    matches!(kind, Kind::ExtPid | Kind::ExtPort | Kind::ExtRef)
}

/// Shows the node of each identifier of another node in these blocks, alive or not.
fn in_blocks(blocks: impl Iterator<Item = (*mut u64, usize)>, see: &mut dyn FnMut(Node)) {
    for (start, len) in blocks {
        // SAFETY: the part of a block in use holds whole objects, and these kinds have more than one word.
        unsafe {
            walk::each_object(start, len, |h, p| {
                if is_identifier(h.kind()) {
                    Node::from_word(*p.add(1)).into_iter().for_each(&mut *see);
                }
            });
        }
    }
}

impl Heap {
    /// Shows the node of each identifier of another node, as often as there is one.
    pub fn each_node(&self, see: &mut dyn FnMut(Node)) {
        in_blocks(self.blocks(), see);
    }
}

impl ProcHeap {
    /// The same in both generations.
    pub fn each_node(&self, see: &mut dyn FnMut(Node)) {
        in_blocks(self.blocks(), see);
    }
}

/// Shows the node of each identifier of another node in a term.
pub fn each_node_in(t: Term, see: &mut dyn FnMut(Node)) {
    let see = RefCell::new(see);
    let look = |t: Term, words: usize| {
        if words > 0
            && is_identifier(t.header().kind())
            && let Some(node) = Node::from_word(t.word(1))
        {
            (see.borrow_mut())(node);
        }
        words
    };
    let mut walk = Sizing::new(t);
    while walk.go_on(&mut Budget::of(usize::MAX), look).is_pending() {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atom::Atom;

    #[test]
    fn identifiers_of_other_nodes_are_found() {
        let node = Node {
            name: Atom::new("there@somewhere"),
            creation: 7,
        };
        let mut heap = Heap::new();
        let pid = heap.external_id(Kind::ExtPid, node, 1);
        let items: Vec<Term> = vec![pid, Term::small(3), pid];
        let list = heap.list(&items);
        let all = heap.tuple(&[list, pid]);
        let mut count = 0;
        let mut see = |found| {
            assert_eq!(found, node);
            count += 1;
        };
        heap.each_node(&mut see);
        each_node_in(all, &mut see);
        each_node_in(Term::small(1), &mut see);
        assert_eq!(count, 1 + 3);
    }
}
