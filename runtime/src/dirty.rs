//! Pools for BIFs that block or compute long, outside the schedulers.
//!
//! A process does not go to a pool; a *call* does:
//!
//! ```text
//! scheduler   copies the arguments into a heap of their own and queues them as a `Job`; the process waits at
//!             the calling instruction, its arguments saved, like any process that waits in a BIF
//! thread      takes the job, makes a stand-in (`process::stand_in`) around its heap, runs the BIF there, puts
//!             heap and result into the place that job and process share, and wakes the process
//! scheduler   runs the process, which executes the instruction again: it finds the result, takes over the heap,
//!             and goes on with the value, the exception or the call that the result is
//! ```
//!
//! So the process is at rest all the time, on no thread: whichever scheduler finds a signal for it handles it
//! as for any waiting process, and the instruction, executed again, finds no result yet and goes on waiting.
//! If a signal ends it, it is gone there and then with all that it had; the job ends when it ends, and what
//! it left is dropped. A thread of a pool holds no pointer into the process, and none to code, literals
//! or persistent terms (arguments are copied with their literals), so nobody waits for it to free memory.
//!
//! Two things wait for the end of the call, as on BEAM: collections that others ask for, and suspension, which
//! promises that the process does nothing any more.

pub use crate::bif::Pool;

use crate::bif::{Bif, BifResult, Ctx, Exit, TraceArg, X_REGS};
use crate::code::nif::{NifCall, Scheduled};
use crate::errands;
use crate::heap::{Heap, copy};
use crate::process::context::Handover;
use crate::process::state::Priority;
use crate::process::{Owned, Process, stand_in, table};
use crate::quiescence::{self, Role};
use crate::sched::meter::{Meter, Worked};
use crate::sched::run_queue::RunQueue;
use crate::sched::{self, block, collect as collections, freeze};
use crate::term::Term;
use crate::time;
use parking_lot::{Condvar, Mutex};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// What waits for a thread.
enum Job {
    Call(Call),
    /// The collection of the process with this packed pid.
    Collection(u64),
    /// The same for a process that is held for whoever does it.
    HeldCollection(&'static Process),
}

/// A call that waits for a thread.
struct Call {
    /// Packed pid of the process that calls.
    process: u64,
    callee: Callee,
    /// The arguments, in `heap`.
    arguments: Vec<Term>,
    heap: Heap,
    result: Slot,
}

/// What a call calls.
enum Callee {
    Bif(&'static Bif),
    Nif(NifCall),
}

/// What a call has given.
struct Done {
    /// Holds all terms of the result.
    heap: Heap,
    result: BifResult,
    /// The arguments of the function to call, if the result is such a call.
    arguments: Vec<Term>,
    /// What is to be called next, where that is the result.
    scheduled: Option<Box<Scheduled>>,
}

/// What a thread tells the process.
#[derive(Default)]
struct Progress {
    /// Has a thread begun?
    begun: AtomicBool,
    /// The result.
    done: Mutex<Option<Done>>,
}

type Slot = Arc<Progress>;

/// Kept by a process while its call is in a pool.
struct UnderWay {
    /// The BIF, if it is one.
    bif: Option<&'static Bif>,
    result: Slot,
}

struct PoolState {
    queue: RunQueue<Job>,
    threads: usize,
    idle: usize,
    /// Threads that run a call.
    running: usize,
    /// How many of them may, as was asked for; nothing when nobody has.
    online: Option<usize>,
    /// The time that each thread has run processes.
    work: Vec<&'static Meter>,
}

struct ThreadPool {
    state: Mutex<PoolState>,
    work: Condvar,
    limit: AtomicUsize,
}

impl ThreadPool {
    fn new(limit: usize) -> ThreadPool {
        ThreadPool {
            state: Mutex::new(PoolState {
                queue: RunQueue::default(),
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

static CPU: LazyLock<ThreadPool> = LazyLock::new(|| ThreadPool::new(sched::count()));
static IO: LazyLock<ThreadPool> = LazyLock::new(|| ThreadPool::new(10));

fn pool(kind: Pool) -> &'static ThreadPool {
    match kind {
        Pool::Cpu => &CPU,
        Pool::Io => &IO,
    }
}

/// Are calls done where they are made? There is one thread only then.
static IN_PLACE: AtomicBool = AtomicBool::new(false);

/// Lets all calls be done where they are made from now on.
pub fn run_in_place() {
    IN_PLACE.store(true, Ordering::Relaxed);
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

/// Sets how many schedulers may take part, and how many threads for computing in proportion, in whole percents as
/// BEAM does; gives the old number of schedulers.
pub fn set_schedulers_online(n: usize) -> usize {
    let old = sched::set_online(n);
    let new = sched::online();
    if old != new {
        let all = limit(Pool::Cpu) * 100 / sched::count();
        let percent = new * all / old;
        set_online(Pool::Cpu, online(Pool::Cpu) * percent / 100);
    }
    old
}

/// How many calls wait for a thread of a pool, and how many run on one.
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

/// Calls a BIF in a pool for the process, which is at the instruction that calls it. Nothing: there is no result
/// yet, and the process is to wait and execute the instruction again.
pub fn call(
    cx: &mut Ctx<'_>,
    kind: Pool,
    bif: &'static Bif,
    arguments: &[Term],
) -> Option<BifResult> {
    if let Some(UnderWay { result, .. }) = cx.own.bif_state() {
        let done = result.done.lock().take()?;
        return Some(accept(cx, done));
    }
    if IN_PLACE.load(Ordering::Relaxed) {
        let whole = std::mem::replace(&mut cx.whole, true);
        let result = (bif.run)(cx, arguments);
        cx.whole = whole;
        return Some(result);
    }
    begin(cx, kind, Callee::Bif(bif), arguments);
    None
}

/// Calls a function of a native library in a pool, with the arguments in the X registers, in the same way.
pub fn call_nif(cx: &mut Ctx<'_>, kind: Pool, nif: &NifCall) -> Option<BifResult> {
    if let Some(UnderWay { result, .. }) = cx.own.bif_state() {
        let done = result.done.lock().take()?;
        return Some(accept(cx, done));
    }
    if IN_PLACE.load(Ordering::Relaxed) {
        return Some(nif.library.call(cx, nif.function, nif.arity));
    }
    let arguments = cx.x[..nif.arity].to_vec();
    begin(cx, kind, Callee::Nif(nif.clone()), &arguments);
    None
}

/// Queues a call with copies of the arguments.
fn begin(cx: &mut Ctx<'_>, kind: Pool, callee: Callee, arguments: &[Term]) {
    let result = Slot::default();
    cx.own.rare().bif_state = Some(Box::new(UnderWay {
        bif: match callee {
            Callee::Bif(bif) => Some(bif),
            Callee::Nif(_) => None,
        },
        result: result.clone(),
    }));
    cx.proc.state.set_dirty(true);
    let mut heap = Heap::with_capacity(arguments.iter().map(|&t| copy::size_whole(t)).sum());
    let job = Call {
        process: cx.proc.id,
        callee,
        arguments: arguments
            .iter()
            .map(|&t| copy::copy_whole(t, &mut heap))
            .collect(),
        heap,
        result,
    };
    enqueue(kind, cx.proc.state.queue_priority(), Job::Call(job));
}

/// Has a process, which waits for it, collected.
pub(super) fn collect(process: u64) {
    let priority = table::with(process, |p| p.state.queue_priority());
    let priority = priority.unwrap_or(Priority::Normal);
    enqueue(Pool::Cpu, priority, Job::Collection(process));
}

/// Has a process collected that is held for that.
pub(super) fn collect_held(p: &'static Process) {
    enqueue(Pool::Cpu, Priority::Max, Job::HeldCollection(p));
}

/// The BIF that the process has called in a pool. Of a native library's function it is the code that the process stands in.
pub fn under_way(own: &Owned) -> Option<&'static Bif> {
    own.bif_state().and_then(|u: &UnderWay| u.bif)
}

/// Is a call of the process in a pool?
pub fn is_under_way(own: &Owned) -> bool {
    own.bif_state::<UnderWay>().is_some()
}

/// Is such a call on a thread, and not waiting for one?
pub fn runs(own: &Owned) -> bool {
    own.bif_state()
        .is_some_and(|u: &UnderWay| u.result.begun.load(Ordering::Relaxed))
}

/// The process takes over what its call has given.
fn accept(cx: &mut Ctx<'_>, done: Done) -> BifResult {
    let own = &mut *cx.own;
    own.rare().bif_state = None;
    cx.proc.state.set_dirty(false);
    own.heap.young.absorb(done.heap);
    cx.x[..done.arguments.len()].copy_from_slice(&done.arguments);
    if let Some(next) = done.scheduled {
        own.set_scheduled(next);
    }
    if own.resume_tasks() {
        cx.end_slice();
    }
    done.result
}

/// Hands a job to a pool. What is held goes first, the rest as the priority of its process says. Threads are started as needed.
fn enqueue(kind: Pool, priority: Priority, job: Job) {
    let shared = pool(kind);
    let mut s = shared.state.lock();
    match job {
        Job::HeldCollection(_) => s.queue.put_first(job),
        Job::Call(_) | Job::Collection(_) => s.queue.put(priority, job),
    }
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
        let _loosened = sched::bind::loosened();
        let started = std::thread::Builder::new()
            .name(name)
            .stack_size(sched::STACK)
            .spawn(move || pool_loop(kind, number, meter));
        // Where the system allows no more threads the pool goes on with those that it has.
        if started.is_err() && number == 1 {
            crate::bug::limit_reached("Failed to create dirty scheduler thread");
        }
    }
}

thread_local! {
    static CURRENT: Cell<Option<Pool>> = const { Cell::new(None) };
}

/// The pool that this thread belongs to, if it does.
pub fn current_pool() -> Option<Pool> {
    CURRENT.get()
}

fn pool_loop(kind: Pool, number: usize, meter: &Meter) {
    CURRENT.set(Some(kind));
    let shared = pool(kind);
    let mut x = sched::fresh_registers();
    let passage = quiescence::register(Role::Pool);
    // Dirty schedulers are numbered after the normal ones: CPU first, then I/O.
    let first = sched::count()
        + if kind == Pool::Io {
            limit(Pool::Cpu)
        } else {
            0
        };
    let errands = errands::register(move || {
        let _state = pool(kind).state.lock();
        pool(kind).work.notify_all();
    });
    loop {
        errands.run();
        let job = {
            let mut s = shared.state.lock();
            loop {
                if errands.are_waiting() {
                    break None;
                }
                let allowed = s.online.unwrap_or(usize::MAX);
                if s.running < allowed
                    && let Some(job) = s.queue.pop()
                {
                    s.running += 1;
                    break Some(job);
                }
                s.idle += 1;
                shared.work.wait(&mut s);
                s.idle -= 1;
            }
        };
        let Some(job) = job else { continue };
        passage.enter();
        let turn = block::turn(None);
        meter.start(time::monotonic());
        perform(job, first + number, &mut x);
        meter.stop(time::monotonic());
        drop(turn);
        shared.state.lock().running -= 1;
        passage.leave();
        quiescence::before_sleep();
    }
}

/// Does a job on this thread, unless nobody waits for it any more.
fn perform(job: Job, scheduler: usize, x: &mut [Term; X_REGS]) {
    if freeze::is_frozen() {
        freeze::stay();
    }
    match job {
        Job::Call(call) => perform_call(call, scheduler, x),
        Job::Collection(id) => {
            if let Some(p) = collections::hold(id) {
                collections::perform(p);
            }
        }
        Job::HeldCollection(p) => collections::perform(p),
    }
}

fn perform_call(job: Call, scheduler: usize, x: &mut [Term; X_REGS]) {
    if !is_alive(job.process) {
        return;
    }
    job.result.begun.store(true, Ordering::Relaxed);
    let stand_in = stand_in::make(job.process, job.heap);
    // SAFETY: nobody else knows the record.
    let own = unsafe { stand_in.owned() };
    let mut cx = Ctx {
        proc: &stand_in,
        own,
        x,
        reds: sched::TIME_SLICE,
        scheduler,
        whole: true,
        pc: std::ptr::null(),
        leave: false,
        gc_reds: None,
        native: Handover::default(),
    };
    let result = loop {
        let result = match &job.callee {
            Callee::Bif(bif) => (bif.run)(&mut cx, &job.arguments),
            Callee::Nif(nif) => {
                cx.x[..nif.arity].copy_from_slice(&job.arguments);
                nif.library.call(&mut cx, nif.function, nif.arity)
            }
        };
        match result {
            Err(Exit::Yield) => {}
            Err(Exit::YieldValue(v)) => break Ok(v),
            Err(Exit::Wait | Exit::Hibernate) => {
                crate::bug::vm_bug("a BIF in a pool waits for a signal")
            }
            result => break result,
        }
    };
    let arguments = match result {
        Err(Exit::Trap(export)) => cx.x[..export.arity as usize].to_vec(),
        _ => Vec::new(),
    };
    let heap = std::mem::take(&mut cx.own.heap.young);
    debug_assert!(terms_of(&result).all(|t| t.is_immediate() || heap.holds(t.ptr())));
    *job.result.done.lock() = Some(Done {
        heap,
        result,
        arguments,
        scheduled: cx.own.take_scheduled(),
    });
    table::with(job.process, sched::wake);
}

/// The terms that a result holds.
fn terms_of(result: &BifResult) -> impl Iterator<Item = Term> {
    let (a, b, c) = match *result {
        Ok(t) => (t, Term::NIL, Term::NIL),
        Err(Exit::Raise { reason, cause, .. }) => (reason, cause, Term::NIL),
        Err(Exit::RaiseWith { reason, trace, .. }) => match trace {
            TraceArg::Trace(t) => (reason, t, Term::NIL),
            TraceArg::Args(args, info) => (reason, args, info),
        },
        Err(_) => (Term::NIL, Term::NIL, Term::NIL),
    };
    [a, b, c].into_iter().filter(|t| !t.is_nonvalue())
}

/// Is there somebody who waits for the result?
pub fn is_alive(process: u64) -> bool {
    table::with(process, |p| !p.state.is_exiting()).unwrap_or(false)
}
