//! The module `unicode`: character data (nested lists of code points and binaries) to lists and binaries.
//!
//! UTF-8 sequences may go on from one binary to the next. Other encodings than UTF-8 and Latin-1 are
//! handled by the module's own Erlang code.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::export;
use enigma_runtime::heap::bits;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg};

bifs! { BIFS:
    "unicode" {
        "characters_to_list"/2 Call => characters_to_list;
        "characters_to_binary"/2 Call => characters_to_binary;
        "bin_is_7bit"/1 Call => bin_is_7bit;
    }
}

/// Why conversion has stopped.
enum Stop {
    /// The term is no character data at all.
    Badarg,
    /// Wrong at the rest: its current part, and the tails around it.
    Wrong { current: Term, outer: Vec<Term> },
    /// The data ends within a sequence.
    Incomplete,
}

/// Where converted characters go.
trait Sink {
    /// Takes a character.
    fn put(&mut self, c: u32);
    /// Takes valid UTF-8.
    fn put_str(&mut self, s: &str) {
        s.chars().for_each(|c| self.put(u32::from(c)));
    }
}

impl Sink for Vec<u32> {
    fn put(&mut self, c: u32) {
        self.push(c);
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, c: u32) {
        if let Some(c) = char::from_u32(c) {
            self.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    fn put_str(&mut self, s: &str) {
        self.extend_from_slice(s.as_bytes());
    }
}

/// One conversion.
struct Converter<'a, S: Sink> {
    out: &'a mut S,
    utf8: bool,
    /// The beginning of a sequence that goes on in the next binary.
    carry: Vec<u8>,
    work: usize,
}

impl<S: Sink> Converter<'_, S> {
    /// Converts all of `data`; what is built for the rest goes to `cx`.
    fn run(&mut self, cx: &mut Ctx<'_>, data: Term) -> Result<(), Stop> {
        let mut outer: Vec<Term> = Vec::new();
        let mut t = data;
        loop {
            if t.is_bitstring() {
                self.binary(cx, t, |_, left| left.unwrap_or(Term::NIL), &outer)?;
                t = Term::NIL;
            }
            while let Some((head, tail)) = t.as_cons() {
                self.work += 1;
                if let Some(n) = head.as_small() {
                    if !self.carry.is_empty() || !is_code_point(n) || !self.utf8 && n > 255 {
                        return Err(Stop::Wrong { current: t, outer });
                    }
                    self.out.put(n as u32);
                    t = tail;
                } else if head.is_list() {
                    outer.push(tail);
                    t = head;
                } else if head.is_bitstring() {
                    let rest = |cx: &mut Ctx<'_>, left: Option<Term>| match left {
                        Some(b) => cx.heap().cons(b, tail),
                        None => tail,
                    };
                    self.binary(cx, head, rest, &outer)?;
                    t = tail;
                } else if head.is_integer() {
                    return Err(Stop::Wrong { current: t, outer });
                } else {
                    return Err(Stop::Badarg);
                }
            }
            if t.is_bitstring() {
                continue;
            }
            if !t.is_nil() {
                return Err(Stop::Badarg);
            }
            match outer.pop() {
                Some(next) => t = next,
                None if self.carry.is_empty() => return Ok(()),
                None => return Err(Stop::Incomplete),
            }
        }
    }

    fn binary(
        &mut self,
        cx: &mut Ctx<'_>,
        t: Term,
        rest: impl FnOnce(&mut Ctx<'_>, Option<Term>) -> Term,
        outer: &[Term],
    ) -> Result<(), Stop> {
        let bytes = bits::binary_bytes(t).ok_or(Stop::Badarg)?;
        self.work += bytes.len() / 8;
        if !self.utf8 {
            bytes.iter().for_each(|&b| self.out.put(u32::from(b)));
            return Ok(());
        }
        let mut at = 0;
        if let Some(&lead) = self.carry.first() {
            let missing = sequence_length(lead).saturating_sub(self.carry.len());
            at = missing.min(bytes.len());
            let mut next = self.carry.clone();
            next.extend_from_slice(&bytes[..at]);
            if let Ok(s) = std::str::from_utf8(&next) {
                self.out.put_str(s);
                self.carry.clear();
            } else if may_go_on(&next) {
                self.carry = next;
                return Ok(());
            } else {
                // A binary with more than was missing does not count as converted at all.
                let left = if at < missing {
                    self.carry = next;
                    None
                } else {
                    Some(t)
                };
                return Err(Stop::Wrong {
                    current: rest(cx, left),
                    outer: outer.to_vec(),
                });
            }
        }
        match std::str::from_utf8(&bytes[at..]) {
            Ok(s) => self.out.put_str(s),
            Err(e) => {
                let good = at + e.valid_up_to();
                if let Ok(s) = std::str::from_utf8(&bytes[at..good]) {
                    self.out.put_str(s);
                }
                if may_go_on(&bytes[good..]) {
                    self.carry = bytes[good..].to_vec();
                } else {
                    let v = bits::view(t).part(8 * good, 8 * (bytes.len() - good));
                    let left = bits::share(&v, cx.heap());
                    let current = rest(cx, Some(left));
                    return Err(Stop::Wrong {
                        current,
                        outer: outer.to_vec(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// How many bytes a sequence has that begins with `lead`; 0 where none does.
fn sequence_length(lead: u8) -> usize {
    match lead {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 0,
    }
}

/// Can bytes that are no character be the beginning of a sequence? Whether it would be the shortest form
/// of a code point is asked only when it is complete.
fn may_go_on(bytes: &[u8]) -> bool {
    let Some((&lead, rest)) = bytes.split_first() else {
        return false;
    };
    bytes.len() < sequence_length(lead) && rest.iter().all(|b| (0x80..0xc0).contains(b))
}

fn is_code_point(n: i64) -> bool {
    (0..=0x10_ffff).contains(&n) && !(0xd800..0xe000).contains(&n)
}

/// The encoding: UTF-8 or not; nothing for those that are left to Erlang code.
fn encoding(t: Term) -> Option<bool> {
    match t.as_atom()? {
        Atom::UNICODE | Atom::UTF8 => Some(true),
        Atom::LATIN1 => Some(false),
        _ => None,
    }
}

fn convert<S: Sink + Default>(
    cx: &mut Ctx<'_>,
    a: &[Term],
    fallback: &str,
    finish: fn(&mut Ctx<'_>, &S) -> Term,
) -> BifResult {
    let Some(utf8) = encoding(a[1]) else {
        return cx.trap(export::get(Atom::UNICODE, Atom::new(fallback), 2), a);
    };
    let mut out = S::default();
    let mut c = Converter {
        out: &mut out,
        utf8,
        carry: Vec::new(),
        work: 0,
    };
    let result = c.run(cx, a[0]);
    let (carry, work) = (c.carry, c.work);
    cx.bump(work / 16);
    let stopped = match result {
        Ok(()) => return Ok(finish(cx, &out)),
        Err(s) => s,
    };
    let done = finish(cx, &out);
    match stopped {
        Stop::Badarg => Err::<Term, Exit>(badarg()),
        Stop::Incomplete => {
            let rest = cx.heap().binary(&carry);
            Ok(cx.heap().tuple(&[Atom::INCOMPLETE.into(), done, rest]))
        }
        Stop::Wrong { current, outer } => {
            let mut rest = outer
                .into_iter()
                .rev()
                .fold(current, |r, tail| cx.heap().cons(r, tail));
            if !carry.is_empty() {
                let first = cx.heap().binary(&carry);
                rest = if rest.is_nil() {
                    first
                } else {
                    cx.heap().list(&[first, rest])
                };
            }
            Ok(cx.heap().tuple(&[Atom::ERROR.into(), done, rest]))
        }
    }
}

fn characters_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    convert::<Vec<u32>>(cx, a, "characters_to_list_int", |cx, out| {
        out.iter().rev().fold(Term::NIL, |t, &c| {
            cx.heap().cons(Term::small(i64::from(c)), t)
        })
    })
}

fn characters_to_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    convert::<Vec<u8>>(cx, a, "characters_to_binary_int", |cx, out| {
        cx.heap().binary(out)
    })
}

/// `false` for what is no binary too.
fn bin_is_7bit(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(bits::binary_bytes(a[0])
        .is_some_and(|b| b.is_ascii())
        .into())
}
