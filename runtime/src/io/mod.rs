//! Input and output: one poller that tells the owners of descriptors when these are ready.
//!
//! A descriptor is registered with a *source*. The poller's thread, which begins with the first registration, calls the
//! source when the operating system says that the descriptor has become readable or writable. It is told of changes only
//! (edge-triggered): an owner tries a system call first, waits when that would block, and goes on until it would block
//! again. So no registration changes while data flows, and a source that stops in between remembers where it is.
//!
//! A source does a bounded piece of work without blocking. One that has not come to the end asks to be called again; the
//! poller does so when it has looked at all the others, so that a descriptor that floods does not starve them.

use crate::bug;
use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use papaya::HashMap;
use parking_lot::{Mutex, MutexGuard};
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

/// Events that are taken from the operating system at once.
const EVENTS: usize = 256;

/// What a descriptor has become.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Readiness {
    /// There may be something to read, an error or the end included.
    pub readable: bool,
    /// There may be room to write, or an error.
    pub writable: bool,
    /// Nothing more will come behind what there is to read.
    pub ended: bool,
}

/// The owner of a descriptor, as the poller sees it.
pub trait Source: Send + Sync {
    /// Goes on with what waits for the descriptor. It never blocks. `true` if there is more to do although nothing new
    /// will be told; it is called again soon, with nothing ready.
    fn ready(&self, what: Readiness) -> bool;
}

/// What is asked about a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waits {
    /// Is it readable?
    Read,
    /// Is it writable?
    Write,
    /// Both.
    Both,
}

impl Waits {
    fn interest(self) -> Interest {
        match self {
            Waits::Read => Interest::READABLE,
            Waits::Write => Interest::WRITABLE,
            Waits::Both => Interest::READABLE | Interest::WRITABLE,
        }
    }
}

struct Poller {
    registry: Registry,
    sources: HashMap<usize, Weak<dyn Source>>,
    /// The registration that each descriptor has. Who registers one that has one already takes it over.
    holders: HashMap<RawFd, usize>,
}

static POLLER: OnceLock<Poller> = OnceLock::new();

/// Numbers of registrations; none comes twice, so what is told of an old one finds nothing.
static NEXT: AtomicUsize = AtomicUsize::new(0);

fn poller() -> io::Result<&'static Poller> {
    if let Some(p) = POLLER.get() {
        return Ok(p);
    }
    let poll = Poll::new()?;
    let registry = poll.registry().try_clone()?;
    let mut first = Some(poll);
    let poller = POLLER.get_or_init(|| {
        let poll = first.take();
        let run = move || match poll {
            Some(poll) => run(poll),
            None => bug::vm_bug("the poller was taken twice"),
        };
        if std::thread::Builder::new()
            .name("poller".into())
            .spawn(run)
            .is_err()
        {
            bug::limit_reached("Failed to create poller thread");
        }
        Poller {
            registry,
            sources: HashMap::new(),
            holders: HashMap::new(),
        }
    });
    Ok(poller)
}

/// A descriptor that the poller knows, until this is dropped. The descriptor must stay open that long.
pub struct Watched {
    fd: RawFd,
    token: usize,
    waits: Waits,
}

impl Watched {
    /// Registers a descriptor. The source is told at once if it is ready already.
    pub fn new(fd: RawFd, source: Weak<dyn Source>, waits: Waits) -> io::Result<Watched> {
        let poller = poller()?;
        let token = NEXT.fetch_add(1, Ordering::Relaxed);
        poller.sources.pin().insert(token, source);
        let watched = Watched { fd, token, waits };
        let interest = waits.interest();
        // Before the system knows, so that whoever had it leaves the registration alone.
        poller.holders.pin().insert(fd, token);
        let (registry, mut source) = (&poller.registry, SourceFd(&fd));
        match registry.register(&mut source, Token(token), interest) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                registry.reregister(&mut source, Token(token), interest)?;
            }
            other => other?,
        }
        Ok(watched)
    }

    /// What is asked.
    pub fn waits(&self) -> Waits {
        self.waits
    }

    /// Asks for something else, or for the same: what is ready now is told once more.
    pub fn ask(&mut self, waits: Waits) -> io::Result<()> {
        self.waits = waits;
        let poller = poller()?;
        // Somebody else may have taken the descriptor over, and given it up.
        poller.holders.pin().insert(self.fd, self.token);
        let (token, interest) = (Token(self.token), waits.interest());
        let mut source = SourceFd(&self.fd);
        match poller.registry.reregister(&mut source, token, interest) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                poller.registry.register(&mut source, token, interest)
            }
            other => other,
        }
    }

    /// Is it this that is told, rather than somebody who has registered the descriptor later?
    pub fn holds(&self) -> bool {
        let poller = POLLER.get();
        poller.is_some_and(|p| p.holders.pin().get(&self.fd) == Some(&self.token))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(poller) = POLLER.get() {
            let holders = poller.holders.pin();
            let held = holders.remove_if(&self.fd, |_, &token| token == self.token);
            if matches!(held, Ok(Some(_))) {
                // A descriptor that could not be registered is not known either, which does no harm.
                let _ = poller.registry.deregister(&mut SourceFd(&self.fd));
            }
            poller.sources.pin().remove(&self.token);
        }
    }
}

fn readiness(e: &Event) -> Readiness {
    let broken = e.is_error() || e.is_read_closed() && e.is_write_closed();
    Readiness {
        readable: e.is_readable() || e.is_read_closed() || broken,
        writable: e.is_writable() || e.is_write_closed() || broken,
        ended: e.is_read_closed() || broken,
    }
}

/// Held while owners are called.
static TURN: Mutex<()> = Mutex::new(());

/// Nobody is told of anything until this is dropped: for those who have stopped everybody else, too.
pub fn pause() -> MutexGuard<'static, ()> {
    TURN.lock()
}

fn run(mut poll: Poll) {
    let mut events = Events::with_capacity(EVENTS);
    let mut again: Vec<usize> = Vec::new();
    let mut called: Vec<usize> = Vec::new();
    loop {
        let timeout = (!again.is_empty()).then_some(Duration::ZERO);
        match poll.poll(&mut events, timeout) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => bug::vm_bug(&format!("the poller has failed: {e}")),
        }
        let Some(poller) = POLLER.get() else {
            // The thread has begun before its owner has said so.
            std::thread::yield_now();
            continue;
        };
        let _turn = TURN.lock();
        let waiting = std::mem::take(&mut again);
        called.clear();
        for e in &events {
            let token = e.token().0;
            if !waiting.is_empty() {
                called.push(token);
            }
            if poller.call(token, readiness(e)) {
                again.push(token);
            }
        }
        for token in waiting {
            if !called.contains(&token) && poller.call(token, Readiness::default()) {
                again.push(token);
            }
        }
    }
}

impl Poller {
    fn call(&self, token: usize, what: Readiness) -> bool {
        let source: Option<Arc<dyn Source>> =
            self.sources.pin().get(&token).and_then(Weak::upgrade);
        source.is_some_and(|s| s.ready(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};

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
        let watched = Watched::new(a.as_raw_fd(), weak, Waits::Read).unwrap();
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
}
