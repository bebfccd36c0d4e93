//! The match context that is open, and the binary: what is known of one of each stands in variables, so that a loop over a
//! bitstring, or one that makes a binary, reads it from there and not from memory.
//!
//! A match context has in word 1 the `HeapBits` or `BinRef` with the bits, in word 2 the position and in word 3 the end, both
//! in bits from the base's first one. Whoever moves the position writes it to memory, too, so that others find it there. Where
//! something may move objects or a context's position behind the back of this code, no context is open afterwards.
//!
//! A binary is open if it is the handle of a shared binary that lies in the process's heap, has the only reference to that, ends
//! where its used bits end, and that at a byte: bits may be appended to it in place as long as there is room.

use super::data::word_at;
use super::{Lowering, To, trusted};
use crate::ir::bits::SegmentKind;
use crate::ir::{self, Op, SsaFunction};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use cranelift_frontend::{FunctionBuilder, Variable};
use enigma_runtime::interp::native::{Helper, layout};
use enigma_runtime::term::{Header, Kind, TAG_BOXED};

/// Word of a match context: its base.
pub const BASE: u32 = 1;
/// Word of a match context: its position.
pub const POSITION: u32 = 2;
/// Word of a match context: its end.
const END: u32 = 3;

/// No term of anything: an object at address 0.
const NONE: i64 = TAG_BOXED as i64;

/// The variables of the open context.
#[derive(Clone, Copy)]
pub struct OpenContext {
    /// The term, or `NONE`.
    term: Variable,
    /// Its position.
    at: Variable,
    /// The address of its base's first byte.
    data: Variable,
}

impl OpenContext {
    /// The variables for a function, if it matches bitstrings.
    pub fn of(f: &SsaFunction, b: &mut FunctionBuilder<'_>) -> Option<OpenContext> {
        let matches = f.insts.iter().any(|i| matches!(i.op, Op::StartMatch));
        matches.then(|| {
            let [term, at, data] = [(); 3].map(|()| b.declare_var(I64));
            OpenContext { term, at, data }
        })
    }
}

/// The variables of the open binary.
#[derive(Clone, Copy)]
pub struct OpenBinary {
    /// The term, or `NONE`.
    term: Variable,
    /// How many bits there is room for.
    limit: Variable,
    /// The address of its first byte.
    data: Variable,
}

impl OpenBinary {
    /// The variables for a function, if it appends to binaries.
    pub fn of(f: &SsaFunction, b: &mut FunctionBuilder<'_>) -> Option<OpenBinary> {
        let appends = |op: &Op| match op {
            Op::CreateBits(segments, _) => segments
                .first()
                .is_some_and(|s| s.kind == SegmentKind::PrivateAppend),
            _ => false,
        };
        f.insts.iter().any(|i| appends(&i.op)).then(|| {
            let [term, limit, data] = [(); 3].map(|()| b.declare_var(I64));
            OpenBinary { term, limit, data }
        })
    }
}

/// What is known of the open context.
#[derive(Clone, Copy)]
pub struct Opened {
    /// Its position.
    pub at: Value,
    /// Its end.
    pub end: Value,
    /// The address of its base's first byte.
    pub data: Value,
}

/// Does a helper leave objects and positions of match contexts as they are?
fn leaves_contexts(helper: Helper) -> bool {
    matches!(
        helper,
        Helper::MoreRoom
            | Helper::Chaos
            | Helper::Add
            | Helper::Sub
            | Helper::Mul
            | Helper::Div
            | Helper::Rem
            | Helper::Band
            | Helper::Bor
            | Helper::Bxor
            | Helper::Bsl
            | Helper::Bsr
            | Helper::Less
            | Helper::Equal
            | Helper::ExactlyEqual
            | Helper::BoxFloat
            | Helper::MapGet
            | Helper::IsBinary
            | Helper::IsFunctionOf
            | Helper::FindEntry
            | Helper::ReadBits
            | Helper::DecodeUtf8
            | Helper::PartOfBits
            | Helper::UnsignedInteger
            | Helper::SignedInteger
            | Helper::AppendRoom
            | Helper::AppendCharacter
            | Helper::WritableBits
            // These move the position of the open context, which is read again.
            | Helper::GetBits
            | Helper::GetUtf
            | Helper::MatchString
    )
}

impl Lowering<'_> {
    /// No context and no binary is open.
    pub(super) fn close_all(&mut self) {
        self.close_context();
        self.close_binary();
    }

    fn close_binary(&mut self) {
        if let Some(open) = self.open_binary {
            let none = self.b.ins().iconst(I64, NONE);
            self.b.def_var(open.term, none);
        }
    }

    fn close_context(&mut self) {
        self.current = None;
        if let Some(open) = self.open {
            let none = self.b.ins().iconst(I64, NONE);
            self.b.def_var(open.term, none);
        }
    }

    /// At the beginning: none is open.
    pub(super) fn begin_open(&mut self) {
        if let Some(open) = self.open_binary {
            let none = self.b.ins().iconst(I64, NONE);
            for v in [open.term, open.limit, open.data] {
                self.b.def_var(v, none);
            }
        }
        if let Some(open) = self.open {
            let none = self.b.ins().iconst(I64, NONE);
            for v in [open.term, open.at, open.data] {
                self.b.def_var(v, none);
            }
        }
    }

    /// A helper has been called.
    pub(super) fn after_helper(&mut self, helper: Helper) {
        if !leaves_contexts(helper) {
            self.close_all();
        } else if matches!(helper, Helper::AppendRoom | Helper::AppendCharacter) {
            // They may make further references to its bits.
            self.close_binary();
        }
    }

    /// A part of a match context.
    pub(super) fn part(&mut self, context: Value, word: u32) -> Value {
        self.b.ins().load(I64, trusted(), context, word_at(word))
    }

    /// Goes on if it is a match context.
    fn context_or(&mut self, v: Value, no: &To) {
        let header = self.header_or(v, no);
        let is = self.has_low_byte(header, Header::new(Kind::MatchCtx, 0).raw());
        self.go_on_if(is, no);
    }

    /// The end is read from memory: it takes a machine register in loops otherwise.
    fn opened(&mut self, open: OpenContext, context: Value) -> Opened {
        let end = self.part(context, END);
        let [at, data] = [open.at, open.data].map(|v| self.b.use_var(v));
        Opened { at, end, data }
    }

    /// Opens a match context; what is none goes to `no`.
    pub(super) fn open(&mut self, context: ir::Value, no: &To) -> Opened {
        let v = self.val(context);
        let Some(open) = self.open else {
            self.context_or(v, no);
            let [at, end, base] = [POSITION, END, BASE].map(|n| self.part(v, n));
            let data = self.data_of(base);
            return Opened { at, end, data };
        };
        if self.current == Some(context) {
            return self.opened(open, v);
        }
        let join = self.fresh_block();
        let slow = self.unless_open(open, v, join);
        self.begin(slow);
        self.context_or(v, no);
        let [at, base] = [POSITION, BASE].map(|n| self.part(v, n));
        self.set_open(open, v, base, at);
        self.b.ins().jump(join, &[]);
        self.begin(join);
        self.current = Some(context);
        self.opened(open, v)
    }

    /// Goes to `join` if it is the open context. Gives the block for when it is not.
    fn unless_open(&mut self, open: OpenContext, v: Value, join: Block) -> Block {
        let slow = self.cold_block();
        let now = self.b.use_var(open.term);
        let same = self.b.ins().icmp(IntCC::Equal, v, now);
        self.branch(same, &To::plain(join), &To::plain(slow));
        slow
    }

    fn set_open(&mut self, open: OpenContext, v: Value, base: Value, at: Value) {
        let data = self.data_of(base);
        for (variable, value) in [(open.term, v), (open.at, at), (open.data, data)] {
            self.b.def_var(variable, value);
        }
    }

    /// Moves the position of the open context.
    pub(super) fn set_position(&mut self, context: Value, at: Value) {
        self.b
            .ins()
            .store(trusted(), at, context, word_at(POSITION));
        if let Some(open) = self.open {
            self.b.def_var(open.at, at);
        }
    }

    /// A helper has moved the position of the open context.
    pub(super) fn position_moved(&mut self, context: Value) {
        if let Some(open) = self.open {
            let at = self.part(context, POSITION);
            self.b.def_var(open.at, at);
        }
    }

    /// Room for so many bits, whole bytes, behind a binary that nothing else uses: gives the address of the room. Goes to `other`,
    /// with nothing done, where that is not simple.
    pub(super) fn own_room(&mut self, to: Value, bits: u64, other: &To) -> Value {
        let Some(open) = self.open_binary else {
            enigma_runtime::bug::vm_bug("a function appends that does not")
        };
        let (ready, slow) = (self.fresh_block(), self.cold_block());
        let now = self.b.use_var(open.term);
        let same = self.b.ins().icmp(IntCC::Equal, to, now);
        self.branch(same, &To::plain(ready), &To::plain(slow));
        self.begin(slow);
        self.open_binary(open, to, other);
        self.b.ins().jump(ready, &[]);
        self.begin(ready);
        let end = self.part(to, 3);
        let more = self.b.ins().iadd_imm_s(end, bits as i64);
        let limit = self.b.use_var(open.limit);
        let fits = self
            .b
            .ins()
            .icmp(IntCC::UnsignedLessThanOrEqual, more, limit);
        self.go_on_if(fits, other);
        let binary = self.part(to, 2);
        self.b
            .ins()
            .store(trusted(), more, binary, layout::BINARY_USED as i32);
        self.b.ins().store(trusted(), more, to, word_at(3));
        let own = self.own();
        let counted = layout::BINARY_BYTES as i32;
        let count = self.b.ins().load(I64, trusted(), own, counted);
        let count = self.b.ins().iadd_imm_s(count, (bits / 8) as i64);
        self.b.ins().store(trusted(), count, own, counted);
        let data = self.b.use_var(open.data);
        let byte = self.b.ins().ushr_imm_u(end, 3);
        self.b.ins().iadd(data, byte)
    }

    /// Opens a binary; goes to `other` where that is not possible.
    fn open_binary(&mut self, open: OpenBinary, v: Value, other: &To) {
        let header = self.header_or(v, other);
        let handle = self.has_low_byte(header, Header::new(Kind::BinRef, 0).raw());
        self.go_on_if(handle, other);
        let (first, size) = layout::literals();
        let first = self.word(first as u64);
        let from = self.b.ins().isub(v, first);
        let size = self.word(size as u64);
        let literal = self.b.ins().icmp(IntCC::UnsignedLessThan, from, size);
        self.go_on_unless(literal, other);
        let binary = self.part(v, 2);
        let count = self.b.ins().iadd_imm_s(binary, layout::BINARY_REFS as i64);
        let count = self.b.ins().atomic_load(I64, trusted(), count);
        let alone = self.b.ins().icmp_imm_s(IntCC::Equal, count, 1);
        self.go_on_if(alone, other);
        let [used, capacity, data] = [
            layout::BINARY_USED,
            layout::BINARY_CAPACITY,
            layout::BINARY_DATA,
        ]
        .map(|at| self.b.ins().load(I64, trusted(), binary, at as i32));
        let end = self.part(v, 3);
        let at_end = self.b.ins().icmp(IntCC::Equal, used, end);
        self.go_on_if(at_end, other);
        let rest = self.b.ins().band_imm_s(end, 7);
        self.go_on_unless(rest, other);
        let limit = self.b.ins().ishl_imm_u(capacity, 3);
        for (variable, value) in [(open.term, v), (open.limit, limit), (open.data, data)] {
            self.b.def_var(variable, value);
        }
    }

    /// Address of the first byte of a `HeapBits` or `BinRef`.
    fn data_of(&mut self, base: Value) -> Value {
        let (join, shared) = (self.fresh_block(), self.fresh_block());
        let data = self.b.append_block_param(join, I64);
        let header = self.header(base);
        let heap = self.has_low_byte(header, Header::new(Kind::HeapBits, 0).raw());
        let own = self.b.ins().iadd_imm_s(base, i64::from(word_at(2)));
        let args = vec![own.into()];
        self.branch(heap, &To { block: join, args }, &To::plain(shared));
        self.begin(shared);
        let binary = self.part(base, 2);
        let at = layout::BINARY_DATA as i32;
        let bytes = self.b.ins().load(I64, trusted(), binary, at);
        self.b.ins().jump(join, &[bytes.into()]);
        self.begin(join);
        data
    }

    /// The match context over a bitstring, or the context itself; it is open then.
    pub(super) fn start_match(&mut self, v: Value, no: &To) -> Value {
        let join = self.fresh_block();
        let context = self.b.append_block_param(join, I64);
        let here = To {
            block: join,
            args: vec![v.into()],
        };
        if let Some(open) = self.open {
            let now = self.b.use_var(open.term);
            let same = self.b.ins().icmp(IntCC::Equal, v, now);
            let other = self.cold_block();
            self.branch(same, &here, &To::plain(other));
            self.begin(other);
        }
        let header = self.header_or(v, no);
        let kind = |k| Header::new(k, 0).raw();
        let is = self.has_low_byte(header, kind(Kind::MatchCtx));
        let (old, other) = (self.fresh_block(), self.fresh_block());
        self.branch(is, &To::plain(old), &To::plain(other));
        self.begin(old);
        if let Some(open) = self.open {
            let [at, base] = [POSITION, BASE].map(|n| self.part(v, n));
            self.set_open(open, v, base, at);
        }
        self.go(&here);
        self.begin(other);
        let make = self.fresh_block();
        let [base, from, size] = [(); 3].map(|()| self.b.append_block_param(make, I64));
        let zero = self.word(0);
        for (k, base, from, size) in [
            (Kind::BinRef, None, None, 3),
            (Kind::SubBits, Some(1), Some(2), 3),
            (Kind::HeapBits, None, None, 1),
        ] {
            let is = self.has_low_byte(header, kind(k));
            let (here, next) = (self.fresh_block(), self.fresh_block());
            if k == Kind::HeapBits {
                self.branch(is, &To::plain(here), no);
            } else {
                self.branch(is, &To::plain(here), &To::plain(next));
            }
            self.begin(here);
            let base = base.map_or(v, |n| self.part(v, n));
            let from = from.map_or(zero, |n| self.part(v, n));
            let size = self.part(v, size);
            let args = [base.into(), from.into(), size.into()];
            self.b.ins().jump(make, &args);
            if k != Kind::HeapBits {
                self.begin(next);
            }
        }
        self.begin(make);
        let end = self.b.ins().iadd(from, size);
        let fresh = self.object(Kind::MatchCtx, &[base, from, end]);
        if let Some(open) = self.open {
            self.set_open(open, fresh, base, from);
        }
        let args = vec![fresh.into()];
        self.go(&To { block: join, args });
        self.begin(join);
        context
    }
}
