//! Sending: `!`, `send/2,3`, and the errors of it.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::compare;
use enigma_runtime::dist::nodes::Unreached;
use enigma_runtime::dist::operations::{self, SignalledBy};
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::node;
use enigma_runtime::process::last_calls::LastCall;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{flag, handle, registry, system_monitor};
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
    /// The node is not there, and no connection to it was to be made.
    NoConnection,
    /// The sender would have to wait, and was not to.
    WouldWait,
}

/// How a message is sent.
#[derive(Clone, Copy, Default)]
struct SendOptions {
    /// An alias that takes priority messages takes it as one.
    priority: bool,
    /// No connection is made for it.
    no_connect: bool,
    /// The sender does not wait for a connection that has much to send.
    no_suspend: bool,
}

/// Sends to another node. Who sends more than its connection takes waits.
fn deliver_to_node(
    cx: &mut Ctx<'_>,
    node: Atom,
    to: Term,
    message: Term,
    o: SendOptions,
) -> Result<Sent, Exit> {
    if operations::has_signalled(cx)?.is_some() {
        return Ok(Sent::Done);
    }
    let goes_on = operations::go_on_sending(cx);
    if let Some(Err(e)) = goes_on {
        return Err(e);
    }
    let Some(entry) = operations::reachable(node) else {
        return Ok(match goes_on {
            Some(_) => Sent::Done,
            None => Sent::NoConnection,
        });
    };
    if goes_on.is_none() {
        cx.note_call(LastCall::Send);
        if o.no_suspend && !cx.own.has(flag::ASYNC_DIST) && entry.is_busy() {
            return Ok(Sent::WouldWait);
        }
        if let Some(c) = entry.connection() {
            operations::send_in_steps(cx, c, (to, message), o.priority)?;
        } else {
            let me = cx.proc.id;
            match operations::send(&entry, me, (to, message), o.priority, !o.no_connect) {
                Ok(()) => {}
                Err(Unreached::NotTried) => return Ok(Sent::NoConnection),
                // A node that cannot be reached takes no messages, and nobody is told.
                Err(Unreached::NoConnection) => return Ok(Sent::Done),
            }
        }
    }
    if !o.no_suspend {
        operations::wait_after(cx, &entry, SignalledBy::Send, None)?;
    }
    Ok(Sent::Done)
}

fn deliver(cx: &mut Ctx<'_>, to: Term, message: Term, o: SendOptions) -> Result<Sent, Exit> {
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
        } else {
            system_monitor::queue_has_grown(cx.own);
        }
        return Ok(Sent::Done);
    }
    if let Some(name) = to.as_atom() {
        return match registry::whereis(name) {
            Some(id) => deliver(cx, id, message, o),
            None => Err(badarg()),
        };
    }
    if let Some(port) = to.as_local_port() {
        let taken = crate::ports::message(cx, port, message, o.no_suspend)?;
        return Ok(if taken { Sent::Done } else { Sent::WouldWait });
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
                        priority: o.priority,
                    },
                );
            }
            Ok(Sent::Done)
        }
        Some(Kind::MagicRef) => Ok(Sent::Done),
        Some(Kind::ExtPid | Kind::ExtRef) => {
            let home = compare::node_of(to).name;
            if home == node::this().0 {
                // An earlier incarnation of this node.
                return Ok(Sent::Done);
            }
            deliver_to_node(cx, home, to, message, o)
        }
        Some(Kind::ExtPort) => Ok(Sent::NoConnection),
        Some(Kind::Tuple) => {
            let Some(&[name, at]) = to.as_tuple_n::<2>() else {
                return Err(badarg());
            };
            let (Some(name), Some(at)) = (name.as_atom(), at.as_atom()) else {
                return Err(badarg());
            };
            if at != node::this().0 {
                return deliver_to_node(cx, at, name.into(), message, o);
            }
            if let Some(id) = registry::whereis(name) {
                deliver(cx, id, message, o)?;
            }
            Ok(Sent::Done)
        }
        _ => Err(badarg()),
    }
}

/// `To ! Message`.
pub fn send(cx: &mut Ctx<'_>, to: Term, message: Term) -> Result<(), Exit> {
    deliver(cx, to, message, SendOptions::default()).map(|_| ())
}

fn send2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    send(cx, a[0], a[1])?;
    cx.bump(4);
    Ok(a[1])
}

fn send3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bad_option = || Exit::error_cause(Atom::BADARG, Atom::BADOPT);
    let options = list::to_vec(a[2]).ok_or_else(bad_option)?;
    let mut wanted = SendOptions::default();
    for o in options {
        match o.as_atom() {
            Some(Atom::NOCONNECT) => wanted.no_connect = true,
            Some(Atom::NOSUSPEND) => wanted.no_suspend = true,
            Some(Atom::PRIORITY) if release::priority_messages() => wanted.priority = true,
            _ => return Err(bad_option()),
        }
    }
    cx.bump(4);
    Ok(match deliver(cx, a[0], a[1], wanted)? {
        Sent::NoConnection if wanted.no_connect => Atom::NOCONNECT,
        Sent::WouldWait => Atom::NOSUSPEND,
        _ => Atom::OK,
    }
    .into())
}
