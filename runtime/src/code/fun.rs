//! Fun entries: what a local fun's word 1 points to. An entry belongs to a module, an index, the
//! hash of the module's code and the number of arguments and of values in the environment, all of which a fun
//! that came from elsewhere may state as it likes. It outlives the code: a fun whose module was purged finds its
//! way to the error handler, and one whose module is loaded again with the same code works again. An entry that no
//! module has ever named goes with the last of its funs.

use super::module::{FnInfo, Module};
use crate::heap::Heap;
use crate::term::fun::FunName;
use crate::term::{Header, Kind, Term};
use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, LazyLock, Weak};

/// What a fun calls.
#[repr(C)]
pub struct FunEntry {
    /// What funs say of it.
    name: FunName,
    /// Function, null while no code is loaded or its module is being purged.
    target: AtomicPtr<FnInfo>,
    /// While the module is being purged: the function that may be gone soon, and may come back.
    pending: AtomicPtr<FnInfo>,
    /// Machine code by which native code calls such funs (see `FnInfo::install_native`); null where there is none.
    enter: AtomicPtr<u8>,
}

/// Where native code finds the machine code that enters a fun, in bytes.
pub const ENTER_AT: usize = std::mem::offset_of!(FunEntry, enter);
/// Where it finds the number of arguments.
pub const ARITY_AT: usize =
    std::mem::offset_of!(FunEntry, name) + std::mem::offset_of!(FunName, arity);

impl std::ops::Deref for FunEntry {
    type Target = FunName;

    fn deref(&self) -> &FunName {
        &self.name
    }
}

/// The entry of a local fun; `t` must be one. The reference holds as long as the fun is not collected.
#[inline(always)]
pub fn of(t: Term) -> &'static FunEntry {
    if !t.is_kind(Kind::Fun) {
        crate::bug::wrong_kind("local fun")
    }
    // SAFETY: word 1 of a `Fun` is the address of an entry, which is never freed or which the fun keeps.
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

    /// Native code enters such funs as their function says now.
    pub(super) fn refresh_enter(&self) {
        loop {
            let f = self.target.load(Ordering::SeqCst);
            // SAFETY: as in `target`.
            let enter =
                unsafe { f.as_ref() }.map_or(std::ptr::null_mut(), |f| f.native.fun_enter());
            self.enter.swap(enter, Ordering::SeqCst);
            // Who has changed the function meanwhile has set this before or after.
            if self.target.load(Ordering::SeqCst) == f {
                return;
            }
        }
    }

    /// The function that may be gone soon.
    pub fn pending(&self) -> Option<&'static FnInfo> {
        // SAFETY: as for `target`.
        unsafe { self.pending.load(Ordering::Acquire).as_ref() }
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
            Ordering::SeqCst,
        );
        self.refresh_enter();
    }
}

/// Who keeps an entry.
enum Kept {
    /// The module that has named it, for ever.
    ForEver(&'static FunEntry),
    /// The funs that were read with its name, while there are any.
    ByFuns(Weak<FunEntry>),
}

/// All entries. Read without a lock; made one at a time.
static TABLE: LazyLock<papaya::HashMap<FunName, Kept, FxBuildHasher>> =
    LazyLock::new(Default::default);
static MAKING: Mutex<()> = Mutex::new(());

impl FunEntry {
    fn new(name: FunName) -> FunEntry {
        FunEntry {
            name,
            target: AtomicPtr::new(std::ptr::null_mut()),
            pending: AtomicPtr::new(std::ptr::null_mut()),
            enter: AtomicPtr::new(std::ptr::null_mut()),
        }
    }
}

impl Drop for FunEntry {
    fn drop(&mut self) {
        // Another entry may have taken the place since the last fun of this one was gone.
        let gone =
            |_: &FunName, kept: &Kept| matches!(kept, Kept::ByFuns(w) if w.strong_count() == 0);
        let _ = TABLE.pin().remove_if(&self.name, gone);
    }
}

/// The entry for a fun of a module's table, made if need be. It is never freed.
pub fn get(name: FunName) -> &'static FunEntry {
    let table = TABLE.pin();
    if let Some(Kept::ForEver(e)) = table.get(&name) {
        return e;
    }
    let _one = MAKING.lock();
    let entry: &'static FunEntry = match table.get(&name) {
        Some(Kept::ForEver(e)) => return e,
        // Funs that were read before the module came lead to it now.
        Some(Kept::ByFuns(w)) if let Some(e) = w.upgrade() => {
            // SAFETY: the count that `into_raw` keeps is never given back, so the entry is not freed.
            unsafe { &*Arc::into_raw(e) }
        }
        _ => Box::leak(Box::new(FunEntry::new(name))),
    };
    table.insert(name, Kept::ForEver(entry));
    entry
}

/// A fun as it was read, with its environment. Where no module has named its entry, the fun keeps the entry: it
/// carries a reference to it behind its environment.
pub fn read(heap: &mut Heap, name: FunName, creator: Term, env: &[Term]) -> Term {
    let table = TABLE.pin();
    if let Some(Kept::ForEver(e)) = table.get(&name) {
        return heap.fun(e, creator, env);
    }
    let one = MAKING.lock();
    let entry = match table.get(&name) {
        Some(Kept::ForEver(e)) => return heap.fun(e, creator, env),
        Some(Kept::ByFuns(w)) => w.upgrade(),
        None => None,
    };
    let entry = entry.unwrap_or_else(|| {
        let entry = Arc::new(FunEntry::new(name));
        table.insert(name, Kept::ByFuns(Arc::downgrade(&entry)));
        entry
    });
    drop(one);
    // SAFETY: the fun that is made of this reference keeps the entry by the last of its words.
    let kept: &'static FunEntry = unsafe { &*Arc::as_ptr(&entry) };
    let keeper = heap.magic_ref(0, entry);
    let mut words = env.to_vec();
    words.push(keeper);
    heap.fun(kept, creator, &words)
}

/// Bytes that the table and its entries take.
pub fn memory() -> usize {
    TABLE.len() * (size_of::<FunEntry>() + size_of::<(FunName, usize)>())
}
