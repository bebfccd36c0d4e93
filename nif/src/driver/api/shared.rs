//! What drivers have in common with other native libraries, and what is no part of a port: locks, threads, time, the environment.

use crate::api::locks::{self, NamedLock};
use crate::api::system::CSystemInfo;
use crate::api::threads::{self, Thread, ThreadFn, ThreadOptions};
use crate::api::{system, time};
use crate::c::{Bool, CText, Ptr};
use crate::library;
use enigma_bifs::erlang::time as bifs;
use enigma_bifs::{errno, os};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CString, c_char, c_int, c_ulong, c_void};
use std::sync::LazyLock;

type Mutex = Ptr<NamedLock<libc::pthread_mutex_t>>;
type Cond = Ptr<NamedLock<libc::pthread_cond_t>>;
type RwLock = Ptr<NamedLock<libc::pthread_rwlock_t>>;

macro_rules! same {
    ($($name:ident = $module:ident::$other:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $(
            #[doc = concat!("As `", stringify!($other), "`.")]
            #[unsafe(no_mangle)]
            pub extern "C" fn $name($($arg: $type),*) $(-> $result)? {
                $module::$other($($arg),*)
            }
        )*
    };
}

same! {
    erl_drv_mutex_create = locks::enif_mutex_create(name: CText) -> *mut NamedLock<libc::pthread_mutex_t>;
    erl_drv_mutex_destroy = locks::enif_mutex_destroy(m: Mutex);
    erl_drv_mutex_name = locks::enif_mutex_name(m: Mutex) -> *mut c_char;
    erl_drv_mutex_lock = locks::enif_mutex_lock(m: Mutex);
    erl_drv_mutex_trylock = locks::enif_mutex_trylock(m: Mutex) -> c_int;
    erl_drv_mutex_unlock = locks::enif_mutex_unlock(m: Mutex);
    erl_drv_cond_create = locks::enif_cond_create(name: CText) -> *mut NamedLock<libc::pthread_cond_t>;
    erl_drv_cond_destroy = locks::enif_cond_destroy(c: Cond);
    erl_drv_cond_name = locks::enif_cond_name(c: Cond) -> *mut c_char;
    erl_drv_cond_signal = locks::enif_cond_signal(c: Cond);
    erl_drv_cond_broadcast = locks::enif_cond_broadcast(c: Cond);
    erl_drv_cond_wait = locks::enif_cond_wait(c: Cond, m: Mutex);
    erl_drv_rwlock_create = locks::enif_rwlock_create(name: CText) -> *mut NamedLock<libc::pthread_rwlock_t>;
    erl_drv_rwlock_destroy = locks::enif_rwlock_destroy(l: RwLock);
    erl_drv_rwlock_name = locks::enif_rwlock_name(l: RwLock) -> *mut c_char;
    erl_drv_rwlock_rlock = locks::enif_rwlock_rlock(l: RwLock);
    erl_drv_rwlock_tryrlock = locks::enif_rwlock_tryrlock(l: RwLock) -> c_int;
    erl_drv_rwlock_runlock = locks::enif_rwlock_runlock(l: RwLock);
    erl_drv_rwlock_rwlock = locks::enif_rwlock_rwlock(l: RwLock);
    erl_drv_rwlock_tryrwlock = locks::enif_rwlock_tryrwlock(l: RwLock) -> c_int;
    erl_drv_rwlock_rwunlock = locks::enif_rwlock_rwunlock(l: RwLock);
    erl_drv_thread_opts_create = threads::enif_thread_opts_create(name: CText) -> *mut ThreadOptions;
    erl_drv_thread_opts_destroy = threads::enif_thread_opts_destroy(o: Ptr<ThreadOptions>);
    erl_drv_thread_create = threads::enif_thread_create(name: CText, to: Ptr<*mut Thread>, f: Option<ThreadFn>, a: Ptr<c_void>, o: Ptr<ThreadOptions>) -> c_int;
    erl_drv_thread_self = threads::enif_thread_self() -> *mut Thread;
    erl_drv_equal_tids = threads::enif_equal_tids(a: Ptr<Thread>, b: Ptr<Thread>) -> Bool;
    erl_drv_thread_name = threads::enif_thread_name(t: Ptr<Thread>) -> *mut c_char;
    erl_drv_thread_join = threads::enif_thread_join(t: Ptr<Thread>, result: Ptr<*mut c_void>) -> c_int;
    erl_drv_tsd_key_create = threads::enif_tsd_key_create(name: CText, to: Ptr<c_int>) -> c_int;
    erl_drv_tsd_key_destroy = threads::enif_tsd_key_destroy(key: c_int);
    erl_drv_tsd_set = threads::enif_tsd_set(key: c_int, data: *mut c_void);
    erl_drv_tsd_get = threads::enif_tsd_get(key: c_int) -> *mut c_void;
    erl_drv_monotonic_time = time::enif_monotonic_time(unit: c_int) -> i64;
    erl_drv_time_offset = time::enif_time_offset(unit: c_int) -> i64;
    erl_drv_convert_time_unit = time::enif_convert_time_unit(value: i64, from: c_int, to: c_int) -> i64;
    erl_drv_getenv = system::enif_getenv(key: CText, to: Ptr<u8>, size: Ptr<usize>) -> c_int;
}

/// `ErlDrvNowData`.
#[repr(C)]
pub struct CNow {
    mega: c_ulong,
    seconds: c_ulong,
    micros: c_ulong,
}

/// `erlang:now/0`.
#[unsafe(no_mangle)]
pub extern "C" fn driver_get_now(to: Ptr<CNow>) -> c_int {
    let micros = bifs::unique_now() as c_ulong;
    to.set(CNow {
        mega: micros / 1_000_000_000_000,
        seconds: micros / 1_000_000 % 1_000_000,
        micros: micros % 1_000_000,
    });
    0
}

/// Sets a variable of the environment that Erlang sees.
#[unsafe(no_mangle)]
pub extern "C" fn erl_drv_putenv(key: CText, value: CText) -> c_int {
    os::set_variable(key.bytes().to_vec(), value.bytes().to_vec());
    0
}

/// Tells about the VM, as much as there is room for.
#[unsafe(no_mangle)]
pub extern "C" fn driver_system_info(to: Ptr<u8>, size: usize) {
    // A driver that knows less of the record takes less.
    system::enif_system_info(to, size.min(size_of::<CSystemInfo>()));
}

/// Texts that were handed out, which stay.
static TEXTS: LazyLock<parking_lot::Mutex<HashMap<String, CString>>> =
    LazyLock::new(Default::default);

/// A text that stays.
fn lasting(text: &str) -> *mut c_char {
    let mut all = TEXTS.lock();
    let c = all
        .entry(text.to_string())
        .or_insert_with(|| CString::new(text).unwrap_or_default());
    c.as_ptr().cast_mut()
}

/// The name of an error of the system.
#[unsafe(no_mangle)]
pub extern "C" fn erl_errno_id(code: c_int) -> *mut c_char {
    lasting(errno::name(code))
}

/// Nothing.
#[unsafe(no_mangle)]
pub extern "C" fn null_func() -> c_int {
    0
}

thread_local! {
    /// What the linker has said last.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Maps a library.
#[unsafe(no_mangle)]
pub extern "C" fn driver_dl_open(name: CText) -> *mut c_void {
    // SAFETY: a library's own initialisation runs here, as on BEAM; the text ends with a zero, or is null: the program itself.
    let handle = unsafe {
        let name = name
            .c_str()
            .map_or(std::ptr::null(), std::ffi::CStr::as_ptr);
        libc::dlopen(name, libc::RTLD_NOW)
    };
    note(handle.is_null());
    handle
}

fn note(failed: bool) {
    SAID.set(failed.then(library::linker_error));
}

/// The address of something in a mapped library.
#[unsafe(no_mangle)]
pub extern "C" fn driver_dl_sym(handle: Ptr<c_void>, symbol: CText) -> *mut c_void {
    let Some(symbol) = symbol.c_str() else {
        return std::ptr::null_mut();
    };
    // SAFETY: the handle is one of `driver_dl_open`.
    let address = unsafe { libc::dlsym(handle.address(), symbol.as_ptr()) };
    note(address.is_null());
    address
}

/// Gives a library back.
#[unsafe(no_mangle)]
pub extern "C" fn driver_dl_close(handle: Ptr<c_void>) -> c_int {
    // SAFETY: the handle is one of `driver_dl_open`, which the driver closes once.
    let result = unsafe { libc::dlclose(handle.address()) };
    note(result != 0);
    result
}

/// What was wrong with the last call, or null.
#[unsafe(no_mangle)]
pub extern "C" fn driver_dl_error() -> *mut c_char {
    SAID.take().map_or(std::ptr::null_mut(), |t| lasting(&t))
}
