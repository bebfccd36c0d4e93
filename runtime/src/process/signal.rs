//! Signals: all that processes (and ports, timers, the VM itself) tell a process.
//!
//! They go into the process's inbox (see `inbox`), in which two signals of one sender stay in the order in which
//! they were sent: that is the guarantee that the language gives.

use super::PidKey;
use super::context::Ctx;
use super::exit_reason::ExitReason;
use crate::heap::literal::OwnedTerm;
use crate::hooks;
use crate::process::table;
use crate::term::Term;

/// See the module's text.
pub enum Signal {
    /// A message.
    Message(OwnedTerm),
    /// A message to an alias of the receiver; dropped if the alias is no longer active.
    AliasMessage {
        /// Number of the alias.
        alias: u64,
        /// The message.
        message: OwnedTerm,
        /// Is it sent as a priority message?
        priority: bool,
    },
    /// A message of another node that is no term: it counts as one that waits until the receiver looks at it, and then goes.
    Unreadable(Unreadable),
    /// The time of a `receive ... after` is over; the number tells which one.
    Timeout(u64),
    /// `exit/2`, or the end of a linked process or port. Boxed, because the size of the largest
    /// signal is that of all.
    Exit(Box<ExitSignal>),
    /// Somebody links to the receiver; `to` is the receiver, for the answer when it is gone.
    Link {
        /// Who links.
        from: PidKey,
        /// Packed pid of the receiver.
        to: u64,
    },
    /// A process takes the link away, and wants it acknowledged.
    Unlink(Unlink),
    /// The receiver's `unlink` has arrived at the process that it names as receiver.
    UnlinkAcknowledged(Unlink),
    /// Somebody monitors the receiver: number of the reference, who, and the name it was monitored by.
    Monitor {
        /// Number of the monitor's reference.
        reference: u64,
        /// The monitoring process.
        from: PidKey,
        /// Name that the monitor was made with.
        name: Option<crate::atom::Atom>,
    },
    /// Somebody takes a monitor away.
    Demonitor(u64),
    /// Something that the receiver monitors is gone.
    Down {
        /// Number of the monitor's reference.
        reference: u64,
        /// Why.
        reason: ExitReason,
    },
    /// The receiver gets another group leader.
    GroupLeader(OwnedTerm),
    /// The receiver is to run this, with its own memory at hand: a request for information. It may come in
    /// the middle of a BIF, so it moves nothing. Without a context when the receiver is gone.
    Task(Task),
    /// The receiver is to run this between two time slices, when its X registers are at rest in
    /// `Owned::saved`: a collection, a look at its code, suspension. Without a context when it is gone.
    SystemTask(Task),
}

/// One `unlink` of a process from another.
#[derive(Clone, Copy, Debug)]
pub struct Unlink {
    /// Who unlinks.
    pub from: PidKey,
    /// From whom.
    pub to: PidKey,
    /// Tells it from other ones; not 0.
    pub id: u64,
}

impl Unlink {
    /// Tells who has unlinked that the other side knows. A process that is gone need not know.
    pub fn acknowledge(self) {
        match self.from.local_id() {
            Some(id) => _ = send(id, Signal::UnlinkAcknowledged(self)),
            None => hooks::get().remote_unlink_acknowledged(self),
        }
    }
}

/// What an exit signal says.
pub struct ExitSignal {
    /// Who sends it.
    pub from: OwnedTerm,
    /// Why.
    pub reason: ExitReason,
    /// Does it come from a link, which must then still be there?
    pub link: bool,
}

/// Done when a message that is no term is looked at.
pub type Unreadable = Box<dyn FnOnce() + Send>;

/// Work that one process does for another.
pub type Task = Box<dyn FnOnce(Option<&mut Ctx<'_>>) + Send>;

/// Sends a signal to the process with this packed pid. `false` if there is none.
pub fn send(to: u64, signal: Signal) -> bool {
    table::with(to, |p| {
        if p.state.is_exiting() {
            return false;
        }
        p.inbox.push(signal);
        crate::sched::wake(p);
        true
    })
    .unwrap_or(false)
}

/// Sends work to a process; gives it back if there is no such process.
pub fn send_task(to: u64, task: Task) -> Result<(), Task> {
    send_work(to, task, Signal::Task)
}

/// Sends work to a process, as `Signal::Task` or `Signal::SystemTask`. If there is no such process it is done at
/// once, without a context.
pub fn request(to: u64, task: Task, signal: fn(Task) -> Signal) {
    if let Err(task) = send_work(to, task, signal) {
        task(None);
    }
}

fn send_work(to: u64, task: Task, signal: fn(Task) -> Signal) -> Result<(), Task> {
    let mut task = Some(task);
    let sent = table::with(to, |p| {
        if !p.state.is_exiting()
            && let Some(t) = task.take()
        {
            p.inbox.push(signal(t));
            crate::sched::wake(p);
        }
    });
    match (sent, task) {
        (_, Some(t)) => Err(t),
        _ => Ok(()),
    }
}

/// Sends a message to a process of this node. `false` if there is none.
pub fn send_message(to: u64, message: Term) -> bool {
    table::with(to, |p| {
        if p.state.is_exiting() {
            return false;
        }
        p.inbox.push(Signal::Message(OwnedTerm::message(message)));
        crate::sched::wake(p);
        true
    })
    .unwrap_or(false)
}
