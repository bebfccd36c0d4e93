//! The kinds of boxed object and their layouts, one table.
//!
//! Word 0 is always the header; its size counts the words after it. "terms" says which of those words
//! the collector must visit; the rest is raw.
//!
//! | kind | words after the header |
//! | --- | --- |
//! | Tuple | elements |
//! | BigPos, BigNeg | magnitude, 64-bit limbs, least significant first, no leading zero limb |
//! | Float | the IEEE bits |
//! | Fun | [entry pointer][creator pid][environment ...][reference that keeps the entry, if nothing else does] |
//! | Export | [export entry pointer] |
//! | HeapBits | [size in bits][bytes ...] |
//! | BinRef | [next off-heap object][pointer to the shared `Binary`][size in bits] |
//! | SubBits | [HeapBits or BinRef][offset in bits][size in bits] |
//! | MatchCtx | [HeapBits or BinRef][position in bits][end in bits] (counted from the start of word 1's data) |
//! | FlatMap | [tuple of sorted keys][values in the keys' order ...] |
//! | HashMap | [number of pairs][root node] |
//! | HashNode | [bitmap][children: cons (key, value), HashNode or HashCollision ...] |
//! | HashCollision | [cons (key, value) ...] |
//! | Ref | [number of the reference][creation unit] |
//! | MagicRef | [next off-heap object][number][pointer to the shared `Magic`] |
//! | ExtPid, ExtPort | [node entry pointer][number, of a pid packed as `term::pid` says] |
//! | ExtRef | [node, see `node::Node`][number of 32-bit ids][ids, two a word ...] |
//! | Record | [definition][field values ...] |

use super::fun::fun_name;
use super::{Header, Term};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $n:literal, terms $first:literal $(max $max:literal)?;)*) => {
        /// The kind of a boxed object.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $name = $n),* }

        impl Kind {
            /// The kind with this number; every header in memory holds a valid one.
            #[inline(always)]
            pub(crate) fn from_bits(bits: u64) -> Kind {
                match bits {
                    $($n => Kind::$name,)*
                    _ => crate::bug::vm_bug("header word with an unknown kind"),
                }
            }

            /// Which words after the header are terms: first (1 is the word after the header) and,
            /// where the rest is raw, how many.
            #[inline(always)]
            pub(crate) fn terms(self) -> (usize, Option<usize>) {
                match self { $(Kind::$name => kinds!(@range $first $($max)?)),* }
            }
        }
    };
    (@range 0) => { (0, Some(0)) };
    (@range $first:literal) => { ($first, None) };
    (@range $first:literal $max:literal) => { ($first, Some($max)) };
}

kinds! {
    /// Tuple.
    Tuple = 0, terms 1;
    /// Big integer above the small range.
    BigPos = 2, terms 0;
    /// Big integer below the small range.
    BigNeg = 3, terms 0;
    /// Double that is no flonum.
    Float = 4, terms 0;
    /// Fun with an environment.
    Fun = 5, terms 2;
    /// `fun M:F/A`.
    Export = 6, terms 0;
    /// Bitstring of up to 64 bytes in the heap.
    HeapBits = 7, terms 0;
    /// Handle of a reference-counted binary.
    BinRef = 8, terms 0;
    /// Part of a bitstring.
    SubBits = 9, terms 1 max 1;
    /// Match context.
    MatchCtx = 10, terms 1 max 1;
    /// Map of up to 32 pairs.
    FlatMap = 11, terms 1;
    /// Map of more pairs.
    HashMap = 12, terms 1;
    /// Inner node of a hashed map.
    HashNode = 13, terms 1;
    /// Pairs whose hashes are equal.
    HashCollision = 14, terms 1;
    /// Reference made on this node.
    Ref = 15, terms 0;
    /// Reference that holds a native resource.
    MagicRef = 16, terms 0;
    /// Pid of another node.
    ExtPid = 17, terms 0;
    /// Port of another node.
    ExtPort = 18, terms 0;
    /// Reference of another node.
    ExtRef = 19, terms 0;
    /// Native record.
    Record = 20, terms 1;
}

/// The range of words after the header that hold terms.
#[inline(always)]
pub(crate) fn term_words(h: Header) -> std::ops::Range<usize> {
    match h.kind().terms() {
        (0, _) => 0..0,
        (first, None) => first..h.words() + 1,
        (first, Some(n)) => first..first + n,
    }
}

impl Term {
    /// The environment of a fun, if this is a local fun.
    pub fn fun_env<'a>(self) -> Option<&'a [Term]> {
        if self.is_kind(Kind::Fun) {
            // Behind the environment there may be what keeps the fun's entry.
            Some(self.terms_from(3, fun_name(self).num_free as usize))
        } else {
            None
        }
    }

    /// The pid of the process that made a local fun, if this is one.
    pub fn fun_creator(self) -> Option<Term> {
        if self.is_kind(Kind::Fun) {
            Some(Term(self.word(2)))
        } else {
            None
        }
    }
}
