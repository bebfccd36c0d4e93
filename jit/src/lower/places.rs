//! Addresses of places in bytecode, and where calls return to.

use super::{Lowering, trusted};
use crate::ir::place;
use cranelift_codegen::ir::{InstBuilder, Value};
use enigma_runtime::code::module::{Body, FnInfo};
use enigma_runtime::code::native::return_point;
use enigma_runtime::term::stack_word;

/// The function to whose bytecode a place in `f` belongs, where `inlined` stands in the place of calls, and the offset.
pub fn function_at(f: &'static FnInfo, inlined: &[u32], at: u32) -> (&'static FnInfo, u32) {
    match place::parts(at) {
        (None, offset) => (f, offset),
        (Some(position), offset) => (&f.module().functions[inlined[position] as usize], offset),
    }
}

impl Lowering<'_> {
    /// The function to whose bytecode a place belongs, that bytecode, and the offset there.
    pub(super) fn home(&self, at: u32) -> (&'static FnInfo, &'static Body, u32) {
        let (function, offset) = function_at(self.me, &self.source.inlined, at);
        match function.body() {
            Some(body) => (function, body, offset),
            None => {
                enigma_runtime::bug::vm_bug("a function stands in another one and has no bytecode")
            }
        }
    }

    /// The address of a place.
    pub(super) fn pc_address(&self, at: u32) -> *const u64 {
        let (_, body, offset) = self.home(at);
        body.code.as_ptr().wrapping_add(offset as usize)
    }

    pub(super) fn pc_word(&mut self, at: u32) -> Value {
        let address = self.pc_address(at) as u64;
        self.word(address)
    }

    /// The address of a return point for a place.
    pub(super) fn return_point(&mut self, after: u32) -> u64 {
        let (function, body, offset) = self.home(after);
        let continuation = body.continuations.at(function, offset);
        let point = Box::new(return_point(self.pc_address(after), continuation));
        let address = point.address() as u64;
        self.return_points.calls.push(point);
        address
    }

    /// Pushes the return point for the place to go on at.
    pub(super) fn push_return(&mut self, after: u32) {
        let point = self.return_point(after);
        self.push_return_point(point);
    }

    pub(super) fn push_return_point(&mut self, point: u64) {
        self.push_word(stack_word::return_point(point as *const u64));
    }

    /// Pushes the return address of a place, as the interpreter does.
    pub(super) fn push_return_address(&mut self, after: u32) {
        self.push_word(stack_word::return_pc(self.pc_address(after)));
    }

    fn push_word(&mut self, word: u64) {
        let word = self.word(word);
        let sp = self.b.use_var(self.sp);
        let sp = self.b.ins().iadd_imm_s(sp, -8);
        self.b.ins().store(trusted(), word, sp, 0);
        self.b.def_var(self.sp, sp);
    }
}
