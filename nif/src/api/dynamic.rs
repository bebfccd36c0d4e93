//! Calls of one library by another, by way of a resource.

use crate::c::{Bool, Word};
use crate::env::EnvPtr;
use crate::resource::Resource;
use crate::resource_type;
use enigma_runtime::Term;
use std::ffi::c_void;
use std::sync::Arc;

/// Calls what the library of a type has for that, with a resource of the type: 0, or 1 if that is not possible.
#[unsafe(no_mangle)]
pub extern "C" fn enif_dynamic_resource_call(
    env: EnvPtr,
    module: Word,
    name: Word,
    word: Word,
    data: *mut c_void,
) -> Bool {
    let atom = |w: Word| w.get().and_then(Term::as_atom);
    let kind = match (atom(module), atom(name)) {
        (Some(m), Some(n)) => resource_type::find(m, n),
        _ => None,
    };
    let (Some(kind), Some(r)) = (kind, word.get().and_then(Resource::of)) else {
        return 1;
    };
    if !Arc::ptr_eq(&kind, r.kind()) {
        return 1;
    }
    let (callbacks, _library) = kind.callbacks();
    match callbacks.dynamic {
        Some(call) => {
            call(env, r.object(), data);
            0
        }
        None => 1,
    }
}
