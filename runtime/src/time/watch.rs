//! Processes that monitor the time offset (`erlang:monitor(time_offset, clock_service)`).

use crate::atom::Atom;
use crate::heap::copy;
use crate::process::handle::build;
use crate::process::relations::MonitorTarget;
use crate::process::signal::{self, Signal};
use crate::term::Term;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Packed pids by the number of the monitor's reference.
static WATCHERS: Mutex<BTreeMap<u64, u64>> = Mutex::new(BTreeMap::new());

/// Process `pid` monitors the offset from now on.
pub fn add(reference: u64, pid: u64) {
    WATCHERS.lock().insert(reference, pid);
}

/// The monitor is gone.
pub fn remove(reference: u64) {
    WATCHERS.lock().remove(&reference);
}

/// Tells all who monitor the offset that it has changed.
pub fn changed(offset: i64) {
    let all: Vec<(u64, u64)> = WATCHERS.lock().iter().map(|(&r, &p)| (r, p)).collect();
    for (reference, pid) in all {
        signal::send(
            pid,
            Signal::Task(Box::new(move |cx| {
                if let Some(cx) = cx {
                    tell(cx, reference, offset);
                }
            })),
        );
    }
}

fn tell(cx: &mut crate::process::context::Ctx<'_>, reference: u64, offset: i64) {
    let me = cx.proc.id;
    let Some(m) = cx.own.relations.get().outgoing.get(&reference) else {
        return;
    };
    if !matches!(m.target, MonitorTarget::TimeOffset) {
        return;
    }
    let message = build(|h| {
        let tag = m
            .tag
            .as_ref()
            .map_or(Term::atom(Atom::TIME_CHANGE), |t| copy::copy(t.term(), h));
        let parts = [
            tag,
            h.reference(reference, if m.alias { me } else { 0 }),
            Atom::TIME_OFFSET.into(),
            Atom::CLOCK_SERVICE.into(),
            h.int(offset),
        ];
        h.tuple(&parts)
    });
    cx.own.mailbox.push(message);
}
