//! Takes what a block has just put into a slot of the frame for the slot's value, leaves out what nobody will read, and frames that nobody
//! sees.
//!
//! Others see the frame where code is called or left, and where terms may move. Between two such places the block alone knows
//! what is in a slot: a frame that is made and dropped there need not be.

use crate::ir::{Inst, Op, SsaFunction, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// Does it.
pub fn run(f: &mut SsaFunction) {
    let mut found: FxHashMap<Value, Value> = FxHashMap::default();
    for block in 0..f.blocks.len() {
        let mut view = View::default();
        for i in f.blocks[block].insts.clone() {
            view.step(f, i, &mut found);
        }
        let gone = view.gone;
        f.blocks[block].insts.retain(|i| !gone.contains(i));
    }
    if !found.is_empty() {
        f.map_uses(|v| *found.get(&v).unwrap_or(&v));
    }
}

/// A slot, counted from the top of the stack where the block begins.
type Slot = i64;

/// What a block knows of the stack.
#[derive(Default)]
struct View {
    /// The top of the stack.
    top: Slot,
    values: FxHashMap<Slot, Value>,
    /// Instructions that have set slots and whom nobody has needed yet.
    stores: FxHashMap<Slot, Inst>,
    /// The frame that was made last, if nobody has seen it.
    frame: Option<Frame>,
    /// Instructions that are not needed.
    gone: FxHashSet<Inst>,
}

/// A frame that nobody has seen.
struct Frame {
    made: Inst,
    /// The slot behind its last one.
    end: Slot,
    drops: Vec<Inst>,
}

impl View {
    fn step(&mut self, f: &mut SsaFunction, i: Inst, found: &mut FxHashMap<Value, Value>) {
        let inst = &f.insts[i.index()];
        match &inst.op {
            Op::Allocate { slots, .. } => {
                self.seen();
                let end = self.top;
                self.top -= Slot::from(*slots);
                let fresh = |slot: &Slot| *slot >= end;
                self.values.retain(|slot, _| fresh(slot));
                let drops = Vec::new();
                self.frame = Some(Frame {
                    made: i,
                    end,
                    drops,
                });
            }
            Op::StoreY(n) => {
                let slot = self.top + Slot::from(*n);
                let v = inst.args[0];
                self.values.insert(slot, *found.get(&v).unwrap_or(&v));
                if let Some(before) = self.stores.insert(slot, i) {
                    self.gone.insert(before);
                }
            }
            Op::LoadY(n) => {
                let slot = self.top + Slot::from(*n);
                match self.values.get(&slot) {
                    Some(&v) => {
                        found.insert(inst.results[0], v);
                        self.gone.insert(i);
                    }
                    None => {
                        self.values.insert(slot, inst.results[0]);
                        self.stores.remove(&slot);
                        self.frame = None;
                    }
                }
            }
            Op::Drop(n) => {
                let top = self.top + Slot::from(*n);
                for slot in self.top..top {
                    self.values.remove(&slot);
                    self.gone.extend(self.stores.remove(&slot));
                }
                self.top = top;
                self.dropped(f, i);
            }
            Op::StoreCatch(n, _) => {
                self.values.remove(&(self.top + Slot::from(*n)));
                self.seen();
            }
            Op::PushReturn(_) => {
                self.seen();
                self.top -= 1;
                self.values.remove(&self.top);
            }
            Op::Build(_) => self.seen(),
            op if op.exit().is_some() || op.collects() || op.ends_block() => self.seen(),
            _ => {}
        }
        if f.insts[i.index()].op.collects() || matches!(f.insts[i.index()].op, Op::Step { .. }) {
            self.values.clear();
        }
    }

    /// Others see the frame.
    fn seen(&mut self) {
        self.stores.clear();
        self.frame = None;
    }

    /// Slots have been dropped by an instruction. If nothing is left of a frame that nobody has seen, it is not made.
    fn dropped(&mut self, f: &mut SsaFunction, i: Inst) {
        let Some(frame) = &mut self.frame else { return };
        frame.drops.push(i);
        if self.top < frame.end {
            return;
        }
        if self.top == frame.end
            && let Op::Allocate { heap, exit, .. } = f.insts[frame.made.index()].op
        {
            match heap {
                0 => {
                    self.gone.insert(frame.made);
                }
                _ => f.insts[frame.made.index()].op = Op::Reserve(heap, exit),
            }
            self.gone.extend(frame.drops.drain(..));
        }
        self.frame = None;
    }
}
