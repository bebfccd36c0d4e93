//! Native records.

use crate::code::forms::record_op;
use crate::code::records::op;
use crate::data::record;
use crate::interp::machine::Any;
use crate::interp::records::{self, Outcome};
use crate::term::{Kind, Term};

slow_handlers! {
    record_op |m| {
        let (operation, n) = (m.num(record_op::OPERATION) as u64, m.num(record_op::COUNT));
        if operation == op::ELEMENTS {
            let value = m.item(record_op::LIST, 0);
            if !value.is_kind(Kind::Record) {
                return m.jump(record_op::FAIL);
            }
            // The value's own register may be among the destinations, so all fields come first.
            let mut fields: Vec<Term> = Vec::with_capacity(n / 2);
            for i in (1..n).step_by(2) {
                match record::position(value, m.item(record_op::LIST, i)) {
                    Some(at) => fields.push(record::values(value)[at]),
                    None => return m.jump(record_op::FAIL),
                }
            }
            for (k, &v) in fields.iter().enumerate() {
                m.set_item(record_op::LIST, 2 * k + 2, v);
            }
            return m.next(record_op::words(n));
        }
        let args: Vec<Term> = (0..n).map(|i| m.item(record_op::LIST, i)).collect();
        let running = m.module(record_op::MODULE);
        match records::run(m.cx, running, operation, &args) {
            Outcome::Test(true) => {}
            Outcome::Test(false) => return m.jump(record_op::FAIL),
            Outcome::Value(v) => m.dst::<Any>(record_op::TO, v),
            Outcome::Error(_) if m.distance(record_op::FAIL) != 0 => return m.jump(record_op::FAIL),
            Outcome::Error(reason) => return m.error(reason),
        }
        m.cx.note_allocation();
        m.next(record_op::words(n))
    }
}
