//! The bit syntax: matching and construction, as the instructions of `code::translate_bits` ask for it.
//!
//! A match context is a heap object of its own; its position is changed in place. Word formats:
//!
//! ```text
//! BS_GET word 1           [kind 48..56][flags 32..40][unit 16..32][destination 0..16]
//! command, first word     [unit 32..48][destination 16..32][flags 8..16][kind 0..8]   second: size or value
//! segment, first word     [unit 48..64][size place 32..48][value place 16..32][flags 8..16][kind 0..8]
//!          second         constant size, `SIZE_PLACE`, `SIZE_ALL` or the address of constant bytes
//! ```

mod building;
mod fields;
mod matching;
mod stepwise;

pub(super) use building::append_in_place;
pub use building::{CreateFault, INLINE_SEGMENTS, Segment, create, init_writable, raise_create};
pub use fields::put_integer;
pub(super) use matching::extend;
pub use matching::{
    command, get, get_utf, left, match_string, position, set_position, start, tail,
};
pub use stepwise::{Building, add_sizes, old, old_kind, utf_size};

/// Flag of little-endian segments (native ones too: all supported machines are little-endian).
pub const LITTLE: u8 = 2;
/// Flag of signed segments.
pub const SIGNED: u8 = 4;

/// Kinds of `BS_GET`, of commands and of segments.
pub mod kind {
    /// Integer.
    pub const INTEGER: u8 = 0;
    /// Float.
    pub const FLOAT: u8 = 1;
    /// Bitstring.
    pub const BINARY: u8 = 2;
    /// Nothing is kept.
    pub const SKIP: u8 = 3;
    /// Command: at least so many bits are left and the rest has a unit.
    pub const AT_LEAST: u8 = 4;
    /// Command: exactly so many bits are left.
    pub const EXACTLY: u8 = 5;
    /// Command: the rest.
    pub const TAIL: u8 = 6;
    /// Command: the next bits have this value. Their number is in bits 32 of the first word.
    pub const EQUAL: u8 = 7;
    /// Segment: UTF-8, UTF-16, UTF-32.
    pub const UTF8: u8 = 8;
    /// See `UTF8`.
    pub const UTF16: u8 = 9;
    /// See `UTF8`.
    pub const UTF32: u8 = 10;
    /// Segment: constant bytes; their number is in bits 16 of the first word.
    pub const STRING: u8 = 11;
    /// First segment: the binary to append to.
    pub const APPEND: u8 = 12;
    /// First segment: the same where nothing else uses the binary.
    pub const PRIVATE_APPEND: u8 = 13;
}

/// Second word of a segment: the size is in a place.
pub const SIZE_PLACE: u64 = u64::MAX;
/// Second word of a segment: all of the value.
pub const SIZE_ALL: u64 = u64::MAX - 1;

/// Writing as many bytes costs a reduction.
pub const BYTES_A_REDUCTION: usize = 1024;

/// Greatest size of a bitstring in bits.
const MAX_BITS: u64 = 1 << 40;
