//! File names: how lists of characters become bytes and back (`+fnl`, `+fnu`, `+fna`).

use enigma_runtime::atom::Atom;
use enigma_runtime::term::Term;
use enigma_runtime::term::list;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// What to do with names that are no UTF-8 where names are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum BadName {
    /// Warn and leave out.
    Warn,
    /// Leave out.
    Ignore,
    /// Fail.
    Error,
}

static UTF8: AtomicBool = AtomicBool::new(true);
static BAD: AtomicU8 = AtomicU8::new(BadName::Warn as u8);

/// Sets the encoding and what to do with bad names.
pub fn configure(utf8: bool, bad: BadName) {
    UTF8.store(utf8, Ordering::Relaxed);
    BAD.store(bad as u8, Ordering::Relaxed);
}

/// Are names UTF-8?
pub fn is_utf8() -> bool {
    UTF8.load(Ordering::Relaxed)
}

/// The reason in `{error, Reason}` for a bad name.
pub fn on_bad_name() -> Atom {
    match BAD.load(Ordering::Relaxed) {
        0 => Atom::new("warning"),
        1 => Atom::new("ignore"),
        _ => Atom::ERROR,
    }
}

/// The bytes of a name: an atom or a (deep) list of characters. Nothing if it is none or holds a zero.
pub fn encode(name: Term) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    if let Some(a) = name.as_atom() {
        a.text()
            .chars()
            .try_for_each(|c| push(&mut out, u32::from(c)))?;
        return Some(out);
    }
    if !name.is_list() {
        return None;
    }
    flatten(name, &mut out)?;
    Some(out)
}

fn flatten(t: Term, out: &mut Vec<u8>) -> Option<()> {
    let mut stack = vec![t];
    while let Some(t) = stack.pop() {
        if let Some(n) = t.as_small() {
            push(out, u32::try_from(n).ok()?)?;
        } else if t.is_list() {
            let mut it = list::iter(t);
            let items: Vec<Term> = it.by_ref().collect();
            if !it.tail().is_nil() {
                return None;
            }
            stack.extend(items.into_iter().rev());
        } else {
            return None;
        }
    }
    Some(())
}

fn push(out: &mut Vec<u8>, c: u32) -> Option<()> {
    if c == 0 {
        return None;
    }
    if is_utf8() {
        let c = char::from_u32(c)?;
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        out.push(u8::try_from(c).ok()?);
    }
    Some(())
}

/// The characters of a name; nothing if its bytes are not in the encoding of names.
pub fn decode(bytes: &[u8]) -> Option<Vec<u32>> {
    if is_utf8() {
        std::str::from_utf8(bytes)
            .ok()
            .map(|s| s.chars().map(u32::from).collect())
    } else {
        Some(bytes.iter().map(|&b| u32::from(b)).collect())
    }
}
