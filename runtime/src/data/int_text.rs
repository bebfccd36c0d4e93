//! Integers as text, in bases 2 to 36.

use crate::data::bignum;
use crate::heap::Heap;
use crate::term::Term;
use num_bigint::{BigInt, BigUint, Sign};

const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Room for a sign and the digits of any 64-bit number.
const ROOM: usize = 65;

/// The text of an integer, lent to `use_text`; nothing if `t` is no integer.
pub fn with_text<R>(t: Term, base: u32, use_text: impl FnOnce(&[u8]) -> R) -> Option<R> {
    if let Some(n) = t.as_small() {
        let mut buf = [0u8; ROOM];
        let from = write(n, u64::from(base), &mut buf);
        return Some(use_text(&buf[from..]));
    }
    let n = bignum::to_bigint(t)?;
    let mut text = n.to_str_radix(base);
    text.make_ascii_uppercase();
    Some(use_text(text.as_bytes()))
}

/// Writes at the end of `buf`; gives where the text begins.
fn write(n: i64, base: u64, buf: &mut [u8; ROOM]) -> usize {
    let mut rest = n.unsigned_abs();
    let mut at = ROOM;
    loop {
        at -= 1;
        buf[at] = DIGITS[(rest % base) as usize];
        rest /= base;
        if rest == 0 {
            break;
        }
    }
    if n < 0 {
        at -= 1;
        buf[at] = b'-';
    }
    at
}

/// The value of a digit in a base.
#[inline]
pub fn digit(byte: u8, base: u32) -> Option<u8> {
    let v = match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'z' => byte - b'a' + 10,
        b'A'..=b'Z' => byte - b'A' + 10,
        _ => return None,
    };
    (u32::from(v) < base).then_some(v)
}

/// Why a text gave no integer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoInteger {
    /// It is not written as one.
    Malformed,
    /// It is larger than integers can be.
    TooLarge,
}

/// The integer that all of the text says: digits after perhaps a sign.
pub fn parse(text: &[u8], base: u32, heap: &mut Heap) -> Result<Term, NoInteger> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return Err(NoInteger::Malformed);
    }
    let mut values = Vec::new();
    if digits.len() <= 11 {
        // Eleven digits of base 36 stay below 2^60.
        let mut n = 0i64;
        for &d in digits {
            n = n * i64::from(base) + i64::from(digit(d, base).ok_or(NoInteger::Malformed)?);
        }
        return Ok(Term::small(if negative { -n } else { n }));
    }
    values.reserve_exact(digits.len());
    for &d in digits {
        values.push(digit(d, base).ok_or(NoInteger::Malformed)?);
    }
    from_digits(negative, &values, base, heap)
}

/// The integer of sign and digits' values.
fn from_digits(
    negative: bool,
    values: &[u8],
    base: u32,
    heap: &mut Heap,
) -> Result<Term, NoInteger> {
    let zeros = values.iter().take_while(|&&v| v == 0).count();
    let values = &values[zeros..];
    // One bit less a digit than the base has is a lower bound of the result's size.
    let least_bits = (values.len() as u64).saturating_sub(1) * u64::from(base.ilog2());
    if least_bits > crate::data::arith::max_bits() {
        return Err(NoInteger::TooLarge);
    }
    let n = magnitude(values, base);
    if n.bits() > crate::data::arith::max_bits() {
        return Err(NoInteger::TooLarge);
    }
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    Ok(bignum::from_bigint(&BigInt::from_biguint(sign, n), heap))
}

/// Longer texts are split, so that fast multiplication does most of the work.
const SPLIT: usize = 2000;

fn magnitude(values: &[u8], base: u32) -> BigUint {
    if values.len() <= SPLIT || base.is_power_of_two() {
        return BigUint::from_radix_be(values, base).unwrap_or_default();
    }
    let low = values.len() / 2;
    let (high, rest) = values.split_at(values.len() - low);
    magnitude(high, base) * BigUint::from(base).pow(low as u32) + magnitude(rest, base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(t: Term, base: u32) -> String {
        with_text(t, base, |s| String::from_utf8_lossy(s).into_owned()).unwrap_or_default()
    }

    #[test]
    fn reads_what_it_writes() {
        let mut heap = Heap::new();
        for s in [
            "0",
            "-1",
            "1152921504606846976",
            "-123456789012345678901234567890",
            "99999999999",
        ] {
            let t = parse(s.as_bytes(), 10, &mut heap);
            assert_eq!(t.map(|t| text(t, 10)), Ok(s.to_string()));
        }
        let t = parse(b"-zZaaaaaaaaaaaaaaaaaaaaaaa", 36, &mut heap).map(|t| text(t, 10));
        assert_eq!(t.as_deref(), Ok("-807835796161046708316947393886619772050"));
        let long = "7".repeat(10_001);
        assert_eq!(
            parse(long.as_bytes(), 10, &mut heap).map(|t| text(t, 10)),
            Ok(long)
        );
        assert_eq!(text(Term::small(-255), 16), "-FF");
        assert_eq!(text(Term::small(crate::term::MIN_SMALL), 2).len(), 62);
    }

    #[test]
    fn refuses_what_is_none() {
        let mut heap = Heap::new();
        for s in ["", "+", "-", "1_0", " 1", "1 ", "12345678901234567890x"] {
            assert_eq!(
                parse(s.as_bytes(), 10, &mut heap).err(),
                Some(NoInteger::Malformed),
                "{s}"
            );
        }
        let long = "9".repeat(2_000_000);
        assert_eq!(
            parse(long.as_bytes(), 10, &mut heap).err(),
            Some(NoInteger::TooLarge)
        );
    }
}
