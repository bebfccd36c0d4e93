//! Taking a message, and waiting for one with a time.

use crate::atom::Atom;
use crate::bif::Ctx;
use crate::process::last_calls::LastCall;
use crate::process::{Timeout, system_monitor};
use crate::term::Term;
use crate::{time, timer};

/// Takes the message that the process looks at.
pub(super) fn take(cx: &mut Ctx<'_>) {
    cx.note_call(LastCall::Receive);
    let own = &mut *cx.own;
    own.mailbox.take(&mut own.heap.young);
    if own.mailbox.is_long {
        system_monitor::long_queue_has_shrunk(own);
    }
    if let Timeout::Running(_, handle) = own.timeout {
        timer::cancel(handle);
    }
    own.timeout = Timeout::None;
    cx.note_allocation();
}

/// How a wait begins.
pub(super) enum Wait {
    /// No time to wait.
    Over,
    /// The timer runs, or there is none because the time is infinite.
    Started,
}

/// Starts to wait for the time that an operand of `wait_timeout` names, in milliseconds.
pub(super) fn start_wait(cx: &mut Ctx<'_>, t: Term) -> Option<Wait> {
    if t.as_atom() == Some(Atom::INFINITY) {
        cx.own.timeout = Timeout::Never;
        return Some(Wait::Started);
    }
    let ms = t.as_small().filter(|&n| (0..=0xffff_ffff).contains(&n))?;
    if ms == 0 {
        return Some(Wait::Over);
    }
    let deadline = time::monotonic() + ms * 1_000_000;
    let (number, handle) = timer::start_wait(cx.proc.id, deadline);
    cx.own.timeout = Timeout::Running(number, handle);
    Some(Wait::Started)
}
