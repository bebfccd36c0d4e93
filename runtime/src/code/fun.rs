//! Fun entries: what a local fun's word 1 points to. An entry belongs to a module, an index, the
//! hash of the module's code and the number of arguments and of values in the environment, all of which a fun
//! that came from elsewhere may state as it likes. It outlives the code: a fun whose module was purged finds its
//! way to the error handler, and one whose module is loaded again with the same code works again.

use super::module::{FnInfo, Module};
use crate::atom::Atom;
use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What a fun calls.
pub struct FunEntry {
    /// Module that defines it.
    pub module: Atom,
    /// Number in the module's table of funs.
    pub index: u32,
    /// The compiler's hash of the fun's code.
    pub old_uniq: u32,
    /// MD5 of the module.
    pub uniq: [u8; 16],
    /// Number of arguments, without the environment.
    pub arity: u32,
    /// Number of values in the environment.
    pub num_free: u32,
    /// Function, null while no code is loaded or its module is being purged.
    target: AtomicPtr<FnInfo>,
    /// While the module is being purged: the function that may be gone soon, and may come back.
    pending: AtomicPtr<FnInfo>,
}

impl FunEntry {
    /// The function to run; none while the module is not loaded, or while it is being purged. The
    /// reference holds for the time slice.
    #[inline(always)]
    pub fn target(&self) -> Option<&'static FnInfo> {
        // SAFETY: a purge clears it, and frees function records when every thread that ran then has ended
        // its time slice.
        unsafe { self.target.load(Ordering::Acquire).as_ref() }
    }

    /// The function that may be gone soon.
    pub fn pending(&self) -> Option<&'static FnInfo> {
        // SAFETY: as for `target`.
        unsafe { self.pending.load(Ordering::Acquire).as_ref() }
    }

    /// The function, whether it can be called now or not.
    pub fn function(&self) -> Option<&'static FnInfo> {
        self.target().or_else(|| self.pending())
    }

    /// Takes the function away for now if it belongs to `m`: callers wait for the end of the purge.
    pub(super) fn suspend(&self, m: &Module) {
        if let Some(f) = self.target()
            && std::ptr::eq(f.module(), m)
        {
            self.pending
                .store(std::ptr::from_ref(f).cast_mut(), Ordering::Release);
            self.set_target(None);
        }
    }

    /// Ends what `suspend` began. A function that was loaded meanwhile is left alone.
    pub(super) fn resume(&self, keep: bool) {
        let f = self.pending();
        if keep && self.target().is_none() {
            self.set_target(f);
        }
        self.pending.store(std::ptr::null_mut(), Ordering::Release);
    }

    /// Sets or clears the function.
    pub fn set_target(&self, f: Option<&'static FnInfo>) {
        self.target.store(
            f.map_or(std::ptr::null_mut(), |f| std::ptr::from_ref(f).cast_mut()),
            Ordering::Release,
        );
    }
}

/// Module, index, the compiler's hash, MD5 of the module, arity, size of the environment.
type Key = (Atom, u32, u32, [u8; 16], u32, u32);

/// All entries. Read without a lock; made one at a time.
static TABLE: LazyLock<papaya::HashMap<Key, &'static FunEntry, FxBuildHasher>> =
    LazyLock::new(Default::default);
static MAKING: Mutex<()> = Mutex::new(());

/// The entry, made if need be. Entries are never freed.
pub fn get(
    module: Atom,
    index: u32,
    old_uniq: u32,
    uniq: [u8; 16],
    arity: u32,
    num_free: u32,
) -> &'static FunEntry {
    let key = (module, index, old_uniq, uniq, arity, num_free);
    if let Some(e) = TABLE.pin().get(&key) {
        return e;
    }
    let _one = MAKING.lock();
    TABLE.pin().get_or_insert_with(key, || {
        Box::leak(Box::new(FunEntry {
            module,
            index,
            old_uniq,
            uniq,
            arity,
            num_free,
            target: AtomicPtr::new(std::ptr::null_mut()),
            pending: AtomicPtr::new(std::ptr::null_mut()),
        }))
    })
}

/// Bytes that the table and its entries take.
pub fn memory() -> usize {
    TABLE.len() * (size_of::<FunEntry>() + size_of::<(Key, usize)>())
}
