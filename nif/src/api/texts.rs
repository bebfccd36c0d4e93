//! Lists of characters.

use crate::c::{Bool, CText, CharEncoding, Ptr, Word};
use crate::env::EnvPtr;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::term::list;
use std::ffi::{c_int, c_uint};

/// Writes the characters of a list and a zero byte: how many bytes, 0 if it has other elements. What does not fit is cut, and
/// the number negative.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_string(
    _: EnvPtr,
    word: Word,
    room: Ptr<u8>,
    size: c_uint,
    encoding: c_int,
) -> c_int {
    let size = size as usize;
    if size == 0 {
        return 0;
    }
    let Some((mut bytes, is_cut)) = cut_characters(word, encoding, size) else {
        room.copy_from(&[0]);
        return 0;
    };
    bytes.push(0);
    room.copy_from(&bytes);
    if is_cut {
        -(bytes.len() as c_int)
    } else {
        bytes.len() as c_int
    }
}

/// The bytes of the characters of a list, as many as leave room for a zero byte; are some left out? What is behind these is not
/// looked at.
fn cut_characters(word: Word, encoding: c_int, size: usize) -> Option<(Vec<u8>, bool)> {
    let (encoding, t) = (CharEncoding::of(encoding)?, word.get()?);
    if !t.is_list() {
        return None;
    }
    let mut bytes = Vec::new();
    let mut elements = list::iter(t);
    for c in elements.by_ref() {
        let c = char::from_u32(u32::try_from(c.as_small()?).ok()?)?;
        let mut room = [0; 4];
        let next = encoding.encode(c.encode_utf8(&mut room))?;
        if bytes.len() + next.len() >= size {
            return Some((bytes, true));
        }
        bytes.extend(next);
    }
    elements.tail().is_nil().then_some((bytes, false))
}

/// Bytes of the characters of a list.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_string_length(
    _: EnvPtr,
    word: Word,
    len: Ptr<c_uint>,
    encoding: c_int,
) -> Bool {
    let Some((bytes, _)) = cut_characters(word, encoding, usize::MAX) else {
        return 0;
    };
    let Ok(bytes) = bytes.len().try_into() else {
        return 0;
    };
    len.set(bytes);
    1
}

fn make(env: EnvPtr, bytes: &[u8], encoding: c_int) -> Word {
    match CharEncoding::of(encoding) {
        Some(CharEncoding::Latin1) => env.heap().byte_list(bytes).into(),
        Some(CharEncoding::Utf8) => match std::str::from_utf8(bytes) {
            Ok(text) => env.heap().char_list(text).into(),
            Err(_) => env.env().raise(Term::atom(Atom::BADARG)),
        },
        None => env.env().raise(Term::atom(Atom::BADARG)),
    }
}

/// A list of a text's characters.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_string(env: EnvPtr, text: CText, encoding: c_int) -> Word {
    make(env, text.bytes(), encoding)
}

/// The same of so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_string_len(
    env: EnvPtr,
    text: Ptr<u8>,
    len: usize,
    encoding: c_int,
) -> Word {
    make(env, text.slice(len), encoding)
}
