//! The state word of a process: who may run it, and whether there is work for it.
//!
//! ```text
//! ACTIVE    something happened since the process was last taken to run (a signal, a timeout)
//! QUEUED    it is in a run queue
//! RUNNING   a thread holds it; only the holder of this bit may touch `Owned`
//! EXITING   it is going away; signals are dropped
//! TIMERS    a timer was started that is to send it a message, and that ends with it
//! DIRTY     a call of it is in a dirty pool (see `dirty`); it waits for the result
//! GARBAGE   a thread of a dirty pool collects it, or is to
//! HELD_UP   it waits because there is too much on its way by a port or to a node, since its code last ran
//! CLAIMED   a thread of a dirty pool was ready to collect it while another one held it (see `sched::collect`)
//! ```
//! `QUEUED` and `RUNNING` exclude each other. A process with neither waits.

use crate::sys::sync::{AtomicU32, Ordering};

const ACTIVE: u32 = 1;
const QUEUED: u32 = 2;
const RUNNING: u32 = 4;
const EXITING: u32 = 8;
const SUSPENDED: u32 = 16;
const TIMERS: u32 = 32;
const DIRTY: u32 = 64;
const GARBAGE: u32 = 128;
const PRIORITY_SHIFT: u32 = 8;
const RAISED_SHIFT: u32 = 10;
const CLAIMED: u32 = 1 << 12;
const HELD_UP: u32 = 1 << 13;

/// Scheduling priority.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Priority {
    /// Runs when no normal process has run for a while.
    Low,
    /// The usual.
    Normal,
    /// Before normal ones.
    High,
    /// Before all others.
    Max,
}

impl Priority {
    fn from_bits(bits: u32) -> Priority {
        match bits & 3 {
            0 => Priority::Low,
            1 => Priority::Normal,
            2 => Priority::High,
            _ => Priority::Max,
        }
    }
}

/// The state word.
pub struct State(AtomicU32);

/// What `wake` found.
#[must_use]
#[derive(PartialEq, Eq, Debug)]
pub enum Wake {
    /// The caller must put the process into a run queue.
    Enqueue,
    /// Somebody else has it already.
    Nothing,
    /// It is going away, and may have looked for signals for the last time: the caller must answer them.
    Gone,
}

/// What `stop_waiting` found.
#[must_use]
#[derive(PartialEq, Eq, Debug)]
pub enum Stop {
    /// The process waits now.
    Waits,
    /// Something happened meanwhile: the caller must put it into a run queue.
    Enqueue,
}

impl State {
    /// The state of a fresh process that its maker is about to put into a run queue.
    pub fn new(priority: Priority) -> State {
        State(AtomicU32::new(QUEUED | (priority as u32) << PRIORITY_SHIFT))
    }

    /// Notes that there is something to do.
    pub fn wake(&self) -> Wake {
        let mut s = self.0.load(Ordering::Relaxed);
        loop {
            let idle = s & (QUEUED | RUNNING | EXITING) == 0;
            let to = s | ACTIVE | if idle { QUEUED } else { 0 };
            // Written even where nothing changes: it orders the signal before this look at the word.
            match self
                .0
                .compare_exchange_weak(s, to, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) if idle => return Wake::Enqueue,
                Ok(_) if s & EXITING != 0 => return Wake::Gone,
                Ok(_) => return Wake::Nothing,
                Err(now) => s = now,
            }
        }
    }

    /// The process was taken from a queue and runs now.
    pub fn start(&self) {
        let mut s = self.0.load(Ordering::Relaxed);
        loop {
            debug_assert!(s & QUEUED != 0 && s & RUNNING == 0);
            let to = (s & !(QUEUED | ACTIVE | 3 << RAISED_SHIFT)) | RUNNING;
            match self
                .0
                .compare_exchange_weak(s, to, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => s = now,
            }
        }
    }

    /// Takes hold of the process if it waits; the caller lets go of it by `stop_waiting` or `stop_ready`.
    pub fn try_hold(&self) -> bool {
        let s = self.0.load(Ordering::Relaxed);
        s & (ACTIVE | QUEUED | RUNNING | EXITING) == 0
            && self
                .0
                .compare_exchange(s, s | RUNNING, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
    }

    /// Asks whoever holds the process, or takes it from its queue, to hand it over.
    pub fn claim(&self) {
        self.0.fetch_or(CLAIMED, Ordering::AcqRel);
    }

    /// Has somebody asked for it? Asked once, it is forgotten.
    pub fn take_claim(&self) -> bool {
        self.0.load(Ordering::Acquire) & CLAIMED != 0
            && self.0.fetch_and(!CLAIMED, Ordering::AcqRel) & CLAIMED != 0
    }

    /// Takes hold of the process for good, whether it waits or is in a queue. `false` if a thread holds it already.
    pub fn seize(&self) -> bool {
        self.0.fetch_or(RUNNING, Ordering::AcqRel) & RUNNING == 0
    }

    /// It stops running with more to do; the caller puts it into a queue.
    pub fn stop_ready(&self) {
        let mut s = self.0.load(Ordering::Relaxed);
        loop {
            let to = (s & !RUNNING) | QUEUED;
            match self
                .0
                .compare_exchange_weak(s, to, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => s = now,
            }
        }
    }

    /// It stops running to wait for something.
    pub fn stop_waiting(&self) -> Stop {
        let mut s = self.0.load(Ordering::Relaxed);
        loop {
            let active = s & ACTIVE != 0;
            let to = if active {
                (s & !RUNNING) | QUEUED
            } else {
                s & !RUNNING
            };
            match self
                .0
                .compare_exchange_weak(s, to, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return if active { Stop::Enqueue } else { Stop::Waits },
                Err(now) => s = now,
            }
        }
    }

    /// It exits: from now on nobody puts it into a queue. Were there timers for it?
    pub fn set_exiting(&self) -> bool {
        self.0.fetch_or(EXITING, Ordering::AcqRel) & TIMERS != 0
    }

    /// Notes that there is a timer for it. `false` if it is going away: it may not see to that timer any more.
    pub fn note_timer(&self) -> bool {
        let seen = self.0.load(Ordering::Acquire);
        if seen & (TIMERS | EXITING) == TIMERS {
            return true;
        }
        self.0.fetch_or(TIMERS, Ordering::AcqRel) & EXITING == 0
    }

    /// Is it going away?
    pub fn is_exiting(&self) -> bool {
        self.0.load(Ordering::Acquire) & EXITING != 0
    }

    /// Marks the time of a long collection, for `process_info`.
    pub fn set_collecting(&self, on: bool) {
        self.flag(GARBAGE, on);
    }

    /// Marks a suspended process, for `process_info`.
    pub fn set_suspended(&self, on: bool) {
        self.flag(SUSPENDED, on);
    }

    /// Is a call of it in a dirty pool?
    pub fn is_dirty(&self) -> bool {
        self.0.load(Ordering::Acquire) & DIRTY != 0
    }

    /// Marks the time of a call in a dirty pool.
    pub fn set_dirty(&self, on: bool) {
        self.flag(DIRTY, on);
    }

    fn flag(&self, bit: u32, on: bool) {
        if on {
            self.0.fetch_or(bit, Ordering::AcqRel);
        } else {
            self.0.fetch_and(!bit, Ordering::AcqRel);
        }
    }

    /// It is going to wait because there is too much on its way by a port or to a node.
    pub fn hold_up(&self) {
        self.0.fetch_or(HELD_UP, Ordering::Relaxed);
    }

    /// Its code goes on, and finds out whether it has to wait.
    #[inline]
    pub fn try_again(&self) {
        if self.is_held_up() {
            self.0.fetch_and(!HELD_UP, Ordering::Relaxed);
        }
    }

    /// Does it wait for that?
    pub fn is_held_up(&self) -> bool {
        self.0.load(Ordering::Relaxed) & HELD_UP != 0
    }

    /// The status as `process_info(_, status)` names it.
    pub fn status(&self) -> crate::atom::Atom {
        use crate::atom::Atom;
        let s = self.0.load(Ordering::Acquire);
        if s & EXITING != 0 {
            Atom::EXITING
        } else if s & GARBAGE != 0 {
            Atom::GARBAGE_COLLECTING
        } else if s & (RUNNING | DIRTY) != 0 {
            Atom::RUNNING
        } else if s & SUSPENDED != 0 {
            Atom::SUSPENDED
        } else if s & QUEUED != 0 {
            Atom::RUNNABLE
        } else if s & HELD_UP != 0 {
            Atom::SUSPENDED
        } else {
            Atom::WAITING
        }
    }

    /// The priority.
    #[inline]
    pub fn priority(&self) -> Priority {
        Priority::from_bits(self.0.load(Ordering::Relaxed) >> PRIORITY_SHIFT)
    }

    /// The priority that decides where it is queued: its own, or the one it was raised to.
    #[inline]
    pub fn queue_priority(&self) -> Priority {
        let s = self.0.load(Ordering::Relaxed);
        Priority::from_bits(s >> PRIORITY_SHIFT).max(Priority::from_bits(s >> RAISED_SHIFT))
    }

    /// Raises the priority for its next time slice, so that somebody of that priority who waits for an answer
    /// does not wait behind others. `true` if it is in a queue for a lower one.
    pub fn raise(&self, to: Priority) -> bool {
        let mut s = self.0.load(Ordering::Relaxed);
        loop {
            let own = Priority::from_bits(s >> PRIORITY_SHIFT);
            if to <= own.max(Priority::from_bits(s >> RAISED_SHIFT)) {
                return false;
            }
            let raised = (s & !(3 << RAISED_SHIFT)) | (to as u32) << RAISED_SHIFT;
            match self
                .0
                .compare_exchange_weak(s, raised, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return s & QUEUED != 0,
                Err(now) => s = now,
            }
        }
    }

    /// Sets the priority; counts from the next time the process is put into a queue.
    pub fn set_priority(&self, p: Priority) {
        let mut s = self.0.load(Ordering::Relaxed);
        loop {
            let to = (s & !(3 << PRIORITY_SHIFT)) | (p as u32) << PRIORITY_SHIFT;
            match self
                .0
                .compare_exchange_weak(s, to, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => s = now,
            }
        }
    }
}
