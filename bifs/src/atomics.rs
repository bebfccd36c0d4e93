//! The modules `atomics` and `counters`: arrays of 64-bit integers behind references.
//!
//! Counters with write concurrency have one array per group of schedulers; each array is on cache lines
//! of its own, an addition goes to the array of the scheduler that makes it, and a read sums up.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::system_limit;
use enigma_runtime::data::{bignum, map};
use enigma_runtime::sys::memory;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, reference};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

bifs! { BIFS:
    "erts_internal" {
        "atomics_new"/2 Call => atomics_new;
        "counters_new"/1 Call => counters_new;
        "counters_get"/2 Call => counters_get;
        "counters_add"/3 Call => counters_add;
        "counters_put"/3 Call => counters_put;
        "counters_info"/1 Call => counters_info;
    }
    "atomics" {
        "put"/3 Call => put;
        "get"/2 Call => get;
        "add"/3 Call => add;
        "add_get"/3 Call => add_get;
        "exchange"/3 Call => exchange;
        "compare_exchange"/4 Call => compare_exchange;
        "info"/1 Call => info;
    }
}

/// Largest number of elements.
const MAX_SIZE: usize = 1 << 40;

struct Atomics {
    signed: bool,
    values: Box<[AtomicI64]>,
}

/// A cache line of counters.
#[repr(align(64))]
struct Line([AtomicI64; 8]);

struct Counters {
    size: usize,
    lines_each: usize,
    groups: usize,
    lines: Box<[Line]>,
}

impl Counters {
    fn cell(&self, group: usize, i: usize) -> &AtomicI64 {
        &self.lines[group * self.lines_each + i / 8].0[i % 8]
    }
}

fn size_arg(t: Term) -> Result<usize, Exit> {
    match t.as_usize() {
        Some(0) => Err(badarg()),
        Some(n) if n <= MAX_SIZE => Ok(n),
        Some(_) => Err(system_limit()),
        None if t.is_big() && bignum::compare(t, Term::small(0)).is_gt() => Err(system_limit()),
        None => Err(badarg()),
    }
}

/// Zeroed memory, taken so that an impossible size is an error and not the end of the VM.
fn zeroed<T>(n: usize, zero: impl Fn() -> T) -> Result<Box<[T]>, Exit> {
    let mut v: Vec<T> = Vec::new();
    memory::fallible(|| v.try_reserve_exact(n)).map_err(|_| system_limit())?;
    v.extend((0..n).map(|_| zero()));
    Ok(v.into_boxed_slice())
}

fn atomics_new(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = size_arg(a[0])?;
    let options = a[1].as_small().ok_or_else(badarg)?;
    let values = zeroed(n, || AtomicI64::new(0))?;
    Ok(cx.heap().magic_ref(
        reference::fresh(),
        Arc::new(Atomics {
            signed: options & 1 != 0,
            values,
        }),
    ))
}

fn atomics(t: Term) -> Result<&'static Atomics, Exit> {
    t.as_resource().map(|r| r.1).ok_or_else(badarg)
}

fn element(t: Term, index: Term) -> Result<(&'static Atomics, &'static AtomicI64), Exit> {
    let array = atomics(t)?;
    let i = index
        .as_usize()
        .and_then(|i| i.checked_sub(1))
        .ok_or_else(badarg)?;
    Ok((array, array.values.get(i).ok_or_else(badarg)?))
}

/// A value to store.
fn value(array: &Atomics, t: Term) -> Result<i64, Exit> {
    if let Some(n) = t.as_small()
        && (array.signed || n >= 0)
    {
        return Ok(n);
    }
    let v = if array.signed {
        bignum::to_i64(t)
    } else {
        bignum::to_u64(t).map(u64::cast_signed)
    };
    v.ok_or_else(badarg)
}

/// A value to add: anything that fits 64 bits, with or without sign.
fn increment(t: Term) -> Result<i64, Exit> {
    if let Some(n) = t.as_small() {
        return Ok(n);
    }
    bignum::to_i64(t)
        .or_else(|| bignum::to_u64(t).map(u64::cast_signed))
        .ok_or_else(badarg)
}

fn result(cx: &mut Ctx<'_>, array: &Atomics, n: i64) -> Term {
    if array.signed {
        cx.heap().int(n)
    } else {
        cx.heap().uint(n.cast_unsigned())
    }
}

fn put(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (array, cell) = element(a[0], a[1])?;
    cell.store(value(array, a[2])?, Ordering::SeqCst);
    Ok(Atom::OK.into())
}

fn get(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (array, cell) = element(a[0], a[1])?;
    Ok(result(cx, array, cell.load(Ordering::SeqCst)))
}

fn add(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (_, cell) = element(a[0], a[1])?;
    cell.fetch_add(increment(a[2])?, Ordering::SeqCst);
    Ok(Atom::OK.into())
}

fn add_get(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (array, cell) = element(a[0], a[1])?;
    let n = increment(a[2])?;
    let now = cell.fetch_add(n, Ordering::SeqCst).wrapping_add(n);
    Ok(result(cx, array, now))
}

fn exchange(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (array, cell) = element(a[0], a[1])?;
    let old = cell.swap(value(array, a[2])?, Ordering::SeqCst);
    Ok(result(cx, array, old))
}

fn compare_exchange(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (array, cell) = element(a[0], a[1])?;
    let (expected, desired) = (value(array, a[2])?, value(array, a[3])?);
    match cell.compare_exchange(expected, desired, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => Ok(Atom::OK.into()),
        Err(actual) => Ok(result(cx, array, actual)),
    }
}

fn info(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let array = atomics(a[0])?;
    let heap = cx.heap();
    let size = heap.uint(array.values.len() as u64);
    let memory = heap.uint((array.values.len() * 8 + 40) as u64);
    let (max, min) = if array.signed {
        (heap.int(i64::MAX), heap.int(i64::MIN))
    } else {
        (heap.uint(u64::MAX), Term::small(0))
    };
    let pairs = [
        (Atom::SIZE.into(), size),
        (Atom::MAX.into(), max),
        (Atom::MIN.into(), min),
        (Atom::MEMORY.into(), memory),
    ];
    Ok(map::from_pairs(heap, &pairs))
}

fn counters_new(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let size = size_arg(a[0])?;
    let groups = std::thread::available_parallelism().map_or(1, usize::from);
    let lines_each = size.div_ceil(8);
    let count = groups.checked_mul(lines_each).ok_or_else(system_limit)?;
    let lines = zeroed(count, || Line(std::array::from_fn(|_| AtomicI64::new(0))))?;
    Ok(cx.heap().magic_ref(
        reference::fresh(),
        Arc::new(Counters {
            size,
            lines_each,
            groups,
            lines,
        }),
    ))
}

fn counters(t: Term, index: Term) -> Result<(&'static Counters, usize), Exit> {
    let c: &'static Counters = t
        .as_magic()
        .and_then(|m| m.downcast_ref())
        .ok_or_else(badarg)?;
    let i = index
        .as_usize()
        .and_then(|i| i.checked_sub(1))
        .filter(|&i| i < c.size)
        .ok_or_else(badarg)?;
    Ok((c, i))
}

fn counters_get(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (c, i) = counters(a[0], a[1])?;
    let sum = (0..c.groups).fold(0i64, |n, g| {
        n.wrapping_add(c.cell(g, i).load(Ordering::Acquire))
    });
    Ok(cx.heap().int(sum))
}

fn counters_add(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (c, i) = counters(a[0], a[1])?;
    let n = increment(a[2])?;
    c.cell(cx.scheduler % c.groups, i)
        .fetch_add(n, Ordering::AcqRel);
    Ok(Atom::OK.into())
}

fn counters_put(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (c, i) = counters(a[0], a[1])?;
    let n = bignum::to_i64(a[2]).ok_or_else(badarg)?;
    for g in 1..c.groups {
        c.cell(g, i).store(0, Ordering::Release);
    }
    c.cell(0, i).store(n, Ordering::Release);
    Ok(Atom::OK.into())
}

fn counters_info(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (c, _) = counters(a[0], Term::small(1))?;
    let heap = cx.heap();
    let size = heap.uint(c.size as u64);
    let memory = heap.uint((c.lines.len() * 64 + 32) as u64);
    Ok(map::from_pairs(
        heap,
        &[(Atom::SIZE.into(), size), (Atom::MEMORY.into(), memory)],
    ))
}
