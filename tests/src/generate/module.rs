//! Whole modules.

use super::functions;
use super::random::Random;
use super::scope::{Maker, Shape, Signature};
use super::tree::{Category, Phrase};
use std::fmt::Write;

/// What every module has.
const HELPERS: &str = "\
-record(r, {n = 0, f = 1.5, t = [], m = #{}, b = <<>>}).

id(X) -> X.

add(X, Y) -> X + Y.

stack_of(S) -> [{M, F, A, proplists:get_value(line, L)} || {M, F, A, L} <- S, M =/= generate_driver].
";

/// How many rounds a heavy function makes.
const ROUNDS: usize = 100_000;

/// A function of a generated module.
#[derive(Clone, Debug)]
pub struct RandomFunction {
    /// Its name.
    pub name: String,
    /// How many arguments it has.
    pub arity: usize,
    /// Is it in the list of exports?
    pub exported: bool,
    /// Its clauses.
    pub tree: Phrase,
}

/// A generated module.
#[derive(Clone, Debug)]
pub struct RandomModule {
    /// What it was made from.
    pub seed: u64,
    /// Its functions; those without arguments whose names begin with `e` or `h` are run, the latter make many rounds.
    pub functions: Vec<RandomFunction>,
}

impl RandomModule {
    /// The source with this module name.
    pub fn text(&self, name: &str) -> String {
        let mut text = format!("%% seed {}\n-module({name}).\n-export([id/1", self.seed);
        for f in self.functions.iter().filter(|f| f.exported) {
            let _ = write!(text, ", {}/{}", f.name, f.arity);
        }
        text.push_str("]).\n");
        text.push_str(HELPERS);
        for f in &self.functions {
            let _ = write!(text, "\n{}\n", f.tree);
        }
        text
    }

    /// The names of the functions that are run.
    pub fn entries(&self) -> impl Iterator<Item = &str> {
        self.functions
            .iter()
            .filter(|f| f.arity == 0 && f.name.starts_with(['e', 'h']))
            .map(|f| f.name.as_str())
    }
}

/// The module of this seed.
pub fn module(seed: u64) -> RandomModule {
    let mut random = Random::new(seed);
    let normal = random.within(4, 8);
    let heavy = random.within(1, 2);
    let signatures: Vec<Signature> = (0..normal + heavy)
        .map(|i| signature(&mut random, i, i >= normal))
        .collect();
    let mut functions = Vec::new();
    for (i, s) in signatures.iter().enumerate() {
        let maker = Maker::new(Random::new(random.bits()), &signatures, i);
        functions.push(RandomFunction {
            name: s.name.clone(),
            arity: s.arity(),
            exported: s.exported,
            tree: functions::function(maker, i >= normal),
        });
    }
    for i in 0..signatures.len() {
        for turn in 0..2 {
            functions.push(entry(&mut random, &signatures, i, i >= normal, turn));
        }
    }
    RandomModule { seed, functions }
}

fn signature(random: &mut Random, index: usize, heavy: bool) -> Signature {
    let shape = match random.below(10) {
        _ if heavy => Shape::Counting,
        0 => Shape::Leaf,
        1..5 => Shape::General,
        5 => Shape::Counting,
        6 => Shape::Numeric,
        7 => Shape::Walking,
        _ => Shape::Parsing,
    };
    let n = match random.below(6) {
        0 => 0,
        1 if !heavy => random.within(5, 11),
        _ => random.within(1, 4),
    };
    let mut maker = Maker::new(random.clone(), &[], 0);
    let mut sort = || match heavy {
        true => *maker.random.pick(&[
            Category::Int,
            Category::Int,
            Category::Float,
            Category::Atom,
            Category::Tuple,
            Category::Bits,
            Category::Ints,
        ]),
        false if shape == Shape::Numeric => *maker.random.pick(&[Category::Int, Category::Float]),
        false => maker.plain_sort(),
    };
    let arguments = (0..n).map(|_| sort()).collect();
    let result = match heavy {
        true => *maker
            .random
            .pick(&[Category::Int, Category::Ints, Category::List]),
        false if shape == Shape::Numeric => {
            *maker
                .random
                .pick(&[Category::Int, Category::Float, Category::List])
        }
        false if shape == Shape::Walking => *maker.random.pick(&[
            Category::Int,
            Category::Ints,
            Category::List,
            Category::Bits,
        ]),
        false if shape == Shape::Parsing => *maker.random.pick(&[
            Category::Int,
            Category::Ints,
            Category::List,
            Category::Bits,
        ]),
        false => maker.plain_sort(),
    };
    *random = maker.random;
    Signature {
        name: format!("f{index}"),
        shape,
        arguments,
        result,
        exported: random.once_in(3),
    }
}

/// A function without arguments that calls function `i` with constants.
fn entry(
    random: &mut Random,
    signatures: &[Signature],
    i: usize,
    heavy: bool,
    turn: usize,
) -> RandomFunction {
    let f = &signatures[i];
    let mut maker = Maker::new(Random::new(random.bits()), signatures, i);
    maker.calls = false;
    let first = match f.shape {
        Shape::Leaf => None,
        Shape::General => Some(Phrase::leaf(Category::Int, "30")),
        Shape::Counting if heavy => Some(Phrase::leaf(Category::Int, ROUNDS.to_string())),
        Shape::Counting => Some(Phrase::leaf(Category::Int, "20")),
        Shape::Numeric => Some(Phrase::leaf(Category::Int, "50")),
        Shape::Walking => Some(maker.expression(Category::Ints, 2)),
        Shape::Parsing => Some(maker.expression(Category::Bits, 2)),
    };
    let mut arguments: Vec<Phrase> = first.into_iter().collect();
    for &sort in &f.arguments {
        arguments.push(maker.expression(sort, 2));
    }
    let n = arguments.len();
    let kind = if heavy { 'h' } else { 'e' };
    let name = format!("{kind}{i}_{turn}");
    let parts = vec![Phrase::many(", ", n, arguments)];
    RandomFunction {
        tree: Phrase::form(
            Category::Other,
            format!("{name}() -> {}(@).", f.name),
            parts,
        ),
        name,
        arity: 0,
        exported: true,
    }
}
