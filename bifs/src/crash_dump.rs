//! The crash dump: what there is to know when the VM ends abnormally, in a file.

use enigma_runtime::process::table;
use enigma_runtime::{atom, sched};
use std::fmt::Write as _;

/// Writes `erl_crash.dump`, or the file that `ERL_CRASH_DUMP` names, with this slogan.
pub fn write(slogan: &str) {
    let seconds = crate::os::variable("ERL_CRASH_DUMP_SECONDS");
    if seconds.as_deref() == Some(b"0") {
        return;
    }
    let path = crate::os::variable("ERL_CRASH_DUMP")
        .and_then(|p| String::from_utf8(p).ok())
        .unwrap_or_else(|| "erl_crash.dump".into());
    let mut out = String::new();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    let _ = writeln!(out, "=erl_crash_dump:0.5\n@{now}\nSlogan: {slogan}");
    let _ = writeln!(out, "System version: Enigma {}", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(out, "Atoms: {}", atom::count());
    let _ = writeln!(out, "=memory\ntotal: {}", crate::memory::now().total());
    let _ = writeln!(
        out,
        "=processes\nCount: {}\nLimit: {}",
        table::count(),
        table::limit()
    );
    for (i, n) in sched::queue_lengths().into_iter().enumerate() {
        let _ = writeln!(out, "=scheduler:{}\nRun queue length: {n}", i + 1);
    }
    let _ = writeln!(out, "=end");
    eprint!("\r\nCrash dump is being written to: {path}...");
    match std::fs::write(&path, out) {
        Ok(()) => eprint!("done\r\n"),
        Err(e) => eprint!("failed: {e}\r\n"),
    }
}
