//! Atoms.

use crate::env::Env;
use crate::sys::{self, RawTerm};
use crate::term::{BadTerm, Term};

/// Bytes before a name in the external term format: version, tag, length.
const SHORT_NAME: u8 = 119;
const LONG_NAME: u8 = 118;
const VERSION: u8 = 131;

/// An atom: there for as long as the VM, in all environments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Atom(RawTerm);

impl Atom {
    /// The atom of this name; an error if the name has more than 255 characters.
    pub fn new(env: Env<'_>, name: &str) -> Result<Atom, BadTerm> {
        if name.chars().count() > 255 {
            return Err(BadTerm);
        }
        if name.is_ascii() {
            // SAFETY: the environment is valid; the name is given with its length, which is one of those allowed.
            let raw =
                unsafe { sys::enif_make_atom_len(env.raw(), name.as_ptr().cast(), name.len()) };
            return Ok(Atom(raw));
        }
        // Other characters come in by the external term format, in all releases.
        let mut bytes = vec![VERSION];
        match u8::try_from(name.len()) {
            Ok(n) => bytes.extend([SHORT_NAME, n]),
            Err(_) => {
                bytes.push(LONG_NAME);
                bytes.extend((name.len() as u16).to_be_bytes());
            }
        }
        bytes.extend(name.as_bytes());
        Ok(Atom(env.from_external(&bytes, false)?.raw))
    }

    pub(crate) fn of(term: Term<'_>) -> Result<Atom, BadTerm> {
        // SAFETY: the term is one of this environment.
        if unsafe { sys::enif_is_atom(term.env.raw(), term.raw) != 0 } {
            Ok(Atom(term.raw))
        } else {
            Err(BadTerm)
        }
    }

    /// As a term.
    pub fn term(self, env: Env<'_>) -> Term<'_> {
        env.term(self.0)
    }

    /// Its name.
    pub fn name(self, env: Env<'_>) -> String {
        let mut len = 0;
        // SAFETY: the environment is valid; there is a place for the length.
        let is_latin1 =
            unsafe { sys::enif_get_atom_length(env.raw(), self.0, &mut len, sys::LATIN1) != 0 };
        if is_latin1 {
            let mut bytes = vec![0u8; len as usize + 1];
            // SAFETY: the environment is valid; there is room for the name and a zero byte.
            unsafe {
                sys::enif_get_atom(
                    env.raw(),
                    self.0,
                    bytes.as_mut_ptr().cast(),
                    len + 1,
                    sys::LATIN1,
                )
            };
            bytes.pop();
            return bytes.into_iter().map(char::from).collect();
        }
        let external = env.term(self.0).to_external();
        let external = external.as_deref().unwrap_or_default();
        let name = match external {
            [VERSION, SHORT_NAME, _, name @ ..] | [VERSION, LONG_NAME, _, _, name @ ..] => name,
            _ => &[],
        };
        String::from_utf8_lossy(name).into_owned()
    }
}
