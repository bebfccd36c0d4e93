//! Building as compilers before OTP 25 wrote it: an instruction a segment.

use super::building::{Segment, code_point};
use crate::atom::Atom;
use crate::bif::Ctx;
use crate::code::bit_words::{MAX_BITS, SIZE_ALL, SIZE_PLACE, kind, old_kind, segment};
use crate::heap::binary::{BinaryRef, Building};
use crate::heap::bits::{self, copy_bits};
use crate::term::{Kind, Term};

/// One step with its operands. `how` is kind and flags of a segment. Gives the bitstring, or `NONVALUE`.
#[inline(never)]
pub fn old(
    cx: &mut Ctx<'_>,
    step: u16,
    unit: usize,
    how: u64,
    p: Term,
    q: Term,
) -> Result<Term, Atom> {
    match step {
        old_kind::INIT_BYTES | old_kind::INIT_BITS => {
            let n = p
                .as_usize()
                .and_then(|n| n.checked_mul(unit))
                .filter(|&n| (n as u64) < MAX_BITS);
            let n = n.ok_or(if p.is_kind(Kind::BigPos) {
                Atom::SYSTEM_LIMIT
            } else {
                Atom::BADARG
            })?;
            let b = BinaryRef::build(n.div_ceil(8), |_| ());
            cx.own.rare().building = Some(Building {
                binary: b.clone(),
                at: 0,
                end: n,
            });
            Ok(cx.heap().shared_bits(b, n))
        }
        old_kind::APPEND => {
            if !q.is_bitstring() {
                return Err(Atom::BADARG);
            }
            let more = p
                .as_usize()
                .and_then(|n| n.checked_mul(unit))
                .filter(|&n| (n as u64) < MAX_BITS);
            let more = more.ok_or(Atom::BADARG)?;
            let v = bits::view(q);
            let total = v.bits + more;
            let b = BinaryRef::build_with_room(total.div_ceil(8), total.div_ceil(8), |out| {
                copy_bits(v.data, v.offset, out, 0, v.bits);
            });
            cx.own.rare().building = Some(Building {
                binary: b.clone(),
                at: v.bits,
                end: total,
            });
            Ok(cx.heap().shared_bits(b, total))
        }
        _ => {
            let all = q.as_atom() == Some(Atom::ALL);
            let added = Segment {
                kind: segment::KIND.of(how) as u8,
                flags: segment::FLAGS.of(how) as u8,
                unit: unit as u16,
                value: p,
                size: if all { Term::NONVALUE } else { q },
                word: if all { SIZE_ALL } else { SIZE_PLACE },
                string_len: 0,
            };
            put_old(cx, &added)
        }
    }
}

/// The step that adds `n` constant bytes.
#[inline(never)]
pub fn put_string(cx: &mut Ctx<'_>, n: usize, address: u64) -> Result<(), Atom> {
    let added = Segment {
        kind: kind::STRING,
        word: address,
        string_len: n,
        ..Segment::NONE
    };
    put_old(cx, &added).map(|_| ())
}

fn put_old(cx: &mut Ctx<'_>, s: &Segment) -> Result<Term, Atom> {
    let n = s.bits().map_err(|e| e.2)?;
    let Some(b) = cx.own.rare().building.as_mut() else {
        return Err(Atom::BADARG);
    };
    if b.at + n > b.end {
        return Err(Atom::BADARG);
    }
    let len = b.binary.len();
    // SAFETY: the code that builds the bitstring is the only one that looks at it until it is full.
    let out = unsafe { std::slice::from_raw_parts_mut(b.binary.data().cast_mut(), len) };
    s.write(out, b.at, n).map_err(|e| e.2)?;
    b.at += n;
    Ok(Term::NONVALUE)
}

/// `a + b * unit`, for sizes.
pub fn add_sizes(a: Term, b: Term, unit: usize) -> Result<Term, Atom> {
    let (Some(x), Some(y)) = (a.as_usize(), b.as_usize()) else {
        let large = a.is_kind(Kind::BigPos) || b.is_kind(Kind::BigPos);
        return Err(if large {
            Atom::SYSTEM_LIMIT
        } else {
            Atom::BADARG
        });
    };
    if x.max(y) > LARGEST_SIZE {
        return Err(Atom::SYSTEM_LIMIT);
    }
    let sum = y.checked_mul(unit).and_then(|n| n.checked_add(x));
    match sum {
        Some(sum) if sum <= LARGEST_SIZE => Ok(Term::small(sum as i64)),
        _ => Err(Atom::SYSTEM_LIMIT),
    }
}

/// The largest size: BEAM's largest small integer.
const LARGEST_SIZE: usize = (1 << 59) - 1;

/// Bytes of a code point in UTF-8 (`which` 0) or UTF-16 (1); 4 for what is none, which fails later.
pub fn utf_size(t: Term, which: usize) -> Term {
    Term::small(match (code_point(t), which) {
        (Some(c), 0) => c.len_utf8() as i64,
        (Some(c), _) => 2 * c.len_utf16() as i64,
        (None, _) => 4,
    })
}
