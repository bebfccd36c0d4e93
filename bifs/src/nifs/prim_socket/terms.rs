//! Terms that many of the functions give and take.

use enigma_runtime::atom::Atom;
use enigma_runtime::data::{bignum, map};
use enigma_runtime::heap::bits;
use enigma_runtime::{Ctx, Exit, Heap, Term, badarg};
use std::io;

/// An atom.
pub fn atom(text: &str) -> Term {
    Atom::new(text).into()
}

/// The text of an atom.
pub fn text(t: Term) -> Option<&'static str> {
    t.as_atom().map(Atom::text)
}

/// A map with atoms as keys.
pub fn map_of(h: &mut Heap, pairs: &[(&str, Term)]) -> Term {
    let pairs: Vec<(Term, Term)> = pairs.iter().map(|&(k, v)| (atom(k), v)).collect();
    map::from_pairs(h, &pairs)
}

/// The value of a key that is an atom.
pub fn field(m: Term, key: &str) -> Option<Term> {
    if m.is_map() {
        map::get(m, atom(key))
    } else {
        None
    }
}

/// A boolean of a map, if it is there and one.
pub fn boolean_field(m: Term, key: &str) -> Option<bool> {
    field(m, key)?.as_bool()
}

/// A number of the system's C type `int`.
pub fn int(t: Term) -> Option<i32> {
    t.as_small().and_then(|n| i32::try_from(n).ok())
}

/// An unsigned number of 32 bits.
pub fn uint(t: Term) -> Option<u32> {
    bignum::to_u64(t).and_then(|n| u32::try_from(n).ok())
}

/// A number of the system's C type `int`, or the caller's error.
pub fn need_int(t: Term) -> Result<i32, Exit> {
    int(t).ok_or_else(badarg)
}

/// `{error, Name}` of an error of the system.
pub fn failed(cx: &mut Ctx<'_>, e: &io::Error) -> Term {
    let why = crate::errno::of(e);
    cx.error(why)
}

/// `ok`, or the system's error.
pub fn done(cx: &mut Ctx<'_>, r: io::Result<()>) -> Term {
    match r {
        Ok(()) => Atom::OK.into(),
        Err(e) => failed(cx, &e),
    }
}

/// `{error, closed}`.
pub fn closed(cx: &mut Ctx<'_>) -> Term {
    cx.error(Atom::CLOSED)
}

/// `{invalid, What}`, of which `prim_socket` makes an error that says more.
pub fn invalid(cx: &mut Ctx<'_>, what: &str) -> Term {
    cx.tuple2(Atom::new("invalid"), atom(what))
}

/// Raises `{invalid, What}`.
pub fn raise_invalid(cx: &mut Ctx<'_>, what: impl Into<Term>) -> Exit {
    let why = cx.tuple2(Atom::new("invalid"), what.into());
    Exit::error(why)
}

/// Data as the system takes them: bytes, a number, or a boolean.
pub fn plain_data(t: Term) -> Option<Vec<u8>> {
    if let Some(bytes) = bits::binary_bytes(t) {
        return Some(bytes.into_owned());
    }
    let n = match t.as_bool() {
        Some(on) => i32::from(on),
        None => int(t)?,
    };
    Some(n.to_ne_bytes().to_vec())
}
