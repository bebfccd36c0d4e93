//! What operations of the bit syntax are told, and how it is written.

use super::names::Named;
use super::parse::{ParseError, Parser};
use super::syntax::{Operand, Writer};
use enigma_runtime::code::bit_words::{LITTLE, SIGNED, kind};
use std::fmt::{self, Formatter};

/// How the bits of a field are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldFlags {
    /// Is the first byte the least significant one?
    pub little: bool,
    /// Is the first bit of the number its sign?
    pub signed: bool,
}

impl FieldFlags {
    /// From the flags of bytecode.
    pub fn of(flags: u8) -> FieldFlags {
        FieldFlags {
            little: flags & LITTLE != 0,
            signed: flags & SIGNED != 0,
        }
    }

    /// The flags of bytecode.
    pub fn bits(self) -> u8 {
        (if self.little { LITTLE } else { 0 }) | if self.signed { SIGNED } else { 0 }
    }
}

/// A command of matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchStep {
    /// So many bits are left, and what is left behind them is a multiple of the unit.
    AtLeast {
        /// Number of bits.
        bits: u64,
        /// The unit.
        unit: u32,
    },
    /// Exactly so many bits are left.
    Exactly(u64),
    /// Passes over so many bits.
    Skip(u64),
    /// The next bits are these.
    Equal {
        /// Number of bits, at most 64.
        bits: u32,
        /// As a number.
        value: u64,
    },
    /// Takes an integer. It is a result.
    Integer {
        /// Number of bits, 1 to 64.
        bits: u32,
        /// How they are read.
        flags: FieldFlags,
    },
    /// Takes a float. It is a result.
    Float {
        /// Number of bits, 32 or 64.
        bits: u32,
        /// How they are read.
        flags: FieldFlags,
    },
    /// Takes a bitstring of so many bits. It is a result.
    Part(u64),
    /// Gives what is left as a bitstring, and leaves it there. It is a result.
    Rest,
}

impl MatchStep {
    /// Gives it a result?
    pub fn has_result(&self) -> bool {
        matches!(
            self,
            MatchStep::Integer { .. }
                | MatchStep::Float { .. }
                | MatchStep::Part(_)
                | MatchStep::Rest
        )
    }
}

/// What is taken off a match context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitsField {
    /// An integer.
    Integer,
    /// A float.
    Float,
    /// A bitstring.
    Binary,
    /// Nothing is kept.
    Skip,
}

impl BitsField {
    /// As bytecode has it.
    pub fn code(self) -> u8 {
        match self {
            BitsField::Integer => kind::INTEGER,
            BitsField::Float => kind::FLOAT,
            BitsField::Binary => kind::BINARY,
            BitsField::Skip => kind::SKIP,
        }
    }
}

/// An encoding of code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16.
    Utf16,
    /// UTF-32.
    Utf32,
}

impl Encoding {
    /// As bytecode has it.
    pub fn code(self) -> u8 {
        match self {
            Encoding::Utf8 => kind::UTF8,
            Encoding::Utf16 => kind::UTF16,
            Encoding::Utf32 => kind::UTF32,
        }
    }
}

/// What a segment of a construction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// An integer.
    Integer,
    /// A float.
    Float,
    /// A bitstring.
    Binary,
    /// The binary to append to.
    Append,
    /// The same where nothing else uses it.
    PrivateAppend,
    /// A code point in UTF-8.
    Utf8,
    /// One in UTF-16.
    Utf16,
    /// One in UTF-32.
    Utf32,
    /// The module's constant bytes from this offset on.
    String(u32),
}

/// The size of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentSize {
    /// So many units.
    Units(u64),
    /// All of the value.
    All,
    /// So many units as a term says.
    Value,
}

/// A segment of a construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitSegment {
    /// What it is.
    pub kind: SegmentKind,
    /// Bits of a unit.
    pub unit: u32,
    /// Its size.
    pub size: SegmentSize,
    /// How it is written.
    pub flags: FieldFlags,
}

impl BitSegment {
    /// Is it a binary of whole bytes that the others are appended to?
    pub fn is_append(&self) -> bool {
        let append = matches!(self.kind, SegmentKind::Append | SegmentKind::PrivateAppend);
        append && self.size == SegmentSize::All && matches!(self.unit, 1 | 8)
    }

    /// How many terms it takes.
    pub fn terms(&self) -> usize {
        let value = !matches!(self.kind, SegmentKind::String(_));
        usize::from(value) + usize::from(self.size == SegmentSize::Value)
    }
}

/// The segments that are no constants, by name.
const SEGMENTS: &[(&str, SegmentKind)] = &[
    ("integer", SegmentKind::Integer),
    ("float", SegmentKind::Float),
    ("binary", SegmentKind::Binary),
    ("append", SegmentKind::Append),
    ("private_append", SegmentKind::PrivateAppend),
    ("utf8", SegmentKind::Utf8),
    ("utf16", SegmentKind::Utf16),
    ("utf32", SegmentKind::Utf32),
];

impl Named for BitsField {
    const ALL: &[BitsField] = &[
        BitsField::Integer,
        BitsField::Float,
        BitsField::Binary,
        BitsField::Skip,
    ];

    fn name(self) -> &'static str {
        match self {
            BitsField::Integer => "integer",
            BitsField::Float => "float",
            BitsField::Binary => "binary",
            BitsField::Skip => "skip",
        }
    }
}

impl Named for Encoding {
    const ALL: &[Encoding] = &[Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf8",
            Encoding::Utf16 => "utf16",
            Encoding::Utf32 => "utf32",
        }
    }
}

// ---- as text ----

impl fmt::Display for FieldFlags {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.little { " little" } else { "" })?;
        f.write_str(if self.signed { " signed" } else { "" })
    }
}

fn read_flags(p: &mut Parser<'_>) -> FieldFlags {
    FieldFlags {
        little: p.take_word("little"),
        signed: p.take_word("signed"),
    }
}

impl fmt::Display for MatchStep {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            MatchStep::AtLeast { bits, unit } => write!(f, "at_least {bits} unit {unit}"),
            MatchStep::Exactly(bits) => write!(f, "exactly {bits}"),
            MatchStep::Skip(bits) => write!(f, "skip {bits}"),
            MatchStep::Equal { bits, value } => write!(f, "equal {bits} {value}"),
            MatchStep::Integer { bits, flags } => write!(f, "integer {bits}{flags}"),
            MatchStep::Float { bits, flags } => write!(f, "float {bits}{flags}"),
            MatchStep::Part(bits) => write!(f, "part {bits}"),
            MatchStep::Rest => f.write_str("rest"),
        }
    }
}

fn read_step(p: &mut Parser<'_>) -> Result<MatchStep, ParseError> {
    let name = p.name()?;
    Ok(match name.as_str() {
        "at_least" => {
            let bits = p.number()?;
            p.word("unit")?;
            MatchStep::AtLeast {
                bits,
                unit: p.number()?,
            }
        }
        "exactly" => MatchStep::Exactly(p.number()?),
        "skip" => MatchStep::Skip(p.number()?),
        "equal" => MatchStep::Equal {
            bits: p.number()?,
            value: p.number()?,
        },
        "integer" => MatchStep::Integer {
            bits: p.number()?,
            flags: read_flags(p),
        },
        "float" => MatchStep::Float {
            bits: p.number()?,
            flags: read_flags(p),
        },
        "part" => MatchStep::Part(p.number()?),
        "rest" => MatchStep::Rest,
        _ => return Err(p.error_before(format!("`{name}` is no command of matching"))),
    })
}

/// Commands of matching.
pub(super) struct Steps;

impl Operand for Steps {
    type Of = Vec<MatchStep>;

    fn write(x: &Vec<MatchStep>, w: &mut Writer<'_, '_>) -> fmt::Result {
        w.list("", x, |f, step| write!(f, "{step}"))
    }

    fn read(p: &mut Parser<'_>) -> Result<Vec<MatchStep>, ParseError> {
        p.separator()?;
        p.list(read_step)
    }
}

/// How a field is read, behind a word.
pub(super) struct Flags;

impl Operand for Flags {
    type Of = FieldFlags;

    fn write(x: &FieldFlags, w: &mut Writer<'_, '_>) -> fmt::Result {
        match *x == FieldFlags::default() {
            true => Ok(()),
            false => w.item(format_args!("flags{x}")),
        }
    }

    fn read(p: &mut Parser<'_>) -> Result<FieldFlags, ParseError> {
        Ok(match p.take_item("flags") {
            true => read_flags(p),
            false => FieldFlags::default(),
        })
    }
}

impl fmt::Display for BitSegment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.kind {
            SegmentKind::String(from) => write!(f, "string {from}")?,
            kind => {
                let found = SEGMENTS.iter().find(|s| s.1 == kind);
                f.write_str(found.map_or("", |s| s.0))?;
            }
        }
        match self.size {
            SegmentSize::Units(n) => write!(f, " size {n}")?,
            SegmentSize::All => f.write_str(" all")?,
            SegmentSize::Value => {}
        }
        write!(f, " unit {}{}", self.unit, self.flags)
    }
}

fn read_segment(p: &mut Parser<'_>) -> Result<BitSegment, ParseError> {
    let name = p.name()?;
    let kind = match SEGMENTS.iter().find(|s| s.0 == name) {
        Some(s) => s.1,
        None if name == "string" => SegmentKind::String(p.number()?),
        None => return Err(p.error_before(format!("`{name}` is no segment"))),
    };
    let size = if p.take_word("size") {
        SegmentSize::Units(p.number()?)
    } else if p.take_word("all") {
        SegmentSize::All
    } else {
        SegmentSize::Value
    };
    p.word("unit")?;
    Ok(BitSegment {
        kind,
        size,
        unit: p.number()?,
        flags: read_flags(p),
    })
}

/// Segments of a construction.
pub(super) struct Segments;

impl Operand for Segments {
    type Of = Vec<BitSegment>;

    fn write(x: &Vec<BitSegment>, w: &mut Writer<'_, '_>) -> fmt::Result {
        w.list("", x, |f, segment| write!(f, "{segment}"))
    }

    fn read(p: &mut Parser<'_>) -> Result<Vec<BitSegment>, ParseError> {
        p.separator()?;
        p.list(read_segment)
    }
}
