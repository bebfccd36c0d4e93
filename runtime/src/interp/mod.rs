//! The bytecode interpreter: the reference for what code means.
//!
//! `run` takes a process at `own.pc` with its live X registers in `own.saved` and runs it until its time
//! slice is over, it waits, or it exits. The state of a process between two
//! instructions is the stack, the X registers and the address: nothing else.
//!
//! Collections happen at four kinds of place only: where an instruction reserves heap (`ALLOCATE`,
//! `TEST_HEAP`), at a function's entry and after its return when the reductions have run out, and after a BIF called
//! as an ordinary function. Everything else may hold terms in Rust variables. A long collection is not made here: the
//! process stops for it at a function's entry, after its return or after a BIF; an instruction that reserves heap before gets it.
//!
//! Functions may have native code, of which `native` says how it and the interpreter follow each other.

#[macro_use]
mod machine;
pub mod bits;
pub mod calls;
mod dispatch;
pub mod exception;
mod handlers;
pub mod maps;
pub mod native;
mod nif;
pub mod place;
mod receive;
pub(crate) mod records;
pub mod special;

use crate::bif::Ctx;

/// Why `run` has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The slice is over.
    Yield,
    /// The process waits for a signal.
    Wait,
    /// A long collection is due, and the process goes on after it.
    Collect,
    /// The process exits, for the reason in `own.exit_reason`.
    Exit,
}

impl Outcome {
    /// All there are.
    pub(crate) const ALL: [Outcome; 4] = [
        Outcome::Yield,
        Outcome::Wait,
        Outcome::Collect,
        Outcome::Exit,
    ];
}

/// See the module's text.
pub fn run(cx: &mut Ctx<'_>) -> Outcome {
    let n = cx.own.saved.len();
    let (own, x) = (&mut *cx.own, &mut *cx.x);
    x[..n].copy_from_slice(&own.saved);
    own.saved.clear();
    cx.watch_calls();
    dispatch::run(cx)
}

/// Keeps the state of a process that stops at `pc` with `live` X registers.
pub(crate) fn park(cx: &mut Ctx<'_>, pc: *const u64, live: usize) {
    let (own, x) = (&mut *cx.own, &*cx.x);
    own.pc = pc;
    if live == 0 {
        own.saved = Vec::new();
    } else {
        own.saved.clear();
        own.saved.extend_from_slice(&x[..live]);
    }
}
