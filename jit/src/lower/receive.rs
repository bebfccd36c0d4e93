//! Messages: instructions that the interpreter executes, but for what they mostly do.

use super::{Lowering, To};
use crate::ir::{InstData, Op};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I8;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};
use enigma_runtime::interp::native::{self, Helper, MessageStep};

impl Lowering<'_> {
    /// Lowers a step that sends or receives; `false` if it is another one.
    pub(super) fn message(&mut self, i: &InstData) -> bool {
        let Op::Step { at, .. } = &i.op else {
            return false;
        };
        let exit = &self.source.exits[at.index()];
        let (_, body, pc) = self.home(exit.pc);
        let Some(what) = native::message_step(&body.code, pc) else {
            return false;
        };
        let register = |n| exit.x.iter().find(|x| x.0 == n).map(|x| x.1);
        match (what, &i.results[..]) {
            (MessageStep::Look, [_, _]) => {
                let message = self.help(Helper::PeekMessage, &[]);
                let none = self.is_nonvalue(message);
                let there = self.b.ins().iconst(I8, 1);
                self.step_if(none, i, &[there, message]);
            }
            (MessageStep::Skip, results) => self.skip_message(i, results.len()),
            (MessageStep::Take, []) => {
                self.help(Helper::TakeMessage, &[]);
            }
            (MessageStep::Send, [_]) => {
                let (Some(to), Some(message)) = (register(0), register(1)) else {
                    return false;
                };
                let (to, message) = (self.val(to), self.val(message));
                let sent = self.help(Helper::SendMessage, &[to, message]);
                let not = self.b.ins().icmp_imm_s(IntCC::Equal, sent, 0);
                self.step_if(not, i, &[message]);
            }
            _ => return false,
        }
        true
    }

    /// Goes on to the next message, for a reduction; the interpreter does it where there is none left.
    fn skip_message(&mut self, i: &InstData, results: usize) {
        let reds = self.b.use_var(self.reds);
        let left = self.b.ins().iadd_imm_s(reds, -1);
        let over = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, left, 0);
        let slow = self.unlikely_if(over);
        self.help(Helper::SkipMessage, &[]);
        self.b.def_var(self.reds, left);
        let skipped = self.b.ins().iconst(I8, 0);
        self.or_step(slow, i, &vec![skipped; results]);
    }

    /// Lets the interpreter execute the instruction if the condition holds; else these are its results.
    fn step_if(&mut self, condition: Value, i: &InstData, results: &[Value]) {
        let slow = self.unlikely_if(condition);
        self.or_step(slow, i, results);
    }

    /// These are the instruction's results, but in the block `slow`, still without instructions, the interpreter executes it.
    fn or_step(&mut self, slow: Block, i: &InstData, results: &[Value]) {
        let join = self.fresh_block();
        let joined: Vec<Value> = i
            .results
            .iter()
            .map(|&r| {
                let ty = self.type_of(r);
                self.b.append_block_param(join, ty)
            })
            .collect();
        let args = results.iter().map(|&v| BlockArg::from(v)).collect();
        self.go(&To { block: join, args });
        self.begin(slow);
        self.step(i);
        let stepped = self.vals(&i.results);
        let args = stepped.into_iter().map(BlockArg::from).collect();
        self.go(&To { block: join, args });
        self.begin(join);
        self.credit = 0;
        for (r, &v) in i.results.iter().zip(&joined) {
            self.values[r.index()] = Some(v);
        }
    }
}
