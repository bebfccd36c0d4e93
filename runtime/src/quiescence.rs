//! Quiescent points: when has every thread that ran Erlang code at some moment stopped running it since?
//!
//! Between two processes a thread holds no reference to code, to literals or to a set of areas that it
//! looked up. So what has been taken out of all tables can be freed as soon as each thread that was
//! inside a time slice at that moment has ended it. A thread notes when it enters and leaves a slice;
//! whoever wants to free something waits for those that are inside (`after`).
//!
//! Threads of dirty pools hold nothing of that kind (see `dirty`), so nobody waits for them to free memory;
//! only who blocks multi-scheduling waits for them too (`after_all`). The thread that compiles to native code looks at
//! functions, and is waited for like a scheduler.
//!
//! The epochs that protect process records (see `process::table`) are another scheme for another need. Any
//! thread looks up pids, also those of ports, timers and pools, which run no slices; a record is freed some
//! time, and nobody waits for that. Here somebody does wait (a purge, a load): nothing tells when epochs
//! advance, whereas the last thread to pass does the waiting work here, and nobody polls.

use crate::sys::sync::{AtomicU64, AtomicUsize, Mutex, Ordering, RwLock, fence, in_one_order};
use std::sync::{Arc, LazyLock};

/// The passages of one thread. On a cache line of its own, because its thread writes to it all the time.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct Passage {
    entered: AtomicU64,
    left: AtomicU64,
}

/// What a thread does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It runs time slices.
    Scheduler,
    /// It runs calls of a dirty pool.
    Pool,
    /// It compiles functions, whose records it looks at.
    Compiler,
}

/// Something that waits for threads.
struct Waiting {
    /// Threads that were inside, with the passage they were on.
    inside: Vec<(Arc<Passage>, u64)>,
    then: Box<dyn FnOnce() + Send>,
}

/// Threads, and what waits for them. The VM has one of these (`register`, `after`, ...).
pub(crate) struct Domain {
    /// The passages of all threads. They never end.
    passages: RwLock<Vec<(Role, Arc<Passage>)>>,
    waiting: Mutex<Vec<Waiting>>,
    /// Length of `waiting`, to look at without the lock.
    count: AtomicUsize,
}

static DOMAIN: LazyLock<Domain> = LazyLock::new(Domain::new);

impl Passage {
    /// Notes that a time slice, or a call in a dirty pool, begins. What the thread reads from here on is not older than this.
    #[inline]
    pub fn enter(&self) {
        self.entered.fetch_add(1, Ordering::SeqCst);
        in_one_order();
    }

    /// Notes that the time slice is over, and does what has waited for it.
    #[inline]
    pub fn leave(&self) {
        self.leave_in(&DOMAIN);
    }

    #[inline]
    pub(crate) fn leave_in(&self, domain: &Domain) {
        let n = self.entered.load(Ordering::Relaxed);
        self.left.store(n, Ordering::Release);
        if domain.count.load(Ordering::Relaxed) != 0 {
            domain.look();
        }
    }

    /// Number of slices begun.
    pub fn count(&self) -> u64 {
        self.entered.load(Ordering::Relaxed)
    }

    /// Is the thread inside a slice?
    pub fn is_inside(&self) -> bool {
        !self.has_left(self.count())
    }

    fn has_left(&self, passage: u64) -> bool {
        self.left.load(Ordering::SeqCst) >= passage
    }
}

impl Domain {
    pub(crate) fn new() -> Domain {
        Domain {
            passages: RwLock::new(Vec::new()),
            waiting: Mutex::new(Vec::new()),
            count: AtomicUsize::new(0),
        }
    }

    pub(crate) fn register(&self, role: Role) -> Arc<Passage> {
        let p = Arc::new(Passage::default());
        self.passages.write().push((role, p.clone()));
        p
    }

    pub(crate) fn wait(&self, pools: bool, then: Box<dyn FnOnce() + Send>) {
        fence(Ordering::SeqCst);
        let inside = self
            .passages
            .read()
            .iter()
            .filter(|(role, _)| pools || *role != Role::Pool)
            .map(|(_, p)| (p.clone(), p.entered.load(Ordering::SeqCst)))
            .filter(|(p, passage)| !p.has_left(*passage))
            .collect();
        self.waiting.lock().push(Waiting { inside, then });
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// Before a thread goes to sleep: nobody else may come by to do what has waited for its last slice.
    pub(crate) fn before_sleep(&self) {
        fence(Ordering::SeqCst);
        if self.count.load(Ordering::SeqCst) != 0 {
            self.look();
        }
    }

    #[cold]
    fn look(&self) {
        fence(Ordering::SeqCst);
        let ready: Vec<Waiting> = self
            .waiting
            .lock()
            .extract_if(.., |w| {
                w.inside.iter().all(|(p, passage)| p.has_left(*passage))
            })
            .collect();
        self.count.fetch_sub(ready.len(), Ordering::SeqCst);
        for w in ready {
            (w.then)();
        }
    }
}

/// The passages of a new thread.
pub fn register(role: Role) -> Arc<Passage> {
    DOMAIN.register(role)
}

/// Does `then` when every scheduler and compiler that is inside a time slice, or at work, now has left it. A caller that is inside
/// one itself is waited for like the others.
pub fn after(then: impl FnOnce() + Send + 'static) {
    DOMAIN.wait(false, Box::new(then));
}

/// The same with the threads of dirty pools, where a call may last for ever.
pub fn after_all(then: impl FnOnce() + Send + 'static) {
    DOMAIN.wait(true, Box::new(then));
}

/// Does anybody wait for threads to pass?
pub fn is_awaited() -> bool {
    DOMAIN.count.load(Ordering::Relaxed) != 0
}

/// Before a thread goes to sleep: nobody else may come by to do what has waited for its last slice.
pub fn before_sleep() {
    DOMAIN.before_sleep();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn waits_for_those_inside_only() {
        let (a, b) = (register(Role::Pool), register(Role::Pool));
        let done = Arc::new(AtomicBool::new(false));
        a.enter();
        let flag = done.clone();
        after_all(move || flag.store(true, Ordering::Relaxed));
        b.enter();
        b.leave();
        assert!(!done.load(Ordering::Relaxed), "one thread is still inside");
        b.enter();
        a.leave();
        assert!(
            done.load(Ordering::Relaxed),
            "who came later does not count"
        );
        b.leave();
    }
}
