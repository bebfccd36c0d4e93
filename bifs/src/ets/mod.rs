//! The module `ets`: tables.

mod access;
mod bulk;
mod info;
mod matching;
mod options;
mod query;
mod replace;
mod select;
mod update;

use access::{Need, cause, end_of_table, open_table, table};

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::Ctx;
use enigma_runtime::ets::registry;
use enigma_runtime::ets::{Passed, Table, TableKind, owners};
use enigma_runtime::heap::copy;
use enigma_runtime::heap::object::Obj;
use enigma_runtime::process::{PidKey, flag, signal};
use enigma_runtime::{BifResult, Term, badarg, reference, sched};

bifs! { BIFS:
    "ets" {
        "new"/2 Call => options::new;
        "setopts"/2 Call => options::setopts;
        "insert"/2 Steps => bulk::insert;
        "insert_new"/2 Steps => bulk::insert_new;
        "lookup"/2 Call => lookup;
        "lookup_element"/3 Call => lookup_element;
        "lookup_element"/4 Call => lookup_element;
        "member"/2 Call => member;
        "delete"/1 Steps => bulk::delete_table;
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
        "internal_delete_all"/2 Steps => bulk::delete_all;
        "update_counter"/3 Call => update::update_counter;
        "update_counter"/4 Call => update::update_counter;
        "update_element"/3 Call => update::update_element;
        "update_element"/4 Call => update::update_element;
        "info"/1 Call => info::info1;
        "info"/2 Call => info::info2;
        "match"/1 Steps => select::continued;
        "match"/2 Steps => select::match2;
        "match"/3 Steps => select::match3;
        "match_object"/1 Steps => select::continued;
        "match_object"/2 Steps => select::match_object2;
        "match_object"/3 Steps => select::match_object3;
        "select"/1 Steps => select::continued;
        "select"/2 Steps => select::select2;
        "select"/3 Steps => select::select3;
        "select_reverse"/1 Steps => select::continued;
        "select_reverse"/2 Steps => select::select_reverse2;
        "select_reverse"/3 Steps => select::select_reverse3;
        "select_count"/2 Steps => select::select_count;
        "select_replace"/2 Steps => select::select_replace;
        "internal_select_delete"/2 Steps => select::select_delete;
        "match_spec_compile"/1 Call => matching::compile;
        "match_spec_run_r"/3 Steps => matching::run;
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

fn super_user(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let on = crate::args::boolean(a[0])?;
    if on {
        cx.own.set_flag(flag::HAS_RESOURCES, true);
    }
    access::set_super_user(cx.proc.id, on);
    Ok(Atom::OK.into())
}

/// To be called when a process that has the flag `HAS_RESOURCES` exits: its tables are deleted or go to
/// their heirs.
pub fn process_exit(cx: &mut Ctx<'_>) {
    owners::process_exited(cx.proc.id);
    access::process_exited(cx.proc.id);
}

fn lookup(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    open_table!(t = cx, a[0], Need::Read);
    Ok(t.lookup(a[1], cx.heap())?)
}

fn lookup_element(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    open_table!(t = cx, a[0], Need::Read);
    let pos = a[2].as_usize().filter(|&p| p > 0).ok_or_else(badarg)?;
    let heap = cx.heap();
    let missing = || a.get(3).copied().ok_or_else(|| cause("badkey"));
    if !t.kind.is_bag() {
        return t.with_object(a[1], |o| match o {
            Obj::NONE => missing(),
            _ => Ok(copy::copy(o.get(pos).ok_or_else(badarg)?, heap)),
        })?;
    }
    t.with_objects(a[1], |all| {
        let mut list = Term::NIL;
        for o in all {
            let e = copy::copy(o.get(pos).ok_or_else(badarg)?, heap);
            list = heap.cons(e, list);
        }
        if list.is_nil() { missing() } else { Ok(list) }
    })?
}

fn member(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    open_table!(t = cx, a[0], Need::Read);
    Ok(Term::bool(t.with_object(a[1], Obj::is_some)?))
}

fn delete(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    open_table!(t = cx, a[0], Need::Write);
    t.delete(a[1])?;
    Ok(Term::bool(true))
}

fn delete_object(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    open_table!(t = cx, a[0], Need::Write);
    let key = t.key_of(a[1]).ok_or_else(badarg)?;
    t.delete_object(a[1], key)?;
    Ok(Term::bool(true))
}

fn take(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    open_table!(t = cx, a[0], Need::Write);
    Ok(t.take(a[1], cx.heap())?)
}

/// Which key of a table, and whether its objects are wanted as well.
fn edge(cx: &mut Ctx<'_>, a: &[Term], last: bool, objects: bool) -> BifResult {
    open_table!(t = cx, a[0], Need::Read);
    Ok(t.with_first(last, false, |p| answer(cx, t, objects, p))?)
}

fn step(cx: &mut Ctx<'_>, a: &[Term], back: bool, objects: bool) -> BifResult {
    open_table!(t = cx, a[0], Need::Read);
    if t.kind == TableKind::OrderedSet && a[1] == end_of_table() {
        return Err(badarg());
    }
    t.with_next(a[1], back, false, |p| answer(cx, t, objects, p))?
        .ok_or_else(badarg)
}

#[inline]
fn answer(cx: &mut Ctx<'_>, t: &Table, objects: bool, passed: Passed<'_>) -> Term {
    let Some(key) = passed.object().get(t.keypos) else {
        return end_of_table();
    };
    let heap = cx.heap();
    let key = copy::copy(key, heap);
    if !objects {
        return key;
    }
    let all = passed.copies(heap);
    heap.tuple(&[key, all])
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
    Ok(t.with_first(false, true, |p| answer(cx, &t, false, p))?)
}

fn raw_next(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Info)?;
    let next = t.with_next(a[1], false, true, |p| answer(cx, &t, false, p))?;
    Ok(next.unwrap_or_else(end_of_table))
}

fn slot(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    let n = a[1].as_usize().ok_or_else(badarg)?;
    match t.slot(n, cx.heap())? {
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
