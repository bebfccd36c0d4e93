//! A record that stands in for a process where a call is made for it outside the schedulers.
//!
//! It has the process's pid and a heap of its own, is in no table and receives no signals: who writes to that
//! pid reaches the process itself. So what the call does to terms touches nothing that the process, or anybody
//! who serves its signals meanwhile, can see.

use super::dict::Dict;
use super::mailbox::Mailbox;
use super::relations::Relations;
use super::stack::Stack;
use super::state::Priority;
use super::{Owned, Process, Timeout, flag};
use crate::atom::Atom;
use crate::heap::Heap;
use crate::heap::gc::ProcHeap;
use crate::term::Term;

/// A stand-in for the process with this packed pid, with terms in `heap`.
pub fn make(id: u64, heap: Heap) -> Process {
    let mut own = Owned {
        id,
        heap: ProcHeap::empty(),
        stack: Stack::empty(),
        pc: std::ptr::null(),
        saved: Vec::new(),
        mailbox: Mailbox::default(),
        dict: Dict::default(),
        relations: Relations::default(),
        group_leader: Term::NIL,
        error_handler: Atom::ERROR_HANDLER,
        // What the call sends to its own process is a signal like any other.
        flags: flag::OFF_HEAP_MESSAGES,
        timeout: Timeout::None,
        initial_call: (Atom::UNDEFINED, Atom::UNDEFINED, 0),
        parent: u64::MAX,
        reductions: 0,
        exit_reason: None,
        collections: 0,
        rare: None,
    };
    own.heap.young = heap;
    Process::new(id, Priority::Normal, own)
}
