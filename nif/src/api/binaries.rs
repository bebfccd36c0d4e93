//! Binaries.
//!
//! `ErlNifBinary` of a term shows where the bytes are, in a heap or in a shared binary; nothing is copied, and it holds for as long as the
//! environment's terms do. One that a library has allocated is a shared binary of its own, until it becomes a term or is given back.

use crate::c::{Bool, Ptr, Word};
use crate::env::EnvPtr;
use enigma_bifs::erlang::iolist;
use enigma_runtime::atom::Atom;
use enigma_runtime::etf::decode::{self, DecodeOptions};
use enigma_runtime::etf::encode::{self, EncodeOptions};
use enigma_runtime::heap::binary::BinaryRef;
use enigma_runtime::heap::bits;
use enigma_runtime::{Heap, Term};
use std::ffi::c_uint;

/// `ErlNifBinary`, as far as all versions of it go: behind these fields nothing is read or written.
#[repr(C)]
pub struct CBinary {
    /// Number of bytes.
    pub size: usize,
    /// Where they are.
    pub data: *mut u8,
    /// The shared binary of one that was allocated, or 0.
    owned: u64,
}

impl CBinary {
    /// Bytes that belong to somebody else.
    fn borrowed(bytes: &[u8]) -> CBinary {
        CBinary {
            size: bytes.len(),
            data: bytes.as_ptr().cast_mut(),
            owned: 0,
        }
    }

    /// A shared binary that the library owns.
    fn of(b: BinaryRef) -> CBinary {
        CBinary {
            size: b.len(),
            data: b.room(),
            owned: b.into_raw(),
        }
    }

    /// Takes the shared binary away, if the library owns one.
    pub fn take(&mut self) -> Option<BinaryRef> {
        match std::mem::take(&mut self.owned) {
            0 => None,
            // SAFETY: `of` has put it there, and it is given up here.
            raw => Some(unsafe { BinaryRef::from_raw(raw) }),
        }
    }

    /// The bytes.
    pub fn bytes<'a>(&self) -> &'a [u8] {
        Ptr::to(self.data).slice(self.size)
    }
}

/// Where the bytes of a binary are, for as long as the heap's terms. Those of a part that does not begin at a byte are copied into
/// the heap.
pub fn bytes_of<'a>(t: Term, heap: &mut Heap) -> Option<&'a [u8]> {
    if !t.is_binary() {
        return None;
    }
    let v = bits::view(t);
    v.aligned()
        .or_else(|| bits::view(bits::copy_out(&v, heap)).aligned())
}

/// Shows the bytes of a binary.
#[unsafe(no_mangle)]
pub extern "C" fn enif_inspect_binary(env: EnvPtr, word: Word, to: Ptr<CBinary>) -> Bool {
    let Some(t) = word.get().filter(|t| t.is_binary()) else {
        return 0;
    };
    let bytes = bits::view(t).aligned().or_else(|| bytes_of(t, env.heap()));
    to.set(CBinary::borrowed(bytes.unwrap_or_default()));
    1
}

/// Shows the bytes of an I/O list, put together in the environment's heap.
#[unsafe(no_mangle)]
pub extern "C" fn enif_inspect_iolist_as_binary(env: EnvPtr, word: Word, to: Ptr<CBinary>) -> Bool {
    let Some(t) = word.get() else { return 0 };
    if t.is_binary() {
        return enif_inspect_binary(env, word, to);
    }
    if !t.is_list() {
        return 0;
    }
    let Ok(bytes) = iolist::collect(t) else {
        return 0;
    };
    let made = env.heap().binary_of(bytes);
    enif_inspect_binary(env, made.into(), to)
}

/// A binary of the library's own, whose bytes it writes.
#[unsafe(no_mangle)]
pub extern "C" fn enif_alloc_binary(size: usize, to: Ptr<CBinary>) -> Bool {
    to.set(CBinary::of(BinaryRef::open(size)));
    1
}

/// Changes the size of one. Of bytes that belong to a term a copy is made.
#[unsafe(no_mangle)]
pub extern "C" fn enif_realloc_binary(binary: Ptr<CBinary>, size: usize) -> Bool {
    let Some(b) = binary.get_mut() else { return 0 };
    let resized = match b.take() {
        Some(owned) => owned.resized(size),
        None => {
            let copy = BinaryRef::open(size);
            let kept = b.size.min(size);
            Ptr::to(copy.room()).copy_from(&b.bytes()[..kept]);
            copy
        }
    };
    *b = CBinary::of(resized);
    1
}

/// Gives one back.
#[unsafe(no_mangle)]
pub extern "C" fn enif_release_binary(binary: Ptr<CBinary>) {
    if let Some(b) = binary.get_mut() {
        drop(b.take());
    }
}

/// A term of a library's own binary, which is the term's from then on, or of a copy of a term's bytes.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_binary(env: EnvPtr, binary: Ptr<CBinary>) -> Word {
    let Some(b) = binary.get_mut() else {
        return env.env().raise(Atom::BADARG.into());
    };
    match b.take() {
        Some(owned) => env.heap().shared_binary(owned).into(),
        None => env.heap().binary(b.bytes()).into(),
    }
}

/// A term and the address of its bytes, which the library writes.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_new_binary(env: EnvPtr, size: usize, to: Ptr<Word>) -> *mut u8 {
    let (t, data) = env.heap().open_binary(size);
    to.set(t.into());
    data
}

/// A part of a binary.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_sub_binary(env: EnvPtr, word: Word, at: usize, size: usize) -> Word {
    let whole = word.get().filter(|t| t.is_binary()).map(bits::view);
    let fits = |v: &bits::View| at.checked_add(size).is_some_and(|end| end <= v.bits / 8);
    match whole.filter(fits) {
        Some(v) => bits::share(&v.part(at * 8, size * 8), env.heap()).into(),
        None => env.env().raise(Atom::BADARG.into()),
    }
}

/// A term in the external format.
#[unsafe(no_mangle)]
pub extern "C" fn enif_term_to_binary(_: EnvPtr, word: Word, to: Ptr<CBinary>) -> Bool {
    let Some(t) = word.get() else { return 0 };
    let bytes = encode::encode(t, EncodeOptions::default());
    to.set(CBinary::of(BinaryRef::from_bytes(&bytes)));
    1
}

/// `ERL_NIF_BIN2TERM_SAFE`.
const SAFE: c_uint = 0x2000_0000;

/// The term that bytes in the external format are: how many bytes it took, 0 if they are none.
#[unsafe(no_mangle)]
pub extern "C" fn enif_binary_to_term(
    env: EnvPtr,
    data: Ptr<u8>,
    size: usize,
    to: Ptr<Word>,
    options: c_uint,
) -> usize {
    if options & !SAFE != 0 {
        return 0;
    }
    let options = DecodeOptions {
        safe: options & SAFE != 0,
    };
    match decode::decode(data.slice(size), env.heap(), options) {
        Ok((t, used)) => {
            to.set(t.into());
            used
        }
        Err(_) => 0,
    }
}
