//! Native records as the instructions ask for them.

use crate::bif::Ctx;
use crate::code::module::Module;
use crate::code::records::{self, op};
use crate::data::record;
use crate::term::{Kind, Term};

/// What became of an operation.
pub(crate) enum Outcome {
    /// The answer of a test.
    Test(bool),
    /// A value.
    Value(Term),
    /// Where there is no other way to go: the reason of an exception.
    Error(Term),
}

/// Does any operation but `ELEMENTS`.
#[inline(never)]
pub(crate) fn run(cx: &mut Ctx<'_>, running: &Module, operation: u64, args: &[Term]) -> Outcome {
    let result = match (operation, args) {
        (op::IS_ANY, &[value]) => return Outcome::Test(value.is_kind(Kind::Record)),
        (op::IS_NAMED, &[value, module, name]) => {
            return Outcome::Test(record::is_named(value, module, name));
        }
        (op::IS_ACCESSIBLE, &[value, scope]) => {
            return Outcome::Test(records::is_accessible(running, value, scope));
        }
        (op::PUT, [id, source, changes @ ..]) => {
            let changes: Vec<(Term, Term)> =
                changes.chunks_exact(2).map(|p| (p[0], p[1])).collect();
            records::put(cx.heap(), running, *id, *source, &changes)
        }
        (op::FIELD, &[value, id, field]) => records::field(cx.heap(), running, value, id, field),
        _ => crate::bug::vm_bug("an operation on native records with other operands"),
    };
    match result {
        Ok(value) => Outcome::Value(value),
        Err(reason) => Outcome::Error(reason),
    }
}
