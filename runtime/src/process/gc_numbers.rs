//! What a process's memory is in numbers, as `garbage_collection_info`, the log and the system monitor name them.

use super::Owned;
use crate::atom::Atom;
use crate::heap::Heap;
use crate::term::Term;

/// A number with its name; sizes are words.
pub type GcNumber = (&'static str, usize);

/// All of them.
pub fn of(own: &Owned) -> [GcNumber; 11] {
    let heap = &own.heap;
    let (old_block, old_used) = heap.old_size();
    let (young_bytes, old_bytes) = heap.binary_bytes();
    let (young_limit, old_limit) = heap.binary_limits();
    [
        ("old_heap_block_size", old_block),
        ("heap_block_size", own.block_size()),
        ("mbuf_size", 0),
        ("recent_size", heap.mature_words()),
        ("stack_size", own.stack.used()),
        ("old_heap_size", old_used),
        ("heap_size", heap.young_used()),
        ("bin_vheap_size", young_bytes / 8),
        ("bin_vheap_block_size", young_limit / 8),
        ("bin_old_vheap_size", old_bytes / 8),
        ("bin_old_vheap_block_size", old_limit / 8),
    ]
}

/// Numbers as a list of pairs.
pub fn to_list(h: &mut Heap, numbers: &[GcNumber]) -> Term {
    let pairs = numbers.iter().map(|&(name, n)| {
        let n = h.uint(n as u64);
        h.tuple(&[Atom::new(name).into(), n])
    });
    let pairs: Vec<Term> = pairs.collect();
    h.list(&pairs)
}
