//! Clocks: Erlang monotonic time, the time offset, system time; all in nanoseconds.
//!
//! `clock` says how they follow the operating system's clocks; here is where those are read. Whoever runs
//! the VM calls [`check_if_due`] now and then. In the deterministic mode time is virtual: it moves only
//! when nothing can run, and the offset is fixed.

pub mod clock;
pub mod watch;

use clock::{Clock, ClockLine, Reading};
pub use clock::{OffsetState, Warp};
use parking_lot::{Mutex, MutexGuard};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering, fence};
use std::time::{SystemTime, UNIX_EPOCH};

/// Erlang monotonic time at the start of the VM, the same as BEAM's.
pub const START: i64 = -576_460_752_000_000_000;

/// The end of Erlang monotonic time: the clock can run on for three centuries.
pub const END: i64 = 8_646_911_283_000_000_000;

/// How often the time of day is compared with.
const INTERVAL: i64 = 1_000_000_000;

/// The operating system's monotonic time at the start of the VM.
static FIRST: LazyLock<i64> = LazyLock::new(clock_monotonic);
static CLOCK: LazyLock<Mutex<Clock>> =
    LazyLock::new(|| Mutex::new(Clock::new(Warp::None, true, START, read())));
static VIRTUAL: AtomicBool = AtomicBool::new(false);
static VIRTUAL_NOW: AtomicI64 = AtomicI64::new(START);
static NEXT_CHECK: AtomicI64 = AtomicI64::new(START + INTERVAL);

/// What readers need of the clock. `version` is odd while it is written.
struct Published {
    version: AtomicU64,
    from: AtomicI64,
    start: AtomicI64,
    slew: AtomicI64,
    offset: AtomicI64,
}

static PUBLISHED: Published = Published {
    version: AtomicU64::new(0),
    from: AtomicI64::new(0),
    start: AtomicI64::new(START),
    slew: AtomicI64::new(0),
    offset: AtomicI64::new(0),
};

impl Published {
    /// Changes the clock, whose lock the caller holds, and makes its new state known. Readers wait from before
    /// `change` reads the operating system's clocks: whoever has read an earlier state has read an earlier time, so
    /// that no two threads see time go back between them.
    fn change<T>(&self, clock: &mut Clock, change: impl FnOnce(&mut Clock, Reading) -> T) -> T {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let value = change(clock, read());
        let line = clock.line();
        self.from.store(line.from, Ordering::Relaxed);
        self.start.store(line.start, Ordering::Relaxed);
        self.slew.store(line.slew, Ordering::Relaxed);
        self.offset.store(clock.offset(), Ordering::Relaxed);
        self.version.store(version + 2, Ordering::Release);
        value
    }

    /// The line and the offset that are in force, and what `at` gives at a moment when they are.
    #[inline]
    fn read<T>(&self, at: impl Fn() -> T) -> (ClockLine, i64, T) {
        loop {
            let before = self.version.load(Ordering::Acquire);
            let at = at();
            let line = ClockLine {
                from: self.from.load(Ordering::Relaxed),
                start: self.start.load(Ordering::Relaxed),
                slew: self.slew.load(Ordering::Relaxed),
            };
            let offset = self.offset.load(Ordering::Relaxed);
            fence(Ordering::Acquire);
            if before & 1 == 0 && self.version.load(Ordering::Relaxed) == before {
                return (line, offset, at);
            }
            std::hint::spin_loop();
        }
    }
}

/// Both clocks of the operating system.
fn read() -> Reading {
    Reading {
        monotonic: os_monotonic_time(),
        system: os_system_time(),
    }
}

/// Starts the clocks; to be called once, early.
pub fn init(warp: Warp, correction: bool) {
    let mut clock = CLOCK.lock();
    PUBLISHED.change(&mut clock, |clock, now| {
        *clock = Clock::new(warp, correction, START, now);
    });
}

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

/// The operating system's monotonic time, from the start of the VM on.
#[inline]
pub fn os_monotonic_time() -> i64 {
    let first = *FIRST;
    clock_monotonic() - first
}

/// The operating system's monotonic time, from an arbitrary start on.
#[inline]
fn clock_monotonic() -> i64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the address is that of a record to be filled. The call does not fail for a clock that there is.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// Erlang monotonic time and the offset that goes with it.
#[inline]
fn now() -> (i64, i64) {
    if is_virtual() {
        return (VIRTUAL_NOW.load(Ordering::Relaxed), PUBLISHED.read(|| ()).1);
    }
    let (line, offset, time) = PUBLISHED.read(os_monotonic_time);
    (line.at(time), offset)
}

/// Erlang monotonic time.
#[inline]
pub fn monotonic() -> i64 {
    now().0
}

/// Time offset: system time minus monotonic time.
pub fn offset() -> i64 {
    check_if_due(monotonic());
    PUBLISHED.read(|| ()).1
}

/// Erlang system time.
pub fn system() -> i64 {
    let (mut monotonic, mut offset) = now();
    if check_if_due(monotonic) {
        (monotonic, offset) = now();
    }
    monotonic + offset
}

/// The time warp mode.
pub fn warp() -> Warp {
    CLOCK.lock().warp()
}

/// Is the monotonic clock corrected?
pub fn correction() -> bool {
    CLOCK.lock().correction()
}

/// What is known of the offset's future.
pub fn offset_state() -> OffsetState {
    CLOCK.lock().offset_state()
}

/// Makes a preliminary offset final; gives what it was before.
pub fn finalize_offset() -> OffsetState {
    let mut clock = CLOCK.lock();
    let (before, changed) = PUBLISHED.change(&mut clock, Clock::finalize);
    tell(clock, changed);
    before
}

/// Compares with the time of day, if that was not done for a while. `now` is Erlang monotonic time. `true` if it
/// was due.
#[inline]
pub fn check_if_due(now: i64) -> bool {
    let due = now >= NEXT_CHECK.load(Ordering::Relaxed) && !is_virtual();
    if due {
        check(now);
    }
    due
}

#[cold]
fn check(now: i64) {
    let Some(mut clock) = CLOCK.try_lock() else {
        return;
    };
    NEXT_CHECK.store(now + INTERVAL, Ordering::Relaxed);
    let changed = PUBLISHED.change(&mut clock, Clock::check);
    tell(clock, changed);
}

/// Tells who monitors the offset if it has changed.
fn tell(clock: MutexGuard<'_, Clock>, offset_changed: bool) {
    let offset = clock.offset();
    drop(clock);
    if offset_changed {
        watch::changed(offset);
    }
}
