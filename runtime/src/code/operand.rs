//! The assembler of bytecode: words, operands, constant pools, labels.

use super::fields::{At, Field, Jump as JumpField, List, NamesPlace, Plain};
use super::forms;
use crate::code::ops;
use std::collections::HashMap;

/// A place an instruction reads or writes, or a constant it reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// X register.
    X(u16),
    /// Y register.
    Y(u16),
    /// Constant word.
    K(u64),
}

impl Place {
    /// The number, if it is an X register.
    pub fn x(self) -> Option<u16> {
        if let Place::X(n) = self {
            Some(n)
        } else {
            None
        }
    }
}

/// A bit of operands that are no X registers.
pub const NOT_X: u64 = 0x8000;

/// Another bit of those that are constants.
pub const CONSTANT: u64 = 0x4000;

/// The number in such an operand: of the Y register, or of the words to the constant.
pub const NUMBER: u64 = 0x3fff;

/// A destination that is not kept: no such register.
pub const NOWHERE: Place = Place::X(0xffff);

/// Do the bits of an operand name a constant?
pub fn is_constant(operand: u64) -> bool {
    operand & (NOT_X | CONSTANT) == NOT_X | CONSTANT
}

/// Distance in words within which a constant must lie.
const POOL_REACH: usize = 12_000;

/// Distance in words after which the jumps behind get an island of far jumps to go through.
const JUMP_REACH: usize = 400_000;

/// Longest list of operands that is written four a word.
pub const MAX_SHORT_LIST: usize = 4096;

/// Tag of a place in a list of operands that are written one a word.
pub const WIDE_PLACE: u64 = 0b111;

/// Largest number in a field of 16 bits.
pub const MAX_FIELD: u64 = 0xffff;

struct PoolUse {
    word: usize,
    shift: u32,
    instr: usize,
    value: u64,
}

struct Jump {
    word: usize,
    shift: u32,
    bits: u32,
    instr: usize,
    label: u32,
}

/// See the module's text.
#[derive(Default)]
pub struct Assembler {
    code: Vec<u64>,
    pool: Vec<PoolUse>,
    jumps: Vec<Jump>,
    /// The first of `jumps` that no island has looked at.
    settled: usize,
    labels: HashMap<u32, usize>,
    /// Labels that the source did not have.
    own_labels: u32,
    overfull: bool,
}

/// Why code cannot be assembled.
#[derive(Debug)]
pub enum Refused {
    /// A jump reaches further than two thousand million words, or an instruction alone is too long.
    TooFar,
    /// A label is missing.
    NoLabel(u32),
    /// Something the table of instructions does not know.
    Unsupported(String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::TooFar => f.write_str("a function or an instruction in it is too large"),
            Refused::NoLabel(n) => write!(f, "label {n} is missing"),
            Refused::Unsupported(what) => write!(f, "unsupported: {what}"),
        }
    }
}

impl Assembler {
    /// Number of words so far.
    pub fn len(&self) -> usize {
        self.code.len()
    }

    /// Are there no words yet?
    pub fn is_empty(&self) -> bool {
        self.code.is_empty()
    }

    /// Starts an instruction, with its fixed words; gives its offset.
    pub fn begin(&mut self, op: u16) -> usize {
        self.flush_if_far();
        let at = self.code.len();
        self.code.resize(at + ops::FORMS[op as usize].words, 0);
        self.code[at] = u64::from(op);
        at
    }

    /// Appends a word to the instruction begun last; gives its offset.
    pub fn word(&mut self, value: u64) -> usize {
        self.code.push(value);
        self.code.len() - 1
    }

    /// Makes the instruction at `instr` another one of the same form.
    pub fn set_op(&mut self, instr: usize, op: u16) {
        self.code[instr] = self.code[instr] & !0xfff | u64::from(op);
    }

    /// Puts a value into a field of the instruction at `instr`. One that has no room there makes the whole function
    /// refused.
    pub fn set<K: Plain>(&mut self, instr: usize, field: Field<K>, value: K::Value) {
        self.bits(instr, field.at, K::bits(value));
    }

    /// Puts bits into words counted from the one at `word`.
    pub fn bits(&mut self, word: usize, at: At, value: u64) {
        self.overfull |= value > at.max();
        self.code[word + at.word] |= (value & at.max()) << at.shift;
    }

    /// A label that the source does not have.
    pub fn fresh_label(&mut self) -> u32 {
        self.own_labels += 1;
        u32::MAX - self.own_labels
    }

    /// Puts an operand into a field of the instruction at `instr`.
    pub fn place<K: NamesPlace>(&mut self, instr: usize, field: Field<K>, p: Place) {
        self.place_at(instr, instr, field.at, p);
    }

    /// Puts an operand of the instruction at `instr` into words counted from the one at `word`.
    pub fn place_at(&mut self, instr: usize, word: usize, at: At, p: Place) {
        match p {
            Place::X(n) => self.bits(word, at, u64::from(n)),
            Place::Y(n) => self.bits(word, at, NOT_X | u64::from(n)),
            Place::K(value) => self.pool.push(PoolUse {
                word: word + at.word,
                shift: at.shift,
                instr,
                value,
            }),
        }
    }

    /// Appends operands, four a word.
    pub fn places(&mut self, instr: usize, list: &[Place]) {
        for group in list.chunks(4) {
            let w = self.word(0);
            for (i, &p) in group.iter().enumerate() {
                self.place_at(instr, w, List { from: 0 }.at(i), p);
            }
        }
    }

    /// Appends operands, one a word: the constant itself, or the place with the tag of words that are no
    /// terms. For lists so long that the constants would be out of reach.
    pub fn wide_places(&mut self, list: &[Place]) {
        for p in list {
            self.code.push(match *p {
                Place::X(n) => u64::from(n) << 3 | WIDE_PLACE,
                Place::Y(n) => (NOT_X | u64::from(n)) << 3 | WIDE_PLACE,
                Place::K(word) => word,
            });
        }
    }

    /// Puts the distance to a label into a field of the instruction at `instr`.
    pub fn jump(&mut self, instr: usize, field: Field<JumpField>, label: u32) {
        self.distance(instr, instr, field.at, label);
    }

    /// Puts the distance from the instruction at `instr` to a label into words counted from the one at `word`.
    pub fn distance(&mut self, instr: usize, word: usize, at: At, label: u32) {
        self.jumps.push(Jump {
            word: word + at.word,
            shift: at.shift,
            bits: at.bits,
            instr,
            label,
        });
    }

    /// Names this place.
    pub fn label(&mut self, label: u32) {
        self.flush_if_far();
        self.labels.insert(label, self.code.len());
    }

    /// An instruction without fields.
    pub fn op0(&mut self, op: u16) {
        self.begin(op);
    }

    /// An instruction of the form `unary`.
    pub fn unary(&mut self, op: u16, from: Place, to: Place) {
        let at = self.begin(ops::for_operands(op, &[from, to]));
        self.place(at, forms::unary::FROM, from);
        self.place(at, forms::unary::TO, to);
    }

    /// A test of the form `test` that jumps to `fail`.
    pub fn test(&mut self, op: u16, value: Place, fail: u32) {
        let at = self.begin(ops::for_operands(op, &[value]));
        self.place(at, forms::test::VALUE, value);
        self.jump(at, forms::test::FAIL, fail);
    }

    /// A test of the form `test_number`.
    pub fn test_number(&mut self, op: u16, value: Place, number: usize, fail: u32) {
        let at = self.begin(ops::for_operands(op, &[value]));
        self.place(at, forms::test_number::VALUE, value);
        self.set(at, forms::test_number::NUMBER, number);
        self.jump(at, forms::test_number::FAIL, fail);
    }

    /// A test of the form `compare`.
    pub fn compare(&mut self, op: u16, left: Place, right: Place, fail: u32) {
        let at = self.begin(ops::for_operands(op, &[left, right]));
        self.place(at, forms::compare::LEFT, left);
        self.place(at, forms::compare::RIGHT, right);
        self.jump(at, forms::compare::FAIL, fail);
    }

    /// An instruction that drops slots of the frame.
    pub fn slots(&mut self, op: u16, n: usize) {
        let at = self.begin(op);
        self.set(at, forms::slots::SLOTS, n);
    }

    /// A jump.
    pub fn jump_to(&mut self, op: u16, label: u32) {
        let at = self.begin(op);
        self.jump(at, forms::jump::TO, label);
    }

    fn flush_if_far(&mut self) {
        if let Some(first) = self.pool.first()
            && self.code.len() - first.instr + self.pool.len() > POOL_REACH
        {
            self.jumped_over(Self::flush);
        }
        if let Some(first) = self.jumps.get(self.settled)
            && self.code.len() - first.instr > JUMP_REACH
        {
            self.jumped_over(|asm| {
                asm.flush();
                asm.island();
            });
        }
    }

    /// Words that `make` appends and that code does not run into.
    fn jumped_over(&mut self, make: impl FnOnce(&mut Self)) {
        let at = self.code.len();
        self.code.push(u64::from(ops::JUMP));
        make(self);
        let distance = self.code.len() - at;
        self.overfull |= distance >= 1 << 19;
        self.bits(at, forms::jump::TO.at, distance as u64);
    }

    /// Far jumps, for the short ones since the last island that do not reach their label themselves.
    fn island(&mut self) {
        let here = self.code.len();
        let mut relays: HashMap<u32, u32> = HashMap::new();
        for i in self.settled..self.jumps.len() {
            let Jump {
                bits, instr, label, ..
            } = self.jumps[i];
            let near = self
                .labels
                .get(&label)
                .is_some_and(|to| to.abs_diff(instr) < JUMP_REACH);
            if bits > 20 || near {
                continue;
            }
            let relay = *relays.entry(label).or_insert_with(|| {
                self.own_labels += 1;
                u32::MAX - self.own_labels
            });
            self.jumps[i].label = relay;
        }
        let mut relays: Vec<(u32, u32)> = relays.into_iter().collect();
        relays.sort_unstable();
        for (label, relay) in relays {
            let at = self.code.len();
            self.labels.insert(relay, at);
            self.code.extend([u64::from(ops::JUMP_FAR), 0]);
            self.distance(at, at, forms::jump_far::TO.at, label);
        }
        self.settled = self.jumps.len();
        debug_assert!(self.code.len() - here < JUMP_REACH);
    }

    fn flush(&mut self) {
        let mut known: HashMap<u64, usize> = HashMap::new();
        for u in std::mem::take(&mut self.pool) {
            let at = *known.entry(u.value).or_insert_with(|| {
                self.code.push(u.value);
                self.code.len() - 1
            });
            let distance = (at - u.instr) as u64;
            self.overfull |= distance > NUMBER;
            self.code[u.word] |= (NOT_X | CONSTANT | distance & NUMBER) << u.shift;
        }
    }

    /// Writes the last pool and resolves the jumps.
    pub fn finish(mut self) -> Result<Box<[u64]>, Refused> {
        self.flush();
        self.island();
        if self.overfull {
            return Err(Refused::TooFar);
        }
        for j in &self.jumps {
            let to = *self.labels.get(&j.label).ok_or(Refused::NoLabel(j.label))?;
            let d = to as i64 - j.instr as i64;
            let half = 1i64 << (j.bits - 1);
            if d < -half || d >= half {
                return Err(Refused::TooFar);
            }
            self.code[j.word] |= (d as u64 & ((1 << j.bits) - 1)) << j.shift;
        }
        Ok(self.code.into_boxed_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows the jump at `at` to what is no jump.
    fn target(code: &[u64], mut at: usize) -> usize {
        loop {
            let field = match ops::of(code[at]) {
                ops::JUMP => forms::jump::TO.at,
                ops::JUMP_FAR => forms::jump_far::TO.at,
                _ => return at,
            };
            at = at.wrapping_add_signed(field.signed_of(code[at + field.word]) as isize);
        }
    }

    #[test]
    fn jumps_reach_everywhere() {
        let mut asm = Assembler::default();
        asm.label(1);
        asm.slots(ops::TRIM, 1);
        let mut jumps = Vec::new();
        for i in 0..1_500_000 {
            if i % 100_000 == 0 {
                for label in [1, 2] {
                    jumps.push((asm.len(), label));
                    asm.jump_to(ops::JUMP, label);
                }
            }
            asm.op0(ops::SEND);
        }
        asm.label(2);
        let end = asm.len();
        asm.slots(ops::TRIM, 2);
        let code = asm.finish().expect("all labels are there");
        for (at, label) in jumps {
            assert_eq!(target(&code, at), if label == 1 { 0 } else { end });
        }
    }
}
