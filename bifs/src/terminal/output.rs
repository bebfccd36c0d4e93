//! Writing to the terminal.

use super::descriptor::wait;
use super::initial;
use std::io;
use std::os::fd::RawFd;

/// Writes everything, waiting where the descriptor would not.
pub fn write_all(fd: RawFd, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        initial::stop_at_end();
        // SAFETY: the slice is readable.
        let n = unsafe { libc::write(fd, rest.as_ptr().cast(), rest.len()) };
        if n >= 0 {
            rest = &rest[n as usize..];
            continue;
        }
        let e = io::Error::last_os_error();
        match e.kind() {
            io::ErrorKind::Interrupted => {}
            io::ErrorKind::WouldBlock => {
                wait(fd, libc::POLLOUT);
            }
            _ => return Err(e),
        }
    }
    Ok(())
}
