//! Integers of any size: limbs of big integers, conversions to and from `num_bigint`, comparison.

use crate::heap::Heap;
use crate::release;
use crate::term::{Kind, Term};
use num_bigint::{BigInt, BigUint, Sign};
use std::cmp::Ordering;

/// Sign and magnitude of an integer. A small integer's limb is put into `buf`.
pub fn limbs(t: Term, buf: &mut [u64; 1]) -> (bool, &[u64]) {
    if let Some(n) = t.as_small() {
        buf[0] = n.unsigned_abs();
        return (n < 0, if n == 0 { &[] } else { &buf[..] });
    }
    let h = t.header();
    // SAFETY: a big integer's words after the header are its limbs.
    let s = unsafe { std::slice::from_raw_parts(t.ptr().add(1).cast_const(), h.words()) };
    (h.kind() == Kind::BigNeg, s)
}

/// The integer as a `BigInt`, if `t` is one.
pub fn to_bigint(t: Term) -> Option<BigInt> {
    if let Some(n) = t.as_small() {
        return Some(BigInt::from(n));
    }
    if !t.is_big() {
        return None;
    }
    let mut buf = [0];
    let (neg, limbs) = limbs(t, &mut buf);
    let sign = if neg { Sign::Minus } else { Sign::Plus };
    Some(BigInt::from_biguint(sign, to_biguint(limbs)))
}

/// A magnitude as a `BigUint`.
pub fn to_biguint(limbs: &[u64]) -> BigUint {
    let digits = limbs.iter().flat_map(|&l| [l as u32, (l >> 32) as u32]);
    BigUint::new(digits.collect())
}

/// The integer as a term.
pub fn from_bigint(n: &BigInt, heap: &mut Heap) -> Term {
    let digits = n.magnitude().iter_u64_digits();
    heap.big_with(digits.len(), |out| {
        out.iter_mut().zip(digits).for_each(|(o, d)| *o = d);
        n.sign() == Sign::Minus
    })
}

/// The value, if it is an integer that fits.
pub fn to_i64(t: Term) -> Option<i64> {
    match t.as_small() {
        Some(n) => Some(n),
        None => i64::try_from(to_i128(t)?).ok(),
    }
}

/// The value, if it is an integer that fits.
pub fn to_u64(t: Term) -> Option<u64> {
    match t.as_small() {
        Some(n) => u64::try_from(n).ok(),
        None => u64::try_from(to_i128(t)?).ok(),
    }
}

/// Sign and magnitude, if it is an integer of at most 128 bits.
#[inline]
pub fn two_limbs(t: Term) -> Option<(bool, [u64; 2])> {
    if let Some(n) = t.as_small() {
        return Some((n < 0, [n.unsigned_abs(), 0]));
    }
    if !t.is_big() {
        return None;
    }
    let h = t.header();
    let negative = h.kind() == Kind::BigNeg;
    match h.words() {
        1 => Some((negative, [t.word(1), 0])),
        2 => Some((negative, [t.word(1), t.word(2)])),
        _ => None,
    }
}

/// The value, if it is an integer of at most 127 bits and sign.
#[inline]
pub fn to_wide(t: Term) -> Option<i128> {
    if let Some(n) = t.as_small() {
        return Some(i128::from(n));
    }
    let (negative, [low, high]) = two_limbs(t)?;
    let m = i128::try_from(u128::from(high) << 64 | u128::from(low)).ok()?;
    Some(if negative { -m } else { m })
}

/// The value, if it is an integer of at most 64 bits and sign.
pub fn to_i128(t: Term) -> Option<i128> {
    if let Some(n) = t.as_small() {
        return Some(i128::from(n));
    }
    if !t.is_big() || t.header().words() != 1 {
        return None;
    }
    let m = i128::from(t.word(1));
    Some(if t.header().kind() == Kind::BigNeg {
        -m
    } else {
        m
    })
}

/// The float nearest to an integer; infinite where it is too large. Before OTP 29 a big integer is
/// converted limb by limb, with a rounding each.
pub fn to_f64(t: Term) -> f64 {
    if let Some(n) = t.as_small() {
        return n as f64;
    }
    if release::number() >= 29 {
        use num_traits::ToPrimitive;
        return to_bigint(t)
            .and_then(|b| b.to_f64())
            .unwrap_or(f64::INFINITY);
    }
    let mut buf = [0];
    let (negative, limbs) = limbs(t, &mut buf);
    const BASE: f64 = 18_446_744_073_709_551_616.0;
    let f = limbs.iter().rev().fold(0.0, |f, &l| f * BASE + l as f64);
    if negative { -f } else { f }
}

/// Compares two integers.
pub fn compare(a: Term, b: Term) -> Ordering {
    if let (Some(x), Some(y)) = (a.as_small(), b.as_small()) {
        return x.cmp(&y);
    }
    let (mut p, mut q) = ([0], [0]);
    let ((na, la), (nb, lb)) = (limbs(a, &mut p), limbs(b, &mut q));
    match (na, nb) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        _ => {
            let o = la
                .len()
                .cmp(&lb.len())
                .then_with(|| la.iter().rev().cmp(lb.iter().rev()));
            if na { o.reverse() } else { o }
        }
    }
}

/// Compares an integer with a float by their exact values.
pub fn compare_float(a: Term, f: f64) -> Ordering {
    if let Some(n) = a.as_small()
        && n.unsigned_abs() <= 1 << 53
    {
        return (n as f64).partial_cmp(&f).unwrap_or(Ordering::Equal);
    }
    if f.abs() >= 9_007_199_254_740_992.0 {
        use num_traits::FromPrimitive;
        let x = to_bigint(a);
        return x.cmp(&BigInt::from_f64(f));
    }
    // Beyond 2^53 in magnitude, and the float is not.
    let negative = a.as_small().map_or(a.is_kind(Kind::BigNeg), |n| n < 0);
    if negative {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}
