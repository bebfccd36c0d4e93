//! Broken internal invariants: say what broke, leave a crash dump, abort.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static DUMPS: AtomicBool = AtomicBool::new(true);
static DUMP: OnceLock<fn(&str)> = OnceLock::new();

/// Sets what writes the crash dump; the first call wins.
pub fn set_dump_writer(f: fn(&str)) {
    let _ = DUMP.set(f);
}

/// Sets whether a broken invariant leaves a crash dump (not with `+d`).
pub fn set_dumps(on: bool) {
    DUMPS.store(on, Ordering::Relaxed);
}

/// Reports a broken invariant, writes the crash dump and aborts.
#[cold]
#[inline(never)]
pub fn vm_bug(what: &str) -> ! {
    eprintln!("enigma: internal error: {what}");
    if DUMPS.load(Ordering::Relaxed)
        && let Some(dump) = DUMP.get()
    {
        dump(what);
    }
    std::process::abort()
}
