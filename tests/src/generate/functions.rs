//! Whole functions: one way of making for each shape.

use super::scope::{Maker, Shape, Signature};
use super::tree::{Category, Phrase};

/// Integers that accumulators are kept below, so that loops do not make huge ones.
const BOUNDS: [&str; 6] = [
    "rem 1000003",
    "band 16#fffffffffffffff",
    "band 16#7ffffffffffffff",
    "rem 16#8000000000000000",
    "band 16#ffffffffffffffff",
    "rem 16#123456789abcdef0123456789",
];

/// A function's clauses. A `heavy` one is cheap in each round, because it makes many.
pub fn function(mut maker: Maker<'_>, heavy: bool) -> Phrase {
    let me = maker.functions[maker.index].clone();
    if heavy {
        maker.calls = false;
        maker.budget = 12;
    }
    let clauses = match me.shape {
        Shape::Leaf => {
            maker.calls = false;
            maker.plain_clauses(&me, None)
        }
        Shape::General => maker.general(&me),
        Shape::Counting => maker.counting(&me, heavy),
        Shape::Numeric => maker.numeric(&me),
        Shape::Walking => maker.walking(&me),
        Shape::Parsing => maker.parsing(&me),
    };
    Phrase::form(Category::Other, "@.", vec![Phrase::many(";\n", 1, clauses)])
}

impl Maker<'_> {
    /// A clause; what it binds is forgotten.
    fn clause_of(
        &mut self,
        me: &Signature,
        first: Option<Phrase>,
        patterns: bool,
        body: impl FnOnce(&mut Self) -> Phrase,
        guard: Option<Phrase>,
    ) -> Phrase {
        let mark = self.variables.len();
        let mut arguments: Vec<Phrase> = first.into_iter().collect();
        for &sort in &me.arguments {
            let argument = match patterns && self.random.once_in(2) {
                true => self.pattern(sort, 2),
                false => Phrase::leaf(Category::Pattern, self.bind(sort)),
            };
            arguments.push(argument);
        }
        let guard = match guard {
            None if patterns && self.random.once_in(3) => Some(self.guard()),
            given => given,
        };
        let n = arguments.len();
        let arguments = Phrase::many(", ", n, arguments);
        let body = body(self);
        self.variables.truncate(mark);
        match guard {
            Some(guard) => Phrase::form(
                Category::Other,
                format!("{}(@) when @ ->\n    @", me.name),
                vec![arguments, guard, body],
            ),
            None => Phrase::form(
                Category::Other,
                format!("{}(@) ->\n    @", me.name),
                vec![arguments, body],
            ),
        }
    }

    /// Clauses that any function may have; the last takes everything, mostly.
    fn plain_clauses(&mut self, me: &Signature, first: Option<&Phrase>) -> Vec<Phrase> {
        let n = if me.arguments.is_empty() {
            0
        } else {
            self.random.below(3)
        };
        let mut clauses = Vec::new();
        for _ in 0..n {
            clauses.push(self.clause_of(me, first.cloned(), true, |m| m.body(me.result, 3), None));
        }
        let partial = n > 0 && self.random.once_in(10);
        clauses.push(self.clause_of(
            me,
            first.cloned(),
            partial,
            |m| m.long_body(me.result),
            None,
        ));
        clauses
    }

    fn long_body(&mut self, sort: Category) -> Phrase {
        let n = self.random.within(1, 5);
        let mut items: Vec<Phrase> = (0..n).map(|_| self.statement(4)).collect();
        items.push(self.expression(sort, 4));
        Phrase::many(",\n    ", 1, items)
    }

    fn general(&mut self, me: &Signature) -> Vec<Phrase> {
        let calls = std::mem::replace(&mut self.calls, false);
        let fuel = Phrase::leaf(Category::Pattern, "F");
        let spent = Phrase::leaf(Category::Guard, "F =< 0");
        let base = self.clause_of(
            me,
            Some(fuel.clone()),
            false,
            |m| m.body(me.result, 1),
            Some(spent),
        );
        self.calls = calls;
        self.fuel = "(F div 3)";
        self.variables.push(("F".to_string(), Category::Int));
        let mut clauses = vec![base];
        clauses.extend(self.plain_clauses(me, Some(&fuel)));
        clauses
    }

    /// The next round of a loop whose first argument is the text `next`.
    fn round(&mut self, me: &Signature, next: &str, depth: usize) -> Phrase {
        let mut arguments = vec![Phrase::leaf(Category::Any, next)];
        for &sort in &me.arguments {
            let value = match self.random.once_in(3) {
                true => self.simple(sort),
                false => self.expression(sort, depth),
            };
            arguments.push(match sort {
                Category::Int => {
                    let bound = *self.random.pick(&BOUNDS);
                    Phrase::form(sort, format!("(@ {bound})"), vec![value])
                }
                Category::Ints if self.random.once_in(2) => {
                    let parts = vec![self.expression(Category::Int, 1), self.simple(sort)];
                    Phrase::form(sort, "[@ | @]", parts)
                }
                Category::Bits if self.random.once_in(2) => {
                    let segment = self.segment(1);
                    Phrase::form(sort, "<<(@)/bits, @>>", vec![self.simple(sort), segment])
                }
                _ => value,
            });
        }
        me.call(arguments)
    }

    /// What a round gives: the next one's value, or something made from it.
    fn step(&mut self, me: &Signature, next: &str, depth: usize) -> Phrase {
        let mut items: Vec<Phrase> = (0..self.random.below(3))
            .map(|_| self.statement(depth))
            .collect();
        let tail = self.random.once_in(2);
        let value = match me.result {
            Category::Ints | Category::List if !tail => {
                let item = if me.result == Category::Ints {
                    Category::Int
                } else {
                    Category::Any
                };
                let text = *self.random.pick(&["[@ | @]", "[@, 1 | @]", "[@ | @]"]);
                Phrase::form(
                    me.result,
                    text,
                    vec![self.expression(item, depth), self.round(me, next, depth)],
                )
            }
            Category::Int if !tail => {
                let op = *self.random.pick(&["+", "-", "bxor", "band", "bor"]);
                let bound = *self.random.pick(&BOUNDS);
                let parts = match self.random.once_in(2) {
                    true => vec![
                        self.expression(Category::Int, depth),
                        self.round(me, next, depth),
                    ],
                    false => vec![
                        self.round(me, next, depth),
                        self.expression(Category::Int, depth),
                    ],
                };
                Phrase::form(Category::Int, format!("((@ {op} @) {bound})"), parts)
            }
            Category::Bits if !tail => {
                let segment = self.segment(depth.min(1));
                Phrase::form(
                    Category::Bits,
                    "<<@, (@)/bits>>",
                    vec![segment, self.round(me, next, depth)],
                )
            }
            _ if self.random.once_in(6) => {
                let parts = vec![
                    self.guard(),
                    self.round(me, next, depth),
                    self.expression(me.result, depth),
                ];
                Phrase::form(me.result, "if @ -> @; true -> @ end", parts)
            }
            _ => self.round(me, next, depth),
        };
        items.push(value);
        Phrase::many(",\n    ", 1, items)
    }

    fn counting(&mut self, me: &Signature, heavy: bool) -> Vec<Phrase> {
        let zero = Phrase::leaf(Category::Pattern, "0");
        let count = Phrase::leaf(Category::Pattern, "N");
        let depth = if heavy { 1 } else { 3 };
        let base = |m: &mut Self| match heavy && m.random.once_in(5) {
            // Out of all frames at once.
            true => m.raise(1),
            false => m.expression(me.result, 1),
        };
        let base = self.clause_of(me, Some(zero), false, base, None);
        self.variables.push(("N".to_string(), Category::Int));
        let mut clauses = vec![base];
        if self.random.once_in(3) {
            clauses.push(self.clause_of(
                me,
                Some(count.clone()),
                true,
                |m| m.step(me, "(N - 1)", depth),
                None,
            ));
        }
        clauses.push(self.clause_of(
            me,
            Some(count),
            false,
            |m| m.step(me, "(N - 1)", depth),
            None,
        ));
        clauses
    }

    fn walking(&mut self, me: &Signature) -> Vec<Phrase> {
        let mut clauses = Vec::new();
        for guarded in [true, false] {
            if guarded && self.random.once_in(2) {
                continue;
            }
            let mark = self.variables.len();
            let first = match self.random.below(4) {
                0 => {
                    let (a, b) = (self.bind(Category::Int), self.bind(Category::Int));
                    Phrase::leaf(Category::Pattern, format!("[{a}, {b} | T]"))
                }
                _ => Phrase::leaf(
                    Category::Pattern,
                    format!("[{} | T]", self.bind(Category::Int)),
                ),
            };
            self.variables.push(("T".to_string(), Category::Ints));
            clauses.push(self.clause_of(me, Some(first), guarded, |m| m.step(me, "T", 3), None));
            self.variables.truncate(mark);
        }
        let rest = Phrase::leaf(Category::Pattern, *self.random.pick(&["[]", "_", "_"]));
        clauses.push(self.clause_of(me, Some(rest), false, |m| m.expression(me.result, 2), None));
        clauses
    }

    fn parsing(&mut self, me: &Signature) -> Vec<Phrase> {
        let mut clauses = Vec::new();
        for _ in 0..self.random.within(1, 3) {
            let mark = self.variables.len();
            let (name, size) = (self.bind(Category::Int), self.random.within(1, 40));
            let mut sizes = vec![name.clone()];
            let size = if self.random.once_in(2) { 8 } else { size };
            let head = match self.random.once_in(4) {
                true => format!("{}:{size}", self.random.below(4)),
                false => format!("{name}:{size}"),
            };
            let mut segments = vec![Phrase::leaf(Category::Other, head)];
            if segments[0].to_string().starts_with('V') {
                for _ in 0..self.random.below(3) {
                    let segment = self.segment_pattern(&mut sizes);
                    segments.push(segment);
                }
            } else {
                self.variables.truncate(mark);
            }
            segments.push(Phrase::leaf(Category::Other, "T/bits"));
            self.variables.push(("T".to_string(), Category::Bits));
            let first = Phrase::form(
                Category::Pattern,
                "<<@>>",
                vec![Phrase::many(", ", 1, segments)],
            );
            let guarded = self.random.once_in(3);
            clauses.push(self.clause_of(me, Some(first), guarded, |m| m.step(me, "T", 3), None));
            self.variables.truncate(mark);
        }
        let rest = Phrase::leaf(
            Category::Pattern,
            *self.random.pick(&["<<>>", "_", "_", "_"]),
        );
        clauses.push(self.clause_of(me, Some(rest), false, |m| m.expression(me.result, 2), None));
        clauses
    }
}
