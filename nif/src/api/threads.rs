//! Threads of libraries, and what each keeps for itself.

use crate::c::{Bool, CText, Ptr};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CString, c_char, c_int, c_void};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI32, Ordering};

/// What `ErlNifTid` leads to.
pub struct Thread {
    id: libc::pthread_t,
    name: CString,
}

/// `ErlNifThreadOpts`.
#[repr(C)]
pub struct ThreadOptions {
    /// Stack in thousands of words; negative for the usual one.
    suggested_stack_size: c_int,
}

/// Records of threads that have one, by the system's number.
static THREADS: LazyLock<Mutex<HashMap<libc::pthread_t, usize>>> = LazyLock::new(Mutex::default);

/// What a thread runs.
pub type ThreadFn = extern "C" fn(*mut c_void) -> *mut c_void;

/// ThreadOptions of their usual values.
#[unsafe(no_mangle)]
pub extern "C" fn enif_thread_opts_create(_: CText) -> *mut ThreadOptions {
    Box::into_raw(Box::new(ThreadOptions {
        suggested_stack_size: -1,
    }))
}

/// Frees options.
#[unsafe(no_mangle)]
pub extern "C" fn enif_thread_opts_destroy(options: Ptr<ThreadOptions>) {
    if !options.address().is_null() {
        // SAFETY: `enif_thread_opts_create` has made them, and the library frees them once.
        drop(unsafe { Box::from_raw(options.address()) });
    }
}

/// Bytes of the least stack that a thread gets.
const LEAST_STACK: usize = 64 << 10;

/// Starts a thread: 0, or the system's error.
#[unsafe(no_mangle)]
pub extern "C" fn enif_thread_create(
    name: CText,
    to: Ptr<*mut Thread>,
    function: Option<ThreadFn>,
    argument: Ptr<c_void>,
    options: Ptr<ThreadOptions>,
) -> c_int {
    let Some(function) = function else {
        return libc::EINVAL;
    };
    let words = options.get().map_or(-1, |o| o.suggested_stack_size);
    let name = name.c_str().map(CString::from).unwrap_or_default();
    let _loosened = enigma_runtime::sched::bind::loosened();
    // Nobody finds the thread before it has its record.
    let mut threads = THREADS.lock();
    let mut id: libc::pthread_t = 0;
    // SAFETY: the attributes live as long as they are used; the function and its argument are the library's.
    let error = unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        libc::pthread_attr_init(&raw mut attributes);
        if let Ok(words) = usize::try_from(words) {
            let bytes = (words * 1024 * 8).max(LEAST_STACK);
            libc::pthread_attr_setstacksize(&raw mut attributes, bytes);
        }
        let error = libc::pthread_create(
            &raw mut id,
            &raw const attributes,
            function,
            argument.address(),
        );
        libc::pthread_attr_destroy(&raw mut attributes);
        error
    };
    if error == 0 {
        let shown = CString::new(&name.as_bytes()[..name.as_bytes().len().min(15)]);
        if let Ok(shown) = shown {
            // SAFETY: the thread is there until it is joined.
            unsafe { libc::pthread_setname_np(id, shown.as_ptr()) };
        }
        let record = Box::into_raw(Box::new(Thread { id, name }));
        threads.insert(id, record as usize);
        to.set(record);
    }
    error
}

/// The record of this thread; one that the VM has started gets one here, for good.
#[unsafe(no_mangle)]
pub extern "C" fn enif_thread_self() -> *mut Thread {
    // SAFETY: no conditions.
    let id = unsafe { libc::pthread_self() };
    let mut threads = THREADS.lock();
    let new = || {
        let name = CString::default();
        Box::into_raw(Box::new(Thread { id, name })) as usize
    };
    *threads.entry(id).or_insert_with(new) as *mut Thread
}

/// Are both the same thread?
#[unsafe(no_mangle)]
pub extern "C" fn enif_equal_tids(a: Ptr<Thread>, b: Ptr<Thread>) -> Bool {
    Bool::from(a.address() == b.address())
}

/// The name that a thread was started with.
#[unsafe(no_mangle)]
pub extern "C" fn enif_thread_name(thread: Ptr<Thread>) -> *mut c_char {
    thread
        .get()
        .map_or(std::ptr::null_mut(), |t| t.name.as_ptr().cast_mut())
}

/// Waits until a thread has ended, and frees its record: 0, or the system's error.
#[unsafe(no_mangle)]
pub extern "C" fn enif_thread_join(thread: Ptr<Thread>, result: Ptr<*mut c_void>) -> c_int {
    let Some(t) = thread.get() else {
        return libc::ESRCH;
    };
    let mut value = std::ptr::null_mut();
    // SAFETY: a thread that was started by the library, which joins it once.
    let error = unsafe { libc::pthread_join(t.id, &raw mut value) };
    if error == 0 {
        let mut threads = THREADS.lock();
        if threads.get(&t.id) == Some(&(thread.address() as usize)) {
            threads.remove(&t.id);
        }
        drop(threads);
        // SAFETY: `enif_thread_create` has made it, and nobody uses it after the join.
        drop(unsafe { Box::from_raw(thread.address()) });
        result.set(value);
    }
    error
}

/// The next key. The system has few keys, and libraries may want many; a key is never used again.
static NEXT_KEY: AtomicI32 = AtomicI32::new(0);

thread_local! {
    /// What this thread keeps, by key.
    static KEPT: RefCell<HashMap<c_int, *mut c_void>> = RefCell::default();
}

/// A key by which each thread keeps something of its own: 0, or the system's error.
#[unsafe(no_mangle)]
pub extern "C" fn enif_tsd_key_create(_: CText, to: Ptr<c_int>) -> c_int {
    let next = NEXT_KEY.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_add(1));
    match next {
        Ok(key) => {
            to.set(key);
            0
        }
        Err(_) => libc::EAGAIN,
    }
}

/// Gives a key back.
#[unsafe(no_mangle)]
pub extern "C" fn enif_tsd_key_destroy(key: c_int) {
    enif_tsd_set(key, std::ptr::null_mut());
}

/// Keeps something for this thread.
#[unsafe(no_mangle)]
pub extern "C" fn enif_tsd_set(key: c_int, data: *mut c_void) {
    // A thread that is ending keeps nothing any more.
    let _ = KEPT.try_with(|kept| match data.is_null() {
        true => kept.borrow_mut().remove(&key),
        false => kept.borrow_mut().insert(key, data),
    });
}

/// What this thread has kept, or null.
#[unsafe(no_mangle)]
pub extern "C" fn enif_tsd_get(key: c_int) -> *mut c_void {
    let kept = KEPT.try_with(|kept| kept.borrow().get(&key).copied());
    kept.ok().flatten().unwrap_or(std::ptr::null_mut())
}
