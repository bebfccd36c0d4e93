//! I/O lists: nested lists of bytes and binaries, and their conversions to and from binaries.
//!
//! `collect`, `size` and `pieces` are what ports, files and sockets use as well. All of them walk
//! without recursion, so a list may be nested as deeply as memory allows.

use crate::bifs;
use enigma_runtime::heap::Heap;
use enigma_runtime::heap::bits::{self, View};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, release};

bifs! { BIFS:
    "erlang" {
        "list_to_binary"/1 Call => list_to_binary;
        "iolist_to_binary"/1 Call => iolist_to_binary;
        "iolist_size"/1 Call => iolist_size;
        "iolist_to_iovec"/1 Call => iolist_to_iovec;
        "list_to_bitstring"/1 Call => list_to_bitstring;
        "bitstring_to_list"/1 Call => bitstring_to_list;
        "binary_to_list"/1 Call => binary_to_list;
        "binary_to_list"/3 Call => binary_to_list3;
        "split_binary"/2 Call => split_binary;
    }
    "binary" {
        "list_to_bin"/1 Call => list_to_binary;
    }
}

/// Binaries up to this size are gathered with their neighbours instead of being handed on whole.
const GATHER_MAX: usize = 64;
/// Bytes of work for one reduction.
const BYTES_PER_REDUCTION: usize = 256;

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

/// Calls `visit` for every element of an I/O list (or binary), in order.
#[inline]
pub fn walk(
    t: Term,
    mut visit: impl FnMut(Piece) -> Result<(), NotIolist>,
) -> Result<(), NotIolist> {
    if t.is_bitstring() {
        return visit(Piece::Bits(bits::view(t)));
    }
    let mut tails: Vec<Term> = Vec::new();
    let mut t = t;
    loop {
        while let Some((head, tail)) = t.as_cons() {
            t = tail;
            if let Some(n) = head.as_small() {
                visit(Piece::Byte(u8::try_from(n).map_err(|_| NotIolist)?))?;
            } else if head.is_bitstring() {
                visit(Piece::Bits(bits::view(head)))?;
            } else if head.is_cons() {
                if !t.is_nil() {
                    tails.push(t);
                }
                t = head;
            } else if !head.is_nil() {
                return Err(NotIolist);
            }
        }
        if t.is_bitstring() {
            visit(Piece::Bits(bits::view(t)))?;
        } else if !t.is_nil() {
            return Err(NotIolist);
        }
        match tails.pop() {
            Some(next) => t = next,
            None => return Ok(()),
        }
    }
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
pub enum Part<'a> {
    /// Small elements gathered.
    Gathered(Vec<u8>),
    /// A large binary, where it is: `Term` is the binary and keeps the bytes.
    Whole(View, &'a [u8]),
}

/// The parts of an I/O list: large binaries are not copied, the rest is gathered between them.
pub fn pieces<'a>(t: Term) -> Result<Vec<Part<'a>>, NotIolist> {
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
                            parts.push(Part::Gathered(std::mem::take(&mut run)));
                        }
                        parts.push(Part::Whole(v, s));
                    }
                    Some(s) => run.extend_from_slice(s),
                    None => run.extend_from_slice(&v.to_bytes()),
                }
            }
        }
        Ok(())
    })?;
    if !run.is_empty() {
        parts.push(Part::Gathered(run));
    }
    Ok(parts)
}

/// A binary of the bytes of an I/O list.
pub fn to_binary(t: Term, heap: &mut Heap) -> Result<Term, NotIolist> {
    let n = size(t)?;
    Ok(heap.build_binary(n, |out| {
        let mut at = 0;
        // The list was checked by `size`.
        let _ = walk(t, |p| {
            match p {
                Piece::Byte(b) => {
                    out[at] = b;
                    at += 1;
                }
                Piece::Bits(v) => {
                    v.write_to(out, at * 8);
                    at += v.bits / 8;
                }
            }
            Ok(())
        });
    }))
}

fn list_to_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_list() {
        return Err(badarg());
    }
    iolist_to_binary(cx, a)
}

fn iolist_to_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0].is_binary() {
        return Ok(a[0]);
    }
    let t = to_binary(a[0], cx.heap())?;
    cx.bump(bits::bit_size(t) / 8 / BYTES_PER_REDUCTION);
    Ok(t)
}

fn iolist_size(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = size(a[0])?;
    Ok(cx.heap().uint(n as u64))
}

fn iolist_to_iovec(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0].is_binary() {
        return Ok(if bits::bit_size(a[0]) == 0 {
            Term::NIL
        } else {
            cx.heap().list(&[a[0]])
        });
    }
    let parts = pieces(a[0])?;
    let heap = cx.heap();
    let terms: Vec<Term> = parts
        .iter()
        .map(|p| match p {
            Part::Gathered(bytes) => heap.binary(bytes),
            Part::Whole(v, _) => bits::share(v, heap),
        })
        .collect();
    Ok(heap.list(&terms))
}

fn list_to_bitstring(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_list() {
        return Err(badarg());
    }
    let mut n = 0;
    walk(a[0], |p| {
        n += match p {
            Piece::Byte(_) => 8,
            Piece::Bits(v) => v.bits,
        };
        Ok(())
    })?;
    let mut out = vec![0; n.div_ceil(8)];
    let mut at = 0;
    walk(a[0], |p| {
        match p {
            Piece::Byte(b) => {
                bits::put_byte(&mut out, at, b);
                at += 8;
            }
            Piece::Bits(v) => {
                v.write_to(&mut out, at);
                at += v.bits;
            }
        }
        Ok(())
    })?;
    cx.bump(out.len() / BYTES_PER_REDUCTION);
    Ok(cx.heap().bits(&out, n))
}

fn bitstring_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_bitstring() {
        return Err(badarg());
    }
    let v = bits::view(a[0]);
    let whole = v.bits & !7;
    let tail = if whole == v.bits {
        Term::NIL
    } else {
        let rest = bits::copy_out(&v.part(whole, v.bits - whole), cx.heap());
        cx.heap().cons(rest, Term::NIL)
    };
    let bytes = v.part(0, whole).to_bytes();
    cx.bump(bytes.len() / 16);
    Ok(cx.heap().byte_list_with_tail(&bytes, tail))
}

fn bytes_to_list(cx: &mut Ctx<'_>, v: &View) -> Term {
    let bytes = v.to_bytes();
    cx.bump(bytes.len() / 16);
    cx.heap().byte_list(&bytes)
}

fn binary_view(t: Term) -> Result<View, Exit> {
    if t.is_binary() {
        Ok(bits::view(t))
    } else {
        Err(badarg())
    }
}

fn binary_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let v = binary_view(a[0])?;
    Ok(bytes_to_list(cx, &v))
}

fn binary_to_list3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let v = if release::parts_of_bitstrings() && a[0].is_bitstring() {
        bits::view(a[0])
    } else {
        binary_view(a[0])?
    };
    let (from, to) = a[1].as_usize().zip(a[2].as_usize()).ok_or_else(badarg)?;
    if from < 1 || to < from || to > v.bits / 8 {
        return Err(badarg());
    }
    Ok(bytes_to_list(
        cx,
        &v.part((from - 1) * 8, (to - from + 1) * 8),
    ))
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

fn split_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_bitstring() {
        return Err(badarg());
    }
    let v = bits::view(a[0]);
    let at = a[1]
        .as_usize()
        .filter(|&n| n <= v.bits / 8)
        .ok_or_else(badarg)?
        * 8;
    let left = bits::share(&v.part(0, at), cx.heap());
    let right = bits::share(&v.part(at, v.bits - at), cx.heap());
    Ok(cx.tuple2(left, right))
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
        let out = to_binary(t, &mut h).unwrap();
        assert_eq!(
            &*bits::binary_bytes(out).unwrap(),
            b"\x01binbin\xff\x01binbin"
        );
        let bad = h.list(&[Term::small(256)]);
        assert_eq!(size(bad), Err(NotIolist));
        assert_eq!(size(Term::small(1)), Err(NotIolist));
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
