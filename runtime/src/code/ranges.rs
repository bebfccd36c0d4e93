//! From an address in bytecode to the function it belongs to.

use super::module::FnInfo;
use crossbeam_skiplist::SkipMap;
use std::cell::Cell;
use std::ops::Bound;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What lies in a range of addresses.
enum Range {
    /// The bytecode of a function.
    Code(&'static [u64], &'static FnInfo),
    /// The records of functions, which hold the stubs of those that are not translated.
    Records(&'static [FnInfo]),
}

/// By the address of the first word. Read without a lock.
static RANGES: LazyLock<SkipMap<usize, Range>> = LazyLock::new(SkipMap::new);

/// Times that something was taken out of `RANGES`.
static REMOVALS: AtomicU64 = AtomicU64::new(0);

/// Addresses that each thread remembers the functions of, a power of two.
const REMEMBERED: usize = 64;

/// What a thread has looked up: it holds as long as nothing was removed since.
#[derive(Clone, Copy)]
struct Remembered {
    pc: usize,
    removals: u64,
    found: Option<(&'static FnInfo, usize)>,
}

thread_local! {
    static CACHE: [Cell<Remembered>; REMEMBERED] = const {
        [const { Cell::new(Remembered { pc: 0, removals: 0, found: None }) }; REMEMBERED]
    };
}

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
    let removals = REMOVALS.load(Ordering::Acquire);
    let address = pc as usize;
    CACHE.with(|cache| {
        let cell = &cache[(address >> 3 ^ address >> 9) % REMEMBERED];
        let known = cell.get();
        if known.pc == address && known.removals == removals && known.found.is_some() {
            return known.found;
        }
        let found = look_up(pc);
        cell.set(Remembered {
            pc: address,
            removals,
            found,
        });
        found
    })
}

fn look_up(pc: *const u64) -> Option<(&'static FnInfo, usize)> {
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
    REMOVALS.fetch_add(1, Ordering::Release);
}

/// Forgets the records of functions.
pub(super) fn remove_records(functions: &[FnInfo]) {
    RANGES.remove(&(functions.as_ptr() as usize));
    REMOVALS.fetch_add(1, Ordering::Release);
}
