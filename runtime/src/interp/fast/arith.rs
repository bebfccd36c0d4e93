//! Short ways of arithmetic: small integers whose results are small, and floats that are immediates.

use super::Place;
use super::machine::{Any, M, Source, Target};
use crate::bif::Ctx;
use crate::term::Term;

handlers! {
    add_step |m| {
        let p = m.getx(m.a());
        let step = i64::from(m.b() as u16 as i16) << 3;
        match (p.raw() as i64).checked_add(step) {
            Some(r) if p.is_small() => {
                m.setx(m.c(), Term(r as u64));
                m.next(1)
            }
            _ => m.leave(),
        }
    }
    arith<O: Operation, P: Source, Q: Source, D: Target> |m| {
        let (p, q) = (m.src::<P>(m.a()), m.src::<Q>(m.b()));
        if both_small(p, q)
            && let Some(v) = O::small(p, q)
        {
            m.dst::<D>(m.c(), v);
            return m.next(1);
        }
        m.leave()
    }
    arith_guard<O: Operation> |m| {
        let (p, q) = (m.src::<Any>(m.a()), m.src::<Any>(m.b()));
        if both_small(p, q)
            && let Some(v) = O::small(p, q)
        {
            m.dst::<Any>(m.word(1) as usize & 0xffff, v);
            return m.next(2);
        }
        m.leave()
    }

    // ---- floats ----

    float_load |m| {
        let v = m.src::<Any>(m.a());
        if !v.is_flonum() {
            return m.leave();
        }
        m.set_float(m.b(), v.flonum_value());
        m.next(1)
    }
    float_store |m| {
        match Term::try_flonum(m.float(m.a())) {
            Some(v) => {
                m.dst::<Any>(m.b(), v);
                m.next(1)
            }
            None => m.leave(),
        }
    }
    float_convert |m| {
        let v = m.src::<Any>(m.a());
        if v.is_flonum() {
            m.set_float(m.b(), v.flonum_value());
            return m.next(1);
        }
        if v.is_small() {
            m.set_float(m.b(), v.small_value() as f64);
            return m.next(1);
        }
        m.leave()
    }
    float_add |m| { let r = m.float(m.a()) + m.float(m.b()); m.float_result(r) }
    float_sub |m| { let r = m.float(m.a()) - m.float(m.b()); m.float_result(r) }
    float_mul |m| { let r = m.float(m.a()) * m.float(m.b()); m.float_result(r) }
    float_div |m| { let r = m.float(m.a()) / m.float(m.b()); m.float_result(r) }
}

impl M<'_, '_> {
    #[inline(always)]
    fn float_result(mut self, r: f64) -> Place {
        if !r.is_finite() {
            return self.leave();
        }
        self.set_float(self.c(), r);
        self.next(1)
    }
}

#[inline(always)]
pub(super) fn both_small(p: Term, q: Term) -> bool {
    (p.raw() | q.raw()) & 7 == 0
}

/// An operation on small integers whose result is a small integer.
pub(super) trait Operation {
    fn small(p: Term, q: Term) -> Option<Term>;
}

macro_rules! operations {
    ($($name:ident |$p:ident, $q:ident| $value:expr;)*) => {
        $(
            pub(super) struct $name;
            impl Operation for $name {
                #[inline(always)]
                fn small($p: Term, $q: Term) -> Option<Term> {
                    $value
                }
            }
        )*
    };
}

operations! {
    Add |p, q| (p.raw() as i64).checked_add(q.raw() as i64).map(|r| Term(r as u64));
    Sub |p, q| (p.raw() as i64).checked_sub(q.raw() as i64).map(|r| Term(r as u64));
    Mul |p, q| p.small_value().checked_mul(q.raw() as i64).map(|r| Term(r as u64));
    Div |p, q| if q.raw() == 0 { None } else { Term::try_small(p.small_value().wrapping_div(q.small_value())) };
    Rem |p, q| if q.raw() == 0 { None } else { Some(Term::small(p.small_value().wrapping_rem(q.small_value()))) };
    Band |p, q| Some(Term(p.raw() & q.raw()));
    Bor |p, q| Some(Term(p.raw() | q.raw()));
    Bxor |p, q| Some(Term(p.raw() ^ q.raw()));
    Bsl |p, q| shift_left(p.small_value(), q.small_value());
    Bsr |p, q| if q.small_value() < 0 { None } else { Some(Term::small(p.small_value() >> q.small_value().min(63))) };
}

#[inline(always)]
fn shift_left(n: i64, by: i64) -> Option<Term> {
    if !(0..60).contains(&by) {
        return None;
    }
    let r = n << by;
    if r >> by == n {
        Term::try_small(r)
    } else {
        None
    }
}
