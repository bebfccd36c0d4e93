//! What drivers of sockets tell processes.

use super::descriptor::SocketSettings;
use enigma_runtime::atom::Atom;
use enigma_runtime::etf::decode;
use enigma_runtime::heap::binary::BinaryRef;
use enigma_runtime::heap::bits;
use enigma_runtime::process::handle;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::{Heap, Term};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU16, Ordering};

/// The number of the next request that is answered later.
pub fn next_number() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Sends what `build` makes.
pub fn send(to: u64, build: impl FnOnce(&mut Heap) -> Term) {
    signal::send(to, Signal::Message(handle::build(build)));
}

/// `{inet_async, Port, Number, Status}`: the answer to a request.
pub fn answer(port: Term, to: u64, number: u16, status: impl FnOnce(&mut Heap) -> Term) {
    send(to, |h| {
        let status = status(h);
        let number = Term::small(i64::from(number));
        h.tuple(&[Atom::INET_ASYNC.into(), port, number, status])
    });
}

/// `{error, Reason}`.
pub fn error(h: &mut Heap, reason: Atom) -> Term {
    h.tuple(&[Atom::ERROR.into(), reason.into()])
}

/// A reference that a sender has put in front of its data, as it is encoded, to know the answer by.
#[derive(Clone, Default)]
pub struct Tag(SmallVec<[u8; 64]>);

impl Tag {
    /// From its bytes.
    pub fn of(bytes: &[u8]) -> Tag {
        Tag(SmallVec::from_slice(bytes))
    }

    fn term(&self, h: &mut Heap) -> Option<Term> {
        decode::decode_trusted(&self.0, h).ok()
    }
}

/// `{inet_reply, Port, Status, Tag}`: the answer to a command; without a tag where the release has none.
pub fn reply(port: Term, to: u64, tag: Option<&Tag>, result: Result<(), Atom>) {
    send(to, |h| {
        let status = match result {
            Ok(()) => Atom::OK.into(),
            Err(why) => error(h, why),
        };
        let head = [Atom::INET_REPLY.into(), port, status];
        match tag.and_then(|t| t.term(h)) {
            Some(tag) => h.tuple(&[head[0], head[1], head[2], tag]),
            None => h.tuple(&head),
        }
    });
}

/// `{What, Port}`.
pub fn note(port: Term, to: u64, what: Atom) {
    send(to, |h| h.tuple(&[what.into(), port]));
}

/// `{What, Port, Reason}`.
pub fn note_error(port: Term, to: u64, what: Atom, reason: Atom) {
    send(to, |h| h.tuple(&[what.into(), port, reason.into()]));
}

/// Bytes that have come.
pub enum Payload<'a> {
    /// They are copied.
    Bytes(&'a [u8]),
    /// They are shared: all but so many at the front.
    Shared(BinaryRef, usize),
}

impl Payload<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Payload::Bytes(b) => b,
            Payload::Shared(b, from) => &b.bytes()[*from..],
        }
    }
}

/// Data as the owner wants it: a list, a binary, or the front of one as a list.
pub fn data(h: &mut Heap, s: &SocketSettings, payload: &Payload<'_>) -> Term {
    let bytes = payload.bytes();
    if !s.binary || s.header > bytes.len() {
        return h.byte_list(bytes);
    }
    let (front, rest) = bytes.split_at(s.header);
    let rest = match payload {
        Payload::Bytes(_) => h.binary(rest),
        Payload::Shared(b, from) => {
            let all = h.shared_binary(b.clone());
            let at = from + s.header;
            bits::share(&bits::view(all).part(8 * at, 8 * rest.len()), h)
        }
    };
    if front.is_empty() {
        rest
    } else {
        h.byte_list_with_tail(front, rest)
    }
}
