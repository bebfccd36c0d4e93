//! Where native code finds what it needs, in bytes from the address of a `Ctx` or of what its fields lead to.

use crate::bif::Ctx;
use crate::code::{entry, fun};
use crate::heap::{Heap, chunk, gc};
use crate::interp::calls;
use crate::process::{Owned, Process, context, stack};
use std::mem::offset_of;

/// In `Ctx`: the address of the process's own part.
pub const OWN: usize = offset_of!(Ctx<'_>, own);
/// In `Ctx`: the address of the X registers.
pub const X: usize = offset_of!(Ctx<'_>, x);
/// In `Ctx`: reductions.
pub const REDS: usize = offset_of!(Ctx<'_>, reds);
/// In `Ctx`: the process's record.
pub const PROCESS: usize = offset_of!(Ctx<'_>, proc);
/// In `Ctx`: the top of the stack.
pub const SP: usize = offset_of!(Ctx<'_>, native) + offset_of!(context::Handover, sp);
/// In `Ctx`: the entry record of the function that is called.
pub const CALLEE: usize = offset_of!(Ctx<'_>, native) + offset_of!(context::Handover, callee);
/// In `Ctx`: what a helper that keeps all machine registers is given.
pub const ARGUMENTS: usize = offset_of!(Ctx<'_>, native) + offset_of!(context::Handover, arguments);
/// In `Ctx`: what it has given.
pub const ANSWER: usize = offset_of!(Ctx<'_>, native) + offset_of!(context::Handover, answer);
/// In the own part: the heap pointer.
pub const HP: usize = offset_of!(Owned, heap) + gc::YOUNG_AT + Heap::HP_AT;
/// In the own part: the end of the heap's block.
pub const HEAP_END: usize = offset_of!(Owned, heap) + gc::YOUNG_AT + Heap::END_AT;
/// In the own part: the heap's block.
pub const HEAP_BLOCK: usize = offset_of!(Owned, heap) + gc::YOUNG_AT + Heap::BLOCK_AT;
/// In the own part: what has survived one collection, and its length in bytes.
pub const MATURE: usize = offset_of!(Owned, heap) + gc::MATURE_AT;
pub const MATURE_LENGTH: usize = offset_of!(Owned, heap) + gc::MATURE_LENGTH_AT;
/// In the own part: the lowest address of the stack.
pub const STACK_LIMIT: usize = offset_of!(Owned, stack) + stack::BLOCK_AT + chunk::BASE_AT;
/// In the own part: the words of the stack's block, 32 bits. A block of more words than that is told with other numbers.
pub const STACK_WORDS: usize = offset_of!(Owned, stack) + stack::BLOCK_AT + chunk::CAPACITY_AT;
/// In a process's record: its pid, packed.
pub const PID: usize = offset_of!(Process, id);
/// In an entry record: machine code.
pub const NATIVE: usize = entry::NATIVE_AT;
/// In a fun's entry: machine code that enters the fun.
pub const FUN_ENTER: usize = fun::ENTER_AT;
/// In a fun's entry: number of arguments, 32 bits.
pub const FUN_ARITY: usize = fun::ARITY_AT;
/// Of the register file: the first float register.
pub const FLOATS: usize = crate::interp::machine::FLOATS;
/// In a `Binary`: the address of its first byte.
pub const BINARY_DATA: usize = crate::heap::binary::BinaryRef::DATA_AT;
/// In a `Binary`: the number of references.
pub const BINARY_REFS: usize = crate::heap::binary::BinaryRef::REFS_AT;
/// In a `Binary`: bytes allocated.
pub const BINARY_CAPACITY: usize = crate::heap::binary::BinaryRef::CAPACITY_AT;
/// In a `Binary`: bits in use.
pub const BINARY_USED: usize = crate::heap::binary::BinaryRef::USED_AT;
/// In the own part: bytes of shared binaries that the heap holds.
pub const BINARY_BYTES: usize = offset_of!(Owned, heap) + gc::YOUNG_AT + Heap::BINARY_BYTES_AT;
/// In `Ctx`: where bits that are appended go.
pub const ROOM: usize = offset_of!(Ctx<'_>, native) + offset_of!(context::Handover, room);
/// Bytes of the longest binary that lies in a heap.
pub const MAX_HEAP_BINARY: usize = crate::heap::MAX_HEAP_BINARY;
/// The machine code of functions that have none of their own.
pub fn uncompiled() -> u64 {
    entry::uncompiled() as u64
}
/// Where literals are: first address and number of bytes.
pub fn literals() -> (usize, usize) {
    crate::heap::literal::region()
}
/// Bytes of the longest part of a bitstring that is a copy.
pub const LONGEST_COPIED_PART: usize = crate::heap::bits::LONGEST_COPIED_PART;
/// In `Ctx`: the state of the generator of the test mode `chaos`.
pub const CHANCE: usize = offset_of!(Ctx<'_>, native) + offset_of!(context::Handover, chance);
/// Words that a frame leaves free on the stack for what calls push.
pub const STACK_SLACK: usize = calls::STACK_SLACK;
