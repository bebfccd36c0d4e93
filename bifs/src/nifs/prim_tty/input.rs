//! What is typed, and the signals that concern the terminal: both are announced by a message,
//! `{select, Tty, Ref, ready_input}`, and then read.

use super::announce::Wanted;
use super::tty::{STDIN, Tty, failed, tty};
use crate::{bifs, os_signal};
use enigma_runtime::atom::Atom;
use enigma_runtime::process::flag;
use enigma_runtime::{BifResult, Ctx, Term, badarg};
use parking_lot::Mutex;
use std::io;
use std::sync::{Arc, Weak};

bifs! { BIFS:
    "prim_tty" {
        "tty_select"/2 Nif => tty_select;
        "tty_select"/3 Nif => tty_select_signals;
        "tty_read_signal"/2 Nif => tty_read_signal;
        "read_nif"/2 NifDirtyIo => read;
        "read_nif"/3 NifDirtyIo => read;
    }
}

/// At most so many bytes are read at a time.
const MOST: usize = 1024;

/// The process that reads, and whether it also gets the signals.
static READER: Mutex<Option<Reader>> = Mutex::new(None);

struct Reader {
    process: u64,
    tty: Weak<Tty>,
    signals: bool,
}

/// `tty_select(Tty, ReadRef)`.
fn tty_select(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = tty(a[0])?;
    select(cx, &t, a[0], a[1], false)
}

/// `tty_select(Tty, SignalRef, ReadRef)`, before 28.
fn tty_select_signals(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = tty(a[0])?;
    t.input.want_signal(Wanted::new(cx, a[0], a[1]));
    for (number, name) in [(libc::SIGCONT, "cont"), (libc::SIGWINCH, "winch")] {
        let tty = Arc::downgrade(&t);
        let tell = move || {
            if let Some(t) = tty.upgrade() {
                t.input.signal(name);
            }
        };
        if !os_signal::watch(number, tell) {
            return Ok(failed(cx, "pipe", &io::Error::last_os_error()));
        }
    }
    select(cx, &t, a[0], a[2], true)
}

fn select(
    cx: &mut Ctx<'_>,
    t: &Arc<Tty>,
    resource: Term,
    reference: Term,
    signals: bool,
) -> BifResult {
    t.input.want(Wanted::new(cx, resource, reference));
    *READER.lock() = Some(Reader {
        process: cx.proc.id,
        tty: Arc::downgrade(t),
        signals,
    });
    cx.own.set_flag(flag::HAS_RESOURCES, true);
    let mine = t.clone();
    let start = || {
        let _loosened = enigma_runtime::sched::bind::loosened();
        let thread = std::thread::Builder::new().name("tty_reader".into());
        thread.spawn(move || mine.input.watch()).is_ok()
    };
    if !t.input.start_once(start) {
        return Ok(cx.error(Atom::SYSTEM_LIMIT));
    }
    Ok(Atom::OK.into())
}

/// A process ends: nobody is told of input any more if it was the one that read.
pub fn process_exit(id: u64) {
    let Some(reader) = READER.lock().take_if(|r| r.process == id) else {
        return;
    };
    if let Some(t) = reader.tty.upgrade() {
        t.input.forget();
    }
    if reader.signals {
        os_signal::default(libc::SIGCONT);
        os_signal::default(libc::SIGWINCH);
    }
}

/// The oldest signal that was not read yet.
fn tty_read_signal(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = tty(a[0])?;
    let Some(name) = t.input.next_signal() else {
        return Ok(cx.error(Atom::new("empty")));
    };
    t.input.want_signal(Wanted::new(cx, a[0], a[1]));
    Ok(cx.ok(Atom::new(name).into()))
}

/// Reads what there is, and asks for the message about more. From 28 on the last argument is a limit.
fn read(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = tty(a[0])?;
    let n = match a.get(2) {
        Some(n) => n.as_usize().ok_or_else(badarg)?.min(MOST),
        None => MOST,
    };
    let mut buffer = vec![0; n];
    // Not through the standard library's buffer, which would hide what it has read from `poll`.
    // SAFETY: room for `n` bytes.
    let got = unsafe { libc::read(STDIN, buffer.as_mut_ptr().cast(), n) };
    if got == 0 {
        return Ok(cx.error(Atom::CLOSED));
    }
    if got < 0 {
        let e = io::Error::last_os_error();
        if !matches!(
            e.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
        ) {
            return Ok(failed(cx, "read", &e));
        }
    }
    t.input.want(Wanted::new(cx, a[0], a[1]));
    let b = cx.heap().binary(&buffer[..got.max(0) as usize]);
    Ok(cx.ok(b))
}
