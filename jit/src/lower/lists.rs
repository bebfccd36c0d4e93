//! Lists that are built by loops, and what returns from such a loop.
//!
//! While a function keeps a list, its return address on the Erlang stack is that of a prepend point, with the list below
//! it, and below that the address to which the function was to return. The interpreter finds an
//! instruction at the prepend point that puts the list before x0 and returns; native code does it at each of its own ends.

use super::{Lowering, To, trusted};
use crate::ir::Op;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};
use enigma_runtime::code::native::{FULL, prepend_point};
use enigma_runtime::interp::native::Helper;
use enigma_runtime::term::{TAG_CONS, Term, stack_word};

impl Lowering<'_> {
    /// Makes the prepend point, if the function builds a list.
    pub(super) fn prepare_list(&mut self) {
        let ops = self.source.insts.iter().map(|i| &i.op);
        let next = ops.clone().find_map(|op| match op {
            Op::Build(next) => Some(*next),
            _ => None,
        });
        if let Some(next) = next {
            let point = prepend_point(self.pc_address(next));
            self.return_points.list = Some(Box::new(point));
        }
    }

    /// The words on the stack that are the addresses of the prepend point: of its first place and of its second one.
    fn prepend_words(&self) -> Option<[u64; 2]> {
        let point = self.return_points.list.as_ref()?.address();
        Some([0, FULL].map(|at| stack_word::return_pc(point.wrapping_add(at))))
    }

    /// Is there a list that belongs before what the function returns? Nothing in functions that build none.
    pub(super) fn keeps_list(&mut self) -> Option<Value> {
        let [open, full] = self.prepend_words()?;
        let sp = self.b.use_var(self.sp);
        let top = self.b.ins().load(I64, trusted(), sp, 0);
        let first = self.word(open);
        let from = self.b.ins().isub(top, first);
        let (within, most) = (IntCC::UnsignedLessThanOrEqual, (full - open) as i64);
        Some(self.b.ins().icmp_imm_u(within, from, most))
    }

    /// Puts elements behind those of the list that the function keeps, or of a fresh one.
    pub(super) fn build_list(&mut self, elements: &[Value]) {
        let Some([open, _]) = self.prepend_words() else {
            enigma_runtime::bug::vm_bug("a list is built that nobody has made ready")
        };
        let sp = self.b.use_var(self.sp);
        let top = self.b.ins().load(I64, trusted(), sp, 0);
        let open = self.word(open);
        let is = self.b.ins().icmp(IntCC::Equal, top, open);
        let (more, first, join) = (self.fresh_block(), self.fresh_block(), self.fresh_block());
        let list = self.b.append_block_param(join, I64);
        self.b.ins().brif(is, more, &[], first, &[]);
        self.b.switch_to_block(first);
        let below = self.b.ins().iadd_imm_s(sp, -16);
        self.b.ins().store(trusted(), open, below, 0);
        self.b.def_var(self.sp, below);
        let nil = self.word(Term::NIL.raw());
        self.go(&To {
            block: join,
            args: vec![nil.into()],
        });
        self.b.switch_to_block(more);
        self.b.def_var(self.sp, sp);
        let kept = self.b.ins().load(I64, trusted(), sp, 8);
        self.go(&To {
            block: join,
            args: vec![kept.into()],
        });
        self.b.switch_to_block(join);
        self.credit = 0;
        let mut list = list;
        let sp = self.b.use_var(self.sp);
        let cells = self.alloc(2 * elements.len() as u32);
        for (at, &element) in (0i32..).zip(elements) {
            self.b.ins().store(trusted(), element, cells, 16 * at);
            self.b.ins().store(trusted(), list, cells, 16 * at + 8);
            list = self
                .b
                .ins()
                .iadd_imm_s(cells, i64::from(16 * at) + TAG_CONS as i64);
        }
        self.b.ins().store(trusted(), list, sp, 8);
    }

    /// Returns a value, with the lists before it that are kept.
    pub(super) fn return_or_finish(&mut self, v: Value) {
        if let Some(keeps) = self.keeps_list() {
            let (finish, plain) = (self.fresh_block(), self.fresh_block());
            self.b.ins().brif(keeps, finish, &[], plain, &[]);
            let threaded = [self.reds, self.hp, self.sp].map(|v| (v, self.b.use_var(v)));
            self.b.switch_to_block(finish);
            self.finish_list(v);
            self.b.switch_to_block(plain);
            for (variable, v) in threaded {
                self.b.def_var(variable, v);
            }
        }
        self.return_value(v);
    }

    /// Returns a value before which a list belongs.
    pub(super) fn finish_list(&mut self, v: Value) {
        let v = self.help(Helper::FinishList, &[v]);
        self.leave_if_nonvalue(v);
        self.return_value(v);
    }
}
