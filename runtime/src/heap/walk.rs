//! Walking over the words of a block as it is filled: objects and list cells one behind the other.

use crate::term::{Header, Term, boxed};

/// Calls `visit` with the address of every word of the block that holds a term.
///
/// # Safety
/// The `len` words from `start` on are whole objects and list cells.
#[inline]
pub unsafe fn each_term(start: *mut u64, len: usize, mut visit: impl FnMut(*mut Term)) {
    let mut i = 0;
    while i < len {
        // SAFETY: `i` stays below `len`, and headers tell the extent of their objects.
        unsafe {
            let p = start.add(i);
            if !Header::is_header(*p) {
                visit(p.cast());
                i += 1;
                continue;
            }
            let h = Header(*p);
            for k in boxed::term_words(h) {
                visit(p.add(k).cast());
            }
            i += 1 + h.words();
        }
    }
}

/// Calls `visit` with the header and the address of every object of the block that is no list cell.
///
/// # Safety
/// As for `each_term`.
pub unsafe fn each_object(start: *mut u64, len: usize, mut visit: impl FnMut(Header, *mut u64)) {
    let mut i = 0;
    while i < len {
        // SAFETY: `i` stays below `len`, and headers tell the extent of their objects.
        let p = unsafe { start.add(i) };
        // SAFETY: the same.
        let h = Header(unsafe { *p });
        i += 1;
        if Header::is_header(h.0) {
            visit(h, p);
            i += h.words();
        }
    }
}

/// Does a word of the block hold a term for which `wanted` holds?
///
/// # Safety
/// As for `each_term`.
pub unsafe fn any_term(start: *mut u64, len: usize, wanted: impl Fn(Term) -> bool) -> bool {
    let mut found = false;
    // SAFETY: as the caller promises; the addresses are those of words of the block.
    unsafe { each_term(start, len, |p| found |= wanted(*p)) };
    found
}
