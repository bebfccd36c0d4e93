//! Why a process or port has ended: one copy, whoever is told.
//!
//! Each receiver copies it when it deals with the signal, but the last one takes it over, so that the end of a process costs as many copies as
//! processes are told, and none where it ends the receiver as well.

use crate::heap::literal::OwnedTerm;
use crate::term::Term;
use std::sync::Arc;

/// Words for what the last receiver puts around the term.
pub const ROOM: usize = 64;

/// An exit reason.
#[derive(Clone)]
pub struct ExitReason(Why);

#[derive(Clone)]
enum Why {
    Immediate(Term),
    Shared(Arc<OwnedTerm>),
}

impl ExitReason {
    /// A copy of `t`, literals included.
    pub fn new(t: Term) -> ExitReason {
        if t.is_immediate() {
            return ExitReason(Why::Immediate(t));
        }
        OwnedTerm::with_room(t, ROOM).into()
    }

    /// The term; valid for as long as `self`.
    pub fn term(&self) -> Term {
        match &self.0 {
            Why::Immediate(t) => *t,
            Why::Shared(t) => t.term(),
        }
    }

    /// The copy itself, if nobody else is told any more.
    pub fn take_over(self) -> Result<OwnedTerm, ExitReason> {
        match self.0 {
            Why::Immediate(_) => Err(self),
            Why::Shared(t) => Arc::try_unwrap(t).map_err(|t| ExitReason(Why::Shared(t))),
        }
    }

    /// Words of memory that the term takes.
    pub fn words(&self) -> usize {
        match &self.0 {
            Why::Immediate(_) => 0,
            Why::Shared(t) => t.words(),
        }
    }
}

impl From<OwnedTerm> for ExitReason {
    fn from(t: OwnedTerm) -> ExitReason {
        ExitReason(match t.term().is_immediate() {
            true => Why::Immediate(t.term()),
            false => Why::Shared(Arc::new(t)),
        })
    }
}
