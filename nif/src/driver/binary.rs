//! `ErlDrvBinary`: bytes that drivers share with each other and with Erlang, by counting references.
//!
//! ```text
//! | references | size | bytes ... |
//!              ^ what C has
//! ```
//!
//! Sound by the contract of `erl_driver.h`: a driver names only binaries of which it has a reference, and does not change bytes that it
//! has given away.

use crate::c::Ptr;
use enigma_runtime::heap::binary::{BinaryRef, SLACK};
use enigma_runtime::{Heap, Term};
use std::sync::atomic::{AtomicI64, Ordering};

/// What `ErlDrvBinary` leads to.
#[repr(C)]
pub struct CDriverBinary {
    /// Number of bytes.
    size: i64,
}

/// `ErlDrvBinary *`.
pub type BinaryPtr = Ptr<CDriverBinary>;

/// Bytes before what C has.
const BEFORE: usize = size_of::<AtomicI64>();
const HEADER: usize = BEFORE + size_of::<CDriverBinary>();
/// What a block has that is not the binary's bytes.
const AROUND: usize = HEADER + SLACK;

fn block(p: BinaryPtr) -> *mut u8 {
    p.address().cast::<u8>().wrapping_sub(BEFORE)
}

fn references<'a>(p: BinaryPtr) -> &'a AtomicI64 {
    // SAFETY: the count stands before each binary; see the module's text.
    unsafe { &*block(p).cast::<AtomicI64>() }
}

/// An owned reference to such a binary.
pub struct DriverBinary(BinaryPtr);

// SAFETY: the count is atomic, and the bytes do not change once they are shared.
unsafe impl Send for DriverBinary {}
// SAFETY: as above.
unsafe impl Sync for DriverBinary {}

impl DriverBinary {
    /// One of so many bytes; nothing where there is no memory.
    pub fn alloc(size: usize) -> Option<DriverBinary> {
        let bytes = size
            .checked_add(AROUND)
            .filter(|_| i64::try_from(size).is_ok())?;
        // SAFETY: the block is as large as what is written.
        unsafe {
            let p = libc::malloc(bytes).cast::<u8>();
            if p.is_null() {
                return None;
            }
            p.cast::<AtomicI64>().write(AtomicI64::new(1));
            let c = p.add(BEFORE).cast::<CDriverBinary>();
            c.write(CDriverBinary { size: size as i64 });
            Some(DriverBinary(Ptr::to(c)))
        }
    }

    /// One with these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Option<DriverBinary> {
        let b = DriverBinary::alloc(bytes.len())?;
        Ptr::to(b.data()).copy_from(bytes);
        Some(b)
    }

    /// A further reference to what C names.
    pub fn share(p: BinaryPtr) -> Option<DriverBinary> {
        p.get()?;
        references(p).fetch_add(1, Ordering::Relaxed);
        Some(DriverBinary(p))
    }

    /// Takes over a reference from C.
    pub fn take(p: BinaryPtr) -> Option<DriverBinary> {
        p.get().map(|_| DriverBinary(p))
    }

    /// Gives the reference to C.
    pub fn into_ptr(self) -> BinaryPtr {
        let p = self.0;
        std::mem::forget(self);
        p
    }

    /// For C, which has no reference of its own.
    pub fn as_ptr(&self) -> BinaryPtr {
        self.0
    }

    /// Number of bytes.
    pub fn size(&self) -> usize {
        self.0.get().map_or(0, |b| b.size as usize)
    }

    /// Where the bytes are.
    pub fn data(&self) -> *mut u8 {
        block(self.0).wrapping_add(HEADER)
    }

    /// The bytes from here on, so many.
    pub fn part(&self, at: usize, len: usize) -> Option<&[u8]> {
        let end = at.checked_add(len)?;
        Ptr::to(self.data()).slice(self.size()).get(at..end)
    }

    /// The same with room for so many bytes; nothing, and it stays as it is, where there is no memory.
    pub fn resized(p: BinaryPtr, size: usize) -> Option<BinaryPtr> {
        p.get()?;
        let bytes = size
            .checked_add(AROUND)
            .filter(|_| i64::try_from(size).is_ok())?;
        // SAFETY: `alloc` has made the block, and nobody else has it: that is the driver's part.
        unsafe {
            let new = libc::realloc(block(p).cast(), bytes).cast::<u8>();
            if new.is_null() {
                return None;
            }
            let c = new.add(BEFORE).cast::<CDriverBinary>();
            (*c).size = size as i64;
            Some(Ptr::to(c))
        }
    }

    /// A term of a part: of many bytes the term keeps the binary.
    pub fn to_term(&self, at: usize, len: usize, heap: &mut Heap) -> Option<Term> {
        let part = self.part(at, len)?;
        if len <= SHORT {
            return Some(heap.binary(part));
        }
        let owner = DriverBinary::share(self.0)?;
        // SAFETY: the owner keeps the bytes, which do not change any more.
        let shared = unsafe { BinaryRef::foreign(part.as_ptr(), len, Box::new(owner)) };
        Some(heap.shared_binary(shared))
    }
}

/// Fewer bytes are copied.
const SHORT: usize = 64;

impl Drop for DriverBinary {
    fn drop(&mut self) {
        if references(self.0).fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: `alloc` has made the block, and this was the last reference.
            unsafe { libc::free(block(self.0).cast()) };
        }
    }
}

/// The number of references, once it has changed by so much.
pub fn count(p: BinaryPtr, change: i64) -> i64 {
    if p.get().is_none() {
        return 0;
    }
    references(p).fetch_add(change, Ordering::AcqRel) + change
}
