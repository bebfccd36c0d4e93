//! The module `erlang`.

pub mod guard;
pub mod term;
