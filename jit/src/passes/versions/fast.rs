//! Makes the fast version: the blocks of the loop, one after the other, with what is known of their values.
//!
//! A value of the loop may be a term, a float or both in the fast version; a term for a float is made where one is needed. So
//! parameters of blocks are decided on where a block begins, when all jumps to it are there but those back to it.

use super::number::Number;
use super::table::{Answer, Consequences, KnownValues};
use super::{Guess, Plan, is_repeatable};
use crate::ir::flow::{ControlFlowGraph, DominatorTree};
use crate::ir::{Block, ExitRef, Inst, InstData, Op, Repr, SsaExit, SsaFunction, Target, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// Adds the fast version, and the tests that lead to it.
pub fn add(f: &mut SsaFunction, graph: &ControlFlowGraph, tree: &DominatorTree, plan: &Plan) {
    let params = f.blocks[plan.header.index()].params.clone();
    let [tests, header, slow] = [(); 3].map(|()| f.block());
    f.blocks[slow.index()].cold = true;
    let mut fast = Fast {
        f,
        graph,
        plan,
        table: KnownValues::new(tree),
        at: tests,
        repeatable: true,
        blocks: [(plan.header, header)].into_iter().collect(),
        edges: FxHashMap::default(),
        done: [Block(0)].into_iter().collect(),
        tests,
        slow,
    };
    fast.f.place = None;
    fast.write_tests(&params, header);
    fast.begin_header(&params, header);
    for &block in graph.order() {
        if block != Block(0) {
            fast.block(block);
        }
    }
    for &block in graph.order() {
        let last = fast.f.last(block);
        for target in fast.f.insts[last.index()].op.targets_mut() {
            if target.block == plan.header {
                target.block = tests;
            }
        }
    }
    fast.write_slow(&params, header);
}

/// A jump in the fast version whose values are not there yet.
struct Edge {
    /// The block of the fast version, and which of its last instruction's targets.
    from: Block,
    which: usize,
    /// Values of the loop.
    args: Vec<Value>,
    /// The block of the loop that jumps.
    here: Block,
}

/// What is done.
pub(super) struct Fast<'a> {
    pub(super) f: &'a mut SsaFunction,
    graph: &'a ControlFlowGraph,
    plan: &'a Plan,
    pub(super) table: KnownValues<'a>,
    /// The block of the fast version that is written.
    at: Block,
    /// May all that was done since the header be done again?
    pub(super) repeatable: bool,
    /// Blocks of the fast version by those of the loop.
    blocks: FxHashMap<Block, Block>,
    edges: FxHashMap<Block, Vec<Edge>>,
    /// Blocks of the loop that have been gone through.
    done: FxHashSet<Block>,
    tests: Block,
    slow: Block,
}

impl Fast<'_> {
    // ---- writing ----

    pub(super) fn push(&mut self, op: Op, args: Vec<Value>, results: &[Repr]) -> Vec<Value> {
        let inst = self.f.push(self.at, op, args, results);
        self.f.insts[inst.index()].results.clone()
    }

    pub(super) fn one(&mut self, op: Op, args: Vec<Value>, result: Repr) -> Value {
        self.f.one(self.at, op, args, result)
    }

    /// Goes on in a fresh block if the answer is yes, else there.
    fn or_else(&mut self, answer: Value, no: Target) {
        self.at = self.f.or_else(self.at, answer, no);
    }

    /// Goes on if the answer is yes; begins the other version if not.
    pub(super) fn or_slow(&mut self, answer: Value) {
        let slow = Target {
            block: self.slow,
            args: Vec::new(),
        };
        self.or_else(answer, slow);
    }

    /// The term that a value of the loop is.
    pub(super) fn term(&mut self, v: Value) -> Value {
        if let Some(term) = self.table.term(v) {
            return term;
        }
        let Some(float) = self.table.float(v) else {
            enigma_runtime::bug::vm_bug("a value of the fast version is used before it is defined")
        };
        let term = self.one(Op::Box, vec![float], Repr::Term);
        self.table.set_term(v, term);
        term
    }

    /// The float that a float of the loop is.
    pub(super) fn float(&mut self, v: Value) -> Value {
        match self.table.float(v) {
            Some(float) => float,
            None => enigma_runtime::bug::vm_bug("a float of the fast version is not there"),
        }
    }

    /// The state of an exit.
    pub(super) fn exit(&mut self, exit: ExitRef) -> ExitRef {
        let SsaExit {
            pc,
            under,
            x,
            floats,
        } = self.f.exits[exit.index()].clone();
        let in_x = |(n, v): (u16, Value)| match self.table.term(v) {
            Some(term) => (n, term),
            None => (n, self.float(v)),
        };
        let x = x.into_iter().map(in_x).collect();
        let floats = floats.into_iter();
        let floats = floats.map(|(n, v)| (n, self.float(v))).collect();
        self.f.exit(SsaExit {
            pc,
            under,
            x,
            floats,
        })
    }

    // ---- the blocks around it ----

    /// In front of the loop: are the guesses right?
    fn write_tests(&mut self, params: &[Value], header: Block) {
        let given: Vec<Value> = params
            .iter()
            .map(|_| self.f.param(self.tests, Repr::Term))
            .collect();
        let other = Target {
            block: self.plan.header,
            args: given.clone(),
        };
        let guessed = |guess| {
            let guesses = self.plan.guesses.iter().zip(&given);
            let right = guesses.filter(move |g| *g.0 == Some(guess));
            right.map(|g| *g.1).collect::<Vec<Value>>()
        };
        let small = guessed(Guess::Small);
        if !small.is_empty() {
            let are = self.one(Op::AreSmall, small, Repr::Bool);
            self.or_else(are, other.clone());
        }
        let mut args = given;
        for (arg, guess) in args.iter_mut().zip(&self.plan.guesses) {
            if *guess == Some(Guess::Float) {
                let r = self.push(Op::TryUnbox, vec![*arg], &[Repr::Bool, Repr::Float]);
                self.or_else(r[0], other.clone());
                *arg = r[1];
            }
        }
        self.f.jump(self.at, header, args);
    }

    fn begin_header(&mut self, params: &[Value], header: Block) {
        self.table.here = self.plan.header;
        for (&param, guess) in params.iter().zip(&self.plan.guesses) {
            match guess {
                Some(Guess::Float) => {
                    let float = self.f.param(header, Repr::Float);
                    self.table.set_float(param, float);
                    self.table.learn(param, Number::of(Number::FLOAT));
                }
                _ => {
                    let term = self.f.param(header, Repr::Term);
                    self.table.set_term(param, term);
                    if guess.is_some() {
                        self.table.learn(param, Number::of(Number::SMALL));
                    }
                }
            }
        }
    }

    /// Back to the loop as it was, with what the fast version's header was given.
    fn write_slow(&mut self, params: &[Value], header: Block) {
        let used = self.f.blocks.iter().any(|b| {
            let last = b.insts.last().map(|i| &self.f.insts[i.index()].op);
            last.is_some_and(|op| op.targets().iter().any(|t| t.block == self.slow))
        });
        if !used {
            return;
        }
        self.f.place = None;
        self.at = self.slow;
        let given = self.f.blocks[header.index()].params.clone();
        debug_assert_eq!(given.len(), params.len());
        let mut args = Vec::new();
        for v in given {
            args.push(match self.f.repr(v) {
                Repr::Float => self.one(Op::Box, vec![v], Repr::Term),
                _ => v,
            });
        }
        self.f.jump(self.at, self.plan.header, args);
    }

    // ---- a block ----

    fn block(&mut self, block: Block) {
        if block != self.plan.header {
            match self.edges.remove(&block) {
                Some(edges) => self.begin(block, edges),
                None => {
                    self.done.insert(block);
                    return;
                }
            }
        }
        self.done.insert(block);
        self.at = self.blocks[&block];
        self.table.here = block;
        self.repeatable = self.plan.repeatable[block.index()];
        for inst in self.f.blocks[block.index()].insts.clone() {
            let data = self.f.insts[inst.index()].clone();
            self.f.place = data.place;
            if data.op.ends_block() {
                self.end(data);
            } else {
                let repeatable = is_repeatable(&data.op);
                self.inst(data);
                self.repeatable &= repeatable;
            }
        }
    }

    /// Decides on the parameters of a block to which these jumps lead, and perhaps others back to it.
    fn begin(&mut self, block: Block, edges: Vec<Edge>) {
        let jumps = self.graph.jumps_to(block);
        let closed = jumps.iter().all(|j| self.done.contains(&j.from));
        let params = self.f.blocks[block.index()].params.clone();
        let at = self.blocks[&block];
        self.f.blocks[at.index()].cold = self.f.blocks[block.index()].cold;
        let mut reprs = Vec::new();
        let mut numbers = Vec::new();
        for (n, &param) in params.iter().enumerate() {
            let mut number: Option<Number> = None;
            let mut float = true;
            for edge in &edges {
                self.table.here = edge.here;
                let given = self.table.number(edge.args[n]);
                number = Some(number.map_or(given, |n| n.or(given)));
                float &= given.is(Number::FLOAT) && self.table.float(edge.args[n]).is_some();
            }
            reprs.push(match self.f.repr(param) {
                Repr::Term if closed && float => Repr::Float,
                repr => repr,
            });
            numbers.push(number.filter(|_| closed).unwrap_or(Number::ANY));
        }
        for edge in edges {
            self.fill(edge, at, &reprs);
        }
        self.table.here = block;
        for ((&param, repr), number) in params.iter().zip(reprs).zip(numbers) {
            let v = self.f.param(at, repr);
            match repr {
                Repr::Float => self.table.set_float(param, v),
                _ => self.table.set_term(param, v),
            }
            if self.f.repr(param) == Repr::Term {
                self.table.learn(param, number);
            }
        }
        if let [jump] = *jumps {
            self.learn_from_jump(self.f.last(jump.from), jump.which);
        }
    }

    /// Gives a jump its values.
    fn fill(&mut self, edge: Edge, to: Block, reprs: &[Repr]) {
        let Edge {
            from,
            which,
            args,
            here,
        } = edge;
        self.table.here = here;
        let missing = |t: &KnownValues<'_>| {
            let mut all = args.iter().zip(reprs);
            all.any(|(v, r)| *r == Repr::Term && t.term(*v).is_none())
        };
        let last = self.f.last(from);
        let several = self.f.insts[last.index()].op.targets().len() > 1;
        if several && missing(&self.table) {
            // What makes terms stands on this way only.
            let between = self.f.block();
            self.f.blocks[between.index()].cold = self.f.blocks[to.index()].cold;
            let args = self.edge_args(between, &args, reprs);
            self.f.jump(between, to, args);
            let mut targets = self.f.insts[last.index()].op.targets_mut();
            targets[which].block = between;
            return;
        }
        self.f.blocks[from.index()].insts.pop();
        let args = self.edge_args(from, &args, reprs);
        self.f.blocks[from.index()].insts.push(last);
        let mut targets = self.f.insts[last.index()].op.targets_mut();
        targets[which].args = args;
    }

    fn edge_args(&mut self, at: Block, args: &[Value], reprs: &[Repr]) -> Vec<Value> {
        let mut found = Vec::new();
        for (&v, repr) in args.iter().zip(reprs) {
            found.push(match (repr, self.table.term(v)) {
                (Repr::Float, _) => self.float(v),
                (_, Some(term)) => term,
                (_, None) => {
                    let float = self.float(v);
                    self.f.one(at, Op::Box, vec![float], Repr::Term)
                }
            });
        }
        found
    }

    /// What it says that a block is reached over this jump of the loop alone.
    fn learn_from_jump(&mut self, last: Inst, which: usize) {
        let what = self.f.insts[last.index()].clone();
        match &what.op {
            Op::Branch(..) => {
                if let Some(Consequences { yes, no }) =
                    self.table.consequences.get(&what.args[0]).cloned()
                {
                    for (v, number) in if which == 0 { yes } else { no } {
                        self.table.learn(v, number);
                    }
                }
            }
            Op::Switch(cases, _) => {
                if let Some(case) = cases.get(which) {
                    self.table.learn(what.args[0], Number::of_constant(case.0));
                }
            }
            _ => {}
        }
    }

    // ---- the end of a block ----

    fn end(&mut self, what: InstData) {
        match what.op {
            Op::Branch(yes, no) => match self.table.answers.get(&what.args[0]) {
                Some(Answer::Known(true)) => self.jump(Op::Jump(yes), Vec::new()),
                Some(Answer::Known(false)) => self.jump(Op::Jump(no), Vec::new()),
                Some(&Answer::Open(answer)) => self.jump(Op::Branch(yes, no), vec![answer]),
                None => enigma_runtime::bug::vm_bug("an answer of the fast version is not there"),
            },
            op @ Op::Jump(_) => self.jump(op, Vec::new()),
            op @ (Op::Switch(..) | Op::SwitchArity(..)) => {
                let v = self.term(what.args[0]);
                self.jump(op, vec![v]);
            }
            Op::Again(ref target) => self.again(&what, target),
            Op::Leave(_) if self.repeatable => self.f.jump(self.at, self.slow, Vec::new()),
            _ => self.copy(what),
        }
    }

    /// A jump of the loop, to the same blocks in the fast version.
    fn jump(&mut self, mut op: Op, operands: Vec<Value>) {
        let mut targets = Vec::new();
        for target in op.targets_mut() {
            let plain = self.plain(target);
            targets.push(std::mem::replace(target, plain));
        }
        self.push(op, operands, &[]);
        self.edges_to(targets);
    }

    /// The target in the fast version, without values.
    fn plain(&mut self, target: &Target) -> Target {
        let next = self.blocks.get(&target.block).copied();
        let block = next.unwrap_or_else(|| {
            let block = self.f.block();
            self.blocks.insert(target.block, block);
            block
        });
        Target {
            block,
            args: Vec::new(),
        }
    }

    /// The last instruction leads to these blocks of the loop.
    fn edges_to(&mut self, targets: impl IntoIterator<Item = Target>) {
        let from = self.at;
        for (which, target) in targets.into_iter().enumerate() {
            let edge = Edge {
                from,
                which,
                args: target.args,
                here: self.table.here,
            };
            if self.done.contains(&target.block) {
                // Its parameters are what those of the loop are.
                let params = self.f.blocks[target.block.index()].params.iter();
                let reprs: Vec<Repr> = params.map(|p| self.f.repr(*p)).collect();
                self.fill(edge, self.blocks[&target.block], &reprs);
            } else {
                self.edges.entry(target.block).or_default().push(edge);
            }
        }
    }

    /// Begins the fast version anew if the guesses are right, else the tests of that.
    fn again(&mut self, what: &InstData, target: &Target) {
        let right = |t: &KnownValues<'_>, v: Value, guess: Option<Guess>| match guess {
            Some(Guess::Small) => t.number(v).is(Number::SMALL),
            Some(Guess::Float) => t.float(v).is_some() && t.number(v).is(Number::FLOAT),
            None => true,
        };
        let guesses = &self.plan.guesses;
        let mut given = target.args.iter().zip(guesses);
        let all = given.all(|(v, guess)| right(&self.table, *v, *guess));
        let mut args = Vec::new();
        for (&v, guess) in target.args.iter().zip(guesses) {
            args.push(match guess {
                Some(Guess::Float) if all => self.float(v),
                _ => self.term(v),
            });
        }
        let operands = what.args.iter().map(|&v| match self.table.term(v) {
            Some(term) => term,
            None => self.float(v),
        });
        let operands = operands.collect();
        let block = match all {
            true => self.blocks[&self.plan.header],
            false => self.tests,
        };
        self.push(Op::Again(Target { block, args }), operands, &[]);
    }
}
