//! `statistics/1` and what belongs to it.

use super::facts::num;
use super::load;
use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::gc;
use enigma_runtime::{BifResult, Ctx, Heap, Term, badarg, time};
use enigma_runtime::{dirty, sched};
use std::sync::atomic::{AtomicU64, Ordering};

bifs! { BIFS:
    "erlang" {
        "statistics"/1 Call => statistics;
    }
    "erts_internal" {
        "get_internal_state_blocked"/1 Call => get_internal_state_blocked;
        "system_check"/1 Call => system_check;
        "gather_sched_wall_time_result"/1 Call => nothing;
    }
}

static LAST_REDUCTIONS: AtomicU64 = AtomicU64::new(0);
static LAST_EXACT_REDUCTIONS: AtomicU64 = AtomicU64::new(0);
static LAST_RUNTIME: AtomicU64 = AtomicU64::new(0);
static LAST_WALL: AtomicU64 = AtomicU64::new(0);

/// `{Total, SinceLast}`.
fn since(h: &mut Heap, last: &AtomicU64, now: u64) -> Term {
    let before = last.swap(now, Ordering::Relaxed);
    let parts = [h.uint(now), h.uint(now.saturating_sub(before))];
    h.tuple(&parts)
}

/// One of the operating system's clocks, in nanoseconds.
pub(super) fn os_clock(id: libc::clockid_t) -> i64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: room for one time.
    unsafe { libc::clock_gettime(id, &raw mut t) };
    t.tv_sec * 1_000_000_000 + t.tv_nsec
}

/// What all threads have spent outside the system's kernel, in milliseconds.
fn cpu_milliseconds() -> u64 {
    // SAFETY: a record of numbers, for which zeros are values.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: room for one record.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    let t = usage.ru_utime;
    t.tv_sec as u64 * 1_000 + t.tv_usec as u64 / 1_000
}

/// Which dirty queues are shown after those of the schedulers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pools {
    Cpu,
    CpuAndIo,
}

fn pools(which: Pools) -> &'static [dirty::Pool] {
    match which {
        Pools::Cpu => &[dirty::Pool::Cpu],
        Pools::CpuAndIo => &[dirty::Pool::Cpu, dirty::Pool::Io],
    }
}

/// How many wait in each queue.
fn waiting(which: Pools) -> Vec<usize> {
    let mut all = sched::queue_lengths();
    all.extend(pools(which).iter().map(|&p| dirty::tasks(p).0));
    all
}

/// How many wait in each queue or have been taken from it and run.
fn active(which: Pools) -> Vec<usize> {
    let lengths = sched::queue_lengths().into_iter();
    let mut all: Vec<usize> = lengths
        .zip(sched::running())
        .map(|(n, running)| n + usize::from(running))
        .collect();
    all.extend(pools(which).iter().map(|&p| {
        let (waiting, running) = dirty::tasks(p);
        waiting + running
    }));
    all
}

fn numbers(h: &mut Heap, l: &[usize]) -> Term {
    let l: Vec<Term> = l.iter().map(|&n| num(n)).collect();
    h.list(&l)
}

fn statistics(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let item = a[0].as_atom().map(Atom::text).ok_or_else(badarg)?;
    let slice = (sched::TIME_SLICE - cx.reds_left()).max(0) as u64;
    let h = cx.heap();
    use Pools::{Cpu, CpuAndIo};
    Ok(match item {
        "wall_clock" => {
            let now = ((time::monotonic() - time::START) / 1_000_000) as u64;
            since(h, &LAST_WALL, now)
        }
        "runtime" => since(h, &LAST_RUNTIME, cpu_milliseconds()),
        "reductions" => since(h, &LAST_REDUCTIONS, sched::total_reductions()),
        "exact_reductions" => {
            let now = sched::total_reductions() + slice;
            let now = now.max(LAST_EXACT_REDUCTIONS.load(Ordering::Relaxed));
            since(h, &LAST_EXACT_REDUCTIONS, now)
        }
        "context_switches" => {
            let n = h.uint(sched::context_switches());
            h.tuple(&[n, num(0)])
        }
        "garbage_collection" => {
            let (n, words) = gc::totals();
            let parts = [h.uint(n), h.uint(words), num(0)];
            h.tuple(&parts)
        }
        "io" => {
            let (input, output) = crate::ports::totals();
            let (i, o) = (h.uint(input), h.uint(output));
            let i = h.tuple(&[Atom::new("input").into(), i]);
            let o = h.tuple(&[Atom::new("output").into(), o]);
            h.tuple(&[i, o])
        }
        "run_queue" | "total_run_queue_lengths" => num(waiting(Cpu).iter().sum()),
        "total_run_queue_lengths_all" => num(waiting(CpuAndIo).iter().sum()),
        "total_active_tasks" => num(active(Cpu).iter().sum()),
        "total_active_tasks_all" => num(active(CpuAndIo).iter().sum()),
        "run_queue_lengths" => numbers(h, &waiting(Cpu)),
        "run_queue_lengths_all" => numbers(h, &waiting(CpuAndIo)),
        "active_tasks" => numbers(h, &active(Cpu)),
        "active_tasks_all" => numbers(h, &active(CpuAndIo)),
        "run_queues" => {
            let l: Vec<Term> = waiting(CpuAndIo).into_iter().map(num).collect();
            h.tuple(&l)
        }
        "scheduler_wall_time" => load::wall_times(h, false),
        "scheduler_wall_time_all" => load::wall_times(h, true),
        "microstate_accounting" => load::microstates(h),
        _ => return Err(badarg()),
    })
}

fn get_internal_state_blocked(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Err(badarg())
}

fn system_check(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match a[0].as_atom().map(Atom::text) {
        Some("schedulers") => Ok(Atom::OK.into()),
        _ => Err(badarg()),
    }
}

fn nothing(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Atom::OK.into())
}
