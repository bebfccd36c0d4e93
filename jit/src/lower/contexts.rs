//! The match context that is open: what is known of one of them stands in variables, so that a loop over a bitstring reads it
//! from there and not from memory.
//!
//! A match context has in word 1 the `HeapBits` or `BinRef` with the bits, in word 2 the position and in word 3 the end, both
//! in bits from the base's first one. Whoever moves the position writes it to memory, too, so that others find it there. Where
//! something may move objects or a context's position behind the back of this code, no context is open afterwards.

use super::data::word_at;
use super::{Lowering, To, trusted};
use crate::ir::{self, Op, SsaFunction};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use cranelift_frontend::{FunctionBuilder, Variable};
use enigma_runtime::interp::native::{Helper, layout};
use enigma_runtime::term::{Header, Kind, TAG_BOXED};

/// Words of a match context's parts.
pub const BASE: u32 = 1;
const POSITION: u32 = 2;
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
    /// Its end.
    end: Variable,
    /// The address of its base's first byte.
    data: Variable,
}

impl OpenContext {
    /// The variables for a function, if it matches bitstrings.
    pub fn of(f: &SsaFunction, b: &mut FunctionBuilder<'_>) -> Option<OpenContext> {
        let matches = f.insts.iter().any(|i| matches!(i.op, Op::StartMatch));
        matches.then(|| {
            let [term, at, end, data] = [(); 4].map(|()| b.declare_var(I64));
            OpenContext {
                term,
                at,
                end,
                data,
            }
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
            | Helper::ReadBits
            | Helper::PartOfBits
            | Helper::UnsignedInteger
            | Helper::SignedInteger
            | Helper::AppendRoom
            | Helper::WritableBits
            // These move the position of the open context, which is read again.
            | Helper::GetBits
            | Helper::GetUtf
            | Helper::MatchString
    )
}

impl Lowering<'_> {
    /// No context is open.
    pub(super) fn close_context(&mut self) {
        self.current = None;
        if let Some(open) = self.open {
            let none = self.b.ins().iconst(I64, NONE);
            self.b.def_var(open.term, none);
        }
    }

    /// At the beginning: none is open.
    pub(super) fn begin_contexts(&mut self) {
        if let Some(open) = self.open {
            let none = self.b.ins().iconst(I64, NONE);
            for v in [open.term, open.at, open.end, open.data] {
                self.b.def_var(v, none);
            }
        }
    }

    /// A helper has been called.
    pub(super) fn after_helper(&mut self, helper: Helper) {
        if !leaves_contexts(helper) {
            self.close_context();
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

    fn opened(&mut self) -> Opened {
        match self.open {
            Some(open) => {
                let [at, end, data] = [open.at, open.end, open.data].map(|v| self.b.use_var(v));
                Opened { at, end, data }
            }
            None => {
                let zero = self.word(0);
                Opened {
                    at: zero,
                    end: zero,
                    data: zero,
                }
            }
        }
    }

    /// Opens a match context; what is none goes to `no`.
    pub(super) fn open(&mut self, context: ir::Value, no: &To) -> Opened {
        if self.current == Some(context) {
            return self.opened();
        }
        let v = self.val(context);
        let Some(open) = self.open else {
            self.context_or(v, no);
            let [at, end, base] = [POSITION, END, BASE].map(|n| self.part(v, n));
            let data = self.data_of(base);
            return Opened { at, end, data };
        };
        let join = self.b.create_block();
        let slow = self.unless_open(open, v, join);
        self.b.switch_to_block(slow);
        self.context_or(v, no);
        let [at, end, base] = [POSITION, END, BASE].map(|n| self.part(v, n));
        self.set_open(open, v, base, at, end);
        self.b.ins().jump(join, &[]);
        self.b.switch_to_block(join);
        self.current = Some(context);
        self.opened()
    }

    /// Goes to `join` if it is the open context. Gives the block for when it is not.
    fn unless_open(&mut self, open: OpenContext, v: Value, join: Block) -> Block {
        let slow = self.b.create_block();
        let now = self.b.use_var(open.term);
        let same = self.b.ins().icmp(IntCC::Equal, v, now);
        self.branch(same, &To::plain(join), &To::plain(slow));
        slow
    }

    fn set_open(&mut self, open: OpenContext, v: Value, base: Value, at: Value, end: Value) {
        let data = self.data_of(base);
        for (variable, value) in [
            (open.term, v),
            (open.at, at),
            (open.end, end),
            (open.data, data),
        ] {
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

    /// Address of the first byte of a `HeapBits` or `BinRef`.
    fn data_of(&mut self, base: Value) -> Value {
        let (join, shared) = (self.b.create_block(), self.b.create_block());
        let data = self.b.append_block_param(join, I64);
        let header = self.header(base);
        let heap = self.has_low_byte(header, Header::new(Kind::HeapBits, 0).raw());
        let own = self.b.ins().iadd_imm_s(base, i64::from(word_at(2)));
        let args = vec![own.into()];
        self.branch(heap, &To { block: join, args }, &To::plain(shared));
        self.b.switch_to_block(shared);
        let binary = self.part(base, 2);
        let at = layout::BINARY_DATA as i32;
        let bytes = self.b.ins().load(I64, trusted(), binary, at);
        self.b.ins().jump(join, &[bytes.into()]);
        self.b.switch_to_block(join);
        data
    }

    /// The match context over a bitstring, or the context itself; it is open then.
    pub(super) fn start_match(&mut self, v: Value, no: &To) -> Value {
        let join = self.b.create_block();
        let context = self.b.append_block_param(join, I64);
        let here = To {
            block: join,
            args: vec![v.into()],
        };
        if let Some(open) = self.open {
            let now = self.b.use_var(open.term);
            let same = self.b.ins().icmp(IntCC::Equal, v, now);
            self.done_if(same, &here);
        }
        let header = self.header_or(v, no);
        let kind = |k| Header::new(k, 0).raw();
        let is = self.has_low_byte(header, kind(Kind::MatchCtx));
        let (old, other) = (self.b.create_block(), self.b.create_block());
        self.branch(is, &To::plain(old), &To::plain(other));
        self.b.switch_to_block(old);
        if let Some(open) = self.open {
            let [at, end, base] = [POSITION, END, BASE].map(|n| self.part(v, n));
            self.set_open(open, v, base, at, end);
        }
        self.go(&here);
        self.b.switch_to_block(other);
        let make = self.b.create_block();
        let [base, from, size] = [(); 3].map(|()| self.b.append_block_param(make, I64));
        let zero = self.word(0);
        for (k, base, from, size) in [
            (Kind::BinRef, None, None, 3),
            (Kind::SubBits, Some(1), Some(2), 3),
            (Kind::HeapBits, None, None, 1),
        ] {
            let is = self.has_low_byte(header, kind(k));
            let (here, next) = (self.b.create_block(), self.b.create_block());
            if k == Kind::HeapBits {
                self.branch(is, &To::plain(here), no);
            } else {
                self.branch(is, &To::plain(here), &To::plain(next));
            }
            self.b.switch_to_block(here);
            let base = base.map_or(v, |n| self.part(v, n));
            let from = from.map_or(zero, |n| self.part(v, n));
            let size = self.part(v, size);
            let args = [base.into(), from.into(), size.into()];
            self.b.ins().jump(make, &args);
            if k != Kind::HeapBits {
                self.b.switch_to_block(next);
            }
        }
        self.b.switch_to_block(make);
        let end = self.b.ins().iadd(from, size);
        let fresh = self.object(Kind::MatchCtx, &[base, from, end]);
        if let Some(open) = self.open {
            self.set_open(open, fresh, base, from, end);
        }
        let args = vec![fresh.into()];
        self.go(&To { block: join, args });
        self.b.switch_to_block(join);
        context
    }
}
