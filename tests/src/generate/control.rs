//! What gives a value of any sort: selection, exceptions, messages, calls.

use super::literals::ATOMS;
use super::scope::{Maker, Shape};
use super::tree::{Category, Phrase};

impl Maker<'_> {
    /// An expression of this sort that chooses, catches, calls or waits.
    pub fn control(&mut self, sort: Category, depth: usize) -> Phrase {
        match self.random.below(16) {
            0..2 => self.case_of_patterns(sort, depth),
            2 => self.case_of_constants(sort, depth),
            3 => self.case_of_sizes(sort, depth),
            4 => {
                let clauses = (0..self.random.within(1, 3))
                    .map(|_| {
                        let parts = vec![self.guard(), self.body(sort, depth)];
                        Phrase::form(Category::Other, "@ -> @;\n        ", parts)
                    })
                    .collect();
                let parts = vec![Phrase::many("", 0, clauses), self.body(sort, depth)];
                Phrase::form(sort, "if @true -> @ end", parts)
            }
            5 | 6 => self.try_catch(sort, depth),
            7 => self.receive(sort, depth),
            8 if self.random.once_in(3) => self.raise(depth),
            8 => {
                let value = self.expression(sort, depth);
                let key = self.random.below(4);
                Phrase::form(
                    sort,
                    format!("begin put(k{key}, @), get(k{key}) end"),
                    vec![value],
                )
            }
            9 if matches!(sort, Category::Any | Category::Tuple) => Phrase::form(
                Category::Any,
                "(catch @)",
                vec![self.expression(Category::Any, depth)],
            ),
            9 | 10 => {
                let n = self.random.below(4);
                let tuple = self.expression(Category::Tuple, depth);
                let mut items: Vec<Phrase> = (0..n)
                    .map(|_| self.expression(Category::Any, depth.min(1)))
                    .collect();
                items.push(self.expression(sort, depth));
                let text = format!("element({}, {{@}})", n + 1);
                match self.random.once_in(6) {
                    true => Phrase::form(sort, format!("element({}, @)", n + 1), vec![tuple]),
                    false => Phrase::form(sort, text, vec![Phrase::many(", ", 1, items)]),
                }
            }
            _ => match self.call(sort, depth) {
                Some(call) => call,
                None => self.case_of_patterns(sort, depth),
            },
        }
    }

    fn case_of_patterns(&mut self, sort: Category, depth: usize) -> Phrase {
        let of = self.plain_sort();
        let value = self.expression(of, depth);
        let clauses = (0..self.random.within(1, 4))
            .map(|_| self.clause(of, sort, depth))
            .collect();
        let last = self.body(sort, depth);
        let parts = vec![value, Phrase::many("", 0, clauses), last];
        match self.random.once_in(12) {
            true => Phrase::form(
                sort,
                "case @ of @{no, V} when V -> @ end".replace('V', &self.fresh()),
                parts,
            ),
            false => Phrase::form(sort, "case @ of @_ -> @ end", parts),
        }
    }

    /// A clause for values of `of`, with its semicolon.
    fn clause(&mut self, of: Category, sort: Category, depth: usize) -> Phrase {
        self.scoped(|m| {
            let pattern = m.pattern(of, 2);
            if m.random.once_in(3) {
                let parts = vec![pattern, m.guard(), m.body(sort, depth)];
                return Phrase::form(Category::Other, "@ when @ -> @;\n        ", parts);
            }
            let parts = vec![pattern, m.body(sort, depth)];
            Phrase::form(Category::Other, "@ -> @;\n        ", parts)
        })
    }

    /// A pattern that values of this sort may fit.
    pub fn pattern(&mut self, of: Category, depth: usize) -> Phrase {
        let pattern = Category::Pattern;
        if depth == 0 || self.random.once_in(4) {
            return match self.random.below(4) {
                0 => Phrase::leaf(pattern, "_"),
                1 if !matches!(of, Category::Fun(_)) => self.pattern_literal(of),
                _ => Phrase::leaf(pattern, self.bind(of)),
            };
        }
        let below = depth - 1;
        match of {
            Category::Int | Category::Float | Category::Atom | Category::Bool => {
                self.pattern_literal(of)
            }
            Category::Ints | Category::List => {
                let item = if of == Category::Ints {
                    Category::Int
                } else {
                    Category::Any
                };
                let n = self.random.within(1, 3);
                let heads = (0..n).map(|_| self.pattern(item, below)).collect();
                let heads = Phrase::many(", ", 1, heads);
                match self.random.below(3) {
                    0 => Phrase::form(pattern, "[@]", vec![heads]),
                    _ => {
                        let tail = self.pattern(of, 0);
                        Phrase::form(pattern, "[@ | @]", vec![heads, tail])
                    }
                }
            }
            Category::Tuple => {
                let items = (0..self.random.below(5))
                    .map(|_| {
                        let sort = self.plain_sort();
                        self.pattern(sort, below)
                    })
                    .collect();
                Phrase::form(pattern, "{@}", vec![Phrase::many(", ", 0, items)])
            }
            Category::Record => {
                let fields = [
                    ("n", Category::Int),
                    ("f", Category::Float),
                    ("t", Category::Any),
                ]
                .into_iter()
                .filter(|_| self.random.once_in(2))
                .collect::<Vec<_>>();
                let fields = fields
                    .into_iter()
                    .map(|(name, sort)| {
                        Phrase::form(
                            Category::Other,
                            format!("{name} = @"),
                            vec![self.pattern(sort, below)],
                        )
                    })
                    .collect();
                Phrase::form(pattern, "#r{@}", vec![Phrase::many(", ", 0, fields)])
            }
            Category::Map => {
                let pairs = (0..self.random.below(4))
                    .map(|_| {
                        let parts = vec![self.key(), self.pattern(Category::Int, below)];
                        Phrase::form(Category::Other, "@ := @", parts)
                    })
                    .collect();
                Phrase::form(pattern, "#{@}", vec![Phrase::many(", ", 0, pairs)])
            }
            Category::Bits => self.bits_pattern(),
            Category::Any => {
                let sort = self.plain_sort();
                self.pattern(sort, depth)
            }
            _ => Phrase::leaf(pattern, self.bind(of)),
        }
    }

    fn pattern_literal(&mut self, of: Category) -> Phrase {
        let text = match self.literal(of) {
            Phrase::Form { text, parts, .. } if parts.is_empty() => text,
            _ => "[]".to_string(),
        };
        Phrase::leaf(Category::Pattern, text)
    }

    fn case_of_constants(&mut self, sort: Category, depth: usize) -> Phrase {
        let atoms = self.random.once_in(2);
        let mut keys: Vec<String> = Vec::new();
        for _ in 0..self.random.within(2, 10) {
            let key = match (atoms, self.random.once_in(2)) {
                (true, _) => (*self.random.pick(&ATOMS)).to_string(),
                (_, true) => self.random.below(12).to_string(),
                _ => self.integer_text(),
            };
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let value = match (atoms, self.random.once_in(2)) {
            (true, _) => self.expression(Category::Atom, depth),
            (_, true) => Phrase::form(
                Category::Int,
                "(@ band 15)",
                vec![self.expression(Category::Int, depth)],
            ),
            _ => self.expression(Category::Int, depth),
        };
        let clauses = keys
            .into_iter()
            .map(|key| {
                let parts = vec![
                    Phrase::leaf(Category::Pattern, key),
                    self.body(sort, depth.min(1)),
                ];
                Phrase::form(Category::Other, "@ -> @;\n        ", parts)
            })
            .collect();
        let parts = vec![value, Phrase::many("", 0, clauses), self.body(sort, depth)];
        Phrase::form(sort, "case @ of @_ -> @ end", parts)
    }

    fn case_of_sizes(&mut self, sort: Category, depth: usize) -> Phrase {
        let value = self.expression(Category::Tuple, depth);
        let mut clauses = Vec::new();
        for size in 0..5 {
            if self.random.once_in(3) {
                continue;
            }
            let clause = self.scoped(|m| {
                let names = (0..size)
                    .map(|_| Phrase::leaf(Category::Pattern, m.bind(Category::Any)))
                    .collect();
                let parts = vec![Phrase::many(", ", 0, names), m.body(sort, depth)];
                Phrase::form(Category::Other, "{@} -> @;\n        ", parts)
            });
            clauses.push(clause);
        }
        let parts = vec![value, Phrase::many("", 0, clauses), self.body(sort, depth)];
        Phrase::form(sort, "case @ of @_ -> @ end", parts)
    }

    fn try_catch(&mut self, sort: Category, depth: usize) -> Phrase {
        let risky = match self.random.below(4) {
            0 => self.raise(depth),
            1 => {
                let other = self.plain_sort();
                self.expression(other, depth)
            }
            _ => self.body(sort, depth),
        };
        let after = match self.random.once_in(3) {
            true => {
                let value = self.expression(Category::Any, depth.min(1));
                let text = format!("after put(k{}, @) ", self.random.below(4));
                Phrase::many(
                    "",
                    0,
                    vec![Phrase::form(Category::Other, text, vec![value])],
                )
            }
            false => Phrase::many("", 0, vec![]),
        };
        let (class, reason, stack) = (self.fresh(), self.fresh(), self.fresh());
        if self.random.once_in(3) {
            let (kind, catcher) = *self.random.pick(&[
                ("error", "badarith"),
                ("throw", "_"),
                ("error", "_"),
                ("_", "_"),
            ]);
            let parts = vec![risky, self.body(sort, depth), after];
            return Phrase::form(
                sort,
                format!("try @ catch {kind}:{catcher} -> @ @end"),
                parts,
            );
        }
        let noted = match self.random.below(3) {
            0 => format!("put(caught, {{{class}, {reason}, stack_of({stack})}}), "),
            1 => format!("put(caught, {{{class}, {reason}}}), "),
            _ => format!("put(stack, stack_of({stack})), "),
        };
        let noted = Phrase::many("", 0, vec![Phrase::leaf(Category::Other, noted)]);
        let of = match self.random.once_in(4) {
            true => {
                let clauses = (0..2).map(|_| self.clause(sort, sort, depth)).collect();
                let parts = vec![Phrase::many("", 0, clauses), self.body(sort, depth)];
                Phrase::many(
                    "",
                    0,
                    vec![Phrase::form(Category::Other, "of @_ -> @ ", parts)],
                )
            }
            false => Phrase::many("", 0, vec![]),
        };
        let handler = self.body(sort, depth);
        let text = format!("try @ @catch {class}:{reason}:{stack} -> @@ @end");
        Phrase::form(sort, text, vec![risky, of, noted, handler, after])
    }

    /// An expression that raises, mostly.
    pub fn raise(&mut self, depth: usize) -> Phrase {
        let text = *self.random.pick(&[
            "throw(@)",
            "error(@)",
            "exit(@)",
            "erlang:error(@, [1, 2])",
            "erlang:raise(error, @, [])",
            "hd(id(@))",
            "(1 + id(@))",
            "element(9, id(@))",
            "map_get(none, id(@))",
            "atom_to_list(id(@))",
            "apply(id(@), [])",
            "(id(@))()",
            "byte_size(id(@))",
            "length(id(@))",
            "lists:reverse(id(@))",
            "({x, y} = id(@))",
            "(not id(@))",
            "(1 div id(@))",
            "binary_to_atom(id(@))",
            "(id(@))#r.n",
        ]);
        Phrase::form(
            Category::Any,
            text,
            vec![self.expression(Category::Any, depth.min(2))],
        )
    }

    fn receive(&mut self, sort: Category, depth: usize) -> Phrase {
        let tag = self.random.below(3);
        let mut sends = Vec::new();
        for _ in 0..self.random.within(1, 3) {
            let tag = if self.random.once_in(2) {
                tag
            } else {
                self.random.below(3)
            };
            let value = self.expression(sort, depth.min(2));
            sends.push(Phrase::form(
                Category::Other,
                format!("self() ! {{t{tag}, @}}"),
                vec![value],
            ));
        }
        let clause = self.scoped(|m| {
            let name = m.bind(sort);
            let parts = vec![m.body(sort, depth)];
            Phrase::form(Category::Other, format!("{{t{tag}, {name}}} -> @"), parts)
        });
        let parts = vec![Phrase::many(", ", 1, sends), clause, self.body(sort, depth)];
        match self.random.once_in(4) {
            true => Phrase::form(sort, "begin @, receive @ after 1 -> @ end end", parts),
            false => Phrase::form(sort, "begin @, receive @ after 0 -> @ end end", parts),
        }
    }

    /// A fun of `n` integers whose body names variables around it, or one of another function.
    pub fn closure(&mut self, n: u8, depth: usize) -> Phrase {
        let sort = Category::Fun(n);
        if n == 2 && self.random.once_in(3) {
            let name = *self.random.pick(&[
                "fun erlang:'+'/2",
                "fun erlang:max/2",
                "fun erlang:'band'/2",
                "fun add/2",
            ]);
            return Phrase::leaf(sort, name);
        }
        if n == 1 && self.random.once_in(4) {
            let name = *self.random.pick(&[
                "fun erlang:abs/1",
                "fun id/1",
                "fun erlang:'-'/1",
                "fun ?MODULE:id/1",
            ]);
            return Phrase::leaf(sort, name);
        }
        self.scoped(|m| {
            let names: Vec<String> = (0..n).map(|_| m.bind(Category::Int)).collect();
            let calls = std::mem::replace(&mut m.calls, false);
            let body = m.expression(Category::Int, depth);
            m.calls = calls;
            Phrase::form(
                sort,
                format!("fun({}) -> @ end", names.join(", ")),
                vec![body],
            )
        })
    }

    /// A call of a fun, which gives an integer.
    pub fn fun_call(&mut self, depth: usize) -> Phrase {
        let n = u8::try_from(self.random.below(5)).unwrap_or(0);
        let fun = match self.variable(Category::Fun(n)) {
            Some(f) => f,
            None => self.closure(n, depth),
        };
        let arguments = (0..n)
            .map(|_| self.expression(Category::Int, depth))
            .collect();
        let arguments = Phrase::many(", ", usize::from(n), arguments);
        let text = *self
            .random
            .pick(&["(@)(@)", "apply(@, [@])", "(id(@))(@)", "(@)(@)"]);
        Phrase::form(Category::Int, text, vec![fun, arguments])
    }

    /// A call of one of the module's functions, if one gives this sort.
    fn call(&mut self, sort: Category, depth: usize) -> Option<Phrase> {
        if !self.calls {
            return None;
        }
        let from = &self.functions[self.index];
        let general = from.shape == Shape::General;
        let fit: Vec<usize> = (0..self.functions.len())
            .filter(|&i| {
                let f = &self.functions[i];
                let terminates = match f.shape {
                    Shape::Leaf => true,
                    Shape::General => general || i > self.index,
                    _ => i > self.index,
                };
                terminates && f.result.serves(sort)
            })
            .collect();
        if fit.is_empty() {
            return None;
        }
        let f = &self.functions[*self.random.pick(&fit)];
        Some(self.call_of(f, depth))
    }

    /// A call of this function.
    fn call_of(&mut self, f: &super::scope::Signature, depth: usize) -> Phrase {
        let mut arguments: Vec<Phrase> = Vec::new();
        match f.shape {
            Shape::Leaf => {}
            Shape::General => arguments.push(Phrase::leaf(Category::Int, self.fuel)),
            Shape::Counting | Shape::Numeric => {
                let count = match self.random.once_in(3) {
                    true => Phrase::form(
                        Category::Int,
                        "(@ band 15)",
                        vec![self.expression(Category::Int, 1)],
                    ),
                    false => Phrase::leaf(Category::Int, self.random.below(25).to_string()),
                };
                arguments.push(count);
            }
            Shape::Walking => arguments.push(self.expression(Category::Ints, depth.min(2))),
            Shape::Parsing => arguments.push(self.expression(Category::Bits, depth.min(2))),
        }
        for &sort in &f.arguments {
            arguments.push(self.expression(sort, depth.min(2)));
        }
        let n = arguments.len();
        let arguments = Phrase::many(", ", n, arguments);
        let name = &f.name;
        let text = match self.random.below(8) {
            0 if f.exported => format!("?MODULE:{name}(@)"),
            1 if f.exported => format!("apply(?MODULE, {name}, [@])"),
            2 if f.exported => format!("apply(id(?MODULE), id({name}), [@])"),
            3 => format!("(fun {name}/{n})(@)"),
            4 if f.exported => format!("(fun ?MODULE:{name}/{n})(@)"),
            _ => format!("{name}(@)"),
        };
        Phrase::form(f.result, text, vec![arguments])
    }
}
