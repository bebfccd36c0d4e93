//! Construction of bitstrings.

use super::bits::number;
use super::{Builder, Flow};
use crate::ir::bits::{BitSegment, FieldFlags, SegmentKind, SegmentSize};
use crate::ir::{Op as Ssa, Repr};
use enigma_loader::{Op, Operand};
use enigma_runtime::code::bit_words::{SIZE_ALL, SIZE_PLACE, kind, segment};
use enigma_runtime::code::forms::bs_create;
use enigma_runtime::code::ops;

/// Operands of the BEAM instruction for each segment.
const OPERANDS: usize = 6;
/// Most segments of a construction that native code does.
const MOST: usize = 128;

impl Builder<'_> {
    /// An instruction of construction; nothing if it has to be executed by the interpreter.
    pub(super) fn creation(&mut self, op: Op, o: &[Operand]) -> Option<Flow> {
        match op {
            Op::BsCreateBin => self.create_bits(o)?,
            Op::BsInitWritable => {
                let size = self.x(0);
                let v = self.one(Ssa::WritableBits, vec![size], Repr::Term);
                self.env.x.insert(0, v);
            }
            _ => return None,
        }
        Some(Flow::Next)
    }

    fn create_bits(&mut self, o: &[Operand]) -> Option<()> {
        let words = self.words(&[ops::BS_CREATE, ops::BS_CREATE_SHORT])?;
        let count = number(words, bs_create::COUNT.at) as usize;
        let pairs = words.get(bs_create::WORDS..)?.chunks_exact(2);
        let list = self.code.list(&o[5]).chunks_exact(OPERANDS);
        if count > MOST || list.len() != count {
            return None;
        }
        let (mut segments, mut args) = (Vec::new(), Vec::new());
        for (pair, operands) in pairs.zip(list) {
            let (how, word) = (pair[0], pair[1]);
            let kind = match segment::KIND.of(how) as u8 {
                kind::STRING => {
                    let from = operands[4].unsigned()? as u32;
                    let size = SegmentSize::Units(segment::LENGTH.of(how));
                    segments.push(BitSegment {
                        kind: SegmentKind::String(from),
                        unit: 8,
                        size,
                        flags: FieldFlags::default(),
                    });
                    continue;
                }
                kind::INTEGER => SegmentKind::Integer,
                kind::FLOAT => SegmentKind::Float,
                kind::BINARY => SegmentKind::Binary,
                kind::APPEND => SegmentKind::Append,
                kind::PRIVATE_APPEND => SegmentKind::PrivateAppend,
                kind::UTF8 => SegmentKind::Utf8,
                kind::UTF16 => SegmentKind::Utf16,
                _ => SegmentKind::Utf32,
            };
            args.push(self.src(&operands[4]));
            let size = match word {
                SIZE_ALL => SegmentSize::All,
                SIZE_PLACE => {
                    args.push(self.src(&operands[5]));
                    SegmentSize::Value
                }
                n => SegmentSize::Units(n),
            };
            segments.push(BitSegment {
                kind,
                unit: segment::UNIT.of(how) as u32,
                size,
                flags: FieldFlags::of(segment::FLAGS.of(how) as u8),
            });
        }
        let exit = self.exit();
        let v = self.one(Ssa::CreateBits(segments, exit), args, Repr::Term);
        self.set(&o[4], v);
        Some(())
    }
}
