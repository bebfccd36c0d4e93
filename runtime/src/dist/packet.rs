//! From signals to packets and back: headers, pieces of long messages.
//!
//! ```text
//! 131 68 header-of-atoms control [payload]                          a whole message
//! 131 69 sequence piece header-of-atoms control [payload ...]       the first piece; pieces are counted down to 1
//! 131 70 sequence piece ...                                         another one
//! 112 131 control [131 payload]                                     without a header of atoms
//! ```

use super::atom_cache::{InputCache, OutputCache};
use super::control::ControlMessage;
use super::flags;
use crate::atom::Atom;
use crate::budget::Budget;
use crate::etf::DecodeError;
use crate::etf::decode::{self, DecodeOptions, Decoding};
use crate::etf::encode::Encoder;
use crate::etf::message_atoms::MessageAtoms;
use crate::heap::Heap;
use crate::sys;
use crate::term::Term;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::Poll;

/// Bytes of a piece of a long message.
const PIECE: usize = 64 * 1024;
/// Most bytes that the unfinished messages of all connections may have together: a quarter of the machine's memory.
static UNFINISHED_MOST: LazyLock<usize> =
    LazyLock::new(|| sys::physical_memory().map_or(1 << 30, |n| n / 4));
/// Bytes that they have.
static UNFINISHED_NOW: AtomicUsize = AtomicUsize::new(0);
/// Most unfinished messages of one connection.
const UNFINISHED_COUNT: usize = 1 << 16;

const VERSION: u8 = 131;
const WHOLE: u8 = 68;
const FIRST: u8 = 69;
const LATER: u8 = 70;
const PLAIN: u8 = 112;
const PACKED: u8 = 80;

/// A signal in bytes, without its header.
pub struct Encoded {
    /// The atoms of the header; none where the other side wants no header.
    atoms: Option<Box<MessageAtoms>>,
    /// ControlMessage message and payload.
    bytes: Vec<u8>,
    /// Packed pid of the process that has sent it, if it is known.
    sender: Option<u64>,
}

/// A signal that is being written, in steps.
pub struct SignalWriter {
    /// The control message.
    control: Vec<u8>,
    /// What writes the payload.
    payload: Option<Encoder>,
    /// The atoms, while nobody writes a payload.
    atoms: Option<Box<MessageAtoms>>,
    sender: Option<u64>,
}

fn write(e: &mut Encoder) -> Vec<u8> {
    while e
        .go_on(&mut Budget::of(usize::MAX), usize::MAX)
        .is_pending()
    {}
    e.take()
}

impl SignalWriter {
    /// For a node with these capabilities. The control message is written at once.
    pub fn new(control: ControlMessage, mut payload: Option<Term>, capable: u64) -> SignalWriter {
        let mut heap = Heap::new();
        let sender = control.sender();
        let control = control.to_term(&mut heap, capable, &mut payload);
        if capable & flags::ATOM_CACHE == 0 {
            return SignalWriter {
                control: write(&mut Encoder::for_plain_message(control)),
                payload: payload.map(Encoder::for_plain_message),
                atoms: None,
                sender,
            };
        }
        let mut e = Encoder::for_message(control, Box::default());
        let control = write(&mut e);
        let atoms = e.take_atoms().unwrap_or_default();
        match payload {
            Some(p) => SignalWriter {
                control,
                payload: Some(Encoder::for_message(p, atoms)),
                atoms: None,
                sender,
            },
            None => SignalWriter {
                control,
                payload: None,
                atoms: Some(atoms),
                sender,
            },
        }
    }

    /// Goes on until all is written or the budget is spent.
    pub fn go_on(&mut self, budget: &mut Budget) -> Poll<Encoded> {
        let mut bytes = std::mem::take(&mut self.control);
        let mut atoms = self.atoms.take();
        if let Some(e) = &mut self.payload {
            if e.go_on(budget, usize::MAX).is_pending() {
                (self.control, self.atoms) = (bytes, atoms);
                return Poll::Pending;
            }
            atoms = e.take_atoms();
            bytes.append(&mut e.take());
        }
        let sender = self.sender;
        Poll::Ready(Encoded {
            atoms,
            bytes,
            sender,
        })
    }

    /// Shows the terms that are held.
    pub fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        if let Some(e) = &mut self.payload {
            e.visit_roots(visit);
        }
    }
}

impl Encoded {
    /// A signal for a node with these capabilities, at once.
    pub fn new(control: ControlMessage, payload: Option<Term>, capable: u64) -> Encoded {
        let mut writer = SignalWriter::new(control, payload, capable);
        loop {
            if let Poll::Ready(e) = writer.go_on(&mut Budget::of(usize::MAX)) {
                return e;
            }
        }
    }

    /// Number of bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Packed pid of the process that has sent it, if it is known.
    pub fn sender(&self) -> Option<u64> {
        self.sender
    }
}

/// The sending side of a connection.
#[derive(Default)]
pub struct PacketWriter {
    cache: OutputCache,
    sequence: u64,
    /// May long messages be sent in pieces?
    pieces: bool,
}

impl PacketWriter {
    /// For a node with these capabilities.
    pub fn new(capable: u64) -> PacketWriter {
        PacketWriter {
            pieces: capable & flags::FRAGMENTS != 0,
            ..PacketWriter::default()
        }
    }

    /// Does the signal go in pieces?
    pub fn is_long(&self, e: &Encoded) -> bool {
        self.pieces && e.atoms.is_some() && e.bytes.len() > PIECE
    }

    /// The packets of a signal that is sent next.
    pub fn packets(&mut self, e: Encoded, packets: &mut Vec<Vec<u8>>) {
        if self.is_long(&e) {
            let mut signal = self.begin(e);
            while !self.piece(&mut signal, packets).1 {}
            return;
        }
        let mut p = Vec::with_capacity(e.bytes.len() + 64);
        match e.atoms {
            None => p.push(PLAIN),
            Some(atoms) => {
                p.extend([VERSION, WHOLE]);
                self.cache.write_header(&atoms, &mut p);
            }
        }
        p.extend(e.bytes);
        packets.push(p);
    }

    /// Begins with a signal that goes in pieces.
    pub fn begin(&mut self, e: Encoded) -> LongSignal {
        self.sequence += 1;
        LongSignal {
            sequence: self.sequence,
            atoms: e.atoms,
            left: e.bytes.len().div_ceil(PIECE),
            at: 0,
            bytes: e.bytes,
        }
    }

    /// The packet of its next piece: how many bytes of the signal are in it, and was it the last?
    pub fn piece(&mut self, s: &mut LongSignal, packets: &mut Vec<Vec<u8>>) -> (usize, bool) {
        let piece = &s.bytes[s.at..s.bytes.len().min(s.at + PIECE)];
        let mut p = Vec::with_capacity(piece.len() + 64);
        p.extend([VERSION, if s.at == 0 { FIRST } else { LATER }]);
        p.extend(s.sequence.to_be_bytes());
        p.extend((s.left as u64).to_be_bytes());
        if let Some(atoms) = s.atoms.take() {
            self.cache.write_header(&atoms, &mut p);
        }
        p.extend_from_slice(piece);
        packets.push(p);
        let size = piece.len();
        s.at += size;
        s.left -= 1;
        (size, s.left == 0)
    }
}

/// A signal that goes in pieces.
pub struct LongSignal {
    sequence: u64,
    /// The atoms of the header, until it has gone.
    atoms: Option<Box<MessageAtoms>>,
    bytes: Vec<u8>,
    /// What comes next.
    at: usize,
    /// Pieces that have not gone.
    left: usize,
}

/// A message that has come whole.
pub struct Arrived {
    atoms: Option<Arc<[Atom]>>,
    bytes: Vec<u8>,
    at: usize,
}

/// What is wrong with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadPacket {
    /// It is malformed.
    Malformed,
    /// Too much has come that does not end.
    TooMuch,
}

/// The receiving side of a connection.
#[derive(Default)]
pub struct PacketReader {
    cache: InputCache,
    unfinished: HashMap<u64, Unfinished>,
    /// Bytes of all of them.
    size: usize,
}

struct Unfinished {
    atoms: Arc<[Atom]>,
    bytes: Vec<u8>,
    /// The next piece.
    next: u64,
}

fn number(bytes: &[u8], at: usize) -> Result<u64, BadPacket> {
    let eight = bytes.get(at..at + 8).and_then(|b| b.try_into().ok());
    eight.map(u64::from_be_bytes).ok_or(BadPacket::Malformed)
}

impl PacketReader {
    /// Takes a packet; gives the message that it completes, if it does. An empty packet says only that the other side
    /// is there.
    ///
    /// # Errors
    /// What is wrong with it: the connection is to be closed.
    pub fn take(&mut self, packet: &[u8]) -> Result<Option<Arrived>, BadPacket> {
        let whole = |atoms, bytes: &[u8]| {
            Ok(Some(Arrived {
                atoms,
                bytes: bytes.to_vec(),
                at: 0,
            }))
        };
        match packet {
            [] => Ok(None),
            [PLAIN, rest @ ..] => whole(None, rest),
            [VERSION, WHOLE, rest @ ..] => {
                let (atoms, n) = self.header(rest)?;
                whole(Some(atoms), &rest[n..])
            }
            [VERSION, FIRST, rest @ ..] => {
                let (sequence, pieces) = (number(rest, 0)?, number(rest, 8)?);
                let rest = &rest[16..];
                let (atoms, n) = self.header(rest)?;
                let bytes = &rest[n..];
                match pieces {
                    0 => Err(BadPacket::Malformed),
                    1 => whole(Some(atoms), bytes),
                    _ => {
                        self.note(bytes.len())?;
                        let u = Unfinished {
                            atoms,
                            bytes: bytes.to_vec(),
                            next: pieces - 1,
                        };
                        let known = self.unfinished.insert(sequence, u).is_some();
                        if known || self.unfinished.len() > UNFINISHED_COUNT {
                            return Err(BadPacket::Malformed);
                        }
                        Ok(None)
                    }
                }
            }
            [VERSION, LATER, rest @ ..] => {
                let (sequence, piece) = (number(rest, 0)?, number(rest, 8)?);
                let bytes = &rest[16..];
                self.note(bytes.len())?;
                let known = self.unfinished.get_mut(&sequence);
                let u = known.ok_or(BadPacket::Malformed)?;
                if u.next != piece {
                    return Err(BadPacket::Malformed);
                }
                u.next -= 1;
                u.bytes.extend_from_slice(bytes);
                if piece > 1 {
                    return Ok(None);
                }
                let u = self.unfinished.remove(&sequence);
                let u = u.ok_or(BadPacket::Malformed)?;
                self.forget(u.bytes.len());
                Ok(Some(Arrived {
                    atoms: Some(u.atoms),
                    bytes: u.bytes,
                    at: 0,
                }))
            }
            _ => Err(BadPacket::Malformed),
        }
    }

    fn note(&mut self, n: usize) -> Result<(), BadPacket> {
        self.size += n;
        let now = UNFINISHED_NOW.fetch_add(n, Ordering::Relaxed) + n;
        if now > *UNFINISHED_MOST {
            return Err(BadPacket::TooMuch);
        }
        Ok(())
    }

    fn forget(&mut self, n: usize) {
        self.size -= n;
        UNFINISHED_NOW.fetch_sub(n, Ordering::Relaxed);
    }

    /// Nothing more is to come: what is unfinished is given back.
    pub fn end(&mut self) {
        self.unfinished = HashMap::new();
        self.forget(self.size);
    }

    fn header(&mut self, bytes: &[u8]) -> Result<(Arc<[Atom]>, usize), BadPacket> {
        self.cache.read_header(bytes).ok_or(BadPacket::Malformed)
    }
}

impl Drop for PacketReader {
    fn drop(&mut self) {
        self.end();
    }
}

impl Arrived {
    /// Reads the next term: first the control message, then the payload.
    ///
    /// # Errors
    /// The bytes are no term.
    pub fn term(&mut self, heap: &mut Heap) -> Result<Term, DecodeError> {
        let bytes = &self.bytes[self.at..];
        let (t, n) = match &self.atoms {
            Some(atoms) => Decoding::of_message(atoms.clone()).finish(bytes, heap)?,
            // No node packs what it sends.
            None if bytes.get(1) == Some(&PACKED) => return Err(DecodeError::Malformed),
            None => decode::decode(bytes, heap, DecodeOptions::default())?,
        };
        self.at += n;
        Ok(t)
    }

    /// Bytes that were not read yet.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::compare;

    fn carried(payload: Option<Term>, capable: u64) {
        let mut w = PacketWriter::new(capable);
        let mut r = PacketReader::default();
        for _ in 0..3 {
            let control = ControlMessage::Send {
                from: Term::local_pid(1),
                to: Term::local_pid(2),
                priority: false,
            };
            let e = Encoded::new(control, payload, capable);
            let mut packets = Vec::new();
            w.packets(e, &mut packets);
            let mut arrived = None;
            for p in packets {
                assert!(arrived.is_none());
                arrived = r.take(&p).expect("well-formed");
            }
            let mut a = arrived.expect("whole");
            let mut h = Heap::new();
            let t = a.term(&mut h).expect("a control message");
            let (control, has_payload) = ControlMessage::of_term(t).expect("known");
            assert!(matches!(control, ControlMessage::Send { .. }));
            assert!(has_payload);
            let read = a.term(&mut h).expect("a message");
            assert!(payload.is_some_and(|p| compare::exact_eq(p, read)));
            assert_eq!(a.left(), 0);
        }
        assert_eq!(r.size, 0);
    }

    #[test]
    fn signals_come_as_they_went() {
        let mut h = Heap::new();
        let all: Vec<Term> = (0..400)
            .map(|i| Term::atom(Atom::new(&format!("carried {i}"))))
            .collect();
        let atoms = h.tuple(&all);
        let long = h.binary(&vec![7; 5 * PIECE + 3]);
        let both = h.tuple(&[atoms, long]);
        let every = flags::sets().default;
        for capable in [every, every & !flags::ATOM_CACHE, every & !flags::FRAGMENTS] {
            for t in [Term::NIL, atoms, long, both] {
                carried(Some(t), capable);
            }
        }
    }

    #[test]
    fn pieces_out_of_order_are_refused() {
        let mut h = Heap::new();
        let long = h.binary(&vec![7; 5 * PIECE]);
        let control = ControlMessage::Send {
            from: Term::local_pid(1),
            to: Term::local_pid(2),
            priority: false,
        };
        let every = flags::sets().default;
        let mut packets = Vec::new();
        PacketWriter::new(every).packets(Encoded::new(control, Some(long), every), &mut packets);
        let mut r = PacketReader::default();
        assert!(r.take(&packets[1]).is_err());
        assert!(matches!(r.take(&packets[0]), Ok(None)));
        assert!(r.take(&packets[2]).is_err());
        assert!(PacketReader::default().take(&[131, 69, 0]).is_err());
    }
}
