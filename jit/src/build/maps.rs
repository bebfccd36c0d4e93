//! Maps.

use super::{Builder, Flow};
use crate::ir::{Op as Ssa, Repr, Test, Value};
use enigma_loader::{Instr, Op, Operand};
use enigma_runtime::code::translate;
use enigma_runtime::data::compare;
use enigma_runtime::interp::native;

/// Words that hold the pairs for a helper: they are put where X registers are.
const MOST_WORDS: usize = 512;

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

    /// `put_map_assoc` and `put_map_exact`.
    pub(super) fn put_map(&mut self, i: &Instr, o: &[Operand]) -> Flow {
        let list = self.code.list(&o[4]);
        if let Some(flow) = self.new_map(o, list) {
            return flow;
        }
        let exact = i.op == Op::PutMapExact;
        let jumps = exact && o[0].label().is_some_and(|l| l != 0);
        if jumps || list.len() > MOST_WORDS {
            return self.step(i, o);
        }
        let exit = self.exit();
        let mut arguments = vec![self.src(&o[1])];
        arguments.extend(self.srcs(list));
        let op = if exact {
            Ssa::MapUpdate(exit)
        } else {
            Ssa::MapPut(exit)
        };
        let v = self.one(op, arguments, Repr::Term);
        self.set(&o[2], v);
        Flow::Next
    }

    /// A small map of constant keys that the bytecode makes of a tuple of these.
    fn new_map(&mut self, o: &[Operand], list: &[Operand]) -> Option<Flow> {
        let keys = native::new_map_keys(&self.body.code, self.pc())?;
        let mut values = Vec::new();
        for &key in keys.as_tuple()? {
            let has = |p: &&[Operand]| {
                translate::constant(self.module, &p[0]).is_some_and(|k| compare::exact_eq(k, key))
            };
            values.push(&list.chunks_exact(2).find(has)?[1]);
        }
        let mut arguments = vec![self.constant_word(keys.raw())];
        for value in values {
            arguments.push(self.src(value));
        }
        let v = self.one(Ssa::NewMap, arguments, Repr::Term);
        self.set(&o[2], v);
        Some(Flow::Next)
    }
}
