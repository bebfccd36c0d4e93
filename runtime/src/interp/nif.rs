//! Calls of functions of native libraries.

use super::calls::{self, Next};
use super::exception::Head;
use super::{Outcome, park, special};
use crate::bif::{Ctx, Exit, TraceArg};
use crate::code::module::FnInfo;
use crate::code::nif::NifCall;
use crate::dirty;
use crate::process::last_calls::LastCall;
use crate::term::Term;
use std::ops::Range;

/// Calls what a library does in place of the function, whose arguments are in the X registers and whose return address is
/// pushed; `pc` is the instruction.
#[inline]
pub fn call(cx: &mut Ctx<'_>, f: &'static FnInfo, pc: *const u64) -> Next {
    let Some(nif) = f.nif() else {
        crate::bug::vm_bug("a function of a library has none")
    };
    if nif.pool.is_some() || cx.reds <= 0 || cx.own.has_scheduled() {
        return call_slow(cx, f, nif, pc);
    }
    cx.pc = pc;
    match nif.library.call(cx, nif.function, nif.arity) {
        Ok(v) => value(cx, v),
        Err(Exit::Scheduled) => {
            keep_arguments(cx, f, None);
            go_on(cx, f, pc)
        }
        Err(e) => failed(cx, f, pc, e, 0..nif.arity),
    }
}

/// The same where the process has said what to call in place of the function, or may have, or where the call is for a pool.
#[cold]
#[inline(never)]
fn call_slow(cx: &mut Ctx<'_>, f: &'static FnInfo, nif: &NifCall, pc: *const u64) -> Next {
    if cx.own.has_scheduled() {
        return go_on(cx, f, pc);
    }
    if !dirty::is_under_way(cx.own) {
        cx.note_call(LastCall::Function(f.module().name, f.name, f.arity));
    }
    cx.pc = pc;
    let result = match nif.pool {
        Some(pool) => match dirty::call_nif(cx, pool, nif) {
            Some(result) => result,
            None => {
                park(cx, pc, nif.arity);
                return Next::Stop(Outcome::Wait);
            }
        },
        None => nif.library.call(cx, nif.function, nif.arity),
    };
    match result {
        Ok(v) => value(cx, v),
        Err(Exit::Scheduled) => {
            keep_arguments(cx, f, None);
            go_on(cx, f, pc)
        }
        Err(e) => failed(cx, f, pc, e, 0..nif.arity),
    }
}

/// Puts the arguments of what is to be called next into the X registers, and those of the function itself behind them, which
/// an exception tells. They stand behind those of a call before, of which there are so many, or are the only ones.
fn keep_arguments(cx: &mut Ctx<'_>, f: &FnInfo, before: Option<usize>) {
    let first = before.unwrap_or(0);
    let own = cx.x[first..first + f.arity as usize].to_vec();
    let Some(mut next) = cx.own.take_scheduled() else {
        crate::bug::vm_bug("a function of a library goes on nowhere")
    };
    let arguments = std::mem::take(&mut next.arguments);
    cx.own.set_scheduled(next);
    let n = arguments.len();
    cx.x[..n].copy_from_slice(&arguments);
    cx.x[n..n + own.len()].copy_from_slice(&own);
}

/// Calls what is to be called in place of the function, until there is a result or the time slice is over.
fn go_on(cx: &mut Ctx<'_>, f: &'static FnInfo, pc: *const u64) -> Next {
    while let Some(next) = cx.own.take_scheduled() {
        let call = &next.call;
        let live = call.arity + f.arity as usize;
        if !dirty::is_under_way(cx.own) {
            if cx.own.heap.wants_gc() {
                cx.own.collect(&mut cx.x[..live], 0, false);
                if cx.own.exit_reason.is_some() {
                    return Next::Stop(Outcome::Exit);
                }
            }
            if cx.reds_left() <= 0 || cx.leave {
                cx.own.set_scheduled(next);
                park(cx, pc, live);
                return Next::Stop(Outcome::Yield);
            }
        }
        cx.reds -= 1;
        cx.pc = pc;
        let result = match call.pool {
            Some(pool) => dirty::call_nif(cx, pool, call),
            None => Some(call.library.call(cx, call.function, call.arity)),
        };
        match result {
            None => {
                cx.own.set_scheduled(next);
                park(cx, pc, live);
                return Next::Stop(Outcome::Wait);
            }
            Some(Ok(v)) => return value(cx, v),
            Some(Err(Exit::Scheduled)) => keep_arguments(cx, f, Some(call.arity)),
            Some(Err(e)) => {
                return failed(cx, f, pc, e, call.arity..live);
            }
        }
    }
    crate::bug::vm_bug("a function of a library goes on nowhere")
}

/// Goes on with a value.
#[inline(always)]
fn value(cx: &mut Ctx<'_>, v: Term) -> Next {
    cx.x[0] = v;
    if cx.own.heap.wants_gc() || cx.leave {
        return calls::after_value(cx, special::return_x0());
    }
    Next::Go(special::return_x0())
}

/// Raises what the function has raised, whose arguments stand in these X registers.
#[cold]
#[inline(never)]
fn failed(
    cx: &mut Ctx<'_>,
    f: &'static FnInfo,
    pc: *const u64,
    e: Exit,
    args: Range<usize>,
) -> Next {
    let (class, reason) = match e {
        Exit::Raise { class, reason, .. } => (class, reason),
        Exit::RaiseWith {
            class,
            reason,
            trace: TraceArg::Trace(trace),
        } => return calls::raise(cx, pc, class, reason, Head::Given(trace)),
        _ => crate::bug::vm_bug("a function of a library leaves by other means than an error"),
    };
    let args: Vec<Term> = cx.x[args].to_vec();
    let args = cx.heap().list(&args);
    calls::raise(cx, pc, class, reason, Head::Nif { function: f, args })
}
