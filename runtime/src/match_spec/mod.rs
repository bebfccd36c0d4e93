//! Match specifications: small programs that pick and transform terms, for tables and for tracing.
//!
//! A specification is a list of clauses `{Head, Guards, Body}`. `compile` turns it into a `Program`; a
//! `Matcher` runs programs. Heads become flat lists of tests over a stack of terms still to be matched,
//! guards and bodies code of a stack machine, so nothing recurses at run time.
//!
//! A subject may lie outside the heap of the process that runs the program (an object in a table). Terms
//! that only serve as arguments are used where they lie; what becomes part of the result is copied, and
//! which terms those are is decided when the program is compiled.

mod compile;
mod run;

use crate::atom::Atom;
use crate::bif::Bif;
use crate::heap::literal::OwnedTerm;
use crate::term::Term;
use smallvec::SmallVec;

pub use run::{Actions, Matcher, NoActions, Subject};

/// Where a specification is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// On the objects of a table.
    Table,
    /// On the arguments of a traced call or message; allows actions.
    Trace,
}

/// Why a specification is wrong, in words: one text for each thing that is.
#[derive(Clone, Debug)]
pub struct SpecError(pub Vec<String>);

/// What the body of a pattern without a specification gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gives {
    /// The values of the variables, in a list.
    Bindings,
    /// The whole object.
    Object,
    /// `true`.
    True,
}

/// A compiled specification. Its constants are terms of whoever compiled it.
pub struct Program {
    clauses: Vec<Clause>,
    /// Most variables of a clause.
    vars: usize,
    /// Do constants lie outside the heap of the process that runs the program?
    foreign_constants: bool,
}

// SAFETY: the terms are constants that do not change; who shares a program keeps them (`OwnedProgram` does).
unsafe impl Send for Program {}
// SAFETY: as above.
unsafe impl Sync for Program {}

struct Clause {
    head: Vec<HeadOp>,
    guard: Vec<Op>,
    body: Vec<Op>,
}

/// A few numbers of elements or variables.
type Numbers = SmallVec<[u32; 4]>;

/// One step of matching: each takes a term off the stack of terms to be matched.
enum HeadOp {
    Any,
    Bind(u32),
    Same(u32),
    /// An immediate that equals nothing but itself.
    Word(Term),
    Const(Term),
    /// A tuple of that size; its elements follow.
    Tuple(u32),
    /// A tuple of that size of which only some elements (counted from 0) follow.
    Elements(u32, Numbers),
    /// A cell; head and tail follow.
    Cons,
    /// A map with these keys; the values follow.
    Map(Box<[Term]>),
}

/// A step of a guard or body.
enum Op {
    /// Push a constant; `true`: for the result.
    Const(Term, bool),
    Var(u32, bool),
    Object(bool),
    /// A list of all variables, in the order of their numbers.
    All(Numbers, bool),
    Tuple(u32),
    /// That many elements and a tail.
    List(u32),
    /// Values for a tuple of keys in map order are on the stack.
    Map(Box<[Term]>),
    Call(&'static Bif),
    Compare(Cmp),
    Test(Test),
    Arith(Arith),
    Not,
    Xor,
    And(u32),
    Or(u32),
    AndAlso(u32),
    OrElse(u32),
    SelfPid,
    Act(MatchAction, u32),
    /// Copy the topmost value into the heap.
    Copy,
    /// Drop the topmost value.
    Waste,
    /// Go on only if the topmost value is `true`.
    Check,
}

#[derive(Clone, Copy, Debug)]
enum Cmp {
    Gt,
    Ge,
    Lt,
    Le,
    Eq,
    Ne,
    ExactEq,
    ExactNe,
}

#[derive(Clone, Copy, Debug)]
enum Test {
    Atom,
    Float,
    Integer,
    List,
    Number,
    Pid,
    Port,
    Reference,
    Tuple,
    Map,
    Binary,
    Bitstring,
    Boolean,
    Function,
}

#[derive(Clone, Copy, Debug)]
enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    IntDiv,
    Rem,
    Band,
    Bor,
    Bxor,
    Bsl,
    Bsr,
    Bnot,
    Neg,
    Plus,
}

/// What only a specification for tracing may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(
    missing_docs,
    reason = "the names are those of the functions in a specification"
)]
pub enum MatchAction {
    Message,
    ReturnTrace,
    ExceptionTrace,
    Display,
    ProcessDump,
    EnableTrace,
    DisableTrace,
    Trace,
    Silent,
    Caller,
    CallerLine,
    CurrentStacktrace,
    SetSeqToken,
    GetSeqToken,
    IsSeqTrace,
    SetTcw,
    GetTcw,
}

/// A program with memory of its own, as references to compiled specifications hold it.
pub struct OwnedProgram {
    program: Program,
    _spec: OwnedTerm,
}

impl OwnedProgram {
    /// Compiles a copy of the specification.
    pub fn compile(spec: Term, dialect: Dialect) -> Result<OwnedProgram, SpecError> {
        let owned = OwnedTerm::new(spec);
        let mut program = Program::compile(owned.term(), dialect)?;
        program.foreign_constants = true;
        Ok(OwnedProgram {
            program,
            _spec: owned,
        })
    }

    /// As [`OwnedProgram::compile`], of a specification with one clause at least.
    pub fn compile_clauses(spec: Term, dialect: Dialect) -> Result<OwnedProgram, SpecError> {
        compile::check_clauses(spec)?;
        OwnedProgram::compile(spec, dialect)
    }

    /// Compiles a copy of a pattern.
    pub fn compile_pattern(pattern: Term, gives: Gives) -> Result<OwnedProgram, SpecError> {
        let owned = OwnedTerm::new(pattern);
        let mut program = Program::compile_pattern(owned.term(), gives)?;
        program.foreign_constants = true;
        Ok(OwnedProgram {
            program,
            _spec: owned,
        })
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }
}

impl Program {
    /// Compiles a specification; the program refers to the specification's terms.
    pub fn compile(spec: Term, dialect: Dialect) -> Result<Program, SpecError> {
        compile::spec(spec, dialect)
    }

    /// As [`Program::compile`], of a specification with one clause at least.
    pub fn compile_clauses(spec: Term, dialect: Dialect) -> Result<Program, SpecError> {
        compile::check_clauses(spec)?;
        compile::spec(spec, dialect)
    }

    /// Compiles a lone pattern.
    pub fn compile_pattern(pattern: Term, gives: Gives) -> Result<Program, SpecError> {
        compile::pattern(pattern, gives)
    }
}

/// The number of a match variable: `'$0'`, `'$1'` and so on. It is counted in 32 bits, as BEAM does: larger ones begin anew, and one that
/// would be negative is no variable.
pub fn variable(t: Term) -> Option<u32> {
    let text = t.as_atom()?.text();
    let digits = text.strip_prefix('$')?.as_bytes();
    let (&first, rest) = digits.split_first()?;
    if !first.is_ascii_digit() || first == b'0' && !rest.is_empty() {
        return None;
    }
    let mut number = 0i32;
    for &d in digits {
        if !d.is_ascii_digit() {
            return None;
        }
        number = number.wrapping_mul(10).wrapping_add(i32::from(d - b'0'));
    }
    u32::try_from(number).ok()
}

/// Does the pattern match only terms equal to it: no variables, no maps?
pub fn is_bound(pattern: Term) -> bool {
    use crate::term::{Kind, boxed};
    if pattern.is_immediate() && !pattern.is_atom() {
        return true;
    }
    let mut stack = vec![pattern];
    while let Some(mut t) = stack.pop() {
        while t.is_cons() {
            stack.push(t.head());
            t = t.tail();
        }
        if t.is_atom() {
            if t == Term::from(Atom::UNDERSCORE) || variable(t).is_some() {
                return false;
            }
        } else if t.is_boxed() {
            match t.header().kind() {
                Kind::Tuple => {
                    let range = boxed::term_words(t.header());
                    stack.extend_from_slice(t.terms_from(range.start, range.len()));
                }
                Kind::FlatMap | Kind::HashMap => return false,
                _ => {}
            }
        }
    }
    true
}
