//! Tables of terms that processes share.
//!
//! A table is found by its number (through the reference that `ets:new` gave, which holds it) or by its
//! name. Sets and bags are split into shards with a lock each if the table is made for concurrent
//! writing; ordered sets have one lock. Objects are blocks of their own (`object`); a lookup copies one to
//! the heap of the process while it holds the lock for reading.

pub mod hash;
pub mod object;
pub mod owners;
pub mod registry;
pub mod tree;

use crate::atom::Atom;
use crate::data::compare;
use crate::heap::Heap;
use crate::heap::literal::OwnedTerm;
use crate::term::Term;
use hash::{Change, Fate, Shard};
use object::Obj;
use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
use tree::Tree;

/// Number of shards of a table for concurrent writing.
const SHARDS: usize = 64;
/// Least number of slots of a set or bag.
const MIN_SLOTS: usize = 256;
/// Freeing more objects than this at once is left to a thread of its own.
const MANY: usize = 200_000;

/// The type of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// One object a key.
    Set,
    /// One object a key, in the order of keys; keys that are `==` are one.
    OrderedSet,
    /// Objects may share a key but no two are equal.
    Bag,
    /// Objects may be equal.
    DuplicateBag,
}

impl Kind {
    /// The atom.
    pub fn atom(self) -> Atom {
        match self {
            Kind::Set => Atom::SET,
            Kind::OrderedSet => Atom::ORDERED_SET,
            Kind::Bag => Atom::BAG,
            Kind::DuplicateBag => Atom::DUPLICATE_BAG,
        }
    }
}

/// Who may use a table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Protection {
    /// Only the owner.
    Private,
    /// Everybody may read.
    Protected,
    /// Everybody may read and write.
    Public,
}

impl Protection {
    /// The atom.
    pub fn atom(self) -> Atom {
        match self {
            Protection::Private => Atom::PRIVATE,
            Protection::Protected => Atom::PROTECTED,
            Protection::Public => Atom::PUBLIC,
        }
    }

    fn from_number(n: u8) -> Protection {
        match n {
            0 => Protection::Private,
            1 => Protection::Protected,
            _ => Protection::Public,
        }
    }
}

/// Packed pid of the process that gets a table, and the term for the message that it then gets.
pub type Heir = (u64, Option<OwnedTerm>);

/// What a table is made with.
pub struct Options {
    /// Its name.
    pub name: Atom,
    /// Is it known by the name?
    pub named: bool,
    /// Its type.
    pub kind: Kind,
    /// Which element is the key, counted from 1.
    pub keypos: usize,
    /// Who may use it.
    pub protection: Protection,
    /// Who gets it when the owner exits.
    pub heir: Option<Heir>,
    /// As given.
    pub compressed: bool,
    /// As given.
    pub read_concurrency: bool,
    /// `true`, `false` or `auto`.
    pub write_concurrency: Atom,
    /// As given or implied.
    pub decentralized_counters: bool,
}

enum Store {
    Hash(Box<[RwLock<Shard>]>),
    Tree(RwLock<Tree>),
}

/// Who holds a table fixed, and since when.
#[derive(Default)]
pub struct Fixation {
    /// Processes and how often each has fixed the table.
    pub by: Vec<(u64, usize)>,
    /// Monotonic and system time of the first fixation, in native units.
    pub since: (i64, i64),
}

/// A table.
pub struct Table {
    /// Number of its reference.
    pub number: u64,
    name: AtomU32,
    /// Is it known by its name?
    pub named: bool,
    /// Its type.
    pub kind: Kind,
    /// Which element is the key, counted from 1.
    pub keypos: usize,
    /// As given when it was made.
    pub compressed: bool,
    /// As given when it was made.
    pub read_concurrency: bool,
    /// `true`, `false` or `auto`.
    pub write_concurrency: Atom,
    /// As given when it was made, or implied.
    pub decentralized_counters: bool,
    protection: AtomicU8,
    owner: AtomicU64,
    /// Who gets it when the owner exits.
    pub heir: Mutex<Option<Heir>>,
    deleted: AtomicBool,
    objects: AtomicI64,
    words: AtomicI64,
    fixed: AtomicUsize,
    /// Who holds it fixed.
    pub fixation: Mutex<Fixation>,
    store: Store,
}

/// An atom that can change.
struct AtomU32(AtomicU32);

/// Hash of a key: the shard's number is taken from the first, the index in the shard uses the second.
#[inline(always)]
pub(crate) fn hash_of(key: Term) -> (usize, u32) {
    let h = crate::data::hash::internal(key);
    (h as usize, (h >> 32) as u32)
}

/// Where a traversal stands.
#[derive(Clone, Copy, Debug)]
pub enum Cursor {
    /// Before a place of a shard.
    Hash(usize, usize),
    /// After (or, in reverse, before) this key; at the start without one.
    Tree(Option<Term>),
}

/// Whether a traversal goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Go {
    /// To the next key.
    On,
    /// Stop after this key.
    Stop,
}

/// Where a traversal of an ordered set begins and how far it may go: `below(key)` holds for keys before
/// the range, `above(key)` for keys after it.
pub struct Range<'a> {
    /// Keys before the range.
    pub below: &'a dyn Fn(Term) -> bool,
    /// Keys after the range.
    pub above: &'a dyn Fn(Term) -> bool,
}

impl Table {
    fn new(number: u64, owner: u64, o: Options) -> Table {
        let store = match o.kind {
            Kind::OrderedSet => Store::Tree(RwLock::new(Tree::new(o.keypos))),
            _ => {
                let shared =
                    o.write_concurrency != Atom::FALSE && o.protection != Protection::Private;
                let n = if shared { SHARDS } else { 1 };
                Store::Hash((0..n).map(|_| RwLock::new(Shard::new(o.keypos))).collect())
            }
        };
        Table {
            number,
            name: AtomU32(AtomicU32::new(o.name.index())),
            named: o.named,
            kind: o.kind,
            keypos: o.keypos,
            compressed: o.compressed,
            read_concurrency: o.read_concurrency,
            write_concurrency: o.write_concurrency,
            decentralized_counters: o.decentralized_counters,
            protection: AtomicU8::new(o.protection as u8),
            owner: AtomicU64::new(owner),
            heir: Mutex::new(o.heir),
            deleted: AtomicBool::new(false),
            objects: AtomicI64::new(0),
            words: AtomicI64::new(0),
            fixed: AtomicUsize::new(0),
            fixation: Mutex::default(),
            store,
        }
    }

    /// Its name.
    pub fn name(&self) -> Atom {
        Atom::from_index(self.name.0.load(Ordering::Relaxed))
    }

    pub(crate) fn set_name(&self, name: Atom) {
        self.name.0.store(name.index(), Ordering::Relaxed);
    }

    /// Packed pid of its owner.
    #[inline]
    pub fn owner(&self) -> u64 {
        self.owner.load(Ordering::Relaxed)
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
            Store::Hash(shards) => shards.iter().map(|s| s.read().words()).sum(),
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

    fn note(&self, c: Change) {
        if c.objects != 0 {
            self.objects.fetch_add(c.objects as i64, Ordering::Relaxed);
        }
        if c.words != 0 {
            self.words.fetch_add(c.words as i64, Ordering::Relaxed);
        }
    }

    /// Calls `f` with the chain of objects of a key (newest first, `Obj::NONE` if there is none), which
    /// stays while `f` runs.
    #[inline(always)]
    pub fn with_objects<R>(&self, key: Term, f: impl FnOnce(Obj) -> R) -> R {
        match &self.store {
            Store::Hash(shards) => {
                let (h, hash) = hash_of(key);
                let shard = shards[h & (shards.len() - 1)].read();
                f(shard.get(key, hash))
            }
            Store::Tree(t) => {
                let t = t.read();
                f(t.find(key).map_or(Obj::NONE, |p| t.at(p)))
            }
        }
    }

    /// The objects of a key, oldest first.
    #[inline]
    pub fn lookup(&self, key: Term, heap: &mut Heap) -> Term {
        self.with_objects(key, |o| copy_chain(o, heap))
    }

    /// Puts an object in; it has been checked with `key_of`, which gave `key`.
    #[inline]
    pub fn insert(&self, object: Term, key: Term) {
        let mut c = Change::default();
        match &self.store {
            Store::Hash(shards) => {
                let (h, hash) = hash_of(key);
                shards[h & (shards.len() - 1)]
                    .write()
                    .insert(self.kind, object, key, hash, &mut c);
            }
            Store::Tree(t) => t.write().insert(object, key, &mut c),
        }
        self.note(c);
    }

    /// Puts several objects in, at once; with `only_new` nothing happens if one of the keys is there.
    pub fn insert_all(&self, objects: &[(Term, Term)], only_new: bool) -> bool {
        let mut c = Change::default();
        match &self.store {
            Store::Hash(shards) => {
                let mask = shards.len() - 1;
                let hashed: Vec<(usize, u32)> = objects.iter().map(|o| hash_of(o.1)).collect();
                let mut guards = lock_shards(shards, hashed.iter().map(|h| h.0 & mask));
                if only_new {
                    for (o, &(h, hash)) in objects.iter().zip(&hashed) {
                        if shard_in(&mut guards, h & mask)
                            .is_some_and(|s| s.get(o.1, hash).is_some())
                        {
                            return false;
                        }
                    }
                }
                for (o, &(h, hash)) in objects.iter().zip(&hashed) {
                    if let Some(s) = shard_in(&mut guards, h & mask) {
                        s.insert(self.kind, o.0, o.1, hash, &mut c);
                    }
                }
            }
            Store::Tree(t) => {
                let mut t = t.write();
                if only_new && objects.iter().any(|o| t.find(o.1).is_some()) {
                    return false;
                }
                for o in objects {
                    t.insert(o.0, o.1, &mut c);
                }
            }
        }
        self.note(c);
        true
    }

    /// Deletes all objects of a key; `false` if there was none.
    #[inline]
    pub fn delete(&self, key: Term) -> bool {
        let mut c = Change::default();
        let found = match &self.store {
            Store::Hash(shards) => {
                let (h, hash) = hash_of(key);
                let mut shard = shards[h & (shards.len() - 1)].write();
                shard.delete(key, hash, self.is_fixed(), &mut c)
            }
            Store::Tree(t) => {
                let mut t = t.write();
                match t.find(key) {
                    Some(p) => {
                        let o = t.remove(p, &mut c);
                        // SAFETY: taken out, and the lock is held for writing.
                        unsafe { o.free() };
                        true
                    }
                    None => false,
                }
            }
        };
        self.note(c);
        found
    }

    /// Deletes all objects of a key and gives copies of them, oldest first.
    pub fn take(&self, key: Term, heap: &mut Heap) -> Term {
        let mut taken = Term::NIL;
        self.edit_key(key, &mut |o| {
            let t = o.copy(heap);
            taken = heap.cons(t, taken);
            Fate::Delete
        });
        taken
    }

    /// Does with each object of a key (newest first) what `f` says.
    pub fn edit_key(&self, key: Term, f: &mut dyn FnMut(Obj) -> Fate) {
        let mut c = Change::default();
        match &self.store {
            Store::Hash(shards) => {
                let (h, hash) = hash_of(key);
                let mut shard = shards[h & (shards.len() - 1)].write();
                if let Some(at) = shard.place(key, hash) {
                    shard.edit(at, self.is_fixed(), &mut c, f);
                }
            }
            Store::Tree(t) => {
                let mut t = t.write();
                if let Some(p) = t.find(key) {
                    match f(t.at(p)) {
                        Fate::Keep => {}
                        Fate::Delete => {
                            let o = t.remove(p, &mut c);
                            // SAFETY: taken out, and the lock is held for writing.
                            unsafe { o.free() };
                        }
                        Fate::Replace(o) => t.replace(p, o, &mut c),
                    }
                }
            }
        }
        self.note(c);
    }

    /// Deletes the objects that are the same as `object`.
    pub fn delete_object(&self, object: Term, key: Term) {
        self.edit_key(key, &mut |o| {
            if compare::exact_eq(o.root(), object) {
                Fate::Delete
            } else {
                Fate::Keep
            }
        });
    }

    /// Changes the object of a key in a set. `default` is put in first if there is none. `f` gets the
    /// object and the heap-independent means to change it; see `Editor`. `None` if there is no object.
    pub fn update<R>(
        &self,
        key: Term,
        default: Option<Term>,
        f: impl FnOnce(&mut Editor) -> Option<R>,
    ) -> Option<Option<R>> {
        let mut c = Change::default();
        let r = match &self.store {
            Store::Hash(shards) => {
                let (h, hash) = hash_of(key);
                let mut shard = shards[h & (shards.len() - 1)].write();
                let old = shard.get(key, hash);
                if old.is_some() {
                    let mut e = Editor::new(old);
                    let r = f(&mut e);
                    if let Some(o) = e.finish(r.is_some()) {
                        shard.replace(key, hash, o, &mut c);
                    }
                    Some(r)
                } else {
                    default.map(|d| fresh(d, f, |t| shard.insert(self.kind, t, key, hash, &mut c)))
                }
            }
            Store::Tree(t) => {
                let mut t = t.write();
                match t.find(key) {
                    Some(p) => {
                        let mut e = Editor::new(t.at(p));
                        let r = f(&mut e);
                        if let Some(o) = e.finish(r.is_some()) {
                            t.replace(p, o, &mut c);
                        }
                        Some(r)
                    }
                    None => default.map(|d| fresh(d, f, |o| t.insert(o, key, &mut c))),
                }
            }
        };
        self.note(c);
        r
    }

    /// Deletes everything; gives how many objects there were.
    pub fn clear(&self) -> usize {
        let n = self.len();
        match &self.store {
            Store::Hash(shards) => {
                let mut guards: Vec<_> = shards.iter().map(|s| s.write()).collect();
                let fixed = self.is_fixed();
                self.objects.store(0, Ordering::Relaxed);
                self.words.store(0, Ordering::Relaxed);
                if fixed {
                    guards.iter_mut().for_each(|g| g.clear(true));
                } else {
                    let old: Vec<Shard> = guards
                        .iter_mut()
                        .map(|g| std::mem::replace(&mut **g, Shard::new(self.keypos)))
                        .collect();
                    drop(guards);
                    drop_aside(old, n);
                }
            }
            Store::Tree(t) => {
                let mut t = t.write();
                self.objects.store(0, Ordering::Relaxed);
                self.words.store(0, Ordering::Relaxed);
                let old = std::mem::replace(&mut *t, Tree::new(self.keypos));
                drop(t);
                drop_aside(old, n);
            }
        }
        n
    }

    /// Marks it deleted and frees its objects; `false` if that has been done before.
    pub(crate) fn destroy(&self) -> bool {
        if self.deleted.swap(true, Ordering::AcqRel) {
            return false;
        }
        self.fixed.store(0, Ordering::Relaxed);
        self.clear();
        true
    }

    /// The first position of a traversal.
    pub fn start(&self) -> Cursor {
        match &self.store {
            Store::Hash(_) => Cursor::Hash(0, usize::MAX),
            Store::Tree(_) => Cursor::Tree(None),
        }
    }

    /// Calls `f` with the chain of objects of each key from `from` on, until it says stop. Gives where
    /// to go on; nothing at the end. `reverse` counts for ordered sets only. In an ordered set the new
    /// position's key lies in the table: it must be copied before anything changes the table, which is
    /// what `keep` is for.
    pub fn scan(
        &self,
        from: Cursor,
        reverse: bool,
        range: Option<&Range<'_>>,
        keep: &mut dyn FnMut(Term) -> Term,
        f: &mut dyn FnMut(Obj) -> Go,
    ) -> Option<Cursor> {
        match (&self.store, from) {
            (Store::Hash(shards), Cursor::Hash(first, end)) => {
                let mut end = end;
                for (i, s) in shards.iter().enumerate().skip(first) {
                    let s = s.read();
                    while let Some(at) = s.before(end) {
                        end = at;
                        if f(s.at(at)) == Go::Stop {
                            return Some(Cursor::Hash(i, at));
                        }
                    }
                    end = usize::MAX;
                }
                None
            }
            (Store::Tree(t), Cursor::Tree(after)) => {
                let t = t.read();
                let mut place = tree_start(&t, after, reverse, range);
                loop {
                    let p = if reverse { t.before(place)? } else { place };
                    let o = t.at(p);
                    if !o.is_some() {
                        return None;
                    }
                    let key = o.element(self.keypos);
                    if range.is_some_and(|r| {
                        if reverse {
                            (r.below)(key)
                        } else {
                            (r.above)(key)
                        }
                    }) {
                        return None;
                    }
                    if f(o) == Go::Stop {
                        return Some(Cursor::Tree(Some(keep(key))));
                    }
                    place = if reverse { p } else { t.after(p) };
                }
            }
            _ => None,
        }
    }

    /// Does with every object what `f` says.
    pub fn edit_all(&self, range: Option<&Range<'_>>, f: &mut dyn FnMut(Obj) -> Fate) {
        match &self.store {
            Store::Hash(shards) => {
                for s in shards {
                    let mut c = Change::default();
                    let mut s = s.write();
                    let mut end = usize::MAX;
                    while let Some(at) = s.before(end) {
                        end = at;
                        s.edit(at, self.is_fixed(), &mut c, f);
                    }
                    if !self.is_fixed() {
                        s.shrink(|k| hash_of(k).1);
                    }
                    self.note(c);
                }
            }
            Store::Tree(t) => {
                let mut c = Change::default();
                let mut t = t.write();
                let mut place = tree_start(&t, None, false, range);
                loop {
                    let o = t.at(place);
                    if !o.is_some() || range.is_some_and(|r| (r.above)(o.element(self.keypos))) {
                        break;
                    }
                    match f(o) {
                        Fate::Keep => place = t.after(place),
                        Fate::Replace(new) => {
                            t.replace(place, new, &mut c);
                            place = t.after(place);
                        }
                        Fate::Delete => {
                            // The keys of an ordered set are unique, so the place of the next is found by it.
                            let next = t.at(t.after(place));
                            let gone = t.remove(place, &mut c);
                            // SAFETY: taken out, and the lock is held for writing.
                            unsafe { gone.free() };
                            if !next.is_some() {
                                break;
                            }
                            place = t.lower(next.element(self.keypos));
                        }
                    }
                }
                self.note(c);
            }
        }
    }

    /// Calls `f` with the objects of the first key (or, in an ordered set with `last`, of the last).
    pub fn with_first<R>(&self, last: bool, f: impl FnOnce(Obj) -> R) -> R {
        match &self.store {
            Store::Hash(shards) => {
                for s in shards {
                    let s = s.read();
                    if let Some(at) = s.before(usize::MAX) {
                        return f(s.at(at));
                    }
                }
                f(Obj::NONE)
            }
            Store::Tree(t) => {
                let t = t.read();
                let p = if last {
                    t.before(t.end())
                } else {
                    Some(t.first())
                };
                f(p.map_or(Obj::NONE, |p| t.at(p)))
            }
        }
    }

    /// Calls `f` with the objects of the key after `key` (before it, in an ordered set with `back`).
    /// `None` if the key is not there where it has to be.
    pub fn with_next<R>(&self, key: Term, back: bool, f: impl FnOnce(Obj) -> R) -> Option<R> {
        match &self.store {
            Store::Hash(shards) => {
                let (h, hash) = hash_of(key);
                let first = h & (shards.len() - 1);
                let s = shards[first].read();
                let at = s.place(key, hash)?;
                if let Some(at) = s.before(at) {
                    return Some(f(s.at(at)));
                }
                drop(s);
                for s in &shards[first + 1..] {
                    let s = s.read();
                    if let Some(at) = s.before(usize::MAX) {
                        return Some(f(s.at(at)));
                    }
                }
                Some(f(Obj::NONE))
            }
            Store::Tree(t) => {
                let t = t.read();
                let p = if back {
                    t.before(t.lower(key))
                } else {
                    Some(t.upper(key))
                };
                Some(f(p.map_or(Obj::NONE, |p| t.at(p))))
            }
        }
    }

    /// The objects in slot `n`; `Some(None)` where `n` is the number of slots, nothing beyond.
    pub fn slot(&self, n: usize, heap: &mut Heap) -> Option<Option<Term>> {
        match &self.store {
            Store::Hash(shards) => {
                let mut left = n;
                for s in shards {
                    let s = s.read();
                    if left < s.places() {
                        return Some(Some(copy_chain(s.at(left), heap)));
                    }
                    left -= s.places();
                }
                // A small table has the slots that it could fill without growing.
                match n.cmp(&MIN_SLOTS.max(n - left)) {
                    std::cmp::Ordering::Less => Some(Some(Term::NIL)),
                    std::cmp::Ordering::Equal => Some(None),
                    std::cmp::Ordering::Greater => None,
                }
            }
            Store::Tree(t) => {
                let t = t.read();
                let o = t.nth(n);
                if o.is_some() {
                    return Some(Some(copy_chain(o, heap)));
                }
                (n == t.len()).then_some(None)
            }
        }
    }

    /// Counts a fixation by a process; `true` if it is its first one.
    pub(crate) fn fix(&self, pid: u64) -> bool {
        let mut f = self.fixation.lock();
        if f.by.is_empty() {
            f.since = (crate::time::monotonic(), crate::time::system());
        }
        self.fixed.fetch_add(1, Ordering::Relaxed);
        match f.by.iter_mut().find(|b| b.0 == pid) {
            Some(b) => {
                b.1 += 1;
                false
            }
            None => {
                f.by.push((pid, 1));
                true
            }
        }
    }

    /// Takes back a fixation (or all, if the process is gone); `true` if the process has none left.
    pub(crate) fn unfix(&self, pid: u64, all: bool) -> bool {
        let mut f = self.fixation.lock();
        let Some(i) = f.by.iter().position(|b| b.0 == pid) else {
            return false;
        };
        let n = if all { f.by[i].1 } else { 1 };
        f.by[i].1 -= n;
        let none_left = f.by[i].1 == 0;
        if none_left {
            f.by.remove(i);
        }
        if self.is_deleted() {
            return none_left;
        }
        let before = self.fixed.fetch_sub(n, Ordering::Relaxed);
        drop(f);
        if before == n
            && let Store::Hash(shards) = &self.store
        {
            for s in shards {
                let mut s = s.write();
                if !self.is_fixed() {
                    s.unfix();
                }
            }
        }
        none_left
    }

    /// Number of shards, places and objects, for `ets:info(Table, stats)`.
    pub fn places(&self) -> usize {
        match &self.store {
            Store::Hash(shards) => shards.iter().map(|s| s.read().places()).sum(),
            Store::Tree(t) => t.read().len(),
        }
    }
}

fn tree_start(
    t: &Tree,
    after: Option<Term>,
    reverse: bool,
    range: Option<&Range<'_>>,
) -> tree::Place {
    match (after, reverse, range) {
        (Some(k), false, _) => t.upper(k),
        (Some(k), true, _) => t.lower(k),
        (None, false, Some(r)) => t.locate(|k| (r.below)(k)),
        (None, true, Some(r)) => t.locate(|k| !(r.above)(k)),
        (None, false, None) => t.first(),
        (None, true, None) => t.end(),
    }
}

/// Copies of a chain of objects, oldest first.
#[inline]
pub fn copy_chain(o: Obj, heap: &mut Heap) -> Term {
    if !o.is_some() {
        return Term::NIL;
    }
    let mut list = Term::NIL;
    let mut next = o;
    while next.is_some() {
        let t = next.copy(heap);
        list = heap.cons(t, list);
        next = next.next();
    }
    list
}

fn shard_in<'a>(
    guards: &'a mut [(usize, RwLockWriteGuard<'_, Shard>)],
    i: usize,
) -> Option<&'a mut Shard> {
    guards.iter_mut().find(|g| g.0 == i).map(|g| &mut *g.1)
}

fn lock_shards(
    shards: &[RwLock<Shard>],
    wanted: impl Iterator<Item = usize>,
) -> Vec<(usize, RwLockWriteGuard<'_, Shard>)> {
    let mut numbers: Vec<usize> = wanted.collect();
    numbers.sort_unstable();
    numbers.dedup();
    // In ascending order everywhere, so that two processes never wait for each other.
    numbers
        .into_iter()
        .map(|i| (i, shards[i].write()))
        .collect()
}

fn drop_aside<T: Send + 'static>(old: T, objects: usize) {
    if objects > MANY {
        let _ = std::thread::Builder::new()
            .name("table reaper".into())
            .spawn(move || drop(old));
    }
}

/// Changes elements of an object. Changes are made when all of them are known to be right.
pub struct Editor {
    object: Obj,
    /// The first change, so that the usual case takes no memory.
    first: Option<(usize, Term)>,
    more: Vec<(usize, Term)>,
}

impl Editor {
    /// Number of elements.
    pub fn arity(&self) -> usize {
        self.object.arity()
    }

    /// Element `pos` as it is after the changes so far.
    pub fn element(&self, pos: usize) -> Term {
        match self.changes().rfind(|c| c.0 == pos) {
            Some(c) => c.1,
            None => self.object.element(pos),
        }
    }

    /// Changes element `pos`.
    pub fn set(&mut self, pos: usize, value: Term) {
        if self.first.is_none() {
            self.first = Some((pos, value));
        } else {
            self.more.push((pos, value));
        }
    }

    fn new(object: Obj) -> Editor {
        Editor {
            object,
            first: None,
            more: Vec::new(),
        }
    }

    fn changes(&self) -> impl DoubleEndedIterator<Item = (usize, Term)> + '_ {
        self.first.into_iter().chain(self.more.iter().copied())
    }

    /// Makes the changes, in place if possible; gives the object that has to take the old one's place
    /// otherwise.
    fn finish(self, valid: bool) -> Option<Obj> {
        let (pos, value) = self.first.filter(|_| valid)?;
        if self.more.is_empty() && self.object.set_immediate(pos, value) {
            return None;
        }
        let mut h = Heap::new();
        let mut elements: Vec<Term> = (1..=self.object.arity())
            .map(|i| self.object.element(i))
            .collect();
        for (pos, value) in self.changes() {
            elements[pos - 1] = value;
        }
        Some(Obj::new(h.tuple(&elements)))
    }
}

/// An update of a default object that is put in if the update is right.
fn fresh<R>(
    default: Term,
    f: impl FnOnce(&mut Editor) -> Option<R>,
    insert: impl FnOnce(Term),
) -> Option<R> {
    let o = Obj::new(default);
    let mut e = Editor::new(o);
    let r = f(&mut e);
    let valid = r.is_some();
    let changed = e.finish(valid);
    if valid {
        insert(changed.unwrap_or(o).root());
    }
    for o in [Some(o), changed].into_iter().flatten() {
        // SAFETY: made here and copied by `insert`.
        unsafe { o.free() };
    }
    r
}
