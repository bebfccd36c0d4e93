//! Environments, copies between them, and messages.

use crate::c::{Bool, Ptr, Word};
use crate::env::{EnvPtr, OwnEnv};
use crate::monitor::without_calls;
use enigma_runtime::Term;
use enigma_runtime::dirty;
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::process::signal::{self, Signal};

/// An environment of its own.
#[unsafe(no_mangle)]
pub extern "C" fn enif_alloc_env() -> EnvPtr {
    OwnEnv::new(std::ptr::null()).into_ptr()
}

/// Frees it with its terms.
#[unsafe(no_mangle)]
pub extern "C" fn enif_free_env(env: EnvPtr) {
    drop(OwnEnv::take(env));
}

/// Frees its terms.
#[unsafe(no_mangle)]
pub extern "C" fn enif_clear_env(env: EnvPtr) {
    if let Some(own) = OwnEnv::of(env) {
        drop(own.take_heap());
    }
}

/// A copy of a term of any environment in this one.
#[unsafe(no_mangle)]
pub extern "C" fn enif_make_copy(env: EnvPtr, word: Word) -> Word {
    let t = word.term();
    match OwnEnv::of(env) {
        // Nobody finds what it holds when literals are released.
        Some(_) => copy::copy_whole(t, env.heap()).into(),
        None => copy::copy(t, env.heap()).into(),
    }
}

/// The message of a term: with the environment's memory, where that can be handed over, or else a copy.
pub fn message(msg_env: EnvPtr, word: Word) -> OwnedTerm {
    let t = word.term();
    let Some(own) = OwnEnv::of(msg_env) else {
        return OwnedTerm::new(t);
    };
    let heap = own.take_heap();
    if heap.is_one_block() && !t.is_immediate() {
        return OwnedTerm::from_heap(t, heap);
    }
    OwnedTerm::new(t)
}

/// Sends a message to a process of this node. An environment of its own that it comes from is empty afterwards. 0 if there is no
/// such process.
#[unsafe(no_mangle)]
pub extern "C" fn enif_send(_: EnvPtr, to: Ptr<Word>, msg_env: EnvPtr, word: Word) -> Bool {
    let receiver = to.get().and_then(|w| w.get()).and_then(Term::as_local_pid);
    let Some(receiver) = receiver.filter(|&id| dirty::is_alive(id)) else {
        return 0;
    };
    let message = Signal::Message(message(msg_env, word));
    Bool::from(without_calls(|| signal::send(receiver, message)))
}
