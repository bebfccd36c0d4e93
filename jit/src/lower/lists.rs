//! Lists that are built by loops, and what returns from such a loop.
//!
//! While a function keeps a list, its return address on the Erlang stack is that of a prepend point, with the list's first and
//! last cell below it, and below these the address to which the function was to return. The interpreter finds an
//! instruction at the prepend point that puts the list before x0 and returns; native code does it at each of its own ends.
//!
//! An element is added behind the last cell. A collection closes the lists that are kept, because a cell that has survived it must not
//! lead to a fresh one: a closed list stays as it is, and the next element begins another one above it.

use super::{Lowering, To, trusted};
use crate::ir::Op;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};
use enigma_runtime::code::native::prepend_point;
use enigma_runtime::interp::native::Helper;
use enigma_runtime::term::{TAG_CONS, Term, stack_word};

/// Where a cell's tail is, from a term that leads to the cell.
const TAIL: i32 = 8 - TAG_CONS as i32;

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

    /// The return address for which elements are added to the list.
    fn open_list(&self) -> Option<u64> {
        let point = self.return_points.list.as_ref()?.address();
        Some(stack_word::open_list(point))
    }

    /// Is this word of the stack the return address of a list of this function, open or closed?
    fn is_own_list(&mut self, word: Value, open: u64) -> Value {
        let closed = stack_word::closed_list(open);
        let word = self
            .b
            .ins()
            .band_imm_s(word, stack_word::closed_list(u64::MAX) as i64);
        let closed = self.word(closed);
        self.b.ins().icmp(IntCC::Equal, word, closed)
    }

    fn stack_top(&mut self) -> Value {
        let sp = self.b.use_var(self.sp);
        self.b.ins().load(I64, trusted(), sp, 0)
    }

    /// Is there a list that belongs before what the function returns? Nothing in functions that build none.
    pub(super) fn keeps_list(&mut self) -> Option<Value> {
        let open = self.open_list()?;
        let top = self.stack_top();
        Some(self.is_own_list(top, open))
    }

    /// Puts elements behind those of the list that the function keeps, or of a fresh one.
    pub(super) fn build_list(&mut self, elements: &[Value]) {
        let Some(open) = self.open_list() else {
            enigma_runtime::bug::vm_bug("a list is built that nobody has made ready")
        };
        let cells = self.alloc(2 * elements.len() as u32);
        let nil = self.word(Term::NIL.raw());
        let mut last = nil;
        for (at, &element) in (0i32..).zip(elements) {
            let cell = self.b.ins().iadd_imm_s(cells, i64::from(16 * at));
            self.b.ins().store(trusted(), element, cell, 0);
            if at > 0 {
                let cons = self.b.ins().iadd_imm_s(cell, TAG_CONS as i64);
                self.b.ins().store(trusted(), cons, cell, -8);
            }
            last = cell;
        }
        self.b.ins().store(trusted(), nil, last, 8);
        let [first, last] = [cells, last].map(|c| self.b.ins().iadd_imm_s(c, TAG_CONS as i64));
        let (sp, top) = (self.b.use_var(self.sp), self.stack_top());
        let open = self.word(open);
        let is = self.b.ins().icmp(IntCC::Equal, top, open);
        let (more, begin, join) = (self.fresh_block(), self.fresh_block(), self.fresh_block());
        self.b.ins().brif(is, more, &[], begin, &[]);
        self.begin(begin);
        self.room_on_stack();
        let here = self.b.use_var(self.sp);
        let below = self.b.ins().iadd_imm_s(here, -24);
        self.b.ins().store(trusted(), open, below, 0);
        self.b.ins().store(trusted(), first, below, 8);
        self.b.ins().store(trusted(), last, below, 16);
        self.b.def_var(self.sp, below);
        self.go(&To::plain(join));
        self.begin(more);
        let kept = self.b.ins().load(I64, trusted(), sp, 16);
        self.b.ins().store(trusted(), first, kept, TAIL);
        self.b.ins().store(trusted(), last, sp, 16);
        self.go(&To::plain(join));
        self.begin(join);
    }

    /// Returns a value, with the lists before it that are kept.
    pub(super) fn return_or_finish(&mut self, v: Value) {
        if let Some(keeps) = self.keeps_list() {
            let (finish, plain) = (self.fresh_block(), self.fresh_block());
            self.b.ins().brif(keeps, finish, &[], plain, &[]);
            let threaded = [self.reds, self.hp, self.sp].map(|v| (v, self.b.use_var(v)));
            self.begin(finish);
            self.finish_list(v);
            self.begin(plain);
            for (variable, v) in threaded {
                self.b.def_var(variable, v);
            }
        }
        self.return_value(v);
    }

    /// Returns a value before which a list belongs: one that is open is put there at once.
    pub(super) fn finish_list(&mut self, v: Value) {
        let Some(open) = self.open_list() else {
            return;
        };
        // It gets the value so far, and where the stack stands.
        let slow = self.cold_block();
        let [value, place] = [(); 2].map(|()| self.b.append_block_param(slow, I64));
        let rest = |v: Value, sp: Value| To {
            block: slow,
            args: vec![v.into(), sp.into()],
        };
        let (sp, top) = (self.b.use_var(self.sp), self.stack_top());
        let word = self.word(open);
        let is = self.b.ins().icmp(IntCC::Equal, top, word);
        self.go_on_if(is, &rest(v, sp));
        let [first, last] = [8, 16].map(|at| self.b.ins().load(I64, trusted(), sp, at));
        self.b.ins().store(trusted(), v, last, TAIL);
        let sp = self.b.ins().iadd_imm_s(sp, 24);
        self.b.def_var(self.sp, sp);
        let below = self.stack_top();
        let more = self.is_own_list(below, open);
        self.go_on_unless(more, &rest(first, sp));
        self.return_value(first);
        self.begin(slow);
        self.b.def_var(self.sp, place);
        let v = self.help(Helper::FinishList, &[value]);
        self.leave_if_nonvalue(v);
        self.return_value(v);
    }
}
