//! Export entries: one for every module, function and arity that anybody names. All calls between
//! modules go through them.

use super::entry::Entry;
use super::module::FnInfo;
use crate::atom::Atom;
use crate::bif::Bif;
use crate::code::ops;
use crate::heap::Heap;
use crate::term::fun::FunctionName;
use crate::term::{Kind, Term};
use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;
use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Where a call of `module:function/arity` goes.
#[repr(C)]
pub struct Export {
    name: FunctionName,
    /// Where calls go: the record of the loaded function, or `own`.
    entry: AtomicPtr<Entry>,
    /// The BIF behind this entry, if there is one.
    bif: AtomicPtr<Bif>,
    /// For when no function stands behind the entry: leads to `stub`.
    own: Entry,
    /// Code of the entry itself: calls the BIF or the error handler. The second word is the entry's address.
    stub: [u64; 2],
    /// Is it one of those that do nothing but raise?
    raises: bool,
}

/// Where native code finds the address of the entry record, in bytes.
pub const ENTRY_AT: usize = std::mem::offset_of!(Export, entry);
/// Where native code finds the number of arguments, 32 bits.
pub const ARITY_AT: usize =
    std::mem::offset_of!(Export, name) + std::mem::offset_of!(FunctionName, arity);
/// Where native code finds a byte that is 0 if the function may return.
pub const RAISES_AT: usize = std::mem::offset_of!(Export, raises);

impl std::ops::Deref for Export {
    type Target = FunctionName;

    fn deref(&self) -> &FunctionName {
        &self.name
    }
}

/// The export entry of an external fun; `t` must be one.
#[inline(always)]
pub fn of(t: Term) -> &'static Export {
    if !t.is_kind(Kind::Export) {
        crate::bug::wrong_kind("external fun")
    }
    // SAFETY: word 1 of an `Export` is the address of an entry, which is never freed.
    unsafe { &*(t.word(1) as *const Export) }
}

impl Heap {
    /// `fun M:F/A`.
    pub fn export_fun(&mut self, export: &'static Export) -> Term {
        self.object(Kind::Export, &[std::ptr::from_ref(export) as u64])
    }
}

impl Export {
    /// Where calls go now. The reference holds for the time slice.
    #[inline(always)]
    pub fn entry(&self) -> &Entry {
        // SAFETY: `own`, which lives as long as this does, or the record of a function of the current version of the
        // module; when that version goes, function records are freed after all time slices that were running.
        unsafe { &*self.entry.load(Ordering::Acquire) }
    }

    /// The bytecode to run now.
    #[inline(always)]
    pub fn code(&self) -> *const u64 {
        self.entry().code()
    }

    /// Makes calls go to a function.
    pub(super) fn set(&self, function: &'static FnInfo) {
        let entry = std::ptr::from_ref(&function.entry).cast_mut();
        self.entry.store(entry, Ordering::Release);
    }

    /// Code that calls the BIF behind this entry.
    pub fn stub(&self) -> *const u64 {
        self.stub.as_ptr()
    }

    /// Makes calls go to the BIF, if there is one, or else to the error handler.
    pub(super) fn clear(&self) {
        let entry = std::ptr::from_ref(&self.own).cast_mut();
        self.entry.store(entry, Ordering::Release);
    }

    /// Does a loaded function stand behind the entry?
    pub fn is_loaded(&self) -> bool {
        !std::ptr::eq(self.entry(), &self.own)
    }

    /// Can it be called without the error handler?
    pub fn is_callable(&self) -> bool {
        self.is_loaded() || self.bif().is_some()
    }

    /// Is it one of the BIFs that do nothing but raise?
    pub fn raises(&self) -> bool {
        self.raises
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

/// All entries. Read without a lock; made one at a time.
static TABLE: LazyLock<papaya::HashMap<FunctionName, &'static Export, FxBuildHasher>> =
    LazyLock::new(Default::default);
/// Entries by module, for those who load and delete modules.
static BY_MODULE: LazyLock<Mutex<HashMap<Atom, Vec<&'static Export>>>> =
    LazyLock::new(Default::default);

/// Slots of the cache of look-ups.
const CACHE: usize = 1024;
/// What was looked up last, by a hash of the key: calls whose module is known only when they are made find
/// their entry here.
static LAST: [AtomicPtr<Export>; CACHE] = [const { AtomicPtr::new(std::ptr::null_mut()) }; CACHE];

#[inline]
fn slot(name: &FunctionName) -> &'static AtomicPtr<Export> {
    let mixed = name.module.index().wrapping_mul(0x9e37_79b1)
        ^ name.function.index().wrapping_mul(0x85eb_ca6b)
        ^ name.arity.wrapping_mul(0xc2b2_ae35);
    &LAST[(mixed >> 16) as usize % CACHE]
}

/// The entry, if anybody has named it before.
#[inline]
pub fn lookup(module: Atom, function: Atom, arity: u32) -> Option<&'static Export> {
    let name = FunctionName {
        module,
        function,
        arity,
    };
    let slot = slot(&name);
    // SAFETY: only entries, which are never freed, are stored there.
    let last = unsafe { slot.load(Ordering::Acquire).as_ref() };
    if let Some(e) = last
        && e.name == name
    {
        return Some(e);
    }
    let found = TABLE.pin().get(&name).copied()?;
    slot.store(std::ptr::from_ref(found).cast_mut(), Ordering::Release);
    Some(found)
}

/// The entry, made if need be. Entries are never freed.
#[inline]
pub fn get(module: Atom, function: Atom, arity: u32) -> &'static Export {
    match lookup(module, function, arity) {
        Some(e) => e,
        None => make(module, function, arity),
    }
}

/// `error/1,2,3`, `exit/1` and `throw/1`.
fn always_raises(module: Atom, function: Atom, arity: u32) -> bool {
    module == Atom::ERLANG
        && match arity {
            1 => [Atom::ERROR, Atom::EXIT, Atom::THROW].contains(&function),
            2 | 3 => function == Atom::ERROR,
            _ => false,
        }
}

#[cold]
fn make(module: Atom, function: Atom, arity: u32) -> &'static Export {
    let mut by_module = BY_MODULE.lock();
    if let Some(e) = lookup(module, function, arity) {
        return e;
    }
    let name = FunctionName {
        module,
        function,
        arity,
    };
    let e: &'static mut Export = Box::leak(Box::new(Export {
        name,
        entry: AtomicPtr::new(std::ptr::null_mut()),
        bif: AtomicPtr::new(std::ptr::null_mut()),
        own: Entry::new(),
        stub: [0; 2],
        raises: always_raises(module, function, arity),
    }));
    e.stub = [u64::from(ops::EXPORT_STUB), std::ptr::from_ref(e) as u64];
    let e: &'static Export = e;
    e.own.set_code(e.stub());
    e.clear();
    by_module.entry(module).or_default().push(e);
    TABLE.pin().insert(name, e);
    e
}

/// All entries there are now.
pub fn all() -> Vec<&'static Export> {
    TABLE.pin().values().copied().collect()
}

/// All entries of a module.
pub fn of_module(module: Atom) -> Vec<&'static Export> {
    BY_MODULE.lock().get(&module).cloned().unwrap_or_default()
}

/// Bytes that the table and its entries take.
pub fn memory() -> usize {
    TABLE.len() * (size_of::<Export>() + size_of::<(FunctionName, usize)>())
}
