//! Which processes are ready, and which schedulers sleep.
//!
//! Each scheduler has a run queue and a timer wheel. A process that becomes ready is put into the queue
//! of the scheduler that made it ready; a scheduler without work takes from the others, then sleeps
//! until it is poked or a timer is due (`rest`). A sleeping scheduler is poked when work piles up in front of
//! a busy one: at the end of a time slice, and when a second process waits in one queue. What waits alone in a
//! queue is left there, because mostly its scheduler is about to take it; where it is not, because of a
//! long BIF, others see to it (see `rest`). A scheduler that is set offline gives its queue away.
//!
//! The threads themselves, which run what is ready, are in `worker`; the pools in `dirty`.

pub mod bind;
pub mod block;
pub(crate) mod collect;
pub mod freeze;
pub mod hold;
pub mod later;
pub(crate) mod meter;
mod pace;
pub(crate) mod rest;
pub(crate) mod run_queue;

use crate::process::context::X_REGS;
use crate::process::state::{Priority, Wake};
use crate::process::{Process, exit};
use crate::quiescence::{self, Passage, Role};
use crate::term::Term;
use crate::{reference, time};
use meter::Meter;
pub use meter::Worked;
use pace::Pace;
use parking_lot::Mutex;
pub use rest::poke;
use run_queue::RunQueue;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Most schedulers there can be.
pub const MAX_SCHEDULERS: usize = 1024;
/// Reductions of a time slice, as on BEAM.
pub const TIME_SLICE: i64 = 4000;

/// Bytes of address space for the stack of a thread that runs processes. Only what is touched is memory. The
/// short ways of the interpreter go on by tail calls; should a compiler leave one of them a real call, a
/// time slice of such calls still fits.
pub(crate) const STACK: usize = 64 << 20;

/// One scheduler, as the others see it.
pub(crate) struct Scheduler {
    pub(crate) queue: Mutex<RunQueue<&'static Process>>,
    /// Length of the queue, to look at without the lock.
    pub(crate) length: AtomicUsize,
    bed: rest::Bed,
    pub(crate) reductions: AtomicU64,
    pub(crate) passage: Arc<Passage>,
    /// The time that it was awake.
    pub(crate) work: Meter,
    pub(crate) pace: Pace,
}

pub(crate) struct Schedulers {
    pub(crate) all: Box<[Scheduler]>,
    /// How many may run processes, as was asked for.
    online: AtomicUsize,
    /// How many do: those online, or one while multi-scheduling is blocked.
    pub(crate) active: AtomicUsize,
    pub(crate) stopping: AtomicBool,
    next: AtomicUsize,
}

static SCHEDULERS: OnceLock<Schedulers> = OnceLock::new();

thread_local! {
    static CURRENT: Cell<Option<usize>> = const { Cell::new(None) };
}

pub(crate) fn schedulers() -> &'static Schedulers {
    SCHEDULERS.get_or_init(|| make(1))
}

fn make(count: usize) -> Schedulers {
    let one = || Scheduler {
        queue: Mutex::default(),
        length: AtomicUsize::new(0),
        bed: rest::Bed::default(),
        reductions: AtomicU64::new(0),
        passage: quiescence::register(Role::Scheduler),
        work: Meter::default(),
        pace: Pace::default(),
    };
    Schedulers {
        all: (0..count).map(|_| one()).collect(),
        online: AtomicUsize::new(count),
        active: AtomicUsize::new(count),
        stopping: AtomicBool::new(false),
        next: AtomicUsize::new(0),
    }
}

/// Sets the number of schedulers, before the first process is made.
pub fn init(count: usize, online: usize) {
    let _ = SCHEDULERS.set(make(count.clamp(1, MAX_SCHEDULERS)));
    set_online(online);
}

/// Number of schedulers.
pub fn count() -> usize {
    schedulers().all.len()
}

/// Number of schedulers that may take part.
pub fn online() -> usize {
    schedulers().online.load(Ordering::Relaxed)
}

/// Number of schedulers that take part now.
pub fn active() -> usize {
    schedulers().active.load(Ordering::Relaxed)
}

/// Sets how many schedulers may take part; gives the old number.
pub(crate) fn set_online(n: usize) -> usize {
    let s = schedulers();
    let n = n.clamp(1, s.all.len());
    block::change(|| s.online.swap(n, Ordering::Relaxed))
}

/// This thread is the scheduler with that index from here on.
pub(crate) fn become_scheduler(index: usize) {
    CURRENT.set(Some(index));
    reference::set_place(index);
}

/// Index of the scheduler that this thread is, if it is one.
#[inline]
pub fn current_index() -> Option<usize> {
    CURRENT.get()
}

/// Notes that there is something to do for a process, and makes it run if it waits.
#[inline]
pub fn wake(p: &Process) {
    match p.state.wake() {
        Wake::Enqueue => {
            // SAFETY: a process that is queued stays in the table until it has run, so the reference outlives
            // its stay in the queue.
            let p: &'static Process = unsafe { &*std::ptr::from_ref(p) };
            enqueue(p);
        }
        Wake::Nothing => {}
        Wake::Gone => p.inbox.take_all().for_each(exit::answer_for_dead),
    }
}

/// Lets a process run before others of its priority, because somebody of a higher one waits for it. To be
/// called before the signal that it is to handle is sent.
pub fn raise(p: &Process, to: Priority) {
    if p.state.raise(to) {
        let found = |s: &Scheduler| s.queue.lock().promote(p);
        schedulers().all.iter().any(found);
    }
}

/// Puts a process, whose state says that it is queued, into a run queue.
pub fn enqueue(p: &'static Process) {
    let s = schedulers();
    let active = s.active.load(Ordering::Relaxed);
    let here = match CURRENT.get() {
        Some(i) if i < active => i,
        // From another thread: one that has nothing to do, the same one as long as that is enough; otherwise in turns.
        _ => rest::idle(active).unwrap_or_else(|| s.next.fetch_add(1, Ordering::Relaxed) % active),
    };
    let target = &s.all[here];
    let length = {
        let mut q = target.queue.lock();
        q.push(p);
        let n = q.len();
        target.length.store(n, Ordering::Relaxed);
        n
    };
    if CURRENT.get() != Some(here) {
        poke(here);
    } else if length > 1 {
        rest::poke_sleeper();
    }
}

/// Does no other process wait to run on this scheduler, counted from 1, and nobody for it?
pub(crate) fn is_alone(scheduler: usize) -> bool {
    let s = schedulers();
    let Some(me) = s.all.get(scheduler.wrapping_sub(1)) else {
        return false;
    };
    me.length.load(Ordering::Relaxed) == 0
        && scheduler <= s.active.load(Ordering::Relaxed)
        && !quiescence::is_awaited()
        && !freeze::is_frozen()
        && !s.stopping.load(Ordering::Relaxed)
}

/// Makes all schedulers leave their loops.
pub fn shutdown() {
    let s = schedulers();
    s.stopping.store(true, Ordering::SeqCst);
    (0..s.all.len()).for_each(poke);
}

/// Reductions used so far by all schedulers, the current time slices not counted.
pub fn total_reductions() -> u64 {
    schedulers()
        .all
        .iter()
        .map(|s| s.reductions.load(Ordering::Relaxed))
        .sum()
}

/// Times that a process was taken to run.
pub fn context_switches() -> u64 {
    schedulers().all.iter().map(|s| s.passage.count()).sum()
}

/// Lengths of the run queues.
pub fn queue_lengths() -> Vec<usize> {
    schedulers()
        .all
        .iter()
        .map(|s| s.length.load(Ordering::Relaxed))
        .collect()
}

/// Which schedulers run a process now.
pub fn running() -> Vec<bool> {
    let all = schedulers().all.iter();
    all.map(|s| s.passage.is_inside()).collect()
}

/// The time that each scheduler was awake.
pub fn worked() -> Vec<Worked> {
    let now = time::monotonic();
    let all = schedulers().all.iter();
    all.map(|s| s.work.read(now)).collect()
}

/// X registers of a thread that runs processes.
pub(crate) fn fresh_registers() -> Box<[Term; X_REGS]> {
    let v: Box<[Term]> = vec![Term::NIL; X_REGS].into_boxed_slice();
    match v.try_into() {
        Ok(b) => b,
        Err(_) => crate::bug::vm_bug("register file of the wrong size"),
    }
}

/// A scheduler that may not run processes puts those in its queue into the queues of others.
pub(crate) fn give_away(me: usize) {
    let own = &schedulers().all[me];
    while own.length.load(Ordering::SeqCst) > 0 {
        let p = {
            let mut q = own.queue.lock();
            let p = q.pop();
            own.length.store(q.len(), Ordering::SeqCst);
            p
        };
        if let Some(p) = p {
            enqueue(p);
        }
    }
}

/// The process that a scheduler is to run next: one of its own, or another one's.
pub(crate) fn take(me: usize) -> Option<&'static Process> {
    let s = schedulers();
    let own = &s.all[me];
    if own.length.load(Ordering::Relaxed) > 0 {
        let mut q = own.queue.lock();
        let p = q.pop();
        own.length.store(q.len(), Ordering::Relaxed);
        if p.is_some() {
            return p;
        }
    }
    let n = s.all.len();
    (1..n).find_map(|k| steal(&s.all[(me + k) % n]))
}

/// Takes a process out of another scheduler's queue.
fn steal(other: &Scheduler) -> Option<&'static Process> {
    if other.length.load(Ordering::SeqCst) == 0 {
        return None;
    }
    let mut q = other.queue.lock();
    let p = q.steal();
    other.length.store(q.len(), Ordering::Relaxed);
    p
}

/// A process that has run here is to run again.
pub(crate) fn again(p: &'static Process) {
    p.state.stop_ready();
    enqueue(p);
}
