//! What makes a function better, one file a pass. Each takes a sound function and leaves a sound one.

pub mod dead;
pub mod finite;
pub mod frames;
pub mod fun_code;
pub mod inline;
pub mod invariants;
pub mod known;
pub mod lists;
pub mod params;
pub mod shortcuts;
pub mod straight;
pub mod stronger;
pub mod unreachable;
pub mod versions;
pub mod words;

use crate::ir::SsaFunction;

/// A pass.
#[derive(Clone, Copy, Debug)]
pub struct SsaPass {
    /// Its name, which is its file's.
    pub name: &'static str,
    /// Does it.
    pub run: fn(&mut SsaFunction),
}

macro_rules! passes {
    ($($name:ident)*) => {
        /// All passes, in the order of their names.
        pub const ALL: &[SsaPass] = &[$(SsaPass { name: stringify!($name), run: $name::run }),*];
    };
}

passes! {
    dead
    finite
    frames
    fun_code
    invariants
    known
    lists
    params
    shortcuts
    straight
    stronger
    unreachable
    versions
    words
}

/// The passes that make a function small that is to stand in the place of calls.
const BEFORE_INLINE: &[&str] = &[
    "unreachable",
    "params",
    "known",
    "stronger",
    "unreachable",
    "dead",
    "straight",
    "frames",
    "dead",
];

/// The passes in the order that serves best.
const ORDER: &[&str] = &[
    "unreachable",
    "lists",
    "params",
    "known",
    "stronger",
    "unreachable",
    "dead",
    "shortcuts",
    "words",
    "versions",
    "finite",
    "invariants",
    "unreachable",
    "straight",
    "frames",
    "fun_code",
    "dead",
];

/// All that makes a function better. `after` is told of each pass.
pub fn optimize(f: &mut SsaFunction, after: impl FnMut(&SsaPass, &SsaFunction)) {
    run_all(ORDER, f, after);
}

/// What makes a function small that is to stand in the place of calls.
pub fn prepare(f: &mut SsaFunction) {
    run_all(BEFORE_INLINE, f, |_, _| ());
}

fn run_all(names: &[&str], f: &mut SsaFunction, mut after: impl FnMut(&SsaPass, &SsaFunction)) {
    let pass = |name: &&str| ALL.iter().find(|p| p.name == *name);
    for pass in names.iter().filter_map(pass) {
        (pass.run)(f);
        after(pass, f);
        if cfg!(debug_assertions)
            && let Err(faults) = crate::ir::verify(f)
        {
            enigma_runtime::bug::vm_bug(&format!("a pass has broken a function: {faults}"));
        }
    }
}
