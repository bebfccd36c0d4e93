//! A loaded library: its entry, and calls of its functions.
//!
//! Calling into a library is sound as far as the library keeps to `erl_nif.h`: addresses of functions come from its own entry or from
//! calls of its own (`enif_schedule_nif`), with the types that are declared there, and the library stays mapped as long as anybody has
//! an `Arc` of it: module versions, processes that are to call it, threads of pools that do, and resource types.

use crate::c::{CText, Ptr, Word};
use crate::driver::entry::CDriverEntry;
use crate::env::{EnvPtr, NifEnv, OwnEnv};
use crate::resource_type;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::{BifResult, Ctx, Exit, Pool, badarg};
use enigma_runtime::code::nif::NativeLibrary;
use enigma_runtime::errands;
use parking_lot::Mutex;
use std::any::Any;
use std::ffi::{CStr, CString, c_int, c_uint, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Once, Weak};

/// A function that stands for one of a module.
pub type NifFn = extern "C" fn(EnvPtr, c_int, Ptr<Word>) -> Word;
/// `load` and `reload`.
pub type LoadFn = extern "C" fn(EnvPtr, Ptr<*mut c_void>, Word) -> c_int;
/// `upgrade`.
pub type UpgradeFn = extern "C" fn(EnvPtr, Ptr<*mut c_void>, Ptr<*mut c_void>, Word) -> c_int;
/// `unload`.
pub type UnloadFn = extern "C" fn(EnvPtr, *mut c_void);
/// What is called at a halt, or by each scheduler when the library goes.
pub type HaltFn = extern "C" fn(*mut c_void);

/// `ErlNifFunc`.
#[repr(C)]
struct CFunction {
    name: CText,
    arity: c_uint,
    function: Option<NifFn>,
    flags: c_uint,
}

/// `ErlNifFunc` of libraries that were compiled for versions before 2.7.
#[repr(C)]
struct OldCFunction {
    name: CText,
    arity: c_uint,
    function: Option<NifFn>,
}

/// `ErlNifEntry`, as far as all versions have it.
#[repr(C)]
struct CEntry {
    major: c_int,
    minor: c_int,
    name: CText,
    count: c_int,
    functions: *const CFunction,
    load: Option<LoadFn>,
    reload: Option<LoadFn>,
    upgrade: Option<UpgradeFn>,
    unload: Option<UnloadFn>,
    /// From 2.1.
    vm_variant: CText,
    /// From 2.7.
    options: c_uint,
    /// From 2.12.
    size_of_resource_type: usize,
    /// From 2.14.
    min_erts: CText,
}

/// A function as a library's entry names it.
pub struct Declared {
    /// Its name.
    pub name: String,
    /// Number of arguments.
    pub arity: u32,
    /// Address.
    pub function: usize,
    /// Where it runs, if not on a scheduler.
    pub pool: Option<Pool>,
}

/// What a library's entry says.
pub struct LibraryEntry {
    /// Version of the interface that it was compiled for.
    pub version: (c_int, c_int),
    /// Name of the module.
    pub name: String,
    /// Its functions, or the one whose flags are none.
    pub functions: Result<Vec<Declared>, String>,
    /// Called when it is loaded for a module that had none.
    pub load: Option<LoadFn>,
    /// Called when the module has an older version with a library.
    pub upgrade: Option<UpgradeFn>,
    unload: Option<UnloadFn>,
    /// The emulator that it was compiled for.
    pub vm_variant: Option<String>,
    /// The least release that it was compiled for.
    pub min_erts: Option<String>,
}

/// What keeps a file mapped.
pub struct Mapped(*mut c_void);

// SAFETY: the handle is a token that any thread may use.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the handle came from `dlopen` and is closed once.
        unsafe { libc::dlclose(self.0) };
    }
}

/// What the system's linker says of its last failure.
pub fn linker_error() -> String {
    // SAFETY: the text is there until this thread's next call of the linker.
    let text = unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            return String::from("unspecified error");
        }
        CStr::from_ptr(text)
    };
    text.to_string_lossy().into_owned()
}

/// Libraries that BEAM is linked with on most systems, so that libraries in C count on them without saying so.
const OF_BEAM: &[&CStr] = &[c"libz.so.1", c"libm.so.6"];

/// Lets libraries find what BEAM would bring.
static BRING: Once = Once::new();

/// Maps the file with this name, to which `.so` is added.
pub fn open(path: &[u8]) -> Result<*mut c_void, String> {
    let file = CString::new([path, b".so"].concat()).map_err(|e| e.to_string())?;
    let map = |file: &CStr, flags| {
        // SAFETY: a library's own initialisation runs here, as on BEAM.
        let handle = unsafe { libc::dlopen(file.as_ptr(), flags) };
        if handle.is_null() {
            return Err(linker_error());
        }
        Ok(handle)
    };
    map(&file, libc::RTLD_NOW).or_else(|why| {
        let mut brought = false;
        BRING.call_once(|| {
            let flags = libc::RTLD_NOW | libc::RTLD_GLOBAL;
            brought = OF_BEAM.iter().filter(|f| map(f, flags).is_ok()).count() > 0;
        });
        if brought {
            map(&file, libc::RTLD_NOW)
        } else {
            Err(why)
        }
    })
}

/// The pool that flags of a function name; nothing where they are no flags.
pub fn pool_of(flags: c_uint) -> Option<Option<Pool>> {
    match flags {
        0 => Some(None),
        1 => Some(Some(Pool::Cpu)),
        2 => Some(Some(Pool::Io)),
        _ => None,
    }
}

/// Why there is no entry.
pub enum NoEntry {
    /// The file cannot be mapped.
    NotMapped(String),
    /// It has no `nif_init`.
    NoInit(String),
    /// `nif_init` gives nothing.
    Nothing,
}

impl Mapped {
    /// Maps a library.
    pub fn open(path: &Path) -> Result<Mapped, NoEntry> {
        open(path.as_os_str().as_bytes())
            .map(Mapped)
            .map_err(NoEntry::NotMapped)
    }

    /// Maps the file with this name, to which `.so` is added; or what the linker says.
    pub fn at(path: &[u8]) -> Result<Mapped, String> {
        open(path).map(Mapped)
    }

    /// The function that gives a driver's entry, if this is a driver.
    pub fn driver_entry(&self) -> Option<extern "C" fn() -> Ptr<CDriverEntry>> {
        // SAFETY: the handle is that of a mapped file; `driver_init` has the type that the macro `DRIVER_INIT` gives it.
        unsafe {
            let init = libc::dlsym(self.0, c"driver_init".as_ptr());
            (!init.is_null()).then(|| std::mem::transmute(init))
        }
    }

    /// What its entry says.
    pub fn entry(&self) -> Result<LibraryEntry, NoEntry> {
        // SAFETY: the handle is that of a mapped file; `nif_init` has the type that the macro `ERL_NIF_INIT` gives it.
        unsafe {
            let init = libc::dlsym(self.0, c"nif_init".as_ptr());
            if init.is_null() {
                return Err(NoEntry::NoInit(linker_error()));
            }
            let init: extern "C" fn() -> *const CEntry = std::mem::transmute(init);
            let entry = init();
            if entry.is_null() {
                return Err(NoEntry::Nothing);
            }
            Ok(read(entry))
        }
    }
}

/// Reads an entry, of which older versions have less.
///
/// # Safety
/// It must be the entry of a library.
unsafe fn read(entry: *const CEntry) -> LibraryEntry {
    // SAFETY: each version has the fields that are read for it.
    unsafe {
        let version = ((*entry).major, (*entry).minor);
        let has = |minor| version >= (2, minor);
        let text = |t: CText| String::from_utf8_lossy(t.bytes()).into_owned();
        let count = usize::try_from((*entry).count).unwrap_or(0);
        let functions = if has(7) {
            let all = Ptr::to((*entry).functions.cast_mut()).slice(count);
            all.iter()
                .map(|f| declared(f.name, f.arity, f.function, f.flags))
                .collect()
        } else {
            let all = Ptr::to((*entry).functions.cast::<OldCFunction>().cast_mut()).slice(count);
            all.iter()
                .map(|f| declared(f.name, f.arity, f.function, 0))
                .collect()
        };
        LibraryEntry {
            version,
            name: text((*entry).name),
            functions,
            load: (*entry).load,
            upgrade: (*entry).upgrade,
            unload: (*entry).unload,
            vm_variant: has(1).then(|| text((*entry).vm_variant)),
            min_erts: has(14).then(|| text((*entry).min_erts)),
        }
    }
}

/// A function of an entry, or its name if its flags are none.
fn declared(
    name: CText,
    arity: c_uint,
    f: Option<NifFn>,
    flags: c_uint,
) -> Result<Declared, String> {
    let name = String::from_utf8_lossy(name.bytes()).into_owned();
    match (pool_of(flags), f) {
        (Some(pool), Some(f)) => Ok(Declared {
            name,
            arity,
            function: f as usize,
            pool,
        }),
        _ => Err(name),
    }
}

/// A library that stands for functions of a module version.
pub struct Library {
    /// Itself.
    me: Weak<Library>,
    /// The module.
    pub module: Atom,
    unload: Option<UnloadFn>,
    /// What the library keeps between its calls.
    pub private: AtomicPtr<c_void>,
    /// What the module's version keeps it loaded with, until that is purged.
    loaded: Mutex<Option<Arc<Loaded>>>,
    /// Called at a halt; 0 where there is none.
    on_halt: AtomicUsize,
    /// Called by each scheduler when the module's version is purged; 0 where there is none.
    on_unload_thread: AtomicUsize,
    /// Does a halt wait for calls that are under way? Then they are counted.
    delays_halt: AtomicBool,
    /// Calls that are under way, if they are counted.
    under_way: AtomicUsize,
    /// Dropped last: everything else may be used by what it maps.
    _mapped: Mapped,
}

impl Library {
    /// A library that is not loaded yet.
    pub fn new(module: Atom, mapped: Mapped, entry: &LibraryEntry) -> Arc<Library> {
        Arc::new_cyclic(|me| Library {
            me: me.clone(),
            module,
            unload: entry.unload,
            private: AtomicPtr::new(std::ptr::null_mut()),
            loaded: Mutex::new(None),
            on_halt: AtomicUsize::new(0),
            on_unload_thread: AtomicUsize::new(0),
            delays_halt: AtomicBool::new(false),
            under_way: AtomicUsize::new(0),
            _mapped: mapped,
        })
    }

    /// The library again, to keep it.
    pub fn keep(&self) -> Option<Arc<Library>> {
        self.me.upgrade()
    }

    /// `load` or `upgrade` has been called and all went well. What is given keeps it loaded.
    pub fn set_loaded(&self) -> Option<Arc<Loaded>> {
        let loaded = Arc::new(Loaded(self.keep()?));
        *self.loaded.lock() = Some(loaded.clone());
        Some(loaded)
    }

    /// Says what is to be called at a halt.
    pub fn set_on_halt(&self, f: HaltFn) -> bool {
        let f = f as usize;
        let set = self
            .on_halt
            .compare_exchange(0, f, Ordering::AcqRel, Ordering::Relaxed);
        set.is_ok()
    }

    /// Says what each scheduler is to call when the module's version is purged.
    pub fn set_on_unload_thread(&self, f: HaltFn) -> bool {
        let set = self.on_unload_thread.compare_exchange(
            0,
            f as usize,
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        set.is_ok()
    }

    /// Has each scheduler call what was to be called then. They keep the library loaded until the last one has.
    fn tell_schedulers(&self, loaded: Option<Arc<Loaded>>) {
        let f = self.on_unload_thread.load(Ordering::Acquire);
        if f == 0 {
            return;
        }
        // SAFETY: `set_on_unload_thread` has stored a function of this type.
        let f: HaltFn = unsafe { std::mem::transmute(f) };
        errands::send(Arc::new(move || {
            if let Some(loaded) = &loaded {
                f(loaded.library().private.load(Ordering::Acquire));
            }
        }));
    }

    /// Lets a halt wait for calls that are under way.
    pub fn set_delays_halt(&self) -> bool {
        !self.delays_halt.swap(true, Ordering::AcqRel)
    }

    /// Calls that a halt waits for.
    pub fn calls_under_way(&self) -> usize {
        self.under_way.load(Ordering::Acquire)
    }

    /// The VM halts.
    pub fn halt(&self) {
        let f = self.on_halt.load(Ordering::Acquire);
        if f != 0 {
            // SAFETY: `set_on_halt` has stored a function of this type.
            let f: HaltFn = unsafe { std::mem::transmute(f) };
            f(self.private.load(Ordering::Acquire));
        }
    }

    /// Calls a function that leaves in another way than by a value, or is counted.
    #[cold]
    fn ended(&self, env: &mut NifEnv, value: Word) -> BifResult {
        if let Some(reason) = env.exception() {
            return Err(Exit::error(reason));
        }
        if env.is_scheduled() {
            return Err(Exit::Scheduled);
        }
        value.get().ok_or_else(badarg)
    }
}

impl NativeLibrary for Library {
    #[inline]
    fn call(&self, cx: &mut Ctx<'_>, function: usize, arity: usize) -> BifResult {
        // SAFETY: see the module's text.
        let f: NifFn = unsafe { std::mem::transmute(function) };
        let counted = self.delays_halt.load(Ordering::Relaxed);
        if counted {
            self.under_way.fetch_add(1, Ordering::AcqRel);
        }
        let mut env = NifEnv::of_call(cx, self);
        let arguments: *mut Term = cx.x.as_mut_ptr();
        let value = f(
            Ptr::to(&raw mut env),
            arity as c_int,
            Ptr::to(arguments.cast()),
        );
        if counted {
            self.under_way.fetch_sub(1, Ordering::AcqRel);
        }
        match value.get() {
            Some(v) if env.is_plain() => Ok(v),
            _ => self.ended(&mut env, value),
        }
    }

    fn unload(&self) {
        let loaded = self.loaded.lock().take();
        resource_type::forget(self);
        self.tell_schedulers(loaded);
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

/// A library that has been loaded, as long as its functions may still be called: its module's version keeps this, and types of
/// resources that have something to call. `unload` is called when the last one gives it up.
pub struct Loaded(Arc<Library>);

impl Loaded {
    /// The library.
    pub fn library(&self) -> &Arc<Library> {
        &self.0
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        let library = &*self.0;
        if let Some(unload) = library.unload {
            let mut env = OwnEnv::new(library);
            unload(env.as_ptr(), library.private.load(Ordering::Acquire));
        }
    }
}
