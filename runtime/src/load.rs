//! Loading: from a file's bytes to a module that can be made current.

use crate::atom::{Atom, AtomError};
use crate::code::export::{self, Export};
use crate::code::fun::{self, FunEntry};
use crate::code::install::Prepared;
use crate::code::module::Module;
use crate::etf;
use crate::heap::Heap;
use crate::heap::literal::LiteralArea;
use crate::release;
use crate::term::Term;
use crate::term::fun::FunName;
use enigma_loader::{BeamFile, LoadError};
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a file cannot be loaded.
#[derive(Debug)]
pub enum Failure {
    /// The file is malformed.
    Bad(LoadError),
    /// A `bif` instruction names something else than a guard BIF.
    NotAGuardBif(&'static Export),
    /// The term in this chunk is malformed.
    BadTerm(&'static str),
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
            Failure::BadTerm(chunk) => write!(f, "the term in chunk {chunk} is malformed"),
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
    for (chunk, bytes) in [
        ("Attr", file.attributes.as_deref()),
        ("CInf", file.compile_info.as_deref()),
    ] {
        if bytes.is_some_and(|b| etf::decode_trusted(b, &mut heap).is_err()) {
            return Err(Failure::BadTerm(chunk));
        }
    }
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
    let funs = funs(&file, atoms[file.module as usize]);
    // Behind the literals of the file come the funs that are literals.
    let in_file = literals.len();
    literals.extend(funs.iter().map(|&e| fun_literal(e, &mut heap)));
    let area = LiteralArea::copy_of(&mut literals);
    let fun_literals = literals.split_off(in_file);
    Ok(Prepared {
        module: Module::new(
            file,
            atoms,
            literals.into_boxed_slice(),
            fun_literals.into_boxed_slice(),
            area,
            imports,
            funs,
        ),
    })
}

/// The entries of a module's funs.
fn funs(file: &BeamFile, module: Atom) -> Box<[&'static FunEntry]> {
    (0u32..)
        .zip(&file.lambdas)
        .map(|(index, l)| {
            fun::get(FunName {
                module,
                index,
                old_uniq: l.old_uniq,
                uniq: file.md5,
                arity: l.arity - l.num_free,
                num_free: l.num_free,
            })
        })
        .collect()
}

/// A fun as a literal, or nothing where each process makes its own.
fn fun_literal(entry: &'static FunEntry, heap: &mut Heap) -> Term {
    if entry.num_free == 0 && release::funs_are_literals() {
        heap.fun(entry, Term::local_pid(0), &[])
    } else {
        Term::NIL
    }
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
