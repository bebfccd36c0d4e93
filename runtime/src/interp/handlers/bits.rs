//! The bit syntax. The short ways are for small integers and whole bytes.

use crate::bif::Ctx;
use crate::code::bit_words::{LITTLE, MAX_FIELD, SIGNED, command, is_short_command, kind, segment};
use crate::code::forms::{
    bs_add, bs_create, bs_get, bs_get_utf, bs_match, bs_match_string, bs_old, bs_put_string,
    bs_set_position, bs_start, bs_test_long, bs_utf_size, plain, test_number, unary,
};
use crate::code::operand::NOWHERE;
use crate::heap::Heap;
use crate::heap::bits::{base_data, read_bits};
use crate::interp::bits::{self, BYTES_A_REDUCTION, SegmentSource, extend};
use crate::interp::machine::{Any, M, Source, Target};
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
    if flags == 0 {
        return Term::small(raw as i64);
    }
    flagged_integer(raw, n, flags)
}

/// The same with flags: out of line, because code for all of them at once is slow for those that have none.
#[inline(never)]
fn flagged_integer(raw: u64, n: usize, flags: u8) -> Term {
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
        let t = m.src::<Any>(bs_start::FROM);
        if !t.is_kind(Kind::MatchCtx) {
            return m.hand_to(start_new);
        }
        m.dst::<Any>(bs_start::TO, t);
        m.next(bs_start::WORDS)
    }
    start_new |m| {
        let t = m.src::<Any>(bs_start::FROM);
        let (base, offset, size) = match t.kind() {
            Some(Kind::HeapBits) => (t, 0, t.word(1)),
            Some(Kind::BinRef) => (t, 0, t.word(3)),
            Some(Kind::SubBits) => (Term(t.word(1)), t.word(2), t.word(3)),
            _ => return m.hand_to(slow::start),
        };
        if m.room() < 4 {
            return m.hand_to(slow::start);
        }
        let heap = &mut m.cx.own.heap.young;
        let ctx = heap.match_context(base, offset as usize, (offset + size) as usize);
        m.dst::<Any>(bs_start::TO, ctx);
        m.next(bs_start::WORDS)
    }
    test_tail |m| {
        let ctx = m.src::<Any>(test_number::VALUE);
        let ok = bits::left(ctx) == m.num(test_number::NUMBER);
        m.test(ok, test_number::WORDS, test_number::FAIL)
    }
    test_unit |m| {
        let ctx = m.src::<Any>(test_number::VALUE);
        let ok = bits::left(ctx).is_multiple_of(m.num(test_number::NUMBER).max(1));
        m.test(ok, test_number::WORDS, test_number::FAIL)
    }
    test_long |m| {
        let (left, n) = (bits::left(m.src::<Any>(bs_test_long::CONTEXT)), m.num(bs_test_long::BITS));
        let ok = if m.num(bs_test_long::MULTIPLE) == 0 { left == n } else { left.is_multiple_of(n) };
        m.test(ok, bs_test_long::WORDS, bs_test_long::FAIL)
    }
    get_position |m| {
        let ctx = m.src::<Any>(unary::FROM);
        if !ctx.is_kind(Kind::MatchCtx) {
            return m.hand_to(slow::get_position);
        }
        m.dst::<Any>(unary::TO, Term::small(ctx.word(2) as i64));
        m.next(unary::WORDS)
    }
    set_position_to |m| {
        let ctx = m.src::<Any>(bs_set_position::CONTEXT);
        let to = m.src::<Any>(bs_set_position::POSITION);
        if !ctx.is_kind(Kind::MatchCtx) || !to.is_small() || to.small_value() as u64 > ctx.word(3) {
            return m.hand_to(slow::set_position_to);
        }
        set_position(ctx, to.small_value() as usize);
        m.next(bs_set_position::WORDS)
    }
    match_short |m| {
        let (ctx, n) = (m.src::<Any>(bs_match::CONTEXT), m.num(bs_match::COUNT));
        if !ctx.is_kind(Kind::MatchCtx) {
            return m.jump(bs_match::FAIL);
        }
        let data = base_data(Term(ctx.word(1)));
        let (mut at, end) = (ctx.word(2) as usize, ctx.word(3) as usize);
        for i in 0..n {
            let (how, arg) = m.command(i);
            let arg = arg as usize;
            let what = command::KIND.of(how) as u8;
            if what == kind::INTEGER {
                if end - at < arg {
                    return m.jump(bs_match::FAIL);
                }
                let v = integer(field(data, at, arg, end), arg, command::FLAGS.of(how) as u8);
                Any::set(&mut m, command::TO.of(how) as usize, v);
                at += arg;
                continue;
            }
            match what {
                kind::AT_LEAST => {
                    let (have, unit) = (end - at, command::UNIT.of(how) as usize);
                    if have < arg {
                        return m.jump(bs_match::FAIL);
                    }
                    let fits = match unit {
                        0 | 1 => true,
                        8 => (have - arg) & 7 == 0,
                        _ => (have - arg).is_multiple_of(unit),
                    };
                    if !fits {
                        return m.jump(bs_match::FAIL);
                    }
                }
                kind::EXACTLY => {
                    if end - at != arg {
                        return m.jump(bs_match::FAIL);
                    }
                }
                kind::EQUAL => {
                    let size = command::UNIT.of(how) as usize;
                    if end - at < size || field(data, at, size, end) != arg as u64 {
                        return m.jump(bs_match::FAIL);
                    }
                    at += size;
                }
                _ => {
                    if end - at < arg {
                        return m.jump(bs_match::FAIL);
                    }
                    at += arg;
                }
            }
        }
        set_position(ctx, at);
        m.next(bs_match::words(n))
    }
    get |m| {
        let (ctx, size) = (m.src::<Any>(bs_get::CONTEXT), m.src::<Any>(bs_get::SIZE));
        let (kind, flags) = (m.num(bs_get::KIND) as u8, m.num(bs_get::FLAGS) as u8);
        if kind != kind::INTEGER || !ctx.is_kind(Kind::MatchCtx) || !size.is_small() {
            return m.hand_to(slow::get);
        }
        let n = (size.small_value() as u64).wrapping_mul(m.num(bs_get::UNIT) as u64);
        let short = size.small_value() as u64 <= MAX_FIELD && is_short_command(kind, flags, 0, n);
        if !short {
            return m.hand_to(slow::get);
        }
        let (at, end, n) = (ctx.word(2) as usize, ctx.word(3) as usize, n as usize);
        if end - at < n {
            return m.jump(bs_get::FAIL);
        }
        let v = integer(field(base_data(Term(ctx.word(1))), at, n, end), n, flags);
        set_position(ctx, at + n);
        m.dst::<Any>(bs_get::TO, v);
        m.next(bs_get::WORDS)
    }
    get_utf |m| {
        let ctx = m.src::<Any>(bs_get_utf::CONTEXT);
        if m.num(bs_get_utf::KIND) as u8 != kind::UTF8 || !ctx.is_kind(Kind::MatchCtx) {
            return m.hand_to(slow::get_utf);
        }
        let (at, end) = (ctx.word(2) as usize, ctx.word(3) as usize);
        if end - at < 8 {
            return m.hand_to(slow::get_utf);
        }
        let c = field(base_data(Term(ctx.word(1))), at, 8, end);
        if c >= 0x80 {
            return m.hand_to(slow::get_utf);
        }
        set_position(ctx, at + 8);
        m.keep_utf(Term::small(c as i64));
        m.next(bs_get_utf::WORDS)
    }
    create_short |m| {
        let v = create(m.pc, m.sp, m.x, m.cx, m.w);
        if v.is_nonvalue() {
            return m.hand_to(slow::create);
        }
        m.dst::<Any>(bs_create::TO, v);
        m.cx.note_allocation();
        let words = bs_create::words(m.num(bs_create::COUNT));
        m.next(words)
    }
}

slow_handlers! {
    start |m| {
        let s = m.src::<Any>(bs_start::FROM);
        match bits::start(m.cx.heap(), s) {
            Some(ctx) => {
                m.dst::<Any>(bs_start::TO, ctx);
                m.next(bs_start::WORDS)
            }
            None if m.distance(bs_start::FAIL) != 0 => m.jump(bs_start::FAIL),
            None => m.bad_code(),
        }
    }
    get_tail |m| {
        let s = m.src::<Any>(unary::FROM);
        let t = bits::tail(m.cx.heap(), s);
        m.dst::<Any>(unary::TO, t);
        m.next(unary::WORDS)
    }
    get_position |m| {
        let s = m.src::<Any>(unary::FROM);
        let t = bits::position(m.cx.heap(), s);
        m.dst::<Any>(unary::TO, t);
        m.next(unary::WORDS)
    }
    set_position_to |m| {
        let (ctx, to) = (m.src::<Any>(bs_set_position::CONTEXT), m.src::<Any>(bs_set_position::POSITION));
        bits::set_position(ctx, to);
        m.next(bs_set_position::WORDS)
    }
    get |m| {
        let (ctx, size) = (m.src::<Any>(bs_get::CONTEXT), m.src::<Any>(bs_get::SIZE));
        let (kind, flags) = (m.num(bs_get::KIND) as u8, m.num(bs_get::FLAGS) as u8);
        let unit = m.num(bs_get::UNIT);
        match bits::get(m.cx.heap(), ctx, size, unit, kind, flags) {
            Some(v) => {
                if !v.is_nonvalue() {
                    m.dst::<Any>(bs_get::TO, v);
                }
                m.cx.note_allocation();
                m.next(bs_get::WORDS)
            }
            None => m.jump(bs_get::FAIL),
        }
    }
    get_utf |m| {
        let (kind, flags) = (m.num(bs_get_utf::KIND) as u8, m.num(bs_get_utf::FLAGS) as u8);
        match bits::get_utf(m.src::<Any>(bs_get_utf::CONTEXT), kind, flags) {
            Some(v) => {
                m.keep_utf(v);
                m.next(bs_get_utf::WORDS)
            }
            None => m.jump(bs_get_utf::FAIL),
        }
    }
    match_any |m| {
        let (ctx, n) = (m.src::<Any>(bs_match::CONTEXT), m.num(bs_match::COUNT));
        if !ctx.is_kind(Kind::MatchCtx) {
            return m.jump(bs_match::FAIL);
        }
        for i in 0..n {
            let (how, arg) = m.command(i);
            match bits::run_command(m.cx.heap(), ctx, how, arg) {
                Some(v) if v.is_nonvalue() => {}
                Some(v) => Any::set(&mut m, command::TO.of(how) as usize, v),
                None => return m.jump(bs_match::FAIL),
            }
        }
        m.cx.note_allocation();
        m.next(bs_match::words(n))
    }
    create |m| {
        let n = m.num(bs_create::COUNT);
        let mut segments = [bits::Segment::NONE; bits::INLINE_SEGMENTS];
        let mut many: Vec<bits::Segment> = Vec::new();
        let list = if n <= bits::INLINE_SEGMENTS {
            for (i, slot) in segments.iter_mut().enumerate().take(n) {
                *slot = m.segment(i);
            }
            &segments[..n]
        } else {
            many.extend((0..n).map(|i| m.segment(i)));
            &many[..]
        };
        match bits::create(m.cx.heap(), list) {
            Ok((v, bytes)) => {
                m.cx.bump(bytes / BYTES_A_REDUCTION);
                m.dst::<Any>(bs_create::TO, v);
                m.cx.note_allocation();
                m.next(bs_create::words(n))
            }
            Err(_) if m.distance(bs_create::FAIL) != 0 => m.jump(bs_create::FAIL),
            Err(fault) => {
                m.end_with(|cx, pc| bits::raise_create(cx, pc, &fault))
            }
        }
    }
    match_string |m| {
        let (ctx, n) = (m.src::<Any>(bs_match_string::CONTEXT), m.num(bs_match_string::BITS));
        let ok = bits::match_string(ctx, n, m.bits(bs_match_string::BYTES.at));
        m.test(ok, bs_match_string::WORDS, bs_match_string::FAIL)
    }
    init_writable |m| {
        let size = m.getx(0);
        let v = bits::init_writable(m.cx.heap(), size);
        m.setx(0, v);
        m.next(plain::WORDS)
    }
    add |m| {
        let (p, q) = (m.src::<Any>(bs_add::LEFT), m.src::<Any>(bs_add::RIGHT));
        match bits::add_sizes(p, q, m.num(bs_add::UNIT)) {
            Ok(v) => {
                m.dst::<Any>(bs_add::TO, v);
                m.next(bs_add::WORDS)
            }
            Err(_) if m.distance(bs_add::FAIL) != 0 => m.jump(bs_add::FAIL),
            Err(e) => m.error(e),
        }
    }
    old |m| {
        let (p, q) = (m.src::<Any>(bs_old::FIRST), m.src::<Any>(bs_old::SECOND));
        let (step, unit) = (m.num(bs_old::KIND) as u16, m.num(bs_old::UNIT));
        let how = m.num(bs_old::HOW) as u64;
        match bits::old(m.cx, step, unit, how, p, q) {
            Ok(v) => {
                if !v.is_nonvalue() {
                    m.dst::<Any>(bs_old::TO, v);
                }
                m.cx.note_allocation();
                m.next(bs_old::WORDS)
            }
            Err(_) if m.distance(bs_old::FAIL) != 0 => m.jump(bs_old::FAIL),
            Err(e) => m.error(e),
        }
    }
    put_string |m| {
        let (n, address) = (m.num(bs_put_string::LENGTH), m.bits(bs_put_string::BYTES.at));
        match bits::put_string(m.cx, n, address) {
            Ok(()) => m.next(bs_put_string::WORDS),
            Err(e) => m.error(e),
        }
    }
    utf_size |m| {
        let v = bits::utf_size(m.src::<Any>(bs_utf_size::FROM), m.num(bs_utf_size::WIDE));
        m.dst::<Any>(bs_utf_size::TO, v);
        m.next(bs_utf_size::WORDS)
    }
}

impl<const THREADED: bool> M<'_, '_, THREADED> {
    /// The two words of command `i` of a match.
    #[inline(always)]
    fn command(&self, i: usize) -> (u64, u64) {
        let at = bs_match::WORDS + 2 * i;
        (self.word(at), self.word(at + 1))
    }

    /// The two words of segment `i` of a construction.
    #[inline(always)]
    fn segment_words(&self, i: usize) -> (u64, u64) {
        let at = bs_create::WORDS + 2 * i;
        (self.word(at), self.word(at + 1))
    }

    fn segment(&self, i: usize) -> bits::Segment {
        let (how, word) = self.segment_words(i);
        bits::Segment::decode(how, word, |o| Any::get(self, o))
    }

    /// Writes a code point, unless it is only skipped.
    #[inline(always)]
    fn keep_utf(&mut self, v: Term) {
        if NOWHERE.x().map(u64::from) != Some(self.bits(bs_get_utf::TO.at)) {
            self.dst::<Any>(bs_get_utf::TO, v);
        }
    }
}

impl<const THREADED: bool> SegmentSource for M<'_, '_, THREADED> {
    #[inline(always)]
    fn heap(&mut self) -> &mut Heap {
        &mut self.cx.own.heap.young
    }

    #[inline(always)]
    fn bump(&mut self, n: usize) {
        self.cx.bump(n);
    }

    #[inline(always)]
    fn count(&self) -> usize {
        self.num(bs_create::COUNT)
    }

    #[inline(always)]
    fn words(&self, i: usize) -> (u64, u64) {
        self.segment_words(i)
    }

    #[inline(always)]
    fn value(&self, i: usize) -> Term {
        Any::get(self, segment::VALUE.of(self.segment_words(i).0) as usize)
    }
}

/// The bitstring of a `BS_CREATE_SHORT`, or `NONVALUE`, with nothing done, where an operand is not what the
/// short way is for.
#[inline(never)]
fn create(pc: *const u64, sp: *mut Term, x: *mut Term, cx: &mut Ctx<'_>, w: u64) -> Term {
    bits::create_short(&mut M::<false> { pc, sp, x, cx, w })
}
