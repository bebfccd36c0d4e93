//! What precedes the code of a pattern: settings, limits, names.

use super::super::code::Settings;
use pcre2_sys as sys;

/// Begins the code, in the byte order of this machine.
pub(super) const MAGIC: u32 = 0x5043_5245;
/// Size of what precedes names and code.
const HEADER: usize = 64;
/// The flag of code for bytes.
const BYTES: u32 = 1;
/// Flags: the pattern itself allows names to repeat, limits steps, limits depth.
const NAMES_REPEAT: u32 = 0x400;
const STEPS_LIMITED: u32 = 0x2000;
const DEPTH_LIMITED: u32 = 0x4000;

/// Options of the first generation that still say something when the pattern is compiled, and the second's.
const OPTIONS: [(u32, u32); 8] = [
    (0x10, sys::PCRE2_ANCHORED),
    (0x20, sys::PCRE2_DOLLAR_ENDONLY),
    (0x800, sys::PCRE2_UTF),
    (0x1_0000, sys::PCRE2_NEVER_UTF),
    (0x4_0000, sys::PCRE2_FIRSTLINE),
    (0x8_0000, sys::PCRE2_DUPNAMES),
    (0x400_0000, sys::PCRE2_NO_START_OPTIMIZE),
    (0x2000_0000, sys::PCRE2_UCP),
];

/// What is known of a pattern besides its code.
pub(super) struct Header<'a> {
    pub settings: Settings,
    /// Most steps and greatest depth that the pattern allows itself.
    pub limits: [Option<u32>; 2],
    /// Numbers and names of groups, in the order in which the code refers to them.
    pub names: Vec<(u16, &'a [u8])>,
    pub code: &'a [u8],
}

impl Header<'_> {
    /// Are pattern and subject UTF-8?
    pub fn utf(&self) -> bool {
        self.settings.options & sys::PCRE2_UTF != 0
    }
}

/// Reads it; nothing if this is no compiled pattern.
pub(super) fn read(bytes: &[u8]) -> Option<Header<'_>> {
    let long = |at: usize| -> Option<u32> {
        Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    let short = |at: usize| -> Option<usize> {
        let two = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(usize::from(u16::from_ne_bytes(two)))
    };
    let flags = long(12)?;
    if long(0)? != MAGIC || long(4)? as usize != bytes.len() || flags & BYTES == 0 {
        return None;
    }
    let given = long(8)?;
    let mut settings = Settings {
        // What a point does not match is written otherwise.
        options: sys::PCRE2_DOTALL,
        newline: match given & 0x70_0000 {
            0 => 0,
            0x10_0000 => sys::PCRE2_NEWLINE_CR,
            0x20_0000 => sys::PCRE2_NEWLINE_LF,
            0x30_0000 => sys::PCRE2_NEWLINE_CRLF,
            0x40_0000 => sys::PCRE2_NEWLINE_ANY,
            0x50_0000 => sys::PCRE2_NEWLINE_ANYCRLF,
            _ => return None,
        },
        bsr: match given & 0x180_0000 {
            0x80_0000 => sys::PCRE2_BSR_ANYCRLF,
            0x100_0000 => sys::PCRE2_BSR_UNICODE,
            _ => 0,
        },
    };
    for (_, option) in OPTIONS.iter().filter(|o| given & o.0 != 0) {
        settings.options |= option;
    }
    if flags & NAMES_REPEAT != 0 {
        settings.options |= sys::PCRE2_DUPNAMES;
    }
    let limit = |flag: u32, at: usize| Some(long(at)?).filter(|_| flags & flag != 0);
    let (names_at, size, count) = (short(34)?, short(36)?, short(38)?);
    if names_at != HEADER || count > 0 && size < 4 {
        return None;
    }
    let code_at = names_at + size * count;
    let table = bytes.get(names_at..code_at)?;
    Some(Header {
        settings,
        limits: [limit(STEPS_LIMITED, 16), limit(DEPTH_LIMITED, 20)],
        names: table
            .chunks_exact(size.max(1))
            .map(name_entry)
            .collect::<Option<_>>()?,
        code: &bytes[code_at..],
    })
}

/// An entry of the table of names: a number, and text that ends with 0.
fn name_entry(entry: &[u8]) -> Option<(u16, &[u8])> {
    let (number, text) = entry.split_first_chunk()?;
    let end = text.iter().position(|&b| b == 0)?;
    Some((u16::from_be_bytes(*number), &text[..end]))
}
