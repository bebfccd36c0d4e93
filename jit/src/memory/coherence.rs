//! What must happen between writing instructions and executing them.
//!
//! On x86-64 nothing: caches of instructions follow what is written to the memory below them, at whatever address. Code becomes
//! known to others by one store of its address, which they load after it; and a core that had instructions of a freed
//! block in its pipeline has long since passed a quiescent point.
//!
//! On aarch64 caches of instructions do not follow: the lines are cleaned and invalidated at the address at which they are
//! executed, then every core that runs one of our threads is made to drop the instructions that it has already fetched.
//! Emulators must follow that too: QEMU 7.2 in user mode goes on with what a freed block held before, QEMU 11.1 does not.

/// Makes `length` bytes that have been written visible to instruction fetches at `start`, on all cores.
#[cfg(target_arch = "x86_64")]
pub fn publish(_start: u64, _length: usize) {}

/// Makes `length` bytes that have been written visible to instruction fetches at `start`, on all cores.
#[cfg(target_arch = "aarch64")]
pub fn publish(start: u64, length: usize) {
    unsafe extern "C" {
        /// Of the compiler's runtime library.
        fn __clear_cache(start: *mut libc::c_char, end: *mut libc::c_char);
    }
    let end = start + length as u64;
    // SAFETY: the range is mapped and readable; cleaning caches changes no memory.
    unsafe { __clear_cache(start as *mut libc::c_char, end as *mut libc::c_char) };
    synchronize_cores();
}

#[cfg(target_arch = "aarch64")]
fn synchronize_cores() {
    use std::sync::OnceLock;

    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let membarrier = |command: libc::c_int| {
        // SAFETY: the call reads and writes no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    };
    let registered = *REGISTERED
        .get_or_init(|| membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE));
    if registered && membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE) {
        return;
    }
    // Kernels before 4.16. The slower command makes every core pass the kernel, whose way back is enough.
    membarrier(libc::MEMBARRIER_CMD_GLOBAL);
}
