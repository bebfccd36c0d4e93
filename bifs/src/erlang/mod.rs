//! The module `erlang`.

pub mod convert;
pub mod display;
pub mod guard;
pub mod term;
