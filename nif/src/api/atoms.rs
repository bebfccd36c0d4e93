//! Atoms.

use crate::c::{Bool, CText, CharEncoding, Ptr, Word};
use crate::env::EnvPtr;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use std::ffi::{c_int, c_uint};

fn make(env: EnvPtr, bytes: &[u8]) -> Word {
    let text = CharEncoding::Latin1.decode(bytes).unwrap_or_default();
    match Atom::try_new(&text) {
        Ok(a) => Term::atom(a).into(),
        Err(_) => env.env().raise(Atom::BADARG.into()),
    }
}

/// An atom of a text in Latin-1.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_atom(env: EnvPtr, name: CText) -> Word {
    make(env, name.bytes())
}

/// The same of so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_atom_len(env: EnvPtr, name: Ptr<u8>, len: usize) -> Word {
    make(env, name.slice(len))
}

fn new_atom(bytes: &[u8], atom: Ptr<Word>, encoding: c_int) -> Bool {
    let text = CharEncoding::of(encoding).and_then(|e| e.decode(bytes));
    atom.store(text.and_then(|t| Atom::try_new(&t).ok()).map(Term::atom))
}

/// An atom of a text; 0 if there can be none.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_new_atom(
    _: EnvPtr,
    name: CText,
    atom: Ptr<Word>,
    encoding: c_int,
) -> Bool {
    new_atom(name.bytes(), atom, encoding)
}

/// The same of so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_new_atom_len(
    _: EnvPtr,
    name: Ptr<u8>,
    len: usize,
    atom: Ptr<Word>,
    encoding: c_int,
) -> Bool {
    new_atom(name.slice(len), atom, encoding)
}

fn existing(bytes: &[u8], atom: Ptr<Word>, encoding: c_int) -> Bool {
    let text = CharEncoding::of(encoding).and_then(|e| e.decode(bytes));
    atom.store(text.and_then(|t| Atom::existing(&t)).map(Term::atom))
}

/// The atom of a text, if there is one already.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_existing_atom(
    _: EnvPtr,
    name: CText,
    atom: Ptr<Word>,
    encoding: c_int,
) -> Bool {
    existing(name.bytes(), atom, encoding)
}

/// The same of so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_existing_atom_len(
    _: EnvPtr,
    name: Ptr<u8>,
    len: usize,
    atom: Ptr<Word>,
    encoding: c_int,
) -> Bool {
    existing(name.slice(len), atom, encoding)
}

/// The text of an atom in an encoding that has it.
fn text(word: Word, encoding: c_int) -> Option<Vec<u8>> {
    CharEncoding::of(encoding)?.encode(word.get()?.as_atom()?.text())
}

/// Writes the text of an atom and a zero byte: how many bytes, 0 if they do not fit.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_atom(
    _: EnvPtr,
    atom: Word,
    room: Ptr<u8>,
    size: c_uint,
    encoding: c_int,
) -> c_int {
    let Some(mut bytes) = text(atom, encoding) else {
        return 0;
    };
    bytes.push(0);
    if bytes.len() > size as usize {
        return 0;
    }
    room.copy_from(&bytes);
    bytes.len() as c_int
}

/// Bytes of the text of an atom.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_atom_length(
    _: EnvPtr,
    atom: Word,
    len: Ptr<c_uint>,
    encoding: c_int,
) -> Bool {
    let Some(bytes) = text(atom, encoding) else {
        return 0;
    };
    len.set(bytes.len() as c_uint);
    1
}
