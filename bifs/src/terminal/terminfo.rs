//! Descriptions of terminals, as the compiler of terminfo has left them in files.
//!
//! The files are read here and not by a library: what there is for Rust trusts them (a string without an end, or
//! an offset beyond the end, is a panic), while `TERMINFO` may name any file of any user.

use super::capabilities::{BOOLEANS, Capability, NUMBERS, STRINGS};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// What a kind of terminal can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    booleans: Vec<bool>,
    numbers: Vec<Option<i32>>,
    strings: Vec<Option<Vec<u8>>>,
    own: Own,
}

/// Capabilities that only this description knows, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Own {
    booleans: Vec<(Vec<u8>, bool)>,
    numbers: Vec<(Vec<u8>, Option<i32>)>,
    strings: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

const USUAL_COLUMNS: i32 = 80;
const USUAL_ROWS: i32 = 24;

/// Where descriptions lie when the environment says nothing else.
const FOLDERS: &[&str] = &[
    "/etc/terminfo",
    "/lib/terminfo",
    "/usr/share/terminfo",
    "/usr/local/share/terminfo",
];

/// The first two bytes of a file: numbers of 16 bits, or of 32.
const SHORT_NUMBERS: usize = 0o432;
const LONG_NUMBERS: usize = 0o1036;

/// An offset that means: there is no such capability.
const NONE: usize = 0xfffe;

impl Description {
    /// The description of a terminal with this name.
    pub fn find(name: &[u8]) -> Option<Description> {
        let first = *name.first()?;
        if name.contains(&b'/') || name.contains(&0) {
            return None;
        }
        let file = PathBuf::from(std::ffi::OsString::from_vec(name.to_vec()));
        let by_letter = PathBuf::from(std::ffi::OsString::from_vec(vec![first]));
        let by_number = PathBuf::from(format!("{first:02x}"));
        folders().iter().find_map(|folder| {
            let at = |part: &Path| std::fs::read(folder.join(part).join(&file)).ok();
            Description::parse(&at(&by_letter).or_else(|| at(&by_number))?)
        })
    }

    /// Reads a compiled description; nothing if it is damaged.
    pub fn parse(file: &[u8]) -> Option<Description> {
        let mut input = Input { file, at: 0 };
        let wide = match input.short()? {
            SHORT_NUMBERS => false,
            LONG_NUMBERS => true,
            _ => return None,
        };
        let [names, booleans, numbers, strings, table] = input.counts()?;
        input.take(names)?;
        let mut d = Description {
            booleans: input.booleans(booleans)?,
            ..Description::default()
        };
        input.align();
        d.numbers = input.numbers(numbers, wide)?;
        let offsets = input.shorts(strings)?;
        let table = input.take(table)?;
        d.strings = offsets
            .into_iter()
            .map(|o| string(table, o))
            .collect::<Option<_>>()?;
        input.align();
        d.own = Own::parse(&mut input, wide).unwrap_or_default();
        Some(d)
    }

    /// The same with the size that the environment says, or else the window, or else the description, or else
    /// what was usual.
    #[must_use]
    pub fn with_size(mut self, window: Option<(u16, u16)>) -> Description {
        let (columns, rows) = window.unwrap_or_default();
        for (code, variable, window, usual) in [
            (b"co", "COLUMNS", columns, USUAL_COLUMNS),
            (b"li", "LINES", rows, USUAL_ROWS),
        ] {
            let number = |text: String| text.parse().ok().filter(|&n: &i32| n > 0);
            let said = std::env::var(variable).ok().and_then(number);
            let n = said
                .or((window > 0).then_some(i32::from(window)))
                .or_else(|| self.number(code).filter(|&n| n > 0))
                .unwrap_or(usual);
            if let Some(i) = by_code(NUMBERS, code) {
                let len = self.numbers.len().max(i + 1);
                self.numbers.resize(len, None);
                self.numbers[i] = Some(n);
            }
        }
        self
    }

    /// Is it a class of terminals and no terminal itself?
    pub fn is_generic(&self) -> bool {
        self.flag(b"gn")
    }

    /// Does it write on paper?
    pub fn is_hard_copy(&self) -> bool {
        self.flag(b"hc")
    }

    /// Can the cursor be moved, so that it may be used even though it is said to be generic?
    pub fn has_cursor(&self) -> bool {
        let has = |code| self.string_by_code(code).is_some();
        (has(b"cm") || has(b"do") && has(b"ho")) && has(b"cl")
    }

    /// A flag by its code in termcap.
    pub fn flag(&self, code: &[u8]) -> bool {
        match by_code(BOOLEANS, code) {
            Some(i) => self.booleans.get(i).copied().unwrap_or(false),
            None => own_by_code(&self.own.booleans, code).unwrap_or(false),
        }
    }

    /// A number by its code in termcap.
    pub fn number(&self, code: &[u8]) -> Option<i32> {
        match by_code(NUMBERS, code) {
            Some(i) => self.numbers.get(i).copied().flatten(),
            None => own_by_code(&self.own.numbers, code).flatten(),
        }
    }

    /// A string by its code in termcap.
    pub fn string_by_code(&self, code: &[u8]) -> Option<&[u8]> {
        match by_code(STRINGS, code) {
            Some(i) => self.strings.get(i)?.as_deref(),
            None => {
                let own = self.own.strings.iter();
                own.filter(|(name, _)| is_code(name, code))
                    .find_map(|(_, v)| v.as_deref())
            }
        }
    }

    /// A string by its name in terminfo. Nothing if there is no such name, and nothing in it if the terminal
    /// has no such string.
    pub fn string(&self, name: &[u8]) -> Option<Option<&[u8]>> {
        match STRINGS.iter().position(|c| c.name.as_bytes() == name) {
            Some(i) => Some(self.strings.get(i).and_then(|s| s.as_deref())),
            None => {
                let own = self.own.strings.iter().find(|(n, _)| n == name);
                own.map(|(_, s)| s.as_deref())
            }
        }
    }
}

/// Codes in termcap have two characters; what follows them is not looked at.
fn same_code(a: &[u8], b: &[u8]) -> bool {
    a.len() >= 2 && b.len() >= 2 && a[..2] == b[..2]
}

fn by_code(table: &[Capability], code: &[u8]) -> Option<usize> {
    let same = |c: &Capability| same_code(c.code.as_bytes(), code);
    table.iter().position(same)
}

fn is_code(name: &[u8], code: &[u8]) -> bool {
    name.len() == 2 && same_code(name, code)
}

fn own_by_code<T: Copy>(own: &[(Vec<u8>, T)], code: &[u8]) -> Option<T> {
    own.iter()
        .find(|(name, _)| is_code(name, code))
        .map(|&(_, value)| value)
}

fn folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(folder) = std::env::var_os("TERMINFO") {
        folders.push(PathBuf::from(folder));
    }
    if let Some(home) = std::env::var_os("HOME") {
        folders.push(Path::new(&home).join(".terminfo"));
    }
    if let Some(list) = std::env::var_os("TERMINFO_DIRS") {
        folders.extend(std::env::split_paths(&list).filter(|p| !p.as_os_str().is_empty()));
    }
    folders.extend(FOLDERS.iter().map(PathBuf::from));
    folders
}

/// The string at an offset of a table: nothing in it if there is none, nothing at all if it has no end.
fn string(table: &[u8], offset: usize) -> Option<Option<Vec<u8>>> {
    if offset >= NONE {
        return Some(None);
    }
    let rest = table.get(offset..)?;
    let end = rest.iter().position(|&b| b == 0)?;
    Some(Some(rest[..end].to_vec()))
}

impl Own {
    /// What follows the standard capabilities: the same again, and names.
    fn parse(input: &mut Input<'_>, wide: bool) -> Option<Own> {
        let [booleans, numbers, strings, _, table] = input.counts()?;
        let flags = input.booleans(booleans)?;
        input.align();
        let values = input.numbers(numbers, wide)?;
        let offsets = input.shorts(strings)?;
        let names = input.shorts(booleans + numbers + strings)?;
        let table = input.take(table)?;
        // Offsets of names count from where the last string ends.
        let mut texts = Vec::with_capacity(strings);
        let mut end = 0;
        for offset in offsets {
            let text = string(table, offset)?;
            if let Some(text) = &text {
                end = end.max(offset + text.len() + 1);
            }
            texts.push(text);
        }
        let table = table.get(end..)?;
        let mut names = names.into_iter().map(|offset| string(table, offset)?);
        let mut name = move || names.next()?;
        Some(Own {
            booleans: flags
                .into_iter()
                .map(|v| Some((name()?, v)))
                .collect::<Option<_>>()?,
            numbers: values
                .into_iter()
                .map(|v| Some((name()?, v)))
                .collect::<Option<_>>()?,
            strings: texts
                .into_iter()
                .map(|v| Some((name()?, v)))
                .collect::<Option<_>>()?,
        })
    }
}

/// A file that is read from its start; numbers have their low byte first.
struct Input<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let part = self.file.get(self.at..self.at.checked_add(n)?)?;
        self.at += n;
        Some(part)
    }

    /// Numbers begin at even places.
    fn align(&mut self) {
        self.at += self.at % 2;
    }

    fn short(&mut self) -> Option<usize> {
        let bytes = self.take(2)?;
        Some(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))
    }

    fn shorts(&mut self, n: usize) -> Option<Vec<usize>> {
        (0..n).map(|_| self.short()).collect()
    }

    /// How much there is of five things; a negative number is none.
    fn counts(&mut self) -> Option<[usize; 5]> {
        let mut counts = [0; 5];
        for c in &mut counts {
            *c = self.short().map(|n| if n > 0x7fff { 0 } else { n })?;
        }
        Some(counts)
    }

    fn booleans(&mut self, n: usize) -> Option<Vec<bool>> {
        Some(self.take(n)?.iter().map(|&b| b == 1).collect())
    }

    /// Negative numbers say that there is no such capability.
    fn numbers(&mut self, n: usize, wide: bool) -> Option<Vec<Option<i32>>> {
        let mut number = || {
            let value = if wide {
                let bytes = self.take(4)?;
                i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
            } else {
                let bytes = self.take(2)?;
                i32::from(i16::from_le_bytes([bytes[0], bytes[1]]))
            };
            Some((value >= 0).then_some(value))
        };
        (0..n).map(|_| number()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One flag (bw), one number (cols), two strings (cbt, bel) and one string of its own.
    fn sample() -> Vec<u8> {
        let short = |n: i16| n.to_le_bytes();
        let mut f = Vec::new();
        for n in [0o432, 4, 1, 1, 2, 5] {
            f.extend(short(n));
        }
        f.extend(b"a|b\0");
        f.push(1);
        f.push(0);
        f.extend(short(80));
        f.extend(short(0));
        f.extend(short(3));
        f.extend(b"\x1bZ\0\x07\0");
        f.push(0);
        for n in [0, 0, 1, 2, 7] {
            f.extend(short(n));
        }
        f.extend(short(0));
        f.extend(short(0));
        f.extend(b"x1\0own\0");
        f
    }

    #[test]
    fn reads_a_description() {
        let d = Description::parse(&sample()).unwrap();
        assert!(d.flag(b"bw") && !d.flag(b"am"));
        assert_eq!(d.number(b"co"), Some(80));
        assert_eq!(d.number(b"li"), None);
        assert_eq!(d.string_by_code(b"bt"), Some(&b"\x1bZ"[..]));
        assert_eq!(d.string(b"bel"), Some(Some(&b"\x07"[..])));
        assert_eq!(d.string(b"cuu1"), Some(None));
        assert_eq!(d.string(b"own"), Some(Some(&b"x1"[..])));
        assert_eq!(d.string(b"nothing"), None);
    }

    #[test]
    fn a_damaged_file_is_no_description_or_a_shorter_one() {
        let whole = sample();
        for n in 0..whole.len() {
            let _ = Description::parse(&whole[..n]);
        }
        for i in 0..whole.len() {
            let mut f = whole.clone();
            f[i] ^= 0xff;
            let _ = Description::parse(&f);
        }
        assert!(Description::parse(&whole[..28]).is_none());
    }
}
