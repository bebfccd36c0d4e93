//! `select`, `match` and their relatives.
//!
//! A search through a table is done in steps, and within a step lets others in after each small part. From the first part
//! on the process holds the table fixed where others may write, so that no object is missed or seen twice.
//!
//! Continuations have the shapes that `ets:repair_continuation/2` knows:
//! `{Table, Bucket, Limit, CompiledSpec, Rest, RestLength}` for sets and bags, and
//! `{Table, LastKey, KeyPattern, Limit, CompiledSpec, Rest, Reverse, RestLength}` for ordered sets.

use super::access::{Need, cause, end_of_table, may, table};
use super::matching::{reference_to, shared};
use super::query::{Plan, Query, plan, with_range};
use super::replace::keeps_key;
use enigma_runtime::bif::Ctx;
use enigma_runtime::data::compare;
use enigma_runtime::ets::registry::{self, Found};
use enigma_runtime::ets::{Busy, Fate, Go, Protection, Stopped, Table, TableKind, owners};
use enigma_runtime::heap::copy;
use enigma_runtime::heap::object::Obj;
use enigma_runtime::match_spec::{Gives, Matcher, NoActions, OwnedProgram, Program, Subject};
use enigma_runtime::process::flag;
use enigma_runtime::term::list;
use enigma_runtime::work::{self, Budget, Step, Work};
use enigma_runtime::{BifResult, Term, badarg};
use smallvec::SmallVec;
use std::cell::Cell;
use std::sync::Arc;
use std::task::Poll;

/// Units of work after which others are let in.
const PART: usize = 1 << 13;
/// After so many objects BEAM begins the list of what is beyond the limit anew, which turns it round.
const TURN: usize = 1000;

/// What is done with objects that match.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// Results are collected: as many as there are, or (not 0) so many.
    List(usize),
    Count,
    Delete,
    Replace,
}

impl Goal {
    fn need(self) -> Need {
        match self {
            Goal::List(_) | Goal::Count => Need::Read,
            Goal::Delete | Goal::Replace => Need::Write,
        }
    }

    fn limit(self) -> usize {
        match self {
            Goal::List(n) => n,
            _ => 0,
        }
    }
}

/// A compiled specification: of terms among the arguments, or with a copy of its own.
enum Compiled {
    Arguments(Program),
    Own(Arc<OwnedProgram>),
}

impl Compiled {
    fn program(&self) -> &Program {
        match self {
            Compiled::Arguments(p) => p,
            Compiled::Own(s) => s.program(),
        }
    }
}

/// Where a search stands.
#[derive(Clone, Copy)]
enum At {
    /// Before this bucket; at the end without one.
    Bucket(Option<usize>),
    /// After (or, in reverse, before) this key of an ordered set; before the first without one.
    Key(Option<Term>),
}

struct Search {
    table: Arc<Table>,
    compiled: Compiled,
    /// What it was compiled from, to be found among the arguments.
    query: fn(&[Term]) -> Query,
    goal: Goal,
    at: At,
    /// Of a key in an ordered set; nil without one.
    pattern: Term,
    reverse: bool,
    /// Results, the last one first, and their number, or the number of objects that matched.
    list: Term,
    got: usize,
    /// Objects seen since the beginning or since BEAM would have paused.
    seen: usize,
    /// Would BEAM have paused, or was it called with a continuation?
    resumed: bool,
    /// Does the process hold the table fixed for this search?
    fixed: bool,
    machine: Matcher,
}

/// Looks at an object: the result, if there is one.
fn look(machine: &mut Matcher, program: &Program, cx: &mut Ctx<'_>, o: Obj) -> Option<Term> {
    machine.run(
        program,
        cx,
        o.tuple()?,
        Subject::TableObject,
        &mut NoActions,
    )
}

/// Units of work that an object is.
fn cost(o: Obj) -> usize {
    8 + o.words() / 8
}

impl Search {
    /// May others write to the table between two parts?
    fn is_shared(&self, cx: &Ctx<'_>) -> bool {
        let t = &self.table;
        let alone = t.owner() == cx.proc.id && t.protection() != Protection::Public;
        t.kind != TableKind::OrderedSet && !alone
    }

    fn fate(&self, machine: &mut Matcher, cx: &mut Ctx<'_>, o: Obj, got: &Cell<usize>) -> Fate {
        let r = look(machine, self.compiled.program(), cx, o);
        let fate = match (self.goal, r) {
            (Goal::Delete, Some(r)) if r == Term::bool(true) => Fate::Delete,
            (Goal::Replace, Some(new)) => match self.table.key_of(new) {
                Some(k)
                    if o.get(self.table.keypos)
                        .is_some_and(|old| compare::exact_eq(k, old)) =>
                {
                    Fate::Replace(Obj::new(new))
                }
                _ => Fate::Keep,
            },
            _ => Fate::Keep,
        };
        got.set(got.get() + usize::from(!matches!(fate, Fate::Keep)));
        fate
    }

    /// Looks at objects while units of work are left, in one hold of the table's lock. `true` if the search is over.
    /// `fixed`: is the table fixed for it?
    fn part(&mut self, cx: &mut Ctx<'_>, left: &Cell<usize>, fixed: bool) -> Result<bool, Part> {
        let mut machine = std::mem::take(&mut self.machine);
        let r = match self.at {
            At::Bucket(Some(b)) => self.buckets(&mut machine, cx, b, left, fixed),
            At::Bucket(None) => Ok(true),
            At::Key(after) => self.ordered(&mut machine, cx, after, left),
        };
        self.machine = machine;
        r
    }

    fn collect(
        &self,
        machine: &mut Matcher,
        cx: &mut Ctx<'_>,
        o: Obj,
        list: &mut Term,
        got: &Cell<usize>,
    ) {
        let r = look(machine, self.compiled.program(), cx, o);
        match (self.goal, r) {
            (Goal::Count, r) => got.set(got.get() + usize::from(r == Some(Term::bool(true)))),
            (_, Some(r)) => {
                *list = cx.heap().cons(r, *list);
                got.set(got.get() + 1);
            }
            (_, None) => {}
        }
    }

    fn buckets(
        &mut self,
        machine: &mut Matcher,
        cx: &mut Ctx<'_>,
        from: usize,
        left: &Cell<usize>,
        fixed: bool,
    ) -> Result<bool, Part> {
        let (got, seen, resumed) = (
            Cell::new(self.got),
            Cell::new(self.seen),
            Cell::new(self.resumed),
        );
        let limit = self.goal.limit();
        let enough = || limit > 0 && got.get() >= limit;
        let mut list = self.list;
        let note = |o: Obj| {
            left.set(left.get().saturating_sub(cost(o)));
            seen.set(seen.get() + 1);
        };
        let mut more = || {
            left.set(left.get().saturating_sub(1));
            if enough() {
                return false;
            }
            if seen.get() >= TURN {
                resumed.set(true);
                seen.set(0);
            }
            left.get() > 0
        };
        let stopped = if matches!(self.goal, Goal::Delete | Goal::Replace) {
            let mut judge = |o: Obj| {
                note(o);
                self.fate(machine, cx, o, &got)
            };
            self.table
                .edit_from(from, usize::from(fixed), &mut judge, &mut more)
        } else {
            let mut see = |o: Obj| {
                note(o);
                self.collect(machine, cx, o, &mut list, &got);
            };
            self.table.read_from(from, &mut see, &mut more)
        };
        (self.list, self.got, self.seen, self.resumed) =
            (list, got.get(), seen.get(), resumed.get());
        match stopped {
            Ok(Stopped::End) => {
                self.at = At::Bucket(None);
                Ok(true)
            }
            Ok(Stopped::At(b)) => {
                self.at = At::Bucket(Some(b));
                Ok(limit > 0 && self.got >= limit)
            }
            Ok(Stopped::Nowhere) => Err(Part::Nowhere),
            Err(Busy) => Err(Part::Busy),
        }
    }

    fn ordered(
        &mut self,
        machine: &mut Matcher,
        cx: &mut Ctx<'_>,
        after: Option<Term>,
        left: &Cell<usize>,
    ) -> Result<bool, Part> {
        let got = Cell::new(self.got);
        let limit = self.goal.limit();
        let mut list = self.list;
        let note = |o: Obj| left.set(left.get().saturating_sub(cost(o)));
        let more = || left.get() > 0 && !(limit > 0 && got.get() >= limit);
        let mut kept = enigma_runtime::Heap::new();
        let mut keep = |k: Term| copy::copy(k, &mut kept);
        let (table, reverse) = (&self.table, self.reverse);
        let stopped = with_range(self.pattern, |range| {
            if matches!(self.goal, Goal::Delete | Goal::Replace) {
                let mut judge = |o: Obj| {
                    note(o);
                    self.fate(machine, cx, o, &got)
                };
                table.edit_ordered(after, range, &mut keep, &mut judge, &mut { more })
            } else {
                let mut see = |o: Obj| {
                    note(o);
                    self.collect(machine, cx, o, &mut list, &got);
                    if more() { Go::On } else { Go::Stop }
                };
                table.read_ordered(after, reverse, range, &mut keep, &mut see)
            }
        });
        (self.list, self.got) = (list, got.get());
        match stopped {
            Ok(Some(key)) => {
                self.at = At::Key(Some(copy::copy(key, cx.heap())));
                Ok(limit > 0 && self.got >= limit)
            }
            Ok(None) => {
                self.at = At::Bucket(None);
                Ok(true)
            }
            Err(Busy) => Err(Part::Busy),
        }
    }

    fn go(&mut self, cx: &mut Ctx<'_>, args: &[Term], budget: &mut Budget) -> Step<()> {
        if self.table.is_deleted() {
            return Err(cause("id"));
        }
        if !may(cx, &self.table, self.goal.need()) {
            return Err(cause("access"));
        }
        loop {
            let units = budget.left().min(PART);
            let hold = !self.fixed && self.is_shared(cx);
            if hold {
                self.table.hold();
            }
            let left = Cell::new(units);
            let r = self.part(cx, &left, hold || self.fixed);
            if hold {
                if matches!(r, Ok(false)) {
                    cx.own.set_flag(flag::HAS_RESOURCES, true);
                    owners::fix(&self.table, cx.proc.id);
                    self.fixed = true;
                }
                self.table.let_go();
            }
            match r {
                Ok(true) => {
                    budget.spend(units - left.get());
                    return Ok(Poll::Ready(()));
                }
                Ok(false) => budget.spend(units),
                Err(Part::Nowhere) => return Err(badarg()),
                Err(Part::Busy) => break,
            }
            if budget.is_spent() {
                break;
            }
        }
        if matches!(self.compiled, Compiled::Arguments(_)) {
            let s = (self.query)(args).shared()?;
            self.compiled = Compiled::Own(Arc::new(s));
        }
        Ok(Poll::Pending)
    }

    /// What the BIF gives at the end.
    fn result(&mut self, cx: &mut Ctx<'_>, args: &[Term]) -> BifResult {
        let limit = match self.goal {
            Goal::List(0) => return Ok(self.list),
            Goal::List(n) => n,
            _ => return Ok(Term::small(self.got as i64)),
        };
        if self.table.kind == TableKind::OrderedSet {
            // Put together against the order in which it was found.
            let heap = cx.heap();
            let in_order = list::iter(self.list).fold(Term::NIL, |l, e| heap.cons(e, l));
            self.list = in_order;
        }
        let (mut rest, mut count) = (Term::NIL, 0);
        if self.got > limit {
            count = self.got - limit;
            let heap = cx.heap();
            let beyond: Vec<Term> = list::iter(self.list).take(count).collect();
            self.list = list::skip(self.list, count);
            if self.resumed {
                for &e in &beyond {
                    rest = heap.cons(e, rest);
                }
            } else {
                rest = heap.list(&beyond);
            }
        }
        let over = matches!(self.at, At::Bucket(None));
        if over && rest.is_nil() {
            return Ok(if self.list.is_nil() {
                end_of_table()
            } else {
                cx.tuple2(self.list, end_of_table())
            });
        }
        let spec = match &self.compiled {
            Compiled::Own(s) => s.clone(),
            Compiled::Arguments(_) => Arc::new((self.query)(args).shared()?),
        };
        let heap = cx.heap();
        let spec = reference_to(spec, heap);
        let id = registry::reference_to(&self.table, heap);
        let (limit, count) = (Term::small(limit as i64), Term::small(count as i64));
        let continuation = match self.at {
            At::Bucket(b) => {
                let b = Term::small(b.map_or(-1, |b| b as i64));
                heap.tuple(&[id, b, limit, spec, rest, count])
            }
            At::Key(key) => {
                let key = key.unwrap_or(Term::NIL);
                let reverse = Term::small(i64::from(self.reverse));
                heap.tuple(&[id, key, self.pattern, limit, spec, rest, reverse, count])
            }
        };
        Ok(cx.tuple2(self.list, continuation))
    }
}

/// Why a part of a search did not go on.
enum Part {
    /// The bucket to begin with is not there.
    Nowhere,
    Busy,
}

impl Work for Search {
    fn step(&mut self, cx: &mut Ctx<'_>, args: &[Term], budget: &mut Budget) -> Step {
        let over = match self.go(cx, args, budget) {
            Ok(Poll::Pending) => return Ok(Poll::Pending),
            Ok(Poll::Ready(())) => Ok(()),
            Err(e) => Err(e),
        };
        if self.fixed {
            owners::unfix(&self.table, cx.proc.id);
        }
        over?;
        if self.goal == Goal::Delete && self.got > 0 {
            self.table.shrink();
        }
        self.result(cx, args).map(Poll::Ready)
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.list));
        visit(std::slice::from_mut(&mut self.pattern));
        if let At::Key(Some(key)) = &mut self.at {
            visit(std::slice::from_mut(key));
        }
    }
}

fn search(
    cx: &mut Ctx<'_>,
    a: &[Term],
    t: &Found<'_>,
    query: fn(&[Term]) -> Query,
    goal: Goal,
    reverse: bool,
) -> BifResult {
    let program = query(a).program()?;
    let ordered = t.kind == TableKind::OrderedSet;
    let limit = goal.limit();
    let plan = plan(t, query(a), limit > 0);
    let mut s = Search {
        table: t.to_arc().ok_or_else(|| cause("id"))?,
        compiled: Compiled::Arguments(program),
        query,
        goal,
        at: if ordered {
            At::Key(None)
        } else {
            At::Bucket(Some(0))
        },
        pattern: Term::NIL,
        // A list grows at its front, so a whole one is put together against the wanted order.
        reverse: reverse != (goal == Goal::List(0)),
        list: Term::NIL,
        got: 0,
        seen: 0,
        resumed: false,
        fixed: false,
        machine: Matcher::default(),
    };
    match plan {
        Plan::All => {}
        Plan::Like(p) => s.pattern = p,
        Plan::Keys(keys) => {
            return only_keys(cx, a, &mut s, &keys);
        }
    }
    work::start(cx, a, s)
}

/// A search that has to look at these keys only.
fn only_keys(cx: &mut Ctx<'_>, a: &[Term], s: &mut Search, keys: &[Term]) -> BifResult {
    let mut machine = Matcher::for_short();
    let got = Cell::new(0);
    let mut list = Term::NIL;
    let edits = matches!(s.goal, Goal::Delete | Goal::Replace);
    let t = s.table.clone();
    if t.kind == TableKind::OrderedSet {
        let mut each = |k: Term| {
            if edits {
                t.edit_key(k, &mut |o| s.fate(&mut machine, cx, o, &got))
            } else {
                let mut see = |o: Obj| s.collect(&mut machine, cx, o, &mut list, &got);
                t.with_object(k, |o| {
                    if o.is_some() {
                        see(o);
                    }
                })
            }
        };
        if s.reverse {
            keys.iter().rev().try_for_each(|&k| each(k))?;
        } else {
            keys.iter().try_for_each(|&k| each(k))?;
        }
    } else {
        // All that is in the keys' buckets, in the order of the buckets' keys.
        let mut buckets: SmallVec<[usize; 4]> = SmallVec::new();
        for &k in keys {
            if keys.len() > 1 && !t.with_object(k, Obj::is_some)? {
                continue;
            }
            let b = t.bucket_of(k)?;
            if !buckets.contains(&b) {
                buckets.push(b);
            }
        }
        for b in buckets {
            if edits {
                t.edit_bucket(b, &mut |o| s.fate(&mut machine, cx, o, &got))?;
            } else {
                t.read_bucket(b, &mut |o| {
                    s.collect(&mut machine, cx, o, &mut list, &got);
                })?;
            }
        }
    }
    machine.leave();
    cx.bump(got.get() / 4);
    (s.list, s.got, s.at) = (list, got.get(), At::Bucket(None));
    if s.goal == Goal::Delete && s.got > 0 {
        t.shrink();
    }
    s.result(cx, a)
}

fn spec(a: &[Term]) -> Query {
    Query::Spec(a[1])
}

fn bindings(a: &[Term]) -> Query {
    Query::Pattern(a[1], Gives::Bindings)
}

fn object(a: &[Term]) -> Query {
    Query::Pattern(a[1], Gives::Object)
}

fn all(cx: &mut Ctx<'_>, a: &[Term], query: fn(&[Term]) -> Query, reverse: bool) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    search(cx, a, &t, query, Goal::List(0), reverse)
}

fn limited(cx: &mut Ctx<'_>, a: &[Term], query: fn(&[Term]) -> Query, reverse: bool) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    let limit = a[2].as_usize().filter(|&n| n > 0).ok_or_else(badarg)?;
    search(cx, a, &t, query, Goal::List(limit), reverse)
}

pub(super) fn select2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    all(cx, a, spec, false)
}

pub(super) fn select_reverse2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    all(cx, a, spec, true)
}

pub(super) fn match2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    all(cx, a, bindings, false)
}

pub(super) fn match_object2(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    all(cx, a, object, false)
}

pub(super) fn select3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    limited(cx, a, spec, false)
}

pub(super) fn select_reverse3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    limited(cx, a, spec, true)
}

pub(super) fn match3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    limited(cx, a, bindings, false)
}

pub(super) fn match_object3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    limited(cx, a, object, false)
}

pub(super) fn select_count(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Read)?;
    search(cx, a, &t, spec, Goal::Count, false)
}

pub(super) fn select_delete(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    search(cx, a, &t, spec, Goal::Delete, false)
}

pub(super) fn select_replace(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    if t.kind == TableKind::Bag {
        return Err(cause("table_type"));
    }
    for c in list::iter(a[1]) {
        let &[head, _, body] = c.as_tuple_n::<3>().ok_or_else(badarg)?;
        if !keeps_key(t.keypos, head, body) {
            return Err(badarg());
        }
    }
    search(cx, a, &t, spec, Goal::Replace, false)
}

pub(super) fn continued(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0] == end_of_table() {
        return Ok(a[0]);
    }
    let parts = a[0].as_tuple().ok_or_else(badarg)?;
    let Some(&id) = parts.first() else {
        return Err(badarg());
    };
    // What is wrong with the table is told first.
    let t = table(cx, id, Need::Read)?;
    let (at, pattern, limit, spec, rest, reverse, count) = match *parts {
        [_, bucket, limit, spec, rest, count] if t.kind != TableKind::OrderedSet => {
            let bucket = bucket.as_small().ok_or_else(badarg)?;
            let at = At::Bucket(usize::try_from(bucket).ok());
            (at, Term::NIL, limit, spec, rest, false, count)
        }
        [_, key, pattern, limit, spec, rest, reverse, count] if t.kind == TableKind::OrderedSet => {
            let reverse = reverse.as_small().ok_or_else(badarg)? != 0;
            (
                At::Key(Some(key)),
                pattern,
                limit,
                spec,
                rest,
                reverse,
                count,
            )
        }
        _ => return Err(badarg()),
    };
    // Without a limit all that is left comes, in a list. Only ordered sets want one.
    let least = usize::from(t.kind == TableKind::OrderedSet);
    let limit = limit
        .as_usize()
        .filter(|&n| n >= least)
        .ok_or_else(badarg)?;
    let count = count.as_usize().ok_or_else(badarg)?;
    let spec = shared(spec).ok_or_else(badarg)?;
    // The number must be that of the list, which is taken apart by it.
    if list::to_vec(rest).is_none_or(|l| l.len() != count) {
        return Err(badarg());
    }
    let mut s = Search {
        table: t.to_arc().ok_or_else(|| cause("id"))?,
        compiled: Compiled::Own(spec),
        query: self::spec,
        goal: Goal::List(limit),
        at,
        pattern,
        reverse,
        list: rest,
        got: count,
        seen: 0,
        resumed: true,
        fixed: false,
        machine: Matcher::default(),
    };
    if (limit > 0 && count >= limit) || matches!(at, At::Bucket(None)) {
        return s.result(cx, a);
    }
    work::start(cx, a, s)
}
