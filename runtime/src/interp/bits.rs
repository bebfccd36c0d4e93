//! The bit syntax: matching and construction, as the instructions of `code::translate_bits` ask for it.
//!
//! A match context is a heap object of its own; its position is changed in place. Word formats:
//!
//! ```text
//! BS_GET word 1           [kind 48..56][flags 32..40][unit 16..32][destination 0..16]
//! command, first word     [unit 32..48][destination 16..32][flags 8..16][kind 0..8]   second: size or value
//! segment, first word     [unit 48..64][size place 32..48][value place 16..32][flags 8..16][kind 0..8]
//!          second         constant size, `SIZE_PLACE`, `SIZE_ALL` or the address of constant bytes
//! ```

use super::calls::{self, Next};
use crate::arith::max_bits;
use crate::atom::Atom;
use crate::bif::{Class, Ctx};
use crate::code::ranges;
use crate::exception::Head;
use crate::heap::binary::BinaryRef;
use crate::heap::{Heap, MAX_HEAP_BINARY};
use crate::release;
use crate::term::bits::{self, View, copy_bits, read_bits};
use crate::term::{Kind, Term, bignum, map};

/// Flag of little-endian segments (native ones too: all supported machines are little-endian).
pub const LITTLE: u8 = 2;
/// Flag of signed segments.
pub const SIGNED: u8 = 4;

/// Kinds of `BS_GET`, of commands and of segments.
pub mod kind {
    /// Integer.
    pub const INTEGER: u8 = 0;
    /// Float.
    pub const FLOAT: u8 = 1;
    /// Bitstring.
    pub const BINARY: u8 = 2;
    /// Nothing is kept.
    pub const SKIP: u8 = 3;
    /// Command: at least so many bits are left and the rest has a unit.
    pub const AT_LEAST: u8 = 4;
    /// Command: exactly so many bits are left.
    pub const EXACTLY: u8 = 5;
    /// Command: the rest.
    pub const TAIL: u8 = 6;
    /// Command: the next bits have this value. Their number is in bits 32 of the first word.
    pub const EQUAL: u8 = 7;
    /// Segment: UTF-8, UTF-16, UTF-32.
    pub const UTF8: u8 = 8;
    /// See `UTF8`.
    pub const UTF16: u8 = 9;
    /// See `UTF8`.
    pub const UTF32: u8 = 10;
    /// Segment: constant bytes; their number is in bits 16 of the first word.
    pub const STRING: u8 = 11;
    /// First segment: the binary to append to.
    pub const APPEND: u8 = 12;
    /// First segment: the same where nothing else uses the binary.
    pub const PRIVATE_APPEND: u8 = 13;
}

/// Second word of a segment: the size is in a place.
pub const SIZE_PLACE: u64 = u64::MAX;
/// Second word of a segment: all of the value.
pub const SIZE_ALL: u64 = u64::MAX - 1;

/// Writing as many bytes costs a reduction.
pub const BYTES_A_REDUCTION: usize = 1024;

/// Greatest size of a bitstring in bits.
const MAX_BITS: u64 = 1 << 40;

// ---- matching ----

fn ctx_word(ctx: Term, i: usize) -> usize {
    ctx.word(i) as usize
}

fn set_at(ctx: Term, at: usize) {
    // SAFETY: callers have checked that this is a match context; word 2 is its position.
    unsafe { *ctx.ptr().add(2) = at as u64 }
}

/// A match context over a bitstring, or the context itself; nothing for other terms.
#[inline]
pub fn start(heap: &mut Heap, t: Term) -> Option<Term> {
    match t.kind()? {
        Kind::MatchCtx => Some(t),
        Kind::HeapBits | Kind::BinRef | Kind::SubBits => {
            let v = bits::view(t);
            Some(heap.match_context(v.base, v.offset, v.offset + v.bits))
        }
        _ => None,
    }
}

/// Bits left in a context.
#[inline]
pub fn left(ctx: Term) -> usize {
    if ctx.is_kind(Kind::MatchCtx) {
        ctx_word(ctx, 3) - ctx_word(ctx, 2)
    } else {
        usize::MAX
    }
}

/// The rest as a bitstring.
pub fn tail(heap: &mut Heap, ctx: Term) -> Term {
    if ctx.is_kind(Kind::MatchCtx) {
        bits::share(&bits::view(ctx), heap)
    } else {
        ctx
    }
}

/// The position, for `set_position`.
pub fn position(heap: &mut Heap, ctx: Term) -> Term {
    if ctx.is_kind(Kind::MatchCtx) {
        heap.uint(ctx.word(2))
    } else {
        Term::small(0)
    }
}

/// Goes back (or on) to a position.
pub fn set_position(ctx: Term, position: Term) {
    if ctx.is_kind(Kind::MatchCtx)
        && let Some(at) = position.as_usize()
        && at <= ctx_word(ctx, 3)
    {
        set_at(ctx, at);
    }
}

/// Takes `n` bits off a context that has them.
#[inline]
fn take(ctx: Term, n: usize) -> Option<View> {
    let v = bits::view(ctx);
    if n > v.bits {
        return None;
    }
    set_at(ctx, v.offset + n);
    Some(v.part(0, n))
}

/// `BS_GET`: the value, `NONVALUE` where none is kept, nothing where it does not match.
#[inline]
pub fn get(heap: &mut Heap, ctx: Term, size: Term, how: u64) -> Option<Term> {
    if !ctx.is_kind(Kind::MatchCtx) {
        return None;
    }
    let (kind, flags, unit) = (
        (how >> 48) as u8,
        (how >> 32) as u8,
        (how >> 16) as usize & 0xffff,
    );
    let n = match size.as_atom() {
        Some(Atom::ALL) => {
            let all = left(ctx);
            if !all.is_multiple_of(unit.max(1)) {
                return None;
            }
            all
        }
        _ => size.as_usize()?.checked_mul(unit)?,
    };
    extract(heap, ctx, kind, n, flags)
}

#[inline]
fn extract(heap: &mut Heap, ctx: Term, kind: u8, n: usize, flags: u8) -> Option<Term> {
    match kind {
        kind::INTEGER => {
            // What is too large for an integer does not match.
            if n > 64 && n as u64 > max_bits() {
                return None;
            }
            let v = take(ctx, n)?;
            Some(integer(heap, &v, flags))
        }
        kind::FLOAT => {
            let before = ctx_word(ctx, 2);
            let v = take(ctx, n)?;
            let f = float(&v, flags);
            if f.is_none() {
                set_at(ctx, before);
            }
            f.map(|f| heap.float(f))
        }
        kind::BINARY => {
            let v = take(ctx, n)?;
            Some(bits::share(&v, heap))
        }
        _ => take(ctx, n).map(|_| Term::NONVALUE),
    }
}

/// One command of `BS_MATCH`; results as for `get`.
#[inline]
pub fn command(heap: &mut Heap, ctx: Term, how: u64, arg: u64) -> Option<Term> {
    let ok = |b: bool| if b { Some(Term::NONVALUE) } else { None };
    match how as u8 {
        kind::AT_LEAST => {
            let (have, unit) = (left(ctx), (how >> 32) as usize & 0xffff);
            ok(have >= arg as usize && (unit <= 1 || (have - arg as usize).is_multiple_of(unit)))
        }
        kind::EXACTLY => ok(left(ctx) == arg as usize),
        kind::TAIL => {
            let t = tail(heap, ctx);
            set_at(ctx, ctx_word(ctx, 3));
            Some(t)
        }
        kind::EQUAL => {
            let v = take(ctx, (how >> 32) as usize)?;
            ok(read_bits(v.data, v.offset, v.bits) == arg)
        }
        k => extract(heap, ctx, k, arg as usize, (how >> 8) as u8),
    }
}

/// The integer in a view.
#[inline]
fn integer(heap: &mut Heap, v: &View, flags: u8) -> Term {
    if v.bits == 8 && flags & SIGNED == 0 {
        return Term::small(read_bits(v.data, v.offset, 8) as i64);
    }
    if v.bits == 0 {
        return Term::small(0);
    }
    if v.bits <= 64 && (flags & LITTLE == 0 || v.bits <= 8) {
        let n = read_bits(v.data, v.offset, v.bits);
        return if flags & SIGNED == 0 {
            heap.uint(n)
        } else {
            heap.int(extend(n, v.bits))
        };
    }
    large_integer(heap, v, flags)
}

/// Sign-extends the low `bits` (1 to 64) bits.
#[inline(always)]
pub(super) fn extend(n: u64, bits: usize) -> i64 {
    let shift = 64 - bits as u32;
    ((n << shift) as i64) >> shift
}

#[inline(never)]
fn large_integer(heap: &mut Heap, v: &View, flags: u8) -> Term {
    // Bytes least significant first. A little-endian value's last, partial byte is right-aligned.
    let mut bytes: Vec<u8> = Vec::with_capacity(v.bits.div_ceil(8));
    if flags & LITTLE != 0 {
        let mut at = 0;
        while at < v.bits {
            let n = (v.bits - at).min(8);
            bytes.push(read_bits(v.data, v.offset + at, n) as u8);
            at += n;
        }
    } else {
        let mut end = v.bits;
        while end > 0 {
            let n = end.min(8);
            bytes.push(read_bits(v.data, v.offset + end - n, n) as u8);
            end -= n;
        }
    }
    if v.bits <= 64 {
        let n = bytes.iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b));
        return if flags & SIGNED == 0 {
            heap.uint(n)
        } else {
            heap.int(extend(n, v.bits))
        };
    }
    let top = (v.bits - 1) % 8;
    let negative = flags & SIGNED != 0 && bytes.last().is_some_and(|b| b >> top & 1 == 1);
    if negative {
        if let Some(last) = bytes.last_mut()
            && top < 7
        {
            *last |= 0xffu8 << (top + 1);
        }
        let n = num_bigint::BigInt::from_signed_bytes_le(&bytes);
        return bignum::from_bigint(&n, heap);
    }
    let limbs: Vec<u64> = bytes
        .chunks(8)
        .map(|c| c.iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b)))
        .collect();
    heap.big(false, &limbs)
}

/// The float in a view of 16, 32 or 64 bits; nothing for infinities and NaN.
fn float(v: &View, flags: u8) -> Option<f64> {
    let mut n = read_bits(v.data, v.offset, v.bits.min(64));
    if flags & LITTLE != 0 {
        n = n.swap_bytes() >> (64 - v.bits.min(64)) as u32;
    }
    let f = match v.bits {
        64 => f64::from_bits(n),
        32 => f64::from(f32::from_bits(n as u32)),
        16 => half_to_f64(n as u16),
        0 => 0.0,
        _ => return None,
    };
    f.is_finite().then_some(f)
}

/// IEEE 754 binary16 to binary64.
fn half_to_f64(h: u16) -> f64 {
    let sign = if h >> 15 == 1 { -1.0 } else { 1.0 };
    let (e, m) = (i32::from(h >> 10 & 31), f64::from(h & 0x3ff));
    match e {
        0 => sign * m * 2f64.powi(-24),
        31 if m == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1.0 + m / 1024.0) * 2f64.powi(e - 15),
    }
}

/// Binary64 to the nearest binary16, ties to even, or infinity.
fn f64_to_half(f: f64) -> u16 {
    let bits = f.to_bits();
    let sign = ((bits >> 48) & 0x8000) as u16;
    let magnitude = f.abs();
    if magnitude >= 65520.0 {
        return sign | 0x7c00;
    }
    let unit = if magnitude < 2f64.powi(-14) {
        2f64.powi(-24)
    } else {
        2f64.powi(magnitude.log2().floor() as i32 - 10)
    };
    let steps = (magnitude / unit).round_ties_even();
    let value = steps * unit;
    let h = if value < 2f64.powi(-14) {
        (value / 2f64.powi(-24)) as u16
    } else {
        let e = value.log2().floor() as i32;
        let m = (value / 2f64.powi(e) - 1.0) * 1024.0;
        (((e + 15) as u16) << 10) | m as u16
    };
    sign | h
}

/// `BS_GET_UTF`: the code point; nothing where there is no valid one.
#[inline]
pub fn get_utf(ctx: Term, how: u64) -> Option<Term> {
    if !ctx.is_kind(Kind::MatchCtx) {
        return None;
    }
    let flags = (how >> 16) as u8;
    let v = bits::view(ctx);
    let (c, used) = match how as u8 {
        kind::UTF8 => read_utf8(&v)?,
        kind::UTF16 => read_utf16(&v, flags)?,
        _ => {
            if v.bits < 32 {
                return None;
            }
            let n = read_bits(v.data, v.offset, 32) as u32;
            (
                if flags & LITTLE != 0 {
                    n.swap_bytes()
                } else {
                    n
                },
                32,
            )
        }
    };
    if c > 0x10_ffff || (0xd800..0xe000).contains(&c) {
        return None;
    }
    set_at(ctx, v.offset + used);
    Some(Term::small(i64::from(c)))
}

fn read_utf8(v: &View) -> Option<(u32, usize)> {
    let byte = |i: usize| {
        if v.bits >= 8 * (i + 1) {
            Some(read_bits(v.data, v.offset + 8 * i, 8) as u32)
        } else {
            None
        }
    };
    let first = byte(0)?;
    let (len, mut c, least) = match first {
        0..=0x7f => return Some((first, 8)),
        0xc2..=0xdf => (2, first & 0x1f, 0x80),
        0xe0..=0xef => (3, first & 0x0f, 0x800),
        0xf0..=0xf4 => (4, first & 0x07, 0x1_0000),
        _ => return None,
    };
    for i in 1..len {
        let b = byte(i)?;
        if b & 0xc0 != 0x80 {
            return None;
        }
        c = c << 6 | (b & 0x3f);
    }
    (c >= least).then_some((c, 8 * len))
}

fn read_utf16(v: &View, flags: u8) -> Option<(u32, usize)> {
    let unit = |i: usize| {
        if v.bits < 16 * (i + 1) {
            return None;
        }
        let n = read_bits(v.data, v.offset + 16 * i, 16) as u16;
        Some(u32::from(if flags & LITTLE != 0 {
            n.swap_bytes()
        } else {
            n
        }))
    };
    let first = unit(0)?;
    if !(0xd800..0xe000).contains(&first) {
        return Some((first, 16));
    }
    let second = unit(1)?;
    if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    Some((0x1_0000 + ((first - 0xd800) << 10 | (second - 0xdc00)), 32))
}

/// Do the next `n` bits equal those at `address`?
pub fn match_string(ctx: Term, n: usize, address: u64) -> bool {
    if left(ctx) < n || !ctx.is_kind(Kind::MatchCtx) {
        return false;
    }
    let v = bits::view(ctx).part(0, n);
    let constant = View {
        base: Term::NIL,
        data: address as *const u8,
        offset: 0,
        bits: n,
    };
    let equal = bits::compare(&v, &constant).is_eq();
    if equal {
        set_at(ctx, v.offset + n);
    }
    equal
}

// ---- construction ----

/// Most segments that are decoded without allocation.
pub const INLINE_SEGMENTS: usize = 8;

/// A segment with its operands.
#[derive(Clone, Copy)]
pub struct Segment {
    kind: u8,
    flags: u8,
    unit: u16,
    value: Term,
    /// Size in units; `NONVALUE` for all or a constant in `word`.
    size: Term,
    word: u64,
    string_len: usize,
}

/// Why a bitstring cannot be built: index of the segment, and the parts of the error's cause.
pub struct CreateFault {
    index: usize,
    kind: u8,
    what: Atom,
    value: Term,
    reason: Atom,
}

type Sized = Result<usize, (Atom, Term, Atom)>;

impl Segment {
    /// No segment.
    pub const NONE: Segment = Segment {
        kind: kind::SKIP,
        flags: 0,
        unit: 1,
        value: Term::NIL,
        size: Term::NONVALUE,
        word: 0,
        string_len: 0,
    };

    /// Reads a segment; `read` gives the value of a place.
    #[inline]
    pub fn decode(how: u64, word: u64, read: impl Fn(usize) -> Term) -> Segment {
        let kind = how as u8;
        if kind == kind::STRING {
            return Segment {
                kind,
                word,
                string_len: (how >> 16) as usize,
                ..Segment::NONE
            };
        }
        Segment {
            kind,
            flags: (how >> 8) as u8,
            unit: (how >> 48) as u16,
            value: read((how >> 16) as usize & 0xffff),
            size: if word == SIZE_PLACE {
                read((how >> 32) as usize & 0xffff)
            } else {
                Term::NONVALUE
            },
            word,
            string_len: 0,
        }
    }

    /// Size in bits as written in the segment, unit applied.
    fn stated(&self) -> Sized {
        if !self.size.is_nonvalue() {
            let Some(n) = self.size.as_usize() else {
                let limit = self.size.is_kind(Kind::BigPos);
                let reason = if limit {
                    Atom::SYSTEM_LIMIT
                } else {
                    Atom::BADARG
                };
                return Err((Atom::SIZE, self.size, reason));
            };
            return n
                .checked_mul(self.unit as usize)
                .filter(|&b| (b as u64) < MAX_BITS)
                .ok_or((Atom::SIZE, self.size, Atom::SYSTEM_LIMIT));
        }
        Ok(self.word as usize * self.unit as usize)
    }

    /// Bits that the segment will take. All sizes are known before the first value is written, and before
    /// most values are looked at: what is wrong with a size is found first.
    fn bits(&self) -> Sized {
        match self.kind {
            kind::STRING => Ok(self.string_len * 8),
            kind::INTEGER | kind::FLOAT => self.stated(),
            kind::BINARY if self.word == SIZE_ALL && !self.value.is_bitstring() => {
                Err((Atom::TYPE, self.value, Atom::BADARG))
            }
            kind::BINARY if self.word == SIZE_ALL => Ok(bits::bit_size(self.value)),
            kind::BINARY => self.stated(),
            // A value that is none is found when it is written.
            kind::APPEND | kind::PRIVATE_APPEND => Ok(if self.value.is_bitstring() {
                bits::bit_size(self.value)
            } else {
                0
            }),
            kind::UTF8 if release::late_utf8_checks() => {
                Ok(code_point(self.value).map_or(32, |c| 8 * c.len_utf8()))
            }
            kind::UTF16 => Ok(code_point(self.value).map_or(32, |c| 16 * c.len_utf16())),
            _ => match code_point(self.value) {
                Some(c) if self.kind == kind::UTF8 => Ok(8 * c.len_utf8()),
                Some(_) => Ok(32),
                None => Err((Atom::TYPE, self.value, Atom::BADARG)),
            },
        }
    }

    /// Is the value one that can be written in `n` bits?
    fn check(&self, n: usize) -> Result<(), (Atom, Term, Atom)> {
        let (what, value) = match self.kind {
            kind::STRING => return Ok(()),
            kind::INTEGER if !self.value.is_integer() => (Atom::TYPE, self.value),
            kind::INTEGER => return Ok(()),
            kind::FLOAT if !matches!(n, 16 | 32 | 64) => (Atom::INVALID, self.size_term()),
            kind::FLOAT if !self.value.is_number() => (Atom::TYPE, self.value),
            kind::FLOAT => return Ok(()),
            kind::BINARY | kind::APPEND | kind::PRIVATE_APPEND => {
                let whole = self.word == SIZE_ALL || self.kind != kind::BINARY;
                let value = self.value;
                if !value.is_bitstring() {
                    (Atom::TYPE, value)
                } else if whole && !n.is_multiple_of(self.unit.max(1) as usize) {
                    (Atom::UNIT, value)
                } else if n > bits::bit_size(value) {
                    (Atom::SHORT, value)
                } else {
                    return Ok(());
                }
            }
            _ if code_point(self.value).is_none() => (Atom::TYPE, self.value),
            _ => return Ok(()),
        };
        Err((what, value, Atom::BADARG))
    }

    fn size_term(&self) -> Term {
        if self.size.is_nonvalue() {
            Term::small(self.word as i64)
        } else {
            self.size
        }
    }

    /// Checks the value and writes its `n` bits at bit `at`.
    fn write(&self, out: &mut [u8], at: usize, n: usize) -> Result<(), (Atom, Term, Atom)> {
        self.check(n)?;
        match self.kind {
            kind::STRING => copy_bits(self.word as *const u8, 0, out, at, n),
            kind::INTEGER => put_integer(out, at, n, self.value, self.flags),
            kind::FLOAT => {
                if !put_float(out, at, n, self.value, self.flags) {
                    return Err((Atom::NO_FLOAT, self.value, Atom::BADARG));
                }
            }
            kind::BINARY => {
                let v = bits::view(self.value);
                copy_bits(v.data, v.offset, out, at, n);
            }
            _ => {
                if let Some(c) = code_point(self.value) {
                    put_char(out, at, c, self.kind, self.flags);
                }
            }
        }
        Ok(())
    }
}

fn code_point(t: Term) -> Option<char> {
    char::from_u32(u32::try_from(t.as_small()?).ok()?)
}

/// Builds a bitstring; gives it with the number of bytes that were written.
#[inline(never)]
pub fn create(heap: &mut Heap, segments: &[Segment]) -> Result<(Term, usize), CreateFault> {
    let fault = |i: usize, (what, value, reason): (Atom, Term, Atom)| CreateFault {
        index: i,
        kind: segments[i].kind,
        what,
        value,
        reason,
    };
    let mut inline = [0usize; INLINE_SEGMENTS];
    let mut many = Vec::new();
    let sizes: &mut [usize] = if segments.len() <= INLINE_SEGMENTS {
        &mut inline[..segments.len()]
    } else {
        many.resize(segments.len(), 0);
        &mut many
    };
    let mut total = 0usize;
    for (i, s) in segments.iter().enumerate() {
        sizes[i] = s.bits().map_err(|e| fault(i, e))?;
        total += sizes[i];
        if total as u64 >= MAX_BITS {
            return Err(fault(i, (Atom::SIZE, s.size_term(), Atom::SYSTEM_LIMIT)));
        }
    }
    let append = segments
        .first()
        .is_some_and(|s| matches!(s.kind, kind::APPEND | kind::PRIVATE_APPEND));
    if append {
        return append_to(heap, segments, sizes, total).map_err(|(i, e)| fault(i, e));
    }
    let fill = |out: &mut [u8]| {
        let mut at = 0;
        for (i, s) in segments.iter().enumerate() {
            s.write(out, at, sizes[i]).map_err(|e| (i, e))?;
            at += sizes[i];
        }
        Ok(())
    };
    let len = total.div_ceil(8);
    let mut result = Ok(());
    let t = if len <= MAX_HEAP_BINARY {
        let (t, data) = heap.heap_bits(total);
        // SAFETY: `heap_bits` made and zeroed room for `len` bytes.
        result = fill(unsafe { std::slice::from_raw_parts_mut(data, len) });
        t
    } else {
        let b = BinaryRef::build(len, |out| result = fill(out));
        heap.shared_bits(b, total)
    };
    result.map(|()| (t, len)).map_err(|(i, e)| fault(i, e))
}

type WriteFault = (usize, (Atom, Term, Atom));

/// Builds by appending to the first segment's value, in place where it ends its binary.
fn append_to(
    heap: &mut Heap,
    segments: &[Segment],
    sizes: &[usize],
    total: usize,
) -> Result<(Term, usize), WriteFault> {
    segments[0].check(sizes[0]).map_err(|e| (0, e))?;
    let v = bits::view(segments[0].value);
    let more = total - sizes[0];
    let fill = |out: &mut [u8], mut at: usize| {
        for (i, s) in segments.iter().enumerate().skip(1) {
            s.write(out, at, sizes[i]).map_err(|e| (i, e))?;
            at += sizes[i];
        }
        Ok(())
    };
    if more == 0 {
        fill(&mut [0], 0)?;
        return Ok((segments[0].value, 0));
    }
    if let Some((p, whole)) = append_in_place(heap, segments[0].value, more) {
        // SAFETY: the claim is ours alone and inside the allocation; zeroed before the slice is used.
        let out = unsafe {
            std::ptr::write_bytes(p, 0, more / 8);
            std::slice::from_raw_parts_mut(p, more / 8)
        };
        fill(out, 0)?;
        return Ok((whole, more / 8));
    }
    let len = total.div_ceil(8);
    let mut result = Ok(());
    let b = BinaryRef::build_with_room(len, (len * 2).max(256), |out| {
        copy_bits(v.data, v.offset, out, 0, v.bits);
        result = fill(out, v.bits);
    });
    result?;
    Ok((heap.shared_bits(b, total), len))
}

/// Makes a bitstring longer where it lies, if it ends its binary and there is room: the address of the new
/// bits, which the caller writes before anything else is done, and the longer bitstring.
#[inline(always)]
pub(super) fn append_in_place(heap: &mut Heap, to: Term, more: usize) -> Option<(*mut u8, Term)> {
    let v = bits::view(to);
    if !v.base.is_kind(Kind::BinRef) || v.offset & 7 != 0 || more == 0 {
        return None;
    }
    // SAFETY: a live `BinRef` owns the binary in word 2.
    let b = unsafe { BinaryRef::borrow_raw(v.base.word(2)) };
    let p = b.claim(v.offset + v.bits, more)?;
    heap.binary_bytes += more / 8;
    let total = v.bits + more;
    let whole = heap.shared_bits(BinaryRef::clone(&b), v.offset + total);
    heap.binary_bytes -= b.capacity();
    let longer = if v.offset == 0 {
        whole
    } else {
        heap.sub_bits(whole, v.offset, total)
    };
    Some((p, longer))
}

/// Writes an integer of `n` bits at bit `at`.
pub fn put_integer(out: &mut [u8], at: usize, n: usize, value: Term, flags: u8) {
    if n == 8
        && at & 7 == 0
        && let Some(v) = value.as_small()
    {
        out[at / 8] = v as u8;
        return;
    }
    if n == 0 {
        return;
    }
    // Two's complement, least significant byte first, sign extended.
    let len = n.div_ceil(8);
    let small = value.as_small().unwrap_or(0).to_le_bytes();
    let mut large: Vec<u8> = Vec::new();
    let (bytes, fill): (&[u8], u8) = match value.as_small() {
        Some(v) => (&small, if v < 0 { 0xff } else { 0 }),
        None => {
            if let Some(b) = bignum::to_bigint(value) {
                large = b.to_signed_bytes_le();
            }
            let fill = if large.last().is_some_and(|b| b & 0x80 != 0) {
                0xff
            } else {
                0
            };
            (&large, fill)
        }
    };
    let byte = |i: usize| bytes.get(i).copied().unwrap_or(fill);
    let partial = n & 7;
    if flags & LITTLE != 0 {
        let mut pos = at;
        for i in 0..len {
            let k = if i + 1 == len && partial > 0 {
                partial
            } else {
                8
            };
            let b = byte(i) << (8 - k);
            copy_bits(&raw const b, 0, out, pos, k);
            pos += k;
        }
    } else if at & 7 == 0 && partial == 0 {
        for (i, slot) in out[at / 8..at / 8 + len].iter_mut().enumerate() {
            *slot = byte(len - 1 - i);
        }
    } else {
        let mut pos = at;
        for i in (0..len).rev() {
            let k = if i + 1 == len && partial > 0 {
                partial
            } else {
                8
            };
            let b = byte(i) << (8 - k);
            copy_bits(&raw const b, 0, out, pos, k);
            pos += k;
        }
    }
}

/// Writes a float of 16, 32 or 64 bits, infinite where so few do not suffice; `false` if no float holds the
/// value.
fn put_float(out: &mut [u8], at: usize, n: usize, value: Term, flags: u8) -> bool {
    let Ok(f) = crate::arith::float_value(value) else {
        return false;
    };
    let bits: u64 = match n {
        64 => f.to_bits(),
        32 => u64::from((f as f32).to_bits()),
        _ => u64::from(f64_to_half(f)),
    };
    let len = n / 8;
    let mut bytes = bits.to_be_bytes();
    let bytes = &mut bytes[8 - len..];
    if flags & LITTLE != 0 {
        bytes.reverse();
    }
    copy_bits(bytes.as_ptr(), 0, out, at, n);
    true
}

/// Writes a character.
fn put_char(out: &mut [u8], at: usize, c: char, kind: u8, flags: u8) {
    let mut buf = [0u8; 4];
    match kind {
        kind::UTF8 => {
            let n = c.encode_utf8(&mut buf).len();
            copy_bits(buf.as_ptr(), 0, out, at, 8 * n);
        }
        kind::UTF16 => {
            let mut units = [0u16; 2];
            for (i, u) in c.encode_utf16(&mut units).iter().enumerate() {
                let b = if flags & LITTLE != 0 {
                    u.to_le_bytes()
                } else {
                    u.to_be_bytes()
                };
                copy_bits(b.as_ptr(), 0, out, at + 16 * i, 16);
            }
        }
        _ => {
            let n = u32::from(c);
            let b = if flags & LITTLE != 0 {
                n.to_le_bytes()
            } else {
                n.to_be_bytes()
            };
            copy_bits(b.as_ptr(), 0, out, at, 32);
        }
    }
}

/// Raises the error of a failed construction, with what `erl_erts_errors` needs to explain it.
#[cold]
pub fn raise_create(cx: &mut Ctx<'_>, pc: *const u64, f: &CreateFault) -> Next {
    let kind = match f.kind {
        kind::INTEGER => Atom::INTEGER,
        kind::FLOAT => Atom::FLOAT,
        kind::UTF8 => Atom::UTF8,
        kind::UTF16 => Atom::UTF16,
        kind::UTF32 => Atom::UTF32,
        kind::STRING => Atom::STRING,
        _ => Atom::BINARY,
    };
    let number = ranges::find(pc)
        .and_then(|(function, offset)| Some(function.body()?.segment_number(offset, f.index)))
        .unwrap_or(f.index + 1);
    let heap = cx.heap();
    let cause = heap.tuple(&[
        Term::small(number as i64),
        kind.into(),
        f.what.into(),
        f.value,
    ]);
    let info = map::from_pairs(
        heap,
        &[
            (Atom::CAUSE.into(), cause),
            (Atom::FUNCTION.into(), Atom::FORMAT_BS_FAIL.into()),
            (Atom::MODULE.into(), Atom::ERL_ERTS_ERRORS.into()),
        ],
    );
    let pair = heap.tuple(&[Atom::ERROR_INFO.into(), info]);
    let info = heap.list(&[pair]);
    calls::raise(
        cx,
        pc,
        Class::Error,
        f.reason.into(),
        Head::Args {
            args: Term::NONVALUE,
            info,
        },
    )
}

/// An empty binary with room for appending.
pub fn init_writable(heap: &mut Heap, size: Term) -> Term {
    let bytes = size.as_usize().map_or(256, |n| n / 8).clamp(256, 1 << 24);
    heap.shared_bits(BinaryRef::build_with_room(0, bytes, |_| ()), 0)
}

// ---- construction as compilers before OTP 25 wrote it ----

/// Kinds of `BS_OLD`.
pub mod old_kind {
    /// A binary of a size in bytes.
    pub const INIT_BYTES: u16 = 0;
    /// A bitstring of a size in bits.
    pub const INIT_BITS: u16 = 1;
    /// Appends to a binary.
    pub const APPEND: u16 = 2;
    /// Adds a segment; which one is in the low byte of word 2.
    pub const PUT: u16 = 3;
    /// Adds constant bytes.
    pub const PUT_STRING: u16 = 4;
}

/// A bitstring that is being filled by further instructions. It is shared from the start, so that no
/// collection moves it.
pub struct Building {
    binary: BinaryRef,
    at: usize,
    end: usize,
}

/// One step. Word 1: places of two operands and the unit in bits 32; word 2: kind and flags of a
/// segment, or the address of constant bytes. Gives the bitstring, or `NONVALUE`.
#[inline(never)]
pub fn old(
    cx: &mut Ctx<'_>,
    what: usize,
    w1: u64,
    w2: u64,
    p: Term,
    q: Term,
) -> Result<Term, Atom> {
    let unit = (w1 >> 32) as usize & 0xffff;
    let whole = w1 >> 63 == 1;
    match what as u16 {
        old_kind::INIT_BYTES | old_kind::INIT_BITS => {
            let n = p
                .as_usize()
                .and_then(|n| n.checked_mul(unit))
                .filter(|&n| (n as u64) < MAX_BITS);
            let n = n.ok_or(if p.is_kind(Kind::BigPos) {
                Atom::SYSTEM_LIMIT
            } else {
                Atom::BADARG
            })?;
            let b = BinaryRef::build(n.div_ceil(8), |_| ());
            cx.own.rare().building = Some(Building {
                binary: b.clone(),
                at: 0,
                end: n,
            });
            Ok(cx.heap().shared_bits(b, n))
        }
        old_kind::APPEND => {
            if !q.is_bitstring() {
                return Err(Atom::BADARG);
            }
            let more = p
                .as_usize()
                .and_then(|n| n.checked_mul(unit))
                .filter(|&n| (n as u64) < MAX_BITS);
            let more = more.ok_or(Atom::BADARG)?;
            let v = bits::view(q);
            let total = v.bits + more;
            let b = BinaryRef::build_with_room(total.div_ceil(8), total.div_ceil(8), |out| {
                copy_bits(v.data, v.offset, out, 0, v.bits);
            });
            cx.own.rare().building = Some(Building {
                binary: b.clone(),
                at: v.bits,
                end: total,
            });
            Ok(cx.heap().shared_bits(b, total))
        }
        _ => {
            let segment = if what as u16 == old_kind::PUT_STRING {
                Segment {
                    kind: kind::STRING,
                    word: w2,
                    string_len: unit,
                    ..Segment::NONE
                }
            } else {
                let all = whole || q.as_atom() == Some(Atom::ALL);
                Segment {
                    kind: w2 as u8,
                    flags: (w2 >> 8) as u8,
                    unit: unit as u16,
                    value: p,
                    size: if all { Term::NONVALUE } else { q },
                    word: if all { SIZE_ALL } else { SIZE_PLACE },
                    string_len: 0,
                }
            };
            put_old(cx, &segment)
        }
    }
}

fn put_old(cx: &mut Ctx<'_>, s: &Segment) -> Result<Term, Atom> {
    let n = s.bits().map_err(|e| e.2)?;
    let Some(b) = cx.own.rare().building.as_mut() else {
        return Err(Atom::BADARG);
    };
    if b.at + n > b.end {
        return Err(Atom::BADARG);
    }
    let len = b.binary.len();
    // SAFETY: the code that builds the bitstring is the only one that looks at it until it is full.
    let out = unsafe { std::slice::from_raw_parts_mut(b.binary.data().cast_mut(), len) };
    s.write(out, b.at, n).map_err(|e| e.2)?;
    b.at += n;
    Ok(Term::NONVALUE)
}

/// `a + b * unit`, for sizes.
pub fn add_sizes(a: Term, b: Term, unit: usize) -> Result<Term, Atom> {
    let (Some(x), Some(y)) = (a.as_usize(), b.as_usize()) else {
        let large = a.is_kind(Kind::BigPos) || b.is_kind(Kind::BigPos);
        return Err(if large {
            Atom::SYSTEM_LIMIT
        } else {
            Atom::BADARG
        });
    };
    let sum = y
        .checked_mul(unit)
        .and_then(|n| n.checked_add(x))
        .and_then(|n| i64::try_from(n).ok());
    sum.and_then(Term::try_small).ok_or(Atom::SYSTEM_LIMIT)
}

/// Bytes of a code point in UTF-8 (`which` 0) or UTF-16 (1); 4 for what is none, which fails later.
pub fn utf_size(t: Term, which: usize) -> Term {
    Term::small(match (code_point(t), which) {
        (Some(c), 0) => c.len_utf8() as i64,
        (Some(c), _) => 2 * c.len_utf16() as i64,
        (None, _) => 4,
    })
}
