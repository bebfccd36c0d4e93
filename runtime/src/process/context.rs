//! What running code sees of the world.

use super::last_calls::{LastCall, LastCalls};
use super::{Owned, Process, flag};
use crate::atom::Atom;
use crate::heap::Heap;
use crate::term::Term;

/// Size of the register file: X registers, then float registers.
pub const X_REGS: usize = 2048;

/// A process while it runs, and the scheduler that runs it.
pub struct Ctx<'a> {
    /// The part of the process that others may look at.
    pub proc: &'a Process,
    /// The part of the process that only its runner may touch.
    pub own: &'a mut Owned,
    /// The X registers.
    pub x: &'a mut [Term; X_REGS],
    /// Reductions left in this time slice.
    pub reds: i64,
    /// Number of the scheduler, from 1; dirty schedulers count on from there.
    pub scheduler: usize,
    /// Must a BIF that is called now do all its work at once, because its caller cannot wait?
    pub whole: bool,
    /// The instruction that called the BIF now running.
    pub pc: *const u64,
    /// Stop at the next chance.
    pub leave: bool,
    /// The reductions that were left when `reds` was set to zero, so that the next function entry notices that
    /// a collection is due, or that calls are to be written down.
    pub gc_reds: Option<i64>,
    /// What native code and the interpreter tell each other.
    pub native: Handover,
}

/// What native code and the interpreter tell each other when one follows the other.
#[derive(Debug)]
#[repr(C)]
pub struct Handover {
    /// The top of the Erlang stack.
    pub sp: *mut u64,
    /// Where the interpreter goes on, and with which top of the stack (see `interp::machine::Place`).
    pub next_pc: *const u64,
    /// See `next_pc`.
    pub next_sp: *mut u64,
    /// What a helper that keeps all machine registers is given.
    pub arguments: [u64; 3],
    /// What it has given.
    pub answer: u64,
    /// Has an exception been raised whose handler goes on, so that native code must not?
    pub raised: Raise,
    /// The entry record of the function that native code calls, where that may have no machine code of its own.
    pub callee: *const (),
    /// The depth of the stack of the return address to which native code returns that the interpreter has entered.
    pub entered_with: usize,
    /// The depth of the stack at which a value comes back for which native code waits.
    pub awaited: usize,
    /// How often the reductions may still be renewed in this time slice.
    pub renewals: u32,
    /// Where native code writes what it appends to a binary.
    pub room: *mut u8,
    /// An address in the machine's stack where the process began to run.
    pub entered_at: usize,
    /// The state of the generator of the test mode `interp::native::chaos`.
    pub chance: u64,
}

/// An exception on its way to its handler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Raise {
    /// There is none.
    No,
    /// The handler belongs to the frame in which it was raised.
    SameFrame,
    /// It belongs to the frame of a caller.
    OtherFrame,
}

/// `Handover::awaited` where native code waits for no value.
pub const NOTHING_AWAITED: usize = usize::MAX;

/// How often native code gets fresh reductions without giving its scheduler back, where nobody else wants it.
const RENEWALS: u32 = 16;

impl Default for Handover {
    fn default() -> Handover {
        Handover {
            sp: std::ptr::null_mut(),
            next_pc: std::ptr::null(),
            next_sp: std::ptr::null_mut(),
            arguments: [0; 3],
            answer: 0,
            raised: Raise::No,
            callee: std::ptr::null(),
            entered_with: 0,
            awaited: NOTHING_AWAITED,
            renewals: RENEWALS,
            room: std::ptr::null_mut(),
            entered_at: 0,
            chance: 0,
        }
    }
}

impl Ctx<'_> {
    /// Reductions left, a pending collection or not.
    #[inline]
    pub fn reds_left(&self) -> i64 {
        self.gc_reds.unwrap_or(0) + self.reds
    }

    /// Sets them. What was left counts as used, as far as it was more.
    pub fn set_reds_left(&mut self, n: i64) {
        match &mut self.gc_reds {
            Some(left) => *left = n - self.reds,
            None => self.reds = n,
        }
    }

    /// After objects were made at a point where no collection is possible: makes the next function entry
    /// collect, if one is due.
    #[inline]
    pub fn note_allocation(&mut self) {
        if self.gc_reds.is_none() && self.own.heap.wants_gc() {
            self.hide_reductions();
        }
    }

    /// Makes the next function entry stop the process.
    pub fn end_slice(&mut self) {
        self.leave = true;
        self.hide_reductions();
    }

    /// Makes the next function entry look closer.
    fn hide_reductions(&mut self) {
        if self.gc_reds.is_none() {
            self.gc_reds = Some(self.reds);
            self.reds = 0;
        }
    }

    /// Takes `end_slice` back.
    pub fn resume_slice(&mut self) {
        self.leave = false;
        self.reds = self.reds_left();
        self.gc_reds = None;
    }

    /// Keeps the last `limit` calls from now on, and forgets those that were kept; gives how many they could be.
    pub fn keep_last_calls(&mut self, limit: usize) -> usize {
        let kept = std::mem::replace(&mut self.own.rare().last_calls, LastCalls::of(limit));
        self.own.set_flag(flag::KEEPS_CALLS, limit > 0);
        self.watch_calls();
        kept.map_or(0, |k| k.limit())
    }

    /// Makes calls take their slow way, if they are to be kept.
    pub fn watch_calls(&mut self) {
        if self.own.keeps_calls() {
            self.hide_reductions();
        }
    }

    /// Writes a call down, if calls are kept.
    #[inline(always)]
    pub fn note_call(&mut self, call: LastCall) {
        if self.reds <= 0 {
            self.keep_call(call);
        }
    }

    /// The same for a call of a BIF, unless it is one that has waited and goes on.
    #[inline(always)]
    pub fn note_bif(&mut self, call: LastCall) {
        if self.reds <= 0 && !self.own.has_unfinished_bif() {
            self.keep_call(call);
        }
    }

    #[cold]
    #[inline(never)]
    fn keep_call(&mut self, call: LastCall) {
        if self.own.has(flag::SENSITIVE) {
            return;
        }
        let rare = self.own.rare_if_any();
        if let Some(kept) = rare.and_then(|r| r.last_calls.as_mut()) {
            kept.push(call);
        }
    }

    /// Where results are built.
    #[inline(always)]
    pub fn heap(&mut self) -> &mut Heap {
        &mut self.own.heap.young
    }

    /// Charges reductions.
    #[inline(always)]
    pub fn bump(&mut self, n: usize) {
        self.reds -= n as i64;
    }

    /// The process's own pid.
    #[inline(always)]
    pub fn self_pid(&self) -> Term {
        self.proc.pid_term()
    }

    /// `{A, B}`.
    #[inline]
    pub fn tuple2(&mut self, a: impl Into<Term>, b: impl Into<Term>) -> Term {
        self.heap().tuple(&[a.into(), b.into()])
    }

    /// `{ok, V}`.
    pub fn ok(&mut self, v: Term) -> Term {
        self.tuple2(Atom::OK, v)
    }

    /// `{error, Reason}`.
    pub fn error(&mut self, reason: impl Into<Term>) -> Term {
        self.tuple2(Atom::ERROR, reason)
    }
}
