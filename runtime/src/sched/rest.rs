//! How schedulers sleep, one of them where descriptors become ready (`io::IdlePoller`), and the watch that one of those without work keeps for the others.
//!
//! A scheduler that is inside a long BIF takes nothing from its queue and looks at no timer. So the others look
//! for it, every tick: has it been in one and the same time slice since the last tick? If there are processes
//! in its queue they take one, and if one of its timers is due they make it run out. Schedulers that work do so
//! between two slices. While any scheduler works and another one sleeps, one of the sleepers keeps the *watch*:
//! it gets up every tick to look. Nobody keeps watch when all sleep; who finds that out has looked for some
//! ticks in vain, so that a system that works a little now and then does not start a watch each time.

use super::schedulers;
use crate::io::{IdlePoller, call_idle_poller, is_rush};
use crate::{quiescence, time, timer};
use parking_lot::{Condvar, Mutex, MutexGuard};
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
    call: Mutex<Called>,
    wakeup: Condvar,
}

#[derive(Default)]
struct Called {
    call: Call,
    /// Does it wait for descriptors, so that it is called there?
    polls: bool,
}

impl Bed {
    fn call(&self, mut called: MutexGuard<'_, Called>, call: Call) {
        called.call = call;
        if called.polls {
            call_idle_poller();
        } else {
            self.wakeup.notify_one();
        }
    }
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
    bed.call(bed.call.lock(), Call::Up);
}

fn sleeper() -> Option<usize> {
    if SLEEPERS.load(Ordering::SeqCst) == 0 {
        return None;
    }
    let s = schedulers();
    let active = s.active.load(Ordering::Relaxed);
    (0..active).find(|&i| s.all[i].bed.sleeping.load(Ordering::Relaxed))
}

/// The scheduler that waits for descriptors, and `usize::MAX` while there is none.
static POLLS: AtomicUsize = AtomicUsize::new(usize::MAX);

/// The first of so many schedulers that sleeps and for which nothing waits; before others the one that waits for descriptors. The
/// poller asks for it: if it wakes that one up, it is not the last any more that has begun to wait for them.
pub(super) fn idle(active: usize) -> Option<usize> {
    if SLEEPERS.load(Ordering::SeqCst) == 0 {
        return None;
    }
    let all = &schedulers().all;
    let polls = POLLS.load(Ordering::Relaxed);
    let first = (polls < active).then_some(polls);
    first.into_iter().chain(0..active).find(|&i| {
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
    let called = bed.call.lock();
    // Who gets up anyway finds work or falls asleep again, and is called then.
    if called.call == Call::None && bed.sleeping.load(Ordering::Relaxed) {
        bed.call(called, Call::Watch);
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
    let get_up = || {
        SLEEPERS.fetch_sub(1, Ordering::SeqCst);
        own.bed.sleeping.store(false, Ordering::SeqCst);
    };
    if work {
        get_up();
        return;
    }
    let now = time::monotonic();
    own.work.stop(now);
    own.pace.note(now, own.passage.count());
    rest(me, active && !is_looked_after(me, now), || {
        let now = time::monotonic();
        own.work.start(now);
        own.pace.begin(now, own.passage.count());
        get_up();
    });
}

/// While events come in a rush: does another scheduler that works come by so often that this one need not wait for descriptors
/// (see `io`)? Both have said that they sleep before they ask, so two that go to sleep do not rely on each other.
fn is_looked_after(me: usize, now: i64) -> bool {
    let s = schedulers();
    let active = s.active.load(Ordering::Relaxed);
    is_rush()
        && s.all[..active].iter().enumerate().any(|(i, other)| {
            let works = i != me && !other.bed.sleeping.load(Ordering::SeqCst);
            works && other.pace.comes_often(now)
        })
}

/// Waits, for descriptors too if it `polls`; calls `get_up` at the end, or before it deals with descriptors.
fn rest(me: usize, polls: bool, get_up: impl Fn()) {
    let s = schedulers();
    let bed = &s.all[me].bed;
    let mut poller = if polls { IdlePoller::take() } else { None };
    let mut is_up = false;
    let deadline = timer::next_deadline(me);
    // Who begins a slice from here on finds a sleeper and calls the watch.
    let works = s.all.iter().any(|s| s.passage.is_inside());
    let keeps = works && !WATCHED.swap(true, Ordering::SeqCst);
    let mut watch = keeps.then(Watch::begin);
    let mut called = bed.call.lock();
    while !s.stopping.load(Ordering::SeqCst) {
        match std::mem::take(&mut called.call) {
            Call::Up => break,
            Call::Watch => watch = Some(Watch::begin()),
            Call::None => {}
        }
        let tick = watch.as_ref().map(|w| w.next);
        let until = deadline.into_iter().chain(tick).min();
        let time = until.map(|at| {
            let ns = at.saturating_sub(time::monotonic()).max(0);
            Duration::from_nanos(ns as u64)
        });
        match (&mut poller, time) {
            (Some(poller), time) => {
                called.polls = true;
                drop(called);
                POLLS.store(me, Ordering::Relaxed);
                is_up = poller.wait(time, || {
                    POLLS.store(usize::MAX, Ordering::Relaxed);
                    bed.call.lock().polls = false;
                    get_up();
                });
                called = bed.call.lock();
                called.polls = false;
                if is_up {
                    break;
                }
            }
            (None, None) => bed.wakeup.wait(&mut called),
            (None, Some(time)) => {
                bed.wakeup.wait_for(&mut called, time);
            }
        }
        if called.call != Call::None {
            continue;
        }
        let now = time::monotonic();
        if deadline.is_some_and(|at| at <= now) {
            break;
        }
        if let Some(w) = watch.as_mut().filter(|w| w.next <= now) {
            // The watch calls others by way of their signals.
            drop(called);
            let found = w.look(now);
            called = bed.call.lock();
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
    if called.call == Call::Watch || watch.is_some() {
        WATCHED.store(false, Ordering::SeqCst);
    }
    called.call = Call::None;
    drop(called);
    if poller.is_some() {
        POLLS.store(usize::MAX, Ordering::Relaxed);
    }
    if !is_up {
        get_up();
    }
}
