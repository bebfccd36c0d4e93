//! Receiving: from the socket to whoever wants what comes.

use super::state::{Tcp, TcpState};
use crate::errno;
use crate::packet::decode::{http_term, tls};
use crate::packet::{Framing, Length, PacketLimits, length};
use crate::ports::inet::address::take_array;
use crate::ports::inet::descriptor::{Active, SocketSettings, failed_with, ok, refused};
use crate::ports::inet::messages::{self, Payload};
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::binary::BinaryRef;
use enigma_runtime::io::Waits;
use enigma_runtime::{Heap, Term};

/// Calls of the system that are made in a row before others have a turn.
pub const TURN: usize = 16;
/// Most bytes that may be asked for.
const REQUEST_MAX: usize = 64 << 20;
/// Packets from this length on are given away with the memory they were read into.
const WORTH_GIVING: usize = 16 * 1024;

/// What the bytes that have come are.
enum Next {
    /// A packet of so many bytes.
    Packet(usize),
    /// Less than one, which has so many, or 0 if that is not known.
    Incomplete(usize),
    /// Nothing that could be a packet.
    Invalid,
}

/// A request to receive: time and length.
pub fn request(t: &Tcp, s: &mut TcpState, caller: u64, mut data: &[u8]) -> Vec<u8> {
    if !s.is_connected() {
        if !s.bequest.receive {
            return refused("enotconn");
        }
        let reset = s.bequest.reset;
        s.bequest = Default::default();
        return refused(if reset { "econnreset" } else { "closed" });
    }
    let (Ok(time), Ok(n), []) = (take_array(&mut data), take_array(&mut data), data) else {
        return refused("einval");
    };
    let (time, n) = (i32::from_be_bytes(*time), u32::from_be_bytes(*n) as usize);
    let raw = s.d.settings.packets.framing == Framing::Raw;
    if s.d.settings.active != Active::Passive || !raw && n != 0 {
        return refused("einval");
    }
    if n > REQUEST_MAX {
        return failed_with(libc::ENOMEM);
    }
    if s.waiting.is_some() {
        return failed_with(libc::EALREADY);
    }
    let number = messages::next_number();
    s.waiting = Some(t.request(number, caller, n, None, late));
    if time == 0 {
        // There is no time to wait until the poller tells.
        s.drained = false;
    }
    if pump(t, s, TURN) {
        // The rest is done by the poller.
        again(t, s);
    }
    if let Some(r) = s.waiting.take() {
        match u32::try_from(time) {
            Ok(0) => t.refuse(r, Atom::TIMEOUT),
            Ok(ms) => s.waiting = Some(t.request(number, caller, n, Some(ms), late)),
            Err(_) => s.waiting = Some(r),
        }
    }
    ok(&number.to_be_bytes())
}

/// The time of a request is over.
fn late(t: &Tcp, s: &mut TcpState, unique: u64) {
    if s.waiting.as_ref().is_some_and(|r| r.is(unique))
        && let Some(r) = s.waiting.take()
    {
        t.refuse(r, Atom::TIMEOUT);
    }
}

/// Lets the poller go on.
fn again(t: &Tcp, s: &mut TcpState) {
    if let Err(e) = t.watch_again(s, Waits::READ) {
        broken(t, s, e.raw_os_error().unwrap_or(libc::EIO));
    }
}

/// Begins to give away what comes, because the options say so now.
pub fn start(t: &Tcp, s: &mut TcpState) {
    if pump(t, s, TURN) {
        again(t, s);
    }
}

/// Reads and gives away as long as somebody wants it, with so many calls of the system at most. `true` if there may be
/// more; otherwise the poller tells.
pub fn pump(t: &Tcp, s: &mut TcpState, mut turns: usize) -> bool {
    if !s.is_connected() {
        return false;
    }
    s.input.begin();
    let more = loop {
        let need = match give(t, s) {
            Some(need) => need,
            None => break false,
        };
        if s.drained && s.d.is_watched_for_reading() {
            break false;
        }
        if turns == 0 {
            break true;
        }
        turns -= 1;
        if !read(t, s, need) {
            break false;
        }
    };
    s.input.end();
    more
}

/// Gives away what is complete. How many bytes are needed for the next packet, 0 if that is not known; nothing if nobody
/// wants it.
fn give(t: &Tcp, s: &mut TcpState) -> Option<usize> {
    let mut given = false;
    loop {
        if !s.wants_input() || s.d.ignored || s.is_read_shut || s.is_gone || !s.is_connected() {
            return None;
        }
        match next(s) {
            Next::Packet(n) => deliver(t, s, n),
            Next::Incomplete(need) => return Some(need),
            // As on BEAM, what is wrong behind a packet is noticed when more comes.
            Next::Invalid if given => return Some(0),
            Next::Invalid => {
                broken(t, s, libc::EMSGSIZE);
                return None;
            }
        }
        given = true;
    }
}

/// Reads once. `false` if nothing more is there now.
fn read(t: &Tcp, s: &mut TcpState, need: usize) -> bool {
    let settings = &s.d.settings;
    let exactly = settings.packets.framing == Framing::Raw || !settings.read_ahead;
    let buffer = settings.buffer;
    let Ok(socket) = s.d.socket() else {
        return false;
    };
    let drained = match s.input.read(socket, need, buffer, exactly) {
        Ok((_, 0)) => {
            closed(t, s);
            return false;
        }
        Ok((asked, n)) => n < asked && !s.ended,
        Err(e) => match e.raw_os_error() {
            Some(libc::EINTR) => false,
            Some(libc::EAGAIN) => {
                (s.ended, s.drained) = (false, true);
                wait(t, s);
                return false;
            }
            Some(libc::ECONNRESET) if !s.d.settings.show_econnreset => {
                closed(t, s);
                return false;
            }
            error => {
                broken(t, s, error.unwrap_or(libc::EIO));
                return false;
            }
        },
    };
    if drained {
        s.drained = true;
        // What has come is given away first: afterwards nobody may want more.
        if give(t, s).is_some() {
            wait(t, s);
        }
        return false;
    }
    true
}

fn wait(t: &Tcp, s: &mut TcpState) {
    if let Err(e) = t.watch(s, Waits::READ) {
        broken(t, s, e.raw_os_error().unwrap_or(libc::EIO));
    }
}

fn next(s: &TcpState) -> Next {
    let have = s.input.size();
    let settings = &s.d.settings;
    if settings.packets.framing == Framing::Raw {
        let asked = s.waiting.as_ref().map_or(0, |r| r.length);
        return match (have, asked) {
            (0, need) => Next::Incomplete(need),
            (n, 0) => Next::Packet(n),
            (n, need) if n >= need => Next::Packet(need),
            (_, need) => Next::Incomplete(need),
        };
    }
    if have == 0 {
        return Next::Incomplete(0);
    }
    let limits = PacketLimits {
        packet: settings.packet_size as usize,
        line: settings.buffer,
        delimiter: settings.delimiter,
    };
    let framing = match settings.packets.framing {
        Framing::Http if s.in_header => Framing::HttpHeader,
        other => other,
    };
    match length(framing, s.input.bytes(), &limits) {
        Length::Known(n) if n <= have => Next::Packet(n),
        Length::Known(n) => Next::Incomplete(n),
        Length::Unknown => Next::Incomplete(0),
        Length::Invalid => Next::Invalid,
    }
}

/// What is given away, and how it is told.
enum Parcel {
    /// Bytes.
    Data,
    /// A line or a field of HTTP; is it a field?
    Http(bool),
    /// A record of TLS.
    Tls,
}

/// Gives the first `n` bytes to who asked, or to the owner.
fn deliver(t: &Tcp, s: &mut TcpState, n: usize) {
    s.d.received.add(n);
    let framing = s.d.settings.packets.framing;
    let parcel = match framing {
        Framing::Http => Parcel::Http(s.in_header),
        Framing::HttpHeader => Parcel::Http(true),
        Framing::Tls => Parcel::Tls,
        _ => Parcel::Data,
    };
    let bytes = &s.input.bytes()[..n];
    let front = match framing {
        Framing::Size(n) => n,
        _ => 0,
    };
    let padding = match framing {
        Framing::Fcgi => usize::from(bytes[6]),
        _ => 0,
    };
    if framing == Framing::Http {
        // An empty line ends the header; what is no first line is told as such and begins none.
        let end = matches!(bytes, b"\r\n" | b"\n");
        s.in_header = if s.in_header {
            !end
        } else {
            crate::packet::http::begins_message(bytes)
        };
    }
    if let Some(sink) = &s.sink {
        sink.take(s.input.bytes()[front..n - padding].to_vec());
        t.count_input(n);
        s.input.skip(n);
        return;
    }
    let whole = n == s.input.size() && n >= WORTH_GIVING && matches!(parcel, Parcel::Data);
    let given = if whole { s.input.take_all() } else { None };
    let taken = given.is_some();
    let payload = match given {
        Some(bytes) => {
            let mut bytes = bytes;
            bytes.truncate(n - padding);
            Payload::Shared(BinaryRef::from_vec(bytes), front)
        }
        None => Payload::Bytes(&s.input.bytes()[front..n - padding]),
    };
    let settings = &s.d.settings;
    if settings.active == Active::Passive {
        if let Some(r) = s.waiting.take() {
            t.answer(r, |h| {
                let d = passive(h, t.term(), settings, &parcel, &payload);
                h.tuple(&[Atom::OK.into(), d])
            });
        }
    } else {
        if settings.as_port {
            t.count_input(n);
        }
        if let Some(owner) = t.owner() {
            let port = (t.term(), t.is_binary);
            messages::send(owner, |h| active(h, port, settings, &parcel, &payload));
        }
        if s.d.note_delivery() {
            t.note("tcp_passive");
        }
    }
    if !taken {
        s.input.skip(n);
    }
}

fn bytes_of<'a>(payload: &'a Payload<'_>) -> &'a [u8] {
    match payload {
        Payload::Bytes(b) => b,
        Payload::Shared(b, from) => &b.bytes()[*from..],
    }
}

/// A packet as it is received.
fn passive(
    h: &mut Heap,
    port: Term,
    s: &SocketSettings,
    parcel: &Parcel,
    payload: &Payload<'_>,
) -> Term {
    match parcel {
        Parcel::Data => messages::data(h, s, payload),
        Parcel::Http(field) => http_term(h, s.packets.binaries, bytes_of(payload), *field),
        Parcel::Tls => record(h, port, bytes_of(payload)),
    }
}

/// The message that the owner gets of a packet.
fn active(
    h: &mut Heap,
    (port, binary): (Term, bool),
    s: &SocketSettings,
    parcel: &Parcel,
    payload: &Payload<'_>,
) -> Term {
    match parcel {
        Parcel::Data if s.as_port => {
            let of_port = SocketSettings {
                binary,
                ..s.clone()
            };
            let d = messages::data(h, &of_port, payload);
            let d = h.tuple(&[Atom::DATA.into(), d]);
            h.tuple(&[port, d])
        }
        Parcel::Data => {
            let d = messages::data(h, s, payload);
            h.tuple(&[Atom::TCP.into(), port, d])
        }
        Parcel::Http(field) => {
            let line = http_term(h, s.packets.binaries, bytes_of(payload), *field);
            h.tuple(&[Atom::new("http").into(), port, line])
        }
        Parcel::Tls => record(h, port, bytes_of(payload)),
    }
}

/// A record of TLS: `{ssl_tls, Port, Type, Version, Data}`.
fn record(h: &mut Heap, port: Term, bytes: &[u8]) -> Term {
    let record = tls(h, bytes);
    match record.as_tuple_n::<5>() {
        Some(&[tag, _, kind, version, data]) => h.tuple(&[tag, port, kind, version, data]),
        None => record,
    }
}

/// Stops reading for good, or closes the socket with all that waits, as the options say.
fn stop(t: &Tcp, s: &mut TcpState) {
    s.input.clear();
    if s.d.settings.exit_on_close {
        s.clear_output(t);
        s.close_socket();
    }
}

/// The other side has closed the connection.
pub fn closed(t: &Tcp, s: &mut TcpState) {
    let told_sender = s.busy.is_some();
    if told_sender {
        s.clear_output(t);
        s.end_busy(t, Err(Atom::CLOSED));
    }
    if s.d.settings.active == Active::Passive {
        stop(t, s);
        if !told_sender {
            s.bequest.send = true;
        }
        s.refuse_all(t, Atom::CLOSED);
        return;
    }
    s.input.clear();
    t.note_closed(s);
    // Nothing more will come, and that was told.
    s.is_read_shut = true;
    if s.d.settings.exit_on_close {
        s.exit = Some(Atom::NORMAL);
    } else {
        s.d.forget();
    }
}

/// The connection has failed.
pub fn broken(t: &Tcp, s: &mut TcpState, error: i32) {
    let name = errno::atom(error);
    let shown = error != libc::ECONNRESET || s.d.settings.show_econnreset;
    let told_sender = s.busy.is_some();
    if told_sender {
        s.clear_output(t);
        let why = if error == libc::ECONNRESET && shown {
            name
        } else {
            Atom::CLOSED
        };
        s.end_busy(t, Err(why));
    }
    if s.d.settings.active == Active::Passive {
        stop(t, s);
        s.refuse_all(t, name);
        return;
    }
    s.input.clear();
    t.note_error(name);
    t.note_closed(s);
    s.is_read_shut = true;
    if s.d.settings.exit_on_close {
        s.exit = Some(name);
    } else {
        s.close_socket();
    }
}

/// Puts data back to be received again.
pub fn put_back(t: &Tcp, s: &mut TcpState, data: &[u8]) -> Vec<u8> {
    if !s.is_connected() {
        return refused("enotconn");
    }
    s.input.put_back(data);
    if s.d.settings.active != Active::Passive {
        start(t, s);
    }
    ok(&[])
}
