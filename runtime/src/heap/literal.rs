//! Literal areas: terms that belong to no process and never move.
//!
//! All areas lie in one reserved range of addresses, so that the collector recognises a literal by two
//! comparisons. Areas hold the literals of modules and the values of persistent terms.

use super::chunk::Chunk;
use super::{Heap, copy};
use crate::budget::Budget;
use crate::heap::sharing::{Copying, Measuring};
use crate::sys;
use crate::sys::memory::{self, Purpose};
use crate::term::Term;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

/// Size of the reserved range in bytes; only what is used takes memory.
const RESERVED: usize = 16 << 30;
/// The least that is reserved where the system limits the size of the address space (`ulimit -v`).
const LEAST_RESERVED: usize = 64 << 20;
/// Areas start at multiples of this many bytes.
const GRAIN: usize = 64;
/// The memory behind freed areas of at least that many bytes is given back to the operating system.
const WORTH_DISCARDING: usize = 256 << 10;

struct Region {
    base: usize,
    size: usize,
    in_use: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    top: usize,
    /// Free pieces below `top`: offset to size.
    free: BTreeMap<usize, usize>,
}

static REGION: LazyLock<Region> = LazyLock::new(|| {
    let (base, size) = reserve();
    Region {
        base,
        size,
        in_use: AtomicUsize::new(0),
        state: Mutex::new(State {
            top: 0,
            free: BTreeMap::new(),
        }),
    }
});

/// As large a range as the system gives: all of it, or what is a small part of the addresses that it allows.
fn reserve() -> (usize, usize) {
    if let Some(base) = sys::reserve(RESERVED) {
        return (base, RESERVED);
    }
    let mut size = RESERVED / 2;
    while size > LEAST_RESERVED && !could_reserve(size * 8) {
        size /= 2;
    }
    match sys::reserve(size) {
        Some(base) => (base, size),
        None => memory::exhausted(Purpose::Literal, size),
    }
}

/// Is there as much room?
fn could_reserve(bytes: usize) -> bool {
    sys::reserve(bytes).is_some_and(|at| {
        sys::release(at, bytes);
        true
    })
}

/// Base address and length in bytes of the range of literals.
#[inline]
pub fn range() -> (usize, usize) {
    (REGION.base, REGION.size)
}

/// Is the address a literal's?
#[inline]
pub fn is_literal(p: *const u64) -> bool {
    let region = &*REGION;
    (p as usize).wrapping_sub(region.base) < region.size
}

/// Where literals are: the first address and the number of bytes.
pub fn region() -> (usize, usize) {
    (REGION.base, REGION.size)
}

/// Is the address a literal's of an area that was not freed? For the heap verifier.
pub fn is_live(p: *const u64) -> bool {
    let offset = (p as usize).wrapping_sub(REGION.base);
    let s = REGION.state.lock();
    let freed = s.free.range(..=offset).next_back();
    offset < s.top && freed.is_none_or(|(&at, &size)| offset >= at + size)
}

/// Bytes now taken by literal areas.
pub fn bytes_in_use() -> usize {
    REGION.in_use.load(Ordering::Relaxed)
}

/// An area of literals; freed when dropped.
#[derive(Debug)]
pub struct LiteralArea {
    base: *mut u64,
    words: usize,
    offheap: *mut u64,
}

// SAFETY: an area is immutable after it was filled and owned by one holder.
unsafe impl Send for LiteralArea {}
// SAFETY: as above.
unsafe impl Sync for LiteralArea {}

impl LiteralArea {
    /// Copies `terms` into a fresh area, literals of other areas included; they are replaced by the copies.
    pub fn copy_of(terms: &mut [Term]) -> LiteralArea {
        let words = terms.iter().map(|&t| copy::size_whole(t)).sum();
        LiteralArea::filled(words, |to| {
            for t in terms.iter_mut() {
                *t = copy::copy_whole(*t, to);
            }
        })
    }

    /// A fresh area of so many words, all of which `fill` uses.
    fn filled(words: usize, fill: impl FnOnce(&mut Heap)) -> LiteralArea {
        let mut area = LiteralArea::of_size(words);
        let mut to = Heap::borrowed(area.base, words);
        fill(&mut to);
        area.offheap = to.take_offheap();
        area
    }

    /// An area of so many words that are to be filled.
    fn of_size(words: usize) -> LiteralArea {
        let bytes = (words * 8).next_multiple_of(GRAIN);
        LiteralArea {
            base: if bytes == 0 { REGION.base } else { take(bytes) } as *mut u64,
            words,
            offheap: std::ptr::null_mut(),
        }
    }

    /// Does the address lie in this area?
    pub fn holds(&self, p: *const u64) -> bool {
        (p as usize).wrapping_sub(self.base as usize) < self.words * 8
    }

    /// Size in words.
    pub fn words(&self) -> usize {
        self.words
    }

    /// First address and the address after the last.
    pub fn bounds(&self) -> (usize, usize) {
        (self.base as usize, self.base as usize + self.words * 8)
    }
}

/// Copies terms into a fresh area in steps, literals of other areas included and parts that they share once.
pub struct SharedCopy {
    terms: Box<[Term]>,
    stage: Stage,
}

enum Stage {
    Measure(Box<Measuring>),
    Copy(Copying, Heap, LiteralArea),
    Done,
}

impl SharedCopy {
    /// Begins with these terms.
    pub fn new(terms: &[Term]) -> SharedCopy {
        SharedCopy {
            terms: terms.into(),
            stage: Stage::Measure(Box::new(Measuring::new(terms))),
        }
    }

    /// Goes on to the area and the copies.
    ///
    /// # Safety
    /// Until the end neither the terms nor what they refer to changes or moves.
    pub unsafe fn go_on(&mut self, budget: &mut Budget) -> Poll<(LiteralArea, Box<[Term]>)> {
        loop {
            match std::mem::replace(&mut self.stage, Stage::Done) {
                Stage::Measure(mut m) => {
                    let Poll::Ready(words) = m.go_on(budget) else {
                        self.stage = Stage::Measure(m);
                        return Poll::Pending;
                    };
                    let area = LiteralArea::of_size(words);
                    let heap = Heap::borrowed(area.base, words);
                    self.stage = Stage::Copy(m.copying(&mut self.terms), heap, area);
                }
                Stage::Copy(mut c, mut heap, mut area) => {
                    // SAFETY: as the caller promises; the heap is that of the stage, and `terms` stays as it is.
                    if unsafe { c.go_on(&mut heap, budget) }.is_pending() {
                        self.stage = Stage::Copy(c, heap, area);
                        return Poll::Pending;
                    }
                    area.offheap = heap.take_offheap();
                    return Poll::Ready((area, std::mem::take(&mut self.terms)));
                }
                Stage::Done => crate::bug::vm_bug("a copy goes on after its end"),
            }
        }
    }
}

impl Drop for LiteralArea {
    fn drop(&mut self) {
        // SAFETY: the list was made by this area's own heap and nobody uses the area any more.
        unsafe { super::offheap::release_all(self.offheap) };
        let bytes = (self.words * 8).next_multiple_of(GRAIN);
        if bytes > 0 {
            give_back(self.base as usize - REGION.base, bytes);
        }
    }
}

fn take(bytes: usize) -> usize {
    let region = &*REGION;
    region.in_use.fetch_add(bytes, Ordering::Relaxed);
    let mut s = region.state.lock();
    if let Some((&at, &size)) = s.free.iter().find(|&(_, &size)| size >= bytes) {
        s.free.remove(&at);
        if size > bytes {
            s.free.insert(at + bytes, size - bytes);
        }
        return region.base + at;
    }
    let at = s.top;
    if at + bytes > region.size || !sys::commit(region.base + at, bytes) {
        memory::exhausted(Purpose::Literal, bytes);
    }
    s.top += bytes;
    region.base + at
}

fn give_back(mut at: usize, mut size: usize) {
    if size >= WORTH_DISCARDING {
        sys::discard(REGION.base + at, size);
    }
    REGION.in_use.fetch_sub(size, Ordering::Relaxed);
    let mut s = REGION.state.lock();
    if let Some((&before, &n)) = s.free.range(..at).next_back()
        && before + n == at
    {
        s.free.remove(&before);
        at = before;
        size += n;
    }
    if let Some(n) = s.free.remove(&(at + size)) {
        size += n;
    }
    s.free.insert(at, size);
}

/// A term with memory of its own, outside process heaps: what tables, timers and signals keep. Only
/// messages share literals; everything else is copied whole, so that nobody but the process that gets it
/// holds pointers into literal areas.
#[derive(Debug)]
pub struct OwnedTerm {
    term: Term,
    chunk: Chunk,
    offheap: *mut u64,
}

// SAFETY: the term points into the owned chunk (or to literals) only.
unsafe impl Send for OwnedTerm {}
// SAFETY: the contents do not change.
unsafe impl Sync for OwnedTerm {}

impl OwnedTerm {
    /// A copy of `t`, literals included.
    pub fn new(t: Term) -> OwnedTerm {
        if t.is_immediate() {
            return OwnedTerm::immediate(t);
        }
        let mut heap = Heap::with_capacity(copy::size_whole(t));
        let term = copy::copy_whole(t, &mut heap);
        OwnedTerm::from_heap(term, heap)
    }

    /// The same, if it has more words than `room` with that many more, for whoever takes the memory over by `into_heap`.
    pub fn with_room(t: Term, room: usize) -> OwnedTerm {
        let words = copy::size_whole(t);
        let room = if words > room { room } else { 0 };
        let mut heap = Heap::with_capacity(words + room);
        let term = copy::copy_whole(t, &mut heap);
        OwnedTerm::from_heap(term, heap)
    }

    /// A copy of `t` that shares literals; for messages to processes of this node, which find these
    /// pointers when a literal area is released.
    pub fn message(t: Term) -> OwnedTerm {
        if t.is_immediate() {
            return OwnedTerm::immediate(t);
        }
        let shared = copy::SharedRange::literals();
        let mut heap = Heap::with_capacity(copy::size_outside(t, shared));
        let term = copy::copy_outside(t, &mut heap, shared);
        OwnedTerm::from_heap(term, heap)
    }

    fn immediate(term: Term) -> OwnedTerm {
        OwnedTerm {
            term,
            chunk: Chunk::EMPTY,
            offheap: std::ptr::null_mut(),
        }
    }

    /// Takes a heap of its own that holds `term`.
    pub fn from_heap(term: Term, heap: Heap) -> OwnedTerm {
        let (chunk, offheap) = heap.into_parts();
        OwnedTerm {
            term,
            chunk,
            offheap,
        }
    }

    /// The term; valid for as long as `self`.
    #[inline]
    pub fn term(&self) -> Term {
        self.term
    }

    /// Words of memory that the term takes.
    pub fn words(&self) -> usize {
        self.chunk.capacity()
    }

    /// A heap of the memory, and the term in it. There is room left where it was made by `with_room`.
    pub fn into_heap(self) -> (Term, Heap) {
        let (term, chunk, offheap) = self.into_parts();
        (term, Heap::of_parts(chunk, offheap))
    }

    /// Gives up the memory: term, block and list of off-heap objects, for a heap that takes them over.
    pub fn into_parts(mut self) -> (Term, Chunk, *mut u64) {
        let chunk = std::mem::replace(&mut self.chunk, Chunk::EMPTY);
        let offheap = std::mem::replace(&mut self.offheap, std::ptr::null_mut());
        (self.term, chunk, offheap)
    }
}

impl Clone for OwnedTerm {
    fn clone(&self) -> OwnedTerm {
        OwnedTerm::new(self.term)
    }
}

impl Drop for OwnedTerm {
    fn drop(&mut self) {
        // SAFETY: the list belongs to the owned chunk, which nobody else looks at.
        unsafe { super::offheap::release_all(self.offheap) };
    }
}
