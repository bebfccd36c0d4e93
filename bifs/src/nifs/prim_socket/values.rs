//! Values of options: terms, and what the system makes of them.

use super::address;
use super::control;
use super::service::{self, Names, name, number};
use super::sys;
use super::terms::{atom, field, int, map_of, text, uint};
use enigma_runtime::term::list;
use enigma_runtime::{Heap, Term};

/// What an option's value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueKind {
    /// A boolean.
    Bool,
    /// A number.
    Int,
    /// A number that cannot be set.
    ReadInt,
    /// The name of a device.
    Device,
    /// The name of a way to avoid congestion.
    Congestion,
    /// Whether and how long closing waits.
    Linger,
    /// The family, which cannot be set.
    Domain,
    /// A family that can only be set.
    WriteDomain,
    /// The kind of socket, which cannot be set.
    Kind,
    /// The protocol, which cannot be set.
    Protocol,
    /// How datagrams are to be treated.
    TypeOfService,
    /// How the size of packets is found out.
    Discover,
    /// A number of hops, or `default`.
    Hops,
    /// An address of an own interface.
    Interface4,
    /// A group, and the interface by its address.
    Membership4,
    /// A group, and the interface by its number.
    Membership6,
    /// A group, the interface, and who sends.
    SourceMembership,
    /// A group, the interface, and all who may or may not send.
    SourceFilter,
    /// Control messages, which cannot be set.
    PacketOptions,
    /// A structure of SCTP.
    Sctp,
}

const DISCOVER: Names = &[
    ("dont", libc::IP_PMTUDISC_DONT),
    ("want", libc::IP_PMTUDISC_WANT),
    ("do", libc::IP_PMTUDISC_DO),
    ("probe", libc::IP_PMTUDISC_PROBE),
];

impl ValueKind {
    /// Can it be read?
    pub fn can_be_read(self) -> bool {
        !matches!(
            self,
            ValueKind::Membership4
                | ValueKind::Membership6
                | ValueKind::SourceMembership
                | ValueKind::SourceFilter
                | ValueKind::WriteDomain
        )
    }

    /// Can it be set?
    pub fn can_be_set(self) -> bool {
        !matches!(
            self,
            ValueKind::Domain
                | ValueKind::Kind
                | ValueKind::Protocol
                | ValueKind::ReadInt
                | ValueKind::PacketOptions
        )
    }

    /// Bytes that a value may have.
    pub fn room(self) -> usize {
        match self {
            ValueKind::Device => libc::IFNAMSIZ,
            // The last byte is for the zero behind the longest name.
            ValueKind::Congestion => 15,
            ValueKind::Linger => size_of::<libc::linger>(),
            ValueKind::PacketOptions => 1024,
            _ => 4,
        }
    }

    /// The bytes of a value; nothing if the term is none.
    pub fn decode(self, t: Term) -> Option<Vec<u8>> {
        let number = match self {
            ValueKind::Bool => i32::from(t.as_bool()?),
            ValueKind::Int => int(t)?,
            ValueKind::TypeOfService => service::decode(t)?,
            ValueKind::Discover => number(t, DISCOVER)?,
            ValueKind::Hops if text(t) == Some("default") => -1,
            ValueKind::Hops => int(t)?,
            ValueKind::WriteDomain => address::domain(t)?,
            ValueKind::Interface4 => return Some(address::ipv4(t)?.octets().to_vec()),
            _ => return self.decode_compound(t),
        };
        Some(number.to_ne_bytes().to_vec())
    }

    fn decode_compound(self, t: Term) -> Option<Vec<u8>> {
        match self {
            ValueKind::Device | ValueKind::Congestion => {
                let bytes = list::to_bytes(t)?;
                (bytes.len() <= self.room()).then_some(bytes)
            }
            ValueKind::Linger => {
                let (on, seconds) = match text(t) {
                    Some("abort") => (true, 0),
                    Some(_) => return None,
                    None => {
                        let on = field(t, "onoff")?.as_bool()?;
                        let seconds = int(field(t, "linger")?).filter(|&n| n >= 0)?;
                        (on, seconds)
                    }
                };
                Some([i32::from(on).to_ne_bytes(), seconds.to_ne_bytes()].concat())
            }
            ValueKind::Membership4 => {
                let group = address::ipv4(field(t, "multiaddr")?)?;
                let interface = address::ipv4(field(t, "interface")?)?;
                Some([group.octets(), interface.octets()].concat())
            }
            ValueKind::Membership6 => {
                let group = address::ipv6(field(t, "multiaddr")?)?;
                let interface = uint(field(t, "interface")?)?;
                Some([&group.octets()[..], &interface.to_ne_bytes()].concat())
            }
            ValueKind::SourceMembership => {
                let group = address::ipv4(field(t, "multiaddr")?)?;
                let interface = address::ipv4(field(t, "interface")?)?;
                let source = address::ipv4(field(t, "sourceaddr")?)?;
                Some([group.octets(), interface.octets(), source.octets()].concat())
            }
            ValueKind::SourceFilter if text(t) == Some("null") => Some(Vec::new()),
            ValueKind::SourceFilter => {
                let group = address::ipv4(field(t, "multiaddr")?)?;
                let interface = address::ipv4(field(t, "interface")?)?;
                let mode: u32 = match text(field(t, "mode")?) {
                    Some("exclude") => 0,
                    Some("include") => 1,
                    _ => return None,
                };
                let sources = list::to_vec(field(t, "slist")?)?;
                let count = sources.len() as u32;
                let head = [
                    group.octets(),
                    interface.octets(),
                    mode.to_ne_bytes(),
                    count.to_ne_bytes(),
                ];
                let mut bytes = head.concat();
                for s in sources {
                    bytes.extend(address::ipv4(s)?.octets());
                }
                Some(bytes)
            }
            _ => None,
        }
    }

    /// The term of a value that the system has told.
    pub fn encode(self, h: &mut Heap, bytes: &[u8]) -> Term {
        let n = number_of(bytes);
        match self {
            ValueKind::Bool => (n != 0).into(),
            ValueKind::Domain | ValueKind::WriteDomain => address::domain_term(h, n),
            ValueKind::Kind => address::kind_term(h, n),
            ValueKind::Protocol if n == 0 => atom("default"),
            ValueKind::TypeOfService => service::encode(h, n),
            ValueKind::Discover => name(n, DISCOVER),
            ValueKind::Device | ValueKind::Congestion => h.byte_list(bytes),
            ValueKind::Linger => {
                let seconds = bytes.get(4..).map_or(0, number_of);
                let seconds = Term::small(i64::from(seconds));
                map_of(h, &[("onoff", (n != 0).into()), ("linger", seconds)])
            }
            ValueKind::Interface4 => {
                let ip = bytes.first_chunk::<4>().copied().unwrap_or_default();
                address::ipv4_term(h, ip.into())
            }
            ValueKind::PacketOptions => {
                let words = bytes.chunks(8).map(|c| {
                    let mut word = [0; 8];
                    word[..c.len()].copy_from_slice(c);
                    u64::from_ne_bytes(word)
                });
                let words: Vec<u64> = words.collect();
                let mut all = Vec::new();
                sys::each_control(&words, bytes.len(), |level, kind, data| {
                    all.push(control::encode(h, level, kind, data));
                });
                h.list(&all)
            }
            _ => h.int(i64::from(n)),
        }
    }
}

/// A number of one byte or of four.
pub fn number_of(bytes: &[u8]) -> i32 {
    match bytes {
        [n] => i32::from(*n),
        _ => bytes.first_chunk().map_or(0, |b| i32::from_ne_bytes(*b)),
    }
}
