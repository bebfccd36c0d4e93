//! Loops that do nothing but arithmetic.

use super::scope::{Maker, Signature};
use super::tree::{Category, Phrase};

/// What an integer that goes round is bounded by.
const BOUNDS: [&str; 7] = [
    "(@ rem 16#123456789abcdef0123456789)",
    "(@ rem 1000003)",
    "(@ band 16#fffffffffffffff)",
    "(@ band 16#7ffffffffffffff)",
    "(@ rem 16#1000000000000000)",
    "(@ band 16#ffff)",
    "((@ band 16#1fffffffffffffff) - 16#fffffffffffffff)",
];

impl Maker<'_> {
    /// A loop over its arguments, which are numbers, for as often as the first one says.
    pub fn numeric(&mut self, me: &Signature) -> Vec<Phrase> {
        let mark = self.variables.len();
        let names: Vec<String> = me.arguments.iter().map(|s| self.bind(*s)).collect();
        let head = |first: &str| {
            let all = std::iter::once(first.to_string()).chain(names.iter().cloned());
            format!("{}({})", me.name, all.collect::<Vec<_>>().join(", "))
        };
        self.calls = false;
        let end = self.expression(me.result, 1);
        let mut clauses = vec![Phrase::form(
            Category::Other,
            format!("{} ->\n    @", head("0")),
            vec![end],
        )];
        if self.random.once_in(2) {
            let parts = vec![self.bound_of_numbers(), self.next_round(me)];
            let text = format!("{} when @ ->\n    @", head("N"));
            clauses.push(Phrase::form(Category::Other, text, parts));
        }
        let last = match self.random.below(4) {
            0 => {
                let parts = vec![
                    self.bound_of_numbers(),
                    self.next_round(me),
                    self.next_round(me),
                ];
                Phrase::form(me.result, "if @ -> @; true -> @ end", parts)
            }
            1 => {
                let sort = *self.random.pick(&[Category::Int, Category::Float]);
                let (number, name) = (self.number(sort, 2), self.bind(sort));
                let parts = vec![number, self.next_round(me)];
                Phrase::form(me.result, format!("{name} = @,\n    @"), parts)
            }
            _ => self.next_round(me),
        };
        let text = format!("{} ->\n    @", head("N"));
        clauses.push(Phrase::form(Category::Other, text, vec![last]));
        self.variables.truncate(mark);
        clauses
    }

    fn next_round(&mut self, me: &Signature) -> Phrase {
        let mut arguments = vec![Phrase::leaf(Category::Int, "(N - 1)")];
        for &sort in &me.arguments {
            let value = match self.random.once_in(4) {
                true => self.simple(sort),
                false => self.number(sort, 2),
            };
            arguments.push(match sort {
                Category::Int => Phrase::form(sort, *self.random.pick(&BOUNDS), vec![value]),
                _ => value,
            });
        }
        me.call(arguments)
    }

    /// A guard that compares numbers.
    fn bound_of_numbers(&mut self) -> Phrase {
        let op = *self
            .random
            .pick(&["<", ">", "=<", ">=", "==", "/=", "=:=", "=/="]);
        let sort = *self.random.pick(&[Category::Int, Category::Float]);
        let other = match self.random.once_in(4) {
            true => Category::Int,
            false => sort,
        };
        let parts = vec![self.simple(sort), self.simple(other)];
        Phrase::form(Category::Guard, format!("@ {op} @"), parts)
    }

    /// Arithmetic on variables and constants only; its values do not grow by more than some bits.
    fn number(&mut self, sort: Category, depth: usize) -> Phrase {
        if depth == 0 {
            return self.simple(sort);
        }
        let ops: &[&str] = match sort {
            Category::Float => &["+", "-", "*", "+", "-", "*", "/"],
            _ => &["+", "-", "+", "-", "*", "div", "rem", "band", "bor", "bxor"],
        };
        let op = *self.random.pick(ops);
        match (sort, self.random.below(8)) {
            (Category::Int, 0) => {
                let count = self.random.below(14);
                let op = *self.random.pick(&["bsl", "bsr"]);
                let part = vec![self.number(sort, depth - 1)];
                Phrase::form(sort, format!("(@ {op} {count})"), part)
            }
            (Category::Int, 1) => {
                let factor = *self.random.pick(&["3", "-7", "1000", "16#10001"]);
                let part = vec![self.simple(sort)];
                Phrase::form(sort, format!("(@ * {factor})"), part)
            }
            (Category::Int, _) if op == "*" => {
                let parts = vec![self.simple(sort), self.simple(sort)];
                Phrase::form(sort, "((@ band 16#ffffffff) * (@ band 16#3fffffff))", parts)
            }
            (Category::Float, 0) => {
                let parts = vec![self.number(sort, depth - 1), self.simple(Category::Int)];
                Phrase::form(sort, format!("(@ {op} @)"), parts)
            }
            (Category::Float, 1) => {
                let parts = vec![self.simple(Category::Int), self.number(sort, depth - 1)];
                Phrase::form(sort, format!("(@ {op} @)"), parts)
            }
            _ => {
                let parts = vec![self.number(sort, depth - 1), self.number(sort, depth - 1)];
                Phrase::form(sort, format!("(@ {op} @)"), parts)
            }
        }
    }
}
