//! Sending.

use super::message;
use super::sock::{Sock, SockState, SocketLane, check_reference, with_open};
use super::sys::{self, ControlMessages};
use super::terms::{atom, failed, field, invalid, need_int};
use super::{address, control};
use crate::bifs;
use crate::ports::inet::sys::{MAX_PARTS, RawAddress};
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::bits;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Term, badarg};
use std::borrow::Cow;
use std::io;

bifs! { BIFS:
    "prim_socket" {
        "nif_send"/4 Nif => send;
        "nif_sendto"/5 Nif => sendto;
        "nif_sendmsg"/5 Nif => sendmsg;
        "nif_sendv"/3 Nif => sendv;
    }
}

/// What goes with the data.
#[derive(Default)]
pub struct Envelope {
    /// Where to.
    pub to: Option<RawAddress>,
    /// Control messages.
    pub control: ControlMessages,
    /// Flags of the system.
    pub flags: i32,
}

/// Makes one system call.
///
/// # Errors
/// The system's.
pub fn write(s: &mut SockState, parts: &[&[u8]], envelope: &Envelope) -> io::Result<usize> {
    let fd = s
        .open_socket()
        .ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))?;
    let to = envelope.to.as_ref();
    sys::send(fd, parts, to, envelope.control.words(), envelope.flags)
}

/// Something was sent.
pub fn count(s: &mut SockState, n: usize) {
    let n = n as u64;
    s.counters.write_packets = s.counters.write_packets.wrapping_add(1);
    s.counters.write_bytes = s.counters.write_bytes.wrapping_add(n);
    s.counters.write_max = s.counters.write_max.max(n);
}

/// Sending has failed: nobody who waits gets any further.
pub fn give_up(cx: &mut Ctx<'_>, socket: &Sock, s: &mut SockState, e: &io::Error) -> Term {
    s.counters.write_fails = s.counters.write_fails.wrapping_add(1);
    let me = cx.proc.id;
    let why = crate::errno::of(e);
    for w in s.writers.take().filter(|w| w.process != me) {
        message::abort(socket, w.process, w.reference.term(), why.into());
    }
    failed(cx, e)
}

/// Sends all parts, of which there may be more than one call takes. `all` says that these are all there are.
fn transmit(
    cx: &mut Ctx<'_>,
    a: &[Term],
    reference: Term,
    parts: &[&[u8]],
    all: bool,
    envelope: &Envelope,
) -> BifResult {
    check_reference(reference)?;
    with_open(cx, a[0], |cx, socket, s| {
        if let Some(wait) = socket.await_turn(cx, s, SocketLane::Write, reference)? {
            return Ok(wait);
        }
        s.counters.write_tries = s.counters.write_tries.wrapping_add(1);
        let size: usize = parts.iter().map(|p| p.len()).sum();
        let sent = match write(s, parts, envelope) {
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                s.counters.write_waits = s.counters.write_waits.wrapping_add(1);
                return Ok(socket.wait_for(cx, s, SocketLane::Write, reference, None));
            }
            Err(e) => return Ok(give_up(cx, socket, s, &e)),
        };
        count(s, sent);
        let n = Term::small(sent as i64);
        if sent < size && s.is_stream() {
            s.counters.write_waits = s.counters.write_waits.wrapping_add(1);
            return Ok(socket.wait_for(cx, s, SocketLane::Write, reference, Some(n)));
        }
        if sent < size {
            socket.finish_turn(s, SocketLane::Write);
            return Ok(cx.ok(n));
        }
        if !all {
            // The rest is sent by another call at once.
            return Ok(cx.tuple2(atom("iov"), n));
        }
        socket.finish_turn(s, SocketLane::Write);
        Ok(Atom::OK.into())
    })
}

/// `nif_send(Socket, Binary, Flags, Reference)`.
fn send(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = bits::binary_bytes(a[1]).ok_or_else(badarg)?;
    let envelope = Envelope {
        flags: need_int(a[2])?,
        ..Envelope::default()
    };
    transmit(cx, a, a[3], &[&bytes], true, &envelope)
}

/// `nif_sendto(Socket, Binary, Address, Flags, Reference)`.
fn sendto(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = bits::binary_bytes(a[1]).ok_or_else(badarg)?;
    let flags = need_int(a[3])?;
    let Some(to) = address::decode(a[2]) else {
        super::sock::sock(a[0])?;
        return Ok(invalid(cx, "sockaddr"));
    };
    let envelope = Envelope {
        to: Some(to),
        flags,
        ..Envelope::default()
    };
    transmit(cx, a, a[4], &[&bytes], true, &envelope)
}

/// The binaries of a list, as many as one call takes, and whether these are all; nothing if one is none.
pub fn parts_of(all: Term) -> Option<(Vec<Cow<'static, [u8]>>, bool)> {
    let items = list::to_vec(all)?;
    let is_all = items.len() <= MAX_PARTS;
    let parts = items.iter().map(|&t| bits::binary_bytes(t));
    let mut parts = parts.collect::<Option<Vec<_>>>()?;
    parts.truncate(MAX_PARTS);
    Some((parts, is_all))
}

/// What a map says besides the data; or the name of the field that cannot be understood.
///
/// # Errors
/// The field.
pub fn envelope_of(m: Term, flags: i32, most_control: usize) -> Result<Envelope, &'static str> {
    let to = match field(m, "addr") {
        None => None,
        Some(a) => Some(address::decode(a).ok_or("addr")?),
    };
    let control = match field(m, "ctrl") {
        None => ControlMessages::default(),
        Some(c) => control::decode(c, most_control).ok_or("ctrl")?,
    };
    Ok(Envelope { to, control, flags })
}

/// `nif_sendmsg(Socket, Message, Flags, Reference, Parts)`.
fn sendmsg(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[1].is_map() {
        return Err(badarg());
    }
    let flags = need_int(a[2])?;
    let (most, stream) = {
        let socket = super::sock::sock(a[0])?;
        let s = socket.state.lock();
        (s.otp.write_control, s.is_stream())
    };
    let Some((parts, is_all)) = parts_of(a[4]).filter(|p| p.1 || stream) else {
        return Ok(invalid(cx, "iov"));
    };
    let envelope = match envelope_of(a[1], flags, most) {
        Ok(e) => e,
        Err(what) => return Ok(invalid(cx, what)),
    };
    let parts: Vec<&[u8]> = parts.iter().map(|p| &**p).collect();
    transmit(cx, a, a[3], &parts, is_all, &envelope)
}

/// `nif_sendv(Socket, Parts, Reference)`.
fn sendv(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let Some((parts, is_all)) = parts_of(a[1]) else {
        super::sock::sock(a[0])?;
        return Ok(invalid(cx, "iov"));
    };
    let parts: Vec<&[u8]> = parts.iter().map(|p| &**p).collect();
    transmit(cx, a, a[2], &parts, is_all, &Envelope::default())
}
