//! Processes, and terms that are on their way to them.

use crate::env::{Env, Host};
use crate::sys::{self, RawEnv, RawPid, RawTerm};
use crate::term::{BadTerm, Term};
use std::fmt;
use std::ptr::{self, NonNull};

/// A process of this node.
#[derive(Clone, Copy)]
pub struct Pid(RawPid);

impl Pid {
    /// The pid that `fill` has put into a place for one, if it says that it has.
    pub(crate) fn filled(fill: impl FnOnce(*mut RawPid) -> bool) -> Option<Pid> {
        let mut raw = RawPid { pid: 0 };
        fill(&mut raw).then_some(Pid(raw))
    }

    pub(crate) fn of(term: Term<'_>) -> Result<Pid, BadTerm> {
        Pid::filled(|pid| {
            // SAFETY: the term is one of this environment; there is a place for the pid.
            unsafe { sys::enif_get_local_pid(term.env.raw(), term.raw, pid) != 0 }
        })
        .ok_or(BadTerm)
    }

    /// The pid that a pointer leads to.
    ///
    /// # Safety
    /// It leads to one.
    pub(crate) unsafe fn read(raw: *const RawPid) -> Pid {
        // SAFETY: the caller's promise.
        Pid(unsafe { *raw })
    }

    pub(crate) fn raw(&self) -> *const RawPid {
        &self.0
    }

    /// As a term: a local pid is the same word in all environments.
    pub fn term(self, env: Env<'_>) -> Term<'_> {
        env.term(self.0.pid)
    }
}

/// Why a message was not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// There is no such process.
    NoProcess,
    /// This thread is one of the VM's: there an environment of the call sends (`OwnedTerm::send`).
    ThreadOfTheVm,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::NoProcess => "there is no such process",
            SendError::ThreadOfTheVm => "the thread is one of the VM's",
        })
    }
}

impl std::error::Error for SendError {}

/// A term with an environment of its own: it can be kept, sent, and taken to other threads.
pub struct OwnedTerm {
    env: NonNull<RawEnv>,
    raw: RawTerm,
}

// SAFETY: the environment belongs to no process and to no thread; it is used by one at a time.
unsafe impl Send for OwnedTerm {}

impl OwnedTerm {
    /// The term that `build` makes in a new environment.
    pub fn new(build: impl for<'x> FnOnce(Env<'x>) -> Term<'x>) -> OwnedTerm {
        // SAFETY: a plain call.
        let env =
            NonNull::new(unsafe { sys::enif_alloc_env() }).expect("memory for an environment");
        let mut owned = OwnedTerm { env, raw: 0 };
        // SAFETY: the environment is there as long as `owned`, and the lifetime is that of this call alone.
        owned.raw = build(unsafe { Env::new(env.as_ptr()) }).raw;
        owned
    }

    /// A copy of a term.
    pub fn copy(term: Term<'_>) -> OwnedTerm {
        OwnedTerm::new(|env| term.copy_to(env))
    }

    /// A copy in another environment.
    pub fn copy_to<'e>(&self, env: Env<'e>) -> Term<'e> {
        // SAFETY: the term is one of an environment that is there, and the other one is valid.
        env.term(unsafe { sys::enif_make_copy(env.raw(), self.raw) })
    }

    /// Shows the term.
    pub fn with<R>(&self, look: impl for<'x> FnOnce(Term<'x>) -> R) -> R {
        // SAFETY: the environment is there as long as `self`, which is not shared with other threads; the lifetime is that of this
        // call alone.
        let env = unsafe { Env::new(self.env.as_ptr()) };
        look(env.term(self.raw))
    }

    /// The environment and the term, for a function that takes over what is in it.
    pub(crate) fn parts(&self) -> (*mut RawEnv, RawTerm) {
        (self.env.as_ptr(), self.raw)
    }

    /// Sends it, without copying, from a call or from a resource's function.
    pub fn send(self, from: Host<'_>, to: Pid) -> Result<(), SendError> {
        self.send_by(from.raw(), to)
    }

    /// Sends it, without copying, from a thread of the library's own.
    pub fn send_from_thread(self, to: Pid) -> Result<(), SendError> {
        // SAFETY: a plain call.
        if unsafe { sys::enif_thread_type() } != 0 {
            return Err(SendError::ThreadOfTheVm);
        }
        self.send_by(ptr::null_mut(), to)
    }

    fn send_by(self, from: *mut RawEnv, to: Pid) -> Result<(), SendError> {
        // SAFETY: the caller's environment is valid, or there is none and the thread is none of the VM's; what is in the
        // message's environment is not used afterwards.
        let sent = unsafe { sys::enif_send(from, to.raw(), self.env.as_ptr(), self.raw) != 0 };
        if sent {
            Ok(())
        } else {
            Err(SendError::NoProcess)
        }
    }
}

impl Drop for OwnedTerm {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { sys::enif_free_env(self.env.as_ptr()) };
    }
}
