//! Room for large binaries that are appended to.
//!
//! Addresses are reserved for far more bytes than there are, and memory is put behind them as the binary grows: nothing is
//! copied, and the bytes stay where those who look at them know them to be.

use crate::sys;
use std::sync::atomic::{AtomicUsize, Ordering};

/// From this many bytes on a binary that is appended to gets such room.
pub const LEAST: usize = 1 << 20;

/// Fewest bytes of addresses of a room, and how many times what is in it they are.
const RESERVED: usize = 1 << 30;
const RESERVED_TIMES: usize = 16;

/// Most bytes of addresses of all rooms together.
const RESERVED_IN_ALL: usize = 1 << 42;

static ALL: AtomicUsize = AtomicUsize::new(0);

/// Reserved addresses, the first of which have memory.
pub struct Room {
    at: usize,
    bytes: usize,
}

impl Room {
    /// One with memory for `bytes` bytes. Nothing if the system refuses, or so many addresses are reserved already that the rest
    /// is left to others.
    pub fn new(bytes: usize) -> Option<Room> {
        let wanted = bytes.checked_mul(RESERVED_TIMES)?.max(RESERVED);
        let others = ALL.fetch_add(wanted, Ordering::Relaxed);
        let at = (others <= RESERVED_IN_ALL - RESERVED).then(|| sys::reserve(wanted));
        let Some(at) = at.flatten() else {
            ALL.fetch_sub(wanted, Ordering::Relaxed);
            return None;
        };
        sys::prefer_huge_pages(at, wanted);
        let room = Room { at, bytes: wanted };
        room.commit(bytes).then_some(room)
    }

    /// Address of the first byte.
    pub fn data(&self) -> *mut u8 {
        self.at as *mut u8
    }

    /// Bytes of addresses.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Sees to it that there is memory for the first `bytes` bytes; says whether there is.
    pub fn commit(&self, bytes: usize) -> bool {
        bytes <= self.bytes && sys::commit(self.at, bytes)
    }

    /// Gives up all addresses behind the first `bytes` bytes.
    pub fn trim(&mut self, bytes: usize) {
        let kept = bytes.max(1).next_multiple_of(sys::page_size());
        if kept < self.bytes {
            sys::release(self.at + kept, self.bytes - kept);
            ALL.fetch_sub(self.bytes - kept, Ordering::Relaxed);
            self.bytes = kept;
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        sys::release(self.at, self.bytes);
        ALL.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_as_it_is_wanted() {
        let mut room = Room::new(LEAST).unwrap();
        assert!(room.commit(3 * LEAST) && !room.commit(room.bytes() + 1));
        // SAFETY: there is memory for so many bytes, and nobody else has it.
        let bytes = unsafe { std::slice::from_raw_parts_mut(room.data(), 3 * LEAST) };
        assert!(bytes.iter().all(|&b| b == 0));
        bytes.fill(7);
        room.trim(LEAST + 1);
        assert!(room.bytes() > LEAST && room.bytes() < 2 * LEAST);
        // SAFETY: as above; these bytes were kept.
        assert_eq!(unsafe { *room.data().add(LEAST) }, 7);
    }
}
