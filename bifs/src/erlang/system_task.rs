//! Work that one process has done by another: collections, and looks at its code.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::purge;
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::handle;
use enigma_runtime::process::signal::{self, Signal, Task};
use enigma_runtime::process::table;
use enigma_runtime::{BifResult, Ctx, Term, badarg, sched};

bifs! { BIFS:
    "erts_internal" {
        "request_system_task"/3 Call => request_system_task3;
        "request_system_task"/4 Call => request_system_task4;
    }
}

fn request_system_task3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let requester = cx.self_pid();
    system_task(cx, requester, a[0], a[1], a[2])
}

fn request_system_task4(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    system_task(cx, a[0], a[1], a[2], a[3])
}

/// Sends `{Type, Id, Arg}` to be done by `target`, which runs with at least the priority for that; the answer
/// `{Type, Id, Result}` goes to `requester`.
fn system_task(
    cx: &mut Ctx<'_>,
    requester: Term,
    target: Term,
    priority: Term,
    request: Term,
) -> BifResult {
    let priority = match priority.as_atom() {
        Some(Atom::INHERIT) => cx.proc.state.priority(),
        _ => super::spawn::priority(priority)?,
    };
    let to = target.as_local_pid().ok_or_else(badarg)?;
    let requester = requester.as_local_pid().ok_or_else(badarg)?;
    let Some(&[kind, id, arg]) = request.as_tuple_n::<3>() else {
        return Err(badarg());
    };
    let kind = kind.as_atom().ok_or_else(badarg)?;
    let arg = arg.as_atom().ok_or_else(badarg)?;
    if !matches!(kind, Atom::GARBAGE_COLLECT | Atom::CHECK_PROCESS_CODE) {
        return Err(badarg());
    }
    let id = OwnedTerm::new(id);
    let task: Task = Box::new(move |other| {
        let result: Term = match other {
            None => false.into(),
            Some(cx) if kind == Atom::GARBAGE_COLLECT => {
                cx.own.heap.request_collection(arg == Atom::MAJOR);
                cx.own.collect(&mut [], 0, false);
                true.into()
            }
            Some(cx) => purge::is_used_by(cx.own, cx.own.pc, arg).into(),
        };
        let message = handle::build(|h| {
            let id = copy::copy(id.term(), h);
            h.tuple(&[kind.into(), id, result])
        });
        signal::send(requester, Signal::Message(message));
    });
    table::with(to, |p| sched::raise(p, priority));
    signal::request(to, task, Signal::SystemTask);
    Ok(Atom::OK.into())
}
