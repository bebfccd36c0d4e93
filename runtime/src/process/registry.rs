//! Registered names.

use crate::atom::Atom;
use crate::process::PidKey;
use crate::term::Term;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::LazyLock;

static NAMES: LazyLock<RwLock<HashMap<Atom, Term>>> = LazyLock::new(Default::default);

/// The pid or port with this name.
#[inline]
pub fn whereis(name: Atom) -> Option<Term> {
    NAMES.read().get(&name).copied()
}

/// Gives a local pid or port a name. `false` if the name is taken.
pub fn register(name: Atom, id: Term) -> bool {
    debug_assert!(PidKey::of(id).is_some_and(|k| k.node().is_none()));
    match NAMES.write().entry(name) {
        std::collections::hash_map::Entry::Occupied(_) => false,
        std::collections::hash_map::Entry::Vacant(v) => {
            v.insert(id);
            true
        }
    }
}

/// Takes a name away; gives who had it.
pub fn unregister(name: Atom) -> Option<Term> {
    NAMES.write().remove(&name)
}

/// Takes a name away from this pid or port; `false` if it is not, or no longer, its name.
pub fn unregister_of(name: Atom, id: Term) -> bool {
    let mut names = NAMES.write();
    let has = names.get(&name) == Some(&id);
    if has {
        names.remove(&name);
    }
    has
}

/// All names.
pub fn names() -> Vec<Atom> {
    NAMES.read().keys().copied().collect()
}
