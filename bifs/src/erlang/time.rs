//! Clocks, time units, timers, unique integers.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::bignum;
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::{handle, signal};
use enigma_runtime::term::{Kind, list};
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, badarg, reference, time, timer};
use num_bigint::{BigInt, Sign};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

bifs! { BIFS:
    "erlang" {
        "monotonic_time"/0 Call => monotonic_time0, reads_total INTEGER;
        "monotonic_time"/1 Call => monotonic_time1, reads INTEGER;
        "system_time"/0 Call => system_time0, reads_total INTEGER;
        "system_time"/1 Call => system_time1, reads INTEGER;
        "time_offset"/0 Call => time_offset0, reads_total INTEGER;
        "time_offset"/1 Call => time_offset1, reads INTEGER;
        "timestamp"/0 Call => timestamp;
        "now"/0 Call => now;
        "make_ref"/0 Call => make_ref;
        "unique_integer"/0 Call => unique_integer0;
        "unique_integer"/1 Call => unique_integer1;
        "send_after"/3 Call => send_after3;
        "send_after"/4 Call => send_after4;
        "start_timer"/3 Call => start_timer3;
        "start_timer"/4 Call => start_timer4;
        "cancel_timer"/1 Call => cancel_timer1;
        "cancel_timer"/2 Call => cancel_timer2;
        "read_timer"/1 Call => read_timer1;
        "read_timer"/2 Call => read_timer2;
    }
    "os" {
        "system_time"/0 Call => os_system_time0;
        "system_time"/1 Call => os_system_time1;
        "timestamp"/0 Call => os_timestamp;
        "perf_counter"/0 Call => perf_counter;
    }
    "erts_internal" {
        "time_unit"/0 Call => time_unit;
        "perf_counter_unit"/0 Call => time_unit;
    }
}

const SECOND: i64 = 1_000_000_000;

/// Units a second of a time unit.
fn per_second(unit: Term) -> Result<u64, Exit> {
    if let Some(n) = unit.as_small() {
        let n = u64::try_from(n).ok().filter(|&n| n > 0);
        return n.ok_or_else(badarg);
    }
    Ok(match unit.as_atom().ok_or_else(badarg)? {
        Atom::SECOND | Atom::SECONDS => 1,
        Atom::MILLISECOND | Atom::MILLI_SECONDS => 1_000,
        Atom::MICROSECOND | Atom::MICRO_SECONDS => 1_000_000,
        Atom::NANOSECOND | Atom::NANO_SECONDS | Atom::NATIVE | Atom::PERF_COUNTER => {
            SECOND.cast_unsigned()
        }
        _ => return Err(badarg()),
    })
}

/// Nanoseconds in a unit, rounded down.
fn in_unit(cx: &mut Ctx<'_>, ns: i64, unit: Term) -> BifResult {
    if !unit.is_small()
        && let Some(n) = bignum::to_bigint(unit).filter(|n| n.sign() == Sign::Plus)
    {
        let (second, product) = (BigInt::from(SECOND), BigInt::from(ns) * n);
        let over = (&product % &second + &second) % &second;
        let v = (product - over) / second;
        return Ok(bignum::from_bigint(&v, cx.heap()));
    }
    let n = per_second(unit)?;
    let v = (i128::from(ns) * i128::from(n)).div_euclid(i128::from(SECOND));
    Ok(cx.heap().int128(v))
}

fn monotonic_time0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.heap().int(time::monotonic()))
}

fn monotonic_time1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    in_unit(cx, time::monotonic(), a[0])
}

fn system_time0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.heap().int(time::system()))
}

fn system_time1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    in_unit(cx, time::system(), a[0])
}

fn time_offset0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.heap().int(time::offset()))
}

fn time_offset1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    in_unit(cx, time::offset(), a[0])
}

fn os_system_time0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.heap().int(time::os_system_time()))
}

fn os_system_time1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    in_unit(cx, time::os_system_time(), a[0])
}

fn perf_counter(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.heap().int(time::monotonic() - time::START))
}

fn time_unit(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Term::small(SECOND))
}

/// `{MegaSeconds, Seconds, MicroSeconds}`.
fn triple(cx: &mut Ctx<'_>, micros: i64) -> Term {
    let parts = [
        micros / 1_000_000_000_000,
        micros / 1_000_000 % 1_000_000,
        micros % 1_000_000,
    ];
    cx.heap().tuple(&parts.map(Term::small))
}

fn timestamp(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(triple(cx, time::system() / 1000))
}

fn os_timestamp(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(triple(cx, time::os_system_time() / 1000))
}

static LAST_NOW: AtomicI64 = AtomicI64::new(0);

fn now(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let micros = unique_now();
    Ok(triple(cx, micros))
}

/// System time in microseconds, greater than what any call before has given.
pub fn unique_now() -> i64 {
    let t = time::system() / 1000;
    let before = LAST_NOW.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| {
        Some(t.max(last + 1))
    });
    let last = before.unwrap_or(0);
    t.max(last + 1)
}

fn make_ref(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.heap().reference(reference::fresh(), 0))
}

// ---- unique integers ----

static UNIQUE: AtomicU64 = AtomicU64::new(0);
static MONOTONIC: AtomicU64 = AtomicU64::new(0);

/// The least integer of either kind: BEAM's least small one.
pub const MIN_UNIQUE: i64 = -(1 << 59);

/// A unique integer; of these the monotonic ones are always greater than those before.
pub fn unique(heap: &mut Heap, positive: bool, monotonic: bool) -> Term {
    let counter = if monotonic { &MONOTONIC } else { &UNIQUE };
    let n = counter.fetch_add(1, Ordering::Relaxed);
    let v = if positive {
        i128::from(n) + 1
    } else {
        i128::from(n) + i128::from(MIN_UNIQUE)
    };
    heap.int128(v)
}

/// How many monotonic integers there were, less one.
pub fn monotonic_state() -> u64 {
    MONOTONIC.load(Ordering::Relaxed).wrapping_sub(1)
}

/// Sets that, for tests of what happens at the limits.
pub fn set_monotonic_state(n: u64) {
    MONOTONIC.store(n.wrapping_add(1), Ordering::Relaxed);
}

fn unique_integer0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(unique(cx.heap(), false, false))
}

fn unique_integer1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (mut positive, mut monotonic) = (false, false);
    let mut rest = a[0];
    while let Some((o, tail)) = rest.as_cons() {
        match o.as_atom() {
            Some(Atom::POSITIVE) => positive = true,
            Some(Atom::MONOTONIC) => monotonic = true,
            _ => return Err(badarg()),
        }
        rest = tail;
    }
    if !rest.is_nil() {
        return Err(badarg());
    }
    Ok(unique(cx.heap(), positive, monotonic))
}

// ---- timers ----

fn start(cx: &mut Ctx<'_>, a: &[Term], wrap: bool) -> BifResult {
    let mut absolute = false;
    if let Some(&options) = a.get(3) {
        let bad = || Exit::error_cause(Atom::BADARG, Atom::BADOPT);
        for o in list::to_vec(options).ok_or_else(bad)? {
            match o.as_tuple_n::<2>() {
                Some(&[k, v]) if k.as_atom() == Some(Atom::ABS) => {
                    absolute = v.as_bool().ok_or_else(bad)?
                }
                _ => return Err(bad()),
            }
        }
    }
    let bad_time = || Exit::error_cause(Atom::BADARG, Atom::TIME);
    let ns = bignum::to_i64(a[0])
        .and_then(|ms| ms.checked_mul(1_000_000))
        .ok_or_else(bad_time)?;
    let to = a[1];
    if !(to.is_local_pid() || to.is_atom() || to.is_kind(Kind::ExtPid)) {
        return Err(badarg());
    }
    let deadline = if absolute {
        ns
    } else {
        let from_now = (ns >= 0).then(|| time::monotonic().saturating_add(ns));
        from_now.ok_or_else(bad_time)?
    };
    if !(time::START..=time::END).contains(&deadline) {
        return Err(bad_time());
    }
    if to.is_kind(Kind::ExtPid) {
        return Err(badarg());
    }
    let number = reference::fresh();
    let message = if wrap {
        handle::build(|h| {
            let r = h.reference(number, 0);
            let m = copy::copy(a[2], h);
            h.tuple(&[Atom::TIMEOUT.into(), r, m])
        })
    } else {
        OwnedTerm::new(a[2])
    };
    timer::start_message(number, deadline, to, message);
    Ok(cx.heap().reference(number, 0))
}

fn send_after3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    start(cx, a, false)
}

fn send_after4(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    start(cx, a, false)
}

fn start_timer3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    start(cx, a, true)
}

fn start_timer4(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    start(cx, a, true)
}

/// Options of `cancel_timer` and `read_timer`: asynchronous, and is the result wanted?
fn timer_options(l: Term, info: bool) -> Result<(bool, bool), Exit> {
    let (mut asynchronous, mut wants) = (false, true);
    for o in list::to_vec(l).ok_or_else(badarg)? {
        let Some(&[k, v]) = o.as_tuple_n::<2>() else {
            return Err(badarg());
        };
        match k.as_atom() {
            Some(Atom::ASYNC) => asynchronous = v.as_bool().ok_or_else(badarg)?,
            Some(Atom::INFO) if info => wants = v.as_bool().ok_or_else(badarg)?,
            _ => return Err(badarg()),
        }
    }
    Ok((asynchronous, wants))
}

fn timer_number(t: Term) -> Result<Option<u64>, Exit> {
    match t.kind() {
        Some(Kind::Ref) => Ok(Some(t.ref_number())),
        Some(Kind::MagicRef | Kind::ExtRef) => Ok(None),
        _ => Err(badarg()),
    }
}

/// Milliseconds until a deadline, rounded up, or `false`.
fn left(deadline: Option<i64>) -> Term {
    match deadline {
        Some(d) => Term::small((d - time::monotonic()).max(0).div_euclid(1_000_000)),
        None => false.into(),
    }
}

fn answer(
    cx: &mut Ctx<'_>,
    a: &[Term],
    tag: Atom,
    result: Term,
    options: (bool, bool),
) -> BifResult {
    if !options.0 {
        return Ok(if options.1 { result } else { Atom::OK.into() });
    }
    if options.1 {
        let message = cx.heap().tuple(&[tag.into(), a[0], result]);
        signal::send_message(cx.proc.id, message);
    }
    Ok(Atom::OK.into())
}

fn cancel_timer1(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(left(timer_number(a[0])?.and_then(timer::cancel_reference)))
}

fn cancel_timer2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let options = timer_options(a[1], true)?;
    let result = left(timer_number(a[0])?.and_then(timer::cancel_reference));
    answer(cx, a, Atom::CANCEL_TIMER, result, options)
}

fn read_timer1(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(left(timer_number(a[0])?.and_then(timer::deadline_of)))
}

fn read_timer2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let options = timer_options(a[1], false)?;
    let result = left(timer_number(a[0])?.and_then(timer::deadline_of));
    answer(cx, a, Atom::READ_TIMER, result, options)
}
