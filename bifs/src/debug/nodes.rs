//! What refers to nodes: the answer for `node_and_dist_references`. The counts that are told are those of what a search has found.

use crate::dist::census::{self, NameCounts, NamesFound, Referrer};
use enigma_runtime::atom::Atom;
use enigma_runtime::dist::nodes;
use enigma_runtime::ets::registry;
use enigma_runtime::node::{self, Node};
use enigma_runtime::{BifResult, Ctx, Heap, Term};
use std::collections::BTreeMap;

/// `{{node_references, [{{Name, Creation}, Count, [{Referrer, [{What, Count}]}]}]}, {dist_references, [{Name, Count, ...}]}}`
pub fn references(cx: &mut Ctx<'_>) -> BifResult {
    let (found, _) = census::search(cx)?;
    Ok(told(cx.heap(), found))
}

/// The answer for what was found.
fn told(h: &mut Heap, mut found: NamesFound) -> Term {
    let (name, creation) = node::this();
    let this = Node { name, creation };
    let own = Referrer::System("undefined");
    census::count(&mut found, this, own, "system");
    let mut by_name: BTreeMap<Atom, NameCounts> = BTreeMap::new();
    for &n in found.keys() {
        let counts = by_name.entry(n.name).or_default();
        counts.insert((Referrer::Node(n), "node"), 1);
    }
    by_name.entry(name).or_default().insert((own, "system"), 1);
    for c in nodes::connections() {
        let by = match (c.controller.as_local_pid(), c.controller.as_local_port()) {
            (Some(id), _) => Referrer::Process(id),
            (_, Some(port)) => Referrer::Port(port),
            _ => continue,
        };
        by_name
            .entry(c.entry.name)
            .or_default()
            .insert((by, "control"), 1);
    }
    let node_rows: Vec<Term> = found
        .into_iter()
        .map(|(n, counts)| {
            let n = node_term(h, n);
            row(h, n, &counts)
        })
        .collect();
    let dist_rows: Vec<Term> = by_name
        .into_iter()
        .map(|(name, counts)| row(h, name.into(), &counts))
        .collect();
    let both = [
        ("node_references", node_rows),
        ("dist_references", dist_rows),
    ];
    let both = both.map(|(title, rows)| {
        let rows = h.list(&rows);
        h.tuple(&[Atom::new(title).into(), rows])
    });
    h.tuple(&both)
}

fn node_term(h: &mut Heap, n: Node) -> Term {
    let creation = h.uint(u64::from(n.creation));
    h.tuple(&[n.name.into(), creation])
}

/// `{Entry, Count, [{Referrer, [{What, Count}]}]}`
fn row(h: &mut Heap, entry: Term, counts: &NameCounts) -> Term {
    let total: usize = counts.values().sum();
    let mut referrers: Vec<(Referrer, Vec<Term>)> = Vec::new();
    for (&(by, what), &n) in counts {
        let part = h.tuple(&[Atom::new(what).into(), Term::small(n as i64)]);
        match referrers.last_mut() {
            Some((last, parts)) if *last == by => parts.push(part),
            _ => referrers.push((by, vec![part])),
        }
    }
    let rows: Vec<Term> = referrers
        .into_iter()
        .map(|(by, parts)| {
            let by = referrer_term(h, by);
            let parts = h.list(&parts);
            h.tuple(&[by, parts])
        })
        .collect();
    let rows = h.list(&rows);
    h.tuple(&[entry, Term::small(total as i64), rows])
}

fn referrer_term(h: &mut Heap, by: Referrer) -> Term {
    let (kind, what) = match by {
        Referrer::Process(id) => (Atom::PROCESS, Term::local_pid(id)),
        Referrer::Port(id) => (Atom::PORT, Term::local_port(id)),
        Referrer::Table(number) => {
            let t = registry::numbered(number);
            let gone = Atom::UNDEFINED.into();
            (
                Atom::new("ets"),
                t.map_or(gone, |t| registry::identifier(&t, h)),
            )
        }
        Referrer::System(what) => (Atom::new("system"), Atom::new(what).into()),
        Referrer::Node(n) => (Atom::NODE, node_term(h, n)),
    };
    h.tuple(&[kind.into(), what])
}
