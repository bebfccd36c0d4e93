//! What running code sees of the world.

use super::{Owned, Process};
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
    /// The reductions that were left when a collection became due and `reds` was set to zero, so that
    /// the next function entry notices.
    pub gc_reds: Option<i64>,
}

impl Ctx<'_> {
    /// Reductions left, a pending collection or not.
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
            self.gc_reds = Some(self.reds);
            self.reds = 0;
        }
    }

    /// Makes the next function entry stop the process.
    pub fn end_slice(&mut self) {
        self.leave = true;
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
