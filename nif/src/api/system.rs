//! The VM and the operating system: memory, versions, the environment, other libraries, options.

use crate::c::{CText, Ptr};
use crate::env::EnvPtr;
use crate::library::{self, HaltFn};
use crate::load;
use enigma_bifs::os;
use enigma_bifs::system::facts::facts;
use enigma_runtime::sched;
use std::ffi::{CString, c_char, c_int, c_void};
use std::sync::LazyLock;

/// Memory of so many bytes, or null.
#[unsafe(no_mangle)]
pub extern "C" fn enif_alloc(size: usize) -> *mut c_void {
    // SAFETY: no conditions.
    unsafe { libc::malloc(size) }
}

/// The same bytes in memory of another size.
#[unsafe(no_mangle)]
pub extern "C" fn enif_realloc(p: Ptr<c_void>, size: usize) -> *mut c_void {
    // SAFETY: memory of `enif_alloc`, or null.
    unsafe { libc::realloc(p.address(), size) }
}

/// Frees memory.
#[unsafe(no_mangle)]
pub extern "C" fn enif_free(p: Ptr<c_void>) {
    // SAFETY: memory of `enif_alloc`, or null.
    unsafe { libc::free(p.address()) };
}

/// `ErlNifSysInfo`.
#[repr(C)]
pub struct CSystemInfo {
    driver_major_version: c_int,
    driver_minor_version: c_int,
    erts_version: *const c_char,
    otp_release: *const c_char,
    thread_support: c_int,
    smp_support: c_int,
    async_threads: c_int,
    scheduler_threads: c_int,
    nif_major_version: c_int,
    nif_minor_version: c_int,
    dirty_scheduler_support: c_int,
}

/// The version of the emulator and the release, as C takes them.
static VERSIONS: LazyLock<(CString, CString)> = LazyLock::new(|| {
    let f = facts();
    let text = |t: &str| CString::new(t).unwrap_or_default();
    (text(&f.erts_version), text(&f.otp_release))
});

/// Tells about the VM, as much as there is room for.
#[unsafe(no_mangle)]
pub extern "C" fn enif_system_info(to: Ptr<u8>, size: usize) {
    let (nif_major_version, nif_minor_version) = load::version();
    let info = CSystemInfo {
        driver_major_version: 3,
        driver_minor_version: 3,
        erts_version: VERSIONS.0.as_ptr(),
        otp_release: VERSIONS.1.as_ptr(),
        thread_support: 1,
        smp_support: 1,
        async_threads: facts().async_threads as c_int,
        scheduler_threads: sched::count() as c_int,
        nif_major_version,
        nif_minor_version,
        dirty_scheduler_support: 1,
    };
    let bytes = Ptr::to((&raw const info).cast::<u8>().cast_mut()).slice(size_of::<CSystemInfo>());
    to.copy_from(&bytes[..size.min(bytes.len())]);
}

/// Writes the value of a variable and a zero byte: 0, or 1 if there is not enough room (`size` becomes what is needed), or -1 if there is
/// no such variable.
#[unsafe(no_mangle)]
pub extern "C" fn enif_getenv(key: CText, to: Ptr<u8>, size: Ptr<usize>) -> c_int {
    let Some(mut value) = os::variable(&String::from_utf8_lossy(key.bytes())) else {
        return -1;
    };
    value.push(0);
    let room = size.get().copied().unwrap_or(0);
    if value.len() > room {
        size.set(value.len());
        return 1;
    }
    to.copy_from(&value);
    size.set(value.len() - 1);
    0
}

/// Told what went wrong.
type ErrorFn = extern "C" fn(*mut c_void, *const c_char);

fn tell(handler: Option<ErrorFn>, argument: *mut c_void, why: String) {
    if let (Some(handler), Ok(text)) = (handler, CString::new(why)) {
        handler(argument, text.as_ptr());
    }
}

/// Maps a library, to whose name `.so` is added; without a name it is the program itself.
#[unsafe(no_mangle)]
pub extern "C" fn enif_dlopen(
    name: CText,
    handler: Option<ErrorFn>,
    argument: *mut c_void,
) -> *mut c_void {
    if name.is_null() {
        // SAFETY: no conditions.
        return unsafe { libc::dlopen(std::ptr::null(), libc::RTLD_NOW) };
    }
    match library::open(name.bytes()) {
        Ok(handle) => handle,
        Err(why) => {
            tell(handler, argument, why);
            std::ptr::null_mut()
        }
    }
}

/// The address of something in a mapped library.
#[unsafe(no_mangle)]
pub extern "C" fn enif_dlsym(
    handle: Ptr<c_void>,
    symbol: CText,
    handler: Option<ErrorFn>,
    argument: *mut c_void,
) -> *mut c_void {
    let Some(symbol) = symbol.c_str() else {
        return std::ptr::null_mut();
    };
    // SAFETY: the handle is one of `enif_dlopen`.
    let address = unsafe { libc::dlsym(handle.address(), symbol.as_ptr()) };
    if address.is_null() {
        tell(handler, argument, library::linker_error());
    }
    address
}

/// `enif_set_option`: 0, or the system's error.
#[unsafe(no_mangle)]
pub extern "C" fn enigma_nif_option(env: EnvPtr, option: c_int, argument: Option<HaltFn>) -> c_int {
    let e = env.env();
    if e.opened().is_none() {
        return libc::EINVAL;
    }
    let Some(library) = e.library() else {
        return libc::EINVAL;
    };
    let done = match (option, argument) {
        (1, _) => library.set_delays_halt(),
        (2, Some(f)) => library.set_on_halt(f),
        (3, Some(f)) => library.set_on_unload_thread(f),
        _ => false,
    };
    if done { 0 } else { libc::EINVAL }
}
