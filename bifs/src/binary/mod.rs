//! The module `binary`.

pub mod search;

use crate::bifs;
use crate::erlang::iolist;
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::{Ctx, system_limit};
use enigma_runtime::data::{arith, bignum};
use enigma_runtime::heap::BinaryBuilder;
use enigma_runtime::heap::bits::{self, View};
use enigma_runtime::term::list;
use enigma_runtime::work::{self, Budget, LoopLimit, Step, Work};
use enigma_runtime::{BifResult, Exit, Term, badarg, release};
use std::task::Poll;

/// Of what goes through binaries byte by byte.
pub static LOOP_LIMIT: LoopLimit = LoopLimit::none(0);

bifs! { BIFS:
    "binary" {
        "first"/1 Call => first, pure SMALL;
        "last"/1 Call => last, pure SMALL;
        "at"/2 Call => at, pure SMALL;
        "part"/2 Call => part2, pure BINARY;
        "part"/3 Call => part3, pure BINARY;
        "copy"/1 Steps => copy1, pure BINARY;
        "copy"/2 Steps => copy2, pure BINARY;
        "longest_common_prefix"/1 Call => longest_common_prefix, pure SMALL;
        "longest_common_suffix"/1 Call => longest_common_suffix, pure SMALL;
        "encode_unsigned"/1 Call => encode_unsigned, pure BINARY;
        "encode_unsigned"/2 Call => encode_unsigned, pure BINARY;
        "decode_unsigned"/1 Call => decode_unsigned, pure INTEGER;
        "decode_unsigned"/2 Call => decode_unsigned, pure INTEGER;
        "referenced_byte_size"/1 Call => referenced_byte_size, reads SMALL;
    }
}

#[inline(always)]
fn subject(t: Term) -> Result<View, Exit> {
    bits::binary_view(t).ok_or_else(badarg)
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

#[inline]
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
    copies(cx, a, &v, v.bits / 8)
}

fn copy2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = bignum::to_u64(a[1]).ok_or_else(badarg)?;
    if n == 0 && release::parts_of_bitstrings() && a[0].is_bitstring() {
        return Ok(cx.heap().binary(&[]));
    }
    let v = subject(a[0])?;
    let total = usize::try_from(n)
        .ok()
        .and_then(|n| (v.bits / 8).checked_mul(n))
        .filter(|&t| t < 1 << 40)
        .ok_or_else(system_limit)?;
    copies(cx, a, &v, total)
}

/// Sources shorter than this are repeated before they are copied.
const BLOCK: usize = 4096;

/// Copies of so many bytes altogether are made at once.
const FEW_BYTES: usize = 512;

/// Fills a binary with the bytes of the first argument, again and again.
struct Copies {
    /// Several copies of a short source.
    block: Vec<u8>,
    total: usize,
    out: BinaryBuilder,
}

impl Work for Copies {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let source = bits::view(a[0]);
        let period = if self.block.is_empty() {
            source.bits / 8
        } else {
            self.block.len()
        };
        loop {
            let at = self.out.filled();
            if at == self.total {
                break;
            }
            let from = at % period;
            let n = budget.grant_bytes((period - from).min(self.total - at));
            if n == 0 {
                return Ok(Poll::Pending);
            }
            match self.block.get(from..from + n) {
                Some(bytes) => self.out.extend(bytes),
                None => self.out.put(&source.part(8 * from, 8 * n)),
            }
        }
        let out = std::mem::replace(&mut self.out, BinaryBuilder::new(0));
        Ok(Poll::Ready(out.finish(cx.heap())))
    }
}

fn copies(cx: &mut Ctx<'_>, a: &[Term], v: &View, total: usize) -> BifResult {
    let len = v.bits / 8;
    if total == len && work::at_once(len / work::BYTES) && LOOP_LIMIT.units().is_none() {
        return Ok(bits::copy_out(v, cx.heap()));
    }
    if total <= FEW_BYTES && work::at_once(total / work::BYTES) && LOOP_LIMIT.units().is_none() {
        return Ok(cx.heap().build_binary(total, |out| {
            let (first, rest) = out.split_at_mut(len.min(total));
            if !first.is_empty() {
                v.write_to(first, 0);
                for next in rest.chunks_mut(len) {
                    next.copy_from_slice(first);
                }
            }
        }));
    }
    let block = if total > len && len < BLOCK {
        v.to_bytes().repeat((BLOCK / len).min(total / len))
    } else {
        Vec::new()
    };
    let work = Copies {
        block,
        total,
        out: BinaryBuilder::new(8 * total),
    };
    work::start_within(cx, a, work, &LOOP_LIMIT)
}

fn longest_common(a: &[Term], common: impl Fn(&[u8], &[u8]) -> usize) -> BifResult {
    let (first, mut rest) = a[0].as_cons().ok_or_else(badarg)?;
    let first = bits::binary_bytes(first).ok_or_else(badarg)?;
    let mut n = first.len();
    while let Some((other, tail)) = rest.as_cons() {
        let other = bits::binary_bytes(other).ok_or_else(badarg)?;
        n = n.min(common(&first, &other));
        rest = tail;
    }
    if !rest.is_nil() {
        return Err(badarg());
    }
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
    let unused = limbs.last().map_or(0, |l| l.leading_zeros() as usize / 8);
    let len = (8 * limbs.len() - unused).max(1);
    Ok(cx.heap().build_binary(len, |out| {
        if little {
            for (to, limb) in out.chunks_mut(8).zip(limbs) {
                to.copy_from_slice(&limb.to_le_bytes()[..to.len()]);
            }
        } else {
            for (to, limb) in out.rchunks_mut(8).zip(limbs) {
                to.copy_from_slice(&limb.to_be_bytes()[8 - to.len()..]);
            }
        }
    }))
}

fn decode_unsigned(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let v = subject(a[0])?;
    let little = little(a.get(1))?;
    let bytes = v.to_bytes();
    let from_le = |c: &[u8]| c.iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b));
    let from_be = |c: &[u8]| c.iter().fold(0u64, |n, &b| n << 8 | u64::from(b));
    if bytes.len() <= 8 {
        let n = if little {
            from_le(&bytes)
        } else {
            from_be(&bytes)
        };
        return Ok(cx.heap().uint(n));
    }
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
