//! Short ways of calls, frames and exceptions that do not happen.

use super::Place;
use super::machine::{Any, M};
use crate::bif::Ctx;
use crate::code::export::Export;
use crate::code::fun;
use crate::code::module::FnInfo;
use crate::interp::calls::STACK_SLACK;
use crate::term::{Kind, Term};

handlers! {
    leave |m| m.leave()

    call_local |m| {
        if !m.may_call() {
            return m.leave();
        }
        // SAFETY: word 1 is the address of a function record.
        let f = unsafe { &*(m.word(1) as *const FnInfo) };
        m.push_return(2);
        m.enter(f.code())
    }
    call_local_last |m| {
        if !m.may_call() {
            return m.leave();
        }
        // SAFETY: as above.
        let f = unsafe { &*(m.word(1) as *const FnInfo) };
        m.drop_frame(m.b());
        m.enter(f.code())
    }
    call_export |m| {
        if !m.may_call() {
            return m.leave();
        }
        // SAFETY: word 1 is the address of an export entry.
        let e = unsafe { &*(m.word(1) as *const Export) };
        m.push_return(2);
        m.enter(e.code())
    }
    call_export_last |m| {
        if !m.may_call() {
            return m.leave();
        }
        // SAFETY: as above.
        let e = unsafe { &*(m.word(1) as *const Export) };
        m.drop_frame(m.b());
        m.enter(e.code())
    }
    enter |m| {
        if m.may_call() {
            let to = m.pc.wrapping_add(1);
            m.enter(to)
        } else {
            m.leave()
        }
    }
    call_fun |m| {
        let (n, fun) = (m.a(), m.src::<Any>(m.b()));
        match m.prepare_fun(fun, n) {
            Some(code) => {
                m.push_return(1);
                m.enter(code)
            }
            None => m.leave(),
        }
    }
    call_fun_last |m| {
        let (n, fun) = (m.a(), m.src::<Any>(m.b()));
        match m.prepare_fun(fun, n) {
            Some(code) => {
                m.drop_frame(m.c());
                m.enter(code)
            }
            None => m.leave(),
        }
    }
    back |m| m.ret()
    allocate |m| {
        let (slots, words) = (m.a(), (m.w >> 44) as usize);
        let left = (m.sp as usize).wrapping_sub(m.cx.own.stack.limit() as usize) / 8;
        if left < slots + STACK_SLACK || words > m.room() {
            return m.leave();
        }
        for _ in 0..slots {
            m.sp = m.sp.wrapping_sub(1);
            m.sety_in_loop(0, Term::NIL);
        }
        m.next(1)
    }
    test_heap |m| {
        if m.room() < m.word(1) as usize || m.cx.own.heap.stress {
            return m.leave();
        }
        m.next(2)
    }
    deallocate |m| {
        m.drop_frame(m.a());
        m.next(1)
    }
    deallocate_return |m| {
        m.drop_frame(m.a());
        m.ret()
    }
    init_y |m| {
        let n = m.b();
        for i in 0..n {
            let o = m.listed(1, i);
            m.sety_in_loop(o & 0x3fff, Term::NIL);
        }
        m.next(1 + n.div_ceil(4))
    }
    jump |m| m.jump()
}

impl M<'_, '_> {
    /// The code of a fun called with `n` arguments in place, its environment put behind them. Nothing if
    /// that is not the right number or it cannot be entered at once.
    #[inline(always)]
    fn prepare_fun(&mut self, fun: Term, n: usize) -> Option<*const u64> {
        if !self.may_call() || !fun.is_kind(Kind::Fun) {
            return None;
        }
        let e = fun::of(fun);
        if e.arity as usize != n {
            return None;
        }
        let target = e.target()?;
        for i in 0..fun.header().words() - 2 {
            self.setx_in_loop(n + i, Term(fun.word(3 + i)));
        }
        Some(target.code())
    }
}
