//! Broken internal invariants: say what broke, leave a crash dump, abort.

use std::sync::OnceLock;

static DUMP: OnceLock<fn(&str)> = OnceLock::new();

/// Sets what writes the crash dump; the first call wins.
pub fn set_dump_writer(f: fn(&str)) {
    let _ = DUMP.set(f);
}

/// Reports a broken invariant, writes the crash dump and aborts.
#[cold]
#[inline(never)]
pub fn vm_bug(what: &str) -> ! {
    eprintln!("enigma: internal error: {what}");
    if let Some(dump) = DUMP.get() {
        dump(what);
    }
    std::process::abort()
}
