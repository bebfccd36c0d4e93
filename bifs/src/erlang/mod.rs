//! The modules `erlang` and `erts_internal`.

pub mod code;
pub mod message;
pub mod process;
pub mod raise;
pub mod relations;
pub mod spawn;
pub mod time;
pub mod guard;
