//! Guard BIFs, and those of them that are done in line.

use crate::atom::Atom;
use crate::bif::Exit;
use crate::code::forms::guard_bif;
use crate::interp::machine::Any;
use crate::interp::{bits, calls};
use crate::term::{Kind, Term};

handlers! {
    element |m| {
        let (i, t) = (m.src::<Any>(guard_bif::FIRST), m.src::<Any>(guard_bif::SECOND));
        if !i.is_small() || !t.is_tuple() {
            return m.hand_to(slow::guard_bif);
        }
        let at = i.small_value() as u64;
        if at.wrapping_sub(1) >= t.header().words() as u64 {
            return m.hand_to(slow::guard_bif);
        }
        m.dst::<Any>(guard_bif::TO, Term(t.word(at as usize)));
        m.next(guard_bif::WORDS)
    }
    head |m| {
        let l = m.src::<Any>(guard_bif::FIRST);
        if !l.is_cons() {
            return m.hand_to(slow::guard_bif);
        }
        m.dst::<Any>(guard_bif::TO, l.head());
        m.next(guard_bif::WORDS)
    }
    tail |m| {
        let l = m.src::<Any>(guard_bif::FIRST);
        if !l.is_cons() {
            return m.hand_to(slow::guard_bif);
        }
        m.dst::<Any>(guard_bif::TO, l.tail());
        m.next(guard_bif::WORDS)
    }
    tuple_size |m| {
        let t = m.src::<Any>(guard_bif::FIRST);
        if !t.is_tuple() {
            return m.hand_to(slow::guard_bif);
        }
        m.dst::<Any>(guard_bif::TO, Term::small(t.header().words() as i64));
        m.next(guard_bif::WORDS)
    }
    own_pid |m| {
        let me = m.cx.self_pid();
        m.dst::<Any>(guard_bif::TO, me);
        m.next(guard_bif::WORDS)
    }
}

slow_handlers! {
    guard_bif |m| {
        let (e, n) = (m.export(guard_bif::EXPORT), m.num(guard_bif::COUNT));
        let mut args = [
            m.src::<Any>(guard_bif::FIRST),
            m.src::<Any>(guard_bif::SECOND),
            m.src::<Any>(guard_bif::THIRD),
        ];
        // From OTP 28 on sizes are asked of match contexts too. What stands in the place of an argument that is not there may be
        // a register that is not live.
        for t in &mut args[..n] {
            if t.is_kind(Kind::MatchCtx) {
                *t = bits::tail(m.cx.heap(), *t);
            }
        }
        let Some(bif) = e.bif() else {
            let name = [e.module.into(), e.function.into(), Term::small(i64::from(e.arity))];
            let reason = m.cx.heap().tuple(&name);
            return m.error_with(Atom::UNDEF, reason);
        };
        let live = m.num(guard_bif::LIVE);
        let value = if bif.has_steps() {
            calls::guard_steps(m.cx, bif, &args[..n], live > 0)
        } else {
            (bif.run)(m.cx, &args[..n])
        };
        match value {
            Ok(v) => {
                if m.cx.own.heap.stress {
                    bif.check_value(v);
                }
                m.dst::<Any>(guard_bif::TO, v);
                m.cx.note_allocation();
                m.next(guard_bif::WORDS)
            }
            Err(Exit::Yield) => {
                let outcome = m.part(|cx, pc| calls::yield_at(cx, pc, live - 1));
                m.stop(outcome)
            }
            Err(_) if m.distance(guard_bif::FAIL) != 0 => m.jump(guard_bif::FAIL),
            Err(exit) => {
                m.end_with(|cx, pc| calls::bif_raised(cx, pc, e, &args[..n], exit))
            }
        }
    }
}
