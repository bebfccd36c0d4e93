//! The driver `udp_inet`, as far as a boot needs it: a socket is opened, bound and asked for the host's
//! name. Options are accepted, for nothing is sent or received here yet; every other operation answers
//! `enotsup`.

use super::{Driver, Port};
use crate::errno;
use enigma_runtime::atom::Atom;
use parking_lot::Mutex;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// What is added to the number of every request.
const MAGIC: u32 = 0x03f1_a300;

const OPEN: u32 = 1;
const NAME: u32 = 5;
const BIND: u32 = 6;
const SETOPTS: u32 = 7;
const GETHOSTNAME: u32 = 12;
const GETFD: u32 = 14;
const GETTYPE: u32 = 15;

const FAMILY_INET: u8 = 1;
const FAMILY_INET6: u8 = 2;
const TYPE_DGRAM: u8 = 2;

const REPLY_ERROR: u8 = 0;
const REPLY_OK: u8 = 1;

enum Socket {
    Closed,
    Opened(u8),
    Bound(UdpSocket, u8),
}

struct Udp(Mutex<Socket>);

/// Opens a port of the driver.
pub fn open(owner: u64, name: &str) -> Result<Arc<Port>, Atom> {
    Port::open(owner, name, false, |_| {
        Ok(Box::new(Udp(Mutex::new(Socket::Closed))))
    })
}

fn ok(data: &[u8]) -> Vec<u8> {
    [&[REPLY_OK], data].concat()
}

fn error(name: &str) -> Vec<u8> {
    [&[REPLY_ERROR], name.as_bytes()].concat()
}

impl Driver for Udp {
    fn output(&self, _: &Arc<Port>, _: Vec<u8>) -> Result<(), Atom> {
        Err(Atom::new("enotsup"))
    }

    fn control(&self, _: &Arc<Port>, operation: u32, data: &[u8]) -> Option<Vec<u8>> {
        let mut s = self.0.lock();
        Some(match operation.checked_sub(MAGIC)? {
            OPEN => match data {
                [f @ (FAMILY_INET | FAMILY_INET6), TYPE_DGRAM, ..] => {
                    *s = Socket::Opened(*f);
                    ok(&[])
                }
                _ => error("eafnosupport"),
            },
            BIND => self.bind(&mut s, data),
            SETOPTS => ok(&[]),
            GETHOSTNAME => match std::fs::read_to_string("/proc/sys/kernel/hostname") {
                Ok(name) => ok(name.trim_end().as_bytes()),
                Err(e) => error(errno::of(&e).text()),
            },
            NAME => match &*s {
                Socket::Bound(u, _) => match u.local_addr() {
                    Ok(a) => ok(&address(&a)),
                    Err(e) => error(errno::of(&e).text()),
                },
                _ => error("einval"),
            },
            GETFD => match &*s {
                Socket::Bound(u, _) => ok(&(u.as_raw_fd() as u32).to_be_bytes()),
                _ => error("einval"),
            },
            GETTYPE => match &*s {
                Socket::Opened(f) | Socket::Bound(_, f) => ok(&[0, 0, 0, *f, 0, 0, 0, TYPE_DGRAM]),
                Socket::Closed => error("einval"),
            },
            _ => error("enotsup"),
        })
    }

    fn close(&self) {
        *self.0.lock() = Socket::Closed;
    }
}

impl Udp {
    fn bind(&self, s: &mut Socket, data: &[u8]) -> Vec<u8> {
        let Socket::Opened(family) = *s else {
            return error("einval");
        };
        let Some(to) = socket_address(data) else {
            return error("einval");
        };
        match UdpSocket::bind(to) {
            Ok(u) => {
                let port = u.local_addr().map_or(0, |a| a.port());
                *s = Socket::Bound(u, family);
                ok(&port.to_be_bytes())
            }
            Err(e) => error(errno::of(&e).text()),
        }
    }
}

/// An address as the library encodes it: family, port, bytes.
fn socket_address(data: &[u8]) -> Option<SocketAddr> {
    let (&family, rest) = data.split_first()?;
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let port = u16::from_be_bytes(*port);
    Some(match family {
        FAMILY_INET => (Ipv4Addr::from(*rest.first_chunk::<4>()?), port).into(),
        FAMILY_INET6 => (Ipv6Addr::from(*rest.first_chunk::<16>()?), port).into(),
        _ => return None,
    })
}

fn address(a: &SocketAddr) -> Vec<u8> {
    let mut v = match a {
        SocketAddr::V4(_) => vec![FAMILY_INET],
        SocketAddr::V6(_) => vec![FAMILY_INET6],
    };
    v.extend(a.port().to_be_bytes());
    match a {
        SocketAddr::V4(a) => v.extend(a.ip().octets()),
        SocketAddr::V6(a) => v.extend(a.ip().octets()),
    }
    v
}
