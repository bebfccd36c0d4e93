//! The words of the bit syntax's instructions: the commands of matching and the segments of construction, two words
//! each.

use super::fields::At;

const fn bits(shift: u32, bits: u32) -> At {
    At {
        word: 0,
        shift,
        bits,
    }
}

/// The first word of a command of `BS_MATCH`; the second one is the size or the value.
pub mod command {
    use super::{At, bits};

    /// What it is, see `kind`.
    pub const KIND: At = bits(0, 8);
    /// `LITTLE`, `SIGNED`.
    pub const FLAGS: At = bits(8, 8);
    /// Where the value goes.
    pub const TO: At = bits(16, 16);
    /// The unit, or the number of bits of `EQUAL`.
    pub const UNIT: At = bits(32, 32);
}

/// The first word of a segment of `BS_CREATE`; the second one is a constant size, `SIZE_PLACE`, `SIZE_ALL`, or the
/// address of constant bytes.
pub mod segment {
    use super::{At, bits};

    /// What it is, see `kind`.
    pub const KIND: At = bits(0, 8);
    /// `LITTLE`, `SIGNED`.
    pub const FLAGS: At = bits(8, 8);
    /// Where the value is.
    pub const VALUE: At = bits(16, 16);
    /// Where the size is.
    pub const SIZE: At = bits(32, 16);
    /// The unit.
    pub const UNIT: At = bits(48, 16);
    /// Number of constant bytes.
    pub const LENGTH: At = bits(16, 48);
}

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
    /// Command: the next bits have this value. Their number stands in the place of the unit.
    pub const EQUAL: u8 = 7;
    /// Segment: UTF-8, UTF-16, UTF-32.
    pub const UTF8: u8 = 8;
    /// See `UTF8`.
    pub const UTF16: u8 = 9;
    /// See `UTF8`.
    pub const UTF32: u8 = 10;
    /// Segment: constant bytes.
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

/// Greatest size of a bitstring in bits.
pub const MAX_BITS: u64 = 1 << 40;

/// Kinds of `BS_OLD`.
pub mod old_kind {
    /// A binary of a size in bytes.
    pub const INIT_BYTES: u16 = 0;
    /// A bitstring of a size in bits.
    pub const INIT_BITS: u16 = 1;
    /// Appends to a binary.
    pub const APPEND: u16 = 2;
    /// Adds a segment, whose kind and flags stand as in the first word of one.
    pub const PUT: u16 = 3;
}

/// Longest integer field, in bits, that has a short way.
pub const MAX_FIELD: u64 = 56;
/// Most segments of a construction that has a short way.
pub const MAX_SEGMENTS: usize = 32;

/// Can `BS_MATCH_SHORT` execute this command?
pub fn is_short_command(k: u8, flags: u8, unit: u64, bits: u64) -> bool {
    match k {
        kind::AT_LEAST | kind::EXACTLY | kind::SKIP => true,
        kind::EQUAL => (1..=MAX_FIELD).contains(&unit),
        kind::INTEGER => {
            (1..=MAX_FIELD).contains(&bits) && (flags & LITTLE == 0 || bits.is_multiple_of(8))
        }
        _ => false,
    }
}

/// Can `BS_CREATE_SHORT` execute this segment? `size` is its second word.
pub fn is_short_segment(first: bool, k: u8, flags: u8, unit: u64, size: u64) -> bool {
    match k {
        kind::APPEND | kind::PRIVATE_APPEND => first && (unit == 1 || unit == 8),
        kind::BINARY => size == SIZE_ALL && (unit == 1 || unit == 8),
        kind::INTEGER => {
            size <= 64
                && (1..=MAX_FIELD).contains(&(size * unit))
                && (flags & LITTLE == 0 || (size * unit).is_multiple_of(8))
        }
        kind::STRING | kind::UTF8 | kind::UTF16 | kind::UTF32 => true,
        _ => false,
    }
}
