//! Which nodes there are, and news of them.

use super::census;
use crate::bifs;
use crate::system::facts::facts;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::export;
use enigma_runtime::data::map;
use enigma_runtime::dist::nodes::{self, NodeEntry};
use enigma_runtime::dist::watch::{self, asked};
use enigma_runtime::dist::{flags, operations};
use enigma_runtime::process::{flag, signal};
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, node};
use std::collections::HashSet;
use std::sync::Arc;

bifs! { BIFS:
    "erlang" {
        "nodes"/0 Call => nodes0;
        "nodes"/1 Call => nodes1;
        "nodes"/2 Call => nodes2;
        "monitor_node"/2 Call => monitor_node;
        "monitor_node"/3 Call => monitor_node;
    }
}

/// `process_flag({monitor_nodes, Options}, On)`: gives how often it was on before with the same options.
pub fn monitor_nodes(cx: &mut Ctx<'_>, options: Term, on: Term) -> BifResult {
    let on = on.as_bool().ok_or_else(badarg)?;
    let asked = nodes_asked(options).ok_or_else(badarg)?;
    cx.own.set_flag(flag::HAS_RESOURCES, true);
    let count = watch::ask(cx.proc.id, asked, on);
    Ok(Term::small(i64::from(count)))
}

/// The bits for options: an empty list or a map.
fn nodes_asked(options: Term) -> Option<u8> {
    if options.is_nil() {
        return Some(asked::LISTED);
    }
    if !options.is_map() {
        return None;
    }
    let mut all = 0;
    for (key, value) in map::iter(options) {
        let bit = match key.as_atom()?.text() {
            "connection_id" => asked::CONNECTION,
            "nodedown_reason" => asked::REASON,
            "list" => (value.as_bool() == Some(true)).then_some(asked::LISTED)?,
            "node_type" => {
                all |= match value.as_atom()? {
                    Atom::VISIBLE => asked::VISIBLE,
                    Atom::HIDDEN => asked::HIDDEN,
                    Atom::ALL => asked::VISIBLE | asked::HIDDEN,
                    _ => return None,
                };
                continue;
            }
            _ => return None,
        };
        if value.as_bool()? {
            all |= bit;
        }
    }
    Some(all)
}

/// Kinds of nodes that are asked for.
#[derive(Clone, Copy, Default)]
struct NodeKinds {
    this: bool,
    visible: bool,
    hidden: bool,
    known: bool,
}

fn kinds(t: Term) -> Result<NodeKinds, Exit> {
    let all = if t.is_atom() {
        vec![t]
    } else {
        list::to_vec(t).ok_or_else(badarg)?
    };
    let mut kinds = NodeKinds::default();
    for k in all {
        match k.as_atom() {
            Some(Atom::THIS) => kinds.this = true,
            Some(Atom::VISIBLE) => kinds.visible = true,
            Some(Atom::HIDDEN) => kinds.hidden = true,
            Some(Atom::CONNECTED) => (kinds.visible, kinds.hidden) = (true, true),
            Some(Atom::KNOWN) => {
                kinds = NodeKinds {
                    this: true,
                    visible: true,
                    hidden: true,
                    known: true,
                }
            }
            _ => return Err(badarg()),
        }
    }
    Ok(kinds)
}

/// The nodes of these kinds: names, the type, and the number of the connection if there is one.
fn nodes_of(kinds: NodeKinds) -> Vec<(Atom, Atom, Option<u32>)> {
    let mut found = Vec::new();
    if kinds.this {
        found.push((node::this().0, Atom::THIS, None));
    }
    for e in nodes::all() {
        if let Some(c) = e.connection() {
            let visible = c.flags & flags::PUBLISHED != 0;
            if visible && kinds.visible || !visible && kinds.hidden {
                let kind = if visible { Atom::VISIBLE } else { Atom::HIDDEN };
                found.push((e.name, kind, Some(c.id)));
            }
        }
    }
    if kinds.known {
        let told: HashSet<Atom> = found.iter().map(|n| n.0).collect();
        let known = census::known().into_iter();
        let more = known.filter(|n| !told.contains(n) && *n != node::this().0);
        found.extend(more.map(|n| (n, Atom::KNOWN, None)));
    }
    found
}

/// Who asks for all known nodes hears of those that something names, but for some delay.
fn forget_unnamed(cx: &mut Ctx<'_>, kinds: NodeKinds) -> Result<(), Exit> {
    if kinds.known {
        census::forget_unnamed(cx, facts().delayed_node_table_gc)?;
    }
    Ok(())
}

fn names(cx: &mut Ctx<'_>, kinds: NodeKinds) -> BifResult {
    let all: Vec<Term> = nodes_of(kinds).iter().map(|n| n.0.into()).collect();
    Ok(cx.heap().list(&all))
}

fn nodes0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let kinds = NodeKinds {
        visible: true,
        ..NodeKinds::default()
    };
    names(cx, kinds)
}

fn nodes1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let kinds = kinds(a[0])?;
    forget_unnamed(cx, kinds)?;
    names(cx, kinds)
}

/// The same with what is asked about each of them: `connection_id`, `node_type`.
fn nodes2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let kinds = kinds(a[0])?;
    if !a[1].is_map() {
        return Err(badarg());
    }
    forget_unnamed(cx, kinds)?;
    let mut wanted = Vec::new();
    for (key, on) in map::iter(a[1]) {
        let of_kind = match key.as_atom().map(Atom::text) {
            Some("connection_id") => false,
            Some("node_type") => true,
            _ => return Err(badarg()),
        };
        if on.as_bool().ok_or_else(badarg)? {
            wanted.push((key, of_kind));
        }
    }
    let mut rows = Vec::new();
    for (name, kind, id) in nodes_of(kinds) {
        let about: Vec<(Term, Term)> = wanted
            .iter()
            .map(|&(key, of_kind)| {
                let id = id.map_or(Atom::UNDEFINED.into(), |id| Term::small(i64::from(id)));
                (key, if of_kind { kind.into() } else { id })
            })
            .collect();
        let about = map::from_pairs(cx.heap(), &about);
        rows.push(cx.tuple2(name, about));
    }
    Ok(cx.heap().list(&rows))
}

/// Watches a connection to a node, which is made if there is none.
fn monitor_node(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let options = a.get(2).copied().unwrap_or(Term::NIL);
    let bad_option = || Exit::error_cause(Atom::BADARG, Atom::BADOPT);
    let mut passive = false;
    for o in list::to_vec(options).ok_or_else(bad_option)? {
        if o.as_atom().map(Atom::text) != Some("allow_passive_connect") {
            return Err(bad_option());
        }
        passive = true;
    }
    let name = a[0].as_atom().ok_or_else(badarg)?;
    if name != Atom::NONODE_AT_NOHOST && !nodes::is_alive() {
        return Err(Exit::error(Atom::new("notalive")));
    }
    let on = a[1].as_bool().ok_or_else(badarg)?;
    let ask = || export::get(Atom::ERLANG, Atom::new("dmonitor_node"), 3);
    if name == node::this().0 {
        return Ok(true.into());
    }
    if !on {
        if let Some(e) = nodes::find(name) {
            e.unwatch(cx.proc.id, false);
        }
        return Ok(true.into());
    }
    let Some(entry): Option<Arc<NodeEntry>> = operations::reachable(name) else {
        return cx.trap(ask(), &[a[0], a[1], Term::NIL]);
    };
    cx.own.set_flag(flag::HAS_RESOURCES, true);
    if entry.watch(cx.proc.id, !passive) {
        return Ok(true.into());
    }
    if passive {
        return cx.trap(ask(), &[a[0], a[1], options]);
    }
    let note = cx.tuple2(Atom::new("nodedown"), name);
    signal::send_message(cx.proc.id, note);
    Ok(true.into())
}
