//! Bitstrings: one view of the three representations, and the reading and copying of bit ranges.

use crate::heap::binary::BinaryRef;
use crate::heap::{Heap, MAX_HEAP_BINARY};
use crate::term::{Kind, Term};
use std::any::Any;

/// Where the bits of a bitstring (or of what a match context has left) are.
#[derive(Clone, Copy)]
pub struct View {
    /// The `HeapBits` or `BinRef` that holds them.
    pub base: Term,
    /// Address of the base's first byte.
    pub data: *const u8,
    /// First bit, counted from the base's start.
    pub offset: usize,
    /// Number of bits.
    pub bits: usize,
}

/// Bytes allocated for the shared binary of a view's base; nothing where the bytes are in a heap.
pub fn room(base: Term) -> Option<usize> {
    // SAFETY: a live `BinRef` owns the binary in word 2.
    base.is_kind(Kind::BinRef)
        .then(|| unsafe { BinaryRef::borrow_raw(base.word(2)) }.capacity())
}

/// The shared binary of a view's base, if its bytes are in one.
pub fn shared(base: Term) -> Option<BinaryRef> {
    // SAFETY: a live `BinRef` owns the binary in word 2.
    base.is_kind(Kind::BinRef)
        .then(|| (*unsafe { BinaryRef::borrow_raw(base.word(2)) }).clone())
}

/// What keeps the bytes of a view's base, if somebody else has made them. It is there as long as the term.
pub fn owner<'a>(base: Term) -> Option<&'a (dyn Any + Send + Sync)> {
    if !base.is_kind(Kind::BinRef) {
        return None;
    }
    // SAFETY: a live `BinRef` owns the binary in word 2, and with it the owner of the bytes.
    unsafe {
        let binary = BinaryRef::borrow_raw(base.word(2));
        binary.owner().map(|o| &*std::ptr::from_ref(o))
    }
}

/// Size of a bitstring in bits; `t` must be one.
#[inline]
pub fn bit_size(t: Term) -> usize {
    match t.kind() {
        Some(Kind::HeapBits) => t.word(1) as usize,
        Some(Kind::MatchCtx) => (t.word(3) - t.word(2)) as usize,
        Some(Kind::BinRef | Kind::SubBits) => t.word(3) as usize,
        _ => crate::bug::wrong_kind("bitstring"),
    }
}

impl Term {
    /// Is this a bitstring of whole bytes?
    #[inline]
    pub fn is_binary(self) -> bool {
        self.is_bitstring() && bit_size(self) & 7 == 0
    }
}

/// Address of the first byte of a `HeapBits` or `BinRef`.
#[inline(always)]
pub(crate) fn base_data(base: Term) -> *const u8 {
    if base.is_kind(Kind::HeapBits) {
        base.ptr().wrapping_add(2).cast::<u8>().cast_const()
    } else {
        // SAFETY: a live `BinRef` owns the binary in word 2.
        unsafe { BinaryRef::borrow_raw(base.word(2)).data() }
    }
}

/// The view of a bitstring or of the rest of a match context; `t` must be one.
#[inline(always)]
pub fn view(t: Term) -> View {
    match t.kind() {
        Some(Kind::HeapBits) => View {
            base: t,
            data: t.ptr().wrapping_add(2).cast(),
            offset: 0,
            bits: t.word(1) as usize,
        },
        Some(Kind::BinRef) => View {
            base: t,
            data: base_data(t),
            offset: 0,
            bits: t.word(3) as usize,
        },
        Some(Kind::SubBits) => {
            let base = Term(t.word(1));
            View {
                base,
                data: base_data(base),
                offset: t.word(2) as usize,
                bits: t.word(3) as usize,
            }
        }
        Some(Kind::MatchCtx) => {
            let base = Term(t.word(1));
            let at = t.word(2) as usize;
            View {
                base,
                data: base_data(base),
                offset: at,
                bits: t.word(3) as usize - at,
            }
        }
        _ => crate::bug::wrong_kind("bitstring"),
    }
}

/// The view of a bitstring of whole bytes, if `t` is one.
#[inline(always)]
pub fn binary_view(t: Term) -> Option<View> {
    if !t.is_bitstring() {
        return None;
    }
    let v = view(t);
    (v.bits & 7 == 0).then_some(v)
}

impl View {
    /// The bytes, if the view starts at a byte; a last partial byte is included whole.
    #[inline]
    pub fn aligned<'a>(&self) -> Option<&'a [u8]> {
        if self.offset & 7 != 0 {
            return None;
        }
        // SAFETY: the range lies in the base's bytes, which do not change while the base lives.
        Some(unsafe {
            std::slice::from_raw_parts(self.data.add(self.offset / 8), self.bits.div_ceil(8))
        })
    }

    /// The whole bytes at its start, if it starts at a byte; else none.
    #[inline]
    pub fn whole_bytes<'a>(&self) -> &'a [u8] {
        let bytes = self.aligned().unwrap_or_default();
        &bytes[..bytes.len().min(self.bits / 8)]
    }

    /// The bytes, copied if need be so that the first bit is the first byte's highest. Bits after the
    /// last are zero.
    #[inline]
    pub fn to_bytes<'a>(&self) -> std::borrow::Cow<'a, [u8]> {
        match self.aligned() {
            Some(s) if self.bits & 7 == 0 => s.into(),
            _ => self.moved_bytes().into(),
        }
    }

    #[cold]
    fn moved_bytes(&self) -> Vec<u8> {
        let mut out = vec![0; self.bits.div_ceil(8)];
        copy_bits(self.data, self.offset, &mut out, 0, self.bits);
        out
    }

    /// Copies the bits to bit `at` of `out`, whose other bits stay as they are.
    pub fn write_to(&self, out: &mut [u8], at: usize) {
        copy_bits(self.data, self.offset, out, at, self.bits);
    }

    /// Byte `i` of the bits; must lie inside.
    #[inline]
    pub fn byte(&self, i: usize) -> u8 {
        debug_assert!(8 * (i + 1) <= self.bits);
        if self.offset & 7 == 0 {
            // SAFETY: the byte lies in the base's bytes.
            return unsafe { *self.data.add(self.offset / 8 + i) };
        }
        read_bits(self.data, self.offset + 8 * i, 8) as u8
    }

    /// The part from bit `from` on, `bits` long; must lie inside.
    pub fn part(&self, from: usize, bits: usize) -> View {
        debug_assert!(from + bits <= self.bits);
        View {
            offset: self.offset + from,
            bits,
            ..*self
        }
    }
}

/// The bytes of a bitstring of whole bytes (copied if it does not start at a byte), if `t` is one.
#[inline(always)]
pub fn binary_bytes<'a>(t: Term) -> Option<std::borrow::Cow<'a, [u8]>> {
    binary_view(t).map(|v| v.to_bytes())
}

/// Bytes of the longest part of a bitstring that is a copy, if it begins at a byte.
pub const LONGEST_COPIED_PART: usize = MAX_HEAP_BINARY / 2;

/// A bitstring of the view's bits that shares the base's memory where that saves any.
#[inline]
pub fn share(v: &View, heap: &mut Heap) -> Term {
    if v.bits.div_ceil(8) <= LONGEST_COPIED_PART && v.offset & 7 == 0 {
        return copy_out(v, heap);
    }
    if v.offset == 0 && v.bits == bit_size(v.base) {
        return v.base;
    }
    heap.sub_bits(v.base, v.offset, v.bits)
}

/// A bitstring with a copy of the view's bits.
#[inline]
pub fn copy_out(v: &View, heap: &mut Heap) -> Term {
    let len = v.bits.div_ceil(8);
    if v.bits & 7 == 0
        && let Some(bytes) = v.aligned()
    {
        return heap.bits(bytes, v.bits);
    }
    copy_moved(v, len, heap)
}

/// The same where the view's bits move inside their bytes, or the last of these is partial.
#[cold]
fn copy_moved(v: &View, len: usize, heap: &mut Heap) -> Term {
    if len <= MAX_HEAP_BINARY {
        let (t, data) = heap.heap_bits(v.bits);
        // SAFETY: `heap_bits` made and zeroed room for `len` bytes.
        let out = unsafe { std::slice::from_raw_parts_mut(data, len) };
        copy_bits(v.data, v.offset, out, 0, v.bits);
        t
    } else {
        let b = BinaryRef::build(len, |out| copy_bits(v.data, v.offset, out, 0, v.bits));
        heap.shared_bits(b, v.bits)
    }
}

/// Copies `count` bits from bit `from` of `src` to bit `to` of `dst`. Bits of `dst` outside the range
/// stay as they are.
pub(crate) fn copy_bits(src: *const u8, from: usize, dst: &mut [u8], to: usize, count: usize) {
    if count == 0 {
        return;
    }
    assert!(
        (to + count).div_ceil(8) <= dst.len(),
        "bit copy beyond the destination"
    );
    if from & 7 == 0 && to & 7 == 0 {
        let whole = count / 8;
        // SAFETY: callers give a source of `from + count` bits; the destination was checked.
        unsafe {
            std::ptr::copy_nonoverlapping(src.add(from / 8), dst.as_mut_ptr().add(to / 8), whole)
        };
        let rest = count & 7;
        if rest > 0 {
            let mask = !(0xffu8 >> rest);
            // SAFETY: the last, partial byte lies in the source.
            let s = unsafe { *src.add(from / 8 + whole) };
            let d = &mut dst[to / 8 + whole];
            *d = (*d & !mask) | (s & mask);
        }
        return;
    }
    let (mut from, mut to, mut left) = (from, to, count);
    // Bits up to the destination's next byte, then whole bytes, then the rest.
    while left > 0 {
        let room = 8 - (to & 7);
        let n = room.min(left);
        let bits = read_up_to_8(src, from, n);
        let shift = room - n;
        let mask = (((1u16 << n) - 1) as u8) << shift;
        let d = &mut dst[to / 8];
        *d = (*d & !mask) | (bits << shift);
        from += n;
        to += n;
        left -= n;
    }
}

/// `n` (1 to 8) bits from bit `from` on, right-aligned.
#[inline]
fn read_up_to_8(src: *const u8, from: usize, n: usize) -> u8 {
    let at = from / 8;
    let skip = from & 7;
    // SAFETY: callers give a source that holds bits `from..from + n`; the second byte is read only
    // where the range reaches into it.
    let w = unsafe {
        let hi = u16::from(*src.add(at)) << 8;
        if skip + n > 8 {
            hi | u16::from(*src.add(at + 1))
        } else {
            hi
        }
    };
    ((w >> (16 - skip - n)) & ((1 << n) - 1)) as u8
}

/// `n` (at most 64) bits from bit `from` on, as an unsigned big-endian number.
#[inline]
pub(crate) fn read_bits(src: *const u8, from: usize, n: usize) -> u64 {
    if from & 7 == 0 && n & 7 == 0 {
        let mut v = 0u64;
        for i in 0..n / 8 {
            // SAFETY: callers give a source that holds bits `from..from + n`.
            v = (v << 8) | u64::from(unsafe { *src.add(from / 8 + i) });
        }
        return v;
    }
    let (mut at, mut left, mut v) = (from, n, 0u64);
    while left > 0 {
        let k = (8 - (at & 7)).min(left);
        v = (v << k) | u64::from(read_up_to_8(src, at, k));
        at += k;
        left -= k;
    }
    v
}

/// Compares the bits of two views as bitstrings are ordered: bit by bit, a prefix first.
pub fn compare(a: &View, b: &View) -> std::cmp::Ordering {
    if let (Some(x), Some(y)) = (a.aligned(), b.aligned())
        && a.bits & 7 == 0
        && b.bits & 7 == 0
    {
        return x.cmp(y);
    }
    let common = a.bits.min(b.bits);
    let mut at = 0;
    while at < common {
        let n = (common - at).min(64);
        let (x, y) = (
            read_bits(a.data, a.offset + at, n),
            read_bits(b.data, b.offset + at, n),
        );
        if x != y {
            return x.cmp(&y);
        }
        at += n;
    }
    a.bits.cmp(&b.bits)
}
