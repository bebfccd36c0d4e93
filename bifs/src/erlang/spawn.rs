//! Making processes: `spawn`, `spawn_link`, `spawn_opt`, `spawn_request`.

use super::relations::MonitorOptions;
use crate::{args, bifs};
use enigma_runtime::atom::Atom;
use enigma_runtime::data::map;
use enigma_runtime::process::relations::{Incoming, MonitorTarget, Outgoing};
use enigma_runtime::process::state::Priority;
use enigma_runtime::process::{Alias, MaxHeap, PidKey, flag, handle};
use enigma_runtime::spawn::{self, SpawnOptions};
use enigma_runtime::term::{Kind, list};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, reference, release, sched};

bifs! { BIFS:
    "erlang" {
        "spawn"/3 Call => spawn3;
        "spawn_link"/3 Call => spawn_link3;
        "spawn_opt"/4 Call => spawn_opt4;
        "spawn_request_abandon"/1 Call => spawn_request_abandon;
    }
    "erts_internal" {
        "spawn_request"/4 Call => spawn_request;
        "spawn_init"/1 Call => spawn_init;
        "spawn_system_process"/3 Call => spawn_system_process;
    }
}

/// What the option list says beyond `SpawnOptions`.
struct Wanted {
    options: SpawnOptions,
    monitor: Option<MonitorOptions>,
    reply_tag: Term,
    reply_yes: bool,
    reply_error: bool,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted {
            options: SpawnOptions::default(),
            monitor: None,
            reply_tag: Atom::SPAWN_REPLY.into(),
            reply_yes: true,
            reply_error: true,
        }
    }
}

fn bad_option() -> Exit {
    Exit::error_cause(Atom::BADARG, Atom::BADOPT)
}

fn wanted(l: Term) -> Result<Wanted, Exit> {
    let (w, good) = read_options(l)?;
    if good { Ok(w) } else { Err(bad_option()) }
}

/// What a proper list of options says, and whether all of them are good.
fn read_options(l: Term) -> Result<(Wanted, bool), Exit> {
    let mut w = Wanted::default();
    let mut good = true;
    for item in list::to_vec(l).ok_or_else(bad_option)? {
        good &= read_option(&mut w, item).is_ok();
    }
    Ok((w, good))
}

/// What another node wishes of a process that is to be spawned here.
pub struct SpawnWish {
    /// Options.
    pub options: SpawnOptions,
    /// Is it to be linked to who asks?
    pub link: bool,
    /// Is it to be monitored?
    pub monitor: bool,
}

impl SpawnWish {
    /// Reads options; nothing if one is bad.
    pub fn read(options: Term) -> Option<SpawnWish> {
        let (w, good) = read_options(options).ok()?;
        let link = w.options.link;
        let options = SpawnOptions {
            link: false,
            ..w.options
        };
        good.then_some(SpawnWish {
            options,
            link,
            monitor: w.monitor.is_some(),
        })
    }
}

fn read_option(w: &mut Wanted, item: Term) -> Result<(), Exit> {
    if let Some(a) = item.as_atom() {
        match a {
            Atom::LINK => w.options.link = true,
            Atom::MONITOR => w.monitor = Some(MonitorOptions::default()),
            _ => return Err(badarg()),
        }
        return Ok(());
    }
    let Some(&[key, value]) = item.as_tuple_n::<2>() else {
        return Err(badarg());
    };
    let o = &mut w.options;
    match key.as_atom().ok_or_else(badarg)? {
        Atom::PRIORITY => o.priority = priority(value)?,
        Atom::FULLSWEEP_AFTER => {
            o.fullsweep_after = value.as_usize().ok_or_else(badarg)? as u16;
        }
        Atom::MIN_HEAP_SIZE => o.min_heap = args::heap_size(value)?,
        Atom::MIN_BIN_VHEAP_SIZE => o.min_vheap = args::heap_size(value)?,
        Atom::MAX_HEAP_SIZE => o.max_heap = Some(max_heap(value, o.max_heap)?),
        Atom::MESSAGE_QUEUE_DATA => match value.as_atom() {
            Some(Atom::ON_HEAP) => o.flags &= !flag::OFF_HEAP_MESSAGES,
            Some(Atom::OFF_HEAP) => o.flags |= flag::OFF_HEAP_MESSAGES,
            _ => return Err(badarg()),
        },
        Atom::ASYNC_DIST if release::async_dist() => match value.as_bool() {
            Some(true) => o.flags |= flag::ASYNC_DIST,
            Some(false) => o.flags &= !flag::ASYNC_DIST,
            None => return Err(badarg()),
        },
        Atom::SCHEDULER => {
            // Threads are taken by need: a process is bound to none.
            value
                .as_usize()
                .filter(|&n| n <= sched::count())
                .ok_or_else(badarg)?;
        }
        Atom::LINK => w.options.link = value.as_bool().ok_or_else(badarg)?,
        Atom::MONITOR => w.monitor = Some(MonitorOptions::read(value).ok_or_else(badarg)?),
        Atom::REPLY_TAG => w.reply_tag = value,
        Atom::REPLY => match value.as_atom() {
            Some(Atom::YES) => (w.reply_yes, w.reply_error) = (true, true),
            Some(Atom::NO) => (w.reply_yes, w.reply_error) = (false, false),
            Some(Atom::ERROR_ONLY) => (w.reply_yes, w.reply_error) = (false, true),
            Some(Atom::SUCCESS_ONLY) => (w.reply_yes, w.reply_error) = (true, false),
            _ => return Err(badarg()),
        },
        _ => return Err(badarg()),
    }
    Ok(())
}

/// A priority by its name.
pub fn priority(t: Term) -> Result<Priority, Exit> {
    Ok(match t.as_atom() {
        Some(Atom::LOW) => Priority::Low,
        Some(Atom::NORMAL) => Priority::Normal,
        Some(Atom::HIGH) => Priority::High,
        Some(Atom::MAX) => Priority::Max,
        _ => return Err(badarg()),
    })
}

/// A maximum heap size: words, or a map; what the map does not say is taken from `old`.
pub fn max_heap(t: Term, old: Option<MaxHeap>) -> Result<MaxHeap, Exit> {
    let mut m = MaxHeap {
        size: 0,
        kill: true,
        error_logger: true,
        include_shared_binaries: false,
    };
    if let Some(old) = old {
        m = MaxHeap { size: 0, ..old };
    }
    if let Some(n) = t.as_usize() {
        m.size = n;
    } else if t.is_map() {
        let field = |k: Atom| map::get(t, k.into());
        m.size = field(Atom::SIZE)
            .and_then(Term::as_usize)
            .ok_or_else(badarg)?;
        let mut flag = |k: Atom, slot: fn(&mut MaxHeap) -> &mut bool| match field(k) {
            None => Ok(()),
            Some(v) => v.as_bool().map(|b| *slot(&mut m) = b).ok_or_else(badarg),
        };
        flag(Atom::KILL, |m| &mut m.kill)?;
        flag(Atom::ERROR_LOGGER, |m| &mut m.error_logger)?;
        flag(Atom::INCLUDE_SHARED_BINARIES, |m| {
            &mut m.include_shared_binaries
        })?;
    } else {
        return Err(badarg());
    }
    let least = SpawnOptions::default().min_heap;
    if m.size != 0 && m.size < least {
        Err(badarg())
    } else {
        Ok(m)
    }
}

fn mfa(m: Term, f: Term, args: Term) -> Result<(Atom, Atom, Term), Exit> {
    match (m.as_atom(), f.as_atom(), list::length(args)) {
        (Some(m), Some(f), Some(_)) => Ok((m, f, args)),
        _ => Err(badarg()),
    }
}

fn start(
    cx: &mut Ctx<'_>,
    call: (Atom, Atom, Term),
    w: &Wanted,
) -> Result<(u64, Option<Term>), Exit> {
    let me = cx.proc.id;
    let monitor = w.monitor.as_ref().map(|m| (m, reference::fresh()));
    let id = spawn::spawn(Some((cx.proc, cx.own)), call, &w.options, |_, own| {
        if let Some((_, number)) = monitor {
            let from = PidKey::local(me);
            own.relations
                .make()
                .incoming
                .insert(number, Incoming { from, name: None });
        }
    });
    let Some(id) = id else {
        crate::log::process_error(cx, "Too many processes\n");
        return Err(Exit::error(Atom::SYSTEM_LIMIT));
    };
    let reference = monitor.map(|(m, number)| {
        let target = MonitorTarget::Id(PidKey::local(id));
        let tag = m.tag.map(enigma_runtime::heap::literal::OwnedTerm::new);
        cx.own.relations.make().outgoing.insert(
            number,
            Outgoing {
                target,
                tag,
                alias: m.alias.is_some(),
                priority: m.priority,
            },
        );
        if let Some(end) = m.alias {
            let alias = Alias {
                end,
                priority: false,
            };
            cx.own.rare().aliases.insert(number, alias);
        }
        cx.heap()
            .reference(number, if m.alias.is_some() { me } else { 0 })
    });
    cx.bump(20);
    Ok((id, reference))
}

fn spawn3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let call = mfa(a[0], a[1], a[2])?;
    let w = wanted(Term::NIL)?;
    start(cx, call, &w).map(|(id, _)| Term::local_pid(id))
}

fn spawn_link3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let call = mfa(a[0], a[1], a[2])?;
    let mut w = wanted(Term::NIL)?;
    w.options.link = true;
    start(cx, call, &w).map(|(id, _)| Term::local_pid(id))
}

fn spawn_opt4(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let call = mfa(a[0], a[1], a[2])?;
    let w = wanted(a[3])?;
    let (id, reference) = start(cx, call, &w)?;
    let pid = Term::local_pid(id);
    Ok(match reference {
        Some(r) => cx.tuple2(pid, r),
        None => pid,
    })
}

/// The local half of `erlang:spawn_request/5`: the answer comes as a message.
/// What is wrong with the call is told by its name.
fn spawn_request(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let Ok(call) = mfa(a[0], a[1], a[2]) else {
        return Ok(Atom::BADARG.into());
    };
    let Ok((w, good)) = read_options(a[3]) else {
        return Ok(Atom::BADOPT.into());
    };
    let me = cx.proc.id;
    let started = good.then(|| start(cx, call, &w));
    let (result, number, alias) = match started {
        None => (Err(Atom::BADOPT), reference::fresh(), false),
        Some(Ok((id, r))) => {
            let number = r.map_or_else(reference::fresh, Term::ref_number);
            (
                Ok(id),
                number,
                w.monitor.as_ref().is_some_and(|m| m.alias.is_some()),
            )
        }
        Some(Err(_)) => (Err(Atom::SYSTEM_LIMIT), reference::fresh(), false),
    };
    let r = cx.heap().reference(number, if alias { me } else { 0 });
    let (wanted_reply, status, value) = match result {
        Ok(id) => (w.reply_yes, Atom::OK, Term::local_pid(id)),
        Err(e) => (w.reply_error, Atom::ERROR, e.into()),
    };
    if wanted_reply {
        let message = cx.heap().tuple(&[w.reply_tag, r, status.into(), value]);
        enigma_runtime::process::signal::send_message(me, message);
    }
    Ok(r)
}

/// Gives up a request that is not answered yet. Those for this node are answered before they return.
fn spawn_request_abandon(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_reference() {
        return Err(badarg());
    }
    super::relations::fetch(cx)?;
    let number = a[0].is_kind(Kind::Ref).then(|| a[0].ref_number());
    let gone = number.is_some_and(|n| {
        let rare = cx.own.rare_if_any();
        rare.is_some_and(|r| r.pending_spawns.remove(&n).is_some())
    });
    if let (true, Some(n)) = (gone, number) {
        handle::end_alias_of_monitor(cx.own, n);
    }
    Ok(gone.into())
}

fn spawn_init(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let Some(&[m, f, args]) = a[0].as_tuple_n::<3>() else {
        return Err(badarg());
    };
    let apply = enigma_runtime::code::export::get(Atom::ERLANG, Atom::APPLY, 3);
    cx.trap(apply, &[m, f, args])
}

fn spawn_system_process(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let call = mfa(a[0], a[1], a[2])?;
    let mut w = wanted(Term::NIL)?;
    w.options.flags |= flag::SYSTEM;
    start(cx, call, &w).map(|(id, _)| Term::local_pid(id))
}
