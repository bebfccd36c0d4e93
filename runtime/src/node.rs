//! Nodes as identifiers name them: a name and a creation, in a word of the identifier itself, so that nothing
//! has to be kept for a node that nobody names any more. Of each name the latest creation is remembered until a search
//! (`begin_search`, `forget`) has found that nothing names the node.

use crate::atom::Atom;
use rustc_hash::FxBuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A node in one of its incarnations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Node {
    /// Its name.
    pub name: Atom,
    /// Its creation number.
    pub creation: u32,
}

/// Set in the word of a node, so that none is 0.
const MARK: u64 = 1 << 63;

impl Node {
    /// The node in a word.
    #[inline]
    pub fn to_word(self) -> u64 {
        MARK | u64::from(self.name.index()) << 32 | u64::from(self.creation)
    }

    /// The node whose word it is; 0 is none.
    #[inline]
    pub fn from_word(word: u64) -> Option<Node> {
        (word != 0).then(|| Node {
            name: Atom::from_index(((word & !MARK) >> 32) as u32),
            creation: word as u32,
        })
    }
}

/// What is remembered of a name.
#[derive(Clone, Copy)]
struct Met {
    /// The latest creation.
    creation: u32,
    /// How many searches had begun when it was met last.
    searches: u32,
}

static MET: LazyLock<papaya::HashMap<Atom, Met, FxBuildHasher>> = LazyLock::new(Default::default);
/// How many searches for what names nodes have begun.
static SEARCHES: AtomicU32 = AtomicU32::new(0);

/// A node that an identifier from elsewhere names.
pub fn met(name: Atom, creation: u32) -> Node {
    let known = MET.pin();
    let searches = SEARCHES.load(Ordering::SeqCst);
    let is_new = |m: &Met| m.creation < creation || m.searches != searches;
    if known.get(&name).is_none_or(is_new) {
        let new = |creation| Met { creation, searches };
        known.update_or_insert(name, |m| new(m.creation.max(creation)), new(creation));
    }
    Node { name, creation }
}

/// A search for what names nodes begins; its number.
pub fn begin_search() -> u32 {
    SEARCHES.fetch_add(1, Ordering::SeqCst) + 1
}

/// Forgets the names that were not met since that search has begun, and are not kept.
pub fn forget(search: u32, kept: impl Fn(Atom) -> bool) {
    let known = MET.pin();
    let is_old = |m: &Met| search.wrapping_sub(m.searches).cast_signed() > 0;
    let old: Vec<Atom> = known
        .iter()
        .filter(|&(&name, m)| is_old(m) && !kept(name))
        .map(|(&name, _)| name)
        .collect();
    for name in old {
        let _ = known.remove_if(&name, |_, m| is_old(m));
    }
}

/// All names that have been met.
pub fn known() -> Vec<Atom> {
    MET.pin().keys().copied().collect()
}

/// The latest creation that has been met of a name.
pub fn latest_creation(name: Atom) -> Option<u32> {
    MET.pin().get(&name).map(|m| m.creation)
}

/// The latest known incarnation of the node whose name is the atom with this index.
pub fn by_name_index(index: u32) -> Option<Node> {
    let known = MET.pin();
    let found = known.iter().find(|(name, _)| name.index() == index);
    found.map(|(&name, m)| Node {
        name,
        creation: m.creation,
    })
}

/// This node's creation, and the index of its name in the lower half.
static THIS: AtomicU64 = AtomicU64::new(Atom::NONODE_AT_NOHOST.index() as u64);

/// This node's name and creation.
#[inline]
pub fn this() -> (Atom, u32) {
    let packed = THIS.load(Ordering::Acquire);
    (Atom::from_index(packed as u32), (packed >> 32) as u32)
}

/// Has this node a name, so that there can be others?
pub fn is_alive() -> bool {
    this().0 != Atom::NONODE_AT_NOHOST
}

/// Sets this node's name and creation.
pub fn set_this(name: Atom, creation: u32) {
    let packed = u64::from(creation) << 32 | u64::from(name.index());
    THIS.store(packed, Ordering::Release);
}

/// Is it this node, in this incarnation (or one that does not say)?
pub fn is_this(name: Atom, creation: u32) -> bool {
    let (n, c) = this();
    name == n && (creation == c || creation == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_name_and_creation() {
        for (name, creation) in [(Atom::NONODE_AT_NOHOST, 0), (Atom::OK, u32::MAX)] {
            let node = Node { name, creation };
            assert_eq!(Node::from_word(node.to_word()), Some(node));
        }
        assert_eq!(Node::from_word(0), None);
    }

    #[test]
    fn the_latest_creation_is_remembered() {
        let name = Atom::new("some@where");
        for creation in [3, 7, 5] {
            met(name, creation);
        }
        let latest = Node { name, creation: 7 };
        assert_eq!(by_name_index(name.index()), Some(latest));
    }

    #[test]
    fn names_are_forgotten_that_a_search_does_not_find() {
        let [gone, kept, again] = ["gone@x", "kept@x", "again@x"].map(Atom::new);
        for name in [gone, kept, again] {
            met(name, 1);
        }
        let search = begin_search();
        met(again, 1);
        forget(search, |name| name != gone && name != again);
        let known = known();
        assert!(!known.contains(&gone) && known.contains(&kept) && known.contains(&again));
        assert_eq!(latest_creation(gone), None);
    }
}
