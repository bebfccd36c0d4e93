//! The processors: what the operating system says of them, what the user says (`+sct`,
//! `system_flag(cpu_topology, _)`), how many there are, and how schedulers are bound to them.

use super::binding::{BindType, order};
use super::facts::facts;
use super::processor::{LogicalProcessor, check, sorted};
use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::export;
use enigma_runtime::sched::bind;
use enigma_runtime::sys::affinity::Processors;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, badarg};
use parking_lot::Mutex;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

bifs! { BIFS:
    "erts_internal" {
        "get_cpu_topology"/0 Call => get_cpu_topology;
    }
}

static DEFINED: Mutex<Option<Vec<LogicalProcessor>>> = Mutex::new(None);
static DETECTED: LazyLock<Option<Vec<LogicalProcessor>>> = LazyLock::new(|| {
    // Who defines one at the start has the system not asked.
    let is_asked = !facts().topology_unread && facts().cpu_topology.is_none();
    is_asked.then(detect).flatten()
});

/// Takes over what `+sct` and `+sbt` say.
pub(super) fn configure() {
    *DEFINED.lock() = facts().cpu_topology.clone().map(sorted);
    *TYPE.lock() = facts().bind_type;
    plan();
}

/// Does something with the one that is in use.
fn used<R>(f: impl FnOnce(Option<&[LogicalProcessor]>) -> R) -> R {
    let defined = DEFINED.lock();
    f(defined.as_deref().or(DETECTED.as_deref()))
}

/// Which of the topologies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// What the user says.
    Defined,
    /// What the operating system says.
    Detected,
    /// The first of them that there is.
    Used,
}

fn internal(h: &mut Heap, which: Which) -> Term {
    let defined = DEFINED.lock();
    let all = match which {
        Which::Defined => defined.as_ref(),
        Which::Detected => DETECTED.as_ref(),
        Which::Used => defined.as_ref().or(DETECTED.as_ref()),
    };
    let Some(all) = all else {
        return Atom::UNDEFINED.into();
    };
    let rows: Vec<Term> = all
        .iter()
        .map(|c| {
            let [node, processor, processor_node, core, thread] =
                c.place().map(|n| Term::small(i64::from(n)));
            h.tuple(&[
                Atom::new("cpu").into(),
                node,
                processor,
                processor_node,
                core,
                thread,
                Term::small(i64::from(c.logical)),
            ])
        })
        .collect();
    h.list(&rows)
}

/// A topology for the user: OTP's own code brings it into shape.
pub(super) fn show(cx: &mut Ctx<'_>, which: Which) -> BifResult {
    let t = internal(cx.heap(), which);
    cx.x[0] = t;
    Err(Exit::Trap(export::get(
        Atom::ERLANG,
        Atom::new("format_cpu_topology"),
        1,
    )))
}

/// `system_flag(cpu_topology, T)`: OTP's own code reads it, and comes back with `internal_cpu_topology`.
pub(super) fn set(cx: &mut Ctx<'_>, t: Term) -> BifResult {
    cx.x[0] = t;
    Err(Exit::Trap(export::get(
        Atom::ERLANG,
        Atom::new("set_cpu_topology"),
        1,
    )))
}

/// `system_flag(internal_cpu_topology, T)`; gives the one that was in use.
pub(super) fn set_internal(cx: &mut Ctx<'_>, t: Term) -> BifResult {
    let new = if t.as_atom() == Some(Atom::UNDEFINED) {
        None
    } else {
        let rows = list::to_vec(t)
            .filter(|l| !l.is_empty())
            .ok_or_else(badarg)?;
        let all: Option<Vec<_>> = rows.into_iter().map(read).collect();
        let all = all.ok_or_else(badarg)?;
        check(&all).map_err(|_| badarg())?;
        Some(sorted(all))
    };
    let old = internal(cx.heap(), Which::Used);
    *DEFINED.lock() = new;
    plan();
    Ok(old)
}

fn read(row: Term) -> Option<LogicalProcessor> {
    let &[tag, node, processor, processor_node, core, thread, logical] = row.as_tuple_n::<7>()?;
    let id = |t: Term| t.as_small().filter(|n| (-1..=0xffff).contains(n));
    let id = |t: Term| id(t).map(|n| n as i32);
    (tag.as_atom()? == Atom::new("cpu")).then_some(())?;
    Some(LogicalProcessor {
        logical: id(logical).filter(|&n| n >= 0)?,
        thread: id(thread)?,
        core: id(core)?,
        processor_node: id(processor_node)?,
        processor: id(processor)?,
        node: id(node)?,
    })
}

fn get_cpu_topology(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    show(cx, Which::Used)
}

// ---- binding ----

/// How schedulers are bound.
static TYPE: Mutex<BindType> = Mutex::new(BindType::Unbound);

/// Binds the schedulers anew: something has changed that they are bound by.
fn plan() {
    let kind = *TYPE.lock();
    let mut processors = Vec::new();
    if kind != BindType::Unbound {
        let available = Processors::of_process().map_or_else(Vec::new, |p| p.numbers());
        let all = used(|all| all.map(|all| order(all, kind)));
        processors = all.unwrap_or_default();
        processors.retain(|n| available.contains(n));
    } else if bind::bindings().iter().all(Option::is_none) {
        return;
    }
    bind::set(processors);
}

/// `system_flag(scheduler_bind_type, T)`; gives the one that there was.
pub(super) fn set_bind_type(t: Term) -> BifResult {
    let kind = BindType::of(t).ok_or_else(badarg)?;
    if !used(|all| all.is_some()) {
        return Err(badarg());
    }
    if Processors::of_process().is_none() {
        return Err(Exit::error(Atom::NOTSUP));
    }
    let before = std::mem::replace(&mut *TYPE.lock(), kind);
    plan();
    Ok(before.name().into())
}

/// `system_info(scheduler_bind_type)`.
pub(super) fn bind_type() -> Term {
    TYPE.lock().name().into()
}

/// `system_info(scheduler_bindings)`.
pub(super) fn bindings(h: &mut Heap) -> Term {
    let show = |b: Option<u32>| match b {
        Some(n) => Term::small(i64::from(n)),
        None => Term::atom(Atom::new("unbound")),
    };
    let all: Vec<Term> = bind::bindings().into_iter().map(show).collect();
    h.tuple(&all)
}

/// What as many schedulers as there are processors would be bound to, whether or not these exist; `false` if to none.
pub fn imagined(h: &mut Heap, kind: Term) -> Option<Term> {
    let kind = BindType::of(kind)?;
    if kind == BindType::Unbound {
        return Some(false.into());
    }
    let all = used(|all| all.map(|all| order(all, kind)))?;
    let all: Vec<Term> = all.into_iter().map(|n| Term::small(i64::from(n))).collect();
    Some(h.tuple(&all))
}

// ---- the operating system ----

fn number(path: &Path) -> Option<i32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The entries `<prefix>N` of a folder, by their numbers.
fn numbered(dir: &Path, prefix: &str) -> Vec<i32> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut all: Vec<i32> = entries
        .filter_map(|e| e.file_name().to_str()?.strip_prefix(prefix)?.parse().ok())
        .collect();
    all.sort_unstable();
    all
}

/// The processors that Linux lists. A core's number counts the cores of its processor, a thread's those of
/// its core.
fn detect() -> Option<Vec<LogicalProcessor>> {
    let cpus = Path::new("/sys/devices/system/cpu");
    let nodes = Path::new("/sys/devices/system/node");
    let node_numbers = numbered(nodes, "node");
    let node_of = |cpu: i32| {
        node_numbers
            .iter()
            .position(|n| nodes.join(format!("node{n}/cpu{cpu}")).exists())
            .map_or(0, |i| i as i32)
    };
    // (node, package, core, logical) as the operating system numbers them
    let mut raw: Vec<[i32; 4]> = Vec::new();
    for cpu in numbered(cpus, "cpu") {
        let topology = cpus.join(format!("cpu{cpu}/topology"));
        let package = number(&topology.join("physical_package_id"));
        let core = number(&topology.join("core_id"));
        if let (Some(package), Some(core)) = (package, core) {
            raw.push([node_of(cpu), package.max(0), core, cpu]);
        }
    }
    raw.sort_unstable();
    let mut packages: Vec<i32> = raw.iter().map(|r| r[1]).collect();
    packages.dedup();
    let mut distinct = packages.clone();
    distinct.sort_unstable();
    distinct.dedup();
    // A package that is in more than one node has nodes inside.
    let nodes_inside = distinct.len() != packages.len();
    let mut all: Vec<LogicalProcessor> = Vec::with_capacity(raw.len());
    let mut before: Option<[i32; 4]> = None;
    for r in raw {
        let [node, package, core, logical] = r;
        let processor = distinct.iter().position(|&p| p == package)? as i32;
        let last = all.last();
        let (core_number, thread) = match (before, last) {
            (Some(b), Some(l)) if b[..3] == r[..3] => (l.core, l.thread + 1),
            (Some(b), Some(l)) if b[..2] == r[..2] => (l.core + 1, 0),
            _ => (0, 0),
        };
        before = Some([node, package, core, logical]);
        all.push(LogicalProcessor {
            logical,
            thread,
            core: core_number,
            processor_node: if nodes_inside { node } else { -1 },
            processor,
            node: if nodes_inside { -1 } else { node },
        });
    }
    (!all.is_empty() && check(&all).is_ok()).then(|| sorted(all))
}

/// Numbers of processors.
#[derive(Clone, PartialEq, Eq)]
struct Processing {
    /// Those that there are, and those that are on; nothing where the operating system does not tell.
    counts: [Option<usize>; 2],
    /// Those that this process may use, with the quota of its control group left aside.
    available: Option<Vec<u32>>,
}

/// As it was when it was last asked for.
static PROCESSING: LazyLock<Mutex<Processing>> = LazyLock::new(|| Mutex::new(processing()));

fn processing() -> Processing {
    // SAFETY: `sysconf` takes no pointers and has no preconditions.
    let configured = |name| usize::try_from(unsafe { libc::sysconf(name) }).ok();
    let known = |n: Option<usize>| n.filter(|&n| n > 0);
    Processing {
        counts: [
            known(configured(libc::_SC_NPROCESSORS_CONF)),
            known(configured(libc::_SC_NPROCESSORS_ONLN)),
        ],
        available: Processors::of_process().map(|p| p.numbers()),
    }
}

/// Asks the operating system again: has anything changed? Then schedulers are bound anew.
pub(super) fn update() -> bool {
    let now = processing();
    let before = std::mem::replace(&mut *PROCESSING.lock(), now.clone());
    let changed = now != before;
    if changed {
        plan();
    }
    changed
}

/// The processors that there are; those that are on; those that this process may use, with the quota of its control group left
/// aside. Nothing where the operating system does not tell.
pub(super) fn counts() -> [Option<usize>; 3] {
    let now = PROCESSING.lock();
    let [all, online] = now.counts;
    [all, online, now.available.as_ref().map(Vec::len)]
}

/// Reads a control group's limit: quota and period in microseconds.
type ReadLimit = fn(&Path) -> Option<(u64, u64)>;

/// How many processors' time the control group may use, rounded up; nothing without a limit.
pub(super) fn quota() -> Option<usize> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mut least: Option<usize> = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let (root, read): (&str, ReadLimit) = if controllers.is_empty() {
            ("/sys/fs/cgroup", unified)
        } else if controllers.split(',').any(|c| c == "cpu") {
            ("/sys/fs/cgroup/cpu", per_controller)
        } else {
            continue;
        };
        let below = path.trim_start_matches('/');
        for group in Path::new(below).ancestors() {
            if let Some((quota, period)) = read(&Path::new(root).join(group)) {
                let n = quota.div_ceil(period.max(1)).max(1) as usize;
                least = Some(least.map_or(n, |l| l.min(n)));
            }
        }
    }
    least
}

fn unified(group: &Path) -> Option<(u64, u64)> {
    let text = fs::read_to_string(group.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    Some((quota.parse().ok()?, period.parse().ok()?))
}

fn per_controller(group: &Path) -> Option<(u64, u64)> {
    let read = |name: &str| {
        fs::read_to_string(group.join(name))
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    Some((read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?))
}
