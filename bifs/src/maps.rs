//! The module `maps`, as far as it is built in, and what else looks into maps.

use crate::bifs;
use crate::erlang::guard::{need_map, tagged_error};
use enigma_runtime::data::{bignum, map};
use enigma_runtime::term::{Kind, list};
use enigma_runtime::{Atom, BifResult, Ctx, Term, badarg, release};

bifs! { BIFS:
    "maps" {
        "find"/2 Call => find;
        "from_keys"/2 Call => from_keys;
        "from_list"/1 Call => from_list;
        "get"/2 Call => get;
        "is_key"/2 Call => is_key;
        "keys"/1 Call => keys;
        "merge"/2 Call => merge;
        "put"/3 Call => put;
        "remove"/2 Call => remove;
        "take"/2 Call => take;
        "update"/3 Call => update;
        "values"/1 Call => values;
    }
    "erts_internal" {
        "map_next"/3 Call => map_next;
        "map_to_tuple_keys"/1 Call => map_to_tuple_keys;
        "map_hashmap_children"/1 Call => map_hashmap_children;
    }
}

fn get(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    match map::get(need_map(cx, a[1])?, a[0]) {
        Some(v) => Ok(v),
        None => Err(tagged_error(cx, Atom::BADKEY, a[0])),
    }
}

fn find(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(match map::get(need_map(cx, a[1])?, a[0]) {
        Some(v) => cx.ok(v),
        None => Atom::ERROR.into(),
    })
}

fn is_key(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(Term::bool(map::get(need_map(cx, a[1])?, a[0]).is_some()))
}

fn from_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut it = list::iter(a[0]);
    let mut pairs = Vec::new();
    for e in it.by_ref() {
        let &[k, v] = e.as_tuple_n().ok_or_else(badarg)?;
        pairs.push((k, v));
    }
    if !it.tail().is_nil() {
        return Err(badarg());
    }
    cx.bump(pairs.len() / 8);
    Ok(map::from_pairs(cx.heap(), &pairs))
}

fn from_keys(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let keys = list::to_vec(a[0]).ok_or_else(badarg)?;
    let pairs: Vec<(Term, Term)> = keys.into_iter().map(|k| (k, a[1])).collect();
    cx.bump(pairs.len() / 8);
    Ok(map::from_pairs(cx.heap(), &pairs))
}

/// Do lists of the parts of a large map begin with its last pair? Until OTP 28.
fn lists_are_reversed(m: Term) -> bool {
    m.is_kind(Kind::HashMap) && release::number() < 29
}

/// A list of keys or values.
fn listed(cx: &mut Ctx<'_>, m: Term, part: fn((Term, Term)) -> Term) -> Term {
    let all: Vec<Term> = map::iter(m).map(part).collect();
    cx.bump(all.len() / 32);
    if lists_are_reversed(m) {
        cx.heap().list_from(all.into_iter().rev())
    } else {
        cx.heap().list(&all)
    }
}

fn keys(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = need_map(cx, a[0])?;
    Ok(listed(cx, m, |p| p.0))
}

fn values(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = need_map(cx, a[0])?;
    Ok(listed(cx, m, |p| p.1))
}

fn merge(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let x = need_map(cx, a[0])?;
    let y = need_map(cx, a[1])?;
    cx.bump(map::size(x).min(map::size(y)) / 8);
    Ok(map::merge(cx.heap(), x, y))
}

fn put(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = need_map(cx, a[2])?;
    Ok(map::put(cx.heap(), m, a[0], a[1]))
}

fn remove(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = need_map(cx, a[1])?;
    Ok(map::remove(cx.heap(), m, a[0]).map_or(m, |r| r.0))
}

fn take(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = need_map(cx, a[1])?;
    Ok(match map::remove(cx.heap(), m, a[0]) {
        Some((rest, value)) => cx.tuple2(value, rest),
        None => Atom::ERROR.into(),
    })
}

fn update(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = need_map(cx, a[2])?;
    match map::update(cx.heap(), m, a[0], a[1]) {
        Some(new) => Ok(new),
        None => Err(tagged_error(cx, Atom::BADKEY, a[0])),
    }
}

// ---- iteration ----

/// Pairs that a call hands out when an iterator asks.
const ITERATOR_BATCH: usize = 32;
/// Pairs that a call hands out when they go into a list whose first element is the last pair.
const LIST_BATCH: usize = 4096;

/// The next pairs of a map from a place on: as a chain of `{Key, Value, Rest}`, or before a list. The
/// chain ends in `[Place | Map]` or `none`; an unfinished list begins with place and map. A place is 0,
/// a number of `map::iter_from`, or the list of the keys that are still to come.
fn map_next(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let [place, m, how] = [a[0], a[1], a[2]];
    if !m.is_map() {
        return Err(badarg());
    }
    let chain = how == Term::atom(Atom::ITERATOR);
    if !chain && !how.is_list() {
        return Err(badarg());
    }
    if chain && place.is_list() {
        return next_of_keys(cx, place, m);
    }
    let path = bignum::to_i128(place)
        .and_then(|n| u128::try_from(n).ok())
        .ok_or_else(badarg)?;
    let mut it = map::iter_from(m, path).ok_or_else(badarg)?;
    let batch = match chain {
        true => ITERATOR_BATCH,
        false if lists_are_reversed(m) => LIST_BATCH,
        false => usize::MAX,
    };
    let pairs = it.take_pairs(batch);
    cx.bump(pairs.len() / 8);
    let next = it.place();
    let heap = cx.heap();
    let next = next.map(|p| heap.int128(p as i128));
    if chain {
        let end = next.map_or(Atom::NONE.into(), |p| heap.cons(p, m));
        return Ok(pairs
            .iter()
            .rev()
            .fold(end, |rest, &(k, v)| heap.tuple(&[k, v, rest])));
    }
    let mut out = how;
    let mut add = |&(k, v): &(Term, Term)| {
        let pair = heap.tuple(&[k, v]);
        out = heap.cons(pair, out);
    };
    if lists_are_reversed(m) {
        pairs.iter().for_each(&mut add);
    } else {
        pairs.iter().rev().for_each(&mut add);
    }
    if let Some(p) = next {
        out = heap.cons(m, out);
        out = heap.cons(p, out);
    }
    Ok(out)
}

/// The next pairs of an iterator over given keys.
fn next_of_keys(cx: &mut Ctx<'_>, keys: Term, m: Term) -> BifResult {
    let mut it = list::iter(keys);
    let mut pairs = Vec::with_capacity(ITERATOR_BATCH);
    for k in it.by_ref().take(ITERATOR_BATCH) {
        pairs.push((k, map::get(m, k).ok_or_else(badarg)?));
    }
    if !it.tail().is_list() {
        return Err(badarg());
    }
    let heap = cx.heap();
    let end = if it.tail().is_nil() {
        Atom::NONE.into()
    } else {
        heap.cons(it.tail(), m)
    };
    Ok(pairs
        .iter()
        .rev()
        .fold(end, |rest, &(k, v)| heap.tuple(&[k, v, rest])))
}

// ---- representation ----

fn map_to_tuple_keys(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = need_map(cx, a[0])?;
    if !m.is_kind(Kind::FlatMap) {
        return Err(badarg());
    }
    Ok(cx.heap().tuple(map::flat_parts(m).0))
}

fn map_hashmap_children(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = need_map(cx, a[0])?;
    let children = map::root_pairs_by_child(m).ok_or_else(badarg)?;
    let heap = cx.heap();
    let parts: Vec<Term> = children
        .iter()
        .map(|pairs| match pairs[..] {
            [(k, v)] => heap.cons(k, v),
            _ => map::from_pairs(heap, pairs),
        })
        .collect();
    Ok(heap.tuple(&parts))
}
