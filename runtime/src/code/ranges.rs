//! From an address in bytecode to the function it belongs to.

use super::module::FnInfo;
use crossbeam_skiplist::SkipMap;
use std::ops::Bound;
use std::sync::LazyLock;

/// What lies in a range of addresses.
enum Range {
    /// The bytecode of a function.
    Code(&'static [u64], &'static FnInfo),
    /// The records of functions, which hold the stubs of those that are not translated.
    Records(&'static [FnInfo]),
}

/// By the address of the first word. Read without a lock.
static RANGES: LazyLock<SkipMap<usize, Range>> = LazyLock::new(SkipMap::new);

/// Notes where the bytecode of a function lies.
pub(super) fn add(code: &'static [u64], function: &'static FnInfo) {
    RANGES.insert(code.as_ptr() as usize, Range::Code(code, function));
}

/// Notes where the records of a module's functions lie.
pub(super) fn add_records(functions: &'static [FnInfo]) {
    if !functions.is_empty() {
        RANGES.insert(functions.as_ptr() as usize, Range::Records(functions));
    }
}

/// The function whose bytecode or stub holds the address, and the word's offset in the bytecode.
pub fn find(pc: *const u64) -> Option<(&'static FnInfo, usize)> {
    let entry = RANGES.upper_bound(Bound::Included(&(pc as usize)))?;
    let bytes = pc as usize - *entry.key();
    match *entry.value() {
        Range::Code(code, f) => (bytes < size_of_val(code)).then_some((f, bytes / 8)),
        Range::Records(functions) => functions.get(bytes / size_of::<FnInfo>()).map(|f| (f, 0)),
    }
}

/// Forgets the bytecode of a function.
pub(super) fn remove(code: &[u64]) {
    RANGES.remove(&(code.as_ptr() as usize));
}

/// Forgets the records of functions.
pub(super) fn remove_records(functions: &[FnInfo]) {
    RANGES.remove(&(functions.as_ptr() as usize));
}
