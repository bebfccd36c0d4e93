//! Asks once whether the result of several operations on floats is finite.
//!
//! What is not finite stays so through additions, subtractions and multiplications, and as what is divided. So where a float
//! that is asked for goes into another one that is asked for further on, with nothing but pure operations between and both
//! answers no leading to the same place, the first question is not needed.

use crate::ir::flow::ControlFlowGraph;
use crate::ir::{Block, FloatArith, Inst, Op, SsaFunction, Target, Value};

/// Does it.
pub fn run(f: &mut SsaFunction) {
    if !f.insts.iter().any(|i| matches!(i.op, Op::IsFinite)) {
        return;
    }
    let graph = ControlFlowGraph::new(f);
    let mut needless: Vec<(Inst, Target)> = Vec::new();
    for &block in graph.order() {
        if let Some((v, yes, no)) = question(f, block)
            && is_asked_later(f, &graph, v, yes, no)
        {
            needless.push((f.last(block), yes.clone()));
        }
    }
    for (last, yes) in needless {
        f.insts[last.index()].op = Op::Jump(yes);
        f.insts[last.index()].args.clear();
    }
}

/// The float that is asked for where a block ends, and where the answers lead.
fn question(f: &SsaFunction, block: Block) -> Option<(Value, &Target, &Target)> {
    let [.., asks, last] = f.blocks[block.index()].insts[..] else {
        return None;
    };
    let (asks, last) = (&f.insts[asks.index()], &f.insts[last.index()]);
    match (&asks.op, &last.op) {
        (Op::IsFinite, Op::Branch(yes, no)) if last.args == asks.results => {
            Some((asks.args[0], yes, no))
        }
        _ => None,
    }
}

/// Is something asked for that is not finite if `v` is not, before anything else is done?
fn is_asked_later(
    f: &SsaFunction,
    graph: &ControlFlowGraph,
    v: Value,
    yes: &Target,
    no: &Target,
) -> bool {
    let mut tainted = vec![v];
    let mut at = yes;
    // Ways in circles end: each block has one predecessor, and the first one is not among them.
    while graph.jumps_to(at.block).len() == 1 && at.args.is_empty() {
        for inst in &f.blocks[at.block.index()].insts {
            let what = &f.insts[inst.index()];
            match &what.op {
                Op::RawFloatArith(how) => {
                    let passes = match how {
                        FloatArith::Div => &what.args[..1],
                        _ => &what.args[..],
                    };
                    if passes.iter().any(|a| tainted.contains(a)) {
                        tainted.push(what.results[0]);
                    }
                }
                op if op.is_pure() || op.ends_block() => {}
                _ => return false,
            }
        }
        at = match (question(f, at.block), &f.insts[f.last(at.block).index()].op) {
            (Some((w, _, other)), _) if other == no && tainted.contains(&w) => return true,
            (_, Op::Branch(yes, other)) if other == no => yes,
            (_, Op::Jump(to)) => to,
            _ => return false,
        };
    }
    false
}
