//! The reference that senders put in front of their data, to know the answer by.

use super::messages::Tag;
use crate::ports::Refusal;
use enigma_runtime::atom::Atom;
use enigma_runtime::release;

/// The first byte of a term in the external format.
const VERSION: u8 = 131;

/// Takes the reference off the front of a command, where the release has one; gives it with the number of bytes it took.
///
/// # Errors
/// There is none: the port closes.
pub fn take_tag(bytes: &[u8]) -> Result<(Option<Tag>, usize), Refusal> {
    if !release::senders_put_references() {
        return Ok((None, 0));
    }
    let bad = Refusal::Failed(Atom::EINVAL);
    let n = bytes.first_chunk::<2>().ok_or(bad)?;
    let end = 2 + usize::from(u16::from_be_bytes(*n));
    let tag = bytes.get(2..end).filter(|t| t.first() == Some(&VERSION));
    Ok((Some(Tag::of(tag.ok_or(bad)?)), end))
}
