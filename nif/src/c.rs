//! The border to C: words, pointers and texts as libraries hand them over.
//!
//! The functions of the interface take these types instead of bare pointers, so that all reading and writing of C's memory is
//! here. It is sound by the contract of `erl_nif.h`, which every library accepts that is loaded: values of these types come
//! from C code only (their fields are private, and Rust makes them of its own memory where it calls C), a pointer is null or leads
//! to what the function's declaration says, and stays so for the call. What a library does against that contract cannot be
//! caught, on BEAM neither. Null is no error here: nothing is read or written then.
//!
//! A term is the VM's own word, but for the integer 0: its word is 0, which is no term of BEAM's, so libraries initialise variables with it and
//! ask whether they have got anything. They get another word for it; the arrays of tuples and of arguments, which they
//! read where these are, hold 0, and it is taken for what it is. Words that cannot be a term (no value, what stands in memory or on stacks only) become the
//! empty list where they would be built into another term, so that they never reach Erlang code.

use enigma_runtime::Term;
use enigma_runtime::term::{TAG_BOXED, TAG_CONS, TAG_FLONUM};
use std::ffi::{CStr, c_char};

/// `ERL_NIF_TERM`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Word(u64);

/// The integer 0 for libraries: the word has a tag that no term has.
const ZERO: u64 = 5;

/// Addresses below are no objects, nor are those above what a process may have.
const LOWEST: u64 = 1 << 12;
const HIGHEST: u64 = 1 << 56;

impl Word {
    /// What stands for no term, as what an exception gives.
    pub const NONE: Word = Word(Term::NONVALUE.raw());

    /// A word as C holds it among others.
    pub fn of_raw(raw: u64) -> Word {
        Word(raw)
    }

    /// The term, if the word can be one.
    #[inline(always)]
    pub fn get(self) -> Option<Term> {
        let tag = self.0 & 7;
        if self.0 == ZERO {
            return Some(Term::small(0));
        }
        let is = match tag {
            TAG_CONS | TAG_BOXED => (LOWEST..HIGHEST).contains(&self.0),
            _ => tag <= TAG_FLONUM,
        };
        // SAFETY: the word is not one of the VM's other words; that it is a term of an environment that is there is the library's
        // part of the contract.
        is.then(|| unsafe { Term::from_raw(self.0) })
    }

    /// The term, or the empty list.
    #[inline(always)]
    pub fn term(self) -> Term {
        self.get().unwrap_or(Term::NIL)
    }

    /// Is it no term?
    pub fn is_none(self) -> bool {
        self == Word::NONE
    }
}

impl From<Term> for Word {
    #[inline(always)]
    fn from(t: Term) -> Word {
        Word(if t.raw() == 0 { ZERO } else { t.raw() })
    }
}

/// A pointer to a value, to several of them, or to none.
#[repr(transparent)]
pub struct Ptr<T>(*mut T);

impl<T> Clone for Ptr<T> {
    fn clone(&self) -> Ptr<T> {
        *self
    }
}

impl<T> Copy for Ptr<T> {}

impl<T> Ptr<T> {
    /// Null.
    pub const NULL: Ptr<T> = Ptr(std::ptr::null_mut());

    /// A pointer for C to memory of Rust's.
    pub const fn to(p: *mut T) -> Ptr<T> {
        Ptr(p)
    }

    /// The address.
    pub fn address(self) -> *mut T {
        self.0
    }

    /// Writes the value.
    #[inline(always)]
    pub fn set(self, value: T) {
        if !self.0.is_null() {
            // SAFETY: see the module's text; what was there need not be initialised.
            unsafe { self.0.write(value) };
        }
    }

    /// Writes the value, if there is one. Is there?
    #[inline(always)]
    pub fn store(self, value: Option<impl Into<T>>) -> Bool {
        let there = value.is_some();
        if let Some(value) = value {
            self.set(value.into());
        }
        there.into()
    }

    /// The value.
    #[inline(always)]
    pub fn get<'a>(self) -> Option<&'a T> {
        // SAFETY: see the module's text.
        unsafe { self.0.as_ref() }
    }

    /// The value, to change.
    #[inline(always)]
    pub fn get_mut<'a>(self) -> Option<&'a mut T> {
        // SAFETY: see the module's text; nobody else uses it during the call.
        unsafe { self.0.as_mut() }
    }

    /// So many values.
    pub fn slice<'a>(self, count: usize) -> &'a [T] {
        if self.0.is_null() || count == 0 {
            return &[];
        }
        // SAFETY: see the module's text.
        unsafe { std::slice::from_raw_parts(self.0, count) }
    }

    /// Writes so many values.
    pub fn copy_from(self, values: &[T])
    where
        T: Copy,
    {
        if !self.0.is_null() {
            // SAFETY: see the module's text: there is room for them.
            unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.0, values.len()) };
        }
    }
}

/// A text that ends with a zero byte.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct CText(*const c_char);

impl CText {
    /// Its bytes, without the zero.
    pub fn bytes<'a>(self) -> &'a [u8] {
        if self.0.is_null() {
            return &[];
        }
        // SAFETY: see the module's text.
        unsafe { CStr::from_ptr(self.0) }.to_bytes()
    }

    /// The bytes, each taken for a character.
    pub fn latin1(self) -> String {
        self.bytes().iter().map(|&b| char::from(b)).collect()
    }

    /// Is there none?
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The same as C has it.
    pub fn c_str<'a>(self) -> Option<&'a CStr> {
        // SAFETY: see the module's text.
        (!self.0.is_null()).then(|| unsafe { CStr::from_ptr(self.0) })
    }
}

/// The truth values that C functions give.
pub type Bool = std::ffi::c_int;

/// An encoding of texts: `ErlNifCharEncoding`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CharEncoding {
    /// Each byte a character.
    Latin1,
    /// UTF-8.
    Utf8,
}

impl CharEncoding {
    /// The encoding with this number; UTF-8 since version 2.17 of the interface.
    pub fn of(number: std::ffi::c_int) -> Option<CharEncoding> {
        match number {
            1 => Some(CharEncoding::Latin1),
            2 if enigma_runtime::release::number() >= 26 => Some(CharEncoding::Utf8),
            _ => None,
        }
    }

    /// The text that these bytes are.
    pub fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            CharEncoding::Latin1 => Some(bytes.iter().map(|&b| char::from(b)).collect()),
            CharEncoding::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
        }
    }

    /// The bytes of a text, if it has some in this encoding.
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            CharEncoding::Latin1 => text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).ok())
                .collect(),
            CharEncoding::Utf8 => Some(text.as_bytes().to_vec()),
        }
    }
}
