//! What a piece of program may name: variables in reach, the module's functions.

use super::random::Random;
use super::tree::{Category, Phrase};

/// How a function goes round, which says what its first argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No recursion and no calls.
    Leaf,
    /// Anything; the first argument is fuel that every call divides.
    General,
    /// The first argument counts down.
    Counting,
    /// The first argument counts down, and nothing is done but arithmetic on the others.
    Numeric,
    /// The first argument is a list that is walked.
    Walking,
    /// The first argument is a bitstring that is matched from its start.
    Parsing,
}

/// What callers know of a function.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Its name.
    pub name: String,
    /// How it goes round.
    pub shape: Shape,
    /// The sorts of its arguments without the first, which the shape gives.
    pub arguments: Vec<Category>,
    /// The sort of its result.
    pub result: Category,
    /// Can it be called from outside?
    pub exported: bool,
}

impl Signature {
    /// A call with these arguments.
    pub fn call(&self, arguments: Vec<Phrase>) -> Phrase {
        let arguments = Phrase::many(", ", arguments.len(), arguments);
        Phrase::form(self.result, format!("{}(@)", self.name), vec![arguments])
    }
}

impl Signature {
    /// Arguments with the one that the shape adds.
    pub fn arity(&self) -> usize {
        self.arguments.len() + usize::from(self.shape != Shape::Leaf)
    }
}

/// The maker of one function's code.
pub struct Maker<'a> {
    /// Where choices come from.
    pub random: Random,
    /// All functions of the module.
    pub functions: &'a [Signature],
    /// Which of them is being made.
    pub index: usize,
    /// Variables in reach.
    pub variables: Vec<(String, Category)>,
    /// How many variables have had names.
    pub named: usize,
    /// May calls be made?
    pub calls: bool,
    /// The text of the fuel that a call of a general function gets.
    pub fuel: &'static str,
    /// How many more pieces may branch out.
    pub budget: usize,
}

impl<'a> Maker<'a> {
    /// A maker for the function with this index.
    pub fn new(random: Random, functions: &'a [Signature], index: usize) -> Maker<'a> {
        Maker {
            random,
            functions,
            index,
            variables: Vec::new(),
            named: 0,
            calls: true,
            fuel: "1",
            budget: 90,
        }
    }

    /// A name that nothing has in this function.
    pub fn fresh(&mut self) -> String {
        self.named += 1;
        format!("V{}", self.named)
    }

    /// A new variable in reach.
    pub fn bind(&mut self, sort: Category) -> String {
        let name = self.fresh();
        self.variables.push((name.clone(), sort));
        name
    }

    /// Forgets variables bound since `f` began.
    pub fn scoped<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.variables.len();
        let made = f(self);
        self.variables.truncate(mark);
        made
    }

    /// A variable of this sort, the later ones rather.
    pub fn variable(&mut self, sort: Category) -> Option<Phrase> {
        let fit: Vec<usize> = (0..self.variables.len())
            .filter(|&i| self.variables[i].1.serves(sort))
            .collect();
        if fit.is_empty() {
            return None;
        }
        let at = self
            .random
            .below(fit.len())
            .max(self.random.below(fit.len()));
        let (name, sort) = &self.variables[fit[at]];
        Some(Phrase::leaf(*sort, name.clone()))
    }
}
