//! Maps.

use super::{Builder, Flow};
use crate::ir::{Op as Ssa, Repr, Test, Value};
use enigma_loader::{Op, Operand};

impl Builder<'_> {
    /// `has_map_fields` and `get_map_elements`.
    pub(super) fn map_fields(&mut self, op: Op, o: &[Operand]) -> Flow {
        let map = self.src(&o[1]);
        let is = self.one(Ssa::Test(Test::Map), vec![map], Repr::Bool);
        self.or_jump(is, &o[0]);
        let list = self.code.list(&o[2]);
        let each = if op == Op::HasMapFields { 1 } else { 2 };
        let mut found: Vec<(Value, &Operand)> = Vec::new();
        for pair in list.chunks_exact(each) {
            let key = self.src(&pair[0]);
            let v = self.one(Ssa::MapGet, vec![map, key], Repr::Term);
            let is = self.one(Ssa::IsValue, vec![v], Repr::Bool);
            self.or_jump(is, &o[0]);
            if each == 2 {
                found.push((v, &pair[1]));
            }
        }
        for (v, to) in found {
            self.set(to, v);
        }
        Flow::Next
    }
}
