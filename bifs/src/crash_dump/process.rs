//! What a crash dump says of a process.

use super::terms::Terms;
use crate::backtrace::{mfa, place};
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::native::return_address;
use enigma_runtime::dirty;
use enigma_runtime::heap::Heap;
use enigma_runtime::process::relations::MonitorTarget;
use enigma_runtime::process::stack::StackWord;
use enigma_runtime::process::{Owned, PidKey};
use std::fmt::Write as _;

/// The sections of a process: what is its own, and where it stands. Where it did not stop that is not known.
pub fn sections(id: u64, state: Atom, own: Option<(&Owned, *const u64)>) -> String {
    let state = match state {
        Atom::WAITING => "Waiting",
        Atom::RUNNABLE => "Scheduled",
        Atom::EXITING => "Exiting",
        Atom::SUSPENDED => "Suspended",
        Atom::GARBAGE_COLLECTING => "Garbing",
        _ => "Running",
    };
    let pid = Term::local_pid(id);
    let mut out = format!("=proc:{pid}\nState: {state}\n");
    if let Some((own, pc)) = own {
        facts(own, pc, &mut out);
        contents(pid, own, &mut out);
    }
    out
}

fn facts(own: &Owned, pc: *const u64, out: &mut String) {
    let mut line = |title: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(out, "{title}: {value}");
    };
    if let Some(name) = own.name() {
        line("Name", &Term::atom(name));
    }
    let (m, f, a) = own.initial_call;
    line("Spawned as", &mfa(m, f, a));
    if own.parent != u64::MAX {
        line("Spawned by", &Term::local_pid(own.parent));
    } else {
        line("Spawned by", &"[]");
    }
    line("Message queue length", &own.mailbox.len());
    line("Number of heap fragments", &0);
    line("Heap fragment data", &0);
    let relations = relations(own);
    if !relations.is_empty() {
        line("Link list", &format_args!("[{}]", relations.join(", ")));
    }
    line("Reductions", &own.reductions);
    let (block, young) = (own.block_size(), own.heap.young_used());
    let (old, old_used) = own.heap.old_size();
    line("Stack+heap", &block);
    line("OldHeap", &old);
    let free = block.saturating_sub(young + own.stack.used());
    line("Heap unused", &free);
    line("OldHeap unused", &(old - old_used));
    let (young_bytes, old_bytes) = own.heap.binary_bytes();
    line("BinVHeap", &(young_bytes / 8));
    line("OldBinVHeap", &(old_bytes / 8));
    line("Memory", &(own.memory_words() * size_of::<u64>()));
    if let Some(b) = dirty::under_way(own) {
        let call = format!("{}:{}/{}", b.module, b.function, b.arity);
        line("Current call", &call);
    }
    line("Program counter", &place(pc));
    let _ = writeln!(out, "arity = {}", own.saved.len());
}

/// Links and monitors as they stand in one list.
fn relations(own: &Owned) -> Vec<String> {
    let all = own.relations.get();
    let mut heap = Heap::new();
    let mut name = |k: PidKey| k.to_term(&mut heap).to_string();
    let mut list: Vec<String> = all.links.iter().map(&mut name).collect();
    let mut references = Heap::new();
    let mut reference = |n: u64| references.reference(n, 0);
    for (&n, m) in &all.outgoing {
        let to = match m.target {
            MonitorTarget::Id(k) => name(k),
            MonitorTarget::Name { name, node, .. } => {
                format!("{{{},{}}}", Term::atom(name), Term::atom(node))
            }
            MonitorTarget::TimeOffset => continue,
        };
        list.push(format!("{{to,{to},{}}}", reference(n)));
    }
    for (n, m) in all.all_incoming() {
        list.push(format!("{{from,{},{}}}", name(m.from), reference(n)));
    }
    list
}

/// Messages, dictionary, stack, and the terms that these lead to.
fn contents(pid: Term, own: &Owned, out: &mut String) {
    let mut terms = Terms::default();
    if !own.mailbox.is_empty() {
        let _ = writeln!(out, "=proc_messages:{pid}");
        for m in own.mailbox.terms() {
            let _ = writeln!(out, "{}:N", terms.text(m));
        }
    }
    if !own.dict.pairs().is_empty() {
        let _ = writeln!(out, "=proc_dictionary:{pid}");
        for &pair in own.dict.pairs() {
            let _ = writeln!(out, "{}", terms.pair(pair));
        }
    }
    let _ = writeln!(out, "=proc_stack:{pid}");
    let mut y = 0;
    for (i, entry) in own.stack.entries().enumerate() {
        let line = match entry {
            StackWord::Return(word) => {
                let pc = return_address(word);
                let at = own.stack.sp().wrapping_add(i) as usize;
                let _ = writeln!(out, "0x{at:016x}:SReturn addr {}", place(pc));
                y = 0;
                continue;
            }
            StackWord::Catch(pc) => format!("SCatch {}", place(pc)),
            StackWord::Term(t) => terms.text(t),
        };
        let _ = writeln!(out, "y{y}:{line}");
        y += 1;
    }
    let (lines, binaries) = terms.finish();
    let _ = write!(out, "=proc_heap:{pid}\n{lines}{binaries}");
}
