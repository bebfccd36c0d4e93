//! Environments: where the terms are that a library has.
//!
//! ```text
//! of a call       lives on the machine's stack while a library's function runs; its terms are in the process's heap, which is
//!                 not collected meanwhile, so a term needs no handle: it is the word itself
//! of its own      made by `enif_alloc_env`; has a heap of its own, and a term that comes from elsewhere is copied into it, literals too
//! of a callback   of its own as well, for functions that are called for no process (destructors and the like)
//! ```
//!
//! A library has an environment of a call as long as the call, and one of its own until it frees it; one thread uses it at a
//! time. Those are its duties by `erl_nif.h`.

use crate::c::{Ptr, Word};
use crate::library::Library;
use crate::resource_type::OpenedTypes;
use enigma_runtime::bif::Ctx;
use enigma_runtime::{Heap, Term, bug};
use std::ptr::NonNull;

/// `ErlNifEnv`.
#[repr(C)]
pub struct NifEnv {
    heap: NonNull<Heap>,
    /// The process and the scheduler that run the call; null where there is none.
    cx: *mut Ctx<'static>,
    library: *const Library,
    /// The reason of the exception that is to be raised, or none.
    exception: Term,
    /// Has the process been told what to call next?
    scheduled: bool,
    /// The types that are being opened, while a library is loaded.
    opened: Option<NonNull<OpenedTypes>>,
}

/// An environment with a heap of its own. The environment comes first, so that one address leads to both.
#[repr(C)]
pub struct OwnEnv {
    env: NifEnv,
    heap: Heap,
}

/// What a function of the interface is handed as its environment.
pub type EnvPtr = Ptr<NifEnv>;

impl EnvPtr {
    /// The environment; a library must not leave it out.
    #[inline(always)]
    pub fn env<'a>(self) -> &'a mut NifEnv {
        match self.get_mut() {
            Some(env) => env,
            None => bug::limit_reached("A native library has left out the environment of a call"),
        }
    }

    /// Where terms are made.
    #[inline(always)]
    pub fn heap<'a>(self) -> &'a mut Heap {
        self.env().heap()
    }
}

impl NifEnv {
    /// The environment of a call of a library's function by a process.
    #[inline(always)]
    pub fn of_call(cx: &mut Ctx<'_>, library: *const Library) -> NifEnv {
        NifEnv {
            heap: NonNull::from(cx.heap()),
            cx: std::ptr::from_mut(cx).cast(),
            library,
            exception: Term::NONVALUE,
            scheduled: false,
            opened: None,
        }
    }

    /// The same while the library is loaded, with the types that it opens.
    pub fn of_load(cx: &mut Ctx<'_>, library: &Library, opened: &mut OpenedTypes) -> NifEnv {
        NifEnv {
            opened: Some(NonNull::from(opened)),
            ..NifEnv::of_call(cx, library)
        }
    }

    /// Where terms are made.
    #[inline(always)]
    pub fn heap<'a>(&mut self) -> &'a mut Heap {
        // SAFETY: the heap is the process's, or the one beside this environment: it is there as long as this is, and only
        // functions of the interface use it while a library has the environment, one at a time.
        unsafe { self.heap.as_mut() }
    }

    /// The process that runs the call, if it is an environment of a call.
    pub fn context<'a>(&mut self) -> Option<&'a mut Ctx<'static>> {
        // SAFETY: the context outlives the environment of a call, and nobody uses it while the library's function runs but
        // functions of the interface, one at a time.
        unsafe { self.cx.as_mut() }
    }

    /// The library whose function was called.
    pub fn library<'a>(&self) -> Option<&'a Library> {
        // SAFETY: null, or the library that is being called, which whoever calls keeps.
        unsafe { self.library.as_ref() }
    }

    /// The types that are being opened, while a library is loaded.
    pub fn opened<'a>(&mut self) -> Option<&'a mut OpenedTypes> {
        // SAFETY: they belong to who loads the library, and outlive this environment.
        self.opened.map(|mut p| unsafe { p.as_mut() })
    }

    /// Notes an exception, and gives what the library's function is to return.
    pub fn raise(&mut self, reason: Term) -> Word {
        self.exception = reason;
        Word::NONE
    }

    /// The reason of the exception that is to be raised.
    pub fn exception(&self) -> Option<Term> {
        (!self.exception.is_nonvalue()).then_some(self.exception)
    }

    /// Notes that the process knows what to call next.
    pub fn set_scheduled(&mut self) {
        self.scheduled = true;
    }

    /// Does the process know what to call next?
    pub fn is_scheduled(&self) -> bool {
        self.scheduled
    }

    /// Did the call end with nothing but a value?
    #[inline(always)]
    pub fn is_plain(&self) -> bool {
        self.exception.is_nonvalue() && !self.scheduled
    }
}

impl OwnEnv {
    /// An environment for no process, with the library whose function is to be called, if there is one.
    pub fn new(library: *const Library) -> Box<OwnEnv> {
        let mut own = Box::new(OwnEnv {
            env: NifEnv {
                heap: NonNull::dangling(),
                cx: std::ptr::null_mut(),
                library,
                exception: Term::NONVALUE,
                scheduled: false,
                opened: None,
            },
            heap: Heap::new(),
        });
        own.env.heap = NonNull::from(&mut own.heap);
        own
    }

    /// For C.
    pub fn as_ptr(&mut self) -> EnvPtr {
        Ptr::to(std::ptr::from_mut(self).cast())
    }

    /// Gives it to C.
    pub fn into_ptr(self: Box<OwnEnv>) -> EnvPtr {
        Ptr::to(Box::into_raw(self).cast())
    }

    /// The environment of its own that C names; nothing where that is one of a call.
    pub fn of<'a>(p: EnvPtr) -> Option<&'a mut OwnEnv> {
        if !p.get()?.cx.is_null() {
            return None;
        }
        // SAFETY: environments without a process begin an `OwnEnv`, which the library has not freed.
        unsafe { p.address().cast::<OwnEnv>().as_mut() }
    }

    /// Takes it back from C.
    pub fn take(p: EnvPtr) -> Option<Box<OwnEnv>> {
        let own: *mut OwnEnv = OwnEnv::of(p)?;
        // SAFETY: `into_ptr` has made it of a box, and the library frees it once.
        Some(unsafe { Box::from_raw(own) })
    }

    /// Takes the heap away and leaves an empty one.
    pub fn take_heap(&mut self) -> Heap {
        self.env.exception = Term::NONVALUE;
        std::mem::take(&mut self.heap)
    }
}
