//! Links and monitors of one process.

use super::PidKey;
use crate::atom::Atom;
use crate::heap::literal::OwnedTerm;
use std::collections::BTreeMap;

/// The processes and ports that this process is linked to.
///
/// A link between two processes is an entry on either side, and what one side does to it crosses what the
/// other does. So the entry of a link that was taken away stays, inactive, with the number of that `unlink`,
/// until the other side has acknowledged it; as long as it is there the other's links are older than the
/// `unlink` and do not count. (The protocol that nodes speak with each other, see *Link Protocol* in OTP's
/// documentation of distribution.)
#[derive(Default)]
pub struct Links {
    /// The number of the `unlink` that has not been acknowledged; 0 where the link is active.
    entries: BTreeMap<PidKey, u64>,
}

impl Links {
    /// Is there an active link?
    pub fn contains(&self, key: PidKey) -> bool {
        self.entries.get(&key) == Some(&0)
    }

    /// This process links. `false` if there was an active link already; otherwise the other side is to be told.
    pub fn insert(&mut self, key: PidKey) -> bool {
        self.entries.insert(key, 0) != Some(0)
    }

    /// The other side has linked.
    pub fn linked_by(&mut self, key: PidKey) {
        self.entries.entry(key).or_insert(0);
    }

    /// This process unlinks, by `unlink` number `id`, which is not 0. `false` if there is no active link;
    /// otherwise the other side is to be told.
    pub fn deactivate(&mut self, key: PidKey, id: u64) -> bool {
        match self.entries.get_mut(&key) {
            Some(unlink @ 0) => {
                *unlink = id;
                true
            }
            _ => false,
        }
    }

    /// The other side has unlinked.
    pub fn unlinked_by(&mut self, key: PidKey) {
        if self.contains(key) {
            self.entries.remove(&key);
        }
    }

    /// The other side acknowledges that `unlink`.
    pub fn acknowledged(&mut self, key: PidKey, id: u64) {
        if self.entries.get(&key) == Some(&id) {
            self.entries.remove(&key);
        }
    }

    /// Takes the entry out, because nothing is on the other side any more. Was the link active?
    pub fn remove(&mut self, key: PidKey) -> bool {
        self.entries.remove(&key) == Some(0)
    }

    /// The active links.
    pub fn iter(&self) -> impl Iterator<Item = PidKey> + '_ {
        self.entries.iter().filter(|e| *e.1 == 0).map(|e| *e.0)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// What one side sends the other.
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Sent {
        Link,
        Unlink(u64),
        Acknowledge(u64),
    }

    /// One side, and what is on the way to it.
    #[derive(Default)]
    struct Side {
        links: Links,
        inbox: std::collections::VecDeque<Sent>,
    }

    const OTHER: fn(usize) -> PidKey = |side| PidKey::local(1 - side as u64);

    /// Every order of four steps of each side (link, unlink, handling one signal) ends with both sides of one
    /// opinion.
    #[test]
    fn both_sides_agree_in_the_end() {
        for mut plan in 0..4u32.pow(7) {
            let mut sides = [Side::default(), Side::default()];
            let mut id = 0;
            for _ in 0..7 {
                let (side, act) = ((plan & 1) as usize, plan & 2);
                plan >>= 2;
                if act == 0 {
                    handle(&mut sides, side);
                } else if sides[side].links.contains(OTHER(side)) {
                    id += 1;
                    sides[side].links.deactivate(OTHER(side), id);
                    sides[1 - side].inbox.push_back(Sent::Unlink(id));
                } else if sides[side].links.insert(OTHER(side)) {
                    sides[1 - side].inbox.push_back(Sent::Link);
                }
            }
            while handle(&mut sides, 0) || handle(&mut sides, 1) {}
            assert_eq!(
                sides[0].links.contains(OTHER(0)),
                sides[1].links.contains(OTHER(1))
            );
            assert!(
                sides
                    .iter()
                    .all(|s| s.links.len() == s.links.iter().count())
            );
        }
    }

    fn handle(sides: &mut [Side; 2], side: usize) -> bool {
        let Some(sent) = sides[side].inbox.pop_front() else {
            return false;
        };
        let links = &mut sides[side].links;
        match sent {
            Sent::Link => links.linked_by(OTHER(side)),
            Sent::Unlink(id) => {
                links.unlinked_by(OTHER(side));
                sides[1 - side].inbox.push_back(Sent::Acknowledge(id));
            }
            Sent::Acknowledge(id) => links.acknowledged(OTHER(side), id),
        }
        true
    }
}
