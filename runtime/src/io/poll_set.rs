//! Poll sets, and the threads that wait for them.
//!
//! A descriptor is always in the same set. The threads of a set take turns: one waits for the operating system, and as
//! soon as it has events another one waits while the first calls the owners. Where a thread meets an owner that another
//! thread is calling for the same registration, it leaves what is new to that thread.

use super::idle::{self, CALLED, MORE};
use super::rush::{self, Naps};
use super::{Readiness, Source};
use crate::bug;
use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use papaya::HashMap;
use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

/// Events that a thread takes from the operating system at once.
const EVENTS: usize = 256;

/// How many sets there are, and threads that wait for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PollSetCounts {
    /// Poll sets, one at least.
    pub sets: usize,
    /// Threads, one a set at least.
    pub threads: usize,
}

impl PollSetCounts {
    /// Threads of the set with this number.
    pub fn threads_of(self, set: usize) -> usize {
        self.threads / self.sets + usize::from(set < self.threads % self.sets)
    }
}

static COUNTS: OnceLock<PollSetCounts> = OnceLock::new();

/// Says how many sets and threads there are to be. It must be said before the first descriptor is registered; one of both
/// is what there is otherwise.
pub fn configure(counts: PollSetCounts) {
    let sets = counts.sets.max(1);
    let threads = counts.threads.max(sets);
    let _ = COUNTS.set(PollSetCounts { sets, threads });
}

pub(super) fn counts() -> PollSetCounts {
    *COUNTS.get_or_init(|| PollSetCounts {
        sets: 1,
        threads: 1,
    })
}

/// Descriptors that are watched together.
pub(super) struct PollSet {
    registry: Registry,
    /// Who has this waits for events, of the threads of the set.
    poll: Mutex<Poll>,
    /// The poll set of the system.
    descriptor: RawFd,
    /// Owners that are to be called again, and were called by somebody else.
    more: Mutex<Vec<Token>>,
    registrations: HashMap<Token, Arc<Registration>>,
    /// The registration that each descriptor has. Who registers one that has one already takes it over.
    holders: HashMap<RawFd, Token>,
    /// Owners that are being called, or have more to do.
    active: AtomicUsize,
    /// Nanoseconds that each of its threads has spent on events.
    worked: Box<[AtomicU64]>,
}

/// Flags of a registration's `turn`.
mod turn {
    /// A thread calls the owner, and will call it again if other flags are set when it comes back.
    pub const CALLED: u8 = 1;
    pub const READABLE: u8 = 2;
    pub const WRITABLE: u8 = 4;
    pub const ENDED: u8 = 8;
    pub const ERROR: u8 = 16;
    /// The owner has asked for it.
    pub const AGAIN: u8 = 32;
}

pub(super) struct Registration {
    source: Weak<dyn Source>,
    turn: AtomicU8,
}

impl Readiness {
    fn flags(self) -> u8 {
        let flag = |is: bool, flag| if is { flag } else { 0 };
        flag(self.readable, turn::READABLE)
            | flag(self.writable, turn::WRITABLE)
            | flag(self.ended, turn::ENDED)
            | flag(self.error, turn::ERROR)
    }

    fn from_flags(flags: u8) -> Readiness {
        Readiness {
            readable: flags & turn::READABLE != 0,
            writable: flags & turn::WRITABLE != 0,
            ended: flags & turn::ENDED != 0,
            error: flags & turn::ERROR != 0,
        }
    }
}

/// One place a set, which is filled with the first descriptor that belongs there.
static SETS: OnceLock<Box<[OnceLock<PollSet>]>> = OnceLock::new();

fn places() -> &'static [OnceLock<PollSet>] {
    SETS.get_or_init(|| (0..counts().sets).map(|_| OnceLock::new()).collect())
}

/// The sets that have begun; `None` for others.
pub(super) fn all() -> impl Iterator<Item = Option<&'static PollSet>> {
    places().iter().map(OnceLock::get)
}

/// The first set, if it has begun.
pub(super) fn first() -> Option<&'static PollSet> {
    places().first()?.get()
}

/// The set of a descriptor.
pub(super) fn of(fd: RawFd) -> io::Result<&'static PollSet> {
    let number = fd.unsigned_abs() as usize % places().len();
    let place = &places()[number];
    if let Some(set) = place.get() {
        return Ok(set);
    }
    let poll = Poll::new()?;
    let threads = counts().threads_of(number);
    let new = PollSet {
        registry: poll.registry().try_clone()?,
        descriptor: poll.as_raw_fd(),
        poll: Mutex::new(poll),
        more: Mutex::default(),
        registrations: HashMap::new(),
        holders: HashMap::new(),
        active: AtomicUsize::new(0),
        worked: (0..threads).map(|_| AtomicU64::new(0)).collect(),
    };
    let mut is_mine = false;
    let set = place.get_or_init(|| {
        is_mine = true;
        new
    });
    if is_mine {
        for worked in &set.worked {
            let thread = std::thread::Builder::new().name("poller".into());
            if thread.spawn(|| set.run(worked)).is_err() {
                bug::limit_reached("Failed to create poller thread");
            }
        }
    }
    Ok(set)
}

/// Held by threads that call owners, and by nobody else while they are kept from that.
static TURN: RwLock<()> = RwLock::new(());

/// Nobody is told of anything until this is dropped: for those who have stopped everybody else, too.
pub fn pause() -> RwLockWriteGuard<'static, ()> {
    TURN.write()
}

impl PollSet {
    /// A descriptor gets a registration, in place of one that it has.
    pub(super) fn enter(&self, fd: RawFd, token: Token, source: Weak<dyn Source>) {
        let new = Registration {
            source,
            turn: AtomicU8::new(0),
        };
        self.registrations.pin().insert(token, Arc::new(new));
        // Before the system knows, so that whoever had it leaves the registration alone.
        self.hold(fd, token);
    }

    /// The registration is the descriptor's.
    pub(super) fn hold(&self, fd: RawFd, token: Token) {
        self.holders.pin().insert(fd, token);
    }

    pub(super) fn is_held(&self, fd: RawFd, token: Token) -> bool {
        self.holders.pin().get(&fd) == Some(&token)
    }

    /// Has the system watch a descriptor that it does not watch yet, unless for another registration.
    pub(super) fn watch(&self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        let mut source = SourceFd(&fd);
        match self.registry.register(&mut source, token, interest) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                self.registry.reregister(&mut source, token, interest)
            }
            other => other,
        }
    }

    /// Has the system watch a descriptor that it watches already, unless it has been given up.
    pub(super) fn watch_again(
        &self,
        fd: RawFd,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let mut source = SourceFd(&fd);
        match self.registry.reregister(&mut source, token, interest) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                self.registry.register(&mut source, token, interest)
            }
            other => other,
        }
    }

    /// A registration ends.
    pub(super) fn leave(&self, fd: RawFd, token: Token) {
        let holders = self.holders.pin();
        let held = holders.remove_if(&fd, |_, &holder| holder == token);
        if matches!(held, Ok(Some(_))) {
            // A descriptor that could not be registered is not known either, which does no harm.
            let _ = self.registry.deregister(&mut SourceFd(&fd));
        }
        self.registrations.pin().remove(&token);
    }

    /// The system's poll set.
    pub(super) fn descriptor(&self) -> RawFd {
        self.descriptor
    }

    /// What makes a thread that waits for the set come back with a token.
    pub(super) fn waker(&self, token: Token) -> Option<Waker> {
        Waker::new(&self.registry, token).ok()
    }

    /// Calls owners in a thread that has been told of events and is none of the set's. What they have more to do is left to those.
    pub(super) fn deliver(&self, events: impl Iterator<Item = (Token, Readiness)>) {
        let _turn = TURN.read();
        let mut again = Vec::new();
        let mut tell = false;
        for (token, what) in events {
            if token == MORE {
                // It may be late: the poller has seen to them.
                tell = self.has_more();
            } else if self.call(token, what.flags(), false) {
                again.push(token);
            }
        }
        if tell || !again.is_empty() {
            self.more.lock().append(&mut again);
            idle::tell_of_more();
        }
    }

    /// Are there owners with more to do that the poller has not heard of?
    fn has_more(&self) -> bool {
        !self.more.lock().is_empty()
    }

    /// An owner begins with work.
    pub(super) fn begin(&self) {
        self.active.fetch_add(1, Ordering::Relaxed);
    }

    /// It has ended.
    pub(super) fn end(&self) {
        self.active.fetch_sub(1, Ordering::Relaxed);
    }

    /// Owners that are at work.
    pub(super) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }

    /// Descriptors that are registered.
    pub(super) fn descriptors(&self) -> usize {
        self.holders.len()
    }

    /// Who watches each of the descriptors; `None` for those that nobody waits for any more.
    pub(super) fn sources(&self) -> Vec<Option<Arc<dyn Source>>> {
        let registrations = self.registrations.pin();
        let holders = self.holders.pin();
        let tokens = holders.values();
        let source = |token| registrations.get(token)?.source.upgrade();
        tokens.map(source).collect()
    }

    /// Bytes of tables, and of what its threads take events into.
    pub(super) fn memory(&self, threads: usize) -> usize {
        let registration = size_of::<Token>() + size_of::<Registration>();
        let tables = self.registrations.len() * registration
            + self.holders.len() * (size_of::<RawFd>() + size_of::<Token>());
        size_of::<PollSet>() + tables + threads * EVENTS * size_of::<Event>()
    }

    fn run(&self, worked: &AtomicU64) {
        let mut events = Events::with_capacity(EVENTS);
        let mut again: Vec<Token> = Vec::new();
        let mut called: Vec<Token> = Vec::new();
        // One thread alone can stay away, and only where schedulers wait for the set.
        let is_first = first().is_some_and(|first| std::ptr::eq(first, self));
        let may_nap = is_first && counts().threads_of(0) == 1;
        let mut naps = Naps::new();
        loop {
            let idle = again.is_empty();
            let napped = may_nap
                && idle
                && idle::returns() != 0
                && naps.nap(idle::returns, || self.has_more());
            if napped {
                again.append(&mut self.more.lock());
            }
            naps.waits(may_nap && idle && !napped);
            self.wait(&mut events, !idle || napped);
            let back = Instant::now();
            let told = |e: &Event| e.token() != CALLED && e.token() != MORE;
            let found = events.iter().any(told);
            naps.is_back(found);
            if may_nap && found {
                rush::note();
            }
            if events.iter().any(|e| e.token() == CALLED) {
                idle::pass_on();
            }
            let _turn = TURN.read();
            let waiting = std::mem::take(&mut again);
            called.clear();
            for e in &events {
                let token = e.token();
                match token {
                    CALLED => continue,
                    MORE => {
                        again.append(&mut self.more.lock());
                        continue;
                    }
                    _ => {}
                }
                let asked = waiting.contains(&token);
                if asked {
                    called.push(token);
                }
                if self.call(token, readiness(e).flags(), asked) {
                    again.push(token);
                }
            }
            for token in waiting {
                if !called.contains(&token) && self.call(token, turn::AGAIN, true) {
                    again.push(token);
                }
            }
            worked.fetch_add(back.elapsed().as_nanos() as u64, Ordering::Relaxed);
        }
    }

    /// Nanoseconds that each thread has spent on events.
    pub(super) fn worked(&self) -> impl Iterator<Item = u64> {
        self.worked.iter().map(|w| w.load(Ordering::Relaxed))
    }

    /// Takes events, and waits for the first of them unless there is something else to do.
    fn wait(&self, events: &mut Events, is_busy: bool) {
        events.clear();
        let (poll, timeout) = match is_busy {
            false => (Some(self.poll.lock()), None),
            true => (self.poll.try_lock(), Some(Duration::ZERO)),
        };
        let Some(mut poll) = poll else {
            return;
        };
        match poll.poll(events, timeout) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => events.clear(),
            Err(e) => bug::vm_bug(&format!("the poller has failed: {e}")),
        }
    }

    /// Calls an owner; `true` if it is to be called again. One that has asked to be called again counts as being at work
    /// until then.
    fn call(&self, token: Token, flags: u8, asked: bool) -> bool {
        if !asked {
            self.begin();
        }
        let found = self.registrations.pin().get(&token).cloned();
        let again = found.is_some_and(|r| r.call(flags));
        if !again {
            self.end();
        }
        again
    }
}

impl Registration {
    fn call(&self, flags: u8) -> bool {
        if self.turn.fetch_or(turn::CALLED | flags, Ordering::AcqRel) & turn::CALLED != 0 {
            return false;
        }
        loop {
            let flags = self.turn.swap(turn::CALLED, Ordering::AcqRel);
            let source = self.source.upgrade();
            let again = source.is_some_and(|s| s.ready(Readiness::from_flags(flags)));
            let ended =
                self.turn
                    .compare_exchange(turn::CALLED, 0, Ordering::AcqRel, Ordering::Acquire);
            if ended.is_ok() {
                return again;
            }
        }
    }
}

fn readiness(e: &Event) -> Readiness {
    let error = e.is_error();
    let broken = error || e.is_read_closed() && e.is_write_closed();
    Readiness {
        readable: e.is_readable() || e.is_read_closed() || broken,
        writable: e.is_writable() || e.is_write_closed() || broken,
        ended: e.is_read_closed() || broken,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::channel;

    #[test]
    fn threads_are_spread_over_sets() {
        let of = |sets, threads| {
            let counts = PollSetCounts { sets, threads };
            (0..sets).map(|s| counts.threads_of(s)).collect::<Vec<_>>()
        };
        assert_eq!(of(1, 3), [3]);
        assert_eq!(of(2, 5), [3, 2]);
        assert_eq!(of(3, 3), [1, 1, 1]);
    }

    struct Slow {
        inside: AtomicBool,
        calls: AtomicUsize,
        began: Mutex<Option<std::sync::mpsc::Sender<()>>>,
        go_on: Mutex<std::sync::mpsc::Receiver<()>>,
    }

    impl Source for Slow {
        fn ready(&self, _: Readiness) -> bool {
            assert!(!self.inside.swap(true, Ordering::SeqCst));
            if let Some(began) = self.began.lock().take() {
                began.send(()).unwrap();
                self.go_on.lock().recv().unwrap();
            }
            self.calls.fetch_add(1, Ordering::SeqCst);
            self.inside.store(false, Ordering::SeqCst);
            false
        }
    }

    #[test]
    fn one_thread_at_a_time_calls_an_owner() {
        let (began, begun) = channel();
        let (go, go_on) = channel();
        let slow = Arc::new(Slow {
            inside: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            began: Mutex::new(Some(began)),
            go_on: Mutex::new(go_on),
        });
        let weak: Weak<Slow> = Arc::downgrade(&slow);
        let registration = Arc::new(Registration {
            source: weak,
            turn: AtomicU8::new(0),
        });
        let first = registration.clone();
        let thread = std::thread::spawn(move || first.call(turn::READABLE));
        begun.recv().unwrap();
        // It is left to the thread that is inside.
        assert!(!registration.call(turn::WRITABLE));
        go.send(()).unwrap();
        assert!(!thread.join().unwrap());
        assert_eq!(slow.calls.load(Ordering::SeqCst), 2);
    }
}
