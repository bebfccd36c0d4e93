//! Storage of sets and bags under one lock: buckets of linear hashing.
//!
//! The order in which a table is traversed is that of its buckets and, in a bucket, of its chain, and programs see it.
//! So buckets are split and joined as on BEAM. A key that is new goes to the end of its bucket's chain; further objects
//! of a key that is there go in front of those. What has the same key is therefore always together, newest first.
//!
//! Of a table with several locks a stripe has every n-th bucket, where n is the number of locks: it is a smaller table of
//! the same kind that looks at the bits of the hash above those that choose the stripe.
//!
//! While a table is fixed a key's last object that is deleted stays, as dead, so that `next` finds its place; what is
//! dead is taken away when the fixation ends.

use super::{Change, Fate, TableKind};
use crate::data::{compare, hash};
use crate::heap::object::Obj;
use crate::term::Term;
use hashbrown::HashTable;

/// Buckets of a new table.
pub const FIRST: usize = 256;
/// By how many buckets room is made for more, and given back.
pub const SEGMENT: usize = 2048;
/// A bag in which an equal object was looked for among more than this gets an index of its objects.
const LONG: usize = 64;

/// What is put into a table.
#[derive(Clone, Copy)]
pub enum New {
    /// A tuple of which the table is to have a copy.
    Tuple(Term),
    /// An object that was made before.
    Made(Obj),
}

impl New {
    fn root(self) -> Term {
        match self {
            New::Tuple(t) => t,
            New::Made(o) => o.root(),
        }
    }

    /// The object, with the hash of its key.
    pub(super) fn object(self, hash: u32) -> Obj {
        let o = match self {
            New::Tuple(t) => Obj::new(t),
            New::Made(o) => o,
        };
        o.set_key_hash(hash);
        o
    }

    fn discard(self) {
        if let New::Made(o) = self {
            // SAFETY: it was given to be put in, and is not.
            unsafe { o.free() };
        }
    }
}

/// A place in a chain: `at` comes after `before`, or is the first of the bucket.
#[derive(Clone, Copy)]
struct Place {
    bucket: usize,
    before: Obj,
    at: Obj,
}

/// Buckets under one lock.
pub struct Stripe {
    keypos: usize,
    /// Bits of a hash that chose the stripe.
    shift: u32,
    /// Number of buckets.
    len: usize,
    /// Buckets of the first segment, the number of those of the others as a power of two.
    first: usize,
    segment_bits: u32,
    segments: Vec<Box<[Obj]>>,
    /// Buckets with dead objects.
    dead: Vec<u32>,
    /// Of a bag with many objects of a key: all objects, by the hash of their tuples.
    index: Option<HashTable<Obj>>,
    /// Is an operation under way that takes several steps and excludes all others?
    pub busy: bool,
}

// SAFETY: a stripe owns its objects, whose memory is plain.
unsafe impl Send for Stripe {}
// SAFETY: reading does not change anything.
unsafe impl Sync for Stripe {}

fn tuple_hash(t: Term) -> u32 {
    let h = hash::internal(t);
    (h ^ h >> 32) as u32 & 0x7fff_ffff
}

fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Stripe {
    /// The first `len` buckets of one of `1 << shift` stripes; element `keypos` of objects is the key.
    pub fn new(keypos: usize, shift: u32, len: usize) -> Stripe {
        Stripe {
            keypos,
            shift,
            len,
            first: (FIRST >> shift).max(1),
            segment_bits: SEGMENT.ilog2().saturating_sub(shift),
            segments: Vec::new(),
            dead: Vec::new(),
            index: None,
            busy: false,
        }
    }

    /// Number of buckets.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Are there none? There always are.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Segment of a bucket and its place there.
    #[inline(always)]
    fn spot(&self, bucket: usize) -> (usize, usize) {
        if bucket < self.first {
            return (0, bucket);
        }
        let n = bucket - self.first;
        (
            1 + (n >> self.segment_bits),
            n & ((1 << self.segment_bits) - 1),
        )
    }

    /// The first object of a bucket, dead or alive.
    #[inline(always)]
    pub fn bucket(&self, bucket: usize) -> Obj {
        let (segment, at) = self.spot(bucket);
        self.segments.get(segment).map_or(Obj::NONE, |s| s[at])
    }

    fn set_bucket(&mut self, bucket: usize, first: Obj) {
        let (segment, at) = self.spot(bucket);
        while self.segments.len() <= segment {
            let n = if self.segments.is_empty() {
                self.first
            } else {
                1 << self.segment_bits
            };
            self.segments.push(vec![Obj::NONE; n].into_boxed_slice());
        }
        self.segments[segment][at] = first;
    }

    #[inline]
    fn link(&mut self, bucket: usize, before: Obj, to: Obj) {
        if before.is_some() {
            before.set_next(to);
        } else {
            self.set_bucket(bucket, to);
        }
    }

    /// The bucket of a hash.
    #[inline(always)]
    pub fn index(&self, hash: u32) -> usize {
        let mask = self.len.next_power_of_two() - 1;
        let n = (hash >> self.shift) as usize & mask;
        if n < self.len { n } else { n & (mask >> 1) }
    }

    /// Has an object this key?
    #[inline(always)]
    fn has_key(&self, o: Obj, key: Term, hash: u32) -> bool {
        o.key_hash() == hash && {
            let k = o.element(self.keypos);
            k == key || (!key.is_immediate() || key.is_flonum()) && compare::exact_eq(k, key)
        }
    }

    /// Where the objects of a key begin, dead ones too; without any, the end of the bucket.
    #[inline]
    fn locate(&self, key: Term, hash: u32) -> Place {
        let bucket = self.index(hash);
        let (mut before, mut at) = (Obj::NONE, self.bucket(bucket));
        while at.is_some() && !self.has_key(at, key, hash) {
            (before, at) = (at, at.next());
        }
        Place { bucket, before, at }
    }

    /// The objects of a key that are alive, newest first.
    #[inline(always)]
    pub fn objects(&self, key: Term, hash: u32) -> impl Iterator<Item = Obj> {
        let mut at = self.bucket(self.index(hash));
        while at.is_some() && !self.has_key(at, key, hash) {
            at = at.next();
        }
        self.run(at, key, hash).filter(|o| !o.is_dead())
    }

    /// The first object of a key that is alive.
    #[inline(always)]
    pub fn get(&self, key: Term, hash: u32) -> Obj {
        let mut at = self.bucket(self.index(hash));
        while at.is_some() {
            if self.has_key(at, key, hash) && !at.is_dead() {
                return at;
            }
            at = at.next();
        }
        Obj::NONE
    }

    /// From an object on, those with its key that are alive.
    pub fn alive(&self, first: Obj) -> impl Iterator<Item = Obj> {
        let (key, hash) = (first.element(self.keypos), first.key_hash());
        self.run(first, key, hash).filter(|o| !o.is_dead())
    }

    /// The objects of a key, dead ones too.
    pub fn all(&self, key: Term, hash: u32) -> impl Iterator<Item = Obj> {
        self.run(self.locate(key, hash).at, key, hash)
    }

    /// From an object of a key on, those with the same key.
    #[inline]
    fn run(&self, first: Obj, key: Term, hash: u32) -> impl Iterator<Item = Obj> {
        first.chain().take_while(move |&o| {
            // The first one is known to have it.
            o == first || self.has_key(o, key, hash)
        })
    }

    /// Puts an object in; `true` if there is one more now.
    pub fn put(&mut self, kind: TableKind, new: New, key: Term, hash: u32, c: &mut Change) -> bool {
        let p = self.locate(key, hash);
        if p.at.is_some() {
            match kind {
                TableKind::Set | TableKind::OrderedSet => return self.overwrite(p, new, hash, c),
                TableKind::Bag => {
                    if let Some(same) = self.equal(p.at, new.root(), key, hash) {
                        new.discard();
                        if !same.is_dead() {
                            return false;
                        }
                        self.revive(p, same);
                        c.objects += 1;
                        return true;
                    }
                }
                TableKind::DuplicateBag => {}
            }
        }
        let o = new.object(hash);
        o.set_next(p.at);
        self.link(p.bucket, p.before, o);
        self.add_to_index(o);
        c.came(o);
        true
    }

    /// Puts the new object of a set in the place of the old one.
    fn overwrite(&mut self, p: Place, new: New, hash: u32, c: &mut Change) -> bool {
        let old = p.at;
        let was_dead = old.is_dead();
        c.objects += isize::from(was_dead);
        if let New::Tuple(t) = new
            && old.overwrite(t)
        {
            old.set_dead(false);
            return was_dead;
        }
        let o = new.object(hash);
        o.set_next(old.next());
        self.link(p.bucket, p.before, o);
        c.words += o.words() as isize - old.words() as isize;
        // SAFETY: no longer linked, and the lock is held for writing.
        unsafe { old.free() };
        was_dead
    }

    /// The object of a bag that equals a tuple, dead or alive.
    fn equal(&mut self, first: Obj, tuple: Term, key: Term, hash: u32) -> Option<Obj> {
        if let Some(index) = &self.index {
            let h = tuple_hash(tuple);
            let same = |o: &Obj| o.tuple_hash() == h && compare::exact_eq(o.root(), tuple);
            return index.find(spread(h), same).copied();
        }
        let mut seen = 0;
        let found = self
            .run(first, key, hash)
            .inspect(|_| seen += 1)
            .find(|o| compare::exact_eq(o.root(), tuple));
        if seen > LONG {
            self.make_index();
        }
        found
    }

    fn make_index(&mut self) {
        let mut index = HashTable::new();
        for bucket in 0..self.len {
            for o in self.bucket(bucket).chain() {
                o.set_tuple_hash(tuple_hash(o.root()));
                index.insert_unique(spread(o.tuple_hash()), o, |o| spread(o.tuple_hash()));
            }
        }
        self.index = Some(index);
    }

    fn add_to_index(&mut self, o: Obj) {
        if let Some(index) = &mut self.index {
            o.set_tuple_hash(tuple_hash(o.root()));
            index.insert_unique(spread(o.tuple_hash()), o, |o| spread(o.tuple_hash()));
        }
    }

    fn drop_from_index(&mut self, o: Obj) {
        if let Some(index) = &mut self.index
            && let Ok(slot) = index.find_entry(spread(o.tuple_hash()), |x| *x == o)
        {
            slot.remove();
        }
    }

    /// Makes a dead object alive; it becomes the newest of its key.
    fn revive(&mut self, p: Place, o: Obj) {
        o.set_dead(false);
        if o == p.at {
            return;
        }
        if let Some(before) = p.at.chain().find(|x| x.next() == o) {
            before.set_next(o.next());
            o.set_next(p.at);
            self.link(p.bucket, p.before, o);
        }
    }

    fn note_dead(&mut self, bucket: usize) {
        let bucket = bucket as u32;
        if self.dead.last() != Some(&bucket) {
            self.dead.push(bucket);
        }
    }

    /// Does with the objects of a key what `e` says, newest first.
    pub fn edit_key(&mut self, key: Term, hash: u32, fixed: bool, e: &mut Edit<'_>) {
        let p = self.locate(key, hash);
        let (mut before, mut o) = (p.before, p.at);
        let mut alive = 0;
        while o.is_some() && (o == p.at || self.has_key(o, key, hash)) {
            let next = o.next();
            let mut here = o;
            if !o.is_dead() {
                alive += 1;
                // One object of a key is enough to find its place.
                here = self.edit(p.bucket, before, o, fixed && alive == 1, e);
            }
            if here.is_some() {
                before = here;
            }
            o = next;
        }
    }

    /// Does with the objects of a bucket what `e` says; those that it deletes become dead if the table is fixed.
    pub fn edit_bucket(&mut self, bucket: usize, fixed: bool, e: &mut Edit<'_>) {
        let (mut before, mut o) = (Obj::NONE, self.bucket(bucket));
        while o.is_some() {
            let next = o.next();
            let here = if o.is_dead() {
                o
            } else {
                self.edit(bucket, before, o, fixed, e)
            };
            if here.is_some() {
                before = here;
            }
            o = next;
        }
    }

    /// Does with an object what is wanted; gives what is in its place then.
    fn edit(&mut self, bucket: usize, before: Obj, o: Obj, keep: bool, e: &mut Edit<'_>) -> Obj {
        match (e.judge)(o) {
            Fate::Keep => o,
            Fate::Delete if keep => {
                o.set_dead(true);
                self.note_dead(bucket);
                e.change.objects -= 1;
                o
            }
            Fate::Delete => {
                self.link(bucket, before, o.next());
                self.drop_from_index(o);
                e.change.went(o);
                e.gone.push(o);
                Obj::NONE
            }
            Fate::Replace(new) => {
                new.set_key_hash(o.key_hash());
                new.set_next(o.next());
                self.link(bucket, before, new);
                self.drop_from_index(o);
                self.add_to_index(new);
                e.change.went(o);
                e.change.came(new);
                e.gone.push(o);
                new
            }
        }
    }

    /// The first object that follows those of a key in their bucket, of one that is dead too with `dead`. `None` if
    /// the key is not there.
    pub fn after(&self, key: Term, hash: u32, dead: bool) -> Option<Obj> {
        let p = self.locate(key, hash);
        if !p.at.is_some() {
            return None;
        }
        let next =
            p.at.chain()
                .skip(1)
                .find(|&o| (dead || !o.is_dead()) && !self.has_key(o, key, hash));
        Some(next.unwrap_or(Obj::NONE))
    }

    /// One bucket more: of the objects of a bucket, those whose hash has one bit more set move there.
    pub fn split(&mut self, c: &mut Change) {
        let to = self.len;
        let from = to ^ 1 << to.ilog2();
        self.len += 1;
        let (mut stay, mut go) = (Obj::NONE, Obj::NONE);
        let mut o = self.bucket(from);
        if !o.is_some() {
            return;
        }
        self.set_bucket(from, Obj::NONE);
        while o.is_some() {
            let next = o.next();
            if o.is_dead() {
                self.free_dead(o, c);
            } else {
                o.set_next(Obj::NONE);
                let last = if self.index(o.key_hash()) == to {
                    std::mem::replace(&mut go, o)
                } else {
                    std::mem::replace(&mut stay, o)
                };
                if last.is_some() {
                    last.set_next(o);
                } else {
                    let bucket = self.index(o.key_hash());
                    self.set_bucket(bucket, o);
                }
            }
            o = next;
        }
    }

    /// One bucket less: what is in the last one goes in front of what is in the one that it was split from.
    pub fn join(&mut self, c: &mut Change) {
        let from = self.len - 1;
        let to = from ^ 1 << from.ilog2();
        let mut o = self.bucket(from);
        if o.is_some() {
            self.set_bucket(from, Obj::NONE);
        }
        self.len -= 1;
        let rest = self.bucket(to);
        let mut last = Obj::NONE;
        while o.is_some() {
            let next = o.next();
            if o.is_dead() {
                self.free_dead(o, c);
            } else {
                o.set_next(rest);
                self.link(to, last, o);
                last = o;
            }
            o = next;
        }
        let needed = 1 + self.spot(self.len - 1).0;
        if self.segments.len() > needed + 1 {
            self.segments.truncate(needed + 1);
        }
    }

    fn free_dead(&mut self, o: Obj, c: &mut Change) {
        self.drop_from_index(o);
        c.words -= o.words() as isize;
        // SAFETY: unlinked by the caller, and the lock is held for writing.
        unsafe { o.free() };
    }

    /// Takes away what is dead.
    pub fn bury(&mut self, c: &mut Change) {
        for bucket in std::mem::take(&mut self.dead) {
            let bucket = bucket as usize;
            // The bucket may have been joined to another, which has taken its dead away.
            if bucket >= self.len {
                continue;
            }
            let (mut before, mut o) = (Obj::NONE, self.bucket(bucket));
            while o.is_some() {
                let next = o.next();
                if o.is_dead() {
                    self.link(bucket, before, next);
                    self.free_dead(o, c);
                } else {
                    before = o;
                }
                o = next;
            }
        }
    }

    /// Makes all objects of a bucket dead.
    pub fn kill_bucket(&mut self, bucket: usize, c: &mut Change) {
        for o in self.bucket(bucket).chain() {
            if !o.is_dead() {
                o.set_dead(true);
                c.objects -= 1;
            }
        }
        if self.bucket(bucket).is_some() {
            self.note_dead(bucket);
        }
    }

    /// Takes everything out, buckets too; `len` are left.
    pub fn take_all(&mut self, len: usize) -> Vec<Box<[Obj]>> {
        self.dead = Vec::new();
        self.index = None;
        self.len = len;
        std::mem::take(&mut self.segments)
    }
}

/// What is done with objects that are looked at, and what came of it.
pub struct Edit<'a> {
    /// Says what is to be done.
    pub judge: &'a mut dyn FnMut(Obj) -> Fate,
    /// What is no longer in the table; to be freed when no lock is held.
    pub gone: Vec<Obj>,
    /// What it comes to.
    pub change: Change,
}

impl Edit<'_> {
    /// Nothing has happened yet.
    pub fn new(judge: &mut dyn FnMut(Obj) -> Fate) -> Edit<'_> {
        Edit {
            judge,
            gone: Vec::new(),
            change: Change::default(),
        }
    }
}

impl Drop for Stripe {
    fn drop(&mut self) {
        for &first in self.segments.iter().flatten() {
            free_chain(first);
        }
    }
}

/// Frees an object and all that follow it; nobody else refers to them. Gives their number.
pub fn free_chain(mut o: Obj) -> usize {
    let mut n = 0;
    while o.is_some() {
        let next = o.next();
        // SAFETY: callers have unlinked the chain.
        unsafe { o.free() };
        o = next;
        n += 1;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::Heap;

    fn all(s: &Stripe) -> Vec<Term> {
        let buckets = (0..s.len()).flat_map(|b| s.bucket(b).chain());
        buckets.map(|o| o.element(1)).collect()
    }

    #[test]
    fn joining_takes_splitting_back() {
        let mut h = Heap::new();
        let mut c = Change::default();
        let mut s = Stripe::new(1, 0, FIRST);
        for k in 0..2000u32 {
            let key = Term::small(i64::from(k));
            let t = h.tuple(&[key]);
            assert!(s.put(
                TableKind::Set,
                New::Tuple(t),
                key,
                k.wrapping_mul(2_654_435_761),
                &mut c
            ));
        }
        let before = all(&s);
        (0..3000).for_each(|_| s.split(&mut c));
        assert_eq!(s.len(), FIRST + 3000);
        assert_ne!(all(&s), before);
        for k in 0..2000u32 {
            let hash = k.wrapping_mul(2_654_435_761);
            assert!(s.get(Term::small(i64::from(k)), hash).is_some());
        }
        (0..3000).for_each(|_| s.join(&mut c));
        let mut after = all(&s);
        let mut before = before;
        assert_eq!(after.len(), before.len());
        after.sort_by_key(|t| t.small_value());
        before.sort_by_key(|t| t.small_value());
        assert_eq!(after, before);
        assert_eq!(c.objects, 2000);
    }

    #[test]
    fn a_bag_with_an_index_behaves_as_one_without() {
        let mut h = Heap::new();
        let key = Term::NIL;
        let mut c = Change::default();
        let mut s = Stripe::new(1, 0, FIRST);
        let mut model: Vec<i64> = Vec::new();
        let mut x = 7u64;
        for round in 0..4000 {
            x = x
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let n = (x >> 40) as i64 % 300;
            let t = h.tuple(&[key, Term::small(n)]);
            if round % 4 == 3 {
                let mut judge = |o: Obj| {
                    if o.element(2) == Term::small(n) {
                        Fate::Delete
                    } else {
                        Fate::Keep
                    }
                };
                let mut e = Edit::new(&mut judge);
                s.edit_key(key, 1, round % 8 == 3, &mut e);
                e.gone.into_iter().for_each(|o| {
                    free_chain({
                        o.set_next(Obj::NONE);
                        o
                    });
                });
                model.retain(|&m| m != n);
            } else if s.put(TableKind::Bag, New::Tuple(t), key, 1, &mut c) {
                model.insert(0, n);
            }
        }
        assert!(s.index.is_some());
        let found: Vec<i64> = s
            .objects(key, 1)
            .map(|o| o.element(2).small_value())
            .collect();
        assert_eq!(found, model);
        s.bury(&mut c);
        let found: Vec<i64> = s
            .objects(key, 1)
            .map(|o| o.element(2).small_value())
            .collect();
        assert_eq!(found, model);
    }
}
