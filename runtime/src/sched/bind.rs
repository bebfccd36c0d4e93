//! Binding of schedulers to processors.
//!
//! Whoever has a plan tells all schedulers, and each follows it at its next time slice, by itself: what is bound may be a little
//! behind the plan. Nothing else is bound: a thread or a program that a scheduler starts may run on all processors (`loosened`).

use super::{count, current_index};
use crate::errands;
use crate::sys::affinity::Processors;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

/// Stands for no processor.
const NONE: u32 = u32::MAX;

/// The processor of each scheduler, by the system's number; those that it does not name are not to be bound.
static PLAN: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// What each scheduler is bound to.
static BOUND: LazyLock<Box<[AtomicU32]>> =
    LazyLock::new(|| (0..count()).map(|_| AtomicU32::new(NONE)).collect());

/// Binds the first schedulers to these processors, and no others.
pub fn set(plan: Vec<u32>) {
    *PLAN.lock() = plan;
    errands::send(Arc::new(follow));
}

/// What the schedulers are bound to now.
pub fn bindings() -> Vec<Option<u32>> {
    let all = BOUND.iter().map(|b| b.load(Ordering::Relaxed));
    all.map(|n| (n != NONE).then_some(n)).collect()
}

/// The processor that this thread is bound to.
fn own() -> Option<(&'static AtomicU32, u32)> {
    let bound = BOUND.get(current_index()?)?;
    Some((bound, bound.load(Ordering::Relaxed)))
}

/// Has this scheduler do what the plan says of it.
pub(crate) fn follow() {
    let Some((bound, before)) = own() else {
        return;
    };
    let wanted = current_index().and_then(|i| PLAN.lock().get(i).copied());
    let wanted = wanted.unwrap_or(NONE);
    if wanted == before {
        return;
    }
    if Processors::one(wanted).is_some_and(|one| one.bind_this_thread().is_ok()) {
        bound.store(wanted, Ordering::Relaxed);
    } else if before != NONE {
        loosen();
        bound.store(NONE, Ordering::Relaxed);
    }
}

fn loosen() {
    if let Some(all) = Processors::of_process() {
        // Where that fails the thread stays where it is, and only runs less well.
        drop(all.bind_this_thread());
    }
}

/// While it is there this thread is not bound, and so what it starts is not either.
pub struct Loosened(u32);

/// See `Loosened`.
pub fn loosened() -> Loosened {
    let bound = own().map_or(NONE, |(_, n)| n);
    if bound != NONE {
        loosen();
    }
    Loosened(bound)
}

impl Drop for Loosened {
    fn drop(&mut self) {
        if self.0 != NONE
            && let Some(one) = Processors::one(self.0)
        {
            // As above.
            drop(one.bind_this_thread());
        }
    }
}
