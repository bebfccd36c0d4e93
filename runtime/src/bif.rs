//! What a BIF is: a Rust function over a context and its arguments, and a descriptor that tells both
//! tiers how it may be called.
//!
//! A BIF may hold terms freely while it runs: nothing collects before it returns. It builds its result
//! with `cx.heap()`. Work that grows with the arguments is done in steps (kind `Steps`, see `work`); short
//! work charges reductions with `cx.bump`.

use crate::atom::Atom;
use crate::code::export::Export;
use crate::code::module::FnInfo;
use crate::heap::Heap;
use crate::process::{Owned, Process};
use crate::sched::dirty::Pool;
use crate::term::Term;

/// What a BIF gives: its value, or another way out.
pub type BifResult = Result<Term, Exit>;

/// Ways out of a BIF other than by a value.
#[derive(Clone, Copy, Debug)]
pub enum Exit {
    /// An exception. `cause` is the `cause` of the error's extended information, or `NONVALUE`.
    Raise {
        /// Error, exit or throw.
        class: Class,
        /// The reason.
        reason: Term,
        /// For the module that explains the error.
        cause: Term,
    },
    /// An exception with a stack trace of its own (`erlang:raise/3`, `erlang:error/2,3`).
    RaiseWith {
        /// Error, exit or throw.
        class: Class,
        /// The reason.
        reason: Term,
        /// A stack trace as Erlang code sees it, or a list of arguments.
        trace: TraceArg,
    },
    /// Call this function with the arguments that were put into `cx.x`; its value is the BIF's.
    Trap(&'static Export),
    /// Call this function without arguments; its value is the BIF's.
    Call(&'static FnInfo),
    /// Suspend until a signal arrives, then call the BIF again with the same arguments.
    Wait,
    /// Let other processes run, then call the BIF again with the same arguments.
    Yield,
    /// Let other processes run, then go on with this value.
    YieldValue(Term),
    /// Go on in the state that the BIF has put into the process (`cx.own.resume`).
    Hibernate,
    /// The process is to exit with the reason that was put into the process.
    Exited,
}

/// What `RaiseWith` carries.
#[derive(Clone, Copy, Debug)]
pub enum TraceArg {
    /// A whole stack trace.
    Trace(Term),
    /// The arguments of the calling function, and options.
    Args(Term, Term),
}

/// The class of an exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Class {
    /// `error`
    Error,
    /// `exit`
    Exit,
    /// `throw`
    Throw,
}

impl Class {
    /// The atom.
    pub fn atom(self) -> Atom {
        match self {
            Class::Error => Atom::ERROR,
            Class::Exit => Atom::EXIT,
            Class::Throw => Atom::THROW,
        }
    }

    /// The class an atom names.
    pub fn from_atom(a: Atom) -> Option<Class> {
        match a {
            Atom::ERROR => Some(Class::Error),
            Atom::EXIT => Some(Class::Exit),
            Atom::THROW => Some(Class::Throw),
            _ => None,
        }
    }
}

impl Exit {
    /// `error:Reason`.
    pub fn error(reason: impl Into<Term>) -> Exit {
        Exit::Raise {
            class: Class::Error,
            reason: reason.into(),
            cause: Term::NONVALUE,
        }
    }

    /// `error:Reason` with a cause for the module that explains errors.
    pub fn error_cause(reason: impl Into<Term>, cause: impl Into<Term>) -> Exit {
        Exit::Raise {
            class: Class::Error,
            reason: reason.into(),
            cause: cause.into(),
        }
    }

    /// `exit:Reason`.
    #[allow(
        clippy::self_named_constructors,
        reason = "the class of the exception is called exit"
    )]
    pub fn exit(reason: impl Into<Term>) -> Exit {
        Exit::Raise {
            class: Class::Exit,
            reason: reason.into(),
            cause: Term::NONVALUE,
        }
    }

    /// `throw:Reason`.
    pub fn throw(reason: impl Into<Term>) -> Exit {
        Exit::Raise {
            class: Class::Throw,
            reason: reason.into(),
            cause: Term::NONVALUE,
        }
    }
}

/// `error:badarg`.
#[cold]
pub fn badarg() -> Exit {
    Exit::error(Atom::BADARG)
}

/// `error:badarith`.
#[cold]
pub fn badarith() -> Exit {
    Exit::error(Atom::BADARITH)
}

/// `error:system_limit`.
#[cold]
pub fn system_limit() -> Exit {
    Exit::error(Atom::SYSTEM_LIMIT)
}

/// How a BIF is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Ordinary call.
    Call,
    /// Ordinary call whose work grows with its arguments and is done in steps (see `work`).
    Steps,
    /// May stand in a guard: no side effect.
    Guard,
    /// The same for work that is done in steps where it does not stand in a guard's place.
    GuardSteps,
    /// Runs in the pool for CPU-bound work.
    DirtyCpu,
    /// Runs in the pool for blocking I/O.
    DirtyIo,
    /// Native function of a built-in library, ordinary.
    Nif,
    /// Native function of a built-in library, for the pool for blocking I/O.
    NifDirtyIo,
    /// Native function of a built-in library, for the pool for CPU-bound work.
    NifDirtyCpu,
}

/// The function behind a BIF.
pub type BifFn = fn(&mut Ctx<'_>, &[Term]) -> BifResult;

/// A BIF's descriptor.
pub struct Bif {
    /// Module.
    pub module: &'static str,
    /// Function.
    pub function: &'static str,
    /// Number of arguments.
    pub arity: u8,
    /// How it is called.
    pub kind: Kind,
    /// The code.
    pub run: BifFn,
}

impl Bif {
    /// Does it belong to a built-in native library?
    pub fn is_nif(&self) -> bool {
        matches!(self.kind, Kind::Nif | Kind::NifDirtyIo | Kind::NifDirtyCpu)
    }

    /// May it stand in a guard?
    pub fn is_guard(&self) -> bool {
        matches!(self.kind, Kind::Guard | Kind::GuardSteps)
    }

    /// Is its work done in steps?
    #[inline]
    pub fn has_steps(&self) -> bool {
        matches!(self.kind, Kind::Steps | Kind::GuardSteps)
    }

    /// The pool that it runs in, if any.
    #[inline]
    pub fn pool(&self) -> Option<Pool> {
        match self.kind {
            Kind::DirtyCpu | Kind::NifDirtyCpu => Some(Pool::Cpu),
            Kind::DirtyIo | Kind::NifDirtyIo => Some(Pool::Io),
            Kind::Call | Kind::Steps | Kind::Guard | Kind::GuardSteps | Kind::Nif => None,
        }
    }
}

/// Size of the register file: X registers, then float registers.
pub const X_REGS: usize = 2048;

/// What running code sees of the world: its process and its scheduler.
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

    /// Leaves the BIF to call `export` with `args`.
    pub fn trap(&mut self, export: &'static Export, args: &[Term]) -> BifResult {
        debug_assert_eq!(args.len(), export.arity as usize);
        self.x[..args.len()].copy_from_slice(args);
        Err(Exit::Trap(export))
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
