//! Pools for BIFs that block or compute long, outside the schedulers.
//!
//! A process that calls such a BIF is handed to the pool in the state "about to call it"; the pool's
//! thread runs the interpreter in a mode in which it stops right after that call.

use super::quiescence;
use crate::bif::Ctx;
use crate::interp::{self, Outcome};
use crate::process::{Process, handle};
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
        drop(s);
        let name = match kind {
            Pool::Cpu => format!("{number}_dirty_cpu_sched"),
            Pool::Io => format!("{number}_dirty_io_sched"),
        };
        let started = std::thread::Builder::new()
            .name(name)
            .stack_size(super::STACK)
            .spawn(move || pool_loop(kind, number));
        if started.is_err() {
            crate::bug::vm_bug("cannot start a dirty scheduler thread");
        }
    }
}

fn pool_loop(kind: Pool, number: usize) {
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
                if let Some(p) = s.queue.pop_front() {
                    break p;
                }
                s.idle += 1;
                shared.work.wait(&mut s);
                s.idle -= 1;
            }
        };
        passage.enter();
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
        passage.leave();
        quiescence::before_sleep();
    }
}
