//! The choice of what makes a value of a sort.

use super::scope::Maker;
use super::tree::{Category, Phrase};

/// How often something of another sort stands where it does not fit.
const MISTAKES: usize = 400;

impl Maker<'_> {
    /// An expression of this sort, mostly, with at most so many levels.
    pub fn expression(&mut self, sort: Category, depth: usize) -> Phrase {
        if depth == 0 || self.budget == 0 {
            return match sort {
                Category::Fun(n) => self.closure(n, 0),
                _ => match self.simple(sort) {
                    // What the compiler does not know, it does not calculate.
                    Phrase::Form { sort, text, parts }
                        if !text.starts_with('V') && self.random.once_in(2) =>
                    {
                        let literal = Phrase::Form { sort, text, parts };
                        Phrase::form(sort, "id(@)", vec![literal])
                    }
                    simple => simple,
                },
            };
        }
        self.budget -= 1;
        if let (true, Some(v)) = (self.random.once_in(5), self.variable(sort)) {
            return v;
        }
        let sort = match sort {
            Category::Any => self.plain_sort(),
            Category::Fun(_) => sort,
            _ if self.random.once_in(MISTAKES) => self.plain_sort(),
            _ => sort,
        };
        let depth = depth - 1;
        match sort {
            Category::Int => self.integer(depth),
            Category::Float => self.float(depth),
            Category::Bool => self.boolean(depth),
            Category::Atom => self.atom(depth),
            Category::Ints => self.integers(depth),
            Category::List => self.list(depth),
            Category::Tuple => self.tuple(depth),
            Category::Record => self.record(depth),
            Category::Map => self.map(depth),
            Category::Bits => self.bits(depth),
            Category::Fun(n) => self.closure(n, depth),
            _ => self.simple(sort),
        }
    }

    fn atom(&mut self, depth: usize) -> Phrase {
        match self.random.below(4) {
            0 => self.literal(Category::Atom),
            1 => Phrase::form(
                Category::Atom,
                "list_to_atom(atom_to_list(@))",
                vec![self.expression(Category::Atom, depth)],
            ),
            _ => self.control(Category::Atom, depth),
        }
    }

    /// Statements and a value; what they bind is forgotten.
    pub fn body(&mut self, sort: Category, depth: usize) -> Phrase {
        self.scoped(|m| {
            let n = if depth == 0 { 0 } else { m.random.below(3) };
            let mut items: Vec<Phrase> = (0..n).map(|_| m.statement(depth)).collect();
            items.push(m.expression(sort, depth));
            Phrase::many(",\n        ", 1, items)
        })
    }

    /// A statement that may bind variables.
    pub fn statement(&mut self, depth: usize) -> Phrase {
        let depth = depth.saturating_sub(1);
        match self.random.below(12) {
            0 => {
                let value = self.expression(Category::Any, depth);
                Phrase::form(
                    Category::Any,
                    format!("put(k{}, @)", self.random.below(4)),
                    vec![value],
                )
            }
            1 => {
                // A pattern that fits the value by its making.
                let n = self.random.within(1, 4);
                let sorts: Vec<Category> = (0..n).map(|_| self.plain_sort()).collect();
                let values = sorts.iter().map(|&s| self.expression(s, depth)).collect();
                let names = sorts
                    .iter()
                    .map(|&s| Phrase::leaf(Category::Pattern, self.bind(s)))
                    .collect();
                let parts = vec![Phrase::many(", ", 0, names), Phrase::many(", ", 0, values)];
                Phrase::form(Category::Other, "{@} = id({@})", parts)
            }
            2 => {
                let n = u8::try_from(self.random.below(5)).unwrap_or(0);
                let value = self.closure(n, depth);
                let name = self.bind(Category::Fun(n));
                Phrase::form(Category::Other, format!("{name} = @"), vec![value])
            }
            3 => {
                let value = self.expression(Category::Any, depth);
                Phrase::form(Category::Any, "self() ! @", vec![value])
            }
            4..7 => {
                // An error ends this statement only.
                let sort = self.plain_sort();
                let value = self.expression(sort, depth);
                let instead = self.simple(sort);
                let (class, reason) = (self.fresh(), self.fresh());
                let name = self.bind(sort);
                let text = format!(
                    "{name} = try @ catch {class}:{reason} -> put(caught, {{{class}, {reason}}}), @ end"
                );
                Phrase::form(Category::Other, text, vec![value, instead])
            }
            _ => {
                let sort = self.plain_sort();
                let value = self.expression(sort, depth);
                let name = self.bind(sort);
                Phrase::form(Category::Other, format!("{name} = @"), vec![value])
            }
        }
    }
}
