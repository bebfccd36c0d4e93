//! Messages: sending, and the loop of `receive`.

use crate::atom::Atom;
use crate::bif::{self, Exit};
use crate::code::export;
use crate::code::forms::{jump, loop_rec, marker_bind, plain, source, target, wait_timeout};
use crate::interp::machine::Any;
use crate::interp::{Outcome, calls, receive};
use crate::process::last_calls::LastCall;
use crate::process::{Timeout, handle};

handlers! {
    loop_rec |m| {
        match m.cx.own.mailbox.peek() {
            Some(message) => {
                m.dst::<Any>(loop_rec::TO, message);
                m.next(loop_rec::WORDS)
            }
            None => m.hand_to(slow::fetch),
        }
    }
}

slow_handlers! {
    send |m| {
        let (to, message) = (m.getx(0), m.getx(1));
        m.cx.note_bif(LastCall::Function(Atom::ERLANG, Atom::SEND_MESSAGE, 2));
        match bif::send(m.cx, to, message) {
            Ok(()) => {
                m.setx(0, message);
                m.cx.reds -= 4;
                m.next(plain::WORDS)
            }
            Err(e @ Exit::Raise { .. }) => {
                let export = export::get(Atom::ERLANG, Atom::SEND_MESSAGE, 2);
                m.end_with(|cx, pc| calls::bif_raised(cx, pc, export, &[to, message], e))
            }
            Err(e) => {
                let waits = matches!(e, Exit::Wait);
                let again = m.pc;
                m.park(again, 2, if waits { Outcome::Wait } else { Outcome::Yield })
            }
        }
    }
    // Takes the signals that have arrived, as there is no message yet.
    fetch |m| {
        if handle::is_behind(m.cx.proc, m.cx.own) {
            m.cx.own.pc = m.pc;
            handle::fetch(m.cx);
            if m.cx.own.exit_reason.is_some() {
                return m.stop(Outcome::Exit);
            }
            m.reload();
        }
        match m.cx.own.mailbox.peek() {
            Some(message) => {
                m.dst::<Any>(loop_rec::TO, message);
                m.next(loop_rec::WORDS)
            }
            None if m.cx.own.has_unhandled() => {
                let again = m.pc;
                m.park(again, 0, Outcome::Yield)
            }
            None => m.jump(loop_rec::NONE),
        }
    }
    loop_rec_end |m| {
        m.cx.own.mailbox.skip();
        m.cx.reds -= 1;
        let back = m.destination(jump::TO);
        if m.cx.reds < 0 {
            let next = calls::out_of_reductions(m.cx, back, 0);
            return m.follow(next);
        }
        m.go_to(back)
    }
    wait |m| {
        let back = m.destination(jump::TO);
        m.park(back, 0, Outcome::Wait)
    }
    wait_timeout |m| {
        let (back, time) = (m.destination(wait_timeout::BACK), m.src::<Any>(wait_timeout::TIME));
        match m.cx.own.timeout {
            Timeout::Over => m.next(wait_timeout::WORDS),
            Timeout::Running(..) | Timeout::Never => m.park(back, 0, Outcome::Wait),
            Timeout::None => match receive::start_wait(m.cx, time) {
                Some(receive::Wait::Over) => m.next(wait_timeout::WORDS),
                Some(receive::Wait::Started) => m.park(back, 0, Outcome::Wait),
                None => {
                    m.cx.own.mailbox.rewind();
                    m.error(Atom::TIMEOUT_VALUE)
                }
            },
        }
    }
    timeout |m| {
        m.cx.note_call(LastCall::Timeout);
        m.cx.own.mailbox.rewind();
        m.cx.own.timeout = Timeout::None;
        m.next(plain::WORDS)
    }
    remove_message |m| {
        receive::take(m.cx);
        m.next(plain::WORDS)
    }
    hibernated |m| {
        if m.cx.own.mailbox.is_empty() {
            let here = m.pc;
            return m.park(here, 3, Outcome::Wait);
        }
        m.next(plain::WORDS)
    }

    // Signals are not fetched by `marker_reserve`, where X registers may be live: messages that wait outside
    // get later numbers than the marker, and are looked at once more than need be.
    marker_reserve |m| {
        let marker = m.cx.own.mailbox.reserve_marker();
        m.dst::<Any>(target::TO, marker);
        m.next(target::WORDS)
    }
    marker_bind |m| {
        let (marker, reference) = (m.src::<Any>(marker_bind::MARKER), m.src::<Any>(marker_bind::REFERENCE));
        m.cx.own.mailbox.bind_marker(marker, reference);
        m.next(marker_bind::WORDS)
    }
    marker_clear |m| {
        let reference = m.src::<Any>(source::VALUE);
        m.cx.own.mailbox.clear_marker(reference);
        m.next(source::WORDS)
    }
    marker_use |m| {
        let reference = m.src::<Any>(source::VALUE);
        m.cx.own.mailbox.use_marker(reference);
        m.next(source::WORDS)
    }
}
