//! Bitstrings to lists, and in two.

use crate::bifs;
use enigma_runtime::heap::bits::{self, View};
use enigma_runtime::work::{self, Budget, Step, Work};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, release};
use std::task::Poll;

bifs! { BIFS:
    "erlang" {
        "bitstring_to_list"/1 Steps => bitstring_to_list, pure LIST;
        "binary_to_list"/1 Steps => binary_to_list, pure LIST;
        "binary_to_list"/3 Steps => binary_to_list3, pure LIST;
        "split_binary"/2 Call => split_binary, pure TUPLE;
    }
}

/// Puts the bytes of the bitstring in the first argument before a tail, the last one first.
struct ToList {
    /// The first byte, and how many are left.
    from: usize,
    left: usize,
    out: Term,
}

impl Work for ToList {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let n = budget.grant(self.left);
        let rest = self.left - n;
        let v = bits::view(a[0]).part(8 * (self.from + rest), 8 * n);
        self.out = cx.heap().byte_list_with_tail(&v.to_bytes(), self.out);
        self.left = rest;
        Ok(if rest == 0 {
            Poll::Ready(self.out)
        } else {
            Poll::Pending
        })
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.out));
    }
}

fn bitstring_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_bitstring() {
        return Err(badarg());
    }
    let v = bits::view(a[0]);
    let whole = v.bits & !7;
    let out = if whole == v.bits {
        Term::NIL
    } else {
        let rest = bits::copy_out(&v.part(whole, v.bits - whole), cx.heap());
        cx.heap().cons(rest, Term::NIL)
    };
    let work = ToList {
        from: 0,
        left: whole / 8,
        out,
    };
    work::start(cx, a, work)
}

fn binary_view(t: Term) -> Result<View, Exit> {
    if t.is_binary() {
        Ok(bits::view(t))
    } else {
        Err(badarg())
    }
}

fn binary_to_list(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let work = ToList {
        from: 0,
        left: binary_view(a[0])?.bits / 8,
        out: Term::NIL,
    };
    work::start(cx, a, work)
}

fn binary_to_list3(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let v = if release::parts_of_bitstrings() && a[0].is_bitstring() {
        bits::view(a[0])
    } else {
        binary_view(a[0])?
    };
    let (from, to) = a[1].as_usize().zip(a[2].as_usize()).ok_or_else(badarg)?;
    if from < 1 || to < from || to > v.bits / 8 {
        return Err(badarg());
    }
    let work = ToList {
        from: from - 1,
        left: to - from + 1,
        out: Term::NIL,
    };
    work::start(cx, a, work)
}

fn split_binary(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[0].is_bitstring() {
        return Err(badarg());
    }
    let v = bits::view(a[0]);
    let at = a[1]
        .as_usize()
        .filter(|&n| n <= v.bits / 8)
        .ok_or_else(badarg)?
        * 8;
    let left = bits::share(&v.part(0, at), cx.heap());
    let right = bits::share(&v.part(at, v.bits - at), cx.heap());
    Ok(cx.tuple2(left, right))
}
