//! The module `ets`: tables.

mod info;
mod matching;
mod options;
mod select;
mod update;

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::Ctx;
use enigma_runtime::ets::registry::{self, Found, NotFound};
use enigma_runtime::ets::{self, Kind, Protection, owners};
use enigma_runtime::heap::copy;
use enigma_runtime::process::{PidKey, flag, signal};
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Exit, Term, badarg, reference, release, sched};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

bifs! { BIFS:
    "ets" {
        "new"/2 Call => options::new;
        "setopts"/2 Call => options::setopts;
        "insert"/2 Call => insert;
        "insert_new"/2 Call => insert_new;
        "lookup"/2 Call => lookup;
        "lookup_element"/3 Call => lookup_element;
        "lookup_element"/4 Call => lookup_element;
        "member"/2 Call => member;
        "delete"/1 Call => delete_table;
        "delete"/2 Call => delete;
        "delete_object"/2 Call => delete_object;
        "take"/2 Call => take;
        "first"/1 Call => first;
        "last"/1 Call => last;
        "next"/2 Call => next;
        "prev"/2 Call => prev;
        "first_lookup"/1 Call => first_lookup;
        "last_lookup"/1 Call => last_lookup;
        "next_lookup"/2 Call => next_lookup;
        "prev_lookup"/2 Call => prev_lookup;
        "slot"/2 Call => slot;
        "rename"/2 Call => rename;
        "whereis"/1 Call => whereis;
        "give_away"/3 Call => give_away;
        "safe_fixtable"/2 Call => safe_fixtable;
        "internal_request_all"/0 Call => request_all;
        "internal_delete_all"/2 Call => delete_all;
        "update_counter"/3 Call => update::update_counter;
        "update_counter"/4 Call => update::update_counter;
        "update_element"/3 Call => update::update_element;
        "update_element"/4 Call => update::update_element;
        "info"/1 Call => info::info1;
        "info"/2 Call => info::info2;
        "match"/1 Call => select::continued;
        "match"/2 Call => select::match2;
        "match"/3 Call => select::match3;
        "match_object"/1 Call => select::continued;
        "match_object"/2 Call => select::match_object2;
        "match_object"/3 Call => select::match_object3;
        "select"/1 Call => select::continued;
        "select"/2 Call => select::select2;
        "select"/3 Call => select::select3;
        "select_reverse"/1 Call => select::continued;
        "select_reverse"/2 Call => select::select_reverse2;
        "select_reverse"/3 Call => select::select_reverse3;
        "select_count"/2 Call => select::select_count;
        "select_replace"/2 Call => select::select_replace;
        "internal_select_delete"/2 Call => select::select_delete;
        "match_spec_compile"/1 Call => matching::compile;
        "match_spec_run_r"/3 Call => matching::run;
        "is_compiled_ms"/1 Call => matching::is_compiled;
    }
    "erlang" {
        "match_spec_test"/3 Call => matching::test;
    }
    "erts_internal" {
        "ets_lookup_binary_info"/2 Call => info::binary_info;
        "ets_raw_first"/1 Call => raw_first;
        "ets_raw_next"/2 Call => raw_next;
        "ets_super_user"/1 Call => super_user;
    }
}

/// What a BIF wants to do with a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Read,
    Write,
    /// Only the owner may.
    Own,
    /// Information, which everybody may have.
    Info,
}

static SUPER_USERS: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
static ANY_SUPER_USER: AtomicBool = AtomicBool::new(false);

#[cold]
fn cause(name: &str) -> Exit {
    Exit::error_cause(Atom::BADARG, Atom::new(name))
}

/// The table that a term stands for, if the calling process may do with it what it wants.
#[inline]
fn table<'a>(cx: &Ctx<'_>, t: Term, need: Need) -> Result<Found<'a>, Exit> {
    let found = registry::find(t).map_err(|e| match e {
        NotFound::NoIdentifier => cause("type"),
        NotFound::NoTable => cause("id"),
    })?;
    let open = match need {
        Need::Read => found.protection() >= Protection::Protected,
        Need::Write => found.protection() == Protection::Public,
        Need::Own => false,
        Need::Info => true,
    };
    if open || found.owner() == cx.proc.id || is_super_user(cx.proc.id) {
        return Ok(found);
    }
    Err(cause("access"))
}

#[cold]
fn is_super_user(pid: u64) -> bool {
    ANY_SUPER_USER.load(Ordering::Relaxed) && SUPER_USERS.lock().contains(&pid)
}

fn super_user(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut users = SUPER_USERS.lock();
    if crate::args::boolean(a[0])? {
        users.insert(cx.proc.id);
        cx.own.set_flag(flag::HAS_RESOURCES, true);
        ANY_SUPER_USER.store(true, Ordering::Relaxed);
    } else {
        users.remove(&cx.proc.id);
    }
    Ok(Atom::OK.into())
}

/// To be called when a process that has the flag `HAS_RESOURCES` exits: its tables are deleted or go to
/// their heirs.
pub fn process_exit(cx: &mut Ctx<'_>) {
    owners::process_exited(cx.proc.id);
    if ANY_SUPER_USER.load(Ordering::Relaxed) {
        SUPER_USERS.lock().remove(&cx.proc.id);
    }
}

fn end_of_table() -> Term {
    Atom::END_OF_TABLE.into()
}

/// The objects of an argument that is one object or a list of objects, with their keys.
fn objects(t: &ets::Table, arg: Term) -> Result<Vec<(Term, Term)>, Exit> {
    let mut it = list::iter(arg);
    let mut all = Vec::new();
    for o in it.by_ref() {
        all.push((o, t.key_of(o).ok_or_else(badarg)?));
    }
    if !it.tail().is_nil() {
        return Err(badarg());
    }
    if t.kind == Kind::Bag && release::lists_enter_bags_reversed() {
        all.reverse();
    }
    Ok(all)
}

fn insert(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    if a[1].is_list() {
        let all = objects(&t, a[1])?;
        cx.bump(all.len());
        match all[..] {
            [] => {}
            [(o, key)] => t.insert(o, key),
            _ => {
                t.insert_all(&all, false);
            }
        }
    } else {
        let key = t.key_of(a[1]).ok_or_else(badarg)?;
        t.insert(a[1], key);
    }
    Ok(Term::bool(true))
}

fn insert_new(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    let all = if a[1].is_list() {
        objects(&t, a[1])?
    } else {
        vec![(a[1], t.key_of(a[1]).ok_or_else(badarg)?)]
    };
    cx.bump(all.len());
    Ok(Term::bool(t.insert_all(&all, true)))
}

fn lookup(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    Ok(t.lookup(a[1], cx.heap()))
}

fn lookup_element(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    let pos = a[2].as_usize().filter(|&p| p > 0).ok_or_else(badarg)?;
    let several = !matches!(t.kind, ets::Kind::Set | ets::Kind::OrderedSet);
    let heap = cx.heap();
    t.with_objects(a[1], |o| {
        if !o.is_some() {
            return a.get(3).copied().ok_or_else(|| cause("badkey"));
        }
        if !several {
            return if pos <= o.arity() {
                Ok(copy::copy(o.element(pos), heap))
            } else {
                Err(badarg())
            };
        }
        let mut all = Term::NIL;
        for o in o.chain() {
            if pos > o.arity() {
                return Err(badarg());
            }
            let e = copy::copy(o.element(pos), heap);
            all = heap.cons(e, all);
        }
        Ok(all)
    })
}

fn member(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    Ok(Term::bool(t.with_objects(a[1], |o| o.is_some())))
}

fn delete_table(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    registry::delete(&t);
    Ok(Term::bool(true))
}

fn delete(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    t.delete(a[1]);
    Ok(Term::bool(true))
}

fn delete_object(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    let key = t.key_of(a[1]).ok_or_else(badarg)?;
    t.delete_object(a[1], key);
    Ok(Term::bool(true))
}

fn delete_all(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    let n = t.clear();
    Ok(cx.heap().uint(n as u64))
}

fn take(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    Ok(t.take(a[1], cx.heap()))
}

/// Which key of a table, and whether its objects are wanted as well.
fn edge(cx: &mut Ctx<'_>, a: &[Term], last: bool, objects: bool) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    Ok(answer(cx, &t, objects, |f| t.with_first(last, f)))
}

fn step(cx: &mut Ctx<'_>, a: &[Term], back: bool, objects: bool) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    let mut found = true;
    let r = answer(cx, &t, objects, |f| {
        t.with_next(a[1], back, f).unwrap_or_else(|| {
            found = false;
            Term::NIL
        })
    });
    if found { Ok(r) } else { Err(badarg()) }
}

fn answer(
    cx: &mut Ctx<'_>,
    t: &ets::Table,
    objects: bool,
    find: impl FnOnce(&mut dyn FnMut(ets::object::Obj) -> Term) -> Term,
) -> Term {
    let heap = cx.heap();
    find(&mut |o| {
        if !o.is_some() {
            return end_of_table();
        }
        let key = copy::copy(o.element(t.keypos), heap);
        if !objects {
            return key;
        }
        let all = ets::copy_chain(o, heap);
        heap.tuple(&[key, all])
    })
}

fn first(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    edge(cx, a, false, false)
}

fn last(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    edge(cx, a, true, false)
}

fn next(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    step(cx, a, false, false)
}

fn prev(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    step(cx, a, true, false)
}

fn first_lookup(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    edge(cx, a, false, true)
}

fn last_lookup(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    edge(cx, a, true, true)
}

fn next_lookup(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    step(cx, a, false, true)
}

fn prev_lookup(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    step(cx, a, true, true)
}

fn raw_first(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Info)?;
    Ok(answer(cx, &t, false, |f| t.with_first(false, f)))
}

fn raw_next(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Info)?;
    Ok(answer(cx, &t, false, |f| {
        t.with_next(a[1], false, f).unwrap_or_else(end_of_table)
    }))
}

fn slot(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    let n = a[1].as_usize().ok_or_else(badarg)?;
    match t.slot(n, cx.heap()) {
        Some(Some(objects)) => Ok(objects),
        Some(None) => Ok(end_of_table()),
        None => Err(badarg()),
    }
}

fn rename(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    let name = a[1].as_atom().ok_or_else(badarg)?;
    let t = t.to_arc().ok_or_else(|| cause("id"))?;
    if !registry::rename(&t, name) {
        return Err(badarg());
    }
    Ok(if t.named { a[1] } else { a[0] })
}

fn whereis(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match registry::named(a[0].as_atom().ok_or_else(badarg)?) {
        Some(t) => Ok(registry::reference_to(&t, cx.heap())),
        None => Ok(Atom::UNDEFINED.into()),
    }
}

fn give_away(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    let to = PidKey::of(a[1])
        .and_then(PidKey::local_id)
        .ok_or_else(badarg)?;
    let me = cx.proc.id;
    if t.owner() != me {
        return Err(cause("not_owner"));
    }
    if to == me {
        return Err(cause("owner"));
    }
    let t = t.to_arc().ok_or_else(|| cause("id"))?;
    if owners::give(&t, me, to, Some(a[2])) {
        Ok(Term::bool(true))
    } else {
        Err(badarg())
    }
}

fn safe_fixtable(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    if crate::args::boolean(a[1])? {
        cx.own.set_flag(flag::HAS_RESOURCES, true);
        owners::fix(&t, cx.proc.id);
    } else {
        owners::unfix(&t, cx.proc.id);
    }
    Ok(Term::bool(true))
}

/// All tables, as one message a scheduler: the caller collects that many. The first has all of them.
fn request_all(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let number = reference::fresh();
    let tables = registry::all();
    let heap = cx.heap();
    let r = heap.reference(number, 0);
    let ids: Vec<Term> = tables
        .iter()
        .map(|t| registry::identifier(t, heap))
        .collect();
    let all = heap.list(&ids);
    for i in 0..sched::count() {
        let m = cx.tuple2(r, if i == 0 { all } else { Term::NIL });
        signal::send_message(cx.proc.id, m);
    }
    Ok(r)
}
