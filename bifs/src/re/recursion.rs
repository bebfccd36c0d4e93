//! Recursion that might never end: the first generation refuses a pattern that calls a group from inside that group
//! where nothing need have been matched since the group began. The second finds out only when it matches.

use super::dialect::{after, after_class};
use super::errors::Wrong;

/// A recursive call that could loop for ever.
const COULD_LOOP: i32 = 140;

/// What was matched since a branch began.
#[derive(Clone, Copy, PartialEq, Eq)]
enum So {
    /// Perhaps nothing.
    Empty,
    /// Something.
    Solid,
    /// A call of a group that is not complete came first: the first generation looks no further.
    Unknown,
}

/// A group that is open.
struct Open {
    /// Its number, if it captures.
    number: Option<u32>,
    name: Vec<u8>,
    branch: So,
    /// Was one of the earlier branches perhaps empty?
    empty_branch: bool,
    branches: usize,
    kind: Kind,
    /// Are white space and comments ignored around it?
    extended: bool,
    /// The first number of its branches, where these are numbered alike, and the greatest so far.
    reset: Option<(u32, u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Condition,
    Assertion,
}

/// A group that is called.
enum Called {
    Number(i64),
    Name(Vec<u8>),
}

/// What stands at a place of the pattern.
enum Item {
    /// Matches nothing by itself.
    Nothing,
    /// Matches what may be nothing.
    Perhaps,
    /// Matches something.
    Something,
}

struct Scan<'a> {
    pattern: &'a [u8],
    at: usize,
    open: Vec<Open>,
    groups: u32,
    names: Vec<(Vec<u8>, u32)>,
    /// By number: is the group complete, and was it perhaps empty?
    closed: Vec<Option<bool>>,
    extended: bool,
    captures: bool,
}

/// Refuses a pattern that calls a group for ever. `extended`: white space and comments are ignored; `captures`: plain
/// parentheses do.
pub fn check(pattern: &[u8], extended: bool, captures: bool) -> Result<(), Wrong> {
    // Calls begin in one of these ways.
    let calls = |w: &[u8]| matches!(w, [b'(', b'?', ..] | [b'\\', b'g', ..]);
    if !pattern.windows(3).any(calls) {
        return Ok(());
    }
    let mut s = Scan {
        pattern,
        at: 0,
        open: Vec::new(),
        groups: 0,
        names: Vec::new(),
        closed: vec![None],
        extended,
        captures,
    };
    s.begin(Some(0), Vec::new(), Kind::Plain, None);
    s.run()
}

impl<'a> Scan<'a> {
    fn begin(&mut self, number: Option<u32>, name: Vec<u8>, kind: Kind, reset: Option<(u32, u32)>) {
        self.open.push(Open {
            number,
            name,
            branch: So::Empty,
            empty_branch: false,
            branches: 1,
            kind,
            extended: self.extended,
            reset,
        });
    }

    fn capture(&mut self, name: &[u8]) {
        self.groups += 1;
        let n = self.groups as usize;
        if self.closed.len() <= n {
            self.closed.resize(n + 1, None);
        }
        if !name.is_empty() {
            self.names.push((name.to_vec(), self.groups));
        }
        self.begin(Some(self.groups), name.to_vec(), Kind::Plain, None);
    }

    fn rest(&self) -> &'a [u8] {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    fn run(&mut self) -> Result<(), Wrong> {
        while let Some(&b) = self.pattern.get(self.at) {
            let item = match b {
                b'(' => match self.parenthesis()? {
                    Some(item) => item,
                    None => continue,
                },
                b')' => match self.close() {
                    Some(item) => item,
                    // The library complains.
                    None => return Ok(()),
                },
                b'|' => {
                    self.at += 1;
                    self.next_branch();
                    continue;
                }
                b'\\' => self.escape()?,
                b'[' => {
                    self.at = after_class(self.pattern, self.at);
                    Item::Something
                }
                b'^' | b'$' => {
                    self.at += 1;
                    Item::Nothing
                }
                b'#' if self.extended => {
                    self.at = after(self.pattern, self.at, b"\n");
                    continue;
                }
                _ if self.extended && b.is_ascii_whitespace() => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    self.at += 1;
                    Item::Something
                }
            };
            let optional = self.quantifier();
            if let Some(o) = self.open.last_mut()
                && o.branch == So::Empty
                && matches!(item, Item::Something)
                && !optional
            {
                o.branch = So::Solid;
            }
        }
        Ok(())
    }

    /// Skips a quantifier; may what stands before it be left out?
    fn quantifier(&mut self) -> bool {
        let rest = self.rest();
        let (len, optional) = match rest {
            [b'*' | b'?', ..] => (1, true),
            [b'+', ..] => (1, false),
            [b'{', inside @ ..] => {
                let Some(end) = inside.iter().position(|&b| b == b'}') else {
                    return false;
                };
                let inside = &inside[..end];
                let digits = inside.iter().take_while(|b| b.is_ascii_digit()).count();
                let more = &inside[digits..];
                let is_quantifier = digits > 0
                    && (more.is_empty()
                        || more[0] == b',' && more[1..].iter().all(u8::is_ascii_digit));
                if !is_quantifier {
                    return false;
                }
                (end + 2, inside[..digits].iter().all(|&b| b == b'0'))
            }
            _ => return false,
        };
        self.at += len;
        if matches!(self.rest(), [b'?' | b'+', ..]) {
            self.at += 1;
        }
        optional
    }

    fn next_branch(&mut self) {
        let groups = &mut self.groups;
        if let Some(o) = self.open.last_mut() {
            o.empty_branch |= o.branch != So::Solid;
            o.branch = So::Empty;
            o.branches += 1;
            if let Some((first, most)) = &mut o.reset {
                *most = (*most).max(*groups);
                *groups = *first;
            }
        }
    }

    /// A closing parenthesis; nothing if no group is open.
    fn close(&mut self) -> Option<Item> {
        self.at += 1;
        if self.open.len() < 2 {
            return None;
        }
        let o = self.open.pop()?;
        self.extended = o.extended;
        if let Some((_, most)) = o.reset {
            self.groups = self.groups.max(most);
        }
        let empty =
            o.empty_branch || o.branch != So::Solid || o.kind == Kind::Condition && o.branches < 2;
        if let Some(n) = o.number {
            self.closed[n as usize] = Some(empty);
        }
        Some(match o.kind {
            Kind::Assertion => Item::Nothing,
            _ if empty => Item::Perhaps,
            _ => Item::Something,
        })
    }

    /// What begins with a parenthesis; nothing where a group has begun or options were set.
    fn parenthesis(&mut self) -> Result<Option<Item>, Wrong> {
        let start = self.at;
        let rest = self.rest();
        let Some(rest) = rest.strip_prefix(b"(?") else {
            if rest.starts_with(b"(*") {
                self.at = after(self.pattern, start, b")");
                return Ok(None);
            }
            self.at += 1;
            if self.captures {
                self.capture(&[]);
            } else {
                self.begin(None, Vec::new(), Kind::Plain, None);
            }
            return Ok(None);
        };
        let named = |from: usize, end: u8| {
            let name = rest.get(from..).unwrap_or_default();
            name.split(|&b| b == end)
                .next()
                .unwrap_or_default()
                .to_vec()
        };
        match rest {
            [b'#' | b'C', ..] => {
                self.at = after(self.pattern, start, b")");
                Ok(None)
            }
            [b':' | b'>', ..] => {
                self.at += 3;
                self.begin(None, Vec::new(), Kind::Plain, None);
                Ok(None)
            }
            [b'|', ..] => {
                self.at += 3;
                let first = self.groups;
                self.begin(None, Vec::new(), Kind::Plain, Some((first, first)));
                Ok(None)
            }
            [b'=' | b'!', ..] => {
                self.at += 3;
                self.begin(None, Vec::new(), Kind::Assertion, None);
                Ok(None)
            }
            [b'<', b'=' | b'!', ..] => {
                self.at += 4;
                self.begin(None, Vec::new(), Kind::Assertion, None);
                Ok(None)
            }
            [b'(', ..] => {
                // The condition is no part of the branch, but an assertion in its place may hold groups.
                self.at += 2;
                self.begin(None, Vec::new(), Kind::Condition, None);
                if !rest.starts_with(b"(?") {
                    self.at = after(self.pattern, self.at, b")");
                }
                Ok(None)
            }
            [b'P', b'<', ..] => Ok(self.named_group(named(2, b'>'), 2)),
            [b'<', ..] => Ok(self.named_group(named(1, b'>'), 1)),
            [b'\'', ..] => Ok(self.named_group(named(1, b'\''), 1)),
            [b'P', b'=', ..] => {
                self.at = after(self.pattern, start, b")");
                Ok(Some(Item::Perhaps))
            }
            [b'P', b'>', ..] => self.call(Called::Name(named(2, b')')), b")"),
            [b'&', ..] => self.call(Called::Name(named(1, b')')), b")"),
            [b'R', ..] => self.call(Called::Number(0), b")"),
            [b'0'..=b'9', ..] | [b'+' | b'-', b'0'..=b'9', ..] => {
                let called = self.number(&named(0, b')'));
                self.call(called, b")")
            }
            _ => {
                self.options(rest.to_vec());
                Ok(None)
            }
        }
    }

    fn named_group(&mut self, name: Vec<u8>, before: usize) -> Option<Item> {
        self.at += 2 + before + name.len() + 1;
        self.capture(&name);
        None
    }

    /// `(?i-x)` or `(?i:`.
    fn options(&mut self, rest: Vec<u8>) {
        let len = rest
            .iter()
            .take_while(|b| b.is_ascii_alphabetic() || **b == b'-')
            .count();
        let (outside, mut on) = (self.extended, true);
        let mut extended = outside;
        for &b in &rest[..len] {
            match b {
                b'-' => on = false,
                b'x' => extended = on,
                _ => {}
            }
        }
        self.at += 2 + len + 1;
        if rest.get(len) == Some(&b':') {
            self.begin(None, Vec::new(), Kind::Plain, None);
        }
        self.extended = extended;
    }

    /// A group by a number, perhaps a relative one.
    fn number(&self, text: &[u8]) -> Called {
        let n = |digits: &[u8]| {
            let text = std::str::from_utf8(digits).unwrap_or_default();
            text.parse().unwrap_or(i64::from(u32::MAX))
        };
        Called::Number(match text {
            [b'+', digits @ ..] => i64::from(self.groups) + n(digits),
            [b'-', digits @ ..] => i64::from(self.groups) - n(digits) + 1,
            digits => n(digits),
        })
    }

    /// A call of a group that ends with `end`.
    fn call(&mut self, called: Called, end: &[u8]) -> Result<Option<Item>, Wrong> {
        self.at = after(self.pattern, self.at, end);
        let number = match &called {
            Called::Number(n) => u32::try_from(*n).ok(),
            Called::Name(name) => self.names.iter().find(|n| n.0 == *name).map(|n| n.1),
        };
        let is_called = |o: &Open| match &called {
            Called::Number(_) => o.number.is_some() && o.number == number,
            Called::Name(name) => !name.is_empty() && o.name == *name,
        };
        if let Some(outermost) = self.open.iter().rposition(is_called) {
            // In a conditional group the first generation does not look.
            let conditional = self.open.iter().any(|o| o.kind == Kind::Condition);
            if !conditional && self.open[outermost..].iter().all(|o| o.branch != So::Solid) {
                return Err(Wrong {
                    number: COULD_LOOP,
                    offset: self.at - 1,
                });
            }
            self.unknown();
            return Ok(Some(Item::Perhaps));
        }
        let complete = number.and_then(|n| self.closed.get(n as usize).copied().flatten());
        Ok(Some(match complete {
            Some(true) => Item::Perhaps,
            Some(false) => Item::Something,
            None => {
                self.unknown();
                Item::Perhaps
            }
        }))
    }

    fn unknown(&mut self) {
        if let Some(o) = self.open.last_mut()
            && o.branch == So::Empty
        {
            o.branch = So::Unknown;
        }
    }

    fn escape(&mut self) -> Result<Item, Wrong> {
        let rest = self.rest();
        let next = rest.get(1).copied();
        match next {
            Some(b'Q') => {
                let end = after(self.pattern, self.at + 2, b"\\E");
                let empty = self.pattern[self.at + 2..].starts_with(b"\\E");
                self.at = end;
                Ok(if empty {
                    Item::Nothing
                } else {
                    Item::Something
                })
            }
            Some(b'b' | b'B' | b'A' | b'Z' | b'z' | b'G' | b'K' | b'E') => {
                self.at += 2;
                Ok(Item::Nothing)
            }
            Some(b'1'..=b'9') => {
                let digits = rest[1..].iter().take_while(|b| b.is_ascii_digit()).count();
                self.at += 1 + digits;
                Ok(Item::Perhaps)
            }
            Some(b'g' | b'k') => {
                let (called, end) = match rest.get(2) {
                    Some(b'<') => (next == Some(b'g'), &b">"[..]),
                    Some(b'\'') => (next == Some(b'g'), &b"'"[..]),
                    Some(b'{') => (false, &b"}"[..]),
                    _ => {
                        let word = |b: &&u8| b.is_ascii_digit() || matches!(b, b'-' | b'+');
                        self.at += 2 + rest[2..].iter().take_while(word).count();
                        return Ok(Item::Perhaps);
                    }
                };
                let inside = rest[3..].split(|&b| b == end[0]).next().unwrap_or_default();
                if !called {
                    self.at += 3 + inside.len() + 1;
                    return Ok(Item::Perhaps);
                }
                let is_number = inside
                    .iter()
                    .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+'));
                let called = if is_number {
                    self.number(inside)
                } else {
                    Called::Name(inside.to_vec())
                };
                self.at += 3;
                Ok(self.call(called, end)?.unwrap_or(Item::Perhaps))
            }
            Some(b'x' | b'p' | b'P' | b'N' | b'o') if rest.get(2) == Some(&b'{') => {
                self.at = after(self.pattern, self.at, b"}");
                Ok(Item::Something)
            }
            _ => {
                self.at += 2;
                Ok(Item::Something)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(pattern: &str) -> Option<usize> {
        check(pattern.as_bytes(), false, true)
            .err()
            .map(|w| w.offset)
    }

    #[test]
    fn calls_that_need_not_match_anything_before() {
        assert_eq!(place("(?R)"), Some(3));
        assert_eq!(place("((?1))"), Some(4));
        assert_eq!(place("(a|(?R))*"), Some(6));
        assert_eq!(place("^(?:x?|b)(?R)"), Some(12));
        assert_eq!(place("(?<n>a*(?&n))"), Some(11));
        assert_eq!(place("(?=(a?))(b?(?2))"), Some(14));
        assert_eq!(place("(?i)(?x) (?R)"), Some(12));
    }

    #[test]
    fn calls_that_come_after_something() {
        for p in [
            "a(?R)?",
            "(a(?1)?)",
            "(?1)(a)",
            "\\((?:[^()]|(?R))*\\)",
            "(a)(?1)",
            "(?:a|b)(?R)?",
            "x{1,2}(?R)?",
            "\\Qab\\E(?R)?",
            "(?|(a)|(b))(?1)",
            "(?#(?R))a",
            "(?(?=a)(?R)|b)",
            "(?(DEFINE)(?<z>(?&z)))",
        ] {
            assert_eq!(place(p), None, "{p}");
        }
    }
}
