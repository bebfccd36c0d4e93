//! The module `persistent_term`.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::map;
use enigma_runtime::persistent_term::{self, IfThere, Put};
use enigma_runtime::{BifResult, Ctx, Term, badarg, work};

bifs! { BIFS:
    "persistent_term" {
        "get"/0 Call => get0;
        "get"/1 Call => get1, reads ANY;
        "get"/2 Call => get2, reads_total ANY;
        "put"/2 Steps => put;
        "put_new"/2 Steps => put_new;
        "erase"/1 Call => erase;
        "info"/0 Call => info;
    }
    "erts_internal" {
        "erase_persistent_terms"/0 Call => erase_all;
    }
}

fn get0(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let pairs = persistent_term::all();
    let list: Vec<Term> = pairs.iter().map(|&(k, v)| cx.tuple2(k, v)).collect();
    Ok(cx.heap().list(&list))
}

fn get1(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    persistent_term::get(a[0]).ok_or_else(badarg)
}

fn get2(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(persistent_term::get(a[0]).unwrap_or(a[1]))
}

fn put(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    work::start(cx, a, Put::new(a[0], IfThere::Replace))
}

fn put_new(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    work::start(cx, a, Put::new(a[0], IfThere::Keep))
}

fn erase(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    cx.bump(100);
    Ok(Term::bool(persistent_term::erase(a[0])))
}

fn info(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    let heap = cx.heap();
    let count = heap.uint(persistent_term::count() as u64);
    let memory = heap.uint(persistent_term::memory() as u64);
    Ok(map::from_pairs(
        heap,
        &[
            (Atom::new("count").into(), count),
            (Atom::MEMORY.into(), memory),
        ],
    ))
}

fn erase_all(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    persistent_term::erase_all();
    Ok(Atom::OK.into())
}
