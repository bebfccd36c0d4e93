//! Sets and bags: stripes of buckets, and how many buckets there are.
//!
//! A table has one bucket for each object, as long as objects are only put in; buckets are given back when less than half
//! of a segment's worth are needed. A table made for concurrent writing has a lock for every n-th bucket. Only this module
//! takes locks of sets and bags, so finer ones have their place here.

use super::linear::{FIRST, SEGMENT, Stripe};
use super::{Busy, Change};
use crate::data::hash;
use crate::heap::object::Obj;
use crate::release;
use crate::term::Term;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// Locks of a table for concurrent writing.
pub const STRIPES: usize = 64;
/// Buckets that are split or joined for one operation, at most.
const AT_ONCE: usize = 5;
/// Counters that stand for the number of objects where there is none in the middle.
const COUNTERS: usize = 64;

/// How many buckets there are, and for how many there is room.
struct Size {
    active: usize,
    slots: usize,
}

/// The buckets of a table.
pub struct Hash {
    stripes: Box<[RwLock<Stripe>]>,
    /// Number of stripes, as a power of two.
    bits: u32,
    /// Taken before a stripe's lock.
    size: Mutex<Size>,
    /// As in `size`, to look at.
    active: AtomicUsize,
    /// With fewer objects than this a bucket is given back.
    floor: AtomicUsize,
    /// Objects by hash, where the number of all is guessed from one of them.
    counters: Option<Box<[AtomicI64; COUNTERS]>>,
}

/// The hash of a key. An atom's is that of its text.
#[inline(always)]
pub fn hash_of(key: Term) -> u32 {
    let hash = match key.as_atom() {
        Some(a) => a.text_hash(),
        None => hash::internal(key) as u32,
    };
    hash >> u32::from(release::table_hash_is_halved())
}

/// How many of `active` buckets are in the `n`-th of `1 << bits` stripes.
fn share(active: usize, n: usize, bits: u32) -> usize {
    (active - n).div_ceil(1 << bits)
}

impl Hash {
    /// Without objects, with so many locks (a power of two). `guessed`: the number of objects is guessed from a part.
    pub fn new(keypos: usize, locks: usize, guessed: bool) -> Hash {
        let bits = locks.ilog2();
        let size = Hash::first_size(locks);
        let stripe = |n| RwLock::new(Stripe::new(keypos, bits, share(size.active, n, bits)));
        Hash {
            stripes: (0..locks).map(stripe).collect(),
            bits,
            active: AtomicUsize::new(size.active),
            size: Mutex::new(size),
            floor: AtomicUsize::new(0),
            counters: guessed.then(|| Box::new([const { AtomicI64::new(0) }; COUNTERS])),
        }
    }

    /// Each lock has a bucket at least.
    fn first_size(locks: usize) -> Size {
        let more = locks.saturating_sub(FIRST).div_ceil(SEGMENT);
        let slots = FIRST + more * SEGMENT;
        Size {
            active: slots,
            slots,
        }
    }

    fn mask(&self) -> usize {
        self.stripes.len() - 1
    }

    /// Number of locks.
    pub fn locks(&self) -> usize {
        self.stripes.len()
    }

    /// Number of buckets.
    pub fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }

    /// Words of memory of buckets, for those too that nothing was put into yet.
    pub fn words(&self) -> usize {
        self.size.lock().slots
    }

    /// The stripe of a hash, to read.
    #[inline(always)]
    pub fn read(&self, hash: u32) -> Result<RwLockReadGuard<'_, Stripe>, Busy> {
        let s = self.stripes[hash as usize & self.mask()].read();
        if s.busy { Err(Busy) } else { Ok(s) }
    }

    /// The stripe of a hash, to write.
    #[inline(always)]
    pub fn write(&self, hash: u32) -> Result<RwLockWriteGuard<'_, Stripe>, Busy> {
        let s = self.write_always(hash);
        if s.busy { Err(Busy) } else { Ok(s) }
    }

    /// The same for the operation that makes the table busy.
    #[inline(always)]
    pub fn write_always(&self, hash: u32) -> RwLockWriteGuard<'_, Stripe> {
        self.stripes[hash as usize & self.mask()].write()
    }

    /// The stripes of several hashes, to write, with their numbers.
    pub fn write_some(
        &self,
        hashes: impl Iterator<Item = u32>,
    ) -> Result<Vec<(usize, RwLockWriteGuard<'_, Stripe>)>, Busy> {
        let mut numbers: Vec<usize> = hashes.map(|h| h as usize & self.mask()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        // In ascending order everywhere, so that two processes never wait for each other.
        numbers
            .into_iter()
            .map(|n| Ok((n, self.write(n as u32)?)))
            .collect()
    }

    /// All stripes, to write; the number of buckets does not change meanwhile.
    fn write_all<R>(
        &self,
        f: impl FnOnce(&mut Size, &mut [RwLockWriteGuard<'_, Stripe>]) -> R,
    ) -> R {
        let mut size = self.size.lock();
        let mut all: Vec<_> = self.stripes.iter().map(|s| s.write()).collect();
        f(&mut size, &mut all)
    }

    /// Keeps others out until it is called again with `false`. `Busy` if that has been done already.
    pub fn set_busy(&self, busy: bool) -> Result<(), Busy> {
        self.write_all(|_, all| {
            if busy && all.iter().any(|s| s.busy) {
                return Err(Busy);
            }
            all.iter_mut().for_each(|s| s.busy = busy);
            Ok(())
        })
    }

    /// Stripe and place there of a bucket counted through the whole table.
    fn split_number(&self, bucket: usize) -> (u32, usize) {
        ((bucket & self.mask()) as u32, bucket >> self.bits)
    }

    /// The bucket that comes after another in a traversal: buckets under one lock, then those under the next.
    /// Nothing after the last.
    pub fn following(&self, bucket: usize) -> Option<usize> {
        let next = bucket + self.locks();
        if next < self.active() {
            return Some(next);
        }
        Some((next + 1) & self.mask()).filter(|&n| n != 0)
    }

    /// The first object of a bucket, while `f` runs; nothing for a bucket that is not there.
    pub fn with_bucket<R>(
        &self,
        bucket: usize,
        f: impl FnOnce(&Stripe, Obj) -> R,
    ) -> Result<Option<R>, Busy> {
        let (n, at) = self.split_number(bucket);
        let s = self.read(n)?;
        Ok((at < s.len()).then(|| f(&s, s.bucket(at))))
    }

    /// Calls `f` with the first object from a bucket on, alive or with `dead` any, and the stripe that it is in.
    pub fn with_some<R>(
        &self,
        from: usize,
        dead: bool,
        f: impl FnOnce(Option<(&Stripe, Obj)>) -> R,
    ) -> Result<R, Busy> {
        let (mut n, mut at) = self.split_number(from);
        loop {
            let s = self.read(n)?;
            while at < s.len() {
                if let Some(o) = s.bucket(at).chain().find(|o| dead || !o.is_dead()) {
                    return Ok(f(Some((&s, o))));
                }
                at += 1;
            }
            (n, at) = (n + 1, 0);
            if n as usize >= self.locks() {
                return Ok(f(None));
            }
        }
    }

    /// Reads buckets under one lock from `from` on, as long as `f` wants more. Gives where it stopped: the bucket to go
    /// on with, which may be under another lock. `Err(None)` if there is no such bucket.
    pub fn read_buckets(
        &self,
        from: usize,
        f: &mut dyn FnMut(Obj) -> bool,
    ) -> Result<Option<usize>, Option<Busy>> {
        let (n, mut at) = self.split_number(from);
        let s = self.read(n).map_err(Some)?;
        if at >= s.len() {
            return Err(None);
        }
        loop {
            let more = f(s.bucket(at));
            at += 1;
            if at >= s.len() {
                let next = n as usize + 1;
                return Ok((next < self.locks()).then_some(next));
            }
            if !more {
                return Ok(Some(at << self.bits | n as usize));
            }
        }
    }

    /// The same to write.
    pub fn write_buckets(
        &self,
        from: usize,
        f: &mut dyn FnMut(&mut Stripe, usize) -> bool,
    ) -> Result<Option<usize>, Option<Busy>> {
        let (n, mut at) = self.split_number(from);
        let mut s = self.write(n).map_err(Some)?;
        if at >= s.len() {
            return Err(None);
        }
        loop {
            let more = f(&mut s, at);
            at += 1;
            if at >= s.len() {
                let next = n as usize + 1;
                return Ok((next < self.locks()).then_some(next));
            }
            if !more {
                return Ok(Some(at << self.bits | n as usize));
            }
        }
    }

    /// Makes all objects of a bucket dead, for the operation that makes the table busy.
    pub fn kill_bucket(&self, bucket: usize, c: &mut Change) {
        let (n, at) = self.split_number(bucket);
        let before = c.objects;
        self.write_always(n).kill_bucket(at, c);
        self.count(n, c.objects - before, 0);
    }

    /// Counts objects that were put in or taken away; gives about how many there are now, where `all` is the number.
    #[inline]
    pub fn count(&self, hash: u32, change: isize, all: usize) -> usize {
        let Some(counters) = &self.counters else {
            return all;
        };
        let counter = &counters[hash as usize % COUNTERS];
        let n = counter.fetch_add(change as i64, Ordering::Relaxed) + change as i64;
        usize::try_from(n).unwrap_or(0) * COUNTERS
    }

    /// Is the table to have more buckets for so many objects?
    #[inline(always)]
    pub fn is_full(&self, objects: usize) -> bool {
        objects > self.active()
    }

    /// Is it to have fewer?
    #[inline(always)]
    pub fn is_sparse(&self, objects: usize) -> bool {
        objects < self.floor.load(Ordering::Relaxed)
    }

    /// Splits buckets for so many objects. `held` is the stripe whose lock is held, if there is only one.
    #[cold]
    pub fn grow(
        &self,
        objects: usize,
        fixed: &AtomicUsize,
        mut held: Option<&mut Stripe>,
        c: &mut Change,
    ) {
        self.resize(|size| {
            if objects <= size.active {
                return false;
            }
            if size.active == size.slots {
                size.slots += SEGMENT;
                self.set_floor(size);
            }
            self.with_stripe(size.active, &mut held, |s| {
                if fixed.load(Ordering::Relaxed) == 0 {
                    s.split(c);
                    self.set_active(size, size.active + 1);
                }
            });
            true
        });
    }

    /// Joins buckets for so many objects.
    #[cold]
    pub fn shrink(
        &self,
        objects: usize,
        fixed: &AtomicUsize,
        mut held: Option<&mut Stripe>,
        c: &mut Change,
    ) {
        self.resize(|size| {
            if !self.is_sparse(objects) {
                return false;
            }
            self.with_stripe(size.active - 1, &mut held, |s| {
                if fixed.load(Ordering::Relaxed) == 0 {
                    s.join(c);
                    self.set_active(size, size.active - 1);
                }
            });
            if size.slots - size.active >= SEGMENT {
                size.slots -= SEGMENT;
                self.set_floor(size);
            }
            true
        });
    }

    /// Makes a few steps towards another number of buckets, until `step` finds none to make. Where another thread is about
    /// that already it is left to it.
    fn resize(&self, mut step: impl FnMut(&mut Size) -> bool) {
        for _ in 0..AT_ONCE {
            let Some(mut size) = self.size.try_lock() else {
                return;
            };
            if !step(&mut size) {
                return;
            }
        }
    }

    fn set_active(&self, size: &mut Size, buckets: usize) {
        size.active = buckets;
        self.active.store(buckets, Ordering::Relaxed);
    }

    fn with_stripe(
        &self,
        bucket: usize,
        held: &mut Option<&mut Stripe>,
        f: impl FnOnce(&mut Stripe),
    ) {
        match held {
            Some(s) => f(s),
            None => f(&mut self.stripes[bucket & self.mask()].write()),
        }
    }

    /// A segment is given back only if half of what is left stays free, and the first two never are.
    fn set_floor(&self, size: &Size) {
        // A guess needs many buckets for each counter.
        let enough = self.counters.is_none() || size.slots >= 100 * COUNTERS;
        let least = (self.locks() + SEGMENT).max(FIRST + 2 * SEGMENT);
        let floor = if enough && size.slots >= least {
            (size.slots - SEGMENT) / 2
        } else {
            0
        };
        self.floor.store(floor, Ordering::Relaxed);
    }

    /// Takes away what is dead.
    pub fn bury(&self, fixed: &AtomicUsize, c: &mut Change) {
        for s in &self.stripes {
            let mut s = s.write();
            if fixed.load(Ordering::Relaxed) > 0 {
                return;
            }
            s.bury(c);
        }
    }

    /// Takes everything out; as new then. `f` runs while the table is locked. With `for_good` the table is busy from then on, else it
    /// must not be so before.
    pub fn take_all(&self, for_good: bool, f: impl FnOnce()) -> Result<Vec<Box<[Obj]>>, Busy> {
        self.write_all(|size, all| {
            if !for_good && all.iter().any(|s| s.busy) {
                return Err(Busy);
            }
            *size = Hash::first_size(self.locks());
            self.active.store(size.active, Ordering::Relaxed);
            self.set_floor(size);
            if let Some(counters) = &self.counters {
                counters.iter().for_each(|n| n.store(0, Ordering::Relaxed));
            }
            f();
            let mut taken = Vec::new();
            for (n, s) in all.iter_mut().enumerate() {
                taken.append(&mut s.take_all(share(size.active, n, self.bits)));
                s.busy = for_good;
            }
            Ok(taken)
        })
    }
}
