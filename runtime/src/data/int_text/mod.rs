//! Integers as text, in bases 2 to 36.

mod digits;

pub use digits::{FromText, ToText};

use crate::budget::{self, Budget};
use crate::data::arith::max_bits;
use crate::data::bignum;
use crate::heap::Heap;
use crate::term::{MAX_SMALL, Term};
use num_bigint::{BigInt, Sign};
use std::task::Poll;

const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Room for a sign and the digits of any 64-bit number.
const ROOM: usize = 65;

/// Integers of up to so many limbs are written, and texts of up to so many digits are read, at once.
const SHORT_LIMBS: usize = 32;
const SHORT_DIGITS: usize = 256;

/// Room for a sign and the decimal digits of so many limbs.
const SHORT_TEXT: usize = 20 * SHORT_LIMBS + 1;

/// The text of an integer, lent to `use_text`; nothing if `t` is no integer, or such a long one that it is worth while
/// to work on it in steps.
#[inline]
pub fn with_text<R>(t: Term, base: u32, use_text: impl FnOnce(&[u8]) -> R) -> Option<R> {
    if let Some(n) = t.as_small() {
        if base == 10 {
            return Some(use_text(itoa::Buffer::new().format(n).as_bytes()));
        }
        let mut buf = [0u8; ROOM];
        let from = write(n, u64::from(base), &mut buf);
        return Some(use_text(&buf[from..]));
    }
    with_text_of_big(t, base, use_text)
}

#[inline(never)]
fn with_text_of_big<R>(t: Term, base: u32, use_text: impl FnOnce(&[u8]) -> R) -> Option<R> {
    if !t.is_big() || t.header().words() > SHORT_LIMBS || !budget::at_once(0) {
        return None;
    }
    let (mut buf, mut whole) = ([0], Budget::of(usize::MAX));
    let (negative, limbs) = bignum::limbs(t, &mut buf);
    if base == 10 {
        let mut text = [0; SHORT_TEXT];
        let from = digits::write_decimal(negative, limbs, &mut text);
        return Some(use_text(&text[from..]));
    }
    match ToText::new(negative, limbs, base).go_on(&mut whole) {
        Poll::Ready(text) => Some(use_text(&text)),
        Poll::Pending => None,
    }
}

/// Writes at the end of `buf`; gives where the text begins.
fn write(n: i64, base: u64, buf: &mut [u8; ROOM]) -> usize {
    let mut rest = n.unsigned_abs();
    let mut at = ROOM;
    let mut put = |digit: u64| {
        at -= 1;
        buf[at] = DIGITS[digit as usize];
    };
    if base.is_power_of_two() {
        let bits = base.ilog2();
        while {
            put(rest & (base - 1));
            rest >>= bits;
            rest != 0
        } {}
    } else {
        while {
            put(rest % base);
            rest /= base;
            rest != 0
        } {}
    }
    if n < 0 {
        at -= 1;
        buf[at] = b'-';
    }
    at
}

/// No digit.
const NO_DIGIT: u8 = u8::MAX;

/// The values of bytes as digits.
static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut v = 0;
    while v < 36 {
        values[DIGITS[v] as usize] = v as u8;
        values[DIGITS[v].to_ascii_lowercase() as usize] = v as u8;
        v += 1;
    }
    values
};

/// The value of a digit in a base.
#[inline]
pub fn digit(byte: u8, base: u32) -> Option<u8> {
    let v = VALUES[byte as usize];
    (u32::from(v) < base).then_some(v)
}

/// By base: so many digits are always a small integer.
static SMALL_DIGITS: [u8; 37] = {
    let mut most = [0; 37];
    let mut base = 2;
    while base <= 36 {
        let (mut power, mut n) = (1u64, 0);
        while power <= MAX_SMALL as u64 / base {
            power *= base;
            n += 1;
        }
        most[base as usize] = n;
        base += 1;
    }
    most
};

/// How many digits of a base are always a small integer, with a sign or without.
#[inline]
pub fn small_digits(base: u32) -> usize {
    usize::from(SMALL_DIGITS[base as usize])
}

/// Why a text gave no integer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoInteger {
    /// It is not written as one.
    Malformed,
    /// It is larger than integers can be.
    TooLarge,
}

/// The small integer that all of the text says, if it is one of few digits.
#[inline]
pub fn parse_few(text: &[u8], base: u32) -> Option<Term> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > small_digits(base) {
        return None;
    }
    let mut n = 0i64;
    if base == 10 {
        for d in digits {
            let d = d.wrapping_sub(b'0');
            if d > 9 {
                return None;
            }
            n = n * 10 + i64::from(d);
        }
    } else {
        for &d in digits {
            n = n * i64::from(base) + i64::from(digit(d, base)?);
        }
    }
    Some(Term::small(if negative { -n } else { n }))
}

/// The integer that all of the text says: digits after perhaps a sign.
pub fn parse(text: &[u8], base: u32, heap: &mut Heap) -> Result<ParsedInteger, NoInteger> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return Err(NoInteger::Malformed);
    }
    if digits.len() <= small_digits(base) {
        let small = parse_few(text, base).ok_or(NoInteger::Malformed)?;
        return Ok(ParsedInteger::Integer(small));
    }
    parse_long(negative, digits, base, heap)
}

/// The integer of many digits.
fn parse_long(
    negative: bool,
    digits: &[u8],
    base: u32,
    heap: &mut Heap,
) -> Result<ParsedInteger, NoInteger> {
    if !digits.iter().all(|&d| digit(d, base).is_some()) {
        return Err(NoInteger::Malformed);
    }
    let zeros = digits.iter().take_while(|&&d| d == b'0').count();
    let digits = &digits[zeros..];
    // One bit less a digit than the base has is a lower bound of the result's size.
    let least_bits = (digits.len() as u64).saturating_sub(1) * u64::from(base.ilog2());
    if least_bits > max_bits() {
        return Err(NoInteger::TooLarge);
    }
    let mut long = Long {
        negative,
        text: FromText::new(digits.to_vec(), base),
    };
    if digits.len() <= SHORT_DIGITS
        && budget::at_once(0)
        && let Poll::Ready(n) = long.go_on(heap, &mut Budget::of(usize::MAX))?
    {
        return Ok(ParsedInteger::Integer(n));
    }
    Ok(ParsedInteger::Long(long))
}

/// What was read of an integer's text.
pub enum ParsedInteger {
    /// The integer.
    Integer(Term),
    /// An integer that is worth while to be worked on in steps.
    Long(Long),
}

/// A long integer that is being read.
pub struct Long {
    negative: bool,
    text: FromText,
}

impl Long {
    /// Goes on to the integer.
    pub fn go_on(&mut self, heap: &mut Heap, budget: &mut Budget) -> Result<Poll<Term>, NoInteger> {
        let Poll::Ready(n) = self.text.go_on(budget) else {
            return Ok(Poll::Pending);
        };
        if n.bits() > max_bits() {
            return Err(NoInteger::TooLarge);
        }
        let sign = if self.negative {
            Sign::Minus
        } else {
            Sign::Plus
        };
        let n = BigInt::from_biguint(sign, n);
        Ok(Poll::Ready(bignum::from_bigint(&n, heap)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8], base: u32, heap: &mut Heap) -> Result<Term, NoInteger> {
        match super::parse(text, base, heap)? {
            ParsedInteger::Integer(n) => Ok(n),
            ParsedInteger::Long(mut long) => loop {
                if let Poll::Ready(n) = long.go_on(heap, &mut Budget::of(1))? {
                    return Ok(n);
                }
            },
        }
    }

    fn text(t: Term, base: u32) -> String {
        let owned = |s: &[u8]| String::from_utf8_lossy(s).into_owned();
        with_text(t, base, owned).unwrap_or_else(|| {
            let mut buf = [0];
            let (negative, limbs) = bignum::limbs(t, &mut buf);
            let mut text = ToText::new(negative, limbs, base);
            loop {
                if let Poll::Ready(s) = text.go_on(&mut Budget::of(1)) {
                    return owned(&s);
                }
            }
        })
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
