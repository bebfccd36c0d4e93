//! Definitions of native records, the `Recs` chunk of release 29.
//!
//! After version, number of records and number of fields, each record is encoded like an
//! instruction: an unused label, its name, whether it is exported, and a list of pairs of a field
//! name and a default value, where the untagged number 0 stands for no default.

use crate::chunks::AtomIdx;
use crate::code::FunctionCode;
use crate::error::{ErrorKind, LoadError};
use crate::file::BeamFile;
use crate::operand::{Operand, shape};

/// A native record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordDef {
    /// Name.
    pub name: AtomIdx,
    /// Whether other modules may look into it.
    pub exported: bool,
    /// Fields in order.
    pub fields: Vec<RecordField>,
}

/// A field of a native record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordField {
    /// Name.
    pub name: AtomIdx,
    /// Default value.
    pub default: Option<RecordDefault>,
}

/// Default value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordDefault {
    /// Atom, nil, integer or literal.
    Operand(Operand),
    /// Integer beyond 64 bits, as big-endian two's complement bytes.
    BigInt(Box<[u8]>),
}

impl BeamFile {
    pub(crate) fn parse_records(&self, data: &[u8]) -> Result<Vec<RecordDef>, LoadError> {
        const HEADER: usize = 12;
        let error = |kind| LoadError::chunk(*b"Recs", kind);
        let header = data.get(..HEADER).ok_or(error(ErrorKind::Truncated))?;
        let field = |at: usize| {
            u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let (version, count) = (field(0), field(4));
        if version != 0 {
            return Err(error(ErrorKind::BadFormat { version }));
        }
        // A record takes at least five bytes.
        if count as usize > (data.len() - HEADER) / 5 {
            return Err(error(ErrorKind::BadCount {
                count: i64::from(count),
            }));
        }
        let mut buffer = FunctionCode::new();
        let mut pos = HEADER;
        let mut records = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let at = |kind| LoadError::at(*b"Recs", pos, kind);
            let (operands, end) = self
                .decode_operands(data, pos, 4, &mut buffer)
                .map_err(at)?;
            let [
                Operand::Label(_),
                Operand::Atom(name),
                Operand::Atom(exported),
                Operand::List(list),
            ] = operands[..]
            else {
                return Err(at(ErrorKind::BadOperandEncoding));
            };
            let fields = buffer.list(list);
            if !fields.len().is_multiple_of(2) {
                return Err(at(ErrorKind::BadOperandEncoding));
            }
            let fields = fields.chunks_exact(2).map(|pair| {
                let Operand::Atom(name) = pair[0] else {
                    return Err(at(ErrorKind::BadOperandEncoding));
                };
                let default = match pair[1] {
                    Operand::Unsigned(0) => None,
                    Operand::BigInt { offset, len } => Some(RecordDefault::BigInt(
                        data[offset as usize..][..len as usize].into(),
                    )),
                    other if other.shape() & shape::SRC & !shape::REG != 0 => {
                        Some(RecordDefault::Operand(other))
                    }
                    _ => return Err(at(ErrorKind::BadOperandEncoding)),
                };
                Ok(RecordField { name, default })
            });
            let fields = fields.collect::<Result<_, _>>()?;
            records.push(RecordDef {
                name,
                exported: self.atom(exported) == "true",
                fields,
            });
            pos = end;
        }
        Ok(records)
    }
}
