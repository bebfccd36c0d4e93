//! Lists, tuples, records and maps.

use super::scope::Maker;
use super::tree::{Category, Phrase};

impl Maker<'_> {
    /// A list of integers.
    pub fn integers(&mut self, depth: usize) -> Phrase {
        let ints = Category::Ints;
        match self.random.below(12) {
            0 | 1 => {
                let parts = vec![
                    self.expression(Category::Int, depth),
                    self.expression(ints, depth),
                ];
                Phrase::form(ints, "[@ | @]", parts)
            }
            2 => {
                let items = (0..self.random.below(5))
                    .map(|_| self.expression(Category::Int, depth))
                    .collect();
                Phrase::form(ints, "[@]", vec![Phrase::many(", ", 0, items)])
            }
            3 => {
                let parts = vec![self.expression(ints, depth), self.expression(ints, depth)];
                let text = *self
                    .random
                    .pick(&["(@ ++ @)", "(@ -- @)", "lists:append(@, @)"]);
                Phrase::form(ints, text, parts)
            }
            4 => {
                let n = self.random.below(40);
                let text = *self.random.pick(&[
                    "lists:reverse(@)",
                    "lists:sort(@)",
                    "tl([0 | @])",
                    "lists:usort(@)",
                    "lists:seq(1, length(@))",
                ]);
                match self.random.once_in(4) {
                    true => Phrase::leaf(ints, format!("lists:seq(1, {n})")),
                    false => Phrase::form(ints, text, vec![self.expression(ints, depth)]),
                }
            }
            5 => Phrase::form(
                ints,
                "integer_to_list(@)",
                vec![self.expression(Category::Int, depth)],
            ),
            6 => {
                let parts = vec![self.closure(1, depth), self.expression(ints, depth)];
                Phrase::form(ints, "lists:map(@, @)", parts)
            }
            7 | 8 => self.comprehension(depth),
            9 => self.scoped(|m| {
                let bits = m.expression(Category::Bits, depth);
                let name = m.bind(Category::Int);
                let size = m.random.within(1, 70);
                let kind = *m.random.pick(&["", "/signed", "/little", "/signed-little"]);
                let value = m.expression(Category::Int, depth.min(2));
                Phrase::form(
                    ints,
                    format!("[@ || <<{name}:{size}{kind}>> <= @]"),
                    vec![value, bits],
                )
            }),
            10 => Phrase::form(
                ints,
                "atom_to_list(@)",
                vec![self.expression(Category::Atom, depth)],
            ),
            _ => self.control(ints, depth),
        }
    }

    fn comprehension(&mut self, depth: usize) -> Phrase {
        let list = self.expression(Category::Ints, depth);
        self.scoped(|m| {
            let name = m.bind(Category::Int);
            let filters = match m.random.below(3) {
                0 => vec![Phrase::form(Category::Other, ", @", vec![m.boolean(1)])],
                1 => {
                    let other = m.bind(Category::Int);
                    vec![Phrase::leaf(
                        Category::Other,
                        format!(", {other} <- [1, 2, {name}]"),
                    )]
                }
                _ => vec![],
            };
            let value = m.expression(Category::Int, depth.min(2));
            let parts = vec![value, list, Phrase::many("", 0, filters)];
            Phrase::form(Category::Ints, format!("[@ || {name} <- @@]"), parts)
        })
    }

    /// A list of anything.
    pub fn list(&mut self, depth: usize) -> Phrase {
        let list = Category::List;
        match self.random.below(9) {
            0 | 1 => {
                let parts = vec![
                    self.expression(Category::Any, depth),
                    self.expression(list, depth),
                ];
                Phrase::form(list, "[@ | @]", parts)
            }
            2 => {
                let items = (0..self.random.below(5))
                    .map(|_| self.expression(Category::Any, depth))
                    .collect();
                Phrase::form(list, "[@]", vec![Phrase::many(", ", 0, items)])
            }
            3 => Phrase::form(
                list,
                "tuple_to_list(@)",
                vec![self.expression(Category::Tuple, depth)],
            ),
            4 => Phrase::form(
                list,
                "lists:sort(maps:to_list(@))",
                vec![self.expression(Category::Map, depth)],
            ),
            5 => {
                let parts = vec![self.expression(list, depth), self.expression(list, depth)];
                let text = *self.random.pick(&[
                    "(@ ++ @)",
                    "(@ -- @)",
                    "[{@, B} || B <- @]",
                    "[@ | lists:reverse(@)]",
                ]);
                let text = text.replace('B', &self.fresh());
                Phrase::form(list, text, parts)
            }
            6 => {
                let (text, sort) = *self.random.pick(&[
                    ("(@)#r.t", Category::Record),
                    ("lists:sort(@)", list),
                    ("lists:reverse(@)", list),
                    ("tl([0 | @])", list),
                ]);
                Phrase::form(list, text, vec![self.expression(sort, depth)])
            }
            7 => self.integers(depth),
            _ => self.control(list, depth),
        }
    }

    /// A tuple.
    pub fn tuple(&mut self, depth: usize) -> Phrase {
        let tuple = Category::Tuple;
        match self.random.below(8) {
            0..3 => {
                let items = (0..self.random.below(6))
                    .map(|_| self.expression(Category::Any, depth))
                    .collect();
                Phrase::form(tuple, "{@}", vec![Phrase::many(", ", 0, items)])
            }
            3 => {
                let n = self.random.within(1, 3);
                let parts = vec![
                    self.expression(tuple, depth),
                    self.expression(Category::Any, depth),
                ];
                match self.random.once_in(6) {
                    true => Phrase::form(tuple, format!("setelement({n}, @, @)"), parts),
                    false => {
                        Phrase::form(tuple, format!("setelement({n}, {{@, @, 3}}, 4.0)"), parts)
                    }
                }
            }
            4 => Phrase::form(
                tuple,
                "list_to_tuple(@)",
                vec![self.expression(Category::List, depth)],
            ),
            5 => {
                let parts = vec![
                    self.expression(tuple, depth),
                    self.expression(Category::Any, depth),
                ];
                Phrase::form(tuple, "erlang:append_element(@, @)", parts)
            }
            6 => self.record(depth),
            _ => self.control(tuple, depth),
        }
    }

    /// A record.
    pub fn record(&mut self, depth: usize) -> Phrase {
        let record = Category::Record;
        let mut fields = Vec::new();
        for (name, sort) in [
            ("n", Category::Int),
            ("f", Category::Float),
            ("t", Category::Any),
            ("m", Category::Map),
            ("b", Category::Bits),
        ] {
            if self.random.once_in(3) {
                let value = self.expression(sort, depth);
                fields.push(Phrase::form(
                    Category::Other,
                    format!("{name} = @"),
                    vec![value],
                ));
            }
        }
        let fields = Phrase::many(", ", 0, fields);
        match self.random.below(5) {
            0 | 1 => Phrase::form(record, "#r{@}", vec![fields]),
            2 | 3 => Phrase::form(
                record,
                "(@)#r{@}",
                vec![self.expression(record, depth), fields],
            ),
            _ => self.control(record, depth),
        }
    }

    /// A map.
    pub fn map(&mut self, depth: usize) -> Phrase {
        let map = Category::Map;
        match self.random.below(12) {
            0 | 1 => {
                let pairs = self.pairs(depth);
                Phrase::form(map, "#{@}", vec![pairs])
            }
            2..5 => {
                let pairs = self.pairs(depth);
                Phrase::form(map, "(@)#{@}", vec![self.expression(map, depth), pairs])
            }
            5 => {
                if self.random.once_in(4) {
                    // One key: of several that miss, which is named depends on the numbers of atoms.
                    let parts = vec![
                        self.expression(map, depth),
                        self.key(),
                        self.expression(Category::Any, depth),
                    ];
                    return Phrase::form(map, "(@)#{@ := @}", parts);
                }
                let keys = [self.key(), self.key()];
                let mut parts = vec![self.expression(map, depth)];
                parts.extend(keys.clone());
                for key in keys {
                    parts.extend([key, self.expression(Category::Any, depth)]);
                }
                Phrase::form(map, "((@)#{@ => 1, @ => 2})#{@ := @, @ := @}", parts)
            }
            6 | 7 => {
                let n = self.random.within(29, 35);
                self.scoped(|m| {
                    let name = m.bind(Category::Int);
                    let value = m.expression(Category::Int, depth.min(1));
                    Phrase::form(
                        map,
                        format!("maps:from_list([{{{name}, @}} || {name} <- lists:seq(1, {n})])"),
                        vec![value],
                    )
                })
            }
            8 => {
                let parts = vec![self.key(), self.expression(map, depth)];
                Phrase::form(map, "maps:remove(@, @)", parts)
            }
            9 => {
                let parts = vec![self.expression(map, depth), self.expression(map, depth)];
                Phrase::form(map, "maps:merge(@, @)", parts)
            }
            10 => {
                let parts = vec![
                    self.expression(Category::Any, depth),
                    self.expression(Category::Any, depth),
                    self.expression(map, depth),
                ];
                Phrase::form(
                    map,
                    *self.random.pick(&[
                        "maps:put(@, @, @)",
                        "maps:put(@, @, @)",
                        "maps:put(@, @, @)",
                        "maps:update(@, @, @)",
                    ]),
                    parts,
                )
            }
            _ => self.control(map, depth),
        }
    }

    fn pairs(&mut self, depth: usize) -> Phrase {
        let pairs = (0..self.random.below(5))
            .map(|_| {
                let key = match self.random.once_in(5) {
                    true => self.expression(Category::Any, depth.min(1)),
                    false => self.key(),
                };
                let parts = vec![key, self.expression(Category::Int, depth)];
                Phrase::form(Category::Other, "@ => @", parts)
            })
            .collect();
        Phrase::many(", ", 0, pairs)
    }
}
