//! Links and monitors of one process.

use super::PidKey;
use crate::atom::Atom;
use crate::heap::literal::OwnedTerm;
use std::collections::{BTreeMap, BTreeSet};

/// The processes and ports that this process is linked to.
pub type Links = BTreeSet<PidKey>;

/// What a process monitors.
pub enum Target {
    /// A process or port by its identifier.
    Id(PidKey),
    /// A registered name; the process that had it when the monitor was made, if there was one.
    Name {
        /// The name.
        name: Atom,
        /// The node, where it is another one.
        node: Atom,
        /// Is it a port's?
        port: bool,
        /// Who had the name.
        id: Option<PidKey>,
    },
    /// The time offset.
    TimeOffset,
}

/// A monitor that this process made.
pub struct Outgoing {
    /// What it watches.
    pub target: Target,
    /// First element of the message, if it is not `'DOWN'`.
    pub tag: Option<OwnedTerm>,
    /// Does an alias end with it?
    pub alias: bool,
    /// Is the message a priority message?
    pub priority: bool,
}

/// A monitor that somebody else has on this process.
pub struct Incoming {
    /// Who made it.
    pub from: PidKey,
    /// The name it was made with.
    pub name: Option<Atom>,
}

/// Monitors of both directions, by the number of their reference. (A remote process's reference has a
/// number of its own node; the pair with its owner is unique.) Outgoing ones are boxed, because the smallest
/// tree has room for eleven and most processes have one.
#[derive(Default)]
pub struct Both {
    /// Made by this process.
    pub outgoing: BTreeMap<u64, Box<Outgoing>>,
    /// On this process.
    pub incoming: BTreeMap<u64, Incoming>,
}

/// What a process has of both directions; most have nothing, and pay one word for it.
#[derive(Default)]
pub struct Monitors(Option<Box<Both>>);

static NONE: Both = Both {
    outgoing: BTreeMap::new(),
    incoming: BTreeMap::new(),
};

impl Monitors {
    /// To look at.
    pub fn get(&self) -> &Both {
        self.0.as_deref().unwrap_or(&NONE)
    }

    /// To add one.
    pub fn make(&mut self) -> &mut Both {
        self.0.get_or_insert_default()
    }

    /// Takes one out that this process made.
    pub fn remove_outgoing(&mut self, reference: u64) -> Option<Box<Outgoing>> {
        self.0.as_mut()?.outgoing.remove(&reference)
    }

    /// Takes one out that is on this process.
    pub fn remove_incoming(&mut self, reference: u64) -> Option<Incoming> {
        self.0.as_mut()?.incoming.remove(&reference)
    }

    /// All of them.
    pub fn take(&mut self) -> Both {
        self.0.take().map(|b| *b).unwrap_or_default()
    }
}
