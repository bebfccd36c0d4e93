//! Translation of the bit syntax, old and new, and of native records.

use super::bit_words::{self, LITTLE, SIGNED, SIZE_ALL, SIZE_PLACE, kind, old_kind};
use super::operand::{A, B, C, MAX_FIELD, Place, Refused};
use super::records::op as record_op;
use super::translate::Translator;
use crate::atom::Atom;
use crate::code::ops;
use crate::term::{Term, list};
use enigma_loader::{Instr, MatchCommand, Op, Operand};

/// Destination of `BS_GET_UTF` that is not kept.
const NOWHERE: u64 = 0xffff;

impl Translator<'_> {
    pub(super) fn bits_or_records(&mut self, i: &Instr, o: &[Operand]) -> Result<(), Refused> {
        match i.op {
            Op::BsStartMatch3 => {
                let (s, d) = (self.src(&o[1]), self.src(&o[3]));
                self.asm
                    .test(ops::BS_START, s, Some(d), o[0].label().unwrap_or(0));
            }
            Op::BsStartMatch4 => {
                let (s, d) = (self.src(&o[2]), self.src(&o[3]));
                match &o[0] {
                    Operand::Label(l) => {
                        self.asm.test(ops::BS_START, s, Some(d), *l);
                    }
                    _ => self.asm.op2(ops::BS_START, s, d),
                }
            }
            Op::IsAnyNativeRecord => {
                self.record_op(record_op::IS_ANY, &o[1..2], None, o[0].label())
            }
            Op::IsNativeRecord => self.record_op(record_op::IS_NAMED, &o[1..4], None, o[0].label()),
            Op::IsRecordAccessible => {
                self.record_op(record_op::IS_ACCESSIBLE, &o[1..3], None, o[0].label())
            }
            Op::GetRecordElements => {
                let list = [&o[1..2], self.list(&o[2])].concat();
                self.record_op(record_op::ELEMENTS, &list, None, o[0].label());
            }
            Op::PutRecord => {
                let list = [&o[1..3], self.list(&o[5])].concat();
                self.record_op(record_op::PUT, &list, Some(&o[3]), Self::fail(&o[0]));
            }
            Op::GetRecordField => {
                self.record_op(record_op::FIELD, &o[1..4], Some(&o[4]), Self::fail(&o[0]));
            }
            Op::BsGetTail => self.two(ops::BS_GET_TAIL, &o[0], &o[1]),
            Op::BsGetPosition => self.two(ops::BS_GET_POSITION, &o[0], &o[1]),
            Op::BsSetPosition => self.two(ops::BS_SET_POSITION, &o[0], &o[1]),
            Op::BsTestTail2 => self.with_number(ops::BS_TEST_TAIL, o),
            Op::BsTestUnit => self.with_number(ops::BS_TEST_UNIT, o),
            Op::BsGetInteger2 | Op::BsGetFloat2 | Op::BsGetBinary2 => {
                let k = match i.op {
                    Op::BsGetInteger2 => kind::INTEGER,
                    Op::BsGetFloat2 => kind::FLOAT,
                    _ => kind::BINARY,
                };
                let d = self.src(&o[6]);
                self.get(k, &o[0], &o[1], &o[3], &o[4], &o[5], Some(d));
            }
            Op::BsSkipBits2 => self.get(kind::SKIP, &o[0], &o[1], &o[2], &o[3], &o[4], None),
            Op::BsGetUtf8 | Op::BsGetUtf16 | Op::BsGetUtf32 => {
                let d = self.src(&o[4]);
                self.get_utf(i.op, o, Some(d));
            }
            Op::BsSkipUtf8 | Op::BsSkipUtf16 | Op::BsSkipUtf32 => self.get_utf(i.op, o, None),
            Op::BsMatchString => {
                let s = self.src(&o[1]);
                let at = self.asm.begin(ops::BS_MATCH_STRING, 3);
                self.asm.place(at, at, A, s);
                self.jump_if(at, o[0].label());
                self.asm.set(at + 1, 0, o[2].unsigned().unwrap_or(0));
                let address = self.string(&o[3]);
                self.asm.set(at + 2, 0, address);
            }
            Op::BsMatch => self.bs_match(o)?,
            Op::BsCreateBin => self.create(o),
            Op::BsInitWritable => self.asm.nums(ops::BS_INIT_WRITABLE, 0, 0),
            Op::BsAdd => {
                let (a, b, d) = (self.src(&o[1]), self.src(&o[2]), self.src(&o[4]));
                let at = self.asm.begin(ops::BS_ADD, 2);
                self.asm.place(at, at, A, a);
                self.asm.place(at, at, B, b);
                self.jump_if(at, Self::fail(&o[0]));
                self.asm.set(at + 1, 0, o[3].unsigned().unwrap_or(1));
                self.asm.place(at, at + 1, 16, d);
            }
            Op::BsUtf8Size | Op::BsUtf16Size => {
                let (s, d) = (self.src(&o[1]), self.src(&o[2]));
                let at = self.asm.begin(ops::BS_UTF_SIZE, 1);
                self.asm.place(at, at, A, s);
                self.asm.place(at, at, B, d);
                self.asm.set(at, C, u64::from(i.op == Op::BsUtf16Size));
            }
            _ => return self.old_construction(i, o),
        }
        Ok(())
    }

    fn with_number(&mut self, op: u16, o: &[Operand]) {
        let n = o[2].unsigned().unwrap_or(0);
        let s = self.src(&o[1]);
        if n > MAX_FIELD {
            let at = self.asm.begin(ops::BS_TEST_LONG, 2);
            self.asm.place(at, at, A, s);
            self.asm.set(at, B, u64::from(op == ops::BS_TEST_UNIT));
            self.asm.jump(at, o[0].label().unwrap_or(0));
            self.asm.set(at + 1, 0, n);
            return;
        }
        let at = self.asm.test(op, s, None, o[0].label().unwrap_or(0));
        self.asm.set(at, B, n);
    }

    /// Address of constant bytes in the module's string table.
    fn string(&self, o: &Operand) -> u64 {
        let offset = o.unsigned().unwrap_or(0) as usize;
        self.module.file.strings.as_ptr().wrapping_add(offset) as u64
    }

    /// Flags of a segment: a number, or a list of atoms.
    fn flags(&self, o: &Operand) -> u8 {
        if let Some(n) = o.unsigned() {
            let little = n & 2 != 0 || n & 16 != 0;
            return if little { LITTLE } else { 0 } | if n & 4 != 0 { SIGNED } else { 0 };
        }
        let Some(flags) = self.constant(o) else {
            return 0;
        };
        list::iter(flags).fold(0, |f, t| match t.as_atom().map(Atom::text) {
            Some("little" | "native") => f | LITTLE,
            Some("signed") => f | SIGNED,
            _ => f,
        })
    }

    #[allow(clippy::too_many_arguments, reason = "the operands of the instruction")]
    fn get(
        &mut self,
        k: u8,
        fail: &Operand,
        ctx: &Operand,
        size: &Operand,
        unit: &Operand,
        flags: &Operand,
        d: Option<Place>,
    ) {
        let (s, n, flags) = (self.src(ctx), self.src(size), self.flags(flags));
        let at = self.asm.begin(ops::BS_GET, 2);
        self.asm.place(at, at, A, s);
        self.asm.place(at, at, B, n);
        self.jump_if(at, fail.label());
        if let Some(d) = d {
            self.asm.place(at, at + 1, 0, d);
        }
        self.asm.set(at + 1, 16, unit.unsigned().unwrap_or(1));
        self.asm.set(at + 1, 32, u64::from(flags));
        self.asm.set(at + 1, 48, u64::from(k));
    }

    fn get_utf(&mut self, op: Op, o: &[Operand], d: Option<Place>) {
        let k = match op {
            Op::BsGetUtf8 | Op::BsSkipUtf8 => kind::UTF8,
            Op::BsGetUtf16 | Op::BsSkipUtf16 => kind::UTF16,
            _ => kind::UTF32,
        };
        let (s, flags) = (self.src(&o[1]), self.flags(&o[3]));
        let at = self.asm.begin(ops::BS_GET_UTF, 2);
        self.asm.place(at, at, A, s);
        match d {
            Some(d) => self.asm.place(at, at, B, d),
            None => self.asm.set(at, B, NOWHERE),
        }
        self.jump_if(at, o[0].label());
        self.asm.set(at + 1, 0, u64::from(k));
        self.asm.set(at + 1, 16, u64::from(flags));
    }

    fn bs_match(&mut self, o: &[Operand]) -> Result<(), Refused> {
        let list = self.list(&o[2]).to_vec();
        let file = &self.module.file;
        let mut commands = Vec::new();
        for c in file.commands(&list) {
            commands.push(c.ok_or_else(|| Refused::Unsupported("malformed bs_match".into()))?);
        }
        let s = self.src(&o[1]);
        let mut short = true;
        let at = self.asm.begin(ops::BS_MATCH, 1);
        self.asm.place(at, at, A, s);
        self.asm.set_checked(at, B, commands.len() as u64);
        self.jump_if(at, o[0].label());
        for (command, args) in commands {
            let n = |i: usize| args[i].unsigned().unwrap_or(0);
            let (k, flags, unit, dst, word) = match command {
                MatchCommand::EnsureAtLeast => (kind::AT_LEAST, 0, n(1), None, n(0)),
                MatchCommand::EnsureExactly => (kind::EXACTLY, 0, 0, None, n(0)),
                MatchCommand::Skip => (kind::SKIP, 0, 0, None, n(0)),
                MatchCommand::GetTail => (kind::TAIL, 0, 0, Some(self.src(&args[2])), 0),
                MatchCommand::Integer | MatchCommand::Binary => {
                    let k = if command == MatchCommand::Integer {
                        kind::INTEGER
                    } else {
                        kind::BINARY
                    };
                    (
                        k,
                        self.flags(&args[1]),
                        0,
                        Some(self.src(&args[4])),
                        n(2).saturating_mul(n(3)),
                    )
                }
                MatchCommand::Equal => (
                    kind::EQUAL,
                    0,
                    n(1),
                    None,
                    self.unsigned_value(&args[2], n(1)),
                ),
            };
            short &= bit_words::is_short_command(k, flags, unit, word);
            let w = self.asm.word(u64::from(k));
            self.asm.set(w, 8, u64::from(flags));
            self.asm.set(w, 32, unit);
            if let Some(d) = dst {
                self.asm.place(at, w, 16, d);
            }
            self.asm.word(word);
        }
        if short {
            self.asm.set_op(at, ops::BS_MATCH_SHORT);
        }
        Ok(())
    }

    /// The low `bits` bits of an integer constant.
    fn unsigned_value(&self, o: &Operand, bits: u64) -> u64 {
        let v = match self.constant(o) {
            Some(t) => t.as_small().map_or_else(
                || crate::data::bignum::to_i128(t).map_or(0, |n| n as u64),
                |n| n as u64,
            ),
            None => 0,
        };
        if bits >= 64 { v } else { v & ((1 << bits) - 1) }
    }

    fn create(&mut self, o: &[Operand]) {
        let list = self.list(&o[5]).to_vec();
        let d = self.src(&o[4]);
        let mut short = list.len() / 6 <= bit_words::MAX_SEGMENTS;
        let at = self.asm.begin(ops::BS_CREATE, 1);
        let number = |(i, s): (usize, &[Operand])| {
            s[1].unsigned().filter(|&n| n > 0).unwrap_or(i as u64 + 1) as u32
        };
        let numbers: Box<[u32]> = list.chunks_exact(6).enumerate().map(number).collect();
        if (1..).zip(&numbers).any(|(i, &n)| i != n) {
            self.segments.push((at as u32, numbers));
        }
        self.asm.set_checked(at, A, list.len() as u64 / 6);
        self.asm.place(at, at, B, d);
        self.jump_if(at, Self::fail(&o[0]));
        for (i, s) in list.chunks_exact(6).enumerate() {
            let name = s[0].atom().map_or("", |a| self.module.file.atom(a));
            let k = match name {
                "integer" => kind::INTEGER,
                "float" => kind::FLOAT,
                "binary" => kind::BINARY,
                "append" => kind::APPEND,
                "private_append" => kind::PRIVATE_APPEND,
                "utf8" => kind::UTF8,
                "utf16" => kind::UTF16,
                "utf32" => kind::UTF32,
                _ => kind::STRING,
            };
            let w = self.asm.word(u64::from(k));
            if k == kind::STRING {
                let len = self.constant(&s[5]).and_then(Term::as_small).unwrap_or(0);
                self.asm.set(w, 16, len as u64);
                let address = self.string(&s[4]);
                self.asm.word(address);
                continue;
            }
            let (value, flags) = (self.src(&s[4]), self.flags(&s[3]));
            self.asm.set(w, 8, u64::from(flags));
            self.asm.place(at, w, 16, value);
            self.asm.set(w, 48, s[2].unsigned().unwrap_or(1));
            let size = match self.constant(&s[5]) {
                Some(t) if t.as_atom().is_some() => SIZE_ALL,
                Some(t) => match t.as_usize() {
                    Some(n) => n as u64,
                    None => SIZE_PLACE,
                },
                None => SIZE_PLACE,
            };
            let unit = s[2].unsigned().unwrap_or(1);
            short &= bit_words::is_short_segment(i == 0, k, unit, size);
            if size == SIZE_PLACE {
                let p = self.src(&s[5]);
                self.asm.place(at, w, 32, p);
            }
            self.asm.word(size);
        }
        if short {
            self.asm.set_op(at, ops::BS_CREATE_SHORT);
        }
    }

    /// The instructions that compilers before OTP 25 built bitstrings with.
    fn old_construction(&mut self, i: &Instr, o: &[Operand]) -> Result<(), Refused> {
        let nil = Place::K(Term::NIL.raw());
        match i.op {
            Op::BsInit2 | Op::BsInitBits => {
                let (k, unit) = if i.op == Op::BsInit2 {
                    (old_kind::INIT_BYTES, 8)
                } else {
                    (old_kind::INIT_BITS, 1)
                };
                let (n, d) = (self.src(&o[1]), self.src(&o[5]));
                self.old(k, Self::fail(&o[0]), Some(d), n, nil, unit, 0);
            }
            Op::BsAppend => {
                let (n, s, d) = (self.src(&o[1]), self.src(&o[5]), self.src(&o[7]));
                self.old(old_kind::APPEND, Self::fail(&o[0]), Some(d), n, s, 1, 0);
            }
            Op::BsPrivateAppend => {
                let (n, s, d) = (self.src(&o[1]), self.src(&o[3]), self.src(&o[5]));
                self.old(old_kind::APPEND, Self::fail(&o[0]), Some(d), n, s, 1, 0);
            }
            Op::BsPutInteger | Op::BsPutFloat | Op::BsPutBinary => {
                let k = match i.op {
                    Op::BsPutInteger => kind::INTEGER,
                    Op::BsPutFloat => kind::FLOAT,
                    _ => kind::BINARY,
                };
                let (n, v, flags) = (self.src(&o[1]), self.src(&o[4]), self.flags(&o[3]));
                let unit = o[2].unsigned().unwrap_or(1);
                let how = u64::from(k) | u64::from(flags) << 8;
                self.old(old_kind::PUT, Self::fail(&o[0]), None, v, n, unit, how);
            }
            Op::BsPutUtf8 | Op::BsPutUtf16 | Op::BsPutUtf32 => {
                let k = match i.op {
                    Op::BsPutUtf8 => kind::UTF8,
                    Op::BsPutUtf16 => kind::UTF16,
                    _ => kind::UTF32,
                };
                let (v, flags) = (self.src(&o[2]), self.flags(&o[1]));
                let how = u64::from(k) | u64::from(flags) << 8;
                self.old(old_kind::PUT, Self::fail(&o[0]), None, v, nil, 1, how);
            }
            Op::BsPutString => {
                let (mut address, mut left) = (self.string(&o[1]), o[0].unsigned().unwrap_or(0));
                while left > 0 {
                    let n = left.min(0x7fff);
                    self.old(old_kind::PUT_STRING, None, None, nil, nil, n, address);
                    (address, left) = (address + n, left - n);
                }
            }
            op => return Err(Refused::Unsupported(format!("instruction {op}"))),
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of the instruction")]
    fn old(
        &mut self,
        k: u16,
        fail: Option<u32>,
        d: Option<Place>,
        p: Place,
        q: Place,
        unit: u64,
        word: u64,
    ) {
        let at = self.asm.begin(ops::BS_OLD, 3);
        if let Some(d) = d {
            self.asm.place(at, at, A, d);
        }
        self.asm.set(at, B, u64::from(k));
        self.jump_if(at, fail);
        self.asm.place(at, at + 1, 0, p);
        self.asm.place(at, at + 1, 16, q);
        self.asm.set(at + 1, 32, unit);
        self.asm.set(at + 2, 0, word);
    }

    /// An operation on native records: which one, its operands, and where the result goes.
    fn record_op(
        &mut self,
        op: u64,
        operands: &[Operand],
        to: Option<&Operand>,
        fail: Option<u32>,
    ) {
        let places = self.srcs(operands);
        let at = self.asm.begin(ops::RECORD_OP, 2);
        self.asm.set(at, A, op);
        self.asm.set_checked(at, B, places.len() as u64);
        self.jump_if(at, fail);
        if let Some(d) = to {
            let d = self.src(d);
            self.asm.place(at, at + 1, 0, d);
        }
        self.asm
            .set(at + 1, 16, std::ptr::from_ref(self.module) as u64);
        self.asm.places(at, &places);
    }
}
