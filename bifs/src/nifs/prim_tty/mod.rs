//! The native functions of `prim_tty` (from 26 on): the terminal's modes and size, its input and output, what
//! its type can do.

mod announce;
mod capability;
mod chars;
mod input;
mod output;
mod tty;

pub use capability::BIFS as CAPABILITY;
pub use chars::BIFS as CHARS;
pub use input::BIFS as INPUT;
pub use output::BIFS as OUTPUT;

use announce::Input;
use tty::{STDIN, Tty, TtyModes, failed, tty};

use crate::bifs;
use crate::terminal::modes::Modes;
use crate::terminal::{self, locale};
use enigma_runtime::atom::Atom;
use enigma_runtime::data::map;
use enigma_runtime::heap::magic::Magic;
use enigma_runtime::process::flag;
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, reference};
use parking_lot::Mutex;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

bifs! { BIFS:
    "prim_tty" {
        "isatty"/1 Nif => isatty;
        "tty_create"/0 Nif => tty_create;
        "tty_create"/1 Nif => tty_create;
        "tty_init"/2 Nif => tty_init;
        "tty_init"/3 Nif => tty_init_fd;
        "tty_set"/1 Nif => tty_set;
        "tty_is_open"/2 Nif => tty_is_open;
        "tty_window_size"/1 Nif => tty_window_size;
        "setlocale"/1 Nif => setlocale;
        "tty_encoding"/1 Nif => tty_encoding;
    }
}

/// The process that changed the modes, and what they were before: they are put back when it ends.
static CHANGED: Mutex<Option<(u64, Modes)>> = Mutex::new(None);

/// The descriptor that is called `stdin`, `stdout` or `stderr`.
fn descriptor(t: Term) -> Result<RawFd, Exit> {
    match t.as_atom().map(Atom::text) {
        Some("stdin") => Ok(STDIN),
        Some("stdout") => Ok(1),
        Some("stderr") => Ok(2),
        _ => Err(badarg()),
    }
}

fn not_supported(cx: &mut Ctx<'_>) -> Term {
    cx.error(Atom::new("enotsup"))
}

fn isatty(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if terminal::is_terminal(descriptor(a[0])?) {
        return Ok(true.into());
    }
    let why = io::Error::last_os_error().raw_os_error();
    Ok(match why {
        Some(libc::EINVAL | libc::ENOTTY) => false.into(),
        _ => Atom::new("ebadf").into(),
    })
}

/// From 28 on the argument says where output goes.
fn tty_create(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let mut modes = TtyModes::default();
    let output = match a.first() {
        None => 1,
        Some(&fd) => {
            let fd = descriptor(fd)?;
            if fd == STDIN {
                return Err(badarg());
            }
            modes.before = Modes::of(fd).ok();
            modes.wanted = modes.before;
            fd
        }
    };
    let m: Magic = Arc::new(Tty {
        output,
        modes: Mutex::new(modes),
        input: Input::default(),
    });
    let r = cx.heap().magic_ref(reference::fresh(), m);
    Ok(cx.ok(r))
}

fn option(options: Term, name: &str) -> Option<Term> {
    map::get(options, Atom::new(name).into())
}

/// `tty_init(Tty, Options)`: input as it is typed (`raw`), or what the terminal does by itself.
fn tty_init(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    if !a[1].is_map() {
        return Err(badarg());
    }
    let t = tty(a[0])?;
    let input = option(a[1], "input").ok_or_else(badarg)?;
    let raw = input.as_atom().map(Atom::text) == Some("raw");
    let mut modes = t.modes.lock();
    let Some(before) = modes.before else {
        return Ok(match raw {
            true => not_supported(cx),
            false => Atom::OK.into(),
        });
    };
    if raw || modes.wanted != modes.before {
        let wanted = match raw {
            true => before.eight_bits().by_lines(false).echo(false),
            false => before,
        };
        modes.wanted = Some(wanted);
        if let Err(e) = wanted.set(t.output) {
            return Ok(failed(cx, "tcsetattr", &e));
        }
    }
    put_back_after(cx, before);
    Ok(Atom::OK.into())
}

/// `tty_init(Tty, Descriptor, Options)`, before 28: chooses the modes that `tty_set` is to set.
fn tty_init_fd(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let fd = descriptor(a[1])?;
    if !a[2].is_map() {
        return Err(badarg());
    }
    let t = tty(a[0])?;
    let before = match Modes::of(fd) {
        Ok(modes) => modes,
        Err(e) => return Ok(failed(cx, "tcgetattr", &e)),
    };
    let on = |name: &str| match option(a[2], name)?.as_atom()?.text() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    let mut wanted = before.eight_bits();
    if let Some(on) = on("canon") {
        wanted = wanted.by_lines(on);
    }
    if let Some(on) = on("echo") {
        wanted = wanted.echo(on);
    }
    if let Some(on) = on("sig") {
        wanted = wanted.signals(on);
    }
    *t.modes.lock() = TtyModes {
        before: Some(before),
        wanted: Some(wanted),
    };
    Ok(Atom::OK.into())
}

fn tty_set(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = tty(a[0])?;
    let modes = t.modes.lock();
    if let (Some(before), Some(wanted)) = (modes.before, modes.wanted) {
        if let Err(e) = wanted.set(STDIN) {
            return Ok(failed(cx, "tcsetattr", &e));
        }
        put_back_after(cx, before);
    }
    Ok(Atom::OK.into())
}

fn put_back_after(cx: &mut Ctx<'_>, modes: Modes) {
    *CHANGED.lock() = Some((cx.proc.id, modes));
    cx.own.set_flag(flag::HAS_RESOURCES, true);
}

/// A process ends: what it has done to the terminal ends too.
pub fn process_exit(id: u64) {
    let mut changed = CHANGED.lock();
    if let Some((_, modes)) = changed.take_if(|(process, _)| *process == id) {
        // A terminal that is gone needs no modes.
        let _ = modes.set(STDIN);
    }
    drop(changed);
    input::process_exit(id);
}

/// Does anybody still hold the other end of a descriptor?
fn tty_is_open(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    tty(a[0])?;
    let mut p = libc::pollfd {
        fd: descriptor(a[1])?,
        events: libc::POLLHUP,
        revents: 0,
    };
    // SAFETY: one descriptor in a structure that lives here.
    match unsafe { libc::poll(&raw mut p, 1, 0) } {
        0 => Ok(true.into()),
        1 if p.revents & libc::POLLHUP != 0 => Ok(false.into()),
        n if n < 0 => Ok(failed(cx, "tty_is_open", &io::Error::last_os_error())),
        _ => Err(badarg()),
    }
}

fn tty_window_size(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = tty(a[0])?;
    let size = terminal::window_size(STDIN).or_else(|| terminal::window_size(t.output));
    let Some((columns, rows)) = size.filter(|&s| s != (0, 0)) else {
        return Ok(not_supported(cx));
    };
    let known = |n: u16| Term::small(if n == 0 { -1 } else { i64::from(n) });
    let size = cx.tuple2(known(columns), known(rows));
    Ok(cx.ok(size))
}

/// Takes the environment's locale over. Does it say UTF-8?
fn setlocale(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(locale::set_from_environment().into())
}

fn tty_encoding(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Atom::UTF8.into())
}
