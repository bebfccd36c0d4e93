//! Receiving.

use super::address;
use super::control;
use super::message;
use super::sock::{
    KeptPart, Sock, SockState, SocketLane, check_reference, is_zero, timed_out, with_open,
};
use super::supports;
use super::sys;
use super::terms::{atom, map_of, need_int};
use super::waiting::Turn;
use crate::ports::inet::sys::{RawAddress, Socket};
use crate::{bifs, errno};
use enigma_runtime::atom::Atom;
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, badarg, release};
use std::cell::RefCell;
use std::io;

bifs! { BIFS:
    "prim_socket" {
        "nif_recv"/4 Nif => recv;
        "nif_recvfrom"/4 Nif => recvfrom;
        "nif_recvmsg"/5 Nif => recvmsg;
    }
}

/// Longest memory that a thread keeps for reading.
const KEPT: usize = 256 * 1024;
/// From so many bytes on the memory that was read into becomes the binary.
const HANDED_OVER: usize = 16 * 1024;
/// Most bytes that are asked for at once of a stream; who wants more calls again for the rest.
const MOST: usize = 1 << 30;

thread_local! {
    /// Memory that is read into.
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Runs `f` with memory of at least `size` bytes, this one if there is any.
fn with_room<R>(size: usize, given: Vec<u8>, f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    let mut room = given;
    if room.is_empty() {
        room = SPARE.take();
        if room.len() < size {
            // Pages of memory that the system gives are zero without being touched.
            room = vec![0; size];
        }
    } else if room.len() < size {
        room.resize(size, 0);
    }
    let result = f(&mut room);
    if room.capacity() <= KEPT {
        SPARE.set(room);
    }
    result
}

/// The first `n` bytes of `room` as a binary.
fn binary(h: &mut Heap, room: &mut Vec<u8>, n: usize) -> Term {
    if n < HANDED_OVER || n * 2 < room.len() {
        return h.binary(&room[..n]);
    }
    let mut taken = std::mem::take(room);
    taken.truncate(n);
    h.binary_of(taken)
}

/// A length, or the size of buffers that the socket has where it is 0.
fn length(t: Term, default: usize) -> Result<usize, Exit> {
    match t.as_usize().ok_or_else(badarg)? {
        0 => Ok(default),
        n => Ok(n.min(MOST)),
    }
}

/// Something has come, whole: buffers that were filled in a row before are part of it.
pub fn count(s: &mut SockState, n: usize) {
    count_part(s, n);
    s.counters.read_packets = s.counters.read_packets.wrapping_add(1);
    s.counters.read_max = s.counters.read_max.max(s.read_of_packet);
    s.read_of_packet = 0;
}

/// A buffer was filled, and the caller goes on reading.
fn count_part(s: &mut SockState, n: usize) {
    count_bytes(s, n);
    s.read_of_packet = s.read_of_packet.wrapping_add(n as u64);
}

fn count_bytes(s: &mut SockState, n: usize) {
    s.counters.read_bytes = s.counters.read_bytes.wrapping_add(n as u64);
}

/// What was read is given to the caller, whose turn ends; from 29 on the option `select_read` lets it wait for what comes next.
pub fn deliver(
    cx: &mut Ctx<'_>,
    socket: &Sock,
    s: &mut SockState,
    reference: Term,
    what: Term,
) -> Term {
    if s.otp.select_read && reference.is_reference() {
        let result = socket.wait_for(cx, s, SocketLane::Read, reference, Some(what));
        // There may be more now already, of which nobody would be told.
        socket.go_on(s, SocketLane::Read);
        return match result.as_tuple_n::<2>() {
            Some([_, what]) if !s.readers.is_empty() => {
                let what = *what;
                cx.tuple2(atom("select_read"), what)
            }
            _ => cx.ok(what),
        };
    }
    end_turn(cx, socket, s);
    cx.ok(what)
}

/// The caller has got something: the next one's turn comes, if this was the caller's.
fn end_turn(cx: &Ctx<'_>, socket: &Sock, s: &mut SockState) {
    if s.readers.turn(cx.proc.id) == Turn::Mine {
        socket.finish_turn(s, SocketLane::Read);
    }
}

/// Reading has failed for good: nobody gets anything any more.
fn give_up(cx: &mut Ctx<'_>, socket: &Sock, s: &mut SockState, why: Term) -> Term {
    s.counters.read_fails = s.counters.read_fails.wrapping_add(1);
    let me = cx.proc.id;
    for w in s.readers.take().filter(|w| w.process != me) {
        message::abort(socket, w.process, w.reference.term(), why);
    }
    cx.error(why)
}

/// The call has failed: it would block, or there is an error.
fn not_read(
    cx: &mut Ctx<'_>,
    socket: &Sock,
    s: &mut SockState,
    reference: Term,
    e: &io::Error,
) -> Term {
    match e.raw_os_error() {
        Some(libc::EAGAIN) if is_zero(reference) => timed_out(),
        Some(libc::EAGAIN) => socket.wait_for(cx, s, SocketLane::Read, reference, None),
        _ => give_up(cx, socket, s, errno::of(e).into()),
    }
}

/// What a system call has read, of so many bytes; or what the caller is to be told because it has failed or the other side has
/// closed.
fn taken<T>(
    cx: &mut Ctx<'_>,
    socket: &Sock,
    s: &mut SockState,
    reference: Term,
    got: io::Result<T>,
    bytes: impl FnOnce(&T) -> usize,
) -> Result<T, Term> {
    let got = got.map_err(|e| not_read(cx, socket, s, reference, &e))?;
    let n = bytes(&got);
    if n == 0 && s.is_stream() {
        return Err(give_up(cx, socket, s, Atom::CLOSED.into()));
    }
    Ok(got)
}

/// The length that is asked for; 0 stands for the usual one.
pub fn or_usual(wanted: usize, usual: usize) -> usize {
    match wanted {
        0 => usual,
        n => n,
    }
}

/// Runs one system call for the caller if it is its turn.
fn attempt(
    cx: &mut Ctx<'_>,
    a: &[Term],
    reference: Term,
    run: impl FnOnce(&mut Ctx<'_>, &Sock, &mut SockState) -> BifResult,
) -> BifResult {
    check_reference(reference)?;
    with_open(cx, a[0], |cx, socket, s| {
        if let Some(wait) = socket.await_turn(cx, s, SocketLane::Read, reference)? {
            return Ok(wait);
        }
        run(cx, socket, s)
    })
}

/// The socket of the system, which is about to be asked.
///
/// # Errors
/// See [`descriptor`].
fn asked(s: &mut SockState) -> io::Result<&Socket> {
    s.counters.read_tries = s.counters.read_tries.wrapping_add(1);
    descriptor(s)
}

/// The socket of the system.
///
/// # Errors
/// `EBADF`: it is closed.
pub fn descriptor(s: &SockState) -> io::Result<&Socket> {
    s.open_socket()
        .ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))
}

/// `nif_recv(Socket, Length, Flags, Reference)`.
fn recv(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let flags = need_int(a[2])?;
    let wanted = length(a[1], 0)?;
    let reference = a[3];
    attempt(cx, a, reference, |cx, socket, s| {
        let size = or_usual(wanted, s.otp.read_buffer);
        let in_row = std::mem::take(&mut s.reads_in_row) + 1;
        if s.kept.filled > 0 && (wanted == 0 || s.kept.filled >= size) {
            let what = take_kept(cx.heap(), s, wanted);
            return Ok(deliver(cx, socket, s, reference, what));
        }
        let KeptPart { room, filled } = std::mem::take(&mut s.kept);
        with_room(size, room, |room| {
            let got = asked(s).and_then(|fd| sys::receive(fd, &mut room[filled..size], flags));
            if filled > 0 && matches!(got, Ok(0)) {
                give_up(cx, socket, s, Atom::CLOSED.into());
                let data = binary(cx.heap(), room, filled);
                let why = cx.tuple2(Atom::CLOSED, data);
                return Ok(cx.error(why));
            }
            let n = match taken(cx, socket, s, reference, got, |n| *n) {
                Ok(n) => n,
                Err(answer) => {
                    s.kept = keep(room, filled, size);
                    return Ok(answer);
                }
            };
            let filled = filled + n;
            let is_part = filled < wanted && s.is_stream();
            if is_part && !is_zero(reference) {
                return Ok(wait_for_rest(
                    cx, socket, s, reference, room, filled, n, size,
                ));
            }
            let what = binary(cx.heap(), room, filled);
            if filled == size && wanted == 0 && s.is_stream() && in_row < s.otp.read_count {
                s.reads_in_row = in_row;
                count_part(s, filled);
                return Ok(cx.tuple2(atom("more"), what));
            }
            count(s, filled);
            if is_part && release::number() > 25 {
                end_turn(cx, socket, s);
                return Ok(cx.tuple2(atom("timeout"), what));
            }
            Ok(deliver(cx, socket, s, reference, what))
        })
    })
}

/// The caller waits for the rest of what it asked for.
#[expect(clippy::too_many_arguments, reason = "what one read has found")]
fn wait_for_rest(
    cx: &mut Ctx<'_>,
    socket: &Sock,
    s: &mut SockState,
    reference: Term,
    room: &mut Vec<u8>,
    filled: usize,
    n: usize,
    size: usize,
) -> Term {
    let what = if release::streams_keep_parts() {
        s.kept = keep(room, filled, size);
        count_bytes(s, filled);
        None
    } else {
        count_bytes(s, n);
        if release::number() >= 28 {
            s.counters.read_max = s.counters.read_max.max(n as u64);
        }
        Some(binary(cx.heap(), room, filled))
    };
    socket.wait_for(cx, s, SocketLane::Read, reference, what)
}

/// The first `filled` bytes of `room`, in memory with room for `size`.
fn keep(room: &mut Vec<u8>, filled: usize, size: usize) -> KeptPart {
    if filled == 0 {
        return KeptPart::default();
    }
    let mut own = if room.len() / 2 > size {
        room[..size].to_vec()
    } else {
        std::mem::take(room)
    };
    own.truncate(size);
    KeptPart { room: own, filled }
}

/// What the socket has kept, or so many bytes of it. All of it counts as having been read with this call.
fn take_kept(h: &mut Heap, s: &mut SockState, wanted: usize) -> Term {
    let mut kept = std::mem::take(&mut s.kept);
    count(s, kept.filled);
    let n = or_usual(wanted, kept.filled);
    if n < kept.filled {
        let rest = kept.room[n..kept.filled].to_vec();
        s.kept = KeptPart {
            filled: rest.len(),
            room: rest,
        };
    }
    binary(h, &mut kept.room, n)
}

/// The address that something came from; where there is none, one without a family.
fn source(h: &mut Heap, from: Option<&RawAddress>) -> Term {
    match from {
        Some(from) => address::encode(h, from),
        None => {
            let addr = h.binary(&[]);
            map_of(h, &[("family", atom("unspec")), ("addr", addr)])
        }
    }
}

/// `nif_recvfrom(Socket, Length, Flags, Reference)`.
fn recvfrom(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let flags = need_int(a[2])?;
    let wanted = length(a[1], 0)?;
    let reference = a[3];
    attempt(cx, a, reference, |cx, socket, s| {
        let size = or_usual(wanted, s.otp.read_buffer);
        with_room(size, Vec::new(), |room| {
            let got = asked(s).and_then(|fd| sys::receive_from(fd, &mut room[..size], flags));
            let (n, from) = match taken(cx, socket, s, reference, got, |got| got.0) {
                Ok(got) => got,
                Err(answer) => return Ok(answer),
            };
            count(s, n);
            let data = binary(cx.heap(), room, n);
            let from = source(cx.heap(), from.as_ref());
            let what = cx.tuple2(from, data);
            Ok(deliver(cx, socket, s, reference, what))
        })
    })
}

/// `nif_recvmsg(Socket, Length, ControlLength, Flags, Reference)`.
fn recvmsg(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let flags = need_int(a[3])?;
    let wanted = length(a[1], 0)?;
    let control = length(a[2], 0)?;
    let reference = a[4];
    attempt(cx, a, reference, |cx, socket, s| {
        let size = or_usual(wanted, s.otp.read_buffer);
        let control = or_usual(control, s.otp.read_control);
        with_room(size, Vec::new(), |room| {
            let got = asked(s).and_then(|fd| read_message(fd, &mut room[..size], control, flags));
            let got = match taken(cx, socket, s, reference, got, |got| got.bytes) {
                Ok(got) => got,
                Err(answer) => return Ok(answer),
            };
            count(s, got.bytes);
            let data = binary(cx.heap(), room, got.bytes);
            let what = message_term(cx.heap(), &got, data);
            Ok(deliver(cx, socket, s, reference, what))
        })
    })
}

/// A message that has come, without its data.
pub struct MessageParts {
    /// Bytes of data.
    pub bytes: usize,
    /// The sender.
    from: Option<RawAddress>,
    flags: i32,
    /// Level, type and data of each control message.
    control: Vec<(i32, i32, Vec<u8>)>,
}

/// Reads a message.
///
/// # Errors
/// The system's.
pub fn read_message(
    fd: &Socket,
    room: &mut [u8],
    control: usize,
    flags: i32,
) -> io::Result<MessageParts> {
    let mut words = vec![0; control.div_ceil(8)];
    let got = sys::receive_message(fd, room, &mut words, flags)?;
    let mut all = Vec::new();
    sys::each_control(&words, got.control, |level, kind, data| {
        all.push((level, kind, data.to_vec()));
    });
    Ok(MessageParts {
        bytes: got.bytes,
        from: got.from,
        flags: got.flags,
        control: all,
    })
}

/// The map of a message that has come.
pub fn message_term(h: &mut Heap, got: &MessageParts, data: Term) -> Term {
    let parts = h.list(&[data]);
    let control: Vec<Term> = got
        .control
        .iter()
        .map(|(level, kind, data)| control::encode(h, *level, *kind, data))
        .collect();
    let control = h.list(&control);
    let flags = supports::flag_list(h, got.flags);
    let mut pairs = vec![("iov", parts), ("ctrl", control), ("flags", flags)];
    if let Some(from) = &got.from {
        let from = address::encode(h, from);
        pairs.push(("addr", from));
    }
    map_of(h, &pairs)
}
