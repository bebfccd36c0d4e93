//! The inner message queue: messages that the process has fetched from its inbox and not yet taken.
//!
//! Every message gets a sequence number when it is fetched. The save pointer is the index of the next
//! message that `receive` looks at. A receive marker is a sequence number: messages before it are known
//! not to hold a reference that was made later.
//!
//! A message keeps the block it was sent in. While the process looks at a message the term points into
//! that block; only when it takes the message, or a collection happens in between, is the block
//! handed to the heap.

use super::signal::Unreadable;
use crate::heap::binary::BinaryRef;
use crate::heap::chunk::Chunk;
use crate::heap::literal::OwnedTerm;
use crate::heap::release::Ranges;
use crate::heap::walk;
use crate::heap::{Heap, offheap};
use crate::term::{Kind, MAX_SMALL, Term};
use std::collections::VecDeque;

/// A message in the queue.
struct Message {
    term: Term,
    /// The memory of the term; empty when it needs none or the heap has taken it over.
    body: Chunk,
    offheap: *mut u64,
    seq: u64,
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: the message owns the block and its off-heap objects.
        unsafe { crate::heap::offheap::release_all(self.offheap) };
    }
}

impl Message {
    fn move_to(&mut self, heap: &mut Heap) {
        if self.body.capacity() > 0 {
            let chunk = std::mem::replace(&mut self.body, Chunk::EMPTY);
            heap.adopt(
                chunk,
                std::mem::replace(&mut self.offheap, std::ptr::null_mut()),
            );
        }
    }
}

/// A marker of the receive optimisation: what names it and where to start. Until it is bound to a
/// reference the name is a small integer, afterwards the number of the reference.
#[derive(Clone, Copy)]
struct Marker {
    name: Name,
    seq: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Unbound(i64),
    Reference(u64),
}

fn name_of(t: Term) -> Option<Name> {
    match t.kind() {
        Some(Kind::Ref) => Some(Name::Reference(t.ref_number())),
        Some(_) => None,
        None => t.as_small().map(Name::Unbound),
    }
}

/// Most markers kept at a time; older ones are forgotten, which costs time only.
const MAX_MARKERS: usize = 8;

/// Room for that many messages is kept when the queue becomes empty.
const KEEP: usize = 64;

/// A message that a process sends to itself is not copied while the queue is shorter than this.
const MAX_OWN: usize = 32;

/// See the module's text.
#[derive(Default)]
pub struct Mailbox {
    queue: VecDeque<Message>,
    save: usize,
    next_seq: u64,
    /// Messages whose memory is the heap's although they are still in the queue are before this index.
    /// A collection visits these only: it must not cost time in proportion to the queue.
    in_heap: usize,
    /// Is the running code looking at the message at the save pointer?
    peeking: bool,
    /// A priority message has come while the code looked at a message behind it.
    rescan: bool,
    /// Has the system monitor been told that it is long?
    pub is_long: bool,
    rare: Option<Box<Rare>>,
}

/// What many mailboxes do without.
#[derive(Default)]
struct Rare {
    /// Priority messages, which are in front of all others.
    priority: usize,
    /// The markers in the order in which they were made.
    markers: Vec<Marker>,
    /// The name given to a marker last.
    last: i64,
    /// What is done when messages that are no terms are looked at, by their sequence numbers.
    unreadable: Vec<(u64, Unreadable)>,
}

impl Mailbox {
    /// Adds a message that arrived.
    pub fn push(&mut self, message: OwnedTerm) {
        let (term, body, offheap) = message.into_parts();
        self.add(term, body, offheap);
    }

    fn add(&mut self, term: Term, body: Chunk, offheap: *mut u64) {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.queue.push_back(Message {
            term,
            body,
            offheap,
            seq,
        });
    }

    /// Adds a message that is no term.
    pub fn push_unreadable(&mut self, seen: Unreadable) {
        let seq = self.next_seq;
        self.add(Term::NONVALUE, Chunk::EMPTY, std::ptr::null_mut());
        let rare = self.rare.get_or_insert_default();
        rare.unreadable.push((seq, seen));
    }

    /// Are there messages that are no terms?
    pub fn has_unreadable(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| !r.unreadable.is_empty())
    }

    /// Takes away the messages that are no terms.
    pub fn drop_unreadable(&mut self) {
        let mut at = 0;
        while let Some(m) = self.queue.get(at) {
            if m.term.is_nonvalue() {
                self.drop_unreadable_at(at);
            } else {
                at += 1;
            }
        }
    }

    fn drop_unreadable_at(&mut self, at: usize) {
        let Some(m) = self.queue.remove(at) else {
            return;
        };
        if at < self.in_heap {
            self.in_heap -= 1;
        }
        if at < self.save {
            self.save -= 1;
        }
        let Some(rare) = &mut self.rare else { return };
        if let Some(i) = rare.unreadable.iter().position(|(seq, _)| *seq == m.seq) {
            let (_, seen) = rare.unreadable.remove(i);
            seen();
        }
    }

    #[cold]
    fn peek_behind_unreadable(&mut self) -> Option<Term> {
        while self.queue.get(self.save)?.term.is_nonvalue() {
            self.drop_unreadable_at(self.save);
        }
        self.peek()
    }

    /// Adds a message from the process to itself, whose memory is the process's heap. `false`: there are
    /// too many messages here already for a collection to visit them all.
    pub fn push_own(&mut self, term: Term) -> bool {
        if self.queue.len() >= MAX_OWN {
            return false;
        }
        self.add(term, Chunk::EMPTY, std::ptr::null_mut());
        self.in_heap = self.queue.len();
        true
    }

    /// Adds a priority message: it stands behind earlier ones and before all ordinary messages.
    pub fn push_priority(&mut self, message: OwnedTerm) {
        let (term, body, offheap) = message.into_parts();
        let rare = self.rare.get_or_insert_default();
        // It may hold the reference of any marker, which would go past it.
        rare.markers.clear();
        let at = rare.priority;
        rare.priority += 1;
        self.queue.insert(
            at,
            Message {
                term,
                body,
                offheap,
                seq: 0,
            },
        );
        if at < self.in_heap {
            self.in_heap += 1;
        }
        if self.peeking && self.save >= at {
            self.save += 1;
            self.rescan = true;
        } else if self.save > at {
            self.save = at;
        }
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Are there no messages?
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Looks at the message at the save pointer.
    #[inline]
    pub fn peek(&mut self) -> Option<Term> {
        let m = self.queue.get(self.save)?;
        if m.term.is_nonvalue() {
            return self.peek_behind_unreadable();
        }
        self.peeking = true;
        Some(m.term)
    }

    /// Goes on to the next message.
    #[inline]
    pub fn skip(&mut self) {
        self.peeking = false;
        if std::mem::take(&mut self.rescan) {
            self.save = 0;
        } else {
            self.save += 1;
        }
    }

    /// Takes the message at the save pointer out of the queue; its memory becomes the heap's.
    pub fn take(&mut self, heap: &mut Heap) {
        self.peeking = false;
        self.rescan = false;
        if let Some(rare) = &mut self.rare
            && self.save < rare.priority
        {
            rare.priority -= 1;
        }
        let taken = if self.save == 0 {
            self.queue.pop_front()
        } else {
            self.queue.remove(self.save)
        };
        if let Some(mut m) = taken {
            m.move_to(heap);
            if self.save < self.in_heap {
                self.in_heap -= 1;
            }
        }
        self.save = 0;
        if self.queue.is_empty() && self.queue.capacity() > KEEP {
            self.queue = VecDeque::new();
        }
    }

    /// Starts over at the first message.
    pub fn rewind(&mut self) {
        self.peeking = false;
        self.rescan = false;
        self.save = 0;
    }

    /// Makes a marker: messages that are here now do not hold the reference about to be made.
    pub fn reserve_marker(&mut self) -> Term {
        let rare = self.rare.get_or_insert_default();
        if rare.markers.len() >= MAX_MARKERS {
            rare.markers.remove(0);
        }
        rare.last = (rare.last + 1) & MAX_SMALL;
        rare.markers.push(Marker {
            name: Name::Unbound(rare.last),
            seq: self.next_seq,
        });
        Term::small(rare.last)
    }

    /// Sets the number that markers are counted from, for tests of what happens when it becomes large.
    pub fn set_marker_count(&mut self, n: i64) {
        self.rare.get_or_insert_default().last = n & MAX_SMALL;
    }

    /// Binds a marker to a reference.
    pub fn bind_marker(&mut self, marker: Term, reference: Term) {
        let Some(rare) = &mut self.rare else {
            return;
        };
        let (from, to) = (name_of(marker), name_of(reference));
        let found = rare.markers.iter_mut().find(|m| Some(m.name) == from);
        if let (Some(to), Some(m)) = (to, found) {
            m.name = to;
        }
    }

    /// Starts at the marker of a reference, if it is still there.
    pub fn use_marker(&mut self, reference: Term) {
        let Some(rare) = &self.rare else {
            return;
        };
        let name = name_of(reference);
        if let Some(m) = rare.markers.iter().find(|m| Some(m.name) == name) {
            let at = self.queue.partition_point(|q| q.seq < m.seq);
            self.save = self.save.max(at);
        }
    }

    /// Forgets the marker of a reference.
    pub fn clear_marker(&mut self, reference: Term) {
        if let Some(rare) = &mut self.rare {
            let name = name_of(reference);
            rare.markers.retain(|m| Some(m.name) != name);
        }
    }

    /// The messages, first to last.
    pub fn terms(&self) -> impl Iterator<Item = Term> + '_ {
        let all = self.queue.iter().map(|m| m.term);
        all.filter(|t| !t.is_nonvalue())
    }

    /// The shared binaries in messages whose memory is not the heap's.
    pub fn binaries(&self) -> impl Iterator<Item = &BinaryRef> {
        // SAFETY: each message has a well-formed list, which does not change while the mailbox is borrowed.
        self.queue
            .iter()
            .flat_map(|m| unsafe { offheap::binaries(m.offheap) })
    }

    /// Words of memory that waiting messages take.
    pub fn words(&self) -> usize {
        self.queue.iter().map(|m| m.body.capacity()).sum()
    }

    /// Before a collection: the message being looked at must belong to the heap.
    pub(crate) fn pin_peeked(&mut self, heap: &mut Heap) {
        if self.peeking
            && let Some(m) = self.queue.get_mut(self.save)
        {
            m.move_to(heap);
            self.in_heap = self.in_heap.max(self.save + 1);
        }
    }

    /// Terms of messages whose memory is the heap's already.
    pub(crate) fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        for m in self.queue.iter_mut().take(self.in_heap) {
            if m.body.capacity() == 0 && !m.term.is_immediate() {
                visit(std::slice::from_mut(&mut m.term));
            }
        }
    }

    /// Copies the messages that hold terms of literal areas that are being released, so that they hold
    /// them no longer. Terms in memory that is the heap's already are left to whoever walks the heap.
    pub(crate) fn copy_releasing(&mut self, ranges: &Ranges) {
        for m in &mut self.queue {
            let holds = |t: Term| ranges.hold_term(t);
            // SAFETY: the block of a message is filled with whole objects.
            let inside = || unsafe { walk::any_term(m.body.start(), m.body.used, holds) };
            if holds(m.term) || inside() {
                let (term, body, offheap) = OwnedTerm::message(m.term).into_parts();
                let old = std::mem::replace(&mut m.offheap, offheap);
                m.term = term;
                m.body = body;
                // SAFETY: the objects were the message's and lay in its old block.
                unsafe { crate::heap::offheap::release_all(old) };
            }
        }
    }

    /// Moves all message bodies to the heap, for whoever wants the terms themselves.
    pub fn adopt_all(&mut self, heap: &mut Heap) {
        for m in &mut self.queue {
            m.move_to(heap);
        }
        self.in_heap = self.queue.len();
    }

    /// Drops all messages.
    pub fn clear(&mut self) {
        *self = Mailbox::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(n: i64) -> OwnedTerm {
        OwnedTerm::new(Term::small(n))
    }

    fn order(m: &Mailbox) -> Vec<i64> {
        m.terms().filter_map(Term::as_small).collect()
    }

    #[test]
    fn priority_messages_stand_in_front_in_their_order() {
        let mut m = Mailbox::default();
        m.push(number(1));
        m.push_priority(number(2));
        m.push(number(3));
        m.push_priority(number(4));
        assert_eq!(order(&m), [2, 4, 1, 3]);
        m.take(&mut Heap::new());
        m.push_priority(number(5));
        assert_eq!(order(&m), [4, 5, 1, 3]);
    }

    #[test]
    fn what_is_no_term_waits_until_it_is_looked_at() {
        let (told, seen) = std::sync::mpsc::channel();
        let mut m = Mailbox::default();
        for n in [1, 2, 3] {
            m.push(number(n));
            let told = told.clone();
            m.push_unreadable(Box::new(move || told.send(n).expect("heard")));
        }
        let looked_at = || seen.try_iter().collect::<Vec<i64>>();
        assert_eq!((m.len(), order(&m)), (6, vec![1, 2, 3]));
        m.skip();
        assert!(looked_at().is_empty());
        assert_eq!(m.peek().and_then(Term::as_small), Some(2));
        assert_eq!((m.len(), looked_at()), (5, vec![1]));
        m.drop_unreadable();
        assert_eq!((m.len(), looked_at()), (3, vec![2, 3]));
        assert_eq!(m.peek().and_then(Term::as_small), Some(2));
    }

    #[test]
    fn a_priority_message_is_not_gone_past() {
        let mut m = Mailbox::default();
        m.push(number(1));
        assert_eq!(m.peek().and_then(Term::as_small), Some(1));
        m.push_priority(number(2));
        m.skip();
        assert_eq!(m.peek().and_then(Term::as_small), Some(2));
        m.skip();
        m.skip();
        assert!(m.peek().is_none());
        m.push_priority(number(3));
        assert_eq!(m.peek().and_then(Term::as_small), Some(3));
    }
}
