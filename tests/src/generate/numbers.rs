//! Arithmetic, comparisons and guards.

use super::scope::Maker;
use super::tree::{Category, Phrase};

const COMPARISONS: [&str; 8] = ["==", "/=", "=:=", "=/=", "<", ">", "=<", ">="];
const TESTS: [&str; 14] = [
    "is_integer",
    "is_float",
    "is_number",
    "is_atom",
    "is_boolean",
    "is_list",
    "is_tuple",
    "is_map",
    "is_binary",
    "is_bitstring",
    "is_function",
    "is_pid",
    "is_reference",
    "is_port",
];

impl Maker<'_> {
    /// An expression that is an integer.
    pub fn integer(&mut self, depth: usize) -> Phrase {
        let int = Category::Int;
        match self.random.below(22) {
            0..7 => {
                let op = *self
                    .random
                    .pick(&["+", "-", "*", "+", "-", "band", "bor", "bxor"]);
                let parts = vec![self.expression(int, depth), self.expression(int, depth)];
                Phrase::form(int, format!("(@ {op} @)"), parts)
            }
            7 | 8 => {
                let op = *self.random.pick(&["div", "rem"]);
                let divisor = match self.random.below(6) {
                    0 => self.expression(int, depth),
                    1 | 2 => Phrase::form(int, "(@ bor 1)", vec![self.expression(int, depth)]),
                    _ => self.literal(int),
                };
                let parts = vec![self.expression(int, depth), divisor];
                Phrase::form(int, format!("(@ {op} @)"), parts)
            }
            9 | 10 => {
                let op = *self.random.pick(&["bsl", "bsr"]);
                let left = self.expression(int, depth);
                if self.random.once_in(2) {
                    let count = self.random.below(70);
                    return Phrase::form(int, format!("(@ {op} {count})"), vec![left]);
                }
                let count = self.expression(int, depth);
                let text = *self.random.pick(&[
                    "(@ # (@ band 63))",
                    "(@ # (@ rem 67))",
                    "(@ # (@ band 7))",
                ]);
                Phrase::form(int, text.replace('#', op), vec![left, count])
            }
            11 => {
                let text = *self.random.pick(&["(-@)", "(bnot @)", "abs(@)", "(+@)"]);
                Phrase::form(int, text, vec![self.expression(int, depth)])
            }
            12 => {
                let (text, sort) = *self.random.pick(&[
                    ("length(@)", Category::List),
                    ("tuple_size(@)", Category::Tuple),
                    ("map_size(@)", Category::Map),
                    ("byte_size(@)", Category::Bits),
                    ("bit_size(@)", Category::Bits),
                    ("erlang:phash2(@)", Category::Any),
                    ("size(@)", Category::Tuple),
                    ("length(lists:reverse(@))", Category::List),
                    ("lists:sum(@)", Category::Ints),
                    ("length(atom_to_list(@))", Category::Atom),
                    ("(@)#r.n", Category::Record),
                ]);
                Phrase::form(int, text, vec![self.expression(sort, depth)])
            }
            13 => {
                let text = *self
                    .random
                    .pick(&["trunc(@)", "round(@)", "ceil(@)", "floor(@)"]);
                Phrase::form(int, text, vec![self.expression(Category::Float, depth)])
            }
            14 => {
                let text = *self.random.pick(&["max(@, @)", "min(@, @)"]);
                let parts = vec![self.expression(int, depth), self.expression(int, depth)];
                Phrase::form(int, text, parts)
            }
            15 => {
                let list = self.expression(Category::Ints, depth);
                let text = match self.random.once_in(8) {
                    true => *self.random.pick(&[
                        "hd(@)",
                        "lists:nth(2, @)",
                        "lists:last(@)",
                        "lists:max(@)",
                    ]),
                    false => *self.random.pick(&[
                        "hd(@ ++ [7])",
                        "lists:nth(2, [1, 2 | @])",
                        "lists:last([0 | @])",
                        "lists:max([0 | @])",
                    ]),
                };
                Phrase::form(int, text, vec![list])
            }
            16 => {
                let text = *self.random.pick(&[
                    "list_to_integer(integer_to_list(@))",
                    "binary_to_integer(integer_to_binary(@))",
                    "binary_to_term(term_to_binary(@))",
                ]);
                Phrase::form(int, text, vec![self.expression(int, depth)])
            }
            17 | 18 => self.fun_call(depth),
            19 => {
                let parts = vec![self.key(), self.expression(Category::Map, depth)];
                Phrase::form(int, "maps:get(@, @, 7)", parts)
            }
            _ => self.control(int, depth),
        }
    }

    /// An expression that is a float.
    pub fn float(&mut self, depth: usize) -> Phrase {
        let float = Category::Float;
        let pair = |m: &mut Self, mix: usize| {
            let one = |m: &mut Self| {
                let sort = if m.random.once_in(mix) {
                    Category::Int
                } else {
                    float
                };
                m.expression(sort, depth)
            };
            vec![one(m), one(m)]
        };
        match self.random.below(9) {
            0..4 => {
                let op = *self.random.pick(&["+", "-", "*", "/"]);
                let parts = pair(self, 4);
                Phrase::form(float, format!("(@ {op} @)"), parts)
            }
            4 => {
                let text = *self.random.pick(&[
                    "(-@)",
                    "abs(@)",
                    "float(@)",
                    "math:sqrt(abs(@))",
                    "math:floor(@)",
                ]);
                Phrase::form(float, text, vec![self.expression(float, depth)])
            }
            5 => Phrase::form(
                float,
                "float(@)",
                vec![self.expression(Category::Int, depth)],
            ),
            6 => Phrase::form(
                float,
                "(@ / @)",
                vec![
                    self.expression(Category::Int, depth),
                    self.literal(Category::Int),
                ],
            ),
            7 => Phrase::form(
                float,
                "(@)#r.f",
                vec![self.expression(Category::Record, depth)],
            ),
            _ => self.control(float, depth),
        }
    }

    /// An expression that is `true` or `false`.
    pub fn boolean(&mut self, depth: usize) -> Phrase {
        let bool = Category::Bool;
        match self.random.below(10) {
            0..4 => self.comparison(depth),
            4 | 5 => {
                let test = *self.random.pick(&TESTS);
                Phrase::form(
                    bool,
                    format!("{test}(@)"),
                    vec![self.expression(Category::Any, depth)],
                )
            }
            6 => {
                let op = *self.random.pick(&["and", "or", "xor", "andalso", "orelse"]);
                let parts = vec![self.expression(bool, depth), self.expression(bool, depth)];
                Phrase::form(bool, format!("(@ {op} @)"), parts)
            }
            7 => Phrase::form(bool, "(not @)", vec![self.expression(bool, depth)]),
            8 => {
                let (text, sort) = *self.random.pick(&[
                    ("is_map_key(@, @)", Category::Map),
                    ("lists:member(@, @)", Category::List),
                    ("maps:is_key(@, @)", Category::Map),
                ]);
                let parts = vec![self.key(), self.expression(sort, depth)];
                Phrase::form(bool, text, parts)
            }
            _ => self.control(bool, depth),
        }
    }

    fn comparison(&mut self, depth: usize) -> Phrase {
        let op = *self.random.pick(&COMPARISONS);
        let sort = match self.random.below(4) {
            0 => Category::Any,
            1 | 2 => Category::Int,
            _ => self.plain_sort(),
        };
        let other = match self.random.below(6) {
            0 => Category::Any,
            1 if sort == Category::Int => Category::Float,
            _ => sort,
        };
        let left = self.expression(sort, depth);
        let right = match self.random.once_in(3) {
            true => self.literal(other),
            false => self.expression(other, depth),
        };
        Phrase::form(Category::Bool, format!("(@ {op} @)"), vec![left, right])
    }

    /// A guard on the variables in reach.
    pub fn guard(&mut self) -> Phrase {
        let n = self.random.within(1, 3);
        let tests = (0..n).map(|_| self.guard_test(2)).collect();
        let between = if self.random.once_in(4) { "; " } else { ", " };
        Phrase::many(between, 1, tests)
    }

    fn guard_test(&mut self, depth: usize) -> Phrase {
        let guard = Category::Guard;
        match self.random.below(8) {
            0 | 1 => {
                let test = *self.random.pick(&TESTS);
                Phrase::form(
                    guard,
                    format!("{test}(@)"),
                    vec![self.simple(Category::Any)],
                )
            }
            2..5 => {
                let op = *self.random.pick(&COMPARISONS);
                let parts = vec![self.guard_value(depth), self.guard_value(depth)];
                Phrase::form(guard, format!("@ {op} @"), parts)
            }
            5 if depth > 0 => {
                let op = *self.random.pick(&["andalso", "orelse", "and", "or"]);
                let parts = vec![self.guard_test(depth - 1), self.guard_test(depth - 1)];
                Phrase::form(guard, format!("((@) {op} (@))"), parts)
            }
            6 if depth > 0 => Phrase::form(guard, "(not (@))", vec![self.guard_test(depth - 1)]),
            _ => {
                let n = self.random.below(4);
                let (text, sort) = match self.random.below(4) {
                    0 => ("is_function(@, #)", Category::Any),
                    1 => ("is_map_key(#, @)", Category::Map),
                    2 => ("is_record(@, r)", Category::Record),
                    _ => ("@", Category::Bool),
                };
                Phrase::form(
                    guard,
                    text.replace('#', &n.to_string()),
                    vec![self.simple(sort)],
                )
            }
        }
    }

    fn guard_value(&mut self, depth: usize) -> Phrase {
        let int = Category::Int;
        match self.random.below(9) {
            0 | 1 => self.literal(int),
            2 | 3 => self.simple(int),
            4 => {
                let sort = self.plain_sort();
                self.simple(sort)
            }
            5 if depth > 0 => {
                let op = *self
                    .random
                    .pick(&["+", "-", "*", "div", "rem", "band", "bor", "bsr", "bxor"]);
                let parts = vec![self.guard_value(depth - 1), self.guard_value(depth - 1)];
                Phrase::form(int, format!("(@ {op} @)"), parts)
            }
            _ => {
                let n = self.random.within(1, 4);
                let (text, sort) = *self.random.pick(&[
                    ("length(@)", Category::List),
                    ("tuple_size(@)", Category::Tuple),
                    ("element(#, @)", Category::Tuple),
                    ("hd(@)", Category::List),
                    ("tl(@)", Category::List),
                    ("map_size(@)", Category::Map),
                    ("map_get(#, @)", Category::Map),
                    ("byte_size(@)", Category::Bits),
                    ("bit_size(@)", Category::Bits),
                    ("abs(@)", Category::Int),
                    ("trunc(@)", Category::Float),
                    ("round(@)", Category::Float),
                    ("float(@)", Category::Int),
                    ("(-@)", Category::Int),
                    ("(bnot @)", Category::Int),
                ]);
                Phrase::form(
                    Category::Any,
                    text.replace('#', &n.to_string()),
                    vec![self.simple(sort)],
                )
            }
        }
    }

    /// A variable of this sort, or a constant.
    pub fn simple(&mut self, sort: Category) -> Phrase {
        if let (false, Some(v)) = (self.random.once_in(8), self.variable(sort)) {
            return v;
        }
        match sort {
            Category::Fun(_) => self.literal(Category::Any),
            _ => self.literal(sort),
        }
    }
}
