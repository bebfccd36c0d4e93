//! Names of nodes as they occur in identifiers. Entries are interned and never freed.

use crate::atom::Atom;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A node in one of its incarnations.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub name: Atom,
    /// Its creation number.
    pub creation: u32,
}

static NODES: LazyLock<Mutex<HashMap<(Atom, u32), &'static Node>>> =
    LazyLock::new(Default::default);

/// The entry for a node.
pub fn intern(name: Atom, creation: u32) -> &'static Node {
    NODES
        .lock()
        .entry((name, creation))
        .or_insert_with(|| Box::leak(Box::new(Node { name, creation })))
}

/// The latest known incarnation of the node whose name is the atom with this index.
pub fn by_name_index(index: u32) -> Option<&'static Node> {
    NODES
        .lock()
        .values()
        .copied()
        .filter(|n| n.name.index() == index)
        .max_by_key(|n| n.creation)
}

/// Name and creation of this node.
static THIS: parking_lot::RwLock<(Atom, u32)> =
    parking_lot::RwLock::new((Atom::NONODE_AT_NOHOST, 0));

/// This node's name and creation.
pub fn this() -> (Atom, u32) {
    *THIS.read()
}

/// Has this node a name, so that there can be others?
pub fn is_alive() -> bool {
    this().0 != Atom::NONODE_AT_NOHOST
}

/// Sets this node's name and creation.
pub fn set_this(name: Atom, creation: u32) {
    *THIS.write() = (name, creation);
}

/// Is it this node, in this incarnation (or one that does not say)?
pub fn is_this(name: Atom, creation: u32) -> bool {
    let (n, c) = this();
    name == n && (creation == c || creation == 0)
}
