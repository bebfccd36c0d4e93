//! I/O lists: nested lists of bytes and binaries, and their conversions to and from binaries.
//!
//! `collect`, `size` and `pieces` are what ports, files and sockets use as well. All of them walk
//! without recursion, so a list may be nested as deeply as memory allows.

use crate::bifs;
use enigma_runtime::heap::bits::{self, View};
use enigma_runtime::heap::{BinaryBuilder, Heap};
use enigma_runtime::work::{self, Budget, Step, Work};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, release};
use smallvec::SmallVec;
use std::task::Poll;

bifs! { BIFS:
    "erlang" {
        "list_to_binary"/1 Steps => list_to_binary, pure BINARY;
        "iolist_to_binary"/1 Steps => iolist_to_binary, pure BINARY;
        "iolist_size"/1 Steps => iolist_size, pure INTEGER;
        "iolist_to_iovec"/1 Steps => iolist_to_iovec, pure LIST;
        "list_to_bitstring"/1 Steps => list_to_bitstring, pure BITSTRING;
    }
    "binary" {
        "list_to_bin"/1 Steps => list_to_binary, pure BINARY;
    }
}

/// Binaries up to this size are gathered with their neighbours instead of being handed on whole.
const GATHER_MAX: usize = 64;

/// The term is no I/O list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotIolist;

impl From<NotIolist> for Exit {
    fn from(_: NotIolist) -> Exit {
        badarg()
    }
}

/// One element of an I/O list.
pub enum Piece {
    /// A byte of a list.
    Byte(u8),
    /// A bitstring.
    Bits(View),
}

/// A walk over the elements of an I/O list (or binary), in order, that can be interrupted.
pub struct Walker {
    /// What is left of the innermost list, and what follows it.
    t: Term,
    tails: SmallVec<[Term; 8]>,
    /// A binary under way, and the bits of it that are done.
    part: Option<(Term, usize)>,
}

impl Walker {
    /// A walk over `t`.
    pub fn new(t: Term) -> Walker {
        Walker {
            t,
            tails: SmallVec::new(),
            part: None,
        }
    }

    /// Goes on: calls `visit` for every element. A cell costs one unit, and so do so many bytes of a binary, which
    /// comes in pieces where the budget asks for it; with 0 bytes it comes whole.
    #[inline]
    pub fn go_on(
        &mut self,
        budget: &mut Budget,
        bytes_per_unit: usize,
        mut visit: impl FnMut(Piece) -> Result<(), NotIolist>,
    ) -> Result<Poll<()>, NotIolist> {
        let mut left = budget.left();
        let mut t = self.t;
        let done = 'walk: loop {
            if let Some((b, at)) = self.part {
                let v = bits::view(b);
                let n = (v.bits - at).min(left.saturating_mul(bytes_per_unit).saturating_mul(8));
                visit(Piece::Bits(v.part(at, n)))?;
                left = left.saturating_sub((n / 8).div_ceil(bytes_per_unit));
                if at + n < v.bits {
                    self.part = Some((b, at + n));
                    break false;
                }
                self.part = None;
            }
            while let Some((head, tail)) = t.as_cons() {
                if left == 0 {
                    break 'walk false;
                }
                left -= 1;
                t = tail;
                if let Some(n) = head.as_small() {
                    visit(Piece::Byte(u8::try_from(n).map_err(|_| NotIolist)?))?;
                } else if head.is_bitstring() {
                    if bytes_per_unit > 0 && bits::bit_size(head) > 8 * GATHER_MAX {
                        self.part = Some((head, 0));
                        continue 'walk;
                    }
                    visit(Piece::Bits(bits::view(head)))?;
                } else if head.is_cons() {
                    if !t.is_nil() {
                        self.tails.push(t);
                    }
                    t = head;
                } else if !head.is_nil() {
                    return Err(NotIolist);
                }
            }
            if t.is_bitstring() {
                let b = std::mem::replace(&mut t, Term::NIL);
                if bytes_per_unit > 0 {
                    self.part = Some((b, 0));
                    continue;
                }
                visit(Piece::Bits(bits::view(b)))?;
            } else if !t.is_nil() {
                return Err(NotIolist);
            }
            match self.tails.pop() {
                Some(next) => t = next,
                None => break true,
            }
        };
        self.t = t;
        budget.spend(budget.left() - left);
        Ok(if done { Poll::Ready(()) } else { Poll::Pending })
    }

    /// Shows the terms that are held.
    pub fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.t));
        visit(&mut self.tails);
        if let Some((b, _)) = &mut self.part {
            visit(std::slice::from_mut(b));
        }
    }
}

/// Calls `visit` for every element of an I/O list (or binary), in order.
#[inline]
pub fn walk(t: Term, visit: impl FnMut(Piece) -> Result<(), NotIolist>) -> Result<(), NotIolist> {
    Walker::new(t)
        .go_on(&mut Budget::of(usize::MAX), 0, visit)
        .map(drop)
}

fn whole_bytes(v: &View) -> Result<usize, NotIolist> {
    if v.bits & 7 == 0 {
        Ok(v.bits / 8)
    } else {
        Err(NotIolist)
    }
}

/// Number of bytes of an I/O list or binary.
pub fn size(t: Term) -> Result<usize, NotIolist> {
    let mut n = 0;
    walk(t, |p| {
        n += match p {
            Piece::Byte(_) => 1,
            Piece::Bits(v) => whole_bytes(&v)?,
        };
        Ok(())
    })?;
    Ok(n)
}

/// Appends the bytes of an I/O list or binary to `out`.
pub fn append(t: Term, out: &mut Vec<u8>) -> Result<(), NotIolist> {
    walk(t, |p| {
        match p {
            Piece::Byte(b) => out.push(b),
            Piece::Bits(v) => {
                whole_bytes(&v)?;
                match v.aligned() {
                    Some(s) => out.extend_from_slice(s),
                    None => out.extend_from_slice(&v.to_bytes()),
                }
            }
        }
        Ok(())
    })
}

/// The bytes of an I/O list or binary.
pub fn collect(t: Term) -> Result<Vec<u8>, NotIolist> {
    let mut out = Vec::new();
    append(t, &mut out)?;
    Ok(out)
}

/// A part of an I/O list as it is handed to the operating system.
pub enum IolistPart<'a> {
    /// Small elements gathered.
    Gathered(Vec<u8>),
    /// A large binary, where it is: `Term` is the binary and keeps the bytes.
    Whole(View, &'a [u8]),
}

/// The parts of an I/O list: large binaries are not copied, the rest is gathered between them.
pub fn pieces<'a>(t: Term) -> Result<Vec<IolistPart<'a>>, NotIolist> {
    let mut parts = Vec::new();
    let mut run: Vec<u8> = Vec::new();
    walk(t, |p| {
        match p {
            Piece::Byte(b) => run.push(b),
            Piece::Bits(v) => {
                let n = whole_bytes(&v)?;
                match v.aligned() {
                    Some(s) if n > GATHER_MAX => {
                        if !run.is_empty() {
                            parts.push(IolistPart::Gathered(std::mem::take(&mut run)));
                        }
                        parts.push(IolistPart::Whole(v, s));
                    }
                    Some(s) => run.extend_from_slice(s),
                    None => run.extend_from_slice(&v.to_bytes()),
                }
            }
        }
        Ok(())
    })?;
    if !run.is_empty() {
        parts.push(IolistPart::Gathered(run));
    }
    Ok(parts)
}

/// Bytes whose copying costs a unit.
const COPIED: usize = work::BYTES;

/// What an I/O list is made to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Size,
    Binary,
    /// A bitstring, from a list in which there may be parts of bytes.
    Bits,
}

/// Measures an I/O list, then builds a bitstring of it.
struct ToBits {
    wanted: Wanted,
    walker: Walker,
    /// Bits so far.
    bits: usize,
    out: Option<BinaryBuilder>,
}

impl Work for ToBits {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let Some(out) = &mut self.out else {
            let (mut n, whole) = (self.bits, self.wanted != Wanted::Bits);
            let walked = self.walker.go_on(budget, 0, |p| {
                n += match p {
                    Piece::Byte(_) => 8,
                    Piece::Bits(v) if whole => 8 * whole_bytes(&v)?,
                    Piece::Bits(v) => v.bits,
                };
                Ok(())
            })?;
            self.bits = n;
            if walked.is_pending() {
                return Ok(Poll::Pending);
            }
            if self.wanted == Wanted::Size {
                return Ok(Poll::Ready(cx.heap().uint(n as u64 / 8)));
            }
            self.walker = Walker::new(a[0]);
            self.out = Some(BinaryBuilder::new(n));
            return if budget.is_spent() {
                Ok(Poll::Pending)
            } else {
                self.step(cx, a, budget)
            };
        };
        let walked = self.walker.go_on(budget, COPIED, |p| {
            match p {
                Piece::Byte(b) => out.push(b),
                Piece::Bits(v) => out.put(&v),
            }
            Ok(())
        })?;
        Ok(match walked {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                let all = std::mem::replace(out, BinaryBuilder::new(0));
                Poll::Ready(all.finish(cx.heap()))
            }
        })
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.walker.visit_roots(visit);
    }
}

/// Bytes of I/O lists that are gathered at once.
const FEW_BYTES: usize = 256;
/// Units of work that a walk through these takes at most.
const FEW_UNITS: usize = 256;

/// Gathers a short I/O list; nothing where it is longer, or there are parts of bytes.
fn few_bytes(cx: &mut Ctx<'_>, t: Term) -> Result<Option<Term>, NotIolist> {
    let mut few = [0; FEW_BYTES];
    let (mut n, mut fits) = (0, true);
    let mut budget = Budget::of(FEW_UNITS);
    let walked = Walker::new(t).go_on(&mut budget, 0, |p| {
        let v = match p {
            Piece::Byte(b) => {
                match few.get_mut(n) {
                    Some(to) => (*to, n) = (b, n + 1),
                    None => fits = false,
                }
                return Ok(());
            }
            Piece::Bits(v) => v,
        };
        let len = v.bits.div_ceil(8);
        fits = fits && v.bits & 7 == 0 && len <= few.len() - n;
        if fits {
            v.write_to(&mut few[n..n + len], 0);
            n += len;
        }
        Ok(())
    })?;
    if walked.is_pending() || !fits {
        return Ok(None);
    }
    cx.bump((FEW_UNITS - budget.left()) / work::UNITS);
    Ok(Some(cx.heap().binary(&few[..n])))
}

/// The number of bytes of a short I/O list; nothing where it is longer.
fn few_sized(cx: &mut Ctx<'_>, t: Term) -> Result<Option<Term>, NotIolist> {
    let mut n = 0;
    let mut budget = Budget::of(FEW_UNITS);
    let walked = Walker::new(t).go_on(&mut budget, 0, |p| {
        n += match p {
            Piece::Byte(_) => 1,
            Piece::Bits(v) => whole_bytes(&v)?,
        };
        Ok(())
    })?;
    cx.bump((FEW_UNITS - budget.left()) / work::UNITS);
    Ok(walked.is_ready().then(|| cx.heap().uint(n as u64)))
}

fn to_bits(cx: &mut Ctx<'_>, a: &[Term], wanted: Wanted) -> BifResult {
    if work::at_once(FEW_UNITS) {
        let few = match wanted {
            Wanted::Size => few_sized(cx, a[0])?,
            Wanted::Binary | Wanted::Bits => few_bytes(cx, a[0])?,
        };
        if let Some(t) = few {
            return Ok(t);
        }
    }
    let work = ToBits {
        wanted,
        walker: Walker::new(a[0]),
        bits: 0,
        out: None,
    };
    work::start(cx, a, work)
}

fn list_to_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_list() {
        return Err(badarg());
    }
    to_bits(cx, a, Wanted::Binary)
}

fn iolist_to_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0].is_binary() {
        return Ok(a[0]);
    }
    to_bits(cx, a, Wanted::Binary)
}

fn iolist_size(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    to_bits(cx, a, Wanted::Size)
}

fn list_to_bitstring(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_list() {
        return Err(badarg());
    }
    to_bits(cx, a, Wanted::Bits)
}

/// Binaries up to this size are gathered in the lists that `iolist_to_iovec/1` makes. (OTP 25 also fills up what is
/// gathered with the beginning of the binary that follows.)
fn iovec_gather_max() -> usize {
    if release::number() > 25 { 512 } else { 256 }
}

/// Gathers the parts of an I/O list as `pieces` does, as terms.
struct ToIovec {
    walker: Walker,
    run: Vec<u8>,
    parts: Vec<Term>,
}

impl ToIovec {
    fn end_run(run: &mut Vec<u8>, parts: &mut Vec<Term>, heap: &mut Heap) {
        if !run.is_empty() {
            parts.push(heap.binary(run));
            run.clear();
        }
    }
}

impl Work for ToIovec {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        let (run, parts, heap) = (&mut self.run, &mut self.parts, cx.heap());
        let gather_max = iovec_gather_max();
        let walked = self.walker.go_on(budget, 0, |p| {
            match p {
                Piece::Byte(b) => run.push(b),
                Piece::Bits(v) => {
                    let n = whole_bytes(&v)?;
                    match v.aligned() {
                        Some(_) if n > gather_max => {
                            ToIovec::end_run(run, parts, heap);
                            parts.push(bits::share(&v, heap));
                        }
                        Some(s) => run.extend_from_slice(s),
                        None => run.extend_from_slice(&v.to_bytes()),
                    }
                }
            }
            Ok(())
        })?;
        if walked.is_pending() {
            return Ok(Poll::Pending);
        }
        ToIovec::end_run(run, parts, heap);
        Ok(Poll::Ready(heap.list(parts)))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.walker.visit_roots(visit);
        visit(&mut self.parts);
    }
}

fn iolist_to_iovec(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0].is_binary() {
        return Ok(if bits::bit_size(a[0]) == 0 {
            Term::NIL
        } else {
            cx.heap().list(&[a[0]])
        });
    }
    let work = ToIovec {
        walker: Walker::new(a[0]),
        run: Vec::new(),
        parts: Vec::new(),
    };
    work::start(cx, a, work)
}

/// The part `{Start, Length}` of `len` bytes, where a negative length counts backwards from the start.
pub fn part_of(start: Term, length: Term, len: usize) -> Option<(usize, usize)> {
    let start = start.as_usize()?;
    let length = length.as_small()?;
    let (from, n) = if length < 0 {
        let n = usize::try_from(length.unsigned_abs()).ok()?;
        (start.checked_sub(n)?, n)
    } else {
        (start, usize::try_from(length).ok()?)
    };
    (start <= len && from.checked_add(n)? <= len).then_some((from, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_lists_are_flattened_in_order() {
        let mut h = Heap::new();
        let b = h.binary(b"bin");
        let inner = h.list_with_tail(&[Term::small(1), b], b);
        let t = h.list(&[inner, Term::NIL, Term::small(255), inner]);
        assert_eq!(collect(t).unwrap(), b"\x01binbin\xff\x01binbin");
        assert_eq!(size(t), Ok(15));
        let bad = h.list(&[Term::small(256)]);
        assert_eq!(size(bad), Err(NotIolist));
        assert_eq!(size(Term::small(1)), Err(NotIolist));
    }

    #[test]
    fn a_walk_in_steps_gives_the_same() {
        let mut h = Heap::new();
        let long = h.binary(&[7; 1000]);
        let inner = h.list_with_tail(&[Term::small(1), long, Term::NIL], long);
        let t = h.list_with_tail(&[inner, Term::small(2), inner], long);
        let (mut w, mut out) = (Walker::new(t), Vec::new());
        let mut steps = 0;
        while w
            .go_on(&mut Budget::of(1), 3, |p| {
                match p {
                    Piece::Byte(b) => out.push(b),
                    Piece::Bits(v) => out.extend_from_slice(&v.to_bytes()),
                }
                Ok(())
            })
            .unwrap()
            .is_pending()
        {
            steps += 1;
        }
        assert!(steps > 1000);
        assert_eq!(Ok(out), collect(t));
    }

    #[test]
    fn parts_with_negative_length() {
        let p = |s, l| part_of(Term::small(s), Term::small(l), 5);
        assert_eq!(p(5, -5), Some((0, 5)));
        assert_eq!(p(5, 0), Some((5, 0)));
        assert_eq!(p(6, -1), None);
        assert_eq!(p(0, 6), None);
        assert_eq!(p(2, -3), None);
    }
}
