//! Purging: an old version of a module goes, and its memory is given back.
//!
//! `erts_code_purger` drives it, one module at a time:
//!
//! ```text
//! prepare     funs of the old version can be called no longer: who calls one waits
//! ...         the purger looks into every process, kills those that run the old version, or gives up
//! abort       funs work again
//! complete    funs lead to the error handler; literals go to `heap::release`; when every thread has ended
//!             its time slice, the module's memory is freed
//! either      those who wait call `erts_code_purger:pending_purge_lambda/3`, which calls the fun again
//! ```
//!
//! Nothing else leads into an old version: export entries lead to the current one, and the purger has
//! made sure that no process stands in its code or will return to it.

use super::fun::FunEntry;
use super::install::{self, LOADING};
use super::module::{self, Module};
use super::native::return_address;
use super::ranges;
use crate::atom::Atom;
use crate::bif::Ctx;
use crate::heap::release::{self, Retired};
use crate::process::stack::StackWord;
use crate::process::{Owned, suspend};
use crate::quiescence;
use parking_lot::Mutex;

/// The purge that is under way.
struct Purge {
    module: &'static Module,
    /// Packed pids of the processes that have called one of its funs.
    waiting: Vec<u64>,
}

static PURGE: Mutex<Option<Purge>> = Mutex::new(None);

/// Stands for the purger among those who have suspended a process.
const SUSPENDER: u64 = u64::MAX;

/// Begins to purge the old version of a module, or, with `on_load`, the version whose on_load function
/// has failed. `false` if there is none.
pub fn prepare(name: Atom, on_load: bool) -> bool {
    let _one = LOADING.lock();
    let versions = module::versions(name).unwrap_or_default();
    let version = if on_load {
        versions.on_load
    } else {
        versions.old
    };
    let Some(module) = version else {
        return false;
    };
    let mut purge = PURGE.lock();
    module.funs.iter().for_each(|f| f.suspend(module));
    *purge = Some(Purge {
        module,
        waiting: Vec::new(),
    });
    true
}

/// Gives up the purge.
pub fn abort() {
    let mut purge = PURGE.lock();
    if let Some(p) = purge.take() {
        p.module.funs.iter().for_each(|f| f.resume(true));
        drop(purge);
        wake(p.waiting);
    }
}

/// Ends the purge: takes the version away, whose memory is freed by what is given. Nothing if there is nothing to do.
pub fn complete() -> Option<Gone> {
    let loading = LOADING.lock();
    let mut purge = PURGE.lock();
    let p = purge.take()?;
    let m = p.module;
    let current = module::update(&loading, m.name, |v| {
        for version in [&mut v.old, &mut v.on_load] {
            if version.is_some_and(|v| std::ptr::eq(v, m)) {
                *version = None;
            }
        }
        v.current
    });
    m.funs.iter().for_each(|f| f.resume(false));
    // The same file loaded twice shares its fun entries.
    if let Some(c) = current.filter(|c| c.file.md5 == m.file.md5) {
        install::set_fun_targets(c);
    }
    drop(purge);
    drop(loading);
    wake(p.waiting);
    if let Some(library) = m.library() {
        library.unload();
    }
    m.forget_ranges();
    release::retire(Retired {
        areas: m.take_literals(),
        also: None,
    });
    Some(Gone {
        module: m.address(),
        has_library: m.library().is_some(),
    })
}

/// A module that no table leads to. Dropped, it is freed: that must wait until every thread has ended its time slice.
#[must_use]
pub struct Gone {
    module: *mut Module,
    has_library: bool,
}

impl Gone {
    /// Does it keep a native library? Whoever loads that again may see that it was not gone.
    pub fn has_library(&self) -> bool {
        self.has_library
    }

    /// Frees it as soon as it may be.
    pub fn free_in_time(self) {
        quiescence::after(move || drop(self));
    }
}

// SAFETY: the module belongs to this value alone once all time slices that were running have ended.
unsafe impl Send for Gone {}

impl Drop for Gone {
    fn drop(&mut self) {
        // SAFETY: `complete` has taken it out of all tables after the purger had looked into every
        // process; threads that may have looked at it have ended their time slices.
        unsafe { Module::free(self.module) };
    }
}

fn wake(waiting: Vec<u64>) {
    for id in waiting {
        suspend::release(id, SUSPENDER);
    }
}

/// The process has called a fun whose module is being purged: suspends it, from its next function entry
/// on, until it is known what becomes of the fun. `false` if that is known.
pub fn wait_for_end(cx: &mut Ctx<'_>, fun: &FunEntry) -> bool {
    let mut purge = PURGE.lock();
    let Some(p) = purge.as_mut().filter(|_| fun.pending().is_some()) else {
        return false;
    };
    p.waiting.push(cx.proc.id);
    drop(purge);
    suspend::hold(cx, SUSPENDER);
    true
}

/// Does the process run, or is it going to return to, the old version of a module, or the version that is
/// being purged? `pc` is where it stands.
pub fn is_used_by(own: &Owned, pc: *const u64, name: Atom) -> bool {
    let purged = PURGE
        .lock()
        .as_ref()
        .map(|p| p.module)
        .filter(|m| m.name == name);
    let old = || module::versions(name)?.old;
    let Some(m) = purged.or_else(old) else {
        return false;
    };
    let inside = |pc: *const u64| {
        m.holds_code(pc)
            || ranges::find(pc.wrapping_sub(1)).is_some_and(|(f, _)| std::ptr::eq(f.module(), m))
    };
    inside(pc)
        || own.stack.entries().any(|e| match e {
            StackWord::Return(word) => inside(return_address(word)),
            StackWord::Catch(pc) => inside(pc),
            StackWord::Term(_) => false,
        })
}
