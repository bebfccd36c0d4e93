//! The module `binary`.

use crate::bifs;
use crate::erlang::iolist;
use aho_corasick::{AhoCorasick, MatchKind};
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::{Ctx, system_limit};
use enigma_runtime::data::{arith, bignum};
use enigma_runtime::heap::bits::{self, View};
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Exit, Heap, Term, badarg, reference, release};
use memchr::memmem;
use std::borrow::Cow;
use std::sync::Arc;

bifs! { BIFS:
    "binary" {
        "compile_pattern"/1 Call => compile_pattern;
        "match"/2 Call => match_first;
        "match"/3 Call => match_first;
        "matches"/2 Call => matches;
        "matches"/3 Call => matches;
        "split"/2 Call => split;
        "split"/3 Call => split;
        "first"/1 Call => first;
        "last"/1 Call => last;
        "at"/2 Call => at;
        "part"/2 Call => part2;
        "part"/3 Call => part3;
        "copy"/1 Call => copy1;
        "copy"/2 Call => copy2;
        "longest_common_prefix"/1 Call => longest_common_prefix;
        "longest_common_suffix"/1 Call => longest_common_suffix;
        "encode_unsigned"/1 Call => encode_unsigned;
        "encode_unsigned"/2 Call => encode_unsigned;
        "decode_unsigned"/1 Call => decode_unsigned;
        "decode_unsigned"/2 Call => decode_unsigned;
        "referenced_byte_size"/1 Call => referenced_byte_size;
    }
}

/// What is searched for.
enum Pattern {
    One(Box<[u8]>, Box<memmem::Finder<'static>>),
    Many(AhoCorasick),
}

/// A pattern as it is used once.
enum Search<'a> {
    Byte(u8),
    One(&'a [u8]),
    Made(&'a Pattern),
    Many(AhoCorasick),
}

impl Search<'_> {
    /// The first match from `from` on: start and end.
    #[inline]
    fn find(&self, hay: &[u8], from: usize) -> Option<(usize, usize)> {
        let rest = &hay[from..];
        let many = |a: &AhoCorasick| a.find(rest).map(|m| (from + m.start(), from + m.end()));
        match self {
            Search::Byte(b) => memchr::memchr(*b, rest).map(|i| (from + i, from + i + 1)),
            Search::One(n) => memmem::find(rest, n).map(|i| (from + i, from + i + n.len())),
            Search::Made(Pattern::One(n, f)) => {
                f.find(rest).map(|i| (from + i, from + i + n.len()))
            }
            Search::Made(Pattern::Many(a)) => many(a),
            Search::Many(a) => many(a),
        }
    }

    /// All matches that do not overlap.
    fn find_all(&self, hay: &[u8], mut found: impl FnMut(usize, usize)) {
        match self {
            Search::Byte(b) => memchr::memchr_iter(*b, hay).for_each(|i| found(i, i + 1)),
            Search::One(n) => memmem::find_iter(hay, n).for_each(|i| found(i, i + n.len())),
            Search::Made(Pattern::One(n, f)) => {
                f.find_iter(hay).for_each(|i| found(i, i + n.len()))
            }
            Search::Made(Pattern::Many(a)) => {
                a.find_iter(hay).for_each(|m| found(m.start(), m.end()))
            }
            Search::Many(a) => a.find_iter(hay).for_each(|m| found(m.start(), m.end())),
        }
    }
}

fn automaton(needles: &[Cow<'_, [u8]>]) -> Result<AhoCorasick, Exit> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(needles)
        .map_err(|_| system_limit())
}

/// The binaries of a pattern: one, or a list of some.
fn needles<'a>(t: Term) -> Result<Vec<Cow<'a, [u8]>>, Exit> {
    let terms = if t.is_bitstring() {
        vec![t]
    } else {
        list::to_vec(t).ok_or_else(badarg)?
    };
    let all: Option<Vec<Cow<'a, [u8]>>> = terms
        .into_iter()
        .map(|t| bits::binary_bytes(t).filter(|b| !b.is_empty()))
        .collect();
    all.filter(|a| !a.is_empty()).ok_or_else(badarg)
}

fn compile_pattern(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let needles = needles(a[0])?;
    cx.bump(needles.iter().map(|n| n.len()).sum::<usize>() / 10);
    let (tag, pattern) = match &needles[..] {
        [one] => {
            let finder = memmem::Finder::new(&**one).into_owned();
            ("bm", Pattern::One((&**one).into(), Box::new(finder)))
        }
        _ => ("ac", Pattern::Many(automaton(&needles)?)),
    };
    let r = cx.heap().magic_ref(reference::fresh(), Arc::new(pattern));
    Ok(cx.tuple2(Atom::new(tag), r))
}

/// Runs `f` with the search that a pattern argument stands for.
fn with_search<R>(t: Term, f: impl FnOnce(&Search<'_>) -> R) -> Result<R, Exit> {
    if let Some(&[tag, r]) = t.as_tuple_n::<2>() {
        let made = r
            .as_magic()
            .and_then(|m| m.downcast_ref::<Pattern>())
            .ok_or_else(badarg)?;
        let expected = if matches!(made, Pattern::One(..)) {
            "bm"
        } else {
            "ac"
        };
        return if tag.as_atom().is_some_and(|a| a.text() == expected) {
            Ok(f(&Search::Made(made)))
        } else {
            Err(badarg())
        };
    }
    let needles = needles(t)?;
    Ok(match &needles[..] {
        [one] if one.len() == 1 => f(&Search::Byte(one[0])),
        [one] => f(&Search::One(one)),
        _ => f(&Search::Many(automaton(&needles)?)),
    })
}

fn subject(t: Term) -> Result<View, Exit> {
    if t.is_binary() {
        Ok(bits::view(t))
    } else {
        Err(badarg())
    }
}

#[derive(Default)]
struct Options {
    scope: Option<(Term, Term)>,
    global: bool,
    trim: bool,
    trim_all: bool,
}

/// Reads options; those for splitting only where `splitting`.
fn options(t: Option<&Term>, splitting: bool) -> Result<Options, Exit> {
    let mut o = Options::default();
    let Some(&t) = t else { return Ok(o) };
    for item in list::to_vec(t).ok_or_else(badarg)? {
        match item.as_atom().map(Atom::text) {
            Some("global") if splitting => o.global = true,
            Some("trim") if splitting => o.trim = true,
            Some("trim_all") if splitting => o.trim_all = true,
            Some(_) => return Err(badarg()),
            None => {
                let &[key, value] = item.as_tuple_n::<2>().ok_or_else(badarg)?;
                let &[start, length] = value.as_tuple_n::<2>().ok_or_else(badarg)?;
                if key.as_atom().map(Atom::text) != Some("scope") {
                    return Err(badarg());
                }
                o.scope = Some((start, length));
            }
        }
    }
    Ok(o)
}

impl Options {
    /// The part of a subject of `len` bytes that is searched: start and end.
    fn range(&self, len: usize) -> Result<(usize, usize), Exit> {
        match self.scope {
            None => Ok((0, len)),
            Some((start, length)) => {
                let (from, n) = iolist::part_of(start, length, len).ok_or_else(badarg)?;
                Ok((from, from + n))
            }
        }
    }
}

fn span(heap: &mut Heap, start: usize, end: usize) -> Term {
    heap.tuple(&[Term::small(start as i64), Term::small((end - start) as i64)])
}

fn match_first(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let v = subject(a[0])?;
    let o = options(a.get(2), false)?;
    let bytes = v.to_bytes();
    let (from, to) = o.range(bytes.len())?;
    let found = with_search(a[1], |s| s.find(&bytes[..to], from))?;
    cx.bump(found.map_or(to, |f| f.0).saturating_sub(from) / 64);
    Ok(match found {
        Some((s, e)) => span(cx.heap(), s, e),
        None => Atom::new("nomatch").into(),
    })
}

fn matches(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let v = subject(a[0])?;
    let o = options(a.get(2), false)?;
    let bytes = v.to_bytes();
    let (from, to) = o.range(bytes.len())?;
    let mut found: Vec<(usize, usize)> = Vec::new();
    with_search(a[1], |s| {
        s.find_all(&bytes[from..to], |s, e| found.push((from + s, from + e)))
    })?;
    cx.bump((to - from) / 64 + found.len() / 4);
    let heap = cx.heap();
    Ok(found.iter().rev().fold(Term::NIL, |t, &(s, e)| {
        let m = span(heap, s, e);
        heap.cons(m, t)
    }))
}

fn split(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let v = subject(a[0])?;
    let o = options(a.get(2), true)?;
    let bytes = v.to_bytes();
    let (from, to) = o.range(bytes.len())?;
    // Start and end of each part.
    let mut parts: Vec<(usize, usize)> = Vec::new();
    let mut last = 0;
    with_search(a[1], |s| {
        if o.global {
            s.find_all(&bytes[from..to], |s, e| {
                parts.push((last, from + s));
                last = from + e;
            });
        } else if let Some((s, e)) = s.find(&bytes[..to], from) {
            parts.push((last, s));
            last = e;
        }
    })?;
    parts.push((last, bytes.len()));
    if o.trim_all {
        parts.retain(|p| p.0 < p.1);
    } else if o.trim {
        while parts.last().is_some_and(|p| p.0 == p.1) {
            parts.pop();
        }
    }
    cx.bump((to - from) / 64 + parts.len() / 2);
    let heap = cx.heap();
    Ok(parts.iter().rev().fold(Term::NIL, |t, &(s, e)| {
        let part = bits::share(&v.part(8 * s, 8 * (e - s)), heap);
        heap.cons(part, t)
    }))
}

fn byte_at(v: &View, i: usize) -> BifResult {
    if i < v.bits / 8 {
        Ok(Term::small(i64::from(v.byte(i))))
    } else {
        Err(badarg())
    }
}

fn first(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    byte_at(&subject(a[0])?, 0)
}

fn last(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let v = subject(a[0])?;
    byte_at(&v, (v.bits / 8).wrapping_sub(1))
}

fn at(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    byte_at(&subject(a[0])?, a[1].as_usize().ok_or_else(badarg)?)
}

fn part2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let &[start, length] = a[1].as_tuple_n::<2>().ok_or_else(badarg)?;
    part3(cx, &[a[0], start, length])
}

fn part3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let v = if release::parts_of_bitstrings() && a[0].is_bitstring() {
        bits::view(a[0])
    } else {
        subject(a[0])?
    };
    let (from, n) = iolist::part_of(a[1], a[2], v.bits / 8).ok_or_else(badarg)?;
    Ok(bits::share(&v.part(8 * from, 8 * n), cx.heap()))
}

fn copy1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let v = subject(a[0])?;
    cx.bump(v.bits / 8 / 256);
    Ok(bits::copy_out(&v, cx.heap()))
}

fn copy2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = bignum::to_u64(a[1]).ok_or_else(badarg)?;
    if n == 0 && release::parts_of_bitstrings() && a[0].is_bitstring() {
        return Ok(cx.heap().binary(&[]));
    }
    let v = subject(a[0])?;
    let bytes = v.to_bytes();
    let total = usize::try_from(n)
        .ok()
        .and_then(|n| bytes.len().checked_mul(n))
        .filter(|&t| t < 1 << 40)
        .ok_or_else(system_limit)?;
    cx.bump(total / 256);
    Ok(cx.heap().build_binary(total, |out| {
        if !bytes.is_empty() {
            out.chunks_exact_mut(bytes.len())
                .for_each(|c| c.copy_from_slice(&bytes));
        }
    }))
}

fn longest_common(a: &[Term], common: impl Fn(&[u8], &[u8]) -> usize) -> BifResult {
    let all = list::to_vec(a[0])
        .filter(|l| !l.is_empty())
        .ok_or_else(badarg)?;
    let all: Option<Vec<Cow<'_, [u8]>>> = all.into_iter().map(bits::binary_bytes).collect();
    let all = all.ok_or_else(badarg)?;
    let n = all.iter().map(|b| common(&all[0], b)).min().unwrap_or(0);
    Ok(Term::small(n as i64))
}

fn longest_common_prefix(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    longest_common(a, |x, y| {
        x.iter().zip(y).take_while(|(p, q)| p == q).count()
    })
}

fn longest_common_suffix(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    longest_common(a, |x, y| {
        x.iter()
            .rev()
            .zip(y.iter().rev())
            .take_while(|(p, q)| p == q)
            .count()
    })
}

/// Is the byte order little-endian? Big is the default.
fn little(t: Option<&Term>) -> Result<bool, Exit> {
    match t.map(|t| t.as_atom()) {
        None | Some(Some(Atom::BIG)) => Ok(false),
        Some(Some(Atom::LITTLE)) => Ok(true),
        _ => Err(badarg()),
    }
}

fn encode_unsigned(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let little = little(a.get(1))?;
    if !a[0].is_integer() {
        return Err(badarg());
    }
    let mut buf = [0];
    let (negative, limbs) = bignum::limbs(a[0], &mut buf);
    if negative {
        return Err(badarg());
    }
    let mut bytes: Vec<u8> = limbs.iter().flat_map(|l| l.to_le_bytes()).collect();
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    if bytes.is_empty() {
        bytes.push(0);
    }
    if !little {
        bytes.reverse();
    }
    Ok(cx.heap().binary(&bytes))
}

fn decode_unsigned(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let v = subject(a[0])?;
    let little = little(a.get(1))?;
    let bytes = v.to_bytes();
    let from_le = |c: &[u8]| c.iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b));
    let from_be = |c: &[u8]| c.iter().fold(0u64, |n, &b| n << 8 | u64::from(b));
    let limbs: Vec<u64> = if little {
        bytes.chunks(8).map(from_le).collect()
    } else {
        bytes.rchunks(8).map(from_be).collect()
    };
    let used = limbs
        .iter()
        .rposition(|&l| l != 0)
        .map_or(0, |i| i as u64 + 1);
    if used * 64 > arith::max_bits() + 63 {
        return Err(system_limit());
    }
    Ok(cx.heap().big(false, &limbs))
}

fn referenced_byte_size(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_bitstring() {
        return Err(badarg());
    }
    let n = bits::bit_size(bits::view(a[0]).base).div_ceil(8);
    Ok(cx.heap().uint(n as u64))
}
