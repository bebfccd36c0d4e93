//! In which order schedulers are bound to processors.

use super::processor::LogicalProcessor;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
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

    /// The one with that name.
    pub fn of(t: Term) -> Option<BindType> {
        let name = t.as_atom()?;
        let found = NAMES.iter().find(|n| n.1 == name.text());
        found.map(|n| n.2)
    }

    /// Its name.
    pub fn name(self) -> Atom {
        let found = NAMES.iter().find(|n| n.2 == self);
        Atom::new(found.map_or("unbound", |n| n.1))
    }
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
pub fn order(all: &[LogicalProcessor], kind: BindType) -> Vec<u32> {
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
