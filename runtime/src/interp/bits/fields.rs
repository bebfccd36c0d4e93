//! How integers, floats and characters are written as bits.

use crate::code::bit_words::{LITTLE, kind};
use crate::data::bignum;
use crate::heap::bits::copy_bits;
use crate::term::Term;

/// Writes the last `n` bits of `v`, of which there are at least one and at most 56, at bit `at`. The bits that they
/// replace are zero.
pub(super) fn put_bits(out: &mut [u8], at: usize, n: usize, v: u64) {
    let shift = at & 7;
    let word = v << (64 - n) >> shift;
    let bytes = &mut out[at / 8..(at + n).div_ceil(8)];
    for (slot, b) in bytes.iter_mut().zip(word.to_be_bytes()) {
        *slot |= b;
    }
}

/// Writes an integer of `n` bits at bit `at`; they are zero before.
pub fn put_integer(out: &mut [u8], at: usize, n: usize, value: Term, flags: u8) {
    if n == 8
        && at & 7 == 0
        && let Some(v) = value.as_small()
    {
        out[at / 8] = v as u8;
        return;
    }
    if n == 0 {
        return;
    }
    if n <= 56
        && flags & LITTLE == 0
        && let Some(v) = value.as_small()
    {
        return put_bits(out, at, n, v as u64);
    }
    // Two's complement, least significant byte first, sign extended.
    let len = n.div_ceil(8);
    let small = value.as_small().unwrap_or(0).to_le_bytes();
    let mut large: Vec<u8> = Vec::new();
    let (bytes, fill): (&[u8], u8) = match value.as_small() {
        Some(v) => (&small, if v < 0 { 0xff } else { 0 }),
        None => {
            if let Some(b) = bignum::to_bigint(value) {
                large = b.to_signed_bytes_le();
            }
            let fill = if large.last().is_some_and(|b| b & 0x80 != 0) {
                0xff
            } else {
                0
            };
            (&large, fill)
        }
    };
    let byte = |i: usize| bytes.get(i).copied().unwrap_or(fill);
    let partial = n & 7;
    if flags & LITTLE == 0 && at & 7 == 0 && partial == 0 {
        for (i, slot) in out[at / 8..at / 8 + len].iter_mut().enumerate() {
            *slot = byte(len - 1 - i);
        }
        return;
    }
    let mut pos = at;
    let mut put = |i: usize| {
        let k = if i + 1 == len && partial > 0 {
            partial
        } else {
            8
        };
        let b = byte(i) << (8 - k);
        copy_bits(&raw const b, 0, out, pos, k);
        pos += k;
    };
    if flags & LITTLE != 0 {
        (0..len).for_each(&mut put);
    } else {
        (0..len).rev().for_each(&mut put);
    }
}

/// Writes a float of 16, 32 or 64 bits, infinite where so few do not suffice; `false` if no float holds the
/// value.
pub(super) fn put_float(out: &mut [u8], at: usize, n: usize, value: Term, flags: u8) -> bool {
    let Ok(f) = crate::data::arith::float_value(value) else {
        return false;
    };
    let bits: u64 = match n {
        64 => f.to_bits(),
        32 => u64::from((f as f32).to_bits()),
        _ => u64::from(f64_to_half(f)),
    };
    let len = n / 8;
    let mut bytes = bits.to_be_bytes();
    let bytes = &mut bytes[8 - len..];
    if flags & LITTLE != 0 {
        bytes.reverse();
    }
    copy_bits(bytes.as_ptr(), 0, out, at, n);
    true
}

/// Writes a character.
pub(super) fn put_char(out: &mut [u8], at: usize, c: char, kind: u8, flags: u8) {
    let (bytes, len) = encoded(c, kind, flags);
    copy_bits(bytes.as_ptr(), 0, out, at, 8 * len);
}

/// A character in UTF-8, UTF-16 or UTF-32, and the number of its bytes.
#[inline]
pub(super) fn encoded(c: char, kind: u8, flags: u8) -> ([u8; 4], usize) {
    let mut bytes = [0u8; 4];
    let little = flags & LITTLE != 0;
    let len = match kind {
        kind::UTF8 => c.encode_utf8(&mut bytes).len(),
        kind::UTF16 => {
            let mut units = [0u16; 2];
            let units = c.encode_utf16(&mut units);
            for (to, u) in bytes.chunks_exact_mut(2).zip(units.iter()) {
                let u = if little { u.to_le() } else { u.to_be() };
                to.copy_from_slice(&u.to_ne_bytes());
            }
            2 * units.len()
        }
        _ => {
            let n = u32::from(c);
            bytes = if little {
                n.to_le_bytes()
            } else {
                n.to_be_bytes()
            };
            4
        }
    };
    (bytes, len)
}

/// Binary64 to the nearest binary16, ties to even, or infinity.
fn f64_to_half(f: f64) -> u16 {
    let bits = f.to_bits();
    let sign = ((bits >> 48) & 0x8000) as u16;
    let magnitude = f.abs();
    if magnitude >= 65520.0 {
        return sign | 0x7c00;
    }
    let unit = if magnitude < 2f64.powi(-14) {
        2f64.powi(-24)
    } else {
        2f64.powi(magnitude.log2().floor() as i32 - 10)
    };
    let steps = (magnitude / unit).round_ties_even();
    let value = steps * unit;
    let h = if value < 2f64.powi(-14) {
        (value / 2f64.powi(-24)) as u16
    } else {
        let e = value.log2().floor() as i32;
        let m = (value / 2f64.powi(e) - 1.0) * 1024.0;
        (((e + 15) as u16) << 10) | m as u16
    };
    sign | h
}
