//! A descriptor that a library has asked about, in the poller while something is wanted of it.
//!
//! Each question is answered once: a descriptor that is ready already is told when it is asked about again.

use enigma_runtime::io::{AlwaysReady, Readiness, Source, SourceKind, Underway, Waits, Watched};
use std::io;
use std::os::fd::RawFd;
use std::sync::{Arc, Weak};

/// Who has asked: as the poller sees it.
struct Asker {
    fd: RawFd,
    kind: SourceKind,
    ready: fn(RawFd, Readiness),
}

impl Source for Asker {
    fn ready(&self, what: Readiness) -> bool {
        (self.ready)(self.fd, what);
        false
    }

    fn kind(&self) -> SourceKind {
        self.kind
    }
}

/// Where a descriptor is at the moment.
enum Place {
    Nowhere,
    Poller(Watched),
    Always { _counted: AlwaysReady },
}

/// A descriptor, and whom the poller tells.
pub struct Selected {
    asker: Arc<Asker>,
    place: Place,
}

impl Selected {
    /// A descriptor about which nothing is asked yet. `ready` is called by the poller.
    pub fn new(fd: RawFd, kind: SourceKind, ready: fn(RawFd, Readiness)) -> Selected {
        Selected {
            asker: Arc::new(Asker { fd, kind, ready }),
            place: Place::Nowhere,
        }
    }

    /// Asks for this, and nothing else. The descriptor may have been closed, and be another one now.
    ///
    /// # Errors
    /// The system cannot watch it: `EPERM` if it is always ready.
    pub fn ask(&mut self, wanted: Waits) -> io::Result<()> {
        if let Place::Poller(w) = &mut self.place {
            return w.ask(wanted);
        }
        let weak: Weak<Asker> = Arc::downgrade(&self.asker);
        self.place = Place::Poller(Watched::new(self.asker.fd, weak, wanted)?);
        Ok(())
    }

    /// Notes that the descriptor is one that is always ready.
    pub fn is_always_ready(&mut self) {
        if !matches!(self.place, Place::Always { .. }) {
            self.place = Place::Always {
                _counted: AlwaysReady::new(),
            };
        }
    }

    /// Asks for nothing at the moment. What is always ready stays so.
    pub fn rest(&mut self) {
        if matches!(self.place, Place::Poller(_)) {
            self.forget();
        }
    }

    /// Asks for nothing any more. The descriptor may be closed already.
    pub fn forget(&mut self) {
        self.place = Place::Nowhere;
    }

    /// What is done because the descriptor is ready goes on elsewhere until this is dropped.
    pub fn underway(&self) -> Option<Underway> {
        match &self.place {
            Place::Poller(w) => Some(w.underway()),
            _ => None,
        }
    }
}
