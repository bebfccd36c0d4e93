//! Where a function calls itself, asks first what the callee would ask first: if it would return at once, there is no call.
//!
//! What is copied to a call are the questions with which the function begins, as far as they lead to blocks that return
//! something known, with nothing else done. Trees are walked and recursions ended with half of the calls or less.

use crate::ir::{self, Block, Callee, Inst, Op, Repr, SsaFunction, Target, Value};
use rustc_hash::FxHashMap;

/// So many instructions are copied to a call at most.
const MOST_COPIED: usize = 8;
/// Functions with more calls of themselves are left as they are.
const MOST_CALLS: usize = 6;

/// Does it.
pub fn run(f: &mut SsaFunction) {
    let Some(beginning) = Beginning::of(f) else {
        return;
    };
    let calls: Vec<Inst> = f
        .blocks
        .iter()
        .flat_map(|b| &b.insts)
        .copied()
        .filter(|i| matches!(f.insts[i.index()].op, Op::Call(Callee::This, _)))
        .collect();
    if calls.len() <= MOST_CALLS {
        for call in calls {
            beginning.copy_to(f, call);
        }
    }
}

/// How a function begins.
struct Beginning {
    /// Its arguments.
    params: Vec<Value>,
    first: Target,
    /// The blocks that are copied.
    blocks: Vec<(Block, Vec<Inst>)>,
}

impl Beginning {
    fn of(f: &SsaFunction) -> Option<Beginning> {
        if f.at.is_some() {
            return None;
        }
        let ir::edit::Beginning { arguments, target } = f.beginning()?;
        let mut blocks = Vec::new();
        let mut count = 0;
        let returns = collect(f, target.block, 2, &mut blocks, &mut count);
        (returns && count <= MOST_COPIED).then_some(Beginning {
            params: arguments,
            first: target,
            blocks,
        })
    }

    fn copy_to(&self, f: &mut SsaFunction, call: Inst) {
        let place = f.blocks.iter().enumerate().find_map(|(n, b)| {
            let at = b.insts.iter().position(|i| *i == call)?;
            Some((Block(n as u32), at))
        });
        let Some((block, at)) = place else { return };
        f.place = f.insts[call.index()].place;
        let behind = f.blocks[block.index()].insts.split_off(at + 1);
        f.blocks[block.index()].insts.pop();
        let (calls, join) = (f.block(), f.block());
        let cold = f.blocks[block.index()].cold;
        for b in [calls, join] {
            f.blocks[b.index()].cold = cold;
        }
        // What the call gave comes from one of both ways.
        let result = f.insts[call.index()].results[0];
        let given = f.value(Repr::Term);
        f.insts[call.index()].results[0] = given;
        f.blocks[calls.index()].insts.push(call);
        f.jump(calls, join, vec![given]);
        f.blocks[join.index()].params.push(result);
        f.blocks[join.index()].insts = behind;
        let args = f.insts[call.index()].args.iter().copied();
        let mut copy = Copy {
            beginning: self,
            values: self.params.iter().copied().zip(args).collect(),
            calls,
            join,
        };
        copy.block(f, &self.first, block);
    }
}

/// Takes a block and those behind it down, as far as they are to be copied. Is it to be?
fn collect(
    f: &SsaFunction,
    block: Block,
    depth: usize,
    blocks: &mut Vec<(Block, Vec<Inst>)>,
    count: &mut usize,
) -> bool {
    let insts = &f.blocks[block.index()].insts;
    let Some((last, others)) = insts.split_last() else {
        return false;
    };
    if !others.iter().all(|i| is_cheap(&f.insts[i.index()].op)) {
        return false;
    }
    let length = blocks.len();
    *count += others.len() + 1;
    blocks.push((block, insts.clone()));
    let copied = match &f.insts[last.index()].op {
        Op::Return => true,
        Op::Branch(yes, no) if depth > 0 => {
            let yes = collect(f, yes.block, depth - 1, blocks, count);
            let no = collect(f, no.block, depth - 1, blocks, count);
            yes || no
        }
        _ => false,
    };
    if !copied {
        blocks.truncate(length);
        *count -= others.len() + 1;
    }
    copied
}

/// Is it little code without a call, mostly?
fn is_cheap(op: &Op) -> bool {
    matches!(
        op,
        Op::Const(_) | Op::Test(_) | Op::Compare(_) | Op::Head | Op::Tail | Op::Element(_)
    )
}

/// A copy of the beginning for one call.
struct Copy<'a> {
    beginning: &'a Beginning,
    values: FxHashMap<Value, Value>,
    /// Where the call is made.
    calls: Block,
    /// Where its value is used.
    join: Block,
}

impl Copy<'_> {
    fn value(&self, v: Value) -> Value {
        *self.values.get(&v).unwrap_or(&v)
    }

    /// What stands for a target: a fresh block, or that of the call.
    fn target(&mut self, f: &mut SsaFunction, target: &Target) -> Target {
        let copied = self.beginning.blocks.iter().any(|b| b.0 == target.block);
        let block = match copied {
            true => f.block(),
            false => self.calls,
        };
        f.blocks[block.index()].cold = f.blocks[self.join.index()].cold;
        Target {
            block,
            args: Vec::new(),
        }
    }

    /// Copies the block that a target names behind the instructions of another one.
    fn block(&mut self, f: &mut SsaFunction, target: &Target, to: Block) {
        let Some((_, insts)) = self.beginning.blocks.iter().find(|b| b.0 == target.block) else {
            return;
        };
        let params = f.blocks[target.block.index()].params.clone();
        for (param, arg) in params.into_iter().zip(&target.args) {
            let arg = self.value(*arg);
            self.values.insert(param, arg);
        }
        for inst in insts {
            let what = f.insts[inst.index()].clone();
            let args: Vec<Value> = what.args.iter().map(|v| self.value(*v)).collect();
            match what.op {
                Op::Return => f.jump(to, self.join, args),
                Op::Branch(yes, no) => {
                    let copies = [self.target(f, &yes), self.target(f, &no)];
                    let [a, b] = copies.clone();
                    f.push(to, Op::Branch(a, b), args, &[]);
                    for (target, copy) in [yes, no].iter().zip(copies) {
                        if copy.block != self.calls {
                            self.block(f, target, copy.block);
                        }
                    }
                }
                op => {
                    let reprs: Vec<Repr> = what.results.iter().map(|r| f.repr(*r)).collect();
                    let inst = f.push(to, op, args, &reprs);
                    let results = f.insts[inst.index()].results.clone();
                    self.values.extend(what.results.into_iter().zip(results));
                }
            }
        }
    }
}
