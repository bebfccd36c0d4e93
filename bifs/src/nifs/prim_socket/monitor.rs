//! Monitors that sockets have on their owners and on the processes that wait for them.

use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{PidKey, exit};
use enigma_runtime::reference;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{LazyLock, Weak};

/// Who is told.
pub trait Monitoring: Send + Sync {
    /// The process with this packed pid is gone.
    fn process_gone(&self, process: u64);
}

/// A monitor that has not come true.
struct Watch {
    socket: Weak<dyn Monitoring>,
    process: u64,
}

/// Monitors by the numbers of their references.
static WATCHES: LazyLock<Mutex<HashMap<u64, Watch>>> = LazyLock::new(Mutex::default);

/// A monitor on a process, until this is dropped.
pub struct SocketMonitor {
    reference: u64,
    process: u64,
}

/// Lets a socket, whose reference has this number, monitor the process with this packed pid. Nothing if there is none.
pub fn begin(socket: Weak<dyn Monitoring>, number: u64, process: u64) -> Option<SocketMonitor> {
    let reference = reference::fresh();
    let watch = Watch { socket, process };
    WATCHES.lock().insert(reference, watch);
    let monitor = Signal::Monitor {
        reference,
        from: PidKey::resource(number),
        name: None,
    };
    if !signal::send(process, monitor) {
        WATCHES.lock().remove(&reference);
        return None;
    }
    Some(SocketMonitor { reference, process })
}

impl Drop for SocketMonitor {
    fn drop(&mut self) {
        let there = WATCHES.lock().remove(&self.reference).is_some();
        if there {
            exit::demonitor(PidKey::local(self.process), self.reference);
        }
    }
}

/// A process is gone that is monitored by the reference with this number. `false` if no socket does.
pub fn down(reference: u64) -> bool {
    let watch = WATCHES.lock().remove(&reference);
    let Some(watch) = watch else { return false };
    if let Some(socket) = watch.socket.upgrade() {
        socket.process_gone(watch.process);
    }
    true
}
