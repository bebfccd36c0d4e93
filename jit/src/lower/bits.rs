//! Matching of bitstrings. Bytes are read only where the position and the end have been compared; the position moves when all has
//! matched.

use super::contexts::{BASE, Opened, POSITION};
use super::{Lowering, To};
use crate::ir::bits::{BitsField, Encoding, FieldFlags, MatchStep};
use crate::ir::{self, InstData, Op};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, F64, I8, I16, I32, I64};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Value};
use enigma_runtime::interp::native::{Helper, layout};
use enigma_runtime::term::{Header, Kind, TAG_BITS, TAG_SMALL, Term};

/// Bits that eight bytes hold at least, wherever in the first one they begin.
const WINDOW: u64 = 57;

/// Bitstrings of more bits than these share the memory of what they are parts of.
const LONG_PART: i64 = 8 * layout::LONGEST_COPIED_PART as i64;

/// What bytes are read with: they may be anywhere.
fn unaligned() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// A match in progress.
#[derive(Clone)]
struct Cursor<'a> {
    context: Value,
    opened: Opened,
    left: Value,
    /// Bits that have been passed over.
    offset: u64,
    /// Bits that are known to be there, from the position on.
    known: u64,
    no: &'a To,
    /// Where the byte at the position is, if that begins there and all fields are of whole bytes.
    here: Option<Value>,
    /// The bits of several fields: where they begin and end behind the position, and a word whose lowest ones they are.
    window: Option<(u64, u64, Value)>,
    /// The fields that are not read yet.
    spans: &'a [Span],
    found: Vec<Value>,
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
            MatchStep::Equal { bits, .. }
            | MatchStep::Integer { bits, .. }
            | MatchStep::Float { bits, .. } => (u64::from(*bits), true),
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

/// Does a command read bits?
fn reads(step: &MatchStep) -> bool {
    match step {
        MatchStep::Equal { .. } | MatchStep::Integer { .. } | MatchStep::Float { .. } => true,
        MatchStep::Part(bits) => bits & 7 == 0 && *bits <= LONG_PART as u64,
        _ => false,
    }
}

/// Does all that is read consist of whole bytes and begin a whole number of bytes behind the position?
fn are_whole(steps: &[MatchStep]) -> bool {
    let mut at = 0;
    steps.iter().all(|step| {
        let bits = match step {
            MatchStep::Equal { bits, .. }
            | MatchStep::Integer { bits, .. }
            | MatchStep::Float { bits, .. } => u64::from(*bits),
            MatchStep::Skip(bits) | MatchStep::Part(bits) => *bits,
            _ => 0,
        };
        let whole = !reads(step) || (at | bits) & 7 == 0;
        at += bits;
        whole
    })
}

impl Lowering<'_> {
    /// The answer and what is found, as values.
    pub(super) fn match_answer(&mut self, i: &InstData) {
        let [yes, no, join] = [(); 3].map(|()| self.fresh_block());
        let answer = self.b.append_block_param(join, I8);
        let found: Vec<Value> = i.results[1..]
            .iter()
            .map(|&r| {
                let ty = self.type_of(r);
                self.b.append_block_param(join, ty)
            })
            .collect();
        self.matching(i, &To::plain(yes), &To::plain(no));
        self.begin(yes);
        let mut args: Vec<BlockArg> = vec![self.b.ins().iconst(I8, 1).into()];
        for &r in &i.results[1..] {
            args.push(self.val(r).into());
        }
        self.b.ins().jump(join, &args);
        self.begin(no);
        let mut args: Vec<BlockArg> = vec![self.b.ins().iconst(I8, 0).into()];
        for &r in &i.results[1..] {
            let nothing = match self.type_of(r) {
                F64 => self.b.ins().f64const(0.0),
                _ => self.word(Term::NIL.raw()),
            };
            args.push(nothing.into());
        }
        self.b.ins().jump(join, &args);
        self.begin(join);
        self.current = None;
        self.define(i, answer);
        for (&r, v) in i.results[1..].iter().zip(found) {
            self.values[r.index()] = Some(v);
        }
    }

    /// Goes to `yes` where it matches, with the results defined.
    pub(super) fn matching(&mut self, i: &InstData, yes: &To, no: &To) {
        let context = i.args[0];
        let found = match &i.op {
            Op::StartMatch => {
                let v = self.val(context);
                let v = self.start_match(v, no);
                self.current = self.open.map(|_| i.results[1]);
                vec![v]
            }
            Op::MatchBits(steps) => self.match_bits(steps, context, no),
            Op::MatchString(bits, from) => {
                self.open(context, no);
                let strings = &self.me.module().file.strings;
                let bytes = strings.as_ptr().wrapping_add(*from as usize);
                let (n, bytes, v) = (self.word(*bits), self.word(bytes as u64), self.val(context));
                let is = self.help_quietly(Helper::MatchString, &[v, n, bytes]);
                self.go_on_if(is, no);
                self.position_moved(v);
                Vec::new()
            }
            Op::GetBits(kind, unit, flags) => {
                self.open(context, no);
                let how =
                    u64::from(*unit) | u64::from(flags.bits()) << 32 | u64::from(kind.code()) << 40;
                let (how, args) = (self.word(how), self.vals(&i.args));
                let v = self.help(Helper::GetBits, &[args[0], args[1], how]);
                self.value_or(v, no);
                self.position_moved(args[0]);
                match kind {
                    BitsField::Skip => Vec::new(),
                    _ => vec![v],
                }
            }
            Op::GetUtf(encoding, flags) => vec![self.get_utf(context, *encoding, *flags, no)],
            _ => vec![self.number_or(i, no)],
        };
        for (&r, v) in i.results[1..].iter().zip(found) {
            self.values[r.index()] = Some(v);
        }
        self.go(yes);
    }

    /// Goes on if it is a value.
    fn value_or(&mut self, v: Value, no: &To) {
        let is = self.is_nonvalue(v);
        self.go_on_unless(is, no);
    }

    /// Calls a helper that takes no heap.
    pub(super) fn help_quietly(&mut self, helper: Helper, args: &[Value]) -> Value {
        let credit = self.credit;
        let v = self.help(helper, args);
        self.credit = credit;
        v
    }

    // ---- several commands at once ----

    fn match_bits(&mut self, steps: &[MatchStep], context: ir::Value, no: &To) -> Vec<Value> {
        let opened = self.open(context, no);
        let spans = spans(steps);
        let mut c = Cursor {
            context: self.val(context),
            opened,
            left: self.b.ins().isub(opened.end, opened.at),
            offset: 0,
            known: 0,
            no,
            here: None,
            window: None,
            spans: &spans,
            found: Vec::new(),
        };
        let before = steps.iter().position(reads).unwrap_or(steps.len());
        let (first, rest) = steps.split_at(before);
        if rest.is_empty() || !are_whole(steps) {
            self.steps(&mut c, steps);
        } else if let [first @ .., MatchStep::AtLeast { bits, unit: 8 }] = first
            && bits & 7 == 0
        {
            // One look says whether whole bytes are left and the position is at one.
            self.steps(&mut c, first);
            let need = c.offset + bits;
            self.there(&mut c, need);
            self.whole_steps(&mut c, rest, true);
        } else {
            self.steps(&mut c, first);
            self.whole_steps(&mut c, rest, false);
        }
        if c.offset > 0 {
            let at = self.b.ins().iadd_imm_s(opened.at, c.offset as i64);
            self.set_position(c.context, at);
        }
        c.found
    }

    /// Executes commands that read whole bytes: from where they begin, if the position is such a place. With `left_too` what is
    /// left must be whole bytes.
    fn whole_steps(&mut self, c: &mut Cursor<'_>, steps: &[MatchStep], left_too: bool) {
        let all = if left_too {
            self.b.ins().bor(c.opened.at, c.left)
        } else {
            c.opened.at
        };
        let skew = self.b.ins().band_imm_s(all, 7);
        let (cold, join) = (self.unlikely_if(skew), self.fresh_block());
        let already = c.found.len();
        let mut other = c.clone();
        let byte = self.b.ins().ushr_imm_u(c.opened.at, 3);
        c.here = Some(self.b.ins().iadd(c.opened.data, byte));
        self.steps(c, steps);
        let mut found = Vec::new();
        for _ in already..c.found.len() {
            found.push(self.b.append_block_param(join, I64));
        }
        let args: Vec<BlockArg> = c.found.drain(already..).map(BlockArg::from).collect();
        self.b.ins().jump(join, &args);
        self.begin(cold);
        if left_too {
            let rest = self.b.ins().band_imm_s(other.left, 7);
            self.go_on_unless(rest, other.no);
        }
        self.steps(&mut other, steps);
        let args: Vec<BlockArg> = other.found.drain(already..).map(BlockArg::from).collect();
        self.b.ins().jump(join, &args);
        self.begin(join);
        c.found.extend(found);
    }

    fn steps(&mut self, c: &mut Cursor<'_>, steps: &[MatchStep]) {
        for step in steps {
            match *step {
                MatchStep::AtLeast { bits, unit } => self.at_least(c, bits, unit),
                MatchStep::Exactly(bits) => {
                    c.known = c.known.max(c.offset + bits);
                    let n = self.word(c.offset + bits);
                    let is = self.b.ins().icmp(IntCC::Equal, c.left, n);
                    self.go_on_if(is, c.no);
                }
                MatchStep::Skip(bits) => self.pass_over(c, bits),
                MatchStep::Equal { bits, value } => {
                    let raw = self.raw(c, u64::from(bits), false);
                    let value = self.word(value);
                    let is = self.b.ins().icmp(IntCC::Equal, raw, value);
                    self.go_on_if(is, c.no);
                }
                MatchStep::Integer { bits, flags } => {
                    let n = u64::from(bits);
                    let raw = self.raw(c, n, flags.little);
                    let v = self.integer(raw, n, flags);
                    c.found.push(v);
                }
                MatchStep::Float { bits, flags } => {
                    let raw = self.raw(c, u64::from(bits), flags.little);
                    let f = self.float_of_bits(raw, bits);
                    let infinite = self.is_infinite(f);
                    self.go_on_unless(infinite, c.no);
                    let v = self.box_float(f);
                    c.found.push(v);
                }
                MatchStep::Part(bits) => {
                    let from = c.offset as i64;
                    self.pass_over(c, bits);
                    if let Some(here) = c.here
                        && reads(step)
                    {
                        let v = self.copied(here, (from / 8) as i32, bits / 8);
                        c.found.push(v);
                        continue;
                    }
                    let from = self.b.ins().iadd_imm_s(c.opened.at, from);
                    let (base, bits) = (self.part(c.context, BASE), self.word(bits));
                    let v = self.share(base, from, bits);
                    c.found.push(v);
                }
                MatchStep::Rest => {
                    let offset = c.offset as i64;
                    let from = self.b.ins().iadd_imm_s(c.opened.at, offset);
                    let bits = self.b.ins().iadd_imm_s(c.left, -offset);
                    let base = self.part(c.context, BASE);
                    let v = self.share(base, from, bits);
                    c.found.push(v);
                }
            }
        }
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

    /// The next `bits` bits as an unsigned number.
    fn raw(&mut self, c: &mut Cursor<'_>, bits: u64, little: bool) -> Value {
        let span = Span {
            from: c.offset,
            to: c.offset + bits,
        };
        self.there(c, span.to);
        c.offset = span.to;
        let rest = c.spans;
        c.spans = rest.get(1..).unwrap_or(&[]);
        if let Some(here) = c.here {
            return self.load_bytes(here, (span.from / 8) as i32, bits / 8, little);
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
        let from = self.b.ins().iadd_imm_s(c.opened.at, span.from as i64);
        let (base, n) = (self.part(c.context, BASE), self.word(span.to - span.from));
        self.help_quietly(Helper::ReadBits, &[base, from, n])
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
        let last = self.b.ins().iadd_imm_s(c.opened.at, span.to as i64 - 1);
        let byte = self.b.ins().ushr_imm_u(last, 3);
        let (join, read, near) = (self.fresh_block(), self.fresh_block(), self.fresh_block());
        let window = self.b.append_block_param(join, I64);
        // Eight bytes up to the last one are read: there must be so many, or a heap object's first words in front of them.
        let enough = self.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, byte, 6);
        self.branch(enough, &To::plain(read), &To::plain(near));
        self.begin(near);
        let base = self.part(c.context, BASE);
        let header = self.header(base);
        let heap = self.has_low_byte(header, Header::new(Kind::HeapBits, 0).raw());
        let cold = self.cold_block();
        self.branch(heap, &To::plain(read), &To::plain(cold));
        self.begin(read);
        let p = self.b.ins().iadd(c.opened.data, byte);
        let v = self.b.ins().load(I64, unaligned(), p, -7);
        let v = self.b.ins().bswap(v);
        let behind = self.b.ins().bnot(last);
        let behind = self.b.ins().band_imm_s(behind, 7);
        let v = self.b.ins().ushr(v, behind);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(cold);
        let v = self.far(c, span);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(join);
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

    /// The double of the bits of a float of 32 or 64 bits.
    fn float_of_bits(&mut self, raw: Value, bits: u32) -> Value {
        let flags = MemFlagsData::new();
        if bits == 64 {
            return self.b.ins().bitcast(F64, flags, raw);
        }
        let raw = self.b.ins().ireduce(I32, raw);
        let f = self.b.ins().bitcast(F32, flags, raw);
        self.b.ins().fpromote(F64, f)
    }

    /// The term for an integer that may be no small one.
    pub(super) fn large(&mut self, n: Value, signed: bool) -> Value {
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
        let (cold, join) = (self.unlikely_if(is_large), self.fresh_block());
        let term = self.b.append_block_param(join, I64);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(cold);
        let v = self.help(helper, &[n]);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(join);
        term
    }

    /// So many bits of a base from a position on, as a bitstring.
    fn share(&mut self, base: Value, from: Value, bits: Value) -> Value {
        let join = self.fresh_block();
        let part = self.b.append_block_param(join, I64);
        // A copy if it is short, the base itself if it is all of that.
        let long = self
            .b
            .ins()
            .icmp_imm_u(IntCC::UnsignedGreaterThan, bits, LONG_PART);
        let (next, other) = (self.fresh_block(), self.fresh_block());
        self.branch(long, &To::plain(next), &To::plain(other));
        self.begin(next);
        self.go_on_if(from, &To::plain(other));
        let v = self.object(Kind::SubBits, &[base, from, bits]);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(other);
        let v = self.help(Helper::PartOfBits, &[base, from, bits]);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(join);
        part
    }

    /// So many whole bytes, at most `LONGEST_COPIED_PART`, as a binary that is a copy.
    fn copied(&mut self, from: Value, offset: i32, count: u64) -> Value {
        let mut parts = vec![self.word(8 * count)];
        for n in 0..count.div_ceil(8) {
            let at = offset + 8 * n as i32;
            let v = self.load_bytes(from, at, (count - 8 * n).min(8), true);
            parts.push(v);
        }
        self.object(Kind::HeapBits, &parts)
    }

    // ---- single ones ----

    /// The size of a bitstring.
    pub(super) fn size_of_bits(&mut self, i: &InstData) {
        let v = self.val(i.args[0]);
        let join = self.fresh_block();
        let size = self.b.append_block_param(join, I64);
        let none = self.word(Term::NONVALUE.raw());
        let args = vec![none.into()];
        let no = To { block: join, args };
        let header = self.header_or(v, &no);
        let sized = self.fresh_block();
        let bits = self.b.append_block_param(sized, I64);
        for (kind, word) in [
            (Kind::HeapBits, 1),
            (Kind::BinRef, 3),
            (Kind::SubBits, 3),
            (Kind::MatchCtx, 3),
        ] {
            let is = self.has_low_byte(header, Header::new(kind, 0).raw());
            let (here, next) = (self.fresh_block(), self.fresh_block());
            self.branch(is, &To::plain(here), &To::plain(next));
            self.begin(here);
            let mut n = self.part(v, word);
            if kind == Kind::MatchCtx {
                let at = self.part(v, POSITION);
                n = self.b.ins().isub(n, at);
            }
            self.b.ins().jump(sized, &[n.into()]);
            self.begin(next);
        }
        self.go(&no);
        self.begin(sized);
        // A small integer is eight times itself.
        let n = match i.op {
            Op::ByteSize => {
                let n = self.b.ins().iadd_imm_s(bits, 7);
                self.b.ins().band_imm_s(n, -8)
            }
            _ => self.b.ins().ishl_imm_u(bits, i64::from(TAG_BITS)),
        };
        self.b.ins().jump(join, &[n.into()]);
        self.begin(join);
        self.define(i, size);
    }

    fn get_utf(
        &mut self,
        context: ir::Value,
        encoding: Encoding,
        flags: FieldFlags,
        no: &To,
    ) -> Value {
        let join = self.fresh_block();
        let found = self.b.append_block_param(join, I64);
        let c = self.open(context, no);
        let context = self.val(context);
        if encoding == Encoding::Utf8 {
            let left = self.b.ins().isub(c.end, c.at);
            let short = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, left, 8);
            self.go_on_unless(short, no);
            let skew = self.b.ins().band_imm_s(c.at, 7);
            let slow = self.fresh_block();
            self.go_on_unless(skew, &To::plain(slow));
            let byte = self.b.ins().ushr_imm_u(c.at, 3);
            let p = self.b.ins().iadd(c.data, byte);
            let first = self.b.ins().load(I8, unaligned(), p, 0);
            let first = self.b.ins().uextend(I64, first);
            let high = self.b.ins().band_imm_s(first, 0x80);
            let several = self.fresh_block();
            self.go_on_unless(high, &To::plain(several));
            let behind = self.b.ins().iadd_imm_s(c.at, 8);
            self.set_position(context, behind);
            let v = self.b.ins().ishl_imm_u(first, i64::from(TAG_BITS));
            self.b.ins().jump(join, &[v.into()]);
            self.begin(several);
            let (v, bits) = self.several_bytes(p, first, left, no);
            let behind = self.b.ins().iadd(c.at, bits);
            self.set_position(context, behind);
            let v = self.b.ins().ishl_imm_u(v, i64::from(TAG_BITS));
            self.b.ins().jump(join, &[v.into()]);
            self.b.set_cold_block(slow);
            self.begin(slow);
        }
        let how = u64::from(flags.bits()) << 32 | u64::from(encoding.code()) << 40;
        let how = self.word(how);
        let v = self.help_quietly(Helper::GetUtf, &[context, how]);
        self.value_or(v, no);
        self.position_moved(context);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(join);
        found
    }

    /// The code point that begins at `p` with a byte that is none of ASCII, and the number of its bits.
    fn several_bytes(&mut self, p: Value, first: Value, left: Value, no: &To) -> (Value, Value) {
        let (join, rare) = (self.fresh_block(), self.fresh_block());
        let [found, bits] = [(); 2].map(|()| self.b.append_block_param(join, I64));
        let other = To::plain(rare);
        let more = |l: &mut Self, n: i64| {
            let short = l.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, left, 8 * n);
            l.go_on_unless(short, no);
        };
        // The next six bits; a byte that has no such ones matches nothing.
        let next = |l: &mut Self, n: i32| {
            let b = l.b.ins().load(I8, unaligned(), p, n);
            let b = l.b.ins().uextend(I64, b);
            let six = l.b.ins().bxor_imm_u(b, 0x80);
            let wrong = l.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, six, 0x3f);
            l.go_on_unless(wrong, no);
            six
        };
        let two = self.b.ins().iadd_imm_s(first, -0xc2);
        let two = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, two, 0x1e);
        let (is_two, is_more) = (self.fresh_block(), self.fresh_block());
        self.branch(two, &To::plain(is_two), &To::plain(is_more));
        self.begin(is_two);
        more(self, 2);
        let low = next(self, 1);
        let high = self.b.ins().band_imm_s(first, 0x1f);
        let high = self.b.ins().ishl_imm_u(high, 6);
        let c = self.b.ins().bor(high, low);
        let n = self.word(16);
        self.b.ins().jump(join, &[c.into(), n.into()]);
        self.begin(is_more);
        let three = self.b.ins().iadd_imm_s(first, -0xe0);
        let three = self
            .b
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThan, three, 0x10);
        self.go_on_if(three, &other);
        more(self, 3);
        let (middle, low) = (next(self, 1), next(self, 2));
        let high = self.b.ins().band_imm_s(first, 0xf);
        let high = self.b.ins().ishl_imm_u(high, 12);
        let middle = self.b.ins().ishl_imm_u(middle, 6);
        let c = self.b.ins().bor(high, middle);
        let c = self.b.ins().bor(c, low);
        // What would fit into two bytes and what is half of a pair is none.
        let block = self.b.ins().ushr_imm_u(c, 11);
        let wrong = self.b.ins().icmp_imm_s(IntCC::Equal, block, 0);
        self.go_on_unless(wrong, no);
        let wrong = self.b.ins().icmp_imm_s(IntCC::Equal, block, 0xd800 >> 11);
        self.go_on_unless(wrong, no);
        let n = self.word(24);
        self.b.ins().jump(join, &[c.into(), n.into()]);
        self.b.set_cold_block(rare);
        self.begin(rare);
        let read = self.help_quietly(Helper::DecodeUtf8, &[p, left]);
        self.go_on_if(read, no);
        let c = self.b.ins().ushr_imm_u(read, 8);
        let n = self.b.ins().band_imm_s(read, 0xff);
        self.b.ins().jump(join, &[c.into(), n.into()]);
        self.begin(join);
        (found, bits)
    }

    /// What is asked of a match context or done to it.
    pub(super) fn of_context(&mut self, i: &InstData) {
        let context = i.args[0];
        match i.op {
            Op::SetBitsPosition => {
                let to = self.val(i.args[1]);
                self.go_to_position(context, to);
            }
            Op::BitsPosition => {
                let zero = self.word(Term::small(0).raw());
                let (join, at, c) = self.if_context(context, zero);
                let position = self.b.ins().ishl_imm_u(c.at, i64::from(TAG_BITS));
                self.leave_context(join, position);
                self.define(i, at);
            }
            _ => {
                let v = self.val(context);
                let (join, rest, c) = self.if_context(context, v);
                let (base, left) = (self.part(v, BASE), self.b.ins().isub(c.end, c.at));
                let part = self.share(base, c.at, left);
                self.leave_context(join, part);
                self.define(i, rest);
            }
        }
    }

    /// Goes on if it is a match context, else to the block, with `other`; gives what the block gets.
    fn if_context(&mut self, context: ir::Value, other: Value) -> (Block, Value, Opened) {
        let join = self.fresh_block();
        let result = self.b.append_block_param(join, I64);
        let before = self.current;
        let args = vec![other.into()];
        let opened = self.open(context, &To { block: join, args });
        if self.current != before {
            // It is not where `other` is given.
            self.current = None;
        }
        (join, result, opened)
    }

    fn leave_context(&mut self, join: Block, v: Value) {
        self.b.ins().jump(join, &[v.into()]);
        self.begin(join);
    }

    /// Sets the position of a match context to what a term says, if it has such a one.
    fn go_to_position(&mut self, context: ir::Value, to: Value) {
        let join = To::plain(self.fresh_block());
        let before = self.current;
        let c = self.open(context, &join);
        let small = self.has_tag(to, TAG_SMALL);
        self.go_on_if(small, &join);
        let at = self.b.ins().ushr_imm_u(to, i64::from(TAG_BITS));
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, at, c.end);
        self.go_on_if(inside, &join);
        let v = self.val(context);
        self.set_position(v, at);
        self.go(&join);
        self.begin(join.block);
        if self.current != before {
            self.current = None;
        }
    }
}
