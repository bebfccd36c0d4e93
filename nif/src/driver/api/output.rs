//! What drivers tell processes.

use crate::c::{CText, Ptr, Word};
use crate::driver::binary::{BinaryPtr, DriverBinary};
use crate::driver::port::{self, DriverPort, PortHandle};
use crate::driver::queue::CDriverVector;
use crate::driver::terms;
use enigma_runtime::atom::Atom;
use enigma_runtime::dirty;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::{Heap, Term};
use std::ffi::c_int;
use std::sync::Arc;

/// Sends `{Port, {data, Data}}` to the owner, unless the port is closed. -1 if there is none.
fn tell(
    handle: PortHandle,
    size: usize,
    build: impl FnOnce(&DriverPort, &mut Heap) -> Term,
) -> c_int {
    let Some(p) = handle.get() else { return -1 };
    let Some(port) = p.port.upgrade().filter(|_| p.is_heard()) else {
        return 0;
    };
    port.count_input(size);
    port.tell(|h| {
        let data = build(&p, h);
        h.tuple(&[Atom::DATA.into(), data])
    });
    0
}

/// Bytes as the port gives them, behind a header.
fn data(p: &DriverPort, h: &mut Heap, header: &[u8], bytes: &[u8]) -> Term {
    let tail = match p.is_binary() {
        true => h.binary(bytes),
        false => h.byte_list(bytes),
    };
    h.byte_list_with_tail(header, tail)
}

/// Gives the owner bytes.
#[unsafe(no_mangle)]
pub extern "C" fn driver_output(port: PortHandle, bytes: Ptr<u8>, len: usize) -> c_int {
    driver_output2(port, Ptr::NULL, 0, bytes, len)
}

/// Gives the owner bytes behind a header.
#[unsafe(no_mangle)]
pub extern "C" fn driver_output2(
    port: PortHandle,
    header: Ptr<u8>,
    header_len: usize,
    bytes: Ptr<u8>,
    len: usize,
) -> c_int {
    let (header, bytes) = (header.slice(header_len), bytes.slice(len));
    if let Some(p) = port.get().filter(|p| p.has_lines()) {
        if let Some(port) = p.port.upgrade().filter(|_| p.is_heard()) {
            p.tell_lines(&port, &[header, bytes].concat());
        }
        return 0;
    }
    tell(port, header_len + len, |p, h| data(p, h, header, bytes))
}

/// Gives the owner a part of a binary behind a header.
#[unsafe(no_mangle)]
pub extern "C" fn driver_output_binary(
    port: PortHandle,
    header: Ptr<u8>,
    header_len: usize,
    binary: BinaryPtr,
    at: usize,
    len: usize,
) -> c_int {
    let Some(b) = DriverBinary::share(binary) else {
        return -1;
    };
    let Some(bytes) = b.part(at, len) else {
        return -1;
    };
    let header = header.slice(header_len);
    tell(port, header_len + len, |p, h| {
        let tail = b.to_term(at, len, h).filter(|_| p.is_binary());
        match tail {
            Some(t) => h.byte_list_with_tail(header, t),
            None => data(p, h, header, bytes),
        }
    })
}

/// Gives the owner a vector without its first bytes, behind a header: binaries, the last one being the list's tail.
#[unsafe(no_mangle)]
pub extern "C" fn driver_outputv(
    port: PortHandle,
    header: Ptr<u8>,
    header_len: usize,
    v: Ptr<CDriverVector>,
    skip: usize,
) -> c_int {
    let Some(v) = v.get() else { return -1 };
    if skip > v.size {
        return -1;
    }
    let size = v.size - skip;
    if size == 0 {
        return driver_output2(port, header, header_len, Ptr::NULL, 0);
    }
    let header = header.slice(header_len);
    tell(port, header_len + size, |p, h| {
        let parts = v.elements(skip);
        let list = if p.is_binary() {
            let mut parts: Vec<Term> = parts.iter().map(|e| e.to_term(h)).collect();
            let last = parts.pop().unwrap_or(Term::NIL);
            h.list_with_tail(&parts, last)
        } else {
            let bytes: Vec<u8> = parts.iter().flat_map(|e| e.bytes).copied().collect();
            h.byte_list(&bytes)
        };
        h.byte_list_with_tail(header, list)
    })
}

/// Copies the bytes of a vector, as many as there is room for: how many that was.
#[unsafe(no_mangle)]
pub extern "C" fn driver_vec_to_buf(v: Ptr<CDriverVector>, to: Ptr<u8>, room: usize) -> usize {
    let Some(v) = v.get() else { return 0 };
    let bytes: Vec<u8> = v
        .elements(0)
        .iter()
        .flat_map(|e| e.bytes)
        .copied()
        .collect();
    let n = bytes.len().min(room);
    to.copy_from(&bytes[..n]);
    n
}

/// Sends what words describe: 1, 0 if there is no such process, -1 if they describe nothing.
fn send(to: Option<u64>, words: Ptr<u64>, count: c_int) -> c_int {
    let words = words.slice(usize::try_from(count).unwrap_or(0));
    let mut h = Heap::new();
    let Some(t) = terms::build(words, &mut h) else {
        return -1;
    };
    let Some(to) = to.filter(|&id| dirty::is_alive(id)) else {
        return 0;
    };
    let message = match h.is_one_block() && !t.is_immediate() {
        true => OwnedTerm::from_heap(t, h),
        false => OwnedTerm::new(t),
    };
    c_int::from(signal::send(to, Signal::Message(message)))
}

fn receiver(to: Word) -> Option<u64> {
    to.get().and_then(Term::as_local_pid)
}

/// A port, if it is heard; otherwise what its caller gets.
fn heard(port: Option<Arc<DriverPort>>) -> Result<Arc<DriverPort>, c_int> {
    let port = port.ok_or(-1)?;
    port.is_heard().then_some(port).ok_or(0)
}

/// The port that a word names.
fn port_of(port: Word) -> Option<Arc<DriverPort>> {
    port.get().and_then(Term::as_local_port).and_then(port::get)
}

fn send_owner(port: Option<Arc<DriverPort>>, words: Ptr<u64>, count: c_int) -> c_int {
    heard(port).map_or_else(|code| code, |p| send(p.connected(), words, count))
}

fn send_process(port: Option<Arc<DriverPort>>, to: Word, words: Ptr<u64>, count: c_int) -> c_int {
    heard(port).map_or_else(|code| code, |_| send(receiver(to), words, count))
}

/// Sends the owner a term.
#[unsafe(no_mangle)]
pub extern "C" fn driver_output_term(port: PortHandle, words: Ptr<u64>, count: c_int) -> c_int {
    send_owner(port.get(), words, count)
}

/// Sends a process a term.
#[unsafe(no_mangle)]
pub extern "C" fn driver_send_term(
    port: PortHandle,
    to: Word,
    words: Ptr<u64>,
    count: c_int,
) -> c_int {
    send_process(port.get(), to, words, count)
}

/// Sends the owner of a port a term, from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn erl_drv_output_term(port: Word, words: Ptr<u64>, count: c_int) -> c_int {
    send_owner(port_of(port), words, count)
}

/// Sends a process a term, from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn erl_drv_send_term(port: Word, to: Word, words: Ptr<u64>, count: c_int) -> c_int {
    send_process(port_of(port), to, words, count)
}

/// The atom with this text.
#[unsafe(no_mangle)]
pub extern "C" fn driver_mk_atom(text: CText) -> Word {
    match Atom::try_new(&text.latin1()) {
        Ok(a) => Term::atom(a).into(),
        Err(_) => Word::NONE,
    }
}

/// The port as a term.
#[unsafe(no_mangle)]
pub extern "C" fn driver_mk_port(port: PortHandle) -> Word {
    port.get().map_or(Term::NIL, |p| p.term()).into()
}

/// The empty list.
#[unsafe(no_mangle)]
pub extern "C" fn driver_mk_term_nil() -> Word {
    Term::NIL.into()
}

/// The empty list.
#[allow(non_upper_case_globals, reason = "the name is the interface's")]
#[unsafe(no_mangle)]
pub static driver_term_nil: u64 = Term::NIL.raw();

/// The owner of the port.
#[unsafe(no_mangle)]
pub extern "C" fn driver_connected(port: PortHandle) -> Word {
    let owner = port.get().and_then(|p| p.connected());
    owner.map_or(Term::NIL, Term::local_pid).into()
}

/// The process whose call the driver is working on.
#[unsafe(no_mangle)]
pub extern "C" fn driver_caller(port: PortHandle) -> Word {
    let caller = port.get().and_then(|p| p.caller());
    caller.map_or(Term::NIL, Term::local_pid).into()
}
