//! Listings of code in the manner of the compiler's `.S` files.
//!
//! One instruction a line: the name, then the operands separated by commas. Registers are `x0`,
//! `y0`, `fr0`, labels `f12`; `f0` means that failure raises an exception. Atoms, literals,
//! imports, funs and source positions are resolved. A register with a type is printed as
//! `x0:integer(0..255)`. The text is stable: golden tests depend on it.

use std::fmt::{self, Write};

use crate::chunks::{TypeEntry, TypeSet};
use crate::code::{FunctionCode, Instr};
use crate::error::LoadError;
use crate::etf_text::{AtomText, BigText, TermText};
use crate::file::BeamFile;
use crate::operand::{Operand, Reg};
use crate::ops::{Op, OperandKind};
use crate::records::RecordDefault;

impl BeamFile {
    /// Writes the listing of one function.
    pub fn disassemble_function(
        &self,
        index: usize,
        out: &mut dyn Write,
    ) -> Result<(), DisasmError> {
        let code = self.function_code(index).map_err(DisasmError::Load)?;
        let function = &self.functions[index];
        let name = AtomText(self.atom(function.name));
        writeln!(
            out,
            "function {name}/{} entry f{}",
            function.arity, function.entry_label
        )?;
        for instr in code.instrs() {
            self.write_instr(&code, instr, out)?;
        }
        Ok(())
    }

    /// Writes the listing of the whole module.
    pub fn disassemble(&self, out: &mut dyn Write) -> Result<(), DisasmError> {
        self.write_header(out)?;
        for index in 0..self.functions.len() {
            writeln!(out)?;
            match self.disassemble_function(index, out) {
                Err(DisasmError::Load(error)) => writeln!(out, "    ; {error}")?,
                other => other?,
            }
        }
        Ok(())
    }

    fn write_header(&self, out: &mut dyn Write) -> fmt::Result {
        writeln!(out, "module {}", AtomText(self.module_name()))?;
        if let Some(attributes) = &self.attributes {
            writeln!(out, "attributes {}", TermText(attributes))?;
        }
        for export in &self.exports {
            let name = AtomText(self.atom(export.function));
            writeln!(out, "export {name}/{} f{}", export.arity, export.label)?;
        }
        for lambda in &self.lambdas {
            let name = AtomText(self.atom(lambda.function));
            writeln!(
                out,
                "fun {} {name}/{} f{} free {}",
                lambda.index, lambda.arity, lambda.label, lambda.num_free
            )?;
        }
        for record in &self.records {
            let visible = if record.exported { "exported" } else { "local" };
            write!(out, "record {} {visible}", AtomText(self.atom(record.name)))?;
            for field in &record.fields {
                write!(out, " {}", AtomText(self.atom(field.name)))?;
                match &field.default {
                    Some(RecordDefault::Operand(default)) => {
                        write!(out, "={}", self.show(default))?
                    }
                    Some(RecordDefault::BigInt(bytes)) => {
                        write!(out, "={}", BigText::from_signed(bytes))?
                    }
                    None => {}
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }

    /// Writes one instruction with a line end.
    pub fn write_instr(
        &self,
        code: &FunctionCode,
        instr: &Instr,
        out: &mut dyn Write,
    ) -> fmt::Result {
        let operands = code.operands(instr);
        if let (Op::Label, [Operand::Unsigned(label)]) = (instr.op, operands) {
            return writeln!(out, "  f{label}:");
        }
        write!(out, "    {}", instr.op)?;
        for (position, (&kind, operand)) in instr.op.info().kinds.iter().zip(operands).enumerate() {
            out.write_str(if position == 0 { " " } else { ", " })?;
            match *operand {
                Operand::List(list) => self.write_list(kind, code.list(list), out)?,
                Operand::Unsigned(value) => {
                    self.write_unsigned(kind, value, operands, position, out)?
                }
                _ => write!(out, "{}", self.show(operand))?,
            }
        }
        writeln!(out)
    }

    fn write_unsigned(
        &self,
        kind: OperandKind,
        value: u64,
        operands: &[Operand],
        position: usize,
        out: &mut dyn Write,
    ) -> fmt::Result {
        let index = value as usize;
        match kind {
            OperandKind::Import => match self.imports.get(index) {
                Some(import) => {
                    let module = AtomText(self.atom(import.module));
                    write!(
                        out,
                        "{module}:{}/{}",
                        AtomText(self.atom(import.function)),
                        import.arity
                    )
                }
                None => write!(out, "import{value}"),
            },
            OperandKind::Lambda | OperandKind::FunTag => match self.lambdas.get(index) {
                Some(lambda) => {
                    write!(
                        out,
                        "fun {}/{}",
                        AtomText(self.atom(lambda.function)),
                        lambda.arity
                    )
                }
                None => write!(out, "fun{value}"),
            },
            OperandKind::Line => match self.lines.position(value as u32) {
                Some((file, line)) => {
                    let own = format!("{}.erl", self.module_name());
                    write!(out, "{}:{line}", file.unwrap_or(&own))
                }
                None => out.write_str("none"),
            },
            OperandKind::StrBytes | OperandKind::StrBits => {
                let count = operands[position - 1].unsigned().unwrap_or(0);
                let bytes = if kind == OperandKind::StrBits {
                    count.div_ceil(8)
                } else {
                    count
                };
                self.write_string(value, bytes, out)
            }
            _ => write!(out, "{value}"),
        }
    }

    fn write_string(&self, start: u64, len: u64, out: &mut dyn Write) -> fmt::Result {
        let range = start as usize..(start.saturating_add(len)) as usize;
        match self.strings.get(range) {
            Some(bytes) => {
                out.write_str("\"")?;
                for &byte in bytes {
                    write!(out, "{}", std::ascii::escape_default(byte))?;
                }
                out.write_str("\"")
            }
            None => write!(out, "string{start}"),
        }
    }

    fn write_list(&self, kind: OperandKind, list: &[Operand], out: &mut dyn Write) -> fmt::Result {
        out.write_str("[")?;
        match kind {
            OperandKind::SelectVal | OperandKind::SelectArity => {
                self.write_pairs(list, " -> ", out)?
            }
            OperandKind::PairList | OperandKind::GetList | OperandKind::UpdateList => {
                self.write_pairs(list, " => ", out)?
            }
            OperandKind::Segments => {
                for (index, segment) in list.chunks(6).enumerate() {
                    out.write_str(if index > 0 { "; " } else { "" })?;
                    for (at, operand) in segment.iter().enumerate() {
                        let space = if at > 0 { " " } else { "" };
                        match (segment[0].atom().map(|atom| self.atom(atom)), at, segment) {
                            (
                                Some("string"),
                                4,
                                [_, _, _, _, Operand::Unsigned(start), Operand::Int(len)],
                            ) => {
                                out.write_str(space)?;
                                self.write_string(*start, *len as u64, out)?;
                            }
                            _ => write!(out, "{space}{}", self.show(operand))?,
                        }
                    }
                }
            }
            OperandKind::Commands => {
                for (index, command) in self.commands(list).enumerate() {
                    out.write_str(if index > 0 { "; " } else { "" })?;
                    match command {
                        Some((command, operands)) => {
                            write!(out, "{command}")?;
                            for operand in operands {
                                write!(out, " {}", self.show(operand))?;
                            }
                        }
                        None => out.write_str("malformed")?,
                    }
                }
            }
            _ => {
                for (index, operand) in list.iter().enumerate() {
                    write!(
                        out,
                        "{}{}",
                        if index > 0 { ", " } else { "" },
                        self.show(operand)
                    )?;
                }
            }
        }
        out.write_str("]")
    }

    fn write_pairs(&self, list: &[Operand], arrow: &str, out: &mut dyn Write) -> fmt::Result {
        for (index, pair) in list.chunks(2).enumerate() {
            out.write_str(if index > 0 { ", " } else { "" })?;
            write!(out, "{}", self.show(&pair[0]))?;
            if let Some(second) = pair.get(1) {
                write!(out, "{arrow}{}", self.show(second))?;
            }
        }
        Ok(())
    }

    /// An operand for display; lists are shown only by their length.
    pub fn show<'a>(&'a self, operand: &'a Operand) -> impl fmt::Display + 'a {
        Show {
            file: self,
            operand,
        }
    }
}

/// Why a listing could not be written.
#[derive(Debug)]
pub enum DisasmError {
    /// The code is malformed.
    Load(LoadError),
    /// The output failed.
    Write(fmt::Error),
}

impl From<fmt::Error> for DisasmError {
    fn from(error: fmt::Error) -> DisasmError {
        DisasmError::Write(error)
    }
}

impl fmt::Display for DisasmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DisasmError::Load(error) => error.fmt(f),
            DisasmError::Write(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DisasmError {}

struct Show<'a> {
    file: &'a BeamFile,
    operand: &'a Operand,
}

impl fmt::Display for Show<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file;
        match *self.operand {
            Operand::Unsigned(value) => write!(f, "{value}"),
            Operand::Int(value) => write!(f, "{value}"),
            Operand::BigInt { offset, len } => {
                write!(f, "{}", BigText::from_signed(file.big_int(offset, len)))
            }
            Operand::Atom(atom) => write!(f, "{}", AtomText(file.atom(atom))),
            Operand::Nil => f.write_str("[]"),
            Operand::X(x) => write!(f, "x{x}"),
            Operand::Y(y) => write!(f, "y{y}"),
            Operand::Typed { reg, ty } => {
                match reg {
                    Reg::X(x) => write!(f, "x{x}")?,
                    Reg::Y(y) => write!(f, "y{y}")?,
                }
                match file.types.entries.get(ty as usize) {
                    Some(entry) => write!(f, ":{entry}"),
                    None => write!(f, ":type{ty}"),
                }
            }
            Operand::Label(label) => write!(f, "f{label}"),
            Operand::Char(char) => write!(f, "${char}"),
            Operand::Float(float) => write!(f, "fr{float}"),
            Operand::List(list) => write!(f, "[{} elements]", list.len),
            Operand::Alloc(list) => {
                write!(
                    f,
                    "alloc(words {}, floats {}, funs {})",
                    list.words, list.floats, list.funs
                )
            }
            Operand::Literal(index) => match file.literals.get(index as usize) {
                Some(term) => write!(f, "{}", TermText(term)),
                None => write!(f, "literal{index}"),
            },
        }
    }
}

impl fmt::Display for TypeEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(u16, &str); 14] = [
            (TypeSet::ATOM, "atom"),
            (TypeSet::BITSTRING, "bitstring"),
            (TypeSet::CONS, "cons"),
            (TypeSet::FLOAT, "float"),
            (TypeSet::FUN, "fun"),
            (TypeSet::INTEGER, "integer"),
            (TypeSet::MAP, "map"),
            (TypeSet::NIL, "nil"),
            (TypeSet::PID, "pid"),
            (TypeSet::PORT, "port"),
            (TypeSet::REFERENCE, "reference"),
            (TypeSet::TUPLE, "tuple"),
            (TypeSet::RECORD, "record"),
            (TypeSet::MATCH_CONTEXT, "context"),
        ];
        if self.union == TypeSet::ANY {
            f.write_str("any")?;
        } else {
            let mut first = true;
            for (_, name) in NAMES.iter().filter(|(bit, _)| self.union.overlaps(*bit)) {
                write!(f, "{}{name}", if first { "" } else { "|" })?;
                first = false;
            }
        }
        match (self.lower, self.upper) {
            (None, None) => {}
            (Some(lower), Some(upper)) => write!(f, "({lower}..{upper})")?,
            (Some(lower), None) => write!(f, "({lower}..)")?,
            (None, Some(upper)) => write!(f, "(..{upper})")?,
        }
        if self.unit > 1 {
            write!(f, "({})", self.unit)?;
        }
        Ok(())
    }
}
