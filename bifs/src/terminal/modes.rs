//! The modes of the terminal: what they were when the VM started, and back to that when it ends.

use super::guard;
use enigma_runtime::release;
use parking_lot::Mutex;
use std::os::fd::RawFd;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Modes of a terminal.
#[derive(Clone, Copy)]
pub struct Modes(libc::termios);

impl PartialEq for Modes {
    fn eq(&self, other: &Modes) -> bool {
        let (a, b) = (&self.0, &other.0);
        a.c_iflag == b.c_iflag
            && a.c_oflag == b.c_oflag
            && a.c_cflag == b.c_cflag
            && a.c_lflag == b.c_lflag
            && a.c_cc == b.c_cc
    }
}

impl Modes {
    /// The present ones; the error of the operating system where the descriptor is no terminal.
    pub fn of(fd: RawFd) -> std::io::Result<Modes> {
        // SAFETY: the structure is plain numbers and the call fills it in.
        unsafe {
            let mut modes: libc::termios = std::mem::zeroed();
            if libc::tcgetattr(fd, &raw mut modes) < 0 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(Modes(modes))
        }
    }

    /// Makes them the terminal's. Those of standard input before the first change are remembered for the end.
    pub fn set(&self, fd: RawFd) -> std::io::Result<()> {
        remember();
        // SAFETY: the structure is complete.
        if unsafe { libc::tcsetattr(fd, libc::TCSANOW, &raw const self.0) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(())
    }

    /// All eight bits of what is typed.
    #[must_use]
    pub fn eight_bits(mut self) -> Modes {
        self.0.c_iflag &= !libc::ISTRIP;
        self
    }

    /// By lines, with the terminal's own editing, or by characters as they are typed and sent.
    #[must_use]
    pub fn by_lines(mut self, on: bool) -> Modes {
        let m = &mut self.0;
        if on {
            m.c_iflag |= libc::ICRNL;
            m.c_lflag |= libc::ICANON;
            m.c_oflag |= libc::OPOST;
        } else {
            m.c_iflag &= !libc::ICRNL;
            m.c_lflag &= !libc::ICANON;
            m.c_oflag &= !libc::OPOST;
            m.c_cc[libc::VMIN] = 1;
            m.c_cc[libc::VTIME] = 0;
        }
        self
    }

    /// Does the terminal show what is typed?
    #[must_use]
    pub fn echo(mut self, on: bool) -> Modes {
        if on {
            self.0.c_lflag |= libc::ECHO;
        } else {
            self.0.c_lflag &= !libc::ECHO;
        }
        self
    }

    /// Do some keys make signals, and some stop and start output?
    #[must_use]
    pub fn signals(mut self, on: bool) -> Modes {
        let input = libc::BRKINT | libc::IGNPAR | libc::ICRNL | libc::IXON | libc::IXANY;
        let local = libc::ISIG | libc::IEXTEN;
        let m = &mut self.0;
        if on {
            m.c_iflag |= input;
            m.c_lflag |= local;
        } else {
            m.c_iflag &= !input;
            m.c_lflag &= !local;
        }
        self
    }

    /// The key that interrupts has no meaning of its own.
    #[must_use]
    pub fn without_interrupt_key(mut self) -> Modes {
        self.0.c_cc[libc::VINTR] = 0;
        self
    }
}

/// The modes of standard input before the VM changed any.
static INITIAL: Mutex<Option<Modes>> = Mutex::new(None);

/// Notes the modes of standard input, the first time it is called: they are put back when the VM ends.
fn remember() {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        if super::is_terminal(0)
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
        let _ = initial.set_at_end();
    }
}

/// The modes of standard input before the VM changed any, if it has.
pub fn initial() -> Option<Modes> {
    *INITIAL.lock()
}

impl Modes {
    /// Makes them the modes of standard input, and remembers nothing.
    pub(super) fn set_at_end(&self) -> std::io::Result<()> {
        // SAFETY: the structure is complete.
        if unsafe { libc::tcsetattr(0, libc::TCSANOW, &raw const self.0) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(())
    }
}
