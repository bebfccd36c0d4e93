//! Drops questions that the next one answers too: where a term is asked whether it is a tuple, and then of which size, and both noes lead
//! to the same place.

use super::known::implies;
use crate::ir::flow::ControlFlowGraph;
use crate::ir::{Block, Op, SsaFunction, Target, Test, Value};
use enigma_runtime::term::Kind;

/// Does it.
pub fn run(f: &mut SsaFunction) {
    let graph = ControlFlowGraph::new(f);
    for &block in graph.order() {
        let last = f.last(block);
        if let Op::Branch(yes, no) = &f.insts[last.index()].op
            && graph.jumps_to(yes.block).len() == 1
            && let Some((weak, v)) = question(f, block)
            && asks_more(f, yes.block, weak, v, no)
        {
            let yes = yes.clone();
            let inst = &mut f.insts[last.index()];
            inst.op = Op::Jump(yes);
            inst.args.clear();
        }
    }
}

/// The test of a value with which a block ends.
fn question(f: &SsaFunction, block: Block) -> Option<(Test, Value)> {
    let [.., test, last] = f.blocks[block.index()].insts[..] else {
        return None;
    };
    let (test, last) = (&f.insts[test.index()], &f.insts[last.index()]);
    match test.op {
        Op::Test(t) if test.results == last.args => Some((t, test.args[0])),
        _ => None,
    }
}

/// Does a block do nothing but ask for something of which `weak` follows, and go where `no` leads where that is not so?
fn asks_more(f: &SsaFunction, block: Block, weak: Test, v: Value, no: &Target) -> bool {
    let insts = &f.blocks[block.index()].insts;
    let last = &f.insts[f.last(block).index()];
    match &last.op {
        Op::SwitchArity(_, other) => {
            insts.len() == 1 && last.args == [v] && weak == Test::Kind(Kind::Tuple) && other == no
        }
        Op::Branch(_, other) => {
            let strong = question(f, block).filter(|&(_, asked)| asked == v);
            insts.len() == 2 && other == no && strong.is_some_and(|(t, _)| implies(t, weak))
        }
        _ => false,
    }
}
