//! What a node that is not alive can say about other nodes: there are none.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Term, badarg};

bifs! { BIFS:
    "erlang" {
        "nodes"/0 Call => nodes;
        "nodes"/1 Call => nodes1;
        "nodes"/2 Call => nodes;
    }
}

/// `process_flag({monitor_nodes, Options}, On)`: gives how often it was on before.
pub fn monitor_nodes(cx: &mut Ctx<'_>, _options: Term, on: Term) -> BifResult {
    let on = on.as_bool().ok_or_else(badarg)?;
    let rare = cx.own.rare();
    let before = rare.monitors_nodes;
    rare.monitors_nodes = if on { before + 1 } else { 0 };
    Ok(Term::small(i64::from(before)))
}

fn nodes(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Term::NIL)
}

/// The kinds of node that were asked for; this node is the only one there is.
fn nodes1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let kinds = if a[0].is_atom() {
        vec![a[0]]
    } else {
        list::to_vec(a[0]).ok_or_else(badarg)?
    };
    let mut this = false;
    for k in kinds {
        match k.as_atom() {
            Some(Atom::THIS | Atom::KNOWN) => this = true,
            Some(Atom::VISIBLE | Atom::HIDDEN | Atom::CONNECTED) => {}
            _ => return Err(badarg()),
        }
    }
    let me: Term = enigma_runtime::node::this().0.into();
    Ok(if this {
        cx.heap().list(&[me])
    } else {
        Term::NIL
    })
}
