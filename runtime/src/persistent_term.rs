//! Persistent terms: a table of constants that every process reads without copying and without a lock.
//!
//! A key and its value lie in a literal area of their own. Readers walk an open-addressed array of
//! pointers to entries; writers take a lock, make a new entry and store its pointer. An array that has become
//! too full or too empty is replaced; the old one is freed when every time slice has ended in which a reader may
//! have found it.
//!
//! A process that has read a value holds pointers into its area, and so may messages made from it. The
//! area of a value that was replaced or erased is therefore handed to `heap::release`, which frees it when
//! nobody points there any more, and the entry with it: a reader looks at an entry only inside a BIF.

use crate::atom::Atom;
use crate::bif::{Ctx, badarg};
use crate::data::{compare, hash};
use crate::heap::literal::{LiteralArea, SharedCopy};
use crate::heap::release::{self, Retired};
use crate::quiescence;
use crate::term::Term;
use crate::work::{self, Budget, Step, Work};
use parking_lot::Mutex;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::task::Poll;

struct Entry {
    hash: u64,
    key: Term,
    value: Term,
}

// SAFETY: the terms lie in a literal area, which does not change.
unsafe impl Sync for Entry {}

type Slot = AtomicPtr<Entry>;

/// An entry that is in no array any more; freed when dropped.
struct Gone(*mut Entry);

// SAFETY: the entry belongs to this value alone; what it points to is not looked at.
unsafe impl Send for Gone {}

impl Drop for Gone {
    fn drop(&mut self) {
        // SAFETY: made by `put` from a box, taken out of the array, and every time slice in which a reader
        // may have found it there has ended.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

struct Writer {
    /// The area of each entry by the entry's address.
    areas: std::collections::HashMap<usize, LiteralArea>,
    /// Slots in use, erased ones included.
    filled: usize,
}

/// The smallest array.
const LEAST_SLOTS: usize = 256;

struct Table {
    slots: AtomicPtr<Box<[Slot]>>,
    writer: Mutex<Writer>,
    count: AtomicUsize,
    words: AtomicUsize,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table {
    slots: AtomicPtr::new(array(LEAST_SLOTS)),
    writer: Mutex::new(Writer {
        areas: std::collections::HashMap::new(),
        filled: 0,
    }),
    count: AtomicUsize::new(0),
    words: AtomicUsize::new(0),
});

/// Marks the slot of an erased entry.
fn erased() -> *mut Entry {
    std::ptr::dangling_mut()
}

fn array(len: usize) -> *mut Box<[Slot]> {
    let slots: Box<[Slot]> = (0..len)
        .map(|_| AtomicPtr::new(std::ptr::null_mut()))
        .collect();
    Box::into_raw(Box::new(slots))
}

fn slots() -> &'static [Slot] {
    // SAFETY: an array outlives the time slices in which it may have been found, and this is called in one, or
    // by the one writer, which alone replaces it.
    unsafe { &*TABLE.slots.load(Ordering::Acquire) }
}

/// The slot that holds `key`, with its entry; or the first slot where it could be put.
fn find(slots: &[Slot], key: Term, h: u64) -> (usize, Option<&'static Entry>) {
    let mask = slots.len() - 1;
    let mut i = h as usize & mask;
    loop {
        let p = slots[i].load(Ordering::Acquire);
        if p.is_null() {
            return (i, None);
        }
        if p != erased() {
            // SAFETY: an entry outlives every BIF that may have found it.
            let e = unsafe { &*p };
            if e.hash == h && compare::exact_eq(e.key, key) {
                return (i, Some(e));
            }
        }
        i = (i + 1) & mask;
    }
}

/// The value of a key.
#[inline]
pub fn get(key: Term) -> Option<Term> {
    find(slots(), key, hash::internal(key)).1.map(|e| e.value)
}

/// All keys and values.
pub fn all() -> Vec<[Term; 2]> {
    slots()
        .iter()
        .map(|s| s.load(Ordering::Acquire))
        .filter(|&p| !p.is_null() && p != erased())
        // SAFETY: an entry outlives every BIF that may have found it.
        .map(|p| unsafe { &*p })
        .map(|e| [e.key, e.value])
        .collect()
}

/// Number of keys.
pub fn count() -> usize {
    TABLE.count.load(Ordering::Relaxed)
}

/// Length of the array.
pub fn slots_in_table() -> usize {
    slots().len()
}

/// Bytes that keys, values and the table take.
pub fn memory() -> usize {
    (TABLE.words.load(Ordering::Relaxed) + slots().len()) * 8 + count() * size_of::<Entry>()
}

/// What `put` does about a key that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IfThere {
    /// Replace its value.
    Replace,
    /// Leave it, and say whether the value was the same.
    Keep,
}

/// Is the key there? Then what `put` gives without a change, or nothing if the value is to be replaced.
fn settled(key: Term, value: Term, h: u64, if_there: IfThere) -> Option<bool> {
    let e = find(slots(), key, h).1?;
    if compare::exact_eq(e.value, value) {
        return Some(true);
    }
    (if_there == IfThere::Keep).then_some(false)
}

/// The work of `persistent_term:put/2` and `put_new/2`, whose arguments are the key and the value.
///
/// What is shared in them is known by its addresses, so collections are put off meanwhile, and where terms have moved
/// all the same it begins again.
pub struct Put {
    if_there: IfThere,
    hash: u64,
    /// The copy of key and value; made when the first step finds that it is needed.
    copy: Option<SharedCopy>,
    /// Are collections forbidden because of this?
    forbids: bool,
}

/// Units that a change of the table costs.
const CHANGE: usize = 100 * work::UNITS;

impl Put {
    /// Begins.
    pub fn new(key: Term, if_there: IfThere) -> Put {
        Put {
            if_there,
            hash: hash::internal(key),
            copy: None,
            forbids: false,
        }
    }

    /// Goes on with the same key and value: `false` if the key is there with another value and was to be left.
    ///
    /// # Safety
    /// Neither key nor value nor what they refer to has moved since the last step, unless the roots were asked for.
    unsafe fn go_on(&mut self, key: Term, value: Term, budget: &mut Budget) -> Poll<bool> {
        let copy = match &mut self.copy {
            Some(copy) => copy,
            None => {
                if let Some(answer) = settled(key, value, self.hash, self.if_there) {
                    return Poll::Ready(answer);
                }
                self.copy.insert(SharedCopy::new(&[key, value]))
            }
        };
        // SAFETY: as the caller promises.
        let Poll::Ready((area, pair)) = (unsafe { copy.go_on(budget) }) else {
            return Poll::Pending;
        };
        let mut w = TABLE.writer.lock();
        // Somebody else may have put it meanwhile.
        if let Some(answer) = settled(key, value, self.hash, self.if_there) {
            return Poll::Ready(answer);
        }
        store(&mut w, self.hash, area, [pair[0], pair[1]]);
        Poll::Ready(true)
    }
}

impl Work for Put {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        // SAFETY: whatever moves terms between two steps asks for the roots.
        let Poll::Ready(done) = (unsafe { self.go_on(a[0], a[1], budget) }) else {
            if !self.forbids {
                self.forbids = cx.own.allow_collections(false);
            }
            return Ok(Poll::Pending);
        };
        if std::mem::take(&mut self.forbids) {
            cx.own.allow_collections(true);
        }
        budget.spend(CHANGE);
        if done {
            Ok(Poll::Ready(Atom::OK.into()))
        } else {
            Err(badarg())
        }
    }

    fn visit_roots(&mut self, _: &mut dyn FnMut(&mut [Term])) {
        self.copy = None;
    }
}

/// Makes an entry of a key and a value that lie in `area` and puts it into the table.
fn store(w: &mut Writer, h: u64, area: LiteralArea, [key, value]: [Term; 2]) {
    let old = find(slots(), key, h).1;
    let entry: &'static Entry = Box::leak(Box::new(Entry {
        hash: h,
        key,
        value,
    }));
    TABLE.words.fetch_add(area.words(), Ordering::Relaxed);
    w.areas.insert(std::ptr::from_ref(entry) as usize, area);
    if old.is_none() {
        if (w.filled + 1) * 4 > slots().len() * 3 {
            resize(w);
        }
        w.filled += 1;
        TABLE.count.fetch_add(1, Ordering::Relaxed);
    }
    let now = slots();
    let (i, _) = find(now, key, h);
    now[i].store(std::ptr::from_ref(entry).cast_mut(), Ordering::Release);
    if let Some(e) = old {
        retire(w, e);
    }
}

fn retire(w: &mut Writer, e: &'static Entry) {
    if let Some(area) = w.areas.remove(&(std::ptr::from_ref(e) as usize)) {
        TABLE.words.fetch_sub(area.words(), Ordering::Relaxed);
        release::retire(Retired {
            areas: vec![area],
            also: Some(Box::new(Gone(std::ptr::from_ref(e).cast_mut()))),
        });
    }
}

/// An array that was replaced; freed when dropped.
struct Replaced(*mut Box<[Slot]>);

// SAFETY: the array belongs to this value alone once nobody can be reading it any more.
unsafe impl Send for Replaced {}

impl Drop for Replaced {
    fn drop(&mut self) {
        // SAFETY: made by `array`, replaced, and every time slice in which a reader may have found it has ended.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

/// Moves the entries to an array between a quarter and half full.
fn resize(w: &mut Writer) {
    let old = slots();
    let fresh = array((count() * 2 + 2).next_power_of_two().max(LEAST_SLOTS));
    // SAFETY: just made, and nobody else can replace it meanwhile.
    let to: &[Slot] = unsafe { &*fresh };
    w.filled = 0;
    for s in old {
        let p = s.load(Ordering::Relaxed);
        if p.is_null() || p == erased() {
            continue;
        }
        // SAFETY: an entry outlives every BIF that may have found it.
        let e = unsafe { &*p };
        let mut i = e.hash as usize & (to.len() - 1);
        while !to[i].load(Ordering::Relaxed).is_null() {
            i = (i + 1) & (to.len() - 1);
        }
        to[i].store(p, Ordering::Relaxed);
        w.filled += 1;
    }
    let old = Replaced(TABLE.slots.swap(fresh, Ordering::AcqRel));
    quiescence::after(move || drop(old));
}

/// Takes a key away; `false` if it was not there.
pub fn erase(key: Term) -> bool {
    let mut w = TABLE.writer.lock();
    let now = slots();
    let (i, Some(e)) = find(now, key, hash::internal(key)) else {
        return false;
    };
    now[i].store(erased(), Ordering::Release);
    TABLE.count.fetch_sub(1, Ordering::Relaxed);
    if now.len() > LEAST_SLOTS && count() * 4 < now.len() {
        resize(&mut w);
    }
    retire(&mut w, e);
    true
}

/// Takes all keys away.
pub fn erase_all() {
    for [key, _] in all() {
        erase(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::Heap;

    fn put(key: Term, value: Term, if_there: IfThere) -> bool {
        let mut p = Put::new(key, if_there);
        loop {
            // SAFETY: nothing moves meanwhile.
            if let Poll::Ready(done) = unsafe { p.go_on(key, value, &mut Budget::of(1)) } {
                return done;
            }
        }
    }

    #[test]
    fn put_get_replace_erase() {
        let mut h = Heap::new();
        let key = |h: &mut Heap, n: i64| {
            let s = h.tuple(&[Term::small(n), Term::NIL]);
            h.tuple(&[Term::small(77), s])
        };
        for n in 0..2000 {
            let k = key(&mut h, n);
            assert!(put(k, k, IfThere::Keep));
        }
        for n in 0..2000 {
            let k = key(&mut h, n);
            assert!(get(k).is_some_and(|v| compare::exact_eq(v, k)));
        }
        let k = key(&mut h, 5);
        let kept = get(k).unwrap();
        assert!(!put(k, Term::NIL, IfThere::Keep));
        assert!(put(k, Term::NIL, IfThere::Replace));
        assert_eq!(get(k), Some(Term::NIL));
        assert!(compare::exact_eq(kept, k), "the old value stays readable");
        assert!(erase(k) && !erase(k) && get(k).is_none());
    }
}
