//! What `erts_debug:get_internal_state/1` tells of connections to other nodes.

use enigma_runtime::atom::Atom;
use enigma_runtime::dist::nodes;
use enigma_runtime::dist::watch::{self, asked};
use enigma_runtime::etf::message_atoms::{CACHE_SLOTS, slot_of};
use enigma_runtime::{BifResult, Ctx, Term, badarg};

/// Who has asked for news of nodes, with which options.
pub fn monitoring(cx: &mut Ctx<'_>) -> Term {
    let rows: Vec<Term> = watch::wishes()
        .into_iter()
        .map(|(id, what)| {
            let mut options = Vec::new();
            if what & asked::REASON != 0 {
                options.push(Atom::new("nodedown_reason").into());
            }
            let kinds = match (what & asked::VISIBLE != 0, what & asked::HIDDEN != 0) {
                (true, true) => Some(Atom::ALL),
                (true, false) => Some(Atom::VISIBLE),
                (false, true) => Some(Atom::HIDDEN),
                (false, false) => None,
            };
            if let Some(kinds) = kinds {
                options.push(cx.tuple2(Atom::new("node_type"), kinds));
            }
            let options = cx.heap().list(&options);
            cx.tuple2(Term::local_pid(id), options)
        })
        .collect();
    cx.heap().list(&rows)
}

/// What carries the connection to a node.
pub fn controller(node: Term) -> BifResult {
    let name = node.as_atom().ok_or_else(badarg)?;
    let c = nodes::find(name).and_then(|e| e.connection());
    Ok(c.map_or(Atom::UNDEFINED.into(), |c| c.controller))
}

/// The number of the connection to a node.
pub fn connection(node: Term) -> BifResult {
    let name = node.as_atom().ok_or_else(badarg)?;
    let c = nodes::find(name).and_then(|e| e.connection());
    Ok(c.map_or(Atom::UNDEFINED.into(), |c| Term::small(i64::from(c.id))))
}

/// The last slot of a connection's cache of atoms.
pub fn last_slot() -> Term {
    Term::small(CACHE_SLOTS as i64 - 1)
}

/// The slot that an atom has in it.
pub fn slot(atom: Term) -> BifResult {
    let atom = atom.as_atom().ok_or_else(badarg)?;
    Ok(Term::small(slot_of(atom) as i64))
}
