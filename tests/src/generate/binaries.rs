//! Construction and matching of bitstrings.

use super::scope::Maker;
use super::tree::{Category, Phrase};

impl Maker<'_> {
    /// A bitstring.
    pub fn bits(&mut self, depth: usize) -> Phrase {
        let bits = Category::Bits;
        match self.random.below(10) {
            0..4 => {
                let segments = (0..self.random.within(1, 5))
                    .map(|_| self.segment(depth))
                    .collect();
                Phrase::form(bits, "<<@>>", vec![Phrase::many(", ", 0, segments)])
            }
            4 => {
                let segment = self.segment(depth);
                Phrase::form(
                    bits,
                    "<<(@)/bits, @>>",
                    vec![self.expression(bits, depth), segment],
                )
            }
            5 => self.scoped(|m| {
                let list = m.expression(Category::Ints, depth);
                m.bind(Category::Int);
                let name = m.variables[m.variables.len() - 1].0.clone();
                let segment = m.segment(depth.min(1));
                Phrase::form(
                    bits,
                    format!("<< <<@>> || {name} <- @ >>"),
                    vec![segment, list],
                )
            }),
            6 => self.scoped(|m| {
                let source = m.expression(bits, depth);
                let name = m.bind(Category::Int);
                let size = m.random.within(1, 40);
                let segment = m.segment(depth.min(1));
                Phrase::form(
                    bits,
                    format!("<< <<@>> || <<{name}:{size}>> <= @ >>"),
                    vec![segment, source],
                )
            }),
            7 => {
                let (text, sort) = *self.random.pick(&[
                    ("list_to_binary([X_ band 255 || X_ <- @])", Category::Ints),
                    ("term_to_binary(@)", Category::Int),
                    ("integer_to_binary(@)", Category::Int),
                    ("atom_to_binary(@)", Category::Atom),
                    ("iolist_to_binary([\"x\", atom_to_list(@)])", Category::Atom),
                    ("list_to_bitstring([@, <<1:1>>])", Category::Bits),
                    ("binary:part(<<7, (@)/float>>, 0, 2)", Category::Float),
                    ("<<(@)/bits>>", Category::Bits),
                    ("binary:copy(<<(@):24>>, 2)", Category::Int),
                ]);
                let text = text.replace("X_", &self.fresh());
                Phrase::form(bits, text, vec![self.expression(sort, depth)])
            }
            8 => Phrase::form(
                bits,
                "(@)#r.b",
                vec![self.expression(Category::Record, depth)],
            ),
            _ => self.control(bits, depth),
        }
    }

    /// A segment of a construction.
    pub fn segment(&mut self, depth: usize) -> Phrase {
        let other = Category::Other;
        match self.random.below(12) {
            0..6 => {
                let value = self.expression(Category::Int, depth);
                let kind = self.integer_kind();
                match self.random.below(4) {
                    0 => Phrase::form(
                        other,
                        format!("(@):(@ band 63){kind}"),
                        vec![value, self.expression(Category::Int, depth.min(1))],
                    ),
                    1 => Phrase::form(other, "(@)", vec![value]),
                    _ => {
                        let size = self.size();
                        Phrase::form(other, format!("(@):{size}{kind}"), vec![value])
                    }
                }
            }
            6 => {
                let kind = *self.random.pick(&[
                    "/float",
                    ":32/float",
                    "/float-little",
                    ":32/float-little",
                    ":16/float",
                    "/float-native",
                ]);
                let sort = if self.random.once_in(4) {
                    Category::Int
                } else {
                    Category::Float
                };
                Phrase::form(
                    other,
                    format!("(@){kind}"),
                    vec![self.expression(sort, depth)],
                )
            }
            7 => {
                let kind =
                    *self
                        .random
                        .pick(&["utf8", "utf16", "utf32", "utf16-little", "utf32-little"]);
                let value = self.expression(Category::Int, depth);
                Phrase::form(
                    other,
                    format!(
                        "(@ band 16#{})/{kind}",
                        self.random.pick(&["7f", "7ff", "ffff"])
                    ),
                    vec![value],
                )
            }
            8..10 => Phrase::form(
                other,
                "(@)/bits",
                vec![self.expression(Category::Bits, depth)],
            ),
            10 => {
                let n = self.random.below(4);
                let kind =
                    *self
                        .random
                        .pick(&[":#/binary", "/binary", ":#/bits", ":#/binary-unit:3"]);
                let text = match self.random.once_in(8) {
                    true => format!("(@){kind}"),
                    false => {
                        format!("<<(@)/bits, 1, 2, 3, 0:(7 - (bit_size(@) + 7) rem 8)>>{kind}")
                    }
                };
                let value = self.simple(Category::Bits);
                let values = vec![value; text.matches('@').count()];
                Phrase::form(other, text.replace('#', &n.to_string()), values)
            }
            _ => Phrase::leaf(
                other,
                *self
                    .random
                    .pick(&["\"abc\"", "0:5", "16#ff", "\"h\u{e9}\"/utf8", "-1:13"]),
            ),
        }
    }

    fn integer_kind(&mut self) -> &'static str {
        const KINDS: [&str; 7] = [
            "",
            "",
            "/little",
            "/signed",
            "/signed-little",
            "/native",
            "/unsigned-big",
        ];
        KINDS[self.random.below(KINDS.len())]
    }

    fn size(&mut self) -> usize {
        match self.random.below(4) {
            0 => *self.random.pick(&[8, 16, 24, 32, 40, 64, 128]),
            1 => self.random.within(55, 75),
            _ => self.random.within(0, 33),
        }
    }

    /// A pattern of a bitstring, with what it binds.
    pub fn bits_pattern(&mut self) -> Phrase {
        let mut segments = Vec::new();
        let mut sizes: Vec<String> = Vec::new();
        for _ in 0..self.random.within(1, 4) {
            let segment = self.segment_pattern(&mut sizes);
            segments.push(segment);
        }
        match self.random.below(4) {
            0 => {}
            1 => segments.push(Phrase::leaf(Category::Other, "_/bits")),
            2 => segments.push(Phrase::leaf(
                Category::Other,
                format!("{}/binary", self.bind(Category::Bits)),
            )),
            _ => segments.push(Phrase::leaf(
                Category::Other,
                format!("{}/bits", self.bind(Category::Bits)),
            )),
        }
        Phrase::form(
            Category::Pattern,
            "<<@>>",
            vec![Phrase::many(", ", 0, segments)],
        )
    }

    /// A segment of a pattern that does not take all of the rest; `sizes` are the integers bound so far.
    pub fn segment_pattern(&mut self, sizes: &mut Vec<String>) -> Phrase {
        let other = Category::Other;
        let text = match self.random.below(12) {
            0..5 => {
                let (size, kind, name) =
                    (self.size(), self.integer_kind(), self.bind(Category::Int));
                sizes.push(name.clone());
                format!("{name}:{size}{kind}")
            }
            5 => {
                let name = self.bind(Category::Int);
                sizes.push(name.clone());
                name
            }
            6 if !sizes.is_empty() => {
                let (kind, size) = (self.integer_kind(), self.random.pick(sizes).clone());
                format!("{}:{size}{kind}", self.bind(Category::Int))
            }
            6 => "_:3".to_string(),
            7 => {
                let kind =
                    *self
                        .random
                        .pick(&["/float", ":32/float", ":64/float-little", ":16/float"]);
                format!("{}{kind}", self.bind(Category::Float))
            }
            8 => {
                let kind = *self
                    .random
                    .pick(&["utf8", "utf16", "utf32", "utf16-little"]);
                format!("{}/{kind}", self.bind(Category::Int))
            }
            9 => {
                let n = self.random.below(4);
                let kind = *self.random.pick(&["binary", "bits", "binary-unit:3"]);
                format!("{}:{n}/{kind}", self.bind(Category::Bits))
            }
            10 if !sizes.is_empty() => {
                let size = self.random.pick(sizes).clone();
                format!("{}:{size}/binary", self.bind(Category::Bits))
            }
            10 => "_/utf8".to_string(),
            _ => {
                let n = self.random.below(256);
                match self.random.below(4) {
                    0 => format!("{n}"),
                    1 => format!("{}:5", n & 31),
                    2 => "\"h\"".to_string(),
                    _ => "_:7".to_string(),
                }
            }
        };
        Phrase::leaf(other, text)
    }
}
