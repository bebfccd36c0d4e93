//! Removes blocks that cannot be reached from the first one.

use crate::ir::flow::ControlFlowGraph;
use crate::ir::{Block, SsaFunction};

/// Does it.
pub fn run(f: &mut SsaFunction) {
    let graph = ControlFlowGraph::new(f);
    for block in (0..f.blocks.len() as u32).map(Block) {
        if !graph.is_reachable(block) {
            f.remove_block(block);
        }
    }
}
