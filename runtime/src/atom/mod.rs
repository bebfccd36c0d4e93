//! The atom table: interned strings, shared by the whole operating system process.
//!
//! An atom is an index. Texts and indices are looked up without a lock; new atoms are made one at a time. Atoms
//! are never freed, as on BEAM. Text is UTF-8 and at most 255 characters long.

mod names;
mod order;

use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// An atom: an index into the atom table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Atom(u32);

/// Bytes that atoms take.
#[derive(Clone, Copy, Debug)]
pub struct AtomMemory {
    /// Texts.
    pub texts: usize,
    /// Pages of the table, used in part.
    pub pages: usize,
    /// The part of `pages` in use, and the index by text.
    pub table_used: usize,
}

/// Longest text of an atom, in characters.
pub const MAX_ATOM_CHARS: usize = 255;
/// Default limit on the number of atoms (`+t`).
pub const DEFAULT_ATOM_LIMIT: u32 = 1_048_576;

/// Why a text could not become an atom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtomError {
    /// More than `MAX_ATOM_CHARS` characters.
    TooLong,
    /// The table is full.
    TableFull,
}

const PAGE: usize = 4096;
const PAGES: usize = (1 << 27) / PAGE;

/// A text and its hash.
#[derive(Clone, Copy)]
struct Entry {
    start: *const u8,
    len: u32,
    hash: u32,
    /// The first eight bytes as a number in whose order texts are that differ in them; zero where the text has ended.
    first: u64,
}

impl Entry {
    const EMPTY: Entry = Entry {
        start: std::ptr::null(),
        len: 0,
        hash: 0,
        first: 0,
    };

    fn new(text: &'static str) -> Entry {
        Entry {
            start: text.as_ptr(),
            len: text.len() as u32,
            hash: text_hash(text),
            first: first_bytes(text),
        }
    }
}

fn first_bytes(text: &str) -> u64 {
    let mut bytes = [0; 8];
    let n = text.len().min(8);
    bytes[..n].copy_from_slice(&text.as_bytes()[..n]);
    u64::from_be_bytes(bytes)
}

/// The hash of an atom's text (P. J. Weinberger's). Characters of Latin-1 count as one byte.
fn text_hash(text: &str) -> u32 {
    let mut bytes = text.as_bytes();
    let mut h = 0u32;
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        let mut v = *first;
        if let (0xc2 | 0xc3, [second, rest @ ..]) = (v, rest) {
            v = v << 6 | (second & 0x3f);
            bytes = rest;
        }
        h = (h << 4).wrapping_add(u32::from(v));
        let high = h & 0xf000_0000;
        h ^= high >> 24 ^ high;
    }
    h
}

struct Table {
    pages: Box<[AtomicPtr<Entry>]>,
    count: Mutex<u32>,
    text_bytes: AtomicUsize,
    published: AtomicU32,
    limit: AtomicU32,
    by_text: papaya::HashMap<&'static str, u32, FxBuildHasher>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let table = Table {
        pages: (0..PAGES)
            .map(|_| AtomicPtr::new(std::ptr::null_mut()))
            .collect(),
        count: Mutex::new(0),
        text_bytes: AtomicUsize::new(0),
        published: AtomicU32::new(0),
        limit: AtomicU32::new(DEFAULT_ATOM_LIMIT),
        by_text: papaya::HashMap::default(),
    };
    for (i, text) in order::BEAM.iter().chain(order::OWN).enumerate() {
        let made = table.intern(text);
        if made != Ok(i as u32) {
            crate::bug::vm_bug("the table of well-known atoms holds a text twice");
        }
    }
    table
});

impl Table {
    fn lookup(&self, text: &str) -> Option<u32> {
        self.by_text.pin().get(text).copied()
    }

    fn intern(&self, text: &str) -> Result<u32, AtomError> {
        if let Some(i) = self.lookup(text) {
            return Ok(i);
        }
        if text.len() > MAX_ATOM_CHARS && text.chars().count() > MAX_ATOM_CHARS {
            return Err(AtomError::TooLong);
        }
        let mut count = self.count.lock();
        if let Some(i) = self.lookup(text) {
            return Ok(i);
        }
        let index = *count;
        if index >= self.limit.load(Ordering::Relaxed) {
            return Err(AtomError::TableFull);
        }
        let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
        let page = &self.pages[index as usize / PAGE];
        let mut base = page.load(Ordering::Acquire);
        if base.is_null() {
            let fresh = vec![Entry::EMPTY; PAGE];
            base = Box::leak(fresh.into_boxed_slice()).as_mut_ptr();
            page.store(base, Ordering::Release);
        }
        // SAFETY: the slot lies in a leaked page and is not published yet; `count` is locked.
        unsafe { *base.add(index as usize % PAGE) = Entry::new(text) };
        *count = index + 1;
        self.text_bytes.fetch_add(text.len(), Ordering::Relaxed);
        self.published.store(index + 1, Ordering::Release);
        self.by_text.pin().insert(text, index);
        Ok(index)
    }
}

/// Bytes that atoms take now.
pub fn memory() -> AtomMemory {
    let n = count() as usize;
    let index = n * (size_of::<(&str, u32)>() + 1);
    AtomMemory {
        texts: TABLE.text_bytes.load(Ordering::Relaxed),
        pages: n.next_multiple_of(PAGE) * size_of::<Entry>() + PAGES * size_of::<usize>() + index,
        table_used: n * size_of::<Entry>() + index,
    }
}

impl Atom {
    /// The atom with this index, if there is one.
    pub fn at(index: u32) -> Option<Atom> {
        (index < count()).then_some(Atom(index))
    }

    /// The atom with this text, made if need be.
    pub fn try_new(text: &str) -> Result<Atom, AtomError> {
        TABLE.intern(text).map(Atom)
    }

    /// The atom with this text, for texts that are known to be short.
    ///
    /// # Panics
    /// When the text is too long or the table is full.
    pub fn new(text: &str) -> Atom {
        match Atom::try_new(text) {
            Ok(a) => a,
            Err(AtomError::TooLong) => crate::bug::vm_bug("an internal atom is too long"),
            Err(AtomError::TableFull) => table_full(),
        }
    }

    /// The atom with this text, if there is one already.
    pub fn existing(text: &str) -> Option<Atom> {
        TABLE.lookup(text).map(Atom)
    }

    #[inline(always)]
    fn entry(self) -> Entry {
        debug_assert!(self.0 < TABLE.published.load(Ordering::Acquire));
        let page = TABLE.pages[self.0 as usize / PAGE].load(Ordering::Acquire);
        // SAFETY: an `Atom` exists only for published entries, whose page is never freed.
        unsafe { *page.add(self.0 as usize % PAGE) }
    }

    /// The text.
    #[inline]
    pub fn text(self) -> &'static str {
        let e = self.entry();
        // SAFETY: the parts of a text that is never freed.
        unsafe {
            std::str::from_utf8_unchecked(std::slice::from_raw_parts(e.start, e.len as usize))
        }
    }

    /// The order of the texts, which is that of the terms.
    pub fn order(self, other: Atom) -> std::cmp::Ordering {
        let firsts = self.entry().first.cmp(&other.entry().first);
        firsts.then_with(|| self.text().cmp(other.text()))
    }

    /// The hash of the text, which BEAM has for the atom in tables and portable hashes.
    #[inline(always)]
    pub fn text_hash(self) -> u32 {
        self.entry().hash
    }

    /// The index in the table.
    #[inline(always)]
    pub const fn index(self) -> u32 {
        self.0
    }

    /// The atom with this index, which must have come from `index`.
    #[inline(always)]
    pub const fn from_index(i: u32) -> Atom {
        Atom(i)
    }
}

impl std::fmt::Debug for Atom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

impl std::fmt::Display for Atom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

/// Number of atoms in the table.
pub fn count() -> u32 {
    TABLE.published.load(Ordering::Acquire)
}

/// Ends the VM: there is no room for another atom.
pub fn table_full() -> ! {
    crate::bug::limit_reached(&format!(
        "no more index entries in atom_tab (max={})",
        limit()
    ))
}

/// The limit on the number of atoms.
pub fn limit() -> u32 {
    TABLE.limit.load(Ordering::Relaxed)
}

/// Sets the limit (`+t`); to be called before the VM starts.
pub fn set_limit(n: u32) {
    TABLE
        .limit
        .store(n.min((PAGES * PAGE) as u32), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_texts() {
        let texts = [
            "",
            "\0",
            "a",
            "a\0",
            "ab",
            "abcdefgh",
            "abcdefgh\0",
            "abcdefghi",
            "abcdefgi",
            "å",
            "日本",
        ];
        for x in texts {
            for y in texts {
                assert_eq!(Atom::new(x).order(Atom::new(y)), x.cmp(y), "{x:?} {y:?}");
            }
        }
    }

    #[test]
    fn interning_is_stable() {
        let a = Atom::new("some fresh atom");
        assert_eq!(a, Atom::new("some fresh atom"));
        assert_eq!(a.text(), "some fresh atom");
        assert_eq!(Atom::TRUE.text(), "true");
        assert_eq!(Atom::new("true"), Atom::TRUE);
        assert_eq!(Atom::try_new(&"x".repeat(256)), Err(AtomError::TooLong));
        assert!(Atom::try_new(&"å".repeat(255)).is_ok());
    }
}
