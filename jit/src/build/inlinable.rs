//! Functions as those that may stand in the place of calls, remembered: a small function of a module is called by several.

use crate::ir::{Callee, Op, SsaFunction};
use crate::passes;
use crate::passes::inline::Inlinable;
use enigma_runtime::code::module::{FnInfo, Module};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// Bytes of code in a file above which a function is not looked at as one that may stand in the place of calls.
const SMALL: u32 = 200;
/// So many are remembered at most.
const MOST_KNOWN: usize = 256;

/// What has been found out about functions.
#[derive(Default)]
pub struct Inlinables(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// By the address of a function's record.
    found: FxHashMap<usize, Option<Inlinable>>,
    /// How many modules had been freed when something was remembered first. A record may lie where another one has been.
    freed: u64,
}

impl Inlinables {
    /// A function of a module as one that may stand in the place of calls of it, if it is small and calls of it always lead to it.
    /// `in_itself`: of calls in the function itself. For who is inside a passage, or holds the module otherwise.
    pub fn find(&self, module: &'static Module, n: u32, in_itself: bool) -> Option<Inlinable> {
        let f = &module.functions[n as usize];
        let range = &module.file.functions[n as usize].range;
        if range.end - range.start > SMALL || f.may_be_replaced() {
            return None;
        }
        if in_itself {
            return make(f, true);
        }
        let record = std::ptr::from_ref(f) as usize;
        let freed = enigma_runtime::code::module::freed();
        let mut known = self.0.lock();
        if known.freed != freed || known.found.len() >= MOST_KNOWN {
            known.found.clear();
            known.freed = freed;
        }
        let found = known.found.entry(record).or_insert_with(|| make(f, false));
        found.clone()
    }

    /// Forgets all.
    pub fn forget(&self) {
        self.0.lock().found = FxHashMap::default();
    }
}

fn make(f: &'static FnInfo, in_itself: bool) -> Option<Inlinable> {
    let body = f.bytecode();
    if body.has_handlers() {
        return None;
    }
    let words = body.code.len();
    let mut function = super::function(f, None).ok()?;
    if in_itself {
        call_to_begin_anew(&mut function);
    }
    passes::prepare(&mut function);
    Inlinable::of(function, words)
}

/// A function as it has been built calls itself where it would begin anew.
fn call_to_begin_anew(f: &mut SsaFunction) {
    for inst in &mut f.insts {
        if let Op::Again(_) = inst.op {
            inst.op = Op::TailCall(Callee::This, 0);
        }
    }
}
