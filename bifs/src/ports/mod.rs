//! Ports: doors to the outside world that behave like processes.
//!
//! A port is an entry in a table with a driver behind it. Commands run in the calling process. Drivers of sockets try a
//! system call at once and leave what would block to the poller (`enigma_runtime::io`), and so do those of programs; ports over
//! descriptors and files hand the work to threads of their own. So no scheduler waits. What comes from outside is sent to the connected process by
//! whoever has read it.
//!
//! A port that has more to write than it should is *busy*: who gives it more waits until it is not, unless the call says
//! otherwise.

pub mod bifs;
pub mod fd;
pub mod file;
pub mod framing;
pub mod inet;
pub mod loaded;
pub mod open;
pub mod options;
pub mod ram_file;
pub mod spawn;
pub mod tty_sl;

use crate::system::facts::facts;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::exit_reason::ExitReason;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::table;
use enigma_runtime::process::{PidKey, exit, handle, registry, system_monitor};
use enigma_runtime::{Ctx, Exit, Heap, Term};
use papaya::HashMap;
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// Why a command was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The data is no I/O list.
    BadData,
    /// The port closes for this reason.
    Failed(Atom),
}

/// Something to be done for a port.
pub type PortJob = Box<dyn FnOnce() + Send>;

/// What takes packets that a port gets from another node.
pub trait PacketSink: Send + Sync {
    /// Takes a packet behind the earlier ones. The port may be locked.
    fn take(&self, packet: Vec<u8>);
    /// The port is not locked any more: deals with the packets. So many bytes of its own wait to be sent.
    fn settle(&self, queued: usize);
}

/// What stands behind a port.
pub trait Driver: Send + Sync {
    /// Data for the outside.
    fn output(&self, port: &Arc<Port>, data: Vec<u8>) -> Result<(), Atom>;
    /// The same for drivers that take an I/O list as it is, from the process `caller`: the number of bytes, or nothing where the
    /// driver wants `output`. Nobody changes or frees the list before this returns.
    fn command(
        &self,
        _port: &Arc<Port>,
        _caller: u64,
        _data: Term,
    ) -> Option<Result<usize, Refusal>> {
        None
    }
    /// May a command be forced upon the port while it is busy?
    fn can_be_forced(&self) -> bool {
        false
    }
    /// Bytes that wait to be written.
    fn queue_size(&self) -> usize {
        0
    }
    /// `port_control/3` of the process `caller`: the answer, or nothing where the driver has no such operation.
    fn control(
        &self,
        _port: &Arc<Port>,
        _caller: u64,
        _operation: u32,
        _data: &[u8],
    ) -> Option<Vec<u8>> {
        None
    }
    /// The same where the driver makes the answer itself: nothing where `control` is to be asked, else the answer, or nothing where
    /// there is no such operation.
    fn control_to_term(
        &self,
        _caller: u64,
        _operation: u32,
        _data: &[u8],
        _heap: &mut Heap,
    ) -> Option<Option<Term>> {
        None
    }
    /// `port_call/3` of the process `caller`, with a term in the external format: the answer, in the same format.
    fn call(&self, _caller: u64, _operation: u32, _data: &[u8]) -> Option<Vec<u8>> {
        None
    }
    /// Packed pids of the processes that the port monitors.
    fn monitors(&self) -> Vec<u64> {
        Vec::new()
    }
    /// What excludes one another: calls of one port, or of all ports of the driver.
    fn locking(&self) -> &'static str {
        "port_level"
    }
    /// The reference by which the owner hears that the port has started, if that is not known yet: it gets `{Reference, Port}`, or an
    /// error's name instead of the port.
    fn start_reference(&self) -> Option<u64> {
        None
    }
    /// The VM is about to abort.
    fn emergency_close(&self) {}
    /// The port closes: nothing more comes from outside, and who waits for something is told.
    fn close(&self);
    /// Has the driver still to write when the port is closed? Then the port can be seen until `leave_table`.
    fn lingers(&self) -> bool {
        false
    }
    /// The port is killed: what waits to be written is not written any more.
    fn discard(&self) {}
    /// Has something done when a call of the driver that is under way in another thread has ended; gives it back where there is none.
    fn defer(&self, job: PortJob) -> Option<PortJob> {
        Some(job)
    }
    /// All that are linked to the port or monitor it have been told: what is outside may notice its end.
    fn finish(&self) {}
    /// Waits until what was given to `output` is out.
    fn flush(&self) {}
    /// From now on what comes is for a connection between nodes. `false` where the driver does not carry one.
    fn carry(&self, _sink: Arc<dyn PacketSink>) -> bool {
        false
    }
    /// Packets for another node.
    fn send_packets(&self, _packets: Vec<Vec<u8>>) {}
    /// Process id of an external program.
    fn os_pid(&self) -> Option<u32> {
        None
    }
}

/// A port.
pub struct Port {
    /// Number: `#Port<0.Number>`.
    pub id: u64,
    /// The name it was opened by, as `port_info` shows it.
    pub name: String,
    /// Are answers of `port_control/3` binaries?
    pub binary_control: bool,
    /// The option `parallelism`, which is only reported: a port's work is done in threads of its own.
    parallelism: AtomicBool,
    driver: std::sync::OnceLock<Box<dyn Driver>>,
    state: Mutex<State>,
    busy: AtomicBool,
    lingers: AtomicBool,
    input: AtomicU64,
    output: AtomicU64,
}

struct State {
    connected: u64,
    links: BTreeSet<u64>,
    monitors: BTreeMap<u64, u64>,
    registered: Option<Atom>,
    data: Option<OwnedTerm>,
    closed: bool,
    /// Processes that wait until the port is no longer busy.
    waiting: BTreeSet<u64>,
    /// Who is to be told of its end, and why, before those who are linked to it.
    at_end: Option<Box<dyn FnOnce(Term) + Send>>,
    /// Who has closed it by a message, and is to be told when nothing is left to write.
    closed_by: Option<u64>,
}

/// All ports, by their numbers.
static PORTS: LazyLock<HashMap<u64, Arc<Port>>> = LazyLock::new(HashMap::new);
/// Held, shared, by those who put ports in or take them out, so that who has it alone sees all of one moment.
static CHANGES: RwLock<()> = RwLock::new(());
/// How many there are.
static COUNT: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicU64 = AtomicU64::new(1);
static INPUT: AtomicU64 = AtomicU64::new(0);
static OUTPUT: AtomicU64 = AtomicU64::new(0);

/// The port with this number.
pub fn get(id: u64) -> Option<Arc<Port>> {
    PORTS.pin().get(&id).cloned()
}

/// The number that the next port gets.
pub fn next_id() -> u64 {
    NEXT.load(Ordering::Relaxed) & ID_MASK
}

/// Sets that number, for tests of what happens at the end of the range. One that is taken then is passed over.
pub fn set_next_id(n: u64) {
    NEXT.store(n & ID_MASK, Ordering::Relaxed);
}

/// The bits of a port's number.
const ID_MASK: u64 = (1 << 56) - 1;

/// All ports that there are at one moment.
pub fn all() -> Vec<Arc<Port>> {
    let alone = CHANGES.write();
    let mut all: Vec<Arc<Port>> = PORTS.pin().values().cloned().collect();
    drop(alone);
    all.sort_unstable_by_key(|p| p.id);
    all
}

/// A number that no port has.
fn fresh_id() -> u64 {
    loop {
        let id = NEXT.fetch_add(1, Ordering::Relaxed) & ID_MASK;
        if get(id).is_none() {
            return id;
        }
    }
}

/// Takes a port out of the table.
fn forget(id: u64) {
    let changes = CHANGES.read();
    PORTS.pin().remove(&id);
    drop(changes);
    COUNT.fetch_sub(1, Ordering::Relaxed);
}

impl Port {
    /// Makes a port that is linked to its owner, unless there are too many (`system_limit`); `start` makes the driver and may fail.
    pub fn open(
        owner: u64,
        name: &str,
        binary_control: bool,
        start: impl FnOnce(&Arc<Port>) -> Result<Box<dyn Driver>, Atom>,
    ) -> Result<Arc<Port>, Atom> {
        let port = Arc::new(Port {
            id: fresh_id(),
            name: name.to_string(),
            binary_control,
            parallelism: AtomicBool::new(facts().port_parallelism),
            driver: std::sync::OnceLock::new(),
            state: Mutex::new(State {
                connected: owner,
                links: BTreeSet::from([owner]),
                monitors: BTreeMap::new(),
                registered: None,
                data: None,
                closed: false,
                waiting: BTreeSet::new(),
                at_end: None,
                closed_by: None,
            }),
            busy: AtomicBool::new(false),
            lingers: AtomicBool::new(false),
            input: AtomicU64::new(0),
            output: AtomicU64::new(0),
        });
        if COUNT.fetch_add(1, Ordering::Relaxed) >= facts().port_limit as usize {
            COUNT.fetch_sub(1, Ordering::Relaxed);
            return Err(Atom::SYSTEM_LIMIT);
        }
        let changes = CHANGES.read();
        PORTS.pin().insert(port.id, port.clone());
        drop(changes);
        match start(&port) {
            Ok(d) => {
                let _ = port.driver.set(d);
                Ok(port)
            }
            Err(why) => {
                forget(port.id);
                Err(why)
            }
        }
    }

    /// Sets the option `parallelism`.
    pub fn set_parallelism(&self, on: bool) {
        self.parallelism.store(on, Ordering::Relaxed);
    }

    /// The option `parallelism`.
    pub fn parallelism(&self) -> bool {
        self.parallelism.load(Ordering::Relaxed)
    }

    /// The identifier.
    pub fn term(&self) -> Term {
        Term::local_port(self.id)
    }

    /// The connected process.
    pub fn connected(&self) -> u64 {
        self.state.lock().connected
    }

    /// The driver; none while the port is being opened.
    pub fn driver(&self) -> Option<&dyn Driver> {
        self.driver.get().map(|d| &**d)
    }

    /// Bytes read and written.
    pub fn counts(&self) -> (u64, u64) {
        (
            self.input.load(Ordering::Relaxed),
            self.output.load(Ordering::Relaxed),
        )
    }

    /// Sends `{Port, What}` to the connected process.
    pub fn tell(&self, build: impl FnOnce(&mut Heap) -> Term) {
        let (me, to) = (self.term(), self.connected());
        let message = handle::build(|h| {
            let what = build(h);
            h.tuple(&[me, what])
        });
        signal::send(to, Signal::Message(message));
    }

    /// Sends data from outside: `{Port, {data, Data}}`.
    pub fn tell_data(&self, data: &[u8], binary: bool) {
        self.count_input(data.len());
        self.tell(|h| {
            let d = if binary {
                h.binary(data)
            } else {
                h.byte_list(data)
            };
            h.tuple(&[Atom::DATA.into(), d])
        });
    }

    /// Counts bytes that came from outside.
    pub fn count_input(&self, n: usize) {
        self.input.fetch_add(n as u64, Ordering::Relaxed);
        INPUT.fetch_add(n as u64, Ordering::Relaxed);
    }

    /// Says that the port is busy, or no longer: then those that wait are called.
    pub fn set_busy(&self, busy: bool) {
        let mut s = self.state.lock();
        self.busy.store(busy, Ordering::Relaxed);
        if !busy {
            let waiting = std::mem::take(&mut s.waiting);
            drop(s);
            call(waiting);
        }
    }

    /// Is the port busy?
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    /// Must the process wait for the port? It is called when that has changed.
    pub fn must_wait(&self, process: u64) -> bool {
        let mut s = self.state.lock();
        let busy = self.is_busy() && !s.closed;
        if busy {
            table::with(process, |p| p.state.hold_up());
            if s.waiting.insert(process) {
                drop(s);
                system_monitor::waits_for_port(process, self.term());
            }
        }
        busy
    }

    /// Gives an I/O list to the driver.
    pub fn command(self: &Arc<Self>, caller: u64, data: Term) -> Result<usize, Refusal> {
        let Some(driver) = self.driver() else {
            return Err(Refusal::BadData);
        };
        if let Some(taken) = driver.command(self, caller, data) {
            self.count_output(*taken.as_ref().unwrap_or(&0));
            return taken;
        }
        let Ok(bytes) = crate::erlang::iolist::collect(data) else {
            crate::log::port_error(&format!("Bad value on output port '{}'\n", self.name));
            return Err(Refusal::BadData);
        };
        let n = bytes.len();
        match self.write(bytes) {
            Ok(()) => Ok(n),
            Err(why) => Err(Refusal::Failed(why)),
        }
    }

    /// Gives bytes to the driver.
    ///
    /// # Errors
    /// The port is to be closed for that reason.
    pub fn write(self: &Arc<Self>, data: Vec<u8>) -> Result<(), Atom> {
        self.count_output(data.len());
        let driver = self.driver().ok_or(Atom::EINVAL)?;
        driver.output(self, data)
    }

    /// Counts bytes for the outside.
    pub fn count_output(&self, n: usize) {
        self.output.fetch_add(n as u64, Ordering::Relaxed);
        OUTPUT.fetch_add(n as u64, Ordering::Relaxed);
    }

    /// Closes the port: links get an exit signal, monitors their message. `false` if it was closed before.
    pub fn close(&self, reason: Term) -> bool {
        self.close_for(None, reason)
    }

    /// The same for a process that wants to be told, by `{Port, closed}`.
    fn close_for(&self, process: Option<u64>, reason: Term) -> bool {
        let (links, monitors, name, waiting, at_end) = {
            let mut s = self.state.lock();
            if s.closed {
                return false;
            }
            s.closed = true;
            s.closed_by = process;
            (
                std::mem::take(&mut s.links),
                std::mem::take(&mut s.monitors),
                s.registered.take(),
                std::mem::take(&mut s.waiting),
                s.at_end.take(),
            )
        };
        match self.driver().is_some_and(Driver::lingers) {
            true => self.lingers.store(true, Ordering::Relaxed),
            false => forget(self.id),
        }
        if let Some(n) = name {
            registry::unregister_of(n, self.term());
        }
        // What the driver has to say comes before the news of its end.
        if let Some(d) = self.driver() {
            d.close();
        }
        if let Some(tell) = at_end {
            tell(reason);
        }
        let (me, reason) = (OwnedTerm::new(self.term()), ExitReason::new(reason));
        for id in links {
            exit::send_exit_to(PidKey::local(id), &me, &reason, true);
        }
        for (reference, id) in monitors {
            exit::send_down(PidKey::local(id), reference, &reason);
        }
        call(waiting);
        if let Some(d) = self.driver() {
            d.finish();
        }
        if !self.is_lingering() {
            self.tell_closed();
        }
        true
    }

    fn tell_closed(&self) {
        let closed_by = self.state.lock().closed_by.take();
        if let Some(process) = closed_by {
            let note = handle::build(|h| h.tuple(&[self.term(), Atom::CLOSED.into()]));
            signal::send(process, Signal::Message(note));
        }
    }

    /// Is it closed, and its driver has still to write?
    pub fn is_lingering(&self) -> bool {
        self.lingers.load(Ordering::Relaxed)
    }

    /// The driver of a port that lingers has written everything.
    pub fn leave_table(&self) {
        if self.lingers.swap(false, Ordering::Relaxed) {
            forget(self.id);
            self.tell_closed();
        }
    }

    /// The driver ends the port: as `close`, but the connected process, which the driver has told what there is to tell, is
    /// no longer linked to it and gets no exit signal.
    pub fn end(&self, reason: Atom) -> bool {
        let owner = {
            let mut s = self.state.lock();
            let owner = s.connected;
            s.links.remove(&owner).then_some(owner)
        };
        if let (Some(owner), Some(key)) = (owner, PidKey::of(self.term())) {
            let forget: signal::Task = Box::new(move |cx| {
                if let Some(cx) = cx {
                    cx.own.relations.links().remove(key);
                }
            });
            signal::send(owner, Signal::Task(forget));
        }
        self.close(reason.into())
    }

    /// Sets who is to be told of the port's end. `false` if it has ended, or somebody else is to be told.
    pub fn set_at_end(&self, tell: Box<dyn FnOnce(Term) + Send>) -> bool {
        let mut s = self.state.lock();
        let free = !s.closed && s.at_end.is_none();
        if free {
            s.at_end = Some(tell);
        }
        free
    }

    /// Is it closed?
    pub fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Makes `to` the connected process; links it.
    pub fn connect(&self, to: u64) {
        let mut s = self.state.lock();
        s.connected = to;
        s.links.insert(to);
    }

    /// Linked processes.
    pub fn links(&self) -> Vec<u64> {
        self.state.lock().links.iter().copied().collect()
    }

    /// Has something done after a call of the driver that is under way, if there is one.
    fn defer(&self, job: PortJob) -> Option<PortJob> {
        match self.driver() {
            Some(d) => d.defer(job),
            None => Some(job),
        }
    }

    /// `false` if the port is closed.
    fn add_monitor(&self, reference: u64, process: u64) -> bool {
        let mut s = self.state.lock();
        if !s.closed {
            s.monitors.insert(reference, process);
        }
        !s.closed
    }

    fn remove_monitor(&self, reference: u64) {
        self.state.lock().monitors.remove(&reference);
    }

    /// Monitoring processes.
    pub fn monitored_by(&self) -> Vec<u64> {
        self.state.lock().monitors.values().copied().collect()
    }

    /// Registered name.
    pub fn registered(&self) -> Option<Atom> {
        self.state.lock().registered
    }

    /// What `port_set_data/2` has kept.
    pub fn data(&self, heap: &mut Heap) -> Option<Term> {
        self.state
            .lock()
            .data
            .as_ref()
            .map(|d| copy::copy(d.term(), heap))
    }

    /// Keeps a term.
    pub fn set_data(&self, t: Term) {
        self.state.lock().data = Some(OwnedTerm::new(t));
    }
}

/// Makes processes look again at what they wait for.
fn call(waiting: BTreeSet<u64>) {
    for id in waiting {
        signal::send(id, Signal::Task(Box::new(|_| ())));
    }
}

/// A message to a port: `{Owner, {command, Data}}`, `{Owner, close}`, `{Owner, {connect, Pid}}`. The sender of a
/// command waits for a busy port, unless it is not to: `false` then. The connected process hears of what is none of these.
pub fn message(cx: &mut Ctx<'_>, port: u64, message: Term, no_suspend: bool) -> Result<bool, Exit> {
    let Some(p) = get(port) else { return Ok(true) };
    let me = cx.proc.id;
    let bad = || {
        let (from, reason) = (
            OwnedTerm::new(Term::local_port(port)),
            ExitReason::new(Atom::BADSIG.into()),
        );
        exit::send_exit_to(PidKey::local(p.connected()), &from, &reason, false);
    };
    let Some(&[owner, what]) = message.as_tuple_n::<2>() else {
        bad();
        return Ok(true);
    };
    let Some(owner) = owner.as_local_pid() else {
        bad();
        return Ok(true);
    };
    if owner != p.connected() {
        bad();
        return Ok(true);
    }
    if what.as_atom() == Some(Atom::CLOSE) {
        p.close_for(Some(owner), Atom::NORMAL.into());
        return Ok(true);
    }
    match what.as_tuple_n::<2>() {
        Some(&[k, data]) if k.as_atom() == Some(Atom::COMMAND) => {
            if p.is_busy() && no_suspend {
                return Ok(false);
            }
            if p.is_busy() && p.must_wait(me) {
                return Err(Exit::Wait);
            }
            match p.command(me, data) {
                Ok(_) => {}
                Err(Refusal::BadData) => bad(),
                Err(Refusal::Failed(why)) => _ = p.close(why.into()),
            }
        }
        Some(&[k, pid]) if k.as_atom() == Some(Atom::CONNECT) => match pid.as_local_pid() {
            Some(to) => {
                p.connect(to);
                signal::send(
                    to,
                    Signal::Link {
                        from: PidKey::of(p.term()).unwrap_or(PidKey::local(to)),
                        to,
                    },
                );
                let note =
                    handle::build(|h| h.tuple(&[Term::local_port(port), Atom::CONNECTED.into()]));
                signal::send(owner, Signal::Message(note));
            }
            None => bad(),
        },
        _ => bad(),
    }
    Ok(true)
}

/// Links a process to a port. `false` if there is no such port.
pub fn link(port: u64, process: u64) -> bool {
    let Some(p) = get(port) else { return false };
    let mut s = p.state.lock();
    if !s.closed {
        s.links.insert(process);
    }
    !s.closed
}

/// Takes a link away.
pub fn unlink(port: u64, process: u64) {
    if let Some(p) = get(port) {
        p.state.lock().links.remove(&process);
    }
}

/// Makes a process monitor a port. `false` if there is no such port.
pub fn monitor(port: u64, reference: u64, process: u64) -> bool {
    let Some(p) = get(port) else { return false };
    let later = p.clone();
    let job = move || {
        if !later.add_monitor(reference, process) {
            let noproc = ExitReason::new(Atom::NOPROC.into());
            exit::send_down(PidKey::local(process), reference, &noproc);
        }
    };
    p.defer(Box::new(job)).is_none() || p.add_monitor(reference, process)
}

/// Takes a monitor away.
pub fn demonitor(port: u64, reference: u64) {
    if let Some(p) = get(port) {
        let later = p.clone();
        if let Some(job) = p.defer(Box::new(move || later.remove_monitor(reference))) {
            job();
        }
    }
}

/// Gives a port a name, or says why not.
pub fn set_name(port: u64, name: Atom) -> Result<(), Atom> {
    let p = get(port).ok_or(Atom::NONE)?;
    let mut s = p.state.lock();
    if s.closed {
        return Err(Atom::NONE);
    }
    if s.registered.is_some() {
        return Err(Atom::REGISTERED_NAME);
    }
    if !registry::register(name, Term::local_port(port)) {
        return Err(Atom::NONE);
    }
    s.registered = Some(name);
    Ok(())
}

/// Notes that a port has lost its name.
pub fn clear_name(port: u64) {
    if let Some(p) = get(port) {
        p.state.lock().registered = None;
    }
}

/// An exit signal to a port: from a linked process, or by `exit/2`. Any reason but `normal` closes it, and
/// so does the end of its owner.
pub fn exit_signal(port: u64, from: Term, reason: Term, link: bool) {
    let Some(p) = get(port) else { return };
    let from = from.as_local_pid().unwrap_or(u64::MAX);
    let owner = p.connected() == from;
    if link && !p.state.lock().links.remove(&from) && !owner {
        return;
    }
    let reason = match reason.as_atom() {
        Some(Atom::NORMAL) if !owner => return,
        Some(Atom::KILL) if !link => {
            if let Some(d) = p.driver() {
                d.discard();
            }
            Atom::KILLED.into()
        }
        _ => reason,
    };
    p.close(reason);
}

/// Number of ports.
pub fn count() -> usize {
    COUNT.load(Ordering::Relaxed)
}

/// Bytes read and written by all ports.
pub fn totals() -> (u64, u64) {
    (
        INPUT.load(Ordering::Relaxed),
        OUTPUT.load(Ordering::Relaxed),
    )
}

/// Tells all drivers that the VM is about to abort.
pub fn emergency_close_all() {
    for p in all() {
        if let Some(d) = p.driver() {
            d.emergency_close();
        }
    }
}

/// Waits until what processes have written is out.
pub fn flush_all() {
    for p in all() {
        if let Some(d) = p.driver() {
            d.flush();
        }
    }
}
