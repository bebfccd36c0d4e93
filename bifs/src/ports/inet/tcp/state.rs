//! A socket of the driver `tcp_inet`: its state, who waits for what, and how it ends.

use super::input::TcpInput;
use super::queue::OutputQueue;
use crate::errno;
use crate::ports::inet::descriptor::{Active, Descriptor, SocketPhase};
use crate::ports::inet::messages::{self, Tag};
use crate::ports::{Driver, PacketSink, Port};
use enigma_runtime::atom::Atom;
use enigma_runtime::io::{Source, Waits};
use enigma_runtime::timer;
use enigma_runtime::{Heap, Term, time};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// A request that is answered later.
pub struct Request {
    /// The number that the caller knows it by.
    pub number: u16,
    /// Who asks.
    pub caller: u64,
    /// Bytes that are asked for, 0 for any number.
    pub length: usize,
    /// Tells it from all others.
    unique: u64,
    timer: Option<timer::Handle>,
}

/// A sender who waits until the queue is short again.
pub struct Sender {
    /// The process.
    pub caller: u64,
    /// What its answer is known by.
    pub tag: Option<Tag>,
    /// See `Request`.
    unique: u64,
    timer: Option<timer::Handle>,
}

/// What the next calls are to hear of a connection that has ended meanwhile.
#[derive(Clone, Copy, Default, Debug)]
pub struct Bequest {
    /// The next one that receives: it is closed.
    pub receive: bool,
    /// The next one that sends: the same.
    pub send: bool,
    /// It was reset, and that is to be told.
    pub reset: bool,
}

/// See the module's text.
pub struct TcpState {
    /// What all sockets have.
    pub d: Descriptor,
    /// What has come.
    pub input: TcpInput,
    /// What is to go.
    pub output: OutputQueue,
    /// Who accepts.
    pub accepting: VecDeque<Request>,
    /// Who receives or connects.
    pub waiting: Option<Request>,
    /// Who sends to the full queue.
    pub busy: Option<Box<Sender>>,
    /// See there.
    pub bequest: Bequest,
    /// Directions to close when the queue is empty.
    pub shutdown_later: Option<i32>,
    /// Were they closed for writing?
    pub is_write_shut: bool,
    /// Has the port closed?
    pub is_gone: bool,
    /// Was all read that was there? The poller tells when there is more.
    pub drained: bool,
    /// Has an owner who was active been told that nothing more comes?
    pub is_read_shut: bool,
    /// Has the other side ended, behind what there is to read?
    pub ended: bool,
    /// Inside the header fields of an HTTP message?
    pub in_header: bool,
    /// The port closes when the state is let go, for this reason.
    pub exit: Option<Atom>,
    /// What takes the packets that come, if it is a connection between nodes.
    pub sink: Option<Arc<dyn PacketSink>>,
    /// Is the owner to be told that the connection is closed when the port has ended?
    pub tells_at_end: bool,
}

/// See the module's text.
pub struct Tcp {
    /// The port.
    pub port: Weak<Port>,
    /// Its number.
    pub id: u64,
    /// This.
    pub me: Weak<Tcp>,
    /// Was the port opened with the option `binary`? Data in messages of the form of other ports is then.
    pub is_binary: bool,
    /// Makes the port's side of a socket that was accepted.
    pub driver: fn(Arc<Tcp>) -> Box<dyn Driver>,
    state: Mutex<TcpState>,
}

fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Nanoseconds of a millisecond.
const MS: i64 = 1_000_000;

impl Tcp {
    /// A socket of a port.
    pub fn new(
        port: &Arc<Port>,
        d: Descriptor,
        is_binary: bool,
        driver: fn(Arc<Tcp>) -> Box<dyn Driver>,
    ) -> Arc<Tcp> {
        let state = TcpState {
            d,
            input: TcpInput::default(),
            output: OutputQueue::default(),
            accepting: VecDeque::new(),
            waiting: None,
            busy: None,
            bequest: Bequest::default(),
            shutdown_later: None,
            is_write_shut: false,
            is_read_shut: false,
            drained: false,
            is_gone: false,
            ended: false,
            in_header: false,
            exit: None,
            sink: None,
            tells_at_end: false,
        };
        Arc::new_cyclic(|me| Tcp {
            port: Arc::downgrade(port),
            id: port.id,
            me: me.clone(),
            is_binary,
            driver,
            state: Mutex::new(state),
        })
    }

    /// Does something with the state. What that asks for is done when the state is let go.
    pub fn enter<R>(&self, f: impl FnOnce(&mut TcpState) -> R) -> R {
        let (r, exit, sink, tells) = {
            let mut s = self.state.lock();
            let r = f(&mut s);
            let sink = s.sink.clone().map(|sink| (sink, s.output.size()));
            (r, s.exit.take(), sink, s.tells_at_end)
        };
        if let Some((sink, queued)) = sink {
            sink.settle(queued);
        }
        if let Some(reason) = exit
            && let Some(port) = self.port.upgrade()
        {
            let owner = port.connected();
            port.end(reason);
            if tells {
                messages::note(self.term(), owner, Atom::new("tcp_closed"));
            }
        }
        r
    }

    /// The port's identifier.
    pub fn term(&self) -> Term {
        Term::local_port(self.id)
    }

    /// The connected process.
    pub fn owner(&self) -> Option<u64> {
        Some(self.port.upgrade()?.connected())
    }

    /// Says that the port is busy, or no longer.
    pub fn set_busy(&self, busy: bool) {
        if let Some(port) = self.port.upgrade() {
            port.set_busy(busy);
        }
    }

    /// Counts bytes that came.
    pub fn count_input(&self, n: usize) {
        if let Some(port) = self.port.upgrade() {
            port.count_input(n);
        }
    }

    /// `{What, Port}` to the owner.
    pub fn note(&self, what: &str) {
        if let Some(owner) = self.owner() {
            messages::note(self.term(), owner, Atom::new(what));
        }
    }

    /// `{tcp_closed, Port}` to the owner. Where the connection is one between nodes and the port ends with it, that
    /// comes first: why it has ended is the port's word, and not that of the owner, who ends when it hears of it.
    pub fn note_closed(&self, s: &mut TcpState) {
        if s.sink.is_some() && s.d.settings.exit_on_close {
            s.tells_at_end = true;
        } else {
            self.note("tcp_closed");
        }
    }

    /// `{tcp_error, Port, Reason}` to the owner.
    pub fn note_error(&self, reason: Atom) {
        if let Some(owner) = self.owner() {
            messages::note_error(self.term(), owner, Atom::new("tcp_error"), reason);
        }
    }

    /// Answers a request.
    pub fn answer(&self, r: Request, status: impl FnOnce(&mut Heap) -> Term) {
        r.cancel();
        messages::answer(self.term(), r.caller, r.number, status);
    }

    /// Answers a request with an error.
    pub fn refuse(&self, r: Request, reason: Atom) {
        self.answer(r, |h| messages::error(h, reason));
    }

    /// Answers a sender.
    pub fn reply(&self, caller: u64, tag: Option<&Tag>, result: Result<(), Atom>) {
        messages::reply(self.term(), caller, tag, result);
    }

    fn source(&self) -> Weak<dyn Source> {
        self.me.clone()
    }

    /// Asks the poller to tell when the socket is ready.
    pub fn watch(&self, s: &mut TcpState, waits: Waits) -> io::Result<()> {
        s.d.watch(&self.source(), waits)
    }

    /// Asks it to tell once more what is ready now.
    pub fn watch_again(&self, s: &mut TcpState, waits: Waits) -> io::Result<()> {
        s.d.watch_again(&self.source(), waits)
    }

    /// After so many milliseconds `late` is called with the number that tells what has waited.
    fn timer(&self, ms: u32, late: fn(&Tcp, &mut TcpState, u64)) -> (u64, timer::Handle) {
        let (me, n) = (self.me.clone(), unique());
        let deadline = time::monotonic() + i64::from(ms) * MS;
        let handle = timer::start_call(deadline, move || {
            if let Some(t) = me.upgrade() {
                t.enter(|s| late(&t, s, n));
            }
        });
        (n, handle)
    }

    /// A request of `caller`, with a limit of its time in milliseconds.
    pub fn request(
        &self,
        number: u16,
        caller: u64,
        length: usize,
        ms: Option<u32>,
        late: fn(&Tcp, &mut TcpState, u64),
    ) -> Request {
        let (unique, timer) = match ms {
            Some(ms) => {
                let (n, timer) = self.timer(ms, late);
                (n, Some(timer))
            }
            None => (unique(), None),
        };
        Request {
            number,
            caller,
            length,
            unique,
            timer,
        }
    }

    /// A sender who waits, for a limited time perhaps.
    pub fn sender(
        &self,
        caller: u64,
        tag: Option<Tag>,
        ms: Option<u32>,
        late: fn(&Tcp, &mut TcpState, u64),
    ) -> Sender {
        let (unique, timer) = match ms {
            Some(ms) => {
                let (n, timer) = self.timer(ms, late);
                (n, Some(timer))
            }
            None => (unique(), None),
        };
        Sender {
            caller,
            tag,
            unique,
            timer,
        }
    }
}

impl Request {
    fn cancel(&self) {
        if let Some(timer) = self.timer {
            timer::cancel(timer);
        }
    }

    /// Is it the one with this number?
    pub fn is(&self, unique: u64) -> bool {
        self.unique == unique
    }

    /// Is its caller still there?
    pub fn has_caller(&self) -> bool {
        enigma_runtime::process::table::with(self.caller, |p| !p.state.is_exiting())
            .unwrap_or(false)
    }

    /// Nobody waits for it any more.
    pub fn drop_unanswered(self) {
        self.cancel();
    }
}

impl Sender {
    /// Is it the one with this number?
    pub fn is(&self, unique: u64) -> bool {
        self.unique == unique
    }
}

impl TcpState {
    /// Does somebody want what comes?
    pub fn wants_input(&self) -> bool {
        self.waiting.is_some() || self.d.settings.active != Active::Passive
    }

    /// Is it connected?
    pub fn is_connected(&self) -> bool {
        self.d.is_connected()
    }

    /// The sender who waits has its answer, and the port is no longer busy. Was there one?
    pub fn end_busy(&mut self, t: &Tcp, result: Result<(), Atom>) -> bool {
        let Some(sender) = self.busy.take() else {
            return false;
        };
        if let Some(timer) = sender.timer {
            timer::cancel(timer);
        }
        t.set_busy(false);
        t.reply(sender.caller, sender.tag.as_ref(), result);
        true
    }

    /// All requests that wait hear that the socket is closed.
    pub fn refuse_all(&mut self, t: &Tcp, reason: Atom) {
        for r in std::mem::take(&mut self.accepting) {
            t.refuse(r, reason);
        }
        if let Some(r) = self.waiting.take() {
            t.refuse(r, reason);
        }
    }

    /// Forgets what waits to be sent.
    pub fn clear_output(&mut self, t: &Tcp) {
        for f in self.output.clear() {
            let closed = Atom::CLOSED;
            messages::send(f.caller, |h| {
                let why = messages::error(h, closed);
                h.tuple(&[Atom::new("sendfile").into(), t.term(), why])
            });
        }
    }

    /// Closes the socket; the port stays.
    pub fn close_socket(&mut self) {
        self.d.close();
        self.d.phase = SocketPhase::Idle;
    }
}

/// The error by its name.
pub fn name_of(e: &io::Error) -> Atom {
    errno::of(e)
}
