//! The crash dump: what there is to know when the VM ends abnormally, in a file.

mod base64;
mod process;
mod terms;

use enigma_runtime::atom::{self, Atom};
use enigma_runtime::code::native;
use enigma_runtime::process::table;
use enigma_runtime::sched::{self, freeze};
use enigma_runtime::{Ctx, Term};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

/// Time for gathering each section of the dump. The VM is ended at an arbitrary place, so locks may be held that nobody
/// will let go.
const PATIENCE: Duration = Duration::from_secs(2);

/// Time for the schedulers to stop what they do.
const TIME_TO_STOP: Duration = Duration::from_millis(500);

/// Says on standard error why the VM ends, and writes the dump. All other processes stand still from here on.
pub fn write_aloud(slogan: &str) {
    freeze::freeze(TIME_TO_STOP);
    crate::ports::emergency_close_all();
    tell(slogan);
    write(slogan);
}

/// The same on behalf of the process that runs on this thread, which the dump tells of, too.
pub fn write_aloud_by(cx: &Ctx<'_>, slogan: &str) {
    freeze::freeze(TIME_TO_STOP);
    tell(slogan);
    write_with(Some(cx), slogan);
}

fn tell(slogan: &str) {
    eprint!("{}\r\n", slogan.replace('\n', "\r\n"));
}

/// Writes `erl_crash.dump`, or the file that `ERL_CRASH_DUMP` names, with this slogan. After
/// `ERL_CRASH_DUMP_SECONDS` the operating system ends the VM even if that is not finished (0: no dump is
/// written); of more than `ERL_CRASH_DUMP_BYTES` the rest is left out (0: no dump is written).
pub fn write(slogan: &str) {
    write_with(None, slogan);
}

fn write_with(current: Option<&Ctx<'_>>, slogan: &str) {
    freeze::freeze(TIME_TO_STOP);
    match number("ERL_CRASH_DUMP_SECONDS") {
        Some(0) => return,
        Some(seconds) if seconds > 0 => {
            let seconds = seconds.min(i64::from(u32::MAX)) as libc::c_uint;
            // SAFETY: a plain system call; nobody else in the VM uses this timer.
            unsafe { libc::alarm(seconds) };
        }
        _ => {}
    }
    let most = number("ERL_CRASH_DUMP_BYTES").and_then(|n| usize::try_from(n).ok());
    if most == Some(0) {
        return;
    }
    let path = crate::os::variable("ERL_CRASH_DUMP")
        .and_then(|p| String::from_utf8(p).ok())
        .unwrap_or_else(|| "erl_crash.dump".into());
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs() as libc::time_t);
    let mut out = format!(
        "=erl_crash_dump:0.5\n{}\nSlogan: {slogan}\nSystem version: Enigma {}\nTaints: \nAtoms: {}\n",
        date(now),
        env!("CARGO_PKG_VERSION"),
        atom::count()
    );
    if let Some(cx) = current {
        let own = Some((&*cx.own, cx.pc));
        out.push_str(&process::sections(cx.proc.id, Atom::RUNNING, own));
    }
    for section in gathered(current.map(|cx| cx.proc.id)) {
        out.push_str(&section);
    }
    out.push_str("=end\n");
    if let Some(most) = most {
        out.truncate(out.floor_char_boundary(most));
    }
    eprint!("\r\nCrash dump is being written to: {path}...");
    match std::fs::write(&path, out) {
        Ok(()) => eprint!("done\r\n"),
        Err(e) => eprint!("failed: {e}\r\n"),
    }
}

/// The sections that another thread could put together; a part of them where it got stuck. `told`: the process
/// that need not be told of.
fn gathered(told: Option<u64>) -> Vec<String> {
    let (to, from) = mpsc::channel();
    let mut sections = Vec::new();
    if std::thread::Builder::new()
        .spawn(move || gather(&to, told))
        .is_ok()
    {
        while let Ok(section) = from.recv_timeout(PATIENCE) {
            sections.push(section);
        }
    }
    sections
}

/// Tells the sections, the most robust ones first; fails when nobody waits for them any more.
fn gather(to: &Sender<String>, told: Option<u64>) {
    let tell = |section: String| to.send(section).is_ok();
    let processes = || {
        table::all()
            .into_iter()
            .filter_map(Term::as_local_pid)
            .filter(|&id| Some(id) != told)
            .filter_map(|id| {
                let state = table::with(id, |p| p.state.status())?;
                freeze::look(id, |own| {
                    process::sections(id, state, own.map(|own| (own, native::place_of(own))))
                })
            })
            .all(tell)
    };
    let _ = sched::queue_lengths()
        .into_iter()
        .enumerate()
        .all(|(i, n)| {
            tell(format!(
                "=scheduler:{}\nRun Queue Normal Length: {n}\n",
                i + 1
            ))
        })
        && processes()
        && tell(memory())
        && tell(atoms());
}

fn memory() -> String {
    let mut out = String::from("=memory\n");
    for (name, bytes) in crate::memory::now().by_kind() {
        out.push_str(&format!("{name}: {bytes}\n"));
    }
    out
}

/// All atoms, the newest first.
fn atoms() -> String {
    let mut out = String::from("=atoms\n");
    for i in (0..atom::count()).rev() {
        out.push_str(&format!("{}\n", Term::atom(Atom::from_index(i))));
    }
    out
}

/// A time as `ctime` of C writes it.
fn date(seconds: libc::time_t) -> String {
    let mut text = [0u8; 64];
    // SAFETY: the buffer is larger than the 26 bytes that the call writes at most.
    let written = unsafe { !libc::ctime_r(&raw const seconds, text.as_mut_ptr().cast()).is_null() };
    let end = text.iter().position(|&b| b == b'\n' || b == 0);
    match end {
        Some(n) if written => String::from_utf8_lossy(&text[..n]).into_owned(),
        _ => format!("@{seconds}"),
    }
}

/// The number that an environment variable is set to.
fn number(name: &str) -> Option<i64> {
    let text = String::from_utf8(crate::os::variable(name)?).ok()?;
    text.trim().parse().ok()
}
