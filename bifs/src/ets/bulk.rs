//! Putting lists of objects in, and emptying tables: work that grows with the number of objects.

use super::access::{Need, cause, may, open_table, table};
use enigma_runtime::atom::Atom;
use enigma_runtime::bif::Ctx;
use enigma_runtime::ets::batch::{BatchOutcome, Loose};
use enigma_runtime::ets::debris::Debris;
use enigma_runtime::ets::{Table, TableKind, registry};
use enigma_runtime::heap::object::Obj;
use enigma_runtime::term::list;
use enigma_runtime::work::{self, Budget, Step, Work};
use enigma_runtime::{BifResult, Exit, Term, badarg, release};
use std::sync::Arc;
use std::task::Poll;

/// So many objects are put in at once; more are made ready one after the other, and put in when all are.
const FEW: usize = 1000;
/// Units of work that a part of a batch is.
const PART: usize = 10_000;

/// The objects of an argument that is one object or a list of objects, with their keys; nothing if they are many.
fn objects(t: &Table, arg: Term) -> Result<Option<Vec<(Term, Term)>>, Exit> {
    let mut it = list::iter(arg);
    let mut all = Vec::new();
    for o in it.by_ref() {
        if all.len() == FEW || !work::at_once(all.len() / 8) {
            return Ok(None);
        }
        all.push((o, t.key_of(o).ok_or_else(badarg)?));
    }
    if !it.tail().is_nil() {
        return Err(badarg());
    }
    if is_turned_round(t) {
        all.reverse();
    }
    Ok(Some(all))
}

fn is_turned_round(t: &Table) -> bool {
    t.kind == TableKind::Bag && release::lists_enter_bags_reversed()
}

pub(super) fn insert(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[1].is_list() {
        open_table!(t = cx, a[0], Need::Write);
        let key = t.key_of(a[1]).ok_or_else(badarg)?;
        t.insert(a[1], key)?;
        return Ok(Term::bool(true));
    }
    let t = table(cx, a[0], Need::Write)?;
    let Some(all) = objects(&t, a[1])? else {
        return many(cx, a, t.to_arc(), false);
    };
    match all[..] {
        [] => {}
        [(o, key)] => t.insert(o, key)?,
        _ => {
            t.insert_all(&all, false)?;
        }
    }
    cx.bump(all.len());
    Ok(Term::bool(true))
}

pub(super) fn insert_new(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[1].is_list() {
        open_table!(t = cx, a[0], Need::Write);
        let key = t.key_of(a[1]).ok_or_else(badarg)?;
        return Ok(Term::bool(t.insert_new(a[1], key)?));
    }
    let t = table(cx, a[0], Need::Write)?;
    let Some(all) = objects(&t, a[1])? else {
        return many(cx, a, t.to_arc(), true);
    };
    let done = t.insert_all(&all, true)?;
    cx.bump(all.len());
    Ok(Term::bool(done))
}

fn many(cx: &mut Ctx<'_>, a: &[Term], t: Option<Arc<Table>>, only_new: bool) -> BifResult {
    let work = Insert {
        table: t.ok_or_else(|| cause("id"))?,
        rest: a[1],
        loose: Loose::default(),
        only_new,
        outcome: None,
    };
    work::start(cx, a, work)
}

/// Puts a long list in.
struct Insert {
    table: Arc<Table>,
    /// Of the list, what is to be made ready yet.
    rest: Term,
    loose: Loose,
    only_new: bool,
    outcome: Option<Arc<BatchOutcome>>,
}

impl Work for Insert {
    fn step(&mut self, cx: &mut Ctx<'_>, a: &[Term], budget: &mut Budget) -> Step {
        let t = &self.table;
        let mut it = list::iter(self.rest);
        while !budget.is_spent()
            && let Some(o) = it.next()
        {
            t.key_of(o).ok_or_else(badarg)?;
            let o = Obj::new(o);
            budget.spend(8 + o.words() / 4);
            self.loose.push(o);
        }
        self.rest = it.tail();
        if self.rest.is_cons() {
            return Ok(Poll::Pending);
        }
        if !self.rest.is_nil() {
            return Err(badarg());
        }
        if self.outcome.is_none() {
            if t.is_deleted() || a[0].as_atom().is_some_and(|name| t.name() != name) {
                return Err(cause("id"));
            }
            if !may(cx, t, Need::Write) {
                return Err(cause("access"));
            }
            if is_turned_round(t) {
                self.loose.reverse();
            }
            match t.begin_insert(&mut self.loose, self.only_new) {
                Ok(outcome) => self.outcome = Some(outcome),
                Err(_) => {
                    if is_turned_round(t) {
                        self.loose.reverse();
                    }
                    return Ok(Poll::Pending);
                }
            }
        }
        wait_for(t, self.outcome.as_deref(), budget)
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        visit(std::slice::from_mut(&mut self.rest));
    }
}

/// Works on a batch until it has ended.
fn wait_for(t: &Table, outcome: Option<&BatchOutcome>, budget: &mut Budget) -> Step {
    loop {
        if let Some(done) = outcome.and_then(BatchOutcome::get) {
            return Ok(Poll::Ready(Term::bool(done)));
        }
        if t.is_deleted() {
            return Err(cause("id"));
        }
        if budget.is_spent() {
            return Ok(Poll::Pending);
        }
        t.help();
        budget.spend(PART);
    }
}

/// Makes all objects of a fixed table dead.
struct Kill {
    table: Arc<Table>,
    outcome: Option<Arc<BatchOutcome>>,
    count: usize,
}

impl Work for Kill {
    fn step(&mut self, _: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        if self.outcome.is_none() {
            self.count = self.table.len();
            match self.table.begin_kill() {
                Ok(outcome) => self.outcome = Some(outcome),
                Err(_) => return Ok(Poll::Pending),
            }
        }
        let done = wait_for(&self.table, self.outcome.as_deref(), budget)?;
        Ok(done.map(|_| Term::small(self.count as i64)))
    }
}

/// Frees what was in a table.
struct Free {
    debris: Debris,
    /// What the BIF gives.
    value: Term,
}

impl Work for Free {
    fn step(&mut self, _: &mut Ctx<'_>, _: &[Term], budget: &mut Budget) -> Step {
        // An object is about six units.
        let left = self.debris.free(1 + budget.left() / 6);
        budget.spend(budget.left().saturating_sub(left * 6));
        if self.debris.is_gone() {
            return Ok(Poll::Ready(self.value));
        }
        Ok(Poll::Pending)
    }
}

/// `internal_delete_all(Table, undefined)`: the number of objects that there were.
pub(super) fn delete_all(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    if t.is_fixed() && t.kind != TableKind::OrderedSet {
        let work = Kill {
            table: t.to_arc().ok_or_else(|| cause("id"))?,
            outcome: None,
            count: 0,
        };
        return work::start(cx, a, work);
    }
    let (n, debris) = t.clear()?;
    let value = Term::small(n as i64);
    work::start(cx, a, Free { debris, value })
}

pub(super) fn delete_table(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = table(cx, a[0], Need::Write)?;
    let Some(debris) = registry::delete(&t) else {
        return Err(cause("id"));
    };
    let value = Term::from(Atom::TRUE);
    work::start(cx, a, Free { debris, value })
}
