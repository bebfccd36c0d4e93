//! Which values are used further on.

use super::flow::ControlFlowGraph;
use super::{Block, Inst, SsaFunction, Value};

/// A set of values of one function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueSet {
    words: Vec<u64>,
}

impl ValueSet {
    /// None of a function's values, which are so many.
    pub fn new(values: usize) -> ValueSet {
        ValueSet {
            words: vec![0; values.div_ceil(64)],
        }
    }

    /// These of a function's values, which are so many.
    pub fn of(values: usize, these: &[Value]) -> ValueSet {
        let mut set = ValueSet::new(values);
        these.iter().for_each(|v| {
            set.insert(*v);
        });
        set
    }

    /// Is it in the set?
    pub fn contains(&self, value: Value) -> bool {
        self.words[value.index() / 64] >> (value.index() % 64) & 1 != 0
    }

    /// Puts a value in. Is it new?
    pub fn insert(&mut self, value: Value) -> bool {
        let (word, bit) = (
            &mut self.words[value.index() / 64],
            1 << (value.index() % 64),
        );
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Takes a value out.
    pub fn remove(&mut self, value: Value) {
        self.words[value.index() / 64] &= !(1 << (value.index() % 64));
    }

    /// Puts all of another set in.
    pub fn unite(&mut self, other: &ValueSet) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// The values, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = Value> + '_ {
        let words = (0u32..).zip(&self.words);
        words.flat_map(|(n, &word)| {
            let bits = std::iter::successors(Some(word), |w| Some(w & w.wrapping_sub(1)));
            let bits = bits.take_while(|w| *w != 0);
            bits.map(move |w| Value(n * 64 + w.trailing_zeros()))
        })
    }
}

/// For each block that can be reached, the values that are defined before it and used in it or behind it.
#[derive(Debug)]
pub struct ValueLiveness {
    before: Vec<ValueSet>,
}

impl ValueLiveness {
    /// Finds out, going through the blocks backwards until nothing changes.
    pub fn new(f: &SsaFunction, graph: &ControlFlowGraph) -> ValueLiveness {
        let none = ValueSet::new(f.values.len());
        let mut liveness = ValueLiveness {
            before: vec![none.clone(); f.blocks.len()],
        };
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for &block in graph.order().iter().rev() {
                let mut live = liveness.after(graph, block);
                let data = &f.blocks[block.index()];
                for &inst in data.insts.iter().rev() {
                    step_back(f, inst, &mut live);
                }
                for &param in &data.params {
                    live.remove(param);
                }
                changed |= live != liveness.before[block.index()];
                liveness.before[block.index()] = live;
            }
        }
        liveness
    }

    /// The values that are live where a block begins, without its parameters.
    pub fn before(&self, block: Block) -> &ValueSet {
        &self.before[block.index()]
    }

    /// The values that are live behind a block's last instruction; [`step_back`] leads from there to what is live in front of
    /// each one.
    pub fn after(&self, graph: &ControlFlowGraph, block: Block) -> ValueSet {
        let mut live = ValueSet::new(0);
        live.words.resize(self.before[block.index()].words.len(), 0);
        for &next in graph.successors(block) {
            live.unite(&self.before[next.index()]);
        }
        live
    }
}

/// From what is live behind an instruction to what is live in front of it.
pub fn step_back(f: &SsaFunction, inst: Inst, live: &mut ValueSet) {
    for &result in &f.insts[inst.index()].results {
        live.remove(result);
    }
    for value in f.uses(inst) {
        live.insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::parse;

    #[test]
    fn around_a_loop() {
        let f = parse(
            "function m:f/2 {
block0(v0: term, v1: term):
    v2 = const []
    jump block1(v0)

block1(v3: term):
    v4: bool = test.cons v3
    branch v4, block2, block3

block2:
    v5 = tail v3
    again block1(v5)

block3:
    v6 = arith.add v1, v3, exit0
    return v6

exit0: pc 9, x0 = v2
}",
        );
        let f = f.expect("it is a function");
        let graph = ControlFlowGraph::new(&f);
        let liveness = ValueLiveness::new(&f, &graph);
        let before = |b| {
            liveness
                .before(Block(b))
                .iter()
                .map(|v| v.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(before(0), []);
        assert_eq!(before(1), [1, 2]);
        assert_eq!(before(2), [1, 2, 3]);
        assert_eq!(before(3), [1, 2, 3]);
        let mut live = liveness.after(&graph, Block(2));
        assert_eq!(live.iter().map(|v| v.0).collect::<Vec<_>>(), [1, 2]);
        step_back(&f, f.blocks[2].insts[1], &mut live);
        assert_eq!(live.iter().map(|v| v.0).collect::<Vec<_>>(), [1, 2, 5]);
    }

    #[test]
    fn sets() {
        let mut set = ValueSet::new(200);
        for n in [0, 63, 64, 130, 199] {
            assert!(set.insert(Value(n)));
            assert!(!set.insert(Value(n)));
        }
        set.remove(Value(64));
        assert_eq!(
            set.iter().map(|v| v.0).collect::<Vec<_>>(),
            [0, 63, 130, 199]
        );
        assert!(set.contains(Value(63)) && !set.contains(Value(64)));
    }
}
