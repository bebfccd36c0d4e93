//! A socket: its descriptor, its settings, who waits for it.
//!
//! All is behind one lock, in which nobody blocks. Messages are sent with the lock held, so that what a process reads from its mailbox
//! is in the order in which it happened to the socket.

use super::message::{self, InMessages};
use super::monitor::{self, Monitoring, SocketMonitor};
use super::settings;
use super::terms::{closed, failed};
use super::waiting::{Lane, SocketWaiter, Turn};
use crate::ports::inet::sys::Socket;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::heap::magic::Magic;
use enigma_runtime::io::{Readiness, Source, SourceKind, Waits, Watched};
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, badarg, reference, release};
use parking_lot::Mutex;
use std::fs::File;
use std::io;
use std::sync::{Arc, Weak};

/// Bytes that are read at once where nobody says how many.
pub const READ_BUFFER: usize = 8192;
/// Bytes for control messages where nobody says how many.
pub const CONTROL_BUFFER: usize = 1024;

/// How far a socket's life has got.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LifePhase {
    /// In use.
    Open,
    /// Nobody can use it any more, but the descriptor is still there.
    Closing,
    /// The descriptor is gone.
    Closed,
}

/// What has happened to a socket, as `socket:info/1` tells it.
#[derive(Clone, Copy, Default)]
pub struct Marks {
    /// It has an address of its own.
    pub bound: bool,
    /// It listens.
    pub listening: bool,
    /// Somebody waits for connections.
    pub accepting: bool,
    /// It is connected.
    pub connected: bool,
    /// Somebody has waited for it to be readable.
    pub selected_read: bool,
    /// Somebody has waited for it to be writable.
    pub selected_write: bool,
}

/// Counters of a socket.
#[derive(Clone, Copy, Default)]
pub struct SocketCounters {
    /// Packets that came.
    pub read_packets: u64,
    /// The longest.
    pub read_max: u64,
    /// Bytes that came.
    pub read_bytes: u64,
    /// Attempts to read.
    pub read_tries: u64,
    /// Those that failed.
    pub read_fails: u64,
    /// Packets that went.
    pub write_packets: u64,
    /// The longest.
    pub write_max: u64,
    /// Bytes that went.
    pub write_bytes: u64,
    /// Attempts to write.
    pub write_tries: u64,
    /// Those that could not go on at once.
    pub write_waits: u64,
    /// Those that failed.
    pub write_fails: u64,
    /// Connections.
    pub accept_success: u64,
    /// Attempts to accept that failed.
    pub accept_fails: u64,
    /// Attempts to accept.
    pub accept_tries: u64,
    /// Calls of `sendfile`.
    pub sendfiles: u64,
    /// Those that sent something.
    pub sendfile_packets: u64,
    /// Bytes that they sent.
    pub sendfile_bytes: u64,
    /// The most that one has sent.
    pub sendfile_max: u64,
    /// Attempts.
    pub sendfile_tries: u64,
    /// Those that could not go on at once.
    pub sendfile_waits: u64,
    /// Those that failed.
    pub sendfile_fails: u64,
}

/// Settings that belong to OTP, not to the system.
pub struct OtpSettings {
    /// Is it debugged?
    pub debug: bool,
    /// Does the owner hear of counters that begin anew?
    pub counter_wraps: bool,
    /// Bytes that are read at once.
    pub read_buffer: usize,
    /// So many full buffers are read in a row.
    pub read_count: usize,
    /// Bytes for control messages that come.
    pub read_control: usize,
    /// Bytes for control messages that go.
    pub write_control: usize,
    /// A term that the owner keeps here.
    pub meta: Option<OwnedTerm>,
    /// Is it in the registry?
    pub in_registry: bool,
    /// Is whoever has read told of what comes next?
    pub select_read: bool,
}

impl OtpSettings {
    fn new() -> OtpSettings {
        OtpSettings {
            debug: settings::socket_debug(),
            counter_wraps: settings::counter_wraps(),
            read_buffer: READ_BUFFER,
            read_count: 0,
            read_control: CONTROL_BUFFER,
            write_control: CONTROL_BUFFER,
            meta: None,
            in_registry: settings::use_registry(),
            select_read: false,
        }
    }

    /// Those of a connection that this socket has accepted.
    pub fn inherited(&self) -> OtpSettings {
        OtpSettings {
            meta: None,
            ..*self
        }
    }
}

/// The first part of what was asked for, in memory that has room for the rest.
#[derive(Default)]
pub struct KeptPart {
    /// The memory.
    pub room: Vec<u8>,
    /// So many bytes of it have come.
    pub filled: usize,
}

/// See the module's text.
pub struct SockState {
    // The registration goes before the descriptor is closed.
    watched: Option<Watched>,
    socket: Option<Socket>,
    /// How far its life has got.
    pub phase: LifePhase,
    /// The system's number of the family.
    pub domain: i32,
    /// The system's number of the kind.
    pub kind: i32,
    /// The system's number of the protocol.
    pub protocol: i32,
    /// The descriptor that it was made from, if it was.
    pub original: Option<i32>,
    /// Does closing it close the descriptor?
    pub owns_descriptor: bool,
    /// Packed pid of the owner.
    pub owner: Option<u64>,
    owner_monitor: Option<SocketMonitor>,
    /// See there.
    pub marks: Marks,
    /// See there.
    pub counters: SocketCounters,
    /// See there.
    pub otp: OtpSettings,
    /// Who reads.
    pub readers: Lane,
    /// Who writes.
    pub writers: Lane,
    /// Who accepts.
    pub acceptors: Lane,
    /// Who connects.
    pub connector: Option<SocketWaiter>,
    /// How many full buffers were read in a row.
    pub reads_in_row: usize,
    /// Bytes read of what does not count as one packet yet, because its reader goes on.
    pub read_of_packet: u64,
    /// What has come of a stream, less than was asked for.
    pub kept: KeptPart,
    /// The file that is being sent.
    pub file: Option<File>,
}

/// See the module's text.
pub struct Sock {
    /// Number of the reference.
    pub number: u64,
    /// The socket itself.
    pub me: Weak<Sock>,
    /// See there.
    pub state: Mutex<SockState>,
}

/// One of the four things to wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SocketLane {
    /// To read.
    Read,
    /// To write.
    Write,
    /// To accept.
    Accept,
}

impl SockState {
    /// The descriptor, while the socket is in use.
    pub fn open_socket(&self) -> Option<&Socket> {
        self.socket
            .as_ref()
            .filter(|_| self.phase == LifePhase::Open)
    }

    /// Is it a stream?
    pub fn is_stream(&self) -> bool {
        self.kind == libc::SOCK_STREAM
    }

    /// Those who wait.
    pub fn lane(&mut self, which: SocketLane) -> &mut Lane {
        match which {
            SocketLane::Read => &mut self.readers,
            SocketLane::Write => &mut self.writers,
            SocketLane::Accept => &mut self.acceptors,
        }
    }

    /// Takes the descriptor out.
    pub fn take_socket(&mut self) -> Option<Socket> {
        self.forget();
        self.socket.take()
    }

    /// Lets the poller forget the descriptor.
    pub fn forget(&mut self) {
        self.watched = None;
    }

    /// The owner is not told of any more, nor waited for.
    pub fn drop_owner(&mut self) {
        self.owner = None;
        self.owner_monitor = None;
    }

    /// Makes a process the owner. `false` if there is no such process.
    pub fn set_owner(&mut self, socket: &Sock, owner: u64) -> bool {
        let Some(monitor) = socket.monitor(owner) else {
            return false;
        };
        let before = self.owner.replace(owner);
        self.owner_monitor = Some(monitor);
        // Who was the owner may still wait.
        let lanes = [&mut self.readers, &mut self.writers, &mut self.acceptors];
        let all = lanes.into_iter().flat_map(Lane::all);
        for w in all.chain(&mut self.connector) {
            if Some(w.process) == before && before != Some(owner) && !w.is_monitored() {
                w.set_monitor(socket.monitor(w.process));
            }
        }
        true
    }
}

impl Sock {
    /// A socket of the running process.
    pub fn new(
        cx: &Ctx<'_>,
        socket: Socket,
        what: (i32, i32, i32),
        otp: Option<OtpSettings>,
    ) -> Arc<Sock> {
        let (domain, kind, protocol) = what;
        let s = Arc::new_cyclic(|me| Sock {
            number: reference::fresh(),
            me: me.clone(),
            state: Mutex::new(SockState {
                watched: None,
                socket: Some(socket),
                phase: LifePhase::Open,
                domain,
                kind,
                protocol,
                original: None,
                owns_descriptor: true,
                owner: None,
                owner_monitor: None,
                marks: Marks::default(),
                counters: SocketCounters::default(),
                otp: otp.unwrap_or_else(OtpSettings::new),
                readers: Lane::default(),
                writers: Lane::default(),
                acceptors: Lane::default(),
                connector: None,
                reads_in_row: 0,
                read_of_packet: 0,
                kept: KeptPart::default(),
                file: None,
            }),
        });
        settings::count(domain, kind, protocol, 1);
        s.state.lock().set_owner(&s, cx.proc.id);
        s
    }

    /// Tells the registry of the new socket, if it is to be in it.
    pub fn enter_registry(&self) {
        if self.state.lock().otp.in_registry
            && let Some(registry) = settings::registry()
        {
            message::registry(self, registry, "add");
        }
    }

    /// Monitors a process.
    fn monitor(&self, process: u64) -> Option<SocketMonitor> {
        let me: Weak<dyn Monitoring> = self.me.clone();
        monitor::begin(me, self.number, process)
    }

    /// A process that begins to wait. The owner's end is noticed anyway.
    pub fn waiter(&self, owner: Option<u64>, process: u64, reference: Term) -> SocketWaiter {
        let monitor = match owner == Some(process) {
            true => None,
            false => self.monitor(process),
        };
        SocketWaiter::new(process, reference, monitor)
    }

    /// Registers with the poller, or asks again so that what is ready now is told.
    pub fn watch(&self, s: &mut SockState) -> io::Result<()> {
        if let Some(w) = &mut s.watched {
            return w.ask(Waits::BOTH);
        }
        let source: Weak<dyn Source> = self.me.clone();
        let fd = s.socket.as_ref().map(Socket::fd);
        let fd = fd.ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))?;
        s.watched = Some(Watched::new(fd, source, Waits::BOTH)?);
        Ok(())
    }

    /// Whose turn is it? `None` if it is the caller's, or if it may go on without; otherwise what the call gives: the caller waits
    /// in the queue.
    ///
    /// # Errors
    /// The caller stands in the queue already.
    pub fn await_turn(
        &self,
        cx: &mut Ctx<'_>,
        s: &mut SockState,
        which: SocketLane,
        reference: Term,
    ) -> Result<Option<Term>, Exit> {
        let (me, owner) = (cx.proc.id, s.owner);
        match s.lane(which).turn(me) {
            Turn::Mine => Ok(None),
            Turn::Queued => Err(super::terms::raise_invalid(cx, super::terms::atom("state"))),
            Turn::Later if is_zero(reference) => match which {
                SocketLane::Read if release::who_does_not_wait_reads() => Ok(None),
                _ => Ok(Some(timed_out())),
            },
            Turn::Later => {
                let waiter = self.waiter(owner, me, reference);
                s.lane(which).queue.push_back(waiter);
                Ok(Some(super::terms::atom("select")))
            }
        }
    }

    /// The caller has what it wanted: whoever waits behind it is told when the socket is ready again.
    pub fn finish_turn(&self, s: &mut SockState, which: SocketLane) {
        if !s.lane(which).is_empty() && s.lane(which).advance() {
            self.go_on(s, which);
        }
    }

    /// Has the current process told when the socket is ready, or at once.
    pub fn go_on(&self, s: &mut SockState, which: SocketLane) {
        if self.watch(s).is_err()
            && let Some(w) = s.lane(which).tell()
        {
            // It finds out what is wrong when it calls.
            message::select(self, w.process, w.reference.term());
        }
    }

    /// The call would block: the caller becomes current and is told when the socket is ready. Gives `select`, `{select, What}` or
    /// the system's error.
    pub fn wait_for(
        &self,
        cx: &mut Ctx<'_>,
        s: &mut SockState,
        which: SocketLane,
        reference: Term,
        what: Option<Term>,
    ) -> Term {
        let owner = s.owner;
        let waiter = self.waiter(owner, cx.proc.id, reference);
        s.lane(which).current = Some(waiter);
        match which {
            SocketLane::Write => s.marks.selected_write = true,
            SocketLane::Read => s.marks.selected_read = true,
            SocketLane::Accept => {
                s.marks.selected_read = true;
                s.marks.accepting = true;
            }
        }
        if let Err(e) = self.first_watch(s) {
            s.lane(which).current = None;
            return failed(cx, &e);
        }
        match what {
            None => super::terms::atom("select"),
            Some(what) => cx.tuple2(super::terms::atom("select"), what),
        }
    }

    /// Registers with the poller if that was not done. Who has just been told that it would block need not ask again: the poller tells
    /// of every change since, and waits for the lock. Who shares the descriptor with another socket asks each time.
    pub fn first_watch(&self, s: &mut SockState) -> io::Result<()> {
        match s.watched.as_ref().is_some_and(Watched::holds) {
            true => Ok(()),
            false => self.watch(s),
        }
    }
}

/// What a call gives that would wait although it must not.
pub fn timed_out() -> Term {
    match release::number() {
        ..=25 => Atom::OK.into(),
        _ => super::terms::atom("timeout"),
    }
}

/// The atom that stands in a reference's place where nobody is to wait.
pub fn is_zero(reference: Term) -> bool {
    super::terms::text(reference) == Some("zero")
}

impl InMessages for Sock {
    fn to_term(&self, h: &mut Heap) -> Term {
        match self.me.upgrade() {
            Some(me) => {
                let m: Magic = me;
                h.magic_ref(self.number, m)
            }
            None => h.reference(self.number, 0),
        }
    }
}

impl Source for Sock {
    fn ready(&self, what: Readiness) -> bool {
        let mut s = self.state.lock();
        let s = &mut *s;
        if what.readable {
            for lane in [&mut s.readers, &mut s.acceptors] {
                if let Some(w) = lane.tell() {
                    message::select(self, w.process, w.reference.term());
                }
            }
        }
        if what.writable {
            if let Some(w) = s.writers.tell() {
                message::select(self, w.process, w.reference.term());
            }
            if let Some(w) = s.connector.as_mut().filter(|w| !w.told) {
                w.told = true;
                message::select(self, w.process, w.reference.term());
            }
        }
        false
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Nif
    }
}

impl Drop for Sock {
    fn drop(&mut self) {
        let s = self.state.get_mut();
        if s.phase == LifePhase::Open {
            settings::count(s.domain, s.kind, s.protocol, -1);
        }
        s.forget();
        match s.socket.take() {
            Some(socket) if s.owns_descriptor => socket.close_at_once(),
            Some(socket) => {
                socket.release();
            }
            None => {}
        }
    }
}

/// The socket behind a reference.
///
/// # Errors
/// The term is none.
pub fn sock(t: Term) -> Result<Arc<Sock>, Exit> {
    t.as_magic()
        .and_then(|m| m.clone().downcast::<Sock>().ok())
        .ok_or_else(badarg)
}

/// Runs what needs an open socket; a closed one gives `{error, closed}`.
///
/// # Errors
/// The term is no socket, or what `f` raises.
pub fn with_open(
    cx: &mut Ctx<'_>,
    t: Term,
    f: impl FnOnce(&mut Ctx<'_>, &Sock, &mut SockState) -> BifResult,
) -> BifResult {
    let socket = sock(t)?;
    let mut s = socket.state.lock();
    if s.phase != LifePhase::Open {
        return Ok(closed(cx));
    }
    f(cx, &socket, &mut s)
}

/// Is this a reference, or the atom `zero` where that is allowed?
///
/// # Errors
/// It is not.
pub fn check_reference(t: Term) -> Result<(), Exit> {
    if t.is_reference() || is_zero(t) {
        Ok(())
    } else {
        Err(badarg())
    }
}
