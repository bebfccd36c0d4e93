//! Lists, tuples, funs, maps.

use super::{Lowering, To, trusted};
use crate::ir::{InstData, Op};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};
use enigma_runtime::interp::native::{Helper, layout};
use enigma_runtime::term::{Header, Kind, TAG_BOXED, TAG_CONS, Term};

/// Where word `n` of a boxed object is, from the term.
pub(super) fn word_at(n: u32) -> i32 {
    8 * n as i32 - TAG_BOXED as i32
}

impl Lowering<'_> {
    pub(super) fn data(&mut self, i: &InstData) {
        let args = self.vals(&i.args);
        let v = match &i.op {
            Op::Head => self
                .b
                .ins()
                .load(I64, trusted(), args[0], -(TAG_CONS as i32)),
            Op::Tail => self
                .b
                .ins()
                .load(I64, trusted(), args[0], 8 - TAG_CONS as i32),
            Op::Element(n) => self.b.ins().load(I64, trusted(), args[0], word_at(1 + n)),
            Op::ElementAt => self.element_at(args[0], args[1]),
            Op::TupleSize => {
                let header = self.header(args[0]);
                let size = self.b.ins().ushr_imm_u(header, 8);
                self.b.ins().ishl_imm_u(size, 3)
            }
            Op::ListLength => self.help(Helper::ListLength, &args),
            Op::OwnPid => self.own_pid(),
            Op::Cons => {
                let p = self.alloc(2);
                self.b.ins().store(trusted(), args[0], p, 0);
                self.b.ins().store(trusted(), args[1], p, 8);
                self.b.ins().iadd_imm_s(p, TAG_CONS as i64)
            }
            Op::Tuple => self.object(Kind::Tuple, &args),
            Op::UpdateTuple(size, positions) => self.updated(args[0], *size, positions, &args[1..]),
            Op::OverwriteTuple(size, positions) => {
                self.overwritten(args[0], *size, positions, &args[1..])
            }
            Op::Fun(lambda) => {
                let entry = self.me.module().funs[*lambda as usize];
                let entry = self.word(std::ptr::from_ref(entry) as u64);
                let mut words = vec![entry, self.own_pid()];
                words.extend(&args);
                self.object(Kind::Fun, &words)
            }
            _ => enigma_runtime::bug::vm_bug("no instruction on data"),
        };
        self.define(i, v);
    }

    /// A boxed object of these words.
    pub(super) fn object(&mut self, kind: Kind, words: &[Value]) -> Value {
        let p = self.alloc(1 + words.len() as u32);
        let header = self.word(Header::new(kind, words.len()).raw());
        self.b.ins().store(trusted(), header, p, 0);
        for (at, &w) in (1i32..).zip(words) {
            self.b.ins().store(trusted(), w, p, 8 * at);
        }
        self.b.ins().iadd_imm_s(p, TAG_BOXED as i64)
    }

    /// A copy of a tuple with other elements at these positions.
    fn updated(&mut self, tuple: Value, size: u32, positions: &[u32], values: &[Value]) -> Value {
        let mut elements = Vec::new();
        for n in 1..=size {
            let last = positions.iter().rposition(|&p| p == n);
            elements.push(match last {
                Some(at) => values[at],
                None => self.b.ins().load(I64, trusted(), tuple, word_at(n)),
            });
        }
        self.object(Kind::Tuple, &elements)
    }

    /// The tuple itself, if it is fresh (`ProcHeap::is_fresh`), with other elements at these positions; else a copy.
    fn overwritten(
        &mut self,
        tuple: Value,
        size: u32,
        positions: &[u32],
        values: &[Value],
    ) -> Value {
        let [block, mature, length] = [layout::HEAP_BLOCK, layout::MATURE, layout::MATURE_LENGTH]
            .map(|field| self.own_field(field));
        let hp = self.b.use_var(self.hp);
        let object = self.b.ins().iadd_imm_s(tuple, -(TAG_BOXED as i64));
        let at = self.b.ins().isub(object, block);
        let end = self.b.ins().isub(hp, block);
        let outside = self
            .b
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, at, end);
        let at = self.b.ins().isub(object, mature);
        let survived = self.b.ins().icmp(IntCC::UnsignedLessThan, at, length);
        let older = self.b.ins().bor(outside, survived);
        let cold = self.unlikely_if(older);
        let join = self.fresh_block();
        let result = self.b.append_block_param(join, I64);
        for (&n, &v) in positions.iter().zip(values) {
            self.b.ins().store(trusted(), v, tuple, word_at(n));
        }
        self.go(&To {
            block: join,
            args: vec![tuple.into()],
        });
        self.begin(cold);
        let copy = self.updated(tuple, size, positions, values);
        self.go(&To {
            block: join,
            args: vec![copy.into()],
        });
        self.begin(join);
        result
    }

    fn own_pid(&mut self) -> Value {
        let process = self.context_field(layout::PROCESS);
        let id = self
            .b
            .ins()
            .load(I64, trusted(), process, layout::PID as i32);
        let id = self.b.ins().ishl_imm_u(id, 8);
        self.b
            .ins()
            .bor_imm_s(id, (Term::local_pid(0).raw() & 0xff) as i64)
    }

    /// Element of a tuple at an index from 1, or `NONVALUE`.
    fn element_at(&mut self, index: Value, tuple: Value) -> Value {
        let join = self.fresh_block();
        let found = self.b.append_block_param(join, I64);
        let none = self.word(Term::NONVALUE.raw());
        let no = To {
            block: join,
            args: vec![none.into()],
        };
        let tag = self.b.ins().band_imm_s(index, 7);
        self.go_on_unless(tag, &no);
        let header = self.header_or(tuple, &no);
        let kind = self.b.ins().band_imm_s(header, 0xff);
        let tuple_kind = Header::new(Kind::Tuple, 0).raw() as i64;
        let is = self.b.ins().icmp_imm_s(IntCC::Equal, kind, tuple_kind);
        self.go_on_if(is, &no);
        // The index is eight times itself, and counts from 1.
        let size = self.b.ins().ushr_imm_u(header, 8);
        let size = self.b.ins().ishl_imm_u(size, 3);
        let from0 = self.b.ins().iadd_imm_s(index, -8);
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, from0, size);
        self.go_on_if(inside, &no);
        let at = self.b.ins().iadd(tuple, index);
        let v = self.b.ins().load(I64, trusted(), at, -(TAG_BOXED as i32));
        self.go(&To {
            block: join,
            args: vec![v.into()],
        });
        self.begin(join);
        found
    }
}
