//! `erlang:system_monitor`: one process is told of what may slow the system down.
//!
//! What is watched is one word of bits, so that nobody who has nothing to tell pays more than a look at it.

use super::{Owned, signal, table};
use crate::atom::Atom;
use crate::heap::Heap;
use crate::term::Term;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

/// What can be watched.
pub mod event {
    /// A process waits for a port.
    pub const BUSY_PORT: u8 = 1;
    /// A process waits for a connection to another node.
    pub const BUSY_DIST_PORT: u8 = 2;
    /// A collection has taken long.
    pub const LONG_GC: u8 = 4;
    /// A heap is large after a collection.
    pub const LARGE_HEAP: u8 = 8;
    /// A process has run long without a break.
    pub const LONG_SCHEDULE: u8 = 16;
    /// Many messages wait for a process.
    pub const LONG_MESSAGE_QUEUE: u8 = 32;
}

/// What is watched, and from where on something is told.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MonitoredEvents {
    /// Bits of `event`.
    pub events: u8,
    /// Milliseconds of a collection.
    pub long_gc: u64,
    /// Words of a heap.
    pub large_heap: u64,
    /// Milliseconds without a break.
    pub long_schedule: u64,
    /// Messages down to which a queue is short again, and from which on it is long.
    pub queue: (u64, u64),
}

impl MonitoredEvents {
    const NOTHING: MonitoredEvents = MonitoredEvents {
        events: 0,
        long_gc: 0,
        large_heap: 0,
        long_schedule: 0,
        queue: (0, 0),
    };
}

static EVENTS: AtomicU8 = AtomicU8::new(0);
static QUEUE_LOW: AtomicU64 = AtomicU64::new(0);
static QUEUE_HIGH: AtomicU64 = AtomicU64::new(0);
/// Who is told, and of what.
static MONITOR: Mutex<(u64, MonitoredEvents)> = Mutex::new((0, MonitoredEvents::NOTHING));

/// Is one of these events watched?
#[inline]
pub fn watches(events: u8) -> bool {
    EVENTS.load(Ordering::Relaxed) & events != 0
}

/// Who is told, and of what; nothing if nobody is.
pub fn current() -> Option<(u64, MonitoredEvents)> {
    let mut m = MONITOR.lock();
    if m.1.events != 0 && table::with(m.0, |p| !p.state.is_exiting()) != Some(true) {
        install(&mut m, 0, MonitoredEvents::NOTHING);
    }
    (m.1.events != 0).then_some(*m)
}

/// From now on that process is told of these; gives what was before.
pub fn set(listener: u64, watched: MonitoredEvents) -> Option<(u64, MonitoredEvents)> {
    let before = current();
    install(&mut MONITOR.lock(), listener, watched);
    before
}

fn install(m: &mut (u64, MonitoredEvents), listener: u64, watched: MonitoredEvents) {
    *m = (listener, watched);
    QUEUE_LOW.store(watched.queue.0, Ordering::Relaxed);
    QUEUE_HIGH.store(watched.queue.1, Ordering::Relaxed);
    EVENTS.store(watched.events, Ordering::Relaxed);
}

/// Tells an event of a process, unless it is the one that would be told.
fn tell(process: u64, event: u8, name: &str, about: impl FnOnce(&mut Heap) -> Term) {
    let Some((listener, watched)) = current() else {
        return;
    };
    if listener == process || watched.events & event == 0 {
        return;
    }
    let mut h = Heap::new();
    let about = about(&mut h);
    let note = [
        Atom::new("monitor").into(),
        Term::local_pid(process),
        Atom::new(name).into(),
        about,
    ];
    let note = h.tuple(&note);
    signal::send_message(listener, note);
}

/// A process waits for a port.
pub fn waits_for_port(process: u64, port: Term) {
    if watches(event::BUSY_PORT) {
        tell(process, event::BUSY_PORT, "busy_port", |_| port);
    }
}

/// A process waits for a connection that is carried by this.
pub fn waits_for_connection(process: u64, controller: Term) {
    if watches(event::BUSY_DIST_PORT) {
        tell(process, event::BUSY_DIST_PORT, "busy_dist_port", |_| {
            controller
        });
    }
}

/// A process has collected its heap, in this time.
pub fn has_collected(own: &Owned, took: Duration) {
    let Some((_, watched)) = current() else {
        return;
    };
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if watched.events & event::LONG_GC != 0 && ms > watched.long_gc {
        tell(own.id, event::LONG_GC, "long_gc", |h| {
            sizes(own, Some(ms), h)
        });
    }
    let (old_block, _) = own.heap.old_size();
    let words = (own.block_size() + old_block) as u64;
    if watched.events & event::LARGE_HEAP != 0 && words >= watched.large_heap {
        tell(own.id, event::LARGE_HEAP, "large_heap", |h| {
            sizes(own, None, h)
        });
    }
}

/// Sizes of what a process has collected, and the milliseconds that it took if they are to be told.
fn sizes(own: &Owned, took: Option<u64>, h: &mut Heap) -> Term {
    let (old_block, old_used) = own.heap.old_size();
    let sizes = [
        ("old_heap_block_size", old_block),
        ("heap_block_size", own.block_size()),
        ("mbuf_size", 0),
        ("stack_size", own.stack.used()),
        ("old_heap_size", old_used),
        ("heap_size", own.heap.young_used()),
    ];
    let took = took.map(|ms| ("timeout", ms));
    let all = took
        .into_iter()
        .chain(sizes.map(|(what, words)| (what, words as u64)));
    let all: Vec<Term> = all.map(|(what, n)| pair(what, n, h)).collect();
    h.list(&all)
}

fn pair(what: &str, n: u64, h: &mut Heap) -> Term {
    let n = h.uint(n);
    h.tuple(&[Atom::new(what).into(), n])
}

/// A function by module, name and arity.
pub type FunctionPlace = Option<(Atom, Atom, u32)>;

/// A process has run without a break, for this time, from one function to another.
pub fn has_run(process: u64, took: Duration, (from, to): (FunctionPlace, FunctionPlace)) {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if current().is_none_or(|(_, w)| ms < w.long_schedule) {
        return;
    }
    let place = |p: FunctionPlace, h: &mut Heap| match p {
        Some((m, f, a)) => h.tuple(&[m.into(), f.into(), Term::small(i64::from(a))]),
        None => Atom::UNDEFINED.into(),
    };
    tell(process, event::LONG_SCHEDULE, "long_schedule", |h| {
        let took = pair("timeout", ms, h);
        let (from, to) = (place(from, h), place(to, h));
        let from = h.tuple(&[Atom::new("in").into(), from]);
        let to = h.tuple(&[Atom::new("out").into(), to]);
        h.list(&[took, from, to])
    });
}

/// Looks whether the messages of a process have become many.
pub fn look_at_queue(own: &mut Owned) {
    let high = QUEUE_HIGH.load(Ordering::Relaxed);
    if own.mailbox.len() as u64 >= high && own.mailbox.note_long(own.id) {
        queue_is(own.id, true);
    }
}

/// So many messages are left of what were many. Are they few now? Then that is told.
pub(super) fn has_become_short(process: u64, left: usize) -> bool {
    let watched = watches(event::LONG_MESSAGE_QUEUE);
    let short = !watched || left as u64 <= QUEUE_LOW.load(Ordering::Relaxed);
    if short && watched {
        queue_is(process, false);
    }
    short
}

fn queue_is(process: u64, long: bool) {
    let event = event::LONG_MESSAGE_QUEUE;
    tell(process, event, "long_message_queue", |_| long.into());
}
