//! `term_to_binary`, `binary_to_term` and their kin.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::etf::decode::{self, DecodeError, Decoding};
use enigma_runtime::etf::encode::{EncodeOptions, Encoder};
use enigma_runtime::heap::{BinaryBuilder, bits};
use enigma_runtime::term::list;
use enigma_runtime::work::{self, Budget, Step, Work};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg};
use std::borrow::Cow;
use std::task::Poll;

bifs! { BIFS:
    "erlang" {
        "term_to_binary"/1 Steps => term_to_binary;
        "term_to_binary"/2 Steps => term_to_binary;
        "term_to_iovec"/1 Steps => term_to_iovec;
        "term_to_iovec"/2 Steps => term_to_iovec;
        "binary_to_term"/1 Steps => binary_to_term1;
        "binary_to_term"/2 Steps => binary_to_term2;
        "external_size"/1 Steps => external_size;
        "external_size"/2 Steps => external_size;
    }
}

struct Wanted {
    encode: EncodeOptions,
    level: Option<u32>,
}

fn options(l: Term) -> Result<Wanted, Exit> {
    let mut w = Wanted {
        encode: EncodeOptions::default(),
        level: None,
    };
    for o in list::to_vec(l).ok_or_else(badarg)? {
        match (o.as_atom(), o.as_tuple_n::<2>()) {
            (Some(Atom::COMPRESSED), _) => w.level = Some(6),
            (Some(a), _) if a.text() == "deterministic" => w.encode.deterministic = true,
            (Some(Atom::LOCAL), _) => {}
            (_, Some(&[k, v])) => match (k.as_atom(), v.as_usize()) {
                (Some(Atom::COMPRESSED), Some(n)) if n <= 9 => w.level = Some(n as u32),
                (Some(k), Some(n)) if n <= 2 && k.text() == "minor_version" => {
                    w.encode.minor = n as u8
                }
                _ => return Err(badarg()),
            },
            _ => return Err(badarg()),
        }
    }
    Ok(w)
}

/// Writes a term into pieces, compresses these if that was asked for, and makes a binary of them.
struct Encoding {
    encoder: Encoder,
    wanted: Wanted,
    /// What was written, in pieces of about the same size.
    pieces: Vec<Vec<u8>>,
    len: usize,
    stage: Stage,
    /// What the BIF gives for the binary.
    answer: fn(&mut Ctx<'_>, Term) -> Term,
}

enum Stage {
    Write,
    Pack(Box<Packing>),
    /// Pieces from this one on go into the binary.
    Build(BinaryBuilder, usize),
}

/// Compression under way.
struct Packing {
    deflate: flate2::Compress,
    /// The piece that is compressed, and the place in it.
    at: (usize, usize),
    packed: Vec<u8>,
}

/// Bytes of a piece.
const PIECE: usize = 1 << 16;
/// Bytes that are compressed at once, at most, and units that a byte costs.
const PACKED: usize = 1 << 12;
const PACKED_UNITS: usize = 2;

impl Packing {
    /// Goes on; gives whether the result is shorter than what it was made of, of `len` bytes.
    fn go_on(&mut self, pieces: &[Vec<u8>], len: usize, budget: &mut Budget) -> Poll<bool> {
        loop {
            if budget.is_spent() {
                return Poll::Pending;
            }
            let (piece, from) = self.at;
            let bytes = pieces.get(piece).map_or(&[][..], |p| &p[from..]);
            let some = &bytes[..bytes.len().min(PACKED)];
            let flush = if piece < pieces.len() {
                flate2::FlushCompress::None
            } else {
                flate2::FlushCompress::Finish
            };
            self.packed.reserve(PACKED);
            let before = self.deflate.total_in();
            let status = self.deflate.compress_vec(some, &mut self.packed, flush);
            let used = (self.deflate.total_in() - before) as usize;
            budget.spend(PACKED_UNITS * used + 1);
            self.at = if used == bytes.len() {
                (piece + 1, 0)
            } else {
                (piece, from + used)
            };
            match status {
                Ok(flate2::Status::StreamEnd) => {
                    return Poll::Ready(self.packed.len() + PACKED_HEAD <= len);
                }
                Ok(_) if self.packed.len() + PACKED_HEAD <= len => {}
                // It has become too long, or cannot be compressed at all.
                _ => return Poll::Ready(false),
            }
        }
    }
}

/// Bytes in front of compressed data, after the version.
const PACKED_HEAD: usize = 5;

impl Encoding {
    fn keep(&mut self) {
        let piece = self.encoder.take();
        self.len += piece.len();
        self.pieces.push(piece);
    }
}

impl Work for Encoding {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        loop {
            match &mut self.stage {
                Stage::Write => {
                    if self.encoder.go_on(budget, PIECE).is_pending() {
                        if self.encoder.written() >= PIECE && !self.encoder.has_gaps() {
                            self.keep();
                        }
                        if budget.is_spent() {
                            return Ok(Poll::Pending);
                        }
                        continue;
                    }
                    let level = self.wanted.level.filter(|&l| l > 0);
                    if self.pieces.is_empty() && level.is_none() {
                        let b = cx.heap().binary_of(self.encoder.take());
                        return Ok(Poll::Ready((self.answer)(cx, b)));
                    }
                    self.keep();
                    self.stage = match level {
                        None => Stage::Build(BinaryBuilder::new(8 * self.len), 0),
                        Some(level) => Stage::Pack(Box::new(Packing {
                            deflate: flate2::Compress::new(flate2::Compression::new(level), true),
                            // The version byte is not compressed.
                            at: (0, 1),
                            packed: Vec::new(),
                        })),
                    };
                }
                Stage::Pack(p) => {
                    let Poll::Ready(shorter) = p.go_on(&self.pieces, self.len - 1, budget) else {
                        return Ok(Poll::Pending);
                    };
                    if shorter {
                        let mut head = vec![131, 80];
                        head.extend_from_slice(&(self.len as u32 - 1).to_be_bytes());
                        self.len = head.len() + p.packed.len();
                        self.pieces = vec![head, std::mem::take(&mut p.packed)];
                    }
                    self.stage = Stage::Build(BinaryBuilder::new(8 * self.len), 0);
                }
                Stage::Build(out, at) => {
                    while let Some(piece) = self.pieces.get_mut(*at) {
                        if budget.is_spent() {
                            return Ok(Poll::Pending);
                        }
                        budget.spend(piece.len() / work::BYTES + 1);
                        out.extend(&std::mem::take(piece));
                        *at += 1;
                    }
                    let out = std::mem::replace(out, BinaryBuilder::new(0));
                    let b = out.finish(cx.heap());
                    return Ok(Poll::Ready((self.answer)(cx, b)));
                }
            }
        }
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.encoder.visit_roots(visit);
    }
}

fn encoded(
    cx: &mut Ctx<'_>,
    a: &[Term],
    wanted: Wanted,
    answer: fn(&mut Ctx<'_>, Term) -> Term,
) -> BifResult {
    let work = Encoding {
        encoder: Encoder::new(a[0], wanted.encode),
        wanted,
        pieces: Vec::new(),
        len: 0,
        stage: Stage::Write,
        answer,
    };
    work::start(cx, a, work)
}

fn wanted(a: &[Term]) -> Result<Wanted, Exit> {
    options(a.get(1).copied().unwrap_or(Term::NIL))
}

fn term_to_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let w = wanted(a)?;
    encoded(cx, a, w, |_, b| b)
}

fn term_to_iovec(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let w = wanted(a)?;
    encoded(cx, a, w, |cx, b| cx.heap().list(&[b]))
}

struct Sizing(Encoder);

impl Work for Sizing {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        loop {
            if self.0.go_on(budget, PIECE).is_ready() {
                return Ok(Poll::Ready(cx.heap().uint(self.0.written() as u64)));
            }
            if !self.0.has_gaps() {
                self.0.forget();
            }
            if budget.is_spent() {
                return Ok(Poll::Pending);
            }
        }
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.0.visit_roots(visit);
    }
}

fn external_size(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let w = wanted(a)?;
    work::start(cx, a, Sizing(Encoder::sizing(a[0], w.encode)))
}

/// Decodes the binary in the first argument.
struct Reading {
    decoding: Decoding,
    /// The bytes, where the binary does not begin at a byte.
    shifted: Option<Vec<u8>>,
    /// Is the number of bytes used wanted as well?
    used: bool,
}

fn decode_error(e: DecodeError) -> Exit {
    match e {
        DecodeError::Limit => Exit::error(Atom::SYSTEM_LIMIT),
        _ => badarg(),
    }
}

impl Work for Reading {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let bytes = match &self.shifted {
            Some(bytes) => bytes,
            None => bits::view(a[0]).aligned().ok_or_else(badarg)?,
        };
        let done = self
            .decoding
            .go_on(bytes, cx.heap(), budget)
            .map_err(decode_error)?;
        Ok(done.map(|(t, n)| {
            if self.used {
                cx.tuple2(t, Term::small(n as i64))
            } else {
                t
            }
        }))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.decoding.visit_roots(visit);
    }
}

fn decoded(cx: &mut Ctx<'_>, a: &[Term], o: decode::DecodeOptions, used: bool) -> BifResult {
    let bytes = bits::binary_bytes(a[0]).ok_or_else(badarg)?;
    let work = Reading {
        decoding: Decoding::new(&bytes, o).map_err(decode_error)?,
        shifted: match bytes {
            Cow::Owned(bytes) => Some(bytes),
            Cow::Borrowed(_) => None,
        },
        used,
    };
    work::start(cx, a, work)
}

fn binary_to_term1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    decoded(cx, a, decode::DecodeOptions::default(), false)
}

fn binary_to_term2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (mut o, mut used) = (decode::DecodeOptions::default(), false);
    let bad_option = || Exit::error_cause(Atom::BADARG, Atom::BADOPT);
    for item in list::to_vec(a[1]).ok_or_else(bad_option)? {
        match item.as_atom().map(Atom::text) {
            Some("safe") => o.safe = true,
            Some("used") => used = true,
            _ => return Err(bad_option()),
        }
    }
    decoded(cx, a, o, used)
}
