//! Comparisons, arithmetic, guard BIFs and floats.

use super::{Builder, Flow};
use crate::ir::{Arith, Comparison, FloatArith, Op as Ssa, Repr, Test, Value};
use enigma_loader::{Op, Operand};
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::{Bif, BifKind};
use enigma_runtime::code::export::Export;
use enigma_runtime::interp::native::MOST_GUARD_ARGUMENTS;
use enigma_runtime::term::{Kind, Term};

/// The operands of a guard BIF.
pub(super) struct GuardBif<'a> {
    fail: Option<&'a Operand>,
    import: usize,
    pub(super) args: &'a [Operand],
    pub(super) to: &'a Operand,
}

fn guard_operands(op: Op, o: &[Operand]) -> GuardBif<'_> {
    let (fail, import, first, count) = match op {
        Op::Bif0 => (None, 0, 1, 0),
        Op::Bif1 => (Some(0), 1, 2, 1),
        Op::Bif2 => (Some(0), 1, 2, 2),
        Op::Bif3 => (Some(0), 1, 2, 3),
        Op::GcBif1 => (Some(0), 2, 3, 1),
        Op::GcBif2 => (Some(0), 2, 3, 2),
        _ => (Some(0), 2, 3, 3),
    };
    let fail = fail.map(|i: usize| &o[i]);
    GuardBif {
        fail: fail.filter(|f| f.label().is_some_and(|l| l != 0)),
        import: o[import].unsigned().unwrap_or(0) as usize,
        args: &o[first..first + count],
        to: &o[first + count],
    }
}

fn arithmetic(name: Atom) -> Option<Arith> {
    Some(match name {
        Atom::PLUS => Arith::Add,
        Atom::MINUS => Arith::Sub,
        Atom::TIMES => Arith::Mul,
        Atom::DIV => Arith::Div,
        Atom::REM => Arith::Rem,
        Atom::BAND => Arith::Band,
        Atom::BOR => Arith::Bor,
        Atom::BXOR => Arith::Bxor,
        Atom::BSL => Arith::Bsl,
        Atom::BSR => Arith::Bsr,
        _ => return None,
    })
}

impl Builder<'_> {
    pub(super) fn comparison(&mut self, op: Op, o: &[Operand]) -> Flow {
        let (a, b) = (self.src(&o[1]), self.src(&o[2]));
        let how = match op {
            Op::IsLt => Comparison::Lt,
            Op::IsGe => Comparison::Ge,
            Op::IsEq => Comparison::Eq,
            Op::IsNe => Comparison::Ne,
            Op::IsEqExact => Comparison::ExactEq,
            _ => Comparison::ExactNe,
        };
        let holds = self.one(Ssa::Compare(how), vec![a, b], Repr::Bool);
        self.or_jump(holds, &o[0]);
        Flow::Next
    }

    pub(super) fn guard_bif(&mut self, op: Op, o: &[Operand]) -> Flow {
        let call = guard_operands(op, o);
        let export = self.module.imports[call.import];
        if export.module != Atom::ERLANG {
            return self.step_guard(o, &call);
        }
        if let ([a, b], Some(how)) = (call.args, arithmetic(export.function)) {
            let (a, b) = (self.src(a), self.src(b));
            return self.arith(how, a, b, &call);
        }
        if let Some(flow) = self.small_guard(export, &call) {
            return flow;
        }
        match (export.function.text(), call.args) {
            ("+", [a]) => {
                let (a, zero) = (self.src(a), self.constant_word(Term::small(0).raw()));
                self.arith(Arith::Add, a, zero, &call)
            }
            ("hd" | "tl", [list]) => {
                let v = self.src(list);
                let is = self.one(Ssa::Test(Test::Cons), vec![v], Repr::Bool);
                self.or_fail(is, &call);
                let part = if export.function.text() == "hd" {
                    Ssa::Head
                } else {
                    Ssa::Tail
                };
                let v = self.one(part, vec![v], Repr::Term);
                self.set(call.to, v);
                Flow::Next
            }
            ("element", [index, tuple]) => {
                let Operand::Int(n) = *index else {
                    return self.element_at(index, tuple, &call);
                };
                let Some(n) = n.checked_sub(1).and_then(|n| u32::try_from(n).ok()) else {
                    return self.step_guard(o, &call);
                };
                let v = self.src(tuple);
                let is = self.one(Ssa::Test(Test::TupleAbove(n)), vec![v], Repr::Bool);
                self.or_fail(is, &call);
                let v = self.one(Ssa::Element(n), vec![v], Repr::Term);
                self.set(call.to, v);
                Flow::Next
            }
            ("tuple_size", [tuple]) => {
                let v = self.src(tuple);
                let is = self.is_kind(v, Kind::Tuple);
                self.or_fail(is, &call);
                let v = self.one(Ssa::TupleSize, vec![v], Repr::Term);
                self.set(call.to, v);
                Flow::Next
            }
            (name @ ("byte_size" | "bit_size"), [v]) => {
                let v = self.src(v);
                let size = match name {
                    "byte_size" => Ssa::ByteSize,
                    _ => Ssa::BitSize,
                };
                let size = self.one(size, vec![v], Repr::Term);
                let is = self.one(Ssa::IsValue, vec![size], Repr::Bool);
                self.or_fail(is, &call);
                self.set(call.to, size);
                Flow::Next
            }
            ("self", []) => {
                let v = self.one(Ssa::OwnPid, Vec::new(), Repr::Term);
                self.set(call.to, v);
                Flow::Next
            }
            ("=:=" | "=/=" | "==" | "/=" | "<" | ">" | ">=" | "=<", [a, b]) => {
                let (a, b) = (self.src(a), self.src(b));
                let v = self.comparison_value(export.function.text(), a, b);
                self.set(call.to, v);
                Flow::Next
            }
            ("is_map_key", [key, map]) => {
                let (key, map) = (self.src(key), self.src(map));
                let is = self.one(Ssa::Test(Test::Map), vec![map], Repr::Bool);
                self.or_fail(is, &call);
                let found = self.one(Ssa::MapGet, vec![map, key], Repr::Term);
                let is = self.one(Ssa::IsValue, vec![found], Repr::Bool);
                let v = self.one(Ssa::BoolTerm, vec![is], Repr::Term);
                self.set(call.to, v);
                Flow::Next
            }
            ("map_get", [key, map]) => {
                let (key, map) = (self.src(key), self.src(map));
                let is = self.one(Ssa::Test(Test::Map), vec![map], Repr::Bool);
                self.or_fail(is, &call);
                let found = self.one(Ssa::MapGet, vec![map, key], Repr::Term);
                let is = self.one(Ssa::IsValue, vec![found], Repr::Bool);
                self.or_fail(is, &call);
                self.set(call.to, found);
                Flow::Next
            }
            ("map_size", [map]) => {
                let map = self.src(map);
                let is = self.one(Ssa::Test(Test::Map), vec![map], Repr::Bool);
                self.or_fail(is, &call);
                let v = self.one(Ssa::MapSize, vec![map], Repr::Term);
                self.set(call.to, v);
                Flow::Next
            }
            (name, [v]) => match type_question(name) {
                Some(test) => {
                    let v = self.src(v);
                    let is = self.one(Ssa::Test(test), vec![v], Repr::Bool);
                    let v = self.one(Ssa::BoolTerm, vec![is], Repr::Term);
                    self.set(call.to, v);
                    Flow::Next
                }
                None => self.call_guard(export, o, &call),
            },
            _ => self.call_guard(export, o, &call),
        }
    }

    /// Any other BIF, called if that is done at once.
    fn call_guard(&mut self, export: &'static Export, o: &[Operand], call: &GuardBif<'_>) -> Flow {
        let is_simple = |b: &&Bif| b.kind == BifKind::Guard;
        if call.args.len() > MOST_GUARD_ARGUMENTS || export.bif().filter(is_simple).is_none() {
            return self.step_guard(o, call);
        }
        let args = call.args.iter().map(|a| self.src(a)).collect();
        let v = self.guard_value(export, args, call);
        self.set(call.to, v);
        Flow::Next
    }

    /// What the BIF gives where it does not fail.
    pub(super) fn guard_value(
        &mut self,
        export: &'static Export,
        args: Vec<Value>,
        call: &GuardBif<'_>,
    ) -> Value {
        let v = self.one(Ssa::GuardBif(export), args, Repr::Term);
        let is = self.one(Ssa::IsValue, vec![v], Repr::Bool);
        self.or_fail(is, call);
        v
    }

    fn comparison_value(&mut self, name: &str, a: Value, b: Value) -> Value {
        let (how, a, b) = match name {
            "=:=" => (Comparison::ExactEq, a, b),
            "=/=" => (Comparison::ExactNe, a, b),
            "==" => (Comparison::Eq, a, b),
            "/=" => (Comparison::Ne, a, b),
            "<" => (Comparison::Lt, a, b),
            ">" => (Comparison::Lt, b, a),
            ">=" => (Comparison::Ge, a, b),
            _ => (Comparison::Ge, b, a),
        };
        let holds = self.one(Ssa::Compare(how), vec![a, b], Repr::Bool);
        self.one(Ssa::BoolTerm, vec![holds], Repr::Term)
    }

    /// `element/2` with an index that is not known.
    fn element_at(&mut self, index: &Operand, tuple: &Operand, call: &GuardBif<'_>) -> Flow {
        let (index, tuple) = (self.src(index), self.src(tuple));
        let v = self.one(Ssa::ElementAt, vec![index, tuple], Repr::Term);
        let is = self.one(Ssa::IsValue, vec![v], Repr::Bool);
        self.or_fail(is, call);
        self.set(call.to, v);
        Flow::Next
    }

    /// Goes on if `condition` holds; if not, jumps to the BIF's label, or lets the interpreter raise the error.
    pub(super) fn or_fail(&mut self, condition: Value, call: &GuardBif<'_>) {
        match call.fail {
            Some(fail) => self.or_jump(condition, fail),
            None => self.or_leave(condition),
        }
    }

    pub(super) fn arith(&mut self, how: Arith, a: Value, b: Value, call: &GuardBif<'_>) -> Flow {
        let v = self.arith_value(how, a, b, call);
        self.set(call.to, v);
        Flow::Next
    }

    /// The result of arithmetic that fails as the BIF does.
    pub(super) fn arith_value(
        &mut self,
        how: Arith,
        a: Value,
        b: Value,
        call: &GuardBif<'_>,
    ) -> Value {
        match call.fail {
            Some(fail) => {
                let v = self.one(Ssa::TryArith(how), vec![a, b], Repr::Term);
                let is = self.one(Ssa::IsValue, vec![v], Repr::Bool);
                self.or_jump(is, fail);
                v
            }
            None => {
                let exit = self.exit();
                self.one(Ssa::Arith(how, exit), vec![a, b], Repr::Term)
            }
        }
    }

    /// The interpreter executes the BIF.
    fn step_guard(&mut self, o: &[Operand], _: &GuardBif<'_>) -> Flow {
        let instr = self.code.instrs[self.at];
        self.step(&instr, o)
    }

    // ---- floats ----

    pub(super) fn floats(&mut self, op: Op, o: &[Operand]) -> Flow {
        let float = |o: &Operand| match *o {
            Operand::Float(n) => Some(n),
            _ => None,
        };
        match op {
            Op::Fmove => match (float(&o[0]), float(&o[1])) {
                (Some(from), Some(to)) => {
                    let v = self.float(from);
                    self.env.floats.insert(to, v);
                }
                (Some(from), None) => {
                    let v = self.float(from);
                    let v = self.one(Ssa::Box, vec![v], Repr::Term);
                    self.set(&o[1], v);
                }
                (None, to) => {
                    let (exit, v) = (self.exit(), self.src(&o[0]));
                    let v = self.one(Ssa::Unbox(exit), vec![v], Repr::Float);
                    self.env.floats.insert(to.unwrap_or(0), v);
                }
            },
            Op::Fconv => {
                let (exit, v) = (self.exit(), self.src(&o[0]));
                let v = self.one(Ssa::ToFloat(exit), vec![v], Repr::Float);
                self.env.floats.insert(float(&o[1]).unwrap_or(0), v);
            }
            Op::Fnegate => {
                let v = self.float(float(&o[1]).unwrap_or(0));
                let v = self.one(Ssa::FloatNegate, vec![v], Repr::Float);
                self.env.floats.insert(float(&o[2]).unwrap_or(0), v);
            }
            _ => {
                let how = match op {
                    Op::Fadd => FloatArith::Add,
                    Op::Fsub => FloatArith::Sub,
                    Op::Fmul => FloatArith::Mul,
                    _ => FloatArith::Div,
                };
                let exit = self.exit();
                let a = self.float(float(&o[1]).unwrap_or(0));
                let b = self.float(float(&o[2]).unwrap_or(0));
                let v = self.one(Ssa::FloatArith(how, exit), vec![a, b], Repr::Float);
                self.env.floats.insert(float(&o[3]).unwrap_or(0), v);
            }
        }
        Flow::Next
    }
}

/// The question that a type test BIF asks.
fn type_question(name: &str) -> Option<Test> {
    Some(match name {
        "is_integer" => Test::Integer,
        "is_float" => Test::Float,
        "is_number" => Test::Number,
        "is_atom" => Test::Atom,
        "is_boolean" => Test::Boolean,
        "is_list" => Test::List,
        "is_tuple" => Test::Kind(Kind::Tuple),
        "is_map" => Test::Map,
        "is_pid" => Test::Pid,
        "is_port" => Test::Port,
        "is_reference" => Test::Reference,
        _ => return None,
    })
}
