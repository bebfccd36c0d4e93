//! The crash dump: what there is to know when the VM ends abnormally, in a file.

use enigma_runtime::process::table;
use enigma_runtime::{atom, sched};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

/// Time for gathering what the dump tells. The VM is ended at an arbitrary place, so locks may be held that nobody
/// will let go.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says on standard error why the VM ends, and writes the dump.
pub fn write_aloud(slogan: &str) {
    eprint!("{slogan}\r\n");
    write(slogan);
}

/// Writes `erl_crash.dump`, or the file that `ERL_CRASH_DUMP` names, with this slogan. After
/// `ERL_CRASH_DUMP_SECONDS` the operating system ends the VM even if that is not finished (0: no dump is
/// written); of more than `ERL_CRASH_DUMP_BYTES` the rest is left out.
pub fn write(slogan: &str) {
    match number("ERL_CRASH_DUMP_SECONDS") {
        Some(0) => return,
        Some(seconds) if seconds > 0 => {
            let seconds = seconds.min(i64::from(u32::MAX)) as libc::c_uint;
            // SAFETY: a plain system call; nobody else in the VM uses this timer.
            unsafe { libc::alarm(seconds) };
        }
        _ => {}
    }
    let path = crate::os::variable("ERL_CRASH_DUMP")
        .and_then(|p| String::from_utf8(p).ok())
        .unwrap_or_else(|| "erl_crash.dump".into());
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    let mut out = format!(
        "=erl_crash_dump:0.5\n@{now}\nSlogan: {slogan}\nSystem version: Enigma {}\n",
        env!("CARGO_PKG_VERSION")
    );
    for section in gathered() {
        out.push_str(&section);
    }
    out.push_str("=end\n");
    if let Some(most) = number("ERL_CRASH_DUMP_BYTES").and_then(|n| usize::try_from(n).ok()) {
        out.truncate(out.floor_char_boundary(most));
    }
    eprint!("\r\nCrash dump is being written to: {path}...");
    match std::fs::write(&path, out) {
        Ok(()) => eprint!("done\r\n"),
        Err(e) => eprint!("failed: {e}\r\n"),
    }
}

/// The sections that another thread could put together in time.
fn gathered() -> Vec<String> {
    let (to, from) = mpsc::channel();
    let mut sections = Vec::new();
    if std::thread::Builder::new().spawn(|| gather(to)).is_ok() {
        let end = Instant::now() + PATIENCE;
        while let Ok(section) = from.recv_timeout(end.saturating_duration_since(Instant::now())) {
            sections.push(section);
        }
    }
    sections
}

/// Tells the sections, the most robust ones first; fails when nobody waits for them any more.
fn gather(to: Sender<String>) {
    let tell = |section: String| to.send(section).is_ok();
    let processes = || {
        format!(
            "=processes\nCount: {}\nLimit: {}\n",
            table::count(),
            table::limit()
        )
    };
    let _ = tell(processes())
        && sched::queue_lengths()
            .into_iter()
            .enumerate()
            .all(|(i, n)| tell(format!("=scheduler:{}\nRun queue length: {n}\n", i + 1)))
        && tell(format!("=atoms\nCount: {}\n", atom::count()))
        && tell(format!(
            "=memory\ntotal: {}\n",
            crate::memory::now().total()
        ));
}

/// The number that an environment variable is set to.
fn number(name: &str) -> Option<i64> {
    let text = String::from_utf8(crate::os::variable(name)?).ok()?;
    text.trim().parse().ok()
}
