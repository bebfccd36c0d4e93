//! A connection to another node: what goes out goes in one order, and who sends more than it takes waits.

use super::flags;
use super::nodes::NodeEntry;
use super::packet::{Encoded, PacketReader};
use super::send_queue::SendQueue;
use super::watch::NodeInNews;
use crate::process::signal::{self, Signal};
use crate::process::{system_monitor, table};
use crate::sched::later::{self, Postponed};
use crate::term::Term;
use parking_lot::Mutex;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// What carries packets to the other side. Its calls come one at a time.
pub trait Transport: Send + Sync {
    /// Takes packets to be sent in this order.
    fn send(&self, packets: Vec<Vec<u8>>);
    /// Bytes that it has taken and not sent.
    fn queued(&self) -> usize;
    /// Closes: nothing more is to come of it.
    fn close(&self, reason: Term);
}

/// Bytes on their way out from which on senders wait (`+zdbbl`).
static BUSY_LIMIT: AtomicUsize = AtomicUsize::new(1 << 20);

/// Sets from how many bytes on their way out senders wait.
pub fn set_busy_limit(bytes: usize) {
    BUSY_LIMIT.store(bytes, Ordering::Relaxed);
}

/// From how many bytes on their way out do senders wait?
pub fn busy_limit() -> usize {
    BUSY_LIMIT.load(Ordering::Relaxed)
}

/// While the transport has so many bytes to send no further pieces of long signals are given to it, so that what others send
/// does not wait behind them.
const AHEAD: usize = 128 * 1024;

/// So many bytes do not wait until the end of the time slice.
const AT_ONCE: usize = 16 * 1024;

/// See the module's text.
pub struct Connection {
    /// The node.
    pub entry: Arc<NodeEntry>,
    /// Tells it from earlier and later ones to the node.
    pub id: u32,
    /// The other node's creation.
    pub creation: u32,
    /// What both sides are capable of.
    pub flags: u64,
    /// The port or process that carries it.
    pub controller: Term,
    transport: Box<dyn Transport>,
    /// What waits to be put into packets.
    queue: Mutex<VecDeque<Encoded>>,
    /// Bytes of these.
    queued: AtomicUsize,
    outgoing: Mutex<SendQueue>,
    /// Are there pieces that have not been given to the transport?
    has_pieces: AtomicBool,
    reader: Mutex<PacketReader>,
    waiting: Mutex<BTreeSet<u64>>,
    /// May somebody wait?
    has_waiting: AtomicBool,
    is_closed: AtomicBool,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Connection {
    /// A connection that nothing has gone through.
    pub fn new(
        entry: Arc<NodeEntry>,
        (id, creation, flags): (u32, u32, u64),
        controller: Term,
        transport: Box<dyn Transport>,
    ) -> Connection {
        Connection {
            entry,
            id,
            creation,
            flags,
            controller,
            transport,
            queue: Mutex::default(),
            queued: AtomicUsize::new(0),
            outgoing: Mutex::new(SendQueue::new(flags)),
            has_pieces: AtomicBool::new(false),
            reader: Mutex::default(),
            waiting: Mutex::default(),
            has_waiting: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// The node as news tell of it.
    pub fn subject(&self) -> NodeInNews {
        NodeInNews {
            name: self.entry.name,
            visible: self.flags & flags::PUBLISHED != 0,
            connection: Some(self.id),
        }
    }

    /// Packets received and sent, and bytes that wait to be sent.
    pub fn counts(&self) -> (u64, u64, usize) {
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        (count(&self.received), count(&self.sent), self.pending())
    }

    fn pending(&self) -> usize {
        self.queued.load(Ordering::SeqCst) + self.transport.queued()
    }

    /// Puts a signal behind the others. It goes at once, or at the end of the time slice.
    pub fn push(self: &Arc<Self>, e: Encoded) {
        if self.is_closed.load(Ordering::Acquire) {
            return;
        }
        self.enqueue(e);
        if self.queued.load(Ordering::Relaxed) >= AT_ONCE || !later::leave(self) {
            self.flush();
        }
    }

    /// The same without giving it to the transport yet.
    pub(super) fn enqueue(&self, e: Encoded) {
        self.queued.fetch_add(e.size(), Ordering::Relaxed);
        self.queue.lock().push_back(e);
    }

    /// Gives what waits to the transport, unless somebody does already, who then takes this too.
    pub fn flush(&self) {
        loop {
            {
                let Some(mut outgoing) = self.outgoing.try_lock() else {
                    return;
                };
                while self.flush_some(&mut outgoing) {}
                self.has_pieces
                    .store(outgoing.has_pieces(), Ordering::SeqCst);
            }
            let more = self.has_pieces.load(Ordering::SeqCst) && self.transport.queued() < AHEAD;
            if !more && self.queue.lock().is_empty() {
                break;
            }
        }
        // The transport may have had less to send before than while this was on its way to it.
        if self.has_waiting.load(Ordering::SeqCst) && !self.is_busy() {
            self.call_waiting();
        }
    }

    /// Gives all short signals and one piece to the transport. `false`: nothing is left, or nothing more may go now.
    fn flush_some(&self, outgoing: &mut SendQueue) -> bool {
        if self.is_closed() {
            let some = std::mem::take(&mut *self.queue.lock());
            let size: usize = some.iter().map(Encoded::size).sum();
            self.queued.fetch_sub(size, Ordering::SeqCst);
            outgoing.clear();
            return false;
        }
        let some = std::mem::take(&mut *self.queue.lock());
        let mut packets = Vec::with_capacity(some.len());
        let mut size = 0;
        for e in some {
            size += outgoing.add(e, &mut packets);
        }
        if outgoing.has_pieces() && self.transport.queued() < AHEAD {
            size += outgoing.next_piece(&mut packets);
        }
        if packets.is_empty() {
            return false;
        }
        self.sent.fetch_add(packets.len() as u64, Ordering::Relaxed);
        self.transport.send(packets);
        self.queued.fetch_sub(size, Ordering::SeqCst);
        true
    }

    /// Is more on its way out than there should be?
    pub fn is_busy(&self) -> bool {
        self.pending() >= busy_limit() && !self.is_closed.load(Ordering::Acquire)
    }

    /// Must the process wait because there is too much on its way? It is called when that has changed.
    pub fn must_wait(&self, process: u64) -> bool {
        if !self.is_busy() {
            return false;
        }
        self.flush();
        let mut waiting = self.waiting.lock();
        self.has_waiting.store(true, Ordering::SeqCst);
        let busy = self.is_busy();
        if busy {
            table::with(process, |p| p.state.hold_up());
            if waiting.insert(process) {
                drop(waiting);
                system_monitor::waits_for_connection(process, self.controller);
            }
        }
        busy
    }

    /// The transport has less to send than before: who waits is called if it is little enough.
    pub fn has_sunk(&self) {
        if self.has_pieces.load(Ordering::SeqCst) {
            self.flush();
        }
        if !self.is_busy() {
            self.call_waiting();
        }
    }

    fn call_waiting(&self) {
        let waiting = {
            let mut waiting = self.waiting.lock();
            self.has_waiting.store(false, Ordering::SeqCst);
            std::mem::take(&mut *waiting)
        };
        call(waiting);
    }

    /// Takes a packet from the other side, after all earlier ones.
    pub fn receive(self: &Arc<Self>, packet: &[u8]) {
        self.received.fetch_add(1, Ordering::Relaxed);
        if self.is_closed.load(Ordering::Acquire) {
            return;
        }
        let mut reader = self.reader.lock();
        let arrived = reader.take(packet);
        let good = match arrived {
            Ok(None) => true,
            Ok(Some(a)) => super::incoming::dispatch(self, a).is_ok(),
            Err(_) => false,
        };
        if !good {
            reader.end();
            drop(reader);
            self.fail();
        }
    }

    /// What has come is no message of a node: the connection is closed.
    pub fn fail(&self) {
        if !self.is_closed.load(Ordering::Acquire) {
            super::incoming::report(self);
            self.transport.close(crate::atom::Atom::KILLED.into());
        }
    }

    /// Closes the transport, for this reason; the end of the connection follows.
    pub fn close(&self, reason: Term) {
        self.flush();
        self.transport.close(reason);
    }

    /// It has ended. `false` if it had before.
    pub(super) fn set_closed(&self) -> bool {
        let first = !self.is_closed.swap(true, Ordering::AcqRel);
        // Whoever is at it gives it back when the connection goes.
        if let Some(mut reader) = self.reader.try_lock() {
            reader.end();
        }
        self.call_waiting();
        first
    }

    /// Has it ended?
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }
}

impl Postponed for Connection {
    fn perform(&self) {
        self.flush();
    }
}

/// Makes processes look again at what they wait for.
pub(super) fn call(waiting: BTreeSet<u64>) {
    for id in waiting {
        signal::send(id, Signal::Task(Box::new(|_| ())));
    }
}
