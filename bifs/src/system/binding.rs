//! How schedulers are bound to processors: `+sbt`, `system_flag(scheduler_bind_type, _)`, and what there is to see of it.

use super::facts::facts;
use super::processor::LogicalProcessor;
use super::topology;
use enigma_runtime::atom::Atom;
use enigma_runtime::sched::bind;
use enigma_runtime::sys::affinity::Processors;
use enigma_runtime::{BifResult, Exit, Heap, Term, badarg};
use parking_lot::Mutex;
use std::collections::HashMap;

/// The order in which schedulers get processors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BindType {
    /// None are bound.
    #[default]
    Unbound,
    /// As close together as possible.
    NoSpread,
    /// Over threads of cores.
    ThreadSpread,
    /// Over processors.
    ProcessorSpread,
    /// As far apart as possible.
    Spread,
    /// Over threads, one node after the other.
    NoNodeThreadSpread,
    /// Over processors, one node after the other.
    NoNodeProcessorSpread,
    /// Over threads, and for each of those over processors, one node after the other.
    ThreadNoNodeProcessorSpread,
}

/// Names, first those of flags.
const NAMES: [(&str, &str, BindType); 9] = [
    ("u", "unbound", BindType::Unbound),
    ("ns", "no_spread", BindType::NoSpread),
    ("ts", "thread_spread", BindType::ThreadSpread),
    ("ps", "processor_spread", BindType::ProcessorSpread),
    ("s", "spread", BindType::Spread),
    (
        "nnts",
        "no_node_thread_spread",
        BindType::NoNodeThreadSpread,
    ),
    (
        "nnps",
        "no_node_processor_spread",
        BindType::NoNodeProcessorSpread,
    ),
    (
        "tnnps",
        "thread_no_node_processor_spread",
        BindType::ThreadNoNodeProcessorSpread,
    ),
    ("db", "default_bind", BindType::ThreadNoNodeProcessorSpread),
];

impl BindType {
    /// What the argument of `+sbt` stands for.
    pub fn of_flag(name: &[u8]) -> Option<BindType> {
        let found = NAMES.iter().find(|n| n.0.as_bytes() == name);
        found.map(|n| n.2)
    }

    fn of(t: Term) -> Option<BindType> {
        let name = t.as_atom()?;
        let found = NAMES.iter().find(|n| n.1 == name.text());
        found.map(|n| n.2)
    }

    fn name(self) -> Atom {
        let found = NAMES.iter().find(|n| n.2 == self);
        Atom::new(found.map_or("unbound", |n| n.1))
    }
}

/// The one that holds.
static TYPE: Mutex<BindType> = Mutex::new(BindType::Unbound);

/// Takes over what `+sbt` says.
pub(super) fn configure() {
    *TYPE.lock() = facts().bind_type;
    plan();
}

/// Of each thing its place among those of its group: `group` of it comes first, then what tells it from others there. The topology
/// is ordered by processors.
fn ranks<G: std::hash::Hash + Eq, T: PartialEq>(
    all: &[LogicalProcessor],
    group: impl Fn(&LogicalProcessor) -> G,
    what: impl Fn(&LogicalProcessor) -> T,
) -> Vec<usize> {
    let mut seen: HashMap<G, Vec<T>> = HashMap::new();
    let rank = |cpu| {
        let seen = seen.entry(group(cpu)).or_default();
        let what = what(cpu);
        seen.iter().position(|w| *w == what).unwrap_or_else(|| {
            seen.push(what);
            seen.len() - 1
        })
    };
    all.iter().map(rank).collect()
}

/// The processors' numbers in the order in which schedulers get them.
fn order(all: &[LogicalProcessor], kind: BindType) -> Vec<u32> {
    let node = |cpu: &LogicalProcessor| (cpu.node, cpu.processor_node);
    // How many nodes there are before it; one that comes back later counts as another one.
    let mut before = 0;
    let mut nodes = vec![0; all.len()];
    for i in 1..all.len() {
        before += usize::from(node(&all[i]) != node(&all[i - 1]));
        nodes[i] = before;
    }
    // Which of a processor's nodes, of a node's processors, and of the cores of a processor, or of its part.
    let nodes_inside = ranks(all, |c| c.processor, |c| c.processor_node);
    let processors = ranks(
        all,
        |c| (c.node, if c.node < 0 { c.processor } else { -1 }),
        |c| c.processor,
    );
    let cores = ranks(all, |c| (c.processor, c.processor_node), |c| c.core);
    let key = |i: usize| {
        let c = &all[i];
        let (thread, core, processor) = (c.thread as usize, c.core as usize, c.processor as usize);
        match kind {
            BindType::Unbound | BindType::NoSpread => [i, 0, 0, 0],
            BindType::ThreadSpread => [thread, i, 0, 0],
            BindType::ProcessorSpread => [thread, core, i, 0],
            BindType::Spread => [thread, cores[i], nodes_inside[i], processors[i]],
            BindType::NoNodeThreadSpread => [nodes[i], thread, i, 0],
            BindType::NoNodeProcessorSpread => [nodes[i], thread, core, processor],
            BindType::ThreadNoNodeProcessorSpread => [thread, nodes[i], core, processor],
        }
    };
    let mut indices: Vec<usize> = (0..all.len()).collect();
    indices.sort_by_key(|&i| key(i));
    let number = |i: usize| u32::try_from(all[i].logical).ok();
    indices.into_iter().filter_map(number).collect()
}

/// Binds the schedulers anew: something has changed that they are bound by.
pub(super) fn plan() {
    let kind = *TYPE.lock();
    let mut processors = Vec::new();
    if kind != BindType::Unbound {
        let available = Processors::of_process().map_or_else(Vec::new, |p| p.numbers());
        let all = topology::used(|all| all.map(|all| order(all, kind)));
        processors = all.unwrap_or_default();
        processors.retain(|n| available.contains(n));
    } else if bind::bindings().iter().all(Option::is_none) {
        return;
    }
    bind::set(processors);
}

/// `system_flag(scheduler_bind_type, T)`; gives the one that there was.
pub(super) fn set(t: Term) -> BifResult {
    let kind = BindType::of(t).ok_or_else(badarg)?;
    if !topology::used(|all| all.is_some()) {
        return Err(badarg());
    }
    if Processors::of_process().is_none() {
        return Err(Exit::error(Atom::NOTSUP));
    }
    let before = std::mem::replace(&mut *TYPE.lock(), kind);
    plan();
    Ok(before.name().into())
}

/// `system_info(scheduler_bind_type)`.
pub(super) fn current() -> Term {
    TYPE.lock().name().into()
}

/// `system_info(scheduler_bindings)`.
pub(super) fn bindings(h: &mut Heap) -> Term {
    let show = |b: Option<u32>| match b {
        Some(n) => Term::small(i64::from(n)),
        None => Term::atom(Atom::new("unbound")),
    };
    let all: Vec<Term> = bind::bindings().into_iter().map(show).collect();
    h.tuple(&all)
}

/// What as many schedulers as there are processors would be bound to, whether or not these exist; `false` if to none.
pub fn imagined(h: &mut Heap, kind: Term) -> Option<Term> {
    let kind = BindType::of(kind)?;
    if kind == BindType::Unbound {
        return Some(false.into());
    }
    let all = topology::used(|all| all.map(|all| order(all, kind)))?;
    let all: Vec<Term> = all.into_iter().map(|n| Term::small(i64::from(n))).collect();
    Some(h.tuple(&all))
}
