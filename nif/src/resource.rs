//! Resources: memory of a library behind a reference.
//!
//! ```text
//! reference (MagicRef) ---+
//! reference ... ----------+--> Arc<Resource> ---> block: [address of the Resource][0][what the library keeps ...]
//! the library (keep) -----+                                                          ^ what C calls `obj`
//! ```
//!
//! C knows a resource by the address of its own part; the word two words before leads back. References of Erlang, environments and
//! the library itself share the count of the `Arc`; whoever drops the last one runs the destructor, on whichever thread that is,
//! during a collection too. A destructor is called for no process, so it touches no process's heap.
//!
//! Sound as far as libraries keep to `erl_nif.h`: an `obj` is one that `enif_alloc_resource` has given, of which the caller has a
//! reference.

use crate::c::Ptr;
use crate::env::OwnEnv;
use crate::monitor;
use crate::resource_type::ResourceType;
use enigma_runtime::heap::bits;
use enigma_runtime::heap::magic::{self, Magic};
use enigma_runtime::{Heap, Term, reference};
use parking_lot::Mutex;
use std::alloc::{Layout, alloc, dealloc};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// See the module's text.
pub struct Resource {
    kind: Arc<ResourceType>,
    /// Number of the references that hold it.
    pub number: u64,
    /// Bytes that the library keeps.
    size: usize,
    block: NonNull<u64>,
    /// Packed pids of the processes that it monitors, by the numbers of the monitors' references.
    pub monitors: Mutex<BTreeMap<u64, u64>>,
    /// Does the destructor run, or has it?
    is_ending: AtomicBool,
}

// SAFETY: what the library keeps is its own affair on whichever thread it is called; the rest is atomic or behind locks.
unsafe impl Send for Resource {}
// SAFETY: as above.
unsafe impl Sync for Resource {}

/// Words in front of what the library keeps, which so begins where any type may.
const HEAD: usize = 2;

fn layout(size: usize) -> Layout {
    let bytes = size.saturating_add(HEAD * 8);
    Layout::from_size_align(bytes, 16).unwrap_or(Layout::new::<[u128; 1]>())
}

impl Resource {
    /// A resource of a type with memory for so many bytes. Nothing if there is not so much.
    pub fn new(kind: Arc<ResourceType>, size: usize) -> Option<Arc<Resource>> {
        if size > isize::MAX as usize - 64 {
            return None;
        }
        // SAFETY: the size is not zero.
        let block = NonNull::new(unsafe { alloc(layout(size)) }.cast::<u64>())?;
        let resource = Arc::new(Resource {
            kind,
            number: reference::fresh(),
            size,
            block,
            monitors: Mutex::default(),
            is_ending: AtomicBool::new(false),
        });
        // SAFETY: fresh memory that is as long at least.
        unsafe {
            block.write(Arc::as_ptr(&resource) as u64);
            block.add(1).write(0);
        }
        Some(resource)
    }

    /// Lets the numbers of its references lead to it, where only these are kept.
    pub fn note(self: &Arc<Self>) {
        let magic: Magic = self.clone();
        magic::note_written(self.number, &magic);
    }

    /// What C calls it by.
    pub fn object(&self) -> *mut c_void {
        self.block.as_ptr().wrapping_add(HEAD).cast()
    }

    /// The resource that C calls by this address.
    fn address_of(object: *mut c_void) -> Option<*const Resource> {
        if object.is_null() {
            return None;
        }
        // SAFETY: see the module's text.
        Some(unsafe { *object.cast::<u64>().sub(HEAD) } as *const Resource)
    }

    /// Looks at the resource that C calls by this address.
    pub fn at<'a>(object: *mut c_void) -> Option<&'a Resource> {
        // SAFETY: the caller in C has a reference.
        Some(unsafe { &*Resource::address_of(object)? })
    }

    /// One more reference to the resource that C calls by this address. Nothing if its destructor runs.
    pub fn keep(object: *mut c_void) -> Option<Arc<Resource>> {
        let p = Resource::address_of(object)?;
        // SAFETY: the caller in C has a reference, or the destructor runs, in which case nothing is counted.
        unsafe {
            if (*p).is_ending.load(Ordering::Acquire) {
                return None;
            }
            Arc::increment_strong_count(p);
            Some(Arc::from_raw(p))
        }
    }

    /// Gives a reference to C.
    pub fn give(self: Arc<Self>) -> *mut c_void {
        let object = self.object();
        std::mem::forget(self);
        object
    }

    /// C gives up a reference.
    pub fn release(object: *mut c_void) {
        if let Some(p) = Resource::address_of(object) {
            // SAFETY: the caller in C has a reference and gives it up.
            unsafe {
                if !(*p).is_ending.load(Ordering::Acquire) {
                    drop(Arc::from_raw(p));
                }
            }
        }
    }

    /// The type.
    pub fn kind(&self) -> &Arc<ResourceType> {
        &self.kind
    }

    /// Bytes that the library keeps.
    pub fn size(&self) -> usize {
        self.size
    }

    /// A reference that holds it.
    pub fn to_term(self: Arc<Self>, heap: &mut Heap) -> Term {
        let number = self.number;
        let magic: Magic = self;
        heap.magic_ref(number, magic)
    }

    /// The resource that a reference holds, or a binary that a resource keeps.
    pub fn of<'a>(t: Term) -> Option<&'a Resource> {
        if let Some(magic) = t.as_magic() {
            return magic.downcast_ref();
        }
        if !t.is_binary() {
            return None;
        }
        let keeps = bits::owner(bits::view(t).base)?;
        Some(keeps.downcast_ref::<Arc<Resource>>()?)
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        self.is_ending.store(true, Ordering::Release);
        monitor::end(self);
        let (callbacks, library) = self.kind.callbacks();
        if let Some(destructor) = callbacks.destructor {
            let library = library
                .as_ref()
                .map_or(std::ptr::null(), |l| Arc::as_ptr(l.library()));
            let mut env = OwnEnv::new(library);
            destructor(env.as_ptr(), self.object());
        }
        // SAFETY: made in `new` with this layout.
        unsafe { dealloc(self.block.as_ptr().cast(), layout(self.size)) };
    }
}

/// What C calls a resource by.
pub type Object = *mut c_void;

/// The address of a resource for C to write to.
pub type ObjectPtr = Ptr<Object>;
