//! Where the process spends its processor time, by samples: a signal that comes after each piece of time that all threads
//! together have used. Nothing of it is there before `start`.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a thread was doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Activity {
    /// Running machine code of the given range.
    Native,
    /// Running a function that such code has called.
    Called,
    /// Making machine code.
    Compiling,
    /// Anything else: the interpreter and what it calls, schedulers, collections that it has begun.
    Other,
}

/// What a thread has said about what it does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    InNative,
    Compiles,
}

const MICROSECONDS: i64 = 1000;

static RANGE: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
static SAMPLES: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];

thread_local! {
    static SAID: Cell<Said> = const { Cell::new(Said::Nothing) };
}

/// Begins to take samples. Machine code lies in this range of addresses.
pub fn start(code: Range<u64>) -> std::io::Result<()> {
    RANGE[0].store(code.start, Ordering::Relaxed);
    RANGE[1].store(code.end, Ordering::Relaxed);
    let piece = libc::timeval {
        tv_sec: 0,
        tv_usec: MICROSECONDS,
    };
    let timer = libc::itimerval {
        it_interval: piece,
        it_value: piece,
    };
    // SAFETY: the structure is valid where all of it is zero, and the handler has the type that its flags say.
    let failed = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handle as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGPROF, &action, std::ptr::null_mut()) != 0
            || libc::setitimer(libc::ITIMER_PROF, &timer, std::ptr::null_mut()) != 0
    };
    match failed {
        true => Err(std::io::Error::last_os_error()),
        false => Ok(()),
    }
}

/// Samples of an activity up to now.
pub fn samples(activity: Activity) -> u64 {
    SAMPLES[activity as usize].load(Ordering::Relaxed)
}

/// Makes machine code.
pub fn compiling<R>(work: impl FnOnce() -> R) -> R {
    saying(Said::Compiles, work)
}

/// Does something in machine code or in what it calls.
pub fn in_native<R>(work: impl FnOnce() -> R) -> R {
    saying(Said::InNative, work)
}

fn saying<R>(said: Said, work: impl FnOnce() -> R) -> R {
    let before = SAID.replace(said);
    let r = work();
    SAID.set(before);
    r
}

extern "C" fn handle(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the system gives a handler with `SA_SIGINFO` this structure.
    let context = unsafe { &*context.cast::<libc::ucontext_t>() };
    let at = instruction(context);
    let range = RANGE[0].load(Ordering::Relaxed)..RANGE[1].load(Ordering::Relaxed);
    let activity = if range.contains(&at) {
        Activity::Native
    } else {
        match SAID.get() {
            Said::InNative => Activity::Called,
            Said::Compiles => Activity::Compiling,
            Said::Nothing => Activity::Other,
        }
    };
    SAMPLES[activity as usize].fetch_add(1, Ordering::Relaxed);
}

#[cfg(target_arch = "x86_64")]
fn instruction(context: &libc::ucontext_t) -> u64 {
    context.uc_mcontext.gregs[libc::REG_RIP as usize] as u64
}

#[cfg(target_arch = "aarch64")]
fn instruction(context: &libc::ucontext_t) -> u64 {
    context.uc_mcontext.pc
}
