//! What a fun says of its function: the first part of the entries that funs point to (`code::fun`,
//! `code::export`), which is all that comparing, hashing, printing and encoding need to know.

use super::{Kind, Term};
use crate::atom::Atom;

/// A fun of a module, by which its code is found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(C)]
pub struct FunName {
    /// Module that defines it.
    pub module: Atom,
    /// Number in the module's table of funs.
    pub index: u32,
    /// The compiler's hash of the fun's code.
    pub old_uniq: u32,
    /// MD5 of the module.
    pub uniq: [u8; 16],
    /// Number of arguments, without the environment.
    pub arity: u32,
    /// Number of values in the environment.
    pub num_free: u32,
}

/// Module, function and arity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(C)]
pub struct FunctionName {
    /// Module.
    pub module: Atom,
    /// Function.
    pub function: Atom,
    /// Number of arguments.
    pub arity: u32,
}

/// What a local fun says of itself; `t` must be one.
#[inline(always)]
pub fn fun_name(t: Term) -> &'static FunName {
    if !t.is_kind(Kind::Fun) {
        crate::bug::wrong_kind("local fun")
    }
    // SAFETY: word 1 of a `Fun` is the address of an entry, which begins with its name and is never freed.
    unsafe { &*(t.word(1) as *const FunName) }
}

/// The function that an external fun names; `t` must be one.
#[inline(always)]
pub fn function_name(t: Term) -> &'static FunctionName {
    if !t.is_kind(Kind::Export) {
        crate::bug::wrong_kind("external fun")
    }
    // SAFETY: word 1 of an `Export` is the address of an entry, which begins with its name and is never freed.
    unsafe { &*(t.word(1) as *const FunctionName) }
}
