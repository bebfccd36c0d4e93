//! Maps.

use crate::c::{Bool, Ptr, Word};
use crate::env::EnvPtr;
use enigma_runtime::Term;
use enigma_runtime::data::map;
use std::ffi::c_int;

/// `ErlNifMapIterator`, of which the fields are the VM's own: the map, how many pairs it has, which one the iterator is at,
/// from 1, and the pairs in their order.
#[repr(C)]
pub struct CMapIterator {
    map: Word,
    size: usize,
    at: usize,
    pairs: *mut (Word, Word),
    spare: [usize; 3],
}

fn as_map(word: Word) -> Option<Term> {
    word.get().filter(|t| t.is_map())
}

/// The number of pairs.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_map_size(_: EnvPtr, word: Word, size: Ptr<usize>) -> Bool {
    match as_map(word) {
        Some(m) => {
            size.set(map::size(m));
            1
        }
        None => 0,
    }
}

/// `#{}`.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_new_map(env: EnvPtr) -> Word {
    map::empty(env.heap()).into()
}

/// A map of so many keys and values; 0 if two keys are the same.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_map_from_arrays(
    env: EnvPtr,
    keys: Ptr<Word>,
    values: Ptr<Word>,
    count: usize,
    to: Ptr<Word>,
) -> Bool {
    let pairs = keys.slice(count).iter().zip(values.slice(count));
    let pairs: Vec<(Term, Term)> = pairs.map(|(k, v)| (k.term(), v.term())).collect();
    let made = map::from_pairs(env.heap(), &pairs);
    if map::size(made) != count {
        return 0;
    }
    to.set(made.into());
    1
}

/// The value of a key.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_map_value(_: EnvPtr, word: Word, key: Word, value: Ptr<Word>) -> Bool {
    match as_map(word).and_then(|m| map::get(m, key.term())) {
        Some(v) => {
            value.set(v.into());
            1
        }
        None => 0,
    }
}

/// The map with a value for a key.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_map_put(
    env: EnvPtr,
    word: Word,
    key: Word,
    value: Word,
    to: Ptr<Word>,
) -> Bool {
    to.store(as_map(word).map(|m| map::put(env.heap(), m, key.term(), value.term())))
}

/// The map with another value for a key that it has.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_map_update(
    env: EnvPtr,
    word: Word,
    key: Word,
    value: Word,
    to: Ptr<Word>,
) -> Bool {
    let updated = as_map(word).and_then(|m| map::update(env.heap(), m, key.term(), value.term()));
    to.store(updated)
}

/// The map without a key.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_map_remove(env: EnvPtr, word: Word, key: Word, to: Ptr<Word>) -> Bool {
    let Some(m) = as_map(word) else { return 0 };
    let without = map::remove(env.heap(), m, key.term()).map_or(m, |(without, _)| without);
    to.set(without.into());
    1
}

/// An iterator at the first pair (1) or the last one (2).
#[unsafe(no_mangle)]
pub extern "C" fn enif_map_iterator_create(
    _: EnvPtr,
    word: Word,
    iterator: Ptr<CMapIterator>,
    end: c_int,
) -> Bool {
    let Some(m) = as_map(word) else { return 0 };
    let pairs: Box<[(Word, Word)]> = map::iter(m).map(|(k, v)| (k.into(), v.into())).collect();
    let size = pairs.len();
    let at = match end {
        1 => 1,
        2 => size,
        _ => return 0,
    };
    iterator.set(CMapIterator {
        map: word,
        size,
        at,
        pairs: Box::into_raw(pairs).cast(),
        spare: [0; 3],
    });
    1
}

/// Ends an iterator.
#[unsafe(no_mangle)]
pub extern "C" fn enif_map_iterator_destroy(_: EnvPtr, iterator: Ptr<CMapIterator>) {
    if let Some(i) = iterator.get_mut()
        && !i.pairs.is_null()
    {
        let pairs = std::ptr::slice_from_raw_parts_mut(i.pairs, i.size);
        i.pairs = std::ptr::null_mut();
        // SAFETY: made of a box of as many pairs, and given up here once.
        drop(unsafe { Box::from_raw(pairs) });
    }
}

/// Is it in front of the first pair? In a map without pairs it is that always.
#[unsafe(no_mangle)]
pub extern "C" fn enif_map_iterator_is_head(_: EnvPtr, iterator: Ptr<CMapIterator>) -> Bool {
    Bool::from(iterator.get().is_some_and(|i| i.at == 0 || i.size == 0))
}

/// Is it behind the last pair? In a map without pairs it is that always.
#[unsafe(no_mangle)]
pub extern "C" fn enif_map_iterator_is_tail(_: EnvPtr, iterator: Ptr<CMapIterator>) -> Bool {
    Bool::from(iterator.get().is_some_and(|i| i.at > i.size || i.size == 0))
}

/// Goes to the next pair, if there is one.
#[unsafe(no_mangle)]
pub extern "C" fn enif_map_iterator_next(_: EnvPtr, iterator: Ptr<CMapIterator>) -> Bool {
    let Some(i) = iterator.get_mut() else {
        return 0;
    };
    if i.at <= i.size {
        i.at += 1;
    }
    Bool::from(i.at <= i.size)
}

/// Goes to the pair before, if there is one.
#[unsafe(no_mangle)]
pub extern "C" fn enif_map_iterator_prev(_: EnvPtr, iterator: Ptr<CMapIterator>) -> Bool {
    let Some(i) = iterator.get_mut() else {
        return 0;
    };
    i.at = i.at.saturating_sub(1);
    Bool::from(i.at > 0)
}

/// The pair that it is at.
#[unsafe(no_mangle)]
pub extern "C" fn enif_map_iterator_get_pair(
    _: EnvPtr,
    iterator: Ptr<CMapIterator>,
    key: Ptr<Word>,
    value: Ptr<Word>,
) -> Bool {
    let Some(i) = iterator.get() else { return 0 };
    let pairs = Ptr::to(i.pairs).slice(i.size);
    match i.at.checked_sub(1).and_then(|at| pairs.get(at)) {
        Some(&(k, v)) => {
            key.set(k);
            value.set(v);
            1
        }
        None => 0,
    }
}
