//! Removes blocks that cannot be reached from the first one.

use crate::ir::flow::reachable;
use crate::ir::{Block, SsaFunction};

/// Does it.
pub fn run(f: &mut SsaFunction) {
    let reached = reachable(f);
    for block in (0..f.blocks.len() as u32).map(Block) {
        if !reached[block.index()] {
            f.remove_block(block);
        }
    }
}
