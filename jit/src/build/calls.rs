//! Calls, frames, and heap that is reserved.

use super::{Builder, Flow};
use crate::ir::{Callee, ExitRef, Op as Ssa, Repr, Value};
use enigma_loader::{Instr, Op, Operand, Reg};
use enigma_runtime::atom::Atom;
use enigma_runtime::term::Term;
use std::collections::BTreeSet;

/// How a call ends the function, if it does.
#[derive(Clone, Copy)]
enum Ending {
    /// It does not.
    Returns,
    /// It is the last thing, and drops a frame of so many slots.
    Tail(usize),
}

impl Builder<'_> {
    fn arguments(&mut self, n: usize) -> Vec<Value> {
        (0..n as u16).map(|x| self.x(x)).collect()
    }

    fn ending(op: Op, o: &[Operand]) -> Ending {
        match op {
            Op::CallLast | Op::CallExtLast => Ending::Tail(Self::num(&o[2])),
            Op::CallOnly | Op::CallExtOnly => Ending::Tail(0),
            _ => Ending::Returns,
        }
    }

    pub(super) fn local_call(&mut self, i: &Instr, o: &[Operand]) -> Flow {
        let label = o[1].label();
        let target = label.and_then(|l| self.module.file.function_by_entry(l));
        let Some(target) = target else {
            return self.leave();
        };
        let ending = Self::ending(i.op, o);
        // What begins elsewhere calls the function as any other one, and so does one that a native library may stand for.
        let is_this =
            target == self.me.index as usize && self.out.at.is_none() && !self.me.may_be_replaced();
        if let (true, Ending::Tail(slots)) = (is_this, ending) {
            return self.again(slots);
        }
        let callee = match is_this {
            true => Callee::This,
            false => Callee::Local(target as u32),
        };
        self.call(callee, Self::num(&o[0]), ending)
    }

    /// The function calls itself as the last thing to do.
    fn again(&mut self, slots: usize) -> Flow {
        if slots > 0 {
            self.drop_slots(slots);
        }
        let n = self.out.arity;
        let arguments = self.arguments(n);
        let target = self.target(self.code.entry);
        self.push(Ssa::Again(target), arguments, &[]);
        Flow::Ends
    }

    fn call(&mut self, callee: Callee, arity: usize, ending: Ending) -> Flow {
        let arguments = self.arguments(arity);
        match ending {
            Ending::Tail(slots) => {
                self.push(Ssa::TailCall(callee, slots as u32), arguments, &[]);
                Flow::Ends
            }
            Ending::Returns => {
                let after = self.next_pc();
                self.returns(Ssa::Call(callee, after), arguments)
            }
        }
    }

    pub(super) fn external_call(&mut self, i: &Instr, o: &[Operand]) -> Flow {
        let arity = Self::num(&o[0]);
        let export = self.module.imports[Self::num(&o[1])];
        let ending = Self::ending(i.op, o);
        let is_erlang = export.module == Atom::ERLANG;
        if is_erlang && export.function == Atom::APPLY && (arity == 2 || arity == 3) {
            return match ending {
                Ending::Returns => self.call_step(),
                Ending::Tail(_) => self.leave(),
            };
        }
        if export.bif().is_none() || export.is_loaded() {
            return self.call(Callee::Export(export), arity, ending);
        }
        let (exit, after) = (self.exit(), self.next_pc());
        let arguments = self.arguments(arity);
        let goes_on = self.returns(Ssa::CallBif(export, after, exit), arguments);
        match ending {
            Ending::Returns => goes_on,
            Ending::Tail(slots) => {
                if slots > 0 {
                    self.drop_slots(slots);
                }
                let v = self.x(0);
                self.push(Ssa::Return, vec![v], &[]);
                Flow::Ends
            }
        }
    }

    /// A call that returns: its value is in the first X register, and nothing else is known.
    fn returns(&mut self, call: Ssa, arguments: Vec<Value>) -> Flow {
        let v = self.one(call, arguments, Repr::Term);
        self.forget();
        self.env.x.insert(0, v);
        Flow::Next
    }

    /// Lets the interpreter execute an instruction that calls.
    pub(super) fn call_step(&mut self) -> Flow {
        let (exit, after) = (self.exit(), self.next_pc());
        self.returns(Ssa::CallStep(after, exit), Vec::new())
    }

    /// A call of the function that the X registers behind the arguments name. It may be the last thing to do, and drops so many
    /// slots then.
    pub(super) fn apply(&mut self, arity: usize, last: Option<usize>) -> Flow {
        let exit = self.exit();
        let arguments = self.arguments(arity + 2);
        if let Some(slots) = last {
            let op = Ssa::TailCallApply(slots as u32, exit);
            self.push(op, arguments, &[]);
            return Flow::Ends;
        }
        let after = self.next_pc();
        self.returns(Ssa::CallApply(after, exit), arguments)
    }

    /// A call of a fun. One whose value is returned is a tail call, as in the bytecode.
    pub(super) fn call_fun(&mut self, arity: usize, fun: Value) -> Flow {
        let exit = self.exit();
        let mut arguments = self.arguments(arity);
        arguments.push(fun);
        let rest = &self.code.instrs[self.at + 1..];
        if let [drop, back, ..] = rest
            && drop.op == Op::Deallocate
            && back.op == Op::Return
        {
            let slots = Self::num(&self.code.operands(drop)[0]);
            self.push(Ssa::TailCallFun(slots as u32, exit), arguments, &[]);
            return Flow::Ends;
        }
        let after = self.next_pc();
        self.returns(Ssa::CallFun(after, exit), arguments)
    }

    // ---- frames ----

    pub(super) fn allocate(&mut self, slots: usize, words: usize, live: &Operand) -> Flow {
        let written = self.slots_written_first();
        let clear = (0..slots as u16).filter(|n| !written.contains(n)).collect();
        self.env.y.clear();
        let op = Ssa::Allocate {
            slots: slots as u32,
            heap: words as u32,
            clear,
            exit: self.collecting_exit(Self::num(live)),
        };
        self.push(op, Vec::new(), &[]);
        Flow::Next
    }

    pub(super) fn test_heap(&mut self, words: usize, live: &Operand) -> Flow {
        if words == 0 {
            return Flow::Next;
        }
        let exit = self.collecting_exit(Self::num(live));
        self.push(Ssa::Reserve(words as u32, exit), Vec::new(), &[]);
        Flow::Next
    }

    /// The state in front of an instruction that may collect with so many X registers live: the collector looks at
    /// all of them, also at those that nobody reads any more.
    fn collecting_exit(&mut self, live: usize) -> ExitRef {
        let exit = self.exit();
        let read: Vec<u16> = self.out.exits[exit.index()].x.iter().map(|x| x.0).collect();
        for n in (0..live as u16).filter(|n| !read.contains(n)) {
            let nil = self.constant_word(Term::NIL.raw());
            self.out.exits[exit.index()].x.push((n, nil));
        }
        exit
    }

    /// The slots of a fresh frame that are written before anybody may look at it: by instructions right behind
    /// the one that makes it, which cannot stop.
    fn slots_written_first(&self) -> BTreeSet<u16> {
        let mut written = BTreeSet::new();
        for i in &self.code.instrs[self.at + 1..] {
            let o = self.code.operands(i);
            match i.op {
                Op::Line => {}
                Op::Move => {
                    if let Some(Reg::Y(y)) = o[0].reg()
                        && !written.contains(&y)
                    {
                        break;
                    }
                    if let Some(Reg::Y(y)) = o[1].reg() {
                        written.insert(y);
                    }
                }
                Op::InitYregs => {
                    let slots = self.code.list(&o[0]).iter();
                    written.extend(slots.filter_map(|s| match s.reg() {
                        Some(Reg::Y(y)) => Some(y),
                        _ => None,
                    }));
                }
                _ => break,
            }
        }
        written
    }

    pub(super) fn drop_slots(&mut self, n: usize) -> Flow {
        self.push(Ssa::Drop(n as u32), Vec::new(), &[]);
        let known = std::mem::take(&mut self.env.y).into_iter();
        let kept = known.filter_map(|(y, v)| Some((y.checked_sub(n as u16)?, v)));
        self.env.y = kept.collect();
        Flow::Next
    }

    pub(super) fn init_y(&mut self, list: &[Operand]) -> Flow {
        let nil = self.constant_word(Term::NIL.raw());
        for slot in list {
            self.set(slot, nil);
        }
        Flow::Next
    }

    pub(super) fn catch(&mut self, o: &[Operand]) -> Flow {
        let (Some(Reg::Y(slot)), Some(handler)) =
            (o[0].reg(), o[1].label().and_then(|l| self.code.index_of(l)))
        else {
            return self.leave();
        };
        let pc = self.place_of(handler);
        self.push(Ssa::StoreCatch(slot, pc), Vec::new(), &[]);
        self.env.y.remove(&slot);
        Flow::Next
    }

    /// Goes on in a fresh block if `condition` holds, and leaves for the interpreter if not.
    pub(super) fn or_leave(&mut self, condition: Value) {
        let exit = self.exit();
        let other = self.fork(condition);
        self.out.blocks[other.index()].cold = true;
        self.out.push(other, Ssa::Leave(exit), Vec::new(), &[]);
    }
}
