//! Timers: `receive ... after`, `erlang:send_after/3` and `erlang:start_timer/3`.
//!
//! Every scheduler has a wheel. A timer belongs to the wheel of the scheduler that started it; its number
//! tells which. Deadlines are nanoseconds of Erlang monotonic time.

mod wheel;

use crate::heap::literal::OwnedTerm;
use crate::process::signal::{self, Signal};
use crate::process::table;
use crate::term::Term;
use crate::{sched, time};
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use wheel::{Wheel, WheelEntry};

/// What happens when a timer runs out.
pub enum Expiry {
    /// The `receive ... after` with this number of the process is over.
    Timeout {
        /// Packed pid.
        process: u64,
        /// Number of the wait.
        number: u64,
    },
    /// A message is sent.
    Message {
        /// A local pid or a registered name.
        to: Term,
        /// The message.
        message: OwnedTerm,
        /// Number of the timer's reference.
        reference: u64,
    },
}

/// A timer that can be cancelled: wheel and entry.
#[derive(Clone, Copy, Debug)]
pub struct Handle {
    wheel: u32,
    entry: WheelEntry,
}

static WHEELS: LazyLock<Box<[Mutex<Wheel>]>> = LazyLock::new(|| {
    (0..sched::MAX_SCHEDULERS)
        .map(|_| Mutex::new(Wheel::new(time::monotonic())))
        .collect()
});

/// A timer that can be asked for: how to reach it, and whom it is for.
struct Known {
    handle: Handle,
    deadline: i64,
    to: Term,
}

impl Known {
    /// Is there still somebody to get the message? Timers end with their receiver.
    fn has_receiver(&self) -> bool {
        self.to
            .as_local_pid()
            .is_none_or(|id| table::with(id, |p| !p.state.is_exiting()).unwrap_or(false))
    }
}

/// A part of the table of timers.
type Shard = Mutex<FxHashMap<u64, Known>>;

/// Timers by the number of their reference, for `cancel_timer` and `read_timer`.
static BY_REFERENCE: LazyLock<Box<[Shard]>> =
    LazyLock::new(|| (0..16).map(|_| Mutex::default()).collect());

/// The set of a process without timers keeps memory for so many at most, until the process ends.
const KEEP: usize = 64;

/// Part of the table of timers by receiver.
type Receivers = Mutex<FxHashMap<u64, FxHashSet<u64>>>;

/// The references of the timers for each process that has some: they end with it.
static BY_RECEIVER: LazyLock<Box<[Receivers]>> =
    LazyLock::new(|| (0..16).map(|_| Mutex::default()).collect());

fn receivers(process: u64) -> &'static Receivers {
    &BY_RECEIVER[(process % 16) as usize]
}

static NEXT_WAIT: AtomicU64 = AtomicU64::new(1);

fn shard(reference: u64) -> &'static Shard {
    &BY_REFERENCE[(reference % 16) as usize]
}

fn start(deadline: i64, action: Expiry) -> Handle {
    let wheel = sched::current_index().unwrap_or(0);
    let entry = WHEELS[wheel].lock().insert(deadline, action);
    if sched::current_index().is_none() {
        sched::poke(wheel);
    }
    Handle {
        wheel: wheel as u32,
        entry,
    }
}

/// Starts the timer of a `receive ... after`; gives the number of the wait and the handle.
pub fn start_wait(process: u64, deadline: i64) -> (u64, Handle) {
    let number = NEXT_WAIT.fetch_add(1, Ordering::Relaxed);
    (number, start(deadline, Expiry::Timeout { process, number }))
}

/// Starts a timer that sends a message. If it is for a process that is gone there is no timer.
pub fn start_message(reference: u64, deadline: i64, to: Term, message: OwnedTerm) {
    let mut map = shard(reference).lock();
    let handle = start(
        deadline,
        Expiry::Message {
            to,
            message,
            reference,
        },
    );
    map.insert(
        reference,
        Known {
            handle,
            deadline,
            to,
        },
    );
    let receiver = to.as_local_pid();
    if let Some(id) = receiver {
        // While the timer cannot run out yet: it is forgotten then.
        let mut table = receivers(id).lock();
        table.entry(id).or_default().insert(reference);
    }
    drop(map);
    if let Some(id) = receiver
        && !table::with(id, |p| p.state.note_timer()).unwrap_or(false)
    {
        cancel_all_for(id);
    }
}

/// Cancels all timers for a process, which exits.
pub fn cancel_all_for(process: u64) {
    let its = receivers(process).lock().remove(&process);
    for reference in its.into_iter().flatten() {
        cancel_reference(reference);
    }
}

/// Takes a timer out of the tables.
fn forget(reference: u64) -> Option<Known> {
    let k = shard(reference).lock().remove(&reference)?;
    if let Some(id) = k.to.as_local_pid()
        && let Entry::Occupied(mut its) = receivers(id).lock().entry(id)
    {
        its.get_mut().remove(&reference);
        if its.get().is_empty() && its.get().capacity() > KEEP {
            its.remove();
        }
    }
    Some(k)
}

/// Bytes that timers take which send messages, without the messages.
pub fn memory() -> usize {
    let count: usize = BY_REFERENCE.iter().map(|s| s.lock().len()).sum();
    count * (size_of::<(u64, Known)>() + size_of::<u64>() + Wheel::ENTRY)
}

/// Cancels a timer; `false` if it has run out already.
pub fn cancel(h: Handle) -> bool {
    WHEELS[h.wheel as usize].lock().remove(h.entry).is_some()
}

/// Cancels a timer by its reference; gives its deadline.
pub fn cancel_reference(reference: u64) -> Option<i64> {
    let k = forget(reference)?;
    (cancel(k.handle) && k.has_receiver()).then_some(k.deadline)
}

/// The deadline of a timer.
pub fn deadline_of(reference: u64) -> Option<i64> {
    let map = shard(reference).lock();
    map.get(&reference)
        .filter(|k| k.has_receiver())
        .map(|k| k.deadline)
}

/// Runs what is due on a wheel; gives the next deadline, if any is known.
pub fn advance(wheel: usize, now: i64) -> Option<i64> {
    loop {
        let due = WHEELS[wheel].lock().take_due(now);
        if due.is_empty() {
            return WHEELS[wheel].lock().next_deadline();
        }
        due.into_iter().for_each(fire);
    }
}

/// Is anything due or set on this wheel? The time is that of the next look that is worth it.
pub fn next_deadline(wheel: usize) -> Option<i64> {
    WHEELS[wheel].lock().next_deadline()
}

fn fire(action: Expiry) {
    match action {
        Expiry::Timeout { process, number } => {
            signal::send(process, Signal::Timeout(number));
        }
        Expiry::Message {
            to,
            message,
            reference,
        } => {
            forget(reference);
            let id = match to.as_atom() {
                Some(name) => crate::process::registry::whereis(name),
                None => Some(to),
            };
            if let Some(id) = id.and_then(Term::as_local_pid) {
                signal::send(id, Signal::Message(message));
            }
        }
    }
}
