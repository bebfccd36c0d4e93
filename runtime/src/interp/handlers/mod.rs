//! The handlers of all instructions, by kind of instruction. What threaded and slow ones are: see `machine`.

pub(super) mod arith;
pub(super) mod bits;
pub(super) mod calls;
pub(super) mod compare;
pub(super) mod data;
pub(super) mod errors;
pub(super) mod floats;
pub(super) mod frames;
pub(super) mod guards;
pub(super) mod maps;
pub(super) mod receive;
pub(super) mod records;
pub(super) mod types;
