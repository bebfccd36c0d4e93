//! Who may read what is typed: everybody who does, unless the break menu is open.

use super::descriptor;
use parking_lot::{Condvar, Mutex};
use std::os::fd::RawFd;

static PAUSED: Mutex<bool> = Mutex::new(false);
static RESUMED: Condvar = Condvar::new();

/// While it lives nobody else is told that there is input.
pub struct Pause(());

/// Takes the input away from its readers.
pub fn pause() -> Pause {
    *PAUSED.lock() = true;
    Pause(())
}

impl Drop for Pause {
    fn drop(&mut self) {
        *PAUSED.lock() = false;
        RESUMED.notify_all();
    }
}

/// Waits as long as somebody else has the input. Had somebody?
fn wait_for_turn() -> bool {
    let mut paused = PAUSED.lock();
    let had = *paused;
    while *paused {
        RESUMED.wait(&mut paused);
    }
    had
}

/// Waits until something can be read by who does not have the input to himself.
pub fn wait(fd: RawFd) -> bool {
    loop {
        let ready = descriptor::wait(fd, libc::POLLIN);
        if !wait_for_turn() {
            return ready;
        }
    }
}

/// The same, unless another descriptor can be read or is closed before.
pub fn wait_unless(fd: RawFd, stop: RawFd) -> bool {
    loop {
        let ready = descriptor::wait_unless(fd, stop);
        if !wait_for_turn() {
            return ready;
        }
    }
}
