//! Long integers to digits and back, in steps, by splitting in halves: all work is products of numbers of the same
//! length, which `num_bigint` makes in less than quadratic time.

use super::{DIGITS, digit};
use crate::budget::Budget;
use crate::data::bignum;
use crate::limbs;
use num_bigint::BigUint;
use num_traits::One;
use smallvec::SmallVec;
use std::task::Poll;

/// The largest power of a base that fits a limb, and its exponent.
fn limb_power(base: u32) -> (u64, usize) {
    let (mut power, mut n) = (u64::from(base), 1);
    while let Some(next) = power.checked_mul(u64::from(base)) {
        power = next;
        n += 1;
    }
    (power, n)
}

/// Units of work that a product of numbers of so many bits costs, or a few of them.
fn cost(bits: u64) -> usize {
    let limbs = bits as usize / 64 + 1;
    limbs * limbs.isqrt() / 4 + 8
}

/// A power of the base by which numbers below its square are divided.
struct Power {
    value: BigUint,
    bits: u64,
    digits: usize,
    /// `2^(2 * bits) / value`, rounded down.
    inverse: BigUint,
}

/// Up to so many bits a quotient is found directly.
const DIRECT: u64 = 4096;

/// `2^(2 * bits) / d`, rounded down, for a number of so many bits: by Newton's iteration from the upper half on.
fn inverse(d: &BigUint, bits: u64) -> BigUint {
    let whole = BigUint::one() << (2 * bits);
    if bits <= DIRECT {
        return whole / d;
    }
    let half = bits / 2 + 2;
    let dropped = bits - half;
    let x = inverse(&(d >> dropped), half) << dropped;
    let correction = (&x * &x * d) >> (2 * bits);
    let mut x = (x << 1u32) - correction;
    let mut product = &x * d;
    while product > whole {
        x -= 1u32;
        product -= d;
    }
    while &product + d <= whole {
        x += 1u32;
        product += d;
    }
    x
}

impl Power {
    fn new(value: BigUint, digits: usize) -> Power {
        let bits = value.bits();
        Power {
            inverse: inverse(&value, bits),
            value,
            bits,
            digits,
        }
    }

    /// Quotient and remainder of a number below the square (Barrett's reduction).
    fn divide(&self, n: &BigUint) -> (BigUint, BigUint) {
        let mut q = ((n >> (self.bits - 1)) * &self.inverse) >> (self.bits + 1);
        let mut r = n - &q * &self.value;
        while r >= self.value {
            r -= &self.value;
            q += 1u32;
        }
        (q, r)
    }
}

/// Writes a number of not many limbs in base 10 at the end of `text`, which has room for it. Gives where it begins.
pub(super) fn write_decimal<const ROOM: usize>(
    negative: bool,
    magnitude: &[u64],
    text: &mut [u8; ROOM],
) -> usize {
    const LIMB: u64 = 10u64.pow(PER_LIMB as u32);
    const PER_LIMB: usize = 19;
    let mut rest: SmallVec<[u64; 32]> = SmallVec::from_slice(magnitude);
    let mut quotient = rest.clone();
    let mut at = text.len();
    let mut digits = itoa::Buffer::new();
    let mut len = limbs::trim(&rest).len();
    loop {
        let group = limbs::div_small(&mut quotient[..len], &rest[..len], LIMB);
        std::mem::swap(&mut rest, &mut quotient);
        len = limbs::trim(&rest[..len]).len();
        let digits = digits.format(group).as_bytes();
        at -= digits.len();
        text[at..at + digits.len()].copy_from_slice(digits);
        if len == 0 {
            break;
        }
        let zeros = PER_LIMB - digits.len();
        at -= zeros;
        text[at..at + zeros].fill(b'0');
    }
    if negative {
        at -= 1;
        text[at] = b'-';
    }
    at
}

/// Digits of a number that is not divided into halves.
const LEAF_LIMBS: usize = 24;

/// An integer that becomes text.
pub struct ToText {
    base: u32,
    powers: Vec<Power>,
    /// Are there as many powers as are needed?
    prepared: bool,
    /// Numbers still to be written, the next one last, with the number of their powers.
    todo: Vec<(BigUint, usize)>,
    out: Vec<u8>,
}

impl ToText {
    /// Begins with sign and magnitude.
    pub fn new(negative: bool, magnitude: &[u64], base: u32) -> ToText {
        ToText {
            base,
            powers: Vec::new(),
            prepared: false,
            todo: vec![(bignum::to_biguint(magnitude), 0)],
            out: if negative { vec![b'-'] } else { Vec::new() },
        }
    }

    /// Goes on to the text.
    pub fn go_on(&mut self, budget: &mut Budget) -> Poll<Vec<u8>> {
        let (limb, per_limb) = limb_power(self.base);
        while !self.prepared {
            if budget.is_spent() {
                return Poll::Pending;
            }
            let next = match self.powers.last() {
                None => Power::new(
                    BigUint::from(limb).pow(LEAF_LIMBS as u32),
                    LEAF_LIMBS * per_limb,
                ),
                Some(p) => Power::new(&p.value * &p.value, 2 * p.digits),
            };
            budget.spend(8 * cost(next.bits));
            let n = &self.todo[0].0;
            // A number below the last power's square can be divided by it.
            if next.value > *n {
                self.prepared = true;
            } else {
                self.prepared = 2 * next.bits - 1 > n.bits();
                self.powers.push(next);
            }
            self.todo[0].1 = self.powers.len();
        }
        while let Some((n, level)) = self.todo.pop() {
            if budget.is_spent() {
                self.todo.push((n, level));
                return Poll::Pending;
            }
            if level == 0 {
                budget.spend(LEAF_LIMBS * LEAF_LIMBS);
                self.leaf(&n, limb, per_limb);
                continue;
            }
            let power = &self.powers[level - 1];
            budget.spend(3 * cost(power.bits));
            let (high, low) = power.divide(&n);
            self.todo.push((low, level - 1));
            self.todo.push((high, level - 1));
        }
        let sign = usize::from(self.out.first() == Some(&b'-'));
        let zeros = self.out[sign..].iter().take_while(|&&d| d == b'0').count();
        self.out.drain(sign..sign + zeros);
        if self.out.len() == sign {
            self.out.push(b'0');
        }
        Poll::Ready(std::mem::take(&mut self.out))
    }

    /// Writes all digits of a number that is not divided, leading zeros included.
    fn leaf(&mut self, n: &BigUint, limb: u64, per_limb: usize) {
        let from = self.out.len();
        self.out.resize(from + LEAF_LIMBS * per_limb, b'0');
        let mut n: Vec<u64> = n.iter_u64_digits().collect();
        let base = u64::from(self.base);
        for group in self.out[from..].rchunks_exact_mut(per_limb) {
            let len = limbs::trim(&n).len();
            if len == 0 {
                break;
            }
            n.truncate(len);
            let copy = n.clone();
            let mut rest = limbs::div_small(&mut n, &copy, limb);
            for d in group.iter_mut().rev() {
                *d = DIGITS[(rest % base) as usize];
                rest /= base;
            }
        }
    }
}

/// Digits that become an integer.
pub struct FromText {
    digits: Vec<u8>,
    base: u32,
    /// Numbers side by side, the upper one first; those of the next level.
    parts: Vec<BigUint>,
    joined: Vec<BigUint>,
    /// What a number is multiplied with before the one behind it is added.
    power: BigUint,
    /// Digits, or numbers, that are done.
    done: usize,
    begun: bool,
}

impl FromText {
    /// Begins with digits' characters, all of which are right.
    pub fn new(digits: Vec<u8>, base: u32) -> FromText {
        FromText {
            digits,
            base,
            parts: Vec::new(),
            joined: Vec::new(),
            power: BigUint::one(),
            done: 0,
            begun: false,
        }
    }

    /// Goes on to the magnitude.
    pub fn go_on(&mut self, budget: &mut Budget) -> Poll<BigUint> {
        let (limb, per_limb) = limb_power(self.base);
        while self.done < self.digits.len() && !self.begun {
            if budget.is_spent() {
                return Poll::Pending;
            }
            // The first group is shorter, so that all others are whole.
            let left = self.digits.len() - self.done;
            let n = match left % per_limb {
                0 => per_limb,
                n => n,
            };
            let group = &self.digits[self.done..self.done + n];
            let value = group.iter().fold(0u64, |v, &d| {
                v * u64::from(self.base) + u64::from(digit(d, self.base).unwrap_or(0))
            });
            self.parts.push(BigUint::from(value));
            self.done += n;
            budget.spend(n / 2 + 1);
        }
        if !self.begun {
            self.begun = true;
            self.done = 0;
            self.power = BigUint::from(limb);
        }
        while self.parts.len() > 1 {
            if budget.is_spent() {
                return Poll::Pending;
            }
            budget.spend(cost(self.power.bits()));
            // With an odd number of parts the uppermost is joined with nothing.
            if self.done == 0 && self.parts.len() % 2 == 1 {
                self.joined.push(std::mem::take(&mut self.parts[0]));
                self.done = 1;
                continue;
            }
            if self.done < self.parts.len() {
                let high = std::mem::take(&mut self.parts[self.done]);
                let low = &self.parts[self.done + 1];
                self.joined.push(high * &self.power + low);
                self.done += 2;
                continue;
            }
            self.parts = std::mem::take(&mut self.joined);
            self.done = 0;
            if self.parts.len() > 1 {
                budget.spend(cost(2 * self.power.bits()));
                self.power = &self.power * &self.power;
            }
        }
        Poll::Ready(self.parts.pop().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_steps(n: &BigUint, base: u32) -> String {
        let magnitude: Vec<u64> = n.iter_u64_digits().collect();
        let mut t = ToText::new(true, &magnitude, base);
        loop {
            if let Poll::Ready(text) = t.go_on(&mut Budget::of(1)) {
                return String::from_utf8(text).unwrap_or_default();
            }
        }
    }

    #[test]
    fn long_integers_both_ways() {
        let mut state = 88_172_645_463_325_252u64;
        let mut word = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u32
        };
        for len in [1, 2, 40, 96, 97, 300, 1000, 5000] {
            for base in [2u32, 3, 10, 16, 36] {
                let random = BigUint::new((0..len).map(|_| word()).collect());
                let power = BigUint::from(base).pow(32 * len / base.ilog2());
                for n in [random, &power - 1u32, power] {
                    let text = n.to_str_radix(base).to_ascii_uppercase();
                    assert_eq!(in_steps(&n, base), format!("-{text}"));
                    let mut f = FromText::new(text.into_bytes(), base);
                    let back = loop {
                        if let Poll::Ready(n) = f.go_on(&mut Budget::of(1)) {
                            break n;
                        }
                    };
                    assert_eq!(back, n);
                }
            }
        }
    }
}
