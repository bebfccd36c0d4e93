//! The module `erlang`.

pub mod guard;
