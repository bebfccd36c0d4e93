//! The world stands still while the last is said of it: no scheduler and no pool begins anything, for the rest of
//! the VM's life.

use super::{current_index, schedulers};
use crate::process::{Owned, table};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

static FROZEN: AtomicBool = AtomicBool::new(false);

/// To be called before a time slice or a call in a pool begins.
#[inline]
pub(crate) fn is_frozen() -> bool {
    FROZEN.load(Ordering::SeqCst)
}

/// Ends what a thread does, without an end of the thread.
#[cold]
pub(crate) fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

/// Lets nothing begin any more, and waits until the slices of the other schedulers have ended, but not longer than
/// that.
pub fn freeze(patience: Duration) {
    FROZEN.store(true, Ordering::SeqCst);
    let end = Instant::now() + patience;
    let me = current_index();
    let works = || {
        let mut all = schedulers().all.iter().enumerate();
        all.any(|(i, s)| Some(i) != me && s.passage.is_inside())
    };
    while works() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Lets `f` look at the process with this packed pid in the frozen world, for good. Nothing is given to it where
/// the process is still held by a thread that did not stop.
pub fn look<R>(id: u64, f: impl FnOnce(Option<&Owned>) -> R) -> Option<R> {
    table::with(id, |p| {
        let own = p.state.seize().then(|| {
            // SAFETY: this thread has the RUNNING bit, which it keeps, and nobody else looks again.
            &*unsafe { p.owned() }
        });
        f(own)
    })
}
