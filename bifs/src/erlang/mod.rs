//! The modules `erlang` and `erts_internal`.

pub mod bitstring;
pub mod calendar;
pub mod code;
pub mod convert;
pub mod digest;
pub mod display;
pub mod etf;
pub mod guard;
pub mod iolist;
pub mod list;
pub mod message;
pub mod process;
pub mod purge;
pub mod raise;
pub mod relations;
pub mod spawn;
pub mod system_task;
pub mod term;
pub mod time;
