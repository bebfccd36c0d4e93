//! Matching of bitstrings.
//!
//! A match context has in word 1 the `HeapBits` or `BinRef` with the bits, in word 2 the position and in word 3 the end, both
//! in bits from the base's first one. Bytes are read only where the position and the end have been compared. The
//! position is written back when all has matched.

use super::data::word_at;
use super::{Lowering, To, trusted};
use crate::ir::bits::{Encoding, FieldFlags, FieldKind, MatchStep};
use crate::ir::{InstData, Op};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I16, I32, I64};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Value};
use enigma_runtime::interp::native::{Helper, layout};
use enigma_runtime::term::{Header, Kind, TAG_BITS, TAG_SMALL, Term};

/// Words of a match context's parts.
const BASE: u32 = 1;
const POSITION: u32 = 2;
const END: u32 = 3;

/// Bits that eight bytes hold at least, wherever in the first one they begin.
const WINDOW: u64 = 57;

/// Bitstrings of more bits than these share the memory of what they are parts of.
const LONG_PART: i64 = 8 * layout::LONGEST_COPIED_PART as i64;

/// What bytes are read with: they may be anywhere.
fn unaligned() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// A match in progress.
struct Cursor<'a> {
    context: Value,
    at: Value,
    left: Value,
    /// Bits that have been passed over.
    offset: u64,
    /// Bits that are known to be there, from the position on.
    known: u64,
    no: &'a To,
    base: Value,
    bytes: Option<Bytes>,
    /// Does each field that is read take whole bytes, from a whole number of bytes behind the position?
    whole: bool,
    /// The bits of several fields: where they begin and end behind the position, and a word whose lowest ones they are.
    window: Option<(u64, u64, Value)>,
}

/// Where the bytes are.
#[derive(Clone, Copy)]
struct Bytes {
    /// Address of the base's first byte.
    data: Value,
    /// Address of the byte at the position.
    here: Value,
    /// Bits from the start of that byte to the position.
    skew: Value,
}

/// A field's bits: where they begin and end behind the position.
#[derive(Clone, Copy)]
struct Span {
    from: u64,
    to: u64,
}

/// The fields that commands read.
fn spans(steps: &[MatchStep]) -> Vec<Span> {
    let (mut at, mut spans) = (0, Vec::new());
    for step in steps {
        let (bits, is_read) = match step {
            MatchStep::Equal { bits, .. } | MatchStep::Integer { bits, .. } => {
                (u64::from(*bits), true)
            }
            MatchStep::Skip(bits) | MatchStep::Part(bits) => (*bits, false),
            MatchStep::AtLeast { .. } | MatchStep::Exactly(_) | MatchStep::Rest => (0, false),
        };
        if is_read {
            let (from, to) = (at, at + bits);
            spans.push(Span { from, to });
        }
        at += bits;
    }
    spans
}

impl Lowering<'_> {
    /// The answer and what is found, as values.
    pub(super) fn match_answer(&mut self, i: &InstData) {
        let [yes, no, join] = [(); 3].map(|()| self.b.create_block());
        let answer = self.b.append_block_param(join, I8);
        let found: Vec<Value> = i.results[1..]
            .iter()
            .map(|_| self.b.append_block_param(join, I64))
            .collect();
        self.matching(i, &To::plain(yes), &To::plain(no));
        self.b.switch_to_block(yes);
        let mut args: Vec<BlockArg> = vec![self.b.ins().iconst(I8, 1).into()];
        for &r in &i.results[1..] {
            args.push(self.val(r).into());
        }
        self.b.ins().jump(join, &args);
        self.b.switch_to_block(no);
        let nothing = self.word(Term::NIL.raw());
        let mut args: Vec<BlockArg> = vec![self.b.ins().iconst(I8, 0).into()];
        args.extend(found.iter().map(|_| BlockArg::from(nothing)));
        self.b.ins().jump(join, &args);
        self.b.switch_to_block(join);
        self.define(i, answer);
        for (&r, v) in i.results[1..].iter().zip(found) {
            self.values[r.index()] = Some(v);
        }
    }

    /// Goes to `yes` where it matches, with the results defined.
    pub(super) fn matching(&mut self, i: &InstData, yes: &To, no: &To) {
        let args = self.vals(&i.args);
        let found = match &i.op {
            Op::StartMatch => vec![self.start_match(args[0], no)],
            Op::MatchBits(steps) => self.match_bits(steps, args[0], no),
            Op::MatchString(bits, from) => {
                let strings = &self.me.module().file.strings;
                let bytes = strings.as_ptr().wrapping_add(*from as usize);
                let (n, bytes) = (self.word(*bits), self.word(bytes as u64));
                let is = self.help_quietly(Helper::MatchString, &[args[0], n, bytes]);
                self.go_on_if(is, no);
                Vec::new()
            }
            Op::GetBits(kind, unit, flags) => {
                let how =
                    u64::from(*unit) | u64::from(flags.bits()) << 32 | u64::from(kind.code()) << 40;
                let how = self.word(how);
                let v = self.help(Helper::GetBits, &[args[0], args[1], how]);
                self.value_or(v, no);
                match kind {
                    FieldKind::Skip => Vec::new(),
                    _ => vec![v],
                }
            }
            Op::GetUtf(encoding, flags) => vec![self.get_utf(args[0], *encoding, *flags, no)],
            _ => enigma_runtime::bug::vm_bug("no instruction of matching"),
        };
        for (&r, v) in i.results[1..].iter().zip(found) {
            self.values[r.index()] = Some(v);
        }
        self.go(yes);
    }

    /// Goes on in a fresh block if the condition holds.
    pub(super) fn go_on_if(&mut self, condition: Value, no: &To) {
        let next = self.b.create_block();
        self.branch(condition, &To::plain(next), no);
        self.b.switch_to_block(next);
    }

    /// Goes on in a fresh block if the condition does not hold.
    pub(super) fn go_on_unless(&mut self, condition: Value, no: &To) {
        let next = self.b.create_block();
        self.branch(condition, no, &To::plain(next));
        self.b.switch_to_block(next);
    }

    /// Goes on if it is a value.
    fn value_or(&mut self, v: Value, no: &To) {
        let is = self.is_nonvalue(v);
        self.go_on_unless(is, no);
    }

    /// Goes on if it is a match context.
    pub(super) fn context_or(&mut self, v: Value, no: &To) {
        let header = self.header_or(v, no);
        let is = self.has_low_byte(header, Header::new(Kind::MatchCtx, 0).raw());
        self.go_on_if(is, no);
    }

    /// Calls a helper that takes no heap.
    pub(super) fn help_quietly(&mut self, helper: Helper, args: &[Value]) -> Value {
        let credit = self.credit;
        let v = self.help(helper, args);
        self.credit = credit;
        v
    }

    fn part(&mut self, context: Value, word: u32) -> Value {
        self.b.ins().load(I64, trusted(), context, word_at(word))
    }

    fn set_position(&mut self, context: Value, at: Value) {
        self.b
            .ins()
            .store(trusted(), at, context, word_at(POSITION));
    }

    /// The match context over a bitstring, or the context itself.
    fn start_match(&mut self, v: Value, no: &To) -> Value {
        let join = self.b.create_block();
        let context = self.b.append_block_param(join, I64);
        let header = self.header_or(v, no);
        let kind = |k| Header::new(k, 0).raw();
        let is = self.has_low_byte(header, kind(Kind::MatchCtx));
        self.done_if(
            is,
            &To {
                block: join,
                args: vec![v.into()],
            },
        );
        let make = self.b.create_block();
        let [base, from, size] = [(); 3].map(|()| self.b.append_block_param(make, I64));
        let zero = self.word(0);
        for (k, base, from, size) in [
            (Kind::BinRef, None, None, 3),
            (Kind::SubBits, Some(1), Some(2), 3),
            (Kind::HeapBits, None, None, 1),
        ] {
            let is = self.has_low_byte(header, kind(k));
            let (here, next) = (self.b.create_block(), self.b.create_block());
            if k == Kind::HeapBits {
                self.branch(is, &To::plain(here), no);
            } else {
                self.branch(is, &To::plain(here), &To::plain(next));
            }
            self.b.switch_to_block(here);
            let base = base.map_or(v, |n| self.part(v, n));
            let from = from.map_or(zero, |n| self.part(v, n));
            let size = self.part(v, size);
            self.b
                .ins()
                .jump(make, &[base.into(), from.into(), size.into()]);
            if k != Kind::HeapBits {
                self.b.switch_to_block(next);
            }
        }
        self.b.switch_to_block(make);
        let end = self.b.ins().iadd(from, size);
        let fresh = self.object(Kind::MatchCtx, &[base, from, end]);
        self.go(&To {
            block: join,
            args: vec![fresh.into()],
        });
        self.b.switch_to_block(join);
        context
    }

    // ---- several commands at once ----

    fn match_bits(&mut self, steps: &[MatchStep], context: Value, no: &To) -> Vec<Value> {
        self.context_or(context, no);
        let [base, at, end] = [BASE, POSITION, END].map(|n| self.part(context, n));
        let left = self.b.ins().isub(end, at);
        let spans = spans(steps);
        let mut c = Cursor {
            context,
            at,
            left,
            offset: 0,
            known: 0,
            no,
            base,
            bytes: None,
            whole: spans.iter().all(|s| (s.from | s.to) & 7 == 0),
            window: None,
        };
        let (mut spans, mut found) = (&spans[..], Vec::new());
        for step in steps {
            match *step {
                MatchStep::AtLeast { bits, unit } => self.at_least(&mut c, bits, unit),
                MatchStep::Exactly(bits) => {
                    c.known = c.known.max(c.offset + bits);
                    let n = self.word(c.offset + bits);
                    let is = self.b.ins().icmp(IntCC::Equal, c.left, n);
                    self.go_on_if(is, no);
                }
                MatchStep::Skip(bits) => self.pass_over(&mut c, bits),
                MatchStep::Equal { bits, value } => {
                    let raw = self.raw(&mut c, &mut spans, u64::from(bits), false);
                    let value = self.word(value);
                    let is = self.b.ins().icmp(IntCC::Equal, raw, value);
                    self.go_on_if(is, no);
                }
                MatchStep::Integer { bits, flags } => {
                    let n = u64::from(bits);
                    let raw = self.raw(&mut c, &mut spans, n, flags.little);
                    found.push(self.integer(raw, n, flags));
                }
                MatchStep::Part(bits) => {
                    let from = c.offset;
                    self.pass_over(&mut c, bits);
                    let from = self.b.ins().iadd_imm_s(c.at, from as i64);
                    let bits = self.word(bits);
                    found.push(self.share(c.base, from, bits));
                }
                MatchStep::Rest => {
                    let from = self.b.ins().iadd_imm_s(c.at, c.offset as i64);
                    let bits = self.b.ins().iadd_imm_s(c.left, -(c.offset as i64));
                    found.push(self.share(c.base, from, bits));
                }
            }
        }
        if c.offset > 0 {
            let at = self.b.ins().iadd_imm_s(c.at, c.offset as i64);
            self.set_position(c.context, at);
        }
        found
    }

    /// Goes on if so many bits are there from the position on.
    fn there(&mut self, c: &mut Cursor<'_>, bits: u64) {
        if bits <= c.known {
            return;
        }
        c.known = bits;
        let n = self.word(bits);
        let short = self.b.ins().icmp(IntCC::UnsignedLessThan, c.left, n);
        self.go_on_unless(short, c.no);
    }

    fn at_least(&mut self, c: &mut Cursor<'_>, bits: u64, unit: u32) {
        let need = c.offset + bits;
        self.there(c, need);
        if unit <= 1 {
            return;
        }
        let unit = u64::from(unit);
        let behind = self.b.ins().iadd_imm_s(c.left, -(need as i64));
        let rest = if unit.is_power_of_two() {
            self.b.ins().band_imm_s(behind, (unit - 1) as i64)
        } else {
            let unit = self.word(unit);
            self.b.ins().urem(behind, unit)
        };
        self.go_on_unless(rest, c.no);
    }

    fn pass_over(&mut self, c: &mut Cursor<'_>, bits: u64) {
        let to = c.offset + bits;
        self.there(c, to);
        c.offset = to;
    }

    // ---- reading ----

    fn bytes(&mut self, c: &mut Cursor<'_>) -> Bytes {
        if let Some(bytes) = c.bytes {
            return bytes;
        }
        let data = self.data_of(c.base);
        let byte = self.b.ins().ushr_imm_u(c.at, 3);
        let bytes = Bytes {
            data,
            here: self.b.ins().iadd(data, byte),
            skew: self.b.ins().band_imm_s(c.at, 7),
        };
        c.bytes = Some(bytes);
        bytes
    }

    /// Address of the first byte of a `HeapBits` or `BinRef`.
    fn data_of(&mut self, base: Value) -> Value {
        let (join, shared) = (self.b.create_block(), self.b.create_block());
        let data = self.b.append_block_param(join, I64);
        let header = self.header(base);
        let heap = self.has_low_byte(header, Header::new(Kind::HeapBits, 0).raw());
        let own = self.b.ins().iadd_imm_s(base, i64::from(word_at(2)));
        let args = vec![own.into()];
        self.branch(heap, &To { block: join, args }, &To::plain(shared));
        self.b.switch_to_block(shared);
        let binary = self.part(base, 2);
        let bytes = self
            .b
            .ins()
            .load(I64, trusted(), binary, layout::BINARY_DATA as i32);
        self.b.ins().jump(join, &[bytes.into()]);
        self.b.switch_to_block(join);
        data
    }

    /// The next `bits` bits as an unsigned number.
    fn raw(&mut self, c: &mut Cursor<'_>, spans: &mut &[Span], bits: u64, little: bool) -> Value {
        let span = Span {
            from: c.offset,
            to: c.offset + bits,
        };
        self.there(c, span.to);
        c.offset = span.to;
        let rest = *spans;
        *spans = rest.get(1..).unwrap_or(&[]);
        if c.whole {
            return self.whole_bytes(c, span, little);
        }
        let raw = if bits > WINDOW {
            self.far(c, span)
        } else {
            self.in_window(c, rest, span)
        };
        if little { self.swapped(raw, bits) } else { raw }
    }

    /// The bytes of a number, which are fewer than eight, in the other order.
    fn swapped(&mut self, v: Value, bits: u64) -> Value {
        if bits <= 8 {
            return v;
        }
        let v = self.b.ins().bswap(v);
        self.b.ins().ushr_imm_u(v, 64 - bits as i64)
    }

    /// A field, read by a helper.
    fn far(&mut self, c: &Cursor<'_>, span: Span) -> Value {
        let from = self.b.ins().iadd_imm_s(c.at, span.from as i64);
        let n = self.word(span.to - span.from);
        self.help_quietly(Helper::ReadBits, &[c.base, from, n])
    }

    /// A field of whole bytes, which begins at one if the position does.
    fn whole_bytes(&mut self, c: &mut Cursor<'_>, span: Span, little: bool) -> Value {
        let bytes = self.bytes(c);
        let (cold, join) = (self.unlikely_if(bytes.skew), self.b.create_block());
        let raw = self.b.append_block_param(join, I64);
        let n = span.to - span.from;
        let v = self.load_bytes(bytes.here, (span.from / 8) as i32, n / 8, little);
        self.b.ins().jump(join, &[v.into()]);
        self.b.switch_to_block(cold);
        let v = self.far(c, span);
        let v = if little { self.swapped(v, n) } else { v };
        self.b.ins().jump(join, &[v.into()]);
        self.b.switch_to_block(join);
        raw
    }

    /// The number in so many bytes, at most eight.
    fn load_bytes(&mut self, p: Value, offset: i32, count: u64, little: bool) -> Value {
        let ty = match count {
            0 => return self.word(0),
            1 => I8,
            2 | 3 => I16,
            4..=7 => I32,
            _ => I64,
        };
        let v = self.b.ins().load(ty, unaligned(), p, offset);
        let v = if little || ty == I8 {
            v
        } else {
            self.b.ins().bswap(v)
        };
        let v = if ty == I64 {
            v
        } else {
            self.b.ins().uextend(I64, v)
        };
        let here = u64::from(ty.bytes());
        if here == count {
            return v;
        }
        let rest = self.load_bytes(p, offset + here as i32, count - here, little);
        let (high, low, bits) = if little {
            (rest, v, 8 * here)
        } else {
            (v, rest, 8 * (count - here))
        };
        let high = self.b.ins().ishl_imm_u(high, bits as i64);
        self.b.ins().bor(high, low)
    }

    /// A field of a window: of the word that is read for this field and those of the next ones that lie near enough.
    fn in_window(&mut self, c: &mut Cursor<'_>, spans: &[Span], span: Span) -> Value {
        let (to, word) = match c.window {
            Some((from, to, word)) if from <= span.from && span.to <= to => (to, word),
            _ => {
                let near = |s: &&Span| s.to <= c.known && s.to - span.from <= WINDOW;
                let last = spans.iter().take_while(near).last();
                let to = last.map_or(span.to, |s| s.to);
                let word = self.window(
                    c,
                    Span {
                        from: span.from,
                        to,
                    },
                );
                c.window = Some((span.from, to, word));
                (to, word)
            }
        };
        let v = self.b.ins().ushr_imm_u(word, (to - span.to) as i64);
        let mask = (1u64 << (span.to - span.from)) - 1;
        let mask = self.word(mask);
        self.b.ins().band(v, mask)
    }

    /// A word whose lowest bits are those of the span.
    fn window(&mut self, c: &mut Cursor<'_>, span: Span) -> Value {
        let bytes = self.bytes(c);
        let last = self.b.ins().iadd_imm_s(c.at, span.to as i64 - 1);
        let byte = self.b.ins().ushr_imm_u(last, 3);
        let (join, read, near) = (
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
        );
        let window = self.b.append_block_param(join, I64);
        // Eight bytes up to the last one are read: there must be so many, or a heap object's first words in front of them.
        let enough = self.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, byte, 6);
        self.branch(enough, &To::plain(read), &To::plain(near));
        self.b.switch_to_block(near);
        let header = self.header(c.base);
        let heap = self.has_low_byte(header, Header::new(Kind::HeapBits, 0).raw());
        let cold = self.cold_block();
        self.branch(heap, &To::plain(read), &To::plain(cold));
        self.b.switch_to_block(read);
        let p = self.b.ins().iadd(bytes.data, byte);
        let v = self.b.ins().load(I64, unaligned(), p, -7);
        let v = self.b.ins().bswap(v);
        let behind = self.b.ins().bnot(last);
        let behind = self.b.ins().band_imm_s(behind, 7);
        let v = self.b.ins().ushr(v, behind);
        self.b.ins().jump(join, &[v.into()]);
        self.b.switch_to_block(cold);
        let v = self.far(c, span);
        self.b.ins().jump(join, &[v.into()]);
        self.b.switch_to_block(join);
        window
    }

    /// The integer term for a field's bits.
    fn integer(&mut self, raw: Value, bits: u64, flags: FieldFlags) -> Value {
        let empty = 64 - bits as i64;
        let tag = i64::from(TAG_BITS);
        let small = if flags.signed {
            let v = self.b.ins().ishl_imm_u(raw, empty);
            if empty >= tag {
                let v = self.b.ins().sshr_imm_u(v, empty - tag);
                return self.b.ins().band_imm_s(v, -(1 << tag));
            }
            let v = self.b.ins().sshr_imm_u(v, empty);
            return self.large(v, true);
        } else {
            raw
        };
        if empty > tag {
            return self.b.ins().ishl_imm_u(small, tag);
        }
        self.large(small, false)
    }

    /// The term for an integer that may be no small one.
    fn large(&mut self, n: Value, signed: bool) -> Value {
        let tag = i64::from(TAG_BITS);
        let v = self.b.ins().ishl_imm_u(n, tag);
        let (is_large, helper) = if signed {
            let back = self.b.ins().sshr_imm_u(v, tag);
            let is = self.b.ins().icmp(IntCC::NotEqual, back, n);
            (is, Helper::SignedInteger)
        } else {
            let high = self.b.ins().ushr_imm_u(n, 63 - tag);
            (high, Helper::UnsignedInteger)
        };
        let (cold, join) = (self.unlikely_if(is_large), self.b.create_block());
        let term = self.b.append_block_param(join, I64);
        self.b.ins().jump(join, &[v.into()]);
        self.b.switch_to_block(cold);
        let v = self.help(helper, &[n]);
        self.b.ins().jump(join, &[v.into()]);
        self.b.switch_to_block(join);
        term
    }

    /// So many bits of a base from a position on, as a bitstring.
    fn share(&mut self, base: Value, from: Value, bits: Value) -> Value {
        let join = self.b.create_block();
        let part = self.b.append_block_param(join, I64);
        // A copy if it is short, the base itself if it is all of that.
        let long = self
            .b
            .ins()
            .icmp_imm_u(IntCC::UnsignedGreaterThan, bits, LONG_PART);
        let (next, other) = (self.b.create_block(), self.b.create_block());
        self.branch(long, &To::plain(next), &To::plain(other));
        self.b.switch_to_block(next);
        self.go_on_if(from, &To::plain(other));
        let v = self.object(Kind::SubBits, &[base, from, bits]);
        self.b.ins().jump(join, &[v.into()]);
        self.b.switch_to_block(other);
        let v = self.help(Helper::PartOfBits, &[base, from, bits]);
        self.b.ins().jump(join, &[v.into()]);
        self.b.switch_to_block(join);
        part
    }

    // ---- single ones ----

    fn get_utf(&mut self, context: Value, encoding: Encoding, flags: FieldFlags, no: &To) -> Value {
        let join = self.b.create_block();
        let found = self.b.append_block_param(join, I64);
        if encoding == Encoding::Utf8 {
            self.context_or(context, no);
            let [base, at, end] = [BASE, POSITION, END].map(|n| self.part(context, n));
            let left = self.b.ins().isub(end, at);
            let short = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, left, 8);
            self.go_on_unless(short, no);
            let skew = self.b.ins().band_imm_s(at, 7);
            let slow = self.b.create_block();
            self.go_on_unless(skew, &To::plain(slow));
            let data = self.data_of(base);
            let byte = self.b.ins().ushr_imm_u(at, 3);
            let p = self.b.ins().iadd(data, byte);
            let c = self.b.ins().load(I8, unaligned(), p, 0);
            let c = self.b.ins().uextend(I64, c);
            let high = self.b.ins().band_imm_s(c, 0x80);
            self.go_on_unless(high, &To::plain(slow));
            let behind = self.b.ins().iadd_imm_s(at, 8);
            self.set_position(context, behind);
            let v = self.b.ins().ishl_imm_u(c, i64::from(TAG_BITS));
            self.b.ins().jump(join, &[v.into()]);
            self.b.switch_to_block(slow);
        }
        let how = u64::from(flags.bits()) << 32 | u64::from(encoding.code()) << 40;
        let how = self.word(how);
        let v = self.help_quietly(Helper::GetUtf, &[context, how]);
        self.value_or(v, no);
        self.b.ins().jump(join, &[v.into()]);
        self.b.switch_to_block(join);
        found
    }

    /// What is asked of a match context or done to it.
    pub(super) fn of_context(&mut self, i: &InstData) {
        let args = self.vals(&i.args);
        let context = args[0];
        match i.op {
            Op::SetBitsPosition => self.go_to_position(context, args[1]),
            Op::BitsPosition => {
                let zero = self.word(Term::small(0).raw());
                let (join, at) = self.if_context(context, zero);
                let position = self.part(context, POSITION);
                let position = self.b.ins().ishl_imm_u(position, i64::from(TAG_BITS));
                self.b.ins().jump(join, &[position.into()]);
                self.b.switch_to_block(join);
                self.define(i, at);
            }
            _ => {
                let (join, rest) = self.if_context(context, context);
                let [base, at, end] = [BASE, POSITION, END].map(|n| self.part(context, n));
                let left = self.b.ins().isub(end, at);
                let v = self.share(base, at, left);
                self.b.ins().jump(join, &[v.into()]);
                self.b.switch_to_block(join);
                self.define(i, rest);
            }
        }
    }

    /// Goes on if it is a match context, else to the block, with `other`; gives what the block gets.
    fn if_context(&mut self, v: Value, other: Value) -> (Block, Value) {
        let join = self.b.create_block();
        let result = self.b.append_block_param(join, I64);
        let args = vec![other.into()];
        self.context_or(v, &To { block: join, args });
        (join, result)
    }

    /// Sets the position of a match context to what a term says, if it has such a one.
    fn go_to_position(&mut self, context: Value, to: Value) {
        let join = To::plain(self.b.create_block());
        self.context_or(context, &join);
        let end = self.part(context, END);
        let small = self.has_tag(to, TAG_SMALL);
        self.go_on_if(small, &join);
        let at = self.b.ins().ushr_imm_u(to, i64::from(TAG_BITS));
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, at, end);
        self.go_on_if(inside, &join);
        self.set_position(context, at);
        self.go(&join);
        self.b.switch_to_block(join.block);
    }
}
