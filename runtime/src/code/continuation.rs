//! Places inside functions at which native code goes on: where calls return to, where `receive` looks at messages, and what
//! follows the handlers of exceptions.
//!
//! A process that is given up by native code, because it waits or its slice is over, goes on in the interpreter. A place at which that
//! happens often gets code of its own, which begins there.

use super::module::FnInfo;
use super::native::{self, NativeMode};
use parking_lot::Mutex;
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// A place.
pub struct Continuation {
    /// The function that it belongs to.
    pub function: &'static FnInfo,
    /// Its offset in the function's bytecode, in words.
    pub offset: u32,
    /// How often it is still to be passed until native code is asked for.
    pub(crate) passes_left: AtomicU32,
    native: AtomicPtr<u8>,
}

impl Continuation {
    /// The address of its machine code, or null.
    #[inline(always)]
    pub fn native(&self) -> *const u8 {
        self.native.load(Ordering::Acquire)
    }

    /// How often it has been passed since native code was asked for.
    fn passes_since(&self) -> u32 {
        u32::MAX - self.passes_left.load(Ordering::Relaxed)
    }

    /// It has been passed as often as was to be counted: asks for native code, once.
    pub(crate) fn passed(&self) {
        self.passes_left.store(u32::MAX, Ordering::Relaxed);
        native::request(self.function, Some(self.offset));
    }
}

impl fmt::Debug for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{}", self.function, self.offset)
    }
}

/// Those of a function, by their offsets. They stay where they are as long as the function's bytecode.
pub struct Continuations {
    /// How often each one is to be passed until native code is asked for.
    passes: u32,
    all: Mutex<BTreeMap<u32, Kept>>,
}

struct Kept {
    continuation: Box<Continuation>,
    /// Keeps the memory of its code.
    code: Option<Box<dyn Any + Send + Sync>>,
}

impl Continuations {
    /// Of a function of so many instructions: none yet.
    pub fn of(instructions: usize) -> Continuations {
        let passes = match native::mode() {
            NativeMode::Tiered(calls) => native::calls_to_count(calls, instructions),
            NativeMode::Off | NativeMode::Always => 0,
        };
        Continuations {
            passes,
            all: Mutex::default(),
        }
    }

    /// The address of the continuation at an offset, which is made if there is none.
    pub fn at(&self, function: &'static FnInfo, offset: u32) -> *const Continuation {
        let mut all = self.all.lock();
        let kept = all.entry(offset).or_insert_with(|| Kept {
            continuation: Box::new(Continuation {
                function,
                offset,
                passes_left: AtomicU32::new(self.passes),
                native: AtomicPtr::default(),
            }),
            code: None,
        });
        std::ptr::from_ref(&*kept.continuation)
    }

    /// How often the one at an offset has been passed since native code was asked for.
    pub fn passes_since(&self, offset: u32) -> u32 {
        let all = self.all.lock();
        all.get(&offset)
            .map_or(0, |k| k.continuation.passes_since())
    }

    /// Has the one at an offset native code?
    pub fn has_native(&self, offset: u32) -> bool {
        self.all
            .lock()
            .get(&offset)
            .is_some_and(|k| k.code.is_some())
    }

    /// Puts native code of so many bytes in place for the one at an offset, if there is one without. `code` is dropped with
    /// the function.
    ///
    /// `address` must be that of code for this place, made for the conventions in `interp::native`.
    pub fn install(
        &self,
        offset: u32,
        address: *const u8,
        bytes: usize,
        code: Box<dyn Any + Send + Sync>,
    ) {
        if let Some(kept) = self.all.lock().get_mut(&offset)
            && kept.code.is_none()
        {
            kept.code = Some(code);
            kept.continuation.function.module().count(bytes);
            let native = &kept.continuation.native;
            native.store(address.cast_mut(), Ordering::Release);
        }
    }
}
