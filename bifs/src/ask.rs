//! One process asks another something and waits for the answer.
//!
//! A process that waits is looked at directly. To any other one the question is a signal that runs in it, with
//! its memory at hand; the BIF that asks waits (`Exit::Wait`) and is called again when something happens; what
//! it waits for is kept in the process.

use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::table;
use enigma_runtime::sched::{self, hold};
use enigma_runtime::{BifResult, Ctx, Exit};
use parking_lot::Mutex;
use std::sync::Arc;

struct Awaited(Arc<Mutex<Option<OwnedTerm>>>);

/// Asks process `to`: `question` runs there, without a context if it is gone, and gives the value. What it makes
/// in the heap of that process is gone afterwards.
pub fn ask(
    cx: &mut Ctx<'_>,
    to: u64,
    question: impl FnOnce(Option<&mut Ctx<'_>>) -> OwnedTerm + Send + 'static,
) -> BifResult {
    let question = |other: Option<&mut Ctx<'_>>| match other {
        None => question(None),
        Some(other) => hold::aside(other, |other| question(Some(other))),
    };
    if let Some(Awaited(slot)) = cx.own.bif_state() {
        let answer = slot.lock().take().ok_or(Exit::Wait)?;
        cx.own.rare().bif_state = None;
        return Ok(copy::copy(answer.term(), cx.heap()));
    }
    if let Some(mut held) = hold::hold(to) {
        let answer = held.look(cx, |other| question(Some(other)));
        drop(held);
        return Ok(copy::copy(answer.term(), cx.heap()));
    }
    let slot = Arc::new(Mutex::new(None));
    cx.own.rare().bif_state = Some(Box::new(Awaited(slot.clone())));
    let me = cx.proc.id;
    let answer = move |other: Option<&mut Ctx<'_>>| {
        *slot.lock() = Some(question(other));
        table::with(me, sched::wake);
    };
    let priority = cx.proc.state.priority();
    table::with(to, |p| sched::raise(p, priority));
    signal::request(to, Box::new(answer), Signal::Task);
    Err(Exit::Yield)
}
