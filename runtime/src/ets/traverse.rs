//! Going through a table: key by key, or many objects in steps.
//!
//! Sets and bags are gone through bucket by bucket. A place between two steps is the number of a bucket, and holds as
//! long as the table is fixed. In ordered sets it is the last key.

use super::hash::{Hash, hash_of};
use super::linear::{Edit, Stripe};
use super::table::{Store, copy_all, free_all, read, write};
use super::tree::{Tree, TreePosition};
use super::{Busy, Change, Fate, Table};
use crate::heap::Heap;
use crate::heap::object::Obj;
use crate::term::Term;
use std::sync::atomic::Ordering;

/// Whether a traversal goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Go {
    /// To the next key.
    On,
    /// Stop after this key.
    Stop,
}

/// Where a traversal of buckets stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// All have been seen.
    End,
    /// Before this bucket.
    At(usize),
    /// It was to begin with a bucket that is not there.
    Nowhere,
}

/// Where a traversal of an ordered set begins and how far it may go.
pub struct Range<'a> {
    /// Keys before the range.
    pub below: &'a dyn Fn(Term) -> bool,
    /// Keys after the range.
    pub above: &'a dyn Fn(Term) -> bool,
}

/// An object that a traversal has come to, with those of its key behind it.
#[derive(Clone, Copy)]
pub struct Passed<'a> {
    /// Where the others are, if there may be any.
    bag: Option<&'a Stripe>,
    first: Obj,
}

impl Passed<'_> {
    fn alone(first: Obj) -> Passed<'static> {
        Passed { bag: None, first }
    }

    /// The object; none at the end of the table.
    #[inline]
    pub fn object(&self) -> Obj {
        self.first
    }

    /// Copies of the objects of its key that are alive, of which there must be one, oldest first.
    #[inline]
    pub fn copies(&self, heap: &mut Heap) -> Term {
        if let Some(stripe) = self.bag {
            return copy_all(&mut stripe.alive(self.first), heap);
        }
        let t = self.first.copy(heap);
        heap.cons(t, Term::NIL)
    }
}

impl Table {
    fn hash(&self) -> Option<&Hash> {
        match &self.store {
            Store::Hash(h) => Some(h),
            Store::Tree(_) => None,
        }
    }

    /// The bucket at which a traversal goes on, or how it ends.
    fn next_bucket(
        &self,
        next: Result<Option<usize>, Option<Busy>>,
    ) -> Result<usize, Result<Stopped, Busy>> {
        match next {
            Ok(Some(next)) => Ok(next),
            Ok(None) => Err(Ok(Stopped::End)),
            Err(None) => Err(Ok(Stopped::Nowhere)),
            Err(Some(_)) => Err(Err(self.busy())),
        }
    }

    /// The bucket that objects with this key are in.
    pub fn bucket_of(&self, key: Term) -> Result<usize, Busy> {
        let Some(h) = self.hash() else { return Ok(0) };
        let hash = hash_of(key);
        let s = h.read(hash).map_err(|_| self.busy())?;
        Ok(s.index(hash) * h.locks() + (hash as usize & (h.locks() - 1)))
    }

    /// Keeps keys in their buckets while `f` runs, where others may write meanwhile.
    fn held<R>(&self, h: &Hash, f: impl FnOnce() -> R) -> R {
        if h.locks() == 1 {
            return f();
        }
        self.hold();
        let r = f();
        self.let_go();
        r
    }

    /// Fixes the table for a moment, in no process's name.
    pub fn hold(&self) {
        self.fixed.fetch_add(1, Ordering::SeqCst);
    }

    /// Takes `hold` back.
    pub fn let_go(&self) {
        if self.fixed.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.bury();
        }
    }

    /// Takes away what is dead, if the table is not fixed.
    pub(super) fn bury(&self) {
        if let Some(h) = self.hash() {
            let mut c = Change::default();
            h.bury(&self.fixed, &mut c);
            self.note(c);
        }
    }

    /// Calls `see` with the objects of a set or bag from bucket `from` on. After each bucket `more` says whether to go
    /// on.
    pub fn read_from(
        &self,
        from: usize,
        see: &mut dyn FnMut(Obj),
        more: &mut dyn FnMut() -> bool,
    ) -> Result<Stopped, Busy> {
        let Some(h) = self.hash() else {
            return Ok(Stopped::Nowhere);
        };
        let mut bucket = |o: Obj| {
            o.chain().filter(|o| !o.is_dead()).for_each(&mut *see);
            more()
        };
        self.held(h, || {
            let mut at = from;
            let mut asked = true;
            while asked {
                let mut wants = true;
                let next = h.read_buckets(at, &mut |o| {
                    wants = bucket(o);
                    wants
                });
                at = match self.next_bucket(next) {
                    Ok(next) => next,
                    Err(end) => return end,
                };
                asked = wants;
            }
            Ok(Stopped::At(at))
        })
    }

    /// The objects of one bucket.
    pub fn read_bucket(&self, bucket: usize, see: &mut dyn FnMut(Obj)) -> Result<(), Busy> {
        let Some(h) = self.hash() else { return Ok(()) };
        let seen = h.with_bucket(bucket, |_, o| {
            o.chain().filter(|o| !o.is_dead()).for_each(see);
        });
        seen.map(|_| ()).map_err(|_| self.busy())
    }

    /// Does with the objects of a set or bag from bucket `from` on what `judge` says. After each bucket `more` says
    /// whether to go on. `mine`: how often the caller holds the table fixed.
    pub fn edit_from(
        &self,
        from: usize,
        mine: usize,
        judge: &mut dyn FnMut(Obj) -> Fate,
        more: &mut dyn FnMut() -> bool,
    ) -> Result<Stopped, Busy> {
        let Some(h) = self.hash() else {
            return Ok(Stopped::Nowhere);
        };
        let mine = mine + usize::from(h.locks() > 1);
        self.held(h, || {
            let mut at = from;
            let mut asked = true;
            while asked {
                let mut wants = true;
                let mut e = Edit::new(judge);
                let next = h.write_buckets(at, &mut |s: &mut Stripe, bucket| {
                    let others = self.fixed.load(Ordering::Relaxed) > mine;
                    s.edit_bucket(bucket, others, &mut e);
                    wants = more();
                    wants
                });
                self.note(e.change);
                h.count(at as u32, e.change.objects, 0);
                free_all(e.gone);
                at = match self.next_bucket(next) {
                    Ok(next) => next,
                    Err(end) => return end,
                };
                asked = wants;
            }
            Ok(Stopped::At(at))
        })
    }

    /// The same with one bucket.
    pub fn edit_bucket(
        &self,
        bucket: usize,
        judge: &mut dyn FnMut(Obj) -> Fate,
    ) -> Result<(), Busy> {
        self.edit_from(bucket, 0, judge, &mut || false).map(|_| ())
    }

    /// After many objects were deleted: gives buckets back.
    pub fn shrink(&self) {
        let Some(h) = self.hash() else { return };
        let n = h.count(0, 0, self.len());
        if h.is_sparse(n) && !self.is_fixed() {
            let mut c = Change::default();
            h.shrink(n, &self.fixed, None, &mut c);
            self.note(c);
        }
    }

    /// Calls `f` with the objects of an ordered set after the key `after` (in reverse, before it), until it says stop.
    /// Gives what `keep` makes of the key where it stopped, which lies in the table; nothing at the end.
    pub fn read_ordered(
        &self,
        after: Option<Term>,
        reverse: bool,
        range: Option<&Range<'_>>,
        keep: &mut dyn FnMut(Term) -> Term,
        f: &mut dyn FnMut(Obj) -> Go,
    ) -> Result<Option<Term>, Busy> {
        let Store::Tree(t) = &self.store else {
            return Ok(None);
        };
        let t = read(t).map_err(|_| self.busy())?;
        let mut place = tree_start(&t, after, reverse, range);
        loop {
            let p = match reverse {
                false => place,
                true => match t.before(place) {
                    Some(p) => p,
                    None => return Ok(None),
                },
            };
            let o = t.at(p);
            if !o.is_some() {
                return Ok(None);
            }
            if range.is_some_and(|r| {
                let key = o.element(self.keypos);
                if reverse {
                    (r.below)(key)
                } else {
                    (r.above)(key)
                }
            }) {
                return Ok(None);
            }
            if f(o) == Go::Stop {
                return Ok(Some(keep(o.element(self.keypos))));
            }
            place = if reverse { p } else { t.after(p) };
        }
    }

    /// Does with the objects of an ordered set after the key `after` what `judge` says, as long as `more` says so.
    /// Gives where it stopped, as `read_ordered` does.
    pub fn edit_ordered(
        &self,
        after: Option<Term>,
        range: Option<&Range<'_>>,
        keep: &mut dyn FnMut(Term) -> Term,
        judge: &mut dyn FnMut(Obj) -> Fate,
        more: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Term>, Busy> {
        let Store::Tree(t) = &self.store else {
            return Ok(None);
        };
        let mut gone = Vec::new();
        let mut c = Change::default();
        let mut t = write(t).map_err(|_| self.busy())?;
        let mut place = tree_start(&t, after, false, range);
        let stopped = loop {
            let o = t.at(place);
            if !o.is_some() || range.is_some_and(|r| (r.above)(o.element(self.keypos))) {
                break None;
            }
            let fate = judge(o);
            let goes_on = more();
            let stop = if goes_on {
                None
            } else {
                Some(keep(o.element(self.keypos)))
            };
            match fate {
                Fate::Keep => place = t.after(place),
                Fate::Replace(new) => {
                    t.replace(place, new, &mut c);
                    place = t.after(place);
                }
                Fate::Delete => {
                    // Keys of an ordered set are unique, so the place of the next is found by it.
                    let next = t.at(t.after(place));
                    gone.push(t.remove(place, &mut c));
                    place = if next.is_some() {
                        t.lower(next.element(self.keypos))
                    } else {
                        t.end()
                    };
                }
            }
            if stop.is_some() {
                break stop;
            }
        };
        drop(t);
        self.note(c);
        free_all(gone);
        Ok(stopped)
    }

    /// What a traversal has come to.
    #[inline]
    fn passed<'a>(&self, stripe: &'a Stripe, first: Obj) -> Passed<'a> {
        Passed {
            bag: self.kind.is_bag().then_some(stripe),
            first,
        }
    }

    /// Calls `f` with the first object and the objects alive of its key (or, in an ordered set with `last`, with the
    /// last). With `dead` it may be one that was deleted while the table was fixed.
    pub fn with_first<R>(
        &self,
        last: bool,
        dead: bool,
        f: impl FnOnce(Passed<'_>) -> R,
    ) -> Result<R, Busy> {
        match &self.store {
            Store::Hash(h) => self.with_some_from(h, 0, dead, f),
            Store::Tree(t) => {
                let t = read(t).map_err(|_| self.busy())?;
                let p = if last {
                    t.before(t.end())
                } else {
                    Some(t.first())
                };
                let o = p.map_or(Obj::NONE, |p| t.at(p));
                Ok(f(Passed::alone(o)))
            }
        }
    }

    fn with_some_from<R>(
        &self,
        h: &Hash,
        from: usize,
        dead: bool,
        f: impl FnOnce(Passed<'_>) -> R,
    ) -> Result<R, Busy> {
        let r = h.with_some(from, dead, |found| match found {
            Some((s, o)) => f(self.passed(s, o)),
            None => f(Passed::alone(Obj::NONE)),
        });
        r.map_err(|_| self.busy())
    }

    /// The same with the key after `key` (before it, in an ordered set with `back`). `None` if the key is not there
    /// where it has to be.
    pub fn with_next<R>(
        &self,
        key: Term,
        back: bool,
        dead: bool,
        f: impl FnOnce(Passed<'_>) -> R,
    ) -> Result<Option<R>, Busy> {
        match &self.store {
            Store::Hash(h) => {
                let hash = hash_of(key);
                let s = h.read(hash).map_err(|_| self.busy())?;
                let Some(o) = s.after(key, hash, dead) else {
                    return Ok(None);
                };
                if o.is_some() {
                    return Ok(Some(f(self.passed(&s, o))));
                }
                let bucket = s.index(hash) * h.locks() + (hash as usize & (h.locks() - 1));
                drop(s);
                match h.following(bucket) {
                    Some(next) => self.with_some_from(h, next, dead, f).map(Some),
                    None => Ok(Some(f(Passed::alone(Obj::NONE)))),
                }
            }
            Store::Tree(t) => {
                let t = read(t).map_err(|_| self.busy())?;
                let p = if back {
                    t.previous(key)
                } else {
                    Some(t.next(key))
                };
                let o = p.map_or(Obj::NONE, |p| t.at(p));
                Ok(Some(f(Passed::alone(o))))
            }
        }
    }

    /// The objects in slot `n`; `Some(None)` where `n` is the number of slots, nothing beyond.
    pub fn slot(&self, n: usize, heap: &mut Heap) -> Result<Option<Option<Term>>, Busy> {
        match &self.store {
            Store::Hash(h) => {
                let mut alive = |o: Obj| copy_all(&mut o.chain().filter(|o| !o.is_dead()), heap);
                match h.with_bucket(n, |_, o| alive(o)) {
                    Ok(Some(list)) => Ok(Some(Some(list))),
                    Ok(None) => Ok((n == h.active()).then_some(None)),
                    Err(_) => Err(self.busy()),
                }
            }
            Store::Tree(t) => {
                let t = read(t).map_err(|_| self.busy())?;
                let o = t.nth(n);
                if o.is_some() {
                    return Ok(Some(Some(copy_all(&mut o.chain(), heap))));
                }
                Ok((n == t.len()).then_some(None))
            }
        }
    }
}

fn tree_start(
    t: &Tree,
    after: Option<Term>,
    reverse: bool,
    range: Option<&Range<'_>>,
) -> TreePosition {
    match (after, reverse, range) {
        (Some(k), false, _) => t.upper(k),
        (Some(k), true, _) => t.lower(k),
        (None, false, Some(r)) => t.locate(|k| (r.below)(k)),
        (None, true, Some(r)) => t.locate(|k| !(r.above)(k)),
        (None, false, None) => t.first(),
        (None, true, None) => t.end(),
    }
}
