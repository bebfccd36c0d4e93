//! `erlang:system_monitor`: who is told of what may slow the system down.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::bignum;
use enigma_runtime::process::system_monitor::{self, MonitoredEvents, event};
use enigma_runtime::process::table;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Heap, Term, badarg, release};

bifs! { BIFS:
    "erlang" {
        "system_monitor"/0 Call => get;
        "system_monitor"/1 Call => set_pair;
        "system_monitor"/2 Call => set_both;
    }
    "erts_internal" {
        "system_monitor"/1 Call => session_get;
        "system_monitor"/3 Call => session_set;
    }
}

/// Least words of a heap that can be asked for.
const LARGE_HEAP_LEAST: u64 = 16 * 1024;

fn get(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(told(cx.heap(), system_monitor::current()))
}

fn set_pair(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match a[0].as_tuple() {
        Some(&[who, options]) => set(cx, who, options),
        _ if a[0].as_atom() == Some(Atom::UNDEFINED) => set(cx, a[0], Term::NIL),
        _ => Err(badarg()),
    }
}

fn set_both(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    set(cx, a[0], a[1])
}

/// The only session that there is.
fn check_session(t: Term) -> Result<(), enigma_runtime::Exit> {
    let legacy = t.as_atom().is_some_and(|a| a.text() == "legacy");
    legacy.then_some(()).ok_or_else(badarg)
}

fn session_get(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    check_session(a[0])?;
    get(cx, a)
}

fn session_set(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    check_session(a[0])?;
    set(cx, a[1], a[2])
}

fn set(cx: &mut Ctx<'_>, who: Term, options: Term) -> BifResult {
    let nobody = who.as_atom() == Some(Atom::UNDEFINED);
    if options.is_nil() || nobody && release::number() < 29 {
        let before = system_monitor::set(0, MonitoredEvents::default());
        return Ok(told(cx.heap(), before));
    }
    let watched = watched(options).ok_or_else(badarg)?;
    let listener = who
        .as_local_pid()
        .filter(|&id| table::with(id, |p| !p.state.is_exiting()) == Some(true));
    let before = system_monitor::set(listener.ok_or_else(badarg)?, watched);
    Ok(told(cx.heap(), before))
}

fn watched(options: Term) -> Option<MonitoredEvents> {
    let mut w = MonitoredEvents::default();
    for o in list::to_vec(options)? {
        let (name, value) = match o.as_tuple() {
            Some(&[name, value]) => (name, Some(value)),
            Some(_) => return None,
            None => (o, None),
        };
        let bit = match (name.as_atom()?.text(), value) {
            ("busy_port", None) => event::BUSY_PORT,
            ("busy_dist_port", None) => event::BUSY_DIST_PORT,
            // A session's form of options switches each of them.
            (text, Some(on)) if release::number() >= 29 && on.as_bool().is_some() => {
                let bit = match text {
                    "busy_port" => event::BUSY_PORT,
                    "busy_dist_port" => event::BUSY_DIST_PORT,
                    "long_gc" | "large_heap" | "long_schedule" | "long_message_queue"
                        if on.as_bool() == Some(false) =>
                    {
                        0
                    }
                    _ => return None,
                };
                if on.as_bool() == Some(true) { bit } else { 0 }
            }
            ("long_gc", Some(n)) => {
                w.long_gc = bignum::to_u64(n)?.max(1);
                event::LONG_GC
            }
            ("large_heap", Some(n)) => {
                w.large_heap = bignum::to_u64(n)?.max(LARGE_HEAP_LEAST);
                event::LARGE_HEAP
            }
            ("long_schedule", Some(n)) => {
                w.long_schedule = bignum::to_u64(n)?.max(1);
                event::LONG_SCHEDULE
            }
            ("long_message_queue", Some(limits)) if release::number() >= 27 => {
                let &[low, high] = limits.as_tuple_n::<2>()?;
                w.queue = (bignum::to_u64(low)?, bignum::to_u64(high)?);
                if w.queue.0 >= w.queue.1 {
                    return None;
                }
                event::LONG_MESSAGE_QUEUE
            }
            _ => return None,
        };
        w.events |= bit;
    }
    Some(w)
}

/// `undefined` or `{Pid, Options}`.
fn told(h: &mut Heap, current: Option<(u64, MonitoredEvents)>) -> Term {
    let Some((listener, w)) = current else {
        return Atom::UNDEFINED.into();
    };
    let (low, high) = (h.uint(w.queue.0), h.uint(w.queue.1));
    let queue = h.tuple(&[low, high]);
    let numbers = [w.large_heap, w.long_schedule, w.long_gc].map(|n| h.uint(n));
    let [large_heap, long_schedule, long_gc] = numbers;
    let all = [
        (event::BUSY_DIST_PORT, "busy_dist_port", None),
        (event::BUSY_PORT, "busy_port", None),
        (event::LARGE_HEAP, "large_heap", Some(large_heap)),
        (event::LONG_SCHEDULE, "long_schedule", Some(long_schedule)),
        (event::LONG_GC, "long_gc", Some(long_gc)),
        (event::LONG_MESSAGE_QUEUE, "long_message_queue", Some(queue)),
    ];
    let options: Vec<Term> = all
        .into_iter()
        .filter(|&(bit, ..)| w.events & bit != 0)
        .map(|(_, name, value)| {
            let name = Atom::new(name).into();
            value.map_or(name, |v| h.tuple(&[name, v]))
        })
        .collect();
    let options = h.list(&options);
    h.tuple(&[Term::local_pid(listener), options])
}
