//! Building bitstrings out of segments, and the errors of doing so.

use super::fields::{put_char, put_float, put_integer};
use crate::atom::Atom;
use crate::bif::{Class, Ctx};
use crate::code::bit_words::{MAX_BITS, SIZE_ALL, SIZE_PLACE, kind, segment};
use crate::code::ranges;
use crate::data::map;
use crate::heap::binary::BinaryRef;
use crate::heap::bits::{self, copy_bits};
use crate::heap::literal::is_literal;
use crate::heap::{Heap, MAX_HEAP_BINARY};
use crate::interp::calls::{self, Next};
use crate::interp::exception::Head;
use crate::release;
use crate::term::{Kind, Term};

/// Most segments that are decoded without allocation.
pub const INLINE_SEGMENTS: usize = 8;

/// A segment with its operands.
#[derive(Clone, Copy)]
pub struct Segment {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) unit: u16,
    pub(super) value: Term,
    /// Size in units; `NONVALUE` for all or a constant in `word`.
    pub(super) size: Term,
    pub(super) word: u64,
    pub(super) string_len: usize,
}

/// Why a bitstring cannot be built: index of the segment, and the parts of the error's cause.
pub struct CreateFault {
    index: usize,
    kind: u8,
    what: Atom,
    value: Term,
    reason: Atom,
}

/// A size in bits, or why there is none.
pub(super) type Sized = Result<usize, (Atom, Term, Atom)>;

impl Segment {
    /// No segment.
    pub const NONE: Segment = Segment {
        kind: kind::SKIP,
        flags: 0,
        unit: 1,
        value: Term::NIL,
        size: Term::NONVALUE,
        word: 0,
        string_len: 0,
    };

    /// Reads a segment; `read` gives the value of a place.
    #[inline]
    pub fn decode(how: u64, word: u64, read: impl Fn(usize) -> Term) -> Segment {
        let kind = segment::KIND.of(how) as u8;
        if kind == kind::STRING {
            return Segment::string(how, word);
        }
        let value = read(segment::VALUE.of(how) as usize);
        let size = if word == SIZE_PLACE {
            read(segment::SIZE.of(how) as usize)
        } else {
            Term::NONVALUE
        };
        Segment::with(how, word, value, size)
    }

    /// A segment with its value and its size, if that is a value too.
    pub fn with(how: u64, word: u64, value: Term, size: Term) -> Segment {
        Segment {
            kind: segment::KIND.of(how) as u8,
            flags: segment::FLAGS.of(how) as u8,
            unit: segment::UNIT.of(how) as u16,
            value,
            size: if word == SIZE_PLACE {
                size
            } else {
                Term::NONVALUE
            },
            word,
            string_len: 0,
        }
    }

    /// Constant bytes.
    pub fn string(how: u64, word: u64) -> Segment {
        Segment {
            kind: kind::STRING,
            word,
            string_len: segment::LENGTH.of(how) as usize,
            ..Segment::NONE
        }
    }

    /// Size in bits as written in the segment, unit applied.
    fn stated(&self) -> Sized {
        if !self.size.is_nonvalue() {
            let Some(n) = self.size.as_usize() else {
                let limit = self.size.is_kind(Kind::BigPos);
                let reason = if limit {
                    Atom::SYSTEM_LIMIT
                } else {
                    Atom::BADARG
                };
                return Err((Atom::SIZE, self.size, reason));
            };
            return n
                .checked_mul(self.unit as usize)
                .filter(|&b| (b as u64) < MAX_BITS)
                .ok_or((Atom::SIZE, self.size, Atom::SYSTEM_LIMIT));
        }
        Ok(self.word as usize * self.unit as usize)
    }

    /// Bits that the segment will take. All sizes are known before the first value is written, and before
    /// most values are looked at: what is wrong with a size is found first.
    pub(super) fn bits(&self) -> Sized {
        match self.kind {
            kind::STRING => Ok(self.string_len * 8),
            kind::INTEGER | kind::FLOAT => self.stated(),
            kind::BINARY if self.word == SIZE_ALL && !self.value.is_bitstring() => {
                Err((Atom::TYPE, self.value, Atom::BADARG))
            }
            kind::BINARY if self.word == SIZE_ALL => Ok(bits::bit_size(self.value)),
            kind::BINARY => self.stated(),
            // A value that is none is found when it is written.
            kind::APPEND | kind::PRIVATE_APPEND => Ok(if self.value.is_bitstring() {
                bits::bit_size(self.value)
            } else {
                0
            }),
            kind::UTF8 if release::late_utf8_checks() => {
                Ok(code_point(self.value).map_or(32, |c| 8 * c.len_utf8()))
            }
            kind::UTF16 => Ok(code_point(self.value).map_or(32, |c| 16 * c.len_utf16())),
            _ => match code_point(self.value) {
                Some(c) if self.kind == kind::UTF8 => Ok(8 * c.len_utf8()),
                Some(_) => Ok(32),
                None => Err((Atom::TYPE, self.value, Atom::BADARG)),
            },
        }
    }

    /// Is the value one that can be written in `n` bits?
    fn check(&self, n: usize) -> Result<(), (Atom, Term, Atom)> {
        let (what, value) = match self.kind {
            kind::STRING => return Ok(()),
            kind::INTEGER if !self.value.is_integer() => (Atom::TYPE, self.value),
            kind::INTEGER => return Ok(()),
            kind::FLOAT if !matches!(n, 16 | 32 | 64) => (Atom::INVALID, self.size_term()),
            kind::FLOAT if !self.value.is_number() => (Atom::TYPE, self.value),
            kind::FLOAT => return Ok(()),
            kind::BINARY | kind::APPEND | kind::PRIVATE_APPEND => {
                let whole = self.word == SIZE_ALL || self.kind != kind::BINARY;
                let value = self.value;
                if !value.is_bitstring() {
                    (Atom::TYPE, value)
                } else if whole && !n.is_multiple_of(self.unit.max(1) as usize) {
                    (Atom::UNIT, value)
                } else if n > bits::bit_size(value) {
                    (Atom::SHORT, value)
                } else {
                    return Ok(());
                }
            }
            _ if code_point(self.value).is_none() => (Atom::TYPE, self.value),
            _ => return Ok(()),
        };
        Err((what, value, Atom::BADARG))
    }

    fn size_term(&self) -> Term {
        if self.size.is_nonvalue() {
            Term::small(self.word as i64)
        } else {
            self.size
        }
    }

    /// Checks the value and writes its `n` bits at bit `at`.
    pub(super) fn write(
        &self,
        out: &mut [u8],
        at: usize,
        n: usize,
    ) -> Result<(), (Atom, Term, Atom)> {
        self.check(n)?;
        match self.kind {
            kind::STRING => copy_bits(self.word as *const u8, 0, out, at, n),
            kind::INTEGER => put_integer(out, at, n, self.value, self.flags),
            kind::FLOAT => {
                if !put_float(out, at, n, self.value, self.flags) {
                    return Err((Atom::NO_FLOAT, self.value, Atom::BADARG));
                }
            }
            kind::BINARY => {
                let v = bits::view(self.value);
                copy_bits(v.data, v.offset, out, at, n);
            }
            _ => {
                if let Some(c) = code_point(self.value) {
                    put_char(out, at, c, self.kind, self.flags);
                }
            }
        }
        Ok(())
    }
}

pub(super) fn code_point(t: Term) -> Option<char> {
    char::from_u32(u32::try_from(t.as_small()?).ok()?)
}

/// Builds a bitstring; gives it with the number of bytes that were written.
#[inline(never)]
pub fn create(heap: &mut Heap, segments: &[Segment]) -> Result<(Term, usize), CreateFault> {
    let fault = |i: usize, (what, value, reason): (Atom, Term, Atom)| CreateFault {
        index: i,
        kind: segments[i].kind,
        what,
        value,
        reason,
    };
    let mut inline = [0usize; INLINE_SEGMENTS];
    let mut many = Vec::new();
    let sizes: &mut [usize] = if segments.len() <= INLINE_SEGMENTS {
        &mut inline[..segments.len()]
    } else {
        many.resize(segments.len(), 0);
        &mut many
    };
    let mut total = 0usize;
    for (i, s) in segments.iter().enumerate() {
        sizes[i] = s.bits().map_err(|e| fault(i, e))?;
        total += sizes[i];
        if total as u64 >= MAX_BITS {
            return Err(fault(i, (Atom::SIZE, s.size_term(), Atom::SYSTEM_LIMIT)));
        }
    }
    let append = segments
        .first()
        .is_some_and(|s| matches!(s.kind, kind::APPEND | kind::PRIVATE_APPEND));
    if append {
        return append_to(heap, segments, sizes, total).map_err(|(i, e)| fault(i, e));
    }
    let fill = |out: &mut [u8]| {
        let mut at = 0;
        for (i, s) in segments.iter().enumerate() {
            s.write(out, at, sizes[i]).map_err(|e| (i, e))?;
            at += sizes[i];
        }
        Ok(())
    };
    let len = total.div_ceil(8);
    let mut result = Ok(());
    let t = if len <= MAX_HEAP_BINARY {
        let (t, data) = heap.heap_bits(total);
        // SAFETY: `heap_bits` made and zeroed room for `len` bytes.
        result = fill(unsafe { std::slice::from_raw_parts_mut(data, len) });
        t
    } else {
        let b = BinaryRef::build(len, |out| result = fill(out));
        heap.shared_bits(b, total)
    };
    result.map(|()| (t, len)).map_err(|(i, e)| fault(i, e))
}

type WriteFault = (usize, (Atom, Term, Atom));

/// Builds by appending to the first segment's value, in place where it ends its binary.
fn append_to(
    heap: &mut Heap,
    segments: &[Segment],
    sizes: &[usize],
    total: usize,
) -> Result<(Term, usize), WriteFault> {
    segments[0].check(sizes[0]).map_err(|e| (0, e))?;
    let v = bits::view(segments[0].value);
    let more = total - sizes[0];
    let fill = |out: &mut [u8], mut at: usize| {
        for (i, s) in segments.iter().enumerate().skip(1) {
            s.write(out, at, sizes[i]).map_err(|e| (i, e))?;
            at += sizes[i];
        }
        Ok(())
    };
    if more == 0 {
        fill(&mut [0], 0)?;
        return Ok((segments[0].value, 0));
    }
    let private = segments[0].kind == kind::PRIVATE_APPEND;
    let handle = private && is_handle(segments[0].value);
    if let Some(mut claim) = append_in_place(heap, segments[0].value, more, private) {
        fill(claim.zeroed(), 0)?;
        return Ok((claim.finish(heap), more / 8));
    }
    if append_bits(&v, more, fill)? {
        heap.binary_bytes += more / 8;
        let whole = lengthened(heap, segments[0].value, more, handle);
        return Ok((whole, more.div_ceil(8)));
    }
    let len = total.div_ceil(8);
    let mut result = Ok(());
    let start = v.whole_bytes();
    let copied = 8 * start.len();
    let mut b = BinaryRef::build_behind(start, len, |out| {
        copy_bits(v.data, v.offset + copied, out, copied, v.bits - copied);
        result = fill(out, v.bits);
    });
    result?;
    b.set_used(total);
    if handle {
        replace_binary(heap, segments[0].value, b, total);
        return Ok((segments[0].value, len));
    }
    Ok((heap.shared_bits(b, total), len))
}

/// Is this the handle of a shared binary in the process's own heap?
#[inline(always)]
pub(super) fn is_handle(t: Term) -> bool {
    t.is_kind(Kind::BinRef) && !is_literal(t.ptr())
}

/// Writes so many bits, which need not be whole bytes, behind a bitstring that is in this process only, if there is room; else
/// nothing is done.
fn append_bits(
    v: &bits::View,
    more: usize,
    fill: impl FnOnce(&mut [u8], usize) -> Result<(), WriteFault>,
) -> Result<bool, WriteFault> {
    if !is_handle(v.base) {
        return Ok(false);
    }
    let bits = v.offset + v.bits;
    // SAFETY: a live `BinRef` owns the binary in word 2.
    let mut b = unsafe { BinaryRef::borrow_raw(v.base.word(2)) };
    let Some(bytes) = b.claim_bits(bits, more) else {
        return Ok(false);
    };
    if let Err(e) = fill(bytes, bits & 7) {
        // What has been written is behind the end.
        bytes[0] &= !(0xff >> (bits & 7));
        return Err(e);
    }
    Ok(true)
}

/// Lets a handle lead to another binary, which begins with the same bits.
fn replace_binary(heap: &mut Heap, handle: Term, b: BinaryRef, bits: usize) {
    heap.binary_bytes += b.capacity();
    // SAFETY: a live `BinRef` in the heap of the process that runs owns the binary in word 2; it gives that one up
    // and owns the new one. Parts that have the handle as their base find the same bits.
    unsafe {
        let p = handle.ptr();
        drop(BinaryRef::from_raw(*p.add(2)));
        *p.add(2) = b.into_raw();
        *p.add(3) = bits as u64;
    }
}

/// Room behind a bitstring that nobody else writes to.
pub(in crate::interp) struct Claim {
    /// Address of the new bits. The caller writes them before it asks for the longer bitstring.
    pub(in crate::interp) at: *mut u8,
    bits: usize,
    to: Term,
    private: bool,
}

/// Claims room for `more` bits behind a bitstring, if it ends its binary and there is room. With `private` it is a
/// handle that nothing else uses, and is itself made longer: code that the compiler makes may go on
/// with the old register.
#[inline(always)]
pub(in crate::interp) fn append_in_place(
    heap: &mut Heap,
    to: Term,
    more: usize,
    private: bool,
) -> Option<Claim> {
    let v = bits::view(to);
    if !v.base.is_kind(Kind::BinRef) || v.offset & 7 != 0 || more == 0 {
        return None;
    }
    // SAFETY: a live `BinRef` owns the binary in word 2.
    let b = unsafe { BinaryRef::borrow_raw(v.base.word(2)) };
    let private = private && is_handle(to);
    let at = b.claim(v.offset + v.bits, more, private)?;
    heap.binary_bytes += more / 8;
    Some(Claim {
        at,
        bits: more,
        to,
        private,
    })
}

/// Room for `more` bits, whole bytes, behind a bitstring of whole bytes, as `append_in_place` finds it: the longer bitstring, whose
/// new bits the caller writes, and their address.
pub(in crate::interp) fn append_room(
    heap: &mut Heap,
    to: Term,
    more: usize,
    private: bool,
) -> Option<(Term, *mut u8)> {
    if !matches!(to.kind()?, Kind::BinRef | Kind::SubBits) || bits::bit_size(to) & 7 != 0 {
        return None;
    }
    let claim = append_in_place(heap, to, more, private)?;
    let at = claim.at;
    Some((claim.finish(heap), at))
}

impl Claim {
    /// The new bytes, zeroed.
    fn zeroed(&mut self) -> &mut [u8] {
        // SAFETY: the claim is ours alone and inside the allocation; zeroed before the slice is used.
        unsafe {
            std::ptr::write_bytes(self.at, 0, self.bits / 8);
            std::slice::from_raw_parts_mut(self.at, self.bits / 8)
        }
    }

    /// The longer bitstring, once the new bits are written.
    #[inline(always)]
    pub(in crate::interp) fn finish(self, heap: &mut Heap) -> Term {
        lengthened(heap, self.to, self.bits, self.private)
    }
}

/// The bitstring that goes on for `more` bits behind the end of `to`, which are written. With `private` `to` is a handle that
/// nothing else uses, and is itself made longer.
#[inline(always)]
pub(super) fn lengthened(heap: &mut Heap, to: Term, more: usize, private: bool) -> Term {
    if private {
        // SAFETY: word 3 of a handle is its size, and the handle is in the heap of the process that runs.
        unsafe { *to.ptr().add(3) += more as u64 };
        return to;
    }
    let v = bits::view(to);
    // SAFETY: a live `BinRef` owns the binary in word 2.
    let b = unsafe { BinaryRef::borrow_raw(v.base.word(2)) };
    let total = v.bits + more;
    let again = if is_literal(v.base.ptr()) {
        BinaryRef::clone(&b)
    } else {
        b.again_in_heap()
    };
    // What was added counts already.
    let counted = heap.binary_bytes;
    let whole = heap.shared_bits(again, v.offset + total);
    heap.binary_bytes = counted;
    if v.offset == 0 {
        whole
    } else {
        heap.sub_bits(whole, v.offset, total)
    }
}

/// Raises the error of a failed construction, with what `erl_erts_errors` needs to explain it.
#[cold]
pub fn raise_create(cx: &mut Ctx<'_>, pc: *const u64, f: &CreateFault) -> Next {
    let kind = match f.kind {
        kind::INTEGER => Atom::INTEGER,
        kind::FLOAT => Atom::FLOAT,
        kind::UTF8 => Atom::UTF8,
        kind::UTF16 => Atom::UTF16,
        kind::UTF32 => Atom::UTF32,
        kind::STRING => Atom::STRING,
        _ => Atom::BINARY,
    };
    let number = ranges::find(pc)
        .and_then(|(function, offset)| Some(function.body()?.segment_number(offset, f.index)))
        .unwrap_or(f.index + 1);
    let heap = cx.heap();
    let cause = heap.tuple(&[
        Term::small(number as i64),
        kind.into(),
        f.what.into(),
        f.value,
    ]);
    let info = map::from_pairs(
        heap,
        &[
            (Atom::CAUSE.into(), cause),
            (Atom::FUNCTION.into(), Atom::FORMAT_BS_FAIL.into()),
            (Atom::MODULE.into(), Atom::ERL_ERTS_ERRORS.into()),
        ],
    );
    let pair = heap.tuple(&[Atom::ERROR_INFO.into(), info]);
    let info = heap.list(&[pair]);
    calls::raise(
        cx,
        pc,
        Class::Error,
        f.reason.into(),
        Head::Args {
            args: Term::NONVALUE,
            info,
        },
    )
}

/// Bytes of an empty binary's room that count for the next collection: most such binaries stay short, and are garbage soon.
const COUNTED_ROOM: usize = 32;

/// An empty binary with room for appending.
pub fn init_writable(heap: &mut Heap, size: Term) -> Term {
    // The compiler knows how many bytes it is going to append in simple cases.
    let bytes = size.as_usize().unwrap_or(1024).min(1 << 24);
    let counted = heap.binary_bytes + bytes.min(COUNTED_ROOM);
    let binary = heap.shared_bits(BinaryRef::build_with_room(0, bytes, |_| ()), 0);
    heap.binary_bytes = counted;
    binary
}
