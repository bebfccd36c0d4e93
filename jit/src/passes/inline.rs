//! Puts what small functions of the same module do in the place of calls of them.
//!
//! The process's stack is the same as if the call had been made: where the code in a call's place leaves, the return address of the
//! call is under what the interpreter sees. Of a function that makes no frame and calls nothing only exits put it there
//! (`SsaExit::under`); else it is there from the beginning to the end (`Op::PushReturn`). What is called as the last thing to do takes the
//! place of its caller as it always does. So exceptions, traces and collections find what they find otherwise.
//!
//! A call of a function that has been put in the place of its last call may be one of the function itself: that begins it anew.
//!
//! A function that calls itself otherwise is put in the place of these calls too, once: half of the calls are gone. Not so if the call
//! is for the tail of a list, which the pass `lists` makes a loop of.

use crate::ir::edit::Beginning;
use crate::ir::place::{self, MOST_INLINED, MOST_WORDS};
use crate::ir::{Block, Callee, ExitRef, Inst, Op, Repr, SsaExit, SsaFunction, Value};
use crate::passes::lists;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Functions with more instructions are left as they are.
const MOST_INSTRUCTIONS: usize = 160;
/// So many instructions of another function are put in the place of a call at most,
const MOST_IN_CALL: usize = 24;
/// and if it calls or makes a frame itself,
const MOST_WITH_FRAME: usize = 12;
/// and of the function itself.
const MOST_OF_ITSELF: usize = 24;
/// In the place of calls that come with what was put in the place of calls: so often.
const MOST_DEPTH: u32 = 1;

/// A function that may stand in the place of calls.
#[derive(Clone)]
pub struct Inlinable {
    /// Its form, which begins at the entry.
    function: Arc<SsaFunction>,
    /// Does it look at its return address, make a frame, or call?
    has_frame: bool,
    /// May it stand in the place of a call that is not the last thing to do?
    returns: bool,
}

/// Does it in a function whose number in the module is `me`. `find` gives the forms of others by their numbers, where they
/// are small enough and may be looked into. `loops`: calls of the function always lead to this code.
pub fn run(
    f: &mut SsaFunction,
    me: u32,
    loops: bool,
    mut find: impl FnMut(u32) -> Option<Inlinable>,
) {
    let mut found: FxHashMap<u32, Option<Inlinable>> = FxHashMap::default();
    let beginning = loops.then(|| f.beginning()).flatten();
    let itself = loops && !lists::applies(f);
    let mut open: Vec<(Site, u32)> = sites(f, 0..f.blocks.len(), me, itself)
        .map(|s| (s, 0))
        .collect();
    open.reverse();
    while let Some((site, depth)) = open.pop() {
        if f.inlined.len() == MOST_INLINED {
            break;
        }
        let candidate = found
            .entry(site.callee)
            .or_insert_with(|| find(site.callee));
        let Some(candidate) = candidate else { continue };
        let length = candidate.function.instructions();
        let most = match site.callee == me {
            true => MOST_OF_ITSELF,
            false => MOST_WITH_FRAME,
        };
        if f.instructions() + length > MOST_INSTRUCTIONS || !candidate.fits(site.is_last, most) {
            continue;
        }
        let blocks = f.blocks.len();
        let behind = candidate.put(f, &site, loops.then_some(me));
        // What stood behind the call is in another block now.
        for (other, _) in &mut open {
            if let Some(behind) = behind.filter(|_| other.block == site.block) {
                other.block = behind;
            }
        }
        if let Some(beginning) = &beginning {
            for block in blocks..f.blocks.len() {
                begin_anew(f, Block(block as u32), beginning);
            }
        }
        if depth < MOST_DEPTH {
            let more: Vec<Site> = sites(f, blocks..f.blocks.len(), me, false)
                .filter(|s| Some(s.block) != behind)
                .collect();
            open.extend(more.into_iter().rev().map(|s| (s, depth + 1)));
        }
    }
}

/// A call of a function of the module.
struct Site {
    block: Block,
    call: Inst,
    callee: u32,
    /// Is it the last thing that is done?
    is_last: bool,
}

/// The calls in these blocks that are worth it: of others, and perhaps those of the function itself that are not the last thing
/// that it does.
fn sites(
    f: &SsaFunction,
    blocks: std::ops::Range<usize>,
    me: u32,
    itself: bool,
) -> impl Iterator<Item = Site> + '_ {
    let blocks = blocks.filter(|b| !f.blocks[*b].cold);
    blocks.flat_map(move |b| {
        let insts = f.blocks[b].insts.iter();
        insts.filter_map(move |&call| {
            let (callee, is_last) = match f.insts[call.index()].op {
                Op::Call(Callee::This, _) => (me, false),
                Op::Call(Callee::Local(n), _) => (n, false),
                Op::TailCall(Callee::Local(n), _) => (n, true),
                _ => return None,
            };
            (callee != me || itself && !is_last).then_some(Site {
                block: Block(b as u32),
                call,
                callee,
                is_last,
            })
        })
    })
}

/// Begins the function anew where a block ends with a call of it.
fn begin_anew(f: &mut SsaFunction, block: Block, beginning: &Beginning) {
    let Some(&last) = f.blocks[block.index()].insts.last() else {
        return;
    };
    let inst = f.insts[last.index()].clone();
    let Op::TailCall(Callee::This, slots) = inst.op else {
        return;
    };
    f.place = inst.place;
    f.blocks[block.index()].insts.pop();
    drop_slots(f, block, slots);
    beginning.again(f, block, inst.args);
}

fn drop_slots(f: &mut SsaFunction, block: Block, slots: u32) {
    if slots > 0 {
        f.push(block, Op::Drop(slots), Vec::new(), &[]);
    }
}

impl Inlinable {
    /// A function whose bytecode has so many words, if it may stand in the place of calls.
    pub fn of(function: SsaFunction, words: usize) -> Option<Inlinable> {
        if words >= MOST_WORDS || function.instructions() > MOST_IN_CALL {
            return None;
        }
        let ops = || {
            let insts = function.blocks.iter().flat_map(|b| &b.insts);
            insts.map(|i| &function.insts[i.index()].op)
        };
        if ops().any(|op| matches!(op, Op::Again(_) | Op::StoreCatch(..) | Op::Build(_))) {
            return None;
        }
        let (has_frame, returns) = (
            ops().any(sees_frame),
            !ops().any(|op| matches!(op, Op::TailCallFun(..) | Op::TailCallApply(..))),
        );
        Some(Inlinable {
            function: Arc::new(function),
            has_frame,
            returns,
        })
    }

    /// `most`: of so many instructions at most if it has a frame.
    fn fits(&self, is_last: bool, most: usize) -> bool {
        is_last || self.returns && (!self.has_frame || self.function.instructions() <= most)
    }

    /// Puts it in the place of a call. Gives the block that goes on behind it, if it returns there. `me`: the number of `f`, if
    /// calls of it always lead to its code.
    fn put(&self, f: &mut SsaFunction, site: &Site, me: Option<u32>) -> Option<Block> {
        let position = match f.inlined.iter().position(|n| *n == site.callee) {
            Some(position) => position,
            None => {
                f.inlined.push(site.callee);
                f.inlined.len() - 1
            }
        };
        let call = f.insts[site.call.index()].clone();
        let insts = &mut f.blocks[site.block.index()].insts;
        let at = insts.iter().position(|i| *i == site.call)?;
        let rest = insts.split_off(at + 1);
        insts.pop();
        f.place = call.place;
        let after = match call.op {
            Op::Call(_, after) => Some(after),
            Op::TailCall(_, slots) => {
                drop_slots(f, site.block, slots);
                None
            }
            _ => None,
        };
        let behind = after.map(|_| {
            let behind = f.block();
            f.blocks[behind.index()].params.clone_from(&call.results);
            f.blocks[behind.index()].insts = rest;
            behind
        });
        if let Some(after) = after.filter(|_| self.has_frame) {
            f.push(site.block, Op::PushReturn(after), Vec::new(), &[]);
        }
        Copy {
            candidate: self,
            callee: site.callee,
            me,
            position,
            after,
            behind,
            values: FxHashMap::default(),
            blocks: FxHashMap::default(),
        }
        .write(f, site.block, &call.args);
        behind
    }
}

/// Must the return address be on the stack where this is executed?
fn sees_frame(op: &Op) -> bool {
    op.collects()
        || matches!(
            op,
            Op::Allocate { .. }
                | Op::LoadY(_)
                | Op::StoreY(_)
                | Op::Drop(_)
                | Op::PushReturn(_)
                | Op::Step { .. }
        )
}

/// A copy of a function for one call.
struct Copy<'a> {
    candidate: &'a Inlinable,
    callee: u32,
    /// The function that it becomes part of, if calls of that always lead to its code.
    me: Option<u32>,
    position: usize,
    /// Where the interpreter goes on behind the call, and the block that does, if it is not the last thing to do.
    after: Option<u32>,
    behind: Option<Block>,
    values: FxHashMap<Value, Value>,
    blocks: FxHashMap<Block, Block>,
}

impl Copy<'_> {
    fn write(&mut self, f: &mut SsaFunction, from: Block, args: &[Value]) {
        let source = &self.candidate.function;
        for (block, data) in source.blocks().filter(|(_, data)| !data.insts.is_empty()) {
            let copy = f.block();
            f.blocks[copy.index()].cold = data.cold;
            self.blocks.insert(block, copy);
            if block == Block(0) {
                self.values
                    .extend(data.params.iter().copied().zip(args.iter().copied()));
                continue;
            }
            for param in &data.params {
                let v = f.param(copy, source.repr(*param));
                self.values.insert(*param, v);
            }
        }
        for inst in source.blocks.iter().flat_map(|b| &b.insts) {
            for result in &source.insts[inst.index()].results {
                let v = f.value(source.repr(*result));
                self.values.insert(*result, v);
            }
        }
        f.jump(from, self.blocks[&Block(0)], Vec::new());
        for (block, data) in source.blocks() {
            for inst in &data.insts {
                self.inst(f, self.blocks[&block], *inst);
            }
        }
    }

    fn value(&self, v: Value) -> Value {
        self.values[&v]
    }

    fn place(&self, offset: u32) -> u32 {
        place::inlined(self.position, offset)
    }

    fn exit(&self, f: &mut SsaFunction, exit: ExitRef) -> ExitRef {
        let exit = &self.candidate.function.exits[exit.index()];
        let registers = |all: &[(u16, Value)]| all.iter().map(|r| (r.0, self.value(r.1))).collect();
        f.exit(SsaExit {
            pc: self.place(exit.pc),
            under: self.after.filter(|_| !self.candidate.has_frame),
            x: registers(&exit.x),
            floats: registers(&exit.floats),
        })
    }

    fn inst(&self, f: &mut SsaFunction, block: Block, inst: Inst) {
        let mut inst = self.candidate.function.insts[inst.index()].clone();
        inst.place = inst.place.map(|offset| self.place(offset));
        f.place = inst.place;
        for arg in inst.args.iter_mut().chain(&mut inst.results) {
            *arg = self.value(*arg);
        }
        for target in inst.op.targets_mut() {
            target.block = self.blocks[&target.block];
            for arg in &mut target.args {
                *arg = self.value(*arg);
            }
        }
        for offset in inst.op.places_mut() {
            *offset = self.place(*offset);
        }
        if let Some(exit) = inst.op.exit_mut() {
            *exit = self.exit(f, *exit);
        }
        if let Op::Call(callee, _) | Op::TailCall(callee, _) = &mut inst.op {
            *callee = self.target(*callee);
        }
        match (self.after, self.behind, &inst.op) {
            (Some(_), Some(behind), Op::Return) => {
                self.drop_return(f, block);
                f.jump(block, behind, inst.args);
            }
            (Some(after), Some(behind), &Op::TailCall(callee, slots)) => {
                drop_slots(f, block, slots);
                self.drop_return(f, block);
                let v = f.one(block, Op::Call(callee, after), inst.args, Repr::Term);
                f.jump(block, behind, vec![v]);
            }
            _ => {
                f.insts.push(inst);
                let inst = Inst(f.insts.len() as u32 - 1);
                f.blocks[block.index()].insts.push(inst);
            }
        }
    }

    /// What a call in it leads to.
    fn target(&self, callee: Callee) -> Callee {
        match callee {
            Callee::This if self.me == Some(self.callee) => Callee::This,
            Callee::This => Callee::Local(self.callee),
            Callee::Local(n) if self.me == Some(n) => Callee::This,
            other => other,
        }
    }

    /// The return address of the call is not needed any more.
    fn drop_return(&self, f: &mut SsaFunction, block: Block) {
        if self.candidate.has_frame {
            f.push(block, Op::Drop(1), Vec::new(), &[]);
        }
    }
}
