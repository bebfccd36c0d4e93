//! `system_monitor/0,1,2`: settings of the system monitor as terms. From OTP 29 on the arguments are taken apart in Erlang.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::bignum;
use enigma_runtime::process::system_monitor::{self, SystemMonitor};
use enigma_runtime::process::table;
use enigma_runtime::{BifResult, Ctx, Exit, Heap, Term, badarg, release};

bifs! { BIFS:
    "erlang" {
        "system_monitor"/0 Call => settings;
        "system_monitor"/1 Call => set_pair;
        "system_monitor"/2 Call => set;
    }
    "erts_internal" {
        "system_monitor"/1 Call => settings_of_session;
        "system_monitor"/3 Call => set_for_session;
    }
}

/// Words of the smallest heap that is large.
const LEAST_LARGE_HEAP: u64 = 16 * 1024;

type Settings = Option<(u64, SystemMonitor)>;

fn settings(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(to_term(cx.heap(), system_monitor::get()))
}

fn set_pair(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0].as_atom() == Some(Atom::UNDEFINED) {
        return replace(cx, None);
    }
    let &[process, options] = a[0].as_tuple_n::<2>().ok_or_else(badarg)?;
    set(cx, &[process, options])
}

fn set(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0].as_atom() == Some(Atom::UNDEFINED) || a[1].is_nil() {
        return replace(cx, None);
    }
    let process = a[0].as_local_pid().ok_or_else(badarg)?;
    let is_there = table::with(process, |p| !p.state.is_exiting());
    if is_there != Some(true) {
        return Err(badarg());
    }
    let wanted = read(a[1])?;
    replace(cx, Some((process, wanted)))
}

fn settings_of_session(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    legacy(a[0])?;
    settings(cx, &[])
}

fn set_for_session(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    legacy(a[0])?;
    if !a[2].is_nil() && !a[2].is_cons() {
        return Err(badarg());
    }
    set(cx, &a[1..])
}

/// Sessions of traces are made by functions that are not there yet, so this is the only one.
fn legacy(session: Term) -> Result<(), Exit> {
    let is = session.as_atom().is_some_and(|s| s.text() == "legacy");
    is.then_some(()).ok_or_else(badarg)
}

fn replace(cx: &mut Ctx<'_>, settings: Settings) -> BifResult {
    let before = system_monitor::set(settings);
    Ok(to_term(cx.heap(), before))
}

fn read(mut options: Term) -> Result<SystemMonitor, Exit> {
    let mut wanted = SystemMonitor::default();
    while let Some((option, rest)) = options.as_cons() {
        read_option(option, &mut wanted).ok_or_else(badarg)?;
        options = rest;
    }
    if options.is_nil() {
        Ok(wanted)
    } else {
        Err(badarg())
    }
}

fn read_option(option: Term, wanted: &mut SystemMonitor) -> Option<()> {
    let switched = release::number() >= 29;
    if let Some(name) = option.as_atom() {
        *switch(name, wanted)? = true;
        return Some(());
    }
    let &[name, value] = option.as_tuple_n::<2>()?;
    let name = name.as_atom()?;
    if let Some(on) = switch(name, wanted) {
        *on = value.as_bool().filter(|_| switched)?;
        return Some(());
    }
    let off = switched && value.as_bool() == Some(false);
    let number = |least: u64| match off {
        true => Some(None),
        false => bignum::to_u64(value).map(|n| Some(n.max(least))),
    };
    match name.text() {
        "long_gc" => wanted.long_gc = number(1)?,
        "long_schedule" => wanted.long_schedule = number(1)?,
        "large_heap" => wanted.large_heap = number(LEAST_LARGE_HEAP)?,
        "long_message_queue" if release::number() >= 27 => {
            wanted.long_message_queue = match off {
                true => None,
                false => Some(lengths(value)?),
            };
        }
        _ => return None,
    }
    Some(())
}

fn switch(name: Atom, wanted: &mut SystemMonitor) -> Option<&mut bool> {
    match name.text() {
        "busy_port" => Some(&mut wanted.busy_port),
        "busy_dist_port" => Some(&mut wanted.busy_dist_port),
        _ => None,
    }
}

/// The lengths at which a queue is not long any more, and at which it is.
fn lengths(value: Term) -> Option<(u64, u64)> {
    let most = match release::number() {
        ..29 => i64::MAX as u64,
        29.. => u64::MAX,
    };
    let &[low, high] = value.as_tuple_n::<2>()?;
    let (low, high) = (bignum::to_u64(low)?, bignum::to_u64(high)?);
    (low < high && high <= most).then_some((low, high))
}

fn to_term(h: &mut Heap, settings: Settings) -> Term {
    let Some((process, s)) = settings else {
        return Atom::UNDEFINED.into();
    };
    let mut items: Vec<Term> = Vec::new();
    let switches = [
        (s.busy_dist_port, "busy_dist_port"),
        (s.busy_port, "busy_port"),
    ];
    let on = switches.iter().filter(|(on, _)| *on);
    items.extend(on.map(|(_, name)| Term::atom(Atom::new(name))));
    let numbers = [
        ("large_heap", s.large_heap),
        ("long_schedule", s.long_schedule),
        ("long_gc", s.long_gc),
    ];
    for (name, number) in numbers {
        if let Some(n) = number {
            let n = h.uint(n);
            items.push(h.tuple(&[Atom::new(name).into(), n]));
        }
    }
    if let Some((low, high)) = s.long_message_queue {
        let lengths = [h.uint(low), h.uint(high)];
        let lengths = h.tuple(&lengths);
        items.push(h.tuple(&[Atom::new("long_message_queue").into(), lengths]));
    }
    let items = h.list(&items);
    h.tuple(&[Term::local_pid(process), items])
}
