//! What the VM asks of the operating system below the standard library: the module to edit for a port.

pub mod affinity;
pub mod epoll;
pub mod memory;
pub mod sampling;
pub mod sync;

use std::ptr::NonNull;
use std::sync::OnceLock;

/// Calls the function when the process ends by itself.
pub fn at_exit(f: extern "C" fn()) {
    // SAFETY: a function without arguments, as it is wanted. Where there is no room, it is not called.
    unsafe { libc::atexit(f) };
}

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

/// Bytes of memory that the machine has, if the system says.
pub fn physical_memory() -> Option<usize> {
    // SAFETY: asks for a constant of the system.
    let pages = unsafe { libc::sysconf(libc::_SC_PHYS_PAGES) };
    Some(usize::try_from(pages).ok()?.saturating_mul(page_size()))
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

/// Gives this process huge pages where it asks for them, and nowhere else.
pub fn huge_pages_on_request() {
    #[cfg(target_os = "linux")]
    {
        /// All but those that were asked for are off; from Linux 6.18 on.
        const EXCEPT_ADVISED: libc::c_ulong = 2;
        static ALWAYS: OnceLock<bool> = OnceLock::new();
        // SAFETY: sets what kind of pages the system uses for this process.
        let set = |on: libc::c_ulong, flags: libc::c_ulong| unsafe {
            libc::prctl(libc::PR_SET_THP_DISABLE, on, flags, 0, 0) == 0
        };
        if !set(1, EXCEPT_ADVISED) {
            // An older system has one setting for all, and this process's, which is all or nothing.
            let setting = || {
                std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled")
                    .is_ok_and(|s| s.contains("[always]"))
            };
            set(libc::c_ulong::from(*ALWAYS.get_or_init(setting)), 0);
        }
    }
}

/// Gives this process huge pages as the system has them: what programs are to inherit.
pub fn huge_pages_by_default() {
    #[cfg(target_os = "linux")]
    // SAFETY: as above.
    unsafe {
        libc::prctl(
            libc::PR_SET_THP_DISABLE,
            0 as libc::c_ulong,
            0 as libc::c_ulong,
            0,
            0,
        );
    }
}

/// Maps `bytes` of memory, whole pages, at a multiple of `align`, which is a power of two, and asks for huge pages.
/// Nothing if the system refuses.
pub fn map(bytes: usize, align: usize) -> Option<NonNull<u8>> {
    let start = reserve(bytes.checked_add(align)?)?;
    let at = start.next_multiple_of(align);
    if at > start {
        release(start, at - start);
    }
    if start + align > at {
        release(at + bytes, start + align - at);
    }
    if !commit(at, bytes) {
        release(at, bytes);
        return None;
    }
    prefer_huge_pages(at, bytes);
    NonNull::new(at as *mut u8)
}

/// Asks for huge pages in a range of addresses that `reserve` gave. A refusal leaves it with small ones.
pub fn prefer_huge_pages(at: usize, bytes: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: a mapping of our own, whose contents stay as they are.
    unsafe {
        libc::madvise(at as *mut _, bytes, libc::MADV_HUGEPAGE);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (at, bytes);
}

/// Gives up a range of addresses that `reserve` or `map` gave and that nobody uses.
pub fn release(at: usize, bytes: usize) {
    // SAFETY: a mapping of our own that nothing points into. A refusal leaves it in place.
    let _ = unsafe { libc::munmap(at as *mut _, bytes) };
}

/// Moves whole pages in front of others, whose place they take; the addresses that they had are given up. Where the system
/// does not move them at once, because it keeps them as several ranges, they are moved in parts, and copied at last.
///
/// # Safety
/// Both ranges lie in memory that `map` gave, apart from each other, and are multiples of the page size. Nobody uses
/// either meanwhile.
pub unsafe fn move_pages(from: usize, bytes: usize, to: usize) {
    if can_move(from, bytes, to) {
        return;
    }
    let half = (bytes / 2).next_multiple_of(page_size());
    if bytes > memory::HUGE_PAGE && half < bytes {
        // SAFETY: parts of the same ranges.
        unsafe {
            move_pages(from, half, to);
            move_pages(from + half, bytes - half, to + half);
        }
        return;
    }
    // SAFETY: as the caller promises.
    unsafe { std::ptr::copy_nonoverlapping(from as *const u8, to as *mut u8, bytes) };
    release(from, bytes);
}

#[cfg(all(target_os = "linux", not(sanitized)))]
fn can_move(from: usize, bytes: usize, to: usize) -> bool {
    // SAFETY: mappings of our own, which the caller says that nobody uses.
    let at = unsafe {
        libc::mremap(
            from as *mut _,
            bytes,
            bytes,
            libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
            to as *mut libc::c_void,
        )
    };
    at != libc::MAP_FAILED
}

/// Elsewhere pages are not moved.
#[cfg(not(all(target_os = "linux", not(sanitized))))]
fn can_move(_from: usize, _bytes: usize, _to: usize) -> bool {
    false
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
