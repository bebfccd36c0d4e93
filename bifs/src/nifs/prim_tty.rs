//! The native functions of `prim_tty` that a system without an interactive shell calls: reading standard
//! input and writing standard output. Terminal modes and capabilities are not here yet: `tty_init` with a
//! terminal answers `enotsup`, upon which the library falls back to plain input and output.

use crate::bifs;
use crate::errno;
use enigma_runtime::atom::Atom;
use enigma_runtime::heap::copy;
use enigma_runtime::heap::literal::OwnedTerm;
use enigma_runtime::heap::magic::Magic;
use enigma_runtime::process::handle;
use enigma_runtime::process::signal::{self, Signal};
use enigma_runtime::term::{bits, list, map};
use enigma_runtime::{BifResult, Ctx, Exit, Term, badarg, reference};
use parking_lot::{Condvar, Mutex};
use std::io::IsTerminal;
use std::sync::Arc;

bifs! { BIFS:
    "prim_tty" {
        "isatty"/1 Nif => isatty;
        "tty_create"/0 Nif => tty_create;
        "tty_create"/1 Nif => tty_create;
        "tty_init"/2 Nif => tty_init;
        "tty_init"/3 Nif => tty_init;
        "setlocale"/1 Nif => setlocale;
        "tty_encoding"/1 Nif => tty_encoding;
        "tty_is_open"/2 Nif => tty_is_open;
        "tty_window_size"/1 Nif => tty_window_size;
        "tty_select"/2 Nif => tty_select;
        "tty_select"/3 Nif => tty_select;
        "read_nif"/2 NifDirtyIo => read;
        "read_nif"/3 NifDirtyIo => read;
        "write_nif"/2 NifDirtyIo => write;
        "sizeof_wchar"/0 Nif => sizeof_wchar;
        "setupterm_nif"/0 Nif => setupterm;
    }
}

/// A terminal: descriptors and the thread that waits for input.
struct Tty {
    output: i32,
    /// Input is wanted.
    wanted: Mutex<Option<Wanted>>,
    changed: Condvar,
    started: Mutex<bool>,
}

struct Wanted {
    process: u64,
    message: OwnedTerm,
}

fn tty(t: Term) -> Result<Arc<Tty>, Exit> {
    let m: &Magic = t.as_magic().ok_or_else(badarg)?;
    Arc::clone(m).downcast::<Tty>().map_err(|_| badarg())
}

fn isatty(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    Ok(match a[0].as_atom().map(Atom::text) {
        Some("stdin") => std::io::stdin().is_terminal(),
        Some("stdout") => std::io::stdout().is_terminal(),
        Some("stderr") => std::io::stderr().is_terminal(),
        Some(_) => return Err(badarg()),
        None => {
            tty(a[0])?;
            std::io::stdout().is_terminal()
        }
    }
    .into())
}

fn tty_create(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let output = match a.first().and_then(|t| t.as_atom()).map(Atom::text) {
        None | Some("stdout") => 1,
        Some("stderr") => 2,
        Some(_) => return Err(badarg()),
    };
    let t = Tty {
        output,
        wanted: Mutex::new(None),
        changed: Condvar::new(),
        started: Mutex::new(false),
    };
    let m: Magic = Arc::new(t);
    let r = cx.heap().magic_ref(reference::fresh(), m);
    Ok(cx.ok(r))
}

/// From OTP 28 on the options say what input is to be like; a raw terminal is not supported.
fn tty_init(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    tty(a[0])?;
    let options = a[a.len() - 1];
    let raw = a.len() == 3
        || (options.is_map()
            && map::get(options, Atom::new("input").into())
                .and_then(Term::as_atom)
                .map(Atom::text)
                == Some("raw"));
    if raw {
        Ok(cx.error(Atom::new("enotsup")))
    } else {
        Ok(Atom::OK.into())
    }
}

/// Does the locale of the environment say UTF-8?
fn setlocale(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    tty(a[0])?;
    let value = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|k| crate::os::variable(k))
        .find(|v| !v.is_empty())
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&value).to_ascii_lowercase();
    Ok((text.ends_with("utf-8") || text.ends_with("utf8")).into())
}

fn tty_encoding(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    tty(a[0])?;
    Ok(Atom::UTF8.into())
}

fn tty_is_open(_: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    tty(a[0])?;
    let fd = match a[1].as_atom().map(Atom::text) {
        Some("stdin") => 0,
        Some("stdout") => 1,
        Some("stderr") => 2,
        _ => return Err(badarg()),
    };
    // SAFETY: a query of a descriptor's flags.
    Ok((unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0).into())
}

fn tty_window_size(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    tty(a[0])?;
    // SAFETY: the structure is plain numbers and the call fills it in.
    let (ok, size) = unsafe {
        let mut s: libc::winsize = std::mem::zeroed();
        (libc::ioctl(1, libc::TIOCGWINSZ, &raw mut s) == 0, s)
    };
    if !ok {
        return Ok(cx.error(Atom::new("enotsup")));
    }
    let t = cx.tuple2(
        Term::small(i64::from(size.ws_col)),
        Term::small(i64::from(size.ws_row)),
    );
    Ok(cx.ok(t))
}

/// Asks for the message `{select, Tty, Ref, ready_input}` when input can be read.
fn tty_select(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = tty(a[0])?;
    let reference = a[a.len() - 1];
    want(cx, &t, a[0], reference);
    let mut started = t.started.lock();
    if !*started {
        *started = true;
        let mine = t.clone();
        let thread = std::thread::Builder::new().name("tty_reader".into());
        if thread.spawn(move || wait_loop(&mine)).is_err() {
            return Ok(cx.error(Atom::SYSTEM_LIMIT));
        }
    }
    Ok(Atom::OK.into())
}

fn want(cx: &mut Ctx<'_>, t: &Tty, resource: Term, reference: Term) {
    let message = handle::build(|h| {
        let (r, f) = (copy::copy(resource, h), copy::copy(reference, h));
        h.tuple(&[
            Atom::new("select").into(),
            r,
            f,
            Atom::new("ready_input").into(),
        ])
    });
    *t.wanted.lock() = Some(Wanted {
        process: cx.proc.id,
        message,
    });
    t.changed.notify_one();
}

fn wait_loop(t: &Tty) {
    loop {
        {
            let mut w = t.wanted.lock();
            while w.is_none() {
                t.changed.wait(&mut w);
            }
        }
        let mut p = libc::pollfd {
            fd: 0,
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one descriptor in a structure that lives here.
        let n = unsafe { libc::poll(&raw mut p, 1, -1) };
        if n > 0
            && let Some(w) = t.wanted.lock().take()
        {
            signal::send(w.process, Signal::Message(w.message));
        }
    }
}

fn read(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = tty(a[0])?;
    let n = a
        .get(2)
        .and_then(|n| n.as_usize())
        .unwrap_or(1024)
        .clamp(1, 1 << 16);
    let mut buffer = vec![0; n];
    // Not through the standard library's buffer, which would hide what it has read from `poll`.
    // SAFETY: room for `n` bytes.
    let got = unsafe { libc::read(0, buffer.as_mut_ptr().cast(), n) };
    if got == 0 {
        return Ok(cx.error(Atom::CLOSED));
    }
    if got < 0 {
        let e = std::io::Error::last_os_error();
        if !matches!(
            e.kind(),
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::Interrupted
        ) {
            return Ok(cx.error(errno::of(&e)));
        }
    }
    want(cx, &t, a[0], a[1]);
    let b = cx.heap().binary(&buffer[..got.max(0) as usize]);
    Ok(cx.ok(b))
}

fn write(cx: &mut Ctx<'_>, a: &[Term]) -> BifResult {
    let t = tty(a[0])?;
    let mut bytes = Vec::new();
    for b in list::to_vec(a[1]).ok_or_else(badarg)? {
        bytes.extend_from_slice(&bits::binary_bytes(b).ok_or_else(badarg)?);
    }
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        // SAFETY: the slice is readable.
        let n = unsafe { libc::write(t.output, rest.as_ptr().cast(), rest.len()) };
        if n >= 0 {
            rest = &rest[n as usize..];
            continue;
        }
        let e = std::io::Error::last_os_error();
        match e.kind() {
            std::io::ErrorKind::Interrupted => {}
            std::io::ErrorKind::WouldBlock => {
                let mut p = libc::pollfd {
                    fd: t.output,
                    events: libc::POLLOUT,
                    revents: 0,
                };
                // SAFETY: one descriptor in a structure that lives here.
                unsafe { libc::poll(&raw mut p, 1, -1) };
            }
            _ => return Ok(cx.error(errno::of(&e))),
        }
    }
    Ok(Atom::OK.into())
}

fn sizeof_wchar(_: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(Term::small(size_of::<libc::wchar_t>() as i64))
}

fn setupterm(cx: &mut Ctx<'_>, _: &[Term]) -> BifResult {
    Ok(cx.error(Atom::new("enotsup")))
}
