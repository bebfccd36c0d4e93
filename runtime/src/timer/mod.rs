//! Timers: `receive ... after`, `erlang:send_after/3` and `erlang:start_timer/3`.
//!
//! Every scheduler has a wheel. A timer belongs to the wheel of the scheduler that started it; its reference
//! tells which. Deadlines are nanoseconds of Erlang monotonic time.

mod wheel;

use crate::heap::literal::OwnedTerm;
use crate::process::signal::{self, Signal};
use crate::process::table;
use crate::term::Term;
use crate::{reference, sched, time};
use parking_lot::Mutex;
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
    /// Something is done: short, and without blocking.
    Call(Box<dyn FnOnce() + Send>),
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

static NEXT_WAIT: AtomicU64 = AtomicU64::new(1);

/// The wheel of the timer with this reference.
fn wheel_of(reference: u64) -> usize {
    let place = reference::place_of(reference);
    place.filter(|&p| p < sched::count()).unwrap_or(0)
}

fn start(wheel: usize, deadline: i64, action: Expiry) -> Handle {
    let entry = WHEELS[wheel].lock().insert(deadline, action);
    if sched::current_index() != Some(wheel) {
        sched::poke(wheel);
    }
    Handle {
        wheel: wheel as u32,
        entry,
    }
}

/// Is there still somebody to get the message? Timers end with their receiver.
fn has_receiver(to: Term) -> bool {
    to.as_local_pid()
        .is_none_or(|id| table::with(id, |p| !p.state.is_exiting()).unwrap_or(false))
}

/// Starts the timer of a `receive ... after`; gives the number of the wait and the handle.
pub fn start_wait(process: u64, deadline: i64) -> (u64, Handle) {
    let number = NEXT_WAIT.fetch_add(1, Ordering::Relaxed);
    let wheel = sched::current_index().unwrap_or(0);
    let action = Expiry::Timeout { process, number };
    (number, start(wheel, deadline, action))
}

/// Starts a timer that does something, in the thread of whoever notices that it is due.
pub fn start_call(deadline: i64, call: impl FnOnce() + Send + 'static) -> Handle {
    let wheel = sched::current_index().unwrap_or(0);
    start(wheel, deadline, Expiry::Call(Box::new(call)))
}

/// Starts a timer that sends a message. If it is for a process that is gone there is no timer.
pub fn start_message(reference: u64, deadline: i64, to: Term, message: OwnedTerm) {
    let action = Expiry::Message {
        to,
        message,
        reference,
    };
    start(wheel_of(reference), deadline, action);
    if let Some(id) = to.as_local_pid()
        && !table::with(id, |p| p.state.note_timer()).unwrap_or(false)
    {
        cancel_all_for(id);
    }
}

/// Cancels all timers for a process, which exits.
pub fn cancel_all_for(process: u64) {
    for wheel in &WHEELS[..sched::count()] {
        let cancelled = wheel.lock().remove_all_for(process);
        drop(cancelled);
    }
}

/// Bytes that timers take which send messages, without the messages.
pub fn memory() -> usize {
    let count: usize = WHEELS.iter().map(|w| w.lock().messages()).sum();
    count * Wheel::ENTRY
}

/// The messages that timers are to send, and to whom.
pub fn each_message(see: &mut dyn FnMut(Term, Term)) {
    for wheel in &WHEELS[..sched::count()] {
        wheel.lock().each_message(see);
    }
}

/// Cancels a timer; `false` if it has run out already.
pub fn cancel(h: Handle) -> bool {
    WHEELS[h.wheel as usize].lock().remove(h.entry).is_some()
}

/// Cancels a timer by its reference; gives its deadline.
pub fn cancel_reference(reference: u64) -> Option<i64> {
    let (deadline, action) = WHEELS[wheel_of(reference)]
        .lock()
        .remove_reference(reference)?;
    match action {
        Expiry::Message { to, .. } => has_receiver(to).then_some(deadline),
        Expiry::Timeout { .. } | Expiry::Call(_) => None,
    }
}

/// The deadline of a timer.
pub fn deadline_of(reference: u64) -> Option<i64> {
    let (deadline, to) = WHEELS[wheel_of(reference)].lock().find(reference)?;
    has_receiver(to).then_some(deadline)
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

/// Is a timer of this wheel due?
pub fn is_due(wheel: usize) -> bool {
    next_deadline(wheel).is_some_and(|at| at <= crate::time::monotonic())
}

fn fire(action: Expiry) {
    match action {
        Expiry::Timeout { process, number } => {
            signal::send(process, Signal::Timeout(number));
        }
        Expiry::Call(call) => call(),
        Expiry::Message { to, message, .. } => {
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
