//! Making processes.

use crate::atom::Atom;
use crate::heap::copy;
use crate::heap::gc::{self, ProcHeap};
use crate::interp;
use crate::process::dict::Dict;
use crate::process::mailbox::Mailbox;
use crate::process::relations::Relations;
use crate::process::stack::Stack;
use crate::process::state::Priority;
use crate::process::{MaxHeap, Owned, PidKey, Process, Timeout, table};
use crate::sched;
use crate::term::{Term, stack_word};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

/// What `spawn_opt` can ask for.
#[derive(Clone, Copy, Debug)]
pub struct SpawnOptions {
    /// Priority.
    pub priority: Priority,
    /// Smallest heap in words.
    pub min_heap: usize,
    /// Smallest virtual binary heap in words.
    pub min_vheap: usize,
    /// Minor collections between major ones.
    pub fullsweep_after: u16,
    /// Maximum heap size.
    pub max_heap: Option<MaxHeap>,
    /// Initial bits of `Owned::flags`.
    pub flags: u16,
    /// Link parent and child.
    pub link: bool,
}

static MIN_HEAP: AtomicUsize = AtomicUsize::new(gc::DEFAULT_MIN_HEAP);
static MIN_VHEAP: AtomicUsize = AtomicUsize::new(gc::DEFAULT_MIN_VHEAP);
static FLAGS: AtomicU16 = AtomicU16::new(0);
static FULLSWEEP: AtomicU16 = AtomicU16::new(u16::MAX);
static MAX_HEAP: parking_lot::RwLock<Option<MaxHeap>> = parking_lot::RwLock::new(None);
static STRESS: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Sets the default of `min_heap` (`+hms`, `system_flag`); gives the old one.
pub fn set_default_min_heap(words: usize) -> usize {
    MIN_HEAP.swap(gc::heap_size_for(words), Ordering::Relaxed)
}

/// Sets the default of `min_vheap` (`+hmbs`, `system_flag`); gives the old one.
pub fn set_default_min_vheap(words: usize) -> usize {
    MIN_VHEAP.swap(gc::heap_size_for(words), Ordering::Relaxed)
}

/// Sets the default of `fullsweep_after`; gives the old one.
pub fn set_default_fullsweep(n: u16) -> u16 {
    FULLSWEEP.swap(n, Ordering::Relaxed)
}

/// Sets the default of `max_heap` (`+hmax`, `system_flag`); gives the old one.
pub fn set_default_max_heap(max: Option<MaxHeap>) -> Option<MaxHeap> {
    std::mem::replace(&mut *MAX_HEAP.write(), max)
}

/// Sets the flag bits that processes have from the start (`+hmqd`, `+pad`).
pub fn set_default_flags(flags: u16) {
    FLAGS.store(flags, Ordering::Relaxed);
}

/// Makes every new process collect at every chance (a test mode).
pub fn set_gc_stress(on: bool) {
    STRESS.store(on, Ordering::Relaxed);
}

/// Does every new process collect at every chance?
pub fn is_gc_stress() -> bool {
    STRESS.load(Ordering::Relaxed)
}

/// Values for processes that say nothing.
impl Default for SpawnOptions {
    fn default() -> SpawnOptions {
        SpawnOptions {
            priority: Priority::Normal,
            min_heap: MIN_HEAP.load(Ordering::Relaxed),
            min_vheap: MIN_VHEAP.load(Ordering::Relaxed),
            fullsweep_after: FULLSWEEP.load(Ordering::Relaxed),
            max_heap: *MAX_HEAP.read(),
            flags: FLAGS.load(Ordering::Relaxed),
            link: false,
        }
    }
}

/// Makes a process that calls `module:function` with the list `args`, and makes it runnable. `before`
/// runs on the new process before anybody else can see it run. Nothing if there are too many processes.
pub fn spawn(
    parent: Option<(&Process, &mut Owned)>,
    (module, function, args): (Atom, Atom, Term),
    options: &SpawnOptions,
    before: impl FnOnce(u64, &mut Owned),
) -> Option<u64> {
    let mut heap = ProcHeap::new(
        options.min_heap.max(copy::size(args)),
        options.min_vheap,
        options.fullsweep_after,
    );
    // The room for arguments is there at first, and no size that collections keep to.
    heap.set_min_words(options.min_heap);
    heap.stress = STRESS.load(Ordering::Relaxed);
    let args = copy::copy(args, &mut heap.young);
    let arity = crate::term::list::length(args).unwrap_or(0) as u32;
    let group_leader = match &parent {
        Some((_, own)) => copy::copy(own.group_leader, &mut heap.young),
        None => Term::NIL,
    };
    let mut stack = Stack::new();
    stack.push(stack_word::return_pc(interp::special::normal_exit()));
    let mut own = Owned {
        id: u64::MAX,
        heap,
        stack,
        pc: interp::special::apply_args(),
        saved: vec![module.into(), function.into(), args],
        mailbox: Mailbox::default(),
        dict: Dict::default(),
        relations: Relations::default(),
        group_leader,
        error_handler: Atom::ERROR_HANDLER,
        flags: options.flags,
        timeout: Timeout::None,
        initial_call: (module, function, arity),
        parent: parent.as_ref().map_or(u64::MAX, |(p, _)| p.id),
        reductions: 0,
        exit_reason: None,
        collections: 0,
        rare: None,
    };
    if let Some(max) = options.max_heap {
        own.rare().max_heap = Some(max);
    }
    if let (true, Some((p, _))) = (options.link, &parent) {
        own.relations.links().insert(PidKey::local(p.id));
    }
    let p = table::insert(|id| {
        before(id, &mut own);
        if own.group_leader.is_nil() {
            own.group_leader = Term::local_pid(id);
        }
        Box::new(Process::new(id, options.priority, own))
    })?;
    if let (true, Some((_, parent))) = (options.link, parent) {
        parent.relations.links().insert(PidKey::local(p.id));
    }
    let id = p.id;
    sched::enqueue(p);
    Some(id)
}
