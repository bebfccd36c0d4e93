//! Work that one process has done by another: collections, and looks at its code.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::purge;
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::handle;
use enigma_runtime::process::signal::{self, Signal, Task};
use enigma_runtime::{BifResult, Ctx, Term, badarg};

bifs! { BIFS:
    "erts_internal" {
        "request_system_task"/3 Call => request_system_task3;
        "request_system_task"/4 Call => request_system_task4;
    }
}

fn request_system_task3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let requester = cx.self_pid();
    system_task(requester, a[0], a[2])
}

fn request_system_task4(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    system_task(a[0], a[1], a[3])
}

/// Sends `{Type, Id, Arg}` to be done by `target`; the answer `{Type, Id, Result}` goes to `requester`.
fn system_task(requester: Term, target: Term, request: Term) -> BifResult {
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
                cx.own.collect(&mut [], 0, arg == Atom::MAJOR);
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
    if let Err(task) = signal::send_system_task(to, task) {
        task(None);
    }
    Ok(Atom::OK.into())
}
