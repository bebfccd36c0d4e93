//! What is done with terms: arithmetic, order, hashes, maps, text.

pub mod arith;
pub mod bignum;
pub mod compare;
pub mod display;
pub mod float_text;
pub mod hash;
pub mod int_text;
pub mod map;
pub mod phash;
pub mod record;
