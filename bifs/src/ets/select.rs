//! `select`, `match` and their relatives.
//!
//! Before a table is traversed, the heads of the match specification are looked at: where all of them
//! name their keys, only these are looked up; in an ordered set a head whose key is known in part bounds
//! the range that is traversed.
//!
//! Continuations have the shapes that `ets:repair_continuation/2` knows:
//! `{Table, Place, Limit, CompiledSpec, Rest, RestLength}` for sets and bags, and
//! `{Table, LastKey, KeyPattern, Limit, CompiledSpec, Rest, Reverse, RestLength}` for ordered sets.

use super::matching::{reference_to, shared};
use super::{Need, cause, end_of_table, table};
use enigma_runtime::bif::Ctx;
use enigma_runtime::data::compare;
use enigma_runtime::ets::hash::Fate;
use enigma_runtime::ets::object::Obj;
use enigma_runtime::ets::registry::Found;
use enigma_runtime::ets::{Cursor, Go, Kind, Range, Table};
use enigma_runtime::heap::copy;
use enigma_runtime::match_spec::{
    self, Dialect, Gives, Machine, NoActions, Program, Shared, SpecError, Subject,
};
use enigma_runtime::term::list;
use enigma_runtime::{Atom, BifResult, Exit, Term, badarg};
use std::cmp::Ordering;

/// What is searched for.
#[derive(Clone, Copy)]
enum Query {
    /// A match specification.
    Spec(Term),
    /// A lone pattern.
    Pattern(Term, Gives),
}

impl Query {
    fn program(self) -> Result<Program, Exit> {
        let p = match self {
            Query::Spec(t) => Program::compile(t, Dialect::Table),
            Query::Pattern(t, gives) => Program::compile_pattern(t, gives),
        };
        p.map_err(|_: SpecError| badarg())
    }

    fn shared(self) -> Result<Shared, Exit> {
        let p = match self {
            Query::Spec(t) => Shared::compile(t, Dialect::Table),
            Query::Pattern(t, gives) => Shared::compile_pattern(t, gives),
        };
        p.map_err(|_: SpecError| badarg())
    }

    /// The heads of the clauses.
    fn heads(self) -> Vec<Term> {
        match self {
            Query::Spec(t) => list::iter(t)
                .filter_map(|c| c.as_tuple().and_then(|c| c.first().copied()))
                .collect(),
            Query::Pattern(t, _) => vec![t],
        }
    }
}

/// Which keys have to be looked at.
enum Plan {
    All,
    /// Only these.
    Keys(Vec<Term>),
    /// Those that may match this pattern of a key, in an ordered set.
    Like(Term),
}

fn plan(t: &Table, q: Query) -> Plan {
    let heads = q.heads();
    let mut keys: Vec<Term> = Vec::new();
    for &h in &heads {
        if is_open(h) {
            return Plan::All;
        }
        // A head that is too small matches nothing.
        let Some(key) = t.key_of(h) else { continue };
        if match_spec::is_bound(key) {
            if !keys.iter().any(|&k| compare::exact_eq(k, key)) {
                keys.push(key);
            }
        } else if heads.len() == 1 && t.kind == Kind::OrderedSet && !is_open(key) {
            return Plan::Like(key);
        } else {
            return Plan::All;
        }
    }
    if keys.len() > 1 && t.kind == Kind::OrderedSet {
        // In order, and keys that are `==` only once.
        keys.sort_by(|&a, &b| compare::compare(a, b));
        keys.dedup_by(|a, b| compare::eq(*a, *b));
    }
    Plan::Keys(keys)
}

fn is_open(t: Term) -> bool {
    t == Term::from(Atom::UNDERSCORE) || match_spec::variable(t).is_some()
}

/// Compares the known part of a pattern with a key: how the keys that the pattern may match lie to this
/// one. `None` where the pattern leaves it open.
fn compare_known(pattern: Term, key: Term) -> Option<Ordering> {
    let (mut p, mut k) = (pattern, key);
    loop {
        if is_open(p) {
            return None;
        }
        if p.is_cons() && k.is_cons() {
            match compare_known(p.head(), k.head())? {
                Ordering::Equal => (p, k) = (p.tail(), k.tail()),
                o => return Some(o),
            }
            continue;
        }
        if let (Some(x), Some(y)) = (p.as_tuple(), k.as_tuple()) {
            if x.len() != y.len() {
                return Some(x.len().cmp(&y.len()));
            }
            for (&x, &y) in x.iter().zip(y) {
                match compare_known(x, y)? {
                    Ordering::Equal => {}
                    o => return Some(o),
                }
            }
            return Some(Ordering::Equal);
        }
        if p.is_map() && k.is_map() {
            return None;
        }
        // Of different types, or without parts: what is inside does not count.
        return Some(compare::compare(p, k));
    }
}

/// Traverses what the plan says.
fn traverse(t: &Table, plan: &Plan, reverse: bool, f: &mut dyn FnMut(Obj) -> Go) {
    let mut keep = |k: Term| k;
    match plan {
        Plan::All => {
            t.scan(t.start(), reverse, None, &mut keep, f);
        }
        Plan::Like(p) => {
            with_range(*p, |r| {
                t.scan(t.start(), reverse, Some(r), &mut keep, f);
            });
        }
        Plan::Keys(keys) => {
            let mut each = |k: Term| t.with_objects(k, |o| if o.is_some() { f(o) } else { Go::On });
            if reverse {
                let _ = keys.iter().rev().all(|&k| each(k) == Go::On);
            } else {
                let _ = keys.iter().all(|&k| each(k) == Go::On);
            }
        }
    }
}

fn with_range<R>(pattern: Term, f: impl FnOnce(&Range<'_>) -> R) -> R {
    f(&Range {
        below: &|k| compare_known(pattern, k) == Some(Ordering::Greater),
        above: &|k| compare_known(pattern, k) == Some(Ordering::Less),
    })
}

fn edit(t: &Table, plan: &Plan, f: &mut dyn FnMut(Obj) -> Fate) {
    match plan {
        Plan::All => t.edit_all(None, f),
        Plan::Like(p) => with_range(*p, |r| t.edit_all(Some(r), f)),
        Plan::Keys(keys) => keys.iter().for_each(|&k| t.edit_key(k, f)),
    }
}

/// All results in a list. `reverse` gives descending order in an ordered set.
fn all(cx: &mut Ctx<'_>, t: &Table, q: Query, reverse: bool) -> BifResult {
    let program = q.program()?;
    let plan = plan(t, q);
    let mut machine = Machine::default();
    let mut results = Term::NIL;
    let mut seen = 0;
    // The list grows at its front, so an ordered set is traversed against the wanted order.
    let ordered = t.kind == Kind::OrderedSet;
    traverse(t, &plan, ordered && !reverse, &mut |first| {
        for o in first.chain() {
            seen += 1;
            if let Some(r) =
                machine.run(&program, cx, o.root(), Subject::TableObject, &mut NoActions)
            {
                results = cx.heap().cons(r, results);
            }
        }
        Go::On
    });
    cx.bump(seen / 4);
    Ok(results)
}

pub(super) fn select2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    all(cx, &t, Query::Spec(a[1]), false)
}

pub(super) fn select_reverse2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    all(cx, &t, Query::Spec(a[1]), true)
}

pub(super) fn match2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    all(cx, &t, Query::Pattern(a[1], Gives::Bindings), false)
}

pub(super) fn match_object2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    all(cx, &t, Query::Pattern(a[1], Gives::Object), false)
}

fn limited(cx: &mut Ctx<'_>, a: &[Term], q: Query, reverse: bool) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    let limit = a[2].as_usize().filter(|&n| n > 0).ok_or_else(badarg)?;
    let plan = plan(&t, q);
    let shared = q.shared()?;
    match plan {
        Plan::Keys(_) => {
            let r = all(cx, &t, q, reverse)?;
            Ok(if r.is_nil() {
                end_of_table()
            } else {
                cx.tuple2(r, end_of_table())
            })
        }
        Plan::All | Plan::Like(_) => {
            let spec = reference_to(shared, cx.heap());
            let pattern = if let Plan::Like(p) = plan {
                p
            } else {
                Term::NIL
            };
            chunk(
                cx,
                &t,
                &Part {
                    table: a[0],
                    from: t.start(),
                    limit,
                    spec,
                    pattern,
                    reverse,
                },
                Vec::new(),
            )
        }
    }
}

pub(super) fn select3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    limited(cx, a, Query::Spec(a[1]), false)
}

pub(super) fn select_reverse3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    limited(cx, a, Query::Spec(a[1]), true)
}

pub(super) fn match3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    limited(cx, a, Query::Pattern(a[1], Gives::Bindings), false)
}

pub(super) fn match_object3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    limited(cx, a, Query::Pattern(a[1], Gives::Object), false)
}

/// A traversal in parts.
struct Part {
    /// The table as the caller named it.
    table: Term,
    from: Cursor,
    limit: usize,
    /// Reference to the compiled specification.
    spec: Term,
    /// Pattern of the keys that count, or `[]`.
    pattern: Term,
    reverse: bool,
}

/// The next `limit` results, of which `results` are there already, and a continuation.
fn chunk(cx: &mut Ctx<'_>, t: &Found<'_>, part: &Part, mut results: Vec<Term>) -> BifResult {
    let program = shared(part.spec).ok_or_else(badarg)?.program();
    let mut machine = Machine::default();
    let mut seen = 0;
    let next = if results.len() >= part.limit {
        Some(part.from)
    } else {
        let mut keys = enigma_runtime::Heap::new();
        let mut keep = |k: Term| copy::copy_whole(k, &mut keys);
        let mut each = |first: Obj| {
            for o in first.chain() {
                seen += 1;
                let r = machine.run(program, cx, o.root(), Subject::TableObject, &mut NoActions);
                results.extend(r);
            }
            if results.len() >= part.limit {
                Go::Stop
            } else {
                Go::On
            }
        };
        let next = if part.pattern.is_nil() {
            t.scan(part.from, part.reverse, None, &mut keep, &mut each)
        } else {
            with_range(part.pattern, |r| {
                t.scan(part.from, part.reverse, Some(r), &mut keep, &mut each)
            })
        };
        // The key goes to the process's heap before its copy goes away.
        match next {
            Some(Cursor::Tree(Some(k))) => Some(Cursor::Tree(Some(copy::copy(k, cx.heap())))),
            other => other,
        }
    };
    cx.bump(seen / 4);
    if results.is_empty() {
        return Ok(end_of_table());
    }
    let heap = cx.heap();
    let rest = results.split_off(results.len().min(part.limit));
    // As a list that grew at its front, except where the order of keys counts.
    if t.kind != Kind::OrderedSet {
        results.reverse();
    }
    let list = heap.list(&results);
    let count = Term::small(rest.len() as i64);
    let left = heap.list(&rest);
    let limit = Term::small(part.limit as i64);
    let at = match next {
        Some(c) => c,
        None if rest.is_empty() => return Ok(cx.tuple2(list, end_of_table())),
        None => Cursor::Hash(END_SHARD, 0),
    };
    let continuation = match at {
        Cursor::Hash(shard, place) => {
            let place = place.min(MAX_PLACE);
            let slot = Term::small(((shard as i64) << PLACE_BITS) | place as i64);
            heap.tuple(&[part.table, slot, limit, part.spec, left, count])
        }
        Cursor::Tree(key) => {
            let key = key.unwrap_or(Term::NIL);
            let reverse = Term::small(i64::from(part.reverse));
            heap.tuple(&[
                part.table,
                key,
                part.pattern,
                limit,
                part.spec,
                left,
                reverse,
                count,
            ])
        }
    };
    Ok(cx.tuple2(list, continuation))
}

const PLACE_BITS: u32 = 40;
const MAX_PLACE: usize = (1 << PLACE_BITS) - 1;
/// A shard that no table has: nothing but the rest is left.
const END_SHARD: usize = 1 << 16;

pub(super) fn continued(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0] == end_of_table() {
        return Ok(a[0]);
    }
    let parts = a[0].as_tuple().ok_or_else(badarg)?;
    if let Some(&at) = parts.first() {
        // What is wrong with the table is told first.
        table(cx, at, Need::Read)?;
    }
    let (part, left) = match *parts {
        [table, slot, limit, spec, left, _] => {
            let slot = slot.as_usize().ok_or_else(badarg)?;
            let from = Cursor::Hash(slot >> PLACE_BITS, slot & MAX_PLACE);
            let limit = limit.as_usize().filter(|&n| n > 0).ok_or_else(badarg)?;
            (
                Part {
                    table,
                    from,
                    limit,
                    spec,
                    pattern: Term::NIL,
                    reverse: false,
                },
                left,
            )
        }
        [table, key, pattern, limit, spec, left, reverse, _] => {
            let limit = limit.as_usize().filter(|&n| n > 0).ok_or_else(badarg)?;
            let reverse = reverse.as_small().ok_or_else(badarg)? != 0;
            (
                Part {
                    table,
                    from: Cursor::Tree(Some(key)),
                    limit,
                    spec,
                    pattern,
                    reverse,
                },
                left,
            )
        }
        _ => return Err(badarg()),
    };
    if shared(part.spec).is_none() {
        return Err(badarg());
    }
    let left = list::to_vec(left).ok_or_else(badarg)?;
    let t = table(cx, part.table, Need::Read)?;
    if matches!(part.from, Cursor::Tree(_)) != (t.kind == Kind::OrderedSet) {
        return Err(badarg());
    }
    chunk(cx, &t, &part, left)
}

pub(super) fn select_count(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    let q = Query::Spec(a[1]);
    let program = q.program()?;
    let plan = plan(&t, q);
    let mut machine = Machine::default();
    let (mut count, mut seen) = (0u64, 0);
    traverse(&t, &plan, false, &mut |first| {
        for o in first.chain() {
            seen += 1;
            let r = machine.run(&program, cx, o.root(), Subject::TableObject, &mut NoActions);
            count += u64::from(r == Some(Term::bool(true)));
        }
        Go::On
    });
    cx.bump(seen / 4);
    Ok(cx.heap().uint(count))
}

pub(super) fn select_delete(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    let q = Query::Spec(a[1]);
    let program = q.program()?;
    let plan = plan(&t, q);
    let mut machine = Machine::default();
    let (mut count, mut seen) = (0u64, 0);
    edit(&t, &plan, &mut |o| {
        seen += 1;
        let r = machine.run(&program, cx, o.root(), Subject::TableObject, &mut NoActions);
        if r == Some(Term::bool(true)) {
            count += 1;
            Fate::Delete
        } else {
            Fate::Keep
        }
    });
    cx.bump(seen / 4);
    Ok(cx.heap().uint(count))
}

pub(super) fn select_replace(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    if t.kind == Kind::Bag {
        return Err(cause("table_type"));
    }
    let q = Query::Spec(a[1]);
    let program = q.program()?;
    for c in list::iter(a[1]) {
        let &[head, _, body] = c.as_tuple_n::<3>().ok_or_else(badarg)?;
        if !keeps_key(t.keypos, head, body) {
            return Err(badarg());
        }
    }
    let plan = plan(&t, q);
    let mut machine = Machine::default();
    let (mut count, mut seen) = (0u64, 0);
    edit(&t, &plan, &mut |o| {
        seen += 1;
        let r = machine.run(&program, cx, o.root(), Subject::TableObject, &mut NoActions);
        match r {
            Some(new)
                if t.key_of(new)
                    .is_some_and(|k| compare::exact_eq(k, o.element(t.keypos))) =>
            {
                count += 1;
                Fate::Replace(Obj::new(new))
            }
            _ => Fate::Keep,
        }
    });
    cx.bump(seen / 4);
    Ok(cx.heap().uint(count))
}

/// Is it plain from a clause that the object it makes has the key of the object that it matched?
fn keeps_key(keypos: usize, head: Term, body: Term) -> bool {
    let Some(&[only]) = list::to_vec(body).as_deref() else {
        return false;
    };
    if only == Term::from(Atom::DOLLAR_UNDERSCORE) {
        return true;
    }
    let element = |t: Term| t.as_tuple().and_then(|e| e.get(keypos - 1).copied());
    let Some(key) = element(head) else {
        return false;
    };
    let (made, constant) = match only.as_tuple() {
        Some(&[name, value]) if name == Term::from(Atom::CONST) => (value, true),
        Some(&[tuple]) => (tuple, false),
        _ => return false,
    };
    let Some(new) = element(made) else {
        return false;
    };
    if same_key(key, new, constant) {
        return true;
    }
    !constant
        && matches!(new.as_tuple(), Some(&[name, pos, of])
            if name == Term::from(Atom::ELEMENT)
                && pos == Term::small(keypos as i64)
                && of == Term::from(Atom::DOLLAR_UNDERSCORE))
}

/// Does an expression give what a pattern has matched?
fn same_key(pattern: Term, expression: Term, constant: bool) -> bool {
    if pattern == Term::from(Atom::UNDERSCORE) {
        return false;
    }
    if match_spec::variable(pattern).is_some() {
        return !constant && pattern == expression;
    }
    if let Some((h, t)) = pattern.as_cons() {
        return expression
            .as_cons()
            .is_some_and(|(x, y)| same_key(h, x, constant) && same_key(t, y, constant));
    }
    if let Some(parts) = pattern.as_tuple() {
        let made = match expression.as_tuple() {
            Some(&[name, value]) if !constant && name == Term::from(Atom::CONST) => {
                return same_key(pattern, value, true);
            }
            Some(&[inner]) if !constant => inner.as_tuple(),
            Some(e) if constant => Some(e),
            _ => None,
        };
        return made.is_some_and(|e| {
            e.len() == parts.len() && parts.iter().zip(e).all(|(&p, &x)| same_key(p, x, constant))
        });
    }
    if !constant
        && let Some(&[name, value]) = expression.as_tuple_n::<2>()
        && name == Term::from(Atom::CONST)
    {
        return compare::exact_eq(pattern, value);
    }
    !pattern.is_map() && compare::exact_eq(pattern, expression)
}
