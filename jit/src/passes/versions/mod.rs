//! Gives functions that call themselves as the last thing to do a second version of their loop, in which arguments are known
//! to be small integers or are unboxed floats.
//!
//! An argument that arithmetic is done on is guessed to be a small integer, one that is unboxed a float. A block in front of the loop
//! tests that: it leads to the fast version where all guesses are right, to the loop as it was where not. The loop as
//! it was begins anew at the tests; the fast one at itself where the guesses are known to hold again.
//!
//! Whatever is unusual in the fast version (a result that is no small integer or not finite, a term of another kind) leads to the
//! beginning of the other version, which does the same work again: that is done only while nothing has happened that cannot be
//! done twice. What stands behind that is as in the other version, but for what is known.

mod copy;
mod fast;
mod number;
mod table;

use crate::ir::flow::{ControlFlowGraph, DominatorTree};
use crate::ir::{Block, Comparison, Inst, Op, Repr, SsaFunction, Value};
use number::Number;
use rustc_hash::FxHashMap;

/// Does it.
pub fn run(f: &mut SsaFunction) {
    if !f.insts.iter().any(|i| matches!(i.op, Op::Again(_))) {
        return;
    }
    let graph = ControlFlowGraph::new(f);
    let tree = DominatorTree::new(&graph);
    if let Some(plan) = Plan::of(f, &graph).filter(|_| is_reducible(&graph, &tree)) {
        fast::add(f, &graph, &tree, &plan);
    }
}

/// Is every loop entered at one block only?
fn is_reducible(graph: &ControlFlowGraph, tree: &DominatorTree) -> bool {
    let order = graph.order().iter().copied();
    let places: FxHashMap<Block, usize> = order.zip(0..).collect();
    graph.order().iter().all(|b| {
        let mut next = graph.successors(*b).iter();
        next.all(|n| places[n] > places[b] || tree.dominates(*n, *b))
    })
}

/// Functions with more instructions have one version only: the second one costs time to compile.
const MOST_INSTRUCTIONS: usize = 400;

/// What an argument of the loop is guessed to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Guess {
    Small,
    Float,
}

/// What is to be done.
struct Plan {
    /// Where the loop begins.
    header: Block,
    /// By its parameters.
    guesses: Vec<Option<Guess>>,
    /// Where a block begins, may all that was done since the header be done again? By block.
    repeatable: Vec<bool>,
}

impl Plan {
    fn of(f: &SsaFunction, graph: &ControlFlowGraph) -> Option<Plan> {
        let header = header(f, graph)?;
        let blocks = || graph.order().iter().map(|b| &f.blocks[b.index()]);
        let insts = || blocks().flat_map(|b| &b.insts).map(|i| &f.insts[i.index()]);
        if insts().count() > MOST_INSTRUCTIONS
            || insts().any(|i| is_match(&i.op))
            || insts().any(|i| matches!(i.op, Op::FunCode(_)))
            || blocks().any(|b| b.params.iter().any(|p| f.repr(*p) == Repr::Bool))
        {
            return None;
        }
        let plan = Plan {
            header,
            guesses: guesses(f, graph, header),
            repeatable: repeatable(f, graph, header),
        };
        let gain = plan.gain(f, graph);
        (plan.guesses.iter().any(Option::is_some) && gain >= 2).then_some(plan)
    }

    /// How many instructions become better where they may be repeated.
    fn gain(&self, f: &SsaFunction, graph: &ControlFlowGraph) -> usize {
        let mut gain = 0;
        for &block in graph.order().iter().filter(|b| self.repeatable[b.index()]) {
            let insts = f.blocks[block.index()].insts.iter();
            let ops = insts.map(|i| &f.insts[i.index()].op);
            let ops = ops.take_while(|op| is_repeatable(op));
            gain += ops.filter(|op| is_arithmetic(op)).count();
        }
        gain
    }
}

/// The block behind the entry, if the function begins anew there and the entry does nothing else.
fn header(f: &SsaFunction, graph: &ControlFlowGraph) -> Option<Block> {
    let header = f.beginning()?.target.block;
    let mut again = 0;
    for jump in graph.jumps_to(header) {
        match f.insts[f.last(jump.from).index()].op {
            Op::Again(_) => again += 1,
            _ if jump.from == Block(0) => {}
            _ => return None,
        }
    }
    let others = graph
        .order()
        .iter()
        .filter(|b| matches!(&f.insts[f.last(**b).index()].op, Op::Again(t) if t.block != header));
    (again > 0 && others.count() == 0).then_some(header)
}

fn is_match(op: &Op) -> bool {
    matches!(
        op,
        Op::StartMatch
            | Op::MatchBits(_)
            | Op::MatchString(..)
            | Op::GetBits(..)
            | Op::GetUtf(..)
            | Op::SetBitsPosition
    )
}

fn is_arithmetic(op: &Op) -> bool {
    matches!(
        op,
        Op::Arith(..) | Op::TryArith(_) | Op::Unbox(_) | Op::ToFloat(_) | Op::FloatArith(..)
    )
}

/// May it be done again, as if it had not been done? What it fails for would fail again.
fn is_repeatable(op: &Op) -> bool {
    op.is_removable() || op.ends_block() || is_arithmetic(op)
}

fn repeatable(f: &SsaFunction, graph: &ControlFlowGraph, header: Block) -> Vec<bool> {
    let all = |block: Block| {
        let mut insts = f.blocks[block.index()].insts.iter();
        insts.all(|i| is_repeatable(&f.insts[i.index()].op))
    };
    let mut begins = vec![true; f.blocks.len()];
    let mut changed = true;
    while std::mem::take(&mut changed) {
        for &block in graph.order().iter().filter(|b| **b != header) {
            let mut before = graph.predecessors(block).iter();
            let now = before.all(|b| begins[b.index()] && all(*b));
            changed |= now != begins[block.index()];
            begins[block.index()] = now;
        }
    }
    begins
}

/// What the parameters of the header are used for says what they are guessed to be.
fn guesses(f: &SsaFunction, graph: &ControlFlowGraph, header: Block) -> Vec<Option<Guess>> {
    let params = &f.blocks[header.index()].params;
    let same: FxHashMap<Value, usize> = params.iter().copied().zip(0..).collect();
    let mut guesses = vec![None; params.len()];
    let mut compared = Vec::new();
    let insts = graph
        .order()
        .iter()
        .flat_map(|b| &f.blocks[b.index()].insts);
    let insts: Vec<Inst> = insts.copied().collect();
    let mut constants: FxHashMap<Value, Number> = FxHashMap::default();
    for inst in insts {
        let what = &f.insts[inst.index()];
        match &what.op {
            Op::Const(word) => {
                constants.insert(what.results[0], Number::of_constant(*word));
            }
            Op::Arith(..) | Op::TryArith(_) => {
                for param in what.args.iter().filter_map(|a| same.get(a)) {
                    guesses[*param].get_or_insert(Guess::Small);
                }
            }
            Op::Unbox(_) => {
                if let Some(&param) = same.get(&what.args[0]) {
                    guesses[param] = Some(Guess::Float);
                }
            }
            Op::Compare(how) if !matches!(how, Comparison::ExactEq | Comparison::ExactNe) => {
                compared.push([what.args[0], what.args[1]]);
            }
            _ => {}
        }
    }
    // What is compared with a small integer will be one.
    for [a, b] in compared {
        for (one, other) in [(a, b), (b, a)] {
            let small = constants.get(&other).is_some_and(|n| n.is(Number::SMALL))
                || same
                    .get(&other)
                    .is_some_and(|p| guesses[*p] == Some(Guess::Small));
            if let Some(&param) = same.get(&one).filter(|_| small) {
                guesses[param].get_or_insert(Guess::Small);
            }
        }
    }
    guesses
}
