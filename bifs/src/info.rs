//! `process_info`: a process describes itself, or another one is asked to.

use crate::backtrace;
use crate::bifs;
use crate::erlang::process::{max_heap_term, priority_atom};
use crate::erlang::relations;
use enigma_runtime::atom::Atom;
use enigma_runtime::code::{self, native, ops};
use enigma_runtime::dirty;
use enigma_runtime::dist::operations::{Signalled, SignalledBy};
use enigma_runtime::heap::binary::BinaryRef;
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::interp::native::continuation_words;
use enigma_runtime::interp::{exception, place, special};
use enigma_runtime::process::relations::MonitorTarget;
use enigma_runtime::process::{Owned, PidKey, flag, gc_numbers};
use enigma_runtime::sched::TIME_SLICE;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, release};

bifs! { BIFS:
    "erlang" {
        "process_info"/1 Call => process_info1;
        "process_info"/2 Call => process_info2;
        "process_display"/2 Call => process_display;
    }
    "erts_internal" {
        "process_display"/2 Call => internal_process_display;
    }
}

/// The items of `process_info/1`, in its order.
const USUAL: &[&str] = &[
    "registered_name",
    "current_function",
    "initial_call",
    "status",
    "message_queue_len",
    "links",
    "dictionary",
    "trap_exit",
    "error_handler",
    "priority",
    "group_leader",
    "total_heap_size",
    "heap_size",
    "stack_size",
    "reductions",
    "garbage_collection",
    "suspending",
];

/// The items besides those.
const ON_REQUEST: &[&str] = &[
    "backtrace",
    "binary",
    "catchlevel",
    "current_location",
    "current_stacktrace",
    "fullsweep_after",
    "garbage_collection_info",
    "last_calls",
    "magic_ref",
    "max_heap_size",
    "memory",
    "message_queue_data",
    "messages",
    "min_bin_vheap_size",
    "min_heap_size",
    "monitored_by",
    "monitors",
    "parent",
    "sequential_trace_token",
    "trace",
];

fn process_info1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let items: Vec<Term> = USUAL.iter().map(|i| Atom::new(i).into()).collect();
    answer(cx, a[0], &items, |cx, values| {
        let named = values
            .into_iter()
            .filter(|v| !v.is_nil())
            .collect::<Vec<_>>();
        cx.heap().list(&named)
    })
}

fn process_info2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[1].is_list() {
        let items = list::to_vec(a[1]).ok_or_else(badarg)?;
        return answer(cx, a[0], &items, |cx, values| {
            let all: Vec<Term> = values
                .into_iter()
                .map(|v| {
                    if v.is_nil() {
                        cx.tuple2(Atom::REGISTERED_NAME, Term::NIL)
                    } else {
                        v
                    }
                })
                .collect();
            cx.heap().list(&all)
        });
    }
    answer(cx, a[0], &[a[1]], |_, values| {
        values.first().copied().unwrap_or(Term::NIL)
    })
}

/// The value of an item, for somebody else than the process itself.
pub fn of_other(cx: &mut Ctx<'_>, name: Atom) -> Option<Term> {
    let pc = native::place_of(cx.own);
    value(cx, pc, name, false).ok()
}

type Finish = fn(&mut Ctx<'_>, Vec<Term>) -> Term;

fn answer(cx: &mut Ctx<'_>, who: Term, items: &[Term], finish: Finish) -> BifResult {
    let id = who.as_local_pid().ok_or_else(badarg)?;
    for &i in items {
        if !is_item(i) {
            return Err(badarg());
        }
    }
    if id == cx.proc.id {
        let pc = cx.pc;
        return describe(cx, pc, items, true, finish);
    }
    let wanted = OwnedTerm::new(cx.heap().list(items));
    crate::ask::ask(cx, id, move |other| match other {
        None => OwnedTerm::new(Atom::UNDEFINED.into()),
        Some(o) => {
            // What is made of them in the other's heap must not lead out of it.
            let items = copy::copy(wanted.term(), o.heap());
            let items = list::to_vec(items).unwrap_or_default();
            let pc = native::place_of(o.own);
            match describe(o, pc, &items, false, finish) {
                Ok(t) => OwnedTerm::new(t),
                Err(_) => OwnedTerm::new(Atom::UNDEFINED.into()),
            }
        }
    })
}

fn describe(
    cx: &mut Ctx<'_>,
    pc: *const u64,
    items: &[Term],
    running: bool,
    finish: Finish,
) -> BifResult {
    let looks = |i: &Term| match i.as_atom().map(Atom::text) {
        Some("messages") => true,
        Some("total_heap_size" | "memory") => !cx.own.has(flag::OFF_HEAP_MESSAGES),
        _ => false,
    };
    if cx.own.mailbox.has_unreadable() && items.iter().any(looks) {
        cx.own.mailbox.drop_unreadable();
    }
    let mut values = Vec::with_capacity(items.len());
    for &i in items {
        values.push(item(cx, pc, i, running)?);
    }
    Ok(finish(cx, values))
}

fn is_item(t: Term) -> bool {
    if let Some(&[k, _]) = t.as_tuple_n::<2>() {
        return k.as_atom() == Some(Atom::DICTIONARY) && release::process_labels();
    }
    t.as_atom().is_some_and(|a| match a.text() {
        "async_dist" => release::async_dist(),
        "label" => release::process_labels(),
        "priority_messages" => release::priority_messages(),
        _ => is_item_of_all(a),
    })
}

/// Is this an item in every release?
fn is_item_of_all(a: Atom) -> bool {
    USUAL.contains(&a.text()) || ON_REQUEST.contains(&a.text())
}

/// All items of this release that are atoms.
pub fn items() -> Vec<Atom> {
    let all = USUAL.iter().chain(ON_REQUEST).map(|i| Atom::new(i));
    let of_release = ["async_dist", "label", "priority_messages"].map(Atom::new);
    all.chain(of_release.into_iter().filter(|&i| is_item(i.into())))
        .collect()
}

/// `{Item, Value}`; `[]` for a name that is not there.
fn item(cx: &mut Ctx<'_>, pc: *const u64, what: Term, running: bool) -> BifResult {
    if let Some(&[_, key]) = what.as_tuple_n::<2>() {
        let shown = !cx.own.has(flag::SENSITIVE);
        let v = shown.then(|| cx.own.dict.get(key)).flatten();
        let v = v.unwrap_or(Atom::UNDEFINED.into());
        return Ok(cx.tuple2(what, v));
    }
    let name = what.as_atom().ok_or_else(badarg)?;
    if name == Atom::REGISTERED_NAME {
        return Ok(match cx.own.name() {
            Some(n) => cx.tuple2(name, n),
            None => Term::NIL,
        });
    }
    let v = value(cx, pc, name, running)?;
    Ok(cx.tuple2(name, v))
}

fn num(n: usize) -> Term {
    Term::small(n as i64)
}

fn mfa(cx: &mut Ctx<'_>, m: Atom, f: Atom, a: u32) -> Term {
    cx.heap().tuple(&[m.into(), f.into(), num(a as usize)])
}

#[allow(clippy::too_many_lines, reason = "one arm an item")]
fn value(cx: &mut Ctx<'_>, pc: *const u64, name: Atom, running: bool) -> BifResult {
    let sensitive = cx.own.has(flag::SENSITIVE);
    Ok(match name.text() {
        "current_function" => current_function(cx, pc),
        "current_location" => {
            let trace = stacktrace(cx, pc);
            trace.as_cons().map_or(Atom::UNDEFINED.into(), |(h, _)| h)
        }
        "current_stacktrace" => stacktrace(cx, pc),
        "initial_call" => {
            let (m, f, a) = cx.own.initial_call;
            mfa(cx, m, f, a)
        }
        "status" => {
            if running || dirty::runs(cx.own) {
                Atom::RUNNING.into()
            } else if cx.own.is_suspended() || cx.proc.state.is_held_up() {
                Atom::SUSPENDED.into()
            } else if waits(cx.own, pc) && !dirty::is_under_way(cx.own) {
                Atom::WAITING.into()
            } else {
                Atom::RUNNABLE.into()
            }
        }
        "message_queue_len" => {
            handle_pending(cx, running)?;
            num(cx.own.mailbox.len())
        }
        "messages" if sensitive => Term::NIL,
        "messages" => {
            handle_pending(cx, running)?;
            if running {
                let own = &mut *cx.own;
                own.mailbox.adopt_all(&mut own.heap.young);
            }
            let l: Vec<Term> = cx.own.mailbox.terms().collect();
            cx.heap().list(&l)
        }
        "message_queue_data" => if cx.own.has(flag::OFF_HEAP_MESSAGES) {
            Atom::OFF_HEAP
        } else {
            Atom::ON_HEAP
        }
        .into(),
        "links" => {
            handle_pending(cx, running)?;
            let keys: Vec<PidKey> = cx.own.relations.get().links.iter().collect();
            let l: Vec<Term> = keys.into_iter().map(|k| k.to_term(cx.heap())).collect();
            cx.heap().list(&l)
        }
        "monitors" => monitors(cx),
        "monitored_by" => {
            handle_pending(cx, running)?;
            let keys: Vec<PidKey> = cx
                .own
                .relations
                .get()
                .all_incoming()
                .map(|(_, m)| m.from)
                .collect();
            let l: Vec<Term> = keys.into_iter().map(|k| k.to_term(cx.heap())).collect();
            cx.heap().list(&l)
        }
        "dictionary" if sensitive => Term::NIL,
        "dictionary" => {
            let pairs = cx.own.dict.pairs().to_vec();
            let l: Vec<Term> = pairs.iter().map(|p| cx.heap().tuple(p)).collect();
            cx.heap().list(&l)
        }
        "trap_exit" => cx.own.has(flag::TRAP_EXIT).into(),
        "async_dist" => cx.own.has(flag::ASYNC_DIST).into(),
        "error_handler" => cx.own.error_handler.into(),
        "priority" => priority_atom(cx.proc.state.priority()).into(),
        "group_leader" => cx.own.group_leader,
        "total_heap_size" => {
            // Messages that wait count as part of the heap unless they are to be kept out of it.
            let messages = if cx.own.has(flag::OFF_HEAP_MESSAGES) {
                0
            } else {
                cx.own.mailbox.words()
            };
            num(cx.own.block_size() + cx.own.heap.old_size().0 + messages)
        }
        "heap_size" => num(cx.own.block_size()),
        "stack_size" => num(cx.own.stack.used()),
        "memory" => num(cx.own.memory_words() * 8 + size_of::<enigma_runtime::process::Process>()),
        "reductions" => {
            // Those of the current time slice belong to the process that looks at itself.
            let slice = if running {
                (TIME_SLICE - cx.reds_left()).max(0)
            } else {
                0
            };
            let r = cx.own.reductions + slice as u64;
            cx.heap().uint(r)
        }
        "garbage_collection" => gc_settings(cx),
        "garbage_collection_info" => gc_info(cx),
        "fullsweep_after" => num(usize::from(cx.own.heap.fullsweep_after)),
        "min_heap_size" => num(cx.own.heap.min_words()),
        "min_bin_vheap_size" => num(cx.own.heap.min_vheap_words()),
        "max_heap_size" => {
            let m = cx.own.rare_if_any().and_then(|r| r.max_heap);
            max_heap_term(cx.heap(), m)
        }
        "suspending" => {
            let l = cx
                .own
                .rare_if_any()
                .map_or_else(Vec::new, |r| r.suspends.clone());
            let rows: Vec<Term> = l
                .iter()
                .map(|s| {
                    cx.heap().tuple(&[
                        Term::local_pid(s.process),
                        num(s.active),
                        num(s.outstanding),
                    ])
                })
                .collect();
            cx.heap().list(&rows)
        }
        "parent" => match (cx.own.parent, cx.own.parent_elsewhere()) {
            (u64::MAX, Some(p)) => p.to_term(cx.heap()),
            (u64::MAX, None) => Atom::UNDEFINED.into(),
            (p, _) => Term::local_pid(p),
        },
        "label" => {
            let key = Atom::new("$process_label");
            cx.own
                .dict
                .get(key.into())
                .unwrap_or(Atom::UNDEFINED.into())
        }
        "catchlevel" => num(cx
            .own
            .stack
            .words()
            .iter()
            .filter(|&&w| enigma_runtime::term::stack_word::is_catch(w))
            .count()),
        "last_calls" => cx.own.last_calls_term().unwrap_or(false.into()),
        "priority_messages" => false.into(),
        "binary" => binaries(cx),
        "sequential_trace_token" | "magic_ref" => Term::NIL,
        "trace" => num(0),
        "backtrace" if sensitive => cx.heap().binary(b""),
        "backtrace" => {
            let text = backtrace::text(cx.own, pc);
            cx.heap().binary(text.as_bytes())
        }
        _ => return Err(badarg()),
    })
}

fn current_function(cx: &mut Ctx<'_>, pc: *const u64) -> Term {
    let sends = cx.proc.state.is_held_up() && stands_before(pc, &[ops::SEND]);
    let found = waiting_mfa(cx.own).or_else(|| match sends {
        true => Some((Atom::ERLANG, Atom::new("send"), 2)),
        false => place::function_at(cx.own, pc),
    });
    match found {
        Some((m, f, a)) => mfa(cx, m, f, a),
        None => Atom::UNDEFINED.into(),
    }
}

/// The function, in BEAM's names, that a process is in which waits because too much is on its way to another node.
fn waiting_mfa(own: &Owned) -> Option<(Atom, Atom, u32)> {
    Some(match Signalled::of(own)? {
        SignalledBy::Send => (
            Atom::new("erts_internal"),
            Atom::new("dsend_continue_trap"),
            1,
        ),
        SignalledBy::Other => (Atom::ERLANG, Atom::new("bif_return_trap"), 2),
    })
}

/// The functions that the process is in; what it has called in a pool is the innermost.
fn stacktrace(cx: &mut Ctx<'_>, pc: *const u64) -> Term {
    let trace = exception::current_stacktrace(cx, pc);
    match place::called_in_pool(cx.own) {
        Some((m, f, a)) => {
            let h = cx.heap();
            let entry = h.tuple(&[m.into(), f.into(), num(a as usize), Term::NIL]);
            h.cons(entry, trace)
        }
        None => trace,
    }
}

/// `{Id, Size, References}` of each shared binary that the process refers to.
fn binaries(cx: &mut Ctx<'_>) -> Term {
    let facts = |b: &BinaryRef| [b.data() as usize, b.capacity(), b.refs()];
    let rows: Vec<[usize; 3]> = cx.own.binaries().map(facts).collect();
    let h = cx.heap();
    let rows: Vec<Term> = rows
        .into_iter()
        .map(|facts| {
            let facts = facts.map(|n| h.uint(n as u64));
            h.tuple(&facts)
        })
        .collect();
    h.list(&rows)
}

/// A process that looks at itself counts the messages that have arrived. Another process's question comes in
/// its turn, after what was sent before it.
fn handle_pending(cx: &mut Ctx<'_>, running: bool) -> Result<(), Exit> {
    if running {
        relations::fetch(cx)
    } else {
        Ok(())
    }
}

/// Is the process at a place where it waits for a message?
fn waits(own: &Owned, pc: *const u64) -> bool {
    if pc == special::hibernated() {
        return own.mailbox.is_empty();
    }
    stands_before(pc, &[ops::LOOP_REC, ops::WAIT, ops::WAIT_TIMEOUT])
}

/// Is the next instruction one of these?
fn stands_before(pc: *const u64, operations: &[u16]) -> bool {
    code::ranges::find(pc).is_some_and(|(f, offset)| {
        f.body().is_some_and(|b| {
            let before = continuation_words(&b.code, offset as u32);
            b.code
                .get(offset + before as usize)
                .is_some_and(|&w| operations.contains(&ops::of(w)))
        })
    })
}

fn monitors(cx: &mut Ctx<'_>) -> Term {
    enum Row {
        Id(PidKey),
        Name(Atom, Atom, bool),
        Offset,
    }
    let rows: Vec<Row> = cx
        .own
        .relations
        .get()
        .outgoing
        .values()
        .map(|m| match m.target {
            MonitorTarget::Id(k) => Row::Id(k),
            MonitorTarget::Name {
                name, node, port, ..
            } => Row::Name(name, node, port),
            MonitorTarget::TimeOffset => Row::Offset,
        })
        .collect();
    let h = cx.heap();
    let mut l = Vec::with_capacity(rows.len());
    for r in rows {
        let (kind, what) = match r {
            Row::Id(k) => (
                if k.is_port() {
                    Atom::PORT
                } else {
                    Atom::PROCESS
                },
                k.to_term(h),
            ),
            Row::Name(n, node, port) => (
                if port { Atom::PORT } else { Atom::PROCESS },
                h.tuple(&[n.into(), node.into()]),
            ),
            Row::Offset => (Atom::TIME_OFFSET, Term::atom(Atom::CLOCK_SERVICE)),
        };
        l.push(h.tuple(&[kind.into(), what]));
    }
    h.list(&l)
}

fn gc_settings(cx: &mut Ctx<'_>) -> Term {
    let heap = &cx.own.heap;
    let rows = [
        (Atom::MIN_BIN_VHEAP_SIZE, num(heap.min_vheap_words())),
        (Atom::MIN_HEAP_SIZE, num(heap.min_words())),
        (
            Atom::FULLSWEEP_AFTER,
            num(usize::from(heap.fullsweep_after)),
        ),
        (Atom::MINOR_GCS, num(usize::from(heap.minor_count))),
    ];
    let max = cx.own.rare_if_any().and_then(|r| r.max_heap);
    let h = cx.heap();
    let max = max_heap_term(h, max);
    let mut l = vec![h.tuple(&[Atom::MAX_HEAP_SIZE.into(), max])];
    for (k, v) in rows {
        l.push(h.tuple(&[k.into(), v]));
    }
    h.list(&l)
}

fn gc_info(cx: &mut Ctx<'_>) -> Term {
    let numbers = gc_numbers::of(cx.own);
    gc_numbers::to_list(cx.heap(), &numbers)
}

/// Prints the stack trace of a process on standard error.
fn process_display(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[1].as_atom() != Some(Atom::BACKTRACE) {
        return Err(Exit::error_cause(Atom::BADARG, Atom::BADOPT));
    }
    display(cx, a[0])?.then_some(true.into()).ok_or_else(badarg)
}

/// The same with an atom instead of an exception.
fn internal_process_display(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[1].as_atom() != Some(Atom::BACKTRACE) {
        return Ok(Atom::BADOPT.into());
    }
    let shown = display(cx, a[0])?;
    Ok(if shown {
        true.into()
    } else {
        Atom::BADARG.into()
    })
}

/// Prints the stack trace of this process, unless it is sensitive.
fn print_stack(cx: &mut Ctx<'_>, pc: *const u64) {
    if !cx.own.has(flag::SENSITIVE) {
        eprint!("{}", backtrace::text(cx.own, pc));
    }
}

/// Prints the stack trace of a process; `false` if there is none.
fn display(cx: &mut Ctx<'_>, pid: Term) -> Result<bool, Exit> {
    let Some(id) = pid.as_local_pid() else {
        return Ok(false);
    };
    if id == cx.proc.id {
        print_stack(cx, cx.pc);
        return Ok(true);
    }
    let r = crate::ask::ask(cx, id, |other| {
        let there = other.map(|o| print_stack(o, native::place_of(o.own)));
        OwnedTerm::new(there.is_some().into())
    })?;
    Ok(r.as_bool() == Some(true))
}
