//! Addresses: maps of `socket`, and what the system makes of them.

use super::terms::{atom, field, int, map_of, text, uint};
use crate::ports::inet::address::{self, Parts};
use crate::ports::inet::sys::RawAddress;
use enigma_runtime::heap::bits;
use enigma_runtime::{Heap, Term};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The number of a family that has a name, or that is given by its number.
pub fn domain(t: Term) -> Option<i32> {
    match text(t) {
        Some("inet") => Some(libc::AF_INET),
        Some("inet6") => Some(libc::AF_INET6),
        Some("local") => Some(libc::AF_UNIX),
        Some("unspec") => Some(libc::AF_UNSPEC),
        _ => int(t),
    }
}

/// The name of a family, or its number.
pub fn domain_term(h: &mut Heap, domain: i32) -> Term {
    match domain {
        libc::AF_INET => atom("inet"),
        libc::AF_INET6 => atom("inet6"),
        libc::AF_UNIX => atom("local"),
        libc::AF_UNSPEC => atom("unspec"),
        n => h.int(i64::from(n)),
    }
}

/// The numbers of kinds that have names, and those.
const KINDS: &[(&str, i32)] = &[
    ("stream", libc::SOCK_STREAM),
    ("dgram", libc::SOCK_DGRAM),
    ("raw", libc::SOCK_RAW),
    ("seqpacket", libc::SOCK_SEQPACKET),
    ("rdm", libc::SOCK_RDM),
];

/// The number of a kind of sockets.
pub fn kind(t: Term) -> Option<i32> {
    match text(t) {
        Some(name) => KINDS.iter().find(|k| k.0 == name).map(|k| k.1),
        None => int(t),
    }
}

/// The name of a kind of sockets, or its number.
pub fn kind_term(h: &mut Heap, kind: i32) -> Term {
    match KINDS.iter().find(|k| k.1 == kind) {
        Some(k) => atom(k.0),
        None => h.int(i64::from(kind)),
    }
}

fn tuple_of<const N: usize>(t: Term, most: i64) -> Option<[u16; N]> {
    let parts = t.as_tuple()?;
    let mut out = [0; N];
    if parts.len() != N {
        return None;
    }
    for (to, part) in out.iter_mut().zip(parts) {
        let n = part.as_small().filter(|n| (0..=most).contains(n))?;
        *to = n as u16;
    }
    Some(out)
}

/// An address of IPv4 by its four numbers or its name.
pub fn ipv4(t: Term) -> Option<Ipv4Addr> {
    match text(t) {
        Some("any") => Some(Ipv4Addr::UNSPECIFIED),
        Some("loopback") => Some(Ipv4Addr::LOCALHOST),
        Some("broadcast") => Some(Ipv4Addr::BROADCAST),
        Some(_) => None,
        None => tuple_of::<4>(t, 255).map(|p| p.map(|n| n as u8).into()),
    }
}

/// An address of IPv6 by its eight numbers or its name.
pub fn ipv6(t: Term) -> Option<Ipv6Addr> {
    match text(t) {
        Some("any") => Some(Ipv6Addr::UNSPECIFIED),
        Some("loopback") => Some(Ipv6Addr::LOCALHOST),
        Some(_) => None,
        None => tuple_of::<8>(t, 0xffff).map(Ipv6Addr::from),
    }
}

/// The four numbers of an address of IPv4.
pub fn ipv4_term(h: &mut Heap, ip: Ipv4Addr) -> Term {
    let parts = ip.octets().map(|n| Term::small(i64::from(n)));
    h.tuple(&parts)
}

/// The eight numbers of an address of IPv6.
pub fn ipv6_term(h: &mut Heap, ip: Ipv6Addr) -> Term {
    let parts = ip.segments().map(|n| Term::small(i64::from(n)));
    h.tuple(&parts)
}

/// The low bits of a number, as the system's structures take it.
fn port(m: Term) -> Option<u16> {
    int(field(m, "port")?).map(|n| n as u16)
}

/// The system's address of a map that `prim_socket` has completed.
pub fn decode(m: Term) -> Option<RawAddress> {
    let family = field(m, "family")?;
    match text(family) {
        Some("inet") => {
            let ip = ipv4(field(m, "addr")?)?;
            Some(address::v4(ip, port(m)?))
        }
        Some("inet6") => {
            let ip = ipv6(field(m, "addr")?)?;
            let flow = uint(field(m, "flowinfo")?)?;
            let scope = uint(field(m, "scope_id")?)?;
            Some(address::v6(ip, port(m)?, flow, scope))
        }
        Some("local") => {
            let path = bits::binary_bytes(field(m, "path")?)?;
            address::local(&path).ok()
        }
        Some("unspec") => native(libc::AF_UNSPEC, m),
        Some("packet") => packet(m),
        Some(_) => None,
        None => native(int(family)?, m),
    }
}

/// Bytes behind the family of an address.
const DATA_AT: usize = std::mem::offset_of!(libc::sockaddr, sa_data);

fn native(family: i32, m: Term) -> Option<RawAddress> {
    let bytes = bits::binary_bytes(field(m, "addr")?)?;
    let mut a = [0u8; size_of::<libc::sockaddr_storage>()];
    a[..2].copy_from_slice(&(family as libc::sa_family_t).to_ne_bytes());
    a.get_mut(DATA_AT..DATA_AT + bytes.len())?
        .copy_from_slice(&bytes);
    Some(RawAddress::of(a, DATA_AT + bytes.len()))
}

/// The numbers of kinds of hardware that have names, and those.
const HARDWARE: &[(&str, u16)] = &[
    ("netrom", libc::ARPHRD_NETROM),
    ("ether", libc::ARPHRD_ETHER),
    ("eether", libc::ARPHRD_EETHER),
    ("ax25", libc::ARPHRD_AX25),
    ("pronet", libc::ARPHRD_PRONET),
    ("chaos", libc::ARPHRD_CHAOS),
    ("ieee802", libc::ARPHRD_IEEE802),
    ("arcnet", libc::ARPHRD_ARCNET),
    ("appletlk", libc::ARPHRD_APPLETLK),
    ("dlci", libc::ARPHRD_DLCI),
    ("atm", libc::ARPHRD_ATM),
    ("metricom", libc::ARPHRD_METRICOM),
    ("ieee1394", libc::ARPHRD_IEEE1394),
    ("eui64", libc::ARPHRD_EUI64),
    ("infiniband", libc::ARPHRD_INFINIBAND),
    ("tunnel", libc::ARPHRD_TUNNEL),
    ("tunnel6", libc::ARPHRD_TUNNEL6),
    ("loopback", libc::ARPHRD_LOOPBACK),
    ("localtlk", libc::ARPHRD_LOCALTLK),
    ("none", libc::ARPHRD_NONE),
    ("void", libc::ARPHRD_VOID),
];

/// The numbers of kinds of packets that have names, and those.
const PACKETS: &[(&str, u8)] = &[
    ("host", 0),
    ("broadcast", 1),
    ("multicast", 2),
    ("otherhost", 3),
    ("outgoing", 4),
    ("loopback", 5),
    ("user", 6),
    ("kernel", 7),
    ("fastroute", 6),
];

/// The name of a kind of hardware, or its number.
pub fn hardware_term(kind: u16) -> Term {
    match HARDWARE.iter().find(|k| k.1 == kind) {
        Some(k) => atom(k.0),
        None => Term::small(i64::from(kind)),
    }
}

fn named<T: Copy + TryFrom<i32>>(t: Term, names: &[(&str, T)]) -> Option<T> {
    match text(t) {
        Some(name) => names.iter().find(|n| n.0 == name).map(|n| n.1),
        None => T::try_from(int(t)?).ok(),
    }
}

fn packet(m: Term) -> Option<RawAddress> {
    let bytes = bits::binary_bytes(field(m, "addr")?)?;
    let number = |key| int(field(m, key)?);
    let mut a = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: u16::try_from(number("protocol")?).ok()?.to_be(),
        sll_ifindex: number("ifindex")?,
        sll_hatype: named(field(m, "hatype")?, HARDWARE)?,
        sll_pkttype: named(field(m, "pkttype")?, PACKETS)?,
        sll_halen: bytes.len() as u8,
        sll_addr: [0; 8],
    };
    a.sll_addr.get_mut(..bytes.len())?.copy_from_slice(&bytes);
    Some(RawAddress::of(a, size_of::<libc::sockaddr_ll>()))
}

/// The map of an address of the system.
pub fn encode(h: &mut Heap, a: &RawAddress) -> Term {
    match address::parts(a) {
        Parts::V4(ip, port) => {
            let addr = ipv4_term(h, ip);
            let port = Term::small(i64::from(port));
            map_of(
                h,
                &[("family", atom("inet")), ("port", port), ("addr", addr)],
            )
        }
        Parts::V6(ip, port) => {
            let addr = ipv6_term(h, ip);
            // SAFETY: plain numbers.
            let whole: libc::sockaddr_in6 = unsafe { a.cast() };
            let flow = Term::small(i64::from(whole.sin6_flowinfo));
            let scope = Term::small(i64::from(whole.sin6_scope_id));
            map_of(
                h,
                &[
                    ("family", atom("inet6")),
                    ("port", Term::small(i64::from(port))),
                    ("addr", addr),
                    ("flowinfo", flow),
                    ("scope_id", scope),
                ],
            )
        }
        Parts::Local(path) => {
            let path = h.binary(&path);
            map_of(h, &[("family", atom("local")), ("path", path)])
        }
        _ if a.size() >= size_of::<libc::sockaddr_ll>() && a.family() == libc::AF_PACKET => {
            encode_packet(h, a)
        }
        _ => {
            // SAFETY: plain bytes.
            let all: [u8; size_of::<libc::sockaddr_storage>()] = unsafe { a.cast() };
            let end = a.size().clamp(DATA_AT, all.len());
            let addr = h.binary(&all[DATA_AT..end]);
            let family = domain_term(h, a.family());
            map_of(h, &[("family", family), ("addr", addr)])
        }
    }
}

fn encode_packet(h: &mut Heap, a: &RawAddress) -> Term {
    // SAFETY: plain numbers.
    let a: libc::sockaddr_ll = unsafe { a.cast() };
    let len = usize::from(a.sll_halen).min(a.sll_addr.len());
    let addr = h.binary(&a.sll_addr[..len]);
    let kind = match PACKETS.iter().find(|p| p.1 == a.sll_pkttype) {
        Some(p) => atom(p.0),
        None => Term::small(i64::from(a.sll_pkttype)),
    };
    let protocol = Term::small(i64::from(u16::from_be(a.sll_protocol)));
    map_of(
        h,
        &[
            ("family", atom("packet")),
            ("protocol", protocol),
            ("ifindex", Term::small(i64::from(a.sll_ifindex))),
            ("hatype", hardware_term(a.sll_hatype)),
            ("pkttype", kind),
            ("addr", addr),
        ],
    )
}
