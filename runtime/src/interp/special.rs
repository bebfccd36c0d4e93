//! Bytecode that no module holds: where processes begin and end, where calls that the VM makes return.

use crate::code::ops;

static APPLY_ARGS: [u64; 1] = [ops::APPLY_ARGS as u64];
static HIBERNATED: [u64; 2] = [ops::HIBERNATED as u64, ops::APPLY_ARGS as u64];
static NORMAL_EXIT: [u64; 1] = [ops::NORMAL_EXIT as u64];
static RETURN: [u64; 1] = [ops::RETURN as u64];

/// x0: module, x1: function, x2: list of arguments.
pub fn apply_args() -> *const u64 {
    APPLY_ARGS.as_ptr()
}

/// The same as `apply_args`, once there is a message.
pub fn hibernated() -> *const u64 {
    HIBERNATED.as_ptr()
}

/// The end of a process whose first function has returned.
pub fn normal_exit() -> *const u64 {
    NORMAL_EXIT.as_ptr()
}

/// Gives x0 to the caller.
pub fn return_x0() -> *const u64 {
    RETURN.as_ptr()
}
