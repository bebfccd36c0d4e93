//! Which process owns or has fixed which tables, and what becomes of them when it exits.

use super::{Table, registry};
use crate::atom::Atom;
use crate::bif::Ctx;
use crate::heap::literal::OwnedTerm;
use crate::heap::{Heap, copy};
use crate::process::{flag, signal};
use crate::term::Term;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

#[derive(Default)]
struct Of {
    /// Tables in the order in which the process got them, by the turn at which it did.
    owned: BTreeMap<u64, u64>,
    fixed: BTreeSet<u64>,
}

/// Turns given out.
static TURN: AtomicU64 = AtomicU64::new(0);

const SHARDS: usize = 16;

static OWNERS: LazyLock<[Mutex<HashMap<u64, Of>>; SHARDS]> =
    LazyLock::new(|| std::array::from_fn(|_| Mutex::default()));

fn with<R>(pid: u64, f: impl FnOnce(&mut Of) -> R) -> R {
    let mut map = OWNERS[pid as usize % SHARDS].lock();
    let of = map.entry(pid).or_default();
    let r = f(of);
    if of.owned.is_empty() && of.fixed.is_empty() {
        map.remove(&pid);
    }
    r
}

pub(super) fn add(pid: u64, table: &Table) {
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    table.owned_since.store(turn, Ordering::Relaxed);
    with(pid, |o| o.owned.insert(turn, table.number));
}

pub(super) fn remove(pid: u64, table: &Table) {
    let turn = table.owned_since.load(Ordering::Relaxed);
    with(pid, |o| o.owned.remove(&turn));
}

/// Fixes a table for a process.
pub fn fix(table: &Table, pid: u64) {
    if table.fix(pid) {
        with(pid, |o| o.fixed.insert(table.number));
    }
}

/// Takes one fixation back.
pub fn unfix(table: &Table, pid: u64) {
    if table.unfix(pid, false) {
        with(pid, |o| o.fixed.remove(&table.number));
    }
}

/// What the new owner of a table is told.
fn transfer_message(table: &Arc<Table>, from: u64, gift: Term, heap: &mut Heap) -> Term {
    let id = registry::identifier(table, heap);
    let gift = copy::copy(gift, heap);
    heap.tuple(&[
        Atom::new("ETS-TRANSFER").into(),
        id,
        Term::local_pid(from),
        gift,
    ])
}

/// Makes `to` the owner of a table and tells it, if there is a `gift` to tell it with; `false` if there is
/// no such process.
pub fn give(table: &Arc<Table>, from: u64, to: u64, gift: Option<Term>) -> bool {
    remove(from, table);
    table.set_owner(to);
    add(to, table);
    // The new owner must remember to see to its tables when it exits. If it exits before that, the task
    // still runs, without a process.
    let task = move |cx: Option<&mut Ctx<'_>>| match cx {
        Some(cx) => {
            cx.own.set_flag(flag::HAS_RESOURCES, true);
        }
        None => process_exited(to),
    };
    if signal::send_task(to, Box::new(task)).is_err() {
        remove(to, table);
        table.set_owner(from);
        add(from, table);
        return false;
    }
    if let Some(gift) = gift {
        let mut heap = Heap::new();
        let message = transfer_message(table, from, gift, &mut heap);
        signal::send_message(to, message);
    }
    true
}

/// Sees to the tables of a process that has exited: its fixations end, its tables go to their heirs or
/// are deleted.
pub fn process_exited(pid: u64) {
    let of = OWNERS[pid as usize % SHARDS]
        .lock()
        .remove(&pid)
        .unwrap_or_default();
    for number in of.owned.into_values() {
        let Some(t) = registry::numbered(number).filter(|t| t.owner() == pid) else {
            continue;
        };
        // Who inherits a table stays its heir.
        let heir = t.heir.lock().clone();
        let inherited = heir.is_some_and(|(heir, data)| {
            heir != pid && give(&t, pid, heir, data.as_ref().map(OwnedTerm::term))
        });
        if !inherited {
            registry::delete(&t);
        }
    }
    for number in of.fixed {
        if let Some(t) = registry::numbered(number) {
            t.unfix(pid, true);
        }
    }
}
