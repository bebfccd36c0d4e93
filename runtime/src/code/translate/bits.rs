//! The bit syntax, old and new.

use super::Translator;
use crate::atom::Atom;
use crate::code::bit_words::{
    self, LITTLE, SIGNED, SIZE_ALL, SIZE_PLACE, command, kind, old_kind, segment,
};
use crate::code::forms::{
    bs_add, bs_create, bs_get, bs_get_utf, bs_match, bs_match_string, bs_old, bs_put_string,
    bs_set_position, bs_start, bs_test_long, bs_utf_size,
};
use crate::code::operand::{MAX_FIELD, NOWHERE, Place, Refused};
use crate::code::ops;
use crate::term::{Term, list};
use enigma_loader::{Instr, MatchCommand, Op, Operand};

impl Translator<'_> {
    pub(super) fn bits(&mut self, i: &Instr, o: &[Operand]) -> Result<(), Refused> {
        match i.op {
            Op::BsStartMatch3 => {
                let (s, d) = (self.src(&o[1]), self.src(&o[3]));
                self.bs_start(s, d, o[0].label());
            }
            Op::BsStartMatch4 => {
                let (s, d) = (self.src(&o[2]), self.src(&o[3]));
                self.bs_start(s, d, o[0].label());
            }
            Op::BsGetTail => self.unary(ops::BS_GET_TAIL, &o[0], &o[1]),
            Op::BsGetPosition => self.unary(ops::BS_GET_POSITION, &o[0], &o[1]),
            Op::BsSetPosition => {
                let (context, position) = (self.src(&o[0]), self.src(&o[1]));
                let at = self.asm.begin(ops::BS_SET_POSITION);
                self.asm.place(at, bs_set_position::CONTEXT, context);
                self.asm.place(at, bs_set_position::POSITION, position);
            }
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
                let at = self.asm.begin(ops::BS_MATCH_STRING);
                self.asm.place(at, bs_match_string::CONTEXT, s);
                self.jump_if(at, bs_match_string::FAIL, o[0].label());
                self.asm.set(at, bs_match_string::BITS, Self::num(&o[2]));
                let address = self.string(&o[3]);
                self.asm.set(at, bs_match_string::BYTES, address);
            }
            Op::BsMatch => self.bs_match(o)?,
            Op::BsCreateBin => self.create(o),
            Op::BsInitWritable => self.asm.op0(ops::BS_INIT_WRITABLE),
            Op::BsAdd => {
                let (a, b, d) = (self.src(&o[1]), self.src(&o[2]), self.src(&o[4]));
                let at = self.asm.begin(ops::BS_ADD);
                self.asm.place(at, bs_add::LEFT, a);
                self.asm.place(at, bs_add::RIGHT, b);
                self.jump_if(at, bs_add::FAIL, Self::fail(&o[0]));
                self.asm.set(at, bs_add::UNIT, unit_of(&o[3]));
                self.asm.place(at, bs_add::TO, d);
            }
            Op::BsUtf8Size | Op::BsUtf16Size => {
                let (s, d) = (self.src(&o[1]), self.src(&o[2]));
                let at = self.asm.begin(ops::BS_UTF_SIZE);
                self.asm.place(at, bs_utf_size::FROM, s);
                self.asm.place(at, bs_utf_size::TO, d);
                let wide = usize::from(i.op == Op::BsUtf16Size);
                self.asm.set(at, bs_utf_size::WIDE, wide);
            }
            _ => return self.old_construction(i, o),
        }
        Ok(())
    }

    fn bs_start(&mut self, from: Place, to: Place, fail: Option<u32>) {
        let at = self.asm.begin(ops::BS_START);
        self.asm.place(at, bs_start::FROM, from);
        self.asm.place(at, bs_start::TO, to);
        self.jump_if(at, bs_start::FAIL, fail);
    }

    /// A test of how many bits are left.
    fn with_number(&mut self, op: u16, o: &[Operand]) {
        let (s, n, fail) = (self.src(&o[1]), Self::num(&o[2]), Self::to(&o[0]));
        if n as u64 <= MAX_FIELD {
            return self.asm.test_number(op, s, n, fail);
        }
        let at = self.asm.begin(ops::BS_TEST_LONG);
        self.asm.place(at, bs_test_long::CONTEXT, s);
        let multiple = usize::from(op == ops::BS_TEST_UNIT);
        self.asm.set(at, bs_test_long::MULTIPLE, multiple);
        self.asm.jump(at, bs_test_long::FAIL, fail);
        self.asm.set(at, bs_test_long::BITS, n);
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
        let at = self.asm.begin(ops::BS_GET);
        self.asm.place(at, bs_get::CONTEXT, s);
        self.asm.place(at, bs_get::SIZE, n);
        self.jump_if(at, bs_get::FAIL, fail.label());
        if let Some(d) = d {
            self.asm.place(at, bs_get::TO, d);
        }
        self.asm.set(at, bs_get::UNIT, unit_of(unit));
        self.asm.set(at, bs_get::FLAGS, flags as usize);
        self.asm.set(at, bs_get::KIND, k as usize);
    }

    fn get_utf(&mut self, op: Op, o: &[Operand], d: Option<Place>) {
        let k = match op {
            Op::BsGetUtf8 | Op::BsSkipUtf8 => kind::UTF8,
            Op::BsGetUtf16 | Op::BsSkipUtf16 => kind::UTF16,
            _ => kind::UTF32,
        };
        let (s, flags) = (self.src(&o[1]), self.flags(&o[3]));
        let at = self.asm.begin(ops::BS_GET_UTF);
        self.asm.place(at, bs_get_utf::CONTEXT, s);
        self.asm.place(at, bs_get_utf::TO, d.unwrap_or(NOWHERE));
        self.jump_if(at, bs_get_utf::FAIL, o[0].label());
        self.asm.set(at, bs_get_utf::KIND, k as usize);
        self.asm.set(at, bs_get_utf::FLAGS, flags as usize);
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
        let at = self.asm.begin(ops::BS_MATCH);
        self.asm.place(at, bs_match::CONTEXT, s);
        self.asm.set(at, bs_match::COUNT, commands.len());
        self.jump_if(at, bs_match::FAIL, o[0].label());
        for (what, args) in commands {
            let n = |i: usize| args[i].unsigned().unwrap_or(0);
            let (k, flags, unit, dst, word) = match what {
                MatchCommand::EnsureAtLeast => (kind::AT_LEAST, 0, n(1), None, n(0)),
                MatchCommand::EnsureExactly => (kind::EXACTLY, 0, 0, None, n(0)),
                MatchCommand::Skip => (kind::SKIP, 0, 0, None, n(0)),
                MatchCommand::GetTail => (kind::TAIL, 0, 0, Some(self.src(&args[2])), 0),
                MatchCommand::Integer | MatchCommand::Binary => {
                    let k = if what == MatchCommand::Integer {
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
            let w = self.asm.word(0);
            self.asm.bits(w, command::KIND, u64::from(k));
            self.asm.bits(w, command::FLAGS, u64::from(flags));
            self.asm.bits(w, command::UNIT, unit);
            if let Some(d) = dst {
                self.asm.place_at(at, w, command::TO, d);
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
        let at = self.asm.begin(ops::BS_CREATE);
        let number = |(i, s): (usize, &[Operand])| {
            s[1].unsigned().filter(|&n| n > 0).unwrap_or(i as u64 + 1) as u32
        };
        let numbers: Box<[u32]> = list.chunks_exact(6).enumerate().map(number).collect();
        if (1..).zip(&numbers).any(|(i, &n)| i != n) {
            self.segments.push((at as u32, numbers));
        }
        self.asm.set(at, bs_create::COUNT, list.len() / 6);
        self.asm.place(at, bs_create::TO, d);
        self.jump_if(at, bs_create::FAIL, Self::fail(&o[0]));
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
            let w = self.asm.word(0);
            self.asm.bits(w, segment::KIND, u64::from(k));
            if k == kind::STRING {
                let len = self.constant(&s[5]).and_then(Term::as_small).unwrap_or(0);
                self.asm.bits(w, segment::LENGTH, len as u64);
                let address = self.string(&s[4]);
                self.asm.word(address);
                continue;
            }
            let (value, flags) = (self.src(&s[4]), self.flags(&s[3]));
            self.asm.bits(w, segment::FLAGS, u64::from(flags));
            self.asm.place_at(at, w, segment::VALUE, value);
            self.asm.bits(w, segment::UNIT, unit_of(&s[2]) as u64);
            let size = match self.constant(&s[5]) {
                Some(t) if t.as_atom().is_some() => SIZE_ALL,
                Some(t) => match t.as_usize() {
                    Some(n) => n as u64,
                    None => SIZE_PLACE,
                },
                None => SIZE_PLACE,
            };
            let unit = s[2].unsigned().unwrap_or(1);
            short &= bit_words::is_short_segment(i == 0, k, flags, unit, size);
            if size == SIZE_PLACE {
                let p = self.src(&s[5]);
                self.asm.place_at(at, w, segment::SIZE, p);
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
                let how = put(k, flags);
                self.old(old_kind::PUT, Self::fail(&o[0]), None, v, n, unit, how);
            }
            Op::BsPutUtf8 | Op::BsPutUtf16 | Op::BsPutUtf32 => {
                let k = match i.op {
                    Op::BsPutUtf8 => kind::UTF8,
                    Op::BsPutUtf16 => kind::UTF16,
                    _ => kind::UTF32,
                };
                let (v, flags) = (self.src(&o[2]), self.flags(&o[1]));
                let how = put(k, flags);
                self.old(old_kind::PUT, Self::fail(&o[0]), None, v, nil, 1, how);
            }
            Op::BsPutString => {
                let address = self.string(&o[1]);
                let at = self.asm.begin(ops::BS_PUT_STRING);
                self.asm.set(at, bs_put_string::LENGTH, Self::num(&o[0]));
                self.asm.set(at, bs_put_string::BYTES, address);
            }
            _ => return self.records(i, o),
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
        let at = self.asm.begin(ops::BS_OLD);
        if let Some(d) = d {
            self.asm.place(at, bs_old::TO, d);
        }
        self.asm.set(at, bs_old::KIND, k as usize);
        self.jump_if(at, bs_old::FAIL, fail);
        self.asm.place(at, bs_old::FIRST, p);
        self.asm.place(at, bs_old::SECOND, q);
        self.asm.set(at, bs_old::UNIT, unit as usize);
        self.asm.set(at, bs_old::HOW, word as usize);
    }
}

/// The unit of a size.
fn unit_of(o: &Operand) -> usize {
    o.unsigned().unwrap_or(1) as usize
}

/// What `old_kind::PUT` adds.
fn put(k: u8, flags: u8) -> u64 {
    u64::from(k) << segment::KIND.shift | u64::from(flags) << segment::FLAGS.shift
}
