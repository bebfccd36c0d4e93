//! The modes of the terminal.

use std::os::fd::RawFd;

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

    /// Makes them the terminal's.
    pub(super) fn put(&self, fd: RawFd) -> std::io::Result<()> {
        // SAFETY: the structure is complete.
        if unsafe { libc::tcsetattr(fd, libc::TCSANOW, &raw const self.0) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(())
    }
}
