//! How the threads spend their time: scheduler wall time, which is measured while a process wants it, and
//! microstate accounting.

use super::facts::num;
use crate::{args, bifs};
use enigma_runtime::atom::Atom;
use enigma_runtime::data::map;
use enigma_runtime::dirty;
use enigma_runtime::io;
use enigma_runtime::process::flag;
use enigma_runtime::sched::{self, Worked};
use enigma_runtime::{BifResult, Ctx, Heap, Term, badarg, time};
use parking_lot::Mutex;
use std::collections::BTreeMap;

bifs! { BIFS:
    "erts_internal" {
        "scheduler_wall_time"/1 Call => scheduler_wall_time;
        "microstate_accounting"/1 Call => microstate_accounting;
    }
}

/// The kinds of threads, in the order of their numbers.
const KINDS: [&str; 4] = [
    "scheduler",
    "dirty_cpu_scheduler",
    "dirty_io_scheduler",
    "poll",
];
/// Of these, those that run processes.
const SCHEDULERS: usize = 3;
/// The kind of pollers.
const POLLER: usize = 3;

/// The work of all threads, by kinds.
fn worked() -> [Vec<Worked>; KINDS.len()] {
    [
        sched::worked(),
        dirty::worked(dirty::Pool::Cpu),
        dirty::worked(dirty::Pool::Io),
        io::poller_work(),
    ]
}

/// A time from which is measured.
struct Since {
    at: i64,
    worked: [Vec<Worked>; KINDS.len()],
}

impl Since {
    fn now() -> Since {
        Since {
            at: time::monotonic(),
            worked: worked(),
        }
    }

    /// For each thread its kind, and the time that it has worked since then and the time that has passed.
    fn spent(&self) -> impl Iterator<Item = (usize, u64, u64)> {
        let worked = worked();
        let total = (time::monotonic() - self.at).max(0) as u64;
        (0..KINDS.len()).flat_map(move |kind| {
            let before = self.worked[kind].clone();
            let now = worked[kind].clone();
            now.into_iter()
                .zip(before)
                .map(move |(now, before)| (kind, now.saturating_sub(before).min(total), total))
        })
    }
}

/// Who wants scheduler wall time, how many times, and since when it is measured.
struct WallTime {
    users: BTreeMap<u64, usize>,
    since: Since,
}

static WALL_TIME: Mutex<Option<WallTime>> = Mutex::new(None);

/// Turns the measuring on or off for the caller; gives whether it was on.
pub fn scheduler_wall_time(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let on = args::boolean(a[0])?;
    let me = cx.proc.id;
    let mut wall = WALL_TIME.lock();
    let was = wall.is_some();
    if on {
        cx.own.set_flag(flag::HAS_RESOURCES, true);
        let w = wall.get_or_insert_with(|| WallTime {
            users: BTreeMap::new(),
            since: Since::now(),
        });
        *w.users.entry(me).or_default() += 1;
    } else if let Some(w) = &mut *wall {
        if let Some(n) = w.users.get_mut(&me) {
            *n -= 1;
            if *n == 0 {
                w.users.remove(&me);
            }
        }
        if w.users.is_empty() {
            *wall = None;
        }
    }
    Ok(was.into())
}

/// What a process has turned on is turned off with its end.
pub(super) fn release(process: u64) {
    let mut wall = WALL_TIME.lock();
    if let Some(w) = &mut *wall {
        w.users.remove(&process);
        if w.users.is_empty() {
            *wall = None;
        }
    }
}

/// `statistics(scheduler_wall_time)`, or with the dirty I/O schedulers too.
pub(super) fn wall_times(h: &mut Heap, all: bool) -> Term {
    let wall = WALL_TIME.lock();
    let Some(w) = &*wall else {
        return Atom::UNDEFINED.into();
    };
    let rows: Vec<Term> = w
        .since
        .spent()
        .filter(|&(kind, ..)| kind < 2 || all && kind < SCHEDULERS)
        .enumerate()
        .map(|(i, (_, worked, total))| {
            let parts = [num(i + 1), h.uint(worked), h.uint(total)];
            h.tuple(&parts)
        })
        .collect();
    h.list(&rows)
}

// ---- microstate accounting ----

/// Measured between two times; the second is set when it has been turned off.
struct Microstates {
    on: bool,
    since: Since,
    /// What was measured until it was turned off.
    kept: Vec<(usize, u64, u64)>,
}

static MICROSTATES: Mutex<Option<Microstates>> = Mutex::new(None);

/// `true`, `false` or `reset`; gives whether it was on.
pub(super) fn set_microstates(t: Term) -> BifResult {
    let mut states = MICROSTATES.lock();
    let was = states.as_ref().is_some_and(|m| m.on);
    let fresh = |on| {
        Some(Microstates {
            on,
            since: Since::now(),
            kept: Vec::new(),
        })
    };
    match t.as_atom().map(Atom::text) {
        Some("true") if was => {}
        Some("true") => {
            let kept = states.take().map_or_else(Vec::new, |m| m.kept);
            *states = fresh(true).map(|m| Microstates { kept, ..m });
        }
        Some("false") => {
            if let Some(m) = &mut *states {
                m.kept = m.spent();
                m.on = false;
            }
        }
        Some("reset") => *states = fresh(was),
        _ => return Err(badarg()),
    }
    Ok(was.into())
}

fn microstate_accounting(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    set_microstates(a[0])
}

impl Microstates {
    fn spent(&self) -> Vec<(usize, u64, u64)> {
        if !self.on && !self.kept.is_empty() {
            return self.kept.clone();
        }
        if !self.on {
            let threads = worked().into_iter().enumerate();
            return threads
                .flat_map(|(kind, all)| all.into_iter().map(move |_| (kind, 0, 0)))
                .collect();
        }
        let mut all: Vec<_> = self.since.spent().collect();
        for (now, kept) in all.iter_mut().zip(&self.kept) {
            now.1 += kept.1;
            now.2 += kept.2;
        }
        all
    }
}

/// `statistics(microstate_accounting)`: a map for each thread that runs processes or waits for descriptors. Only two states are told
/// apart, `emulator` (of pollers `check_io`) and `sleep`. Schedulers are numbered from one, pollers from zero.
pub(super) fn microstates(h: &mut Heap) -> Term {
    let mut states = MICROSTATES.lock();
    let m = states.get_or_insert_with(|| Microstates {
        on: false,
        since: Since::now(),
        kept: Vec::new(),
    });
    let key = |k: &str| Term::atom(Atom::new(k));
    let mut numbers = [0; KINDS.len()];
    let rows: Vec<Term> = m
        .spent()
        .into_iter()
        .map(|(kind, worked, total)| {
            let id = numbers[kind] + usize::from(kind != POLLER);
            numbers[kind] += 1;
            let works = if kind == POLLER {
                "check_io"
            } else {
                "emulator"
            };
            let counters = [
                "aux", "check_io", "emulator", "gc", "other", "port", "sleep",
            ];
            let counters = counters.map(|state| {
                let time = match state {
                    "sleep" => total - worked,
                    _ if state == works => worked,
                    _ => 0,
                };
                (key(state), h.uint(time))
            });
            let counters = map::from_pairs(h, &counters);
            map::from_pairs(
                h,
                &[
                    (key("type"), key(KINDS[kind])),
                    (key("id"), num(id)),
                    (key("counters"), counters),
                ],
            )
        })
        .collect();
    h.list(&rows)
}
