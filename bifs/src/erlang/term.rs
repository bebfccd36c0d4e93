//! Tuples, portable hashes, references.

use crate::bifs;
use enigma_runtime::data::{bignum, phash};
use enigma_runtime::heap::TupleBuilder;
use enigma_runtime::term::list;
use enigma_runtime::work::{self, Budget, Step, Work};
use enigma_runtime::{BifResult, Ctx, Term, badarg};
use std::task::Poll;

bifs! { BIFS:
    "erlang" {
        "setelement"/3 Steps => setelement, pure TUPLE;
        "make_tuple"/2 Call => make_tuple, pure TUPLE;
        "make_tuple"/3 Call => make_tuple_with, pure TUPLE;
        "append_element"/2 Call => append_element, pure TUPLE;
        "insert_element"/3 Call => insert_element, pure TUPLE;
        "delete_element"/2 Call => delete_element, pure TUPLE;
        "phash"/2 Call => phash_range, pure SMALL;
        "phash2"/1 Steps => phash2, total SMALL;
        "phash2"/2 Steps => phash2, pure SMALL;
    }
}

/// Most elements of a tuple.
pub(crate) const MAX_TUPLE: usize = (1 << 24) - 1;

// ---- tuples ----

fn setelement(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let index = a[0].as_usize().ok_or_else(badarg)?.wrapping_sub(1);
    let old = a[1].as_tuple().ok_or_else(badarg)?;
    if index >= old.len() {
        return Err(badarg());
    }
    if old.len() < LARGE_TUPLE {
        return Ok(cx.heap().tuple_with(a[1], index, a[2]));
    }
    let work = SetElement {
        index,
        done: 0,
        tuple: TupleBuilder::new(old.len()),
    };
    work::start(cx, a, work)
}

/// Tuples of so many elements are copied in steps.
const LARGE_TUPLE: usize = 1 << 14;

struct SetElement {
    index: usize,
    done: usize,
    tuple: TupleBuilder,
}

impl Work for SetElement {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let old = a[1].as_tuple().ok_or_else(badarg)?;
        let n = (old.len() - self.done).min(budget.left().saturating_mul(ELEMENTS));
        budget.spend(n / ELEMENTS + 1);
        let to = self.done + n;
        self.tuple.extend(&old[self.done..to]);
        if (self.done..to).contains(&self.index) {
            self.tuple.elements()[self.index] = a[2];
        }
        self.done = to;
        if to < old.len() {
            return Ok(Poll::Pending);
        }
        let tuple = std::mem::replace(&mut self.tuple, TupleBuilder::new(0));
        Ok(Poll::Ready(tuple.finish(cx.heap())))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(self.tuple.elements());
    }
}

/// Elements of a tuple that are copied for one unit.
const ELEMENTS: usize = 4;

fn tuple_length(t: Term) -> Option<usize> {
    t.as_usize().filter(|&n| n <= MAX_TUPLE)
}

fn make_tuple(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = tuple_length(a[0]).ok_or_else(badarg)?;
    cx.bump(n / 64);
    Ok(cx.heap().tuple_from(n, std::iter::repeat_n(a[1], n)))
}

fn make_tuple_with(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = tuple_length(a[0]).ok_or_else(badarg)?;
    let mut elements = vec![a[1]; n];
    let mut settings = list::iter(a[2]);
    for setting in settings.by_ref() {
        let &[at, value] = setting.as_tuple_n().ok_or_else(badarg)?;
        let at = at.as_usize().ok_or_else(badarg)?.wrapping_sub(1);
        *elements.get_mut(at).ok_or_else(badarg)? = value;
    }
    if !settings.tail().is_nil() {
        return Err(badarg());
    }
    Ok(cx.heap().tuple(&elements))
}

fn append_element(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let old = a[0].as_tuple().ok_or_else(badarg)?;
    spliced(cx, old, old.len(), &[a[1]], 0)
}

fn insert_element(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let at = a[0].as_usize().ok_or_else(badarg)?.wrapping_sub(1);
    let old = a[1].as_tuple().ok_or_else(badarg)?;
    spliced(cx, old, at, &[a[2]], 0)
}

fn delete_element(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let at = a[0].as_usize().ok_or_else(badarg)?.wrapping_sub(1);
    let old = a[1].as_tuple().ok_or_else(badarg)?;
    spliced(cx, old, at, &[], 1)
}

/// A tuple of the elements before `at`, `new`, and those after the `skip` elements at `at`.
fn spliced(cx: &mut Ctx<'_>, old: &[Term], at: usize, new: &[Term], skip: usize) -> BifResult {
    if at > old.len() || skip > old.len() - at || old.len() + new.len() - skip > MAX_TUPLE {
        return Err(badarg());
    }
    let all = old[..at].iter().chain(new).chain(&old[at + skip..]);
    let len = old.len() + new.len() - skip;
    Ok(cx.heap().tuple_from(len, all.copied()))
}

// ---- hashes ----

/// The range of a hash: 1 to 2^32.
fn hash_range(t: Term) -> Option<u64> {
    bignum::to_u64(t).filter(|n| (1..=1 << 32).contains(n))
}

fn phash_range(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let range = hash_range(a[1]).ok_or_else(badarg)?;
    let h = u64::from(phash::phash(a[0]));
    Ok(cx.heap().uint(1 + h % range))
}

/// Hashes the first argument.
struct Phash2 {
    hashing: phash::Hashing,
    range: u64,
}

impl Work for Phash2 {
    fn step(&mut self, _: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        let hash = self.hashing.go_on(budget);
        Ok(hash.map(|h| within(h, self.range)))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.hashing.visit_roots(visit);
    }
}

#[inline]
fn within(hash: u32, range: u64) -> Term {
    let hash = u64::from(hash);
    let hash = match range.is_power_of_two() {
        true => hash & (range - 1),
        false => hash % range,
    };
    Term::small(hash as i64)
}

/// Units of work that are done without asking how much is left of the time slice.
const AT_ONCE: usize = 100;

fn phash2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let range = match a.get(1) {
        None => 1 << 27,
        Some(&r) => hash_range(r).ok_or_else(badarg)?,
    };
    let units = if work::at_once(AT_ONCE) { AT_ONCE } else { 0 };
    let mut budget = Budget::of(units);
    let hashing = phash::Hashing::begin(a[0], &mut budget);
    cx.bump((units - budget.left()) / work::UNITS);
    match hashing.hash() {
        Some(h) => Ok(within(h, range)),
        None => work::start(cx, a, Phash2 { hashing, range }),
    }
}

// ---- references ----
