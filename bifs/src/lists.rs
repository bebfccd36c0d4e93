//! The module `lists`, as far as it is built in.

use crate::bifs;
use enigma_runtime::data::compare;
use enigma_runtime::term::list;
use enigma_runtime::{Atom, BifResult, Ctx, Exit, Term, badarg};

bifs! { BIFS:
    "lists" {
        "member"/2 Call => member;
        "reverse"/2 Call => reverse;
        "keyfind"/3 Call => keyfind;
        "keymember"/3 Call => keymember;
        "keysearch"/3 Call => keysearch;
    }
}

/// Elements that are looked at for one reduction.
const PER_REDUCTION: usize = 16;

fn member(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let [wanted, all] = [a[0], a[1]];
    let mut it = list::iter(all);
    let mut seen = 0;
    // Most values that are searched for are their own words.
    let found = if wanted.is_immediate() && !wanted.is_flonum() {
        it.by_ref().inspect(|_| seen += 1).any(|e| e == wanted)
    } else {
        it.by_ref()
            .inspect(|_| seen += 1)
            .any(|e| compare::exact_eq(e, wanted))
    };
    cx.bump(seen / PER_REDUCTION);
    if found || it.tail().is_nil() {
        Ok(Term::bool(found))
    } else {
        Err(badarg())
    }
}

fn reverse(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut it = list::iter(a[0]);
    let mut n = 0;
    let heap = cx.heap();
    let mut out = a[1];
    for e in it.by_ref() {
        out = heap.cons(e, out);
        n += 1;
    }
    cx.bump(n / PER_REDUCTION);
    if it.tail().is_nil() {
        Ok(out)
    } else {
        Err(badarg())
    }
}

/// The first tuple of the list whose element at the position equals the key.
fn search(cx: &mut Ctx<'_>, a: &[Term]) -> Result<Option<Term>, Exit> {
    let [key, position, all] = [a[0], a[1], a[2]];
    let at = position.as_usize().filter(|&n| n > 0).ok_or_else(badarg)? - 1;
    let mut it = list::iter(all);
    let mut seen = 0;
    let mut matches = |same: &dyn Fn(Term) -> bool| {
        it.by_ref().inspect(|_| seen += 1).find(|e| {
            e.as_tuple()
                .and_then(|t| t.get(at))
                .is_some_and(|&k| same(k))
        })
    };
    // Numbers may equal numbers of the other kind; all other immediates are equal only to themselves.
    let found = if key.is_immediate() && !key.is_small() && !key.is_flonum() {
        matches(&|k| k == key)
    } else {
        matches(&|k| compare::eq(k, key))
    };
    cx.bump(seen / PER_REDUCTION);
    if found.is_some() || it.tail().is_nil() {
        Ok(found)
    } else {
        Err(badarg())
    }
}

fn keyfind(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(search(cx, a)?.unwrap_or(Atom::FALSE.into()))
}

fn keymember(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(Term::bool(search(cx, a)?.is_some()))
}

fn keysearch(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(match search(cx, a)? {
        Some(t) => cx.tuple2(Atom::VALUE, t),
        None => Atom::FALSE.into(),
    })
}
