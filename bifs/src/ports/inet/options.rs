//! Options of sockets: those that the driver keeps and those of the system.

use super::address::{take_array, take_bytes};
use super::codes;
use super::descriptor::{Active, Descriptor, Packets};
use super::sys::{Socket, in_namespace};
use enigma_runtime::release;
use std::io;

/// Longest buffer for datagrams that follows the system's.
const DATAGRAM_MAX: usize = 64 * 1024;

/// How a failure to set an option of the system is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// The caller is told.
    Told,
    /// Nobody is.
    Silent,
}

use Failure::{Silent, Told};

/// An option of the system that is one number.
struct Number {
    code: u8,
    level: i32,
    name: i32,
    failure: Failure,
}

const fn number(code: u8, level: i32, name: i32, failure: Failure) -> Number {
    Number {
        code,
        level,
        name,
        failure,
    }
}

const NUMBERS: &[Number] = &[
    number(
        codes::REUSEADDR,
        libc::SOL_SOCKET,
        libc::SO_REUSEADDR,
        Silent,
    ),
    number(
        codes::KEEPALIVE,
        libc::SOL_SOCKET,
        libc::SO_KEEPALIVE,
        Silent,
    ),
    number(
        codes::DONTROUTE,
        libc::SOL_SOCKET,
        libc::SO_DONTROUTE,
        Silent,
    ),
    number(
        codes::BROADCAST,
        libc::SOL_SOCKET,
        libc::SO_BROADCAST,
        Silent,
    ),
    number(
        codes::OOBINLINE,
        libc::SOL_SOCKET,
        libc::SO_OOBINLINE,
        Silent,
    ),
    number(codes::SNDBUF, libc::SOL_SOCKET, libc::SO_SNDBUF, Silent),
    number(codes::RCVBUF, libc::SOL_SOCKET, libc::SO_RCVBUF, Silent),
    number(
        codes::REUSEPORT,
        libc::SOL_SOCKET,
        libc::SO_REUSEPORT,
        Silent,
    ),
    number(
        codes::REUSEPORT_LB,
        libc::SOL_SOCKET,
        libc::SO_REUSEPORT,
        Silent,
    ),
    number(codes::PRIORITY, libc::SOL_SOCKET, libc::SO_PRIORITY, Told),
    number(codes::TOS, libc::IPPROTO_IP, libc::IP_TOS, Told),
    number(codes::TTL, libc::IPPROTO_IP, libc::IP_TTL, Told),
    number(codes::RECVTOS, libc::IPPROTO_IP, libc::IP_RECVTOS, Told),
    number(codes::RECVTTL, libc::IPPROTO_IP, libc::IP_RECVTTL, Told),
    number(codes::TCLASS, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, Told),
    number(
        codes::RECVTCLASS,
        libc::IPPROTO_IPV6,
        libc::IPV6_RECVTCLASS,
        Told,
    ),
    number(
        codes::IPV6_V6ONLY,
        libc::IPPROTO_IPV6,
        libc::IPV6_V6ONLY,
        Told,
    ),
    number(codes::NODELAY, libc::IPPROTO_TCP, libc::TCP_NODELAY, Silent),
    number(codes::NOPUSH, libc::IPPROTO_TCP, libc::TCP_CORK, Silent),
    number(codes::KEEPCNT, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, Silent),
    number(
        codes::KEEPIDLE,
        libc::IPPROTO_TCP,
        libc::TCP_KEEPIDLE,
        Silent,
    ),
    number(
        codes::KEEPINTVL,
        libc::IPPROTO_TCP,
        libc::TCP_KEEPINTVL,
        Silent,
    ),
    number(
        codes::USER_TIMEOUT,
        libc::IPPROTO_TCP,
        libc::TCP_USER_TIMEOUT,
        Silent,
    ),
    number(
        codes::MULTICAST_TTL,
        libc::IPPROTO_IP,
        libc::IP_MULTICAST_TTL,
        Silent,
    ),
    number(
        codes::MULTICAST_LOOP,
        libc::IPPROTO_IP,
        libc::IP_MULTICAST_LOOP,
        Silent,
    ),
];

/// Options that `prim_inet` of the release knows.
fn is_known(code: u8) -> bool {
    match code {
        codes::KEEPCNT | codes::KEEPIDLE | codes::KEEPINTVL | codes::USER_TIMEOUT => {
            release::number() >= 28
        }
        codes::REUSEPORT
        | codes::REUSEPORT_LB
        | codes::EXCLUSIVEADDRUSE
        | codes::READ_AHEAD
        | codes::NON_BLOCK_SEND => release::number() >= 26,
        _ => true,
    }
}

/// The option of the system, at the level of the socket's family where there are two.
fn number_of(d: &Descriptor, code: u8) -> Option<Number> {
    let n = NUMBERS.iter().find(|n| n.code == code)?;
    let v6 = d.family == libc::AF_INET6;
    Some(match code {
        codes::MULTICAST_TTL if v6 => number(
            code,
            libc::IPPROTO_IPV6,
            libc::IPV6_MULTICAST_HOPS,
            n.failure,
        ),
        codes::MULTICAST_LOOP if v6 => number(
            code,
            libc::IPPROTO_IPV6,
            libc::IPV6_MULTICAST_LOOP,
            n.failure,
        ),
        _ => number(code, n.level, n.name, n.failure),
    })
}

/// An option that cannot be set or read: an answer `einval`.
#[derive(Clone, Copy, Debug)]
pub struct BadOption;

impl From<super::address::BadAddress> for BadOption {
    fn from(_: super::address::BadAddress) -> BadOption {
        BadOption
    }
}

/// What the owner of a socket has to see to after options were set.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Changes {
    /// The packets to come were counted down to none, which the owner is to be told.
    pub has_become_passive: bool,
}

/// Sets the options in `data`, one after the other; what is left when less than an option is there is ignored.
pub fn set(d: &mut Descriptor, mut data: &[u8], changes: &mut Changes) -> Result<(), BadOption> {
    while data.len() >= 5 {
        let [code] = *take_array(&mut data)?;
        let value = i32::from_be_bytes(*take_array(&mut data)?);
        one(d, code, value, &mut data, changes)?;
    }
    Ok(())
}

fn size(value: i32) -> usize {
    usize::try_from(value).unwrap_or(0)
}

fn one(
    d: &mut Descriptor,
    code: u8,
    value: i32,
    data: &mut &[u8],
    changes: &mut Changes,
) -> Result<(), BadOption> {
    if !is_known(code) {
        return Err(BadOption);
    }
    let tcp = d.stream;
    let s = &mut d.settings;
    let on = value != 0;
    match code {
        codes::BUFFER => {
            s.buffer = value.max(1) as usize;
            s.buffer_is_set = true;
        }
        codes::HEADER => s.header = size(value),
        codes::MODE => s.binary = on,
        codes::DELIVER => s.as_port = value == 0,
        codes::ACTIVE => {
            s.active = match value {
                0 => Active::Passive,
                1 => Active::Always,
                2 => Active::Once,
                3 => {
                    let more = i16::from_be_bytes(*take_array(data)?);
                    let before = match s.active {
                        Active::Count(n) => n,
                        _ => 0,
                    };
                    match before.checked_add(more).ok_or(BadOption)? {
                        n @ 1.. => Active::Count(n),
                        _ => {
                            changes.has_become_passive = true;
                            Active::Passive
                        }
                    }
                }
                _ => return Err(BadOption),
            };
        }
        codes::PACKET => {
            let packets = u8::try_from(value).ok().and_then(Packets::of);
            s.packets = packets.ok_or(BadOption)?;
        }
        codes::PACKET_SIZE => s.packet_size = value as u32,
        codes::EXITONCLOSE => s.exit_on_close = on,
        codes::MSGQ_HIWTRMRK if value < 1 => return Err(BadOption),
        codes::MSGQ_LOWTRMRK if value < 1 => return Err(BadOption),
        codes::MSGQ_HIWTRMRK => {
            s.high_msgq = size(value);
            s.low_msgq = s.low_msgq.min(s.high_msgq);
        }
        codes::MSGQ_LOWTRMRK => {
            s.low_msgq = size(value);
            s.high_msgq = s.high_msgq.max(s.low_msgq);
        }
        codes::DEBUG => s.debug = on,
        codes::NON_BLOCK_SEND => s.non_block_send = on,
        codes::LINE_DELIM if tcp => s.delimiter = value as u8,
        codes::HIWTRMRK if tcp => {
            s.high = size(value);
            s.low = s.low.min(s.high);
        }
        codes::LOWTRMRK if tcp => {
            s.low = size(value);
            s.high = s.high.max(s.low);
        }
        codes::SEND_TIMEOUT if tcp => s.send_timeout = u32::try_from(value).ok(),
        codes::SEND_TIMEOUT_CLOSE if tcp => s.send_timeout_close = on,
        codes::DELAY_SEND if tcp => s.delay_send = on,
        codes::SHOW_ECONNRESET if tcp => s.show_econnreset = on,
        codes::READ_AHEAD if tcp => s.read_ahead = on,
        codes::READ_PACKETS if !tcp && value <= 0 => return Err(BadOption),
        codes::READ_PACKETS if !tcp => s.read_packets = size(value),
        codes::LINE_DELIM
        | codes::HIWTRMRK
        | codes::LOWTRMRK
        | codes::SEND_TIMEOUT
        | codes::SEND_TIMEOUT_CLOSE
        | codes::DELAY_SEND
        | codes::SHOW_ECONNRESET
        | codes::READ_AHEAD
        | codes::READ_PACKETS
        | codes::EXCLUSIVEADDRUSE => {}
        codes::NETNS => {
            let path = take_bytes(data, size(value))?;
            // It says where the socket is to be made; one that is there stays where it is.
            d.settings.namespace = Some(path.into());
        }
        _ => return of_system(d, code, value, data),
    }
    Ok(())
}

fn of_system(d: &mut Descriptor, code: u8, value: i32, data: &mut &[u8]) -> Result<(), BadOption> {
    let told = |r: io::Result<()>| r.map_err(|_| BadOption);
    if let Some(n) = number_of(d, code) {
        if code == codes::RCVBUF && !d.settings.buffer_is_set {
            let most = if d.stream { usize::MAX } else { DATAGRAM_MAX };
            d.settings.buffer = d.settings.buffer.max(size(value).min(most));
        }
        let set = d.socket().and_then(|s| set_number(s, &n, value));
        return if n.failure == Told { told(set) } else { Ok(()) };
    }
    match code {
        codes::LINGER => {
            let seconds = i32::from_be_bytes(*take_array(data)?);
            let both = [value.to_ne_bytes(), seconds.to_ne_bytes()].concat();
            silent(d, libc::SOL_SOCKET, libc::SO_LINGER, &both)
        }
        codes::RAW => {
            let name = i32::from_be_bytes(*take_array(data)?);
            let len = u32::from_be_bytes(*take_array(data)?) as usize;
            let bytes = take_bytes(data, len)?;
            silent(d, value, name, bytes)
        }
        codes::BIND_TO_DEVICE => {
            let device = take_bytes(data, size(value))?;
            if device.len() >= libc::IFNAMSIZ {
                return Err(BadOption);
            }
            let set = |s: &Socket| s.set(libc::SOL_SOCKET, libc::SO_BINDTODEVICE, device);
            told(d.socket().and_then(set))
        }
        codes::MULTICAST_IF => {
            let (level, name, bytes) = if d.family == libc::AF_INET6 {
                let index = value.to_ne_bytes();
                (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_IF, index)
            } else {
                let ip = value.to_be_bytes();
                (libc::IPPROTO_IP, libc::IP_MULTICAST_IF, ip)
            };
            silent(d, level, name, &bytes)
        }
        codes::ADD_MEMBERSHIP | codes::DROP_MEMBERSHIP => {
            let add = code == codes::ADD_MEMBERSHIP;
            let index = i32::from_be_bytes(*take_array(data)?).to_ne_bytes();
            let (level, name, bytes) = if value == i32::from(codes::AF_INET6) {
                let group = take_array::<16>(data)?;
                let name = if add {
                    libc::IPV6_ADD_MEMBERSHIP
                } else {
                    libc::IPV6_DROP_MEMBERSHIP
                };
                let bytes = [&group[..], &index].concat();
                (libc::IPPROTO_IPV6, name, bytes)
            } else {
                let (group, local) = (take_array::<4>(data)?, take_array::<4>(data)?);
                let name = if add {
                    libc::IP_ADD_MEMBERSHIP
                } else {
                    libc::IP_DROP_MEMBERSHIP
                };
                let bytes = [&group[..], local, &index].concat();
                (libc::IPPROTO_IP, name, bytes)
            };
            silent(d, level, name, &bytes)
        }
        _ => Err(BadOption),
    }
}

/// Sets an option; nobody is told of a failure, as with most others.
fn silent(d: &Descriptor, level: i32, name: i32, value: &[u8]) -> Result<(), BadOption> {
    if let Ok(s) = d.socket() {
        let _ = s.set(level, name, value);
    }
    Ok(())
}

/// Sets a number. The system changes the priority with the type of service, which is not wanted.
fn set_number(s: &Socket, n: &Number, value: i32) -> io::Result<()> {
    if !matches!(n.code, codes::TOS | codes::TCLASS) {
        return s.set_int(n.level, n.name, value);
    }
    let priority = s.get_int(libc::SOL_SOCKET, libc::SO_PRIORITY);
    s.set_int(n.level, n.name, value)?;
    if let Ok(priority) = priority {
        s.set_int(libc::SOL_SOCKET, libc::SO_PRIORITY, priority)?;
    }
    Ok(())
}

/// The values of the options that `data` asks for. What the system does not have is left out.
pub fn get(d: &Descriptor, mut data: &[u8]) -> Result<Vec<u8>, BadOption> {
    let mut out = Vec::new();
    while let Some((&code, rest)) = data.split_first() {
        data = rest;
        get_one(d, code, &mut data, &mut out)?;
    }
    Ok(out)
}

fn get_one(d: &Descriptor, code: u8, data: &mut &[u8], out: &mut Vec<u8>) -> Result<(), BadOption> {
    if !is_known(code) {
        return Err(BadOption);
    }
    let (s, tcp) = (&d.settings, d.stream);
    let mut put = |value: i32| {
        out.push(code);
        out.extend(value.to_be_bytes());
    };
    let large = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    match code {
        codes::BUFFER => put(large(s.buffer)),
        codes::HEADER => put(large(s.header)),
        codes::MODE => put(i32::from(s.binary)),
        codes::DELIVER => put(i32::from(!s.as_port)),
        codes::ACTIVE => match s.active {
            Active::Passive => put(0),
            Active::Always => put(1),
            Active::Once => put(2),
            Active::Count(n) => {
                put(3);
                out.extend(n.to_be_bytes());
            }
        },
        codes::PACKET => put(i32::from(s.packets.code)),
        codes::PACKET_SIZE => put(s.packet_size as i32),
        codes::EXITONCLOSE => put(i32::from(s.exit_on_close)),
        codes::MSGQ_HIWTRMRK => put(large(s.high_msgq)),
        codes::MSGQ_LOWTRMRK => put(large(s.low_msgq)),
        codes::DEBUG => put(i32::from(s.debug)),
        codes::NON_BLOCK_SEND => put(i32::from(s.non_block_send)),
        codes::EXCLUSIVEADDRUSE => put(0),
        codes::HIWTRMRK if tcp => put(large(s.high)),
        codes::LOWTRMRK if tcp => put(large(s.low)),
        codes::SEND_TIMEOUT if tcp => put(s.send_timeout.map_or(-1, |n| n as i32)),
        codes::SEND_TIMEOUT_CLOSE if tcp => put(i32::from(s.send_timeout_close)),
        codes::DELAY_SEND if tcp => put(i32::from(s.delay_send)),
        codes::SHOW_ECONNRESET if tcp => put(i32::from(s.show_econnreset)),
        codes::READ_AHEAD if tcp => put(i32::from(s.read_ahead)),
        codes::READ_PACKETS if !tcp => put(large(s.read_packets)),
        codes::HIWTRMRK
        | codes::LOWTRMRK
        | codes::SEND_TIMEOUT
        | codes::SEND_TIMEOUT_CLOSE
        | codes::DELAY_SEND
        | codes::SHOW_ECONNRESET
        | codes::READ_AHEAD
        | codes::READ_PACKETS => {}
        codes::NETNS => {
            if let Some(path) = &s.namespace {
                put(large(path.len()));
                out.extend(&**path);
            }
        }
        _ => return get_of_system(d, code, data, out),
    }
    Ok(())
}

fn get_of_system(
    d: &Descriptor,
    code: u8,
    data: &mut &[u8],
    out: &mut Vec<u8>,
) -> Result<(), BadOption> {
    let before = out.len();
    let mut bytes = |code: u8, value: &[u8]| {
        out.push(code);
        out.extend(value);
    };
    let long = |n: usize| (n as u32).to_be_bytes();
    if let Some(n) = number_of(d, code) {
        if let Ok(value) = d.socket().and_then(|s| s.get_int(n.level, n.name)) {
            bytes(code, &value.to_be_bytes());
        }
        return Ok(());
    }
    match code {
        codes::LINGER => {
            let mut both = [0; 8];
            let read = |s: &Socket| s.get(libc::SOL_SOCKET, libc::SO_LINGER, &mut both);
            if d.socket().and_then(read).is_ok() {
                both[..4].reverse();
                both[4..].reverse();
                if cfg!(target_endian = "big") {
                    both[..4].reverse();
                    both[4..].reverse();
                }
                bytes(code, &both);
            }
        }
        codes::RAW => {
            let level = i32::from_be_bytes(*take_array(data)?);
            let name = i32::from_be_bytes(*take_array(data)?);
            let [is_binary] = *take_array(data)?;
            let n = u32::from_be_bytes(*take_array(data)?) as usize;
            if n + RAW_HEAD + before > ANSWER_MAX {
                return Err(BadOption);
            }
            let mut value = if is_binary == 0 {
                vec![0; n]
            } else {
                take_bytes(data, n)?.to_vec()
            };
            if let Ok(n) = d.socket().and_then(|s| s.get(level, name, &mut value)) {
                value.truncate(n);
                let head = [level.to_be_bytes(), name.to_be_bytes(), long(n)].concat();
                bytes(code, &head);
                bytes_of(out, &value);
            }
        }
        codes::BIND_TO_DEVICE => {
            let mut name = [0; libc::IFNAMSIZ];
            let read = |s: &Socket| s.get(libc::SOL_SOCKET, libc::SO_BINDTODEVICE, &mut name);
            if let Ok(n) = d.socket().and_then(read) {
                let name = name[..n].split(|&b| b == 0).next().unwrap_or_default();
                bytes(code, &long(name.len()));
                bytes_of(out, name);
            }
        }
        codes::MULTICAST_IF => {
            let mut value = [0; 4];
            let (level, name, family) = if d.family == libc::AF_INET6 {
                (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_IF, codes::AF_INET6)
            } else {
                (libc::IPPROTO_IP, libc::IP_MULTICAST_IF, codes::AF_INET)
            };
            let read = d.socket().and_then(|s| s.get(level, name, &mut value));
            read.map_err(|_| BadOption)?;
            if family == codes::AF_INET6 {
                value = i32::from_ne_bytes(value).to_be_bytes();
            }
            bytes(code, &value);
            bytes_of(out, &[0, 0, 0, family]);
        }
        codes::PKTOPTIONS if d.stream => packet_options(d, out)?,
        codes::PKTOPTIONS => {}
        _ => return Err(BadOption),
    }
    Ok(())
}

/// Longest answer with options that are asked for by their numbers.
const ANSWER_MAX: usize = 64 * 1024;
/// What is told of such an option besides its value.
const RAW_HEAD: usize = 13;

fn bytes_of(out: &mut Vec<u8>, more: &[u8]) {
    out.extend(more);
}

/// The values that came with the last packets of a stream, as options.
fn packet_options(d: &Descriptor, out: &mut Vec<u8>) -> Result<(), BadOption> {
    let (level, name) = match d.family {
        libc::AF_INET6 => (libc::IPPROTO_IPV6, libc::IPV6_2292PKTOPTIONS),
        libc::AF_INET => (libc::IPPROTO_IP, libc::IP_PKTOPTIONS),
        _ => return Ok(()),
    };
    let mut control = super::sys::Control::default();
    let read = d
        .socket()
        .and_then(|s| s.get_control(level, name, &mut control));
    read.map_err(|_| BadOption)?;
    let mut all = Vec::new();
    control.read(|level, kind, value| {
        if let Some((code, n)) = ancillary(level, kind, value) {
            all.push(code);
            all.extend(n.to_be_bytes());
        }
    });
    out.push(codes::PKTOPTIONS);
    out.extend((all.len() as u32).to_be_bytes());
    out.extend(all);
    Ok(())
}

/// The option that a control message stands for, and its value.
pub fn ancillary(level: i32, kind: i32, value: &[u8]) -> Option<(u8, i32)> {
    let code = match (level, kind) {
        (libc::IPPROTO_IP, libc::IP_TOS) => codes::TOS,
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => codes::TCLASS,
        (libc::IPPROTO_IP, libc::IP_TTL) => codes::TTL,
        _ => return None,
    };
    let n = match value.first_chunk::<4>() {
        Some(n) => i32::from_ne_bytes(*n),
        None => i32::from(*value.first()?),
    };
    Some((code, n))
}

/// Control messages that go with a datagram, from options as `set` takes them.
pub fn control_of(mut data: &[u8]) -> Result<Vec<(i32, i32, i32)>, BadOption> {
    let mut all = Vec::new();
    while !data.is_empty() {
        let [code] = *take_array(&mut data)?;
        let value = i32::from_be_bytes(*take_array(&mut data)?);
        let (level, kind) = match code {
            codes::TOS => (libc::IPPROTO_IP, libc::IP_TOS),
            codes::TCLASS => (libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
            codes::TTL => (libc::IPPROTO_IP, libc::IP_TTL),
            _ => return Err(BadOption),
        };
        all.push((level, kind, value));
    }
    Ok(all)
}

/// Makes a socket, in the network namespace that was asked for.
pub fn open(d: &Descriptor, family: i32, kind: i32, protocol: i32) -> io::Result<Socket> {
    let make = || Socket::new(family, kind, protocol);
    match d.settings.namespace.as_deref().unwrap_or_default() {
        [] => make(),
        path => in_namespace(path, make),
    }
}
