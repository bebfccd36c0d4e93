//! The bit syntax.

use super::{Builder, Flow};
use crate::ir::{Op as Ssa, Repr};
use enigma_loader::{Op, Operand};

impl Builder<'_> {
    /// `bs_test_tail2` and `bs_test_unit`.
    pub(super) fn bits_left(&mut self, op: Op, o: &[Operand]) -> Flow {
        let (context, n) = (self.src(&o[1]), Self::num(&o[2]) as u64);
        let question = if op == Op::BsTestTail2 {
            Ssa::BitsLeftAre(n)
        } else {
            Ssa::BitsLeftMultiple(n.max(1))
        };
        let is = self.one(question, vec![context], Repr::Bool);
        self.or_jump(is, &o[0]);
        Flow::Next
    }
}
