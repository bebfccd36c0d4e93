//! Resources: values of Rust that Erlang holds by references.

use crate::env::{Env, Host};
use crate::library::without_panic;
use crate::process::Pid;
use crate::sys::{self, RawEnv, RawMonitor, RawPid, RawType, RawTypeInit};
use crate::term::{BadTerm, Term};
use std::ffi::{CString, c_int, c_void};
use std::marker::PhantomData;
use std::ops::Deref;
use std::os::fd::RawFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

/// What a resource's value is. Its functions are called by the VM, on any of its threads.
pub trait Resource: Send + Sync + Sized + 'static {
    /// Nobody holds it any more.
    fn destroyed(self, env: Host<'_>) {
        let _ = env;
    }

    /// A process that it monitors has ended.
    fn down(&self, env: Host<'_>, pid: Pid, monitor: Monitor) {
        let _ = (env, pid, monitor);
    }

    /// The VM lets go of a descriptor that it was to stop waiting for, so that it may be closed.
    fn stop(&self, env: Host<'_>, descriptor: RawFd) {
        let _ = (env, descriptor);
    }
}

/// A type of resources: a static that is listed where the library is declared.
pub struct ResourceType<T> {
    name: &'static str,
    raw: AtomicPtr<RawType>,
    values: PhantomData<fn() -> T>,
}

impl<T: Resource> ResourceType<T> {
    const FITS: () = assert!(
        align_of::<T>() <= align_of::<u64>(),
        "the VM aligns resources to eight bytes: put the value into a Box"
    );

    /// A type of this name.
    pub const fn new(name: &'static str) -> ResourceType<T> {
        let () = Self::FITS;
        ResourceType {
            name,
            raw: AtomicPtr::new(ptr::null_mut()),
            values: PhantomData,
        }
    }

    /// A resource with this value. Panics if the type is not listed.
    pub fn make(&self, value: T) -> Shared<T> {
        let kind = self.raw.load(Ordering::Acquire);
        assert!(!kind.is_null(), "the type {} is not listed", self.name);
        // SAFETY: the type is one of this VM.
        let object = unsafe { sys::enif_alloc_resource(kind, size_of::<T>()) };
        let object = NonNull::new(object.cast::<T>()).expect("memory for a resource");
        // SAFETY: there is room for the value, at an address that suits it (`FITS`), and nobody else knows it.
        unsafe { object.write(value) };
        Shared(object)
    }

    /// The resource that a term holds, if it is one of this type.
    pub fn get(&self, term: Term<'_>) -> Result<Shared<T>, BadTerm> {
        let kind = self.raw.load(Ordering::Acquire);
        let mut object = ptr::null_mut();
        // SAFETY: the term is one of this environment; there is a place for the address.
        let is = !kind.is_null()
            && unsafe { sys::enif_get_resource(term.env.raw(), term.raw, kind, &mut object) != 0 };
        let object = NonNull::new(object.cast::<T>())
            .filter(|_| is)
            .ok_or(BadTerm)?;
        // SAFETY: the term holds it, so it is there; from now on this does, too.
        unsafe { sys::enif_keep_resource(object.as_ptr().cast()) };
        Ok(Shared(object))
    }
}

/// A type that can be made known to the VM.
pub trait Openable: Sync {
    /// Makes it known; `false` if the VM refuses. Only for what a library's declaration stands for.
    #[doc(hidden)]
    fn open(&self, env: Host<'_>) -> bool;
}

impl<T: Resource> Openable for ResourceType<T> {
    fn open(&self, env: Host<'_>) -> bool {
        let init = RawTypeInit {
            destroy: Some(destroy::<T>),
            stop: Some(stop::<T>),
            down: Some(down::<T>),
            members: 3,
            call: None,
        };
        // Another library's type of that name, or that of another build of this one, holds values of other types. So the name has
        // the address of this one: it is taken over only where the same code is loaded for another version of the module.
        let name = format!("{}@{:x}", self.name, ptr::from_ref(self).addr());
        let name = CString::new(name).unwrap_or_default();
        // SAFETY: the environment is one of the library's being loaded; the functions take what the VM gives to these.
        let raw = unsafe {
            sys::enif_init_resource_type(
                env.raw(),
                name.as_ptr(),
                &init,
                sys::CREATE_OR_TAKE_OVER,
                ptr::null_mut(),
            )
        };
        self.raw.store(raw, Ordering::Release);
        !raw.is_null()
    }
}

unsafe extern "C" fn destroy<T: Resource>(env: *mut RawEnv, object: *mut c_void) {
    without_panic(|| {
        // SAFETY: the value is of the type that it was made with, and nobody else will see it.
        let value = unsafe { object.cast::<T>().read() };
        // SAFETY: the VM calls with an environment for this call.
        value.destroyed(unsafe { Host::new(env) });
    });
}

unsafe extern "C" fn down<T: Resource>(
    env: *mut RawEnv,
    object: *mut c_void,
    pid: *mut RawPid,
    monitor: *mut RawMonitor,
) {
    without_panic(|| {
        // SAFETY: the value is of the type that it was made with, and there during this call.
        let value = unsafe { &*object.cast::<T>() };
        // SAFETY: the VM calls with an environment for this call, a pid and a monitor.
        let (env, pid, monitor) = unsafe { (Host::new(env), Pid::read(pid), Monitor(*monitor)) };
        value.down(env, pid, monitor);
    });
}

unsafe extern "C" fn stop<T: Resource>(
    env: *mut RawEnv,
    object: *mut c_void,
    descriptor: c_int,
    _: c_int,
) {
    without_panic(|| {
        // SAFETY: the value is of the type that it was made with, and there during this call.
        let value = unsafe { &*object.cast::<T>() };
        // SAFETY: the VM calls with an environment for this call.
        value.stop(unsafe { Host::new(env) }, descriptor);
    });
}

/// Holds a resource.
pub struct Shared<T: Resource>(NonNull<T>);

// SAFETY: all that others can do with it is to look at the value, from any thread, and the last one to let go has it destroyed on
// any thread: `Resource` asks for `Send` and `Sync`.
unsafe impl<T: Resource> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Resource> Sync for Shared<T> {}

impl<T: Resource> Shared<T> {
    pub(crate) fn object(&self) -> *mut c_void {
        self.0.as_ptr().cast()
    }

    /// A reference that holds it.
    pub fn term<'e>(&self, env: Env<'e>) -> Term<'e> {
        // SAFETY: the environment is valid, and the resource there.
        env.term(unsafe { sys::enif_make_resource(env.raw(), self.object()) })
    }

    /// A binary of bytes that the value has, which are not copied: the binary holds the resource.
    pub fn binary<'e>(
        &self,
        env: Env<'e>,
        bytes: impl for<'t> FnOnce(&'t T) -> &'t [u8],
    ) -> Term<'e> {
        let bytes = bytes(self);
        // SAFETY: the environment is valid. The bytes are there unchanged as long as the value is, which is only ever shared before
        // it is destroyed.
        env.term(unsafe {
            sys::enif_make_resource_binary(
                env.raw(),
                self.object(),
                bytes.as_ptr().cast(),
                bytes.len(),
            )
        })
    }

    /// Has `Resource::down` called when the process ends; nothing if it has ended.
    pub fn monitor(&self, env: Host<'_>, pid: Pid) -> Option<Monitor> {
        let mut raw = RawMonitor {
            data: [0; size_of::<RawMonitor>()],
        };
        // SAFETY: the environment is valid, the resource there, and of a type with that function; there is a place for the monitor.
        let made = unsafe {
            sys::enif_monitor_process(env.raw(), self.object(), pid.raw(), &mut raw) == 0
        };
        made.then_some(Monitor(raw))
    }

    /// Takes a monitor back; `false` if it is none any more.
    pub fn demonitor(&self, env: Host<'_>, monitor: Monitor) -> bool {
        // SAFETY: the environment is valid, and the resource there; a monitor of another resource is refused.
        unsafe { sys::enif_demonitor_process(env.raw(), self.object(), &monitor.0) == 0 }
    }
}

impl<T: Resource> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the value is there as long as somebody holds the resource.
        unsafe { self.0.as_ref() }
    }
}

impl<T: Resource> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        // SAFETY: the resource is there.
        unsafe { sys::enif_keep_resource(self.object()) };
        Shared(self.0)
    }
}

impl<T: Resource> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: this has held it, and does no more.
        unsafe { sys::enif_release_resource(self.object()) };
    }
}

/// A monitor of a resource.
#[derive(Clone, Copy)]
pub struct Monitor(RawMonitor);

impl Monitor {
    /// A term that tells it from others.
    pub fn term(self, env: Env<'_>) -> Term<'_> {
        // SAFETY: the environment is valid.
        env.term(unsafe { sys::enif_make_monitor_term(env.raw(), &self.0) })
    }
}

impl PartialEq for Monitor {
    fn eq(&self, other: &Monitor) -> bool {
        // SAFETY: a plain function of two monitors.
        unsafe { sys::enif_compare_monitors(&self.0, &other.0) == 0 }
    }
}

impl Eq for Monitor {}
