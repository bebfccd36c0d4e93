//! Making modules current: what calls and funs find changes here.

use super::export;
use super::module::{self, Module};
use crate::atom::Atom;
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashSet;

/// A module that was read and verified and waits to be made current.
pub struct Prepared {
    pub(crate) module: Module,
}

impl Prepared {
    /// Name of the module.
    pub fn name(&self) -> Atom {
        self.module.name
    }

    /// Forgets the source positions, for modules that are part of the emulator.
    pub fn without_lines(mut self) -> Prepared {
        self.module.file.lines = enigma_loader::LineTable::default();
        self
    }

    /// Must an on_load function run before the module becomes current?
    pub fn has_on_load(&self) -> bool {
        self.module.file.on_load.is_some()
    }
}

/// One loading at a time.
pub(super) static LOADING: Mutex<()> = Mutex::new(());

/// Makes modules current, all at once, and their current versions old. Where one still has an old version nothing is done: it
/// must be purged first.
///
/// # Errors
/// The modules, as they were given.
pub fn install(list: Vec<Prepared>) -> Result<Vec<&'static Module>, Vec<Prepared>> {
    let loading = LOADING.lock();
    if list.iter().any(|p| is_unpurged(p.name())) {
        return Err(list);
    }
    Ok(list
        .into_iter()
        .map(|p| install_one(&loading, p.module.settle()))
        .collect())
}

/// Does the module have two versions?
pub fn is_unpurged(name: Atom) -> bool {
    module::versions(name).is_some_and(|v| v.old.is_some() && v.current.is_some())
}

/// Its functions can be called before it is told to be loaded: who finds a function missing and then the
/// module loaded may take the function for not there.
fn install_one(loading: &MutexGuard<'_, ()>, m: &'static Module) -> &'static Module {
    activate(m);
    module::update(loading, m.name, |v| {
        v.old = v.current.take().or(v.old);
        v.current = Some(m);
    });
    m
}

/// Makes a module settle without becoming current: its on_load function is still to run. Its funs work
/// already.
pub fn settle(p: Prepared) -> &'static Module {
    let loading = LOADING.lock();
    let m = p.module.settle();
    module::update(&loading, m.name, |v| v.on_load = Some(m));
    set_fun_targets(m);
    m
}

/// The module whose on_load function runs or has failed.
pub fn settled(name: Atom) -> Option<&'static Module> {
    module::versions(name)?.on_load
}

/// Makes a settled module current, after its on_load function. `false` if there is none.
pub fn install_settled(name: Atom) -> bool {
    let loading = LOADING.lock();
    let m = module::update(&loading, name, |v| v.on_load.take());
    m.map(|m| install_one(&loading, m)).is_some()
}

/// Lets calls and funs find the module's functions. A function that the module had before and still has is never
/// missing meanwhile.
fn activate(m: &'static Module) {
    let mut exported = HashSet::new();
    for f in m.exports() {
        let e = export::get(m.name, f.name, f.arity);
        exported.insert((f.name, f.arity));
        if e.bif().is_none() {
            e.set(f);
        }
    }
    for e in export::of_module(m.name) {
        if !exported.contains(&(e.function, e.arity)) {
            e.clear();
        }
    }
    set_fun_targets(m);
}

/// Lets the funs of a module find its functions.
pub(super) fn set_fun_targets(m: &'static Module) {
    for (l, entry) in m.file.lambdas.iter().zip(&m.funs) {
        if let Some(i) = m.file.function_by_entry(l.label) {
            entry.set_target(Some(&m.functions[i]));
        }
    }
}

/// Takes the current version away, if there is no old one: it becomes old, calls go to the error handler.
pub fn delete(name: Atom) {
    let loading = LOADING.lock();
    let had = module::update(&loading, name, |v| {
        let has = v.current.is_some() && v.old.is_none();
        if has {
            v.old = v.current.take();
        }
        has
    });
    if had {
        for e in export::of_module(name) {
            e.clear();
        }
    }
}
