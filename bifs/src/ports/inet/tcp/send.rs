//! Sending: at once if the system takes it, otherwise by way of the queue.

use super::queue::{FilePart, FilesDone};
use super::receive;
use super::state::{Tcp, TcpState};
use crate::erlang::iolist::{self, IolistPart};
use crate::errno;
use crate::packet::Framing;
use crate::ports::Refusal;
use crate::ports::inet::address::take_array;
use crate::ports::inet::descriptor::{Active, failed, ok, refused};
use crate::ports::inet::messages::{self, Tag};
use crate::ports::inet::sys::{MAX_PARTS, Socket};
use crate::ports::inet::tag::take_tag;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::io::Waits;
use smallvec::SmallVec;
use std::io;
use std::os::fd::BorrowedFd;

/// Calls of the system that are made in a row before others have a turn.
const TURN: usize = 16;

/// The bytes of parts.
pub fn bytes_of<'a>(p: &'a IolistPart<'_>) -> &'a [u8] {
    match p {
        IolistPart::Gathered(b) => b,
        IolistPart::Whole(_, b) => b,
    }
}

/// Most bytes that a reference takes with its length.
const TAG_MAX: usize = 2 + 0xffff;

/// The reference in front of a command; see `take_tag`.
fn tag_of(parts: &[IolistPart<'_>]) -> Result<(Option<Tag>, usize), Refusal> {
    let front = parts.first().map(bytes_of).unwrap_or_default();
    match take_tag(front) {
        // It may not lie in one piece.
        Err(_) if parts.len() > 1 => {
            let all = parts.iter().flat_map(|p| bytes_of(p));
            take_tag(&all.take(TAG_MAX).copied().collect::<Vec<u8>>())
        }
        taken => taken,
    }
}

/// Takes an I/O list from a sender, who is answered.
pub fn command(t: &Tcp, s: &mut TcpState, caller: u64, data: Term) -> Result<usize, Refusal> {
    let parts = iolist::pieces(data).map_err(|_| Refusal::BadData)?;
    let total: usize = parts.iter().map(|p| bytes_of(p).len()).sum();
    let (tag, skip) = tag_of(&parts)?;
    let n = total - skip;
    if s.is_gone {
        // Senders that watch the port hear of its end; an answer behind that would reach nobody.
        return tag.map(|_| n).ok_or(Refusal::BadData);
    }
    if !s.is_connected() {
        let why = match s.bequest {
            b if !b.send => Atom::new("enotconn"),
            b if b.reset => {
                s.bequest.send = false;
                Atom::new("econnreset")
            }
            _ => {
                s.bequest.send = false;
                Atom::CLOSED
            }
        };
        t.reply(caller, tag.as_ref(), Err(why));
        return Ok(n);
    }
    if s.shutdown_later.is_some() {
        failed_to_send(t, s, libc::EPIPE, Some((caller, tag)));
        return Ok(n);
    }
    let header = match s.d.settings.packets.framing {
        Framing::Size(h) => h,
        _ => 0,
    };
    let size = (n as u64).to_be_bytes();
    let header = &size[8 - header..];
    s.d.sent.add(header.len() + n);
    if !s.output.is_empty() {
        let before = s.output.size();
        s.output.push(header.to_vec());
        s.output.extend(&parts, skip);
        if before + header.len() + n >= s.d.settings.high {
            let ms = s.d.settings.send_timeout;
            s.busy = Some(Box::new(t.sender(caller, tag, ms, late)));
            t.set_busy(true);
            return Ok(n);
        }
        t.reply(caller, tag.as_ref(), Ok(()));
        return Ok(n);
    }
    let tries = !s.d.settings.delay_send && !s.d.ignored;
    let sent = if !tries {
        Ok(0)
    } else {
        s.d.socket()
            .and_then(|socket| send_now(socket, header, &parts, skip))
    };
    let sent = match sent {
        Ok(sent) => sent,
        Err(e) => {
            let code = e.raw_os_error().unwrap_or(libc::EIO);
            failed_to_send(t, s, code, Some((caller, tag)));
            return Ok(n);
        }
    };
    if sent < header.len() + n {
        s.output
            .push(header.get(sent..).unwrap_or_default().to_vec());
        s.output
            .extend(&parts, skip + sent.saturating_sub(header.len()));
        // What the system did not take it tells when it has room; what it was not asked about it is asked to tell.
        let watched = if tries {
            t.watch(s, Waits::WRITE)
        } else {
            t.watch_again(s, Waits::WRITE)
        };
        if let Err(e) = watched {
            let code = e.raw_os_error().unwrap_or(libc::EIO);
            failed_to_send(t, s, code, Some((caller, tag)));
            return Ok(n);
        }
    }
    t.reply(caller, tag.as_ref(), Ok(()));
    Ok(n)
}

/// Packets of a connection between nodes up to this many bytes are copied to those beside them.
const SHORT_PACKET: usize = 4096;

/// Sends packets of a connection between nodes, for which nobody waits.
pub fn packets(t: &Tcp, s: &mut TcpState, packets: Vec<Vec<u8>>) {
    if !s.is_connected() || s.is_gone || s.shutdown_later.is_some() {
        return;
    }
    let header = match s.d.settings.packets.framing {
        Framing::Size(h) => h,
        _ => 0,
    };
    let waited = !s.output.is_empty();
    // Short ones go together in one piece of memory.
    let mut gathered = Vec::new();
    for p in packets {
        s.d.sent.add(header + p.len());
        let size = (p.len() as u64).to_be_bytes();
        gathered.extend_from_slice(&size[8 - header..]);
        if p.len() <= SHORT_PACKET {
            gathered.extend(p);
        } else {
            s.output.push(std::mem::take(&mut gathered));
            s.output.push(p);
        }
    }
    if !gathered.is_empty() {
        s.output.push(gathered);
    }
    if waited || s.d.ignored {
        return;
    }
    let more = flush(t, s);
    if s.output.is_empty() {
        return;
    }
    let watched = if more {
        t.watch_again(s, Waits::WRITE)
    } else {
        t.watch(s, Waits::WRITE)
    };
    if let Err(e) = watched {
        failed_to_send(t, s, e.raw_os_error().unwrap_or(libc::EIO), None);
    }
}

/// Sends until all is sent or the system takes no more; gives how much it took.
fn send_now(
    socket: &Socket,
    header: &[u8],
    parts: &[IolistPart<'_>],
    mut skip: usize,
) -> io::Result<usize> {
    let mut slices: SmallVec<[&[u8]; 16]> = SmallVec::new();
    if !header.is_empty() {
        slices.push(header);
    }
    for p in parts {
        let bytes = bytes_of(p);
        let from = skip.min(bytes.len());
        skip -= from;
        if from < bytes.len() {
            slices.push(&bytes[from..]);
        }
    }
    let mut sent = 0;
    let mut rest = &slices[..];
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(MAX_PARTS));
        let wanted: usize = now.iter().map(|b| b.len()).sum();
        match socket.send(now) {
            Ok(n) => {
                sent += n;
                if n < wanted {
                    break;
                }
                rest = later;
            }
            Err(e) if e.raw_os_error() == Some(libc::EINTR) => {}
            Err(e) if e.raw_os_error() == Some(libc::EAGAIN) => break,
            Err(e) => return Err(e),
        }
    }
    Ok(sent)
}

/// The time of a sender who waits is over.
fn late(t: &Tcp, s: &mut TcpState, unique: u64) {
    if !s.busy.as_ref().is_some_and(|b| b.is(unique)) {
        return;
    }
    s.end_busy(t, Err(Atom::TIMEOUT));
    if s.d.settings.send_timeout_close {
        s.clear_output(t);
        if s.d.settings.active == Active::Passive {
            s.refuse_all(t, Atom::CLOSED);
        }
        s.close_socket();
    }
}

/// Sends what waits. `true` if there may be more to do; otherwise the poller tells.
pub fn flush(t: &Tcp, s: &mut TcpState) -> bool {
    let mut turns = TURN;
    while !s.output.is_empty() {
        if turns == 0 {
            return true;
        }
        turns -= 1;
        let mut done = FilesDone::new();
        let Ok(socket) = s.d.socket() else {
            return false;
        };
        let step = s.output.step(socket, &mut done);
        files_done(t, s, done);
        match step {
            Ok(()) => sank(t, s),
            Err(e) => match e.raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EAGAIN) => return false,
                code => {
                    failed_to_send(t, s, code.unwrap_or(libc::EIO), None);
                    return false;
                }
            },
        }
    }
    false
}

/// The queue has become shorter.
fn sank(t: &Tcp, s: &mut TcpState) {
    if s.output.size() <= s.d.settings.low {
        s.end_busy(t, Ok(()));
    }
    if !s.output.is_empty() {
        return;
    }
    for id in std::mem::take(&mut s.d.subscribers) {
        messages::send(id, |h| {
            h.tuple(&[Atom::new("empty_out_q").into(), t.term()])
        });
    }
    if let Some(how) = s.shutdown_later.take()
        && let Ok(socket) = s.d.socket()
    {
        // Whoever asked was answered long ago.
        let _ = socket.shutdown(how);
        s.is_write_shut = true;
    }
}

fn files_done(t: &Tcp, s: &mut TcpState, done: FilesDone) {
    for (file, error) in done {
        messages::send(file.caller, |h| {
            let result = match &error {
                None => {
                    let (low, high) = (file.sent & 0xffff_ffff, file.sent >> 32);
                    let (low, high) = (h.uint(low), h.uint(high));
                    h.tuple(&[Atom::OK.into(), low, high])
                }
                Some(e) => messages::error(h, errno::of(e)),
            };
            h.tuple(&[Atom::new("sendfile").into(), t.term(), result])
        });
        s.d.sent.octets = s.d.sent.octets.wrapping_add(file.sent);
    }
}

/// The system has refused to send: the connection has ended. The sender is told, if there is one.
fn failed_to_send(t: &Tcp, s: &mut TcpState, mut error: i32, sender: Option<(u64, Option<Tag>)>) {
    if error == libc::EPIPE && !s.is_write_shut && s.shutdown_later.is_none() {
        // The other side has refused what was sent before.
        error = libc::ECONNRESET;
    }
    let name = errno::atom(error);
    let shown = error == libc::ECONNRESET && s.d.settings.show_econnreset;
    let why = if shown { name } else { Atom::CLOSED };
    let was_busy = s.busy.is_some();
    s.clear_output(t);
    s.end_busy(t, Err(why));
    if let Some((caller, tag)) = &sender {
        t.reply(*caller, tag.as_ref(), Err(why));
    }
    if s.d.settings.active != Active::Passive {
        if !s.is_read_shut {
            if shown {
                t.note_error(name);
            }
            t.note_closed(s);
            s.is_read_shut = true;
        }
        if s.d.settings.exit_on_close {
            s.exit = Some(Atom::NORMAL);
        } else {
            s.close_socket();
        }
        return;
    }
    s.refuse_all(t, Atom::CLOSED);
    s.input.clear();
    s.close_socket();
    s.bequest.send |= sender.is_none() && !was_busy;
    s.bequest.receive = true;
    s.bequest.reset |= shown;
}

/// A request to close a direction.
pub fn shutdown(s: &mut TcpState, data: &[u8]) -> Vec<u8> {
    if !s.is_connected() {
        return refused("enotconn");
    }
    let how = match data {
        [0] => libc::SHUT_RD,
        [1] => libc::SHUT_WR,
        [2] => libc::SHUT_RDWR,
        _ => return refused("einval"),
    };
    if how != libc::SHUT_RD && !s.output.is_empty() {
        s.shutdown_later = Some(how);
        return ok(&[]);
    }
    match s.d.socket().and_then(|socket| socket.shutdown(how)) {
        Ok(()) => {
            s.is_write_shut |= how != libc::SHUT_RD;
            ok(&[])
        }
        Err(e) => failed(&e),
    }
}

/// A request to send a part of a file: its descriptor, where the part begins, how long it is.
pub fn send_file(t: &Tcp, s: &mut TcpState, caller: u64, mut data: &[u8]) -> Vec<u8> {
    let arguments = take_array::<4>(&mut data).and_then(|fd| {
        let offset = u64::from_be_bytes(*take_array(&mut data)?);
        let length = u64::from_be_bytes(*take_array(&mut data)?);
        Ok((i32::from_ne_bytes(*fd), offset, length))
    });
    let (Ok((fd, offset, left)), true) = (arguments, data.is_empty()) else {
        return refused("einval");
    };
    if !s.is_connected() {
        return refused("enotconn");
    }
    if fd < 0 {
        return refused("einval");
    }
    // SAFETY: the descriptor is only duplicated at once, which fails if nobody has it.
    let file = match unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned() {
        Ok(file) => file,
        Err(e) => return failed(&e),
    };
    s.output.push_file(FilePart {
        file,
        offset,
        left,
        sent: 0,
        caller,
    });
    if let Err(e) = t.watch_again(s, Waits::WRITE) {
        receive::broken(t, s, e.raw_os_error().unwrap_or(libc::EIO));
    }
    ok(&[])
}
