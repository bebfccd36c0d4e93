//! Terms, and what they are asked.

use crate::binary::{Binary, OwnedBinary};
use crate::convert::Decode;
use crate::env::Env;
use crate::sys::{self, RawTerm};
use std::cmp::Ordering;
use std::fmt;

/// A term is not what it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadTerm;

impl fmt::Display for BadTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the term is of another kind")
    }
}

impl std::error::Error for BadTerm {}

/// What a term is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Kind {
    Atom,
    Bitstring,
    Float,
    Fun,
    Integer,
    List,
    Map,
    Pid,
    Port,
    Reference,
    Tuple,
    /// One that this interface does not know.
    Other,
}

/// A term of an environment.
#[derive(Clone, Copy)]
pub struct Term<'e> {
    pub(crate) raw: RawTerm,
    pub(crate) env: Env<'e>,
}

impl<'e> Term<'e> {
    /// Where it is.
    pub fn env(self) -> Env<'e> {
        self.env
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        // SAFETY: the term is one of this environment.
        match unsafe { sys::enif_term_type(self.env.raw(), self.raw) } {
            1 => Kind::Atom,
            2 => Kind::Bitstring,
            3 => Kind::Float,
            4 => Kind::Fun,
            5 => Kind::Integer,
            6 => Kind::List,
            7 => Kind::Map,
            8 => Kind::Pid,
            9 => Kind::Port,
            10 => Kind::Reference,
            11 => Kind::Tuple,
            _ => Kind::Other,
        }
    }

    /// As a value of Rust.
    pub fn to<T: Decode<'e>>(self) -> Result<T, BadTerm> {
        T::decode(self)
    }

    /// The bytes of an I/O list or binary. They are copied only where they are not in one piece.
    pub fn iolist(self) -> Result<Binary<'e>, BadTerm> {
        Binary::of_iolist(self)
    }

    /// The elements of a proper list. One that is not proper ends with an error in the place of its tail.
    pub fn list(self) -> Result<List<'e>, BadTerm> {
        let list = List(Some(self));
        match self.kind() {
            Kind::List => Ok(list),
            _ => Err(BadTerm),
        }
    }

    /// The elements of a tuple.
    pub fn tuple(self) -> Result<Vec<Term<'e>>, BadTerm> {
        let (mut arity, mut elements) = (0, std::ptr::null());
        // SAFETY: the term is one of this environment; there are places for what is told.
        let is = unsafe {
            sys::enif_get_tuple(self.env.raw(), self.raw, &mut arity, &mut elements) != 0
        };
        if !is {
            return Err(BadTerm);
        }
        let arity = usize::try_from(arity).unwrap_or(0);
        if arity == 0 {
            return Ok(Vec::new());
        }
        // SAFETY: a tuple has this many elements at this address as long as its environment.
        let elements = unsafe { std::slice::from_raw_parts(elements, arity) };
        Ok(elements.iter().map(|&raw| self.env.term(raw)).collect())
    }

    /// The elements of a tuple of `N`.
    pub fn tuple_of<const N: usize>(self) -> Result<[Term<'e>; N], BadTerm> {
        self.tuple()?.try_into().map_err(|_| BadTerm)
    }

    /// How many pairs a map has.
    pub fn map_size(self) -> Result<usize, BadTerm> {
        let mut size = 0;
        // SAFETY: the term is one of this environment; there is a place for the number.
        let is = unsafe { sys::enif_get_map_size(self.env.raw(), self.raw, &mut size) != 0 };
        if is { Ok(size) } else { Err(BadTerm) }
    }

    /// The value of a key in a map; nothing if it has none.
    pub fn get(self, key: Term<'e>) -> Result<Option<Term<'e>>, BadTerm> {
        self.map_size()?;
        let mut value = 0;
        // SAFETY: both are terms of this environment; there is a place for the value.
        let found =
            unsafe { sys::enif_get_map_value(self.env.raw(), self.raw, key.raw, &mut value) != 0 };
        Ok(found.then(|| self.env.term(value)))
    }

    /// A map with this value for the key.
    pub fn with(self, key: Term<'e>, value: Term<'e>) -> Result<Term<'e>, BadTerm> {
        let mut map = 0;
        // SAFETY: all are terms of this environment; there is a place for the map.
        let is = unsafe {
            sys::enif_make_map_put(self.env.raw(), self.raw, key.raw, value.raw, &mut map) != 0
        };
        if is {
            Ok(self.env.term(map))
        } else {
            Err(BadTerm)
        }
    }

    /// A map without the key.
    pub fn without(self, key: Term<'e>) -> Result<Term<'e>, BadTerm> {
        let mut map = 0;
        // SAFETY: both are terms of this environment; there is a place for the map.
        let is =
            unsafe { sys::enif_make_map_remove(self.env.raw(), self.raw, key.raw, &mut map) != 0 };
        if is {
            Ok(self.env.term(map))
        } else {
            Err(BadTerm)
        }
    }

    /// The pairs of a map.
    pub fn pairs(self) -> Result<crate::map::Pairs<'e>, BadTerm> {
        crate::map::Pairs::of(self)
    }

    /// The order of terms. Unlike `==`, it takes an integer and a float of the same value for equal.
    pub fn order(self, other: Term<'_>) -> Ordering {
        // SAFETY: both are terms of environments that are there.
        unsafe { sys::enif_compare(self.raw, other.raw) }.cmp(&0)
    }

    /// As `erlang:phash2/1`.
    pub fn hash(self) -> u32 {
        // SAFETY: the term is one of an environment that is there.
        unsafe { sys::enif_hash(sys::PHASH2, self.raw, 0) as u32 }
    }

    /// A copy in another environment.
    pub fn copy_to(self, env: Env<'_>) -> Term<'_> {
        // SAFETY: the term is one of an environment that is there, and the other one is valid.
        env.term(unsafe { sys::enif_make_copy(env.raw(), self.raw) })
    }

    /// In the external term format.
    pub fn to_external(self) -> Result<OwnedBinary, BadTerm> {
        OwnedBinary::filled(|binary| {
            // SAFETY: the term is one of this environment; there is a place for the binary.
            unsafe { sys::enif_term_to_binary(self.env.raw(), self.raw, binary) != 0 }
        })
        .ok_or(BadTerm)
    }
}

/// Exactly equal, as `=:=`.
impl PartialEq<Term<'_>> for Term<'_> {
    fn eq(&self, other: &Term<'_>) -> bool {
        // SAFETY: both are terms of environments that are there.
        unsafe { sys::enif_is_identical(self.raw, other.raw) != 0 }
    }
}

impl Eq for Term<'_> {}

/// The elements of a list.
#[derive(Clone)]
pub struct List<'e>(Option<Term<'e>>);

impl<'e> List<'e> {
    /// What is left of it; panics where nothing is, because it has ended.
    pub fn rest(&self) -> Term<'e> {
        self.0.expect("the list has not ended")
    }
}

impl<'e> Iterator for List<'e> {
    type Item = Result<Term<'e>, BadTerm>;

    fn next(&mut self) -> Option<Self::Item> {
        let list = self.0.take()?;
        let env = list.env;
        let (mut head, mut tail) = (0, 0);
        // SAFETY: the term is one of this environment; there are places for head and tail.
        if unsafe { sys::enif_get_list_cell(env.raw(), list.raw, &mut head, &mut tail) != 0 } {
            self.0 = Some(env.term(tail));
            return Some(Ok(env.term(head)));
        }
        // SAFETY: the term is one of this environment.
        let is_end = unsafe { sys::enif_is_empty_list(env.raw(), list.raw) != 0 };
        (!is_end).then_some(Err(BadTerm))
    }
}
