//! Native resources behind references: what a `MagicRef` holds.
//!
//! A resource is any `Send + Sync` value. It is dropped with its last reference, by whichever thread
//! notices; `Drop` of such a value must not touch a process heap.

use std::any::Any;
use std::sync::Arc;

/// A shared native resource.
pub type Magic = Arc<dyn Any + Send + Sync>;

/// An owned reference to a resource, in the one word that a heap object has for it.
pub struct MagicHandle(Box<Magic>);

impl MagicHandle {
    /// Wraps a resource.
    pub fn new(m: Magic) -> MagicHandle {
        MagicHandle(Box::new(m))
    }

    /// The resource.
    pub fn get(&self) -> &Magic {
        &self.0
    }

    /// The reference as a word; the word's holder owns it from then on.
    pub fn into_raw(self) -> u64 {
        Box::into_raw(self.0) as u64
    }

    /// Takes back a reference from a word.
    ///
    /// # Safety
    /// The word came from `into_raw` and its owner gives it up.
    pub unsafe fn from_raw(word: u64) -> MagicHandle {
        // SAFETY: as the caller promises.
        MagicHandle(unsafe { Box::from_raw(word as *mut Magic) })
    }

    /// Looks at the resource behind a word.
    ///
    /// # Safety
    /// The word came from `into_raw` and its owner keeps it for as long as the result is used.
    pub unsafe fn borrow_raw<'a>(word: u64) -> &'a Magic {
        // SAFETY: as the caller promises.
        unsafe { &*(word as *const Magic) }
    }
}
