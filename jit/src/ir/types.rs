//! How values are represented.

/// What a value is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repr {
    /// A tagged word.
    Term,
    /// A double.
    Float,
    /// The answer to a question.
    Bool,
    /// The address of machine code, or 0. It does not move with the heap.
    Code,
    /// An integer of 64 bits without a sign.
    Word,
}
