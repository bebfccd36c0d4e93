//! Integers of 64 bits without a sign.

use super::data::word_at;
use super::{Lowering, To, trusted};
use crate::ir::{Arith, InstData, Op};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};
use enigma_runtime::term::{Header, Kind, MAX_SMALL, TAG_BITS};

/// Bits of the largest small integer.
const SMALL_BITS: i64 = (MAX_SMALL as u64).trailing_ones() as i64;

impl Lowering<'_> {
    /// What cannot fail.
    pub(super) fn words(&mut self, i: &InstData) {
        let v = match &i.op {
            Op::WordConst(n) => self.word(*n),
            Op::WordArith(how) => {
                let (x, y) = (self.val(i.args[0]), self.val(i.args[1]));
                self.word_arith(*how, x, y)
            }
            Op::WordTerm(most) => {
                let v = self.val(i.args[0]);
                self.word_term(v, *most)
            }
            _ => enigma_runtime::bug::vm_bug("nothing is done with words"),
        };
        self.define(i, v);
    }

    fn word_arith(&mut self, how: Arith, x: Value, y: Value) -> Value {
        let b = self.b.ins();
        match how {
            Arith::Add => b.iadd(x, y),
            Arith::Sub => b.isub(x, y),
            Arith::Mul => b.imul(x, y),
            Arith::Div => b.udiv(x, y),
            Arith::Rem => b.urem(x, y),
            Arith::Band => b.band(x, y),
            Arith::Bor => b.bor(x, y),
            Arith::Bxor => b.bxor(x, y),
            Arith::Bsl => b.ishl(x, y),
            Arith::Bsr => b.ushr(x, y),
        }
    }

    /// The integer; goes to `no` where it is none that is a word.
    pub(super) fn word_arith_or(&mut self, how: Arith, x: Value, y: Value, no: &To) -> Value {
        match how {
            Arith::Add => {
                let (r, over) = self.b.ins().uadd_overflow(x, y);
                self.go_on_unless(over, no);
                r
            }
            Arith::Sub => {
                let negative = self.b.ins().icmp(IntCC::UnsignedLessThan, x, y);
                self.go_on_unless(negative, no);
                self.b.ins().isub(x, y)
            }
            Arith::Mul => {
                let (r, over) = self.b.ins().umul_overflow(x, y);
                self.go_on_unless(over, no);
                r
            }
            Arith::Div | Arith::Rem => {
                self.go_on_if(y, no);
                self.word_arith(how, x, y)
            }
            Arith::Bsl => {
                let r = self.b.ins().ishl(x, y);
                let back = self.b.ins().ushr(r, y);
                let same = self.b.ins().icmp(IntCC::Equal, back, x);
                self.go_on_if(same, no);
                r
            }
            Arith::Band | Arith::Bor | Arith::Bxor | Arith::Bsr => self.word_arith(how, x, y),
        }
    }

    /// The integer from 0 to 2^64 - 1 that a term is; goes to `no` where it is none.
    pub(super) fn word_of(&mut self, v: Value, no: &To) -> Value {
        let join = self.fresh_block();
        let result = self.b.append_block_param(join, I64);
        // Of a small integer that is not negative the bits on top are zeros then.
        let n = self.b.ins().rotr_imm_u(v, i64::from(TAG_BITS));
        let top = self.b.ins().ushr_imm_u(n, SMALL_BITS);
        let cold = self.unlikely_if(top);
        self.b.ins().jump(join, &[n.into()]);
        self.begin(cold);
        let header = self.header_or(v, no);
        let one_limb = Header::new(Kind::BigPos, 1).raw() as i64;
        let is = self.b.ins().icmp_imm_s(IntCC::Equal, header, one_limb);
        self.go_on_if(is, no);
        let limb = self.b.ins().load(I64, trusted(), v, word_at(1));
        self.b.ins().jump(join, &[limb.into()]);
        self.begin(join);
        result
    }

    fn word_term(&mut self, v: Value, most: u64) -> Value {
        if most <= MAX_SMALL as u64 {
            return self.b.ins().ishl_imm_u(v, i64::from(TAG_BITS));
        }
        self.large(v, false)
    }
}
