//! Asynchronous calls.

use crate::c::Ptr;
use crate::driver::calls::{self, AsyncFn};
use crate::driver::port::PortHandle;
use std::ffi::{c_long, c_uint, c_void};

/// Has a function called in a thread; the driver is called when it has returned. Gives the number of the call, and in `key` its thread's.
#[unsafe(no_mangle)]
pub extern "C" fn driver_async(
    port: PortHandle,
    key: Ptr<c_uint>,
    invoke: Option<AsyncFn>,
    data: *mut c_void,
    free: Option<AsyncFn>,
) -> c_long {
    let (Some(p), Some(invoke)) = (port.get(), invoke) else {
        return -1;
    };
    let (id, place) = calls::begin(&p, key.get().copied(), invoke, data, free);
    key.set(place);
    id
}

/// A key for all asynchronous calls of a port.
#[unsafe(no_mangle)]
pub extern "C" fn driver_async_port_key(port: PortHandle) -> c_uint {
    port.get().map_or(0, |p| p.id as c_uint)
}
