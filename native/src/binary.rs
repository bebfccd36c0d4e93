//! Binaries, without copying.

use crate::env::Env;
use crate::sys::{self, RawBinary, RawTerm};
use crate::term::{BadTerm, Term};
use std::ffi::c_int;
use std::fmt;
use std::ops::{Deref, DerefMut, Range};

const EMPTY: RawBinary = RawBinary {
    size: 0,
    data: std::ptr::null_mut(),
    private: [std::ptr::null_mut(); 3],
};

/// The bytes of a binary, where they are.
#[derive(Clone, Copy)]
pub struct Binary<'e> {
    term: Term<'e>,
    bytes: &'e [u8],
}

type Inspect = unsafe extern "C" fn(*mut sys::RawEnv, RawTerm, *mut RawBinary) -> c_int;

impl<'e> Binary<'e> {
    fn by(term: Term<'e>, inspect: Inspect) -> Result<Binary<'e>, BadTerm> {
        let mut raw = EMPTY;
        // SAFETY: the term is one of this environment; there is a place for what is told.
        if unsafe { inspect(term.env.raw(), term.raw, &mut raw) } == 0 {
            return Err(BadTerm);
        }
        let bytes: &[u8] = if raw.size == 0 {
            &[]
        } else {
            // SAFETY: the bytes stay there unchanged as long as the environment.
            unsafe { std::slice::from_raw_parts(raw.data, raw.size) }
        };
        Ok(Binary { term, bytes })
    }

    pub(crate) fn of(term: Term<'e>) -> Result<Binary<'e>, BadTerm> {
        Binary::by(term, sys::enif_inspect_binary)
    }

    pub(crate) fn of_iolist(term: Term<'e>) -> Result<Binary<'e>, BadTerm> {
        Binary::by(term, sys::enif_inspect_iolist_as_binary)
    }

    /// The bytes, for as long as the environment is there.
    pub fn bytes(self) -> &'e [u8] {
        self.bytes
    }

    /// A binary of some of the bytes, which are not copied where they are in a binary. Panics if they are not all there.
    pub fn part(self, range: Range<usize>) -> Term<'e> {
        let part = &self.bytes[range.clone()];
        let env = self.term.env;
        if Binary::of(self.term).is_err() {
            return env.binary(part);
        }
        // SAFETY: the term is a binary of this environment, and the part lies in it.
        env.term(unsafe {
            sys::enif_make_sub_binary(env.raw(), self.term.raw, range.start, part.len())
        })
    }
}

impl Deref for Binary<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

/// Bytes that become a binary without being copied.
pub struct OwnedBinary(RawBinary);

// SAFETY: it owns its bytes, which belong to no environment and to no thread.
unsafe impl Send for OwnedBinary {}
// SAFETY: as above; what is shared is only read.
unsafe impl Sync for OwnedBinary {}

impl OwnedBinary {
    /// What `fill` has made of an empty place, if it says that it has.
    pub(crate) fn filled(fill: impl FnOnce(*mut RawBinary) -> bool) -> Option<OwnedBinary> {
        let mut raw = EMPTY;
        fill(&mut raw).then_some(OwnedBinary(raw))
    }

    /// So many bytes, all zero; nothing if there is no memory for them.
    pub fn zeroed(size: usize) -> Option<OwnedBinary> {
        // SAFETY: there is a place for the binary, and all its bytes may be written.
        OwnedBinary::filled(|raw| unsafe {
            let made = sys::enif_alloc_binary(size, raw) != 0;
            if made {
                (*raw).data.write_bytes(0, size);
            }
            made
        })
    }

    /// As a term.
    pub fn into_term(mut self, env: Env<'_>) -> Term<'_> {
        // SAFETY: the environment is valid; the binary is handed over, and nobody uses it any more.
        let raw = unsafe { sys::enif_make_binary(env.raw(), &mut self.0) };
        std::mem::forget(self);
        env.term(raw)
    }
}

impl Deref for OwnedBinary {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: its own bytes.
        unsafe { std::slice::from_raw_parts(self.0.data, self.0.size) }
    }
}

impl DerefMut for OwnedBinary {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: its own bytes, which nobody else sees before they are handed over.
        unsafe { std::slice::from_raw_parts_mut(self.0.data, self.0.size) }
    }
}

impl Drop for OwnedBinary {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { sys::enif_release_binary(&mut self.0) };
    }
}

impl fmt::Debug for OwnedBinary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deref().fmt(f)
    }
}
