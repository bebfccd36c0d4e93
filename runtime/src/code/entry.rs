//! Entry records: where the calls of a function go.
//!
//! There is one record a function and module version, in the function's own record, and one in each export
//! entry for when no function stands behind it. Local calls name the function's record; export entries and funs
//! lead to it. So whatever replaces a function's code, for all its callers at once, is one store here.

use std::sync::atomic::{AtomicPtr, Ordering};

/// See the module's text.
#[derive(Debug)]
#[repr(C)]
pub struct Entry {
    /// The bytecode that interpreted calls run.
    code: AtomicPtr<u64>,
    /// The machine code that native calls run: the function's own, or what lets the interpreter run it.
    native: AtomicPtr<u8>,
}

/// Machine code that lets the interpreter run the function that is called. Null where there is no native code.
static UNCOMPILED: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

/// What native calls run where a function has no machine code of its own; null as long as nothing has been said.
pub(crate) fn uncompiled() -> *const u8 {
    UNCOMPILED.load(Ordering::Acquire)
}

/// Says which machine code native calls run where a function has none of its own, in all records that are made from now on.
pub(super) fn set_uncompiled(address: *const u8) {
    UNCOMPILED.store(address.cast_mut(), Ordering::Release);
}

/// Where native code finds the address of machine code in a record, in bytes.
pub const NATIVE_AT: usize = std::mem::offset_of!(Entry, native);

impl Entry {
    /// A record that leads nowhere yet.
    pub(super) fn new() -> Entry {
        Entry {
            code: AtomicPtr::new(std::ptr::null_mut()),
            native: AtomicPtr::new(uncompiled().cast_mut()),
        }
    }

    /// The bytecode to run now.
    #[inline(always)]
    pub fn code(&self) -> *const u64 {
        self.code.load(Ordering::Acquire)
    }

    /// The function's machine code, if it has any.
    pub fn native(&self) -> Option<std::ptr::NonNull<u8>> {
        let there = std::ptr::NonNull::new(self.native.load(Ordering::Acquire));
        there.filter(|p| p.as_ptr().cast_const() != uncompiled())
    }

    /// The machine code that native calls run now.
    pub(crate) fn native_target(&self) -> *const u8 {
        self.native.load(Ordering::Acquire)
    }

    /// Makes native calls go to machine code at `address`.
    pub(super) fn set_native(&self, address: *const u8) {
        self.native.store(address.cast_mut(), Ordering::Release);
    }

    /// Makes native calls let the interpreter run the function.
    pub(super) fn clear_native(&self) {
        self.set_native(uncompiled());
    }

    /// Makes calls go to `code`.
    pub fn set_code(&self, code: *const u64) {
        self.code.store(code.cast_mut(), Ordering::Release);
    }

    /// Makes calls go to `to` if they go to `from` now.
    pub(super) fn replace_code(&self, from: *const u64, to: *const u64) {
        let _ = self.code.compare_exchange(
            from.cast_mut(),
            to.cast_mut(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
    }
}
