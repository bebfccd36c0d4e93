//! The external term format.

pub mod decode;
pub mod encode;

pub use decode::{DecodeError, decode_trusted};
