//! What refers to nodes: the answer for `node_and_dist_references`.
//!
//! Nothing counts these references as they come and go, so they are looked for: each process looks through its own heap,
//! messages and relations when the question reaches it, the one that asks looks through tables, persistent terms and
//! connections. The counts that are told are those of what was found.

use enigma_runtime::atom::Atom;
use enigma_runtime::dist::nodes;
use enigma_runtime::ets::{Go, Table, registry};
use enigma_runtime::heap::census::each_node_in;
use enigma_runtime::node::{self, Node};
use enigma_runtime::process::relations::MonitorTarget;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{Owned, PidKey, table};
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, persistent_term, sched};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Who refers to nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Referrer {
    Process(u64),
    Port(u64),
    /// By its number.
    Table(u64),
    System(&'static str),
    Node(Node),
}

/// How often, by what: in the order in which they are told.
type Counts = BTreeMap<(Referrer, &'static str), usize>;

/// What has been found of each node.
type Found = BTreeMap<Node, Counts>;

/// A search under way.
struct Census {
    found: Mutex<Found>,
    /// Processes that have not looked yet.
    open: AtomicUsize,
}

/// Adds one reference.
fn count(found: &mut Found, node: Node, by: Referrer, what: &'static str) {
    *found
        .entry(node)
        .or_default()
        .entry((by, what))
        .or_default() += 1;
}

/// Looks through all that is a process's own.
fn look_through(own: &Owned, found: &mut Found) {
    let by = Referrer::Process(own.id);
    own.heap.each_node(&mut |n| count(found, n, by, "heap"));
    for message in own.mailbox.terms() {
        // A message of the process to itself lies in its heap.
        if message.is_immediate() || !own.heap.holds(message.ptr()) {
            each_node_in(message, &mut |n| count(found, n, by, "heap"));
        }
    }
    let relations = own.relations.get();
    let mut relation = |key: PidKey, what| {
        if let Some(node) = key.node() {
            count(found, node, by, what);
        }
    };
    relations.links.iter().for_each(|key| relation(key, "link"));
    for m in relations.outgoing.values() {
        if let MonitorTarget::Id(key) = m.target {
            relation(key, "monitor");
        }
    }
    for m in relations.incoming.values() {
        relation(m.from, "monitor");
    }
}

fn look_through_table(t: &Table, found: &mut Found) {
    let by = Referrer::Table(t.number);
    let mut object = |o: Term| each_node_in(o, &mut |n| count(found, n, by, "ets"));
    let mut elements = |o: enigma_runtime::heap::object::Obj| {
        (1..).map_while(|i| o.get(i)).for_each(&mut object);
    };
    // A table that is deleted meanwhile holds nothing.
    let _ = t.read_from(0, &mut elements, &mut || true);
    let _ = t.read_ordered(None, false, None, &mut |key| key, &mut |o| {
        elements(o);
        Go::On
    });
}

/// `{{node_references, [{{Name, Creation}, Count, [{Referrer, [{What, Count}]}]}]}, {dist_references, [{Name, Count, ...}]}}`
pub fn references(cx: &mut Ctx<'_>) -> BifResult {
    if let Some(census) = cx.own.bif_state::<Arc<Census>>() {
        if census.open.load(Ordering::Acquire) > 0 {
            return Err(Exit::Wait);
        }
        let census = census.clone();
        cx.own.rare().bif_state = None;
        let mut found = std::mem::take(&mut *census.found.lock());
        look_through(cx.own, &mut found);
        for t in registry::all() {
            look_through_table(&t, &mut found);
        }
        for [key, value] in persistent_term::all() {
            for t in [key, value] {
                let by = Referrer::System("persistent_term");
                each_node_in(t, &mut |n| count(&mut found, n, by, "system"));
            }
        }
        return Ok(told(cx.heap(), found));
    }
    let me = cx.proc.id;
    let others: Vec<u64> = table::all()
        .into_iter()
        .filter_map(Term::as_local_pid)
        .filter(|&id| id != me)
        .collect();
    let census = Arc::new(Census {
        found: Mutex::default(),
        open: AtomicUsize::new(others.len()),
    });
    cx.own.rare().bif_state = Some(Box::new(census.clone()));
    for id in others {
        let census = census.clone();
        let look = move |other: Option<&mut Ctx<'_>>| {
            if let Some(other) = other {
                look_through(other.own, &mut census.found.lock());
            }
            if census.open.fetch_sub(1, Ordering::AcqRel) == 1 {
                table::with(me, sched::wake);
            }
        };
        signal::request(id, Box::new(look), Signal::Task);
    }
    // They may all have looked already.
    Err(Exit::Yield)
}

/// The answer for what was found.
fn told(h: &mut Heap, mut found: Found) -> Term {
    let (name, creation) = node::this();
    let this = Node { name, creation };
    let own = Referrer::System("undefined");
    count(&mut found, this, own, "system");
    let mut by_name: BTreeMap<Atom, Counts> = BTreeMap::new();
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
fn row(h: &mut Heap, entry: Term, counts: &Counts) -> Term {
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
