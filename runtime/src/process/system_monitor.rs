//! The system monitor: one process that is told of collections and time slices that take long, of large heaps and
//! long message queues, and of processes that wait for busy ports.
//!
//! Whether anybody wants to know is one byte, which is all that the places ask where such things happen. The process is
//! told nothing of itself, and the monitor ends with it.

use super::gc_numbers::{self, GcNumber};
use super::{Owned, handle, signal, table};
use crate::atom::Atom;
use crate::term::Term;
use parking_lot::RwLock;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What the process wants to be told. Nothing, unless there is a number.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SystemMonitor {
    /// Collections that take at least so many milliseconds.
    pub long_gc: Option<u64>,
    /// Time slices that take at least so many milliseconds.
    pub long_schedule: Option<u64>,
    /// Heaps with so many words after a collection.
    pub large_heap: Option<u64>,
    /// Message queues that have become as long as the second number, and those that are down to the first one again.
    pub long_message_queue: Option<(u64, u64)>,
    /// Processes that wait for a port.
    pub busy_port: bool,
    /// Processes that wait for a connection to another node.
    pub busy_dist_port: bool,
}

/// A function, by module, name and arity.
pub type Mfa = (Atom, Atom, u32);

/// The packed pid of the process, and what it wants.
static SETTINGS: RwLock<Option<(u64, SystemMonitor)>> = RwLock::new(None);

/// What is asked about, by the bits below.
static WATCHED: AtomicU8 = AtomicU8::new(0);

/// There is a system monitor.
const SET: u8 = 1;
const COLLECTIONS: u8 = 2;
const SLICES: u8 = 4;
const QUEUES: u8 = 8;
const PORTS: u8 = 16;
const CONNECTIONS: u8 = 32;
/// Collections take longer than they would.
const SLOWED: u8 = 64;

/// By how many milliseconds.
static SLOWED_BY: AtomicU32 = AtomicU32::new(0);

#[inline]
fn watches(what: u8) -> bool {
    WATCHED.load(Ordering::Relaxed) & what != 0
}

fn put(settings: Option<(u64, SystemMonitor)>, place: &mut Option<(u64, SystemMonitor)>) {
    *place = settings;
    let bit = |is: bool, bit| if is { bit } else { 0 };
    let bits = settings.map_or(0, |(_, s)| {
        let collections = s.long_gc.is_some() || s.large_heap.is_some();
        SET | bit(collections, COLLECTIONS)
            | bit(s.long_schedule.is_some(), SLICES)
            | bit(s.long_message_queue.is_some(), QUEUES)
            | bit(s.busy_port, PORTS)
            | bit(s.busy_dist_port, CONNECTIONS)
    });
    let slowed = WATCHED.load(Ordering::Relaxed) & SLOWED;
    WATCHED.store(bits | slowed, Ordering::Relaxed);
}

/// Who is told, and what.
pub fn get() -> Option<(u64, SystemMonitor)> {
    *SETTINGS.read()
}

/// Sets that, for a process that is there; gives what it was.
pub fn set(settings: Option<(u64, SystemMonitor)>) -> Option<(u64, SystemMonitor)> {
    let mut place = SETTINGS.write();
    let before = *place;
    put(settings, &mut place);
    drop(place);
    if let Some((to, _)) = settings
        && table::with(to, |p| p.state.is_exiting()).unwrap_or(true)
    {
        end(to);
    }
    before
}

/// The process ends, and is told nothing any more.
pub fn end(process: u64) {
    if !watches(SET) {
        return;
    }
    let mut place = SETTINGS.write();
    if place.is_some_and(|(to, _)| to == process) {
        put(None, &mut place);
    }
}

/// Has collections take so many milliseconds longer, for tests.
pub fn slow_collections(milliseconds: u32) {
    let _place = SETTINGS.write();
    SLOWED_BY.store(milliseconds, Ordering::Relaxed);
    let others = WATCHED.load(Ordering::Relaxed) & !SLOWED;
    let slowed = if milliseconds == 0 { 0 } else { SLOWED };
    WATCHED.store(others | slowed, Ordering::Relaxed);
}

/// Who is told about `process`, and what; nobody about itself.
fn settings_about(process: u64) -> Option<(u64, SystemMonitor)> {
    get().filter(|&(to, _)| to != process)
}

/// Sends `{monitor, Subject, Event, Value}`.
fn tell(to: u64, subject: Term, event: Atom, value: impl FnOnce(&mut crate::heap::Heap) -> Term) {
    let message = handle::build(|h| {
        let value = value(h);
        h.tuple(&[Atom::MONITOR.into(), subject, event.into(), value])
    });
    signal::send(to, signal::Signal::Message(message));
}

/// When a collection begins: gives what `collected` is to get, if anybody wants to know.
#[inline]
pub fn collection() -> Option<Instant> {
    watches(COLLECTIONS | SLOWED).then(Instant::now)
}

/// When it has ended.
#[cold]
pub fn collected(own: &Owned, begun: Instant) {
    if watches(SLOWED) {
        let time = SLOWED_BY.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(u64::from(time)));
    }
    let took = begun.elapsed().as_millis() as u64;
    let Some((to, wanted)) = settings_about(own.id) else {
        return;
    };
    let told = |n: &GcNumber| n.0 != "recent_size" && !n.0.starts_with("bin_");
    let sizes: Vec<GcNumber> = gc_numbers::of(own).into_iter().filter(told).collect();
    let me = Term::local_pid(own.id);
    if wanted.long_gc.is_some_and(|least| took >= least) {
        let timed: Vec<GcNumber> = std::iter::once(("timeout", took as usize))
            .chain(sizes.iter().copied())
            .collect();
        tell(to, me, Atom::new("long_gc"), |h| {
            gc_numbers::to_list(h, &timed)
        });
    }
    let words = (own.block_size() + own.heap.old_size().0) as u64;
    if wanted.large_heap.is_some_and(|least| words >= least) {
        tell(to, me, Atom::new("large_heap"), |h| {
            gc_numbers::to_list(h, &sizes)
        });
    }
}

/// When a time slice, or work of a port, begins: gives what is to be handed in at its end, if anybody wants to know.
#[inline]
pub fn slice() -> Option<Instant> {
    watches(SLICES).then(Instant::now)
}

/// Who is to be told of a slice, and the milliseconds that it took, if it took long.
fn long_slice(subject: u64, begun: Instant) -> Option<(u64, u64)> {
    let (to, wanted) = settings_about(subject)?;
    let took = begun.elapsed().as_millis() as u64;
    wanted
        .long_schedule
        .filter(|&least| took >= least)
        .map(|_| (to, took))
}

/// When a process's time slice has ended: in which function it has begun, and ended.
#[cold]
pub fn slice_ended(process: u64, begun: Instant, places: [Option<Mfa>; 2]) {
    let Some((to, took)) = long_slice(process, begun) else {
        return;
    };
    let subject = Term::local_pid(process);
    tell(to, subject, Atom::new("long_schedule"), |h| {
        let took = h.uint(took);
        let took = h.tuple(&[Atom::TIMEOUT.into(), took]);
        let mut place = |name: &str, mfa: Option<Mfa>| {
            let mfa = match mfa {
                Some((m, f, a)) => h.tuple(&[m.into(), f.into(), Term::small(i64::from(a))]),
                None => Atom::UNDEFINED.into(),
            };
            h.tuple(&[Atom::new(name).into(), mfa])
        };
        let places = [place("in", places[0]), place("out", places[1])];
        h.list(&[took, places[0], places[1]])
    });
}

/// When a port's work has ended: what it was.
#[cold]
pub fn port_ran(port: Term, begun: Instant, operation: &str) {
    let Some((to, took)) = long_slice(u64::MAX, begun) else {
        return;
    };
    tell(to, port, Atom::new("long_schedule"), |h| {
        let took = h.uint(took);
        let took = h.tuple(&[Atom::TIMEOUT.into(), took]);
        let name = Atom::new(operation).into();
        let operation = h.tuple(&[Atom::new("port_op").into(), name]);
        h.list(&[took, operation])
    });
}

/// A process has fetched messages.
#[inline]
pub fn queue_has_grown(own: &mut Owned) {
    if watches(QUEUES) && !own.mailbox.is_long {
        note_long(own);
    }
}

#[cold]
fn note_long(own: &mut Owned) {
    let Some((to, wanted)) = settings_about(own.id) else {
        return;
    };
    let length = own.mailbox.len() as u64;
    if wanted
        .long_message_queue
        .is_some_and(|(_, most)| length >= most)
    {
        own.mailbox.is_long = true;
        tell_queue(to, own, true);
    }
}

/// A process has taken a message out of a queue that was long.
#[cold]
pub fn long_queue_has_shrunk(own: &mut Owned) {
    let length = own.mailbox.len() as u64;
    match settings_about(own.id) {
        Some((
            to,
            SystemMonitor {
                long_message_queue: Some((low, _)),
                ..
            },
        )) => {
            if length <= low {
                own.mailbox.is_long = false;
                tell_queue(to, own, false);
            }
        }
        _ => own.mailbox.is_long = length > 0,
    }
}

fn tell_queue(to: u64, own: &Owned, is_long: bool) {
    let (me, event) = (Term::local_pid(own.id), Atom::new("long_message_queue"));
    tell(to, me, event, |_| is_long.into());
}

/// A process waits for a busy port.
#[inline]
pub fn waits_for_port(process: u64, port: Term) {
    if watches(PORTS) {
        note_waiting(process, port, "busy_port", |wanted| wanted.busy_port);
    }
}

/// A process waits for a connection, which a port or a process carries.
#[inline]
pub fn waits_for_connection(process: u64, controller: Term) {
    if watches(CONNECTIONS) {
        note_waiting(process, controller, "busy_dist_port", |wanted| {
            wanted.busy_dist_port
        });
    }
}

#[cold]
fn note_waiting(process: u64, for_what: Term, event: &str, is_wanted: fn(SystemMonitor) -> bool) {
    if let Some((to, wanted)) = settings_about(process)
        && is_wanted(wanted)
    {
        tell(to, Term::local_pid(process), Atom::new(event), |_| for_what);
    }
}
