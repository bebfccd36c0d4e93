//! Broken internal invariants: say what broke, leave a crash dump, abort.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static DUMPS: AtomicBool = AtomicBool::new(true);
static DUMP: OnceLock<fn(&str)> = OnceLock::new();
/// Is some thread ending the VM?
static ENDING: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Is it this thread?
    static ENDS: Cell<bool> = const { Cell::new(false) };
}

/// Sets what writes the crash dump; the first call wins.
pub fn set_dump_writer(f: fn(&str)) {
    let _ = DUMP.set(f);
}

/// Sets whether a broken invariant leaves a crash dump (not with `+d`).
pub fn set_dumps(on: bool) {
    DUMPS.store(on, Ordering::Relaxed);
}

/// Says on standard error why the VM ends and writes the crash dump. What goes wrong meanwhile, as lack of
/// memory may, ends the VM without more words; other threads that want to end it wait for the first.
fn last_words(text: &str, slogan: &str) {
    if ENDS.replace(true) {
        std::process::abort();
    }
    if ENDING.swap(true, Ordering::Relaxed) {
        loop {
            std::thread::park();
        }
    }
    eprintln!("{text}");
    if DUMPS.load(Ordering::Relaxed)
        && let Some(dump) = DUMP.get()
    {
        dump(slogan);
    }
}

/// A limit of the VM itself is reached and it cannot go on: says so, writes the crash dump and ends with
/// status 1, as BEAM does.
#[cold]
#[inline(never)]
pub fn limit_reached(slogan: &str) -> ! {
    last_words(&format!("{slogan}\r"), slogan);
    std::process::exit(1)
}

/// A function was given a term of another kind than it takes.
#[cold]
#[inline(never)]
pub fn wrong_kind(wanted: &str) -> ! {
    vm_bug(&format!("a term that is not a {wanted}"))
}

/// Reports a broken invariant, writes the crash dump and aborts.
#[cold]
#[inline(never)]
pub fn vm_bug(what: &str) -> ! {
    last_words(&format!("enigma: internal error: {what}"), what);
    std::process::abort()
}
