//! How schedulers sleep, and the watch that one of those without work keeps for the others.
//!
//! A scheduler that is inside a long BIF takes nothing from its queue and looks at no timer. So the others look
//! for it, every tick: has it been in one and the same time slice since the last tick? If there are processes
//! in its queue they take one, and if one of its timers is due they make it run out. Schedulers that work do so
//! between two slices. While any scheduler works and another one sleeps, one of the sleepers keeps the *watch*:
//! it gets up every tick to look. Nobody keeps watch when all sleep; who finds that out has looked for some
//! ticks in vain, so that a system that works a little now and then does not start a watch each time.

use super::schedulers;
use crate::{quiescence, time, timer};
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How often the watch looks.
const TICK: i64 = 1_000_000;
/// For how many ticks it looks although nobody works.
const PATIENCE: u32 = 8;

/// Where a scheduler sleeps.
#[derive(Default)]
pub(super) struct Bed {
    sleeping: AtomicBool,
    call: Mutex<Call>,
    wakeup: Condvar,
}

/// What was called to a scheduler that sleeps, or is about to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Call {
    /// Nothing.
    #[default]
    None,
    /// Keep the watch.
    Watch,
    /// Get up and look for work.
    Up,
}

/// Schedulers that sleep.
static SLEEPERS: AtomicUsize = AtomicUsize::new(0);
/// Does somebody keep the watch, or has somebody been called to it?
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Makes a scheduler look again.
pub fn poke(i: usize) {
    let bed = &schedulers().all[i].bed;
    *bed.call.lock() = Call::Up;
    bed.wakeup.notify_one();
}

fn sleeper() -> Option<usize> {
    if SLEEPERS.load(Ordering::SeqCst) == 0 {
        return None;
    }
    let s = schedulers();
    let active = s.active.load(Ordering::Relaxed);
    (0..active).find(|&i| s.all[i].bed.sleeping.load(Ordering::Relaxed))
}

/// The first of so many schedulers that sleeps and for which nothing waits.
pub(super) fn idle(active: usize) -> Option<usize> {
    if SLEEPERS.load(Ordering::SeqCst) == 0 {
        return None;
    }
    let all = &schedulers().all;
    (0..active).find(|&i| {
        all[i].bed.sleeping.load(Ordering::Relaxed) && all[i].length.load(Ordering::Relaxed) == 0
    })
}

/// Wakes one sleeping scheduler, if there is one, to take work from a busy one.
pub(super) fn poke_sleeper() {
    if let Some(i) = sleeper() {
        poke(i);
    }
}

/// Before a time slice: somebody is to keep the watch, if anybody sleeps.
#[inline]
pub(crate) fn keep_watch() {
    if SLEEPERS.load(Ordering::SeqCst) > 0 && !WATCHED.load(Ordering::SeqCst) {
        call_watch();
    }
}

#[cold]
fn call_watch() {
    let Some(i) = sleeper() else { return };
    if WATCHED.swap(true, Ordering::SeqCst) {
        return;
    }
    let bed = &schedulers().all[i].bed;
    let mut call = bed.call.lock();
    // Who gets up anyway finds work or falls asleep again, and is called then.
    if *call == Call::None && bed.sleeping.load(Ordering::Relaxed) {
        *call = Call::Watch;
        bed.wakeup.notify_one();
    } else {
        WATCHED.store(false, Ordering::SeqCst);
    }
}

/// What a scheduler remembers of the others from one tick to the next.
pub(crate) struct Watch {
    /// The time slice that each scheduler was in.
    slices: Vec<u64>,
    next: i64,
    /// Ticks since anybody worked.
    quiet: u32,
}

/// What the watch has found.
#[derive(PartialEq, Eq)]
enum Found {
    /// All is well.
    Nothing,
    /// A process waits behind a long BIF.
    Work,
    /// Nobody has worked for a while.
    Rest,
}

impl Watch {
    /// Begins with what is the case now.
    pub(crate) fn begin() -> Watch {
        let all = &schedulers().all;
        Watch {
            slices: all.iter().map(|s| s.passage.count()).collect(),
            next: time::monotonic() + TICK,
            quiet: 0,
        }
    }

    /// Looks if it is time to.
    pub(crate) fn glance(&mut self, now: i64) {
        if self.next <= now {
            self.look(now);
        }
    }

    fn look(&mut self, now: i64) -> Found {
        let mut found = Found::Nothing;
        let mut quiet = true;
        for (i, s) in schedulers().all.iter().enumerate() {
            let count = s.passage.count();
            let before = std::mem::replace(&mut self.slices[i], count);
            quiet &= count == before && !s.passage.is_inside();
            if count != before || !s.passage.is_inside() {
                continue;
            }
            if timer::next_deadline(i).is_some_and(|at| at <= now) {
                timer::advance(i, now);
                found = Found::Work;
            }
            if let Some(p) = super::steal(s) {
                super::enqueue(p);
                found = Found::Work;
            }
        }
        self.quiet = if quiet { self.quiet + 1 } else { 0 };
        self.next = now + TICK;
        if self.quiet > PATIENCE {
            Found::Rest
        } else {
            found
        }
    }
}

/// Sleeps until there is something to do.
pub(crate) fn sleep(me: usize) {
    let s = schedulers();
    let own = &s.all[me];
    own.bed.sleeping.store(true, Ordering::SeqCst);
    SLEEPERS.fetch_add(1, Ordering::SeqCst);
    quiescence::before_sleep();
    // Look once more now that others know that this scheduler sleeps.
    let active = me < s.active.load(Ordering::Relaxed);
    let work = if active {
        s.all.iter().any(|q| q.length.load(Ordering::SeqCst) > 0)
    } else {
        own.length.load(Ordering::SeqCst) > 0
    };
    if !work {
        own.work.stop(time::monotonic());
        rest(me);
        own.work.start(time::monotonic());
    }
    SLEEPERS.fetch_sub(1, Ordering::SeqCst);
    own.bed.sleeping.store(false, Ordering::SeqCst);
}

fn rest(me: usize) {
    let s = schedulers();
    let bed = &s.all[me].bed;
    let deadline = timer::next_deadline(me);
    // Who begins a slice from here on finds a sleeper and calls the watch.
    let works = s.all.iter().any(|s| s.passage.is_inside());
    let keeps = works && !WATCHED.swap(true, Ordering::SeqCst);
    let mut watch = keeps.then(Watch::begin);
    let mut call = bed.call.lock();
    while !s.stopping.load(Ordering::SeqCst) {
        match std::mem::take(&mut *call) {
            Call::Up => break,
            Call::Watch => watch = Some(Watch::begin()),
            Call::None => {}
        }
        let tick = watch.as_ref().map(|w| w.next);
        match deadline.into_iter().chain(tick).min() {
            None => bed.wakeup.wait(&mut call),
            Some(at) => {
                let ns = at.saturating_sub(time::monotonic()).max(0);
                bed.wakeup
                    .wait_for(&mut call, Duration::from_nanos(ns as u64));
            }
        }
        if *call != Call::None {
            continue;
        }
        let now = time::monotonic();
        if deadline.is_some_and(|at| at <= now) {
            break;
        }
        if let Some(w) = watch.as_mut().filter(|w| w.next <= now) {
            // The watch calls others by way of their signals.
            drop(call);
            let found = w.look(now);
            call = bed.call.lock();
            match found {
                Found::Nothing => {}
                Found::Work => break,
                Found::Rest => {
                    watch = None;
                    WATCHED.store(false, Ordering::SeqCst);
                }
            }
        }
    }
    if *call == Call::Watch || watch.is_some() {
        WATCHED.store(false, Ordering::SeqCst);
    }
    *call = Call::None;
}
