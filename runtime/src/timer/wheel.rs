//! A hierarchical timing wheel (Varghese and Lauck, 1987): eight levels of 64 slots. A tick is about a
//! millisecond (2^20 ns); level `n` has slots of 64^n ticks. Entries move down a level when their slot
//! comes up. Setting and cancelling take constant time; entries live in one arena and know their slot.
//!
//! Entries that send a message are found by their reference, and those for one process are in a list of their own.

use super::Expiry;
use crate::term::Term;
use rustc_hash::FxHashMap;

const LEVELS: usize = 8;
const SLOTS: usize = 64;
/// Nanoseconds of a tick, as a power of two.
const TICK_BITS: u32 = 20;

/// An entry of a wheel, with a generation so that an old handle finds nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WheelEntry {
    index: u32,
    generation: u32,
}

struct Cell {
    generation: u32,
    prev: u32,
    next: u32,
    /// The entries before and after this one in the list of a receiver.
    prev_of_receiver: u32,
    next_of_receiver: u32,
    slot: u16,
    deadline: i64,
    action: Option<Expiry>,
}

const NONE: u32 = u32::MAX;
/// Slot number of entries that are due within the current tick or earlier.
const NOW_SLOT: u16 = (LEVELS * SLOTS) as u16;

/// See the module's text.
pub struct Wheel {
    cells: Vec<Cell>,
    free: u32,
    heads: Vec<u32>,
    occupied: [u64; LEVELS],
    /// The tick up to which everything was taken.
    tick: i64,
    count: usize,
    /// Entries that send messages, by the numbers of their references.
    by_reference: FxHashMap<u64, u32>,
    /// The first entry for each process that there was one for, as long as the process lives.
    by_receiver: FxHashMap<u64, u32>,
}

/// The reference of an entry that sends a message, and the packed pid if it is for a process of this node.
fn message_of(action: &Expiry) -> Option<(u64, Option<u64>)> {
    match action {
        Expiry::Message { to, reference, .. } => Some((*reference, to.as_local_pid())),
        Expiry::Timeout { .. } | Expiry::Call(_) => None,
    }
}

impl Wheel {
    /// Bytes that an entry takes.
    pub const ENTRY: usize = size_of::<Cell>() + size_of::<(u64, u32)>();

    /// An empty wheel that starts at `now`.
    pub fn new(now: i64) -> Wheel {
        Wheel {
            cells: Vec::new(),
            free: NONE,
            heads: Vec::new(),
            occupied: [0; LEVELS],
            tick: now >> TICK_BITS,
            count: 0,
            by_reference: FxHashMap::default(),
            by_receiver: FxHashMap::default(),
        }
    }

    /// Number of entries that send a message.
    pub fn messages(&self) -> usize {
        self.by_reference.len()
    }

    /// Adds an entry.
    pub fn insert(&mut self, deadline: i64, action: Expiry) -> WheelEntry {
        if self.heads.is_empty() {
            self.heads = vec![NONE; LEVELS * SLOTS + 1];
        }
        let index = if self.free == NONE {
            self.cells.push(Cell {
                generation: 0,
                prev: NONE,
                next: NONE,
                prev_of_receiver: NONE,
                next_of_receiver: NONE,
                slot: 0,
                deadline,
                action: None,
            });
            self.cells.len() as u32 - 1
        } else {
            let i = self.free;
            self.free = self.cells[i as usize].next;
            i
        };
        if let Some((reference, receiver)) = message_of(&action) {
            self.by_reference.insert(reference, index);
            if let Some(process) = receiver {
                self.link_to_receiver(index, process);
            }
        }
        let c = &mut self.cells[index as usize];
        c.deadline = deadline;
        c.action = Some(action);
        let generation = c.generation;
        self.count += 1;
        self.link(index);
        WheelEntry { index, generation }
    }

    /// Tick by which an entry is due: the first one that begins at or after its deadline.
    fn due_tick(deadline: i64) -> i64 {
        (deadline >> TICK_BITS) + i64::from(deadline & ((1 << TICK_BITS) - 1) != 0)
    }

    fn link(&mut self, index: u32) {
        let due = Self::due_tick(self.cells[index as usize].deadline);
        let slot = if due <= self.tick {
            NOW_SLOT as usize
        } else {
            // The level is that of the highest digit in which the due tick differs from now.
            let differing = 63 - (due ^ self.tick).leading_zeros() as usize;
            let level = (differing / 6).min(LEVELS - 1);
            let digit = if differing / 6 >= LEVELS {
                // Beyond the wheel: the slot furthest ahead; it is sorted in again from there.
                ((self.tick >> (6 * level)) as usize).wrapping_sub(1) % SLOTS
            } else {
                (due >> (6 * level)) as usize % SLOTS
            };
            self.occupied[level] |= 1 << digit;
            level * SLOTS + digit
        };
        let head = self.heads[slot];
        let c = &mut self.cells[index as usize];
        c.slot = slot as u16;
        c.prev = NONE;
        c.next = head;
        if head != NONE {
            self.cells[head as usize].prev = index;
        }
        self.heads[slot] = index;
    }

    fn unlink(&mut self, index: u32) {
        let (prev, next, slot) = {
            let c = &self.cells[index as usize];
            (c.prev, c.next, c.slot as usize)
        };
        if prev == NONE {
            self.heads[slot] = next;
            if next == NONE && slot < LEVELS * SLOTS {
                self.occupied[slot / SLOTS] &= !(1 << (slot % SLOTS));
            }
        } else {
            self.cells[prev as usize].next = next;
        }
        if next != NONE {
            self.cells[next as usize].prev = prev;
        }
    }

    fn link_to_receiver(&mut self, index: u32, process: u64) {
        let first = self.by_receiver.entry(process).or_insert(NONE);
        let next = std::mem::replace(first, index);
        let c = &mut self.cells[index as usize];
        c.prev_of_receiver = NONE;
        c.next_of_receiver = next;
        if next != NONE {
            self.cells[next as usize].prev_of_receiver = index;
        }
    }

    fn unlink_from_receiver(&mut self, index: u32, process: u64) {
        let c = &self.cells[index as usize];
        let (prev, next) = (c.prev_of_receiver, c.next_of_receiver);
        if prev != NONE {
            self.cells[prev as usize].next_of_receiver = next;
        } else if let Some(first) = self.by_receiver.get_mut(&process) {
            *first = next;
        }
        if next != NONE {
            self.cells[next as usize].prev_of_receiver = prev;
        }
    }

    fn release(&mut self, index: u32) -> Option<Expiry> {
        let free = self.free;
        let c = &mut self.cells[index as usize];
        c.generation = c.generation.wrapping_add(1);
        c.next = free;
        self.free = index;
        self.count -= 1;
        let action = c.action.take()?;
        if let Some((reference, receiver)) = message_of(&action) {
            self.by_reference.remove(&reference);
            if let Some(process) = receiver {
                self.unlink_from_receiver(index, process);
            }
        }
        Some(action)
    }

    /// Takes the entry with this reference out, with its deadline.
    pub fn remove_reference(&mut self, reference: u64) -> Option<(i64, Expiry)> {
        let index = *self.by_reference.get(&reference)?;
        let deadline = self.cells[index as usize].deadline;
        self.unlink(index);
        Some((deadline, self.release(index)?))
    }

    /// The messages that are to be sent, and to whom.
    pub fn each_message(&self, see: &mut dyn FnMut(Term, Term)) {
        for c in &self.cells {
            if let Some(Expiry::Message { to, message, .. }) = &c.action {
                see(*to, message.term());
            }
        }
    }

    /// The deadline of the entry with this reference, and whom it is for.
    pub fn find(&self, reference: u64) -> Option<(i64, Term)> {
        let c = &self.cells[*self.by_reference.get(&reference)? as usize];
        match c.action {
            Some(Expiry::Message { to, .. }) => Some((c.deadline, to)),
            _ => None,
        }
    }

    /// Takes all entries out that are for a process.
    pub fn remove_all_for(&mut self, process: u64) -> Vec<Expiry> {
        let mut all = Vec::new();
        let mut index = self.by_receiver.remove(&process).unwrap_or(NONE);
        while index != NONE {
            let next = self.cells[index as usize].next_of_receiver;
            self.unlink(index);
            all.extend(self.release(index));
            index = next;
        }
        all
    }

    /// Takes an entry out, if it is still there.
    pub fn remove(&mut self, e: WheelEntry) -> Option<Expiry> {
        let c = self.cells.get(e.index as usize)?;
        if c.generation != e.generation || c.action.is_none() {
            return None;
        }
        self.unlink(e.index);
        self.release(e.index)
    }

    /// Takes everything that is due at `now` out, in the order of the deadlines.
    pub fn take_due(&mut self, now: i64) -> Vec<Expiry> {
        let target = now >> TICK_BITS;
        if self.count == 0 {
            self.tick = self.tick.max(target);
            return Vec::new();
        }
        let mut due: Vec<(i64, Expiry)> = Vec::new();
        self.drain_now(&mut due);
        while self.tick < target {
            match self.next_tick() {
                Some(t) if t <= target => {
                    self.tick = t;
                    self.cascade();
                    self.drain_now(&mut due);
                }
                _ => {
                    self.tick = target;
                }
            }
        }
        if !due.is_sorted_by_key(|d| d.0) {
            due.sort_by_key(|d| d.0);
        }
        due.into_iter().map(|d| d.1).collect()
    }

    fn drain_now(&mut self, due: &mut Vec<(i64, Expiry)>) {
        while self.heads[NOW_SLOT as usize] != NONE {
            let i = self.heads[NOW_SLOT as usize];
            self.unlink(i);
            let deadline = self.cells[i as usize].deadline;
            if let Some(a) = self.release(i) {
                due.push((deadline, a));
            }
        }
    }

    /// The next tick at which some slot comes up.
    fn next_tick(&self) -> Option<i64> {
        let mut best: Option<i64> = None;
        for level in 0..LEVELS {
            let bits = self.occupied[level];
            if bits == 0 {
                continue;
            }
            let digit = (self.tick >> (6 * level)) as u32 & 63;
            // Slots after the current digit, the wheel turned so that the next one is bit 0.
            let turned = bits.rotate_right((digit + 1) & 63);
            let ahead = i64::from(turned.trailing_zeros()) + 1;
            let at = ((self.tick >> (6 * level)) + ahead) << (6 * level);
            best = Some(best.map_or(at, |b| b.min(at)));
        }
        best
    }

    /// Sorts in again what is in the slots that begin at the current tick.
    fn cascade(&mut self) {
        for level in (0..LEVELS).rev() {
            if level > 0 && self.tick & ((1 << (6 * level)) - 1) != 0 {
                continue;
            }
            let slot = level * SLOTS + ((self.tick >> (6 * level)) as usize & 63);
            let mut i = std::mem::replace(&mut self.heads[slot], NONE);
            self.occupied[level] &= !(1 << (slot % SLOTS));
            while i != NONE {
                let next = self.cells[i as usize].next;
                self.link(i);
                i = next;
            }
        }
    }

    /// When it is worth to look again, in nanoseconds.
    pub fn next_deadline(&self) -> Option<i64> {
        if self.count == 0 {
            return None;
        }
        if self.heads[NOW_SLOT as usize] != NONE {
            return Some(self.tick << TICK_BITS);
        }
        self.next_tick().map(|t| t << TICK_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::literal::OwnedTerm;

    fn action(n: u64) -> Expiry {
        Expiry::Timeout {
            process: 0,
            number: n,
        }
    }

    fn number(a: &Expiry) -> u64 {
        match a {
            Expiry::Timeout { number, .. } => *number,
            Expiry::Message { .. } | Expiry::Call(_) => 0,
        }
    }

    #[test]
    fn fires_in_order_and_never_early() {
        let start = crate::time::START;
        let mut w = Wheel::new(start);
        let mut seed = 12345u64;
        let mut all: Vec<(i64, u64)> = Vec::new();
        for n in 0..2000 {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let deadline = start + (seed >> 33) as i64 % (1 << (20 + n % 25));
            w.insert(deadline, action(n));
            all.push((deadline, n));
        }
        let mut now = start;
        let mut fired = 0;
        while let Some(at) = w.next_deadline() {
            now = now.max(at);
            for a in w.take_due(now) {
                let n = number(&a);
                assert!(all[n as usize].0 <= now, "early");
                assert!(
                    all[n as usize].0 + (2 << 20) > now,
                    "late by more than a tick"
                );
                fired += 1;
            }
        }
        assert_eq!(fired, 2000);
    }

    #[test]
    fn messages_are_found_by_reference_and_by_receiver() {
        let mut w = Wheel::new(0);
        let message = |to: Term, reference: u64| Expiry::Message {
            to,
            message: OwnedTerm::new(Term::NIL),
            reference,
        };
        let (a, b) = (Term::local_pid(1), Term::local_pid(2));
        for n in 0..10 {
            w.insert((n as i64) << 20, message(if n % 2 == 0 { a } else { b }, n));
        }
        assert_eq!(w.find(7), Some((7 << 20, b)));
        assert_eq!(w.remove_reference(7).map(|r| r.0), Some(7 << 20));
        assert!(w.remove_reference(7).is_none() && w.find(7).is_none());
        assert_eq!(w.take_due(3 << 20).len(), 4);
        assert_eq!(w.remove_all_for(2).len(), 2);
        assert_eq!((w.remove_all_for(2).len(), w.messages()), (0, 3));
        assert_eq!(w.take_due(100 << 20).len(), 3);
        assert_eq!(w.messages(), 0);
    }

    #[test]
    fn removed_entries_do_not_fire() {
        let mut w = Wheel::new(0);
        let e = w.insert(5 << 20, action(1));
        w.insert(6 << 20, action(2));
        assert!(w.remove(e).is_some());
        assert!(w.remove(e).is_none());
        let due = w.take_due(100 << 20);
        assert_eq!(due.iter().map(number).collect::<Vec<_>>(), [2]);
    }
}
