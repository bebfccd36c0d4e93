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
    pub fn targets_mut(&mut self) -> SmallVec<[&mut Target; 2]> {
        match self {
            Op::Jump(t) | Op::Again(t) => SmallVec::from_iter([t]),
            Op::Branch(t, e) => SmallVec::from([t, e]),
            Op::Switch(cases, other) => cases.iter_mut().map(|c| &mut c.1).chain([other]).collect(),
            Op::SwitchArity(cases, other) => {
                cases.iter_mut().map(|c| &mut c.1).chain([other]).collect()
            }
            _ => SmallVec::new(),
        }
    }
}

/// How a function begins that can be begun anew: with a jump behind its arguments, and nothing else.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// The function's arguments.
    pub arguments: Vec<Value>,
    /// Where it goes on with them.
    pub target: Target,
}

impl Beginning {
    /// Begins the function anew at the end of a block, with these arguments.
    pub fn again(&self, f: &mut SsaFunction, block: Block, given: Vec<Value>) {
        let mut target = self.target.clone();
        for arg in &mut target.args {
            if let Some(n) = self.arguments.iter().position(|a| a == arg) {
                *arg = given[n];
            }
        }
        f.push(block, Op::Again(target), given, &[]);
    }
}

impl SsaFunction {
    /// How the function begins, if it does nothing before it goes on with its arguments.
    pub fn beginning(&self) -> Option<Beginning> {
        let first = self.blocks.first()?;
        let [only] = first.insts[..] else { return None };
        match &self.insts[only.index()].op {
            Op::Jump(target) => Some(Beginning {
                arguments: first.params.clone(),
                target: target.clone(),
            }),
            _ => None,
        }
    }

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
