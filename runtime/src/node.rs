//! Names of nodes as they occur in identifiers. Entries are interned and never freed.

use crate::atom::Atom;
use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A node in one of its incarnations.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub name: Atom,
    /// Its creation number.
    pub creation: u32,
}

/// All entries. Read without a lock; made one at a time.
static NODES: LazyLock<papaya::HashMap<(Atom, u32), &'static Node, FxBuildHasher>> =
    LazyLock::new(Default::default);
static MAKING: Mutex<()> = Mutex::new(());

/// The entry for a node.
pub fn intern(name: Atom, creation: u32) -> &'static Node {
    if let Some(n) = NODES.pin().get(&(name, creation)) {
        return n;
    }
    let _one = MAKING.lock();
    NODES.pin().get_or_insert_with((name, creation), || {
        Box::leak(Box::new(Node { name, creation }))
    })
}

/// The latest known incarnation of the node whose name is the atom with this index.
pub fn by_name_index(index: u32) -> Option<&'static Node> {
    NODES
        .pin()
        .values()
        .copied()
        .filter(|n| n.name.index() == index)
        .max_by_key(|n| n.creation)
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
