//! `enif_select`: a process gets a message when a descriptor is ready, once.
//!
//! A descriptor belongs to the resource that has asked last; it keeps the resource until the library stops it (`ERL_NIF_SELECT_STOP`).
//! It is in the poller only while a message is wanted, so where the library stops it nobody else uses it, and `stop` is called at
//! once.

use crate::env::OwnEnv;
use crate::poller::Selected;
use crate::resource::Resource;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::io::{Readiness, SourceKind, Waits};
use enigma_runtime::process::handle;
use enigma_runtime::process::signal::{self, Signal};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::os::fd::RawFd;
use std::sync::{Arc, LazyLock};

/// What is sent when the descriptor is ready.
pub enum Message {
    /// `{select, Resource, Reference, ready_input}`, or as it is ready; the reference, or `undefined`.
    Usual(OwnedTerm),
    /// This term.
    Own(OwnedTerm),
}

/// A message that is wanted.
struct Wanted {
    /// Packed pid of the receiver.
    to: u64,
    message: Message,
}

/// A descriptor.
struct Entry {
    resource: Arc<Resource>,
    selected: Selected,
    read: Option<Wanted>,
    write: Option<Wanted>,
    error: Option<Wanted>,
}

impl Entry {
    fn wanted(&self) -> Waits {
        Waits {
            read: self.read.is_some(),
            write: self.write.is_some(),
            priority: self.error.is_some(),
        }
    }

    /// Asks the poller for what is still wanted.
    fn ask_on(&mut self) {
        let wanted = self.wanted();
        if wanted.is_none() || self.selected.ask(wanted).is_err() {
            self.selected.forget();
        }
    }
}

static ENTRIES: LazyLock<Mutex<HashMap<RawFd, Entry>>> = LazyLock::new(Mutex::default);

/// What a descriptor is to be ready for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// To be in error.
    Error,
}

impl Entry {
    fn slot(&mut self, d: Direction) -> &mut Option<Wanted> {
        match d {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
            Direction::Error => &mut self.error,
        }
    }
}

/// Has a message sent when the descriptor is ready in each of the directions, in place of one that was wanted before.
pub fn begin(
    fd: RawFd,
    resource: Arc<Resource>,
    to: u64,
    messages: Vec<(Direction, Message)>,
) -> io::Result<()> {
    let mut entries = ENTRIES.lock();
    let known = entries.remove(&fd);
    let (same, other) = match known {
        Some(e) if Arc::ptr_eq(&e.resource, &resource) => (Some(e), None),
        other => (None, other),
    };
    let mut entry = same.unwrap_or(Entry {
        resource,
        selected: Selected::new(fd, SourceKind::Nif, ready),
        read: None,
        write: None,
        error: None,
    });
    for (d, message) in messages {
        *entry.slot(d) = Some(Wanted { to, message });
    }
    let wanted = entry.wanted();
    let result = entry.selected.ask(wanted);
    let refused = match &result {
        Ok(()) => {
            entries.insert(fd, entry);
            None
        }
        Err(_) => Some(entry),
    };
    // What is given up may end a resource, which calls the library.
    drop(entries);
    drop((other, refused));
    result
}

/// Takes back what was wanted in these directions: in which there was something.
pub fn cancel(fd: RawFd, directions: &[Direction]) -> Vec<Direction> {
    let mut entries = ENTRIES.lock();
    let Some(entry) = entries.get_mut(&fd) else {
        return Vec::new();
    };
    let taken = directions
        .iter()
        .copied()
        .filter(|&d| entry.slot(d).take().is_some());
    let taken: Vec<Direction> = taken.collect();
    entry.ask_on();
    taken
}

/// The library is done with a descriptor, which is given to its function for that. In which directions something was wanted;
/// nothing if the resource's type has no such function.
pub fn stop(fd: RawFd, resource: &Arc<Resource>) -> Option<Vec<Direction>> {
    let (callbacks, library) = resource.kind().callbacks();
    let call = callbacks.stop?;
    let entry = ENTRIES.lock().remove(&fd);
    let mut cancelled = Vec::new();
    if let Some(mut e) = entry {
        e.selected.forget();
        for d in [Direction::Read, Direction::Write, Direction::Error] {
            if e.slot(d).take().is_some() {
                cancelled.push(d);
            }
        }
    }
    let library = library
        .as_ref()
        .map_or(std::ptr::null(), |l| Arc::as_ptr(l.library()));
    let mut env = OwnEnv::new(library);
    call(env.as_ptr(), resource.object(), fd, 1);
    Some(cancelled)
}

/// A descriptor is ready: sends what is wanted for that. For the poller.
fn ready(fd: RawFd, came: Readiness) {
    let mut entries = ENTRIES.lock();
    let Some(entry) = entries.get_mut(&fd) else {
        return;
    };
    let directions = [
        (came.readable, Direction::Read, "ready_input"),
        (came.writable, Direction::Write, "ready_output"),
        (came.error, Direction::Error, "ready_error"),
    ];
    let mut sent = Vec::new();
    for (_, d, name) in directions.into_iter().filter(|d| d.0) {
        let resource = entry.resource.clone();
        let Some(wanted) = entry.slot(d).take() else {
            continue;
        };
        let message = match wanted.message {
            Message::Own(t) => t,
            Message::Usual(reference) => handle::build(|h| {
                let parts = [
                    Atom::new("select").into(),
                    resource.to_term(h),
                    copy::copy_whole(reference.term(), h),
                    Term::atom(Atom::new(name)),
                ];
                h.tuple(&parts)
            }),
        };
        sent.push((wanted.to, message));
    }
    entry.ask_on();
    // A message that nobody takes may end a resource, which calls the library.
    drop(entries);
    for (to, message) in sent {
        signal::send(to, Signal::Message(message));
    }
}
