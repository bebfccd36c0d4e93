//! The nodes that this one knows, and how far it is connected to them.
//!
//! ```text
//! idle -> pending -> connected -> idle
//!           |  (aborted)           ^
//!           +----------------------+
//! ```
//!
//! While a connection is pending signals wait in the entry, and are sent first when it is there.

use super::connection::{self, Connection, Transport};
use super::control::ControlMessage;
use super::packet::Encoded;
use super::relations::NodeRelations;
use super::watch::NodeInNews;
use super::{flags, watch};
use crate::atom::Atom;
use crate::heap::Heap;
use crate::heap::literal::OwnedTerm;
use crate::process::exit_reason::ExitReason;
use crate::process::signal::{self, ExitSignal, Signal};
use crate::process::{handle, registry, table};
use crate::term::Term;
use crate::{node, persistent_term, reference};
use papaya::HashMap;
use parking_lot::{Condvar, Mutex};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

/// How far this node is connected to another one.
enum Phase {
    Idle,
    Pending,
    Connected(Arc<Connection>),
}

/// A signal that waits for a connection.
struct KeptSignal {
    /// ControlMessage message in its newest form, and payload.
    parts: OwnedTerm,
    has_payload: bool,
}

impl KeptSignal {
    fn new(control: ControlMessage, mut payload: Option<Term>) -> KeptSignal {
        let mut heap = Heap::new();
        let control = control.to_term(&mut heap, flags::sets().default, &mut payload);
        let parts = heap.tuple(&[control, payload.unwrap_or(Term::NIL)]);
        KeptSignal {
            parts: OwnedTerm::new(parts),
            has_payload: payload.is_some(),
        }
    }

    fn control(&self) -> Option<ControlMessage> {
        let &[control, _] = self.parts.term().as_tuple_n::<2>()?;
        ControlMessage::of_term(control).map(|(control, _)| control)
    }

    fn encode(&self, capable: u64) -> Option<Encoded> {
        let &[_, payload] = self.parts.term().as_tuple_n::<2>()?;
        let payload = self.has_payload.then_some(payload);
        Some(Encoded::new(self.control()?, payload, capable))
    }

    /// The number of a request to spawn that a node with these capabilities does not understand.
    fn refused_spawn(&self, capable: u64) -> Option<u64> {
        match self.control()? {
            ControlMessage::SpawnRequest { reference, .. } if capable & flags::SPAWN == 0 => {
                Some(reference.ref_number())
            }
            _ => None,
        }
    }
}

struct NodeState {
    phase: Phase,
    /// Is the end of the last connection being told? The next one is not there before that is done.
    ends: bool,
    /// Has the entry been given up for another one?
    forgotten: bool,
    /// Number of the connection that there is, or that was last.
    id: u32,
    kept: Vec<KeptSignal>,
    /// Bytes that these take.
    kept_bytes: usize,
    /// Processes that wait until a connection is there.
    waiting: BTreeSet<u64>,
    relations: NodeRelations,
    /// Processes that want to know when the connection is gone, and how often.
    watchers: BTreeMap<u64, u32>,
}

/// A node.
pub struct NodeEntry {
    /// Its name.
    pub name: Atom,
    /// Number of the reference in handles of its connections.
    handle: u64,
    state: Mutex<NodeState>,
    /// The end of the last connection has been told.
    told: Condvar,
}

/// Nodes by their names.
static NODES: LazyLock<HashMap<Atom, Arc<NodeEntry>>> = LazyLock::new(HashMap::new);
/// The same by the numbers of their handles.
static HANDLES: LazyLock<HashMap<u64, Arc<NodeEntry>>> = LazyLock::new(HashMap::new);

/// The least creation that says something.
const LEAST_CREATION: u32 = 4;

/// Numbers of connections have so many bits.
const ID_MASK: u32 = (1 << 24) - 1;

/// Why there is no connection for an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreached {
    /// There is none, and none can be made.
    NoConnection,
    /// There is none, and none was to be made.
    NotTried,
}

/// The entry of a node, made if there is none.
pub fn entry(name: Atom) -> Arc<NodeEntry> {
    if let Some(e) = find(name) {
        return e;
    }
    let nodes = NODES.pin();
    let e = nodes.get_or_insert_with(name, || {
        Arc::new(NodeEntry {
            name,
            handle: reference::fresh(),
            told: Condvar::new(),
            state: Mutex::new(NodeState {
                phase: Phase::Idle,
                ends: false,
                forgotten: false,
                id: 0,
                kept: Vec::new(),
                kept_bytes: 0,
                waiting: BTreeSet::new(),
                relations: NodeRelations::default(),
                watchers: BTreeMap::new(),
            }),
        })
    });
    HANDLES.pin().insert(e.handle, e.clone());
    e.clone()
}

/// The entry of a node, if there is one.
pub fn find(name: Atom) -> Option<Arc<NodeEntry>> {
    NODES.pin().get(&name).cloned()
}

/// Entry and connection number of a handle.
pub fn of_handle(t: Term) -> Option<(Arc<NodeEntry>, u32)> {
    let &[id, r] = t.as_tuple_n::<2>()?;
    let id = u32::try_from(id.as_usize()?).ok()?;
    if !r.is_kind(crate::term::Kind::Ref) {
        return None;
    }
    let entry = HANDLES.pin().get(&r.ref_number()).cloned()?;
    Some((entry, id))
}

/// Has the term the form of a handle?
pub fn is_handle(t: Term) -> bool {
    let parts = t.as_tuple_n::<2>();
    parts.is_some_and(|[id, r]| id.as_usize().is_some() && r.is_kind(crate::term::Kind::Ref))
}

/// All nodes.
pub fn all() -> Vec<Arc<NodeEntry>> {
    NODES.pin().values().cloned().collect()
}

/// Forgets the nodes that are not kept and of which nothing is known but the name.
pub fn forget(kept: impl Fn(Atom) -> bool) {
    for e in all() {
        if !kept(e.name) {
            e.forget();
        }
    }
}

/// All connections.
pub fn connections() -> Vec<Arc<Connection>> {
    all().iter().filter_map(|e| e.connection()).collect()
}

impl NodeEntry {
    /// The handle of a connection.
    pub fn handle(&self, id: u32, heap: &mut Heap) -> Term {
        let r = heap.reference(self.handle, 0);
        heap.tuple(&[Term::small(i64::from(id)), r])
    }

    /// The connection, if there is one.
    pub fn connection(&self) -> Option<Arc<Connection>> {
        match &self.state.lock().phase {
            Phase::Connected(c) => Some(c.clone()),
            _ => None,
        }
    }

    /// The connection of a handle, if it is still there.
    pub fn connection_of(&self, id: u32) -> Option<Arc<Connection>> {
        self.connection().filter(|c| c.id == id)
    }

    /// Begins to connect, if that was not done; the handle of the connection.
    pub fn begin(&self, heap: &mut Heap) -> Term {
        let mut s = self.state.lock();
        if s.forgotten {
            drop(s);
            return entry(self.name).begin(heap);
        }
        if matches!(s.phase, Phase::Idle) {
            s.begin();
        }
        self.handle(s.id, heap)
    }

    /// Gives up the entry if nothing is known but the name.
    fn forget(&self) {
        let mut s = self.state.lock();
        let is_empty = matches!(s.phase, Phase::Idle)
            && !s.ends
            && s.waiting.is_empty()
            && s.watchers.is_empty()
            && s.relations.is_empty();
        if is_empty && !s.forgotten {
            s.forgotten = true;
            NODES.pin().remove(&self.name);
            HANDLES.pin().remove(&self.handle);
        }
    }

    /// Gives up a connection that is pending. `false` if that one is not.
    pub fn abort(&self, id: u32) -> bool {
        let ended = {
            let mut s = self.state.lock();
            if !matches!(s.phase, Phase::Pending) || s.id != id {
                return false;
            }
            s.phase = Phase::Idle;
            s.kept = Vec::new();
            s.kept_bytes = 0;
            s.take_ended()
        };
        self.tell_end(ended);
        true
    }

    /// Does something with the relations.
    pub fn with_relations<R>(&self, f: impl FnOnce(&mut NodeRelations) -> R) -> R {
        f(&mut self.state.lock().relations)
    }

    /// The same if that is the connection.
    pub fn with_relations_of<R>(
        &self,
        c: &Arc<Connection>,
        f: impl FnOnce(&mut NodeRelations) -> R,
    ) -> Option<R> {
        let mut s = self.state.lock();
        match &s.phase {
            Phase::Connected(now) if Arc::ptr_eq(now, c) => Some(f(&mut s.relations)),
            _ => None,
        }
    }

    /// Sends a signal, or keeps it until there is a connection, which is made if there is none and `connects`; `note` notes
    /// in the relations what it means for them.
    pub fn submit(
        self: &Arc<Self>,
        control: ControlMessage,
        payload: Option<Term>,
        connects: bool,
        note: impl FnOnce(&mut NodeRelations),
    ) -> Result<(), Unreached> {
        let mut s = self.state.lock();
        if s.forgotten {
            drop(s);
            return entry(self.name).submit(control, payload, connects, note);
        }
        let mut begun = None;
        if matches!(s.phase, Phase::Idle) {
            if !connects {
                return Err(Unreached::NotTried);
            }
            s.begin();
            begun = Some(s.id);
        }
        match &s.phase {
            Phase::Connected(c) => {
                let c = c.clone();
                note(&mut s.relations);
                drop(s);
                c.push(Encoded::new(control, payload, c.flags));
                Ok(())
            }
            Phase::Pending => {
                note(&mut s.relations);
                let kept = KeptSignal::new(control, payload);
                s.kept_bytes += 8 * kept.parts.words();
                s.kept.push(kept);
                drop(s);
                begun.map_or(Ok(()), |id| self.ask_net_kernel(id))
            }
            Phase::Idle => Err(Unreached::NoConnection),
        }
    }

    /// Sends a signal if there is a connection or one is pending.
    pub fn submit_if_connected(
        self: &Arc<Self>,
        control: ControlMessage,
        payload: Option<Term>,
        note: impl FnOnce(&mut NodeRelations),
    ) {
        // Where there is none nobody is there to be told.
        let _ = self.submit(control, payload, false, note);
    }

    /// Must a sender wait? It is called when that has changed.
    pub fn must_wait(&self, process: u64) -> bool {
        let mut s = self.state.lock();
        match &s.phase {
            Phase::Connected(c) => {
                let c = c.clone();
                drop(s);
                c.must_wait(process)
            }
            Phase::Pending if s.kept_bytes >= connection::busy_limit() => {
                table::with(process, |p| p.state.hold_up());
                s.waiting.insert(process);
                true
            }
            _ => false,
        }
    }

    /// Would a sender have to wait?
    pub fn is_busy(&self) -> bool {
        let s = self.state.lock();
        match &s.phase {
            Phase::Connected(c) => c.is_busy(),
            Phase::Pending => s.kept_bytes >= connection::busy_limit(),
            _ => false,
        }
    }

    /// A process wants to know when the connection is gone; one is made if there is none. `false`: there is none.
    pub fn watch(self: &Arc<Self>, process: u64, connects: bool) -> bool {
        let mut s = self.state.lock();
        if s.forgotten {
            drop(s);
            return entry(self.name).watch(process, connects);
        }
        let mut begun = None;
        if matches!(s.phase, Phase::Idle) && connects {
            s.begin();
            begun = Some(s.id);
        }
        if !matches!(s.phase, Phase::Connected(_) | Phase::Pending) {
            return false;
        }
        *s.watchers.entry(process).or_default() += 1;
        drop(s);
        if let Some(id) = begun {
            // If it cannot be made the watcher is told as of any end.
            let _ = self.ask_net_kernel(id);
        }
        true
    }

    /// A process takes back one such wish, or all.
    pub fn unwatch(&self, process: u64, all: bool) {
        let mut s = self.state.lock();
        if let Some(n) = s.watchers.get_mut(&process) {
            *n -= 1;
            if *n == 0 || all {
                s.watchers.remove(&process);
            }
        }
    }

    /// Lets `net_kernel` make the connection that is pending.
    fn ask_net_kernel(&self, id: u32) -> Result<(), Unreached> {
        let kernel = registry::whereis(Atom::new("net_kernel")).and_then(Term::as_local_pid);
        let asked = kernel.is_some_and(|k| {
            let message = handle::build(|h| {
                let handle = self.handle(id, h);
                h.tuple(&[Atom::new("auto_connect").into(), self.name.into(), handle])
            });
            signal::send(k, Signal::Message(message))
        });
        if asked {
            return Ok(());
        }
        self.abort(id);
        Err(Unreached::NoConnection)
    }

    /// The connection is there. Nothing if it was not pending.
    pub fn connect(
        self: &Arc<Self>,
        (creation, flags): (u32, u64),
        controller: Term,
        transport: Box<dyn Transport>,
    ) -> Option<Arc<Connection>> {
        let mut s = self.state.lock();
        if s.forgotten {
            drop(s);
            return entry(self.name).connect((creation, flags), controller, transport);
        }
        while s.ends {
            self.told.wait(&mut s);
        }
        match s.phase {
            Phase::Idle => s.begin(),
            Phase::Pending => {}
            Phase::Connected(_) => return None,
        }
        let about = (s.id, creation, flags);
        let c = Arc::new(Connection::new(self.clone(), about, controller, transport));
        let mut refused = Vec::new();
        s.kept_bytes = 0;
        for kept in std::mem::take(&mut s.kept) {
            if let Some(number) = kept.refused_spawn(flags) {
                refused.extend(s.relations.spawns.remove(&number).map(|who| (who, number)));
            } else if let Some(e) = kept.encode(flags) {
                c.enqueue(e);
            }
        }
        s.phase = Phase::Connected(c.clone());
        let waiting = std::mem::take(&mut s.waiting);
        // Nobody hears of the node before those who have asked for such news.
        watch::tell(watch::News::Up, c.subject());
        drop(s);
        c.flush();
        for (asker, number) in refused {
            super::incoming::answer_request(asker, number, Err(Atom::NOTSUP), 0);
        }
        connection::call(waiting);
        node::met(self.name, creation);
        Some(c)
    }

    /// The connection has ended. Whoever hears of it may connect again at once.
    pub fn ended(&self, c: &Arc<Connection>, reason: Term) {
        let ended = {
            let mut s = self.state.lock();
            match &s.phase {
                Phase::Connected(now) if Arc::ptr_eq(now, c) => {}
                _ => return,
            }
            s.phase = Phase::Idle;
            s.ends = true;
            s.take_ended()
        };
        c.set_closed();
        self.tell_end(ended);
        let mut s = self.state.lock();
        watch::tell(watch::News::Down(reason), c.subject());
        s.ends = false;
        self.told.notify_all();
    }

    /// Tells processes of this node that everything is gone that they had to do with the other one.
    fn tell_end(&self, ended: Ended) {
        let gone = ExitReason::new(Atom::NOCONNECTION.into());
        for (local, key) in ended.relations.links {
            let from = handle::build(|h| key.to_term(h));
            let reason = gone.clone();
            let exit = ExitSignal {
                from,
                reason,
                link: true,
            };
            signal::send(local, Signal::Exit(Box::new(exit)));
        }
        for (reference, m) in ended.relations.outgoing {
            let reason = gone.clone();
            signal::send(m.local, Signal::Down { reference, reason });
        }
        for (number, m) in ended.relations.incoming {
            signal::send(m.local, Signal::Demonitor(number));
        }
        for (number, asker) in ended.relations.spawns {
            super::incoming::answer_request(asker, number, Err(Atom::NOCONNECTION), 0);
        }
        for (id, times) in ended.watchers {
            for _ in 0..times {
                let name = self.name;
                let note = handle::build(|h| h.tuple(&[Atom::new("nodedown").into(), name.into()]));
                signal::send(id, Signal::Message(note));
            }
        }
        connection::call(ended.waiting);
    }
}

/// What ends with a connection.
struct Ended {
    relations: NodeRelations,
    watchers: BTreeMap<u64, u32>,
    waiting: BTreeSet<u64>,
}

impl NodeState {
    fn begin(&mut self) {
        self.phase = Phase::Pending;
        self.id = (self.id + 1) & ID_MASK;
    }

    fn take_ended(&mut self) -> Ended {
        Ended {
            relations: std::mem::take(&mut self.relations),
            watchers: std::mem::take(&mut self.watchers),
            waiting: std::mem::take(&mut self.waiting),
        }
    }
}

/// This node gets its name.
///
/// A creation that something names already, as if it were another node's, is not taken; then it is the next one.
pub fn enter(name: Atom, creation: u32) {
    let taken = node::latest_creation(name) == Some(creation);
    let next = creation.checked_add(1).unwrap_or(LEAST_CREATION);
    node::set_this(name, if taken { next } else { creation });
    watch::tell(watch::News::Up, myself(name));
}

/// This node loses its name, because the process that stands for it has ended: all connections are closed, and none is pending
/// any more.
pub fn leave(reason: Term) {
    let name = node::this().0;
    let no_network = Atom::new("no_network");
    let reason: Term = match reason.as_atom() {
        Some(a) if a == no_network => no_network.into(),
        _ => Atom::new("net_kernel_terminated").into(),
    };
    node::set_this(Atom::NONODE_AT_NOHOST, 0);
    for e in all() {
        match e.connection() {
            Some(c) => c.close(reason),
            None => {
                let id = e.state.lock().id;
                e.abort(id);
            }
        }
    }
    watch::tell(watch::News::Down(reason), myself(name));
}

/// This node as news tell of it.
fn myself(name: Atom) -> NodeInNews {
    NodeInNews {
        name,
        visible: true,
        connection: None,
    }
}

/// Can this node be connected to others? It has a name, or gets one from the first node that it is connected to, which somebody
/// has to ask for: without a name nothing is connected by itself.
pub fn is_alive() -> bool {
    static KEY: LazyLock<OwnedTerm> = LazyLock::new(|| {
        handle::build(|h| {
            let parts = ["erts_internal", "dynamic_node_name"].map(|a| Atom::new(a).into());
            h.tuple(&parts)
        })
    });
    let named_by_others =
        || persistent_term::get(KEY.term()).is_some_and(|on| on.as_bool() != Some(false));
    node::is_alive() || named_by_others()
}
