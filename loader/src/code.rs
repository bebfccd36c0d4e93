//! The Code chunk: finding the functions, and decoding one function at a time.
//!
//! Decoding checks everything that one instruction shows by itself: that the instruction exists and
//! is not obsolete, that each operand is of a kind that the table allows at its position, and that
//! indices lie within the tables of the file. What needs the whole function is left to
//! [`verify`](crate::verify).
//!
//! A decoded function is two flat arrays, instructions and operands; list operands are runs in the
//! operand array. Reusing a [`FunctionCode`] makes decoding free of allocation.

use std::ops::Range;

use crate::chunks::{AtomIdx, MAX_ARITY};
use crate::error::{CodeError, ErrorKind};
use crate::file::BeamFile;
use crate::operand::{AllocList, Cursor, ListRef, MAX_REG, Operand, Raw, Reg, ext, shape, tag};
use crate::ops::{Op, OperandKind, Status};

/// Greatest heap need of one instruction in words; more than that is certainly an attack.
pub const MAX_HEAP_NEED: u64 = 1 << 27;

/// A function of the module, found by scanning the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Name.
    pub name: AtomIdx,
    /// Number of arguments.
    pub arity: u32,
    /// Label of the first instruction.
    pub entry_label: u32,
    /// Operand of the `line` in front of `func_info`, 0 when there is none.
    pub line: u32,
    /// Bytes of the whole function in the code, from the label in front of `func_info`.
    pub range: Range<u32>,
    /// Number of X registers used, set by verification (1 above the highest one named).
    pub x_count: u16,
    /// Number of slots of the largest stack frame, set by verification.
    pub y_count: u16,
    /// Number of float registers used, set by verification.
    pub float_count: u16,
    /// Does the compiler say that a native library may replace it? Set by verification.
    pub may_be_nif: bool,
    /// Offsets of the instructions that must raise an exception, in order, set by verification. The
    /// compiler knew that they always do (mostly calls of functions that never return) and put an
    /// exception handler or nothing behind them; should one complete after all, the runtime has to
    /// stop there.
    pub no_return: Box<[u32]>,
    /// Where X registers are to be set to the empty list because some path reads them that has not set them:
    /// offset of the instruction after which, and register; in order, set by verification.
    pub cleared: Box<[(u32, u16)]>,
}

/// One instruction of a [`FunctionCode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instr {
    /// What it is.
    pub op: Op,
    /// Number of operands.
    pub len: u8,
    /// Index of the first operand in the arena.
    pub start: u32,
    /// Offset of the instruction in the code.
    pub offset: u32,
}

/// A decoded function.
#[derive(Clone, Debug, Default)]
pub struct FunctionCode {
    instrs: Vec<Instr>,
    arena: Vec<Operand>,
    labels: Vec<(u32, u32)>,
}

impl FunctionCode {
    /// An empty one, to be filled by [`BeamFile::decode_function`].
    pub fn new() -> FunctionCode {
        FunctionCode::default()
    }

    /// All instructions in order.
    #[inline]
    pub fn instrs(&self) -> &[Instr] {
        &self.instrs
    }

    /// The operands of an instruction.
    #[inline]
    pub fn operands(&self, instr: &Instr) -> &[Operand] {
        &self.arena[instr.start as usize..instr.start as usize + usize::from(instr.len)]
    }

    /// The elements of a list operand.
    #[inline]
    pub fn list(&self, list: ListRef) -> &[Operand] {
        &self.arena[list.start as usize..(list.start + list.len) as usize]
    }

    /// Labels with the index of their `label` instruction, in order of appearance.
    pub fn labels(&self) -> &[(u32, u32)] {
        &self.labels
    }

    /// Instructions together with their operands.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Instr, &[Operand])> {
        self.instrs
            .iter()
            .map(|instr| (instr, self.operands(instr)))
    }

    fn clear(&mut self) {
        self.instrs.clear();
        self.arena.clear();
        self.labels.clear();
    }
}

/// The result of scanning the code.
pub(crate) struct Scan {
    pub functions: Vec<Function>,
    /// Function whose body holds `on_load`.
    pub on_load: Option<u32>,
    /// Total number of instructions.
    pub instructions: u32,
}

/// Finds the functions: `label`, perhaps `line`, `func_info`, `label`.
pub(crate) fn scan(code: &[u8], atoms: usize) -> Result<Scan, CodeError> {
    let mut cursor = Cursor::new(code, 0);
    let mut functions: Vec<Function> = Vec::new();
    let mut on_load = None;
    let mut instructions = 0;
    let mut candidate: Option<Start> = None;
    loop {
        let offset = cursor.pos as u32;
        let fail = |kind| CodeError { offset, kind };
        let number = cursor.byte().map_err(|_| fail(ErrorKind::NoCodeEnd))?;
        let op =
            Op::from_number(number).ok_or(fail(ErrorKind::UnknownOpcode { opcode: number }))?;
        instructions += 1;
        match op {
            Op::Label => {
                small(cursor.unsigned().map_err(fail)?).map_err(fail)?;
                candidate = Some(Start {
                    offset,
                    end: cursor.pos,
                    line: 0,
                });
                continue;
            }
            Op::Line => {
                let line = small(cursor.unsigned().map_err(fail)?).map_err(fail)?;
                if let Some(start) = &mut candidate
                    && offset as usize == start.end
                {
                    start.line = line;
                    continue;
                }
            }
            Op::FuncInfo => {
                let start = candidate.take();
                let start = start.ok_or(fail(ErrorKind::BadFunctionHeader))?;
                // The module is looked at by verification.
                cursor.skip_operand().map_err(fail)?;
                let name = match cursor.tagged().map_err(fail)? {
                    (tag::A, Raw::Word(index)) if index != 0 && index < atoms as u64 => {
                        index as u32
                    }
                    _ => return Err(fail(ErrorKind::BadFunctionHeader)),
                };
                let arity = cursor.unsigned().map_err(fail)?;
                if arity > u64::from(MAX_ARITY) {
                    return Err(fail(ErrorKind::BadArity { arity }));
                }
                if cursor.byte() != Ok(Op::Label as u8) {
                    return Err(fail(ErrorKind::BadFunctionHeader));
                }
                instructions += 1;
                let entry_label = small(cursor.unsigned().map_err(fail)?).map_err(fail)?;
                match functions.last_mut() {
                    Some(last) => last.range.end = start.offset,
                    None if start.offset != 0 => {
                        return Err(CodeError {
                            offset: 0,
                            kind: ErrorKind::StrayCode,
                        });
                    }
                    None => {}
                }
                functions.push(Function {
                    name,
                    arity: arity as u32,
                    entry_label,
                    line: start.line,
                    range: start.offset..start.offset,
                    x_count: 0,
                    y_count: 0,
                    may_be_nif: false,
                    float_count: 0,
                    no_return: Box::default(),
                    cleared: Box::default(),
                });
            }
            Op::IntCodeEnd => {
                match functions.last_mut() {
                    Some(last) => last.range.end = offset,
                    None if offset != 0 => {
                        return Err(CodeError {
                            offset: 0,
                            kind: ErrorKind::StrayCode,
                        });
                    }
                    None => {}
                }
                return Ok(Scan {
                    functions,
                    on_load,
                    instructions,
                });
            }
            Op::OnLoad => {
                let index = functions
                    .len()
                    .checked_sub(1)
                    .ok_or(fail(ErrorKind::StrayCode))?;
                on_load = Some(index as u32);
            }
            _ => {
                for _ in 0..op.arity() {
                    cursor.skip_operand().map_err(fail)?;
                }
            }
        }
        candidate = None;
    }
}

/// A label that may turn out to start a function.
struct Start {
    /// Offset of the label.
    offset: u32,
    /// Offset after the label, where a line may follow.
    end: usize,
    /// Operand of that line.
    line: u32,
}

fn small(value: u64) -> Result<u32, ErrorKind> {
    u32::try_from(value).map_err(|_| ErrorKind::LabelRange { label: value })
}

/// Index limits for the operands of one file.
struct Limits {
    atoms: u64,
    imports: u64,
    lambdas: u64,
    literals: u64,
    types: u64,
    typed: bool,
    labels: u64,
    lines: u64,
    has_lines: bool,
    strings: u64,
}

impl BeamFile {
    /// Decodes a function. The result is free of structural errors of single instructions.
    pub fn function_code(&self, index: usize) -> Result<FunctionCode, crate::LoadError> {
        let mut code = FunctionCode::new();
        self.decode_function(index, &mut code)?;
        Ok(code)
    }

    /// Decodes a function into an existing buffer, whose contents are replaced.
    pub fn decode_function(
        &self,
        index: usize,
        out: &mut FunctionCode,
    ) -> Result<(), crate::LoadError> {
        let mut first = None;
        self.decode_collecting(index, out, &mut |error| {
            first.get_or_insert(error);
        });
        match first {
            Some(error) => Err(self.in_function(index, error)),
            None => Ok(()),
        }
    }

    /// Decodes a function and reports all errors. Returns false when decoding had to stop early.
    pub(crate) fn decode_collecting(
        &self,
        index: usize,
        out: &mut FunctionCode,
        report: &mut dyn FnMut(CodeError),
    ) -> bool {
        out.clear();
        let range = self.functions[index].range.clone();
        let data = &self.code[..range.end as usize];
        let mut decoder = Decoder {
            cursor: Cursor::new(data, range.start as usize),
            limits: self.limits(),
            out,
        };
        while decoder.cursor.pos < data.len() {
            let offset = decoder.cursor.pos as u32;
            match decoder.instruction(offset, report) {
                Ok(()) => {}
                Err(kind) => {
                    report(CodeError { offset, kind });
                    return false;
                }
            }
        }
        true
    }

    fn limits(&self) -> Limits {
        Limits {
            atoms: self.atoms.len() as u64,
            imports: self.imports.len() as u64,
            lambdas: self.lambdas.len() as u64,
            literals: self.literals.len() as u64,
            types: self.types.entries.len() as u64,
            typed: !self.types.is_fallback(),
            labels: u64::from(self.label_count),
            lines: self.lines.items.len() as u64,
            has_lines: !self.lines.items.is_empty(),
            strings: self.strings.len() as u64,
        }
    }

    /// Decodes operands outside of the code. Gives them and the offset after the last one.
    pub(crate) fn decode_operands(
        &self,
        data: &[u8],
        pos: usize,
        count: usize,
        out: &mut FunctionCode,
    ) -> Result<(Vec<Operand>, usize), ErrorKind> {
        out.clear();
        let mut decoder = Decoder {
            cursor: Cursor::new(data, pos),
            limits: self.limits(),
            out,
        };
        let operands = (0..count)
            .map(|_| decoder.operand())
            .collect::<Result<_, _>>()?;
        Ok((operands, decoder.cursor.pos))
    }
}

struct Decoder<'a> {
    cursor: Cursor<'a>,
    limits: Limits,
    out: &'a mut FunctionCode,
}

/// Offset of an instruction's operands in the arena may not pass 32 bits.
fn arena_index(len: usize) -> Result<u32, ErrorKind> {
    u32::try_from(len).map_err(|_| ErrorKind::TooComplex)
}

impl Decoder<'_> {
    /// Decodes one instruction. An error return means that the rest cannot be decoded.
    #[inline]
    fn instruction(
        &mut self,
        offset: u32,
        report: &mut dyn FnMut(CodeError),
    ) -> Result<(), ErrorKind> {
        let number = self.cursor.byte()?;
        let op = Op::from_number(number).ok_or(ErrorKind::UnknownOpcode { opcode: number })?;
        let info = op.info();
        if info.status == Status::Obsolete {
            report(CodeError {
                offset,
                kind: ErrorKind::ObsoleteOp { op },
            });
        }
        let start = arena_index(self.out.arena.len())?;
        let len = info.kinds.len();
        // Room for the operands first, so that list elements come after them.
        self.out.arena.resize(start as usize + len, Operand::Nil);
        for (position, &kind) in info.kinds.iter().enumerate() {
            let operand = self.operand()?;
            if let Err(kind) = self.check(op, position, kind, &operand, start) {
                report(CodeError { offset, kind });
            }
            self.out.arena[start as usize + position] = operand;
        }
        if op == Op::Label
            && let Operand::Unsigned(label) = self.out.arena[start as usize]
        {
            self.out.labels.push((
                label.min(u64::from(u32::MAX)) as u32,
                self.out.instrs.len() as u32,
            ));
        }
        self.out.instrs.push(Instr {
            op,
            len: len as u8,
            start,
            offset,
        });
        Ok(())
    }

    #[inline]
    fn operand(&mut self) -> Result<Operand, ErrorKind> {
        let (tag, raw) = self.cursor.tagged()?;
        self.plain(tag, raw, true)
    }

    #[inline]
    fn plain(&mut self, tag: u8, raw: Raw, lists: bool) -> Result<Operand, ErrorKind> {
        let value = match raw {
            Raw::Word(value) => value,
            Raw::Long { offset, len } => {
                return match tag {
                    tag::I => Ok(Operand::BigInt { offset, len }),
                    tag::U => Ok(Operand::Unsigned(u64::MAX)),
                    _ => Err(ErrorKind::BadOperandEncoding),
                };
            }
        };
        match tag {
            tag::U => Ok(Operand::Unsigned(if value > i64::MAX as u64 {
                u64::MAX
            } else {
                value
            })),
            tag::I => Ok(Operand::Int(value as i64)),
            tag::A if value == 0 => Ok(Operand::Nil),
            tag::A if value < self.limits.atoms => Ok(Operand::Atom(value as u32)),
            tag::A => Err(ErrorKind::AtomRange { index: value }),
            tag::X if value < MAX_REG => Ok(Operand::X(value as u16)),
            tag::Y if value < MAX_REG => Ok(Operand::Y(value as u16)),
            tag::X | tag::Y => Err(ErrorKind::RegisterRange { value }),
            tag::F if value < self.limits.labels => Ok(Operand::Label(value as u32)),
            tag::F => Err(ErrorKind::LabelRange { label: value }),
            tag::H if value <= 0x10_ffff => Ok(Operand::Char(value as u32)),
            tag::Z => self.extension(value, lists),
            _ => Err(ErrorKind::BadOperandEncoding),
        }
    }

    fn extension(&mut self, kind: u64, lists: bool) -> Result<Operand, ErrorKind> {
        match kind {
            ext::LIST if lists => self.list(),
            ext::FLOAT_REG => {
                let value = self.cursor.unsigned()?;
                if value >= MAX_REG {
                    return Err(ErrorKind::RegisterRange { value });
                }
                Ok(Operand::Float(value as u16))
            }
            ext::ALLOC => self.alloc_list(),
            ext::LITERAL => {
                let index = self.cursor.unsigned()?;
                if index >= self.limits.literals {
                    return Err(ErrorKind::LiteralRange { index });
                }
                Ok(Operand::Literal(index as u32))
            }
            ext::TYPED_REG => {
                let reg = match self.cursor.tagged()? {
                    (tag::X, Raw::Word(x)) if x < MAX_REG => Reg::X(x as u16),
                    (tag::Y, Raw::Word(y)) if y < MAX_REG => Reg::Y(y as u16),
                    _ => return Err(ErrorKind::BadOperandEncoding),
                };
                let index = self.cursor.unsigned()?;
                if !self.limits.typed {
                    return Ok(match reg {
                        Reg::X(x) => Operand::X(x),
                        Reg::Y(y) => Operand::Y(y),
                    });
                }
                if index >= self.limits.types {
                    return Err(ErrorKind::TypeRange { index });
                }
                Ok(Operand::Typed {
                    reg,
                    ty: index as u32,
                })
            }
            _ => Err(ErrorKind::BadOperandEncoding),
        }
    }

    fn list(&mut self) -> Result<Operand, ErrorKind> {
        let len = self.cursor.unsigned()?;
        // Each element takes at least a byte.
        if len > self.cursor.remaining() as u64 {
            return Err(ErrorKind::BadOperandEncoding);
        }
        let start = arena_index(self.out.arena.len())?;
        arena_index(start as usize + len as usize)?;
        self.out.arena.reserve(len as usize);
        for _ in 0..len {
            let (tag, raw) = self.cursor.tagged()?;
            let operand = self.plain(tag, raw, false)?;
            self.out.arena.push(operand);
        }
        Ok(Operand::List(ListRef {
            start,
            len: len as u32,
        }))
    }

    fn alloc_list(&mut self) -> Result<Operand, ErrorKind> {
        let count = self.cursor.unsigned()?;
        if count > 3 {
            return Err(ErrorKind::BadOperandEncoding);
        }
        let mut list = AllocList::default();
        for _ in 0..count {
            let kind = self.cursor.unsigned()?;
            let amount = self.cursor.unsigned()?;
            let field = match kind {
                0 => &mut list.words,
                1 => &mut list.floats,
                2 => &mut list.funs,
                _ => return Err(ErrorKind::BadOperandEncoding),
            };
            let sum = u64::from(*field).saturating_add(amount);
            if sum > MAX_HEAP_NEED {
                return Err(ErrorKind::TooLarge {
                    size: sum,
                    limit: MAX_HEAP_NEED,
                });
            }
            *field = sum as u32;
        }
        Ok(Operand::Alloc(list))
    }

    /// Checks an operand against its kind in the table.
    #[inline]
    fn check(
        &self,
        op: Op,
        position: usize,
        kind: OperandKind,
        operand: &Operand,
        start: u32,
    ) -> Result<(), ErrorKind> {
        let (shapes, expected) = allowed(kind);
        if operand.shape() & shapes == 0 {
            return Err(ErrorKind::BadOperandKind {
                op,
                position: position as u8,
                expected,
            });
        }
        let Operand::Unsigned(value) = *operand else {
            return Ok(());
        };
        if self.in_range(kind, value, start as usize + position) {
            return Ok(());
        }
        Err(range_error(op, position, kind, value))
    }

    /// Whether an unsigned operand has a value that its kind allows.
    #[inline]
    fn in_range(&self, kind: OperandKind, value: u64, at: usize) -> bool {
        let limits = &self.limits;
        match kind {
            OperandKind::Arity => value <= u64::from(MAX_ARITY),
            OperandKind::Live | OperandKind::Frame => value <= MAX_REG,
            OperandKind::Heap => value <= MAX_HEAP_NEED,
            OperandKind::Unit => (1..=256).contains(&value),
            OperandKind::Flags => value <= 0xff,
            OperandKind::Def => value != 0 && value < limits.labels,
            OperandKind::Import => value < limits.imports,
            OperandKind::Lambda | OperandKind::FunTag => value < limits.lambdas,
            // Without a line table the operand means nothing.
            OperandKind::Line => !limits.has_lines || value < limits.lines,
            OperandKind::StrBytes | OperandKind::StrBits => {
                let count = self.out.arena[at - 1].unsigned().unwrap_or(u64::MAX);
                let bytes = if kind == OperandKind::StrBits {
                    count.div_ceil(8)
                } else {
                    count
                };
                value
                    .checked_add(bytes)
                    .is_some_and(|end| end <= limits.strings)
            }
            _ => true,
        }
    }
}

#[cold]
fn range_error(op: Op, position: usize, kind: OperandKind, value: u64) -> ErrorKind {
    match kind {
        OperandKind::Def => ErrorKind::LabelRange { label: value },
        OperandKind::Import => ErrorKind::ImportRange { index: value },
        OperandKind::Lambda | OperandKind::FunTag => ErrorKind::LambdaRange { index: value },
        OperandKind::Line => ErrorKind::LineRange { index: value },
        OperandKind::StrBytes | OperandKind::StrBits => ErrorKind::StringRange { offset: value },
        _ => ErrorKind::OperandRange {
            op,
            position: position as u8,
            value,
        },
    }
}

/// The operand shapes that a kind allows, and what to call them.
#[inline]
fn allowed(kind: OperandKind) -> (u16, &'static str) {
    use shape::*;
    match kind {
        OperandKind::Any => (u16::MAX, "an operand"),
        OperandKind::Def
        | OperandKind::Uint
        | OperandKind::Arity
        | OperandKind::Live
        | OperandKind::Frame
        | OperandKind::Unit
        | OperandKind::Flags => (UNSIGNED, "a number"),
        OperandKind::Import => (UNSIGNED, "an import"),
        OperandKind::Lambda => (UNSIGNED, "a fun"),
        OperandKind::Line => (UNSIGNED, "a source position"),
        OperandKind::StrBytes | OperandKind::StrBits => (UNSIGNED, "a string offset"),
        OperandKind::Heap => (UNSIGNED | ALLOC, "a heap need"),
        OperandKind::Src => (SRC, "a term"),
        OperandKind::Size => (SRC | UNSIGNED, "a size"),
        OperandKind::Dst | OperandKind::Reg => (REG, "a register"),
        OperandKind::YDst | OperandKind::CatchSlot => (Y | TY, "a Y register"),
        OperandKind::Fail => (LABEL | NO_LABEL, "a label"),
        OperandKind::Jump | OperandKind::Handler | OperandKind::Entry | OperandKind::Mark => {
            (LABEL, "a label other than 0")
        }
        OperandKind::FailOrAtom => (LABEL | ATOM, "a label or an atom"),
        OperandKind::FunTag => (UNSIGNED | ATOM, "a fun or an atom"),
        OperandKind::Atom => (ATOM, "an atom"),
        OperandKind::FSrc | OperandKind::FDst => (FLOAT, "a float register"),
        OperandKind::FmoveSrc => (FLOAT | REG | LITERAL, "a float register or a term"),
        OperandKind::FmoveDst => (FLOAT | REG, "a register"),
        OperandKind::SrcList
        | OperandKind::PairList
        | OperandKind::GetList
        | OperandKind::UpdateList
        | OperandKind::SelectVal
        | OperandKind::SelectArity
        | OperandKind::YList
        | OperandKind::Segments
        | OperandKind::Commands => (LIST, "a list"),
    }
}
