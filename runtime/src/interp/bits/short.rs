//! Building bitstrings of whole bytes, small integers and code points: what is usual, without the checks that the
//! rest needs.

use super::BYTES_A_REDUCTION;
use super::building::{append_in_place, code_point, is_handle, lengthened};
use super::fields::{encoded, put_bits};
use crate::code::bit_words::{LITTLE, kind, segment};
use crate::heap::binary::BinaryRef;
use crate::heap::bits::{base_data, view};
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
    let first = if s.count() > 0 { s.words(0).0 } else { 0 };
    let first_kind = segment::KIND.of(first) as u8;
    let appends = matches!(first_kind, kind::APPEND | kind::PRIVATE_APPEND);
    let (mut bits, mut only_integers) = (0, true);
    for i in usize::from(appends)..s.count() {
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
            k @ (kind::UTF8 | kind::UTF16 | kind::UTF32) => match code_point(s.value(i)) {
                Some(c) if k == kind::UTF8 => c.len_utf8(),
                Some(c) if k == kind::UTF16 => 2 * c.len_utf16(),
                Some(_) => 4,
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
        only_integers = false;
        bits += bytes * 8;
    }
    if appends {
        let (to, private) = (s.value(0), first_kind == kind::PRIVATE_APPEND);
        if bits & 7 != 0 || bytes_of(to).is_none() {
            return if only_integers && segment::UNIT.of(first) == 1 {
                append_integers(s, to, bits, private)
            } else {
                Term::NONVALUE
            };
        }
        if bits == 0 {
            return to;
        }
        let claimed = append_in_place(s.heap(), to, bits, private);
        return match claimed {
            Some(claim) => {
                fill(s, 1, claim.at);
                s.bump(bits / 8 / BYTES_A_REDUCTION);
                claim.finish(s.heap())
            }
            None => Term::NONVALUE,
        };
    }
    let total = bits.div_ceil(8);
    if total <= MAX_HEAP_BINARY {
        let (t, out) = s.heap().heap_bits(bits);
        fill(s, 0, out);
        t
    } else if bits & 7 != 0 || bits > 1 << 35 {
        Term::NONVALUE
    } else {
        s.bump(total / BYTES_A_REDUCTION);
        let b = BinaryRef::build(total, |out| fill(s, 0, out.as_mut_ptr()));
        s.heap().shared_binary(b)
    }
}

/// Appends the integers behind the first segment, whose value is `to`, where they or that are not whole bytes.
#[inline(never)]
fn append_integers(s: &mut impl SegmentSource, to: Term, more: usize, private: bool) -> Term {
    if more == 0 || !matches!(to.kind(), Some(Kind::BinRef | Kind::SubBits)) {
        return Term::NONVALUE;
    }
    let v = view(to);
    if !is_handle(v.base) {
        return Term::NONVALUE;
    }
    let end = v.offset + v.bits;
    // SAFETY: a live `BinRef` owns the binary in word 2.
    let mut b = unsafe { BinaryRef::borrow_raw(v.base.word(2)) };
    let Some(out) = b.claim_bits(end, more) else {
        return Term::NONVALUE;
    };
    let mut at = end & 7;
    for i in 1..s.count() {
        let (how, word) = s.words(i);
        let bits = (word * segment::UNIT.of(how)) as usize;
        put_bits(out, at, bits, integer(s.value(i), bits, how));
        at += bits;
    }
    s.heap().binary_bytes += more / 8;
    lengthened(s.heap(), to, more, private && is_handle(to))
}

/// The bits of a small integer in the order in which they are written; those above the last `bits` mean nothing.
#[inline(always)]
fn integer(value: Term, bits: usize, how: u64) -> u64 {
    let v = value.small_value() as u64;
    if segment::FLAGS.of(how) as u8 & LITTLE != 0 {
        v.swap_bytes() >> (64 - bits)
    } else {
        v
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
                let v = integer(s.value(i), bits, how);
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
            k @ (kind::UTF8 | kind::UTF16 | kind::UTF32) => {
                let c = code_point(s.value(i)).unwrap_or('\0');
                let (bytes, len) = encoded(c, k, segment::FLAGS.of(how) as u8);
                // SAFETY: as above.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), out, len) };
                len
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
    if have > 0 {
        // SAFETY: there is room for the last byte too, which is there in part.
        unsafe { *out = (open << (8 - have)) as u8 };
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
