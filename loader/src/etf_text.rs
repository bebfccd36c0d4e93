//! Prints external terms for listings. Not a decoder: nothing is built, and whatever does not look
//! right is shown as raw bytes.

use std::fmt::{self, Write};

/// Nesting deeper than this is cut off.
const MAX_DEPTH: u32 = 32;

/// Shows a term in the external format (with its version byte) in Erlang syntax.
#[derive(Clone, Copy, Debug)]
pub struct TermText<'a>(pub &'a [u8]);

impl fmt::Display for TermText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((131, body)) = self.0.split_first().map(|(version, body)| (*version, body)) else {
            return raw(f, self.0);
        };
        let mut text = String::new();
        let mut printer = Printer {
            rest: body,
            out: &mut text,
        };
        match printer.term(0) {
            Some(()) if printer.rest.is_empty() => f.write_str(&text),
            _ => raw(f, self.0),
        }
    }
}

fn raw(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("#term<")?;
    for byte in bytes.iter().take(64) {
        write!(f, "{byte:02x}")?;
    }
    if bytes.len() > 64 {
        f.write_str("...")?;
    }
    f.write_str(">")
}

struct Printer<'a, 'b> {
    rest: &'a [u8],
    out: &'b mut String,
}

impl<'a> Printer<'a, '_> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    fn number(&mut self, len: usize) -> Option<u64> {
        Some(
            self.take(len)?
                .iter()
                .fold(0, |value, &byte| value << 8 | u64::from(byte)),
        )
    }

    fn put(&mut self, text: impl fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{text}");
    }

    fn items(&mut self, count: u64, depth: u32) -> Option<()> {
        for index in 0..count {
            if index > 0 {
                self.put(',');
            }
            self.term(depth)?;
        }
        Some(())
    }

    fn term(&mut self, depth: u32) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        let depth = depth + 1;
        match self.number(1)? {
            70 => {
                let float = f64::from_bits(self.number(8)?);
                self.put(format_args!("{float:?}"));
            }
            97 => {
                let value = self.number(1)?;
                self.put(value);
            }
            98 => {
                let value = self.number(4)? as u32 as i32;
                self.put(value);
            }
            tag @ (110 | 111) => {
                let len = self.number(if tag == 110 { 1 } else { 4 })?;
                let negative = self.number(1)? != 0;
                let digits = self.take(usize::try_from(len).ok()?)?;
                self.big(negative, digits);
            }
            tag @ (100 | 115 | 118 | 119) => {
                let len = self.number(if matches!(tag, 115 | 119) { 1 } else { 2 })?;
                let bytes = self.take(len as usize)?;
                let text = if matches!(tag, 100 | 115) {
                    bytes.iter().map(|&byte| char::from(byte)).collect()
                } else {
                    String::from_utf8(bytes.to_vec()).ok()?
                };
                self.put(AtomText(&text));
            }
            tag @ (104 | 105) => {
                let count = self.number(if tag == 104 { 1 } else { 4 })?;
                self.put('{');
                self.items(count, depth)?;
                self.put('}');
            }
            106 => self.put("[]"),
            107 => {
                let len = self.number(2)?;
                let bytes = self.take(len as usize)?;
                if bytes
                    .iter()
                    .all(|byte| matches!(byte, 0x20..=0x7e | b'\n' | b'\t'))
                {
                    self.put(StringText(bytes));
                } else {
                    self.put(format_args!("{bytes:?}"));
                }
            }
            108 => {
                let count = self.number(4)?;
                self.put('[');
                self.items(count, depth)?;
                if self.rest.first() == Some(&106) {
                    self.take(1)?;
                } else {
                    self.put('|');
                    self.term(depth)?;
                }
                self.put(']');
            }
            109 => {
                let len = self.number(4)?;
                let bytes = self.take(usize::try_from(len).ok()?)?;
                self.binary(bytes);
            }
            77 => {
                let len = self.number(4)?;
                let bits = self.number(1)?;
                let bytes = self.take(usize::try_from(len).ok()?)?;
                self.put("<<");
                for (index, byte) in bytes.iter().enumerate() {
                    if index + 1 < bytes.len() {
                        self.put(format_args!("{byte},"));
                    } else {
                        self.put(format_args!(
                            "{}:{bits}",
                            u16::from(*byte) >> 8u64.saturating_sub(bits)
                        ));
                    }
                }
                self.put(">>");
            }
            116 => {
                let count = self.number(4)?;
                self.put("#{");
                for index in 0..count {
                    if index > 0 {
                        self.put(',');
                    }
                    self.term(depth)?;
                    self.put("=>");
                    self.term(depth)?;
                }
                self.put('}');
            }
            113 => {
                self.put("fun ");
                self.term(depth)?;
                self.put(':');
                self.term(depth)?;
                self.put('/');
                self.term(depth)?;
            }
            _ => return None,
        }
        Some(())
    }

    fn binary(&mut self, bytes: &[u8]) {
        if !bytes.is_empty()
            && bytes
                .iter()
                .all(|byte| matches!(byte, 0x20..=0x7e | b'\n' | b'\t'))
        {
            self.put(format_args!("<<{}>>", StringText(bytes)));
            return;
        }
        self.put("<<");
        for (index, byte) in bytes.iter().enumerate() {
            self.put(format_args!("{}{byte}", if index > 0 { "," } else { "" }));
        }
        self.put(">>");
    }

    /// A big integer in hexadecimal: exact, and without arithmetic on hostile sizes.
    fn big(&mut self, negative: bool, digits: &[u8]) {
        self.put(BigText {
            negative,
            big_endian: digits.iter().rev().copied().collect(),
        });
    }
}

/// A big integer as `16#...`.
pub(crate) struct BigText {
    negative: bool,
    /// Magnitude.
    big_endian: Vec<u8>,
}

impl BigText {
    /// From big-endian two's complement bytes.
    pub(crate) fn from_signed(bytes: &[u8]) -> BigText {
        let negative = bytes.first().is_some_and(|&byte| byte & 0x80 != 0);
        let mut big_endian = bytes.to_vec();
        if negative {
            let mut carry = true;
            for byte in big_endian.iter_mut().rev() {
                (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
            }
        }
        BigText {
            negative,
            big_endian,
        }
    }
}

impl fmt::Display for BigText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.negative { "-16#" } else { "16#" })?;
        let start = self
            .big_endian
            .iter()
            .position(|&byte| byte != 0)
            .unwrap_or(self.big_endian.len());
        match self.big_endian[start..].split_first() {
            None => f.write_char('0'),
            Some((first, rest)) => {
                write!(f, "{first:X}")?;
                rest.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
            }
        }
    }
}

/// An atom, in quotes where Erlang needs them.
pub(crate) struct AtomText<'a>(pub &'a str);

const RESERVED: [&str; 29] = [
    "after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case",
    "catch", "cond", "div", "else", "end", "fun", "if", "let", "maybe", "not", "of", "or",
    "orelse", "receive", "rem", "try", "when", "xor",
];

impl fmt::Display for AtomText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        let plain = chars.next().is_some_and(|first| first.is_ascii_lowercase())
            && chars.all(|char| char.is_ascii_alphanumeric() || char == '_' || char == '@')
            && !RESERVED.contains(&self.0);
        if plain {
            return f.write_str(self.0);
        }
        f.write_char('\'')?;
        for char in self.0.chars() {
            match char {
                '\'' | '\\' => write!(f, "\\{char}")?,
                '\n' => f.write_str("\\n")?,
                char if char.is_control() => write!(f, "\\x{{{:X}}}", char as u32)?,
                char => f.write_char(char)?,
            }
        }
        f.write_char('\'')
    }
}

/// Printable bytes as a string.
struct StringText<'a>(&'a [u8]);

impl fmt::Display for StringText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for &byte in self.0 {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", byte as char)?,
                b'\n' => f.write_str("\\n")?,
                b'\t' => f.write_str("\\t")?,
                byte => f.write_char(byte as char)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(bytes: &[u8]) -> String {
        TermText(bytes).to_string()
    }

    #[test]
    fn terms() {
        assert_eq!(show(&[131, 97, 7]), "7");
        assert_eq!(show(&[131, 98, 255, 255, 255, 254]), "-2");
        assert_eq!(show(&[131, 104, 2, 119, 2, b'o', b'k', 106]), "{ok,[]}");
        assert_eq!(show(&[131, 107, 0, 2, b'h', b'i']), "\"hi\"");
        assert_eq!(show(&[131, 109, 0, 0, 0, 2, 1, 2]), "<<1,2>>");
        assert_eq!(show(&[131, 110, 2, 1, 0, 1]), "-16#100");
        assert_eq!(show(&[131, 108, 0, 0, 0, 1, 97, 1, 97, 2]), "[1|2]");
        assert_eq!(show(&[131, 119, 3, b'e', b'n', b'd']), "'end'");
        assert_eq!(show(&[131, 97]), "#term<8361>");
        assert_eq!(show(&[131, 104, 255]), "#term<8368ff>");
        assert_eq!(show(&[]), "#term<>");
    }
}
