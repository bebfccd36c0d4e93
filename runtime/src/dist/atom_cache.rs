//! The caches of atoms of a connection, and the headers that keep both sides' caches alike.
//!
//! ```text
//! [ number of atoms ] [ flags: a nibble an atom, and one for the whole ] [ atoms ]
//! nibble of an atom: 8 if its text follows, and the upper 3 bits of its slot
//! atom: the lower 8 bits of its slot; where the text follows its length (two bytes if the last nibble is 1) and the text
//! ```

use crate::atom::Atom;
use crate::etf::message_atoms::{CACHE_SLOTS, MessageAtoms, slot_of};
use std::sync::Arc;

/// What the other side knows.
pub struct OutputCache(Box<[Option<Atom>]>);

/// What the other side has told.
pub struct InputCache(Box<[Option<Atom>]>);

const NEW: u8 = 8;
const LONG: u8 = 1;

impl Default for OutputCache {
    fn default() -> OutputCache {
        OutputCache(vec![None; CACHE_SLOTS].into())
    }
}

impl Default for InputCache {
    fn default() -> InputCache {
        InputCache(vec![None; CACHE_SLOTS].into())
    }
}

/// Bytes of the flags of so many atoms.
fn flag_bytes(atoms: usize) -> usize {
    if atoms == 0 { 0 } else { atoms / 2 + 1 }
}

impl OutputCache {
    /// Writes the header of a message that is sent next.
    pub fn write_header(&mut self, message: &MessageAtoms, out: &mut Vec<u8>) {
        let atoms = message.atoms();
        out.push(atoms.len() as u8);
        let flags = out.len();
        out.resize(flags + flag_bytes(atoms.len()), 0);
        let news = |a: &Atom| self.0[slot_of(*a)] != Some(*a);
        let long = atoms.iter().any(|a| news(a) && a.text().len() > 255);
        for (i, &a) in atoms.iter().enumerate() {
            let slot = slot_of(a);
            let mut nibble = (slot >> 8) as u8;
            out.push(slot as u8);
            if self.0[slot] != Some(a) {
                self.0[slot] = Some(a);
                nibble |= NEW;
                let text = a.text().as_bytes();
                if long {
                    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
                } else {
                    out.push(text.len() as u8);
                }
                out.extend_from_slice(text);
            }
            out[flags + i / 2] |= nibble << (4 * (i % 2));
        }
        if long {
            let n = atoms.len();
            out[flags + n / 2] |= LONG << (4 * (n % 2));
        }
    }
}

impl InputCache {
    /// Reads a header: the atoms of the message, and the number of bytes. Nothing if it is malformed.
    pub fn read_header(&mut self, bytes: &[u8]) -> Option<(Arc<[Atom]>, usize)> {
        let n = usize::from(*bytes.first()?);
        let flags = bytes.get(1..1 + flag_bytes(n))?;
        let nibble = |i: usize| flags[i / 2] >> (4 * (i % 2)) & 15;
        let long = n > 0 && nibble(n) & LONG != 0;
        let mut at = 1 + flags.len();
        let mut atoms = Vec::with_capacity(n);
        for i in 0..n {
            let slot = usize::from(nibble(i) & 7) << 8 | usize::from(*bytes.get(at)?);
            at += 1;
            if nibble(i) & NEW != 0 {
                let size = if long {
                    let size = bytes.get(at..at + 2)?;
                    at += 2;
                    usize::from(size[0]) << 8 | usize::from(size[1])
                } else {
                    at += 1;
                    usize::from(*bytes.get(at - 1)?)
                };
                let text = std::str::from_utf8(bytes.get(at..at + size)?).ok()?;
                at += size;
                self.0[slot] = Some(Atom::try_new(text).ok()?);
            }
            atoms.push(self.0[slot]?);
        }
        Some((atoms.into(), at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(names: &[String]) -> MessageAtoms {
        let mut m = MessageAtoms::default();
        for n in names {
            m.place_of(Atom::new(n));
        }
        m
    }

    #[test]
    fn both_sides_agree() {
        let (mut output, mut input) = (OutputCache::default(), InputCache::default());
        for round in 0..40 {
            let long = "é".repeat(200);
            let mut names: Vec<String> = (0..round * 7)
                .map(|i| format!("cached {}", i * i % 97))
                .collect();
            if round % 5 == 0 {
                names.push(long);
            }
            let m = message(&names);
            let mut header = Vec::new();
            output.write_header(&m, &mut header);
            let (atoms, n) = input.read_header(&header).expect("well-formed");
            assert_eq!((&*atoms, n), (m.atoms(), header.len()));
        }
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let mut input = InputCache::default();
        let mut header = Vec::new();
        OutputCache::default().write_header(&message(&["some atom".into()]), &mut header);
        for n in 0..header.len() {
            assert!(input.read_header(&header[..n]).is_none());
        }
        // An entry that nobody has told.
        assert!(input.read_header(&[1, 0, 77]).is_none());
    }
}
