//! Work of a BIF that grows with its arguments, done in steps.
//!
//! A BIF of kind `Steps` describes its work as a value of `Work`. `start` does as much of it as the time
//! slice allows. What is not finished then is put away in the process and the BIF leaves with
//! `Exit::Yield`: the calling instruction is executed again in a later time slice, with the same arguments,
//! and finds the work (`resume`). In between the process may be collected, so a work shows the collector
//! the terms that it holds, and killed, so a work owns whatever else it holds.
//!
//! Where a caller cannot wait (`Ctx::whole`: a match specification, a dirty pool), all is done at once.

use crate::bif::{BifResult, Ctx, Exit};
use crate::term::Term;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

/// What one call of `Work::step` may do, in units of about ten nanoseconds: a list cell or so.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

/// Units of work for one reduction.
pub const UNITS: usize = 24;

/// Bytes of simple work (a checksum, a search) for one unit.
pub const BYTES: usize = 32;

impl Budget {
    /// A budget of so many units.
    pub fn of(units: usize) -> Budget {
        Budget { left: units }
    }

    /// Units left. One that asks before it has done anything gets one at least.
    #[inline]
    pub fn left(&self) -> usize {
        self.left
    }

    /// Is nothing left?
    #[inline]
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Uses up some units, or all that are left.
    #[inline]
    pub fn spend(&mut self, units: usize) {
        self.left = self.left.saturating_sub(units);
    }

    /// How many of `count` items may be done now that cost one unit each: as many are spent.
    #[inline]
    pub fn grant(&mut self, count: usize) -> usize {
        let n = count.min(self.left);
        self.left -= n;
        n
    }

    /// How many of `bytes` may be done now; they are spent.
    #[inline]
    pub fn grant_bytes(&mut self, bytes: usize) -> usize {
        let n = bytes.min(self.left.saturating_mul(BYTES));
        self.spend(n.div_ceil(BYTES));
        n
    }
}

/// What a step gives: a value at the end, or nothing yet, or the way out of the BIF.
pub type Step<T = Term> = Result<Poll<T>, Exit>;

/// See the module's text.
pub trait Work: Send {
    /// Goes on, with the arguments that the BIF was called with, until all is done or the budget, which is at
    /// least one unit, is spent. It makes progress each time.
    fn step(&mut self, cx: &mut Ctx<'_>, args: &[Term], budget: &mut Budget) -> Step;

    /// Shows all terms that are held between two steps.
    fn visit_roots(&mut self, _visit: &mut dyn FnMut(&mut [Term])) {}
}

static STRESS: AtomicBool = AtomicBool::new(false);

/// Makes every step one of one unit (a test mode).
pub fn set_stress(on: bool) {
    STRESS.store(on, Ordering::Relaxed);
}

/// May so many units be done at once, without a value of `Work`? Not in the test mode.
#[inline]
pub fn at_once(units: usize) -> bool {
    units <= 256 && !STRESS.load(Ordering::Relaxed)
}

/// Most units of one step where nobody waits for the BIF's process, to keep sums small.
const WHOLE: usize = 1 << 40;

fn budget(cx: &Ctx<'_>) -> usize {
    if STRESS.load(Ordering::Relaxed) {
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
            cx.own.rare().work = Some(Box::new(work));
            Err(Exit::Yield)
        }
    }
}

/// Goes on with the work that was put away by an earlier call of the same BIF; nothing if there is none.
#[inline]
pub fn resume(cx: &mut Ctx<'_>, args: &[Term]) -> Option<BifResult> {
    let work = cx.own.rare_if_any()?.work.take()?;
    Some(resumed(cx, args, work))
}

#[cold]
fn resumed(cx: &mut Ctx<'_>, args: &[Term], mut work: Box<dyn Work>) -> BifResult {
    match go_on(cx, args, &mut *work)? {
        Poll::Ready(v) => Ok(v),
        Poll::Pending => {
            cx.own.rare().work = Some(work);
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
