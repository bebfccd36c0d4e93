//! Arithmetic.

use crate::atom::Atom;
use crate::bif::{Ctx, Exit};
use crate::code::forms::{add_step, binary, binary_guard};
use crate::code::{export, operand, ops};
use crate::data::arith::{self, Fault};
use crate::heap::Heap;
use crate::interp::calls::{self, Next};
use crate::interp::machine::{Any, Source, Target};
use crate::release;
use crate::term::Term;

handlers! {
    add_step |m| {
        let p = m.x(add_step::FROM);
        let step = m.signed(add_step::STEP) << 3;
        match (p.raw() as i64).checked_add(step) {
            Some(r) if p.is_small() => {
                m.set_x(add_step::TO, Term(r as u64));
                m.next(add_step::WORDS)
            }
            _ => m.hand_to(slow::add_step),
        }
    }
    arith<O: Operation, P: Source, Q: Source, D: Target> |m| {
        let (p, q) = (m.src::<P>(binary::LEFT), m.src::<Q>(binary::RIGHT));
        if both_small(p, q)
            && let Some(v) = O::small(p, q)
        {
            m.dst::<D>(binary::TO, v);
            return m.next(binary::WORDS);
        }
        m.hand_to(slow::arith::<O>)
    }
    arith_guard<O: Operation> |m| {
        let (p, q) = (m.src::<Any>(binary_guard::LEFT), m.src::<Any>(binary_guard::RIGHT));
        if both_small(p, q)
            && let Some(v) = O::small(p, q)
        {
            m.dst::<Any>(binary_guard::TO, v);
            return m.next(binary_guard::WORDS);
        }
        m.hand_to(slow::arith_guard::<O>)
    }
}

slow_handlers! {
    add_step |m| {
        let (p, step) = (m.x(add_step::FROM), m.signed(add_step::STEP));
        match arith::add(m.cx.heap(), p, Term::small(step)) {
            Ok(v) => {
                m.set_x(add_step::TO, v);
                m.cx.note_allocation();
                m.next(add_step::WORDS)
            }
            Err(e) => {
                let written = m.num(add_step::WRITTEN);
                m.end_with(|cx, pc| step_fault(cx, pc, p, step, written, e))
            }
        }
    }
    arith<O: Operation> |m| {
        let (p, q) = (m.src::<Any>(binary::LEFT), m.src::<Any>(binary::RIGHT));
        match O::any(m.cx.heap(), p, q) {
            Ok(v) => {
                m.dst::<Any>(binary::TO, v);
                m.cx.note_allocation();
                m.next(binary::WORDS)
            }
            Err(e) => {
                m.end_with(|cx, pc| fault(cx, pc, O::NAME, &[p, q], e))
            }
        }
    }
    arith_guard<O: Operation> |m| {
        let (p, q) = (m.src::<Any>(binary_guard::LEFT), m.src::<Any>(binary_guard::RIGHT));
        match O::any(m.cx.heap(), p, q) {
            Ok(v) => {
                m.dst::<Any>(binary_guard::TO, v);
                m.cx.note_allocation();
                m.next(binary_guard::WORDS)
            }
            Err(_) => m.jump(binary_guard::FAIL),
        }
    }
}

#[inline(always)]
pub(super) fn both_small(p: Term, q: Term) -> bool {
    (p.raw() | q.raw()) & 7 == 0
}

/// An operation on two numbers.
pub(in crate::interp) trait Operation {
    /// The name of its BIF.
    const NAME: Atom;
    /// Of small integers, if the result is one.
    fn small(p: Term, q: Term) -> Option<Term>;
    /// Of any terms.
    fn any(heap: &mut Heap, p: Term, q: Term) -> Result<Term, Fault>;
}

macro_rules! operations {
    ($($op:ident $name:ident $any:path, |$p:ident, $q:ident| $value:expr;)*) => {
        $(
            pub(in crate::interp) struct $op;
            impl Operation for $op {
                const NAME: Atom = Atom::$name;
                #[inline(always)]
                fn small($p: Term, $q: Term) -> Option<Term> {
                    $value
                }
                #[inline(always)]
                fn any(heap: &mut Heap, p: Term, q: Term) -> Result<Term, Fault> {
                    $any(heap, p, q)
                }
            }
        )*
    };
}

operations! {
    Add PLUS arith::add, |p, q| (p.raw() as i64).checked_add(q.raw() as i64).map(|r| Term(r as u64));
    Sub MINUS arith::sub, |p, q| (p.raw() as i64).checked_sub(q.raw() as i64).map(|r| Term(r as u64));
    Mul TIMES arith::mul, |p, q| p.small_value().checked_mul(q.raw() as i64).map(|r| Term(r as u64));
    Div DIV arith::int_div, |p, q| if q.raw() == 0 { None } else { Term::try_small(p.small_value().wrapping_div(q.small_value())) };
    Rem REM arith::int_rem, |p, q| if q.raw() == 0 { None } else { Some(Term::small(p.small_value().wrapping_rem(q.small_value()))) };
    Band BAND arith::band, |p, q| Some(Term(p.raw() & q.raw()));
    Bor BOR arith::bor, |p, q| Some(Term(p.raw() | q.raw()));
    Bxor BXOR arith::bxor, |p, q| Some(Term(p.raw() ^ q.raw()));
    Bsl BSL arith::bsl, |p, q| shift_left(p.small_value(), q.small_value());
    Bsr BSR arith::bsr, |p, q| if q.small_value() < 0 { None } else { Some(Term::small(p.small_value() >> q.small_value().min(63))) };
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

/// Raises what the operation `name` raises for `args` at `pc`.
#[cold]
#[inline(never)]
fn fault(cx: &mut Ctx<'_>, pc: *const u64, name: Atom, args: &[Term], e: Fault) -> Next {
    let export = export::get(Atom::ERLANG, name, args.len() as u32);
    let reason = match e {
        Fault::BadArith => Atom::BADARITH,
        Fault::SystemLimit => Atom::SYSTEM_LIMIT,
    };
    if release::increments_are_anonymous() && is_increment(pc, name, args) {
        return calls::error(cx, pc, reason);
    }
    calls::bif_raised(cx, pc, export, args, Exit::error(reason))
}

/// `ADD_XI` has failed: the operands as they were written.
#[cold]
#[inline(never)]
fn step_fault(
    cx: &mut Ctx<'_>,
    pc: *const u64,
    p: Term,
    step: i64,
    written: usize,
    e: Fault,
) -> Next {
    match written {
        ops::WRITTEN_MINUS => fault(cx, pc, Atom::MINUS, &[p, Term::small(-step)], e),
        ops::WRITTEN_REVERSED => fault(cx, pc, Atom::PLUS, &[Term::small(step), p], e),
        _ => fault(cx, pc, Atom::PLUS, &[p, Term::small(step)], e),
    }
}

/// Does the instruction at `pc` add a constant to a register, or take one from it, where the constant is a
/// small integer of BEAM's 60 bits and its negation is as good?
fn is_increment(pc: *const u64, name: Atom, args: &[Term]) -> bool {
    // SAFETY: `pc` is the address of the instruction that failed.
    let w = unsafe { *pc };
    let (first, second) = match ops::of(w) {
        ops::ADD_XI => {
            let reversed = add_step::WRITTEN.at.of(w) as usize == ops::WRITTEN_REVERSED;
            (reversed, !reversed)
        }
        ops::ADD
        | ops::ADD_XX
        | ops::ADD_YX
        | ops::ADD_YK
        | ops::SUB
        | ops::SUB_XX
        | ops::SUB_YK => (
            operand::is_constant(binary::LEFT.at.of(w)),
            operand::is_constant(binary::RIGHT.at.of(w)),
        ),
        _ => return false,
    };
    let n = match (first, second) {
        (false, true) => args[1].as_small(),
        (true, false) if name == Atom::PLUS => args[0].as_small(),
        _ => None,
    };
    let least = if name == Atom::PLUS { -(1 << 59) } else { 0 };
    n.is_some_and(|n| (least..1 << 59).contains(&n))
}
