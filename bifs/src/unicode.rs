//! The module `unicode`: character data (nested lists of code points and binaries) to lists and binaries.
//!
//! UTF-8 sequences may go on from one binary to the next. Other encodings than UTF-8 and Latin-1 are
//! handled by the module's own Erlang code.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::export;
use enigma_runtime::heap::{Gathered, bits};
use enigma_runtime::work::{self, Budget, LoopLimit, Pile, Step, Work};
use enigma_runtime::{BifResult, Ctx, Term, badarg};
use std::task::Poll;

/// What is told where there is no limit.
pub const SHOWN_LIMIT: usize = 40_000;

/// Of conversions of characters.
pub static LOOP_LIMIT: LoopLimit = LoopLimit::none(SHOWN_LIMIT);

bifs! { BIFS:
    "unicode" {
        "characters_to_list"/2 Steps => characters_to_list;
        "characters_to_binary"/2 Steps => characters_to_binary;
        "bin_is_7bit"/1 Call => bin_is_7bit, pure BOOLEAN;
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
trait Sink: Default + Send + 'static {
    /// Takes a character.
    fn put(&mut self, c: u32);
    /// Takes valid UTF-8.
    fn put_str(&mut self, s: &str);
    /// Makes the term of all characters, as far as the budget allows.
    fn build(&mut self, cx: &mut Ctx<'_>, budget: &mut Budget) -> Poll<Term>;
    /// Shows the term under construction.
    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term]));
}

/// A list of code points.
struct Chars {
    points: Pile<u32>,
    list: Term,
}

impl Default for Chars {
    fn default() -> Chars {
        Chars {
            points: Pile::default(),
            list: Term::NIL,
        }
    }
}

impl Sink for Chars {
    fn put(&mut self, c: u32) {
        self.points.push(c);
    }

    fn put_str(&mut self, s: &str) {
        s.chars().for_each(|c| self.points.push(u32::from(c)));
    }

    fn build(&mut self, cx: &mut Ctx<'_>, budget: &mut Budget) -> Poll<Term> {
        let heap = cx.heap();
        while !self.points.is_empty() {
            let some = self.points.top(budget.left());
            let n = budget.grant(some.len());
            if n == 0 {
                return Poll::Pending;
            }
            self.list = some
                .iter()
                .rev()
                .fold(self.list, |t, &c| heap.cons(Term::small(i64::from(c)), t));
            self.points.drop_top(n);
        }
        Poll::Ready(self.list)
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.list));
    }
}

/// A binary in UTF-8.
struct Utf8 {
    all: Gathered,
    /// Single characters behind these, so many bytes.
    few: [u8; FEW],
    used: usize,
}

/// Bytes of single characters that are put together before they are added to others.
const FEW: usize = 64;

impl Default for Utf8 {
    fn default() -> Utf8 {
        Utf8 {
            all: Gathered::default(),
            few: [0; FEW],
            used: 0,
        }
    }
}

impl Utf8 {
    fn add_few(&mut self) {
        self.all.extend(&self.few[..self.used]);
        self.used = 0;
    }
}

/// Most bytes of a binary that are converted at once.
const PIECE: usize = 1 << 16;

impl Sink for Utf8 {
    fn put(&mut self, c: u32) {
        let Some(c) = char::from_u32(c) else { return };
        if self.used > FEW - 4 {
            self.add_few();
        }
        self.used += c.encode_utf8(&mut self.few[self.used..]).len();
    }

    fn put_str(&mut self, s: &str) {
        self.add_few();
        self.all.extend(s.as_bytes());
    }

    fn build(&mut self, cx: &mut Ctx<'_>, _: &mut Budget) -> Poll<Term> {
        if self.all.is_empty() {
            return Poll::Ready(cx.heap().binary(&self.few[..self.used]));
        }
        self.add_few();
        Poll::Ready(std::mem::take(&mut self.all).finish(cx.heap()))
    }

    fn visit_roots(&mut self, _: &mut dyn FnMut(&mut [Term])) {}
}

/// A binary under way.
#[derive(Clone, Copy)]
struct Part {
    binary: Term,
    /// Bytes of it that are done.
    at: usize,
    /// Is it an element of a list, not a tail?
    element: bool,
}

/// One conversion.
struct Converter<S> {
    out: S,
    utf8: bool,
    /// What is left of the innermost list, and what follows it.
    t: Term,
    outer: Vec<Term>,
    part: Option<Part>,
    /// The beginning of a sequence that goes on in the next binary.
    carry: Vec<u8>,
    /// Set when the conversion has ended: why, if not because all was done.
    ended: Option<Option<Stop>>,
}

/// Bytes of a binary that are converted for one unit of work.
const BYTES_PER_UNIT: usize = 8;

impl<S: Sink> Converter<S> {
    /// Converts on; gives why it has stopped, if not because all was done.
    fn convert(&mut self, cx: &mut Ctx<'_>, budget: &mut Budget) -> Poll<Option<Stop>> {
        loop {
            if let Some(part) = self.part {
                match self.binary(cx, part, budget) {
                    Ok(Poll::Ready(())) => self.part = None,
                    Ok(Poll::Pending) => return Poll::Pending,
                    Err(stop) => return Poll::Ready(Some(stop)),
                }
            }
            while let Some((head, tail)) = self.t.as_cons() {
                if budget.is_spent() {
                    return Poll::Pending;
                }
                budget.spend(1);
                if let Some(n) = head.as_small() {
                    if !self.carry.is_empty() || !is_code_point(n) || !self.utf8 && n > 255 {
                        return Poll::Ready(Some(self.wrong(self.t)));
                    }
                    self.out.put(n as u32);
                    self.t = tail;
                } else if head.is_list() {
                    self.outer.push(tail);
                    self.t = head;
                } else if head.is_bitstring() {
                    self.t = tail;
                    self.part = Some(Part {
                        binary: head,
                        at: 0,
                        element: true,
                    });
                    break;
                } else if head.is_integer() {
                    return Poll::Ready(Some(self.wrong(self.t)));
                } else {
                    return Poll::Ready(Some(Stop::Badarg));
                }
            }
            if self.part.is_some() {
                continue;
            }
            if self.t.is_bitstring() {
                let binary = std::mem::replace(&mut self.t, Term::NIL);
                self.part = Some(Part {
                    binary,
                    at: 0,
                    element: false,
                });
                continue;
            }
            if !self.t.is_nil() {
                return Poll::Ready(Some(Stop::Badarg));
            }
            match self.outer.pop() {
                Some(next) => self.t = next,
                None if self.carry.is_empty() => return Poll::Ready(None),
                None => return Poll::Ready(Some(Stop::Incomplete)),
            }
        }
    }

    /// It is wrong from `current` on.
    fn wrong(&mut self, current: Term) -> Stop {
        Stop::Wrong {
            current,
            outer: std::mem::take(&mut self.outer),
        }
    }

    /// It is wrong from `left` of the current binary on, or behind that.
    fn wrong_in(&mut self, cx: &mut Ctx<'_>, part: Part, left: Option<Term>) -> Stop {
        let current = match (part.element, left) {
            (true, Some(b)) => cx.heap().cons(b, self.t),
            (true, None) => self.t,
            (false, left) => left.unwrap_or(Term::NIL),
        };
        self.wrong(current)
    }

    /// Converts on in a binary.
    fn binary(
        &mut self,
        cx: &mut Ctx<'_>,
        mut part: Part,
        budget: &mut Budget,
    ) -> Result<Poll<()>, Stop> {
        let v = bits::view(part.binary);
        if v.bits & 7 != 0 {
            return Err(Stop::Badarg);
        }
        let len = v.bits / 8;
        if let Some(&lead) = self.carry.first()
            && part.at == 0
        {
            let missing = sequence_length(lead).saturating_sub(self.carry.len());
            let n = missing.min(len);
            let mut next = self.carry.clone();
            next.extend_from_slice(&v.part(0, 8 * n).to_bytes());
            if let Ok(s) = std::str::from_utf8(&next) {
                self.out.put_str(s);
                self.carry.clear();
                part.at = n;
            } else if may_go_on(&next) {
                self.carry = next;
                return Ok(Poll::Ready(()));
            } else {
                // A binary with more than was missing does not count as converted at all.
                let left = if n < missing {
                    self.carry = next;
                    None
                } else {
                    Some(part.binary)
                };
                return Err(self.wrong_in(cx, part, left));
            }
        }
        while part.at < len {
            if budget.is_spent() {
                self.part = Some(part);
                return Ok(Poll::Pending);
            }
            let left = len - part.at;
            let n = left
                .min(budget.left().saturating_mul(BYTES_PER_UNIT))
                .min(PIECE);
            budget.spend(n.div_ceil(BYTES_PER_UNIT));
            let bytes = v.part(8 * part.at, 8 * n).to_bytes();
            if !self.utf8 {
                bytes.iter().for_each(|&b| self.out.put(u32::from(b)));
                part.at += n;
                continue;
            }
            let good = match std::str::from_utf8(&bytes) {
                Ok(s) => {
                    self.out.put_str(s);
                    part.at += n;
                    continue;
                }
                Err(e) => e.valid_up_to(),
            };
            if let Ok(s) = std::str::from_utf8(&bytes[..good]) {
                self.out.put_str(s);
            }
            part.at += good;
            if !may_go_on(&bytes[good..]) {
                let rest = v.part(8 * part.at, 8 * (len - part.at));
                let left = bits::share(&rest, cx.heap());
                return Err(self.wrong_in(cx, part, Some(left)));
            }
            if n == left {
                self.carry = bytes[good..].to_vec();
                break;
            }
        }
        Ok(Poll::Ready(()))
    }
}

impl<S: Sink> Work for Converter<S> {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        if self.ended.is_none() {
            match self.convert(cx, budget) {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(Some(Stop::Badarg)) => return Err(badarg()),
                Poll::Ready(stop) => self.ended = Some(stop),
            }
        }
        let Poll::Ready(done) = self.out.build(cx, budget) else {
            return Ok(Poll::Pending);
        };
        let heap = cx.heap();
        Ok(Poll::Ready(match self.ended.take().flatten() {
            None | Some(Stop::Badarg) => done,
            Some(Stop::Incomplete) => {
                let rest = heap.binary(&self.carry);
                heap.tuple(&[Atom::INCOMPLETE.into(), done, rest])
            }
            Some(Stop::Wrong { current, outer }) => {
                let mut rest = outer
                    .into_iter()
                    .rev()
                    .fold(current, |r, tail| heap.cons(r, tail));
                if !self.carry.is_empty() {
                    let first = heap.binary(&self.carry);
                    rest = if rest.is_nil() {
                        first
                    } else {
                        heap.list(&[first, rest])
                    };
                }
                heap.tuple(&[Atom::ERROR.into(), done, rest])
            }
        }))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.t));
        visit(&mut self.outer);
        if let Some(part) = &mut self.part {
            visit(std::slice::from_mut(&mut part.binary));
        }
        if let Some(Some(Stop::Wrong { current, outer })) = &mut self.ended {
            visit(std::slice::from_mut(current));
            visit(outer);
        }
        self.out.visit_roots(visit);
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

/// Code points of a list, or bytes of a binary, that are converted at once.
const SHORT: usize = 256;

/// A short flat list of code points, if it is one: what it is converted to.
fn short_list(t: Term, utf8: bool) -> Option<Term> {
    let mut rest = t;
    for _ in 0..SHORT {
        let Some((c, tail)) = rest.as_cons() else {
            return rest.is_nil().then_some(t);
        };
        let c = c.as_small()?;
        if !is_code_point(c) || !utf8 && c > 255 {
            return None;
        }
        rest = tail;
    }
    None
}

/// The list of the characters in a short binary.
fn short_binary(cx: &mut Ctx<'_>, t: Term, utf8: bool) -> Option<Term> {
    let v = bits::binary_view(t).filter(|v| v.bits <= 8 * SHORT)?;
    let bytes = v.aligned()?;
    if !utf8 || bytes.is_ascii() {
        return Some(cx.heap().byte_list(bytes));
    }
    let text = std::str::from_utf8(bytes).ok()?;
    Some(cx.heap().char_list(text))
}

fn convert<S: Sink>(cx: &mut Ctx<'_>, a: &[Term], fallback: &str) -> BifResult {
    let Some(utf8) = encoding(a[1]) else {
        return cx.trap(export::get(Atom::UNICODE, Atom::new(fallback), 2), a);
    };
    let work = Converter {
        out: S::default(),
        utf8,
        t: a[0],
        outer: Vec::new(),
        part: None,
        carry: Vec::new(),
        ended: None,
    };
    work::start_within(cx, a, work, &LOOP_LIMIT)
}

fn characters_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if let Some(utf8) = encoding(a[1])
        && work::at_once(SHORT)
        && LOOP_LIMIT.units().is_none()
    {
        let short = match a[0].is_list() {
            true => short_list(a[0], utf8),
            false => short_binary(cx, a[0], utf8),
        };
        if let Some(t) = short {
            cx.bump(1);
            return Ok(t);
        }
    }
    convert::<Chars>(cx, a, "characters_to_list_int")
}

/// Is it a short binary in UTF-8?
fn is_short_utf8(t: Term) -> bool {
    let bytes = bits::binary_view(t)
        .filter(|v| v.bits <= 8 * SHORT)
        .and_then(|v| v.aligned());
    bytes.is_some_and(|b| b.is_ascii() || std::str::from_utf8(b).is_ok())
}

fn characters_to_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if encoding(a[1]) == Some(true)
        && work::at_once(SHORT)
        && LOOP_LIMIT.units().is_none()
        && is_short_utf8(a[0])
    {
        cx.bump(1);
        return Ok(a[0]);
    }
    convert::<Utf8>(cx, a, "characters_to_binary_int")
}

/// `false` for what is no binary too.
fn bin_is_7bit(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(bits::binary_bytes(a[0])
        .is_some_and(|b| b.is_ascii())
        .into())
}
