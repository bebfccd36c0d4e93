//! Who holds a table fixed.

use super::Table;
use std::sync::atomic::Ordering;

/// Who holds a table fixed, and since when.
#[derive(Default)]
pub struct Fixation {
    /// Processes and how often each has fixed the table.
    pub by: Vec<(u64, usize)>,
    /// Monotonic and system time of the first fixation, in native units.
    pub since: (i64, i64),
}

impl Table {
    /// Counts a fixation by a process; `true` if it is its first one.
    pub(super) fn fix(&self, pid: u64) -> bool {
        let mut f = self.fixation.lock();
        if f.by.is_empty() {
            f.since = (crate::time::monotonic(), crate::time::system());
        }
        self.fixed.fetch_add(1, Ordering::SeqCst);
        match f.by.iter_mut().find(|b| b.0 == pid) {
            Some(b) => {
                b.1 += 1;
                false
            }
            None => {
                f.by.push((pid, 1));
                true
            }
        }
    }

    /// Takes back a fixation (or all, if the process is gone); `true` if the process has none left.
    pub(super) fn unfix(&self, pid: u64, all: bool) -> bool {
        let mut f = self.fixation.lock();
        let Some(i) = f.by.iter().position(|b| b.0 == pid) else {
            return false;
        };
        let n = if all { f.by[i].1 } else { 1 };
        f.by[i].1 -= n;
        let none_left = f.by[i].1 == 0;
        if none_left {
            f.by.remove(i);
        }
        if self.is_deleted() {
            return none_left;
        }
        let before = self.fixed.fetch_sub(n, Ordering::SeqCst);
        drop(f);
        if before == n {
            self.bury();
        }
        none_left
    }
}
