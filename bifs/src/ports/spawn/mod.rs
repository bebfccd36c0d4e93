//! External programs: `{spawn, Command}` and `{spawn_executable, File}`.
//!
//! A program is two pipes and a process. The pipes are never waited for: what is to be written is tried at once and queued where
//! the pipe is full, and the poller says when there is room, or something to read. A long queue makes the port busy.
//! What is left of it when the port is closed is still written.

mod launch;
mod reaper;

use super::framing::{Cutter, PortFraming};
use super::options::{BusyLimits, PortOptions};
use super::{Driver, Port};
use crate::errno;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::io::{Readiness, Source, Waits, Watched};
pub use launch::What;
use launch::{Ends, Started};
use parking_lot::{Condvar, Mutex};
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;
/// Reads and writes in a row before other descriptors have their turn.
const TURN: usize = 16;
/// How long the end of the VM waits for a program that does not read.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens a port to a program.
pub fn open(owner: u64, name: &str, what: &What<'_>, o: &PortOptions) -> Result<Arc<Port>, Atom> {
    launch::check(what)?;
    Port::open(owner, name, false, |port| {
        let (started, ends) = launch::start(what, o)?;
        let program = Program::new(port, &started, ends, o)?;
        program.begin(started).map_err(|e| errno::of(&e))?;
        Ok(Box::new(ProgramDriver(program)))
    })
}

/// A running program.
struct Program {
    me: Weak<Program>,
    port: Weak<Port>,
    framing: PortFraming,
    limits: BusyLimits,
    pid: Option<u32>,
    tells_status: bool,
    tells_eof: bool,
    state: Mutex<ProgramState>,
    /// Something was written, or nothing more will be.
    sank: Condvar,
}

struct ProgramState {
    input: Option<Inlet>,
    cutter: Cutter,
    output: Option<Outlet>,
    /// The program's, once it has ended.
    status: Option<i32>,
    /// Everything was read.
    at_end: bool,
    /// The port is closed.
    closed: bool,
}

/// From the program.
struct Inlet {
    // The registration goes before the pipe is closed.
    _watched: Watched,
    pipe: File,
}

/// To the program.
struct Outlet {
    watched: Option<Watched>,
    pipe: File,
    queue: VecDeque<(Vec<u8>, usize)>,
    size: usize,
    busy: bool,
}

/// Programs whose ports are closed and that have not been given everything yet.
static LINGERING: LazyLock<Mutex<HashMap<usize, Arc<Program>>>> = LazyLock::new(Mutex::default);

/// What follows from a visit, to be done without the lock.
enum Then {
    Nothing,
    Again,
    /// Everything was read and told.
    AtEnd,
    Fail(Atom),
}

/// Our end of a pipe, which nobody waits for.
fn unblocked(end: OwnedFd) -> io::Result<File> {
    // SAFETY: the descriptor is open; its flags are read and set.
    let set = unsafe {
        let flags = libc::fcntl(end.as_raw_fd(), libc::F_GETFL);
        flags >= 0 && libc::fcntl(end.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) >= 0
    };
    match set {
        true => Ok(File::from(end)),
        false => Err(io::Error::last_os_error()),
    }
}

impl Program {
    fn new(
        port: &Arc<Port>,
        started: &Started,
        ends: Ends,
        o: &PortOptions,
    ) -> Result<Arc<Program>, Atom> {
        let fail = |e: io::Error| errno::of(&e);
        let output = match ends.1 {
            Some(w) => Some(Outlet {
                watched: None,
                pipe: unblocked(w).map_err(fail)?,
                queue: VecDeque::new(),
                size: 0,
                busy: false,
            }),
            None => None,
        };
        let program = Arc::new_cyclic(|me| Program {
            me: me.clone(),
            port: Arc::downgrade(port),
            framing: o.framing,
            limits: o.busy_limits_port.unwrap_or_default(),
            pid: started.pid(),
            tells_status: o.exit_status,
            tells_eof: o.eof,
            state: Mutex::new(ProgramState {
                input: None,
                cutter: Cutter::new(o.framing, o.binary),
                output,
                status: None,
                at_end: false,
                closed: false,
            }),
            sank: Condvar::new(),
        });
        if let Some(r) = ends.0 {
            let pipe = unblocked(r).map_err(fail)?;
            // The poller may call at once: it finds the pipe when it has the lock.
            let mut s = program.state.lock();
            let watched = Watched::new(pipe.as_raw_fd(), program.source(), Waits::READ);
            s.input = Some(Inlet {
                _watched: watched.map_err(fail)?,
                pipe,
            });
        }
        Ok(program)
    }

    /// The program's end is waited for.
    fn begin(&self, started: Started) -> io::Result<()> {
        match started {
            Started::Ended(status) => {
                self.ended(status);
                Ok(())
            }
            Started::Running(child) => {
                let me = self.me.clone();
                let tell = move |status| {
                    if let Some(p) = me.upgrade() {
                        p.ended(status);
                    }
                };
                reaper::watch(child, Box::new(tell))
            }
        }
    }

    fn source(&self) -> Weak<dyn Source> {
        let me: Weak<Program> = self.me.clone();
        me
    }

    /// The program has ended: told when everything that it has written was read.
    fn ended(&self, status: i32) {
        let mut s = self.state.lock();
        s.status = Some(status);
        let waited_for = s.at_end && self.tells_status && !s.closed;
        drop(s);
        if waited_for {
            self.finish_reading();
        }
    }

    /// Everything was read, and the status is there if it is wanted.
    fn finish_reading(&self) {
        let Some(port) = self.port.upgrade() else {
            return;
        };
        let mut s = self.state.lock();
        if s.closed {
            return;
        }
        if let (true, Some(status)) = (self.tells_status, s.status) {
            port.tell(|h| h.tuple(&[Atom::EXIT_STATUS.into(), Term::small(i64::from(status))]));
        }
        s.cutter.end(&port);
        if self.tells_eof {
            port.tell(|_| Atom::EOF.into());
            return;
        }
        drop(s);
        port.close(Atom::NORMAL.into());
    }

    /// Reads for a while.
    fn read(&self, s: &mut ProgramState, port: &Port) -> Then {
        let Some(inlet) = &mut s.input else {
            return Then::Nothing;
        };
        let mut buffer = vec![0u8; CHUNK];
        for _ in 0..TURN {
            match inlet.pipe.read(&mut buffer) {
                Ok(0) => {
                    s.input = None;
                    s.at_end = true;
                    let complete = !self.tells_status || s.status.is_some();
                    return if complete { Then::AtEnd } else { Then::Nothing };
                }
                Ok(n) => s.cutter.feed(port, &buffer[..n]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Then::Nothing,
                Err(e) => {
                    s.input = None;
                    return Then::Fail(errno::of(&e));
                }
            }
        }
        Then::Again
    }

    /// Writes what is queued, for a while.
    fn write(&self, s: &mut ProgramState) -> Then {
        let Some(out) = &mut s.output else {
            return Then::Nothing;
        };
        let mut turns = TURN;
        while let Some((bytes, from)) = out.queue.front_mut() {
            if turns == 0 {
                return Then::Again;
            }
            turns -= 1;
            match out.pipe.write(&bytes[*from..]) {
                Ok(n) => {
                    *from += n;
                    out.size -= n;
                    if *from == bytes.len() {
                        out.queue.pop_front();
                    }
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => {
                    s.output = None;
                    self.sank.notify_all();
                    return Then::Fail(errno::of(&e));
                }
            }
        }
        if out.busy && out.size < self.limits.low {
            out.busy = false;
            if let Some(port) = self.port.upgrade() {
                port.set_busy(false);
            }
        }
        if out.queue.is_empty() {
            self.sank.notify_all();
        }
        Then::Nothing
    }

    /// Where this program stands among those that linger.
    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The port is closed: what is queued is written still.
    fn leave(&self) {
        let mut s = self.state.lock();
        s.closed = true;
        s.input = None;
        if s.output.as_ref().is_some_and(|o| !o.queue.is_empty()) {
            if let Some(me) = self.me.upgrade() {
                LINGERING.lock().insert(self.key(), me);
            }
        } else {
            s.output = None;
        }
    }
}

impl Source for Program {
    fn ready(&self, _: Readiness) -> bool {
        let port = self.port.upgrade();
        let mut s = self.state.lock();
        let wrote = self.write(&mut s);
        if s.closed {
            if s.output.as_ref().is_none_or(|o| o.queue.is_empty()) {
                s.output = None;
                drop(s);
                LINGERING.lock().remove(&self.key());
                return false;
            }
            return matches!(wrote, Then::Again);
        }
        let Some(port) = port else {
            return false;
        };
        let read = self.read(&mut s, &port);
        drop(s);
        let again = matches!(wrote, Then::Again) || matches!(read, Then::Again);
        match (wrote, read) {
            (Then::Fail(why), _) | (_, Then::Fail(why)) => _ = port.close(why.into()),
            (_, Then::AtEnd) => self.finish_reading(),
            _ => {}
        }
        again
    }
}

/// What a port has of its program.
struct ProgramDriver(Arc<Program>);

impl Driver for ProgramDriver {
    fn output(&self, port: &Arc<Port>, data: Vec<u8>) -> Result<(), Atom> {
        let p = &*self.0;
        let data = p.framing.frame(data)?;
        let mut s = p.state.lock();
        if s.closed {
            return Ok(());
        }
        let out = s.output.as_mut().ok_or(Atom::new("ebadf"))?;
        let mut written = 0;
        while out.queue.is_empty() && written < data.len() {
            match out.pipe.write(&data[written..]) {
                Ok(n) => written += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(errno::of(&e)),
            }
        }
        if written == data.len() {
            return Ok(());
        }
        out.size += data.len() - written;
        out.queue.push_back((data, written));
        if !out.busy && out.size >= p.limits.high {
            out.busy = true;
            port.set_busy(true);
        }
        if out.watched.is_none() {
            let watched = Watched::new(out.pipe.as_raw_fd(), p.source(), Waits::WRITE);
            out.watched = Some(watched.map_err(|e| errno::of(&e))?);
        }
        Ok(())
    }

    fn queue_size(&self) -> usize {
        self.0.state.lock().output.as_ref().map_or(0, |o| o.size)
    }

    fn close(&self) {
        self.0.leave();
    }

    fn flush(&self) {
        let mut s = self.0.state.lock();
        while s.output.as_ref().is_some_and(|o| !o.queue.is_empty()) {
            if self.0.sank.wait_for(&mut s, PATIENCE).timed_out() {
                return;
            }
        }
    }

    fn os_pid(&self) -> Option<u32> {
        self.0.pid
    }
}
