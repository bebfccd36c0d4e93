//! What the values of the loop are in the fast version, and what is known of them there.

use super::number::Number;
use crate::ir::flow::DominatorTree;
use crate::ir::{Block, Value};
use rustc_hash::FxHashMap;

/// Something that holds in all blocks that a block dominates.
type Since<T> = Vec<(Block, T)>;

/// What stands for a value of the loop.
#[derive(Default)]
struct Entry {
    term: Since<Value>,
    float: Since<Value>,
    number: Since<Number>,
}

/// The answer to a question.
#[derive(Clone, Copy)]
pub enum Answer {
    /// It is this value.
    Open(Value),
    /// It is known.
    Known(bool),
}

/// What the answers to a question say of the values of the loop.
#[derive(Clone, Default)]
pub struct Consequences {
    /// If it is yes.
    pub yes: Vec<(Value, Number)>,
    /// If it is no.
    pub no: Vec<(Value, Number)>,
}

/// All of it, by values of the loop. Blocks are those of the loop.
pub struct KnownValues<'a> {
    tree: &'a DominatorTree,
    entries: FxHashMap<Value, Entry>,
    /// By values that are answers.
    pub answers: FxHashMap<Value, Answer>,
    /// By values that are answers.
    pub consequences: FxHashMap<Value, Consequences>,
    /// Words of the fast version, by those of the loop.
    pub words: FxHashMap<Value, Value>,
    /// Where one is.
    pub here: Block,
}

impl<'a> KnownValues<'a> {
    /// Nothing yet.
    pub fn new(tree: &'a DominatorTree) -> KnownValues<'a> {
        KnownValues {
            tree,
            entries: FxHashMap::default(),
            answers: FxHashMap::default(),
            consequences: FxHashMap::default(),
            words: FxHashMap::default(),
            here: Block(0),
        }
    }

    fn last<T: Copy>(&self, since: &Since<T>) -> Option<T> {
        let mut all = since.iter().rev();
        all.find(|s| self.tree.dominates(s.0, self.here))
            .map(|s| s.1)
    }

    /// The term that it is, if there is one here.
    pub fn term(&self, v: Value) -> Option<Value> {
        self.last(&self.entries.get(&v)?.term)
    }

    /// The float that it is, if there is one here.
    pub fn float(&self, v: Value) -> Option<Value> {
        self.last(&self.entries.get(&v)?.float)
    }

    /// What is known of it here.
    pub fn number(&self, v: Value) -> Number {
        let known = self.entries.get(&v).and_then(|e| self.last(&e.number));
        known.unwrap_or(Number::ANY)
    }

    /// From here on it is this term.
    pub fn set_term(&mut self, v: Value, term: Value) {
        let here = self.here;
        self.entries.entry(v).or_default().term.push((here, term));
    }

    /// From here on it is this float.
    pub fn set_float(&mut self, v: Value, float: Value) {
        let here = self.here;
        let entry = self.entries.entry(v).or_default();
        entry.float.push((here, float));
    }

    /// From here on it is also known to be this.
    pub fn learn(&mut self, v: Value, number: Number) {
        let (here, known) = (self.here, self.number(v).and(number));
        let entry = self.entries.entry(v).or_default();
        entry.number.push((here, known));
    }
}
