//! Where the interpreter takes the place of a native function, or of one that has no native code, until it has a value.

use super::lists::is_of_list;
use super::{MAX_DEPTH, depth, leave, set_next, single, term};
use crate::bif::Ctx;
use crate::code::continuation::Continuation;
use crate::code::export::Export;
use crate::code::forms::catch_end;
use crate::code::module::FnInfo;
use crate::code::native::{ReturnKind, return_kind};
use crate::code::{entry, native, ops};
use crate::interp::calls::{self, Next};
use crate::interp::dispatch::{self, PartEnd};
use crate::interp::machine::Place;
use crate::interp::{nif, special};
use crate::process::context::Raise;
use crate::term::{Term, stack_word};

/// The depth on the stack of the first return address of a kind.
#[inline(always)]
pub(super) fn first_return(cx: &Ctx<'_>, is_wanted: impl Fn(u64) -> bool) -> Option<usize> {
    let words = cx.own.stack.words();
    let above = words.iter().position(|&w| is_wanted(w))?;
    Some(words.len() - above)
}

/// The helper `ResumeAt`.
pub(super) extern "C" fn resume_at(cx: &mut Ctx<'_>, pc: u64, _: u64, _: u64) -> u64 {
    let (pc, sp) = (pc as *const u64, cx.native.sp.cast());
    set_next(cx, Place { pc, sp });
    resume(cx, 0, 0, 0)
}

/// The helper `Interpret`.
pub(super) extern "C" fn interpret(cx: &mut Ctx<'_>, x: u64, y: u64, z: u64) -> u64 {
    // Native functions count their call at their entry, interpreted ones where they are called.
    cx.reds -= 1;
    cx.x[..3].copy_from_slice(&[x, y, z].map(term));
    // SAFETY: who calls by a record's address has put that there; the record holds for the time slice.
    let entry = unsafe { &*cx.native.callee.cast::<entry::Entry>() };
    let (pc, sp) = (entry.code(), cx.native.sp.cast());
    set_next(cx, Place { pc, sp });
    resume(cx, 0, 0, 0)
}

/// Runs the innermost function in the interpreter, from `next_pc` until it returns. Gives the value, or `NONVALUE` if no native code waits
/// for it, or must not.
pub(super) extern "C" fn resume(cx: &mut Ctx<'_>, _: u64, _: u64, _: u64) -> u64 {
    let at = Place {
        pc: cx.native.next_pc,
        sp: cx.native.next_sp.cast(),
    };
    if at.pc.is_null() || cx.native.raised != Raise::No || depth(cx) > MAX_DEPTH {
        return Term::NONVALUE.0;
    }
    // SAFETY: where a process goes on there is an instruction.
    let at = match ops::of(unsafe { *at.pc }) {
        ops::NIF => return resume_nif(cx, at),
        ops::EXPORT_STUB => match resume_stub(cx, at) {
            Resumed::Done(v) => return v,
            Resumed::GoesOn(at) => {
                set_next(cx, at);
                at
            }
        },
        _ => at,
    };
    cx.own.stack.set_sp(at.sp.cast());
    // Callees leave one by one: the first return address in native code is that of the call that waits. Those in bytecode above
    // it belong to functions that stand in the place of calls in the one that leaves.
    let is_call = |w: u64| stack_word::is_return(w) && return_kind(w) == ReturnKind::Native;
    let waits = first_return(cx, is_call).filter(|&depth| depth > cx.native.entered_with);
    let Some(depth) = waits else {
        return Term::NONVALUE.0;
    };
    match dispatch::run_for_value(cx, at, depth - 1) {
        PartEnd::Value => {
            cx.native.sp = cx.own.stack.at_depth(depth);
            cx.x[0].0
        }
        PartEnd::Elsewhere(place) => {
            set_next(cx, place);
            Term::NONVALUE.0
        }
    }
}

/// The helper `Land`.
pub(super) extern "C" fn land(cx: &mut Ctx<'_>, depth: u64, _: u64, _: u64) -> u64 {
    let (pc, sp) = (cx.native.next_pc, cx.native.next_sp);
    let is_meant = cx.native.raised == Raise::OtherFrame && !pc.is_null();
    if !is_meant || 8 * cx.own.stack.depth_of(sp) as u64 != depth || cx.own.keeps_calls() {
        return 0;
    }
    // A handler's code returns to the caller, and puts no list before the value that native code keeps for the function.
    cx.own.stack.set_sp(sp);
    let back = cx
        .own
        .stack
        .words()
        .iter()
        .find(|w| stack_word::is_return(**w));
    if back.is_none_or(|&w| is_of_list(w)) {
        return 0;
    }
    // SAFETY: where a process goes on there are instructions, more than one.
    let (w, after) = unsafe { (*pc, pc.add(catch_end::WORDS)) };
    let continuation = match ops::of(w) {
        ops::TRY_CASE | ops::CATCH_END => native::continuation_at(after),
        _ => None,
    };
    let Some(code) = continuation
        .map(Continuation::native)
        .filter(|c| !c.is_null())
    else {
        return 0;
    };
    cx.native.raised = Raise::No;
    let place = single(ops::of(w))(pc, sp.cast(), cx.x.as_mut_ptr(), cx, w);
    cx.native.sp = place.sp.cast();
    code as u64
}

/// What has become of a function that is no bytecode.
enum Resumed {
    /// This is its value, or `NONVALUE` if the process goes on elsewhere.
    Done(u64),
    /// Bytecode goes on in its place.
    GoesOn(Place),
}

/// The same where an export entry stands for the function: a BIF is called without a loop of the interpreter.
fn resume_stub(cx: &mut Ctx<'_>, at: Place) -> Resumed {
    // SAFETY: the second word of the instruction is the address of its export entry, which is never freed.
    let export = unsafe { &*(*at.pc.add(1) as *const Export) };
    cx.own.stack.set_sp(at.sp.cast());
    let next = calls::stub(cx, export, at.pc);
    match next {
        Next::Go(to) if cx.native.raised == Raise::No => {
            let sp = cx.own.stack.sp();
            if to == special::return_x0() {
                cx.native.sp = sp;
                return Resumed::Done(cx.x[0].0);
            }
            Resumed::GoesOn(Place {
                pc: to,
                sp: sp.cast(),
            })
        }
        next => Resumed::Done(stopped(cx, next)),
    }
}

/// A function without a frame has not given a value.
fn stopped(cx: &mut Ctx<'_>, next: Next) -> u64 {
    if cx.native.raised != Raise::No {
        cx.native.raised = Raise::OtherFrame;
    }
    leave(cx, next);
    Term::NONVALUE.0
}

/// The same where the function is one of a native library, which is called without a loop of the interpreter.
fn resume_nif(cx: &mut Ctx<'_>, at: Place) -> u64 {
    // SAFETY: the second word of the instruction is the record of the function, whose module is there as long as processes are in it.
    let function = unsafe { &*(*at.pc.add(1) as *const FnInfo) };
    cx.own.stack.set_sp(at.sp.cast());
    match nif::call(cx, function, at.pc) {
        Next::Go(to) if to == special::return_x0() => {
            cx.native.sp = cx.own.stack.sp();
            cx.x[0].0
        }
        next => stopped(cx, next),
    }
}

/// Where the interpreter goes on after the call with this return point.
pub(super) fn after_of(point: u64) -> *const u64 {
    // SAFETY: native code names return points of its own, which stay as long as it does.
    unsafe { native::after(point as *const u64) }
}

/// Goes on where a call leads that has pushed the return point's address in bytecode as the one to return to; native code waits
/// for the value at the return point. Gives it, or `NONVALUE`.
pub(super) fn wait_for_value(cx: &mut Ctx<'_>, at: Place, point: u64) -> u64 {
    let top = at.sp.cast::<u64>();
    set_next(cx, at);
    // SAFETY: where the process goes on there is a return address on the stack.
    unsafe {
        if *top != stack_word::return_pc(after_of(point)) {
            return Term::NONVALUE.0;
        }
        *top = stack_word::return_point(point as *const u64);
    }
    let v = resume(cx, 0, 0, 0);
    if v != Term::NONVALUE.0 {
        cx.native.sp = cx.native.sp.wrapping_add(1);
    }
    v
}
