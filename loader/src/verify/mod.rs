//! Verification: what must hold before a module may run.
//!
//! The decoder has already checked each instruction by itself. Here the rest is checked:
//!
//! - tables: exports, locals and funs name functions of the module, with the right arity; no two
//!   functions share a name; functions belong to this module;
//! - labels: each is defined once, branches stay within their function, calls go to entries of
//!   functions with that arity;
//! - lists: select, map, update, segment and command lists have their shape (`shape`);
//! - frames: slots are within the frame, frames are made and dropped in pairs, a tail call or
//!   return leaves none behind;
//! - registers: X registers above `Live` are lost where a collection may happen, and all of them in a
//!   call. Compilers know of paths that are never taken, so an X register may be read that some path has
//!   not set: it holds the empty list there (`undefined`). So do slots of a frame from the start;
//! - catches: slots nest, inner ones lower on the stack than outer ones, no slot that holds a catch
//!   tag is used as a term, each handler starts with the instruction that takes the exception;
//! - ends: execution never runs past the last instruction;
//! - loops: each calls a function of the module or looks for a message (`loops`).
//!
//! The last five are a forward data flow over the labels of one function (`flow`). The types of
//! terms are not verified: the interpreter checks them where it takes a term apart.

mod catches;
mod flow;
mod loops;
mod shape;
mod state;
mod undefined;

pub use shape::MatchCommand;

use std::collections::HashSet;

use crate::chunks::ExportedFunction;
use crate::code::FunctionCode;
use crate::error::{CodeError, ErrorKind, LoadError};
use crate::file::BeamFile;
use crate::operand::Operand;
use crate::ops::{Op, OperandKind};

/// More errors than this in one module are not collected.
const MAX_ERRORS: usize = 200;

/// No function has this label.
const NOWHERE: u32 = u32::MAX;

/// Where each label of the module lies.
struct LabelMap {
    /// Function, by label.
    owner: Vec<u32>,
    /// Position among the labels of that function.
    ordinal: Vec<u32>,
}

impl LabelMap {
    /// The position of `label` among the labels of `function`.
    fn local(&self, function: usize, label: u32) -> Option<usize> {
        let owner = *self.owner.get(label as usize)?;
        (owner as usize == function).then(|| self.ordinal[label as usize] as usize)
    }
}

/// The registers that a function uses.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    x: u16,
    y: u16,
    float: u16,
}

impl BeamFile {
    /// Verifies the module and returns all errors; also fills in the register counts of the
    /// functions.
    pub fn verify(&mut self) -> Vec<LoadError> {
        let mut errors = Vec::new();
        self.verify_tables(&mut errors);
        let labels = self.label_count as usize;
        let mut map = LabelMap {
            owner: vec![NOWHERE; labels],
            ordinal: vec![0; labels],
        };
        let exits = self
            .imports
            .iter()
            .map(|import| self.never_returns(import))
            .collect::<Vec<_>>();
        let mut in_guards = vec![false; self.imports.len()];
        let mut code = FunctionCode::new();
        let mut flow = state::Flow::default();
        let mut found: Vec<CodeError> = Vec::new();
        for index in 0..self.functions.len() {
            let mut whole = self.decode_collecting(index, &mut code, &mut |error| {
                if found.len() < MAX_ERRORS {
                    found.push(error);
                }
            });
            flow.start();
            whole &= found.is_empty();
            self.place_labels(index, &code, &mut map, &mut found);
            let usage = self.verify_instrs(index, &code, &map, &mut in_guards, &mut found);
            // A function that is broken at this level is not worth following.
            if whole && found.is_empty() {
                flow.run(self, index, &code, &map, &exits, usage, &mut found);
            }
            let function = &mut self.functions[index];
            function.x_count = usage.x;
            function.y_count = usage.y;
            function.float_count = usage.float;
            function.may_be_nif = code.instrs().iter().any(|i| i.op == Op::NifStart);
            flow.no_return.sort_unstable();
            flow.no_return.dedup();
            function.no_return = flow.no_return.as_slice().into();
            let function = &self.functions[index];
            let cleared = undefined::places(self, function, &code, &flow.undefined);
            self.functions[index].cleared = cleared;
            if !found.is_empty() {
                found.sort_by_key(|error| error.offset);
                found.dedup();
                errors.extend(found.drain(..).map(|error| self.in_function(index, error)));
            }
            if errors.len() > MAX_ERRORS {
                break;
            }
        }
        self.guard_bifs = (0..)
            .zip(in_guards)
            .filter_map(|(import, used)| used.then_some(import))
            .collect();
        errors
    }

    fn verify_tables(&self, errors: &mut Vec<LoadError>) {
        let mut seen = HashSet::with_capacity(self.functions.len());
        for (index, function) in self.functions.iter().enumerate() {
            if !seen.insert((function.name, function.arity)) && errors.len() < MAX_ERRORS {
                let offset = function.range.start;
                errors.push(self.in_function(
                    index,
                    CodeError {
                        offset,
                        kind: ErrorKind::DuplicateFunction,
                    },
                ));
            }
        }
        let matches = |entry: &ExportedFunction| {
            self.function_by_entry(entry.label).is_some_and(|at| {
                let function = &self.functions[at];
                function.name == entry.function && function.arity == entry.arity
            })
        };
        let lambdas = self.lambdas.iter().map(|lambda| ExportedFunction {
            function: lambda.function,
            arity: lambda.arity,
            label: lambda.label,
        });
        let tables: [(&'static str, [u8; 4], Vec<ExportedFunction>); 3] = [
            ("export", *b"ExpT", self.exports.clone()),
            ("local", *b"LocT", self.locals.clone()),
            ("fun", *b"FunT", lambdas.collect()),
        ];
        for (table, chunk, entries) in tables {
            for (index, _) in (0..).zip(&entries).filter(|(_, entry)| !matches(entry)) {
                if errors.len() < MAX_ERRORS {
                    errors.push(LoadError::chunk(
                        chunk,
                        ErrorKind::BadEntry { table, index },
                    ));
                }
            }
        }
    }

    /// Whether a call of this function never comes back, so that code need not follow it.
    pub fn never_returns(&self, import: &crate::chunks::Import) -> bool {
        self.atom(import.module) == "erlang"
            && matches!(
                (self.atom(import.function), import.arity),
                ("error", 1..=3) | ("exit" | "throw", 1) | ("nif_error", 1 | 2)
            )
    }

    fn place_labels(
        &self,
        index: usize,
        code: &FunctionCode,
        map: &mut LabelMap,
        found: &mut Vec<CodeError>,
    ) {
        for (ordinal, &(label, at)) in code.labels().iter().enumerate() {
            let Some(owner) = map.owner.get_mut(label as usize) else {
                continue;
            };
            if *owner != NOWHERE {
                let offset = code.instrs()[at as usize].offset;
                report(
                    found,
                    CodeError {
                        offset,
                        kind: ErrorKind::DuplicateLabel { label },
                    },
                );
                continue;
            }
            *owner = index as u32;
            map.ordinal[label as usize] = ordinal as u32;
        }
    }

    /// Checks that need the tables of the module or the labels of the function, but no data flow.
    fn verify_instrs(
        &self,
        index: usize,
        code: &FunctionCode,
        map: &LabelMap,
        in_guards: &mut [bool],
        found: &mut Vec<CodeError>,
    ) -> Usage {
        let mut usage = Usage {
            x: self.functions[index].arity as u16,
            ..Usage::default()
        };
        for (instr, operands) in code.iter() {
            let op = instr.op;
            let mut fail = |kind| {
                report(
                    found,
                    CodeError {
                        offset: instr.offset,
                        kind,
                    },
                )
            };
            for (&kind, operand) in op.info().kinds.iter().zip(operands) {
                usage.note(operand);
                match (kind, *operand) {
                    (OperandKind::Live | OperandKind::Arity, Operand::Unsigned(count)) => {
                        usage.note_x(count)
                    }
                    (OperandKind::Frame, Operand::Unsigned(count)) => {
                        usage.y = usage.y.max(count.min(1024) as u16)
                    }
                    (
                        OperandKind::Fail
                        | OperandKind::Jump
                        | OperandKind::Handler
                        | OperandKind::Mark
                        | OperandKind::FailOrAtom,
                        Operand::Label(label),
                    ) if label != 0 && map.local(index, label).is_none() => {
                        fail(ErrorKind::ForeignLabel { op, label });
                    }
                    (OperandKind::FailOrAtom, Operand::Atom(atom))
                        if !matches!(self.atom(atom), "no_fail" | "resume") =>
                    {
                        fail(ErrorKind::BadOperandKind {
                            op,
                            position: 0,
                            expected: "no_fail or resume",
                        });
                    }
                    (OperandKind::Entry, Operand::Label(label)) => {
                        let arity = operands[0].unsigned().unwrap_or(u64::MAX) as u32;
                        let entry = self.function_by_entry(label);
                        if entry.is_none_or(|at| self.functions[at].arity != arity) {
                            fail(ErrorKind::BadCallTarget { label, arity });
                        }
                    }
                    (OperandKind::Import, Operand::Unsigned(number)) => {
                        if let Some(import) = self.imports.get(number as usize) {
                            let expected = match op {
                                Op::Bif0 => 0,
                                Op::Bif1 | Op::GcBif1 => 1,
                                Op::Bif2 | Op::GcBif2 => 2,
                                Op::Bif3 | Op::GcBif3 => 3,
                                _ => operands[0].unsigned().unwrap_or(u64::MAX),
                            };
                            let call =
                                matches!(op, Op::CallExt | Op::CallExtLast | Op::CallExtOnly);
                            if !call && self.atom(import.module) != "erlang" {
                                fail(ErrorKind::NotAGuardBif { op });
                            }
                            in_guards[number as usize] |= !call;
                            if u64::from(import.arity) != expected {
                                let arity = expected as u32;
                                fail(if call {
                                    ErrorKind::ImportArity { arity }
                                } else {
                                    ErrorKind::BifArity { op }
                                });
                            }
                        }
                    }
                    (_, Operand::List(list)) => {
                        let list = code.list(list);
                        for element in list {
                            usage.note(element);
                        }
                        if !self.list_fits(index, kind, operands, list, map, &mut usage) {
                            fail(ErrorKind::BadList { op });
                        }
                    }
                    _ => {}
                }
            }
            match (op, operands) {
                (Op::FuncInfo, [Operand::Atom(module), ..]) if *module != self.module => {
                    fail(ErrorKind::WrongModule);
                }
                (Op::Apply | Op::ApplyLast, [Operand::Unsigned(arity), ..]) => {
                    usage.note_x(arity + 2)
                }
                (Op::MakeFun3, [Operand::Unsigned(lambda), _, Operand::List(list)])
                    if self
                        .lambdas
                        .get(*lambda as usize)
                        .is_some_and(|lambda| lambda.num_free != list.len) =>
                {
                    fail(ErrorKind::BadList { op });
                }
                (Op::CallFun, [Operand::Unsigned(arity)]) => usage.note_x(arity + 1),
                (Op::Send | Op::RawRaise | Op::TryCase, _) => usage.note_x(3),
                (Op::MakeFun2, [Operand::Unsigned(lambda)]) => {
                    let free = self
                        .lambdas
                        .get(*lambda as usize)
                        .map_or(0, |lambda| lambda.num_free);
                    usage.note_x(u64::from(free));
                }
                _ => {}
            }
        }
        usage.note_x(1);
        usage
    }
}

impl Usage {
    #[inline]
    fn note(&mut self, operand: &Operand) {
        use crate::operand::Reg;
        match *operand {
            Operand::X(x) | Operand::Typed { reg: Reg::X(x), .. } => self.x = self.x.max(x + 1),
            Operand::Y(y) | Operand::Typed { reg: Reg::Y(y), .. } => self.y = self.y.max(y + 1),
            Operand::Float(float) => self.float = self.float.max(float + 1),
            _ => {}
        }
    }

    fn note_x(&mut self, count: u64) {
        self.x = self.x.max(count.min(1024) as u16);
    }
}

fn report(found: &mut Vec<CodeError>, error: CodeError) {
    if found.len() < MAX_ERRORS {
        found.push(error);
    }
}
