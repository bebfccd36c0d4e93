//! Calls, returns, and where functions begin.

use crate::Atom;
use crate::bif::Class;
use crate::code::continuation::Continuation;
use crate::code::fields::{Field, Number};
use crate::code::forms::{
    apply, apply_list, call, call_ext, call_fun, continue_native, enter, export_stub, native,
    native_return, of_function,
};
use crate::code::native::{ReturnKind, bytecode_address, kind_at};
use crate::code::ops::CallEnding;
use crate::code::{fun, ranges};
use crate::interp::Outcome;
use crate::interp::calls::{self, Enter, Next};
use crate::interp::exception::Head;
use crate::interp::machine::{Any, M, Place, Slow};
use crate::interp::native::{put_before, run as run_native, run_continuation};
use crate::interp::{nif, special};
use crate::process::exit_reason::ExitReason;
use crate::term::{Kind, Term};
use std::sync::atomic::Ordering;

/// Counts that a place is passed at which native code might go on. Is there nothing else to do?
#[inline(always)]
fn pass(continuation: &Continuation) -> bool {
    let left = continuation.passes_left.load(Ordering::Relaxed);
    let plain = left > 0 && continuation.native().is_null();
    if plain {
        continuation.passes_left.store(left - 1, Ordering::Relaxed);
    }
    plain
}

/// Goes on at a continuation: in native code, if there is some, and else at this place in bytecode.
#[inline(always)]
fn go_on(mut m: Slow<'_, '_>, continuation: &Continuation, otherwise: *const u64) -> Place {
    let address = continuation.native();
    if address.is_null() {
        continuation.passed();
    }
    // Only interpreted code writes its calls down.
    if address.is_null() || m.cx.own.keeps_calls() {
        return m.go_to(otherwise);
    }
    run_continuation(m.cx, address)
}

handlers! {
    call<C: Callee> |m| {
        if !m.may_call() {
            return m.hand_to(slow::call::<C>);
        }
        let code = C::code(&m);
        m.push_return(C::WORDS);
        m.enter(code)
    }
    call_last<C: Callee> |m| {
        if !m.may_call() {
            return m.hand_to(slow::call_last::<C>);
        }
        let code = C::code(&m);
        m.drop_frame(m.num(C::FRAME));
        m.enter(code)
    }
    function_entry |m| {
        if !m.may_call() {
            return m.hand_to(slow::function_entry);
        }
        let to = m.pc.wrapping_add(enter::WORDS);
        m.enter(to)
    }
    call_fun |m| {
        let (n, fun) = (m.num(call_fun::ARITY), m.src::<Any>(call_fun::FUN));
        match m.prepare_fun(fun, n) {
            Some(code) => {
                m.push_return(call_fun::WORDS);
                m.enter(code)
            }
            None => m.hand_to(slow::call_fun),
        }
    }
    call_fun_last |m| {
        let (n, fun) = (m.num(call_fun::ARITY), m.src::<Any>(call_fun::FUN));
        match m.prepare_fun(fun, n) {
            Some(code) => {
                m.drop_frame(m.num(call_fun::FRAME));
                m.enter(code)
            }
            None => m.hand_to(slow::call_fun_last),
        }
    }
    back |m| m.ret()
    native_return |m| {
        let depth = m.cx.own.stack.depth_of(m.sp.cast());
        if depth == m.cx.native.awaited {
            m.cx.own.stack.set_sp(m.sp.cast());
            return Place::returned(m.sp);
        }
        let continuation = m.continuation(native_return::CONTINUATION);
        if !pass(continuation) {
            return m.hand_to(slow::return_to_native);
        }
        m.pc = m.constant(native_return::AFTER) as *const u64;
        m.go()
    }
    continuation |m| {
        if !pass(m.continuation(continue_native::CONTINUATION)) {
            return m.hand_to(slow::continue_native);
        }
        m.next(continue_native::WORDS)
    }
    // Two calls at the same time may be counted as one.
    count |m| {
        let function = m.function(of_function::FUNCTION);
        let left = function.native.calls_left.load(Ordering::Relaxed);
        let Some(body) = function.body().filter(|_| left > 0) else {
            return m.hand_to(slow::counted);
        };
        function.native.calls_left.store(left - 1, Ordering::Relaxed);
        m.pc = body.entry_address();
        m.go()
    }
}

slow_handlers! {
    // What is called when there are no reductions left.

    call<C: Callee> |m| {
        let (code, arity) = (C::code(&m), m.num(C::ARITY));
        C::note(&mut m);
        m.push_return(C::WORDS);
        m.arrive(code, arity)
    }
    call_last<C: Callee> |m| {
        let (code, arity, frame) = (C::code(&m), m.num(C::ARITY), m.num(C::FRAME));
        C::note(&mut m);
        m.drop_frame(frame);
        m.arrive(code, arity)
    }
    function_entry |m| {
        let (code, arity) = (m.pc.wrapping_add(enter::WORDS), m.num(enter::ARITY));
        m.arrive(code, arity)
    }

    // Where a function has returned to when there are no reductions left.

    returned |m| {
        let back = m.pc;
        // What native code puts before a value is still to be put there.
        let parked_at = match kind_at(back) {
            ReturnKind::Prepend => back,
            _ => bytecode_address(back),
        };
        match m.part(|cx, _| calls::out_of_reductions(cx, parked_at, 1)) {
            Next::Go(_) => m.go_to(back),
            stop => m.follow(stop),
        }
    }

    // Where native code goes on, or is to be asked for.

    return_to_native |m| {
        let continuation = m.continuation(native_return::CONTINUATION);
        let after = m.constant(native_return::AFTER) as *const u64;
        go_on(m, continuation, after)
    }
    continue_native |m| {
        let continuation = m.continuation(continue_native::CONTINUATION);
        let after = m.pc.wrapping_add(continue_native::WORDS);
        go_on(m, continuation, after)
    }

    // Where a list is kept that belongs before a value.

    prepend |m| {
        let (list, tail) = ([m.gety(0), m.gety(1)], m.getx(0));
        let v = m.part(|cx, _| put_before(cx, list, tail));
        m.setx(0, v);
        m.drop_frame(2);
        m.go_to(special::return_x0())
    }

    // What is no plain call.

    call_fun |m| {
        let (n, fun) = (m.num(call_fun::ARITY), m.src::<Any>(call_fun::FUN));
        let target = m.part(|cx, pc| calls::call_fun(cx, pc, fun, n, Head::Call));
        m.call_found(target, call_fun::WORDS)
    }
    call_fun_last |m| {
        let (n, fun) = (m.num(call_fun::ARITY), m.src::<Any>(call_fun::FUN));
        let target = m.part(|cx, pc| calls::call_fun(cx, pc, fun, n, Head::Here));
        let frame = m.num(call_fun::FRAME);
        m.tail_call_found(target, frame)
    }
    apply |m| {
        let arity = m.num(apply::ARITY);
        let target = m.part(|cx, pc| calls::apply(cx, pc, arity));
        m.call_found(target, apply::WORDS)
    }
    apply_last |m| {
        let arity = m.num(apply::ARITY);
        let by_name = !calls::applies_fun(m.cx, arity);
        let target = m.part(|cx, pc| calls::apply(cx, pc, arity));
        if by_name && calls::always_raises(&target) {
            return m.call_found(target, apply::WORDS);
        }
        let frame = m.num(apply::FRAME);
        m.tail_call_found(target, frame)
    }
    apply_fun_list |m| {
        let returns = m.num(apply_list::HOW) == CallEnding::Returns as usize;
        let target = m.part(|cx, pc| calls::apply_fun_list(cx, pc, returns));
        m.apply_list(target, false)
    }
    apply_mfa |m| {
        let by_name = !calls::applies_fun_by_list(m.cx);
        let target = m.part(calls::apply_mfa);
        m.apply_list(target, by_name)
    }
    apply_args |m| {
        m.part(calls::note_applied);
        let target = m.part(calls::apply_mfa);
        m.tail_call_found(target, 0)
    }
    call_bif |m| {
        let (e, after) = (m.export(call_ext::EXPORT), m.pc.wrapping_add(call_ext::WORDS));
        m.end_with(|cx, pc| calls::call_bif(cx, e, pc, after))
    }

    // Where functions begin that have no code yet, and where processes end.

    stub |m| {
        let e = m.export(export_stub::EXPORT);
        m.end_with(|cx, pc| calls::stub(cx, e, pc))
    }
    lazy |m| {
        let code = calls::translate(m.function(of_function::FUNCTION));
        m.go_to(code)
    }
    counted |m| {
        let code = m.function(of_function::FUNCTION).counted();
        m.go_to(code)
    }
    native |m| {
        let address = m.constant(native::ADDRESS) as *const u8;
        // Only interpreted code writes its calls down.
        if m.cx.own.keeps_calls()
            && let Some((f, _)) = ranges::find(m.pc)
            && let Some(body) = f.body()
        {
            return m.go_to(body.entry_address());
        }
        run_native(m.cx, address)
    }
    nif |m| {
        let function = m.function(of_function::FUNCTION);
        m.end_with(|cx, pc| nif::call(cx, function, pc))
    }
    no_clause |m| {
        let function = m.function(of_function::FUNCTION);
        let args: Vec<Term> = m.cx.x[..function.arity as usize].to_vec();
        let args = m.cx.heap().list(&args);
        let head = Head::Clause { function, args };
        let reason = Atom::FUNCTION_CLAUSE.into();
        m.end_with(|cx, pc| calls::raise(cx, pc, Class::Error, reason, head))
    }
    normal_exit |m| {
        let reason = ExitReason::new(Atom::NORMAL.into());
        m.cx.own.exit_reason = Some(Box::new(reason));
        m.stop(Outcome::Exit)
    }
}

/// What an instruction of a call names.
pub(in crate::interp) trait Callee {
    /// Number of arguments.
    const ARITY: Field<Number>;
    /// The frame that a tail call drops.
    const FRAME: Field<Number>;
    /// Words of the instruction.
    const WORDS: usize;
    /// The code to run.
    fn code<const T: bool>(m: &M<'_, '_, T>) -> *const u64;
    /// Writes the call down, if calls are kept.
    fn note(m: &mut M<'_, '_, false>);
}

/// A function of the module.
pub(in crate::interp) struct Local;
/// What an export entry leads to.
pub(in crate::interp) struct Exported;

impl Callee for Local {
    const ARITY: Field<Number> = call::ARITY;
    const FRAME: Field<Number> = call::FRAME;
    const WORDS: usize = call::WORDS;

    #[inline(always)]
    fn code<const T: bool>(m: &M<'_, '_, T>) -> *const u64 {
        m.function(call::FUNCTION).code()
    }

    fn note(_: &mut M<'_, '_, false>) {}
}

impl Callee for Exported {
    const ARITY: Field<Number> = call_ext::ARITY;
    const FRAME: Field<Number> = call_ext::FRAME;
    const WORDS: usize = call_ext::WORDS;

    #[inline(always)]
    fn code<const T: bool>(m: &M<'_, '_, T>) -> *const u64 {
        m.export(call_ext::EXPORT).code()
    }

    fn note(m: &mut M<'_, '_, false>) {
        let export = m.export(call_ext::EXPORT);
        calls::note(m.cx, export);
    }
}

impl<const THREADED: bool> M<'_, '_, THREADED> {
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

impl Slow<'_, '_> {
    /// Enters code with `live` arguments in place, unless the reductions have run out.
    fn arrive(mut self, code: *const u64, live: usize) -> Place {
        let next = calls::arrive(self.cx, code, live);
        self.follow(next)
    }

    /// A call of what was found, to return `words` on.
    fn call_found(mut self, target: Enter, words: usize) -> Place {
        match target {
            Ok((code, live)) => {
                self.push_return(words);
                self.arrive(code, live)
            }
            Err(next) => self.follow(next),
        }
    }

    /// The same as a tail call from a frame of so many slots.
    fn tail_call_found(mut self, target: Enter, frame: usize) -> Place {
        match target {
            Ok((code, live)) => {
                self.drop_frame(frame);
                self.arrive(code, live)
            }
            Err(next) => self.follow(next),
        }
    }

    /// The end of `erlang:apply/2,3`. `by_name`: it is the function that was named.
    fn apply_list(self, target: Enter, by_name: bool) -> Place {
        let ending = self.num(apply_list::HOW);
        let keeps_frame = by_name && calls::always_raises(&target);
        if ending == CallEnding::Returns as usize || keeps_frame {
            return self.call_found(target, apply_list::WORDS);
        }
        // Without a frame the field is 0.
        let frame = self.num(apply_list::FRAME);
        self.tail_call_found(target, frame)
    }
}
