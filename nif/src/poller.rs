//! Watches descriptors for libraries, in a thread of its own.
//!
//! This is all that `select` and drivers need of a poller: to watch a descriptor for what is wanted of it now, to stop that, and to be told when
//! something has come, once for each time that it was watched.

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use std::io;
use std::os::fd::RawFd;
use std::sync::LazyLock;

/// What is wanted of a descriptor, or has come.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SelectModes {
    /// To read, or the other end is closed.
    pub read: bool,
    /// To write, or nobody reads any more.
    pub write: bool,
    /// It is in error.
    pub error: bool,
}

impl SelectModes {
    fn interest(self) -> Interest {
        // Errors are told in any case, but something must be asked for.
        let interests = [
            self.read.then_some(Interest::READABLE),
            self.write.then_some(Interest::WRITABLE),
            self.error.then_some(Interest::PRIORITY),
        ];
        let all = interests.into_iter().flatten().reduce(|a, b| a | b);
        all.unwrap_or(Interest::PRIORITY)
    }

    /// Is it nothing?
    pub fn is_none(self) -> bool {
        self == SelectModes::default()
    }
}

/// The thread's poll, once it runs.
static POLLER: LazyLock<io::Result<Registry>> = LazyLock::new(|| {
    let poll = Poll::new()?;
    let registry = poll.registry().try_clone()?;
    let thread = std::thread::Builder::new().name("nif_poll".to_string());
    thread.spawn(move || run(poll))?;
    Ok(registry)
});

/// Events that are taken at a time.
const EVENTS: usize = 256;

fn run(mut poll: Poll) {
    let mut events = Events::with_capacity(EVENTS);
    loop {
        if poll.poll(&mut events, None).is_err() {
            continue;
        }
        for e in &events {
            let gone = e.is_error();
            let came = SelectModes {
                read: e.is_readable() || e.is_read_closed() || gone,
                write: e.is_writable() || e.is_write_closed() || gone,
                error: gone,
            };
            let fd = e.token().0 as RawFd;
            if !crate::select::ready(fd, came) {
                crate::driver::events::ready(fd, came);
            }
        }
    }
}

fn registry() -> io::Result<&'static Registry> {
    match &*POLLER {
        Ok(registry) => Ok(registry),
        Err(e) => Err(e.kind().into()),
    }
}

/// Watches a descriptor, which may have been watched before, for something.
pub fn watch(fd: RawFd, wanted: SelectModes) -> io::Result<()> {
    let registry = registry()?;
    let (token, interest) = (Token(fd as usize), wanted.interest());
    // Asking again makes the system look again, too.
    match registry.reregister(&mut SourceFd(&fd), token, interest) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            registry.register(&mut SourceFd(&fd), token, interest)
        }
        result => result,
    }
}

/// Watches a descriptor no more. It may be closed already.
pub fn forget(fd: RawFd) {
    if let Ok(registry) = registry() {
        let _ = registry.deregister(&mut SourceFd(&fd));
    }
}
