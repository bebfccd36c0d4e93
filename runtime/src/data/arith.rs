//! Arithmetic on terms, for both tiers and for BIFs: the general case behind the fast paths.
//!
//! Big integers are worked on where they lie, limb by limb, and results are written where they are going to lie;
//! `num_bigint` makes the products of long numbers.

use crate::data::bignum;
use crate::heap::Heap;
use crate::term::Term;
use crate::{limbs, release};
use num_bigint::{BigInt, Sign};
use std::cmp::Ordering;

/// Why an operation has no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// An operand is no number, or a division by zero, or a float out of range.
    BadArith,
    /// The result would be too large.
    SystemLimit,
}

/// Greatest size of an integer, in bits.
#[inline]
pub fn max_bits() -> u64 {
    if release::number() >= 27 {
        64 * 0xffff
    } else {
        64 * 0x7_ffff
    }
}

type Value = Result<Term, Fault>;

/// A float result; infinities and NaN are errors.
fn finite(heap: &mut Heap, f: f64) -> Value {
    if f.is_finite() {
        Ok(heap.float(f))
    } else {
        Err(Fault::BadArith)
    }
}

/// The value of a number as a float; an integer out of a float's range is an error.
fn as_float(t: Term) -> Result<f64, Fault> {
    if let Some(f) = t.as_float() {
        return Ok(f);
    }
    if !t.is_integer() {
        return Err(Fault::BadArith);
    }
    let f = bignum::to_f64(t);
    if f.is_finite() {
        Ok(f)
    } else {
        Err(Fault::BadArith)
    }
}

/// Two integers that fit 128 bits even after a product.
fn both_i128(a: Term, b: Term) -> Option<(i128, i128)> {
    Some((bignum::to_i128(a)?, bignum::to_i128(b)?))
}

/// Runs `f` with signs and magnitudes of two integers.
fn with_limbs<R>(
    a: Term,
    b: Term,
    f: impl FnOnce((bool, &[u64]), (bool, &[u64])) -> R,
) -> Option<R> {
    if !a.is_integer() || !b.is_integer() {
        return None;
    }
    let (mut p, mut q) = ([0], [0]);
    Some(f(bignum::limbs(a, &mut p), bignum::limbs(b, &mut q)))
}

/// An integer of at most `room` limbs that `fill`, which gives its sign, writes into that room.
fn made(heap: &mut Heap, room: usize, fill: impl FnOnce(&mut [u64]) -> bool) -> Value {
    let t = heap.big_with(room, fill);
    within_limit(t, room)
}

/// An integer that was made in so many limbs, if it is not too large.
fn within_limit(t: Term, room: usize) -> Value {
    if t.is_big() && room as u64 * 64 > max_bits() {
        let mut buf = [0];
        if limbs::bits(bignum::limbs(t, &mut buf).1) > max_bits() {
            return Err(Fault::SystemLimit);
        }
    }
    Ok(t)
}

fn general(
    heap: &mut Heap,
    a: Term,
    b: Term,
    small: impl FnOnce(i128, i128) -> Option<i128>,
    big: impl FnOnce(&mut Heap, (bool, &[u64]), (bool, &[u64])) -> Value,
    float: impl FnOnce(f64, f64) -> f64,
) -> Value {
    if let (Some(x), Some(y)) = (bignum::to_wide(a), bignum::to_wide(b))
        && let Some(r) = small(x, y)
    {
        return Ok(heap.int128(r));
    }
    if let Some(v) = with_limbs(a, b, |x, y| big(heap, x, y)) {
        return v;
    }
    if !a.is_number() || !b.is_number() {
        return Err(Fault::BadArith);
    }
    let r = float(as_float(a)?, as_float(b)?);
    finite(heap, r)
}

fn sum(heap: &mut Heap, a: (bool, &[u64]), b: (bool, &[u64])) -> Value {
    let ((na, a), (nb, b)) = (a, b);
    if na == nb {
        let room = a.len().max(b.len()) + 1;
        let t = heap.big_written(room, |out| (limbs::add(out, a, b), na));
        return within_limit(t, room);
    }
    let (negative, more, less) = match limbs::compare(a, b) {
        Ordering::Less => (nb, b, a),
        _ => (na, a, b),
    };
    let t = heap.big_written(more.len(), |out| (limbs::sub(out, more, less), negative));
    within_limit(t, more.len())
}

/// `a + b`.
pub fn add(heap: &mut Heap, a: Term, b: Term) -> Value {
    general(heap, a, b, i128::checked_add, sum, |x, y| x + y)
}

/// `a - b`.
pub fn sub(heap: &mut Heap, a: Term, b: Term) -> Value {
    general(
        heap,
        a,
        b,
        i128::checked_sub,
        |heap, a, (negative, b)| sum(heap, a, (!negative, b)),
        |x, y| x - y,
    )
}

/// From so many limbs of the shorter factor on, products are made by `num_bigint`'s algorithms.
const LONG: usize = 32;

fn product(heap: &mut Heap, a: (bool, &[u64]), b: (bool, &[u64])) -> Value {
    let ((na, a), (nb, b)) = (a, b);
    let n = a.len() + b.len();
    // The product has as many limbs, or one less.
    if n as u64 * 64 > max_bits() + 128 {
        return Err(Fault::SystemLimit);
    }
    if a.len().min(b.len()) >= LONG {
        let product = bignum::to_biguint(a) * bignum::to_biguint(b);
        if product.bits() > max_bits() {
            return Err(Fault::SystemLimit);
        }
        let sign = if na == nb { Sign::Plus } else { Sign::Minus };
        return Ok(bignum::from_bigint(
            &BigInt::from_biguint(sign, product),
            heap,
        ));
    }
    let t = heap.big_written(n, |out| (limbs::mul(out, a, b), na != nb));
    within_limit(t, n)
}

/// `a * b`.
pub fn mul(heap: &mut Heap, a: Term, b: Term) -> Value {
    if let (Some(x), Some(y)) = (bignum::two_limbs(a), bignum::two_limbs(b))
        && let Some(t) = short_product(heap, x, y)
    {
        return Ok(t);
    }
    general(heap, a, b, |_, _| None, product, |x, y| x * y)
}

/// The product of two integers of which one has one limb at most.
#[inline]
fn short_product(heap: &mut Heap, x: (bool, [u64; 2]), y: (bool, [u64; 2])) -> Option<Term> {
    let ((_, [low, high]), (_, [by, 0])) = (if y.1[1] == 0 { (x, y) } else { (y, x) }) else {
        return None;
    };
    let low = u128::from(low) * u128::from(by);
    let high = u128::from(high) * u128::from(by) + (low >> 64);
    let limbs = [low as u64, high as u64, (high >> 64) as u64];
    Some(heap.big3(x.0 != y.0, limbs))
}

/// `a / b`.
pub fn div_float(heap: &mut Heap, a: Term, b: Term) -> Value {
    let (x, y) = (as_float(a)?, as_float(b)?);
    if y == 0.0 {
        return Err(Fault::BadArith);
    }
    finite(heap, x / y)
}

/// `a div b`.
pub fn int_div(heap: &mut Heap, a: Term, b: Term) -> Value {
    if let Some((x, y)) = both_i128(a, b) {
        let q = x.checked_div(y).ok_or(Fault::BadArith)?;
        return Ok(heap.int128(q));
    }
    with_limbs(a, b, |(na, a), (nb, b)| match *b {
        [] => Err(Fault::BadArith),
        _ if a.len() < b.len() => Ok(Term::small(0)),
        [d] => made(heap, a.len(), |out| {
            limbs::div_small(out, a, d);
            na != nb
        }),
        _ => made(heap, a.len() - b.len() + 1, |out| {
            limbs::div(out, &mut longer(a), b);
            na != nb
        }),
    })
    .unwrap_or(Err(Fault::BadArith))
}

/// A copy with one more limb.
fn longer(a: &[u64]) -> Vec<u64> {
    let mut copy = Vec::with_capacity(a.len() + 1);
    copy.extend_from_slice(a);
    copy.push(0);
    copy
}

/// `a rem b`.
pub fn int_rem(heap: &mut Heap, a: Term, b: Term) -> Value {
    if let Some((x, y)) = both_i128(a, b) {
        let r = x.checked_rem(y).ok_or(Fault::BadArith)?;
        return Ok(heap.int128(r));
    }
    with_limbs(a, b, |(na, la), (_, b)| match *b {
        [] => Err(Fault::BadArith),
        _ if la.len() < b.len() => Ok(a),
        [d] => Ok(heap.big(na, &[limbs::div_small(&mut [], la, d)])),
        _ => {
            let mut rest = longer(la);
            limbs::div(&mut [], &mut rest, b);
            Ok(heap.big(na, &rest))
        }
    })
    .unwrap_or(Err(Fault::BadArith))
}

fn bitwise(
    heap: &mut Heap,
    a: Term,
    b: Term,
    small: impl FnOnce(i128, i128) -> i128,
    op: impl Fn(u64, u64) -> u64,
) -> Value {
    if let (Some(x), Some(y)) = (bignum::to_wide(a), bignum::to_wide(b)) {
        return Ok(heap.int128(small(x, y)));
    }
    with_limbs(a, b, |x, y| {
        made(heap, x.1.len().max(y.1.len()) + 1, |out| {
            limbs::bitwise(out, x, y, op)
        })
    })
    .unwrap_or(Err(Fault::BadArith))
}

/// `a band b`.
pub fn band(heap: &mut Heap, a: Term, b: Term) -> Value {
    bitwise(heap, a, b, |x, y| x & y, |x, y| x & y)
}

/// `a bor b`.
pub fn bor(heap: &mut Heap, a: Term, b: Term) -> Value {
    bitwise(heap, a, b, |x, y| x | y, |x, y| x | y)
}

/// `a bxor b`.
pub fn bxor(heap: &mut Heap, a: Term, b: Term) -> Value {
    bitwise(heap, a, b, |x, y| x ^ y, |x, y| x ^ y)
}

/// `bnot a`.
pub fn bnot(heap: &mut Heap, a: Term) -> Value {
    if a.is_integer() {
        bxor(heap, a, Term::small(-1))
    } else {
        Err(Fault::BadArith)
    }
}

/// `a bsl b`.
pub fn bsl(heap: &mut Heap, a: Term, b: Term) -> Value {
    shift(heap, a, b, false)
}

/// `a bsr b`.
pub fn bsr(heap: &mut Heap, a: Term, b: Term) -> Value {
    shift(heap, a, b, true)
}

fn shift(heap: &mut Heap, a: Term, b: Term, right: bool) -> Value {
    if !a.is_integer() || !b.is_integer() {
        return Err(Fault::BadArith);
    }
    if a == Term::small(0) {
        return Ok(a);
    }
    let amount = match b.as_small() {
        Some(n) => i128::from(n),
        // So far that only the sign matters.
        None if b.is_kind(crate::term::Kind::BigNeg) => -i128::from(u64::MAX),
        None => i128::from(u64::MAX),
    };
    let left = if right { -amount } else { amount };
    if let Some(n) = bignum::to_i128(a)
        && left < 60
    {
        let by = u32::try_from(-left).unwrap_or(u32::MAX);
        return Ok(heap.int128(if left > 0 {
            n << left
        } else {
            n.checked_shr(by).unwrap_or(if n < 0 { -1 } else { 0 })
        }));
    }
    if (0..128).contains(&left)
        && let Some((negative, [low, 0])) = bignum::two_limbs(a)
    {
        let m = u128::from(low) << (left % 64);
        let (low, high) = (m as u64, (m >> 64) as u64);
        let limbs = if left < 64 {
            [low, high, 0]
        } else {
            [0, low, high]
        };
        return Ok(heap.big3(negative, limbs));
    }
    let mut buf = [0];
    let (negative, limbs) = bignum::limbs(a, &mut buf);
    if left > 0 {
        if left as u128 + u128::from(limbs::bits(limbs)) > u128::from(max_bits()) {
            return Err(Fault::SystemLimit);
        }
        let by = left as usize;
        return made(heap, limbs.len() + by / 64 + 1, |out| {
            limbs::shl(out, limbs, by);
            negative
        });
    }
    let by = usize::try_from(-left).unwrap_or(usize::MAX);
    if by / 64 >= limbs.len() {
        return Ok(Term::small(if negative { -1 } else { 0 }));
    }
    // Of a negative number the result is rounded down, away from zero.
    made(heap, limbs.len() - by / 64 + usize::from(negative), |out| {
        let kept = limbs.len() - by / 64;
        let lost = limbs::shr(&mut out[..kept], limbs, by);
        if negative && lost {
            limbs::increment(out);
        }
        negative
    })
}

/// `-a`.
pub fn neg(heap: &mut Heap, a: Term) -> Value {
    match a.as_float() {
        Some(f) => Ok(heap.float(-f)),
        None => sub(heap, Term::small(0), a),
    }
}

/// `abs(a)`.
pub fn abs(heap: &mut Heap, a: Term) -> Value {
    if let Some(f) = a.as_float() {
        // Before OTP 27 minus zero stays what it is.
        let keep = f == 0.0 && !release::signed_zeros_differ();
        return Ok(if keep { a } else { heap.float(f.abs()) });
    }
    if !a.is_integer() {
        return Err(Fault::BadArith);
    }
    let negative = a
        .as_small()
        .map_or_else(|| a.is_kind(crate::term::Kind::BigNeg), |n| n < 0);
    if negative { neg(heap, a) } else { Ok(a) }
}

/// The integer a float is equal to; `f` must be finite and whole.
pub fn float_to_int(heap: &mut Heap, f: f64) -> Term {
    if f.abs() < 9.2e18 {
        return heap.int(f as i64);
    }
    use num_traits::FromPrimitive;
    match BigInt::from_f64(f) {
        Some(n) => bignum::from_bigint(&n, heap),
        None => Term::small(0),
    }
}

/// A number as a float.
pub fn to_float(heap: &mut Heap, a: Term) -> Value {
    let f = as_float(a)?;
    Ok(heap.float(f))
}

/// The value of a number as a float, as the float instructions need it.
pub fn float_value(a: Term) -> Result<f64, Fault> {
    as_float(a)
}
