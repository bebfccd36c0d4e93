//! What a process does to itself: dictionary, flags, group leader, hibernation, collections; and the
//! list of processes.

use super::spawn::{max_heap, priority};
use crate::{args, bifs};
use enigma_runtime::atom::Atom;
use enigma_runtime::data::map;
use enigma_runtime::dist::operations;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::last_calls::LastCalls;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::process::state::Priority;
use enigma_runtime::process::table::{self, Listing};
use enigma_runtime::process::{MaxHeap, PidKey, flag, suspend};
use enigma_runtime::spawn::SpawnOptions;
use enigma_runtime::term::list;
use enigma_runtime::work::{self, Budget, Step, Work};
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, badarg, release, sched};
use std::task::Poll;

bifs! { BIFS:
    "erlang" {
        "get"/0 Call => get0, reads_total LIST;
        "get"/1 Guard => get1, reads_total ANY;
        "put"/2 Call => put;
        "erase"/0 Call => erase0;
        "erase"/1 Call => erase1;
        "get_keys"/0 Call => get_keys0, reads_total LIST;
        "get_keys"/1 Call => get_keys1, reads_total LIST;
        "process_flag"/2 Call => process_flag2;
        "group_leader"/0 Call => group_leader0, reads_total PID;
        "hibernate"/0 Call => hibernate0;
        "hibernate"/3 Call => hibernate;
        "yield"/0 Call => yield0;
        "processes"/0 Steps => processes;
        "bump_reductions"/1 Call => bump_reductions;
        "resume_process"/1 Call => resume_process;
    }
    "erts_internal" {
        "group_leader"/2 Call => group_leader2;
        "group_leader"/3 Call => group_leader3;
        "garbage_collect"/1 Call => garbage_collect;
        "process_flag"/3 Call => process_flag3;
        "dirty_process_handle_signals"/1 Call => dirty_process_handle_signals;
        "is_system_process"/1 Call => is_system_process;
        "suspend_process"/2 Call => suspend_process;
        "processes_next"/1 Call => processes_next;
    }
}

fn undefined() -> Term {
    Atom::UNDEFINED.into()
}

// ---- dictionary ----

fn pairs(cx: &mut Ctx<'_>, all: &[[Term; 2]]) -> Term {
    let items: Vec<Term> = all.iter().map(|p| cx.heap().tuple(p)).collect();
    cx.heap().list(&items)
}

fn get0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let all = cx.own.dict.pairs().to_vec();
    Ok(pairs(cx, &all))
}

fn get1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(cx.own.dict.get(a[0]).unwrap_or_else(undefined))
}

fn put(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(cx.own.dict.put(a[0], a[1]).unwrap_or_else(undefined))
}

fn erase0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let all = cx.own.dict.pairs().to_vec();
    cx.own.dict.clear();
    Ok(pairs(cx, &all))
}

fn erase1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(cx.own.dict.erase(a[0]).unwrap_or_else(undefined))
}

fn get_keys0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let keys: Vec<Term> = cx.own.dict.pairs().iter().map(|p| p[0]).collect();
    Ok(cx.heap().list(&keys))
}

fn get_keys1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let same = |p: &&[Term; 2]| enigma_runtime::data::compare::exact_eq(p[1], a[0]);
    let keys: Vec<Term> = cx
        .own
        .dict
        .pairs()
        .iter()
        .filter(same)
        .map(|p| p[0])
        .collect();
    Ok(cx.heap().list(&keys))
}

// ---- flags ----

/// The atom of a priority.
pub fn priority_atom(p: Priority) -> Atom {
    match p {
        Priority::Low => Atom::LOW,
        Priority::Normal => Atom::NORMAL,
        Priority::High => Atom::HIGH,
        Priority::Max => Atom::MAX,
    }
}

/// A maximum heap size as Erlang code sees it.
pub fn max_heap_term(heap: &mut Heap, m: Option<MaxHeap>) -> Term {
    let m = m.unwrap_or(MaxHeap {
        size: 0,
        kill: true,
        error_logger: true,
        include_shared_binaries: false,
    });
    let mut pairs = vec![
        (Term::atom(Atom::SIZE), Term::small(m.size as i64)),
        (Atom::KILL.into(), m.kill.into()),
        (Atom::ERROR_LOGGER.into(), m.error_logger.into()),
    ];
    if enigma_runtime::release::number() >= 27 {
        pairs.push((
            Atom::INCLUDE_SHARED_BINARIES.into(),
            m.include_shared_binaries.into(),
        ));
    }
    map::from_pairs(heap, &pairs)
}

fn bit_flag(cx: &mut Ctx<'_>, bit: u16, value: Term) -> BifResult {
    let on = args::boolean(value)?;
    Ok(cx.own.set_flag(bit, on).into())
}

fn process_flag2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bad_flag = || Exit::error_cause(Atom::BADARG, Atom::BADOPT);
    if let Some(&[kind, options]) = a[0].as_tuple_n::<2>() {
        return match kind.as_atom() {
            Some(Atom::MONITOR_NODES) => crate::dist::nodes::monitor_nodes(cx, options, a[1]),
            _ => Err(bad_flag()),
        };
    }
    match a[0].as_atom().ok_or_else(bad_flag)? {
        Atom::TRAP_EXIT => {
            let on = args::boolean(a[1])?;
            super::relations::fetch(cx)?;
            Ok(cx.own.set_flag(flag::TRAP_EXIT, on).into())
        }
        Atom::ERROR_HANDLER => {
            let new = a[1].as_atom().ok_or_else(badarg)?;
            Ok(std::mem::replace(&mut cx.own.error_handler, new).into())
        }
        Atom::PRIORITY => {
            let old = cx.proc.state.priority();
            cx.proc.state.set_priority(priority(a[1])?);
            Ok(priority_atom(old).into())
        }
        Atom::MIN_HEAP_SIZE => {
            let old = cx.own.heap.min_words();
            cx.own.heap.set_min_words(args::heap_size(a[1])?);
            Ok(Term::small(old as i64))
        }
        Atom::MIN_BIN_VHEAP_SIZE => {
            let old = cx.own.heap.min_vheap_words();
            cx.own.heap.set_min_vheap_words(args::heap_size(a[1])?);
            Ok(Term::small(old as i64))
        }
        Atom::FULLSWEEP_AFTER => {
            // BEAM takes any small integer, and its lower bits.
            let n = a[1].as_usize().filter(|&n| n < 1 << 59);
            let n = n.ok_or_else(badarg)? as u16;
            Ok(Term::small(i64::from(std::mem::replace(
                &mut cx.own.heap.fullsweep_after,
                n,
            ))))
        }
        Atom::MAX_HEAP_SIZE => {
            let old = cx.own.rare().max_heap.or(SpawnOptions::default().max_heap);
            let new = max_heap(a[1], old)?;
            if new.size != 0 && new.size < cx.own.heap.min_words() {
                return Err(badarg());
            }
            cx.own.rare().max_heap = Some(new);
            Ok(max_heap_term(cx.heap(), old))
        }
        Atom::MESSAGE_QUEUE_DATA => {
            let on = match a[1].as_atom() {
                Some(Atom::ON_HEAP) => false,
                Some(Atom::OFF_HEAP) => true,
                _ => return Err(badarg()),
            };
            let was = cx.own.set_flag(flag::OFF_HEAP_MESSAGES, on);
            Ok(if was { Atom::OFF_HEAP } else { Atom::ON_HEAP }.into())
        }
        Atom::SAVE_CALLS => {
            let n = a[1]
                .as_usize()
                .filter(|&n| n <= LastCalls::MOST)
                .ok_or_else(|| Exit::error_cause(Atom::BADARG, Atom::NONE))?;
            Ok(Term::small(cx.keep_last_calls(n) as i64))
        }
        Atom::SENSITIVE => bit_flag(cx, flag::SENSITIVE, a[1]),
        Atom::ASYNC_DIST if release::async_dist() => bit_flag(cx, flag::ASYNC_DIST, a[1]),
        Atom::MONITOR_NODES => crate::dist::nodes::monitor_nodes(cx, Term::NIL, a[1]),
        Atom::SCHEDULER => {
            // Threads are taken by need: a process is bound to none.
            a[1].as_usize()
                .filter(|&n| n <= sched::count())
                .ok_or_else(badarg)?;
            Ok(Term::small(0))
        }
        _ => Err(bad_flag()),
    }
}

/// `process_flag(Pid, save_calls, N)`, the one flag that one process may set for another. What is wrong is told by
/// its name.
fn process_flag3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let nobody = Term::atom(Atom::BADTYPE);
    let Some(id) = a[0].as_local_pid() else {
        return Ok(nobody);
    };
    if !table::with(id, |p| !p.state.is_exiting()).unwrap_or(false) {
        return Ok(nobody);
    }
    let n = a[2].as_usize().filter(|&n| n <= LastCalls::MOST);
    let (Some(Atom::SAVE_CALLS), Some(n)) = (a[1].as_atom(), n) else {
        return Ok(Atom::BADARG.into());
    };
    let set = move |cx: &mut Ctx<'_>| Term::small(cx.keep_last_calls(n) as i64);
    if id == cx.proc.id {
        return Ok(set(cx));
    }
    crate::ask::ask(cx, id, move |other| {
        OwnedTerm::new(other.map_or(Atom::BADTYPE.into(), set))
    })
}

fn group_leader0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.own.group_leader)
}

fn group_leader2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let id = match a[1].as_local_pid() {
        Some(id) if a[0].is_pid() => id,
        _ => {
            let other = PidKey::of(a[1]).filter(|k| !k.is_port() && k.node().is_some());
            return Ok(match other {
                Some(key) if a[0].is_pid() => {
                    // Of a node that cannot be reached nothing is told.
                    let _ = operations::group_leader(a[0], key);
                    true.into()
                }
                _ => Atom::BADARG.into(),
            });
        }
    };
    if id == cx.proc.id {
        cx.own.group_leader = a[0];
        return Ok(true.into());
    }
    let asked = cx.own.rare_if_any().is_some_and(|r| r.bif_state.is_some());
    if !asked && !signal::send(id, Signal::GroupLeader(OwnedTerm::new(a[0]))) {
        return Ok(Atom::BADARG.into());
    }
    // It has the new one when this returns, unless it ends by a signal that was sent before.
    let there = crate::ask::ask(cx, id, |other| OwnedTerm::new(other.is_some().into()))?;
    Ok(if there.as_bool() == Some(true) {
        there
    } else {
        Atom::BADARG.into()
    })
}

fn group_leader3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let answer = group_leader2(cx, &a[..2])?;
    let message = cx.tuple2(a[2], answer);
    signal::send_message(cx.proc.id, message);
    Ok(Atom::OK.into())
}

// ---- running and resting ----

fn hibernate(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let arity = list::length(a[2]).ok_or_else(badarg)?;
    if a[0].as_atom().is_none() || a[1].as_atom().is_none() {
        return Err(badarg());
    }
    if arity > release::hibernate_arguments() {
        return Err(Exit::error(Atom::SYSTEM_LIMIT));
    }
    cx.x[..3].copy_from_slice(a);
    Err(Exit::Hibernate)
}

/// Waits for a message with the least memory, and keeps the stack. From OTP 28 on, where `erlang:hibernate/0`
/// calls itself and BEAM's loader puts an instruction there.
fn hibernate0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    super::relations::fetch(cx)?;
    let hibernates = cx.own.bif_state::<Hibernates>().is_some();
    if !cx.own.mailbox.is_empty() {
        if hibernates {
            cx.own.rare().bif_state = None;
        }
        return Ok(Atom::OK.into());
    }
    if !hibernates {
        cx.own.rare().bif_state = Some(Box::new(Hibernates));
        cx.own.shrink();
    }
    Err(Exit::Wait)
}

/// Kept by a process that has given up its memory and waits for a message.
struct Hibernates;

fn yield0(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Err(Exit::YieldValue(true.into()))
}

fn bump_reductions(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = a[0].as_usize().ok_or_else(badarg)?;
    cx.bump(n.min(4000));
    Ok(true.into())
}

/// Lists all processes, then makes the list from its end on.
struct Processes {
    listing: Listing,
    is_listed: bool,
    list: Term,
}

impl Work for Processes {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        if !self.is_listed {
            if self.listing.go_on(budget).is_pending() {
                return Ok(Poll::Pending);
            }
            self.is_listed = true;
        }
        loop {
            if budget.is_spent() {
                return Ok(Poll::Pending);
            }
            let last = self.listing.take_last(budget.left());
            if last.is_empty() {
                return Ok(Poll::Ready(self.list));
            }
            budget.spend(last.len());
            let pids: Vec<Term> = last.into_iter().map(Term::local_pid).collect();
            self.list = cx.heap().list_with_tail(&pids, self.list);
        }
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.list));
    }
}

fn processes(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let work = Processes {
        listing: Listing::begin(),
        is_listed: false,
        list: Term::NIL,
    };
    work::start(cx, a, work)
}

/// The iterator of `erlang:processes_iterator/0`: everything in one portion.
fn processes_next(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let from = a[0].as_usize().ok_or_else(badarg)? as u64;
    let all: Vec<Term> = table::all()
        .into_iter()
        .filter(|p| p.as_local_pid().is_some_and(|id| id >= from))
        .collect();
    match all.last().and_then(|p| p.as_local_pid()) {
        Some(last) => {
            let l = cx.heap().list(&all);
            Ok(cx.tuple2(Term::small(last as i64 + 1), l))
        }
        None => Ok(Atom::NONE.into()),
    }
}

fn garbage_collect(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let major = match a[0].as_atom() {
        Some(Atom::MAJOR) => true,
        Some(Atom::MINOR) => false,
        _ => return Err(badarg()),
    };
    cx.own.heap.request_collection(major);
    Ok(true.into())
}

fn is_system_process(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let id = a[0].as_local_pid().ok_or_else(badarg)?;
    Ok(table::with(id, |p| p.is_system()).unwrap_or(false).into())
}

/// A process with a call in a dirty pool handles its signals itself, so there is nothing that another one must
/// do for it.
fn dirty_process_handle_signals(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Atom::OK.into())
}

// ---- suspending others ----

/// What is wrong is told by its name; the caller makes the error of it.
fn suspend_process(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let bad_argument = Ok(Term::atom(Atom::BADARG));
    let bad_option = Ok(Term::atom(Atom::BADOPT));
    let me = cx.proc.id;
    let id = match a[0].as_local_pid() {
        Some(id) if id != me => id,
        _ => return bad_argument,
    };
    let (mut unless, mut asynchronous) = (false, None);
    let Some(options) = list::to_vec(a[1]) else {
        return bad_option;
    };
    for o in options {
        match (o.as_atom(), o.as_tuple_n::<2>()) {
            (Some(Atom::UNLESS_SUSPENDING), _) => unless = true,
            (Some(Atom::ASYNCHRONOUS), _) => asynchronous = Some(Term::NONVALUE),
            (_, Some(&[k, tag])) if k.as_atom() == Some(Atom::ASYNCHRONOUS) => {
                asynchronous = Some(tag)
            }
            _ => return bad_option,
        }
    }
    super::relations::fetch(cx)?;
    let waits = cx.own.bif_state::<Suspending>().is_some();
    if !waits {
        if unless && suspend::calls(cx.own, id).is_some() {
            return Ok(false.into());
        }
        let tag = asynchronous.filter(|t| !t.is_nonvalue());
        suspend::suspend(cx, id, tag);
        if asynchronous.is_some() {
            return Ok(true.into());
        }
    }
    // The answer comes when the process has stopped.
    let outstanding = suspend::calls(cx.own, id).map(|s| s.outstanding);
    cx.own.rare().bif_state = match outstanding {
        Some(n) if n > 0 => Some(Box::new(Suspending)),
        _ => None,
    };
    match outstanding {
        None => bad_argument,
        Some(0) => Ok(true.into()),
        Some(_) => Err(Exit::Wait),
    }
}

/// Kept by a process that waits for another one to stop.
struct Suspending;

fn resume_process(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let id = a[0].as_local_pid().ok_or_else(badarg)?;
    super::relations::fetch(cx)?;
    if suspend::resume(cx, id) {
        Ok(true.into())
    } else {
        Err(badarg())
    }
}
