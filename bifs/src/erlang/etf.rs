//! `term_to_binary`, `binary_to_term` and their kin.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::etf::decode::{self, DecodeError, Decoding};
use enigma_runtime::etf::encode::{self, EncodeOptions, Encoder};
use enigma_runtime::heap::{Gathered, bits};
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
    /// How hard to compress, from 1 to 9, if at all.
    level: Option<u32>,
}

fn options(l: Term) -> Result<Wanted, Exit> {
    let mut w = Wanted {
        encode: EncodeOptions::default(),
        level: None,
    };
    if l.is_nil() {
        return Ok(w);
    }
    for o in list::to_vec(l).ok_or_else(badarg)? {
        match (o.as_atom(), o.as_tuple_n::<2>()) {
            (Some(Atom::COMPRESSED), _) => w.level = Some(6),
            (Some(a), _) if a.text() == "deterministic" => w.encode.deterministic = true,
            (Some(Atom::LOCAL), _) => {}
            (_, Some(&[k, v])) => match (k.as_atom(), v.as_usize()) {
                (Some(Atom::COMPRESSED), Some(n)) if n <= 9 => {
                    w.level = Some(n as u32).filter(|&l| l > 0);
                }
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

/// Writes a term, compresses that if it was asked for, and makes a binary of it.
struct Encoding {
    encoder: Encoder,
    wanted: Wanted,
    /// What was written.
    written: Gathered,
    /// Compression, once all is written.
    packing: Option<Box<Packing>>,
    /// What the BIF gives for the binary.
    answer: fn(&mut Ctx<'_>, Term) -> Term,
}

/// Compression under way.
struct Packing {
    deflate: flate2::Compress,
    /// Bytes that are compressed.
    at: usize,
    /// The head, and what is compressed.
    packed: Gathered,
    /// Room for what comes out at once.
    some: Vec<u8>,
}

/// Bytes that are written at once.
const PIECE: usize = 1 << 16;
/// Bytes that are compressed at once, at most, and units that a byte costs.
const PACKED: usize = 1 << 12;
const PACKED_UNITS: usize = 2;

impl Packing {
    /// Begins with `len` bytes, of which the first is the version.
    fn new(len: usize, level: u32) -> Packing {
        let mut packed = Gathered::default();
        packed.extend(&[131, 80]);
        packed.extend(&(len as u32 - 1).to_be_bytes());
        Packing {
            deflate: flate2::Compress::new(flate2::Compression::new(level), true),
            // The version byte is not compressed.
            at: 1,
            packed,
            some: Vec::with_capacity(PACKED),
        }
    }

    /// Goes on; gives whether the result is shorter than what it was made of.
    fn go_on(&mut self, bytes: &[u8], budget: &mut Budget) -> Poll<bool> {
        loop {
            if budget.is_spent() {
                return Poll::Pending;
            }
            let rest = &bytes[self.at..];
            let some = &rest[..rest.len().min(PACKED)];
            let flush = if some.is_empty() {
                flate2::FlushCompress::Finish
            } else {
                flate2::FlushCompress::None
            };
            let before = self.deflate.total_in();
            let status = self.deflate.compress_vec(some, &mut self.some, flush);
            let used = (self.deflate.total_in() - before) as usize;
            budget.spend(PACKED_UNITS * used + 1);
            self.at += used;
            self.packed.extend(&self.some);
            self.some.clear();
            let shorter = self.packed.len() <= bytes.len();
            match status {
                Ok(flate2::Status::StreamEnd) => return Poll::Ready(shorter),
                Ok(_) if shorter => {}
                // It has become too long, or cannot be compressed at all.
                _ => return Poll::Ready(false),
            }
        }
    }
}

impl Work for Encoding {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        while self.packing.is_none() {
            let done = self.encoder.go_on(budget, PIECE).is_ready();
            if self.written.is_empty() && done && self.wanted.level.is_none() {
                let b = cx.heap().binary_of(self.encoder.take());
                return Ok(Poll::Ready((self.answer)(cx, b)));
            }
            if done || self.encoder.written() >= PIECE && !self.encoder.has_gaps() {
                self.encoder.move_to(&mut self.written);
            }
            match self.wanted.level {
                Some(level) if done => {
                    self.packing = Some(Box::new(Packing::new(self.written.len(), level)));
                }
                None if done => return Ok(Poll::Ready(self.finish(cx))),
                _ if budget.is_spent() => return Ok(Poll::Pending),
                _ => {}
            }
        }
        if let Some(packing) = &mut self.packing {
            let Poll::Ready(shorter) = packing.go_on(self.written.bytes(), budget) else {
                return Ok(Poll::Pending);
            };
            if shorter {
                self.written = std::mem::take(&mut packing.packed);
            }
        }
        Ok(Poll::Ready(self.finish(cx)))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.encoder.visit_roots(visit);
    }
}

impl Encoding {
    fn finish(&mut self, cx: &mut Ctx<'_>) -> Term {
        let b = std::mem::take(&mut self.written).finish(cx.heap());
        (self.answer)(cx, b)
    }
}

/// Units of work that are done without asking how much is left of the time slice.
const FEW_UNITS: usize = 250;

fn encoded(
    cx: &mut Ctx<'_>,
    a: &[Term],
    wanted: Wanted,
    answer: fn(&mut Ctx<'_>, Term) -> Term,
) -> BifResult {
    if wanted.level.is_none() && work::at_once(FEW_UNITS) {
        let written = encode::with_short(a[0], wanted.encode, |bytes, parts| {
            cx.bump(parts / (work::UNITS / 3));
            cx.heap().binary(bytes)
        });
        if let Some(b) = written {
            return Ok(answer(cx, b));
        }
    }
    let work = Encoding {
        encoder: Encoder::new(a[0], wanted.encode),
        wanted,
        written: Gathered::default(),
        packing: None,
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
    if work::at_once(FEW_UNITS) {
        let size = encode::with_short(a[0], w.encode, |bytes, parts| (bytes.len(), parts));
        if let Some((n, parts)) = size {
            cx.bump(parts / (work::UNITS / 3));
            return Ok(cx.heap().uint(n as u64));
        }
    }
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
