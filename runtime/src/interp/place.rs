//! The function that a process is in.

use super::special;
use crate::atom::Atom;
use crate::code::{native, ranges};
use crate::dirty;
use crate::process::Owned;

/// Module, name and arity of the function that a process at rest is in; a call in a pool is the innermost.
pub fn current_function(own: &Owned) -> Option<(Atom, Atom, u32)> {
    function_at(own, native::place_of(own))
}

/// The same for a process that stands at `pc`.
pub fn function_at(own: &Owned, pc: *const u64) -> Option<(Atom, Atom, u32)> {
    called_in_pool(own).or_else(|| match ranges::find(pc) {
        Some((f, _)) => Some((f.module().name, f.name, f.arity)),
        None if pc == special::hibernated() => Some((Atom::ERLANG, Atom::HIBERNATE, 3)),
        // A process that has not begun stands before its first call.
        None if pc == special::apply_args() => Some(own.initial_call),
        None => None,
    })
}

/// The BIF that the process has called in a pool, if it has.
pub fn called_in_pool(own: &Owned) -> Option<(Atom, Atom, u32)> {
    let b = dirty::under_way(own)?;
    Some((
        Atom::new(b.module),
        Atom::new(b.function),
        u32::from(b.arity),
    ))
}
