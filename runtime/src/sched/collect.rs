//! Long collections, made by threads of the pool for computing. So is what else walks a whole heap: the search for
//! literals that are being released.
//!
//! ```text
//! scheduler   comes to a long collection at a point where the process is at rest, notes it (`flag::COLLECTS`),
//!             lets go of the process and queues its pid for the pool
//! thread      takes hold of the process, collects it where it is, and puts it into a run queue
//! ```
//!
//! Until a thread has it, the process is one that waits: signals are handled, it may be looked at and killed; it only
//! runs no code. If it is being served when a thread is ready for it, the thread leaves a claim and does something
//! else; who serves the process then hands it over as it is. While it is collected, signals wait, as on BEAM.

use super::{again, wake};
use crate::process::{Process, flag, literals, table};

/// Takes hold of a process that is to be collected. Nothing: it is gone, or will be handed over.
pub(crate) fn hold(id: u64) -> Option<&'static Process> {
    table::with(id, |p| {
        if p.state.try_hold() {
            // SAFETY: a process is taken out of the table by the holder of its RUNNING bit only.
            return Some(unsafe { &*std::ptr::from_ref(p) });
        }
        p.state.claim();
        wake(p);
        None
    })
    .flatten()
}

/// Collects a process that this thread holds, and lets it run.
pub(crate) fn perform(p: &'static Process) {
    // SAFETY: this thread holds the RUNNING bit.
    let own = unsafe { p.owned() };
    if own.take_copies_literals() {
        literals::copy_releasing(own);
    }
    if own.set_flag(flag::SHRINKS, false) {
        own.collect_to_size();
    } else if own.heap.wants_gc() {
        own.collect(&mut [], 0, false);
    }
    own.set_flag(flag::COLLECTS, false);
    own.resume_tasks();
    p.state.set_collecting(false);
    again(p);
}
