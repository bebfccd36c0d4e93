//! The functions of the interface, as `erl_nif.h` declares them and OTP's documentation of `erl_nif` describes them.

pub mod atoms;
pub mod binaries;
pub mod calls;
pub mod dynamic;
pub mod environments;
pub mod formats;
pub mod io_queues;
pub mod io_vectors;
pub mod kinds;
pub mod lists;
pub mod locks;
pub mod maps;
pub mod numbers;
pub mod processes;
pub mod resources;
pub mod select;
pub mod system;
pub mod texts;
pub mod threads;
pub mod time;
pub mod tuples;
