//! Which parts of an address range are free: numbers only, no memory.

use std::collections::{BTreeMap, BTreeSet};

/// Pieces begin at, and are as long as, multiples of this: what machine code wants its functions aligned to.
pub const GRANULE: usize = 32;

/// The free parts of a range that begins at 0. No two of them touch each other.
///
/// The smallest free part that is large enough is taken, of equal ones the lowest: so pieces that have been given back are
/// used again before the untouched end of the range, and a range that grows and shrinks does not fray.
#[derive(Debug, Default)]
pub struct Space {
    /// Length by start.
    parts: BTreeMap<usize, usize>,
    /// The same as (length, start).
    by_length: BTreeSet<(usize, usize)>,
}

impl Space {
    /// All of `length` bytes is free.
    pub fn new(length: usize) -> Space {
        let mut space = Space::default();
        space.insert(0, length / GRANULE * GRANULE);
        space
    }

    /// The length of the piece that is taken where `length` bytes are wanted.
    pub fn rounded(length: usize) -> Option<usize> {
        length.max(1).checked_next_multiple_of(GRANULE)
    }

    /// Takes `length` bytes, rounded up, at a multiple of `align`, a power of two. The start, or nothing if no part is
    /// large enough.
    pub fn take(&mut self, length: usize, align: usize) -> Option<usize> {
        debug_assert!(align.is_power_of_two());
        let length = Space::rounded(length)?;
        let (part, start) = self
            .by_length
            .range((length, 0)..)
            .find_map(|&(free, part)| {
                let start = part.checked_next_multiple_of(align)?;
                (start - part + length <= free).then_some(((part, free), start))
            })?;
        let (at, free) = part;
        self.remove(at, free);
        self.insert(at, start - at);
        self.insert(start + length, at + free - (start + length));
        Some(start)
    }

    /// Gives back what was taken at `start` for `length` bytes.
    pub fn give_back(&mut self, start: usize, length: usize) {
        let (mut start, mut length) = (start, length.next_multiple_of(GRANULE));
        if let Some((&before, &free)) = self.parts.range(..start).next_back() {
            debug_assert!(before + free <= start, "given back twice");
            if before + free == start {
                self.remove(before, free);
                start = before;
                length += free;
            }
        }
        if let Some((&after, &free)) = self.parts.range(start..).next() {
            debug_assert!(start + length <= after, "given back twice");
            if start + length == after {
                self.remove(after, free);
                length += free;
            }
        }
        self.insert(start, length);
    }

    fn insert(&mut self, start: usize, length: usize) {
        if length > 0 {
            self.parts.insert(start, length);
            self.by_length.insert((length, start));
        }
    }

    fn remove(&mut self, start: usize, length: usize) {
        self.parts.remove(&start);
        self.by_length.remove(&(length, start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one() {
        let mut space = Space::new(4096);
        let pieces: Vec<usize> = (0..4)
            .map(|_| space.take(1000, 16).expect("there is room"))
            .collect();
        assert_eq!(pieces, [0, 1024, 2048, 3072]);
        assert_eq!(space.take(1, 1), None);
        for at in [0, 2048, 3072, 1024] {
            space.give_back(at, 1000);
        }
        assert_eq!(space.parts, BTreeMap::from([(0, 4096)]));
        assert_eq!(space.by_length, BTreeSet::from([(4096, 0)]));
    }

    #[test]
    fn the_smallest_part_that_fits_is_taken() {
        let mut space = Space::new(1 << 20);
        let pieces: Vec<usize> = [512, 32, 64, 32, 96]
            .iter()
            .map(|&n| space.take(n, 32).expect("there is room"))
            .collect();
        space.give_back(pieces[0], 512);
        space.give_back(pieces[2], 64);
        assert_eq!(space.take(64, 32), Some(pieces[2]));
        assert_eq!(space.take(65, 32), Some(pieces[0]));
    }

    #[test]
    fn alignment_is_kept() {
        let mut space = Space::new(1 << 16);
        assert_eq!(space.take(8, 16), Some(0));
        assert_eq!(space.take(8, 4096), Some(4096));
        assert_eq!(space.take(4064, 32), Some(32));
        assert_eq!(space.take(1 << 16, 32), None);
        assert_eq!(space.take(usize::MAX, 32), None);
    }
}
