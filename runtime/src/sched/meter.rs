//! How long a thread has worked: written by the thread itself, read by anybody.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// No work is going on.
const IDLE: i64 = i64::MIN;

/// The clock of one thread.
#[derive(Debug)]
pub(crate) struct Meter {
    /// Nanoseconds of the work that has ended.
    ended: AtomicU64,
    /// When the work that is going on began.
    since: AtomicI64,
    /// Goes up before and after each change, so that readers see both parts of one moment.
    version: AtomicU64,
}

/// Nanoseconds of work until some moment.
pub type Worked = u64;

impl Default for Meter {
    fn default() -> Meter {
        Meter {
            ended: AtomicU64::new(0),
            since: AtomicI64::new(IDLE),
            version: AtomicU64::new(0),
        }
    }
}

impl Meter {
    fn change(&self, ended: u64, since: i64) {
        self.version.fetch_add(1, Ordering::AcqRel);
        self.ended.store(ended, Ordering::Release);
        self.since.store(since, Ordering::Release);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Work begins.
    pub fn start(&self, now: i64) {
        self.change(self.ended.load(Ordering::Relaxed), now);
    }

    /// Work ends.
    pub fn stop(&self, now: i64) {
        let since = self.since.load(Ordering::Relaxed);
        let ended = self.ended.load(Ordering::Relaxed);
        if since != IDLE {
            self.change(ended + (now - since).max(0) as u64, IDLE);
        }
    }

    /// All the work until now.
    pub fn read(&self, now: i64) -> Worked {
        loop {
            let before = self.version.load(Ordering::Acquire);
            let ended = self.ended.load(Ordering::Acquire);
            let since = self.since.load(Ordering::Acquire);
            if before & 1 == 0 && self.version.load(Ordering::Acquire) == before {
                let current = if since == IDLE { 0 } else { now - since };
                return ended + current.max(0) as u64;
            }
            std::hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_work_that_goes_on() {
        let m = Meter::default();
        assert_eq!(m.read(5), 0);
        m.start(10);
        assert_eq!(m.read(15), 5);
        m.stop(20);
        m.stop(25);
        assert_eq!(m.read(30), 10);
        m.start(30);
        assert_eq!(m.read(31), 11);
    }
}
