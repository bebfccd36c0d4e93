//! What a BIF is: a Rust function over a context and its arguments, and a descriptor that tells both
//! tiers how it may be called.
//!
//! A BIF may hold terms freely while it runs: nothing collects before it returns. It builds its result
//! with `cx.heap()`. Work that grows with the arguments is done in steps (kind `Steps`, see `work`); short
//! work charges reductions with `cx.bump`.

use crate::atom::Atom;
use crate::bug;
use crate::code::export::Export;
use crate::code::module::FnInfo;
use crate::term::Term;
use crate::term::types::TermTypes;
use std::sync::OnceLock;

pub use crate::process::context::{Ctx, X_REGS};

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
    /// Call what a native library's function has put into the process (`Rare::scheduled`) in its place. Only from such functions.
    Scheduled,
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

/// A pool of threads for calls that schedulers have no time for (see `dirty`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pool {
    /// For computing.
    Cpu,
    /// For blocking.
    Io,
}

/// How a BIF is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BifKind {
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
    pub kind: BifKind,
    /// What may be taken for granted about a call.
    pub facts: CallFacts,
    /// The code.
    pub run: BifFn,
}

/// What a call of a BIF does besides giving its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effects {
    /// Nothing: the value hangs on the arguments alone.
    Pure,
    /// Nothing that could be noticed, but the value hangs on more than the arguments.
    Reads,
    /// Anything.
    Any,
}

/// How the work of a call grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cost {
    /// It does not, or little.
    Constant,
    /// With the size of the arguments.
    Grows,
}

/// What may be taken for granted about the calls of a BIF. Where collections are forced (`--gc-stress`) the VM checks
/// the type of each value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallFacts {
    /// Besides giving the value.
    pub effects: Effects,
    /// Is there an argument for which it raises?
    pub may_fail: bool,
    /// The types that the value may have.
    pub result: TermTypes,
}

impl CallFacts {
    /// Nothing is known.
    pub const UNKNOWN: CallFacts = CallFacts {
        effects: Effects::Any,
        may_fail: true,
        result: TermTypes::ANY,
    };

    /// The value hangs on the arguments alone; it may raise.
    pub const fn pure(result: TermTypes) -> CallFacts {
        CallFacts {
            effects: Effects::Pure,
            may_fail: true,
            result,
        }
    }

    /// The value hangs on the arguments alone, and there always is one.
    pub const fn total(result: TermTypes) -> CallFacts {
        CallFacts {
            may_fail: false,
            ..CallFacts::pure(result)
        }
    }

    /// No effects; it may raise.
    pub const fn reads(result: TermTypes) -> CallFacts {
        CallFacts {
            effects: Effects::Reads,
            ..CallFacts::pure(result)
        }
    }

    /// No effects, and there always is a value.
    pub const fn reads_total(result: TermTypes) -> CallFacts {
        CallFacts {
            may_fail: false,
            ..CallFacts::reads(result)
        }
    }
}

impl Bif {
    /// Does it belong to a built-in native library?
    pub fn is_nif(&self) -> bool {
        matches!(
            self.kind,
            BifKind::Nif | BifKind::NifDirtyIo | BifKind::NifDirtyCpu
        )
    }

    /// May it stand in a guard?
    pub fn is_guard(&self) -> bool {
        matches!(self.kind, BifKind::Guard | BifKind::GuardSteps)
    }

    /// Is its work done in steps?
    #[inline]
    pub fn has_steps(&self) -> bool {
        matches!(self.kind, BifKind::Steps | BifKind::GuardSteps)
    }

    /// How its work grows.
    pub fn cost(&self) -> Cost {
        if self.has_steps() {
            Cost::Grows
        } else {
            Cost::Constant
        }
    }

    /// A value that it has given must be of the types that it promises.
    #[cold]
    pub fn check_value(&self, value: Term) {
        let found = TermTypes::of(value);
        if !found.is_within(self.facts.result) {
            let (m, f, n) = (self.module, self.function, self.arity);
            bug::vm_bug(&format!(
                "{m}:{f}/{n} has given a value of type {found}, not {}",
                self.facts.result
            ));
        }
    }

    /// The pool that it runs in, if any.
    #[inline]
    pub fn pool(&self) -> Option<Pool> {
        match self.kind {
            BifKind::DirtyCpu | BifKind::NifDirtyCpu => Some(Pool::Cpu),
            BifKind::DirtyIo | BifKind::NifDirtyIo => Some(Pool::Io),
            BifKind::Call
            | BifKind::Steps
            | BifKind::Guard
            | BifKind::GuardSteps
            | BifKind::Nif => None,
        }
    }
}

impl Ctx<'_> {
    /// Leaves the BIF to call `export` with `args`.
    pub fn trap(&mut self, export: &'static Export, args: &[Term]) -> BifResult {
        debug_assert_eq!(args.len(), export.arity as usize);
        self.x[..args.len()].copy_from_slice(args);
        Err(Exit::Trap(export))
    }
}

/// `To ! Message`: to a pid, a port, a name, a name on a node.
pub type SendFn = fn(&mut Ctx<'_>, Term, Term) -> Result<(), Exit>;

static SEND: OnceLock<SendFn> = OnceLock::new();

/// Sets what sends; the first call wins.
pub fn set_send(f: SendFn) {
    let _ = SEND.set(f);
}

/// Sends a message. Until it was said how to, only processes of this node are reached.
#[inline]
pub fn send(cx: &mut Ctx<'_>, to: Term, message: Term) -> Result<(), Exit> {
    match (SEND.get(), to.as_local_pid()) {
        (Some(f), _) => f(cx, to, message),
        (None, Some(id)) => {
            crate::process::signal::send_message(id, message);
            Ok(())
        }
        (None, None) => Err(badarg()),
    }
}
