//! Constants, those at the edges of representations above all.

use super::scope::Maker;
use super::tree::{Category, Phrase};

/// Bits at which representations of integers end.
const EDGES: [u32; 12] = [7, 8, 27, 28, 31, 32, 58, 59, 60, 61, 63, 64];

/// Atoms of programs; many, so that selections have something to do.
pub const ATOMS: [&str; 14] = [
    "a",
    "b",
    "c",
    "d",
    "ok",
    "error",
    "true",
    "false",
    "undefined",
    "r",
    "x1",
    "x2",
    "'A b'",
    "infinity",
];

const FLOATS: [&str; 14] = [
    "0.0",
    "-0.0",
    "1.0",
    "-1.0",
    "0.5",
    "1.5",
    "-2.5",
    "3.141592653589793",
    "1.0e10",
    "-1.0e-10",
    "9007199254740992.0",
    "1.0e300",
    "2.2250738585072014e-308",
    "18446744073709551616.0",
];

impl Maker<'_> {
    /// The text of an integer.
    pub fn integer_text(&mut self) -> String {
        let sign = if self.random.once_in(2) { -1 } else { 1 };
        let value: i128 = match self.random.below(10) {
            0..4 => i128::try_from(self.random.below(10)).unwrap_or(0) * sign,
            4 | 5 => i128::try_from(self.random.below(1000)).unwrap_or(0) * sign,
            6..9 => {
                let edge = 1i128 << *self.random.pick(&EDGES);
                let off = i128::try_from(self.random.below(5)).unwrap_or(0) - 2;
                edge * sign + off
            }
            _ => i128::from(self.random.bits()) * i128::from(self.random.bits() >> 8) * sign / 3,
        };
        if value < 0 {
            format!("({value})")
        } else {
            value.to_string()
        }
    }

    /// A constant of this sort, or of the simplest expressions where there is no constant.
    pub fn literal(&mut self, sort: Category) -> Phrase {
        let text = match sort {
            Category::Int => self.integer_text(),
            Category::Float => match *self.random.pick(&FLOATS) {
                t if t.starts_with('-') => format!("({t})"),
                t => t.to_string(),
            },
            Category::Atom => (*self.random.pick(&ATOMS)).to_string(),
            Category::Bool => (*self.random.pick(&["true", "false"])).to_string(),
            Category::Ints => match self.random.below(3) {
                0 => (*self.random.pick(&[
                    "[]",
                    "\"hello\"",
                    "\"a\"",
                    "\"0123456789\"",
                    "[1, 2, 3]",
                ]))
                .to_string(),
                _ => {
                    let items = self.several(0, 5, Category::Int);
                    return Phrase::form(Category::Ints, "[@]", vec![Phrase::many(", ", 0, items)]);
                }
            },
            Category::List => {
                let items = self.several(0, 4, Category::Any);
                return Phrase::form(sort, "[@]", vec![Phrase::many(", ", 0, items)]);
            }
            Category::Tuple => {
                let items = self.several(0, 6, Category::Any);
                return Phrase::form(sort, "{@}", vec![Phrase::many(", ", 0, items)]);
            }
            Category::Record => "#r{}".to_string(),
            Category::Map => {
                let pairs = (0..self.random.below(5))
                    .map(|_| {
                        let parts = vec![self.key(), self.literal(Category::Int)];
                        Phrase::form(Category::Other, "@ => @", parts)
                    })
                    .collect();
                return Phrase::form(sort, "#{@}", vec![Phrase::many(", ", 0, pairs)]);
            }
            Category::Bits => (*self.random.pick(&[
                "<<>>",
                "<<1, 2, 3>>",
                "<<5:3>>",
                "<<\"hello world\">>",
                "<<1:1>>",
                "<<16#abcdef0123456789:61>>",
                "<<3.5/float, 255, 0>>",
                "<<\"h\u{e9}\u{20ac}\"/utf8>>",
            ]))
            .to_string(),
            Category::Fun(n) => return self.closure(n, 1),
            _ => {
                let sort = self.plain_sort();
                return self.literal(sort);
            }
        };
        Phrase::leaf(sort, text)
    }

    /// Constants of a sort, `from` to `to` of them.
    fn several(&mut self, from: usize, to: usize, sort: Category) -> Vec<Phrase> {
        (0..self.random.within(from, to))
            .map(|_| match sort {
                Category::Any => {
                    let sort = *self.random.pick(&[
                        Category::Int,
                        Category::Atom,
                        Category::Float,
                        Category::Bits,
                        Category::Tuple,
                    ]);
                    self.literal(sort)
                }
                _ => self.literal(sort),
            })
            .collect()
    }

    /// A constant that maps have as a key.
    pub fn key(&mut self) -> Phrase {
        let text = match self.random.below(8) {
            0..3 => self.random.below(8).to_string(),
            3 => self.random.within(28, 36).to_string(),
            4 | 5 => (*self.random.pick(&ATOMS)).to_string(),
            6 => (*self
                .random
                .pick(&["1.0", "{a, 1}", "[]", "\"k\"", "<<\"key\">>"]))
            .to_string(),
            _ => self.integer_text(),
        };
        Phrase::leaf(Category::Any, text)
    }

    /// A sort of values, none of the wide ones.
    pub fn plain_sort(&mut self) -> Category {
        *self.random.pick(&[
            Category::Int,
            Category::Int,
            Category::Int,
            Category::Float,
            Category::Atom,
            Category::Bool,
            Category::Ints,
            Category::List,
            Category::Tuple,
            Category::Record,
            Category::Map,
            Category::Bits,
            Category::Bits,
        ])
    }
}
