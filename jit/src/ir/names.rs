//! The words that stand for kinds of question, comparison and arithmetic in texts.

use super::{Arith, Comparison, FloatArith, Repr};
use enigma_runtime::term::Kind;

/// What has a name in texts.
pub trait Named: Copy + 'static {
    /// All of them.
    const ALL: &[Self];

    /// The name: small letters and `_`.
    fn name(self) -> &'static str;

    /// The one of this name.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|x| x.name() == name)
    }
}

macro_rules! names {
    ($($of:ident { $($variant:ident $name:literal,)* })*) => {
        $(impl Named for $of {
            const ALL: &[$of] = &[$($of::$variant),*];

            fn name(self) -> &'static str {
                match self { $($of::$variant => $name),* }
            }
        })*
    };
}

names! {
    Repr {
        Term "term",
        Float "float",
        Bool "bool",
        Code "code",
        Word "word",
    }
    Comparison {
        Lt "lt",
        Ge "ge",
        Eq "eq",
        Ne "ne",
        ExactEq "exact_eq",
        ExactNe "exact_ne",
    }
    Arith {
        Add "add",
        Sub "sub",
        Mul "mul",
        Div "div",
        Rem "rem",
        Band "band",
        Bor "bor",
        Bxor "bxor",
        Bsl "bsl",
        Bsr "bsr",
    }
    FloatArith {
        Add "add",
        Sub "sub",
        Mul "mul",
        Div "div",
    }
    Kind {
        Tuple "tuple",
        BigPos "big_pos",
        BigNeg "big_neg",
        Float "float",
        Fun "fun",
        Export "export",
        HeapBits "heap_bits",
        BinRef "bin_ref",
        SubBits "sub_bits",
        MatchCtx "match_ctx",
        FlatMap "flat_map",
        HashMap "hash_map",
        HashNode "hash_node",
        HashCollision "hash_collision",
        Ref "ref",
        MagicRef "magic_ref",
        ExtPid "ext_pid",
        ExtPort "ext_port",
        ExtRef "ext_ref",
        Record "record",
    }
}
