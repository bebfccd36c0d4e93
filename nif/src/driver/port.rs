//! A port of a driver in C.
//!
//! `Port` is what Erlang sees of it; this is what the driver sees. It outlives the other where the driver has a queue that is not empty
//! when the port is closed:
//!
//! ```text
//! Starting ---> Open ---> Flushing ---> Stopped
//!                 |  closed             ^   the queue is empty, or the driver fails
//!                 '---------------------'   closed, and there is no queue
//! ```
//!
//! A driver may end its port while a function of it runs (`driver_failure_*`). What follows from that, `stop` above all, is done when
//! the function has returned.

use super::entry::{CDriver, CDriverMonitor, DriverData, DriverEvent, PlainFn};
use super::lock::PortLock;
use super::pdl::Pdl;
use super::queue::{CDriverVector, DriverQueue};
use super::{events, pdl};
use crate::c::Ptr;
use enigma_bifs::errno;
use enigma_bifs::log;
use enigma_bifs::ports::framing::Cutter;
use enigma_bifs::ports::loaded;
use enigma_bifs::ports::options::PortOptions;
use enigma_bifs::ports::{Port, framing::PortFraming};
use enigma_runtime::atom::Atom;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{PidKey, exit, handle, system_monitor};
use enigma_runtime::{Term, reference, time, timer};
use papaya::HashMap;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ffi::{CString, c_void};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Weak};

/// `ErlDrvPort`: the number of the port, so that one that is gone is found to be so.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct PortHandle(usize);

impl PortHandle {
    /// What stands for no port.
    pub const NONE: PortHandle = PortHandle(usize::MAX);

    /// The port, as long as it has not stopped.
    pub fn get(self) -> Option<Arc<DriverPort>> {
        get(self.0 as u64)
    }
}

/// Ports that have not stopped, by their numbers.
static PORTS: LazyLock<HashMap<u64, Arc<DriverPort>>> = LazyLock::new(HashMap::new);

/// The port with this number, as long as it has not stopped.
pub fn get(id: u64) -> Option<Arc<DriverPort>> {
    PORTS.pin().get(&id).cloned()
}

/// All ports of a driver.
pub fn all_of(driver: &Arc<CDriver>) -> Vec<Arc<DriverPort>> {
    let ports = PORTS.pin();
    let of_it = ports.values().filter(|p| Arc::ptr_eq(&p.driver, driver));
    of_it.cloned().collect()
}

/// See the module's text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum PortStatus {
    /// `start` runs.
    Starting,
    /// It works.
    Open,
    /// It is closed, and the driver has still to write.
    Flushing,
    /// `stop` has been called.
    Stopped,
}

/// How a driver ends its port.
#[derive(Clone, Copy, Debug)]
pub enum DriverFailure {
    /// Nothing more comes.
    Eof,
    /// For this reason.
    Reason(Atom),
    /// For the reason that a number is.
    Number(i32),
    /// For this reason, of which its owner does not hear.
    Quiet(Atom),
}

/// What the options of `open_port/2` say.
#[derive(Clone, Copy)]
struct Style {
    framing: PortFraming,
    binary: bool,
    tells_eof: bool,
}

/// A timer that runs.
struct PortTimer {
    handle: timer::Handle,
    number: u64,
    deadline: i64,
}

/// See the module's text.
pub struct DriverPort {
    me: Weak<DriverPort>,
    /// What Erlang sees.
    pub port: Weak<Port>,
    /// Its number.
    pub id: u64,
    /// The driver.
    pub driver: Arc<CDriver>,
    /// What excludes other calls.
    pub lock: Arc<PortLock>,
    data: AtomicUsize,
    status: AtomicU8,
    caller: AtomicU64,
    /// Functions of the driver that run for it.
    running: AtomicUsize,
    failure: Mutex<Option<DriverFailure>>,
    timer: Mutex<(u64, Option<PortTimer>)>,
    /// The driver's queue.
    pub queue: Mutex<DriverQueue>,
    /// Its port data lock, if it has one.
    pub pdl: Mutex<Option<&'static Pdl>>,
    /// Processes that it monitors, by the numbers of the references.
    monitors: Mutex<BTreeMap<u64, u64>>,
    style: Style,
    cutter: Mutex<Cutter>,
    /// Are answers of `port_control/3` binaries?
    pub control_binary: AtomicBool,
    /// The process id that is shown, or -1.
    pub os_pid: AtomicI64,
    /// Limits for commands that have not been taken, low and high; nothing where there are none.
    pub command_limits: Mutex<Option<(usize, usize)>>,
    /// Percents of a time slice that the function that runs has used.
    pub used: AtomicI64,
    /// The reference by which the owner hears that the port has started.
    start: Mutex<Option<u64>>,
}

/// Nobody has called.
const NOBODY: u64 = u64::MAX;

impl DriverPort {
    fn new(
        port: &Arc<Port>,
        driver: &Arc<CDriver>,
        lock: Arc<PortLock>,
        style: Style,
    ) -> Arc<DriverPort> {
        let p = Arc::new_cyclic(|me| DriverPort {
            me: me.clone(),
            port: Arc::downgrade(port),
            id: port.id,
            driver: driver.clone(),
            lock,
            data: AtomicUsize::new(0),
            status: AtomicU8::new(PortStatus::Starting as u8),
            caller: AtomicU64::new(NOBODY),
            running: AtomicUsize::new(0),
            failure: Mutex::new(None),
            timer: Mutex::new((0, None)),
            queue: Mutex::default(),
            pdl: Mutex::new(None),
            monitors: Mutex::default(),
            style,
            cutter: Mutex::new(Cutter::new(style.framing, style.binary)),
            control_binary: AtomicBool::new(false),
            os_pid: AtomicI64::new(-1),
            command_limits: Mutex::new((!driver.has_no_command_limits()).then_some((4096, 8192))),
            used: AtomicI64::new(0),
            start: Mutex::new(None),
        });
        PORTS.pin().insert(p.id, p.clone());
        p
    }

    /// Opens a port, by `start`.
    pub fn open(
        port: &Arc<Port>,
        driver: &Arc<CDriver>,
        line: &[u8],
        o: &PortOptions,
    ) -> Result<Arc<DriverPort>, Atom> {
        let style = Style {
            // Packets are the business of drivers for programs.
            framing: match o.framing {
                PortFraming::Packet(_) => PortFraming::Stream,
                other => other,
            },
            binary: o.binary,
            tells_eof: o.eof,
        };
        let line = CString::new(line).map_err(|_| Atom::BADARG)?;
        let p = DriverPort::new(port, driver, driver.lock(), style);
        if driver.acknowledges() {
            *p.start.lock() = Some(reference::fresh());
        }
        let owner = port.connected();
        let failed = p.lock.with(|| {
            p.caller.store(owner, Ordering::Relaxed);
            let data = match driver.entry.start {
                Some(start) => start(p.handle(), line.as_ptr().cast_mut()),
                None => 0,
            };
            let why = start_error(data);
            p.caller.store(NOBODY, Ordering::Relaxed);
            p.data.store(data, Ordering::Relaxed);
            if why.is_some() {
                p.set_status(PortStatus::Stopped);
                p.forget();
            } else {
                p.set_status(PortStatus::Open);
                if p.failure.lock().is_some() {
                    p.post(|_, _| ());
                }
            }
            why
        });
        failed.map_or(Ok(p), Err)
    }

    /// Opens a port beside another one of the same driver, for the process with this packed pid.
    pub fn open_beside(&self, port: &Arc<Port>, data: DriverData) -> Arc<DriverPort> {
        let style = Style {
            framing: PortFraming::Stream,
            ..self.style
        };
        let p = DriverPort::new(port, &self.driver, self.lock.clone(), style);
        p.data.store(data, Ordering::Relaxed);
        p.set_status(PortStatus::Open);
        p
    }

    /// For C.
    pub fn handle(&self) -> PortHandle {
        PortHandle(self.id as usize)
    }

    /// In what state it is.
    pub fn status(&self) -> PortStatus {
        match self.status.load(Ordering::Acquire) {
            0 => PortStatus::Starting,
            1 => PortStatus::Open,
            2 => PortStatus::Flushing,
            _ => PortStatus::Stopped,
        }
    }

    fn set_status(&self, s: PortStatus) {
        self.status.store(s as u8, Ordering::Release);
    }

    /// Does its owner hear from it?
    pub fn is_heard(&self) -> bool {
        if self.failure.lock().is_some() {
            return false;
        }
        self.status() != PortStatus::Flushing
    }

    /// The packed pid of the process whose call the driver is working on.
    pub fn caller(&self) -> Option<u64> {
        Some(self.caller.load(Ordering::Relaxed)).filter(|&c| c != NOBODY)
    }

    /// The connected process.
    pub fn connected(&self) -> Option<u64> {
        self.port.upgrade().map(|p| p.connected())
    }

    // ---- calls of the driver ----

    /// Calls the driver for a process, or for nobody. Nothing if the port has stopped.
    pub fn call<R>(&self, caller: Option<u64>, f: impl FnOnce(DriverData) -> R) -> Option<R> {
        self.call_because("proc_sig", caller, f)
    }

    /// The same; the system monitor may be told why.
    fn call_because<R>(
        &self,
        why: &str,
        caller: Option<u64>,
        f: impl FnOnce(DriverData) -> R,
    ) -> Option<R> {
        self.lock.with(|| {
            if self.status() == PortStatus::Stopped {
                return None;
            }
            let begun = system_monitor::slice();
            let before = self
                .caller
                .swap(caller.unwrap_or(NOBODY), Ordering::Relaxed);
            self.used.store(0, Ordering::Relaxed);
            self.running.fetch_add(1, Ordering::Relaxed);
            let result = f(self.data.load(Ordering::Relaxed));
            self.caller.store(before, Ordering::Relaxed);
            if self.running.fetch_sub(1, Ordering::Relaxed) == 1 {
                self.settle();
            }
            if let Some(begun) = begun {
                system_monitor::port_ran(self.term(), begun, why);
            }
            Some(result)
        })
    }

    /// Calls a function for an emergency, in whatever state the port is.
    pub fn call_as_is(&self, f: PlainFn) {
        f(self.data.load(Ordering::Relaxed));
    }

    /// Calls the driver soon, if the port has not stopped by then.
    pub fn post(&self, f: impl FnOnce(&DriverPort, DriverData) + Send + 'static) {
        self.post_because("proc_sig", f);
    }

    /// The same; the system monitor may be told why.
    pub fn post_because(
        &self,
        why: &'static str,
        f: impl FnOnce(&DriverPort, DriverData) + Send + 'static,
    ) {
        let me = self.me.clone();
        self.lock.post(Box::new(move || {
            if let Some(p) = me.upgrade() {
                p.call_because(why, None, |data| f(&p, data));
            }
        }));
    }

    /// Does what the driver's functions have left to do.
    fn settle(&self) {
        let failure = self.failure.lock().take();
        match failure {
            _ if self.status() == PortStatus::Flushing => {
                let is_done = failure.is_some() || self.queue.lock().size() == 0;
                if is_done {
                    self.stop();
                }
            }
            Some(failure) => self.carry_out(failure),
            None => {}
        }
    }

    fn carry_out(&self, failure: DriverFailure) {
        let Some(port) = self.port.upgrade() else {
            return self.stop();
        };
        if matches!(failure, DriverFailure::Eof) {
            self.cutter.lock().end(&port);
            if self.style.tells_eof {
                return port.tell(|_| Atom::EOF.into());
            }
        }
        self.queue.lock().clear();
        match failure {
            DriverFailure::Eof => _ = port.close(Atom::NORMAL.into()),
            DriverFailure::Reason(why) => _ = port.close(why.into()),
            DriverFailure::Number(n) => _ = port.close(Term::small(i64::from(n))),
            DriverFailure::Quiet(why) => _ = port.end(why),
        }
    }

    /// The driver ends the port.
    pub fn fail(&self, failure: DriverFailure) {
        if !matches!(failure, DriverFailure::Eof) {
            self.answer_start(self.term());
        }
        self.failure.lock().get_or_insert(failure);
        if self.running.load(Ordering::Relaxed) == 0 && self.status() != PortStatus::Starting {
            self.post(|_, _| ());
        }
    }

    /// Will it have to flush its queue when it is closed?
    pub fn is_to_flush(&self) -> bool {
        self.status() == PortStatus::Open && self.queue.lock().size() > 0
    }

    /// The port is closed: it stops, at once or when its queue is empty.
    pub fn shut(&self) {
        self.lock.with(|| {
            if self.status() != PortStatus::Open {
                return;
            }
            if self.running.load(Ordering::Relaxed) > 0 {
                // It stops when the function that runs has returned.
                return self.post(|p, _| p.shut_later());
            }
            if !self.is_to_flush() {
                return self.stop();
            }
            self.set_status(PortStatus::Flushing);
            self.call(None, |data| {
                if let Some(flush) = self.driver.entry.flush {
                    flush(data);
                }
            });
        });
    }

    /// Forgets what is to be written: nobody waits for that any more.
    pub fn discard(&self) {
        self.lock.with(|| {
            let pdl = self
                .pdl
                .lock()
                .map(|l| Ptr::to(std::ptr::from_ref(l).cast_mut()));
            if let Some(pdl) = pdl {
                pdl::lock(pdl);
            }
            self.queue.lock().clear();
            if let Some(pdl) = pdl {
                pdl::unlock(pdl);
            }
        });
    }

    /// Nothing more is written: it stops as soon as no function runs.
    fn shut_later(&self) {
        self.queue.lock().clear();
        self.set_status(PortStatus::Flushing);
    }

    fn stop(&self) {
        if self.status() == PortStatus::Stopped {
            return;
        }
        let flushed = self.status() == PortStatus::Flushing;
        if !flushed {
            self.set_status(PortStatus::Stopped);
        }
        self.cancel_timer();
        if let Some(stop) = self.driver.entry.stop {
            stop(self.data.load(Ordering::Relaxed));
        }
        self.set_status(PortStatus::Stopped);
        self.forget();
        if let Some(port) = self.port.upgrade() {
            port.leave_table();
        }
        loaded::release(&self.driver.name);
    }

    /// Gives everything up that it has.
    fn forget(&self) {
        PORTS.pin().remove(&self.id);
        self.cancel_timer();
        events::forget_port(self.id);
        for (reference, process) in std::mem::take(&mut *self.monitors.lock()) {
            WATCHES.lock().remove(&reference);
            exit::demonitor(PidKey::local(process), reference);
        }
        self.queue.lock().clear();
        if let Some(pdl) = self.pdl.lock().take() {
            pdl::change(Ptr::to(std::ptr::from_ref(pdl).cast_mut()), -1);
        }
    }

    // ---- what the owner hears ----

    /// The port as a term.
    pub fn term(&self) -> Term {
        Term::local_port(self.id)
    }

    /// Is data given as binaries?
    pub fn is_binary(&self) -> bool {
        self.style.binary
    }

    /// Is data cut into lines?
    pub fn has_lines(&self) -> bool {
        matches!(self.style.framing, PortFraming::Line(_))
    }

    /// Cuts data into lines for the owner.
    pub fn tell_lines(&self, port: &Port, data: &[u8]) {
        self.cutter.lock().feed(port, data);
    }

    /// The owner hears how the start has gone, if it waits for that.
    fn answer_start(&self, answer: Term) {
        let (reference, owner) = (self.start.lock().take(), self.connected());
        if let (Some(reference), Some(owner)) = (reference, owner) {
            let message = handle::build(|h| {
                let reference = h.reference(reference, 0);
                h.tuple(&[reference, answer])
            });
            signal::send(owner, Signal::Message(message));
        }
    }

    /// The driver says how the start has gone.
    pub fn acknowledge(&self, data: DriverData) {
        if self.start.lock().is_none() {
            return;
        }
        match start_error(data) {
            Some(why) => {
                self.answer_start(why.into());
                self.fail(DriverFailure::Reason(Atom::NORMAL));
            }
            None => self.answer_start(self.term()),
        }
        self.data.store(data, Ordering::Relaxed);
    }

    /// The reference by which its owner hears that it has started; nothing if it has.
    pub fn start_reference(&self) -> Option<u64> {
        *self.start.lock()
    }

    // ---- timer ----

    /// Sets the timer, in place of one that runs. `false` if the driver has nothing to call.
    pub fn set_timer(&self, ms: u64) -> bool {
        let Some(timeout) = self.driver.entry.timeout else {
            return false;
        };
        let ns = i64::try_from(ms)
            .ok()
            .and_then(|ms| ms.checked_mul(1_000_000));
        let deadline = time::monotonic().saturating_add(ns.unwrap_or(i64::MAX));
        let mut t = self.timer.lock();
        if let Some(old) = t.1.take() {
            timer::cancel(old.handle);
        }
        t.0 += 1;
        let number = t.0;
        let me = self.me.clone();
        let handle = timer::start_call(deadline, move || {
            if let Some(p) = me.upgrade() {
                p.post_because("timeout", move |p, data| {
                    let mut t = p.timer.lock();
                    let is_due = t.1.take_if(|t| t.number == number).is_some();
                    drop(t);
                    if is_due {
                        timeout(data);
                    }
                });
            }
        });
        t.1 = Some(PortTimer {
            handle,
            number,
            deadline,
        });
        true
    }

    /// Stops the timer.
    pub fn cancel_timer(&self) {
        if let Some(old) = self.timer.lock().1.take() {
            timer::cancel(old.handle);
        }
    }

    /// Milliseconds until the timer is due.
    pub fn timer_left(&self) -> u64 {
        let t = self.timer.lock();
        let left = t.1.as_ref().map_or(0, |t| t.deadline - time::monotonic());
        left.max(0) as u64 / 1_000_000
    }

    // ---- monitors ----

    /// Monitors a process; nothing if there is no such process.
    pub fn monitor(&self, process: u64) -> Option<CDriverMonitor> {
        let reference = reference::fresh();
        WATCHES.lock().insert(reference, self.id);
        let from = PidKey::of(self.term())?;
        let sent = signal::send(
            process,
            Signal::Monitor {
                reference,
                from,
                name: None,
            },
        );
        if !sent {
            WATCHES.lock().remove(&reference);
            return None;
        }
        // Who finds no watch has been told that there is no process; a call that this has led to finds no monitor.
        if !WATCHES.lock().contains_key(&reference) {
            return None;
        }
        self.monitors.lock().insert(reference, process);
        Some(CDriverMonitor::new(reference, process))
    }

    /// Takes a monitor away. `false` if it is none, or has come true.
    pub fn demonitor(&self, m: &CDriverMonitor) -> bool {
        let was = self.monitors.lock().remove(&m.reference);
        let Some(process) = was else { return false };
        WATCHES.lock().remove(&m.reference);
        exit::demonitor(PidKey::local(process), m.reference);
        true
    }

    /// Packed pids of the processes that it monitors.
    pub fn monitored(&self) -> Vec<u64> {
        self.monitors.lock().values().copied().collect()
    }

    // ---- descriptors ----

    /// A descriptor is ready.
    pub fn ready(&self, data: DriverData, event: DriverEvent, to_write: bool) {
        let e = &self.driver.entry;
        match if to_write {
            e.ready_output
        } else {
            e.ready_input
        } {
            Some(f) => f(data, event),
            None => {
                let (direction, name) = match to_write {
                    true => ("Output", "ready_output()"),
                    false => ("Input", "ready_input()"),
                };
                let driver = String::from_utf8_lossy(&self.driver.name);
                let line = self
                    .port
                    .upgrade()
                    .map_or(String::new(), |p| p.name.clone());
                let line = match line == driver {
                    true => String::new(),
                    false => format!("({line}) "),
                };
                log::port_error(&format!(
                    "#Port<0.{}>: {direction} driver '{driver}' {line}does not implement the {name} callback!\n",
                    self.id
                ));
                events::leave(self, event, to_write);
            }
        }
    }

    /// Gives the driver bytes, or parts of them.
    pub fn give(&self, caller: Option<u64>, vector: &mut CDriverVector, bytes: &[u8]) {
        let e = &self.driver.entry;
        self.call(caller, |data| {
            if self.status() != PortStatus::Open {
                return;
            }
            if let Some(outputv) = e.outputv {
                outputv(data, vector);
            } else if let Some(output) = e.output {
                output(data, bytes.as_ptr(), bytes.len());
            }
        });
    }

    /// Gives the driver what an asynchronous call has left. `false` if it has nothing to call for that.
    pub fn async_done(&self, data: DriverData, result: *mut c_void) -> bool {
        match self.driver.entry.ready_async {
            Some(f) => {
                f(data, result);
                true
            }
            None => false,
        }
    }
}

/// What stands for an error instead of a driver's data.
fn start_error(data: DriverData) -> Option<Atom> {
    match data as isize {
        -1 => Some(Atom::EINVAL),
        -2 => Some(errno::of(&io::Error::last_os_error())),
        -3 => Some(Atom::BADARG),
        _ => None,
    }
}

/// The port that has a monitor, by the number of its reference.
static WATCHES: LazyLock<Mutex<BTreeMap<u64, u64>>> = LazyLock::new(Mutex::default);

/// A process is gone that is monitored by this reference. `false` if no port of a driver does.
pub fn down(reference: u64) -> bool {
    let Some(id) = WATCHES.lock().remove(&reference) else {
        return false;
    };
    if let Some(p) = get(id) {
        p.post(move |p, data| {
            let was = p.monitors.lock().remove(&reference);
            if let (Some(process), Some(call)) = (was, p.driver.entry.process_exit) {
                let monitor = CDriverMonitor::new(reference, process);
                call(data, &raw const monitor);
            }
        });
    }
    true
}
