//! Tracing, as far as programs that do not trace call it: everything is off. A request to trace fails
//! with an error that says so.

use crate::bifs;
use crate::system::facts::unsupported;
use enigma_runtime::atom::Atom;
use enigma_runtime::process::registry;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Term, badarg};
use parking_lot::Mutex;

bifs! { BIFS:
    "erlang" {
        "dt_restore_tag"/1 Call => yes;
        "dt_spread_tag"/1 Call => yes;
        "dt_get_tag"/0 Call => undefined;
        "dt_get_tag_data"/0 Call => undefined;
        "dt_put_tag"/1 Call => undefined;
        "dt_append_vm_tag_data"/1 Call => same;
        "dt_prepend_vm_tag_data"/1 Call => same;
        "trace_delivered"/1 Call => not_supported;
        "system_profile"/0 Call => undefined;
        "seq_trace_info"/1 Call => seq_trace_info;
        "seq_trace"/2 Call => not_supported;
        "seq_trace_print"/1 Call => no;
        "seq_trace_print"/2 Call => no;
    }
    "erts_internal" {
        "trace"/3 Call => trace;
        "trace"/4 Call => trace;
        "trace_pattern"/3 Call => not_supported;
        "trace_pattern"/4 Call => not_supported;
    }
    "erl_tracer" {
        "enabled"/3 Nif => discard;
        "trace"/5 Nif => discard;
    }
}

/// Who gets messages of the emulator for the log.
#[derive(Clone, Copy)]
enum Logger {
    /// The process registered as `logger`.
    Registered,
    /// This process, while it is there.
    Process(u64),
    /// Nobody.
    Nobody,
}

static LOGGER: Mutex<Logger> = Mutex::new(Logger::Registered);

fn yes(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(true.into())
}

fn no(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(false.into())
}

fn undefined(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Atom::UNDEFINED.into())
}

fn same(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(a[0])
}

fn discard(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Atom::new("discard").into())
}

fn not_supported(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Err(unsupported("tracing"))
}

/// What `erlang:trace/3` takes, besides a tracer.
const FLAGS: [&str; 22] = [
    "all",
    "send",
    "receive",
    "procs",
    "ports",
    "call",
    "arity",
    "return_to",
    "silent",
    "running",
    "exiting",
    "running_procs",
    "running_ports",
    "garbage_collection",
    "timestamp",
    "cpu_timestamp",
    "monotonic_timestamp",
    "strict_monotonic_timestamp",
    "set_on_spawn",
    "set_on_first_spawn",
    "set_on_link",
    "set_on_first_link",
];

/// Flags that there are not are refused as such.
fn trace(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let flags = a.last().and_then(|&l| list::to_vec(l)).ok_or_else(badarg)?;
    let known = |f: &Term| match f.as_atom() {
        Some(name) => FLAGS.contains(&name.text()),
        None => f
            .as_tuple()
            .and_then(|t| t.first()?.as_atom())
            .is_some_and(|name| name.text() == "tracer"),
    };
    if !flags.iter().all(known) {
        return Err(badarg());
    }
    not_supported(cx, a)
}

/// Sequential tracing is off: no item of the token is set.
fn seq_trace_info(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    a[0].as_atom().ok_or_else(badarg)?;
    Ok(cx.tuple2(a[0], Term::NIL))
}

fn logger() -> Logger {
    let mut l = LOGGER.lock();
    if let Logger::Process(id) = *l
        && !is_there(id)
    {
        *l = Logger::Registered;
    }
    *l
}

fn is_there(id: u64) -> bool {
    enigma_runtime::process::table::with(id, |_| ()).is_some()
}

/// The process that gets messages of the emulator for the log, if there is one.
pub fn logger_process() -> Option<u64> {
    match logger() {
        Logger::Registered => registry::whereis(Atom::LOGGER).and_then(Term::as_local_pid),
        Logger::Process(id) => Some(id),
        Logger::Nobody => None,
    }
}

/// The same for Erlang code: a pid, `logger` or `undefined`.
pub fn system_logger() -> Term {
    match logger() {
        Logger::Registered => Atom::LOGGER.into(),
        Logger::Process(id) => Term::local_pid(id),
        Logger::Nobody => Atom::UNDEFINED.into(),
    }
}

/// Sets it; gives the old one.
pub fn set_system_logger(t: Term) -> BifResult {
    let old = system_logger();
    *LOGGER.lock() = match (t.as_local_pid(), t.as_atom()) {
        (Some(id), _) => Logger::Process(id),
        (_, Some(Atom::LOGGER)) => Logger::Registered,
        (_, Some(Atom::UNDEFINED)) => Logger::Nobody,
        _ => return Err(badarg()),
    };
    Ok(old)
}
