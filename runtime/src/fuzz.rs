//! Fuzzing of what the runtime reads from outside: the external term format, match specifications, and what other nodes send.
//!
//! Mutation is deterministic: a number names a case for ever. The oracles: no panic, and what is read means the
//! same when it is written and read again.

use crate::atom::Atom;
use crate::data::{compare, display, hash, phash};
use crate::dist::control::ControlMessage;
use crate::dist::flags;
use crate::dist::packet::PacketReader;
use crate::etf::{decode, encode};
use crate::heap::{Heap, copy};
use crate::match_spec::{Dialect, Gives, Program};
use enigma_loader::fuzz::{Xorshift, scramble};
use std::sync::Once;
use std::time::{Duration, Instant};

/// Terms in the external format, with their version byte: all tags, old ones too. The last three need not be known.
pub const TERMS: &[&[u8]] = &[
    b"\x83\x61\x07",
    b"\x83\x62\xff\xff\xff\x85",
    b"\x83\x63\x31.50000000000000000000e+00\0\0\0\0\0",
    b"\x83\x46\x3f\xf8\0\0\0\0\0\0",
    b"\x83\x64\0\x02ok",
    b"\x83\x73\x02ok",
    b"\x83\x76\0\x03\xc3\xa5b",
    b"\x83\x77\x03\xc3\xa5b",
    b"\x83\x65\x77\x03a@b\0\0\0\x01\0\0\0\x02\x01",
    b"\x83\x72\0\x03\x77\x0dnonode@nohost\x00\0\x01\x6a\x39\0\x02\0\x0a\x7b\x9f\x8b\x45",
    b"\x83\x5a\0\x03\x77\x03a@b\0\0\0\x07\0\x01\x6a\x39\0\x02\0\x0a\x7b\x9f\x8b\x45",
    b"\x83\x66\x77\x03a@b\0\0\0\x05\x01",
    b"\x83\x59\x77\x03a@b\0\0\0\x05\0\0\0\x01",
    b"\x83\x78\x77\x03a@b\0\0\0\0\0\0\0\x05\0\0\0\x01",
    b"\x83\x67\x77\x0dnonode@nohost\0\0\0\x2a\0\0\0\0\0",
    b"\x83\x58\x77\x03a@b\0\0\0\x2a\0\0\0\0\0\0\0\x01",
    b"\x83\x68\x03\x61\x01\x6a\x68\0",
    b"\x83\x69\0\0\0\x02\x61\x01\x6b\0\x03abc",
    b"\x83\x6c\0\0\0\x02\x61\x01\x61\x02\x61\x03",
    b"\x83\x6d\0\0\0\x03\x01\x02\x03",
    b"\x83\x4d\0\0\0\x02\x03\xff\xe0",
    b"\x83\x6e\x09\x01\x01\x02\x03\x04\x05\x06\x07\x08\x09",
    b"\x83\x6f\0\0\0\x0a\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a",
    b"\x83\x74\0\0\0\x02\x77\x01a\x61\x01\x77\x01b\x6a",
    b"\x83\x70\0\0\0\x41\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\x77\x01m\x61\x01\x61\x02\x58\x77\x03a@b\0\0\0\x2a\0\0\0\0\0\0\0\x01\x6a",
    b"\x83\x71\x77\x05lists\x77\x03map\x61\x02",
    b"\x83\x50\0\0\0\x02\x78\x9c\x4b\x64\x04\0\0\xca\0\x63",
    b"\x83\x4b\0\0\x05",
];

/// Match specifications in the external format.
pub const SPECS: &[&[u8]] = &[
    // [{{'$1', '_'}, [{'>', '$1', 1}], ['$1', '$_', {{'$1'}}]}]
    b"\x83\x6c\0\0\0\x01\x68\x03\x68\x02\x77\x02$1\x77\x01_\x6c\0\0\0\x01\x68\x03\x77\x01>\x77\x02$1\x61\x01\x6a\x6c\0\0\0\x03\x77\x02$1\x77\x02$_\x68\x01\x68\x01\x77\x02$1\x6a\x6a",
    // [{#{a => '$1', b => '$2'}, [{'andalso', true, {'not', false}}], [{const, '$1'}, '$$']}]
    b"\x83\x6c\0\0\0\x01\x68\x03\x74\0\0\0\x02\x77\x01a\x77\x02$1\x77\x01b\x77\x02$2\x6c\0\0\0\x01\x68\x03\x77\x07andalso\x77\x04true\x68\x02\x77\x03not\x77\x05false\x6a\x6c\0\0\0\x02\x68\x02\x77\x05const\x77\x02$1\x77\x02$$\x6a\x6a",
    // [{['$1' | '$2'], [], [{set_seq_token, label, 1}, {message, {element, 1, '$_'}}]}]
    b"\x83\x6c\0\0\0\x01\x68\x03\x6c\0\0\0\x01\x77\x02$1\x77\x02$2\x6a\x6c\0\0\0\x02\x68\x03\x77\x0dset_seq_token\x77\x05label\x61\x01\x68\x02\x77\x07message\x68\x03\x77\x07element\x61\x01\x77\x02$_\x6a\x6a",
];

/// Packets of other nodes, each with its length in two bytes: a link, a message to a name with a header of atoms, a message in two
/// pieces, one without a header.
pub const NODE_PACKETS: &[&[u8]] = &[
    b"\0\x35\x83\x44\0\x68\x03\x61\x01\x58\x77\x03a@b\0\0\0\x2a\0\0\0\0\0\0\0\x01\x58\x77\x0dnonode@nohost\0\0\0\x2a\0\0\0\0\0\0\0\0",
    b"\0\x24\x83\x44\x01\x08\x05\x02ok\x68\x04\x61\x06\x58\x77\x03a@b\0\0\0\x2a\0\0\0\0\0\0\0\x01\x52\0\x52\0\x52\0",
    b"\0\x4c\x83\x45\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\x68\x03\x61\x16\x58\x77\x03a@b\0\0\0\x2a\0\0\0\0\0\0\0\x01\x58\x77\x0dnonode@nohost\0\0\0\x2a\0\0\0\0\0\0\0\0\x6c\0\0\0\x02\x61\x01\
\0\x15\x83\x46\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\x61\x02\x6a",
    b"\0\x37\x70\x83\x68\x03\x61\x16\x58\x77\x03a@b\0\0\0\x2a\0\0\0\0\0\0\0\x01\x58\x77\x0dnonode@nohost\0\0\0\x2a\0\0\0\0\0\0\0\0\x83\x61\x07",
];

/// Takes the bytes as what another node sends. Returns whether there is a message among it.
pub fn node_packets(bytes: &[u8]) -> bool {
    make_atoms();
    let mut reader = PacketReader::default();
    let mut known = false;
    let mut rest = bytes;
    while let Some((size, more)) = rest.split_first_chunk::<2>() {
        let size = usize::from(u16::from_be_bytes(*size)).min(more.len());
        let (packet, later) = more.split_at(size);
        rest = later;
        let mut arrived = match reader.take(packet) {
            Ok(Some(arrived)) => arrived,
            Ok(None) => continue,
            Err(_) => break,
        };
        let mut heap = Heap::new();
        let Ok(t) = arrived.term(&mut heap) else {
            break;
        };
        let Some((control, has_payload)) = ControlMessage::of_term(t) else {
            break;
        };
        let payload = if has_payload {
            match arrived.term(&mut heap) {
                Ok(p) => Some(p),
                Err(_) => break,
            }
        } else {
            None
        };
        known = true;
        // What was understood can be told again.
        let mut told = payload;
        let t = control.to_term(&mut heap, flags::sets().default, &mut told);
        assert!(ControlMessage::of_term(t).is_some());
    }
    known
}

/// Reads the bytes as a term, safely, and does with it what can be done with any term. Returns whether they
/// are one.
pub fn term(bytes: &[u8]) -> bool {
    make_atoms();
    let mut heap = Heap::new();
    let options = decode::DecodeOptions { safe: true };
    let Ok((t, used)) = decode::decode(bytes, &mut heap, options) else {
        return false;
    };
    assert!(used <= bytes.len());
    let written = encode::encode(t, encode::EncodeOptions::default());
    let (again, all) = match decode::decode(&written, &mut heap, options) {
        Ok(read) => read,
        Err(e) => panic!("what was written cannot be read: {e:?}"),
    };
    assert_eq!(all, written.len());
    let copied = copy::copy_whole(t, &mut heap);
    for other in [again, copied] {
        assert!(compare::exact_eq(t, other) && compare::eq(t, other));
        assert!(compare::compare_exact(t, other).is_eq());
        assert_eq!(hash::internal(t), hash::internal(other));
        assert_eq!(phash::phash2(t), phash::phash2(other));
        assert_eq!(phash::phash(t), phash::phash(other));
    }
    assert!(!display::text(t, 1 << 12).is_empty());
    true
}

/// Compiles the term that the bytes are as a match specification, in all ways. Returns whether it is one.
pub fn match_spec(bytes: &[u8]) -> bool {
    make_atoms();
    let mut heap = Heap::new();
    let options = decode::DecodeOptions { safe: true };
    let Ok((t, _)) = decode::decode(bytes, &mut heap, options) else {
        return false;
    };
    let pattern = Program::compile_pattern(t, Gives::Bindings).is_ok();
    let known = [Dialect::Table, Dialect::Trace].map(|d| {
        let specification = Program::compile(t, d);
        if let Err(e) = &specification {
            assert!(!e.0.is_empty(), "a wrong specification without a word");
        }
        specification.is_ok()
    });
    pattern || known.contains(&true)
}

/// The case with this number, from these seeds.
pub fn case(seeds: &[&[u8]], number: u64) -> Vec<u8> {
    let mut rng = Xorshift::new(number);
    let mut bytes = seeds[rng.below(seeds.len())].to_vec();
    if rng.below(4) == 0 {
        // One term in the place of a part of another.
        let other = seeds[rng.below(seeds.len())];
        let at = rng.below(bytes.len());
        bytes.splice(at.., other[1.min(other.len())..].iter().copied());
    }
    scramble(&mut rng, &mut bytes);
    bytes
}

/// Puts the case with this number into a fuzzer's buffer, as far as there is room; its length.
pub fn put_case(seeds: &[&[u8]], number: u64, buffer: &mut [u8], room: usize) -> usize {
    let case = case(seeds, number);
    let len = case.len().min(room);
    buffer[..len].copy_from_slice(&case[..len]);
    len
}

/// How long the tests fuzz each target: 1.5 s, or as many seconds as `ENIGMA_FUZZ_SECONDS` says.
pub fn time() -> Duration {
    let seconds = std::env::var("ENIGMA_FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|s| s.parse().ok());
    seconds.map_or(Duration::from_millis(1500), Duration::from_secs)
}

/// Runs cases until the time is over; the number of those that `check` has accepted.
pub fn run(seeds: &[&[u8]], check: fn(&[u8]) -> bool, time: Duration) -> usize {
    let start = Instant::now();
    let mut accepted = seeds.iter().filter(|s| check(s)).count();
    let mut number = 0;
    while start.elapsed() < time {
        for _ in 0..64 {
            accepted += usize::from(check(&case(seeds, number)));
            number += 1;
        }
    }
    accepted
}

/// Makes the atoms of the seeds, so that safe decoding finds them.
fn make_atoms() {
    static MADE: Once = Once::new();
    const TEXTS: &[&str] = &[
        "ok",
        "åb",
        "a@b",
        "nonode@nohost",
        "a",
        "b",
        "m",
        "x",
        "$1",
        "$2",
        "$_",
        "$$",
        "_",
        ">",
        "andalso",
        "not",
        "const",
        "set_seq_token",
        "label",
        "message",
        "element",
        "lists",
        "map",
    ];
    MADE.call_once(|| {
        for text in TEXTS {
            Atom::new(text);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms() {
        for (i, seed) in TERMS.iter().enumerate().take(TERMS.len() - 3) {
            assert!(term(seed), "seed {i} is a term");
        }
        assert!(run(TERMS, term, time()) > TERMS.len());
    }

    #[test]
    fn packets_of_nodes() {
        for (i, seed) in NODE_PACKETS.iter().enumerate() {
            assert!(node_packets(seed), "seed {i} has a message");
        }
        assert!(run(NODE_PACKETS, node_packets, time()) > NODE_PACKETS.len());
    }

    #[test]
    fn match_specifications() {
        for (i, seed) in SPECS.iter().enumerate() {
            assert!(match_spec(seed), "seed {i} is a specification");
        }
        assert!(run(SPECS, match_spec, time()) > SPECS.len());
    }
}
