//! Compiled patterns: a safe layer over the C library.

use super::dialect::{self, Text};
use super::errors::{Wrong, first_generation};
use super::{place, recursion};
use enigma_runtime::release;
use pcre2_sys as sys;
use std::cell::RefCell;
use std::ptr;
use std::sync::{Arc, LazyLock};

/// What decides how a pattern is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// Options of the library.
    pub options: u32,
    /// What ends a line, or 0 for the default.
    pub newline: u32,
    /// What `\R` matches, or 0 for the default.
    pub bsr: u32,
}

/// A compiled pattern.
pub struct Code {
    code: *mut sys::pcre2_code_8,
    /// How it was compiled.
    pub settings: Settings,
    /// The pattern.
    pub pattern: Box<[u8]>,
    /// Number of groups.
    pub groups: usize,
    /// Can a line end in more than one byte?
    pub crlf: bool,
    /// Groups with names: number and name, sorted by name.
    pub names: Vec<(u16, Box<[u8]>)>,
    /// May several groups have one name?
    pub duplicate_names: bool,
    /// Is the subject UTF-8?
    pub utf: bool,
}

// SAFETY: the library does not change compiled patterns when it matches.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

impl Drop for Code {
    fn drop(&mut self) {
        // SAFETY: made by `pcre2_compile_8` and owned.
        unsafe { sys::pcre2_code_free_8(self.code) }
    }
}

/// How deep groups may be nested. The first generation had no limit of its own, but its memory for compiling
/// was full of groups behind that many.
fn nesting() -> u32 {
    if first_generation() { 798 } else { 10_000 }
}

struct Context(*mut sys::pcre2_compile_context_8);

// SAFETY: the context is not changed after it was made.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

/// Compile contexts by newline and `\R` convention.
fn context(newline: u32, bsr: u32) -> *mut sys::pcre2_compile_context_8 {
    static ALL: LazyLock<parking_lot::Mutex<Vec<(u32, u32, Context)>>> =
        LazyLock::new(Default::default);
    let mut all = ALL.lock();
    if let Some(c) = all.iter().find(|c| c.0 == newline && c.1 == bsr) {
        return c.2.0;
    }
    // SAFETY: plain calls of the library with a context that it made; the tables are never freed.
    let c = unsafe {
        let c = sys::pcre2_compile_context_create_8(ptr::null_mut());
        sys::pcre2_set_newline_8(
            c,
            if newline == 0 {
                sys::PCRE2_NEWLINE_LF
            } else {
                newline
            },
        );
        sys::pcre2_set_bsr_8(
            c,
            if bsr == 0 {
                sys::PCRE2_BSR_UNICODE
            } else {
                bsr
            },
        );
        sys::pcre2_set_parens_nest_limit_8(c, nesting());
        if first_generation() {
            sys::pcre2_set_compile_extra_options_8(c, sys::PCRE2_EXTRA_ALLOW_LOOKAROUND_BSK);
            sys::pcre2_set_max_varlookbehind_8(c, 0);
            sys::pcre2_set_character_tables_8(c, LATIN1.as_ptr());
        }
        c
    };
    all.push((newline, bsr, Context(c)));
    c
}

/// Character tables for Latin-1: lower case, flipped case, classes as bit maps, types.
static LATIN1: LazyLock<Box<[u8; 1088]>> = LazyLock::new(|| {
    let mut t = Box::new([0u8; 1088]);
    let upper = |c: u8| c.is_ascii_uppercase() || matches!(c, 0xc0..=0xd6 | 0xd8..=0xde);
    let lower = |c: u8| {
        c.is_ascii_lowercase() || matches!(c, 0xaa | 0xb5 | 0xba | 0xdf..=0xf6 | 0xf8..=0xff)
    };
    let flip = |c: u8| match c {
        _ if upper(c) => c + 32,
        0xaa | 0xb5 | 0xba | 0xdf | 0xff => c,
        _ if lower(c) => c - 32,
        _ => c,
    };
    let space = |c: u8| matches!(c, 9..=13 | 32);
    let control = |c: u8| c < 32 || (127..160).contains(&c);
    let graph = |c: u8| !control(c) && c != 32 && c != 0xa0;
    for c in 0..=255u8 {
        let i = usize::from(c);
        t[i] = if upper(c) { c + 32 } else { c };
        t[256 + i] = flip(c);
        let letter = upper(c) || lower(c);
        let digit = c.is_ascii_digit();
        let word = letter || digit || c == b'_';
        let classes = [
            space(c),
            c.is_ascii_hexdigit(),
            digit,
            upper(c),
            lower(c),
            word,
            graph(c),
            graph(c) || c == 32 || c == 0xa0,
            graph(c) && !letter && !digit,
            control(c),
        ];
        for (n, _) in classes.iter().enumerate().filter(|c| *c.1) {
            t[512 + 32 * n + i / 8] |= 1 << (i % 8);
        }
        let types = [space(c), letter, lower(c), digit, word];
        t[832 + i] = types
            .iter()
            .enumerate()
            .map(|(n, &b)| u8::from(b) << n)
            .sum();
    }
    t
});

/// One call of the library's compiler; the caller owns the result.
fn compile(pattern: &[u8], settings: Settings) -> Result<*mut sys::pcre2_code_8, Wrong> {
    let (mut number, mut offset) = (0, 0);
    // SAFETY: the pattern is given with its length; the context lives for ever.
    let code = unsafe {
        sys::pcre2_compile_8(
            pattern.as_ptr(),
            pattern.len(),
            settings.options,
            &mut number,
            &mut offset,
            context(settings.newline, settings.bsr),
        )
    };
    if code.is_null() {
        Err(Wrong { number, offset })
    } else {
        Ok(code)
    }
}

/// A number that the library knows of a compiled pattern.
fn info(code: *const sys::pcre2_code_8, what: u32) -> u32 {
    let mut value: u32 = 0;
    // SAFETY: all items asked for are 32-bit numbers.
    unsafe { sys::pcre2_pattern_info_8(code, what, (&raw mut value).cast()) };
    value
}

/// Is the set of bytes that a match may begin with too small? When a UTF-8 pattern begins with a word
/// character, the library puts the ASCII ones into that set, but not the first bytes of the others that the
/// tables for Latin-1 have.
fn may_miss_letters(code: *const sys::pcre2_code_8) -> bool {
    let all = info(code, sys::PCRE2_INFO_ALLOPTIONS);
    if !first_generation() || all & sys::PCRE2_UTF == 0 || all & sys::PCRE2_UCP != 0 {
        return false;
    }
    let mut set: *const [u8; 32] = ptr::null();
    // SAFETY: this item is a pointer to a bit for each byte, in the compiled pattern, or null.
    let set = unsafe {
        sys::pcre2_pattern_info_8(code, sys::PCRE2_INFO_FIRSTBITMAP, (&raw mut set).cast());
        set.as_ref()
    };
    set.is_some_and(|set| {
        let has = |byte: u8| set[usize::from(byte) / 8] & 1 << (byte % 8) != 0;
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        (0..128).filter(|&b| word(b)).all(has) && !(has(0xc2) && has(0xc3))
    })
}

impl Code {
    /// Compiles a pattern.
    pub fn compile(mut pattern: &[u8], settings: Settings) -> Result<Code, Wrong> {
        if first_generation()
            && let Some(end) = pattern.iter().position(|&b| b == 0)
        {
            // The library was given a C string.
            pattern = &pattern[..end];
        }
        let mut text = Text::new(pattern);
        if first_generation() {
            let has = |option| settings.options & option != 0;
            text.translate(has(sys::PCRE2_EXTENDED))?;
            let captures = !has(sys::PCRE2_NO_AUTO_CAPTURE);
            text.enclose_self_references(has(sys::PCRE2_EXTENDED), captures);
        }
        let mut options = settings.options;
        let code = loop {
            let settings = Settings {
                options,
                ..settings
            };
            match compile(&text.bytes, settings) {
                Ok(code) if may_miss_letters(code) => {
                    // SAFETY: made just now and known to nobody else.
                    unsafe { sys::pcre2_code_free_8(code) };
                    options |= sys::PCRE2_NO_START_OPTIMIZE;
                }
                Ok(code) => break code,
                Err(w) if first_generation() && text.repair(&w) => {}
                Err(w) => return Err(place::adjusted(text.original(w), pattern)),
            }
        };
        let mut c = Code {
            code,
            settings,
            pattern: pattern.into(),
            groups: 0,
            crlf: false,
            names: Vec::new(),
            duplicate_names: false,
            utf: false,
        };
        c.groups = c.info(sys::PCRE2_INFO_CAPTURECOUNT) as usize;
        let newline = c.info(sys::PCRE2_INFO_NEWLINE);
        c.crlf = matches!(
            newline,
            sys::PCRE2_NEWLINE_ANY | sys::PCRE2_NEWLINE_CRLF | sys::PCRE2_NEWLINE_ANYCRLF
        );
        let all = c.info(sys::PCRE2_INFO_ALLOPTIONS);
        c.duplicate_names = all & sys::PCRE2_DUPNAMES != 0;
        c.utf = all & sys::PCRE2_UTF != 0;
        c.names = c.name_table();
        if first_generation() {
            dialect::check_names(&c.names, pattern)?;
            let has = |option| settings.options & option != 0;
            recursion::check(
                pattern,
                has(sys::PCRE2_EXTENDED),
                !has(sys::PCRE2_NO_AUTO_CAPTURE),
            )?;
        }
        Ok(c)
    }

    fn info(&self, what: u32) -> u32 {
        info(self.code, what)
    }

    fn name_table(&self) -> Vec<(u16, Box<[u8]>)> {
        let count = self.info(sys::PCRE2_INFO_NAMECOUNT) as usize;
        let size = self.info(sys::PCRE2_INFO_NAMEENTRYSIZE) as usize;
        let mut table: *const u8 = ptr::null();
        // SAFETY: this item is a pointer to `count` entries of `size` bytes in the compiled pattern.
        let bytes = unsafe {
            sys::pcre2_pattern_info_8(
                self.code,
                sys::PCRE2_INFO_NAMETABLE,
                (&raw mut table).cast(),
            );
            if table.is_null() {
                return Vec::new();
            }
            std::slice::from_raw_parts(table, count * size)
        };
        let entry = |e: &[u8]| {
            let name = e[2..].split(|&b| b == 0).next().unwrap_or(&[]);
            (u16::from_be_bytes([e[0], e[1]]), name.into())
        };
        bytes.chunks_exact(size.max(3)).map(entry).collect()
    }

    /// Looks for a match from `start` on. The groups' offsets go to `found`; a group that took no part
    /// has none. Gives how many groups count, or the library's error number.
    pub fn run(
        &self,
        subject: &[u8],
        start: usize,
        options: u32,
        limits: MatchLimits,
        found: &mut Vec<Option<(usize, usize)>>,
    ) -> Result<usize, i32> {
        MATCHER.with_borrow_mut(|m| {
            let data = m.data(self.groups + 1);
            // SAFETY: context and data were made by the library; the subject is given with its length,
            // and the offsets that come back lie in the data, a pair for each group that counts.
            unsafe {
                sys::pcre2_set_match_limit_8(m.context, limits.matches);
                sys::pcre2_set_depth_limit_8(m.context, limits.depth);
                let rc = sys::pcre2_match_8(
                    self.code,
                    address(subject),
                    subject.len(),
                    start,
                    options,
                    data,
                    m.context,
                );
                if rc < 0 {
                    return Err(rc);
                }
                let n = if rc == 0 {
                    self.groups + 1
                } else {
                    rc as usize
                };
                let pairs =
                    std::slice::from_raw_parts(sys::pcre2_get_ovector_pointer_8(data), 2 * n);
                found.clear();
                found.extend(
                    pairs
                        .chunks_exact(2)
                        .map(|p| (p[0] != sys::PCRE2_UNSET).then_some((p[0], p[1]))),
                );
                Ok(n)
            }
        })
    }
}

/// The address of a subject. The library subtracts lengths from it before it looks, so an empty slice, whose address
/// may be near 0, gets one of real memory.
fn address(subject: &[u8]) -> *const u8 {
    static NOTHING: [u8; 16] = [0; 16];
    if subject.is_empty() {
        NOTHING[8..].as_ptr()
    } else {
        subject.as_ptr()
    }
}

/// How much work a match may be.
#[derive(Clone, Copy)]
pub struct MatchLimits {
    /// Steps.
    pub matches: u32,
    /// Depth of backtracking.
    pub depth: u32,
}

/// Limit where none is given.
pub const DEFAULT_LIMIT: u32 = 10_000_000;

/// A thread's memory for matching.
struct Matcher {
    context: *mut sys::pcre2_match_context_8,
    data: *mut sys::pcre2_match_data_8,
    pairs: usize,
}

impl Matcher {
    /// Memory for so many groups.
    fn data(&mut self, pairs: usize) -> *mut sys::pcre2_match_data_8 {
        if pairs > self.pairs {
            // SAFETY: the old memory is this thread's own and in no use.
            unsafe {
                sys::pcre2_match_data_free_8(self.data);
                self.data = sys::pcre2_match_data_create_8(pairs as u32, ptr::null_mut());
            }
            self.pairs = pairs;
        }
        self.data
    }
}

impl Drop for Matcher {
    fn drop(&mut self) {
        // SAFETY: made below and owned; null is allowed.
        unsafe {
            sys::pcre2_match_data_free_8(self.data);
            sys::pcre2_match_context_free_8(self.context);
        }
    }
}

thread_local! {
    static MATCHER: RefCell<Matcher> = RefCell::new(Matcher {
        // SAFETY: a plain call.
        context: unsafe { sys::pcre2_match_context_create_8(ptr::null_mut()) },
        data: ptr::null_mut(),
        pairs: 0,
    });
    /// Patterns used last, the latest first.
    static RECENT: RefCell<Vec<Arc<Code>>> = const { RefCell::new(Vec::new()) };
}

/// Most patterns that a thread keeps.
const KEPT: usize = 32;

/// A compiled pattern, from those used last if it is among them.
pub fn cached(pattern: &[u8], settings: Settings) -> Result<Arc<Code>, Wrong> {
    RECENT.with_borrow_mut(|recent| {
        let same = |c: &Arc<Code>| c.settings == settings && *c.pattern == *pattern;
        if let Some(i) = recent.iter().position(same) {
            recent[..=i].rotate_right(1);
            return Ok(recent[0].clone());
        }
        let c = Arc::new(Code::compile(pattern, settings)?);
        recent.truncate(KEPT - 1);
        recent.insert(0, c.clone());
        Ok(c)
    })
}

/// The version of the library whose language patterns are in: a release's own where that is the first
/// generation's, which the library at hand is made to understand.
pub fn version() -> String {
    if first_generation() {
        let version = if release::number() < 27 {
            "8.44 2020-02-12"
        } else {
            "8.45 2021-06-15"
        };
        return version.to_string();
    }
    let mut buf = [0u8; 64];
    // SAFETY: the text has less than 24 characters.
    unsafe { sys::pcre2_config_8(sys::PCRE2_CONFIG_VERSION, buf.as_mut_ptr().cast()) };
    let end = buf.iter().position(|&b| b == 0).unwrap_or(0);
    String::from_utf8_lossy(&buf[..end]).into_owned()
}
