//! A driver's queue: bytes that wait to be written, in binaries that are not copied.

use super::binary::{BinaryPtr, DriverBinary};
use crate::api::io_vectors::Slice;
use crate::c::Ptr;
use enigma_runtime::{Heap, Term};
use std::collections::VecDeque;
use std::ffi::c_int;

/// `ErlIOVec`.
#[repr(C)]
pub struct CDriverVector {
    /// Number of elements.
    pub count: c_int,
    /// Bytes in all.
    pub size: usize,
    /// Where they are.
    pub slices: Ptr<Slice>,
    /// Binaries that hold them, or null.
    pub binaries: Ptr<BinaryPtr>,
}

impl Default for CDriverVector {
    fn default() -> CDriverVector {
        CDriverVector {
            count: 0,
            size: 0,
            slices: Ptr::NULL,
            binaries: Ptr::NULL,
        }
    }
}

/// Part of a binary.
pub struct QueuedPart {
    binary: DriverBinary,
    at: usize,
    len: usize,
}

impl QueuedPart {
    /// A part; nothing where it is none.
    pub fn new(binary: DriverBinary, at: usize, len: usize) -> Option<QueuedPart> {
        binary.part(at, len)?;
        Some(QueuedPart { binary, at, len })
    }

    /// Bytes, copied.
    pub fn of_bytes(bytes: &[u8]) -> Option<QueuedPart> {
        QueuedPart::new(DriverBinary::of_bytes(bytes)?, 0, bytes.len())
    }

    fn slice(&self) -> Slice {
        Slice {
            data: self.binary.data().wrapping_add(self.at),
            len: self.len,
        }
    }
}

/// Bytes of a vector, and the binary that holds them, if one does.
pub struct Element<'a> {
    /// They.
    pub bytes: &'a [u8],
    holder: Option<DriverBinary>,
}

impl Element<'_> {
    /// They as a term.
    pub fn to_term(&self, h: &mut Heap) -> Term {
        let held = self
            .holder
            .as_ref()
            .and_then(|b| b.to_term(self.place_in(b)?, self.bytes.len(), h));
        held.unwrap_or_else(|| h.binary(self.bytes))
    }

    /// Where a binary has them.
    fn place_in(&self, b: &DriverBinary) -> Option<usize> {
        self.bytes.as_ptr().addr().checked_sub(b.data().addr())
    }

    /// They as a part of the binary that holds them, or copied.
    fn into_part(mut self) -> Option<QueuedPart> {
        match self.holder.take() {
            Some(b) => {
                let at = self.place_in(&b)?;
                QueuedPart::new(b, at, self.bytes.len())
            }
            None => QueuedPart::of_bytes(self.bytes),
        }
    }
}

impl CDriverVector {
    /// The elements without the first bytes and without empty ones; none where their number is none.
    pub fn elements<'a>(&self, mut skip: usize) -> Vec<Element<'a>> {
        let count = usize::try_from(self.count).unwrap_or(0);
        let holders = self.binaries.slice(count);
        let slices: &[Slice] = self.slices.slice(count);
        let mut all = Vec::new();
        for (i, s) in slices.iter().enumerate() {
            let bytes = Ptr::to(s.data.cast_mut()).slice(s.len);
            let left_out = skip.min(bytes.len());
            skip -= left_out;
            let bytes = &bytes[left_out..];
            if !bytes.is_empty() {
                let holder = holders.get(i).and_then(|&b| DriverBinary::share(b));
                all.push(Element { bytes, holder });
            }
        }
        all
    }
}

/// The elements of a vector without its first bytes: copied where no binary holds them.
pub fn parts_of(v: &CDriverVector, skip: usize) -> Option<Vec<QueuedPart>> {
    if v.count < 0 {
        return None;
    }
    let elements = v.elements(skip).into_iter();
    elements.map(Element::into_part).collect()
}

/// See the module's text.
#[derive(Default)]
pub struct DriverQueue {
    parts: VecDeque<QueuedPart>,
    size: usize,
    /// What was shown to C: it stays until the queue changes.
    shown: (Vec<Slice>, Vec<BinaryPtr>),
}

// SAFETY: the addresses are those of the queue's own binaries.
unsafe impl Send for DriverQueue {}

impl DriverQueue {
    /// Bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Puts parts behind the others, or in front of them.
    pub fn put(&mut self, parts: Vec<QueuedPart>, in_front: bool) {
        self.size += parts.iter().map(|p| p.len).sum::<usize>();
        let parts = parts.into_iter().filter(|p| p.len > 0);
        if in_front {
            let parts: Vec<QueuedPart> = parts.collect();
            parts
                .into_iter()
                .rev()
                .for_each(|p| self.parts.push_front(p));
        } else {
            self.parts.extend(parts);
        }
    }

    /// Takes so many bytes from the front. `false` if there are fewer.
    pub fn take(&mut self, mut n: usize) -> bool {
        if n > self.size {
            return false;
        }
        self.size -= n;
        while n > 0 {
            let Some(front) = self.parts.front_mut() else {
                break;
            };
            if front.len > n {
                front.at += n;
                front.len -= n;
                break;
            }
            n -= front.len;
            self.parts.pop_front();
        }
        true
    }

    /// Takes everything.
    pub fn clear(&mut self) {
        *self = DriverQueue::default();
    }

    /// For C: where the bytes are, which binaries hold them, and how many of these there are.
    pub fn show(&mut self) -> (*mut Slice, *mut BinaryPtr, usize) {
        let (slices, binaries) = &mut self.shown;
        slices.clear();
        slices.extend(self.parts.iter().map(QueuedPart::slice));
        binaries.clear();
        binaries.extend(self.parts.iter().map(|p| p.binary.as_ptr()));
        (slices.as_mut_ptr(), binaries.as_mut_ptr(), slices.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(q: &mut DriverQueue) -> Vec<u8> {
        let (slices, _, n) = q.show();
        let slices = Ptr::to(slices).slice(n);
        let bytes = slices
            .iter()
            .flat_map(|s| Ptr::to(s.data.cast_mut()).slice(s.len));
        bytes.copied().collect()
    }

    #[test]
    fn bytes_go_in_at_both_ends_and_out_at_the_front() {
        let part = |b: &[u8]| vec![QueuedPart::of_bytes(b).unwrap()];
        let mut q = DriverQueue::default();
        q.put(part(b"cd"), false);
        q.put(part(b"ef"), false);
        q.put(part(b"ab"), true);
        assert_eq!(bytes(&mut q), b"abcdef");
        assert!(q.take(3));
        assert_eq!(bytes(&mut q), b"def");
        assert!(!q.take(4));
        assert!(q.take(3));
        assert_eq!((bytes(&mut q), q.size()), (vec![], 0));
    }
}
