//! Code that counts what is left to the interpreter, for the census.

use super::{Lowering, trusted};
use crate::census::{self, Handing};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{AtomicRmwOp, InstBuilder, Value};
use enigma_runtime::interp::native::layout;

impl Lowering<'_> {
    /// Counts, if the census is on, calls of code that lets the interpreter run a function.
    pub(super) fn take_census_of_call(&mut self, code: Value) {
        let Some(pc) = self.at.filter(|_| census::is_on()) else {
            return;
        };
        let uncompiled = self.word(layout::uncompiled());
        let is = self.b.ins().icmp(IntCC::Equal, code, uncompiled);
        self.rarely(is, |l| l.take_census(pc, Handing::Call));
    }

    /// Counts, if the census is on, that the bytecode instruction at this offset is left to the interpreter.
    pub(super) fn take_census(&mut self, pc: u32, handing: Handing) {
        let (function, _, offset) = self.home(pc);
        if let Some(counter) = census::counter(function, offset, handing) {
            let address = self.word(std::ptr::from_ref(counter) as u64);
            let one = self.word(1);
            self.b
                .ins()
                .atomic_rmw(I64, trusted(), AtomicRmwOp::Add, address, one);
        }
    }
}
