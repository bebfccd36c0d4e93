//! Lists, tuples and funs.
//!
//! Code that looks into a term has tested it, or its compiler has seen what it is; the verifier does not prove it,
//! so it is tested here once more unless the compiler's type or a constant says it.

use super::{Builder, Flow};
use crate::ir::{Op as Ssa, Repr, Test, Value};
use enigma_loader::{Op, Operand};
use enigma_runtime::code::translate::is_in_place;
use enigma_runtime::term::{Kind, Term};

impl Builder<'_> {
    pub(super) fn take_list(&mut self, op: Op, o: &[Operand]) -> Flow {
        let list = self.src(&o[0]);
        let is = self.one(Ssa::Test(Test::Cons), vec![list], Repr::Bool);
        self.or_leave(is);
        if op != Op::GetTl {
            let head = self.one(Ssa::Head, vec![list], Repr::Term);
            if op == Op::GetHd {
                self.set(&o[1], head);
                return Flow::Next;
            }
            let tail = self.one(Ssa::Tail, vec![list], Repr::Term);
            self.set(&o[1], head);
            self.set(&o[2], tail);
            return Flow::Next;
        }
        let tail = self.one(Ssa::Tail, vec![list], Repr::Term);
        self.set(&o[1], tail);
        Flow::Next
    }

    pub(super) fn put_list(&mut self, o: &[Operand]) -> Flow {
        let (head, tail) = (self.src(&o[0]), self.src(&o[1]));
        let v = self.one(Ssa::Cons, vec![head, tail], Repr::Term);
        self.set(&o[2], v);
        Flow::Next
    }

    pub(super) fn put_tuple(&mut self, o: &[Operand]) -> Flow {
        let elements = self.srcs(self.code.list(&o[1]));
        let v = self.one(Ssa::Tuple, elements, Repr::Term);
        self.set(&o[0], v);
        Flow::Next
    }

    pub(super) fn get_element(&mut self, o: &[Operand]) -> Flow {
        let (tuple, n) = (self.src(&o[0]), Self::num(&o[1]) as u32);
        let is = self.one(Ssa::Test(Test::TupleAbove(n)), vec![tuple], Repr::Bool);
        self.or_leave(is);
        let v = self.one(Ssa::Element(n), vec![tuple], Repr::Term);
        self.set(&o[2], v);
        Flow::Next
    }

    pub(super) fn update_record(&mut self, o: &[Operand]) -> Flow {
        let (size, tuple) = (Self::num(&o[1]) as u32, self.src(&o[2]));
        let is = self.one(Ssa::Test(Test::TupleOf(size)), vec![tuple], Repr::Bool);
        self.or_leave(is);
        let list = self.code.list(&o[4]);
        let mut positions = Vec::new();
        let mut arguments: Vec<Value> = vec![tuple];
        for pair in list.chunks_exact(2) {
            positions.push(Self::num(&pair[0]) as u32);
            arguments.push(self.src(&pair[1]));
        }
        let op = if is_in_place(self.module, o) {
            Ssa::OverwriteTuple(size, positions)
        } else {
            Ssa::UpdateTuple(size, positions)
        };
        let v = self.one(op, arguments, Repr::Term);
        self.set(&o[3], v);
        Flow::Next
    }

    pub(super) fn make_fun(&mut self, op: Op, o: &[Operand]) -> Flow {
        let lambda = Self::num(&o[0]);
        let literal = self.module.fun_literals[lambda];
        let first = Operand::X(0);
        let (to, env): (&Operand, Vec<Value>) = match op {
            Op::MakeFun2 => {
                let free = self.code.lambda_free(lambda);
                (&first, (0..free).map(|x| self.x(x)).collect())
            }
            _ => (&o[1], self.srcs(self.code.list(&o[2]))),
        };
        let v = if literal == Term::NIL {
            self.one(Ssa::Fun(lambda as u32), env, Repr::Term)
        } else {
            self.constant_word(literal.raw())
        };
        self.set(to, v);
        Flow::Next
    }

    /// Is it an object of this kind? For terms whose kind decides how they are taken apart.
    pub(super) fn is_kind(&mut self, v: Value, kind: Kind) -> Value {
        self.one(Ssa::Test(Test::Kind(kind)), vec![v], Repr::Bool)
    }
}
