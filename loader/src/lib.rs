//! Reads, checks and disassembles `.beam` files. Pure: no terms, no atom table, no I/O.
//!
//! ```text
//!  bytes ── container ── chunks ─┐
//!                └────── code ───┴── BeamFile ── verify ── disasm, inspect, the runtime
//! ```
//!
//! [`BeamFile::parse`] is the way in. It accepts what the loaders of OTP 25, 27 and 29 accept and
//! refuses, with a [`LoadError`] that says where and why, anything that could make an
//! interpreter misbehave. Functions stay encoded and are decoded one at a time.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[doc(hidden)]
pub mod builder;
pub mod chunks;
pub mod code;
pub mod container;
pub mod disasm;
pub mod error;
pub mod etf_text;
pub mod file;
#[doc(hidden)]
pub mod fuzz;
pub mod inspect;
pub mod md5;
pub mod operand;
pub mod ops;
pub mod records;
pub mod verify;

pub use chunks::{
    AtomIdx, ExportedFunction, Import, Lambda, LineItem, LineTable, Literals, TypeEntry, TypeSet,
    Types,
};
pub use code::{Function, FunctionCode, Instr};
pub use container::Container;
pub use error::{ErrorKind, LoadError};
pub use file::BeamFile;
pub use operand::{AllocList, ListRef, Operand, Reg};
pub use ops::{Family, Op, OperandKind, Status};
pub use records::{RecordDef, RecordField};
pub use verify::MatchCommand;
