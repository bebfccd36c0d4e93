//! Links, monitors, aliases, exit signals, registered names.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::compare;
use enigma_runtime::dist::nodes;
use enigma_runtime::dist::operations::{self, RemoteTarget, SignalledBy};
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::exit_reason::ExitReason;
use enigma_runtime::process::relations::{MonitorTarget, Outgoing};
use enigma_runtime::process::signal::{self, ExitSignal, Signal, Unlink};
use enigma_runtime::process::{
    Alias, AliasEnd, Owned, PidKey, exit, flag, handle, registry, table,
};
use enigma_runtime::sched::hold;
use enigma_runtime::term::{Kind, list};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, node, reference, release, time};

bifs! { BIFS:
    "erlang" {
        "link"/1 Call => link;
        "link"/2 Call => link2;
        "unlink"/1 Call => unlink;
        "monitor"/2 Call => monitor2;
        "monitor"/3 Call => monitor3;
        "demonitor"/1 Call => demonitor1;
        "demonitor"/2 Call => demonitor2;
        "alias"/1 Call => alias1;
        "alias"/0 Call => alias0;
        "unalias"/1 Call => unalias;
        "exit"/2 Call => exit2;
        "exit"/3 Call => exit2;
        "exit_signal"/2 Call => exit2;
        "exit_signal"/3 Call => exit2;
        "register"/2 Call => register;
        "unregister"/1 Call => unregister;
        "whereis"/1 Call => whereis;
        "registered"/0 Call => registered;
        "is_process_alive"/1 Call => is_process_alive;
    }
    "erts_internal" {
        "is_process_alive"/2 Call => internal_is_process_alive;
    }
}

fn noproc_exit(cx: &mut Ctx<'_>, key: PidKey, from: Term, reason: Atom) {
    cx.own.relations.links().insert(key);
    let (from, reason) = (OwnedTerm::new(from), ExitReason::new(reason.into()));
    signal::send(
        cx.proc.id,
        Signal::Exit(Box::new(ExitSignal {
            from,
            reason,
            link: true,
        })),
    );
}

/// Who has signalled a process of another node waits while too much is on its way there.
fn wait_for_connection(cx: &mut Ctx<'_>, to: PidKey) -> Result<(), Exit> {
    if to.node().is_some() && !to.is_port() {
        operations::wait_after_signal(cx, RemoteTarget::Process(to))?;
    }
    Ok(())
}

/// Why nobody is behind an identifier: no connection to another node; what an earlier incarnation of this node
/// had is gone.
fn why_gone(key: Option<PidKey>) -> Atom {
    match key.and_then(PidKey::node) {
        Some(n) if n.name != node::this().0 => Atom::NOCONNECTION,
        _ => Atom::NOPROC,
    }
}

fn link(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let key = PidKey::of(a[0]).ok_or_else(badarg)?;
    let me = PidKey::local(cx.proc.id);
    if operations::has_signalled(cx)?.is_some() {
        return Ok(true.into());
    }
    // What the other side has done to the link before comes before this.
    fetch(cx)?;
    if key == me || cx.own.relations.is_linked(key) {
        return Ok(true.into());
    }
    if let Some(id) = key.local_id() {
        cx.own.relations.links().insert(key);
        if !signal::send(id, Signal::Link { from: me, to: id }) {
            cx.own.relations.links().remove(key);
            if cx.own.has(flag::TRAP_EXIT) {
                noproc_exit(cx, key, a[0], Atom::NOPROC);
                return Ok(true.into());
            }
            return Err(Exit::error(Atom::NOPROC));
        }
    } else if let Some(port) = key.local_port() {
        if crate::ports::link(port, cx.proc.id) {
            cx.own.relations.links().insert(key);
        } else if cx.own.has(flag::TRAP_EXIT) {
            noproc_exit(cx, key, a[0], Atom::NOPROC);
        } else {
            return Err(Exit::error(Atom::NOPROC));
        }
    } else if key.is_port() || operations::link(cx.proc.id, key).is_err() {
        noproc_exit(cx, key, a[0], why_gone(Some(key)));
    } else {
        cx.own.relations.links().insert(key);
        wait_for_connection(cx, key)?;
    }
    Ok(true.into())
}

fn link2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    for o in list::to_vec(a[1]).ok_or_else(badarg)? {
        if o.as_atom() != Some(Atom::PRIORITY) {
            return Err(badarg());
        }
    }
    link(cx, &a[..1])
}

fn unlink(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let key = PidKey::of(a[0]).ok_or_else(badarg)?;
    // Exit signals that have arrived come first: they must not be lost by taking the link away.
    fetch(cx)?;
    if let Some(port) = key.local_port() {
        if cx.own.relations.links().remove(key) {
            crate::ports::unlink(port, cx.proc.id);
        }
        return Ok(true.into());
    }
    if cx.own.relations.is_linked(key) {
        let unlink = Unlink {
            from: PidKey::local(cx.proc.id),
            to: key,
            id: reference::fresh(),
        };
        cx.own.relations.links().deactivate(key, unlink.id);
        let sent = match key.local_id() {
            Some(to) => signal::send(to, Signal::Unlink(unlink)),
            None => operations::unlink(cx.proc.id, key, unlink.id),
        };
        if !sent {
            cx.own.relations.links().remove(key);
        }
    }
    Ok(true.into())
}

/// Handles the signals that have arrived; the process may end by one of them. Where they are many the BIF is to be
/// called again, so it has done nothing yet.
pub fn fetch(cx: &mut Ctx<'_>) -> Result<(), Exit> {
    cx.own.pc = cx.pc;
    let done = handle::catch_up(cx);
    if cx.own.exit_reason.is_some() {
        Err(Exit::Exited)
    } else if done {
        Ok(())
    } else {
        Err(Exit::Yield)
    }
}

/// The same for a BIF that has done its work: all of them are handled at once.
pub fn fetch_all(cx: &mut Ctx<'_>) -> Result<(), Exit> {
    loop {
        match fetch(cx) {
            Err(Exit::Yield) => {}
            other => return other,
        }
    }
}

fn monitor2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    monitor(cx, a[0], a[1], MonitorOptions::default())
}

fn monitor3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let options = MonitorOptions::read(a[2]);
    let options = options.ok_or_else(|| Exit::error_cause(Atom::BADARG, Atom::BADOPT))?;
    monitor(cx, a[0], a[1], options)
}

/// Options of a monitor.
#[derive(Default)]
pub struct MonitorOptions {
    /// First element of the message.
    pub tag: Option<Term>,
    /// The reference is an alias too, which ends so.
    pub alias: Option<AliasEnd>,
    /// The message is a priority message.
    pub priority: bool,
}

impl MonitorOptions {
    /// Reads the list; nothing if an option is bad.
    pub fn read(l: Term) -> Option<MonitorOptions> {
        let mut m = MonitorOptions::default();
        let mut options = list::iter(l);
        for item in options.by_ref() {
            if item.as_atom() == Some(Atom::PRIORITY) && release::priority_messages() {
                m.priority = true;
                continue;
            }
            let &[key, value] = item.as_tuple_n::<2>()?;
            match key.as_atom() {
                Some(Atom::TAG) => m.tag = Some(value),
                Some(Atom::ALIAS) => m.alias = Some(alias_end(value).ok()?),
                _ => return None,
            }
        }
        options.tail().is_nil().then_some(m)
    }
}

/// How an alias made with a monitor ends.
fn alias_end(t: Term) -> Result<AliasEnd, Exit> {
    Ok(match t.as_atom() {
        Some(Atom::EXPLICIT_UNALIAS) => AliasEnd::Explicit,
        Some(Atom::DEMONITOR) => AliasEnd::Demonitor,
        Some(Atom::REPLY_DEMONITOR) => AliasEnd::ReplyDemonitor,
        _ => return Err(badarg()),
    })
}

fn monitor(cx: &mut Ctx<'_>, kind: Term, what: Term, options: MonitorOptions) -> BifResult {
    let MonitorOptions {
        tag,
        alias,
        priority,
    } = options;
    if let Some(given) = operations::has_signalled(cx)? {
        let (number, owner) = given.unwrap_or_default();
        return Ok(cx.heap().reference(number, owner));
    }
    let me = PidKey::local(cx.proc.id);
    let number = reference::fresh();
    let (target, key, name) = match kind.as_atom() {
        Some(k @ (Atom::PROCESS | Atom::PORT)) => target_of(k, what)?,
        Some(Atom::TIME_OFFSET) if what.as_atom() == Some(Atom::CLOCK_SERVICE) => {
            (MonitorTarget::TimeOffset, None, None)
        }
        Some(Atom::TIME_OFFSET) => return Err(badarg()),
        _ => return Err(Exit::error_cause(Atom::BADARG, Atom::BADTYPE)),
    };
    let time_offset = matches!(target, MonitorTarget::TimeOffset);
    if time_offset {
        time::watch::add(number, cx.proc.id);
    }
    let remote = match target {
        MonitorTarget::Id(k) if k.node().is_some() && !k.is_port() => {
            Some(RemoteTarget::Process(k))
        }
        MonitorTarget::Name { name, node, .. } if node != node::this().0 => {
            Some(RemoteTarget::Name(name, node))
        }
        _ => None,
    };
    let tag = tag.map(OwnedTerm::new);
    if key == Some(me) {
        return Ok(cx.heap().reference(number, 0));
    }
    cx.own.relations.make().outgoing.insert(
        number,
        Outgoing {
            target,
            tag,
            alias: alias.is_some(),
            priority,
        },
    );
    if let Some(end) = alias {
        let alias = Alias {
            end,
            priority: false,
        };
        cx.own.rare().aliases.insert(number, alias);
    }
    let owner = if alias.is_some() { cx.proc.id } else { 0 };
    let there = match key {
        _ if let Some(target) = remote => {
            operations::monitor(cx.proc.id, target, (number, owner)).is_ok()
        }
        Some(k) if k.local_id().is_some() => {
            let id = k.local_id().unwrap_or(0);
            signal::send(
                id,
                Signal::Monitor {
                    reference: number,
                    from: me,
                    name,
                },
            )
        }
        Some(k) => k
            .local_port()
            .is_some_and(|p| crate::ports::monitor(p, number, cx.proc.id)),
        None => time_offset,
    };
    if !there {
        let why = match remote {
            Some(RemoteTarget::Name(..)) => Atom::NOCONNECTION,
            _ => why_gone(key),
        };
        exit::send_down(me, number, &ExitReason::new(why.into()));
    } else if let Some(entry) = remote.and_then(RemoteTarget::entry) {
        let given = Some((number, owner));
        operations::wait_after(cx, &entry, SignalledBy::Other, given)?;
    }
    Ok(cx.heap().reference(number, owner))
}

type Found = (MonitorTarget, Option<PidKey>, Option<Atom>);

fn target_of(kind: Atom, what: Term) -> Result<Found, Exit> {
    let this = node::this().0;
    let by_name = |name: Atom, at: Atom| {
        let id = if at == this {
            registry::whereis(name).and_then(PidKey::of)
        } else {
            None
        };
        let port = kind == Atom::PORT;
        let id = id.filter(|k| k.is_port() == port);
        let target = MonitorTarget::Name {
            name,
            node: at,
            port,
            id,
        };
        (target, id, Some(name))
    };
    if let Some(name) = what.as_atom() {
        return Ok(by_name(name, this));
    }
    if let Some(&[name, at]) = what.as_tuple_n::<2>() {
        let (Some(name), Some(at)) = (name.as_atom(), at.as_atom()) else {
            return Err(badarg());
        };
        if at != this && !nodes::is_alive() {
            return Err(badarg());
        }
        return Ok(by_name(name, at));
    }
    let key = PidKey::of(what)
        // Ports of other nodes cannot be watched.
        .filter(|k| k.is_port() == (kind == Atom::PORT))
        .filter(|k| !k.is_port() || k.node().is_none_or(|n| n.name == this))
        .ok_or_else(badarg)?;
    Ok((MonitorTarget::Id(key), Some(key), None))
}

/// The number of a reference; other nodes' references monitor nothing here.
fn monitor_number(t: Term) -> Result<Option<u64>, Exit> {
    match t.kind() {
        Some(Kind::Ref) => Ok(Some(t.ref_number())),
        Some(Kind::MagicRef) => Ok(None),
        // Those of an earlier incarnation of this node have ended; those of others are none of this process.
        Some(Kind::ExtRef) if compare::node_of(t).name == node::this().0 => Ok(None),
        _ => Err(badarg()),
    }
}

/// Takes a monitor away; was it there?
fn take(cx: &mut Ctx<'_>, number: Option<u64>) -> Result<bool, Exit> {
    // A `'DOWN'` that has arrived is a message; only what arrives later is not.
    fetch(cx)?;
    let Some(n) = number else { return Ok(false) };
    let found = cx.own.relations.remove_outgoing(n);
    if let Some(m) = &found {
        handle::take_away(m, n);
    }
    if let Some(AliasEnd::Demonitor | AliasEnd::ReplyDemonitor) = cx
        .own
        .rare_if_any()
        .and_then(|r| r.aliases.get(&n).map(|a| a.end))
    {
        cx.own.rare().aliases.remove(&n);
    }
    Ok(found.is_some())
}

fn demonitor1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = monitor_number(a[0])?;
    take(cx, n)?;
    Ok(true.into())
}

fn demonitor2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = monitor_number(a[0])?;
    let (mut flush, mut info) = (false, false);
    let mut options = list::iter(a[1]);
    for o in options.by_ref() {
        match o.as_atom() {
            Some(Atom::FLUSH) => flush = true,
            Some(Atom::INFO) => info = true,
            _ => return Err(badarg()),
        }
    }
    if !options.tail().is_nil() {
        return Err(badarg());
    }
    let was = take(cx, n)?;
    if flush && !was {
        // The message, if it came, is taken out by Erlang code that knows how to receive.
        let flusher =
            enigma_runtime::code::export::get(Atom::ERTS_INTERNAL, Atom::FLUSH_MONITOR_MESSAGES, 3);
        let left: Term = if info { Atom::FALSE } else { Atom::TRUE }.into();
        return cx.trap(flusher, &[a[0], Atom::FALSE.into(), left]);
    }
    Ok(if info { was.into() } else { true.into() })
}

fn alias0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    new_alias(cx, AliasEnd::Explicit, false)
}

fn alias1(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (mut end, mut priority) = (AliasEnd::Explicit, false);
    for o in list::to_vec(a[0]).ok_or_else(badarg)? {
        match o.as_atom() {
            Some(Atom::EXPLICIT_UNALIAS) => {}
            Some(Atom::PRIORITY) if release::priority_messages() => priority = true,
            Some(Atom::REPLY) => end = AliasEnd::Reply,
            _ => return Err(badarg()),
        }
    }
    new_alias(cx, end, priority)
}

fn new_alias(cx: &mut Ctx<'_>, end: AliasEnd, priority: bool) -> BifResult {
    let number = reference::fresh();
    cx.own
        .rare()
        .aliases
        .insert(number, Alias { end, priority });
    let me = cx.proc.id;
    Ok(cx.heap().reference(number, me))
}

fn unalias(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = monitor_number(a[0])?;
    fetch(cx)?;
    let was = n.is_some_and(|n| {
        cx.own
            .rare_if_any()
            .is_some_and(|r| r.aliases.remove(&n).is_some())
    });
    Ok(was.into())
}

fn exit2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let key = match PidKey::of(a[0]) {
        Some(k) => k,
        None => match a[0].kind() {
            // An alias, or any other reference, takes exit signals only where it is active.
            Some(Kind::Ref | Kind::ExtRef | Kind::MagicRef) if release::priority_messages() => {
                return Ok(true.into());
            }
            _ => return Err(badarg()),
        },
    };
    if operations::has_signalled(cx)?.is_some() {
        return Ok(true.into());
    }
    let begun = operations::go_on_sending(cx).transpose()?.is_some();
    let elsewhere = key.node().is_some() && !key.is_port();
    let sent = begun || elsewhere && operations::exit_in_steps(cx, key, a[1])?;
    if !sent {
        let me = OwnedTerm::new(cx.self_pid());
        exit::send_exit_to(key, &me, &ExitReason::new(a[1]), false);
    }
    wait_for_connection(cx, key)?;
    if key.local_id() == Some(cx.proc.id) {
        fetch_all(cx)?;
    }
    Ok(true.into())
}

fn register(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let refused = |cause: Atom| Exit::error_cause(Atom::BADARG, cause);
    let name = a[0]
        .as_atom()
        .filter(|&n| n != Atom::UNDEFINED)
        .ok_or_else(|| refused(Atom::NONE))?;
    if let Some(port) = a[1].as_local_port() {
        return match crate::ports::set_name(port, name) {
            Ok(()) => Ok(true.into()),
            Err(cause) => Err(refused(cause)),
        };
    }
    let id = a[1].as_local_pid().ok_or_else(|| refused(Atom::NONE))?;
    if id == cx.proc.id {
        set_name(cx.own, id, name).map_err(refused)?;
        return Ok(true.into());
    }
    let answer = crate::ask::ask(cx, id, move |other| {
        let done = match other {
            Some(o) => set_name(o.own, id, name),
            None => Err(Atom::new("notalive")),
        };
        OwnedTerm::new(done.err().map_or(true.into(), Term::atom))
    })?;
    if answer.as_bool() == Some(true) {
        Ok(answer)
    } else {
        Err(refused(answer.as_atom().unwrap_or(Atom::NONE)))
    }
}

/// Gives a process a name, or says why not.
fn set_name(own: &mut Owned, id: u64, name: Atom) -> Result<(), Atom> {
    if own.name().is_some() {
        return Err(Atom::REGISTERED_NAME);
    }
    if !registry::register(name, Term::local_pid(id)) {
        return Err(Atom::NONE);
    }
    own.set_name(Some(name));
    Ok(())
}

fn unregister(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    let Some(who) = registry::whereis(name) else {
        // Asked of its owner before, and answered.
        return if cx.own.rare_if_any().is_some_and(|r| r.bif_state.is_some()) {
            crate::ask::ask(cx, 0, |_| OwnedTerm::new(true.into()))
        } else {
            Err(badarg())
        };
    };
    if let Some(port) = who.as_local_port() {
        registry::unregister(name);
        crate::ports::clear_name(port);
        return Ok(true.into());
    }
    let id = who.as_local_pid().ok_or_else(badarg)?;
    if id == cx.proc.id {
        registry::unregister(name);
        cx.own.set_name(None);
        return Ok(true.into());
    }
    crate::ask::ask(cx, id, move |other| {
        if registry::unregister_of(name, who)
            && let Some(o) = other
        {
            o.own.set_name(None);
        }
        OwnedTerm::new(true.into())
    })
}

fn whereis(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let name = a[0].as_atom().ok_or_else(badarg)?;
    Ok(registry::whereis(name).unwrap_or(Atom::UNDEFINED.into()))
}

fn registered(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let names: Vec<Term> = registry::names().into_iter().map(Term::atom).collect();
    Ok(cx.heap().list(&names))
}

fn alive(t: Term) -> Result<bool, Exit> {
    let id = t.as_local_pid().ok_or_else(badarg)?;
    Ok(table::with(id, |p| !p.state.is_exiting()).unwrap_or(false))
}

fn is_process_alive(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let id = a[0].as_local_pid().ok_or_else(badarg)?;
    if id == cx.proc.id {
        return Ok(true.into());
    }
    let waiting = cx.own.rare_if_any().is_some_and(|r| r.bif_state.is_some());
    // What it has sent before its end comes before the answer that it is dead.
    if !waiting && !alive(a[0])? {
        fetch(cx)?;
        return Ok(false.into());
    }
    if !waiting && hold::hold(id).is_some() {
        return Ok(true.into());
    }
    // Signals sent to it before must count, so it has to answer itself.
    let answer = crate::ask::ask(cx, id, |other| OwnedTerm::new(other.is_some().into()))?;
    if answer.as_atom() == Some(Atom::FALSE) {
        fetch_all(cx)?;
    }
    Ok(answer)
}

fn internal_is_process_alive(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[1].is_reference() {
        return Err(badarg());
    }
    let live = alive(a[0])?;
    let message = cx.tuple2(a[1], live);
    signal::send_message(cx.proc.id, message);
    Ok(Atom::OK.into())
}
