//! `update_counter` and `update_element`.

use super::access::{Need, cause, open_table};
use enigma_runtime::bif::{Ctx, system_limit};
use enigma_runtime::data::{arith, bignum};
use enigma_runtime::ets::{Editor, Table, TableKind};
use enigma_runtime::heap::Heap;
use enigma_runtime::term::list;
use enigma_runtime::{BifResult, Exit, Term, badarg, release};

/// The object that is put in where there is none, with its key set to the one looked for.
fn default_object(
    cx: &mut Ctx<'_>,
    t: &Table,
    key: Term,
    arg: Option<&Term>,
) -> Result<Option<Term>, Exit> {
    let Some(&d) = arg else { return Ok(None) };
    let bad = || {
        if release::number() >= 29 {
            cause("default")
        } else {
            badarg()
        }
    };
    let elements = d
        .as_tuple()
        .filter(|e| e.len() >= t.keypos)
        .ok_or_else(bad)?;
    let mut fresh = elements.to_vec();
    fresh[t.keypos - 1] = key;
    Ok(Some(cx.heap().tuple(&fresh)))
}

/// One operation of `update_counter`.
struct Op {
    pos: usize,
    increment: Term,
    /// Threshold and the value to set when it is passed.
    wrap: Option<(Term, Term)>,
}

fn operation(t: Term, e: &Editor, keypos: usize) -> Result<Op, Exit> {
    let parts = t.as_tuple().ok_or_else(badarg)?;
    let (pos, increment, wrap) = match *parts {
        [pos, increment] => (pos, increment, None),
        [pos, increment, threshold, value] => {
            if !threshold.is_integer() || !value.is_integer() {
                return Err(badarg());
            }
            (pos, increment, Some((threshold, value)))
        }
        _ => return Err(badarg()),
    };
    checked(pos, increment, wrap, e, keypos)
}

fn checked(
    pos: Term,
    increment: Term,
    wrap: Option<(Term, Term)>,
    e: &Editor,
    keypos: usize,
) -> Result<Op, Exit> {
    let pos = pos.as_small().ok_or_else(badarg)?;
    if !increment.is_integer() {
        return Err(badarg());
    }
    if pos == keypos as i64 {
        return Err(cause("keypos"));
    }
    let pos = usize::try_from(pos)
        .ok()
        .filter(|&p| p >= 1 && p <= e.arity())
        .ok_or_else(|| position_error(true))?;
    if !e.element(pos).is_integer() {
        return Err(badarg());
    }
    Ok(Op {
        pos,
        increment,
        wrap,
    })
}

/// The position is out of range.
fn position_error(counter: bool) -> Exit {
    if counter || release::number() >= 26 {
        cause("position")
    } else {
        badarg()
    }
}

fn add(heap: &mut Heap, e: &mut Editor, op: &Op) -> Result<Term, Exit> {
    let old = e.element(op.pos);
    let sum = match (old.as_small(), op.increment.as_small()) {
        // Two small integers never overflow a machine word.
        (Some(a), Some(b)) => heap.int(a + b),
        _ => arith::add(heap, old, op.increment).map_err(|_| system_limit())?,
    };
    let value = match op.wrap {
        Some((threshold, to)) => {
            let down = bignum::compare(op.increment, Term::small(0)).is_lt();
            let o = bignum::compare(sum, threshold);
            if if down { o.is_lt() } else { o.is_gt() } {
                to
            } else {
                sum
            }
        }
        None => sum,
    };
    e.set(op.pos, value);
    Ok(value)
}

pub(super) fn update_counter(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    open_table!(t = cx, a[0], Need::Write);
    if !matches!(t.kind, TableKind::Set | TableKind::OrderedSet) {
        return Err(cause("table_type"));
    }
    let default = default_object(cx, t, a[1], a.get(3))?;
    let keypos = t.keypos;
    let heap = cx.heap();
    let mut error = None;
    let outcome = t.update(a[1], default, |e| {
        if let Some(sum) = count_small(e, a[2], keypos) {
            return Some(sum);
        }
        let r = count(heap, e, a[2], keypos);
        r.map_err(|x| error = Some(x)).ok()
    })?;
    match outcome {
        Some(Some(value)) => Ok(value),
        Some(None) => Err(error.unwrap_or_else(badarg)),
        None => Err(cause("badkey")),
    }
}

/// Adds a small integer to another, where the sum is one too. Whatever is unusual is left undone.
#[inline]
fn count_small(e: &mut Editor, what: Term, keypos: usize) -> Option<Term> {
    let (pos, increment) = match what.as_small() {
        Some(n) => (keypos + 1, n),
        None => {
            let &[pos, n] = what.as_tuple_n::<2>()?;
            (pos.as_usize()?, n.as_small()?)
        }
    };
    if pos == 0 || pos == keypos || pos > e.arity() {
        return None;
    }
    let sum = Term::try_small(e.element(pos).as_small()? + increment)?;
    e.set(pos, sum);
    Some(sum)
}

fn count(heap: &mut Heap, e: &mut Editor, what: Term, keypos: usize) -> BifResult {
    if what.is_integer() {
        let op = checked(Term::small(keypos as i64 + 1), what, None, e, keypos)?;
        return add(heap, e, &op);
    }
    if what.is_tuple() {
        let op = operation(what, e, keypos)?;
        return add(heap, e, &op);
    }
    // All operations are checked before the first one is done.
    let all = list::to_vec(what).ok_or_else(badarg)?;
    let ops: Result<Vec<Op>, Exit> = all.into_iter().map(|t| operation(t, e, keypos)).collect();
    let mut values = Vec::new();
    for op in ops? {
        values.push(add(heap, e, &op)?);
    }
    Ok(heap.list(&values))
}

pub(super) fn update_element(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    open_table!(t = cx, a[0], Need::Write);
    if !matches!(t.kind, TableKind::Set | TableKind::OrderedSet) {
        return Err(badarg());
    }
    let default = default_object(cx, t, a[1], a.get(3))?;
    let keypos = t.keypos;
    let mut error = None;
    let outcome = t.update(a[1], default, |e| {
        let one = [a[2]];
        let several;
        let all: &[Term] = if a[2].is_tuple() {
            &one
        } else {
            several = list::to_vec(a[2])?;
            &several
        };
        if let &[one] = all
            && let &[pos, value] = one.as_tuple_n::<2>()?
            && let Some(pos) = pos.as_usize()
            && (1..=e.arity()).contains(&pos)
            && pos != keypos
        {
            e.set(pos, value);
            return Some(());
        }
        let mut changes = Vec::with_capacity(all.len());
        for t in all {
            let &[pos, value] = t.as_tuple_n::<2>()?;
            let pos = pos.as_small()?;
            if pos == keypos as i64 {
                error = Some(cause("keypos"));
                return None;
            }
            match usize::try_from(pos)
                .ok()
                .filter(|&p| p >= 1 && p <= e.arity())
            {
                Some(p) => changes.push((p, value)),
                None => {
                    error = Some(position_error(false));
                    return None;
                }
            }
        }
        for (pos, value) in changes {
            e.set(pos, value);
        }
        Some(())
    })?;
    match outcome {
        Some(Some(())) => Ok(Term::bool(true)),
        Some(None) => Err(error.unwrap_or_else(badarg)),
        None => Ok(Term::bool(false)),
    }
}
