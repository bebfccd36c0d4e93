//! Typed views of the chunks other than the code: atoms, imports, exports, funs, literals, line
//! table, types.
//!
//! Every count in a chunk is compared with the bytes that are left before anything is reserved for
//! it, so that memory stays proportional to the size of the file.

use crate::container::inflate_zlib;
use crate::error::{ErrorKind, LoadError};
use crate::operand::{Cursor, Raw, tag};

/// Index into the atom table as it stands in the file: 1 is the module's name, 0 is not an atom.
pub type AtomIdx = u32;

/// Greatest number of arguments of a function.
pub const MAX_ARITY: u32 = 255;

/// An imported function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Import {
    /// Module.
    pub module: AtomIdx,
    /// Function.
    pub function: AtomIdx,
    /// Number of arguments.
    pub arity: u32,
}

/// An exported or local function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportedFunction {
    /// Function.
    pub function: AtomIdx,
    /// Number of arguments.
    pub arity: u32,
    /// Entry label.
    pub label: u32,
}

/// A fun of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lambda {
    /// The function that holds the body.
    pub function: AtomIdx,
    /// Arguments of that function: those of the fun and then the environment.
    pub arity: u32,
    /// Entry label of that function.
    pub label: u32,
    /// Number of the fun within the module.
    pub index: u32,
    /// Size of the environment.
    pub num_free: u32,
    /// Old hash, kept for the external format.
    pub old_uniq: u32,
}

/// Source positions.
#[derive(Clone, Debug, Default)]
pub struct LineTable {
    /// File names; entry 0 is `None` and stands for the module's own file.
    pub names: Vec<Option<Box<str>>>,
    /// Positions, by the operand of `line`; entry 0 is the unknown position.
    pub items: Vec<LineItem>,
    /// Number of `line` instructions in the code as announced.
    pub instruction_count: u32,
    /// Bit 0: the code holds `executable_line`; bit 1: line counters are forced.
    pub flags: u32,
}

/// A source position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineItem {
    /// Index into [`LineTable::names`].
    pub name: u32,
    /// Line, 0 when unknown.
    pub line: u32,
}

impl LineTable {
    /// Lines from here on are not told: BEAM has 24 bits for them, all of which set mean nothing.
    const LINES: u32 = (1 << 24) - 1;
    /// As above, for the files that a module's functions come from: 8 bits.
    const FILES: u32 = (1 << 8) - 1;

    /// File (`None`: the module's own) and line of a `line` operand; `None` when unknown.
    pub fn position(&self, index: u32) -> Option<(Option<&str>, u32)> {
        let item = self.items.get(index as usize)?;
        if item.line == 0 || item.line >= Self::LINES || item.name >= Self::FILES {
            return None;
        }
        Some((self.names.get(item.name as usize)?.as_deref(), item.line))
    }
}

/// A set of term kinds, the same bits whatever the version of the type chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeSet(pub u16);

#[allow(missing_docs, reason = "the names say it")]
impl TypeSet {
    pub const ATOM: u16 = 1 << 0;
    pub const BITSTRING: u16 = 1 << 1;
    pub const CONS: u16 = 1 << 2;
    pub const FLOAT: u16 = 1 << 3;
    pub const FUN: u16 = 1 << 4;
    pub const INTEGER: u16 = 1 << 5;
    pub const MAP: u16 = 1 << 6;
    pub const NIL: u16 = 1 << 7;
    pub const PID: u16 = 1 << 8;
    pub const PORT: u16 = 1 << 9;
    pub const REFERENCE: u16 = 1 << 10;
    pub const TUPLE: u16 = 1 << 11;
    pub const RECORD: u16 = 1 << 12;
    /// A match context (told apart from bitstrings by releases before 27 only).
    pub const MATCH_CONTEXT: u16 = 1 << 13;
    pub const ANY: TypeSet = TypeSet((1 << 14) - 1);

    /// Whether some member is in `bits`.
    pub fn overlaps(self, bits: u16) -> bool {
        self.0 & bits != 0
    }
}

/// What the compiler knows about a register at one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeEntry {
    /// The possible kinds.
    pub union: TypeSet,
    /// Smallest number, where the kinds are numbers and it is known.
    pub lower: Option<i64>,
    /// Greatest number.
    pub upper: Option<i64>,
    /// The size of a bitstring is a multiple of this.
    pub unit: u16,
}

impl TypeEntry {
    /// Nothing known.
    pub const ANY: TypeEntry = TypeEntry {
        union: TypeSet::ANY,
        lower: None,
        upper: None,
        unit: 1,
    };
}

/// The type table.
#[derive(Clone, Debug)]
pub struct Types {
    /// Version of the chunk, 0 when the file has none.
    pub version: u32,
    /// The entries, at least one.
    pub entries: Vec<TypeEntry>,
}

impl Types {
    /// The table of a file without types.
    pub fn none(version: u32) -> Types {
        Types {
            version,
            entries: vec![TypeEntry::ANY],
        }
    }

    /// Without a usable table the type indices in the code mean nothing and are ignored.
    pub fn is_fallback(&self) -> bool {
        !(1..=4).contains(&self.version)
    }
}

/// Reads big-endian fields of a chunk.
struct Fields<'a> {
    id: [u8; 4],
    data: &'a [u8],
    pos: usize,
}

impl<'a> Fields<'a> {
    fn new(id: &[u8; 4], data: &'a [u8]) -> Fields<'a> {
        Fields {
            id: *id,
            data,
            pos: 0,
        }
    }

    fn error(&self, kind: ErrorKind) -> LoadError {
        LoadError::at(self.id, self.pos, kind)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], LoadError> {
        let rest = &self.data[self.pos..];
        let bytes = rest
            .get(..len)
            .ok_or_else(|| self.error(ErrorKind::Truncated))?;
        self.pos += len;
        Ok(bytes)
    }

    fn u8(&mut self) -> Result<u8, LoadError> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, LoadError> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Result<u32, LoadError> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn i64(&mut self) -> Result<i64, LoadError> {
        let bytes = self.take(8)?;
        Ok(bytes
            .iter()
            .fold(0, |value, &byte| value << 8 | i64::from(byte)))
    }

    /// Reads a count of items that take at least `item` bytes each.
    fn count(&mut self, item: usize) -> Result<usize, LoadError> {
        let count = self.u32()?;
        self.check_count(count, item)
    }

    fn check_count(&self, count: u32, item: usize) -> Result<usize, LoadError> {
        if count as usize > (self.data.len() - self.pos) / item {
            return Err(self.error(ErrorKind::BadCount {
                count: i64::from(count),
            }));
        }
        Ok(count as usize)
    }
}

/// The atom table: `AtU8` (classic and long form) or the older `Atom` in Latin-1. Entry 0 is empty.
pub(crate) fn parse_atoms(id: &[u8; 4], data: &[u8]) -> Result<Vec<Box<str>>, LoadError> {
    let mut fields = Fields::new(id, data);
    let announced = fields.u32()? as i32;
    // Releases from 28 on write a negative count and lengths as compact numbers.
    let long = announced < 0;
    let count = fields.check_count(announced.unsigned_abs(), 1)?;
    if count == 0 {
        return Err(fields.error(ErrorKind::BadCount { count: 0 }));
    }
    let latin1 = id == b"Atom";
    let mut atoms = Vec::with_capacity(count + 1);
    atoms.push("".into());
    for index in 1..=count as u32 {
        let len = if long {
            let mut cursor = Cursor::new(data, fields.pos);
            let len = cursor.unsigned().map_err(|kind| fields.error(kind))?;
            fields.pos = cursor.pos;
            len.min(data.len() as u64) as usize
        } else {
            usize::from(fields.u8()?)
        };
        let bytes = fields.take(len)?;
        let text: Option<Box<str>> = if latin1 {
            Some(
                bytes
                    .iter()
                    .map(|&byte| char::from(byte))
                    .collect::<String>()
                    .into(),
            )
        } else {
            std::str::from_utf8(bytes).ok().map(Box::from)
        };
        let text = text.filter(|text| text.len() <= 255 || text.chars().count() <= 255);
        atoms.push(text.ok_or_else(|| fields.error(ErrorKind::BadAtom { index }))?);
    }
    Ok(atoms)
}

fn atom_index(fields: &mut Fields<'_>, atoms: usize) -> Result<AtomIdx, LoadError> {
    let index = fields.u32()?;
    if index == 0 || index as usize >= atoms {
        return Err(fields.error(ErrorKind::AtomRange {
            index: u64::from(index),
        }));
    }
    Ok(index)
}

fn arity(fields: &mut Fields<'_>) -> Result<u32, LoadError> {
    let arity = fields.u32()?;
    if arity > MAX_ARITY {
        return Err(fields.error(ErrorKind::BadArity {
            arity: u64::from(arity),
        }));
    }
    Ok(arity)
}

pub(crate) fn parse_imports(data: &[u8], atoms: usize) -> Result<Vec<Import>, LoadError> {
    let mut fields = Fields::new(b"ImpT", data);
    let count = fields.count(12)?;
    (0..count)
        .map(|_| {
            let module = atom_index(&mut fields, atoms)?;
            let function = atom_index(&mut fields, atoms)?;
            Ok(Import {
                module,
                function,
                arity: arity(&mut fields)?,
            })
        })
        .collect()
}

/// `ExpT` and `LocT`.
pub(crate) fn parse_exports(
    id: &[u8; 4],
    data: &[u8],
    atoms: usize,
) -> Result<Vec<ExportedFunction>, LoadError> {
    let mut fields = Fields::new(id, data);
    let count = fields.count(12)?;
    (0..count)
        .map(|_| {
            let function = atom_index(&mut fields, atoms)?;
            let arity = arity(&mut fields)?;
            Ok(ExportedFunction {
                function,
                arity,
                label: fields.u32()?,
            })
        })
        .collect()
}

pub(crate) fn parse_lambdas(data: &[u8], atoms: usize) -> Result<Vec<Lambda>, LoadError> {
    let mut fields = Fields::new(b"FunT", data);
    let count = fields.count(24)?;
    (0..count)
        .map(|_| {
            let function = atom_index(&mut fields, atoms)?;
            let arity = arity(&mut fields)?;
            let label = fields.u32()?;
            let index = fields.u32()?;
            let num_free = fields.u32()?;
            if num_free > arity {
                return Err(fields.error(ErrorKind::BadArity {
                    arity: u64::from(num_free),
                }));
            }
            Ok(Lambda {
                function,
                arity,
                label,
                index,
                num_free,
                old_uniq: fields.u32()?,
            })
        })
        .collect()
}

/// The literal table: all external terms in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Literals {
    data: Box<[u8]>,
    ranges: Vec<(u32, u32)>,
}

impl Literals {
    /// Bytes that the table takes.
    pub fn memory(&self) -> usize {
        self.data.len() + self.ranges.capacity() * size_of::<(u32, u32)>()
    }

    /// Number of literals.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// A literal in the external term format, version byte 131 included.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let &(start, len) = self.ranges.get(index)?;
        Some(&self.data[start as usize..(start + len) as usize])
    }

    /// All literals in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.ranges
            .iter()
            .map(|&(start, len)| &self.data[start as usize..(start + len) as usize])
    }
}

/// The literal table; a declared size of 0 means that it is not compressed.
pub(crate) fn parse_literals(data: &[u8]) -> Result<Literals, LoadError> {
    const ID: &[u8; 4] = b"LitT";
    let mut fields = Fields::new(ID, data);
    let declared = fields.u32()?;
    let table: Box<[u8]> = if declared == 0 {
        data[4..].into()
    } else {
        inflate_zlib(&data[4..], u64::from(declared))
            .map_err(|kind| LoadError::chunk(*ID, kind))?
            .into()
    };
    let mut fields = Fields::new(ID, &table);
    let count = fields.count(5)?;
    let mut ranges = Vec::with_capacity(count);
    for index in 0..count as u32 {
        let len = fields.u32()?;
        let start = fields.pos as u32;
        let bytes = fields.take(len as usize)?;
        if bytes.len() < 2 || bytes[0] != 131 {
            return Err(fields.error(ErrorKind::BadLiteral { index }));
        }
        ranges.push((start, len));
    }
    Ok(Literals {
        data: table,
        ranges,
    })
}

pub(crate) fn parse_lines(data: &[u8]) -> Result<LineTable, LoadError> {
    let mut fields = Fields::new(b"Line", data);
    if fields.u32()? != 0 {
        // An unknown version: the module works without positions, as in OTP.
        return Ok(LineTable::default());
    }
    let flags = fields.u32()?;
    let instruction_count = fields.u32()?;
    let item_count = fields.u32()?;
    let name_count = fields.u32()?;
    let item_count = fields.check_count(item_count, 1)?;
    let name_count = fields.check_count(name_count, 2)?;
    let mut items = Vec::with_capacity(item_count + 1);
    items.push(LineItem::default());
    let mut cursor = Cursor::new(data, fields.pos);
    let mut name = 0u32;
    while items.len() <= item_count {
        let offset = cursor.pos;
        let error = |kind| LoadError::at(*b"Line", offset, kind);
        match cursor.tagged().map_err(error)? {
            (tag::A, Raw::Word(index)) if index <= name_count as u64 => name = index as u32,
            (tag::I, Raw::Word(line)) if line <= i32::MAX as u64 => {
                items.push(LineItem {
                    name,
                    line: line as u32,
                });
            }
            _ => return Err(error(ErrorKind::BadLine)),
        }
    }
    fields.pos = cursor.pos;
    let mut names = Vec::with_capacity(name_count + 1);
    names.push(None);
    for _ in 0..name_count {
        let len = fields.u16()?;
        let text = std::str::from_utf8(fields.take(usize::from(len))?);
        let text = text.map_err(|_| fields.error(ErrorKind::BadLine))?;
        names.push((!text.is_empty()).then(|| text.into()));
    }
    Ok(LineTable {
        names,
        items,
        instruction_count,
        flags,
    })
}

/// Metadata bits of a type entry, just above the union, by version.
struct TypeLayout {
    /// Number of bits of the union.
    bits: u32,
    /// Whether bit 2 means match contexts.
    contexts: bool,
}

pub(crate) fn parse_types(data: &[u8]) -> Result<Types, LoadError> {
    let mut fields = Fields::new(b"Type", data);
    let version = fields.u32()?;
    let layout = match version {
        1 => return parse_types_v1(fields),
        2 => TypeLayout {
            bits: 13,
            contexts: true,
        },
        3 => TypeLayout {
            bits: 12,
            contexts: false,
        },
        4 => TypeLayout {
            bits: 13,
            contexts: false,
        },
        _ => return Ok(Types::none(version)),
    };
    let count = fields.count(2)?;
    let mut entries = Vec::with_capacity(count);
    for index in 0..count as u32 {
        let word = fields.u16()?;
        let bad = ErrorKind::BadType { index };
        let union = word & ((1 << layout.bits) - 1);
        let meta = word >> layout.bits;
        let mut entry = TypeEntry {
            union: canonical_union(union, layout.contexts),
            ..TypeEntry::ANY
        };
        let number = entry.union.overlaps(TypeSet::INTEGER | TypeSet::FLOAT);
        if union == 0
            || meta & 3 != 0 && !number
            || meta & 4 != 0 && !entry.union.overlaps(TypeSet::BITSTRING)
        {
            return Err(fields.error(bad));
        }
        if meta & 1 != 0 {
            entry.lower = Some(fields.i64()?);
        }
        if meta & 2 != 0 {
            entry.upper = Some(fields.i64()?);
        }
        if meta & 4 != 0 {
            entry.unit = u16::from(fields.u8()?) + 1;
        }
        entries.push(entry);
    }
    finish_types(version, entries)
}

/// Version 1 has fixed entries with a range that is empty when unknown.
fn parse_types_v1(mut fields: Fields<'_>) -> Result<Types, LoadError> {
    let count = fields.count(18)?;
    let mut entries = Vec::with_capacity(count);
    for index in 0..count as u32 {
        let union = fields.u16()?;
        let (lower, upper) = (fields.i64()?, fields.i64()?);
        if union == 0 {
            return Err(fields.error(ErrorKind::BadType { index }));
        }
        let known = lower <= upper;
        entries.push(TypeEntry {
            union: canonical_union(union & 0x1fff, true),
            lower: known.then_some(lower),
            upper: known.then_some(upper),
            unit: 1,
        });
    }
    finish_types(1, entries)
}

fn finish_types(version: u32, entries: Vec<TypeEntry>) -> Result<Types, LoadError> {
    if entries.is_empty() {
        return Err(LoadError::chunk(*b"Type", ErrorKind::BadCount { count: 0 }));
    }
    Ok(Types { version, entries })
}

fn canonical_union(union: u16, contexts: bool) -> TypeSet {
    if !contexts {
        let all_of_27 = union == 0x0fff;
        // A module of release 27 or 28 says "anything" without knowing native records.
        let records = if all_of_27 { TypeSet::RECORD } else { 0 };
        let states = if union & TypeSet::BITSTRING != 0 {
            TypeSet::MATCH_CONTEXT
        } else {
            0
        };
        return TypeSet(union | records | states);
    }
    let low = union & 3;
    let high = (union & !7) >> 1;
    let context = if union & 4 != 0 {
        TypeSet::MATCH_CONTEXT
    } else {
        0
    };
    let records = if union == 0x1fff { TypeSet::RECORD } else { 0 };
    TypeSet(low | high | context | records)
}
