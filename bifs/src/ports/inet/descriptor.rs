//! What all sockets of the drivers have: a descriptor, its state, settings that the driver keeps, counters.

use super::address::{self, BadAddress};
use super::codes;
use super::sys::{RawAddress, Socket};
use crate::errno;
use crate::packet::Framing;
use enigma_runtime::io::{Source, Waits, Watched};
use enigma_runtime::release;
use std::io;
use std::sync::Weak;

/// When data is sent to the owner unasked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Active {
    /// Never.
    Passive,
    /// Always.
    Always,
    /// The next packet.
    Once,
    /// So many packets.
    Count(i16),
}

/// What a socket is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SocketPhase {
    /// Nothing yet.
    Idle,
    /// Connecting.
    Connecting,
    /// Connected.
    Connected,
    /// Listening.
    Listening,
}

/// How packets are told from each other, by the number of the option `packet`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packets {
    /// The option's value.
    pub code: u8,
    /// What it stands for.
    pub framing: Framing,
    /// Are the texts of HTTP binaries?
    pub binaries: bool,
}

impl Packets {
    /// As they come.
    pub const RAW: Packets = Packets {
        code: 0,
        framing: Framing::Raw,
        binaries: false,
    };

    /// From the option's value.
    pub fn of(code: u8) -> Option<Packets> {
        let framing = match code {
            0 => Framing::Raw,
            1 => Framing::Size(1),
            2 => Framing::Size(2),
            3 => Framing::Size(4),
            4 => Framing::Asn1,
            5 => Framing::SunRm,
            6 => Framing::Cdr,
            7 => Framing::Fcgi,
            8 => Framing::Line,
            9 => Framing::Tpkt,
            10 | 13 => Framing::Http,
            11 | 14 => Framing::HttpHeader,
            12 => Framing::Tls,
            _ => return None,
        };
        Some(Packets {
            code,
            framing,
            binaries: code >= 13,
        })
    }

    /// Is it one of those of HTTP?
    pub fn is_http(self) -> bool {
        matches!(self.framing, Framing::Http | Framing::HttpHeader)
    }
}

/// SocketSettings that the driver keeps itself.
#[derive(Clone, Debug)]
pub struct SocketSettings {
    /// Data as binaries.
    pub binary: bool,
    /// Messages of the form of other ports: `{Port, {data, Data}}`.
    pub as_port: bool,
    /// When data comes unasked.
    pub active: Active,
    /// So many bytes of a binary come as a list in front.
    pub header: usize,
    /// Bytes that are read at once.
    pub buffer: usize,
    /// Was that set, rather than following the system's buffer?
    pub buffer_is_set: bool,
    /// How packets are told from each other.
    pub packets: Packets,
    /// Most bytes of a packet, 0 for any number.
    pub packet_size: u32,
    /// What ends a line.
    pub delimiter: u8,
    /// Does the port close when the other side has?
    pub exit_on_close: bool,
    /// Bytes in the queue from which on the port is busy.
    pub high: usize,
    /// Bytes in the queue down to which it stays so.
    pub low: usize,
    /// The same for the port's own queue of commands.
    pub high_msgq: usize,
    /// See `high_msgq`.
    pub low_msgq: usize,
    /// Milliseconds that a sender waits for a busy port, if there is a limit.
    pub send_timeout: Option<u32>,
    /// Does the socket close then?
    pub send_timeout_close: bool,
    /// Is all output queued first?
    pub delay_send: bool,
    /// Is a reset told as such?
    pub show_econnreset: bool,
    /// May more be read than a packet needs?
    pub read_ahead: bool,
    /// Kept and told, as BEAM does for all but SCTP.
    pub non_block_send: bool,
    /// Datagrams that are read in a row.
    pub read_packets: usize,
    /// Kept and told.
    pub debug: bool,
    /// The file of the network namespace.
    pub namespace: Option<Box<[u8]>>,
}

impl SocketSettings {
    fn new() -> SocketSettings {
        SocketSettings {
            binary: false,
            as_port: false,
            active: Active::Passive,
            header: 0,
            buffer: if release::number() >= 28 { 9216 } else { 1460 },
            buffer_is_set: false,
            packets: Packets::RAW,
            packet_size: 0,
            delimiter: b'\n',
            exit_on_close: true,
            high: 8192,
            low: 4096,
            high_msgq: 8192,
            low_msgq: 4096,
            send_timeout: None,
            send_timeout_close: false,
            delay_send: false,
            show_econnreset: false,
            read_ahead: true,
            non_block_send: false,
            read_packets: 5,
            debug: false,
            namespace: None,
        }
    }
}

/// Packets and bytes of one direction.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counters {
    /// Packets.
    pub count: u32,
    /// The longest.
    pub max: u32,
    /// Their average.
    pub average: f64,
    /// The average deviation from it.
    pub deviation: f64,
    /// Bytes.
    pub octets: u64,
}

impl Counters {
    /// Counts a packet.
    pub fn add(&mut self, len: usize) {
        self.count = self.count.wrapping_add(1);
        self.octets = self.octets.wrapping_add(len as u64);
        let n = f64::from(self.count.max(1));
        self.max = self.max.max(len as u32);
        let was = self.average;
        self.average += (len as f64 - self.average) / n;
        self.deviation += ((len as f64 - was).abs() - self.deviation) / n;
    }
}

/// See the module's text.
pub struct Descriptor {
    // The registration goes before the descriptor is closed.
    watched: Option<Watched>,
    socket: Option<Socket>,
    /// Is it a stream?
    pub stream: bool,
    /// The system's number of the family.
    pub family: i32,
    /// Was it given by the user, who also closes it?
    pub borrowed: bool,
    /// Does somebody else use the descriptor now?
    pub ignored: bool,
    /// What it is doing.
    pub phase: SocketPhase,
    /// See there.
    pub settings: SocketSettings,
    /// What came.
    pub received: Counters,
    /// What went.
    pub sent: Counters,
    /// Who is to hear that the queue is empty.
    pub subscribers: Vec<u64>,
    /// What the own address is told as.
    pub name: Option<Box<RawAddress>>,
    /// What the other side's is told as.
    pub peer: Option<Box<RawAddress>>,
}

/// The system's error of a descriptor that is not open.
fn not_open() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}

impl Descriptor {
    /// One that is not open yet.
    pub fn new(stream: bool) -> Descriptor {
        Descriptor {
            watched: None,
            socket: None,
            stream,
            family: libc::AF_UNSPEC,
            borrowed: false,
            ignored: false,
            phase: SocketPhase::Idle,
            settings: SocketSettings::new(),
            received: Counters::default(),
            sent: Counters::default(),
            subscribers: Vec::new(),
            name: None,
            peer: None,
        }
    }

    /// The socket.
    ///
    /// # Errors
    /// `EBADF` if it is not open.
    pub fn socket(&self) -> io::Result<&Socket> {
        self.socket.as_ref().ok_or_else(not_open)
    }

    /// Is it open?
    pub fn is_open(&self) -> bool {
        self.socket.is_some()
    }

    /// Is it connected?
    pub fn is_connected(&self) -> bool {
        self.is_open() && self.phase == SocketPhase::Connected
    }

    /// Puts a socket in.
    pub fn set_socket(&mut self, socket: Socket, family: i32) {
        self.socket = Some(socket);
        self.family = family;
    }

    /// Takes the socket out, with its registration.
    pub fn take_socket(&mut self) -> Option<(Socket, Option<Watched>)> {
        let watched = self.watched.take();
        Some((self.socket.take()?, watched))
    }

    /// Closes the socket; one that was given by the user stays open.
    pub fn close(&mut self) {
        self.watched = None;
        self.phase = SocketPhase::Idle;
        if let Some(s) = self.socket.take()
            && self.borrowed
        {
            s.release();
        }
    }

    /// Asks the poller to tell when the socket is ready. What was asked before is asked still.
    ///
    /// # Errors
    /// The system has no room for it.
    pub fn watch(&mut self, source: &Weak<dyn Source>, waits: Waits) -> io::Result<()> {
        let socket = self.socket.as_ref().ok_or_else(not_open)?;
        match &mut self.watched {
            Some(w) if w.waits() == waits || w.waits() == Waits::BOTH => Ok(()),
            Some(w) => w.ask(Waits::BOTH),
            None => {
                self.watched = Some(Watched::new(socket.fd(), source.clone(), waits)?);
                Ok(())
            }
        }
    }

    /// Does the poller tell when there is something to read?
    pub fn is_watched_for_reading(&self) -> bool {
        self.watched.as_ref().is_some_and(|w| w.waits().read)
    }

    /// Asks once more, so that what is ready now is told again.
    ///
    /// # Errors
    /// As `watch`.
    pub fn watch_again(&mut self, source: &Weak<dyn Source>, waits: Waits) -> io::Result<()> {
        match &mut self.watched {
            Some(w) => {
                let waits = if w.waits() == waits {
                    waits
                } else {
                    Waits::BOTH
                };
                w.ask(waits)
            }
            None => self.watch(source, waits),
        }
    }

    /// Lets the poller forget the socket.
    pub fn forget(&mut self) {
        self.watched = None;
    }

    /// The address at the front of `data`, for this socket.
    pub fn take_address(&self, data: &mut &[u8]) -> Result<RawAddress, BadAddress> {
        address::take(data, self.family)
    }

    /// The flags of the state that all sockets have.
    pub fn flags(&self) -> u32 {
        if !self.is_open() {
            return 0;
        }
        let phase = match self.phase {
            SocketPhase::Idle => 0,
            SocketPhase::Connecting => codes::F_CON,
            SocketPhase::Connected => codes::F_ACTIVE,
            SocketPhase::Listening => codes::F_LISTEN,
        };
        codes::F_OPEN | phase
    }

    /// A packet was given to the owner: does that end the time of being active? The owner is to be told where it was
    /// counted.
    pub fn note_delivery(&mut self) -> bool {
        match &mut self.settings.active {
            Active::Once => self.settings.active = Active::Passive,
            Active::Count(n) if *n > 1 => *n -= 1,
            Active::Count(_) => {
                self.settings.active = Active::Passive;
                return true;
            }
            Active::Passive | Active::Always => {}
        }
        false
    }
}

/// An answer: all went well, and this is what came out.
pub fn ok(data: &[u8]) -> Vec<u8> {
    [&[codes::OK], data].concat()
}

/// An answer: an error by its name.
pub fn refused(name: &str) -> Vec<u8> {
    [&[codes::ERROR], name.as_bytes()].concat()
}

/// An answer: an error of the system.
pub fn failed(e: &io::Error) -> Vec<u8> {
    refused(errno::of(e).text())
}

/// An answer: an error of the system by its number.
pub fn failed_with(code: i32) -> Vec<u8> {
    refused(errno::name(code))
}
