//! From pid to process, without a lock.
//!
//! A pid's packed number is a count; its low bits are the slot. Slots are reused only with a higher
//! count, so an old pid finds nothing. A process record is freed after every thread that may have
//! looked it up has let go (epoch-based reclamation), which is why lookups lend it to a closure.

use super::Process;
use crate::budget::Budget;
use crate::term::Term;
use crate::term::pid::ID_MASK;
use crossbeam_epoch as epoch;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::Poll;

/// Default limit on the number of processes (`+P`).
pub const DEFAULT_LIMIT: usize = 262_144;

struct Table {
    slots: Box<[AtomicPtr<Process>]>,
    next: AtomicU64,
    /// Was `next` set? If not, no slot above it was ever taken.
    moved: AtomicBool,
    count: AtomicUsize,
    limit: usize,
}

static TABLE: OnceLock<Table> = OnceLock::new();

fn reserved() -> *mut Process {
    std::ptr::dangling_mut()
}

fn table() -> &'static Table {
    TABLE.get_or_init(|| make(DEFAULT_LIMIT))
}

fn make(limit: usize) -> Table {
    let size = limit.next_power_of_two();
    let layout = match std::alloc::Layout::array::<AtomicPtr<Process>>(size) {
        Ok(l) => l,
        Err(_) => crate::bug::vm_bug("process table larger than the address space"),
    };
    // SAFETY: zeroed memory is an array of null pointers; allocated with the slice's own layout.
    let slots = unsafe {
        let p = std::alloc::alloc_zeroed(layout).cast::<AtomicPtr<Process>>();
        if p.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        Box::from_raw(std::ptr::slice_from_raw_parts_mut(p, size))
    };
    Table {
        slots,
        next: AtomicU64::new(0),
        moved: AtomicBool::new(false),
        count: AtomicUsize::new(0),
        limit: size,
    }
}

/// Sets the limit on the number of processes, before the first one is made.
pub fn set_limit(limit: usize) {
    let _ = TABLE.set(make(limit));
}

/// The limit on the number of processes.
pub fn limit() -> usize {
    table().limit
}

/// Number of processes.
pub fn count() -> usize {
    table().count.load(Ordering::Relaxed)
}

/// Makes a process with a fresh pid; `make_process` gets the packed pid. Nothing if there are too many.
pub fn insert(make_process: impl FnOnce(u64) -> Box<Process>) -> Option<&'static Process> {
    let t = table();
    if t.count.fetch_add(1, Ordering::Relaxed) >= t.limit {
        t.count.fetch_sub(1, Ordering::Relaxed);
        return None;
    }
    let mask = t.slots.len() as u64 - 1;
    loop {
        let id = t.next.fetch_add(1, Ordering::Relaxed) & ID_MASK;
        let slot = &t.slots[(id & mask) as usize];
        if slot
            .compare_exchange(
                std::ptr::null_mut(),
                reserved(),
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .is_ok()
        {
            let p: &'static Process = Box::leak(make_process(id));
            note(|news| news.begun.push(id));
            slot.store(std::ptr::from_ref(p).cast_mut(), Ordering::Release);
            return Some(p);
        }
    }
}

/// The packed pid that the next process gets, if its slot is free then.
pub fn next_id() -> u64 {
    let t = table();
    let next = t.next.load(Ordering::Relaxed);
    let mask = t.slots.len() as u64 - 1;
    (0..=mask)
        .map(|i| next.wrapping_add(i) & ID_MASK)
        .find(|id| {
            t.slots[(id & mask) as usize]
                .load(Ordering::Relaxed)
                .is_null()
        })
        .unwrap_or(next & ID_MASK)
}

/// Makes the next pid the first one after `id` whose slot is free, for tests of what happens when numbers start
/// over. Pids of processes that are gone may thereby become those of others.
pub fn set_next_id(id: u64) {
    let t = table();
    t.moved.store(true, Ordering::SeqCst);
    t.next.store((id & ID_MASK) + 1, Ordering::SeqCst);
}

/// Lends the process with this packed pid, if there is one, exiting or not.
#[inline]
pub fn with<R>(id: u64, f: impl FnOnce(&Process) -> R) -> Option<R> {
    let t = table();
    let slot = &t.slots[id as usize & (t.slots.len() - 1)];
    let _guard = epoch::pin();
    let p = slot.load(Ordering::Acquire);
    if p.is_null() || p == reserved() {
        return None;
    }
    // SAFETY: the record is freed only after all threads pinned now have let go.
    let p = unsafe { &*p };
    if p.id == id { Some(f(p)) } else { None }
}

/// A process is exiting: it counts no longer.
pub fn leave() {
    table().count.fetch_sub(1, Ordering::Relaxed);
}

/// Takes a process that is exiting out of the table; its memory is freed when nobody can look at it any more.
pub fn remove(p: &'static Process) {
    let t = table();
    t.slots[p.id as usize & (t.slots.len() - 1)].store(std::ptr::null_mut(), Ordering::Release);
    let address = std::ptr::from_ref(p) as usize;
    let guard = epoch::pin();
    // SAFETY: the record came from a leaked box, is no longer in the table, and whoever found it there
    // is pinned.
    unsafe { guard.defer_unchecked(move || drop(Box::from_raw(address as *mut Process))) };
}

/// The pids of all processes that are not exiting.
pub fn all() -> Vec<Term> {
    let mut listing = Listing::begin();
    while listing.go_on(&mut Budget::of(usize::MAX)).is_pending() {}
    listing.ids.iter().map(|&id| Term::local_pid(id)).collect()
}

/// A list of all processes that were there at one moment, made in steps: those that end meanwhile are in it, those that begin
/// are not.
pub struct Listing {
    /// Slots that are still to be looked at are from `at` up to `end`.
    at: usize,
    end: usize,
    /// Packed pids, in order at the end.
    ids: Vec<u64>,
    news: Arc<Mutex<News>>,
}

/// What a listing hears of while it is under way.
#[derive(Default)]
struct News {
    /// Processes that have ended.
    ended: Vec<u64>,
    /// Processes that have begun.
    begun: Vec<u64>,
}

/// The listings under way.
static LISTINGS: Mutex<Vec<Weak<Mutex<News>>>> = Mutex::new(Vec::new());
/// How many there are.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// Units of work that looking at a process costs, and slots that can be passed over for one unit.
const LOOK: usize = 8;
const EMPTY_SLOTS: usize = 8;

impl Listing {
    /// Begins, with what is there now.
    pub fn begin() -> Listing {
        let news = Arc::new(Mutex::new(News::default()));
        LISTINGS.lock().push(Arc::downgrade(&news));
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        let t = table();
        let taken = match t.moved.load(Ordering::SeqCst) {
            true => usize::MAX,
            false => usize::try_from(t.next.load(Ordering::SeqCst)).unwrap_or(usize::MAX),
        };
        Listing {
            at: 0,
            end: taken.min(t.slots.len()),
            ids: Vec::new(),
            news,
        }
    }

    /// Goes on.
    pub fn go_on(&mut self, budget: &mut Budget) -> Poll<()> {
        let slots = &table().slots;
        let _guard = epoch::pin();
        while self.at < self.end {
            if budget.is_spent() {
                return Poll::Pending;
            }
            let end = self.end.min(self.at + EMPTY_SLOTS);
            budget.spend(1);
            for slot in &slots[self.at..end] {
                let p = slot.load(Ordering::Acquire);
                if p.is_null() || p == reserved() {
                    continue;
                }
                budget.spend(LOOK);
                // SAFETY: as in `with`.
                let p = unsafe { &*p };
                if !p.state.is_exiting() {
                    self.ids.push(p.id);
                }
            }
            self.at = end;
        }
        let mut news = std::mem::take(&mut *self.news.lock());
        self.ids.append(&mut news.ended);
        self.ids.sort_unstable();
        self.ids.dedup();
        if !news.begun.is_empty() {
            news.begun.sort_unstable();
            self.ids.retain(|id| news.begun.binary_search(id).is_err());
        }
        Poll::Ready(())
    }

    /// Takes at most `most` of the highest pids that are left, lowest first, when it is at its end.
    pub fn take_last(&mut self, most: usize) -> Vec<u64> {
        self.ids.split_off(self.ids.len().saturating_sub(most))
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        let mine = Arc::as_ptr(&self.news);
        LISTINGS.lock().retain(|l| l.as_ptr() != mine);
    }
}

/// Tells those who are listing all processes.
#[inline]
fn note(news: impl Fn(&mut News)) {
    if UNDER_WAY.load(Ordering::SeqCst) > 0 {
        for listing in LISTINGS.lock().iter().filter_map(Weak::upgrade) {
            news(&mut listing.lock());
        }
    }
}

/// A process is about to exit: who is listing all processes is told.
pub fn note_end(id: u64) {
    note(|news| news.ended.push(id));
}

/// Bytes that the table takes, without the processes.
pub fn memory() -> usize {
    table().slots.len() * size_of::<AtomicPtr<Process>>()
}
