//! From terms to values of Rust, and back.

use crate::atom::Atom;
use crate::binary::Binary;
use crate::env::Env;
use crate::process::Pid;
use crate::sys;
use crate::term::{BadTerm, Term};

/// What a term can become.
pub trait Decode<'e>: Sized {
    /// The value of a term of the right kind.
    fn decode(term: Term<'e>) -> Result<Self, BadTerm>;
}

/// What can become a term.
pub trait Encode<'e> {
    /// The term.
    fn encode(self, env: Env<'e>) -> Term<'e>;
}

macro_rules! integers {
    ($get:ident $make:ident $wide:ty: $($narrow:ty)*) => {$(
        impl Decode<'_> for $narrow {
            fn decode(term: Term<'_>) -> Result<$narrow, BadTerm> {
                let mut n = 0;
                // SAFETY: the term is one of this environment; there is a place for the number.
                let is = unsafe { sys::$get(term.env.raw(), term.raw, &mut n) != 0 };
                if is { n.try_into().map_err(|_| BadTerm) } else { Err(BadTerm) }
            }
        }

        impl<'e> Encode<'e> for $narrow {
            fn encode(self, env: Env<'e>) -> Term<'e> {
                // SAFETY: the environment is valid.
                env.term(unsafe { sys::$make(env.raw(), self as $wide) })
            }
        }
    )*};
}

integers!(enif_get_long enif_make_long std::ffi::c_long: i8 i16 i32 i64 isize);
integers!(enif_get_ulong enif_make_ulong std::ffi::c_ulong: u8 u16 u32 u64 usize);

impl Decode<'_> for f64 {
    fn decode(term: Term<'_>) -> Result<f64, BadTerm> {
        let mut f = 0.0;
        // SAFETY: the term is one of this environment; there is a place for the number.
        let is = unsafe { sys::enif_get_double(term.env.raw(), term.raw, &mut f) != 0 };
        if is { Ok(f) } else { Err(BadTerm) }
    }
}

impl Decode<'_> for bool {
    fn decode(term: Term<'_>) -> Result<bool, BadTerm> {
        match Atom::of(term)?.name(term.env).as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(BadTerm),
        }
    }
}

impl<'e> Encode<'e> for bool {
    fn encode(self, env: Env<'e>) -> Term<'e> {
        env.atom(if self { "true" } else { "false" })
    }
}

impl<'e> Decode<'e> for Term<'e> {
    fn decode(term: Term<'e>) -> Result<Term<'e>, BadTerm> {
        Ok(term)
    }
}

impl<'e> Encode<'e> for Term<'e> {
    fn encode(self, _: Env<'e>) -> Term<'e> {
        self
    }
}

impl Decode<'_> for Atom {
    fn decode(term: Term<'_>) -> Result<Atom, BadTerm> {
        Atom::of(term)
    }
}

impl<'e> Encode<'e> for Atom {
    fn encode(self, env: Env<'e>) -> Term<'e> {
        self.term(env)
    }
}

impl Decode<'_> for Pid {
    fn decode(term: Term<'_>) -> Result<Pid, BadTerm> {
        Pid::of(term)
    }
}

impl<'e> Encode<'e> for Pid {
    fn encode(self, env: Env<'e>) -> Term<'e> {
        self.term(env)
    }
}

impl<'e> Decode<'e> for Binary<'e> {
    fn decode(term: Term<'e>) -> Result<Binary<'e>, BadTerm> {
        Binary::of(term)
    }
}

impl<'e> Encode<'e> for &[u8] {
    fn encode(self, env: Env<'e>) -> Term<'e> {
        env.binary(self)
    }
}

/// A binary of UTF-8.
impl<'e> Decode<'e> for &'e str {
    fn decode(term: Term<'e>) -> Result<&'e str, BadTerm> {
        std::str::from_utf8(Binary::of(term)?.bytes()).map_err(|_| BadTerm)
    }
}

impl<'e> Encode<'e> for &str {
    fn encode(self, env: Env<'e>) -> Term<'e> {
        env.binary(self.as_bytes())
    }
}

/// A proper list.
impl<'e, T: Decode<'e>> Decode<'e> for Vec<T> {
    fn decode(term: Term<'e>) -> Result<Vec<T>, BadTerm> {
        term.list()?.map(|element| T::decode(element?)).collect()
    }
}

impl<'e, T: Encode<'e>> Encode<'e> for Vec<T> {
    fn encode(self, env: Env<'e>) -> Term<'e> {
        let elements: Vec<Term<'e>> = self.into_iter().map(|v| v.encode(env)).collect();
        env.list(&elements)
    }
}

macro_rules! tuples {
    ($($count:literal: $($name:ident)*;)*) => {$(
        #[allow(non_snake_case, reason = "a value is named like its type")]
        impl<'e, $($name: Decode<'e>),*> Decode<'e> for ($($name,)*) {
            fn decode(term: Term<'e>) -> Result<Self, BadTerm> {
                let [$($name),*] = term.tuple_of::<$count>()?;
                Ok(($($name.to()?,)*))
            }
        }

        #[allow(non_snake_case, reason = "a value is named like its type")]
        impl<'e, $($name: Encode<'e>),*> Encode<'e> for ($($name,)*) {
            fn encode(self, env: Env<'e>) -> Term<'e> {
                let ($($name,)*) = self;
                env.tuple(&[$($name.encode(env)),*])
            }
        }
    )*};
}

tuples! {
    1: A;
    2: A B;
    3: A B C;
    4: A B C D;
    5: A B C D E;
}
