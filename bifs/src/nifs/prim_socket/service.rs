//! Numbers that have names, and how datagrams are to be treated: the type of service.

use super::terms::{atom, field, int, map_of, text};
use enigma_runtime::{Heap, Term, release};

/// Names of numbers.
pub type Names = &'static [(&'static str, i32)];

const SERVICES: Names = &[
    ("lowdelay", 16),
    ("throughput", 8),
    ("reliability", 4),
    ("mincost", 2),
];

const PRECEDENCES: &[&str] = &["routine", "priority", "immediate", "flash", "flashoverride"];

const CODE_POINTS: Names = &[
    ("cs0", 0),
    ("le", 1),
    ("cs1", 8),
    ("af11", 10),
    ("af12", 12),
    ("af13", 14),
    ("cs2", 16),
    ("af21", 18),
    ("af22", 20),
    ("af23", 22),
    ("cs3", 24),
    ("af31", 26),
    ("af32", 28),
    ("af33", 30),
    ("cs4", 32),
    ("af41", 34),
    ("af42", 36),
    ("af43", 38),
    ("cs5", 40),
    ("voice_admit", 44),
    ("nqb", 45),
    ("ef", 46),
    ("cs6", 48),
    ("cs7", 56),
];

/// A number, or the one that a name stands for.
pub fn number(t: Term, names: Names) -> Option<i32> {
    match text(t) {
        Some(name) => names.iter().find(|n| n.0 == name).map(|n| n.1),
        None => int(t),
    }
}

/// The name of a number, if it has one.
pub fn name(n: i32, names: Names) -> Term {
    match names.iter().find(|k| k.1 == n) {
        Some(k) => atom(k.0),
        None => Term::small(i64::from(n)),
    }
}

/// The number of a type of service; from 29 on also a code point's, or that of a precedence and a service.
pub fn decode(t: Term) -> Option<i32> {
    if release::number() >= 29 {
        if let Some(n) = text(t).and_then(|_| number(t, CODE_POINTS)) {
            return Some(n << 2);
        }
        if let (Some(precedence), Some(service)) = (field(t, "precedence"), field(t, "tos")) {
            let precedence = match text(precedence) {
                Some("critical_ecp") => 5,
                Some("internetcontrol") => 6,
                Some("netcontrol") => 7,
                Some(name) => PRECEDENCES.iter().position(|&p| p == name)? as i32,
                None => int(precedence).filter(|n| (0..8).contains(n))?,
            };
            let service = match text(service) {
                Some("default") => 0,
                Some(_) => number(service, SERVICES)?,
                None => int(service).filter(|n| (0..16).contains(n))? << 1,
            };
            return Some(precedence << 5 | service);
        }
    }
    number(t, SERVICES)
}

/// A type of service: its name or number; from 29 on all that its bits may stand for.
pub fn encode(h: &mut Heap, n: i32) -> Term {
    if release::number() < 29 {
        return name(n, SERVICES);
    }
    let bits = n & 0x1e;
    let service = match bits {
        0 => atom("default"),
        _ if SERVICES.iter().any(|s| s.1 == bits) => name(bits, SERVICES),
        _ => Term::small(i64::from(bits >> 1)),
    };
    let precedence = (n >> 5) & 7;
    let precedence = match PRECEDENCES.get(precedence as usize) {
        Some(name) => atom(name),
        None => Term::small(i64::from(precedence)),
    };
    let service = map_of(h, &[("precedence", precedence), ("tos", service)]);
    let point = name((n >> 2) & 0x3f, CODE_POINTS);
    map_of(
        h,
        &[
            ("native", Term::small(i64::from(n))),
            ("tos", service),
            ("dscp", point),
        ],
    )
}
