//! Tuples.

use crate::c::{Bool, Ptr, Word};
use crate::env::EnvPtr;
use enigma_runtime::Term;
use std::ffi::{c_int, c_uint};

/// The elements of a tuple, where they are.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_tuple(
    _: EnvPtr,
    word: Word,
    arity: Ptr<c_int>,
    to: Ptr<*const Word>,
) -> Bool {
    match word.get().and_then(Term::as_tuple) {
        Some(elements) => {
            arity.set(elements.len() as c_int);
            // A `Word` is a term's word.
            to.set(elements.as_ptr().cast());
            1
        }
        None => 0,
    }
}

/// A tuple of so many elements.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_tuple_from_array(
    env: EnvPtr,
    elements: Ptr<Word>,
    count: c_uint,
) -> Word {
    let elements = elements.slice(count as usize);
    let mut few = [Term::NIL; 16];
    if let Some(few) = few.get_mut(..elements.len()) {
        few.iter_mut()
            .zip(elements)
            .for_each(|(t, w)| *t = w.term());
        return env.heap().tuple(few).into();
    }
    let all: Vec<Term> = elements.iter().map(|w| w.term()).collect();
    env.heap().tuple(&all).into()
}
