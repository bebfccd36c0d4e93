//! Who waits for a socket to become ready: one process that is current, and others behind it.

use super::monitor::SocketMonitor;
use enigma_runtime::Term;
use enigma_runtime::data::compare;
use enigma_runtime::heap::literal::OwnedTerm;
use std::collections::VecDeque;

/// A process that waits.
pub struct SocketWaiter {
    /// Packed pid.
    pub process: u64,
    /// What its message is to hold.
    pub reference: OwnedTerm,
    /// Was that message sent? The process is expected to call again then.
    pub told: bool,
    /// Its end is noticed by this, or because it owns the socket.
    monitor: Option<SocketMonitor>,
}

impl SocketWaiter {
    /// A process that begins to wait.
    pub fn new(process: u64, reference: Term, monitor: Option<SocketMonitor>) -> SocketWaiter {
        SocketWaiter {
            process,
            reference: OwnedTerm::new(reference),
            told: false,
            monitor,
        }
    }

    /// Is its end noticed by a monitor of its own?
    pub fn is_monitored(&self) -> bool {
        self.monitor.is_some()
    }

    /// Its end is noticed by this from now on.
    pub fn set_monitor(&mut self, monitor: Option<SocketMonitor>) {
        self.monitor = monitor;
    }

    /// Does it wait with this reference?
    pub fn has(&self, reference: Term) -> bool {
        compare::exact_eq(self.reference.term(), reference)
    }
}

/// Whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// The caller's.
    Mine,
    /// Another's; the caller is not in the queue.
    Later,
    /// Another's, and the caller stands in the queue already.
    Queued,
}

/// The processes that want the same of a socket, in order.
#[derive(Default)]
pub struct Lane {
    /// Who may go on when the socket is ready.
    pub current: Option<SocketWaiter>,
    /// Who may afterwards.
    pub queue: VecDeque<SocketWaiter>,
}

/// What was found where an operation was to be cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cancelled {
    /// It waited.
    Waiting,
    /// Its message is on the way.
    Told,
    /// Nothing.
    NotFound,
}

impl Lane {
    /// Whose turn is it, seen by this process?
    pub fn turn(&self, process: u64) -> Turn {
        match &self.current {
            None => Turn::Mine,
            Some(w) if w.process == process => Turn::Mine,
            Some(_) if self.queue.iter().any(|w| w.process == process) => Turn::Queued,
            Some(_) => Turn::Later,
        }
    }

    /// All that wait.
    pub fn all(&mut self) -> impl Iterator<Item = &mut SocketWaiter> {
        self.current.iter_mut().chain(&mut self.queue)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.queue.len() + usize::from(self.current.is_some())
    }

    /// Does nobody wait?
    pub fn is_empty(&self) -> bool {
        self.current.is_none()
    }

    /// The current process has what it wanted: the next one's turn comes. `true` if there is one.
    pub fn advance(&mut self) -> bool {
        self.current = self.queue.pop_front();
        self.current.is_some()
    }

    /// The current process, if it is still to be told, is told now.
    pub fn tell(&mut self) -> Option<&SocketWaiter> {
        let w = self.current.as_mut().filter(|w| !w.told)?;
        w.told = true;
        Some(w)
    }

    /// A process ends. `true` if it was current.
    pub fn remove(&mut self, process: u64) -> bool {
        self.queue.retain(|w| w.process != process);
        self.current.take_if(|w| w.process == process).is_some()
    }

    /// Cancels what a process waits for with a reference. The current one's place is then empty.
    pub fn cancel(&mut self, process: u64, reference: Term) -> Cancelled {
        let is = |w: &SocketWaiter| w.process == process && w.has(reference);
        if let Some(w) = self.current.take_if(|w| is(w)) {
            return match w.told {
                true => Cancelled::Told,
                false => Cancelled::Waiting,
            };
        }
        let Some(at) = self.queue.iter().position(is) else {
            return Cancelled::NotFound;
        };
        self.queue.remove(at);
        Cancelled::Waiting
    }

    /// All that wait, of whom nobody waits any more.
    pub fn take(&mut self) -> impl Iterator<Item = SocketWaiter> + use<> {
        let all = std::mem::take(self);
        all.current.into_iter().chain(all.queue)
    }
}
