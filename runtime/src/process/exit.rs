//! The end of a process.

use super::context::Ctx;
use super::exit_reason::ExitReason;
use super::relations::{All, Relation};
use super::signal::{self, ExitSignal, Signal};
use super::{
    MaxHeap, Owned, PidKey, Process, flag, handle, registry, suspend, system_monitor, table,
};
use crate::atom::Atom;
use crate::budget;
use crate::heap::gc::heap_size_for;
use crate::heap::literal::OwnedTerm;
use crate::hooks;
use crate::term::Term;
use crate::timer;

/// Relations that are told of an end in one time slice.
const TOLD_AT_ONCE: usize = 1000;

/// What a process that has ended has still to do.
pub struct Farewell {
    me: OwnedTerm,
    reason: ExitReason,
    relations: All,
}

/// Ends the running process: tells everybody who should know, frees what it has. Only the record itself
/// stays until nobody can look at it any more. `false`: there are many to tell, and `go_on` is to be called in
/// another time slice, until it gives `true`. Meanwhile the process is dead to everybody.
#[must_use]
pub fn terminate(cx: &mut Ctx<'_>, p: &'static Process, reason: ExitReason) -> bool {
    table::note_end(p.id);
    if p.state.set_exiting() {
        timer::cancel_all_for(p.id);
    }
    system_monitor::end(p.id);
    table::leave();
    if cx.own.has(flag::HAS_RESOURCES) {
        hooks::get().process_exit(cx, reason.term());
    }
    if let Some(name) = cx.own.set_name(None) {
        registry::unregister_of(name, p.pid_term());
    }
    let mut farewell = Farewell {
        me: OwnedTerm::new(p.pid_term()),
        reason,
        relations: cx.own.relations.take(),
    };
    suspend::end(p, cx.own);
    cx.own.take_unhandled().for_each(answer_for_dead);
    cx.own.resume_tasks();
    for task in cx.own.take_system_tasks() {
        task(None);
    }
    for (reference, m) in std::mem::take(&mut farewell.relations.resources) {
        send_down(m.from, reference, &farewell.reason);
    }
    cx.own.free();
    let ended = farewell.step();
    if ended {
        remove(p);
    } else {
        cx.own.rare().farewell = Some(Box::new(farewell));
    }
    ended
}

/// Goes on with the end of a process.
#[must_use]
pub fn go_on(cx: &mut Ctx<'_>, p: &'static Process) -> bool {
    let farewell = cx.own.rare_if_any().and_then(|r| r.farewell.as_mut());
    let ended = farewell.is_none_or(|f| f.step());
    if ended {
        cx.own.free();
        remove(p);
    }
    ended
}

fn remove(p: &'static Process) {
    p.inbox.take_all().for_each(answer_for_dead);
    table::remove(p);
}

impl Farewell {
    /// Tells some of those who are related to the process; have all been told?
    fn step(&mut self) -> bool {
        let most = if budget::is_stressed() {
            1
        } else {
            TOLD_AT_ONCE
        };
        for _ in 0..most {
            match self.relations.pop() {
                Some(Relation::Link(key)) => send_exit_to(key, &self.me, &self.reason, true),
                Some(Relation::Incoming(reference, m)) => {
                    send_down(m.from, reference, &self.reason);
                }
                Some(Relation::Outgoing(reference, m)) => handle::take_away(&m, reference),
                None => return true,
            }
        }
        false
    }
}

/// Sends the exit signal of a link (or of `exit/2`) to a process or port.
pub fn send_exit_to(to: PidKey, from: &OwnedTerm, reason: &ExitReason, link: bool) {
    if let Some(id) = to.local_id() {
        signal::send(
            id,
            Signal::Exit(Box::new(ExitSignal {
                from: from.clone(),
                reason: reason.clone(),
                link,
            })),
        );
    } else if let Some(port) = to.local_port() {
        hooks::get().port_exit_signal(port, from.term(), reason.term(), link);
    } else {
        hooks::get().remote_exit_signal(to, from.term(), reason.term(), link);
    }
}

/// Tells a monitoring process, a resource or a port of this node that what it monitors is gone.
pub fn send_down(to: PidKey, reference: u64, reason: &ExitReason) {
    if to.resource_number().is_some() || to.local_port().is_some() {
        return hooks::resource_down(reference);
    }
    match to.local_id() {
        Some(id) => {
            signal::send(
                id,
                Signal::Down {
                    reference,
                    reason: reason.clone(),
                },
            );
        }
        None => hooks::get().remote_down(to, reference, reason.term()),
    }
}

/// Takes a monitor away from what it watches.
pub fn demonitor(target: PidKey, reference: u64) {
    if let Some(id) = target.local_id() {
        signal::send(id, Signal::Demonitor(reference));
    } else if let Some(port) = target.local_port() {
        hooks::get().port_demonitor(port, reference);
    } else {
        hooks::get().remote_demonitor(target, reference);
    }
}

/// What a process that is gone answers to a signal.
pub fn answer_for_dead(s: Signal) {
    match s {
        Signal::Monitor {
            reference, from, ..
        } => {
            send_down(from, reference, &ExitReason::new(Term::atom(Atom::NOPROC)));
        }
        Signal::Task(f) | Signal::SystemTask(f) => f(None),
        Signal::Link { from, to } => {
            let me = OwnedTerm::new(Term::local_pid(to));
            send_exit_to(from, &me, &ExitReason::new(Term::atom(Atom::NOPROC)), true);
        }
        Signal::Unlink(u) => u.acknowledge(),
        _ => {}
    }
}

/// Before a collection: has the process more than it may have? What the collection itself needs counts, as on BEAM:
/// a young generation of the same size, and an old one where there is none yet and it is about to be needed. Messages
/// that wait count where they are kept on the heap.
pub fn check_max_heap(own: &mut Owned, max: MaxHeap) {
    let mut young = own.heap.young_used();
    if !own.has(flag::OFF_HEAP_MESSAGES) {
        young += own.mailbox.words();
    }
    let old = match own.heap.old_size().0 {
        0 if own.heap.mature_words() > 0 => heap_size_for(young),
        old => old,
    };
    let block = own.block_size().max(young + own.stack.used());
    let mut words = young + old + heap_size_for(block);
    if max.include_shared_binaries {
        let (young, old) = own.heap.binary_bytes();
        words += (young + old) / 8;
    }
    if max.size == 0 || words <= max.size {
        return;
    }
    if max.error_logger {
        hooks::get().max_heap_exceeded(own, words, max);
    }
    if max.kill {
        own.exit_reason = Some(Box::new(ExitReason::new(Term::atom(Atom::KILLED))));
    }
}
