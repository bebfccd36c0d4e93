//! The terminal that the VM was started on: its modes, its size, what its type can do, how wide characters are.
//!
//! One module for the two ways by which OTP talks to a terminal: the port driver `tty_sl` (25) and the native
//! functions of `prim_tty` (26 and later).

pub mod capabilities;
mod descriptor;
pub mod expand;
pub mod guard;
pub mod initial;
pub mod input;
pub mod locale;
pub mod modes;
mod output;
pub mod terminfo;

pub use descriptor::{is_terminal, wait, wait_unless, window_size};
pub use output::write_all;
