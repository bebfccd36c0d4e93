//! Waiting for descriptors.

use crate::c::{Ptr, Word};
use crate::env::EnvPtr;
use crate::resource::Object;
use std::ffi::c_int;

/// `ERL_NIF_SELECT_NOTSUP`, with the bit that makes every failure negative.
const NOT_SUPPORTED: c_int = i32::MIN | 1 << 7;

/// Asks for a message when a descriptor is ready, stops that, or takes it back: not there yet.
#[unsafe(no_mangle)]
pub extern "C" fn enif_select(
    _: EnvPtr,
    _event: c_int,
    _mode: c_int,
    _object: Object,
    _pid: Ptr<Word>,
    _reference: Word,
) -> c_int {
    NOT_SUPPORTED
}

/// The same with a message of the library's own: not there yet.
#[unsafe(no_mangle)]
pub extern "C" fn enif_select_x(
    _: EnvPtr,
    _event: c_int,
    _mode: c_int,
    _object: Object,
    _pid: Ptr<Word>,
    _message: Word,
    _msg_env: EnvPtr,
) -> c_int {
    NOT_SUPPORTED
}
