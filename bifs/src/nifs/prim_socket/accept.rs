//! Accepting connections.

use super::message::{self, InMessages};
use super::sock::{Sock, SockState, SocketLane, with_open};
use super::terms::{atom, closed, failed};
use crate::bifs;
use crate::ports::inet::sys::Socket;
use enigma_runtime::{BifResult, Ctx, Term, release};
use std::io;

bifs! { BIFS:
    "prim_socket" {
        "nif_accept"/2 Nif => accept;
    }
}

fn accept(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    with_open(cx, a[0], |cx, socket, s| {
        if let Some(wait) = socket.await_turn(cx, s, SocketLane::Accept, a[1])? {
            return Ok(wait);
        }
        s.counters.accept_tries += 1;
        let Some(fd) = s.open_socket() else {
            return Ok(closed(cx));
        };
        match fd.accept() {
            Ok(connection) => {
                s.counters.accept_success += 1;
                socket.finish_turn(s, SocketLane::Accept);
                s.marks.accepting = !s.acceptors.is_empty();
                Ok(take(cx, s, connection))
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                if release::accept_aborts_former()
                    && let Some(w) = s.acceptors.current.take_if(|w| !w.told)
                {
                    let why = atom("cancelled");
                    message::abort(socket, w.process, w.reference.term(), why);
                }
                Ok(socket.wait_for(cx, s, SocketLane::Accept, a[1], None))
            }
            Err(e) => {
                s.counters.accept_fails += 1;
                socket.finish_turn(s, SocketLane::Accept);
                s.marks.accepting = !s.acceptors.is_empty();
                Ok(failed(cx, &e))
            }
        }
    })
}

/// `{ok, Reference}` of a connection, whose owner is the caller.
fn take(cx: &mut Ctx<'_>, s: &mut SockState, connection: Socket) -> Term {
    let what = (s.domain, s.kind, s.protocol);
    let accepted = Sock::new(cx, connection, what, Some(s.otp.inherited()));
    if release::number() <= 25 {
        // There it is the listening socket of which that is told.
        s.marks.connected = true;
    } else {
        accepted.state.lock().marks.connected = true;
    }
    accepted.enter_registry();
    let t = accepted.to_term(cx.heap());
    cx.ok(t)
}
