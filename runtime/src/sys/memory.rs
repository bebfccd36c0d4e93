//! Memory from the allocator, and what happens when there is none left: the VM ends with the message and
//! the status that BEAM ends with.
//!
//! Messages are allocated on one thread and freed on another all the time, which the system's allocator
//! is slow at, so it is mimalloc. Without huge pages (a feature of the crate): every thread's first page
//! would be one. Only large blocks of heaps, which are mapped by themselves, ask for them.
//! Sanitizers see the system's allocator only.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr::NonNull;

#[cfg(not(sanitized))]
use mimalloc::MiMalloc as Source;
#[cfg(sanitized)]
use std::alloc::System as Source;

/// What memory is for, as BEAM tells its kinds of memory apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Heaps and stacks of processes, messages.
    Heap,
    /// Contents of binaries.
    Binary,
    /// Literals of modules and persistent terms.
    Literal,
    /// Objects in tables.
    TableObject,
    /// All that the VM's own code takes.
    Other,
}

impl Purpose {
    /// BEAM's names of the allocator and of the type of memory.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Purpose::Heap => ("eheap_alloc", "heap"),
            Purpose::Binary => ("binary_alloc", "binary"),
            Purpose::Literal => ("literal_alloc", "literal"),
            Purpose::TableObject => ("ets_alloc", "db_term"),
            Purpose::Other => ("sys_alloc", "unspecified"),
        }
    }
}

/// Ends the VM because `bytes` cannot be had.
#[cold]
#[inline(never)]
pub fn exhausted(purpose: Purpose, bytes: usize) -> ! {
    let (allocator, kind) = purpose.names();
    crate::bug::limit_reached(&format!(
        "{allocator}: Cannot allocate {bytes} bytes of memory (of type \"{kind}\")."
    ))
}

/// Memory for `layout`, whose size is not zero; its contents are undefined.
#[inline]
pub fn take(purpose: Purpose, layout: Layout) -> NonNull<u8> {
    try_take(layout).unwrap_or_else(|| exhausted(purpose, layout.size()))
}

/// The same, or nothing if there is not enough.
#[inline]
pub fn try_take(layout: Layout) -> Option<NonNull<u8>> {
    assert!(layout.size() > 0);
    // SAFETY: the size is not zero.
    NonNull::new(unsafe { Source.alloc(layout) })
}

/// Gives memory back.
///
/// # Safety
/// `p` came from here with this layout, and nobody uses it afterwards.
#[inline]
pub unsafe fn give_back(p: NonNull<u8>, layout: Layout) {
    // SAFETY: as the caller promises.
    unsafe { Source.dealloc(p.as_ptr(), layout) }
}

/// Gives memory back to the system that this thread has used and that nobody uses now. It takes its time: for a thread that rests.
pub fn trim() {
    #[cfg(not(sanitized))]
    {
        unsafe extern "C" {
            fn mi_collect(force: bool);
        }
        // SAFETY: a function of the allocator that is linked in, which any thread may call.
        unsafe { mi_collect(true) };
    }
}

/// Changes the size of a piece of memory, which may move. Nothing if there is not enough; the piece is then
/// as it was.
///
/// # Safety
/// `p` came from here with this layout; `size` is not zero.
pub unsafe fn resize(p: NonNull<u8>, layout: Layout, size: usize) -> Option<NonNull<u8>> {
    // SAFETY: as the caller promises.
    NonNull::new(unsafe { Source.realloc(p.as_ptr(), layout, size) })
}

/// Bytes of a huge page, where there are any.
pub const HUGE_PAGE: usize = 2 << 20;

/// Maps memory of its own, in huge pages if the system has them: most of what a large block costs is the system's
/// work for each of its pages. `bytes` is at least a huge page.
pub fn map(purpose: Purpose, bytes: usize) -> NonNull<u8> {
    let bytes_whole = bytes.saturating_add(super::page_size() - 1) & !(super::page_size() - 1);
    let mapped = super::map(bytes_whole, HUGE_PAGE);
    mapped.unwrap_or_else(|| exhausted(purpose, bytes))
}

/// Gives it back.
///
/// # Safety
/// `p` came from `map` for so many bytes, and nobody uses it afterwards.
pub unsafe fn unmap(p: NonNull<u8>, bytes: usize) {
    super::release(
        p.as_ptr() as usize,
        bytes.next_multiple_of(super::page_size()),
    );
}

thread_local! {
    /// Does this thread see to it itself when there is no memory?
    static FALLIBLE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f`, in which a lack of memory is reported to whoever asks for it, as by `Vec::try_reserve`, and does
/// not end the VM.
pub fn fallible<T>(f: impl FnOnce() -> T) -> T {
    let was = FALLIBLE.replace(true);
    let value = f();
    FALLIBLE.set(was);
    value
}

/// Keeps the C library, whose allocator hardly anything uses here, from reserving 64 MB of addresses for each
/// thread. To be called before there are threads.
pub fn limit_c_arenas() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a number in the C library's allocator.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// The allocator of all Rust code in the command.
pub struct Allocator;

/// What the allocator gave for so many bytes, if that is all right for who has asked.
#[inline(always)]
fn checked(p: *mut u8, bytes: usize) -> *mut u8 {
    if p.is_null() { refused(bytes) } else { p }
}

#[cold]
#[inline(never)]
fn refused(bytes: usize) -> *mut u8 {
    if FALLIBLE.try_with(Cell::get).unwrap_or(false) {
        return std::ptr::null_mut();
    }
    exhausted(Purpose::Other, bytes)
}

// SAFETY: the source's memory, handed through.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        checked(unsafe { Source.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        checked(unsafe { Source.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        checked(unsafe { Source.realloc(p, layout, size) }, size)
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { Source.dealloc(p, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_is_asked_for() {
        let mut v: Vec<u8> = Vec::new();
        assert!(fallible(|| v.try_reserve_exact(1 << 46)).is_err());
        assert!(fallible(|| v.try_reserve_exact(1 << 10)).is_ok());
    }
}
