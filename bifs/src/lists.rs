//! The module `lists`, as far as it is built in.

use crate::bifs;
use enigma_runtime::data::compare;
use enigma_runtime::work::{self, Budget, Step, Work};
use enigma_runtime::{Atom, BifResult, Ctx, Term, badarg};
use std::task::Poll;

bifs! { BIFS:
    "lists" {
        "member"/2 Steps => member, pure BOOLEAN;
        "reverse"/2 Steps => reverse, pure ANY;
        "keyfind"/3 Steps => keyfind, pure TUPLE | BOOLEAN;
        "keymember"/3 Steps => keymember, pure BOOLEAN;
        "keysearch"/3 Steps => keysearch, pure TUPLE | BOOLEAN;
    }
}

/// What is left of a list that is gone through.
struct Rest(Term);

impl Rest {
    /// The first element that `is_it`, of as many as the budget allows. `Pending` where it may still come, `None`
    /// where the list has ended without one.
    #[inline]
    fn find(
        &mut self,
        budget: &mut Budget,
        mut is_it: impl FnMut(Term) -> bool,
    ) -> Step<Option<Term>> {
        let mut rest = self.0;
        for seen in 0..budget.left() {
            let Some((head, tail)) = rest.as_cons() else {
                budget.spend(seen);
                return match rest {
                    Term::NIL => Ok(Poll::Ready(None)),
                    _ => Err(badarg()),
                };
            };
            if is_it(head) {
                budget.spend(seen + 1);
                return Ok(Poll::Ready(Some(head)));
            }
            rest = tail;
        }
        budget.spend(budget.left());
        self.0 = rest;
        Ok(Poll::Pending)
    }
}

/// Elements that are looked at without asking how much is left of the time slice.
const AT_ONCE: usize = 2 * work::UNITS;

/// The same among the first few elements only.
#[inline(always)]
fn find_near(
    cx: &mut Ctx<'_>,
    rest: &mut Rest,
    is_it: impl FnMut(Term) -> bool,
) -> Step<Option<Term>> {
    if !work::at_once(AT_ONCE) {
        return Ok(Poll::Pending);
    }
    let found = rest.find(&mut Budget::of(AT_ONCE), is_it)?;
    if found.is_pending() {
        cx.bump(AT_ONCE / work::UNITS);
    }
    Ok(found)
}

/// Is it equal to nothing but its own word?
#[inline(always)]
fn is_word(t: Term) -> bool {
    t.is_immediate() && !t.is_flonum()
}

struct Member(Rest);

impl Work for Member {
    fn step(&mut self, _: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let wanted = a[0];
        // Most values that are searched for are their own words.
        let found = if is_word(wanted) {
            self.0.find(budget, |e| e == wanted)?
        } else {
            self.0.find(budget, |e| compare::exact_eq(e, wanted))?
        };
        Ok(found.map(|f| Term::bool(f.is_some())))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.0.0));
    }
}

fn member(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let (wanted, mut rest) = (a[0], Rest(a[1]));
    if is_word(wanted)
        && let Poll::Ready(found) = find_near(cx, &mut rest, |e| e == wanted)?
    {
        return Ok(Term::bool(found.is_some()));
    }
    work::start(cx, a, Member(rest))
}

struct Reverse {
    rest: Term,
    out: Term,
}

impl Work for Reverse {
    #[inline]
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        let heap = cx.heap();
        let (out, rest, n) = heap.reverse_before(self.rest, budget.left(), self.out);
        budget.spend(n);
        (self.out, self.rest) = (out, rest);
        if self.rest.is_cons() {
            Ok(Poll::Pending)
        } else if self.rest.is_nil() {
            Ok(Poll::Ready(self.out))
        } else {
            Err(badarg())
        }
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.rest));
        visit(std::slice::from_mut(&mut self.out));
    }
}

fn reverse(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let work = Reverse {
        rest: a[0],
        out: a[1],
    };
    work::start(cx, a, work)
}

/// Looks for the first tuple of a list whose element at a position equals a key.
struct KeySearch {
    rest: Rest,
    /// The position, from zero.
    at: usize,
    /// What the BIF gives for what was found.
    answer: fn(&mut Ctx<'_>, Option<Term>) -> Term,
}

impl KeySearch {
    /// The element of a tuple that is compared.
    #[inline(always)]
    fn element(t: Term, at: usize) -> Option<Term> {
        t.as_tuple()?.get(at).copied()
    }
}

/// May it equal a number of the other kind, or is it more than a word?
#[inline(always)]
fn is_compared(key: Term) -> bool {
    !is_word(key) || key.is_small()
}

impl Work for KeySearch {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let (key, at) = (a[0], self.at);
        let found = if is_compared(key) {
            self.rest.find(budget, |e| {
                KeySearch::element(e, at).is_some_and(|k| compare::eq(k, key))
            })?
        } else {
            self.rest
                .find(budget, |e| KeySearch::element(e, at) == Some(key))?
        };
        Ok(found.map(|f| (self.answer)(cx, f)))
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.rest.0));
    }
}

fn search(
    cx: &mut Ctx<'_>,
    a: &[Term],
    answer: fn(&mut Ctx<'_>, Option<Term>) -> Term,
) -> BifResult {
    let at = a[1].as_usize().filter(|&n| n > 0).ok_or_else(badarg)? - 1;
    let (key, mut rest) = (a[0], Rest(a[2]));
    let near = if key.is_small() {
        // Only a float may be equal to it besides.
        let is_it = |k: Term| k == key || !is_word(k) && compare::eq(k, key);
        let is_it = |e| KeySearch::element(e, at).is_some_and(is_it);
        find_near(cx, &mut rest, is_it)?
    } else if !is_compared(key) {
        let is_it = |e| KeySearch::element(e, at) == Some(key);
        find_near(cx, &mut rest, is_it)?
    } else {
        Poll::Pending
    };
    if let Poll::Ready(found) = near {
        return Ok(answer(cx, found));
    }
    work::start(cx, a, KeySearch { rest, at, answer })
}

fn keyfind(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    search(cx, a, |_, found| found.unwrap_or(Atom::FALSE.into()))
}

fn keymember(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    search(cx, a, |_, found| Term::bool(found.is_some()))
}

fn keysearch(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    search(cx, a, |cx, found| match found {
        Some(t) => cx.tuple2(Atom::VALUE, t),
        None => Atom::FALSE.into(),
    })
}
