//! Connecting.

use super::address;
use super::sock::{SockState, check_reference, sock, with_open};
use super::terms::{atom, closed, done, failed, invalid, raise_invalid};
use super::waiting::SocketWaiter;
use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::{BifResult, Ctx, Term};
use std::io;

bifs! { BIFS:
    "prim_socket" {
        "nif_connect"/1 Nif => finish;
        "nif_connect"/3 Nif => begin;
    }
}

/// `nif_connect(Socket, Reference, Address)`.
fn begin(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    check_reference(a[1])?;
    let Some(address) = address::decode(a[2]) else {
        sock(a[0])?;
        return Ok(invalid(cx, "sockaddr"));
    };
    with_open(cx, a[0], |cx, socket, s| {
        if s.connector.is_some() {
            return Ok(cx.error(atom("already")));
        }
        let Some(fd) = s.open_socket() else {
            return Ok(closed(cx));
        };
        match fd.connect(&address) {
            Ok(()) => {
                s.marks.connected = true;
                Ok(Atom::OK.into())
            }
            Err(e) if e.raw_os_error() == Some(libc::EINPROGRESS) => {
                let waiter = SocketWaiter::new(socket, s.owner, cx.proc.id, a[1]);
                s.connector = Some(waiter);
                s.marks.selected_write = true;
                if let Err(e) = socket.first_watch(s) {
                    s.connector = None;
                    return Ok(failed(cx, &e));
                }
                Ok(atom("select"))
            }
            Err(e) => Ok(failed(cx, &e)),
        }
    })
}

/// `nif_connect(Socket)`: has it worked?
fn finish(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut is_mine = true;
    let result = with_open(cx, a[0], |cx, _, s| {
        let me = cx.proc.id;
        if s.connector.take_if(|w| w.process == me).is_none() {
            is_mine = false;
            return Ok(Atom::OK.into());
        }
        let result = outcome(s);
        s.marks.connected |= result.is_ok();
        Ok(done(cx, result))
    })?;
    match is_mine {
        true => Ok(result),
        false => Err(raise_invalid(cx, atom("state"))),
    }
}

fn outcome(s: &SockState) -> io::Result<()> {
    match s.open_socket().and_then(|fd| fd.pending_error()) {
        None => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(code)),
    }
}
