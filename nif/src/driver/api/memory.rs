//! Memory and binaries.

use crate::c::Ptr;
use crate::driver::binary::{self, BinaryPtr, DriverBinary};
use std::ffi::c_void;

/// Memory of so many bytes, or null.
#[unsafe(no_mangle)]
pub extern "C" fn driver_alloc(size: usize) -> *mut c_void {
    crate::api::system::enif_alloc(size)
}

/// The same bytes in memory of another size.
#[unsafe(no_mangle)]
pub extern "C" fn driver_realloc(p: Ptr<c_void>, size: usize) -> *mut c_void {
    crate::api::system::enif_realloc(p, size)
}

/// Frees memory.
#[unsafe(no_mangle)]
pub extern "C" fn driver_free(p: Ptr<c_void>) {
    crate::api::system::enif_free(p);
}

/// A binary of so many bytes, or null.
#[unsafe(no_mangle)]
pub extern "C" fn driver_alloc_binary(size: usize) -> BinaryPtr {
    DriverBinary::alloc(size).map_or(Ptr::NULL, DriverBinary::into_ptr)
}

/// The same binary with another size, or null, and it stays as it is.
#[unsafe(no_mangle)]
pub extern "C" fn driver_realloc_binary(p: BinaryPtr, size: usize) -> BinaryPtr {
    if p.get().is_none() {
        return driver_alloc_binary(size);
    }
    DriverBinary::resized(p, size).unwrap_or(Ptr::NULL)
}

/// Gives a reference back.
#[unsafe(no_mangle)]
pub extern "C" fn driver_free_binary(p: BinaryPtr) {
    drop(DriverBinary::take(p));
}

/// The number of references.
#[unsafe(no_mangle)]
pub extern "C" fn driver_binary_get_refc(p: BinaryPtr) -> i64 {
    binary::count(p, 0)
}

/// One more reference: how many there are.
#[unsafe(no_mangle)]
pub extern "C" fn driver_binary_inc_refc(p: BinaryPtr) -> i64 {
    binary::count(p, 1)
}

/// Gives a reference back: how many are left.
#[unsafe(no_mangle)]
pub extern "C" fn driver_binary_dec_refc(p: BinaryPtr) -> i64 {
    let left = binary::count(p, 0) - 1;
    drop(DriverBinary::take(p));
    left
}
