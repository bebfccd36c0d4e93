//! Fuzzing of packets and of compiled patterns, as `enigma_runtime::fuzz` does it for terms.

use crate::packet::{Framing, Length, PacketLimits, http, length};
use crate::re::code::{Code, MatchLimits, Settings};
use crate::re::options;

/// What streams may begin with.
pub const PACKETS: &[&[u8]] = &[
    b"GET /path?q=1 HTTP/1.1\r\nHost: example\r\nCookie: a=b;\r\n\tc=d\r\n\r\n",
    b"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nabc",
    b"OPTIONS * HTTP/1.1\nX: y\n\n",
    b"GET https://host:8080/x HTTP/1.1\r\n\r\n",
    b"\0\0\0\x03abc",
    b"\x30\x82\0\x03abc",
    b"\x80\0\0\x03abc",
    b"GIOP\x01\0\x01\0\x03\0\0\0abc",
    b"\x01\x01\0\x01\0\x03\x05\0abc\0\0\0\0\0",
    b"\x03\0\0\x07abc",
    b"\x16\x03\x01\0\x03abc",
    b"\x80\x2e\x01\0\x02abc",
    b"line\r\nanother\n",
];

/// Exported patterns: three words of settings, least significant byte first, and the pattern.
pub const PATTERNS: &[&[u8]] = &[
    b"\0\0\0\0\0\0\0\0\0\0\0\0^(a+)+$",
    b"\0\0\0\0\0\0\0\0\0\0\0\0(?<name>\\d{2,4})-(?:x|y)*?\\b",
    b"\0\0\0\0\0\0\0\0\0\0\0\0(?|(a)|(b))(?(1)c|d)\\1",
    b"\x08\0\0\0\x02\0\0\0\0\0\0\0(?i)[[:alpha:]\\x{e5}-\\x{f6}]\\R",
    b"\0\0\x08\0\0\0\0\0\0\0\0\0\xc3\xa5\\p{Lu}+(*PRUNE)x",
    b"\0\0\0\0\0\0\0\0\0\0\0\0(?R)?a(?=b)(?<!c)",
];

/// Looks for the end of the first packet in each way of framing, and into the lines of HTTP. Returns whether
/// there is a whole packet.
pub fn packet(bytes: &[u8]) -> bool {
    let limits = [0, 5].map(|n| PacketLimits {
        packet: n,
        line: n,
        delimiter: b'\n',
    });
    let framings = [
        Framing::Raw,
        Framing::Size(1),
        Framing::Size(2),
        Framing::Size(4),
        Framing::Asn1,
        Framing::SunRm,
        Framing::Cdr,
        Framing::Fcgi,
        Framing::Tpkt,
        Framing::Tls,
        Framing::Line,
        Framing::Http,
        Framing::HttpHeader,
    ];
    let mut whole = false;
    for framing in framings {
        for limits in &limits {
            let Length::Known(n) = length(framing, bytes, limits) else {
                continue;
            };
            let Some(first) = bytes.get(..n) else {
                continue;
            };
            whole = true;
            if matches!(framing, Framing::Http | Framing::HttpHeader) {
                let parsed = http::parse(first, framing == Framing::HttpHeader);
                if let http::HttpLine::Field(name, _) = parsed {
                    assert_eq!(http::usual_name(name).len(), name.len());
                }
            }
        }
    }
    whole
}

/// Compiles an exported pattern, unless it asks for what options cannot, and looks for it in some texts.
/// Returns whether it could be compiled.
pub fn pattern(bytes: &[u8]) -> bool {
    let Some((words, pattern)) = bytes.split_at_checked(12) else {
        return false;
    };
    let word = |i: usize| {
        let at = 4 * i;
        u32::from_le_bytes([words[at], words[at + 1], words[at + 2], words[at + 3]])
    };
    let settings = Settings {
        options: word(0),
        newline: word(1),
        bsr: word(2),
    };
    if !options::can_be(settings) {
        return false;
    }
    let Ok(code) = Code::compile(pattern, settings) else {
        return false;
    };
    let effort = MatchLimits {
        matches: 10_000,
        depth: 1_000,
    };
    let mut found = Vec::new();
    for subject in ["", "aaaaaaaaaaaaaaaaaaaab", "12-x åÄ\r\nab", "\u{1f600}abc"] {
        if let Ok(groups) = code.run(subject.as_bytes(), 0, 0, effort, &mut found) {
            assert!(groups <= code.groups + 1);
            let inside = |&(from, to): &(usize, usize)| from.max(to) <= subject.len();
            assert!(found.iter().flatten().all(inside));
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use enigma_runtime::fuzz::{run, time};

    #[test]
    fn packets() {
        assert!(run(PACKETS, packet, time()) > PACKETS.len());
    }

    #[test]
    fn patterns() {
        assert!(run(PATTERNS, pattern, time()) > PATTERNS.len());
    }
}
