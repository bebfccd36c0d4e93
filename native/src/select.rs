//! Waiting for descriptors, by the VM's poller.

use crate::env::Host;
use crate::process::{OwnedTerm, Pid};
use crate::resource::{Resource, Shared};
use crate::sys;
use crate::term::Term;
use std::ffi::c_int;
use std::fmt;
use std::os::fd::RawFd;
use std::ptr;

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interest(c_int);

impl Interest {
    /// Until there is something to be read.
    pub const READ: Interest = Interest(1);
    /// Until something can be written.
    pub const WRITE: Interest = Interest(2);

    const STOP: c_int = 4;
    const CANCEL: c_int = 8;
    const CUSTOM_MESSAGE: c_int = 16;
}

/// The VM does not wait for the descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SelectError {
    /// It is none that can be waited for, or another resource has it.
    InvalidDescriptor,
    /// The system does not let it.
    Failed,
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SelectError::InvalidDescriptor => "the descriptor is not valid",
            SelectError::Failed => "the descriptor cannot be waited for",
        })
    }
}

impl std::error::Error for SelectError {}

/// What the VM has said.
fn answer(n: c_int) -> Result<c_int, SelectError> {
    const INVALID: c_int = 4;
    if n >= 0 {
        Ok(n)
    } else if n & INVALID != 0 {
        Err(SelectError::InvalidDescriptor)
    } else {
        Err(SelectError::Failed)
    }
}

/// A descriptor is the resource's from the first call on, and stays open until `Resource::stop` says that it may be closed.
impl<T: Resource> Shared<T> {
    /// Sends `{select, Resource, Reference, ready_input}` (or `ready_output`) to the process once it is ready. The reference is one of
    /// `Env::reference`, or `undefined`.
    pub fn select(
        &self,
        env: Host<'_>,
        descriptor: RawFd,
        interest: Interest,
        to: Pid,
        reference: Term<'_>,
    ) -> Result<(), SelectError> {
        self.call(env, descriptor, interest.0, Some(to), reference)
            .map(drop)
    }

    /// Sends this message to the process once it is ready.
    pub fn select_with(
        &self,
        env: Host<'_>,
        descriptor: RawFd,
        interest: Interest,
        to: Pid,
        message: OwnedTerm,
    ) -> Result<(), SelectError> {
        let (message_env, term) = message.parts();
        // SAFETY: as above; what is in the message's environment is not used afterwards.
        let n = unsafe {
            sys::enif_select_x(
                env.raw(),
                descriptor,
                interest.0 | Interest::CUSTOM_MESSAGE,
                self.object(),
                to.raw(),
                term,
                message_env,
            )
        };
        answer(n).map(drop)
    }

    /// Waits no more; `true` if it was waited for, so that no message will come that has not.
    pub fn select_cancel(
        &self,
        env: Host<'_>,
        descriptor: RawFd,
        interest: Interest,
    ) -> Result<bool, SelectError> {
        const CANCELLED: c_int = 16 | 32;
        self.plain(env, descriptor, interest.0 | Interest::CANCEL)
            .map(|n| n & CANCELLED != 0)
    }

    /// Lets go of the descriptor: `Resource::stop` is called, at once or later, by any thread.
    pub fn select_stop(&self, env: Host<'_>, descriptor: RawFd) -> Result<(), SelectError> {
        self.plain(env, descriptor, Interest::STOP).map(drop)
    }

    fn plain(&self, env: Host<'_>, descriptor: RawFd, flags: c_int) -> Result<c_int, SelectError> {
        let undefined = env.atom("undefined");
        self.call(env, descriptor, flags, None, undefined)
    }

    fn call(
        &self,
        env: Host<'_>,
        descriptor: RawFd,
        flags: c_int,
        to: Option<Pid>,
        reference: Term<'_>,
    ) -> Result<c_int, SelectError> {
        let to = to.as_ref().map_or(ptr::null(), Pid::raw);
        // SAFETY: the environment is valid, the resource there, and of a type with `stop`; the pid is there as long as the call, or
        // null; the term is one of an environment that is there.
        answer(unsafe {
            sys::enif_select(
                env.raw(),
                descriptor,
                flags,
                self.object(),
                to,
                reference.raw,
            )
        })
    }
}
