//! Patterns that BEAM has compiled: Elixir's compiler and others keep `{re_pattern, ...}` in the literals of modules.
//!
//! Up to OTP 27 such a pattern carries the code that PCRE 8 executes. That code is read into a tree (`tree`), the tree
//! is written as a pattern that means the same (`text`), and that pattern is compiled. Whatever the code does not keep
//! of the original (white space, names of classes) has no meaning any more.

mod header;
mod text;
mod tree;

use super::code::{Code, cached};
use std::cell::RefCell;
use std::sync::Arc;

fn translated(bytes: &[u8]) -> Option<Arc<Code>> {
    let head = header::read(bytes)?;
    let tree = tree::read(head.code, head.utf())?;
    let pattern = text::pattern(&tree, &head)?;
    cached(&pattern, head.settings).ok()
}

/// The patterns that a thread keeps, with what they were made of.
type Recent = Vec<(Box<[u8]>, Arc<Code>)>;

thread_local! {
    /// Translations used last, the latest first.
    static RECENT: RefCell<Recent> = const { RefCell::new(Vec::new()) };
}

/// Most translations that a thread keeps.
const KEPT: usize = 64;

/// What code of the first generation stands for; nothing if this is none.
pub(super) fn pattern(bytes: &[u8]) -> Option<Arc<Code>> {
    RECENT.with_borrow_mut(|recent| {
        if let Some(i) = recent.iter().position(|r| *r.0 == *bytes) {
            recent[..=i].rotate_right(1);
        } else {
            let code = translated(bytes)?;
            recent.truncate(KEPT - 1);
            recent.insert(0, (bytes.into(), code));
        }
        Some(recent[0].1.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_code_is_none() {
        let mut bytes = vec![0u8; 80];
        bytes[..4].copy_from_slice(&header::MAGIC.to_ne_bytes());
        bytes[4..8].copy_from_slice(&80u32.to_ne_bytes());
        bytes[12] = 1;
        bytes[34] = 64;
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                for link in [0u8, 3, 4, 200] {
                    bytes[64..71].copy_from_slice(&[131, 0, link, a, b, 0, link]);
                    let _ = translated(&bytes);
                }
            }
        }
    }
}
