//! `suspend_process` and `resume_process`: one process keeps another one from running.
//!
//! The one that suspends counts its calls for each process; the one that is suspended knows by whom. Two signals
//! make a suspension: the first, handled anywhere, lets the process go on no further than to its next function
//! entry; the second, handled when it stands still, is answered, and turns outstanding calls into active ones.
//! When either process ends it tells the other.

use super::context::Ctx;
use super::signal::{self, Signal, Task};
use super::{Owned, Process, handle};
use crate::atom::Atom;
use crate::heap::copy;
use crate::heap::literal::OwnedTerm;
use crate::sched;
use crate::term::Term;

/// The calls by which a process suspends another one.
#[derive(Clone, Copy, Debug)]
pub struct Suspends {
    /// Packed pid of the other one.
    pub process: u64,
    /// How many count.
    pub active: usize,
    /// How many are on the way.
    pub outstanding: usize,
}

/// The calls by which the process suspends `other`, if it does.
pub fn calls(own: &mut Owned, other: u64) -> Option<&mut Suspends> {
    let all = &mut own.rare_if_any()?.suspends;
    all.iter_mut().find(|s| s.process == other)
}

fn forget(own: &mut Owned, other: u64) {
    if let Some(r) = own.rare_if_any() {
        r.suspends.retain(|s| s.process != other);
    }
}

/// Suspends `other`, which is not this process. `tag`: a message with this tag tells when that has happened.
pub fn suspend(cx: &mut Ctx<'_>, other: u64, tag: Option<Term>) {
    let me = cx.proc.id;
    let tag = tag.map(OwnedTerm::new);
    let known = match calls(cx.own, other) {
        Some(s) if s.active > 0 => {
            s.active += 1;
            return tell(me, tag.as_ref(), Atom::SUSPENDED);
        }
        Some(s) => {
            s.outstanding += 1;
            true
        }
        None => {
            cx.own.rare().suspends.push(Suspends {
                process: other,
                active: 0,
                outstanding: 1,
            });
            false
        }
    };
    super::table::with(other, |p| sched::raise(p, cx.proc.state.priority()));
    if !known {
        let stop: Task = Box::new(move |process| {
            if let Some(o) = process {
                hold(o, me);
            }
        });
        if signal::send_task(other, stop).is_err() {
            forget(cx.own, other);
            return tell(me, tag.as_ref(), Atom::BADARG);
        }
    }
    let answer = Answer { me, other, tag };
    signal::request(other, answer.into_task(), Signal::SystemTask);
}

/// Keeps the process from going on beyond the next function entry, for `by`.
pub fn hold(cx: &mut Ctx<'_>, by: u64) {
    cx.own.rare().suspended_by.push(by);
    cx.proc.state.set_suspended(true);
    cx.end_slice();
}

/// Lets a process go on, as far as `by` is concerned. `false` if it is gone.
pub fn release(process: u64, by: u64) -> bool {
    let task: Task = Box::new(move |process| {
        if let Some(cx) = process {
            cx.own.rare().suspended_by.retain(|&s| s != by);
            cx.proc.state.set_suspended(cx.own.is_suspended());
        }
    });
    signal::send_task(process, task).is_ok()
}

/// Takes back one call of `suspend`. `false` if there is none.
pub fn resume(cx: &mut Ctx<'_>, other: u64) -> bool {
    let Some(s) = calls(cx.own, other) else {
        return false;
    };
    if s.outstanding > 0 {
        s.outstanding -= 1;
    } else {
        s.active -= 1;
    }
    if s.active + s.outstanding == 0 {
        forget(cx.own, other);
        return release(other, cx.proc.id);
    }
    true
}

/// A process ends: whom it has suspended goes on, and who has suspended it knows.
pub fn end(p: &Process, own: &mut Owned) {
    let me = p.id;
    let Some(rare) = own.rare_if_any() else {
        return;
    };
    for s in std::mem::take(&mut rare.suspends) {
        release(s.process, me);
    }
    for by in std::mem::take(&mut rare.suspended_by) {
        tell_gone(by, me);
    }
}

/// Tells a process that one that it suspends is gone.
fn tell_gone(to: u64, who: u64) {
    let task: Task = Box::new(move |process| {
        if let Some(cx) = process {
            forget(cx.own, who);
        }
    });
    // Nobody else need know.
    drop(signal::send_task(to, task));
}

fn tell(to: u64, tag: Option<&OwnedTerm>, status: Atom) {
    if let Some(tag) = tag {
        let message = handle::build(|h| {
            let t = copy::copy(tag.term(), h);
            h.tuple(&[t, status.into()])
        });
        signal::send(to, Signal::Message(message));
    }
}

/// What the suspended process does when it stands still.
struct Answer {
    me: u64,
    other: u64,
    tag: Option<OwnedTerm>,
}

impl Answer {
    fn into_task(self) -> Task {
        Box::new(move |process| self.give(process))
    }

    fn give(self, process: Option<&mut Ctx<'_>>) {
        let Answer { me, other, .. } = self;
        let Some(cx) = process else {
            tell_gone(me, other);
            return tell(me, self.tag.as_ref(), Atom::EXITED);
        };
        // What a call in a pool does is still done by the process.
        if cx.proc.state.is_dirty() {
            return cx.own.put_off(self.into_task());
        }
        let task: Task = Box::new(move |process| {
            if let Some(s) = process.and_then(|cx| calls(cx.own, other)) {
                s.active += std::mem::take(&mut s.outstanding);
            }
        });
        // Who is gone suspends nobody.
        drop(signal::send_task(me, task));
        tell(me, self.tag.as_ref(), Atom::SUSPENDED);
    }
}
