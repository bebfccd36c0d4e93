//! Floats as text.

/// The shortest text that reads back as the same float, in Erlang's notation: as plain decimal or with
/// an exponent, whichever is shorter, as `float_to_list(F, [short])` of OTP 25 and later writes it.
pub fn shortest(x: f64) -> String {
    if x == 0.0 {
        return if x.is_sign_negative() {
            "-0.0".into()
        } else {
            "0.0".into()
        };
    }
    let mut buffer = ryu::Buffer::new();
    let digits = Digits::of(buffer.format_finite(x.abs()));
    let (digits, exp) = digits.parts();
    let n = digits.len() as i32;
    let mut text = String::with_capacity(32);
    if x.is_sign_negative() {
        text.push('-');
    }
    let mut exponent = itoa::Buffer::new();
    let exponent = exponent.format(exp);
    let plain = match exp {
        ..0 => digits.len() + 1 + exp.unsigned_abs() as usize,
        _ => (exp as usize + 3).max(digits.len() + 1),
    };
    let with_exponent = digits.len().max(2) + 2 + exponent.len();
    // Integers of 2^53 and more are never written out: the digits would claim more than is known.
    if x.abs() >= 9_007_199_254_740_992.0 || plain > with_exponent {
        let (first, rest) = digits.split_at(1);
        text.extend([
            first,
            ".",
            if rest.is_empty() { "0" } else { rest },
            "e",
            exponent,
        ]);
        return text;
    }
    if exp < 0 {
        text.push_str("0.");
        text.extend((0..-exp - 1).map(|_| '0'));
        text.push_str(digits);
    } else if exp + 1 >= n {
        text.push_str(digits);
        text.extend((0..exp + 1 - n).map(|_| '0'));
        text.push_str(".0");
    } else {
        let (whole, fraction) = digits.split_at(exp as usize + 1);
        text.extend([whole, ".", fraction]);
    }
    text
}

/// The fewest digits that read back as the same float.
struct Digits {
    digits: [u8; 24],
    from: usize,
    to: usize,
    /// The power of ten that the first of `digits` stands for.
    exponent: i32,
}

impl Digits {
    /// Those of a text with digits, a point and perhaps an exponent.
    fn of(text: &str) -> Digits {
        let mut d = Digits {
            digits: [b'0'; 24],
            from: 0,
            to: 0,
            exponent: -1,
        };
        let (mut n, mut before_point) = (0, true);
        for (i, &b) in text.as_bytes().iter().enumerate() {
            match b {
                b'.' => before_point = false,
                b'e' => {
                    d.exponent += text[i + 1..].parse().unwrap_or(0);
                    break;
                }
                _ => {
                    d.exponent += i32::from(before_point);
                    if let Some(digit) = d.digits.get_mut(n) {
                        *digit = b;
                        n += 1;
                    }
                }
            }
        }
        let zeros = |b: &&u8| **b == b'0';
        d.from = d.digits[..n].iter().take_while(zeros).count();
        d.to = n - d.digits[..n].iter().rev().take_while(zeros).count();
        d
    }

    /// The digits, without zeros at either end, and the power of ten of the first one.
    fn parts(&self) -> (&str, i32) {
        let digits = self.digits.get(self.from..self.to).unwrap_or(b"0");
        let text = std::str::from_utf8(digits).unwrap_or("0");
        (text, self.exponent - self.from as i32)
    }
}

/// Digits after the point that `float_to_list/1` writes.
pub const DEFAULT_DECIMALS: usize = 20;

/// One digit, a point, `decimals` digits and an exponent of at least two digits.
pub fn scientific(x: f64, decimals: usize) -> String {
    let mut text = String::with_capacity(decimals + 8);
    let exponent = match medium_digits(x.abs(), decimals + 1) {
        Some((digits, exponent)) => {
            if x.is_sign_negative() {
                text.push('-');
            }
            text.extend(digits.iter().take(1).map(|&d| char::from(b'0' + d)));
            if decimals > 0 {
                text.push('.');
                text.extend(digits.iter().skip(1).map(|&d| char::from(b'0' + d)));
            }
            exponent
        }
        None => {
            let all = format!("{x:.decimals$e}");
            let (mantissa, exponent) = all.split_once('e').unwrap_or((&all, "0"));
            text.push_str(mantissa);
            exponent.parse().unwrap_or(0)
        }
    };
    text.push_str(if exponent < 0 { "e-" } else { "e+" });
    if exponent.abs() < 10 {
        text.push('0');
    }
    text.push_str(itoa::Buffer::new().format(exponent.unsigned_abs()));
    text
}

/// Most bits of a fraction of which `medium_digits` takes digits.
const FRACTION_BITS: i32 = 120;

/// So many digits of a number, the last one rounded, and the power of ten of the first one, where 128 bits are enough for
/// exact arithmetic: if it has a fraction, or could have, that is not too far from one, and no more digits before the point
/// than are wanted.
fn medium_digits(x: f64, count: usize) -> Option<(Vec<u8>, i32)> {
    let bits = x.to_bits();
    let biased = (bits >> 52) as i32;
    let fraction_bits = 1075 - biased;
    if biased == 0 || !(1..=FRACTION_BITS).contains(&fraction_bits) {
        return None;
    }
    let mantissa = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
    let one = 1u128 << fraction_bits;
    let (whole, mut fraction) = (mantissa >> fraction_bits, mantissa & (one - 1));
    let mut digits = Vec::with_capacity(count.max(20));
    let mut exponent = -1;
    if whole > 0 {
        let mut text = itoa::Buffer::new();
        digits.extend(text.format(whole as u64).bytes().map(|b| b - b'0'));
        if digits.len() > count {
            return None;
        }
        exponent = digits.len() as i32 - 1;
    }
    while digits.len() < count {
        fraction *= 10;
        let digit = (fraction >> fraction_bits) as u8;
        fraction &= one - 1;
        if digits.is_empty() && digit == 0 {
            exponent -= 1;
        } else {
            digits.push(digit);
        }
    }
    let half = one >> 1;
    let odd = digits.last().is_some_and(|d| d & 1 == 1);
    if fraction > half || fraction == half && odd {
        let nines = digits.iter().rev().take_while(|&&d| d == 9).count();
        let kept = count - nines;
        digits[kept..].fill(0);
        match kept.checked_sub(1) {
            Some(last) => digits[last] += 1,
            None => {
                digits[0] = 1;
                exponent += 1;
            }
        }
    }
    Some((digits, exponent))
}

/// Above this, and with more than `FAST_DECIMALS` decimals, the exact digits are written.
const FAST_MAX: f64 = 9_007_199_254_740_992.0;
const FAST_DECIMALS: usize = 18;

/// Powers of ten.
const POWERS: [f64; FAST_DECIMALS + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18,
];

/// `decimals` digits after the point; `compact` leaves out zeros at the end. Where it is fast enough the
/// fraction is rounded in floating point, as BEAM does, so the last digit is not always the exact one.
pub fn fixed(x: f64, decimals: usize, compact: bool) -> String {
    if x.abs() > FAST_MAX || decimals > FAST_DECIMALS {
        let mut text = format!("{x:.decimals$}");
        if compact {
            strip_zeros(&mut text);
        }
        return text;
    }
    let mut text = String::with_capacity(40);
    if x.is_sign_negative() {
        text.push('-');
    }
    let magnitude = x.abs();
    if decimals == 0 {
        text.push_str(itoa::Buffer::new().format(magnitude.round() as u64));
        return text;
    }
    let scale = POWERS[decimals];
    let whole = magnitude.floor();
    let fraction = ((magnitude - whole) * scale).round();
    let (whole, fraction) = if fraction >= scale {
        (whole as u64 + 1, 0)
    } else {
        (whole as u64, fraction as u64)
    };
    text.push_str(itoa::Buffer::new().format(whole));
    text.push('.');
    let mut fraction_text = itoa::Buffer::new();
    let fraction = fraction_text.format(fraction);
    text.extend((fraction.len()..decimals).map(|_| '0'));
    text.push_str(fraction);
    if compact {
        strip_zeros(&mut text);
    }
    text
}

/// Takes zeros off the end, but leaves one after the point.
fn strip_zeros(text: &mut String) {
    let end = text.trim_end_matches('0').len();
    text.truncate(end);
    if text.ends_with('.') {
        text.push('0');
    }
}

/// How many bytes at the beginning are a float: digits, point or comma, digits, perhaps an exponent, and
/// a sign before.
pub fn prefix(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        from + text[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let signed = |at: usize| at + usize::from(matches!(text.get(at), Some(b'+' | b'-')));
    let start = signed(0);
    let point = digits(start);
    if point == start || !matches!(text.get(point), Some(b'.' | b',')) {
        return None;
    }
    let end = digits(point + 1);
    if end == point + 1 {
        return None;
    }
    if !matches!(text.get(end), Some(b'e' | b'E')) {
        return Some(end);
    }
    let exponent = signed(end + 1);
    let last = digits(exponent);
    Some(if last == exponent { end } else { last })
}

/// The float that all of the text says; nothing if it is none or too large for one.
pub fn parse(text: &[u8]) -> Option<f64> {
    if prefix(text)? != text.len() {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let x: f64 = if text.contains(',') {
        text.replace(',', ".").parse()
    } else {
        text.parse()
    }
    .ok()?;
    x.is_finite().then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_the_shorter_notation() {
        for (x, s) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e22, "1.0e22"),
            (123456.789, "123456.789"),
            (1e-7, "1.0e-7"),
            (1.0e5, "1.0e5"),
            (100.0, "100.0"),
            (-2.5e-10, "-2.5e-10"),
            (9_007_199_254_740_992.0, "9.007199254740992e15"),
            (9_007_199_254_740_991.0, "9007199254740991.0"),
            (1e15, "1.0e15"),
            (0.001, "0.001"),
            (0.0001, "0.0001"),
            (1.2e-5, "1.2e-5"),
            (5e-324, "5.0e-324"),
            (f64::MAX, "1.7976931348623157e308"),
            (123_456_789_012_345_680.0, "1.2345678901234568e17"),
            (140_728_387_595_688.63, "140728387595688.62"),
            (1_298_517_988_204_381.3, "1298517988204381.2"),
        ] {
            assert_eq!(shortest(x), s);
        }
    }

    #[test]
    fn writes_decimals_as_beam_does() {
        for (x, d, compact, s) in [
            (1.0, 0, false, "1"),
            (0.05, 1, false, "0.1"),
            (0.05, 0, false, "0"),
            (0.5, 0, false, "1"),
            (2.5, 0, false, "3"),
            (0.045, 2, false, "0.05"),
            (123_456_789.123, 10, false, "123456789.1229999959"),
            (1e22, 0, false, "10000000000000000000000"),
            (1e22, 0, true, "1"),
            (1e22, 2, true, "10000000000000000000000.0"),
            (-0.04, 0, false, "-0"),
            (-0.04, 1, true, "-0.0"),
            (0.99, 1, false, "1.0"),
            (1.5, 5, true, "1.5"),
        ] {
            assert_eq!(fixed(x, d, compact), s, "{x} {d}");
        }
    }

    #[test]
    fn writes_exponents_as_beam_does() {
        for (x, d, s) in [
            (1.5, 0, "2e+00"),
            (2.5, 0, "2e+00"),
            (0.045, 0, "4e-02"),
            (0.25, 0, "2e-01"),
            (5e-324, 20, "4.94065645841246544177e-324"),
            (-0.0, 2, "-0.00e+00"),
            (1e22, 1, "1.0e+22"),
        ] {
            assert_eq!(scientific(x, d), s, "{x} {d}");
        }
    }

    #[test]
    fn digits_of_medium_numbers_are_exact() {
        let mut state = 88_172_645_463_325_252u64;
        let mut word = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for n in 0..20_000 {
            let bits = word() >> 2 << (word() % 50);
            let exponent = 1023 - 70 + word() % 130;
            let x = f64::from_bits(bits & ((1 << 52) - 1) | exponent << 52);
            let decimals = (word() % if n % 8 == 0 { 200 } else { 30 }) as usize;
            let text = format!("{x:.decimals$e}");
            let (mantissa, exponent) = text.split_once('e').unwrap();
            let exponent: i32 = exponent.parse().unwrap();
            let sign = if exponent < 0 { '-' } else { '+' };
            let whole = format!("{mantissa}e{sign}{:02}", exponent.abs());
            assert_eq!(scientific(x, decimals), whole, "{x:e} {decimals}");
        }
        assert_eq!(scientific(9.999_999, 3), "1.000e+01");
        assert_eq!(scientific(0.000_999_999, 2), "1.00e-03");
    }

    #[test]
    fn reads_floats() {
        for (s, n) in [
            ("12.5abc", 4),
            ("12.5e", 4),
            ("12.5e+", 4),
            ("12.5e+2x", 7),
            ("+1,5e2x", 6),
            ("-1.5e-2-", 7),
        ] {
            assert_eq!(prefix(s.as_bytes()), Some(n), "{s}");
        }
        for s in ["12", "12.", ".5", "", "12e5", "-", "a"] {
            assert_eq!(prefix(s.as_bytes()), None, "{s}");
        }
        assert_eq!(parse(b"12,5"), Some(12.5));
        assert_eq!(parse(b"1.0e400"), None);
        assert_eq!(parse(b"1.0e-400"), Some(0.0));
        assert_eq!(parse(b"-0.0").map(f64::to_bits), Some((-0.0f64).to_bits()));
        assert_eq!(parse(b"12.5 "), None);
    }
}
