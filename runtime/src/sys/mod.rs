//! What the VM asks of the operating system below the standard library: the module to edit for a port.

pub mod memory;
pub mod sync;

use std::sync::OnceLock;

/// Bytes of a page of memory.
pub fn page_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| {
        // SAFETY: asks for a constant of the system.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(size)
            .ok()
            .filter(|n| n.is_power_of_two())
            .unwrap_or(4096)
    })
}

/// Reserves `bytes` of addresses without memory behind them. Nothing if the system refuses.
pub fn reserve(bytes: usize) -> Option<usize> {
    // SAFETY: an anonymous private mapping at an address of the kernel's choice.
    let p = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            bytes,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    (p != libc::MAP_FAILED).then_some(p as usize)
}

/// Gives up a range of addresses that `reserve` gave and that nobody has used.
pub fn release(at: usize, bytes: usize) {
    // SAFETY: a mapping of our own that nothing points into. A refusal leaves it in place.
    let _ = unsafe { libc::munmap(at as *mut _, bytes) };
}

/// Makes the pages that `at..at + bytes` touches readable and writable; says whether the system has allowed it.
#[must_use]
pub fn commit(at: usize, bytes: usize) -> bool {
    let page = page_size();
    let start = at / page * page;
    let end = (at + bytes).next_multiple_of(page);
    // SAFETY: the pages lie in a range that `reserve` gave.
    let r = unsafe {
        libc::mprotect(
            start as *mut _,
            end - start,
            libc::PROT_READ | libc::PROT_WRITE,
        )
    };
    r == 0
}

/// Gives back the memory behind the whole pages in `at..at + bytes`, whose contents nobody needs; they can
/// be used again as they are.
pub fn discard(at: usize, bytes: usize) {
    let page = page_size();
    let start = at.next_multiple_of(page);
    let end = (at + bytes) / page * page;
    if start < end {
        // SAFETY: the pages lie in a range that `reserve` gave. A refusal leaves the memory as it is.
        let _ = unsafe { libc::madvise(start as *mut _, end - start, libc::MADV_DONTNEED) };
    }
}
