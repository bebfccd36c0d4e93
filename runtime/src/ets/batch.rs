//! Operations that take long and of which nobody may see a part: while one is under way the table is busy. Whoever wants
//! to use the table then does a part of it first, so that it ends even if the process that began it does not run, or is
//! gone.

use super::debris::Debris;
use super::hash::hash_of;
use super::linear::New;
use super::table::Store;
use super::{Busy, Change, Table};
use crate::heap::object::Obj;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::vec::IntoIter;

/// Objects or buckets of one part.
const PART: usize = 1000;

/// How an operation ended, for the process that began it.
#[derive(Default, Debug)]
pub struct BatchOutcome(AtomicU8);

impl BatchOutcome {
    /// Nothing while it has not ended.
    pub fn get(&self) -> Option<bool> {
        match self.0.load(Ordering::Acquire) {
            0 => None,
            n => Some(n == 2),
        }
    }

    fn set(&self, value: bool) {
        self.0.store(1 + u8::from(value), Ordering::Release);
    }
}

/// Objects that are in no table.
#[derive(Default)]
pub struct Loose(Vec<Obj>);

// SAFETY: the objects are owned, and their memory is plain.
unsafe impl Send for Loose {}

impl Loose {
    /// The other way round.
    pub fn reverse(&mut self) {
        self.0.reverse();
    }

    /// One more.
    pub fn push(&mut self, o: Obj) {
        self.0.push(o);
    }
}

impl Drop for Loose {
    fn drop(&mut self) {
        drop(Debris::of_objects(std::mem::take(&mut self.0)));
    }
}

enum What {
    /// Puts objects in. `checked`: of so many it is known that their keys are not there.
    Insert {
        objects: IntoIter<Obj>,
        checked: Option<usize>,
    },
    /// Makes the objects of all buckets dead, from this one on.
    Kill(usize),
}

/// See the module's text.
pub(super) struct Batch {
    what: What,
    outcome: Arc<BatchOutcome>,
}

// SAFETY: the objects are owned, and their memory is plain.
unsafe impl Send for Batch {}

impl Drop for Batch {
    fn drop(&mut self) {
        if let What::Insert { objects, .. } = &mut self.what {
            drop(Debris::of_objects(objects.collect()));
        }
    }
}

impl Table {
    /// Begins to put objects in, unless the table is busy; with `only_new` nothing happens if one of the keys is there.
    pub fn begin_insert(
        &self,
        objects: &mut Loose,
        only_new: bool,
    ) -> Result<Arc<BatchOutcome>, Busy> {
        self.begin(|| What::Insert {
            objects: std::mem::take(&mut objects.0).into_iter(),
            checked: only_new.then_some(0),
        })
    }

    /// Begins to delete all objects of a set or bag that is fixed.
    pub fn begin_kill(&self) -> Result<Arc<BatchOutcome>, Busy> {
        self.begin(|| What::Kill(0))
    }

    fn begin(&self, what: impl FnOnce() -> What) -> Result<Arc<BatchOutcome>, Busy> {
        let outcome = Arc::new(BatchOutcome::default());
        let mut slot = self.batch.lock();
        if slot.is_some() || self.is_deleted() {
            drop(slot);
            return Err(self.busy());
        }
        self.set_busy(true)?;
        *slot = Some(Batch {
            what: what(),
            outcome: outcome.clone(),
        });
        Ok(outcome)
    }

    /// `Busy` if the table is, after a part of what makes it so was done.
    pub fn turn(&self) -> Result<(), Busy> {
        let busy = match &self.store {
            Store::Hash(h) => h.read(0).is_err(),
            Store::Tree(t) => t.read().busy,
        };
        if busy { Err(self.busy()) } else { Ok(()) }
    }

    fn set_busy(&self, busy: bool) -> Result<(), Busy> {
        match &self.store {
            Store::Hash(h) => h.set_busy(busy),
            Store::Tree(t) => {
                t.write().busy = busy;
                Ok(())
            }
        }
    }

    /// Does a part of what makes the table busy.
    pub fn help(&self) {
        let mut slot = self.batch.lock();
        let Some(batch) = slot.as_mut() else { return };
        let end = match &mut batch.what {
            What::Insert { objects, checked } => match checked {
                Some(n) if *n < objects.len() => self.check(objects.as_slice(), n),
                _ => self.insert_some(objects),
            },
            What::Kill(next) => self.kill_some(next),
        };
        if let Some(value) = end {
            // The table is open again before it is said that the operation has ended.
            let _ = self.set_busy(false);
            if matches!(batch.what, What::Kill(_)) && !self.is_fixed() {
                self.bury();
            }
            batch.outcome.set(value);
            *slot = None;
        }
    }

    /// Are keys there? `Some(false)` if one is.
    fn check(&self, objects: &[Obj], checked: &mut usize) -> Option<bool> {
        let to = (*checked + PART).min(objects.len());
        let there = objects[*checked..to].iter().any(|o| {
            let key = o.element(self.keypos);
            match &self.store {
                Store::Hash(h) => {
                    let hash = hash_of(key);
                    h.write_always(hash).get(key, hash).is_some()
                }
                Store::Tree(t) => t.read().find(key).is_some(),
            }
        });
        *checked = to;
        if there {
            return Some(false);
        }
        None
    }

    fn insert_some(&self, objects: &mut IntoIter<Obj>) -> Option<bool> {
        for o in objects.by_ref().take(PART) {
            let key = o.element(self.keypos);
            let mut c = Change::default();
            match &self.store {
                Store::Hash(h) => {
                    let hash = hash_of(key);
                    let mut s = h.write_always(hash);
                    s.put(self.kind, New::Made(o), key, hash, &mut c);
                    self.changed(h, hash, s, c);
                }
                Store::Tree(t) => {
                    t.write().insert(New::Made(o), key, &mut c);
                    self.note(c);
                }
            }
        }
        objects.as_slice().is_empty().then_some(true)
    }

    fn kill_some(&self, next: &mut usize) -> Option<bool> {
        let Store::Hash(h) = &self.store else {
            return Some(true);
        };
        let mut c = Change::default();
        let to = (*next + PART).min(h.active());
        for bucket in *next..to {
            h.kill_bucket(bucket, &mut c);
        }
        self.note(c);
        *next = to;
        (to == h.active()).then_some(true)
    }
}
