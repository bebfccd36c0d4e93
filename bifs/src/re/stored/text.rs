//! From the tree of a pattern back to its text, all of it spelt out: characters are numbers, every group that captures has
//! the number that it had.

use super::header::Header;
use super::tree::{Class, Condition, Kind, Member, Mode, Node, Property, Repeat, What};
use std::borrow::Cow;
use std::io::Write;

/// The whole pattern; nothing if it cannot be said so.
pub(super) fn pattern(branches: &[Vec<Node>], head: &Header<'_>) -> Option<Vec<u8>> {
    let mut w = Writer {
        head,
        out: Vec::new(),
        groups: Vec::new(),
        next: 1,
        caseless: false,
        last_character: if head.utf() { 0x10_ffff } else { 0xff },
    };
    collect(branches, &mut w.groups);
    for (name, limit) in ["MATCH", "RECURSION"].iter().zip(head.limits) {
        if let Some(n) = limit {
            w.put(&format!("(*LIMIT_{name}={n})"));
        }
    }
    w.branches(branches, false)?;
    Some(w.out)
}

/// The groups that capture: where they begin in the code, and their numbers.
fn collect(branches: &[Vec<Node>], to: &mut Vec<(usize, u16)>) {
    for node in branches.iter().flatten() {
        if let What::Group { kind, branches } = &node.what {
            match kind {
                Kind::Capture(n) => to.push((node.at, *n)),
                Kind::Condition(Condition::Assertion(a)) => {
                    if let What::Group { branches, .. } = &a.what {
                        collect(branches, to);
                    }
                }
                _ => {}
            }
            collect(branches, to);
        }
    }
}

/// The numbers of the groups in a node.
fn numbers(node: &Node) -> Vec<u16> {
    let mut found = Vec::new();
    collect(&[vec![node.clone()]], &mut found);
    found.into_iter().map(|g| g.1).collect()
}

struct Writer<'a> {
    head: &'a Header<'a>,
    out: Vec<u8>,
    groups: Vec<(usize, u16)>,
    /// The number that the next group that captures gets.
    next: u16,
    /// Is case ignored here?
    caseless: bool,
    last_character: u32,
}

/// The first of the characters that a set of those that differ in case only has, by the set's place.
const CASE_SETS: [(u8, u32); 19] = [
    (1, 0x53),
    (5, 0x1c4),
    (9, 0x1c7),
    (13, 0x1ca),
    (17, 0x1f1),
    (21, 0x345),
    (26, 0xb5),
    (30, 0x3a3),
    (34, 0x392),
    (38, 0x398),
    (43, 0x3a6),
    (47, 0x3a0),
    (51, 0x39a),
    (55, 0x3a1),
    (59, 0x395),
    (63, 0x1e60),
    (67, 0x3a9),
    (71, 0x4b),
    (75, 0xc5),
];

const GENERAL: [&str; 7] = ["C", "L", "M", "N", "P", "S", "Z"];

const PARTICULAR: [&str; 30] = [
    "Cc", "Cf", "Cn", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "No",
    "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs",
];

/// Scripts, in the order of their numbers.
const SCRIPTS: [&str; 125] = [
    "Arabic",
    "Armenian",
    "Bengali",
    "Bopomofo",
    "Braille",
    "Buginese",
    "Buhid",
    "Canadian_Aboriginal",
    "Cherokee",
    "Common",
    "Coptic",
    "Cypriot",
    "Cyrillic",
    "Deseret",
    "Devanagari",
    "Ethiopic",
    "Georgian",
    "Glagolitic",
    "Gothic",
    "Greek",
    "Gujarati",
    "Gurmukhi",
    "Han",
    "Hangul",
    "Hanunoo",
    "Hebrew",
    "Hiragana",
    "Inherited",
    "Kannada",
    "Katakana",
    "Kharoshthi",
    "Khmer",
    "Lao",
    "Latin",
    "Limbu",
    "Linear_B",
    "Malayalam",
    "Mongolian",
    "Myanmar",
    "New_Tai_Lue",
    "Ogham",
    "Old_Italic",
    "Old_Persian",
    "Oriya",
    "Osmanya",
    "Runic",
    "Shavian",
    "Sinhala",
    "Syloti_Nagri",
    "Syriac",
    "Tagalog",
    "Tagbanwa",
    "Tai_Le",
    "Tamil",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Tifinagh",
    "Ugaritic",
    "Yi",
    "Balinese",
    "Cuneiform",
    "Nko",
    "Phags_Pa",
    "Phoenician",
    "Carian",
    "Cham",
    "Kayah_Li",
    "Lepcha",
    "Lycian",
    "Lydian",
    "Ol_Chiki",
    "Rejang",
    "Saurashtra",
    "Sundanese",
    "Vai",
    "Avestan",
    "Bamum",
    "Egyptian_Hieroglyphs",
    "Imperial_Aramaic",
    "Inscriptional_Pahlavi",
    "Inscriptional_Parthian",
    "Javanese",
    "Kaithi",
    "Lisu",
    "Meetei_Mayek",
    "Old_South_Arabian",
    "Old_Turkic",
    "Samaritan",
    "Tai_Tham",
    "Tai_Viet",
    "Batak",
    "Brahmi",
    "Mandaic",
    "Chakma",
    "Meroitic_Cursive",
    "Meroitic_Hieroglyphs",
    "Miao",
    "Sharada",
    "Sora_Sompeng",
    "Takri",
    "Bassa_Vah",
    "Caucasian_Albanian",
    "Duployan",
    "Elbasan",
    "Grantha",
    "Khojki",
    "Khudawadi",
    "Linear_A",
    "Mahajani",
    "Manichaean",
    "Mende_Kikakui",
    "Modi",
    "Mro",
    "Nabataean",
    "Old_North_Arabian",
    "Old_Permic",
    "Pahawh_Hmong",
    "Palmyrene",
    "Psalter_Pahlavi",
    "Pau_Cin_Hau",
    "Siddham",
    "Tirhuta",
    "Warang_Citi",
];

impl Writer<'_> {
    fn put(&mut self, text: &str) {
        self.out.extend(text.as_bytes());
    }

    fn character(&mut self, c: u32) {
        // Memory takes what is written.
        let _ = write!(self.out, "\\x{{{c:x}}}");
    }

    /// What follows ignores case, or does not.
    fn set_case(&mut self, caseless: bool) {
        if self.caseless != caseless {
            self.put(if caseless { "(?i)" } else { "(?-i)" });
            self.caseless = caseless;
        }
    }

    /// `reset`: each branch numbers its groups from the same number on.
    fn branches(&mut self, branches: &[Vec<Node>], reset: bool) -> Option<()> {
        let (first, mut last) = (self.next, self.next);
        for (i, branch) in branches.iter().enumerate() {
            if i > 0 {
                self.put("|");
            }
            if reset {
                self.next = first;
            }
            self.branch(branch)?;
            last = last.max(self.next);
        }
        self.next = last;
        Some(())
    }

    fn branch(&mut self, nodes: &[Node]) -> Option<()> {
        let mut i = 0;
        while let Some(node) = nodes.get(i) {
            let (node, repeat, used) = copies(node, &nodes[i + 1..]);
            i += used;
            self.node(&node, repeat)?;
        }
        Some(())
    }

    fn node(&mut self, node: &Node, repeat: Repeat) -> Option<()> {
        match &node.what {
            What::Text(text) => self.put(text),
            What::Char { c, caseless } => {
                self.set_case(*caseless);
                self.character(*c);
            }
            What::Not { c, caseless } => {
                self.set_case(*caseless);
                self.put("[^");
                self.character(*c);
                self.put("]");
            }
            What::Property(p) => self.property(*p)?,
            What::Class(c) => self.class(c)?,
            What::Back { group, caseless } => {
                self.set_case(*caseless);
                self.put(&format!("\\g{{{group}}}"));
            }
            What::BackName { place, caseless } => {
                self.set_case(*caseless);
                self.put("\\k<");
                self.name_at(*place)?;
                self.put(">");
            }
            What::Recurse(at) => {
                let number = match at {
                    0 => 0,
                    _ => self.groups.iter().find(|g| g.0 == *at)?.1,
                };
                // The first generation does not go back into a recursion.
                self.put(&format!("(?>(?{number}))"));
            }
            What::Verb(name, argument) => {
                self.put(&format!("(*{name}:"));
                self.out.extend(argument);
                self.put(")");
            }
            What::Group { kind, branches } => self.group(kind, branches)?,
        }
        self.repeat(repeat);
        Some(())
    }

    fn repeat(&mut self, r: Repeat) {
        match (r.min, r.max) {
            (1, Some(1)) => return,
            (0, None) => self.put("*"),
            (1, None) => self.put("+"),
            (0, Some(1)) => self.put("?"),
            (n, None) => self.put(&format!("{{{n},}}")),
            (n, Some(m)) if n == m => {
                self.put(&format!("{{{n}}}"));
                return;
            }
            (n, Some(m)) => self.put(&format!("{{{n},{m}}}")),
        }
        self.put(match r.mode {
            Mode::Greedy => "",
            Mode::Lazy => "?",
            Mode::Possessive => "+",
        });
    }

    fn group(&mut self, kind: &Kind, branches: &[Vec<Node>]) -> Option<()> {
        let caseless = self.caseless;
        let mut reset = false;
        match kind {
            Kind::Plain => {
                reset = self.is_numbered_anew(branches);
                self.put(if reset { "(?|" } else { "(?:" });
            }
            Kind::Capture(n) => {
                if *n != self.next {
                    return None;
                }
                self.next += 1;
                self.put("(");
                if let Some(name) = self.head.names.iter().find(|e| e.0 == *n) {
                    self.put("?<");
                    self.out.extend(name.1);
                    self.put(">");
                }
            }
            Kind::Atomic => self.put("(?>"),
            Kind::Ahead { negated: false } => self.put("(?="),
            Kind::Ahead { negated: true } => self.put("(?!"),
            Kind::Behind { negated: false } => self.put("(?<="),
            Kind::Behind { negated: true } => self.put("(?<!"),
            Kind::Condition(c) => {
                self.put("(?");
                self.condition(c)?;
            }
        }
        self.branches(branches, reset)?;
        self.put(")");
        self.caseless = caseless;
        Some(())
    }

    /// Do later branches have groups with numbers that earlier ones have had?
    fn is_numbered_anew(&self, branches: &[Vec<Node>]) -> bool {
        let mut seen = self.next;
        branches.iter().any(|b| {
            let all: Vec<u16> = b.iter().flat_map(numbers).collect();
            let anew = all.first().is_some_and(|&n| n < seen);
            seen = all.iter().fold(seen, |s, n| s.max(n.saturating_add(1)));
            anew
        })
    }

    fn name_at(&mut self, place: u16) -> Option<()> {
        let name = self.head.names.get(usize::from(place))?.1;
        self.out.extend(name);
        Some(())
    }

    fn condition(&mut self, c: &Condition) -> Option<()> {
        match c {
            Condition::Group(n) => self.put(&format!("({n})")),
            Condition::Name(place) => {
                self.put("(<");
                self.name_at(*place)?;
                self.put(">)");
            }
            Condition::Recursion(None) => self.put("(R)"),
            Condition::Recursion(Some(n)) => self.put(&format!("(R{n})")),
            Condition::RecursionName(place) => {
                self.put("(R&");
                self.name_at(*place)?;
                self.put(")");
            }
            Condition::Define => self.put("(DEFINE)"),
            Condition::Never => self.put("(?!)"),
            Condition::Assertion(a) => match &a.what {
                What::Group { kind, branches } => self.group(kind, branches)?,
                _ => return None,
            },
        }
        Some(())
    }

    fn class(&mut self, c: &Class) -> Option<()> {
        self.set_case(false);
        if c.members.is_empty() {
            // All characters, or none.
            self.put(if c.negated { "[\\x{0}-" } else { "[^\\x{0}-" });
            self.character(self.last_character);
            self.put("]");
            return Some(());
        }
        self.put(if c.negated { "[^" } else { "[" });
        for m in &c.members {
            match *m {
                Member::Range(a, b) => {
                    self.character(a);
                    if b > a {
                        self.put("-");
                        self.character(b);
                    }
                }
                Member::Property(p) => self.property_of_class(p)?,
            }
        }
        self.put("]");
        Some(())
    }

    fn property_of_class(&mut self, p: Property) -> Option<()> {
        let name = match p.kind {
            11 => "graph",
            12 => "print",
            13 => "punct",
            _ => return self.property(p),
        };
        let not = if p.negated { "^" } else { "" };
        self.put(&format!("[:{not}{name}:]"));
        Some(())
    }

    fn property(&mut self, p: Property) -> Option<()> {
        let value = usize::from(p.value);
        let name = match p.kind {
            0 => "Any",
            1 => "L&",
            2 => GENERAL.get(value)?,
            3 => PARTICULAR.get(value)?,
            4 => SCRIPTS.get(value)?,
            5 => "Xan",
            6 => "Xsp",
            7 => "Xps",
            8 => "Xwd",
            9 => {
                let first = CASE_SETS.iter().find(|s| s.0 == p.value)?.1;
                self.set_case(true);
                self.put(if p.negated { "[^" } else { "[" });
                self.character(first);
                self.put("]");
                return Some(());
            }
            10 => "Xuc",
            _ => return None,
        };
        let letter = if p.negated { 'P' } else { 'p' };
        self.put(&format!("\\{letter}{{{name}}}"));
        Some(())
    }
}

/// What a node stands for, how often, and how many nodes say so: a group that is repeated a number of times stands there as
/// often, and where that number may be smaller the last ones are in one another. Groups that do not capture may stay so.
fn copies<'a>(first: &'a Node, others: &[Node]) -> (Cow<'a, Node>, Repeat, usize) {
    if numbers(first).is_empty() {
        return (Cow::Borrowed(first), first.repeat, 1);
    }
    if let What::Group { branches, .. } = &first.what
        && let [branch] = &branches[..]
        && let [inner, _] = &branch[..]
        && !numbers(inner).is_empty()
    {
        let mut all = inner.clone();
        if let Some(n) = optional(first, &mut all) {
            let repeat = Repeat {
                max: Some(n),
                ..first.repeat
            };
            return (Cow::Owned(all), repeat, 1);
        }
    }
    let mut all = Cow::Borrowed(first);
    let mut repeat = first.repeat;
    let mut used = 1;
    if repeat != Repeat::ONCE {
        return (all, repeat, used);
    }
    for node in others {
        if node.is_like(first) && node.repeat.min == 1 {
            used += 1;
            repeat = Repeat {
                min: repeat.min + 1,
                max: node.repeat.max.map(|_| repeat.min + 1),
                mode: node.repeat.mode,
            };
            all.to_mut().allow(node);
            if node.repeat == Repeat::ONCE {
                continue;
            }
        } else {
            let mut with = all.clone().into_owned();
            if let Some(n) = optional(node, &mut with) {
                all = Cow::Owned(with);
                used += 1;
                repeat.max = Some(repeat.min + n);
                repeat.mode = node.repeat.mode;
            }
        }
        break;
    }
    (all, repeat, used)
}

/// How many times at most a node is the group `of`, if it is nothing else and may be left out.
fn optional(node: &Node, of: &mut Node) -> Option<u32> {
    if (node.repeat.min, node.repeat.max) != (0, Some(1)) {
        return None;
    }
    if node.is_like(of) {
        of.allow(node);
        return Some(1);
    }
    let What::Group {
        kind: Kind::Plain,
        branches,
    } = &node.what
    else {
        return None;
    };
    match branches.iter().map(|b| &b[..]).collect::<Vec<_>>()[..] {
        [[first, more]] if first.repeat == Repeat::ONCE && first.is_like(of) => {
            of.allow(first);
            Some(1 + optional(more, of)?)
        }
        _ => None,
    }
}
