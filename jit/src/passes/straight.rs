//! Puts a block that is reached from one jump alone behind the block that ends in it.

use crate::ir::flow::ControlFlowGraph;
use crate::ir::{Block, Op, SsaFunction, Value};
use rustc_hash::FxHashMap;

/// Does it.
pub fn run(f: &mut SsaFunction) {
    let graph = ControlFlowGraph::new(f);
    // The block that has become part of which other one.
    let mut part_of: FxHashMap<Block, Block> = FxHashMap::default();
    let mut found: FxHashMap<Value, Value> = FxHashMap::default();
    for &block in graph.order() {
        let [jump] = *graph.jumps_to(block) else {
            continue;
        };
        let home = *part_of.get(&jump.from).unwrap_or(&jump.from);
        let last = f.last(home);
        let Op::Jump(target) = &f.insts[last.index()].op else {
            continue;
        };
        if block == Block(0) {
            continue;
        }
        let given: Vec<Value> = target.args.clone();
        let params = std::mem::take(&mut f.blocks[block.index()].params);
        for (param, v) in params.into_iter().zip(given) {
            found.insert(param, *found.get(&v).unwrap_or(&v));
        }
        let rest = std::mem::take(&mut f.blocks[block.index()].insts);
        let insts = &mut f.blocks[home.index()].insts;
        insts.pop();
        insts.extend(rest);
        part_of.insert(block, home);
    }
    if !found.is_empty() {
        f.map_uses(|v| *found.get(&v).unwrap_or(&v));
    }
}
