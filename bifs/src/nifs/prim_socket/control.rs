//! Control messages: maps of `socket`, and what the system makes of them.

use super::address;
use super::service;
use super::sys::ControlMessages;
use super::terms::{atom, field, int, map_of, plain_data, text, uint};
use crate::errno;
use crate::ports::inet::sys::RawAddress;
use enigma_runtime::term::list;
use enigma_runtime::{Heap, Term};

/// What the data of a control message is.
#[derive(Clone, Copy)]
enum Content {
    /// Nothing but bytes.
    Bytes,
    /// Seconds and microseconds.
    Time,
    /// Seconds and nanoseconds.
    FineTime,
    /// A number.
    Number,
    /// How datagrams are to be treated.
    TypeOfService,
    /// Interface and addresses of IPv4.
    PacketInfo4,
    /// Interface and address of IPv6.
    PacketInfo6,
    /// An address.
    Address,
    /// An error that was queued.
    Error,
}

/// The messages that have names: level, type, name, content.
const KNOWN: &[(i32, i32, &str, Content)] = &[
    (
        libc::SOL_SOCKET,
        libc::SCM_TIMESTAMP,
        "timestamp",
        Content::Time,
    ),
    (
        libc::SOL_SOCKET,
        libc::SCM_TIMESTAMPNS,
        "timestampns",
        Content::FineTime,
    ),
    (libc::SOL_SOCKET, libc::SCM_RIGHTS, "rights", Content::Bytes),
    (
        libc::SOL_SOCKET,
        libc::SCM_CREDENTIALS,
        "credentials",
        Content::Bytes,
    ),
    (
        libc::IPPROTO_IP,
        libc::IP_TOS,
        "tos",
        Content::TypeOfService,
    ),
    (
        libc::IPPROTO_IP,
        libc::IP_RECVTOS,
        "recvtos",
        Content::TypeOfService,
    ),
    (libc::IPPROTO_IP, libc::IP_TTL, "ttl", Content::Number),
    (
        libc::IPPROTO_IP,
        libc::IP_RECVTTL,
        "recvttl",
        Content::Number,
    ),
    (
        libc::IPPROTO_IP,
        libc::IP_PKTINFO,
        "pktinfo",
        Content::PacketInfo4,
    ),
    (
        libc::IPPROTO_IP,
        libc::IP_ORIGDSTADDR,
        "origdstaddr",
        Content::Address,
    ),
    (
        libc::IPPROTO_IP,
        libc::IP_RECVERR,
        "recverr",
        Content::Error,
    ),
    (
        libc::IPPROTO_IPV6,
        libc::IPV6_PKTINFO,
        "pktinfo",
        Content::PacketInfo6,
    ),
    (
        libc::IPPROTO_IPV6,
        libc::IPV6_HOPLIMIT,
        "hoplimit",
        Content::Number,
    ),
    (
        libc::IPPROTO_IPV6,
        libc::IPV6_TCLASS,
        "tclass",
        Content::Number,
    ),
    (
        libc::IPPROTO_IPV6,
        libc::IPV6_RECVERR,
        "recverr",
        Content::Error,
    ),
];

/// The map of a message that has come.
pub fn encode(h: &mut Heap, level: i32, kind: i32, data: &[u8]) -> Term {
    let level_term = match level {
        libc::SOL_SOCKET => atom("socket"),
        n => h.int(i64::from(n)),
    };
    let known = KNOWN.iter().find(|k| (k.0, k.1) == (level, kind));
    let type_term = match known {
        Some(k) => atom(k.2),
        None => h.int(i64::from(kind)),
    };
    let bytes = h.binary(data);
    let mut pairs = vec![("level", level_term), ("type", type_term), ("data", bytes)];
    if let Some(value) = known.and_then(|k| encode_value(h, k.3, data)) {
        pairs.push(("value", value));
    }
    map_of(h, &pairs)
}

fn number_at(data: &[u8], at: usize) -> Option<i32> {
    let bytes = data.get(at..at + 4)?.try_into().ok()?;
    Some(i32::from_ne_bytes(bytes))
}

fn long_at(data: &[u8], at: usize) -> Option<i64> {
    let bytes = data.get(at..at + 8)?.try_into().ok()?;
    Some(i64::from_ne_bytes(bytes))
}

fn encode_value(h: &mut Heap, content: Content, data: &[u8]) -> Option<Term> {
    match content {
        Content::Bytes => None,
        Content::Time | Content::FineTime => {
            let seconds = h.int(long_at(data, 0)?);
            let rest = h.int(long_at(data, 8)?);
            let rest_name = match content {
                Content::Time => "usec",
                _ => "nsec",
            };
            Some(map_of(h, &[("sec", seconds), (rest_name, rest)]))
        }
        Content::Number => number_at(data, 0).map(|n| h.int(i64::from(n))),
        Content::TypeOfService => {
            let n = match data.len() {
                1 => i32::from(data[0]),
                _ => number_at(data, 0)?,
            };
            Some(service::encode(h, n))
        }
        Content::PacketInfo4 => {
            let interface = h.uint(number_at(data, 0)? as u32 as u64);
            let ip = |at: usize| data.get(at..at + 4)?.first_chunk::<4>().copied();
            let (own, other) = (ip(4)?, ip(8)?);
            let own = address::ipv4_term(h, own.into());
            let other = address::ipv4_term(h, other.into());
            let pairs = [("ifindex", interface), ("spec_dst", own), ("addr", other)];
            Some(map_of(h, &pairs))
        }
        Content::PacketInfo6 => {
            let ip = *data.first_chunk::<16>()?;
            let ip = address::ipv6_term(h, ip.into());
            let interface = h.uint(number_at(data, 16)? as u32 as u64);
            Some(map_of(h, &[("addr", ip), ("ifindex", interface)]))
        }
        Content::Address => address_term(h, data),
        Content::Error => encode_error(h, data),
    }
}

/// The map of an address that is part of other data.
fn address_term(h: &mut Heap, data: &[u8]) -> Option<Term> {
    let mut room = [0; size_of::<libc::sockaddr_storage>()];
    let len = data.len().min(room.len());
    if len < 2 {
        return None;
    }
    room[..len].copy_from_slice(&data[..len]);
    let a = RawAddress::of(room, len);
    Some(address::encode(h, &a))
}

/// Where a queued error comes from.
const ORIGINS: &[(u8, &str)] = &[
    (0, "none"),
    (1, "local"),
    (2, "icmp"),
    (3, "icmp6"),
    (4, "txstatus"),
    (5, "zerocopy"),
    (6, "txtime"),
];

/// Types of messages of ICMP by which an address cannot be reached, or time was exceeded.
const UNREACHABLE_4: u8 = 3;
const TIME_EXCEEDED_4: u8 = 11;
const UNREACHABLE_6: u8 = 1;
const TOO_BIG_6: u8 = 2;
const TIME_EXCEEDED_6: u8 = 3;

/// The names of types of errors, and of codes of those by which an address cannot be reached.
fn error_names(origin: u8, kind: u8, code: u8) -> (Option<&'static str>, Option<&'static str>) {
    match (origin, kind) {
        (2, UNREACHABLE_4) => {
            let code = match code {
                0 => Some("net_unreach"),
                1 => Some("host_unreach"),
                3 => Some("port_unreach"),
                4 => Some("frag_needed"),
                9 => Some("net_ano"),
                10 => Some("host_ano"),
                6 => Some("net_unknown"),
                7 => Some("host_unknown"),
                13 => Some("pkt_filtered"),
                _ => None,
            };
            (Some("dest_unreach"), code)
        }
        (2, TIME_EXCEEDED_4) => (Some("time_exceeded"), None),
        (3, UNREACHABLE_6) => {
            let code = match code {
                0 => Some("noroute"),
                1 => Some("adm_prohibited"),
                2 => Some("not_neighbour"),
                3 => Some("addr_unreach"),
                4 => Some("port_unreach"),
                5 => Some("policy_fail"),
                6 => Some("reject_route"),
                _ => None,
            };
            (Some("dest_unreach"), code)
        }
        (3, TOO_BIG_6) => (Some("pkt_toobig"), None),
        (3, TIME_EXCEEDED_6) => (Some("time_exceeded"), None),
        _ => (None, None),
    }
}

fn encode_error(h: &mut Heap, data: &[u8]) -> Option<Term> {
    let error = atom(errno::name(number_at(data, 0)?));
    let (&origin, &kind, &code) = (data.get(4)?, data.get(5)?, data.get(6)?);
    let origin_term = match ORIGINS.iter().find(|o| o.0 == origin) {
        Some(o) => atom(o.1),
        None => Term::small(i64::from(origin)),
    };
    let (kind_name, code_name) = error_names(origin, kind, code);
    let or_number = |name: Option<&str>, n: u8| match name {
        Some(name) => atom(name),
        None => Term::small(i64::from(n)),
    };
    let info = h.uint(u64::from(number_at(data, 8)? as u32));
    let more = h.uint(u64::from(number_at(data, 12)? as u32));
    let offender = match data.get(16..) {
        Some(a) if a.len() >= 16 => address_term(h, a)?,
        _ => atom("undefined"),
    };
    let pairs = [
        ("error", error),
        ("origin", origin_term),
        ("type", or_number(kind_name, kind)),
        ("code", or_number(code_name, code)),
        ("info", info),
        ("data", more),
        ("offender", offender),
    ];
    Some(map_of(h, &pairs))
}

/// The messages of a list of maps; nothing if one cannot be understood, or they take more than `most` bytes.
pub fn decode(all: Term, most: usize) -> Option<ControlMessages> {
    let mut messages = ControlMessages::default();
    for m in list::to_vec(all)? {
        let (level, kind, data) = decode_one(m)?;
        messages.add(level, kind, &data);
        if messages.len() > most {
            return None;
        }
    }
    Some(messages)
}

fn decode_one(m: Term) -> Option<(i32, i32, Vec<u8>)> {
    let level = field(m, "level")?;
    let level = match text(level) {
        Some("socket") => libc::SOL_SOCKET,
        Some(_) => return None,
        None => int(level)?,
    };
    let kind = field(m, "type")?;
    let known = match text(kind) {
        Some(name) => KNOWN.iter().find(|k| k.0 == level && k.2 == name),
        None => None,
    };
    let kind = match known {
        Some(k) => k.1,
        None => int(kind)?,
    };
    let data = match field(m, "value") {
        Some(value) => decode_value(known?.3, value)?,
        None => plain_data(field(m, "data")?)?,
    };
    Some((level, kind, data))
}

fn decode_value(content: Content, t: Term) -> Option<Vec<u8>> {
    match content {
        Content::Number => Some(int(t)?.to_ne_bytes().to_vec()),
        Content::TypeOfService => {
            let n = service::decode(t)?;
            Some(n.to_ne_bytes().to_vec())
        }
        Content::Time | Content::FineTime => {
            let rest = match content {
                Content::Time => "usec",
                _ => "nsec",
            };
            let seconds = field(t, "sec")?.as_small()?;
            let rest = field(t, rest)?.as_small()?;
            Some([seconds.to_ne_bytes(), rest.to_ne_bytes()].concat())
        }
        Content::PacketInfo4 => {
            let interface = uint(field(t, "ifindex")?)?;
            let own = address::ipv4(field(t, "spec_dst")?)?;
            let other = address::ipv4(field(t, "addr")?)?;
            Some([interface.to_ne_bytes(), own.octets(), other.octets()].concat())
        }
        Content::PacketInfo6 => {
            let ip = address::ipv6(field(t, "addr")?)?;
            let interface = uint(field(t, "ifindex")?)?;
            Some([&ip.octets()[..], &interface.to_ne_bytes()].concat())
        }
        Content::Bytes | Content::Address | Content::Error => None,
    }
}
