//! What the VM asks of the operating system below the standard library: the module to edit for a port.

/// Reserves `bytes` of addresses without memory behind them.
pub fn reserve(bytes: usize) -> usize {
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
    if p == libc::MAP_FAILED {
        crate::bug::vm_bug("cannot reserve addresses for literals");
    }
    p as usize
}

/// Makes the pages that `at..at + bytes` touches readable and writable.
pub fn commit(at: usize, bytes: usize) {
    let page = 4096;
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
    if r != 0 {
        crate::bug::vm_bug("cannot commit memory for literals");
    }
}

/// Gives back the memory behind the whole pages in `at..at + bytes`, whose contents nobody needs; they can
/// be used again as they are.
pub fn discard(at: usize, bytes: usize) {
    let page = 4096;
    let start = at.next_multiple_of(page);
    let end = (at + bytes) / page * page;
    if start < end {
        // SAFETY: the pages lie in a range that `reserve` gave. A refusal leaves the memory as it is.
        let _ = unsafe { libc::madvise(start as *mut _, end - start, libc::MADV_DONTNEED) };
    }
}
