//! The BIFs on ports.

use super::{Driver, Port, Refusal, open};
use crate::bifs;
use crate::erlang::iolist;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::bignum;
use enigma_runtime::etf::decode;
use enigma_runtime::etf::encode::{self, EncodeOptions};
use enigma_runtime::process::{PidKey, registry};
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg};
use std::sync::Arc;

bifs! { BIFS:
    "erts_internal" {
        "open_port"/2 Call => open_port;
        "port_command"/3 Call => port_command;
        "port_control"/3 Call => port_control;
        "port_call"/3 Call => port_call;
        "port_close"/1 Call => port_close;
        "port_connect"/2 Call => port_connect;
        "port_info"/1 Call => port_info1;
        "port_info"/2 Call => port_info2;
    }
    "erlang" {
        "ports"/0 Call => ports;
        "port_get_data"/1 Call => port_get_data;
        "port_set_data"/2 Call => port_set_data;
    }
}

/// The port that a term names; nothing if there is none, or it is closed.
fn find(t: Term) -> Option<Arc<Port>> {
    find_any(t).filter(|p| !p.is_lingering())
}

/// The same, if only because its driver has still to write.
fn find_any(t: Term) -> Option<Arc<Port>> {
    let id = match t.as_atom() {
        Some(name) => registry::whereis(name)?,
        None => t,
    };
    super::get(id.as_local_port()?)
}

fn badarg_value() -> Term {
    Atom::BADARG.into()
}

/// Opens a port: the port, or the error's name.
fn open_port(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match open::open(cx.proc.id, a[0], a[1]) {
        Ok(port) => {
            if let Some(key) = PidKey::of(port.term()) {
                cx.own.relations.links().insert(key);
            }
            if let Some(n) = port.driver().and_then(Driver::start_reference) {
                return Ok(cx.heap().reference(n, 0));
            }
            Ok(port.term())
        }
        Err(why) => Ok(why.into()),
    }
}

fn port_command(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let Some((force, nosuspend)) = command_options(a[2]) else {
        return Ok(Atom::BADOPT.into());
    };
    let Some(port) = find(a[0]) else {
        return Ok(badarg_value());
    };
    if force && !port.driver().is_some_and(Driver::can_be_forced) {
        return Ok(Atom::NOTSUP.into());
    }
    if !force && port.is_busy() {
        if nosuspend {
            return Ok(false.into());
        }
        if port.must_wait(cx.proc.id) {
            return Err(Exit::Wait);
        }
    }
    match port.command(cx.proc.id, a[1]) {
        Ok(n) => {
            cx.bump(n / 1024 + 1);
            fetch_if_closed(cx, &port)?;
            Ok(true.into())
        }
        Err(Refusal::BadData) => Ok(badarg_value()),
        Err(Refusal::Failed(why)) => {
            port.close(why.into());
            super::super::erlang::relations::fetch_all(cx)?;
            Ok(true.into())
        }
    }
}

/// Is a command to be taken by a port that is busy, and is the caller not to wait for it? Nothing if an option is bad.
fn command_options(options: Term) -> Option<(bool, bool)> {
    let (mut force, mut nosuspend) = (false, false);
    for o in list::to_vec(options)? {
        match o.as_atom()?.text() {
            "force" => force = true,
            "nosuspend" => nosuspend = true,
            _ => return None,
        }
    }
    Some((force, nosuspend))
}

fn port_control(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let Some(port) = find(a[0]) else {
        return Ok(badarg_value());
    };
    let operation = bignum::to_u64(a[1]).and_then(|n| u32::try_from(n).ok());
    let (Some(operation), Ok(data)) = (operation, iolist::collect(a[2])) else {
        return Ok(badarg_value());
    };
    let me = cx.proc.id;
    let own = port
        .driver()
        .and_then(|d| d.control_to_term(me, operation, &data, cx.heap()));
    if let Some(answer) = own {
        fetch_if_closed(cx, &port)?;
        return Ok(answer.unwrap_or_else(badarg_value));
    }
    match port
        .driver()
        .and_then(|d| d.control(&port, me, operation, &data))
    {
        Some(answer) if port.binary_control => Ok(cx.heap().binary(&answer)),
        Some(answer) => Ok(cx.heap().byte_list(&answer)),
        None => Ok(badarg_value()),
    }
}

/// What the driver has done may have closed the port, and then its owner has heard of it when the call returns.
fn fetch_if_closed(cx: &mut Ctx<'_>, port: &Port) -> Result<(), Exit> {
    if port.is_closed() {
        super::super::erlang::relations::fetch_all(cx)?;
    }
    Ok(())
}

fn port_call(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let Some(port) = find(a[0]) else {
        return Ok(badarg_value());
    };
    let operation = bignum::to_u64(a[1]).and_then(|n| u32::try_from(n).ok());
    let (Some(operation), Some(driver)) = (operation, port.driver()) else {
        return Ok(badarg_value());
    };
    let data = encode::encode(a[2], EncodeOptions::default());
    let answer = driver.call(cx.proc.id, operation, &data);
    fetch_if_closed(cx, &port)?;
    let answer = answer.and_then(|bytes| decode::decode_trusted(&bytes, cx.heap()).ok());
    Ok(match answer {
        Some(t) => cx.tuple2(Atom::OK, t),
        None => badarg_value(),
    })
}

fn port_close(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let Some(port) = find(a[0]) else {
        return Ok(badarg_value());
    };
    // The caller does not hear of it by a signal.
    if let Some(key) = PidKey::of(port.term())
        && cx.own.relations.links().remove(key)
    {
        super::unlink(port.id, cx.proc.id);
        if cx.own.has(enigma_runtime::process::flag::TRAP_EXIT) {
            let message =
                cx.heap()
                    .tuple(&[Atom::EXIT_SIGNAL.into(), port.term(), Atom::NORMAL.into()]);
            enigma_runtime::process::signal::send_message(cx.proc.id, message);
        }
    }
    Ok(if port.close(Atom::NORMAL.into()) {
        true.into()
    } else {
        badarg_value()
    })
}

fn port_connect(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (Some(port), Some(to)) = (find(a[0]), a[1].as_local_pid()) else {
        return Ok(badarg_value());
    };
    let Some(key) = PidKey::of(port.term()) else {
        return Ok(badarg_value());
    };
    port.connect(to);
    if to == cx.proc.id {
        cx.own.relations.links().insert(key);
    } else {
        let link = enigma_runtime::process::signal::Signal::Link { from: key, to };
        if !enigma_runtime::process::signal::send(to, link) {
            return Ok(badarg_value());
        }
    }
    Ok(true.into())
}

fn ports(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let l: Vec<Term> = super::all().iter().map(|p| p.term()).collect();
    Ok(cx.heap().list(&l))
}

fn port_set_data(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    find(a[0]).ok_or_else(badarg)?.set_data(a[1]);
    Ok(true.into())
}

fn port_get_data(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let data = find(a[0]).ok_or_else(badarg)?.data(cx.heap());
    Ok(data.unwrap_or(Atom::UNDEFINED.into()))
}

// ---- information ----

const ITEMS: &[&str] = &[
    "name",
    "links",
    "id",
    "connected",
    "input",
    "output",
    "os_pid",
];

fn item(cx: &mut Ctx<'_>, p: &Port, what: &str) -> Option<Term> {
    let h = cx.heap();
    let pids = |h: &mut enigma_runtime::Heap, ids: Vec<u64>| {
        let l: Vec<Term> = ids.into_iter().map(Term::local_pid).collect();
        h.list(&l)
    };
    let v = match what {
        "name" => h.char_list(&p.name),
        "links" => pids(h, p.links()),
        "id" => Term::small(p.id as i64 * 8),
        "connected" => Term::local_pid(p.connected()),
        "input" => h.uint(p.counts().0),
        "output" => h.uint(p.counts().1),
        "os_pid" => match p.driver().and_then(Driver::os_pid) {
            Some(n) => Term::small(i64::from(n)),
            None => Atom::UNDEFINED.into(),
        },
        "monitors" => {
            let monitored = p.driver().map(Driver::monitors).unwrap_or_default();
            let process = Term::atom(Atom::new("process"));
            let rows = monitored
                .into_iter()
                .map(|id| h.tuple(&[process, Term::local_pid(id)]));
            let rows: Vec<Term> = rows.collect();
            h.list(&rows)
        }
        "monitored_by" => pids(h, p.monitored_by()),
        "registered_name" => match p.registered() {
            Some(n) => n.into(),
            None => return Some(Term::NIL),
        },
        "memory" => Term::small(size_of::<Port>() as i64),
        "queue_size" => {
            let n = p.driver().map_or(0, Driver::queue_size);
            Term::small(n as i64)
        }
        "parallelism" => p.parallelism().into(),
        "locking" => Atom::new(p.driver().map_or("port_level", Driver::locking)).into(),
        _ => return None,
    };
    Some(h.tuple(&[Atom::new(what).into(), v]))
}

fn port_info1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let Some(p) = find_any(a[0]) else {
        return gone(a[0]);
    };
    let mut rows = Vec::new();
    if p.registered().is_some() {
        rows.extend(item(cx, &p, "registered_name"));
    }
    for i in ITEMS {
        rows.extend(item(cx, &p, i));
    }
    Ok(cx.heap().list(&rows))
}

fn port_info2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !(a[0].is_local_port() || a[0].is_atom()) {
        return Ok(Atom::BADTYPE.into());
    }
    let what = a[1].as_atom().map(Atom::text);
    let (Some(what), false) = (what, list::length(a[1]).is_some()) else {
        return Ok(badarg_value());
    };
    let Some(p) = find_any(a[0]) else {
        return gone(a[0]);
    };
    Ok(item(cx, &p, what).unwrap_or_else(badarg_value))
}

fn gone(t: Term) -> BifResult {
    Ok(if t.is_local_port() || t.is_atom() {
        Atom::UNDEFINED.into()
    } else {
        badarg_value()
    })
}
