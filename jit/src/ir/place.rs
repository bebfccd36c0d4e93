//! Places in bytecode, of the function itself and of those that stand in the place of calls in it.
//!
//! A place is a number: the lower bits are an offset in words, the upper ones say in which function's bytecode, 0 for that
//! of the function itself, else the position in `SsaFunction::inlined`, counted from 1. The highest bit is left to others.

/// Bits of an offset.
const OFFSET_BITS: u32 = 24;
/// So many functions can stand in another one.
pub const MOST_INLINED: usize = (1 << (31 - OFFSET_BITS)) - 1;
/// Bytecode in others is shorter than so many words.
pub const MOST_WORDS: usize = 1 << OFFSET_BITS;

/// The place at an offset of the bytecode of the function at a position in `SsaFunction::inlined`.
pub fn inlined(position: usize, offset: u32) -> u32 {
    debug_assert!(position < MOST_INLINED && (offset as usize) < MOST_WORDS);
    (position as u32 + 1) << OFFSET_BITS | offset
}

/// The position in `SsaFunction::inlined` of the function to whose bytecode a place belongs, unless it is the function's own,
/// and the offset.
pub fn parts(place: u32) -> (Option<usize>, u32) {
    let function = (place >> OFFSET_BITS) as usize;
    (function.checked_sub(1), place & ((1 << OFFSET_BITS) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        assert_eq!(parts(17), (None, 17));
        assert_eq!(parts(inlined(0, 17)), (Some(0), 17));
        let last = inlined(MOST_INLINED - 1, MOST_WORDS as u32 - 1);
        assert_eq!(last >> 31, 0);
        assert_eq!(parts(last), (Some(MOST_INLINED - 1), MOST_WORDS as u32 - 1));
    }
}
