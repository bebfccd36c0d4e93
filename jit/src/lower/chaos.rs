//! Code that leaves at random (a test mode, see `interp::native::chaos`).

use super::{Lowering, To, trusted};
use crate::ir::ExitRef;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};
use enigma_runtime::interp::native::{Helper, chaos, layout};

impl Lowering<'_> {
    /// Takes the next random number: is it one of the rare ones?
    fn chance(&mut self) -> Value {
        let p = self.context();
        let state = self.context_field(layout::CHANCE);
        let by = self.word(chaos::MULTIPLIER);
        let state = self.b.ins().imul(state, by);
        let more = self.word(chaos::INCREMENT);
        let state = self.b.ins().iadd(state, more);
        self.b
            .ins()
            .store(trusted(), state, p, layout::CHANCE as i32);
        let upper = self
            .b
            .ins()
            .ushr_imm_u(state, i64::from(64 - chaos::rarity()));
        self.b.ins().icmp_imm_s(IntCC::Equal, upper, 0)
    }

    /// Lets chance too decide whether the condition holds, in the test mode.
    pub(super) fn or_by_chance(&mut self, condition: Value) -> Value {
        if !self.chaotic {
            return condition;
        }
        let chance = self.chance();
        self.b.ins().bor(condition, chance)
    }

    /// Leaves at the exit now and then, in the test mode.
    pub(super) fn leave_by_chance(&mut self, exit: ExitRef) {
        if !self.chaotic {
            return;
        }
        let chance = self.chance();
        let cold = self.unlikely_if(chance);
        let join = self.b.current_block();
        self.b.switch_to_block(cold);
        self.shake();
        let out = To::plain(self.exit_block(exit));
        self.go(&out);
        if let Some(join) = join {
            self.b.switch_to_block(join);
        }
    }

    /// Lets happen what may at such a place, in the test mode.
    pub(super) fn shake(&mut self) {
        if self.chaotic {
            let credit = self.credit;
            let me = self.word(std::ptr::from_ref(self.me) as u64);
            self.help(Helper::Chaos, &[me]);
            self.credit = credit;
        }
    }
}
