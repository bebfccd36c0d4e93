//! Mutexes, condition variables, locks for reading and writing: those of the system, with names.

use crate::c::{CText, Ptr};
use std::cell::UnsafeCell;
use std::ffi::{CString, c_char, c_int};

/// A lock of the system with a name. It is made once, stays where it is, and is freed when nobody uses it: that is the library's part.
pub struct NamedLock<T> {
    lock: UnsafeCell<T>,
    name: CString,
}

impl<T> NamedLock<T> {
    fn make(lock: T, name: CText) -> *mut NamedLock<T> {
        Box::into_raw(Box::new(NamedLock {
            lock: UnsafeCell::new(lock),
            name: name.c_str().map(CString::from).unwrap_or_default(),
        }))
    }

    fn address(&self) -> *mut T {
        self.lock.get()
    }

    fn name(p: Ptr<NamedLock<T>>) -> *mut c_char {
        p.get()
            .map_or(std::ptr::null_mut(), |n| n.name.as_ptr().cast_mut())
    }

    fn free(p: Ptr<NamedLock<T>>, end: unsafe extern "C" fn(*mut T) -> c_int) {
        if let Some(n) = p.get() {
            // SAFETY: `make` has made it, and the library frees it once, when nobody uses it.
            unsafe {
                end(n.address());
                drop(Box::from_raw(p.address()));
            }
        }
    }
}

macro_rules! operations {
    ($lock:ty: $($(#[$doc:meta])* $name:ident $system:ident $(-> $result:ty)?;)*) => {
        $(
            $(#[$doc])*
            #[unsafe(no_mangle)]
            pub extern "C" fn $name(p: Ptr<NamedLock<$lock>>) $(-> $result)? {
                // SAFETY: the lock is there as long as the library has not freed it.
                let done = p.get().map_or(libc::EINVAL, |n| unsafe { libc::$system(n.address()) });
                operations!(@end done $($result)?)
            }
        )*
    };
    (@end $done:ident) => { debug_assert_eq!($done, 0) };
    (@end $done:ident $result:ty) => { $done };
}

/// A mutex.
#[unsafe(no_mangle)]
pub extern "C" fn enif_mutex_create(name: CText) -> *mut NamedLock<libc::pthread_mutex_t> {
    NamedLock::make(libc::PTHREAD_MUTEX_INITIALIZER, name)
}

/// Frees a mutex.
#[unsafe(no_mangle)]
pub extern "C" fn enif_mutex_destroy(p: Ptr<NamedLock<libc::pthread_mutex_t>>) {
    NamedLock::free(p, libc::pthread_mutex_destroy);
}

/// The name.
#[unsafe(no_mangle)]
pub extern "C" fn enif_mutex_name(p: Ptr<NamedLock<libc::pthread_mutex_t>>) -> *mut c_char {
    NamedLock::name(p)
}

operations! { libc::pthread_mutex_t:
    /// Waits for a mutex.
    enif_mutex_lock pthread_mutex_lock;
    /// Takes a mutex if nobody has it: 0, or `EBUSY`.
    enif_mutex_trylock pthread_mutex_trylock -> c_int;
    /// Gives a mutex back.
    enif_mutex_unlock pthread_mutex_unlock;
}

/// A condition variable.
#[unsafe(no_mangle)]
pub extern "C" fn enif_cond_create(name: CText) -> *mut NamedLock<libc::pthread_cond_t> {
    NamedLock::make(libc::PTHREAD_COND_INITIALIZER, name)
}

/// Frees a condition variable.
#[unsafe(no_mangle)]
pub extern "C" fn enif_cond_destroy(p: Ptr<NamedLock<libc::pthread_cond_t>>) {
    NamedLock::free(p, libc::pthread_cond_destroy);
}

/// The name.
#[unsafe(no_mangle)]
pub extern "C" fn enif_cond_name(p: Ptr<NamedLock<libc::pthread_cond_t>>) -> *mut c_char {
    NamedLock::name(p)
}

operations! { libc::pthread_cond_t:
    /// Wakes one who waits.
    enif_cond_signal pthread_cond_signal;
    /// Wakes all who wait.
    enif_cond_broadcast pthread_cond_broadcast;
}

/// Gives the mutex back and waits.
#[unsafe(no_mangle)]
pub extern "C" fn enif_cond_wait(
    p: Ptr<NamedLock<libc::pthread_cond_t>>,
    mutex: Ptr<NamedLock<libc::pthread_mutex_t>>,
) {
    if let (Some(c), Some(m)) = (p.get(), mutex.get()) {
        // SAFETY: both are there as long as the library has not freed them.
        unsafe { libc::pthread_cond_wait(c.address(), m.address()) };
    }
}

/// A lock for reading and writing.
#[unsafe(no_mangle)]
pub extern "C" fn enif_rwlock_create(name: CText) -> *mut NamedLock<libc::pthread_rwlock_t> {
    NamedLock::make(libc::PTHREAD_RWLOCK_INITIALIZER, name)
}

/// Frees such a lock.
#[unsafe(no_mangle)]
pub extern "C" fn enif_rwlock_destroy(p: Ptr<NamedLock<libc::pthread_rwlock_t>>) {
    NamedLock::free(p, libc::pthread_rwlock_destroy);
}

/// The name.
#[unsafe(no_mangle)]
pub extern "C" fn enif_rwlock_name(p: Ptr<NamedLock<libc::pthread_rwlock_t>>) -> *mut c_char {
    NamedLock::name(p)
}

operations! { libc::pthread_rwlock_t:
    /// Waits until it may read.
    enif_rwlock_rlock pthread_rwlock_rdlock;
    /// Reads if that is possible at once: 0, or `EBUSY`.
    enif_rwlock_tryrlock pthread_rwlock_tryrdlock -> c_int;
    /// Has read.
    enif_rwlock_runlock pthread_rwlock_unlock;
    /// Waits until it may write.
    enif_rwlock_rwlock pthread_rwlock_wrlock;
    /// Writes if that is possible at once: 0, or `EBUSY`.
    enif_rwlock_tryrwlock pthread_rwlock_trywrlock -> c_int;
    /// Has written.
    enif_rwlock_rwunlock pthread_rwlock_unlock;
}
