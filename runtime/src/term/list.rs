//! Walking lists.

use super::Term;

/// The elements of a list; stops at a tail that is no cell, which `tail` then gives.
#[derive(Clone, Copy)]
pub struct ListIter(Term);

impl ListIter {
    /// What is left: `[]` after a proper list.
    #[inline(always)]
    pub fn tail(&self) -> Term {
        self.0
    }
}

impl Iterator for ListIter {
    type Item = Term;

    #[inline(always)]
    fn next(&mut self) -> Option<Term> {
        if self.0.is_cons() {
            let h = self.0.head();
            self.0 = self.0.tail();
            Some(h)
        } else {
            None
        }
    }
}

/// Walks a list.
#[inline]
pub fn iter(t: Term) -> ListIter {
    ListIter(t)
}

/// Walks over so many cells, or as many as there are: gives how many, and what follows them.
#[inline]
pub fn walk(t: Term, most: usize) -> (usize, Term) {
    let (mut rest, mut n) = (t, 0);
    while n < most
        && let Some((_, tail)) = rest.as_cons()
    {
        rest = tail;
        n += 1;
    }
    (n, rest)
}

/// What follows the first `n` cells, or the end of a list that has fewer.
pub fn skip(t: Term, n: usize) -> Term {
    walk(t, n).1
}

/// The elements of a proper list.
pub fn to_vec(t: Term) -> Option<Vec<Term>> {
    let mut it = iter(t);
    let v: Vec<Term> = it.by_ref().collect();
    if it.tail().is_nil() { Some(v) } else { None }
}

/// The number of elements of a proper list.
pub fn length(t: Term) -> Option<usize> {
    let (n, end) = walk(t, usize::MAX);
    end.is_nil().then_some(n)
}

/// The bytes of a proper list of integers 0 to 255.
pub fn to_bytes(t: Term) -> Option<Vec<u8>> {
    let mut it = iter(t);
    let mut out = Vec::new();
    for e in it.by_ref() {
        out.push(u8::try_from(e.as_small()?).ok()?);
    }
    if it.tail().is_nil() { Some(out) } else { None }
}

/// The text of a proper list of code points.
pub fn to_string(t: Term) -> Option<String> {
    let mut it = iter(t);
    let mut out = String::new();
    for e in it.by_ref() {
        out.push(char::from_u32(u32::try_from(e.as_small()?).ok()?)?);
    }
    if it.tail().is_nil() { Some(out) } else { None }
}
