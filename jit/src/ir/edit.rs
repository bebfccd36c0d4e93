//! Changing a function.

use super::{Block, ExitRef, Inst, Op, SsaFunction, Target, Value};
use smallvec::SmallVec;

impl Op {
    /// The exit that it names, to be changed.
    pub fn exit_mut(&mut self) -> Option<&mut ExitRef> {
        exit_in!(self)
    }

    /// The offsets of bytecode that it names, but for its exit's, to be changed.
    pub fn places_mut(&mut self) -> SmallVec<[&mut u32; 2]> {
        match self {
            Op::StoreCatch(_, at)
            | Op::Build(at)
            | Op::PushReturn(at)
            | Op::Call(_, at)
            | Op::CallFun(at, _)
            | Op::CallFunAt(at, _)
            | Op::CallApply(at, _)
            | Op::CallBif(_, at, _)
            | Op::CallStep(at, _) => SmallVec::from_iter([at]),
            Op::Step { next, other, .. } => std::iter::once(next).chain(other).collect(),
            _ => SmallVec::new(),
        }
    }

    /// Where it may go on in the function, to be changed.
    pub fn targets_mut(&mut self) -> Vec<&mut Target> {
        match self {
            Op::Jump(t) | Op::Again(t) => vec![t],
            Op::Branch(t, e) => vec![t, e],
            Op::Switch(cases, other) => cases.iter_mut().map(|c| &mut c.1).chain([other]).collect(),
            Op::SwitchArity(cases, other) => {
                cases.iter_mut().map(|c| &mut c.1).chain([other]).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl SsaFunction {
    /// The instruction that ends a block, which has not been removed.
    pub fn last(&self, block: Block) -> Inst {
        match self.blocks[block.index()].insts.last() {
            Some(&last) => last,
            None => unreachable!("{block} has been removed"),
        }
    }

    /// Replaces every use of a value, in exits too.
    pub fn map_uses(&mut self, new: impl Fn(Value) -> Value) {
        for inst in &mut self.insts {
            for arg in &mut inst.args {
                *arg = new(*arg);
            }
            for target in inst.op.targets_mut() {
                for arg in &mut target.args {
                    *arg = new(*arg);
                }
            }
        }
        for exit in &mut self.exits {
            for (_, value) in exit.x.iter_mut().chain(&mut exit.floats) {
                *value = new(*value);
            }
        }
    }

    /// Takes those parameters of blocks away that `keep` refuses, and what jumps give for them.
    pub fn retain_params(&mut self, keep: impl Fn(Value) -> bool) {
        for block in 0..self.blocks.len() {
            let Some(&last) = self.blocks[block].insts.last() else {
                continue;
            };
            for target in self.insts[last.index()].op.targets_mut() {
                let mut params = self.blocks[target.block.index()].params.iter();
                target
                    .args
                    .retain(|_| params.next().is_some_and(|p| keep(*p)));
            }
        }
        for block in &mut self.blocks {
            block.params.retain(|p| keep(*p));
        }
    }

    /// Removes a block that nothing leads to. Its number stays, so that other blocks keep theirs.
    pub fn remove_block(&mut self, block: Block) {
        let data = &mut self.blocks[block.index()];
        data.params.clear();
        data.insts.clear();
    }
}
