//! The module `persistent_term`.

use crate::bifs;
use enigma_runtime::atom::Atom;
use enigma_runtime::data::map;
use enigma_runtime::persistent_term::{self, IfThere, Put};
use enigma_runtime::work::{self, Budget, Step, Work};
use enigma_runtime::{BifResult, Ctx, Term, badarg};
use std::task::Poll;

bifs! { BIFS:
    "persistent_term" {
        "get"/0 Steps => get0;
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

/// The list of all pairs, from its end.
struct All {
    /// Those that are not in it yet, as they were at the beginning.
    left: Vec<[Term; 2]>,
    list: Term,
}

impl Work for All {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        for _ in 0..budget.grant(self.left.len()) {
            let Some([k, v]) = self.left.pop() else { break };
            let pair = cx.tuple2(k, v);
            self.list = cx.heap().cons(pair, self.list);
        }
        Ok(match self.left.is_empty() {
            true => Poll::Ready(self.list),
            false => Poll::Pending,
        })
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(self.left.as_flattened_mut());
        visit(std::slice::from_mut(&mut self.list));
    }
}

fn get0(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let left: Vec<[Term; 2]> = persistent_term::all();
    cx.bump(left.len() / SLOTS_A_REDUCTION);
    let list = Term::NIL;
    work::start(cx, a, All { left, list })
}

/// Keys that are looked at for one reduction.
const SLOTS_A_REDUCTION: usize = 200;

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
