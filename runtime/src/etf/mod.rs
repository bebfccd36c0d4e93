//! The external term format.

pub mod decode;
pub mod encode;
pub mod message_atoms;

pub use decode::{DecodeError, decode_trusted};
