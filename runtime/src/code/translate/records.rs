//! Native records.

use super::Translator;
use crate::code::forms::record_op as form;
use crate::code::operand::Refused;
use crate::code::ops;
use crate::code::records::op;
use enigma_loader::{Instr, Op, Operand};

impl Translator<'_> {
    pub(super) fn records(&mut self, i: &Instr, o: &[Operand]) -> Result<(), Refused> {
        match i.op {
            Op::IsAnyNativeRecord => self.record_op(op::IS_ANY, &o[1..2], None, o[0].label()),
            Op::IsNativeRecord => self.record_op(op::IS_NAMED, &o[1..4], None, o[0].label()),
            Op::IsRecordAccessible => {
                self.record_op(op::IS_ACCESSIBLE, &o[1..3], None, o[0].label())
            }
            Op::GetRecordElements => {
                let list = [&o[1..2], self.list(&o[2])].concat();
                self.record_op(op::ELEMENTS, &list, None, o[0].label());
            }
            Op::PutRecord => {
                let list = [&o[1..3], self.list(&o[5])].concat();
                self.record_op(op::PUT, &list, Some(&o[3]), Self::fail(&o[0]));
            }
            Op::GetRecordField => {
                self.record_op(op::FIELD, &o[1..4], Some(&o[4]), Self::fail(&o[0]));
            }
            other => return Err(Refused::Unsupported(format!("instruction {other}"))),
        }
        Ok(())
    }

    /// An operation on native records: which one, its operands, and where the result goes.
    fn record_op(
        &mut self,
        op: u64,
        operands: &[Operand],
        to: Option<&Operand>,
        fail: Option<u32>,
    ) {
        let places = self.srcs(operands);
        let at = self.asm.begin(ops::RECORD_OP);
        self.asm.set(at, form::OPERATION, op as usize);
        self.asm.set(at, form::COUNT, places.len());
        self.jump_if(at, form::FAIL, fail);
        if let Some(d) = to {
            let d = self.src(d);
            self.asm.place(at, form::TO, d);
        }
        self.asm.set(at, form::MODULE, self.module);
        self.asm.places(at, &places);
    }
}
