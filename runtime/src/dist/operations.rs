//! What processes of this node tell those of others.

use super::connection::Connection;
use super::control::ControlMessage;
use super::nodes::{self, NodeEntry, Unreached};
use super::packet::SignalWriter;
use super::relations::OutgoingMonitor;
use crate::atom::Atom;
use crate::bif::{Ctx, Exit};
use crate::heap::Heap;
use crate::node;
use crate::process::signal::Unlink;
use crate::process::{Owned, PidKey, flag};
use crate::term::Term;
use crate::work::{self, Budget, Step, Work};
use std::sync::Arc;

/// The node of a process elsewhere, unless it is an earlier incarnation of this one.
fn home(key: PidKey) -> Option<Arc<NodeEntry>> {
    let name = key.node()?.name;
    (name != node::this().0 && node::is_alive()).then(|| nodes::entry(name))
}

/// The entry of a node that may be connected to.
pub fn reachable(name: Atom) -> Option<Arc<NodeEntry>> {
    (node::is_alive() && name != node::this().0).then(|| nodes::entry(name))
}

/// By what a process has signalled one elsewhere that waits because too much is on its way there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SignalledBy {
    /// A message.
    Send,
    /// Another signal.
    Other,
}

/// State of a call that has signalled a process elsewhere and waits because too much is on its way there.
pub struct Signalled {
    entry: Arc<NodeEntry>,
    by: SignalledBy,
    /// Number and owner of the reference that the call gives, if it gives one.
    reference: Option<(u64, u64)>,
}

impl Signalled {
    /// By what the process has signalled, if it waits for that.
    pub fn of(own: &Owned) -> Option<SignalledBy> {
        own.bif_state::<Signalled>().map(|s| s.by)
    }
}

/// The running process has signalled a process of this node: it waits if too much is on its way there now. Then the call is made
/// again, and `has_signalled` comes first.
///
/// # Errors
/// It is to wait.
pub fn wait_after(
    cx: &mut Ctx<'_>,
    entry: &Arc<NodeEntry>,
    by: SignalledBy,
    reference: Option<(u64, u64)>,
) -> Result<(), Exit> {
    if cx.own.has(flag::ASYNC_DIST) || !entry.must_wait(cx.proc.id) {
        return Ok(());
    }
    cx.own.rare().bif_state = Some(Box::new(Signalled {
        entry: entry.clone(),
        by,
        reference,
    }));
    Err(Exit::Wait)
}

/// The same where the process is known.
///
/// # Errors
/// It is to wait.
pub fn wait_after_signal(cx: &mut Ctx<'_>, to: RemoteTarget) -> Result<(), Exit> {
    match to.entry() {
        Some(e) => wait_after(cx, &e, SignalledBy::Other, None),
        None => Ok(()),
    }
}

/// Has the running process signalled already in this call, and waited? Number and owner of the reference that it gives, if it
/// gives one.
///
/// # Errors
/// It is to wait further.
pub fn has_signalled(cx: &mut Ctx<'_>) -> Result<Option<Option<(u64, u64)>>, Exit> {
    let Some(s) = cx.own.bif_state::<Signalled>() else {
        return Ok(None);
    };
    if s.entry.must_wait(cx.proc.id) {
        return Err(Exit::Wait);
    }
    let reference = s.reference;
    cx.own.rare().bif_state = None;
    Ok(Some(reference))
}

/// A message to a pid or an alias of another node, or to a name there.
pub fn send(
    entry: &Arc<NodeEntry>,
    from: u64,
    (to, message): (Term, Term),
    priority: bool,
    connects: bool,
) -> Result<(), Unreached> {
    let from = Term::local_pid(from);
    let control = ControlMessage::Send { from, to, priority };
    entry.submit(control, Some(message), connects, |_| {})
}

/// A signal that is being written for a connection.
struct SendInSteps {
    connection: Arc<Connection>,
    writer: SignalWriter,
}

impl Work for SendInSteps {
    fn step(&mut self, _: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        Ok(self.writer.go_on(budget).map(|e| {
            self.connection.push(e);
            Term::NIL
        }))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.writer.visit_roots(visit);
    }
}

/// The same by the running process over a connection, in steps: where it yields the call is made again, and `go_on_sending`
/// comes first.
pub fn send_in_steps(
    cx: &mut Ctx<'_>,
    connection: Arc<Connection>,
    (to, message): (Term, Term),
    priority: bool,
) -> Result<(), Exit> {
    let from = Term::local_pid(cx.proc.id);
    let control = ControlMessage::Send { from, to, priority };
    signal_in_steps(cx, connection, control, message)
}

fn signal_in_steps(
    cx: &mut Ctx<'_>,
    connection: Arc<Connection>,
    control: ControlMessage,
    payload: Term,
) -> Result<(), Exit> {
    let writer = SignalWriter::new(control, Some(payload), connection.flags);
    let work = SendInSteps { connection, writer };
    work::start(cx, &[], work).map(|_| ())
}

/// `exit/2` of the running process to one elsewhere, in steps as `send_in_steps`. `false`: there is no connection to write for.
pub fn exit_in_steps(cx: &mut Ctx<'_>, to: PidKey, reason: Term) -> Result<bool, Exit> {
    let Some(connection) = home(to).and_then(|e| e.connection()) else {
        return Ok(false);
    };
    let mut h = Heap::new();
    let control = ControlMessage::Exit2 {
        from: Term::local_pid(cx.proc.id),
        to: to.to_term(&mut h),
        reason: None,
        priority: false,
    };
    signal_in_steps(cx, connection, control, reason)?;
    Ok(true)
}

/// Goes on with a signal that the process has begun to send, if there is one.
pub fn go_on_sending(cx: &mut Ctx<'_>) -> Option<Result<(), Exit>> {
    work::resume(cx, &[]).map(|r| r.map(|_| ()))
}

/// A process links to one elsewhere.
pub fn link(local: u64, to: PidKey) -> Result<(), Unreached> {
    let entry = home(to).ok_or(Unreached::NoConnection)?;
    let mut h = Heap::new();
    let control = ControlMessage::Link {
        from: Term::local_pid(local),
        to: to.to_term(&mut h),
    };
    entry.submit(control, None, true, |r| {
        r.links.insert((local, to));
    })
}

/// A process has unlinked from one elsewhere. `false`: there is no connection, and so no link.
pub fn unlink(local: u64, to: PidKey, id: u64) -> bool {
    let Some(entry) = home(to) else { return false };
    let mut h = Heap::new();
    let control = ControlMessage::Unlink {
        id,
        from: Term::local_pid(local),
        to: to.to_term(&mut h),
    };
    entry.submit(control, None, false, |_| {}).is_ok()
}

/// A process here knows that one elsewhere has unlinked.
pub fn acknowledge_unlink(u: Unlink) {
    let (Some(entry), Some(local)) = (home(u.from), u.to.local_id()) else {
        return;
    };
    let mut h = Heap::new();
    let control = ControlMessage::UnlinkAcknowledged {
        id: u.id,
        from: Term::local_pid(local),
        to: u.from.to_term(&mut h),
    };
    entry.submit_if_connected(control, None, |r| {
        r.links.remove(&(local, u.from));
    });
}

/// A process here is no longer linked to one elsewhere.
pub fn unlinked(local: u64, to: PidKey) {
    if let Some(entry) = to.node().and_then(|n| nodes::find(n.name)) {
        entry.with_relations(|r| r.links.remove(&(local, to)));
    }
}

/// An exit signal, of a link or of `exit/2`.
pub fn exit_signal(to: PidKey, from: Term, reason: Term, link: bool) {
    let Some(entry) = home(to) else { return };
    let mut h = Heap::new();
    let receiver = to.to_term(&mut h);
    if link {
        let control = ControlMessage::Exit {
            from,
            to: receiver,
            reason: None,
        };
        let local = from.as_local_pid().unwrap_or(u64::MAX);
        entry.submit_if_connected(control, Some(reason), |r| {
            r.links.remove(&(local, to));
        });
    } else {
        let control = ControlMessage::Exit2 {
            from,
            to: receiver,
            reason: None,
            priority: false,
        };
        // A node that cannot be reached has no such process.
        let _ = entry.submit(control, Some(reason), true, |_| {});
    }
}

/// What a process monitors elsewhere.
#[derive(Clone, Copy)]
pub enum RemoteTarget {
    /// A process.
    Process(PidKey),
    /// A name on a node.
    Name(Atom, Atom),
}

impl RemoteTarget {
    /// Its node's entry.
    pub fn entry(self) -> Option<Arc<NodeEntry>> {
        match self {
            RemoteTarget::Process(key) => home(key),
            RemoteTarget::Name(_, node) => reachable(node),
        }
    }

    fn term(self, heap: &mut Heap) -> Term {
        match self {
            RemoteTarget::Process(key) => key.to_term(heap),
            RemoteTarget::Name(name, _) => name.into(),
        }
    }
}

/// A process monitors one elsewhere; `owner` is that of the reference, if it is an alias.
pub fn monitor(
    local: u64,
    target: RemoteTarget,
    (number, owner): (u64, u64),
) -> Result<(), Unreached> {
    let entry = target.entry().ok_or(Unreached::NoConnection)?;
    let mut h = Heap::new();
    let control = ControlMessage::Monitor {
        from: Term::local_pid(local),
        to: target.term(&mut h),
        reference: h.reference(number, owner),
    };
    entry.submit(control, None, true, |r| {
        r.outgoing.insert(number, OutgoingMonitor { local, owner });
    })
}

/// It does not any more.
pub fn demonitor(target: PidKey, number: u64) {
    take_monitor(RemoteTarget::Process(target), number);
}

/// The same for a name.
pub fn demonitor_name(name: Atom, node: Atom, number: u64) {
    take_monitor(RemoteTarget::Name(name, node), number);
}

fn take_monitor(target: RemoteTarget, number: u64) {
    let Some(entry) = target.entry() else { return };
    let Some(m) = entry.with_relations(|r| r.outgoing.remove(&number)) else {
        return;
    };
    let mut h = Heap::new();
    let control = ControlMessage::Demonitor {
        from: Term::local_pid(m.local),
        to: target.term(&mut h),
        reference: h.reference(number, m.owner),
    };
    entry.submit_if_connected(control, None, |_| {});
}

/// What a process elsewhere monitors here, by this number, is gone.
pub fn down(to: PidKey, number: u64, reason: Term) {
    let Some(entry) = home(to) else { return };
    let Some(m) = entry.with_relations(|r| r.take_incoming(number)) else {
        return;
    };
    let mut h = Heap::new();
    let from = match m.name {
        Some(name) => name.into(),
        None => Term::local_pid(m.local),
    };
    let control = ControlMessage::MonitorExit {
        from,
        to: to.to_term(&mut h),
        reference: m.reference.term(),
        reason: None,
    };
    entry.submit_if_connected(control, Some(reason), |_| {});
}

/// A process elsewhere gets another group leader.
pub fn group_leader(leader: Term, process: PidKey) -> Result<(), Unreached> {
    let entry = home(process).ok_or(Unreached::NoConnection)?;
    let mut h = Heap::new();
    let control = ControlMessage::GroupLeader {
        from: leader,
        to: process.to_term(&mut h),
    };
    entry.submit(control, None, true, |_| {})
}

/// A process asks for another one elsewhere; the answer comes by the number.
pub fn request_spawn(
    entry: &Arc<NodeEntry>,
    asker: u64,
    number: u64,
    control: ControlMessage,
    arguments: Term,
) -> Result<(), Unreached> {
    entry.submit(control, Some(arguments), true, |r| {
        r.spawns.insert(number, asker);
    })
}

/// Answers a request of a connection.
pub fn reply_to_spawn(c: &Arc<Connection>, control: ControlMessage) {
    c.entry.submit_if_connected(control, None, |_| {});
}
