//! Random Erlang modules, run on BEAM and in each tier of Enigma and compared.
//!
//! A seed gives a module (`module.rs`), as a tree (`tree.rs`) that can be printed and made smaller (`reduce.rs`).
//! Its functions are mostly well-typed: an expression is made for a wanted [`Category`], from the variables in reach;
//! now and then one of another sort takes its place, so that errors are raised and caught. What a module computes
//! does not depend on the machine: no identifiers, no addresses, no order of large maps.
//!
//! [`Category`]: tree::Category

pub mod batch;
pub mod reduce;
pub mod tree;

mod binaries;
mod containers;
mod control;
mod expression;
mod functions;
mod literals;
mod loops;
mod module;
mod numbers;
mod random;
mod scope;

pub use module::{RandomModule, module};
