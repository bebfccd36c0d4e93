//! Schedulers: threads that run processes.
//!
//! Each scheduler has a run queue and a timer wheel. A process that becomes ready is put into the queue
//! of the scheduler that made it ready; a scheduler without work takes from the others, then sleeps
//! until it is poked or a timer is due (`rest`). A sleeping scheduler is poked when work piles up in front of
//! a busy one: at the end of a time slice, and when a second process waits in one queue. What waits alone in a
//! queue is left there, because mostly its scheduler is about to take it; where it is not, because of a
//! long BIF, others see to it (see `rest`). A scheduler that is set offline gives its queue away.
//!
//! While a scheduler runs a process it is *pinned* in the epoch scheme that protects process records
//! (see `process::table`); between two processes it is not, and holds no reference to any.
//!
//! Stopping: `shutdown` sets a flag and pokes everybody; schedulers leave their loops at the next look.

pub mod block;
mod collect;
pub mod dirty;
pub mod freeze;
pub mod hold;
mod meter;
pub mod quiescence;
mod rest;
mod run_queue;
pub mod sim;

use crate::bif::{Ctx, X_REGS};
use crate::interp::{self, Outcome};
use crate::process::state::{Priority, Stop, Wake};
use crate::process::{Process, exit, flag, handle};
use crate::term::Term;
use crate::{time, timer};
use meter::Meter;
pub use meter::Worked;
use parking_lot::Mutex;
use quiescence::Passage;
pub use rest::poke;
use run_queue::RunQueue;
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Most schedulers there can be.
pub const MAX_SCHEDULERS: usize = 1024;
/// Reductions of a time slice, as on BEAM.
pub const TIME_SLICE: i64 = 4000;

/// After so many slices a scheduler that works looks at the clock whether to look after the others.
const TURNS_OF_GLANCE: u32 = 16;

/// Reductions that a scheduler counts at least when it has run a process.
const SWITCH_COST: u64 = TIME_SLICE as u64 / 10;

/// Bytes of address space for the stack of a thread that runs processes. Only what is touched is memory. The
/// short ways of the interpreter go on by tail calls; should a compiler leave one of them a real call, a
/// time slice of such calls still fits.
const STACK: usize = 64 << 20;

/// One scheduler, as the others see it.
struct Scheduler {
    queue: Mutex<RunQueue>,
    /// Length of the queue, to look at without the lock.
    length: AtomicUsize,
    bed: rest::Bed,
    reductions: AtomicU64,
    passage: Passage,
    /// The time that it was awake.
    work: Meter,
}

struct Schedulers {
    all: Box<[Scheduler]>,
    /// How many may run processes, as was asked for.
    online: AtomicUsize,
    /// How many do: those online, or one while multi-scheduling is blocked.
    active: AtomicUsize,
    stopping: AtomicBool,
    next: AtomicUsize,
}

static SCHEDULERS: OnceLock<Schedulers> = OnceLock::new();

thread_local! {
    static CURRENT: Cell<Option<usize>> = const { Cell::new(None) };
}

fn schedulers() -> &'static Schedulers {
    SCHEDULERS.get_or_init(|| make(1))
}

fn make(count: usize) -> Schedulers {
    let one = || Scheduler {
        queue: Mutex::default(),
        length: AtomicUsize::new(0),
        bed: rest::Bed::default(),
        reductions: AtomicU64::new(0),
        passage: Passage::default(),
        work: Meter::default(),
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

/// Sets how many schedulers may take part; gives the old number. Dirty CPU schedulers are set online in
/// proportion.
pub fn set_online(n: usize) -> usize {
    let s = schedulers();
    let n = n.clamp(1, s.all.len());
    let old = block::change(|| s.online.swap(n, Ordering::Relaxed));
    dirty::scale_online(old, n);
    old
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
        _ => s.next.fetch_add(1, Ordering::Relaxed) % active,
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

/// Starts all schedulers and waits for their end.
pub fn run_all() {
    let threads: Vec<_> = (0..count())
        .map(|i| {
            std::thread::Builder::new()
                .name(format!("{}_scheduler", i + 1))
                .stack_size(STACK)
                .spawn(move || scheduler_loop(i))
        })
        .collect();
    for t in threads {
        match t {
            Ok(t) => drop(t.join()),
            Err(_) => crate::bug::limit_reached("Failed to create scheduler thread"),
        }
    }
}

fn scheduler_loop(me: usize) {
    CURRENT.set(Some(me));
    let mut x = fresh_registers();
    let s = schedulers();
    s.all[me].work.start(time::monotonic());
    let mut watch = rest::Watch::begin();
    let mut turns = 0u32;
    while !s.stopping.load(Ordering::Relaxed) {
        let next = timer::next_deadline(me);
        if let Some(at) = next {
            let now = time::monotonic();
            time::check_if_due(now);
            if at <= now {
                timer::advance(me, now);
            }
        }
        let active = me < s.active.load(Ordering::Relaxed);
        if !active {
            give_away(me);
        }
        turns = turns.wrapping_add(1);
        if turns.is_multiple_of(TURNS_OF_GLANCE) && s.all.len() > 1 {
            watch.glance();
        }
        match if active { take(me) } else { None } {
            Some(p) => run(me + 1, p, &mut x, TIME_SLICE),
            None => rest::sleep(me),
        }
    }
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
fn give_away(me: usize) {
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

fn take(me: usize) -> Option<&'static Process> {
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

/// Runs a process that was taken from a queue for one time slice. `scheduler` counts from 1.
pub(crate) fn run(scheduler: usize, p: &'static Process, x: &mut [Term; X_REGS], slice: i64) {
    let all = schedulers();
    let s = &all.all[scheduler - 1];
    s.passage.enter();
    if freeze::is_frozen() {
        s.passage.leave();
        freeze::stay();
    }
    // Whoever has blocked the others waits for those that were inside by then, and for no later ones.
    if scheduler > all.active.load(Ordering::SeqCst) {
        enqueue(p);
        return s.passage.leave();
    }
    rest::keep_watch();
    let _turn = block::turn();
    let _pinned = crossbeam_epoch::pin();
    p.state.start();
    // SAFETY: this thread has just set the RUNNING bit.
    let own = unsafe { p.owned() };
    let mut cx = Ctx {
        proc: p,
        own,
        x,
        reds: slice,
        scheduler,
        whole: false,
        pc: std::ptr::null(),
        leave: false,
        gc_reds: None,
    };
    let outcome = run_slice(&mut cx);
    let used = (slice - cx.reds_left()).max(0) as u64;
    cx.own.reductions += used;
    s.reductions
        .fetch_add(used.max(SWITCH_COST), Ordering::Relaxed);
    finish(&mut cx, p, outcome);
    s.passage.leave();
}

/// Handles signals, then runs code.
fn run_slice(cx: &mut Ctx<'_>) -> Outcome {
    if cx.proc.state.is_exiting() {
        return Outcome::Exit;
    }
    if handle::is_behind(cx) {
        handle::fetch(cx);
    }
    if cx.own.exit_reason.is_none() && cx.own.has_system_tasks() {
        for task in cx.own.take_system_tasks() {
            task(Some(cx));
        }
        cx.resume_slice();
    }
    if cx.own.exit_reason.is_some() {
        return Outcome::Exit;
    }
    if cx.own.has(flag::COLLECTS) {
        return Outcome::Wait;
    }
    if cx.own.heap.is_requested() && cx.own.heap.is_long_to_collect() {
        return Outcome::Collect;
    }
    // A call in a pool that has ended is taken note of, also by a process that goes no further.
    if cx.own.is_suspended() && !dirty::is_under_way(cx.own) {
        return Outcome::Wait;
    }
    interp::run(cx)
}

/// Puts the process where its slice has left it.
pub(crate) fn finish(cx: &mut Ctx<'_>, p: &'static Process, outcome: Outcome) {
    match outcome {
        Outcome::Collect => collect::put(cx.own, p),
        Outcome::Wait if cx.own.has(flag::COLLECTS) => collect::wait(cx.own, p),
        Outcome::Wait if cx.own.has_system_tasks() || cx.own.has_unhandled() => again(p),
        Outcome::Yield => again(p),
        Outcome::Wait => {
            if p.state.stop_waiting() == Stop::Enqueue {
                enqueue(p);
            }
        }
        Outcome::Exit => {
            let ended = if p.state.is_exiting() {
                exit::go_on(cx, p)
            } else {
                let reason = match cx.own.exit_reason.take() {
                    Some(r) => *r,
                    None => crate::bug::vm_bug("a process exits without a reason"),
                };
                exit::terminate(cx, p, reason)
            };
            if !ended {
                again(p);
            }
        }
    }
}

/// The process is to run again.
fn again(p: &'static Process) {
    p.state.stop_ready();
    enqueue(p);
}
