//! The memory of one process and its collector: two generations, copying.
//!
//! ```text
//! young   blocks of the `Heap`; one of them starts with the *mature* words, those that survived one
//!         collection; everything else in the blocks is fresh
//! old     one block; objects that survived two collections
//! ```
//!
//! A minor collection copies what is reachable: mature objects to the end of the old block, fresh
//! ones to a new young block, where they become the mature part. A major collection copies
//! everything into a new young block. Whether an object moves is decided by two range tests, "is it a
//! literal" and "is it old", so the number of young blocks does not matter.
//!
//! The caller hands over every root; what is not handed over is lost. Dead words on the way (an unused
//! X register) must not be handed over.

use super::binary::BinaryRef;
use super::chunk::Chunk;
use super::offheap::{self, Swept};
use super::{Heap, literal};
use crate::term::{Header, Kind, TAG_BOXED, TAG_CONS, Term, list};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Default smallest heap of a process, in words.
pub const DEFAULT_MIN_HEAP: usize = 233;
/// Default smallest virtual binary heap, in words.
pub const DEFAULT_MIN_VHEAP: usize = 46_422;
/// Words of the first block of a process, less than the smallest heap so that idle processes are small.
const FIRST_BLOCK: usize = 32;
/// A process that collects so often with one gift of reductions gets a larger heap, up to so many words: what it costs to
/// go over the stack and over what is alive comes less often then.
const OFTEN: u16 = 2;
const ROOMY: usize = 1 << 15;
/// Of a list that is finished after collections at least and at most so many cells are copied.
const COPIED_CELLS: (usize, usize) = (1 << 10, 1 << 18);
/// Words that a chance may cost on average when collections are made at every chance.
const STRESS_WORDS: usize = 1024;

/// Words that a collection is expected to copy from which on it is long: some milliseconds.
static LONG: AtomicUsize = AtomicUsize::new(1 << 18);

static COLLECTIONS: AtomicU64 = AtomicU64::new(0);
static RECLAIMED: AtomicU64 = AtomicU64::new(0);

/// Number of collections so far, and words that they have reclaimed.
pub fn totals() -> (u64, u64) {
    (
        COLLECTIONS.load(Ordering::Relaxed),
        RECLAIMED.load(Ordering::Relaxed),
    )
}

/// Sets how many words a collection may be expected to copy without being a long one (test modes).
pub fn set_long(words: usize) {
    LONG.store(words, Ordering::Relaxed);
}

/// A process's heap.
pub struct ProcHeap {
    /// Where new objects go.
    pub young: Heap,
    /// The mature part: start and length in bytes.
    mature: (usize, usize),
    old: Chunk,
    old_offheap: *mut u64,
    old_binary_bytes: usize,
    /// Words of young objects after which a collection is due.
    limit: usize,
    /// Words of binaries after which a collection is due.
    binary_limit: u32,
    /// Words of binaries in the old generation after which the next collection is a major one.
    old_binary_limit: u32,
    min_words: u32,
    min_vheap_words: u32,
    /// Minor collections since the last major one.
    pub minor_count: u16,
    /// Minor collections after which a major one is made.
    pub fullsweep_after: u16,
    /// A collection that was asked for: is it to be a major one?
    requested: Option<bool>,
    /// Collections since the process was last given reductions.
    recent: u16,
    /// Words of stack that count with the young generation.
    stack_words: u32,
    /// Are collections forbidden for now (a test mode)?
    pub forbidden: bool,
    /// A collection at every chance, or nearly (a test mode): after one that went over many words as
    /// many chances are left out as keep the cost of a chance bounded by `STRESS_WORDS`.
    pub stress: bool,
    /// Chances still to be left out.
    stress_pause: u16,
}

// SAFETY: the heap owns all that its pointers point to.
unsafe impl Send for ProcHeap {}

/// What a collection did.
#[derive(Clone, Copy, Debug, Default)]
pub struct GcReport {
    /// Was it a major collection?
    pub major: bool,
    /// Words in use before.
    pub before: usize,
    /// Words in use after.
    pub after: usize,
}

/// Where the roots are.
pub trait Roots {
    /// Calls `visit` on every slot that may hold a term of the process.
    fn visit(&mut self, visit: &mut dyn FnMut(&mut [Term]));
}

/// The next heap size that is at least `words`: Fibonacci-like at first, then a fifth more each time,
/// as BEAM's documentation of heap growth describes.
pub fn heap_size_for(words: usize) -> usize {
    let (mut a, mut b) = (12usize, 38usize);
    while b < words {
        if b < 1_000_000 {
            (a, b) = (b, a + b + 1);
        } else {
            b += b / 5;
        }
    }
    b
}

/// Where the young generation is in a process's heap, in bytes.
pub const YOUNG_AT: usize = std::mem::offset_of!(ProcHeap, young);
/// Where the start of the mature part is.
pub const MATURE_AT: usize = std::mem::offset_of!(ProcHeap, mature.0);
/// Where its length in bytes is.
pub const MATURE_LENGTH_AT: usize = std::mem::offset_of!(ProcHeap, mature.1);

impl ProcHeap {
    /// A heap whose smallest size is `min_words`.
    pub fn new(min_words: usize, min_vheap_words: usize, fullsweep_after: u16) -> ProcHeap {
        let first = if min_words <= DEFAULT_MIN_HEAP {
            FIRST_BLOCK.min(min_words)
        } else {
            min_words
        };
        ProcHeap {
            young: Heap::with_capacity(first),
            mature: (0, 0),
            old: Chunk::EMPTY,
            old_offheap: std::ptr::null_mut(),
            old_binary_bytes: 0,
            limit: min_words,
            binary_limit: u32_words(min_vheap_words),
            old_binary_limit: u32_words(min_vheap_words),
            min_words: u32_words(min_words),
            min_vheap_words: u32_words(min_vheap_words),
            minor_count: 0,
            fullsweep_after,
            requested: None,
            recent: 0,
            stack_words: 0,
            forbidden: false,
            stress: false,
            stress_pause: 0,
        }
    }

    /// The binaries that the heap refers to, once for each handle.
    pub fn binaries(&self) -> impl Iterator<Item = &BinaryRef> {
        // SAFETY: the lists are well formed, and nothing changes them while the heap is borrowed.
        unsafe { offheap::binaries(self.young.offheap).chain(offheap::binaries(self.old_offheap)) }
    }

    /// A list of cells of this heap that nothing else leads to, given by its first and its last one, put before `tail`; and how
    /// many cells were looked at for that. All cells must have been made since the same collection.
    pub fn prepend(&mut self, [first, last]: [Term; 2], tail: Term) -> (Term, usize) {
        let cell = last.ptr();
        let is_fresh = !self.is_mature(cell) && !self.old.holds(cell);
        if is_fresh || tail.is_immediate() {
            // SAFETY: a cell of this heap, which nobody else looks at.
            unsafe { *cell.add(1) = tail.0 };
            return (first, 0);
        }
        // What has survived a collection must not lead to what is fresher, so a short list is copied. A long one is not, and the
        // next collection goes through everything: to copy what is no small part of the heap costs more.
        let most = (self.old.used / 8).clamp(COPIED_CELLS.0, COPIED_CELLS.1);
        let heads: Vec<Term> = list::iter(first).take(most + 1).collect();
        if heads.len() > most {
            // SAFETY: as above.
            unsafe { *cell.add(1) = tail.0 };
            self.note_overwritten(cell);
            return (first, heads.len());
        }
        let made = heads
            .iter()
            .rfold(tail, |made, &h| self.young.cons(h, made));
        (made, heads.len())
    }

    /// Was the object at this address made in the current block, and since the last collection? Such an object may be
    /// written to: nothing older leads to what is younger by that.
    #[inline(always)]
    pub fn is_fresh(&self, object: *const u64) -> bool {
        self.young.is_in_block(object) && !self.is_mature(object)
    }

    /// Has what is at this address survived one collection?
    #[inline(always)]
    fn is_mature(&self, object: *const u64) -> bool {
        (object as usize).wrapping_sub(self.mature.0) < self.mature.1
    }

    /// A word of this object has been overwritten after the object was made. No minor collection looks into
    /// old objects, or into those that become old in it, for pointers to younger ones, so the next one is to be major.
    pub fn note_overwritten(&mut self, object: *const u64) {
        if self.is_mature(object) || self.old.holds(object) {
            self.minor_count = u16::MAX;
        }
    }

    /// A heap without memory.
    pub fn empty() -> ProcHeap {
        ProcHeap::new(0, 0, u16::MAX)
    }

    /// The smallest heap size in words.
    pub fn min_words(&self) -> usize {
        self.min_words as usize
    }

    /// Sets the smallest heap size.
    pub fn set_min_words(&mut self, words: usize) {
        self.min_words = u32_words(words);
        self.limit = self.limit.max(words);
    }

    /// The smallest virtual binary heap in words.
    pub fn min_vheap_words(&self) -> usize {
        self.min_vheap_words as usize
    }

    /// Sets the smallest virtual binary heap.
    pub fn set_min_vheap_words(&mut self, words: usize) {
        self.min_vheap_words = u32_words(words);
        self.binary_limit = self.binary_limit.max(self.min_vheap_words);
        self.old_binary_limit = self.old_binary_limit.max(self.min_vheap_words);
    }

    /// Has the heap outgrown its limits?
    #[inline(always)]
    pub fn wants_gc(&self) -> bool {
        (self.young.more_used > 0 && self.young.used() > self.limit
            || self.young.binary_bytes > self.binary_limits().0
            || self.stress
            || self.requested.is_some())
            && !self.forbidden
    }

    /// The process is given reductions.
    #[inline]
    pub fn begin_slice(&mut self) {
        self.recent = 0;
    }

    /// Counts `words` of stack from here on, as if they lay in the same block as the young generation: what may
    /// be filled before the next collection becomes less by them.
    pub fn set_stack_words(&mut self, words: usize) {
        let block = self.limit + self.stack_words as usize;
        self.stack_words = words.min(u32::MAX as usize) as u32;
        self.limit = block.saturating_sub(words);
    }

    /// Asks for a collection at the next chance.
    pub fn request_collection(&mut self, major: bool) {
        self.requested = Some(major || self.requested == Some(true));
    }

    /// Was a collection asked for that has not been made, and may it be made?
    pub fn is_requested(&self) -> bool {
        self.requested.is_some() && !self.forbidden
    }

    /// Is the next collection expected to take so long that no scheduler should be held by it? Half of what is
    /// fresh is taken to be alive, and all that has survived a collection.
    #[inline]
    pub fn is_long_to_collect(&self) -> bool {
        let young = self.young.used();
        if young + self.old.used <= LONG.load(Ordering::Relaxed) || self.skips_stress(0) {
            return false;
        }
        let words = if self.makes_major(false) {
            young + self.old.used
        } else {
            let mature = self.mature_words();
            mature + (young - mature) / 2
        };
        words > LONG.load(Ordering::Relaxed)
    }

    /// The same for a collection of all that there is.
    pub fn is_long_to_shrink(&self) -> bool {
        self.young.used() + self.old.used > LONG.load(Ordering::Relaxed) && !self.forbidden
    }

    /// Makes room for `words` although a collection is due, which is asked for.
    pub fn extend_and_request(&mut self, words: usize) {
        self.request_collection(false);
        if self.young.room() < words {
            self.young.add_block(words.max(1 << 10));
        }
    }

    /// Makes room for `words` in the current block without a collection, if the limit allows it or there must
    /// be none.
    pub fn try_extend(&mut self, words: usize) -> bool {
        if self.forbidden {
            if self.young.room() < words {
                let more = self.young.capacity().min(1 << 16);
                self.young.add_block(words.max(more));
            }
            return true;
        }
        if self.stress
            || self.requested.is_some()
            || self.young.binary_bytes > self.binary_limits().0
        {
            return false;
        }
        let used = self.young.used();
        if used + words > self.limit {
            return false;
        }
        let more = (self.limit - used)
            .min(self.young.capacity().max(words * 2))
            .max(words);
        self.young.add_block(more);
        true
    }

    /// Words in use, both generations.
    pub fn used(&self) -> usize {
        self.young.used() + self.old.used
    }

    /// Words in use in the young generation.
    pub fn young_used(&self) -> usize {
        self.young.used()
    }

    /// The size that young generation and stack together may reach before a collection, or have reached by a
    /// stack of `stack` words.
    pub fn block_size(&self, stack: usize) -> usize {
        let block = self.limit + self.stack_words as usize;
        let used = self.mature_words() + stack;
        if used > block {
            heap_size_for(used)
        } else {
            block
        }
    }

    /// Words allocated for the old generation and in use there.
    pub fn old_size(&self) -> (usize, usize) {
        (self.old.capacity(), self.old.used)
    }

    /// Words in use that survived a collection.
    pub fn mature_words(&self) -> usize {
        self.mature.1 / 8
    }

    /// Words allocated.
    pub fn capacity(&self) -> usize {
        self.young.capacity() + self.old.capacity()
    }

    /// Bytes of the binaries that young and old objects refer to.
    pub fn binary_bytes(&self) -> (usize, usize) {
        (self.young.binary_bytes, self.old_binary_bytes)
    }

    /// The limits on bytes of binaries that young and old objects refer to.
    #[inline(always)]
    pub fn binary_limits(&self) -> (usize, usize) {
        let bytes = |words: u32| words as usize * 8;
        (bytes(self.binary_limit), bytes(self.old_binary_limit))
    }

    /// Does the address lie in this heap?
    pub fn holds(&self, p: *const u64) -> bool {
        self.young.holds(p) || self.old.holds(p)
    }

    /// All blocks with their lengths in use.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (*mut u64, usize)> + '_ {
        self.young
            .blocks()
            .chain(std::iter::once((self.old.start(), self.old.used)))
    }

    /// Is this one of the chances that the test mode leaves out, with no other reason to collect?
    fn skips_stress(&self, need: usize) -> bool {
        self.stress
            && self.stress_pause > 0
            && self.requested.is_none()
            && self.young.room() >= need
            && self.young.used() <= self.limit
            && self.young.binary_bytes <= self.binary_limits().0
    }

    /// Is there room for the mature words in the old block?
    fn fits_old(&self) -> bool {
        self.old.capacity() - self.old.used >= self.mature_words()
    }

    /// Is a collection that is made now a major one, `asked` for or not?
    fn makes_major(&self, asked: bool) -> bool {
        asked
            || self.requested == Some(true)
            || self.minor_count >= self.fullsweep_after
            || (!self.fits_old() && self.old.capacity() > 0)
            || self.old_binary_bytes > self.binary_limits().1
    }

    /// Collects. Afterwards the current block has room for `need` words.
    pub fn collect(&mut self, roots: &mut dyn Roots, need: usize, major: bool) -> GcReport {
        let before = self.used();
        if !major && self.skips_stress(need) {
            self.stress_pause -= 1;
            return GcReport {
                major: false,
                before,
                after: before,
            };
        }
        let major = self.makes_major(major);
        self.requested = None;
        self.recent = self.recent.saturating_add(1);
        if major {
            self.major(roots, need);
        } else {
            let mature_words = self.mature_words();
            if mature_words > 0 && !self.fits_old() {
                self.old = Chunk::new(heap_size_for(mature_words * 2));
            }
            self.minor(roots, need);
        }
        let after = self.used();
        COLLECTIONS.fetch_add(1, Ordering::Relaxed);
        RECLAIMED.fetch_add(before.saturating_sub(after) as u64, Ordering::Relaxed);
        GcReport {
            major,
            before,
            after,
        }
    }

    fn minor(&mut self, roots: &mut dyn Roots, need: usize) {
        self.minor_count = self.minor_count.saturating_add(1);
        let survivors = self.young.used() - self.mature.1 / 8;
        let to = Chunk::new((survivors + need).max(self.limit));
        let old_from = self.old.used;
        let mut c = Collector::new(&to, Some(&self.old), self.mature);
        c.run(roots, self.old.start().wrapping_add(old_from));
        self.stress_pause = c.stress_pause(&to);
        self.old.used = c.old_used(&self.old);
        self.finish(to, c.top, need, false);
    }

    fn major(&mut self, roots: &mut dyn Roots, need: usize) {
        self.minor_count = 0;
        let bound = self.used();
        let to = Chunk::new(
            (bound + need)
                .max(self.limit.min(2 * bound + need))
                .max(self.min_words as usize / 4),
        );
        let mut c = Collector::new(&to, None, (0, 0));
        c.run(roots, std::ptr::null_mut());
        self.stress_pause = c.stress_pause(&to);
        let top = c.top;
        let live = (top as usize - to.start() as usize) / 8;
        self.finish(to, top, need, true);
        // Most of it was garbage: move once more, into a block of the right size.
        let want = heap_size_for((live + need) * 4 / 3).max(self.min_words as usize);
        if self.young.capacity() > 2 * want + 1024 {
            let to = Chunk::new(want);
            let mut c = Collector::new(&to, None, (0, 0));
            c.run(roots, std::ptr::null_mut());
            let top = c.top;
            self.finish(to, top, need, true);
        }
    }

    /// Collects into a block of exactly the size of what is live, for a process that is going to sleep
    /// long.
    pub fn shrink_to_live(&mut self, roots: &mut dyn Roots) -> GcReport {
        let before = self.used();
        self.major(roots, 0);
        let to = Chunk::new(self.young.used());
        let mut c = Collector::new(&to, None, (0, 0));
        c.run(roots, std::ptr::null_mut());
        let top = c.top;
        self.limit = self.install(to, top, true);
        GcReport {
            major: true,
            before,
            after: self.used(),
        }
    }

    /// Installs the new young block, sets the limits, makes room.
    fn finish(&mut self, to: Chunk, top: *mut u64, need: usize, major: bool) {
        let live = self.install(to, top, major);
        // Next collection when the heap is full again, with at least a quarter of it free now.
        let stack = self.stack_words as usize;
        let mut want = heap_size_for((live + need + stack) * 4 / 3).max(self.min_words as usize);
        let block = self.limit + stack;
        if self.recent >= OFTEN && block < ROOMY {
            want = want.max(heap_size_for(2 * block));
        }
        self.limit = if major { want } else { want.max(block) } - stack;
        if self.young.room() < need || (live + need) * 4 > self.young.cur.capacity() * 3 {
            self.young
                .add_block((self.limit - live.min(self.limit)).max(need));
        }
    }

    /// Installs the new young block, sorts the off-heap objects; gives the words in use.
    fn install(&mut self, to: Chunk, top: *mut u64, major: bool) -> usize {
        let live = (top as usize - to.start() as usize) / 8;
        let mut swept = Swept {
            young: std::ptr::null_mut(),
            old: std::ptr::null_mut(),
            young_bytes: 0,
            old_bytes: 0,
        };
        let (lo, hi) = (self.old.start() as usize, self.old.end() as usize);
        let is_old = |p: *mut u64| !major && (p as usize) >= lo && (p as usize) < hi;
        // SAFETY: the lists are this heap's own and its live objects have just been forwarded.
        unsafe {
            offheap::sweep(self.young.take_offheap(), is_old, &mut swept);
            let old = std::mem::replace(&mut self.old_offheap, std::ptr::null_mut());
            if major {
                offheap::sweep(old, is_old, &mut swept);
            } else {
                offheap::keep_all(old, &mut swept);
            }
        }
        let mut young = Heap::from_chunk(to);
        young.hp = top;
        young.offheap = swept.young;
        self.young = young;
        if major {
            self.old = Chunk::EMPTY;
        }
        self.old_offheap = swept.old;
        self.old_binary_bytes = swept.old_bytes;
        self.young.binary_bytes = swept.young_bytes;
        let next =
            |limit| next_binary_limit(swept.young_bytes / 8, limit).max(self.min_vheap_words);
        self.binary_limit = next(self.binary_limit);
        if major {
            self.old_binary_limit = next(self.old_binary_limit);
        }
        self.mature = (self.young.cur.start() as usize, live * 8);
        live
    }
}

impl Drop for ProcHeap {
    fn drop(&mut self) {
        // SAFETY: the heap owns its objects and is going away.
        unsafe { offheap::release_all(self.old_offheap) };
    }
}

/// The limit on words of binaries after a collection that `live` words have survived: a third more than they are or larger, and made
/// smaller by steps only, since what one collection leaves says little about what the next will find.
fn next_binary_limit(live: usize, limit: u32) -> u32 {
    let words = limit as usize;
    if live > words / 4 * 3 {
        u32_words(live * 2)
    } else if live < words / 4 {
        limit / 3 * 2
    } else {
        limit
    }
}

/// A number of words for which 32 bits do: what is more is as good as without limit.
fn u32_words(words: usize) -> u32 {
    u32::try_from(words).unwrap_or(u32::MAX)
}

/// One collection under way.
struct Collector {
    /// Range of addresses that do not move because they are old: start and length in bytes.
    old: (usize, usize),
    literals: (usize, usize),
    mature: (usize, usize),
    start: *mut u64,
    top: *mut u64,
    old_top: *mut u64,
    /// Slots of roots that were visited.
    roots: usize,
}

impl Collector {
    fn new(to: &Chunk, old: Option<&Chunk>, mature: (usize, usize)) -> Collector {
        let (old_range, old_top) = match old {
            Some(o) => (
                (o.start() as usize, o.capacity() * 8),
                o.start().wrapping_add(o.used),
            ),
            None => ((0, 0), std::ptr::null_mut()),
        };
        Collector {
            old: old_range,
            literals: literal::range(),
            mature,
            start: to.start(),
            top: to.start(),
            old_top,
            roots: 0,
        }
    }

    /// Chances to be left out after this collection in the test mode: its cost goes with the words of roots and
    /// of the block that it has filled.
    fn stress_pause(&self, to: &Chunk) -> u16 {
        let words = self.roots + to.capacity();
        u16::try_from(words / STRESS_WORDS).unwrap_or(u16::MAX)
    }

    fn old_used(&self, old: &Chunk) -> usize {
        (self.old_top as usize - old.start() as usize) / 8
    }

    fn run(&mut self, roots: &mut dyn Roots, old_scan: *mut u64) {
        roots.visit(&mut |slots| {
            self.roots += slots.len();
            for slot in slots {
                // SAFETY: roots hold terms of the heap that is being collected.
                *slot = unsafe { self.moved(*slot) };
            }
        });
        let (mut scan, mut old_scan) = (self.start, old_scan);
        loop {
            if scan < self.top {
                // SAFETY: everything between `start` and `top` is whole objects.
                scan = unsafe { self.scan(scan) };
            } else if old_scan < self.old_top {
                // SAFETY: likewise for the part of the old block that was filled by this collection.
                old_scan = unsafe { self.scan(old_scan) };
            } else {
                break;
            }
        }
    }

    #[inline(always)]
    fn stays(&self, p: usize) -> bool {
        p.wrapping_sub(self.literals.0) < self.literals.1 || p.wrapping_sub(self.old.0) < self.old.1
    }

    #[inline(always)]
    fn room_for(&mut self, from: usize, words: usize) -> *mut u64 {
        let top = if from.wrapping_sub(self.mature.0) < self.mature.1 {
            &mut self.old_top
        } else {
            &mut self.top
        };
        let p = *top;
        *top = p.wrapping_add(words);
        p
    }

    /// The term with its object moved.
    #[inline(always)]
    unsafe fn moved(&mut self, t: Term) -> Term {
        // SAFETY: pointers to objects of this heap that were moved lead to a forwarding word, others to
        // live objects; the new blocks were made large enough for all of them.
        unsafe {
            match t.tag() {
                TAG_CONS => {
                    let p = t.ptr();
                    if self.stays(p as usize) {
                        return t;
                    }
                    let head = *p;
                    if head == Term::NONVALUE.0 {
                        return Term(*p.add(1));
                    }
                    let to = self.room_for(p as usize, 2);
                    *to = head;
                    *to.add(1) = *p.add(1);
                    let new = Term::cons_at(to);
                    *p = Term::NONVALUE.0;
                    *p.add(1) = new.0;
                    new
                }
                TAG_BOXED => {
                    let p = t.ptr();
                    if self.stays(p as usize) {
                        return t;
                    }
                    let h = *p;
                    if h & 7 == TAG_BOXED {
                        return Term(h);
                    }
                    let n = Header(h).words() + 1;
                    let to = self.room_for(p as usize, n);
                    if n <= 8 {
                        for i in 0..n {
                            *to.add(i) = *p.add(i);
                        }
                    } else {
                        std::ptr::copy_nonoverlapping(p, to, n);
                    }
                    let new = Term::boxed_at(to);
                    *p = new.0;
                    new
                }
                _ => t,
            }
        }
    }

    /// Visits one object or plain word at `p`; gives what follows it.
    #[inline(always)]
    unsafe fn scan(&mut self, p: *mut u64) -> *mut u64 {
        // SAFETY: as in `moved`; the header tells terms from raw words.
        unsafe {
            let w = *p;
            match w & 7 {
                TAG_CONS | TAG_BOXED => {
                    *p = self.moved(Term(w)).0;
                    p.add(1)
                }
                crate::term::TAG_HEADER => {
                    let h = Header(w);
                    match h.kind() {
                        Kind::Tuple
                        | Kind::FlatMap
                        | Kind::HashMap
                        | Kind::HashNode
                        | Kind::HashCollision
                        | Kind::Record => p.add(1),
                        Kind::Fun => p.add(2),
                        Kind::SubBits | Kind::MatchCtx => {
                            *p.add(1) = self.moved(Term(*p.add(1))).0;
                            p.add(4)
                        }
                        _ => p.add(1 + h.words()),
                    }
                }
                _ => p.add(1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atom::Atom;

    struct Registers([Term; 1]);

    impl Roots for Registers {
        fn visit(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
            visit(&mut self.0);
        }
    }

    #[test]
    fn an_object_of_any_age_may_be_overwritten() {
        for age in 0..4 {
            let mut heap = ProcHeap::new(233, 1000, u16::MAX);
            // Large, so that there is room in the old block for what follows.
            let mut x0 = Registers([heap.young.tuple(&[Atom::OK.into(); 200])]);
            for _ in 0..age {
                heap.collect(&mut x0, 0, false);
            }
            let elements: Vec<Term> = (0..20).map(Term::small).collect();
            let list = heap.young.list(&elements);
            let tuple = x0.0[0].ptr();
            // SAFETY: the first element of a live tuple of this heap.
            unsafe { *tuple.add(1) = list.raw() };
            heap.note_overwritten(tuple);
            for _ in 0..3 {
                heap.collect(&mut x0, 0, false);
                let list = Term(x0.0[0].word(1));
                assert!(heap.holds(list.ptr()), "at age {age}");
                assert_eq!(list::to_vec(list).as_ref(), Some(&elements));
            }
        }
    }

    #[test]
    fn a_list_of_any_age_may_be_put_before_a_fresh_one() {
        for length in [3, COPIED_CELLS.0, COPIED_CELLS.0 + 1, 5000] {
            for age in 0..4 {
                let mut heap = ProcHeap::new(233, 1000, u16::MAX);
                let heads: Vec<Term> = (0..length as i64).map(Term::small).collect();
                let mut x0 = Registers([heap.young.list(&heads)]);
                for _ in 0..age {
                    heap.collect(&mut x0, 0, false);
                }
                let last = list::skip(x0.0[0], length - 1);
                let tail = heap.young.list(&heads);
                x0.0[0] = heap.prepend([x0.0[0], last], tail).0;
                for _ in 0..3 {
                    heap.collect(&mut x0, 0, false);
                    let all = list::to_vec(x0.0[0]).unwrap_or_default();
                    assert!(all == [&heads[..], &heads].concat(), "at age {age}");
                }
                let last = list::skip(x0.0[0], 2 * length - 1);
                let (all, cells) = heap.prepend([x0.0[0], last], Term::NIL);
                assert_eq!((all, cells), (x0.0[0], 0));
            }
        }
    }
}
