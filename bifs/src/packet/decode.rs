//! `erlang:decode_packet/3`.

use super::http::{self, HttpLine, RequestTarget};
use super::{Framing, Length, PacketLimits, is_ssl2_hello, length};
use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::bits;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, badarg, release};

bifs! { BIFS:
    "erlang" {
        "decode_packet"/3 Call => decode_packet;
    }
}

/// A packet type by its name; with it: are the texts of HTTP to be binaries?
pub fn framing(t: Term) -> Option<(Framing, bool)> {
    if let Some(n) = t.as_small() {
        return match n {
            0 => Some((Framing::Raw, false)),
            1 | 2 | 4 => Some((Framing::Size(n as usize), false)),
            _ => None,
        };
    }
    Some(match t.as_atom()?.text() {
        "raw" => (Framing::Raw, false),
        "asn1" => (Framing::Asn1, false),
        "sunrm" => (Framing::SunRm, false),
        "cdr" => (Framing::Cdr, false),
        "fcgi" => (Framing::Fcgi, false),
        "tpkt" => (Framing::Tpkt, false),
        "ssl_tls" => (Framing::Tls, false),
        "line" => (Framing::Line, false),
        "http" => (Framing::Http, false),
        "httph" => (Framing::HttpHeader, false),
        "http_bin" => (Framing::Http, true),
        "httph_bin" => (Framing::HttpHeader, true),
        _ => return None,
    })
}

fn limits(options: Term) -> Result<PacketLimits, Exit> {
    let mut limits = PacketLimits {
        packet: 0,
        line: 0,
        delimiter: b'\n',
    };
    for o in list::to_vec(options).ok_or_else(badarg)? {
        let &[key, value] = o.as_tuple_n::<2>().ok_or_else(badarg)?;
        let n = value.as_usize().filter(|&n| n <= u32::MAX as usize);
        let n = n.ok_or_else(badarg)?;
        match key.as_atom().map_or("", Atom::text) {
            "packet_size" => limits.packet = n,
            "line_length" => limits.line = n,
            "line_delimiter" => limits.delimiter = u8::try_from(n).map_err(|_| badarg())?,
            _ => return Err(badarg()),
        }
    }
    Ok(limits)
}

fn decode_packet(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bad_option = || Exit::error_cause(Atom::BADARG, Atom::BADOPT);
    let (framing, binaries) = framing(a[0]).ok_or_else(bad_option)?;
    if !a[1].is_bitstring() || bits::bit_size(a[1]) & 7 != 0 && !release::packets_in_bitstrings() {
        return Err(badarg());
    }
    let limits = limits(a[2])?;
    let all = bits::view(a[1]);
    let whole = all.part(0, all.bits & !7);
    let bytes = whole.to_bytes();
    let total = match length(framing, &bytes, &limits) {
        Length::Known(n) if n <= bytes.len() => n,
        Length::Known(n) => {
            let n = Term::small(n as i64);
            return Ok(cx.tuple2(Atom::new("more"), n));
        }
        Length::Unknown => return Ok(cx.tuple2(Atom::new("more"), Atom::UNDEFINED)),
        Length::Invalid => return Ok(cx.error(Atom::new("invalid"))),
    };
    cx.bump(total / 64);
    let h = cx.heap();
    let packet = match framing {
        Framing::Http | Framing::HttpHeader => {
            let field = framing == Framing::HttpHeader;
            http_term(h, binaries, &bytes[..total], field)
        }
        Framing::Tls => tls(h, &bytes[..total]),
        _ => {
            let from = if let Framing::Size(n) = framing { n } else { 0 };
            let padding = match framing {
                Framing::Fcgi => usize::from(bytes[6]),
                _ => 0,
            };
            let part = all.part(8 * from, 8 * (total - padding - from));
            bits::share(&part, h)
        }
    };
    let rest = bits::share(&all.part(8 * total, all.bits - 8 * total), h);
    Ok(h.tuple(&[Atom::OK.into(), packet, rest]))
}

/// A whole record: `{ssl_tls, [], Type, Version, Data}`; the hello of SSL 2 as if it had come in a handshake record.
pub fn tls(h: &mut Heap, b: &[u8]) -> Term {
    let (kind, major, minor, data) = if is_ssl2_hello(b) {
        let n = b.len() - 3;
        let size = [1, (n >> 16) as u8, (n >> 8) as u8, n as u8];
        (22, b[3], b[4], [&size[..], &b[3..]].concat())
    } else {
        (b[0], b[1], b[2], b[5..].to_vec())
    };
    let small = |n: u8| Term::small(i64::from(n));
    let version = h.tuple(&[small(major), small(minor)]);
    let data = h.binary(&data);
    h.tuple(&[
        Atom::new("ssl_tls").into(),
        Term::NIL,
        small(kind),
        version,
        data,
    ])
}

/// What a line or, where `field` says so, a header field of HTTP says.
pub fn http_term(h: &mut Heap, binaries: bool, line: &[u8], field: bool) -> Term {
    let text = |h: &mut Heap, b: &[u8]| {
        if binaries {
            h.binary(b)
        } else {
            h.byte_list(b)
        }
    };
    let atom = |s: &str| Term::from(Atom::new(s));
    let number = |n: u64| Term::small(n as i64);
    match http::parse(line, field) {
        HttpLine::Request(method, target, (major, minor)) => {
            let known = http::METHODS.iter().find(|m| m.as_bytes() == method);
            let method = match known {
                Some(m) => atom(m),
                None => text(h, method),
            };
            let target = match target {
                RequestTarget::Any => atom("*"),
                RequestTarget::Path(p) => {
                    let p = text(h, p);
                    h.tuple(&[atom("abs_path"), p])
                }
                RequestTarget::Absolute(secure, host, port, path) => {
                    let scheme = atom(if secure { "https" } else { "http" });
                    let (host, path) = (text(h, host), text(h, path));
                    let port = port.map_or(Atom::UNDEFINED.into(), number);
                    h.tuple(&[atom("absoluteURI"), scheme, host, port, path])
                }
                RequestTarget::Scheme(scheme, rest) => {
                    let (scheme, rest) = (text(h, scheme), text(h, rest));
                    h.tuple(&[atom("scheme"), scheme, rest])
                }
                RequestTarget::Other(t) => text(h, t),
            };
            let version = h.tuple(&[number(major), number(minor)]);
            h.tuple(&[atom("http_request"), method, target, version])
        }
        HttpLine::Response((major, minor), status, reason) => {
            let version = h.tuple(&[number(major), number(minor)]);
            let reason = text(h, reason);
            h.tuple(&[atom("http_response"), version, number(status), reason])
        }
        HttpLine::Field(name, value) => {
            let usual = http::usual_name(name);
            let known = http::FIELDS.iter().position(|f| f.as_bytes() == usual);
            let usual = match known {
                Some(i) => atom(http::FIELDS[i]),
                None => text(h, &usual),
            };
            let (name, value) = (text(h, name), text(h, value));
            let place = number(known.map_or(0, |i| i as u64 + 1));
            h.tuple(&[atom("http_header"), place, usual, name, value])
        }
        HttpLine::End => atom("http_eoh"),
        HttpLine::Wrong => {
            let line = text(h, line);
            h.tuple(&[atom("http_error"), line])
        }
    }
}
