//! Export entries: one for every module, function and arity that anybody names. All calls between
//! modules go through them.

use crate::atom::Atom;
use crate::bif::Bif;
use crate::interp::ops;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Where a call of `module:function/arity` goes.
pub struct Export {
    /// Module.
    pub module: Atom,
    /// Function.
    pub function: Atom,
    /// Number of arguments.
    pub arity: u32,
    /// The bytecode to run: of the loaded function, or `stub`.
    code: AtomicPtr<u64>,
    /// The BIF behind this entry, if there is one.
    bif: AtomicPtr<Bif>,
    /// Code of the entry itself: calls the BIF or the error handler. The second word is the entry's address.
    stub: [u64; 2],
}

impl Export {
    /// The bytecode to run now.
    #[inline(always)]
    pub fn code(&self) -> *const u64 {
        self.code.load(Ordering::Acquire)
    }

    /// Makes calls go to `code`.
    pub fn set_code(&self, code: *const u64) {
        self.code.store(code.cast_mut(), Ordering::Release);
    }

    /// Makes calls go to `to` if they go to `from` now.
    pub fn replace_code(&self, from: *const u64, to: *const u64) {
        let _ = self.code.compare_exchange(
            from.cast_mut(),
            to.cast_mut(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
    }

    /// Code that calls the BIF behind this entry.
    pub fn stub(&self) -> *const u64 {
        self.stub.as_ptr()
    }

    /// Makes calls go to the BIF, if there is one, or else to the error handler.
    pub fn clear_code(&self) {
        self.set_code(self.stub.as_ptr());
    }

    /// Does a loaded function stand behind the entry?
    pub fn is_loaded(&self) -> bool {
        self.code() != self.stub.as_ptr()
    }

    /// Can it be called without the error handler?
    pub fn is_callable(&self) -> bool {
        self.is_loaded() || self.bif().is_some()
    }

    /// The BIF behind this entry.
    #[inline(always)]
    pub fn bif(&self) -> Option<&'static Bif> {
        let p = self.bif.load(Ordering::Acquire);
        // SAFETY: only `set_bif` stores here, and it takes a static reference.
        unsafe { p.as_ref() }
    }

    /// Puts a BIF behind this entry.
    pub fn set_bif(&'static self, bif: &'static Bif) {
        self.bif
            .store(std::ptr::from_ref(bif).cast_mut(), Ordering::Release);
    }
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}/{}", self.module, self.function, self.arity)
    }
}

type Key = (Atom, Atom, u32);

static TABLE: LazyLock<RwLock<HashMap<Key, &'static Export>>> = LazyLock::new(Default::default);

/// The entry, if anybody has named it before.
pub fn lookup(module: Atom, function: Atom, arity: u32) -> Option<&'static Export> {
    TABLE.read().get(&(module, function, arity)).copied()
}

/// The entry, made if need be. Entries are never freed.
pub fn get(module: Atom, function: Atom, arity: u32) -> &'static Export {
    if let Some(e) = lookup(module, function, arity) {
        return e;
    }
    TABLE
        .write()
        .entry((module, function, arity))
        .or_insert_with(|| {
            let e: &'static mut Export = Box::leak(Box::new(Export {
                module,
                function,
                arity,
                code: AtomicPtr::new(std::ptr::null_mut()),
                bif: AtomicPtr::new(std::ptr::null_mut()),
                stub: [0; 2],
            }));
            e.stub = [u64::from(ops::EXPORT_STUB), std::ptr::from_ref(e) as u64];
            e.code = AtomicPtr::new(e.stub.as_mut_ptr());
            e
        })
}

/// All entries there are now.
pub fn all() -> Vec<&'static Export> {
    TABLE.read().values().copied().collect()
}

/// All entries of a module.
pub fn of_module(module: Atom) -> Vec<&'static Export> {
    TABLE
        .read()
        .values()
        .filter(|e| e.module == module)
        .copied()
        .collect()
}

/// Bytes that the table and its entries take.
pub fn memory() -> usize {
    TABLE.read().len() * (size_of::<Export>() + size_of::<(Key, usize)>())
}
