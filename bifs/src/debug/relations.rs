//! Links and monitors of a process or port as records, the way tests of them look at them.

use enigma_runtime::atom::Atom;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::relations::MonitorTarget;
use enigma_runtime::process::{Owned, PidKey, handle};
use enigma_runtime::{BifResult, Ctx, Heap, Term};

fn kind(k: PidKey) -> Term {
    match (k.is_port(), k.node()) {
        (true, _) => Atom::PORT.into(),
        (false, None) => Atom::PROCESS.into(),
        (false, Some(_)) => Atom::new("dist_process").into(),
    }
}

/// `{erl_link, Type, Pid, State, Id}`. A link is an entry in a set here and has no identity of its own.
fn link_row(h: &mut Heap, k: PidKey, active: bool) -> Term {
    let other = k.to_term(h);
    h.tuple(&[
        Atom::new("erl_link").into(),
        kind(k),
        other,
        Atom::new(if active { "linked" } else { "unlinking" }).into(),
        Atom::UNDEFINED.into(),
    ])
}

/// `{erl_monitor, Type, Direction, Reference, Pid, NameOrNil}`
fn monitor_row(h: &mut Heap, k: Term, origin: bool, r: u64, who: Term, name: Option<Atom>) -> Term {
    let r = h.reference(r, 0);
    h.tuple(&[
        Atom::new("erl_monitor").into(),
        k,
        Atom::new(if origin { "origin" } else { "target" }).into(),
        r,
        who,
        name.map_or(Term::NIL, Term::atom),
    ])
}

fn links(h: &mut Heap, own: &Owned) -> Term {
    let rows: Vec<Term> = own
        .relations
        .get()
        .links
        .with_inactive()
        .map(|(k, active)| link_row(h, k, active))
        .collect();
    h.list(&rows)
}

fn monitors(h: &mut Heap, own: &Owned) -> Term {
    let both = own.relations.get();
    let mut rows = Vec::new();
    for (&r, m) in &both.outgoing {
        let (kind, who, name) = match m.target {
            MonitorTarget::Id(k) => (kind(k), k.to_term(h), None),
            MonitorTarget::Name {
                name, id: Some(k), ..
            } => (kind(k), k.to_term(h), Some(name)),
            MonitorTarget::Name {
                name,
                node,
                port,
                id: None,
            } => {
                let kind = if port { Atom::PORT } else { Atom::PROCESS };
                (kind.into(), node.into(), Some(name))
            }
            MonitorTarget::TimeOffset => {
                (Atom::TIME_OFFSET.into(), Atom::CLOCK_SERVICE.into(), None)
            }
        };
        rows.push(monitor_row(h, kind, true, r, who, name));
    }
    for (r, m) in both.all_incoming() {
        let who = m.from.to_term(h);
        rows.push(monitor_row(h, kind(m.from), false, r, who, m.name));
    }
    h.list(&rows)
}

/// The links of a process or port; nothing where that can have none, `undefined` where it is gone.
pub fn link_list(cx: &mut Ctx<'_>, of: Term) -> Option<BifResult> {
    if let Some(port) = of.as_local_port() {
        let Some(p) = crate::ports::get(port) else {
            return Some(Ok(Atom::UNDEFINED.into()));
        };
        let h = cx.heap();
        let links = p.links();
        let rows: Vec<Term> = links
            .into_iter()
            .map(|id| link_row(h, PidKey::local(id), true))
            .collect();
        return Some(Ok(h.list(&rows)));
    }
    of_process(cx, of, links)
}

/// The same for the monitors of a process.
pub fn monitor_list(cx: &mut Ctx<'_>, of: Term) -> Option<BifResult> {
    of_process(cx, of, monitors)
}

fn of_process(
    cx: &mut Ctx<'_>,
    of: Term,
    list: fn(&mut Heap, &Owned) -> Term,
) -> Option<BifResult> {
    let id = of.as_local_pid()?;
    if id == cx.proc.id {
        if let Err(e) = crate::erlang::relations::fetch(cx) {
            return Some(Err(e));
        }
        let rows = handle::build(|h| list(h, cx.own));
        return Some(Ok(enigma_runtime::heap::copy::copy(rows.term(), cx.heap())));
    }
    Some(crate::ask::ask(cx, id, move |other| match other {
        None => OwnedTerm::new(Atom::UNDEFINED.into()),
        Some(o) => handle::build(|h| list(h, o.own)),
    }))
}
