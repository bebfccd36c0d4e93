//! Storage of sets and bags: a hash index over a dense array of keys.
//!
//! An entry of the array holds a key and the chain of its objects, newest first. Entries do not move
//! while they live, so a place in the array is a stable position for traversals, which go from the last
//! entry to the first: what is inserted during a traversal mostly lands behind it, and a traversal that
//! inserts at every step still ends. Places of deleted keys are reused; while a table is fixed they are
//! kept, with their last object, so that `next` on a deleted key goes on where the key was.

use super::Kind;
use super::object::Obj;
use crate::data::compare;
use crate::term::Term;
use hashbrown::HashTable;

/// A place in the index: part of the key's hash, and where its entry is.
#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    at: u32,
}

impl Slot {
    fn spread(hash: u32) -> u64 {
        u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// One key and its objects. Without objects the place is free; a dead entry keeps its last object.
#[derive(Clone, Copy)]
struct Entry {
    key: Term,
    head: Obj,
    dead: bool,
}

/// A part of a table's storage, under one lock.
pub struct Shard {
    keypos: usize,
    index: HashTable<Slot>,
    entries: Vec<Entry>,
    /// Free places; may hold places that are gone or taken by now.
    free: Vec<u32>,
    /// Dead entries.
    dead: Vec<u32>,
}

// SAFETY: a shard owns its objects, whose memory is plain.
unsafe impl Send for Shard {}
// SAFETY: reading does not change anything.
unsafe impl Sync for Shard {}

/// What an operation changed.
#[derive(Clone, Copy, Default, Debug)]
pub struct Change {
    /// Objects more.
    pub objects: isize,
    /// Words more.
    pub words: isize,
}

impl Change {
    /// Counts an object that was added.
    pub fn added(&mut self, o: Obj) {
        self.objects += 1;
        self.words += o.words() as isize;
    }

    /// Counts an object that was taken away.
    pub fn removed(&mut self, o: Obj) {
        self.objects -= 1;
        self.words -= o.words() as isize;
    }
}

/// What is to become of an object that was looked at.
pub enum Fate {
    /// It stays.
    Keep,
    /// It goes.
    Delete,
    /// Another with the same key takes its place.
    Replace(Obj),
}

impl Shard {
    /// An empty one; element `keypos` of its objects is the key.
    pub fn new(keypos: usize) -> Shard {
        Shard {
            keypos,
            index: HashTable::new(),
            entries: Vec::new(),
            free: Vec::new(),
            dead: Vec::new(),
        }
    }

    /// Words of memory, objects not counted.
    pub fn words(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() / 8
            + self.index.capacity()
            + self.free.capacity() / 2
    }

    /// Number of places.
    pub fn places(&self) -> usize {
        self.entries.len()
    }

    #[inline(always)]
    fn find(&self, key: Term, hash: u32) -> Option<usize> {
        let eq = |s: &Slot| {
            s.hash == hash && {
                let k = self.entries[s.at as usize].key;
                k == key || (!key.is_immediate() || key.is_flonum()) && compare::exact_eq(k, key)
            }
        };
        self.index
            .find(Slot::spread(hash), eq)
            .map(|s| s.at as usize)
    }

    /// The objects of a key, newest first; `Obj::NONE` if there is none.
    #[inline(always)]
    pub fn get(&self, key: Term, hash: u32) -> Obj {
        match self.find(key, hash) {
            Some(at) if !self.entries[at].dead => self.entries[at].head,
            _ => Obj::NONE,
        }
    }

    /// The place of a key, deleted during a fixation or not.
    pub fn place(&self, key: Term, hash: u32) -> Option<usize> {
        self.find(key, hash)
    }

    /// The objects at a place.
    #[inline]
    pub fn at(&self, place: usize) -> Obj {
        match self.entries.get(place) {
            Some(e) if !e.dead => e.head,
            _ => Obj::NONE,
        }
    }

    /// The last place before `end` that has objects.
    #[inline]
    pub fn before(&self, end: usize) -> Option<usize> {
        self.entries[..end.min(self.entries.len())]
            .iter()
            .rposition(|e| e.head.is_some() && !e.dead)
    }

    fn add(&mut self, key: Term, hash: u32, head: Obj) {
        let entry = Entry {
            key,
            head,
            dead: false,
        };
        let at = loop {
            match self.free.pop() {
                None => {
                    self.entries.push(entry);
                    break self.entries.len() - 1;
                }
                Some(at) => {
                    if let Some(e) = self.entries.get_mut(at as usize)
                        && !e.head.is_some()
                    {
                        *e = entry;
                        break at as usize;
                    }
                }
            }
        };
        let slot = Slot {
            hash,
            at: at as u32,
        };
        self.index
            .insert_unique(Slot::spread(hash), slot, |s| Slot::spread(s.hash));
    }

    /// Puts a tuple into the table; its key is `key`.
    pub fn insert(&mut self, kind: Kind, tuple: Term, key: Term, hash: u32, c: &mut Change) {
        let Some(at) = self.find(key, hash) else {
            let o = Obj::new(tuple);
            c.added(o);
            self.add(o.element(self.keypos), hash, o);
            return;
        };
        if self.entries[at].dead {
            self.revive(at, Obj::new(tuple), c);
            return;
        }
        let head = self.entries[at].head;
        match kind {
            Kind::Set => {
                if !head.overwrite(tuple) {
                    let o = Obj::new(tuple);
                    c.removed(head);
                    c.added(o);
                    self.entries[at].key = o.element(self.keypos);
                    self.entries[at].head = o;
                    // SAFETY: the entry no longer refers to it, and the lock is held for writing.
                    unsafe { head.free() };
                }
            }
            Kind::Bag => {
                // An equal object stays where it is.
                if !head.chain().any(|o| compare::exact_eq(o.root(), tuple)) {
                    self.push(at, Obj::new(tuple), c);
                }
            }
            Kind::DuplicateBag | Kind::OrderedSet => self.push(at, Obj::new(tuple), c),
        }
    }

    fn push(&mut self, at: usize, o: Obj, c: &mut Change) {
        c.added(o);
        o.set_next(self.entries[at].head);
        self.entries[at].head = o;
    }

    fn revive(&mut self, at: usize, o: Obj, c: &mut Change) {
        let key = o.element(self.keypos);
        let e = &mut self.entries[at];
        // SAFETY: a dead entry's object is seen by nobody else; the key is replaced with it.
        unsafe { e.head.free() };
        *e = Entry {
            key,
            head: o,
            dead: false,
        };
        c.added(o);
        self.dead.retain(|&d| d as usize != at);
    }

    /// Replaces the object of a key in a set.
    pub fn replace(&mut self, key: Term, hash: u32, o: Obj, c: &mut Change) {
        if let Some(at) = self.find(key, hash) {
            let fresh = o.element(self.keypos);
            let e = &mut self.entries[at];
            let old = std::mem::replace(&mut e.head, o);
            e.key = fresh;
            c.removed(old);
            c.added(o);
            // SAFETY: the entry no longer refers to it, and the lock is held for writing.
            unsafe { old.free() };
        }
    }

    /// Deletes all objects at a place, of which there is one at least.
    fn clear_place(&mut self, at: usize, hash: u32, fixed: bool, c: &mut Change) {
        let head = self.entries[at].head;
        for o in head.chain() {
            c.removed(o);
        }
        let first = if fixed {
            // The head stays, for its key.
            let rest = head.next();
            head.set_next(Obj::NONE);
            self.entries[at].dead = true;
            self.entries[at].key = head.element(self.keypos);
            self.dead.push(at as u32);
            rest
        } else {
            self.unlink(at, hash);
            head
        };
        free_chain(first);
    }

    /// Takes an entry out of index and array.
    fn unlink(&mut self, at: usize, hash: u32) {
        if let Ok(slot) = self
            .index
            .find_entry(Slot::spread(hash), |s| s.at as usize == at)
        {
            slot.remove();
        }
        self.entries[at] = Entry {
            key: Term::NIL,
            head: Obj::NONE,
            dead: false,
        };
        if at + 1 == self.entries.len() {
            while self.entries.last().is_some_and(|e| !e.head.is_some()) {
                self.entries.pop();
            }
            if self.entries.is_empty() {
                self.free.clear();
            }
        } else {
            self.free.push(at as u32);
        }
    }

    /// Deletes all objects of a key.
    pub fn delete(&mut self, key: Term, hash: u32, fixed: bool, c: &mut Change) -> bool {
        match self.find(key, hash) {
            Some(at) if !self.entries[at].dead => {
                self.clear_place(at, hash, fixed, c);
                if !fixed {
                    self.shrink(|k| super::hash_of(k).1);
                }
                true
            }
            _ => false,
        }
    }

    /// Looks at the objects at a place, newest first, and does with each what `f` says.
    pub fn edit(&mut self, at: usize, fixed: bool, c: &mut Change, f: &mut dyn FnMut(Obj) -> Fate) {
        let Some(e) = self
            .entries
            .get(at)
            .copied()
            .filter(|e| e.head.is_some() && !e.dead)
        else {
            return;
        };
        let mut kept: Vec<Obj> = Vec::new();
        let mut gone: Vec<Obj> = Vec::new();
        let mut change = Change::default();
        for o in e.head.chain() {
            match f(o) {
                Fate::Keep => kept.push(o),
                Fate::Delete => {
                    change.removed(o);
                    gone.push(o);
                }
                Fate::Replace(new) => {
                    change.added(new);
                    change.removed(o);
                    kept.push(new);
                    gone.push(o);
                }
            }
        }
        if gone.is_empty() {
            return;
        }
        let Some(&head) = kept.first() else {
            let hash = super::hash_of(e.key).1;
            self.clear_place(at, hash, fixed, c);
            return;
        };
        c.objects += change.objects;
        c.words += change.words;
        for (i, o) in kept.iter().enumerate() {
            o.set_next(kept.get(i + 1).copied().unwrap_or(Obj::NONE));
        }
        self.entries[at].head = head;
        self.entries[at].key = head.element(self.keypos);
        for o in gone {
            // SAFETY: no longer linked, and the lock is held for writing.
            unsafe { o.free() };
        }
    }

    /// Frees what fixation kept.
    pub fn unfix(&mut self) {
        for at in std::mem::take(&mut self.dead) {
            let at = at as usize;
            if let Some(e) = self.entries.get(at).copied()
                && e.dead
            {
                let hash = super::hash_of(e.key).1;
                self.unlink(at, hash);
                free_chain(e.head);
            }
        }
        self.shrink(|k| super::hash_of(k).1);
    }

    /// Packs the entries when most places are free. Only while the table is not fixed.
    pub fn shrink(&mut self, hash: impl Fn(Term) -> u32) {
        let live = self.index.len();
        if self.entries.len() < 1024 || live > self.entries.len() / 8 {
            return;
        }
        self.entries.retain(|e| e.head.is_some());
        self.entries.shrink_to_fit();
        self.free = Vec::new();
        self.index.clear();
        self.index.shrink_to(live, |s| Slot::spread(s.hash));
        for (at, e) in self.entries.iter().enumerate() {
            let slot = Slot {
                hash: hash(e.key),
                at: at as u32,
            };
            self.index
                .insert_unique(Slot::spread(slot.hash), slot, |s| Slot::spread(s.hash));
        }
    }

    /// Deletes everything; with `fixed`, keys stay behind as dead entries.
    pub fn clear(&mut self, fixed: bool) {
        if fixed {
            let mut c = Change::default();
            for at in 0..self.entries.len() {
                if self.entries[at].head.is_some() && !self.entries[at].dead {
                    self.clear_place(at, super::hash_of(self.entries[at].key).1, true, &mut c);
                }
            }
        } else {
            *self = Shard::new(self.keypos);
        }
    }
}

fn free_chain(mut o: Obj) {
    while o.is_some() {
        let next = o.next();
        // SAFETY: callers have unlinked the chain.
        unsafe { o.free() };
        o = next;
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        for e in &self.entries {
            free_chain(e.head);
        }
    }
}
