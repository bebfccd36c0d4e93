//! What `enigma inspect FILE.beam` prints: the chunks, what is in them, the verdict of the
//! verification, and listings.

use std::fmt::{self, Write};

use crate::container::Container;
use crate::disasm::DisasmError;
use crate::error::LoadError;
use crate::etf_text::TermText;
use crate::file::BeamFile;

/// What to print.
#[derive(Clone, Debug, Default)]
pub struct InspectOptions {
    /// Only the listing of this function (name and arity).
    pub function: Option<(String, u32)>,
    /// Leave the listings out.
    pub no_listing: bool,
}

/// Why nothing could be printed.
#[derive(Debug)]
pub enum InspectError {
    /// The file cannot be read.
    Load(LoadError),
    /// The module has no such function.
    NoFunction(String, u32),
    /// The output failed.
    Write(fmt::Error),
}

impl fmt::Display for InspectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InspectError::Load(error) => error.fmt(f),
            InspectError::NoFunction(name, arity) => {
                write!(f, "there is no function {name}/{arity}")
            }
            InspectError::Write(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InspectError {}

impl From<fmt::Error> for InspectError {
    fn from(error: fmt::Error) -> InspectError {
        InspectError::Write(error)
    }
}

impl From<LoadError> for InspectError {
    fn from(error: LoadError) -> InspectError {
        InspectError::Load(error)
    }
}

impl From<DisasmError> for InspectError {
    fn from(error: DisasmError) -> InspectError {
        match error {
            DisasmError::Load(error) => InspectError::Load(error),
            DisasmError::Write(error) => InspectError::Write(error),
        }
    }
}

/// Inspects a file. Returns whether the module passed verification.
pub fn inspect(
    bytes: &[u8],
    options: &InspectOptions,
    out: &mut dyn Write,
) -> Result<bool, InspectError> {
    let container = Container::open(bytes)?;
    if options.function.is_none() {
        write_chunks(&container, bytes, out)?;
    }
    let mut file = BeamFile::from_container(&container)?;
    let errors = file.verify();
    if let Some((name, arity)) = &options.function {
        let index = file.function_by_name(name, *arity);
        let index = index.ok_or_else(|| InspectError::NoFunction(name.clone(), *arity))?;
        file.disassemble_function(index, out)?;
        return Ok(errors.is_empty());
    }
    write_summary(&file, out)?;
    if errors.is_empty() {
        writeln!(out, "verification: passed")?;
    } else {
        writeln!(out, "verification: {} errors", errors.len())?;
        for error in &errors {
            writeln!(out, "  {error}")?;
        }
    }
    if !options.no_listing {
        writeln!(out)?;
        file.disassemble(out)?;
    }
    Ok(errors.is_empty())
}

fn write_chunks(container: &Container<'_>, bytes: &[u8], out: &mut dyn Write) -> fmt::Result {
    let compressed = if bytes.starts_with(&[0x1f, 0x8b]) {
        ", compressed"
    } else {
        ""
    };
    writeln!(out, "file: {} bytes{compressed}", bytes.len())?;
    for entry in container.chunks() {
        writeln!(
            out,
            "chunk {}: {} bytes at {:#x}",
            entry.id, entry.len, entry.start
        )?;
    }
    Ok(())
}

fn write_summary(file: &BeamFile, out: &mut dyn Write) -> fmt::Result {
    writeln!(
        out,
        "code: {} functions, {} instructions, {} labels, highest instruction {}",
        file.functions.len(),
        file.instruction_count,
        file.label_count,
        file.max_opcode
    )?;
    writeln!(
        out,
        "tables: {} atoms, {} imports, {} exports, {} funs, {} literals, {} lines, {} types (version {})",
        file.atoms.len() - 1,
        file.imports.len(),
        file.exports.len(),
        file.lambdas.len(),
        file.literals.len(),
        file.lines.items.len().saturating_sub(1),
        file.types.entries.len(),
        file.types.version
    )?;
    out.write_str("md5: ")?;
    for byte in file.md5 {
        write!(out, "{byte:02x}")?;
    }
    writeln!(out)?;
    if let Some(info) = &file.compile_info {
        writeln!(out, "compiled: {}", TermText(info))?;
    }
    Ok(())
}
