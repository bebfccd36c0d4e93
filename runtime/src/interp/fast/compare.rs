//! Short ways of tests and comparisons.

use super::Place;
use super::arith::both_small;
use super::machine::{Any, M, Source};
use crate::bif::Ctx;
use crate::term::{Header, Kind, Term};

handlers! {
    is_cons<S: Source> |m| { let ok = m.src::<S>(m.a()).is_cons(); m.test(ok, 1) }
    is_nil<S: Source> |m| { let ok = m.src::<S>(m.a()).is_nil(); m.test(ok, 1) }
    is_list |m| { let ok = m.src::<Any>(m.a()).is_list(); m.test(ok, 1) }
    is_atom<S: Source> |m| { let ok = m.src::<S>(m.a()).is_atom(); m.test(ok, 1) }
    is_integer<S: Source> |m| { let ok = m.src::<S>(m.a()).is_integer(); m.test(ok, 1) }
    is_float |m| { let ok = m.src::<Any>(m.a()).is_float(); m.test(ok, 1) }
    is_number |m| { let ok = m.src::<Any>(m.a()).is_number(); m.test(ok, 1) }
    is_pid |m| { let ok = m.src::<Any>(m.a()).is_pid(); m.test(ok, 1) }
    is_tuple |m| { let ok = m.src::<Any>(m.a()).is_tuple(); m.test(ok, 1) }
    is_map |m| { let ok = m.src::<Any>(m.a()).is_map(); m.test(ok, 1) }
    is_tuple_of<S: Source> |m| {
        let t = m.src::<S>(m.a());
        let ok = t.is_boxed() && t.header() == Header::new(Kind::Tuple, m.b());
        m.test(ok, 1)
    }
    is_tagged_tuple<S: Source> |m| {
        let t = m.src::<S>(m.a());
        let ok = t.is_boxed()
            && t.header() == Header::new(Kind::Tuple, m.b())
            && t.word(1) == m.word(1);
        m.test(ok, 2)
    }
    is_eq_imm |m| { let ok = m.getx(m.a()).raw() == m.word(1); m.test(ok, 2) }
    is_ne_imm |m| { let ok = m.getx(m.a()).raw() != m.word(1); m.test(ok, 2) }
    is_eq_exact |m| {
        match quick_exact(m.src::<Any>(m.a()), m.src::<Any>(m.b())) {
            Some(same) => m.test(same, 1),
            None => m.leave(),
        }
    }
    is_ne_exact |m| {
        match quick_exact(m.src::<Any>(m.a()), m.src::<Any>(m.b())) {
            Some(same) => m.test(!same, 1),
            None => m.leave(),
        }
    }
    is_lt<P: Source, Q: Source> |m| {
        let (p, q) = (m.src::<P>(m.a()), m.src::<Q>(m.b()));
        if both_small(p, q) {
            return m.test((p.raw() as i64) < q.raw() as i64, 1);
        }
        is_lt_float(m.pc, m.sp, m.x, m.cx, m.w)
    }
    is_lt_float |m| {
        let (p, q) = (m.src::<Any>(m.a()), m.src::<Any>(m.b()));
        if p.is_flonum() && q.is_flonum() {
            return m.test(p.flonum_value() < q.flonum_value(), 1);
        }
        m.leave()
    }
    is_ge<P: Source, Q: Source> |m| {
        let (p, q) = (m.src::<P>(m.a()), m.src::<Q>(m.b()));
        if both_small(p, q) {
            return m.test(p.raw() as i64 >= q.raw() as i64, 1);
        }
        is_ge_float(m.pc, m.sp, m.x, m.cx, m.w)
    }
    is_ge_float |m| {
        let (p, q) = (m.src::<Any>(m.a()), m.src::<Any>(m.b()));
        if p.is_flonum() && q.is_flonum() {
            return m.test(p.flonum_value() >= q.flonum_value(), 1);
        }
        m.leave()
    }
    select |m| {
        let v = m.src::<Any>(m.a()).raw();
        let n = m.b();
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = low.midpoint(high);
            let key = m.word(1 + middle);
            if key == v {
                let d = (m.word(1 + n + middle / 2) >> (32 * (middle & 1))) as i32;
                m.pc = m.pc.wrapping_offset(d as isize);
                return m.go();
            }
            if key < v {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        m.jump()
    }
    select_range |m| {
        let v = m.src::<Any>(m.a());
        let i = v.small_value().wrapping_sub(m.word(1) as i64) as u64;
        if v.is_small() && i < m.b() as u64 {
            let d = (m.word(2 + i as usize / 2) >> (32 * (i & 1))) as i32;
            m.pc = m.pc.wrapping_offset(d as isize);
            return m.go();
        }
        m.jump()
    }
}

/// `p =:= q` where one look decides.
#[inline(always)]
fn quick_exact(p: Term, q: Term) -> Option<bool> {
    if p.raw() == q.raw() {
        Some(true)
    } else if p.is_immediate() && !p.is_flonum() || q.is_immediate() && !q.is_flonum() {
        Some(false)
    } else {
        None
    }
}
