//! Lists as wholes: `++`, `--`, `length/1`, and tuples from and to lists.

use super::term::MAX_TUPLE;
use crate::bifs;
use enigma_runtime::data::{compare, hash};
use enigma_runtime::heap::TupleBuilder;
use enigma_runtime::term::list;
use enigma_runtime::work::{self, Budget, Pile, Step, Work};
use enigma_runtime::{BifResult, Ctx, Term, badarg};
use std::task::Poll;

bifs! { BIFS:
    "erlang" {
        "length"/1 GuardSteps => length, pure SMALL;
        "++"/2 Steps => append, pure ANY;
        "append"/2 Steps => append, pure ANY;
        "--"/2 Steps => subtract, pure LIST;
        "subtract"/2 Steps => subtract, pure LIST;
        "tuple_to_list"/1 Steps => tuple_to_list, pure LIST;
        "list_to_tuple"/1 Steps => list_to_tuple, pure TUPLE;
    }
}

/// Elements that are cheap to count beforehand.
const SHORT: usize = 256;

/// The number of elements of a proper list that has fewer than `SHORT`.
#[inline]
fn short_length(t: Term) -> Option<usize> {
    if !work::at_once(SHORT) {
        return None;
    }
    let (n, rest) = list::walk(t, SHORT);
    rest.is_nil().then_some(n)
}

// ---- length ----

struct Length {
    rest: Term,
    n: usize,
}

impl Work for Length {
    #[inline]
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        // A cell that is only looked at costs less than a unit.
        let (n, rest) = list::walk(self.rest, budget.left().saturating_mul(2));
        budget.spend(n / 2 + 1);
        self.n += n;
        self.rest = rest;
        if self.rest.is_cons() {
            Ok(Poll::Pending)
        } else if self.rest.is_nil() {
            Ok(Poll::Ready(cx.heap().uint(self.n as u64)))
        } else {
            Err(badarg())
        }
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.rest));
    }
}

fn length(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    work::start(cx, a, Length { rest: a[0], n: 0 })
}

// ---- before a tail ----

/// Takes elements of a list, then puts them before a tail, the last one first: a cell never points to a younger
/// one, as the collector wants it.
struct Gather {
    rest: Term,
    items: Pile<Term>,
}

impl Gather {
    fn new(rest: Term) -> Gather {
        Gather {
            rest,
            items: Pile::default(),
        }
    }

    /// Takes elements until the list ends, which it must do in `[]`.
    fn take(&mut self, budget: &mut Budget) -> Step<()> {
        let n = budget.left();
        let mut it = list::iter(self.rest);
        let taken = it.by_ref().take(n).map(|e| self.items.push(e)).count();
        budget.spend(taken);
        self.rest = it.tail();
        if self.rest.is_cons() {
            Ok(Poll::Pending)
        } else if self.rest.is_nil() {
            Ok(Poll::Ready(()))
        } else {
            Err(badarg())
        }
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.rest));
        self.items.segments().for_each(visit);
    }
}

/// Puts the last of the items before `tail`, as many as the budget allows.
pub fn put_before(
    cx: &mut Ctx<'_>,
    items: &mut Pile<Term>,
    tail: &mut Term,
    budget: &mut Budget,
) -> Poll<Term> {
    while !items.is_empty() {
        let some = items.top(budget.left());
        if some.is_empty() {
            return Poll::Pending;
        }
        *tail = cx.heap().list_with_tail(some, *tail);
        let n = budget.grant(some.len());
        items.drop_top(n);
    }
    Poll::Ready(*tail)
}

struct Append {
    left: Gather,
    /// What is done of the result, once all elements were taken.
    out: Option<Term>,
}

impl Work for Append {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        if self.out.is_none() {
            if self.left.take(budget)?.is_pending() {
                return Ok(Poll::Pending);
            }
            self.out = Some(a[1]);
        }
        let out = self.out.get_or_insert(a[1]);
        Ok(put_before(cx, &mut self.left.items, out, budget))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.left.visit_roots(visit);
        visit(self.out.as_mut_slice());
    }
}

fn append(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if a[0].is_nil() {
        return Ok(a[1]);
    }
    if !a[0].is_cons() {
        return Err(badarg());
    }
    if work::at_once(SHORT)
        && let Some((list, n)) = cx.heap().short_list_before(a[0], SHORT, a[1])
    {
        cx.bump(n / work::UNITS);
        return Ok(list);
    }
    if let Some(n) = short_length(a[0]) {
        cx.bump(n / work::UNITS);
        return Ok(cx.heap().list_before(a[0], n, a[1]));
    }
    let work = Append {
        left: Gather::new(a[0]),
        out: None,
    };
    work::start(cx, a, work)
}

// ---- without some ----

/// Up to so many elements on the right are searched one by one.
const FEW: usize = 12;

/// A table of the elements that are to go, with how often.
#[derive(Default)]
struct Counts {
    elements: Vec<Term>,
    hashes: Vec<u64>,
    counts: Vec<u32>,
    /// Numbers of elements, from 1, by their hash; the next free place where it is taken.
    places: Vec<u32>,
}

impl Counts {
    /// Makes room for so many.
    fn with_room(n: usize) -> Counts {
        Counts {
            places: vec![0; (2 * n).next_power_of_two()],
            ..Counts::default()
        }
    }

    /// The place of an element, and its number if it is there.
    fn find(&self, t: Term, h: u64) -> (usize, Option<usize>) {
        let mask = self.places.len() - 1;
        let mut at = (h ^ h >> 32) as usize & mask;
        loop {
            match self.places[at] {
                0 => return (at, None),
                n => {
                    let i = n as usize - 1;
                    if self.hashes[i] == h && compare::exact_eq(self.elements[i], t) {
                        return (at, Some(i));
                    }
                }
            }
            at = (at + 1) & mask;
        }
    }

    fn add(&mut self, t: Term) {
        let h = hash::internal(t);
        match self.find(t, h) {
            (_, Some(i)) => self.counts[i] += 1,
            (at, None) => {
                self.elements.push(t);
                self.hashes.push(h);
                self.counts.push(1);
                self.places[at] = self.elements.len() as u32;
            }
        }
    }

    /// Takes one of these away; is there one?
    fn remove(&mut self, t: Term) -> bool {
        match self.find(t, hash::internal(t)).1 {
            Some(i) if self.counts[i] > 0 => {
                self.counts[i] -= 1;
                true
            }
            _ => false,
        }
    }
}

/// How far a subtraction is.
enum Stage {
    /// Taking the elements on the right.
    Gather,
    /// Counting them.
    Count,
    /// Going through the left side.
    Keep,
    /// Building the result.
    Build,
}

struct Subtract {
    stage: Stage,
    gone: Gather,
    /// Elements that are to go, if they are few.
    few: Vec<Term>,
    counts: Counts,
    /// Elements on the right that were not met on the left.
    left: usize,
    /// The rest of the left side, in the end what follows the elements that are kept.
    rest: Term,
    kept: Pile<Term>,
}

/// Units that a look into the table costs.
const LOOK: usize = 6;

impl Subtract {
    /// Is this one of those to go?
    fn goes(&mut self, e: Term) -> bool {
        if !self.counts.places.is_empty() {
            return self.counts.remove(e);
        }
        match self.few.iter().position(|&g| compare::exact_eq(g, e)) {
            Some(i) => {
                // The order of the others is of no importance.
                self.few.swap_remove(i);
                true
            }
            None => false,
        }
    }
}

impl Work for Subtract {
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        loop {
            match self.stage {
                Stage::Gather => {
                    if self.gone.take(budget)?.is_pending() {
                        return Ok(Poll::Pending);
                    }
                    self.left = self.gone.items.len();
                    if self.left > FEW {
                        self.counts = Counts::with_room(self.left);
                        self.stage = Stage::Count;
                    } else {
                        self.few.extend(self.gone.items.top(FEW));
                        self.stage = Stage::Keep;
                    }
                }
                Stage::Count => {
                    while let Some(&mut t) = self.gone.items.last_mut() {
                        if budget.is_spent() {
                            return Ok(Poll::Pending);
                        }
                        self.counts.add(t);
                        budget.spend(LOOK);
                        self.gone.items.drop_top(1);
                    }
                    self.stage = Stage::Keep;
                }
                Stage::Keep => {
                    while self.left > 0
                        && let Some((e, tail)) = self.rest.as_cons()
                    {
                        if budget.is_spent() {
                            return Ok(Poll::Pending);
                        }
                        budget.spend(LOOK);
                        self.rest = tail;
                        if self.goes(e) {
                            self.left -= 1;
                        } else {
                            self.kept.push(e);
                        }
                    }
                    self.stage = Stage::Build;
                }
                Stage::Build => {
                    return Ok(put_before(cx, &mut self.kept, &mut self.rest, budget));
                }
            }
        }
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.gone.visit_roots(visit);
        visit(&mut self.few);
        visit(&mut self.counts.elements);
        visit(std::slice::from_mut(&mut self.rest));
        self.kept.segments().for_each(visit);
    }
}

/// Is the left side a proper list? Then the right side is taken away from it.
struct Checked {
    length: Length,
    then: Option<Subtract>,
}

impl Work for Checked {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        if let Some(subtract) = &mut self.then {
            return subtract.step(cx, a, budget);
        }
        if self.length.step(cx, a, budget)?.is_pending() {
            return Ok(Poll::Pending);
        }
        let subtract = self.then.insert(Subtract {
            stage: Stage::Gather,
            gone: Gather::new(a[1]),
            few: Vec::new(),
            counts: Counts::default(),
            left: 0,
            rest: a[0],
            kept: Pile::default(),
        });
        subtract.step(cx, a, budget)
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.length.visit_roots(visit);
        if let Some(s) = &mut self.then {
            s.visit_roots(visit);
        }
    }
}

/// Takes at most `FEW` elements on the right away from as many on the left; nothing where the lists are longer.
fn subtract_few(cx: &mut Ctx<'_>, a: &[Term]) -> Option<Term> {
    let mut gone = [Term::NIL; FEW];
    let mut kept = [Term::NIL; FEW_KEPT];
    let (mut left, mut n) = (0, 0);
    let mut right = a[1];
    while let Some((e, tail)) = right.as_cons() {
        *gone.get_mut(left)? = e;
        left += 1;
        right = tail;
    }
    if !right.is_nil() || !list::walk(a[0], FEW_KEPT).1.is_nil() || !work::at_once(FEW_KEPT * LOOK)
    {
        return None;
    }
    let mut rest = a[0];
    while left > 0
        && let Some((e, tail)) = rest.as_cons()
    {
        rest = tail;
        match gone[..left].iter().position(|&g| compare::exact_eq(g, e)) {
            Some(i) => {
                left -= 1;
                gone[i] = gone[left];
            }
            None => {
                *kept.get_mut(n)? = e;
                n += 1;
            }
        }
    }
    cx.bump(n * LOOK / work::UNITS);
    Some(cx.heap().list_with_tail(&kept[..n], rest))
}

/// Most elements on the left in `subtract_few`.
const FEW_KEPT: usize = 32;

fn subtract(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if let Some(rest) = subtract_few(cx, a) {
        return Ok(rest);
    }
    let work = Checked {
        length: Length { rest: a[0], n: 0 },
        then: None,
    };
    work::start(cx, a, work)
}

// ---- tuples ----

struct TupleToList {
    /// Elements that are not in the list yet.
    left: usize,
    out: Term,
}

impl Work for TupleToList {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let elements = a[0].as_tuple().ok_or_else(badarg)?;
        let n = budget.grant(self.left);
        let from = self.left - n;
        self.out = cx
            .heap()
            .list_with_tail(&elements[from..self.left], self.out);
        self.left = from;
        Ok(if from == 0 {
            Poll::Ready(self.out)
        } else {
            Poll::Pending
        })
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.out));
    }
}

fn tuple_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let elements = a[0].as_tuple().ok_or_else(badarg)?;
    let left = elements.len();
    if work::at_once(left) {
        cx.bump(left / work::UNITS);
        return Ok(cx.heap().list(elements));
    }
    let work = TupleToList {
        left,
        out: Term::NIL,
    };
    work::start(cx, a, work)
}

struct ListToTuple {
    length: Length,
    rest: Term,
    tuple: Option<TupleBuilder>,
}

impl Work for ListToTuple {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        if self.tuple.is_none() {
            if self.length.step(cx, a, budget)?.is_pending() {
                return Ok(Poll::Pending);
            }
            if self.length.n > MAX_TUPLE {
                return Err(badarg());
            }
        }
        let tuple = self
            .tuple
            .get_or_insert_with(|| TupleBuilder::new(self.length.n));
        let mut it = list::iter(self.rest);
        let n = budget.left();
        let taken = it.by_ref().take(n).inspect(|&e| tuple.push(e)).count();
        budget.spend(taken);
        self.rest = it.tail();
        if self.rest.is_cons() {
            return Ok(Poll::Pending);
        }
        Ok(match self.tuple.take() {
            Some(t) => Poll::Ready(t.finish(cx.heap())),
            None => Poll::Pending,
        })
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.length.visit_roots(visit);
        visit(std::slice::from_mut(&mut self.rest));
        if let Some(t) = &mut self.tuple {
            visit(t.elements());
        }
    }
}

fn list_to_tuple(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if let Some(n) = short_length(a[0]) {
        cx.bump(n / work::UNITS);
        return Ok(cx.heap().tuple_from(n, list::iter(a[0])));
    }
    let work = ListToTuple {
        length: Length { rest: a[0], n: 0 },
        rest: a[0],
        tuple: None,
    };
    work::start(cx, a, work)
}
