//! The module `erts_debug`: what tests and debugging tools ask of the emulator.

pub mod connections;
pub mod dirty;
pub mod nodes;
pub mod relations;
pub mod set_state;
pub mod state;
pub mod terms;
