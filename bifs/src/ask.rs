//! One process asks another something and waits for the answer.
//!
//! The question is a signal that runs in the other process, with its memory at hand. The BIF that asks
//! waits (`Exit::Wait`) and is called again when something happens; what it waits for is kept in the
//! process.

use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::signal::{self, Signal, Task};
use enigma_runtime::process::table;
use enigma_runtime::{BifResult, Ctx, Exit, sched};
use parking_lot::Mutex;
use std::sync::Arc;

struct Pending(Arc<Mutex<Option<OwnedTerm>>>);

/// Asks process `to`: `question` runs there, without a context if it is gone, and gives the value.
pub fn ask(
    cx: &mut Ctx<'_>,
    to: u64,
    question: impl FnOnce(Option<&mut Ctx<'_>>) -> OwnedTerm + Send + 'static,
) -> BifResult {
    ask_by(Signal::Task, cx, to, question)
}

/// The same with a question that runs between two time slices of the other process.
pub fn ask_at_rest(
    cx: &mut Ctx<'_>,
    to: u64,
    question: impl FnOnce(Option<&mut Ctx<'_>>) -> OwnedTerm + Send + 'static,
) -> BifResult {
    ask_by(Signal::SystemTask, cx, to, question)
}

fn ask_by(
    kind: fn(Task) -> Signal,
    cx: &mut Ctx<'_>,
    to: u64,
    question: impl FnOnce(Option<&mut Ctx<'_>>) -> OwnedTerm + Send + 'static,
) -> BifResult {
    let rare = cx.own.rare();
    if let Some(p) = rare
        .bif_state
        .as_ref()
        .and_then(|s| s.downcast_ref::<Pending>())
    {
        let answer = p.0.lock().take();
        return match answer {
            Some(t) => {
                rare.bif_state = None;
                Ok(copy::copy(t.term(), cx.heap()))
            }
            None => Err(Exit::Wait),
        };
    }
    let slot = Arc::new(Mutex::new(None));
    rare.bif_state = Some(Box::new(Pending(slot.clone())));
    let me = cx.proc.id;
    let answer = move |other: Option<&mut Ctx<'_>>| {
        *slot.lock() = Some(question(other));
        table::with(me, sched::wake);
    };
    let priority = cx.proc.state.priority();
    table::with(to, |p| sched::raise(p, priority));
    signal::request(to, Box::new(answer), kind);
    Err(Exit::Yield)
}
