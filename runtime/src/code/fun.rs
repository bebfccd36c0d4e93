//! Fun entries: what a local fun's word 1 points to. An entry belongs to a module, an index, the
//! hash of the module's code and the number of arguments and of values in the environment, all of which a fun
//! that came from elsewhere may state as it likes. It outlives the code: a fun whose module was purged finds its
//! way to the error handler, and one whose module is loaded again with the same code works again.

use super::module::{FnInfo, Module};
use crate::heap::Heap;
use crate::term::fun::FunName;
use crate::term::{Header, Kind, Term};
use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What a fun calls.
#[repr(C)]
pub struct FunEntry {
    /// What funs say of it.
    name: FunName,
    /// Function, null while no code is loaded or its module is being purged.
    target: AtomicPtr<FnInfo>,
    /// While the module is being purged: the function that may be gone soon, and may come back.
    pending: AtomicPtr<FnInfo>,
}

impl std::ops::Deref for FunEntry {
    type Target = FunName;

    fn deref(&self) -> &FunName {
        &self.name
    }
}

/// The entry of a local fun; `t` must be one.
#[inline(always)]
pub fn of(t: Term) -> &'static FunEntry {
    debug_assert!(t.is_kind(Kind::Fun));
    // SAFETY: word 1 of a `Fun` is the address of an entry, which is never freed.
    unsafe { &*(t.word(1) as *const FunEntry) }
}

impl Heap {
    /// A fun of `entry` with its environment.
    pub fn fun(&mut self, entry: &'static FunEntry, creator: Term, env: &[Term]) -> Term {
        let p = self.alloc(3 + env.len());
        // SAFETY: that many fresh words.
        unsafe {
            *p = Header::new(Kind::Fun, 2 + env.len()).0;
            *p.add(1) = std::ptr::from_ref(entry) as u64;
            *p.add(2) = creator.raw();
            std::ptr::copy_nonoverlapping(env.as_ptr().cast(), p.add(3), env.len());
        }
        Term::boxed_at(p)
    }
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

/// All entries. Read without a lock; made one at a time.
static TABLE: LazyLock<papaya::HashMap<FunName, &'static FunEntry, FxBuildHasher>> =
    LazyLock::new(Default::default);
static MAKING: Mutex<()> = Mutex::new(());

/// The entry, made if need be. Entries are never freed.
pub fn get(name: FunName) -> &'static FunEntry {
    if let Some(e) = TABLE.pin().get(&name) {
        return e;
    }
    let _one = MAKING.lock();
    TABLE.pin().get_or_insert_with(name, || {
        Box::leak(Box::new(FunEntry {
            name,
            target: AtomicPtr::new(std::ptr::null_mut()),
            pending: AtomicPtr::new(std::ptr::null_mut()),
        }))
    })
}

/// Bytes that the table and its entries take.
pub fn memory() -> usize {
    TABLE.len() * (size_of::<FunEntry>() + size_of::<(FunName, usize)>())
}
