//! Operands and their compact encoding.
//!
//! An operand starts with a byte whose low three bits are a tag. The value follows in one of four
//! widths:
//!
//! ```text
//!   vvvv0ttt                      value below 16
//!   vvv01ttt vvvvvvvv             value below 2048
//!   nnn11ttt n+2 bytes            big-endian; signed for integers
//!   11111ttt <tag u: n> n+9 bytes the same, for longer values
//! ```
//!
//! Tag 7 is the extension tag: its value selects a list, a float register, an allocation list, a
//! literal or a register with a type.

use crate::error::ErrorKind;

/// Number of X registers of the machine, and largest number of slots in a stack frame.
pub const MAX_REG: u64 = 1024;

/// A register of the abstract machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reg {
    /// Argument and scratch register.
    X(u16),
    /// Stack slot.
    Y(u16),
}

/// Heap need of an instruction, split by what it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocList {
    /// Plain words.
    pub words: u32,
    /// Boxed floats.
    pub floats: u32,
    /// Local funs (their environment is counted in `words`).
    pub funs: u32,
}

/// A run of operands in the arena of the [`FunctionCode`](crate::code::FunctionCode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListRef {
    /// Index of the first element.
    pub start: u32,
    /// Number of elements.
    pub len: u32,
}

/// A decoded operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Untagged number (sizes, indices, arities). A number above 63 bits becomes `u64::MAX`.
    Unsigned(u64),
    /// Integer term.
    Int(i64),
    /// Integer term beyond 64 bits: big-endian two's complement bytes at this place of the code,
    /// see [`BeamFile::big_int`](crate::BeamFile::big_int).
    BigInt {
        /// Offset of the most significant byte in the code.
        offset: u32,
        /// Number of bytes.
        len: u32,
    },
    /// Atom, by its index in the atom table (1-based).
    Atom(u32),
    /// The empty list.
    Nil,
    /// X register.
    X(u16),
    /// Y register.
    Y(u16),
    /// Register with a compiler-proved type.
    Typed {
        /// The register.
        reg: Reg,
        /// Index into the type table.
        ty: u32,
    },
    /// Label; 0 means none.
    Label(u32),
    /// Character (old compilers only).
    Char(u32),
    /// Float register.
    Float(u16),
    /// List of operands; lists do not nest.
    List(ListRef),
    /// Allocation list.
    Alloc(AllocList),
    /// Literal, by its index in the literal table.
    Literal(u32),
}

impl Operand {
    /// The register, with or without a type.
    #[inline]
    pub fn reg(&self) -> Option<Reg> {
        match *self {
            Operand::X(x) => Some(Reg::X(x)),
            Operand::Y(y) => Some(Reg::Y(y)),
            Operand::Typed { reg, .. } => Some(reg),
            _ => None,
        }
    }

    /// The untagged number.
    #[inline]
    pub fn unsigned(&self) -> Option<u64> {
        match *self {
            Operand::Unsigned(value) => Some(value),
            _ => None,
        }
    }

    /// The label, 0 for none.
    #[inline]
    pub fn label(&self) -> Option<u32> {
        match *self {
            Operand::Label(label) => Some(label),
            _ => None,
        }
    }

    /// The atom index.
    #[inline]
    pub fn atom(&self) -> Option<u32> {
        match *self {
            Operand::Atom(atom) => Some(atom),
            _ => None,
        }
    }

    /// Heap need as a list; a plain number counts as words.
    #[inline]
    pub fn heap_need(&self) -> Option<AllocList> {
        match *self {
            Operand::Alloc(list) => Some(list),
            Operand::Unsigned(words) => Some(AllocList {
                words: u32::try_from(words).ok()?,
                floats: 0,
                funs: 0,
            }),
            _ => None,
        }
    }

    /// One bit for the kind of operand, for tests against a set of kinds.
    #[inline]
    pub(crate) fn shape(&self) -> u16 {
        match self {
            Operand::Unsigned(_) => shape::UNSIGNED,
            Operand::Int(_) => shape::INT,
            Operand::BigInt { .. } => shape::BIG,
            Operand::Atom(_) => shape::ATOM,
            Operand::Nil => shape::NIL,
            Operand::X(_) => shape::X,
            Operand::Y(_) => shape::Y,
            Operand::Typed { reg: Reg::X(_), .. } => shape::TX,
            Operand::Typed { reg: Reg::Y(_), .. } => shape::TY,
            Operand::Label(0) => shape::NO_LABEL,
            Operand::Label(_) => shape::LABEL,
            Operand::Char(_) => shape::CHAR,
            Operand::Float(_) => shape::FLOAT,
            Operand::List(_) => shape::LIST,
            Operand::Alloc(_) => shape::ALLOC,
            Operand::Literal(_) => shape::LITERAL,
        }
    }
}

/// Bits of [`Operand::shape`] and unions of them.
pub(crate) mod shape {
    pub const UNSIGNED: u16 = 1 << 0;
    pub const INT: u16 = 1 << 1;
    pub const BIG: u16 = 1 << 2;
    pub const ATOM: u16 = 1 << 3;
    pub const NIL: u16 = 1 << 4;
    pub const X: u16 = 1 << 5;
    pub const Y: u16 = 1 << 6;
    pub const TX: u16 = 1 << 7;
    pub const TY: u16 = 1 << 8;
    pub const NO_LABEL: u16 = 1 << 9;
    pub const LABEL: u16 = 1 << 10;
    pub const CHAR: u16 = 1 << 11;
    pub const FLOAT: u16 = 1 << 12;
    pub const LIST: u16 = 1 << 13;
    pub const ALLOC: u16 = 1 << 14;
    pub const LITERAL: u16 = 1 << 15;

    pub const REG: u16 = X | Y | TX | TY;
    pub const SRC: u16 = REG | INT | BIG | ATOM | NIL | CHAR | LITERAL;
}

/// The tags of the compact encoding.
pub(crate) mod tag {
    pub const U: u8 = 0;
    pub const I: u8 = 1;
    pub const A: u8 = 2;
    pub const X: u8 = 3;
    pub const Y: u8 = 4;
    pub const F: u8 = 5;
    pub const H: u8 = 6;
    pub const Z: u8 = 7;
}

/// The extensions of tag 7.
pub(crate) mod ext {
    pub const LIST: u64 = 1;
    pub const FLOAT_REG: u64 = 2;
    pub const ALLOC: u64 = 3;
    pub const LITERAL: u64 = 4;
    pub const TYPED_REG: u64 = 5;
}

/// A tagged value as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raw {
    /// Fits 64 bits: two's complement for tag `i`, otherwise unsigned.
    Word(u64),
    /// Longer than that: a place in the data.
    Long { offset: u32, len: u32 },
}

/// A position in compact-encoded data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    pub data: &'a [u8],
    pub pos: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(data: &'a [u8], pos: usize) -> Cursor<'a> {
        Cursor { data, pos }
    }

    pub fn remaining(&self) -> usize {
        self.data.len().saturating_sub(self.pos)
    }

    #[inline]
    pub fn byte(&mut self) -> Result<u8, ErrorKind> {
        let byte = *self.data.get(self.pos).ok_or(ErrorKind::Truncated)?;
        self.pos += 1;
        Ok(byte)
    }

    /// Reads a tag and its value.
    #[inline]
    pub fn tagged(&mut self) -> Result<(u8, Raw), ErrorKind> {
        let first = self.byte()?;
        let tag = first & 7;
        if first & 0x08 == 0 {
            return Ok((tag, Raw::Word(u64::from(first >> 4))));
        }
        if first & 0x10 == 0 {
            let low = self.byte()?;
            return Ok((tag, Raw::Word(u64::from(first >> 5) << 8 | u64::from(low))));
        }
        self.tagged_long(first)
    }

    #[cold]
    fn tagged_long(&mut self, first: u8) -> Result<(u8, Raw), ErrorKind> {
        let tag = first & 7;
        let code = usize::from(first >> 5);
        let len = if code < 7 {
            code + 2
        } else {
            // The length is itself a tagged value; it is short in any real file, and a long one
            // that would recurse again cannot be satisfied by the data anyway.
            let second = self.byte()?;
            if second & 7 != tag::U || second & 0x18 == 0x18 {
                return Err(ErrorKind::BadOperandEncoding);
            }
            let len = if second & 0x08 == 0 {
                usize::from(second >> 4)
            } else {
                usize::from(second >> 5) << 8 | usize::from(self.byte()?)
            };
            len + 9
        };
        let start = self.pos;
        let bytes = start
            .checked_add(len)
            .and_then(|end| self.data.get(start..end))
            .ok_or(ErrorKind::Truncated)?;
        self.pos += len;
        let signed = tag == tag::I;
        let fill = if signed && bytes[0] & 0x80 != 0 {
            0xff
        } else {
            0
        };
        let (head, tail) = bytes.split_at(len.saturating_sub(8));
        let mut value = if fill == 0xff { u64::MAX } else { 0 };
        for &byte in tail {
            value = value << 8 | u64::from(byte);
        }
        let sign_fits = !signed || len <= 8 || (value >> 63 == 1) == (fill == 0xff);
        if head.iter().all(|&byte| byte == fill) && sign_fits {
            return Ok((tag, Raw::Word(value)));
        }
        let offset = u32::try_from(start).map_err(|_| ErrorKind::BadOperandEncoding)?;
        Ok((
            tag,
            Raw::Long {
                offset,
                len: len as u32,
            },
        ))
    }

    /// Reads an untagged number (tag `u`); numbers above 63 bits become `u64::MAX`.
    #[inline]
    pub fn unsigned(&mut self) -> Result<u64, ErrorKind> {
        match self.tagged()? {
            (tag::U, Raw::Word(value)) if value <= i64::MAX as u64 => Ok(value),
            (tag::U, _) => Ok(u64::MAX),
            _ => Err(ErrorKind::BadOperandEncoding),
        }
    }

    /// Skips one operand; gives the label number if it was one.
    #[inline]
    pub fn skip_operand(&mut self) -> Result<(), ErrorKind> {
        let (tag, raw) = self.tagged()?;
        if tag != tag::Z {
            return Ok(());
        }
        let Raw::Word(kind) = raw else {
            return Err(ErrorKind::BadOperandEncoding);
        };
        match kind {
            ext::LIST => {
                let count = self.unsigned()?;
                if count > self.remaining() as u64 {
                    return Err(ErrorKind::BadOperandEncoding);
                }
                for _ in 0..count {
                    // An element is never a list itself, so this cannot recurse further.
                    let (tag, raw) = self.tagged()?;
                    if tag == tag::Z {
                        self.skip_extension(raw)?;
                    }
                }
                Ok(())
            }
            _ => self.skip_extension(raw),
        }
    }

    fn skip_extension(&mut self, raw: Raw) -> Result<(), ErrorKind> {
        match raw {
            Raw::Word(ext::FLOAT_REG | ext::LITERAL) => self.unsigned().map(|_| ()),
            Raw::Word(ext::TYPED_REG) => {
                self.tagged()?;
                self.unsigned().map(|_| ())
            }
            Raw::Word(ext::ALLOC) => {
                let count = self.unsigned()?;
                if count > 3 {
                    return Err(ErrorKind::BadOperandEncoding);
                }
                for _ in 0..2 * count {
                    self.unsigned()?;
                }
                Ok(())
            }
            _ => Err(ErrorKind::BadOperandEncoding),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<(u8, Raw), ErrorKind> {
        Cursor::new(bytes, 0).tagged()
    }

    #[test]
    fn widths() {
        assert_eq!(read(&[0x30]), Ok((tag::U, Raw::Word(3))));
        assert_eq!(read(&[0x28 | 3, 0x01]), Ok((tag::X, Raw::Word(0x101))));
        assert_eq!(
            read(&[0x18 | 1, 0xff, 0xfe]),
            Ok((tag::I, Raw::Word(-2i64 as u64)))
        );
        assert_eq!(read(&[0x18, 0xff, 0xfe]), Ok((tag::U, Raw::Word(0xfffe))));
        assert_eq!(
            read(&[0xf9, 0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
            Ok((tag::I, Raw::Long { offset: 2, len: 9 }))
        );
        assert_eq!(
            read(&[0xf9, 0x00, 0, 0xff, 0, 0, 0, 0, 0, 0, 0]),
            Ok((tag::I, Raw::Long { offset: 2, len: 9 }))
        );
        assert_eq!(
            read(&[0xf9, 0x00, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0]),
            Ok((tag::I, Raw::Word(0x7f << 56)))
        );
        assert_eq!(read(&[0x18, 0xff]), Err(ErrorKind::Truncated));
        assert_eq!(read(&[]), Err(ErrorKind::Truncated));
    }
}
