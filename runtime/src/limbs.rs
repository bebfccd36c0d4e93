//! Arithmetic on magnitudes: slices of 64-bit limbs, the least significant first. Results are written to where the
//! caller says, so that no memory is needed on the way.
//!
//! Sizes where clever algorithms win are left to `num_bigint` (see `arith`).

use std::cmp::Ordering;
use std::mem::MaybeUninit;

/// The limbs without zeros at the end.
#[inline]
pub fn trim(a: &[u64]) -> &[u64] {
    let n = a.iter().rposition(|&l| l != 0).map_or(0, |i| i + 1);
    &a[..n]
}

/// Number of bits; `a` has no zeros at the end.
#[inline]
pub fn bits(a: &[u64]) -> u64 {
    match a.last() {
        Some(top) => 64 * a.len() as u64 - u64::from(top.leading_zeros()),
        None => 0,
    }
}

/// Compares two magnitudes without zeros at the end.
#[inline]
pub fn compare(a: &[u64], b: &[u64]) -> Ordering {
    a.len()
        .cmp(&b.len())
        .then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

#[inline(always)]
fn add_carry(a: u64, b: u64, carry: &mut u64) -> u64 {
    let sum = u128::from(a) + u128::from(b) + u128::from(*carry);
    *carry = (sum >> 64) as u64;
    sum as u64
}

#[inline(always)]
fn sub_borrow(a: u64, b: u64, borrow: &mut u64) -> u64 {
    let (d, x) = a.overflowing_sub(b);
    let (d, y) = d.overflowing_sub(*borrow);
    *borrow = u64::from(x | y);
    d
}

/// `out = a + b`; `out` has one limb more than the longer one. Gives it, with all limbs written.
pub fn add<'a>(out: &'a mut [MaybeUninit<u64>], a: &[u64], b: &[u64]) -> &'a mut [u64] {
    let (a, b) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let (low, high) = a.split_at(b.len());
    let (out_low, out_high) = out.split_at_mut(b.len());
    let (out_high, top) = out_high.split_at_mut(high.len());
    let mut carry = 0;
    for ((o, &x), &y) in out_low.iter_mut().zip(low).zip(b) {
        o.write(add_carry(x, y, &mut carry));
    }
    for (o, &x) in out_high.iter_mut().zip(high) {
        o.write(add_carry(x, 0, &mut carry));
    }
    for o in top {
        o.write(carry);
        carry = 0;
    }
    // SAFETY: all limbs have been written: as many as `a` has, and those behind.
    unsafe { out.assume_init_mut() }
}

/// `out = a - b`, where `b` is not greater; `out` is as long as `a`. Gives it, with all limbs written.
pub fn sub<'a>(out: &'a mut [MaybeUninit<u64>], a: &[u64], b: &[u64]) -> &'a mut [u64] {
    assert!(
        out.len() == a.len() && b.len() <= a.len(),
        "a difference of other lengths"
    );
    let (low, high) = a.split_at(b.len());
    let (out_low, out_high) = out.split_at_mut(b.len());
    let mut borrow = 0;
    for ((o, &x), &y) in out_low.iter_mut().zip(low).zip(b) {
        o.write(sub_borrow(x, y, &mut borrow));
    }
    for (o, &x) in out_high.iter_mut().zip(high) {
        o.write(sub_borrow(x, 0, &mut borrow));
    }
    // SAFETY: all limbs have been written: as many as `a` has.
    unsafe { out.assume_init_mut() }
}

/// Adds one; gives the carry.
pub fn increment(a: &mut [u64]) -> bool {
    for l in a.iter_mut() {
        *l = l.wrapping_add(1);
        if *l != 0 {
            return false;
        }
    }
    true
}

/// `out += a * m`; gives the carry. `out` is as long as `a`.
#[inline]
fn add_mul(out: &mut [u64], a: &[u64], m: u64) -> u64 {
    let mut carry = 0u64;
    for (o, &x) in out.iter_mut().zip(a) {
        let t = u128::from(x) * u128::from(m) + u128::from(*o) + u128::from(carry);
        *o = t as u64;
        carry = (t >> 64) as u64;
    }
    carry
}

/// `out -= a * m`; gives the borrow. `out` is as long as `a`.
#[inline]
fn sub_mul(out: &mut [u64], a: &[u64], m: u64) -> u64 {
    let mut carry = 0u64;
    for (o, &x) in out.iter_mut().zip(a) {
        let t = u128::from(x) * u128::from(m) + u128::from(carry);
        let (d, borrow) = o.overflowing_sub(t as u64);
        *o = d;
        carry = (t >> 64) as u64 + u64::from(borrow);
    }
    carry
}

/// `out = a * b`, limb by limb; `out` is as long as both together. Gives it, with all limbs written.
pub fn mul<'a>(out: &'a mut [MaybeUninit<u64>], a: &[u64], b: &[u64]) -> &'a mut [u64] {
    let (a, b) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let (&first, others) = b.split_first().unwrap_or((&0, &[]));
    let (low, high) = out.split_at_mut(a.len());
    let mut carry = 0u64;
    for (o, &x) in low.iter_mut().zip(a) {
        let t = u128::from(x) * u128::from(first) + u128::from(carry);
        o.write(t as u64);
        carry = (t >> 64) as u64;
    }
    for o in high {
        o.write(carry);
        carry = 0;
    }
    // SAFETY: all limbs have been written: as many as `a` has, and those behind.
    let out = unsafe { out.assume_init_mut() };
    for (i, &m) in others.iter().enumerate() {
        let carry = add_mul(&mut out[i + 1..][..a.len()], a, m);
        out[i + 1 + a.len()] = carry;
    }
    out
}

/// `out = a << by`; `out` has the limbs for that.
pub fn shl(out: &mut [u64], a: &[u64], by: usize) {
    let (whole, part) = (by / 64, by % 64);
    out[..whole].fill(0);
    let mut carry = 0;
    for (o, &x) in out[whole..].iter_mut().zip(a) {
        *o = x << part | carry;
        // In two steps, as the number of bits may be 64.
        carry = x >> 1 >> (63 - part);
    }
    if let Some(o) = out.get_mut(whole + a.len()) {
        *o = carry;
    }
}

/// `out = a >> by`, of which at least one limb is left; gives whether a bit that is not zero was lost. `out` is as
/// long as what is left.
pub fn shr(out: &mut [u64], a: &[u64], by: usize) -> bool {
    let (whole, part) = (by / 64, by % 64);
    let kept = &a[whole..];
    for (i, o) in out.iter_mut().enumerate() {
        let next = kept.get(i + 1).copied().unwrap_or(0);
        *o = kept[i] >> part | next << 1 << (63 - part);
    }
    a[..whole].iter().any(|&l| l != 0) || kept[0] & ((1 << part) - 1) != 0
}

/// Division by one limb, prepared: Möller and Granlund, "Improved division by invariant integers", 2011.
struct Divisor {
    /// With its highest bit set.
    d: u64,
    reciprocal: u64,
    shift: u32,
}

impl Divisor {
    fn new(d: u64) -> Divisor {
        let shift = d.leading_zeros();
        let d = d << shift;
        let all = u128::from(!d) << 64 | u128::from(u64::MAX);
        Divisor {
            d,
            reciprocal: (all / u128::from(d)) as u64,
            shift,
        }
    }

    /// Quotient and remainder of two limbs of which the upper one is less than the divisor.
    #[inline(always)]
    fn divide(&self, high: u64, low: u64) -> (u64, u64) {
        let q = u128::from(self.reciprocal) * u128::from(high)
            + (u128::from(high) << 64 | u128::from(low));
        let (mut q1, q0) = ((q >> 64) as u64, q as u64);
        q1 = q1.wrapping_add(1);
        let mut r = low.wrapping_sub(q1.wrapping_mul(self.d));
        if r > q0 {
            q1 = q1.wrapping_sub(1);
            r = r.wrapping_add(self.d);
        }
        if r >= self.d {
            q1 = q1.wrapping_add(1);
            r -= self.d;
        }
        (q1, r)
    }
}

/// `out = a / d`; gives the remainder. `out` is as long as `a`, or empty where the quotient is not wanted.
pub fn div_small(out: &mut [u64], a: &[u64], d: u64) -> u64 {
    let divisor = Divisor::new(d);
    let part = divisor.shift;
    let mut rest = a.last().map_or(0, |&top| top >> 1 >> (63 - part));
    for i in (0..a.len()).rev() {
        let below = if i > 0 { a[i - 1] } else { 0 };
        let low = a[i] << part | below >> 1 >> (63 - part);
        let (q, r) = divisor.divide(rest, low);
        rest = r;
        if let Some(o) = out.get_mut(i) {
            *o = q;
        }
    }
    rest >> part
}

/// Division by several limbs (Knuth, "The Art of Computer Programming", 4.3.1, algorithm D): the remainder is left
/// in `rest`, the quotient is written to `out`. `b` has at least two limbs and no zeros at the end. `rest` holds `a`
/// and has one limb more; `out` has as many as `a` has more than `b`, and one, or is empty where the quotient is
/// not wanted.
pub fn div(out: &mut [u64], rest: &mut [u64], b: &[u64]) {
    let shift = b[b.len() - 1].leading_zeros() as usize;
    let mut scaled = vec![0; b.len()];
    shl(&mut scaled, b, shift);
    shift_up(rest, shift);
    let n = scaled.len();
    let (top, next) = (Divisor::new(scaled[n - 1]), scaled[n - 2]);
    for j in (0..rest.len() - n).rev() {
        let [low, middle, high] = [rest[j + n - 2], rest[j + n - 1], rest[j + n]];
        let mut q = if high >= top.d {
            u64::MAX
        } else {
            let (mut q, mut r) = top.divide(high, middle);
            // At most two corrections with the second limb.
            while u128::from(q) * u128::from(next) > (u128::from(r) << 64 | u128::from(low)) {
                q -= 1;
                let (sum, over) = r.overflowing_add(top.d);
                r = sum;
                if over {
                    break;
                }
            }
            q
        };
        let borrow = sub_mul(&mut rest[j..j + n], &scaled, q);
        let (left, mut under) = high.overflowing_sub(borrow);
        rest[j + n] = left;
        while under {
            q -= 1;
            let mut carry = 0;
            for (r, &s) in rest[j..j + n].iter_mut().zip(&scaled) {
                *r = add_carry(*r, s, &mut carry);
            }
            let (sum, over) = rest[j + n].overflowing_add(carry);
            rest[j + n] = sum;
            under = !over;
        }
        if let Some(o) = out.get_mut(j) {
            *o = q;
        }
    }
    shift_down(rest, shift);
}

fn shift_up(a: &mut [u64], part: usize) {
    let mut carry = 0;
    for l in a {
        let x = *l;
        *l = x << part | carry;
        carry = x >> 1 >> (63 - part);
    }
}

fn shift_down(a: &mut [u64], part: usize) {
    let mut carry = 0;
    for l in a.iter_mut().rev() {
        let x = *l;
        *l = x >> part | carry;
        carry = x << 1 << (63 - part);
    }
}

/// The limbs of a number in two's complement, without end.
struct Complement<'a> {
    limbs: std::slice::Iter<'a, u64>,
    negative: bool,
    carry: bool,
}

impl<'a> Complement<'a> {
    fn new(negative: bool, limbs: &'a [u64]) -> Complement<'a> {
        Complement {
            limbs: limbs.iter(),
            negative,
            carry: negative,
        }
    }

    #[inline(always)]
    fn next(&mut self) -> u64 {
        let l = self.limbs.next().copied().unwrap_or(0);
        if !self.negative {
            return l;
        }
        let (sum, over) = (!l).overflowing_add(u64::from(self.carry));
        self.carry = over;
        sum
    }
}

/// `out = a op b` for an operation on the bits of numbers in two's complement, given with their signs; gives the
/// result's sign. `out` has one limb more than the longer one.
pub fn bitwise(
    out: &mut [u64],
    a: (bool, &[u64]),
    b: (bool, &[u64]),
    op: impl Fn(u64, u64) -> u64,
) -> bool {
    let (mut x, mut y) = (Complement::new(a.0, a.1), Complement::new(b.0, b.1));
    for o in out.iter_mut() {
        *o = op(x.next(), y.next());
    }
    let negative = out.last().is_some_and(|&top| top >> 63 == 1);
    if negative {
        out.iter_mut().for_each(|o| *o = !*o);
        increment(out);
    }
    negative
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::{BigInt, BigUint, Sign};

    /// Numbers whose limbs are often all ones or zeros, where carries go far.
    struct Numbers(u64);

    impl Numbers {
        fn word(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn limbs(&mut self) -> Vec<u64> {
            let len = (self.word() % 7) as usize;
            let mut all: Vec<u64> = (0..len)
                .map(|_| match self.word() % 5 {
                    0 => 0,
                    1 => u64::MAX,
                    2 => 1 << 63,
                    3 => self.word() % 4,
                    _ => self.word(),
                })
                .collect();
            all.truncate(trim(&all).len());
            all
        }
    }

    fn uint(a: &[u64]) -> BigUint {
        BigUint::new(
            a.iter()
                .flat_map(|&l| [l as u32, (l >> 32) as u32])
                .collect(),
        )
    }

    fn int(a: (bool, &[u64])) -> BigInt {
        BigInt::from_biguint(if a.0 { Sign::Minus } else { Sign::Plus }, uint(a.1))
    }

    #[test]
    fn the_same_as_a_proven_library() {
        let mut n = Numbers(0x1234_5678_9abc_def1);
        for _ in 0..20_000 {
            let (a, b) = (n.limbs(), n.limbs());
            let (x, y) = (uint(&a), uint(&b));
            assert_eq!(compare(&a, &b), x.cmp(&y));
            assert_eq!(bits(&a), x.bits());

            let mut out = vec![MaybeUninit::uninit(); a.len().max(b.len()) + 1];
            assert_eq!(uint(add(&mut out, &a, &b)), &x + &y);

            let (big, little) = if x < y { (&b, &a) } else { (&a, &b) };
            let mut out = vec![MaybeUninit::uninit(); big.len()];
            assert_eq!(uint(sub(&mut out, big, little)), uint(big) - uint(little));

            let mut out = vec![MaybeUninit::uninit(); a.len() + b.len()];
            assert_eq!(uint(mul(&mut out, &a, &b)), &x * &y);

            let by = (n.word() % 200) as usize;
            let mut out = vec![7; a.len() + by / 64 + 1];
            shl(&mut out, &a, by);
            assert_eq!(uint(&out), &x << by);
            if by / 64 < a.len() {
                let mut out = vec![7; a.len() - by / 64];
                let lost = shr(&mut out, &a, by);
                assert_eq!(uint(&out), &x >> by);
                assert_eq!(lost, (&x >> by << by) != x);
            }

            match b[..] {
                [] => {}
                [d] => {
                    let mut out = vec![7; a.len()];
                    let rest = div_small(&mut out, &a, d);
                    assert_eq!((uint(&out), BigUint::from(rest)), (&x / d, &x % d));
                    assert_eq!(div_small(&mut [], &a, d), rest);
                }
                _ if a.len() >= b.len() => {
                    let mut rest = a.clone();
                    rest.push(0);
                    let mut out = vec![7; a.len() - b.len() + 1];
                    div(&mut out, &mut rest, &b);
                    assert_eq!((uint(&out), uint(&rest)), (&x / &y, &x % &y));
                }
                _ => {}
            }

            let (a, b) = ((n.word() & 1 == 1, &a[..]), (n.word() & 1 == 1, &b[..]));
            let (x, y) = (int(a), int(b));
            let mut out = vec![7; a.1.len().max(b.1.len()) + 1];
            let sign = bitwise(&mut out, a, b, |p, q| p & q);
            assert_eq!(int((sign, &out)), &x & &y);
            let sign = bitwise(&mut out, a, b, |p, q| p | q);
            assert_eq!(int((sign, &out)), &x | &y);
            let sign = bitwise(&mut out, a, b, |p, q| p ^ q);
            assert_eq!(int((sign, &out)), x ^ y);
        }
    }
}
