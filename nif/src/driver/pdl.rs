//! Port data locks: by such a lock threads of a driver use a port's queue.

use crate::c::Ptr;
use parking_lot::RawMutex;
use parking_lot::lock_api::RawMutex as _;
use std::sync::atomic::{AtomicI64, Ordering};

/// What `ErlDrvPDL` leads to.
pub struct Pdl {
    lock: RawMutex,
    references: AtomicI64,
}

/// One that the port has.
pub fn make() -> &'static Pdl {
    Box::leak(Box::new(Pdl {
        lock: RawMutex::INIT,
        references: AtomicI64::new(1),
    }))
}

/// The number of references, once it has changed by so much; without any the lock is freed.
pub fn change(p: Ptr<Pdl>, by: i64) -> i64 {
    let Some(pdl) = p.get() else { return 0 };
    let now = pdl.references.fetch_add(by, Ordering::AcqRel) + by;
    if now == 0 {
        // SAFETY: `make` has made it of a box, and nobody has a reference any more.
        drop(unsafe { Box::from_raw(p.address()) });
    }
    now
}

/// Waits for the lock.
pub fn lock(p: Ptr<Pdl>) {
    change(p, 1);
    if let Some(pdl) = p.get() {
        pdl.lock.lock();
    }
}

/// Gives the lock back.
pub fn unlock(p: Ptr<Pdl>) {
    if let Some(pdl) = p.get() {
        // SAFETY: the thread has it: that is the driver's part.
        unsafe { pdl.lock.unlock() };
    }
    change(p, -1);
}
