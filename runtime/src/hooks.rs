//! What processes tell the parts built on top of them (ports, tables, distribution, the logger). The
//! `vm` crate hands the implementation over at start; until then nothing is there to ask.

use crate::atom::Atom;
use crate::process::context::Ctx;
use crate::process::signal::Unlink;
use crate::process::{MaxHeap, Owned, PidKey};
use crate::term::Term;
use parking_lot::RwLock;
use std::sync::OnceLock;

/// See the module's text.
pub trait Hooks: Send + Sync {
    /// A process that owns tables or ports exits.
    fn process_exit(&self, cx: &mut Ctx<'_>, reason: Term);
    /// An exit signal to a port of this node.
    fn port_exit_signal(&self, port: u64, from: Term, reason: Term, link: bool);
    /// A monitor on a port is taken away.
    fn port_demonitor(&self, port: u64, reference: u64);
    /// An exit signal to a process of another node.
    fn remote_exit_signal(&self, to: PidKey, from: Term, reason: Term, link: bool);
    /// What a process of another node monitors here is gone.
    fn remote_down(&self, to: PidKey, reference: u64, reason: Term);
    /// A monitor on a process of another node is taken away.
    fn remote_demonitor(&self, target: PidKey, reference: u64);
    /// A monitor on a name of another node is taken away.
    fn remote_demonitor_name(&self, name: Atom, node: Atom, reference: u64);
    /// A process of this node is no longer linked to one of another.
    fn remote_unlinked(&self, local: u64, to: PidKey);
    /// A process of this node has heard of the `unlink` of one of another.
    fn remote_unlink_acknowledged(&self, unlink: Unlink);
    /// A process has exceeded its maximum heap size and is to be reported.
    fn max_heap_exceeded(&self, own: &Owned, words: usize, max: MaxHeap);
    /// A process ends with an uncaught error: tell the logger.
    fn uncaught(&self, cx: &mut Ctx<'_>, reason: Term);
}

struct NoHooks;

impl Hooks for NoHooks {
    fn process_exit(&self, _: &mut Ctx<'_>, _: Term) {}
    fn port_exit_signal(&self, _: u64, _: Term, _: Term, _: bool) {}
    fn port_demonitor(&self, _: u64, _: u64) {}
    fn remote_exit_signal(&self, _: PidKey, _: Term, _: Term, _: bool) {}
    fn remote_down(&self, _: PidKey, _: u64, _: Term) {}
    fn remote_demonitor(&self, _: PidKey, _: u64) {}
    fn remote_demonitor_name(&self, _: Atom, _: Atom, _: u64) {}
    fn remote_unlinked(&self, _: u64, _: PidKey) {}
    fn remote_unlink_acknowledged(&self, _: Unlink) {}
    fn max_heap_exceeded(&self, _: &Owned, _: usize, _: MaxHeap) {}
    fn uncaught(&self, _: &mut Ctx<'_>, _: Term) {}
}

static HOOKS: OnceLock<Box<dyn Hooks>> = OnceLock::new();

/// Sets the implementation; the first call wins.
pub fn set(hooks: Box<dyn Hooks>) {
    let _ = HOOKS.set(hooks);
}

/// The implementation.
pub fn get() -> &'static dyn Hooks {
    HOOKS.get().map_or(&NoHooks, |h| &**h)
}

/// What tells a resource or a port that a process is gone that it monitors, by the number of the monitor's reference. `false` if the
/// monitor is none that it knows.
pub type ResourceDown = fn(u64) -> bool;

static RESOURCE_DOWN: RwLock<Vec<ResourceDown>> = RwLock::new(Vec::new());

/// Adds what tells resources of one sort.
pub fn add_resource_down(tell: ResourceDown) {
    RESOURCE_DOWN.write().push(tell);
}

/// Tells a resource or a port that a process is gone that it monitors.
pub fn resource_down(reference: u64) {
    let all = RESOURCE_DOWN.read_recursive();
    all.iter().any(|tell| tell(reference));
}
