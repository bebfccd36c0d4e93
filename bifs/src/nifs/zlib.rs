//! The native functions of `zlib`, over the zlib library itself, so that compressed data is the same to
//! the byte.
//!
//! A stream belongs to its controlling process. Input is queued; each call takes a bounded amount of it
//! and gives a bounded amount of output, and says whether there may be more.

use crate::bifs;
use crate::erlang::iolist;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::binary::BinaryRef;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::heap::{bits, copy};
use enigma_runtime::process::PidKey;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, reference};
use libz_sys as z;
use parking_lot::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Arc;

bifs! { BIFS:
    "zlib" {
        "open_nif"/0 Nif => open;
        "close_nif"/1 Nif => close;
        "set_controller_nif"/2 Nif => set_controller;
        "deflateInit_nif"/6 Nif => deflate_init;
        "deflateSetDictionary_nif"/2 Nif => deflate_set_dictionary;
        "deflateReset_nif"/1 Nif => deflate_reset;
        "deflateEnd_nif"/1 Nif => deflate_end;
        "deflateParams_nif"/3 Nif => deflate_params;
        "deflate_nif"/4 Nif => deflate;
        "inflateInit_nif"/3 Nif => inflate_init;
        "inflateSetDictionary_nif"/2 Nif => inflate_set_dictionary;
        "inflateGetDictionary_nif"/1 Nif => inflate_get_dictionary;
        "inflateReset_nif"/1 Nif => inflate_reset;
        "inflateEnd_nif"/1 Nif => inflate_end;
        "inflate_nif"/4 Nif => inflate;
        "getStash_nif"/1 Nif => get_stash;
        "clearStash_nif"/1 Nif => clear_stash;
        "setStash_nif"/2 Nif => set_stash;
        "enqueue_nif"/2 Nif => enqueue;
        "crc32_nif"/1 Nif => running_sum;
        "getBufSize_nif"/1 Nif => buffer_size;
        "setBufSize_nif"/2 Nif => set_buffer_size;
    }
}

/// Reductions of a time slice.
const SLICE: usize = 4000;

/// Largest dictionary: the window.
const MAX_DICTIONARY: usize = 32768;

unsafe extern "C" {
    // Not among the crate's declarations.
    fn inflateGetDictionary(stream: *mut z::z_stream, out: *mut u8, len: *mut z::uInt) -> c_int;
}

unsafe extern "C" fn allocate(_: *mut c_void, items: z::uInt, size: z::uInt) -> *mut c_void {
    // SAFETY: a plain call.
    unsafe { libc::calloc(items as usize, size as usize) }
}

unsafe extern "C" fn release(_: *mut c_void, p: *mut c_void) {
    // SAFETY: the library gives back what `allocate` gave it.
    unsafe { libc::free(p) }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    None,
    Deflate,
    Inflate,
    Closed,
}

/// Bytes in binaries, which are shared where they are large.
#[derive(Default)]
struct InputQueue {
    parts: VecDeque<InputPart>,
    /// All bytes.
    size: usize,
}

enum InputPart {
    Copied(Vec<u8>, usize),
    Shared(BinaryRef, usize, usize),
}

impl InputQueue {
    /// Adds a binary.
    fn push(&mut self, t: Term) {
        let bytes = bits::binary_bytes(t).unwrap_or_default();
        if bytes.is_empty() {
            return;
        }
        self.size += bytes.len();
        let view = bits::view(t);
        let part = match bits::shared(view.base) {
            Some(b) if view.offset % 8 == 0 => {
                let from = view.offset / 8;
                InputPart::Shared(b, from, from + bytes.len())
            }
            _ => InputPart::Copied(bytes.into_owned(), 0),
        };
        self.parts.push_back(part);
    }

    /// What comes next.
    fn front(&self) -> &[u8] {
        match self.parts.front() {
            Some(InputPart::Copied(b, from)) => &b[*from..],
            Some(InputPart::Shared(b, from, to)) => &b.bytes()[*from..*to],
            None => &[],
        }
    }

    /// The first `n` bytes of what comes next were taken.
    fn take(&mut self, n: usize) {
        self.size -= n;
        match self.parts.front_mut() {
            Some(InputPart::Copied(_, from) | InputPart::Shared(_, from, _)) => *from += n,
            None => {}
        }
        if self.front().is_empty() {
            self.parts.pop_front();
        }
    }
}

struct Stream {
    /// The library notices when this moves.
    z: Box<z::z_stream>,
    state: State,
    controller: u64,
    /// What was not taken yet.
    input: InputQueue,
    stash: Option<OwnedTerm>,
    end_of_stream: bool,
    /// What happens to input after the end: 0 is an error, 1 begins a new stream, 2 is thrown away.
    at_end: i32,
    raw: bool,
    /// Sum of the uncompressed side of a stream without header.
    sum: u32,
    /// Size of parts that `inflateChunk` gives (up to OTP 26).
    buffer: usize,
}

// SAFETY: the library's state belongs to the stream and to no thread.
unsafe impl Send for Stream {}

impl Stream {
    fn end(&mut self) {
        // SAFETY: the stream was set up for what its state says.
        unsafe {
            match self.state {
                State::Deflate => z::deflateEnd(&mut *self.z),
                State::Inflate => z::inflateEnd(&mut *self.z),
                _ => 0,
            };
        }
    }

    fn waiting(&self) -> usize {
        self.input.size
    }

    fn forget_input(&mut self) {
        self.input = InputQueue::default();
        self.stash = None;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.end();
    }
}

type Locked<'a> = MutexGuard<'a, Stream>;

/// The stream, which must be the caller's.
fn stream<'a>(cx: &Ctx<'_>, t: Term) -> Result<Locked<'a>, Exit> {
    let s: &'a Mutex<Stream> = t
        .as_magic()
        .and_then(|m| m.downcast_ref())
        .ok_or_else(badarg)?;
    let s = s.lock();
    if s.controller == cx.proc.id {
        Ok(s)
    } else {
        Err(error("not_on_controlling_process"))
    }
}

/// The stream in a state.
fn stream_in<'a>(cx: &Ctx<'_>, t: Term, state: State) -> Result<Locked<'a>, Exit> {
    let s = stream(cx, t)?;
    if s.state == state {
        return Ok(s);
    }
    Err(error(if state == State::None {
        "already_initialized"
    } else {
        "not_initialized"
    }))
}

fn error(reason: &str) -> Exit {
    Exit::error(Atom::new(reason))
}

fn ok() -> BifResult {
    Ok(Atom::OK.into())
}

/// What Erlang code gets for a code of the library.
fn outcome(code: c_int) -> BifResult {
    let name = match code {
        z::Z_OK => return ok(),
        z::Z_STREAM_END => "stream_end",
        z::Z_STREAM_ERROR => return Err(error("stream_error")),
        z::Z_DATA_ERROR => return Err(error("data_error")),
        z::Z_MEM_ERROR => "mem_error",
        z::Z_BUF_ERROR => "buf_error",
        z::Z_VERSION_ERROR => "version_error",
        _ => "unknown_error",
    };
    Ok(Atom::new(name).into())
}

fn int(t: Term) -> Result<c_int, Exit> {
    t.as_small()
        .and_then(|n| c_int::try_from(n).ok())
        .ok_or_else(badarg)
}

fn open(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let s = Stream {
        z: Box::new(z::z_stream {
            next_in: ptr::null_mut(),
            avail_in: 0,
            total_in: 0,
            next_out: ptr::null_mut(),
            avail_out: 0,
            total_out: 0,
            msg: ptr::null_mut(),
            state: ptr::null_mut(),
            zalloc: allocate,
            zfree: release,
            opaque: ptr::null_mut(),
            data_type: 0,
            adler: 0,
            reserved: 0,
        }),
        state: State::None,
        controller: cx.proc.id,
        input: InputQueue::default(),
        stash: None,
        end_of_stream: false,
        at_end: 2,
        raw: false,
        sum: 0,
        buffer: 4000,
    };
    Ok(cx
        .heap()
        .magic_ref(reference::fresh(), Arc::new(Mutex::new(s))))
}

fn close(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut s = stream(cx, a[0])?;
    if s.state == State::Closed {
        return Err(error("not_initialized"));
    }
    s.end();
    s.state = State::Closed;
    s.forget_input();
    ok()
}

fn set_controller(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let to = PidKey::of(a[1])
        .and_then(PidKey::local_id)
        .ok_or_else(badarg)?;
    stream(cx, a[0])?.controller = to;
    ok()
}

fn deflate_init(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (level, method, window) = (int(a[1])?, int(a[2])?, int(a[3])?);
    let (memory, strategy) = (int(a[4])?, int(a[5])?);
    let mut s = stream_in(cx, a[0], State::None)?;
    let size = size_of::<z::z_stream>() as c_int;
    // SAFETY: the stream is not in use; the library checks the numbers.
    let r = unsafe {
        z::deflateInit2_(
            &mut *s.z,
            level,
            method,
            window,
            memory,
            strategy,
            z::zlibVersion(),
            size,
        )
    };
    if r == z::Z_OK {
        s.state = State::Deflate;
        s.end_of_stream = false;
        s.raw = window < 0;
        s.sum = 0;
    }
    outcome(r)
}

fn deflate_set_dictionary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = iolist::collect(a[1])?;
    let mut s = stream_in(cx, a[0], State::Deflate)?;
    let len = z::uInt::try_from(bytes.len()).map_err(|_| badarg())?;
    // SAFETY: set up for deflating; the dictionary is given with its length.
    let (r, sum) = unsafe {
        let r = z::deflateSetDictionary(&mut *s.z, bytes.as_ptr(), len);
        // Without a header the library does not count the sum.
        (
            r,
            if s.raw {
                z::adler32(0, bytes.as_ptr(), len)
            } else {
                s.z.adler
            },
        )
    };
    if r == z::Z_OK {
        Ok(cx.heap().uint(sum))
    } else {
        outcome(r)
    }
}

fn deflate_reset(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut s = stream_in(cx, a[0], State::Deflate)?;
    // SAFETY: set up for deflating.
    let r = unsafe { z::deflateReset(&mut *s.z) };
    s.sum = 0;
    s.end_of_stream = false;
    s.forget_input();
    outcome(r)
}

fn deflate_end(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut s = stream_in(cx, a[0], State::Deflate)?;
    // SAFETY: set up for deflating; not used as such any more.
    let mut r = unsafe { z::deflateEnd(&mut *s.z) };
    s.state = State::None;
    if r == z::Z_OK && s.waiting() > 0 {
        r = z::Z_DATA_ERROR;
    }
    s.forget_input();
    outcome(r)
}

/// Erlang code has flushed everything before, so that nothing has to be put out here; a byte of room shows
/// whether that holds.
fn deflate_params(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (level, strategy) = (int(a[1])?, int(a[2])?);
    let mut s = stream_in(cx, a[0], State::Deflate)?;
    let mut room = 0u8;
    s.z.next_out = &raw mut room;
    s.z.avail_out = 1;
    s.z.next_in = ptr::null_mut();
    s.z.avail_in = 0;
    // SAFETY: set up for deflating, with room for a byte.
    let r = unsafe { z::deflateParams(&mut *s.z, level, strategy) };
    s.z.next_out = ptr::null_mut();
    if s.z.avail_out == 0 {
        outcome(z::Z_STREAM_ERROR)
    } else {
        outcome(r)
    }
}

fn deflate(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let s = stream_in(cx, a[0], State::Deflate)?;
    work(cx, s, z::deflate, a)
}

fn inflate_init(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (window, at_end) = (int(a[1])?, int(a[2])?);
    let mut s = stream_in(cx, a[0], State::None)?;
    s.z.next_in = ptr::null_mut();
    s.z.avail_in = 0;
    let size = size_of::<z::z_stream>() as c_int;
    // SAFETY: the stream is not in use; the library checks the number.
    let r = unsafe { z::inflateInit2_(&mut *s.z, window, z::zlibVersion(), size) };
    if r == z::Z_OK {
        s.state = State::Inflate;
        s.at_end = at_end;
        s.end_of_stream = false;
        s.raw = window < 0;
        s.sum = 0;
    }
    outcome(r)
}

fn inflate_set_dictionary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = iolist::collect(a[1])?;
    let mut s = stream_in(cx, a[0], State::Inflate)?;
    let len = z::uInt::try_from(bytes.len()).map_err(|_| badarg())?;
    // SAFETY: set up for inflating; the dictionary is given with its length.
    outcome(unsafe { z::inflateSetDictionary(&mut *s.z, bytes.as_ptr(), len) })
}

fn inflate_get_dictionary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut s = stream_in(cx, a[0], State::Inflate)?;
    let mut out = vec![0; MAX_DICTIONARY];
    let mut len: z::uInt = 0;
    // SAFETY: set up for inflating; there is room for the largest dictionary.
    let r = unsafe { inflateGetDictionary(&mut *s.z, out.as_mut_ptr(), &mut len) };
    if r < 0 {
        return outcome(r);
    }
    Ok(cx.heap().binary(&out[..len as usize]))
}

fn inflate_reset(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut s = stream_in(cx, a[0], State::Inflate)?;
    // SAFETY: set up for inflating.
    let r = unsafe { z::inflateReset(&mut *s.z) };
    s.sum = 0;
    s.end_of_stream = false;
    s.forget_input();
    outcome(r)
}

fn inflate_end(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut s = stream_in(cx, a[0], State::Inflate)?;
    // SAFETY: set up for inflating; not used as such any more.
    let mut r = unsafe { z::inflateEnd(&mut *s.z) };
    s.state = State::None;
    if r == z::Z_OK && (!s.end_of_stream || s.waiting() > 0) {
        r = z::Z_DATA_ERROR;
    }
    s.forget_input();
    outcome(r)
}

fn inflate(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut s = stream_in(cx, a[0], State::Inflate)?;
    if s.end_of_stream && s.waiting() > 0 {
        match s.at_end {
            0 => return outcome(z::Z_DATA_ERROR),
            1 => {
                // SAFETY: set up for inflating.
                let r = unsafe { z::inflateReset(&mut *s.z) };
                if r != z::Z_OK {
                    return outcome(r);
                }
                s.end_of_stream = false;
            }
            _ => s.forget_input(),
        }
    }
    work(cx, s, z::inflate, a)
}

type Codec = unsafe extern "C" fn(*mut z::z_stream, c_int) -> c_int;

/// Takes up to `a[1]` bytes of input and gives up to `a[2]` bytes of output. Only when no input is left does
/// the flush mode `a[3]` count.
fn work(cx: &mut Ctx<'_>, mut s: Locked<'_>, codec: Codec, a: &[Term]) -> BifResult {
    let (limit, room, flush) = (int(a[1])?, int(a[2])?, int(a[3])?);
    let limit = usize::try_from(limit).map_err(|_| badarg())?;
    let room = usize::try_from(room).map_err(|_| badarg())?;
    let mut out = vec![0u8; room];
    let s = &mut *s;
    s.z.next_out = out.as_mut_ptr();
    s.z.avail_out = room as z::uInt;
    let mut r = z::Z_OK;
    let mut consumed = 0;
    while r == z::Z_OK && s.waiting() > 0 && consumed < limit && s.z.avail_out > 0 {
        let block = s.input.front();
        let block = &block[..block.len().min(limit - consumed)];
        s.z.next_in = block.as_ptr().cast_mut();
        s.z.avail_in = block.len() as z::uInt;
        // SAFETY: set up for this codec; input and output are given with their sizes.
        r = unsafe { codec(&mut *s.z, z::Z_NO_FLUSH) };
        let n = block.len() - s.z.avail_in as usize;
        if s.raw && s.state == State::Deflate {
            s.sum = add_sum(s.sum, &block[..n]);
        }
        consumed += n;
        s.input.take(n);
        if n == 0 {
            break;
        }
    }
    let remaining = s.waiting();
    if r == z::Z_OK && remaining == 0 && s.z.avail_out > 0 {
        s.z.next_in = ptr::null_mut();
        s.z.avail_in = 0;
        // SAFETY: as above, without input.
        r = unsafe { codec(&mut *s.z, flush) };
    }
    let produced = room - s.z.avail_out as usize;
    s.z.next_in = ptr::null_mut();
    s.z.next_out = ptr::null_mut();
    // A whole chunk is the work of a time slice.
    cx.bump(SLICE * consumed / limit.max(1) + produced / 64);
    if r < 0 && r != z::Z_BUF_ERROR {
        return outcome(r);
    }
    if r == z::Z_STREAM_END {
        s.end_of_stream = true;
    }
    if s.raw && s.state == State::Inflate {
        s.sum = add_sum(s.sum, &out[..produced]);
    }
    if consumed == 0 && produced == 0 && remaining != 0 {
        return outcome(z::Z_DATA_ERROR);
    }
    let heap = cx.heap();
    let output = if produced == 0 {
        Term::NIL
    } else {
        let b = heap.binary(&out[..produced]);
        heap.list(&[b])
    };
    if remaining == 0 && produced < room {
        return Ok(cx.tuple2(Atom::FINISHED, output));
    }
    if r != z::Z_NEED_DICT {
        return Ok(cx.tuple2(Atom::new("continue"), output));
    }
    let sum = heap.uint(s.z.adler);
    Ok(heap.tuple(&[Atom::new("need_dictionary").into(), sum, output]))
}

fn add_sum(sum: u32, bytes: &[u8]) -> u32 {
    let mut h = crc32fast::Hasher::new_with_initial(sum);
    h.update(bytes);
    h.finalize()
}

fn running_sum(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let s = stream(cx, a[0])?;
    if !matches!(s.state, State::Deflate | State::Inflate) {
        return Err(error("not_initialized"));
    }
    let sum = if s.raw { u64::from(s.sum) } else { s.z.adler };
    Ok(cx.heap().uint(sum))
}

fn buffer_size(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(Term::small(stream(cx, a[0])?.buffer as i64))
}

fn set_buffer_size(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = a[1].as_usize().ok_or_else(badarg)?;
    stream(cx, a[0])?.buffer = n;
    ok()
}

fn get_stash(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let s = stream(cx, a[0])?;
    match &s.stash {
        None => Ok(Atom::new("empty").into()),
        Some(t) => {
            let t = copy::copy(t.term(), cx.heap());
            Ok(cx.ok(t))
        }
    }
}

fn clear_stash(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match stream(cx, a[0])?.stash.take() {
        Some(_) => ok(),
        None => Err(error("error")),
    }
}

fn set_stash(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut s = stream(cx, a[0])?;
    if s.stash.is_some() {
        return Err(error("error"));
    }
    s.stash = Some(OwnedTerm::new(a[1]));
    ok()
}

/// Queues a list of binaries.
fn enqueue(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut s = stream(cx, a[0])?;
    if !matches!(s.state, State::Deflate | State::Inflate) {
        return Err(error("not_initialized"));
    }
    let all = list::to_vec(a[1]).ok_or_else(badarg)?;
    if !all.iter().all(|&t| bits::binary_bytes(t).is_some()) {
        return Err(badarg());
    }
    for t in all {
        s.input.push(t);
    }
    ok()
}
