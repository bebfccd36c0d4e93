//! What is threaded and what lies in memory: helpers, exits, heap.

use super::{EXIT_PLACE, Lowering, Symbol, To, float_offset, trusted, x_offset};
use crate::census::Handing;
use crate::ir::ExitRef;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I64};
use cranelift_codegen::ir::{Block, InstBuilder, SourceLoc, Value};
use enigma_runtime::interp::native::{Helper, HelperCall, layout};
use smallvec::SmallVec;

/// What a helper takes that is called directly; where there is less any word will do.
fn three(args: &[Value], any: Value) -> [Value; 3] {
    [0, 1, 2].map(|n| args.get(n).copied().unwrap_or(any))
}

/// Addresses that are in machine registers in a block.
#[derive(Default)]
pub(super) struct Here {
    block: Option<Block>,
    context: Option<Value>,
    own: Option<Value>,
    x: Option<Value>,
}

impl Lowering<'_> {
    /// What has been loaded in the current block since the last call.
    fn here(&mut self) -> &mut Here {
        let block = self.b.current_block();
        if self.here.block != block {
            self.here = Here {
                block,
                ..Here::default()
            };
        }
        &mut self.here
    }

    /// A call follows: what has been loaded is not kept over it.
    pub(super) fn forget_loaded(&mut self) {
        self.here = Here::default();
    }

    /// An address that is loaded once a block.
    fn once(
        &mut self,
        place: fn(&mut Here) -> &mut Option<Value>,
        load: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        if let Some(address) = *place(self.here()) {
            return address;
        }
        let address = load(self);
        *place(self.here()) = Some(address);
        address
    }

    /// The address of the `Ctx`.
    pub(super) fn context(&mut self) -> Value {
        self.once(|h| &mut h.context, |l| l.b.ins().get_pinned_reg(I64))
    }

    /// The address of the process's own part.
    pub(super) fn own(&mut self) -> Value {
        self.once(|h| &mut h.own, |l| l.context_field(layout::OWN))
    }

    /// The address of the X registers.
    pub(super) fn x_registers(&mut self) -> Value {
        self.once(|h| &mut h.x, |l| l.context_field(layout::X))
    }

    /// A field of the `Ctx`.
    pub(super) fn context_field(&mut self, at: usize) -> Value {
        let p = self.context();
        self.b.ins().load(I64, trusted(), p, at as i32)
    }

    /// A field of the process's own part.
    pub(super) fn own_field(&mut self, at: usize) -> Value {
        let own = self.own();
        self.b.ins().load(I64, trusted(), own, at as i32)
    }

    pub(super) fn load_x(&mut self, n: usize) -> Value {
        let x = self.x_registers();
        self.b.ins().load(I64, trusted(), x, x_offset(n))
    }

    /// Writes X registers to memory.
    pub(super) fn store_x(&mut self, list: impl IntoIterator<Item = (usize, Value)>) {
        let mut list = list.into_iter().peekable();
        if list.peek().is_none() {
            return;
        }
        let x = self.x_registers();
        for (n, v) in list {
            self.b.ins().store(trusted(), v, x, x_offset(n));
        }
    }

    // ---- helpers ----

    /// Calls a helper.
    pub(super) fn help(&mut self, helper: Helper, args: &[Value]) -> Value {
        match helper.call() {
            HelperCall::Threaded => self.help_threaded(helper, args),
            HelperCall::Keeping => self.help_keeping(helper, args),
            HelperCall::Again
            | HelperCall::LastAt
            | HelperCall::LastWith
            | HelperCall::Last
            | HelperCall::Landing => {
                enigma_runtime::bug::vm_bug("a helper that takes a function's place is called")
            }
            HelperCall::Direct => {
                let p = self.context();
                let [a, b, c] = three(args, p);
                let address = self.word(helper.address() as u64);
                self.forget_loaded();
                let call = self
                    .b
                    .ins()
                    .call_indirect(self.helper_sig, address, &[p, a, b, c]);
                self.b.inst_results(call)[0]
            }
        }
    }

    /// What native functions take: these words, three at most, and what is threaded.
    pub(super) fn with_threaded(&mut self, words: &[Value]) -> SmallVec<[Value; 6]> {
        let [reds, hp, sp] = [self.reds, self.hp, self.sp].map(|v| self.b.use_var(v));
        let (first, others) = words.split_first().map_or((sp, &[][..]), |(f, o)| (*f, o));
        [first, sp, hp, reds]
            .into_iter()
            .chain(others.iter().copied())
            .collect()
    }

    fn help_threaded(&mut self, helper: Helper, args: &[Value]) -> Value {
        let args = self.with_threaded(args);
        let f = self.symbol(Symbol::Glue(helper), args.len());
        self.forget_loaded();
        let call = self.b.ins().call(f, &args);
        let r = self.b.inst_results(call).to_vec();
        self.take_threaded(&r);
        self.b.def_var(self.sp, r[3]);
        self.after_helper(helper);
        self.credit = 0;
        r[0]
    }

    /// Calls a helper that keeps all registers: what it changes is read from memory.
    fn help_keeping(&mut self, helper: Helper, args: &[Value]) -> Value {
        let p = self.context();
        for (at, &v) in (0i32..).zip(args) {
            let to = layout::ARGUMENTS as i32 + 8 * at;
            self.b.ins().store(trusted(), v, p, to);
        }
        if !helper.only_looks() {
            let sp = self.b.use_var(self.sp);
            self.b.ins().store(trusted(), sp, p, layout::SP as i32);
            self.put_back();
        }
        let f = self.symbol(Symbol::Glue(helper), 0);
        self.b.ins().call(f, &[]);
        if !helper.only_looks() {
            let reds = self.context_field(layout::REDS);
            let hp = self.own_field(layout::HP);
            self.b.def_var(self.reds, reds);
            self.b.def_var(self.hp, hp);
            self.credit = 0;
        }
        if helper.moves_stack() {
            let sp = self.context_field(layout::SP);
            self.b.def_var(self.sp, sp);
        }
        self.after_helper(helper);
        self.context_field(layout::ANSWER)
    }

    /// Takes reductions and heap pointer as a call has given them back.
    pub(super) fn take_threaded(&mut self, results: &[Value]) {
        self.b.def_var(self.reds, results[1]);
        self.b.def_var(self.hp, results[2]);
    }

    /// Goes on elsewhere if a helper has said 0.
    pub(super) fn leave_if_zero(&mut self, answer: Value) {
        let elsewhere = To::plain(self.elsewhere());
        self.go_on_if(answer, &elsewhere);
    }

    /// Goes on elsewhere if a helper has given `NONVALUE`.
    pub(super) fn leave_if_nonvalue(&mut self, v: Value) {
        let elsewhere = To::plain(self.elsewhere());
        let is = self.is_nonvalue(v);
        self.go_on_unless(is, &elsewhere);
    }

    /// Takes a reduction for entering the function with these arguments, terms or doubles; `then` goes on with them where there is one.
    pub(super) fn count_reduction(&mut self, args: &[Value], then: impl FnOnce(&mut Self)) {
        let reds = self.b.use_var(self.reds);
        let over = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, reds, 1);
        let over = self.or_by_chance(over);
        let left = self.b.ins().iadd_imm_s(reds, -1);
        let block = match self.out_of_reductions {
            Some(block) => block,
            None => {
                let block = self.cold_block();
                for _ in args {
                    self.b.append_block_param(block, I64);
                }
                self.out_of_reductions = Some(block);
                block
            }
        };
        if args.iter().all(|&v| self.b.func.dfg.value_type(v) == I64) {
            let args = args.iter().map(|&v| v.into()).collect();
            self.go_on_unless(over, &To { block, args });
            self.b.def_var(self.reds, left);
            return then(self);
        }
        let cold = self.unlikely_if(over);
        self.b.def_var(self.reds, left);
        then(self);
        self.begin(cold);
        let args = args.iter().map(|&v| self.term_of(v).into()).collect();
        self.go(&To { block, args });
    }

    /// Takes a reduction for a call in whose place something else stands; the next entry of a function looks whether it was the last.
    pub(super) fn charge_reduction(&mut self) {
        let reds = self.b.use_var(self.reds);
        let left = self.b.ins().iadd_imm_s(reds, -1);
        self.b.def_var(self.reds, left);
    }

    /// What is done when there are no reductions left: a helper takes the place of the function, with its arguments.
    pub(super) fn out_of_reductions(&mut self) {
        let Some(block) = self.out_of_reductions else {
            return;
        };
        self.begin(block);
        self.place(None);
        let args = self.b.block_params(block).to_vec();
        self.shake();
        let me = self.word(std::ptr::from_ref(self.me) as u64);
        let p = self.context();
        self.b
            .ins()
            .store(trusted(), me, p, layout::ARGUMENTS as i32);
        let args = self.pass(&args);
        self.go_to(Symbol::Glue(Helper::OutOfReductions), &args);
    }

    // ---- exits ----

    /// The block that lets the interpreter go on at an exit.
    pub(super) fn exit_block(&mut self, e: ExitRef) -> Block {
        if let Some(&b) = self.exits.get(&e) {
            return b;
        }
        let b = self.cold_block();
        self.exits.insert(e, b);
        b
    }

    /// Leaves at the exit if the condition holds.
    pub(super) fn exit_if(&mut self, condition: Value, e: ExitRef) {
        let exit = To::plain(self.exit_block(e));
        self.go_on_unless(condition, &exit);
    }

    /// Writes the registers of an exit to memory.
    pub(super) fn store_registers(&mut self, e: ExitRef) {
        self.store_from(e, 0);
    }

    /// The same without the first two X registers. Gives their values, if they have any.
    fn store_but_first(&mut self, e: ExitRef) -> [Option<Value>; 2] {
        self.store_from(e, 2);
        let exit = &self.source.exits[e.index()];
        [0, 1].map(|n| {
            let (_, v) = exit.x.iter().find(|(x, _)| *x == n)?;
            let v = self.val(*v);
            Some(self.term_of(v))
        })
    }

    /// Writes the registers of an exit to memory, X registers from this one on.
    fn store_from(&mut self, e: ExitRef, from: u16) {
        let exit = &self.source.exits[e.index()];
        let list = exit.x.iter().filter(|(n, _)| *n >= from);
        let terms: Vec<(u16, Value)> = list
            .map(|&(n, v)| {
                let v = self.val(v);
                (n, self.term_of(v))
            })
            .collect();
        if terms.is_empty() && exit.floats.is_empty() {
            return;
        }
        let x = self.x_registers();
        for (n, v) in terms {
            self.b
                .ins()
                .store(trusted(), v, x, x_offset(usize::from(n)));
        }
        for &(n, v) in &exit.floats {
            let v = self.val(v);
            self.b.ins().store(trusted(), v, x, float_offset(n));
        }
    }

    /// What the exits do.
    pub(super) fn leave_blocks(&mut self) {
        let mut exits: Vec<(ExitRef, Block)> = self.exits.iter().map(|(&e, &b)| (e, b)).collect();
        exits.sort_unstable();
        for (e, block) in exits {
            self.begin(block);
            let pc = self.source.exits[e.index()].pc;
            self.place(Some(pc));
            self.b.set_srcloc(SourceLoc::new(pc | EXIT_PLACE));
            self.take_census(pc, Handing::Exit);
            let first = match self.hands_over {
                true => self.store_but_first(e),
                false => {
                    self.store_registers(e);
                    [None; 2]
                }
            };
            if let Some(under) = self.source.exits[e.index()].under {
                self.push_return_address(under);
            }
            let pc = self.pc_word(self.source.exits[e.index()].pc);
            // The helper writes both X registers to memory, whatever is in the machine registers: nobody reads what is not live.
            let (helper, words): (_, SmallVec<[Value; 3]>) = match first {
                [None, None] => (Helper::ResumeAt, SmallVec::from_iter([pc])),
                [x, None] => (
                    Helper::ResumeWith,
                    SmallVec::from_iter([x.unwrap_or(pc), pc]),
                ),
                [x, Some(y)] => (
                    Helper::ResumeWith,
                    SmallVec::from_iter([x.unwrap_or(pc), pc, y]),
                ),
            };
            let args = self.with_threaded(&words);
            self.go_to(Symbol::Glue(helper), &args);
        }
    }

    /// Puts heap pointer and reductions where everybody else finds them.
    fn put_back(&mut self) {
        let p = self.context();
        let (hp, reds) = (self.b.use_var(self.hp), self.b.use_var(self.reds));
        self.b.ins().store(trusted(), reds, p, layout::REDS as i32);
        let own = self.own();
        self.b.ins().store(trusted(), hp, own, layout::HP as i32);
    }

    // ---- heap ----

    /// Are there not so many words of heap?
    fn is_too_much(&mut self, words: u32) -> Value {
        let hp = self.b.use_var(self.hp);
        let after = self.b.ins().iadd_imm_s(hp, 8 * i64::from(words));
        self.is_past_heap(after)
    }

    /// Does what ends at this address not fit the heap?
    pub(super) fn is_past_heap(&mut self, after: Value) -> Value {
        let end = self.own_field(layout::HEAP_END);
        self.b.ins().icmp(IntCC::UnsignedGreaterThan, after, end)
    }

    /// The address of so many fresh words.
    pub(super) fn alloc(&mut self, words: u32) -> Value {
        if self.credit < words {
            let over = self.is_too_much(words);
            self.rarely(over, |l| {
                let n = l.word(u64::from(words));
                l.help(Helper::MoreRoom, &[n]);
            });
            self.credit = words;
        }
        self.credit -= words;
        let hp = self.b.use_var(self.hp);
        let after = self.b.ins().iadd_imm_s(hp, 8 * i64::from(words));
        self.b.def_var(self.hp, after);
        hp
    }

    /// Leaves if there are not so many words of heap, as there never are where each chance to collect is to be taken.
    pub(super) fn reserve(&mut self, words: u32, exit: ExitRef) {
        let over = match self.stressed {
            true => self.b.ins().iconst(I8, 1),
            false => self.is_too_much(words),
        };
        self.exit_if(over, exit);
        self.credit = words;
    }

    /// Is there no room on the stack for so many words, and what a frame leaves free?
    fn is_past_stack(&mut self, words: u32) -> Value {
        let need = 8 * (i64::from(words) + layout::STACK_SLACK as i64);
        let sp = self.b.use_var(self.sp);
        let lowest = self.b.ins().iadd_imm_s(sp, -need);
        let limit = self.own_field(layout::STACK_LIMIT);
        self.b.ins().icmp(IntCC::UnsignedLessThan, lowest, limit)
    }

    /// The bytes of the stack below what the call has pushed that is about to be made.
    pub(super) fn stack_depth(&mut self) -> Value {
        let start = self.own_field(layout::STACK_LIMIT);
        let own = self.own();
        let at = layout::STACK_WORDS as i32;
        let words = self.b.ins().uload32(trusted(), own, at);
        let bytes = self.b.ins().ishl_imm_u(words, 3);
        let end = self.b.ins().iadd(start, bytes);
        let sp = self.b.use_var(self.sp);
        let depth = self.b.ins().isub(end, sp);
        self.b.ins().iadd_imm_s(depth, -8)
    }

    /// Sees to it that there is as much room on the stack as a frame leaves free.
    pub(super) fn room_on_stack(&mut self) {
        let over = self.is_past_stack(0);
        self.rarely(over, |l| {
            l.help(Helper::MoreStack, &[]);
        });
    }

    /// Makes a frame.
    pub(super) fn allocate(&mut self, slots: u32, heap: u32, clear: &[u16], exit: ExitRef) {
        let over = self.is_past_stack(slots);
        self.exit_if(over, exit);
        if heap > 0 {
            self.reserve(heap, exit);
        }
        let sp = self.b.use_var(self.sp);
        let sp = self.b.ins().iadd_imm_s(sp, -8 * i64::from(slots));
        self.b.def_var(self.sp, sp);
        if !clear.is_empty() {
            let nil = self.word(enigma_runtime::term::Term::NIL.raw());
            for &n in clear {
                self.b.ins().store(trusted(), nil, sp, 8 * i32::from(n));
            }
        }
    }
}
