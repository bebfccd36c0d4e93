//! From an address in bytecode to the function it belongs to.

use super::module::FnInfo;
use crossbeam_skiplist::SkipMap;
use std::ops::Bound;

struct Range {
    end: usize,
    function: &'static FnInfo,
}

/// By the address of the first word. Read without a lock.
static RANGES: std::sync::LazyLock<SkipMap<usize, Range>> = std::sync::LazyLock::new(SkipMap::new);

/// Notes where the bytecode of a function lies.
pub fn add(code: &[u64], function: &'static FnInfo) {
    let start = code.as_ptr() as usize;
    let end = start + code.len() * 8;
    RANGES.insert(start, Range { end, function });
}

/// The function whose bytecode holds the address, and the word's offset in it.
pub fn find(pc: *const u64) -> Option<(&'static FnInfo, usize)> {
    let a = pc as usize;
    let entry = RANGES.upper_bound(Bound::Included(&a))?;
    let (start, range) = (*entry.key(), entry.value());
    (a < range.end).then(|| (range.function, (a - start) / 8))
}

/// Forgets the bytecode of a function.
pub fn remove(code: &[u64]) {
    RANGES.remove(&(code.as_ptr() as usize));
}
