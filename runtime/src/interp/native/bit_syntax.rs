//! What native code calls for the bit syntax.

use super::term;
use crate::bif::Ctx;
use crate::code::bit_words::{kind, segment};
use crate::code::forms::bs_create;
use crate::code::ops;
use crate::heap::Heap;
use crate::heap::bits::{self as heap_bits, View, base_data};
use crate::interp::bits::{self, BYTES_A_REDUCTION, INLINE_SEGMENTS, Segment, SegmentSource};
use crate::term::Term;
use smallvec::SmallVec;

/// A part of a `HeapBits` or `BinRef` that native code has seen to be one that is there.
fn part(base: u64, from: u64, bits: u64) -> View {
    let base = term(base);
    View {
        base,
        data: base_data(base),
        offset: from as usize,
        bits: bits as usize,
    }
}

pub(super) extern "C" fn read_bits(_: &mut Ctx<'_>, base: u64, from: u64, bits: u64) -> u64 {
    let v = part(base, from, bits);
    heap_bits::read_bits(v.data, v.offset, v.bits)
}

pub(super) extern "C" fn decode_utf8(_: &mut Ctx<'_>, at: u64, left: u64, _: u64) -> u64 {
    let p = at as *const u8;
    // SAFETY: native code has seen that so many bits are left from this address on.
    let byte = |i: usize| (left >= 8 * (i as u64 + 1)).then(|| u32::from(unsafe { *p.add(i) }));
    match bits::utf8_code_point(byte) {
        Some((c, bits)) if bits::is_code_point(c) => u64::from(c) << 8 | bits as u64,
        _ => 0,
    }
}

pub(super) extern "C" fn part_of_bits(cx: &mut Ctx<'_>, base: u64, from: u64, bits: u64) -> u64 {
    let v = heap_bits::share(&part(base, from, bits), cx.heap());
    cx.note_allocation();
    v.0
}

/// Unit, flags and kind of a field.
fn field(how: u64) -> (usize, u8, u8) {
    (how as u32 as usize, (how >> 32) as u8, (how >> 40) as u8)
}

pub(super) extern "C" fn get_bits(cx: &mut Ctx<'_>, context: u64, size: u64, how: u64) -> u64 {
    let (unit, flags, kind) = field(how);
    let (context, size) = (term(context), term(size));
    match bits::get(cx.heap(), context, size, unit, kind, flags) {
        Some(v) => {
            cx.note_allocation();
            // What is passed over gives no value, but is there.
            if v.is_nonvalue() { Term::NIL.0 } else { v.0 }
        }
        None => Term::NONVALUE.0,
    }
}

pub(super) extern "C" fn get_utf(_: &mut Ctx<'_>, context: u64, how: u64, _: u64) -> u64 {
    let (_, flags, kind) = field(how);
    bits::get_utf(term(context), kind, flags).map_or(Term::NONVALUE.0, |v| v.0)
}

pub(super) extern "C" fn match_string(_: &mut Ctx<'_>, context: u64, n: u64, at: u64) -> u64 {
    u64::from(bits::match_string(term(context), n as usize, at))
}

pub(super) extern "C" fn unsigned_integer(cx: &mut Ctx<'_>, n: u64, _: u64, _: u64) -> u64 {
    let v = cx.heap().uint(n);
    cx.note_allocation();
    v.0
}

pub(super) extern "C" fn signed_integer(cx: &mut Ctx<'_>, n: u64, _: u64, _: u64) -> u64 {
    let v = cx.heap().int(n as i64);
    cx.note_allocation();
    v.0
}

/// The construction at an address of bytecode, with the values in X registers.
struct Construction<'a, 'b> {
    cx: &'a mut Ctx<'b>,
    pc: *const u64,
}

impl SegmentSource for Construction<'_, '_> {
    #[inline(always)]
    fn heap(&mut self) -> &mut Heap {
        &mut self.cx.own.heap.young
    }

    #[inline(always)]
    fn bump(&mut self, n: usize) {
        self.cx.bump(n);
    }

    fn count(&self) -> usize {
        // SAFETY: native code names a construction in its function's bytecode.
        bs_create::COUNT.at.of(unsafe { *self.pc }) as usize
    }

    fn words(&self, i: usize) -> (u64, u64) {
        let at = self.pc.wrapping_add(bs_create::WORDS + 2 * i);
        // SAFETY: the words of a segment follow the instruction, for each of its segments.
        unsafe { (*at, *at.add(1)) }
    }

    fn value(&self, i: usize) -> Term {
        self.cx.x[2 * i]
    }
}

pub(super) extern "C" fn create_bits(cx: &mut Ctx<'_>, pc: u64, _: u64, _: u64) -> u64 {
    let pc = pc as *const u64;
    let mut c = Construction { cx, pc };
    // SAFETY: as in `count`.
    if ops::of(unsafe { *pc }) == ops::BS_CREATE_SHORT {
        let v = bits::create_short(&mut c);
        if !v.is_nonvalue() {
            c.cx.note_allocation();
            return v.0;
        }
    }
    let segments: SmallVec<[Segment; INLINE_SEGMENTS]> = (0..c.count())
        .map(|i| {
            let (how, word) = c.words(i);
            if segment::KIND.of(how) as u8 == kind::STRING {
                return Segment::string(how, word);
            }
            Segment::with(how, word, c.value(i), c.cx.x[2 * i + 1])
        })
        .collect();
    match bits::create(c.cx.heap(), &segments) {
        Ok((v, bytes)) => {
            c.cx.bump(bytes / BYTES_A_REDUCTION);
            c.cx.note_allocation();
            v.0
        }
        Err(_) => Term::NONVALUE.0,
    }
}

pub(super) extern "C" fn append_room(cx: &mut Ctx<'_>, to: u64, more: u64, private: u64) -> u64 {
    match bits::append_room(cx.heap(), term(to), more as usize, private != 0) {
        Some((longer, at)) => {
            cx.native.room = at;
            cx.note_allocation();
            longer.0
        }
        None => Term::NONVALUE.0,
    }
}

pub(super) extern "C" fn append_character(cx: &mut Ctx<'_>, to: u64, c: u64, private: u64) -> u64 {
    let c = term(c).as_small().and_then(|c| u32::try_from(c).ok());
    let Some(c) = c.and_then(char::from_u32) else {
        return Term::NONVALUE.0;
    };
    match bits::append_room(cx.heap(), term(to), 8 * c.len_utf8(), private != 0) {
        Some((longer, at)) => {
            let mut buffer = [0; 4];
            for (i, &b) in c.encode_utf8(&mut buffer).as_bytes().iter().enumerate() {
                // SAFETY: there is room for as many bytes.
                unsafe { *at.add(i) = b };
            }
            cx.note_allocation();
            longer.0
        }
        None => Term::NONVALUE.0,
    }
}

pub(super) extern "C" fn writable_bits(cx: &mut Ctx<'_>, size: u64, _: u64, _: u64) -> u64 {
    let v = bits::init_writable(cx.heap(), term(size));
    cx.note_allocation();
    v.0
}
