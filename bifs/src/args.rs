//! Reading arguments that several BIFs share.

use enigma_runtime::heap::gc;
use enigma_runtime::{Exit, Term, badarg};

/// A heap size in words, rounded up to a size that heaps have.
pub fn heap_size(t: Term) -> Result<usize, Exit> {
    t.as_usize()
        .filter(|&n| n < 1 << 48)
        .map(gc::heap_size_for)
        .ok_or_else(badarg)
}

/// A boolean.
pub fn boolean(t: Term) -> Result<bool, Exit> {
    t.as_bool().ok_or_else(badarg)
}
