//! Pools for BIFs that block or compute long, outside the schedulers.
//!
//! A process that calls such a BIF is handed to the pool in the state "about to call it"; the pool's
//! thread runs the interpreter in a mode in which it stops right after that call.

use super::block;
use super::meter::{Meter, Worked};
use super::quiescence;
use crate::bif::Ctx;
use crate::interp::{self, Outcome};
use crate::process::{Process, handle};
use crate::time;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pool {
    /// For computing.
    Cpu,
    /// For blocking.
    Io,
}

struct State {
    queue: VecDeque<&'static Process>,
    threads: usize,
    idle: usize,
    /// Threads that run a process.
    running: usize,
    /// How many of them may, as was asked for; nothing when nobody has.
    online: Option<usize>,
    /// The time that each thread has run processes.
    work: Vec<&'static Meter>,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    limit: AtomicUsize,
}

impl Shared {
    fn new(limit: usize) -> Shared {
        Shared {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                threads: 0,
                idle: 0,
                running: 0,
                online: None,
                work: Vec::new(),
            }),
            work: Condvar::new(),
            limit: AtomicUsize::new(limit),
        }
    }
}

static CPU: LazyLock<Shared> = LazyLock::new(|| Shared::new(super::count()));
static IO: LazyLock<Shared> = LazyLock::new(|| Shared::new(10));

fn pool(kind: Pool) -> &'static Shared {
    match kind {
        Pool::Cpu => &CPU,
        Pool::Io => &IO,
    }
}

/// Sets how many threads a pool may have (`+SDcpu`, `+SDio`).
pub fn set_limit(kind: Pool, threads: usize) {
    pool(kind).limit.store(threads.max(1), Ordering::Relaxed);
}

/// How many threads a pool may have.
pub fn limit(kind: Pool) -> usize {
    pool(kind).limit.load(Ordering::Relaxed)
}

/// How many threads of a pool may run processes at a time.
pub fn online(kind: Pool) -> usize {
    let limit = limit(kind);
    let online = pool(kind).state.lock().online;
    online.unwrap_or(limit).min(limit)
}

/// Sets it; gives the old number.
pub fn set_online(kind: Pool, threads: usize) -> usize {
    let old = online(kind);
    let shared = pool(kind);
    shared.state.lock().online = Some(threads.clamp(1, limit(kind)));
    shared.work.notify_all();
    old
}

/// Sets the CPU schedulers online that go with a new number of schedulers online, in whole percents as
/// BEAM does.
pub(super) fn scale_online(old: usize, new: usize) {
    if old != new {
        let all = limit(Pool::Cpu) * 100 / super::count();
        let percent = new * all / old;
        set_online(Pool::Cpu, online(Pool::Cpu) * percent / 100);
    }
}

/// How many processes wait for a thread of a pool, and how many run on one.
pub fn tasks(kind: Pool) -> (usize, usize) {
    let s = pool(kind).state.lock();
    (s.queue.len(), s.running)
}

/// The time that the threads of a pool have run processes. Threads that have not been needed yet have not.
pub fn worked(kind: Pool) -> Vec<Worked> {
    let now = time::monotonic();
    let mut all: Vec<Worked> = {
        let s = pool(kind).state.lock();
        s.work.iter().map(|m| m.read(now)).collect()
    };
    all.resize(limit(kind), 0);
    all
}

/// Hands a process, whose state says that it is queued, to a pool. Threads are started as needed.
pub fn enqueue(kind: Pool, p: &'static Process) {
    let shared = pool(kind);
    let mut s = shared.state.lock();
    s.queue.push_back(p);
    if s.idle >= s.queue.len() {
        drop(s);
        shared.work.notify_one();
        return;
    }
    if s.threads < shared.limit.load(Ordering::Relaxed) {
        s.threads += 1;
        let number = s.threads;
        let meter: &'static Meter = Box::leak(Box::default());
        s.work.push(meter);
        drop(s);
        let name = match kind {
            Pool::Cpu => format!("{number}_dirty_cpu_sched"),
            Pool::Io => format!("{number}_dirty_io_sched"),
        };
        let started = std::thread::Builder::new()
            .name(name)
            .stack_size(super::STACK)
            .spawn(move || pool_loop(kind, number, meter));
        // Where the system allows no more threads the pool goes on with those that it has.
        if started.is_err() && number == 1 {
            crate::bug::limit_reached("Failed to create dirty scheduler thread");
        }
    }
}

fn pool_loop(kind: Pool, number: usize, meter: &Meter) {
    let shared = pool(kind);
    let mut x = super::fresh_registers();
    let passage = quiescence::register();
    // Dirty schedulers are numbered after the normal ones: CPU first, then I/O.
    let first = super::count()
        + if kind == Pool::Io {
            limit(Pool::Cpu)
        } else {
            0
        };
    loop {
        let p = {
            let mut s = shared.state.lock();
            loop {
                let allowed = s.online.unwrap_or(usize::MAX);
                if s.running < allowed
                    && let Some(p) = s.queue.pop_front()
                {
                    s.running += 1;
                    break p;
                }
                s.idle += 1;
                shared.work.wait(&mut s);
                s.idle -= 1;
            }
        };
        passage.enter();
        let turn = block::turn();
        meter.start(time::monotonic());
        let pinned = crossbeam_epoch::pin();
        p.state.start();
        // SAFETY: this thread has just set the RUNNING bit.
        let own = unsafe { p.owned() };
        let mut cx = Ctx {
            proc: p,
            own,
            x: &mut x,
            reds: super::TIME_SLICE,
            scheduler: first + number,
            dirty: true,
            whole: true,
            pc: std::ptr::null(),
            leave: false,
            gc_reds: None,
        };
        let mut outcome = interp::run(&mut cx);
        if !matches!(outcome, Outcome::Exit) && !p.inbox.is_empty() {
            handle::fetch(&mut cx);
            if cx.own.exit_reason.is_some() {
                outcome = Outcome::Exit;
            } else if outcome == Outcome::Wait {
                outcome = Outcome::Yield;
            }
        }
        super::finish(&mut cx, p, outcome);
        drop(pinned);
        meter.stop(time::monotonic());
        drop(turn);
        shared.state.lock().running -= 1;
        passage.leave();
        quiescence::before_sleep();
    }
}
