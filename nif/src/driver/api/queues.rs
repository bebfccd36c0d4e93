//! The queue of a port, and port data locks.

use crate::api::io_vectors::Slice;
use crate::c::Ptr;
use crate::driver::binary::{BinaryPtr, DriverBinary};
use crate::driver::pdl::{self, Pdl};
use crate::driver::port::{DriverPort, PortHandle, PortStatus};
use crate::driver::queue::{self, CDriverVector, QueuedPart};
use std::ffi::c_int;

/// What the size of no queue is.
const NO_QUEUE: usize = usize::MAX;

fn put(handle: PortHandle, parts: Option<Vec<QueuedPart>>, in_front: bool) -> c_int {
    match (handle.get(), parts) {
        (Some(p), Some(parts)) => {
            p.queue.lock().put(parts, in_front);
            0
        }
        _ => -1,
    }
}

fn copied(data: Ptr<u8>, len: usize) -> Option<Vec<QueuedPart>> {
    Some(vec![QueuedPart::of_bytes(data.slice(len))?])
}

fn shared(b: BinaryPtr, at: usize, len: usize) -> Option<Vec<QueuedPart>> {
    Some(vec![QueuedPart::new(DriverBinary::share(b)?, at, len)?])
}

fn vector(v: Ptr<CDriverVector>, skip: usize) -> Option<Vec<QueuedPart>> {
    queue::parts_of(v.get()?, skip)
}

/// Puts bytes behind the others.
#[unsafe(no_mangle)]
pub extern "C" fn driver_enq(port: PortHandle, data: Ptr<u8>, len: usize) -> c_int {
    put(port, copied(data, len), false)
}

/// Puts bytes in front of the others.
#[unsafe(no_mangle)]
pub extern "C" fn driver_pushq(port: PortHandle, data: Ptr<u8>, len: usize) -> c_int {
    put(port, copied(data, len), true)
}

/// Puts a part of a binary behind the others.
#[unsafe(no_mangle)]
pub extern "C" fn driver_enq_bin(port: PortHandle, b: BinaryPtr, at: usize, len: usize) -> c_int {
    put(port, shared(b, at, len), false)
}

/// Puts a part of a binary in front of the others.
#[unsafe(no_mangle)]
pub extern "C" fn driver_pushq_bin(port: PortHandle, b: BinaryPtr, at: usize, len: usize) -> c_int {
    put(port, shared(b, at, len), true)
}

/// Puts a vector without its first bytes behind the others.
#[unsafe(no_mangle)]
pub extern "C" fn driver_enqv(port: PortHandle, v: Ptr<CDriverVector>, skip: usize) -> c_int {
    put(port, vector(v, skip), false)
}

/// Puts a vector without its first bytes in front of the others.
#[unsafe(no_mangle)]
pub extern "C" fn driver_pushqv(port: PortHandle, v: Ptr<CDriverVector>, skip: usize) -> c_int {
    put(port, vector(v, skip), true)
}

/// Takes bytes from the front: how many are left.
#[unsafe(no_mangle)]
pub extern "C" fn driver_deq(port: PortHandle, size: usize) -> usize {
    let Some(p) = port.get() else { return NO_QUEUE };
    let mut q = p.queue.lock();
    if !q.take(size) {
        return NO_QUEUE;
    }
    let left = q.size();
    drop(q);
    stop_if_empty(&p, left);
    left
}

/// A port that is closed stops when its queue is empty.
fn stop_if_empty(p: &DriverPort, left: usize) {
    if left == 0 && p.status() == PortStatus::Flushing {
        p.post(|_, _| ());
    }
}

/// How many bytes there are.
#[unsafe(no_mangle)]
pub extern "C" fn driver_sizeq(port: PortHandle) -> usize {
    port.get().map_or(NO_QUEUE, |p| p.queue.lock().size())
}

/// Shows where the bytes are: how many there are.
#[unsafe(no_mangle)]
pub extern "C" fn driver_peekqv(port: PortHandle, to: Ptr<CDriverVector>) -> usize {
    let Some(p) = port.get() else { return NO_QUEUE };
    let mut q = p.queue.lock();
    let (slices, binaries, count) = q.show();
    to.set(CDriverVector {
        count: count as c_int,
        size: q.size(),
        slices: Ptr::to(slices),
        binaries: Ptr::to(binaries),
    });
    q.size()
}

/// Shows where the bytes are, and in how many parts.
#[unsafe(no_mangle)]
pub extern "C" fn driver_peekq(port: PortHandle, count: Ptr<c_int>) -> *mut Slice {
    let Some(p) = port.get() else {
        count.set(-1);
        return std::ptr::null_mut();
    };
    let (slices, _, n) = p.queue.lock().show();
    count.set(n as c_int);
    if n == 0 { std::ptr::null_mut() } else { slices }
}

/// A lock for the port's queue, or null if it has one.
#[unsafe(no_mangle)]
pub extern "C" fn driver_pdl_create(port: PortHandle) -> Ptr<Pdl> {
    let Some(p) = port.get() else {
        return Ptr::NULL;
    };
    let mut slot = p.pdl.lock();
    if slot.is_some() {
        return Ptr::NULL;
    }
    Ptr::to(std::ptr::from_ref(*slot.insert(pdl::make())).cast_mut())
}

/// Waits for such a lock.
#[unsafe(no_mangle)]
pub extern "C" fn driver_pdl_lock(p: Ptr<Pdl>) {
    pdl::lock(p);
}

/// Gives it back.
#[unsafe(no_mangle)]
pub extern "C" fn driver_pdl_unlock(p: Ptr<Pdl>) {
    pdl::unlock(p);
}

/// The number of its references.
#[unsafe(no_mangle)]
pub extern "C" fn driver_pdl_get_refc(p: Ptr<Pdl>) -> i64 {
    pdl::change(p, 0)
}

/// One more reference.
#[unsafe(no_mangle)]
pub extern "C" fn driver_pdl_inc_refc(p: Ptr<Pdl>) -> i64 {
    pdl::change(p, 1)
}

/// One reference less.
#[unsafe(no_mangle)]
pub extern "C" fn driver_pdl_dec_refc(p: Ptr<Pdl>) -> i64 {
    pdl::change(p, -1)
}
