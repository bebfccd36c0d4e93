//! Which processors threads may run on.

use std::io;

/// A set of processors.
#[derive(Clone, Copy)]
pub struct Processors(libc::cpu_set_t);

/// How many processors a set has room for.
const ROOM: usize = libc::CPU_SETSIZE as usize;

impl Processors {
    /// Those that the process may use: what holds of its first thread, which is never bound. Nothing where the system does not tell.
    pub fn of_process() -> Option<Processors> {
        // SAFETY: a set is an array of integers, for which zeros are a value; the system call writes at most its size.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            let size = size_of::<libc::cpu_set_t>();
            (libc::sched_getaffinity(libc::getpid(), size, &raw mut set) == 0)
                .then_some(Processors(set))
        }
    }

    /// One alone, by the number that it has in the system.
    pub fn one(number: u32) -> Option<Processors> {
        let number = usize::try_from(number).ok().filter(|&n| n < ROOM)?;
        // SAFETY: as above; the number has its place in the set.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(number, &mut set);
            Some(Processors(set))
        }
    }

    /// Their numbers.
    pub fn numbers(&self) -> Vec<u32> {
        // SAFETY: every number has its place in the set.
        let has = |&n: &usize| unsafe { libc::CPU_ISSET(n, &self.0) };
        (0..ROOM).filter(has).map(|n| n as u32).collect()
    }

    /// Lets this thread run on them only.
    pub fn bind_this_thread(&self) -> io::Result<()> {
        // SAFETY: the system call reads the set.
        let result = unsafe { libc::sched_setaffinity(0, size_of_val(&self.0), &raw const self.0) };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
