//! The SSA form of one function.
//!
//! Blocks have parameters instead of phi nodes; every value is defined once, by an instruction or as a parameter.
//! What an instruction does is an [`Op`]; its operands and results are values.
//!
//! The machine that instructions run on is the process's Erlang stack and heap, as in the interpreter: Y registers are
//! slots of the frame on the Erlang stack and are read and written by instructions; X registers are values. Stack pointer,
//! heap pointer and reductions are no values here: the lowering threads them through blocks and calls.
//!
//! An instruction that may leave the function names an [`SsaExit`]: the bytecode instruction at which the
//! interpreter goes on, and which values are in which X registers and float registers there.

/// The exit that an operation names, as a reference of the operation's kind.
macro_rules! exit_in {
    ($op:expr) => {
        match $op {
            Op::Arith(_, e)
            | Op::CreateBits(_, e)
            | Op::Unbox(e)
            | Op::ToFloat(e)
            | Op::FloatArith(_, e)
            | Op::Allocate { exit: e, .. }
            | Op::Reserve(_, e)
            | Op::MapPut(e)
            | Op::MapUpdate(e)
            | Op::CallFun(_, e)
            | Op::CallFunAt(_, e)
            | Op::CallApply(_, e)
            | Op::CallBif(_, _, e)
            | Op::CallStep(_, e)
            | Op::Step { at: e, .. }
            | Op::TailCallFun(_, e)
            | Op::TailCallApply(_, e)
            | Op::Leave(e) => Some(e),
            _ => None,
        }
    };
}

pub mod bits;
pub mod builder;
pub mod edit;
mod entities;
pub mod flow;
pub mod liveness;
pub mod names;
pub mod parse;
pub mod place;
pub mod properties;
mod syntax;
mod text;
pub mod types;
pub mod verify;

use bits::{BitSegment, BitsField, Encoding, FieldFlags, MatchStep};
use enigma_runtime::atom::Atom;
use enigma_runtime::code::export::Export;
use enigma_runtime::term::Kind;
pub use entities::{Block, ExitRef, Inst, Value};
pub use parse::parse;
use smallvec::SmallVec;
pub use types::Repr;
pub use verify::verify;

/// A function.
#[derive(Debug)]
pub struct SsaFunction {
    /// Its name, for people.
    pub name: String,
    /// Number of arguments; where it begins elsewhere than at its entry, of the X registers that it takes.
    pub arity: usize,
    /// The offset in bytecode at which it begins, if it goes on there instead of being called.
    pub at: Option<u32>,
    /// The instructions.
    pub insts: Vec<InstData>,
    /// The blocks; the first one is where the function begins.
    pub blocks: Vec<BlockData>,
    /// How each value is represented.
    pub values: Vec<Repr>,
    /// Where the interpreter may go on.
    pub exits: Vec<SsaExit>,
    /// The functions of the module, by their numbers, that stand in the place of calls. Offsets of bytecode name theirs too, see [`place`].
    pub inlined: Vec<u32>,
    /// Offset of the bytecode instruction that further instructions are made from.
    pub place: Option<u32>,
}

impl SsaFunction {
    /// The number of instructions.
    pub fn instructions(&self) -> usize {
        self.blocks.iter().map(|b| b.insts.len()).sum()
    }

    /// All blocks, with those that a pass has removed: they have no instructions.
    pub fn blocks(&self) -> impl Iterator<Item = (Block, &BlockData)> {
        let numbers = (0..).map(Block);
        numbers.zip(&self.blocks)
    }

    /// How a value is represented.
    #[inline]
    pub fn repr(&self, value: Value) -> Repr {
        self.values[value.index()]
    }
}

/// A block: instructions, of which the last one says where to go on.
#[derive(Clone, Debug, Default)]
pub struct BlockData {
    /// Values that the jumps to it give.
    pub params: Vec<Value>,
    /// Its instructions.
    pub insts: Vec<Inst>,
    /// Is it unlikely to be run?
    pub cold: bool,
}

/// An instruction.
#[derive(Clone, Debug)]
pub struct InstData {
    /// What it does.
    pub op: Op,
    /// The values that it uses.
    pub args: Vec<Value>,
    /// The values that it defines.
    pub results: Vec<Value>,
    /// Offset of the bytecode instruction that it is made from, where that is known.
    pub place: Option<u32>,
}

/// A state in which the interpreter can go on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SsaExit {
    /// Offset in the function's bytecode, in words.
    pub pc: u32,
    /// The offset to which the function there returns, if it stands in the place of a call whose return address is not on the
    /// stack: leaving puts it there.
    pub under: Option<u32>,
    /// X registers that are live there, with their values: terms, or floats of which terms are made there.
    pub x: Vec<(u16, Value)>,
    /// Float registers that are live there, with their values.
    pub floats: Vec<(u16, Value)>,
}

/// Where a jump leads, with the values for the block's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The block.
    pub block: Block,
    /// A value for each of its parameters.
    pub args: Vec<Value>,
}

/// A question about a term, answered by looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// A small integer.
    Small,
    /// An integer.
    Integer,
    /// A float.
    Float,
    /// A number.
    Number,
    /// An atom.
    Atom,
    /// `true` or `false`.
    Boolean,
    /// The empty list.
    Nil,
    /// A list cell.
    Cons,
    /// A list cell or the empty list.
    List,
    /// A boxed object of this kind.
    Kind(Kind),
    /// A tuple of so many elements.
    TupleOf(u32),
    /// A tuple of more than so many elements.
    TupleAbove(u32),
    /// A tuple of so many elements that begins with this atom.
    Tagged(u32, Atom),
    /// A map.
    Map,
    /// A pid.
    Pid,
    /// A port.
    Port,
    /// A reference.
    Reference,
    /// A fun.
    Function,
    /// A bitstring of whole bytes.
    Binary,
    /// A bitstring.
    Bitstring,
}

/// Comparison of two terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Lt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
    /// `/=`
    Ne,
    /// `=:=`
    ExactEq,
    /// `=/=`
    ExactNe,
}

/// Arithmetic on two integers or numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arith {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `div`
    Div,
    /// `rem`
    Rem,
    /// `band`
    Band,
    /// `bor`
    Bor,
    /// `bxor`
    Bxor,
    /// `bsl`
    Bsl,
    /// `bsr`
    Bsr,
}

/// Arithmetic on two unboxed floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatArith {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
}

/// What a call calls.
#[derive(Clone, Copy, Debug)]
pub enum Callee {
    /// The function itself.
    This,
    /// Another function of the same version of the module, by its number there.
    Local(u32),
    /// Whatever an export entry leads to.
    Export(&'static Export),
}

/// What an instruction does. "Leaves" means: at its exit the interpreter executes the BEAM instruction again.
#[derive(Clone, Debug)]
pub enum Op {
    // ---- values ----
    /// A constant word. Defines it.
    Const(u64),
    /// A constant float.
    Float(f64),
    /// Slot `n` of the frame.
    LoadY(u16),
    /// Sets slot `n` of the frame.
    StoreY(u16),
    /// A word of code in slot `n` of the frame: the exception handler at this offset of the bytecode.
    StoreCatch(u16, u32),

    // ---- questions, answered with a `Bool` ----
    /// Is the term one of these?
    Test(Test),
    /// Compares two terms.
    Compare(Comparison),
    /// Is the result of a `TryArith` or another instruction that may fail a value?
    IsValue,
    /// Is it a fun of so many arguments, the second term?
    IsFunctionOf,
    /// Has a match context so many bits left?
    BitsLeftAre(u64),
    /// Is what a match context has left a multiple of so many bits?
    BitsLeftMultiple(u64),
    /// `true` or `false`, for an answer.
    BoolTerm,

    // ---- the bit syntax ----
    //
    // What matches gives a `Bool` first; the other results mean something only where that is true. Where it is not, the match
    // context is as it was.
    /// A match context over a bitstring, or the context itself. Results: is there one, and which.
    StartMatch,
    /// Executes commands of matching on a match context.
    MatchBits(Vec<MatchStep>),
    /// Are the next so many bits of a match context those at this offset of the module's constant bytes? Passes over them.
    MatchString(u64, u32),
    /// Takes a field off a match context, whose size, the second term, counts such units.
    GetBits(BitsField, u32, FieldFlags),
    /// Takes a code point off a match context.
    GetUtf(Encoding, FieldFlags),
    /// What a match context has left, as a bitstring.
    RestBits,
    /// Where a match context stands.
    BitsPosition,
    /// Lets a match context stand where `BitsPosition` has said.
    SetBitsPosition,
    /// Number of bytes of a bitstring, the last one perhaps not whole; no value if it is none.
    ByteSize,
    /// Number of bits of a bitstring; no value if it is none.
    BitSize,
    /// A bitstring of segments: the arguments are the values of those that are no constants, each with its size behind it if
    /// that is a value, too. Leaves if that is not possible.
    CreateBits(Vec<BitSegment>, ExitRef),
    /// An empty binary with room for as many bits as the term says, if it says so.
    WritableBits,

    // ---- data ----
    /// Head of a list cell, which it must be.
    Head,
    /// Tail of a list cell, which it must be.
    Tail,
    /// Element of a tuple, counted from 0, which it must have.
    Element(u32),
    /// Element of a tuple, the second term, at an index, counted from 1; no value if there is none.
    ElementAt,
    /// Number of elements of a tuple, which it must be.
    TupleSize,
    /// Number of elements of a list; no value if it is none, `[]` if there are many.
    ListLength,
    /// The process's own pid.
    OwnPid,
    /// The value in a map, the first term, which it must be, of a key; no value if there is none.
    MapGet,
    /// Number of pairs of a map, which it must be.
    MapSize,
    /// A small map of a tuple of sorted keys, a constant, and the values of these.
    NewMap,
    /// A list cell of head and tail.
    Cons,
    /// A tuple of the arguments.
    Tuple,
    /// A copy of a tuple of this size, the first argument, with other elements at these positions, counted from 1.
    UpdateTuple(u32, Vec<u32>),
    /// The same where nobody else knows the tuple: it is overwritten if it is fresh.
    OverwriteTuple(u32, Vec<u32>),
    /// A map, the first term, with pairs, keys and values in turn; leaves if it is no map.
    MapPut(ExitRef),
    /// The same where all keys must be there; leaves if one is not.
    MapUpdate(ExitRef),
    /// A fun of this number in the module's table, with the arguments as its environment.
    Fun(u32),

    /// What a guard BIF gives for the arguments; no value if it fails.
    GuardBif(&'static Export),

    // ---- arithmetic ----
    /// On two terms; leaves if that is not possible.
    Arith(Arith, ExitRef),
    /// On two terms; the result is no value if that is not possible.
    TryArith(Arith),
    /// The float that a term holds; leaves if it holds none.
    Unbox(ExitRef),
    /// The float nearest to a number; leaves if it is none.
    ToFloat(ExitRef),
    /// A term for a float.
    Box,
    /// On two floats; leaves if the result is not finite.
    FloatArith(FloatArith, ExitRef),
    /// Of a float.
    FloatNegate,

    // ---- arithmetic on numbers whose kind is known ----
    /// On two small integers, whose result is one.
    SmallArith(Arith),
    /// On two small integers. Results: is there a result that is a small integer, and which.
    TrySmallArith(Arith),
    /// Are all of them small integers?
    AreSmall,
    /// Compares two small integers; exactly, one of them may be any term.
    CompareSmall(Comparison),
    /// Compares two floats, which are finite.
    CompareFloat(Comparison),
    /// Results: is a term a float, and which.
    TryUnbox,
    /// Results: is a term a float or a small integer, and the float nearest to it.
    TryToFloat,
    /// The float nearest to a small integer.
    SmallToFloat,
    /// On two floats; the result need not be finite.
    RawFloatArith(FloatArith),
    /// Is a float finite?
    IsFinite,

    // ---- words: integers of 64 bits without a sign ----
    /// A constant word.
    WordConst(u64),
    /// Results: is a term an integer from 0 to 2^64 - 1, and which.
    TryWord,
    /// On two words, modulo 2^64. It divides by words other than 0 and shifts by less than 64.
    WordArith(Arith),
    /// On two words, likewise. Results: is the integer from 0 to 2^64 - 1, and which. It may be asked to divide by 0.
    TryWordArith(Arith),
    /// The integer that a word is, as a term; it is at most so large.
    WordTerm(u64),

    // ---- frames and memory ----
    /// Makes a frame of so many slots and sets those that the list names to the empty list; leaves if there is no room for
    /// it, or for so many words of heap.
    Allocate {
        /// Slots of the frame.
        slots: u32,
        /// Words of heap.
        heap: u32,
        /// Slots to set.
        clear: Vec<u16>,
        /// Where it leaves.
        exit: ExitRef,
    },
    /// Leaves if not so many words of heap are free.
    Reserve(u32, ExitRef),
    /// Drops the first so many slots of the frame.
    Drop(u32),
    /// Puts the return address of this offset on the stack, for a reduction, as a call does in the interpreter. `Drop` takes it away.
    PushReturn(u32),

    /// Puts the arguments, in their order, before the value that the function will return: behind those put there before by this
    /// call of it. Nothing of the frame is left. An interpreter that comes by returns to this offset of the bytecode.
    Build(u32),

    // ---- what may run other code ----
    /// Calls a function with the arguments; the interpreter would go on at this offset of the bytecode.
    Call(Callee, u32),
    /// Calls the fun that is the last argument, likewise. Leaves where that is not simple.
    CallFun(u32, ExitRef),
    /// The machine code that calls the argument, a term, as a fun with so many arguments; 0 if it is no such fun, or has no code.
    FunCode(u32),
    /// Calls the fun that is the last argument, likewise. The first argument is what `FunCode` has given for it.
    CallFunAt(u32, ExitRef),
    /// Calls the function that the last two arguments name, module and function, with the others, likewise.
    CallApply(u32, ExitRef),
    /// Calls a BIF, likewise. The exit is the instruction that calls.
    CallBif(&'static Export, u32, ExitRef),
    /// Executes the call instruction of the exit, which finds out what it calls, likewise.
    CallStep(u32, ExitRef),
    /// Executes the bytecode instruction of the exit, whose next one is at this offset. It may go on there or at the offset
    /// that is the second one. Results: whether it has gone on to the next one (if there is a second way), then
    /// the X registers that it writes.
    Step {
        /// Where the instruction is, and what must be in the registers.
        at: ExitRef,
        /// Offset of the next instruction.
        next: u32,
        /// Offset to which it may jump.
        other: Option<u32>,
        /// X registers that it writes.
        writes: Vec<u16>,
        /// Float registers that it writes.
        float_writes: Vec<u16>,
    },

    // ---- ends of blocks ----
    /// Goes on in another block.
    Jump(Target),
    /// Goes on in the first block if the argument is true, in the second one if not.
    Branch(Target, Target),
    /// Goes on in the block that stands beside the argument, if any does.
    Switch(Vec<(u64, Target)>, Target),
    /// Goes on in the block that stands beside the size of the argument, a tuple, if any does.
    SwitchArity(Vec<(u32, Target)>, Target),
    /// Returns the argument.
    Return,
    /// Calls a function with the arguments as the last thing to do, after this many slots of the frame are dropped.
    TailCall(Callee, u32),
    /// Calls the fun that is the last argument, likewise.
    TailCallFun(u32, ExitRef),
    /// Calls the function that the last two arguments name, module and function, with the others, likewise.
    TailCallApply(u32, ExitRef),
    /// Begins the function anew with the arguments, terms or floats, for one reduction: jumps to a block that goes on as the one
    /// behind its entry does, or leaves where no reduction is left.
    Again(Target),
    /// Goes on in the interpreter.
    Leave(ExitRef),
}

impl Op {
    /// Does it end a block?
    pub fn ends_block(&self) -> bool {
        matches!(
            self,
            Op::Jump(_)
                | Op::Branch(..)
                | Op::Switch(..)
                | Op::SwitchArity(..)
                | Op::Return
                | Op::TailCall(..)
                | Op::TailCallFun(..)
                | Op::TailCallApply(..)
                | Op::Again(_)
                | Op::Leave(_)
        )
    }

    /// Where it may go on in the function.
    pub fn targets(&self) -> SmallVec<[&Target; 2]> {
        match self {
            Op::Jump(t) | Op::Again(t) => SmallVec::from_iter([t]),
            Op::Branch(t, e) => SmallVec::from([t, e]),
            Op::Switch(cases, other) => cases.iter().map(|c| &c.1).chain([other]).collect(),
            Op::SwitchArity(cases, other) => cases.iter().map(|c| &c.1).chain([other]).collect(),
            _ => SmallVec::new(),
        }
    }

    /// The exit that it names.
    pub fn exit(&self) -> Option<ExitRef> {
        exit_in!(self).copied()
    }
}
