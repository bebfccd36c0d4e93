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
    let sci = shortest_digits(x);
    let (mantissa, exp) = sci.split_once('e').unwrap_or((&sci, "0"));
    let exp: i32 = exp.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa
        .strip_prefix('-')
        .map_or(("", mantissa), |m| ("-", m));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let with_exponent = {
        let (first, rest) = digits.split_at(1);
        let rest = if rest.is_empty() { "0" } else { rest };
        format!("{sign}{first}.{rest}e{exp}")
    };
    let n = digits.len() as i32;
    // Integers of 2^53 and more are never written out: the digits would claim more than is known.
    if x.abs() >= 9_007_199_254_740_992.0 {
        return with_exponent;
    }
    let plain = if exp < 0 {
        format!("{sign}0.{}{digits}", "0".repeat((-exp - 1) as usize))
    } else if exp + 1 >= n {
        format!("{sign}{digits}{}.0", "0".repeat((exp + 1 - n) as usize))
    } else {
        let (a, b) = digits.split_at((exp + 1) as usize);
        format!("{sign}{a}.{b}")
    };
    if plain.len() <= with_exponent.len() {
        plain
    } else {
        with_exponent
    }
}

/// The fewest digits that read back as the same float, with an exponent. Of two texts equally near to
/// the float the one with the even last digit is taken, where the standard library takes the other.
fn shortest_digits(x: f64) -> String {
    let text = format!("{x:e}");
    let digits = text
        .bytes()
        .take_while(|&b| b != b'e')
        .filter(u8::is_ascii_digit)
        .count();
    // With fewer digits a float cannot lie halfway between two texts that both read back as it.
    if digits < 16 {
        return text;
    }
    let exact = format!("{x:.*e}", digits - 1);
    if exact.parse() == Ok(x) { exact } else { text }
}

/// Digits after the point that `float_to_list/1` writes.
pub const DEFAULT_DECIMALS: usize = 20;

/// One digit, a point, `decimals` digits and an exponent of at least two digits.
pub fn scientific(x: f64, decimals: usize) -> String {
    let text = format!("{x:.decimals$e}");
    let (mantissa, exp) = text.split_once('e').unwrap_or((&text, "0"));
    match exp.strip_prefix('-') {
        Some(e) => format!("{mantissa}e-{e:0>2}"),
        None => format!("{mantissa}e+{exp:0>2}"),
    }
}

/// Above this, and with more than `FAST_DECIMALS` decimals, the exact digits are written.
const FAST_MAX: f64 = 9_007_199_254_740_992.0;
const FAST_DECIMALS: usize = 18;

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
    let sign = if x.is_sign_negative() { "-" } else { "" };
    let magnitude = x.abs();
    if decimals == 0 {
        return format!("{sign}{}", magnitude.round() as u64);
    }
    let scale = 10f64.powi(decimals as i32);
    let whole = magnitude.floor();
    let fraction = ((magnitude - whole) * scale).round();
    let (whole, fraction) = if fraction >= scale {
        (whole as u64 + 1, 0)
    } else {
        (whole as u64, fraction as u64)
    };
    let mut text = format!("{sign}{whole}.{fraction:0>decimals$}");
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
