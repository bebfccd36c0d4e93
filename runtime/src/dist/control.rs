//! ControlMessage messages: what one node tells another, as a tuple of a number and more. (*Protocol between Connected Nodes*
//! in OTP's documentation of the distribution protocol.) A message or a reason may come behind it, the *payload*.

use super::flags;
use crate::atom::Atom;
use crate::data::bignum;
use crate::heap::Heap;
use crate::term::Term;

const LINK: i64 = 1;
const SEND: i64 = 2;
const EXIT: i64 = 3;
const REG_SEND: i64 = 6;
const GROUP_LEADER: i64 = 7;
const EXIT2: i64 = 8;
const SEND_TT: i64 = 12;
const EXIT_TT: i64 = 13;
const REG_SEND_TT: i64 = 16;
const EXIT2_TT: i64 = 18;
const MONITOR_P: i64 = 19;
const DEMONITOR_P: i64 = 20;
const MONITOR_P_EXIT: i64 = 21;
const SEND_SENDER: i64 = 22;
const SEND_SENDER_TT: i64 = 23;
const PAYLOAD_EXIT: i64 = 24;
const PAYLOAD_EXIT_TT: i64 = 25;
const PAYLOAD_EXIT2: i64 = 26;
const PAYLOAD_EXIT2_TT: i64 = 27;
const PAYLOAD_MONITOR_P_EXIT: i64 = 28;
const SPAWN_REQUEST: i64 = 29;
const SPAWN_REQUEST_TT: i64 = 30;
const SPAWN_REPLY: i64 = 31;
const SPAWN_REPLY_TT: i64 = 32;
const ALIAS_SEND: i64 = 33;
const ALIAS_SEND_TT: i64 = 34;
const UNLINK_ID: i64 = 35;
const UNLINK_ID_ACK: i64 = 36;
const ALTERED_SEND: i64 = 37;

/// Bits of an altered send.
mod altered {
    pub const PRIORITY: i64 = 1;
    pub const TOKEN: i64 = 2;
    pub const ALIAS: i64 = 4;
    pub const NAME: i64 = 8;
    pub const EXIT: i64 = 16;
}

/// Bits of a spawn's reply.
pub mod reply {
    /// The link that was asked for is there.
    pub const LINK: i64 = 1;
    /// The monitor that was asked for is there.
    pub const MONITOR: i64 = 2;
}

/// A control message. Terms are what is on the wire: pids, references, names.
#[derive(Clone, Copy, Debug)]
pub enum ControlMessage {
    /// A message to a process, an alias or a name; the payload is the message.
    Send {
        /// The sender.
        from: Term,
        /// Pid, reference or name.
        to: Term,
        /// Is it a priority message?
        priority: bool,
    },
    /// A link is made.
    Link {
        /// Who links.
        from: Term,
        /// To whom.
        to: Term,
    },
    /// A link is taken away.
    Unlink {
        /// Number of this unlink.
        id: u64,
        /// Who unlinks.
        from: Term,
        /// From whom.
        to: Term,
    },
    /// That was heard.
    UnlinkAcknowledged {
        /// Number of the unlink.
        id: u64,
        /// Who has heard.
        from: Term,
        /// Who has unlinked.
        to: Term,
    },
    /// A linked process has ended; the payload is the reason, if it is not here.
    Exit {
        /// Who has ended.
        from: Term,
        /// Who is linked.
        to: Term,
        /// The reason, if it is not the payload.
        reason: Option<Term>,
    },
    /// `exit/2`.
    Exit2 {
        /// Who sends.
        from: Term,
        /// The receiver: pid, or (altered) reference or name.
        to: Term,
        /// The reason, if it is not the payload.
        reason: Option<Term>,
        /// Is it a priority signal?
        priority: bool,
    },
    /// The receiver gets another group leader.
    GroupLeader {
        /// The leader.
        from: Term,
        /// The receiver.
        to: Term,
    },
    /// A monitor is made.
    Monitor {
        /// Who monitors.
        from: Term,
        /// Pid or name.
        to: Term,
        /// The monitor.
        reference: Term,
    },
    /// A monitor is taken away.
    Demonitor {
        /// Who monitors.
        from: Term,
        /// Pid or name.
        to: Term,
        /// The monitor.
        reference: Term,
    },
    /// What was monitored has ended.
    MonitorExit {
        /// Pid or name.
        from: Term,
        /// Who monitors.
        to: Term,
        /// The monitor.
        reference: Term,
        /// The reason, if it is not the payload.
        reason: Option<Term>,
    },
    /// A process is to be spawned; the payload is the list of arguments.
    SpawnRequest {
        /// The request.
        reference: Term,
        /// Who asks.
        from: Term,
        /// The new process's group leader.
        leader: Term,
        /// Module, function, arity.
        mfa: Term,
        /// Options.
        options: Term,
    },
    /// The answer.
    SpawnReply {
        /// The request.
        reference: Term,
        /// Who has asked.
        to: Term,
        /// See `reply`.
        flags: i64,
        /// The pid, or the error's name.
        result: Term,
    },
}

impl ControlMessage {
    /// Packed pid of the process of this node that sends it, if that is known.
    pub fn sender(&self) -> Option<u64> {
        let from = match *self {
            ControlMessage::Send { from, .. }
            | ControlMessage::Link { from, .. }
            | ControlMessage::Unlink { from, .. }
            | ControlMessage::UnlinkAcknowledged { from, .. }
            | ControlMessage::Exit { from, .. }
            | ControlMessage::Exit2 { from, .. }
            | ControlMessage::Monitor { from, .. }
            | ControlMessage::Demonitor { from, .. }
            | ControlMessage::MonitorExit { from, .. }
            | ControlMessage::SpawnRequest { from, .. } => from,
            // The new process.
            ControlMessage::SpawnReply { result, .. } => result,
            // The leader, not who has set it.
            ControlMessage::GroupLeader { .. } => return None,
        };
        from.as_local_pid()
    }

    /// The tuple for a node with these capabilities. Where the reason is the payload for such nodes, it goes there.
    pub fn to_term(self, heap: &mut Heap, capable: u64, payload: &mut Option<Term>) -> Term {
        let has = |flag: u64| capable & flag != 0;
        let n = Term::small;
        let unused = Term::atom(Atom::new(""));
        let mut reasons = |reason: Option<Term>| {
            let inline = reason.or(*payload);
            if has(flags::EXIT_PAYLOAD) {
                *payload = inline;
                None
            } else {
                *payload = None;
                inline
            }
        };
        match self {
            ControlMessage::Send { from, to, priority } => {
                let alias = to.is_reference();
                let name = to.is_atom();
                if (alias || priority) && has(flags::ALTERED_SIGNALS) {
                    let bits = if alias { altered::ALIAS } else { 0 }
                        | if name { altered::NAME } else { 0 }
                        | if priority { altered::PRIORITY } else { 0 };
                    heap.tuple(&[n(ALTERED_SEND), n(bits), from, to])
                } else if alias {
                    heap.tuple(&[n(ALIAS_SEND), from, to])
                } else if name {
                    heap.tuple(&[n(REG_SEND), from, unused, to])
                } else if has(flags::SEND_SENDER) {
                    heap.tuple(&[n(SEND_SENDER), from, to])
                } else {
                    heap.tuple(&[n(SEND), unused, to])
                }
            }
            ControlMessage::Link { from, to } => heap.tuple(&[n(LINK), from, to]),
            ControlMessage::Unlink { id, from, to } => {
                let id = heap.uint(id);
                heap.tuple(&[n(UNLINK_ID), id, from, to])
            }
            ControlMessage::UnlinkAcknowledged { id, from, to } => {
                let id = heap.uint(id);
                heap.tuple(&[n(UNLINK_ID_ACK), id, from, to])
            }
            ControlMessage::Exit { from, to, reason } => match reasons(reason) {
                Some(r) => heap.tuple(&[n(EXIT), from, to, r]),
                None => heap.tuple(&[n(PAYLOAD_EXIT), from, to]),
            },
            ControlMessage::Exit2 {
                from,
                to,
                reason,
                priority,
            } => {
                let (alias, name) = (to.is_reference(), to.is_atom());
                if alias || name || priority && has(flags::ALTERED_SIGNALS) {
                    if reason.is_some() {
                        *payload = reason;
                    }
                    let bits = altered::EXIT
                        | if alias { altered::ALIAS } else { 0 }
                        | if name { altered::NAME } else { 0 }
                        | if priority { altered::PRIORITY } else { 0 };
                    return heap.tuple(&[n(ALTERED_SEND), n(bits), from, to]);
                }
                match reasons(reason) {
                    Some(r) => heap.tuple(&[n(EXIT2), from, to, r]),
                    None => heap.tuple(&[n(PAYLOAD_EXIT2), from, to]),
                }
            }
            ControlMessage::GroupLeader { from, to } => heap.tuple(&[n(GROUP_LEADER), from, to]),
            ControlMessage::Monitor {
                from,
                to,
                reference,
            } => heap.tuple(&[n(MONITOR_P), from, to, reference]),
            ControlMessage::Demonitor {
                from,
                to,
                reference,
            } => heap.tuple(&[n(DEMONITOR_P), from, to, reference]),
            ControlMessage::MonitorExit {
                from,
                to,
                reference,
                reason,
            } => match reasons(reason) {
                Some(r) => heap.tuple(&[n(MONITOR_P_EXIT), from, to, reference, r]),
                None => heap.tuple(&[n(PAYLOAD_MONITOR_P_EXIT), from, to, reference]),
            },
            ControlMessage::SpawnRequest {
                reference,
                from,
                leader,
                mfa,
                options,
            } => heap.tuple(&[n(SPAWN_REQUEST), reference, from, leader, mfa, options]),
            ControlMessage::SpawnReply {
                reference,
                to,
                flags,
                result,
            } => heap.tuple(&[n(SPAWN_REPLY), reference, to, n(flags), result]),
        }
    }

    /// What a tuple says, and whether a payload belongs to it. Nothing if it is no control message.
    pub fn of_term(t: Term) -> Option<(ControlMessage, bool)> {
        let parts = t.as_tuple()?;
        let (&code, rest) = parts.split_first()?;
        let pid = |t: Term| t.is_pid().then_some(t);
        let sender = |t: Term| (t.is_pid() || t.is_port() || t.is_atom()).then_some(t);
        let process = |t: Term| (t.is_pid() || t.is_port() || t.is_atom()).then_some(t);
        let name = |t: Term| t.is_atom().then_some(t);
        let reference = |t: Term| t.is_reference().then_some(t);
        let send = |from: Term, to: Term| {
            let control = ControlMessage::Send {
                from,
                to,
                priority: false,
            };
            Some((control, true))
        };
        // The token of a sequential trace stands before a reason, and at the end elsewhere.
        Some(match (code.as_small()?, rest) {
            (SEND, &[_, to]) | (SEND_TT, &[_, to, _]) => {
                return send(Atom::new("").into(), pid(to)?);
            }
            (SEND_SENDER, &[from, to]) | (SEND_SENDER_TT, &[from, to, _]) => {
                return send(sender(from)?, pid(to)?);
            }
            (REG_SEND, &[from, _, to]) | (REG_SEND_TT, &[from, _, to, _]) => {
                return send(pid(from)?, name(to)?);
            }
            (ALIAS_SEND, &[from, to]) | (ALIAS_SEND_TT, &[from, to, _]) => {
                return send(sender(from)?, reference(to)?);
            }
            (ALTERED_SEND, &[bits, from, to, ref token @ ..]) => {
                let bits = bits.as_small()?;
                if token.len() != usize::from(bits & altered::TOKEN != 0) {
                    return None;
                }
                let to = match bits & (altered::ALIAS | altered::NAME) {
                    altered::ALIAS => reference(to)?,
                    altered::NAME => name(to)?,
                    0 => pid(to)?,
                    _ => return None,
                };
                let (from, priority) = (sender(from)?, bits & altered::PRIORITY != 0);
                let control = if bits & altered::EXIT != 0 {
                    ControlMessage::Exit2 {
                        from,
                        to,
                        reason: None,
                        priority,
                    }
                } else {
                    ControlMessage::Send { from, to, priority }
                };
                (control, true)
            }
            (LINK, &[from, to]) => (
                ControlMessage::Link {
                    from: pid(from)?,
                    to: pid(to)?,
                },
                false,
            ),
            (UNLINK_ID, &[id, from, to]) => {
                let id = bignum::to_u64(id).filter(|&n| n > 0)?;
                let (from, to) = (pid(from)?, pid(to)?);
                (ControlMessage::Unlink { id, from, to }, false)
            }
            (UNLINK_ID_ACK, &[id, from, to]) => {
                let id = bignum::to_u64(id).filter(|&n| n > 0)?;
                let (from, to) = (pid(from)?, pid(to)?);
                (ControlMessage::UnlinkAcknowledged { id, from, to }, false)
            }
            (EXIT, &[from, to, reason]) | (EXIT_TT, &[from, to, _, reason]) => {
                let (from, to) = (pid(from)?, pid(to)?);
                let reason = Some(reason);
                (ControlMessage::Exit { from, to, reason }, false)
            }
            (PAYLOAD_EXIT, &[from, to]) | (PAYLOAD_EXIT_TT, &[from, to, _]) => {
                let (from, to) = (pid(from)?, pid(to)?);
                let reason = None;
                (ControlMessage::Exit { from, to, reason }, true)
            }
            (EXIT2, &[from, to, reason]) | (EXIT2_TT, &[from, to, _, reason]) => (
                ControlMessage::Exit2 {
                    from: pid(from)?,
                    to: pid(to)?,
                    reason: Some(reason),
                    priority: false,
                },
                false,
            ),
            (PAYLOAD_EXIT2, &[from, to]) | (PAYLOAD_EXIT2_TT, &[from, to, _]) => (
                ControlMessage::Exit2 {
                    from: pid(from)?,
                    to: pid(to)?,
                    reason: None,
                    priority: false,
                },
                true,
            ),
            (GROUP_LEADER, &[from, to]) => (
                ControlMessage::GroupLeader {
                    from: pid(from)?,
                    to: pid(to)?,
                },
                false,
            ),
            (MONITOR_P, &[from, to, r]) => (
                ControlMessage::Monitor {
                    from: pid(from)?,
                    to: process(to)?,
                    reference: reference(r)?,
                },
                false,
            ),
            (DEMONITOR_P, &[from, to, r]) => (
                ControlMessage::Demonitor {
                    from: pid(from)?,
                    to: process(to)?,
                    reference: reference(r)?,
                },
                false,
            ),
            (MONITOR_P_EXIT, &[from, to, r, reason]) => (
                ControlMessage::MonitorExit {
                    from: process(from)?,
                    to: pid(to)?,
                    reference: reference(r)?,
                    reason: Some(reason),
                },
                false,
            ),
            (PAYLOAD_MONITOR_P_EXIT, &[from, to, r]) => (
                ControlMessage::MonitorExit {
                    from: process(from)?,
                    to: pid(to)?,
                    reference: reference(r)?,
                    reason: None,
                },
                true,
            ),
            (SPAWN_REQUEST, &[r, from, leader, mfa, options])
            | (SPAWN_REQUEST_TT, &[r, from, leader, mfa, options, _]) => (
                ControlMessage::SpawnRequest {
                    reference: reference(r)?,
                    from: pid(from)?,
                    leader: pid(leader)?,
                    mfa,
                    options,
                },
                true,
            ),
            (SPAWN_REPLY, &[r, to, flags, result])
            | (SPAWN_REPLY_TT, &[r, to, flags, result, _]) => (
                ControlMessage::SpawnReply {
                    reference: reference(r)?,
                    to: pid(to)?,
                    flags: flags.as_small()?,
                    result: (result.is_pid() || result.is_atom()).then_some(result)?,
                },
                false,
            ),
            _ => return None,
        })
    }
}
