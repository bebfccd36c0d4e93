//! Connecting.

use super::address;
use super::sock::{SockState, check_reference, sock, with_open};
use super::terms::{atom, closed, done, failed, invalid, raise_invalid};
use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::{BifResult, Ctx, Term, release};
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
        return Ok(match release::number() {
            ..=28 => invalid(cx, "sockaddr"),
            _ => cx.error(Atom::EINVAL),
        });
    };
    with_open(cx, a[0], |cx, socket, s| {
        // Whoever has begun may ask again.
        if s.connector
            .as_ref()
            .is_some_and(|w| w.process != cx.proc.id)
        {
            return Ok(cx.error(atom("already")));
        }
        let goes_on = s.connector.take().is_some();
        let Some(fd) = s.open_socket() else {
            return Ok(closed(cx));
        };
        let in_progress = |e: &io::Error| {
            let code = e.raw_os_error();
            code == Some(libc::EINPROGRESS) || goes_on && code == Some(libc::EALREADY)
        };
        match fd.connect(&address) {
            Ok(()) => {
                s.marks.connected = true;
                Ok(Atom::OK.into())
            }
            Err(e) if goes_on && e.raw_os_error() == Some(libc::EISCONN) => {
                s.marks.connected = true;
                Ok(Atom::OK.into())
            }
            Err(e) if in_progress(&e) => {
                let waiter = socket.waiter(s.owner, cx.proc.id, a[1]);
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
