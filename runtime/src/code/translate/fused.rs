//! Instructions that stand together often and become one.

use super::Translator;
use crate::code::forms::{get_two_elements, is_cons_get_list, move_two};
use crate::code::operand::Place;
use crate::code::ops;
use enigma_loader::{Instr, Op};

impl Translator<'_> {
    /// Joins instructions that stand together often; gives how many were translated.
    pub(super) fn fused(&mut self, rest: &[Instr]) -> Option<usize> {
        let (first, second) = (rest.first()?, rest.get(1)?);
        match (first.op, second.op) {
            (Op::IsTuple, Op::TestArity) => {
                let (p, q) = (self.operands(first), self.operands(second));
                let (f1, f2, s1, s2) = (
                    p[0].label()?,
                    q[0].label()?,
                    self.src(&p[1]),
                    self.src(&q[1]),
                );
                if f1 != f2 || s1 != s2 || Self::num(&q[2]) > 0xffff {
                    return None;
                }
                let arity = Self::num(&q[2]);
                self.asm.test_number(ops::IS_TUPLE_OF_ARITY, s1, arity, f1);
                Some(2)
            }
            (Op::IsNonemptyList, Op::GetList) => {
                let (p, q) = (self.operands(first), self.operands(second));
                let (fail, s) = (p[0].label()?, self.src(&p[1]));
                let (h, t) = (self.src(&q[1]).x()?, self.src(&q[2]).x()?);
                if self.src(&q[0]) != s {
                    return None;
                }
                let x = s.x()?;
                let at = self.asm.begin(ops::IS_CONS_GET_LIST);
                self.asm.set(at, is_cons_get_list::LIST_AT, x);
                self.asm.jump(at, is_cons_get_list::FAIL, fail);
                self.asm.set(at, is_cons_get_list::HEAD, h);
                self.asm.set(at, is_cons_get_list::REST, t);
                Some(2)
            }
            (Op::GetTupleElement, Op::GetTupleElement) => {
                let (p, q) = (self.operands(first), self.operands(second));
                let (t, d) = (self.src(&p[0]).x()?, self.src(&p[2]).x()?);
                let (i, j) = (Self::num(&p[1]), Self::num(&q[1]));
                let other = self.src(&q[2]).x()?;
                if self.src(&q[0]).x() != Some(t) || d == t || i.max(j) > 0xffff {
                    return None;
                }
                let at = self.asm.begin(ops::GET_TWO_ELEMENTS);
                self.asm.set(at, get_two_elements::TUPLE, t);
                self.asm.set(at, get_two_elements::INDEX, i);
                self.asm.set(at, get_two_elements::TO, d);
                self.asm.set(at, get_two_elements::THEN_INDEX, j);
                self.asm.set(at, get_two_elements::THEN_TO, other);
                Some(2)
            }
            // A call of a fun whose value is returned is a tail call, though no instruction says so.
            (Op::CallFun | Op::CallFun2, Op::Deallocate) if rest.get(2)?.op == Op::Return => {
                let (p, q) = (self.operands(first), self.operands(second));
                let (arity, fun) = match first.op {
                    Op::CallFun => (Self::num(&p[0]), Place::X(Self::num(&p[0]) as u16)),
                    _ => (Self::num(&p[1]), self.src(&p[2])),
                };
                let frame = Self::num(&q[0]);
                self.call_fun(ops::CALL_FUN_LAST, arity, fun, frame);
                Some(3)
            }
            (Op::Deallocate, Op::Return) => {
                let n = Self::num(&self.operands(first)[0]);
                self.asm.slots(ops::DEALLOCATE_RETURN, n);
                Some(2)
            }
            (Op::Move, Op::Move) => {
                let (p, q) = (self.operands(first), self.operands(second));
                let [a, b, c, d] = [
                    self.src(&p[0]),
                    self.src(&p[1]),
                    self.src(&q[0]),
                    self.src(&q[1]),
                ];
                let op = ops::for_operands(ops::MOVE2, &[a, b, c, d]);
                let at = self.asm.begin(op);
                self.asm.place(at, move_two::FROM, a);
                self.asm.place(at, move_two::TO, b);
                self.asm.place(at, move_two::THEN_FROM, c);
                self.asm.place(at, move_two::THEN_TO, d);
                Some(2)
            }
            _ => None,
        }
    }
}
