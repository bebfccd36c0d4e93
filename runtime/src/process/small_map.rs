//! A map that is small nearly always: entries in order, searched one by one while they are few.
//!
//! Most processes have one or two links and monitors, and the smallest tree has room for eleven.

use std::collections::{BTreeMap, btree_map};

/// Most entries that are searched one by one.
const FEW: usize = 8;

/// A map in the order of its keys.
pub enum SmallMap<K, V> {
    /// Sorted by key.
    Few(Vec<(K, V)>),
    /// More than `FEW`, at least at one time.
    Many(BTreeMap<K, V>),
}

impl<K, V> Default for SmallMap<K, V> {
    fn default() -> SmallMap<K, V> {
        SmallMap::new()
    }
}

impl<K, V> SmallMap<K, V> {
    /// An empty one, which takes no memory.
    pub const fn new() -> SmallMap<K, V> {
        SmallMap::Few(Vec::new())
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        match self {
            SmallMap::Few(all) => all.len(),
            SmallMap::Many(all) => all.len(),
        }
    }

    /// Is there no entry?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All entries.
    pub fn iter(&self) -> Iter<'_, K, V> {
        match self {
            SmallMap::Few(all) => Iter::Few(all.iter()),
            SmallMap::Many(all) => Iter::Many(all.iter()),
        }
    }

    /// All values.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, v)| v)
    }
}

impl<K: Ord, V> SmallMap<K, V> {
    /// The value of a key.
    #[inline]
    pub fn get(&self, key: &K) -> Option<&V> {
        match self {
            SmallMap::Few(all) => all.iter().find(|e| e.0 == *key).map(|e| &e.1),
            SmallMap::Many(all) => all.get(key),
        }
    }

    /// Is there an entry of this key?
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Sets the value of a key; gives the one that it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let SmallMap::Few(all) = self {
            if let Some(e) = all.iter_mut().find(|e| e.0 == key) {
                return Some(std::mem::replace(&mut e.1, value));
            }
            if all.len() < FEW {
                if all.len() == all.capacity() {
                    all.reserve_exact(all.len().max(1));
                }
                let at = all.partition_point(|e| e.0 < key);
                all.insert(at, (key, value));
                return None;
            }
            *self = SmallMap::Many(all.drain(..).collect());
        }
        match self {
            SmallMap::Many(all) => all.insert(key, value),
            SmallMap::Few(_) => None,
        }
    }

    /// Takes the entry of a key out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        match self {
            SmallMap::Few(all) => {
                let i = all.iter().position(|e| e.0 == *key)?;
                Some(all.remove(i).1)
            }
            SmallMap::Many(all) => all.remove(key),
        }
    }

    /// Takes the first entry out.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        match self {
            SmallMap::Few(all) => (!all.is_empty()).then(|| all.remove(0)),
            SmallMap::Many(all) => all.pop_first(),
        }
    }
}

/// The entries of a map, by reference.
pub enum Iter<'a, K, V> {
    /// Of few.
    Few(std::slice::Iter<'a, (K, V)>),
    /// Of many.
    Many(btree_map::Iter<'a, K, V>),
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<(&'a K, &'a V)> {
        match self {
            Iter::Few(all) => all.next().map(|(k, v)| (k, v)),
            Iter::Many(all) => all.next(),
        }
    }
}

impl<'a, K, V> IntoIterator for &'a SmallMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

/// The entries of a map.
pub enum IntoIter<K, V> {
    /// Of few.
    Few(std::vec::IntoIter<(K, V)>),
    /// Of many.
    Many(btree_map::IntoIter<K, V>),
}

impl<K, V> Iterator for IntoIter<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        match self {
            IntoIter::Few(all) => all.next(),
            IntoIter::Many(all) => all.next(),
        }
    }
}

impl<K, V> IntoIterator for SmallMap<K, V> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V>;

    fn into_iter(self) -> IntoIter<K, V> {
        match self {
            SmallMap::Few(all) => IntoIter::Few(all.into_iter()),
            SmallMap::Many(all) => IntoIter::Many(all.into_iter()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_are_the_same() {
        let (mut small, mut tree) = (SmallMap::new(), BTreeMap::new());
        let mut n = 7u64;
        for step in 0..2000u64 {
            n = n * 25173 % 65521;
            // Grows beyond few, and becomes empty again.
            let key = n % if step % 400 < 200 { 40 } else { 5 };
            if n.is_multiple_of(3) {
                assert_eq!(small.remove(&key), tree.remove(&key));
            } else if n.is_multiple_of(17) {
                assert_eq!(small.pop_first(), tree.pop_first());
            } else {
                assert_eq!(small.insert(key, step), tree.insert(key, step));
            }
            assert_eq!(small.get(&3), tree.get(&3));
            assert_eq!(small.len(), tree.len());
            assert!(small.iter().eq(tree.iter()));
        }
        assert!(small.into_iter().eq(tree));
    }
}
