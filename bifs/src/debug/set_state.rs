//! `erts_debug:set_internal_state/2`: changes to the emulator's state that only tests want.

use super::state::{TestResource, check_available, set_available};
use crate::barrier::{self, BarrierStage};
use crate::dist::census;
use crate::erlang::time;
use crate::{args, bifs, binary, code_permission, crash_dump, log, ports, re, unicode};
use enigma_runtime::atom::Atom;
use enigma_runtime::data::bignum;
use enigma_runtime::ets::{Protection, TableKind, WriteConcurrency, registry};
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::io;
use enigma_runtime::process::{signal, system_monitor, table};
use enigma_runtime::sched::TIME_SLICE;
use enigma_runtime::sched::block::{self, Block};
use enigma_runtime::work::LoopLimit;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, reference, release};
use std::sync::Arc;
use std::time::Duration;

bifs! { BIFS:
    "erts_debug" {
        "set_internal_state"/2 Call => set_internal_state;
    }
}

fn set_internal_state(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().map_or("", Atom::text);
    if name == "available_internal_state"
        && let Some(on) = a[1].as_bool()
    {
        return Ok(switch(cx, on).into());
    }
    check_available()?;
    let ok = Term::atom(Atom::OK);
    let done = Term::bool(true);
    Ok(match name {
        "reds_left" => {
            let n = integer(a[1])?;
            if (0..=TIME_SLICE).contains(&n) {
                cx.set_reds_left(n);
            }
            done
        }
        "sleep" | "block_scheduler" => {
            std::thread::sleep(milliseconds(a[1])?);
            done
        }
        "code_mod_permission" if release::number() >= 26 => {
            if args::boolean(a[1])? {
                code_permission::seize(cx)?;
            } else {
                code_permission::release(cx);
            }
            done
        }
        "block" => {
            let time = milliseconds(a[1])?;
            blocked(cx, time)?;
            done
        }
        "proc_sig_block" => {
            let &[to, ms] = a[1].as_tuple_n::<2>().ok_or_else(badarg)?;
            let (to, time) = (to.as_local_pid().ok_or_else(badarg)?, milliseconds(ms)?);
            let task: signal::Task = Box::new(move |there| {
                if there.is_some() {
                    std::thread::sleep(time);
                }
            });
            signal::send_task(to, task).is_ok().into()
        }
        // Senders of signals at the same time need no buffers here to stay out of each other's way.
        "proc_sig_buffers" if a[1].as_bool() == Some(true) => done,
        "wait" => {
            wait(cx, a[1])?;
            ok
        }
        "next_pid" => {
            table::set_next_id(bignum::to_u64(a[1]).ok_or_else(badarg)?);
            cx.heap().uint(table::next_id())
        }
        "next_port" => {
            ports::set_next_id(bignum::to_u64(a[1]).ok_or_else(badarg)?);
            cx.heap().uint(ports::next_id())
        }
        "binary_loop_limit" => loop_limit(cx, &binary::LOOP_LIMIT, a[1], 0)?,
        "re_loop_limit" => loop_limit(cx, &re::LOOP_LIMIT, a[1], re::shown_limit())?,
        "unicode_loop_limit" => loop_limit(cx, &unicode::LOOP_LIMIT, a[1], unicode::SHOWN_LIMIT)?,
        "unique_monotonic_integer_state" => {
            let n = bignum::to_u64(a[1]).or_else(|| bignum::to_i64(a[1]).map(i64::cast_unsigned));
            time::set_monotonic_state(n.ok_or_else(badarg)?);
            done
        }
        "process_uniq_counter" => {
            let n = bignum::to_i64(a[1]).ok_or_else(badarg)?;
            cx.own.mailbox.set_marker_count(n);
            ok
        }
        "force_gc" => {
            // The caller collects, whichever process is named.
            let id = a[1].as_local_pid().ok_or_else(badarg)?;
            let there = table::with(id, |p| !p.state.is_exiting()).unwrap_or(false);
            if there {
                cx.own.heap.request_collection(false);
            }
            there.into()
        }
        "gc_state" => {
            let on = args::boolean(a[1])?;
            let was = cx.own.allow_collections(on);
            if cx.own.has_system_tasks() {
                cx.end_slice();
            }
            was.into()
        }
        "fill_heap" => {
            fill_heap(cx, a[1].as_bool() == Some(true));
            ok
        }
        "test_long_gc_sleep" => {
            let time = a[1].as_usize().and_then(|n| u32::try_from(n).ok());
            system_monitor::slow_collections(time.ok_or_else(badarg)?);
            true.into()
        }
        "mbuf" => {
            let (copy, chunk, offheap) = OwnedTerm::new(a[1]).into_parts();
            cx.heap().adopt(chunk, offheap);
            copy
        }
        "make" if a[1].as_atom().is_some_and(|a| a.text() == "magic_ref") => {
            let resource = Arc::new(TestResource);
            let address = Arc::as_ptr(&resource) as u64;
            let h = cx.heap();
            let r = h.magic_ref(reference::fresh(), resource);
            let address = h.uint(address);
            h.tuple(&[r, address])
        }
        "binary" => {
            let size = a[1]
                .as_usize()
                .filter(|&n| n < 1 << 47)
                .ok_or_else(badarg)?;
            cx.heap().build_binary(size, |_| ())
        }
        "node_tab_delayed_delete" => {
            census::set_delay(integer(a[1])?);
            ok
        }
        // As on a BEAM that was built without them.
        // An ordered set has one lock, so nothing of it is split or joined.
        "ets_force_split" | "ets_debug_random_split_join" => {
            let &[id, _] = a[1].as_tuple_n::<2>().ok_or_else(badarg)?;
            let t = registry::find(id).map_err(|_| badarg())?;
            let several = t.kind == TableKind::OrderedSet
                && t.write_concurrency != WriteConcurrency::Off
                && t.protection() != Protection::Private;
            if !several {
                return Err(badarg());
            }
            ok
        }
        "colliding_names" => {
            let &[name, n] = a[1].as_tuple_n::<2>().ok_or_else(badarg)?;
            let name = name.as_atom().ok_or_else(badarg)?;
            let names = registry::colliding(name, n.as_usize().ok_or_else(badarg)?);
            let names: Vec<Term> = names.into_iter().map(Term::from).collect();
            cx.heap().list(&names)
        }
        "ets_force_trap" | "jit_asm_dump" => Atom::NOTSUP.into(),
        "abort" => {
            eprintln!("{}", a[1]);
            std::process::abort()
        }
        "broken_halt" => {
            crash_dump::write_aloud_by(cx, &a[1].to_string());
            std::process::exit(1)
        }
        _ => return Err(badarg()),
    })
}

/// Switches the access to all this, which is logged.
fn switch(cx: &mut Ctx<'_>, on: bool) -> bool {
    if on {
        let me = cx.self_pid();
        let node = match enigma_runtime::node::this().0 {
            Atom::NONODE_AT_NOHOST => String::new(),
            node => format!("on node {} ", Term::atom(node)),
        };
        log::process_warning(
            cx,
            &format!(
                "Process {me} {node}enabled access to the emulator internal state.\nNOTE: This is an erts \
                 internal test feature and should *only* be used by OTP test-suites.\n"
            ),
        );
    }
    set_available(on)
}

fn integer(t: Term) -> Result<i64, Exit> {
    bignum::to_i64(t).ok_or_else(badarg)
}

/// Sets the limit of the steps of some BIFs; gives the old one.
fn loop_limit(cx: &mut Ctx<'_>, limit: &LoopLimit, t: Term, shown: usize) -> BifResult {
    let new = match t.as_atom() {
        Some(a) if a.text() == "default" => None,
        _ => Some(t.as_usize().ok_or_else(badarg)?),
    };
    let old = match limit.set(new, shown) {
        0 => shown,
        n => n,
    };
    Ok(cx.heap().uint(old as u64))
}

/// Milliseconds; none where there are less than none.
fn milliseconds(t: Term) -> Result<Duration, Exit> {
    Ok(Duration::from_millis(
        u64::try_from(integer(t)?).unwrap_or(0),
    ))
}

/// Lets this time pass while no other scheduler runs anything.
fn blocked(cx: &mut Ctx<'_>, time: Duration) -> Result<(), Exit> {
    let me = cx.proc.id;
    match barrier::passage(cx) {
        BarrierStage::Ahead => {
            block::block(me, Block::Normal);
            Err(barrier::begin(cx, false))
        }
        BarrierStage::Waiting => Err(Exit::Wait),
        BarrierStage::Between | BarrierStage::Passed => {
            let paused = io::pause();
            std::thread::sleep(time);
            drop(paused);
            block::unblock(me, Block::Normal);
            Ok(())
        }
    }
}

/// Waits until the work is done that a scheduler leaves to itself for later: it is done when each has ended the
/// time slice that it is in.
fn wait(cx: &mut Ctx<'_>, what: Term) -> Result<(), Exit> {
    let kinds = [
        "deallocations",
        "timer_cancellations",
        "aux_work",
        "thread_progress",
    ];
    if !what.as_atom().is_some_and(|a| kinds.contains(&a.text())) {
        return Err(badarg());
    }
    match barrier::passage(cx) {
        BarrierStage::Ahead => Err(barrier::begin(cx, false)),
        BarrierStage::Waiting => Err(Exit::Wait),
        BarrierStage::Between | BarrierStage::Passed => Ok(()),
    }
}

/// Uses up the current block of the heap, so that the next object needs another one.
fn fill_heap(cx: &mut Ctx<'_>, major: bool) {
    let room = cx.heap().room();
    if room > 1 {
        cx.heap().big(false, &vec![1; room - 1]);
    }
    if major {
        cx.own.heap.request_collection(true);
    }
}
