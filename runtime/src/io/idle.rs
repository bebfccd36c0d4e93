//! A scheduler without work waits for descriptors itself, beside the poller.
//!
//! ```text
//! an event     --> the scheduler, which calls the owner and runs the process that this makes ready: one thread has to wake up
//!              --> the poller, while no scheduler is idle: it calls the owner, and whoever is told goes on
//! ```
//!
//! Both wait for the first set. The system gives an event to one of them, Linux to the one that has begun to wait last,
//! which mostly is the scheduler. One scheduler at a time has this role. Who wants it back makes a descriptor of the set
//! ready; should the poller be told of that, it does so once more while it does not wait itself. What an owner has more
//! to do is left to the poller.

use super::poll_set::{self, PollSet};
use super::rush;
use crate::sys::epoll;
use mio::{Token, Waker};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Tokens of no registration: the idle scheduler is called; owners have more to do.
pub(super) const CALLED: Token = Token(usize::MAX - 1);
pub(super) const MORE: Token = Token(usize::MAX - 2);

/// Does a scheduler have the role?
static TAKEN: AtomicBool = AtomicBool::new(false);
/// How often one has come back from waiting.
static RETURNS: AtomicUsize = AtomicUsize::new(0);

/// What makes who waits for the set come back.
struct Wakers {
    called: Waker,
    more: Waker,
}

/// None where the system has no room for them.
static WAKERS: OnceLock<Option<Wakers>> = OnceLock::new();

fn wakers(set: &PollSet) -> Option<&'static Wakers> {
    let make = || {
        Some(Wakers {
            called: set.waker(CALLED)?,
            more: set.waker(MORE)?,
        })
    };
    WAKERS.get_or_init(make).as_ref()
}

fn wake(which: impl Fn(&Wakers) -> &Waker) {
    if let Some(Some(wakers)) = WAKERS.get() {
        // The system may have no memory for a moment.
        while which(wakers).wake().is_err() {
            std::thread::yield_now();
        }
    }
}

/// The role of the scheduler that waits for descriptors.
pub struct IdlePoller {
    set: &'static PollSet,
    events: epoll::Events,
}

impl IdlePoller {
    /// Takes the role, unless somebody has it or there is nothing to wait for.
    pub fn take() -> Option<IdlePoller> {
        if TAKEN.load(Ordering::Relaxed) {
            return None;
        }
        let set = poll_set::first()?;
        wakers(set)?;
        let events = epoll::Events::new()?;
        if TAKEN.swap(true, Ordering::AcqRel) {
            return None;
        }
        Some(IdlePoller { set, events })
    }

    /// Waits until something is ready, or for so long at most, or until it is called. `before` is called once if an owner is to be
    /// called, before that. Has one been called?
    pub fn wait(&mut self, timeout: Option<Duration>, before: impl FnOnce()) -> bool {
        self.events.wait(self.set.descriptor(), timeout);
        RETURNS.fetch_add(1, Ordering::Release);
        let told = || self.events.iter().filter(|e| Token(e.0) != CALLED);
        if told().next().is_none() {
            return false;
        }
        before();
        let is_more = told().any(|(token, _)| Token(token) == MORE);
        let is_event = told().any(|(token, _)| Token(token) != MORE);
        if is_event && (rush::note() || is_more && rush::might_nap()) {
            // It finds nothing to do, and naps.
            wake(|w| &w.more);
        }
        self.set
            .deliver(told().map(|(token, what)| (Token(token), what)));
        true
    }
}

impl Drop for IdlePoller {
    fn drop(&mut self) {
        TAKEN.store(false, Ordering::Release);
    }
}

/// Makes the scheduler that waits, or is about to, come back.
pub fn call_idle_poller() {
    wake(|w| &w.called);
}

/// Looks without waiting, if nobody has the role.
pub fn look() {
    if let Some(mut role) = IdlePoller::take() {
        role.wait(Some(Duration::ZERO), || ());
    }
}

/// How often schedulers have come back from waiting or looking.
pub(super) fn returns() -> usize {
    RETURNS.load(Ordering::Relaxed)
}

/// Makes somebody look after owners that have more to do.
pub(super) fn tell_of_more() {
    if !rush::end_nap() {
        wake(|w| &w.more);
    }
}

/// The poller was told that the idle scheduler is called. It must not wait itself until that one has come back, which may
/// only be about to wait; but it does not look for ever.
pub(super) fn pass_on() {
    const LOOKS: u32 = 40;
    let before = RETURNS.load(Ordering::Acquire);
    if !TAKEN.load(Ordering::Acquire) {
        return;
    }
    call_idle_poller();
    for n in 0..LOOKS {
        if RETURNS.load(Ordering::Acquire) != before || !TAKEN.load(Ordering::Acquire) {
            return;
        }
        if n < LOOKS / 2 {
            std::thread::yield_now();
        } else {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Readiness, Source, Waits, Watched};
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};

    struct Nobody;

    impl Source for Nobody {
        fn ready(&self, _: Readiness) -> bool {
            false
        }
    }

    #[test]
    fn one_at_a_time_has_the_role() {
        let (a, _b) = UnixStream::pair().unwrap();
        let nobody: Arc<dyn Source> = Arc::new(Nobody);
        let _watched = Watched::new(a.as_raw_fd(), Arc::downgrade(&nobody), Waits::READ).unwrap();
        let held = AtomicBool::new(false);
        let try_often = || {
            for _ in 0..20_000 {
                let Some(role) = IdlePoller::take() else {
                    continue;
                };
                assert!(!held.swap(true, Ordering::SeqCst));
                std::hint::spin_loop();
                assert!(TAKEN.load(Ordering::SeqCst));
                held.store(false, Ordering::SeqCst);
                drop(role);
            }
        };
        std::thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(try_often);
            }
        });
    }

    /// Reads all that there is, and hands it to who has written it.
    struct Reader(UnixStream, Sender<()>);

    impl Source for Reader {
        fn ready(&self, _: Readiness) -> bool {
            let mut bytes = [0; 16];
            while let Ok(n @ 1..) = (&self.0).read(&mut bytes) {
                for _ in 0..n {
                    // At the end nobody listens.
                    let _ = self.1.send(());
                }
            }
            false
        }
    }

    /// In a rush and out of it, with threads that wait for the set, look at it, or do neither for longer than the poller naps.
    #[test]
    fn what_comes_is_told_whatever_schedulers_do() {
        let over = AtomicBool::new(false);
        let behave = |mut n: usize| {
            while !over.load(Ordering::Relaxed) {
                n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                match (n >> 33) % 16 {
                    0..8 => {
                        if let Some(mut role) = IdlePoller::take() {
                            role.wait(Some(Duration::from_millis(1)), || ());
                        }
                    }
                    8..15 => look(),
                    _ => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        };
        let pair = || {
            let (a, b) = UnixStream::pair().unwrap();
            a.set_nonblocking(true).unwrap();
            let (tell, told) = channel();
            let fd = a.as_raw_fd();
            let reader = Arc::new(Reader(a, tell));
            let source: Arc<dyn Source> = reader;
            let watched = Watched::new(fd, Arc::downgrade(&source), Waits::READ).unwrap();
            (b, told, source, watched)
        };
        let mut pairs: Vec<_> = (0..4).map(|_| pair()).collect();
        std::thread::scope(|s| {
            s.spawn(|| behave(1));
            s.spawn(|| behave(2));
            for round in 0..4000 {
                let (writer, told, ..) = &mut pairs[round % 4];
                writer.write_all(b"x").unwrap();
                told.recv_timeout(Duration::from_secs(20))
                    .expect("nobody was told");
                if round % 500 == 499 {
                    std::thread::sleep(Duration::from_millis(3));
                }
            }
            over.store(true, Ordering::Relaxed);
        });
    }
}
