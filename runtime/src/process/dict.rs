//! The process dictionary: a table from keys to values, both in the process's heap.

use crate::data::{compare, hash};
use crate::term::Term;

/// See the module's text. Many processes have none, and pay one word for it.
#[derive(Default)]
pub struct Dict(Option<Box<Table>>);

/// Small dictionaries are searched, larger ones have an index by hash.
#[derive(Default)]
struct Table {
    entries: Vec<[Term; 2]>,
    /// Open addressing over `entries`: index + 1, 0 where free, at most half of it used. Empty while the
    /// dictionary is small.
    index: Vec<u32>,
}

const SMALL: usize = 8;

impl Table {
    fn words(&self) -> usize {
        self.entries.capacity() * 2 + self.index.capacity() / 2
    }

    fn find(&self, key: Term) -> Option<usize> {
        if self.index.is_empty() {
            return self
                .entries
                .iter()
                .position(|e| compare::exact_eq(e[0], key));
        }
        self.slot(key, |i| compare::exact_eq(self.entries[i][0], key))
            .map(|at| self.index[at] as usize - 1)
    }

    /// Where an entry stands in the index: the first one that `is_it` of those that may have this key.
    fn slot(&self, key: Term, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mut at = self.home(key);
        loop {
            match self.index[at] {
                0 => return None,
                i if is_it(i as usize - 1) => return Some(at),
                _ => at = self.after(at),
            }
        }
    }

    /// Where a key stands in the index if nothing else is there.
    fn home(&self, key: Term) -> usize {
        hash::internal(key) as usize & (self.index.len() - 1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.index.len() - 1)
    }

    /// Makes the index anew, of a size that fits.
    fn rebuild(&mut self) {
        self.index = Vec::new();
        if self.entries.len() <= SMALL {
            return;
        }
        let size = (self.entries.len() * 3).next_power_of_two();
        self.index.resize(size, 0);
        for i in 0..self.entries.len() {
            self.add_to_index(i);
        }
    }

    fn add_to_index(&mut self, i: usize) {
        let mut at = self.home(self.entries[i][0]);
        while self.index[at] != 0 {
            at = self.after(at);
        }
        self.index[at] = i as u32 + 1;
    }

    /// Frees a place in the index. Those behind it that are not where they would be if it had always been
    /// free move up, so that a search may end at any free place.
    fn free_slot(&mut self, mut hole: usize) {
        let mask = self.index.len() - 1;
        let mut at = self.after(hole);
        while self.index[at] != 0 {
            let home = self.home(self.entries[self.index[at] as usize - 1][0]);
            let away = |from: usize| at.wrapping_sub(from) & mask;
            if away(home) >= away(hole) {
                self.index[hole] = self.index[at];
                hole = at;
            }
            at = self.after(at);
        }
        self.index[hole] = 0;
    }

    /// Takes an entry out of the index, and lets the last one, which is going to take its place, stand for it.
    fn remove_from_index(&mut self, i: usize) {
        let last = self.entries.len() - 1;
        let slot_of = |t: &Self, i: usize| t.slot(t.entries[i][0], |other| other == i);
        if let Some(at) = slot_of(self, i) {
            self.free_slot(at);
        }
        if i != last
            && let Some(at) = slot_of(self, last)
        {
            self.index[at] = i as u32 + 1;
        }
    }

    fn get(&self, key: Term) -> Option<Term> {
        self.find(key).map(|i| self.entries[i][1])
    }

    fn put(&mut self, key: Term, value: Term) -> Option<Term> {
        if let Some(i) = self.find(key) {
            return Some(std::mem::replace(&mut self.entries[i][1], value));
        }
        self.entries.push([key, value]);
        if self.index.is_empty() || self.entries.len() * 2 > self.index.len() {
            self.rebuild();
        } else {
            self.add_to_index(self.entries.len() - 1);
        }
        None
    }

    fn erase(&mut self, key: Term) -> Option<Term> {
        let i = self.find(key)?;
        if !self.index.is_empty() {
            self.remove_from_index(i);
        }
        let [_, value] = self.entries.swap_remove(i);
        if self.entries.len() * 16 < self.index.len() {
            self.entries.shrink_to(self.entries.len() * 2);
            self.rebuild();
        }
        Some(value)
    }
}

impl Dict {
    /// Words that the table takes.
    pub fn words(&self) -> usize {
        self.0.as_ref().map_or(0, |t| t.words())
    }

    /// The value of `key`.
    pub fn get(&self, key: Term) -> Option<Term> {
        self.0.as_ref()?.get(key)
    }

    /// Sets `key`; gives the value it had.
    pub fn put(&mut self, key: Term, value: Term) -> Option<Term> {
        self.0.get_or_insert_default().put(key, value)
    }

    /// Removes `key`; gives the value it had.
    pub fn erase(&mut self, key: Term) -> Option<Term> {
        self.0.as_mut()?.erase(key)
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// The pairs.
    pub fn pairs(&self) -> &[[Term; 2]] {
        self.0.as_ref().map_or(&[], |t| &t.entries)
    }

    pub(crate) fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        if let Some(t) = &mut self.0 {
            visit(t.entries.as_flattened_mut());
        }
    }
}
