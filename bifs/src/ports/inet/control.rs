//! Requests that sockets of all kinds answer in the same way.

use super::address;
use super::codes;
use super::descriptor::{Counters, Descriptor, SocketPhase, failed, ok, refused};
use super::options::{self, BadOption};
use super::sys::{RawAddress, Socket};
use super::{interfaces, services};
use std::io;

/// The answer to a request that no socket answers in the state that it is in.
const BAD_PORT: &str = "exbadport";

/// What a request came to.
pub enum ControlAnswer {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The caller's arguments are no good: `badarg`.
    BadArgument,
    /// It is for the driver of this kind of socket.
    Unknown,
}

fn of<T: AsRef<[u8]>>(result: io::Result<T>) -> ControlAnswer {
    ControlAnswer::Bytes(match result {
        Ok(bytes) => ok(bytes.as_ref()),
        Err(e) => failed(&e),
    })
}

fn invalid() -> ControlAnswer {
    ControlAnswer::Bytes(refused("einval"))
}

fn bad_port() -> ControlAnswer {
    ControlAnswer::Bytes(refused(BAD_PORT))
}

/// Answers a request. `pending`: bytes that wait to be sent; `flags`: of the state.
pub fn answer(
    d: &mut Descriptor,
    request: u32,
    data: &[u8],
    caller: u64,
    pending: usize,
    flags: u32,
) -> ControlAnswer {
    match request {
        codes::OPEN => open(d, data),
        codes::FDOPEN => adopt(d, data),
        codes::CLOSE => {
            d.subscribers.clear();
            ControlAnswer::Bytes(ok(&[]))
        }
        codes::BIND => bind(d, data),
        codes::PEER => match &d.peer {
            Some(a) => ControlAnswer::Bytes(ok(&address::encode(a))),
            None if !d.is_connected() => ControlAnswer::Bytes(refused("enotconn")),
            None => of(d
                .socket()
                .and_then(Socket::peer)
                .map(|a| address::encode(&a))),
        },
        codes::NAME => match &d.name {
            Some(a) => ControlAnswer::Bytes(ok(&address::encode(a))),
            None => of(d
                .socket()
                .and_then(Socket::local)
                .map(|a| address::encode(&a))),
        },
        codes::SETPEER => set_name(d, data, |d| &mut d.peer),
        codes::SETNAME => set_name(d, data, |d| &mut d.name),
        codes::GETOPTS => match options::get(d, data) {
            Ok(values) => ControlAnswer::Bytes(ok(&values)),
            Err(BadOption) => invalid(),
        },
        codes::GETSTAT => statistics(d, data, pending),
        codes::SUBSCRIBE => subscribe(d, data, caller, pending),
        codes::GETHOSTNAME if data.is_empty() => of(services::host()),
        codes::GETHOSTNAME => invalid(),
        codes::GETFD => match d.socket() {
            Ok(s) => ControlAnswer::Bytes(ok(&(s.fd() as u32).to_be_bytes())),
            Err(_) => invalid(),
        },
        codes::GETTYPE if !d.is_open() => invalid(),
        codes::GETTYPE => {
            let family = match d.family {
                libc::AF_INET => u32::from(codes::AF_INET),
                libc::AF_INET6 => u32::from(codes::AF_INET6),
                libc::AF_UNIX => u32::from(codes::AF_LOCAL),
                _ => return invalid(),
            };
            let kind = if d.stream {
                codes::TYPE_STREAM
            } else {
                codes::TYPE_DGRAM
            };
            let both = [family.to_be_bytes(), u32::from(kind).to_be_bytes()];
            ControlAnswer::Bytes(ok(&both.concat()))
        }
        codes::GETSTATUS => ControlAnswer::Bytes(ok(&flags.to_be_bytes())),
        codes::GETSERVBYNAME => match service_port(data) {
            Some(port) => ControlAnswer::Bytes(ok(&port.to_be_bytes())),
            None => invalid(),
        },
        codes::GETSERVBYPORT => match service_name(data) {
            Some(name) => ControlAnswer::Bytes(ok(&name)),
            None => invalid(),
        },
        codes::GETIFLIST | codes::GETIFADDRS | codes::IFGET | codes::IFSET if !d.is_open() => {
            bad_port()
        }
        codes::GETIFLIST => of(interfaces::list()),
        codes::GETIFADDRS => of(interfaces::addresses()),
        codes::IFGET => of(d.socket().and_then(|s| interfaces::get(s, data))),
        codes::IFSET => of(d
            .socket()
            .and_then(|s| interfaces::set(s, data))
            .map(|()| [])),
        codes::GETLADDRS | codes::GETPADDRS if data.len() != 4 => invalid(),
        // One that has no associations has one address.
        codes::GETLADDRS => of(d
            .socket()
            .and_then(Socket::local)
            .map(|a| address::encode(&a))),
        codes::GETPADDRS => of(d
            .socket()
            .and_then(Socket::peer)
            .map(|a| address::encode(&a))),
        _ => ControlAnswer::Unknown,
    }
}

/// The system's numbers of family, type and protocol that are asked for.
fn kind(d: &Descriptor, data: &[u8]) -> Result<(i32, i32, i32), &'static str> {
    let (family, kind, protocol) = match *data {
        [f, t] => (f, t, 0),
        [f, t, p] => (f, t, p),
        _ => return Err("einval"),
    };
    let family = match family {
        codes::AF_INET => libc::AF_INET,
        codes::AF_INET6 => libc::AF_INET6,
        codes::AF_LOCAL => libc::AF_UNIX,
        _ => return Err("eafnosupport"),
    };
    let kind = match (kind, d.stream) {
        (codes::TYPE_STREAM, true) => libc::SOCK_STREAM,
        (codes::TYPE_DGRAM, false) => libc::SOCK_DGRAM,
        _ => return Err("einval"),
    };
    let protocol = if protocol == codes::PROTO_MPTCP && d.stream {
        libc::IPPROTO_MPTCP
    } else {
        0
    };
    Ok((family, kind, protocol))
}

fn open(d: &mut Descriptor, data: &[u8]) -> ControlAnswer {
    let (family, kind, protocol) = match kind(d, data) {
        Ok(k) => k,
        Err(why) => return ControlAnswer::Bytes(refused(why)),
    };
    if d.is_open() {
        return ControlAnswer::Bytes(refused("exbadseq"));
    }
    match options::open(d, family, kind, protocol) {
        Ok(s) => {
            d.set_socket(s, family);
            ControlAnswer::Bytes(ok(&[]))
        }
        Err(e) => ControlAnswer::Bytes(failed(&e)),
    }
}

/// Takes over a descriptor: family, type, perhaps the protocol, the descriptor, and whether it is bound (or connected).
fn adopt(d: &mut Descriptor, data: &[u8]) -> ControlAnswer {
    let Some((front, [f3, f2, f1, f0, ..])) = data.split_last_chunk::<8>() else {
        return invalid();
    };
    let (family, wanted, _) = match kind(d, front) {
        Ok(k) => k,
        Err(why) => return ControlAnswer::Bytes(refused(why)),
    };
    if d.is_open() {
        return ControlAnswer::Bytes(refused("exbadseq"));
    }
    let fd = i32::from_be_bytes([*f3, *f2, *f1, *f0]);
    let socket = match Socket::adopt(fd) {
        Ok(s) => s,
        Err(e) => return ControlAnswer::Bytes(failed(&e)),
    };
    // What is no socket of the kind that was asked for is left alone.
    let found = socket.get_int(libc::SOL_SOCKET, libc::SO_TYPE);
    let found = found.and_then(|kind| Ok((kind, socket.local()?.family())));
    match found {
        Ok(found) if found == (wanted, family) && socket.never_block().is_ok() => {}
        Ok(_) => {
            socket.release();
            return invalid();
        }
        Err(e) => {
            socket.release();
            return ControlAnswer::Bytes(failed(&e));
        }
    }
    if d.stream {
        if socket.peer().is_ok() {
            d.phase = SocketPhase::Connected;
        } else if socket
            .get_int(libc::SOL_SOCKET, libc::SO_ACCEPTCONN)
            .unwrap_or(0)
            != 0
        {
            d.phase = SocketPhase::Listening;
        }
    }
    d.borrowed = true;
    d.set_socket(socket, family);
    ControlAnswer::Bytes(ok(&[]))
}

fn bind(d: &mut Descriptor, mut data: &[u8]) -> ControlAnswer {
    if data.len() < 2 {
        return invalid();
    }
    if !d.is_open() || d.phase != SocketPhase::Idle {
        return bad_port();
    }
    let a = match d.take_address(&mut data) {
        Ok(a) => a,
        Err(why) => return ControlAnswer::Bytes(refused(why.name())),
    };
    let bound = d.socket().and_then(|s| {
        s.bind(&a)?;
        s.local()
    });
    match bound {
        Ok(a) => ControlAnswer::Bytes(ok(&address::port(&a).to_be_bytes())),
        Err(e) => ControlAnswer::Bytes(failed(&e)),
    }
}

fn set_name(
    d: &mut Descriptor,
    mut data: &[u8],
    place: fn(&mut Descriptor) -> &mut Option<Box<RawAddress>>,
) -> ControlAnswer {
    let name = if data.is_empty() {
        None
    } else {
        match d.take_address(&mut data) {
            Ok(a) => Some(Box::new(a)),
            Err(_) => return invalid(),
        }
    };
    *place(d) = name;
    ControlAnswer::Bytes(ok(&[]))
}

fn statistics(d: &Descriptor, data: &[u8], pending: usize) -> ControlAnswer {
    let mut out = Vec::new();
    let Counters {
        count,
        max,
        average,
        deviation,
        octets,
    } = d.received;
    for &code in data {
        out.push(code);
        let n = match code {
            codes::RECV_CNT => count,
            codes::RECV_MAX => max,
            codes::RECV_AVG => average as u32,
            codes::RECV_DVI => deviation as u32,
            codes::SEND_CNT => d.sent.count,
            codes::SEND_MAX => d.sent.max,
            codes::SEND_AVG => d.sent.average as u32,
            codes::SEND_PEND => u32::try_from(pending).unwrap_or(u32::MAX),
            codes::RECV_OCT => {
                out.extend(octets.to_be_bytes());
                continue;
            }
            codes::SEND_OCT => {
                out.extend(d.sent.octets.to_be_bytes());
                continue;
            }
            _ => return ControlAnswer::BadArgument,
        };
        out.extend(n.to_be_bytes());
    }
    ControlAnswer::Bytes(ok(&out))
}

fn subscribe(d: &mut Descriptor, data: &[u8], caller: u64, pending: usize) -> ControlAnswer {
    let mut out = Vec::new();
    for &code in data {
        if code != codes::SUBS_EMPTY_OUT_Q {
            return ControlAnswer::BadArgument;
        }
        if pending > 0 {
            d.subscribers.push(caller);
        }
        out.push(code);
        out.extend(u32::try_from(pending).unwrap_or(u32::MAX).to_be_bytes());
    }
    ControlAnswer::Bytes(ok(&out))
}

fn service_port(mut data: &[u8]) -> Option<u16> {
    let name = take_name(&mut data)?;
    let protocol = take_name(&mut data)?;
    services::port(name, protocol)
}

fn service_name(mut data: &[u8]) -> Option<Vec<u8>> {
    let port = u16::from_be_bytes(*address::take_array(&mut data).ok()?);
    let protocol = take_name(&mut data)?;
    services::name(port, protocol)
}

fn take_name<'a>(data: &mut &'a [u8]) -> Option<&'a [u8]> {
    let [n] = *address::take_array(data).ok()?;
    address::take_bytes(data, usize::from(n)).ok()
}
