//! Who is told that there is input, or a signal that concerns the terminal.

use crate::terminal;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::handle;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::{Ctx, Term};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;

/// Who waits for what on the side of input.
#[derive(Default)]
pub struct Input {
    typed: Mutex<Option<Wanted>>,
    changed: Condvar,
    started: Mutex<bool>,
    signals: Mutex<Signals>,
}

#[derive(Default)]
struct Signals {
    arrived: VecDeque<&'static str>,
    wanted: Option<Wanted>,
}

/// A message for a process.
pub struct Wanted {
    process: u64,
    message: OwnedTerm,
}

impl Wanted {
    /// `{select, Resource, Reference, ready_input}` for the running process.
    pub fn new(cx: &Ctx<'_>, resource: Term, reference: Term) -> Wanted {
        let message = handle::build(|h| {
            let (r, f) = (copy::copy(resource, h), copy::copy(reference, h));
            h.tuple(&[
                Atom::new("select").into(),
                r,
                f,
                Atom::new("ready_input").into(),
            ])
        });
        Wanted {
            process: cx.proc.id,
            message,
        }
    }

    fn send(self) {
        signal::send(self.process, Signal::Message(self.message));
    }
}

impl Input {
    /// This is to be sent when something is typed.
    pub fn want(&self, wanted: Wanted) {
        *self.typed.lock() = Some(wanted);
        self.changed.notify_one();
    }

    /// This is to be sent when a signal has arrived.
    pub fn want_signal(&self, wanted: Wanted) {
        let mut s = self.signals.lock();
        s.wanted = Some(wanted);
        s.announce();
    }

    /// A signal has arrived.
    pub fn signal(&self, name: &'static str) {
        let mut s = self.signals.lock();
        s.arrived.push_back(name);
        s.announce();
    }

    /// The oldest signal that was not asked for yet.
    pub fn next_signal(&self) -> Option<&'static str> {
        self.signals.lock().arrived.pop_front()
    }

    /// Nobody is to be told of anything any more.
    pub fn forget(&self) {
        *self.typed.lock() = None;
        self.signals.lock().wanted = None;
    }

    /// Has `start` start the thread that watches, the first time. `false` if it cannot.
    pub fn start_once(&self, start: impl FnOnce() -> bool) -> bool {
        let mut started = self.started.lock();
        *started = *started || start();
        *started
    }

    /// Announces what is typed, for as long as the VM runs.
    pub fn watch(&self) {
        loop {
            let mut wanted = self.typed.lock();
            while wanted.is_none() {
                self.changed.wait(&mut wanted);
            }
            drop(wanted);
            if terminal::input::wait(libc::STDIN_FILENO)
                && let Some(w) = self.typed.lock().take()
            {
                w.send();
            }
        }
    }
}

impl Signals {
    fn announce(&mut self) {
        if !self.arrived.is_empty()
            && let Some(w) = self.wanted.take()
        {
            w.send();
        }
    }
}
