//! Building bitstrings of whole bytes, small integers and code points in UTF-8: what is usual, without the checks that the
//! rest needs.

use super::BYTES_A_REDUCTION;
use super::building::{append_in_place, code_point};
use crate::code::bit_words::{LITTLE, kind, segment};
use crate::heap::binary::BinaryRef;
use crate::heap::bits::base_data;
use crate::heap::{Heap, MAX_HEAP_BINARY};
use crate::term::{Kind, Term};

/// The segments of a `BS_CREATE_SHORT`, and where the bitstring is made.
pub trait SegmentSource {
    /// The heap.
    fn heap(&mut self) -> &mut Heap;
    /// Takes so many reductions.
    fn bump(&mut self, n: usize);
    /// Number of segments.
    fn count(&self) -> usize;
    /// The two words of a segment.
    fn words(&self, i: usize) -> (u64, u64);
    /// The value of a segment that is no constant.
    fn value(&self, i: usize) -> Term;
}

/// The bitstring, or `NONVALUE`, with nothing done, where a value is not what the short way is for.
#[inline(always)]
pub fn create_short(s: &mut impl SegmentSource) -> Term {
    let mut bits = 0;
    for i in 0..s.count() {
        let (how, word) = s.words(i);
        let bytes = match segment::KIND.of(how) as u8 {
            kind::STRING => segment::LENGTH.of(how) as usize,
            kind::INTEGER => {
                if !s.value(i).is_small() {
                    return Term::NONVALUE;
                }
                bits += (word * segment::UNIT.of(how)) as usize;
                continue;
            }
            kind::UTF8 => match code_point(s.value(i)) {
                Some(c) => c.len_utf8(),
                None => return Term::NONVALUE,
            },
            _ => match bytes_of(s.value(i)) {
                Some((_, len)) => len,
                None => return Term::NONVALUE,
            },
        };
        if bits & 7 != 0 || bytes > 1 << 32 {
            return Term::NONVALUE;
        }
        bits += bytes * 8;
    }
    if bits & 7 != 0 || bits > 1 << 35 {
        return Term::NONVALUE;
    }
    let total = bits / 8;
    let first = if s.count() > 0 { s.words(0).0 } else { 0 };
    let first_kind = segment::KIND.of(first) as u8;
    if matches!(first_kind, kind::APPEND | kind::PRIVATE_APPEND) {
        let to = s.value(0);
        let more = total - bytes_of(to).map_or(0, |(_, len)| len);
        if more == 0 {
            return to;
        }
        let private = first_kind == kind::PRIVATE_APPEND;
        let claimed = append_in_place(s.heap(), to, more * 8, private);
        return match claimed {
            Some(claim) => {
                fill(s, 1, claim.at);
                s.bump(more / BYTES_A_REDUCTION);
                claim.finish(s.heap())
            }
            None => Term::NONVALUE,
        };
    }
    if total <= MAX_HEAP_BINARY {
        let (t, out) = s.heap().heap_bits(total * 8);
        fill(s, 0, out);
        t
    } else {
        s.bump(total / BYTES_A_REDUCTION);
        let b = BinaryRef::build(total, |out| fill(s, 0, out.as_mut_ptr()));
        s.heap().shared_binary(b)
    }
}

/// Writes the segments from `from` on; there is room for them, and all but integers begin at a byte.
fn fill(s: &impl SegmentSource, from: usize, mut out: *mut u8) {
    // Bits that are no whole byte yet, and their number.
    let (mut open, mut have) = (0u64, 0);
    for i in from..s.count() {
        let (how, word) = s.words(i);
        let len = match segment::KIND.of(how) as u8 {
            kind::STRING => {
                let len = segment::LENGTH.of(how) as usize;
                // SAFETY: constant bytes of the module; the caller has made room for them.
                unsafe { std::ptr::copy_nonoverlapping(word as *const u8, out, len) };
                len
            }
            kind::INTEGER => {
                let bits = (word * segment::UNIT.of(how)) as usize;
                let mut v = s.value(i).small_value() as u64;
                if segment::FLAGS.of(how) as u8 & LITTLE != 0 {
                    v = v.swap_bytes() >> (64 - bits);
                }
                open = open << bits | v & ((1 << bits) - 1);
                have += bits;
                let len = have / 8;
                have &= 7;
                for k in 0..len {
                    let shift = have + 8 * (len - 1 - k);
                    // SAFETY: as above.
                    unsafe { *out.add(k) = (open >> shift) as u8 };
                }
                len
            }
            kind::UTF8 => {
                let mut buffer = [0; 4];
                let c = code_point(s.value(i)).unwrap_or('\0');
                let bytes = c.encode_utf8(&mut buffer);
                // SAFETY: as above.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), out, bytes.len()) };
                bytes.len()
            }
            _ => match bytes_of(s.value(i)) {
                Some((data, len)) => {
                    // SAFETY: the bytes lie in the value's base; the caller has made room for them.
                    unsafe { std::ptr::copy_nonoverlapping(data, out, len) };
                    len
                }
                None => 0,
            },
        };
        out = out.wrapping_add(len);
    }
}

/// Address and number of the bytes of a bitstring that starts and ends at a byte.
#[inline(always)]
fn bytes_of(t: Term) -> Option<(*const u8, usize)> {
    let (base, offset, bits) = match t.kind()? {
        Kind::HeapBits => (t, 0, t.word(1)),
        Kind::BinRef => (t, 0, t.word(3)),
        Kind::SubBits => (Term(t.word(1)), t.word(2), t.word(3)),
        _ => return None,
    };
    if (offset | bits) & 7 != 0 {
        return None;
    }
    Some((
        base_data(base).wrapping_add(offset as usize / 8),
        bits as usize / 8,
    ))
}
