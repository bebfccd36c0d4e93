//! The process dictionary: an insertion-ordered table from keys to values, both in the process's heap.

use crate::term::{Term, compare, hash};

/// See the module's text. Many processes have none, and pay one word for it.
#[derive(Default)]
pub struct Dict(Option<Box<Table>>);

/// Small dictionaries are searched, larger ones have an index by hash.
#[derive(Default)]
struct Table {
    entries: Vec<[Term; 2]>,
    /// Open addressing over `entries`: index + 1, 0 where free. Empty while the dictionary is small.
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
        let mask = self.index.len() - 1;
        let mut at = hash::internal(key) as usize & mask;
        loop {
            match self.index[at] {
                0 => return None,
                i if compare::exact_eq(self.entries[i as usize - 1][0], key) => {
                    return Some(i as usize - 1);
                }
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn rebuild(&mut self) {
        self.index.clear();
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
        let mask = self.index.len() - 1;
        let mut at = hash::internal(self.entries[i][0]) as usize & mask;
        while self.index[at] != 0 {
            at = (at + 1) & mask;
        }
        self.index[at] = i as u32 + 1;
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
        let [_, value] = self.entries.swap_remove(i);
        self.rebuild();
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
