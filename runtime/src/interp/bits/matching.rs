//! Matching: contexts, and what is taken off them.

use crate::atom::Atom;
use crate::code::bit_words::{LITTLE, SIGNED, command, kind};
use crate::data::arith::max_bits;
use crate::data::bignum;
use crate::heap::Heap;
use crate::heap::bits::{self, View, read_bits};
use crate::term::{Kind, Term};

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

/// `BS_GET` of a kind with its flags: the value, `NONVALUE` where none is kept, nothing where it does not match.
#[inline]
pub fn get(
    heap: &mut Heap,
    ctx: Term,
    size: Term,
    unit: usize,
    kind: u8,
    flags: u8,
) -> Option<Term> {
    if !ctx.is_kind(Kind::MatchCtx) {
        return None;
    }
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
            let before = ctx_word(ctx, 2);
            let v = take(ctx, n)?;
            // What is too large for an integer does not match.
            if n as u64 > max_bits() && significant(&v, flags) > max_bits() {
                set_at(ctx, before);
                return None;
            }
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

/// One command of `BS_MATCH`, of its two words; results as for `get`.
#[inline]
pub fn run_command(heap: &mut Heap, ctx: Term, how: u64, arg: u64) -> Option<Term> {
    let ok = |b: bool| if b { Some(Term::NONVALUE) } else { None };
    let (kind, flags) = (command::KIND.of(how) as u8, command::FLAGS.of(how) as u8);
    let unit = command::UNIT.of(how) as usize;
    match kind {
        kind::AT_LEAST => {
            let have = left(ctx);
            ok(have >= arg as usize && (unit <= 1 || (have - arg as usize).is_multiple_of(unit)))
        }
        kind::EXACTLY => ok(left(ctx) == arg as usize),
        kind::TAIL => Some(tail(heap, ctx)),
        kind::EQUAL => {
            let v = take(ctx, unit)?;
            ok(read_bits(v.data, v.offset, v.bits) == arg)
        }
        k => extract(heap, ctx, k, arg as usize, flags),
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
pub(in crate::interp) fn extend(n: u64, bits: usize) -> i64 {
    let shift = 64 - bits as u32;
    ((n << shift) as i64) >> shift
}

/// Bits of the integer in a large view, zeros at its upper end not counted.
#[cold]
fn significant(v: &View, flags: u8) -> u64 {
    let byte = |i: usize| read_bits(v.data, v.offset + 8 * i, 8.min(v.bits - 8 * i));
    let bytes = v.bits.div_ceil(8);
    let zeros = if flags & LITTLE != 0 {
        (0..bytes).rev().take_while(|&i| byte(i) == 0).count()
    } else {
        (0..bytes).take_while(|&i| byte(i) == 0).count()
    };
    (v.bits as u64).saturating_sub(8 * zeros as u64)
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

/// `BS_GET_UTF`: the code point; nothing where there is no valid one.
#[inline]
pub fn get_utf(ctx: Term, kind: u8, flags: u8) -> Option<Term> {
    if !ctx.is_kind(Kind::MatchCtx) {
        return None;
    }
    let v = bits::view(ctx);
    let (c, used) = match kind {
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
    if !is_code_point(c) {
        return None;
    }
    set_at(ctx, v.offset + used);
    Some(Term::small(i64::from(c)))
}

/// Is it a code point that text may have?
#[inline]
pub fn is_code_point(c: u32) -> bool {
    c <= 0x10_ffff && !(0xd800..0xe000).contains(&c)
}

#[inline]
fn read_utf8(v: &View) -> Option<(u32, usize)> {
    if v.offset & 7 == 0 {
        let p = v.data.wrapping_add(v.offset / 8);
        return utf8_code_point(|i| {
            let there = v.bits >= 8 * (i + 1);
            // SAFETY: the byte lies before the view's end.
            there.then(|| unsafe { u32::from(*p.add(i)) })
        });
    }
    utf8_code_point(|i| {
        let there = v.bits >= 8 * (i + 1);
        there.then(|| read_bits(v.data, v.offset + 8 * i, 8) as u32)
    })
}

/// The code point of the bytes that the function gives, and how many bits it takes.
#[inline(always)]
pub fn utf8_code_point(byte: impl Fn(usize) -> Option<u32>) -> Option<(u32, usize)> {
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
