//! Waiting for descriptors.

use super::environments;
use crate::c::{Ptr, Word};
use crate::env::EnvPtr;
use crate::resource::{Object, Resource};
use crate::select::{self, Direction, Message};
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::literal::OwnedTerm;
use std::ffi::c_int;
use std::io;
use std::sync::Arc;

// `enum ErlNifSelectFlags`.
const READ: c_int = 1;
const WRITE: c_int = 1 << 1;
const STOP: c_int = 1 << 2;
const CANCEL: c_int = 1 << 3;
const CUSTOM: c_int = 1 << 4;
const ERROR: c_int = 1 << 5;

// What `enif_select` gives; failures are negative.
const STOP_CALLED: c_int = 1;
const INVALID_EVENT: c_int = 1 << 2;
const FAILED: c_int = 1 << 3;
const READ_CANCELLED: c_int = 1 << 4;
const WRITE_CANCELLED: c_int = 1 << 5;
const ERROR_CANCELLED: c_int = 1 << 6;
const FAILURE: c_int = c_int::MIN;

/// The directions in a mode.
fn directions(mode: c_int) -> Vec<Direction> {
    let all = [
        (READ, Direction::Read),
        (WRITE, Direction::Write),
        (ERROR, Direction::Error),
    ];
    all.into_iter()
        .filter(|d| mode & d.0 != 0)
        .map(|d| d.1)
        .collect()
}

fn cancelled(directions: &[Direction]) -> c_int {
    let bit = |d: &Direction| match d {
        Direction::Read => READ_CANCELLED,
        Direction::Write => WRITE_CANCELLED,
        Direction::Error => ERROR_CANCELLED,
    };
    directions.iter().map(bit).sum()
}

/// What is sent: a term of a library's own, or a reference for the usual message.
enum What {
    Reference(Word),
    Own(Word, EnvPtr),
}

fn select(
    env: EnvPtr,
    fd: c_int,
    mode: c_int,
    object: Object,
    pid: Ptr<Word>,
    what: &What,
) -> c_int {
    let Some(resource) = Resource::keep(object) else {
        return FAILURE | FAILED;
    };
    if mode & STOP != 0 {
        return stop(fd, &resource);
    }
    if mode & CANCEL != 0 {
        return cancelled(&select::cancel(fd, &directions(mode)));
    }
    let receiver = match pid.get() {
        Some(pid) => pid.get().and_then(Term::as_local_pid),
        None => env.get_mut().and_then(|e| e.context()).map(|cx| cx.proc.id),
    };
    let (Some(to), false) = (receiver, directions(mode).is_empty()) else {
        return FAILURE | FAILED;
    };
    if resource.kind().callbacks().0.stop.is_none() {
        return FAILURE | FAILED;
    }
    let message = |what: &What| match *what {
        What::Reference(r) => Message::Usual(OwnedTerm::new(r.term())),
        What::Own(word, msg_env) => Message::Own(environments::message(msg_env, word)),
    };
    // An environment is empty when its message has been taken, so that is copied where there is more than one.
    let first = message(what);
    let copy = |m: &Message| match m {
        Message::Usual(t) => Message::Usual(t.clone()),
        Message::Own(t) => Message::Own(t.clone()),
    };
    let messages = directions(mode).into_iter().map(|d| (d, copy(&first)));
    match select::begin(fd, resource, to, messages.collect()) {
        Ok(()) => 0,
        Err(e) if e.kind() == io::ErrorKind::OutOfMemory => FAILURE | FAILED,
        Err(_) => FAILURE | INVALID_EVENT,
    }
}

fn stop(fd: c_int, resource: &Arc<Resource>) -> c_int {
    match select::stop(fd, resource) {
        Some(directions) => STOP_CALLED | cancelled(&directions),
        None => FAILURE | FAILED,
    }
}

/// Asks for a message when a descriptor is ready (the usual one, with a reference), takes that back, or stops.
#[unsafe(no_mangle)]
pub extern "C" fn enif_select(
    env: EnvPtr,
    fd: c_int,
    mode: c_int,
    object: Object,
    pid: Ptr<Word>,
    reference: Word,
) -> c_int {
    // Only a reference or `undefined` may stand there, and where nothing is sent nobody looks.
    let reference = match reference.get() {
        Some(t) if t.is_reference() => reference,
        _ => Term::atom(Atom::UNDEFINED).into(),
    };
    select(env, fd, mode, object, pid, &What::Reference(reference))
}

/// The same with a message of the library's own.
#[unsafe(no_mangle)]
pub extern "C" fn enif_select_x(
    env: EnvPtr,
    fd: c_int,
    mode: c_int,
    object: Object,
    pid: Ptr<Word>,
    message: Word,
    msg_env: EnvPtr,
) -> c_int {
    if mode & CUSTOM == 0 {
        return enif_select(env, fd, mode, object, pid, message);
    }
    select(env, fd, mode, object, pid, &What::Own(message, msg_env))
}
