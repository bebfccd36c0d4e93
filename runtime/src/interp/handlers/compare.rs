//! Comparisons, and choices by value.

use super::arith::both_small;
use crate::code::fields::Distances;
use crate::code::forms::{compare, compare_word, select, select_arity, select_range};
use crate::data::compare as order;
use crate::interp::machine::{Any, M, Place, Source};
use crate::term::Term;
use std::cmp::Ordering;

handlers! {
    is_eq_imm |m| {
        let ok = m.x(compare_word::VALUE).raw() == m.constant(compare_word::WORD);
        m.test(ok, compare_word::WORDS, compare_word::FAIL)
    }
    is_ne_imm |m| {
        let ok = m.x(compare_word::VALUE).raw() != m.constant(compare_word::WORD);
        m.test(ok, compare_word::WORDS, compare_word::FAIL)
    }
    is_eq_exact |m| {
        match quick_exact(m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT)) {
            Some(same) => m.holds(same),
            None => m.hand_to(slow::is_eq_exact),
        }
    }
    is_ne_exact |m| {
        match quick_exact(m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT)) {
            Some(same) => m.holds(!same),
            None => m.hand_to(slow::is_ne_exact),
        }
    }
    is_eq |m| {
        let (p, q) = (m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT));
        if both_small(p, q) {
            return m.holds(p.raw() == q.raw());
        }
        m.hand_to(slow::is_eq)
    }
    is_ne |m| {
        let (p, q) = (m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT));
        if both_small(p, q) {
            return m.holds(p.raw() != q.raw());
        }
        m.hand_to(slow::is_ne)
    }
    is_lt<P: Source, Q: Source> |m| {
        let (p, q) = (m.src::<P>(compare::LEFT), m.src::<Q>(compare::RIGHT));
        if both_small(p, q) {
            return m.holds((p.raw() as i64) < q.raw() as i64);
        }
        m.hand_to(is_lt_float)
    }
    is_lt_float |m| {
        let (p, q) = (m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT));
        if p.is_flonum() && q.is_flonum() {
            return m.holds(p.flonum_value() < q.flonum_value());
        }
        m.hand_to(slow::is_lt)
    }
    is_ge<P: Source, Q: Source> |m| {
        let (p, q) = (m.src::<P>(compare::LEFT), m.src::<Q>(compare::RIGHT));
        if both_small(p, q) {
            return m.holds(p.raw() as i64 >= q.raw() as i64);
        }
        m.hand_to(is_ge_float)
    }
    is_ge_float |m| {
        let (p, q) = (m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT));
        if p.is_flonum() && q.is_flonum() {
            return m.holds(p.flonum_value() >= q.flonum_value());
        }
        m.hand_to(slow::is_ge)
    }

    // ---- choices ----

    select |m| {
        let v = m.src::<Any>(select::VALUE).raw();
        let n = m.num(select::COUNT);
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = low.midpoint(high);
            let key = m.word(select::WORDS + middle);
            if key == v {
                return m.jump_by(Distances { from: select::WORDS + n }, middle);
            }
            if key < v {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        m.jump(select::OTHERWISE)
    }
    select_range |m| {
        let v = m.src::<Any>(select_range::VALUE);
        let i = v.small_value().wrapping_sub(m.num(select_range::LEAST) as i64) as u64;
        if v.is_small() && i < m.num(select_range::COUNT) as u64 {
            return m.jump_by(Distances { from: select_range::WORDS }, i as usize);
        }
        m.jump(select_range::OTHERWISE)
    }
    select_arity |m| {
        let t = m.src::<Any>(select_arity::VALUE);
        if t.is_tuple() {
            let (size, n) = (t.header().words() as u64, m.num(select_arity::COUNT));
            for i in 0..n {
                if m.word(select_arity::WORDS + i) == size {
                    return m.jump_by(Distances { from: select_arity::WORDS + n }, i);
                }
            }
        }
        m.jump(select_arity::OTHERWISE)
    }
}

slow_handlers! {
    is_eq_exact |m| {
        let ok = order::exact_eq(m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT));
        m.test(ok, compare::WORDS, compare::FAIL)
    }
    is_ne_exact |m| {
        let ok = !order::exact_eq(m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT));
        m.test(ok, compare::WORDS, compare::FAIL)
    }
    is_eq |m| {
        let ok = order::eq(m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT));
        m.test(ok, compare::WORDS, compare::FAIL)
    }
    is_ne |m| {
        let ok = !order::eq(m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT));
        m.test(ok, compare::WORDS, compare::FAIL)
    }
    is_lt |m| {
        let (p, q) = (m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT));
        let ok = order::compare(p, q) == Ordering::Less;
        m.test(ok, compare::WORDS, compare::FAIL)
    }
    is_ge |m| {
        let (p, q) = (m.src::<Any>(compare::LEFT), m.src::<Any>(compare::RIGHT));
        let ok = order::compare(p, q) != Ordering::Less;
        m.test(ok, compare::WORDS, compare::FAIL)
    }
}

impl<const THREADED: bool> M<'_, '_, THREADED> {
    #[inline(always)]
    fn holds(self, ok: bool) -> Place {
        self.test(ok, compare::WORDS, compare::FAIL)
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
