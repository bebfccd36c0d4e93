//! Links and monitors of one process.

use super::PidKey;
use super::small_map::SmallMap;
use crate::atom::Atom;
use crate::heap::literal::OwnedTerm;

/// The processes and ports that this process is linked to.
///
/// A link between two processes is an entry on either side, and what one side does to it crosses what the
/// other does. So the entry of a link that was taken away stays, inactive, with the number of that `unlink`,
/// until the other side has acknowledged it; as long as it is there the other's links are older than the
/// `unlink` and do not count. (The protocol that nodes speak with each other, see *Link Protocol* in OTP's
/// documentation of distribution.)
#[derive(Default)]
pub struct Links {
    /// By its key each has the number of the `unlink` that has not been acknowledged; 0 where the link is active.
    entries: SmallMap<PidKey, u64>,
}

impl Links {
    /// Takes out an active link, if there is one.
    fn pop(&mut self) -> Option<PidKey> {
        loop {
            if let (key, 0) = self.entries.pop_first()? {
                return Some(key);
            }
        }
    }

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
        if !self.entries.contains_key(&key) {
            self.entries.insert(key, 0);
        }
    }

    /// This process unlinks, by `unlink` number `id`, which is not 0. `false` if there is no active link;
    /// otherwise the other side is to be told.
    pub fn deactivate(&mut self, key: PidKey, id: u64) -> bool {
        let active = self.contains(key);
        if active {
            self.entries.insert(key, id);
        }
        active
    }

    /// The other side has unlinked. Is the entry gone?
    pub fn unlinked_by(&mut self, key: PidKey) -> bool {
        let active = self.contains(key);
        if active {
            self.entries.remove(&key);
        }
        active
    }

    /// The other side acknowledges that `unlink`. Is the entry gone?
    pub fn acknowledged(&mut self, key: PidKey, id: u64) -> bool {
        let is_last = self.entries.get(&key) == Some(&id);
        if is_last {
            self.entries.remove(&key);
        }
        is_last
    }

    /// Takes the entry out, because nothing is on the other side any more. Was the link active?
    pub fn remove(&mut self, key: PidKey) -> bool {
        self.entries.remove(&key) == Some(0)
    }

    /// The active links.
    pub fn iter(&self) -> impl Iterator<Item = PidKey> + '_ {
        self.entries.iter().filter(|e| *e.1 == 0).map(|e| *e.0)
    }

    /// All links, with those that were taken away and of which the other side has not acknowledged it (`false`).
    pub fn with_inactive(&self) -> impl Iterator<Item = (PidKey, bool)> + '_ {
        let all = self.entries.iter();
        all.map(|(key, unlink)| (*key, *unlink == 0))
    }

    /// Bytes of memory that the entries take.
    pub fn memory(&self) -> usize {
        self.entries.len() * size_of::<(PidKey, u64)>()
    }
}

/// What a process monitors.
pub enum MonitorTarget {
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
    pub target: MonitorTarget,
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

/// Links, and monitors of both directions by the number of their reference. (A remote process's reference has a
/// number of its own node; the pair with its owner is unique.)
#[derive(Default)]
pub struct All {
    /// Links.
    pub links: Links,
    /// Made by this process.
    pub outgoing: SmallMap<u64, Outgoing>,
    /// On this process.
    pub incoming: SmallMap<u64, Incoming>,
    /// On this process, by resources of native libraries, which are told before its memory is freed.
    pub resources: SmallMap<u64, Incoming>,
}

impl All {
    /// Puts in a monitor on this process.
    pub fn add_incoming(&mut self, reference: u64, m: Incoming) {
        let all = match m.from.resource_number() {
            Some(_) => &mut self.resources,
            None => &mut self.incoming,
        };
        all.insert(reference, m);
    }

    /// All monitors on this process, by the numbers of their references.
    pub fn all_incoming(&self) -> impl Iterator<Item = (u64, &Incoming)> {
        let all = self.incoming.iter().chain(&self.resources);
        all.map(|(&reference, m)| (reference, m))
    }

    /// Takes out one relation, if there is any: links first, then the monitors on the process, then its own.
    pub fn pop(&mut self) -> Option<Relation> {
        if let Some(key) = self.links.pop() {
            return Some(Relation::Link(key));
        }
        if let Some((reference, m)) = self.incoming.pop_first() {
            return Some(Relation::Incoming(reference, m));
        }
        let (reference, m) = self.outgoing.pop_first()?;
        Some(Relation::Outgoing(reference, m))
    }
}

/// One of the relations of a process.
pub enum Relation {
    /// It is linked to this one.
    Link(PidKey),
    /// It is monitored, by the reference with this number.
    Incoming(u64, Incoming),
    /// It monitors.
    Outgoing(u64, Outgoing),
}

/// The relations of a process; many have none, and pay one word for it.
#[derive(Default)]
pub struct Relations(Option<Box<All>>);

static NONE: All = All {
    links: Links {
        entries: SmallMap::new(),
    },
    outgoing: SmallMap::new(),
    incoming: SmallMap::new(),
    resources: SmallMap::new(),
};

impl Relations {
    /// To look at.
    pub fn get(&self) -> &All {
        self.0.as_deref().unwrap_or(&NONE)
    }

    /// To add one.
    pub fn make(&mut self) -> &mut All {
        self.0.get_or_insert_default()
    }

    /// To change a link.
    pub fn links(&mut self) -> &mut Links {
        &mut self.make().links
    }

    /// Is there an active link?
    pub fn is_linked(&self, key: PidKey) -> bool {
        self.get().links.contains(key)
    }

    /// Takes a monitor out that this process made.
    pub fn remove_outgoing(&mut self, reference: u64) -> Option<Outgoing> {
        self.0.as_mut()?.outgoing.remove(&reference)
    }

    /// Takes a monitor out that is on this process.
    pub fn remove_incoming(&mut self, reference: u64) -> Option<Incoming> {
        let all = self.0.as_mut()?;
        let found = all.incoming.remove(&reference);
        found.or_else(|| all.resources.remove(&reference))
    }

    /// All of them.
    pub fn take(&mut self) -> All {
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
            let entries = |s: &Side| s.links.entries.len() == s.links.iter().count();
            assert!(sides.iter().all(entries));
        }
    }

    /// What few links do many do as well.
    #[test]
    fn many_links() {
        let mut links = Links::default();
        let keys: Vec<PidKey> = (0..40).map(|n| PidKey::local(n * 7 % 40)).collect();
        assert!(keys.iter().all(|&k| links.insert(k)));
        assert!(!keys.iter().any(|&k| links.insert(k)));
        assert!(keys[..20].iter().all(|&k| links.deactivate(k, 5)));
        assert_eq!(links.iter().count(), 20);
        keys[..20].iter().for_each(|&k| links.linked_by(k));
        assert_eq!(links.iter().count(), 20);
        assert!(keys[20..].iter().all(|&k| links.remove(k)));
        keys.iter().for_each(|&k| _ = links.acknowledged(k, 5));
        assert_eq!(links.entries.len(), 0);
    }

    fn handle(sides: &mut [Side; 2], side: usize) -> bool {
        let Some(sent) = sides[side].inbox.pop_front() else {
            return false;
        };
        let links = &mut sides[side].links;
        match sent {
            Sent::Link => links.linked_by(OTHER(side)),
            Sent::Unlink(id) => {
                _ = links.unlinked_by(OTHER(side));
                sides[1 - side].inbox.push_back(Sent::Acknowledge(id));
            }
            Sent::Acknowledge(id) => _ = links.acknowledged(OTHER(side), id),
        }
        true
    }
}
