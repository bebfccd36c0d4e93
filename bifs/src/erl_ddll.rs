//! The BIFs of `erl_ddll`: drivers that are loaded at run time. `ports::loaded` knows them.

use crate::bifs;
use crate::erlang::iolist;
use crate::ports::loaded::{self, Awaited, DriverRefused, Granted, LoadWish, WatchWhen};
use crate::ports::{open, options};
use enigma_runtime::atom::Atom;
use enigma_runtime::process::flag;
use enigma_runtime::term::Kind;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Heap, Term, badarg};

bifs! { BIFS:
    "erl_ddll" {
        "try_load"/3 Call => try_load;
        "try_unload"/2 Call => try_unload;
        "monitor"/2 Call => monitor;
        "demonitor"/1 Call => demonitor;
        "info"/2 Call => info;
        "loaded_drivers"/0 Call => loaded_drivers;
        "format_error_int"/1 Call => format_error_int;
    }
}

/// A driver's name: an atom, or an I/O list.
fn driver_name(t: Term) -> Option<Vec<u8>> {
    match t.as_atom() {
        Some(a) => Some(a.text().as_bytes().to_vec()).filter(|n| !n.is_empty()),
        None => iolist::collect(t).ok(),
    }
}

/// The value of the options `monitor` and `reload`.
fn pending(t: Term) -> Option<WatchWhen> {
    match t.as_atom()?.text() {
        "pending_driver" => Some(WatchWhen::PendingDriver),
        "pending" => Some(WatchWhen::Pending),
        _ => None,
    }
}

fn load_wish(options: Term) -> Option<LoadWish> {
    let mut wish = LoadWish::default();
    for o in list::to_vec(options)? {
        let &[key, value] = o.as_tuple_n::<2>()?;
        match key.as_atom()?.text() {
            "driver_options" => {
                for o in list::to_vec(value)? {
                    match o.as_atom()?.text() {
                        "kill_ports" => wish.kills_ports = true,
                        _ => return None,
                    }
                }
            }
            "monitor" => wish.watch = pending(value)?,
            "reload" => wish.reload = pending(value)?,
            _ => return None,
        }
    }
    Some(wish)
}

fn answer(cx: &mut Ctx<'_>, result: Result<Granted, DriverRefused>) -> BifResult {
    let h = cx.heap();
    Ok(match result {
        Ok((status, None)) => h.tuple(&[Atom::OK.into(), Atom::new(status).into()]),
        Ok((status, Some(reference))) => {
            let reference = h.reference(reference, 0);
            h.tuple(&[Atom::OK.into(), Atom::new(status).into(), reference])
        }
        Err(why) => {
            let why = match why {
                DriverRefused::Named(why) => Atom::new(why).into(),
                DriverRefused::Load(why) => why.to_term(h),
            };
            h.tuple(&[Atom::ERROR.into(), why])
        }
    })
}

fn try_load(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let wish = load_wish(a[2]).ok_or_else(badarg)?;
    let name = driver_name(a[1]).ok_or_else(badarg)?;
    let mut path = match a[0].is_atom() {
        true => None,
        false => options::name_bytes(a[0]),
    }
    .ok_or_else(badarg)?;
    while path.len() > 1 && path.ends_with(b"/") {
        path.pop();
    }
    if path != b"/" {
        path.push(b'/');
    }
    path.extend_from_slice(&name);
    if open::is_built_in(&name) {
        return answer(cx, Err(DriverRefused::Named("linked_in_driver")));
    }
    cx.own.set_flag(flag::HAS_RESOURCES, true);
    let result = loaded::try_load(cx.proc.id, &path, &name, &wish);
    answer(cx, result)
}

fn try_unload(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (mut kills_ports, mut watch) = (false, WatchWhen::Never);
    for o in list::to_vec(a[1]).ok_or_else(badarg)? {
        match (o.as_atom().map(Atom::text), o.as_tuple_n::<2>()) {
            (Some("kill_ports"), _) => kills_ports = true,
            (_, Some(&[key, when])) if key.as_atom() == Some(Atom::new("monitor")) => {
                watch = pending(when).ok_or_else(badarg)?;
            }
            _ => return Err(badarg()),
        }
    }
    let name = driver_name(a[0]).ok_or_else(badarg)?;
    if open::is_built_in(&name) {
        return answer(cx, Err(DriverRefused::Named("linked_in_driver")));
    }
    cx.own.set_flag(flag::HAS_RESOURCES, true);
    let result = loaded::try_unload(cx.proc.id, &name, kills_ports, watch);
    // The process may be linked to a port that was closed.
    crate::erlang::relations::fetch_all(cx)?;
    answer(cx, result)
}

fn monitor(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (Some("driver"), Some(&[shown, when])) =
        (a[0].as_atom().map(Atom::text), a[1].as_tuple_n())
    else {
        return Err(badarg());
    };
    let name = driver_name(shown).ok_or_else(badarg)?;
    let what = match when.as_atom().map(Atom::text) {
        Some("loaded") => Awaited::Load,
        Some("unloaded") => Awaited::Unload,
        Some("unloaded_only") => Awaited::UnloadOnly,
        _ => return Err(badarg()),
    };
    cx.own.set_flag(flag::HAS_RESOURCES, true);
    let reference = match open::is_built_in(&name) {
        true => loaded::watched_at_once(cx.proc.id, shown, ("UP", "permanent")),
        false => loaded::watch(cx.proc.id, shown, &name, what),
    };
    Ok(cx.heap().reference(reference, 0))
}

fn demonitor(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match a[0].kind() {
        Some(Kind::Ref) => loaded::unwatch(cx.proc.id, a[0].ref_number()),
        Some(Kind::MagicRef) => {}
        _ => return Err(badarg()),
    }
    Ok(true.into())
}

fn loaded_drivers(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let names = open::built_in().map(|n| n.as_bytes().to_vec());
    let mut names: Vec<Vec<u8>> = names.collect();
    names.splice(0..0, loaded::names());
    names.reverse();
    let h = cx.heap();
    let names: Vec<Term> = names.iter().map(|n| h.byte_list(n)).collect();
    let names = h.list(&names);
    Ok(h.tuple(&[Atom::OK.into(), names]))
}

fn counts(h: &mut Heap, counts: &[(u64, usize)]) -> Term {
    let rows = counts.iter().map(|&(process, n)| {
        let row = [Term::local_pid(process), Term::small(n as i64)];
        h.tuple(&row)
    });
    let rows: Vec<Term> = rows.collect();
    h.list(&rows)
}

fn info(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = driver_name(a[0]).ok_or_else(badarg)?;
    let what = a[1].as_atom().map(Atom::text).ok_or_else(badarg)?;
    let known = [
        "processes",
        "driver_options",
        "port_count",
        "linked_in_driver",
        "permanent",
        "awaiting_load",
        "awaiting_unload",
    ];
    if !known.contains(&what) {
        return Err(badarg());
    }
    let found = match open::is_built_in(&name) {
        true => None,
        false => Some(loaded::info(&name).ok_or_else(badarg)?),
    };
    let found = found.filter(|f| !f.is_added);
    let h = cx.heap();
    let Some(f) = found else {
        return Ok(match what {
            "linked_in_driver" => true.into(),
            "permanent" => false.into(),
            _ => Atom::new("linked_in_driver").into(),
        });
    };
    Ok(match what {
        "linked_in_driver" => false.into(),
        "permanent" => f.is_permanent.into(),
        "driver_options" if f.kills_ports => h.list(&[Atom::new("kill_ports").into()]),
        "driver_options" => Term::NIL,
        _ if f.is_permanent => Atom::new("permanent").into(),
        "port_count" => Term::small(f.ports as i64),
        "processes" => counts(h, &f.users),
        "awaiting_load" => counts(h, &f.awaits_load),
        _ => counts(h, &f.awaits_unload),
    })
}

/// Errors by their names, as OTP words them.
const TEXTS: &[(&str, &str)] = &[
    (
        "inconsistent",
        "Driver name and/or driver options are inconsistent with currently loaded driver",
    ),
    (
        "linked_in_driver",
        "Driver is statically linked and cannot be loaded/unloaded",
    ),
    (
        "permanent",
        "DDLL driver is permanent an cannot be unloaded/loaded",
    ),
    ("not_loaded", "DDLL driver is not loaded"),
    (
        "not_loaded_by_this_process",
        "DDLL driver was not loaded by this process",
    ),
    ("not_pending", "DDLL load not pending for this driver name"),
    (
        "already_loaded",
        "DDLL driver is already loaded successfully",
    ),
    ("pending_reload", "Driver reloading is already pending"),
    (
        "pending_process",
        "Driver is loaded by others when attempting option {reload, pending_driver}",
    ),
    ("no_error", "No error"),
    ("no_driver_init", "No driver init in dynamic library"),
    ("driver_init_failed", "Driver init failed"),
    ("bad_driver_name", "Bad driver name"),
    ("driver_name_to_long", "Driver name to long"),
    (
        "driver_incorrect_version",
        "Driver compiled with incorrect version of erl_driver.h",
    ),
    (
        "no_ddll_available",
        "DDLL functionality not available on this platform",
    ),
    ("unspecified_error", "Unspecified dynamic library error"),
    ("symbol_not_found", "Symbol not found in dynamic library"),
];

fn format_error_int(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if let Some(name) = a[0].as_atom().map(Atom::text) {
        let text = TEXTS.iter().find(|t| t.0 == name).ok_or_else(badarg)?.1;
        return Ok(cx.heap().char_list(text));
    }
    let &[kind, number] = a[0].as_tuple_n::<2>().ok_or_else(badarg)?;
    if kind.as_atom() != Some(Atom::new("open_error")) {
        return Err(badarg());
    }
    let number = number.as_small().ok_or_else(badarg)?;
    let text = loaded::linker_text(number).unwrap_or_else(|| "Unspecified error".to_string());
    Ok(cx.heap().char_list(&text))
}
