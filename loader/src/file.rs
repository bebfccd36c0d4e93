//! A whole module as read from a file.

use crate::chunks::{self, AtomIdx, ExportedFunction, Import, Lambda, LineTable, Literals, Types};
use crate::code::{self, Function};
use crate::container::{ChunkEntry, Container};
use crate::error::{ChunkId, CodeError, ErrorKind, LoadError};
use crate::ops::MAX_OPCODE;
use crate::records::RecordDef;

/// A parsed module. All indices between its tables have been checked once it is verified.
#[derive(Clone, Debug)]
pub struct BeamFile {
    /// The module's name.
    pub module: AtomIdx,
    /// Atoms by their index in the file; entry 0 is empty and never referred to.
    pub atoms: Vec<Box<str>>,
    /// Imported functions.
    pub imports: Vec<Import>,
    /// Indices of the imported functions that stand in `bif` and `gc_bif` instructions, set by verification.
    pub guard_bifs: Vec<u32>,
    /// Exported functions.
    pub exports: Vec<ExportedFunction>,
    /// Functions that are not exported.
    pub locals: Vec<ExportedFunction>,
    /// Funs.
    pub lambdas: Vec<Lambda>,
    /// Literals in the external term format.
    pub literals: Literals,
    /// Constant bytes of binary construction and matching.
    pub strings: Box<[u8]>,
    /// Source positions.
    pub lines: LineTable,
    /// Module attributes in the external term format.
    pub attributes: Option<Box<[u8]>>,
    /// Compilation options in the external term format.
    pub compile_info: Option<Box<[u8]>>,
    /// Metadata (enabled features) in the external term format.
    pub meta: Option<Box<[u8]>>,
    /// Definitions of native records.
    pub records: Vec<RecordDef>,
    /// Types of registers.
    pub types: Types,
    /// The bare code.
    pub code: Box<[u8]>,
    /// Functions in code order.
    pub functions: Vec<Function>,
    /// Index of the function to run when the module is loaded.
    pub on_load: Option<u32>,
    /// Number of labels, the highest one plus 1.
    pub label_count: u32,
    /// Highest instruction number as announced.
    pub max_opcode: u32,
    /// Number of instructions.
    pub instruction_count: u32,
    /// Checksum of the module as `code:module_md5/1` computes it.
    pub md5: [u8; 16],
    /// All chunks of the file.
    pub chunks: Vec<ChunkEntry>,
    /// Entry labels with their function, sorted.
    entries: Vec<(u32, u32)>,
}

impl BeamFile {
    /// Reads a file, which may be compressed, and verifies it.
    pub fn parse(bytes: &[u8]) -> Result<BeamFile, LoadError> {
        let mut file = BeamFile::parse_unverified(bytes)?;
        match file.verify().into_iter().next() {
            Some(error) => Err(error),
            None => Ok(file),
        }
    }

    /// Bytes that the tables take, without what the allocator adds.
    pub fn memory(&self) -> usize {
        let optional = |b: &Option<Box<[u8]>>| b.as_ref().map_or(0, |b| b.len());
        let names = self.lines.names.iter().flatten().map(|n| n.len());
        self.atoms.iter().map(|a| a.len()).sum::<usize>()
            + self.atoms.capacity() * size_of::<Box<str>>()
            + self.imports.capacity() * size_of::<Import>()
            + (self.exports.capacity() + self.locals.capacity()) * size_of::<ExportedFunction>()
            + self.lambdas.capacity() * size_of::<Lambda>()
            + self.literals.memory()
            + self.strings.len()
            + names.sum::<usize>()
            + self.lines.items.capacity() * size_of::<chunks::LineItem>()
            + optional(&self.attributes)
            + optional(&self.compile_info)
            + optional(&self.meta)
            + self.types.entries.capacity() * size_of::<chunks::TypeEntry>()
            + self.code.len()
            + self.functions.capacity() * size_of::<Function>()
            + self.chunks.capacity() * size_of::<ChunkEntry>()
            + self.entries.capacity() * size_of::<(u32, u32)>()
    }

    /// Reads a file without looking into its functions; for inspection only.
    pub fn parse_unverified(bytes: &[u8]) -> Result<BeamFile, LoadError> {
        let container = Container::open(bytes)?;
        BeamFile::from_container(&container)
    }

    /// Like [`BeamFile::parse_unverified`], for an open container.
    pub fn from_container(container: &Container<'_>) -> Result<BeamFile, LoadError> {
        let need = |id: &[u8; 4]| {
            container
                .get(id)
                .ok_or_else(|| LoadError::chunk(*id, ErrorKind::MissingChunk))
        };
        let owned = |id: &[u8; 4]| {
            container
                .get(id)
                .filter(|data| !data.is_empty())
                .map(Box::<[u8]>::from)
        };
        let atoms = match container.get(b"AtU8") {
            Some(data) => chunks::parse_atoms(b"AtU8", data)?,
            None => match container.get(b"Atom") {
                Some(data) => chunks::parse_atoms(b"Atom", data)?,
                None => return Err(LoadError::chunk(*b"AtU8", ErrorKind::MissingChunk)),
            },
        };
        let count = atoms.len();
        let some = |id: &[u8; 4]| container.get(id).filter(|data| !data.is_empty());
        let imports = chunks::parse_imports(need(b"ImpT")?, count)?;
        let exports = chunks::parse_exports(b"ExpT", need(b"ExpT")?, count)?;
        let locals = match some(b"LocT") {
            Some(data) => chunks::parse_exports(b"LocT", data, count)?,
            None => Vec::new(),
        };
        let lambdas = match some(b"FunT") {
            Some(data) => chunks::parse_lambdas(data, count)?,
            None => Vec::new(),
        };
        let literals = match some(b"LitT") {
            Some(data) => chunks::parse_literals(data)?,
            None => Literals::default(),
        };
        let lines = match some(b"Line") {
            Some(data) => chunks::parse_lines(data)?,
            None => LineTable::default(),
        };
        let types = match some(b"Type") {
            Some(data) => chunks::parse_types(data)?,
            None => Types::none(0),
        };
        let header = CodeHeader::parse(need(b"Code")?)?;
        let in_code = |error: CodeError| LoadError::at(*b"Code", error.offset as usize, error.kind);
        let scan = code::scan(header.code, count).map_err(in_code)?;
        if scan.functions.len() != header.function_count as usize {
            return Err(LoadError::chunk(
                *b"Code",
                ErrorKind::FunctionCount {
                    announced: header.function_count,
                    found: scan.functions.len() as u32,
                },
            ));
        }
        let mut entries: Vec<(u32, u32)> = (0..)
            .zip(&scan.functions)
            .map(|(index, function)| (function.entry_label, index))
            .collect();
        entries.sort_unstable();
        let mut file = BeamFile {
            module: 1,
            atoms,
            imports,
            guard_bifs: Vec::new(),
            exports,
            locals,
            lambdas,
            literals,
            strings: owned(b"StrT").unwrap_or_default(),
            lines,
            attributes: owned(b"Attr"),
            compile_info: owned(b"CInf"),
            meta: owned(b"Meta"),
            types,
            code: header.code.into(),
            functions: scan.functions,
            on_load: scan.on_load,
            label_count: header.label_count,
            max_opcode: header.max_opcode,
            instruction_count: scan.instructions,
            md5: crate::md5::module_md5(container),
            chunks: container.chunks().to_vec(),
            records: Vec::new(),
            entries,
        };
        if let Some(data) = some(b"Recs") {
            file.records = file.parse_records(data)?;
        }
        Ok(file)
    }

    /// Text of an atom; empty for an index that is out of range.
    #[inline]
    pub fn atom(&self, index: AtomIdx) -> &str {
        self.atoms.get(index as usize).map_or("", |text| text)
    }

    /// The module's name.
    pub fn module_name(&self) -> &str {
        self.atom(self.module)
    }

    /// Big-endian two's complement bytes of an [`Operand::BigInt`](crate::Operand::BigInt).
    pub fn big_int(&self, offset: u32, len: u32) -> &[u8] {
        &self.code[offset as usize..][..len as usize]
    }

    /// Index of the function with this entry label.
    pub fn function_by_entry(&self, label: u32) -> Option<usize> {
        let at = self
            .entries
            .binary_search_by_key(&label, |&(entry, _)| entry)
            .ok()?;
        Some(self.entries[at].1 as usize)
    }

    /// Index of the function with this name and arity.
    pub fn function_by_name(&self, name: &str, arity: u32) -> Option<usize> {
        self.functions
            .iter()
            .position(|function| function.arity == arity && self.atom(function.name) == name)
    }

    /// `name/arity` of a function.
    pub fn function_name(&self, index: usize) -> String {
        let function = &self.functions[index];
        format!("{}/{}", self.atom(function.name), function.arity)
    }

    pub(crate) fn in_function(&self, index: usize, error: CodeError) -> LoadError {
        LoadError {
            chunk: Some(ChunkId(*b"Code")),
            function: Some(self.function_name(index).into()),
            offset: Some(error.offset),
            kind: error.kind,
        }
    }
}

/// The fields in front of the code.
struct CodeHeader<'a> {
    max_opcode: u32,
    label_count: u32,
    function_count: u32,
    code: &'a [u8],
}

impl<'a> CodeHeader<'a> {
    fn parse(data: &'a [u8]) -> Result<CodeHeader<'a>, LoadError> {
        let error = |kind| LoadError::chunk(*b"Code", kind);
        let field = |index: usize| {
            let bytes = data
                .get(4 * index..4 * index + 4)
                .ok_or(error(ErrorKind::Truncated))?;
            Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        };
        let size = field(0)?;
        if size < 16 {
            return Err(error(ErrorKind::BadHeader));
        }
        let code = data
            .get(4..)
            .and_then(|rest| rest.get(size as usize..))
            .ok_or(error(ErrorKind::Truncated))?;
        let version = field(1)?;
        if version != 0 {
            return Err(error(ErrorKind::BadFormat { version }));
        }
        let (max_opcode, label_count, function_count) = (field(2)?, field(3)?, field(4)?);
        if max_opcode > u32::from(MAX_OPCODE) {
            return Err(error(ErrorKind::NewerRelease { opcode: max_opcode }));
        }
        // Labels are normally dense and each takes two bytes; tables by label stay within bounds
        // that the size of the file sets.
        if label_count as usize > code.len().max(1 << 16) {
            return Err(error(ErrorKind::BadCount {
                count: i64::from(label_count),
            }));
        }
        if u32::try_from(code.len()).is_err() {
            return Err(error(ErrorKind::TooLarge {
                size: code.len() as u64,
                limit: u64::from(u32::MAX),
            }));
        }
        Ok(CodeHeader {
            max_opcode,
            label_count,
            function_count,
            code,
        })
    }
}
