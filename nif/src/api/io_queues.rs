//! I/O queues: bytes that wait, in binaries that are not copied.

use super::binaries::CBinary;
use super::io_vectors::{CVector, Part, Slice};
use crate::c::{Bool, Ptr, Word};
use crate::env::EnvPtr;
use enigma_runtime::heap::binary::BinaryRef;
use std::collections::VecDeque;
use std::ffi::c_int;

/// `ErlNifIOQueue`.
#[derive(Default)]
pub struct Queue {
    parts: VecDeque<Part>,
    size: usize,
    /// What was shown last.
    shown: Vec<Slice>,
}

impl Queue {
    fn put(&mut self, parts: Vec<Part>, mut skip: usize) -> Bool {
        let size: usize = parts.iter().map(|p| p.slice.len).sum();
        if skip > size {
            return 0;
        }
        self.size += size - skip;
        for mut part in parts {
            let left_out = skip.min(part.slice.len);
            skip -= left_out;
            part.slice = part.slice.from(left_out);
            if part.slice.len > 0 {
                self.parts.push_back(part);
            }
        }
        1
    }
}

impl Slice {
    /// Without its first bytes.
    fn from(self, at: usize) -> Slice {
        Slice {
            data: self.data.wrapping_add(at),
            len: self.len - at,
        }
    }
}

/// A queue; the option must be `ERL_NIF_IOQ_NORMAL`.
#[unsafe(no_mangle)]
pub extern "C" fn enif_ioq_create(options: c_int) -> *mut Queue {
    if options != 1 {
        return std::ptr::null_mut();
    }
    Box::into_raw(Box::default())
}

/// Frees a queue with all that is in it.
#[unsafe(no_mangle)]
pub extern "C" fn enif_ioq_destroy(q: Ptr<Queue>) {
    if !q.address().is_null() {
        // SAFETY: `enif_ioq_create` has made it, and the library frees it once.
        drop(unsafe { Box::from_raw(q.address()) });
    }
}

/// Puts a binary into the queue, without its first bytes. It is the queue's from then on.
#[unsafe(no_mangle)]
pub extern "C" fn enif_ioq_enq_binary(q: Ptr<Queue>, binary: Ptr<CBinary>, skip: usize) -> Bool {
    let (Some(q), Some(b)) = (q.get_mut(), binary.get_mut()) else {
        return 0;
    };
    if skip > b.size {
        return 0;
    }
    let binary = b.take().unwrap_or_else(|| BinaryRef::from_bytes(b.bytes()));
    let slice = Slice {
        data: binary.data(),
        len: b.size.min(binary.len()),
    };
    q.put(vec![Part { binary, slice }], skip)
}

/// Puts a vector into the queue, without its first bytes.
#[unsafe(no_mangle)]
pub extern "C" fn enif_ioq_enqv(q: Ptr<Queue>, vector: Ptr<CVector>, skip: usize) -> Bool {
    match (q.get_mut(), vector.get()) {
        (Some(q), Some(v)) => q.put(v.parts(), skip),
        _ => 0,
    }
}

/// Bytes in the queue.
#[unsafe(no_mangle)]
pub extern "C" fn enif_ioq_size(q: Ptr<Queue>) -> usize {
    q.get().map_or(0, |q| q.size)
}

/// Takes so many bytes off; 0 if there are not so many. `left` becomes the number of those that remain.
#[unsafe(no_mangle)]
pub extern "C" fn enif_ioq_deq(q: Ptr<Queue>, mut count: usize, left: Ptr<usize>) -> Bool {
    let Some(q) = q.get_mut().filter(|q| count <= q.size) else {
        return 0;
    };
    q.size -= count;
    while count > 0
        && let Some(part) = q.parts.front_mut()
    {
        let taken = count.min(part.slice.len);
        part.slice = part.slice.from(taken);
        if part.slice.len == 0 {
            q.parts.pop_front();
        }
        count -= taken;
    }
    left.set(q.size);
    1
}

/// Shows what is in the queue, until that changes.
#[unsafe(no_mangle)]
pub extern "C" fn enif_ioq_peek(q: Ptr<Queue>, count: Ptr<c_int>) -> *mut Slice {
    let Some(q) = q.get_mut() else {
        return std::ptr::null_mut();
    };
    q.shown = q.parts.iter().map(|p| p.slice).collect();
    count.set(q.shown.len() as c_int);
    q.shown.as_mut_ptr()
}

/// The first part of the queue as a term; 0 if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn enif_ioq_peek_head(
    env: EnvPtr,
    q: Ptr<Queue>,
    size: Ptr<usize>,
    to: Ptr<Word>,
) -> Bool {
    let Some(part) = q.get().and_then(|q| q.parts.front()) else {
        return 0;
    };
    let heap = env.heap();
    let whole = heap.shared_binary(part.binary.clone());
    let at = part.slice.data as usize - part.binary.data() as usize;
    let view = enigma_runtime::heap::bits::view(whole);
    let head = enigma_runtime::heap::bits::share(&view.part(at * 8, part.slice.len * 8), heap);
    size.set(part.slice.len);
    to.set(head.into());
    1
}
