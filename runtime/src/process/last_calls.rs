//! What a process has called last, which it keeps while `process_flag(save_calls, N)` is on.
//!
//! Calls that are plain look at nothing but the reductions that are left. While calls are kept there are none to be
//! seen (`Ctx::watch_calls`), so that each call takes its slow way, which writes it down.

use crate::atom::Atom;
use crate::heap::Heap;
use crate::term::Term;
use std::collections::VecDeque;

/// Something that a process has done.
#[derive(Clone, Copy, Debug)]
pub enum LastCall {
    /// It has called this function of a module by its name.
    Function(Atom, Atom, u32),
    /// It has sent a message.
    Send,
    /// It has taken a message.
    Receive,
    /// It has not received one in time.
    Timeout,
}

/// The last calls of a process, the oldest first.
pub struct LastCalls {
    limit: usize,
    calls: VecDeque<LastCall>,
}

impl LastCalls {
    /// The greatest number that may be asked for.
    pub const MOST: usize = 10_000;

    /// Keeps so many, and nothing for 0.
    pub fn of(limit: usize) -> Option<Box<LastCalls>> {
        let calls = VecDeque::new();
        (limit > 0).then(|| Box::new(LastCalls { limit, calls }))
    }

    /// How many are kept.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Writes one down.
    pub fn push(&mut self, call: LastCall) {
        if self.calls.len() == self.limit {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    /// The list of them.
    pub fn to_term(&self, heap: &mut Heap) -> Term {
        let mut list = Term::NIL;
        for &call in self.calls.iter().rev() {
            let call = match call {
                LastCall::Function(m, f, a) => {
                    heap.tuple(&[m.into(), f.into(), Term::small(i64::from(a))])
                }
                LastCall::Send => Atom::SEND_MESSAGE.into(),
                LastCall::Receive => Atom::RECEIVE.into(),
                LastCall::Timeout => Atom::TIMEOUT.into(),
            };
            list = heap.cons(call, list);
        }
        list
    }
}
