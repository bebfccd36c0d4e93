//! The module `erlang`.

pub mod convert;
pub mod guard;
pub mod term;
