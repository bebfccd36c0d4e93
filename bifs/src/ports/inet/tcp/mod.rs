//! The driver `tcp_inet`: streams over TCP and local sockets.

pub mod connect;
pub mod input;
pub mod linger;
pub mod queue;
pub mod receive;
pub mod send;
pub mod state;

use super::codes;
use super::control::{self, ControlAnswer};
use super::descriptor::{Active, Descriptor, SocketPhase, ok, refused};
use super::options::{self, BadOption, Changes};
use super::sys::Socket;
use crate::ports::{Driver, PacketSink, Port, Refusal};
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::io::{Readiness, Source};
use state::{Tcp, TcpState};
use std::sync::Arc;

/// Opens a port of the driver.
pub fn open(owner: u64, name: &str, binary: bool) -> Result<Arc<Port>, Atom> {
    Port::open(owner, name, false, |port| {
        Ok(driver(Tcp::new(
            port,
            Descriptor::new(true),
            binary,
            driver,
        )))
    })
}

fn driver(t: Arc<Tcp>) -> Box<dyn Driver> {
    Box::new(TcpDriver(t))
}

/// The port's side of a socket.
struct TcpDriver(Arc<Tcp>);

impl Source for Tcp {
    fn ready(&self, what: Readiness) -> bool {
        self.enter(|s| ready(self, s, what))
    }
}

fn ready(t: &Tcp, s: &mut TcpState, what: Readiness) -> bool {
    if s.is_gone {
        return false;
    }
    match s.d.phase {
        SocketPhase::Idle => false,
        SocketPhase::Listening => connect::accept_all(t, s),
        SocketPhase::Connecting => {
            if what.writable {
                connect::connected(t, s);
            }
            false
        }
        SocketPhase::Connected => {
            s.ended |= what.ended;
            s.drained &= !what.readable;
            let more = send::flush(t, s);
            receive::pump(t, s, receive::TURN) || more
        }
    }
}

fn flags(s: &TcpState) -> u32 {
    let accepting = match s.accepting.len() {
        0 => 0,
        1 => codes::F_ACC,
        _ => codes::F_ACC | codes::F_MULTI,
    };
    let busy = if s.busy.is_some() { codes::F_BUSY } else { 0 };
    s.d.flags() | accepting | busy
}

impl Driver for TcpDriver {
    fn output(&self, _: &Arc<Port>, _: Vec<u8>) -> Result<(), Atom> {
        // Commands come whole.
        Err(Atom::EINVAL)
    }

    fn command(&self, _: &Arc<Port>, caller: u64, data: Term) -> Option<Result<usize, Refusal>> {
        Some(self.0.enter(|s| send::command(&self.0, s, caller, data)))
    }

    fn can_be_forced(&self) -> bool {
        true
    }

    fn queue_size(&self) -> usize {
        self.0.enter(|s| s.output.size())
    }

    fn control(&self, _: &Arc<Port>, caller: u64, operation: u32, data: &[u8]) -> Option<Vec<u8>> {
        let Some(request) = operation.checked_sub(codes::MAGIC) else {
            return Some(refused("exbadport"));
        };
        self.0.enter(|s| answer(&self.0, s, request, data, caller))
    }

    fn carry(&self, sink: Arc<dyn PacketSink>) -> bool {
        self.0.enter(|s| {
            let can = s.is_connected() && s.sink.is_none();
            if can {
                s.sink = Some(sink);
            }
            can
        })
    }

    fn send_packets(&self, packets: Vec<Vec<u8>>) {
        let port = self.0.port.upgrade();
        let bytes: usize = packets.iter().map(Vec::len).sum();
        self.0.enter(|s| send::packets(&self.0, s, packets));
        if let Some(port) = port {
            port.count_output(bytes);
        }
    }

    fn close(&self) {
        self.0.enter(|s| {
            s.is_gone = true;
            s.end_busy(&self.0, Err(Atom::CLOSED));
            s.refuse_all(&self.0, Atom::CLOSED);
        });
    }

    fn finish(&self) {
        self.0.enter(|s| finish(&self.0, s));
    }

    fn flush(&self) {
        for _ in 0..FLUSHES {
            let waits = self.0.enter(|s| {
                while send::flush(&self.0, s) {}
                !s.output.is_empty()
            });
            if !waits {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

/// How often it is tried, each time after 10 ms, to get out what waits when the VM ends.
const FLUSHES: usize = 500;

fn answer(t: &Tcp, s: &mut TcpState, request: u32, data: &[u8], caller: u64) -> Option<Vec<u8>> {
    if request == codes::GETSTATUS {
        connect::forget_the_dead(s);
    }
    let (pending, state) = (s.output.size(), flags(s));
    match control::answer(&mut s.d, request, data, caller, pending, state) {
        ControlAnswer::Bytes(bytes) => return Some(bytes),
        ControlAnswer::BadArgument => return None,
        ControlAnswer::Unknown => {}
    }
    Some(match request {
        codes::SETOPTS => set_options(t, s, data),
        codes::CONNECT => connect::connect(t, s, caller, data),
        codes::LISTEN => connect::listen(s, data),
        codes::ACCEPT => connect::accept(t, s, caller, data),
        codes::TCP_RECV => receive::request(t, s, caller, data),
        codes::TCP_UNRECV => receive::put_back(t, s, data),
        codes::TCP_SHUTDOWN => send::shutdown(s, data),
        codes::TCP_SENDFILE => send::send_file(t, s, caller, data),
        codes::IGNOREFD => ignore(t, s, data),
        _ => refused("exbadport"),
    })
}

fn set_options(t: &Tcp, s: &mut TcpState, data: &[u8]) -> Vec<u8> {
    let mut changes = Changes::default();
    let before = (s.d.settings.packets, s.d.settings.active);
    let set = options::set(&mut s.d, data, &mut changes);
    if s.d.settings.packets != before.0 {
        s.in_header = false;
    }
    if changes.has_become_passive {
        t.note("tcp_passive");
    }
    if s.d.settings.active != Active::Passive {
        if (s.bequest.receive || s.bequest.send) && !s.is_connected() {
            let reset = s.bequest.reset;
            s.bequest = Default::default();
            if reset {
                t.note_error(Atom::new("econnreset"));
            }
            t.note("tcp_closed");
            if s.d.settings.exit_on_close {
                s.exit = Some(Atom::NORMAL);
            }
        } else if before.1 == Active::Passive || s.d.settings.packets != before.0 {
            receive::start(t, s);
        }
    }
    match set {
        Ok(()) => ok(&[]),
        Err(BadOption) => refused("einval"),
    }
}

/// The descriptor is left to somebody else, or taken back.
fn ignore(t: &Tcp, s: &mut TcpState, data: &[u8]) -> Vec<u8> {
    if !s.is_connected() {
        return refused("enotconn");
    }
    match data {
        [1] => {
            s.d.ignored = true;
            s.d.forget();
        }
        [0] => {
            s.d.ignored = false;
            while send::flush(t, s) {}
            receive::start(t, s);
        }
        _ => return refused("einval"),
    }
    ok(&[])
}

/// Is the connection to be reset when it is closed?
fn is_reset_at_close(s: &TcpState) -> bool {
    let mut value = [0; 8];
    let read = |socket: &Socket| socket.get(libc::SOL_SOCKET, libc::SO_LINGER, &mut value);
    let read = s.d.socket().and_then(read);
    read.is_ok() && value[..4] != [0; 4] && value[4..] == [0; 4]
}

/// The port has closed: what is to be sent is sent if the connection allows it.
fn finish(t: &Tcp, s: &mut TcpState) {
    let flushes = s.is_connected() && !s.output.is_empty() && !is_reset_at_close(s);
    if flushes && let Some((socket, watched)) = s.d.take_socket() {
        drop(watched);
        linger::finish(socket, std::mem::take(&mut s.output));
    } else {
        s.clear_output(t);
    }
    s.close_socket();
}
