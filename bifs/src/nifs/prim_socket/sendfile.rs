//! Sending files.

use super::sock::{Sock, SockState, SocketLane, check_reference, sock, with_open};
use super::sys;
use super::terms::{atom, raise_invalid};
use crate::bifs;
use crate::nifs::prim_file;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::bignum;
use enigma_runtime::{BifResult, Ctx, Term, badarg};
use std::io;
use std::os::fd::AsRawFd;

bifs! { BIFS:
    "prim_socket" {
        "nif_sendfile"/5 NifDirtyIo => begin;
        "nif_sendfile"/4 NifDirtyIo => go_on;
        "nif_sendfile"/1 NifDirtyIo => close_file;
    }
}

/// Most bytes that one call is asked to send.
const MOST: usize = 1 << 30;

/// `nif_sendfile(Socket, Reference, Offset, Count, File)`.
fn begin(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let file = prim_file::duplicate(a[4])?;
    check_reference(a[1])?;
    with_open(cx, a[0], |cx, socket, s| {
        if let Some(wait) = socket.await_turn(cx, s, SocketLane::Write, a[1])? {
            return Ok(wait);
        }
        s.counters.sendfiles += 1;
        let file = match file {
            Ok(f) => f,
            Err(e) => return Ok(super::terms::failed(cx, &e)),
        };
        s.file = Some(file);
        send(cx, socket, s, a)
    })
}

/// `nif_sendfile(Socket, Reference, Offset, Count)`: the rest.
fn go_on(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    check_reference(a[1])?;
    let mut is_sending = true;
    let result = with_open(cx, a[0], |cx, socket, s| {
        if s.file.is_none() {
            is_sending = false;
            return Ok(Term::NIL);
        }
        if let Some(wait) = socket.await_turn(cx, s, SocketLane::Write, a[1])? {
            return Ok(wait);
        }
        send(cx, socket, s, a)
    })?;
    match is_sending {
        true => Ok(result),
        false => Err(raise_invalid(cx, atom("state"))),
    }
}

/// The file belongs to the socket and is closed with it or when it is sent; this closes it before.
fn close_file(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    sock(a[0])?.state.lock().file = None;
    Ok(Atom::OK.into())
}

fn send(cx: &mut Ctx<'_>, socket: &Sock, s: &mut SockState, a: &[Term]) -> BifResult {
    let offset = bignum::to_i64(a[2]).filter(|&n| n >= 0);
    let wanted = bignum::to_u64(a[3]);
    let (Some(offset), Some(wanted)) = (offset, wanted) else {
        return Err(badarg());
    };
    let mut sent: u64 = 0;
    loop {
        s.counters.sendfile_tries += 1;
        let left = match wanted {
            0 => MOST,
            n => usize::try_from(n - sent).unwrap_or(MOST).min(MOST),
        };
        let done = |sent: u64| Term::small(sent as i64);
        let result = match (s.open_socket(), &s.file) {
            (Some(fd), Some(file)) => {
                sys::send_file(fd, file.as_raw_fd(), offset + sent as i64, left)
            }
            _ => Err(io::Error::from_raw_os_error(libc::EBADF)),
        };
        match result {
            Ok(n) => {
                s.counters.sendfile_packets += 1;
                s.counters.sendfile_bytes += n as u64;
                s.counters.sendfile_max = s.counters.sendfile_max.max(n as u64);
                sent += n as u64;
                if n == 0 || wanted == sent {
                    s.file = None;
                    socket.finish_turn(s, SocketLane::Write);
                    return Ok(cx.ok(done(sent)));
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                s.counters.sendfile_waits += 1;
                let what = (sent > 0 || a.len() == 4).then(|| done(sent));
                if what.is_none() {
                    // The caller comes with the file again.
                    s.file = None;
                }
                return Ok(socket.wait_for(cx, s, SocketLane::Write, a[1], what));
            }
            Err(e) => {
                s.counters.sendfile_fails += 1;
                s.file = None;
                let why = super::send::give_up(cx, socket, s, &e);
                return Ok(match (sent, why.as_tuple_n::<2>()) {
                    (1.., Some(&[_, reason])) => {
                        let reason = cx.tuple2(reason, done(sent));
                        cx.error(reason)
                    }
                    _ => why,
                });
            }
        }
    }
}
