//! The external term format.

pub mod decode;

pub use decode::{DecodeError, decode_trusted};
