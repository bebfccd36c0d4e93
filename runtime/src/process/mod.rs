//! Processes.
//!
//! A process is two structs. `Process` is what everybody may look at: its pid, state word and inbox.
//! `Owned` is everything else, and only the thread that holds the `RUNNING` bit may touch it: the
//! scheduler that runs the process, or somebody who looks at it while it waits. Others ask by signal.
//! A call in a dirty pool does not touch it at all (see `dirty`).
//!
//! A process that does not run is described by `Owned::pc`, the Erlang stack and `Owned::saved` (the
//! live X registers); see `interp`.

pub mod context;
pub mod dict;
pub mod exit;
pub mod exit_reason;
pub mod gc_numbers;
pub mod handle;
pub mod inbox;
pub mod last_calls;
pub mod literals;
pub mod mailbox;
pub mod registry;
pub mod relations;
pub mod signal;
pub mod small_map;
pub mod stack;
pub(crate) mod stand_in;
pub mod state;
pub mod suspend;
pub mod system_monitor;
pub mod table;

use crate::atom::Atom;
use crate::data::compare;
use crate::heap::binary::BinaryRef;
use crate::heap::gc::{ProcHeap, Roots};
use crate::heap::literal::OwnedTerm;
use crate::node::Node;
use crate::term::{Kind, Term};
use dict::Dict;
use exit_reason::ExitReason;
use inbox::{Inbox, Taken};
use last_calls::LastCalls;
use mailbox::Mailbox;
use relations::{Incoming, Outgoing, Relations};
use signal::Signal;
use small_map::SmallMap;
use stack::Stack;
use state::State;
use std::any::Any;
use std::cell::UnsafeCell;

/// What a `PidKey` names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
// A word, so that keys have no gaps: copies of those are made byte by byte, and wait for each other.
#[repr(u64)]
enum KeySort {
    Process,
    Port,
    Resource,
}

/// A process or port of any node, or a native library's resource, as a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PidKey {
    /// Address of the node entry; 0 for this node.
    node: u64,
    number: u64,
    sort: KeySort,
}

impl PidKey {
    /// The key of a pid or port.
    pub fn of(t: Term) -> Option<PidKey> {
        if let Some(number) = t.as_local_pid() {
            return Some(PidKey {
                node: 0,
                number,
                sort: KeySort::Process,
            });
        }
        if let Some(number) = t.as_local_port() {
            return Some(PidKey {
                node: 0,
                number,
                sort: KeySort::Port,
            });
        }
        match t.kind() {
            Some(k @ (Kind::ExtPid | Kind::ExtPort)) => Some(PidKey {
                node: compare::node_of(t).to_word(),
                number: t.word(2),
                sort: if k == Kind::ExtPort {
                    KeySort::Port
                } else {
                    KeySort::Process
                },
            }),
            _ => None,
        }
    }

    /// The key of a process of this node.
    pub fn local(id: u64) -> PidKey {
        PidKey {
            node: 0,
            number: id,
            sort: KeySort::Process,
        }
    }

    /// The key of a native library's resource, by the number of its reference.
    pub fn resource(number: u64) -> PidKey {
        PidKey {
            node: 0,
            number,
            sort: KeySort::Resource,
        }
    }

    /// The number of the reference, if it is a resource.
    pub fn resource_number(self) -> Option<u64> {
        (self.sort == KeySort::Resource).then_some(self.number)
    }

    /// The packed pid, if it is a process of this node.
    pub fn local_id(self) -> Option<u64> {
        (self.node == 0 && self.sort == KeySort::Process).then_some(self.number)
    }

    /// The number, if it is a port of this node.
    pub fn local_port(self) -> Option<u64> {
        (self.node == 0 && self.is_port()).then_some(self.number)
    }

    /// Is it a port?
    pub fn is_port(self) -> bool {
        self.sort == KeySort::Port
    }

    /// The node, if it is another one.
    pub fn node(self) -> Option<Node> {
        Node::from_word(self.node)
    }

    /// The pid, the port or the resource's reference as a term in `heap`.
    pub fn to_term(self, heap: &mut crate::heap::Heap) -> Term {
        match (self.node(), self.sort) {
            (None, KeySort::Process) => Term::local_pid(self.number),
            (None, KeySort::Port) => Term::local_port(self.number),
            (_, KeySort::Resource) => heap.read_reference(self.number, 0),
            (Some(n), KeySort::Process) => heap.external_id(Kind::ExtPid, n, self.number),
            (Some(n), KeySort::Port) => heap.external_id(Kind::ExtPort, n, self.number),
        }
    }
}

/// What everybody may look at.
pub struct Process {
    /// The packed pid.
    pub id: u64,
    /// Who may run it.
    pub state: State,
    /// Signals that it has not fetched.
    pub inbox: Inbox<Signal>,
    /// Is it part of the VM itself?
    system: bool,
    owned: UnsafeCell<Owned>,
}

// SAFETY: `owned` is touched only by the holder of the state word's RUNNING bit, the rest is atomic.
unsafe impl Sync for Process {}
// SAFETY: as above.
unsafe impl Send for Process {}

impl Drop for Process {
    /// Who has sent something that nobody has looked at is answered.
    fn drop(&mut self) {
        self.inbox.take_all().for_each(exit::answer_for_dead);
    }
}

impl Process {
    /// A process that is not in the table yet.
    pub fn new(id: u64, priority: state::Priority, mut owned: Owned) -> Process {
        owned.id = id;
        let system = owned.has(flag::SYSTEM);
        Process {
            id,
            state: State::new(priority),
            inbox: Inbox::new(),
            system,
            owned: UnsafeCell::new(owned),
        }
    }

    /// Is it part of the VM itself, as `erts_internal:is_system_process/1` tells?
    pub fn is_system(&self) -> bool {
        self.system
    }

    /// The pid.
    #[inline(always)]
    pub fn pid_term(&self) -> Term {
        Term::local_pid(self.id)
    }

    /// The part that only its runner may touch.
    ///
    /// # Safety
    /// The caller holds the RUNNING bit, or the process is not yet or no longer visible to others, and
    /// no other reference to it lives.
    #[allow(
        clippy::mut_from_ref,
        reason = "exclusive by the state word, which the borrow checker does not see"
    )]
    #[inline(always)]
    pub unsafe fn owned(&self) -> &mut Owned {
        // SAFETY: as the caller promises.
        unsafe { &mut *self.owned.get() }
    }
}

/// Bits of `Owned::flags`.
pub mod flag {
    /// Exit signals become messages.
    pub const TRAP_EXIT: u16 = 1;
    /// `process_flag(sensitive, true)`.
    pub const SENSITIVE: u16 = 2;
    /// `process_flag(message_queue_data, off_heap)`.
    pub const OFF_HEAP_MESSAGES: u16 = 4;
    /// `process_flag(async_dist, true)`.
    pub const ASYNC_DIST: u16 = 8;
    /// Part of the VM, does not keep `init:stop` waiting and is left alone by it.
    pub const SYSTEM: u16 = 16;
    /// It owns something outside (tables, ports), which exit hooks must see to.
    pub const HAS_RESOURCES: u16 = 32;
    /// A thread of a pool is to collect its heap (see `sched::collect`).
    pub const COLLECTS: u16 = 64;
    /// And into the least memory, because it hibernates.
    pub const SHRINKS: u16 = 128;
    /// It keeps work of a BIF that is not finished.
    pub const HAS_WORK: u16 = 256;
    /// It keeps its last calls.
    pub const KEEPS_CALLS: u16 = 512;
}

/// `process_flag(max_heap_size, ...)`.
#[derive(Clone, Copy, Debug)]
pub struct MaxHeap {
    /// Words; 0 is no limit.
    pub size: usize,
    /// Kill a process that exceeds it?
    pub kill: bool,
    /// Log it?
    pub error_logger: bool,
    /// Count shared binaries?
    pub include_shared_binaries: bool,
}

/// What a BIF has not finished, as the process that keeps it sees it (see `work`).
pub trait Unfinished: Any + Send {
    /// Shows all terms that are held.
    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term]));
}

/// Rarely used parts of a process.
#[derive(Default)]
pub struct Rare {
    /// Registered name.
    name: Option<Atom>,
    /// `process_flag(save_calls, N)`, if it is on.
    last_calls: Option<Box<LastCalls>>,
    /// Aliases that are active, by the number of the reference.
    pub aliases: SmallMap<u64, Alias>,
    /// Processes that suspended this one.
    pub suspended_by: Vec<u64>,
    /// Processes that this one suspended.
    pub suspends: Vec<suspend::Suspends>,
    /// `process_flag(monitor_nodes...)`, label and whatever else BIFs keep by name.
    pub label: Option<OwnedTerm>,
    /// State of a BIF that waits or yields, kept between its calls.
    pub bif_state: Option<Box<dyn Any + Send>>,
    /// The word of a binary that was found to be UTF-8, and the number of collections then.
    pub checked_text: Option<(u64, u32)>,
    /// The work of a BIF that goes on in the next time slice.
    work: Option<Box<dyn Unfinished>>,
    /// What a function of a native library has said to call in its place (a `code::nif::Scheduled`).
    pub(crate) scheduled: Option<Box<dyn Any + Send>>,
    /// Signals that were taken out of the inbox and not handled yet.
    unhandled: Option<Taken<Signal>>,
    /// Only these are to be handled for now, none that come later.
    catching_up: bool,
    /// What is left to do when the process has ended.
    pub farewell: Option<Box<exit::Farewell>>,
    /// Work that others have asked for, to be done before the next time slice.
    pub system_tasks: Vec<signal::Task>,
    /// Such work that waits until a call in a dirty pool has ended, or until collections are allowed again.
    pub put_off: Vec<signal::Task>,
    /// Is a thread of a pool to copy what it holds of literals that are being released?
    copies_literals: bool,
    /// Requests to other nodes to spawn that are not answered, by the numbers of their references.
    pub pending_spawns: std::collections::BTreeMap<u64, PendingSpawn>,
    /// The process of another node that has spawned this one.
    pub parent_elsewhere: Option<PidKey>,
    /// Limit on the heap's size.
    pub max_heap: Option<MaxHeap>,
    /// A bitstring under construction by instructions of old compilers.
    pub building: Option<crate::heap::binary::Building>,
}

/// A request to another node to spawn a process.
pub struct PendingSpawn {
    /// First element of the answer.
    pub tag: OwnedTerm,
    /// Is an answer wanted if it was done, and if not?
    pub replies: (bool, bool),
    /// The tag of the monitor's message, if it has one of its own.
    pub monitor_tag: Option<OwnedTerm>,
    /// Is the reference an alias too?
    pub alias: bool,
    /// Is the monitor's message a priority message?
    pub priority: bool,
}

/// An active alias.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alias {
    /// When it ends.
    pub end: AliasEnd,
    /// Does it take priority messages?
    pub priority: bool,
}

/// When an alias stops being active by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AliasEnd {
    /// Only by `unalias/1`.
    Explicit,
    /// With the monitor it belongs to.
    Demonitor,
    /// With the monitor, or with the first message.
    ReplyDemonitor,
    /// With the first message (`alias([reply])`).
    Reply,
}

/// What only the running thread may touch.
pub struct Owned {
    /// The packed pid.
    pub id: u64,
    /// Terms.
    pub heap: ProcHeap,
    /// Frames.
    pub stack: Stack,
    /// Where to go on.
    pub pc: *const u64,
    /// The X registers that are live at `pc`.
    pub saved: Vec<Term>,
    /// Messages fetched and not taken.
    pub mailbox: Mailbox,
    /// Process dictionary.
    pub dict: Dict,
    /// Links and monitors.
    pub relations: Relations,
    /// Group leader.
    pub group_leader: Term,
    /// Module that is called for functions that are not there.
    pub error_handler: Atom,
    /// See `flag`.
    pub flags: u16,
    /// Is a `receive ... after` under way, and did its time run out?
    pub timeout: Timeout,
    /// Module, function and arity of the first call.
    pub initial_call: (Atom, Atom, u32),
    /// Packed pid of the process that spawned it, or `u64::MAX`.
    pub parent: u64,
    /// Reductions used in earlier time slices.
    pub reductions: u64,
    /// Set when the process is to exit at the next chance: the reason.
    pub exit_reason: Option<Box<ExitReason>>,
    /// Collections so far.
    pub collections: u32,
    pub(crate) rare: Option<Box<Rare>>,
}

// SAFETY: `pc` points to bytecode that is kept while a process may run it; terms point into the heap.
unsafe impl Send for Owned {}

/// State of a `receive ... after`.
#[derive(Clone, Copy, Debug)]
pub enum Timeout {
    /// No timer runs.
    None,
    /// The timer with this number runs; what cancels it.
    Running(u64, crate::timer::Handle),
    /// The process waits for ever.
    Never,
    /// The timer has run out.
    Over,
}

impl Owned {
    /// The rarely used parts, made at first use.
    pub fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The rarely used parts, if any was used.
    #[inline]
    pub fn rare_if_any(&mut self) -> Option<&mut Rare> {
        self.rare.as_deref_mut()
    }

    /// The state that a BIF of that kind has kept, if it waits or yields.
    pub fn bif_state<T: 'static>(&self) -> Option<&T> {
        self.rare.as_ref()?.bif_state.as_ref()?.downcast_ref()
    }

    /// Has it called a BIF that waits or goes on in another time slice?
    pub fn has_unfinished_bif(&self) -> bool {
        self.rare
            .as_ref()
            .is_some_and(|r| r.bif_state.is_some() || r.work.is_some())
    }

    /// The process of another node that has spawned this one.
    pub fn parent_elsewhere(&self) -> Option<PidKey> {
        self.rare.as_ref().and_then(|r| r.parent_elsewhere)
    }

    /// The registered name.
    pub fn name(&self) -> Option<Atom> {
        self.rare.as_ref()?.name
    }

    /// Does it keep work of a BIF that is not finished?
    #[inline]
    pub fn has_work(&self) -> bool {
        self.has(flag::HAS_WORK)
    }

    /// Keeps work for later.
    pub fn keep_work(&mut self, work: Box<dyn Unfinished>) {
        self.rare().work = Some(work);
        self.set_flag(flag::HAS_WORK, true);
    }

    /// Takes out the work that is kept.
    pub fn take_work(&mut self) -> Option<Box<dyn Unfinished>> {
        self.set_flag(flag::HAS_WORK, false);
        self.rare().work.take()
    }

    /// Does it keep its last calls?
    #[inline]
    pub fn keeps_calls(&self) -> bool {
        self.has(flag::KEEPS_CALLS)
    }

    /// The last calls, if they are kept.
    pub fn last_calls_term(&mut self) -> Option<Term> {
        let kept = self.rare.as_ref()?.last_calls.as_ref()?;
        Some(kept.to_term(&mut self.heap.young))
    }

    /// Sets or takes away the registered name; gives the one that it had.
    pub fn set_name(&mut self, name: Option<Atom>) -> Option<Atom> {
        match &mut self.rare {
            Some(r) => std::mem::replace(&mut r.name, name),
            None if name.is_none() => None,
            none => none.get_or_insert_default().name.replace(name?),
        }
    }

    /// Has it an alias that takes priority messages?
    pub fn takes_priority_messages(&self) -> bool {
        self.rare
            .as_ref()
            .is_some_and(|r| r.aliases.values().any(|a| a.priority))
    }

    /// Is the flag set?
    #[inline]
    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Sets or clears a flag; gives what it was.
    pub fn set_flag(&mut self, flag: u16, on: bool) -> bool {
        let was = self.has(flag);
        self.flags = if on {
            self.flags | flag
        } else {
            self.flags & !flag
        };
        was
    }

    /// Collects garbage. `live` are the live X registers; everything else is known here.
    pub fn collect(&mut self, live: &mut [Term], need: usize, major: bool) {
        if let Some(max) = self.rare.as_ref().and_then(|r| r.max_heap) {
            exit::check_max_heap(self, max);
        }
        let begun = system_monitor::collection();
        self.mailbox.pin_peeked(&mut self.heap.young);
        self.heap.set_stack_words(self.stack.used());
        let mut roots = ProcRoots {
            live,
            saved: &mut self.saved,
            stack: self.stack.slots(),
            dict: &mut self.dict,
            mailbox: &mut self.mailbox,
            group_leader: &mut self.group_leader,
            rare: self.rare.as_deref_mut(),
        };
        let report = self.heap.collect(&mut roots, need, major);
        if verify_heaps() {
            crate::heap::verify::verify(&self.heap, &mut roots);
        }
        self.collections = self.collections.wrapping_add(1);
        if report.major {
            self.stack.trim();
        }
        if let Some(begun) = begun {
            system_monitor::collected(self, begun);
        }
    }

    /// Collects into the least memory, for a process that hibernates.
    pub fn collect_to_size(&mut self) {
        let begun = system_monitor::collection();
        self.mailbox.pin_peeked(&mut self.heap.young);
        self.heap.set_stack_words(self.stack.used());
        let mut roots = ProcRoots {
            live: &mut [],
            saved: &mut self.saved,
            stack: self.stack.slots(),
            dict: &mut self.dict,
            mailbox: &mut self.mailbox,
            group_leader: &mut self.group_leader,
            rare: self.rare.as_deref_mut(),
        };
        self.heap.shrink_to_live(&mut roots);
        self.stack.shrink();
        self.collections = self.collections.wrapping_add(1);
        if let Some(begun) = begun {
            system_monitor::collected(self, begun);
        }
    }

    /// Collects into the least memory, or leaves it to a thread of a pool if that takes long: `false` then, and the
    /// process is to leave for it (`Outcome::Collect`).
    pub fn shrink(&mut self) -> bool {
        let here = !self.heap.is_long_to_shrink();
        if here {
            self.collect_to_size();
        } else {
            self.set_flag(flag::SHRINKS, true);
        }
        here
    }

    /// Has a thread of a pool copy what the process holds of literals that are being released, if that takes long; the
    /// process is to leave for it at once. `false`: it does not.
    pub fn leave_to_copy_literals(&mut self) -> bool {
        let leaves = self.has(flag::COLLECTS) || self.heap.is_long_to_shrink();
        if leaves {
            self.rare().copies_literals = true;
        }
        leaves
    }

    /// Is it to leave for that?
    pub fn copies_literals(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.copies_literals)
    }

    /// The same, and it is no longer.
    pub fn take_copies_literals(&mut self) -> bool {
        let rare = self.rare.as_mut();
        rare.is_some_and(|r| std::mem::take(&mut r.copies_literals))
    }

    /// Allows or forbids collections; gives whether they were allowed. When they are allowed again, what has
    /// waited for that is to be done before the next time slice.
    pub fn allow_collections(&mut self, on: bool) -> bool {
        let forbidden = std::mem::replace(&mut self.heap.forbidden, !on);
        if on && forbidden {
            self.resume_tasks();
        }
        !forbidden
    }

    /// Puts off what cannot be done now, because a call of this process is in a dirty pool or because
    /// collections are forbidden.
    pub fn put_off(&mut self, task: signal::Task) {
        self.rare().put_off.push(task);
    }

    /// What was put off is to be done before the next time slice. Is there anything?
    pub fn resume_tasks(&mut self) -> bool {
        let Some(r) = &mut self.rare else {
            return false;
        };
        let tasks = std::mem::take(&mut r.put_off);
        r.system_tasks.extend(tasks);
        !r.system_tasks.is_empty()
    }

    /// Gives back all memory of a process that has ended. Its record may be looked at for some time yet, and
    /// takes nothing but itself.
    pub fn free(&mut self) {
        self.heap = ProcHeap::empty();
        self.stack = Stack::empty();
        self.saved = Vec::new();
        self.group_leader = Term::NIL;
        self.mailbox.clear();
        self.dict.clear();
        self.rare = None;
    }

    /// The work that is to be done before the next time slice.
    pub fn take_system_tasks(&mut self) -> Vec<signal::Task> {
        self.rare
            .as_mut()
            .map_or(Vec::new(), |r| std::mem::take(&mut r.system_tasks))
    }

    /// Is there work to be done before the next time slice?
    pub fn has_system_tasks(&self) -> bool {
        self.rare
            .as_ref()
            .is_some_and(|r| !r.system_tasks.is_empty())
    }

    /// Has it signals that it has taken out of its inbox and not handled?
    #[inline]
    pub fn has_unhandled(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.unhandled.is_some())
    }

    /// Takes them.
    pub fn take_unhandled(&mut self) -> Taken<Signal> {
        let rare = self.rare.as_mut();
        rare.and_then(|r| r.unhandled.take()).unwrap_or(Taken::NONE)
    }

    /// Puts off signals, of which there are some.
    pub fn keep_unhandled(&mut self, signals: Taken<Signal>) {
        self.rare().unhandled = Some(signals);
    }

    /// Are only the signals in `unhandled` to be handled for now?
    pub fn is_catching_up(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.catching_up)
    }

    /// Sets it.
    pub fn set_catching_up(&mut self, on: bool) {
        self.rare().catching_up = on;
    }

    /// Is it suspended by `erlang:suspend_process/1,2`?
    pub fn is_suspended(&self) -> bool {
        self.rare
            .as_ref()
            .is_some_and(|r| !r.suspended_by.is_empty())
    }

    /// Makes room on the stack for at least `words` more words.
    pub fn grow_stack(&mut self, words: usize) {
        self.stack.grow(words);
        if self.rare.as_ref().is_some_and(|r| r.max_heap.is_some()) {
            // A collection finds out whether that is more than the process may have.
            self.heap.request_collection(false);
        }
    }

    /// The size of the block in which the young generation and the stack would be together, in words: the heap's
    /// size to Erlang code.
    pub fn block_size(&self) -> usize {
        self.heap.block_size(self.stack.used())
    }

    /// The shared binaries that heap and messages refer to.
    pub fn binaries(&self) -> impl Iterator<Item = &BinaryRef> {
        self.heap.binaries().chain(self.mailbox.binaries())
    }

    /// Words of memory of heap, stack, messages, dictionary, links and monitors.
    pub fn memory_words(&self) -> usize {
        let all = self.relations.get();
        let relations = all.links.memory()
            + all.outgoing.len() * (size_of::<(u64, usize)>() + size_of::<Outgoing>())
            + all.incoming.len() * size_of::<(u64, Incoming)>();
        self.heap.capacity()
            + self.stack.capacity()
            + self.mailbox.words()
            + self.dict.words()
            + relations / 8
    }
}

static VERIFY: std::sync::atomic::AtomicBool =
    std::sync::atomic::AtomicBool::new(cfg!(debug_assertions));

/// Turns the heap verifier on or off (`--verify-heap`).
pub fn set_verify_heaps(on: bool) {
    VERIFY.store(on, std::sync::atomic::Ordering::Relaxed);
}

fn verify_heaps() -> bool {
    VERIFY.load(std::sync::atomic::Ordering::Relaxed)
}

/// All roots of a process, in one place.
struct ProcRoots<'a> {
    live: &'a mut [Term],
    saved: &'a mut Vec<Term>,
    stack: &'a mut [Term],
    dict: &'a mut Dict,
    mailbox: &'a mut Mailbox,
    group_leader: &'a mut Term,
    rare: Option<&'a mut Rare>,
}

impl Roots for ProcRoots<'_> {
    fn visit(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(self.live);
        visit(self.saved);
        stack::close_lists(self.stack);
        visit(self.stack);
        self.dict.visit_roots(visit);
        self.mailbox.visit_roots(visit);
        visit(std::slice::from_mut(self.group_leader));
        if let Some(work) = self.rare.as_mut().and_then(|r| r.work.as_mut()) {
            work.visit_roots(visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record, a first heap block and a first stack are what an idle process costs; the allocator's
    /// next size of block after 448 bytes is 512.
    #[test]
    fn a_record_stays_small() {
        assert!(size_of::<Process>() <= 448, "{}", size_of::<Process>());
    }
}
