//! Environments: where terms are.

use crate::convert::Encode;
use crate::process::Pid;
use crate::sys::{self, RawEnv, RawTerm};
use crate::term::{BadTerm, Term};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

/// An environment. Its lifetime is its own: terms of two environments have different types, so that none is built into a term of
/// another one, and none outlives what it is in.
#[derive(Clone, Copy)]
pub struct Env<'e> {
    raw: NonNull<RawEnv>,
    /// Neither longer nor shorter, and of this thread.
    brand: PhantomData<(*mut (), Cell<&'e ()>)>,
}

impl<'e> Env<'e> {
    /// The environment that the VM has handed over.
    ///
    /// # Safety
    /// It is valid, and used by this thread only, for `'e`, and nobody else has that lifetime.
    pub(crate) unsafe fn new(raw: *mut RawEnv) -> Env<'e> {
        let raw = NonNull::new(raw).expect("an environment");
        Env {
            raw,
            brand: PhantomData,
        }
    }

    pub(crate) fn raw(self) -> *mut RawEnv {
        self.raw.as_ptr()
    }

    pub(crate) fn term(self, raw: RawTerm) -> Term<'e> {
        Term { raw, env: self }
    }

    /// A value as a term.
    pub fn make(self, value: impl Encode<'e>) -> Term<'e> {
        value.encode(self)
    }

    /// An atom. It has at most 255 characters: a longer name panics.
    pub fn atom(self, name: &str) -> Term<'e> {
        crate::atom::Atom::new(self, name)
            .expect("an atom has at most 255 characters")
            .term(self)
    }

    /// A float; an error for what Erlang has no float for, which are infinities and what is no number.
    pub fn float(self, value: f64) -> Result<Term<'e>, BadTerm> {
        if !value.is_finite() {
            return Err(BadTerm);
        }
        // SAFETY: the environment is valid, and the number one that a float can be.
        Ok(self.term(unsafe { sys::enif_make_double(self.raw(), value) }))
    }

    /// A binary with a copy of these bytes.
    pub fn binary(self, bytes: &[u8]) -> Term<'e> {
        let mut term = 0;
        // SAFETY: the environment is valid, and what is given has room for these bytes.
        unsafe {
            let data = sys::enif_make_new_binary(self.raw(), bytes.len(), &mut term);
            data.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        self.term(term)
    }

    /// A tuple.
    pub fn tuple(self, elements: &[Term<'e>]) -> Term<'e> {
        let raw: Vec<RawTerm> = elements.iter().map(|t| t.raw).collect();
        // SAFETY: all are terms of this environment, given with their number.
        self.term(unsafe {
            sys::enif_make_tuple_from_array(self.raw(), raw.as_ptr(), raw.len() as u32)
        })
    }

    /// A list.
    pub fn list(self, elements: &[Term<'e>]) -> Term<'e> {
        let raw: Vec<RawTerm> = elements.iter().map(|t| t.raw).collect();
        // SAFETY: all are terms of this environment, given with their number.
        self.term(unsafe {
            sys::enif_make_list_from_array(self.raw(), raw.as_ptr(), raw.len() as u32)
        })
    }

    /// `[Head | Tail]`.
    pub fn cons(self, head: Term<'e>, tail: Term<'e>) -> Term<'e> {
        // SAFETY: both are terms of this environment.
        self.term(unsafe { sys::enif_make_list_cell(self.raw(), head.raw, tail.raw) })
    }

    /// A map; of several pairs with one key the last counts.
    pub fn map(self, pairs: &[(Term<'e>, Term<'e>)]) -> Term<'e> {
        // SAFETY: the environment is valid.
        let empty = self.term(unsafe { sys::enif_make_new_map(self.raw()) });
        pairs.iter().fold(empty, |map, &(key, value)| {
            map.with(key, value).expect("it is a map")
        })
    }

    /// A fresh reference.
    pub fn reference(self) -> Term<'e> {
        // SAFETY: the environment is valid.
        self.term(unsafe { sys::enif_make_ref(self.raw()) })
    }

    /// A term from the external term format. `safe` makes no atoms that there are not yet.
    pub fn from_external(self, bytes: &[u8], safe: bool) -> Result<Term<'e>, BadTerm> {
        let options = if safe { sys::SAFE } else { 0 };
        let mut term = 0;
        // SAFETY: the environment is valid; the bytes are given with their number; there is a place for the term.
        let used = unsafe {
            sys::enif_binary_to_term(self.raw(), bytes.as_ptr(), bytes.len(), &mut term, options)
        };
        if used == 0 {
            return Err(BadTerm);
        }
        Ok(self.term(term))
    }
}

/// An environment with which the VM has called the library: a function of Erlang's, or one of a resource.
#[derive(Clone, Copy)]
pub struct Host<'e>(Env<'e>);

impl<'e> Host<'e> {
    /// # Safety
    /// As for `Env::new`; the environment is one that the VM has called with.
    pub(crate) unsafe fn new(raw: *mut RawEnv) -> Host<'e> {
        // SAFETY: the caller's promise.
        Host(unsafe { Env::new(raw) })
    }

    /// Sends a copy of a term; `false` if there is no such process.
    pub fn send(self, to: Pid, message: Term<'e>) -> bool {
        // SAFETY: the environment is valid; without one of its own the message is copied.
        unsafe { sys::enif_send(self.0.raw(), to.raw(), std::ptr::null_mut(), message.raw) != 0 }
    }

    /// The process that is registered under a name.
    pub fn whereis(self, name: &str) -> Option<Pid> {
        let name = crate::atom::Atom::new(self.0, name).ok()?.term(self.0);
        Pid::filled(|pid| {
            // SAFETY: the environment is valid; there is a place for the pid.
            unsafe { sys::enif_whereis_pid(self.0.raw(), name.raw, pid) != 0 }
        })
    }

    /// Is the process alive?
    pub fn is_alive(self, pid: Pid) -> bool {
        // SAFETY: the environment is valid, the pid one of this node.
        unsafe { sys::enif_is_process_alive(self.0.raw(), pid.raw()) != 0 }
    }
}

impl<'e> Deref for Host<'e> {
    type Target = Env<'e>;

    fn deref(&self) -> &Env<'e> {
        &self.0
    }
}

/// The environment of a call by a process.
#[derive(Clone, Copy)]
pub struct Call<'e>(Host<'e>);

impl<'e> Call<'e> {
    /// # Safety
    /// As for `Env::new`; the environment is one of a process's call.
    pub(crate) unsafe fn new(raw: *mut RawEnv) -> Call<'e> {
        // SAFETY: the caller's promise.
        Call(unsafe { Host::new(raw) })
    }

    /// The calling process.
    pub fn pid(self) -> Pid {
        Pid::filled(|pid| {
            // SAFETY: the environment is one of a process; there is a place for the pid.
            unsafe { !sys::enif_self(self.0.raw(), pid).is_null() }
        })
        .expect("a process calls")
    }

    /// Is it still alive? A process that was killed goes on with a dirty function.
    pub fn is_caller_alive(self) -> bool {
        // SAFETY: the environment is one of a process.
        unsafe { sys::enif_is_current_process_alive(self.0.raw()) != 0 }
    }

    /// Says that `percent` of a time slice were used since it was said last; `true` if the slice is over, and the rest should be
    /// left to a function that is scheduled (`Leave::schedule`).
    pub fn consume_timeslice(self, percent: u32) -> bool {
        let percent = percent.clamp(1, 100) as i32;
        // SAFETY: the environment is one of a process, the number one of those allowed.
        unsafe { sys::enif_consume_timeslice(self.0.raw(), percent) != 0 }
    }
}

impl<'e> Deref for Call<'e> {
    type Target = Host<'e>;

    fn deref(&self) -> &Host<'e> {
        &self.0
    }
}
