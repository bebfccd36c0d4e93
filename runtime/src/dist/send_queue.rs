//! In which order signals go out. Long ones go in pieces, and between two pieces those of other senders; what one sender has sent
//! stays in order.

use super::packet::{Encoded, LongSignal, PacketWriter};
use std::collections::{HashMap, VecDeque};

/// What is on its way into packets.
pub struct SendQueue {
    writer: PacketWriter,
    /// Long signals that have begun, at most one of a sender.
    long: VecDeque<(u64, LongSignal)>,
    /// What their senders have sent since.
    behind: HashMap<u64, VecDeque<Encoded>>,
    /// What goes when none of them is left, because it is not known whose it is, and all that came later.
    last: VecDeque<Encoded>,
}

impl SendQueue {
    /// For a node with these capabilities.
    pub fn new(capable: u64) -> SendQueue {
        SendQueue {
            writer: PacketWriter::new(capable),
            long: VecDeque::new(),
            behind: HashMap::new(),
            last: VecDeque::new(),
        }
    }

    /// Takes a signal that is sent next; gives how many bytes of signals are in the packets.
    pub fn add(&mut self, e: Encoded, packets: &mut Vec<Vec<u8>>) -> usize {
        if !self.last.is_empty() || e.sender().is_none() && !self.long.is_empty() {
            self.last.push_back(e);
            return 0;
        }
        self.pass(e, packets)
    }

    /// A signal goes, begins to go in pieces, or waits for what its sender has sent before.
    fn pass(&mut self, e: Encoded, packets: &mut Vec<Vec<u8>>) -> usize {
        if let Some(after) = e.sender().and_then(|s| self.behind.get_mut(&s)) {
            after.push_back(e);
            return 0;
        }
        match e.sender() {
            Some(sender) if self.writer.is_long(&e) => {
                self.long.push_back((sender, self.writer.begin(e)));
                self.behind.insert(sender, VecDeque::new());
                0
            }
            _ => {
                let size = e.size();
                self.writer.packets(e, packets);
                size
            }
        }
    }

    /// Are there pieces that have not gone yet?
    pub fn has_pieces(&self) -> bool {
        !self.long.is_empty()
    }

    /// The next piece, and what may go after it; gives how many bytes of signals are in the packets.
    pub fn next_piece(&mut self, packets: &mut Vec<Vec<u8>>) -> usize {
        let Some((sender, mut signal)) = self.long.pop_front() else {
            return 0;
        };
        let (mut size, done) = self.writer.piece(&mut signal, packets);
        if !done {
            self.long.push_back((sender, signal));
            return size;
        }
        for e in self.behind.remove(&sender).unwrap_or_default() {
            size += self.pass(e, packets);
        }
        if self.long.is_empty() {
            for e in std::mem::take(&mut self.last) {
                size += self.add(e, packets);
            }
        }
        size
    }

    /// Nothing more is to go.
    pub fn clear(&mut self) {
        self.long.clear();
        self.behind.clear();
        self.last.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::control::ControlMessage;
    use crate::dist::flags;
    use crate::dist::packet::PacketReader;
    use crate::heap::Heap;
    use crate::term::Term;

    fn message(from: u64, t: Term) -> Encoded {
        let control = ControlMessage::Send {
            from: Term::local_pid(from),
            to: Term::local_pid(9),
            priority: false,
        };
        Encoded::new(control, Some(t), flags::sets().default)
    }

    /// The messages that these packets carry: who has sent them, and what.
    fn read(packets: &[Vec<u8>]) -> Vec<(u64, i64)> {
        let mut r = PacketReader::default();
        let mut all = Vec::new();
        for p in packets {
            let Some(mut a) = r.take(p).expect("well-formed") else {
                continue;
            };
            let mut h = Heap::new();
            let t = a.term(&mut h).expect("a control message");
            let Some((ControlMessage::Send { from, .. }, _)) = ControlMessage::of_term(t) else {
                panic!("no message")
            };
            let t = a.term(&mut h).expect("a message");
            let number = match t.as_tuple() {
                Some(parts) => parts[0],
                None => t,
            };
            let from = from.as_local_pid().expect("a process");
            all.push((from, number.as_small().expect("a number")));
        }
        all
    }

    #[test]
    fn short_signals_go_between_the_pieces_of_long_ones() {
        let mut h = Heap::new();
        let data = h.binary(&vec![7; 300_000]);
        let mut long = |n| h.tuple(&[Term::small(n), data]);
        let mut o = SendQueue::new(flags::sets().default);
        let mut packets = Vec::new();
        o.add(message(1, long(1)), &mut packets);
        o.add(message(1, Term::small(2)), &mut packets);
        o.add(message(2, long(3)), &mut packets);
        o.add(message(3, Term::small(4)), &mut packets);
        o.add(message(1, long(5)), &mut packets);
        o.add(message(1, Term::small(6)), &mut packets);
        while o.has_pieces() {
            o.next_piece(&mut packets);
        }
        let all = read(&packets);
        assert_eq!(all[0].1, 4);
        let of_first: Vec<i64> = all.iter().filter(|m| m.0 == 1).map(|m| m.1).collect();
        assert_eq!(of_first, [1, 2, 5, 6]);
        assert_eq!(all.len(), 6);
    }
}
