//! Which number a term may be.

use crate::ir::Arith;
use enigma_runtime::term::{MAX_SMALL, MIN_SMALL, Term};

/// What a term may be, as far as arithmetic asks, and between which bounds a small integer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Number {
    kinds: u8,
    low: i64,
    high: i64,
}

impl Number {
    /// A small integer.
    pub const SMALL: u8 = 1;
    /// Another integer.
    pub const BIG: u8 = 2;
    /// A float.
    pub const FLOAT: u8 = 4;
    /// No number.
    pub const OTHER: u8 = 8;
    /// No value: what something gives that has failed.
    pub const NONE: u8 = 16;

    /// Nothing is known.
    pub const ANY: Number = Number::of(31);

    /// One of these kinds.
    pub const fn of(kinds: u8) -> Number {
        Number {
            kinds,
            low: MIN_SMALL,
            high: MAX_SMALL,
        }
    }

    /// A small integer between bounds.
    pub fn small(low: i64, high: i64) -> Number {
        Number {
            kinds: Number::SMALL,
            low: low.max(MIN_SMALL),
            high: high.min(MAX_SMALL),
        }
    }

    /// What a constant is.
    pub fn of_constant(word: u64) -> Number {
        match Term::immediate(word) {
            Some(t) if t.is_small() => Number::small(t.small_value(), t.small_value()),
            Some(t) if t.is_flonum() => Number::of(Number::FLOAT),
            Some(_) => Number::of(Number::OTHER),
            None => Number::of(!Number::NONE & 31),
        }
    }

    /// Is it certainly of these kinds?
    pub fn is(self, kinds: u8) -> bool {
        self.kinds & !kinds == 0
    }

    /// Is it perhaps of these kinds?
    pub fn may_be(self, kinds: u8) -> bool {
        self.kinds & kinds != 0
    }

    /// The bounds, if it is certainly a small integer.
    pub fn bounds(self) -> Option<(i64, i64)> {
        self.is(Number::SMALL).then_some((self.low, self.high))
    }

    /// The small integer that it is, if only one is possible.
    pub fn value(self) -> Option<i64> {
        self.bounds().filter(|b| b.0 == b.1).map(|b| b.0)
    }

    /// One or the other.
    pub fn or(self, other: Number) -> Number {
        if !self.may_be(Number::SMALL) {
            return Number {
                kinds: self.kinds | other.kinds,
                ..other
            };
        }
        if !other.may_be(Number::SMALL) {
            return Number {
                kinds: self.kinds | other.kinds,
                ..self
            };
        }
        Number {
            kinds: self.kinds | other.kinds,
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// Both at once. Where that is not possible, which is where no way leads, the first one.
    pub fn and(self, other: Number) -> Number {
        let both = Number {
            kinds: self.kinds & other.kinds,
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        };
        let possible = both.kinds != 0 && (both.kinds != Number::SMALL || both.low <= both.high);
        if possible && both.low <= both.high {
            both
        } else {
            self
        }
    }

    /// The same but for these kinds.
    pub fn but(self, kinds: u8) -> Number {
        match self.kinds & !kinds {
            0 => self,
            kinds => Number { kinds, ..self },
        }
    }

    /// The result of arithmetic, where there is one.
    pub fn arith(how: Arith, a: Number, b: Number) -> Number {
        if let Some((low, high)) = result_bounds(how, a, b) {
            let fits = low >= i128::from(MIN_SMALL) && high <= i128::from(MAX_SMALL);
            if fits {
                return Number::small(low as i64, high as i64);
            }
        }
        match how {
            Arith::Band => {
                // A mask that is not negative bounds what comes out, whatever it is applied to.
                let masks = [a, b].into_iter().filter_map(Number::bounds);
                match masks.filter(|b| b.0 >= 0).map(|b| b.1).min() {
                    Some(most) => Number::small(0, most),
                    None => Number::of(Number::SMALL | Number::BIG),
                }
            }
            Arith::Rem if b.bounds().is_some() => {
                let most = b.low.unsigned_abs().max(b.high.unsigned_abs()).max(1) as i64;
                Number::small(1 - most, most - 1)
            }
            Arith::Add | Arith::Sub | Arith::Mul => {
                let ints = Number::SMALL | Number::BIG;
                if a.is(Number::FLOAT) || b.is(Number::FLOAT) {
                    Number::of(Number::FLOAT)
                } else if a.is(ints) && b.is(ints) {
                    Number::of(ints)
                } else {
                    Number::of(ints | Number::FLOAT)
                }
            }
            _ => Number::of(Number::SMALL | Number::BIG),
        }
    }

    /// The result of arithmetic, where that is a small integer.
    pub fn small_arith(how: Arith, a: Number, b: Number) -> Number {
        match result_bounds(how, a, b) {
            Some((low, high)) => {
                let least = i128::from(MIN_SMALL)..=i128::from(MAX_SMALL);
                let clamp = |n: i128| n.clamp(*least.start(), *least.end()) as i64;
                Number::small(clamp(low), clamp(high))
            }
            None => Number::of(Number::SMALL),
        }
    }

    /// Is there a result, a small integer, whatever the operands are?
    pub fn is_plain(how: Arith, a: Number, b: Number) -> bool {
        let small = |n: i128| (i128::from(MIN_SMALL)..=i128::from(MAX_SMALL)).contains(&n);
        result_bounds(how, a, b).is_some_and(|(low, high)| small(low) && small(high))
    }
}

/// Bounds of the result, where both operands are small integers and it is certain that there is one.
fn result_bounds(how: Arith, a: Number, b: Number) -> Option<(i128, i128)> {
    let (a, b) = (a.bounds()?, b.bounds()?);
    let wide = |p: (i64, i64)| (i128::from(p.0), i128::from(p.1));
    let ((al, ah), (bl, bh)) = (wide(a), wide(b));
    let corners = |f: fn(i128, i128) -> i128| {
        let all = [f(al, bl), f(al, bh), f(ah, bl), f(ah, bh)];
        let (first, rest) = (all[0], &all[1..]);
        let low = rest.iter().fold(first, |m, &n| m.min(n));
        let high = rest.iter().fold(first, |m, &n| m.max(n));
        (low, high)
    };
    // The least number of the form 2^n - 1 that is not less.
    let filled = |n: i128| (n as u128 + 1).next_power_of_two() as i128 - 1;
    let positive = al >= 0 && bl >= 0;
    let any = (i128::from(MIN_SMALL), i128::from(MAX_SMALL));
    Some(match how {
        Arith::Add => (al + bl, ah + bh),
        Arith::Sub => (al - bh, ah - bl),
        Arith::Mul => corners(|x, y| x * y),
        Arith::Div if bl > 0 || bh < 0 => corners(|x, y| x / y),
        Arith::Rem if bl > 0 || bh < 0 => {
            let most = bl.abs().max(bh.abs()) - 1;
            (al.max(-most).min(0), ah.min(most).max(0))
        }
        Arith::Div | Arith::Rem => return None,
        Arith::Band if positive => (0, ah.min(bh)),
        Arith::Band if al >= 0 => (0, ah),
        Arith::Band if bl >= 0 => (0, bh),
        Arith::Bor if positive => (al.max(bl), filled(ah.max(bh))),
        Arith::Bxor if positive => (0, filled(ah.max(bh))),
        Arith::Band | Arith::Bor | Arith::Bxor => any,
        Arith::Bsl if bl == bh && (0..=60).contains(&bl) => (al << bl, ah << bl),
        Arith::Bsr if bl >= 0 && bh <= 63 => {
            let low = if al < 0 { al >> bl } else { al >> bh };
            let high = if ah < 0 { ah >> bh } else { ah >> bl };
            (low, high)
        }
        Arith::Bsl | Arith::Bsr => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_for_all_operands() {
        let ranges: Vec<(i64, i64)> = (-5..=5)
            .flat_map(|low| (low..=5).map(move |high| (low, high)))
            .collect();
        let all = [
            Arith::Add,
            Arith::Sub,
            Arith::Mul,
            Arith::Div,
            Arith::Rem,
            Arith::Band,
            Arith::Bor,
            Arith::Bxor,
            Arith::Bsl,
            Arith::Bsr,
        ];
        for how in all {
            for &a in &ranges {
                for &b in &ranges {
                    let (x, y) = (Number::small(a.0, a.1), Number::small(b.0, b.1));
                    let Some((low, high)) = result_bounds(how, x, y) else {
                        continue;
                    };
                    for m in a.0..=a.1 {
                        for n in b.0..=b.1 {
                            let r = i128::from(match how {
                                Arith::Add => m + n,
                                Arith::Sub => m - n,
                                Arith::Mul => m * n,
                                Arith::Div => m / n,
                                Arith::Rem => m % n,
                                Arith::Band => m & n,
                                Arith::Bor => m | n,
                                Arith::Bxor => m ^ n,
                                Arith::Bsl => m << n,
                                Arith::Bsr => m >> n,
                            });
                            assert!(low <= r && r <= high, "{how:?} {m} {n}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn joined_and_narrowed() {
        let float = Number::of(Number::FLOAT);
        let small = Number::small(2, 5);
        assert_eq!(float.or(small).and(Number::of(Number::SMALL)), small);
        assert_eq!(small.or(Number::small(9, 9)), Number::small(2, 9));
        assert_eq!(small.and(Number::small(7, 9)), small);
        assert!(!Number::ANY.but(Number::NONE).may_be(Number::NONE));
    }
}
