//! Guard BIFs whose usual case takes few instructions.

use super::arith::GuardBif;
use super::{Builder, Flow};
use crate::ir::{Arith, Block, Comparison, Op as Ssa, Repr, Test, Value};
use enigma_loader::Operand;
use enigma_runtime::code::export::Export;
use enigma_runtime::term::Term;

impl Builder<'_> {
    /// One of these, if it is one.
    pub(super) fn small_guard(
        &mut self,
        export: &'static Export,
        call: &GuardBif<'_>,
    ) -> Option<Flow> {
        let v = match (export.function.text(), call.args) {
            ("-", [a]) => self.negated(export, a, call),
            ("abs", [a]) => self.absolute(export, a, call),
            ("bnot", [a]) => {
                let a = self.src(a);
                let ones = self.constant_word(Term::small(-1).raw());
                self.arith_value(Arith::Bxor, a, ones, call)
            }
            ("min", [a, b]) => self.chosen(Comparison::Ge, a, b),
            ("max", [a, b]) => self.chosen(Comparison::Lt, a, b),
            ("not", [a]) => {
                let a = self.boolean(a, call);
                let no = self.constant_word(Term::bool(false).raw());
                let is = self.one(Ssa::Compare(Comparison::ExactEq), vec![a, no], Repr::Bool);
                self.one(Ssa::BoolTerm, vec![is], Repr::Term)
            }
            ("and", [a, b]) => self.both(a, b, call, false),
            ("or", [a, b]) => self.both(a, b, call, true),
            ("xor", [a, b]) => {
                let (a, b) = (self.boolean(a, call), self.boolean(b, call));
                let differ = self.one(Ssa::Compare(Comparison::ExactNe), vec![a, b], Repr::Bool);
                self.one(Ssa::BoolTerm, vec![differ], Repr::Term)
            }
            ("length", [list]) => self.length(list, call),
            _ => return None,
        };
        self.set(call.to, v);
        Some(Flow::Next)
    }

    /// A block for what comes after two ways to a value, which is its parameter.
    fn join(&mut self) -> (Block, Value) {
        let join = self.out.block();
        (join, self.out.param(join, Repr::Term))
    }

    fn go(&mut self, to: Block, v: Value) {
        self.out.jump(self.here, to, vec![v]);
    }

    /// `b` if the comparison of it with `a` holds for `Lt`, `a` if it does for `Ge`: the first one where both are equal.
    fn chosen(&mut self, how: Comparison, a: &Operand, b: &Operand) -> Value {
        let (a, b) = (self.src(a), self.src(b));
        let (join, v) = self.join();
        // min: is b >= a? max: is a < b?
        let (x, y, then, other) = match how {
            Comparison::Lt => (a, b, b, a),
            _ => (b, a, a, b),
        };
        let holds = self.one(Ssa::Compare(how), vec![x, y], Repr::Bool);
        let no = self.fork(holds);
        self.go(join, then);
        self.here = no;
        self.go(join, other);
        self.here = join;
        v
    }

    /// Goes on where a term is a small integer with a value that `small` makes; elsewhere the BIF is called.
    fn small_or_call(
        &mut self,
        export: &'static Export,
        a: &Operand,
        call: &GuardBif<'_>,
        small: impl FnOnce(&mut Self, Value, Block),
    ) -> Value {
        let a = self.src(a);
        let (join, v) = self.join();
        let is = self.one(Ssa::Test(Test::Small), vec![a], Repr::Bool);
        let other = self.fork(is);
        small(self, a, join);
        self.here = other;
        let called = self.guard_value(export, vec![a], call);
        self.go(join, called);
        self.here = join;
        v
    }

    fn negated(&mut self, export: &'static Export, a: &Operand, call: &GuardBif<'_>) -> Value {
        self.small_or_call(export, a, call, |b, a, join| {
            let v = b.negative(a, call);
            b.go(join, v);
        })
    }

    fn absolute(&mut self, export: &'static Export, a: &Operand, call: &GuardBif<'_>) -> Value {
        self.small_or_call(export, a, call, |b, a, join| {
            let zero = b.constant_word(Term::small(0).raw());
            let positive = b.one(Ssa::Compare(Comparison::Ge), vec![a, zero], Repr::Bool);
            let no = b.fork(positive);
            b.go(join, a);
            b.here = no;
            let v = b.negative(a, call);
            b.go(join, v);
        })
    }

    fn negative(&mut self, a: Value, call: &GuardBif<'_>) -> Value {
        let zero = self.constant_word(Term::small(0).raw());
        self.arith_value(Arith::Sub, zero, a, call)
    }

    /// A term that is `true` or `false`.
    fn boolean(&mut self, a: &Operand, call: &GuardBif<'_>) -> Value {
        let a = self.src(a);
        let is = self.one(Ssa::Test(Test::Boolean), vec![a], Repr::Bool);
        self.or_fail(is, call);
        a
    }

    /// `and`, `or`: the first one where it decides, which is where it is `decides`, else the second one.
    fn both(&mut self, a: &Operand, b: &Operand, call: &GuardBif<'_>, decides: bool) -> Value {
        let (a, b) = (self.boolean(a, call), self.boolean(b, call));
        let (join, v) = self.join();
        let word = self.constant_word(Term::bool(decides).raw());
        let is = self.one(Ssa::Compare(Comparison::ExactEq), vec![a, word], Repr::Bool);
        let no = self.fork(is);
        self.go(join, a);
        self.here = no;
        self.go(join, b);
        self.here = join;
        v
    }

    /// `length/1`; a long list is counted by the interpreter.
    fn length(&mut self, list: &Operand, call: &GuardBif<'_>) -> Value {
        let list = self.src(list);
        let v = self.one(Ssa::ListLength, vec![list], Repr::Term);
        let is = self.one(Ssa::IsValue, vec![v], Repr::Bool);
        self.or_fail(is, call);
        let counted = self.one(Ssa::Test(Test::Small), vec![v], Repr::Bool);
        self.or_leave(counted);
        v
    }
}
