//! Work of a BIF that grows with its arguments, done in steps.
//!
//! A BIF of kind `Steps` describes its work as a value of `Work`. `start` does as much of it as the time
//! slice allows. What is not finished then is put away in the process and the BIF leaves with
//! `Exit::Yield`: the calling instruction is executed again in a later time slice, with the same arguments,
//! and finds the work (`resume`). In between the process may be collected, so a work shows the collector
//! the terms that it holds, and killed, so a work owns whatever else it holds.
//!
//! Where a caller cannot wait (`Ctx::whole`: a match specification, a dirty pool), all is done at once.

pub use crate::budget::{BYTES, Budget, UNITS, at_once, set_stress};
pub use crate::pile::Pile;

use crate::bif::{BifResult, Ctx, Exit};
use crate::budget::is_stressed;
use crate::process::Unfinished;
use crate::term::Term;
use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

/// What a step gives: a value at the end, or nothing yet, or the way out of the BIF.
pub type Step<T = Term> = Result<Poll<T>, Exit>;

/// See the module's text.
pub trait Work: Send {
    /// Goes on, with the arguments that the BIF was called with, until all is done or the budget, which is at
    /// least one unit, is spent. It makes progress each time.
    fn step(&mut self, cx: &mut Ctx<'_>, args: &[Term], budget: &mut Budget) -> Step;

    /// Shows all terms that are held between two steps. Whatever moves terms meanwhile calls this.
    fn visit_roots(&mut self, _visit: &mut dyn FnMut(&mut [Term])) {}
}

/// Most units of one step where nobody waits for the BIF's process, to keep sums small.
const WHOLE: usize = 1 << 40;

#[inline]
fn budget(cx: &Ctx<'_>) -> usize {
    if is_stressed() {
        1
    } else if cx.whole {
        WHOLE
    } else {
        cx.reds_left().max(1) as usize * UNITS
    }
}

/// Begins a work; what the BIF gives.
#[inline]
pub fn start<W: Work + 'static>(cx: &mut Ctx<'_>, args: &[Term], mut work: W) -> BifResult {
    match go_on(cx, args, &mut work)? {
        Poll::Ready(v) => Ok(v),
        Poll::Pending => {
            cx.own.keep_work(Box::new(Kept(Box::new(work))));
            Err(Exit::Yield)
        }
    }
}

/// Most units of one step of a kind of work, which tests set to see it in many steps.
pub struct LoopLimit(AtomicUsize);

impl LoopLimit {
    /// None, told as this number.
    pub const fn none(shown: usize) -> LoopLimit {
        LoopLimit(AtomicUsize::new(NO_LIMIT | shown))
    }

    /// Sets it; `None` and zero stand for none, told as `shown`. Gives what was told before.
    pub fn set(&self, limit: Option<usize>, shown: usize) -> usize {
        let new = match limit {
            None | Some(0) => NO_LIMIT | shown,
            Some(n) => n & !NO_LIMIT,
        };
        self.0.swap(new, Ordering::Relaxed) & !NO_LIMIT
    }

    /// Most units of a step, if there is a limit.
    #[inline]
    pub fn units(&self) -> Option<usize> {
        let n = self.0.load(Ordering::Relaxed);
        (n & NO_LIMIT == 0).then_some(n)
    }
}

/// Marks a number that is told as a limit and is none.
const NO_LIMIT: usize = 1 << 63;

/// A work with a limit of its own on each step.
struct Limited<W> {
    work: W,
    units: usize,
}

impl<W: Work> Work for Limited<W> {
    fn step(&mut self, cx: &mut Ctx<'_>, args: &[Term], budget: &mut Budget) -> Step {
        let units = self.units.min(budget.left());
        let mut part = Budget::of(units);
        let step = self.work.step(cx, args, &mut part);
        budget.spend(units - part.left());
        step
    }

    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.work.visit_roots(visit);
    }
}

/// As `start`, within a limit.
pub fn start_within<W: Work + 'static>(
    cx: &mut Ctx<'_>,
    args: &[Term],
    work: W,
    limit: &LoopLimit,
) -> BifResult {
    match limit.units() {
        None => start(cx, args, work),
        Some(units) => start(cx, args, Limited { work, units }),
    }
}

/// A work that a process keeps.
struct Kept(Box<dyn Work>);

impl Unfinished for Kept {
    fn visit_roots(&mut self, visit: &mut dyn FnMut(&mut [Term])) {
        self.0.visit_roots(visit);
    }
}

/// Goes on with the work that was put away by an earlier call of the same BIF; nothing if there is none.
#[inline]
pub fn resume(cx: &mut Ctx<'_>, args: &[Term]) -> Option<BifResult> {
    cx.own.has_work().then(|| resumed(cx, args))
}

#[cold]
#[inline(never)]
fn resumed(cx: &mut Ctx<'_>, args: &[Term]) -> BifResult {
    let work = cx.own.take_work();
    let work = work.map(|w| -> Box<dyn Any> { w });
    let Some(Ok(mut work)) = work.map(|w| w.downcast::<Kept>()) else {
        crate::bug::vm_bug("a process keeps work of another kind");
    };
    match go_on(cx, args, &mut *work.0)? {
        Poll::Ready(v) => Ok(v),
        Poll::Pending => {
            cx.own.keep_work(work);
            Err(Exit::Yield)
        }
    }
}

#[inline]
fn go_on<W: Work + ?Sized>(cx: &mut Ctx<'_>, args: &[Term], work: &mut W) -> Step {
    loop {
        let units = budget(cx);
        let mut b = Budget::of(units);
        let step = work.step(cx, args, &mut b)?;
        cx.bump((units - b.left()) / UNITS);
        if step.is_ready() || !cx.whole {
            return Ok(step);
        }
    }
}
