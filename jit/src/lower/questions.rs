//! Tests and comparisons.
//!
//! A question is lowered to control flow that ends in one of two places; only where the answer is wanted as a value
//! it is made one.

use super::data::word_at;
use super::{Lowering, To, trusted};
use crate::ir::{Comparison, InstData, Op, Test, Value as Ssa};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I64};
use cranelift_codegen::ir::{InstBuilder, Value};
use enigma_runtime::interp::native::Helper;
use enigma_runtime::term::{Header, Kind, TAG_BOXED, TAG_CONS, TAG_FLONUM, TAG_SMALL, Term};

/// The low byte of terms of atoms, local pids and local ports.
const ATOM: u64 = Term::atom(enigma_runtime::atom::Atom::FALSE).raw() & 0xff;
const PID: u64 = Term::local_pid(0).raw() & 0xff;
const PORT: u64 = Term::local_port(0).raw() & 0xff;

impl Lowering<'_> {
    /// The answer as a value.
    pub(super) fn answer(&mut self, i: &InstData) {
        let (yes, no, join) = (self.fresh_block(), self.fresh_block(), self.fresh_block());
        let answer = self.b.append_block_param(join, I8);
        self.question(&i.op, &i.args, &To::plain(yes), &To::plain(no));
        for (block, n) in [(yes, 1), (no, 0)] {
            self.begin(block);
            let v = self.b.ins().iconst(I8, n);
            self.b.ins().jump(join, &[v.into()]);
        }
        self.begin(join);
        self.credit = 0;
        self.current = None;
        self.define(i, answer);
    }

    /// Goes where the answer leads.
    pub(super) fn question(&mut self, op: &Op, args: &[Ssa], yes: &To, no: &To) {
        match op {
            Op::Test(test) => {
                let v = self.val(args[0]);
                self.test(*test, v, yes, no);
            }
            Op::Compare(how) => self.compare(*how, args[0], args[1], yes, no),
            Op::IsValue => {
                let v = self.val(args[0]);
                let is = self.is_nonvalue(v);
                self.branch(is, no, yes);
            }
            Op::IsFunctionOf => {
                let args = self.vals(args);
                self.ask(Helper::IsFunctionOf, &args, yes, no);
            }
            Op::BitsLeftAre(n) => {
                let left = self.bits_left(args[0], no);
                let n = self.word(*n);
                let is = self.b.ins().icmp(IntCC::Equal, left, n);
                self.branch(is, yes, no);
            }
            Op::BitsLeftMultiple(n) => {
                let left = self.bits_left(args[0], no);
                let rest = if n.is_power_of_two() {
                    self.b.ins().band_imm_s(left, (n - 1) as i64)
                } else {
                    let n = self.word(*n);
                    self.b.ins().urem(left, n)
                };
                self.branch(rest, no, yes);
            }
            _ => self.ask_numbers(op, args, yes, no),
        }
    }

    /// Bits that a match context has left; what is none goes to `no`.
    fn bits_left(&mut self, v: Ssa, no: &To) -> Value {
        let c = self.open(v, no);
        self.b.ins().isub(c.end, c.at)
    }

    fn ask(&mut self, helper: Helper, args: &[Value], yes: &To, no: &To) {
        let is = self.help(helper, args);
        self.branch(is, yes, no);
    }

    pub(super) fn is_nonvalue(&mut self, v: Value) -> Value {
        let low = self.b.ins().ireduce(I8, v);
        let nonvalue = Term::NONVALUE.raw() as i8;
        self.b
            .ins()
            .icmp_imm_s(IntCC::Equal, low, i64::from(nonvalue))
    }

    pub(super) fn has_tag(&mut self, v: Value, tag: u64) -> Value {
        let t = self.b.ins().band_imm_s(v, 7);
        self.b.ins().icmp_imm_s(IntCC::Equal, t, tag as i64)
    }

    pub(super) fn has_low_byte(&mut self, v: Value, byte: u64) -> Value {
        let t = self.b.ins().band_imm_s(v, 0xff);
        self.b.ins().icmp_imm_s(IntCC::Equal, t, byte as i64)
    }

    pub(super) fn is_word(&mut self, v: Value, word: u64) -> Value {
        let w = self.word(word);
        self.b.ins().icmp(IntCC::Equal, v, w)
    }

    /// The header of a boxed object; where the term is none, control goes to `no`.
    pub(super) fn header_or(&mut self, v: Value, no: &To) -> Value {
        let is = self.has_tag(v, TAG_BOXED);
        self.go_on_if(is, no);
        self.header(v)
    }

    /// The header of a boxed object.
    pub(super) fn header(&mut self, v: Value) -> Value {
        self.b.ins().load(I64, trusted(), v, -(TAG_BOXED as i32))
    }

    fn is_kind(&mut self, v: Value, kinds: &[Kind], yes: &To, no: &To) {
        let header = self.header_or(v, no);
        if let [kind] = kinds {
            let is = self.has_low_byte(header, Header::new(*kind, 0).raw());
            return self.branch(is, yes, no);
        }
        let mask = kinds.iter().fold(0u64, |m, &k| m | 1 << (k as u64));
        let kind = self.b.ins().ushr_imm_u(header, 3);
        let kind = self.b.ins().band_imm_s(kind, 31);
        let mask = self.word(mask);
        let bit = self.b.ins().ushr(mask, kind);
        let bit = self.b.ins().band_imm_s(bit, 1);
        self.branch(bit, yes, no);
    }

    /// Is it a bitstring of whole bytes? The rest of what is matched is asked for by a helper.
    fn is_binary(&mut self, v: Value, yes: &To, no: &To) {
        let header = self.header_or(v, no);
        let (short, long, sized) = (self.fresh_block(), self.fresh_block(), self.fresh_block());
        let bits = self.b.append_block_param(sized, I64);
        let kinds = [
            (Kind::HeapBits, short),
            (Kind::BinRef, long),
            (Kind::SubBits, long),
        ];
        for (kind, block) in kinds {
            let is = self.has_low_byte(header, Header::new(kind, 0).raw());
            let next = self.fresh_block();
            self.branch(is, &To::plain(block), &To::plain(next));
            self.begin(next);
        }
        let context = self.has_low_byte(header, Header::new(Kind::MatchCtx, 0).raw());
        self.go_on_if(context, no);
        self.ask(Helper::IsBinary, &[v], yes, no);
        for (block, word) in [(short, 1), (long, 3)] {
            self.begin(block);
            let n = self.b.ins().load(I64, trusted(), v, word_at(word));
            self.b.ins().jump(sized, &[n.into()]);
        }
        self.begin(sized);
        let partial = self.b.ins().band_imm_s(bits, 7);
        self.branch(partial, no, yes);
    }

    pub(super) fn test(&mut self, test: Test, v: Value, yes: &To, no: &To) {
        let is = match test {
            Test::Small => self.has_tag(v, TAG_SMALL),
            Test::Cons => self.has_tag(v, TAG_CONS),
            Test::Atom => self.has_low_byte(v, ATOM),
            Test::Nil => self.is_word(v, Term::NIL.raw()),
            Test::Boolean => {
                let is = self.is_word(v, Term::bool(true).raw());
                self.go_on_unless(is, yes);
                self.is_word(v, Term::bool(false).raw())
            }
            Test::List => {
                let is = self.has_tag(v, TAG_CONS);
                self.go_on_unless(is, yes);
                self.is_word(v, Term::NIL.raw())
            }
            Test::Integer => {
                let is = self.has_tag(v, TAG_SMALL);
                self.go_on_unless(is, yes);
                return self.is_kind(v, &[Kind::BigPos, Kind::BigNeg], yes, no);
            }
            Test::Float => {
                let is = self.has_tag(v, TAG_FLONUM);
                self.go_on_unless(is, yes);
                return self.is_kind(v, &[Kind::Float], yes, no);
            }
            Test::Number => {
                let small = self.b.ins().band_imm_s(v, 3);
                let is = self.b.ins().icmp_imm_s(IntCC::Equal, small, 0);
                self.go_on_unless(is, yes);
                return self.is_kind(v, &[Kind::BigPos, Kind::BigNeg, Kind::Float], yes, no);
            }
            Test::Kind(kind) => return self.is_kind(v, &[kind], yes, no),
            Test::Map => {
                let header = self.header_or(v, no);
                let flat = self.has_low_byte(header, Header::new(Kind::FlatMap, 0).raw());
                self.go_on_unless(flat, yes);
                self.has_low_byte(header, Header::new(Kind::HashMap, 0).raw())
            }
            Test::Pid => {
                let is = self.has_low_byte(v, PID);
                self.go_on_unless(is, yes);
                return self.is_kind(v, &[Kind::ExtPid], yes, no);
            }
            Test::Port => {
                let is = self.has_low_byte(v, PORT);
                self.go_on_unless(is, yes);
                return self.is_kind(v, &[Kind::ExtPort], yes, no);
            }
            Test::Reference => {
                return self.is_kind(v, &[Kind::Ref, Kind::MagicRef, Kind::ExtRef], yes, no);
            }
            Test::Function => return self.is_kind(v, &[Kind::Fun, Kind::Export], yes, no),
            Test::Bitstring => {
                let kinds = [Kind::HeapBits, Kind::BinRef, Kind::SubBits, Kind::MatchCtx];
                return self.is_kind(v, &kinds, yes, no);
            }
            Test::Binary => return self.is_binary(v, yes, no),
            Test::TupleOf(n) => {
                let header = self.header_or(v, no);
                self.is_word(header, Header::new(Kind::Tuple, n as usize).raw())
            }
            Test::TupleAbove(n) => {
                let header = self.header_or(v, no);
                let tuple = self.has_low_byte(header, Header::new(Kind::Tuple, 0).raw());
                self.go_on_if(tuple, no);
                let least = self.word(Header::new(Kind::Tuple, n as usize).raw());
                self.b.ins().icmp(IntCC::UnsignedGreaterThan, header, least)
            }
            Test::Tagged(n, tag) => {
                let header = self.header_or(v, no);
                let size = self.is_word(header, Header::new(Kind::Tuple, n as usize).raw());
                self.go_on_if(size, no);
                let first = 8 - TAG_BOXED as i32;
                let first = self.b.ins().load(I64, trusted(), v, first);
                self.is_word(first, Term::atom(tag).raw())
            }
        };
        self.branch(is, yes, no);
    }

    // ---- comparisons ----

    fn compare(&mut self, how: Comparison, a: Ssa, b: Ssa, yes: &To, no: &To) {
        let constants = (self.constant(a), self.constant(b));
        let (x, y) = (self.val(a), self.val(b));
        let plain = |w: Option<u64>| w.is_some_and(is_plain_immediate);
        let exact = matches!(how, Comparison::ExactEq | Comparison::ExactNe);
        if exact && (plain(constants.0) || plain(constants.1)) {
            let is = self.b.ins().icmp(IntCC::Equal, x, y);
            return match how {
                Comparison::ExactEq => self.branch(is, yes, no),
                _ => self.branch(is, no, yes),
            };
        }
        match how {
            Comparison::ExactEq => self.exactly_equal(x, y, yes, no),
            Comparison::ExactNe => self.exactly_equal(x, y, no, yes),
            Comparison::Lt => self.both_small(IntCC::SignedLessThan, constants, [x, y], yes, no),
            Comparison::Ge => self.both_small(IntCC::SignedLessThan, constants, [x, y], no, yes),
            Comparison::Eq => self.both_small(IntCC::Equal, constants, [x, y], yes, no),
            Comparison::Ne => self.both_small(IntCC::Equal, constants, [x, y], no, yes),
        }
    }

    fn exactly_equal(&mut self, x: Value, y: Value, yes: &To, no: &To) {
        let same = self.b.ins().icmp(IntCC::Equal, x, y);
        self.go_on_unless(same, yes);
        // Two different words are different terms if one of them is an immediate that is no float.
        for v in [x, y] {
            let t = self.b.ins().band_imm_s(v, 7);
            // Cons, boxed and flonum are 1, 2 and 4.
            let shifted = self.word(0b0001_0110);
            let bit = self.b.ins().ushr(shifted, t);
            let bit = self.b.ins().band_imm_s(bit, 1);
            self.go_on_if(bit, no);
        }
        self.ask(Helper::ExactlyEqual, &[x, y], yes, no);
    }

    /// A comparison that is one of words for small integers.
    fn both_small(
        &mut self,
        how: IntCC,
        constants: (Option<u64>, Option<u64>),
        [x, y]: [Value; 2],
        yes: &To,
        no: &To,
    ) {
        let small = |w: Option<u64>| w.is_some_and(|w| w & 7 == TAG_SMALL);
        let tags = match (small(constants.0), small(constants.1)) {
            (true, true) => None,
            (true, false) => Some(y),
            (false, true) => Some(x),
            (false, false) => Some(self.b.ins().bor(x, y)),
        };
        let cold = tags.map(|t| {
            let t = self.b.ins().band_imm_s(t, 7);
            self.unlikely_if(t)
        });
        let is = self.b.ins().icmp(how, x, y);
        self.branch(is, yes, no);
        if let Some(cold) = cold {
            self.begin(cold);
            let helper = if how == IntCC::Equal {
                Helper::Equal
            } else {
                Helper::Less
            };
            self.ask(helper, &[x, y], yes, no);
        }
    }
}

/// Is it an immediate for which equality is equality of words?
pub(super) fn is_plain_immediate(word: u64) -> bool {
    !matches!(word & 7, TAG_CONS | TAG_BOXED | TAG_FLONUM)
}
