//! Native resources behind references: what a `MagicRef` holds.
//!
//! A resource is any `Send + Sync` value. It is dropped with its last reference, by whichever thread
//! notices; `Drop` of such a value must not touch a process heap.

use crate::term::{Kind, Term};
use parking_lot::Mutex;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Weak};

/// A shared native resource.
pub type Magic = Arc<dyn Any + Send + Sync>;

impl Term {
    /// The resource, if this is a reference that holds one.
    #[inline]
    pub fn as_magic<'a>(self) -> Option<&'a Magic> {
        if self.is_kind(Kind::MagicRef) {
            // SAFETY: a live `MagicRef` owns the resource in word 3.
            Some(unsafe { MagicHandle::borrow_raw(self.word(3)) })
        } else {
            None
        }
    }

    /// The resource, if this is a reference that holds one of this type.
    #[inline(always)]
    pub fn as_resource<'a, T: Any>(self) -> Option<(&'a Magic, &'a T)> {
        if !self.is_kind(Kind::MagicRef) {
            return None;
        }
        // SAFETY: a live `MagicRef` owns the resource in word 3.
        let held = unsafe { &*(self.word(3) as *const Held) };
        if held.kind != TypeId::of::<T>() {
            return None;
        }
        // SAFETY: the value is there and of the type whose number was asked of it when the handle was made.
        Some((&held.magic, unsafe { &*held.value.cast::<T>() }))
    }
}

/// Resources whose references were written down (as bytes or text), by the number of the reference: what is
/// read back must lead to them again.
#[derive(Default)]
struct Written {
    by_number: HashMap<u64, Weak<dyn Any + Send + Sync>>,
    /// Entries of resources that are gone are looked for when there are more than this.
    clean_above: usize,
}

static WRITTEN: LazyLock<Mutex<Written>> = LazyLock::new(Mutex::default);
/// Was any written down?
static ANY: AtomicBool = AtomicBool::new(false);

/// Notes that the reference with this number is being written down.
pub fn note_written(number: u64, m: &Magic) {
    let mut w = WRITTEN.lock();
    if w.by_number.len() > w.clean_above {
        w.by_number.retain(|_, m| m.strong_count() > 0);
        w.clean_above = 2 * w.by_number.len() + 64;
    }
    w.by_number.insert(number, Arc::downgrade(m));
    ANY.store(true, Ordering::Release);
}

/// The resource of the reference with this number, if that was written down and the resource is still there.
pub fn read_back(number: u64) -> Option<Magic> {
    if !ANY.load(Ordering::Acquire) {
        return None;
    }
    WRITTEN.lock().by_number.get(&number)?.upgrade()
}

/// A resource, and what is asked for often: where the value is, and what `type_id` says of it.
struct Held {
    kind: TypeId,
    value: *const (),
    magic: Magic,
}

/// An owned reference to a resource, in the one word that a heap object has for it.
pub struct MagicHandle(Box<Held>);

impl MagicHandle {
    /// Wraps a resource.
    pub fn new(m: Magic) -> MagicHandle {
        MagicHandle(Box::new(Held {
            kind: (*m).type_id(),
            value: Arc::as_ptr(&m).cast(),
            magic: m,
        }))
    }

    /// The resource.
    pub fn get(&self) -> &Magic {
        &self.0.magic
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
        MagicHandle(unsafe { Box::from_raw(word as *mut Held) })
    }

    /// Looks at the resource behind a word.
    ///
    /// # Safety
    /// The word came from `into_raw` and its owner keeps it for as long as the result is used.
    #[inline]
    pub unsafe fn borrow_raw<'a>(word: u64) -> &'a Magic {
        // SAFETY: as the caller promises.
        unsafe { &(*(word as *const Held)).magic }
    }
}
