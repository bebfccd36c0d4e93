//! Giving back literal areas that nothing loaded refers to any more: those of purged modules and of
//! persistent terms that were replaced or erased.
//!
//! Processes may still hold pointers into such an area. What else may hold them is only what lies in
//! front of a process: messages. (Tables, timers and whatever else keeps terms copy literals too, see
//! `OwnedTerm::new`.) Areas go through these steps, which the system process
//! `erts_literal_area_collector` takes:
//!
//! ```text
//! retire      the areas join the queue; the collector is told
//! begin_next  all areas of the queue become the *releasing* ones: from here on a copy of a term copies
//!             what lies in them, like any other term
//!             every thread ends its time slice: no message that still shares their literals is under way
//!             each process copies what it holds of them (`process::literals`)
//! begin_next  the areas are freed
//! ```
//!
//! A message sent before the first `begin_next` lies in its receiver's queue before the request to copy
//! does, so the receiver finds it; a message sent later has no pointer into the areas.

use super::literal::LiteralArea;
use crate::quiescence;
use crate::term::Term;
use parking_lot::Mutex;
use std::any::Any;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What is to be freed when no process refers to its literals.
pub struct Retired {
    /// The literals.
    pub areas: Vec<LiteralArea>,
    /// Whatever goes together with them.
    pub also: Option<Box<dyn Any + Send>>,
}

/// The address ranges that are being released.
#[derive(Debug)]
pub struct Ranges {
    low: usize,
    length: usize,
    /// Start and end of each, ascending.
    each: Box<[(usize, usize)]>,
}

impl Ranges {
    fn of(retired: &[Retired]) -> Ranges {
        let mut each: Vec<(usize, usize)> = retired
            .iter()
            .flat_map(|r| &r.areas)
            .map(LiteralArea::bounds)
            .filter(|(start, end)| start < end)
            .collect();
        each.sort_unstable();
        let low = each.first().map_or(0, |r| r.0);
        let high = each.last().map_or(0, |r| r.1);
        Ranges {
            low,
            length: high - low,
            each: each.into_boxed_slice(),
        }
    }

    /// Does the address lie in one of them?
    #[inline]
    pub fn hold(&self, address: usize) -> bool {
        address.wrapping_sub(self.low) < self.length && {
            let i = self.each.partition_point(|r| r.0 <= address);
            i > 0 && address < self.each[i - 1].1
        }
    }

    /// Does the term point into one of them?
    #[inline]
    pub fn hold_term(&self, t: Term) -> bool {
        (t.is_cons() || t.is_boxed()) && self.hold(t.ptr() as usize)
    }
}

static QUEUE: Mutex<Vec<Retired>> = Mutex::new(Vec::new());
static RELEASING: AtomicPtr<Ranges> = AtomicPtr::new(std::ptr::null_mut());
/// What belongs to the ranges in `RELEASING`.
static BATCH: Mutex<Vec<Retired>> = Mutex::new(Vec::new());
/// Tells who takes the steps that there is something in the queue.
static COLLECTOR: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();

/// Sets how the one who takes the steps is told that there is something to do; the first call wins.
pub fn set_collector(tell: impl Fn() + Send + Sync + 'static) {
    let _ = COLLECTOR.set(Box::new(tell));
}

/// The ranges that are being released now. The reference holds for the time slice.
#[inline]
pub fn current<'a>() -> Option<&'a Ranges> {
    // SAFETY: ranges are freed when every thread that ran at the time of their replacement has ended its
    // time slice, and this is called inside one.
    unsafe { RELEASING.load(Ordering::SeqCst).as_ref() }
}

/// Hands over areas that no table leads to any more.
pub fn retire(retired: Retired) {
    if retired.areas.iter().all(|a| a.words() == 0) {
        // Nobody can point into an area of no words; the rest may still be looked at in this time slice.
        quiescence::after(move || drop(retired));
        return;
    }
    QUEUE.lock().push(retired);
    if let Some(tell) = COLLECTOR.get() {
        tell();
    }
}

/// Frees the areas that were being released, to which no process refers any more, and takes up those of
/// the queue. `false` if there are none. Otherwise the caller waits until every thread has ended its
/// time slice before it goes on.
pub fn begin_next() -> bool {
    let mut batch = BATCH.lock();
    let next = std::mem::take(&mut *QUEUE.lock());
    let any = !next.is_empty();
    let ranges = if any {
        Box::into_raw(Box::new(Ranges::of(&next)))
    } else {
        std::ptr::null_mut()
    };
    let done = Done(RELEASING.swap(ranges, Ordering::SeqCst));
    drop(std::mem::replace(&mut *batch, next));
    quiescence::after(move || drop(done));
    any
}

/// Ranges that are no longer in force; freed when dropped.
struct Done(*mut Ranges);

// SAFETY: the ranges belong to this value alone.
unsafe impl Send for Done {}

impl Drop for Done {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: made by `begin_next` from a box, and taken out of `RELEASING`.
            drop(unsafe { Box::from_raw(self.0) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::Heap;

    #[test]
    fn ranges_hold_what_lies_in_them() {
        let mut h = Heap::new();
        let list = h.char_list("some characters");
        let areas: Vec<LiteralArea> = (0..5).map(|_| LiteralArea::copy_of(&mut [list])).collect();
        let bounds: Vec<(usize, usize)> = areas.iter().map(LiteralArea::bounds).collect();
        let (mut odd, mut even) = (Vec::new(), Vec::new());
        for (i, a) in areas.into_iter().enumerate() {
            if i % 2 == 0 {
                even.push(a)
            } else {
                odd.push(a)
            }
        }
        let r = Ranges::of(&[Retired {
            areas: odd,
            also: None,
        }]);
        for (i, (start, end)) in bounds.into_iter().enumerate() {
            assert_eq!(r.hold(start), i % 2 == 1);
            assert_eq!(r.hold(end - 1), i % 2 == 1);
        }
        assert!(!Ranges::of(&[]).hold(0));
        drop(even);
    }
}
