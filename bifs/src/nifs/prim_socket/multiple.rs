//! Several messages at once, and what only sockets of SCTP have, from 28 on.

use super::receive::{descriptor, message_term, or_usual, read_message};
use super::send::{self, parts_of};
use super::sock::{SockState, SocketLane, check_reference, is_zero, sock, with_open};
use super::terms::{atom, failed, field, need_int};
use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg};
use std::io;

bifs! { BIFS:
    "prim_socket" {
        "nif_recvmmsg"/6 Nif => recvmmsg;
        "nif_sendmmsg"/4 Nif => sendmmsg;
        "nif_bind"/3 Nif => bind_many;
        "nif_peeloff"/2 Nif => peeloff;
        "nif_socknames"/2 Nif => socknames;
        "nif_peernames"/2 Nif => peernames;
    }
}

/// Most messages that one call takes.
const MOST: usize = 1024;

/// `nif_recvmmsg(Socket, Count, Length, ControlLength, Flags, Reference)`: as many as there are.
fn recvmmsg(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let number = |t: Term| t.as_usize().ok_or_else(badarg);
    let (most, size, control) = (number(a[1])?.min(MOST), number(a[2])?, number(a[3])?);
    let flags = need_int(a[4])?;
    let reference = a[5];
    check_reference(reference)?;
    with_open(cx, a[0], |cx, socket, s| {
        if let Some(wait) = socket.await_turn(cx, s, SocketLane::Read, reference)? {
            return Ok(wait);
        }
        let size = or_usual(size, s.otp.read_buffer);
        let control = or_usual(control, s.otp.read_control);
        let mut room = vec![0; size.min(1 << 30)];
        let mut all = Vec::new();
        while all.len() < most {
            s.counters.read_tries = s.counters.read_tries.wrapping_add(1);
            match descriptor(s).and_then(|fd| read_message(fd, &mut room, control, flags)) {
                Ok(got) => {
                    if got.bytes == 0 && s.is_stream() {
                        break;
                    }
                    super::receive::count(s, got.bytes);
                    let data = cx.heap().binary(&room[..got.bytes]);
                    all.push(message_term(cx.heap(), &got, data));
                }
                Err(e) if all.is_empty() && e.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(match is_zero(reference) {
                        true => super::sock::timed_out(),
                        false => socket.wait_for(cx, s, SocketLane::Read, reference, None),
                    });
                }
                Err(e) if all.is_empty() => {
                    s.counters.read_fails = s.counters.read_fails.wrapping_add(1);
                    socket.finish_turn(s, SocketLane::Read);
                    return Ok(failed(cx, &e));
                }
                Err(_) => break,
            }
        }
        if all.is_empty() {
            socket.finish_turn(s, SocketLane::Read);
            return Ok(cx.error(Atom::CLOSED));
        }
        let all = cx.heap().list(&all);
        Ok(super::receive::deliver(cx, socket, s, reference, all))
    })
}

/// `nif_sendmmsg(Socket, Messages, Flags, Reference)`: `ok`, or `{ok, [Bytes]}` of those that were sent where not all were.
fn sendmmsg(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let messages = list::to_vec(a[1]).ok_or_else(badarg)?;
    let flags = need_int(a[2])?;
    let reference = a[3];
    check_reference(reference)?;
    let most = sock(a[0])?.state.lock().otp.write_control;
    let mut all = Vec::new();
    for &m in &messages {
        let parts = field(m, "iov").and_then(parts_of).filter(|p| p.1);
        let parts = parts.ok_or_else(badarg)?.0;
        let envelope = send::envelope_of(m, flags, most).map_err(|_| badarg())?;
        all.push((parts, envelope));
    }
    with_open(cx, a[0], |cx, socket, s| {
        if let Some(wait) = socket.await_turn(cx, s, SocketLane::Write, reference)? {
            return Ok(wait);
        }
        let mut sent: Vec<Term> = Vec::new();
        for (parts, envelope) in &all {
            let parts: Vec<&[u8]> = parts.iter().map(|p| &**p).collect();
            s.counters.write_tries = s.counters.write_tries.wrapping_add(1);
            match send::write(s, &parts, envelope) {
                Ok(n) => {
                    send::count(s, n);
                    sent.push(Term::small(n as i64));
                    if n < parts.iter().map(|p| p.len()).sum() {
                        break;
                    }
                }
                Err(e) if sent.is_empty() && e.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(wait_to_write(cx, socket, s, reference));
                }
                Err(e) if sent.is_empty() => return Ok(send::give_up(cx, socket, s, &e)),
                Err(_) => break,
            }
        }
        socket.finish_turn(s, SocketLane::Write);
        if sent.len() == all.len() {
            return Ok(Atom::OK.into());
        }
        let sent = cx.heap().list(&sent);
        Ok(cx.ok(sent))
    })
}

fn wait_to_write(
    cx: &mut Ctx<'_>,
    socket: &super::sock::Sock,
    s: &mut SockState,
    reference: Term,
) -> Term {
    s.counters.write_waits = s.counters.write_waits.wrapping_add(1);
    let result = socket.wait_for(cx, s, SocketLane::Write, reference, None);
    match result.as_atom() {
        Some(_) => cx.tuple2(atom("select_write"), Term::small(0)),
        None => result,
    }
}

/// The error of a function for SCTP, which is not there.
fn no_sctp(cx: &mut Ctx<'_>, t: Term, function: &str) -> BifResult {
    sock(t)?;
    let what = cx.tuple2(atom("sctp"), atom(function));
    let why = cx.tuple2(atom("notsup"), what);
    Err(Exit::error(why))
}

fn bind_many(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    no_sctp(cx, a[0], "bind")
}

fn peeloff(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    no_sctp(cx, a[0], "peeloff")
}

fn socknames(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    no_sctp(cx, a[0], "socknames")
}

fn peernames(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    no_sctp(cx, a[0], "peernames")
}
