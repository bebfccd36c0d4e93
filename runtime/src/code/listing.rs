//! Bytecode as text, a line an instruction.
//!
//! ```text
//!     0  FUNC_INFO function=m:f/1
//!     2  ENTER arity=1
//!     3  IS_EQ_IMM value=x0 fail=@7 word=0
//! ```
//!
//! At the left is the offset in words. Registers are written x, y and f with their number, places to jump to as `@` and
//! their offset, constants as terms. Words of pools follow where they lie.

use super::bit_words::{SIZE_ALL, SIZE_PLACE, command, kind, segment};
use super::fields::{At, Distances, FieldInfo, Form, List, Sort, Tail, update};
use super::fun::FunEntry;
use super::module::{FnInfo, Module};
use super::operand::{NOT_X, NUMBER, WIDE_PLACE, is_constant};
use super::ops;
use crate::code::continuation::Continuation;
use crate::code::export::Export;
use crate::term::Term;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The listing of a function that has been translated, or nothing if it has not.
pub fn function(f: &FnInfo) -> Option<String> {
    let body = f.body()?;
    let mut l = Listing {
        code: &body.code,
        module: f.module(),
        constants: BTreeSet::new(),
        out: String::new(),
    };
    let _ = writeln!(l.out, "{f:?}, entry @{}", body.entry);
    let mut at = 0;
    while at < l.code.len() {
        at += if l.constants.contains(&at) {
            l.constant(at)
        } else {
            l.instruction(at)
        };
    }
    Some(l.out)
}

struct Listing<'a> {
    code: &'a [u64],
    module: &'a Module,
    /// Offsets of the words of pools that instructions have named.
    constants: BTreeSet<usize>,
    out: String,
}

impl Listing<'_> {
    /// Writes a word of a pool; gives the number of words.
    fn constant(&mut self, at: usize) -> usize {
        let text = term(self.code[at]);
        let _ = writeln!(self.out, "{at:5}  .constant {text}");
        1
    }

    /// Writes an instruction; gives its number of words.
    fn instruction(&mut self, at: usize) -> usize {
        let op = ops::of(self.code[at]) as usize;
        let form = ops::FORMS[op];
        let _ = write!(self.out, "{at:5}  {}", ops::NAMES[op]);
        for field in form.fields {
            self.field(at, field);
        }
        self.tail(at, form);
        self.out.push('\n');
        form.length(&self.code[at..])
    }

    fn bits(&self, at: usize, place: At) -> u64 {
        place.of(self.code[at + place.word])
    }

    fn field(&mut self, at: usize, field: &FieldInfo) {
        let bits = self.bits(at, field.at);
        let value = match field.sort {
            Sort::Number => bits.to_string(),
            Sort::Signed => field
                .at
                .signed_of(self.code[at + field.at.word])
                .to_string(),
            Sort::Operand => self.operand(at, bits),
            Sort::Target => destination(bits),
            Sort::X => format!("x{bits}"),
            Sort::Y => format!("y{bits}"),
            Sort::Float => format!("f{bits}"),
            Sort::Jump => match field.at.signed_of(self.code[at + field.at.word]) {
                0 => "none".to_string(),
                distance => target(at, distance),
            },
            Sort::Constant if bits == 0 && field.name == "TAG" => "any".to_string(),
            Sort::Constant => term(bits),
            // SAFETY: the translator puts the address of such a record into a field of this sort; none is ever
            // freed while the module can be listed.
            Sort::Function => format!("{:?}", unsafe { &*(bits as *const FnInfo) }),
            // SAFETY: as above; the continuations of a function stay as long as its bytecode.
            Sort::Continuation => format!("{:?}", unsafe { &*(bits as *const Continuation) }),
            // SAFETY: as above.
            Sort::Export => unsafe { &*(bits as *const Export) }.to_string(),
            // SAFETY: as above.
            Sort::Fun => fun(unsafe { &*(bits as *const FunEntry) }),
            // SAFETY: as above.
            Sort::Module => unsafe { &*(bits as *const Module) }.name.to_string(),
            Sort::Bytes => self.bytes(bits),
        };
        let name = field.name.to_ascii_lowercase();
        let _ = write!(self.out, " {name}={value}");
    }

    /// An operand, whose constant is noted.
    fn operand(&mut self, at: usize, bits: u64) -> String {
        if !is_constant(bits) {
            return destination(bits);
        }
        let place = at + (bits & NUMBER) as usize;
        self.constants.insert(place);
        term(self.code[place])
    }

    /// The offset of constant bytes in the module's table of strings.
    fn bytes(&self, address: u64) -> String {
        let table = self.module.file.strings.as_ptr() as u64;
        format!("string+{}", address.wrapping_sub(table))
    }

    fn tail(&mut self, at: usize, form: &Form) {
        let Some(count) = form.count else { return };
        let n = self.bits(at, count) as usize;
        let from = at + form.words;
        let mut parts = Vec::new();
        for i in 0..n {
            let part = match form.tail {
                Tail::None => break,
                Tail::Operands => {
                    let bits = self.bits(at, List { from: form.words }.at(i));
                    self.operand(at, bits)
                }
                Tail::WideOperands => match self.code[from + i] {
                    place if place & 0b111 == WIDE_PLACE => self.operand(at, place >> 3),
                    word => term(word),
                },
                Tail::Updates => {
                    let pair = self.code[from + i];
                    let value = self.operand(at, update::VALUE.of(pair));
                    format!("{}: {value}", update::INDEX.of(pair))
                }
                Tail::Keys => {
                    let to = self.distance(at, from + n, i);
                    format!("{}: {to}", term(self.code[from + i]))
                }
                Tail::Sizes => {
                    let to = self.distance(at, from + n, i);
                    format!("{}: {to}", self.code[from + i])
                }
                Tail::Distances => self.distance(at, from, i),
                Tail::Commands => self.command(from + 2 * i),
                Tail::Segments => self.segment(at, from + 2 * i),
            };
            parts.push(part);
        }
        let _ = write!(self.out, " [{}]", parts.join(", "));
    }

    /// Where distance `i` of those from `table` on leads, for the instruction at `at`.
    fn distance(&self, at: usize, table: usize, i: usize) -> String {
        let place = Distances { from: table }.at(i);
        target(at, place.signed_of(self.code[place.word]))
    }

    fn command(&self, word: usize) -> String {
        let (how, arg) = (self.code[word], self.code[word + 1]);
        let (what, unit) = (command::KIND.of(how) as u8, command::UNIT.of(how));
        let flags = command::FLAGS.of(how);
        let to = destination(command::TO.of(how));
        match what {
            kind::AT_LEAST => format!("at_least {arg} unit {unit}"),
            kind::EXACTLY => format!("exactly {arg}"),
            kind::SKIP => format!("skip {arg}"),
            kind::TAIL => format!("tail to {to}"),
            kind::EQUAL => format!("equal {arg} bits {unit}"),
            _ => format!("{} {arg} flags {flags} to {to}", kind_name(what)),
        }
    }

    fn segment(&mut self, at: usize, word: usize) -> String {
        let (how, arg) = (self.code[word], self.code[word + 1]);
        let what = segment::KIND.of(how) as u8;
        if what == kind::STRING {
            return format!("string {} at {}", segment::LENGTH.of(how), self.bytes(arg));
        }
        let (unit, flags) = (segment::UNIT.of(how), segment::FLAGS.of(how));
        let value = self.operand(at, segment::VALUE.of(how));
        let size = match arg {
            SIZE_ALL => "all".to_string(),
            SIZE_PLACE => self.operand(at, segment::SIZE.of(how)),
            n => n.to_string(),
        };
        format!(
            "{} {value} size {size} unit {unit} flags {flags}",
            kind_name(what)
        )
    }
}

/// A place that is written; no constant is.
fn destination(bits: u64) -> String {
    if bits & NOT_X == 0 {
        format!("x{bits}")
    } else if is_constant(bits) {
        "nowhere".to_string()
    } else {
        format!("y{}", bits & NUMBER)
    }
}

fn target(at: usize, distance: i64) -> String {
    format!("@{}", at.wrapping_add_signed(distance as isize))
}

fn term(word: u64) -> String {
    // SAFETY: constants of code are terms that live as long as their module.
    unsafe { Term::from_raw(word) }.to_string()
}

fn fun(entry: &FunEntry) -> String {
    format!("{}:{}/{}", entry.module, entry.index, entry.arity)
}

fn kind_name(what: u8) -> &'static str {
    match what {
        kind::INTEGER => "integer",
        kind::FLOAT => "float",
        kind::BINARY => "binary",
        kind::SKIP => "skip",
        kind::UTF8 => "utf8",
        kind::UTF16 => "utf16",
        kind::UTF32 => "utf32",
        kind::APPEND => "append",
        kind::PRIVATE_APPEND => "private_append",
        _ => "unknown",
    }
}
