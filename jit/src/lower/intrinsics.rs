//! BIFs whose usual case is done in line; the BIF itself is called for all others.

use super::{Lowering, To, trusted};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};
use enigma_runtime::atom::Atom;
use enigma_runtime::code::export::Export;
use enigma_runtime::term::{Header, Kind, TAG_BOXED, TAG_SMALL};

/// Tuples of more elements are copied by the BIF.
const FEW_ELEMENTS: i64 = 64;

/// A BIF of which that is so.
#[derive(Clone, Copy)]
pub(super) enum Intrinsic {
    SetElement,
}

impl Intrinsic {
    /// The one that calls of an export entry are, if it is one.
    pub(super) fn of(export: &Export) -> Option<Intrinsic> {
        match (export.module, export.function.text(), export.arity) {
            (Atom::ERLANG, "setelement", 3) => Some(Intrinsic::SetElement),
            _ => None,
        }
    }
}

impl Lowering<'_> {
    /// The value of a call in the usual case, or what `call` gives.
    pub(super) fn intrinsic(
        &mut self,
        which: Intrinsic,
        args: &[Value],
        call: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let (otherwise, join) = (self.fresh_block(), self.fresh_block());
        let value = self.b.append_block_param(join, I64);
        let with = |v: Value| To {
            block: join,
            args: vec![v.into()],
        };
        let v = match (which, args) {
            (Intrinsic::SetElement, &[index, tuple, value]) => {
                self.set_element(index, tuple, value, &To::plain(otherwise))
            }
            _ => enigma_runtime::bug::vm_bug("a BIF is called with too few arguments"),
        };
        let reds = self.b.use_var(self.reds);
        let left = self.b.ins().iadd_imm_s(reds, -1);
        self.b.def_var(self.reds, left);
        self.go(&with(v));
        self.begin(otherwise);
        let v = call(self);
        self.go(&with(v));
        self.begin(join);
        self.credit = 0;
        value
    }

    /// A copy of a tuple that has another element at an index.
    fn set_element(&mut self, index: Value, tuple: Value, value: Value, otherwise: &To) -> Value {
        let small = self.has_tag(index, TAG_SMALL);
        self.go_on_if(small, otherwise);
        let header = self.header_or(tuple, otherwise);
        let is_tuple = self.has_low_byte(header, Header::new(Kind::Tuple, 0).raw());
        self.go_on_if(is_tuple, otherwise);
        let arity = self.b.ins().ushr_imm_u(header, 8);
        let few = self
            .b
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, arity, FEW_ELEMENTS);
        self.go_on_if(few, otherwise);
        let number = self.b.ins().sshr_imm_u(index, 3);
        let before = self.b.ins().iadd_imm_s(number, -1);
        let is_there = self.b.ins().icmp(IntCC::UnsignedLessThan, before, arity);
        self.go_on_if(is_there, otherwise);
        let bytes = self.b.ins().ishl_imm_u(arity, 3);
        let hp = self.b.use_var(self.hp);
        let last = self.b.ins().iadd(hp, bytes);
        let after = self.b.ins().iadd_imm_s(last, 8);
        let over = self.is_past_heap(after);
        self.go_on_unless(over, otherwise);
        self.b.ins().store(trusted(), header, hp, 0);
        let (copy, done) = (self.fresh_block(), self.fresh_block());
        let at = self.b.append_block_param(copy, I64);
        let first = self.word(8);
        self.b.ins().jump(copy, &[first.into()]);
        self.b.switch_to_block(copy);
        let from = self.b.ins().iadd(tuple, at);
        let element = self.b.ins().load(I64, trusted(), from, -(TAG_BOXED as i32));
        let to = self.b.ins().iadd(hp, at);
        self.b.ins().store(trusted(), element, to, 0);
        let next = self.b.ins().iadd_imm_s(at, 8);
        let more = self
            .b
            .ins()
            .icmp(IntCC::UnsignedLessThanOrEqual, next, bytes);
        self.b.ins().brif(more, copy, &[next.into()], done, &[]);
        self.b.seal_block(copy);
        self.begin(done);
        let offset = self.b.ins().ishl_imm_u(number, 3);
        let place = self.b.ins().iadd(hp, offset);
        self.b.ins().store(trusted(), value, place, 0);
        self.b.def_var(self.hp, after);
        self.b.ins().iadd_imm_s(hp, TAG_BOXED as i64)
    }
}
