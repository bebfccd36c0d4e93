//! How much of some work may be done at a time (see `work`).

use std::sync::atomic::{AtomicBool, Ordering};

/// What one call of `Work::step` may do, in units of about ten nanoseconds: a list cell or so.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

/// Units of work for one reduction.
pub const UNITS: usize = 24;

/// Bytes of simple work (a checksum, a search) for one unit.
pub const BYTES: usize = 32;

impl Budget {
    /// A budget of so many units.
    #[inline]
    pub fn of(units: usize) -> Budget {
        Budget { left: units }
    }

    /// Units left. One that asks before it has done anything gets one at least.
    #[inline]
    pub fn left(&self) -> usize {
        self.left
    }

    /// Is nothing left?
    #[inline]
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Uses up some units, or all that are left.
    #[inline]
    pub fn spend(&mut self, units: usize) {
        self.left = self.left.saturating_sub(units);
    }

    /// How many of `count` items may be done now that cost one unit each: as many are spent.
    #[inline]
    pub fn grant(&mut self, count: usize) -> usize {
        let n = count.min(self.left);
        self.left -= n;
        n
    }

    /// How many of `bytes` may be done now; they are spent.
    #[inline]
    pub fn grant_bytes(&mut self, bytes: usize) -> usize {
        let n = bytes.min(self.left.saturating_mul(BYTES));
        self.spend(n.div_ceil(BYTES));
        n
    }
}

static STRESS: AtomicBool = AtomicBool::new(false);

/// Makes every step one of one unit (a test mode).
pub fn set_stress(on: bool) {
    STRESS.store(on, Ordering::Relaxed);
}

/// May so many units be done at once, without a value of `Work`? Not in the test mode.
#[inline]
pub fn at_once(units: usize) -> bool {
    units <= 256 && !is_stressed()
}

/// Is every step one of one unit?
#[inline]
pub fn is_stressed() -> bool {
    STRESS.load(Ordering::Relaxed)
}
