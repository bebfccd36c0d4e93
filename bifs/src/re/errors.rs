//! What is wrong with a pattern, in the words of each release's library.

use enigma_runtime::release;
use pcre2_sys as sys;

/// A pattern is wrong: what is, and where.
pub struct Wrong {
    /// The library's number.
    pub number: i32,
    /// Offset in bytes.
    pub offset: usize,
}

/// Was this release's library the first generation, with its texts and tables?
pub fn first_generation() -> bool {
    release::number() < 28
}

/// An error of the first generation that the second does not have: unknown kind of group after `(?<`.
pub const BAD_LOOKBEHIND: i32 = 1001;
/// As above: group 0 is referred to.
pub const ZERO_REFERENCE: i32 = 1002;
/// As above: group 0 is a condition.
pub const ZERO_CONDITION: i32 = 1003;
/// As above: a verb with an argument that it does not take.
pub const VERB_ARGUMENT: i32 = 1004;
/// An error that the second generation has from a later release on: a group's number does not end.
pub const BAD_NUMBER: i32 = 1005;

/// Texts of the numbers that are ours.
const OURS: &[(i32, &str)] = &[
    (BAD_LOOKBEHIND, "unrecognized character after (?<"),
    (ZERO_REFERENCE, "a numbered reference must not be zero"),
    (ZERO_CONDITION, "invalid condition (?(0)"),
    (
        VERB_ARGUMENT,
        "an argument is not allowed for (*ACCEPT), (*FAIL), or (*COMMIT)",
    ),
    (
        BAD_NUMBER,
        "syntax error in subpattern number (missing terminator?)",
    ),
];

/// Texts of the first generation where they differ, by the library's number less 100.
const FIRST_GENERATION: &[(i32, &str)] = &[
    (7, "invalid escape sequence in character class"),
    (9, "nothing to repeat"),
    (13, "POSIX collating elements are not supported"),
    (14, "missing )"),
    (18, "missing ) after comment"),
    (19, "regular expression is too complicated"),
    (21, "failed to get memory"),
    (22, "unmatched parentheses"),
    (24, "malformed number or name after (?("),
    (25, "lookbehind assertion is not fixed length"),
    (26, "a numbered reference must not be zero"),
    (27, "conditional group contains more than two branches"),
    (28, "assertion expected after (?( or (?(?C)"),
    (29, "digit expected after (?+"),
    (34, "character value in \\x{} or \\o{} is too large"),
    (36, "\\C not allowed in lookbehind assertion"),
    (37, "PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u"),
    (38, "number after (?C is > 255"),
    (39, "closing ) for (?C expected"),
    (40, "recursive call could loop indefinitely"),
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
    (82, "closing ) for (?C expected"),
    (93, "PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u"),
    (100, "lookbehind assertion is not fixed length"),
];

/// The text for a number.
pub fn text(number: i32) -> String {
    if let Some(t) = OURS.iter().find(|t| t.0 == number) {
        return t.1.into();
    }
    if first_generation()
        && let Some(t) = FIRST_GENERATION.iter().find(|t| t.0 == number - 100)
    {
        return t.1.into();
    }
    if first_generation() && (-23..=-3).contains(&number) {
        return "invalid UTF-8 string".into();
    }
    let mut buf = [0u8; 256];
    // SAFETY: the buffer is given with its size.
    let n = unsafe { sys::pcre2_get_error_message_8(number, buf.as_mut_ptr(), buf.len()) };
    String::from_utf8_lossy(&buf[..usize::try_from(n).unwrap_or(0)]).into_owned()
}
