//! A program as a tree of texts with sorts: enough to print it, and to cut pieces out that leave a program.

use std::fmt::{self, Write};

/// What kind of thing a piece of program is; of an expression, what its value is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Any integer.
    Int,
    /// A float.
    Float,
    /// An atom.
    Atom,
    /// `true` or `false`.
    Bool,
    /// A list of integers.
    Ints,
    /// A list of anything.
    List,
    /// A tuple of any size.
    Tuple,
    /// The record that each generated module declares.
    Record,
    /// A map.
    Map,
    /// A bitstring.
    Bits,
    /// A fun that takes so many integers and returns one.
    Fun(u8),
    /// Any of the above but a fun.
    Any,
    /// A pattern.
    Pattern,
    /// A guard.
    Guard,
    /// Anything else: a clause, a segment, a definition.
    Other,
}

impl Category {
    /// The simplest texts of this sort, simplest first.
    pub fn simplest(self) -> &'static [&'static str] {
        match self {
            Category::Int => &["0", "1"],
            Category::Float => &["1.0"],
            Category::Atom => &["a"],
            Category::Bool => &["true", "false"],
            Category::Ints | Category::List => &["[]", "[1]"],
            Category::Tuple => &["{}", "{1}"],
            Category::Record => &["#r{}"],
            Category::Map => &["#{}"],
            Category::Bits => &["<<>>", "<<1>>", "<<1:3>>"],
            Category::Any => &["ok", "0"],
            Category::Pattern => &["_"],
            Category::Guard => &["true"],
            Category::Fun(_) | Category::Other => &[],
        }
    }

    /// Is a value of this sort one of `wanted` too?
    pub fn serves(self, wanted: Category) -> bool {
        self == wanted
            || match wanted {
                Category::Any => self.is_value() && !matches!(self, Category::Fun(_)),
                Category::List => self == Category::Ints,
                Category::Tuple => self == Category::Record,
                Category::Atom => self == Category::Bool,
                _ => false,
            }
    }

    /// Is a piece of this sort an expression?
    pub fn is_value(self) -> bool {
        !matches!(self, Category::Pattern | Category::Guard | Category::Other)
    }
}

/// A piece of a program.
#[derive(Clone, Debug)]
pub enum Phrase {
    /// A text in which each `@` stands for the next part.
    Form {
        /// What it is.
        sort: Category,
        /// The text.
        text: String,
        /// What goes in the places of the text.
        parts: Vec<Phrase>,
    },
    /// A sequence from which items may be removed.
    Many {
        /// What is printed between two.
        between: &'static str,
        /// How many have to stay.
        least: usize,
        /// The items.
        items: Vec<Phrase>,
    },
}

impl Phrase {
    /// A form; `text` has an `@` for each part.
    pub fn form(sort: Category, text: impl Into<String>, parts: Vec<Phrase>) -> Phrase {
        let text = text.into();
        debug_assert_eq!(text.matches('@').count(), parts.len(), "{text}");
        Phrase::Form { sort, text, parts }
    }

    /// A form without parts.
    pub fn leaf(sort: Category, text: impl Into<String>) -> Phrase {
        Phrase::form(sort, text, Vec::new())
    }

    /// A sequence.
    pub fn many(between: &'static str, least: usize, items: Vec<Phrase>) -> Phrase {
        Phrase::Many {
            between,
            least,
            items,
        }
    }

    /// What is directly below.
    pub fn children(&self) -> &[Phrase] {
        match self {
            Phrase::Form { parts, .. } => parts,
            Phrase::Many { items, .. } => items,
        }
    }

    fn children_mut(&mut self) -> &mut Vec<Phrase> {
        match self {
            Phrase::Form { parts, .. } => parts,
            Phrase::Many { items, .. } => items,
        }
    }

    /// How many pieces there are, this one included.
    pub fn size(&self) -> usize {
        1 + self.children().iter().map(Phrase::size).sum::<usize>()
    }

    /// The piece with this number, counted from above and from the left; this one has 0.
    pub fn at(&self, mut number: usize) -> Option<&Phrase> {
        if number == 0 {
            return Some(self);
        }
        number -= 1;
        for child in self.children() {
            let size = child.size();
            if number < size {
                return child.at(number);
            }
            number -= size;
        }
        None
    }

    /// The same with the piece of this number changed.
    pub fn at_mut(&mut self, mut number: usize) -> Option<&mut Phrase> {
        if number == 0 {
            return Some(self);
        }
        number -= 1;
        for child in self.children_mut() {
            let size = child.size();
            if number < size {
                return child.at_mut(number);
            }
            number -= size;
        }
        None
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phrase::Form { text, parts, .. } => {
                let mut parts = parts.iter();
                for c in text.chars() {
                    match (c == '@').then(|| parts.next()).flatten() {
                        Some(part) => part.fmt(f)?,
                        None => f.write_char(c)?,
                    }
                }
            }
            Phrase::Many { between, items, .. } => {
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(between)?;
                    }
                    item.fmt(f)?;
                }
            }
        }
        Ok(())
    }
}
