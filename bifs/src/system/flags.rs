//! `system_flag/2`, and the values that only it changes.

use super::facts::{facts, num, unsupported};
use super::{load, topology};
use crate::barrier::{self, BarrierStage};
use crate::erlang::process::max_heap_term;
use crate::erlang::spawn::max_heap;
use crate::{args, bifs, log};
use enigma_runtime::atom::Atom;
use enigma_runtime::dirty;
use enigma_runtime::interp::exception;
use enigma_runtime::process::flag;
use enigma_runtime::sched::{self, block};
use enigma_runtime::spawn::{self, SpawnOptions};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, time};
use std::sync::atomic::{AtomicU32, Ordering};

bifs! { BIFS:
    "erlang" {
        "system_flag"/2 Call => system_flag;
    }
}

/// Most requests that may be outstanding.
const MAX_OUTSTANDING: usize = (1 << 27) - 1;
/// Most calls that a stack trace may show.
const MAX_BACKTRACE: usize = 64;

static TRACE_CONTROL_WORD: AtomicU32 = AtomicU32::new(0);
static OUTSTANDING: AtomicU32 = AtomicU32::new(0);

/// Takes over what the command line says.
pub(super) fn configure() {
    OUTSTANDING.store(facts().outstanding_system_requests_limit, Ordering::Relaxed);
}

/// `trace_control_word`
pub fn trace_control_word() -> u32 {
    TRACE_CONTROL_WORD.load(Ordering::Relaxed)
}

/// How many requests of one kind system processes may have out at a time.
pub fn outstanding_requests() -> u32 {
    OUTSTANDING.load(Ordering::Relaxed)
}

fn system_flag(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let size = |t: Term| t.as_usize().ok_or_else(badarg);
    let unknown = || Exit::error_cause(Atom::BADARG, Atom::BADOPT);
    Ok(match a[0].as_atom().map(Atom::text).ok_or_else(unknown)? {
        "backtrace_depth" => num(exception::set_backtrace_depth(
            size(a[1])?.min(MAX_BACKTRACE),
        )),
        "fullsweep_after" => num(usize::from(spawn::set_default_fullsweep(
            size(a[1])?.min(usize::from(u16::MAX)) as u16,
        ))),
        "min_heap_size" => num(spawn::set_default_min_heap(args::heap_size(a[1])?)),
        "min_bin_vheap_size" => num(spawn::set_default_min_vheap(args::heap_size(a[1])?)),
        "max_heap_size" => {
            let new = max_heap(a[1], SpawnOptions::default().max_heap)?;
            let old = spawn::set_default_max_heap(Some(new));
            max_heap_term(cx.heap(), old)
        }
        "schedulers_online" => {
            let n = size(a[1])?;
            if n == 0 || n > sched::count() {
                return Err(badarg());
            }
            num(dirty::set_schedulers_online(n))
        }
        "dirty_cpu_schedulers_online" => {
            let n = size(a[1])?;
            if n == 0 || n > dirty::limit(dirty::Pool::Cpu) || n > sched::online() {
                return Err(badarg());
            }
            num(dirty::set_online(dirty::Pool::Cpu, n))
        }
        "multi_scheduling" => return set_multi_scheduling(cx, a[1]),
        "scheduler_wall_time" => return load::scheduler_wall_time(cx, &a[1..]),
        "microstate_accounting" => return load::set_microstates(a[1]),
        "scheduler_bind_type" => {
            deprecated(
                "scheduler_bind_type",
                "was\nmade. The scheduler_bind_type argument is deprecated and\nscheduled for removal in Erlang/OTP 18. For more\ninformation see the erlang:system_flag/2 documentation.\n",
            );
            return topology::set_bind_type(a[1]);
        }
        "cpu_topology" => {
            deprecated(
                "cpu_topology",
                "was made.\nThe cpu_topology argument is deprecated and scheduled\nfor removal in Erlang/OTP 18. For more information\nsee the erlang:system_flag/2 documentation.\n",
            );
            return topology::set(cx, a[1]);
        }
        "internal_cpu_topology" => return topology::set_internal(cx, a[1]),
        "system_logger" => return crate::trace::set_system_logger(a[1]),
        "time_offset" if a[1].as_atom() == Some(Atom::new("finalize")) => {
            offset_state(time::finalize_offset())
        }
        "trace_control_word" => {
            let n = u32::try_from(size(a[1])?).map_err(|_| badarg())?;
            num(TRACE_CONTROL_WORD.swap(n, Ordering::Relaxed) as usize)
        }
        "outstanding_system_requests_limit" => {
            let n = size(a[1])?;
            if !(1..=MAX_OUTSTANDING).contains(&n) {
                return Err(badarg());
            }
            num(OUTSTANDING.swap(n as u32, Ordering::Relaxed) as usize)
        }
        "sequential_tracer" => match a[1].as_bool() {
            Some(false) => false.into(),
            _ if a[1].is_pid() || a[1].is_tuple() => {
                return Err(unsupported("tracing"));
            }
            _ => return Err(badarg()),
        },
        "reset_seq_trace" if a[1].as_bool() == Some(true) => true.into(),
        "debug_flags" => true.into(),
        "erts_alloc" => return Err(badarg()),
        _ => return Err(unknown()),
    })
}

fn deprecated(flag: &str, text: &str) {
    log::warning(&format!("A call to erlang:system_flag({flag}, _) {text}"));
}

/// `multi_scheduling` as `system_info` shows it.
pub fn multi_scheduling() -> Term {
    Atom::new(match block::current() {
        None => "enabled",
        Some(block::Block::All) => "blocked",
        Some(block::Block::Normal) => "blocked_normal",
    })
    .into()
}

/// Blocks, and returns when the others rest; or takes a block back.
fn set_multi_scheduling(cx: &mut Ctx<'_>, t: Term) -> BifResult {
    let (on, what) = match t.as_atom().map(Atom::text) {
        Some("block") => (true, block::Block::All),
        Some("block_normal") => (true, block::Block::Normal),
        Some("unblock") => (false, block::Block::All),
        Some("unblock_normal") => (false, block::Block::Normal),
        _ => return Err(badarg()),
    };
    let me = cx.proc.id;
    if !on {
        block::unblock(me, what);
        return Ok(multi_scheduling());
    }
    match barrier::passage(cx) {
        BarrierStage::Ahead => {
            cx.own.set_flag(flag::HAS_RESOURCES, true);
            block::block(me, what);
            Err(barrier::begin(cx, what == block::Block::All))
        }
        BarrierStage::Waiting => Err(Exit::Wait),
        BarrierStage::Between | BarrierStage::Passed => Ok(multi_scheduling()),
    }
}

pub(super) fn offset_state(state: time::OffsetState) -> Term {
    Atom::new(match state {
        time::OffsetState::Preliminary => "preliminary",
        time::OffsetState::Final => "final",
        time::OffsetState::Volatile => "volatile",
    })
    .into()
}
