//! From the code of PCRE 8 to a tree. The code may have come from anywhere: what is not understood is nothing.

/// How often something is repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Repeat {
    pub min: u32,
    /// None: without end.
    pub max: Option<u32>,
    pub mode: Mode,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    Greedy,
    Lazy,
    Possessive,
}

impl Repeat {
    pub const ONCE: Repeat = Repeat {
        min: 1,
        max: Some(1),
        mode: Mode::Greedy,
    };

    fn new(min: u32, max: Option<u32>, mode: Mode) -> Repeat {
        Repeat { min, max, mode }
    }
}

/// A property of characters: kind and value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Property {
    pub kind: u8,
    pub value: u8,
    pub negated: bool,
}

/// What is in a class beside its first 256 characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Member {
    Range(u32, u32),
    Property(Property),
}

/// A class of characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Class {
    pub negated: bool,
    /// The characters up to 255 are in the class by ranges, before it is negated.
    pub members: Vec<Member>,
}

/// What a conditional group asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Condition {
    Group(u16),
    /// The group with the name at this place in the table.
    Name(u16),
    /// In a recursion to this group, or to any.
    Recursion(Option<u16>),
    RecursionName(u16),
    Define,
    Never,
    Assertion(Box<Node>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Plain,
    Capture(u16),
    Atomic,
    Ahead { negated: bool },
    Behind { negated: bool },
    Condition(Condition),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// Text of the pattern language that means the same.
    Text(&'static str),
    Char {
        c: u32,
        caseless: bool,
    },
    Not {
        c: u32,
        caseless: bool,
    },
    Property(Property),
    Class(Class),
    /// What a group has matched, by its number.
    Back {
        group: u16,
        caseless: bool,
    },
    /// The same by a place in the table of names.
    BackName {
        place: u16,
        caseless: bool,
    },
    /// The group whose code begins here.
    Recurse(usize),
    /// A verb and its argument.
    Verb(&'static str, Vec<u8>),
    Group {
        kind: Kind,
        branches: Vec<Vec<Node>>,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Node {
    /// Where it begins in the code.
    pub at: usize,
    pub what: What,
    pub repeat: Repeat,
}

impl Repeat {
    /// The same but for what may be given back? BEAM's library forbids to give back what cannot lead to a match, and whether
    /// it can depends on what follows a copy.
    fn is_like(self, other: Repeat) -> bool {
        let is_lazy = |r: Repeat| r.mode == Mode::Lazy;
        (self.min, self.max, is_lazy(self)) == (other.min, other.max, is_lazy(other))
    }

    fn allow(&mut self, other: Repeat) {
        if other.mode == Mode::Greedy {
            self.mode = Mode::Greedy;
        }
    }
}

impl Node {
    /// May give back what another node like it may.
    pub fn allow(&mut self, other: &Node) {
        let (
            What::Group { kind, branches },
            What::Group {
                kind: k,
                branches: b,
            },
        ) = (&mut self.what, &other.what)
        else {
            return;
        };
        if let Kind::Condition(Condition::Assertion(x)) = kind
            && let Kind::Condition(Condition::Assertion(y)) = k
        {
            x.allow(y);
        }
        for (x, y) in branches.iter_mut().flatten().zip(b.iter().flatten()) {
            x.repeat.allow(y.repeat);
            x.allow(y);
        }
    }

    /// The same thing, however often and wherever?
    pub fn is_like(&self, other: &Node) -> bool {
        match (&self.what, &other.what) {
            (
                What::Group { kind, branches },
                What::Group {
                    kind: k,
                    branches: b,
                },
            ) => {
                let like = |(x, y): (&Vec<Node>, &Vec<Node>)| {
                    x.len() == y.len()
                        && x.iter()
                            .zip(y)
                            .all(|(x, y)| x.repeat.is_like(y.repeat) && x.is_like(y))
                };
                let same = match (kind, k) {
                    (
                        Kind::Condition(Condition::Assertion(x)),
                        Kind::Condition(Condition::Assertion(y)),
                    ) => x.is_like(y),
                    _ => kind == k,
                };
                same && branches.len() == b.len() && branches.iter().zip(b).all(like)
            }
            (x, y) => x == y,
        }
    }
}

/// Types of characters, positions and others that are one byte of code, from 1 on.
const SIMPLE: [&str; 28] = [
    "\\A", "\\G", "\\K", "\\B", "\\b", "\\D", "\\d", "\\S", "\\s", "\\W", "\\w", "\\N", ".", "\\C",
    "", "", "\\R", "\\H", "\\h", "\\V", "\\v", "\\X", "\\Z", "\\z", "$", "(?m:$)", "^", "(?m:^)",
];

const CHAR: u8 = 29;
const NOT: u8 = 31;
const NOT_PROPERTY: u8 = 15;
const PROPERTY: u8 = 16;
/// Where the families of repeats begin, each of thirteen.
const FAMILIES: [u8; 5] = [33, 46, 59, 72, 85];
const FAMILY: u8 = 13;
const CLASS_REPEATS: u8 = 98;
const CLASS: u8 = 110;
const NOT_CLASS: u8 = 111;
const EXTENDED_CLASS: u8 = 112;
const BACK: u8 = 113;
const BACK_NAME: u8 = 115;
const RECURSE: u8 = 117;
const CALLOUT: u8 = 118;
const ALTERNATIVE: u8 = 119;
const KET: u8 = 120;
const KET_POSSESSIVE: u8 = 123;
const REVERSE: u8 = 124;
const AHEAD: u8 = 125;
const CONDITION: u8 = 135;
const SKIP_GROUP: u8 = 161;
const FAIL: u8 = 157;
const CLOSE: u8 = 160;

/// Groups may be nested so deep.
const DEEPEST: u32 = 1000;

struct Reader<'a> {
    code: &'a [u8],
    at: usize,
    utf: bool,
    depth: u32,
}

/// Reads the code of a whole pattern.
pub(super) fn read(code: &[u8], utf: bool) -> Option<Vec<Vec<Node>>> {
    let mut r = Reader {
        code,
        at: 0,
        utf,
        depth: 0,
    };
    let whole = r.node()??;
    match whole.what {
        What::Group {
            kind: Kind::Plain,
            branches,
        } if whole.repeat == Repeat::ONCE && r.code.get(r.at) == Some(&0) => Some(branches),
        _ => None,
    }
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let b = *self.code.get(self.at)?;
        self.at += 1;
        Some(b)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    fn peek(&self) -> Option<u8> {
        self.code.get(self.at).copied()
    }

    fn character(&mut self) -> Option<u32> {
        let first = self.byte()?;
        if !self.utf || first < 0x80 {
            return Some(u32::from(first));
        }
        let more = match first {
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf7 => 3,
            _ => return None,
        };
        let mut c = u32::from(first) & (0x3f >> more);
        for _ in 0..more {
            c = c << 6 | u32::from(self.byte()?) & 0x3f;
        }
        (c <= 0x10_ffff).then_some(c)
    }

    /// What is repeated by the member `n` of a family.
    fn repeat(&mut self, n: u8) -> Option<Repeat> {
        use Mode::{Greedy, Lazy, Possessive};
        let up_to = |r: &mut Self| Some(u32::from(r.number()?));
        Some(match n {
            0 => Repeat::new(0, None, Greedy),
            1 => Repeat::new(0, None, Lazy),
            2 => Repeat::new(1, None, Greedy),
            3 => Repeat::new(1, None, Lazy),
            4 => Repeat::new(0, Some(1), Greedy),
            5 => Repeat::new(0, Some(1), Lazy),
            6 => Repeat::new(0, Some(up_to(self)?), Greedy),
            7 => Repeat::new(0, Some(up_to(self)?), Lazy),
            8 => {
                let n = up_to(self)?;
                Repeat::new(n, Some(n), Greedy)
            }
            9 => Repeat::new(0, None, Possessive),
            10 => Repeat::new(1, None, Possessive),
            11 => Repeat::new(0, Some(1), Possessive),
            _ => Repeat::new(0, Some(up_to(self)?), Possessive),
        })
    }

    /// The repeat behind a class or a reference, if there is one.
    fn class_repeat(&mut self) -> Option<Repeat> {
        use Mode::{Greedy, Lazy, Possessive};
        let Some(op @ CLASS_REPEATS..CLASS) = self.peek() else {
            return Some(Repeat::ONCE);
        };
        self.at += 1;
        match op - CLASS_REPEATS {
            n @ 0..=5 => self.repeat(n),
            n @ (6 | 7 | 11) => {
                let min = u32::from(self.number()?);
                // Here 0 is without end.
                let max = Some(u32::from(self.number()?)).filter(|&n| n != 0);
                let mode = [Greedy, Lazy, Possessive][usize::from(n - 6).min(2)];
                Some(Repeat::new(min, max, mode))
            }
            n => self.repeat(n + 1),
        }
    }

    fn property(&mut self, negated: bool) -> Option<Property> {
        Some(Property {
            kind: self.byte()?,
            value: self.byte()?,
            negated,
        })
    }

    /// A type of characters, which may be repeated.
    fn kind_of_character(&mut self) -> Option<What> {
        Some(match self.byte()? {
            op @ (NOT_PROPERTY | PROPERTY) => What::Property(self.property(op == NOT_PROPERTY)?),
            op @ 6..=22 => What::Text(SIMPLE[usize::from(op - 1)]),
            _ => return None,
        })
    }

    fn map(&mut self) -> Option<[u8; 32]> {
        let map = self.code.get(self.at..self.at + 32)?.try_into().ok()?;
        self.at += 32;
        Some(map)
    }

    fn extended_class(&mut self, at: usize) -> Option<Class> {
        const SINGLE: u8 = 1;
        const RANGE: u8 = 2;
        const PROPERTY: u8 = 3;
        let end = at + usize::from(self.number()?);
        let flags = self.byte()?;
        let (negated, has_map, has_property) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
        let mut members = Vec::new();
        if has_map {
            let map = self.map()?;
            // Without properties the map says what is matched in the end.
            add_map(&mut members, &map, negated && !has_property);
        }
        loop {
            members.push(match self.byte()? {
                0 => break,
                SINGLE => {
                    let c = self.character()?;
                    Member::Range(c, c)
                }
                RANGE => Member::Range(self.character()?, self.character()?),
                k @ (PROPERTY | 4) => Member::Property(self.property(k == 4)?),
                _ => return None,
            });
        }
        (self.at == end).then_some(Class { negated, members })
    }

    fn verb(&mut self, name: &'static str) -> Option<What> {
        let n = usize::from(self.byte()?);
        let argument = self.code.get(self.at..self.at + n)?.to_vec();
        self.at += n + 1;
        Some(What::Verb(name, argument))
    }

    /// The next thing; an inner nothing where the code says nothing that matters.
    fn node(&mut self) -> Option<Option<Node>> {
        let at = self.at;
        let mut repeat = Repeat::ONCE;
        let op = self.byte()?;
        let what = match op {
            NOT_PROPERTY | PROPERTY => What::Property(self.property(op == NOT_PROPERTY)?),
            1..=28 => What::Text(SIMPLE[usize::from(op - 1)]),
            CHAR | 30 => What::Char {
                caseless: op != CHAR,
                c: self.character()?,
            },
            NOT | 32 => What::Not {
                caseless: op != NOT,
                c: self.character()?,
            },
            33..CLASS_REPEATS => {
                let family = (op - FAMILIES[0]) / FAMILY;
                repeat = self.repeat((op - FAMILIES[0]) % FAMILY)?;
                let caseless = family % 2 == 1;
                match family {
                    0 | 1 => What::Char {
                        caseless,
                        c: self.character()?,
                    },
                    2 | 3 => What::Not {
                        caseless,
                        c: self.character()?,
                    },
                    _ => self.kind_of_character()?,
                }
            }
            CLASS | NOT_CLASS => {
                let map = self.map()?;
                let mut members = Vec::new();
                // What is not in the map is in the negated class, if it is no byte.
                let negated = op == NOT_CLASS;
                add_map(&mut members, &map, negated);
                repeat = self.class_repeat()?;
                What::Class(Class { negated, members })
            }
            EXTENDED_CLASS => {
                let class = self.extended_class(at)?;
                repeat = self.class_repeat()?;
                What::Class(class)
            }
            BACK | 114 => {
                let group = self.number()?;
                repeat = self.class_repeat()?;
                What::Back {
                    group,
                    caseless: op != BACK,
                }
            }
            BACK_NAME | 116 => {
                let place = self.number()?;
                self.number()?;
                repeat = self.class_repeat()?;
                What::BackName {
                    place,
                    caseless: op != BACK_NAME,
                }
            }
            RECURSE => What::Recurse(usize::from(self.number()?)),
            CALLOUT => {
                self.at += 5;
                return Some(None);
            }
            REVERSE | CLOSE => {
                self.number()?;
                return Some(None);
            }
            AHEAD..=140 => {
                self.at = at;
                return self.group([false; 2]).map(Some);
            }
            // Not at all if need be: as much as possible, as little, possessively.
            146..=148 => return self.group([true, op == 147]).map(Some),
            SKIP_GROUP => {
                let mut group = self.group([false; 2])?;
                group.repeat = Repeat::new(0, Some(0), Mode::Greedy);
                return Some(Some(group));
            }
            149 => self.verb("MARK")?,
            150 => What::Text("(*PRUNE)"),
            151 => self.verb("PRUNE")?,
            152 => What::Text("(*SKIP)"),
            153 => self.verb("SKIP")?,
            154 => What::Text("(*THEN)"),
            155 => self.verb("THEN")?,
            156 => What::Text("(*COMMIT)"),
            FAIL => What::Text("(*FAIL)"),
            158 | 159 => What::Text("(*ACCEPT)"),
            _ => return None,
        };
        Some(Some(Node { at, what, repeat }))
    }

    /// A group; is it optional, and if so, rather left out?
    fn group(&mut self, [optional, lazy]: [bool; 2]) -> Option<Node> {
        let at = self.at;
        let op = self.byte()?;
        self.number()?;
        let kind = match op {
            AHEAD | 126 => Kind::Ahead {
                negated: op != AHEAD,
            },
            127 | 128 => Kind::Behind { negated: op == 128 },
            129 | 130 => Kind::Atomic,
            131 | 132 | 136 | 137 => Kind::Plain,
            133 | 134 | 138 | 139 => Kind::Capture(self.number()?),
            CONDITION | 140 => Kind::Condition(self.condition()?),
            _ => return None,
        };
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut branches = vec![Vec::new()];
        let end = loop {
            match self.peek()? {
                ALTERNATIVE => {
                    self.at += 1;
                    self.number()?;
                    branches.push(Vec::new());
                }
                end @ KET..=KET_POSSESSIVE => {
                    self.at += 1;
                    self.number()?;
                    break end;
                }
                _ => {
                    if let Some(n) = self.node()? {
                        branches.last_mut()?.push(n);
                    }
                }
            }
        };
        self.depth -= 1;
        let mode = match end {
            122 => Mode::Lazy,
            KET_POSSESSIVE => Mode::Possessive,
            _ if end == KET && lazy => Mode::Lazy,
            _ => Mode::Greedy,
        };
        let max = (end == KET).then_some(1);
        Some(Node {
            at,
            what: What::Group { kind, branches },
            repeat: Repeat::new(u32::from(!optional), max, mode),
        })
    }

    fn condition(&mut self) -> Option<Condition> {
        const ANY: u16 = 0xffff;
        while self.peek()? == CALLOUT {
            self.at += 6;
        }
        Some(match self.peek()? {
            op @ 141..=144 => {
                self.at += 1;
                let n = self.number()?;
                if matches!(op, 142 | 144) {
                    self.number()?;
                }
                match op {
                    141 => Condition::Group(n),
                    142 => Condition::Name(n),
                    143 => Condition::Recursion(Some(n).filter(|&n| n != ANY)),
                    _ => Condition::RecursionName(n),
                }
            }
            145 => {
                self.at += 1;
                Condition::Define
            }
            FAIL => {
                self.at += 1;
                Condition::Never
            }
            AHEAD..=128 => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return None;
                }
                let assertion = self.group([false; 2])?;
                self.depth -= 1;
                Condition::Assertion(Box::new(assertion))
            }
            _ => return None,
        })
    }
}

/// The ranges of a map's bits, or of those that are not set.
fn add_map(members: &mut Vec<Member>, map: &[u8; 32], inverted: bool) {
    let has = |c: u32| (map[c as usize / 8] & 1 << (c % 8) != 0) != inverted;
    let mut c = 0;
    while c < 256 {
        if !has(c) {
            c += 1;
            continue;
        }
        let first = c;
        while c < 256 && has(c) {
            c += 1;
        }
        members.push(Member::Range(first, c - 1));
    }
}
