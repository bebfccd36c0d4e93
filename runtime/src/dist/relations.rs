//! What processes of this node have to do with those of one other node.

use crate::atom::Atom;
use crate::heap::literal::OwnedTerm;
use crate::node::Node;
use crate::process::PidKey;
use crate::term::Term;
use std::collections::{HashMap, HashSet};

/// A reference of any node, to find it by.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RefKey(Option<Node>, Vec<u32>);

impl RefKey {
    /// The key of a reference.
    pub fn of(t: Term) -> RefKey {
        use crate::data::compare;
        let node = t
            .is_kind(crate::term::Kind::ExtRef)
            .then(|| compare::node_of(t));
        RefKey(node, compare::ref_ids(t))
    }
}

/// A monitor that a process of this node has on one there.
pub struct OutgoingMonitor {
    /// Packed pid of the process here.
    pub local: u64,
    /// The owner that its reference names, if it is an alias.
    pub owner: u64,
}

/// A monitor that a process there has on one here.
pub struct IncomingMonitor {
    /// Packed pid of the process here.
    pub local: u64,
    /// The name that it was made with.
    pub name: Option<Atom>,
    /// Its reference.
    pub reference: OwnedTerm,
}

/// See the module's text.
#[derive(Default)]
pub struct NodeRelations {
    /// Links: the process here, and there.
    pub links: HashSet<(u64, PidKey)>,
    /// Monitors of processes here, by the numbers of their references.
    pub outgoing: HashMap<u64, OutgoingMonitor>,
    /// Monitors on processes here, by the numbers that they have here.
    pub incoming: HashMap<u64, IncomingMonitor>,
    /// These numbers, by the references that they have there.
    pub numbers: HashMap<RefKey, u64>,
    /// Unanswered requests to spawn: by the numbers of their references who has asked.
    pub spawns: HashMap<u64, u64>,
}

impl NodeRelations {
    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.outgoing.is_empty()
            && self.incoming.is_empty()
            && self.spawns.is_empty()
    }

    /// Takes a monitor on a process here out.
    pub fn take_incoming(&mut self, number: u64) -> Option<IncomingMonitor> {
        let m = self.incoming.remove(&number)?;
        self.numbers.remove(&RefKey::of(m.reference.term()));
        Some(m)
    }
}
