//! Bytes whose number shows only at the end, put into one binary.

use super::Heap;
use super::binary::BinaryRef;
use crate::term::Term;

/// So many bytes are kept apart before they get a binary of their own.
const FEW: usize = 1 << 16;

/// See the module's text. To add some bytes never copies more than a megabyte of what is there.
#[derive(Default)]
pub struct Gathered {
    few: Vec<u8>,
    many: Option<BinaryRef>,
}

impl Gathered {
    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// All bytes.
    pub fn bytes(&self) -> &[u8] {
        self.many.as_ref().map_or(&self.few, BinaryRef::bytes)
    }

    /// Adds bytes at the end.
    pub fn extend(&mut self, bytes: &[u8]) {
        match &mut self.many {
            Some(binary) => binary.extend(bytes),
            None if self.few.len() + bytes.len() <= FEW => self.few.extend_from_slice(bytes),
            None => {
                let (start, len) = (self.few.len(), self.few.len() + bytes.len());
                let fill = |all: &mut [u8]| all[start..].copy_from_slice(bytes);
                self.many = Some(BinaryRef::build_behind(&self.few, len, fill));
                self.few = Vec::new();
            }
        }
    }

    /// The binary.
    pub fn finish(self, heap: &mut Heap) -> Term {
        match self.many {
            Some(binary) => heap.shared_binary(binary.trim()),
            None => heap.binary_of(self.few),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::bits;

    #[test]
    fn all_bytes_are_there() {
        for pieces in [0, 1, 3, 100, 2000] {
            let mut gathered = Gathered::default();
            let mut all = Vec::new();
            for i in 0..pieces {
                let piece = vec![i as u8; i * 7 % 5000];
                gathered.extend(&piece);
                all.extend(piece);
            }
            assert_eq!(
                (gathered.len(), gathered.is_empty()),
                (all.len(), all.is_empty())
            );
            let mut heap = Heap::new();
            let t = gathered.finish(&mut heap);
            assert_eq!(bits::view(t).whole_bytes(), all);
            if all.len() > FEW {
                let room = bits::room(t).unwrap_or(0);
                assert!(
                    room < all.len() + all.len() / 8,
                    "{room} bytes for {}",
                    all.len()
                );
            }
        }
    }
}
