//! Processes spawned on other nodes from here, and here from other nodes.

use crate::bifs;
use crate::erlang::relations::MonitorOptions;
use crate::erlang::spawn::SpawnWish;
use enigma_runtime::atom::Atom;
use enigma_runtime::dist::control::{ControlMessage, reply};
use enigma_runtime::dist::flags;
use enigma_runtime::dist::incoming::{self, BadMessage, SpawnRequest};
use enigma_runtime::dist::operations::{self, SignalledBy};
use enigma_runtime::dist::relations::{IncomingMonitor, RefKey};
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::relations::Incoming;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{Alias, PendingSpawn};
use enigma_runtime::release;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Heap, Term, node, reference, spawn};

bifs! { BIFS:
    "erts_internal" {
        "dist_spawn_request"/4 Call => dist_spawn_request;
    }
}

/// What is asked of a spawn on another node, as far as this node has to do with it.
struct RemoteSpawn {
    tag: Term,
    /// Is an answer wanted if it was done, and if not?
    replies: (bool, bool),
    monitor: Option<MonitorOptions>,
    /// The options as the other node gets them.
    sent: Vec<Term>,
}

/// Why options are refused.
enum Refused {
    /// The call is wrong.
    Call,
    /// The answer says so.
    Answer,
}

impl RemoteSpawn {
    /// Reads one option. Those that are the other node's concern are left to it.
    fn read(&mut self, option: Term, answers: bool) -> Result<(), Refused> {
        let bad_value = if answers {
            Refused::Answer
        } else {
            Refused::Call
        };
        if option.as_atom() == Some(Atom::MONITOR) {
            self.monitor.get_or_insert_default();
            self.sent.push(option);
            return Ok(());
        }
        let Some(&[key, value]) = option.as_tuple_n::<2>() else {
            self.sent.push(option);
            return Ok(());
        };
        match key.as_atom() {
            Some(Atom::REPLY_TAG | Atom::REPLY) if !answers => return Err(Refused::Call),
            Some(Atom::REPLY_TAG) => self.tag = value,
            Some(Atom::REPLY) => {
                self.replies = match value.as_atom() {
                    Some(Atom::YES) => (true, true),
                    Some(Atom::NO) => (false, false),
                    Some(Atom::ERROR_ONLY) => (false, true),
                    Some(Atom::SUCCESS_ONLY) => (true, false),
                    _ => return Err(bad_value),
                };
            }
            Some(Atom::MONITOR) => {
                self.monitor = Some(MonitorOptions::read(value).ok_or(bad_value)?);
                self.sent.push(Atom::MONITOR.into());
            }
            _ => self.sent.push(option),
        }
        Ok(())
    }
}

/// Asks another node to spawn a process, for `spawn_request` (whose caller gets an answer) or `spawn_opt`
/// (whose caller waits for it).
fn dist_spawn_request(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let answers = a[3].as_atom().map(Atom::text) == Some("spawn_request");
    let refused = Ok(Atom::BADARG.into());
    let call = a[1].as_tuple_n::<3>();
    let call = call.and_then(|[m, f, args]| {
        let arity = list::length(*args)?;
        (m.is_atom() && f.is_atom()).then_some((*m, *f, *args, arity))
    });
    let name = a[0].as_atom().filter(|&n| n != node::this().0);
    let (Some(name), Some(call), Some(options)) = (name, call, list::to_vec(a[2])) else {
        return refused;
    };
    let mut request = RemoteSpawn {
        tag: Atom::SPAWN_REPLY.into(),
        replies: (true, true),
        monitor: None,
        sent: Vec::new(),
    };
    let mut failure = None;
    for o in options {
        match request.read(o, answers) {
            Ok(()) => {}
            Err(Refused::Call) => return refused,
            Err(Refused::Answer) => {
                failure = Some(Atom::BADOPT);
                break;
            }
        }
    }
    let has_monitor = request.monitor.is_some();
    let answer = |cx: &mut Ctx<'_>, r: Term| {
        Ok(if answers {
            r
        } else {
            cx.tuple2(r, has_monitor)
        })
    };
    if let Some(given) = operations::has_signalled(cx)? {
        let (number, owner) = given.unwrap_or_default();
        let r = cx.heap().reference(number, owner);
        return answer(cx, r);
    }
    let entry = operations::reachable(name);
    let me = cx.proc.id;
    let alias_end = request.monitor.as_ref().and_then(|m| m.alias);
    let alias = failure.is_none() && alias_end.is_some();
    let owner = if alias { me } else { 0 };
    let number = reference::fresh();
    let r = cx.heap().reference(number, owner);
    if failure.is_none() {
        let capable = entry.as_ref().and_then(|e| e.connection()).map(|c| c.flags);
        failure = match entry {
            None => Some(Atom::NOCONNECTION),
            Some(_) if capable.is_some_and(|c| c & flags::SPAWN == 0) => Some(Atom::NOTSUP),
            Some(e) => {
                let (m, f, args, arity) = call;
                let h = cx.heap();
                let mfa = h.tuple(&[m, f, Term::small(arity as i64)]);
                let options = h.list(&request.sent);
                let control = ControlMessage::SpawnRequest {
                    reference: r,
                    from: Term::local_pid(me),
                    leader: cx.own.group_leader,
                    mfa,
                    options,
                };
                let monitor = request.monitor.as_ref();
                let pending = PendingSpawn {
                    tag: OwnedTerm::new(request.tag),
                    replies: request.replies,
                    monitor_tag: monitor.and_then(|m| m.tag).map(OwnedTerm::new),
                    alias,
                    priority: monitor.is_some_and(|m| m.priority),
                };
                cx.own.rare().pending_spawns.insert(number, pending);
                if let Some(end) = alias_end {
                    let alias = Alias {
                        end,
                        priority: false,
                    };
                    cx.own.rare().aliases.insert(number, alias);
                }
                let sent = operations::request_spawn(&e, me, number, control, args);
                // Where the connection ends before it is there that answers the request.
                let unanswered = cx.own.rare().pending_spawns.contains_key(&number);
                match sent {
                    Err(_) if unanswered => {
                        cx.own.rare().pending_spawns.remove(&number);
                        cx.own.rare().aliases.remove(&number);
                        Some(Atom::NOCONNECTION)
                    }
                    _ => {
                        let given = Some((number, owner));
                        operations::wait_after(cx, &e, SignalledBy::Other, given)?;
                        None
                    }
                }
            }
        };
    }
    if let Some(why) = failure
        && request.replies.1
    {
        let answer = [request.tag, r, Atom::ERROR.into(), why.into()];
        let message = cx.heap().tuple(&answer);
        signal::send_message(me, message);
    }
    answer(cx, r)
}

/// Spawns a process because another node asks for it.
pub fn on_request(request: SpawnRequest<'_>) -> Result<(), BadMessage> {
    let SpawnRequest {
        connection: c,
        from,
        reference,
        leader,
        mfa,
        options,
        arguments,
    } = request;
    let Some(&[m, f, arity]) = mfa.as_tuple_n::<3>() else {
        return Err(BadMessage);
    };
    let (Some(m), Some(f), Some(arity)) = (m.as_atom(), f.as_atom(), arity.as_usize()) else {
        return Err(BadMessage);
    };
    let mut heap = Heap::new();
    let to = from.to_term(&mut heap);
    let answer = |flags: i64, result: Term| {
        let control = ControlMessage::SpawnReply {
            reference,
            to,
            flags,
            result,
        };
        operations::reply_to_spawn(c, control);
    };
    let Some(wish) = SpawnWish::read(options) else {
        answer(0, Atom::BADOPT.into());
        return Ok(());
    };
    let arguments_list = heap.list(&[mfa]);
    let init = (
        Atom::ERTS_INTERNAL,
        Atom::new("dist_spawn_init"),
        arguments_list,
    );
    let id = spawn::spawn(None, init, &wish.options, |id, own| {
        own.initial_call = (m, f, arity as u32);
        own.rare().parent_elsewhere = Some(from);
        own.group_leader = copy::copy(leader, &mut own.heap.young);
        let mut flags = 0;
        if wish.link {
            flags |= reply::LINK;
            own.relations.links().insert(from);
            c.entry.with_relations_of(c, |r| r.links.insert((id, from)));
        }
        if wish.monitor {
            flags |= reply::MONITOR;
            let number = reference::fresh();
            let incoming = Incoming { from, name: None };
            own.relations.make().incoming.insert(number, incoming);
            c.entry.with_relations_of(c, |r| {
                let m = IncomingMonitor {
                    local: id,
                    name: None,
                    reference: OwnedTerm::new(reference),
                };
                r.numbers.insert(RefKey::of(reference), number);
                r.incoming.insert(number, m);
            });
        }
        // The answer goes before anything that the new process does.
        answer(flags, Term::local_pid(id));
    });
    let Some(id) = id else {
        answer(0, Atom::SYSTEM_LIMIT.into());
        return Ok(());
    };
    let given = incoming::deliver(c, id, arguments, Signal::Message);
    if release::spawned_wait_for_end() {
        signal::send_message(id, Atom::new("dist_spawn_init").into());
    }
    given
}
