//! Tuples and lists as wholes, portable hashes, references.

use crate::bifs;
use enigma_runtime::data::{bignum, compare, hash, phash};
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Ctx, Term, badarg, reference};
use std::collections::HashMap;

bifs! { BIFS:
    "erlang" {
        "setelement"/3 Call => setelement;
        "make_tuple"/2 Call => make_tuple;
        "make_tuple"/3 Call => make_tuple_with;
        "append_element"/2 Call => append_element;
        "insert_element"/3 Call => insert_element;
        "delete_element"/2 Call => delete_element;
        "tuple_to_list"/1 Call => tuple_to_list;
        "list_to_tuple"/1 Call => list_to_tuple;
        "++"/2 Call => append;
        "append"/2 Call => append;
        "--"/2 Call => subtract;
        "subtract"/2 Call => subtract;
        "phash"/2 Call => phash_range;
        "phash2"/1 Call => phash2;
        "phash2"/2 Call => phash2_range;
        "make_ref"/0 Call => make_ref;
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
    Ok(cx.heap().tuple_with(a[1], index, a[2]))
}

fn tuple_length(t: Term) -> Option<usize> {
    t.as_usize().filter(|&n| n <= MAX_TUPLE)
}

fn make_tuple(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = tuple_length(a[0]).ok_or_else(badarg)?;
    cx.bump(n / 64);
    Ok(cx.heap().tuple(&vec![a[1]; n]))
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
    let all = [&old[..at], new, &old[at + skip..]].concat();
    Ok(cx.heap().tuple(&all))
}

fn tuple_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let elements = a[0].as_tuple().ok_or_else(badarg)?;
    cx.bump(elements.len() / 64);
    Ok(cx.heap().list(elements))
}

fn list_to_tuple(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let elements = list::to_vec(a[0])
        .filter(|v| v.len() <= MAX_TUPLE)
        .ok_or_else(badarg)?;
    cx.bump(elements.len() / 64);
    Ok(cx.heap().tuple(&elements))
}

// ---- lists ----

fn append(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0].is_nil() {
        return Ok(a[1]);
    }
    let n = list::length(a[0]).ok_or_else(badarg)?;
    if n == 0 {
        return Err(badarg());
    }
    cx.bump(n / 40);
    Ok(cx.heap().list_before(a[0], n, a[1]))
}

/// Up to so many elements on the right are searched one by one.
const FEW: usize = 12;

fn subtract(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let n = list::length(a[0]).ok_or_else(badarg)?;
    let gone = list::to_vec(a[1]).ok_or_else(badarg)?;
    cx.bump((n + gone.len()) / 20);
    if n == 0 || gone.is_empty() {
        return Ok(a[0]);
    }
    let (kept, rest) = if gone.len() <= FEW {
        subtract_few(a[0], gone)
    } else {
        subtract_many(a[0], &gone)
    };
    Ok(cx.heap().list_with_tail(&kept, rest))
}

/// What stays of `from` before all of `gone` was found, and what follows from there.
fn subtract_few(from: Term, mut gone: Vec<Term>) -> (Vec<Term>, Term) {
    let mut kept = Vec::new();
    let mut it = list::iter(from);
    while !gone.is_empty() {
        let Some(e) = it.next() else { break };
        match gone.iter().position(|&g| compare::exact_eq(g, e)) {
            // The order of the others is of no importance.
            Some(i) => drop(gone.swap_remove(i)),
            None => kept.push(e),
        }
    }
    (kept, it.tail())
}

/// As `subtract_few`, with a table of counts.
fn subtract_many(from: Term, gone: &[Term]) -> (Vec<Term>, Term) {
    let mut counts: HashMap<u64, Vec<(Term, usize)>> = HashMap::with_capacity(gone.len());
    for &g in gone {
        let same_hash = counts.entry(hash::internal(g)).or_default();
        match same_hash.iter_mut().find(|c| compare::exact_eq(c.0, g)) {
            Some(c) => c.1 += 1,
            None => same_hash.push((g, 1)),
        }
    }
    let mut kept = Vec::new();
    let mut left = gone.len();
    let mut it = list::iter(from);
    while left > 0 {
        let Some(e) = it.next() else { break };
        let found = counts.get_mut(&hash::internal(e)).and_then(|same| {
            same.iter_mut()
                .find(|c| c.1 > 0 && compare::exact_eq(c.0, e))
        });
        match found {
            Some(c) => {
                c.1 -= 1;
                left -= 1;
            }
            None => kept.push(e),
        }
    }
    (kept, it.tail())
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

fn phash2(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(Term::small(i64::from(
        phash::phash2(a[0]) & ((1 << 27) - 1),
    )))
}

fn phash2_range(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let range = hash_range(a[1]).ok_or_else(badarg)?;
    Ok(Term::small((u64::from(phash::phash2(a[0])) % range) as i64))
}

// ---- references ----

fn make_ref(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.heap().reference(reference::fresh(), 0))
}
