//! The one place that reads arguments and environment and wires the other crates together.

pub mod args;
pub mod env;
