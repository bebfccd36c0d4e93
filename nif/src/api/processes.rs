//! Processes and ports of this node, and references.

use super::environments;
use crate::c::{Bool, Ptr, Word};
use crate::env::EnvPtr;
use enigma_bifs::erlang::iolist;
use enigma_bifs::ports;
use enigma_runtime::Term;
use enigma_runtime::atom::Atom;
use enigma_runtime::dirty;
use enigma_runtime::process::registry;
use enigma_runtime::reference;

/// The pid of the process that runs the call; null where there is none.
#[unsafe(no_mangle)]
pub extern "C" fn enif_self(env: EnvPtr, to: Ptr<Word>) -> *mut Word {
    match env.env().context() {
        Some(cx) => {
            to.set(cx.self_pid().into());
            to.address()
        }
        None => std::ptr::null_mut(),
    }
}

/// The pid of a term that is one of this node.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_local_pid(_: EnvPtr, word: Word, to: Ptr<Word>) -> Bool {
    to.store(word.get().filter(|t| t.is_local_pid()))
}

/// The port of a term that is one of this node.
#[unsafe(no_mangle)]
pub extern "C" fn enif_get_local_port(_: EnvPtr, word: Word, to: Ptr<Word>) -> Bool {
    to.store(word.get().filter(|t| t.is_local_port()))
}

fn named(word: Word) -> Option<Term> {
    registry::whereis(word.get()?.as_atom()?)
}

/// The process with a registered name.
#[unsafe(no_mangle)]
pub extern "C" fn enif_whereis_pid(_: EnvPtr, name: Word, to: Ptr<Word>) -> Bool {
    to.store(named(name).filter(|t| t.is_local_pid()))
}

/// The port with a registered name.
#[unsafe(no_mangle)]
pub extern "C" fn enif_whereis_port(_: EnvPtr, name: Word, to: Ptr<Word>) -> Bool {
    to.store(named(name).filter(|t| t.is_local_port()))
}

/// Is there such a process?
#[unsafe(no_mangle)]
pub extern "C" fn enif_is_process_alive(_: EnvPtr, pid: Ptr<Word>) -> Bool {
    let id = pid.get().and_then(|w| w.get()).and_then(Term::as_local_pid);
    Bool::from(id.is_some_and(dirty::is_alive))
}

fn port_of(p: Ptr<Word>) -> Option<std::sync::Arc<ports::Port>> {
    let id = p.get()?.get()?.as_local_port()?;
    ports::get(id).filter(|p| !p.is_closed())
}

/// Is there such a port?
#[unsafe(no_mangle)]
pub extern "C" fn enif_is_port_alive(_: EnvPtr, port: Ptr<Word>) -> Bool {
    Bool::from(port_of(port).is_some())
}

/// Gives an I/O list to a port, as its owner does. An environment of its own that it comes from is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn enif_port_command(
    _: EnvPtr,
    port: Ptr<Word>,
    msg_env: EnvPtr,
    word: Word,
) -> Bool {
    let Some(port) = port_of(port) else { return 0 };
    let message = environments::message(msg_env, word);
    let Ok(bytes) = iolist::collect(message.term()) else {
        return 0;
    };
    Bool::from(port.write(bytes).is_ok())
}

/// A fresh reference.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_ref(env: EnvPtr) -> Word {
    env.heap().reference(reference::fresh(), 0).into()
}

/// Makes it the pid of no process.
#[unsafe(no_mangle)]
pub extern "C" fn enif_set_pid_undefined(pid: Ptr<Word>) {
    pid.set(Term::atom(Atom::UNDEFINED).into());
}

/// Is it the pid of no process?
#[unsafe(no_mangle)]
pub extern "C" fn enif_is_pid_undefined(pid: Ptr<Word>) -> Bool {
    let undefined = Word::from(Term::atom(Atom::UNDEFINED));
    Bool::from(pid.get() == Some(&undefined))
}
