//! The messages that processes get: `{'$socket', Socket, Tag, Info}`.

use super::terms::atom;
use enigma_runtime::heap::copy;
use enigma_runtime::process::handle;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::{Heap, Term};

/// What is named in messages.
pub trait InMessages {
    /// The reference.
    fn to_term(&self, h: &mut Heap) -> Term;
}

/// `{'$socket', Ref}`, which `socket` takes for the socket.
pub fn socket_term(socket: &dyn InMessages, h: &mut Heap) -> Term {
    let reference = socket.to_term(h);
    h.tuple(&[atom("$socket"), reference])
}

/// The operation with this reference may go on.
pub fn select(socket: &dyn InMessages, to: u64, reference: Term) {
    let message = handle::build(|h| {
        let s = socket_term(socket, h);
        let r = copy::copy_whole(reference, h);
        h.tuple(&[atom("$socket"), s, atom("select"), r])
    });
    signal::send(to, Signal::Message(message));
}

/// The operation with this reference is given up.
pub fn abort(socket: &dyn InMessages, to: u64, reference: Term, why: Term) {
    let message = handle::build(|h| {
        let s = socket_term(socket, h);
        let r = copy::copy_whole(reference, h);
        let info = h.tuple(&[r, why]);
        h.tuple(&[atom("$socket"), s, atom("abort"), info])
    });
    signal::send(to, Signal::Message(message));
}

/// `{'$socket', Tag, Socket}` for the registry: a socket is there, or gone.
pub fn registry(socket: &dyn InMessages, to: u64, tag: &str) {
    let message = handle::build(|h| {
        let s = socket_term(socket, h);
        h.tuple(&[atom("$socket"), atom(tag), s])
    });
    signal::send(to, Signal::Message(message));
}
