//! BIFs that must not return before every scheduler has ended the time slice that it is in: after that
//! nobody acts on what they have changed as it was before.

use enigma_runtime::process::table;
use enigma_runtime::{Ctx, Exit};
use enigma_runtime::{quiescence, sched};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Kept by the process between the calls of the BIF.
struct Barrier {
    /// Set when all have passed.
    passed: Arc<AtomicBool>,
    /// Is it the last one, or the only one?
    last: bool,
}

/// Where a BIF stands that uses a barrier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BarrierStage {
    /// It is called for the first time.
    Ahead,
    /// Others have not passed yet: it gives `Exit::Wait`.
    Waiting,
    /// All have passed the first of two: it goes on to the second.
    Between,
    /// All have passed: it gives its value.
    Passed,
}

/// Where the BIF that is being called stands.
pub fn passage(cx: &mut Ctx<'_>) -> BarrierStage {
    let Some(rare) = cx.own.rare_if_any() else {
        return BarrierStage::Ahead;
    };
    let state = &mut rare.bif_state;
    match state.as_ref().and_then(|s| s.downcast_ref::<Barrier>()) {
        None => BarrierStage::Ahead,
        Some(b) if !b.passed.load(Ordering::Acquire) => BarrierStage::Waiting,
        Some(b) => {
            let passage = if b.last {
                BarrierStage::Passed
            } else {
                BarrierStage::Between
            };
            *state = None;
            passage
        }
    }
}

/// Begins to wait; with `dirty` for the threads of dirty pools too, which may take long. What the BIF
/// returns now.
pub fn begin(cx: &mut Ctx<'_>, dirty: bool) -> Exit {
    wait(cx, dirty, true, || ())
}

/// Begins to wait, and does something when all have passed, before the BIF is called again. What the BIF returns now.
pub fn begin_with(cx: &mut Ctx<'_>, then: impl FnOnce() + Send + 'static) -> Exit {
    wait(cx, false, true, then)
}

/// Begins to wait for the first time of two. When the BIF is called again, what was ready to run before it
/// has begun.
pub fn begin_first(cx: &mut Ctx<'_>) -> Exit {
    wait(cx, false, false, || ())
}

fn wait(cx: &mut Ctx<'_>, dirty: bool, last: bool, first: impl FnOnce() + Send + 'static) -> Exit {
    let passed = Arc::new(AtomicBool::new(false));
    cx.own.rare().bif_state = Some(Box::new(Barrier {
        passed: passed.clone(),
        last,
    }));
    let me = cx.proc.id;
    let then = move || {
        first();
        passed.store(true, Ordering::Release);
        table::with(me, sched::wake);
    };
    if dirty {
        quiescence::after_all(then);
    } else {
        quiescence::after(then);
    }
    Exit::Wait
}
