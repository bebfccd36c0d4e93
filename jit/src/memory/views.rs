//! One piece of memory at two addresses: where it is written and where it is executed.
//!
//! Memory without a name is mapped twice, so that no page is ever writable and executable at the same address, no protection
//! ever changes, and who writes does not disturb who executes. Pages become memory when code is first written to them.

use memmap2::{Mmap, MmapMut, MmapOptions};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};

/// Pages become memory in steps of this many bytes.
const STEP: usize = 256 << 10;

/// The two views.
#[derive(Debug)]
pub struct Views {
    file: File,
    writable: MmapMut,
    executable: Mmap,
    /// So many bytes from the start are memory.
    backed: usize,
}

impl Views {
    /// Reserves addresses for `length` bytes, a multiple of the step.
    pub fn new(length: usize) -> io::Result<Views> {
        debug_assert!(length.is_multiple_of(STEP));
        let file = unnamed_file()?;
        file.set_len(length as u64)?;
        let mut options = MmapOptions::new();
        options.len(length).no_reserve_swap();
        // SAFETY: nobody else has the file, so nobody cuts it or writes to it. The views are only given out by `write` and
        // `read`, whose callers see to it that no slice of one lives while a slice of the other changes.
        let (writable, executable) = unsafe { (options.map_mut(&file)?, options.map_exec(&file)?) };
        Ok(Views {
            file,
            writable,
            executable,
            backed: 0,
        })
    }

    /// Sees to it that the first `end` bytes are memory. Without this, a page that the system cannot provide would
    /// be a signal when it is written.
    pub fn back(&mut self, end: usize) -> io::Result<()> {
        let end = end.next_multiple_of(STEP).min(self.writable.len());
        if end > self.backed {
            let (start, length) = (self.backed as i64, (end - self.backed) as i64);
            // SAFETY: a call with a descriptor that is open.
            match unsafe { libc::posix_fallocate(self.file.as_raw_fd(), start, length) } {
                0 => self.backed = end,
                error => return Err(io::Error::from_raw_os_error(error)),
            }
        }
        Ok(())
    }

    /// Address of the executable view.
    pub fn executable(&self) -> u64 {
        self.executable.as_ptr() as u64
    }

    /// The bytes to be executed, where they can be read.
    pub fn read(&self, start: usize, length: usize) -> &[u8] {
        &self.executable[start..start + length]
    }

    /// The bytes to be executed, where they can be written.
    pub fn write(&mut self, start: usize, length: usize) -> &mut [u8] {
        &mut self.writable[start..start + length]
    }
}

/// A file in memory that has no name and that nobody can execute as a program.
fn unnamed_file() -> io::Result<File> {
    let create = |flags| {
        // SAFETY: a call with a text that ends in 0.
        match unsafe { libc::memfd_create(c"enigma code".as_ptr(), flags) } {
            -1 => Err(io::Error::last_os_error()),
            // SAFETY: the descriptor is new and nobody else's.
            descriptor => Ok(unsafe { File::from_raw_fd(descriptor) }),
        }
    };
    // Kernels before 6.3 do not know the second flag; later ones may insist on it.
    create(libc::MFD_CLOEXEC | libc::MFD_NOEXEC_SEAL).or_else(|_| create(libc::MFD_CLOEXEC))
}
