//! Arithmetic on terms, for both tiers and for BIFs: the general case behind the fast paths.

use crate::data::bignum;
use crate::heap::Heap;
use crate::release;
use crate::term::Term;
use num_bigint::BigInt;
use num_traits::Zero;

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

fn from_big(heap: &mut Heap, n: &BigInt) -> Value {
    if n.bits() > max_bits() {
        Err(Fault::SystemLimit)
    } else {
        Ok(bignum::from_bigint(n, heap))
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

fn both_big(a: Term, b: Term) -> Result<(BigInt, BigInt), Fault> {
    bignum::to_bigint(a)
        .zip(bignum::to_bigint(b))
        .ok_or(Fault::BadArith)
}

fn general(
    heap: &mut Heap,
    a: Term,
    b: Term,
    small: impl FnOnce(i128, i128) -> Option<i128>,
    big: impl FnOnce(&BigInt, &BigInt) -> BigInt,
    float: impl FnOnce(f64, f64) -> f64,
) -> Value {
    if let Some((x, y)) = both_i128(a, b)
        && let Some(r) = small(x, y)
    {
        return Ok(heap.int128(r));
    }
    if a.is_integer() && b.is_integer() {
        let (x, y) = both_big(a, b)?;
        return from_big(heap, &big(&x, &y));
    }
    if !a.is_number() || !b.is_number() {
        return Err(Fault::BadArith);
    }
    let r = float(as_float(a)?, as_float(b)?);
    finite(heap, r)
}

/// `a + b`.
pub fn add(heap: &mut Heap, a: Term, b: Term) -> Value {
    general(heap, a, b, i128::checked_add, |x, y| x + y, |x, y| x + y)
}

/// `a - b`.
pub fn sub(heap: &mut Heap, a: Term, b: Term) -> Value {
    general(heap, a, b, i128::checked_sub, |x, y| x - y, |x, y| x - y)
}

/// `a * b`.
pub fn mul(heap: &mut Heap, a: Term, b: Term) -> Value {
    if a.is_big()
        && b.is_big()
        && (a.header().words() + b.header().words()) as u64 * 64 > max_bits() + 128
    {
        return Err(Fault::SystemLimit);
    }
    general(heap, a, b, i128::checked_mul, |x, y| x * y, |x, y| x * y)
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
    divide(heap, a, b, i128::checked_div, |x, y| x / y)
}

/// `a rem b`.
pub fn int_rem(heap: &mut Heap, a: Term, b: Term) -> Value {
    divide(heap, a, b, i128::checked_rem, |x, y| x % y)
}

fn divide(
    heap: &mut Heap,
    a: Term,
    b: Term,
    small: impl FnOnce(i128, i128) -> Option<i128>,
    big: impl FnOnce(&BigInt, &BigInt) -> BigInt,
) -> Value {
    if let Some((x, y)) = both_i128(a, b) {
        return small(x, y).map(|r| heap.int128(r)).ok_or(Fault::BadArith);
    }
    let (x, y) = both_big(a, b)?;
    if y.is_zero() {
        return Err(Fault::BadArith);
    }
    from_big(heap, &big(&x, &y))
}

fn bitwise(
    heap: &mut Heap,
    a: Term,
    b: Term,
    small: impl FnOnce(i128, i128) -> i128,
    big: impl FnOnce(&BigInt, &BigInt) -> BigInt,
) -> Value {
    if let Some((x, y)) = both_i128(a, b) {
        return Ok(heap.int128(small(x, y)));
    }
    let (x, y) = both_big(a, b)?;
    from_big(heap, &big(&x, &y))
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
    if let Some(n) = bignum::to_i128(a) {
        return Ok(heap.int128(!n));
    }
    let n = bignum::to_bigint(a).ok_or(Fault::BadArith)?;
    from_big(heap, &!n)
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
    let negative = a
        .as_small()
        .map_or_else(|| a.is_kind(crate::term::Kind::BigNeg), |n| n < 0);
    let amount = match b.as_small() {
        Some(n) => i128::from(n),
        // So far that only the sign matters.
        None if b.is_kind(crate::term::Kind::BigNeg) => -i128::from(u64::MAX),
        None => i128::from(u64::MAX),
    };
    let left = if right { -amount } else { amount };
    if left <= 0 {
        let by = u32::try_from(-left).unwrap_or(u32::MAX);
        if let Some(n) = bignum::to_i128(a) {
            return Ok(heap.int128(n.checked_shr(by).unwrap_or(if n < 0 { -1 } else { 0 })));
        }
        let n = bignum::to_bigint(a).ok_or(Fault::BadArith)?;
        if u64::from(by) > n.bits() {
            return Ok(Term::small(if negative { -1 } else { 0 }));
        }
        return from_big(heap, &(n >> by));
    }
    if left > i128::from(max_bits()) {
        return Err(Fault::SystemLimit);
    }
    if let Some(n) = bignum::to_i128(a)
        && left < 60
    {
        return Ok(heap.int128(n << left));
    }
    let n = bignum::to_bigint(a).ok_or(Fault::BadArith)?;
    from_big(heap, &(n << left as u32))
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
