//! What can be asked of the terminal by its descriptor, and waiting for it.

use std::io;
use std::os::fd::RawFd;

/// Is the descriptor a terminal?
pub fn is_terminal(fd: RawFd) -> bool {
    // SAFETY: a query about a descriptor, which may be a bad one.
    unsafe { libc::isatty(fd) == 1 }
}

/// Columns and rows of the terminal's window, as far as they are known.
pub fn window_size(fd: RawFd) -> Option<(u16, u16)> {
    // SAFETY: the structure is plain numbers and the call fills it in.
    unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        (libc::ioctl(fd, libc::TIOCGWINSZ, &raw mut size) == 0)
            .then_some((size.ws_col, size.ws_row))
    }
}

/// Waits until something can be done with a descriptor, or no longer.
pub fn wait(fd: RawFd, events: i16) -> bool {
    wait_for(fd, events, -1)
}

/// The same for at most so many milliseconds, or without end if the number is negative.
pub(super) fn wait_for(fd: RawFd, events: i16, milliseconds: i32) -> bool {
    let mut p = libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    // SAFETY: one descriptor in a structure that lives here.
    unsafe { libc::poll(&raw mut p, 1, milliseconds) > 0 }
}

/// Waits until something can be read, unless another descriptor can be read or is closed before.
pub fn wait_unless(fd: RawFd, stop: RawFd) -> bool {
    let wish = |fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let mut both = [wish(fd), wish(stop)];
    loop {
        // SAFETY: two descriptors in an array that lives here.
        let n = unsafe { libc::poll(both.as_mut_ptr(), 2, -1) };
        if n > 0 {
            return both[1].revents == 0;
        }
        if n < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return false;
        }
    }
}
