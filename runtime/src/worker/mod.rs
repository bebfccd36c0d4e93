//! The threads that run processes.
//!
//! While a thread runs a process it is *pinned* in the epoch scheme that protects process records
//! (see `process::table`); between two processes it is not, and holds no reference to any.
//!
//! Stopping: `sched::shutdown` sets a flag and pokes everybody; the threads leave their loops at the next look.

pub mod sim;

use crate::bif::{Ctx, X_REGS};
use crate::interp::native::chaos;
use crate::interp::place::current_function;
use crate::interp::{self, Outcome};
use crate::process::context::Handover;
use crate::process::state::Stop;
use crate::process::{Owned, Process, exit, flag, handle, system_monitor};
use crate::sched::later::Gathering;
use crate::sched::{
    STACK, TIME_SLICE, again, become_scheduler, bind, block, count, enqueue, freeze,
    fresh_registers, give_away, rest, schedulers, take,
};
use crate::term::Term;
use crate::{dirty, errands, io, time, timer};
use std::sync::atomic::Ordering;

/// Reductions that a scheduler counts at least when it has run a process.
const SWITCH_COST: u64 = TIME_SLICE as u64 / 10;

/// Reductions after which a scheduler that works looks at the clock, for its timers and after the others.
const CLOCK_EVERY: u64 = TIME_SLICE as u64;

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
    become_scheduler(me);
    let mut x = fresh_registers();
    let s = schedulers();
    s.all[me].work.start(time::monotonic());
    let mut watch = rest::Watch::begin();
    let mut used = CLOCK_EVERY;
    let mut rested = true;
    let errands = errands::register(move || rest::poke(me));
    bind::follow();
    while !s.stopping.load(Ordering::Relaxed) {
        if used >= CLOCK_EVERY {
            used = 0;
            let now = time::monotonic();
            time::check_if_due(now);
            if timer::next_deadline(me).is_some_and(|at| at <= now) {
                timer::advance(me, now);
            }
            watch.glance(now);
            s.all[me].pace.note(now, s.all[me].passage.count());
            if !rested && io::is_rush() {
                io::look();
            }
            rested = false;
        }
        errands.run();
        let active = me < s.active.load(Ordering::Relaxed);
        if !active {
            give_away(me);
        }
        match if active { take(me) } else { None } {
            Some(p) => used += run(me + 1, p, &mut x, TIME_SLICE),
            None => {
                rest::sleep(me);
                used = CLOCK_EVERY;
                rested = true;
            }
        }
    }
}

/// Runs a process that was taken from a queue for one time slice. `scheduler` counts from 1. Gives the reductions that count.
fn run(scheduler: usize, p: &'static Process, x: &mut [Term; X_REGS], slice: i64) -> u64 {
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
        s.passage.leave();
        return 0;
    }
    rest::keep_watch();
    let _turn = block::turn(Some(&s.work));
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
        native: Handover {
            chance: chaos::start(),
            ..Handover::default()
        },
    };
    let gathering = Gathering::begin();
    let begun = system_monitor::slice().map(|at| (at, current_function(cx.own)));
    let outcome = run_slice(&mut cx);
    if let Some((at, from)) = begun {
        system_monitor::slice_ended(p.id, at, [from, current_function(cx.own)]);
    }
    let used = (slice - cx.reds_left()).max(0) as u64;
    cx.own.reductions += used;
    let counted = used.max(SWITCH_COST);
    // Nobody else writes it.
    let before = s.reductions.load(Ordering::Relaxed);
    s.reductions.store(before + counted, Ordering::Relaxed);
    finish(&mut cx, p, outcome);
    drop(gathering);
    s.passage.leave();
    counted
}

/// Handles signals, then runs code.
fn run_slice(cx: &mut Ctx<'_>) -> Outcome {
    if cx.proc.state.is_exiting() {
        return Outcome::Exit;
    }
    if handle::is_behind(cx.proc, cx.own) {
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
    let is_due = cx.own.heap.is_requested() && cx.own.heap.is_long_to_collect();
    if is_due || cx.own.copies_literals() {
        return Outcome::Collect;
    }
    // A call in a pool that has ended is taken note of, also by a process that goes no further.
    if cx.own.is_suspended() && !dirty::is_under_way(cx.own) {
        return Outcome::Wait;
    }
    cx.proc.state.try_again();
    interp::run(cx)
}

/// Puts the process where its slice has left it.
fn finish(cx: &mut Ctx<'_>, p: &'static Process, outcome: Outcome) {
    match outcome {
        Outcome::Collect => {
            let id = p.id;
            cx.own.set_flag(flag::COLLECTS, true);
            p.state.set_collecting(true);
            wait_for_collection(cx.own, p);
            dirty::collect(id);
        }
        Outcome::Wait if cx.own.has(flag::COLLECTS) => wait_for_collection(cx.own, p),
        // A process that catches up has not looked for later signals, of which nobody tells it a second time.
        Outcome::Wait if cx.own.has_system_tasks() || handle::is_behind(cx.proc, cx.own) => {
            again(p)
        }
        Outcome::Yield => again(p),
        Outcome::Wait => wait(p),
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

/// The process waits, unless something has happened meanwhile.
fn wait(p: &'static Process) {
    if p.state.stop_waiting() == Stop::Enqueue {
        enqueue(p);
    }
}

/// The process waits for its collection (see `sched::collect`).
fn wait_for_collection(own: &Owned, p: &'static Process) {
    if p.state.take_claim() {
        dirty::collect_held(p);
    } else if own.has_system_tasks() || handle::is_behind(p, own) {
        again(p);
    } else {
        wait(p);
    }
}
