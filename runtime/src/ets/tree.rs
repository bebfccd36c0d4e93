//! Storage of ordered sets: a sorted sequence in leaves of bounded size under one array of first keys.
//!
//! A search is a binary search over the first keys and one in a leaf. Any predicate that is true of a
//! prefix of the sequence can be searched for, which partly bound keys of match specifications use.

use super::Change;
use super::linear::New;
use crate::data::compare;
use crate::heap::object::Obj;
use crate::term::Term;
use std::cmp::Ordering;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Most objects of a leaf.
const LEAF: usize = 128;

#[derive(Clone, Copy)]
struct Item {
    key: Term,
    object: Obj,
}

/// See the module's text.
pub struct Tree {
    keypos: usize,
    /// First key of each leaf.
    firsts: Vec<Term>,
    leaves: Vec<Vec<Item>>,
    len: usize,
    /// The place that was last gone to from a key, packed: who goes through all keys asks for the one behind it next.
    last: AtomicU64,
    /// Is an operation under way that takes several steps and excludes all others?
    pub busy: bool,
}

/// A place in the sequence; valid until the next change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TreePosition {
    leaf: usize,
    at: usize,
}

// SAFETY: a tree owns its objects, whose memory is plain.
unsafe impl Send for Tree {}
// SAFETY: reading does not change anything.
unsafe impl Sync for Tree {}

impl Tree {
    /// An empty one; element `keypos` of its objects is the key.
    pub fn new(keypos: usize) -> Tree {
        Tree {
            keypos,
            firsts: Vec::new(),
            leaves: Vec::new(),
            len: 0,
            last: AtomicU64::new(0),
            busy: false,
        }
    }

    /// Number of objects.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Words of memory, objects not counted.
    pub fn words(&self) -> usize {
        self.firsts.capacity()
            + self
                .leaves
                .iter()
                .map(|l| 3 + l.capacity() * 2)
                .sum::<usize>()
    }

    /// The first place for which `before` does not hold (it must hold for a prefix of the sequence).
    #[inline]
    pub fn locate(&self, before: impl Fn(Term) -> bool) -> TreePosition {
        let i = self.firsts.partition_point(|&k| before(k));
        if i == 0 {
            return TreePosition { leaf: 0, at: 0 };
        }
        let leaf = &self.leaves[i - 1];
        let at = leaf.partition_point(|e| before(e.key));
        if at == leaf.len() {
            TreePosition { leaf: i, at: 0 }
        } else {
            TreePosition { leaf: i - 1, at }
        }
    }

    /// The first place whose key is not less than `key`.
    #[inline]
    pub fn lower(&self, key: Term) -> TreePosition {
        if key.is_small() {
            let k = key.raw() as i64;
            return self.locate(|t| {
                if t.is_small() {
                    (t.raw() as i64) < k
                } else {
                    compare::compare(t, key) == Ordering::Less
                }
            });
        }
        self.locate(|t| compare::compare(t, key) == Ordering::Less)
    }

    /// The first place whose key is greater than `key`.
    pub fn upper(&self, key: Term) -> TreePosition {
        self.locate(|t| compare::compare(t, key) != Ordering::Greater)
    }

    /// The place of a key, if it is the one that was last gone to.
    #[inline]
    fn last_place(&self, key: Term) -> Option<TreePosition> {
        let last = self.last.load(Relaxed);
        let p = TreePosition {
            leaf: (last >> 32) as usize,
            at: last as u32 as usize,
        };
        let i = self.leaves.get(p.leaf)?.get(p.at)?;
        (i.key == key || compare::eq(i.key, key)).then_some(p)
    }

    fn note_last(&self, p: TreePosition) {
        self.last
            .store((p.leaf as u64) << 32 | p.at as u64, Relaxed);
    }

    /// As `upper`, for who goes from key to key.
    pub fn next(&self, key: Term) -> TreePosition {
        let p = match self.last_place(key) {
            Some(p) => self.after(p),
            None => self.upper(key),
        };
        self.note_last(p);
        p
    }

    /// The place before that of the first key that is not less than `key`, for who goes from key to key.
    pub fn previous(&self, key: Term) -> Option<TreePosition> {
        let p = self.last_place(key).unwrap_or_else(|| self.lower(key));
        let p = self.before(p)?;
        self.note_last(p);
        Some(p)
    }

    /// The object at a place; none at the end.
    #[inline]
    pub fn at(&self, p: TreePosition) -> Obj {
        self.leaves
            .get(p.leaf)
            .and_then(|l| l.get(p.at))
            .map_or(Obj::NONE, |i| i.object)
    }

    /// The first place.
    pub fn first(&self) -> TreePosition {
        TreePosition { leaf: 0, at: 0 }
    }

    /// The place after the last.
    pub fn end(&self) -> TreePosition {
        TreePosition {
            leaf: self.leaves.len(),
            at: 0,
        }
    }

    /// The place after one that holds an object.
    #[inline]
    pub fn after(&self, p: TreePosition) -> TreePosition {
        if p.at + 1 < self.leaves[p.leaf].len() {
            TreePosition {
                leaf: p.leaf,
                at: p.at + 1,
            }
        } else {
            TreePosition {
                leaf: p.leaf + 1,
                at: 0,
            }
        }
    }

    /// The place before.
    #[inline]
    pub fn before(&self, p: TreePosition) -> Option<TreePosition> {
        if p.at > 0 {
            return Some(TreePosition {
                leaf: p.leaf,
                at: p.at - 1,
            });
        }
        let leaf = p.leaf.checked_sub(1)?;
        Some(TreePosition {
            leaf,
            at: self.leaves[leaf].len() - 1,
        })
    }

    /// The `n`th object, counted from 0.
    pub fn nth(&self, n: usize) -> Obj {
        let mut left = n;
        for l in &self.leaves {
            if left < l.len() {
                return l[left].object;
            }
            left -= l.len();
        }
        Obj::NONE
    }

    /// The place of this key, if it is there.
    #[inline]
    pub fn find(&self, key: Term) -> Option<TreePosition> {
        let p = self.lower(key);
        let i = self.leaves.get(p.leaf)?.get(p.at)?;
        (i.key == key || compare::eq(i.key, key)).then_some(p)
    }

    /// Puts an object in; one with an equal key is replaced.
    pub fn insert(&mut self, new: New, key: Term, c: &mut Change) {
        let p = self.lower(key);
        if let Some(i) = self.leaves.get(p.leaf).and_then(|l| l.get(p.at))
            && compare::eq(i.key, key)
        {
            // The key may be written differently (1 and 1.0), so it is overwritten as well.
            if let New::Tuple(tuple) = new
                && i.object.overwrite(tuple)
            {
                let fresh = i.object.element(self.keypos);
                self.set_key(p, fresh);
            } else {
                self.replace(p, new.object(0), c);
            }
            return;
        }
        let o = new.object(0);
        c.came(o);
        self.len += 1;
        let item = Item {
            key: o.element(self.keypos),
            object: o,
        };
        // At the border of two leaves the end of the left one is the place.
        let (leaf, at) = match p {
            TreePosition { leaf: 0, at: 0 } if self.leaves.is_empty() => {
                self.leaves.push(Vec::with_capacity(8));
                self.firsts.push(item.key);
                (0, 0)
            }
            TreePosition { leaf, at: 0 } if leaf > 0 => (leaf - 1, self.leaves[leaf - 1].len()),
            TreePosition { leaf, at } => (leaf, at),
        };
        self.leaves[leaf].insert(at, item);
        if at == 0 {
            self.firsts[leaf] = item.key;
        }
        if self.leaves[leaf].len() > LEAF {
            // Keys that come in ascending order leave full leaves behind.
            let cut = if leaf + 1 == self.leaves.len() && at + 1 > LEAF {
                LEAF
            } else {
                LEAF / 2
            };
            let mut right = Vec::with_capacity(LEAF + 1);
            right.extend(self.leaves[leaf].drain(cut..));
            self.firsts.insert(leaf + 1, right[0].key);
            self.leaves.insert(leaf + 1, right);
        }
    }

    fn set_key(&mut self, p: TreePosition, key: Term) {
        self.leaves[p.leaf][p.at].key = key;
        if p.at == 0 {
            self.firsts[p.leaf] = key;
        }
    }

    /// Replaces the object at a place by one with an equal key.
    pub fn replace(&mut self, p: TreePosition, o: Obj, c: &mut Change) {
        let old = std::mem::replace(&mut self.leaves[p.leaf][p.at].object, o);
        self.set_key(p, o.element(self.keypos));
        c.went(old);
        c.came(o);
        // SAFETY: no longer in the tree, and the lock is held for writing.
        unsafe { old.free() };
    }

    /// Takes the object at a place out; the caller frees it.
    pub fn remove(&mut self, p: TreePosition, c: &mut Change) -> Obj {
        let leaf = &mut self.leaves[p.leaf];
        let o = leaf.remove(p.at).object;
        let n = leaf.len();
        self.len -= 1;
        c.went(o);
        if n == 0 {
            self.leaves.remove(p.leaf);
            self.firsts.remove(p.leaf);
        } else {
            if p.at == 0 {
                self.firsts[p.leaf] = self.leaves[p.leaf][0].key;
            }
            if n < LEAF / 8
                && p.leaf + 1 < self.leaves.len()
                && self.leaves[p.leaf + 1].len() < LEAF / 2
            {
                let right = self.leaves.remove(p.leaf + 1);
                self.firsts.remove(p.leaf + 1);
                self.leaves[p.leaf].extend(right);
            }
        }
        o
    }
}

impl Tree {
    /// Frees a leaf's objects, of the last leaf there is; gives their number, nothing if none is left.
    pub fn free_leaf(&mut self) -> Option<usize> {
        let leaf = self.leaves.pop()?;
        self.firsts.pop();
        for i in &leaf {
            // SAFETY: the tree owns its objects, and this one is no longer in it.
            unsafe { i.object.free() };
        }
        Some(leaf.len())
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        for i in self.leaves.iter().flatten() {
            // SAFETY: the tree owns its objects and is going away.
            unsafe { i.object.free() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::Heap;

    #[test]
    fn behaves_like_a_sorted_map() {
        let mut h = Heap::new();
        let mut t = Tree::new(1);
        let mut c = Change::default();
        let mut model = std::collections::BTreeMap::new();
        let mut x = 12345u64;
        for round in 0..20000 {
            x = x
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let k = (x >> 33) as i64 % 3000;
            let key = Term::small(k);
            if round % 3 == 0 {
                assert_eq!(t.find(key).is_some(), model.remove(&k).is_some());
                if let Some(p) = t.find(key) {
                    let o = t.remove(p, &mut c);
                    // SAFETY: taken out above.
                    unsafe { o.free() };
                }
            } else {
                let v = h.tuple(&[key, Term::small(round)]);
                t.insert(New::Tuple(v), key, &mut c);
                model.insert(k, round);
            }
            assert_eq!(t.len(), model.len());
        }
        let (mut near, mut key) = (Vec::new(), Term::small(-1));
        while let Some(k) = Some(t.at(t.next(key))).filter(|o| o.is_some()) {
            key = k.element(1);
            near.push(key.small_value());
        }
        assert!(near.iter().eq(model.keys()));
        while let Some(p) = t.previous(key) {
            assert_eq!(near.pop(), Some(key.small_value()));
            key = t.at(p).element(1);
        }
        assert_eq!((near.len(), near.pop()), (1, Some(key.small_value())));
        let mut p = t.first();
        for (&k, &v) in &model {
            let o = t.at(p);
            assert_eq!(
                (o.element(1), o.element(2)),
                (Term::small(k), Term::small(v))
            );
            p = t.after(p);
        }
        assert_eq!(p, t.end());
        assert_eq!(c.objects, model.len() as isize);
    }
}
