//! Terms, memory, processes, scheduling, code tables and the bytecode interpreter.
//!
//! Everything that Erlang code can name but that is no part of its execution (BIFs, ports, NIF libraries)
//! lives in the crates on top; they come in through `code::export` (BIF descriptors) and `hooks`.
//!
//! There is one VM in an operating system process: the tables of atoms, exports, modules and processes
//! are global.

pub mod atom;
pub mod bif;
pub mod budget;
pub mod bug;
pub mod code;
pub mod data;
pub mod dirty;
pub mod dist;
pub mod errands;
pub mod etf;
pub mod ets;
pub mod fuzz;
pub mod heap;
pub mod hooks;
pub mod interp;
pub mod io;
pub mod limbs;
pub mod load;
pub mod match_spec;
#[cfg(all(test, model))]
mod models;
pub mod node;
pub mod persistent_term;
pub mod pile;
pub mod process;
pub mod quiescence;
pub mod reference;
pub mod release;
pub mod sched;
pub mod spawn;
pub mod sys;
pub mod tally;
pub mod term;
pub mod time;
pub mod timer;
pub mod work;
pub mod worker;

pub use atom::Atom;
pub use bif::{BifResult, Ctx, Exit, badarg};
pub use heap::Heap;
pub use term::Term;
