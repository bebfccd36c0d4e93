//! What threads use to tell each other something, in those parts of the runtime that are checked by a model checker.
//!
//! With `--cfg model` it is loom's, which runs the tests of `crate::models` in all orders that the memory model
//! permits; else the real one.

#[cfg(not(model))]
pub use parking_lot::{Mutex, RwLock};
#[cfg(not(model))]
pub use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

#[cfg(model)]
pub use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
#[cfg(model)]
pub use modelled::{Mutex, RwLock};

/// To be called after an access that is to be seen in one order with those of other places by all threads. The model
/// checker knows of such an order among fences only.
#[inline(always)]
pub fn in_one_order() {
    #[cfg(model)]
    fence(Ordering::SeqCst);
}

/// Loom's locks, with the functions of the real ones. A panic ends a model, so no lock is poisoned.
#[cfg(model)]
mod modelled {
    use loom::sync::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

    pub struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Mutex<T> {
            Mutex(loom::sync::Mutex::new(value))
        }

        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no thread of a model panics")
        }
    }

    pub struct RwLock<T>(loom::sync::RwLock<T>);

    impl<T> RwLock<T> {
        pub fn new(value: T) -> RwLock<T> {
            RwLock(loom::sync::RwLock::new(value))
        }

        pub fn read(&self) -> RwLockReadGuard<'_, T> {
            self.0.read().expect("no thread of a model panics")
        }

        pub fn write(&self) -> RwLockWriteGuard<'_, T> {
            self.0.write().expect("no thread of a model panics")
        }
    }
}
