//! I/O vectors: the bytes of a list of binaries where they are.

use crate::c::{Bool, Ptr, Word};
use crate::env::EnvPtr;
use enigma_runtime::heap::binary::BinaryRef;
use enigma_runtime::heap::bits;
use enigma_runtime::term::Kind;
use enigma_runtime::{Heap, Term};

/// Elements that a vector has room for itself: `ERL_NIF_IOVEC_SIZE`.
const FEW: usize = 16;

/// `struct iovec`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Slice {
    /// Where the bytes are.
    pub data: *const u8,
    /// How many there are.
    pub len: usize,
}

/// `ErlNifIOVec`.
#[repr(C)]
pub struct CVector {
    count: i32,
    size: usize,
    slices: *mut Slice,
    /// The shared binaries that hold the bytes, one a slice.
    binaries: *mut u64,
    /// Is it the library's, to be freed by `enif_free_iovec`?
    is_own: i32,
    few_slices: [Slice; FEW],
    few_binaries: [u64; FEW],
}

/// The bytes of a shared binary, or of a part of it.
pub struct Part {
    /// The binary.
    pub binary: BinaryRef,
    /// Where the bytes are.
    pub slice: Slice,
}

/// The bytes of a binary, shared; those in a heap are copied.
fn part_of(t: Term) -> Option<Part> {
    if !t.is_binary() {
        return None;
    }
    let v = bits::view(t);
    if v.base.is_kind(Kind::BinRef)
        && let Some(bytes) = v.aligned()
    {
        let slice = Slice {
            data: bytes.as_ptr(),
            len: bytes.len(),
        };
        let binary = bits::shared(v.base)?;
        return Some(Part { binary, slice });
    }
    let binary = BinaryRef::from_bytes(&v.to_bytes());
    let slice = Slice {
        data: binary.data(),
        len: binary.len(),
    };
    Some(Part { binary, slice })
}

/// Shows the bytes of at most so many elements of a list of binaries, one at least; `tail` becomes the rest. With an environment they hold for as
/// long as its terms, without one until the vector is freed. 0 if it is no list of binaries.
#[unsafe(no_mangle)]
pub extern "C" fn enif_inspect_iovec(
    env: EnvPtr,
    most: usize,
    word: Word,
    tail: Ptr<Word>,
    vector: Ptr<*mut CVector>,
) -> Bool {
    let (Some(mut rest), Some(to)) = (word.get(), vector.get_mut()) else {
        return 0;
    };
    let mut parts = Vec::new();
    let mut seen = 0;
    while seen < most.max(1)
        && let Some((head, next)) = rest.as_cons()
    {
        let Some(part) = part_of(head) else { return 0 };
        if part.slice.len > 0 {
            parts.push(part);
        }
        seen += 1;
        rest = next;
    }
    if !rest.is_list() {
        return 0;
    }
    tail.set(rest.into());
    let env = env.get_mut();
    match env {
        Some(env) => in_environment(env.heap(), parts, to),
        None => *to = Box::into_raw(own(parts)),
    }
    1
}

/// A vector of these parts without memory for many.
fn vector_of(parts: &[Part]) -> CVector {
    CVector {
        count: parts.len() as i32,
        size: parts.iter().map(|p| p.slice.len).sum(),
        slices: std::ptr::null_mut(),
        binaries: std::ptr::null_mut(),
        is_own: 0,
        few_slices: [Slice {
            data: std::ptr::null(),
            len: 0,
        }; FEW],
        few_binaries: [0; FEW],
    }
}

/// Fills a vector whose memory is in a heap, unless the library has brought it.
fn in_environment(heap: &mut Heap, parts: Vec<Part>, to: &mut *mut CVector) {
    if to.is_null() {
        *to = room(heap, 1);
    }
    Ptr::to(*to).set(vector_of(&parts));
    let Some(v) = Ptr::to(*to).get_mut() else {
        return;
    };
    if parts.len() <= FEW {
        (v.slices, v.binaries) = (v.few_slices.as_mut_ptr(), v.few_binaries.as_mut_ptr());
    } else {
        (v.slices, v.binaries) = (room(heap, parts.len()), room(heap, parts.len()));
    }
    for (i, part) in parts.into_iter().enumerate() {
        Ptr::to(v.slices.wrapping_add(i)).set(part.slice);
        let raw = part.binary.as_raw();
        heap.shared_binary(part.binary);
        Ptr::to(v.binaries.wrapping_add(i)).set(raw);
    }
}

/// Memory for so many values in a heap, for as long as that is not collected.
fn room<T>(heap: &mut Heap, count: usize) -> *mut T {
    heap.open_binary(count * size_of::<T>()).1.cast()
}

/// A vector with memory of its own.
fn own(parts: Vec<Part>) -> Box<CVector> {
    let mut v = Box::new(vector_of(&parts));
    v.is_own = 1;
    let slices: Box<[Slice]> = parts.iter().map(|p| p.slice).collect();
    let binaries: Box<[u64]> = parts.into_iter().map(|p| p.binary.into_raw()).collect();
    v.slices = Box::into_raw(slices).cast();
    v.binaries = Box::into_raw(binaries).cast();
    v
}

/// Frees a vector that was made without an environment.
#[unsafe(no_mangle)]
pub extern "C" fn enif_free_iovec(vector: Ptr<CVector>) {
    let Some(v) = vector.get() else { return };
    if v.is_own == 0 {
        return;
    }
    let count = v.count as usize;
    // SAFETY: `own` has made all three of boxes, of as many elements, and the library frees them once.
    unsafe {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(
            v.slices, count,
        )));
        let binaries = Box::from_raw(std::ptr::slice_from_raw_parts_mut(v.binaries, count));
        for &raw in &*binaries {
            drop(BinaryRef::from_raw(raw));
        }
        drop(Box::from_raw(vector.address()));
    }
}

impl CVector {
    /// Its parts, which are kept.
    pub fn parts(&self) -> Vec<Part> {
        let count = usize::try_from(self.count).unwrap_or(0);
        let slices = Ptr::to(self.slices).slice(count).iter();
        let binaries = Ptr::to(self.binaries).slice(count).iter();
        let part = |(&slice, &raw): (&Slice, &u64)| {
            // SAFETY: whoever has made the vector keeps the binaries as long as it is there.
            let binary = unsafe { BinaryRef::borrow_raw(raw) };
            Part {
                binary: (*binary).clone(),
                slice,
            }
        };
        slices.zip(binaries).map(part).collect()
    }
}
