//! What is wrong with a pattern, in the words of each release's library.

use super::code::{Wrong, first_generation};
use pcre2_sys as sys;

/// Texts of the first generation where they differ, by the library's number less 100.
const FIRST_GENERATION: &[(i32, &str)] = &[
    (7, "invalid escape sequence in character class"),
    (9, "nothing to repeat"),
    (13, "POSIX collating elements are not supported"),
    (14, "missing )"),
    (18, "missing ) after comment"),
    (19, "parentheses nested too deeply"),
    (21, "failed to get memory"),
    (22, "unmatched parentheses"),
    (24, "malformed number or name after (?("),
    (25, "lookbehind assertion is not fixed length"),
    (27, "conditional group contains more than two branches"),
    (28, "assertion expected after (?( or (?(?C)"),
    (29, "digit expected after (?+"),
    (34, "character value in \\x{} or \\o{} is too large"),
    (36, "\\C not allowed in lookbehind assertion"),
    (37, "PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u"),
    (38, "number after (?C is > 255"),
    (39, "closing ) for (?C expected"),
    (42, "syntax error in subpattern name (missing terminator)"),
    (43, "two named subpatterns have the same name"),
    (44, "group name must start with a non-digit"),
    (47, "unknown property name after \\P or \\p"),
    (48, "subpattern name is too long (maximum 32 characters)"),
    (54, "DEFINE group contains more than one branch"),
    (58, "(?R or (?[+-]digits must be followed by )"),
    (61, "number is too big"),
    (68, "\\c must be followed by an ASCII character"),
    (74, "setting UTF is disabled by the application"),
    (77, "character value in \\u.... sequence is too large"),
    (78, "digits missing in \\x{} or \\o{}"),
    (93, "PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u"),
];

/// Numbers (less 100) whose place the first generation gave one byte earlier.
const ONE_EARLIER: &[i32] = &[8, 9, 11, 22, 43, 44, 47, 50, 64, 65, 67, 71];

/// The text for a number.
pub fn text(number: i32) -> String {
    if first_generation()
        && let Some(t) = FIRST_GENERATION.iter().find(|t| t.0 == number - 100)
    {
        return t.1.into();
    }
    if first_generation() && (-22..=-3).contains(&number) {
        return "invalid UTF-8 string".into();
    }
    let mut buf = [0u8; 256];
    // SAFETY: the buffer is given with its size.
    let n = unsafe { sys::pcre2_get_error_message_8(number, buf.as_mut_ptr(), buf.len()) };
    String::from_utf8_lossy(&buf[..usize::try_from(n).unwrap_or(0)]).into_owned()
}

/// The place of an error as the release's library gives it.
pub fn adjusted(w: Wrong, pattern: &[u8]) -> Wrong {
    if !first_generation() {
        return w;
    }
    let number = w.number - 100;
    let offset = match number {
        30 => {
            let before = &pattern[..w.offset.min(pattern.len())];
            before
                .windows(2)
                .rposition(|p| p == b"[:")
                .map_or(w.offset, |i| i + 2)
        }
        25 => end_of_group(pattern, w.offset),
        n if ONE_EARLIER.contains(&n) => w.offset.saturating_sub(1),
        _ => w.offset,
    };
    Wrong {
        number: w.number,
        offset,
    }
}

/// Where the group that begins at or before `from` ends.
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
