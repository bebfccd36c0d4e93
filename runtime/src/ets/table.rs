//! A table: what it was made with, and what is done with single keys.

use super::batch::Batch;
use super::debris::Debris;
use super::editor::fresh;
use super::hash::{self, Hash, hash_of};
use super::linear::{Edit, New, Stripe};
use super::tree::Tree;
use super::{
    Busy, Change, Editor, Fate, Fixation, Heir, Protection, TableKind, TableOptions,
    WriteConcurrency,
};
use crate::atom::Atom;
use crate::data::compare;
use crate::heap::Heap;
use crate::heap::object::Obj;
use crate::term::Term;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};

pub(super) enum Store {
    Hash(Hash),
    Tree(RwLock<Tree>),
}

/// A table.
pub struct Table {
    /// Number of its reference.
    pub number: u64,
    name: AtomicU32,
    /// Is it known by its name?
    pub named: bool,
    /// Its type.
    pub kind: TableKind,
    /// Which element is the key, counted from 1.
    pub keypos: usize,
    /// As given when it was made.
    pub compressed: bool,
    /// As given when it was made.
    pub read_concurrency: bool,
    /// As given when it was made.
    pub write_concurrency: WriteConcurrency,
    /// As given when it was made, or implied.
    pub decentralized_counters: bool,
    protection: AtomicU8,
    owner: AtomicU64,
    /// When the owner got it, among all that get tables.
    pub(super) owned_since: AtomicU64,
    /// Who gets it when the owner exits.
    pub heir: Mutex<Option<Heir>>,
    deleted: AtomicBool,
    objects: AtomicI64,
    words: AtomicI64,
    pub(super) fixed: AtomicUsize,
    /// Who holds it fixed.
    pub fixation: Mutex<Fixation>,
    /// What makes it busy.
    pub(super) batch: Mutex<Option<Batch>>,
    pub(super) store: Store,
}

/// The storage of an ordered set, to read.
pub(super) fn read(t: &RwLock<Tree>) -> Result<RwLockReadGuard<'_, Tree>, Busy> {
    let t = t.read();
    if t.busy { Err(Busy) } else { Ok(t) }
}

/// The storage of an ordered set, to write.
pub(super) fn write(t: &RwLock<Tree>) -> Result<RwLockWriteGuard<'_, Tree>, Busy> {
    let t = t.write();
    if t.busy { Err(Busy) } else { Ok(t) }
}

impl Table {
    pub(super) fn new(number: u64, owner: u64, o: TableOptions) -> Table {
        let locks = match o.write_concurrency {
            _ if o.protection == Protection::Private => 1,
            WriteConcurrency::Off => 1,
            WriteConcurrency::On | WriteConcurrency::Auto => hash::STRIPES,
            WriteConcurrency::Locks(n) => (1 << n.ilog2()).max(hash::STRIPES),
        };
        let store = match o.kind {
            TableKind::OrderedSet => Store::Tree(RwLock::new(Tree::new(o.keypos))),
            _ => {
                let guessed = locks > 1 && o.decentralized_counters;
                Store::Hash(Hash::new(o.keypos, locks, guessed))
            }
        };
        Table {
            number,
            name: AtomicU32::new(o.name.index()),
            named: o.named,
            kind: o.kind,
            keypos: o.keypos,
            compressed: o.compressed,
            read_concurrency: o.read_concurrency,
            write_concurrency: match o.write_concurrency {
                WriteConcurrency::Locks(_) => WriteConcurrency::Locks(locks),
                w => w,
            },
            decentralized_counters: o.decentralized_counters,
            protection: AtomicU8::new(o.protection as u8),
            owner: AtomicU64::new(owner),
            owned_since: AtomicU64::new(0),
            heir: Mutex::new(o.heir),
            deleted: AtomicBool::new(false),
            objects: AtomicI64::new(0),
            words: AtomicI64::new(0),
            fixed: AtomicUsize::new(0),
            fixation: Mutex::default(),
            batch: Mutex::new(None),
            store,
        }
    }

    /// Its name.
    pub fn name(&self) -> Atom {
        Atom::from_index(self.name.load(Ordering::Relaxed))
    }

    pub(super) fn set_name(&self, name: Atom) {
        self.name.store(name.index(), Ordering::Relaxed);
    }

    /// Packed pid of its owner.
    #[inline]
    pub fn owner(&self) -> u64 {
        self.owner.load(Ordering::Relaxed)
    }

    pub(super) fn set_owner(&self, pid: u64) {
        self.owner.store(pid, Ordering::Relaxed);
    }

    /// Who may use it.
    #[inline]
    pub fn protection(&self) -> Protection {
        Protection::from_number(self.protection.load(Ordering::Relaxed))
    }

    /// Sets who may use it.
    pub fn set_protection(&self, p: Protection) {
        self.protection.store(p as u8, Ordering::Relaxed);
    }

    /// Has it been deleted?
    #[inline]
    pub fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// Number of objects.
    pub fn len(&self) -> usize {
        usize::try_from(self.objects.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// Is it without objects?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Words of memory.
    pub fn memory_words(&self) -> usize {
        let own = match &self.store {
            Store::Hash(h) => h.words(),
            Store::Tree(t) => t.read().words(),
        };
        own + size_of::<Table>() / 8
            + usize::try_from(self.words.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// Is it fixed for traversal?
    #[inline]
    pub fn is_fixed(&self) -> bool {
        self.fixed.load(Ordering::Relaxed) > 0
    }

    /// The key of an object, if it is a tuple large enough.
    #[inline(always)]
    pub fn key_of(&self, object: Term) -> Option<Term> {
        object.as_tuple()?.get(self.keypos - 1).copied()
    }

    #[inline]
    pub(super) fn note(&self, c: Change) {
        if c.objects != 0 {
            self.objects.fetch_add(c.objects as i64, Ordering::Relaxed);
        }
        if c.words != 0 {
            self.words.fetch_add(c.words as i64, Ordering::Relaxed);
        }
    }

    pub(super) fn note_empty(&self) {
        self.objects.store(0, Ordering::Relaxed);
        self.words.store(0, Ordering::Relaxed);
    }

    /// Does a part of the operation that makes the table busy.
    #[cold]
    pub(super) fn busy(&self) -> Busy {
        self.help();
        Busy
    }

    /// After a change of a set or bag at `hash`: makes the number of buckets fit. `held`: the lock that is held.
    #[inline]
    pub(super) fn changed(
        &self,
        h: &Hash,
        hash: u32,
        mut held: RwLockWriteGuard<'_, Stripe>,
        mut c: Change,
    ) {
        self.note(c);
        if c.objects == 0 {
            return;
        }
        let n = h.count(hash, c.objects, self.len());
        let (grow, shrink) = if c.objects > 0 {
            (h.is_full(n), false)
        } else {
            (false, h.is_sparse(n))
        };
        if !(grow || shrink) || self.is_fixed() {
            return;
        }
        c = Change::default();
        let only = if h.locks() == 1 {
            Some(&mut *held)
        } else {
            drop(held);
            None
        };
        if grow {
            h.grow(n, &self.fixed, only, &mut c);
        } else {
            h.shrink(n, &self.fixed, only, &mut c);
        }
        self.note(c);
    }

    /// Calls `f` with the objects of a key that are alive, newest first; they stay while `f` runs.
    #[inline(always)]
    pub fn with_objects<R>(
        &self,
        key: Term,
        f: impl FnOnce(&mut dyn Iterator<Item = Obj>) -> R,
    ) -> Result<R, Busy> {
        match &self.store {
            Store::Hash(h) => {
                let hash = hash_of(key);
                let s = h.read(hash).map_err(|_| self.busy())?;
                Ok(f(&mut s.objects(key, hash)))
            }
            Store::Tree(t) => {
                let t = read(t).map_err(|_| self.busy())?;
                Ok(f(&mut t.find(key).map(|p| t.at(p)).into_iter()))
            }
        }
    }

    /// The same with those too that were deleted while the table was fixed.
    pub fn with_all_objects<R>(
        &self,
        key: Term,
        f: impl FnOnce(&mut dyn Iterator<Item = Obj>) -> R,
    ) -> Result<R, Busy> {
        let Store::Hash(h) = &self.store else {
            return self.with_objects(key, f);
        };
        let hash = hash_of(key);
        let s = h.read(hash).map_err(|_| self.busy())?;
        Ok(f(&mut s.all(key, hash)))
    }

    /// Calls `f` with the newest object of a key, `Obj::NONE` if there is none.
    #[inline(always)]
    pub fn with_object<R>(&self, key: Term, f: impl FnOnce(Obj) -> R) -> Result<R, Busy> {
        match &self.store {
            Store::Hash(h) => {
                let hash = hash_of(key);
                let s = h.read(hash).map_err(|_| self.busy())?;
                Ok(f(s.get(key, hash)))
            }
            Store::Tree(t) => {
                let t = read(t).map_err(|_| self.busy())?;
                Ok(f(t.find(key).map_or(Obj::NONE, |p| t.at(p))))
            }
        }
    }

    /// The objects of a key, oldest first.
    #[inline]
    pub fn lookup(&self, key: Term, heap: &mut Heap) -> Result<Term, Busy> {
        if self.kind.is_bag() {
            return self.with_objects(key, |all| copy_all(all, heap));
        }
        self.with_object(key, |o| {
            if !o.is_some() {
                return Term::NIL;
            }
            let t = o.copy(heap);
            heap.cons(t, Term::NIL)
        })
    }

    /// Puts an object in; it has been checked with `key_of`, which gave `key`.
    #[inline]
    pub fn insert(&self, object: Term, key: Term) -> Result<(), Busy> {
        let mut c = Change::default();
        match &self.store {
            Store::Hash(h) => {
                let hash = hash_of(key);
                let mut s = h.write(hash).map_err(|_| self.busy())?;
                s.put(self.kind, New::Tuple(object), key, hash, &mut c);
                self.changed(h, hash, s, c);
            }
            Store::Tree(t) => {
                let mut t = write(t).map_err(|_| self.busy())?;
                t.insert(New::Tuple(object), key, &mut c);
                self.note(c);
            }
        }
        Ok(())
    }

    /// Puts an object in if its key is not there; was it not?
    pub fn insert_new(&self, object: Term, key: Term) -> Result<bool, Busy> {
        let mut c = Change::default();
        match &self.store {
            Store::Hash(h) => {
                let hash = hash_of(key);
                let mut s = h.write(hash).map_err(|_| self.busy())?;
                if s.get(key, hash).is_some() {
                    return Ok(false);
                }
                s.put(self.kind, New::Tuple(object), key, hash, &mut c);
                self.changed(h, hash, s, c);
            }
            Store::Tree(t) => {
                let mut t = write(t).map_err(|_| self.busy())?;
                if t.find(key).is_some() {
                    return Ok(false);
                }
                t.insert(New::Tuple(object), key, &mut c);
                self.note(c);
            }
        }
        Ok(true)
    }

    /// Puts a few objects in, at once; with `only_new` nothing happens if one of the keys is there.
    pub fn insert_all(&self, objects: &[(Term, Term)], only_new: bool) -> Result<bool, Busy> {
        let h = match &self.store {
            Store::Hash(h) => h,
            Store::Tree(t) => {
                let mut c = Change::default();
                let mut t = write(t).map_err(|_| self.busy())?;
                if only_new && objects.iter().any(|o| t.find(o.1).is_some()) {
                    return Ok(false);
                }
                for o in objects {
                    t.insert(New::Tuple(o.0), o.1, &mut c);
                }
                self.note(c);
                return Ok(true);
            }
        };
        let hashes: Vec<u32> = objects.iter().map(|o| hash_of(o.1)).collect();
        let locked = h.write_some(hashes.iter().copied());
        let mut stripes = locked.map_err(|_| self.busy())?;
        let mask = h.locks() - 1;
        // With few locks held and one at most for each object this is short.
        let at = |stripes: &[(usize, RwLockWriteGuard<'_, Stripe>)], hash: u32| {
            let n = hash as usize & mask;
            stripes.binary_search_by_key(&n, |s| s.0).unwrap_or(0)
        };
        if only_new {
            for (o, &hash) in objects.iter().zip(&hashes) {
                let i = at(&stripes, hash);
                if stripes[i].1.get(o.1, hash).is_some() {
                    return Ok(false);
                }
            }
        }
        // How many objects there seemed to be after each.
        let mut numbers = Vec::new();
        for (o, &hash) in objects.iter().zip(&hashes) {
            let mut c = Change::default();
            let i = at(&stripes, hash);
            let s = &mut *stripes[i].1;
            if s.put(self.kind, New::Tuple(o.0), o.1, hash, &mut c) {
                let n = h.count(hash, 1, self.len() + 1);
                if h.locks() > 1 {
                    numbers.push(n);
                } else if h.is_full(n) && !self.is_fixed() {
                    h.grow(n, &self.fixed, Some(s), &mut c);
                }
            }
            self.note(c);
        }
        drop(stripes);
        // Other locks are taken only when none is held.
        let mut c = Change::default();
        for n in numbers {
            if h.is_full(n) && !self.is_fixed() {
                h.grow(n, &self.fixed, None, &mut c);
            }
        }
        self.note(c);
        Ok(true)
    }

    /// Deletes all objects of a key.
    #[inline]
    pub fn delete(&self, key: Term) -> Result<(), Busy> {
        self.edit_key(key, &mut |_| Fate::Delete)
    }

    /// Deletes all objects of a key and gives copies of them, oldest first.
    pub fn take(&self, key: Term, heap: &mut Heap) -> Result<Term, Busy> {
        let mut taken = Term::NIL;
        self.edit_key(key, &mut |o| {
            let t = o.copy(heap);
            taken = heap.cons(t, taken);
            Fate::Delete
        })?;
        Ok(taken)
    }

    /// Does with each object of a key (newest first) what `f` says.
    pub fn edit_key(&self, key: Term, f: &mut dyn FnMut(Obj) -> Fate) -> Result<(), Busy> {
        match &self.store {
            Store::Hash(h) => {
                let hash = hash_of(key);
                let mut e = Edit::new(f);
                let mut s = h.write(hash).map_err(|_| self.busy())?;
                s.edit_key(key, hash, self.is_fixed(), &mut e);
                self.changed(h, hash, s, e.change);
                free_all(e.gone);
            }
            Store::Tree(t) => {
                let mut c = Change::default();
                let mut t = write(t).map_err(|_| self.busy())?;
                let Some(p) = t.find(key) else { return Ok(()) };
                let gone = match f(t.at(p)) {
                    Fate::Keep => None,
                    Fate::Delete => Some(t.remove(p, &mut c)),
                    Fate::Replace(o) => {
                        t.replace(p, o, &mut c);
                        None
                    }
                };
                drop(t);
                self.note(c);
                free_all(gone);
            }
        }
        Ok(())
    }

    /// Deletes the objects that are the same as `object`.
    pub fn delete_object(&self, object: Term, key: Term) -> Result<(), Busy> {
        let mut found = false;
        self.edit_key(key, &mut |o| {
            if !(found && self.kind == TableKind::Bag) && compare::exact_eq(o.root(), object) {
                found = true;
                Fate::Delete
            } else {
                Fate::Keep
            }
        })
    }

    /// Changes the object of a key in a set. `default` is put in first if there is none. `f` gets the
    /// object and the heap-independent means to change it; see `Editor`. `None` if there is no object.
    pub fn update<R>(
        &self,
        key: Term,
        default: Option<Term>,
        f: impl FnOnce(&mut Editor) -> Option<R>,
    ) -> Result<Option<Option<R>>, Busy> {
        let mut c = Change::default();
        match &self.store {
            Store::Hash(h) => {
                let hash = hash_of(key);
                let mut s = h.write(hash).map_err(|_| self.busy())?;
                let old = s.get(key, hash);
                let mut put = |new: New| {
                    s.put(self.kind, new, key, hash, &mut c);
                };
                let r = if old.is_some() {
                    let mut e = Editor::new(old);
                    let r = f(&mut e);
                    if let Some(o) = e.finish(r.is_some()) {
                        put(New::Made(o));
                    }
                    Some(r)
                } else {
                    default.map(|d| fresh(d, f, |t| put(New::Tuple(t))))
                };
                self.changed(h, hash, s, c);
                Ok(r)
            }
            Store::Tree(t) => {
                let mut t = write(t).map_err(|_| self.busy())?;
                let r = match t.find(key) {
                    Some(p) => {
                        let mut e = Editor::new(t.at(p));
                        let r = f(&mut e);
                        if let Some(o) = e.finish(r.is_some()) {
                            t.replace(p, o, &mut c);
                        }
                        Some(r)
                    }
                    None => default.map(|d| fresh(d, f, |o| t.insert(New::Tuple(o), key, &mut c))),
                };
                self.note(c);
                Ok(r)
            }
        }
    }

    /// Takes everything out; gives how many objects it was, and what is to be freed. A set or bag must not be fixed.
    pub fn clear(&self) -> Result<(usize, Debris), Busy> {
        self.empty(false)
    }

    /// Takes everything out. `for_good`: whoever has found the table before finds it busy, and when he looks for it again finds none.
    fn empty(&self, for_good: bool) -> Result<(usize, Debris), Busy> {
        let mut n = 0;
        let mut empty = || {
            n = self.len();
            self.note_empty();
        };
        let debris = match &self.store {
            Store::Hash(h) => {
                let segments = h.take_all(for_good, empty).map_err(|_| self.busy())?;
                Debris::of_segments(segments)
            }
            Store::Tree(t) => {
                let mut t = t.write();
                if t.busy && !for_good {
                    return Err(self.busy());
                }
                empty();
                let old = std::mem::replace(&mut *t, Tree::new(self.keypos));
                t.busy = for_good;
                Debris::of_tree(old)
            }
        };
        Ok((n, debris))
    }

    /// Marks it deleted and gives its objects; nothing if that has been done before.
    pub(super) fn destroy(&self) -> Option<Debris> {
        if self.deleted.swap(true, Ordering::AcqRel) {
            return None;
        }
        self.fixed.store(0, Ordering::Relaxed);
        *self.batch.lock() = None;
        self.empty(true).ok().map(|e| e.1)
    }

    /// Number of locks.
    pub fn locks(&self) -> usize {
        match &self.store {
            Store::Hash(h) => h.locks(),
            Store::Tree(_) => 1,
        }
    }

    /// For `ets:info(Table, stats)`: for each bucket the number of its objects, and of those that are dead.
    pub fn chains(&self) -> Result<Vec<(usize, usize)>, Busy> {
        let Store::Hash(h) = &self.store else {
            return Ok(Vec::new());
        };
        let mut all = Vec::with_capacity(h.active());
        let mut next = Some(0);
        while let Some(bucket) = next {
            let r = h.read_buckets(bucket, &mut |o| {
                let dead = o.chain().filter(|o| o.is_dead()).count();
                all.push((o.chain().count(), dead));
                true
            });
            next = match r {
                Ok(next) => next,
                Err(Some(_)) => return Err(self.busy()),
                Err(None) => None,
            };
        }
        Ok(all)
    }
}

/// Frees objects that are in no table any more.
pub(super) fn free_all(gone: impl IntoIterator<Item = Obj>) {
    for o in gone {
        // SAFETY: callers have taken them out of the table.
        unsafe { o.free() };
    }
}

/// Copies of objects, the last one first.
pub fn copy_all(all: &mut dyn Iterator<Item = Obj>, heap: &mut Heap) -> Term {
    let mut list = Term::NIL;
    for o in all {
        let t = o.copy(heap);
        list = heap.cons(t, list);
    }
    list
}
