//! Loaded code: modules and their functions, export entries, fun entries, the way from `.beam` bytes to
//! bytecode, and from an address in bytecode back to a function and a line.

pub mod bit_words;
pub mod continuation;
pub mod entry;
pub mod export;
pub mod fields;
pub mod forms;
pub mod fun;
pub mod install;
pub mod listing;
pub mod module;
pub mod native;
pub mod nif;
pub mod operand;
pub mod ops;
pub mod purge;
pub mod ranges;
pub mod records;
pub mod translate;
