//! Work that one process has done by another: collections, and looks at its code.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::{native, purge};
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::signal::{self, Signal, Task};
use enigma_runtime::process::{flag, handle, table};
use enigma_runtime::{BifResult, Ctx, Term, badarg};
use enigma_runtime::{dirty, sched};

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
    let (kind, id, arg) = match request.as_tuple() {
        Some(&[kind, id, arg]) => (kind, id, arg),
        Some(&[kind, id]) if is_test(kind) => (kind, id, Term::atom(Atom::TRUE)),
        _ => return Err(badarg()),
    };
    let arg = arg.as_atom().ok_or_else(badarg)?;
    let kind = match kind.as_atom() {
        Some(k @ (Atom::GARBAGE_COLLECT | Atom::CHECK_PROCESS_CODE)) => k,
        Some(k) if is_test(kind) => k,
        _ => return Err(badarg()),
    };
    let request = Request {
        requester,
        id: OwnedTerm::new(id),
        kind,
        arg,
    };
    table::with(to, |p| sched::raise(p, priority));
    signal::request(to, request.into_task(), Signal::SystemTask);
    Ok(Atom::OK.into())
}

/// A task of which nothing is asked but the answer, for tests of when tasks are done.
fn is_test(kind: Term) -> bool {
    kind.as_atom()
        .is_some_and(|k| k.text() == "system_task_test")
}

/// What is to be done, and who is told.
struct Request {
    requester: u64,
    id: OwnedTerm,
    kind: Atom,
    arg: Atom,
}

impl Request {
    fn into_task(self) -> Task {
        Box::new(move |other| self.perform(other))
    }

    /// Does it, or puts it off where it has to collect and cannot.
    fn perform(self, other: Option<&mut Ctx<'_>>) {
        let collects = self.kind == Atom::GARBAGE_COLLECT;
        let result: Term = match other {
            None => false.into(),
            Some(_) if is_test(self.kind.into()) => true.into(),
            Some(cx)
                if cx.own.heap.forbidden
                    || collects && (dirty::is_under_way(cx.own) || cx.own.has(flag::COLLECTS)) =>
            {
                cx.own.put_off(self.into_task());
                return;
            }
            Some(cx) if collects => {
                cx.own.heap.request_collection(self.arg == Atom::MAJOR);
                if cx.own.heap.is_long_to_collect() {
                    // It is made before the process goes on.
                    let told =
                        move |other: Option<&mut Ctx<'_>>| self.answer(other.is_some().into());
                    cx.own.put_off(Box::new(told));
                    return;
                }
                cx.own.collect(&mut [], 0, false);
                true.into()
            }
            Some(cx) => purge::is_used_by(cx.own, native::place_of(cx.own), self.arg).into(),
        };
        self.answer(result);
    }

    fn answer(self, result: Term) {
        let message = handle::build(|h| {
            let id = copy::copy(self.id.term(), h);
            h.tuple(&[self.kind.into(), id, result])
        });
        signal::send(self.requester, Signal::Message(message));
    }
}
