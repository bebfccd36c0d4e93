//! Which nodes are named by what there is here, and when those are forgotten that nothing names.
//!
//! Nothing counts these names as they come and go, so they are looked for: each process looks through its own heap,
//! messages and relations when the question reaches it, the one that asks looks through tables, timers, persistent terms and
//! connections.

use enigma_runtime::atom::Atom;
use enigma_runtime::dist::nodes;
use enigma_runtime::ets::{Go, Table, registry};
use enigma_runtime::heap::census::each_node_in;
use enigma_runtime::node::{self, Node};
use enigma_runtime::process::relations::MonitorTarget;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{Owned, PidKey, table};
use enigma_runtime::{Ctx, Exit, Term, persistent_term, sched, time, timer};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// Who refers to nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Referrer {
    /// By its packed pid.
    Process(u64),
    /// By its packed number.
    Port(u64),
    /// By its number.
    Table(u64),
    /// What belongs to none of these.
    System(&'static str),
    /// The node itself.
    Node(Node),
}

/// How often, by what: in the order in which they are told.
pub type NameCounts = BTreeMap<(Referrer, &'static str), usize>;

/// What has been found of each node.
pub type NamesFound = BTreeMap<Node, NameCounts>;

/// A search under way.
struct Census {
    found: Mutex<NamesFound>,
    /// Processes that have not looked yet.
    open: AtomicUsize,
    /// The number that the search has where names are remembered.
    number: u32,
}

/// Adds one reference.
pub fn count(found: &mut NamesFound, node: Node, by: Referrer, what: &'static str) {
    *found
        .entry(node)
        .or_default()
        .entry((by, what))
        .or_default() += 1;
}

/// Looks through all that is a process's own.
fn look_through(own: &Owned, found: &mut NamesFound) {
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
        // The connection keeps the monitor's reference.
        relation(m.from, "monitor");
        relation(m.from, "monitor");
    }
}

fn look_through_table(t: &Table, found: &mut NamesFound) {
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

/// Looks for all that names a node. The number tells the search from others.
///
/// # Errors
/// The caller is to wait, and to make the call again.
pub fn search(cx: &mut Ctx<'_>) -> Result<(NamesFound, u32), Exit> {
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
        let timers = Referrer::System("timers");
        let mut in_timer = |to: Term, message| {
            let by = to.as_local_pid().map_or(timers, Referrer::Process);
            each_node_in(message, &mut |n| count(&mut found, n, by, "timer"));
        };
        timer::each_message(&mut in_timer);
        return Ok((found, census.number));
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
        number: node::begin_search(),
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

/// Milliseconds that nodes are remembered at least that nothing names; less than none: as the command says.
static DELAY: AtomicI64 = AtomicI64::new(-1);
/// When nodes were forgotten last, in nanoseconds.
static LAST: AtomicI64 = AtomicI64::new(i64::MIN);

/// Sets how many milliseconds nodes are remembered that nothing names; less than none: as the command says.
pub fn set_delay(ms: i64) {
    DELAY.store(ms, Ordering::Relaxed);
}

/// Forgets nodes that nothing names, if it is time to. `seconds` is what the command says, nothing if they are never forgotten.
///
/// # Errors
/// The caller is to wait, and to make the call again.
pub fn forget_unnamed(cx: &mut Ctx<'_>, seconds: Option<u32>) -> Result<(), Exit> {
    let begun = cx.own.bif_state::<Arc<Census>>().is_some();
    let delay = match DELAY.load(Ordering::Relaxed) {
        ms if ms >= 0 => Some(ms.saturating_mul(1_000_000)),
        _ => seconds.map(|s| i64::from(s) * 1_000_000_000),
    };
    let is_due =
        |delay: i64| time::monotonic() >= LAST.load(Ordering::Relaxed).saturating_add(delay);
    if !begun && !delay.is_some_and(is_due) {
        return Ok(());
    }
    let (found, number) = search(cx)?;
    let named: HashSet<Atom> = found.keys().map(|n| n.name).collect();
    let is_kept = |name: Atom| {
        named.contains(&name) || nodes::find(name).is_some_and(|e| e.connection().is_some())
    };
    nodes::forget(is_kept);
    node::forget(number, |name| is_kept(name) || nodes::find(name).is_some());
    LAST.store(time::monotonic(), Ordering::Relaxed);
    Ok(())
}

/// The nodes that are remembered.
pub fn known() -> HashSet<Atom> {
    let entries = nodes::all().into_iter().map(|e| e.name);
    node::known().into_iter().chain(entries).collect()
}
