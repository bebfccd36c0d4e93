//! Time, and integers that tell calls apart.

use crate::c::Word;
use crate::env::EnvPtr;
use enigma_bifs::erlang::time as bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::{Term, time};
use std::ffi::c_int;

/// `ERL_NIF_TIME_ERROR`.
const NO_TIME: i64 = i64::MIN;

/// How many of a unit are in a second.
fn per_second(unit: c_int) -> Option<i64> {
    Some(match unit {
        0 => 1,
        1 => 1_000,
        2 => 1_000_000,
        3 => 1_000_000_000,
        _ => return None,
    })
}

fn convert(value: i64, from: i64, to: i64) -> i64 {
    let scaled = (i128::from(value) * i128::from(to)).div_euclid(i128::from(from));
    i64::try_from(scaled).unwrap_or(NO_TIME)
}

fn in_unit(ns: i64, unit: c_int) -> i64 {
    per_second(unit).map_or(NO_TIME, |to| convert(ns, 1_000_000_000, to))
}

/// Erlang monotonic time.
#[unsafe(no_mangle)]
pub extern "C" fn enif_monotonic_time(unit: c_int) -> i64 {
    in_unit(time::monotonic(), unit)
}

/// The time offset.
#[unsafe(no_mangle)]
pub extern "C" fn enif_time_offset(unit: c_int) -> i64 {
    in_unit(time::offset(), unit)
}

/// A time in another unit, rounded down.
#[unsafe(no_mangle)]
pub extern "C" fn enif_convert_time_unit(value: i64, from: c_int, to: c_int) -> i64 {
    match (per_second(from), per_second(to)) {
        (Some(from), Some(to)) => convert(value, from, to),
        _ => NO_TIME,
    }
}

/// `{MegaSeconds, Seconds, MicroSeconds}`.
fn triple(env: EnvPtr, micros: i64) -> Word {
    let parts = [
        micros / 1_000_000_000_000,
        micros / 1_000_000 % 1_000_000,
        micros % 1_000_000,
    ];
    env.heap().tuple(&parts.map(Term::small)).into()
}

/// `erlang:now/0`.
#[unsafe(no_mangle)]
pub extern "C" fn enif_now_time(env: EnvPtr) -> Word {
    triple(env, bifs::unique_now())
}

/// The processor time that the VM has used.
#[unsafe(no_mangle)]
pub extern "C" fn enif_cpu_time(env: EnvPtr) -> Word {
    let mut spec = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it fills the record.
    if unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut spec) } != 0 {
        return env.env().raise(Atom::BADARG.into());
    }
    triple(env, spec.tv_sec * 1_000_000 + spec.tv_nsec / 1000)
}

/// An integer that no other call gives: positive (1), greater than those before (2).
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_unique_integer(env: EnvPtr, properties: c_int) -> Word {
    bifs::unique(env.heap(), properties & 1 != 0, properties & 2 != 0).into()
}
