//! What a node that is not alive can say about other nodes: there are none.

use crate::bifs;
use crate::erlang::relations::MonitorOptions;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::export;
use enigma_runtime::data::map;
use enigma_runtime::process::signal;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, node, reference};

bifs! { BIFS:
    "erlang" {
        "nodes"/0 Call => nodes;
        "nodes"/1 Call => nodes1;
        "nodes"/2 Call => nodes2;
        "monitor_node"/2 Call => monitor_node;
        "monitor_node"/3 Call => monitor_node;
    }
    "erts_internal" {
        "dist_spawn_request"/4 Call => dist_spawn_request;
    }
}

/// Bits of what messages about nodes a process has asked for.
mod asked {
    /// In the form of lists, not of maps.
    pub const LISTED: u8 = 1;
    /// With the number of the connection.
    pub const CONNECTION: u8 = 2;
    /// With the reason why a node is gone.
    pub const REASON: u8 = 4;
    /// About visible nodes.
    pub const VISIBLE: u8 = 8;
    /// About hidden nodes.
    pub const HIDDEN: u8 = 16;
}

/// `process_flag({monitor_nodes, Options}, On)`: gives how often it was on before with the same options.
pub fn monitor_nodes(cx: &mut Ctx<'_>, options: Term, on: Term) -> BifResult {
    let on = on.as_bool().ok_or_else(badarg)?;
    let asked = nodes_asked(options).ok_or_else(badarg)?;
    let all = &mut cx.own.rare().monitors_nodes;
    let before = all.iter().position(|&(a, _)| a == asked);
    let count = before.map_or(0, |i| all.swap_remove(i).1);
    if on {
        all.push((asked, count + 1));
    }
    Ok(Term::small(i64::from(count)))
}

/// The bits for options: an empty list or a map.
fn nodes_asked(options: Term) -> Option<u8> {
    if options.is_nil() {
        return Some(asked::LISTED);
    }
    if !options.is_map() {
        return None;
    }
    let mut all = 0;
    for (key, value) in map::iter(options) {
        let bit = match key.as_atom()?.text() {
            "connection_id" => asked::CONNECTION,
            "nodedown_reason" => asked::REASON,
            "list" => (value.as_bool() == Some(true)).then_some(asked::LISTED)?,
            "node_type" => {
                all |= match value.as_atom()? {
                    Atom::VISIBLE => asked::VISIBLE,
                    Atom::HIDDEN => asked::HIDDEN,
                    Atom::ALL => asked::VISIBLE | asked::HIDDEN,
                    _ => return None,
                };
                continue;
            }
            _ => return None,
        };
        if value.as_bool()? {
            all |= bit;
        }
    }
    Some(all)
}

fn nodes(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Term::NIL)
}

/// Is this node, the only one there is, among the kinds of node that are asked for?
fn asks_for_this(kinds: Term) -> Result<bool, Exit> {
    let kinds = if kinds.is_atom() {
        vec![kinds]
    } else {
        list::to_vec(kinds).ok_or_else(badarg)?
    };
    let mut this = false;
    for k in kinds {
        match k.as_atom() {
            Some(Atom::THIS | Atom::KNOWN) => this = true,
            Some(Atom::VISIBLE | Atom::HIDDEN | Atom::CONNECTED) => {}
            _ => return Err(badarg()),
        }
    }
    Ok(this)
}

fn nodes1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !asks_for_this(a[0])? {
        return Ok(Term::NIL);
    }
    Ok(cx.heap().list(&[node::this().0.into()]))
}

/// The same with what is asked about each of them: `connection_id`, `node_type`.
fn nodes2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let this = asks_for_this(a[0])?;
    if !a[1].is_map() {
        return Err(badarg());
    }
    let mut wanted = Vec::new();
    for (key, on) in map::iter(a[1]) {
        let value = match key.as_atom().map(Atom::text) {
            Some("connection_id") => Atom::UNDEFINED,
            Some("node_type") => Atom::THIS,
            _ => return Err(badarg()),
        };
        if on.as_bool().ok_or_else(badarg)? {
            wanted.push((key, value.into()));
        }
    }
    if !this {
        return Ok(Term::NIL);
    }
    let about = map::from_pairs(cx.heap(), &wanted);
    let row = cx.tuple2(node::this().0, about);
    Ok(cx.heap().list(&[row]))
}

/// Watches a connection to a node. Whether there is one `dmonitor_node/3` finds out.
fn monitor_node(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let options = a.get(2).copied().unwrap_or(Term::NIL);
    let bad_option = || Exit::error_cause(Atom::BADARG, Atom::BADOPT);
    for o in list::to_vec(options).ok_or_else(bad_option)? {
        if o.as_atom().map(Atom::text) != Some("allow_passive_connect") {
            return Err(bad_option());
        }
    }
    let name = a[0].as_atom().ok_or_else(badarg)?;
    if name != Atom::NONODE_AT_NOHOST && !node::is_alive() {
        return Err(Exit::error(Atom::new("notalive")));
    }
    let on = a[1].as_bool().ok_or_else(badarg)?;
    if !on || name == node::this().0 {
        return Ok(true.into());
    }
    let ask = export::get(Atom::ERLANG, Atom::new("dmonitor_node"), 3);
    cx.trap(ask, &[a[0], a[1], options])
}

/// What is asked of a spawn on another node, as far as this node has to do with it.
struct SpawnRequest {
    tag: Term,
    reply_error: bool,
    monitor: Option<MonitorOptions>,
}

/// Why options are refused.
enum Refused {
    /// The call is wrong.
    Call,
    /// The answer says so.
    Answer,
}

impl SpawnRequest {
    /// Reads one option. Those that are the other node's concern are left to it.
    fn read(&mut self, option: Term, answers: bool) -> Result<(), Refused> {
        let bad_value = if answers {
            Refused::Answer
        } else {
            Refused::Call
        };
        if option.as_atom() == Some(Atom::MONITOR) {
            self.monitor.get_or_insert_default();
            return Ok(());
        }
        let Some(&[key, value]) = option.as_tuple_n::<2>() else {
            return Ok(());
        };
        match key.as_atom() {
            Some(Atom::REPLY_TAG | Atom::REPLY) if !answers => Err(Refused::Call),
            Some(Atom::REPLY_TAG) => {
                self.tag = value;
                Ok(())
            }
            Some(Atom::REPLY) => {
                self.reply_error = match value.as_atom() {
                    Some(Atom::YES | Atom::ERROR_ONLY) => true,
                    Some(Atom::NO | Atom::SUCCESS_ONLY) => false,
                    _ => return Err(bad_value),
                };
                Ok(())
            }
            Some(Atom::MONITOR) => {
                self.monitor = Some(MonitorOptions::read(value).ok_or(bad_value)?);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Asks another node to spawn a process, for `spawn_request` (whose caller gets an answer) or `spawn_opt`
/// (whose caller waits for it). There is no connection to any node, which is what the answer says.
fn dist_spawn_request(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let answers = a[3].as_atom().map(Atom::text) == Some("spawn_request");
    let refused = Ok(Atom::BADARG.into());
    let call = a[1].as_tuple_n::<3>();
    let is_call = call
        .is_some_and(|[m, f, args]| m.is_atom() && f.is_atom() && list::length(*args).is_some());
    let other = a[0].as_atom().is_some_and(|n| n != node::this().0);
    let (true, true, Some(options)) = (other, is_call, list::to_vec(a[2])) else {
        return refused;
    };
    let mut request = SpawnRequest {
        tag: Atom::SPAWN_REPLY.into(),
        reply_error: true,
        monitor: None,
    };
    let mut why = Atom::NOCONNECTION;
    for o in options {
        match request.read(o, answers) {
            Ok(()) => {}
            Err(Refused::Call) => return refused,
            Err(Refused::Answer) => {
                why = Atom::BADOPT;
                break;
            }
        }
    }
    let me = cx.proc.id;
    let alias = why != Atom::BADOPT && request.monitor.as_ref().is_some_and(|m| m.alias.is_some());
    let owner = if alias { me } else { 0 };
    let r = cx.heap().reference(reference::fresh(), owner);
    if request.reply_error {
        let answer = [request.tag, r, Atom::ERROR.into(), why.into()];
        let message = cx.heap().tuple(&answer);
        signal::send_message(me, message);
    }
    Ok(if answers {
        r
    } else {
        cx.tuple2(r, request.monitor.is_some())
    })
}
