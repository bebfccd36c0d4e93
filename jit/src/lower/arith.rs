//! Arithmetic: small integers and floats in line, what is rare by helpers.

use super::{Lowering, To, trusted};
use crate::ir::{Arith, ExitRef, InstData, Op, Value as Ssa};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};
use enigma_runtime::interp::native::Helper;
use enigma_runtime::term::{
    FLONUM_OFFSET, Header, Kind, TAG_BITS, TAG_BOXED, TAG_FLONUM, TAG_SMALL,
};

fn helper(how: Arith) -> Helper {
    match how {
        Arith::Add => Helper::Add,
        Arith::Sub => Helper::Sub,
        Arith::Mul => Helper::Mul,
        Arith::Div => Helper::Div,
        Arith::Rem => Helper::Rem,
        Arith::Band => Helper::Band,
        Arith::Bor => Helper::Bor,
        Arith::Bxor => Helper::Bxor,
        Arith::Bsl => Helper::Bsl,
        Arith::Bsr => Helper::Bsr,
    }
}

/// The value of a constant that is a small integer.
fn small(word: Option<u64>) -> Option<i64> {
    word.filter(|w| w & 7 == TAG_SMALL)
        .map(|w| (w as i64) >> TAG_BITS)
}

impl Lowering<'_> {
    pub(super) fn arithmetic(&mut self, i: &InstData) {
        let v = match &i.op {
            Op::Arith(how, exit) => {
                let v = self.integers(*how, i.args[0], i.args[1], Some(*exit));
                return self.define(i, v);
            }
            Op::TryArith(how) => self.integers(*how, i.args[0], i.args[1], None),
            Op::Unbox(exit) => {
                let v = self.val(i.args[0]);
                let no = To::plain(self.exit_block(*exit));
                self.unbox(v, &no)
            }
            Op::ToFloat(exit) => {
                let v = self.val(i.args[0]);
                let no = To::plain(self.exit_block(*exit));
                self.float_of(v, &no)
            }
            Op::Box => {
                let v = self.val(i.args[0]);
                self.box_float(v)
            }
            Op::FloatArith(how, exit) => {
                let (a, b) = (self.val(i.args[0]), self.val(i.args[1]));
                let v = self.raw_floats(*how, a, b);
                let infinite = self.is_infinite(v);
                self.exit_if(infinite, *exit);
                v
            }
            Op::FloatNegate => {
                let v = self.val(i.args[0]);
                self.b.ins().fneg(v)
            }
            _ => self.known_numbers(i),
        };
        self.define(i, v);
    }

    /// Two operands, where they are constants that are small integers.
    pub(super) fn small_constants(&self, a: Ssa, b: Ssa) -> (Option<i64>, Option<i64>) {
        (small(self.constant(a)), small(self.constant(b)))
    }

    /// Of two terms. Without an exit the result may be `NONVALUE`.
    fn integers(&mut self, how: Arith, a: Ssa, b: Ssa, exit: Option<ExitRef>) -> Value {
        let constants = self.small_constants(a, b);
        let (x, y) = (self.val(a), self.val(b));
        let cold = self.fresh_block();
        self.b.set_cold_block(cold);
        let tags = match (constants.0.is_some(), constants.1.is_some()) {
            (true, true) => None,
            (true, false) => Some(y),
            (false, true) => Some(x),
            (false, false) => Some(self.b.ins().bor(x, y)),
        };
        if let Some(t) = tags {
            let t = self.b.ins().band_imm_s(t, 7);
            self.go_on_unless(t, &To::plain(cold));
        }
        let fast = self.small_integers(how, x, y, constants, &To::plain(cold));
        let join = self.fresh_block();
        let result = self.b.append_block_param(join, I64);
        match fast {
            Some(v) => self.b.ins().jump(join, &[v.into()]),
            None => self.b.ins().jump(cold, &[]),
        };
        self.begin(cold);
        let v = self.help(helper(how), &[x, y]);
        if let Some(exit) = exit {
            let none = self.is_nonvalue(v);
            self.exit_if(none, exit);
        }
        self.go(&To {
            block: join,
            args: vec![v.into()],
        });
        self.begin(join);
        result
    }

    /// Of two small integers; goes to `cold` where the result may be none, and gives nothing where that is always so.
    pub(super) fn small_integers(
        &mut self,
        how: Arith,
        x: Value,
        y: Value,
        constants: (Option<i64>, Option<i64>),
        cold: &To,
    ) -> Option<Value> {
        Some(match how {
            Arith::Add | Arith::Sub => {
                let step = match (how, constants) {
                    (Arith::Add, (_, Some(k))) => Some((x, k)),
                    (Arith::Add, (Some(k), _)) => Some((y, k)),
                    (Arith::Sub, (_, Some(k))) if k != i64::MIN => Some((x, -k)),
                    _ => None,
                };
                if let Some((v, k)) = step {
                    let r = self.b.ins().iadd_imm_s(v, k << TAG_BITS);
                    let cc = if k < 0 {
                        IntCC::SignedGreaterThan
                    } else {
                        IntCC::SignedLessThan
                    };
                    let over = self.b.ins().icmp(cc, r, v);
                    self.go_on_unless(over, cold);
                    return Some(r);
                }
                let (r, over) = if how == Arith::Add {
                    self.b.ins().sadd_overflow(x, y)
                } else {
                    self.b.ins().ssub_overflow(x, y)
                };
                self.go_on_unless(over, cold);
                r
            }
            Arith::Mul => {
                let n = self.b.ins().sshr_imm_u(x, i64::from(TAG_BITS));
                let (r, over) = self.b.ins().smul_overflow(n, y);
                self.go_on_unless(over, cold);
                r
            }
            Arith::Div | Arith::Rem => {
                match constants.1 {
                    Some(0 | -1) => return None,
                    Some(k) => return Some(self.by_constant(how, x, k)),
                    None => {
                        // By 0 is an error, by -1 the least one is no small integer.
                        let one_more = self.b.ins().iadd_imm_s(y, 8);
                        let rare =
                            self.b
                                .ins()
                                .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, one_more, 8);
                        self.go_on_unless(rare, cold);
                    }
                }
                if how == Arith::Rem {
                    self.b.ins().srem(x, y)
                } else {
                    let q = self.b.ins().sdiv(x, y);
                    self.b.ins().ishl_imm_u(q, i64::from(TAG_BITS))
                }
            }
            Arith::Band => self.b.ins().band(x, y),
            Arith::Bor => self.b.ins().bor(x, y),
            Arith::Bxor => self.b.ins().bxor(x, y),
            Arith::Bsl => {
                let k = constants.1.filter(|k| (0..60).contains(k))?;
                let r = self.b.ins().ishl_imm_u(x, k);
                let back = self.b.ins().sshr_imm_u(r, k);
                let over = self.b.ins().icmp(IntCC::NotEqual, back, x);
                self.go_on_unless(over, cold);
                r
            }
            Arith::Bsr => {
                let r = match constants.1 {
                    Some(k) if k < 0 => return None,
                    Some(k) => self.b.ins().sshr_imm_u(x, k.min(63)),
                    None => {
                        let rare =
                            self.b
                                .ins()
                                .icmp_imm_u(IntCC::UnsignedGreaterThan, y, 63 << TAG_BITS);
                        self.go_on_unless(rare, cold);
                        let n = self.b.ins().ushr_imm_u(y, i64::from(TAG_BITS));
                        self.b.ins().sshr(x, n)
                    }
                };
                self.b.ins().band_imm_s(r, -8)
            }
        })
    }

    // ---- floats ----

    /// The double of a flonum.
    fn flonum(&mut self, v: Value) -> Value {
        let e = self.b.ins().ushr_imm_u(v, i64::from(TAG_BITS));
        let offset = self.word(FLONUM_OFFSET);
        let moved = self.b.ins().iadd(e, offset);
        let zero = self
            .b
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, e, 1);
        let r = self.b.ins().select(zero, e, moved);
        let bits = self.b.ins().rotr_imm_u(r, 1);
        self.b.ins().bitcast(F64, MemFlagsData::new(), bits)
    }

    /// The double of a term; goes to `no` if it is no float.
    pub(super) fn unbox(&mut self, v: Value, no: &To) -> Value {
        let join = self.fresh_block();
        let result = self.b.append_block_param(join, F64);
        let tag = self.b.ins().band_imm_s(v, 7);
        let is = self
            .b
            .ins()
            .icmp_imm_s(IntCC::Equal, tag, TAG_FLONUM as i64);
        let cold = self.unlikely_unless(is);
        let f = self.flonum(v);
        self.b.ins().jump(join, &[f.into()]);
        self.begin(cold);
        self.unbox_object(v, no, join);
        self.begin(join);
        result
    }

    /// The double of a boxed float; goes to `no` if it is none.
    fn unbox_object(&mut self, v: Value, no: &To, join: Block) {
        let header = self.header_or(v, no);
        let float = Header::new(Kind::Float, 1).raw() as i64;
        let is = self.b.ins().icmp_imm_s(IntCC::Equal, header, float);
        self.go_on_if(is, no);
        let f = self.b.ins().load(F64, trusted(), v, 8 - TAG_BOXED as i32);
        self.b.ins().jump(join, &[f.into()]);
    }

    /// The double nearest to a term; goes to `no` if it is neither a float nor a small integer.
    pub(super) fn float_of(&mut self, v: Value, no: &To) -> Value {
        let join = self.fresh_block();
        let result = self.b.append_block_param(join, F64);
        let (float, int) = (self.fresh_block(), self.fresh_block());
        let tag = self.b.ins().band_imm_s(v, 7);
        self.b.ins().brif(tag, float, &[], int, &[]);
        self.begin(int);
        let f = self.small_to_float(v);
        self.b.ins().jump(join, &[f.into()]);
        self.begin(float);
        let f = self.unbox(v, no);
        self.b.ins().jump(join, &[f.into()]);
        self.begin(join);
        result
    }

    pub(super) fn box_float(&mut self, f: Value) -> Value {
        let join = self.fresh_block();
        let result = self.b.append_block_param(join, I64);
        let bits = self.b.ins().bitcast(I64, MemFlagsData::new(), f);
        let r = self.b.ins().rotl_imm_u(bits, 1);
        let offset = self.word(FLONUM_OFFSET);
        let e = self.b.ins().isub(r, offset);
        // Zeros are flonums too, but encoded in another way.
        let from2 = self.b.ins().iadd_imm_s(e, -2);
        let limit = self.word((1 << 61) - 2);
        let fits = self.b.ins().icmp(IntCC::UnsignedLessThan, from2, limit);
        let cold = self.unlikely_unless(fits);
        let v = self.b.ins().ishl_imm_u(e, i64::from(TAG_BITS));
        let v = self.b.ins().bor_imm_s(v, TAG_FLONUM as i64);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(cold);
        let v = self.help(Helper::BoxFloat, &[bits]);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(join);
        self.credit = 0;
        result
    }
}
