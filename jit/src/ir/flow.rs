//! The control flow graph of a function, and which blocks dominate which.

use super::{Block, SsaFunction};

/// A jump to a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Jump {
    /// The block from which it comes.
    pub from: Block,
    /// Which of the targets of that block's last instruction it is.
    pub which: usize,
}

/// Which blocks follow which. Blocks that cannot be reached from the first one are in no order and have no part in
/// anybody's predecessors.
#[derive(Debug)]
pub struct ControlFlowGraph {
    successors: Vec<Vec<Block>>,
    predecessors: Vec<Vec<Block>>,
    jumps: Vec<Vec<Jump>>,
    order: Vec<Block>,
    /// A block's place in the order.
    places: Vec<Option<u32>>,
}

impl ControlFlowGraph {
    /// Of a function whose jumps lead to blocks that exist.
    pub fn new(f: &SsaFunction) -> ControlFlowGraph {
        let successors: Vec<Vec<Block>> = f.blocks().map(|(b, _)| f.successors(b)).collect();
        let order = reverse_postorder(&successors);
        let mut places = vec![None; successors.len()];
        let mut predecessors = vec![Vec::new(); successors.len()];
        let mut jumps = vec![Vec::new(); successors.len()];
        for (place, &block) in (0..).zip(&order) {
            places[block.index()] = Some(place);
            for next in &successors[block.index()] {
                predecessors[next.index()].push(block);
            }
            let last = f.blocks[block.index()].insts.last();
            let targets = last.map_or(Vec::new(), |i| f.insts[i.index()].op.targets());
            for (which, target) in targets.into_iter().enumerate() {
                jumps[target.block.index()].push(Jump { from: block, which });
            }
        }
        ControlFlowGraph {
            successors,
            predecessors,
            jumps,
            order,
            places,
        }
    }

    /// The blocks that can be reached, in reverse postorder: each one before those that it dominates, and before all that
    /// follow it but by jumps back.
    pub fn order(&self) -> &[Block] {
        &self.order
    }

    /// The block's place in that order, if it can be reached.
    pub fn place(&self, block: Block) -> Option<u32> {
        self.places[block.index()]
    }

    /// Can the block be reached?
    pub fn is_reachable(&self, block: Block) -> bool {
        self.place(block).is_some()
    }

    /// The blocks that may run next, each once.
    pub fn successors(&self, block: Block) -> &[Block] {
        &self.successors[block.index()]
    }

    /// The jumps to the block from blocks that can be reached.
    pub fn jumps_to(&self, block: Block) -> &[Jump] {
        &self.jumps[block.index()]
    }

    /// The reachable blocks that may have run before, each once.
    pub fn predecessors(&self, block: Block) -> &[Block] {
        &self.predecessors[block.index()]
    }
}

impl SsaFunction {
    /// The blocks that a block may go on in, each once.
    pub fn successors(&self, block: Block) -> Vec<Block> {
        let mut next = Vec::new();
        if let Some(last) = self.blocks[block.index()].insts.last() {
            for target in self.insts[last.index()].op.targets() {
                if !next.contains(&target.block) {
                    next.push(target.block);
                }
            }
        }
        next
    }
}

fn reverse_postorder(successors: &[Vec<Block>]) -> Vec<Block> {
    let mut order = Vec::new();
    if successors.is_empty() {
        return order;
    }
    let mut seen = vec![false; successors.len()];
    seen[0] = true;
    // Blocks that are being gone through, with the successors that are still to be looked at. The last one comes
    // first, so that the first one is the next in the order.
    let mut open = vec![(Block(0), successors[0].len())];
    while let Some((block, rest)) = open.last_mut() {
        if *rest == 0 {
            order.push(*block);
            open.pop();
            continue;
        }
        *rest -= 1;
        let next = successors[block.index()][*rest];
        if !std::mem::replace(&mut seen[next.index()], true) {
            open.push((next, successors[next.index()].len()));
        }
    }
    order.reverse();
    order
}

/// Which blocks are on every way to a block.
#[derive(Debug)]
pub struct DominatorTree {
    /// The nearest other block that dominates a block.
    immediate: Vec<Option<Block>>,
    /// When a walk of the tree enters and leaves each block.
    spans: Vec<(u32, u32)>,
}

impl DominatorTree {
    /// The tree, by the iteration of Cooper, Harvey and Kennedy.
    pub fn new(graph: &ControlFlowGraph) -> DominatorTree {
        let count = graph.places.len();
        let mut immediate = vec![None; count];
        // Places in the order are compared: a dominator has the lesser one.
        let place = |block: Block| graph.place(block).unwrap_or(0);
        let mut known: Vec<Option<u32>> = vec![None; graph.order.len()];
        if let Some(first) = known.first_mut() {
            *first = Some(0);
        }
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for &block in graph.order.iter().skip(1) {
                let mut nearest: Option<u32> = None;
                for &before in graph.predecessors(block) {
                    let before = place(before);
                    if known[before as usize].is_some() {
                        nearest = Some(match nearest {
                            Some(other) => common(&known, other, before),
                            None => before,
                        });
                    }
                }
                let at = place(block) as usize;
                if known[at] != nearest {
                    known[at] = nearest;
                    changed = true;
                }
            }
        }
        let mut children: Vec<Vec<Block>> = vec![Vec::new(); count];
        for &block in graph.order.iter().skip(1) {
            let parent = known[place(block) as usize].map(|p| graph.order[p as usize]);
            immediate[block.index()] = parent;
            if let Some(parent) = parent {
                children[parent.index()].push(block);
            }
        }
        let spans = spans(graph, &children);
        DominatorTree { immediate, spans }
    }

    /// The nearest other block that dominates this one: none for the first block and those that cannot be reached.
    pub fn immediate(&self, block: Block) -> Option<Block> {
        self.immediate[block.index()]
    }

    /// Is `a` on every way to `b`? A block dominates itself. Both can be reached.
    pub fn dominates(&self, a: Block, b: Block) -> bool {
        let (a, b) = (self.spans[a.index()], self.spans[b.index()]);
        a.0 <= b.0 && b.1 <= a.1
    }
}

/// The nearest dominator that two places have in common.
fn common(known: &[Option<u32>], mut a: u32, mut b: u32) -> u32 {
    while a != b {
        let further = if a > b { &mut a } else { &mut b };
        *further = known[*further as usize].unwrap_or(0);
    }
    a
}

fn spans(graph: &ControlFlowGraph, children: &[Vec<Block>]) -> Vec<(u32, u32)> {
    let mut spans = vec![(0, 0); children.len()];
    let Some(&first) = graph.order.first() else {
        return spans;
    };
    let mut time = 0;
    let mut open = vec![(first, 0)];
    while let Some((block, done)) = open.last_mut() {
        if *done == 0 {
            spans[block.index()].0 = time;
            time += 1;
        }
        if let Some(&child) = children[block.index()].get(*done) {
            *done += 1;
            open.push((child, 0));
        } else {
            spans[block.index()].1 = time;
            time += 1;
            open.pop();
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::parse;

    /// block1 is a loop's head, block2 and block3 its two ways, block4 where they meet; nothing leads to block6.
    const LOOP: &str = "function m:f/1 {
block0(v0: term):
    v1: bool = test.small v0
    jump block1

block1:
    branch v1, block2, block3

block2:
    jump block4

block3:
    branch v1, block4, block5

block4:
    jump block1

block5:
    return v0

block6:
    jump block5
}
";

    fn blocks(numbers: &[u32]) -> Vec<Block> {
        numbers.iter().copied().map(Block).collect()
    }

    #[test]
    fn order_and_predecessors() {
        let f = parse(LOOP).expect("it is a function");
        let graph = ControlFlowGraph::new(&f);
        assert_eq!(graph.order(), blocks(&[0, 1, 2, 3, 4, 5]));
        assert_eq!(graph.predecessors(Block(1)), blocks(&[0, 4]));
        assert_eq!(graph.predecessors(Block(4)), blocks(&[2, 3]));
        assert_eq!(graph.predecessors(Block(5)), blocks(&[3]));
        assert_eq!(graph.successors(Block(3)), blocks(&[4, 5]));
        assert!(!graph.is_reachable(Block(6)));
    }

    #[test]
    fn dominators() {
        let f = parse(LOOP).expect("it is a function");
        let tree = DominatorTree::new(&ControlFlowGraph::new(&f));
        let immediate: Vec<_> = (0..7)
            .map(|b| tree.immediate(Block(b)).map(|b| b.0))
            .collect();
        assert_eq!(
            immediate,
            [None, Some(0), Some(1), Some(1), Some(1), Some(3), None]
        );
        for (a, b, expected) in [
            (0, 5, true),
            (1, 1, true),
            (2, 4, false),
            (3, 5, true),
            (5, 3, false),
        ] {
            assert_eq!(tree.dominates(Block(a), Block(b)), expected, "{a} {b}");
        }
    }

    #[test]
    fn loops_that_are_entered_twice() {
        let f = parse(
            "function m:f/1 {
block0(v0: term):
    v1: bool = test.small v0
    branch v1, block1, block2
block1:
    branch v1, block2, block3
block2:
    branch v1, block1, block3
block3:
    return v0
}",
        );
        let graph = ControlFlowGraph::new(&f.expect("it is a function"));
        let tree = DominatorTree::new(&graph);
        for b in 1..4 {
            assert_eq!(tree.immediate(Block(b)), Some(Block(0)));
        }
    }
}
