//! Chaos (a test mode): native code leaves at random where it may leave, and at these places yields, collections and
//! withdrawals of native code happen at random too. Whatever a function has not put where the interpreter finds it shows up.
//!
//! Numbers come from a generator that starts anew from the seed in each time slice of a process, at a place that depends on how many
//! slices there were before. With one scheduler (`--sim`) a seed always gives the same run.

use crate::code::module::FnInfo;
use crate::process::context::Ctx;
use std::sync::atomic::{AtomicU64, Ordering};

/// The seed; 0 if the mode is off.
static SEED: AtomicU64 = AtomicU64::new(0);
/// Time slices so far.
static SLICES: AtomicU64 = AtomicU64::new(0);

/// The generator multiplies by this and adds `INCREMENT`, modulo 2^64 (Knuth's MMIX); the upper bits are the better ones.
pub const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
/// See `MULTIPLIER`.
pub const INCREMENT: u64 = 1_442_695_040_888_963_407;

/// Switches the mode on for all code that is compiled from now on.
pub fn switch_on(seed: u64) {
    SEED.store(seed.wrapping_mul(2).wrapping_add(1), Ordering::Release);
}

/// Is it on?
#[inline]
pub fn is_on() -> bool {
    SEED.load(Ordering::Acquire) != 0
}

/// One of so many places is left at, as an exponent of two: it goes with the seed, so that there are runs that change
/// tiers at every step and runs that change them now and then.
pub fn rarity() -> u32 {
    2 + 2 * ((SEED.load(Ordering::Acquire) >> 1) % 4) as u32
}

/// Where the generator starts in a time slice that begins now.
pub(crate) fn start() -> u64 {
    let seed = SEED.load(Ordering::Acquire);
    if seed == 0 {
        return 0;
    }
    let slice = SLICES.fetch_add(1, Ordering::Relaxed);
    next(next(seed.wrapping_add(slice.wrapping_mul(INCREMENT))))
}

fn next(state: u64) -> u64 {
    state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT)
}

fn roll(cx: &mut Ctx<'_>, sides: u64) -> u64 {
    cx.native.chance = next(cx.native.chance);
    (cx.native.chance >> 33) % sides
}

/// What happens besides at a place of this function where native code leaves.
pub(super) fn shake(cx: &mut Ctx<'_>, function: &'static FnInfo) {
    match roll(cx, 16) {
        0..=3 => {
            // The larger the heap, the rarer: what all collections cost goes with the time, not with its square.
            // Programs with a limit may count on when collections look at it.
            let limited = cx.own.rare_if_any().is_some_and(|r| r.max_heap.is_some());
            let words = cx.own.heap.used() + cx.own.stack.words().len();
            if roll(cx, 1 + words as u64 / 1024) == 0 && !limited {
                let major = roll(cx, 8) == 0;
                cx.own.heap.request_collection(major);
                cx.note_allocation();
            }
        }
        4..=5 => cx.end_slice(),
        6 => {
            let calls = roll(cx, 8) as u32;
            function.withdraw_native(calls);
        }
        _ => {}
    }
}

/// The helper: see [`shake`].
pub(super) extern "C" fn chaos(cx: &mut Ctx<'_>, function: u64, _: u64, _: u64) -> u64 {
    // SAFETY: native code names its own function, which stays as long as the code runs.
    shake(cx, unsafe { &*(function as *const FnInfo) });
    1
}
