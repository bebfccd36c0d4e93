//! Input and output: pollers that tell the owners of descriptors when these are ready.
//!
//! A descriptor is registered with a *source*. A thread, which begins with the first registration, calls the
//! source when the operating system says that the descriptor has become readable or writable. It is told of changes only
//! (edge-triggered): an owner tries a system call first, waits when that would block, and goes on until it would block
//! again. So no registration changes while data flows, and a source that stops in between remembers where it is.
//!
//! A source does a bounded piece of work without blocking. One that has not come to the end asks to be called again; the
//! poller does so when it has looked at all the others, so that a descriptor that floods does not starve them. For one
//! registration a source is called by one thread at a time.
//!
//! A scheduler that has nothing to do waits for the first set, too (`idle`), so that what comes in makes one thread wake up, not two;
//! where much comes, schedulers that work look at it between time slices (`rush`).
//!
//! Descriptors are spread over poll sets, and threads over sets (`configure`): `poll_set` has both, `usage` what is told of them.

mod idle;
mod poll_set;
mod rush;
mod usage;

pub use idle::{IdlePoller, call_idle_poller, look};
pub use poll_set::{PollSetCounts, configure, pause};
pub use rush::is_rush;
pub use usage::{
    AlwaysReady, PollSetInfo, Registrations, always_ready, poll_sets, poller_work, registrations,
};

use mio::{Interest, Token};
use poll_set::PollSet;
use std::io;
use std::os::fd::RawFd;
use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a descriptor has become.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Readiness {
    /// There may be something to read, an error or the end included.
    pub readable: bool,
    /// There may be room to write, or an error.
    pub writable: bool,
    /// Nothing more will come behind what there is to read.
    pub ended: bool,
    /// The descriptor is in error.
    pub error: bool,
}

/// Who watches a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SourceKind {
    /// A port, or a driver.
    Port,
    /// A native function (`enif_select`, the module `socket`).
    Nif,
}

/// The owner of a descriptor, as the poller sees it.
pub trait Source: Send + Sync {
    /// Goes on with what waits for the descriptor. It never blocks. `true` if there is more to do although nothing new
    /// will be told; it is called again soon, with nothing ready.
    fn ready(&self, what: Readiness) -> bool;

    /// Who this is.
    fn kind(&self) -> SourceKind {
        SourceKind::Port
    }
}

/// What is asked about a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Waits {
    /// Is it readable?
    pub read: bool,
    /// Is it writable?
    pub write: bool,
    /// Is there something out of turn? Errors are told in any case.
    pub priority: bool,
}

impl Waits {
    /// Is it readable?
    pub const READ: Waits = Waits {
        read: true,
        write: false,
        priority: false,
    };
    /// Is it writable?
    pub const WRITE: Waits = Waits {
        read: false,
        write: true,
        priority: false,
    };
    /// Is it readable, or writable?
    pub const BOTH: Waits = Waits {
        read: true,
        write: true,
        priority: false,
    };

    /// Is nothing asked?
    pub fn is_none(self) -> bool {
        self == Waits::default()
    }

    fn interest(self) -> Interest {
        let interests = [
            self.read.then_some(Interest::READABLE),
            self.write.then_some(Interest::WRITABLE),
        ];
        let asked = interests.into_iter().flatten().reduce(|a, b| a | b);
        // Something must be asked for.
        match asked {
            Some(asked) if !self.priority => asked,
            other => other.map_or(PRIORITY, |asked| asked | PRIORITY),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const PRIORITY: Interest = Interest::PRIORITY;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PRIORITY: Interest = Interest::READABLE;

/// Numbers of registrations; none comes twice, so what is told of an old one finds nothing.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A descriptor that a poller knows, until this is dropped. The descriptor must stay open that long.
pub struct Watched {
    set: &'static PollSet,
    fd: RawFd,
    token: Token,
    waits: Waits,
}

impl Watched {
    /// Registers a descriptor. The source is told at once if it is ready already.
    ///
    /// # Errors
    /// The system cannot watch it (`EPERM` if it is always ready), or has no room for it.
    pub fn new(fd: RawFd, source: Weak<dyn Source>, waits: Waits) -> io::Result<Watched> {
        let set = poll_set::of(fd)?;
        let token = Token(NEXT.fetch_add(1, Ordering::Relaxed));
        set.enter(fd, token, source);
        let watched = Watched {
            set,
            fd,
            token,
            waits,
        };
        set.watch(fd, token, waits.interest())?;
        Ok(watched)
    }

    /// What is asked.
    pub fn waits(&self) -> Waits {
        self.waits
    }

    /// Asks for something else, or for the same: what is ready now is told once more.
    ///
    /// # Errors
    /// As `new`.
    pub fn ask(&mut self, waits: Waits) -> io::Result<()> {
        self.waits = waits;
        // Somebody else may have taken the descriptor over, and given it up.
        self.set.hold(self.fd, self.token);
        self.set.watch_again(self.fd, self.token, waits.interest())
    }

    /// Is it this that is told, rather than somebody who has registered the descriptor later?
    pub fn holds(&self) -> bool {
        self.set.is_held(self.fd, self.token)
    }

    /// The owner has been told, and what it does about that goes on elsewhere until this is dropped.
    pub fn underway(&self) -> Underway {
        self.set.begin();
        Underway(self.set)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.set.leave(self.fd, self.token);
    }
}

/// Work for a descriptor that is ready.
pub struct Underway(&'static PollSet);

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    struct Seen {
        tell: Mutex<Sender<Readiness>>,
        again: AtomicUsize,
    }

    impl Source for Seen {
        fn ready(&self, what: Readiness) -> bool {
            self.tell.lock().unwrap().send(what).unwrap();
            let before = self.again.load(Ordering::Relaxed);
            self.again
                .store(before.saturating_sub(1), Ordering::Relaxed);
            before > 0
        }
    }

    #[test]
    fn sources_are_told_of_changes_and_called_again() {
        let (a, mut b) = UnixStream::pair().unwrap();
        let (tell, told) = channel();
        let source = Arc::new(Seen {
            tell: Mutex::new(tell),
            again: AtomicUsize::new(2),
        });
        let weak: Weak<Seen> = Arc::downgrade(&source);
        let watched = Watched::new(a.as_raw_fd(), weak, Waits::READ).unwrap();
        b.write_all(b"x").unwrap();
        let wait = Duration::from_secs(10);
        assert!(told.recv_timeout(wait).unwrap().readable);
        for _ in 0..2 {
            assert_eq!(told.recv_timeout(wait).unwrap(), Readiness::default());
        }
        assert!(told.recv_timeout(Duration::from_millis(20)).is_err());
        drop(watched);
        b.write_all(b"x").unwrap();
        assert!(told.recv_timeout(Duration::from_millis(20)).is_err());
    }

    #[test]
    fn a_file_is_not_watched() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let (tell, _told) = channel();
        let source = Arc::new(Seen {
            tell: Mutex::new(tell),
            again: AtomicUsize::new(0),
        });
        let weak: Weak<Seen> = Arc::downgrade(&source);
        let refused = Watched::new(file.as_raw_fd(), weak, Waits::READ).err();
        assert_eq!(refused.and_then(|e| e.raw_os_error()), Some(libc::EPERM));
    }
}
