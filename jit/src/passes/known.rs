//! Answers questions whose answers are known: from questions asked on every way to a place, and from where values come from.
//!
//! What is known of a value holds in all blocks that are dominated by the one in which it is found out. A parameter of a
//! block to which all jumps give the same value is that value.

use crate::ir::flow::{ControlFlowGraph, DominatorTree, Jump};
use crate::ir::{Block, Inst, Op, SsaFunction, Target, Test, Value};
use enigma_runtime::term::{Kind, Term};
use rustc_hash::FxHashMap;

/// Does it.
pub fn run(f: &mut SsaFunction) {
    let graph = ControlFlowGraph::new(f);
    let mut k = Knowledge {
        dominators: DominatorTree::new(&graph),
        same: (0..f.values.len() as u32).map(Value).collect(),
        facts: FxHashMap::default(),
        questions: FxHashMap::default(),
    };
    let mut seen = vec![false; f.blocks.len()];
    let mut answered: Vec<(Inst, Target)> = Vec::new();
    for &block in graph.order() {
        k.enter(f, block, graph.jumps_to(block), &seen);
        seen[block.index()] = true;
        for i in 0..f.blocks[block.index()].insts.len() {
            let inst = f.blocks[block.index()].insts[i];
            k.learn(f, block, inst);
        }
        let last = f.last(block);
        if let Op::Branch(yes, no) = &f.insts[last.index()].op
            && let Some(&(test, v)) = k.questions.get(&f.insts[last.index()].args[0])
            && let Some(answer) = k.answer(block, v, test)
        {
            answered.push((last, if answer { yes.clone() } else { no.clone() }));
        }
    }
    for (last, to) in answered {
        f.insts[last.index()].op = Op::Jump(to);
        f.insts[last.index()].args.clear();
    }
}

/// Is the answer to `weak` yes where that to `strong` is?
pub(super) fn implies(strong: Test, weak: Test) -> bool {
    Known::from_yes(strong).answer(weak) == Some(true)
}

/// What a term is known to be.
#[derive(Clone, Copy, Debug)]
enum Known {
    Small,
    Atom,
    Nil,
    Cons,
    /// A tuple of so many elements or more.
    TupleFrom(u32),
    /// A tuple of so many elements.
    Tuple(u32),
    /// Something of which the answer to this question is yes.
    Yes(Test),
    /// The answer to this question is no.
    No(Test),
}

impl Known {
    /// What a constant is.
    fn of_constant(word: u64) -> Option<Known> {
        let t = Term::immediate(word)?;
        if t.is_small() {
            Some(Known::Small)
        } else if t.is_atom() {
            Some(Known::Atom)
        } else if t.is_nil() {
            Some(Known::Nil)
        } else {
            None
        }
    }

    /// What the answer yes to a question says.
    fn from_yes(test: Test) -> Known {
        match test {
            Test::Small => Known::Small,
            Test::Atom => Known::Atom,
            Test::Nil => Known::Nil,
            Test::Cons => Known::Cons,
            Test::Kind(Kind::Tuple) => Known::TupleFrom(0),
            Test::TupleAbove(n) => Known::TupleFrom(n + 1),
            Test::TupleOf(n) | Test::Tagged(n, _) => Known::Tuple(n),
            other => Known::Yes(other),
        }
    }

    /// The answer to a question.
    fn answer(self, test: Test) -> Option<bool> {
        match (self, test) {
            (Known::Yes(q), _) => (q == test).then_some(true),
            (Known::No(q), _) => (q == test).then_some(false),
            (Known::Small, Test::Small | Test::Integer | Test::Number) => Some(true),
            (Known::Atom, Test::Atom) | (Known::Nil | Known::Cons, Test::List) => Some(true),
            (Known::Nil, Test::Nil) | (Known::Cons, Test::Cons) => Some(true),
            (Known::Atom, Test::Boolean) => None,
            (Known::TupleFrom(_) | Known::Tuple(_), Test::Kind(Kind::Tuple)) => Some(true),
            (Known::TupleFrom(least), Test::TupleAbove(n)) => (least > n).then_some(true),
            (Known::TupleFrom(least), Test::TupleOf(n) | Test::Tagged(n, _)) => {
                (n < least).then_some(false)
            }
            (Known::Tuple(size), Test::TupleAbove(n)) => Some(size > n),
            (Known::Tuple(size), Test::TupleOf(n)) => Some(size == n),
            (Known::Tuple(size), Test::Tagged(n, _)) => (size != n).then_some(false),
            _ => Some(false),
        }
    }
}

struct Knowledge {
    dominators: DominatorTree,
    /// The value that each one is, as far as parameters are known to be another one.
    same: Vec<Value>,
    /// What is known, from which block on.
    facts: FxHashMap<Value, Vec<(Block, Known)>>,
    /// The questions to which values are answers.
    questions: FxHashMap<Value, (Test, Value)>,
}

impl Knowledge {
    fn same(&self, v: Value) -> Value {
        self.same[v.index()]
    }

    fn note(&mut self, block: Block, v: Value, known: Known) {
        let v = self.same(v);
        self.facts.entry(v).or_default().push((block, known));
    }

    fn answer(&self, block: Block, v: Value, test: Test) -> Option<bool> {
        let facts = self.facts.get(&self.same(v))?.iter();
        let here = facts.filter(|(from, _)| self.dominators.dominates(*from, block));
        here.rev().find_map(|(_, known)| known.answer(test))
    }

    /// At the beginning of a block to which these jumps lead. `seen` are the blocks gone through before.
    fn enter(&mut self, f: &SsaFunction, block: Block, jumps: &[Jump], seen: &[bool]) {
        let given = |jump: &Jump, n: usize| {
            let last = &f.insts[f.last(jump.from).index()].op;
            let target = last.targets()[jump.which];
            seen[jump.from.index()].then(|| self.same(target.args[n]))
        };
        let params = &f.blocks[block.index()].params;
        let mut found = Vec::new();
        for (n, &param) in params.iter().enumerate() {
            let mut values = jumps.iter().map(|j| given(j, n));
            if let Some(Some(first)) = values.next()
                && values.all(|v| v == Some(first))
            {
                found.push((param, first));
            }
        }
        for (param, v) in found {
            self.same[param.index()] = v;
        }
        if let [Jump { from, which }] = *jumps {
            self.learn_from_jump(f, block, f.last(from), which);
        }
    }

    /// What it says that a block is reached over this jump alone.
    fn learn_from_jump(&mut self, f: &SsaFunction, block: Block, last: Inst, which: usize) {
        let inst = &f.insts[last.index()];
        match &inst.op {
            Op::Branch(..) => {
                if let Some(&(test, v)) = self.questions.get(&inst.args[0]) {
                    let known = match which {
                        0 => Known::from_yes(test),
                        _ => Known::No(test),
                    };
                    self.note(block, v, known);
                }
            }
            Op::Switch(cases, _) => {
                if let Some(known) = cases.get(which).and_then(|c| Known::of_constant(c.0)) {
                    self.note(block, inst.args[0], known);
                }
            }
            Op::SwitchArity(cases, _) => {
                if let Some(case) = cases.get(which) {
                    self.note(block, inst.args[0], Known::Tuple(case.0));
                }
            }
            _ => {}
        }
    }

    /// What an instruction says of its results.
    fn learn(&mut self, f: &SsaFunction, block: Block, inst: Inst) {
        let inst = &f.insts[inst.index()];
        let known = match &inst.op {
            Op::Test(test) => {
                self.questions
                    .insert(inst.results[0], (*test, inst.args[0]));
                return;
            }
            Op::Const(word) => Known::of_constant(*word),
            Op::BoolTerm => Some(Known::Atom),
            Op::TupleSize => Some(Known::Small),
            Op::Cons => Some(Known::Cons),
            Op::Tuple => Some(Known::Tuple(inst.args.len() as u32)),
            Op::UpdateTuple(size, _) | Op::OverwriteTuple(size, _) => Some(Known::Tuple(*size)),
            _ => None,
        };
        if let Some(known) = known {
            self.note(block, inst.results[0], known);
        }
    }
}
