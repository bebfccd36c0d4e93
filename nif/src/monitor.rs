//! Monitors that resources have on processes.
//!
//! What a type has for that is called by whoever ends the process. Signals to a process that is gone are answered where they are sent,
//! so a function of the interface that sends one could find itself calling a library that holds a lock of its own. It never does: a
//! monitor that is being made is given up instead (`enif_monitor_process` tells that there is no process), and any other call that
//! comes up meanwhile is left to a thread (`without_calls`).

use crate::env::OwnEnv;
use crate::resource::Resource;
use enigma_runtime::Term;
use enigma_runtime::heap::Heap;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{PidKey, exit};
use enigma_runtime::reference;
use parking_lot::Mutex;
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, LazyLock, Weak};

/// `ErlNifMonitor`: the number of the monitor's reference, and that of its resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C)]
pub struct CMonitor {
    reference: u64,
    resource: u64,
    spare: [u64; 2],
}

/// A monitor that has not come true.
struct Watch {
    resource: Weak<Resource>,
    process: u64,
    /// Is it still being made?
    is_fresh: bool,
}

thread_local! {
    /// Is this thread in a function that must not call a library?
    static IN_FUNCTION: Cell<bool> = const { Cell::new(false) };
}

/// Sends what a library has asked for, without a call of a library.
pub fn without_calls<R>(send: impl FnOnce() -> R) -> R {
    let before = IN_FUNCTION.replace(true);
    let result = send();
    IN_FUNCTION.set(before);
    result
}

/// A monitor's reference, the resource that is to be told, and the process that is gone.
type Gone = (u64, Arc<Resource>, u64);

/// Has a thread tell resources of processes that are gone.
static LATER: LazyLock<Option<Sender<Gone>>> = LazyLock::new(|| {
    let (send, receive) = mpsc::channel::<Gone>();
    let _loosened = enigma_runtime::sched::bind::loosened();
    let thread = std::thread::Builder::new().name("nif_callbacks".to_string());
    let started = thread.spawn(move || {
        receive
            .iter()
            .for_each(|(r, resource, p)| tell(r, &resource, p))
    });
    started.is_ok().then_some(send)
});

/// Monitors by the numbers of their references.
static WATCHES: LazyLock<Mutex<HashMap<u64, Watch>>> = LazyLock::new(Mutex::default);

/// Why there is no monitor.
pub enum NoMonitor {
    /// The type has nothing to call.
    NoCallback,
    /// There is no such process.
    NoProcess,
}

/// Lets a resource monitor the process with this packed pid.
pub fn begin(resource: &Arc<Resource>, process: u64) -> Result<CMonitor, NoMonitor> {
    if resource.kind().callbacks().0.down.is_none() {
        return Err(NoMonitor::NoCallback);
    }
    // Who asks a process by what it is monitored gets references that hold the resource.
    resource.note();
    let reference = reference::fresh();
    let watch = Watch {
        resource: Arc::downgrade(resource),
        process,
        is_fresh: true,
    };
    WATCHES.lock().insert(reference, watch);
    resource.monitors.lock().insert(reference, process);
    without_calls(|| {
        let from = PidKey::resource(resource.number);
        let monitor = Signal::Monitor {
            reference,
            from,
            name: None,
        };
        if !signal::send(process, monitor) {
            down(reference);
        }
    });
    let mut watches = WATCHES.lock();
    let Some(watch) = watches.get_mut(&reference) else {
        drop(watches);
        resource.monitors.lock().remove(&reference);
        return Err(NoMonitor::NoProcess);
    };
    watch.is_fresh = false;
    drop(watches);
    Ok(CMonitor {
        reference,
        resource: resource.number,
        spare: [0; 2],
    })
}

/// Takes a monitor away. `false` if it is none of the resource's, or has come true.
pub fn cancel(resource: &Resource, monitor: &CMonitor) -> bool {
    let process = resource.monitors.lock().remove(&monitor.reference);
    let Some(process) = process else { return false };
    let there = WATCHES.lock().remove(&monitor.reference).is_some();
    if there {
        without_calls(|| exit::demonitor(PidKey::local(process), monitor.reference));
    }
    there
}

/// The resource ends, and monitors nothing any more.
pub fn end(resource: &Resource) {
    let all = std::mem::take(&mut *resource.monitors.lock());
    for (reference, process) in all {
        if WATCHES.lock().remove(&reference).is_some() {
            without_calls(|| exit::demonitor(PidKey::local(process), reference));
        }
    }
}

/// A process is gone that is monitored by the reference with this number. `false` if no library's resource does.
pub fn down(reference: u64) -> bool {
    let mut watches = WATCHES.lock();
    let Some(watch) = watches.remove(&reference) else {
        return false;
    };
    // Who finds the monitor gone from here on counts on the call: the resource stays until then.
    let resource = watch.resource.upgrade();
    drop(watches);
    let Some(resource) = resource.filter(|_| !watch.is_fresh) else {
        return true;
    };
    match &*LATER {
        Some(later) if IN_FUNCTION.get() => {
            // The thread ends with the program.
            let _ = later.send((reference, resource, watch.process));
        }
        _ => tell(reference, &resource, watch.process),
    }
    true
}

/// Calls what the resource's type has for a process that is gone.
fn tell(reference: u64, resource: &Resource, process: u64) {
    resource.monitors.lock().remove(&reference);
    let (callbacks, library) = resource.kind().callbacks();
    let Some(call) = callbacks.down else { return };
    let mut env = OwnEnv::new(
        library
            .as_ref()
            .map_or(std::ptr::null(), |l| Arc::as_ptr(l.library())),
    );
    let mut pid = Term::local_pid(process).raw();
    let mut monitor = CMonitor {
        reference,
        resource: resource.number,
        spare: [0; 2],
    };
    let pid: *mut c_void = std::ptr::from_mut(&mut pid).cast();
    let monitor: *mut c_void = std::ptr::from_mut(&mut monitor).cast();
    call(env.as_ptr(), resource.object(), pid, monitor);
}

impl CMonitor {
    /// Its reference as a term.
    pub fn to_term(self, heap: &mut Heap) -> Term {
        heap.reference(self.reference, 0)
    }
}
