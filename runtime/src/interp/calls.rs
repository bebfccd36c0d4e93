//! The slow parts of calls: reductions that have run out, BIFs, `apply`, funs, the error handler.

use super::{Outcome, park, special};
use crate::atom::Atom;
use crate::bif::{Bif, BifResult, Class, Ctx, Exit, TraceArg};
use crate::code::export::{self, Export};
use crate::code::module::{self, FnInfo};
use crate::code::native::return_address;
use crate::code::{fun, ops, purge};
use crate::dirty;
use crate::interp::exception::{self, Head, Raised};
use crate::process::flag;
use crate::process::last_calls::LastCall;
use crate::release;
use crate::term::{Kind, Term, list, stack_word};
use crate::work;

/// What happens after a slow part.
pub enum Next {
    /// Go on at this address; the stack may have changed.
    Go(*const u64),
    /// Leave the loop.
    Stop(Outcome),
}

/// Room on the stack beyond what frames ask for, for the words that calls push.
pub const STACK_SLACK: usize = 8;

/// At the entry `pc` of a function of `arity` arguments with no reductions left: collects if that is
/// due, and stops the process if its slice is over.
#[cold]
#[inline(never)]
pub fn out_of_reductions(cx: &mut Ctx<'_>, pc: *const u64, arity: usize) -> Next {
    if let Some(left) = cx.gc_reds.take() {
        cx.reds += left;
    }
    if cx.own.heap.wants_gc() {
        if cx.own.heap.is_long_to_collect() {
            park(cx, pc, arity);
            return Next::Stop(Outcome::Collect);
        }
        cx.own.collect(&mut cx.x[..arity], 0, false);
        if cx.own.exit_reason.is_some() {
            return Next::Stop(Outcome::Exit);
        }
    }
    if cx.reds > 0 && !cx.leave {
        cx.watch_calls();
        return Next::Go(pc);
    }
    park(cx, pc, arity);
    Next::Stop(Outcome::Yield)
}

/// Reserves `words` with `live` X registers, collecting if need be. `false`: the process must exit.
#[cold]
#[inline(never)]
pub fn reserve(cx: &mut Ctx<'_>, words: usize, live: usize) -> bool {
    if !cx.own.heap.try_extend(words) {
        if cx.own.heap.is_long_to_collect() {
            cx.own.heap.extend_and_request(words);
            cx.note_allocation();
        } else {
            cx.own.collect(&mut cx.x[..live], words, false);
        }
    }
    cx.own.exit_reason.is_none()
}

/// Makes the stack larger by at least `words`.
#[cold]
#[inline(never)]
pub fn grow_stack(cx: &mut Ctx<'_>, words: usize) {
    cx.own.grow_stack(words);
    cx.note_allocation();
}

/// Raises an exception at `pc`.
#[cold]
#[inline(never)]
pub fn raise(cx: &mut Ctx<'_>, pc: *const u64, class: Class, reason: Term, head: Head) -> Next {
    match exception::raise(
        cx,
        pc,
        &Raised {
            class,
            reason,
            head,
        },
    ) {
        Some(handler) if cx.leave => {
            park(cx, handler, 4);
            Next::Stop(Outcome::Yield)
        }
        Some(handler) => {
            cx.note_allocation();
            Next::Go(handler)
        }
        None => Next::Stop(Outcome::Exit),
    }
}

/// `error:Reason` at `pc`.
#[cold]
pub fn error(cx: &mut Ctx<'_>, pc: *const u64, reason: impl Into<Term>) -> Next {
    raise(cx, pc, Class::Error, reason.into(), Head::Here)
}

/// `error:{Tag, Value}` at `pc`.
#[cold]
pub fn error_with(cx: &mut Ctx<'_>, pc: *const u64, tag: Atom, value: Term) -> Next {
    let reason = cx.tuple2(tag, value);
    error(cx, pc, reason)
}

/// What an exit of a BIF that raises means, for a BIF called at `pc` with `args`.
#[cold]
#[inline(never)]
pub fn bif_raised(
    cx: &mut Ctx<'_>,
    pc: *const u64,
    export: &'static Export,
    args: &[Term],
    e: Exit,
) -> Next {
    match e {
        Exit::Raise {
            class: Class::Error,
            reason,
            cause,
        } => {
            let args = cx.heap().list(args);
            raise(
                cx,
                pc,
                Class::Error,
                reason,
                Head::Bif {
                    export,
                    args,
                    cause,
                },
            )
        }
        Exit::Raise { class, reason, .. } => raise(cx, pc, class, reason, Head::Here),
        Exit::RaiseWith {
            class,
            reason,
            trace,
        } => {
            let head = match trace {
                TraceArg::Trace(t) => Head::Given(t),
                TraceArg::Args(args, info) => Head::Args { args, info },
            };
            raise(cx, pc, class, reason, head)
        }
        _ => crate::bug::vm_bug("a guard BIF has tried to leave by other means than an error"),
    }
}

/// How many arguments of a BIF are few.
pub const FEW_ARGUMENTS: usize = 4;

/// The first X registers.
#[inline(always)]
pub fn few_arguments(cx: &Ctx<'_>) -> [Term; FEW_ARGUMENTS] {
    let x = cx.x.as_ptr();
    // One by one: they have just been written so, and reading two at a time would wait for both.
    // SAFETY: there are more X registers than that.
    std::array::from_fn(|n| unsafe { x.add(n).read_volatile() })
}

/// Calls the BIF of `export` with the arguments in X registers. `pc` is the instruction, `after` where
/// its value is to go on with x0.
#[inline(always)]
pub fn call_bif(
    cx: &mut Ctx<'_>,
    export: &'static Export,
    pc: *const u64,
    after: *const u64,
) -> Next {
    let arity = export.arity as usize;
    let Some(b) = export.bif() else {
        return undefined(cx, export, after);
    };
    if cx.reds <= 0 {
        note_bif(cx, export);
    }
    cx.pc = pc;
    // Most have few arguments, and copying a number that is known costs little.
    if arity <= FEW_ARGUMENTS {
        let args = few_arguments(cx);
        return call_with(cx, export, b, pc, after, &args[..arity]);
    }
    call_with_many(cx, export, b, pc, after)
}

#[inline(never)]
fn call_with_many(
    cx: &mut Ctx<'_>,
    export: &'static Export,
    b: &'static Bif,
    pc: *const u64,
    after: *const u64,
) -> Next {
    let mut args = [Term::NIL; 16];
    let args = &mut args[..export.arity as usize];
    args.copy_from_slice(&cx.x[..args.len()]);
    call_with(cx, export, b, pc, after, args)
}

/// Where reductions have run out or are set aside: writes down the call of a BIF, if calls are kept.
#[cold]
#[inline(never)]
fn note_bif(cx: &mut Ctx<'_>, export: &Export) {
    if !is_instruction(export) {
        cx.note_bif(function_of(export));
    }
}

#[inline(always)]
fn call_with(
    cx: &mut Ctx<'_>,
    export: &'static Export,
    b: &'static Bif,
    pc: *const u64,
    after: *const u64,
    args: &[Term],
) -> Next {
    let result = match b.pool() {
        Some(pool) => match dirty::call(cx, pool, b, args) {
            Some(result) => result,
            None => {
                park(cx, pc, args.len());
                return Next::Stop(Outcome::Wait);
            }
        },
        None if b.has_steps() => match work::resume(cx, args) {
            Some(result) => result,
            None => (b.run)(cx, args),
        },
        None => (b.run)(cx, args),
    };
    after_bif(cx, export, b, pc, after, args, result)
}

/// Goes on after a BIF has been run with these arguments (see `call_bif`).
#[inline]
pub fn after_bif(
    cx: &mut Ctx<'_>,
    export: &'static Export,
    b: &'static Bif,
    pc: *const u64,
    after: *const u64,
    args: &[Term],
    result: BifResult,
) -> Next {
    match result {
        Ok(v) => {
            cx.x[0] = v;
            cx.reds -= 1;
            if cx.own.heap.wants_gc() {
                return collect_after(cx, b, after);
            }
            if cx.leave {
                park(cx, after, 1);
                return Next::Stop(Outcome::Yield);
            }
            Next::Go(after)
        }
        Err(e) => bif_exit(cx, export, pc, after, args, e),
    }
}

/// Writes down a call by name, if calls are kept (see `process::last_calls`). One of a BIF is written down where it is
/// made.
#[inline]
pub fn note(cx: &mut Ctx<'_>, e: &Export) {
    if cx.reds <= 0 && e.bif().is_none() {
        cx.note_call(function_of(e));
    }
}

/// Is this a function for which BEAM's loader puts an instruction, so that it is not among the last calls?
fn is_instruction(e: &Export) -> bool {
    e.module == Atom::ERLANG
        && match (e.function.text(), e.arity) {
            ("yield", 0) => true,
            ("hibernate", 3) => release::number() < 28,
            _ => false,
        }
}

fn function_of(e: &Export) -> LastCall {
    LastCall::Function(e.module, e.function, e.arity)
}

#[cold]
#[inline(never)]
fn collect_after(cx: &mut Ctx<'_>, bif: &Bif, after: *const u64) -> Next {
    if cx.own.heap.stress {
        bif.check_value(cx.x[0]);
    }
    after_value(cx, after)
}

/// Goes on with the value in x0 where a collection is due or the process is to stop.
#[cold]
#[inline(never)]
pub fn after_value(cx: &mut Ctx<'_>, after: *const u64) -> Next {
    if !cx.own.heap.wants_gc() {
        park(cx, after, 1);
        return Next::Stop(Outcome::Yield);
    }
    if cx.own.heap.is_long_to_collect() {
        park(cx, after, 1);
        return Next::Stop(Outcome::Collect);
    }
    cx.own.collect(&mut cx.x[..1], 0, false);
    if cx.own.exit_reason.is_some() {
        return Next::Stop(Outcome::Exit);
    }
    if cx.leave {
        park(cx, after, 1);
        return Next::Stop(Outcome::Yield);
    }
    Next::Go(after)
}

#[cold]
#[inline(never)]
fn bif_exit(
    cx: &mut Ctx<'_>,
    export: &'static Export,
    pc: *const u64,
    after: *const u64,
    args: &[Term],
    e: Exit,
) -> Next {
    match e {
        Exit::Raise { .. } | Exit::RaiseWith { .. } => {
            if let Some(bif) = export.bif().filter(|b| !b.facts.may_fail) {
                crate::bug::vm_bug(&format!(
                    "{} has raised, which it says it does not",
                    bif.function
                ));
            }
            bif_raised(cx, pc, export, args, e)
        }
        Exit::Trap(to) => {
            push_return(cx, after);
            let arity = to.arity as usize;
            if cx.leave {
                park(cx, to.code(), arity);
                return Next::Stop(Outcome::Yield);
            }
            Next::Go(to.code())
        }
        Exit::Call(f) => {
            push_return(cx, after);
            if cx.leave {
                park(cx, f.code(), 0);
                return Next::Stop(Outcome::Yield);
            }
            Next::Go(f.code())
        }
        Exit::Wait | Exit::Yield => {
            cx.x[..args.len()].copy_from_slice(args);
            let yields = yield_at(cx, pc, args.len());
            Next::Stop(match (yields, e) {
                (Outcome::Yield, Exit::Wait) if cx.own.has(flag::SHRINKS) => Outcome::Collect,
                (Outcome::Yield, Exit::Wait) => Outcome::Wait,
                _ => yields,
            })
        }
        Exit::YieldValue(v) => {
            cx.x[0] = v;
            park(cx, after, 1);
            Next::Stop(Outcome::Yield)
        }
        Exit::Hibernate => {
            // The BIF has put the call to make on waking into x0 to x2.
            let live = 3;
            cx.own.stack.clear();
            cx.own
                .stack
                .push(stack_word::return_pc(special::normal_exit()));
            park(cx, special::hibernated(), live);
            if !cx.own.shrink() {
                return Next::Stop(Outcome::Collect);
            }
            if crate::process::handle::is_behind(cx.proc, cx.own) {
                crate::process::handle::fetch(cx);
            }
            if cx.own.exit_reason.is_some() {
                return Next::Stop(Outcome::Exit);
            }
            let waits = cx.own.mailbox.is_empty();
            Next::Stop(if waits { Outcome::Wait } else { Outcome::Yield })
        }
        Exit::Scheduled => {
            crate::bug::vm_bug("a BIF leaves as only functions of native libraries may")
        }
        Exit::Exited => {
            if cx.own.exit_reason.is_none() {
                crate::bug::vm_bug("a BIF ends its process without a reason");
            }
            Next::Stop(Outcome::Exit)
        }
    }
}

/// Stops the process in front of the instruction at `pc`, which is executed again. In between it may be collected.
#[cold]
#[inline(never)]
pub fn yield_at(cx: &mut Ctx<'_>, pc: *const u64, live: usize) -> Outcome {
    if cx.own.heap.stress && !cx.own.heap.forbidden {
        cx.own.collect(&mut cx.x[..live], 0, false);
        if cx.own.exit_reason.is_some() {
            return Outcome::Exit;
        }
    }
    park(cx, pc, live);
    Outcome::Yield
}

/// Calls a guard BIF whose work is done in steps, at once if it must not wait here.
#[inline(never)]
pub fn guard_steps(cx: &mut Ctx<'_>, bif: &Bif, args: &[Term], may_wait: bool) -> BifResult {
    if let Some(value) = work::resume(cx, args) {
        return value;
    }
    let whole = cx.whole;
    cx.whole |= !may_wait;
    let value = (bif.run)(cx, args);
    cx.whole = whole;
    value
}

/// Pushes a return address.
pub fn push_return(cx: &mut Ctx<'_>, after: *const u64) {
    cx.own.stack.push(stack_word::return_pc(after));
}

/// A call of a function that is not there: the error handler's `undefined_function/3`, to return to
/// `after`.
#[cold]
#[inline(never)]
pub fn undefined(cx: &mut Ctx<'_>, e: &'static Export, after: *const u64) -> Next {
    push_return(cx, after);
    enter_undefined(cx, e, after)
}

/// The same as a tail call.
#[cold]
#[inline(never)]
pub fn enter_undefined(cx: &mut Ctx<'_>, e: &'static Export, pc: *const u64) -> Next {
    let args: Vec<Term> = cx.x[..e.arity as usize].to_vec();
    let args = cx.heap().list(&args);
    let handler = export::get(cx.own.error_handler, Atom::UNDEFINED_FUNCTION, 3);
    if !handler.is_loaded() || e.module == cx.own.error_handler {
        let entry = cx
            .heap()
            .tuple(&[e.module.into(), e.function.into(), args, Term::NIL]);
        let trace = cx.heap().list(&[entry]);
        return raise(cx, pc, Class::Error, Atom::UNDEF.into(), Head::Given(trace));
    }
    cx.x[0] = e.module.into();
    cx.x[1] = e.function.into();
    cx.x[2] = args;
    note(cx, handler);
    Next::Go(handler.code())
}

/// Runs the stub of an export entry, as if its function had been entered with a return address pushed.
#[inline(never)]
pub fn stub(cx: &mut Ctx<'_>, e: &'static Export, pc: *const u64) -> Next {
    if e.module == Atom::ERLANG && e.function == Atom::APPLY {
        match e.arity {
            2 => {
                let target = apply_fun_list(cx, pc, false);
                return target.map_or_else(|next| next, |(code, live)| arrive(cx, code, live));
            }
            3 => {
                let target = apply_mfa(cx, pc);
                return target.map_or_else(|next| next, |(code, live)| arrive(cx, code, live));
            }
            _ => {}
        }
    }
    if e.bif().is_none() {
        return enter_undefined(cx, e, pc);
    }
    let mut at = pc;
    if e.raises()
        && let Some(&caller) = cx.own.stack.words().first()
        && stack_word::is_return(caller)
    {
        // These do not return, and what they tell begins with their caller.
        at = return_address(caller).wrapping_sub(1);
        let below = cx.own.stack.sp().wrapping_add(1);
        cx.own.stack.set_sp(below);
    }
    call_bif(cx, e, at, special::return_x0())
}

/// Translates a function at its first call.
#[cold]
#[inline(never)]
pub fn translate(f: &'static FnInfo) -> *const u64 {
    f.translate()
}

/// How many arguments a named function may be applied to. No function takes more than 255, but one that is
/// not there may be given more, which the error handler is told.
const APPLY_ARGUMENTS: usize = 1023;
/// The same for a fun, to which room is left for itself.
const APPLY_FUN_ARGUMENTS: usize = 1022;

/// Puts the elements of a list of at most `limit` into the X registers from 0 on: their number, or what is
/// wrong.
fn spread(cx: &mut Ctx<'_>, args: Term, limit: usize) -> Result<usize, Atom> {
    let mut it = list::iter(args);
    let mut n = 0;
    for a in it.by_ref() {
        if n == limit {
            return Err(Atom::SYSTEM_LIMIT);
        }
        cx.x[n] = a;
        n += 1;
    }
    if it.tail().is_nil() {
        Ok(n)
    } else {
        Err(Atom::BADARG)
    }
}

/// The code of a function to enter and how many X registers its arguments take, or another way on.
pub type Enter = Result<(*const u64, usize), Next>;

/// Do the X registers from `at` on name `erlang:apply`, which is unfolded?
fn names_apply(cx: &Ctx<'_>, at: usize) -> bool {
    is_apply(cx.x[at], cx.x[at + 1])
}

fn is_apply(module: Term, function: Term) -> bool {
    (module.as_atom(), function.as_atom()) == (Some(Atom::ERLANG), Some(Atom::APPLY))
}

/// Is the function to be applied with the arguments in X registers, which module and function follow, `erlang:apply/2`,
/// at once or by way of `erlang:apply/3`?
pub fn applies_fun(cx: &Ctx<'_>, arity: usize) -> bool {
    names_apply(cx, arity) && unfolds_to_fun(&cx.x[..arity])
}

/// The same for module, function and list of arguments in x0 to x2.
pub fn applies_fun_by_list(cx: &Ctx<'_>) -> bool {
    names_apply(cx, 0) && unfolds_to_fun(&cx.x[..3])
}

/// Do these arguments of `erlang:apply` lead to a fun?
fn unfolds_to_fun(args: &[Term]) -> bool {
    let mut args = args.to_vec();
    loop {
        match args[..] {
            [_, _] => return true,
            [m, f, next] if is_apply(m, f) => args = list::iter(next).take(4).collect(),
            _ => return false,
        }
    }
}

/// Is this one of the BIFs that do nothing but raise? A tail call that applies one by its name keeps its frame, so that
/// the function that raised is in the stack trace.
pub fn always_raises(target: &Enter) -> bool {
    let Ok((code, _)) = target else { return false };
    // SAFETY: code to enter starts with an instruction.
    if ops::of(unsafe { **code }) != ops::EXPORT_STUB {
        return false;
    }
    // SAFETY: the second word of a stub is its entry's address.
    unsafe { &*(*code.add(1) as *const Export) }.raises()
}

/// Writes down where a process begins, or goes on after hibernation, if that is `erlang:apply`, which is unfolded.
pub fn note_applied(cx: &mut Ctx<'_>, _: *const u64) {
    if cx.reds <= 0 && names_apply(cx, 0) {
        let arity = list::length(cx.x[2]).unwrap_or_default() as u32;
        cx.note_call(LastCall::Function(Atom::ERLANG, Atom::APPLY, arity));
    }
}

/// x0: module, x1: function, x2: list of arguments.
#[inline(never)]
pub fn apply_mfa(cx: &mut Ctx<'_>, pc: *const u64) -> Enter {
    loop {
        let (m, f, args) = (cx.x[0], cx.x[1], cx.x[2]);
        let (Some(module), Some(function)) = (m.as_atom(), f.as_atom()) else {
            return Err(bad_apply(cx, pc, &[m, f, args], Atom::BADARG));
        };
        match spread(cx, args, APPLY_ARGUMENTS) {
            // It may be applied to itself without end.
            Ok(3) if is_apply(m, f) => {}
            Ok(n) => return enter(cx, pc, module, function, n),
            Err(why) => return Err(bad_apply(cx, pc, &[m, f, args], why)),
        }
    }
}

#[cold]
fn bad_apply(cx: &mut Ctx<'_>, pc: *const u64, args: &[Term], why: Atom) -> Next {
    let export = export::get(Atom::ERLANG, Atom::APPLY, args.len() as u32);
    let args = cx.heap().list(args);
    let head = Head::Bif {
        export,
        args,
        cause: Term::NONVALUE,
    };
    raise(cx, pc, Class::Error, why.into(), head)
}

/// The code of `module:function` with `n` arguments in place; `erlang:apply` is unfolded.
fn enter(cx: &mut Ctx<'_>, pc: *const u64, module: Atom, function: Atom, n: usize) -> Enter {
    if module == Atom::ERLANG && function == Atom::APPLY {
        match n {
            2 => return applied_fun_list(cx, pc),
            3 => return apply_mfa(cx, pc),
            _ => {}
        }
    }
    let export = export::get(module, function, n as u32);
    note(cx, export);
    Ok((export.code(), n))
}

/// The instruction `apply`: arguments in place, module and function behind them.
#[inline(never)]
pub fn apply(cx: &mut Ctx<'_>, pc: *const u64, n: usize) -> Enter {
    match (cx.x[n].as_atom(), cx.x[n + 1].as_atom()) {
        (Some(m), Some(f)) => enter(cx, pc, m, f, n),
        _ => {
            let (m, f) = (cx.x[n], cx.x[n + 1]);
            let args: Vec<Term> = cx.x[..n].to_vec();
            let args = cx.heap().list(&args);
            Err(bad_apply(cx, pc, &[m, f, args], Atom::BADARG))
        }
    }
}

/// x0: fun, x1: list of arguments. `returns`: it is no tail call, so that where nothing can be called the place to return to
/// is told, too.
#[inline(never)]
pub fn apply_fun_list(cx: &mut Ctx<'_>, pc: *const u64, returns: bool) -> Enter {
    let head = if returns { Head::Call } else { Head::Here };
    spread_to_fun(cx, pc, head)
}

/// The same where `erlang:apply/2` itself was applied: a call that fails is told as one in it.
fn applied_fun_list(cx: &mut Ctx<'_>, pc: *const u64) -> Enter {
    let apply = export::get(Atom::ERLANG, Atom::APPLY, 2);
    spread_to_fun(cx, pc, Head::In(apply))
}

fn spread_to_fun(cx: &mut Ctx<'_>, pc: *const u64, head: Head) -> Enter {
    let (fun, args) = (cx.x[0], cx.x[1]);
    match spread(cx, args, APPLY_FUN_ARGUMENTS) {
        Ok(n) => call_fun(cx, pc, fun, n, head),
        Err(why) => Err(bad_apply(cx, pc, &[fun, args], why)),
    }
}

/// The code of a fun called with `n` arguments in place; the environment is put behind them. `head`
/// is how a failure is told.
#[inline]
pub fn call_fun(cx: &mut Ctx<'_>, pc: *const u64, fun: Term, n: usize, head: Head) -> Enter {
    if fun.is_kind(Kind::Fun) {
        let e = fun::of(fun);
        if e.arity as usize == n {
            let Some(target) = e.target() else {
                return unloaded_fun(cx, pc, fun, n, head);
            };
            let env = fun.fun_env().unwrap_or(&[]);
            cx.x[n..n + env.len()].copy_from_slice(env);
            return Ok((target.code(), n + env.len()));
        }
    } else if fun.is_kind(Kind::Export) {
        let e = export::of(fun);
        if e.arity as usize == n {
            note(cx, e);
            return Ok((e.code(), n));
        }
    } else {
        return Err(bad_fun(cx, pc, fun, head));
    }
    Err(bad_arity(cx, pc, fun, n, head))
}

#[cold]
fn bad_fun(cx: &mut Ctx<'_>, pc: *const u64, fun: Term, head: Head) -> Next {
    let reason = cx.tuple2(Atom::BADFUN, fun);
    raise(cx, pc, Class::Error, reason, head)
}

#[cold]
fn bad_arity(cx: &mut Ctx<'_>, pc: *const u64, fun: Term, n: usize, head: Head) -> Next {
    let args: Vec<Term> = cx.x[..n].to_vec();
    let args = cx.heap().list(&args);
    let what = cx.tuple2(fun, args);
    let reason = cx.tuple2(Atom::BADARITY, what);
    raise(cx, pc, Class::Error, reason, head)
}

/// A fun without code. If its module is not loaded it is the error handler's `undefined_lambda/3`; if a
/// version without this fun is loaded it is no fun. While the module is being purged the process waits and
/// calls the fun again.
#[cold]
fn unloaded_fun(cx: &mut Ctx<'_>, pc: *const u64, fun: Term, n: usize, head: Head) -> Enter {
    let entry = fun::of(fun);
    let handler = if purge::wait_for_end(cx, entry) || entry.target().is_some() {
        export::get(Atom::ERTS_CODE_PURGER, Atom::PENDING_PURGE_LAMBDA, 3)
    } else if module::current(entry.module).is_some() {
        return Err(bad_fun(cx, pc, fun, head));
    } else {
        export::get(cx.own.error_handler, Atom::UNDEFINED_LAMBDA, 3)
    };
    if !handler.is_loaded() {
        return Err(bad_fun(cx, pc, fun, head));
    }
    let args: Vec<Term> = cx.x[..n].to_vec();
    let args = cx.heap().list(&args);
    cx.x[0] = entry.module.into();
    cx.x[1] = fun;
    cx.x[2] = args;
    note(cx, handler);
    Ok((handler.code(), 3))
}

/// A call at a place where the arguments are ready and the return address is pushed: goes there, unless
/// the reductions have run out.
pub fn arrive(cx: &mut Ctx<'_>, code: *const u64, live: usize) -> Next {
    cx.reds -= 1;
    if cx.reds < 0 {
        out_of_reductions(cx, code, live)
    } else {
        Next::Go(code)
    }
}
