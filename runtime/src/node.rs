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

static NODES: LazyLock<Mutex<HashMap<(Atom, u32), &'static Node>>> = LazyLock::new(Default::default);

/// The entry for a node.
pub fn intern(name: Atom, creation: u32) -> &'static Node {
    NODES.lock().entry((name, creation)).or_insert_with(|| Box::leak(Box::new(Node { name, creation })))
}
