//! The control flow graph of a function, and which blocks dominate which.

use super::{Block, SsaFunction, Target};
use smallvec::SmallVec;

/// A jump to a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Jump {
    /// The block from which it comes.
    pub from: Block,
    /// Which of the targets of that block's last instruction it is.
    pub which: usize,
}

/// For each block some things, one block's behind another's.
#[derive(Debug)]
struct ByBlock<T> {
    /// Where each block's begin, and where the last one's end.
    starts: Vec<u32>,
    all: Vec<T>,
}

impl<T: Copy> ByBlock<T> {
    /// What is told of so many blocks, in the order in which it is told; `tell` tells the same twice.
    fn collect(blocks: usize, any: T, tell: impl Fn(&mut dyn FnMut(Block, T))) -> ByBlock<T> {
        let mut starts = vec![0u32; blocks + 1];
        tell(&mut |block, _| starts[block.index() + 1] += 1);
        for block in 0..blocks {
            starts[block + 1] += starts[block];
        }
        let mut all = vec![any; starts[blocks] as usize];
        let mut next = starts.clone();
        tell(&mut |block, what| {
            let at = &mut next[block.index()];
            all[*at as usize] = what;
            *at += 1;
        });
        ByBlock { starts, all }
    }

    fn of(&self, block: Block) -> &[T] {
        let [from, to] = [0, 1].map(|n| self.starts[block.index() + n] as usize);
        &self.all[from..to]
    }
}

/// Which blocks follow which. Blocks that cannot be reached from the first one are in no order and have no part in
/// anybody's predecessors.
#[derive(Debug)]
pub struct ControlFlowGraph {
    successors: ByBlock<Block>,
    predecessors: ByBlock<Block>,
    jumps: ByBlock<Jump>,
    order: Vec<Block>,
    /// A block's place in the order.
    places: Vec<Option<u32>>,
}

impl ControlFlowGraph {
    /// Of a function whose jumps lead to blocks that exist.
    pub fn new(f: &SsaFunction) -> ControlFlowGraph {
        let count = f.blocks.len();
        let mut successors = ByBlock {
            starts: Vec::with_capacity(count + 1),
            all: Vec::with_capacity(2 * count),
        };
        for (block, _) in f.blocks() {
            let start = successors.all.len();
            successors.starts.push(start as u32);
            for target in f.targets(block) {
                if !successors.all[start..].contains(&target.block) {
                    successors.all.push(target.block);
                }
            }
        }
        successors.starts.push(successors.all.len() as u32);
        let order = reverse_postorder(&successors);
        let mut places = vec![None; count];
        for (place, &block) in (0..).zip(&order) {
            places[block.index()] = Some(place);
        }
        let predecessors = ByBlock::collect(count, Block(0), |tell| {
            for &block in &order {
                let next = successors.of(block);
                next.iter().for_each(|next| tell(*next, block));
            }
        });
        let none = Jump {
            from: Block(0),
            which: 0,
        };
        let jumps = ByBlock::collect(count, none, |tell| {
            for &from in &order {
                for (which, target) in f.targets(from).into_iter().enumerate() {
                    tell(target.block, Jump { from, which });
                }
            }
        });
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
        self.successors.of(block)
    }

    /// The jumps to the block from blocks that can be reached.
    pub fn jumps_to(&self, block: Block) -> &[Jump] {
        self.jumps.of(block)
    }

    /// The reachable blocks that may have run before, each once.
    pub fn predecessors(&self, block: Block) -> &[Block] {
        self.predecessors.of(block)
    }
}

impl SsaFunction {
    /// Where a block may go on.
    fn targets(&self, block: Block) -> SmallVec<[&Target; 2]> {
        let last = self.blocks[block.index()].insts.last();
        last.map_or(SmallVec::new(), |i| self.insts[i.index()].op.targets())
    }
}

/// Which blocks can be reached from the first one.
pub fn reachable(f: &SsaFunction) -> Vec<bool> {
    let mut seen = vec![false; f.blocks.len()];
    let mut open: Vec<Block> = f.blocks().take(1).map(|(first, _)| first).collect();
    while let Some(block) = open.pop() {
        if !std::mem::replace(&mut seen[block.index()], true) {
            open.extend(f.targets(block).iter().map(|t| t.block));
        }
    }
    seen
}

fn reverse_postorder(successors: &ByBlock<Block>) -> Vec<Block> {
    let count = successors.starts.len() - 1;
    let mut order = Vec::with_capacity(count);
    if count == 0 {
        return order;
    }
    let mut seen = vec![false; count];
    seen[0] = true;
    // Blocks that are being gone through, with the successors that are still to be looked at. The last one comes
    // first, so that the first one is the next in the order.
    let mut open = vec![(Block(0), successors.of(Block(0)).len())];
    while let Some((block, rest)) = open.last_mut() {
        if *rest == 0 {
            order.push(*block);
            open.pop();
            continue;
        }
        *rest -= 1;
        let next = successors.of(*block)[*rest];
        if !std::mem::replace(&mut seen[next.index()], true) {
            open.push((next, successors.of(next).len()));
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
        for &block in graph.order.iter().skip(1) {
            let parent = known[place(block) as usize].map(|p| graph.order[p as usize]);
            immediate[block.index()] = parent;
        }
        let children = ByBlock::collect(count, Block(0), |tell| {
            for &block in graph.order.iter().skip(1) {
                if let Some(parent) = immediate[block.index()] {
                    tell(parent, block);
                }
            }
        });
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

fn spans(graph: &ControlFlowGraph, children: &ByBlock<Block>) -> Vec<(u32, u32)> {
    let mut spans = vec![(0, 0); graph.places.len()];
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
        if let Some(&child) = children.of(*block).get(*done) {
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
