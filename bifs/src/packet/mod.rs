//! Where packets end in a stream of bytes, and what they are: `erlang:decode_packet/3` and the drivers of
//! sockets.

pub mod decode;
pub mod http;

/// Ways of framing packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// Whatever has arrived.
    Raw,
    /// A size of 1, 2 or 4 bytes, most significant first, in front.
    Size(usize),
    /// ASN.1 BER.
    Asn1,
    /// Sun RPC records.
    SunRm,
    /// CORBA's GIOP messages.
    Cdr,
    /// FastCGI records.
    Fcgi,
    /// TPKT of RFC 1006.
    Tpkt,
    /// TLS records, and the hello of SSL 2.
    Tls,
    /// Lines.
    Line,
    /// A first line of an HTTP message.
    Http,
    /// A header field of an HTTP message, with its continuation lines.
    HttpHeader,
}

/// What else says where a packet ends.
#[derive(Clone, Copy, Debug)]
pub struct PacketLimits {
    /// Most bytes of a packet's body, 0 for any number.
    pub packet: usize,
    /// Lines are cut after so many bytes, 0 for never.
    pub line: usize,
    /// What ends a line.
    pub delimiter: u8,
}

/// How long the first packet is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// Its bytes with header and padding, which need not be there yet.
    Known(usize),
    /// There is not enough yet to tell.
    Unknown,
    /// This cannot be a packet, or it is larger than allowed.
    Invalid,
}

/// The length of the packet that the bytes begin with.
pub fn length(framing: Framing, b: &[u8], limits: &PacketLimits) -> Length {
    match framing {
        Framing::Line => return line(b, limits),
        Framing::Http => return http_line(b, limits, false),
        Framing::HttpHeader => return http_line(b, limits, true),
        Framing::Raw if b.is_empty() => return Length::Unknown,
        Framing::Raw => return Length::Known(b.len()),
        _ => {}
    }
    let (header, body) = match sizes(framing, b) {
        Ok(Some(sizes)) => sizes,
        Ok(None) => return Length::Unknown,
        Err(()) => return Length::Invalid,
    };
    // BEAM counts in 32 bits with a sign.
    let total = header as u64 + body;
    if limits.packet != 0 && body > limits.packet as u64 || total > i32::MAX as u64 {
        return Length::Invalid;
    }
    Length::Known(total as usize)
}

/// Sizes of header and body; nothing while the header is incomplete.
fn sizes(framing: Framing, b: &[u8]) -> Result<Option<(usize, u64)>, ()> {
    let need = match framing {
        Framing::Size(n) => n,
        Framing::SunRm | Framing::Tpkt => 4,
        Framing::Cdr => 12,
        Framing::Fcgi => 8,
        Framing::Tls => 5,
        _ => return asn1(b),
    };
    if b.len() < need {
        return Ok(None);
    }
    let number = |from: usize, n: usize| {
        b[from..from + n]
            .iter()
            .fold(0, |a, &x| a << 8 | u64::from(x))
    };
    let body = match framing {
        Framing::SunRm => number(0, 4) & 0x7fff_ffff,
        Framing::Tpkt if b[0] == 3 => number(2, 2).checked_sub(4).ok_or(())?,
        Framing::Cdr if b.starts_with(b"GIOP") && b[6] & 1 == 1 => number(8, 4).swap_bytes() >> 32,
        Framing::Cdr if b.starts_with(b"GIOP") => number(8, 4),
        Framing::Fcgi if b[0] == 1 => number(4, 2) + u64::from(b[6]),
        Framing::Tls if is_ssl2_hello(b) => (number(0, 2) & 0x7fff).checked_sub(3).ok_or(())?,
        Framing::Tls => number(3, 2),
        Framing::Size(n) => number(0, n),
        _ => return Err(()),
    };
    Ok(Some((need, body)))
}

/// Is it the hello of SSL 2? At least three bytes.
pub fn is_ssl2_hello(b: &[u8]) -> bool {
    b[0] & 0x80 != 0 && b[2] == 1
}

/// Sizes of what stands before the contents, and of these.
fn asn1(b: &[u8]) -> Result<Option<(usize, u64)>, ()> {
    if b.len() < 2 {
        return Ok(None);
    }
    let mut at = 1;
    if b[0] & 0x1f == 0x1f {
        // A long tag goes on as long as the highest bit is set.
        loop {
            let Some(&x) = b.get(at) else {
                return Ok(None);
            };
            at += 1;
            if x & 0x80 == 0 {
                break;
            }
        }
    }
    let Some(&first) = b.get(at) else {
        return Ok(None);
    };
    at += 1;
    if first & 0x80 == 0 {
        return Ok(Some((at, u64::from(first))));
    }
    let n = usize::from(first & 0x7f);
    match b.get(at..at + n) {
        None => Ok(None),
        Some(_) if n > 4 => Err(()),
        Some(size) => {
            let size = size.iter().fold(0, |a, &x| a << 8 | u64::from(x));
            Ok(Some((at + n, size)))
        }
    }
}

fn line(b: &[u8], limits: &PacketLimits) -> Length {
    let cut = |n: usize| limits.line != 0 && n > limits.line;
    let end = b.iter().position(|&x| x == limits.delimiter);
    let n = end.map_or(b.len(), |i| i + 1);
    if limits.packet != 0 && n > limits.packet {
        return Length::Invalid;
    }
    match end {
        _ if cut(n) => Length::Known(limits.line),
        Some(_) => Length::Known(n),
        None if limits.line != 0 && n >= limits.line => Length::Known(limits.line),
        None => Length::Unknown,
    }
}

/// A line, or a header field: lines up to one behind which no white space follows.
fn http_line(b: &[u8], limits: &PacketLimits, field: bool) -> Length {
    let too_long = |n: usize| limits.packet != 0 && n > limits.packet;
    let mut from = 0;
    loop {
        let Some(i) = b[from..].iter().position(|&x| x == b'\n') else {
            return if too_long(b.len() + 1) {
                Length::Invalid
            } else {
                Length::Unknown
            };
        };
        let end = from + i + 1;
        let empty = matches!(&b[..end], b"\n" | b"\r\n");
        // An empty line that is all there is passes whatever the limit.
        if too_long(end) && !(empty && end == b.len()) {
            return Length::Invalid;
        }
        if !field || empty {
            return Length::Known(end);
        }
        match b.get(end) {
            None => return Length::Unknown,
            Some(b' ' | b'\t') => from = end,
            Some(_) => return Length::Known(end),
        }
    }
}
