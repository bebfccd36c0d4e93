//! Registered names.

use crate::atom::Atom;
use crate::process::PidKey;
use crate::term::Term;
use rustc_hash::FxBuildHasher;
use std::sync::LazyLock;

/// Pids and ports by name. Read without a lock.
static NAMES: LazyLock<papaya::HashMap<Atom, Term, FxBuildHasher>> =
    LazyLock::new(Default::default);

/// The pid or port with this name.
#[inline]
pub fn whereis(name: Atom) -> Option<Term> {
    NAMES.pin().get(&name).copied()
}

/// Gives a local pid or port a name. `false` if the name is taken.
pub fn register(name: Atom, id: Term) -> bool {
    debug_assert!(PidKey::of(id).is_some_and(|k| k.node().is_none()));
    NAMES.pin().try_insert(name, id).is_ok()
}

/// Takes a name away; gives who had it.
pub fn unregister(name: Atom) -> Option<Term> {
    NAMES.pin().remove(&name).copied()
}

/// Takes a name away from this pid or port; `false` if it is not, or no longer, its name.
pub fn unregister_of(name: Atom, id: Term) -> bool {
    let names = NAMES.pin();
    matches!(names.remove_if(&name, |_, has| *has == id), Ok(Some(_)))
}

/// All names.
pub fn names() -> Vec<Atom> {
    NAMES.pin().keys().copied().collect()
}
