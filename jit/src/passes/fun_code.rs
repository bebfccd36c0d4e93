//! Looks for the code of a fun once, before the loop that calls it, where each turn of the loop hands the same fun on.
//!
//! The fun itself moves with the heap, and its place between the calls is a slot of the frame; its code does not move. So the question
//! is which arguments of the function a value still is, wherever it has been kept: asked optimistically, of parameters of
//! blocks and of slots. A slot is followed from where it is set through blocks that are reached in one way alone.

use crate::ir::flow::ControlFlowGraph;
use crate::ir::{Block, Inst, InstData, Op, Repr, SsaFunction, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// Does it.
pub fn run(f: &mut SsaFunction) {
    let begins_anew = f.insts.iter().any(|i| matches!(i.op, Op::Again(_)));
    let calls_fun = f.insts.iter().any(|i| matches!(i.op, Op::CallFun(..)));
    if !begins_anew || !calls_fun {
        return;
    }
    let graph = ControlFlowGraph::new(f);
    let kept = kept_values(f, &graph);
    let arguments = arguments(f, &graph, &kept);
    // The code by the argument and by how many arguments it is called with.
    let mut codes: FxHashMap<(Value, u32), Value> = FxHashMap::default();
    for &block in graph.order() {
        for i in f.blocks[block.index()].insts.clone() {
            let inst = &f.insts[i.index()];
            let Op::CallFun(next, exit) = inst.op else {
                continue;
            };
            let Some((fun, args)) = inst.args.split_last() else {
                continue;
            };
            let Some(argument) = argument_of(*fun, &arguments, &kept) else {
                continue;
            };
            let arity = args.len() as u32;
            let code = match codes.get(&(argument, arity)) {
                Some(&code) => code,
                None => {
                    let code = code_before(f, argument, arity);
                    codes.insert((argument, arity), code);
                    code
                }
            };
            let inst = &mut f.insts[i.index()];
            inst.op = Op::CallFunAt(next, exit);
            inst.args.insert(0, code);
        }
    }
}

/// Asks for the code of an argument in the first block, before it ends.
fn code_before(f: &mut SsaFunction, argument: Value, arity: u32) -> Value {
    let code = f.value(Repr::Code);
    let ask = Inst(f.insts.len() as u32);
    f.insts.push(InstData {
        op: Op::FunCode(arity),
        args: vec![argument],
        results: vec![code],
        place: None,
    });
    let first = &mut f.blocks[0].insts;
    first.insert(first.len() - 1, ask);
    code
}

/// What values that are read from slots have been before they were put there.
type Kept = FxHashMap<Value, Value>;

fn kept_values(f: &SsaFunction, graph: &ControlFlowGraph) -> Kept {
    let mut kept = Kept::default();
    let mut behind: FxHashMap<Block, Slots> = FxHashMap::default();
    for &block in graph.order() {
        let mut slots = match graph.jumps_to(block) {
            [jump] => behind.get(&jump.from).cloned().unwrap_or_default(),
            _ => Slots::default(),
        };
        for i in &f.blocks[block.index()].insts {
            slots.step(&f.insts[i.index()], &mut kept);
        }
        behind.insert(block, slots);
    }
    kept
}

/// The slots of the frame, counted from where the top of the stack was when nothing was known.
#[derive(Clone, Default)]
struct Slots {
    top: i64,
    values: FxHashMap<i64, Value>,
}

impl Slots {
    fn step(&mut self, inst: &InstData, kept: &mut Kept) {
        match &inst.op {
            Op::Allocate { slots, .. } => {
                self.top -= i64::from(*slots);
                self.forget_below(self.top + i64::from(*slots));
            }
            Op::PushReturn(_) => {
                self.top -= 1;
                self.values.remove(&self.top);
            }
            Op::Drop(n) => {
                self.top += i64::from(*n);
                self.forget_below(self.top);
            }
            Op::StoreY(n) => {
                self.values.insert(self.top + i64::from(*n), inst.args[0]);
            }
            Op::StoreCatch(n, _) => {
                self.values.remove(&(self.top + i64::from(*n)));
            }
            Op::LoadY(n) => {
                if let Some(&v) = self.values.get(&(self.top + i64::from(*n))) {
                    kept.insert(inst.results[0], v);
                }
            }
            Op::Step { .. } | Op::Build(_) => self.values.clear(),
            _ => {}
        }
    }

    fn forget_below(&mut self, end: i64) {
        self.values.retain(|slot, _| *slot >= end);
    }
}

/// Which argument of the function each parameter of a block is, as far as it is one.
fn arguments(f: &SsaFunction, graph: &ControlFlowGraph, kept: &Kept) -> FxHashMap<Value, Value> {
    let mut found: FxHashMap<Value, Option<Value>> = FxHashMap::default();
    found.extend(f.blocks[0].params.iter().map(|&p| (p, Some(p))));
    let params: FxHashSet<Value> = f
        .blocks()
        .flat_map(|(_, b)| b.params.iter().copied())
        .collect();
    loop {
        let mut changed = false;
        for &block in graph.order() {
            let targets = f.insts[f.last(block).index()].op.targets();
            for target in targets {
                let taken = f.blocks[target.block.index()].params.iter();
                for (&param, &given) in taken.zip(&target.args) {
                    let given = original(given, kept);
                    let is = match found.get(&given) {
                        Some(&is) => is,
                        // A parameter of a block that has not been looked at agrees with everything; what is computed is no argument.
                        None if params.contains(&given) => continue,
                        None => None,
                    };
                    let before = found.get(&param).copied();
                    let now = match before {
                        Some(before) if before != is => None,
                        _ => is,
                    };
                    if before != Some(now) {
                        found.insert(param, now);
                        changed = true;
                    }
                }
            }
        }
        if !changed {
            return found
                .into_iter()
                .filter_map(|(p, is)| Some((p, is?)))
                .collect();
        }
    }
}

/// What a value was before it was put into slots.
fn original(mut v: Value, kept: &Kept) -> Value {
    while let Some(&before) = kept.get(&v) {
        v = before;
    }
    v
}

fn argument_of(v: Value, arguments: &FxHashMap<Value, Value>, kept: &Kept) -> Option<Value> {
    arguments.get(&original(v, kept)).copied()
}
