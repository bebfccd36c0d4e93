//! What a library declares.

use crate::call::{NativeFunction, On};
use crate::env::Host;
use crate::resource::Openable;
use crate::sys::{RawEntry, RawEnv, RawFunction, RawTerm, RawTypeInit};
use crate::term::Term;
use std::any::Any;
use std::ffi::{CString, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// A function of the module.
pub struct Function(RawFunction);

impl Function {
    /// A function that is called by this name, and by which scheduler.
    pub fn new<const N: usize>(name: &str, on: On, function: NativeFunction<N>) -> Function {
        Function(RawFunction {
            name: CString::new(name).unwrap_or_default().into_raw(),
            arity: N as c_uint,
            function: function.entrance(),
            flags: on as c_uint,
        })
    }
}

/// Why a library is not loaded: the number that `erlang:load_nif/2` tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoadError(pub c_int);

/// Numbers for what stops a library from being loaded before it is asked itself.
const TYPE_REFUSED: c_int = -1;
const PANICKED: c_int = -2;

/// What a library is: made by `library!`.
pub trait Library {
    /// The module.
    const MODULE: &str;
    /// Its types of resources.
    const TYPES: &[&dyn Openable];
    /// Its functions.
    fn functions() -> Vec<Function>;
    /// It is loaded with this argument of `erlang:load_nif/2`, the first time or for another version of the module.
    fn load(env: Host<'_>, argument: Term<'_>) -> Result<(), LoadError>;
}

/// The entry of a library, which stays where it is.
#[doc(hidden)]
pub fn entry<L: Library>() -> *const c_void {
    let functions: Vec<RawFunction> = L::functions().into_iter().map(|f| f.0).collect();
    let functions = Vec::leak(functions);
    let entry = RawEntry {
        major: 2,
        minor: 16,
        name: CString::new(L::MODULE).unwrap_or_default().into_raw(),
        count: functions.len() as c_int,
        functions: functions.as_ptr(),
        load: Some(load::<L>),
        reload: None,
        upgrade: Some(upgrade::<L>),
        unload: None,
        variant: c"beam.vanilla".as_ptr(),
        options: 1,
        size_of_type_init: size_of::<RawTypeInit>(),
        min_erts: c"erts-12.0".as_ptr(),
    };
    ptr::from_ref(Box::leak(Box::new(entry))).cast()
}

unsafe extern "C" fn load<L: Library>(
    env: *mut RawEnv,
    _: *mut *mut c_void,
    argument: RawTerm,
) -> c_int {
    let loaded = catch_unwind(|| {
        // SAFETY: the VM calls with an environment for this call.
        let env: Host<'_> = unsafe { Host::new(env) };
        if !L::TYPES.iter().all(|t| t.open(env)) {
            return TYPE_REFUSED;
        }
        match L::load(env, env.term(argument)) {
            Ok(()) => 0,
            Err(LoadError(n)) => n,
        }
    });
    loaded.unwrap_or(PANICKED)
}

unsafe extern "C" fn upgrade<L: Library>(
    env: *mut RawEnv,
    private: *mut *mut c_void,
    _: *mut *mut c_void,
    argument: RawTerm,
) -> c_int {
    // SAFETY: it is called as `load` is.
    unsafe { load::<L>(env, private, argument) }
}

/// Runs what must not unwind into the VM; a panic has told what it has to tell.
pub(crate) fn without_panic(run: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(run));
}

/// What a panic says.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "",
    }
}

/// Declares the library of a module.
///
/// ```ignore
/// enigma_native::library! {
///     module: "words";
///     load: load;
///     types: [COUNTER];
///     functions:
///         "add" / 2 Normal => add;
///         "count" / 1 DirtyCpu => count;
/// }
/// ```
#[macro_export]
macro_rules! library {
    (
        module: $module:literal;
        load: $load:path;
        types: [$($kind:path),* $(,)?];
        functions: $($name:literal / $arity:literal $on:ident => $function:path;)*
    ) => {
        struct NativeLibrary;

        impl $crate::Library for NativeLibrary {
            const MODULE: &str = $module;
            const TYPES: &[&dyn $crate::Openable] = &[$(&$kind),*];

            fn functions() -> ::std::vec::Vec<$crate::Function> {
                ::std::vec![$($crate::Function::new(
                    $name,
                    $crate::On::$on,
                    $crate::native_function!($function, $arity),
                )),*]
            }

            fn load(
                env: $crate::Host<'_>,
                argument: $crate::Term<'_>,
            ) -> ::std::result::Result<(), $crate::LoadError> {
                $load(env, argument)
            }
        }

        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub extern "C" fn nif_init() -> *const ::std::ffi::c_void {
            $crate::library::entry::<NativeLibrary>()
        }
    };
}
