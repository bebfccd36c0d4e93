//! Replaces parameters of loops that are the same in each turn by what they are.
//!
//! It is `params` over jumps that begin the function anew as well, and comes late: before it, all that a function takes is a
//! parameter of its loop, so that `versions` chooses for each how it is represented.

use super::params::replace;
use crate::ir::SsaFunction;

/// Does it.
pub fn run(f: &mut SsaFunction) {
    replace(f, true);
}
