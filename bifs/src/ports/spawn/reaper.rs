//! Waiting for the end of programs, whoever still wants to know of it: no zombie stays when a port is gone.

use enigma_runtime::io::{Readiness, Source, Waits, Watched};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, LazyLock, Weak};

/// Who hears of a program's end.
type Tell = Box<dyn FnOnce(i32) + Send>;

/// A program that runs: the poller says when it has ended.
struct Running {
    // The registration goes before the descriptor is closed.
    watched: Mutex<Option<Watched>>,
    descriptor: OwnedFd,
    child: Mutex<Option<(Child, Tell)>>,
}

/// The programs that run, by their process ids.
static RUNNING: LazyLock<Mutex<HashMap<u32, Arc<Running>>>> = LazyLock::new(Mutex::default);

/// Calls `tell` with the program's status when it has ended.
///
/// # Errors
/// The operating system has no room for another thread, where it has no descriptors of processes.
pub fn watch(child: Child, tell: Tell) -> io::Result<()> {
    let pid = child.id();
    let Some(descriptor) = descriptor_of(pid) else {
        return wait_in_thread(child, tell);
    };
    let running = Arc::new(Running {
        watched: Mutex::new(None),
        descriptor,
        child: Mutex::new(Some((child, tell))),
    });
    RUNNING.lock().insert(pid, running.clone());
    let source: Weak<Running> = Arc::downgrade(&running);
    match Watched::new(running.descriptor.as_raw_fd(), source, Waits::READ) {
        Ok(w) => *running.watched.lock() = Some(w),
        Err(_) => {
            RUNNING.lock().remove(&pid);
            if let Some((child, tell)) = running.child.lock().take() {
                return wait_in_thread(child, tell);
            }
        }
    }
    Ok(())
}

/// A descriptor that becomes readable when the process ends, where the system has such.
fn descriptor_of(pid: u32) -> Option<OwnedFd> {
    // SAFETY: the system call takes two numbers and gives a new descriptor or an error.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = i32::try_from(fd).ok().filter(|&fd| fd >= 0)?;
    // SAFETY: nobody else has the new descriptor.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn wait_in_thread(mut child: Child, tell: Tell) -> io::Result<()> {
    let wait = move || tell(child.wait().map_or(0, number));
    let _loosened = enigma_runtime::sched::bind::loosened();
    let thread = std::thread::Builder::new().name("port_waiter".into());
    thread.spawn(wait).map(drop)
}

/// A program's status as ports tell it: what it has ended with, or 128 and the number of the signal that ended it.
fn number(s: ExitStatus) -> i32 {
    s.code().unwrap_or_else(|| 128 + s.signal().unwrap_or(0))
}

impl Source for Running {
    fn ready(&self, _: Readiness) -> bool {
        let mut held = self.child.lock();
        let ended = match &mut *held {
            Some((child, _)) => match child.try_wait() {
                Ok(None) => None,
                Ok(Some(status)) => Some((child.id(), number(status))),
                // Somebody else has waited for it.
                Err(_) => Some((child.id(), 0)),
            },
            None => None,
        };
        let Some((pid, status)) = ended else {
            return false;
        };
        let told = held.take();
        drop(held);
        RUNNING.lock().remove(&pid);
        if let Some((_, tell)) = told {
            tell(status);
        }
        false
    }
}
