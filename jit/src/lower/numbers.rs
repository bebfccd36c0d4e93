//! Arithmetic on small integers and floats that are known to be such.

use super::{Lowering, To};
use crate::ir::{Arith, Comparison, FloatArith, InstData, Op, Value as Ssa};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use enigma_runtime::interp::native::Helper;
use enigma_runtime::term::{TAG_BITS, Term};

impl Lowering<'_> {
    /// What gives one value and cannot fail.
    pub(super) fn known_numbers(&mut self, i: &InstData) -> Value {
        match &i.op {
            Op::SmallArith(how) => {
                let constants = self.small_constants(i.args[0], i.args[1]);
                let (x, y) = (self.val(i.args[0]), self.val(i.args[1]));
                self.small_arith(*how, x, y, constants)
            }
            Op::SmallToFloat => {
                let v = self.val(i.args[0]);
                self.small_to_float(v)
            }
            Op::RawFloatArith(how) => {
                let (a, b) = (self.val(i.args[0]), self.val(i.args[1]));
                self.raw_floats(*how, a, b)
            }
            _ => enigma_runtime::bug::vm_bug("no arithmetic"),
        }
    }

    /// What gives a value where it does not go to `no`.
    pub(super) fn number_or(&mut self, i: &InstData, no: &To) -> Value {
        let v = self.val(i.args[0]);
        match &i.op {
            Op::TrySmallArith(how) => {
                let constants = self.small_constants(i.args[0], i.args[1]);
                let y = self.val(i.args[1]);
                match self.small_integers(*how, v, y, constants, no) {
                    Some(v) => v,
                    None => {
                        self.go(no);
                        let never = self.fresh_block();
                        self.begin(never);
                        self.word(Term::NIL.raw())
                    }
                }
            }
            Op::TryWord => self.word_of(v, no),
            Op::TryWordArith(how) => {
                let y = self.val(i.args[1]);
                self.word_arith_or(*how, v, y, no)
            }
            Op::TryUnbox => self.unbox(v, no),
            Op::TryToFloat => self.float_of(v, no),
            _ => enigma_runtime::bug::vm_bug("no number that may be missing"),
        }
    }

    /// What only has an answer.
    pub(super) fn ask_numbers(&mut self, op: &Op, args: &[Ssa], yes: &To, no: &To) {
        let args = self.vals(args);
        let is = match op {
            Op::AreSmall => {
                let all = args[1..]
                    .iter()
                    .fold(args[0], |all, &v| self.b.ins().bor(all, v));
                let tag = self.b.ins().band_imm_s(all, 7);
                return self.branch(tag, no, yes);
            }
            Op::IsFinite => {
                let infinite = self.is_infinite(args[0]);
                return self.branch(infinite, no, yes);
            }
            Op::CompareSmall(how) => {
                let cc = match how {
                    Comparison::Lt => IntCC::SignedLessThan,
                    Comparison::Ge => IntCC::SignedGreaterThanOrEqual,
                    Comparison::Eq | Comparison::ExactEq => IntCC::Equal,
                    Comparison::Ne | Comparison::ExactNe => IntCC::NotEqual,
                };
                self.b.ins().icmp(cc, args[0], args[1])
            }
            Op::CompareFloat(how) => {
                let cc = match how {
                    Comparison::Lt => FloatCC::LessThan,
                    Comparison::Ge => FloatCC::GreaterThanOrEqual,
                    Comparison::Eq | Comparison::ExactEq => FloatCC::Equal,
                    Comparison::Ne | Comparison::ExactNe => FloatCC::NotEqual,
                };
                self.b.ins().fcmp(cc, args[0], args[1])
            }
            _ => enigma_runtime::bug::vm_bug("no question"),
        };
        self.branch(is, yes, no);
    }

    /// Of two small integers, where nothing can go wrong.
    fn small_arith(
        &mut self,
        how: Arith,
        x: Value,
        y: Value,
        constants: (Option<i64>, Option<i64>),
    ) -> Value {
        let tag_bits = i64::from(TAG_BITS);
        match how {
            Arith::Add => self.b.ins().iadd(x, y),
            Arith::Sub => self.b.ins().isub(x, y),
            Arith::Mul => match constants {
                (_, Some(k)) => self.b.ins().imul_imm_s(x, k),
                (Some(k), _) => self.b.ins().imul_imm_s(y, k),
                _ => {
                    let n = self.b.ins().sshr_imm_u(x, tag_bits);
                    self.b.ins().imul(n, y)
                }
            },
            Arith::Div | Arith::Rem => match constants.1 {
                Some(k) if !matches!(k, 0 | -1) => self.by_constant(how, x, k),
                _ if how == Arith::Rem => self.b.ins().srem(x, y),
                _ => {
                    let q = self.b.ins().sdiv(x, y);
                    self.b.ins().ishl_imm_u(q, tag_bits)
                }
            },
            Arith::Band => self.b.ins().band(x, y),
            Arith::Bor => self.b.ins().bor(x, y),
            Arith::Bxor => self.b.ins().bxor(x, y),
            Arith::Bsl => {
                let n = self.b.ins().ushr_imm_u(y, tag_bits);
                self.b.ins().ishl(x, n)
            }
            Arith::Bsr => {
                let n = self.b.ins().ushr_imm_u(y, tag_bits);
                let r = self.b.ins().sshr(x, n);
                self.b.ins().band_imm_s(r, -8)
            }
        }
    }

    pub(super) fn raw_floats(&mut self, how: FloatArith, a: Value, b: Value) -> Value {
        match how {
            FloatArith::Add => self.b.ins().fadd(a, b),
            FloatArith::Sub => self.b.ins().fsub(a, b),
            FloatArith::Mul => self.b.ins().fmul(a, b),
            FloatArith::Div => self.b.ins().fdiv(a, b),
        }
    }

    /// Is it infinite, or no number? Of these the difference to itself is no number.
    pub(super) fn is_infinite(&mut self, v: Value) -> Value {
        let d = self.b.ins().fsub(v, v);
        self.b.ins().fcmp(FloatCC::Unordered, d, d)
    }

    /// The double nearest to a small integer.
    pub(super) fn small_to_float(&mut self, v: Value) -> Value {
        let n = self.b.ins().sshr_imm_u(v, i64::from(TAG_BITS));
        self.b.ins().fcvt_from_sint(F64, n)
    }

    /// The term of a value that is one or a double, where that is rare.
    pub(super) fn term_of(&mut self, v: Value) -> Value {
        if self.b.func.dfg.value_type(v) != F64 {
            return v;
        }
        let bits = self.b.ins().bitcast(I64, MemFlagsData::new(), v);
        self.help(Helper::BoxFloat, &[bits])
    }
}
