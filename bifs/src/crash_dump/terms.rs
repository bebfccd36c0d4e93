//! Terms as crash dumps write them: what fits a word in place, anything else as an address whose contents
//! stand on a line of their own.

use super::base64;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::etf::encode;
use enigma_runtime::heap::bits;
use enigma_runtime::term::Kind;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

/// Binaries of more bytes stand in a section of their own.
const MOST_IN_PLACE: usize = 1024;
/// Addresses of what has none, as floats that are their own words.
const MADE_UP: u64 = 1 << 63;

/// The terms of one process.
#[derive(Default)]
pub struct Terms {
    seen: HashSet<u64>,
    todo: Vec<(u64, Term)>,
    made_up: u64,
    lines: String,
    binaries: HashMap<u64, Term>,
}

impl Terms {
    /// A term in place.
    pub fn text(&mut self, t: Term) -> String {
        if t.is_nil() || t.is_nonvalue() {
            "N".into()
        } else if let Some(n) = t.as_small() {
            format!("I{n}")
        } else if let Some(a) = t.as_atom() {
            atom(a)
        } else if t.is_local_pid() {
            format!("P{t}")
        } else if t.as_local_port().is_some() {
            format!("p{t}")
        } else if t.is_cons() || t.is_boxed() {
            let address = t.ptr() as u64;
            if self.seen.insert(address) {
                self.todo.push((address, t));
            }
            format!("H{address:X}")
        } else {
            let address = self.fresh();
            self.todo.push((address, t));
            format!("H{address:X}")
        }
    }

    fn fresh(&mut self) -> u64 {
        self.made_up += 16;
        MADE_UP + self.made_up
    }

    /// The pair `{Key, Value}`, which is no term of the process.
    pub fn pair(&mut self, [key, value]: [Term; 2]) -> String {
        let address = self.fresh();
        let (key, value) = (self.text(key), self.text(value));
        let _ = writeln!(self.lines, "{address:X}:t2:{key},{value}");
        format!("H{address:X}")
    }

    /// The lines of all addresses that were written, and the sections of large binaries.
    pub fn finish(mut self) -> (String, String) {
        while let Some((address, t)) = self.todo.pop() {
            let contents = self.contents(t);
            let _ = writeln!(self.lines, "{address:X}:{contents}");
        }
        let mut sections = String::new();
        for (address, t) in self.binaries {
            let bytes = bits::binary_bytes(t).unwrap_or_default();
            let text = base64::text(&bytes);
            let _ = writeln!(sections, "=binary:{address:X}\n{:X}:{text}", bytes.len());
        }
        (self.lines, sections)
    }

    fn contents(&mut self, t: Term) -> String {
        if let Some((head, tail)) = t.as_cons() {
            let (head, tail) = (self.text(head), self.text(tail));
            return format!("l{head}|{tail}");
        }
        if let Some(elements) = t.as_tuple() {
            let texts: Vec<String> = elements.iter().map(|&e| self.text(e)).collect();
            return format!("t{:X}:{}", texts.len(), texts.join(","));
        }
        if let Some(f) = t.as_float() {
            let text = format!("{f:.20e}");
            return format!("F{:X}:{text}", text.len());
        }
        if t.is_integer() {
            return format!("B{t}");
        }
        if let Some(bytes) = bits::binary_bytes(t) {
            if bytes.len() <= MOST_IN_PLACE {
                return format!("Yh{:X}:{}", bytes.len(), base64::text(&bytes));
            }
            let address = bytes.as_ptr() as u64;
            self.binaries.insert(address, t);
            return format!("Yc{address:X}:0:{:X}", bytes.len());
        }
        if t.is_kind(Kind::MatchCtx) {
            // A place in a bitstring, which is no value.
            return "Yh0:".into();
        }
        let bytes = encode::encode(t, encode::EncodeOptions::default());
        format!("E{:X}:{}", bytes.len(), base64::text(&bytes))
    }
}

/// An atom in place.
fn atom(a: Atom) -> String {
    format!("A{:X}:{}", a.text().len(), a.text())
}
