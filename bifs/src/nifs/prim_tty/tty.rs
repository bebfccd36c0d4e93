//! The terminal as Erlang code holds it.

use super::announce::Input;
use crate::errno;
use crate::terminal::modes::Modes;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::magic::Magic;
use enigma_runtime::{Ctx, Exit, Term, badarg};
use parking_lot::Mutex;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

/// Standard input.
pub const STDIN: RawFd = 0;

/// A terminal, or what stands in its place.
pub struct Tty {
    /// Where output goes.
    pub output: RawFd,
    /// Its modes.
    pub modes: Mutex<TtyModes>,
    /// Who waits for input.
    pub input: Input,
}

/// The modes of a terminal; none where there is no terminal, or it was not looked at.
#[derive(Default)]
pub struct TtyModes {
    /// What they were.
    pub before: Option<Modes>,
    /// What they are to be.
    pub wanted: Option<Modes>,
}

/// The terminal that a term holds.
pub fn tty(t: Term) -> Result<Arc<Tty>, Exit> {
    let m: &Magic = t.as_magic().ok_or_else(badarg)?;
    Arc::clone(m).downcast::<Tty>().map_err(|_| badarg())
}

/// `{error, {Function, Reason}}` for a call that the operating system refuses.
pub fn failed(cx: &mut Ctx<'_>, function: &str, e: &io::Error) -> Term {
    let reason = cx.tuple2(Atom::new(function), errno::of(e));
    cx.error(reason)
}
