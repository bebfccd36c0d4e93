//! The bit syntax: matching and construction, as the instructions of `code::translate_bits` ask for it.
//!
//! A match context is a heap object of its own; its position is changed in place. Word formats: `code::bit_words`.

mod building;
mod fields;
mod matching;
mod short;
mod stepwise;

pub(super) use building::append_room;
pub use building::{CreateFault, INLINE_SEGMENTS, Segment, create, init_writable, raise_create};
pub use fields::put_integer;
pub(super) use matching::extend;
pub use matching::{
    get, get_utf, is_code_point, left, match_string, position, run_command, set_position, start,
    tail, utf8_code_point,
};
pub use short::{SegmentSource, create_short};
pub use stepwise::{add_sizes, old, put_string, utf_size};

/// Writing as many bytes costs a reduction.
pub const BYTES_A_REDUCTION: usize = 1024;
