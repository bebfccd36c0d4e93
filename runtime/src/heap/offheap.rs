//! The list of a heap's objects that own something outside it: `BinRef` and `MagicRef`.
//!
//! Word 1 of such an object is the address of the next one, 0 at the end. The collector walks the list
//! afterwards: an object that was not moved is dead and gives up what it owns.

use super::binary::BinaryRef;
use super::magic::MagicHandle;
use crate::term::{Header, Kind, TAG_BOXED};

/// Gives up what the object at `p` owns.
///
/// # Safety
/// `p` is a live off-heap object that nobody uses afterwards.
unsafe fn release(p: *mut u64) {
    // SAFETY: the header says which of the two layouts follows (see `term::boxed`).
    unsafe {
        match Header(*p).kind() {
            Kind::BinRef => drop(BinaryRef::from_raw(*p.add(2))),
            Kind::MagicRef => drop(MagicHandle::from_raw(*p.add(3))),
            _ => crate::bug::vm_bug("an object in an off-heap list is not an off-heap object"),
        }
    }
}

/// Gives up what every object in the list owns.
///
/// # Safety
/// The list is well formed and its objects are not used afterwards.
pub unsafe fn release_all(mut list: *mut u64) {
    while !list.is_null() {
        // SAFETY: as the caller promises.
        list = unsafe { release_first(list) };
    }
}

/// Gives up what the first object in the list owns; gives the rest of the list.
///
/// # Safety
/// The list is well formed and its first object is not used afterwards.
pub unsafe fn release_first(list: *mut u64) -> *mut u64 {
    // SAFETY: as the caller promises.
    unsafe {
        let next = *list.add(1) as *mut u64;
        release(list);
        next
    }
}

/// The binaries that the objects of a list refer to, in order.
///
/// # Safety
/// The list is well formed, and its objects stay as they are while the iterator is used.
pub unsafe fn binaries<'a>(mut list: *mut u64) -> impl Iterator<Item = &'a BinaryRef> {
    std::iter::from_fn(move || {
        while !list.is_null() {
            let p = list;
            // SAFETY: as the caller promises; a `BinRef` owns the binary in word 2, and a reference is one pointer.
            unsafe {
                list = *p.add(1) as *mut u64;
                if Header(*p).kind() == Kind::BinRef {
                    return Some(&*p.add(2).cast::<BinaryRef>());
                }
            }
        }
        None
    })
}

/// What remains of a list after a collection.
pub struct Swept {
    /// Survivors for which `is_old` did not hold.
    pub young: *mut u64,
    /// Survivors for which `is_old` held.
    pub old: *mut u64,
    /// Bytes of the binaries that the young survivors refer to.
    pub young_bytes: usize,
    /// Bytes of the binaries that the old survivors refer to.
    pub old_bytes: usize,
}

/// Sorts a list after its objects were moved: survivors are relinked at their new places, the dead
/// give up what they own.
///
/// # Safety
/// The list is that of a heap whose live objects have been forwarded.
pub unsafe fn sweep(mut list: *mut u64, is_old: impl Fn(*mut u64) -> bool, swept: &mut Swept) {
    while !list.is_null() {
        // SAFETY: a forwarded object keeps its next link; its new copy has the same layout.
        unsafe {
            let next = *list.add(1) as *mut u64;
            let w = *list;
            if w & 7 == TAG_BOXED {
                keep((w & !7) as *mut u64, &is_old, swept);
            } else {
                release(list);
            }
            list = next;
        }
    }
}

/// Relinks objects that stayed where they were.
///
/// # Safety
/// The list is well formed.
pub unsafe fn keep_all(mut list: *mut u64, swept: &mut Swept) {
    while !list.is_null() {
        // SAFETY: as the caller promises.
        unsafe {
            let next = *list.add(1) as *mut u64;
            keep(list, &|_| true, swept);
            list = next;
        }
    }
}

unsafe fn keep(p: *mut u64, is_old: &impl Fn(*mut u64) -> bool, swept: &mut Swept) {
    // SAFETY: `p` is a live off-heap object.
    unsafe {
        let bytes = match Header(*p).kind() {
            Kind::BinRef => BinaryRef::borrow_raw(*p.add(2)).capacity(),
            _ => 0,
        };
        if is_old(p) {
            *p.add(1) = swept.old as u64;
            swept.old = p;
            swept.old_bytes += bytes;
        } else {
            *p.add(1) = swept.young as u64;
            swept.young = p;
            swept.young_bytes += bytes;
        }
    }
}
