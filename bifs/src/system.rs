//! The system as a whole: `system_info`, `system_flag`, `statistics`, `halt`.

use crate::args;
use crate::bifs;
use crate::erlang::process::max_heap_term;
use crate::erlang::spawn::max_heap;
use crate::memory;
use enigma_runtime::atom::{self, Atom};
use enigma_runtime::exception;
use enigma_runtime::heap::gc;
use enigma_runtime::process::spawn::{self, Options};
use enigma_runtime::process::table;
use enigma_runtime::sched::{self, dirty};
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, badarg, release, time};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

bifs! { BIFS:
    "erlang" {
        "system_info"/1 Call => system_info;
        "system_flag"/2 Call => system_flag;
        "statistics"/1 Call => statistics;
        "halt"/2 Call => halt;
    }
    "erts_internal" {
        "scheduler_wall_time"/1 Call => scheduler_wall_time;
        "get_internal_state_blocked"/1 Call => get_internal_state_blocked;
        "get_cpu_topology"/0 Call => get_cpu_topology;
        "system_check"/1 Call => system_check;
        "gather_sched_wall_time_result"/1 Call => nothing;
        "microstate_accounting"/1 Call => microstate_accounting;
    }
}

/// What is fixed when the system starts.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the names are those of `erlang:system_info/1`")]
pub struct Facts {
    pub otp_release: String,
    pub erts_version: String,
    pub system_version: String,
    pub emu_args: Vec<Vec<u8>>,
    pub init_args: Vec<Vec<u8>>,
    pub root: PathBuf,
    pub preloaded: Vec<&'static str>,
    pub static_nifs: Vec<&'static str>,
    pub process_limit: u32,
    pub port_limit: u32,
    pub atom_limit: u32,
    pub ets_limit: u32,
    pub dirty_cpu: u32,
    pub dirty_cpu_online: u32,
    pub dirty_io: u32,
    pub async_threads: u32,
    pub compat_release: u32,
    pub printable_unicode: bool,
    pub warnings_as: &'static str,
    pub break_ignored: bool,
    pub line_info: bool,
    pub halt_flush_timeout: Option<u32>,
}

static FACTS: OnceLock<Facts> = OnceLock::new();
static STATUS: AtomicI32 = AtomicI32::new(0);
static FIRST: Mutex<Vec<(u64, bool)>> = Mutex::new(Vec::new());

/// Sets what is fixed; the first call wins.
pub fn configure(facts: Facts) {
    let _ = FACTS.set(facts);
}

/// What is fixed.
pub fn facts() -> &'static Facts {
    FACTS.get_or_init(Facts::default)
}

/// Notes a process that the emulator started; the system cannot live without it.
pub fn note_first_process(id: u64, system: bool) {
    FIRST.lock().push((id, system));
}

/// Ends the VM if a process that it cannot live without has ended.
pub fn check_vital(id: u64, reason: Term) {
    let vital = FIRST.lock().iter().any(|&(v, _)| v == id);
    if vital {
        let slogan = if id == 0 {
            format!("Kernel pid terminated (init) ({reason})")
        } else {
            format!("System process <0.{id}.0> terminated: {reason}")
        };
        eprint!("{slogan}\r\n");
        crate::crash_dump::write(&slogan);
        std::process::exit(1);
    }
}

/// The status that `halt` was given.
pub fn exit_status() -> i32 {
    STATUS.load(Ordering::Relaxed)
}

// ---- system_info ----

fn text(heap: &mut Heap, s: &str) -> Term {
    heap.char_list(s)
}

fn num(n: usize) -> Term {
    Term::small(n as i64)
}

fn system_info(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if let Some(&[key, what]) = a[0].as_tuple_n::<2>() {
        return info_pair(cx, key, what);
    }
    if let Some(&[key, reference, names]) = a[0].as_tuple_n::<3>() {
        return match key.as_atom().map(Atom::text) {
            Some("memory_internal" | "allocator" | "allocator_sizes") => {
                memory::send(cx, reference, names)
            }
            _ => Err(badarg()),
        };
    }
    let item = a[0].as_atom().ok_or_else(badarg)?;
    let f = facts();
    let scheduler = cx.scheduler;
    let h = cx.heap();
    let uname = || {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let mut n = release
            .split(['.', '-'])
            .map(|p| p.trim().parse::<i64>().unwrap_or(0));
        [n.next(), n.next(), n.next()].map(|n| Term::small(n.unwrap_or(0)))
    };
    Ok(match item.text() {
        "otp_release" => text(h, &f.otp_release),
        "version" => text(h, &f.erts_version),
        "system_version" => text(h, &f.system_version),
        "system_architecture" => text(h, concat_arch()),
        "machine" => text(h, "BEAM"),
        "driver_version" => text(h, "3.3"),
        "nif_version" => text(h, nif_version()),
        "wordsize" => num(8),
        "endian" => Atom::LITTLE.into(),
        "heap_type" => Atom::new("private").into(),
        "emu_type" | "build_type" => Atom::new("opt").into(),
        "emu_flavor" => Atom::new("emu").into(),
        "os_type" => h.tuple(&[
            Atom::new("unix").into(),
            Atom::new(std::env::consts::OS).into(),
        ]),
        "os_version" => {
            let parts = uname();
            h.tuple(&parts)
        }
        "schedulers" | "schedulers_total" | "run_queues" => num(sched::count()),
        "schedulers_online" | "schedulers_active" => num(sched::online()),
        "scheduler_id" => num(scheduler),
        "scheduler_bind_type" => Atom::new("unbound").into(),
        "scheduler_bindings" => {
            let all = vec![Term::atom(Atom::new("unbound")); sched::count()];
            h.tuple(&all)
        }
        "dirty_cpu_schedulers" => num(dirty::limit(dirty::Pool::Cpu)),
        "dirty_cpu_schedulers_online" => num(f.dirty_cpu_online as usize),
        "dirty_io_schedulers" => num(dirty::limit(dirty::Pool::Io)),
        "all_schedulers_state" => {
            let row = |h: &mut Heap, name: &str, n: usize, online: usize| {
                h.tuple(&[Atom::new(name).into(), num(n), num(online), num(online)])
            };
            let rows = [
                row(h, "normal", sched::count(), sched::online()),
                row(
                    h,
                    "dirty_cpu",
                    dirty::limit(dirty::Pool::Cpu),
                    f.dirty_cpu_online as usize,
                ),
                row(
                    h,
                    "dirty_io",
                    dirty::limit(dirty::Pool::Io),
                    dirty::limit(dirty::Pool::Io),
                ),
            ];
            h.list(&rows)
        }
        "multi_scheduling" => Atom::new("enabled").into(),
        "multi_scheduling_blockers" | "normal_multi_scheduling_blockers" => Term::NIL,
        "smp_support"
        | "threads"
        | "kernel_poll"
        | "eager_check_io"
        | "port_tasks"
        | "thread_progress"
        | "constant_pool_support" => true.into(),
        "debug_compiled"
        | "lock_checking"
        | "lock_counting"
        | "port_parallelism"
        | "io_thread"
        | "dynamic_trace_probes"
        | "ets_always_compress"
        | "ets_realloc_moves"
        | "async_dist" => false.into(),
        "break_ignored" => f.break_ignored.into(),
        "dynamic_trace" => Atom::NONE.into(),
        "thread_pool_size" => num(f.async_threads as usize),
        "logical_processors" | "logical_processors_online" | "logical_processors_available" => {
            num(std::thread::available_parallelism().map_or(1, usize::from))
        }
        "cpu_topology" => topology(h),
        "cpu_quota" => Atom::UNKNOWN.into(),
        "process_count" => num(table::count()),
        "process_limit" => num(table::limit()),
        "port_count" => num(crate::ports::count()),
        "port_limit" => num(f.port_limit as usize),
        "atom_count" => num(atom::count() as usize),
        "atom_limit" => num(atom::limit() as usize),
        "ets_limit" => num(f.ets_limit.max(8192) as usize),
        "context_reductions" => Term::small(sched::TIME_SLICE),
        "compat_rel" => num(f.compat_release as usize),
        "creation" => num(enigma_runtime::node::this().1 as usize),
        "fullsweep_after" => {
            let n = num(usize::from(Options::default().fullsweep_after));
            h.tuple(&[Atom::FULLSWEEP_AFTER.into(), n])
        }
        "min_heap_size" => h.tuple(&[Atom::MIN_HEAP_SIZE.into(), num(Options::default().min_heap)]),
        "min_bin_vheap_size" => h.tuple(&[
            Atom::MIN_BIN_VHEAP_SIZE.into(),
            num(Options::default().min_vheap),
        ]),
        "max_heap_size" => max_heap_term(h, Options::default().max_heap),
        "message_queue_data" => Atom::ON_HEAP.into(),
        "garbage_collection" => gc_defaults(h),
        "heap_sizes" => {
            let (mut sizes, mut n) = (vec![num(12)], 13);
            while n < 1 << 40 {
                let s = gc::heap_size_for(n);
                sizes.push(num(s));
                n = s + 1;
            }
            h.list(&sizes)
        }
        "start_time" => h.int(time::START),
        "end_time" => h.int(time::END),
        "time_correction" => time::correction().into(),
        "time_offset" => offset_state(time::offset_state()),
        "time_warp_mode" => Atom::new(match time::warp() {
            time::Warp::None => "no_time_warp",
            time::Warp::Single => "single_time_warp",
            time::Warp::Multi => "multi_time_warp",
        })
        .into(),
        "tolerant_timeofday" => {
            let tolerant = time::correction() && time::warp() == time::Warp::None;
            Atom::new(if tolerant { "enabled" } else { "disabled" }).into()
        }
        "os_monotonic_time_source" => {
            clock_source(h, "CLOCK_MONOTONIC", os_clock(libc::CLOCK_MONOTONIC))
        }
        "os_system_time_source" => clock_source(h, "CLOCK_REALTIME", time::os_system_time()),
        "emu_args" => {
            let l: Vec<Term> = f.emu_args.iter().map(|a| h.byte_list(a)).collect();
            h.list(&l)
        }
        "dist_buf_busy_limit" => num(1_048_576),
        "dist_ctrl" | "taints" => Term::NIL,
        "delayed_node_table_gc" => num(60),
        "outstanding_system_requests_limit" => num(4 * sched::count()),
        "halt_flush_timeout" => match f.halt_flush_timeout {
            Some(n) => num(n as usize),
            None => Atom::INFINITY.into(),
        },
        "system_logger" => crate::trace::system_logger(),
        "sequential_tracer" => h.tuple(&[Atom::new("sequential_tracer").into(), false.into()]),
        "trace_control_word" => num(0),
        "modified_timing_level" | "hipe_architecture" => Atom::UNDEFINED.into(),
        "beam_jump_table" => true.into(),
        "update_cpu_info" => Atom::new("unchanged").into(),
        "c_compiler_used" => h.tuple(&[Atom::UNDEFINED.into(), Atom::UNDEFINED.into()]),
        "compile_info" => Term::NIL,
        "alloc_util_allocators" => memory::allocators(h),
        "allocated_areas" => memory::areas(h),
        "allocator" => {
            let features = Term::NIL;
            h.tuple(&[Atom::UNDEFINED.into(), Term::NIL, features, Term::NIL])
        }
        "info" | "procs" | "loaded" | "dist" => {
            let s = listing(item.text());
            h.binary(s.as_bytes())
        }
        "max_integer" if release::number() >= 27 => {
            let n = (num_bigint::BigInt::from(1) << enigma_runtime::arith::max_bits() as usize) - 1;
            enigma_runtime::term::bignum::from_bigint(&n, h)
        }
        "ets_count" => num(enigma_runtime::ets::registry::count()),
        _ => return Err(badarg()),
    })
}

fn concat_arch() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "aarch64-unknown-linux-gnu"
    } else {
        "x86_64-pc-linux-gnu"
    }
}

fn nif_version() -> &'static str {
    match release::number() {
        25 => "2.16",
        26 | 27 => "2.17",
        _ => "2.18",
    }
}

fn offset_state(state: time::OffsetState) -> Term {
    Atom::new(match state {
        time::OffsetState::Preliminary => "preliminary",
        time::OffsetState::Final => "final",
        time::OffsetState::Volatile => "volatile",
    })
    .into()
}

fn topology(h: &mut Heap) -> Term {
    let n = std::thread::available_parallelism().map_or(1, usize::from);
    let cores: Vec<Term> = (0..n)
        .map(|i| {
            let logical = h.tuple(&[Atom::new("logical").into(), num(i)]);
            h.tuple(&[Atom::new("core").into(), logical])
        })
        .collect();
    let cores = h.list(&cores);
    let processor = h.tuple(&[Atom::new("processor").into(), cores]);
    h.list(&[processor])
}

fn clock_source(h: &mut Heap, id: &str, now: i64) -> Term {
    let mut l = Vec::new();
    let mut pair = |h: &mut Heap, k: &str, v: Term| {
        let p = h.tuple(&[Atom::new(k).into(), v]);
        l.push(p);
    };
    pair(h, "function", Atom::new("clock_gettime").into());
    pair(h, "clock_id", Atom::new(id).into());
    pair(h, "resolution", num(1_000_000_000));
    if id == "CLOCK_MONOTONIC" {
        pair(h, "used_resolution", num(1_000_000_000));
        pair(h, "extended", Atom::new("no").into());
    }
    pair(h, "parallel", Atom::YES.into());
    let now = h.int(now);
    pair(h, "time", now);
    h.list(&l)
}

fn gc_defaults(h: &mut Heap) -> Term {
    let o = Options::default();
    let rows = [
        (Atom::MAX_HEAP_SIZE, num(o.max_heap.map_or(0, |m| m.size))),
        (Atom::MIN_BIN_VHEAP_SIZE, num(o.min_vheap)),
        (Atom::MIN_HEAP_SIZE, num(o.min_heap)),
        (Atom::FULLSWEEP_AFTER, num(usize::from(o.fullsweep_after))),
    ];
    let l: Vec<Term> = rows.map(|(k, v)| h.tuple(&[k.into(), v])).to_vec();
    h.list(&l)
}

fn listing(what: &str) -> String {
    match what {
        "info" => {
            let m = memory::now();
            format!(
                "=memory\ntotal: {}\nprocesses: {}\nsystem: {}\n",
                m.total(),
                m.processes(),
                m.total() - m.processes()
            )
        }
        "procs" => table::all()
            .iter()
            .map(|p| format!("=proc:{p}\n"))
            .collect(),
        "loaded" => {
            let mut names: Vec<_> = enigma_runtime::code::module::loaded()
                .into_iter()
                .map(Atom::text)
                .collect();
            names.sort_unstable();
            names.join("\n")
        }
        _ => "=node:'nonode@nohost'\n=no_distribution\n".into(),
    }
}

fn info_pair(cx: &mut Ctx<'_>, key: Term, what: Term) -> BifResult {
    let h = cx.heap();
    match (
        key.as_atom().map(Atom::text),
        what.as_atom().map(Atom::text),
    ) {
        (Some("wordsize"), Some("internal" | "external")) => Ok(num(8)),
        (Some("cpu_topology"), Some("defined")) => Ok(Atom::UNDEFINED.into()),
        (Some("cpu_topology"), Some("detected" | "used")) => Ok(topology(h)),
        (Some("allocator" | "allocator_sizes"), Some(name)) => memory::allocator(h, name),
        _ => Err(badarg()),
    }
}

// ---- system_flag ----

fn system_flag(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let size = |t: Term| t.as_usize().ok_or_else(badarg);
    Ok(match a[0].as_atom().map(Atom::text).ok_or_else(badarg)? {
        "backtrace_depth" => num(exception::set_backtrace_depth(size(a[1])?.min(1000))),
        "fullsweep_after" => num(usize::from(spawn::set_default_fullsweep(
            size(a[1])?.min(usize::from(u16::MAX)) as u16,
        ))),
        "min_heap_size" => num(spawn::set_default_min_heap(size(a[1])?)),
        "min_bin_vheap_size" => num(spawn::set_default_min_vheap(args::heap_size(a[1])?)),
        "max_heap_size" => {
            let new = max_heap(a[1], Options::default().max_heap)?;
            let old = spawn::set_default_max_heap(Some(new));
            max_heap_term(cx.heap(), old)
        }
        "schedulers_online" => {
            let n = size(a[1])?;
            if n == 0 || n > sched::count() {
                return Err(badarg());
            }
            num(sched::set_online(n))
        }
        "dirty_cpu_schedulers_online" => num(facts().dirty_cpu_online as usize),
        "multi_scheduling" => Atom::new("enabled").into(),
        "scheduler_wall_time" => return scheduler_wall_time(cx, &a[1..]),
        "system_logger" => return crate::trace::set_system_logger(a[1]),
        "time_offset" if a[1].as_atom() == Some(Atom::new("finalize")) => {
            offset_state(time::finalize_offset())
        }
        "trace_control_word" => num(0),
        "outstanding_system_requests_limit" => num(4 * sched::count()),
        "reset_seq_trace" | "erts_alloc" | "display_items" => true.into(),
        _ => return Err(Exit::error_cause(Atom::BADARG, Atom::BADOPT)),
    })
}

// ---- statistics ----

static LAST_REDUCTIONS: AtomicU64 = AtomicU64::new(0);
static LAST_RUNTIME: AtomicU64 = AtomicU64::new(0);
static LAST_WALL: AtomicU64 = AtomicU64::new(0);

/// `{Total, SinceLast}`.
fn since(h: &mut Heap, last: &AtomicU64, now: u64) -> Term {
    let before = last.swap(now, Ordering::Relaxed);
    let parts = [h.uint(now), h.uint(now.saturating_sub(before))];
    h.tuple(&parts)
}

/// One of the operating system's clocks, in nanoseconds.
fn os_clock(id: libc::clockid_t) -> i64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: room for one time.
    unsafe { libc::clock_gettime(id, &raw mut t) };
    t.tv_sec * 1_000_000_000 + t.tv_nsec
}

fn cpu_milliseconds() -> u64 {
    os_clock(libc::CLOCK_PROCESS_CPUTIME_ID) as u64 / 1_000_000
}

fn statistics(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let item = a[0].as_atom().map(Atom::text).ok_or_else(badarg)?;
    let used = cx.own.reductions;
    let h = cx.heap();
    let lengths = || sched::queue_lengths().into_iter();
    Ok(match item {
        "wall_clock" => {
            let now = ((time::monotonic() - time::START) / 1_000_000) as u64;
            since(h, &LAST_WALL, now)
        }
        "runtime" => since(h, &LAST_RUNTIME, cpu_milliseconds()),
        "reductions" | "exact_reductions" => {
            let now = sched::total_reductions() + used % 4000;
            since(h, &LAST_REDUCTIONS, now)
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
        "run_queue" | "total_run_queue_lengths" | "total_run_queue_lengths_all" => {
            num(lengths().sum())
        }
        "total_active_tasks" | "total_active_tasks_all" => num(lengths().sum::<usize>() + 1),
        "run_queue_lengths" | "active_tasks" => {
            let l: Vec<Term> = lengths().map(num).collect();
            h.list(&l)
        }
        "run_queue_lengths_all" | "active_tasks_all" => {
            let l: Vec<Term> = lengths().chain([0, 0]).map(num).collect();
            h.list(&l)
        }
        "run_queues" => {
            let l: Vec<Term> = lengths().chain([0, 0]).map(num).collect();
            h.tuple(&l)
        }
        "scheduler_wall_time" | "scheduler_wall_time_all" => {
            if !WALL_TIME.load(Ordering::Relaxed) {
                return Ok(Atom::UNDEFINED.into());
            }
            let total = (time::monotonic() - time::START) as u64;
            let rows: Vec<Term> = sched::busy_times()
                .into_iter()
                .enumerate()
                .map(|(i, busy)| {
                    let parts = [num(i + 1), h.uint(busy), h.uint(total)];
                    h.tuple(&parts)
                })
                .collect();
            h.list(&rows)
        }
        "microstate_accounting" => Atom::UNDEFINED.into(),
        _ => return Err(badarg()),
    })
}

static WALL_TIME: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

fn scheduler_wall_time(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let on = args::boolean(a[0])?;
    Ok(WALL_TIME.swap(on, Ordering::Relaxed).into())
}

fn microstate_accounting(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    a[0].as_atom().ok_or_else(badarg)?;
    Ok(false.into())
}

fn get_internal_state_blocked(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Err(badarg())
}

fn get_cpu_topology(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(topology(cx.heap()))
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

// ---- halt ----

/// `halt(Status, Options)`: a number, a slogan for a crash dump, or `abort`.
fn halt(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut flush = true;
    for o in list::to_vec(a[1]).ok_or_else(badarg)? {
        match o.as_tuple_n::<2>() {
            Some(&[k, v]) if k.as_atom() == Some(Atom::FLUSH) => flush = args::boolean(v)?,
            Some(&[k, _]) if k.as_atom() == Some(Atom::new("flush_timeout")) => {}
            _ => return Err(Exit::error_cause(Atom::BADARG, Atom::BADOPT)),
        }
    }
    let status = match a[0].as_atom().map(Atom::text) {
        Some("abort") => std::process::abort(),
        Some(_) => return Err(badarg()),
        None => match a[0].as_usize() {
            Some(n) => (n & 0xff) as i32,
            None => {
                let slogan = list::to_string(a[0]).ok_or_else(badarg)?;
                eprint!("{slogan}\r\n");
                crate::crash_dump::write(&slogan);
                1
            }
        },
    };
    if flush {
        crate::ports::flush_all();
    }
    STATUS.store(status, Ordering::Relaxed);
    std::process::exit(status);
}

/// A refusal that names what is missing.
pub fn unsupported(what: &str) -> Exit {
    eprintln!("enigma: {what} is not supported yet");
    Exit::error(Atom::NOTSUP)
}
