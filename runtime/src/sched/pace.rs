//! How often a scheduler comes by between two time slices: written by its own thread, read by others.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Nanoseconds of a time slice, on average, up to which a scheduler comes by often. One in which a packet is sent takes 10 000 or more.
const OFTEN: i64 = 50_000;
/// For so long that is assumed of one that has not come by since.
const FRESH: i64 = 1_000_000;

/// See the module's text.
#[derive(Default, Debug)]
pub(crate) struct Pace {
    /// When it came by last, of the times that it looked at the clock.
    seen: AtomicI64,
    /// The slices that it had begun by then.
    slices: AtomicU64,
    /// Nanoseconds of those before, on average.
    average: AtomicI64,
}

impl Pace {
    /// It begins to work, after a rest.
    pub fn begin(&self, now: i64, slices: u64) {
        self.seen.store(now, Ordering::Relaxed);
        self.slices.store(slices, Ordering::Relaxed);
    }

    /// It comes by, or goes to rest.
    pub fn note(&self, now: i64, slices: u64) {
        let count = slices.saturating_sub(self.slices.load(Ordering::Relaxed));
        if let Ok(count @ 1..) = i64::try_from(count) {
            let average = (now - self.seen.load(Ordering::Relaxed)) / count;
            self.average.store(average, Ordering::Relaxed);
        }
        self.begin(now, slices);
    }

    /// Has it come by a moment ago, and is likely to do so again in a moment?
    pub fn comes_often(&self, now: i64) -> bool {
        self.average.load(Ordering::Relaxed) < OFTEN
            && now - self.seen.load(Ordering::Relaxed) < FRESH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_slices_are_often() {
        let p = Pace::default();
        p.begin(1_000_000, 0);
        p.note(1_020_000, 10);
        assert!(p.comes_often(1_030_000));
        assert!(!p.comes_often(1_020_000 + FRESH));
        p.note(1_120_000, 11);
        assert!(!p.comes_often(1_120_000));
        // A rest is no slice, and is not counted as part of one.
        p.begin(9_000_000, 11);
        p.note(9_001_000, 12);
        assert!(p.comes_often(9_001_000));
    }
}
