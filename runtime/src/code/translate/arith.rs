//! Comparisons, arithmetic and guard BIFs.

use super::Translator;
use crate::atom::Atom;
use crate::code::export::Export;
use crate::code::forms::{add_step, binary, binary_guard, compare_word, guard_bif};
use crate::code::operand::Place;
use crate::code::ops;
use crate::term::Term;
use enigma_loader::{Op, Operand};

impl Translator<'_> {
    pub(super) fn comparison(&mut self, op: Op, o: &[Operand]) {
        let (a, b, fail) = (self.src(&o[1]), self.src(&o[2]), Self::to(&o[0]));
        let exact = matches!(op, Op::IsEqExact | Op::IsNeExact);
        let (x, k) = match (a, b) {
            (Place::K(_), _) => (b, a),
            _ => (a, b),
        };
        if let (true, Place::X(n), Place::K(word)) = (exact, x, k)
            && is_plain_immediate(word)
        {
            let op = if op == Op::IsEqExact {
                ops::IS_EQ_IMM
            } else {
                ops::IS_NE_IMM
            };
            let at = self.asm.begin(op);
            self.asm.set(at, compare_word::VALUE, n);
            self.asm.jump(at, compare_word::FAIL, fail);
            self.asm.set(at, compare_word::WORD, word);
            return;
        }
        let op = match op {
            Op::IsLt => ops::IS_LT,
            Op::IsGe => ops::IS_GE,
            Op::IsEq => ops::IS_EQ,
            Op::IsNe => ops::IS_NE,
            Op::IsEqExact => ops::IS_EQ_EXACT,
            _ => ops::IS_NE_EXACT,
        };
        self.asm.compare(op, a, b, fail);
    }

    pub(super) fn guard_bif(&mut self, op: Op, o: &[Operand]) {
        // Where the operands are: failure label, import, arguments, destination.
        let live = match op {
            Op::GcBif1 | Op::GcBif2 | Op::GcBif3 => Some(Self::num(&o[1])),
            _ => None,
        };
        let (fail, import, args) = match op {
            Op::Bif0 => (None, 0, 1..1),
            Op::Bif1 => (Self::fail(&o[0]), 1, 2..3),
            Op::Bif2 => (Self::fail(&o[0]), 1, 2..4),
            Op::Bif3 => (Self::fail(&o[0]), 1, 2..5),
            Op::GcBif1 => (Self::fail(&o[0]), 2, 3..4),
            Op::GcBif2 => (Self::fail(&o[0]), 2, 3..5),
            _ => (Self::fail(&o[0]), 2, 3..6),
        };
        let export = self.module.imports[Self::num(&o[import])];
        let dst = self.src(&o[args.end]);
        let args = self.srcs(&o[args]);
        if export.module == Atom::ERLANG
            && let [a, b] = args[..]
            && let Some(op) = arithmetic(export.function)
        {
            return self.arithmetic(op, a, b, dst, fail);
        }
        if export.module == Atom::ERLANG
            && export.function == Atom::PLUS
            && let [a] = args[..]
        {
            return self.arithmetic(ops::ADD, a, Place::K(Term::small(0).raw()), dst, fail);
        }
        let at = self.asm.begin(instruction_for(export));
        self.asm.set(at, guard_bif::COUNT, args.len());
        self.asm.place(at, guard_bif::TO, dst);
        self.jump_if(at, guard_bif::FAIL, fail);
        self.asm.set(at, guard_bif::EXPORT, export);
        let fields = [guard_bif::FIRST, guard_bif::SECOND, guard_bif::THIRD];
        for (field, &p) in fields.into_iter().zip(&args) {
            self.asm.place(at, field, p);
        }
        if let Some(live) = live {
            self.asm.set(at, guard_bif::LIVE, live + 1);
        }
    }

    fn arithmetic(&mut self, op: u16, a: Place, b: Place, dst: Place, fail: Option<u32>) {
        if let Some(fail) = fail {
            let at = self.asm.begin(ops::guard_for(op));
            self.asm.place(at, binary_guard::LEFT, a);
            self.asm.place(at, binary_guard::RIGHT, b);
            self.asm.jump(at, binary_guard::FAIL, fail);
            self.asm.place(at, binary_guard::TO, dst);
            return;
        }
        if let Some((x, n, d)) = small_step(op, a, b, dst) {
            let at = self.asm.begin(ops::ADD_XI);
            let written = match a {
                _ if op == ops::SUB => ops::WRITTEN_MINUS,
                Place::X(_) => ops::WRITTEN_PLUS,
                _ => ops::WRITTEN_REVERSED,
            };
            self.asm.set(at, add_step::FROM, x);
            self.asm.set(at, add_step::STEP, n);
            self.asm.set(at, add_step::TO, d);
            self.asm.set(at, add_step::WRITTEN, written);
            return;
        }
        let at = self.asm.begin(ops::for_operands(op, &[a, b, dst]));
        self.asm.place(at, binary::LEFT, a);
        self.asm.place(at, binary::RIGHT, b);
        self.asm.place(at, binary::TO, dst);
    }
}

/// `X + n` or `X - n` with a small constant, both registers X.
fn small_step(op: u16, a: Place, b: Place, dst: Place) -> Option<(u16, i16, u16)> {
    let (x, k, negate) = match (op, a, b) {
        (ops::ADD, Place::X(x), Place::K(k)) | (ops::ADD, Place::K(k), Place::X(x)) => {
            (x, k, false)
        }
        (ops::SUB, Place::X(x), Place::K(k)) => (x, k, true),
        _ => return None,
    };
    // SAFETY: constants of operands are terms.
    let n = unsafe { Term::from_raw(k) }.as_small()?;
    let n = i16::try_from(if negate { -n } else { n }).ok()?;
    Some((x, n, dst.x()?))
}

/// An immediate for which `=:=` is equality of words.
pub(super) fn is_plain_immediate(word: u64) -> bool {
    // SAFETY: constants of operands are terms.
    let t = unsafe { Term::from_raw(word) };
    t.is_immediate() && !t.is_flonum()
}

/// The instruction for a guard BIF.
fn instruction_for(e: &Export) -> u16 {
    if e.module != Atom::ERLANG {
        return ops::GUARD_BIF;
    }
    match (e.function.text(), e.arity) {
        ("element", 2) => ops::GUARD_ELEMENT,
        ("hd", 1) => ops::GUARD_HD,
        ("tl", 1) => ops::GUARD_TL,
        ("tuple_size", 1) => ops::GUARD_TUPLE_SIZE,
        ("self", 0) => ops::GUARD_SELF,
        _ => ops::GUARD_BIF,
    }
}

fn arithmetic(name: Atom) -> Option<u16> {
    Some(match name {
        Atom::PLUS => ops::ADD,
        Atom::MINUS => ops::SUB,
        Atom::TIMES => ops::MUL,
        Atom::DIV => ops::INT_DIV,
        Atom::REM => ops::INT_REM,
        Atom::BAND => ops::BAND,
        Atom::BOR => ops::BOR,
        Atom::BXOR => ops::BXOR,
        Atom::BSL => ops::BSL,
        Atom::BSR => ops::BSR,
        _ => return None,
    })
}

pub(super) fn type_test(op: Op) -> u16 {
    match op {
        Op::IsInteger => ops::IS_INTEGER,
        Op::IsFloat => ops::IS_FLOAT,
        Op::IsNumber => ops::IS_NUMBER,
        Op::IsAtom => ops::IS_ATOM,
        Op::IsPid => ops::IS_PID,
        Op::IsReference => ops::IS_REFERENCE,
        Op::IsPort => ops::IS_PORT,
        Op::IsNil => ops::IS_NIL,
        Op::IsBinary => ops::IS_BINARY,
        Op::IsBitstr => ops::IS_BITSTR,
        Op::IsList => ops::IS_LIST,
        Op::IsNonemptyList => ops::IS_NONEMPTY_LIST,
        Op::IsTuple => ops::IS_TUPLE,
        Op::IsFunction => ops::IS_FUNCTION,
        Op::IsBoolean => ops::IS_BOOLEAN,
        Op::IsAnyNativeRecord => ops::IS_RECORD,
        _ => ops::IS_MAP,
    }
}
