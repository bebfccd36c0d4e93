//! `system_info/1`.

use super::check_io;
use super::facts::{facts, num};
use super::flags;
use super::statistics::os_clock;
use super::topology::{self, Which};
use crate::allocators::{self, Detail};
use crate::erlang::process::max_heap_term;
use crate::{bifs, inventory, memory};
use enigma_runtime::atom::{self, Atom};
use enigma_runtime::code::{export, native, nif};
use enigma_runtime::dirty;
use enigma_runtime::heap::gc;
use enigma_runtime::process::{flag, table};
use enigma_runtime::sched::{self, block};
use enigma_runtime::spawn::SpawnOptions;
use enigma_runtime::{BifResult, Ctx, Heap, Term, badarg, release, time};

/// Words of the greatest heap that is listed, beyond all that an address space holds.
const GREATEST_HEAP: usize = 1 << 50;

bifs! { BIFS:
    "erlang" {
        "system_info"/1 Call => system_info;
    }
}

fn text(heap: &mut Heap, s: &str) -> Term {
    heap.char_list(s)
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
        "emu_flavor" => match native::mode() {
            native::NativeMode::Off => Atom::new("emu").into(),
            native::NativeMode::Tiered(_) | native::NativeMode::Always => Atom::new("jit").into(),
        },
        "os_type" => h.tuple(&[
            Atom::new("unix").into(),
            Atom::new(std::env::consts::OS).into(),
        ]),
        "os_version" => {
            let parts = uname();
            h.tuple(&parts)
        }
        "schedulers" | "schedulers_total" | "run_queues" => num(sched::count()),
        "schedulers_online" => num(sched::online()),
        "schedulers_active" => num(sched::active()),
        "scheduler_id" => num(scheduler),
        "scheduler_bind_type" => topology::bind_type(),
        "scheduler_bindings" => topology::bindings(h),
        "dirty_cpu_schedulers" => num(dirty::limit(dirty::Pool::Cpu)),
        "dirty_cpu_schedulers_online" => num(dirty::online(dirty::Pool::Cpu)),
        "dirty_io_schedulers" => num(dirty::limit(dirty::Pool::Io)),
        "schedulers_state" => {
            let [all, online, active] = [sched::count(), sched::online(), sched::active()].map(num);
            h.tuple(&[all, online, active])
        }
        "all_schedulers_state" => {
            let row = |h: &mut Heap, name: &str, n: usize, online: usize, active: usize| {
                h.tuple(&[Atom::new(name).into(), num(n), num(online), num(active)])
            };
            let pool = |h: &mut Heap, name: &str, kind| {
                let online = dirty::online(kind);
                let active = if block::current() == Some(block::Block::All) {
                    0
                } else {
                    online
                };
                row(h, name, dirty::limit(kind), online, active)
            };
            let rows = [
                row(
                    h,
                    "normal",
                    sched::count(),
                    sched::online(),
                    sched::active(),
                ),
                pool(h, "dirty_cpu", dirty::Pool::Cpu),
                pool(h, "dirty_io", dirty::Pool::Io),
            ];
            h.list(&rows)
        }
        "multi_scheduling" => flags::multi_scheduling(),
        "multi_scheduling_blockers" => blockers(h, block::Block::All),
        "normal_multi_scheduling_blockers" => blockers(h, block::Block::Normal),
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
        | "io_thread"
        | "dynamic_trace_probes"
        | "ets_realloc_moves" => false.into(),
        "port_parallelism" => f.port_parallelism.into(),
        "ets_always_compress" => f.ets_always_compress.into(),
        "async_dist" if release::async_dist() => {
            (SpawnOptions::default().flags & flag::ASYNC_DIST != 0).into()
        }
        "break_ignored" => f.break_ignored.into(),
        "dynamic_trace" => Atom::NONE.into(),
        "thread_pool_size" => num(f.async_threads as usize),
        "logical_processors" => known(topology::counts()[0]),
        "logical_processors_online" => known(topology::counts()[1]),
        "logical_processors_available" => known(topology::counts()[2]),
        "cpu_topology" => return topology::show(cx, Which::Used),
        "cpu_quota" => known(topology::quota()),
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
            let n = num(usize::from(SpawnOptions::default().fullsweep_after));
            h.tuple(&[Atom::FULLSWEEP_AFTER.into(), n])
        }
        "min_heap_size" => h.tuple(&[
            Atom::MIN_HEAP_SIZE.into(),
            num(SpawnOptions::default().min_heap),
        ]),
        "min_bin_vheap_size" => h.tuple(&[
            Atom::MIN_BIN_VHEAP_SIZE.into(),
            num(SpawnOptions::default().min_vheap),
        ]),
        "max_heap_size" => max_heap_term(h, SpawnOptions::default().max_heap),
        "message_queue_data" => {
            if SpawnOptions::default().flags & flag::OFF_HEAP_MESSAGES != 0 {
                Atom::OFF_HEAP.into()
            } else {
                Atom::ON_HEAP.into()
            }
        }
        "garbage_collection" => gc_defaults(h),
        "heap_sizes" => {
            let (mut sizes, mut n) = (vec![num(12)], 13);
            while n < GREATEST_HEAP {
                let s = gc::heap_size_for(n);
                sizes.push(num(s));
                n = s + 1;
            }
            h.list(&sizes)
        }
        "start_time" => h.int(time::START),
        "end_time" => h.int(time::END),
        "time_correction" => time::correction().into(),
        "time_offset" => flags::offset_state(time::offset_state()),
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
        "dist_buf_busy_limit" => h.uint(f.dist_buf_busy_limit),
        "dist_ctrl" => return Ok(crate::dist::channel::controllers(cx)),
        "taints" => {
            let names = nif::tainted().into_iter().map(Term::atom);
            let names: Vec<Term> = names.collect();
            h.list(&names)
        }
        "delayed_node_table_gc" => or_infinity(f.delayed_node_table_gc),
        "outstanding_system_requests_limit" => num(flags::outstanding_requests() as usize),
        "halt_flush_timeout" if release::number() >= 27 => or_infinity(f.halt_flush_timeout),
        "system_logger" => crate::trace::system_logger(),
        "sequential_tracer" => h.tuple(&[Atom::new("sequential_tracer").into(), false.into()]),
        "trace_control_word" => num(flags::trace_control_word() as usize),
        "modified_timing_level" | "hipe_architecture" => Atom::UNDEFINED.into(),
        "beam_jump_table" => true.into(),
        "update_cpu_info" => Atom::new(match topology::update() {
            true => "changed",
            false => "unchanged",
        })
        .into(),
        "c_compiler_used" => h.tuple(&[Atom::UNDEFINED.into(), Atom::UNDEFINED.into()]),
        "check_io" => check_io::poll_sets(h),
        // No compiler flags of C, no groups of readers or counters, no threads' events.
        "compile_info"
        | "reader_groups_map"
        | "decentralized_counter_groups_map"
        | "ethread_info" => Term::NIL,
        "ethread_used_tse" => num(0),
        "scheduling_statistics" | "total_scheduling_statistics" => scheduling_statistics(h),
        "literal_test" => Atom::new("range").into(),
        "embedded_3pps" if release::number() >= 29 => embedded(h),
        "snifs" => {
            let all: Vec<Term> = inventory::of(release::number())
                .filter(|b| counts_as_bif(b))
                .map(|b| {
                    let (m, f) = (Atom::new(b.module), Atom::new(b.function));
                    h.tuple(&[m.into(), f.into(), num(b.arity as usize)])
                })
                .collect();
            h.list(&all)
        }
        "alloc_util_allocators" => memory::allocators(h),
        "allocated_areas" => memory::areas(h),
        "allocator" => allocators::summary(h),
        "info" | "procs" | "loaded" | "dist" => {
            let s = listing(item.text());
            h.binary(s.as_bytes())
        }
        "max_integer" if release::number() >= 27 => {
            let n = (num_bigint::BigInt::from(1)
                << enigma_runtime::data::arith::max_bits() as usize)
                - 1;
            enigma_runtime::data::bignum::from_bigint(&n, h)
        }
        "ets_count" => num(enigma_runtime::ets::registry::count()),
        _ => return Err(badarg()),
    })
}

fn known(n: Option<usize>) -> Term {
    n.map_or(Atom::UNKNOWN.into(), num)
}

fn or_infinity(n: Option<u32>) -> Term {
    n.map_or(Atom::INFINITY.into(), |n| num(n as usize))
}

fn blockers(h: &mut Heap, what: block::Block) -> Term {
    let ids = block::blockers(what);
    let l: Vec<Term> = ids.into_iter().map(Term::local_pid).collect();
    h.list(&l)
}

/// Counts that only some builds of BEAM keep; others show zeros, as here.
fn scheduling_statistics(h: &mut Heap) -> Term {
    let names = [
        "process_max",
        "process_high",
        "process_normal",
        "process_low",
        "port",
    ];
    let rows = names.map(|n| h.tuple(&[Atom::new(n).into(), num(0), num(0)]));
    h.list(&rows)
}

/// The libraries of others that are linked in, and those that are not.
fn embedded(h: &mut Heap) -> Term {
    let names = |h: &mut Heap, l: &[&str]| {
        let l: Vec<Term> = l.iter().map(|n| Atom::new(n).into()).collect();
        h.list(&l)
    };
    let included = names(h, &["pcre2"]);
    let excluded = names(h, &["asmjit", "ryu", "STL", "zlib", "zstd"]);
    let pairs = [
        (Atom::new("included").into(), included),
        (Atom::new("excluded").into(), excluded),
    ];
    enigma_runtime::data::map::from_pairs(h, &pairs)
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
    let o = SpawnOptions::default();
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
        (Some("cpu_topology"), Some("defined")) => topology::show(cx, Which::Defined),
        (Some("cpu_topology"), Some("detected")) => topology::show(cx, Which::Detected),
        (Some("cpu_topology"), Some("used")) => topology::show(cx, Which::Used),
        (Some(key), _) => match Detail::of(key) {
            Some(detail) => allocators::info(h, detail, what),
            None => Err(badarg()),
        },
        _ => Err(badarg()),
    }
}

/// Is there an implementation that BEAM counts among its BIFs too? Functions of native libraries are none, and what
/// its loader makes an instruction of is none either.
fn counts_as_bif(b: &inventory::OtpBif) -> bool {
    let instruction =
        b.module == "erlang" && matches!((b.function, b.arity), ("yield" | "hibernate", 0));
    let export = export::lookup(Atom::new(b.module), Atom::new(b.function), b.arity);
    !instruction && export.and_then(|e| e.bif()).is_some_and(|b| !b.is_nif())
}
