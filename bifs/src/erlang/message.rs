//! Sending: `!`, `send/2,3`, and the errors of it.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::node;
use enigma_runtime::process::last_calls::LastCall;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{flag, handle, registry};
use enigma_runtime::term::{Kind, list};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, release};

bifs! { BIFS:
    "erlang" {
        "!"/2 Call => send2;
        "send"/2 Call => send2;
        "send"/3 Call => send3;
    }
}

/// What came of an attempt to send.
enum Sent {
    Done,
    /// The name or node is not there.
    NoConnection,
}

/// `priority`: an alias that takes priority messages takes it as one.
fn deliver(cx: &mut Ctx<'_>, to: Term, message: Term, priority: bool) -> Result<Sent, Exit> {
    if let Some(id) = to.as_local_pid() {
        cx.note_call(LastCall::Send);
        // Nothing that was sent earlier is on the way, so this message is the next in the queue; unless
        // priority messages may overtake it, which they do on their way.
        if id != cx.proc.id
            || handle::is_behind(cx.proc, cx.own)
            || cx.own.takes_priority_messages()
            || cx.own.has(flag::OFF_HEAP_MESSAGES)
            || !cx.own.mailbox.push_own(message)
        {
            signal::send_message(id, message);
        }
        return Ok(Sent::Done);
    }
    if let Some(name) = to.as_atom() {
        return match registry::whereis(name) {
            Some(id) => deliver(cx, id, message, priority),
            None => Err(badarg()),
        };
    }
    if let Some(port) = to.as_local_port() {
        crate::ports::message(cx, port, message)?;
        return Ok(Sent::Done);
    }
    match to.kind() {
        Some(Kind::Ref) => {
            let owner = to.ref_owner();
            if owner != 0 {
                signal::send(
                    owner,
                    Signal::AliasMessage {
                        alias: to.ref_number(),
                        message: OwnedTerm::message(message),
                        priority,
                    },
                );
            }
            Ok(Sent::Done)
        }
        Some(Kind::MagicRef) => Ok(Sent::Done),
        Some(Kind::ExtPid | Kind::ExtPort | Kind::ExtRef) => Ok(Sent::NoConnection),
        Some(Kind::Tuple) => {
            let Some(&[name, at]) = to.as_tuple_n::<2>() else {
                return Err(badarg());
            };
            let (Some(name), Some(at)) = (name.as_atom(), at.as_atom()) else {
                return Err(badarg());
            };
            if at != node::this().0 {
                return Ok(Sent::NoConnection);
            }
            if let Some(id) = registry::whereis(name) {
                deliver(cx, id, message, priority)?;
            }
            Ok(Sent::Done)
        }
        _ => Err(badarg()),
    }
}

/// `To ! Message`.
pub fn send(cx: &mut Ctx<'_>, to: Term, message: Term) -> Result<(), Exit> {
    deliver(cx, to, message, false).map(|_| ())
}

fn send2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    send(cx, a[0], a[1])?;
    cx.bump(4);
    Ok(a[1])
}

fn send3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bad_option = || Exit::error_cause(Atom::BADARG, Atom::BADOPT);
    let options = list::to_vec(a[2]).ok_or_else(bad_option)?;
    let (mut no_connect, mut priority) = (false, false);
    for o in options {
        match o.as_atom() {
            Some(Atom::NOCONNECT) => no_connect = true,
            Some(Atom::NOSUSPEND) => {}
            Some(Atom::PRIORITY) if release::priority_messages() => priority = true,
            _ => return Err(bad_option()),
        }
    }
    cx.bump(4);
    match deliver(cx, a[0], a[1], priority)? {
        Sent::NoConnection if no_connect => Ok(Atom::NOCONNECT.into()),
        _ => Ok(Atom::OK.into()),
    }
}
