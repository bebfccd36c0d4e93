//! Matching of bitstrings.
//!
//! What an instruction is to do is read from its bytecode, where sizes, units and flags stand in one form.

use super::{Builder, Flow};
use crate::ir::bits::{BitsField, Encoding, FieldFlags, MatchStep};
use crate::ir::{Op as Ssa, Repr, Value};
use enigma_loader::{Op, Operand};
use enigma_runtime::code::bit_words::{MAX_BITS, command, kind};
use enigma_runtime::code::fields::At;
use enigma_runtime::code::forms::{bs_get, bs_get_utf, bs_match, bs_match_string};
use enigma_runtime::code::{ops, translate};
use enigma_runtime::term::Term;

/// Longest integer that a match takes itself, in bits.
const LONGEST: u64 = 64;

/// A command of `bs_match`.
#[derive(Clone, Copy)]
enum Command {
    /// One that is done together with others.
    Step(MatchStep),
    /// An integer that is long or whose bytes are no whole ones.
    Integer(u64, FieldFlags),
}

impl Builder<'_> {
    /// The words of the instruction's bytecode, if it is one of these.
    pub(super) fn words(&self, opcodes: &[u16]) -> Option<&'static [u64]> {
        let body = self.body;
        let words = &body.code[self.pc() as usize..];
        opcodes.contains(&self.opcode()).then_some(words)
    }

    /// An instruction of matching; nothing if it has to be executed by the interpreter.
    pub(super) fn matching(&mut self, op: Op, o: &[Operand]) -> Option<Flow> {
        match op {
            Op::BsTestTail2 | Op::BsTestUnit => self.bits_left(op, o),
            Op::BsStartMatch3 => self.start_match(&o[1], &o[3], &o[0]),
            Op::BsStartMatch4 => self.start_match(&o[2], &o[3], &o[0]),
            Op::BsMatch => self.bs_match(o)?,
            Op::BsGetInteger2 | Op::BsGetFloat2 | Op::BsGetBinary2 => {
                self.get(&o[0], &o[1], &o[3], Some(&o[6]))?;
            }
            Op::BsSkipBits2 => self.get(&o[0], &o[1], &o[2], None)?,
            Op::BsGetUtf8 | Op::BsGetUtf16 | Op::BsGetUtf32 => {
                self.get_utf(op, o, Some(&o[4]))?;
            }
            Op::BsSkipUtf8 | Op::BsSkipUtf16 | Op::BsSkipUtf32 => self.get_utf(op, o, None)?,
            Op::BsMatchString => self.match_string(o)?,
            Op::BsGetTail => self.of_context(Ssa::RestBits, o),
            Op::BsGetPosition => self.of_context(Ssa::BitsPosition, o),
            Op::BsSetPosition => {
                let args = self.srcs(o);
                self.push(Ssa::SetBitsPosition, args, &[]);
            }
            _ => return None,
        }
        Some(Flow::Next)
    }

    fn bits_left(&mut self, op: Op, o: &[Operand]) {
        let (context, n) = (self.src(&o[1]), Self::num(&o[2]) as u64);
        let question = if op == Op::BsTestTail2 {
            Ssa::BitsLeftAre(n)
        } else {
            Ssa::BitsLeftMultiple(n.max(1))
        };
        let is = self.one(question, vec![context], Repr::Bool);
        self.or_jump(is, &o[0]);
    }

    /// An instruction that cannot fail, with a match context and a destination.
    fn of_context(&mut self, op: Ssa, o: &[Operand]) {
        let context = self.src(&o[0]);
        let v = self.one(op, vec![context], Repr::Term);
        self.set(&o[1], v);
    }

    /// Matches, and jumps to the label if that is not possible; gives the terms that are found.
    fn found(&mut self, op: Ssa, args: Vec<Value>, fail: &Operand) -> Vec<Value> {
        let results = op.results();
        let mut results = self.push(op, args, &results);
        let rest = results.split_off(1);
        if fail.label().is_some_and(|l| l != 0) {
            self.or_jump(results[0], fail);
        } else {
            self.or_leave(results[0]);
        }
        rest
    }

    fn start_match(&mut self, from: &Operand, to: &Operand, fail: &Operand) {
        let v = self.src(from);
        let found = self.found(Ssa::StartMatch, vec![v], fail);
        self.set(to, found[0]);
    }

    fn bs_match(&mut self, o: &[Operand]) -> Option<()> {
        let words = self.words(&[ops::BS_MATCH, ops::BS_MATCH_SHORT])?;
        let count = number(words, bs_match::COUNT.at) as usize;
        let pairs = words[bs_match::WORDS..].chunks_exact(2);
        let commands: Option<Vec<Command>> =
            pairs.take(count).map(|p| decoded(p[0], p[1])).collect();
        let commands = commands?;
        // A part that fails behind another one must not be executed again from the beginning.
        let in_parts = commands.iter().any(|c| matches!(c, Command::Integer(..)));
        if in_parts && o[0].label().is_none_or(|l| l == 0) {
            return None;
        }
        let registers = self.code.command_registers(self.code.list(&o[2]));
        let mut found = Vec::new();
        let mut steps = Vec::new();
        let context = self.src(&o[1]);
        for c in commands {
            match c {
                Command::Step(step) => steps.push(step),
                Command::Integer(bits, flags) => {
                    let before = std::mem::take(&mut steps);
                    found.extend(self.steps(context, before, &o[0]));
                    let get = Ssa::GetBits(BitsField::Integer, 1, flags);
                    let size = self.constant_word(Term::small(bits as i64).raw());
                    found.extend(self.found(get, vec![context, size], &o[0]));
                }
            }
        }
        found.extend(self.steps(context, steps, &o[0]));
        for (to, v) in registers.into_iter().zip(found) {
            self.set(to, v);
        }
        Some(())
    }

    fn steps(&mut self, context: Value, steps: Vec<MatchStep>, fail: &Operand) -> Vec<Value> {
        if steps.is_empty() {
            return Vec::new();
        }
        self.found(Ssa::MatchBits(steps), vec![context], fail)
    }

    fn get(
        &mut self,
        fail: &Operand,
        context: &Operand,
        size: &Operand,
        to: Option<&Operand>,
    ) -> Option<()> {
        let words = self.words(&[ops::BS_GET])?;
        let n = |at| number(words, at);
        let field = match n(bs_get::KIND.at) as u8 {
            kind::INTEGER => BitsField::Integer,
            kind::FLOAT => BitsField::Float,
            kind::BINARY => BitsField::Binary,
            _ => BitsField::Skip,
        };
        let flags = FieldFlags::of(n(bs_get::FLAGS.at) as u8);
        let unit = n(bs_get::UNIT.at);
        let found = match self.step_of_size(field, size, unit, flags) {
            Some(step) => {
                let context = self.src(context);
                self.steps(context, step.into(), fail)
            }
            None => {
                let get = Ssa::GetBits(field, unit as u32, flags);
                let args = vec![self.src(context), self.src(size)];
                self.found(get, args, fail)
            }
        };
        if let (Some(to), Some(&v)) = (to, found.first()) {
            self.set(to, v);
        }
        Some(())
    }

    /// The same as commands of `bs_match`, where the size is a constant.
    fn step_of_size(
        &self,
        field: BitsField,
        size: &Operand,
        unit: u64,
        flags: FieldFlags,
    ) -> Option<[MatchStep; 2]> {
        let size = match size.reg() {
            Some(_) => return None,
            None => translate::constant(self.module, size)?.as_usize()? as u64,
        };
        let bits = size.checked_mul(unit).filter(|&n| n > 0 && n < MAX_BITS)?;
        let taken = match field {
            BitsField::Integer => integer(bits, flags)?,
            BitsField::Float if matches!(bits, 32 | 64) => MatchStep::Float {
                bits: bits as u32,
                flags,
            },
            BitsField::Float => return None,
            BitsField::Binary => MatchStep::Part(bits),
            BitsField::Skip => MatchStep::Skip(bits),
        };
        Some([MatchStep::AtLeast { bits, unit: 1 }, taken])
    }

    fn get_utf(&mut self, op: Op, o: &[Operand], to: Option<&Operand>) -> Option<()> {
        let words = self.words(&[ops::BS_GET_UTF])?;
        let flags = FieldFlags::of(number(words, bs_get_utf::FLAGS.at) as u8);
        let encoding = match op {
            Op::BsGetUtf8 | Op::BsSkipUtf8 => Encoding::Utf8,
            Op::BsGetUtf16 | Op::BsSkipUtf16 => Encoding::Utf16,
            _ => Encoding::Utf32,
        };
        let context = self.src(&o[1]);
        let found = self.found(Ssa::GetUtf(encoding, flags), vec![context], &o[0]);
        if let Some(to) = to {
            self.set(to, found[0]);
        }
        Some(())
    }

    fn match_string(&mut self, o: &[Operand]) -> Option<()> {
        let words = self.words(&[ops::BS_MATCH_STRING])?;
        let bits = number(words, bs_match_string::BITS.at);
        let from = o[3].unsigned()?;
        let bytes = self.module.file.strings.get(from as usize..)?;
        let bytes = bytes.get(..bits.div_ceil(8) as usize)?;
        let context = self.src(&o[1]);
        let op = if bits.is_multiple_of(8) && bits <= 64 {
            let value = bytes.iter().fold(0, |n, &b| n << 8 | u64::from(b));
            let bits = bits as u32;
            Ssa::MatchBits(vec![MatchStep::Equal { bits, value }])
        } else {
            Ssa::MatchString(bits, u32::try_from(from).ok()?)
        };
        self.found(op, vec![context], &o[0]);
        Some(())
    }
}

/// A field of an instruction.
pub(super) fn number(words: &[u64], at: At) -> u64 {
    at.of(words[at.word])
}

/// The command that two words of bytecode say; nothing if its size is no usual one.
fn decoded(how: u64, arg: u64) -> Option<Command> {
    let flags = FieldFlags::of(command::FLAGS.of(how) as u8);
    let unit = command::UNIT.of(how) as u32;
    if arg >= MAX_BITS && command::KIND.of(how) as u8 != kind::EQUAL {
        return None;
    }
    Some(Command::Step(match command::KIND.of(how) as u8 {
        kind::AT_LEAST => MatchStep::AtLeast { bits: arg, unit },
        kind::EXACTLY => MatchStep::Exactly(arg),
        kind::SKIP => MatchStep::Skip(arg),
        kind::TAIL => MatchStep::Rest,
        kind::BINARY => MatchStep::Part(arg),
        kind::EQUAL if unit == 0 || u64::from(unit) > LONGEST => return None,
        kind::EQUAL => MatchStep::Equal {
            bits: unit,
            value: arg,
        },
        _ => match integer(arg, flags) {
            Some(step) => step,
            None => return Some(Command::Integer(arg, flags)),
        },
    }))
}

/// The step that takes an integer of so many bits, unless it is a long one or its bytes are no whole ones.
fn integer(bits: u64, flags: FieldFlags) -> Option<MatchStep> {
    let usual = (1..=LONGEST).contains(&bits) && (!flags.little || bits.is_multiple_of(8));
    usual.then_some(MatchStep::Integer {
        bits: bits as u32,
        flags,
    })
}
