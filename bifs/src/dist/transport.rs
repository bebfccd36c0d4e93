//! What carries the packets of a connection: a port whose driver does so, or a process that asks for them.

use crate::ports::{PacketSink, Port};
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::dist::connection::{Connection, Transport};
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::exit_reason::ExitReason;
use enigma_runtime::process::signal::{self, ExitSignal, Signal};
use enigma_runtime::process::{PidKey, exit};
use enigma_runtime::sched::later::Gathering;
use parking_lot::Mutex;
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Packets that a port has got, on their way to its connection. Whoever lets the port go deals with them, one thread at a
/// time.
#[derive(Default)]
pub struct PortSink {
    connection: OnceLock<Arc<Connection>>,
    packets: Mutex<VecDeque<Vec<u8>>>,
    dealing: Mutex<()>,
    queued: AtomicUsize,
}

impl PortSink {
    /// The connection that packets are for from now on.
    pub fn set_connection(&self, c: Arc<Connection>) {
        let _ = self.connection.set(c);
        self.deal();
    }

    fn deal(&self) {
        let Some(c) = self.connection.get() else {
            return;
        };
        // What is answered goes together, when others may deal again.
        let _gathering = Gathering::begin();
        while !self.packets.lock().is_empty() {
            let Some(_dealing) = self.dealing.try_lock() else {
                return;
            };
            self.deal_with_all(c);
        }
    }

    fn deal_with_all(&self, c: &Arc<Connection>) {
        let outer = DEALS.replace(true);
        loop {
            let Some(packet) = self.packets.lock().pop_front() else {
                break;
            };
            c.receive(&packet);
        }
        DEALS.set(outer);
    }

    /// The port has ended: what has come before is dealt with, whoever does it.
    pub fn finish(&self) {
        if !DEALS.get()
            && let Some(c) = self.connection.get()
        {
            let _dealing = self.dealing.lock();
            self.deal_with_all(c);
        }
    }
}

thread_local! {
    /// Does this thread deal with packets? Then it is because of one of these that a port ends, and it waits for nobody.
    static DEALS: Cell<bool> = const { Cell::new(false) };
}

impl PacketSink for PortSink {
    fn take(&self, packet: Vec<u8>) {
        self.packets.lock().push_back(packet);
    }

    fn settle(&self, queued: usize) {
        let before = self.queued.swap(queued, Ordering::Relaxed);
        self.deal();
        if queued < before
            && let Some(c) = self.connection.get()
        {
            c.has_sunk();
        }
    }
}

/// A port.
pub struct PortTransport {
    port: Arc<Port>,
    sink: Arc<PortSink>,
}

impl PortTransport {
    /// A port, if its driver carries connections. What it gets goes to the sink.
    pub fn new(port: &Arc<Port>) -> Option<PortTransport> {
        let sink = Arc::new(PortSink::default());
        let carries = port.driver()?.carry(sink.clone());
        carries.then(|| PortTransport {
            port: port.clone(),
            sink,
        })
    }

    /// Where packets go that it gets.
    pub fn sink(&self) -> Arc<PortSink> {
        self.sink.clone()
    }
}

impl Transport for PortTransport {
    fn send(&self, packets: Vec<Vec<u8>>) {
        if let Some(driver) = self.port.driver() {
            driver.send_packets(packets);
        }
    }

    fn queued(&self) -> usize {
        self.sink.queued.load(Ordering::Relaxed)
    }

    fn close(&self, reason: Term) {
        self.port.close(reason);
    }
}

/// What a process has to send for a connection.
#[derive(Default)]
struct Outbox {
    packets: VecDeque<Vec<u8>>,
    /// Is it to be told when there is something?
    notifies: bool,
}

/// A process that asks for packets and sends them by itself.
pub struct ProcessOutbox {
    /// Its packed pid.
    pub process: u64,
    outbox: Mutex<Outbox>,
    queued: AtomicUsize,
}

impl ProcessOutbox {
    /// For a process.
    pub fn new(process: u64) -> ProcessOutbox {
        ProcessOutbox {
            process,
            outbox: Mutex::default(),
            queued: AtomicUsize::new(0),
        }
    }

    /// Takes the next packet.
    pub fn take(&self) -> Option<Vec<u8>> {
        let packet = self.outbox.lock().packets.pop_front()?;
        self.queued.fetch_sub(packet.len(), Ordering::Relaxed);
        Some(packet)
    }

    /// The process wants to be told when there is something, which may be at once.
    pub fn notify(&self) {
        let mut o = self.outbox.lock();
        o.notifies = true;
        self.tell(&mut o);
    }

    fn tell(&self, o: &mut Outbox) {
        if o.notifies && !o.packets.is_empty() {
            o.notifies = false;
            signal::send_message(self.process, Atom::new("dist_data").into());
        }
    }
}

/// The process as a transport.
pub struct ProcessTransport(pub Arc<ProcessOutbox>);

impl Transport for ProcessTransport {
    fn send(&self, packets: Vec<Vec<u8>>) {
        let mut o = self.0.outbox.lock();
        for p in packets {
            self.0.queued.fetch_add(p.len(), Ordering::Relaxed);
            o.packets.push_back(p);
        }
        self.0.tell(&mut o);
    }

    fn queued(&self) -> usize {
        self.0.queued.load(Ordering::Relaxed)
    }

    fn close(&self, reason: Term) {
        let process = self.0.process;
        let me = OwnedTerm::new(Term::local_pid(process));
        if reason.as_atom() == Some(Atom::NORMAL) {
            // A process does not end by that reason of somebody else.
            let exit = ExitSignal {
                from: me,
                reason: ExitReason::new(Atom::KILL.into()),
                link: false,
            };
            signal::send(process, Signal::Exit(Box::new(exit)));
        } else {
            exit::send_exit_to(PidKey::local(process), &me, &ExitReason::new(reason), false);
        }
    }
}
