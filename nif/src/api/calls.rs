//! The call that is under way: exceptions, time, what is called next.

use crate::c::{Bool, CText, Ptr, Word};
use crate::env::EnvPtr;
use crate::library::{NifFn, pool_of};
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::nif::{NifCall, Scheduled};
use enigma_runtime::dirty;
use enigma_runtime::sched;
use std::ffi::{c_int, c_void};
use std::sync::atomic::Ordering;

/// What the library keeps.
#[unsafe(no_mangle)]
pub extern "C" fn enif_priv_data(env: EnvPtr) -> *mut c_void {
    let library = env.get().and_then(|e| e.library());
    library.map_or(std::ptr::null_mut(), |l| l.private.load(Ordering::Acquire))
}

/// `error:badarg` when the function returns.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_badarg(env: EnvPtr) -> Word {
    env.env().raise(Atom::BADARG.into())
}

/// `error:Reason` when the function returns.
#[unsafe(no_mangle)]
pub extern "C" fn enif_raise_exception(env: EnvPtr, reason: Word) -> Word {
    env.env().raise(reason.term())
}

/// Is there an exception to be raised, and which?
#[unsafe(no_mangle)]
pub extern "C" fn enif_has_pending_exception(env: EnvPtr, reason: Ptr<Word>) -> Bool {
    match env.env().exception() {
        Some(t) => {
            reason.set(t.into());
            1
        }
        None => 0,
    }
}

/// So many hundredths of a time slice have been used; is it over?
#[unsafe(no_mangle)]
pub extern "C" fn enif_consume_timeslice(env: EnvPtr, percent: c_int) -> Bool {
    let Some(cx) = env.env().context() else {
        return 0;
    };
    let percent = i64::from(percent.clamp(1, 100));
    let used = (sched::TIME_SLICE * percent / 100).max(1);
    cx.bump(used as usize);
    Bool::from(cx.reds_left() <= 0 || cx.leave)
}

/// Most arguments of what is called next.
const MOST_ARGUMENTS: usize = 255;

/// Calls another function of the library when this one has returned, in a pool if the flags say so. The value of that is the value of
/// the call.
#[unsafe(no_mangle)]
pub extern "C" fn enif_schedule_nif(
    env: EnvPtr,
    name: CText,
    flags: c_int,
    function: Option<NifFn>,
    arity: c_int,
    arguments: Ptr<Word>,
) -> Word {
    let e = env.env();
    let known = Atom::try_new(&name.latin1()).is_ok();
    let arity = usize::try_from(arity).ok().filter(|&n| n <= MOST_ARGUMENTS);
    let library = e.library().and_then(|l| l.keep());
    let pool = u32::try_from(flags).ok().and_then(pool_of);
    let (true, Some(arity), Some(library), Some(pool), Some(function), Some(cx)) =
        (known, arity, library, pool, function, e.context())
    else {
        return e.raise(Atom::BADARG.into());
    };
    let arguments: Vec<Term> = arguments.slice(arity).iter().map(|w| w.term()).collect();
    cx.own.set_scheduled(Box::new(Scheduled {
        call: NifCall {
            function: function as usize,
            arity,
            pool,
            library,
        },
        arguments,
    }));
    e.set_scheduled();
    Word::NONE
}

/// Is the process still there that runs the call?
#[unsafe(no_mangle)]
pub extern "C" fn enif_is_current_process_alive(env: EnvPtr) -> Bool {
    let process = env.env().context().map(|cx| cx.proc.id);
    Bool::from(process.is_some_and(dirty::is_alive))
}

/// The kind of this thread: none of the VM's (0), a scheduler (1), one of a pool for computing (2) or blocking (3).
#[unsafe(no_mangle)]
pub extern "C" fn enif_thread_type() -> c_int {
    if sched::current_index().is_some() {
        return 1;
    }
    match dirty::current_pool() {
        Some(dirty::Pool::Cpu) => 2,
        Some(dirty::Pool::Io) => 3,
        None => 0,
    }
}
