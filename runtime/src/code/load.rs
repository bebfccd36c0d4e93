//! Loading: from a file's bytes to a module that can be called.

use super::export::{self, Export};
use super::fun;
use super::module::{self, Module};
use crate::atom::{Atom, AtomError};
use crate::etf;
use crate::heap::Heap;
use crate::heap::literal::LiteralArea;
use crate::term::Term;
use enigma_loader::{BeamFile, LoadError};
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// A module that was read and verified and waits to be made current.
pub struct Prepared {
    module: Module,
}

/// Why a file cannot be loaded.
#[derive(Debug)]
pub enum Failure {
    /// The file is malformed.
    Bad(LoadError),
    /// A `bif` instruction names something else than a guard BIF.
    NotAGuardBif(&'static Export),
    /// A literal is malformed.
    BadLiteral(usize),
    /// An atom does not fit the atom table.
    Atom(AtomError),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Bad(e) => e.fmt(f),
            Failure::NotAGuardBif(e) => write!(f, "{e} is no guard BIF of this release"),
            Failure::BadLiteral(i) => write!(f, "literal {i} is malformed"),
            Failure::Atom(AtomError::TooLong) => f.write_str("an atom is too long"),
            Failure::Atom(AtomError::TableFull) => f.write_str("the atom table is full"),
        }
    }
}

static LINE_INFO: AtomicBool = AtomicBool::new(true);

/// Sets whether modules keep their source positions (not with `+L`).
pub fn set_line_info(on: bool) {
    LINE_INFO.store(on, Ordering::Relaxed);
}

/// Reads and verifies a file.
pub fn prepare(bytes: &[u8]) -> Result<Prepared, Failure> {
    let mut file = BeamFile::parse(bytes).map_err(Failure::Bad)?;
    if !LINE_INFO.load(Ordering::Relaxed) {
        file.lines = enigma_loader::LineTable::default();
    }
    let atoms: Box<[Atom]> = file
        .atoms
        .iter()
        .map(|text| Atom::try_new(text))
        .collect::<Result<_, _>>()
        .map_err(Failure::Atom)?;
    let mut heap = Heap::new();
    let mut literals: Vec<Term> = Vec::with_capacity(file.literals.len());
    for (i, bytes) in file.literals.iter().enumerate() {
        literals.push(etf::decode_trusted(bytes, &mut heap).map_err(|_| Failure::BadLiteral(i))?);
    }
    let area = LiteralArea::copy_of(&mut literals);
    let imports: Box<[&'static Export]> = file
        .imports
        .iter()
        .map(|i| {
            export::get(
                atoms[i.module as usize],
                atoms[i.function as usize],
                i.arity,
            )
        })
        .collect();
    guard_bifs_are_there(&file, &imports)?;
    let name = atoms[file.module as usize];
    let funs = (0u32..)
        .zip(&file.lambdas)
        .map(|(i, l)| {
            fun::get(
                name,
                i,
                l.old_uniq,
                file.md5,
                l.arity - l.num_free,
                l.num_free,
            )
        })
        .collect();
    Ok(Prepared {
        module: Module::new(
            file,
            atoms,
            literals.into_boxed_slice(),
            area,
            imports,
            funs,
        ),
    })
}

/// What stands in a `bif` instruction must be a BIF that only gives a value or an error: the release's loader asks for
/// no less.
fn guard_bifs_are_there(file: &BeamFile, imports: &[&'static Export]) -> Result<(), Failure> {
    let missing = file.guard_bifs.iter().map(|&i| imports[i as usize]);
    let mut missing = missing.filter(|e| e.bif().is_none_or(|b| !b.is_guard()));
    match missing.next() {
        Some(e) => Err(Failure::NotAGuardBif(e)),
        None => Ok(()),
    }
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

/// Makes modules current, all at once. The versions that were current become old; a module that still
/// has an old version must have been purged before, which the caller checks.
pub fn install(list: Vec<Prepared>) -> Vec<&'static Module> {
    let loading = LOADING.lock();
    list.into_iter()
        .map(|p| install_one(&loading, p.module.settle()))
        .collect()
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
