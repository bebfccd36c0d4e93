//! What comes from other nodes: signals for processes of this one.
//!
//! ControlMessage messages are read by whoever takes packets from the transport; a long payload by the process that it is for.

use super::connection::Connection;
use super::control::{ControlMessage, reply};
use super::operations;
use super::packet::Arrived;
use super::relations::{IncomingMonitor, OutgoingMonitor, RefKey};
use crate::atom::Atom;
use crate::heap::Heap;
use crate::heap::copy;
use crate::heap::literal::OwnedTerm;
use crate::process::context::Ctx;
use crate::process::relations::{MonitorTarget, Outgoing};
use crate::process::signal::{self, ExitSignal, Signal, Task, Unlink};
use crate::process::{PidKey, handle, registry};
use crate::reference;
use crate::term::{Kind, Term};
use std::sync::{Arc, OnceLock};

/// Payloads up to so many bytes are read at once.
const SHORT: usize = 512;

/// What has come is no message of a node.
pub struct BadMessage;

/// A request of another node to spawn a process.
pub struct SpawnRequest<'a> {
    /// The connection that it came by.
    pub connection: &'a Arc<Connection>,
    /// The process that asks.
    pub from: PidKey,
    /// The request's reference.
    pub reference: Term,
    /// The new process's group leader.
    pub leader: Term,
    /// Module, function, arity.
    pub mfa: Term,
    /// Options.
    pub options: Term,
    /// The list of arguments, to be read.
    pub arguments: Arrived,
}

/// What the layers above do for this one.
pub struct Above {
    /// Spawns a process on request.
    pub spawn: fn(SpawnRequest<'_>) -> Result<(), BadMessage>,
    /// A connection is closed because of what has come by it.
    pub report: fn(&Connection),
}

static ABOVE: OnceLock<Above> = OnceLock::new();

/// Sets what the layers above do; the first call wins.
pub fn set_above(above: Above) {
    let _ = ABOVE.set(above);
}

/// Tells that a connection is closed because of what has come by it.
pub(super) fn report(c: &Connection) {
    if let Some(above) = ABOVE.get() {
        (above.report)(c);
    }
}

fn read(a: &mut Arrived) -> Result<OwnedTerm, BadMessage> {
    let mut heap = Heap::with_capacity(a.left() / 2 + 16);
    let t = a.term(&mut heap).map_err(|_| BadMessage)?;
    if a.left() > 0 {
        return Err(BadMessage);
    }
    Ok(if heap.is_one_block() {
        OwnedTerm::from_heap(t, heap)
    } else {
        OwnedTerm::new(t)
    })
}

/// Reads a message to a process, by that process itself if it is long. What is no term is noticed when the process looks at
/// it, and closes the connection if that is still there.
fn deliver_message(c: &Arc<Connection>, to: u64, arrived: Arrived) {
    let c = c.clone();
    let signal = move |mut arrived: Arrived| match read(&mut arrived) {
        Ok(message) => Signal::Message(message),
        Err(BadMessage) => Signal::Unreadable(Box::new(move || c.fail())),
    };
    if arrived.left() <= SHORT {
        signal::send(to, signal(arrived));
        return;
    }
    let task: Task = Box::new(move |cx| {
        if let Some(cx) = cx {
            handle::handle(cx, signal(arrived));
        }
    });
    signal::send(to, Signal::Task(task));
}

/// Reads the payload and makes a signal of it, by the receiver itself if it is long.
///
/// # Errors
/// It is no term.
pub fn deliver(
    c: &Arc<Connection>,
    to: u64,
    mut arrived: Arrived,
    make: impl FnOnce(OwnedTerm) -> Signal + Send + 'static,
) -> Result<(), BadMessage> {
    if arrived.left() <= SHORT {
        let payload = read(&mut arrived)?;
        signal::send(to, make(payload));
        return Ok(());
    }
    let c = c.clone();
    let task: Task = Box::new(move |cx| {
        if let Some(cx) = cx {
            match read(&mut arrived) {
                Ok(payload) => handle::handle(cx, make(payload)),
                Err(BadMessage) => c.fail(),
            }
        }
    });
    signal::send(to, Signal::Task(task));
    Ok(())
}

/// Takes a message that has come whole.
///
/// # Errors
/// It is none.
pub fn dispatch(c: &Arc<Connection>, mut arrived: Arrived) -> Result<(), BadMessage> {
    let mut heap = Heap::new();
    let t = arrived.term(&mut heap).map_err(|_| BadMessage)?;
    let (control, has_payload) = ControlMessage::of_term(t).ok_or(BadMessage)?;
    if has_payload != (arrived.left() > 0) {
        return Err(BadMessage);
    }
    // Relations are those of processes of the node itself.
    let theirs = |t: Term| {
        let key = PidKey::of(t).ok_or(BadMessage)?;
        let is_theirs = key.node().is_some_and(|n| n.name == c.entry.name);
        if is_theirs { Ok(key) } else { Err(BadMessage) }
    };
    match control {
        ControlMessage::Send { to, priority, .. } => send(c, to, priority, arrived)?,
        ControlMessage::Link { from, to } => {
            let key = theirs(from)?;
            let linked = to.as_local_pid().is_some_and(|id| {
                c.entry.with_relations_of(c, |r| r.links.insert((id, key)));
                signal::send(id, Signal::Link { from: key, to: id })
            });
            // It may be one of an earlier incarnation of this node, too.
            if !linked {
                operations::exit_signal(key, to, Atom::NOPROC.into(), true);
            }
        }
        ControlMessage::Unlink { id, from, to } => {
            let key = theirs(from)?;
            if let Some(local) = PidKey::of(to).and_then(PidKey::local_id) {
                let to = PidKey::local(local);
                let unlink = Unlink { from: key, to, id };
                if !signal::send(local, Signal::Unlink(unlink)) {
                    unlink.acknowledge();
                }
            }
        }
        ControlMessage::UnlinkAcknowledged { id, from, to } => {
            let key = theirs(from)?;
            if let Some(local) = to.as_local_pid() {
                let unlink = Unlink {
                    from: PidKey::local(local),
                    to: key,
                    id,
                };
                if !signal::send(local, Signal::UnlinkAcknowledged(unlink)) {
                    operations::unlinked(local, key);
                }
            }
        }
        ControlMessage::Exit { from, to, reason } => {
            let key = theirs(from)?;
            if let Some(id) = to.as_local_pid() {
                exit(c, (from, id), reason, true, arrived)?;
                // A process that is gone has no links.
                if !crate::process::table::with(id, |p| !p.state.is_exiting()).unwrap_or(false) {
                    operations::unlinked(id, key);
                }
            }
        }
        ControlMessage::Exit2 {
            from, to, reason, ..
        } => {
            let id = match to.as_atom() {
                Some(name) => registry::whereis(name).and_then(Term::as_local_pid),
                None => to.as_local_pid(),
            };
            match id {
                Some(id) => exit(c, (from, id), reason, false, arrived)?,
                None if to.is_kind(Kind::Ref) => alias_exit(c, from, to, arrived)?,
                None => {}
            }
        }
        ControlMessage::GroupLeader { from, to } => {
            if let Some(id) = to.as_local_pid() {
                signal::send(id, Signal::GroupLeader(OwnedTerm::new(from)));
            }
        }
        ControlMessage::Monitor {
            from,
            to,
            reference,
        } => monitor(c, theirs(from)?, to, reference),
        ControlMessage::Demonitor { reference, .. } => {
            let taken = c.entry.with_relations_of(c, |r| {
                let number = r.numbers.remove(&RefKey::of(reference))?;
                Some((number, r.incoming.remove(&number)?))
            });
            if let Some((number, m)) = taken.flatten() {
                signal::send(m.local, Signal::Demonitor(number));
            }
        }
        ControlMessage::MonitorExit {
            to,
            reference,
            reason,
            ..
        } => {
            let number = reference.is_kind(Kind::Ref).then(|| reference.ref_number());
            let taken = number.and_then(|n| {
                let found = c.entry.with_relations_of(c, |r| r.outgoing.remove(&n));
                Some((n, found.flatten()?))
            });
            if let (Some((number, m)), Some(_)) = (taken, to.as_local_pid()) {
                let down = move |reason: OwnedTerm| Signal::Down {
                    reference: number,
                    reason: reason.into(),
                };
                match reason {
                    Some(r) => _ = signal::send(m.local, down(OwnedTerm::new(r))),
                    None => deliver(c, m.local, arrived, down)?,
                }
            }
        }
        ControlMessage::SpawnRequest {
            reference,
            from,
            leader,
            mfa,
            options,
        } => {
            let request = SpawnRequest {
                connection: c,
                from: theirs(from)?,
                reference,
                leader,
                mfa,
                options,
                arguments: arrived,
            };
            match ABOVE.get() {
                Some(above) => (above.spawn)(request)?,
                None => return Err(BadMessage),
            }
        }
        ControlMessage::SpawnReply {
            reference,
            flags,
            result,
            ..
        } => {
            if reference.is_kind(Kind::Ref) {
                spawned(c, reference.ref_number(), flags, result)?;
            }
        }
    }
    Ok(())
}

fn send(c: &Arc<Connection>, to: Term, priority: bool, arrived: Arrived) -> Result<(), BadMessage> {
    if to.is_kind(Kind::Ref) {
        let (alias, owner) = (to.ref_number(), to.ref_owner());
        if owner == 0 {
            return Ok(());
        }
        return deliver(c, owner, arrived, move |message| Signal::AliasMessage {
            alias,
            message,
            priority,
        });
    }
    let to = match to.as_atom() {
        Some(name) => registry::whereis(name),
        None => Some(to),
    };
    if let Some(id) = to.and_then(Term::as_local_pid) {
        deliver_message(c, id, arrived);
    }
    Ok(())
}

fn exit(
    c: &Arc<Connection>,
    (from, to): (Term, u64),
    reason: Option<Term>,
    link: bool,
    arrived: Arrived,
) -> Result<(), BadMessage> {
    let from = OwnedTerm::new(from);
    let exit = move |reason: OwnedTerm| {
        let reason = reason.into();
        Signal::Exit(Box::new(ExitSignal { from, reason, link }))
    };
    match reason {
        Some(r) => {
            signal::send(to, exit(OwnedTerm::new(r)));
            Ok(())
        }
        None => deliver(c, to, arrived, exit),
    }
}

/// An exit signal to an alias counts where the alias is active.
fn alias_exit(
    c: &Arc<Connection>,
    from: Term,
    to: Term,
    arrived: Arrived,
) -> Result<(), BadMessage> {
    let (alias, owner) = (to.ref_number(), to.ref_owner());
    let from = OwnedTerm::new(from);
    deliver(c, owner, arrived, move |reason| {
        Signal::Task(Box::new(move |cx| {
            if let Some(cx) = cx
                && cx
                    .own
                    .rare_if_any()
                    .is_some_and(|r| r.aliases.contains_key(&alias))
            {
                let exit = ExitSignal {
                    from,
                    reason: reason.into(),
                    link: false,
                };
                handle::handle(cx, Signal::Exit(Box::new(exit)));
            }
        }))
    })
}

fn monitor(c: &Arc<Connection>, from: PidKey, to: Term, reference: Term) {
    let name = to.as_atom();
    let target = match name {
        Some(name) => registry::whereis(name),
        None => Some(to),
    };
    let local = target.and_then(Term::as_local_pid);
    let number = reference::fresh();
    let noted = c.entry.with_relations_of(c, |r| {
        let m = IncomingMonitor {
            local: local.unwrap_or(u64::MAX),
            name,
            reference: OwnedTerm::new(reference),
        };
        r.numbers.insert(RefKey::of(reference), number);
        r.incoming.insert(number, m);
    });
    let signal = Signal::Monitor {
        reference: number,
        from,
        name,
    };
    if noted.is_some() && !local.is_some_and(|id| signal::send(id, signal)) {
        operations::down(from, number, Atom::NOPROC.into());
    }
}

/// A request of this node has been answered.
fn spawned(c: &Arc<Connection>, number: u64, flags: i64, result: Term) -> Result<(), BadMessage> {
    let asker = c
        .entry
        .with_relations_of(c, |r| r.spawns.remove(&number))
        .flatten();
    let Some(asker) = asker else { return Ok(()) };
    let result = match (result.as_atom(), PidKey::of(result)) {
        (Some(why), _) => Err(why),
        (_, Some(key)) if key.node().is_some_and(|n| n.name == c.entry.name) => Ok(key),
        _ => return Err(BadMessage),
    };
    if let Ok(key) = result {
        c.entry.with_relations_of(c, |r| {
            if flags & reply::LINK != 0 {
                r.links.insert((asker, key));
            }
            if flags & reply::MONITOR != 0 {
                let m = OutgoingMonitor {
                    local: asker,
                    owner: 0,
                };
                r.outgoing.insert(number, m);
            }
        });
    }
    answer_request(asker, number, result, flags);
    Ok(())
}

/// Tells a process how its request to spawn has ended.
pub(super) fn answer_request(asker: u64, number: u64, result: Result<PidKey, Atom>, flags: i64) {
    let task: Task = Box::new(move |cx| match cx {
        Some(cx) => answered(cx, number, result, flags),
        None => abandon(asker, number, result, flags, Atom::NOPROC),
    });
    if let Err(task) = signal::send_task(asker, task) {
        task(None);
    }
}

/// Nobody waits for the answer any more: the new process is on its own.
fn abandon(asker: u64, number: u64, result: Result<PidKey, Atom>, flags: i64, why: Atom) {
    let Ok(child) = result else { return };
    if flags & reply::LINK != 0 {
        operations::exit_signal(child, Term::local_pid(asker), why.into(), true);
    }
    if flags & reply::MONITOR != 0 {
        operations::demonitor(child, number);
    }
}

fn answered(cx: &mut Ctx<'_>, number: u64, result: Result<PidKey, Atom>, flags: i64) {
    let me = cx.proc.id;
    let own = &mut *cx.own;
    let pending = own
        .rare_if_any()
        .and_then(|r| r.pending_spawns.remove(&number));
    let Some(p) = pending else {
        return abandon(me, number, result, flags, Atom::new("abandoned"));
    };
    let owner = if p.alias { me } else { 0 };
    let wanted = match result {
        Ok(child) => {
            if flags & reply::LINK != 0 {
                own.relations.links().insert(child);
            }
            if flags & reply::MONITOR != 0 {
                let m = Outgoing {
                    target: MonitorTarget::Id(child),
                    tag: p.monitor_tag,
                    alias: p.alias,
                    priority: p.priority,
                };
                own.relations.make().outgoing.insert(number, m);
            }
            p.replies.0
        }
        Err(_) => {
            handle::end_alias_of_monitor(own, number);
            p.replies.1
        }
    };
    if wanted {
        let message = handle::build(|h| {
            let tag = copy::copy(p.tag.term(), h);
            let r = h.reference(number, owner);
            let (status, value) = match result {
                Ok(child) => (Atom::OK, child.to_term(h)),
                Err(why) => (Atom::ERROR, why.into()),
            };
            h.tuple(&[tag, r, status.into(), value])
        });
        own.mailbox.push(message);
    }
}
