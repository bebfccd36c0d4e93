//! Sets of types: what is known of a value that is not known itself.

use super::{Kind, Term};
use crate::atom::Atom;
use std::fmt;
use std::ops::BitOr;

/// A set of types. Each term is of exactly one of the single types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TermTypes(u32);

macro_rules! types {
    ($($(#[$doc:meta])* $name:ident = $bit:literal $text:literal;)*) => {
        impl TermTypes {
            $(
                $(#[$doc])*
                pub const $name: TermTypes = TermTypes(1 << $bit);
            )*
        }

        /// The types with their names.
        const NAMES: &[(TermTypes, &str)] = &[$((TermTypes::$name, $text)),*];
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

impl TermTypes {
    /// No type: the value of what does not return.
    pub const NONE: TermTypes = TermTypes(0);
    /// All types.
    pub const ANY: TermTypes = TermTypes(0xffff);
    /// Atoms.
    pub const ATOM: TermTypes = TermTypes::BOOLEAN.or(TermTypes::OTHER_ATOM);
    /// Integers.
    pub const INTEGER: TermTypes = TermTypes::SMALL.or(TermTypes::BIG);
    /// Integers and floats.
    pub const NUMBER: TermTypes = TermTypes::INTEGER.or(TermTypes::FLOAT);
    /// Cells and the empty list.
    pub const LIST: TermTypes = TermTypes::NIL.or(TermTypes::CONS);
    /// Bitstrings.
    pub const BITSTRING: TermTypes = TermTypes::BINARY.or(TermTypes::ODD_BITS);

    /// What is in one or the other.
    pub const fn or(self, other: TermTypes) -> TermTypes {
        TermTypes(self.0 | other.0)
    }

    /// Is everything in `self` in `other` too?
    pub const fn is_within(self, other: TermTypes) -> bool {
        self.0 & !other.0 == 0
    }

    /// The one type of a term.
    pub fn of(t: Term) -> TermTypes {
        if let Some(a) = t.as_atom() {
            return if a == Atom::TRUE || a == Atom::FALSE {
                TermTypes::BOOLEAN
            } else {
                TermTypes::OTHER_ATOM
            };
        }
        if t.is_small() {
            TermTypes::SMALL
        } else if t.is_integer() {
            TermTypes::BIG
        } else if t.is_float() {
            TermTypes::FLOAT
        } else if t.is_nil() {
            TermTypes::NIL
        } else if t.is_cons() {
            TermTypes::CONS
        } else if t.is_tuple() {
            TermTypes::TUPLE
        } else if t.is_map() {
            TermTypes::MAP
        } else if t.is_binary() {
            TermTypes::BINARY
        } else if t.is_bitstring() {
            TermTypes::ODD_BITS
        } else if t.is_pid() {
            TermTypes::PID
        } else if t.is_port() {
            TermTypes::PORT
        } else if t.is_reference() {
            TermTypes::REFERENCE
        } else if t.is_function() {
            TermTypes::FUN
        } else if t.is_kind(Kind::Record) {
            TermTypes::RECORD
        } else {
            TermTypes::NONE
        }
    }
}

impl BitOr for TermTypes {
    type Output = TermTypes;

    fn bitor(self, other: TermTypes) -> TermTypes {
        self.or(other)
    }
}

impl fmt::Display for TermTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == TermTypes::ANY {
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
            (Term::NIL, TermTypes::NIL),
            (Term::small(-1), TermTypes::SMALL),
            (Atom::TRUE.into(), TermTypes::BOOLEAN),
            (Atom::OK.into(), TermTypes::OTHER_ATOM),
            (Term::local_pid(3), TermTypes::PID),
        ];
        for (t, set) in some {
            assert_eq!(TermTypes::of(t), set);
        }
        assert_eq!(
            (TermTypes::LIST | TermTypes::PID).to_string(),
            "nil | cons | pid"
        );
        assert_eq!(TermTypes::ANY.to_string(), "any");
    }
}
