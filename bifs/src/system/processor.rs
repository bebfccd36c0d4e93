//! Logical processors, and what makes a topology of them.

/// One logical processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogicalProcessor {
    /// Its number in the operating system.
    pub logical: i32,
    /// The thread in its core.
    pub thread: i32,
    /// The core in its processor.
    pub core: i32,
    /// The node in its processor, or -1.
    pub processor_node: i32,
    /// The processor.
    pub processor: i32,
    /// The node that the processor is in, or -1.
    pub node: i32,
}

impl LogicalProcessor {
    /// Where it is: what BEAM calls a topology's row, as far as the logical processor's number.
    pub fn place(&self) -> [i32; 5] {
        [
            self.node,
            self.processor,
            self.processor_node,
            self.core,
            self.thread,
        ]
    }
}

/// Is this a topology? The error is BEAM's word for what is wrong.
pub fn check(all: &[LogicalProcessor]) -> Result<(), &'static str> {
    let mut logical: Vec<i32> = all.iter().map(|cpu| cpu.logical).collect();
    logical.sort_unstable();
    if logical.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("not unique logical identifiers");
    }
    let mut sorted = all.to_vec();
    let place = |cpu: &LogicalProcessor| {
        [
            cpu.processor,
            cpu.node,
            cpu.processor_node,
            cpu.core,
            cpu.thread,
        ]
    };
    sorted.sort_by_key(place);
    if sorted
        .windows(2)
        .any(|pair| place(&pair[0]) == place(&pair[1]))
    {
        return Err("not unique entities");
    }
    // Either nobody has a node, or everybody has exactly one, and the threads of a
    // processor that is inside of a node have the same. The first one is not held to it.
    let without = |cpu: &LogicalProcessor| cpu.node < 0 && cpu.processor_node < 0;
    let no_nodes = sorted.first().is_some_and(without);
    let wrong = |pair: &[LogicalProcessor]| {
        let (before, cpu) = (&pair[0], &pair[1]);
        if no_nodes {
            return !without(cpu);
        }
        let torn = cpu.processor == before.processor && cpu.node != before.node;
        torn || without(cpu) || (cpu.node >= 0 && cpu.processor_node >= 0)
    };
    if sorted.windows(2).any(wrong) {
        return Err("invalid nodes declaration");
    }
    Ok(())
}

/// Ordered by where they are: processors by their numbers, of which a node's are together, and what they hold.
pub fn sorted(mut all: Vec<LogicalProcessor>) -> Vec<LogicalProcessor> {
    all.sort_by_key(|cpu| (cpu.processor, cpu.processor_node, cpu.core, cpu.thread));
    all
}
