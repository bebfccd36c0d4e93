//! Arithmetic of floats that compilers have seen to be floats.

use super::errors::slow::bad_code;
use crate::atom::Atom;
use crate::code::forms::{float_binary, float_load, float_store, float_unary};
use crate::data::arith;
use crate::interp::machine::{Any, M, Place};
use crate::term::Term;

handlers! {
    load |m| {
        match m.src::<Any>(float_load::FROM).as_float() {
            Some(f) => {
                m.set_float(float_load::TO, f);
                m.next(float_load::WORDS)
            }
            None => m.hand_to(bad_code),
        }
    }
    store |m| {
        match Term::try_flonum(m.float(float_store::FROM)) {
            Some(v) => {
                m.dst::<Any>(float_store::TO, v);
                m.next(float_store::WORDS)
            }
            None => m.hand_to(slow::store),
        }
    }
    convert |m| {
        let v = m.src::<Any>(float_load::FROM);
        if v.is_flonum() {
            m.set_float(float_load::TO, v.flonum_value());
            return m.next(float_load::WORDS);
        }
        if v.is_small() {
            m.set_float(float_load::TO, v.small_value() as f64);
            return m.next(float_load::WORDS);
        }
        m.hand_to(slow::convert)
    }
    copy |m| {
        let f = m.float(float_unary::FROM);
        m.set_float(float_unary::TO, f);
        m.next(float_unary::WORDS)
    }
    negate |m| {
        let f = -m.float(float_unary::FROM);
        m.set_float(float_unary::TO, f);
        m.next(float_unary::WORDS)
    }
    add |m| { let r = m.float(float_binary::LEFT) + m.float(float_binary::RIGHT); m.float_result(r) }
    sub |m| { let r = m.float(float_binary::LEFT) - m.float(float_binary::RIGHT); m.float_result(r) }
    mul |m| { let r = m.float(float_binary::LEFT) * m.float(float_binary::RIGHT); m.float_result(r) }
    div |m| { let r = m.float(float_binary::LEFT) / m.float(float_binary::RIGHT); m.float_result(r) }
}

slow_handlers! {
    store |m| {
        let f = m.float(float_store::FROM);
        let v = m.cx.own.heap.young.float(f);
        m.dst::<Any>(float_store::TO, v);
        m.next(float_store::WORDS)
    }
    convert |m| {
        match arith::float_value(m.src::<Any>(float_load::FROM)) {
            Ok(f) => {
                m.set_float(float_load::TO, f);
                m.next(float_load::WORDS)
            }
            Err(_) => m.error(Atom::BADARITH),
        }
    }
    infinite |m| m.error(Atom::BADARITH)
}

impl<const THREADED: bool> M<'_, '_, THREADED> {
    #[inline(always)]
    fn float_result(mut self, r: f64) -> Place {
        if !r.is_finite() {
            return self.hand_to(slow::infinite);
        }
        self.set_float(float_binary::TO, r);
        self.next(float_binary::WORDS)
    }
}
