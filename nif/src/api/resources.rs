//! Resources, their types and monitors.

use crate::c::{Bool, CText, Ptr, Word};
use crate::env::EnvPtr;
use crate::monitor::{self, CMonitor, NoMonitor};
use crate::resource::{Object, ObjectPtr, Resource};
use crate::resource_type::{self, CTypeInit, Callbacks, DestructorFn, ResourceType};
use enigma_runtime::Term;
use enigma_runtime::heap::binary::BinaryRef;
use enigma_runtime::heap::bits;
use std::ffi::{c_int, c_void};
use std::sync::Arc;

fn open(
    env: EnvPtr,
    name: CText,
    callbacks: Callbacks,
    flags: c_int,
    tried: Ptr<c_int>,
) -> *const ResourceType {
    let e = env.env();
    let module = e.library().map(|l| l.module);
    let found = match (e.opened(), module, resource_type::atom_of(name)) {
        (Some(opened), Some(module), Some(name)) => opened.open(module, name, callbacks, flags),
        _ => None,
    };
    match found {
        Some((kind, done)) => {
            tried.set(done);
            kind
        }
        None => {
            tried.set(flags);
            std::ptr::null()
        }
    }
}

/// Opens a type with a destructor, while the library is being loaded; the second argument must be null.
#[unsafe(no_mangle)]
pub extern "C" fn enif_open_resource_type(
    env: EnvPtr,
    module: CText,
    name: CText,
    destructor: Option<DestructorFn>,
    flags: c_int,
    tried: Ptr<c_int>,
) -> *const ResourceType {
    if !module.is_null() {
        return std::ptr::null();
    }
    open(
        env,
        name,
        Callbacks::of_destructor(destructor),
        flags,
        tried,
    )
}

/// The same with functions for descriptors and monitors.
#[unsafe(no_mangle)]
pub extern "C" fn enif_open_resource_type_x(
    env: EnvPtr,
    name: CText,
    init: Ptr<CTypeInit>,
    flags: c_int,
    tried: Ptr<c_int>,
) -> *const ResourceType {
    open(env, name, Callbacks::first_of(init), flags, tried)
}

/// The same with as many functions as there are said to be.
#[unsafe(no_mangle)]
pub extern "C" fn enif_init_resource_type(
    env: EnvPtr,
    name: CText,
    init: Ptr<CTypeInit>,
    flags: c_int,
    tried: Ptr<c_int>,
) -> *const ResourceType {
    open(env, name, Callbacks::counted(init), flags, tried)
}

/// A resource of a type with memory for so many bytes, of which the library has a reference.
#[unsafe(no_mangle)]
pub extern "C" fn enif_alloc_resource(kind: Ptr<ResourceType>, size: usize) -> Object {
    let made = resource_type::of_c(kind).and_then(|kind| Resource::new(kind, size));
    made.map_or(std::ptr::null_mut(), Resource::give)
}

/// Gives up a reference.
#[unsafe(no_mangle)]
pub extern "C" fn enif_release_resource(object: Object) {
    Resource::release(object);
}

/// One reference more.
#[unsafe(no_mangle)]
pub extern "C" fn enif_keep_resource(object: Object) {
    if let Some(r) = Resource::keep(object) {
        r.give();
    }
}

/// A term that holds a resource.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_resource(env: EnvPtr, object: Object) -> Word {
    match Resource::keep(object) {
        Some(r) => r.to_term(env.heap()).into(),
        None => Word::NONE,
    }
}

/// A binary of bytes that a resource keeps, which lives as long as the binary does.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_resource_binary(
    env: EnvPtr,
    object: Object,
    data: Ptr<c_void>,
    size: usize,
) -> Word {
    let Some(r) = Resource::keep(object) else {
        return Word::NONE;
    };
    // SAFETY: the library promises that the bytes stay and do not change as long as the resource is there.
    let binary = unsafe { BinaryRef::foreign(data.address().cast(), size, Box::new(r)) };
    let whole = env.heap().shared_binary(binary);
    debug_assert_eq!(bits::bit_size(whole), size * 8);
    whole.into()
}

/// The resource of a type that a term holds.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_resource(
    _: EnvPtr,
    word: Word,
    kind: Ptr<ResourceType>,
    to: ObjectPtr,
) -> Bool {
    let found = word.get().and_then(Resource::of);
    match found.filter(|r| std::ptr::eq(Arc::as_ptr(r.kind()), kind.address())) {
        Some(r) => {
            to.set(r.object());
            1
        }
        None => 0,
    }
}

/// Bytes of memory that a resource was allocated with.
#[unsafe(no_mangle)]
pub extern "C" fn enif_sizeof_resource(object: Object) -> usize {
    Resource::at(object).map_or(0, Resource::size)
}

/// Lets a resource monitor a process: 0, or 1 if there is none, or -1 if the type has nothing to call.
#[unsafe(no_mangle)]
pub extern "C" fn enif_monitor_process(
    _: EnvPtr,
    object: Object,
    pid: Ptr<Word>,
    to: Ptr<CMonitor>,
) -> c_int {
    let Some(r) = Resource::keep(object) else {
        return -1;
    };
    let process = pid.get().and_then(|w| w.get()).and_then(Term::as_local_pid);
    let made = process.ok_or(NoMonitor::NoProcess);
    match made.and_then(|p| monitor::begin(&r, p)) {
        Ok(m) => {
            to.set(m);
            0
        }
        Err(NoMonitor::NoProcess) => 1,
        Err(NoMonitor::NoCallback) => -1,
    }
}

/// Takes a monitor away: 0, or another number if it is none any more.
#[unsafe(no_mangle)]
pub extern "C" fn enif_demonitor_process(_: EnvPtr, object: Object, m: Ptr<CMonitor>) -> c_int {
    let (Some(r), Some(m)) = (Resource::at(object), m.get()) else {
        return 1;
    };
    c_int::from(!monitor::cancel(r, m))
}

/// The order of two monitors: negative, 0 or positive.
#[unsafe(no_mangle)]
pub extern "C" fn enif_compare_monitors(a: Ptr<CMonitor>, b: Ptr<CMonitor>) -> c_int {
    match a.get().cmp(&b.get()) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }
}

/// A term that tells a monitor from others.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_monitor_term(env: EnvPtr, m: Ptr<CMonitor>) -> Word {
    m.get().map_or(Word::NONE, |m| m.to_term(env.heap()).into())
}
