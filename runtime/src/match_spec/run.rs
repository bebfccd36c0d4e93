//! The machine that runs programs.

use super::{Arith, Clause, Cmp, HeadOp, MatchAction, Op, Program, Test};
use crate::atom::Atom;
use crate::bif::Ctx;
use crate::data::{arith, compare, map};
use crate::heap::object;
use crate::heap::{Heap, copy};
use crate::term::Term;
use std::cell::Cell;

/// Where the subject of a match lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// In the heap of the process that runs the program.
    Local,
    /// An object in a table: the root of a block of its own.
    TableObject,
}

/// Does what specifications for tracing ask for.
pub trait Actions {
    /// Performs an action; gives its value, or nothing if it fails.
    fn act(&mut self, cx: &mut Ctx<'_>, action: MatchAction, args: &[Term]) -> Option<Term>;
}

/// For tables: no action is possible.
pub struct NoActions;

impl Actions for NoActions {
    fn act(&mut self, _: &mut Ctx<'_>, action: MatchAction, _: &[Term]) -> Option<Term> {
        (action == MatchAction::GetTcw).then_some(Term::small(0))
    }
}

/// Room for so many terms is left to others.
const SPARE_TERMS: usize = 1000;

/// Runs programs; kept between runs for its memory.
#[derive(Default)]
pub struct Matcher {
    todo: Vec<Term>,
    stack: Vec<Term>,
    vars: Vec<Term>,
}

thread_local! {
    /// A matcher that is not in use, for its memory.
    static SPARE: Cell<Option<Matcher>> = const { Cell::new(None) };
}

impl Matcher {
    /// One with the memory that an earlier one of the thread has left, for a single run or a few.
    pub fn for_short() -> Matcher {
        SPARE.take().unwrap_or_default()
    }

    /// Leaves its memory to the next one of the thread.
    pub fn leave(self) {
        if self.todo.capacity() + self.stack.capacity() + self.vars.capacity() <= SPARE_TERMS {
            SPARE.set(Some(self));
        }
    }

    /// The result of the first clause that matches.
    #[inline]
    pub fn run(
        &mut self,
        p: &Program,
        cx: &mut Ctx<'_>,
        subject: Term,
        place: Subject,
        actions: &mut dyn Actions,
    ) -> Option<Term> {
        if self.vars.len() < p.vars {
            self.vars.resize(p.vars, Term::NIL);
        }
        p.clauses
            .iter()
            .find_map(|c| self.clause(p, c, cx, subject, place, actions))
    }

    #[inline]
    fn clause(
        &mut self,
        p: &Program,
        c: &Clause,
        cx: &mut Ctx<'_>,
        subject: Term,
        place: Subject,
        actions: &mut dyn Actions,
    ) -> Option<Term> {
        if !self.head(&c.head, subject) {
            return None;
        }
        let mut run = Run {
            m: self,
            p,
            subject,
            place,
            catch: false,
        };
        if !c.guard.is_empty() {
            run.m.stack.clear();
            run.code(&c.guard, cx, actions)?;
        }
        run.catch = true;
        run.m.stack.clear();
        run.code(&c.body, cx, actions)?;
        run.m.stack.pop()
    }

    #[inline]
    fn head(&mut self, ops: &[HeadOp], subject: Term) -> bool {
        let todo = &mut self.todo;
        todo.clear();
        todo.push(subject);
        for op in ops {
            let Some(t) = todo.pop() else { return false };
            match *op {
                HeadOp::Any => {}
                HeadOp::Bind(v) => self.vars[v as usize] = t,
                HeadOp::Same(v) => {
                    if !compare::exact_eq(self.vars[v as usize], t) {
                        return false;
                    }
                }
                HeadOp::Word(w) => {
                    if t != w {
                        return false;
                    }
                }
                HeadOp::Const(c) => {
                    if !compare::exact_eq(t, c) {
                        return false;
                    }
                }
                HeadOp::Tuple(n) => match t.as_tuple() {
                    Some(e) if e.len() == n as usize => todo.extend(e.iter().rev().copied()),
                    _ => return false,
                },
                HeadOp::Elements(n, ref used) => match t.as_tuple() {
                    Some(e) if e.len() == n as usize => {
                        todo.extend(used.iter().rev().map(|&i| e[i as usize]));
                    }
                    _ => return false,
                },
                HeadOp::Cons => match t.as_cons() {
                    Some((h, tail)) => {
                        todo.push(tail);
                        todo.push(h);
                    }
                    None => return false,
                },
                HeadOp::Map(ref keys) => {
                    if !t.is_map() {
                        return false;
                    }
                    for &k in keys.iter().rev() {
                        match map::get(t, k) {
                            Some(v) => todo.push(v),
                            None => return false,
                        }
                    }
                }
            }
        }
        true
    }
}

struct Run<'a> {
    m: &'a mut Matcher,
    p: &'a Program,
    subject: Term,
    place: Subject,
    /// Does a failing call give `'EXIT'` instead of ending the match?
    catch: bool,
}

impl Run<'_> {
    fn own(&self, t: Term, result: bool, heap: &mut Heap) -> Term {
        if !result || t.is_immediate() || self.place == Subject::Local {
            t
        } else {
            object::copy_part(t, heap)
        }
    }

    /// Takes `n` values off the stack and puts back what `f` makes of them.
    #[inline]
    fn reduce(&mut self, n: usize, f: impl FnOnce(&[Term]) -> Option<Term>) -> Option<()> {
        let at = self.m.stack.len() - n;
        let v = f(&self.m.stack[at..]);
        self.m.stack.truncate(at);
        let v = match v {
            Some(v) => v,
            None if self.catch => Atom::EXIT_SIGNAL.into(),
            None => return None,
        };
        self.m.stack.push(v);
        Some(())
    }

    fn code(&mut self, code: &[Op], cx: &mut Ctx<'_>, actions: &mut dyn Actions) -> Option<()> {
        let mut pc = 0;
        while let Some(op) = code.get(pc) {
            pc += 1;
            match *op {
                Op::Const(t, result) => {
                    let v = if result && self.p.foreign_constants && !t.is_immediate() {
                        copy::copy(t, cx.heap())
                    } else {
                        t
                    };
                    self.m.stack.push(v);
                }
                Op::Var(slot, result) => {
                    let v = self.own(self.m.vars[slot as usize], result, cx.heap());
                    self.m.stack.push(v);
                }
                Op::Object(result) => {
                    let v = match self.place {
                        Subject::TableObject if result => {
                            object::copy_root(self.subject, cx.heap())
                        }
                        _ => self.subject,
                    };
                    self.m.stack.push(v);
                }
                Op::All(ref slots, result) => {
                    let mut all = Term::NIL;
                    for &s in slots.iter().rev() {
                        let v = self.own(self.m.vars[s as usize], result, cx.heap());
                        all = cx.heap().cons(v, all);
                    }
                    self.m.stack.push(all);
                }
                Op::Tuple(n) => self.reduce(n as usize, |e| Some(cx.heap().tuple(e)))?,
                Op::List(n) => self.reduce(n as usize + 1, |e| {
                    Some(cx.heap().list_with_tail(&e[..n as usize], e[n as usize]))
                })?,
                Op::Map(ref keys) => {
                    let n = keys.len();
                    self.reduce(2 * n, |e| {
                        let pairs: Vec<(Term, Term)> =
                            e[..n].iter().copied().zip(e[n..].iter().copied()).collect();
                        Some(map::from_pairs(cx.heap(), &pairs))
                    })?;
                }
                Op::Call(bif) => self.reduce(bif.arity as usize, |a| {
                    let whole = std::mem::replace(&mut cx.whole, true);
                    let v = (bif.run)(cx, a).ok();
                    cx.whole = whole;
                    v
                })?,
                Op::Compare(c) => self.reduce(2, |a| Some(Term::bool(compared(c, a[0], a[1]))))?,
                Op::Test(t) => self.reduce(1, |a| Some(Term::bool(tested(t, a[0]))))?,
                Op::Arith(o) => {
                    let n = if matches!(o, Arith::Bnot | Arith::Neg | Arith::Plus) {
                        1
                    } else {
                        2
                    };
                    self.reduce(n, |a| calculated(cx.heap(), o, a))?;
                }
                Op::Not => self.reduce(1, |a| a[0].as_bool().map(|b| Term::bool(!b)))?,
                Op::Xor => {
                    self.reduce(2, |a| Some(Term::bool(a[0].as_bool()? ^ a[1].as_bool()?)))?
                }
                Op::And(n) => self.reduce(n as usize, |a| fold(a, false))?,
                Op::Or(n) => self.reduce(n as usize, |a| fold(a, true))?,
                Op::AndAlso(end) | Op::OrElse(end) => {
                    let stop = matches!(op, Op::OrElse(_));
                    match self.m.stack.last().and_then(|t| t.as_bool()) {
                        Some(b) if b == stop => pc = end as usize,
                        Some(_) => {
                            self.m.stack.pop();
                        }
                        None => {
                            self.reduce(1, |_| None)?;
                            pc = end as usize;
                        }
                    }
                }
                Op::SelfPid => self.m.stack.push(cx.self_pid()),
                Op::Act(action, n) => self.reduce(n as usize, |a| actions.act(cx, action, a))?,
                Op::Copy => {
                    if let Some(t) = self.m.stack.pop() {
                        let v = if t.is_immediate()
                            || (self.place == Subject::Local && !self.p.foreign_constants)
                        {
                            t
                        } else {
                            object::copy_part(t, cx.heap())
                        };
                        self.m.stack.push(v);
                    }
                }
                Op::Waste => {
                    self.m.stack.pop();
                }
                Op::Check => {
                    if self.m.stack.pop() != Some(Term::bool(true)) {
                        return None;
                    }
                }
            }
        }
        Some(())
    }
}

/// `and` (`found` is `false`) and `or` of any number of booleans.
fn fold(a: &[Term], found: bool) -> Option<Term> {
    let mut out = !found;
    for t in a {
        if t.as_bool()? == found {
            out = found;
        }
    }
    Some(Term::bool(out))
}

fn compared(c: Cmp, a: Term, b: Term) -> bool {
    match c {
        Cmp::Gt => compare::compare(a, b).is_gt(),
        Cmp::Ge => compare::compare(a, b).is_ge(),
        Cmp::Lt => compare::compare(a, b).is_lt(),
        Cmp::Le => compare::compare(a, b).is_le(),
        Cmp::Eq => compare::eq(a, b),
        Cmp::Ne => !compare::eq(a, b),
        Cmp::ExactEq => compare::exact_eq(a, b),
        Cmp::ExactNe => !compare::exact_eq(a, b),
    }
}

fn tested(t: Test, a: Term) -> bool {
    match t {
        Test::Atom => a.is_atom(),
        Test::Float => a.is_float(),
        Test::Integer => a.is_integer(),
        Test::List => a.is_list(),
        Test::Number => a.is_number(),
        Test::Pid => a.is_pid(),
        Test::Port => a.is_port(),
        Test::Reference => a.is_reference(),
        Test::Tuple => a.is_tuple(),
        Test::Map => a.is_map(),
        Test::Binary => a.is_binary(),
        Test::Bitstring => a.is_bitstring(),
        Test::Boolean => a.as_bool().is_some(),
        Test::Function => a.is_function(),
    }
}

fn calculated(heap: &mut Heap, o: Arith, a: &[Term]) -> Option<Term> {
    let r = match o {
        Arith::Add => arith::add(heap, a[0], a[1]),
        Arith::Sub => arith::sub(heap, a[0], a[1]),
        Arith::Mul => arith::mul(heap, a[0], a[1]),
        Arith::Div => arith::div_float(heap, a[0], a[1]),
        Arith::IntDiv => arith::int_div(heap, a[0], a[1]),
        Arith::Rem => arith::int_rem(heap, a[0], a[1]),
        Arith::Band => arith::band(heap, a[0], a[1]),
        Arith::Bor => arith::bor(heap, a[0], a[1]),
        Arith::Bxor => arith::bxor(heap, a[0], a[1]),
        Arith::Bsl => arith::bsl(heap, a[0], a[1]),
        Arith::Bsr => arith::bsr(heap, a[0], a[1]),
        Arith::Bnot => arith::bnot(heap, a[0]),
        Arith::Neg => arith::neg(heap, a[0]),
        Arith::Plus => arith::add(heap, a[0], Term::small(0)),
    };
    r.ok()
}
