//! From an address in bytecode to the function it belongs to.

use super::module::FnInfo;
use parking_lot::RwLock;
use std::collections::BTreeMap;

struct Range {
    end: usize,
    function: &'static FnInfo,
}

static RANGES: RwLock<BTreeMap<usize, Range>> = RwLock::new(BTreeMap::new());

/// Notes where the bytecode of a function lies.
pub fn add(code: &[u64], function: &'static FnInfo) {
    let start = code.as_ptr() as usize;
    RANGES.write().insert(
        start,
        Range {
            end: start + code.len() * 8,
            function,
        },
    );
}

/// The function whose bytecode holds the address, and the word's offset in it.
pub fn find(pc: *const u64) -> Option<(&'static FnInfo, usize)> {
    let a = pc as usize;
    let map = RANGES.read();
    let (&start, r) = map.range(..=a).next_back()?;
    (a < r.end).then(|| (r.function, (a - start) / 8))
}

/// Forgets the bytecode of a function.
pub fn remove(code: &[u64]) {
    RANGES.write().remove(&(code.as_ptr() as usize));
}
