//! What the system has: protocols, options, requests, flags. `prim_socket` asks for these tables when it loads.

use super::options::{self, KNOWN};
use super::terms::{atom, text};
use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::{BifResult, Ctx, Heap, Term, badarg, release};
use std::fs;

bifs! { BIFS:
    "prim_socket" {
        "nif_supports"/0 Nif => supports;
        "nif_supports"/1 Nif => supports_table;
    }
}

fn supports(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let all = [
        ("sctp", false),
        ("ipv6", true),
        ("local", true),
        ("netns", true),
        ("sendfile", true),
    ];
    let all: Vec<Term> = all
        .iter()
        .map(|&(name, on)| cx.tuple2(atom(name), on))
        .collect();
    Ok(cx.heap().list(&all))
}

fn supports_table(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match text(a[0]).ok_or_else(badarg)? {
        "protocols" => Ok(protocols(cx.heap())),
        "options" => Ok(option_table(cx.heap())),
        "ioctl_requests" => Ok(numbers(cx.heap(), ioctl_requests())),
        "ioctl_flags" => Ok(numbers(cx.heap(), interface_flags())),
        "msg_flags" => Ok(numbers(cx.heap(), message_flags())),
        _ => Ok(Term::NIL),
    }
}

fn numbers(h: &mut Heap, all: impl Iterator<Item = (&'static str, i64)>) -> Term {
    let all: Vec<Term> = all
        .map(|(name, n)| {
            let n = h.int(n);
            h.tuple(&[atom(name), n])
        })
        .collect();
    h.list(&all)
}

/// Protocols that have names whatever the system's list says.
const ALWAYS: &[(&str, i64)] = &[
    ("ip", 0),
    ("igmp", 2),
    ("tcp", 6),
    ("udp", 17),
    ("ipv6", 41),
    ("sctp", 132),
    ("mptcp", 262),
];

/// `[{[Name, Alias...], Number}]`: those of the system's list, the last one first.
fn protocols(h: &mut Heap) -> Term {
    let mut all = Vec::new();
    if release::number() >= 28 {
        for &(name, n) in ALWAYS {
            all.push((vec![name.to_string()], n));
        }
    }
    let listed = fs::read_to_string("/etc/protocols").unwrap_or_default();
    let mut lines: Vec<(Vec<String>, i64)> = listed.lines().filter_map(protocol).collect();
    lines.reverse();
    if lines.is_empty() && all.is_empty() {
        for &(name, n) in ALWAYS {
            all.push((vec![name.to_string()], n));
        }
    }
    all.extend(lines);
    let all: Vec<Term> = all
        .iter()
        .map(|(names, n)| {
            let names: Vec<Term> = names
                .iter()
                .filter_map(|n| Atom::try_new(n).ok())
                .map(Term::from)
                .collect();
            let names = h.list(&names);
            h.tuple(&[names, Term::small(*n)])
        })
        .collect();
    h.list(&all)
}

/// A line of the list of protocols: name, number, other names; of these the last comes first.
fn protocol(line: &str) -> Option<(Vec<String>, i64)> {
    let line = line.split('#').next()?;
    let mut words = line.split_whitespace();
    let name = words.next()?.to_string();
    let number = words.next()?.parse().ok()?;
    let mut names: Vec<String> = words.map(str::to_string).collect();
    names.push(name);
    names.reverse();
    Some((names, number))
}

/// `[{Level, [{Option, Number} | Option]}]`; from 28 on with the name of the level in front of its number.
fn option_table(h: &mut Heap) -> Term {
    let mut all = Vec::new();
    for &(name, number, _) in options::LEVELS {
        let of_level = KNOWN.iter().filter(|o| o.level == number && o.is_known());
        let of_level: Vec<Term> = of_level
            .map(|o| match o.number() {
                Some(n) => {
                    let n = h.int(i64::from(n));
                    h.tuple(&[atom(o.name), n])
                }
                None => atom(o.name),
            })
            .collect();
        let of_level = h.list(&of_level);
        let number = h.int(i64::from(number));
        let level = match name {
            "socket" => atom(name),
            _ => number,
        };
        all.push(match release::number() {
            28.. => h.tuple(&[atom(name), number, of_level]),
            _ => h.tuple(&[level, of_level]),
        });
    }
    h.list(&all)
}

/// Requests of `ioctl`, and the release that knows them first.
const REQUESTS: &[(&str, u64, u32)] = &[
    ("gifconf", libc::SIOCGIFCONF, 0),
    ("gifname", libc::SIOCGIFNAME, 0),
    ("gifindex", libc::SIOCGIFINDEX, 0),
    ("gifflags", libc::SIOCGIFFLAGS, 0),
    ("sifflags", libc::SIOCSIFFLAGS, 0),
    ("gifaddr", libc::SIOCGIFADDR, 0),
    ("sifaddr", libc::SIOCSIFADDR, 0),
    ("gifdstaddr", libc::SIOCGIFDSTADDR, 0),
    ("sifdstaddr", libc::SIOCSIFDSTADDR, 0),
    ("gifbrdaddr", libc::SIOCGIFBRDADDR, 0),
    ("sifbrdaddr", libc::SIOCSIFBRDADDR, 0),
    ("gifnetmask", libc::SIOCGIFNETMASK, 0),
    ("gifhwaddr", libc::SIOCGIFHWADDR, 0),
    ("gifmtu", libc::SIOCGIFMTU, 0),
    ("sifmtu", libc::SIOCSIFMTU, 0),
    ("giftxqlen", libc::SIOCGIFTXQLEN, 0),
    ("siftxqlen", libc::SIOCSIFTXQLEN, 0),
    ("gifmap", libc::SIOCGIFMAP, 0),
    ("nread", libc::FIONREAD, 26),
    ("atmark", super::sys::SIOCATMARK, 26),
];

fn ioctl_requests() -> impl Iterator<Item = (&'static str, i64)> {
    let release = release::number();
    let known = REQUESTS.iter().filter(move |r| release >= r.2);
    known.map(|r| (r.0, r.1 as i64))
}

/// Flags of interfaces; those that the system does not have are 0.
pub const INTERFACE_FLAGS: &[(&str, i64)] = &[
    ("up", libc::IFF_UP as i64),
    ("broadcast", libc::IFF_BROADCAST as i64),
    ("debug", libc::IFF_DEBUG as i64),
    ("loopback", libc::IFF_LOOPBACK as i64),
    ("pointopoint", libc::IFF_POINTOPOINT as i64),
    ("notrailers", libc::IFF_NOTRAILERS as i64),
    ("knowsepoch", 0),
    ("running", libc::IFF_RUNNING as i64),
    ("noarp", libc::IFF_NOARP as i64),
    ("promisc", libc::IFF_PROMISC as i64),
    ("allmulti", libc::IFF_ALLMULTI as i64),
    ("master", libc::IFF_MASTER as i64),
    ("oactive", 0),
    ("slave", libc::IFF_SLAVE as i64),
    ("simplex", 0),
    ("link0", 0),
    ("link1", 0),
    ("link2", 0),
    ("multicast", libc::IFF_MULTICAST as i64),
    ("portsel", libc::IFF_PORTSEL as i64),
    ("automedia", libc::IFF_AUTOMEDIA as i64),
    ("cantconfig", 0),
    ("ppromisc", 0),
    ("dynamic", libc::IFF_DYNAMIC as i64),
    ("monitor", 0),
    ("staticarp", 0),
    ("dying", 0),
    ("renaming", 0),
    ("nogroup", 0),
    ("lower_up", libc::IFF_LOWER_UP as i64),
    ("dormant", libc::IFF_DORMANT as i64),
    ("echo", libc::IFF_ECHO as i64),
];

/// Flags of interfaces that no system of ours has, from 26 on.
const LATER_INTERFACE_FLAGS: &[(&str, i64)] = &[("private", 0), ("dhcprunning", 0)];

fn interface_flags() -> impl Iterator<Item = (&'static str, i64)> {
    let later: &[(&str, i64)] = match release::number() {
        ..=25 => &[],
        _ => LATER_INTERFACE_FLAGS,
    };
    INTERFACE_FLAGS.iter().chain(later).copied()
}

/// Flags of messages, and the release that knows them first.
const FLAGS: &[(&str, i32, u32)] = &[
    ("cmsg_cloexec", libc::MSG_CMSG_CLOEXEC, 0),
    ("confirm", libc::MSG_CONFIRM, 0),
    ("ctrunc", libc::MSG_CTRUNC, 0),
    ("dontroute", libc::MSG_DONTROUTE, 0),
    ("eor", libc::MSG_EOR, 0),
    ("errqueue", libc::MSG_ERRQUEUE, 0),
    ("more", libc::MSG_MORE, 0),
    ("nosignal", libc::MSG_NOSIGNAL, 0),
    ("oob", libc::MSG_OOB, 0),
    ("peek", libc::MSG_PEEK, 0),
    ("trunc", libc::MSG_TRUNC, 0),
    ("notification", 0x8000, 28),
];

fn message_flags() -> impl Iterator<Item = (&'static str, i64)> {
    let release = release::number();
    let known = FLAGS.iter().filter(move |f| release >= f.2);
    known.map(|f| (f.0, i64::from(f.1)))
}

/// The flags of a message that has come, by their names; what has none is a number at the end.
pub fn flag_list(h: &mut Heap, flags: i32) -> Term {
    let mut rest = flags;
    let mut all = Vec::new();
    let release = release::number();
    for &(name, flag, since) in FLAGS {
        if rest & flag == flag && release >= since {
            rest &= !flag;
            all.push(atom(name));
        }
    }
    if rest != 0 {
        all.push(h.int(i64::from(rest)));
    }
    h.list(&all)
}

/// The flags of an interface by their names; what has none is a number at the end.
pub fn interface_flag_list(h: &mut Heap, flags: i64) -> Term {
    let mut rest = flags;
    let mut all = Vec::new();
    for &(name, flag) in INTERFACE_FLAGS {
        if flag != 0 && rest & flag == flag {
            rest &= !flag;
            all.push(atom(name));
        }
    }
    if rest != 0 {
        all.push(h.int(rest));
    }
    h.list(&all)
}
