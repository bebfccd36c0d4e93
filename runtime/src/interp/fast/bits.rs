//! Short ways of the bit syntax: fields of whole, small integers out of and into bytes.

use super::Place;
use super::machine::{Any, M, Source};
use crate::bif::Ctx;
use crate::code::bit_words::{LITTLE, MAX_FIELD, SIGNED, is_short_command, kind};
use crate::heap::binary::BinaryRef;
use crate::heap::bits::{base_data, read_bits};
use crate::heap::{Heap, MAX_HEAP_BINARY};
use crate::interp::bits::{BYTES_A_REDUCTION, append_in_place, extend};
use crate::term::{Kind, Term};

/// `n` (1 to `MAX_FIELD`) bits from bit `at` on of data that has `end` bits.
#[inline(always)]
fn field(data: *const u8, at: usize, n: usize, end: usize) -> u64 {
    let byte = at >> 3;
    if n == 8 && at & 7 == 0 {
        // SAFETY: the caller has seen that the field lies before the end.
        return u64::from(unsafe { *data.add(byte) });
    }
    if byte + 8 <= end >> 3 {
        // SAFETY: eight bytes from there on lie before the end.
        let word = unsafe { data.add(byte).cast::<u64>().read_unaligned() };
        return (u64::from_be(word) << (at & 7)) >> (64 - n);
    }
    near_end(data, at, n)
}

#[inline(never)]
fn near_end(data: *const u8, at: usize, n: usize) -> u64 {
    read_bits(data, at, n)
}

/// The integer that a field of `n` bits stands for.
#[inline(always)]
fn integer(raw: u64, n: usize, flags: u8) -> Term {
    let v = if flags & LITTLE == 0 {
        raw
    } else {
        raw.swap_bytes() >> (64 - n)
    };
    if flags & SIGNED == 0 {
        Term::small(v as i64)
    } else {
        Term::small(extend(v, n))
    }
}

#[inline(always)]
fn set_position(ctx: Term, at: usize) {
    // SAFETY: callers have checked that this is a match context; word 2 is its position.
    unsafe { *ctx.ptr().add(2) = at as u64 }
}

handlers! {
    start |m| {
        let t = m.src::<Any>(m.a());
        let (base, offset, bits) = match t.kind() {
            Some(Kind::MatchCtx) => {
                m.dst::<Any>(m.b(), t);
                return m.next(1);
            }
            Some(Kind::HeapBits) => (t, 0, t.word(1)),
            Some(Kind::BinRef) => (t, 0, t.word(3)),
            Some(Kind::SubBits) => (Term(t.word(1)), t.word(2), t.word(3)),
            _ => return m.leave(),
        };
        if m.room() < 4 {
            return m.leave();
        }
        let heap = &mut m.cx.own.heap.young;
        let ctx = heap.match_context(base, offset as usize, (offset + bits) as usize);
        m.dst::<Any>(m.b(), ctx);
        m.next(1)
    }
    test_tail |m| {
        let ctx = m.src::<Any>(m.a());
        if !ctx.is_kind(Kind::MatchCtx) {
            return m.leave();
        }
        let at_tail = ctx.word(3) - ctx.word(2) == m.b() as u64;
        m.test(at_tail, 1)
    }
    get_position |m| {
        let ctx = m.src::<Any>(m.a());
        if !ctx.is_kind(Kind::MatchCtx) {
            return m.leave();
        }
        m.dst::<Any>(m.b(), Term::small(ctx.word(2) as i64));
        m.next(1)
    }
    set_position_to |m| {
        let (ctx, to) = (m.src::<Any>(m.a()), m.src::<Any>(m.b()));
        if !ctx.is_kind(Kind::MatchCtx) || !to.is_small() || to.small_value() as u64 > ctx.word(3) {
            return m.leave();
        }
        set_position(ctx, to.small_value() as usize);
        m.next(1)
    }
    match_short |m| {
        let (ctx, n) = (m.src::<Any>(m.a()), m.b());
        if !ctx.is_kind(Kind::MatchCtx) {
            return m.leave();
        }
        let data = base_data(Term(ctx.word(1)));
        let (mut at, end) = (ctx.word(2) as usize, ctx.word(3) as usize);
        for i in 0..n {
            let (how, arg) = (m.word(1 + 2 * i), m.word(2 + 2 * i) as usize);
            match how as u8 {
                kind::INTEGER => {
                    if end - at < arg {
                        return m.jump();
                    }
                    let v = integer(field(data, at, arg, end), arg, (how >> 8) as u8);
                    m.dst::<Any>((how >> 16) as usize & 0xffff, v);
                    at += arg;
                }
                kind::AT_LEAST => {
                    let (have, unit) = (end - at, (how >> 32) as usize & 0xffff);
                    if have < arg {
                        return m.jump();
                    }
                    let fits = match unit {
                        0 | 1 => true,
                        8 => (have - arg) & 7 == 0,
                        _ => (have - arg).is_multiple_of(unit),
                    };
                    if !fits {
                        return m.jump();
                    }
                }
                kind::EXACTLY => {
                    if end - at != arg {
                        return m.jump();
                    }
                }
                kind::EQUAL => {
                    let size = (how >> 32) as usize;
                    if end - at < size || field(data, at, size, end) != arg as u64 {
                        return m.jump();
                    }
                    at += size;
                }
                _ => {
                    if end - at < arg {
                        return m.jump();
                    }
                    at += arg;
                }
            }
        }
        set_position(ctx, at);
        m.next(1 + 2 * n)
    }
    get |m| {
        let (ctx, size, how) = (m.src::<Any>(m.a()), m.src::<Any>(m.b()), m.word(1));
        let (kind, flags, unit) = ((how >> 48) as u8, (how >> 32) as u8, how >> 16 & 0xffff);
        if kind != kind::INTEGER || !ctx.is_kind(Kind::MatchCtx) || !size.is_small() {
            return m.leave();
        }
        let bits = (size.small_value() as u64).wrapping_mul(unit);
        let short = size.small_value() as u64 <= MAX_FIELD && is_short_command(kind, flags, 0, bits);
        if !short {
            return m.leave();
        }
        let (at, end, bits) = (ctx.word(2) as usize, ctx.word(3) as usize, bits as usize);
        if end - at < bits {
            return m.jump();
        }
        let v = integer(field(base_data(Term(ctx.word(1))), at, bits, end), bits, flags);
        set_position(ctx, at + bits);
        m.dst::<Any>(how as usize & 0xffff, v);
        m.next(2)
    }
    get_utf |m| {
        let (ctx, how) = (m.src::<Any>(m.a()), m.word(1));
        if how as u8 != kind::UTF8 || !ctx.is_kind(Kind::MatchCtx) {
            return m.leave();
        }
        let (at, end) = (ctx.word(2) as usize, ctx.word(3) as usize);
        if end - at < 8 {
            return m.leave();
        }
        let c = field(base_data(Term(ctx.word(1))), at, 8, end);
        if c >= 0x80 {
            return m.leave();
        }
        set_position(ctx, at + 8);
        if m.b() != 0xffff {
            m.dst::<Any>(m.b(), Term::small(c as i64));
        }
        m.next(2)
    }
    create_short |m| {
        let v = create(m.pc, m.sp, m.x, m.cx, m.w);
        if v.is_nonvalue() {
            return m.leave();
        }
        m.dst::<Any>(m.b(), v);
        m.cx.note_allocation();
        let words = 1 + 2 * m.a();
        m.next(words)
    }
}

/// The bitstring of a `BS_CREATE_SHORT`, or `NONVALUE`, with nothing done, where an operand is not what the
/// short way is for.
#[inline(never)]
fn create(pc: *const u64, sp: *mut Term, x: *mut Term, cx: &mut Ctx<'_>, w: u64) -> Term {
    let m = M { pc, sp, x, cx, w };
    let n = m.a();
    let mut total = 0;
    for i in 0..n {
        let (how, word) = (m.word(1 + 2 * i), m.word(2 + 2 * i));
        total += match how as u8 {
            kind::STRING => (how >> 16) as usize,
            kind::INTEGER => {
                if !Any::get(&m, (how >> 16) as usize & 0xffff).is_small() {
                    return Term::NONVALUE;
                }
                (word * (how >> 48)) as usize / 8
            }
            _ => match bytes_of(Any::get(&m, (how >> 16) as usize & 0xffff)) {
                Some((_, len)) => len,
                None => return Term::NONVALUE,
            },
        };
        if total > 1 << 32 {
            return Term::NONVALUE;
        }
    }
    if n > 0 && matches!(m.word(1) as u8, kind::APPEND | kind::PRIVATE_APPEND) {
        let to = Any::get(&m, (m.word(1) >> 16) as usize & 0xffff);
        let more = total - bytes_of(to).map_or(0, |(_, len)| len);
        if more == 0 {
            return to;
        }
        let private = m.word(1) as u8 == kind::PRIVATE_APPEND;
        let claimed = append_in_place(&mut m.cx.own.heap.young, to, more * 8, private);
        return match claimed {
            Some(claim) => {
                fill(&m, 1, claim.at);
                m.cx.bump(more / BYTES_A_REDUCTION);
                claim.finish(&mut m.cx.own.heap.young)
            }
            None => Term::NONVALUE,
        };
    }
    if total <= MAX_HEAP_BINARY {
        let (t, out) = m.cx.own.heap.young.heap_bits(total * 8);
        fill(&m, 0, out);
        t
    } else {
        m.cx.bump(total / BYTES_A_REDUCTION);
        let b = BinaryRef::build(total, |out| fill(&m, 0, out.as_mut_ptr()));
        let heap: &mut Heap = &mut m.cx.own.heap.young;
        heap.shared_binary(b)
    }
}

/// Writes the segments from `from` on; there is room for them.
fn fill(m: &M<'_, '_>, from: usize, mut out: *mut u8) {
    for i in from..m.a() {
        let (how, word) = (m.word(1 + 2 * i), m.word(2 + 2 * i));
        let place = (how >> 16) as usize & 0xffff;
        let len = match how as u8 {
            kind::STRING => {
                let len = (how >> 16) as usize;
                // SAFETY: constant bytes of the module; the caller has made room for them.
                unsafe { std::ptr::copy_nonoverlapping(word as *const u8, out, len) };
                len
            }
            kind::INTEGER => {
                let (len, v) = (
                    (word * (how >> 48)) as usize / 8,
                    Any::get(m, place).small_value(),
                );
                let little = (how >> 8) as u8 & LITTLE != 0;
                for k in 0..len {
                    let shift = 8 * if little { k } else { len - 1 - k };
                    // SAFETY: as above.
                    unsafe { *out.add(k) = (v >> shift) as u8 };
                }
                len
            }
            _ => match bytes_of(Any::get(m, place)) {
                Some((data, len)) => {
                    // SAFETY: the bytes lie in the value's base; the caller has made room for them.
                    unsafe { std::ptr::copy_nonoverlapping(data, out, len) };
                    len
                }
                None => 0,
            },
        };
        out = out.wrapping_add(len);
    }
}

/// Address and number of the bytes of a bitstring that starts and ends at a byte.
#[inline(always)]
fn bytes_of(t: Term) -> Option<(*const u8, usize)> {
    let (base, offset, bits) = match t.kind()? {
        Kind::HeapBits => (t, 0, t.word(1)),
        Kind::BinRef => (t, 0, t.word(3)),
        Kind::SubBits => (Term(t.word(1)), t.word(2), t.word(3)),
        _ => return None,
    };
    if (offset | bits) & 7 != 0 {
        return None;
    }
    Some((
        base_data(base).wrapping_add(offset as usize / 8),
        bits as usize / 8,
    ))
}
