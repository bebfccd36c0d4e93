//! Fields of instructions: where each is in an instruction's words, and what it means.
//!
//! A field's type says what may be put into it and what is read from it, so that translator, handlers and
//! listing cannot take one for another.

use crate::code::continuation::Continuation;
use crate::code::export::Export;
use crate::code::fun::FunEntry;
use crate::code::module::{FnInfo, Module};
use std::marker::PhantomData;

/// Some bits of one of an instruction's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At {
    /// Which word, from 0.
    pub word: usize,
    /// The lowest bit.
    pub shift: u32,
    /// How many bits.
    pub bits: u32,
}

impl At {
    /// The bits of a word.
    #[inline(always)]
    pub const fn of(self, word: u64) -> u64 {
        if self.bits == 64 {
            word
        } else {
            (word >> self.shift) & ((1 << self.bits) - 1)
        }
    }

    /// The same as a signed number.
    #[inline(always)]
    pub const fn signed_of(self, word: u64) -> i64 {
        ((word << (64 - self.shift - self.bits)) as i64) >> (64 - self.bits)
    }

    /// The largest number that has room.
    pub const fn max(self) -> u64 {
        u64::MAX >> (64 - self.bits)
    }
}

/// The places that fields have.
pub mod at {
    use super::At;

    const fn at(word: usize, shift: u32, bits: u32) -> At {
        At { word, shift, bits }
    }

    /// Field `a` of the first word.
    pub const A: At = at(0, 12, 16);
    /// Field `b`.
    pub const B: At = at(0, 28, 16);
    /// Field `c` where it is an operand.
    pub const C: At = at(0, 44, 16);
    /// Field `c` where it is a number or a distance: all bits that are left.
    pub const C20: At = at(0, 44, 20);
    /// The bits beyond an operand in `c`.
    pub const C_REST: At = at(0, 60, 2);
    /// The second word.
    pub const W1: At = at(1, 0, 64);
    /// A quarter of the second word.
    pub const W1_0: At = at(1, 0, 16);
    /// The next.
    pub const W1_16: At = at(1, 16, 16);
    /// The next.
    pub const W1_32: At = at(1, 32, 16);
    /// The next.
    pub const W1_48: At = at(1, 48, 16);
    /// Half of the second word.
    pub const W1_LOW: At = at(1, 0, 32);
    /// The second word but for a quarter: room for an address.
    pub const W1_UPPER: At = at(1, 16, 48);
    /// The third word.
    pub const W2: At = at(2, 0, 64);
    /// A quarter of the third word.
    pub const W2_0: At = at(2, 0, 16);
    /// The next.
    pub const W2_16: At = at(2, 16, 16);
    /// The next.
    pub const W2_32: At = at(2, 32, 16);
    /// The next.
    pub const W2_48: At = at(2, 48, 16);
}

/// A field that holds what `K` says.
#[derive(Debug)]
pub struct Field<K> {
    /// Where.
    pub at: At,
    kind: PhantomData<K>,
}

impl<K> Clone for Field<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Field<K> {}

impl<K> Field<K> {
    /// A field at a place.
    pub const fn new(at: At) -> Field<K> {
        Field {
            at,
            kind: PhantomData,
        }
    }
}

/// What a listing makes of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// A number.
    Number,
    /// A signed number.
    Signed,
    /// An operand: a register, a slot of the frame or a constant.
    Operand,
    /// A register or a slot of the frame that is written.
    Target,
    /// An X register.
    X,
    /// A slot of the frame.
    Y,
    /// A float register.
    Float,
    /// A distance to jump.
    Jump,
    /// A term.
    Constant,
    /// A function of a module.
    Function,
    /// A continuation.
    Continuation,
    /// An export entry.
    Export,
    /// A fun entry.
    Fun,
    /// A module.
    Module,
    /// An address of constant bytes.
    Bytes,
}

/// What kinds of fields have in common.
pub trait FieldKind {
    /// For listings.
    const SORT: Sort;
}

/// Kinds of fields whose value the translator knows when it writes the instruction.
pub trait Plain: FieldKind {
    /// What is put in.
    type Value;
    /// The bits that stand for it.
    fn bits(value: Self::Value) -> u64;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $sort:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $name;
            impl FieldKind for $name {
                const SORT: Sort = Sort::$sort;
            }
        )*
    };
}

macro_rules! plain {
    ($($name:ident: $value:ty = |$v:ident| $bits:expr;)*) => {
        $(
            impl Plain for $name {
                type Value = $value;
                fn bits($v: $value) -> u64 {
                    $bits
                }
            }
        )*
    };
}

kinds! {
    /// A number.
    Number Number;
    /// A signed number of 16 bits.
    Signed Signed;
    /// An operand that is read.
    Src Operand;
    /// An operand that is written.
    Dst Target;
    /// The number of an X register.
    X X;
    /// The number of a slot of the frame.
    Y Y;
    /// The number of a float register.
    Float Float;
    /// The signed distance in words from the instruction's first word to where it jumps.
    Jump Jump;
    /// A term that no collection moves, or 0 for none.
    Constant Constant;
    /// A function of a module.
    Function Function;
    /// A continuation of the function.
    ContinuationAt Continuation;
    /// An export entry.
    ExportEntry Export;
    /// A fun entry.
    Fun Fun;
    /// A module.
    ModuleRef Module;
    /// The address of constant bytes of the module.
    Bytes Bytes;
}

plain! {
    Number: usize = |n| n as u64;
    Signed: i16 = |n| u64::from(n as u16);
    X: u16 = |n| u64::from(n);
    Y: u16 = |n| u64::from(n);
    Float: u16 = |n| u64::from(n);
    Constant: u64 = |w| w;
    Function: &'static FnInfo = |f| std::ptr::from_ref(f) as u64;
    ContinuationAt: *const Continuation = |c| c as u64;
    ExportEntry: &'static Export = |e| std::ptr::from_ref(e) as u64;
    Fun: &'static FunEntry = |e| std::ptr::from_ref(e) as u64;
    ModuleRef: &'static Module = |m| std::ptr::from_ref(m) as u64;
    Bytes: u64 = |address| address;
}

/// Kinds of fields that name places.
pub trait NamesPlace: FieldKind {}
impl NamesPlace for Src {}
impl NamesPlace for Dst {}

/// A list of operands behind an instruction's fixed words, four a word.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// The first word of the list.
    pub from: usize,
}

impl List {
    /// Where operand `i` is.
    #[inline(always)]
    pub const fn at(self, i: usize) -> At {
        At {
            word: self.from + i / 4,
            shift: 16 * (i % 4) as u32,
            bits: 16,
        }
    }
}

/// A table of distances to jump, two a word.
#[derive(Clone, Copy, Debug)]
pub struct Distances {
    /// The first word of the table.
    pub from: usize,
}

impl Distances {
    /// Where distance `i` is.
    #[inline(always)]
    pub const fn at(self, i: usize) -> At {
        At {
            word: self.from + i / 2,
            shift: 32 * (i % 2) as u32,
            bits: 32,
        }
    }
}

/// What follows an instruction's fixed words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tail {
    /// Nothing.
    None,
    /// Operands, four a word.
    Operands,
    /// Operands, one a word, tagged; constants stand themselves.
    WideOperands,
    /// Pairs of index (the lower half) and operand (the upper), one a word.
    Updates,
    /// Terms in order, one a word, then as many distances, two a word.
    Keys,
    /// Sizes of tuples in order, one a word, then as many distances, two a word.
    Sizes,
    /// Distances, two a word.
    Distances,
    /// Commands of matching, two words each.
    Commands,
    /// Segments of construction, two words each.
    Segments,
}

impl Tail {
    /// Words of a tail of `n` elements.
    #[inline(always)]
    pub const fn words(self, n: usize) -> usize {
        match self {
            Tail::None => 0,
            Tail::Operands => n.div_ceil(4),
            Tail::WideOperands | Tail::Updates => n,
            Tail::Keys | Tail::Sizes => n + n.div_ceil(2),
            Tail::Distances => n.div_ceil(2),
            Tail::Commands | Tail::Segments => 2 * n,
        }
    }
}

/// A field as a listing sees it.
#[derive(Debug)]
pub struct FieldInfo {
    /// Its name.
    pub name: &'static str,
    /// Where it is.
    pub at: At,
    /// What it holds.
    pub sort: Sort,
}

/// The form of an instruction.
#[derive(Debug)]
pub struct Form {
    /// Its fixed words.
    pub words: usize,
    /// What follows them.
    pub tail: Tail,
    /// How many elements the tail has.
    pub count: Option<At>,
    /// The fields, in the order in which they are told.
    pub fields: &'static [FieldInfo],
}

impl Form {
    /// Words of the instruction that starts `code`.
    pub fn length(&self, code: &[u64]) -> usize {
        let count = self.count.map_or(0, |at| at.of(code[at.word]) as usize);
        self.words + self.tail.words(count)
    }
}

/// A word of a tail of `Tail::Updates`.
pub mod update {
    use super::At;

    /// The position in the tuple; its first element has position 1.
    pub const INDEX: At = At {
        word: 0,
        shift: 0,
        bits: 32,
    };
    /// Where the new element is.
    pub const VALUE: At = At {
        word: 0,
        shift: 32,
        bits: 16,
    };
}
