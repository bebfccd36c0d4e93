//! Integers and floats.

use crate::c::{Bool, Ptr, Word};
use crate::env::EnvPtr;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::bignum;
use std::ffi::{c_int, c_long, c_uint, c_ulong};

/// An integer that fits.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_int(_: EnvPtr, word: Word, to: Ptr<c_int>) -> Bool {
    let n = word.get().and_then(Term::as_small);
    to.store(n.and_then(|n| c_int::try_from(n).ok()))
}

/// An integer that fits.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_uint(_: EnvPtr, word: Word, to: Ptr<c_uint>) -> Bool {
    let n = word.get().and_then(Term::as_small);
    to.store(n.and_then(|n| c_uint::try_from(n).ok()))
}

/// An integer that fits.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_long(_: EnvPtr, word: Word, to: Ptr<c_long>) -> Bool {
    let integer = word.get().filter(|t| t.is_integer());
    to.store(integer.and_then(bignum::to_i64))
}

/// An integer that fits.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_ulong(_: EnvPtr, word: Word, to: Ptr<c_ulong>) -> Bool {
    let integer = word.get().filter(|t| t.is_integer());
    to.store(integer.and_then(bignum::to_u64))
}

/// A float.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_double(_: EnvPtr, word: Word, to: Ptr<f64>) -> Bool {
    to.store(word.get().and_then(Term::as_float))
}

/// An integer.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_int(_: EnvPtr, n: c_int) -> Word {
    Term::small(i64::from(n)).into()
}

/// An integer.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_uint(_: EnvPtr, n: c_uint) -> Word {
    Term::small(i64::from(n)).into()
}

/// An integer.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_long(env: EnvPtr, n: c_long) -> Word {
    match Term::try_small(n) {
        Some(t) => t.into(),
        None => env.heap().int(n).into(),
    }
}

/// An integer.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_ulong(env: EnvPtr, n: c_ulong) -> Word {
    env.heap().uint(n).into()
}

/// A float, which must be finite.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_double(env: EnvPtr, f: f64) -> Word {
    if !f.is_finite() {
        return env.env().raise(Atom::BADARG.into());
    }
    env.heap().float(f).into()
}
