//! Functions of native libraries that stand for a module's own.
//!
//! The bytecode of a function that a library replaces is not run any more: the function's entry record leads to the
//! instruction `NIF`, which calls the library with the arguments in the X registers. A module version has one library at
//! most, for as long as it is there, so nothing is ever taken back; what is replaced is known with the version's record.
//!
//! Native code that calls a function of its own module goes there directly, without the entry record, where it may. A function
//! that a library may still replace is called by its record (`FnInfo::may_be_replaced`).

use super::export::Export;
use super::module::{FnInfo, Module};
use super::native::INSTALLING;
use super::ops;
use crate::atom::Atom;
use crate::bif::{BifResult, Ctx, Pool};
use crate::process::Owned;
use crate::term::Term;
use parking_lot::Mutex;
use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The modules that have tried to load a library that was one.
static TAINTED: Mutex<Vec<Atom>> = Mutex::new(Vec::new());

/// Notes that a module has tried to load a library.
pub fn taint(module: Atom) {
    let mut tainted = TAINTED.lock();
    if !tainted.contains(&module) {
        tainted.push(module);
    }
}

/// The modules that have tried to load a library, the last one first.
pub fn tainted() -> Vec<Atom> {
    TAINTED.lock().iter().rev().copied().collect()
}

/// What calls the functions of a library.
pub trait NativeLibrary: Send + Sync {
    /// Calls the function at an address, with so many arguments in the X registers from 0 on. What leaves by
    /// `Exit::Scheduled` has put what is to be called next into the process (`Rare::scheduled`).
    fn call(&self, cx: &mut Ctx<'_>, function: usize, arity: usize) -> BifResult;
    /// The module's version is being purged: no process calls its functions any more.
    fn unload(&self);
    /// The library as what it is.
    fn as_any(&self) -> &(dyn Any + Send + Sync);
}

/// A call of a library's function.
#[derive(Clone)]
pub struct NifCall {
    /// Address of the function.
    pub function: usize,
    /// Number of arguments.
    pub arity: usize,
    /// Where it runs, if not on a scheduler.
    pub pool: Option<Pool>,
    /// What calls it; keeps the library.
    pub library: Arc<dyn NativeLibrary>,
}

/// What a process calls in place of the function that it is in (`enif_schedule_nif`).
pub struct Scheduled {
    /// The call.
    pub call: NifCall,
    /// Its arguments, until the process has them in its X registers.
    pub arguments: Vec<Term>,
}

impl Owned {
    /// Has a function of a native library said what to call in its place?
    #[inline(always)]
    pub fn has_scheduled(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.scheduled.is_some())
    }

    /// Takes what a function of a native library has said to call in its place.
    pub fn take_scheduled(&mut self) -> Option<Box<Scheduled>> {
        self.rare.as_mut()?.scheduled.take()?.downcast().ok()
    }

    /// Says what to call in place of the function of a native library that runs.
    pub fn set_scheduled(&mut self, next: Box<Scheduled>) {
        self.rare().scheduled = Some(next);
    }
}

/// The library of a module version.
pub(super) struct Natives {
    library: Arc<dyn NativeLibrary>,
    /// Indices of the functions that it stands for, in its own order.
    functions: Box<[u32]>,
}

/// The native side of a function that a library stands for.
#[derive(Default)]
pub(super) struct NifSide {
    call: OnceLock<NifCall>,
    /// The instruction and the address of the function's record.
    stub: [AtomicU64; 2],
}

impl FnInfo {
    /// What is called in its place, if a library stands for it.
    #[inline(always)]
    pub fn nif(&self) -> Option<&NifCall> {
        self.nif.call.get()
    }

    /// May a library stand for it one day? So it is in modules that load one, for all functions or for those that the attribute
    /// `nifs` names, which the compiler marks.
    pub fn may_be_replaced(&self) -> bool {
        let replaceable = self
            .module()
            .replaceable
            .get_or_init(|| replaceable(self.module()));
        replaceable
            .get(self.index as usize)
            .copied()
            .unwrap_or(false)
    }

    fn replace(&'static self, call: NifCall) {
        let _one = INSTALLING.lock();
        if self.nif.call.set(call).is_err() {
            return;
        }
        let stub = &self.nif.stub;
        stub[0].store(u64::from(ops::NIF), Ordering::Relaxed);
        stub[1].store(std::ptr::from_ref(self) as u64, Ordering::Release);
        self.clear_fun_enter();
        self.entry.clear_native();
        self.entry.set_code(stub.as_ptr().cast());
    }
}

/// Which functions of a module a library may stand for.
fn replaceable(m: &Module) -> Box<[bool]> {
    let is_loader = |e: &&'static Export| {
        (e.module, e.function.text(), e.arity) == (Atom::ERLANG, "load_nif", 2)
    };
    if !m.imports.iter().any(is_loader) {
        return Box::default();
    }
    // Compilers before OTP 25 mark no functions.
    let are_marked = m.file.functions.iter().any(|f| f.may_be_nif);
    let all = m.file.functions.iter();
    all.map(|f| f.may_be_nif || !are_marked).collect()
}

impl Module {
    /// The library that stands for functions of this version.
    pub fn library(&self) -> Option<&Arc<dyn NativeLibrary>> {
        Some(&self.natives.get()?.library)
    }

    /// Lets a library stand for functions, whose indices go with what is to be called. `false` if there is one already.
    pub fn set_library(
        &'static self,
        library: Arc<dyn NativeLibrary>,
        functions: Vec<(u32, NifCall)>,
    ) -> bool {
        let natives = Natives {
            library,
            functions: functions.iter().map(|f| f.0).collect(),
        };
        let is_first = self.natives.set(natives).is_ok();
        if is_first {
            for (index, call) in functions {
                self.functions[index as usize].replace(call);
            }
        }
        is_first
    }

    /// The functions that a library stands for, in its order.
    pub fn nifs(&'static self) -> impl Iterator<Item = &'static FnInfo> {
        let indices = self.natives.get().map_or(&[][..], |n| &n.functions);
        indices.iter().map(|&i| &self.functions[i as usize])
    }
}
