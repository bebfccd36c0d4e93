//! Looking at a process that waits, without waking it.
//!
//! A process that waits has handled all its signals, so what it would answer to one more is what can be seen in
//! its `Owned`. Who wants to know takes the RUNNING bit as a scheduler does, looks, and gives it back; signals
//! that arrive meanwhile find the bit and leave it to the holder to see to them.

use super::{TIME_SLICE, enqueue};
use crate::heap::literal::OwnedTerm;
use crate::process::context::{Ctx, Handover};
use crate::process::state::Stop;
use crate::process::{Process, handle, table};

/// A process that waits and that this thread holds; it is let go when this is dropped.
pub struct Held(&'static Process);

/// Takes hold of the process with this packed pid, if it waits.
pub fn hold(id: u64) -> Option<Held> {
    table::with(id, |p| {
        p.state.try_hold().then(|| {
            // SAFETY: a process is taken out of the table by the holder of its RUNNING bit only, and that is
            // this value from here on.
            Held(unsafe { &*std::ptr::from_ref(p) })
        })
    })
    .flatten()
    .filter(Held::is_up_to_date)
}

/// Answers a question about the process in `cx`: what `f` makes in its heap is gone afterwards. `f` must not collect
/// nor put what it makes into the process.
pub fn aside(cx: &mut Ctx<'_>, f: impl FnOnce(&mut Ctx<'_>) -> OwnedTerm) -> OwnedTerm {
    let mark = cx.heap().mark();
    let answer = f(cx);
    // SAFETY: the answer is a copy, and `f` has left nothing else that leads to what it has made.
    unsafe { cx.heap().release(&mark) };
    answer
}

impl Held {
    /// Has it handled all its signals?
    fn is_up_to_date(&self) -> bool {
        // SAFETY: this value holds the RUNNING bit.
        let own = unsafe { self.0.owned() };
        !handle::is_behind(self.0, own)
    }

    /// Lets `f` look at the process, on behalf of the one that runs in `cx`. It must not make it run.
    pub fn look<R>(&mut self, cx: &mut Ctx<'_>, f: impl FnOnce(&mut Ctx<'_>) -> R) -> R {
        // SAFETY: this value holds the RUNNING bit.
        let own = unsafe { self.0.owned() };
        let pc = own.pc;
        f(&mut Ctx {
            proc: self.0,
            own,
            x: cx.x,
            reds: TIME_SLICE,
            scheduler: cx.scheduler,
            whole: true,
            pc,
            leave: false,
            gc_reds: None,
            native: Handover::default(),
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: as in `look`.
        let own = unsafe { self.0.owned() };
        if own.exit_reason.is_some() || own.has_system_tasks() {
            self.0.state.stop_ready();
            enqueue(self.0);
        } else if self.0.state.stop_waiting() == Stop::Enqueue {
            enqueue(self.0);
        }
    }
}
