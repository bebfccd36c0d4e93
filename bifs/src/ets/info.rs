//! `ets:info/1,2`.

use super::access::{self, Need, cause, table};
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::Ctx;
use enigma_runtime::code::export;
use enigma_runtime::ets::registry::{self, NotFound};
use enigma_runtime::ets::{Table, TableKind, WriteConcurrency};
use enigma_runtime::heap::Heap;
use enigma_runtime::{BifResult, Exit, Term, badarg, node};
use std::sync::Arc;

/// The items of `info/1`, in its order.
const ITEMS: &[Atom] = &[
    Atom::ID,
    Atom::DECENTRALIZED_COUNTERS,
    Atom::READ_CONCURRENCY,
    Atom::WRITE_CONCURRENCY,
    Atom::COMPRESSED,
    Atom::MEMORY,
    Atom::OWNER,
    Atom::HEIR,
    Atom::NAME,
    Atom::SIZE,
    Atom::NODE,
    Atom::NAMED_TABLE,
    Atom::TYPE,
    Atom::KEYPOS,
    Atom::PROTECTION,
];

fn find(t: Term) -> Result<Option<Arc<Table>>, Exit> {
    match registry::find(t) {
        Ok(f) => Ok(f.to_arc()),
        Err(NotFound::NoTable) => Ok(None),
        Err(NotFound::NoIdentifier) => Err(cause("type")),
    }
}

pub(super) fn info1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let Some(t) = find(a[0])? else {
        return Ok(Atom::UNDEFINED.into());
    };
    t.turn()?;
    let heap = cx.heap();
    let mut pairs = Vec::with_capacity(ITEMS.len());
    for &i in ITEMS {
        let v = item(&t, i, heap).ok_or_else(badarg)?;
        pairs.push(heap.tuple(&[i.into(), v]));
    }
    Ok(heap.list(&pairs))
}

pub(super) fn info2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[1] == Term::from(Atom::BINARY) {
        let all = export::get(Atom::ERTS_INTERNAL, Atom::new("ets_info_binary"), 1);
        return cx.trap(all, &a[..1]);
    }
    if a[1] == Term::from(Atom::SIZE)
        && let Some(t) = access::held(cx, a[0], Need::Info)
    {
        t.turn()?;
        return Ok(cx.heap().uint(t.len() as u64));
    }
    let Some(t) = find(a[0])? else {
        return Ok(Atom::UNDEFINED.into());
    };
    let i = a[1].as_atom().ok_or_else(badarg)?;
    t.turn()?;
    if i.text() == "stats" && t.kind != TableKind::OrderedSet {
        return stats(cx, &t);
    }
    item(&t, i, cx.heap()).ok_or_else(badarg)
}

fn item(t: &Arc<Table>, i: Atom, heap: &mut Heap) -> Option<Term> {
    Some(match i {
        Atom::ID => registry::reference_to(t, heap),
        Atom::DECENTRALIZED_COUNTERS => t.decentralized_counters.into(),
        Atom::READ_CONCURRENCY => t.read_concurrency.into(),
        Atom::WRITE_CONCURRENCY => match t.write_concurrency {
            WriteConcurrency::Off => false.into(),
            WriteConcurrency::On => true.into(),
            WriteConcurrency::Auto => Atom::AUTO.into(),
            WriteConcurrency::Locks(n) => {
                let what = Atom::new("debug_hash_fixed_number_of_locks");
                heap.tuple(&[what.into(), Term::small(n as i64)])
            }
        },
        Atom::COMPRESSED => t.compressed.into(),
        Atom::MEMORY => heap.uint(t.memory_words() as u64),
        Atom::OWNER => Term::local_pid(t.owner()),
        Atom::HEIR => t
            .heir
            .lock()
            .as_ref()
            .map_or(Atom::NONE.into(), |h| Term::local_pid(h.0)),
        Atom::NAME => t.name().into(),
        Atom::SIZE => heap.uint(t.len() as u64),
        Atom::NODE => node::this().0.into(),
        Atom::NAMED_TABLE => t.named.into(),
        Atom::TYPE => t.kind.atom().into(),
        Atom::KEYPOS => heap.uint(t.keypos as u64),
        Atom::PROTECTION => t.protection().atom().into(),
        _ => return rare_item(t, i.text(), heap),
    })
}

fn rare_item(t: &Table, i: &str, heap: &mut Heap) -> Option<Term> {
    Some(match i {
        "fixed" => t.is_fixed().into(),
        "data" => true.into(),
        "safe_fixed" | "safe_fixed_monotonic_time" => {
            let f = t.fixation.lock();
            if f.by.is_empty() {
                return Some(false.into());
            }
            let by: Vec<Term> =
                f.by.iter()
                    .map(|&(pid, n)| heap.tuple(&[Term::local_pid(pid), Term::small(n as i64)]))
                    .collect();
            let by = heap.list(&by);
            let since = if i == "safe_fixed" {
                let micros = f.since.1 / 1000;
                let (mega, s, u) = (
                    micros / 1_000_000_000_000,
                    micros / 1_000_000 % 1_000_000,
                    micros % 1_000_000,
                );
                heap.tuple(&[Term::small(mega), Term::small(s), Term::small(u)])
            } else {
                heap.int(f.since.0)
            };
            heap.tuple(&[since, by])
        }
        "stats" if t.kind == TableKind::OrderedSet => false.into(),
        "stats" => return None,
        _ => return None,
    })
}

/// `{Buckets, Average, Deviation, ExpectedDeviation, Shortest, Longest, Dead, Locks}`.
fn stats(cx: &mut Ctx<'_>, t: &Table) -> BifResult {
    let chains = t.chains()?;
    let buckets = chains.len() as f64;
    let lengths = || chains.iter().map(|c| c.0);
    let sum: usize = lengths().sum();
    let squares: usize = lengths().map(|n| n * n).sum();
    // With the precision that BEAM has here.
    let average = sum as f32 / buckets as f32;
    let variance = (squares as f32 - average * sum as f32) / buckets as f32;
    let deviation = f64::from(variance).sqrt() as f32;
    let expected = (f64::from(average) * (1.0 - 1.0 / buckets)).sqrt() as f32;
    let count = |n: usize| Term::small(n as i64);
    let heap = cx.heap();
    let items = [
        count(chains.len()),
        heap.float(average.into()),
        heap.float(deviation.into()),
        heap.float(expected.into()),
        count(lengths().min().unwrap_or(0)),
        count(lengths().max().unwrap_or(0)),
        count(chains.iter().map(|c| c.1).sum()),
        count(t.locks()),
    ];
    Ok(heap.tuple(&items))
}

/// `{Id, Size, References}` of each shared binary in the objects of a key.
pub(super) fn binary_info(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Info)?;
    let heap = cx.heap();
    Ok(t.with_all_objects(a[1], |all| {
        let mut list = Term::NIL;
        for o in all {
            for (address, size, refs) in o.shared_binaries() {
                let parts = [
                    heap.uint(address),
                    heap.uint(size as u64),
                    heap.uint(refs as u64),
                ];
                let t = heap.tuple(&parts);
                list = heap.cons(t, list);
            }
        }
        list
    })?)
}
