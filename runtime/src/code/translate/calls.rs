//! Calls and frames.

use super::Translator;
use crate::atom::Atom;
use crate::code::forms::{
    allocate, apply, apply_list, call, call_ext, call_fun, init_y, test_heap,
};
use crate::code::module::FnInfo;
use crate::code::operand::Place;
use crate::code::ops::{self, CallEnding};
use enigma_loader::{Instr, Op, Operand};

impl Translator<'_> {
    pub(super) fn local_call(&mut self, i: &Instr, o: &[Operand]) {
        let target = o[1]
            .label()
            .and_then(|l| self.module.file.function_by_entry(l))
            .unwrap_or(0);
        let f: &'static FnInfo = &self.module.functions[target];
        let op = match i.op {
            Op::Call => ops::CALL,
            Op::CallLast => ops::CALL_LAST,
            _ => ops::CALL_ONLY,
        };
        let at = self.asm.begin(op);
        self.asm.set(at, call::ARITY, Self::num(&o[0]));
        self.asm.set(at, call::FRAME, o.get(2).map_or(0, Self::num));
        self.asm.set(at, call::FUNCTION, f);
    }

    pub(super) fn external_call(&mut self, i: &Instr, o: &[Operand]) {
        let arity = Self::num(&o[0]);
        let export = self.module.imports[Self::num(&o[1])];
        let frame = o.get(2).map_or(0, Self::num);
        let ending = match i.op {
            Op::CallExt => CallEnding::Returns,
            Op::CallExtLast => CallEnding::DropsFrame,
            _ => CallEnding::HasNoFrame,
        };
        if export.module == Atom::ERLANG
            && export.function == Atom::APPLY
            && (arity == 2 || arity == 3)
        {
            let op = if arity == 2 {
                ops::APPLY_FUN_LIST
            } else {
                ops::APPLY_MFA
            };
            let at = self.asm.begin(op);
            self.asm.set(at, apply_list::FRAME, frame);
            self.asm.set(at, apply_list::HOW, ending as usize);
            return;
        }
        let bif = export.bif().is_some() && !export.is_loaded();
        let op = match ending {
            _ if bif => ops::CALL_BIF,
            CallEnding::Returns => ops::CALL_EXT,
            CallEnding::DropsFrame => ops::CALL_EXT_LAST,
            CallEnding::HasNoFrame => ops::CALL_EXT_ONLY,
        };
        let at = self.asm.begin(op);
        self.asm.set(at, call_ext::ARITY, arity);
        self.asm.set(at, call_ext::FRAME, frame);
        self.asm.set(at, call_ext::EXPORT, export);
        // The frame stays until the BIF is done: its caller is in the trace, and whatever
        // interrupts the BIF comes back to an instruction that knows the frame.
        match ending {
            CallEnding::DropsFrame if bif => self.asm.slots(ops::DEALLOCATE_RETURN, frame),
            CallEnding::HasNoFrame if bif => self.asm.op0(ops::RETURN),
            _ => {}
        }
    }

    pub(super) fn apply(&mut self, op: u16, arity: usize, frame: usize) {
        let at = self.asm.begin(op);
        self.asm.set(at, apply::ARITY, arity);
        self.asm.set(at, apply::FRAME, frame);
    }

    pub(super) fn call_fun(&mut self, op: u16, arity: usize, fun: Place, frame: usize) {
        let at = self.asm.begin(op);
        self.asm.set(at, call_fun::ARITY, arity);
        self.asm.place(at, call_fun::FUN, fun);
        self.asm.set(at, call_fun::FRAME, frame);
    }

    pub(super) fn allocate(&mut self, slots: usize, words: usize, live: usize) {
        let inline = words < 1 << 19;
        let at = self.asm.begin(ops::ALLOCATE);
        self.asm.set(at, allocate::SLOTS, slots);
        self.asm.set(at, allocate::LIVE, live);
        if inline {
            self.asm.set(at, allocate::HEAP, words);
        } else {
            self.test_heap(words, live);
        }
    }

    pub(super) fn test_heap(&mut self, words: usize, live: usize) {
        let at = self.asm.begin(ops::TEST_HEAP);
        self.asm.set(at, test_heap::LIVE, live);
        self.asm.set(at, test_heap::HEAP, words);
    }

    pub(super) fn init_y(&mut self, list: &[Operand]) {
        let places = self.srcs(list);
        let at = self.asm.begin(ops::INIT_Y);
        self.asm.set(at, init_y::COUNT, places.len());
        self.asm.places(at, &places);
    }
}

/// Words of an operand that says how much heap is needed: floats need two words each, funs the header, entry and creator.
pub fn heap_words(o: &Operand) -> usize {
    o.heap_need().map_or(0, |n| {
        n.words as usize + 2 * n.floats as usize + 3 * n.funs as usize
    })
}
