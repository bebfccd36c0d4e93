//! Calls, returns, frames, and instructions that the interpreter executes.

use super::data::word_at;
use super::intrinsics::Intrinsic;
use super::{IN_REGISTERS, Lowering, Symbol, To, trusted};
use crate::census::Handing;
use crate::ir::{Callee, ExitRef, InstData, Op};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, I8, I32, I64};
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value};
use enigma_runtime::code::export::{self, Export};
use enigma_runtime::interp::native::{Helper, layout};
use enigma_runtime::term::{Header, Kind};
use smallvec::SmallVec;

/// The machine code that a call goes to.
enum Code {
    /// Code that is there as long as this one is.
    Known(Symbol),
    /// Its address.
    At(Value),
}

impl Lowering<'_> {
    pub(super) fn calls(&mut self, i: &InstData) {
        let args = self.vals(&i.args);
        match &i.op {
            Op::Allocate {
                slots,
                heap,
                clear,
                exit,
            } => self.allocate(*slots, *heap, clear, *exit),
            Op::Reserve(words, exit) => self.reserve(*words, *exit),
            Op::Drop(slots) => self.drop_slots(*slots),
            Op::PushReturn(after) => {
                self.push_return_address(*after);
                self.charge_reduction();
            }
            Op::Build(_) => self.build_list(&args),
            Op::Return => self.return_or_finish(args[0]),
            Op::Call(callee, after) => {
                self.push_return(*after);
                let code = self.code_of(*callee);
                let v = self.call(code, &args);
                self.define(i, v);
            }
            Op::TailCall(callee, slots) => {
                self.drop_slots(*slots);
                let code = self.code_of(*callee);
                self.tail_call(&code, &args);
            }
            Op::FunCode(arity) => {
                let (none, join) = (self.fresh_block(), self.fresh_block());
                let found = self.b.append_block_param(join, I64);
                let code = self.code_of_fun(args[0], *arity as usize, &To::plain(none));
                self.b.ins().jump(join, &[code.into()]);
                self.begin(none);
                let zero = self.word(0);
                self.b.ins().jump(join, &[zero.into()]);
                self.begin(join);
                self.define(i, found);
            }
            Op::CallFun(after, exit) | Op::CallFunAt(after, exit) => {
                let point = self.return_point(*after);
                let join = self.fresh_block();
                let value = self.b.append_block_param(join, I64);
                let (known, args) = match i.op {
                    Op::CallFunAt(..) => (Some(args[0]), &args[1..]),
                    _ => (None, &args[..]),
                };
                let (address, args) = self.prepare_fun(known, args, |l| {
                    let v = l.call_step(point, *exit);
                    l.go(&To {
                        block: join,
                        args: vec![v.into()],
                    });
                });
                self.push_return_point(point);
                let v = self.call(Code::At(address), &args);
                self.go(&To {
                    block: join,
                    args: vec![v.into()],
                });
                self.begin(join);
                self.define(i, value);
            }
            Op::TailCallFun(slots, exit) => {
                let (address, args) = self.prepare_fun(None, &args, |l| {
                    let exit = l.exit_block(*exit);
                    l.b.ins().jump(exit, &[]);
                });
                self.drop_slots(*slots);
                self.tail_call(&Code::At(address), &args);
            }
            Op::CallApply(after, exit) => {
                let point = self.return_point(*after);
                let (slow, join) = (self.cold_block(), self.fresh_block());
                let value = self.b.append_block_param(join, I64);
                let with = |v: Value| To {
                    block: join,
                    args: vec![v.into()],
                };
                let (code, args) = self.prepare_apply(&args, &To::plain(slow));
                self.push_return_point(point);
                let v = self.call(code, args);
                self.go(&with(v));
                self.begin(slow);
                let v = self.call_step(point, *exit);
                self.go(&with(v));
                self.begin(join);
                self.credit = 0;
                self.define(i, value);
            }
            Op::TailCallApply(slots, exit) => {
                let slow = self.exit_block(*exit);
                let (code, args) = self.prepare_apply(&args, &To::plain(slow));
                self.drop_slots(*slots);
                self.tail_call(&code, args);
            }
            Op::CallBif(export, after, exit) => {
                let call = |l: &mut Self| l.call_bif(export, &args, *after, *exit);
                let v = match Intrinsic::of(export) {
                    Some(which) => self.intrinsic(which, &args, call),
                    None => call(self),
                };
                self.define(i, v);
            }
            Op::CallStep(after, exit) => {
                let point = self.return_point(*after);
                let v = self.call_step(point, *exit);
                self.define(i, v);
            }
            Op::Again(target) => {
                let to = self.to(target);
                self.count_reduction(&args, |l| l.go(&to));
            }
            Op::Step { .. } => self.step(i),
            op => enigma_runtime::bug::vm_bug(&format!(
                "an instruction that is not lowered: {:?}",
                std::mem::discriminant(op)
            )),
        }
    }

    fn drop_slots(&mut self, n: u32) {
        if n > 0 {
            let sp = self.b.use_var(self.sp);
            let sp = self.b.ins().iadd_imm_s(sp, 8 * i64::from(n));
            self.b.def_var(self.sp, sp);
        }
    }

    pub(super) fn return_value(&mut self, v: Value) {
        let [reds, hp, sp] = [self.reds, self.hp, self.sp].map(|v| self.b.use_var(v));
        self.b.ins().return_(&[v, reds, hp, sp]);
    }

    /// Calls a BIF, in the state of an exit.
    fn call_bif(&mut self, export: &Export, args: &[Value], after: u32, exit: ExitRef) -> Value {
        self.store_x(args.iter().copied().enumerate());
        let pc = self.source.exits[exit.index()].pc;
        let export = self.word(std::ptr::from_ref(export) as u64);
        let point = self.return_point(after);
        let (pc, point) = (self.pc_word(pc), self.word(point));
        let v = self.help(Helper::CallBif, &[export, pc, point]);
        self.leave_if_nonvalue(v);
        v
    }

    pub(super) fn guard_bif(&mut self, i: &InstData, bif: &Export) {
        let mut args = vec![self.word(std::ptr::from_ref(bif) as u64)];
        args.extend(self.vals(&i.args));
        let v = self.help(Helper::GuardBif, &args);
        self.define(i, v);
    }

    /// Lets the interpreter execute the call at an exit, which is to return to the point.
    fn call_step(&mut self, point: u64, exit: ExitRef) -> Value {
        self.store_registers(exit);
        let pc = self.source.exits[exit.index()].pc;
        self.take_census(pc, Handing::Call);
        let (pc, point) = (self.pc_word(pc), self.word(point));
        let v = self.help(Helper::CallStep, &[pc, point]);
        self.leave_if_nonvalue(v);
        v
    }

    /// The code that a callee's calls go to.
    fn code_of(&mut self, callee: Callee) -> Code {
        let entry = match callee {
            Callee::This => return Code::Known(Symbol::This),
            Callee::Local(n) => {
                let function = &self.me.module().functions[n as usize];
                if function.entry.native().is_some() && !function.may_be_replaced() {
                    return Code::Known(Symbol::Function(n));
                }
                self.word(std::ptr::from_ref(&function.entry) as u64)
            }
            Callee::Export(export) => {
                let export = self.word(std::ptr::from_ref(export) as u64);
                self.b
                    .ins()
                    .load(I64, trusted(), export, export::ENTRY_AT as i32)
            }
        };
        Code::At(self.code_of_entry(entry))
    }

    /// The code of an entry record. A function without any is told by the record.
    fn code_of_entry(&mut self, entry: Value) -> Value {
        let p = self.context();
        self.b
            .ins()
            .store(trusted(), entry, p, layout::CALLEE as i32);
        let code = self
            .b
            .ins()
            .load(I64, trusted(), entry, layout::NATIVE as i32);
        self.take_census_of_call(code);
        code
    }

    /// The arguments as native functions take them; those that are not in registers are stored.
    pub(super) fn pass(&mut self, args: &[Value]) -> SmallVec<[Value; 6]> {
        let rest = args.iter().copied().enumerate().skip(IN_REGISTERS);
        self.store_x(rest);
        self.with_threaded(&args[..args.len().min(IN_REGISTERS)])
    }

    /// A call whose return address is pushed.
    fn call(&mut self, code: Code, args: &[Value]) -> Value {
        let args = self.pass(args);
        let without = match self.has_handlers {
            true => {
                let depth = self.stack_depth();
                To {
                    block: self.landing(),
                    args: vec![depth.into()],
                }
            }
            false => To::plain(self.nonvalue()),
        };
        let r = self.call_code(&code, &args);
        let is = self.is_nonvalue(r[0]);
        self.go_on_unless(is, &without);
        self.take_threaded(&r);
        self.close_all();
        let sp = self.b.ins().iadd_imm_s(r[3], 8);
        self.b.def_var(self.sp, sp);
        self.credit = 0;
        r[0]
    }

    /// Returns what a callee has returned if that is `NONVALUE`.
    fn return_if_nonvalue(&mut self, v: Value) {
        let nonvalue = To::plain(self.nonvalue());
        let is = self.is_nonvalue(v);
        self.go_on_unless(is, &nonvalue);
    }

    /// A call, as native functions take and give values.
    fn call_code(&mut self, code: &Code, args: &[Value]) -> Vec<Value> {
        self.forget_loaded();
        let call = match *code {
            Code::Known(s) => {
                let f = self.symbol(s, args.len());
                self.b.ins().call(f, args)
            }
            Code::At(address) => {
                let signature = self.signature(args.len());
                self.b.ins().call_indirect(signature, address, args)
            }
        };
        self.b.inst_results(call).to_vec()
    }

    fn tail_call(&mut self, code: &Code, args: &[Value]) {
        let args = self.pass(args);
        if let Some(keeps) = self.keeps_list() {
            let plain = self.fresh_block();
            let threaded = [self.reds, self.hp, self.sp].map(|v| (v, self.b.use_var(v)));
            let list = self.fresh_block();
            self.b.set_cold_block(list);
            self.b.ins().brif(keeps, list, &[], plain, &[]);
            self.begin(list);
            let r = self.call_code(code, &args);
            self.return_if_nonvalue(r[0]);
            self.take_threaded(&r);
            self.b.def_var(self.sp, r[3]);
            // The interpreter, if it has run the callee, has put the list before the value.
            if let Some(keeps) = self.keeps_list() {
                let done = self.unlikely_unless(keeps);
                self.finish_list(r[0]);
                self.begin(done);
                self.b.ins().return_(&r);
            }
            self.begin(plain);
            for (variable, v) in threaded {
                self.b.def_var(variable, v);
            }
        }
        match *code {
            Code::Known(s) => self.go_to(s, &args),
            Code::At(address) => {
                let signature = self.signature(args.len());
                self.b.ins().return_call_indirect(signature, address, &args);
            }
        }
    }

    /// The code of the function that the last two arguments name, and its arguments; where it is not a loaded one, control goes
    /// to `slow`.
    fn prepare_apply<'a>(&mut self, args: &'a [Value], slow: &To) -> (Code, &'a [Value]) {
        let (args, name) = args.split_at(args.len() - 2);
        let arity = self.word(args.len() as u64);
        let entry = self.help(Helper::FindEntry, &[name[0], name[1], arity]);
        self.go_on_if(entry, slow);
        (Code::At(self.code_of_entry(entry)), args)
    }

    /// The code that calls a fun, the last argument, and the arguments with which that is to be called. `known` is the code if it
    /// has been looked for. `otherwise` goes on where it cannot be called at once.
    fn prepare_fun(
        &mut self,
        known: Option<Value>,
        args: &[Value],
        otherwise: impl FnOnce(&mut Self),
    ) -> (Value, Vec<Value>) {
        let (fun, args) = (args[args.len() - 1], &args[..args.len() - 1]);
        let (slow, join) = (self.cold_block(), self.fresh_block());
        let address = self.b.append_block_param(join, I64);
        let passed = [(); IN_REGISTERS].map(|()| self.b.append_block_param(join, I64));
        let code = match known {
            Some(code) => {
                self.go_on_if(code, &To::plain(slow));
                code
            }
            None => self.code_of_fun(fun, args.len(), &To::plain(slow)),
        };
        if args.len() >= IN_REGISTERS {
            let p = self.context();
            let to = layout::ARGUMENTS as i32;
            self.b.ins().store(trusted(), fun, p, to);
        }
        self.store_x(args.iter().copied().enumerate().skip(IN_REGISTERS));
        let mut found: Vec<BlockArg> = vec![code.into()];
        found.extend((0..IN_REGISTERS).map(|n| BlockArg::from(*args.get(n).unwrap_or(&fun))));
        self.go(&To {
            block: join,
            args: found,
        });
        self.begin(slow);
        self.store_x(args.iter().copied().enumerate());
        let arity = self.word(args.len() as u64);
        let code = self.help(Helper::PrepareFun, &[fun, arity]);
        let none = self.b.ins().icmp_imm_s(IntCC::Equal, code, 0);
        let cannot = self.unlikely_if(none);
        let mut found: Vec<BlockArg> = vec![code.into()];
        for n in 0..IN_REGISTERS {
            let v = self.load_x(n);
            found.push(v.into());
        }
        self.go(&To {
            block: join,
            args: found,
        });
        self.begin(cannot);
        otherwise(self);
        self.begin(join);
        self.credit = 0;
        (address, passed.to_vec())
    }

    /// The code that calls a fun, to be given the fun behind the arguments or, if that is in memory, as the first of
    /// `Handover::arguments`; where there is none, control goes to `slow`.
    fn code_of_fun(&mut self, fun: Value, arity: usize, slow: &To) -> Value {
        let header = self.header_or(fun, slow);
        let is = self.has_low_byte(header, Header::new(Kind::Fun, 0).raw());
        self.go_on_if(is, slow);
        let entry = self.b.ins().load(I64, trusted(), fun, word_at(1));
        let takes = self
            .b
            .ins()
            .load(I32, trusted(), entry, layout::FUN_ARITY as i32);
        let same = self.b.ins().icmp_imm_s(IntCC::Equal, takes, arity as i64);
        self.go_on_if(same, slow);
        let code = self
            .b
            .ins()
            .load(I64, trusted(), entry, layout::FUN_ENTER as i32);
        self.go_on_if(code, slow);
        code
    }

    /// An instruction that the interpreter executes.
    pub(super) fn step(&mut self, i: &InstData) {
        let Op::Step {
            at,
            next,
            other,
            writes,
            float_writes,
        } = &i.op
        else {
            return;
        };
        self.store_registers(*at);
        self.take_census(self.source.exits[at.index()].pc, Handing::Step);
        let pc = self.pc_word(self.source.exits[at.index()].pc);
        let to = self.help(Helper::Step, &[pc]);
        let next = self.pc_word(*next);
        let on = self.b.ins().icmp(IntCC::Equal, to, next);
        let mut results = i.results.iter();
        match other {
            None => self.leave_if_zero(on),
            Some(other) => {
                let (join, elsewhere) = (self.fresh_block(), self.fresh_block());
                let answer = self.b.append_block_param(join, I8);
                let yes = self.b.ins().iconst(I8, 1);
                self.b.ins().brif(on, join, &[yes.into()], elsewhere, &[]);
                self.begin(elsewhere);
                let other = self.pc_word(*other);
                let is = self.b.ins().icmp(IntCC::Equal, to, other);
                let no = self.b.ins().iconst(I8, 0);
                let nowhere = self.elsewhere();
                self.b.ins().brif(is, join, &[no.into()], nowhere, &[]);
                self.begin(join);
                if let Some(r) = results.next() {
                    self.values[r.index()] = Some(answer);
                }
            }
        }
        for &x in writes {
            let v = self.load_x(usize::from(x));
            if let Some(r) = results.next() {
                self.values[r.index()] = Some(v);
            }
        }
        for &n in float_writes {
            let x = self.x_registers();
            let v = self.b.ins().load(F64, trusted(), x, super::float_offset(n));
            if let Some(r) = results.next() {
                self.values[r.index()] = Some(v);
            }
        }
    }
}
