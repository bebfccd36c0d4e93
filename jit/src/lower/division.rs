//! Division of small integers by constants, without an instruction that divides.
//!
//! A quotient is the upper half of a product with a number a little above the divisor's reciprocal, scaled by a power of two
//! (Granlund and Montgomery, "Division by Invariant Integers using Multiplication"). Small integers have 61 bits, so the
//! scaled reciprocal always fits into a signed word and needs no correction.

use super::Lowering;
use crate::ir::Arith;
use cranelift_codegen::ir::{InstBuilder, Value};
use enigma_runtime::term::TAG_BITS;

/// How a quotient is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Method {
    /// The divisor is 1.
    Same,
    /// It is this power of two.
    Shift(u32),
    /// The upper word of the product with the first number, shifted to the right by the second one.
    Multiply(i64, u32),
}

impl Method {
    /// For tagged dividends and this divisor, which is not 0, without its sign.
    fn of(divisor: u64) -> Method {
        if divisor == 1 {
            Method::Same
        } else if divisor.is_power_of_two() {
            Method::Shift(divisor.trailing_zeros())
        } else {
            // The smallest power of two above it. The reciprocal is too large by less than one part in 2^62, and dividends are less
            // than that: so the quotient is too large by less than what lacks it to the next whole number.
            let bits = u64::BITS - divisor.leading_zeros();
            let reciprocal = (1u128 << (62 + bits)) / u128::from(divisor) + 1;
            Method::Multiply(reciprocal as i64, bits - 2 + TAG_BITS)
        }
    }
}

impl Lowering<'_> {
    /// The quotient or remainder of a small integer and a constant, which is neither 0 nor -1.
    pub(super) fn by_constant(&mut self, how: Arith, x: Value, divisor: i64) -> Value {
        let tag_bits = i64::from(TAG_BITS);
        let method = Method::of(divisor.unsigned_abs());
        if how == Arith::Rem {
            return match method {
                Method::Same => self.word(0),
                Method::Shift(k) => {
                    let biased = self.towards_zero(x, k);
                    let whole = self
                        .b
                        .ins()
                        .band_imm_s(biased, -1 << (i64::from(k) + tag_bits));
                    self.b.ins().isub(x, whole)
                }
                Method::Multiply(..) => {
                    let q = self.quotient(x, method);
                    let whole = self
                        .b
                        .ins()
                        .imul_imm_s(q, (divisor.unsigned_abs() << TAG_BITS) as i64);
                    self.b.ins().isub(x, whole)
                }
            };
        }
        let q = self.quotient(x, method);
        let q = match divisor < 0 {
            true => self.b.ins().ineg(q),
            false => q,
        };
        self.b.ins().ishl_imm_u(q, tag_bits)
    }

    /// The quotient, without a tag.
    fn quotient(&mut self, x: Value, method: Method) -> Value {
        match method {
            Method::Same => self.b.ins().sshr_imm_u(x, i64::from(TAG_BITS)),
            Method::Shift(k) => {
                let biased = self.towards_zero(x, k);
                self.b.ins().sshr_imm_u(biased, i64::from(k + TAG_BITS))
            }
            Method::Multiply(reciprocal, shift) => {
                let reciprocal = self.word(reciprocal as u64);
                let upper = self.b.ins().smulhi(x, reciprocal);
                let floor = self.b.ins().sshr_imm_u(upper, i64::from(shift));
                let minus = self.b.ins().sshr_imm_u(x, 63);
                self.b.ins().isub(floor, minus)
            }
        }
    }

    /// A small integer for whose shift to the right by `k` bits the quotient towards zero is found.
    fn towards_zero(&mut self, x: Value, k: u32) -> Value {
        let minus = self.b.ins().sshr_imm_u(x, 63);
        let bias = self.b.ins().ushr_imm_u(minus, i64::from(64 - k - TAG_BITS));
        self.b.ins().iadd(x, bias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the instructions compute.
    fn divided(x: i64, divisor: u64) -> i64 {
        let tagged = x << TAG_BITS;
        let minus = tagged >> 63;
        match Method::of(divisor) {
            Method::Same => tagged >> TAG_BITS,
            Method::Shift(k) => {
                let bias = (minus as u64 >> (64 - k - TAG_BITS)) as i64;
                (tagged + bias) >> (k + TAG_BITS)
            }
            Method::Multiply(reciprocal, shift) => {
                let product = i128::from(tagged) * i128::from(reciprocal);
                ((product >> 64) as i64 >> shift) - minus
            }
        }
    }

    #[test]
    fn quotients_are_exact() {
        let least = -1i64 << 60;
        let edges = (0..60).flat_map(|n| [-1i64, 0, 1].map(|d| (1i64 << n) + d));
        let dividends: Vec<i64> = edges
            .clone()
            .flat_map(|n| [n, -n])
            .chain([least, !least])
            .collect();
        let divisors = edges
            .chain([3, 5, 7, 10, 1_000_003, !least])
            .filter(|d| *d > 0);
        for d in divisors {
            for &x in &dividends {
                let near = (x / d).saturating_mul(d);
                for x in [x, near - 1, near, near + 1] {
                    if (least..=!least).contains(&x) {
                        assert_eq!(divided(x, d as u64), x / d, "{x} by {d}");
                    }
                }
            }
        }
        assert_eq!(divided(least, 1 << 60), -1);
    }
}
