//! Patterns of the library's first generation for the second: what means something else to the second is
//! rewritten before it sees the pattern, what it refuses is rewritten at the place it complains about, and
//! what only the second knows is refused.

use super::errors::Wrong;
use super::errors::{BAD_LOOKBEHIND, VERB_ARGUMENT};

/// `\` before a letter that is no escape.
const UNKNOWN_ESCAPE: i32 = 103;
/// An escape that means nothing in a class.
const ESCAPE_IN_CLASS: i32 = 107;
/// A reference to a group that there is not.
const NO_SUCH_GROUP: i32 = 115;
/// `(?` and something that is no kind of group.
const BAD_GROUP: i32 = 111;
/// A condition that is none.
const BAD_CONDITION: i32 = 124;
/// A group's name is too long.
const LONG_NAME: i32 = 148;
/// A hyphen after a class within a class.
const RANGE_OF_CLASS: i32 = 150;
/// `(*` and something that is no verb.
const BAD_VERB: i32 = 160;
/// `\c` before a character that is not printable.
const NO_CONTROL: i32 = 168;
/// `\x` without digits.
const NO_DIGITS: i32 = 178;

/// How long a group's name may be.
const NAME: usize = 32;

/// A pattern that is being rewritten.
pub struct Text {
    /// As it stands now.
    pub bytes: Vec<u8>,
    /// For each byte, where it comes from; one more for the end.
    origin: Vec<usize>,
}

impl Text {
    /// A pattern as it was given.
    pub fn new(pattern: &[u8]) -> Text {
        Text {
            bytes: pattern.to_vec(),
            origin: (0..=pattern.len()).collect(),
        }
    }

    /// Makes braces literal that only the second generation takes for a quantifier, and refuses kinds of
    /// groups that only it knows. `extended`: white space and comments are ignored.
    pub fn translate(&mut self, extended: bool) -> Result<(), Wrong> {
        let mut i = 0;
        while let Some(&b) = self.bytes.get(i) {
            let rest = &self.bytes[i..];
            i = match b {
                b'\\' if rest.starts_with(b"\\Q") => after(&self.bytes, i + 2, b"\\E"),
                b'\\' => i + 2,
                b'[' => after_class(&self.bytes, i),
                b'#' if extended => after(&self.bytes, i, b"\n"),
                b'(' if rest.starts_with(b"(?#") => after(&self.bytes, i, b")"),
                // What is wrong with an assertion that is a condition has an error of its own.
                b'(' if self.bytes[..i].ends_with(b"(?") => i + 1,
                b'(' => {
                    if let Some((number, offset)) = new_group(rest) {
                        let offset = self.origin[i + offset];
                        return Err(Wrong { number, offset });
                    }
                    i + 1
                }
                b'{' if new_quantifier(rest) => {
                    self.insert(i, b'\\');
                    i + 2
                }
                _ => i + 1,
            };
        }
        Ok(())
    }

    /// Makes groups atomic that refer back to themselves, as they are to the first generation. `captures`: plain groups capture.
    pub fn enclose_self_references(&mut self, extended: bool, captures: bool) {
        let mut places = Vec::new();
        for (start, end) in self_references(&self.bytes, extended, captures) {
            places.push((end + 1, &b")"[..]));
            places.push((start, &b"(?>"[..]));
        }
        places.sort_unstable_by_key(|&(at, _)| std::cmp::Reverse(at));
        for (at, text) in places {
            for &b in text.iter().rev() {
                self.insert(at, b);
            }
        }
    }

    /// Rewrites what is wrong; `false` if it was wrong to the first generation too.
    pub fn repair(&mut self, wrong: &Wrong) -> bool {
        let at = wrong.offset.min(self.bytes.len());
        match wrong.number {
            UNKNOWN_ESCAPE | ESCAPE_IN_CLASS => {
                let letter = self.bytes.get(at).is_some_and(|b| b.is_ascii_alphabetic());
                letter && self.drop_backslash(at)
            }
            // 8 and 9 are no octal digits and stand for themselves.
            NO_SUCH_GROUP => {
                let end = self.bytes.len().min(at + 1);
                let digits = self.bytes[..end]
                    .iter()
                    .rev()
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                let first = end - digits;
                matches!(self.bytes.get(first), Some(b'8' | b'9')) && self.drop_backslash(first)
            }
            // The byte 0.
            NO_DIGITS if self.bytes[..at].ends_with(b"\\x") => {
                self.insert(at, b'0');
                true
            }
            NO_CONTROL => self.spell_control(at),
            RANGE_OF_CLASS => match at.checked_sub(1) {
                Some(hyphen) if self.bytes.get(hyphen) == Some(&b'-') => {
                    self.insert(hyphen, b'\\');
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Writes `\c` and an unprintable character near here as a number; `false` if it may not stand there.
    fn spell_control(&mut self, near: usize) -> bool {
        let found = (near.saturating_sub(3)..near).find(|&i| {
            let rest = &self.bytes[i..];
            matches!(rest, [b'\\', b'c', 1..=31 | 127, ..])
        });
        let Some(at) = found else { return false };
        let code = self.bytes[at + 2] ^ 0x40;
        let number = format!("\\x{code:02x}");
        let from = self.origin[at];
        self.bytes.splice(at..at + 3, number.bytes());
        self.origin
            .splice(at..at + 3, std::iter::repeat_n(from, number.len()));
        true
    }

    fn insert(&mut self, at: usize, byte: u8) {
        self.bytes.insert(at, byte);
        self.origin.insert(at, self.origin[at]);
    }

    fn drop_backslash(&mut self, before: usize) -> bool {
        let Some(at) = before.checked_sub(1).filter(|&i| self.bytes[i] == b'\\') else {
            return false;
        };
        self.bytes.remove(at);
        self.origin.remove(at);
        true
    }

    /// The same error, with its place in the pattern as it was given.
    pub fn original(&self, wrong: Wrong) -> Wrong {
        let last = self.origin.len() - 1;
        Wrong {
            number: wrong.number,
            offset: self.origin[wrong.offset.min(last)],
        }
    }
}

/// A capturing group that is open.
struct OpenGroup<'a> {
    start: usize,
    number: Option<usize>,
    name: &'a [u8],
    refers: bool,
}

/// Where the capturing groups begin and end that refer back to themselves. None where branches are numbered alike, of
/// which nobody knows which group a number means.
fn self_references(p: &[u8], extended: bool, captures: bool) -> Vec<(usize, usize)> {
    let mut open: Vec<OpenGroup<'_>> = Vec::new();
    let mut found = Vec::new();
    let (mut i, mut count) = (0, 0);
    while let Some(&b) = p.get(i) {
        let rest = &p[i..];
        i = match b {
            b'\\' if rest.starts_with(b"\\Q") => after(p, i + 2, b"\\E"),
            b'\\' => {
                let to = reference(&rest[1..], count);
                refer(&mut open, to);
                i + 2
            }
            b'[' => after_class(p, i),
            b'#' if extended => after(p, i, b"\n"),
            b'(' if rest.starts_with(b"(?#") || rest.starts_with(b"(*") => after(p, i, b")"),
            b'(' if rest.starts_with(b"(?|") => return Vec::new(),
            b'(' if rest.starts_with(b"(?P=") => {
                refer(&mut open, Reference::Name(word(&rest[4..])));
                after(p, i, b")")
            }
            b'(' => {
                let name = match rest {
                    [b'(', b'?', b'<', b'=' | b'!', ..] => &[][..],
                    [b'(', b'?', b'<' | b'\'', name @ ..] | [b'(', b'?', b'P', b'<', name @ ..] => {
                        word(name)
                    }
                    _ => &[][..],
                };
                // What follows `(?` is the condition of a group.
                let plain = captures && rest.get(1) != Some(&b'?') && !p[..i].ends_with(b"(?");
                let number = (plain || !name.is_empty()).then(|| {
                    count += 1;
                    count
                });
                open.push(OpenGroup {
                    start: i,
                    number,
                    name,
                    refers: false,
                });
                i + 1
            }
            b')' => {
                if let Some(g) = open.pop()
                    && g.refers
                {
                    found.push((g.start, i));
                }
                i + 1
            }
            _ => i + 1,
        };
    }
    found
}

/// What is referred to.
enum Reference<'a> {
    Nothing,
    Number(usize),
    Name(&'a [u8]),
}

fn refer(open: &mut [OpenGroup<'_>], to: Reference<'_>) {
    let group = open.iter_mut().rev().find(|g| match to {
        Reference::Nothing => false,
        Reference::Number(n) => g.number == Some(n),
        Reference::Name(name) => !name.is_empty() && g.name == name,
    });
    if let Some(g) = group {
        g.refers = true;
    }
}

/// The letters, digits and underscores that come first.
fn word(rest: &[u8]) -> &[u8] {
    let is = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
    &rest[..rest.iter().take_while(is).count()]
}

/// What an escape refers to, behind its backslash. `count`: groups so far.
fn reference(rest: &[u8], count: usize) -> Reference<'_> {
    let number = |digits: &[u8]| -> Option<usize> {
        let digits = &digits[..digits.iter().take_while(|b| b.is_ascii_digit()).count()];
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    let (rest, braced) = match rest {
        [b'1'..=b'9', ..] => return number(rest).map_or(Reference::Nothing, Reference::Number),
        [b'k', b'<' | b'\'' | b'{', name @ ..] => return Reference::Name(word(name)),
        [b'g', b'{', inside @ ..] => (inside, true),
        [b'g', inside @ ..] => (inside, false),
        _ => return Reference::Nothing,
    };
    match rest {
        [b'-', back @ ..] => match number(back) {
            Some(n) if n <= count => Reference::Number(count + 1 - n),
            _ => Reference::Nothing,
        },
        [b'0'..=b'9', ..] => number(rest).map_or(Reference::Nothing, Reference::Number),
        _ if braced => Reference::Name(word(rest)),
        _ => Reference::Nothing,
    }
}

/// Where `end` ends that follows `from`.
pub(super) fn after(pattern: &[u8], from: usize, end: &[u8]) -> usize {
    let rest = pattern.get(from..).unwrap_or_default();
    match rest.windows(end.len()).position(|w| w == end) {
        Some(i) => from + i + end.len(),
        None => pattern.len(),
    }
}

/// Where the class ends that begins at `from`.
pub(super) fn after_class(pattern: &[u8], from: usize) -> usize {
    let mut i = from + 1;
    if pattern.get(i) == Some(&b'^') {
        i += 1;
    }
    // A bracket in the first place stands for itself.
    if pattern.get(i) == Some(&b']') {
        i += 1;
    }
    while let Some(&b) = pattern.get(i) {
        i = match b {
            b']' => return i + 1,
            b'\\' if pattern.get(i + 1) == Some(&b'Q') => after(pattern, i + 2, b"\\E"),
            b'\\' => i + 2,
            b'[' if pattern.get(i + 1) == Some(&b':') => {
                let end = after(pattern, i + 2, b":]");
                let name = &pattern[i + 2..end];
                match name
                    .iter()
                    .position(|b| !b.is_ascii_alphabetic() && *b != b'^')
                {
                    Some(n) if name[n..].starts_with(b":]") => end,
                    _ => i + 1,
                }
            }
            _ => i + 1,
        };
    }
    pattern.len()
}

/// Do these bytes, which begin with a brace, form a quantifier for the second generation alone? Only it
/// allows spaces and a missing minimum.
fn new_quantifier(rest: &[u8]) -> bool {
    let Some(end) = rest.iter().position(|&b| b == b'}') else {
        return false;
    };
    let inside = &rest[1..end];
    let is = |b: &u8| b.is_ascii_digit() || matches!(b, b',' | b' ' | b'\t');
    let digits = inside.iter().any(u8::is_ascii_digit);
    let spaces = inside.iter().any(|b| matches!(b, b' ' | b'\t'));
    inside.iter().all(is) && digits && (spaces || inside.starts_with(b","))
}

/// Is this, which begins with a parenthesis, a kind of group that only the second generation knows? The
/// error of the first, and where in it.
fn new_group(rest: &[u8]) -> Option<(i32, usize)> {
    let name = |from: usize| {
        let rest = rest.get(from..).unwrap_or_default();
        let word = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
        from + rest.iter().take_while(word).count()
    };
    match rest {
        [b'(', b'?', b'<', b'*', ..] => Some((BAD_LOOKBEHIND, 3)),
        [b'(', b'?', b'^' | b'*', ..] => Some((BAD_GROUP, 2)),
        _ if rest.starts_with(b"(?(VERSION") => Some((BAD_CONDITION, 10)),
        [b'(', b'?', options @ ..] => {
            let at = options.iter().position(|b| !b"imsxJUX-".contains(b))?;
            matches!(options[at], b'n' | b'a').then_some((BAD_GROUP, 2 + at))
        }
        [b'(', b'*', b'a'..=b'z', ..] => {
            let end = name(2);
            let end = rest[..end].iter().position(|&b| b == b'_').unwrap_or(end);
            match rest.get(end) {
                // An underscore is no part of a verb.
                Some(b'_') => Some((BAD_VERB, end)),
                Some(b':') => Some((BAD_VERB, after(rest, end, b")") - 1)),
                // To the second generation too this is none.
                _ => None,
            }
        }
        _ if rest.starts_with(b"(*COMMIT:") => {
            Some((VERB_ARGUMENT, after(rest, 0, b")").saturating_sub(1)))
        }
        _ => None,
    }
}

/// No group's name may be longer than the first generation allows.
pub fn check_names(names: &[(u16, Box<[u8]>)], pattern: &[u8]) -> Result<(), Wrong> {
    let Some((_, long)) = names.iter().find(|(_, name)| name.len() > NAME) else {
        return Ok(());
    };
    let start = pattern.windows(long.len()).position(|w| w == &**long);
    Err(Wrong {
        number: LONG_NAME,
        offset: start.map_or(0, |at| at + long.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(pattern: &[u8]) -> Vec<u8> {
        let mut t = Text::new(pattern);
        assert!(t.translate(false).is_ok());
        t.bytes
    }

    #[test]
    fn braces_that_were_literal_stay_so() {
        assert_eq!(translated(b"a{,2}"), b"a\\{,2}");
        assert_eq!(translated(b"a{ 1}[{,2}]"), b"a\\{ 1}[{,2}]");
        assert_eq!(
            translated(b"a{1,}\\{,2}\\Q{,2}\\E"),
            b"a{1,}\\{,2}\\Q{,2}\\E"
        );
        assert_eq!(translated(b"[[:alpha:]{,2}]{}"), b"[[:alpha:]{,2}]{}");
    }

    #[test]
    fn groups_that_refer_to_themselves_are_atomic() {
        let enclosed = |pattern: &[u8]| {
            let mut t = Text::new(pattern);
            t.enclose_self_references(false, true);
            String::from_utf8_lossy(&t.bytes).into_owned()
        };
        for (pattern, expected) in [
            (&br"^(a\1?){4}$"[..], r"^(?>(a\1?)){4}$"),
            (br"(a)(b\1)\2", r"(a)(b\1)\2"),
            (br"((a\2)\1)", r"(?>((?>(a\2))\1))"),
            (br"(?<n>x\k<n>|y)+", r"(?>(?<n>x\k<n>|y))+"),
            (br"(?P<n>x(?P=n)?)", r"(?>(?P<n>x(?P=n)?))"),
            (br"(a\g{-1}|b)", r"(?>(a\g{-1}|b))"),
            (br"(a[\1]\Q\1\E)", r"(a[\1]\Q\1\E)"),
            (br"(?(1)a\1)(?=\1)(", r"(?(1)a\1)(?=\1)("),
        ] {
            assert_eq!(enclosed(pattern), expected);
        }
    }

    #[test]
    fn broken_patterns_end_the_translation() {
        for pattern in [
            &b"["[..],
            b"[^",
            b"\\",
            b"\\Q",
            b"(?#",
            b"(?",
            b"(*a",
            b"[[:",
            b"{",
        ] {
            translated(pattern);
            Text::new(pattern).enclose_self_references(true, true);
        }
    }
}
