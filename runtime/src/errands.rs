//! What every thread that runs processes is to do once, itself: schedulers between two time slices, threads of dirty pools between
//! two calls. Threads that there are not yet have nothing to do: a pool's thread that has not begun has run no code.

use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Done by each thread, and dropped by the last one.
pub type Errand = Arc<dyn Fn() + Send + Sync>;

/// The errands of a thread.
pub struct Errands {
    list: Mutex<Vec<Errand>>,
    waiting: AtomicBool,
    /// Makes the thread look, if it sleeps.
    wake: Box<dyn Fn() + Send + Sync>,
}

static THREADS: Mutex<Vec<Arc<Errands>>> = Mutex::new(Vec::new());

/// The errands of the calling thread, which does not end. `wake` is called when there is one.
pub fn register(wake: impl Fn() + Send + Sync + 'static) -> Arc<Errands> {
    let errands = Arc::new(Errands {
        list: Mutex::default(),
        waiting: AtomicBool::new(false),
        wake: Box::new(wake),
    });
    THREADS.lock().push(errands.clone());
    errands
}

/// Sends all threads.
pub fn send(errand: Errand) {
    let threads = THREADS.lock().clone();
    for thread in &threads {
        thread.list.lock().push(errand.clone());
        thread.waiting.store(true, Ordering::SeqCst);
        (thread.wake)();
    }
}

impl Errands {
    /// Are there any?
    #[inline]
    pub fn are_waiting(&self) -> bool {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Does what there is to do.
    #[inline]
    pub fn run(&self) {
        if self.are_waiting() {
            self.run_all();
        }
    }

    #[cold]
    fn run_all(&self) {
        self.waiting.store(false, Ordering::SeqCst);
        let list = std::mem::take(&mut *self.list.lock());
        for errand in list {
            errand();
        }
    }
}
