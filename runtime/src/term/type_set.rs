//! Sets of types: what is known of a value that is not known itself.

use super::{Kind, Term};
use crate::atom::Atom;
use std::fmt;
use std::ops::BitOr;

/// A set of types. Each term is of exactly one of the single types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TypeSet(u32);

macro_rules! types {
    ($($(#[$doc:meta])* $name:ident = $bit:literal $text:literal;)*) => {
        impl TypeSet {
            $(
                $(#[$doc])*
                pub const $name: TypeSet = TypeSet(1 << $bit);
            )*
        }

        /// The types with their names.
        const NAMES: &[(TypeSet, &str)] = &[$((TypeSet::$name, $text)),*];
    };
}

types! {
    /// `true` and `false`.
    BOOLEAN = 0 "boolean";
    /// Atoms that are no booleans.
    OTHER_ATOM = 1 "atom";
    /// Integers that are immediates.
    SMALL = 2 "small";
    /// All other integers.
    BIG = 3 "big";
    /// Floats.
    FLOAT = 4 "float";
    /// The empty list.
    NIL = 5 "nil";
    /// Cells.
    CONS = 6 "cons";
    /// Tuples.
    TUPLE = 7 "tuple";
    /// Maps.
    MAP = 8 "map";
    /// Bitstrings of whole bytes.
    BINARY = 9 "binary";
    /// All other bitstrings.
    ODD_BITS = 10 "odd bitstring";
    /// Pids.
    PID = 11 "pid";
    /// Ports.
    PORT = 12 "port";
    /// References.
    REFERENCE = 13 "reference";
    /// Funs.
    FUN = 14 "fun";
    /// Native records.
    RECORD = 15 "record";
}

impl TypeSet {
    /// No type: the value of what does not return.
    pub const NONE: TypeSet = TypeSet(0);
    /// All types.
    pub const ANY: TypeSet = TypeSet(0xffff);
    /// Atoms.
    pub const ATOM: TypeSet = TypeSet::BOOLEAN.or(TypeSet::OTHER_ATOM);
    /// Integers.
    pub const INTEGER: TypeSet = TypeSet::SMALL.or(TypeSet::BIG);
    /// Integers and floats.
    pub const NUMBER: TypeSet = TypeSet::INTEGER.or(TypeSet::FLOAT);
    /// Cells and the empty list.
    pub const LIST: TypeSet = TypeSet::NIL.or(TypeSet::CONS);
    /// Bitstrings.
    pub const BITSTRING: TypeSet = TypeSet::BINARY.or(TypeSet::ODD_BITS);

    /// What is in one or the other.
    pub const fn or(self, other: TypeSet) -> TypeSet {
        TypeSet(self.0 | other.0)
    }

    /// Is everything in `self` in `other` too?
    pub const fn is_within(self, other: TypeSet) -> bool {
        self.0 & !other.0 == 0
    }

    /// The one type of a term.
    pub fn of(t: Term) -> TypeSet {
        if let Some(a) = t.as_atom() {
            return if a == Atom::TRUE || a == Atom::FALSE {
                TypeSet::BOOLEAN
            } else {
                TypeSet::OTHER_ATOM
            };
        }
        if t.is_small() {
            TypeSet::SMALL
        } else if t.is_integer() {
            TypeSet::BIG
        } else if t.is_float() {
            TypeSet::FLOAT
        } else if t.is_nil() {
            TypeSet::NIL
        } else if t.is_cons() {
            TypeSet::CONS
        } else if t.is_tuple() {
            TypeSet::TUPLE
        } else if t.is_map() {
            TypeSet::MAP
        } else if t.is_binary() {
            TypeSet::BINARY
        } else if t.is_bitstring() {
            TypeSet::ODD_BITS
        } else if t.is_pid() {
            TypeSet::PID
        } else if t.is_port() {
            TypeSet::PORT
        } else if t.is_reference() {
            TypeSet::REFERENCE
        } else if t.is_function() {
            TypeSet::FUN
        } else if t.is_kind(Kind::Record) {
            TypeSet::RECORD
        } else {
            TypeSet::NONE
        }
    }
}

impl BitOr for TypeSet {
    type Output = TypeSet;

    fn bitor(self, other: TypeSet) -> TypeSet {
        self.or(other)
    }
}

impl fmt::Display for TypeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == TypeSet::ANY {
            return f.write_str("any");
        }
        let names = NAMES.iter().filter(|(t, _)| t.is_within(*self));
        let names: Vec<&str> = names.map(|n| n.1).collect();
        f.write_str(&names.join(" | "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_have_one_type() {
        let some = [
            (Term::NIL, TypeSet::NIL),
            (Term::small(-1), TypeSet::SMALL),
            (Atom::TRUE.into(), TypeSet::BOOLEAN),
            (Atom::OK.into(), TypeSet::OTHER_ATOM),
            (Term::local_pid(3), TypeSet::PID),
        ];
        for (t, set) in some {
            assert_eq!(TypeSet::of(t), set);
        }
        assert_eq!(
            (TypeSet::LIST | TypeSet::PID).to_string(),
            "nil | cons | pid"
        );
        assert_eq!(TypeSet::ANY.to_string(), "any");
    }
}
