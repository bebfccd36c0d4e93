//! Clocks: Erlang monotonic time, the time offset, system time; all in nanoseconds.
//!
//! Erlang monotonic time is the operating system's, counted from a fixed negative start so that it
//! begins as on BEAM (no time warp): system time is monotonic time plus an offset that is fixed at
//! start. In the deterministic mode time is virtual and moves only when nothing can run.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Erlang monotonic time at the start of the VM.
pub const START: i64 = -(1 << 59);

struct Base {
    instant: Instant,
    /// System time at `instant`, in nanoseconds since 1970.
    system: i64,
}

static BASE: LazyLock<Base> = LazyLock::new(|| Base {
    instant: Instant::now(),
    system: os_system_time(),
});
static VIRTUAL: AtomicBool = AtomicBool::new(false);
static VIRTUAL_NOW: AtomicI64 = AtomicI64::new(START);

/// Makes time virtual.
pub fn make_virtual() {
    VIRTUAL.store(true, Ordering::Relaxed);
}

/// Is time virtual?
pub fn is_virtual() -> bool {
    VIRTUAL.load(Ordering::Relaxed)
}

/// Moves virtual time forward.
pub fn advance_virtual(to: i64) {
    VIRTUAL_NOW.fetch_max(to, Ordering::Relaxed);
}

/// The operating system's idea of the time since 1970.
pub fn os_system_time() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos() as i64)
}

/// Erlang monotonic time.
#[inline]
pub fn monotonic() -> i64 {
    if VIRTUAL.load(Ordering::Relaxed) {
        return VIRTUAL_NOW.load(Ordering::Relaxed);
    }
    START + BASE.instant.elapsed().as_nanos() as i64
}

/// Time offset: system time minus monotonic time.
pub fn offset() -> i64 {
    BASE.system - START
}

/// Erlang system time.
pub fn system() -> i64 {
    monotonic() + offset()
}

/// Takes note of the start; to be called once, early.
pub fn init() {
    LazyLock::force(&BASE);
}
