//! Monitors that resources have on processes.

use crate::env::OwnEnv;
use crate::resource::Resource;
use enigma_runtime::Term;
use enigma_runtime::heap::Heap;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{PidKey, exit};
use enigma_runtime::reference;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::ffi::c_void;
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
}

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
    };
    WATCHES.lock().insert(reference, watch);
    resource.monitors.lock().insert(reference, process);
    let sent = signal::send(
        process,
        Signal::Monitor {
            reference,
            from: PidKey::resource(resource.number),
            name: None,
        },
    );
    if !sent && take(resource, reference) {
        return Err(NoMonitor::NoProcess);
    }
    Ok(CMonitor {
        reference,
        resource: resource.number,
        spare: [0; 2],
    })
}

fn take(resource: &Resource, reference: u64) -> bool {
    resource.monitors.lock().remove(&reference);
    WATCHES.lock().remove(&reference).is_some()
}

/// Takes a monitor away. `false` if it is none of the resource's, or has come true.
pub fn cancel(resource: &Resource, monitor: &CMonitor) -> bool {
    let process = resource.monitors.lock().remove(&monitor.reference);
    let Some(process) = process else { return false };
    let there = WATCHES.lock().remove(&monitor.reference).is_some();
    if there {
        exit::demonitor(PidKey::local(process), monitor.reference);
    }
    there
}

/// The resource ends, and monitors nothing any more.
pub fn end(resource: &Resource) {
    for (reference, process) in std::mem::take(&mut *resource.monitors.lock()) {
        if WATCHES.lock().remove(&reference).is_some() {
            exit::demonitor(PidKey::local(process), reference);
        }
    }
}

/// A process is gone that is monitored by the reference with this number.
pub fn down(reference: u64) {
    let Some(watch) = WATCHES.lock().remove(&reference) else {
        return;
    };
    let Some(resource) = watch.resource.upgrade() else {
        return;
    };
    resource.monitors.lock().remove(&reference);
    let (callbacks, library) = resource.kind().callbacks();
    let Some(call) = callbacks.down else { return };
    let mut env = OwnEnv::new(library.as_ref().map_or(std::ptr::null(), |l| Arc::as_ptr(l.library())));
    let mut pid = Term::local_pid(watch.process).raw();
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
