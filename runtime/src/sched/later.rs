//! What a thread leaves for later while it deals with many small things: what is to go to other nodes goes at the end of a time
//! slice, so that one system call takes what was sent in it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Something that can be done once for many.
pub trait Postponed: Send + Sync {
    /// Does it.
    fn perform(&self);
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static LEFT: RefCell<Vec<Arc<dyn Postponed>>> = const { RefCell::new(Vec::new()) };
}

/// As long as it is there things are left for later; the outermost one does them when it goes.
pub struct Gathering(());

impl Gathering {
    /// Begins on this thread.
    #[inline]
    pub fn begin() -> Gathering {
        DEPTH.set(DEPTH.get() + 1);
        Gathering(())
    }
}

impl Drop for Gathering {
    #[inline]
    fn drop(&mut self) {
        let depth = DEPTH.get() - 1;
        DEPTH.set(depth);
        if depth == 0 && is_left() {
            perform();
        }
    }
}

/// Leaves it for later if this thread does so. `false`: it is to be done at once.
pub fn leave<T: Postponed + 'static>(what: &Arc<T>) -> bool {
    if DEPTH.get() == 0 {
        return false;
    }
    LEFT.with_borrow_mut(|left| {
        let what: Arc<dyn Postponed> = what.clone();
        if !left.iter().any(|l| Arc::ptr_eq(l, &what)) {
            left.push(what);
        }
    });
    true
}

/// Is anything left?
#[inline]
pub fn is_left() -> bool {
    LEFT.with_borrow(|left| !left.is_empty())
}

/// Does what was left.
#[cold]
pub fn perform() {
    for what in LEFT.take() {
        what.perform();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Count(AtomicU32);

    impl Postponed for Count {
        fn perform(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn what_is_left_is_done_once_by_the_outermost() {
        let (a, b) = (Arc::new(Count(0.into())), Arc::new(Count(0.into())));
        let counts = || (a.0.load(Ordering::Relaxed), b.0.load(Ordering::Relaxed));
        assert!(!leave(&a));
        {
            let _outer = Gathering::begin();
            assert!(leave(&a) && leave(&b) && leave(&a));
            {
                let _inner = Gathering::begin();
                assert!(leave(&a));
            }
            assert_eq!(counts(), (0, 0));
            perform();
            assert_eq!(counts(), (1, 1));
            assert!(leave(&b));
        }
        assert_eq!(counts(), (1, 2));
    }
}
