//! Opening sockets, addresses, listening.

use super::address;
use super::message::InMessages;
use super::sock::{Sock, with_open};
use super::sys;
use super::terms::{boolean_field, closed, done, failed, field, int, invalid, need_int, text};
use crate::bifs;
use crate::ports::inet::sys::{RawAddress, Socket, in_namespace};
use enigma_runtime::heap::bits;
use enigma_runtime::{BifResult, Ctx, Term, badarg};
use std::io;
use std::sync::Arc;

bifs! { BIFS:
    "prim_socket" {
        "nif_open"/2 Nif => open_descriptor;
        "nif_open"/4 Nif => open;
        "nif_bind"/2 Nif => bind;
        "nif_listen"/2 Nif => listen;
        "nif_sockname"/1 Nif => sockname;
        "nif_peername"/1 Nif => peername;
    }
}

/// What a map of options says about the socket as OTP sees it.
fn apply_options(socket: &Sock, options: Term) {
    let mut s = socket.state.lock();
    if let Some(on) = boolean_field(options, "debug") {
        s.otp.debug = on;
    }
    if let Some(on) = boolean_field(options, "use_registry") {
        s.otp.in_registry = on;
    }
}

fn give(cx: &mut Ctx<'_>, socket: &Arc<Sock>) -> Term {
    socket.enter_registry();
    let t = socket.to_term(cx.heap());
    cx.ok(t)
}

/// `nif_open(Domain, Type, Protocol, Options)`.
fn open(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[3].is_map() {
        return Err(badarg());
    }
    let protocol = need_int(a[2])?;
    let Some(domain) = address::domain(a[0]) else {
        return Ok(invalid(cx, "domain"));
    };
    let Some(kind) = address::kind(a[1]) else {
        return Ok(invalid(cx, "type"));
    };
    let namespace = field(a[3], "netns").and_then(bits::binary_bytes);
    let make = || Socket::new(domain, kind, protocol);
    let made = match &namespace {
        None => make(),
        Some(path) => in_namespace(path, make),
    };
    let socket = match made {
        Ok(s) => s,
        Err(e) => return Ok(failed(cx, &e)),
    };
    let known = socket.get_int(libc::SOL_SOCKET, libc::SO_PROTOCOL);
    let protocol = known.unwrap_or(protocol);
    let socket = Sock::new(cx, socket, (domain, kind, protocol), None);
    apply_options(&socket, a[3]);
    Ok(give(cx, &socket))
}

/// `nif_open(Descriptor, Options)`: a socket that somebody else has made; a copy of the descriptor, unless `dup` is false.
fn open_descriptor(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let fd = need_int(a[0])?;
    if !a[1].is_map() {
        return Err(badarg());
    }
    let options = a[1];
    let is_copied = boolean_field(options, "dup").unwrap_or(true);
    // What is asked of the descriptor does not need one of our own, but a copy is closed where something is wrong.
    let copy = sys::duplicate(fd);
    let ask = |name| {
        let copy = copy.as_ref().ok()?;
        copy.get_int(libc::SOL_SOCKET, name).ok()
    };
    let domain = match field(options, "domain") {
        Some(t) => match address::domain(t) {
            Some(d) => d,
            None => return Ok(invalid(cx, "domain")),
        },
        None => match ask(libc::SO_DOMAIN) {
            Some(d) => d,
            None => return Ok(invalid(cx, "domain")),
        },
    };
    let kind = match field(options, "type") {
        Some(t) => match address::kind(t) {
            Some(k) => k,
            None => return Ok(invalid(cx, "type")),
        },
        None => match ask(libc::SO_TYPE) {
            Some(k) => k,
            None => return Ok(invalid(cx, "type")),
        },
    };
    let protocol = match field(options, "protocol") {
        Some(t) if text(t) == Some("default") => 0,
        Some(t) => int(t).ok_or_else(badarg)?,
        None => ask(libc::SO_PROTOCOL).unwrap_or(0),
    };
    let is_listening = ask(libc::SO_ACCEPTCONN).is_some_and(|n| n != 0);
    let is_connected = copy.as_ref().is_ok_and(|c| c.peer().is_ok());
    let used = match is_copied {
        true => copy,
        false => Socket::adopt(fd),
    };
    let used = match used.and_then(|s| s.never_block().map(|()| s)) {
        Ok(s) => s,
        Err(e) => return Ok(failed(cx, &e)),
    };
    let socket = Sock::new(cx, used, (domain, kind, protocol), None);
    apply_options(&socket, options);
    {
        let mut s = socket.state.lock();
        s.original = Some(fd);
        s.owns_descriptor = is_copied;
        s.marks.listening = is_listening;
        s.marks.connected = is_connected;
    }
    Ok(give(cx, &socket))
}

fn bind(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let Some(address) = address::decode(a[1]) else {
        super::sock::sock(a[0])?;
        return Ok(invalid(cx, "sockaddr"));
    };
    with_open(cx, a[0], |cx, _, s| {
        let Some(socket) = s.open_socket() else {
            return Ok(closed(cx));
        };
        let result = socket.bind(&address);
        s.marks.bound |= result.is_ok();
        Ok(done(cx, result))
    })
}

fn listen(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let backlog = need_int(a[1])?;
    with_open(cx, a[0], |cx, _, s| {
        let Some(socket) = s.open_socket() else {
            return Ok(closed(cx));
        };
        let result = socket.listen(backlog);
        s.marks.listening |= result.is_ok();
        Ok(done(cx, result))
    })
}

fn name(cx: &mut Ctx<'_>, t: Term, ask: fn(&Socket) -> io::Result<RawAddress>) -> BifResult {
    with_open(cx, t, |cx, _, s| {
        let Some(socket) = s.open_socket() else {
            return Ok(closed(cx));
        };
        match ask(socket) {
            Ok(a) => {
                let a = address::encode(cx.heap(), &a);
                Ok(cx.ok(a))
            }
            Err(e) => Ok(failed(cx, &e)),
        }
    })
}

fn sockname(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    name(cx, a[0], Socket::local)
}

fn peername(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    name(cx, a[0], Socket::peer)
}
