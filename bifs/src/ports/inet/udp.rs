//! The driver `udp_inet`: datagrams over UDP and local sockets.

use super::address::{self, Parts, take_array, take_bytes};
use super::codes;
use super::control::{self, ControlAnswer};
use super::descriptor::{
    Active, Descriptor, SocketPhase, SocketSettings, failed, failed_with, ok, refused,
};
use super::messages::{self, Payload, Tag};
use super::options::{self, BadOption, Changes};
use super::sys::{Control, RawAddress, Socket};
use super::tag::take_tag;
use crate::erlang::iolist;
use crate::errno;
use crate::ports::{Driver, Port, Refusal};
use enigma_runtime::atom::Atom;
use enigma_runtime::io::{Readiness, Source, Waits};
use enigma_runtime::{Heap, Term, time, timer};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Weak};

/// Longest memory that a thread keeps for reading.
const KEPT: usize = 256 * 1024;

thread_local! {
    /// Memory that datagrams are read into.
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A request that is answered later.
struct Pending {
    number: u16,
    caller: u64,
    timer: Option<timer::Handle>,
}

struct UdpState {
    d: Descriptor,
    receiving: Option<Pending>,
}

struct Udp {
    port: Weak<Port>,
    id: u64,
    me: Weak<Udp>,
    /// Was the port opened with the option `binary`?
    is_binary: bool,
    state: Mutex<UdpState>,
}

struct UdpDriver(Arc<Udp>);

/// Opens a port of the driver.
pub fn open(owner: u64, name: &str, is_binary: bool) -> Result<Arc<Port>, Atom> {
    Port::open(owner, name, false, |port| {
        let u = Arc::new_cyclic(|me| Udp {
            port: Arc::downgrade(port),
            id: port.id,
            me: me.clone(),
            is_binary,
            state: Mutex::new(UdpState {
                d: Descriptor::new(false),
                receiving: None,
            }),
        });
        Ok(Box::new(UdpDriver(u)))
    })
}

impl Source for Udp {
    fn ready(&self, _: Readiness) -> bool {
        let mut s = self.state.lock();
        self.receive(&mut s)
    }
}

impl Udp {
    fn term(&self) -> Term {
        Term::local_port(self.id)
    }

    fn answer(&self, r: Pending, status: impl FnOnce(&mut Heap) -> Term) {
        if let Some(timer) = r.timer {
            timer::cancel(timer);
        }
        messages::answer(self.term(), r.caller, r.number, status);
    }

    /// Receives as long as somebody wants it, some datagrams in a row. `true` if there may be more; otherwise the poller
    /// tells.
    fn receive(&self, s: &mut UdpState) -> bool {
        for _ in 0..s.d.settings.read_packets {
            let wanted = s.receiving.is_some() || s.d.settings.active != Active::Passive;
            if !wanted || s.d.ignored {
                return false;
            }
            let Ok(socket) = s.d.socket() else {
                return false;
            };
            let mut control = Control::default();
            let mut buffer = SPARE.take();
            buffer.clear();
            let got = socket.receive_from(&mut buffer, s.d.settings.buffer, &mut control);
            match got {
                Ok((_, from)) => self.deliver(s, &buffer, &from, &control),
                Err(e) => match e.raw_os_error() {
                    Some(libc::EINTR) => {}
                    Some(libc::EAGAIN) => {
                        self.wait(s);
                        return false;
                    }
                    _ => self.failed(s, &e),
                },
            }
            if buffer.capacity() <= KEPT {
                SPARE.set(buffer);
            }
        }
        true
    }

    fn wait(&self, s: &mut UdpState) {
        let source: Weak<dyn Source> = self.me.clone();
        if let Err(e) = s.d.watch(&source, Waits::READ) {
            self.failed(s, &e);
        }
    }

    /// Lets the poller go on.
    fn go_on(&self, s: &mut UdpState) {
        if self.receive(s) {
            let source: Weak<dyn Source> = self.me.clone();
            if let Err(e) = s.d.watch_again(&source, Waits::READ) {
                self.failed(s, &e);
            }
        }
    }

    fn failed(&self, s: &mut UdpState, e: &io::Error) {
        let why = errno::of(e);
        if let Some(r) = s.receiving.take() {
            return self.answer(r, |h| messages::error(h, why));
        }
        if let Some(port) = self.port.upgrade() {
            let what = Atom::new("udp_error");
            messages::note_error(self.term(), port.connected(), what, why);
        }
    }

    fn deliver(&self, s: &mut UdpState, bytes: &[u8], from: &RawAddress, control: &Control) {
        s.d.received.add(bytes.len());
        let Some(port) = self.port.upgrade() else {
            return;
        };
        let payload = Payload::Bytes(bytes);
        let mut extra = Vec::new();
        control.read(|level, kind, value| extra.extend(options::ancillary(level, kind, value)));
        let settings = &s.d.settings;
        if let Some(r) = s.receiving.take() {
            return self.answer(r, |h| {
                let data = messages::data(h, settings, &payload);
                let all = h.byte_list_with_tail(&address::encode(from), data);
                let all = match &extra[..] {
                    [] => all,
                    extra => {
                        let extra = ancillary(h, extra);
                        h.tuple(&[all, extra])
                    }
                };
                h.tuple(&[Atom::OK.into(), all])
            });
        }
        if settings.as_port {
            port.count_input(bytes.len());
        }
        messages::send(port.connected(), |h| {
            if settings.as_port {
                let of_port = SocketSettings {
                    binary: self.is_binary,
                    ..settings.clone()
                };
                let data = messages::data(h, &of_port, &payload);
                let all = h.byte_list_with_tail(&address::encode(from), data);
                let all = h.tuple(&[Atom::DATA.into(), all]);
                return h.tuple(&[self.term(), all]);
            }
            let data = messages::data(h, settings, &payload);
            let (ip, number) = peer(h, from);
            let head = [Atom::UDP.into(), self.term(), ip, number];
            match &extra[..] {
                [] => h.tuple(&[head[0], head[1], head[2], head[3], data]),
                extra => {
                    let extra = ancillary(h, extra);
                    h.tuple(&[head[0], head[1], head[2], head[3], extra, data])
                }
            }
        });
        if s.d.note_delivery() {
            messages::note(self.term(), port.connected(), Atom::new("udp_passive"));
        }
    }

    fn request(&self, s: &mut UdpState, caller: u64, mut data: &[u8]) -> Vec<u8> {
        if !s.d.is_open() {
            return refused("exbadport");
        }
        let times = (take_array::<4>(&mut data), take_array::<4>(&mut data));
        let (Active::Passive, (Ok(ms), Ok(_)), []) = (s.d.settings.active, times, data) else {
            return refused("einval");
        };
        let ms = i32::from_be_bytes(*ms);
        if s.receiving.is_some() {
            return failed_with(libc::EALREADY);
        }
        let number = messages::next_number();
        s.receiving = Some(Pending {
            number,
            caller,
            timer: None,
        });
        self.go_on(s);
        if ms == 0 {
            if let Some(r) = s.receiving.take() {
                self.answer(r, |h| messages::error(h, Atom::TIMEOUT));
            }
        } else if let Some(r) = &mut s.receiving
            && ms > 0
        {
            let me = self.me.clone();
            let deadline = time::monotonic() + i64::from(ms) * 1_000_000;
            r.timer = Some(timer::start_call(deadline, move || {
                if let Some(u) = me.upgrade() {
                    u.late(number);
                }
            }));
        }
        ok(&number.to_be_bytes())
    }

    fn late(&self, number: u16) {
        let mut s = self.state.lock();
        if s.receiving.as_ref().is_some_and(|r| r.number == number)
            && let Some(r) = s.receiving.take()
        {
            self.answer(r, |h| messages::error(h, Atom::TIMEOUT));
        }
    }

    fn connect(&self, s: &mut UdpState, caller: u64, mut data: &[u8]) -> Vec<u8> {
        if !s.d.is_open() {
            return refused("exbadport");
        }
        if data.is_empty() {
            return match s.d.socket().and_then(Socket::disconnect) {
                Ok(()) => {
                    s.d.phase = SocketPhase::Idle;
                    ok(&[])
                }
                Err(e) => failed(&e),
            };
        }
        let Ok(_) = take_array::<4>(&mut data) else {
            return refused("einval");
        };
        let to = match s.d.take_address(&mut data) {
            Ok(a) => a,
            Err(why) => return refused(why.name()),
        };
        let connect = |socket: &Socket| {
            if s.d.phase == SocketPhase::Connected {
                // The address that the system chose for the old connection does not bind the new one.
                socket.disconnect()?;
            }
            socket.connect(&to)
        };
        if let Err(e) = s.d.socket().and_then(connect) {
            return failed(&e);
        }
        s.d.phase = SocketPhase::Connected;
        let number = messages::next_number();
        messages::answer(self.term(), caller, number, |_| Atom::OK.into());
        ok(&number.to_be_bytes())
    }

    fn set_options(&self, s: &mut UdpState, data: &[u8]) -> Vec<u8> {
        let mut changes = Changes::default();
        let set = options::set(&mut s.d, data, &mut changes);
        if changes.has_become_passive
            && let Some(port) = self.port.upgrade()
        {
            messages::note(self.term(), port.connected(), Atom::new("udp_passive"));
        }
        if s.d.is_open() && s.d.settings.active != Active::Passive {
            self.go_on(s);
        }
        match set {
            Ok(()) => ok(&[]),
            Err(BadOption) => refused("einval"),
        }
    }

    fn send(&self, s: &mut UdpState, caller: u64, data: Term) -> Result<usize, Refusal> {
        let all = iolist::collect(data).map_err(|_| Refusal::BadData)?;
        let (tag, skip) = take_tag(&all)?;
        let bytes = &all[skip..];
        let result = send_datagram(s, bytes);
        self.reply(caller, tag.as_ref(), result);
        Ok(bytes.len())
    }

    fn reply(&self, caller: u64, tag: Option<&Tag>, result: Result<(), Atom>) {
        messages::reply(self.term(), caller, tag, result);
    }
}

/// Sends a datagram: address, length of the options that go with it, these, data.
fn send_datagram(s: &mut UdpState, mut bytes: &[u8]) -> Result<(), Atom> {
    let einval = || Atom::EINVAL;
    if !s.d.is_open() {
        return Err(einval());
    }
    let to = s.d.take_address(&mut bytes).map_err(|_| einval())?;
    let n = take_array::<4>(&mut bytes).map_err(|_| einval())?;
    let n = u32::from_be_bytes(*n) as usize;
    let extra = take_bytes(&mut bytes, n).map_err(|_| einval())?;
    let extra = options::control_of(extra).map_err(|_| einval())?;
    // A socket that is connected has its address.
    let to = (s.d.phase != SocketPhase::Connected).then_some(&to);
    s.d.sent.add(bytes.len());
    let sent = s.d.socket().and_then(|socket| {
        loop {
            match socket.send_to(&[bytes], to, &extra) {
                Err(e) if e.raw_os_error() == Some(libc::EINTR) => {}
                other => break other,
            }
        }
    });
    sent.map(drop).map_err(|e| errno::of(&e))
}

/// The values that came with a datagram.
fn ancillary(h: &mut Heap, all: &[(u8, i32)]) -> Term {
    let mut list = Vec::new();
    for &(code, n) in all {
        let name = match code {
            codes::TOS => "tos",
            codes::TCLASS => "tclass",
            _ => "ttl",
        };
        list.push(h.tuple(&[Atom::new(name).into(), Term::small(i64::from(n))]));
    }
    h.list(&list)
}

/// Address and port of a sender, as messages have them.
fn peer(h: &mut Heap, from: &RawAddress) -> (Term, Term) {
    let small = |n: u16| Term::small(i64::from(n));
    let other = |h: &mut Heap, family: &str, path: &[u8]| {
        let path = h.binary(path);
        (h.tuple(&[Atom::new(family).into(), path]), small(0))
    };
    match address::parts(from) {
        Parts::V4(ip, port) => {
            let ip: Vec<Term> = ip.octets().map(|n| small(n.into())).into();
            (h.tuple(&ip), small(port))
        }
        Parts::V6(ip, port) => {
            let ip: Vec<Term> = ip.segments().map(small).into();
            (h.tuple(&ip), small(port))
        }
        Parts::Local(path) => other(h, "local", &path),
        Parts::Unspecified => other(h, "unspec", b""),
        Parts::Other => other(h, "undefined", b""),
    }
}

impl Driver for UdpDriver {
    fn output(&self, _: &Arc<Port>, _: Vec<u8>) -> Result<(), Atom> {
        // Commands come whole.
        Err(Atom::EINVAL)
    }

    fn command(&self, _: &Arc<Port>, caller: u64, data: Term) -> Option<Result<usize, Refusal>> {
        let mut s = self.0.state.lock();
        Some(self.0.send(&mut s, caller, data))
    }

    fn can_be_forced(&self) -> bool {
        true
    }

    fn control(&self, _: &Arc<Port>, caller: u64, operation: u32, data: &[u8]) -> Option<Vec<u8>> {
        let Some(request) = operation.checked_sub(codes::MAGIC) else {
            return Some(refused("exbadport"));
        };
        let mut s = self.0.state.lock();
        let s = &mut *s;
        let flags = s.d.flags();
        match control::answer(&mut s.d, request, data, caller, 0, flags) {
            ControlAnswer::Bytes(bytes) => return Some(bytes),
            ControlAnswer::BadArgument => return None,
            ControlAnswer::Unknown => {}
        }
        Some(match request {
            codes::SETOPTS => self.0.set_options(s, data),
            codes::CONNECT => self.0.connect(s, caller, data),
            codes::PACKET_RECV => self.0.request(s, caller, data),
            _ => refused("exbadport"),
        })
    }

    fn close(&self) {
        let mut s = self.0.state.lock();
        if let Some(r) = s.receiving.take() {
            self.0.answer(r, |h| messages::error(h, Atom::CLOSED));
        }
        s.d.close();
    }
}
