//! Which OTP release's semantics are in force. One per operating system process, set before the VM
//! starts; the few places where releases differ in the meaning of terms ask here.

use std::sync::atomic::{AtomicU32, Ordering};

static RELEASE: AtomicU32 = AtomicU32::new(27);

/// Sets the release number (25 to 29).
pub fn set(n: u32) {
    RELEASE.store(n, Ordering::Relaxed);
}

/// The release number.
#[inline(always)]
pub fn number() -> u32 {
    RELEASE.load(Ordering::Relaxed)
}

/// Are `0.0` and `-0.0` different under `=:=`? From OTP 27 on.
#[inline(always)]
pub fn signed_zeros_differ() -> bool {
    number() >= 27
}

/// Are atom keys of small maps kept in the order of the atom table instead of their texts'? From OTP
/// 26 on.
#[inline(always)]
pub fn map_atoms_by_index() -> bool {
    number() >= 26
}

/// Is a failed addition of a constant in a body told without the operator's own entry in the stack
/// trace? Before OTP 26: there BEAM has an instruction of its own for it, which knows no function.
#[inline(always)]
pub fn increments_are_anonymous() -> bool {
    number() < 26
}
