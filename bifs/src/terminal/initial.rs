//! What the modes of the terminal were when the VM started, and back to that when it ends.

use super::descriptor::is_terminal;
use super::guard;
use super::modes::Modes;
use enigma_runtime::release;
use parking_lot::Mutex;
use std::os::fd::RawFd;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// The modes of standard input before the VM changed any.
static INITIAL: Mutex<Option<Modes>> = Mutex::new(None);

/// Notes the modes of standard input, the first time it is called: they are put back when the VM ends.
fn remember() {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        if is_terminal(0)
            && let Ok(modes) = Modes::of(0)
        {
            *INITIAL.lock() = Some(modes);
            if release::terminal_is_guarded() {
                // Without it the modes are not put back when the VM is killed.
                let _ = guard::start();
            }
            // SAFETY: the function is part of this program, and what it touches lives as long as the program.
            // It can only fail for lack of memory; then the modes stay as they are.
            unsafe { libc::atexit(at_exit) };
        }
    });
}

/// Does the terminal belong to somebody else again?
static ENDED: AtomicBool = AtomicBool::new(false);

/// Never returns if the VM is ending and the terminal has its modes back: what is written for the modes that the
/// VM uses would come out wrong.
pub fn stop_at_end() {
    while ENDED.load(Ordering::Relaxed) {
        std::thread::park();
    }
}

extern "C" fn at_exit() {
    restore();
}

/// Puts the modes back that standard input had before the VM changed any.
pub fn restore() {
    // Without waiting: who holds the lock may be the thread that is ending the VM.
    if let Some(initial) = INITIAL.try_lock().and_then(|m| *m) {
        ENDED.store(true, Ordering::Relaxed);
        guard::dismiss();
        // The terminal may be gone; there is nobody left to tell.
        let _ = initial.put(0);
    }
}

/// The modes of standard input before the VM changed any, if it has.
pub fn modes() -> Option<Modes> {
    *INITIAL.lock()
}

impl Modes {
    /// Makes them the terminal's. Those of standard input before the first change are remembered for the end.
    pub fn set(&self, fd: RawFd) -> std::io::Result<()> {
        remember();
        self.put(fd)
    }
}
