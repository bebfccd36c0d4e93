//! What a term is, and how terms compare.

use crate::c::{Bool, Word};
use crate::env::EnvPtr;
use enigma_runtime::data::{compare, hash, phash};
use enigma_runtime::heap::copy;
use enigma_runtime::{Term, release};
use std::cmp::Ordering;
use std::ffi::c_int;

macro_rules! questions {
    ($($(#[$doc:meta])* $name:ident $question:expr;)*) => {
        $(
            $(#[$doc])*
            #[unsafe(no_mangle)]
            pub extern "C" fn $name(_: EnvPtr, word: Word) -> Bool {
                let question: fn(Term) -> bool = $question;
                Bool::from(word.get().is_some_and(question))
            }
        )*
    };
}

questions! {
    /// Is it an atom?
    enif_is_atom |t| t.is_atom();
    /// Is it a bitstring of whole bytes?
    enif_is_binary |t| t.is_binary();
    /// Is it a reference?
    enif_is_ref |t| t.is_reference();
    /// Is it a fun?
    enif_is_fun |t| t.is_function();
    /// Is it a pid?
    enif_is_pid |t| t.is_pid();
    /// Is it a port?
    enif_is_port |t| t.is_port();
    /// Is it an integer or a float?
    enif_is_number |t| t.is_number();
    /// Is it a map?
    enif_is_map |t| t.is_map();
    /// Is it a tuple?
    enif_is_tuple |t| t.is_tuple();
    /// Is it a list cell or the empty list?
    enif_is_list |t| t.is_list();
    /// Is it the empty list?
    enif_is_empty_list |t| t.is_nil();
}

/// Is it what a function gives that has raised an exception?
#[unsafe(no_mangle)]
pub extern "C" fn enif_is_exception(env: EnvPtr, word: Word) -> Bool {
    Bool::from(word.is_none() && env.get().is_some_and(|e| e.exception().is_some()))
}

/// The kind of a term: an `ErlNifTermType`, 0 for what is none.
#[unsafe(no_mangle)]
pub extern "C" fn enif_term_type(_: EnvPtr, word: Word) -> c_int {
    let Some(t) = word.get() else { return 0 };
    match t {
        _ if t.is_atom() => 1,
        _ if t.is_bitstring() => 2,
        _ if t.is_float() => 3,
        _ if t.is_function() => 4,
        _ if t.is_integer() => 5,
        _ if t.is_list() => 6,
        _ if t.is_map() => 7,
        _ if t.is_pid() => 8,
        _ if t.is_port() => 9,
        _ if t.is_reference() => 10,
        _ if t.is_tuple() => 11,
        _ => 0,
    }
}

/// Are both the same, as by `=:=`?
#[unsafe(no_mangle)]
pub extern "C" fn enif_is_identical(a: Word, b: Word) -> Bool {
    Bool::from(compare::exact_eq(a.term(), b.term()))
}

/// The order of two terms, as by `<` and `==`: negative, 0 or positive.
#[unsafe(no_mangle)]
pub extern "C" fn enif_compare(a: Word, b: Word) -> c_int {
    match compare::compare(a.term(), b.term()) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

/// A hash of the term: for tables of this run (1), in which the salt counts, or that of `erlang:phash2/1` (2).
#[unsafe(no_mangle)]
pub extern "C" fn enif_hash(kind: c_int, word: Word, salt: u64) -> u64 {
    let t = word.term();
    match kind {
        1 => {
            let hash = mix(hash::internal(t) ^ mix(salt));
            // Before release 27 it has 32 bits.
            if release::number() < 27 {
                hash >> 32
            } else {
                hash
            }
        }
        2 => u64::from(phash::phash2(t) & PHASH2),
        _ => 0,
    }
}

/// The bits of what `erlang:phash2/1` gives.
const PHASH2: u32 = (1 << 27) - 1;

/// Spreads what differs over all bits (the finalizer of SplitMix64).
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ n >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ n >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ n >> 31
}

/// Bytes of memory that the term takes, but for what is shared.
#[unsafe(no_mangle)]
pub extern "C" fn enif_term_size(word: Word) -> usize {
    copy::size_whole(word.term()) * size_of::<u64>()
}

/// The number of an atom in a distribution header's cache, which has none where there is no distribution.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_atom_cache_index(
    _: EnvPtr,
    atom: Word,
    index: crate::c::Ptr<u32>,
) -> Bool {
    let Some(a) = atom.get().and_then(Term::as_atom) else {
        return 0;
    };
    index.set(a.index() % ATOM_CACHE);
    1
}

/// Numbers that a distribution header's cache has.
const ATOM_CACHE: u32 = 2048;

/// The greatest number of an atom in a distribution header's cache.
#[unsafe(no_mangle)]
pub extern "C" fn enif_max_atom_cache_index() -> u32 {
    ATOM_CACHE - 1
}
