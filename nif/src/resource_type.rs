//! Types of resources: their names, and what libraries want to be called for them.
//!
//! A type has a name in a module. A library opens types while it is loaded, and what it opens counts when it has been loaded: new types
//! get their name, and those that it takes over from the library before it call its functions from then on. When a module's version is
//! purged the names go that its library owns; a type itself, and with it the library, stays as long as there are resources of it.

use crate::c::{CText, Ptr};
use crate::env::EnvPtr;
use crate::library::{Library, Loaded};
use enigma_runtime::atom::Atom;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::sync::{Arc, LazyLock, Weak};

/// Ends a resource.
pub type DestructorFn = extern "C" fn(EnvPtr, *mut c_void);
/// Nobody uses a descriptor any more that was given to `enif_select`.
pub type StopFn = extern "C" fn(EnvPtr, *mut c_void, c_int, c_int);
/// A process is gone that a resource monitors: its pid and the monitor.
pub type DownFn = extern "C" fn(EnvPtr, *mut c_void, *mut c_void, *mut c_void);
/// `enif_dynamic_resource_call`.
pub type DynamicFn = extern "C" fn(EnvPtr, *mut c_void, *mut c_void);

/// `ErlNifResourceTypeInit`.
#[repr(C)]
pub struct CTypeInit {
    destructor: Option<DestructorFn>,
    stop: Option<StopFn>,
    down: Option<DownFn>,
    /// How many of the fields there are, in libraries that were compiled for 2.16 and later.
    members: c_int,
    dynamic: Option<DynamicFn>,
}

/// What a library wants to be called for.
#[derive(Clone, Copy, Default)]
pub struct Callbacks {
    /// A resource ends.
    pub destructor: Option<DestructorFn>,
    /// A descriptor is not used any more.
    pub stop: Option<StopFn>,
    /// A process is gone that is monitored.
    pub down: Option<DownFn>,
    /// A call by another library.
    pub dynamic: Option<DynamicFn>,
}

impl Callbacks {
    /// Is there nothing to call?
    fn is_empty(&self) -> bool {
        self.destructor.is_none()
            && self.stop.is_none()
            && self.down.is_none()
            && self.dynamic.is_none()
    }

    /// A destructor alone.
    pub fn of_destructor(destructor: Option<DestructorFn>) -> Callbacks {
        Callbacks {
            destructor,
            ..Callbacks::default()
        }
    }

    /// The first three functions of a record of C, which has no others.
    pub fn first_of(init: Ptr<CTypeInit>) -> Callbacks {
        // Libraries that were compiled for older versions have a record that ends there, so the rest is not touched.
        let [destructor, stop, down] = *Ptr::to(init.address().cast::<[usize; 3]>())
            .get()
            .unwrap_or(&[0; 3]);
        // SAFETY: these are the first three fields of the record.
        unsafe {
            Callbacks {
                destructor: std::mem::transmute::<usize, Option<DestructorFn>>(destructor),
                stop: std::mem::transmute::<usize, Option<StopFn>>(stop),
                down: std::mem::transmute::<usize, Option<DownFn>>(down),
                dynamic: None,
            }
        }
    }

    /// As many functions of a record of C as it says that it has.
    pub fn counted(init: Ptr<CTypeInit>) -> Callbacks {
        let Some(init) = init.get() else {
            return Callbacks::default();
        };
        let has = |n| init.members >= n;
        Callbacks {
            destructor: init.destructor.filter(|_| has(1)),
            stop: init.stop.filter(|_| has(2)),
            down: init.down.filter(|_| has(3)),
            dynamic: init.dynamic.filter(|_| has(4)),
        }
    }
}

/// The library that has opened a type: one that has something to call stays loaded for it.
#[derive(Clone)]
enum Owner {
    Called(Arc<Loaded>),
    Named(Weak<Library>),
}

/// What a type is now.
#[derive(Clone, Default)]
struct Kept {
    callbacks: Callbacks,
    /// The library whose functions they are; none while it is being loaded.
    owner: Option<Owner>,
}

/// A type of resources.
pub struct ResourceType {
    module: Atom,
    name: Atom,
    kept: RwLock<Kept>,
}

impl ResourceType {
    /// What to call, and what keeps it there meanwhile.
    pub fn callbacks(&self) -> (Callbacks, Option<Arc<Loaded>>) {
        let kept = self.kept.read();
        let owner = match &kept.owner {
            Some(Owner::Called(l)) => Some(l.clone()),
            _ => None,
        };
        (kept.callbacks, owner)
    }
}

/// Types by module and name.
type Types = HashMap<(Atom, Atom), Arc<ResourceType>>;

static TYPES: LazyLock<Mutex<Types>> = LazyLock::new(Mutex::default);

/// The type with this name.
pub fn find(module: Atom, name: Atom) -> Option<Arc<ResourceType>> {
    TYPES.lock().get(&(module, name)).cloned()
}

/// Types that are being opened.
#[derive(Default)]
pub struct OpenedTypes(Vec<(Arc<ResourceType>, Callbacks)>);

/// Bits of `ErlNifResourceFlags`.
pub const CREATE: c_int = 1;
/// See `CREATE`.
pub const TAKEOVER: c_int = 2;

impl OpenedTypes {
    /// Opens a type as the flags say; with what was done.
    pub fn open(
        &mut self,
        module: Atom,
        name: Atom,
        callbacks: Callbacks,
        flags: c_int,
    ) -> Option<(*const ResourceType, c_int)> {
        let found = find(module, name);
        let (kind, done) = match found {
            Some(kind) if flags & TAKEOVER != 0 => (kind, TAKEOVER),
            None if flags & CREATE != 0 => {
                let kept = Kept {
                    callbacks,
                    owner: None,
                };
                let kind = Arc::new(ResourceType {
                    module,
                    name,
                    kept: RwLock::new(kept),
                });
                (kind, CREATE)
            }
            _ => return None,
        };
        let address = Arc::as_ptr(&kind);
        self.0.push((kind, callbacks));
        Some((address, done))
    }

    /// The library has been loaded: what it has opened is its own.
    pub fn commit(self, loaded: &Arc<Loaded>) {
        for (kind, callbacks) in self.0 {
            let owner = if callbacks.is_empty() {
                Owner::Named(Arc::downgrade(loaded.library()))
            } else {
                Owner::Called(loaded.clone())
            };
            let kept = Kept {
                callbacks,
                owner: Some(owner),
            };
            // Dropped with no lock held: it may be the last one that keeps another library loaded.
            let before = std::mem::replace(&mut *kind.kept.write(), kept);
            drop(before);
            TYPES.lock().insert((kind.module, kind.name), kind);
        }
    }
}

/// The module's version with this library is being purged.
pub fn forget(library: &Library) {
    let mut gone = Vec::new();
    TYPES.lock().retain(|_, kind| {
        let is_own = match &kind.kept.read().owner {
            Some(Owner::Called(l)) => std::ptr::eq(&**l.library(), library),
            Some(Owner::Named(l)) => std::ptr::eq(l.as_ptr(), library),
            None => false,
        };
        if is_own {
            gone.push(kind.clone());
        }
        !is_own
    });
    // Dropped with no lock held: the last reference to a library unmaps it.
    drop(gone);
}

/// The type that C names by its address, kept from here on.
pub fn of_c(p: Ptr<ResourceType>) -> Option<Arc<ResourceType>> {
    p.get()?;
    // SAFETY: a library has the address from `OpenedTypes::open`, and may use it as long as the type is its own, so whoever holds
    // the type for it (`OpenedTypes`, the table, or a resource) still does.
    unsafe {
        Arc::increment_strong_count(p.address());
        Some(Arc::from_raw(p.address()))
    }
}

/// A name of C as an atom; nothing where it is none.
pub fn atom_of(name: CText) -> Option<Atom> {
    Atom::try_new(&name.latin1()).ok()
}
