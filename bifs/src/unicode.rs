//! The module `unicode`: character data (nested lists of code points and binaries) to lists and binaries.
//!
//! UTF-8 sequences may go on from one binary to the next. Other encodings than UTF-8 and Latin-1 are
//! handled by the module's own Erlang code.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::export;
use enigma_runtime::term::bits;
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
                self.binary(cx, t, |_, rest| rest, &outer)?;
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
                    self.binary(cx, head, |cx, rest| cx.heap().cons(rest, tail), &outer)?;
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
        rest: impl FnOnce(&mut Ctx<'_>, Term) -> Term,
        outer: &[Term],
    ) -> Result<(), Stop> {
        let bytes = bits::binary_bytes(t).ok_or(Stop::Badarg)?;
        self.work += bytes.len() / 8;
        if !self.utf8 {
            bytes.iter().for_each(|&b| self.out.put(u32::from(b)));
            return Ok(());
        }
        let mut at = 0;
        while !self.carry.is_empty() && at < bytes.len() {
            let mut next = self.carry.clone();
            next.push(bytes[at]);
            match std::str::from_utf8(&next) {
                Ok(s) => {
                    self.out.put_str(s);
                    self.carry.clear();
                }
                Err(e) if e.error_len().is_none() => self.carry = next,
                Err(_) => {
                    // Nothing of this binary counts as converted.
                    let current = rest(cx, t);
                    return Err(Stop::Wrong {
                        current,
                        outer: outer.to_vec(),
                    });
                }
            }
            at += 1;
        }
        match std::str::from_utf8(&bytes[at..]) {
            Ok(s) => self.out.put_str(s),
            Err(e) => {
                let good = at + e.valid_up_to();
                if let Ok(s) = std::str::from_utf8(&bytes[at..good]) {
                    self.out.put_str(s);
                }
                if e.error_len().is_none() {
                    self.carry = bytes[good..].to_vec();
                } else {
                    let v = bits::view(t).part(8 * good, 8 * (bytes.len() - good));
                    let left = bits::share(&v, cx.heap());
                    let current = rest(cx, left);
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
                rest = cx.heap().list(&[first, rest]);
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
