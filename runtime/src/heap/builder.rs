//! Large objects that are made piece by piece, with collections in between.

use super::binary::BinaryRef;
use super::chunk::Chunk;
use super::{Heap, MAX_HEAP_BINARY};
use crate::heap::bits::{self, View};
use crate::term::{Header, Kind, Term};

/// A tuple in a block of its own. While it is filled its elements are roots; then a heap takes the block over.
#[derive(Debug)]
pub struct TupleBuilder {
    chunk: Chunk,
    filled: usize,
    len: usize,
}

impl TupleBuilder {
    /// A tuple that is going to have `len` elements.
    pub fn new(len: usize) -> TupleBuilder {
        TupleBuilder {
            chunk: Chunk::new(1 + len),
            filled: 0,
            len,
        }
    }

    fn first(&self) -> *mut Term {
        self.chunk.start().wrapping_add(1).cast()
    }

    /// Puts an element behind those that are there; there must be room.
    #[inline]
    pub fn push(&mut self, t: Term) {
        self.extend(&[t]);
    }

    /// The same for several elements.
    #[inline]
    pub fn extend(&mut self, elements: &[Term]) {
        assert!(elements.len() <= self.len - self.filled, "a tuple is full");
        // SAFETY: the block has a header and `len` words, of which so many are not filled yet.
        unsafe {
            let to = self.first().add(self.filled);
            std::ptr::copy_nonoverlapping(elements.as_ptr(), to, elements.len());
        }
        self.filled += elements.len();
    }

    /// The elements that are there.
    pub fn elements(&mut self) -> &mut [Term] {
        // SAFETY: so many words were filled.
        unsafe { std::slice::from_raw_parts_mut(self.first(), self.filled) }
    }

    /// The tuple, all of whose elements must be there, as an object of `heap`.
    pub fn finish(mut self, heap: &mut Heap) -> Term {
        assert!(self.filled == self.len, "a tuple is not full");
        if self.len < SMALL {
            let elements = self.elements().to_vec();
            return heap.tuple(&elements);
        }
        let p = self.chunk.start();
        // SAFETY: the block's first word is kept for the header.
        unsafe { *p = Header::new(Kind::Tuple, self.len).0 };
        self.chunk.used = 1 + self.len;
        heap.adopt(self.chunk, std::ptr::null_mut());
        Term::boxed_at(p)
    }
}

/// Smaller tuples are copied into the heap's own block.
const SMALL: usize = 512;

/// A bitstring whose size is known beforehand, made piece by piece outside all heaps.
#[derive(Debug)]
pub struct BinaryBuilder {
    /// Where the bytes are if they are few.
    few: [u8; MAX_HEAP_BINARY],
    many: Option<BinaryRef>,
    len: usize,
    /// Bits that are there.
    bits: usize,
}

impl BinaryBuilder {
    /// One with room for `bits` bits.
    pub fn new(bits: usize) -> BinaryBuilder {
        let len = bits.div_ceil(8);
        BinaryBuilder {
            few: [0; MAX_HEAP_BINARY],
            many: (len > MAX_HEAP_BINARY).then(|| BinaryRef::with_capacity(len, 0)),
            len,
            bits: 0,
        }
    }

    /// Address of the first byte.
    #[inline]
    fn data(&mut self) -> *mut u8 {
        match &self.many {
            Some(b) => b.data_mut(),
            None => self.few.as_mut_ptr(),
        }
    }

    /// Bytes that are there; a last partial one is not counted.
    pub fn filled(&self) -> usize {
        self.bits / 8
    }

    /// The whole bytes that are there.
    pub fn bytes(&mut self) -> &[u8] {
        let n = self.filled();
        // SAFETY: so many bytes were written.
        unsafe { std::slice::from_raw_parts(self.data(), n) }
    }

    /// The next `n` bytes, zeroed, to be written to; what is there must be whole bytes, and there must be room.
    fn next(&mut self, n: usize) -> &mut [u8] {
        assert!(
            self.bits & 7 == 0 && n <= self.len - self.bits / 8,
            "a binary is full"
        );
        let at = self.bits / 8;
        self.bits += 8 * n;
        // SAFETY: inside the room for `len` bytes; the bytes are initialised before the slice is made.
        unsafe {
            let p = self.data().add(at);
            std::ptr::write_bytes(p, 0, n);
            std::slice::from_raw_parts_mut(p, n)
        }
    }

    /// Puts bytes behind those that are there; there must be room.
    #[inline]
    pub fn extend(&mut self, bytes: &[u8]) {
        if self.bits & 7 != 0 {
            return bytes.iter().for_each(|&b| self.push(b));
        }
        let at = self.bits / 8;
        assert!(bytes.len() <= self.len - at, "a binary is full");
        // SAFETY: inside the room for `len` bytes.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.data().add(at), bytes.len()) };
        self.bits += 8 * bytes.len();
    }

    /// The same for one byte.
    #[inline]
    pub fn push(&mut self, byte: u8) {
        let at = self.bits / 8;
        if self.bits & 7 == 0 && at < self.len {
            // SAFETY: inside the room for `len` bytes.
            unsafe { *self.data().add(at) = byte };
            self.bits += 8;
            return;
        }
        self.put_bits([byte].as_ptr(), 0, 8);
    }

    /// The same for the bits of a view.
    pub fn put(&mut self, v: &View) {
        match v.aligned() {
            Some(s) if v.bits & 7 == 0 => self.extend(s),
            _ => self.put_bits(v.data, v.offset, v.bits),
        }
    }

    fn put_bits(&mut self, data: *const u8, offset: usize, count: usize) {
        let begun = self.bits & 7;
        let from = self.bits - begun;
        // The bytes that are touched: the last one may be there in part.
        let n = (begun + count).div_ceil(8);
        assert!(n <= self.len - from / 8, "a binary is full");
        // SAFETY: inside the room for `len` bytes; what was not written yet is initialised before the slice is made.
        let to = unsafe {
            let p = self.data().add(from / 8);
            let written = usize::from(begun > 0);
            std::ptr::write_bytes(p.add(written), 0, n - written);
            std::slice::from_raw_parts_mut(p, n)
        };
        bits::copy_bits(data, offset, to, begun, count);
        self.bits += count;
    }

    /// A piece of `n` bytes that `fill` writes.
    pub fn fill(&mut self, n: usize, fill: impl FnOnce(&mut [u8])) {
        fill(self.next(n));
    }

    /// What is there, as a bitstring in `heap`.
    pub fn finish(self, heap: &mut Heap) -> Term {
        match self.many {
            Some(mut b) => {
                b.set_used(self.bits);
                heap.shared_bits(b, self.bits)
            }
            None => heap.bits(&self.few, self.bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitstring_piece_by_piece() {
        let mut heap = Heap::new();
        for len in [3, 40, 200] {
            let whole: Vec<u8> = (0..len).map(|i| (i * 37) as u8).collect();
            let source = heap.binary(&whole);
            let v = bits::view(source);
            // Pieces that begin and end anywhere.
            for step in [1, 5, 8, 13, 64] {
                let mut b = BinaryBuilder::new(8 * whole.len());
                let mut at = 0;
                while at < v.bits {
                    let n = step.min(v.bits - at);
                    b.put(&v.part(at, n));
                    at += n;
                }
                assert_eq!(b.bytes(), whole);
                let t = b.finish(&mut heap);
                assert_eq!(bits::binary_bytes(t).as_deref(), Some(&whole[..]));
            }
        }
        let mut b = BinaryBuilder::new(11);
        b.push(0xff);
        b.put_bits([0b1010_0000].as_ptr(), 0, 3);
        let t = b.finish(&mut heap);
        assert_eq!(
            (bits::bit_size(t), bits::view(t).to_bytes()[1]),
            (11, 0b1010_0000)
        );
    }

    #[test]
    fn a_tuple_element_by_element() {
        for len in [0, 3, SMALL, 4 * SMALL] {
            let mut b = TupleBuilder::new(len);
            for i in 0..len {
                b.push(Term::small(i as i64));
                assert_eq!(b.elements().len(), i + 1);
            }
            let mut heap = Heap::new();
            let t = b.finish(&mut heap);
            let all = t.as_tuple().unwrap_or(&[]);
            assert_eq!(all.len(), len);
            assert!(
                all.iter()
                    .enumerate()
                    .all(|(i, &e)| e == Term::small(i as i64))
            );
            assert_eq!(heap.used(), 1 + len);
        }
    }
}
