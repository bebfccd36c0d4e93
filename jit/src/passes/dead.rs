//! Removes instructions whose results nobody needs and which do nothing else, and parameters of blocks that nobody needs,
//! with what jumps give for them.
//!
//! Needed is what instructions use that are not removable, and what needed instructions use, an exit's values among
//! it. What a jump gives for a parameter is needed where the parameter is; so values that only go round a loop are
//! not. The first block keeps its parameters, which are the arguments.

use crate::ir::liveness::ValueSet;
use crate::ir::{Block, Inst, SsaFunction, Value};

/// Does it.
pub fn run(f: &mut SsaFunction) {
    let needed = needed(f);
    let first = ValueSet::of(
        f.values.len(),
        &f.blocks.first().map_or(Vec::new(), |b| b.params.clone()),
    );
    let insts = &f.insts;
    for block in &mut f.blocks {
        block.insts.retain(|i| {
            let inst = &insts[i.index()];
            !inst.op.is_removable() || inst.results.iter().any(|r| needed.contains(*r))
        });
    }
    f.retain_params(|p| needed.contains(p) || first.contains(p));
}

/// Where a value comes from.
#[derive(Clone, Copy)]
enum Origin {
    Result(Inst),
    /// The block's parameter at this index.
    Param(Block, usize),
}

/// The values that are needed.
fn needed(f: &SsaFunction) -> ValueSet {
    let mut origins: Vec<Option<Origin>> = vec![None; f.values.len()];
    // What jumps give to a block, by the block.
    let mut given: Vec<Vec<&[Value]>> = vec![Vec::new(); f.blocks.len()];
    let mut search = Search {
        needed: ValueSet::new(f.values.len()),
        open: Vec::new(),
    };
    for (block, data) in f.blocks() {
        for (index, &param) in data.params.iter().enumerate() {
            origins[param.index()] = Some(Origin::Param(block, index));
        }
        for &inst in &data.insts {
            let what = &f.insts[inst.index()];
            for &result in &what.results {
                origins[result.index()] = Some(Origin::Result(inst));
            }
            for target in what.op.targets() {
                given[target.block.index()].push(&target.args);
            }
            if !what.op.is_removable() {
                search.uses(f, inst);
            }
        }
    }
    while let Some(value) = search.open.pop() {
        match origins[value.index()] {
            Some(Origin::Result(inst)) => search.uses(f, inst),
            Some(Origin::Param(block, index)) => {
                given[block.index()]
                    .iter()
                    .for_each(|args| search.need(args[index]));
            }
            None => {}
        }
    }
    search.needed
}

struct Search {
    needed: ValueSet,
    /// Needed values whose own needs have not been looked at.
    open: Vec<Value>,
}

impl Search {
    fn need(&mut self, value: Value) {
        if self.needed.insert(value) {
            self.open.push(value);
        }
    }

    /// An instruction is executed: what it uses itself is needed, and what it names in its exit.
    fn uses(&mut self, f: &SsaFunction, inst: Inst) {
        f.own_uses(inst).for_each(|value| self.need(value));
    }
}
