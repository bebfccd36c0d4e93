//! `driver_async`: calls in threads that may take their time. Calls with the same key are made in order.

use super::pdl::{self, Pdl};
use super::port::DriverPort;
use crate::c::Ptr;
use enigma_bifs::ports::loaded;
use enigma_bifs::system::facts::facts;
use std::ffi::c_void;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, LazyLock};

/// A function that is called with what the driver has given.
pub type AsyncFn = extern "C" fn(*mut c_void);

/// What a driver has given.
struct Given(*mut c_void);

// SAFETY: the driver hands it to another thread.
unsafe impl Send for Given {}

/// A call that is to be made.
struct AsyncCall {
    port: Arc<DriverPort>,
    invoke: AsyncFn,
    given: Given,
    free: Option<AsyncFn>,
    _pdl: Option<PdlReference>,
}

/// Keeps the lock of the port's queue, which the function may use though the port is gone.
struct PdlReference(&'static Pdl);

impl PdlReference {
    fn of(port: &DriverPort) -> Option<PdlReference> {
        let slot = port.pdl.lock();
        slot.map(|pdl| {
            pdl::change(Ptr::to(std::ptr::from_ref(pdl).cast_mut()), 1);
            PdlReference(pdl)
        })
    }
}

impl Drop for PdlReference {
    fn drop(&mut self) {
        pdl::change(Ptr::to(std::ptr::from_ref(self.0).cast_mut()), -1);
    }
}

impl AsyncCall {
    fn run(self) {
        (self.invoke)(self.given.0);
        let AsyncCall {
            port, given, free, ..
        } = self;
        let name = port.driver.name.clone();
        let lock = port.lock.clone();
        lock.post(Box::new(move || {
            let Given(p) = { given };
            let is_taken = port.call(None, |data| port.async_done(data, p));
            if is_taken != Some(true)
                && let Some(free) = free
            {
                free(p);
            }
            drop(port);
            loaded::unpin(&name);
        }));
    }
}

/// Threads, each with its queue.
static THREADS: LazyLock<Vec<Sender<AsyncCall>>> = LazyLock::new(|| {
    let count = facts().async_threads;
    let _loosened = enigma_runtime::sched::bind::loosened();
    let start = |n: u32| {
        let (send, receive) = mpsc::channel::<AsyncCall>();
        let thread = std::thread::Builder::new().name(format!("async_{n}"));
        let started = thread.spawn(move || receive.iter().for_each(AsyncCall::run));
        started.ok().map(|_| send)
    };
    (1..=count).filter_map(start).collect()
});

static NEXT: AtomicI64 = AtomicI64::new(1);

/// Has a function called in a thread: the number of the call, and the place of the thread.
pub fn begin(
    port: &Arc<DriverPort>,
    key: Option<u32>,
    invoke: AsyncFn,
    given: *mut c_void,
    free: Option<AsyncFn>,
) -> (i64, u32) {
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let call = AsyncCall {
        port: port.clone(),
        invoke,
        given: Given(given),
        free,
        _pdl: PdlReference::of(port),
    };
    loaded::pin(&port.driver.name);
    let count = THREADS.len() as u64;
    let place = key.map_or(id as u64, u64::from).checked_rem(count);
    let thread = place.and_then(|p| THREADS.get(p as usize));
    match thread {
        // A thread ends with the program.
        Some(t) => _ = t.send(call),
        None => call.run(),
    }
    (id, place.unwrap_or(0) as u32)
}
