//! What a process does with the signals it has received.

use super::context::Ctx;
use super::exit_reason::{ExitReason, ROOM};
use super::relations::{Incoming, MonitorTarget, Outgoing};
use super::signal::{ExitSignal, Signal};
use super::{AliasEnd, Owned, PidKey, Process, Timeout, exit, flag, system_monitor};
use crate::atom::Atom;
use crate::budget;
use crate::heap::Heap;
use crate::heap::copy;
use crate::heap::literal::OwnedTerm;
use crate::hooks;
use crate::term::Term;
use crate::time;

/// Signals that are handled at once.
const HANDLED_AT_ONCE: usize = 16_000;

/// Has the process signals that it has not handled?
#[inline]
pub fn is_behind(p: &Process, own: &Owned) -> bool {
    !p.inbox.is_empty() || own.has_unhandled()
}

/// Handles the signals that have come, or the first of them if they are many; the rest is handled before later
/// ones (`Owned::has_unhandled`). What comes meanwhile waits for another time, so that others cannot keep a process
/// here. If a signal ends the process, `own.exit_reason` is set and the rest is answered as by a dead process.
pub fn fetch(cx: &mut Ctx<'_>) {
    fetch_some(cx);
    system_monitor::queue_has_grown(cx.own);
}

fn fetch_some(cx: &mut Ctx<'_>) {
    let mut left = if budget::is_stressed() {
        1
    } else {
        HANDLED_AT_ONCE
    };
    let mut signals = cx.own.take_unhandled();
    let mut looks = signals.is_empty() || !cx.own.is_catching_up();
    loop {
        if signals.is_empty() && looks {
            looks = false;
            signals = cx.proc.inbox.take_all();
        }
        if left == 0 && !signals.is_empty() {
            return cx.own.keep_unhandled(signals);
        }
        let Some(s) = signals.next() else { return };
        left -= 1;
        handle(cx, s);
        if cx.own.exit_reason.is_some() {
            signals.for_each(exit::answer_for_dead);
            return;
        }
    }
}

/// Handles the signals that had come when this was called first, some at a time: `false` if it is to be called again,
/// in another time slice.
pub fn catch_up(cx: &mut Ctx<'_>) -> bool {
    if !cx.own.is_catching_up() {
        if !is_behind(cx.proc, cx.own) {
            return true;
        }
        let mut signals = cx.own.take_unhandled();
        signals.append(cx.proc.inbox.take_all());
        cx.own.keep_unhandled(signals);
        cx.own.set_catching_up(true);
    }
    if cx.own.has_unhandled() {
        fetch(cx);
    }
    if cx.own.has_unhandled() {
        return false;
    }
    cx.own.set_catching_up(false);
    true
}

/// Does what a signal says.
pub fn handle(cx: &mut Ctx<'_>, s: Signal) {
    let own = &mut *cx.own;
    match s {
        Signal::Message(m) => own.mailbox.push(m),
        Signal::AliasMessage {
            alias: number,
            message,
            priority,
        } => {
            if let Some(alias) = own.rare().aliases.get(&number).copied() {
                if priority && alias.priority {
                    own.mailbox.push_priority(message);
                } else {
                    own.mailbox.push(message);
                }
                match alias.end {
                    AliasEnd::Reply => {
                        own.rare().aliases.remove(&number);
                    }
                    AliasEnd::ReplyDemonitor => {
                        own.rare().aliases.remove(&number);
                        if let Some(m) = own.relations.remove_outgoing(number) {
                            take_away(&m, number);
                        }
                    }
                    AliasEnd::Explicit | AliasEnd::Demonitor => {}
                }
            }
        }
        Signal::Unreadable(seen) => own.mailbox.push_unreadable(seen),
        Signal::Timeout(n) => {
            if matches!(own.timeout, Timeout::Running(k, _) if k == n) {
                own.timeout = Timeout::Over;
            }
        }
        Signal::Exit(s) => exit_signal(cx.proc.id, own, *s),
        Signal::Link { from, .. } => own.relations.links().linked_by(from),
        Signal::Unlink(u) => {
            if own.relations.links().unlinked_by(u.from) {
                unlinked(cx.proc.id, u.from);
            }
            u.acknowledge();
        }
        Signal::UnlinkAcknowledged(u) => {
            if own.relations.links().acknowledged(u.to, u.id) {
                unlinked(cx.proc.id, u.to);
            }
        }
        Signal::Monitor {
            reference,
            from,
            name,
        } => {
            own.relations
                .make()
                .add_incoming(reference, Incoming { from, name });
        }
        Signal::Demonitor(reference) => {
            own.relations.remove_incoming(reference);
        }
        Signal::Down { reference, reason } => down(cx.proc.id, own, reference, reason),
        Signal::GroupLeader(t) => own.group_leader = copy::copy(t.term(), &mut own.heap.young),
        Signal::Task(f) => f(Some(cx)),
        Signal::SystemTask(f) => {
            own.rare().system_tasks.push(f);
            cx.end_slice();
        }
    }
}

/// A link is gone; where it led to another node its connection is to know.
fn unlinked(me: u64, from: PidKey) {
    if from.node().is_some() {
        hooks::get().remote_unlinked(me, from);
    }
}

/// Tells what a monitor watches that the monitor is gone.
pub fn take_away(m: &Outgoing, reference: u64) {
    let key = match m.target {
        MonitorTarget::Id(k) => Some(k),
        MonitorTarget::Name { id: Some(id), .. } => Some(id),
        MonitorTarget::Name { name, node, .. } => {
            if node != crate::node::this().0 {
                hooks::get().remote_demonitor_name(name, node, reference);
            }
            None
        }
        MonitorTarget::TimeOffset => {
            time::watch::remove(reference);
            None
        }
    };
    if let Some(k) = key {
        exit::demonitor(k, reference);
    }
}

fn exit_signal(me: u64, own: &mut Owned, s: ExitSignal) {
    let ExitSignal { from, reason, link } = s;
    let key = PidKey::of(from.term());
    if link {
        let Some(k) = key else { return };
        let active = own.relations.links().remove(k);
        unlinked(me, k);
        if !active {
            return;
        }
    }
    let atom = reason.term().as_atom();
    if !link && atom == Some(Atom::KILL) {
        own.exit_reason = Some(Box::new(ExitReason::new(Term::atom(Atom::KILLED))));
    } else if own.has(flag::TRAP_EXIT) {
        let message = build_with(reason, from.words(), |h, reason| {
            let from = copy::copy(from.term(), h);
            h.tuple(&[Term::atom(Atom::EXIT_SIGNAL), from, reason])
        });
        own.mailbox.push(message);
    } else if atom != Some(Atom::NORMAL) || (!link && key == Some(PidKey::local(me))) {
        own.exit_reason = Some(Box::new(reason));
    }
}

/// A term built in a heap of its own.
pub fn build(f: impl FnOnce(&mut Heap) -> Term) -> OwnedTerm {
    let mut h = Heap::new();
    let t = f(&mut h);
    OwnedTerm::new(t)
}

/// Terms of more words are worth not being copied once more.
const LONG: usize = 64;

/// The same around terms of so many words: long ones are copied once only.
pub fn build_around(words: usize, f: impl FnOnce(&mut Heap) -> Term) -> OwnedTerm {
    if words <= LONG {
        return build(f);
    }
    let mut h = Heap::with_capacity(words + LONG);
    let t = f(&mut h);
    if h.is_one_block() {
        OwnedTerm::from_heap(t, h)
    } else {
        OwnedTerm::new(t)
    }
}

/// A message with an exit reason and so many words of other terms. A long reason that nobody else has is not copied.
fn build_with(
    reason: ExitReason,
    words: usize,
    f: impl FnOnce(&mut Heap, Term) -> Term,
) -> OwnedTerm {
    if reason.words() <= LONG + ROOM {
        return build(|h| {
            let reason = copy::copy(reason.term(), h);
            f(h, reason)
        });
    }
    match reason.take_over() {
        Ok(owned) => {
            let (reason, mut h) = owned.into_heap();
            let t = f(&mut h, reason);
            match h.is_one_block() {
                true => OwnedTerm::from_heap(t, h),
                false => OwnedTerm::new(t),
            }
        }
        Err(reason) => build_around(words + reason.words(), |h| {
            let reason = copy::copy(reason.term(), h);
            f(h, reason)
        }),
    }
}

/// A monitor is gone, and with it an alias that ends so.
pub fn end_alias_of_monitor(own: &mut Owned, reference: u64) {
    if let Some(r) = own.rare_if_any()
        && let Some(AliasEnd::Demonitor | AliasEnd::ReplyDemonitor) =
            r.aliases.get(&reference).map(|a| a.end)
    {
        r.aliases.remove(&reference);
    }
}

/// The message that a monitor gives.
fn down(me: u64, own: &mut Owned, reference: u64, reason: ExitReason) {
    let Some(m) = own.relations.remove_outgoing(reference) else {
        return;
    };
    let tag_words = m.tag.as_ref().map_or(0, |t| t.words());
    let message = build_with(reason, tag_words, |h, why| {
        let tag = m
            .tag
            .as_ref()
            .map_or(Term::atom(Atom::DOWN), |t| copy::copy(t.term(), h));
        let r = h.reference(reference, if m.alias { me } else { 0 });
        let (kind, object) = match m.target {
            MonitorTarget::Id(k) => (
                if k.is_port() {
                    Atom::PORT
                } else {
                    Atom::PROCESS
                },
                k.to_term(h),
            ),
            MonitorTarget::Name {
                name, node, port, ..
            } => (
                if port { Atom::PORT } else { Atom::PROCESS },
                h.tuple(&[name.into(), node.into()]),
            ),
            MonitorTarget::TimeOffset => (Atom::TIME_OFFSET, Term::atom(Atom::TIME_OFFSET)),
        };
        h.tuple(&[tag, r, kind.into(), object, why])
    });
    if m.alias {
        end_alias_of_monitor(own, reference);
    }
    if m.priority {
        own.mailbox.push_priority(message);
    } else {
        own.mailbox.push(message);
    }
}
