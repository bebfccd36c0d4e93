//! The module `lists`, as far as it is built in.

use crate::bifs;
use enigma_runtime::data::compare;
use enigma_runtime::term::list;
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

struct Member(Rest);

impl Work for Member {
    #[inline]
    fn step(&mut self, _: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let wanted = a[0];
        // Most values that are searched for are their own words.
        let found = if wanted.is_immediate() && !wanted.is_flonum() {
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
    work::start(cx, a, Member(Rest(a[1])))
}

struct Reverse {
    rest: Term,
    out: Term,
}

impl Work for Reverse {
    #[inline]
    fn step(&mut self, cx: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        let mut it = list::iter(self.rest);
        let heap = cx.heap();
        let limit = budget.left();
        let mut n = 0;
        while n < limit
            && let Some(e) = it.next()
        {
            self.out = heap.cons(e, self.out);
            n += 1;
        }
        budget.spend(n);
        self.rest = it.tail();
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

impl Work for KeySearch {
    #[inline]
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let key = a[0];
        let element = |e: Term| e.as_tuple().and_then(|t| t.get(self.at).copied());
        // Numbers may equal numbers of the other kind; all other immediates are equal only to themselves.
        let found = if key.is_immediate() && !key.is_small() && !key.is_flonum() {
            self.rest.find(budget, |e| element(e) == Some(key))?
        } else {
            self.rest
                .find(budget, |e| element(e).is_some_and(|k| compare::eq(k, key)))?
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
    let work = KeySearch {
        rest: Rest(a[2]),
        at,
        answer,
    };
    work::start(cx, a, work)
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
