//! Where in a pattern an error is, as the library of each release says it.
//!
//! The library here is the second generation in a version that points at what is wrong. The first
//! generation, and the second from OTP 28 on, point before or behind it, by rules that depend on the error.

use super::errors::{BAD_LOOKBEHIND, BAD_NUMBER, ZERO_CONDITION, ZERO_REFERENCE};
use super::errors::{Wrong, first_generation};

/// Errors (less 100) that the first generation places one byte earlier.
const ONE_EARLIER: &[i32] = &[37, 43, 47, 51, 65, 69, 71, 93];

/// Errors (less 100) that the second generation places one byte later from OTP 28 on.
const ONE_LATER: &[i32] = &[3, 7, 8, 9, 11, 22, 28, 29, 41, 44, 55, 64, 67, 82];

/// The error and its place as the release's library gives them.
pub fn adjusted(wrong: Wrong, pattern: &[u8]) -> Wrong {
    let at = wrong.offset.min(pattern.len());
    let (number, offset) = if first_generation() {
        first(wrong.number - 100, pattern, at)
    } else {
        second(wrong.number - 100, pattern, at)
    };
    let number = if number < 1000 { number + 100 } else { number };
    Wrong { number, offset }
}

/// The first generation's error and place.
fn first(number: i32, pattern: &[u8], at: usize) -> (i32, usize) {
    let before = &pattern[..at];
    let last = |what: &[u8]| before.windows(what.len()).rposition(|w| w == what);
    match number {
        13 => (13, last(b"[.").max(last(b"[=")).unwrap_or(at)),
        14 => (unfinished_group(before), at),
        15 => reference(pattern, at),
        24 | 42 if in_condition(before) => (24, at),
        25 | 36 | 100 => (number, end_of_group(pattern, at)),
        27 | 54 => {
            let start = last(b"(?(").unwrap_or(at);
            (number, end_of_group(pattern, start))
        }
        28 => {
            let end = pattern.len().min(at + 2);
            let start = pattern[..end].windows(3).rposition(|w| w == b"(?(");
            let callout = start.is_some_and(|i| pattern[i..].starts_with(b"(?(?C"));
            (28, start.map_or(at, |i| i + if callout { 2 } else { 3 }))
        }
        29 => (29, at + 1),
        30 => (30, last(b"[:").map_or(at, |i| i + 2)),
        50 if before.ends_with(b":]") => (50, last(b"[:").unwrap_or(at)),
        50 => (50, at.saturating_sub(1)),
        57 => group_number(pattern, at),
        62 if before.ends_with(b"(?<") => (BAD_LOOKBEHIND, at),
        62 if before.ends_with(b"\\g{") => match pattern.get(at) {
            None => (57, at),
            Some(b'}') => (ZERO_REFERENCE, at),
            Some(_) => (62, at),
        },
        67 => (67, at + usize::from(only_hex(&pattern[at..]))),
        78 if at == pattern.len() && before.ends_with(b"\\x{") => (67, at),
        78 if at == pattern.len() && before.ends_with(b"\\o{") => (64, at),
        n if ONE_EARLIER.contains(&n) => (n, at.saturating_sub(1)),
        n => (n, at),
    }
}

/// The second generation's error and place, from OTP 28 on.
fn second(number: i32, pattern: &[u8], at: usize) -> (i32, usize) {
    let before = &pattern[..at];
    match number {
        12 => {
            let class = &pattern[at..];
            let end = class.windows(2).position(|w| w == b":]");
            (12, end.map_or(at, |i| at + i + 2))
        }
        15 => (15, at + usize::from(ends_number_escape(pattern, at))),
        28 if before.ends_with(b")") => (28, at),
        29 if at + 1 == pattern.len() => (14, at + 1),
        37 if pattern.get(at) == Some(&b'{') => (37, at + 1),
        42 if at == pattern.len() && in_call(before) => (14, at),
        57 => match pattern[at..]
            .iter()
            .skip(1)
            .take_while(|b| b.is_ascii_digit())
            .count()
        {
            0 => (57, at),
            n => (BAD_NUMBER, at + 1 + n),
        },
        67 if only_hex(&pattern[at..]) => (67, pattern.len() + 1),
        68 => {
            let character = pattern[at..]
                .iter()
                .skip(1)
                .take_while(|&&b| b & 0xc0 == 0x80);
            (68, at + 1 + character.count())
        }
        93 => {
            let end = pattern[at..].iter().position(|&b| b == b'}');
            (93, end.map_or(at, |i| at + i + 1))
        }
        n if ONE_LATER.contains(&n) => (n, at + 1),
        n => (n, at),
    }
}

/// What the first generation says of a pattern that ends, or goes on wrongly, within a group's first bytes.
fn unfinished_group(before: &[u8]) -> i32 {
    let Some(start) = before.windows(2).rposition(|w| w == b"(?") else {
        return 14;
    };
    match &before[start + 2..] {
        b"(" => 28,
        b"C" => 39,
        b"P" => 41,
        options
            if options
                .iter()
                .all(|b| b.is_ascii_alphabetic() || *b == b'-') =>
        {
            11
        }
        number if number.iter().all(u8::is_ascii_digit) => 58,
        _ => 14,
    }
}

/// Is the end of `before` within the condition of a group?
fn in_condition(before: &[u8]) -> bool {
    before
        .windows(3)
        .rposition(|w| w == b"(?(")
        .is_some_and(|i| !before[i..].contains(&b')'))
}

/// Is the end of `before` within the name of a group that is called?
fn in_call(before: &[u8]) -> bool {
    let name = before
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_');
    let before = &before[..before.len() - name.count()];
    before.ends_with(b"(?&") || before.ends_with(b"(?P>")
}

fn only_hex(rest: &[u8]) -> bool {
    rest.iter().all(u8::is_ascii_hexdigit)
}

/// The first generation's error for a reference to a group that there is not.
fn reference(pattern: &[u8], at: usize) -> (i32, usize) {
    let end = pattern.len().min(at + 1);
    let Some(start) = pattern[..end]
        .iter()
        .rposition(|b| matches!(b, b'(' | b'\\'))
    else {
        return (15, at);
    };
    let text = &pattern[start..];
    let closing = |b: u8| text.iter().position(|&c| c == b).map_or(at, |i| start + i);
    let condition = start >= 2 && pattern[start - 2..].starts_with(b"(?(");
    match text {
        [b'(', b'0', b')', ..] if condition => (ZERO_CONDITION, start + 3),
        [b'(', ..] if condition => (15, closing(b')') + 1),
        [b'(', b'?', b'(', b'0', b')', ..] => (ZERO_CONDITION, start + 5),
        [b'(', b'?', b'(', ..] => (15, closing(b')') + 1),
        [b'(', b'?', b'0'..=b'9' | b'+' | b'-', ..] => (15, at),
        [b'\\', b'g', b'<' | b'\'', b'0'..=b'9' | b'+' | b'-', ..] => (15, at),
        [b'\\', b'g', b'{', b'0', b'}', ..] => (ZERO_REFERENCE, start + 4),
        [b'\\', b'g', b'{', b'+', ..] => (62, start + 3),
        [b'\\', b'g', b'{', b'-', ..] => (15, closing(b'}')),
        [b'\\', b'g', b'+', ..] => (ZERO_REFERENCE, start + 1),
        _ => (15, at + 1),
    }
}

/// The first generation's error for `\g` without a proper number or name.
fn group_number(pattern: &[u8], at: usize) -> (i32, usize) {
    if pattern.get(at) != Some(&b'{') {
        return (ZERO_REFERENCE, at.saturating_sub(1));
    }
    let rest = &pattern[at + 1..];
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    match rest.get(digits) {
        Some(b) if b.is_ascii_alphanumeric() => (44, at + 1),
        _ => (57, at + 1 + digits),
    }
}

/// Is the byte at `at` the last of an escape that refers to a group by a number that is not relative to
/// what comes before?
fn ends_number_escape(pattern: &[u8], at: usize) -> bool {
    let text = pattern.get(..=at).unwrap_or_default();
    let Some(start) = text.iter().rposition(|&b| b == b'\\') else {
        return false;
    };
    let escape = &text[start + 1..];
    let escape = escape.strip_prefix(b"g").unwrap_or(escape);
    let bracketed = escape
        .first()
        .is_some_and(|b| matches!(b, b'{' | b'<' | b'\''));
    let escape = if bracketed { &escape[1..] } else { escape };
    let escape = escape.strip_prefix(b"+").unwrap_or(escape);
    let digits = escape.iter().take_while(|b| b.is_ascii_digit()).count();
    digits > 0 && escape.len() - digits == usize::from(bracketed)
}

/// Where the group that begins at or after `from` ends.
fn end_of_group(pattern: &[u8], from: usize) -> usize {
    let (mut depth, mut i, mut class) = (0, from, false);
    while i < pattern.len() {
        match pattern[i] {
            b'\\' => i += 1,
            b'[' => class = true,
            b']' => class = false,
            b'(' if !class => depth += 1,
            b')' if !class => {
                depth -= 1;
                if depth <= 0 {
                    return i;
                }
            }
            _ => {}
        }
        i += 1;
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_is_out_of_reach() {
        for pattern in [
            &b""[..],
            b"(",
            b"\\",
            b"\\g{",
            b"(?(",
            b"[:",
            b")",
            b"\\x{f",
        ] {
            for number in 0..101 {
                for at in 0..=pattern.len() {
                    first(number, pattern, at);
                    second(number, pattern, at);
                }
            }
        }
    }
}
