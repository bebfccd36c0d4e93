//! What can be wrong with a `.beam` file, and where.
//!
//! Every failure names the chunk, and inside the Code chunk also the function and the byte offset,
//! so that a report can be read next to a disassembly. Nothing here is an internal error of the
//! loader: each value says something about the input.

use std::fmt;

use crate::ops::Op;

/// Four-letter chunk identifier as it stands in the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChunkId(pub [u8; 4]);

impl fmt::Display for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in &self.0 {
            let shown = if (0x20..0x7f).contains(&byte) {
                byte
            } else {
                b'?'
            };
            write!(f, "{}", shown as char)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// One reason to refuse a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The chunk at fault; `None` when the container itself is broken.
    pub chunk: Option<ChunkId>,
    /// `name/arity` of the function at fault, where there is one.
    pub function: Option<Box<str>>,
    /// Byte offset within the chunk (within the code proper for the Code chunk), where known.
    pub offset: Option<u32>,
    /// What is wrong.
    pub kind: ErrorKind,
}

impl LoadError {
    /// An error about a whole chunk.
    pub fn chunk(chunk: [u8; 4], kind: ErrorKind) -> LoadError {
        LoadError {
            chunk: Some(ChunkId(chunk)),
            function: None,
            offset: None,
            kind,
        }
    }

    /// An error at a byte offset of a chunk.
    pub fn at(chunk: [u8; 4], offset: usize, kind: ErrorKind) -> LoadError {
        let offset = u32::try_from(offset).ok();
        LoadError {
            chunk: Some(ChunkId(chunk)),
            function: None,
            offset,
            kind,
        }
    }

    /// An error about the container.
    pub fn container(kind: ErrorKind) -> LoadError {
        LoadError {
            chunk: None,
            function: None,
            offset: None,
            kind,
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(chunk) = self.chunk {
            write!(f, "chunk {chunk}: ")?;
        }
        if let Some(function) = &self.function {
            write!(f, "function {function}: ")?;
        }
        if let Some(offset) = self.offset {
            write!(f, "offset {offset:#x}: ")?;
        }
        write!(f, "{}", self.kind)
    }
}

impl std::error::Error for LoadError {}

/// A problem found at a byte offset of the code; the function is added by whoever knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeError {
    /// Offset into the code.
    pub offset: u32,
    /// What is wrong.
    pub kind: ErrorKind,
}

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident : $type:ty),* })? => $text:literal,)*) => {
        /// The ways in which a file can be malformed.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the fields are explained by the message of each variant")]
        pub enum ErrorKind {
            $($(#[$doc])* $name $({ $($field: $type),* })?,)*
        }

        impl fmt::Display for ErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(ErrorKind::$name $({ $($field),* })? => write!(f, $text),)*
                }
            }
        }
    };
}

error_kinds! {
    /// Neither an IFF file nor a compressed one.
    NotABeamFile => "not a BEAM file",
    /// The data ends too early.
    Truncated => "the data ends too early",
    /// Compressed data that does not inflate.
    BadCompression => "corrupt compressed data",
    /// A declared or real size above the limit.
    TooLarge { size: u64, limit: u64 } => "size {size} is above the limit of {limit}",
    /// A chunk that every module needs is absent.
    MissingChunk => "the chunk is missing",
    /// More items announced than the data can hold.
    BadCount { count: i64 } => "{count} items announced, more than the data can hold",
    /// The code format number is not 0.
    BadFormat { version: u32 } => "code format {version} is not supported",
    /// The header announces instructions that no supported release has.
    NewerRelease { opcode: u32 } => "needs instruction number {opcode}; compiled for a newer release",
    /// The header is too short.
    BadHeader => "malformed header",
    /// Atom text that is not valid.
    BadAtom { index: u32 } => "atom {index} is too long or not valid text",
    /// Atom index out of range.
    AtomRange { index: u64 } => "atom index {index} is out of range",
    /// Arity above 255.
    BadArity { arity: u64 } => "arity {arity} is out of range",
    /// Literal that cannot be an external term.
    BadLiteral { index: u32 } => "literal {index} is not an external term",
    /// Type entry that cannot be read.
    BadType { index: u32 } => "type {index} is malformed",
    /// Line item that cannot be read.
    BadLine => "malformed line table",
    /// Opcode 0 or above the table.
    UnknownOpcode { opcode: u8 } => "unknown instruction number {opcode}",
    /// An instruction that all supported releases refuse.
    ObsoleteOp { op: Op } => "instruction {op} is obsolete; recompile the module with a newer compiler",
    /// A compact term whose encoding is not valid.
    BadOperandEncoding => "malformed operand encoding",
    /// An operand of a kind that the instruction does not take.
    BadOperandKind { op: Op, position: u8, expected: &'static str } => "{op}: operand {position} is not {expected}",
    /// Operand value outside its range.
    OperandRange { op: Op, position: u8, value: u64 } => "{op}: operand {position}: {value} is out of range",
    /// Register number outside the machine.
    RegisterRange { value: u64 } => "register number {value} is out of range",
    /// Label number outside the table.
    LabelRange { label: u64 } => "label {label} is out of range",
    /// Literal index out of range.
    LiteralRange { index: u64 } => "literal index {index} is out of range",
    /// Type index out of range.
    TypeRange { index: u64 } => "type index {index} is out of range",
    /// Import index out of range.
    ImportRange { index: u64 } => "import index {index} is out of range",
    /// Lambda index out of range.
    LambdaRange { index: u64 } => "lambda index {index} is out of range",
    /// Line index out of range.
    LineRange { index: u64 } => "line index {index} is out of range",
    /// String offset or length outside the string chunk.
    StringRange { offset: u64 } => "string at {offset} is out of range",
    /// A list operand of the wrong shape.
    BadList { op: Op } => "{op}: malformed list operand",
    /// Code before the first function or after the end.
    StrayCode => "code outside of a function",
    /// Code ends without int_code_end.
    NoCodeEnd => "the code has no end marker",
    /// func_info without the labels around it.
    BadFunctionHeader => "malformed function header",
    /// The header announces another number of functions.
    FunctionCount { announced: u32, found: u32 } => "{announced} functions announced, {found} found",
    /// The function information names another module.
    WrongModule => "the function belongs to another module",
    /// Two functions with one name and arity.
    DuplicateFunction => "the function is defined twice",
    /// A label defined twice.
    DuplicateLabel { label: u32 } => "label {label} is defined twice",
    /// A branch to a label that is not in this function.
    ForeignLabel { op: Op, label: u32 } => "{op}: label {label} is not in this function",
    /// A call to something that is not the entry of a function of that arity.
    BadCallTarget { label: u32, arity: u32 } => "label {label} is not the entry of a function with arity {arity}",
    /// An export or lambda that does not name a function of the module.
    BadEntry { table: &'static str, index: u32 } => "{table} entry {index} does not match a function",
    /// An imported function called with another arity.
    ImportArity { arity: u32 } => "the imported function does not take {arity} arguments",
    /// Guard instruction naming a BIF with the wrong arity.
    BifArity { op: Op } => "{op}: the BIF has another arity",
    /// Guard instruction naming something that cannot be a guard BIF.
    NotAGuardBif { op: Op } => "{op}: guard BIFs are functions of the module erlang",
    /// Execution can run past the last instruction.
    FallsOff => "execution can run past the end of the function",
    /// Y register outside the frame.
    OutsideFrame { op: Op, register: u32 } => "{op}: y{register} is outside of the stack frame",
    /// Y register holds a catch tag but is used as a term.
    CatchTagUsed { op: Op, register: u32 } => "{op}: y{register} holds a catch tag",
    /// A frame is needed but there is none.
    NoFrame { op: Op } => "{op}: there is no stack frame",
    /// A frame exists where there must be none.
    HasFrame { op: Op } => "{op}: there is a stack frame",
    /// Deallocation of another size than the frame's.
    FrameSize { op: Op, expected: u32, found: u32 } => "{op}: the stack frame has {expected} slots, not {found}",
    /// Catch or try slots not nested.
    CatchNesting { op: Op } => "{op}: catches are not properly nested",
    /// A frame is left with a catch active.
    CatchActive { op: Op } => "{op}: a catch is still active",
    /// Handler label not followed by try_case or catch_end, or such an instruction elsewhere.
    BadHandler { label: u32 } => "label {label} is not a proper exception handler",
    /// A loop in which the process could not be stopped.
    EndlessLoop { label: u32 } => "a loop at or before label {label} calls no function and has no receive",
    /// The function is too large for the analysis.
    TooComplex => "the function is too large to be verified",
}
