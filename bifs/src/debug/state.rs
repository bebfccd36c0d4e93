//! `erts_debug:get_internal_state/1`: state of the emulator that no documented function shows.
//!
//! It is for tests, has to be switched on (`set_internal_state(available_internal_state, true)`), and is
//! `undef` until then. What BEAM has and this VM has not (a table of reader groups, ...) is unknown here: `badarg`.

use super::{connections, nodes, relations};
use crate::bifs;
use crate::erlang::time;
use crate::system::topology;
use enigma_runtime::atom::{self, Atom};
use enigma_runtime::data::hash;
use enigma_runtime::ets::Table;
use enigma_runtime::heap::bits;
use enigma_runtime::io;
use enigma_runtime::process::table;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, persistent_term, release};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

bifs! { BIFS:
    "erts_debug" {
        "get_internal_state"/1 Call => get_internal_state;
    }
}

static AVAILABLE: AtomicBool = AtomicBool::new(false);

/// Switches the access on or off; gives what it was.
pub fn set_available(on: bool) -> bool {
    AVAILABLE.swap(on, Ordering::Relaxed)
}

/// Fails as a function that is not there, unless access is switched on.
pub fn check_available() -> Result<(), Exit> {
    if AVAILABLE.load(Ordering::Relaxed) {
        Ok(())
    } else {
        Err(Exit::error(Atom::UNDEF))
    }
}

/// What the references that `set_internal_state(make, magic_ref)` makes lead to.
pub struct TestResource;

fn get_internal_state(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    check_available()?;
    if let Some(name) = a[0].as_atom() {
        return by_name(cx, name.text());
    }
    match a[0].as_tuple() {
        Some(&[name, arg]) => about(cx, name.as_atom().ok_or_else(badarg)?.text(), arg),
        Some(&[name, correction, warp]) if is(name, "check_time_config") => {
            // Every combination is supported wherever this VM runs.
            let modes = ["no_time_warp", "single_time_warp", "multi_time_warp"];
            let known = modes.iter().any(|m| is(warp, m)) && correction.as_bool().is_some();
            if known {
                Ok(true.into())
            } else {
                Err(badarg())
            }
        }
        _ => Err(badarg()),
    }
}

fn is(t: Term, text: &str) -> bool {
    t.as_atom().is_some_and(|a| a.text() == text)
}

fn by_name(cx: &mut Ctx<'_>, name: &str) -> BifResult {
    Ok(match name {
        "available_internal_state" => true.into(),
        "reds_left" => Term::small(cx.reds_left()),
        "next_pid" => cx.heap().uint(table::next_id()),
        "next_port" => cx.heap().uint(crate::ports::next_id()),
        "node_and_dist_references" => return nodes::references(cx),
        // Buckets need no table of segments that counts.
        "DbTable_words" => {
            let words = size_of::<Table>() / 8;
            cx.tuple2(Term::small(words as i64), Term::small(0))
        }
        "process_info_args" => {
            let items: Vec<Term> = crate::info::items().into_iter().map(Term::atom).collect();
            cx.heap().list(&items)
        }
        "memory" => crate::memory::now().to_term(cx.heap()),
        "processes" => {
            let all = table::all();
            cx.heap().list(&all)
        }
        // Descriptors that are watched for nobody, all that are watched, and those watched for drivers and for NIFs.
        "check_io_debug" => {
            let r = io::registrations();
            let counts = [r.lost, r.lost + r.ports + r.natives, r.ports, r.natives];
            let counts = counts.map(|n| Term::small(n as i64));
            cx.heap().tuple(&counts)
        }
        // Modes of BEAM's build: every object is a fragment, hash values of keys are made alike.
        "force_heap_frags" => false.into(),
        "hashmap_collision_bonanza" if release::number() >= 27 => false.into(),
        // How `processes/0` goes through the table: in steps of a budget, which begin with any number of
        // reductions, and not in chunks, of which there is one.
        "processes_bif_info" => {
            let size = Term::small(table::limit() as i64);
            let (none, one) = (Term::small(0), Term::small(1));
            let name = Atom::new("ptab_list_bif_info").into();
            let parts = [name, one, one, size, size, none, size, none, size, none];
            cx.heap().tuple(&parts)
        }
        // The crash dump has no threads in it.
        "scheduler_dump" => false.into(),
        // As on a BEAM that was built without checks of locks, and without counts of what counters take.
        "lc_graph" | "flxctr_memory_usage" => Atom::NOTSUP.into(),
        "monitoring_nodes" => connections::monitoring(cx),
        "max_atom_out_cache_index" => connections::last_slot(),
        "unique_monotonic_integer_state" => cx.heap().uint(time::monotonic_state()),
        "min_unique_monotonic_integer" | "min_unique_integer" => cx.heap().int(time::MIN_UNIQUE),
        "persistent_term" => {
            let size = Term::small(persistent_term::slots_in_table() as i64);
            enigma_runtime::data::map::from_pairs(cx.heap(), &[(Atom::new("table").into(), size)])
        }
        _ => return Err(badarg()),
    })
}

fn about(cx: &mut Ctx<'_>, name: &str, arg: Term) -> BifResult {
    let answer = match name {
        "process_status" => arg.as_local_pid().map(|id| {
            let status = table::with(id, |p| p.state.status());
            Ok(status.unwrap_or(Atom::UNDEFINED).into())
        }),
        "link_list" => relations::link_list(cx, arg),
        "monitor_list" => relations::monitor_list(cx, arg),
        "binary_info" if arg.is_bitstring() => Some(Ok(binary_info(cx, arg))),
        "internal_hash" => Some(Ok(cx.heap().uint(hash::internal(arg)))),
        "atom" => return atom_at(arg),
        "dist_ctrl" => return connections::controller(arg),
        "connection_id" => return connections::connection(arg),
        "atom_out_cache_index" => return connections::slot(arg),
        "fake_scheduler_bindings" => {
            let found = topology::imagined(cx.heap(), arg);
            return found.ok_or_else(badarg);
        }
        "magic_ref" => Some(Ok(magic_ref(cx, arg))),
        _ => None,
    };
    answer.unwrap_or_else(|| Err(badarg()))
}

/// `heap_binary`, or `{refc_binary, Size, {binary, Room}, Flags}`. No flags: see `heap::binary`.
fn binary_info(cx: &mut Ctx<'_>, t: Term) -> Term {
    let base = bits::view(t).base;
    let Some(room) = bits::room(base) else {
        return Atom::new("heap_binary").into();
    };
    let h = cx.heap();
    let size = h.uint(bits::bit_size(base).div_ceil(8) as u64);
    let room = h.uint(room as u64);
    let binary = h.tuple(&[Atom::BINARY.into(), room]);
    h.tuple(&[
        Atom::new("refc_binary").into(),
        size,
        binary,
        Term::small(0),
    ])
}

/// The atom with this index, which is made with all before it if need be.
fn atom_at(index: Term) -> BifResult {
    let index = index.as_usize().ok_or_else(badarg)?;
    let index = u32::try_from(index)
        .ok()
        .filter(|&i| i < atom::limit())
        .ok_or_else(badarg)?;
    while atom::count() <= index {
        Atom::new(&format!("am{:x}", atom::count()));
    }
    Ok(Atom::from_index(index).into())
}

/// `{Address, References, IsTest}` of a reference to a resource, `false` of others.
fn magic_ref(cx: &mut Ctx<'_>, t: Term) -> Term {
    let Some(resource) = t.as_magic() else {
        return false.into();
    };
    let h = cx.heap();
    let address = h.uint(Arc::as_ptr(resource).cast::<()>() as u64);
    let count = Term::small(Arc::strong_count(resource) as i64);
    h.tuple(&[address, count, resource.is::<TestResource>().into()])
}
