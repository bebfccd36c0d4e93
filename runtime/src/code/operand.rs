//! The assembler of bytecode: words, operands, constant pools, labels.

use crate::interp::ops;
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

/// Position of field `a` in an instruction's first word.
pub const A: u32 = 12;
/// Position of field `b`.
pub const B: u32 = 28;
/// Position of field `c`.
pub const C: u32 = 44;

/// Distance in words within which a constant must lie.
const POOL_REACH: usize = 12_000;

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
    labels: HashMap<u32, usize>,
}

/// Why code cannot be assembled.
#[derive(Debug)]
pub enum Refused {
    /// A jump reaches further than half a million words.
    TooFar,
    /// A label is missing.
    NoLabel(u32),
    /// Something the table of instructions does not know.
    Unsupported(String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::TooFar => f.write_str("function too large: a jump in it reaches too far"),
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

    /// Starts an instruction of `words` words; gives its offset.
    pub fn begin(&mut self, op: u16, words: usize) -> usize {
        self.flush_if_far();
        let at = self.code.len();
        self.code.resize(at + words, 0);
        self.code[at] = u64::from(op);
        at
    }

    /// Appends a word that belongs to the instruction begun last.
    pub fn word(&mut self, value: u64) -> usize {
        self.code.push(value);
        self.code.len() - 1
    }

    /// Makes the instruction at `at` another one of the same form.
    pub fn set_op(&mut self, at: usize, op: u16) {
        self.code[at] = self.code[at] & !0xfff | u64::from(op);
    }

    /// Ors a number into a word.
    pub fn set(&mut self, word: usize, shift: u32, value: u64) {
        self.code[word] |= value << shift;
    }

    /// Puts an operand into a field of a word of the instruction at `instr`.
    pub fn place(&mut self, instr: usize, word: usize, shift: u32, p: Place) {
        match p {
            Place::X(n) => self.set(word, shift, u64::from(n)),
            Place::Y(n) => self.set(word, shift, 0x8000 | u64::from(n)),
            Place::K(value) => self.pool.push(PoolUse {
                word,
                shift,
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
                self.place(instr, w, 16 * i as u32, p);
            }
        }
    }

    /// Puts the distance to a label into field `c`.
    pub fn jump(&mut self, instr: usize, label: u32) {
        self.jumps.push(Jump {
            word: instr,
            shift: C,
            bits: 20,
            instr,
            label,
        });
    }

    /// Puts the distance to a label into 32 bits of a word.
    pub fn distance(&mut self, instr: usize, word: usize, shift: u32, label: u32) {
        self.jumps.push(Jump {
            word,
            shift,
            bits: 32,
            instr,
            label,
        });
    }

    /// Names this place.
    pub fn label(&mut self, label: u32) {
        self.flush_if_far();
        self.labels.insert(label, self.code.len());
    }

    /// An instruction with up to three operands.
    pub fn op3(&mut self, op: u16, a: Place, b: Place, c: Place) {
        let at = self.begin(ops::for_operands(op, &[a, b, c]), 1);
        self.place(at, at, A, a);
        self.place(at, at, B, b);
        self.place(at, at, C, c);
    }

    /// An instruction with two operands.
    pub fn op2(&mut self, op: u16, a: Place, b: Place) {
        let at = self.begin(ops::for_operands(op, &[a, b]), 1);
        self.place(at, at, A, a);
        self.place(at, at, B, b);
    }

    /// An instruction with two numbers.
    pub fn nums(&mut self, op: u16, a: usize, b: usize) {
        let at = self.begin(op, 1);
        self.set(at, A, a as u64);
        self.set(at, B, b as u64);
    }

    /// A test of one or two operands that jumps to `fail`.
    pub fn test(&mut self, op: u16, a: Place, b: Option<Place>, fail: u32) -> usize {
        let op = match b {
            Some(b) => ops::for_operands(op, &[a, b]),
            None => ops::for_operands(op, &[a]),
        };
        let at = self.begin(op, 1);
        self.place(at, at, A, a);
        if let Some(b) = b {
            self.place(at, at, B, b);
        }
        self.jump(at, fail);
        at
    }

    fn flush_if_far(&mut self) {
        if let Some(first) = self.pool.first()
            && self.code.len() - first.instr + self.pool.len() > POOL_REACH
        {
            let at = self.code.len();
            self.code.push(u64::from(ops::JUMP));
            self.flush();
            let distance = (self.code.len() - at) as u64;
            self.set(at, C, distance);
        }
    }

    fn flush(&mut self) {
        let mut known: HashMap<u64, usize> = HashMap::new();
        for u in std::mem::take(&mut self.pool) {
            let at = *known.entry(u.value).or_insert_with(|| {
                self.code.push(u.value);
                self.code.len() - 1
            });
            self.code[u.word] |= (0xc000 | (at - u.instr) as u64) << u.shift;
        }
    }

    /// Writes the last pool and resolves the jumps.
    pub fn finish(mut self) -> Result<Box<[u64]>, Refused> {
        self.flush();
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
