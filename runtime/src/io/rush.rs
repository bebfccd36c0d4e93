//! When events come in a rush, schedulers that work look at the first set themselves, and the poller naps.
//!
//! ```text
//! no rush   the poller waits for the set, and a scheduler without work beside it (see `idle`): what comes wakes one thread
//! a rush    a scheduler that works looks between its time slices, and waits for the set when it has no work; others without work
//!           sleep elsewhere as long as one that works comes by often; the poller stays away for a short time
//! ```
//!
//! Otherwise each event would wake a thread up although one that is awake is about to come by: a switch of threads for what costs
//! a call of the system, and a process that runs elsewhere than the one that it talks to.
//!
//! Nothing hangs on what others promise. The system keeps what nobody has taken, and the poller is back when nobody has looked for
//! `NAP`, whatever schedulers do: they may be inside a long call, or all asleep elsewhere. If it finds something then, it does not
//! nap for a while. Owners that have more to do are called by the poller alone, so they end its nap: who leaves one puts it into the
//! list first and looks for the nap afterwards, and the poller looks into the list with the lock of the nap held.
//!
//! A poller that waits does not come back while others take all events before it has woken up. Who notices the rush calls it now and then,
//! and again as long as it finds the call itself together with events.

use parking_lot::{Condvar, Mutex};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Events that come so close upon each other, in nanoseconds, make a rush,
const CLOSE: u64 = 1_000_000;
/// if so many did.
const MANY: u32 = 4;
/// It is over when nothing has come for so long.
const OVER: u64 = 2_000_000;
/// How long the poller naps.
const NAP: Duration = Duration::from_millis(2);
/// How long it does not when it has found what others should have.
const AWAKE: Duration = Duration::from_millis(50);
/// Among so many events in a rush there is one at which the poller is called.
const CALL_EVERY: u32 = 16;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
/// When something was told last.
static LAST: AtomicU64 = AtomicU64::new(0);
/// How many times in a row that was close upon the time before.
static CLOSE_ONES: AtomicU32 = AtomicU32::new(0);

fn now() -> u64 {
    START.elapsed().as_nanos() as u64
}

/// Do events come in a rush?
pub fn is_rush() -> bool {
    CLOSE_ONES.load(Ordering::Relaxed) >= MANY
        && now().saturating_sub(LAST.load(Ordering::Relaxed)) < OVER
}

/// Somebody has been told of events. Is the poller to be called, because it might nap?
pub(super) fn note() -> bool {
    let now = now();
    let last = LAST.load(Ordering::Relaxed);
    LAST.store(now, Ordering::Relaxed);
    // Who else counts at the same moment may be overlooked.
    let count = CLOSE_ONES.load(Ordering::Relaxed);
    if now.saturating_sub(last) > CLOSE {
        CLOSE_ONES.store(0, Ordering::Relaxed);
        return false;
    }
    let count = count.wrapping_add(1);
    CLOSE_ONES.store(count, Ordering::Relaxed);
    count.is_multiple_of(CALL_EVERY) && might_nap()
}

/// Does the poller wait although it might nap?
pub(super) fn might_nap() -> bool {
    MAY_NAP.load(Ordering::Relaxed)
}

/// Does the poller wait for the set, and would nap instead?
static MAY_NAP: AtomicBool = AtomicBool::new(false);
/// Does the poller nap? Who sets it to `false` ends the nap.
static NAPS: Mutex<bool> = Mutex::new(false);
static WAKEUP: Condvar = Condvar::new();

/// Ends the nap of the poller, so that it looks into the list of owners that have more to do. `false` if it does not nap.
pub(super) fn end_nap() -> bool {
    let naps = std::mem::replace(&mut *NAPS.lock(), false);
    if naps {
        WAKEUP.notify_one();
    }
    naps
}

/// What the poller knows of its naps.
pub(super) struct Naps {
    /// It does not nap before.
    not_before: Instant,
    /// Has nobody looked since a nap began?
    is_alone: bool,
}

impl Naps {
    pub(super) fn new() -> Naps {
        Naps {
            not_before: Instant::now(),
            is_alone: false,
        }
    }

    /// Naps as long as there is a rush and `looks`, which counts how often others have looked, goes up; `has_more` says that owners
    /// wait for the poller. Has it napped, and is only to look therefore?
    pub(super) fn nap(&mut self, looks: impl Fn() -> usize, has_more: impl Fn() -> bool) -> bool {
        self.is_alone = false;
        if !is_rush() || Instant::now() < self.not_before {
            return false;
        }
        let mut naps = NAPS.lock();
        while is_rush() && !has_more() {
            let before = looks();
            *naps = true;
            let end = Instant::now() + NAP;
            while *naps && !WAKEUP.wait_until(&mut naps, end).timed_out() {}
            let whole = std::mem::replace(&mut *naps, false);
            self.is_alone = whole && looks() == before;
            if self.is_alone {
                break;
            }
        }
        true
    }

    /// Before the poller waits.
    pub(super) fn waits(&self, set_is_first: bool) {
        let may = set_is_first && Instant::now() >= self.not_before;
        MAY_NAP.store(may, Ordering::Relaxed);
    }

    /// The poller is back from waiting or looking; has it found events?
    pub(super) fn is_back(&mut self, found: bool) {
        MAY_NAP.store(false, Ordering::Relaxed);
        if found && self.is_alone {
            self.not_before = Instant::now() + AWAKE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// No call is lost: what is put into the list before `end_nap` is found by the poller, or it is told that it does not nap.
    #[test]
    fn who_has_more_to_do_is_seen() {
        let list = Arc::new(Mutex::new(0_u32));
        let theirs = list.clone();
        let poller = std::thread::spawn(move || {
            let mut naps = Naps::new();
            let mut seen = 0;
            while seen < 500 {
                CLOSE_ONES.store(MANY, Ordering::Relaxed);
                LAST.store(now(), Ordering::Relaxed);
                naps.nap(|| 0, || *theirs.lock() > 0);
                naps.not_before = Instant::now();
                seen += std::mem::take(&mut *theirs.lock());
            }
        });
        for _ in 0..500 {
            *list.lock() += 1;
            end_nap();
            if (*list.lock()).is_multiple_of(7) {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        poller.join().unwrap();
    }
}
