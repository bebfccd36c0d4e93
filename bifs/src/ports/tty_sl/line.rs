//! The line under the cursor: what is on it, where the cursor stands, and what has to be sent to the terminal so
//! that it shows what became of it.
//!
//! A character of the line may take several cells of the buffer: one that cannot be printed is shown as two or
//! more that can. Moving and deleting count characters; the cursor moves by columns, which depend on how wide
//! characters are.

use crate::terminal::locale;
use std::ops::Range;

/// Beyond this a line is ended.
const LONGEST: usize = 1 << 16;
/// Tabs stand this far apart.
const TAB: usize = 8;

/// What to send for the cursor's steps.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// To the line above.
    pub up: Vec<u8>,
    /// To the line below.
    pub down: Vec<u8>,
    /// To the left.
    pub left: Vec<u8>,
    /// To the right.
    pub right: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Char(u32),
    /// A control character, shown as `^X`, and the cell after it.
    Control(u8),
    /// A character that the terminal's character set does not have, shown by its number.
    Number(u32),
    Tab,
    /// The start of a sequence that the terminal understands.
    Escape,
    /// More room for the character before.
    Pad,
}

/// The line, and what is to be sent.
pub struct Line {
    cells: Vec<Cell>,
    at: usize,
    /// Columns of the terminal.
    pub columns: usize,
    /// Does the cursor stay in the last column when that was written?
    pub stays: bool,
    /// How the cursor moves.
    pub steps: Steps,
    /// Does the terminal take UTF-8?
    pub utf8: bool,
    out: Vec<u8>,
}

impl Line {
    /// An empty line.
    pub fn new(columns: usize, stays: bool, steps: Steps, utf8: bool) -> Line {
        Line {
            cells: Vec::new(),
            at: 0,
            columns: columns.max(1),
            stays,
            steps,
            utf8,
            out: Vec::new(),
        }
    }

    /// What is to be sent to the terminal after what was done.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Rings.
    pub fn beep(&mut self) {
        self.out.push(7);
    }

    /// Ends a line that has become too long.
    pub fn limit(&mut self) {
        if self.at > LONGEST {
            self.put(b"\n");
        }
    }

    /// Writes text over what is there.
    pub fn put(&mut self, text: &[u8]) {
        let n = self.place(text);
        self.write(self.at - n..self.at, false);
    }

    /// Moves the cursor over characters.
    pub fn step(&mut self, n: i16) {
        let to = self.over(n);
        self.go(self.at, to);
        self.at = to;
    }

    /// Puts text before what is there.
    pub fn insert(&mut self, text: &[u8]) {
        let tail = self.cells.split_off(self.at.min(self.cells.len()));
        let n = self.place(text);
        self.cells.truncate(self.at);
        self.cells.extend(tail);
        let end = self.cells.len();
        self.write(self.at - n..end, false);
        self.go(end, self.at);
    }

    /// Deletes characters after the cursor, or before it if the number is negative.
    pub fn delete(&mut self, n: i16) {
        let other = self.over(n);
        let gone = if other > self.at {
            let gone = self.column(other) - self.column(self.at);
            self.cells.drain(self.at..other);
            gone
        } else if other < self.at {
            let gone = self.column(self.at) - self.column(other);
            self.go(self.at, other);
            self.cells.drain(other..self.at);
            self.at = other;
            gone
        } else {
            return;
        };
        let end = self.cells.len();
        self.write(self.at..end, false);
        self.out.resize(self.out.len() + gone, b' ');
        if self.stays && (self.column(end) + gone).is_multiple_of(self.columns) {
            self.out.push(b' ');
            self.left(1);
        }
        self.go(end + gone, self.at);
    }

    /// The place that many characters away, within the line.
    fn over(&self, n: i16) -> usize {
        let pad = |at: usize| self.cells.get(at) == Some(&Cell::Pad);
        let mut at = self.at;
        for _ in 0..n.unsigned_abs() {
            if n > 0 && at < self.cells.len() {
                at += 1;
                while pad(at) {
                    at += 1;
                }
            } else if n < 0 && at > 0 {
                at -= 1;
                while at > 0 && pad(at) {
                    at -= 1;
                }
            }
        }
        at
    }

    fn set(&mut self, cell: Cell) {
        match self.cells.get_mut(self.at) {
            Some(c) => *c = cell,
            None => self.cells.push(cell),
        }
        self.at += 1;
    }

    /// Puts text into the buffer at the cursor; a line that ends is sent, and the next begins. Gives how many
    /// cells before the cursor are to be sent.
    fn place(&mut self, text: &[u8]) -> usize {
        let mut from = self.at;
        let mut rest = text;
        while !rest.is_empty() {
            let (c, n) = first_char(rest);
            rest = &rest[n..];
            let byte = u8::try_from(c).unwrap_or(0x80);
            let printable = c < 256 && locale::is_printable(byte);
            if printable || self.utf8 && c >= 128 {
                self.set(Cell::Char(c));
            } else if c >= 128 {
                self.set(Cell::Number(c));
                for _ in 0..number(c).len() {
                    self.set(Cell::Pad);
                }
            } else if byte == b'\t' {
                self.set(Cell::Tab);
                while !self.at.is_multiple_of(TAB) {
                    self.set(Cell::Pad);
                }
            } else if byte == 0x1b {
                self.set(Cell::Escape);
            } else if byte == b'\n' || byte == b'\r' {
                self.write(from..self.at, true);
                self.out.push(b'\r');
                if byte == b'\n' {
                    self.out.push(b'\n');
                }
                self.cells.drain(..self.at);
                self.at = 0;
                from = 0;
            } else {
                self.set(Cell::Control(byte));
                self.set(Cell::Pad);
            }
        }
        self.at - from
    }

    /// Sends part of the line. Where the cursor may stay in the last column, it is moved on to the next line,
    /// unless that happens by itself.
    fn write(&mut self, cells: Range<usize>, line_ends: bool) {
        let end = cells.end;
        let mut last = vec![b' '];
        let mut at = cells.start;
        while at < end {
            let shown = match self.cells[at] {
                Cell::Char(c) if self.utf8 => {
                    let mut utf8 = [0; 4];
                    // What is no character is not shown.
                    let text = char::from_u32(c).map(|c| c.encode_utf8(&mut utf8).as_bytes());
                    text.unwrap_or_default().to_vec()
                }
                Cell::Char(c) => vec![c as u8],
                Cell::Control(c) => vec![b'^', c | 0x40],
                Cell::Number(c) => [b"\\", number(c).as_bytes()].concat(),
                Cell::Tab => vec![b' '; self.with_pads(at) - at],
                Cell::Escape => vec![0x1b],
                Cell::Pad => Vec::new(),
            };
            self.out.extend_from_slice(&shown);
            at = self.with_pads(at).min(end);
            let whole = matches!(self.cells[at - 1], Cell::Char(_)) && self.utf8;
            if let Some(&byte) = shown.last() {
                last = if whole { shown } else { vec![byte] };
            }
        }
        let full = end != 0 && self.column(end).is_multiple_of(self.columns);
        if !line_ends && self.stays && full {
            if end >= self.cells.len() {
                self.out.push(b' ');
            } else {
                self.out.extend_from_slice(&last);
            }
            self.left(1);
        }
    }

    /// Where the character that starts in a cell ends.
    fn with_pads(&self, at: usize) -> usize {
        let pads = self.cells[at + 1..].iter();
        at + 1 + pads.take_while(|&&c| c == Cell::Pad).count()
    }

    /// Moves the terminal's cursor from one place of the line to another.
    fn go(&mut self, from: usize, to: usize) {
        let (from, to) = (self.column(from), self.column(to));
        let place = |column: usize| (column / self.columns, column % self.columns);
        let ((from_row, from_column), (to_row, to_column)) = (place(from), place(to));
        let mut send = |n: usize, step: &[u8]| {
            for _ in 0..n {
                self.out.extend_from_slice(step);
            }
        };
        send(to_row.saturating_sub(from_row), &self.steps.down);
        send(from_row.saturating_sub(to_row), &self.steps.up);
        send(to_column.saturating_sub(from_column), &self.steps.right);
        send(from_column.saturating_sub(to_column), &self.steps.left);
    }

    fn left(&mut self, n: usize) {
        for _ in 0..n {
            self.out.extend_from_slice(&self.steps.left);
        }
    }

    /// Columns before a place of the line. Places beyond the line's end are a column wide; sequences for the
    /// terminal, and whatever is shown as something else, have no width.
    fn column(&self, place: usize) -> usize {
        let len = self.cells.len();
        let mut column = place.saturating_sub(len);
        let place = place.min(len);
        let mut at = 0;
        while at < place {
            match self.cells[at] {
                Cell::Escape => at += self.sequence(at),
                Cell::Char(c) => {
                    let width = libc::wchar_t::try_from(c).ok().and_then(locale::width);
                    column += width.unwrap_or(0) as usize;
                    at += 1;
                }
                _ => at += 1,
            }
        }
        column
    }

    /// The cells of a sequence for the terminal, up to what ends it: `ESC [ digits ; digits m`.
    fn sequence(&self, at: usize) -> usize {
        let rest = &self.cells[at + 1..];
        match rest.first() {
            None => 1,
            Some(Cell::Char(0x5b)) => {
                let part = |c: &&Cell| matches!(c, Cell::Char(0x30..=0x39 | 0x3b));
                3 + rest[1..].iter().take_while(part).count()
            }
            Some(_) => 2,
        }
    }
}

/// The first character of a text in UTF-8, and its length; a byte that is no part of one stands for itself.
fn first_char(text: &[u8]) -> (u32, usize) {
    let len = match text[0] {
        0..0x80 => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 0,
    };
    let c = text.get(..len).and_then(|t| str::from_utf8(t).ok());
    match c.and_then(|t| t.chars().next()) {
        Some(c) => (u32::from(c), len),
        None => (u32::from(text[0]), 1),
    }
}

/// How a character is shown that the terminal does not have, after a backslash.
fn number(c: u32) -> String {
    if c < 0o1000 {
        format!("{c:03o}")
    } else {
        format!("x{{{c:X}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(columns: usize, utf8: bool) -> Line {
        let steps = Steps {
            up: b"U".to_vec(),
            down: b"D".to_vec(),
            left: b"L".to_vec(),
            right: b"R".to_vec(),
        };
        Line::new(columns, true, steps, utf8)
    }

    fn sent(l: &mut Line) -> String {
        String::from_utf8(l.take()).unwrap()
    }

    #[test]
    fn inserting_and_deleting() {
        let mut l = line(80, true);
        l.put(b"1> ");
        l.insert(b"abc");
        l.step(-2);
        l.insert(b"x");
        assert_eq!(sent(&mut l), "1> abcLLxbcLL");
        l.delete(-1);
        assert_eq!(sent(&mut l), "Lbc LLL");
        l.delete(5);
        assert_eq!(sent(&mut l), "  LL");
        l.put(b"\n2> ");
        assert_eq!(sent(&mut l), "\r\n2> ");
    }

    #[test]
    fn the_last_column() {
        let mut l = line(4, true);
        l.insert(b"abcd");
        assert_eq!(sent(&mut l), "abcd L");
        l.step(-1);
        assert_eq!(sent(&mut l), "URRR");
    }

    #[test]
    fn what_cannot_be_printed() {
        let mut l = line(80, false);
        l.put(b"> ");
        l.insert(b"\x01\t\xe2\x82\xac\xc3\xa9");
        assert_eq!(sent(&mut l), "> ^A    \\x{20AC}\\351");
        l.step(-4);
        l.step(2);
        l.delete(-2);
        assert!(!l.take().is_empty());
        l.step(i16::MIN);
        l.delete(i16::MAX);
    }
}
