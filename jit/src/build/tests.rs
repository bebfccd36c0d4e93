//! Type tests.

use super::{Builder, Flow};
use crate::ir::{Op as Ssa, Repr, Test};
use enigma_loader::{Op, Operand};
use enigma_runtime::term::Kind;

impl Builder<'_> {
    /// A type test; nothing if the instruction is none.
    pub(super) fn type_test(&mut self, op: Op, o: &[Operand]) -> Option<Flow> {
        let test = match op {
            Op::IsInteger => Test::Integer,
            Op::IsFloat => Test::Float,
            Op::IsNumber => Test::Number,
            Op::IsAtom => Test::Atom,
            Op::IsPid => Test::Pid,
            Op::IsReference => Test::Reference,
            Op::IsPort => Test::Port,
            Op::IsNil => Test::Nil,
            Op::IsBinary => Test::Binary,
            Op::IsBitstr => Test::Bitstring,
            Op::IsList => Test::List,
            Op::IsNonemptyList => Test::Cons,
            Op::IsTuple => Test::Kind(Kind::Tuple),
            Op::IsFunction => Test::Function,
            Op::IsBoolean => Test::Boolean,
            Op::IsMap => Test::Map,
            Op::IsAnyNativeRecord => Test::Kind(Kind::Record),
            Op::TestArity => Test::TupleOf(Self::num(&o[2]) as u32),
            Op::IsTaggedTuple => {
                let tag = self.module.atoms[o[3].atom()? as usize];
                Test::Tagged(Self::num(&o[2]) as u32, tag)
            }
            Op::IsFunction2 => {
                let (f, arity) = (self.src(&o[1]), self.src(&o[2]));
                let is = self.one(Ssa::IsFunctionOf, vec![f, arity], Repr::Bool);
                self.or_jump(is, &o[0]);
                return Some(Flow::Next);
            }
            _ => return None,
        };
        let v = self.src(&o[1]);
        let is = self.one(Ssa::Test(test), vec![v], Repr::Bool);
        self.or_jump(is, &o[0]);
        Some(Flow::Next)
    }
}
