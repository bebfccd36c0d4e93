//! Lists.

use crate::c::{Bool, Ptr, Word};
use crate::env::EnvPtr;
use enigma_runtime::Term;
use enigma_runtime::term::list;
use std::ffi::c_uint;

/// Head and tail of a cell.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_list_cell(
    _: EnvPtr,
    word: Word,
    head: Ptr<Word>,
    tail: Ptr<Word>,
) -> Bool {
    match word.get().and_then(Term::as_cons) {
        Some((h, t)) => {
            head.set(h.into());
            tail.set(t.into());
            1
        }
        None => 0,
    }
}

/// The length of a list that ends with the empty one.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_list_length(_: EnvPtr, word: Word, length: Ptr<c_uint>) -> Bool {
    match word
        .get()
        .and_then(list::length)
        .and_then(|n| n.try_into().ok())
    {
        Some(n) => {
            length.set(n);
            1
        }
        None => 0,
    }
}

/// `[Head | Tail]`.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_list_cell(env: EnvPtr, head: Word, tail: Word) -> Word {
    env.heap().cons(head.term(), tail.term()).into()
}

/// A list of so many elements.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_list_from_array(
    env: EnvPtr,
    elements: Ptr<Word>,
    count: c_uint,
) -> Word {
    let elements = elements.slice(count as usize).iter();
    env.heap().list_from(elements.map(|w| w.term())).into()
}

/// The elements of a list in reverse.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_reverse_list(env: EnvPtr, word: Word, to: Ptr<Word>) -> Bool {
    let Some(t) = word.get() else { return 0 };
    let heap = env.heap();
    let mut elements = list::iter(t);
    let reversed = elements
        .by_ref()
        .fold(Term::NIL, |tail, h| heap.cons(h, tail));
    if !elements.tail().is_nil() {
        return 0;
    }
    to.set(reversed.into());
    1
}
