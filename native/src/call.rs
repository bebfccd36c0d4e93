//! How a function that Erlang calls is entered, and how it ends.

use crate::env::Call;
use crate::library::panic_text;
use crate::sys::{self, Entrance, RawEnv, RawTerm};
use crate::term::{BadTerm, Term};
use std::ffi::{CString, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a function gives.
pub type Answer<'e> = Result<Term<'e>, Leave<'e>>;

/// The ways out of a function other than by a value.
pub enum Leave<'e> {
    /// `error:badarg`.
    Badarg,
    /// An error with this reason.
    Error(Term<'e>),
    /// Another function is called in its place, in another time slice or by another scheduler.
    Schedule(Scheduled<'e>),
}

impl<'e> Leave<'e> {
    /// Calls a function in this one's place, with these arguments; `name` is what a stack trace shows.
    pub fn schedule<const N: usize>(
        name: &str,
        on: On,
        function: NativeFunction<N>,
        arguments: [Term<'e>; N],
    ) -> Leave<'e> {
        Leave::Schedule(Scheduled {
            name: CString::new(name).unwrap_or_default(),
            on,
            function: function.0,
            arguments: arguments.to_vec(),
        })
    }
}

impl From<BadTerm> for Leave<'_> {
    fn from(_: BadTerm) -> Self {
        Leave::Badarg
    }
}

/// A call that is to be made.
pub struct Scheduled<'e> {
    name: CString,
    on: On,
    function: Entrance,
    arguments: Vec<Term<'e>>,
}

/// Which scheduler runs a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    /// An ordinary one: for what takes less than a millisecond.
    Normal = 0,
    /// One for work that takes long.
    DirtyCpu = 1,
    /// One for what waits for the system.
    DirtyIo = 2,
}

/// A function as the VM calls it, with so many arguments: made by `native_function!`.
#[derive(Clone, Copy)]
pub struct NativeFunction<const N: usize>(Entrance);

impl<const N: usize> NativeFunction<N> {
    /// # Safety
    /// The function does what `run` does, with the same number of arguments.
    #[doc(hidden)]
    pub const unsafe fn new(function: Entrance) -> NativeFunction<N> {
        NativeFunction(function)
    }

    pub(crate) fn entrance(self) -> Entrance {
        self.0
    }
}

/// Calls a function of Rust for the VM. A panic becomes the error `{panic, Message}`, where panics unwind.
///
/// # Safety
/// The VM calls, with an environment for this call and `N` arguments.
#[doc(hidden)]
pub unsafe fn run<const N: usize>(
    env: *mut RawEnv,
    _: c_int,
    arguments: *const RawTerm,
    function: for<'e> fn(Call<'e>, [Term<'e>; N]) -> Answer<'e>,
) -> RawTerm {
    // SAFETY: the caller's promise; the lifetime is that of this call.
    let call = unsafe { Call::new(env) };
    let arguments = std::array::from_fn(|i| {
        // SAFETY: there are `N` arguments.
        call.term(unsafe { *arguments.add(i) })
    });
    let answer = catch_unwind(AssertUnwindSafe(|| function(call, arguments)));
    let answer = answer.unwrap_or_else(|panic| {
        let text = panic_text(&*panic);
        Err(Leave::Error(call.make((call.atom("panic"), text))))
    });
    match answer {
        Ok(term) => term.raw,
        // SAFETY: the environment is one of a call, whose function returns what this gives.
        Err(Leave::Badarg) => unsafe { sys::enif_make_badarg(env) },
        // SAFETY: as above; the term is one of this environment.
        Err(Leave::Error(reason)) => unsafe { sys::enif_raise_exception(env, reason.raw) },
        Err(Leave::Schedule(next)) => {
            let arguments: Vec<RawTerm> = next.arguments.iter().map(|t| t.raw).collect();
            // SAFETY: as above; the arguments are terms of this environment, as many as the function takes.
            unsafe {
                sys::enif_schedule_nif(
                    env,
                    next.name.as_ptr(),
                    next.on as c_int,
                    next.function,
                    arguments.len() as c_int,
                    arguments.as_ptr(),
                )
            }
        }
    }
}

/// A function of Rust, with the number of its arguments, as one that the VM calls: `native_function!(f / 2)`.
#[macro_export]
macro_rules! native_function {
    ($function:path, $arity:literal) => {{
        unsafe extern "C" fn enter(
            env: *mut $crate::sys::RawEnv,
            count: ::std::ffi::c_int,
            arguments: *const $crate::sys::RawTerm,
        ) -> $crate::sys::RawTerm {
            // SAFETY: only the VM calls it, as the interface says.
            unsafe { $crate::call::run::<$arity>(env, count, arguments, $function) }
        }
        // SAFETY: it is that function.
        unsafe { $crate::NativeFunction::<$arity>::new(enter) }
    }};
}
