//! Waiting for a poll set of Linux in several threads at once, which the library's way of waiting does not offer.

use crate::io::Readiness;
use std::os::fd::RawFd;
use std::time::Duration;

/// Events that are taken at once.
#[cfg(target_os = "linux")]
const EVENTS: usize = 64;

/// What a thread has been told: the tokens and what has become of their descriptors.
pub struct Events {
    #[cfg(target_os = "linux")]
    room: [libc::epoll_event; EVENTS],
    #[cfg(target_os = "linux")]
    count: usize,
}

#[cfg(not(target_os = "linux"))]
impl Events {
    /// None: the system has no such sets.
    pub fn new() -> Option<Events> {
        None
    }

    /// Waits for nothing.
    pub fn wait(&mut self, _: RawFd, _: Option<Duration>) {}

    /// None.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Readiness)> + '_ {
        std::iter::empty()
    }
}

#[cfg(target_os = "linux")]
impl Events {
    /// Nothing so far.
    pub fn new() -> Option<Events> {
        Some(Events {
            room: [libc::epoll_event { events: 0, u64: 0 }; EVENTS],
            count: 0,
        })
    }

    /// Waits until something is ready, or for so long. What the set's library has registered has its token with it.
    pub fn wait(&mut self, set: RawFd, timeout: Option<Duration>) {
        self.count = wait(set, &mut self.room, timeout);
    }

    /// Those told last.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Readiness)> + '_ {
        self.room[..self.count].iter().map(|e| {
            let (flags, token) = (e.events, e.u64);
            (token as usize, readiness(flags))
        })
    }
}

#[cfg(target_os = "linux")]
fn readiness(flags: u32) -> Readiness {
    let has = |flag: i32| flags & flag as u32 != 0;
    let error = has(libc::EPOLLERR);
    let hung_up = has(libc::EPOLLHUP);
    let ended = hung_up || error || has(libc::EPOLLIN) && has(libc::EPOLLRDHUP);
    Readiness {
        readable: ended || has(libc::EPOLLIN) || has(libc::EPOLLPRI),
        writable: hung_up || error || has(libc::EPOLLOUT),
        ended,
        error,
    }
}

/// How many events came.
#[cfg(target_os = "linux")]
fn wait(set: RawFd, events: &mut [libc::epoll_event], timeout: Option<Duration>) -> usize {
    use std::sync::atomic::{AtomicBool, Ordering};
    /// Does the system lack the call that takes nanoseconds (Linux before 5.11)?
    static COARSE: AtomicBool = AtomicBool::new(false);
    let room = i32::try_from(events.len()).unwrap_or(i32::MAX);
    if !COARSE.load(Ordering::Relaxed) {
        let time = timeout.map(|t| libc::timespec {
            tv_sec: t.as_secs().min(1 << 30) as libc::time_t,
            tv_nsec: t.subsec_nanos().into(),
        });
        let time: *const libc::timespec =
            time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let no_mask: *const libc::sigset_t = std::ptr::null();
        // SAFETY: there is room for so many events; the time is there as long as the call, or null; signals stay as they are.
        let n = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                set,
                events.as_mut_ptr(),
                room,
                time,
                no_mask,
                0,
            )
        };
        if let Ok(n) = usize::try_from(n) {
            return n;
        }
        if std::io::Error::last_os_error().raw_os_error() != Some(libc::ENOSYS) {
            return 0;
        }
        COARSE.store(true, Ordering::Relaxed);
    }
    let time = timeout.map_or(-1, |t| {
        let ms = t.as_nanos().div_ceil(1_000_000);
        i32::try_from(ms).unwrap_or(i32::MAX)
    });
    // SAFETY: there is room for so many events.
    let n = unsafe { libc::epoll_wait(set, events.as_mut_ptr(), room, time) };
    usize::try_from(n).unwrap_or(0)
}
