//! Strings with parameters, in the language of terminfo, and the delays in them.
//!
//! Where the manual leaves something open, this does what ncurses does, which BEAM calls.

/// How deep values may lie on the stack; more are forgotten.
const STACK: usize = 20;
/// A format with larger numbers is none.
const WIDEST: usize = 10_000;

/// Values that strings keep from one expansion to the next, by the letters A to Z.
#[derive(Clone, Debug, Default)]
pub struct Kept([i32; 26]);

/// Expands a string; nothing if it wants a parameter that is not there, or text.
pub fn expand(string: &[u8], given: &[i32], kept: &mut Kept) -> Option<Vec<u8>> {
    let wants = Wants::of(string);
    if wants.text || wants.highest > given.len() {
        return None;
    }
    let mut parameters = [0; 9];
    for (p, g) in parameters.iter_mut().zip(given) {
        *p = *g;
    }
    // A string that names no parameter takes them in order, as those of termcap do.
    let unnamed = wants.highest == 0;
    let stack = match unnamed {
        true => parameters[..wants.values.min(9)]
            .iter()
            .rev()
            .copied()
            .collect(),
        false => Vec::new(),
    };
    let mut machine = Machine {
        input: Input { rest: string },
        parameters,
        unnamed,
        stack,
        kept,
        own: [0; 26],
        out: Vec::new(),
    };
    machine.run();
    Some(machine.out)
}

/// What a string wants to be given.
#[derive(Default)]
struct Wants {
    /// The highest parameter that it names.
    highest: usize,
    /// How many values it takes, if each is a parameter.
    values: usize,
    /// Is one of them text?
    text: bool,
}

impl Wants {
    fn of(string: &[u8]) -> Wants {
        let mut input = Input { rest: string };
        let mut wants = Wants::default();
        let mut last = 0;
        while let Some(b) = input.next() {
            if b != b'%' {
                continue;
            }
            input.format();
            match input.next() {
                Some(b'd' | b'o' | b'x' | b'X' | b'c') => {
                    wants.values += usize::from(last == 0);
                    last = 0;
                }
                Some(b'l' | b's') => {
                    wants.text |= last > 0;
                    wants.values += 1;
                }
                Some(b'p') => {
                    let digit = input.next().unwrap_or(0).wrapping_sub(b'0');
                    if digit <= 9 {
                        last = usize::from(digit);
                        wants.highest = wants.highest.max(last);
                    }
                }
                Some(b'P') => {
                    wants.values += 1;
                    input.next();
                }
                Some(b'g') => {
                    input.next();
                }
                Some(b'\'') => {
                    input.next();
                    input.next();
                    last = 0;
                }
                Some(b'{') => {
                    input.number();
                }
                Some(op) if is_binary(op) => {
                    wants.values += 2;
                    last = 0;
                }
                Some(b'!' | b'~') => {
                    wants.values += 1;
                    last = 0;
                }
                _ => {}
            }
        }
        wants
    }
}

fn is_binary(op: u8) -> bool {
    b"+-*/m&|^=><AO".contains(&op)
}

struct Input<'a> {
    rest: &'a [u8],
}

impl Input<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (&b, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(b)
    }

    /// What stands between `%` and the operation: `[[:]flags][width[.precision]]`.
    fn format(&mut self) -> Format {
        let mut f = Format::default();
        let mut minus = false;
        let mut good = true;
        let mut dot = false;
        while let Some(b) = self.peek() {
            match b {
                b':' => minus = true,
                b'-' if minus => f.left = true,
                b' ' => f.space = true,
                b'#' => f.prefix = true,
                b'.' => {
                    good &= !dot;
                    dot = true;
                    f.precision = Some(0);
                }
                b'0'..=b'9' => {
                    f.zeros |= b == b'0' && !dot && f.width == 0;
                    let n = match &mut f.precision {
                        Some(n) => n,
                        None => &mut f.width,
                    };
                    *n = (*n * 10 + usize::from(b - b'0')).min(WIDEST + 1);
                    good &= *n <= WIDEST;
                }
                _ => break,
            }
            self.next();
        }
        if good { f } else { Format::default() }
    }

    fn number(&mut self) -> i32 {
        let mut n = 0i32;
        while let Some(d) = self.peek().filter(u8::is_ascii_digit) {
            n = n.saturating_mul(10).saturating_add(i32::from(d - b'0'));
            self.next();
        }
        n
    }
}

struct Machine<'a> {
    input: Input<'a>,
    parameters: [i32; 9],
    /// Were the parameters put on the stack at the start?
    unnamed: bool,
    stack: Vec<i32>,
    kept: &'a mut Kept,
    own: [i32; 26],
    out: Vec<u8>,
}

impl Machine<'_> {
    fn push(&mut self, n: i32) {
        if self.stack.len() < STACK {
            self.stack.push(n);
        }
    }

    fn pop(&mut self) -> i32 {
        self.stack.pop().unwrap_or(0)
    }

    fn run(&mut self) {
        while let Some(b) = self.input.next() {
            if b != b'%' {
                self.out.push(b);
            } else if self.operation().is_none() {
                // The string ends within an operation.
                return;
            }
        }
    }

    fn operation(&mut self) -> Option<()> {
        let format = self.input.format();
        let op = self.input.next()?;
        match op {
            b'd' | b'o' | b'x' | b'X' => {
                let value = self.pop();
                let text = format.number(op, value);
                self.out.extend_from_slice(text.as_bytes());
            }
            // Only a parameter could be text, and none is.
            b's' => {
                self.pop();
            }
            b'%' => self.out.push(b'%'),
            b'c' => {
                // A zero would end the string for whoever sends it.
                let byte = self.pop() as u8;
                self.out.push(if byte == 0 { 0o200 } else { byte });
            }
            b'p' => {
                let n = self.input.next()?.wrapping_sub(b'1');
                if let Some(&p) = self.parameters.get(usize::from(n)) {
                    self.push(p);
                }
            }
            b'P' => {
                let letter = self.input.next()?;
                let value = self.pop();
                if let Some(place) = self.variable(letter) {
                    *place = value;
                }
            }
            b'g' => {
                let letter = self.input.next()?;
                if let Some(value) = self.variable(letter).map(|p| *p) {
                    self.push(value);
                }
            }
            b'\'' => {
                let byte = self.input.next()?;
                self.push(i32::from(byte));
                self.input.next()?;
            }
            b'{' => {
                let n = self.input.number();
                self.push(n);
                self.input.next()?;
            }
            // Only a string has a length, and no parameter is one.
            b'l' => {
                self.pop();
                self.push(0);
            }
            b'i' => {
                for i in 0..2 {
                    let next = self.parameters[i].wrapping_add(1);
                    self.parameters[i] = next;
                    // That the second is then taken first is what ncurses does.
                    if self.unnamed
                        && let Some(v) = self.stack.get_mut(i)
                    {
                        *v = next;
                    }
                }
            }
            b'!' => {
                let n = self.pop();
                self.push(i32::from(n == 0));
            }
            b'~' => {
                let n = self.pop();
                self.push(!n);
            }
            b't' => {
                if self.pop() == 0 {
                    self.skip(true);
                }
            }
            b'e' => self.skip(false),
            _ => self.binary(op),
        }
        Some(())
    }

    fn variable(&mut self, letter: u8) -> Option<&mut i32> {
        match letter {
            b'A'..=b'Z' => self.kept.0.get_mut(usize::from(letter - b'A')),
            b'a'..=b'z' => self.own.get_mut(usize::from(letter - b'a')),
            _ => None,
        }
    }

    /// An operation on two values; one that does not exist does nothing.
    fn binary(&mut self, op: u8) {
        if !is_binary(op) {
            return;
        }
        let (y, x) = (self.pop(), self.pop());
        self.push(match op {
            b'+' => x.wrapping_add(y),
            b'-' => x.wrapping_sub(y),
            b'*' => x.wrapping_mul(y),
            b'/' => x.checked_div(y).unwrap_or(0),
            b'm' => x.checked_rem(y).unwrap_or(0),
            b'&' => x & y,
            b'|' => x | y,
            b'^' => x ^ y,
            b'=' => i32::from(x == y),
            b'>' => i32::from(x > y),
            b'<' => i32::from(x < y),
            b'A' => i32::from(x != 0 && y != 0),
            _ => i32::from(x != 0 || y != 0),
        });
    }

    /// Skips to the end of the part of a condition that does not apply: to `%;`, or also to `%e`.
    fn skip(&mut self, or_else: bool) {
        let mut level = 0;
        while let Some(b) = self.input.next() {
            if b != b'%' {
                continue;
            }
            match self.input.next() {
                Some(b'?') => level += 1,
                Some(b';') if level == 0 => return,
                Some(b';') => level -= 1,
                Some(b'e') if level == 0 && or_else => return,
                _ => {}
            }
        }
    }
}

/// How a number is printed.
#[derive(Default)]
struct Format {
    left: bool,
    space: bool,
    prefix: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
}

impl Format {
    fn number(&self, kind: u8, value: i32) -> String {
        let (head, digits) = match kind {
            b'd' if value < 0 => ("-", value.unsigned_abs().to_string()),
            b'd' => (if self.space { " " } else { "" }, value.to_string()),
            b'o' => ("0", format!("{value:o}")),
            b'x' => ("0x", format!("{value:x}")),
            _ => ("0X", format!("{value:X}")),
        };
        let head = if kind == b'd' || self.prefix && value != 0 {
            head
        } else {
            ""
        };
        let least = match self.precision {
            Some(n) => n,
            None if self.zeros && !self.left => self.width.saturating_sub(head.len()),
            None => 0,
        };
        let number = format!("{head}{digits:0>least$}");
        let width = self.width;
        if self.left {
            format!("{number:<width$}")
        } else {
            format!("{number:>width$}")
        }
    }
}

/// A string that moves the cursor, for a column and a line.
pub fn goto(string: &[u8], column: i32, line: i32, kept: &mut Kept) -> Option<Vec<u8>> {
    expand(string, &[line, column], kept)
}

/// A string as it is sent: without the delays that are written as `$<...>`. Terminals that need time to obey
/// were on slow lines; nobody waits for a terminal that is a program.
pub fn without_delays(string: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(string.len());
    let mut rest = string;
    while let Some((&b, after)) = rest.split_first() {
        rest = after;
        match (b, delay(after)) {
            (b'$', Some(n)) => rest = &after[n..],
            (b'$', None) if after.first().is_some_and(|&next| next != b'<') => {
                out.extend_from_slice(&[b, after[0]]);
                rest = &after[1..];
            }
            _ => out.push(b),
        }
    }
    out
}

/// The length of a delay after its `$`: `<digits[.digits][*/]>`.
fn delay(text: &[u8]) -> Option<usize> {
    let mut input = Input {
        rest: text.strip_prefix(b"<")?,
    };
    let first = input.peek()?;
    if !first.is_ascii_digit() && first != b'.' || !input.rest.contains(&b'>') {
        return None;
    }
    input.number();
    if input.peek() == Some(b'.') {
        input.next();
        input.number();
    }
    while let Some(b'*' | b'/') = input.peek() {
        input.next();
    }
    input.next();
    Some(text.len() - input.rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(s: &str, p: &[i32]) -> Option<String> {
        let out = expand(s.as_bytes(), p, &mut Kept::default())?;
        Some(String::from_utf8_lossy(&out).into_owned())
    }

    fn text(s: &str, p: &[i32]) -> String {
        with(s, p).unwrap()
    }

    #[test]
    fn parameters_and_arithmetic() {
        assert_eq!(text("\x1b[%i%p1%d;%p2%dH", &[4, 9]), "\x1b[5;10H");
        assert_eq!(text("%p1%{3}%*%'a'%+%c", &[1]), "d");
        assert_eq!(text("%p1%{0}%/%d", &[7]), "0");
        assert_eq!(text("%p1%!%d%p1%~%d", &[0]), "1-1");
        assert_eq!(text("%p1%PA%gA%gA%+%d", &[4]), "8");
        assert_eq!(with("%p3%d", &[4, 9]), None);
        assert_eq!(with("%p1%s", &[4]), None);
    }

    #[test]
    fn parameters_without_names() {
        assert_eq!(text("%d %d %d", &[4, 9]), "4 9 0");
        assert_eq!(text("\x1b[%i%d;%dH", &[4, 9]), "\x1b[10;5H");
        assert_eq!(text("\x1b=%+ %+ ", &[4, 9]), "\x1b=  ");
    }

    #[test]
    fn conditions() {
        let s = "%?%p1%{8}%<%t3%p1%d%e%p1%{16}%<%t9%p1%{8}%-%d%e38;5;%p1%d%;m";
        assert_eq!(text(s, &[3]), "33m");
        assert_eq!(text(s, &[9]), "91m");
        assert_eq!(text(s, &[200]), "38;5;200m");
        assert_eq!(text("%?%p1%t%?%p2%ta%eb%;%ec%;d", &[0, 1]), "cd");
        assert_eq!(text("%?%{0}%t1%eabc%", &[]), "abc");
    }

    #[test]
    fn formats() {
        assert_eq!(
            text("%p1%5d|%p1%:-5d|%p1%05d|%p1%.3x|%p1%10.3d", &[42]),
            "   42|42   |00042|02a|       042"
        );
        assert_eq!(text("%p1%-5d|", &[4]), "5d|");
        assert_eq!(text("%p1%:+d", &[4]), "d");
        assert_eq!(text("%p1%#x%p1%99999d", &[4]), "0x44");
        assert_eq!(text("%5%|%p1%5c", &[65]), "%|A");
    }

    #[test]
    fn whatever_a_string_holds() {
        for s in [
            "%", "%p", "%{", "%'", "%?", "%t", "%e", "%:", "%P", "%g!", "%;", "%+", "%z",
        ] {
            with(s, &[1]);
        }
    }

    #[test]
    fn delays() {
        let sent = without_delays(b"a$<5*/>b$<.>c$<x>$$<1.5>");
        assert_eq!(sent, b"abc$<x>$$<1.5>");
        assert_eq!(without_delays(b"a$<100/>b"), b"ab");
        assert_eq!(without_delays(b"a$<5 >b$<5"), b"a>b$<5");
    }
}
