//! Reference-counted binaries outside all heaps.
//!
//! A `Binary` is bytes with a count of references, a capacity and the number of bits in use. Contents
//! below `used` never change once they are visible to Erlang code; the room above can be claimed by
//! whoever holds a view that ends exactly at `used`: the claim is one compare-and-swap, so an append
//! needs no knowledge of who else holds the binary, and a second append to the same view copies. Where the view ends inside a byte
//! that one is written to again, so nobody else may look: it is enough that no reference has left the heap that made the binary.
//!
//! The bytes follow the header, or lie in memory that somebody else has made (a vector, a library): then an owner
//! that is dropped with the binary follows the header. So lie the bytes of large binaries that are appended to (see `room`).

use super::room::{self, Room};
use crate::sys::memory::{self, Purpose};
use crate::tally::Tally;
use std::alloc::Layout;
use std::any::Any;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Header of a shared binary.
#[repr(C)]
pub struct Binary {
    refs: AtomicUsize,
    data: *mut u8,
    /// It grows only, and only where the bytes are in a `Room`.
    capacity: AtomicUsize,
    used_bits: AtomicUsize,
    /// Have there been references outside the heap of the first one?
    travelled: AtomicBool,
}

/// Keeps the bytes of a binary that lie elsewhere.
pub type BytesOwner = Box<dyn Any + Send + Sync>;

/// A binary whose bytes lie elsewhere.
#[repr(C)]
struct Foreign {
    header: Binary,
    owner: BytesOwner,
}

/// An owned reference to a shared binary.
#[derive(Debug)]
#[repr(transparent)]
pub struct BinaryRef(NonNull<Binary>);

// SAFETY: the count is atomic and the contents below `used` do not change.
unsafe impl Send for BinaryRef {}
// SAFETY: as above.
unsafe impl Sync for BinaryRef {}

/// Fewest bytes allocated for a binary that is appended to.
const LEAST_BEHIND: usize = 256;

/// Vectors of fewer bytes are copied into a binary.
const WORTH_OWNING: usize = 16 * 1024;

/// Bytes behind the capacity that nobody uses. Libraries in C write a zero behind what they have asked room for (`sprintf`), and BEAM's
/// binaries bear it.
pub const SLACK: usize = 7;

fn layout(capacity: usize) -> Layout {
    let size = (size_of::<Binary>() + SLACK).saturating_add(capacity);
    match Layout::from_size_align(size, 8) {
        Ok(l) => l,
        Err(_) => memory::exhausted(Purpose::Binary, capacity),
    }
}

impl BinaryRef {
    /// In a `Binary`: the address of its first byte.
    pub(crate) const DATA_AT: usize = std::mem::offset_of!(Binary, data);
    /// The number of references.
    pub(crate) const REFS_AT: usize = std::mem::offset_of!(Binary, refs);
    /// Bytes allocated.
    pub(crate) const CAPACITY_AT: usize = std::mem::offset_of!(Binary, capacity);
    /// Bits in use.
    pub(crate) const USED_AT: usize = std::mem::offset_of!(Binary, used_bits);

    pub(super) fn with_capacity(capacity: usize, used_bits: usize) -> BinaryRef {
        let p = memory::try_take(layout(capacity))
            .unwrap_or_else(|| memory::exhausted(Purpose::Binary, capacity))
            .cast::<Binary>();
        Tally::Binary.add(capacity as isize);
        // SAFETY: fresh memory of the right size and alignment.
        unsafe {
            p.write(Binary {
                refs: AtomicUsize::new(1),
                data: p.as_ptr().add(1).cast(),
                capacity: AtomicUsize::new(capacity),
                used_bits: AtomicUsize::new(used_bits),
                travelled: AtomicBool::new(false),
            });
        }
        BinaryRef(p)
    }

    /// A binary of `len` bytes at `data`, which nobody copies.
    ///
    /// # Safety
    /// The bytes stay there and do not change until `owner` is dropped.
    pub unsafe fn foreign(data: *const u8, len: usize, owner: BytesOwner) -> BinaryRef {
        // SAFETY: as the caller promises.
        unsafe { BinaryRef::owned(data.cast_mut(), len, len, owner) }
    }

    /// A binary whose first `len` bytes of `capacity` at `data` are in use.
    ///
    /// # Safety
    /// The bytes stay there until `owner` is dropped, and those in use do not change.
    unsafe fn owned(data: *mut u8, len: usize, capacity: usize, owner: BytesOwner) -> BinaryRef {
        Tally::Binary.add(capacity as isize);
        let binary = Box::new(Foreign {
            header: Binary {
                refs: AtomicUsize::new(1),
                data,
                capacity: AtomicUsize::new(capacity),
                used_bits: AtomicUsize::new(len * 8),
                travelled: AtomicBool::new(false),
            },
            owner,
        });
        BinaryRef(NonNull::from(Box::leak(binary)).cast())
    }

    /// As `with_capacity`, with room to grow in where the system gives it.
    fn in_room(capacity: usize, len: usize) -> BinaryRef {
        let Some(room) = Room::new(capacity) else {
            return BinaryRef::with_capacity(capacity, len * 8);
        };
        let data = room.data();
        // SAFETY: the room has memory for so many bytes, where they stay.
        unsafe { BinaryRef::owned(data, len, capacity, Box::new(room)) }
    }

    /// Makes room for `more_bits` behind the last bit in use, which is in front of `at_bits`, if the binary has addresses for them. Says
    /// whether there is room then.
    #[cold]
    #[inline(never)]
    fn grow(&self, at_bits: usize, more_bits: usize) -> bool {
        let Some(room) = self.owner().and_then(|o| o.downcast_ref::<Room>()) else {
            return false;
        };
        let wanted = (at_bits + more_bits).div_ceil(8);
        if self.header().used_bits.load(Ordering::Acquire) != at_bits || wanted > room.bytes() {
            return false;
        }
        let has = self.capacity();
        let capacity = (2 * has).clamp(wanted, room.bytes());
        if wanted > has && room.commit(capacity) {
            let before = self.header().capacity.fetch_max(capacity, Ordering::AcqRel);
            Tally::Binary.add(capacity.saturating_sub(before) as isize);
        }
        wanted <= self.capacity()
    }

    /// A binary with these contents, which are not copied where they are many.
    pub fn from_vec(bytes: Vec<u8>) -> BinaryRef {
        if bytes.len() < WORTH_OWNING || bytes.capacity() - bytes.len() > bytes.len() / 8 {
            return BinaryRef::from_bytes(&bytes);
        }
        let (data, len) = (bytes.as_ptr(), bytes.len());
        // SAFETY: the vector keeps its bytes where they are, and nobody can reach it to change them.
        unsafe { BinaryRef::foreign(data, len, Box::new(bytes)) }
    }

    /// Do the bytes lie elsewhere?
    fn is_foreign(&self) -> bool {
        self.header().data != self.own_bytes()
    }

    /// What keeps the bytes, if they lie elsewhere.
    pub fn owner(&self) -> Option<&(dyn Any + Send + Sync)> {
        // SAFETY: `foreign` has made it.
        self.is_foreign()
            .then(|| &*unsafe { self.0.cast::<Foreign>().as_ref() }.owner)
    }

    /// Where the bytes of a binary that has its own lie.
    fn own_bytes(&self) -> *mut u8 {
        self.0.as_ptr().wrapping_add(1).cast()
    }

    /// A binary with these contents.
    pub fn from_bytes(bytes: &[u8]) -> BinaryRef {
        let b = BinaryRef::with_capacity(bytes.len(), bytes.len() * 8);
        // SAFETY: fresh, and as large as `bytes`.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), b.data_mut(), bytes.len()) };
        b
    }

    /// A binary of `len` bytes that `fill` writes; the bytes are zero before.
    pub fn build(len: usize, fill: impl FnOnce(&mut [u8])) -> BinaryRef {
        BinaryRef::build_with_room(len, len, fill)
    }

    /// A binary of `len` bytes with room for `capacity`, for values that are going to be appended to.
    pub fn build_with_room(len: usize, capacity: usize, fill: impl FnOnce(&mut [u8])) -> BinaryRef {
        BinaryRef::with_capacity(capacity.max(len), len * 8).fill_behind(&[], fill)
    }

    /// A binary of `len` bytes that begins with those of `start`, with room for about as many again. `fill` gets all of it, zero
    /// behind these.
    pub fn build_behind(start: &[u8], len: usize, fill: impl FnOnce(&mut [u8])) -> BinaryRef {
        let len = len.max(start.len());
        let capacity = (2 * len).max(LEAST_BEHIND);
        let b = if capacity >= room::LEAST {
            BinaryRef::in_room(capacity, len)
        } else {
            BinaryRef::with_capacity(capacity, len * 8)
        };
        b.fill_behind(start, fill)
    }

    /// Fills a fresh binary, of at least as many bytes as `start`.
    fn fill_behind(self, start: &[u8], fill: impl FnOnce(&mut [u8])) -> BinaryRef {
        let len = self.len();
        // SAFETY: fresh and not shared yet; the bytes are initialised before the slice is made.
        let s = unsafe {
            let data = self.data_mut();
            std::ptr::copy_nonoverlapping(start.as_ptr(), data, start.len());
            std::ptr::write_bytes(data.add(start.len()), 0, len - start.len());
            std::slice::from_raw_parts_mut(data, len)
        };
        fill(s);
        self
    }

    /// A binary of `len` bytes that are as memory is, for somebody who writes all of them before anybody looks.
    pub fn open(len: usize) -> BinaryRef {
        BinaryRef::with_capacity(len, len * 8)
    }

    /// The same bytes in a binary of another length, where it can be without a copy if nobody else has it. Bytes that are
    /// added are as memory is.
    pub fn resized(self, len: usize) -> BinaryRef {
        let old = self.len();
        if self.refs() != 1 || self.is_foreign() {
            let moved = BinaryRef::open(len);
            // SAFETY: both are as long as that, and nobody else has the new one.
            unsafe {
                std::ptr::copy_nonoverlapping(self.data(), moved.data_mut(), old.min(len));
            }
            return moved;
        }
        let capacity = self.capacity();
        // SAFETY: the only reference is ours, so nobody else can look at or move the allocation.
        let p = unsafe { memory::resize(self.0.cast(), layout(capacity), layout(len).size()) };
        let Some(p) = p.map(NonNull::cast::<Binary>) else {
            memory::exhausted(Purpose::Binary, len)
        };
        std::mem::forget(self);
        Tally::Binary.add(len as isize - capacity as isize);
        let mut moved = BinaryRef(p);
        let data = moved.own_bytes();
        // SAFETY: the only reference to the header that was moved.
        let header = unsafe { moved.0.as_mut() };
        header.data = data;
        header.capacity = AtomicUsize::new(len);
        header.used_bits = AtomicUsize::new(len * 8);
        moved
    }

    /// Adds whole bytes behind those in use of a binary that nobody else has.
    pub fn extend(&mut self, bytes: &[u8]) {
        match self.claim(8 * self.len(), 8 * bytes.len(), true) {
            // SAFETY: the claim is ours, and as long as `bytes`.
            Some(to) => unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) },
            None => {
                let (start, len) = (self.len(), self.len() + bytes.len());
                let fill = |all: &mut [u8]| all[start..].copy_from_slice(bytes);
                *self = BinaryRef::build_behind(self.bytes(), len, fill);
            }
        }
    }

    /// Gives up the room behind the bytes in use of a binary that nobody else has.
    pub fn trim(mut self) -> BinaryRef {
        let (len, capacity) = (self.len(), self.capacity());
        if !self.is_foreign() {
            return self.resized(len);
        }
        if self.refs() == 1
            && let Some(room) = self.own_room()
        {
            room.trim(len);
            self.header().capacity.store(len, Ordering::Release);
            Tally::Binary.add(len as isize - capacity as isize);
        }
        self
    }

    /// The room that the bytes are in, of a binary that nobody else has.
    fn own_room(&mut self) -> Option<&mut Room> {
        debug_assert!(self.is_foreign() && self.refs() == 1);
        // SAFETY: `owned` has made it, and the only reference is ours.
        unsafe { self.0.cast::<Foreign>().as_mut() }
            .owner
            .downcast_mut()
    }

    /// Where the bytes can be written, by the only one who has the binary.
    pub fn room(&self) -> *mut u8 {
        self.data_mut()
    }

    #[inline(always)]
    fn header(&self) -> &Binary {
        // SAFETY: an owned reference keeps the header alive.
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    pub(super) fn data_mut(&self) -> *mut u8 {
        self.header().data
    }

    /// Address of the first byte.
    #[inline(always)]
    pub fn data(&self) -> *const u8 {
        self.data_mut()
    }

    /// Says how many bits are in use, of a binary that nobody else has seen.
    pub(crate) fn set_used(&mut self, bits: usize) {
        debug_assert!(self.refs() == 1 && bits.div_ceil(8) <= self.capacity());
        self.header().used_bits.store(bits, Ordering::Release);
    }

    /// Bytes in use, a last partial byte included.
    pub fn len(&self) -> usize {
        self.header().used_bits.load(Ordering::Acquire).div_ceil(8)
    }

    /// Are no bytes in use?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes allocated.
    pub fn capacity(&self) -> usize {
        self.header().capacity.load(Ordering::Acquire)
    }

    /// Number of references now.
    pub fn refs(&self) -> usize {
        self.header().refs.load(Ordering::Relaxed)
    }

    /// The contents.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: bytes below `used` are initialised and do not change.
        unsafe { std::slice::from_raw_parts(self.data(), self.len()) }
    }

    /// Claims the bytes from `at_bits` (which must be a whole number of bytes) up to `at_bits + more_bits`
    /// for the caller to write, if `at_bits` is the end of what is used and there is room or can be made where the bytes are. The new bytes
    /// are zeroed by nobody: the caller writes them all before it makes them visible. `own`: this reference is
    /// the caller's, and no other thread's too, as one in a literal may be.
    pub fn claim(&self, at_bits: usize, more_bits: usize, own: bool) -> Option<*mut u8> {
        if at_bits & 7 != 0 || more_bits & 7 != 0 {
            return None;
        }
        let to = at_bits + more_bits;
        if to.div_ceil(8) > self.capacity() && !self.grow(at_bits, more_bits) {
            return None;
        }
        if own && self.header().refs.load(Ordering::Acquire) == 1 {
            // Nobody else can claim, so no exchange is needed.
            let used = &self.header().used_bits;
            if used.load(Ordering::Relaxed) != at_bits {
                return None;
            }
            used.store(to, Ordering::Relaxed);
            // SAFETY: inside the allocation, as checked against the capacity.
            return Some(unsafe { self.data_mut().add(at_bits / 8) });
        }
        self.header()
            .used_bits
            .compare_exchange(at_bits, to, Ordering::AcqRel, Ordering::Relaxed)
            .ok()
            // SAFETY: inside the allocation, as checked against the capacity.
            .map(|_| unsafe { self.data_mut().add(at_bits / 8) })
    }

    /// Claims bits likewise, wherever they begin and end, if this is the only reference, or one of several in the same heap. Gives
    /// the bytes from the one on in which the first of them is; they and what follows them are zero.
    pub fn claim_bits(&mut self, at_bits: usize, more_bits: usize) -> Option<&mut [u8]> {
        let to = at_bits + more_bits;
        let header = self.header();
        if header.refs.load(Ordering::Acquire) != 1 && header.travelled.load(Ordering::Relaxed)
            || to.div_ceil(8) > self.capacity() && !self.grow(at_bits, more_bits)
        {
            return None;
        }
        let used = &self.header().used_bits;
        if used.load(Ordering::Relaxed) != at_bits {
            return None;
        }
        used.store(to, Ordering::Relaxed);
        let (first, end) = (at_bits / 8, to.div_ceil(8));
        // SAFETY: inside the allocation, as checked against the capacity; nobody else can look at it or write to it: other references
        // belong to the heap that this one is of, and so to this thread now. Bytes that were not in use are zeroed before the slice
        // is made.
        let bytes = unsafe {
            let fresh = at_bits.div_ceil(8).min(end);
            std::ptr::write_bytes(self.data_mut().add(fresh), 0, end - fresh);
            std::slice::from_raw_parts_mut(self.data_mut().add(first), end - first)
        };
        if let Some(byte) = bytes.first_mut() {
            *byte &= !(0xff >> (at_bits & 7));
        }
        Some(bytes)
    }

    /// Another reference, for the heap that this one is of.
    pub(crate) fn again_in_heap(&self) -> BinaryRef {
        self.header().refs.fetch_add(1, Ordering::Relaxed);
        BinaryRef(self.0)
    }

    /// The reference as a word for a heap object; the object owns it from then on.
    pub fn into_raw(self) -> u64 {
        let p = self.0.as_ptr() as u64;
        std::mem::forget(self);
        p
    }

    /// The word of the reference, which stays with its owner.
    pub fn as_raw(&self) -> u64 {
        self.0.as_ptr() as u64
    }

    /// Takes back a reference from a word.
    ///
    /// # Safety
    /// The word came from `into_raw` and its owner gives it up.
    pub unsafe fn from_raw(word: u64) -> BinaryRef {
        // SAFETY: `into_raw` never gives null.
        BinaryRef(unsafe { NonNull::new_unchecked(word as *mut Binary) })
    }

    /// Looks at the binary behind a word without owning it.
    ///
    /// # Safety
    /// The word came from `into_raw` and its owner keeps it for as long as the result is used.
    #[inline(always)]
    pub unsafe fn borrow_raw(word: u64) -> std::mem::ManuallyDrop<BinaryRef> {
        // SAFETY: as the caller promises; `ManuallyDrop` leaves the count alone.
        std::mem::ManuallyDrop::new(unsafe { BinaryRef::from_raw(word) })
    }
}

impl Clone for BinaryRef {
    fn clone(&self) -> BinaryRef {
        // Not written to where it is known: the others read it.
        if !self.header().travelled.load(Ordering::Relaxed) {
            self.header().travelled.store(true, Ordering::Relaxed);
        }
        self.again_in_heap()
    }
}

impl Drop for BinaryRef {
    fn drop(&mut self) {
        if self.header().refs.fetch_sub(1, Ordering::Release) == 1 {
            // What the others did with it comes before; a load and no fence, which the thread sanitizer would not see.
            self.header().refs.load(Ordering::Acquire);
            let cap = self.capacity();
            Tally::Binary.add(-(cap as isize));
            if self.is_foreign() {
                // SAFETY: this was the last reference to a binary that `foreign` has made.
                drop(unsafe { Box::from_raw(self.0.as_ptr().cast::<Foreign>()) });
                return;
            }
            // SAFETY: this was the last reference.
            unsafe { memory::give_back(self.0.cast(), layout(cap)) }
        }
    }
}

/// A bitstring that is being filled by further instructions. It is shared from the start, so that no
/// collection moves it.
pub struct Building {
    /// The bitstring.
    pub binary: BinaryRef,
    /// Where the next segment goes, in bits.
    pub at: usize,
    /// Size in bits.
    pub end: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn owners_go_with_the_last_reference() {
        let owner = Arc::new([7u8; 100]);
        let kept = Arc::clone(&owner);
        // SAFETY: the array is in the owner, and nobody changes it.
        let b = unsafe { BinaryRef::foreign(kept.as_ptr(), 100, Box::new(kept)) };
        let other = b.clone();
        assert_eq!(other.bytes(), &[7; 100]);
        assert!(b.claim(800, 8, false).is_none());
        drop(b);
        assert_eq!(Arc::strong_count(&owner), 2);
        drop(other);
        assert_eq!(Arc::strong_count(&owner), 1);
    }

    #[test]
    fn room_is_claimed_once() {
        for own in [false, true] {
            let b = BinaryRef::build_with_room(4, 8, |_| ());
            assert!(b.claim(24, 8, own).is_none(), "not the end");
            assert!(b.claim(32, 16, own).is_some());
            let other = b.clone();
            assert!(other.claim(32, 16, own).is_none(), "taken");
            assert!(other.claim(48, 16, own).is_some());
            drop(b);
            assert!(other.claim(64, 8, own).is_none(), "no room");
        }
    }

    #[test]
    fn large_ones_grow_where_they_are() {
        let start = vec![1u8; room::LEAST];
        let mut b = BinaryRef::build_behind(&start, start.len() + 1, |out| out[room::LEAST] = 2);
        let (data, capacity) = (b.data(), b.capacity());
        let end = 8 * capacity;
        assert!(!b.grow(end, 8), "not the end");
        b.set_used(end);
        assert_eq!(b.capacity(), capacity);
        let at = b.claim(end, 8, true).unwrap();
        // SAFETY: the byte that was claimed.
        unsafe { at.write(3) };
        assert_eq!((b.data(), b.capacity()), (data, 2 * capacity));
        assert_eq!((b.bytes()[room::LEAST], b.bytes()[capacity]), (2, 3));
        assert!(
            !b.grow(end + 8, usize::MAX / 2),
            "more than there are addresses"
        );
        let small = BinaryRef::build_behind(&[1], 2, |_| ());
        assert!(!small.grow(16, 8 * small.capacity()));
    }

    #[test]
    fn bits_are_claimed_by_the_only_reference() {
        let mut b = BinaryRef::build_with_room(1, 3, |out| out[0] = 0xff);
        assert!(b.claim_bits(3, 1).is_none(), "not the end");
        b.set_used(3);
        assert_eq!(b.claim_bits(3, 7), Some(&mut [0xe0, 0][..]));
        assert!(b.claim_bits(10, 15).is_none(), "no room");
        assert_eq!(b.claim_bits(10, 14), Some(&mut [0, 0][..]));
        b.set_used(8);
        let other = b.clone();
        assert!(b.claim_bits(8, 1).is_none(), "another reference");
        drop(other);
        assert_eq!(b.claim_bits(8, 1), Some(&mut [0][..]));
        let other = b.again_in_heap();
        assert!(b.claim_bits(9, 1).is_none(), "a reference has travelled");
        drop((b, other));
        let mut b = BinaryRef::build_with_room(1, 3, |out| out[0] = 0xff);
        let other = b.again_in_heap();
        assert_eq!(b.claim_bits(8, 3), Some(&mut [0][..]));
        assert_eq!(other.len(), 2);
    }

    #[test]
    fn long_vectors_are_taken_over() {
        let long = vec![1u8; WORTH_OWNING];
        let address = long.as_ptr();
        assert_eq!(BinaryRef::from_vec(long).data(), address);
        let short = vec![1u8; 100];
        let address = short.as_ptr();
        assert_ne!(BinaryRef::from_vec(short).data(), address);
    }
}
