//! Reading numbers the way the C library does, since BEAM's flags are read with it.
//!
//! `+A 12abc` is 12 and `+A abc` is 0 on BEAM, while `+S abc` is an error: which of these
//! functions a flag uses is part of its behaviour.

/// The result of [`strtol`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strtol {
    /// The value, saturated when out of range.
    pub value: i64,
    /// How many bytes belong to the number; 0 when there is none.
    pub used: usize,
    /// The number does not fit in 64 bits.
    pub overflow: bool,
}

/// A decimal number with leading white space and a sign.
pub fn strtol(text: &[u8]) -> Strtol {
    let start = text.iter().take_while(|byte| is_space(**byte)).count();
    let negative = text.get(start) == Some(&b'-');
    let signed = usize::from(matches!(text.get(start), Some(b'-' | b'+')));
    let digits_at = start + signed;
    let digits = text[digits_at..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits == 0 {
        return Strtol {
            value: 0,
            used: 0,
            overflow: false,
        };
    }
    let mut value: i64 = 0;
    let mut overflow = false;
    for byte in &text[digits_at..digits_at + digits] {
        let digit = i64::from(byte - b'0');
        // Numbers are built below zero, where there is one value more.
        match value
            .checked_mul(10)
            .and_then(|value| value.checked_sub(digit))
        {
            Some(next) => value = next,
            None => overflow = true,
        }
    }
    if !negative && value == i64::MIN {
        overflow = true;
    }
    let value = match (overflow, negative) {
        (true, true) => i64::MIN,
        (true, false) => i64::MAX,
        (false, true) => value,
        (false, false) => -value,
    };
    Strtol {
        value,
        used: digits_at + digits,
        overflow,
    }
}

/// `atoi`: what there is of a number, cut to 32 bits.
pub fn atoi(text: &[u8]) -> i32 {
    strtol(text).value as i32
}

/// `sscanf("%d")`: the number and what follows it, or `None` without a number.
pub fn scan_int(text: &[u8]) -> Option<(i32, &[u8])> {
    let number = strtol(text);
    (number.used > 0).then(|| (number.value as i32, &text[number.used..]))
}

/// One or two numbers as `N`, `N:M` or `:M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    /// `N`, perhaps with something that is not `:M` after it.
    First(i32),
    /// `N:M`
    Both(i32, i32),
    /// `:M`
    Second(i32),
}

/// Reads a pair as `sscanf("%d:%d")` and then `sscanf(":%d")` would.
pub fn scan_pair(text: &[u8]) -> Option<Pair> {
    let second = |rest: &[u8]| {
        rest.strip_prefix(b":")
            .and_then(scan_int)
            .map(|(number, _)| number)
    };
    match scan_int(text) {
        Some((first, rest)) => Some(match second(rest) {
            Some(second) => Pair::Both(first, second),
            None => Pair::First(first),
        }),
        None => second(text).map(Pair::Second),
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_the_c_library_does() {
        assert_eq!(atoi(b"12abc"), 12);
        assert_eq!(atoi(b" +7"), 7);
        assert_eq!(atoi(b"-"), 0);
        assert_eq!(atoi(b"4294967297"), 1);
        assert_eq!(strtol(b"9223372036854775807").value, i64::MAX);
        assert!(!strtol(b"9223372036854775807").overflow);
        assert!(strtol(b"9223372036854775808").overflow);
        assert_eq!(strtol(b"-9223372036854775808").value, i64::MIN);
        assert!(!strtol(b"-9223372036854775808").overflow);
        assert_eq!(strtol(b"-9223372036854775809").value, i64::MIN);
        assert_eq!(strtol(b"x").used, 0);
        assert_eq!(scan_int(b"5:6"), Some((5, &b":6"[..])));
        assert_eq!(scan_int(b""), None);
    }

    #[test]
    fn reads_pairs() {
        assert_eq!(scan_pair(b"4"), Some(Pair::First(4)));
        assert_eq!(scan_pair(b"4:"), Some(Pair::First(4)));
        assert_eq!(scan_pair(b"4:2"), Some(Pair::Both(4, 2)));
        assert_eq!(scan_pair(b"4 :2"), Some(Pair::First(4)));
        assert_eq!(scan_pair(b"4: 2x"), Some(Pair::Both(4, 2)));
        assert_eq!(scan_pair(b":2"), Some(Pair::Second(2)));
        assert_eq!(scan_pair(b"x"), None);
        assert_eq!(scan_pair(b""), None);
    }
}
