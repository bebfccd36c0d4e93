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

static RUNTIME: AtomicU32 = AtomicU32::new(0);

/// Sets the version of the release's runtime system (`13.2` of OTP 25.3), where a release changes within.
pub fn set_runtime(major: u32, minor: u32, patch: u32) {
    RUNTIME.store(packed_version(major, minor, patch), Ordering::Relaxed);
}

const fn packed_version(major: u32, minor: u32, patch: u32) -> u32 {
    major << 20 | minor << 10 | patch
}

/// Is there the process flag `async_dist`? From OTP 25.3 on.
pub fn async_dist() -> bool {
    RUNTIME.load(Ordering::Relaxed) >= packed_version(13, 2, 0)
}

/// Does a socket of the module `socket` keep what has come of a stream until all that was asked for is there? From OTP 27.3.1
/// on and before 28; elsewhere the caller gets the parts.
pub fn streams_keep_parts() -> bool {
    number() == 27 && RUNTIME.load(Ordering::Relaxed) >= packed_version(15, 2, 4)
}

/// Does a process that reads from a socket without waiting get what has come although others wait? Before OTP 28.
pub fn who_does_not_wait_reads() -> bool {
    number() < 28
}

/// Does a call of `socket:accept` in place of another one of the same process, which still waits, tell that that one is over? From
/// OTP 26 on.
pub fn accept_aborts_former() -> bool {
    number() >= 26
}

/// Are there process labels, and `process_info(_, {dictionary, Key})`? They came with OTP 26.2 and 27; 25
/// has neither.
pub fn process_labels() -> bool {
    number() >= 26
}

/// Are funs without an environment literals of their module, made by no process? From OTP 27 on.
pub fn funs_are_literals() -> bool {
    number() >= 27
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

/// Does `open_port/2` take a file's name alone, and make a port of the file? Until OTP 25.
pub fn file_names_open_ports() -> bool {
    number() <= 25
}

/// Are the terminal's modes put back even when the VM is killed? From OTP 26 on.
pub fn terminal_is_guarded() -> bool {
    number() >= 26
}

/// Is a port's number always written in 64 bits in the external format? From OTP 26 on.
pub fn wide_ports() -> bool {
    number() >= 26
}

/// Does a process that sends through a socket of a driver put a reference in front of the data, to know the answer by?
/// From OTP 26 on.
pub fn senders_put_references() -> bool {
    number() >= 26
}

/// How long the list of arguments of `erlang:hibernate/3` may be.
pub fn hibernate_arguments() -> usize {
    if number() >= 29 { 256 } else { 1024 }
}

/// Forms of the binary of `erlang:md5_init/0`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Md5Context {
    /// State, count of bits, buffer: 88 bytes, until OTP 25.
    Bits,
    /// State, count of bits, buffer, bytes in the buffer: 92 bytes, until OTP 28.
    BitsAndRest,
    /// State, bytes digested, bytes in the buffer, buffer: 96 bytes, from OTP 29 on.
    Bytes,
}

/// Which form of it the release has.
pub fn md5_context() -> Md5Context {
    match number() {
        ..=25 => Md5Context::Bits,
        26..=28 => Md5Context::BitsAndRest,
        _ => Md5Context::Bytes,
    }
}

/// Are the code points of UTF-8 in a bitstring's construction checked when they are written? Until OTP 25;
/// later they are checked with the sizes.
pub fn late_utf8_checks() -> bool {
    number() <= 25
}

/// Do `binary:part/2,3`, `binary:copy/2` with 0 and `binary_to_list/3` take the whole bytes of a bitstring
/// that is no binary? Until OTP 26.
pub fn parts_of_bitstrings() -> bool {
    number() <= 26
}

/// Does a process that another node spawns wait for a message that says that its arguments have all been sent? From OTP 26 on;
/// before, the first message is the list of the arguments, and all others are for the function that it calls.
pub fn spawned_wait_for_end() -> bool {
    number() >= 26
}

/// Are there priority messages? From OTP 28 on.
pub fn priority_messages() -> bool {
    number() >= 28
}

/// Does `ets:insert/2` put the objects of a list into a bag last first? Up to 25.2 (the releases after
/// were not measured before 27); a list of objects of one key then comes out the other way round.
#[inline(always)]
pub fn lists_enter_bags_reversed() -> bool {
    number() <= 25
}

/// Do tables of sets and bags leave the lowest bit of a key's hash out?
#[inline(always)]
pub fn table_hash_is_halved() -> bool {
    number() >= 29
}

/// Is a failed addition of a constant in a body told without the operator's own entry in the stack
/// trace? Before OTP 26: there BEAM has an instruction of its own for it, which knows no function.
#[inline(always)]
pub fn increments_are_anonymous() -> bool {
    number() < 26
}

/// Does the report of a heap that is too large show where the process stands? From OTP 27 on.
pub fn heap_report_has_trace() -> bool {
    number() >= 27
}

/// Does `erlang:decode_packet/3` take bitstrings that are no binaries? Until OTP 26.
pub fn packets_in_bitstrings() -> bool {
    number() <= 26
}

/// Does it know host addresses in brackets, as those of IPv6? From OTP 27 on.
pub fn hosts_in_brackets() -> bool {
    number() >= 27
}
