//! Construction of bitstrings: short ones of small integers, and what is appended of them, in line; the rest by a helper.

use super::{Lowering, To, trusted, x_offset};
use crate::ir::bits::{BitSegment, SegmentKind, SegmentSize};
use crate::ir::{ExitRef, InstData, Value as Ssa};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, F64, I8, I16, I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use enigma_runtime::interp::native::{Helper, layout};
use enigma_runtime::term::{Header, Kind, TAG_BITS, TAG_BOXED};

/// Most bytes that are written in line.
const MOST_BYTES: u64 = layout::MAX_HEAP_BINARY as u64;

/// Some bits of what is written.
struct Piece {
    from: u64,
    bits: u64,
    /// A number whose lowest bits they are.
    number: Value,
}

/// What can be written in line: numbers of constant sizes.
struct Plain {
    /// The binary that they are appended to, and whether nothing else uses it.
    to: Option<(Ssa, bool)>,
    pieces: Vec<PlainPiece>,
    bits: u64,
}

impl Plain {
    fn has_characters(&self) -> bool {
        let is = |p: &PlainPiece| matches!(p, PlainPiece::Character(_));
        self.pieces.iter().any(is)
    }
}

enum PlainPiece {
    Constant(u64, u64),
    Integer(Ssa, u64, bool),
    /// A float of 32 or 64 bits.
    Float(Ssa, u64, bool),
    /// A code point, where it is one of ASCII.
    Character(Ssa),
}

impl PlainPiece {
    fn bits(&self) -> u64 {
        match self {
            PlainPiece::Constant(_, bits)
            | PlainPiece::Integer(_, bits, _)
            | PlainPiece::Float(_, bits, _) => *bits,
            PlainPiece::Character(_) => 8,
        }
    }
}

/// The segments as such numbers, if they are.
fn plain(segments: &[BitSegment], args: &[Ssa], strings: &[u8]) -> Option<Plain> {
    let mut plain = Plain {
        to: None,
        pieces: Vec::new(),
        bits: 0,
    };
    let mut args = args.iter();
    for (i, s) in segments.iter().enumerate() {
        match (s.kind, s.size) {
            _ if i == 0 && s.is_append() => {
                let private = s.kind == SegmentKind::PrivateAppend;
                plain.to = Some((*args.next()?, private));
            }
            (SegmentKind::Integer, SegmentSize::Units(n)) => {
                let bits = n.checked_mul(u64::from(s.unit))?;
                let little = s.flags.little && bits > 8;
                if bits == 0 || bits > 64 || little && bits % 8 != 0 {
                    return None;
                }
                let piece = PlainPiece::Integer(*args.next()?, bits, little);
                plain.pieces.push(piece);
            }
            (SegmentKind::Float, SegmentSize::Units(n)) => {
                let bits = n.checked_mul(u64::from(s.unit))?;
                if !matches!(bits, 32 | 64) {
                    return None;
                }
                let piece = PlainPiece::Float(*args.next()?, bits, s.flags.little);
                plain.pieces.push(piece);
            }
            (SegmentKind::Utf8, _) => {
                plain.pieces.push(PlainPiece::Character(*args.next()?));
            }
            (SegmentKind::String(from), SegmentSize::Units(n)) if n <= MOST_BYTES => {
                let from = from as usize;
                let bytes = strings.get(from..)?.get(..n as usize)?;
                for chunk in bytes.chunks(8) {
                    let number = chunk.iter().fold(0, |n, &b| n << 8 | u64::from(b));
                    let piece = PlainPiece::Constant(number, 8 * chunk.len() as u64);
                    plain.pieces.push(piece);
                }
            }
            _ => return None,
        }
    }
    plain.bits = plain.pieces.iter().map(PlainPiece::bits).sum();
    // What is appended to ends at a byte, and is to do so again.
    let fits = plain.bits <= 8 * MOST_BYTES && plain.bits > 0;
    (fits && (plain.to.is_none() || plain.bits & 7 == 0)).then_some(plain)
}

impl Lowering<'_> {
    pub(super) fn create_bits(&mut self, i: &InstData, segments: &[BitSegment], exit: ExitRef) {
        let strings = &self.me.module().file.strings;
        let (join, rare) = (self.fresh_block(), self.fresh_block());
        let created = self.b.append_block_param(join, I64);
        match plain(segments, &i.args, strings) {
            Some(plain) => {
                if !plain.has_characters() {
                    self.b.set_cold_block(rare);
                }
                let v = self.create_plain(&plain, &To::plain(rare));
                self.b.ins().jump(join, &[v.into()]);
            }
            None => {
                self.b.ins().jump(rare, &[]);
            }
        }
        self.begin(rare);
        if let [append, character] = segments
            && append.is_append()
            && character.kind == SegmentKind::Utf8
        {
            let private = append.kind == SegmentKind::PrivateAppend;
            let (to, c) = (self.val(i.args[0]), self.val(i.args[1]));
            let private = self.word(u64::from(private));
            let v = self.help(Helper::AppendCharacter, &[to, c, private]);
            let none = self.is_nonvalue(v);
            let next = self.fresh_block();
            self.b.set_cold_block(next);
            let args = vec![v.into()];
            self.branch(none, &To::plain(next), &To { block: join, args });
            self.begin(next);
        }
        let x = self.x_registers();
        let mut args = i.args.iter();
        for (n, s) in segments.iter().enumerate() {
            let value = !matches!(s.kind, SegmentKind::String(_));
            let size = s.size == SegmentSize::Value;
            for (is, at) in [(value, 2 * n), (size, 2 * n + 1)] {
                if is && let Some(&v) = args.next() {
                    let v = self.val(v);
                    self.b.ins().store(trusted(), v, x, x_offset(at));
                }
            }
        }
        let pc = self.pc_word(self.source.exits[exit.index()].pc);
        let v = self.help(Helper::CreateBits, &[pc]);
        let none = self.is_nonvalue(v);
        self.exit_if(none, exit);
        self.b.ins().jump(join, &[v.into()]);
        self.begin(join);
        self.define(i, created);
    }

    /// Makes it in line; goes to `rare`, with nothing done, where a value is another one.
    fn create_plain(&mut self, plain: &Plain, rare: &To) -> Value {
        let pieces = self.pieces(plain, rare);
        match plain.to {
            Some((to, private)) => {
                let to = self.val(to);
                let (v, at) = self.append_room(to, plain.bits, private, rare);
                self.write(&pieces, plain.bits, at);
                v
            }
            None => {
                let words = plain.bits.div_ceil(64);
                let p = self.alloc(2 + words as u32);
                let header = self.word(Header::new(Kind::HeapBits, 1 + words as usize).raw());
                let size = self.word(plain.bits);
                self.b.ins().store(trusted(), header, p, 0);
                self.b.ins().store(trusted(), size, p, 8);
                for n in 0..words {
                    let word = self.bits_of(&pieces, 64 * n, 64);
                    let word = self.b.ins().bswap(word);
                    self.b.ins().store(trusted(), word, p, 16 + 8 * n as i32);
                }
                self.b.ins().iadd_imm_s(p, TAG_BOXED as i64)
            }
        }
    }

    /// The numbers, which must be small integers or floats, and characters of ASCII.
    fn pieces(&mut self, plain: &Plain, rare: &To) -> Vec<Piece> {
        let mut tags: Option<Value> = None;
        for piece in &plain.pieces {
            let v = match *piece {
                PlainPiece::Constant(..) | PlainPiece::Float(..) => continue,
                PlainPiece::Integer(v, ..) | PlainPiece::Character(v) => v,
            };
            if self.constant(v).is_some_and(|w| w & 7 == 0) {
                continue;
            }
            let v = self.val(v);
            tags = Some(match tags {
                Some(t) => self.b.ins().bor(t, v),
                None => v,
            });
        }
        if let Some(tags) = tags {
            let tag = self.b.ins().band_imm_s(tags, 7);
            self.go_on_unless(tag, rare);
        }
        let (mut pieces, mut from) = (Vec::new(), 0);
        for piece in &plain.pieces {
            let bits = piece.bits();
            let number = match *piece {
                PlainPiece::Constant(n, _) => self.word(n),
                PlainPiece::Integer(v, _, little) => {
                    let v = self.val(v);
                    let v = self.b.ins().sshr_imm_u(v, i64::from(TAG_BITS));
                    self.in_order(v, bits, little)
                }
                PlainPiece::Float(v, _, little) => {
                    let v = self.val(v);
                    let f = self.float_of(v, rare);
                    let v = self.bits_of_float(f, bits, rare);
                    self.in_order(v, bits, little)
                }
                PlainPiece::Character(v) => {
                    let v = self.val(v);
                    let ascii =
                        self.b
                            .ins()
                            .icmp_imm_u(IntCC::UnsignedLessThan, v, 0x80 << TAG_BITS);
                    self.go_on_if(ascii, rare);
                    self.b.ins().ushr_imm_u(v, i64::from(TAG_BITS))
                }
            };
            pieces.push(Piece { from, bits, number });
            from += bits;
        }
        pieces
    }

    /// A number of so many bits so that its highest bits are written first.
    fn in_order(&mut self, v: Value, bits: u64, little: bool) -> Value {
        if !little {
            return v;
        }
        let v = self.b.ins().bswap(v);
        self.b.ins().ushr_imm_u(v, 64 - bits as i64)
    }

    /// The bits of a double as a float of so many; goes to `rare` where it is too large for that.
    fn bits_of_float(&mut self, f: Value, bits: u64, rare: &To) -> Value {
        let flags = MemFlagsData::new();
        if bits == 64 {
            return self.b.ins().bitcast(I64, flags, f);
        }
        let short = self.b.ins().fdemote(F32, f);
        let back = self.b.ins().fpromote(F64, short);
        let infinite = self.is_infinite(back);
        self.go_on_unless(infinite, rare);
        let v = self.b.ins().bitcast(I32, flags, short);
        self.b.ins().uextend(I64, v)
    }

    /// The `width` bits from bit `from` on as a number, whose lower bits are 0 where there are no more. Bits above the width may be
    /// anything.
    fn bits_of(&mut self, pieces: &[Piece], from: u64, width: u64) -> Value {
        let to = from + width;
        let mut all: Option<Value> = None;
        for p in pieces {
            let (begin, end) = (p.from.max(from), (p.from + p.bits).min(to));
            if begin >= end {
                continue;
            }
            let mut v = p.number;
            if p.from + p.bits > end {
                v = self.b.ins().ushr_imm_u(v, (p.from + p.bits - end) as i64);
            }
            let n = end - begin;
            if begin > from && n < 64 {
                let mask = self.word((1 << n) - 1);
                v = self.b.ins().band(v, mask);
            }
            if to > end {
                v = self.b.ins().ishl_imm_u(v, (to - end) as i64);
            }
            all = Some(match all {
                Some(a) => self.b.ins().bor(a, v),
                None => v,
            });
        }
        match all {
            Some(v) => v,
            None => self.word(0),
        }
    }

    /// Writes whole bytes to an address.
    fn write(&mut self, pieces: &[Piece], bits: u64, at: Value) {
        let mut from = 0;
        while from < bits {
            let (ty, width) = match bits - from {
                64.. => (I64, 64),
                32.. => (I32, 32),
                16.. => (I16, 16),
                _ => (I8, 8),
            };
            let v = self.bits_of(pieces, from, width);
            let v = if ty == I64 {
                v
            } else {
                self.b.ins().ireduce(ty, v)
            };
            let v = if ty == I8 { v } else { self.b.ins().bswap(v) };
            let flags = MemFlagsData::new().with_notrap();
            self.b.ins().store(flags, v, at, (from / 8) as i32);
            from += width;
        }
    }

    /// Room for so many bits, whole bytes, behind a binary: gives the longer binary and the address of the room.
    fn append_room(&mut self, to: Value, bits: u64, private: bool, rare: &To) -> (Value, Value) {
        let (join, slow) = (self.fresh_block(), self.fresh_block());
        let [longer, room] = [(); 2].map(|()| self.b.append_block_param(join, I64));
        if private {
            let other = To::plain(slow);
            let at = self.own_room(to, bits, &other);
            self.b.ins().jump(join, &[to.into(), at.into()]);
        } else {
            self.b.ins().jump(slow, &[]);
        }
        self.begin(slow);
        let (n, is_private) = (self.word(bits), self.word(u64::from(private)));
        let v = self.help(Helper::AppendRoom, &[to, n, is_private]);
        let none = self.is_nonvalue(v);
        self.go_on_unless(none, rare);
        let at = self.context_field(layout::ROOM);
        self.b.ins().jump(join, &[v.into(), at.into()]);
        self.begin(join);
        (longer, room)
    }

    /// An empty binary with room, for bits of a size.
    pub(super) fn writable_bits(&mut self, i: &InstData) {
        let size = self.val(i.args[0]);
        let v = self.help(Helper::WritableBits, &[size]);
        self.define(i, v);
    }
}
