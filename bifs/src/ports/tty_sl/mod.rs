//! The driver `tty_sl`, by which OTP 25 talks to a terminal: it edits a line on the screen by commands, and
//! tells what is typed as it is typed. It opens only where standard input and output are a terminal whose cursor
//! can be moved; otherwise the library reads lines.

mod keys;
mod line;

use self::keys::Keys;
use self::line::{Line, Steps};
use super::fd::Writer;
use super::{Driver, Port};
use crate::terminal::initial;
use crate::terminal::modes::Modes;
use crate::terminal::terminfo::Description;
use crate::terminal::{self, expand, locale};
use crate::{os, os_signal};
use enigma_runtime::atom::Atom;
use parking_lot::Mutex;
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{IntoRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const PUT: u8 = 0;
const MOVE: u8 = 1;
const INSERT: u8 = 2;
const DELETE: u8 = 3;
const BEEP: u8 = 4;
const PUT_SYNC: u8 = 5;

/// Operations of `port_control/3` count from here.
const OPERATIONS: u32 = 0x018b_0900;
const WINDOW_SIZE: u32 = OPERATIONS + 100;
const UNICODE_STATE: u32 = OPERATIONS + 101;
const SET_UNICODE_STATE: u32 = OPERATIONS + 102;

const DEFAULT_SIZE: (u16, u16) = (80, 24);

/// There is one terminal, and one port to it.
static OPEN: AtomicBool = AtomicBool::new(false);

struct TtySl {
    fd: RawFd,
    before: Modes,
    line: Mutex<Line>,
    utf8: Arc<AtomicBool>,
    resized: Arc<AtomicBool>,
    writer: Arc<Writer>,
    direct: Option<File>,
    /// Commands that are to be answered when their output is out.
    unanswered: Arc<AtomicUsize>,
    keys: Keys,
}

/// Opens the port; the words after the driver's name say what modes the terminal is to have.
pub fn open(owner: u64, name: &str) -> Result<Arc<Port>, Atom> {
    if !terminal::is_terminal(0) || !terminal::is_terminal(1) || OPEN.swap(true, Ordering::Relaxed)
    {
        return Err(Atom::BADARG);
    }
    let port = Port::open(owner, name, false, |port| start(port, name));
    if port.is_err() {
        OPEN.store(false, Ordering::Relaxed);
    }
    port
}

fn start(port: &Arc<Port>, name: &str) -> Result<Box<dyn Driver>, Atom> {
    let failed = |_| Atom::BADARG;
    let wishes = Wishes::read(name).map_err(failed)?;
    let fd = wishes.fd;
    let before = Modes::of(fd).map_err(failed)?;
    let wanted = wishes.modes(before);
    let term = os::variable("TERM").unwrap_or_default();
    let (columns, stays, steps) = capabilities(&term, fd).ok_or(Atom::BADARG)?;
    wanted.set(fd).map_err(failed)?;
    let utf8 = locale::set_from_environment();
    let unanswered = Arc::new(AtomicUsize::new(0));
    let out = Screen {
        fd,
        port: port.clone(),
        unanswered: unanswered.clone(),
    };
    let writer = Writer::start(port.clone(), out)?;
    let resized = Arc::new(AtomicBool::new(false));
    let flag = resized.clone();
    os_signal::watch(libc::SIGWINCH, move || flag.store(true, Ordering::Relaxed));
    os_signal::watch(libc::SIGCONT, move || {
        // Whoever had the terminal in between may have changed its modes. If it is gone, reading will tell.
        let _ = wanted.set(fd);
    });
    let utf8_flag = Arc::new(AtomicBool::new(utf8));
    let keys = Keys::start(port.clone(), fd, utf8_flag.clone())?;
    Ok(Box::new(TtySl {
        fd,
        before,
        line: Mutex::new(Line::new(columns, stays, steps, utf8)),
        utf8: utf8_flag,
        resized,
        writer,
        direct: without_waiting(fd),
        unanswered,
        keys,
    }))
}

/// What the words after the driver's name ask for; what they do not name stays as it is.
#[derive(Default)]
struct Wishes {
    fd: RawFd,
    by_lines: Option<bool>,
    echo: Option<bool>,
    signals: Option<bool>,
}

impl Wishes {
    fn read(name: &str) -> io::Result<Wishes> {
        let mut wishes = Wishes::default();
        for word in name.split(' ').skip(1) {
            let on = match word.as_bytes().first() {
                Some(b'+') => true,
                Some(b'-') => false,
                _ => {
                    let file = std::fs::File::options().read(true).write(true).open(word)?;
                    wishes.fd = file.into_raw_fd();
                    continue;
                }
            };
            match word.as_bytes().get(1) {
                Some(b'c') => wishes.by_lines = Some(on),
                Some(b'e') => wishes.echo = Some(on),
                Some(b's') => wishes.signals = Some(on),
                _ => {}
            }
        }
        Ok(wishes)
    }

    fn modes(&self, before: Modes) -> Modes {
        let mut modes = before.eight_bits();
        if let Some(on) = self.by_lines {
            modes = modes.by_lines(on);
        }
        if let Some(on) = self.echo {
            modes = modes.echo(on);
        }
        if let Some(on) = self.signals {
            modes = modes.signals(on);
        }
        modes
    }
}

/// Columns of the terminal, whether the cursor stays in the last one, and how it moves; nothing if it cannot.
fn capabilities(term: &[u8], fd: RawFd) -> Option<(usize, bool, Steps)> {
    let d = Description::find(term)
        .filter(|d| !d.is_generic() || d.has_cursor())?
        .with_size(terminal::window_size(fd));
    let string = |code: &[u8]| d.string_by_code(code).map(expand::without_delays);
    let left = match d.flag(b"bs") {
        true => None,
        false => string(b"bc"),
    };
    let steps = Steps {
        up: string(b"up")?,
        down: string(b"do").unwrap_or_else(|| b"\n".to_vec()),
        left: left.unwrap_or_else(|| b"\x08".to_vec()),
        right: string(b"nd")?,
    };
    let columns = d.number(b"co").and_then(|n| usize::try_from(n).ok())?;
    Some((columns, d.flag(b"xn"), steps))
}

impl TtySl {
    fn size(&self) -> (u16, u16) {
        let or = |n, default| if n == 0 { default } else { n };
        let (columns, rows) = terminal::window_size(self.fd).unwrap_or_default();
        (or(columns, DEFAULT_SIZE.0), or(rows, DEFAULT_SIZE.1))
    }
}

impl TtySl {
    /// Writes what the terminal takes at once, if nothing else waits; gives how much that was. Another thread would
    /// have to be woken for it, and a key is seen the sooner the fewer take part.
    fn write_now(&self, bytes: &[u8]) -> usize {
        match &self.direct {
            Some(screen) if self.writer.is_idle() => {
                initial::stop_at_end();
                let mut screen = screen;
                // What is wrong with the terminal is found out by who writes the rest.
                screen.write(bytes).unwrap_or(0)
            }
            _ => 0,
        }
    }
}

/// The terminal once more, in a way that writing to it does not wait and that concerns nobody else.
fn without_waiting(fd: RawFd) -> Option<File> {
    let mut name = [0; 256];
    // SAFETY: the buffer is as long as the call is told.
    if unsafe { libc::ttyname_r(fd, name.as_mut_ptr().cast(), name.len()) } != 0 {
        return None;
    }
    let path = CStr::from_bytes_until_nul(&name).ok()?;
    File::options()
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(OsStr::from_bytes(path.to_bytes()))
        .ok()
}

impl Driver for TtySl {
    /// Commands that the driver does not know do nothing.
    fn output(&self, port: &Arc<Port>, data: Vec<u8>) -> Result<(), Atom> {
        let Some((&command, rest)) = data.split_first() else {
            return Ok(());
        };
        let count = || rest.first_chunk().map_or(0, |&n| i16::from_be_bytes(n));
        let mut line = self.line.lock();
        if self.resized.swap(false, Ordering::Relaxed) {
            line.columns = usize::from(self.size().0);
        }
        line.utf8 = self.utf8.load(Ordering::Relaxed);
        line.limit();
        match command {
            PUT | PUT_SYNC => line.put(rest),
            MOVE => line.step(count()),
            INSERT => line.insert(rest),
            DELETE => line.delete(count()),
            BEEP => line.beep(),
            _ => {}
        }
        let mut bytes = line.take();
        bytes.drain(..self.write_now(&bytes));
        if command != PUT_SYNC {
            self.writer.push(bytes);
        } else if bytes.is_empty() && self.writer.is_idle() {
            port.tell(|_| Atom::OK.into());
        } else {
            self.unanswered.fetch_add(1, Ordering::Relaxed);
            self.writer.push_or_flush(bytes);
        }
        Ok(())
    }

    /// The window's size as two numbers of 32 bits, or whether the terminal takes UTF-8.
    fn control(&self, _: &Arc<Port>, _: u64, operation: u32, data: &[u8]) -> Option<Vec<u8>> {
        let utf8 = || vec![u8::from(self.utf8.load(Ordering::Relaxed))];
        match operation {
            WINDOW_SIZE => {
                let (columns, rows) = self.size();
                let number = |n: u16| u32::from(n).to_ne_bytes();
                Some([number(columns), number(rows)].concat())
            }
            UNICODE_STATE => Some(utf8()),
            SET_UNICODE_STATE => {
                let Some(&on) = data.first() else {
                    return Some(Vec::new());
                };
                let before = utf8();
                self.utf8.store(on != 0, Ordering::Relaxed);
                Some(before)
            }
            _ => None,
        }
    }

    fn close(&self) {
        self.keys.stop();
        self.writer.flush();
        self.writer.close();
        // A terminal that is gone needs no modes.
        let _ = self.before.set(self.fd);
        os_signal::default(libc::SIGCONT);
        os_signal::default(libc::SIGWINCH);
        OPEN.store(false, Ordering::Relaxed);
    }

    fn flush(&self) {
        self.writer.flush();
    }
}

/// The terminal's screen. Whenever what was given to it is out, commands are answered.
struct Screen {
    fd: RawFd,
    port: Arc<Port>,
    unanswered: Arc<AtomicUsize>,
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        terminal::write_all(self.fd, bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        for _ in 0..self.unanswered.swap(0, Ordering::Relaxed) {
            self.port.tell(|_| Atom::OK.into());
        }
        Ok(())
    }
}
