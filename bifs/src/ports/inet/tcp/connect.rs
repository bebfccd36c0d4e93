//! Connecting, listening and accepting.

use super::receive;
use super::state::{Request, Tcp, TcpState};
use crate::errno;
use crate::ports::Port;
use crate::ports::inet::address::take_array;
use crate::ports::inet::descriptor::{Active, Descriptor, SocketPhase, failed, ok, refused};
use crate::ports::inet::messages;
use crate::ports::inet::sys::Socket;
use enigma_runtime::atom::Atom;
use enigma_runtime::io::Waits;
use enigma_runtime::process::PidKey;
use enigma_runtime::process::signal::{self, Signal};
use std::collections::VecDeque;
use std::io;

/// Connections that are accepted in a row before others have a turn.
const TURN: usize = 16;

/// Milliseconds as requests give them; a negative number stands for any time.
fn time(data: &mut &[u8]) -> Option<Option<u32>> {
    let ms = i32::from_be_bytes(*take_array(data).ok()?);
    Some(u32::try_from(ms).ok())
}

/// A request to connect: time and address.
pub fn connect(t: &Tcp, s: &mut TcpState, caller: u64, mut data: &[u8]) -> Vec<u8> {
    if !s.d.is_open() {
        return refused("exbadport");
    }
    match s.d.phase {
        SocketPhase::Idle => {}
        SocketPhase::Connected => return refused("eisconn"),
        SocketPhase::Connecting | SocketPhase::Listening => return refused("exbadseq"),
    }
    if data.len() < 6 {
        return refused("einval");
    }
    let Some(ms) = time(&mut data) else {
        return refused("einval");
    };
    let to = match s.d.take_address(&mut data) {
        Ok(a) => a,
        Err(why) => return refused(why.name()),
    };
    let number = messages::next_number();
    match s.d.socket().and_then(|socket| socket.connect(&to)) {
        Ok(()) => {
            s.d.phase = SocketPhase::Connected;
            let request = t.request(number, caller, 0, None, late_to_connect);
            t.answer(request, |_| Atom::OK.into());
            if s.d.settings.active != Active::Passive {
                receive::start(t, s);
            }
        }
        Err(e) if e.raw_os_error() == Some(libc::EINPROGRESS) => {
            s.d.phase = SocketPhase::Connecting;
            if let Err(e) = t.watch_again(s, Waits::WRITE) {
                s.d.phase = SocketPhase::Idle;
                return failed(&e);
            }
            s.waiting = Some(t.request(number, caller, 0, ms, late_to_connect));
        }
        Err(e) => return failed(&e),
    }
    ok(&number.to_be_bytes())
}

fn late_to_connect(t: &Tcp, s: &mut TcpState, unique: u64) {
    if s.waiting.as_ref().is_some_and(|r| r.is(unique))
        && let Some(r) = s.waiting.take()
    {
        s.close_socket();
        t.refuse(r, Atom::TIMEOUT);
    }
}

/// The socket that connects has become writable: it is connected, or it is not.
pub fn connected(t: &Tcp, s: &mut TcpState) {
    let Ok(socket) = s.d.socket() else { return };
    let error = socket.pending_error();
    if error.is_none() && socket.peer().is_err() {
        // Neither: what was told is old.
        return;
    }
    let request = s.waiting.take();
    match error {
        None => {
            s.d.phase = SocketPhase::Connected;
            if let Some(r) = request {
                t.answer(r, |_| Atom::OK.into());
            }
            if s.d.settings.active != Active::Passive {
                receive::start(t, s);
            }
        }
        Some(code) => {
            s.d.phase = SocketPhase::Idle;
            if let Some(r) = request {
                t.refuse(r, errno::atom(code));
            }
        }
    }
}

/// A request to listen: the length of the queue.
pub fn listen(s: &mut TcpState, data: &[u8]) -> Vec<u8> {
    if !s.d.is_open() {
        return refused("exbadport");
    }
    let Ok(backlog) = <[u8; 2]>::try_from(data) else {
        return refused("einval");
    };
    if !matches!(s.d.phase, SocketPhase::Idle | SocketPhase::Listening) {
        return refused("exbadport");
    }
    let backlog = i32::from(u16::from_be_bytes(backlog));
    match s.d.socket().and_then(|socket| socket.listen(backlog)) {
        Ok(()) => {
            s.d.phase = SocketPhase::Listening;
            ok(&[])
        }
        Err(e) => failed(&e),
    }
}

/// A request to accept: the time.
pub fn accept(t: &Tcp, s: &mut TcpState, caller: u64, mut data: &[u8]) -> Vec<u8> {
    let (SocketPhase::Listening, Some(ms), []) = (s.d.phase, time(&mut data), data) else {
        return refused("einval");
    };
    let number = messages::next_number();
    let request = |ms| t.request(number, caller, 0, ms, late_to_accept);
    forget_the_dead(s);
    if !s.accepting.is_empty() {
        if ms == Some(0) {
            t.refuse(request(None), Atom::TIMEOUT);
        } else {
            s.accepting.push_back(request(ms));
        }
        return ok(&number.to_be_bytes());
    }
    match s.d.socket().and_then(Socket::accept) {
        Ok(socket) => give(t, s, request(None), socket),
        Err(e) if would_block(&e) && ms == Some(0) => t.refuse(request(None), Atom::TIMEOUT),
        Err(e) if would_block(&e) => {
            s.accepting.push_back(request(ms));
            if let Err(e) = t.watch_again(s, Waits::READ) {
                s.accepting.pop_back();
                return failed(&e);
            }
        }
        Err(e) => t.refuse(request(None), errno::of(&e)),
    }
    ok(&number.to_be_bytes())
}

/// Is there nothing to accept now? Connections that have ended already count as none.
fn would_block(e: &io::Error) -> bool {
    matches!(
        e.raw_os_error(),
        Some(libc::EAGAIN | libc::EINTR | libc::ECONNABORTED)
    )
}

/// Requests of processes that have ended are none.
pub fn forget_the_dead(s: &mut TcpState) {
    if s.accepting.iter().all(Request::has_caller) {
        return;
    }
    let all = std::mem::take(&mut s.accepting).into_iter();
    let (alive, dead): (VecDeque<Request>, VecDeque<Request>) = all.partition(Request::has_caller);
    s.accepting = alive;
    dead.into_iter().for_each(Request::drop_unanswered);
}

fn late_to_accept(t: &Tcp, s: &mut TcpState, unique: u64) {
    let found = s.accepting.iter().position(|r| r.is(unique));
    if let Some(r) = found.and_then(|i| s.accepting.remove(i)) {
        t.refuse(r, Atom::TIMEOUT);
    }
}

/// The socket that listens has connections. `true` if there may be more.
pub fn accept_all(t: &Tcp, s: &mut TcpState) -> bool {
    for _ in 0..TURN {
        while s.accepting.front().is_some_and(|r| !r.has_caller()) {
            forget_the_dead(s);
        }
        if s.accepting.is_empty() {
            return false;
        }
        match s.d.socket().and_then(Socket::accept) {
            Ok(socket) => {
                if let Some(r) = s.accepting.pop_front() {
                    give(t, s, r, socket);
                }
            }
            Err(e) if would_block(&e) => return e.raw_os_error() != Some(libc::EAGAIN),
            Err(e) => {
                if let Some(r) = s.accepting.pop_front() {
                    t.refuse(r, errno::of(&e));
                }
            }
        }
    }
    true
}

/// Gives a connection to who has asked for it: as a port that is linked to the process.
fn give(t: &Tcp, s: &TcpState, r: Request, socket: Socket) {
    let mut d = Descriptor::new(true);
    let from = &s.d.settings;
    let to = &mut d.settings;
    to.binary = from.binary;
    to.as_port = from.as_port;
    to.exit_on_close = from.exit_on_close;
    to.packets = from.packets;
    to.packet_size = from.packet_size;
    to.delimiter = from.delimiter;
    to.header = from.header;
    (to.buffer, to.buffer_is_set) = (from.buffer, from.buffer_is_set);
    (to.high, to.low) = (from.high, from.low);
    (to.high_msgq, to.low_msgq) = (from.high_msgq, from.low_msgq);
    to.send_timeout = from.send_timeout;
    to.send_timeout_close = from.send_timeout_close;
    to.show_econnreset = from.show_econnreset;
    to.read_ahead = from.read_ahead;
    d.set_socket(socket, s.d.family);
    d.phase = SocketPhase::Connected;
    let driver = t.driver;
    let opened = Port::open(r.caller, "tcp_inet", false, move |port| {
        Ok(driver(Tcp::new(port, d, false, driver)))
    });
    match opened {
        Ok(port) => {
            let linked = PidKey::of(port.term()).is_some_and(|from| {
                let link = Signal::Link { from, to: r.caller };
                signal::send(r.caller, link)
            });
            if !linked {
                port.close(Atom::NORMAL.into());
                return r.drop_unanswered();
            }
            t.answer(r, |h| h.tuple(&[Atom::OK.into(), port.term()]));
        }
        Err(why) => t.refuse(r, why),
    }
}
