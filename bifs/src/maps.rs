//! The module `maps`, as far as it is built in, and what else looks into maps.

use crate::bifs;
use crate::erlang::guard::{need_map, tagged_error};
use crate::erlang::list::put_before;
use enigma_runtime::data::{bignum, map};
use enigma_runtime::term::{Kind, list};
use enigma_runtime::work::{self, Budget, Pile, Step, Work};
use enigma_runtime::{Atom, BifResult, Ctx, Heap, Term, badarg, release};
use std::task::Poll;

bifs! { BIFS:
    "maps" {
        "find"/2 Call => find, pure TUPLE | OTHER_ATOM;
        "from_keys"/2 Steps => from_keys, pure MAP;
        "from_list"/1 Steps => from_list, pure MAP;
        "get"/2 Call => get, pure ANY;
        "is_key"/2 Call => is_key, pure BOOLEAN;
        "keys"/1 Steps => keys, pure LIST;
        "merge"/2 Steps => merge, pure MAP;
        "put"/3 Call => put, pure MAP;
        "remove"/2 Call => remove, pure MAP;
        "take"/2 Call => take, pure TUPLE | OTHER_ATOM;
        "update"/3 Call => update, pure MAP;
        "values"/1 Steps => values, pure LIST;
    }
    "erts_internal" {
        "map_next"/3 Steps => map_next;
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

/// The pair that an element of a list stands for, with the BIF's arguments at hand.
type ToPair = fn(&[Term], Term) -> Option<(Term, Term)>;

/// Makes a map of the elements of a list.
struct FromList {
    rest: Term,
    map: map::MapBuilder,
    /// The key and the value that an element stands for; nothing if it stands for none.
    pair: ToPair,
}

/// Units of work that taking an element costs.
const ELEMENT: usize = 4;

impl Work for FromList {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        while let Some((e, tail)) = self.rest.as_cons() {
            if budget.is_spent() {
                return Ok(Poll::Pending);
            }
            budget.spend(ELEMENT);
            let (k, v) = (self.pair)(a, e).ok_or_else(badarg)?;
            self.map.add(k, v);
            self.rest = tail;
        }
        if !self.rest.is_nil() {
            return Err(badarg());
        }
        Ok(self.map.finish(cx.heap(), budget))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.rest));
        self.map.visit_roots(visit);
    }
}

/// Lists of more elements are taken in steps.
const FEW_ELEMENTS: usize = 40;

/// The map of a list of few elements; nothing where it is not that simple.
fn from_few(cx: &mut Ctx<'_>, a: &[Term], pair: ToPair) -> Option<Term> {
    let (few, end) = list::walk(a[0], FEW_ELEMENTS);
    if !end.is_nil() || !work::at_once(few) {
        return None;
    }
    let map = match few {
        ..=8 => built::<8>(cx, a, pair),
        _ => built::<{ map::MAX_FLAT }>(cx, a, pair),
    }?;
    cx.bump(few / 2);
    Some(map)
}

/// The map of the elements of a proper list, if it has at most `N` pairs.
fn built<const N: usize>(cx: &mut Ctx<'_>, a: &[Term], pair: ToPair) -> Option<Term> {
    let mut map = map::FlatBuilder::<N>::default();
    for e in list::iter(a[0]) {
        let (k, v) = pair(a, e)?;
        if !map.put(k, v) {
            return None;
        }
    }
    Some(map.finish(cx.heap()))
}

fn from_elements(cx: &mut Ctx<'_>, a: &[Term], pair: ToPair) -> BifResult {
    if let Some(map) = from_few(cx, a, pair) {
        return Ok(map);
    }
    let work = FromList {
        rest: a[0],
        map: map::MapBuilder::default(),
        pair,
    };
    work::start(cx, a, work)
}

fn from_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    from_elements(cx, a, |_, e| {
        let &[k, v] = e.as_tuple_n()?;
        Some((k, v))
    })
}

fn from_keys(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    from_elements(cx, a, |a, k| Some((k, a[1])))
}

/// Do lists of the parts of a large map begin with its last pair? Until OTP 28.
fn lists_are_reversed(m: Term) -> bool {
    m.is_kind(Kind::HashMap) && release::number() < 29
}

/// What a list of a map's pairs holds.
#[derive(Clone, Copy)]
enum Listed {
    Keys,
    Values,
    Pairs,
}

impl Listed {
    fn of(self, (k, v): (Term, Term), heap: &mut Heap) -> Term {
        match self {
            Listed::Keys => k,
            Listed::Values => v,
            Listed::Pairs => heap.tuple(&[k, v]),
        }
    }
}

/// Makes a list of a large map's parts.
struct ToList {
    what: Listed,
    pairs: map::MapIter,
    /// Is the last pair to come first?
    reversed: bool,
    /// Elements that are put before the list in the end.
    items: Pile<Term>,
    list: Term,
}

/// Units that a pair costs: it lies anywhere in the heap.
const PAIR: usize = 16;

impl Work for ToList {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        loop {
            if budget.is_spent() {
                return Ok(Poll::Pending);
            }
            budget.spend(PAIR);
            let Some(pair) = self.pairs.next() else { break };
            let item = self.what.of(pair, cx.heap());
            if self.reversed {
                self.list = cx.heap().cons(item, self.list);
            } else {
                self.items.push(item);
            }
        }
        Ok(put_before(cx, &mut self.items, &mut self.list, budget))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.pairs.visit_roots(visit);
        self.items.segments().for_each(&mut *visit);
        visit(std::slice::from_mut(&mut self.list));
    }
}

/// Is enough of the time slice left to list a large map?
fn may_list_at_once(cx: &Ctx<'_>, m: Term) -> bool {
    let reductions = map::size(m) * PAIR / work::UNITS;
    work::at_once(0) && (cx.whole || (reductions as i64) < cx.reds_left())
}

/// A list of parts of a large map, before `tail`.
fn listed_at_once(cx: &mut Ctx<'_>, m: Term, what: Listed, tail: Term) -> Term {
    cx.bump(map::size(m) * PAIR / work::UNITS);
    let heap = cx.heap();
    if lists_are_reversed(m) {
        let mut list = tail;
        map::each_pair(m, &mut |k, v| {
            let item = what.of((k, v), heap);
            list = heap.cons(item, list);
        });
        return list;
    }
    let mut items = Vec::with_capacity(map::size(m));
    map::each_pair(m, &mut |k, v| items.push(what.of((k, v), heap)));
    heap.list_with_tail(&items, tail)
}

/// A list of parts of the map `m`, before `tail`.
fn listed(cx: &mut Ctx<'_>, a: &[Term], m: Term, what: Listed, tail: Term) -> BifResult {
    if let Some((keys, values)) = map::small_parts(m) {
        let heap = cx.heap();
        let pairs = keys.iter().zip(values).rev();
        return Ok(pairs.fold(tail, |tail, (&k, &v)| {
            let item = what.of((k, v), heap);
            heap.cons(item, tail)
        }));
    }
    if may_list_at_once(cx, m) {
        return Ok(listed_at_once(cx, m, what, tail));
    }
    let work = ToList {
        what,
        pairs: map::iter(m),
        reversed: lists_are_reversed(m),
        items: Pile::default(),
        list: tail,
    };
    work::start(cx, a, work)
}

fn keys(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = need_map(cx, a[0])?;
    listed(cx, a, m, Listed::Keys, Term::NIL)
}

fn values(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = need_map(cx, a[0])?;
    listed(cx, a, m, Listed::Values, Term::NIL)
}

struct Merging(map::Merge);

impl Work for Merging {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        Ok(self.0.go_on(cx.heap(), budget))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.0.visit_roots(visit);
    }
}

fn merge(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let x = need_map(cx, a[0])?;
    let y = need_map(cx, a[1])?;
    if let (Some((kx, _)), Some((ky, _))) = (map::small_parts(x), map::small_parts(y)) {
        if x == y || kx.is_empty() {
            return Ok(y);
        }
        if ky.is_empty() {
            return Ok(x);
        }
        cx.bump((kx.len() + ky.len()) / work::UNITS);
        return Ok(map::merge_flat(cx.heap(), x, y));
    }
    work::start(cx, a, Merging(map::Merge::new(x, y)))
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
    if chain
        && place == Term::small(0)
        && let Some((keys, values)) = map::small_parts(m)
    {
        let pairs = keys.iter().zip(values).rev();
        let heap = cx.heap();
        return Ok(pairs.fold(Atom::NONE.into(), |rest, (&k, &v)| {
            heap.tuple(&[k, v, rest])
        }));
    }
    if !chain && place == Term::small(0) && (!lists_are_reversed(m) || may_list_at_once(cx, m)) {
        return listed(cx, a, m, Listed::Pairs, how);
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
    cx.bump(pairs.len() * PAIR / work::UNITS);
    let next = it.place();
    let heap = cx.heap();
    let next = next.map(|p| heap.int128(p as i128));
    if chain {
        let end = next.map_or(Atom::NONE.into(), |p| heap.cons(p, m));
        return Ok(heap.chain(&pairs, end));
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
    Ok(heap.chain(&pairs, end))
}

// ---- representation ----

fn map_to_tuple_keys(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    map::key_tuple(need_map(cx, a[0])?).ok_or_else(badarg)
}

/// The children of a large map's uppermost node: pairs, and nodes as tuples of what is below them.
fn map_hashmap_children(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let m = need_map(cx, a[0])?;
    if !m.is_kind(Kind::HashMap) {
        return Err(badarg());
    }
    cx.bump(map::size(m));
    let top = map::nodes_as_tuples(cx.heap(), m);
    let children = top.as_tuple().map_or(&[][..], |t| t);
    Ok(cx.heap().list(children))
}
