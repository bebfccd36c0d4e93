//! Connections to other nodes: the node's own name, connections pending, handed over and carried by processes.

use super::transport::{PortTransport, ProcessOutbox, ProcessTransport};
use crate::erlang::iolist;
use crate::{bifs, ports};
use enigma_runtime::atom::Atom;
use enigma_runtime::data::bignum;
use enigma_runtime::dist::connection::Connection;
use enigma_runtime::dist::{flags, nodes};
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::{flag, registry};
use enigma_runtime::{BifResult, Ctx, Term, badarg, node};
use papaya::HashMap;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

bifs! { BIFS:
    "erlang" {
        "setnode"/2 Call => setnode;
        "dist_get_stat"/1 Call => dist_get_stat;
        "dist_ctrl_input_handler"/2 Call => input_handler;
        "dist_ctrl_put_data"/2 Call => put_data;
        "dist_ctrl_get_data"/1 Call => get_data;
        "dist_ctrl_get_data_notification"/1 Call => get_data_notification;
        "dist_ctrl_set_opt"/3 Call => set_opt;
        "dist_ctrl_get_opt"/2 Call => get_opt;
    }
    "erts_internal" {
        "create_dist_channel"/3 Call => create_dist_channel;
        "new_connection"/1 Call => new_connection;
        "abort_pending_connection"/2 Call => abort_pending_connection;
        "get_dflags"/0 Call => get_dflags;
        "get_creation"/0 Call => get_creation;
    }
}

/// Nobody's packed pid.
const NOBODY: u64 = u64::MAX;
/// The process by whose end this node loses its name.
static NET_KERNEL: AtomicU64 = AtomicU64::new(NOBODY);

/// A connection that a process carries.
struct Carried {
    connection: Arc<Connection>,
    outbox: Arc<ProcessOutbox>,
    /// The process that has the data from outside.
    input_handler: AtomicU64,
    gives_sizes: AtomicBool,
}

/// All that one process carries.
type CarriedByOne = Arc<Mutex<Vec<Arc<Carried>>>>;

/// These, by the processes.
static CARRIED: LazyLock<HashMap<u64, CarriedByOne>> = LazyLock::new(HashMap::new);

/// A process has ended.
pub fn process_exit(process: u64, reason: Term) {
    let all = CARRIED.pin().remove(&process).cloned();
    for c in all.iter().flat_map(|all| all.lock().clone()) {
        c.connection.entry.ended(&c.connection, why_ended(reason));
    }
    let kernel = NET_KERNEL.compare_exchange(process, NOBODY, Ordering::AcqRel, Ordering::Relaxed);
    if kernel.is_ok() {
        nodes::leave(reason);
    }
}

/// The reason that is told of the end of a connection.
fn why_ended(reason: Term) -> Term {
    match reason.as_atom() {
        Some(Atom::NORMAL) => Atom::new("connection_closed").into(),
        _ => reason,
    }
}

/// Has the atom the form of a node's name?
fn is_node_name(name: Atom) -> bool {
    let text = name.text();
    let parts: Vec<&str> = text.split('@').collect();
    parts.len() == 2 && parts.iter().all(|p| !p.is_empty()) && text.chars().count() <= 255
}

/// Gives this node its name.
fn setnode(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().filter(|&n| is_node_name(n));
    let creation = bignum::to_u64(a[1]).and_then(|n| u32::try_from(n).ok());
    let (Some(name), Some(creation)) = (name, creation) else {
        return Err(badarg());
    };
    let kernel = registry::whereis(Atom::new("net_kernel")).and_then(Term::as_local_pid);
    let (Some(kernel), false) = (kernel, node::is_alive()) else {
        return Err(badarg());
    };
    NET_KERNEL.store(kernel, Ordering::Release);
    if !sees_to_its_end(kernel) {
        return Err(badarg());
    }
    nodes::enter(name, creation);
    Ok(true.into())
}

/// When the process ends `process_exit` is to be called. `false` if it has ended.
fn sees_to_its_end(process: u64) -> bool {
    let mark: signal::Task = Box::new(|cx| {
        if let Some(cx) = cx {
            cx.own.set_flag(flag::HAS_RESOURCES, true);
        }
    });
    signal::send(process, Signal::Task(mark))
}

fn get_creation(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(if node::is_alive() {
        Term::small(i64::from(node::this().1))
    } else {
        Atom::UNDEFINED.into()
    })
}

fn get_dflags(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let sets = flags::sets();
    let h = cx.heap();
    let all = [
        sets.default,
        sets.mandatory,
        sets.addable,
        sets.rejectable,
        sets.strict_order,
    ]
    .map(|n| h.uint(n));
    let [a, b, c, d, e] = all;
    Ok(h.tuple(&[Atom::new("erts_dflags").into(), a, b, c, d, e]))
}

/// Another node's name.
fn other_node(t: Term) -> Option<Atom> {
    t.as_atom()
        .filter(|&n| is_node_name(n) && n != node::this().0)
}

fn new_connection(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = other_node(a[0]).ok_or_else(badarg)?;
    Ok(nodes::entry(name).begin(cx.heap()))
}

fn abort_pending_connection(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    // Whoever sends to a name that is none of a node has begun a connection too.
    let name = a[0].as_atom().ok_or_else(badarg)?;
    let Some((entry, id)) = nodes::of_handle(a[1]) else {
        // The connection may be one of a node that is forgotten.
        let ended = nodes::is_handle(a[1]).then_some(false.into());
        return ended.ok_or_else(badarg);
    };
    if entry.name != name {
        return Err(badarg());
    }
    Ok(entry.abort(id).into())
}

/// A connection is there, carried by a port or by a process: its handle, or what is wrong.
fn create_dist_channel(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let refused = Ok(Atom::BADARG.into());
    let about = a[2].as_tuple_n::<2>();
    let capable = about.and_then(|p| bignum::to_u64(p[0]));
    let creation = about.and_then(|p| bignum::to_u64(p[1]));
    let creation = creation.and_then(|n| u32::try_from(n).ok());
    let (Some(name), Some(capable), Some(creation)) = (other_node(a[0]), capable, creation) else {
        return refused;
    };
    let mandatory = flags::sets().mandatory;
    if !node::is_alive() || capable & mandatory != mandatory {
        return refused;
    }
    let entry = nodes::entry(name);
    let c = if let Some(port) = a[1].as_local_port().and_then(ports::get) {
        let Some(transport) = PortTransport::new(&port) else {
            return refused;
        };
        let sink = transport.sink();
        let connected = entry.connect((creation, capable), a[1], Box::new(transport));
        let Some(c) = connected else { return refused };
        sink.set_connection(c.clone());
        let of_port = c.clone();
        let at_end = move |why| {
            sink.finish();
            of_port.entry.ended(&of_port, why_ended(why));
        };
        if !port.set_at_end(Box::new(at_end)) {
            c.entry.ended(&c, Atom::new("connection_closed").into());
        }
        c
    } else if let Some(process) = a[1].as_local_pid() {
        if !sees_to_its_end(process) {
            return refused;
        }
        let outbox = Arc::new(ProcessOutbox::new(process));
        let transport = Box::new(ProcessTransport(outbox.clone()));
        let connected = entry.connect((creation, capable), a[1], transport);
        let Some(c) = connected else { return refused };
        let carried = Arc::new(Carried {
            connection: c.clone(),
            outbox,
            input_handler: AtomicU64::new(process),
            gives_sizes: AtomicBool::new(false),
        });
        let all = CARRIED.pin();
        let mine = all.get_or_insert_with(process, Arc::default);
        let mut mine = mine.lock();
        mine.retain(|c| !c.connection.is_closed());
        mine.push(carried);
        drop(mine);
        let alive = enigma_runtime::process::table::with(process, |p| !p.state.is_exiting());
        if alive != Some(true) {
            process_exit(process, Atom::NOPROC.into());
        }
        c
    } else {
        return refused;
    };
    tell_net_kernel(cx, &c);
    let handle = entry.handle(c.id, cx.heap());
    Ok(cx.tuple2(Atom::OK, handle))
}

/// `net_kernel` links to what carries the connection, and knows who has made it.
fn tell_net_kernel(cx: &mut Ctx<'_>, c: &Connection) {
    let kernel = registry::whereis(Atom::new("net_kernel")).and_then(Term::as_local_pid);
    if let Some(kernel) = kernel {
        let me = cx.self_pid();
        let what = [
            Atom::new("dist_ctrlr").into(),
            c.controller,
            c.entry.name.into(),
            me,
        ];
        let message = cx.heap().tuple(&what);
        signal::send_message(kernel, message);
    }
}

/// The connection of a handle.
fn connection(t: Term) -> Option<Arc<Connection>> {
    let (entry, id) = nodes::of_handle(t)?;
    entry.connection_of(id)
}

/// The connection of a handle that a process carries.
fn carried(t: Term) -> Option<Arc<Carried>> {
    let c = connection(t)?;
    let process = c.controller.as_local_pid()?;
    let all = CARRIED.pin().get(&process)?.clone();
    let found = all
        .lock()
        .iter()
        .find(|k| Arc::ptr_eq(&k.connection, &c))?
        .clone();
    Some(found)
}

/// The same for the process that carries it.
fn mine(cx: &Ctx<'_>, t: Term) -> Option<Arc<Carried>> {
    carried(t).filter(|c| c.outbox.process == cx.proc.id)
}

fn dist_get_stat(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (received, sent, pending) = connection(a[0]).ok_or_else(badarg)?.counts();
    let h = cx.heap();
    let all = [received, sent, pending as u64].map(|n| h.uint(n));
    Ok(h.tuple(&[Atom::OK.into(), all[0], all[1], all[2]]))
}

fn input_handler(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let c = mine(cx, a[0]).ok_or_else(badarg)?;
    let handler = a[1].as_local_pid().ok_or_else(badarg)?;
    c.input_handler.store(handler, Ordering::Release);
    Ok(Atom::OK.into())
}

fn put_data(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bytes = iolist::collect(a[1]).map_err(|_| badarg())?;
    let Some(c) = carried(a[0]) else {
        // Of a connection that has ended nothing is taken any more.
        let ended = nodes::is_handle(a[0]).then_some(Atom::OK.into());
        return ended.ok_or_else(badarg);
    };
    if c.input_handler.load(Ordering::Acquire) != cx.proc.id {
        return Err(badarg());
    }
    cx.bump(bytes.len() / 256 + 10);
    c.connection.receive(&bytes);
    Ok(Atom::OK.into())
}

fn get_data(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let c = mine(cx, a[0]).ok_or_else(badarg)?;
    let Some(packet) = c.outbox.take() else {
        return Ok(Atom::NONE.into());
    };
    c.connection.has_sunk();
    let size = packet.len() as u64;
    let data = cx.heap().binary_of(packet);
    let data = cx.heap().list(&[data]);
    if !c.gives_sizes.load(Ordering::Relaxed) {
        return Ok(data);
    }
    let size = cx.heap().uint(size);
    Ok(cx.tuple2(size, data))
}

fn get_data_notification(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    mine(cx, a[0]).ok_or_else(badarg)?.outbox.notify();
    Ok(Atom::OK.into())
}

fn set_opt(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let c = mine(cx, a[0]).ok_or_else(badarg)?;
    let on = match (a[1].as_atom().map(Atom::text), a[2].as_bool()) {
        (Some("get_size"), Some(on)) => on,
        _ => return Err(badarg()),
    };
    Ok(c.gives_sizes.swap(on, Ordering::Relaxed).into())
}

fn get_opt(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let c = mine(cx, a[0]).ok_or_else(badarg)?;
    if a[1].as_atom().map(Atom::text) != Some("get_size") {
        return Err(badarg());
    }
    Ok(c.gives_sizes.load(Ordering::Relaxed).into())
}

/// `erlang:system_info(dist_ctrl)`: all connections and what carries them.
pub fn controllers(cx: &mut Ctx<'_>) -> Term {
    let rows: Vec<Term> = nodes::connections()
        .iter()
        .map(|c| cx.tuple2(c.entry.name, c.controller))
        .collect();
    cx.heap().list(&rows)
}
