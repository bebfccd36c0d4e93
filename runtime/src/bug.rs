//! Broken internal invariants: say what broke, leave a crash dump, abort.

use std::sync::OnceLock;

static DUMP: OnceLock<fn(&str)> = OnceLock::new();

/// Sets what writes the crash dump; the first call wins.
pub fn set_dump_writer(f: fn(&str)) {
    let _ = DUMP.set(f);
}

/// A limit of the VM itself is reached and it cannot go on: says so, writes the crash dump and ends with
/// status 1, as BEAM does.
#[cold]
#[inline(never)]
pub fn limit_reached(slogan: &str) -> ! {
    eprintln!("{slogan}");
    if let Some(dump) = DUMP.get() {
        dump(slogan);
    }
    std::process::exit(1)
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
