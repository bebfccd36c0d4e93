//! The `Term` word: the only module that knows how Erlang values are laid out in bits.
//!
//! ```text
//! 63                                             8 7      3 2 0
//! [ value                                              ] 000   small integer, 61 bits, two's complement
//! [ address of a cons cell                             ] 001   list cell: [head][tail]
//! [ address of a header word                           ] 010   boxed object
//! [ payload                               ][ subtag    ] 011   other immediates: atom, pid, port, nil
//! [ rotated double                                     ] 100   flonum
//! [ words after the header                ][ kind      ] 110   header word (in memory only)
//! [ address of bytecode                           ] s  0 111   stack-only words: return pc, catch
//! ```
//!
//! A `Term` is a plain copyable word. A pointer in it stays valid until the owning process reaches a
//! point where it may collect garbage; nothing that runs inside a BIF collects, so BIF code may hold
//! terms freely (see `heap`).
//!
//! Flonums use the rotate encoding known from OpenSmalltalk's Spur: the sign is rotated into bit 0 and
//! the exponent is rebased, so that doubles whose exponent fits eight bits need no allocation. Plus
//! and minus zero are encoded as they are. The encoding is canonical: a double is either always a
//! flonum or always boxed, so equal words mean equal doubles.

pub mod boxed;
pub mod fun;
pub mod list;
pub mod pid;
pub mod types;

use crate::atom::Atom;
pub use boxed::Kind;

/// One Erlang value, or one of the internal words that can stand where a value stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Term(pub(crate) u64);

const TAG_MASK: u64 = 7;
/// Tag of a small integer; zero, so that sums and comparisons work on tagged words.
pub const TAG_SMALL: u64 = 0;
/// Tag of a pointer to a cons cell.
pub const TAG_CONS: u64 = 1;
/// Tag of a pointer to a boxed object.
pub const TAG_BOXED: u64 = 2;
/// Tag of the other immediates.
pub const TAG_IMM: u64 = 3;
/// Tag of a flonum.
pub const TAG_FLONUM: u64 = 4;
/// Tag of a header word.
pub const TAG_HEADER: u64 = 6;
/// Tag of words that appear on an Erlang stack only.
pub const TAG_INTERNAL: u64 = 7;

/// Number of tag bits; a small integer is shifted left by this.
pub const TAG_BITS: u32 = 3;
/// The least small integer.
pub const MIN_SMALL: i64 = -(1 << 60);
/// The greatest small integer.
pub const MAX_SMALL: i64 = (1 << 60) - 1;

const IMM_ATOM: u64 = 0x03;
const IMM_PID: u64 = 0x0b;
const IMM_PORT: u64 = 0x13;
const IMM_NIL: u64 = 0x1b;

/// What is added to the rest of a flonum, but for zeros, to give the bits of the double rotated left by one.
pub const FLONUM_OFFSET: u64 = 896 << 53;

impl Term {
    /// The empty list.
    pub const NIL: Term = Term(IMM_NIL);
    /// Not a value: what a function returns that did not return. Never stored in a heap.
    pub const NONVALUE: Term = Term(0xfe);

    /// The word itself.
    #[inline(always)]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// Makes a term of a word.
    ///
    /// # Safety
    /// The word must have been made by this module and what it points to must still be there.
    #[inline(always)]
    pub const unsafe fn from_raw(word: u64) -> Term {
        Term(word)
    }

    /// The term that this word is, if it is one that needs no memory.
    #[inline]
    pub const fn immediate(word: u64) -> Option<Term> {
        match word & TAG_MASK {
            TAG_SMALL | TAG_IMM | TAG_FLONUM => Some(Term(word)),
            _ => None,
        }
    }

    #[inline(always)]
    pub(crate) const fn tag(self) -> u64 {
        self.0 & TAG_MASK
    }

    // ---- small integers ----

    /// A small integer; `n` must be in `MIN_SMALL..=MAX_SMALL`.
    #[inline(always)]
    pub const fn small(n: i64) -> Term {
        debug_assert!(n >= MIN_SMALL && n <= MAX_SMALL);
        Term((n << TAG_BITS) as u64)
    }

    /// A small integer if `n` is in range.
    #[inline(always)]
    pub const fn try_small(n: i64) -> Option<Term> {
        if n >= MIN_SMALL && n <= MAX_SMALL {
            Some(Term((n << TAG_BITS) as u64))
        } else {
            None
        }
    }

    /// Is this a small integer?
    #[inline(always)]
    pub const fn is_small(self) -> bool {
        self.0 & TAG_MASK == TAG_SMALL
    }

    /// The value of a small integer, unchecked.
    #[inline(always)]
    pub const fn small_value(self) -> i64 {
        (self.0 as i64) >> TAG_BITS
    }

    /// The value, if this is a small integer.
    #[inline(always)]
    pub const fn as_small(self) -> Option<i64> {
        if self.is_small() {
            Some(self.small_value())
        } else {
            None
        }
    }

    /// The value, if this is a small integer that is not negative and fits `usize`.
    #[inline]
    pub fn as_usize(self) -> Option<usize> {
        self.as_small().and_then(|n| usize::try_from(n).ok())
    }

    // ---- immediates ----

    /// The atom's term.
    #[inline(always)]
    pub const fn atom(a: Atom) -> Term {
        Term(((a.index() as u64) << 8) | IMM_ATOM)
    }

    /// `true` or `false`.
    #[inline(always)]
    pub const fn bool(b: bool) -> Term {
        if b {
            Term::atom(Atom::TRUE)
        } else {
            Term::atom(Atom::FALSE)
        }
    }

    /// Is this an atom?
    #[inline(always)]
    pub const fn is_atom(self) -> bool {
        self.0 & 0xff == IMM_ATOM
    }

    /// The atom, if this is one.
    #[inline(always)]
    pub const fn as_atom(self) -> Option<Atom> {
        if self.is_atom() {
            Some(Atom::from_index((self.0 >> 8) as u32))
        } else {
            None
        }
    }

    /// The truth value, if this is `true` or `false`.
    #[inline]
    pub fn as_bool(self) -> Option<bool> {
        match self.as_atom() {
            Some(Atom::TRUE) => Some(true),
            Some(Atom::FALSE) => Some(false),
            _ => None,
        }
    }

    /// A pid of this node; `id` is number and serial packed as in `process::table`.
    #[inline(always)]
    pub const fn local_pid(id: u64) -> Term {
        Term((id << 8) | IMM_PID)
    }

    /// Is this a pid of this node?
    #[inline(always)]
    pub const fn is_local_pid(self) -> bool {
        self.0 & 0xff == IMM_PID
    }

    /// The packed number of a pid of this node.
    #[inline(always)]
    pub const fn as_local_pid(self) -> Option<u64> {
        if self.is_local_pid() {
            Some(self.0 >> 8)
        } else {
            None
        }
    }

    /// A port of this node.
    #[inline(always)]
    pub const fn local_port(id: u64) -> Term {
        Term((id << 8) | IMM_PORT)
    }

    /// Is this a port of this node?
    #[inline(always)]
    pub const fn is_local_port(self) -> bool {
        self.0 & 0xff == IMM_PORT
    }

    /// The number of a port of this node.
    #[inline(always)]
    pub const fn as_local_port(self) -> Option<u64> {
        if self.is_local_port() {
            Some(self.0 >> 8)
        } else {
            None
        }
    }

    /// Is this the empty list?
    #[inline(always)]
    pub const fn is_nil(self) -> bool {
        self.0 == IMM_NIL
    }

    /// Is this `NONVALUE`?
    #[inline(always)]
    pub const fn is_nonvalue(self) -> bool {
        self.0 == 0xfe
    }

    /// Is this a value that needs no memory?
    #[inline(always)]
    pub const fn is_immediate(self) -> bool {
        !matches!(self.0 & TAG_MASK, TAG_CONS | TAG_BOXED)
    }

    // ---- floats ----

    /// The flonum for `f`, or nothing where it must be boxed.
    #[inline(always)]
    pub const fn try_flonum(f: f64) -> Option<Term> {
        let r = f.to_bits().rotate_left(1);
        let e = if r <= 1 {
            r
        } else {
            let e = r.wrapping_sub(FLONUM_OFFSET);
            if e <= 1 || e >= 1 << 61 {
                return None;
            }
            e
        };
        Some(Term((e << TAG_BITS) | TAG_FLONUM))
    }

    /// Is this a flonum?
    #[inline(always)]
    pub const fn is_flonum(self) -> bool {
        self.0 & TAG_MASK == TAG_FLONUM
    }

    /// The value of a flonum, unchecked.
    #[inline(always)]
    pub const fn flonum_value(self) -> f64 {
        let e = self.0 >> TAG_BITS;
        let r = if e <= 1 {
            e
        } else {
            e.wrapping_add(FLONUM_OFFSET)
        };
        f64::from_bits(r.rotate_right(1))
    }

    /// Is this a float, flonum or boxed?
    #[inline(always)]
    pub fn is_float(self) -> bool {
        self.is_flonum() || self.is_kind(Kind::Float)
    }

    /// The value, if this is a float.
    #[inline]
    pub fn as_float(self) -> Option<f64> {
        if self.is_flonum() {
            Some(self.flonum_value())
        } else if self.is_kind(Kind::Float) {
            Some(f64::from_bits(self.word(1)))
        } else {
            None
        }
    }

    // ---- pointers ----

    /// Is this a list cell?
    #[inline(always)]
    pub const fn is_cons(self) -> bool {
        self.0 & TAG_MASK == TAG_CONS
    }

    /// Is this a list cell or the empty list?
    #[inline(always)]
    pub const fn is_list(self) -> bool {
        self.is_cons() || self.is_nil()
    }

    /// Is this a pointer to a boxed object?
    #[inline(always)]
    pub const fn is_boxed(self) -> bool {
        self.0 & TAG_MASK == TAG_BOXED
    }

    /// The address that a cons or boxed term points to.
    #[inline(always)]
    pub const fn ptr(self) -> *mut u64 {
        (self.0 & !TAG_MASK) as *mut u64
    }

    /// A term for a cons cell at `p`.
    #[inline(always)]
    pub(crate) fn cons_at(p: *const u64) -> Term {
        Term(p as u64 | TAG_CONS)
    }

    /// A term for a boxed object at `p`.
    #[inline(always)]
    pub(crate) fn boxed_at(p: *const u64) -> Term {
        Term(p as u64 | TAG_BOXED)
    }

    /// Word `i` of the object a cons or boxed term points to.
    #[inline(always)]
    pub(crate) fn word(self, i: usize) -> u64 {
        debug_assert!(self.is_cons() || self.is_boxed());
        // SAFETY: a cons or boxed term points to a live object; callers stay inside it, as its header says.
        unsafe { *self.ptr().add(i) }
    }

    /// The head of a list cell, unchecked.
    #[inline(always)]
    pub(crate) fn head(self) -> Term {
        Term(self.cell_word(0))
    }

    /// The tail of a list cell, unchecked.
    #[inline(always)]
    pub(crate) fn tail(self) -> Term {
        Term(self.cell_word(1))
    }

    /// A word of a list cell. Going from cell to cell waits for each address, so the tag is part of the displacement here.
    #[inline(always)]
    fn cell_word(self, i: usize) -> u64 {
        debug_assert!(self.is_cons());
        // SAFETY: a cons points to a live cell of two words.
        unsafe { *((self.0.wrapping_sub(TAG_CONS)) as *const u64).add(i) }
    }

    /// Head and tail, if this is a list cell.
    #[inline(always)]
    pub fn as_cons(self) -> Option<(Term, Term)> {
        if self.is_cons() {
            Some((self.head(), self.tail()))
        } else {
            None
        }
    }

    /// The header of a boxed term, unchecked.
    #[inline(always)]
    pub(crate) fn header(self) -> Header {
        Header(self.word(0))
    }

    /// Is this a boxed object of this kind?
    #[inline(always)]
    pub fn is_kind(self, k: Kind) -> bool {
        self.is_boxed() && self.header().kind_bits() == k as u64
    }

    /// The kind, if this is boxed.
    #[inline(always)]
    pub fn kind(self) -> Option<Kind> {
        if self.is_boxed() {
            Some(self.header().kind())
        } else {
            None
        }
    }

    // ---- tuples ----

    /// Is this a tuple?
    #[inline(always)]
    pub fn is_tuple(self) -> bool {
        self.is_kind(Kind::Tuple)
    }

    /// The elements, if this is a tuple. The slice lives as long as the object: until the next point
    /// where the owner may collect garbage.
    #[inline]
    pub fn as_tuple<'a>(self) -> Option<&'a [Term]> {
        if self.is_tuple() {
            Some(self.terms_from(1, self.header().words()))
        } else {
            None
        }
    }

    /// The elements, if this is a tuple of `N`.
    #[inline]
    pub fn as_tuple_n<'a, const N: usize>(self) -> Option<&'a [Term; N]> {
        self.as_tuple().and_then(|e| e.try_into().ok())
    }

    /// `count` words from word `start` on, as terms.
    #[inline(always)]
    pub(crate) fn terms_from<'a>(self, start: usize, count: usize) -> &'a [Term] {
        // SAFETY: callers take the bounds from the object's own header.
        unsafe { std::slice::from_raw_parts(self.ptr().add(start).cast::<Term>(), count) }
    }

    /// The number of a reference made on this node; `self` must be one.
    #[inline]
    pub fn ref_number(self) -> u64 {
        match self.kind() {
            Some(Kind::Ref) => self.word(1),
            Some(Kind::MagicRef) => self.word(2),
            _ => crate::bug::wrong_kind("reference of this node"),
        }
    }

    /// Packed pid of the process whose alias a reference is; 0 for others.
    #[inline]
    pub fn ref_owner(self) -> u64 {
        if self.is_kind(Kind::Ref) {
            self.word(2)
        } else {
            0
        }
    }

    // ---- classes ----

    /// Is this an integer of any size?
    #[inline(always)]
    pub fn is_integer(self) -> bool {
        self.is_small() || self.is_big()
    }

    /// Is this a big integer?
    #[inline(always)]
    pub fn is_big(self) -> bool {
        self.is_boxed() && self.header().kind_bits() | 1 == Kind::BigNeg as u64 | 1
    }

    /// Is this an integer or a float?
    #[inline]
    pub fn is_number(self) -> bool {
        self.is_integer() || self.is_float()
    }

    /// Is this a pid of any node?
    #[inline]
    pub fn is_pid(self) -> bool {
        self.is_local_pid() || self.is_kind(Kind::ExtPid)
    }

    /// Is this a port of any node?
    #[inline]
    pub fn is_port(self) -> bool {
        self.is_local_port() || self.is_kind(Kind::ExtPort)
    }

    /// Is this a reference?
    #[inline]
    pub fn is_reference(self) -> bool {
        matches!(self.kind(), Some(Kind::Ref | Kind::MagicRef | Kind::ExtRef))
    }

    /// Is this a fun, local or external?
    #[inline]
    pub fn is_function(self) -> bool {
        matches!(self.kind(), Some(Kind::Fun | Kind::Export))
    }

    /// Is this a map?
    #[inline]
    pub fn is_map(self) -> bool {
        matches!(self.kind(), Some(Kind::FlatMap | Kind::HashMap))
    }

    /// Is this a bitstring?
    #[inline(always)]
    pub fn is_bitstring(self) -> bool {
        matches!(
            self.kind(),
            Some(Kind::HeapBits | Kind::BinRef | Kind::SubBits | Kind::MatchCtx)
        )
    }
}

impl From<Atom> for Term {
    #[inline(always)]
    fn from(a: Atom) -> Term {
        Term::atom(a)
    }
}

impl From<bool> for Term {
    #[inline(always)]
    fn from(b: bool) -> Term {
        Term::bool(b)
    }
}

/// A header word: what a boxed object is and how many words follow.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Header(pub(crate) u64);

impl Header {
    /// A header for an object of `kind` with `words` words after it.
    #[inline(always)]
    pub const fn new(kind: Kind, words: usize) -> Header {
        Header(((words as u64) << 8) | ((kind as u64) << 3) | TAG_HEADER)
    }

    /// Is this word a header?
    #[inline(always)]
    pub const fn is_header(word: u64) -> bool {
        word & TAG_MASK == TAG_HEADER
    }

    /// The word itself.
    #[inline(always)]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// Number of words after the header.
    #[inline(always)]
    pub const fn words(self) -> usize {
        (self.0 >> 8) as usize
    }

    #[inline(always)]
    pub(crate) const fn kind_bits(self) -> u64 {
        (self.0 >> 3) & 31
    }

    /// The kind of object.
    #[inline(always)]
    pub fn kind(self) -> Kind {
        Kind::from_bits(self.kind_bits())
    }
}

/// Words that appear on an Erlang stack only; the collector passes over them.
pub mod stack_word {
    use super::TAG_INTERNAL;

    /// A return address.
    #[inline(always)]
    pub fn return_pc(pc: *const u64) -> u64 {
        ((pc as u64) << 4) | TAG_INTERNAL
    }

    /// Set in the return address of a function for which native code keeps a list to which it adds.
    const OPEN: u64 = 16;

    /// Set in return addresses that are no places in a function's bytecode, but stand for such ones.
    const POINT: u64 = 32;

    /// The return address of a call in native code.
    #[inline(always)]
    pub fn return_point(point: *const u64) -> u64 {
        return_pc(point) | POINT
    }

    /// Is this return address no place in bytecode?
    #[inline(always)]
    pub fn is_point(word: u64) -> bool {
        word & POINT != 0
    }

    /// The return address of a function for which native code keeps a list, while elements are added to it.
    #[inline(always)]
    pub fn open_list(point: *const u64) -> u64 {
        return_point(point) | OPEN
    }

    /// The same when no more elements are added.
    #[inline(always)]
    pub fn closed_list(word: u64) -> u64 {
        word & !OPEN
    }

    /// Is this the return address of a function for which native code adds to a list?
    #[inline(always)]
    pub fn is_open_list(word: u64) -> bool {
        word & (OPEN | 15) == OPEN | TAG_INTERNAL
    }

    /// A catch or try handler.
    #[inline(always)]
    pub fn catch(pc: *const u64) -> u64 {
        ((pc as u64) << 4) | 8 | TAG_INTERNAL
    }

    /// Is this a return address?
    #[inline(always)]
    pub fn is_return(word: u64) -> bool {
        word & 15 == TAG_INTERNAL
    }

    /// Is this a handler?
    #[inline(always)]
    pub fn is_catch(word: u64) -> bool {
        word & 15 == 15
    }

    /// The bytecode address in either kind of word.
    #[inline(always)]
    pub fn pc(word: u64) -> *const u64 {
        (word >> 4 & !7) as *const u64
    }
}

const _: () = {
    assert!(std::mem::size_of::<Term>() == 8);
    assert!(Term::small(-1).small_value() == -1);
    assert!(Term::small(MAX_SMALL).small_value() == MAX_SMALL);
    assert!(Header::is_header(Term::NONVALUE.0));
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flonums_round_trip_and_are_canonical() {
        for f in [
            0.0,
            -0.0,
            1.0,
            -1.0,
            3.25,
            1e30,
            -1e-30,
            1e38,
            f64::MIN_POSITIVE,
            f64::MAX,
            1e-39,
        ] {
            if let Some(t) = Term::try_flonum(f) {
                assert_eq!(t.flonum_value().to_bits(), f.to_bits());
            }
        }
        assert!(Term::try_flonum(1.0).is_some());
        assert!(Term::try_flonum(0.0).is_some());
        assert!(Term::try_flonum(f64::MAX).is_none());
        assert!(Term::try_flonum(f64::MIN_POSITIVE).is_none());
    }

    #[test]
    fn immediates_keep_their_payload() {
        assert_eq!(Term::local_pid(77).as_local_pid(), Some(77));
        assert!(Term::bool(true).is_atom());
        assert!(Term::NIL.is_list() && !Term::NIL.is_cons());
        assert!(Term::NIL.is_immediate());
    }
}
